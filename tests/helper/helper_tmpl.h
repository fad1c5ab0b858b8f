/*
 * helper_tmpl.h - templates and key calls for tests of the EP11 engine.
 */
#ifndef HELPER_TMPL_H
#define HELPER_TMPL_H
#include <openssl/evp.h>
#include "helper_ep11.h"

struct helper_tmpl {
	struct hsa_attr a[24];
	uint64_t num[24];
	uint8_t flag[24];
	size_t n;
};
/* Appended; each returns t, so that they nest. Do not copy the struct. */
struct helper_tmpl *tmpl_num(
    struct helper_tmpl *t, CK_ATTRIBUTE_TYPE type, uint64_t v);
struct helper_tmpl *tmpl_bool(
    struct helper_tmpl *t, CK_ATTRIBUTE_TYPE type, bool v);
struct helper_tmpl *tmpl_bytes(
    struct helper_tmpl *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n);

/* A mechanism without, or with bytes as its parameter. */
struct hsa_mech helper_mech(CK_MECHANISM_TYPE type);
struct hsa_mech helper_mech_bytes(
    CK_MECHANISM_TYPE type, const void *p, size_t n);

/* Generate; blob and checksum (or public key) stay in c. t NULL: none. */
CK_RV helper_generate(struct helper_ep11 *h, struct hsa_call *c,
    CK_MECHANISM_TYPE mech, const struct helper_tmpl *t);
CK_RV helper_generate_pair(struct helper_ep11 *h, struct hsa_call *c,
    CK_MECHANISM_TYPE mech, const struct helper_tmpl *pub,
    const struct helper_tmpl *priv);

/* The boolean word, read as hosts do. */
uint32_t helper_blob_bools(const struct hsa_buf *blob);
/* SPKI of a MACed public key, as OpenSSL reads it; booleans behind it. */
EVP_PKEY *helper_public(const struct hsa_buf *spki, uint32_t *bools);

/*
 * helper_proves(h, blob, pub) - the private key of a blob does what fits pub:
 * signs what OpenSSL verifies, or agrees with a key of OpenSSL's on a secret.
 * helper_value(h, blob, v, room) - value or PKCS #8 of a blob: its length.
 */
bool helper_proves(
    struct helper_ep11 *h, const struct hsa_buf *blob, EVP_PKEY *pub);
size_t helper_value(
    struct helper_ep11 *h, const struct hsa_buf *blob, uint8_t *v, size_t room);

/* helper_cp(h, off, n) - every control point but these. */
void helper_cp(struct helper_ep11 *h, const int *off, size_t n);

#endif
