/*
 * tke_key.h - public and private keys as OpenSSL holds them: the two kinds
 * that TKE administration knows, their SubjectPublicKeyInfo, and bare
 * signature values. tke_sig.h builds on it.
 */
#ifndef TKE_KEY_H
#define TKE_KEY_H
#include <stddef.h>
#include <stdint.h>
#include "tke_sig.h"

#define TKE_RSA_LEN 256  /* bytes of a modulus and of an RSA signature */
#define TKE_FIELD_LEN 66 /* bytes of a P-521 coordinate, r or s */
#define TKE_SPKI_P521_LEN 158

/*
 * tke_key_spki_parse(type, bits, p, n) - take a SubjectPublicKeyInfo apart
 * without making a key. bits: content of the BIT STRING after the unused-bits
 * byte, inside the input: what an SKI hashes. E_UNSUPPORTED for any key but
 * named-curve P-521 (uncompressed) and RSA of 2048 bits.
 */
HSA_MUST_USE hsa_rc tke_key_spki_parse(
    enum tke_key_type *type, struct tke_slice *bits, const void *p, size_t n);
/* tke_key_spki(b, type, key) - append the SubjectPublicKeyInfo. type may be
 * NULL. E_UNSUPPORTED as above. */
HSA_MUST_USE hsa_rc tke_key_spki(
    struct hsa_buf *b, enum tke_key_type *type, const struct evp_pkey_st *key);
/* tke_key_from_spki(key, type, p, n) - *key is the caller's. type may be NULL.
 * E_KEY: a point that is not on the curve, or no possible RSA key. */
HSA_MUST_USE hsa_rc tke_key_from_spki(
    struct evp_pkey_st **key, enum tke_key_type *type, const void *p, size_t n);

/*
 * tke_key_sign(b, key, msg, n) - append the bare signature value: DER
 * ECDSA-Sig-Value over SHA-512, or 256 bytes of X9.31 over SHA-256 exactly as
 * ep11-tke-wire 6 makes it.
 */
HSA_MUST_USE hsa_rc tke_key_sign(
    struct hsa_buf *b, struct evp_pkey_st *key, const void *msg, size_t n);
/* tke_key_verify(key, type, sig, sn, msg, n) - E_SIGNATURE unless key is of
 * this type and the value holds. */
HSA_MUST_USE hsa_rc tke_key_verify(struct evp_pkey_st *key,
    enum tke_key_type type, const void *sig, size_t sn, const void *msg,
    size_t n);
/* tke_key_sig_split(r, s, sig, n) - ECDSA-Sig-Value, r and s as unsigned
 * without leading zeros, at most 66 bytes each; they may be padded. */
HSA_MUST_USE hsa_rc tke_key_sig_split(
    struct tke_slice *r, struct tke_slice *s, const void *sig, size_t n);

/* tke_key_refused(rc) - rc, after emptying OpenSSL's error queue, which belongs
 * to the thread and would speak up in some later call. */
hsa_rc tke_key_refused(hsa_rc rc);

#endif
