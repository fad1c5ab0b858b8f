#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "vfy_file.h"
#include "vfy_store.h"

#define HEAD_NEW "head.new"
#define HEAD_MAX HSA_NOTE_MAX

struct vfy_store {
	char *dir;
	int folder, fd; /* -1: none yet */
	size_t segment_bytes;
	uint64_t written; /* bytes in the last segment */
	bool dirty, broken;
	struct hsa_sha256 *h;
	struct vfy_signer *signer;
	struct vfy_state state;
	struct hsa_buf note; /* the last checkpoint */
};

static hsa_rc
broken(struct vfy_store *s, const char *what, struct hsa_diag *diag)
{
	s->broken = true;
	return hsa_fail(
	    diag, HSA_RC(E_IO), "%s: %s: %s", s->dir, what, strerror(errno));
}

static hsa_rc
write_all(int fd, const uint8_t *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return HSA_RC(E_IO);
		p += w;
		n -= (size_t)w;
	}
	return HSA_OK;
}

/* ---- opening ------------------------------------------------------------- */

static hsa_rc
lock(struct vfy_store *s, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, vfy_file_folder(&s->folder, s->dir, diag));
	if (flock(s->folder, LOCK_EX | LOCK_NB) != 0)
		rc = hsa_fail(diag, HSA_RC(E_BUSY),
		    "%s: another collector writes here; stop it or use "
		    "another folder",
		    s->dir);
out:
	return rc;
}

/* The first batch is there: now the folder may be, too. */
static hsa_rc
make_folder(struct vfy_store *s, struct hsa_diag *diag)
{
	char *slash = strrchr(s->dir, '/');
	int parent;
	hsa_rc rc;

	if (mkdir(s->dir, 0700) != 0 && errno != EEXIST)
		return broken(s, "cannot make the folder", diag);
	HSA_TRY(rc, lock(s, diag));
	if (slash == NULL || slash == s->dir)
		return HSA_OK;
	*slash = '\0';
	parent = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (parent < 0 || fsync(parent) != 0)
		rc = broken(s, "cannot sync the folder above", diag);
	if (parent >= 0)
		(void)close(parent);
out:
	return rc;
}

/* Reads one segment as far as it is good. *end: behind its last good
 * checkpoint, 0 when it has none; at, why: where it stopped. A whole
 * checkpoint that is wrong sets *proof: no crash leaves that. */
static hsa_rc
read_segment(struct vfy_store *s, const char *name, struct vfy_state *good,
    uint64_t *end, uint64_t *at, bool *proof, struct vfy_why *why)
{
	struct vfy_state now = *good;
	struct vfy_reader r = {0};
	struct hsa_entry e;
	bool first = true;
	size_t used;
	hsa_rc rc;

	*end = 0;
	HSA_TRY(rc, vfy_reader_open(&r, s->folder, name));
	for (;; first = false) {
		*at = r.offset;
		HSA_TRY(rc, vfy_reader_next(&r, &e, &used));
		if (first != (e.kind == HSA_ENTRY_HEADER)) {
			rc = vfy_why_set(why, "V3", "header missing or twice");
			goto out;
		}
		if (e.kind == HSA_ENTRY_HEADER)
			HSA_TRY(rc, vfy_state_start(&now, &e, why));
		else if (e.kind == HSA_ENTRY_RECORD)
			HSA_TRY(rc, vfy_state_record(&now, e.p, e.n, why));
		else {
			*proof = true;
			HSA_TRY(rc, vfy_state_checkpoint(&now, e.p, e.n, why));
			*proof = false;
			*good = now;
			*end = r.offset;
			hsa_buf_reset(&s->note);
			hsa_buf_put(&s->note, e.p, e.n);
			HSA_TRY(rc, hsa_buf_rc(&s->note));
		}
	}
out:
	vfy_reader_close(&r);
	if (rc.v == HSA_E_CLOSED || rc.v == HSA_E_TRUNCATED)
		rc = HSA_OK; /* a torn tail: cut */
	if (rc.v == HSA_E_FORMAT || rc.v == HSA_E_RANGE ||
	    rc.v == HSA_E_UNSUPPORTED)
		rc = vfy_why_set(why, "V2", "these bytes are no entry");
	return rc;
}

/* What the head promises must have been found: else it is not a torn tail
 * that was cut but something acknowledged. */
