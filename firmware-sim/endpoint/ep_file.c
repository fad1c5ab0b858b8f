/* ep_file.c - see ep_file.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "ep_file.h"

static void
close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static hsa_rc
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;
	ssize_t done = 0;

	while (n > 0) {
		done = write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return HSA_RC(E_IO);
		at += done;
		n -= (size_t)done;
	}
	return HSA_OK;
}

hsa_rc
ep_file_read(
    struct hsa_buf *b, const char *path, size_t max, struct hsa_diag *diag)
{
	uint8_t *room = NULL;
	ssize_t got = 0;
	size_t total = 0;
	int fd = -1;
	hsa_rc rc = HSA_OK;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		rc = errno == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_IO);
		return hsa_fail(diag, rc,
		    "cannot open %s: %s; fix: check the path and its "
		    "permissions",
		    path, strerror(errno));
	}
	for (;;) {
		room = hsa_buf_reserve(b, 4096);
		if (room == NULL) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
		got = read(fd, room, 4096);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = hsa_fail(diag, HSA_RC(E_IO),
			    "cannot read %s: %s; fix: it must be a readable "
			    "file",
			    path, strerror(errno));
			goto out;
		}
		if (got == 0)
			break;
		b->len += (size_t)got;
		total += (size_t)got;
		if (total > max) {
			rc = hsa_fail(diag, HSA_RC(E_RANGE),
			    "%s has more than %zu bytes; fix: shorten it", path,
			    max);
			goto out;
		}
	}
out:
	close_fd(fd);
	return rc;
}

hsa_rc
ep_file_create(const char *path, const void *p, size_t n, struct hsa_diag *diag)
{
	int fd = -1;
	hsa_rc rc = HSA_OK;

	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return hsa_fail(diag,
		    errno == EEXIST ? HSA_RC(E_EXISTS) : HSA_RC(E_IO),
		    "cannot make %s: %s; fix: a folder that you can write",
		    path, strerror(errno));
	rc = write_all(fd, p, n);
	if (!hsa_is_ok(rc) || fsync(fd) != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot write %s: %s; fix: free space on that disk", path,
		    strerror(errno));
	close_fd(fd);
	return rc;
}

hsa_rc
ep_file_replace(
    const char *path, const void *p, size_t n, struct hsa_diag *diag)
{
	struct hsa_buf next = {0};
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&next, "%s.new", path);
	HSA_TRY(rc, hsa_buf_rc(&next));
	(void)unlink(hsa_buf_cstr(&next)); /* of one that was killed */
	HSA_TRY(rc, ep_file_create(hsa_buf_cstr(&next), p, n, diag));
	if (rename(hsa_buf_cstr(&next), path) != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot replace %s: %s; fix: a folder that you can write",
		    path, strerror(errno));
out:
	hsa_buf_free(&next);
	return rc;
}

hsa_rc
ep_file_number(const char *path, long v, struct hsa_diag *diag)
{
	struct hsa_buf next = {0}, text = {0};
	int fd = -1;
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&next, "%s.new", path);
	hsa_buf_printf(&text, "%ld\n", v);
	HSA_TRY(rc, hsa_buf_rc(&next));
	HSA_TRY(rc, hsa_buf_rc(&text));
	fd = open(hsa_buf_cstr(&next),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || !hsa_is_ok(write_all(fd, text.p, text.len)) ||
	    rename(hsa_buf_cstr(&next), path) != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot write %s: %s; fix: a folder that you can write",
		    path, strerror(errno));
out:
	close_fd(fd);
	hsa_buf_free(&next);
	hsa_buf_free(&text);
	return rc;
}

hsa_rc
ep_dir_make(const char *path, struct hsa_diag *diag)
{
	if (mkdir(path, 0700) != 0)
		return hsa_fail(diag,
		    errno == EEXIST ? HSA_RC(E_EXISTS) : HSA_RC(E_IO),
		    "cannot make the folder %s: %s; fix: its parent must be "
		    "there, and writable by you",
		    path, strerror(errno));
	return HSA_OK;
}

hsa_rc
ep_dir_sync(const char *path, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot sync %s: %s; fix: "
		    "a local file system",
		    path, strerror(errno));
	close_fd(fd);
	return rc;
}

hsa_rc
ep_dir_empty(bool *empty, const char *path, struct hsa_diag *diag)
{
	const struct dirent *e = NULL;
	DIR *d = opendir(path);
	bool found = false;

	if (d == NULL)
		return hsa_fail(diag,
		    errno == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_IO),
		    "cannot open the folder %s: %s; fix: name a folder, or "
		    "one that is not there yet",
		    path, strerror(errno));
	while (!found && (e = readdir(d)) != NULL)
		found =
		    strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(d);
	*empty = !found;
	return HSA_OK;
}

static int
remove_inside(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	if (at->level > 0)
		(void)remove(path);
	return 0;
}

void
ep_dir_clear(const char *path, bool itself)
{
	(void)nftw(path, remove_inside, 16, FTW_DEPTH | FTW_PHYS);
	if (itself)
		(void)rmdir(path);
}

/* The whole file, by open file description: a second open of ours counts as
 * another holder, and asking who holds it takes nothing. */
static struct flock
whole(short kind)
{
	struct flock l = {0};

	l.l_type = kind;
	l.l_whence = SEEK_SET;
	return l;
}

static long
holder_of(int fd)
{
	char text[24] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return strtol(text, NULL, 10);
}

hsa_rc
ep_lock(int *fd, const char *path, int wait_ms, struct hsa_diag *diag)
{
	const struct timespec nap = {.tv_nsec = 20 * 1000 * 1000};
	struct flock l = whole(F_WRLCK);
	char text[24] = "";
	int got = -1, n = 0;
	hsa_rc rc = HSA_OK;

	got = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (got < 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "cannot open %s: %s; fix: run as the owner of the state "
		    "directory",
		    path, strerror(errno));
	while (fcntl(got, F_OFD_SETLK, &l) != 0) {
		if (wait_ms <= 0) {
			rc = hsa_fail(diag, HSA_RC(E_BUSY),
			    "process %ld already holds %s; fix: stop it first "
			    "(kill %ld)",
			    holder_of(got), path, holder_of(got));
			goto out;
		}
		(void)nanosleep(&nap, NULL);
		wait_ms -= 20;
	}
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(got, 0) != 0 || pwrite(got, text, (size_t)n, 0) != n) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot write %s: %s; fix: free space on that disk", path,
		    strerror(errno));
		goto out;
	}
	*fd = got;
	got = -1;
out:
	close_fd(got);
	return rc;
}

long
ep_lock_holder(const char *path)
{
	struct flock l = whole(F_WRLCK);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	long pid = 0;

	if (fd < 0)
		return 0;
	if (fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK)
		pid = holder_of(fd);
	close_fd(fd);
	return pid;
}
