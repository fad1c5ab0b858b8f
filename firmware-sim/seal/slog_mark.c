#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "slog_mark.h"

#define FILE_MAX 8192u

/* ---- reading ------------------------------------------------------------- */

static hsa_rc
bad(const struct slog_mark *m, const char *what, struct hsa_diag *diag)
{
	return hsa_fail(diag, HSA_RC(E_CORRUPT),
	    "%s: %s; fix: chmod 600, or put it back as it was (it says where "
	    "calls lie that are not sealed yet)",
	    m->path, what);
}

/* A file of this user's alone, whole. E_NOT_FOUND. */
static hsa_rc
slurp(struct hsa_buf *b, const struct slog_mark *m, struct hsa_diag *diag)
{
	int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t *room = hsa_buf_reserve(b, FILE_MAX + 1);
	struct stat st;
	ssize_t n = -1;
	hsa_rc rc = HSA_OK;

	if (fd < 0)
		return errno == ENOENT ? HSA_RC(E_NOT_FOUND)
				       : bad(m, strerror(errno), diag);
				       if (room == NULL)
					       rc = HSA_RC(E_NOMEM);
				       else if (fstat(fd, &st) != 0 ||
						!S_ISREG(st.st_mode) ||
						st.st_uid != geteuid() ||
						(st.st_mode & 077) != 0)
					       rc = bad(m,
						   "not a file of this user's "
						   "alone",
						   diag);
				       else if ((n = pread(fd, room,
						     FILE_MAX + 1, 0)) < 0)
					       rc = bad(
						   m, strerror(errno), diag);
				       else if ((size_t)n > FILE_MAX ||
						memchr(room, '\0', (size_t)n) !=
						    NULL)
					       rc = bad(m,
						   "not of the form that it "
						   "has",
						   diag);
				       if (hsa_is_ok(rc))
					       b->len = (size_t)n;
				       (void)close(fd);
				       return rc;
}

static hsa_rc
take(struct slog_mark *m, char *text, struct hsa_diag *diag)
{
	static const char lost[] = "lost ";
	char *second = strchr(text, '\n'), *end = NULL;
	hsa_rc rc = HSA_OK;

	if (second != NULL)
		*second++ = '\0';
	if (text[0] != '\0')
		HSA_TRY(rc, slog_mark_ring(m, text));
	if (second == NULL || second[0] == '\0')
		return rc;
	if (strncmp(second, lost, sizeof(lost) - 1) != 0)
		return bad(m, "not of the form that it has", diag);
	second += sizeof(lost) - 1;
	m->epoch = strtoull(second, &end, 10);
	if (end == second || *end != ' ')
		return bad(m, "not of the form that it has", diag);
	end[1 + strcspn(end + 1, "\n")] = '\0';
	(void)snprintf(m->why, sizeof(m->why), "%s", end + 1);
	m->lost = true;
out:
	return rc;
}

hsa_rc
slog_mark_load(struct slog_mark *m, const char *path, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc = HSA_OK;

	*m = (struct slog_mark){0};
	if (path == NULL)
		return rc;
	m->path = strdup(path);
	if (m->path == NULL)
		return HSA_RC(E_NOMEM);
	rc = slurp(&b, m, diag);
	if (rc.v == HSA_E_NOT_FOUND) {
		rc = HSA_OK;
		goto out;
	}
	HSA_TRY(rc, rc);
	hsa_buf_u8(&b, '\0');
	HSA_TRY(rc, hsa_buf_rc(&b));
	rc = take(m, (char *)b.p, diag);
out:
	hsa_buf_free(&b);
	return rc;
}

/* ---- writing ------------------------------------------------------------- */

static int
write_all(int fd, const uint8_t *p, size_t n)
{
	while (n != 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static int
sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = -1, e = -1;

	if (copy != NULL)
		fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		e = fsync(fd);
		(void)close(fd);
	}
	free(copy);
	return e;
}

/* Under another name first, so that it is there whole or not at all. */
static int
replace(const char *path, const char *next, const struct hsa_buf *text)
{
	int fd = open(
	    next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int e = fd < 0 ? -1 : write_all(fd, text->p, text->len);

	if (e == 0)
		e = fsync(fd);
	if (fd >= 0)
		(void)close(fd);
	return e == 0 ? rename(next, path) : e;
}

hsa_rc
slog_mark_store(const struct slog_mark *m, struct hsa_diag *diag)
{
	struct hsa_buf text = {0}, next = {0};
	hsa_rc rc;
	int e;

	if (m->path == NULL)
		return HSA_OK;
	hsa_buf_printf(&next, "%s.new", m->path);
	hsa_buf_printf(&text, "%s\n", m->ring == NULL ? "" : m->ring);
	if (m->lost)
		hsa_buf_printf(
		    &text, "lost %" PRIu64 " %s\n", m->epoch, m->why);
	HSA_TRY(rc, hsa_buf_rc(&next));
	HSA_TRY(rc, hsa_buf_rc(&text));
	if (m->ring == NULL && !m->lost)
		e = unlink(m->path) != 0 && errno != ENOENT ? -1 : 0;
	else
		e = replace(m->path, hsa_buf_cstr(&next), &text);
	if (e == 0)
		e = sync_folder(m->path);
	if (e != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO), "cannot write %s: %s",
		    m->path, strerror(errno));
out:
	hsa_buf_free(&text);
	hsa_buf_free(&next);
	return rc;
}

hsa_rc
slog_mark_ring(struct slog_mark *m, const char *ring)
{
	char *copy = ring == NULL ? NULL : strdup(ring);

	if (ring != NULL && copy == NULL)
		return HSA_RC(E_NOMEM);
	free(m->ring);
	m->ring = copy;
	return HSA_OK;
}

void
slog_mark_free(struct slog_mark *m)
{
	free(m->path);
	free(m->ring);
	*m = (struct slog_mark){0};
}
