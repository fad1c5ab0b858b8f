/* The log as a unit's sink: what callers of any thread do. */
#include <stdlib.h>
#include <string.h>

#include "slog_impl.h"

#define QUEUE_BYTES ((size_t)8 * 1024 * 1024) /* then callers wait for room */
#define SEALED_PREFIX 9                       /* field 1 of a record (E2) */
#define NUMBER_MAX 11                         /* field 8 */

/* ---- records ------------------------------------------------------------- */

static hsa_rc
item_add(struct slog_queue *q, const struct slog_queued *item)
{
	size_t cap = q->cap == 0 ? 64 : 2 * q->cap;
	struct slog_queued *p;

	if (q->len == q->cap) {
		if (cap > SIZE_MAX / sizeof(*p))
			return HSA_RC(E_NOMEM);
		p = realloc(q->item, cap * sizeof(*p));
		if (p == NULL)
			return HSA_RC(E_NOMEM);
		q->item = p;
		q->cap = cap;
	}
	q->item[q->len++] = *item;
	return HSA_OK;
}

/* Recovery will read it so: refuse now what it would refuse then. */
static hsa_rc
check(struct slog *l, enum hsa_source source, uint64_t number, const void *rec,
    size_t n)
{
	enum hsa_source its_source = 0;
	uint64_t sequence = 0, its_number = 0;
	hsa_rc rc;

	hsa_buf_reset(&l->put_scratch);
	hsa_record_seal(&l->put_scratch, 0, rec, n);
	HSA_TRY(rc, hsa_buf_rc(&l->put_scratch));
	HSA_TRY(rc, hsa_record_peek(&sequence, &its_source, &its_number,
			l->put_scratch.p, l->put_scratch.len));
	if (its_source != source || its_number != number)
		rc = HSA_RC(E_ARG);
out:
	return rc;
}

static hsa_rc
wait_for_room(struct slog *l)
{
	while (l->queue.bytes.len >= QUEUE_BYTES && !l->failed && !l->stopping)
		(void)pthread_cond_wait(&l->room, &l->mutex);
	if (l->failed)
		return HSA_RC(E_IO);
	return l->stopping ? HSA_RC(E_CLOSED) : HSA_OK;
}

static hsa_rc
enqueue(
    struct slog *l, uint64_t *ticket, struct slog_queued *item, const void *rec)
{
	struct slog_queue *q = &l->queue;
	hsa_rc rc;

	item->at = q->bytes.len;
	item->ring = l->ring == NULL ? 0 : slog_ring_head(l->ring);
	hsa_buf_put(&q->bytes, rec, item->n);
	rc = hsa_buf_rc(&q->bytes);
	if (hsa_is_ok(rc))
		rc = item_add(q, item);
	if (!hsa_is_ok(rc)) {
		q->bytes.len = item->at;
		q->bytes.failed = false;
		goto out;
	}
	l->queue_last[item->source] = item->number;
	*ticket = ++l->ticket;
	if (l->idle)
		(void)pthread_cond_signal(&l->work);
out:
	return rc;
}

hsa_rc
slog_put(struct slog *l, uint64_t *ticket, uint64_t *told,
    enum hsa_source source, uint64_t number, const void *rec, size_t n)
{
	struct slog_queued item = {
	    .n = n, .source = source, .number = number, .told = told};
	hsa_rc rc;

	if (source != HSA_SOURCE_OUTBOX && source != HSA_SOURCE_USE)
		return HSA_RC(E_ARG);
	if (n > HSA_RECORD_MAX - SEALED_PREFIX)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, wait_for_room(l));
	/* calls have their numbers from the ring, where there is one */
	if (number <= l->queue_last[source] ||
	    (source == HSA_SOURCE_USE && l->ring != NULL))
		return HSA_RC(E_ARG);
	HSA_TRY(rc, check(l, source, number, rec, n));
	HSA_TRY(rc, enqueue(l, ticket, &item, rec));
out:
	return rc;
}

