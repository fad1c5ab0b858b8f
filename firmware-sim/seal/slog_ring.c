/* Putting records into a ring, and taking them out. */
#include <string.h>
#include <time.h>

#include "slog_ring_impl.h"

#define NAP_NS 20000 /* of a producer that found the ring full */
#define NAPS_PER_MS (1000000 / NAP_NS)

/* ---- producers ----------------------------------------------------------- */

static void
nap(void)
{
	const struct timespec t = {.tv_nsec = NAP_NS};

	(void)nanosleep(&t, NULL);
}

/* Off the way that everybody takes. */
static hsa_rc
full(struct slog_ring *r, uint64_t *left)
{
	if (*left == 0) {
		(void)atomic_fetch_add(&r->h->unrecorded, 1);
		return HSA_RC(E_TIMEOUT);
	}
	nap();
	(*left)--;
	return HSA_OK;
}

static bool
moved(const struct slog_ring *r, uint64_t *tail)
{
	uint64_t before = *tail;

	*tail = slog_ring_tail(r);
	return *tail != before;
}

hsa_rc
slog_ring_reserve(
    struct slog_ring *r, struct slog_ring_place *p, size_t n, int wait_ms)
{
	uint64_t k = slog_ring_slots_of(n), naps = 0, head, tail;
	bool waited = false;
	hsa_rc rc = HSA_OK;

	if (n == 0 || n > SLOG_RING_RECORD_MAX)
		return HSA_RC(E_RANGE);
	/* tail first: a head that is older than it would look full. Acquire:
	 * what the sealer read there is read */
	tail = atomic_load_explicit(&r->h->tail, memory_order_acquire);
	head = atomic_load_explicit(&r->h->head, memory_order_relaxed);
	for (;;) {
		if (atomic_load_explicit(&r->stopped, memory_order_relaxed))
			return HSA_RC(E_CLOSED);
		if (head + k - tail <= r->mask + 1) {
			if (atomic_compare_exchange_weak_explicit(&r->h->head,
				&head, head + k, memory_order_relaxed,
				memory_order_relaxed))
				break;
			continue;
		}
		if (moved(r, &tail)) {
			head = atomic_load_explicit(
			    &r->h->head, memory_order_relaxed);
			continue;
		}
		if (!waited)
			naps =
			    (uint64_t)(wait_ms < 0 ? 0 : wait_ms) * NAPS_PER_MS;
		waited = true;
		HSA_TRY(rc, full(r, &naps));
	}
	p->at = head;
	p->n = (uint32_t)n;
out:
	return rc;
}

void *
slog_ring_room(struct slog_ring *r, const struct slog_ring_place *p, size_t i)
{
	return slog_ring_slot_at(r, p->at + i)->room;
}

void
slog_ring_fill(
    struct slog_ring *r, const struct slog_ring_place *p, const void *rec)
{
	const uint8_t *from = rec;
	size_t i, left = p->n, n;

	for (i = 0; left > 0; i++) {
		n = left < SLOG_RING_ROOM ? left : SLOG_RING_ROOM;
		memcpy(slog_ring_room(r, p, i), from, n);
		from += n;
		left -= n;
	}
}

/* The sealer's core has the next slot since the last lap: by the time of the
 * next call it is here again, to be written, and that call waits for nothing.
 */
#if defined(__x86_64__)
__attribute__((target("prfchw")))
#endif
static void
fetch(struct slog_ring *r, uint64_t at)
{
	struct slog_ring_slot *s = slog_ring_slot_at(r, at);

	__builtin_prefetch(s, 1);
	__builtin_prefetch(&s->n, 1);
}

void
slog_ring_publish(
    struct slog_ring *r, const struct slog_ring_place *p, uint8_t kind)
{
	struct slog_ring_slot *s = slog_ring_slot_at(r, p->at);

	s->n = p->n;
	s->kind = kind;
	atomic_store_explicit(&s->commit, p->at + 1, memory_order_release);
	fetch(r, p->at + slog_ring_slots_of(p->n));
}

void
slog_ring_stop(struct slog_ring *r)
{
	atomic_store(&r->stopped, true);
}

hsa_rc
slog_ring_context_put(
    struct slog_ring *r, uint32_t *handle, const void *p, size_t n)
{
	uint64_t tail = slog_ring_tail(r);
	struct slog_ring_context *c;
	uint32_t i;

