#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hsa_codec.h"
#include "hsa_contexts.h"
#include "vfy_file.h"
#include "vfy_log.h"

#define NAP_MS 20

/*
 * Two readers over the same file: `ahead` looks for the next checkpoint, `r`
 * gives out what stands before the last one found. What a recovery cuts off
 * was thus never given out.
 */
struct vfy_follow {
	int folder;
	bool open; /* a segment is */
	char name[VFY_NAME_MAX];
	struct vfy_reader r, ahead;
	uint64_t sealed_end; /* in this file, behind its last checkpoint */
	uint64_t next;       /* sequence of the next record in the log */
	uint64_t sealed;     /* records before the last checkpoint found */
	uint64_t looked;     /* records that `ahead` has passed */
	uint64_t from;       /* first one wanted */
	uint64_t checkpoints;
	struct hsa_contexts contexts;
	struct hsa_slice raw; /* of the record given out last; in r's buffer */
};

hsa_rc
vfy_follow_open(struct vfy_follow **to, const char *dir, struct hsa_diag *diag)
{
	struct vfy_follow *f = calloc(1, sizeof(*f));
	hsa_rc rc;

	if (f == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	rc = vfy_file_folder(&f->folder, dir, diag);
	if (!hsa_is_ok(rc)) {
		free(f);
		return rc;
	}
	*to = f;
	return HSA_OK;
}

void
vfy_follow_from(struct vfy_follow *f, uint64_t sequence)
{
	f->from = sequence;
}

static void
leave(struct vfy_follow *f)
{
	vfy_reader_close(&f->r);
	vfy_reader_close(&f->ahead);
	f->open = false;
}

void
vfy_follow_free(struct vfy_follow *f)
{
	if (f == NULL)
		return;
	leave(f);
	(void)close(f->folder);
	hsa_contexts_free(&f->contexts);
	free(f);
}

struct hsa_slice
vfy_follow_raw(const struct vfy_follow *f)
{
	return f->raw;
}

uint64_t
vfy_follow_checkpoints(const struct vfy_follow *f)
{
	return f->checkpoints;
}

void
vfy_follow_place(const struct vfy_follow *f, struct vfy_place *place)
{
	*place = (struct vfy_place){0};
	(void)snprintf(place->file, sizeof(place->file), "%s", f->name);
	place->offset = f->open ? f->ahead.offset : 0;
	place->sequence = f->next;
}

static hsa_rc
enter(struct vfy_follow *f, uint64_t first)
{
	hsa_rc rc;

	vfy_file_name(f->name, first);
	HSA_TRY(rc, vfy_reader_open(&f->r, f->folder, f->name));
	rc = vfy_reader_open(&f->ahead, f->folder, f->name);
	if (!hsa_is_ok(rc)) {
		vfy_reader_close(&f->r);
		return rc;
	}
	f->open = true;
	f->sealed_end = 0;
	f->next = f->sealed = f->looked = first;
	hsa_contexts_forget(&f->contexts); /* none is known beyond a segment */
out:
	return rc;
}

/* The first segment to read: the last that begins at or before `from`. */
static hsa_rc
start(struct vfy_follow *f)
{
	struct vfy_segments s = {0};
	size_t i = 0;
	hsa_rc rc;

	HSA_TRY(rc, vfy_file_list(&s, f->folder, NULL));
	if (s.len == 0) {
		rc = HSA_RC(E_TIMEOUT);
		goto out;
	}
	while (i + 1 < s.len && s.seg[i + 1].first <= f->from)
		i++;
	rc = enter(f, s.seg[i].first);
out:
	vfy_segments_free(&s);
	return rc;
}

/* Find the furthest checkpoint in the file. E_TIMEOUT: no further one yet. */
static hsa_rc
look(struct vfy_follow *f)
{
	uint64_t before = f->sealed_end;
	struct hsa_entry e;
	size_t used;
	hsa_rc rc;

	for (;;) {
		rc = vfy_reader_next(&f->ahead, &e, &used);
		if (!hsa_is_ok(rc))
			break;
		if (e.kind == HSA_ENTRY_RECORD)
			f->looked++;
		if (e.kind != HSA_ENTRY_CHECKPOINT)
			continue;
		f->checkpoints++;
		f->sealed_end = f->ahead.offset;
		f->sealed = f->looked;
		/* enough to go on with; the rest when it was given out */
		return HSA_OK;
	}
	if (rc.v == HSA_E_IO || rc.v == HSA_E_NOMEM)
		return rc;
	/* what is unsealed may be cut and written again: read it afresh */
	vfy_reader_seek(&f->ahead, f->sealed_end);
	f->looked = f->sealed;
	if (rc.v == HSA_E_CLOSED || rc.v == HSA_E_TRUNCATED)
		rc = before == f->sealed_end ? HSA_RC(E_TIMEOUT) : HSA_OK;
	return rc;
}

/* A segment ends where the next one begins. */
static hsa_rc
turn(struct vfy_follow *f)
{
	char name[VFY_NAME_MAX];
	hsa_rc rc;
	int fd;

	vfy_file_name(name, f->sealed);
	if (strcmp(name, f->name) == 0)
		return HSA_RC(E_TIMEOUT);
	rc = vfy_file_open(&fd, f->folder, name);
	if (rc.v == HSA_E_NOT_FOUND)
		return HSA_RC(E_TIMEOUT);
	HSA_TRY(rc, rc);
	(void)close(fd);
	leave(f);
	rc = enter(f, f->sealed);
out:
	return rc;
}

/* A file in which nothing is sealed yet may be removed and made anew by a
 * recovery: look for it again rather than hold on to it. */
static void
let_go(struct vfy_follow *f)
{
	if (f->sealed_end != 0)
		return;
	if (f->from < f->next)
		f->from = f->next;
	leave(f);
}

/* One sealed record, or E_TIMEOUT when all that is sealed was given out. */
static hsa_rc
take(struct vfy_follow *f, struct hsa_record *to)
{
	struct hsa_record r = {0};
	struct hsa_entry e;
	size_t used;
	hsa_rc rc;

	while (f->r.offset < f->sealed_end) {
		rc = vfy_reader_next(&f->r, &e, &used);
		if (rc.v == HSA_E_CLOSED || rc.v == HSA_E_TRUNCATED)
			return HSA_RC(E_FORMAT); /* sealed bytes were cut */
		if (!hsa_is_ok(rc))
			return rc;
		if (e.kind != HSA_ENTRY_RECORD)
			continue;
		if (f->next++ < f->from) {
			rc = hsa_contexts_skip(&f->contexts, e.p, e.n);
			if (!hsa_is_ok(rc))
				return rc;
			continue;
		}
		rc = hsa_record_decode(&r, e.p, e.n);
		if (hsa_is_ok(rc) && r.sequence != f->next - 1)
			rc = HSA_RC(E_FORMAT);
		if (hsa_is_ok(rc))
			rc = hsa_contexts_take(&f->contexts, &r);
		if (hsa_is_ok(rc)) {
			*to = r;
			f->raw = (struct hsa_slice){e.p, e.n};
		} else {
			hsa_record_free(&r);
			f->next--; /* the one that is not good */
		}
		/* a context that is missing is damage as any other */
		return rc.v == HSA_E_NOT_FOUND ? HSA_RC(E_FORMAT) : rc;
	}
	return HSA_RC(E_TIMEOUT);
}

static hsa_rc
once(struct vfy_follow *f, struct hsa_record *r)
{
	hsa_rc rc = HSA_OK;

	if (!f->open)
		HSA_TRY(rc, start(f));
	for (;;) {
		rc = take(f, r);
		if (rc.v != HSA_E_TIMEOUT)
			return rc;
		rc = look(f);
		if (rc.v == HSA_E_TIMEOUT)
			rc = turn(f);
		if (rc.v == HSA_E_TIMEOUT)
			let_go(f);
		HSA_TRY(rc, rc);
	}
out:
	return rc;
}

static int64_t
now_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

hsa_rc
vfy_follow_next(struct vfy_follow *f, struct hsa_record *r, int wait_ms)
{
	const struct timespec nap = {0, NAP_MS * 1000000L};
	int64_t end = now_ms() + wait_ms;
	hsa_rc rc;

	for (;;) {
		rc = once(f, r);
		if (rc.v != HSA_E_TIMEOUT || wait_ms <= 0 || now_ms() >= end)
			return rc;
		(void)nanosleep(&nap, NULL);
	}
}
