#include <setjmp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_slog.h"
#include "helper_slog_fault.h"
#include "slog_impl.h"

static int
setup(void **state)
{
	static struct helper_slog h;

	helper_slog_init(&h);
	*state = &h;
	return 0;
}

static int
teardown(void **state)
{
	helper_slog_free(*state);
	return 0;
}

static void
test_slog_reader__starts_at_any_record_over_any_number_of_files(void **state)
{
	struct helper_slog *h = *state;
	struct slog_reader *r = NULL;
	struct slog_item it = {0};
	struct slog *l;
	uint64_t size = 0;

	h->cfg.segment_bytes = 1000;
	l = helper_slog_open(h);
	for (uint64_t i = 0; i < 12; i++) { /* batches of 1, 2, 3, 1, ... */
		helper_slog_batch(l, size + 1, i % 3 + 1, 60);
		size += i % 3 + 1;
	}
	for (uint64_t from = 0; from <= size; from++) {
		uint64_t at = from;
		bool point = from == size;

		assert_ok(slog_reader_open(&r, l, from));
		while (hsa_is_ok(slog_reader_next(r, &it, 0))) {
			point = it.kind == SLOG_CHECKPOINT;
			if (point)
				assert_int_equal(it.sequence, at);
			else
				assert_int_equal(it.sequence, at++);
			assert_true(it.sequence >= from);
			assert_true(!point || it.sequence > from);
		}
		assert_int_equal(at, size);
		assert_true(point); /* never an unsealed record */
		slog_reader_free(r);
	}
	assert_rc("E_RANGE", slog_reader_open(&r, l, size + 1));
	slog_close(l);
}

static void
test_slog_reader__checkpoints_carry_the_root_at_their_size(void **state)
{
	struct helper_slog *h = *state;
	struct slog_reader *r = NULL;
	struct slog_merkle tree;
	struct slog_item it = {0};
	uint8_t root[32];
	struct slog *l;

	h->cfg.segment_bytes = 700;
	l = helper_slog_open(h);
	for (uint64_t i = 0; i < 9; i++)
		helper_slog_batch(l, 3 * i + 1, 3, 60);
	assert_ok(slog_merkle_init(&tree));
	assert_ok(slog_reader_open(&r, l, 0));
	while (hsa_is_ok(slog_reader_next(r, &it, 0))) {
		if (it.kind == SLOG_RECORD) {
			assert_ok(slog_merkle_add(&tree, it.p, it.n));
			continue;
		}
		assert_ok(slog_merkle_root(&tree, root));
		assert_memory_equal(it.root, root, 32);
	}
	assert_int_equal(tree.size, 27);
	slog_reader_free(r);
	slog_merkle_free(&tree);
	slog_close(l);
}

static void *
feed(void *arg)
{
	struct slog *l = arg;

	for (uint64_t i = 0; i < 200; i++) {
		helper_slog_batch(l, i + 1, 1, 60);
		if (i % 50 == 0)
			(void)usleep(3000);
	}
	return NULL;
}

static void
test_slog_reader__follows_a_log_that_grows_and_rotates(void **state)
{
	struct helper_slog *h = *state;
	struct slog_reader *r = NULL;
	struct slog_item it = {0};
	pthread_t thread;
	struct slog *l;
	uint64_t records = 0, points = 0;

	h->cfg.segment_bytes = 2000;
	l = helper_slog_open(h);
	assert_ok(slog_reader_open(&r, l, 0));
	assert_rc("E_TIMEOUT", slog_reader_next(r, &it, 0));
	assert_rc("E_TIMEOUT", slog_reader_next(r, &it, 20));
	assert_int_equal(pthread_create(&thread, NULL, feed, l), 0);
	while (points < 200) {
		assert_ok(slog_reader_next(r, &it, 10000));
		if (it.kind == SLOG_RECORD)
			assert_int_equal(it.sequence, records++);
		else {
			points++;
			assert_int_equal(it.sequence, records);
		}
	}
	assert_int_equal(records, 200);
	assert_int_equal(pthread_join(thread, NULL), 0);
	slog_reader_free(r);
	slog_close(l);
}

static void
test_slog_reader__sees_nothing_before_it_is_durable(void **state)
{
	struct helper_slog *h = *state;
	struct slog_reader *r = NULL;
	struct slog_item it = {0};
	struct helper_fault f;
	struct hsa_buf b = {0};
	uint64_t sequence = 0;
	struct slog *l;

	helper_fault_init(&f);
	h->cfg.os = &f.os;
	l = helper_slog_open(h);
	assert_ok(slog_reader_open(&r, l, 0));
	f.sync_us = 300000;
	helper_slog_record(&b, 1, 10);
	assert_ok(helper_slog_put(l, &sequence, 1, b.p, b.len));
	(void)usleep(100000); /* written, being synced */
	assert_rc("E_TIMEOUT", slog_reader_next(r, &it, 0));
	assert_ok(helper_slog_wait(l, sequence));
	assert_ok(slog_reader_next(r, &it, 0));
	slog_reader_free(r);
	slog_close(l);
	hsa_buf_free(&b);
	helper_fault_free(&f);
	h->cfg.os = NULL;
}

