#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "epc_file.h"

static bool
standard(const char *path)
{
	return path == NULL || strcmp(path, "-") == 0;
}

static hsa_rc
io(struct hsa_diag *diag, const char *path)
{
	int err = errno;

	return hsa_fail(diag,
	    err == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_IO), "%s: %s", path,
	    strerror(err));
}

hsa_rc
epc_in_open(struct epc_in *f, const char *path, struct hsa_diag *diag)
{
	*f = (struct epc_in){.fd = STDIN_FILENO, .name = "standard input"};
	if (standard(path))
		return HSA_OK;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	f->ours = true;
	f->name = path;
	return f->fd < 0 ? io(diag, path) : HSA_OK;
}

hsa_rc
epc_in_read(
    struct epc_in *f, struct hsa_buf *b, size_t max, struct hsa_diag *diag)
{
	uint8_t *to = hsa_buf_reserve(b, max);
	size_t got = 0;
	ssize_t n = 0;

	if (to == NULL)
		return HSA_RC(E_NOMEM);
	while (got < max) {
		n = read(f->fd, to + got, max - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io(diag, f->name);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	b->len += got;
	return HSA_OK;
}

void
epc_in_close(struct epc_in *f)
{
	if (f->ours && f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
}

hsa_rc
epc_file_read(
    struct hsa_buf *b, const char *path, size_t max, struct hsa_diag *diag)
{
	struct epc_in f = {.fd = -1};
	size_t before = b->len;
	hsa_rc rc;

	HSA_TRY(rc, epc_in_open(&f, path, diag));
	HSA_TRY(rc, epc_in_read(&f, b, max + 1, diag));
	if (b->len - before > max)
		rc = hsa_fail(diag, HSA_RC(E_RANGE),
		    "%s: longer than %zu bytes, which is no such file", f.name,
		    max);
out:
	epc_in_close(&f);
	return rc;
}

static hsa_rc
write_all(
    int fd, const char *path, const void *p, size_t n, struct hsa_diag *diag)
{
	const uint8_t *at = p;
	ssize_t k = 0;

	while (n > 0) {
		k = write(fd, at, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return io(diag, path);
		at += k;
		n -= (size_t)k;
	}
	return HSA_OK;
}

/* Not a file that can be put in place: a pipe, a terminal, /dev/null. */
static hsa_rc
write_device(const char *path, const void *p, size_t n, struct hsa_diag *diag)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	hsa_rc rc;

	if (fd < 0)
		return io(diag, path);
	rc = write_all(fd, path, p, n, diag);
	if (close(fd) != 0 && hsa_is_ok(rc))
		rc = io(diag, path);
	return rc;
}

hsa_rc
epc_file_write(const char *path, const void *p, size_t n, struct hsa_diag *diag)
{
	struct hsa_buf temp = {0};
	struct stat st = {0};
	char *name = NULL;
	int fd = -1;
	hsa_rc rc;

	if (standard(path))
		return write_all(STDOUT_FILENO, "standard output", p, n, diag);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return write_device(path, p, n, diag);
	hsa_buf_printf(&temp, "%s.XXXXXX", path);
	HSA_TRY(rc, hsa_buf_rc(&temp));
	(void)hsa_buf_cstr(&temp);
	name = (char *)temp.p;
	fd = mkostemp(name, O_CLOEXEC); /* 0600 */
	if (fd < 0) {
		name = NULL;
		rc = io(diag, path);
		goto out;
	}
	HSA_TRY(rc, write_all(fd, path, p, n, diag));
	if (fsync(fd) != 0 || rename(name, path) != 0) {
		rc = io(diag, path);
		goto out;
	}
	name = NULL;
out:
	if (name != NULL && fd >= 0)
		(void)unlink(name);
	if (fd >= 0)
		(void)close(fd);
	hsa_buf_free(&temp);
	return rc;
}
