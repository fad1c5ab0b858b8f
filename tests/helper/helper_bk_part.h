/*
 * helper_bk_part.h - encrypt key parts by OpenSSL alone, without tke/: a second
 * reading of ep11-tke-wire 13.5 and 13.6, with the knobs that damage tests
 * need.
 */
#ifndef HELPER_BK_PART_H
#define HELPER_BK_PART_H
#include <stdbool.h>
#include "cu_backend.h"

struct evp_pkey_st;

/* A RecipientInfo taken apart that owns what its slices point to. */
struct helper_part {
	struct tke_recipient r;
	uint8_t ukm[40], encrypted[256];
};

/*
 * helper_part_p521(p, value, n, importer, with_null, zeros) - n bytes (a
 * multiple of 8); ephemeral keys are drawn until Z starts with that many zero
 * bytes. helper_part_rsa(p, value, n, importer) - PKCS#1 v1.5.
 * helper_part(p, value, importer) - a part of 32 bytes, by the key's type.
 */
void helper_part_p521(struct helper_part *p, const uint8_t *value, size_t n,
    struct evp_pkey_st *importer, bool with_null, size_t zeros);
void helper_part_rsa(struct helper_part *p, const uint8_t *value, size_t n,
    struct evp_pkey_st *importer);
void helper_part(struct helper_part *p, const uint8_t value[32],
    struct evp_pkey_st *importer);

#endif
