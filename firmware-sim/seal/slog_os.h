/*
 * slog_os.h - every call of the sealed log to the file system, as one struct,
 * so that a test can make the n-th call fail, write half, or lose power.
 *
 * All return 0 (or a count) on success and a negative errno on failure.
 * Descriptors are those of the implementation; the log only hands them back.
 */
#ifndef SLOG_OS_H
#define SLOG_OS_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Called per name in a folder; a negative answer ends the listing with it. */
typedef int slog_os_each(void *arg, const char *name);

struct slog_os_stat {
	uint64_t device, inode, links, size;
	int64_t modified_ns; /* since 1970 */
};

struct slog_os {
	void *ctx;
	/* Open the folder, made 0700 when absent (and its parent synced), and
	 * lock it against a second writer: -EWOULDBLOCK when there is one. */
	int (*dir_open)(void *ctx, int *dir, const char *path);
	void (*dir_unlock)(void *ctx, int dir);
	int (*dir_list)(void *ctx, int dir, slog_os_each *each, void *arg);
	int (*open)(void *ctx, int *fd, int dir, const char *name, int flags);
	int (*size)(void *ctx, uint64_t *n, int fd);
	/* Of an open file, and of what has that name now (links are not
	 * followed): the same device and inode, the same file. */
	int (*stat)(void *ctx, struct slog_os_stat *st, int fd);
	int (*stat_name)(
	    void *ctx, struct slog_os_stat *st, int dir, const char *name);
	/* May do less than asked, as the system calls; 0: end of file. */
	ssize_t (*pread)(void *ctx, int fd, void *p, size_t n, uint64_t at);
	ssize_t (*pwrite)(
	    void *ctx, int fd, const void *p, size_t n, uint64_t at);
	int (*fdatasync)(void *ctx, int fd);
	int (*fsync)(void *ctx, int fd); /* files and folders */
	int (*ftruncate)(void *ctx, int fd, uint64_t n);
	int (*unlink)(void *ctx, int dir, const char *name);
	void (*close)(void *ctx, int fd);
};

/* slog_os_posix() - the real one. */
const struct slog_os *slog_os_posix(void);

/* slog_os_write(os, fd, p, n, at) - all n bytes, through short writes and
 * interrupts. 0 or a negative errno. */
int slog_os_write(
    const struct slog_os *os, int fd, const void *p, size_t n, uint64_t at);

#endif
