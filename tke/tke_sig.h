/*
 * tke_sig.h - signatures of administrators over admin blocks, of modules over
 * their answers, and the identifiers of keys (ep11-tke-wire 6, 7, 8.1).
 */
#ifndef TKE_SIG_H
#define TKE_SIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tke_wire.h"

struct evp_pkey_st; /* EVP_PKEY */

enum tke_key_type {
	TKE_KEY_P521 = 1,
	TKE_KEY_RSA2048
};

/* tke_ski(out, key) - SHA-256 over the BIT STRING content (7.1). E_UNSUPPORTED
 * for a key that is neither P-521 nor RSA. */
HSA_MUST_USE hsa_rc tke_ski(
    uint8_t out[TKE_SKI_LEN], const struct evp_pkey_st *key);
/* tke_point(out, key) - 04 || X || Y of a P-521 key, 133 bytes.
 * tke_key_from_point(key, point) - and back; *key is the caller's, freed by
 * EVP_PKEY_free. E_KEY when the point is not on the curve. */
#define TKE_POINT_LEN 133
HSA_MUST_USE hsa_rc tke_point(
    uint8_t out[TKE_POINT_LEN], const struct evp_pkey_st *key);
HSA_MUST_USE hsa_rc tke_key_from_point(
    struct evp_pkey_st **key, const uint8_t point[TKE_POINT_LEN]);

/* One SignerInfo, taken apart; slices point into the input. */
struct tke_signer_info {
	uint8_t ski[TKE_SKI_LEN];
	enum tke_key_type type;
	struct tke_slice signature;
	size_t used; /* bytes of this SignerInfo */
};
HSA_MUST_USE hsa_rc tke_signer_info_parse(
    struct tke_signer_info *s, const void *p, size_t n);
/* tke_signer_info_encode(b, type, ski, sig, n) - one SignerInfo. For P-521 sig
 * is DER ECDSA-Sig-Value. */
HSA_MUST_USE hsa_rc tke_signer_info_encode(struct hsa_buf *b,
    enum tke_key_type type, const uint8_t ski[TKE_SKI_LEN], const void *sig,
    size_t n);

/* tke_verify(s, key, msg, n) - E_SIGNATURE unless it holds: ECDSA P-521 over
 * SHA-512, or RSA X9.31 over SHA-256; key type must be the SignerInfo's. r and
 * s of the ECDSA value may be padded (8.1). */
HSA_MUST_USE hsa_rc tke_verify(const struct tke_signer_info *s,
    struct evp_pkey_st *key, const void *msg, size_t n);
/* tke_sign(b, key, msg, n) - append a SignerInfo by this administrator. */
HSA_MUST_USE hsa_rc tke_sign(
    struct hsa_buf *b, struct evp_pkey_st *key, const void *msg, size_t n);

/* ---- administrator certificates (7.2) ------------------------------------ */

#define TKE_NAME_MAX 30
struct tke_admin_cert {
	uint8_t ski[TKE_SKI_LEN];    /* computed, not the extension's */
	char name[TKE_NAME_MAX + 1]; /* issuer CN without trailing blanks */
	enum tke_key_type type;
	struct evp_pkey_st *key; /* owned */
};
/*
 * tke_admin_cert_parse(c, p, n) - the shape of 7.2, any X.509 that has a
 * P-521 or RSA-2048 key and an issuer CN. The self-signature is not looked at
 * (7.3). E_FORMAT, E_UNSUPPORTED.
 */
HSA_MUST_USE hsa_rc tke_admin_cert_parse(
    struct tke_admin_cert *c, const void *p, size_t n);
void tke_admin_cert_free(struct tke_admin_cert *c);
/* tke_admin_cert_build(b, key, name) - exactly the fields of 7.2, correctly
 * self-signed (P-521 as 7.3 row 1; RSA: X9.31 over SHA-256 of the tbs).
 * E_ARG: name empty, longer than 30, or not PrintableString. */
HSA_MUST_USE hsa_rc tke_admin_cert_build(
    struct hsa_buf *b, struct evp_pkey_st *key, const char *name);

#endif
