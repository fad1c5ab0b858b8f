/*
 * val_across_table.h - what is remembered of each target, in a fixed number of
 * places: when all are taken, the target that was not seen for longest is
 * forgotten. Found by a 128-bit hash of its kind and name, so that a place
 * costs the same whatever events call their targets.
 */
#ifndef VAL_ACROSS_TABLE_H
#define VAL_ACROSS_TABLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

#define VAL_TARGETS 65536 /* places; one takes 72 bytes and its detail */

enum val_target_kind {
	VAL_TARGET_UNIT = 1, /* a crypto unit, by target.id */
	VAL_TARGET_KEY,      /* a key, by target.id */
	VAL_TARGET_LOG       /* a sealed log, by its unit's id */
};

struct val_target {
	uint64_t key[2];
	uint32_t newer, older, chain; /* indices + 1; the table's own */
	/* of the event before; order is false where none is known */
	bool order, told;
	int64_t time; /* 10 ms ticks since 1970 */
	uint64_t id;  /* hash of its `id`, 0: none */
	uint64_t era; /* val_across_log.h; 0: of no log */
	void *detail; /* owned, from malloc; NULL: nothing known */
};

/* Zeroed: empty. */
struct val_table {
	struct val_target *target;
	uint32_t len, cap;
	uint32_t *bucket, buckets;
	uint32_t newest, oldest;
	uint32_t limit; /* places; 0: VAL_TARGETS. Tests set fewer */
	bool full;      /* something was forgotten */
};

/* val_hash(p, n, seed) - 64 bits that a mistake cannot make equal; somebody
 * who wants to could. */
uint64_t val_hash(const void *p, size_t n, uint64_t seed);

/*
 * val_table_get(t, kind, name, n) - the target's place, made when it has none;
 * valid until the next call. NULL: out of memory.
 */
struct val_target *val_table_get(
    struct val_table *t, enum val_target_kind kind, const void *name, size_t n);
/* val_table_free(t) - empty again, with its limit; repeatable. */
void val_table_free(struct val_table *t);

#endif
