/*
 * The sealing thread: waits until something has to be sealed, gathers it,
 * makes the checkpoint, hands the batch over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "slog_impl.h"

/* Calls that nobody waits for are made durable this often: a power cut may
 * take what lies in the ring, and each commit costs the disk's time and a
 * signature in the token (0.16 ms with SoftHSM: of 10 ms it would be 1.6 %). */
#define COMMIT_NS UINT64_C(50000000)
/* Naps while the ring is empty grow from one to the other. At the longest it
 * fills by half at two million calls a second. */
#define IDLE_MIN_NS UINT64_C(1000000)
#define IDLE_MAX_NS UINT64_C(16000000)
/* Looked at again so soon, when somebody waits for what is behind a place that
 * is reserved and not published yet. */
#define HOLE_NS UINT64_C(20000)
/* With this much in the queue, or a quarter of the ring, a batch is made while
 * the one before is written; looked at so often. */
#define MUCH_BYTES ((size_t)256 * 1024)
#define PLACE_NS UINT64_C(1000000)

uint64_t
slog_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void
slog_batch_reset(struct slog_batch *b)
{
	b->new_segment = false;
	b->header.len = b->bytes.len = b->note.len = 0;
	b->told_len = 0;
}

void
slog_batch_free(struct slog_batch *b)
{
	hsa_buf_free(&b->header);
	hsa_buf_free(&b->bytes);
	hsa_buf_free(&b->note);
	free(b->told);
	*b = (struct slog_batch){0};
}

void
slog_queue_free(struct slog_queue *q)
{
	hsa_buf_free(&q->bytes);
	free(q->item);
	*q = (struct slog_queue){0};
}

void
slog_fail(struct slog *l, hsa_rc rc, const struct hsa_diag *why)
{
	size_t i;

	if (l->failed)
		return;
	l->failed = true;
	l->why = *why;
	if (l->why.text[0] == '\0')
		hsa_diag_set(&l->why, "%s", hsa_err_text(rc));
	hsa_diag_wrap(&l->why, "the sealed log is closed for good");
	if (l->ring != NULL)
		slog_ring_stop(l->ring);
	for (i = 0; i < SLOG_WAITS; i++)
		(void)pthread_cond_broadcast(&l->done_cond[i]);
	(void)pthread_cond_broadcast(&l->room);
	(void)pthread_cond_broadcast(&l->work);
	(void)pthread_cond_broadcast(&l->full);
	(void)pthread_cond_broadcast(&l->drained);
}

static void
nap(struct slog *l, uint64_t ns)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ns / 1000000000);
	t.tv_nsec += (long)(ns % 1000000000);
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	(void)pthread_cond_timedwait(&l->work, &l->mutex, &t);
}

/* How long calls in the ring may still lie there; 0: no longer. */
static uint64_t
patience(struct slog *l)
{
	uint64_t used = slog_ring_head(l->ring) - l->cursor, now;

	if (used == 0) {
		l->pending_ns = 0;
		l->idle_ns = l->idle_ns == 0 ? IDLE_MIN_NS : 2 * l->idle_ns;
		if (l->idle_ns > IDLE_MAX_NS)
			l->idle_ns = IDLE_MAX_NS;
		return l->idle_ns;
	}
	l->idle_ns = 0;
	if (used >= slog_ring_slots(l->ring) / 4)
		return 0;
	now = slog_now_ns();
	if (l->pending_ns == 0)
		l->pending_ns = now;
	return l->pending_ns + COMMIT_NS > now ? l->pending_ns + COMMIT_NS - now
					       : 0;
}

/* Until there is a batch to make; false: never again. */
static bool
wait_for_work(struct slog *l)
{
	uint64_t ns;

	while (!l->failed) {
		if (l->queue.len != 0 || l->gathered.ring < l->orphans ||
		    (l->chain != NULL && l->gathered_no == 0))
			return true;
		if (l->want > l->gathered.ring) {
			/* who reserved a place before is about to fill it */
			if (l->stuck)
				nap(l, HOLE_NS);
			return !l->failed;
		}
		/* a place that a dead thread reserved holds nobody up */
		if (l->stopping)
			return l->ring != NULL && !l->stuck &&
			       slog_ring_head(l->ring) > l->cursor;
		if (l->ring == NULL) {
			l->idle = true;
			(void)pthread_cond_wait(&l->work, &l->mutex);
			l->idle = false;
			continue;
		}
		ns = patience(l);
		if (ns == 0)
			return true;
		l->idle = true;
		nap(l, ns);
		l->idle = false;
	}
	return false;
}

