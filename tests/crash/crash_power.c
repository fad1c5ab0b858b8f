/*
 * crash_power.c - power goes off at every write, sync, cut or new name of a
 * unit's whole path: its SQLite state and outbox, and its sealed log, on one
 * simulated disk that keeps for sure only what was synced. What was not is
 * dropped, kept, or kept in part: a random subset, so reordered, and torn. In
 * mode sealed each event that was replied to is there when power comes back,
 * once, and the unit starts. The ring, which is memory, is lost each time.
 *
 * The disk is a list of what was done to it. The unit runs once; the disk as a
 * cut leaves it is then made from the list, for each length of it
 * (POWER_STEP=1; every third otherwise). SEED chooses what is kept.
 */
#include <setjmp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <sqlite3.h>

#include "cu_unit.h"
#include "helper_call.h"
#include "helper_cu.h"
#include "helper_daemon.h"
#include "helper_proto.h"
#include "helper_slog.h"
#include "slog_impl.h"
#include "vfy_log.h"

#define OPS_MAX 20000
#define FILES_MAX 64
#define FDS_MAX 256
#define REPLIES_MAX 256
#define ORIGIN "cryptounit/aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"

/* ---- the disk ------------------------------------------------------------ */

enum op_kind {
	OP_CREATE = 1,
	OP_UNLINK,
	OP_WRITE,
	OP_TRUNCATE,
	OP_SYNC,       /* of a file; its name, too, where `names` */
	OP_SYNC_NAMES, /* of the log's folder */
};

struct op {
	enum op_kind kind;
	int file;
	uint64_t at;
	struct hsa_buf bytes;
	bool names, durable;
};

static struct {
	pthread_mutex_t mutex;
	bool on;
	struct op op[OPS_MAX];
	size_t len;
	char name[FILES_MAX][64]; /* below the folder of the unit */
	int files;
	int of[FDS_MAX]; /* file of a descriptor of the log, + 1 */
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int
file_of(const char *prefix, const char *name)
{
	char full[64];

	(void)snprintf(full, sizeof(full), "%s%.40s", prefix, name);
	for (int i = 0; i < disk.files; i++)
		if (strcmp(disk.name[i], full) == 0)
			return i;
	assert_true(disk.files < FILES_MAX);
	memcpy(disk.name[disk.files], full, sizeof(full));
	return disk.files++;
}

static void
note(enum op_kind kind, int file, const void *p, size_t n, uint64_t at,
    bool names)
{
	struct op *o;

	(void)pthread_mutex_lock(&disk.mutex);
	if (disk.on) {
		assert_true(disk.len < OPS_MAX);
		o = &disk.op[disk.len++];
		*o = (struct op){
		    .kind = kind, .file = file, .at = at, .names = names};
		if (n != 0)
			hsa_buf_put(&o->bytes, p, n);
		assert_false(o->bytes.failed);
	}
	(void)pthread_mutex_unlock(&disk.mutex);
}

/* ---- the log's calls ----------------------------------------------------- */

static struct slog_os os;

static int
os_open(void *ctx, int *fd, int dir, const char *name, int flags)
{
	bool there = faccessat(dir, name, F_OK, 0) == 0;
	int e = slog_os_posix()->open(ctx, fd, dir, name, flags), file;

	if (e != 0)
		return e;
	assert_true(*fd < FDS_MAX);
	(void)pthread_mutex_lock(&disk.mutex);
	file = file_of("log/", name);
	disk.of[*fd] = file + 1;
	(void)pthread_mutex_unlock(&disk.mutex);
	if (!there)
		note(OP_CREATE, file, NULL, 0, 0, false);
	return 0;
}

static ssize_t
os_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t at)
{
	note(OP_WRITE, disk.of[fd] - 1, p, n, at, false);
	return slog_os_posix()->pwrite(ctx, fd, p, n, at);
}

