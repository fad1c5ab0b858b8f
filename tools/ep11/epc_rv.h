/* epc_rv.h - what a unit answers, in words: CKR_* names, what they mean here
 * and what to do (ep11-host-api 16, 18.1). */
#ifndef EPC_RV_H
#define EPC_RV_H
#include <stdint.h>
#include "hsa_err.h"

struct epc_rv_row {
	uint64_t rv;
	const char *name, *meaning, *fix;
};
const struct epc_rv_row *epc_rv(uint64_t rv); /* NULL: unknown */

/*
 * epc_rv_fail(diag, rv, what) - "sign: CKR_KEY_FUNCTION_NOT_PERMITTED (0x68):
 * ..." as E_REMOTE; E_SIGNATURE for wrong signatures; E_CLOSED when no unit
 * could be asked. HSA_OK for CKR_OK.
 */
HSA_MUST_USE hsa_rc epc_rv_fail(
    struct hsa_diag *diag, uint64_t rv, const char *what);

#endif
