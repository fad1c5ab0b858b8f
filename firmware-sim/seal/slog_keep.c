/*
 * The log's files as such: are they still there, how much they take, and the
 * release of the oldest (FORMAT.md V1, W4, W5).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "hsa_event.h"
#include "slog_keep.h"

#define STAYS 2 /* files: what the last one's numbers are checked against */

/* ---- still there? -------------------------------------------------------- */

static hsa_rc
same_file(struct slog *l, int fd, const char *name, struct hsa_diag *why)
{
	struct slog_os_stat have = {0}, named = {0};
	int e = l->os->stat(l->os->ctx, &have, fd);

	if (e == 0)
		e = l->os->stat_name(l->os->ctx, &named, l->dir, name);
	if (e == -ENOENT)
		return hsa_fail(
		    why, HSA_RC(E_IO), "%s was deleted from the folder", name);
	if (e != 0)
		return hsa_fail(why, HSA_RC(E_IO), "cannot look at %s: %s",
		    name, strerror(-e));
	if (have.device != named.device || have.inode != named.inode)
		return hsa_fail(why, HSA_RC(E_IO),
		    "%s in the folder is another file than the one that is "
		    "written",
		    name);
	return HSA_OK;
}

hsa_rc
slog_keep_watch(struct slog *l, struct hsa_diag *why)
{
	char name[SLOG_NAME_LEN];
	hsa_rc rc;

	slog_segment_name(name, l->segment);
	HSA_TRY(rc, same_file(l, l->fd, name, why));
	if (l->head_fd >= 0)
		rc = same_file(l, l->head_fd, SLOG_HEAD, why);
out:
	return rc;
}

/* A copy of the list: looking at many files takes a while. */
static hsa_rc
all_but_last(struct slog *l, struct slog_segments *to)
{
	hsa_rc rc = HSA_OK;

	(void)pthread_mutex_lock(&l->mutex);
	for (size_t i = 0; i + 1 < l->segments.len && hsa_is_ok(rc); i++)
		rc = slog_segments_add(to, l->segments.first[i]);
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
}

hsa_rc
slog_check(struct slog *l, struct hsa_diag *diag)
{
	struct slog_segments s = {0};
	struct slog_os_stat st;
	char name[SLOG_NAME_LEN];
	hsa_rc rc;

	HSA_TRY(rc, all_but_last(l, &s));
	for (size_t i = 0; i < s.len; i++) {
		slog_segment_name(name, s.first[i]);
		if (l->os->stat_name(l->os->ctx, &st, l->dir, name) != -ENOENT)
			continue;
		rc = hsa_fail(
		    diag, HSA_RC(E_IO), "%s was deleted from the folder", name);
		(void)pthread_mutex_lock(&l->mutex);
		slog_fail(l, rc, diag);
		(void)pthread_mutex_unlock(&l->mutex);
		goto out;
	}
out:
	slog_segments_free(&s);
	return rc;
}

/* ---- how much ------------------------------------------------------------ */

static hsa_rc
look(struct slog *l, struct slog_os_stat *st, uint64_t first)
{
	char name[SLOG_NAME_LEN];

	slog_segment_name(name, first);
	return l->os->stat_name(l->os->ctx, st, l->dir, name) == 0
		   ? HSA_OK
		   : HSA_RC(E_IO);
}

hsa_rc
slog_keep_start(struct slog *l)
{
	struct slog_os_stat st = {0};
	hsa_rc rc = HSA_OK;

	l->closed_bytes = 0;
	for (size_t i = 0; i + 1 < l->segments.len; i++) {
		HSA_TRY(rc, look(l, &st, l->segments.first[i]));
		l->closed_bytes += st.size;
	}
	slog_keep_count(l);
out:
	return rc;
}

void
slog_keep_count(struct slog *l)
{
	uint64_t bytes = l->closed_bytes + l->tip.end;

	atomic_store(&l->at_cap, l->cap_bytes != 0 && bytes >= l->cap_bytes);
}

void
slog_kept(struct slog *l, struct slog_kept *k)
{
	(void)pthread_mutex_lock(&l->mutex);
	k->first = l->segments.len == 0 ? 0 : l->segments.first[0];
	k->bytes = l->closed_bytes + l->tip.end;
	k->cap = l->cap_bytes;
	k->full = atomic_load(&l->at_cap);
	(void)pthread_mutex_unlock(&l->mutex);
}

/* ---- release ------------------------------------------------------------- */

/* The list only grows at its end and shrinks here, on one thread. */
static bool
segment_at(struct slog *l, size_t i, uint64_t *first, uint64_t *next)
{
	bool may;

	(void)pthread_mutex_lock(&l->mutex);
	may = i + STAYS < l->segments.len;
	if (may) {
		*first = l->segments.first[i];
		*next = l->segments.first[i + 1];
	}
	(void)pthread_mutex_unlock(&l->mutex);
	return may;
}

hsa_rc
slog_release_plan(
    struct slog *l, struct slog_plan *p, const struct slog_policy *policy)
{
	uint64_t first = 0, next = 0, bytes;
	struct slog_os_stat st = {0};
	struct slog_kept k;
	hsa_rc rc = HSA_OK;

