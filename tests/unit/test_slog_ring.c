/* The ring in shared memory: many threads, a full ring, wrapping, and what a
 * killed process leaves. */
#include <setjmp.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_left.h"
#include "helper_proto.h"
#include "slog_ring.h"

#define SLOTS 1024u
#define THREADS 8
#define EACH 20000u

static char dir[64], path[80];
static struct slog_ring_config cfg;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/dev/shm/test-ring-XXXXXX");
	assert_non_null(mkdtemp(dir));
	helper_left(dir);
	(void)snprintf(path, sizeof(path), "%s/ring", dir);
	memset(&cfg, 0, sizeof(cfg));
	cfg.path = path;
	memset(cfg.unit_id, 7, sizeof(cfg.unit_id));
	cfg.slots = SLOTS;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static struct slog_ring *
attach(enum slog_ring_found want)
{
	enum slog_ring_found found = 0;
	struct hsa_diag diag = {{0}};
	struct slog_ring *r = NULL;

	assert_ok(slog_ring_open(&r, &found, &cfg, &diag));
	assert_int_equal(found, want);
	return r;
}

static void
refused(const char *name, const char *text)
{
	enum slog_ring_found found = 0;
	struct hsa_diag diag = {{0}};
	struct slog_ring *r = NULL;

	assert_rc(name, slog_ring_open(&r, &found, &cfg, &diag));
	assert_null(r);
	assert_non_null(strstr(diag.text, text));
}

/* A record that says its own length in every byte. */
static hsa_rc
put(struct slog_ring *r, size_t n, int wait_ms)
{
	struct slog_ring_place p;
	uint8_t *rec = malloc(n);
	hsa_rc rc;

	assert_non_null(rec);
	memset(rec, (int)(n & 0xff), n);
	rc = slog_ring_reserve(r, &p, n, wait_ms);
	if (hsa_is_ok(rc)) {
		slog_ring_fill(r, &p, rec);
		slog_ring_publish(r, &p, 1);
	}
	free(rec);
	return rc;
}

static void
expect(struct slog_ring *r, uint64_t *cursor, size_t n, bool orphans)
{
	struct slog_ring_item it = {0};

	assert_ok(slog_ring_next(r, &it, cursor, orphans));
	assert_int_equal(it.n, n);
	assert_int_equal(it.kind, 1);
	assert_int_equal(*cursor, it.end);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(it.p[i], n & 0xff);
}

