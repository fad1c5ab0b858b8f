#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "slog_impl.h"

#define SEGMENT_BYTES ((size_t)64 * 1024 * 1024)
#define QUEUE_BYTES ((size_t)8 * 1024 * 1024) /* then callers wait for room */
#define SEALED_PREFIX 9                       /* field 1 of a record (E2) */

static hsa_rc
conds_init(struct slog *l)
{
	pthread_cond_t *conds[] = {
	    &l->work, &l->room, &l->done[0], &l->done[1], &l->moved};
	pthread_condattr_t attr;
	size_t n = 0;
	int e;

	if (pthread_condattr_init(&attr) != 0)
		return HSA_RC(E_NOMEM);
	e = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	while (e == 0 && n < sizeof(conds) / sizeof(conds[0])) {
		e = pthread_cond_init(conds[n], &attr);
		if (e == 0)
			n++;
	}
	if (e == 0)
		e = pthread_mutex_init(&l->mutex, NULL);
	while (e != 0 && n != 0)
		(void)pthread_cond_destroy(conds[--n]);
	(void)pthread_condattr_destroy(&attr);
	return e == 0 ? HSA_OK : HSA_RC(E_NOMEM);
}

/* Everything but mutex and conditions. */
static void
release(struct slog *l)
{
	if (l->fd >= 0)
		l->os->close(l->os->ctx, l->fd);
	if (l->head_fd >= 0)
		l->os->close(l->os->ctx, l->head_fd);
	if (l->dir >= 0)
		l->os->close(l->os->ctx, l->dir);
	slog_merkle_free(&l->tree);
	slog_batch_free(&l->queue);
	slog_batch_free(&l->batch);
	slog_segments_free(&l->segments);
	hsa_buf_free(&l->scratch);
	hsa_buf_free(&l->note);
}

static void
destroy(struct slog *l)
{
	(void)pthread_mutex_destroy(&l->mutex);
	(void)pthread_cond_destroy(&l->work);
	(void)pthread_cond_destroy(&l->room);
	(void)pthread_cond_destroy(&l->done[0]);
	(void)pthread_cond_destroy(&l->done[1]);
	(void)pthread_cond_destroy(&l->moved);
	release(l);
	free(l);
}

void
slog_unref(struct slog *l)
{
	bool last = --l->refs == 0;

	(void)pthread_mutex_unlock(&l->mutex);
	if (last)
		destroy(l);
}

/* A key that does not match would make a log that no start accepts again. */
static hsa_rc
check_key(struct slog *l, struct hsa_diag *diag)
{
	struct slog_note note = {0};
	struct hsa_buf b = {0};
	hsa_rc rc;

	rc = slog_note_seal(
	    &b, &l->key, l->tip.size, l->tip.root, l->sign, l->sign_ctx);
	if (!hsa_is_ok(rc)) {
		rc = hsa_fail(diag, rc,
		    "the checkpoint key of %s does not "
		    "sign: %s; check the unit's token",
		    l->key.origin, hsa_err_text(rc));
		goto out;
	}
	HSA_TRY(rc, slog_note_parse(&note, &l->key, b.p, b.len));
	rc = slog_note_verify(&note, &l->key);
	if (rc.v == HSA_E_SIGNATURE)
		rc = hsa_fail(diag, HSA_RC(E_KEY),
		    "the checkpoint key in the "
		    "token is not the public key that %s is configured with; "
		    "restore the token that belongs to this log",
		    l->key.origin);
out:
	hsa_buf_free(&b);
	return rc;
}

static hsa_rc
open_dir(struct slog *l, const char *path, struct hsa_diag *diag)
{
	int e = l->os->dir_open(l->os->ctx, &l->dir, path);

	if (e == -EWOULDBLOCK)
		return hsa_fail(diag, HSA_RC(E_BUSY),
		    "%s: another process "
		    "writes this log; stop it first",
		    path);
	if (e != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: cannot open the log "
		    "folder: %s; check that its parent exists and is writable",
		    path, strerror(-e));
	return HSA_OK;
}

/* Signals are for the program's own threads. */
static int
thread_start(struct slog *l)
{
	sigset_t all, before;
	int e;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&l->thread, NULL, slog_seal_main, l);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

