/*
 * tke_part.h - how a master-key part travels to a unit: importer key and
 * RecipientInfo (ep11-tke-wire 13.1, 13.5, 13.6).
 */
#ifndef TKE_PART_H
#define TKE_PART_H
#include <stddef.h>
#include <stdint.h>
#include "tke_sig.h"

#define TKE_PART_LEN 32

enum tke_importer_kind {
	TKE_IMPORTER_RSA2048 = 0,
	TKE_IMPORTER_P521 = 3
};

/* tke_importer_spki_*(...) - the bare SubjectPublicKeyInfo of 13.1. */
HSA_MUST_USE hsa_rc tke_importer_spki_encode(
    struct hsa_buf *b, const struct evp_pkey_st *key);
HSA_MUST_USE hsa_rc tke_importer_spki_parse(
    struct evp_pkey_st **key, const void *p, size_t n);

/* A RecipientInfo taken apart; slices point into the input. */
struct tke_recipient {
	enum tke_importer_kind kind;
	uint8_t originator[TKE_POINT_LEN]; /* P-521: ephemeral point */
	struct tke_slice ukm;              /* P-521 */
	struct tke_slice ski;              /* of the importer key, 32 bytes */
	struct tke_slice encrypted;        /* 40-byte wrap, or RSA ciphertext */
};
HSA_MUST_USE hsa_rc tke_recipient_parse(
    struct tke_recipient *r, const void *p, size_t n);

/*
 * tke_recipient_build(b, part, importer) - encrypt a part to an importer key:
 * P-521 as 13.5 with a fresh ephemeral key and ukm, SharedInfo with the NULL;
 * RSA as 13.6, PKCS#1 v1.5.
 */
HSA_MUST_USE hsa_rc tke_recipient_build(struct hsa_buf *b,
    const uint8_t part[TKE_PART_LEN], struct evp_pkey_st *importer);

/*
 * tke_kdf_info(b, ukm, n, with_null) - counter 00000001 || SharedInfo: what
 * follows Z in the KEK's hash (13.5). A unit hashes Z inside its token and
 * this after it; it tries with_null first, then without.
 */
HSA_MUST_USE hsa_rc tke_kdf_info(
    struct hsa_buf *b, const void *ukm, size_t n, int with_null);

#endif
