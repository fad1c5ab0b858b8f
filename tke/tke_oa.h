/*
 * tke_oa.h - outbound-authentication certificates in the CEX7 layout
 * (ep11-tke-wire 8.4): built when an installation is made, walked by every
 * client.
 */
#ifndef TKE_OA_H
#define TKE_OA_H
#include <stddef.h>
#include <stdint.h>
#include "tke_sig.h"

#define TKE_OA_CERT_LEN 752 /* with 80 bytes of OA info */
#define TKE_OA_CHAIN_MAX 8

/*
 * tke_oa_tbs(b, serial, key_point, signer_ski, time16) - header
 * and sections 0 to 3: the signed part, 544 bytes. time16: signing time as 16
 * ASCII characters, "20260101000000Z\0".
 * tke_oa_finish(b, signer_ski, sig, n) - append section 4 around a DER
 * ECDSA-Sig-Value; b is then the whole certificate.
 * SKIs are SHA-256 of the uncompressed point (8.3).
 */
HSA_MUST_USE hsa_rc tke_oa_tbs(struct hsa_buf *b, const char serial[8],
    const uint8_t key_point[TKE_POINT_LEN],
    const uint8_t signer_ski[TKE_SKI_LEN], const char time16[16]);
HSA_MUST_USE hsa_rc tke_oa_finish(struct hsa_buf *b,
    const uint8_t signer_ski[TKE_SKI_LEN], const void *sig, size_t n);

struct tke_oa_cert {
	uint8_t subject_ski[TKE_SKI_LEN], signer_ski[TKE_SKI_LEN];
	uint8_t point[TKE_POINT_LEN];
	char adapter_id[13];  /* 12 characters, NUL */
	struct tke_slice tbs; /* inside the input */
	struct tke_slice r, s;
};
HSA_MUST_USE hsa_rc tke_oa_parse(
    struct tke_oa_cert *c, const void *p, size_t n);

/*
 * tke_oa_chain_verify(oa_key, certs, n, root, diag) - certificate i is signed
 * by the key of i + 1, the last one by root; signer SKI equals the parent's
 * subject SKI; none is self-signed. oa_key: out, key of certificate 0, the
 * caller's. E_SIGNATURE with a diagnosis otherwise.
 */
HSA_MUST_USE hsa_rc tke_oa_chain_verify(struct evp_pkey_st **oa_key,
    const struct tke_slice *certs, size_t n, struct evp_pkey_st *root,
    struct hsa_diag *diag);

#endif
