#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_event.h"
#include "hsa_hash.h"
#include "tkc_files.h"

#define NAMES_MAX 4096u

static hsa_rc
check_directory(int fd, const char *path, struct hsa_diag *diag)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid())
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s belongs to another user: name a directory of your own "
		    "with --files or CLOUDTKEFILES",
		    path);
	if ((st.st_mode & 077) != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s holds key files but is open to others: chmod 700 %s",
		    path, path);
	return HSA_OK;
}

hsa_rc
tkc_files_open(struct tkc_files *f, const char *path, struct hsa_diag *diag)
{
	int fd = -1;
	char *copy = NULL;
	hsa_rc rc;

	if (path == NULL)
		path = getenv("CLOUDTKEFILES");
	if (path == NULL || path[0] == '\0')
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "no directory for key files: set CLOUDTKEFILES or give "
		    "--files DIR");
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "cannot make directory %s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG), "cannot open %s: %s",
		    path, strerror(errno));
	HSA_TRY(rc, check_directory(fd, path, diag));
	HSA_TRY(rc, hsa_strdup_opt(&copy, path));
	f->fd = fd;
	f->path = copy;
	return HSA_OK;
out:
	close(fd);
	return rc;
}

void
tkc_files_close(struct tkc_files *f)
{
	if (f == NULL || f->path == NULL)
		return;
	close(f->fd);
	free(f->path);
	f->path = NULL;
	f->fd = -1;
}

static hsa_rc
read_all(struct hsa_buf *b, int fd, const char *path, size_t max,
    struct hsa_diag *diag)
{
	size_t start = b->len;

	for (;;) {
		uint8_t *p = hsa_buf_reserve(b, 4096);
		ssize_t n;

		if (p == NULL)
			return HSA_RC(E_NOMEM);
		n = read(fd, p, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hsa_fail(diag, HSA_RC(E_IO), "%s: %s", path,
			    strerror(errno));
		if (n == 0)
			return HSA_OK;
		b->len += (size_t)n;
		if (b->len - start > max)
			return hsa_fail(diag, HSA_RC(E_RANGE),
			    "%s is larger than %zu bytes: is it the right "
			    "file?",
			    path, max);
	}
}

/* O_NONBLOCK: opening a FIFO by mistake must not hang before it is refused. */
static hsa_rc
read_at(struct hsa_buf *b, int dir, const char *name, size_t max, int flags,
    bool secret, struct hsa_diag *diag)
{
	struct stat st;
	int fd = -1;
	hsa_rc rc;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	if (fd < 0)
		return hsa_fail(diag,
		    errno == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_CONFIG),
		    "cannot read %s: %s", name, strerror(errno));
	if (fstat(fd, &st) != 0)
		rc = hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", name, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rc = hsa_fail(diag, HSA_RC(E_CONFIG), "%s is not a file", name);
	else if (secret && (st.st_mode & 077) != 0)
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s holds a secret but others can read it: chmod 600 %s",
		    name, name);
	else
		rc = read_all(b, fd, name, max, diag);
	close(fd);
	return rc;
}

hsa_rc
tkc_files_read(const struct tkc_files *f, struct hsa_buf *b, const char *name,
    struct hsa_diag *diag)
{
	hsa_rc rc =
	    read_at(b, f->fd, name, TKC_FILE_MAX, O_NOFOLLOW, false, diag);

	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "%s", f->path);
	return rc;
}

hsa_rc
tkc_slurp(struct hsa_buf *b, const char *path, size_t max, bool secret,
    struct hsa_diag *diag)
{
	return read_at(b, AT_FDCWD, path, max, 0, secret, diag);
}

hsa_rc
tkc_slurp_line(struct hsa_buf *b, const char *path, struct hsa_diag *diag)
{
	struct hsa_buf all = {0};
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, tkc_slurp(&all, path, TKC_FILE_MAX, true, diag));
	n = all.len;
	if (n > 0 && all.p[n - 1] == '\n')
		n--;
	if (n > 0 && all.p[n - 1] == '\r')
		n--;
	if (n == 0 || memchr(all.p, '\n', n) != NULL ||
	    memchr(all.p, '\0', n) != NULL) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "%s must hold exactly one line of text", path);
		goto out;
	}
	hsa_buf_put(b, all.p, n);
	HSA_TRY(rc, hsa_buf_rc(b));
out:
	hsa_buf_free(&all);
	return rc;
}

static hsa_rc
write_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return HSA_RC(E_IO);
		at += w;
		n -= (size_t)w;
	}
	return fsync(fd) == 0 ? HSA_OK : HSA_RC(E_IO);
}

