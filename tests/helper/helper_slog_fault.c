#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper_slog.h"
#include "helper_slog_fault.h"

static const struct slog_os *
real(void)
{
	return slog_os_posix();
}

/* Counts a changing call; true: this one fails with f->error. */
static bool
fails(struct helper_fault *f)
{
	if (f->off)
		return true;
	if (++f->calls != f->fail_at)
		return false;
	f->off = f->dead;
	return true;
}

static struct helper_fault_file *
by_fd(struct helper_fault *f, int fd)
{
	for (size_t i = 0; i < f->file_len; i++)
		if (f->file[i].fd == fd)
			return &f->file[i];
	return NULL;
}

static struct helper_fault_file *
by_name(struct helper_fault *f, const char *name)
{
	for (size_t i = 0; i < f->file_len; i++)
		if (strcmp(f->file[i].name, name) == 0)
			return &f->file[i];
	if (f->file_len == HELPER_FAULT_FILES)
		abort();
	(void)snprintf(
	    f->file[f->file_len].name, sizeof(f->file[0].name), "%s", name);
	return &f->file[f->file_len++];
}

static int
fault_dir_open(void *ctx, int *dir, const char *path)
{
	struct helper_fault *f = ctx;
	int e;

	(void)pthread_mutex_lock(&f->mutex);
	e = f->off ? f->error : real()->dir_open(NULL, dir, path);
	(void)pthread_mutex_unlock(&f->mutex);
	return e;
}

static void
fault_dir_unlock(void *ctx, int dir)
{
	(void)ctx;
	real()->dir_unlock(NULL, dir);
}

static int
fault_dir_list(void *ctx, int dir, slog_os_each *each, void *arg)
{
	(void)ctx;
	return real()->dir_list(NULL, dir, each, arg);
}

static int
fault_open(void *ctx, int *fd, int dir, const char *name, int flags)
{
	struct helper_fault *f = ctx;
	struct helper_fault_file *file;
	bool there;
	int e = 0;

	(void)pthread_mutex_lock(&f->mutex);
	there = faccessat(dir, name, F_OK, 0) == 0;
	if ((flags & O_CREAT) && !there && fails(f))
		e = f->error;
	if (e == 0)
		e = real()->open(NULL, fd, dir, name, flags);
	if (e == 0 && (flags & O_ACCMODE) != O_RDONLY) {
		file = by_name(f, name);
		file->fd = *fd;
		/* from before our time: taken to be on the disk */
		if (there && !file->created) {
			file->in_dir = true;
			(void)real()->size(NULL, &file->synced, *fd);
		}
		file->created = true;
	}
	(void)pthread_mutex_unlock(&f->mutex);
	return e;
}

static int
fault_size(void *ctx, uint64_t *n, int fd)
{
	(void)ctx;
	return real()->size(NULL, n, fd);
}

static int
fault_stat(void *ctx, struct slog_os_stat *st, int fd)
{
	(void)ctx;
	return real()->stat(NULL, st, fd);
}

static int
fault_stat_name(void *ctx, struct slog_os_stat *st, int dir, const char *name)
{
	(void)ctx;
	return real()->stat_name(NULL, st, dir, name);
}

static ssize_t
fault_pread(void *ctx, int fd, void *p, size_t n, uint64_t at)
{
	(void)ctx;
	/* short on purpose: a reader must cope */
	return real()->pread(NULL, fd, p, n > 4096 ? n / 2 : n, at);
}

static ssize_t
fault_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t at)
{
	struct helper_fault *f = ctx;
	ssize_t put;
	bool off;

	(void)pthread_mutex_lock(&f->mutex);
	off = f->off;
	if (fails(f)) {
		if (f->half && !off && n > 1)
			(void)real()->pwrite(NULL, fd, p, n / 2, at);
		put = f->error;
	} else
		put = real()->pwrite(
		    NULL, fd, p, f->most != 0 && n > f->most ? f->most : n, at);
	(void)pthread_mutex_unlock(&f->mutex);
	return put;
}

static void
mark_synced(struct helper_fault *f, int fd)
{
	struct helper_fault_file *file = by_fd(f, fd);

	if (file == NULL) { /* the folder: names are on the disk now */
		for (size_t i = 0; i < f->file_len; i++)
			f->file[i].in_dir = f->file[i].created;
		return;
	}
	if (real()->size(NULL, &file->synced, fd) != 0)
		abort();
	if (strcmp(file->name, "head") == 0) {
		uint8_t *to;

		hsa_buf_reset(&file->content);
		to = hsa_buf_reserve(&file->content, file->synced + 1);
		if (to == NULL || real()->pread(NULL, fd, to, file->synced,
				      0) != (ssize_t)file->synced)
			abort();
		file->content.len = file->synced;
	}
}

