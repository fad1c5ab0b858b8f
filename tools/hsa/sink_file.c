#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "sink.h"
#include "sink_cursor.h"
#include "sink_value.h"

#define FORMATS "ibm-at envelope cadf-1.0 cef"
#define PIPE_PART 4096 /* POSIX: PIPE_BUF at least 512, Linux has 4096 */

/*
 * Lines of JSON in a file, each exactly once over any kill. Before a batch the
 * cursor says whose it is and how long the file was; after a crash the whole
 * lines behind that are compared with what would be written again, and are
 * passed over as long as they are the same. Only a torn last line is cut: what
 * other programs have read of the file stays where it was.
 */
struct file {
	const struct sink_stop *stop;
	enum sink_format format;
	struct sink_cursor cursor;
	struct hsa_buf batch, line, seen;
	char *path; /* NULL: standard output */
	int fd;
	bool reopen;
	/* of the batch being added */
	bool begun;
	uint64_t skip_from;  /* of its unit, behind the lines passed over */
	uint64_t first_line; /* sequence of the first record in `batch` */
};

/* ---- the file ------------------------------------------------------------ */

/* Behind the last LF at or after `from`, or `from`. */
static hsa_rc
last_line(off_t *to, int fd, off_t from, off_t end)
{
	char b[4096];

	while (end > from) {
		size_t n = end - from < (off_t)sizeof(b) ? (size_t)(end - from)
							 : sizeof(b);
		const char *lf;

		if (pread(fd, b, n, end - (off_t)n) != (ssize_t)n)
			return HSA_RC(E_IO);
		lf = memrchr(b, '\n', n);
		if (lf != NULL) {
			end -= (off_t)n - (lf - b) - 1;
			break;
		}
		end -= (off_t)n;
	}
	*to = end;
	return HSA_OK;
}

/* What a crash left: a torn line is cut, whole ones may be ours already. */
static hsa_rc
settle(struct file *f, const struct stat *st)
{
	struct sink_cursor *c = &f->cursor;
	bool same = c->has_file && c->device == (uint64_t)st->st_dev &&
		    c->inode == (uint64_t)st->st_ino;
	off_t from = 0, end = 0;
	struct sink_place *p;
	hsa_rc rc;

	if (same && c->has_pending && c->pending_at <= (uint64_t)st->st_size)
		from = (off_t)c->pending_at;
	HSA_TRY(rc, last_line(&end, f->fd, from, st->st_size));
	if (end != st->st_size && ftruncate(f->fd, end) != 0)
		return HSA_RC(E_IO);
	for (size_t i = 0; i < c->len; i++)
		if (!same || c->place[i].skip_to > (uint64_t)end)
			c->place[i].skip_from = c->place[i].skip_to = 0;
	if (c->has_pending && same && (uint64_t)end > c->pending_at) {
		p = sink_cursor_of(c, c->pending);
		if (p == NULL)
			return HSA_RC(E_NOMEM);
		p->skip_from = c->pending_at;
		p->skip_to = (uint64_t)end;
	}
	c->has_pending = false;
	c->has_file = true;
	c->device = (uint64_t)st->st_dev;
	c->inode = (uint64_t)st->st_ino;
out:
	return rc;
}

/* A new file's name is as durable as the lines in it. */
static bool
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd =
	    dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	free(dir);
	if (fd >= 0)
		(void)close(fd);
	return good;
}

static hsa_rc
open_file(struct file *f, struct hsa_diag *diag)
{
	struct stat st;
	hsa_rc rc;

	f->fd = open(
	    f->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	if (f->fd < 0 || fstat(f->fd, &st) != 0 ||
	    (st.st_size == 0 && !sync_folder(f->path)))
		return hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", f->path, strerror(errno));
	if (!S_ISREG(st.st_mode)) {
		(void)close(f->fd);
		f->fd = -1;
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "%s: not a regular file", f->path);
	}
	rc = settle(f, &st);
	if (hsa_is_ok(rc))
		return sink_cursor_save(&f->cursor, diag);
	return hsa_fail(diag, rc, "%s: %s", f->path, hsa_err_text(rc));
}

static void
close_file(struct file *f)
{
	if (f->fd >= 0 && f->path != NULL)
		(void)close(f->fd);
	f->fd = -1;
}

/* ---- the kind ------------------------------------------------------------ */

