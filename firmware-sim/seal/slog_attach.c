/*
 * The ring of before, or a new one (FORMAT.md W6): which file it is, whether
 * one is missing that may have held calls, and whether it belongs to this log.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slog_impl.h"

#define ASIDE_MAX 1000 /* names that are tried */

/* Kept before anything is done that would hide it. */
static hsa_rc
lose(struct slog *l, const char *why, struct hsa_diag *diag)
{
	struct slog_mark *m = &l->mark;

	if (!m->lost) { /* the first cause stands */
		m->lost = true;
		m->epoch = l->tip.epoch;
		(void)snprintf(m->why, sizeof(m->why), "%s", why);
	}
	return slog_mark_store(m, diag);
}

/*
 * What it says was sealed the log has to have: a ring with an older log means
 * that the log lost records. The other way round it is the ring that is old.
 */
static hsa_rc
attach(struct slog *l, const struct slog_config *cfg, const char *path,
    struct hsa_diag *diag)
{
	struct slog_ring_config ring = {
	    .path = path,
	    .slots = cfg->ring_slots,
	    .base = l->tip.last[HSA_SOURCE_USE],
	};
	uint64_t last = l->tip.last[HSA_SOURCE_USE];
	hsa_rc rc;

	memcpy(ring.unit_id, cfg->unit_id, sizeof(ring.unit_id));
	HSA_TRY(rc, slog_ring_open(&l->ring, &l->ring_found, &ring, diag));
	l->cursor = slog_ring_tail(l->ring);
	if (l->ring_found == SLOG_RING_OLD)
		l->orphans = slog_ring_head(l->ring);
	if (slog_ring_sealed(l->ring) > last)
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "the ring %s knows of calls that were sealed, and the log "
		    "has them not: the log is an older copy; restore the "
		    "newest "
		    "one, or keep both as evidence and remove the ring",
		    path);
	if (slog_ring_head(l->ring) >= last)
		return HSA_OK;
	slog_ring_close(l->ring, false);
	l->ring = NULL;
	l->cursor = l->orphans = 0;
	rc = hsa_fail(diag, HSA_RC(E_FORMAT),
	    "the log has calls that the ring %s never had: the ring is an "
	    "older copy; keep it as evidence, then remove it",
	    path);
out:
	return rc;
}

/* Somebody may want to see it: it only gets out of the way. */
static hsa_rc
set_aside(struct slog *l, const char *path, struct hsa_diag *diag)
{
	struct hsa_buf to = {0};
	struct stat st;
	hsa_rc rc = HSA_RC(E_EXISTS);

	for (int i = 1; i < ASIDE_MAX; i++) {
		hsa_buf_reset(&to);
		hsa_buf_printf(&to, "%s.aside-%d", path, i);
		HSA_TRY(rc, hsa_buf_rc(&to));
		if (lstat(hsa_buf_cstr(&to), &st) != 0 && errno == ENOENT)
			break;
	}
	HSA_TRY(
	    rc, lose(l, "the ring was not that of this log: set aside", diag));
	if (rename(path, hsa_buf_cstr(&to)) != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "%s is not the ring of this log and cannot be set aside: "
		    "%s",
		    path, strerror(errno));
out:
	hsa_buf_free(&to);
	return rc;
}

/* Which file; NULL: there is no ring. */
static hsa_rc
choose(struct hsa_buf *path, struct slog *l, const char *configured,
    struct hsa_diag *diag)
{
	struct slog_mark *m = &l->mark;
	struct stat st;
	hsa_rc rc = HSA_OK;

	if (m->ring != NULL && lstat(m->ring, &st) != 0 && errno == ENOENT) {
		HSA_TRY(rc, slog_mark_ring(m, NULL));
		HSA_TRY(rc, lose(l, "the ring is gone", diag));
	}
	if (m->ring != NULL || configured != NULL)
		hsa_buf_str(path, m->ring != NULL ? m->ring : configured);
	rc = hsa_buf_rc(path);
out:
	return rc;
}

hsa_rc
slog_attach(
    struct slog *l, const struct slog_config *cfg, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc;

	HSA_TRY(rc, slog_mark_load(&l->mark, cfg->ring_mark, diag));
	HSA_TRY(rc, choose(&path, l, cfg->ring, diag));
	if (path.len == 0)
		goto out;
	rc = attach(l, cfg, hsa_buf_cstr(&path), diag);
	if (rc.v == HSA_E_FORMAT && l->mark.path != NULL) {
		HSA_TRY(rc, set_aside(l, hsa_buf_cstr(&path), diag));
		rc = attach(l, cfg, hsa_buf_cstr(&path), diag);
	}
	if (rc.v == HSA_E_FORMAT)
		rc = HSA_RC(E_CORRUPT);
out:
	hsa_buf_free(&path);
	return rc;
}

/* ---- what is kept of it -------------------------------------------------- */

hsa_rc
slog_ring_mark(struct slog *l, struct hsa_diag *diag)
{
	hsa_rc rc;

	if (l->ring == NULL || l->mark.path == NULL ||
	    (l->mark.ring != NULL &&
		strcmp(l->mark.ring, slog_ring_path(l->ring)) == 0))
		return HSA_OK;
	HSA_TRY(rc, slog_mark_ring(&l->mark, slog_ring_path(l->ring)));
	rc = slog_mark_store(&l->mark, diag);
out:
	return rc;
}

hsa_rc
slog_ring_lost_told(struct slog *l, struct hsa_diag *diag)
{
	if (!l->mark.lost)
		return HSA_OK;
	l->mark.lost = false;
	return slog_mark_store(&l->mark, diag);
}

/* Before the file goes: a kill between the two must not look like a loss. */
void
slog_attach_end(struct slog *l)
{
	bool empty = l->ring != NULL &&
		     slog_ring_head(l->ring) == slog_ring_tail(l->ring);

	if (!empty || l->failed || l->mark.ring == NULL)
		return;
	/* where this does not work, the next start tells of a loss that was
	 * none: better than the other way round */
	if (hsa_is_ok(slog_mark_ring(&l->mark, NULL)))
		(void)!hsa_is_ok(slog_mark_store(&l->mark, NULL));
}
