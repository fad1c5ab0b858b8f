/*
 * vfy_state.h - where the reader of a log stands between two entries, and the
 * rules V3 to V6, V10 and V11 of FORMAT.md that take it over the next one. Used
 * by the verifier on files, by the collector on what arrives, and by its store
 * on what it kept. A struct vfy_state is plain memory: an assignment is a
 * snapshot to return to.
 */
#ifndef VFY_STATE_H
#define VFY_STATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_codec.h"
#include "hsa_compact.h"
#include "hsa_err.h"
#include "vfy_merkle.h"
#include "vfy_note.h"

struct vfy_why { /* a finding: the rule of FORMAT.md, and what is wrong */
	char rule[8];
	char text[448];
};

/* The contexts that a compact record may name (V10): sequences, ascending, the
 * last HSA_CONTEXTS_MAX of `count`, number i at i % HSA_CONTEXTS_MAX. */
struct vfy_contexts {
	uint64_t count, last_named;
	uint64_t sequence[HSA_CONTEXTS_MAX];
};

struct vfy_state {
	struct vfy_tree tree; /* of all records so far */
	char origin[256];
	uint8_t unit_id[HSA_UUID_LEN];
	unsigned int number;       /* the how manieth log of the unit */
	struct vfy_signer *signer; /* not owned; NULL: of checkpoints all but
				      the signature is checked */
	uint64_t epoch;            /* of the last record; 0: none seen */
	uint64_t source_sequence[HSA_SOURCES + 1]; /* the last of each */
	uint64_t checkpoints, events, specials;
	uint64_t calls;    /* of the events: with `use` */
	uint64_t contexts; /* records of them; calls that name one are events */
	/* the segment at hand: its first record, and whether that is a
	 * SEGMENT_OPENED; stream: no headers come, each such record behind a
	 * checkpoint begins one */
	uint64_t segment;
	bool opened, stream;
	struct vfy_contexts known;
	bool sealed;          /* a checkpoint was seen */
	uint64_t sealed_size; /* its size */
	uint8_t sealed_root[HSA_SHA256_LEN];
};

/*
 * vfy_state_init(s, h, signer, origin) - before the first record. h and
 * signer stay the caller's. E_FORMAT when the origin is no unit's.
 */
HSA_MUST_USE hsa_rc vfy_state_init(struct vfy_state *s, struct hsa_sha256 *h,
    struct vfy_signer *signer, const char *origin);
/* vfy_state_start(s, e) - jump to a segment's header and trust it until the
 * next checkpoint proves it - all but the numbers of the sources, which only
 * the records before it prove. E_CORRUPT: it cannot be a header of this log. */
HSA_MUST_USE hsa_rc vfy_state_start(
    struct vfy_state *s, const struct hsa_entry *e, struct vfy_why *why);

/* All: E_CORRUPT with why set when a rule is broken; s is then of no use.
 * Other errors are not the log's. */
HSA_MUST_USE hsa_rc vfy_state_header(
    struct vfy_state *s, const struct hsa_entry *e, struct vfy_why *why);
HSA_MUST_USE hsa_rc vfy_state_record(
    struct vfy_state *s, const void *p, size_t n, struct vfy_why *why);
HSA_MUST_USE hsa_rc vfy_state_checkpoint(
    struct vfy_state *s, const void *p, size_t n, struct vfy_why *why);

/* vfy_state_numbers(last, origin, p, n, why) - of a record that is a NEW_CHAIN:
 * the numbers that the sources of its log go on behind (V11). */
HSA_MUST_USE hsa_rc vfy_state_numbers(uint64_t last[HSA_SOURCES + 1],
    const char *origin, const void *p, size_t n, struct vfy_why *why);

/* vfy_why_set(w, rule, fmt, ...) - fill in, return E_CORRUPT. */
hsa_rc vfy_why_set(struct vfy_why *w, const char *rule, const char *fmt, ...)
    HSA_PRINTF(3, 4);

#endif