static void
file_close(void *ctx)
{
	struct file *f = ctx;
	struct hsa_diag diag;

	if (f == NULL)
		return;
	/* a clean end leaves nothing to compare */
	if (f->cursor.folder >= 0 && f->cursor.name != NULL)
		(void)!hsa_is_ok(sink_cursor_save(&f->cursor, &diag));
	close_file(f);
	sink_cursor_free(&f->cursor);
	hsa_buf_free(&f->batch);
	hsa_buf_free(&f->line);
	hsa_buf_free(&f->seen);
	free(f->path);
	free(f);
}

static hsa_rc
absolute(char **to, const char *path, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	char *here = NULL;

	if (path[0] == '\0')
		return hsa_fail(diag, HSA_RC(E_ARG), "file: give file:PATH");
	if (path[0] != '/') {
		here = getcwd(NULL, 0);
		if (here == NULL)
			return hsa_fail(
			    diag, HSA_RC(E_IO), "getcwd: %s", strerror(errno));
		hsa_buf_printf(&b, "%s/", here);
	}
	hsa_buf_str(&b, path);
	*to = b.failed ? NULL : strdup(hsa_buf_cstr(&b));
	hsa_buf_free(&b);
	free(here);
	return *to == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

static hsa_rc
file_open(void **ctx, const struct sink_config *cfg, struct hsa_diag *diag)
{
	struct file *f = calloc(1, sizeof(*f));
	struct hsa_buf name = {0};
	hsa_rc rc;

	if (f == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	f->fd = f->cursor.folder = -1;
	f->stop = cfg->stop;
	HSA_TRY(rc, sink_value_format(&f->format, cfg->uri, FORMATS, diag));
	if (strcmp(cfg->uri->scheme, "stdout") == 0) {
		if (cfg->uri->hosts || cfg->uri->path[0] != '\0') {
			rc = hsa_fail(diag, HSA_RC(E_ARG),
			    "stdout: takes nothing behind the colon");
			goto out;
		}
		hsa_buf_str(&name, "stdout:");
	} else {
		HSA_TRY(rc, absolute(&f->path, cfg->uri->path, diag));
		hsa_buf_printf(&name, "file:%s", f->path);
	}
	HSA_TRY(rc, hsa_buf_rc(&name));
	HSA_TRY(rc,
	    sink_cursor_load(&f->cursor, cfg->dir, hsa_buf_cstr(&name), diag));
	if (f->path == NULL)
		f->fd = STDOUT_FILENO;
	else
		HSA_TRY(rc, open_file(f, diag));
	*ctx = f;
	f = NULL;
out:
	hsa_buf_free(&name);
	file_close(f);
	return rc;
}

static hsa_rc
file_resume(void *ctx, uint64_t *next, const char *unit, struct hsa_diag *diag)
{
	struct file *f = ctx;
	struct sink_place *p;
	hsa_rc rc = HSA_OK;

	if (f->fd < 0 || f->reopen) {
		close_file(f);
		HSA_TRY(rc, open_file(f, diag));
		f->reopen = false;
	}
	p = sink_cursor_of(&f->cursor, unit);
	if (p == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	*next = p->next;
out:
	return rc;
}

/* Is this line what the file has at the place to pass over? */
static bool
is_there(struct file *f, const struct sink_place *p)
{
	uint8_t *to;

	if (f->line.len > p->skip_to - f->skip_from)
		return false;
	hsa_buf_reset(&f->seen);
	to = hsa_buf_reserve(&f->seen, f->line.len);
	return to != NULL &&
	       pread(f->fd, to, f->line.len, (off_t)f->skip_from) ==
		   (ssize_t)f->line.len &&
	       memcmp(to, f->line.p, f->line.len) == 0;
}

static hsa_rc
file_add(void *ctx, const char *unit, const struct hsa_record *r,
    const void *raw, size_t n)
{
	struct file *f = ctx;
	struct sink_place *p = sink_cursor_of(&f->cursor, unit);
	hsa_rc rc;

	if (p == NULL)
		return HSA_RC(E_NOMEM);
	if (!f->begun)
		f->skip_from = p->skip_from;
	f->begun = true;
	if (!sink_value_has(f->format, r))
		return HSA_OK;
	hsa_buf_reset(&f->line);
	HSA_TRY(rc, sink_value_put(&f->line, f->format, r, raw, n));
	hsa_buf_u8(&f->line, '\n');
	HSA_TRY(rc, hsa_buf_rc(&f->line));
	if (f->skip_from < p->skip_to && f->batch.len == 0) {
		if (is_there(f, p)) {
			f->skip_from += f->line.len;
			return HSA_OK;
		}
		/* not ours: from here on everything is written */
		f->skip_from = p->skip_to;
	}
	if (f->batch.len == 0)
		f->first_line = r->sequence;
	hsa_buf_put(&f->batch, f->line.p, f->line.len);
	rc = hsa_buf_rc(&f->batch);
out:
	return rc;
}

static void
file_drop(void *ctx)
{
	struct file *f = ctx;

	hsa_buf_reset(&f->batch);
	f->begun = false;
}

/* A pipe whose reader stands still must not hold the end of the program. */
static hsa_rc
write_slowly(const struct file *f, const uint8_t *p, size_t n)
{
	struct pollfd fd = {.fd = f->fd, .events = POLLOUT};
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w) {
		w = 0;
		if (sink_stop_now(f->stop))
			return HSA_RC(E_STOPPED);
		if (poll(&fd, 1, 200) <= 0)
			continue;
		w = write(f->fd, p, n < PIPE_PART ? n : PIPE_PART);
		if (w < 0 && (errno == EINTR || errno == EAGAIN))
			w = 0;
		else if (w <= 0)
			return HSA_RC(E_IO);
	}
	return HSA_OK;
}

static hsa_rc
write_file(const struct file *f, const uint8_t *p, size_t n)
{
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w) {
		w = write(f->fd, p, n);
		if (w < 0 && errno == EINTR)
			w = 0;
		else if (w <= 0)
			return HSA_RC(E_IO);
	}
	return fdatasync(f->fd) == 0 ? HSA_OK : HSA_RC(E_IO);
}

/* The intent first: whose lines, from which record on, will lie behind which
 * byte. */
static hsa_rc
announce(struct file *f, struct sink_place *p, struct hsa_diag *diag)
{
	struct stat st;

	if (f->path == NULL)
		return HSA_OK;
	if (fstat(f->fd, &st) != 0)
		return hsa_fail(diag, HSA_RC(E_IO), "%s", strerror(errno));
	f->cursor.has_pending = true;
	(void)snprintf(
	    f->cursor.pending, sizeof(f->cursor.pending), "%s", p->unit);
	f->cursor.pending_at = (uint64_t)st.st_size;
	p->next = f->first_line;
	p->skip_from = p->skip_to = 0;
	return sink_cursor_save(&f->cursor, diag);
}

static hsa_rc
file_put(void *ctx, const char *unit, uint64_t first, uint64_t next,
    struct hsa_diag *diag)
{
	struct file *f = ctx;
	struct sink_place *p = sink_cursor_of(&f->cursor, unit);
	hsa_rc rc = HSA_OK;

	(void)first;
	if (p == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	if (f->batch.len != 0) {
		HSA_TRY(rc, announce(f, p, diag));
		rc = f->path == NULL ? write_slowly(f, f->batch.p, f->batch.len)
				     : write_file(f, f->batch.p, f->batch.len);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag, "%s",
			    rc.v == HSA_E_IO ? strerror(errno)
					     : hsa_err_text(rc));
			/* afresh: a torn line is cut as after a crash */
			f->reopen = f->path != NULL;
			goto out;
		}
	}
	p->next = next;
	if (f->begun)
		p->skip_from = f->skip_from;
	if (p->skip_from >= p->skip_to)
		p->skip_from = p->skip_to = 0;
	f->cursor.has_pending = false;
	if (f->path == NULL)
		rc = sink_cursor_save(&f->cursor, diag);
out:
	file_drop(f);
	return rc;
}

static void
file_reopen(void *ctx)
{
	struct file *f = ctx;
	struct hsa_diag diag;

	if (f->path == NULL)
		return;
	close_file(f);
	/* when it fails: resume tries again, and says so */
	f->reopen = !hsa_is_ok(open_file(f, &diag));
}

const struct sink_kind sink_file = {
    .scheme = "file",
    .exact = true,
    .formats = FORMATS,
    .params = "format",
    .open = file_open,
    .resume = file_resume,
    .add = file_add,
    .put = file_put,
    .drop = file_drop,
    .reopen = file_reopen,
    .close = file_close,
};

/* What a pipe swallowed nobody can look at again: the batch that a kill falls
 * into may come twice. */
const struct sink_kind sink_stdout = {
    .scheme = "stdout",
    .exact = false,
    .formats = FORMATS,
    .params = "format",
    .open = file_open,
    .resume = file_resume,
    .add = file_add,
    .put = file_put,
    .drop = file_drop,
    .reopen = file_reopen,
    .close = file_close,
};
