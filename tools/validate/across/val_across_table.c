#include <stdlib.h>
#include <string.h>

#include "val_across_table.h"

uint64_t
val_hash(const void *p, size_t n, uint64_t seed)
{
	const uint8_t *s = p;
	uint64_t h = seed ^ n * UINT64_C(0x9e3779b97f4a7c15), w;

	for (; n >= sizeof(w); n -= sizeof(w), s += sizeof(w)) {
		memcpy(&w, s, sizeof(w));
		h = (h ^ w) * UINT64_C(0xd6e8feb86659fd93);
		h ^= h >> 32;
	}
	w = 0;
	memcpy(&w, s, n);
	h = (h ^ w) * UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 32;
}

/* Of those, a power of two. */
static uint32_t *
bucket_of(const struct val_table *t, uint64_t key)
{
	return &t->bucket[key & (t->buckets - 1)];
}

/* Buckets double with the targets; 0 is no index. */
static bool
grow(struct val_table *t)
{
	uint32_t limit = t->limit == 0 ? VAL_TARGETS : t->limit;
	uint32_t cap = t->cap == 0 ? 64 : 2 * t->cap, i;
	uint32_t buckets = t->buckets == 0 ? 128 : 2 * t->buckets;
	struct val_target *target;
	uint32_t *bucket;

	if (cap > limit)
		cap = limit;
	target = realloc(t->target, cap * sizeof(*target));
	if (target == NULL)
		return false;
	t->target = target;
	t->cap = cap;
	bucket = calloc(buckets, sizeof(*bucket));
	if (bucket == NULL)
		return false;
	free(t->bucket);
	t->bucket = bucket;
	t->buckets = buckets;
	for (i = 0; i < t->len; i++) {
		struct val_target *x = &t->target[i];
		uint32_t *b = bucket_of(t, x->key[0]);

		x->chain = *b;
		*b = i + 1;
	}
	return true;
}

/* ---- by age -------------------------------------------------------------- */

static void
leave(struct val_table *t, uint32_t i)
{
	struct val_target *x = &t->target[i - 1];

	if (x->newer != 0)
		t->target[x->newer - 1].older = x->older;
	else
		t->newest = x->older;
	if (x->older != 0)
		t->target[x->older - 1].newer = x->newer;
	else
		t->oldest = x->newer;
}

static void
enter(struct val_table *t, uint32_t i)
{
	struct val_target *x = &t->target[i - 1];

	x->newer = 0;
	x->older = t->newest;
	if (t->newest != 0)
		t->target[t->newest - 1].newer = i;
	else
		t->oldest = i;
	t->newest = i;
}

/* The place of the oldest, out of all lists. */
static uint32_t
evict(struct val_table *t)
{
	uint32_t i = t->oldest, *at;
	struct val_target *x = &t->target[i - 1];

	t->full = true;
	leave(t, i);
	at = bucket_of(t, x->key[0]);
	while (*at != i)
		at = &t->target[*at - 1].chain;
	*at = x->chain;
	free(x->detail);
	return i;
}

struct val_target *
val_table_get(
    struct val_table *t, enum val_target_kind kind, const void *name, size_t n)
{
	uint64_t key[2] = {val_hash(name, n, (uint64_t)kind),
	    val_hash(name, n, UINT64_C(0x5851f42d4c957f2d) ^ (uint64_t)kind)};
	uint32_t limit = t->limit == 0 ? VAL_TARGETS : t->limit, i, *b;
	struct val_target *x;

	i = t->buckets == 0 ? 0 : *bucket_of(t, key[0]);
	for (; i != 0; i = t->target[i - 1].chain) {
		x = &t->target[i - 1];
		if (x->key[0] != key[0] || x->key[1] != key[1])
			continue;
		if (t->newest != i) {
			leave(t, i);
			enter(t, i);
		}
		return x;
	}
	if (t->len == limit)
		i = evict(t);
	else if (t->len < t->cap || grow(t))
		i = ++t->len;
	else
		return NULL;
	x = &t->target[i - 1];
	b = bucket_of(t, key[0]);
	*x = (struct val_target){.key = {key[0], key[1]}, .chain = *b};
	*b = i;
	enter(t, i);
	return x;
}

void
val_table_free(struct val_table *t)
{
	uint32_t limit = t->limit, i;

	for (i = 0; i < t->len; i++)
		free(t->target[i].detail);
	free(t->target);
	free(t->bucket);
	*t = (struct val_table){.limit = limit};
}