static int
os_sync(void *ctx, int fd)
{
	(void)ctx;
	if (disk.of[fd] != 0)
		note(OP_SYNC, disk.of[fd] - 1, NULL, 0, 0, false);
	else
		note(OP_SYNC_NAMES, -1, NULL, 0, 0, false);
	return 0;
}

static int
os_ftruncate(void *ctx, int fd, uint64_t n)
{
	note(OP_TRUNCATE, disk.of[fd] - 1, NULL, 0, n, false);
	return slog_os_posix()->ftruncate(ctx, fd, n);
}

static int
os_unlink(void *ctx, int dir, const char *name)
{
	int e = slog_os_posix()->unlink(ctx, dir, name);

	if (e == 0)
		note(OP_UNLINK, file_of("log/", name), NULL, 0, 0, false);
	return e;
}

static void
os_close(void *ctx, int fd)
{
	disk.of[fd] = 0;
	slog_os_posix()->close(ctx, fd);
}

/* ---- SQLite's calls ------------------------------------------------------ */

static sqlite3_vfs vfs, *real_vfs;

struct file {
	sqlite3_file base;
	int id;
	sqlite3_file *real;
};

static struct file *
mine(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}
#define REAL(f) (mine(f)->real->pMethods)

static int
f_close(sqlite3_file *f)
{
	return REAL(f)->xClose(mine(f)->real);
}
static int
f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	return REAL(f)->xRead(mine(f)->real, to, n, at);
}
static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	note(OP_WRITE, mine(f)->id, p, (size_t)n, (uint64_t)at, false);
	return REAL(f)->xWrite(mine(f)->real, p, n, at);
}
static int
f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	note(OP_TRUNCATE, mine(f)->id, NULL, 0, (uint64_t)n, false);
	return REAL(f)->xTruncate(mine(f)->real, n);
}
static int
f_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	/* SQLite's own layer syncs the folder with the first sync of a file */
	note(OP_SYNC, mine(f)->id, NULL, 0, 0, true);
	return SQLITE_OK;
}
static int
f_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->xFileSize(mine(f)->real, n);
}
static int
f_lock(sqlite3_file *f, int level)
{
	return REAL(f)->xLock(mine(f)->real, level);
}
static int
f_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->xUnlock(mine(f)->real, level);
}
static int
f_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->xCheckReservedLock(mine(f)->real, out);
}
static int
f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->xFileControl(mine(f)->real, op, arg);
}
static int
f_sector(sqlite3_file *f)
{
	return REAL(f)->xSectorSize(mine(f)->real);
}
static int
f_device(sqlite3_file *f)
{
	(void)f;
	return 0; /* the least that a disk can promise */
}

static const char *
base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
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
	struct file *m = mine(f);
	int code, there = 0;

	(void)v;
	(void)real_vfs->xAccess(real_vfs, name, SQLITE_ACCESS_EXISTS, &there);
	m->real = (sqlite3_file *)(void *)(m + 1);
	code = real_vfs->xOpen(real_vfs, name, m->real, flags, out);
	f->pMethods = m->real->pMethods != NULL ? &methods : NULL;
	if (code != SQLITE_OK)
		return code;
	(void)pthread_mutex_lock(&disk.mutex);
	m->id = file_of("", base_of(name));
	(void)pthread_mutex_unlock(&disk.mutex);
	if (!there)
		note(OP_CREATE, m->id, NULL, 0, 0, false);
	return code;
}

static int
v_delete(sqlite3_vfs *v, const char *name, int sync)
{
	int code = real_vfs->xDelete(real_vfs, name, sync);

	(void)v;
	if (code == SQLITE_OK)
		note(OP_UNLINK, file_of("", base_of(name)), NULL, 0, 0,
		    sync != 0);
	return code;
}

