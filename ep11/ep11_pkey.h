/*
 * ep11_pkey.h - asymmetric keys as DER: SubjectPublicKeyInfo (RFC 5280) and
 * PKCS #8 (RFC 5958), read and written by OpenSSL, strictly.
 *
 * Read keys are checked before a token sees them: SoftHSM takes points that
 * are on no curve and keys whose halves do not fit.
 */
#ifndef EP11_PKEY_H
#define EP11_PKEY_H
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_key.h"
#include "hsa_buf.h"

struct ep11_pkey {
	EVP_PKEY *key;
	CK_KEY_TYPE type; /* CKK_RSA, CKK_EC, CKK_DSA, CKK_DH */
	const struct ep11_curve *curve;
	uint32_t bits; /* modulus, prime; curve's */
};

/*
 * ep11_pkey_public(k, p, n) - a SubjectPublicKeyInfo of exactly n bytes, in
 * DER. Accepted: RSA, named curves of ep11_curve.c, DSA and DH (PKCS #3) with
 * their parameters. CKR_PUBLIC_KEY_INVALID, CKR_CURVE_NOT_SUPPORTED,
 * CKR_KEY_SIZE_RANGE, CKR_HOST_MEMORY.
 *
 * ep11_pkey_private(k, p, n) - a PKCS #8 PrivateKeyInfo at the start of n
 * bytes, the rest of them zero: what the token wraps is padded so. The halves
 * fit each other. CKR_WRAPPED_KEY_INVALID for anything wrong with it,
 * CKR_CURVE_NOT_SUPPORTED, CKR_KEY_SIZE_RANGE.
 *
 * ep11_pkey_free(k) - repeatable, a zeroed struct is free.
 */
CK_RV ep11_pkey_public(struct ep11_pkey *k, const void *p, size_t n);
CK_RV ep11_pkey_private(struct ep11_pkey *k, const void *p, size_t n);
void ep11_pkey_free(struct ep11_pkey *k);

/*
 * ep11_pkey_spki(out, k) - its public half, appended.
 * ep11_pkey_pkcs8(p, n, k) - its PrivateKeyInfo as OpenSSL writes it (EC: with
 * the public point), in secure memory (OPENSSL_secure_clear_free).
 * ep11_pkey_raw(p, n, k) - the private half as the token's CKA_VALUE, the same
 * memory: Edwards and Montgomery keys alone.
 */
CK_RV ep11_pkey_spki(struct hsa_buf *out, const struct ep11_pkey *k);
CK_RV ep11_pkey_pkcs8(uint8_t **p, size_t *n, const struct ep11_pkey *k);
CK_RV ep11_pkey_raw(uint8_t **p, size_t *n, const struct ep11_pkey *k);

/*
 * ep11_pkey_number(b, k, name, len) - one of OpenSSL's numbers ("n", "e",
 * "p", "q", "g", "pub", "qx" ...), big-endian, appended; len 0: as short as it
 * is, else padded in front to len bytes.
 * ep11_pkey_point(b, k) - the public value: prime curves 04 || x || y, others
 * their bytes.
 */
CK_RV ep11_pkey_number(
    struct hsa_buf *b, const struct ep11_pkey *k, const char *name, size_t len);
CK_RV ep11_pkey_point(struct hsa_buf *b, const struct ep11_pkey *k);

/*
 * Keys from their numbers, for what a token hands out piece by piece.
 * ep11_pkey_of_point - of a curve's point as ep11_pkey_point writes it:
 * CKR_PUBLIC_KEY_INVALID when it is not on the curve.
 * ep11_pkey_of_raw - an Edwards or Montgomery private key of its CKA_VALUE.
 * ep11_pkey_of_numbers - p[i] is the value of names[i] ("n", "e", ...); RSA,
 * DSA, DH.
 */
CK_RV ep11_pkey_of_point(struct ep11_pkey *k, const struct ep11_curve *curve,
    const void *point, size_t n);
CK_RV ep11_pkey_of_raw(struct ep11_pkey *k, const struct ep11_curve *curve,
    const void *p, size_t n);
CK_RV ep11_pkey_of_numbers(struct ep11_pkey *k, CK_KEY_TYPE type,
    const char *const *names, const struct hsa_slice *p, size_t n);

#endif
