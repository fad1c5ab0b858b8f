/*
 * The writing thread: what the sealing thread made goes to the disk, and those
 * who wait for it are told (FORMAT.md 5).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "slog_impl.h"
#include "slog_keep.h"

static hsa_rc
io(struct hsa_diag *why, int err, const char *what, const char *name)
{
	return hsa_fail(
	    why, HSA_RC(E_IO), "cannot %s %s: %s", what, name, strerror(-err));
}

/* W2: header, file and folder are on the disk before the first record. */
static hsa_rc
segment_begin(struct slog *l, const struct slog_batch *b, bool *made,
    struct hsa_diag *why)
{
	char name[SLOG_NAME_LEN];
	int fd = -1, e;

	slog_segment_name(name, b->tip.segment);
	e = l->os->open(
	    l->os->ctx, &fd, l->dir, name, O_RDWR | O_CREAT | O_EXCL);
	if (e == 0) {
		*made = true;
		if (l->fd >= 0)
			l->os->close(l->os->ctx, l->fd);
		l->fd = fd;
		l->segment = b->tip.segment;
		l->end = b->header.len;
		e = slog_os_write(l->os, fd, b->header.p, b->header.len, 0);
	}
	if (e == 0)
		e = l->os->fsync(l->os->ctx, fd);
	if (e == 0)
		e = l->os->fsync(l->os->ctx, l->dir);
	return e == 0 ? HSA_OK : io(why, e, "begin", name);
}

/*
 * Nothing of this batch was acknowledged: take it back, so that the next start
 * does not find bytes in the page cache that the disk never got. The failure
 * stands whether this works or not.
 */
static void
take_back(struct slog *l, bool made)
{
	char name[SLOG_NAME_LEN];

	if (made) {
		slog_segment_name(name, l->segment);
		(void)l->os->unlink(l->os->ctx, l->dir, name);
		(void)l->os->fsync(l->os->ctx, l->dir);
	} else if (l->fd >= 0) {
		(void)l->os->ftruncate(l->os->ctx, l->fd, l->end);
		(void)l->os->fsync(l->os->ctx, l->fd);
	}
}

/* W1 for a batch. */
static hsa_rc
write_batch(struct slog *l, const struct slog_batch *b, struct hsa_diag *why)
{
	char name[SLOG_NAME_LEN];
	bool made = false;
	hsa_rc rc = HSA_OK;
	int e;

	if (b->new_segment)
		HSA_TRY(rc, segment_begin(l, b, &made, why));
	slog_segment_name(name, l->segment);
	e = slog_os_write(l->os, l->fd, b->bytes.p, b->bytes.len, l->end);
	if (e != 0) {
		rc = io(why, e, "write", name);
		goto out;
	}
	/* never twice: after an error the kernel may have dropped the pages
	 * and call the next sync a success */
	e = l->os->fdatasync(l->os->ctx, l->fd);
	if (e != 0) {
		rc = io(why, e, "sync", name);
		goto out;
	}
	HSA_TRY(rc, slog_keep_watch(l, why));
	l->end += b->bytes.len;
out:
	if (!hsa_is_ok(rc))
		take_back(l, made);
	return rc;
}

/* Under the mutex: b is durable. */
static hsa_rc
publish(struct slog *l, const struct slog_batch *b)
{
	hsa_rc rc = HSA_OK;
	size_t i;

	if (b->new_segment) {
		rc = slog_segments_add(&l->segments, b->tip.segment);
		l->closed_bytes += l->tip.end;
	}
	if (b->bytes.len != 0)
		l->tip = b->tip;
	slog_keep_count(l);
	for (i = 0; i < b->told_len; i++)
		*b->told[i].to = b->told[i].sequence;
	l->done = (struct slog_upto){b->tickets, b->ring};
	if (l->ring != NULL)
		slog_ring_release(
		    l->ring, b->ring, l->tip.last[HSA_SOURCE_USE]);
	l->writing = false;
	(void)pthread_cond_broadcast(&l->done_cond[b->no % SLOG_WAITS]);
	(void)pthread_cond_signal(&l->work);
	if (l->done.ring >= l->orphans)
		(void)pthread_cond_broadcast(&l->drained);
	slog_readers_wake(l);
	return rc;
}

static struct slog_batch *
next_batch(struct slog *l)
{
	struct slog_batch *b;

	while (l->handed == NULL && !l->sealer_gone && !l->failed)
		(void)pthread_cond_wait(&l->full, &l->mutex);
	b = l->failed ? NULL : l->handed;
	l->handed = NULL;
	(void)pthread_cond_signal(&l->work);
	return b;
}

bool
slog_write(struct slog *l, struct slog_batch *b)
{
	struct hsa_diag why = {{0}};
	hsa_rc rc;

	l->writing = l->at_disk = true;
	rc = slog_segments_reserve(&l->segments);
	(void)pthread_mutex_unlock(&l->mutex);
	if (hsa_is_ok(rc) && b->bytes.len != 0)
		rc = write_batch(l, b, &why);
	(void)pthread_mutex_lock(&l->mutex);
	if (hsa_is_ok(rc))
		rc = publish(l, b);
	if (!hsa_is_ok(rc) || b->bytes.len == 0)
		goto out;
	(void)pthread_mutex_unlock(&l->mutex);
	/* behind the acknowledgement: head may lag (FORMAT 4) */
	l->note.len = 0;
	hsa_buf_put(&l->note, b->note.p, b->note.len);
	rc = hsa_buf_rc(&l->note);
	if (hsa_is_ok(rc))
		rc = slog_head_write(l, &why);
	(void)pthread_mutex_lock(&l->mutex);
out:
	l->at_disk = false;
	if (!hsa_is_ok(rc))
		slog_fail(l, rc, &why);
	return hsa_is_ok(rc);
}

void *
slog_write_main(void *arg)
{
	struct slog *l = arg;
	struct slog_batch *b;

	(void)pthread_mutex_lock(&l->mutex);
	while ((b = next_batch(l)) != NULL && slog_write(l, b))
		;
	(void)pthread_mutex_unlock(&l->mutex);
	return NULL;
}