static void
vfs_install(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	assert_non_null(real_vfs);
	vfs = *real_vfs;
	vfs.pNext = NULL;
	vfs.zName = "power";
	vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
	vfs.xOpen = v_open;
	vfs.xDelete = v_delete;
	assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
	os = *slog_os_posix();
	os.open = os_open;
	os.pwrite = os_pwrite;
	os.fdatasync = os_sync;
	os.fsync = os_sync;
	os.ftruncate = os_ftruncate;
	os.unlink = os_unlink;
	os.close = os_close;
}

/* ---- the one run --------------------------------------------------------- */

struct reply { /* after so many ops, the log had to have these */
	size_t ops;
	uint64_t outbox, use;
};

static struct helper_slog h;
static struct cu_bench *b;
static struct reply reply[REPLIES_MAX];
static size_t replies;

static void
replied(struct slog *l)
{
	struct cu_sink s = slog_sink(l);

	assert_true(replies < REPLIES_MAX);
	reply[replies].outbox = s.ops->last(s.ctx, HSA_SOURCE_OUTBOX);
	reply[replies].use = s.ops->last(s.ctx, HSA_SOURCE_USE);
	(void)pthread_mutex_lock(&disk.mutex);
	reply[replies++].ops = disk.len;
	(void)pthread_mutex_unlock(&disk.mutex);
}

static struct slog *
open_log(const char *dir, const char *ring, const struct slog_os *calls,
    struct hsa_diag *diag)
{
	struct slog *l = NULL;

	h.cfg.dir = dir;
	h.cfg.origin = ORIGIN;
	h.cfg.clock = &b->clock;
	memset(h.cfg.unit_id, 0xaa, sizeof(h.cfg.unit_id));
	h.cfg.segment_bytes = 6000;
	h.cfg.ring = ring;
	h.cfg.ring_slots = 1024;
	h.cfg.os = calls;
	return hsa_is_ok(slog_open(&l, &h.cfg, diag)) ? l : NULL;
}

static void
call_once(struct cu_unit *u, uint32_t i)
{
	struct hsa_call c = {0};

	hcall_request(&c, HSA_FN_GENERATE_RANDOM);
	memcpy(c.id, &i, sizeof(i));
	cu_unit_call(u, &c, &b->caller);
	assert_int_equal(c.rv, HSA_EP11_FUNCTION_NOT_SUPPORTED);
	hsa_call_free(&c);
}

static void
run_once(void)
{
	char dir[100], db[100], ring[100];
	struct hsa_diag diag = {{0}};
	struct slog *l;

	(void)snprintf(dir, sizeof(dir), "%s/log", b->dir);
	(void)snprintf(db, sizeof(db), "%s/state.db", b->dir);
	(void)snprintf(ring, sizeof(ring), "%s/ring", b->dir);
	disk.on = true;
	l = open_log(dir, ring, &os, &diag);
	if (l == NULL)
		fail_msg("%s", diag.text);
	assert_ok(cu_unit_open(&b->u, &b->id, db, b->backend, NULL,
	    slog_sink(l), &b->clock, &diag));
	b->any_records = true;
	replied(l);
	for (uint32_t i = 0; i < 12; i++) {
		(void)cu_bench_add(b, i % 4, 1);
		replied(l);
		for (uint32_t k = 0; k < 3; k++) {
			call_once(b->u, 100 * i + k);
			replied(l);
		}
	}
	cu_unit_close(b->u);
	b->u = NULL;
	replied(l);
	slog_close(l);
	disk.on = false;
	assert_true(reply[replies - 1].outbox >= 14);
	assert_true(reply[replies - 1].use == 36);
}

/* ---- after a cut --------------------------------------------------------- */

enum kept {
	KEPT_NOTHING,
	KEPT_ALL,
	KEPT_SOME, /* a random subset, half of it torn */
	KEPT_COUNT
};

