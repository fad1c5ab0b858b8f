/*
 * hsa_compact.h - contexts and compact records on the writer's side: a compact
 * record from a small struct, without an allocation (20 to 30 ns), and a
 * context registered once and sealed as often as segments need it.
 * FORMAT.md section 1, "contexts". Readers: hsa_contexts.h.
 */
#ifndef HSA_COMPACT_H
#define HSA_COMPACT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_event.h"

struct hsa_buf;

/* The longest compact record; a usual one has 112 to 118 bytes. */
#define HSA_COMPACT_MAX 208u
/* A compact record names one of so many contexts before it, at most. */
#define HSA_CONTEXTS_MAX 1024u
/* Bytes of a context's record, sequence and all, at most. */
#define HSA_CONTEXT_MAX 4096u

/* One call. What has_* denies is not looked at, use.session never: that is
 * the context's. */
struct hsa_compact_record {
	uint64_t sequence, source_sequence;
	uint64_t wall_ns, mono_ns;
	uint32_t ep11_rc, ep11_reason;
	bool has_command_id, has_use;
	uint8_t command_id[HSA_UUID_LEN];
	struct hsa_use use; /* function not 0 */
	struct hsa_compact compact;
};

/*
 * hsa_compact_put(to, c) - the sealed record, its sequence in front, byte for
 * byte what hsa_record_encode and hsa_record_seal make; its length.
 */
size_t hsa_compact_put(
    uint8_t to[HSA_COMPACT_MAX], const struct hsa_compact_record *c);

/* Where and when the log's writer seals a context. */
struct hsa_context_place {
	uint64_t sequence, source_sequence; /* of HSA_SOURCE_SEALER */
	uint64_t wall_ns, mono_ns;
};
/*
 * hsa_context_seal(b, at, rec, n) - append the sealed record of a context. rec:
 * bytes of hsa_record_encode with both times and source_sequence 0. E_FORMAT:
 * it does not begin as a context's record does; E_RANGE: it would have more
 * than HSA_CONTEXT_MAX bytes.
 */
HSA_MUST_USE hsa_rc hsa_context_seal(struct hsa_buf *b,
    const struct hsa_context_place *at, const void *rec, size_t n);

/*
 * hsa_compact_event_id(id, base, source_sequence) - the event id of a call:
 * base, the id in its context, with the low 62 bits of source_sequence XORed
 * into the last eight bytes, big-endian. Version and variant stay.
 */
void hsa_compact_event_id(uint8_t id[HSA_UUID_LEN],
    const uint8_t base[HSA_UUID_LEN], uint64_t source_sequence);

#endif