static hsa_rc
check_head(struct vfy_store *s, const char *name, uint64_t at,
    const struct vfy_why *why, bool *same, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	struct vfy_note note;
	hsa_rc rc;

	*same = false;
	rc = vfy_file_get(&b, s->folder, VFY_HEAD, HEAD_MAX);
	if (rc.v == HSA_E_IO || rc.v == HSA_E_NOMEM)
		goto out;
	if (!hsa_is_ok(rc) ||
	    !hsa_is_ok(vfy_note_parse(&note, b.p, b.len, NULL)) ||
	    !hsa_is_ok(vfy_signer_verify(s->signer, &note))) {
		/* torn, or there was none yet: written anew - unless it is
		 * all that could tell altered bytes from a torn tail */
		rc = why->text[0] == '\0' ? HSA_OK
					  : hsa_fail(diag, HSA_RC(E_CORRUPT),
						"%s/%s, byte %" PRIu64
						": %s, and there is no good "
						"head; run hsa verify, then "
						"restore the folder or "
						"move it away to collect anew",
						s->dir, name, at, why->text);
		goto out;
	}
	if (!s->state.sealed || note.size > s->state.sealed_size) {
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s/%s, byte %" PRIu64 ": %s%sthe copy ends at record "
		    "%" PRIu64 " although %" PRIu64
		    " were acknowledged; run hsa verify, then restore the "
		    "folder or move it away to collect anew",
		    s->dir, name, at, why->text,
		    why->text[0] == '\0' ? "" : "; ",
		    s->state.sealed ? s->state.sealed_size : 0, note.size);
		goto out;
	}
	if (note.size == s->state.sealed_size &&
	    memcmp(note.root, s->state.sealed_root, sizeof(note.root)) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s/head: another root than the copy's for %" PRIu64
		    " records; run hsa verify",
		    s->dir, note.size);
		goto out;
	}
	*same = note.size == s->state.sealed_size;
out:
	hsa_buf_free(&b);
	return rc;
}

static hsa_rc
write_head(struct vfy_store *s, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;
	int fd = -1;

	fd = openat(s->folder, HEAD_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !hsa_is_ok(write_all(fd, s->note.p, s->note.len)) ||
	    renameat(s->folder, HEAD_NEW, s->folder, VFY_HEAD) != 0)
		rc = broken(s, "cannot write the head", diag);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* W3: is there more in this file, behind where it is good, that was sealed? */
static hsa_rc
no_proof(struct vfy_store *s, const char *name, const struct vfy_state *good,
    uint64_t at, bool proof, const struct vfy_why *why, struct hsa_diag *diag)
{
	uint64_t size = good->sealed ? good->sealed_size : 0;
	struct hsa_buf rest = {0};
	hsa_rc rc;

	rc = vfy_file_rest(&rest, s->folder, name, at);
	if (!hsa_is_ok(rc)) {
		(void)hsa_fail(diag, rc, "%s/%s: %s", s->dir, name,
		    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc));
		goto out;
	}
	proof = proof || vfy_note_hunt(s->signer, s->state.origin, size, rest.p,
			     rest.len);
	if (proof)
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s/%s, byte %" PRIu64 ": %s, and more was sealed behind "
		    "it; run hsa verify, then restore the folder or move it "
		    "away to collect anew",
		    s->dir, name, at,
		    why->text[0] == '\0' ? "an entry is damaged" : why->text);
out:
	hsa_buf_free(&rest);
	return rc;
}

/* The last segment that has a checkpoint. Only the very last may have none:
 * a header that no batch followed. */
static hsa_rc
find_end(struct vfy_store *s, struct vfy_segments *segs, uint64_t *end,
    uint64_t *at, struct vfy_why *why, struct hsa_diag *diag)
{
	struct vfy_state good;
	hsa_rc rc = HSA_OK;
	const char *name;
	bool proof = false;

	*end = 0;
	for (size_t tries = 0; segs->len > 0 && tries < 2; tries++) {
		name = segs->seg[segs->len - 1].name;
		good = s->state;
		rc = read_segment(s, name, &good, end, at, &proof, why);
		if (!hsa_is_ok(rc) && rc.v != HSA_E_CORRUPT)
			return hsa_fail(diag, rc, "%s/%s: %s", s->dir, name,
			    rc.v == HSA_E_IO ? strerror(errno)
					     : hsa_err_text(rc));
		HSA_TRY(rc, no_proof(s, name, &good, *at, proof, why, diag));
		if (*end != 0) {
			s->state = good;
			return HSA_OK;
		}
		segs->len--;
	}
	if (segs->len > 0)
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s: the last two segments hold no good checkpoint; run "
		    "hsa verify, then restore the folder or move it away to "
		    "collect anew",
		    s->dir);
out:
	return rc;
}

static hsa_rc
cut(struct vfy_store *s, const char *name, uint64_t end, struct hsa_diag *diag)
{
	struct stat st;

	s->fd = openat(
	    s->folder, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st) != 0 ||
	    ((uint64_t)st.st_size != end &&
		ftruncate(s->fd, (off_t)end) != 0) ||
	    fsync(s->fd) != 0)
		return broken(s, "cannot cut the torn tail", diag);
	s->written = end;
	return HSA_OK;
}