	if (n == 0 || n > SLOG_RING_CONTEXT_MAX)
		return HSA_RC(E_RANGE);
	for (i = 0; i < SLOG_RING_CONTEXTS; i++)
		if (!r->used[i] && r->free_at[i] <= tail)
			break;
	if (i == SLOG_RING_CONTEXTS)
		return HSA_RC(E_BUSY);
	c = &r->context[i];
	atomic_store_explicit(&c->n, 0, memory_order_relaxed);
	memcpy(c->p, p, n);
	c->generation = ++r->generation;
	/* who publishes a record that refers to it publishes this too */
	atomic_store_explicit(&c->n, (uint32_t)n, memory_order_release);
	r->used[i] = true;
	*handle = i;
	return HSA_OK;
}

void
slog_ring_context_drop(struct slog_ring *r, uint32_t handle)
{
	if (handle >= SLOG_RING_CONTEXTS)
		return;
	r->used[handle] = false;
	r->free_at[handle] = slog_ring_head(r);
}

/* ---- the sealer ---------------------------------------------------------- */

uint64_t
slog_ring_tail(const struct slog_ring *r)
{
	return atomic_load_explicit(&r->h->tail, memory_order_acquire);
}

uint64_t
slog_ring_head(const struct slog_ring *r)
{
	return atomic_load_explicit(&r->h->head, memory_order_acquire);
}

void
slog_ring_release(struct slog_ring *r, uint64_t upto, uint64_t last)
{
	/* a kill in between: what is sealed is known, and skipped then */
	atomic_store_explicit(&r->h->sealed, last, memory_order_release);
	atomic_store_explicit(&r->h->tail, upto, memory_order_release);
}

uint64_t
slog_ring_sealed(const struct slog_ring *r)
{
	return atomic_load_explicit(&r->h->sealed, memory_order_acquire);
}

static const uint8_t *
whole(struct slog_ring *r, uint64_t at, size_t n)
{
	size_t i, done = 0;

	if (n <= SLOG_RING_ROOM)
		return slog_ring_slot_at(r, at)->room;
	for (i = 0; done < n; i++, done += SLOG_RING_ROOM)
		memcpy(r->whole + done, slog_ring_slot_at(r, at + i)->room,
		    SLOG_RING_ROOM);
	return r->whole;
}

/* Another record begins inside: the length is not the one it had. */
static bool
overlaps(const struct slog_ring *r, uint64_t at, uint64_t end)
{
	while (++at < end)
		if (atomic_load_explicit(&slog_ring_slot_at(r, at)->commit,
			memory_order_relaxed) == at + 1)
			return true;
	return false;
}

hsa_rc
slog_ring_next(struct slog_ring *r, struct slog_ring_item *it, uint64_t *cursor,
    bool orphans)
{
	uint64_t at = *cursor, head;
	const struct slog_ring_slot *s;

	/* not for each record: producers would have to fetch the line back */
	if (at >= r->seen)
		r->seen = slog_ring_head(r);
	head = r->seen;
	for (;; at++) {
		if (at >= head)
			break;
		s = slog_ring_slot_at(r, at);
		if (atomic_load_explicit(&s->commit, memory_order_acquire) ==
		    at + 1)
			break;
		if (!orphans)
			return HSA_RC(E_NOT_FOUND);
	}
	if (at >= head) {
		*cursor = at;
		return HSA_RC(E_NOT_FOUND);
	}
	if (s->n == 0 || s->n > SLOG_RING_RECORD_MAX || s->kind == 0 ||
	    slog_ring_slots_of(s->n) > head - at ||
	    overlaps(r, at, at + slog_ring_slots_of(s->n)))
		return HSA_RC(E_CORRUPT);
	it->at = at;
	it->end = at + slog_ring_slots_of(s->n);
	it->kind = s->kind;
	it->n = s->n;
	it->p = whole(r, at, s->n);
	*cursor = it->end;
	return HSA_OK;
}

hsa_rc
slog_ring_context(struct slog_ring *r, uint32_t handle, uint64_t *generation,
    const uint8_t **p, size_t *n)
{
	const struct slog_ring_context *c;
	uint32_t len;

	if (handle >= SLOG_RING_CONTEXTS)
		return HSA_RC(E_CORRUPT);
	c = &r->context[handle];
	len = atomic_load_explicit(&c->n, memory_order_acquire);
	if (len == 0 || len > SLOG_RING_CONTEXT_MAX || c->generation == 0)
		return HSA_RC(E_CORRUPT);
	*generation = c->generation;
	*p = c->p;
	*n = len;
	return HSA_OK;
}

uint32_t
slog_ring_slots(const struct slog_ring *r)
{
	return (uint32_t)(r->mask + 1);
}

const char *
slog_ring_path(const struct slog_ring *r)
{
	return r->path;
}

uint64_t
slog_ring_unrecorded(const struct slog_ring *r)
{
	return atomic_load(&r->h->unrecorded);
}

void
slog_ring_unrecorded_told(struct slog_ring *r, uint64_t n)
{
	(void)atomic_fetch_sub(&r->h->unrecorded, n);
}