hsa_rc
slog_open(
    struct slog **out, const struct slog_config *cfg, struct hsa_diag *diag)
{
	struct slog *l = calloc(1, sizeof(*l));
	hsa_rc rc;

	if (l == NULL)
		return HSA_RC(E_NOMEM);
	l->fd = l->head_fd = l->dir = -1;
	l->os = cfg->os != NULL ? cfg->os : slog_os_posix();
	l->sign = cfg->sign;
	l->sign_ctx = cfg->sign_ctx;
	l->segment_bytes =
	    cfg->segment_bytes != 0 ? cfg->segment_bytes : SEGMENT_BYTES;
	rc = slog_key_init(&l->key, cfg->origin, cfg->public_key);
	if (rc.v == HSA_E_ARG)
		hsa_diag_set(diag,
		    "a log's origin is 1 to %d characters "
		    "without blanks and plus signs",
		    SLOG_ORIGIN_MAX);
	if (!hsa_is_ok(rc))
		goto out;
	HSA_TRY(rc, slog_merkle_init(&l->tree));
	HSA_TRY(rc, open_dir(l, cfg->dir, diag));
	rc = slog_recover(l, diag);
	if (!hsa_is_ok(rc)) {
		hsa_diag_wrap(diag, "%s", cfg->dir);
		goto out;
	}
	HSA_TRY(rc, check_key(l, diag));
	l->queue_first = l->tip.size;
	memcpy(l->queue.last, l->tip.last, sizeof(l->queue.last));
	l->refs = 1;
	HSA_TRY(rc, conds_init(l));
	if (thread_start(l) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM),
		    "cannot start the sealing thread; raise the limit of "
		    "processes (ulimit -u)");
		destroy(l);
		return rc;
	}
	*out = l;
	return rc;
out:
	release(l);
	free(l);
	return rc;
}

void
slog_close(struct slog *l)
{
	if (l == NULL)
		return;
	(void)pthread_mutex_lock(&l->mutex);
	l->stopping = true;
	(void)pthread_cond_signal(&l->work);
	(void)pthread_cond_broadcast(&l->room);
	(void)pthread_mutex_unlock(&l->mutex);
	(void)pthread_join(l->thread, NULL);
	(void)pthread_mutex_lock(&l->mutex);
	while (l->busy != 0)
		(void)pthread_cond_wait(&l->room, &l->mutex);
	l->closed = true;
	slog_readers_wake(l);
	l->os->dir_unlock(l->os->ctx, l->dir);
	slog_unref(l);
}

static hsa_rc
span_add(struct slog_batch *b, size_t at, size_t n)
{
	size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
	struct slog_span *p;

	if (b->len == b->cap) {
		if (cap > SIZE_MAX / sizeof(*p))
			return HSA_RC(E_NOMEM);
		p = realloc(b->span, cap * sizeof(*p));
		if (p == NULL)
			return HSA_RC(E_NOMEM);
		b->span = p;
		b->cap = cap;
	}
	b->span[b->len++] = (struct slog_span){at, n};
	return HSA_OK;
}

/* The record with its sequence, as an entry at the end of the queue. */
static hsa_rc
queue_add(struct slog *l, enum hsa_source source, uint64_t source_sequence,
    const void *rec, size_t n)
{
	struct slog_batch *q = &l->queue;
	enum hsa_source its_source = 0;
	uint64_t sequence = 0, its_number = 0;
	size_t before = q->bytes.len;
	hsa_rc rc;

	l->scratch.len = 0;
	hsa_record_seal(&l->scratch, l->queue_first + q->len, rec, n);
	HSA_TRY(rc, hsa_buf_rc(&l->scratch));
	/* recovery will read it so: refuse now what it would refuse then */
	HSA_TRY(rc, hsa_record_peek(&sequence, &its_source, &its_number,
			l->scratch.p, l->scratch.len));
	if (its_source != source || its_number != source_sequence) {
		rc = HSA_RC(E_ARG);
		goto out;
	}
	hsa_entry_encode_record(&q->bytes, l->scratch.p, l->scratch.len);
	rc = hsa_buf_rc(&q->bytes);
	if (hsa_is_ok(rc)) /* the record is the entry's last field */
		rc = span_add(q, q->bytes.len - l->scratch.len, l->scratch.len);
	if (!hsa_is_ok(rc)) {
		q->bytes.len = before;
		q->bytes.failed = false;
	}
out:
	l->scratch.failed = false;
	return rc;
}

