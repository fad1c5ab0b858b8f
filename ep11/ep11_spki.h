/*
 * ep11_spki.h - public keys between DER and the token's objects.
 */
#ifndef EP11_SPKI_H
#define EP11_SPKI_H
#include "ep11_core.h"
#include "ep11_pkey.h"

/*
 * ep11_public_create(e, h, k) - a public-key object of a key that was read and
 * checked; every use is allowed on it. The caller destroys h.
 * ep11_public_read(e, k, h, type, curve) - the key of the token's public
 * object h, for its SPKI; k is the caller's (ep11_pkey_free). curve: of EC.
 * ep11_public_policy(e, k) - ep11_policy_key, and of RSA its exponent.
 * ep11_token_type(type, curve) - the CKK_* that the token wants for it.
 * ep11_octets(b, p, n) - a DER OCTET STRING, appended; n below 65536.
 */
CK_RV ep11_public_create(
    struct ep11_engine *e, CK_OBJECT_HANDLE *h, const struct ep11_pkey *k);
CK_RV ep11_public_read(struct ep11_engine *e, struct ep11_pkey *k,
    CK_OBJECT_HANDLE h, CK_KEY_TYPE type, const struct ep11_curve *curve);
CK_RV ep11_public_policy(
    const struct ep11_engine *e, const struct ep11_pkey *k);
CK_KEY_TYPE ep11_token_type(CK_KEY_TYPE type, const struct ep11_curve *curve);
void ep11_octets(struct hsa_buf *b, const void *p, size_t n);

#endif
