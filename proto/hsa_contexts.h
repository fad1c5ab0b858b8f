/*
 * hsa_contexts.h - contexts on the reader's side: shows a compact record as
 * the record of one event, which the log could as well have held. FORMAT.md
 * section 1, "contexts". Whether a compact record may name its context at all
 * (V10) is the verifier's to say; here it only has to be known.
 */
#ifndef HSA_CONTEXTS_H
#define HSA_CONTEXTS_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_compact.h"
#include "hsa_err.h"
#include "hsa_event.h"

/* The last HSA_CONTEXTS_MAX contexts of a segment, in their order; a zeroed
 * struct is empty. For one reader that goes through a log. */
struct hsa_contexts {
	struct hsa_record *at; /* number i lies at i % HSA_CONTEXTS_MAX */
	uint64_t count;        /* seen in this segment */
};

/*
 * hsa_contexts_take(c, r) - r comes next in the log, decoded: a SEGMENT_OPENED
 * lets all contexts be forgotten, a context is remembered, a compact record
 * becomes the event that it stands for, everything else stays as it is.
 * E_NOT_FOUND: r names a context that is not known; r is unchanged then.
 */
HSA_MUST_USE hsa_rc hsa_contexts_take(
    struct hsa_contexts *c, struct hsa_record *r);
/*
 * hsa_contexts_skip(c, p, n) - the same for the bytes of a sealed record that
 * nobody wants to see: 0.1 us for a call. Errors of hsa_record_decode.
 */
HSA_MUST_USE hsa_rc hsa_contexts_skip(
    struct hsa_contexts *c, const void *p, size_t n);

/* The parts. find: the context with that sequence, or NULL; valid until the
 * next one is taken. expand: r is compact and names context. */
const struct hsa_record *hsa_contexts_find(
    const struct hsa_contexts *c, uint64_t sequence);
HSA_MUST_USE hsa_rc hsa_contexts_expand(
    struct hsa_record *r, const struct hsa_record *context);

/* hsa_contexts_forget(c) - keeps the memory of the table itself.
 * hsa_contexts_free(c) - repeatable. */
void hsa_contexts_forget(struct hsa_contexts *c);
void hsa_contexts_free(struct hsa_contexts *c);

#endif