static hsa_rc
put_locked(struct slog *l, uint64_t *sequence, enum hsa_source source,
    uint64_t source_sequence, const void *rec, size_t n)
{
	hsa_rc rc;

	if ((int)source < 1 || (int)source > HSA_SOURCES)
		return HSA_RC(E_ARG);
	if (n > HSA_RECORD_MAX - SEALED_PREFIX)
		return HSA_RC(E_RANGE);
	while (l->queue.bytes.len >= QUEUE_BYTES && !l->failed && !l->stopping)
		(void)pthread_cond_wait(&l->room, &l->mutex);
	if (l->failed)
		return HSA_RC(E_IO);
	if (l->stopping)
		return HSA_RC(E_CLOSED);
	if (source_sequence <= l->queue.last[source])
		return HSA_RC(E_ARG);
	HSA_TRY(rc, queue_add(l, source, source_sequence, rec, n));
	l->queue.last[source] = source_sequence;
	*sequence = l->queue_first + l->queue.len - 1;
	if (l->queue.len == 1)
		(void)pthread_cond_signal(&l->work);
out:
	return rc;
}

static hsa_rc
wait_locked(struct slog *l, uint64_t sequence)
{
	while (l->tip.size <= sequence && !l->failed) {
		uint64_t no =
		    sequence >= l->queue_first ? l->queue_no : l->queue_no - 1;

		(void)pthread_cond_wait(&l->done[no & 1], &l->mutex);
	}
	return l->tip.size > sequence ? HSA_OK : HSA_RC(E_IO);
}

hsa_rc
slog_put(struct slog *l, uint64_t *sequence, enum hsa_source source,
    uint64_t source_sequence, const void *rec, size_t n)
{
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	rc = put_locked(l, sequence, source, source_sequence, rec, n);
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
}

hsa_rc
slog_wait(struct slog *l, uint64_t sequence)
{
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	rc = wait_locked(l, sequence);
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
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
	uint64_t at = 0;
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	l->busy++;
	HSA_TRY(rc, put_locked(l, &at, source, source_sequence, rec, n));
	HSA_TRY(rc, wait_locked(l, at));
	*sequence = at;
out:
	leave(l);
	return rc;
}

/*
 * A caller between put and wait holds a reference, as a reader does: closing
 * does not wait for it, and seals what it queued.
 */
static hsa_rc
sink_put(void *ctx, uint64_t *sequence, enum hsa_source source,
    uint64_t source_sequence, const void *rec, size_t n)
{
	struct slog *l = ctx;
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	l->busy++;
	rc = put_locked(l, sequence, source, source_sequence, rec, n);
	if (hsa_is_ok(rc))
		l->refs++;
	leave(l);
	return rc;
}

static hsa_rc
sink_wait(void *ctx, uint64_t sequence)
{
	struct slog *l = ctx;
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	rc = wait_locked(l, sequence);
	slog_unref(l);
	return rc;
}

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

static void
sink_head(void *ctx, uint64_t *size, uint8_t root[32])
{
	struct slog *l = ctx;

	(void)pthread_mutex_lock(&l->mutex);
	*size = l->tip.size;
	memcpy(root, l->tip.root, sizeof(l->tip.root));
	(void)pthread_mutex_unlock(&l->mutex);
}

struct cu_sink
slog_sink(struct slog *l)
{
	static const struct cu_sink_ops ops = {
	    .seal = sink_seal,
	    .put = sink_put,
	    .wait = sink_wait,
	    .last = sink_last,
	    .head = sink_head,
	};

	return (struct cu_sink){&ops, l};
}

void
slog_why(struct slog *l, struct hsa_diag *diag)
{
	(void)pthread_mutex_lock(&l->mutex);
	*diag = l->why;
	(void)pthread_mutex_unlock(&l->mutex);
}
