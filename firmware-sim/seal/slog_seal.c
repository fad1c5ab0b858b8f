#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "slog_impl.h"

/* What one turn of the sealing thread works towards. */
struct turn {
	struct slog_tip tip;
	bool new_segment;
	struct hsa_diag why;
};

void
slog_batch_reset(struct slog_batch *b)
{
	hsa_buf_reset(&b->bytes);
	b->len = 0;
}

void
slog_batch_free(struct slog_batch *b)
{
	hsa_buf_free(&b->bytes);
	free(b->span);
	*b = (struct slog_batch){0};
}

static hsa_rc
io(struct hsa_diag *why, int err, const char *what, const char *name)
{
	return hsa_fail(
	    why, HSA_RC(E_IO), "cannot %s %s: %s", what, name, strerror(-err));
}

/* W2: header, file and folder are on the disk before the first record. */
static hsa_rc
segment_begin(struct slog *l, struct turn *t)
{
	char name[SLOG_NAME_LEN];
	struct hsa_buf b = {0};
	int fd = -1, e;
	hsa_rc rc;

	slog_segment_name(name, l->tree.size);
	HSA_TRY(rc, hsa_entry_encode_header(&b, l->key.origin, l->tree.size,
			(const uint8_t(*)[HSA_SHA256_LEN])l->tree.frontier,
			l->tree.len, t->tip.last));
	HSA_TRY(rc, hsa_buf_rc(&b));
	e = l->os->open(
	    l->os->ctx, &fd, l->dir, name, O_RDWR | O_CREAT | O_EXCL);
	if (e == 0) {
		t->new_segment = true;
		if (l->fd >= 0)
			l->os->close(l->os->ctx, l->fd);
		l->fd = fd;
		l->segment = l->tree.size;
		l->end = b.len;
		e = slog_os_write(l->os, fd, b.p, b.len, 0);
	}
	if (e == 0)
		e = l->os->fsync(l->os->ctx, fd);
	if (e == 0)
		e = l->os->fsync(l->os->ctx, l->dir);
	if (e != 0)
		rc = io(&t->why, e, "begin", name);
out:
	hsa_buf_free(&b);
	return rc;
}

/* Leaves, root, and the checkpoint behind the records of l->batch. */
static hsa_rc
seal(struct slog *l, struct turn *t)
{
	struct slog_batch *b = &l->batch;
	hsa_rc rc;

	for (size_t i = 0; i < b->len; i++)
		HSA_TRY(rc, slog_merkle_add(&l->tree,
				b->bytes.p + b->span[i].at, b->span[i].n));
	t->tip.size = l->tree.size;
	HSA_TRY(rc, slog_merkle_root(&l->tree, t->tip.root));
	l->note.len = 0;
	rc = slog_note_seal(
	    &l->note, &l->key, t->tip.size, t->tip.root, l->sign, l->sign_ctx);
	if (!hsa_is_ok(rc)) {
		rc = hsa_fail(&t->why, rc, "cannot sign a checkpoint: %s",
		    hsa_err_text(rc));
		goto out;
	}
	hsa_entry_encode_checkpoint(&b->bytes, l->note.p, l->note.len);
	rc = hsa_buf_rc(&b->bytes);
out:
	return rc;
}

/*
 * Nothing of this batch was acknowledged: take it back, so that the next start
 * does not find bytes in the page cache that the disk never got. The failure
 * stands whether this works or not.
 */
static void
take_back(struct slog *l, const struct turn *t)
{
	char name[SLOG_NAME_LEN];

	if (t->new_segment) {
		slog_segment_name(name, l->segment);
		(void)l->os->unlink(l->os->ctx, l->dir, name);
		(void)l->os->fsync(l->os->ctx, l->dir);
	} else if (l->fd >= 0) {
		(void)l->os->ftruncate(l->os->ctx, l->fd, l->end);
		(void)l->os->fsync(l->os->ctx, l->fd);
	}
}

/* W1 for the records of l->batch. */
static hsa_rc
write_batch(struct slog *l, struct turn *t)
{
	char name[SLOG_NAME_LEN];
	hsa_rc rc;
	int e;

	if (l->fd < 0 || l->end >= l->segment_bytes)
		HSA_TRY(rc, segment_begin(l, t));
	HSA_TRY(rc, seal(l, t));
	slog_segment_name(name, l->segment);
	e = slog_os_write(
	    l->os, l->fd, l->batch.bytes.p, l->batch.bytes.len, l->end);
	if (e != 0) {
		rc = io(&t->why, e, "write", name);
		goto out;
	}
	/* never twice: after an error the kernel may have dropped the pages
	 * and call the next sync a success */
	e = l->os->fdatasync(l->os->ctx, l->fd);
	if (e != 0) {
		rc = io(&t->why, e, "sync", name);
		goto out;
	}
	l->end += l->batch.bytes.len;
	t->tip.segment = l->segment;
	t->tip.end = l->end;
	memcpy(t->tip.last, l->batch.last, sizeof(t->tip.last));
out:
	if (!hsa_is_ok(rc))
		take_back(l, t);
	return rc;
}

static void
fail(struct slog *l, hsa_rc rc, const struct hsa_diag *why)
{
	l->failed = true;
	l->why = *why;
	if (l->why.text[0] == '\0')
		hsa_diag_set(&l->why, "%s", hsa_err_text(rc));
	hsa_diag_wrap(&l->why, "the sealed log is closed for good");
	(void)pthread_cond_broadcast(&l->done[0]);
	(void)pthread_cond_broadcast(&l->done[1]);
	(void)pthread_cond_broadcast(&l->room);
}

/* Everything queued becomes l->batch; false when there is nothing left to do.
 */
static bool
take_queue(struct slog *l)
{
	struct slog_batch swap;

	while (l->queue.len == 0 && !l->stopping)
		(void)pthread_cond_wait(&l->work, &l->mutex);
	if (l->queue.len == 0)
		return false;
	swap = l->batch;
	l->batch = l->queue;
	l->queue = swap;
	memcpy(l->queue.last, l->batch.last, sizeof(l->queue.last));
	l->queue_first += l->batch.len;
	l->queue_no++;
	(void)pthread_cond_broadcast(&l->room);
	return true;
}

void *
slog_seal_main(void *arg)
{
	struct slog *l = arg;
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	while (take_queue(l)) {
		struct turn t = {.tip = l->tip};
		uint64_t no = l->queue_no - 1;

		rc = slog_segments_reserve(&l->segments);
		(void)pthread_mutex_unlock(&l->mutex);
		if (hsa_is_ok(rc))
			rc = write_batch(l, &t);
		(void)pthread_mutex_lock(&l->mutex);
		if (!hsa_is_ok(rc)) {
			fail(l, rc, &t.why);
			break;
		}
		if (t.new_segment)
			rc = slog_segments_add(&l->segments, l->segment);
		l->tip = t.tip;
		(void)pthread_cond_broadcast(&l->done[no & 1]);
		slog_readers_wake(l);
		(void)pthread_mutex_unlock(&l->mutex);
		slog_batch_reset(&l->batch);
		/* behind the acknowledgement: head may lag (FORMAT 4) */
		if (hsa_is_ok(rc))
			rc = slog_head_write(l, &t.why);
		(void)pthread_mutex_lock(&l->mutex);
		if (!hsa_is_ok(rc)) {
			fail(l, rc, &t.why);
			break;
		}
	}
	(void)pthread_mutex_unlock(&l->mutex);
	return NULL;
}
