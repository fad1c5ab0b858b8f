#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "slog_found.h"
#include "slog_impl.h"
#include "slog_keep.h"

static hsa_rc
io(struct hsa_diag *diag, int err, const char *what, const char *name)
{
	return hsa_fail(diag, HSA_RC(E_IO),
	    "cannot %s %s: %s; "
	    "check the disk and the permissions of the log folder",
	    what, name, strerror(-err));
}

static hsa_rc
corrupt(struct hsa_diag *diag, const char *name, uint64_t at, const char *what)
{
	return hsa_fail(diag, HSA_RC(E_CORRUPT),
	    "%s, byte %" PRIu64 ": %s; "
	    "sealed records are damaged: keep the folder as evidence and "
	    "restore it from a collected copy",
	    name, at, what);
}

hsa_rc
slog_head_write(struct slog *l, struct hsa_diag *diag)
{
	int e = 0;

	if (l->head_fd < 0) {
		e = l->os->open(l->os->ctx, &l->head_fd, l->dir, SLOG_HEAD,
		    O_RDWR | O_CREAT);
		if (e == 0)
			e = l->os->fsync(l->os->ctx, l->dir);
	}
	/* never shorter than before: sizes only grow */
	if (e == 0)
		e = slog_os_write(l->os, l->head_fd, l->note.p, l->note.len, 0);
	return e == 0 ? HSA_OK : io(diag, e, "write", SLOG_HEAD);
}

hsa_rc
slog_head_read(struct slog *l, struct hsa_buf *raw, struct slog_note *note,
    bool *good, struct hsa_diag *diag)
{
	uint64_t n = 0;
	hsa_rc rc;
	int e;

	*good = false;
	e = l->os->open(l->os->ctx, &l->head_fd, l->dir, SLOG_HEAD, O_RDWR);
	if (e == -ENOENT)
		return HSA_OK;
	if (e == 0)
		e = l->os->size(l->os->ctx, &n, l->head_fd);
	if (e != 0)
		return io(diag, e, "read", SLOG_HEAD);
	if (n > HSA_NOTE_MAX)
		n = HSA_NOTE_MAX + 1; /* cannot parse, which is the answer */
	rc = slog_read_at(l, raw, l->head_fd, 0, (size_t)n);
	if (!hsa_is_ok(rc))
		return hsa_fail(
		    diag, rc, "cannot read %s; check the disk", SLOG_HEAD);
	*good = hsa_is_ok(slog_note_parse(note, &l->key, raw->p, raw->len)) &&
		hsa_is_ok(slog_note_verify(note, &l->key));
	return HSA_OK;
}

hsa_rc
slog_judge(
    struct slog *l, const struct slog_found *f, int fd, char what[SLOG_WHAT])
{
	uint64_t place = 0;
	bool sealed = false;
	hsa_rc rc;

	if (f->what != NULL && f->beyond_doubt) {
		(void)snprintf(what, SLOG_WHAT, "%s", f->what);
		return HSA_RC(E_CORRUPT);
	}
	if (f->head != NULL && f->head->size > f->tip.size) {
		(void)snprintf(what, SLOG_WHAT,
		    "%s; the file head proves "
		    "%" PRIu64 " sealed records, only %" PRIu64 " are whole",
		    f->what == NULL ? "the file ends" : f->what, f->head->size,
		    f->tip.size);
		return HSA_RC(E_CORRUPT);
	}
	HSA_TRY(rc, slog_found_search(l, &place, &sealed, f, fd));
	if (sealed) {
		(void)snprintf(what, SLOG_WHAT,
		    "%s, and a good checkpoint "
		    "lies behind it at byte %" PRIu64,
		    f->what == NULL ? "records are missing" : f->what, place);
		rc = HSA_RC(E_CORRUPT);
	}
out:
	return rc;
}

/* Cut what is behind the tip; a file without a sealed record goes whole. */
static hsa_rc
cut(struct slog *l, const struct slog_found *f, int fd, const char *name,
    struct hsa_diag *diag)
{
	int e;

