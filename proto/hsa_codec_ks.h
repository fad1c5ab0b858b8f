/*
 * hsa_codec_ks.h - the keystore's messages of unit.proto to and from
 * hsa_ks.h. Private to hsa_codec*.c.
 */
#ifndef HSA_CODEC_KS_H
#define HSA_CODEC_KS_H
#include "hsa_codec_wire.h"
#include "hsa_err.h"
#include "hsa_ks.h"
#include "unit.pb-c.h"

/*
 * hsa_codec_ks_request_put(m, pool, q) - all but the caller; m is initialised
 * here. E_ARG for what the reader would refuse; a pool out of memory shows
 * when the message is packed.
 * hsa_codec_ks_request_get(q, m) - q zeroed, the caller's to free also on
 * failure. E_FORMAT, E_RANGE.
 */
HSA_MUST_USE hsa_rc hsa_codec_ks_request_put(Hsa__V1__KeystoreRequest *m,
    struct hsa_pool *pool, const struct hsa_ks_request *q);
HSA_MUST_USE hsa_rc hsa_codec_ks_request_get(
    struct hsa_ks_request *q, const Hsa__V1__KeystoreRequest *m);
HSA_MUST_USE hsa_rc hsa_codec_ks_reply_put(Hsa__V1__KeystoreReply *m,
    struct hsa_pool *pool, const struct hsa_ks_reply *r);
HSA_MUST_USE hsa_rc hsa_codec_ks_reply_get(
    struct hsa_ks_reply *r, const Hsa__V1__KeystoreReply *m);

#endif
