#include "hist.h"

/* Values below HIST_STEPS have a bucket of their own each; above, the five bits
 * behind the highest choose it. */
static unsigned int
place(uint64_t v)
{
	unsigned int shift;

	if (v < HIST_STEPS)
		return (unsigned int)v;
	shift = 63u - (unsigned int)__builtin_clzll(v) - 5u;
	return (shift + 1) * HIST_STEPS +
	       ((unsigned int)(v >> shift) & (HIST_STEPS - 1));
}

/* The largest value of a bucket. */
static uint64_t
top(unsigned int i)
{
	unsigned int shift;

	if (i < HIST_STEPS)
		return i;
	shift = i / HIST_STEPS - 1;
	return ((uint64_t)(HIST_STEPS + i % HIST_STEPS + 1) << shift) - 1;
}

static uint64_t
plus(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

void
hist_add(struct hist *h, uint64_t v)
{
	if (h->n == 0 || v < h->least)
		h->least = v;
	if (v > h->most)
		h->most = v;
	h->sum = plus(h->sum, v);
	h->n++;
	h->bucket[place(v)]++;
}

uint64_t
hist_at(const struct hist *h, unsigned int per_mille)
{
	/* the number of those not above it, rounded up */
	uint64_t want =
	    h->n / 1000 * per_mille + (h->n % 1000 * per_mille + 999) / 1000;
	uint64_t seen = 0, v;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen < want || h->bucket[i] == 0)
			continue;
		v = top(i);
		v = v < h->least ? h->least : v;
		return v > h->most ? h->most : v;
	}
	return 0;
}

void
hist_merge(struct hist *to, const struct hist *from)
{
	if (from->n == 0)
		return;
	if (to->n == 0 || from->least < to->least)
		to->least = from->least;
	if (from->most > to->most)
		to->most = from->most;
	to->sum = plus(to->sum, from->sum);
	to->n += from->n;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}
