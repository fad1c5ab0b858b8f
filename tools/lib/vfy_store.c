#include <errno.h>
#include <fcntl.h>
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
#include "vfy_store_impl.h"

#define HEAD_NEW "head.new"

hsa_rc
vfy_store_broken(struct vfy_store *s, const char *what, struct hsa_diag *diag)
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
		return vfy_store_broken(s, "cannot make the folder", diag);
	HSA_TRY(rc, lock(s, diag));
	if (slash == NULL || slash == s->dir)
		return HSA_OK;
	*slash = '\0';
	parent = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (parent < 0 || fsync(parent) != 0)
		rc = vfy_store_broken(s, "cannot sync the folder above", diag);
	if (parent >= 0)
		(void)close(parent);
out:
	return rc;
}

hsa_rc
vfy_store_head(struct vfy_store *s, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;
	int fd = -1;

	fd = openat(s->folder, HEAD_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !hsa_is_ok(write_all(fd, s->note.p, s->note.len)) ||
	    renameat(s->folder, HEAD_NEW, s->folder, VFY_HEAD) != 0)
		rc = vfy_store_broken(s, "cannot write the head", diag);
	if (fd >= 0)
		(void)close(fd);
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
		HSA_TRY(rc, vfy_store_recover(s, diag));
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
	if (s->fd >= 0 && !s->broken && !s->dirty)
		vfy_store_sum_note(s, true);
	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->folder >= 0)
		(void)close(s->folder);
	vfy_store_sum_free(s);
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
		rc = vfy_store_broken(s, "cannot start a segment", diag);
		goto out;
	}
	s->written = b.len;
	vfy_store_sum_start(s, name);
	vfy_store_sum_add(s, b.p, b.len);
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
	/* where the log has its borders, and elsewhere only if it has none */
	if (s->fd < 0 || next->segment > s->state.segment ||
	    (s->written >= s->segment_bytes && !next->opened))
		HSA_TRY(rc, new_segment(s, diag));
	s->dirty = true;
	if (!hsa_is_ok(write_all(s->fd, entries, n))) {
		rc = vfy_store_broken(s, "cannot write", diag);
		/* readers should not find half a batch for long */
		if (ftruncate(s->fd, (off_t)s->written) != 0)
			hsa_diag_wrap(diag, "the tail is torn");
		goto out;
	}
	s->written += n;
	vfy_store_sum_add(s, entries, n);
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
		return vfy_store_broken(s, "cannot sync", diag);
	HSA_TRY(rc, vfy_store_head(s, diag));
	s->dirty = false;
	vfy_store_sum_note(s, false);
out:
	return rc;
}
