/*
 * test_slog_speed.c - what the sealed log costs: a caller of the ring, the two
 * threads behind it per call, and 64 callers who wait, beside a bare write and
 * fdatasync of the same bytes, with checkpoints signed by OpenSSL and by a real
 * token. Prints; asserts only that each call was recorded. CALLS and DURABLE
 * (per caller) choose how many; the folder is on the disk of TMPDIR, /var/tmp
 * by default.
 */
#include <setjmp.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "cu_clock.h"
#include "helper_bk.h"
#include "helper_proto.h"
#include "helper_slog.h"
#include "hsa_codec.h"
#include "slog_impl.h"

#define CALLERS 64

static struct helper_slog h;
static struct helper_bk bk;
static struct slog_os os; /* the real one, counted */
/* the writing thread is not done with a batch when its callers are */
static _Atomic uint64_t syncs, bytes, sync_ns, sign_ns;
static slog_sign *sign;
static char ring[96];

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec t = {0};

	(void)clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned int
from_env(const char *name, unsigned int otherwise)
{
	const char *v = getenv(name);

	return v == NULL ? otherwise : (unsigned int)strtoul(v, NULL, 10);
}

static int
counted_fdatasync(void *ctx, int fd)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	int e = slog_os_posix()->fdatasync(ctx, fd);

	sync_ns += clock_ns(CLOCK_MONOTONIC) - start;
	syncs++;
	return e;
}

static hsa_rc
counted_sign(void *ctx, uint8_t sig[64], const void *msg, size_t n)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	hsa_rc rc = sign(ctx, sig, msg, n);

	sign_ns += clock_ns(CLOCK_MONOTONIC) - start;
	return rc;
}

static ssize_t
counted_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t at)
{
	bytes += n;
	return slog_os_posix()->pwrite(ctx, fd, p, n, at);
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	memset(&bk, 0, sizeof(bk));
	helper_slog_init(&h);
	(void)snprintf(h.dir, sizeof(h.dir), "%.40s/slog-speed-%d",
	    tmp == NULL ? "/var/tmp" : tmp, (int)getpid());
	(void)snprintf(
	    ring, sizeof(ring), "/dev/shm/slog-speed-%d", (int)getpid());
	os = *slog_os_posix();
	os.fdatasync = counted_fdatasync;
	os.pwrite = counted_pwrite;
	h.cfg.os = &os;
	h.cfg.clock = &cu_clock_system;
	h.cfg.ring = ring;
	assert_ok(
	    hsa_uuid_parse(h.cfg.unit_id, strchr(HELPER_ORIGIN, '/') + 1));
	sign = h.cfg.sign;
	h.cfg.sign = counted_sign;
	return 0;
}

static void
use_token(void)
{
	if (!helper_bk_have())
		skip();
	helper_bk_make(&bk);
	helper_bk_open(&bk);
	sign = bk.be.ops->checkpoint_sign;
	h.cfg.sign_ctx = bk.be.ctx;
	memcpy(h.cfg.public_key, bk.checkpoint_pub, sizeof(h.cfg.public_key));
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(ring);
	helper_dir_remove(h.dir);
	if (bk.dir[0] != '\0')
		helper_bk_free(&bk);
	helper_slog_free(&h);
	return 0;
}

static uint32_t
context(struct cu_sink sink)
{
	struct hsa_record r = {0};
	struct hsa_buf b = {0};
	uint32_t handle = 0;

	hp_context(&r);
	memcpy(r.unit_id, h.cfg.unit_id, sizeof(r.unit_id));
	r.epoch = 1;
	r.wall_ns = r.mono_ns = r.source_sequence = 0;
	assert_ok(hsa_record_encode(&b, &r));
	assert_ok(sink.ops->context(sink.ctx, &handle, b.p, b.len));
	hsa_record_free(&r);
	hsa_buf_free(&b);
	return handle;
}

static struct cu_sink_call
call_of(uint32_t handle)
{
	struct cu_sink_call c = {
	    .start_ns = cu_clock_system.mono_ns(cu_clock_system.ctx),
	    .duration_ns = 12000,
	    .mechanism = 0x1087,
	    .bytes_in = 4096,
	    .bytes_out = 4112,
	    .context = handle,
	    .function = 10,
	    .flags = CU_SINK_KEY,
	};

	memset(c.key_id, 0x44, sizeof(c.key_id));
	memset(c.correlation_id, 0x55, sizeof(c.correlation_id));
	return c;
}