static void
test_slog_ring__records_of_all_sizes_come_out_as_they_went_in(void **state)
{
	static const size_t sizes[] = {
	    1, 7, 111, 112, 113, 224, 225, 4096, 65535, 65536};
	struct slog_ring *r = attach(SLOG_RING_NEW);
	struct slog_ring_item it;
	uint64_t cursor = 0;

	(void)state;
	/* many laps */
	for (size_t lap = 0; lap < 50; lap++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			assert_ok(put(r, sizes[i], 0));
			expect(r, &cursor, sizes[i], false);
			assert_rc("E_NOT_FOUND",
			    slog_ring_next(r, &it, &cursor, false));
			slog_ring_release(r, cursor, 0);
		}
	assert_true(cursor > 20 * SLOTS);
	assert_rc("E_RANGE", put(r, 65537, 0));
	slog_ring_close(r, true);
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_slog_ring__full_refuses_after_the_deadline_and_counts(void **state)
{
	struct slog_ring *r = attach(SLOG_RING_NEW);
	uint64_t cursor = 0;
	uint32_t n = 0;

	(void)state;
	while (hsa_is_ok(put(r, 100, 0)))
		n++;
	assert_int_equal(n, SLOTS);
	assert_int_equal(slog_ring_unrecorded(r), 1);
	assert_rc("E_TIMEOUT", put(r, 100, 20));
	assert_int_equal(slog_ring_unrecorded(r), 2);
	/* nothing was overwritten */
	for (n = 0; n < SLOTS; n++)
		expect(r, &cursor, 100, false);
	slog_ring_release(r, 3, 0);
	assert_ok(put(r, 300, 0)); /* three slots */
	assert_rc("E_TIMEOUT", put(r, 1, 0));
	slog_ring_unrecorded_told(r, 3);
	assert_int_equal(slog_ring_unrecorded(r), 0);
	slog_ring_stop(r);
	slog_ring_release(r, cursor, 0);
	assert_rc("E_CLOSED", put(r, 1, 0));
	slog_ring_close(r, true);
	/* something is still in it */
	assert_int_equal(access(path, F_OK), 0);
}

/* ---- many threads -------------------------------------------------------- */

struct word {
	uint32_t thread, number;
	uint8_t pad[100];
};

struct producer {
	pthread_t id;
	struct slog_ring *r;
	uint32_t thread;
};

static void *
produce(void *arg)
{
	struct producer *p = arg;
	struct slog_ring_place at;
	struct word *w, two[2];

	for (uint32_t i = 0; i < EACH; i++) {
		bool big = (i + p->thread) % 5 == 0;

		if (!hsa_is_ok(slog_ring_reserve(
			p->r, &at, big ? sizeof(two) : sizeof(*w), 60000)))
			abort();
		if (big) {
			memset(two, (int)(i & 0xff), sizeof(two));
			two[0].thread = p->thread;
			two[0].number = i;
			slog_ring_fill(p->r, &at, two);
		} else { /* in place */
			w = slog_ring_room(p->r, &at, 0);
			memset(w, (int)(i & 0xff), sizeof(*w));
			w->thread = p->thread;
			w->number = i;
		}
		slog_ring_publish(p->r, &at, 1);
	}
	return NULL;
}

static void
test_slog_ring__threads_lose_and_double_nothing_in_their_order(void **state)
{
	struct slog_ring *r = attach(SLOG_RING_NEW);
	struct producer p[THREADS];
	uint32_t next[THREADS] = {0}, all = 0;
	struct slog_ring_item it;
	struct word w;
	uint64_t cursor = 0;

	(void)state;
	for (uint32_t i = 0; i < THREADS; i++) {
		p[i].r = r;
		p[i].thread = i;
		assert_int_equal(
		    pthread_create(&p[i].id, NULL, produce, &p[i]), 0);
	}
	while (all < THREADS * EACH) {
		if (!hsa_is_ok(slog_ring_next(r, &it, &cursor, false)))
			continue;
		memcpy(&w, it.p, sizeof(w));
		assert_true(w.thread < THREADS);
		assert_int_equal(w.number, next[w.thread]++);
		for (size_t i = 8; i < it.n; i++)
			assert_int_equal(it.p[i], w.number & 0xff);
		all++;
		if (all % 37 == 0)
			slog_ring_release(r, cursor, 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		(void)pthread_join(p[i].id, NULL);
	assert_int_equal(slog_ring_head(r), cursor);
	assert_int_equal(slog_ring_unrecorded(r), 0);
	slog_ring_release(r, cursor, 0);
	slog_ring_close(r, true);
}

/* ---- a process that dies ------------------------------------------------- */

static void
test_slog_ring__a_kill_leaves_what_was_published_and_no_more(void **state)
{
	struct slog_ring_place hole;
	struct slog_ring_item it;
	struct slog_ring *r;
	uint64_t cursor = 0;
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		enum slog_ring_found found;

		if (!hsa_is_ok(slog_ring_open(&r, &found, &cfg, NULL)))
			_exit(1);
		if (!hsa_is_ok(put(r, 50, 0)) ||
		    !hsa_is_ok(slog_ring_reserve(r, &hole, 500, 0)) ||
		    !hsa_is_ok(put(r, 300, 0)) ||
		    !hsa_is_ok(slog_ring_reserve(r, &hole, 10, 0)) ||
		    !hsa_is_ok(put(r, 60, 0)) ||
		    !hsa_is_ok(slog_ring_reserve(r, &hole, 10, 0)))
			_exit(1);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	r = attach(SLOG_RING_OLD);
	expect(r, &cursor, 50, true);
	expect(r, &cursor, 300, true);
	expect(r, &cursor, 60, true);
	assert_rc("E_NOT_FOUND", slog_ring_next(r, &it, &cursor, true));
	assert_int_equal(cursor, slog_ring_head(r));
	slog_ring_release(r, cursor, 0);
	assert_ok(put(r, 70, 0)); /* and on it goes */
	expect(r, &cursor, 70, false);
	slog_ring_close(r, false);
}

static void
test_slog_ring__contexts_stay_until_nothing_refers_to_them(void **state)
{
	struct slog_ring *r = attach(SLOG_RING_NEW);
	uint32_t handle[SLOG_RING_CONTEXTS], h = 0;
	uint64_t generation = 0, again = 0;
	const uint8_t *p = NULL;
	uint8_t big[SLOG_RING_CONTEXT_MAX + 1] = {0};
	size_t n = 0;

	(void)state;
	assert_rc("E_RANGE", slog_ring_context_put(r, &h, big, sizeof(big)));
	for (size_t i = 0; i < SLOG_RING_CONTEXTS; i++) {
		big[0] = (uint8_t)i;
		assert_ok(slog_ring_context_put(r, &handle[i], big, 1 + i));
	}
	assert_rc("E_BUSY", slog_ring_context_put(r, &h, "x", 1));
	assert_ok(slog_ring_context(r, handle[9], &generation, &p, &n));
	assert_int_equal(n, 10);
	assert_int_equal(p[0], 9);
	assert_ok(put(r, 20, 0)); /* may refer to it */
	slog_ring_context_drop(r, handle[9]);
	assert_rc("E_BUSY", slog_ring_context_put(r, &h, "x", 1));
	slog_ring_release(r, slog_ring_head(r), 0);
	assert_ok(slog_ring_context_put(r, &h, "x", 1));
	assert_int_equal(h, handle[9]);
	assert_ok(slog_ring_context(r, h, &again, &p, &n));
	assert_true(again != generation);
	assert_rc("E_CORRUPT",
	    slog_ring_context(r, SLOG_RING_CONTEXTS, &again, &p, &n));
	/* nor is one of the next process taken for one of this */
	slog_ring_close(r, false);
	r = attach(SLOG_RING_OLD);
	assert_ok(slog_ring_context_put(r, &h, "y", 1));
	assert_ok(slog_ring_context(r, h, &generation, &p, &n));
	assert_true(generation > again);
	slog_ring_close(r, true);
}

/* The sealer knows a context by place and generation. */
static void
test_slog_ring__contexts_of_the_process_before_are_told_from_new_ones(
    void **state)
{
	struct slog_ring *r = attach(SLOG_RING_NEW);
	uint64_t before = 0, after = 0, cursor = 0;
	const uint8_t *p = NULL;
	uint32_t old = 0, h = 0;
	size_t n = 0;

	(void)state;
	assert_ok(slog_ring_context_put(r, &old, "before", 6));
	assert_ok(put(r, 20, 0)); /* may refer to it */
	slog_ring_close(r, false);
	r = attach(SLOG_RING_OLD);
	assert_rc("E_BUSY", slog_ring_context_put(r, &h, "after", 5));
	assert_ok(slog_ring_context(r, old, &before, &p, &n));
	assert_int_equal(n, 6);
	assert_memory_equal(p, "before", 6);
	expect(r, &cursor, 20, true);
	slog_ring_release(r, cursor, 1);
	assert_ok(slog_ring_context_put(r, &h, "after", 5));
	assert_int_equal(h, old);
	assert_ok(slog_ring_context(r, h, &after, &p, &n));
	assert_true(after > before);
	slog_ring_close(r, true);
}

/* ---- files that are no ring of ours -------------------------------------- */

static void
test_slog_ring__a_second_process_and_other_owners_are_refused(void **state)
{
	struct slog_ring *r = attach(SLOG_RING_NEW);

	(void)state;
	refused("E_BUSY", "another process");
	slog_ring_close(r, false);
	assert_int_equal(chmod(path, 0644), 0);
	refused("E_AUTH", "alone");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	refused("E_AUTH", "ring");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused("E_AUTH", "alone");
}

static void
patch(size_t at, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, (off_t)at), (ssize_t)n);
	assert_int_equal(close(fd), 0);
}

static void
test_slog_ring__a_damaged_or_foreign_file_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint64_t v;
		size_t n;
		const char *text;
		bool foreign;
	} set[] = {
	    {0, 0x58, 1, "no ring", true}, {8, 64, 4, "version", true},
	    {12, 1000, 4, "version", true}, {12, 2048, 4, "version", true},
	    {16, 3, 4, "version", true}, {24, 8, 1, "another unit", true},
	    {128, 5000, 8, "positions", false},
	    {256, 12, 8, "positions", false},
	    {128, UINT64_MAX, 8, "positions", false},
	    {264, 2, 8, "positions",
		false},                    /* sealed what was never reserved */
	    {128, 0, 8, "records", false}, /* it went back */
	    {4096 + 256 * 4096 + 128, 1, 8, "records", false},
	    {4096, SLOG_RING_CONTEXT_MAX + 1, 4, "contexts", false},
	    {4096, 1, 4, "contexts", false}, /* of no generation */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		struct slog_ring *r = attach(SLOG_RING_NEW);

		assert_ok(put(r, 10, 0));
		slog_ring_close(r, false);
		slog_ring_close(attach(SLOG_RING_OLD), false);
		patch(set[i].at, &set[i].v, set[i].n);
		refused(set[i].foreign ? "E_FORMAT" : "E_CORRUPT", set[i].text);
		assert_int_equal(unlink(path), 0);
	}
}

