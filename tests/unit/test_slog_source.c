/* Two sources in one log. */
#include <setjmp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cu_clock.h"
#include "helper_proto.h"
#include "helper_slog.h"
#include "helper_slog_fault.h"
#include "slog_impl.h"

#define THREADS 64
#define EACH 50
#define ALL (THREADS * EACH)
#define OUTBOX 5

static struct helper_slog h;
static struct helper_fault f;

/* ---- what a restart finds ------------------------------------------------ */

/* A few records of the outbox, then calls until the last file has nothing
 * else; its name. */
static uint64_t
build(char name[32], char before[32])
{
	char names[64][32];
	uint64_t sequence = 0, uses = 0;
	struct slog *l;
	size_t n;

	helper_slog_init(&h);
	h.cfg.segment_bytes = 1500;
	l = helper_slog_open(&h);
	for (uint64_t i = 1; i <= OUTBOX; i++)
		assert_ok(helper_slog_seal(l, &sequence, i, 40));
	do {
		assert_ok(helper_slog_seal_use(l, &sequence, ++uses));
		n = helper_dir_segments(names, 64, h.dir);
	} while (n < 5 || uses < 40);
	slog_close(l);
	memcpy(name, names[n - 1], 32);
	memcpy(before, names[n - 2], 32);
	return uses;
}

static void
test_slog__a_last_file_of_calls_alone_keeps_the_outbox_number(void **state)
{
	char name[32], before[32];
	uint64_t sequence = 0, uses = build(name, before);
	struct cu_sink sink;
	struct slog *l;

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		l = helper_slog_open(&h);
		sink = slog_sink(l);
		assert_int_equal(
		    sink.ops->last(sink.ctx, HSA_SOURCE_OUTBOX), OUTBOX);
		assert_int_equal(
		    sink.ops->last(sink.ctx, HSA_SOURCE_USE), uses);
		/* neither source may go back */
		assert_rc("E_ARG", helper_slog_seal(l, &sequence, OUTBOX, 9));
		assert_rc("E_ARG", helper_slog_seal_use(l, &sequence, uses));
		for (unsigned int i = 0; i < 10; i++)
			assert_ok(helper_slog_seal_use(l, &sequence, ++uses));
		slog_close(l);
	}
	l = helper_slog_open(&h);
	assert_ok(helper_slog_seal(l, &sequence, OUTBOX + 1, 9));
	assert_int_equal(helper_slog_count(l, NULL), OUTBOX + 1 + uses);
	slog_close(l);
	helper_slog_free(&h);
}

/* The header of a file with other numbers, the rest as it was. */
static void
reheader(const char *name, int64_t outbox, int64_t use)
{
	struct hsa_entry *e = calloc(1, sizeof(*e));
	struct hsa_buf was = {0}, now = {0};
	size_t used = 0;

	assert_non_null(e);
	helper_file_read(&was, h.dir, name);
	assert_ok(hsa_entry_decode(e, &used, was.p, was.len));
	e->source_last[HSA_SOURCE_OUTBOX] += (uint64_t)outbox;
	e->source_last[HSA_SOURCE_USE] += (uint64_t)use;
	assert_ok(hsa_entry_encode_header(&now, e->origin, e->first_sequence,
	    (const uint8_t(*)[HSA_SHA256_LEN])e->frontier, e->frontier_len,
	    e->source_last));
	hsa_buf_put(&now, was.p + used, was.len - used);
	helper_file_write(h.dir, name, now.p, now.len);
	hsa_buf_free(&was);
	hsa_buf_free(&now);
	free(e);
}

static void
stops(const char *file, const char *why)
{
	struct hsa_diag diag = {{0}};
	struct slog *l = NULL;

	assert_rc("E_CORRUPT", slog_open(&l, &h.cfg, &diag));
	if (strstr(diag.text, file) == NULL || strstr(diag.text, why) == NULL)
		fail_msg("%s", diag.text);
}