static int
by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t
cpu_of(pthread_t t)
{
	clockid_t id;

	return pthread_getcpuclockid(t, &id) == 0 ? clock_ns(id) : 0;
}

static void
test_slog_speed__calls_through_the_ring(void **state)
{
	unsigned int calls = from_env("CALLS", 200000);
	uint32_t *ns = calloc(calls, sizeof(*ns));
	struct slog *l = helper_slog_open(&h);
	struct cu_sink sink = slog_sink(l);
	struct cu_sink_call c = call_of(context(sink));
	uint64_t sealer = cpu_of(l->sealer), writer = cpu_of(l->writer);
	uint64_t at, then;

	(void)state;
	assert_non_null(ns);
	syncs = 0;
	at = clock_ns(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < calls; i++) {
		assert_ok(sink.ops->call(sink.ctx, &c, false, 60000));
		then = clock_ns(CLOCK_MONOTONIC);
		ns[i] = (uint32_t)(then - at);
		at = then;
	}
	assert_ok(sink.ops->call(sink.ctx, &c, true, 60000));
	sealer = cpu_of(l->sealer) - sealer;
	writer = cpu_of(l->writer) - writer;
	assert_int_equal(sink.ops->last(sink.ctx, HSA_SOURCE_USE), calls + 1);
	slog_close(l);
	qsort(ns, calls, sizeof(*ns), by_value);
	print_message("  caller: p50 %u ns, p99 %u ns (one reading of the "
		      "clock included)\n",
	    ns[calls / 2], ns[calls / 100 * 99]);
	print_message("  sealer: %llu ns a call sealing, %llu writing: %.2f M "
		      "calls/s on one core, %llu commits\n",
	    (unsigned long long)sealer / calls,
	    (unsigned long long)writer / calls,
	    1e3 * calls / (double)(sealer + writer), (unsigned long long)syncs);
	free(ns);
}

/* ---- callers who wait ---------------------------------------------------- */

struct caller {
	pthread_t id;
	struct cu_sink sink;
	struct cu_sink_call call;
	unsigned int n;
	hsa_rc rc;
};

static void *
wait_each(void *arg)
{
	struct caller *w = arg;

	for (unsigned int i = 0; i < w->n && hsa_is_ok(w->rc); i++)
		w->rc = w->sink.ops->call(w->sink.ctx, &w->call, true, 60000);
	return NULL;
}

/* The least that any group commit of these callers costs: one write and sync
 * for what all of them have, again and again. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t work, done;
	unsigned int waiting, each, callers;
	uint64_t round, size, at;
	bool stop;
	int fd;
} bare = {.mutex = PTHREAD_MUTEX_INITIALIZER,
    .work = PTHREAD_COND_INITIALIZER,
    .done = PTHREAD_COND_INITIALIZER};

static void *
bare_caller(void *arg)
{
	(void)arg;
	(void)pthread_mutex_lock(&bare.mutex);
	for (unsigned int i = 0; i < bare.each; i++) {
		uint64_t mine = bare.round + 1;

		/* one that is being written does not have it */
		if (bare.waiting++ == 0)
			(void)pthread_cond_signal(&bare.work);
		while (bare.round < mine)
			(void)pthread_cond_wait(&bare.done, &bare.mutex);
	}
	bare.callers--;
	(void)pthread_cond_signal(&bare.work);
	(void)pthread_mutex_unlock(&bare.mutex);
	return NULL;
}