static void
test_slog_ring__a_damaged_record_is_told(void **state)
{
	/* length of the first slot's record, behind header and contexts */
	const size_t at = 4096 + 256 * 4096 + 8 + SLOG_RING_ROOM;
	static const uint32_t bad[] = {0, 65537, 4000, 0xffffffff};
	struct slog_ring_item it;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slog_ring *r = attach(SLOG_RING_NEW);
		uint64_t cursor = 0;

		assert_ok(put(r, 100, 0));
		slog_ring_close(r, false);
		patch(at, &bad[i], sizeof(bad[i]));
		r = attach(SLOG_RING_OLD);
		assert_rc("E_CORRUPT", slog_ring_next(r, &it, &cursor, true));
		slog_ring_close(r, false);
		assert_int_equal(unlink(path), 0);
	}
}

static void
test_slog_ring__a_length_that_swallows_the_next_record_is_told(void **state)
{
	const size_t at = 4096 + 256 * 4096 + 8 + SLOG_RING_ROOM;
	static const uint32_t two = 200;
	struct slog_ring *r = attach(SLOG_RING_NEW);
	struct slog_ring_item it;
	uint64_t cursor = 0;

	(void)state;
	assert_ok(put(r, 100, 0));
	assert_ok(put(r, 50, 0));
	slog_ring_close(r, false);
	patch(at, &two, sizeof(two));
	r = attach(SLOG_RING_OLD);
	assert_rc("E_CORRUPT", slog_ring_next(r, &it, &cursor, true));
	slog_ring_close(r, false);
}

