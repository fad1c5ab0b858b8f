/* ep_body.h - the JSON of ep11-tke-wire 2.2 and 2.3. */
#ifndef EP_BODY_H
#define EP_BODY_H
#include <stddef.h>
#include "hsa_err.h"

struct ep_config;
struct hsa_buf;

#define EP_BODY_MAX 1048576u

/*
 * ep_body_request(b, p, n, diag) - the transport string of a POST: a JSON
 * object with the one member "request", a string. E_FORMAT with what is wrong.
 */
HSA_MUST_USE hsa_rc ep_body_request(
    struct hsa_buf *b, const void *p, size_t n, struct hsa_diag *diag);

/* ep_body_response(b, p, n) - {"response":"..."}.
 * ep_body_instances(b, cfg) - {"instances":[...]}, our addition.
 * ep_body_units(b, cfg) - the three lists of units. */
void ep_body_response(struct hsa_buf *b, const void *p, size_t n);
void ep_body_instances(struct hsa_buf *b, const struct ep_config *cfg);
void ep_body_units(struct hsa_buf *b, const struct ep_config *cfg);

#endif
