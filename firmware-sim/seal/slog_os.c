#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slog_os.h"

/* A folder that a power cut takes away would take the whole log with it. */
static int
parent_sync(const char *path)
{
	char up[PATH_MAX];
	char *slash;
	int fd, e = 0;

	if ((size_t)snprintf(up, sizeof(up), "%s", path) >= sizeof(up))
		return -ENAMETOOLONG;
	slash = strrchr(up, '/');
	while (slash != NULL && slash > up && slash[1] == '\0') {
		*slash = '\0';
		slash = strrchr(up, '/');
	}
	if (slash == NULL)
		(void)snprintf(up, sizeof(up), ".");
	else
		slash[slash == up ? 1 : 0] = '\0';
	fd = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		e = -errno;
	(void)close(fd);
	return e;
}

static int
posix_dir_open(void *ctx, int *dir, const char *path)
{
	int fd, e;

	(void)ctx;
	if (mkdir(path, 0700) == 0) {
		e = parent_sync(path);
		if (e != 0)
			return e;
	} else if (errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* the folder itself is the lock: no extra file in the format */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		e = -errno;
		(void)close(fd);
		return e;
	}
	*dir = fd;
	return 0;
}

static void
posix_dir_unlock(void *ctx, int dir)
{
	(void)ctx;
	(void)flock(dir, LOCK_UN);
}

static int
posix_dir_list(void *ctx, int dir, slog_os_each *each, void *arg)
{
	struct dirent *d;
	DIR *list;
	int fd, e = 0;

	(void)ctx;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	list = fdopendir(fd);
	if (list == NULL) {
		e = -errno;
		(void)close(fd);
		return e;
	}
	for (;;) {
		errno = 0;
		d = readdir(list);
		if (d == NULL) {
			e = -errno;
			break;
		}
		e = each(arg, d->d_name);
		if (e < 0)
			break;
	}
	(void)closedir(list);
	return e;
}

static int
posix_open(void *ctx, int *fd, int dir, const char *name, int flags)
{
	int f;

	(void)ctx;
	f = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f < 0)
		return -errno;
	*fd = f;
	return 0;
}

static int
posix_size(void *ctx, uint64_t *n, int fd)
{
	struct stat st;

	(void)ctx;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return -EINVAL;
	*n = (uint64_t)st.st_size;
	return 0;
}

static void
stat_of(struct slog_os_stat *to, const struct stat *st)
{
	to->device = (uint64_t)st->st_dev;
	to->inode = (uint64_t)st->st_ino;
	to->links = (uint64_t)st->st_nlink;
	to->size = st->st_size < 0 ? 0 : (uint64_t)st->st_size;
	to->modified_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 +
			  (int64_t)st->st_mtim.tv_nsec;
}

static int
posix_stat(void *ctx, struct slog_os_stat *to, int fd)
{
	struct stat st;

	(void)ctx;
	if (fstat(fd, &st) != 0)
		return -errno;
	stat_of(to, &st);
	return 0;
}

static int
posix_stat_name(void *ctx, struct slog_os_stat *to, int dir, const char *name)
{
	struct stat st;

	(void)ctx;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	stat_of(to, &st);
	return 0;
}

static ssize_t
posix_pread(void *ctx, int fd, void *p, size_t n, uint64_t at)
{
	ssize_t got;

	(void)ctx;
	do
		got = pread(fd, p, n, (off_t)at);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static ssize_t
posix_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t at)
{
	ssize_t put = pwrite(fd, p, n, (off_t)at);

	(void)ctx;
	return put < 0 ? -errno : put;
}

static int
posix_fdatasync(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd) == 0 ? 0 : -errno;
}

static int
posix_fsync(void *ctx, int fd)
{
	(void)ctx;
	return fsync(fd) == 0 ? 0 : -errno;
}

static int
posix_ftruncate(void *ctx, int fd, uint64_t n)
{
	(void)ctx;
	return ftruncate(fd, (off_t)n) == 0 ? 0 : -errno;
}

static int
posix_unlink(void *ctx, int dir, const char *name)
{
	(void)ctx;
	return unlinkat(dir, name, 0) == 0 ? 0 : -errno;
}

static void
posix_close(void *ctx, int fd)
{
	(void)ctx;
	(void)close(fd);
}

static const struct slog_os posix_os = {
    .dir_open = posix_dir_open,
    .dir_unlock = posix_dir_unlock,
    .dir_list = posix_dir_list,
    .open = posix_open,
    .size = posix_size,
    .stat = posix_stat,
    .stat_name = posix_stat_name,
    .pread = posix_pread,
    .pwrite = posix_pwrite,
    .fdatasync = posix_fdatasync,
    .fsync = posix_fsync,
    .ftruncate = posix_ftruncate,
    .unlink = posix_unlink,
    .close = posix_close,
};

const struct slog_os *
slog_os_posix(void)
{
	return &posix_os;
}

int
slog_os_write(
    const struct slog_os *os, int fd, const void *p, size_t n, uint64_t at)
{
	const uint8_t *from = p;
	ssize_t put;

	while (n != 0) {
		put = os->pwrite(os->ctx, fd, from, n, at);
		if (put == -EINTR)
			continue;
		if (put < 0)
			return (int)put;
		if (put == 0 || (size_t)put > n)
			return -EIO;
		from += put;
		at += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}