/* Which of the first n are on the disk for sure. */
static void
mark_durable(size_t n)
{
	for (size_t i = 0; i < n; i++)
		disk.op[i].durable =
		    disk.op[i].kind == OP_UNLINK && disk.op[i].names;
	for (size_t j = 0; j < n; j++) {
		const struct op *s = &disk.op[j];

		if (s->kind != OP_SYNC && s->kind != OP_SYNC_NAMES)
			continue;
		for (size_t i = 0; i < j; i++) {
			struct op *o = &disk.op[i];
			bool name =
			    o->kind == OP_CREATE || o->kind == OP_UNLINK;

			if (s->kind == OP_SYNC && o->file == s->file &&
			    (!name || s->names))
				o->durable = true;
			if (s->kind == OP_SYNC_NAMES && name &&
			    strncmp(disk.name[o->file], "log/", 4) == 0)
				o->durable = true;
		}
	}
}

struct image {
	bool there;
	struct hsa_buf b;
};

static void
grow(struct hsa_buf *to, size_t n)
{
	while (to->len < n)
		hsa_buf_u8(to, 0);
}

static void
apply(struct image *f, const struct op *o, bool torn)
{
	size_t n = torn ? o->bytes.len / 2 : o->bytes.len;

	switch (o->kind) {
	case OP_CREATE:
		f->there = true;
		break;
	case OP_UNLINK:
		f->there = false;
		f->b.len = 0;
		break;
	case OP_WRITE:
		grow(&f->b, (size_t)o->at + n);
		assert_false(f->b.failed);
		if (n != 0)
			memcpy(f->b.p + o->at, o->bytes.p, n);
		break;
	case OP_TRUNCATE:
		grow(&f->b, (size_t)o->at);
		f->b.len = (size_t)o->at;
		break;
	case OP_SYNC:
	case OP_SYNC_NAMES:
		break;
	}
}

static void
make_disk(const char *dir, size_t n, enum kept kept, struct hd_rng *rng)
{
	static struct image image[FILES_MAX];
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/log", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	for (int i = 0; i < disk.files; i++) {
		image[i].there = false;
		image[i].b.len = 0;
	}
	mark_durable(n);
	for (size_t i = 0; i < n; i++) {
		const struct op *o = &disk.op[i];
		bool keep = o->durable || kept == KEPT_ALL, torn = false;

		if (o->file < 0)
			continue;
		if (!keep && kept == KEPT_SOME) {
			keep = hd_rand(rng, 2) == 0;
			torn = hd_rand(rng, 2) == 0;
		}
		if (keep)
			apply(&image[o->file], o, torn);
	}
	for (int i = 0; i < disk.files; i++) {
		FILE *f;

		if (!image[i].there)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, disk.name[i]);
		f = fopen(path, "w");
		assert_non_null(f);
		if (image[i].b.len > 0)
			assert_int_equal(
			    fwrite(image[i].b.p, 1, image[i].b.len, f),
			    image[i].b.len);
		assert_int_equal(fclose(f), 0);
	}
}

struct tally {
	uint64_t next[HSA_SOURCES + 1];
	unsigned long gaps;
};

/* Numbers of both sources without a hole: nothing missing, nothing twice. */
static hsa_rc
look(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct tally *t = ctx;

	(void)raw;
	(void)n;
	if (r->source != HSA_SOURCE_OUTBOX)
		return HSA_OK;
	t->gaps += r->source_sequence != t->next[r->source] + 1;
	t->next[r->source] = r->source_sequence;
	return HSA_OK;
}

static void
verify(const char *dir, struct tally *t, size_t ops)
{
	struct vfy_key key = {0};
	struct vfy_keys keys = {&key, 1};
	struct vfy_options opt = {.keys = &keys, .on_record = look, .ctx = t};
	struct vfy_result res;
	struct hsa_diag diag = {{0}};
	struct slog_key k;

	memset(t, 0, sizeof(*t));
	assert_ok(slog_key_init(&k, ORIGIN, h.cfg.public_key));
	(void)snprintf(key.origin, sizeof(key.origin), "%s", ORIGIN);
	memcpy(key.public_key, h.cfg.public_key, sizeof(key.public_key));
	memcpy(key.key_hash, k.hash, sizeof(key.key_hash));
	assert_ok(vfy_log(&res, dir, &opt, &diag));
	if (res.bad)
		fail_msg("cut %zu: %s: %s", ops, res.rule, res.finding);
}