	if (f->tip.end == 0) {
		e = l->os->unlink(l->os->ctx, l->dir, name);
		if (e == 0)
			e = l->os->fsync(l->os->ctx, l->dir);
	} else {
		e = l->os->ftruncate(l->os->ctx, fd, f->tip.end);
		if (e == 0)
			e = l->os->fsync(l->os->ctx, fd);
	}
	if (e != 0)
		return io(diag, e, "cut", name);
	hsa_diag_set(diag,
	    "%s: cut %" PRIu64 " bytes behind the last "
	    "checkpoint (%" PRIu64 " whole records); none of them was "
	    "acknowledged to anybody",
	    name, f->bytes - f->tip.end, f->records_behind);
	return HSA_OK;
}

/*
 * The numbers in a header are signed by nobody, and a source that has no record
 * in the last file goes on from them: too high, and its outbox would drop what
 * was never sealed. So they have to be those of the file before, whose records
 * are looked at but not hashed again.
 */
static hsa_rc
check_numbers(struct slog *l, const struct slog_found *f, const char *name,
    const uint64_t *before, struct hsa_diag *diag)
{
	uint64_t last[HSA_SOURCES + 1] = {0}, place = 0, bytes = 0;
	char other[SLOG_NAME_LEN];
	int fd = -1, e;
	hsa_rc rc;

	if (before == NULL)
		return HSA_OK;
	slog_segment_name(other, *before);
	e = l->os->open(l->os->ctx, &fd, l->dir, other, O_RDWR);
	if (e == 0)
		e = l->os->size(l->os->ctx, &bytes, fd);
	if (e != 0) {
		rc = io(diag, e, "open", other);
		goto out;
	}
	rc = slog_found_last(l, last, &place, fd, bytes);
	if (rc.v == HSA_E_IO)
		hsa_diag_set(diag, "cannot read %s; check the disk", other);
	if (rc.v == HSA_E_CORRUPT)
		rc = corrupt(diag, other, place, "not an entry of a log");
	if (hsa_is_ok(rc) && memcmp(last, f->before, sizeof(last)) != 0)
		rc = corrupt(diag, name, 0,
		    "the header's numbers of the sources are not those of the "
		    "records before it");
out:
	if (fd >= 0)
		l->os->close(l->os->ctx, fd);
	return rc;
}

/*
 * The i-th file. *sealed: it holds a checkpoint, is now the last segment, and
 * l->fd is open on it; else it was a torn beginning and is gone.
 */
static hsa_rc
recover_file(struct slog *l, size_t i, const struct slog_note *head,
    bool may_cut, bool *sealed, struct hsa_diag *diag)
{
	const uint64_t *before = i == 0 ? NULL : &l->segments.first[i - 1];
	uint64_t first = l->segments.first[i];
	struct slog_found f;
	char name[SLOG_NAME_LEN], what[SLOG_WHAT];
	uint64_t place = 0;
	hsa_rc rc;
	int fd = -1, e;

	slog_segment_name(name, first);
	HSA_TRY(rc, slog_found_init(&f, first, head));
	e = l->os->open(l->os->ctx, &fd, l->dir, name, O_RDWR);
	if (e == 0)
		e = l->os->size(l->os->ctx, &f.bytes, fd);
	if (e != 0) {
		rc = io(diag, e, "open", name);
		goto out;
	}
	rc = slog_found_read(l, &f, fd);
	if (rc.v == HSA_E_IO)
		hsa_diag_set(diag, "cannot read %s; check the disk", name);
	if (!hsa_is_ok(rc))
		goto out;
	rc = slog_found_verify(l, &place, &f, fd);
	/* a cut never makes a well-formed wrong one */
	if (rc.v == HSA_E_SIGNATURE)
		rc = corrupt(diag, name, place,
		    "the checkpoint's signature does not verify");
	if (!hsa_is_ok(rc))
		goto out;
	if (!may_cut && (f.tip.end != f.bytes || f.tip.end == 0)) {
		rc = corrupt(diag, name, f.stop,
		    f.what == NULL
			? "a file that is not the last has an unsealed end"
			: f.what);
		goto out;
	}
	rc = slog_judge(l, &f, fd, what);
	if (rc.v == HSA_E_CORRUPT)
		(void)corrupt(diag, name, f.stop, what);
	if (!hsa_is_ok(rc))
		goto out;
	if (f.tip.end != 0)
		HSA_TRY(rc, check_numbers(l, &f, name, before, diag));
	if (f.tip.end != f.bytes || f.tip.end == 0)
		HSA_TRY(rc, cut(l, &f, fd, name, diag));
	*sealed = f.tip.end != 0;
	if (!*sealed)
		goto out;
	HSA_TRY(rc,
	    slog_merkle_set(&l->tree, f.tree.size,
		(const uint8_t(*)[HSA_SHA256_LEN])f.tree.frontier, f.tree.len));
	l->tip = f.tip;
	l->segment = first;
	l->end = f.tip.end;
	l->fd = fd;
	fd = -1;
out:
	if (fd >= 0)
		l->os->close(l->os->ctx, fd);
	slog_found_free(&f);
	return rc;
}

