/* slog_ring_impl.h - what a ring's file looks like. Private to slog_ring*.c. */
#ifndef SLOG_RING_IMPL_H
#define SLOG_RING_IMPL_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "slog_ring.h"

#define SLOG_RING_PAGE 4096u

/* Numbers that different threads write lie on cache lines of their own. */
struct slog_ring_header {
	uint8_t magic[8];
	uint32_t slot, slots, contexts, context; /* sizes as compiled */
	uint8_t unit_id[HSA_UUID_LEN];
	uint64_t base;
	uint8_t pad0[80];
	_Atomic uint64_t head; /* producers */
	uint8_t pad1[120];
	_Atomic uint64_t tail; /* sealer */
	_Atomic uint64_t sealed;
	uint8_t pad2[112];
	_Atomic uint64_t unrecorded;
	uint8_t pad3[SLOG_RING_PAGE - 392];
};
_Static_assert(sizeof(struct slog_ring_header) == SLOG_RING_PAGE, "one page");

/* commit: position + 1 once the record that begins here is published; of other
 * slots, what an earlier lap left, which is never that. */
struct slog_ring_slot {
	_Atomic uint64_t commit;
	uint8_t room[SLOG_RING_ROOM];
	uint32_t n; /* first slot of a record: its bytes */
	uint8_t kind;
	uint8_t pad[3];
};
_Static_assert(
    sizeof(struct slog_ring_slot) == SLOG_RING_SLOT, "two cache lines");

struct slog_ring_context {
	_Atomic uint32_t n; /* bytes; 0: none. Set last */
	uint32_t pad;
	uint64_t generation;
	uint8_t p[SLOG_RING_CONTEXT_MAX];
};
_Static_assert(sizeof(struct slog_ring_context) == SLOG_RING_PAGE, "one page");

struct slog_ring {
	struct slog_ring_header *h;
	struct slog_ring_context *context;
	struct slog_ring_slot *slot;
	uint64_t mask;
	size_t bytes; /* of the mapping */
	int fd;
	char *path;
	atomic_bool stopped;
	/* places in use, and when those that were dropped are free again */
	bool used[SLOG_RING_CONTEXTS];
	uint64_t free_at[SLOG_RING_CONTEXTS];
	uint64_t generation;
	uint64_t seen;  /* head, as the sealer saw it last */
	uint8_t *whole; /* a record of several slots, put together */
};

static inline uint64_t
slog_ring_slots_of(size_t n)
{
	return (n + SLOG_RING_ROOM - 1) / SLOG_RING_ROOM;
}

static inline struct slog_ring_slot *
slog_ring_slot_at(const struct slog_ring *r, uint64_t at)
{
	return &r->slot[at & r->mask];
}

#endif
