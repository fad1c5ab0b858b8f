/*
 * helper_data.h - the data functions of the EP11 engine as short calls, and
 * keys with known values for them.
 */
#ifndef HELPER_DATA_H
#define HELPER_DATA_H
#include <openssl/evp.h>
#include "helper_ep11.h"

/* A key with a known value, every use allowed but those in without:
 * hdata_secret(d, blob, type, value, n, without),
 * hdata_pair(d, priv, pub, key, without) - blob and MACed public key. */
void hdata_secret(struct helper_ep11 *d, struct hsa_buf *blob, CK_KEY_TYPE type,
    const void *value, size_t n, uint32_t without);
void hdata_pair(struct helper_ep11 *d, struct hsa_buf *priv,
    struct hsa_buf *pub, EVP_PKEY *key, uint32_t without);

/* All: what the engine answers; outputs are replaced, NULL: not wanted.
 * hdata_init(d, fn, state, mech, key), hdata_update(d, fn, state, in, out)
 * (state in place when it went well), hdata_final(d, fn, state, out),
 * hdata_once(d, fn, state, in, out), hdata_single(d, fn, mech, key, in, out),
 * and the verifying ones, which take a signature. */
CK_RV hdata_init(struct helper_ep11 *d, enum hsa_fn fn, struct hsa_buf *state,
    const struct hsa_mech *m, const struct hsa_buf *key);
CK_RV hdata_update(struct helper_ep11 *d, enum hsa_fn fn, struct hsa_buf *state,
    const void *in, size_t n, struct hsa_buf *out);
CK_RV hdata_final(struct helper_ep11 *d, enum hsa_fn fn,
    const struct hsa_buf *state, struct hsa_buf *out);
CK_RV hdata_once(struct helper_ep11 *d, enum hsa_fn fn,
    const struct hsa_buf *state, const void *in, size_t n, struct hsa_buf *out);
CK_RV hdata_single(struct helper_ep11 *d, enum hsa_fn fn,
    const struct hsa_mech *m, const struct hsa_buf *key, const void *in,
    size_t n, struct hsa_buf *out);
CK_RV hdata_verify_final(struct helper_ep11 *d, const struct hsa_buf *state,
    const void *sig, size_t sn);
CK_RV hdata_verify_once(struct helper_ep11 *d, const struct hsa_buf *state,
    const void *in, size_t n, const void *sig, size_t sn);
CK_RV hdata_verify_single(struct helper_ep11 *d, const struct hsa_mech *m,
    const struct hsa_buf *key, const void *in, size_t n, const void *sig,
    size_t sn);

/* Mechanisms: without a parameter; with bytes; with a MAC length. */
struct hsa_mech hdata_mech(uint64_t type);
struct hsa_mech hdata_mech_bytes(uint64_t type, const void *p, size_t n);

#endif