static void
test_slog__header_numbers_that_the_records_deny_stop_the_unit(void **state)
{
	static const int64_t off[][2] = {
	    {1, 0}, {-1, 0}, {0, -1}, {0, -20}, {INT64_MAX, 0}, {-OUTBOX, 0}};
	char name[32], before[32];
	struct slog *l;

	(void)state;
	(void)build(name, before);
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		reheader(name, off[i][0], off[i][1]);
		stops(name, "byte 0: the header's numbers of the sources");
		reheader(name, -off[i][0], -off[i][1]);
	}
	/* a record of this very file shows this one */
	reheader(name, 0, 1);
	stops(name, "order");
	reheader(name, 0, -1);
	/* nothing comes before the first file */
	l = helper_slog_open(&h);
	slog_close(l);
	helper_slog_free(&h);
	helper_slog_init(&h);
	l = helper_slog_open(&h);
	helper_slog_batch(l, 7, 1, 10);
	slog_close(l);
	reheader("seg-0000000000000000.slog", 3, 0);
	stops("seg-0000000000000000.slog", "before it");
	helper_slog_free(&h);
}

/* What vouches for the last header has to be readable itself. */
static void
test_slog__damage_in_the_file_before_the_last_stops_the_unit(void **state)
{
	char name[32], before[32];
	struct hsa_buf b = {0};

	(void)state;
	(void)build(name, before);
	helper_file_read(&b, h.dir, before);
	helper_file_write(h.dir, before, b.p, b.len - 1);
	stops(before, "not an entry");
	helper_file_write(h.dir, before, b.p, 0);
	stops(before, "not an entry");
	b.p[0] ^= 1;
	helper_file_write(h.dir, before, b.p, b.len);
	stops(before, "byte 0: not an entry");
	hsa_buf_free(&b);
	helper_slog_free(&h);
}

/* ---- both at once -------------------------------------------------------- */

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static uint64_t outbox_number;
static char ring[96];

struct worker {
	pthread_t thread;
	struct slog *l;
	struct cu_sink sink;
	uint32_t context;
	size_t done;
	bool calls; /* else changes, by the outbox */
	hsa_rc rc;
};

/* A log with a ring, on a disk that takes its time. */
static struct slog *
open_slow(unsigned int sync_us)
{
	helper_slog_init(&h);
	helper_fault_init(&f);
	(void)snprintf(ring, sizeof(ring), "%s/ring", h.base);
	h.cfg.os = &f.os;
	h.cfg.clock = &cu_clock_system;
	h.cfg.ring = ring;
	assert_ok(
	    hsa_uuid_parse(h.cfg.unit_id, strchr(HELPER_ORIGIN, '/') + 1));
	f.sync_us = sync_us;
	return helper_slog_open(&h);
}

