/*
 * ep_oa.h - the outbound-authentication chain of an installation
 * (ep11-tke-wire 8.3): root <- device key <- OA key of the token. Root and
 * device keys are made here, sign, and are gone: nothing but the public half
 * of the root is ever written, so no further unit can be certified later.
 */
#ifndef EP_OA_H
#define EP_OA_H
#include <stdint.h>
#include "hsa_err.h"
#include "tke_oa.h"

struct hsa_buf;
struct ep_oa_root;

HSA_MUST_USE hsa_rc ep_oa_root_new(struct ep_oa_root **r);
void ep_oa_root_free(struct ep_oa_root *r);
/* ep_oa_root_pem(b, r) - the public key, PEM. */
HSA_MUST_USE hsa_rc ep_oa_root_pem(struct hsa_buf *b, struct ep_oa_root *r);

/*
 * ep_oa_certify(cert, r, serial, point) - certificate 0 of the OA key at
 * point, signed by a device key that lives for this call, and certificate 1 of
 * that key, signed by the root. Verified before they are handed out.
 */
HSA_MUST_USE hsa_rc ep_oa_certify(uint8_t cert[2][TKE_OA_CERT_LEN],
    struct ep_oa_root *r, const char serial[8],
    const uint8_t point[TKE_POINT_LEN], struct hsa_diag *diag);

#endif
