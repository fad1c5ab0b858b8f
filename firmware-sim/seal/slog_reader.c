#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "slog_impl.h"

struct slog_reader {
	struct slog *l;           /* one of its refs is ours */
	struct slog_reader *next; /* in l->readers, under its mutex */
	atomic_bool stopped;
	int event;        /* eventfd, written when the tip moves */
	int fd;           /* of the segment; -1: none yet */
	uint64_t segment; /* its first sequence */
	uint64_t from;    /* records before it are passed over */
	uint64_t at;      /* sequence of the next record in the file */
	struct slog_scan scan;
	struct hsa_entry entry;
};

static void
ring(const struct slog_reader *r)
{
	const uint64_t one = 1;
	ssize_t put;

	do
		put = write(r->event, &one, sizeof(one));
	while (put < 0 && errno == EINTR);
	/* EAGAIN: the counter is full, so it is readable as it should be */
}

void
slog_readers_wake(struct slog *l)
{
	for (const struct slog_reader *r = l->readers; r != NULL; r = r->next)
		ring(r);
	(void)pthread_cond_broadcast(&l->moved);
}

hsa_rc
slog_reader_open(struct slog_reader **out, struct slog *l, uint64_t from)
{
	struct slog_reader *r = calloc(1, sizeof(*r));
	hsa_rc rc;

	if (r == NULL)
		return HSA_RC(E_NOMEM);
	r->l = l;
	r->fd = -1;
	r->from = from;
	atomic_init(&r->stopped, false);
	r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->event < 0) {
		rc = HSA_RC(E_IO);
		goto out;
	}
	HSA_TRY(rc, slog_scan_init(&r->scan, l->os, -1, 0, 0));
	(void)pthread_mutex_lock(&l->mutex);
	rc = from <= l->tip.size ? HSA_OK : HSA_RC(E_RANGE);
	if (from < l->released ||
	    (l->segments.len != 0 && from < l->segments.first[0]))
		rc = HSA_RC(E_NOT_FOUND);
	if (hsa_is_ok(rc)) {
		l->refs++;
		r->next = l->readers;
		l->readers = r;
	}
	(void)pthread_mutex_unlock(&l->mutex);
	if (hsa_is_ok(rc))
		*out = r;
out:
	if (!hsa_is_ok(rc)) {
		if (r->event >= 0)
			(void)close(r->event);
		slog_scan_free(&r->scan);
		free(r);
	}
	return rc;
}

int
slog_reader_fd(const struct slog_reader *r)
{
	return r->event;
}

void
slog_reader_stop(struct slog_reader *r)
{
	atomic_store(&r->stopped, true);
	(void)pthread_mutex_lock(&r->l->mutex);
	ring(r);
	(void)pthread_cond_broadcast(&r->l->moved);
	(void)pthread_mutex_unlock(&r->l->mutex);
}

void
slog_reader_free(struct slog_reader *r)
{
	struct slog_reader **at;
	struct slog *l;

	if (r == NULL)
		return;
	l = r->l;
	if (r->fd >= 0)
		l->os->close(l->os->ctx, r->fd);
	slog_scan_free(&r->scan);
	(void)pthread_mutex_lock(&l->mutex);
	for (at = &l->readers; *at != r; at = &(*at)->next)
		;
	*at = r->next;
	slog_unref(l);
	(void)close(r->event);
	free(r);
}

/* Not there: released, or taken away. */
static hsa_rc
gone(struct slog *l, uint64_t first)
{
	bool released;

	(void)pthread_mutex_lock(&l->mutex);
	released = first < l->released;
	(void)pthread_mutex_unlock(&l->mutex);
	return released ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_CORRUPT);
}

/* The next file, or the first: the one that holds record r->at or r->from. */
static hsa_rc
enter_segment(struct slog_reader *r, const struct slog_tip *tip, uint64_t first)
{
	const struct slog_os *os = r->l->os;
	char name[SLOG_NAME_LEN];
	uint64_t limit = tip->end;
	int fd = -1, e;

	slog_segment_name(name, first);
	e = os->open(os->ctx, &fd, r->l->dir, name, O_RDONLY);
	if (e == 0 && first != tip->segment)
		e = os->size(os->ctx, &limit, fd);
	if (e != 0) {
		if (fd >= 0)
			os->close(os->ctx, fd);
		if (e == -ENOENT)
			return gone(r->l, first);
		return HSA_RC(E_IO);
	}
	if (r->fd >= 0)
		os->close(os->ctx, r->fd);
	r->fd = fd;
	r->segment = r->at = first;
	slog_scan_seek(&r->scan, fd, 0, limit);
	return HSA_OK;
}

static void
deadline_of(struct timespec *t, int wait_ms)
{
	(void)clock_gettime(CLOCK_MONOTONIC, t);
	t->tv_sec += wait_ms / 1000;
	t->tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (t->tv_nsec >= 1000000000) {
		t->tv_nsec -= 1000000000;
		t->tv_sec++;
	}
}