static uint32_t
context(struct slog *l)
{
	struct cu_sink sink = slog_sink(l);
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

static hsa_rc
leave(struct cu_sink sink, uint32_t handle, bool durable)
{
	const struct cu_sink_call c = {
	    .start_ns = cu_clock_system.mono_ns(cu_clock_system.ctx),
	    .context = handle,
	    .function = 1,
	};

	return sink.ops->call(sink.ctx, &c, durable, 20000);
}

/* In the order of their numbers, and then side by side. */
static hsa_rc
change(struct worker *w, struct hsa_buf *b)
{
	uint64_t ticket = 0;
	hsa_rc rc;

	hsa_buf_reset(b);
	(void)pthread_mutex_lock(&order);
	helper_slog_record(b, outbox_number + 1, 30);
	rc = helper_slog_put(w->l, &ticket, outbox_number + 1, b->p, b->len);
	if (hsa_is_ok(rc))
		outbox_number++;
	(void)pthread_mutex_unlock(&order);
	return hsa_is_ok(rc) ? helper_slog_wait(w->l, ticket) : rc;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct hsa_buf b = {0};

	for (; w->done < EACH; w->done++)
		HSA_TRY(w->rc, w->calls ? leave(w->sink, w->context, true)
					: change(w, &b));
out:
	hsa_buf_free(&b);
	return NULL;
}

static void
start(struct worker *w, struct slog *l)
{
	uint32_t handle = context(l);

	outbox_number = 0;
	for (size_t i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.l = l,
		    .sink = slog_sink(l),
		    .context = handle,
		    .calls = i % 4 != 0};
		assert_int_equal(
		    pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
}

static void
test_slog__one_sync_serves_many_of_both_sources_who_wait(void **state)
{
	struct worker *w = calloc(THREADS, sizeof(*w));
	uint64_t points = 0, own, before;
	struct slog *l;

	(void)state;
	l = open_slow(300);
	before = f.syncs;
	start(w, l);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_ok(w[i].rc);
		assert_int_equal(w[i].done, EACH);
	}
	/* each source's numbers one after the other, which count checks */
	own = slog_sink(l).ops->last(l, HSA_SOURCE_SEALER);
	assert_int_equal(own, 2); /* SEGMENT_OPENED, the context */
	assert_int_equal(helper_slog_count(l, &points), ALL + own);
	assert_int_equal(f.syncs - before, points);
	assert_true(points < ALL / 8);
	slog_close(l);
	l = helper_slog_open(&h);
	assert_int_equal(slog_sink(l).ops->last(l, HSA_SOURCE_OUTBOX), ALL / 4);
	assert_int_equal(
	    slog_sink(l).ops->last(l, HSA_SOURCE_USE), ALL - ALL / 4);
	slog_close(l);
	helper_fault_free(&f);
	helper_slog_free(&h);
	free(w);
}

static void
test_slog__a_failing_disk_wakes_all_that_wait(void **state)
{
	struct worker *w = calloc(THREADS, sizeof(*w));
	struct slog *l;

	(void)state;
	for (unsigned int n = 5; n < 80; n += 19) {
		l = open_slow(100);
		f.fail_at = f.calls + n;
		start(w, l);
		for (size_t i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(w[i].thread, NULL), 0);
			/* E_STOPPED: of a call that lies in the ring */
			if (!w[i].calls || w[i].rc.v != HSA_E_STOPPED)
				assert_rc("E_IO", w[i].rc);
		}
		slog_close(l);
		helper_fault_free(&f);
		helper_slog_free(&h);
	}
	free(w);
}

/* Nobody waits for them when the unit closes its log in order; or the disk
 * fails at that very moment, and the next start finds them in the ring. */
static void
test_slog__calls_that_were_left_are_sealed_by_closing_or_opening(void **state)
{
	struct slog *l;

	(void)state;
	for (unsigned int fail = 0; fail < 2; fail++) {
		uint32_t handle;

		l = open_slow(20000);
		handle = context(l);
		f.fail_at = fail == 0 ? 0 : f.calls + 1;
		for (size_t i = 0; i < 8; i++)
			assert_ok(leave(slog_sink(l), handle, false));
		slog_close(l);
		f.fail_at = 0;
		h.cfg.ring = NULL;
		l = helper_slog_open(&h);
		assert_int_equal(slog_sink(l).ops->last(l, HSA_SOURCE_USE),
		    fail == 0 ? 8 : 0);
		slog_close(l);
		h.cfg.ring = ring;
		l = helper_slog_open(&h);
		assert_ok(slog_flush(l));
		assert_int_equal(slog_sink(l).ops->last(l, HSA_SOURCE_USE), 8);
		slog_close(l);
		helper_fault_free(&f);
		helper_slog_free(&h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_slog__a_last_file_of_calls_alone_keeps_the_outbox_number),
	    cmocka_unit_test(
		test_slog__header_numbers_that_the_records_deny_stop_the_unit),
	    cmocka_unit_test(
		test_slog__damage_in_the_file_before_the_last_stops_the_unit),
	    cmocka_unit_test(
		test_slog__one_sync_serves_many_of_both_sources_who_wait),
	    cmocka_unit_test(test_slog__a_failing_disk_wakes_all_that_wait),
	    cmocka_unit_test(
		test_slog__calls_that_were_left_are_sealed_by_closing_or_opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