static void
take_queue(struct slog *l)
{
	struct slog_queue swap = l->taken;

	l->taken = l->queue;
	l->queue = swap;
	l->queue.len = l->queue.bytes.len = 0;
	(void)pthread_cond_broadcast(&l->room);
}

/* Root and checkpoint over all that was gathered. */
static hsa_rc
seal(struct slog *l, struct slog_batch *b, struct hsa_diag *why)
{
	hsa_rc rc;

	l->sealed.size = l->tree.size;
	HSA_TRY(rc, slog_merkle_root(&l->tree, l->sealed.root));
	rc = slog_note_seal(&b->note, &l->key, l->sealed.size, l->sealed.root,
	    l->sign, l->sign_ctx);
	if (!hsa_is_ok(rc)) {
		rc = hsa_fail(
		    why, rc, "cannot sign a checkpoint: %s", hsa_err_text(rc));
		goto out;
	}
	hsa_entry_encode_checkpoint(&b->bytes, b->note.p, b->note.len);
	HSA_TRY(rc, hsa_buf_rc(&b->bytes));
	l->sealed.end += b->bytes.len;
	b->tip = l->sealed;
out:
	return rc;
}

static bool
much(struct slog *l)
{
	return l->queue.bytes.len >= MUCH_BYTES ||
	       (l->ring != NULL && slog_ring_head(l->ring) - l->cursor >=
				       slog_ring_slots(l->ring) / 4);
}

/*
 * The place between the threads is free, and the disk is, too, unless there is
 * so much that a batch will be large anyway. Who waits comes again when he is
 * answered: gathered while the disk writes for the others, callers would split
 * into two halves that take turns, and each commit would be for half of them.
 */
static bool
wait_for_place(struct slog *l)
{
	while (!l->failed && (l->handed != NULL || (l->writing && !much(l))))
		nap(l, PLACE_NS);
	return !l->failed;
}

/* Under the mutex, which it leaves meanwhile. */
static hsa_rc
make_batch(struct slog *l, struct slog_batch *b, struct hsa_diag *why)
{
	uint64_t before = l->cursor;
	hsa_rc rc;

	take_queue(l);
	b->no = l->gathered_no + 1;
	b->tickets = l->ticket;
	b->waiters = l->waiters;
	l->waiters = 0;
	/* now, while the queue has nothing: a record that is queued later has
	 * to stand before calls that come later still */
	b->ring = l->ring == NULL ? 0 : slog_ring_head(l->ring);
	l->pending_ns = 0;
	/* who comes now waits for the next one */
	l->former = l->gathered;
	l->gathered = (struct slog_upto){b->tickets, b->ring};
	l->gathered_no = b->no;
	(void)pthread_mutex_unlock(&l->mutex);
	rc = slog_gather(l, b, why);
	if (hsa_is_ok(rc) && b->bytes.len != 0)
		rc = seal(l, b, why);
	(void)pthread_mutex_lock(&l->mutex);
	/* not published up to there yet, or too much for one: woken with this
	 * batch, its callers find that they wait for the next */
	l->gathered.ring = b->ring;
	l->stuck = b->bytes.len == 0 && l->cursor == before;
	return rc;
}

void *
slog_seal_main(void *arg)
{
	struct slog *l = arg;
	struct hsa_diag why = {{0}};
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	while (wait_for_work(l) && wait_for_place(l)) {
		/* the writing thread has the other one at most */
		struct slog_batch *b = &l->batch[l->gathered_no & 1];

		rc = make_batch(l, b, &why);
		if (!hsa_is_ok(rc)) {
			slog_fail(l, rc, &why);
			break;
		}
		/* callers wait for it: a switch of threads would be part of
		 * what they wait */
		if (b->waiters != 0 && !l->at_disk && !much(l)) {
			if (!slog_write(l, b))
				break;
			continue;
		}
		l->handed = b;
		(void)pthread_cond_signal(&l->full);
	}
	l->sealer_gone = true;
	(void)pthread_cond_signal(&l->full);
	(void)pthread_mutex_unlock(&l->mutex);
	return NULL;
}
