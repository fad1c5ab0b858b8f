#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slog_impl.h"
#include "slog_keep.h"

#define SEGMENT_BYTES ((size_t)64 * 1024 * 1024)

#define CONDS (5 + SLOG_WAITS)

static void
conds_of(struct slog *l, pthread_cond_t *to[CONDS])
{
	size_t i, n = 0;

	to[n++] = &l->work;
	to[n++] = &l->full;
	to[n++] = &l->room;
	to[n++] = &l->moved;
	to[n++] = &l->drained;
	for (i = 0; i < SLOG_WAITS; i++)
		to[n++] = &l->done_cond[i];
}

static hsa_rc
conds_init(struct slog *l)
{
	pthread_cond_t *conds[CONDS];
	pthread_condattr_t attr;
	size_t n = 0;
	int e;

	conds_of(l, conds);
	if (pthread_condattr_init(&attr) != 0)
		return HSA_RC(E_NOMEM);
	e = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	while (e == 0 && n < CONDS) {
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
	slog_queue_free(&l->queue);
	slog_queue_free(&l->taken);
	slog_batch_free(&l->batch[0]);
	slog_batch_free(&l->batch[1]);
	slog_segments_free(&l->segments);
	slog_mark_free(&l->mark);
	hsa_buf_free(&l->scratch);
	hsa_buf_free(&l->put_scratch);
	hsa_buf_free(&l->note);
}

static void
destroy(struct slog *l)
{
	pthread_cond_t *conds[CONDS];
	size_t i;

	conds_of(l, conds);
	(void)pthread_mutex_destroy(&l->mutex);
	for (i = 0; i < CONDS; i++)
		(void)pthread_cond_destroy(conds[i]);
	/* a ring that is empty leaves nothing behind */
	slog_ring_close(l->ring, !l->failed);
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
threads_start(struct slog *l)
{
	sigset_t all, before;
	int e;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&l->sealer, NULL, slog_seal_main, l);
	if (e == 0) {
		e = pthread_create(&l->writer, NULL, slog_write_main, l);
		if (e != 0) {
			(void)pthread_mutex_lock(&l->mutex);
			l->stopping = l->failed = true;
			(void)pthread_cond_signal(&l->work);
			(void)pthread_mutex_unlock(&l->mutex);
			(void)pthread_join(l->sealer, NULL);
		}
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

/* Calls of the process before are durable before there are new ones. */
static hsa_rc
drain_ring(struct slog *l)
{
	hsa_rc rc = HSA_OK;

	(void)pthread_mutex_lock(&l->mutex);
	while (l->done.ring < l->orphans && !l->failed)
		(void)pthread_cond_wait(&l->drained, &l->mutex);
	if (l->failed)
		rc = HSA_RC(E_IO);
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
}

/* The sealing thread knows what to do; its numbers are those to go on with. */
static hsa_rc
begin_chain(struct slog *l)
{
	hsa_rc rc = HSA_OK;

	if (l->chain == NULL)
		return rc;
	(void)pthread_mutex_lock(&l->mutex);
	while (l->tip.size == 0 && !l->failed)
		(void)pthread_cond_wait(&l->drained, &l->mutex);
	if (l->failed)
		rc = HSA_RC(E_IO);
	memcpy(l->queue_last, l->tip.last, sizeof(l->queue_last));
	l->chain = NULL;
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
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
	l->clock = cfg->clock;
	l->own = cfg->clock != NULL;
	memcpy(l->unit_id, cfg->unit_id, sizeof(l->unit_id));
	l->segment_bytes =
	    cfg->segment_bytes != 0 ? cfg->segment_bytes : SEGMENT_BYTES;
	l->cap_bytes = cfg->cap_bytes;
	if ((cfg->ring != NULL || cfg->ring_mark != NULL ||
		cfg->chain != NULL) &&
	    cfg->clock == NULL) {
		rc = HSA_RC(E_ARG); /* calls need contexts */
		goto out;
	}
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
	l->chain = cfg->chain;
	if (l->chain != NULL && l->tip.size != 0) {
		rc = hsa_fail(diag, HSA_RC(E_EXISTS),
		    "%s: there is a log already", cfg->dir);
		goto out;
	}
	HSA_TRY(rc, check_key(l, diag));
	rc = slog_keep_start(l);
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(diag, "%s: cannot look at its files", cfg->dir);
		goto out;
	}
	HSA_TRY(rc, slog_attach(l, cfg, diag));
	l->sealed = l->tip;
	memcpy(l->queue_last, l->tip.last, sizeof(l->queue_last));
	l->refs = 1;
	HSA_TRY(rc, conds_init(l));
	if (threads_start(l) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM),
		    "cannot start the sealing threads; raise the limit of "
		    "processes (ulimit -u)");
		destroy(l);
		return rc;
	}
	rc = begin_chain(l);
	if (hsa_is_ok(rc))
		rc = drain_ring(l);
	if (!hsa_is_ok(rc) && diag != NULL)
		*diag = l->why;
	if (!hsa_is_ok(rc))
		slog_close(l);
	else
		*out = l;
	return rc;
out:
	slog_ring_close(l->ring, false);
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
	if (l->ring != NULL)
		slog_ring_stop(l->ring);
	(void)pthread_cond_signal(&l->work);
	(void)pthread_cond_broadcast(&l->room);
	(void)pthread_mutex_unlock(&l->mutex);
	(void)pthread_join(l->sealer, NULL);
	(void)pthread_join(l->writer, NULL);
	(void)pthread_mutex_lock(&l->mutex);
	while (l->busy != 0)
		(void)pthread_cond_wait(&l->room, &l->mutex);
	slog_attach_end(l);
	l->closed = true;
	slog_readers_wake(l);
	l->os->dir_unlock(l->os->ctx, l->dir);
	slog_unref(l);
}

void
slog_why(struct slog *l, struct hsa_diag *diag)
{
	(void)pthread_mutex_lock(&l->mutex);
	*diag = l->why;
	(void)pthread_mutex_unlock(&l->mutex);
}

void
slog_ring_status(struct slog *l, struct slog_ring_status *st)
{
	memset(st, 0, sizeof(*st));
	st->lost = l->mark.lost;
	st->lost_epoch = l->mark.epoch;
	(void)snprintf(st->lost_why, sizeof(st->lost_why), "%s", l->mark.why);
	if (l->ring == NULL)
		return;
	st->found = l->ring_found == SLOG_RING_OLD;
	st->drained = l->ring_drained;
	st->slots = slog_ring_slots(l->ring);
	st->used = slog_ring_head(l->ring) - slog_ring_tail(l->ring);
	st->unrecorded = slog_ring_unrecorded(l->ring);
}

void
slog_ring_told(struct slog *l, uint64_t n)
{
	if (l->ring != NULL)
		slog_ring_unrecorded_told(l->ring, n);
}