	slog_kept(l, &k);
	*p = (struct slog_plan){.before = k.first};
	bytes = k.bytes;
	for (size_t i = 0; segment_at(l, i, &first, &next); i++) {
		HSA_TRY(rc, look(l, &st, first));
		if (next > policy->acknowledged ||
		    bytes - st.size < policy->keep_bytes ||
		    st.modified_ns + policy->keep_ns > policy->now_ns)
			break;
		bytes -= st.size;
		p->before = next;
		p->files++;
		p->bytes += st.size;
	}
out:
	return rc;
}

hsa_rc
slog_release(struct slog *l, uint64_t before, struct hsa_diag *diag)
{
	uint64_t first = 0, next = 0;
	struct slog_os_stat st = {0};
	char name[SLOG_NAME_LEN];
	bool any = false;
	int e = 0;

	(void)pthread_mutex_lock(&l->mutex);
	l->released = before; /* nobody begins to read there any more */
	(void)pthread_mutex_unlock(&l->mutex);
	while (e == 0 && segment_at(l, 0, &first, &next) && next <= before) {
		slog_segment_name(name, first);
		e = l->os->stat_name(l->os->ctx, &st, l->dir, name);
		if (e == 0)
			e = l->os->unlink(l->os->ctx, l->dir, name);
		if (e != 0)
			break;
		any = true;
		(void)pthread_mutex_lock(&l->mutex);
		l->segments.len--;
		memmove(l->segments.first, l->segments.first + 1,
		    l->segments.len * sizeof(*l->segments.first));
		l->closed_bytes -= st.size;
		slog_keep_count(l);
		(void)pthread_mutex_unlock(&l->mutex);
	}
	if (e == 0 && any)
		e = l->os->fsync(l->os->ctx, l->dir);
	return e == 0 ? HSA_OK
		      : hsa_fail(diag, HSA_RC(E_IO), "cannot release %s: %s",
			    name, strerror(-e));
}

/* ---- was it released? ---------------------------------------------------- */

static bool
says_released(uint64_t *before, const struct hsa_entry *e)
{
	static const char name[] = "LOG_RELEASED";
	const struct hsa_field *f = NULL;
	struct hsa_record r = {0};
	bool yes = false;

	if (memmem(e->p, e->n, name, sizeof(name) - 1) == NULL)
		return false;
	if (hsa_is_ok(hsa_record_decode(&r, e->p, e->n)) &&
	    r.body == HSA_BODY_SPECIAL && strcmp(r.special.name, name) == 0)
		f = hsa_data_find(&r.special.details, "before");
	yes = f != NULL && f->kind == HSA_VALUE_INTEGER && f->integer > 0;
	if (yes)
		*before = (uint64_t)f->integer;
	hsa_record_free(&r);
	return yes;
}

/* The last one in a file that a checkpoint covers. */
static hsa_rc
find_in(struct slog *l, uint64_t *before, uint64_t first)
{
	struct slog_scan s = {0};
	struct hsa_entry e;
	uint64_t n = 0, at = 0;
	char name[SLOG_NAME_LEN];
	bool any = false;
	int fd = -1, err;
	hsa_rc rc;

	slog_segment_name(name, first);
	err = l->os->open(l->os->ctx, &fd, l->dir, name, O_RDONLY);
	if (err == 0)
		err = l->os->size(l->os->ctx, &n, fd);
	if (err != 0) {
		rc = HSA_RC(E_IO);
		goto out;
	}
	HSA_TRY(rc, slog_scan_init(&s, l->os, fd, 0, n));
	while (hsa_is_ok(rc = slog_scan_next(&s, &e))) {
		if (e.kind == HSA_ENTRY_RECORD)
			any = says_released(&at, &e) || any;
		else if (e.kind == HSA_ENTRY_CHECKPOINT && any)
			*before = at;
	}
	/* a torn end is for who recovers to judge */
	if (rc.v != HSA_E_IO && rc.v != HSA_E_NOMEM)
		rc = HSA_OK;
out:
	slog_scan_free(&s);
	if (fd >= 0)
		l->os->close(l->os->ctx, fd);
	return rc;
}

hsa_rc
slog_keep_check(
    struct slog *l, const struct slog_segments *s, struct hsa_diag *diag)
{
	uint64_t before = 0;
	hsa_rc rc = HSA_OK;

	for (size_t i = s->len; i-- > 0 && before == 0;) {
		rc = find_in(l, &before, s->first[i]);
		if (!hsa_is_ok(rc))
			return hsa_fail(diag, rc,
			    "cannot read the log to see what was released of "
			    "it: %s",
			    hsa_err_text(rc));
	}
	if (before >= s->first[0] && s->len >= STAYS)
		return HSA_OK;
	return hsa_fail(diag, HSA_RC(E_CORRUPT),
	    "the log begins with record %" PRIu64
	    ", and nothing in it says that those before were released: its "
	    "first files are missing; keep the folder as evidence and restore "
	    "it from a collected copy",
	    s->first[0]);
}