static int
ready(const struct slog_reader *r, int ms)
{
	struct pollfd p = {.fd = slog_reader_fd(r), .events = POLLIN};

	return poll(&p, 1, ms);
}

static void
test_slog_reader__its_event_tells_of_news_after_a_timeout(void **state)
{
	struct slog *l = helper_slog_open(*state);
	struct slog_reader *r = NULL;
	struct slog_item it = {0};

	assert_ok(slog_reader_open(&r, l, 0));
	assert_int_equal(ready(r, 0), 0);
	for (uint64_t i = 0; i < 5; i++) {
		helper_slog_batch(l, i + 1, 1, 10);
		assert_int_equal(ready(r, 1000), 1);
		assert_ok(slog_reader_next(r, &it, 0));
		assert_ok(slog_reader_next(r, &it, 0));
		assert_rc("E_TIMEOUT", slog_reader_next(r, &it, 0));
		assert_int_equal(ready(r, 0), 0);
	}
	slog_close(l);
	assert_int_equal(ready(r, 0), 1);
	slog_reader_free(r);
}

static void *
stop_soon(void *arg)
{
	(void)usleep(30000);
	slog_reader_stop(arg);
	return NULL;
}

static void
test_slog_reader__stop_ends_a_waiting_call(void **state)
{
	struct slog *l = helper_slog_open(*state);
	struct slog_reader *r = NULL;
	struct slog_item it = {0};
	pthread_t thread;

	helper_slog_batch(l, 1, 1, 10);
	assert_ok(slog_reader_open(&r, l, 1));
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, r), 0);
	assert_rc("E_CLOSED", slog_reader_next(r, &it, -1));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_rc("E_CLOSED", slog_reader_next(r, &it, 0));
	slog_reader_free(r);
	slog_reader_free(NULL);
	slog_close(l);
}

static void
test_slog_reader__outlives_the_log_and_reads_what_was_sealed(void **state)
{
	struct helper_slog *h = *state;
	struct slog *l = helper_slog_open(h), *again;
	struct slog_reader *r = NULL;
	struct slog_item it = {0};
	uint64_t records = 0;

	assert_ok(slog_reader_open(&r, l, 0));
	helper_slog_batch(l, 1, 5, 10);
	slog_close(l);
	again = helper_slog_open(h); /* the lock went with the writer */
	slog_close(again);
	while (hsa_is_ok(slog_reader_next(r, &it, 0)))
		records += it.kind == SLOG_RECORD;
	assert_int_equal(records, 5);
	assert_rc("E_CLOSED", slog_reader_next(r, &it, 1000));
	slog_reader_free(r);
}

static void
test_slog_reader__a_file_changed_under_it_is_found(void **state)
{
	struct helper_slog *h = *state;
	struct slog *l = helper_slog_open(h);
	struct slog_reader *r = NULL;
	struct slog_item it = {0};
	struct hsa_buf b = {0};
	struct hsa_entry e;
	size_t used = 0, records = 0;
	hsa_rc rc;

	helper_slog_batch(l, 1, 2, 10);
	helper_file_read(&b, h->dir, "seg-0000000000000000.slog");
	assert_ok(hsa_entry_decode(&e, &used, b.p, b.len));
	/* cut, and a length that is none */
	helper_file_write(h->dir, "seg-0000000000000000.slog", b.p, b.len - 1);
	assert_ok(slog_reader_open(&r, l, 0));
	do {
		rc = slog_reader_next(r, &it, 0);
		records += hsa_is_ok(rc) && it.kind == SLOG_RECORD;
	} while (hsa_is_ok(rc));
	assert_rc("E_CORRUPT", rc);
	assert_int_equal(records, 2);
	slog_reader_free(r);
	b.p[used] = 0;
	helper_file_write(h->dir, "seg-0000000000000000.slog", b.p, b.len);
	assert_ok(slog_reader_open(&r, l, 0));
	assert_rc("E_CORRUPT", slog_reader_next(r, &it, 0));
	slog_reader_free(r);
	slog_close(l);
	hsa_buf_free(&b);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_slog_reader__starts_at_any_record_over_any_number_of_files),
	    T(test_slog_reader__checkpoints_carry_the_root_at_their_size),
	    T(test_slog_reader__follows_a_log_that_grows_and_rotates),
	    T(test_slog_reader__sees_nothing_before_it_is_durable),
	    T(test_slog_reader__its_event_tells_of_news_after_a_timeout),
	    T(test_slog_reader__stop_ends_a_waiting_call),
	    T(test_slog_reader__outlives_the_log_and_reads_what_was_sealed),
	    T(test_slog_reader__a_file_changed_under_it_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