static void
test_slog_ring__a_file_that_was_never_finished_is_made_anew(void **state)
{
	static const uint8_t zero[9000];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, zero, sizeof(zero)), sizeof(zero));
	assert_int_equal(close(fd), 0);
	cfg.base = 77;
	slog_ring_close(attach(SLOG_RING_NEW), false);
	cfg.base = 0;
	{
		struct slog_ring *r = attach(SLOG_RING_OLD);

		assert_int_equal(slog_ring_tail(r), 77);
		assert_int_equal(slog_ring_slots(r), SLOTS);
		slog_ring_close(r, true);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_slog_ring__records_of_all_sizes_come_out_as_they_went_in),
	    T(test_slog_ring__full_refuses_after_the_deadline_and_counts),
	    T(test_slog_ring__threads_lose_and_double_nothing_in_their_order),
	    T(test_slog_ring__a_kill_leaves_what_was_published_and_no_more),
	    T(test_slog_ring__contexts_stay_until_nothing_refers_to_them),
	    T(test_slog_ring__contexts_of_the_process_before_are_told_from_new_ones),
	    T(test_slog_ring__a_second_process_and_other_owners_are_refused),
	    T(test_slog_ring__a_damaged_or_foreign_file_is_refused),
	    T(test_slog_ring__a_damaged_record_is_told),
	    T(test_slog_ring__a_length_that_swallows_the_next_record_is_told),
	    T(test_slog_ring__a_file_that_was_never_finished_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