static hsa_rc
recover(struct vfy_store *s, struct hsa_diag *diag)
{
	struct vfy_segments segs = {0};
	struct vfy_why why = {0};
	uint64_t end = 0, at = 0;
	size_t all;
	bool same;
	hsa_rc rc;

	HSA_TRY(rc, vfy_file_list(&segs, s->folder, diag));
	all = segs.len;
	HSA_TRY(rc, find_end(s, &segs, &end, &at, &why, diag));
	HSA_TRY(rc, check_head(s, all == 0 ? "" : segs.seg[all - 1].name, at,
			&why, &same, diag));
	/* nothing was touched so far; now it is sure that it is only a tail */
	for (size_t i = segs.len; i < all; i++)
		if (unlinkat(s->folder, segs.seg[i].name, 0) != 0) {
			rc = broken(s, "cannot remove a torn segment", diag);
			goto out;
		}
	if (end == 0)
		goto out;
	HSA_TRY(rc, cut(s, segs.seg[segs.len - 1].name, end, diag));
	if (!same)
		HSA_TRY(rc, write_head(s, diag));
	if (fsync(s->folder) != 0)
		rc = broken(s, "cannot sync the folder", diag);
out:
	vfy_segments_free(&segs);
	return rc;
}

hsa_rc
vfy_store_open(struct vfy_store **to, const char *dir,
    const struct vfy_key *key, size_t segment_bytes, struct hsa_diag *diag)
{
	struct vfy_store *s = calloc(1, sizeof(*s));
	struct stat st;
	hsa_rc rc;

	if (s == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	s->folder = s->fd = -1;
	s->segment_bytes =
	    segment_bytes == 0 ? VFY_STORE_SEGMENT : segment_bytes;
	s->dir = strdup(dir);
	s->h = hsa_sha256_new();
	if (s->dir == NULL || s->h == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
		goto out;
	}
	HSA_TRY(rc, vfy_signer_new(&s->signer, key));
	rc = vfy_state_init(&s->state, s->h, s->signer, key->origin);
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(
		    diag, "the key's origin %s names no unit", key->origin);
		goto out;
	}
	if (lstat(dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
		rc = hsa_fail(diag, HSA_RC(E_IO), "%s: not a folder", dir);
		goto out;
	}
	if (lstat(dir, &st) == 0) {
		HSA_TRY(rc, lock(s, diag));
		HSA_TRY(rc, recover(s, diag));
	}
	*to = s;
	s = NULL;
out:
	vfy_store_free(s);
	return rc;
}

void
vfy_store_free(struct vfy_store *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->folder >= 0)
		(void)close(s->folder);
	vfy_signer_free(s->signer);
	hsa_sha256_free(s->h);
	hsa_buf_free(&s->note);
	free(s->dir);
	free(s);
}

const struct vfy_state *
vfy_store_state(const struct vfy_store *s)
{
	return &s->state;
}

/* ---- writing ------------------------------------------------------------- */

/* W2: the header under the final name, file and folder synced, then append. */
static hsa_rc
new_segment(struct vfy_store *s, struct hsa_diag *diag)
{
	const struct vfy_tree *t = &s->state.tree;
	struct hsa_buf b = {0};
	char name[VFY_NAME_MAX];
	hsa_rc rc;

	if (s->folder < 0)
		HSA_TRY(rc, make_folder(s, diag));
	if (s->fd >= 0) {
		/* what the old one holds is durable before the new one is */
		HSA_TRY(rc, vfy_store_sync(s, diag));
		(void)close(s->fd);
		s->fd = -1;
	}
	vfy_file_name(name, t->size);
	HSA_TRY(rc, hsa_entry_encode_header(&b, s->state.origin, t->size,
			t->hash, t->depth, s->state.source_sequence));
	HSA_TRY(rc, hsa_buf_rc(&b));
	s->fd = openat(s->folder, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (s->fd < 0 || !hsa_is_ok(write_all(s->fd, b.p, b.len)) ||
	    fsync(s->fd) != 0 || fsync(s->folder) != 0) {
		rc = broken(s, "cannot start a segment", diag);
		goto out;
	}
	s->written = b.len;
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
vfy_store_append(struct vfy_store *s, const struct vfy_state *next,
    const void *entries, size_t n, const void *note, size_t note_len,
    struct hsa_diag *diag)
{
	hsa_rc rc;

	if (s->broken)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: closed after a failed write", s->dir);
	if (s->fd < 0 || s->written >= s->segment_bytes)
		HSA_TRY(rc, new_segment(s, diag));
	s->dirty = true;
	if (!hsa_is_ok(write_all(s->fd, entries, n))) {
		rc = broken(s, "cannot write", diag);
		/* readers should not find half a batch for long */
		if (ftruncate(s->fd, (off_t)s->written) != 0)
			hsa_diag_wrap(diag, "the tail is torn");
		goto out;
	}
	s->written += n;
	hsa_buf_reset(&s->note);
	hsa_buf_put(&s->note, note, note_len);
	HSA_TRY(rc, hsa_buf_rc(&s->note));
	s->state = *next;
out:
	if (!hsa_is_ok(rc))
		s->broken = true;
	return rc;
}

hsa_rc
vfy_store_sync(struct vfy_store *s, struct hsa_diag *diag)
{
	hsa_rc rc;

	if (s->broken)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: closed after a failed write", s->dir);
	if (!s->dirty)
		return HSA_OK;
	if (fdatasync(s->fd) != 0)
		return broken(s, "cannot sync", diag);
	HSA_TRY(rc, write_head(s, diag));
	s->dirty = false;
out:
	return rc;
}
