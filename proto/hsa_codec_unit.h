/*
 * hsa_codec_unit.h - what the files of a unit's socket share. Private to
 * hsa_codec*.c.
 */
#ifndef HSA_CODEC_UNIT_H
#define HSA_CODEC_UNIT_H
#include "hsa_codec_wire.h"
#include "hsa_unit.h"
#include "unit.pb-c.h"

/* E_ARG, E_FORMAT: a value of denied that is none, no caller. get: the caller
 * is freed by who asks, also on failure. */
HSA_MUST_USE hsa_rc hsa_codec_caller_put(
    Hsa__V1__Caller *m, struct hsa_pool *pool, const struct hsa_caller *c);
HSA_MUST_USE hsa_rc hsa_codec_caller_get(
    struct hsa_caller *c, const Hsa__V1__Caller *m);

HSA_MUST_USE hsa_rc hsa_codec_status_put(Hsa__V1__StatusReply *m,
    struct hsa_pool *pool, const struct hsa_unit_status *s);
HSA_MUST_USE hsa_rc hsa_codec_status_get(
    struct hsa_unit_status *s, const Hsa__V1__StatusReply *m);

/* f: the ep11 member of UnitRequest or UnitReply; the call is freed by who
 * asks, also on failure. */
HSA_MUST_USE hsa_rc hsa_codec_ep11_request_get(struct hsa_caller *caller,
    struct hsa_call *c, const struct hsa_wire_field *f);
HSA_MUST_USE hsa_rc hsa_codec_ep11_reply_get(
    struct hsa_call *c, const struct hsa_wire_field *f);

#endif