/* Power comes back: is everything there that was replied to by then? */
static unsigned long
check_cut(size_t ops, enum kept kept, struct hd_rng *rng)
{
	char dir[120], log[140], db[140], ring[140], cmd[200];
	struct reply want = {0};
	struct hsa_diag diag = {{0}};
	struct cu_unit *u = NULL;
	struct cu_sink s;
	struct tally t;
	struct slog *l;
	unsigned long lost = 0;
	hsa_rc rc;

	for (size_t i = 0; i < replies && reply[i].ops <= ops; i++)
		want = reply[i];
	(void)snprintf(dir, sizeof(dir), "%s/cut", b->dir);
	(void)snprintf(log, sizeof(log), "%s/log", dir);
	(void)snprintf(db, sizeof(db), "%s/state.db", dir);
	(void)snprintf(ring, sizeof(ring), "%s/ring", dir);
	make_disk(dir, ops, kept, rng);
	l = open_log(log, ring, NULL, &diag);
	if (l == NULL)
		fail_msg(
		    "cut %zu, kept %d: log: %s", ops, (int)kept, diag.text);
	s = slog_sink(l);
	if (s.ops->last(s.ctx, HSA_SOURCE_USE) < want.use)
		lost += want.use - s.ops->last(s.ctx, HSA_SOURCE_USE);
	rc =
	    cu_unit_open(&u, &b->id, db, b->backend, NULL, s, &b->clock, &diag);
	if (!hsa_is_ok(rc))
		fail_msg(
		    "cut %zu, kept %d: unit: %s", ops, (int)kept, diag.text);
	if (s.ops->last(s.ctx, HSA_SOURCE_OUTBOX) < want.outbox)
		lost += want.outbox - s.ops->last(s.ctx, HSA_SOURCE_OUTBOX);
	cu_unit_close(u);
	slog_close(l);
	verify(log, &t, ops);
	assert_int_equal(t.gaps, 0);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	assert_int_equal(system(cmd), 0);
	return lost;
}

static void
test_power__no_replied_event_is_missing_at_any_cut(void **state)
{
	static const char *const name[KEPT_COUNT] = {
	    "nothing", "all", "some, torn and reordered"};
	unsigned int seed = hd_env("SEED", 1);
	struct hd_rng rng = {seed};
	unsigned long lost, cuts, all = 0;
	/* 1 in the long run: each cut */
	unsigned int step = hd_env("POWER_STEP", 3);

	(void)state;
	vfs_install();
	helper_slog_init(&h);
	b = cu_bench_new();
	run_once();
	for (int kept = 0; kept < KEPT_COUNT; kept++) {
		lost = cuts = 0;
		for (size_t n = 0; n <= disk.len; n += step, cuts++)
			lost += check_cut(n, (enum kept)kept, &rng);
		printf("COUNT power cuts, unsynced bytes kept: %s: %lu (of "
		       "%zu calls, seed %u); replied events missing %lu\n",
		    name[kept], cuts, disk.len, seed, lost);
		all += lost;
	}
	printf("COUNT replies in the run: %zu, state changes %llu, calls "
	       "%llu\n",
	    replies, (unsigned long long)reply[replies - 1].outbox,
	    (unsigned long long)reply[replies - 1].use);
	assert_int_equal(all, 0);
	for (size_t i = 0; i < disk.len; i++)
		hsa_buf_free(&disk.op[i].bytes);
	cu_bench_free(b);
	helper_slog_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_power__no_replied_event_is_missing_at_any_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
