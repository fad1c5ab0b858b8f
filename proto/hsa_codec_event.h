/*
 * hsa_codec_event.h - events, special bodies and their parts between the C
 * structs and the generated ones. Private to hsa_codec*.c.
 *
 * *_put fill a zeroed message whose strings point into the source or into the
 * pool; *_get fill a zeroed struct, which the caller frees also on failure.
 */
#ifndef HSA_CODEC_EVENT_H
#define HSA_CODEC_EVENT_H
#include "audit.pb-c.h"
#include "hsa_codec_wire.h"
#include "hsa_event.h"

HSA_MUST_USE hsa_rc hsa_codec_event_put(
    Hsa__V1__Event *m, struct hsa_pool *pool, const struct hsa_event *ev);
HSA_MUST_USE hsa_rc hsa_codec_event_get(
    struct hsa_event *ev, struct hsa_pool *pool, const Hsa__V1__Event *m);
HSA_MUST_USE hsa_rc hsa_codec_special_put(
    Hsa__V1__Special *m, struct hsa_pool *pool, const struct hsa_special *sp);
HSA_MUST_USE hsa_rc hsa_codec_special_get(
    struct hsa_special *sp, struct hsa_pool *pool, const Hsa__V1__Special *m);

void hsa_codec_use_put(Hsa__V1__Use *m, const struct hsa_use *u);
HSA_MUST_USE hsa_rc hsa_codec_use_get(struct hsa_use *u, const Hsa__V1__Use *m);
HSA_MUST_USE hsa_rc hsa_codec_context_put(
    Hsa__V1__Context *m, struct hsa_pool *pool, const struct hsa_record *r);
HSA_MUST_USE hsa_rc hsa_codec_context_get(
    struct hsa_record *r, struct hsa_pool *pool, const Hsa__V1__Context *m);
void hsa_codec_compact_put(Hsa__V1__Compact *m, const struct hsa_compact *c);
HSA_MUST_USE hsa_rc hsa_codec_compact_get(
    struct hsa_compact *c, const Hsa__V1__Compact *m);
/* FORMAT E6. source_fits: whether a record of this source may have that body,
 * and a use beside it. body_fits: also which other fields the body excludes. */
bool hsa_codec_source_fits(
    enum hsa_source source, enum hsa_body body, bool use);
bool hsa_codec_body_fits(const struct hsa_record *r);

HSA_MUST_USE Hsa__V1__Initiator *hsa_codec_initiator_put(
    struct hsa_pool *pool, const struct hsa_initiator *i); /* NULL: no memory */
HSA_MUST_USE hsa_rc hsa_codec_initiator_get(
    struct hsa_initiator *i, const Hsa__V1__Initiator *m);

/* level: 1 for requestData itself. E_RANGE above HSA_DATA_DEPTH, E_FORMAT for
 * names that are empty, hold a dot, or are there twice (FORMAT E6). */
HSA_MUST_USE hsa_rc hsa_codec_data_put(Hsa__V1__Data *m, struct hsa_pool *pool,
    const struct hsa_data *d, unsigned int level);
HSA_MUST_USE hsa_rc hsa_codec_data_get(struct hsa_data *d,
    struct hsa_pool *pool, const Hsa__V1__Data *m, unsigned int level);

#endif
