/* The folder of an emitter: lock, key, identity. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_emitter_impl.h"
#include "slog_note.h"

#define PUB "checkpoint.pub"
#define PUB_MAX 512u
#define ORIGIN "cryptounit/" /* the one form that collectors take */

/* ---- files --------------------------------------------------------------- */

hsa_rc
hsa_emitter_file_read(
    struct hsa_buf *b, int dir, const char *name, size_t max, mode_t forbidden)
{
	int fd =
	    openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	uint8_t *room;
	ssize_t got = 1;
	hsa_rc rc = HSA_OK;

	if (fd < 0)
		return errno == ENOENT ? HSA_RC(E_NOT_FOUND)
		       : errno == ELOOP ? HSA_RC(E_AUTH)
					: HSA_RC(E_IO);
					if (fstat(fd, &st) != 0)
						rc = HSA_RC(E_IO);
					else if (!S_ISREG(st.st_mode) ||
						 st.st_uid != geteuid() ||
						 (st.st_mode & forbidden) != 0)
						rc = HSA_RC(E_AUTH);
					while (hsa_is_ok(rc) && got > 0) {
						room = hsa_buf_reserve(
						    b, max + 1 - b->len);
						if (room == NULL) {
							rc = HSA_RC(E_NOMEM);
							break;
						}
						got = read(
						    fd, room, max + 1 - b->len);
						if (got < 0 && errno == EINTR) {
							got = 1;
							continue;
						}
						if (got < 0)
							rc = HSA_RC(E_IO);
						else
							b->len += (size_t)got;
						if (b->len > max)
							rc = HSA_RC(E_RANGE);
					}
					(void)close(fd);
					return rc;
}