static int
sync_call(struct helper_fault *f, int fd, bool data)
{
	int e = 0;

	if (f->sync_us != 0)
		(void)usleep(f->sync_us);
	(void)pthread_mutex_lock(&f->mutex);
	if (fails(f))
		e = f->error;
	else {
		mark_synced(f, fd);
		f->syncs += data;
	}
	(void)pthread_mutex_unlock(&f->mutex);
	return e;
}

static int
fault_fdatasync(void *ctx, int fd)
{
	return sync_call(ctx, fd, true);
}

static int
fault_fsync(void *ctx, int fd)
{
	return sync_call(ctx, fd, false);
}

static int
fault_ftruncate(void *ctx, int fd, uint64_t n)
{
	struct helper_fault *f = ctx;
	int e;

	(void)pthread_mutex_lock(&f->mutex);
	e = fails(f) ? f->error : real()->ftruncate(NULL, fd, n);
	(void)pthread_mutex_unlock(&f->mutex);
	return e;
}

static int
fault_unlink(void *ctx, int dir, const char *name)
{
	struct helper_fault *f = ctx;
	int e;

	(void)pthread_mutex_lock(&f->mutex);
	e = fails(f) ? f->error : real()->unlink(NULL, dir, name);
	if (e == 0)
		by_name(f, name)->created = false;
	(void)pthread_mutex_unlock(&f->mutex);
	return e;
}

static void
fault_close(void *ctx, int fd)
{
	struct helper_fault *f = ctx;
	struct helper_fault_file *file;

	(void)pthread_mutex_lock(&f->mutex);
	file = by_fd(f, fd);
	if (file != NULL)
		file->fd = -1;
	real()->close(NULL, fd);
	(void)pthread_mutex_unlock(&f->mutex);
}

void
helper_fault_init(struct helper_fault *f)
{
	memset(f, 0, sizeof(*f));
	(void)pthread_mutex_init(&f->mutex, NULL);
	f->error = -EIO;
	f->os = (struct slog_os){
	    .ctx = f,
	    .dir_open = fault_dir_open,
	    .dir_unlock = fault_dir_unlock,
	    .dir_list = fault_dir_list,
	    .open = fault_open,
	    .size = fault_size,
	    .stat = fault_stat,
	    .stat_name = fault_stat_name,
	    .pread = fault_pread,
	    .pwrite = fault_pwrite,
	    .fdatasync = fault_fdatasync,
	    .fsync = fault_fsync,
	    .ftruncate = fault_ftruncate,
	    .unlink = fault_unlink,
	    .close = fault_close,
	};
}

void
helper_fault_restart(struct helper_fault *f)
{
	f->off = f->dead = f->half = false;
	f->fail_at = f->calls = 0;
}

void
helper_fault_free(struct helper_fault *f)
{
	for (size_t i = 0; i < f->file_len; i++)
		hsa_buf_free(&f->file[i].content);
	(void)pthread_mutex_destroy(&f->mutex);
}

void
helper_fault_cut(struct helper_fault *f, const char *dir, enum helper_kept kept)
{
	for (size_t i = 0; i < f->file_len; i++) {
		struct helper_fault_file *file = &f->file[i];
		struct hsa_buf b = {0};
		char path[512];
		size_t keep;

		if (!helper_file_exists(dir, file->name))
			continue;
		if (!file->in_dir && kept == HELPER_KEPT_NOTHING) {
			(void)snprintf(
			    path, sizeof(path), "%s/%s", dir, file->name);
			(void)unlink(path);
			continue;
		}
		if (kept == HELPER_KEPT_ALL)
			continue;
		helper_file_read(&b, dir, file->name);
		if (strcmp(file->name, "head") == 0) {
			/* rewritten in place: the old bytes, or half of each */
			keep = kept == HELPER_KEPT_HALF ? b.len / 2 : 0;
			if (keep != 0 && file->content.len >= keep)
				memcpy(file->content.p, b.p, keep);
			helper_file_write(dir, file->name, file->content.p,
			    file->content.len);
		} else if (b.len > file->synced) {
			keep = (size_t)file->synced;
			if (kept == HELPER_KEPT_HALF)
				keep += (b.len - keep) / 2;
			helper_file_write(dir, file->name, b.p, keep);
		}
		hsa_buf_free(&b);
	}
}
