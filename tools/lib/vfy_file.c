#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "vfy_file.h"

#define BUFFER (512u * 1024u)
/* No entry is longer, prefix included: a record and its wrapping. */
#define ENTRY_MAX (HSA_RECORD_MAX + 16u)

hsa_rc
vfy_file_folder(int *fd, const char *path, struct hsa_diag *diag)
{
	int got = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (got >= 0) {
		*fd = got;
		return HSA_OK;
	}
	if (errno == ENOENT)
		return hsa_fail(
		    diag, HSA_RC(E_NOT_FOUND), "%s: no such folder", path);
	return hsa_fail(diag, HSA_RC(E_IO), "%s: %s", path, strerror(errno));
}

void
vfy_file_name(char to[VFY_NAME_MAX], uint64_t first)
{
	(void)snprintf(to, VFY_NAME_MAX, "seg-%016" PRIx64 ".slog", first);
}

static int
is_segment(uint64_t *first, const char *name)
{
	char again[VFY_NAME_MAX];
	uint8_t be[8];

	if (strlen(name) != 25 || strncmp(name, "seg-", 4) != 0 ||
	    !hsa_is_ok(hsa_unhex(be, sizeof(be), name + 4, 16)))
		return 0;
	*first = 0;
	for (size_t i = 0; i < sizeof(be); i++)
		*first = *first << 8 | be[i];
	vfy_file_name(again, *first);
	return strcmp(again, name) == 0;
}

static int
by_first(const void *a, const void *b)
{
	const struct vfy_segment *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

hsa_rc
vfy_file_list(struct vfy_segments *to, int fd, struct hsa_diag *diag)
{
	struct vfy_segments s = {0};
	struct vfy_segment *more;
	struct dirent *d;
	hsa_rc rc = HSA_OK;
	DIR *dir = NULL;
	size_t cap = 0;
	uint64_t first;
	int again;

	again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (again >= 0)
		dir = fdopendir(again);
	if (dir == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_IO), "cannot list the folder: %s",
		    strerror(errno));
		if (again >= 0)
			(void)close(again);
		return rc;
	}
	for (errno = 0; (d = readdir(dir)) != NULL; errno = 0) {
		if (!is_segment(&first, d->d_name))
			continue;
		if (s.len == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			more = reallocarray(s.seg, cap, sizeof(*more));
			if (more == NULL) {
				rc = hsa_fail(
				    diag, HSA_RC(E_NOMEM), "out of memory");
				goto out;
			}
			s.seg = more;
		}
		s.seg[s.len].first = first;
		vfy_file_name(s.seg[s.len++].name, first);
	}
	if (errno != 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO), "cannot list the folder: %s",
		    strerror(errno));
		goto out;
	}
	if (s.len > 1)
		qsort(s.seg, s.len, sizeof(*s.seg), by_first);
	*to = s;
	s = (struct vfy_segments){0};
out:
	(void)closedir(dir);
	vfy_segments_free(&s);
	return rc;
}

void
vfy_segments_free(struct vfy_segments *s)
{
	if (s == NULL)
		return;
	free(s->seg);
	*s = (struct vfy_segments){0};
}

