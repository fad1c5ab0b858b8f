/*
 * helper_call.h - calls with every member set, for the tests of their codec.
 */
#ifndef HELPER_CALL_H
#define HELPER_CALL_H
#include "hsa_call.h"
#include "hsa_unit.h"

/*
 * hcall_request(c, fn) - every member of the request, whether fn has it or
 * not; slices and arrays are static. hcall_mech(m, kind, seed).
 * hcall_reply(c, fn) - rv 0 and what fn gives; freed by hsa_call_free.
 */
void hcall_request(struct hsa_call *c, enum hsa_fn fn);
void hcall_mech(struct hsa_mech *m, enum hsa_mech_kind kind, uint64_t seed);
void hcall_reply(struct hsa_call *c, enum hsa_fn fn);

#endif