/* The same for one that gets its number here. */
static hsa_rc
put_next(struct slog *l, uint64_t *ticket, uint64_t *told, uint64_t *number,
    const void *rec, size_t n)
{
	struct slog_queued item = {.source = HSA_SOURCE_OUTBOX, .told = told};
	struct hsa_look look = {0};
	hsa_rc rc;

	HSA_TRY(rc, wait_for_room(l));
	item.number = l->queue_last[item.source] + 1;
	hsa_buf_reset(&l->put_scratch);
	HSA_TRY(rc,
	    hsa_record_seal_numbered(&l->put_scratch, 0, item.number, rec, n));
	HSA_TRY(
	    rc, hsa_record_look(&look, l->put_scratch.p, l->put_scratch.len));
	if (look.source != item.source)
		return HSA_RC(E_ARG);
	item.n = l->put_scratch.len - SEALED_PREFIX;
	HSA_TRY(
	    rc, enqueue(l, ticket, &item, l->put_scratch.p + SEALED_PREFIX));
	*number = item.number;
out:
	return rc;
}

/*
 * Which batch has what a caller waits for: one of the two that are on their
 * way, or the next one. Woken too early, it looks again.
 */
static pthread_cond_t *
batch_of(struct slog *l, bool in_former, bool in_gathered)
{
	uint64_t no = l->gathered_no + 1;

	if (in_former)
		no = l->gathered_no - 1;
	else if (in_gathered)
		no = l->gathered_no;
	return &l->done_cond[no % SLOG_WAITS];
}

/* One more waits for what is not gathered yet. The sealing thread is not
 * bothered while it knows that there is work. */
static void
come(struct slog *l)
{
	l->waiters++;
	if (l->idle)
		(void)pthread_cond_signal(&l->work);
}

hsa_rc
slog_wait(struct slog *l, uint64_t ticket)
{
	if (ticket > l->gathered.tickets)
		come(l);
	while (l->done.tickets < ticket && !l->failed)
		(void)pthread_cond_wait(batch_of(l, ticket <= l->former.tickets,
					    ticket <= l->gathered.tickets),
		    &l->mutex);
	return l->done.tickets >= ticket ? HSA_OK : HSA_RC(E_IO);
}

/* slog_close waits for us. */
static void
leave(struct slog *l)
{
	if (--l->busy == 0 && l->stopping)
		(void)pthread_cond_broadcast(&l->room);
	(void)pthread_mutex_unlock(&l->mutex);
}

static hsa_rc
sink_seal(void *ctx, uint64_t *sequence, enum hsa_source source,
    uint64_t source_sequence, const void *rec, size_t n)
{
	struct slog *l = ctx;
	uint64_t ticket = 0, at = 0;
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	l->busy++;
	HSA_TRY(rc, slog_put(l, &ticket, &at, source, source_sequence, rec, n));
	/* after a failure no thread writes to at any more: it looks at failed
	 * first, under the mutex */
	HSA_TRY(rc, slog_wait(l, ticket));
	*sequence = at;
out:
	leave(l);
	return rc;
}

/* ---- calls --------------------------------------------------------------- */

static hsa_rc
sink_context(void *ctx, uint32_t *handle, const void *rec, size_t n)
{
	struct slog *l = ctx;

	return l->ring == NULL ? HSA_RC(E_UNSUPPORTED)
			       : slog_ring_context_put(l->ring, handle, rec, n);
}

static void
sink_context_drop(void *ctx, uint32_t handle)
{
	struct slog *l = ctx;

	slog_ring_context_drop(l->ring, handle);
}

static hsa_rc
wait_for_ring(struct slog *l, uint64_t at)
{
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	if (l->want <= at)
		l->want = at + 1;
	if (at >= l->gathered.ring)
		come(l);
	while (l->done.ring <= at && !l->failed)
		(void)pthread_cond_wait(
		    batch_of(l, at < l->former.ring, at < l->gathered.ring),
		    &l->mutex);
	rc = l->done.ring > at ? HSA_OK : HSA_RC(E_IO);
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
}

static hsa_rc
closed_why(struct slog *l, hsa_rc rc)
{
	if (rc.v != HSA_E_CLOSED)
		return rc;
	(void)pthread_mutex_lock(&l->mutex);
	if (l->failed)
		rc = HSA_RC(E_IO);
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
}

static hsa_rc
sink_call(void *ctx, const struct cu_sink_call *call, bool durable, int wait_ms)
{
	struct slog *l = ctx;
	struct slog_ring_place p;
	bool whole = (call->flags & CU_SINK_COMMAND) != 0;
	hsa_rc rc;

	if (l->ring == NULL)
		return HSA_RC(E_UNSUPPORTED);
	rc = slog_ring_reserve(
	    l->ring, &p, whole ? sizeof(*call) : SLOG_CALL_SHORT, wait_ms);
	if (!hsa_is_ok(rc))
		return closed_why(l, rc);
	if (whole)
		slog_ring_fill(l->ring, &p, call);
	else
		memcpy(slog_ring_room(l->ring, &p, 0), call, SLOG_CALL_SHORT);
	slog_ring_publish(l->ring, &p, SLOG_RING_CALL);
	if (!durable)
		return HSA_OK;
	rc = wait_for_ring(l, p.at);
	return rc.v == HSA_E_IO ? HSA_RC(E_STOPPED) : rc;
}

