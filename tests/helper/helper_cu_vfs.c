/* A layer over SQLite's own VFS that stops writing, as a cut of power does. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "helper_cu.h"

static struct {
	sqlite3_vfs vfs, *real;
	unsigned int calls, fail_at;
} layer;

struct file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_file *
real_of(sqlite3_file *f)
{
	return ((struct file *)(void *)f)->real;
}

static int
cut(void)
{
	layer.calls++;
	return layer.fail_at != 0 && layer.calls >= layer.fail_at;
}

static int
f_close(sqlite3_file *f)
{
	sqlite3_file *r = real_of(f);

	return r->pMethods->xClose(r);
}

static int
f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	sqlite3_file *r = real_of(f);

	return r->pMethods->xRead(r, to, n, at);
}

static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	sqlite3_file *r = real_of(f);

	/* the write that is cut still reaches half of its bytes */
	if (cut()) {
		if (layer.calls == layer.fail_at)
			(void)r->pMethods->xWrite(r, p, n / 2, at);
		return SQLITE_IOERR_WRITE;
	}
	return r->pMethods->xWrite(r, p, n, at);
}

static int
f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	sqlite3_file *r = real_of(f);

	return cut() ? SQLITE_IOERR_TRUNCATE : r->pMethods->xTruncate(r, n);
}

static int
f_sync(sqlite3_file *f, int flags)
{
	sqlite3_file *r = real_of(f);

	return cut() ? SQLITE_IOERR_FSYNC : r->pMethods->xSync(r, flags);
}

static int
f_size(sqlite3_file *f, sqlite3_int64 *n)
{
	sqlite3_file *r = real_of(f);

	return r->pMethods->xFileSize(r, n);
}

static int
f_lock(sqlite3_file *f, int level)
{
	sqlite3_file *r = real_of(f);

	return r->pMethods->xLock(r, level);
}

static int
f_unlock(sqlite3_file *f, int level)
{
	sqlite3_file *r = real_of(f);

	return r->pMethods->xUnlock(r, level);
}

static int
f_reserved(sqlite3_file *f, int *out)
{
	sqlite3_file *r = real_of(f);

	return r->pMethods->xCheckReservedLock(r, out);
}

static int
f_control(sqlite3_file *f, int op, void *arg)
{
	sqlite3_file *r = real_of(f);

	return r->pMethods->xFileControl(r, op, arg);
}

static int
f_sector(sqlite3_file *f)
{
	sqlite3_file *r = real_of(f);

	return r->pMethods->xSectorSize(r);
}

static int
f_device(sqlite3_file *f)
{
	(void)f;
	return 0;
}

static int
v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	static const sqlite3_io_methods methods = {
	    .iVersion = 1,
	    .xClose = f_close,
	    .xRead = f_read,
	    .xWrite = f_write,
	    .xTruncate = f_truncate,
	    .xSync = f_sync,
	    .xFileSize = f_size,
	    .xLock = f_lock,
	    .xUnlock = f_unlock,
	    .xCheckReservedLock = f_reserved,
	    .xFileControl = f_control,
	    .xSectorSize = f_sector,
	    .xDeviceCharacteristics = f_device,
	};
	struct file *mine = (struct file *)(void *)f;
	int code = 0;

	(void)v;
	mine->real = (sqlite3_file *)(void *)(mine + 1);
	code = layer.real->xOpen(layer.real, name, mine->real, flags, out);
	f->pMethods = mine->real->pMethods != NULL ? &methods : NULL;
	return code;
}

static int
v_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v;
	return cut() ? SQLITE_IOERR_DELETE
		     : layer.real->xDelete(layer.real, name, sync);
}

void
cu_vfs_install(void)
{
	if (layer.real != NULL)
		return;
	layer.real = sqlite3_vfs_find(NULL);
	if (layer.real == NULL)
		abort();
	layer.vfs = *layer.real;
	layer.vfs.pNext = NULL;
	layer.vfs.zName = "cut";
	layer.vfs.szOsFile = (int)sizeof(struct file) + layer.real->szOsFile;
	layer.vfs.xOpen = v_open;
	layer.vfs.xDelete = v_delete;
	if (sqlite3_vfs_register(&layer.vfs, 1) != SQLITE_OK)
		abort();
}

void
cu_vfs_fail_at(unsigned int n)
{
	layer.calls = 0;
	layer.fail_at = n;
}

unsigned int
cu_vfs_calls(void)
{
	return layer.calls;
}
