#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfy_file.h"
#include "vfy_scan.h"
#include "vfy_store_impl.h"

#define HEAD_MAX HSA_NOTE_MAX

/* Reads one segment as far as it is good. *end: behind its last good
 * checkpoint, 0 when it has none; at, why: where it stopped. A whole
 * checkpoint that is wrong sets *proof: no crash leaves that. Signatures in
 * the first `known` bytes are not checked. */
static hsa_rc
read_segment(struct vfy_store *s, const char *name, struct vfy_state *good,
    uint64_t known, uint64_t *end, uint64_t *at, bool *proof,
    struct vfy_why *why)
{
	struct vfy_state now = *good;
	struct vfy_reader r = {0};
	struct hsa_entry e;
	bool first = true;
	size_t used;
	hsa_rc rc;

	*end = 0;
	hsa_buf_reset(&s->note);
	HSA_TRY(rc, vfy_reader_open(&r, s->folder, name));
	for (;; first = false) {
		*at = r.offset;
		HSA_TRY(rc, vfy_reader_next(&r, &e, &used));
		if (first != (e.kind == HSA_ENTRY_HEADER)) {
			rc = vfy_why_set(why, "V3", "header missing or twice");
			goto out;
		}
		if (e.kind == HSA_ENTRY_HEADER) {
			memcpy(s->before, e.source_last, sizeof(s->before));
			HSA_TRY(rc, vfy_state_start(&now, &e, why));
		} else if (e.kind == HSA_ENTRY_RECORD)
			HSA_TRY(rc, vfy_state_record(&now, e.p, e.n, why));
		else {
			*proof = true;
			now.signer = r.offset <= known ? NULL : s->signer;
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

static bool
is_signed(const struct vfy_store *s, const struct hsa_buf *b)
{
	struct vfy_note note;

	return hsa_is_ok(vfy_note_parse(&note, b->p, b->len, NULL)) &&
	       hsa_is_ok(vfy_signer_verify(s->signer, &note));
}

/*
 * Who seals often leaves a checkpoint every few records, and each signature
 * costs as much as the hashes of a hundred. Those in bytes that were checked
 * before (vfy_store_sum.c) are left out, but for the last one, which covers
 * every record and the header's frontier; all sizes and roots have to fit the
 * tree anyway. At anything odd all are checked, to say where, and what was
 * sealed.
 */
static hsa_rc
read_checked(struct vfy_store *s, const char *name, struct vfy_state *good,
    uint64_t *end, uint64_t *at, bool *proof, struct vfy_why *why)
{
	struct vfy_state quick = *good;
	uint64_t known = vfy_store_sum_known(s, name);
	hsa_rc rc;

	if (known != 0) {
		rc = read_segment(s, name, &quick, known, end, at, proof, why);
		if (hsa_is_ok(rc) && *end != 0 && is_signed(s, &s->note)) {
			quick.signer = s->signer;
			*good = quick;
			return rc;
		}
		*why = (struct vfy_why){0};
		*proof = false;
	}
	return read_segment(s, name, good, 0, end, at, proof, why);
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

/* W3: the numbers of the sources in the header that was read last have to be
 * those of the segment before it. */
static hsa_rc
check_numbers(struct vfy_store *s, const char *name, const char *before,
    struct hsa_diag *diag)
{
	uint64_t last[HSA_SOURCES + 1] = {0};
	struct vfy_reader r = {0};
	struct vfy_seen seen;
	struct vfy_why wrong;
	struct hsa_entry e;
	const char *why;
	uint64_t at = 0;
	size_t used;
	hsa_rc rc;

	HSA_TRY(rc, vfy_reader_open(&r, s->folder, before));
	for (;;) {
		at = r.offset;
		HSA_TRY(rc, vfy_reader_next(&r, &e, &used));
		if (e.kind == HSA_ENTRY_HEADER)
			memcpy(last, e.source_last, sizeof(last));
		if (e.kind != HSA_ENTRY_RECORD)
			continue;
		HSA_TRY(rc, vfy_scan_record(&seen, &why, e.p, e.n));
		last[seen.source] = seen.source_sequence;
		if (seen.sequence == 1 && vfy_scan_new_chain(&seen))
			HSA_TRY(rc, vfy_state_numbers(last, s->state.origin,
					e.p, e.n, &wrong));
	}
out:
	vfy_reader_close(&r);
	if (rc.v == HSA_E_IO || rc.v == HSA_E_NOMEM)
		return hsa_fail(diag, rc, "%s/%s: %s", s->dir, before,
		    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc));
	if (rc.v != HSA_E_CLOSED)
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s/%s, byte %" PRIu64 ": an entry is damaged; run hsa "
		    "verify, then restore the folder or move it away to "
		    "collect anew",
		    s->dir, before, at);
	if (memcmp(last, s->before, sizeof(last)) != 0)
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s/%s, byte 0: the header's numbers of the sources are "
		    "not those of the records before it; run hsa verify, then "
		    "restore the folder or move it away to collect anew",
		    s->dir, name);
	return HSA_OK;
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
		rc = read_checked(s, name, &good, end, at, &proof, why);
		if (!hsa_is_ok(rc) && rc.v != HSA_E_CORRUPT)
			return hsa_fail(diag, rc, "%s/%s: %s", s->dir, name,
			    rc.v == HSA_E_IO ? strerror(errno)
					     : hsa_err_text(rc));
		HSA_TRY(rc, no_proof(s, name, &good, *at, proof, why, diag));
		if (*end != 0) {
			if (segs->len > 1)
				HSA_TRY(rc,
				    check_numbers(s, name,
					segs->seg[segs->len - 2].name, diag));
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
		return vfy_store_broken(s, "cannot cut the torn tail", diag);
	s->written = end;
	vfy_store_sum_upto(s, name, end);
	return HSA_OK;
}

hsa_rc
vfy_store_recover(struct vfy_store *s, struct hsa_diag *diag)
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
			rc = vfy_store_broken(
			    s, "cannot remove a torn segment", diag);
			goto out;
		}
	if (end == 0)
		goto out;
	HSA_TRY(rc, cut(s, segs.seg[segs.len - 1].name, end, diag));
	if (!same)
		HSA_TRY(rc, vfy_store_head(s, diag));
	if (fsync(s->folder) != 0)
		rc = vfy_store_broken(s, "cannot sync the folder", diag);
out:
	vfy_segments_free(&segs);
	return rc;
}