/*
 * At the end of what r may read: allow more of this file, or go to the next,
 * or wait until there is either.
 */
static hsa_rc
go_on(struct slog_reader *r, const struct timespec *deadline, int wait_ms)
{
	struct slog *l = r->l;
	struct slog_tip tip;
	uint64_t limit = 0, next = 0, count;
	size_t i = 0;
	bool more, last;
	hsa_rc rc = HSA_OK;
	int e = 0;

	(void)pthread_mutex_lock(&l->mutex);
	for (;;) {
		last = r->fd >= 0 && r->segment == l->tip.segment;
		more = last ? r->scan.limit < l->tip.end : l->tip.end != 0;
		if (more)
			break;
		if (l->closed || atomic_load(&r->stopped)) {
			rc = HSA_RC(E_CLOSED);
			break;
		}
		if (e == ETIMEDOUT || wait_ms == 0) {
			/* nothing new: from here on the event means news */
			while (read(r->event, &count, sizeof(count)) > 0)
				;
			rc = HSA_RC(E_TIMEOUT);
			break;
		}
		e = wait_ms < 0 ? pthread_cond_wait(&l->moved, &l->mutex)
				: pthread_cond_timedwait(
				      &l->moved, &l->mutex, deadline);
	}
	tip = l->tip;
	if (hsa_is_ok(rc) && !last) {
		rc = slog_segments_find(
		    &l->segments, &i, r->fd < 0 ? r->from : r->segment);
		if (hsa_is_ok(rc) && r->fd >= 0)
			i++;
		/* the one that r is in was released */
		if (rc.v == HSA_E_NOT_FOUND && r->fd >= 0) {
			i = 0;
			rc = HSA_OK;
		}
		if (hsa_is_ok(rc))
			next = l->segments.first[i];
	}
	(void)pthread_mutex_unlock(&l->mutex);
	if (!hsa_is_ok(rc))
		return rc;
	if (last) {
		r->scan.limit = tip.end;
		return HSA_OK;
	}
	if (r->fd >= 0) { /* it may have grown before it was closed */
		if (l->os->size(l->os->ctx, &limit, r->fd) != 0)
			return HSA_RC(E_IO);
		if (r->scan.limit < limit) {
			r->scan.limit = limit;
			return HSA_OK;
		}
		if (next != r->at) /* V1 */
			return gone(l, r->at);
	}
	return enter_segment(r, &tip, next);
}

/* A record's first nine bytes (E2). */
static bool
sequence_is(const struct hsa_entry *e, uint64_t sequence)
{
	uint64_t v = 0;

	if (e->n < 9 || e->p[0] != 0x09)
		return false;
	for (size_t i = 0; i < 8; i++)
		v |= (uint64_t)e->p[1 + i] << (8 * i);
	return v == sequence;
}

static hsa_rc
take(struct slog_reader *r, struct slog_item *it, bool *wanted)
{
	const struct hsa_entry *e = &r->entry;
	struct slog_note note = {0};
	hsa_rc rc;

	*wanted = false;
	if (e->kind == HSA_ENTRY_HEADER)
		return e->first_sequence == r->segment ? HSA_OK
						       : HSA_RC(E_CORRUPT);
	if (e->kind == HSA_ENTRY_RECORD) {
		if (!sequence_is(e, r->at))
			return HSA_RC(E_CORRUPT);
		*wanted = r->at >= r->from;
		*it = (struct slog_item){.kind = SLOG_RECORD,
		    .sequence = r->at++,
		    .p = e->p,
		    .n = e->n};
		return HSA_OK;
	}
	if (r->at <= r->from)
		return HSA_OK;
	rc = slog_note_parse(&note, &r->l->key, e->p, e->n);
	if (!hsa_is_ok(rc) || note.size != r->at)
		return HSA_RC(E_CORRUPT);
	*it = (struct slog_item){
	    .kind = SLOG_CHECKPOINT, .sequence = r->at, .p = e->p, .n = e->n};
	memcpy(it->root, note.root, sizeof(it->root));
	*wanted = true;
	return rc;
}

hsa_rc
slog_reader_next(struct slog_reader *r, struct slog_item *it, int wait_ms)
{
	struct timespec deadline = {0};
	bool wanted = false;
	hsa_rc rc;

	if (wait_ms > 0)
		deadline_of(&deadline, wait_ms);
	while (!wanted) {
		if (atomic_load(&r->stopped))
			return HSA_RC(E_CLOSED);
		rc = HSA_RC(E_NOT_FOUND);
		if (r->fd >= 0)
			rc = slog_scan_next(&r->scan, &r->entry);
		if (rc.v == HSA_E_NOT_FOUND) {
			HSA_TRY(rc, go_on(r, &deadline, wait_ms));
			continue;
		}
		if (!hsa_is_ok(rc) && rc.v != HSA_E_IO)
			rc = HSA_RC(E_CORRUPT);
		if (!hsa_is_ok(rc))
			goto out;
		HSA_TRY(rc, take(r, it, &wanted));
	}
	rc = HSA_OK;
out:
	return rc;
}