static hsa_rc
write_all(int fd, const uint8_t *p, size_t n)
{
	ssize_t put;

	while (n != 0) {
		put = write(fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return HSA_RC(E_IO);
		p += put;
		n -= (size_t)put;
	}
	return HSA_OK;
}

hsa_rc
hsa_emitter_file_make(int dir, const char *name, const void *p, size_t n)
{
	char next[64];
	int fd, e;
	hsa_rc rc;

	(void)snprintf(next, sizeof(next), "%s.new", name);
	fd = openat(dir, next,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return HSA_RC(E_IO);
	rc = write_all(fd, p, n);
	if (hsa_is_ok(rc) && fsync(fd) != 0)
		rc = HSA_RC(E_IO);
	e = errno;
	(void)close(fd);
	errno = e;
	if (hsa_is_ok(rc) &&
	    (renameat(dir, next, dir, name) != 0 || fsync(dir) != 0))
		rc = HSA_RC(E_IO);
	return rc;
}

/* ---- folder -------------------------------------------------------------- */

static hsa_rc
io(struct hsa_diag *diag, const char *what, const char *path)
{
	return hsa_fail(diag, HSA_RC(E_IO),
	    "cannot %s %s: %s; fix: a folder that this user can write, on a "
	    "disk with room",
	    what, path, strerror(errno));
}

/* What is acknowledged must not go with the folder's own name. */
static hsa_rc
sync_parent(int dir, const char *path, struct hsa_diag *diag)
{
	int up = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hsa_rc rc = HSA_OK;

	if (up < 0 || fsync(up) != 0)
		rc = io(diag, "sync the parent of", path);
	if (up >= 0)
		(void)close(up);
	return rc;
}

static hsa_rc
folder_open(struct hsa_emitter_home *h, const char *path, struct hsa_diag *diag)
{
	bool fresh = mkdir(path, 0700) == 0;
	struct stat st;

	if (!fresh && errno != EEXIST)
		return io(diag, "make", path);
	h->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->dir < 0)
		return io(diag, "open", path);
	h->lock = openat(
	    h->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	h->open = true;
	if (h->lock < 0)
		return io(diag, "make a lock in", path);
	if (fstat(h->dir, &st) != 0)
		return io(diag, "look at", path);
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return hsa_fail(diag, HSA_RC(E_KEY),
		    "%s is open to other users, who could replace its key; "
		    "fix: chown and chmod 700",
		    path);
	if (flock(h->lock, LOCK_EX | LOCK_NB) != 0)
		return hsa_fail(diag, HSA_RC(E_BUSY),
		    "%s: another process emits here; fix: stop it, or use "
		    "a folder for each process",
		    path);
	return fresh ? sync_parent(h->dir, path, diag) : HSA_OK;
}

/* ---- identity ------------------------------------------------------------ */

static hsa_rc
verifier_key(struct hsa_buf *b, struct hsa_emitter_home *h)
{
	struct slog_key k;
	char id[HSA_UUID_TEXT];
	hsa_rc rc;

	hsa_uuid_text(id, h->id);
	(void)snprintf(h->origin, sizeof(h->origin), ORIGIN "%s", id);
	HSA_TRY(rc, slog_key_init(&k, h->origin, h->public_key));
	slog_key_text(b, &k);
	hsa_buf_u8(b, '\n');
	rc = hsa_buf_rc(b);
out:
	return rc;
}

/* The id is what stands where ours is written; that the rest is as we would
 * write it for this id and key is checked as a whole. */
static hsa_rc
known(struct hsa_emitter_home *h, const struct hsa_buf *pub,
    struct hsa_diag *diag)
{
	char id[HSA_UUID_TEXT] = "";
	struct hsa_buf want = {0};
	hsa_rc rc = HSA_RC(E_FORMAT);

	if (pub->len > sizeof(ORIGIN) - 1 + sizeof(id) - 1) {
		memcpy(id, pub->p + sizeof(ORIGIN) - 1, sizeof(id) - 1);
		rc = hsa_uuid_parse(h->id, id);
	}
	if (!hsa_is_ok(rc)) {
		rc = hsa_fail(diag, HSA_RC(E_KEY),
		    PUB " is no verifier key of an emitter; fix: put it back");
		goto out;
	}
	HSA_TRY(rc, verifier_key(&want, h));
	if (want.len != pub->len || memcmp(want.p, pub->p, want.len) != 0)
		rc = hsa_fail(diag, HSA_RC(E_KEY),
		    PUB
		    " is not of this log's key; fix: put back the key and " PUB
		    " that belong together");
out:
	hsa_buf_free(&want);
	return rc;
}

static hsa_rc
first(struct hsa_emitter_home *h, const struct hsa_emitter_config *cfg,
    struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	if (cfg->emitter_id != NULL)
		memcpy(h->id, cfg->emitter_id, sizeof(h->id));
	else
		HSA_TRY(rc, hsa_uuid_new(h->id));
	HSA_TRY(rc, verifier_key(&b, h));
	rc = hsa_emitter_file_make(h->dir, PUB, b.p, b.len);
	if (!hsa_is_ok(rc))
		rc = io(diag, "write", PUB);
out:
	hsa_buf_free(&b);
	return rc;
}

static hsa_rc
identity(struct hsa_emitter_home *h, const struct hsa_emitter_config *cfg,
    struct hsa_diag *diag)
{
	struct hsa_buf pub = {0};
	bool fresh = false;
	hsa_rc rc;

	rc = hsa_emitter_file_read(&pub, h->dir, PUB, PUB_MAX, 022);
	if (rc.v == HSA_E_NOT_FOUND) {
		fresh = faccessat(h->dir, "log", F_OK, 0) != 0;
		rc = HSA_OK;
		if (!fresh)
			rc = hsa_fail(diag, HSA_RC(E_KEY),
			    PUB " is gone, and there is a log; fix: put it "
				"back, or move the whole folder away to begin "
				"a new log");
	} else if (!hsa_is_ok(rc))
		rc = hsa_fail(diag, HSA_RC(E_KEY),
		    PUB " cannot be read, or others can write it: %s; fix: "
			"chmod 600",
		    hsa_err_text(rc));
	if (!hsa_is_ok(rc))
		goto out;
	if (cfg->sign != NULL) {
		h->sign = cfg->sign;
		h->sign_ctx = cfg->sign_ctx;
		memcpy(h->public_key, cfg->public_key, sizeof(h->public_key));
	} else {
		HSA_TRY(rc, hsa_emitter_key_load(h, fresh, diag));
		h->sign = hsa_emitter_key_sign;
		h->sign_ctx = h;
	}
	HSA_TRY(rc, fresh ? first(h, cfg, diag) : known(h, &pub, diag));
	if (cfg->emitter_id != NULL &&
	    memcmp(cfg->emitter_id, h->id, sizeof(h->id)) != 0)
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "the folder is that of %s; fix: leave emitter_id NULL, or "
		    "use a folder for each emitter",
		    h->origin);
out:
	hsa_buf_free(&pub);
	return rc;
}

hsa_rc
hsa_emitter_home_open(struct hsa_emitter_home *h,
    const struct hsa_emitter_config *cfg, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, folder_open(h, cfg->dir, diag));
	rc = identity(h, cfg, diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "%s", cfg->dir);
out:
	if (!hsa_is_ok(rc))
		hsa_emitter_home_close(h);
	return rc;
}

void
hsa_emitter_home_close(struct hsa_emitter_home *h)
{
	hsa_emitter_key_free(h);
	if (h->open && h->lock >= 0)
		(void)close(h->lock);
	if (h->open)
		(void)close(h->dir);
	*h = (struct hsa_emitter_home){0};
}
