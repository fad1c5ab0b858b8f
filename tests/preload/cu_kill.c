/*
 * cu_kill.c - preloaded into a real program: it is killed (SIGKILL) just before
 * the call with the number CU_KILL_AT of those that change what is on a disk.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static void
step(void)
{
	static atomic_uint calls;
	const char *at = getenv("CU_KILL_AT");

	if (at != NULL &&
	    atomic_fetch_add(&calls, 1) + 1 == (unsigned int)atoi(at))
		(void)kill(getpid(), SIGKILL);
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
typedef int fd_fn(int fd);
typedef int open_fn(int dir, const char *name, int flags, ...);
typedef int path_fn(const char *path);
typedef int paths_fn(const char *from, const char *to);
typedef int mkdir_fn(const char *path, mode_t mode);

ssize_t pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at);
int fdatasync(int fd);
int fsync(int fd);
int rename(const char *from, const char *to);
int unlink(const char *path);
int rmdir(const char *path);
int remove(const char *path);
int mkdir(const char *path, mode_t mode);
int openat(int dir, const char *name, int flags, ...);

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	REAL(write_fn, "pwrite");
	step();
	return real(fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
	REAL(write_fn, "pwrite64");
	step();
	return real(fd, p, n, at);
}

int
fdatasync(int fd)
{
	REAL(fd_fn, "fdatasync");
	step();
	return real(fd);
}

int
fsync(int fd)
{
	REAL(fd_fn, "fsync");
	step();
	return real(fd);
}

int
rename(const char *from, const char *to)
{
	REAL(paths_fn, "rename");
	step();
	return real(from, to);
}

int
unlink(const char *path)
{
	REAL(path_fn, "unlink");
	step();
	return real(path);
}

int
rmdir(const char *path)
{
	REAL(path_fn, "rmdir");
	step();
	return real(path);
}

int
remove(const char *path)
{
	REAL(path_fn, "remove");
	step();
	return real(path);
}

int
mkdir(const char *path, mode_t mode)
{
	REAL(mkdir_fn, "mkdir");
	step();
	return real(path, mode);
}

int
openat(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	REAL(open_fn, "openat");
	va_start(ap, flags);
	if ((flags & (O_CREAT | __O_TMPFILE)) != 0)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if ((flags & O_CREAT) != 0)
		step();
	return real(dir, name, flags, mode);
}