static uint64_t
bare_run(uint64_t size, unsigned int each, uint64_t *rounds)
{
	uint8_t *p = calloc(1, (size_t)size * CALLERS);
	pthread_t id[CALLERS];
	char path[96];
	uint64_t start;

	assert_non_null(p);
	(void)snprintf(path, sizeof(path), "%s/bare", h.dir);
	bare.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(bare.fd >= 0);
	bare.waiting = 0;
	bare.round = bare.at = 0;
	bare.each = each;
	bare.callers = CALLERS;
	start = clock_ns(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < CALLERS; i++)
		assert_int_equal(
		    pthread_create(&id[i], NULL, bare_caller, NULL), 0);
	(void)pthread_mutex_lock(&bare.mutex);
	while (bare.callers != 0) {
		size_t n = (size_t)(bare.waiting * size);

		if (n == 0) {
			(void)pthread_cond_wait(&bare.work, &bare.mutex);
			continue;
		}
		bare.waiting = 0;
		/* who comes while this is written waits for the next one */
		(void)pthread_mutex_unlock(&bare.mutex);
		assert_int_equal(
		    pwrite(bare.fd, p, n, (off_t)bare.at), (ssize_t)n);
		assert_int_equal(fdatasync(bare.fd), 0);
		(void)pthread_mutex_lock(&bare.mutex);
		bare.at += n;
		bare.round++;
		(void)pthread_cond_broadcast(&bare.done);
	}
	(void)pthread_mutex_unlock(&bare.mutex);
	for (unsigned int i = 0; i < CALLERS; i++)
		(void)pthread_join(id[i], NULL);
	start = clock_ns(CLOCK_MONOTONIC) - start;
	*rounds = bare.round;
	assert_int_equal(close(bare.fd), 0);
	assert_int_equal(unlink(path), 0);
	free(p);
	return start;
}

static uint64_t
sealed_run(struct slog *l, struct cu_sink_call *call, unsigned int each)
{
	struct caller w[CALLERS];
	uint64_t start = clock_ns(CLOCK_MONOTONIC);

	for (unsigned int i = 0; i < CALLERS; i++) {
		w[i] = (struct caller){
		    .sink = slog_sink(l), .call = *call, .n = each};
		assert_int_equal(
		    pthread_create(&w[i].id, NULL, wait_each, &w[i]), 0);
	}
	for (unsigned int i = 0; i < CALLERS; i++) {
		assert_int_equal(pthread_join(w[i].id, NULL), 0);
		assert_ok(w[i].rc);
	}
	return clock_ns(CLOCK_MONOTONIC) - start;
}

static void
run(void)
{
	unsigned int each = from_env("DURABLE", 20), rounds = 5;
	uint64_t all = (uint64_t)CALLERS * each, sealed = 0, naked = 0;
	uint64_t naked_syncs = 0, n = 0, b = 0;
	struct slog *l = helper_slog_open(&h);
	struct cu_sink_call c = call_of(context(slog_sink(l)));

	(void)sealed_run(l, &c, 2); /* the files are there */
	syncs = sync_ns = sign_ns = 0;
	/* in turns: a disk has its moods */
	for (unsigned int i = 0; i < rounds; i++) {
		bytes = 0;
		sealed += sealed_run(l, &c, each);
		b = bytes / all;
		naked += bare_run(b, each, &n);
		naked_syncs += n;
	}
	assert_int_equal(slog_sink(l).ops->last(l, HSA_SOURCE_USE),
	    CALLERS * 2 + all * rounds);
	all *= rounds;
	print_message(
	    "  sealed: %.0f calls/s, %.1f a commit of %.0f us (sync %.0f, "
	    "signature %.0f)\n",
	    1e9 * (double)all / (double)sealed, (double)all / (double)syncs,
	    1e-3 * (double)sealed / (double)syncs,
	    1e-3 * (double)sync_ns / (double)syncs,
	    1e-3 * (double)sign_ns / (double)syncs);
	print_message("  bare: %.0f, %.1f a commit of %.0f us; %+.1f %% time "
		      "for %llu bytes each\n",
	    1e9 * (double)all / (double)naked,
	    (double)all / (double)naked_syncs,
	    1e-3 * (double)naked / (double)naked_syncs,
	    100 * ((double)sealed / (double)naked - 1), (unsigned long long)b);
	slog_close(l);
}

static void
test_slog_speed__callers_who_wait_signed_by_openssl(void **state)
{
	(void)state;
	run();
}

static void
test_slog_speed__callers_who_wait_signed_by_a_token(void **state)
{
	(void)state;
	use_token();
	run();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_slog_speed__calls_through_the_ring),
	    T(test_slog_speed__callers_who_wait_signed_by_openssl),
	    T(test_slog_speed__callers_who_wait_signed_by_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