/* ---- an emitter's records -------------------------------------------------
 */

hsa_rc
slog_emit(struct slog *l, uint64_t *sequence, uint64_t *number, const void *rec,
    size_t n)
{
	uint64_t ticket = 0, at = 0, its = 0;
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	l->busy++;
	HSA_TRY(rc, put_next(l, &ticket, &at, &its, rec, n));
	HSA_TRY(rc, slog_wait(l, ticket));
	*sequence = at;
	*number = its;
out:
	leave(l);
	return rc;
}

hsa_rc
slog_leave(
    struct slog *l, uint64_t *number, const void *rec, size_t n, int wait_ms)
{
	struct slog_ring_place p;
	hsa_rc rc;

	if (l->ring == NULL)
		return HSA_RC(E_UNSUPPORTED);
	/* its number takes room in the record, too */
	if (n > HSA_RECORD_MAX - SEALED_PREFIX - NUMBER_MAX)
		return HSA_RC(E_RANGE);
	rc = slog_ring_reserve(l->ring, &p, n, wait_ms);
	if (!hsa_is_ok(rc))
		return closed_why(l, rc);
	slog_ring_fill(l->ring, &p, rec);
	slog_ring_publish(l->ring, &p, SLOG_RING_WHOLE);
	*number = p.at + 1;
	return HSA_OK;
}

hsa_rc
slog_flush(struct slog *l)
{
	uint64_t ring = l->ring == NULL ? 0 : slog_ring_head(l->ring);
	hsa_rc rc = HSA_OK;

	if (ring != 0)
		HSA_TRY(rc, wait_for_ring(l, ring - 1));
	(void)pthread_mutex_lock(&l->mutex);
	rc = slog_wait(l, l->ticket);
	(void)pthread_mutex_unlock(&l->mutex);
out:
	return rc;
}

/* ---- what the log has ---------------------------------------------------- */

static uint64_t
sink_last(void *ctx, enum hsa_source source)
{
	struct slog *l = ctx;
	uint64_t last = 0;

	if ((int)source < 1 || (int)source > HSA_SOURCES)
		return 0;
	(void)pthread_mutex_lock(&l->mutex);
	last = l->tip.last[source];
	(void)pthread_mutex_unlock(&l->mutex);
	return last;
}

static bool
sink_full(void *ctx)
{
	struct slog *l = ctx;

	return atomic_load(&l->at_cap);
}

static void
sink_why(void *ctx, struct hsa_diag *diag)
{
	slog_why(ctx, diag);
}

static void
sink_head(void *ctx, uint64_t *size, uint8_t root[32])
{
	struct slog *l = ctx;

	(void)pthread_mutex_lock(&l->mutex);
	*size = l->tip.size;
	memcpy(root, l->tip.root, sizeof(l->tip.root));
	(void)pthread_mutex_unlock(&l->mutex);
}

static void
sink_ring(void *ctx, struct cu_sink_ring *st)
{
	struct slog_ring_status s = {0};

	slog_ring_status(ctx, &s);
	*st = (struct cu_sink_ring){.slots = s.slots,
	    .used = s.used,
	    .unrecorded = s.unrecorded,
	    .lost = s.lost,
	    .lost_epoch = s.lost_epoch};
	memcpy(st->lost_why, s.lost_why, sizeof(st->lost_why));
	_Static_assert(
	    sizeof(st->lost_why) == sizeof(s.lost_why), "the same text");
}

static hsa_rc
sink_flush(void *ctx)
{
	return slog_flush(ctx);
}

struct cu_sink
slog_sink(struct slog *l)
{
	static const struct cu_sink_ops ops = {
	    .seal = sink_seal,
	    .context = sink_context,
	    .context_drop = sink_context_drop,
	    .call = sink_call,
	    .ring = sink_ring,
	    .flush = sink_flush,
	    .last = sink_last,
	    .head = sink_head,
	    .full = sink_full,
	    .why = sink_why,
	};

	return (struct cu_sink){&ops, l};
}