/* What a killed writer left may be in the page cache alone: nobody may be told
 * of a record, and no outbox drop it, before the disk has it. */
static hsa_rc
make_durable(struct slog *l, struct hsa_diag *diag)
{
	char name[SLOG_NAME_LEN];
	hsa_rc rc;
	int e;

	slog_segment_name(name, l->segment);
	e = l->os->fsync(l->os->ctx, l->fd);
	if (e == 0)
		e = l->os->fsync(l->os->ctx, l->dir);
	if (e != 0)
		return io(diag, e, "sync", name);
	HSA_TRY(rc, slog_head_write(l, diag));
	e = l->os->ftruncate(l->os->ctx, l->head_fd, l->note.len);
	if (e == 0)
		e = l->os->fsync(l->os->ctx, l->head_fd);
	if (e != 0)
		rc = io(diag, e, "sync", SLOG_HEAD);
out:
	return rc;
}

hsa_rc
slog_recover(struct slog *l, struct hsa_diag *diag)
{
	struct slog_segments *s = &l->segments;
	struct slog_note head = {0};
	struct hsa_buf raw = {0};
	bool good = false, sealed = false;
	hsa_rc rc;
	int e = 0;

	hsa_diag_set(diag, "%s", "");
	rc = slog_segments_list(s, &e, l->os, l->dir);
	if (rc.v == HSA_E_IO)
		(void)io(diag, e, "list", "the log folder");
	if (!hsa_is_ok(rc))
		goto out;
	HSA_TRY(rc, slog_head_read(l, &raw, &head, &good, diag));
	if (s->len != 0 && s->first[0] != 0)
		HSA_TRY(rc, slog_keep_check(l, s, diag));
	if (s->len != 0)
		HSA_TRY(rc, recover_file(l, s->len - 1, good ? &head : NULL,
				true, &sealed, diag));
	/* a torn beginning is gone: the one before was closed by a checkpoint
	 */
	if (s->len != 0 && !sealed && --s->len != 0)
		HSA_TRY(rc, recover_file(l, s->len - 1, good ? &head : NULL,
				false, &sealed, diag));
	if (s->len != 0) {
		HSA_TRY(rc, make_durable(l, diag));
		goto out;
	}
	if (raw.len != 0) {
		rc = corrupt(diag, SLOG_HEAD, 0,
		    "there is a head, but no sealed record in the folder");
		goto out;
	}
	HSA_TRY(rc, slog_merkle_set(&l->tree, 0, NULL, 0));
	rc = slog_merkle_root(&l->tree, l->tip.root);
out:
	hsa_buf_free(&raw);
	return rc;
}