hsa_rc
vfy_file_open(int *fd, int folder, const char *name)
{
	struct stat st;
	int got;

	got = openat(folder, name,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (got < 0 && errno == ENOENT)
		return HSA_RC(E_NOT_FOUND);
	if (got < 0 && (errno == ELOOP || errno == ENXIO))
		return HSA_RC(E_UNSUPPORTED);
	if (got < 0)
		return HSA_RC(E_IO);
	if (fstat(got, &st) != 0) {
		(void)close(got);
		return HSA_RC(E_IO);
	}
	if (!S_ISREG(st.st_mode)) {
		(void)close(got);
		return HSA_RC(E_UNSUPPORTED);
	}
	*fd = got;
	return HSA_OK;
}

static hsa_rc
read_all(struct hsa_buf *b, int fd, size_t max)
{
	size_t all = 0;
	uint8_t *to;
	ssize_t got;

	do {
		to = hsa_buf_reserve(b, 4096);
		if (to == NULL)
			return HSA_RC(E_NOMEM);
		do
			got = read(fd, to, 4096);
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return HSA_RC(E_IO);
		b->len += (size_t)got;
		all += (size_t)got;
	} while (got > 0 && all <= max);
	return all > max ? HSA_RC(E_RANGE) : HSA_OK;
}

hsa_rc
vfy_file_get(struct hsa_buf *b, int folder, const char *name, size_t max)
{
	hsa_rc rc;
	int fd = -1;

	HSA_TRY(rc, vfy_file_open(&fd, folder, name));
	rc = read_all(b, fd, max);
	(void)close(fd);
out:
	return rc;
}

hsa_rc
vfy_file_slurp(struct hsa_buf *b, const char *path, size_t max)
{
	hsa_rc rc;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return errno == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_IO);
	rc = read_all(b, fd, max);
	(void)close(fd);
	return rc;
}

hsa_rc
vfy_file_rest(struct hsa_buf *b, int folder, const char *name, uint64_t from)
{
	hsa_rc rc;
	int fd = -1;

	HSA_TRY(rc, vfy_file_open(&fd, folder, name));
	if (lseek(fd, (off_t)from, SEEK_SET) < 0)
		rc = HSA_RC(E_IO);
	else
		rc = read_all(b, fd, SIZE_MAX);
	(void)close(fd);
out:
	return rc;
}

hsa_rc
vfy_reader_open(struct vfy_reader *r, int folder, const char *name)
{
	struct vfy_reader new = {.cap = BUFFER, .fd = -1};
	hsa_rc rc;

	HSA_TRY(rc, vfy_file_open(&new.fd, folder, name));
	new.buf = malloc(new.cap);
	if (new.buf == NULL) {
		(void)close(new.fd);
		return HSA_RC(E_NOMEM);
	}
	*r = new;
out:
	return rc;
}

void
vfy_reader_close(struct vfy_reader *r)
{
	if (r == NULL || r->buf == NULL)
		return;
	free(r->buf);
	(void)close(r->fd);
	*r = (struct vfy_reader){0};
}

void
vfy_reader_seek(struct vfy_reader *r, uint64_t offset)
{
	r->at = 0;
	r->end = 0;
	r->offset = offset;
}

/* More bytes behind those that are unread; *got 0 at the end of the file. */
static hsa_rc
fill(struct vfy_reader *r, size_t *got)
{
	size_t left = r->end - r->at;
	ssize_t n;

	if (r->at != 0) {
		memmove(r->buf, r->buf + r->at, left);
		r->at = 0;
		r->end = left;
	}
	do
		n = pread(r->fd, r->buf + r->end, r->cap - r->end,
		    (off_t)(r->offset + left));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return HSA_RC(E_IO);
	r->end += (size_t)n;
	*got = (size_t)n;
	return HSA_OK;
}

hsa_rc
vfy_reader_next(struct vfy_reader *r, struct hsa_entry *e, size_t *used)
{
	size_t got = 0, n = 0;
	hsa_rc rc;

	for (;;) {
		rc = r->at == r->end ? HSA_RC(E_TRUNCATED)
		    : hsa_entry_decode(e, &n, r->buf + r->at,
			  r->end - r->at);
		    if (rc.v != HSA_E_TRUNCATED)
			    break;
		    if (r->end - r->at >= ENTRY_MAX)
			    return HSA_RC(E_RANGE);
		    HSA_TRY(rc, fill(r, &got));
		    if (got == 0)
			    return r->end == 0 ? HSA_RC(E_CLOSED)
					   : HSA_RC(E_TRUNCATED);
	}
	HSA_TRY(rc, rc);
	r->at += n;
	r->offset += n;
	*used = n;
out:
	return rc;
}
