/*
 * cu_fault.c - preloaded into real programs: makes the calls fail that write a
 * unit's log, as the file named by CU_FAULT says while it is there: "write 28"
 * (ENOSPC), "sync 5" (EIO), "create 30" (EROFS), "stall 0" (a sync does not
 * return until the file is gone). Everything else is passed on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool
wanted(const char *what, int *error)
{
	const char *path = getenv("CU_FAULT");
	char text[64] = "";
	size_t n = strlen(what);
	FILE *f = path == NULL ? NULL : fopen(path, "re");
	bool yes;

	if (f == NULL)
		return false;
	yes = fgets(text, sizeof(text), f) != NULL &&
	      strncmp(text, what, n) == 0 && text[n] == ' ';
	(void)fclose(f);
	*error = yes ? atoi(text + n + 1) : 0;
	return yes;
}

static bool
of_log(int fd)
{
	char link[64], path[4096];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return strstr(path, "/log/") != NULL ||
	       (n > 4 && strcmp(path + n - 4, "/log") == 0);
}

static void *
next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	return p;
}

/* A cast between object and function pointers is not C's, but POSIX's. */
#define REAL(type, name)                                                       \
	type *real;                                                            \
	void *found = next(name);                                              \
	memcpy(&real, &found, sizeof(real))

typedef ssize_t write_fn(int fd, const void *p, size_t n, off_t at);
typedef int sync_fn(int fd);
typedef int open_fn(int dir, const char *name, int flags, ...);

ssize_t pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at);
int fdatasync(int fd);
int openat(int dir, const char *name, int flags, ...);
int openat64(int dir, const char *name, int flags, ...);

static ssize_t
do_pwrite(const char *name, int fd, const void *p, size_t n, off_t at)
{
	int error = 0;

	REAL(write_fn, name);
	if (of_log(fd) && wanted("write", &error)) {
		errno = error;
		return -1;
	}
	return real(fd, p, n, at);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return do_pwrite("pwrite", fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
	return do_pwrite("pwrite64", fd, p, n, at);
}

int
fdatasync(int fd)
{
	const struct timespec nap = {0, 5000000};
	int error = 0;

	REAL(sync_fn, "fdatasync");
	if (of_log(fd)) {
		while (wanted("stall", &error))
			(void)nanosleep(&nap, NULL);
		if (wanted("sync", &error)) {
			errno = error;
			return -1;
		}
	}
	return real(fd);
}

static int
do_openat(const char *sym, int dir, const char *name, int flags, int mode)
{
	int error = 0;

	REAL(open_fn, sym);
	if ((flags & O_CREAT) != 0 && dir >= 0 && of_log(dir) &&
	    wanted("create", &error)) {
		errno = error;
		return -1;
	}
	return real(dir, name, flags, mode);
}

static int
mode_of(int flags, va_list ap)
{
	return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(ap, int) : 0;
}

int
openat(int dir, const char *name, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return do_openat("openat", dir, name, flags, mode);
}

int
openat64(int dir, const char *name, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return do_openat("openat64", dir, name, flags, mode);
}