/* A whole file under a temporary name; temp is left for the caller to move. */
static hsa_rc
write_temp(const struct tkc_files *f, char temp[TKC_FILE_NAME], const void *p,
    size_t n)
{
	uint8_t salt[8];
	char hex[17];
	int fd = -1;
	hsa_rc rc;

	HSA_TRY(rc, hsa_random(salt, sizeof(salt)));
	hsa_hex(hex, salt, sizeof(salt));
	snprintf(temp, TKC_FILE_NAME, ".%s.tmp", hex);
	fd = openat(f->fd, temp,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return HSA_RC(E_IO);
	rc = write_all(fd, p, n);
	if (close(fd) != 0 && hsa_is_ok(rc))
		rc = HSA_RC(E_IO);
	if (!hsa_is_ok(rc))
		unlinkat(f->fd, temp, 0);
out:
	return rc;
}

static hsa_rc
put(const struct tkc_files *f, const char *name, const void *p, size_t n,
    unsigned int flags, struct hsa_diag *diag)
{
	char temp[TKC_FILE_NAME] = "";
	hsa_rc rc;

	rc = write_temp(f, temp, p, n);
	if (!hsa_is_ok(rc))
		return hsa_fail(diag, rc, "cannot write in %s: %s", f->path,
		    strerror(errno));
	if (renameat2(f->fd, temp, f->fd, name, flags) != 0) {
		int e = errno;

		unlinkat(f->fd, temp, 0);
		return hsa_fail(diag,
		    e == EEXIST ? HSA_RC(E_EXISTS) : HSA_RC(E_IO),
		    "cannot write %s/%s: %s", f->path, name, strerror(e));
	}
	if (fsync(f->fd) != 0)
		return hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", f->path, strerror(errno));
	return HSA_OK;
}

hsa_rc
tkc_files_create(const struct tkc_files *f, const char *name, const void *p,
    size_t n, struct hsa_diag *diag)
{
	return put(f, name, p, n, RENAME_NOREPLACE, diag);
}

hsa_rc
tkc_files_replace(const struct tkc_files *f, const char *name, const void *p,
    size_t n, struct hsa_diag *diag)
{
	return put(f, name, p, n, 0, diag);
}

hsa_rc
tkc_files_remove(
    const struct tkc_files *f, const char *name, struct hsa_diag *diag)
{
	if (unlinkat(f->fd, name, 0) != 0)
		return hsa_fail(diag,
		    errno == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_IO),
		    "cannot remove %s/%s: %s", f->path, name, strerror(errno));
	return fsync(f->fd) == 0 ? HSA_OK
				 : hsa_fail(diag, HSA_RC(E_IO), "%s: %s",
				       f->path, strerror(errno));
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
wanted(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return name[0] != '.' && n > s && n < TKC_FILE_NAME &&
	       strcmp(name + n - s, suffix) == 0;
}

static hsa_rc
add_name(struct tkc_names *names, const char *name)
{
	char(*more)[TKC_FILE_NAME] = NULL;

	if (names->len >= NAMES_MAX)
		return HSA_RC(E_RANGE);
	more = realloc(names->name, (names->len + 1) * sizeof(*more));
	if (more == NULL)
		return HSA_RC(E_NOMEM);
	names->name = more;
	memcpy(more[names->len++], name, strlen(name) + 1); /* see wanted() */
	return HSA_OK;
}

hsa_rc
tkc_files_list(const struct tkc_files *f, struct tkc_names *names,
    const char *suffix, struct hsa_diag *diag)
{
	struct tkc_names found = {0};
	struct dirent *e = NULL;
	DIR *d = NULL;
	int fd = -1;
	hsa_rc rc = HSA_OK;

	fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		rc = hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", f->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		goto out;
	}
	while ((e = readdir(d)) != NULL)
		if (wanted(e->d_name, suffix))
			HSA_TRY(rc, add_name(&found, e->d_name));
	if (found.len > 0)
		qsort(found.name, found.len, TKC_FILE_NAME, compare_names);
	*names = found;
	found = (struct tkc_names){0};
out:
	if (d != NULL)
		closedir(d);
	tkc_names_free(&found);
	return rc;
}

void
tkc_names_free(struct tkc_names *names)
{
	if (names == NULL)
		return;
	free(names->name);
	*names = (struct tkc_names){0};
}

hsa_rc
tkc_write_new(const char *path, const void *p, size_t n, struct hsa_diag *diag)
{
	int fd = -1;
	hsa_rc rc;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return hsa_fail(diag,
		    errno == EEXIST ? HSA_RC(E_EXISTS) : HSA_RC(E_IO),
		    "cannot write %s: %s", path, strerror(errno));
	rc = write_all(fd, p, n);
	if (close(fd) != 0 && hsa_is_ok(rc))
		rc = HSA_RC(E_IO);
	if (!hsa_is_ok(rc))
		return hsa_fail(
		    diag, rc, "cannot write %s: %s", path, strerror(errno));
	return HSA_OK;
}
