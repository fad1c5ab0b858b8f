#include <setjmp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_slog.h"
#include "helper_slog_fault.h"
#include "slog_impl.h"

#define THREADS 64
#define EACH 100
#define ALL (THREADS * EACH)

static struct helper_slog h;
static struct helper_fault f;

/* The unit's duty: numbers of a source reach the sink in order. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static uint64_t next_number;

struct worker {
	pthread_t thread;
	struct slog *l;
	uint64_t ticket[EACH], number[EACH];
	size_t done;
	hsa_rc rc;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct hsa_buf b = {0};
	uint64_t ticket = 0, number;

	for (; w->done < EACH; w->done++) {
		hsa_buf_reset(&b);
		(void)pthread_mutex_lock(&order);
		number = next_number + 1;
		helper_slog_record(&b, number, 30);
		w->rc = helper_slog_put(w->l, &ticket, number, b.p, b.len);
		if (hsa_is_ok(w->rc))
			next_number = number;
		(void)pthread_mutex_unlock(&order);
		if (hsa_is_ok(w->rc))
			w->rc = helper_slog_wait(w->l, ticket);
		if (!hsa_is_ok(w->rc))
			break;
		w->ticket[w->done] = ticket;
		w->number[w->done] = number;
	}
	hsa_buf_free(&b);
	return NULL;
}

static void
start(struct worker *w, struct slog *l)
{
	next_number = 0;
	for (size_t i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.l = l};
		assert_int_equal(
		    pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
}

static void
test_slog__sixty_four_callers_share_syncs_and_keep_their_order(void **state)
{
	struct worker *w = calloc(THREADS, sizeof(*w));
	uint8_t *seen = calloc(ALL, 1);
	uint64_t points = 0;
	struct slog *l;

	(void)state;
	helper_slog_init(&h);
	helper_fault_init(&f);
	h.cfg.os = &f.os;
	h.cfg.segment_bytes = 100000;
	f.sync_us = 300; /* a disk */
	l = helper_slog_open(&h);
	start(w, l);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_ok(w[i].rc);
		assert_int_equal(w[i].done, EACH);
		for (size_t k = 0; k < EACH; k++) {
			assert_true(w[i].ticket[k] - 1 < ALL);
			assert_int_equal(seen[w[i].ticket[k] - 1]++, 0);
			/* queued in the order of the source's numbers */
			assert_int_equal(w[i].ticket[k], w[i].number[k]);
			if (k != 0)
				assert_true(
				    w[i].ticket[k] > w[i].ticket[k - 1]);
		}
	}
	assert_int_equal(helper_slog_count(l, &points), ALL);
	slog_close(l);
	/* 64 wait at a time: a batch has many of them */
	assert_int_equal(f.syncs, points);
	assert_true(f.syncs < ALL / 8);
	l = helper_slog_open(&h);
	assert_int_equal(helper_slog_count(l, NULL), ALL);
	slog_close(l);
	helper_fault_free(&f);
	helper_slog_free(&h);
	free(seen);
	free(w);
}

static void
test_slog__a_failing_disk_answers_every_waiting_caller(void **state)
{
	struct worker *w = calloc(THREADS, sizeof(*w));
	uint64_t acknowledged = 0, found;
	struct slog *l;

	(void)state;
	for (unsigned int n = 5; n < 100; n += 19) {
		helper_slog_init(&h);
		helper_fault_init(&f);
		h.cfg.os = &f.os;
		f.sync_us = 100;
		f.fail_at = n;
		l = helper_slog_open(&h);
		start(w, l);
		acknowledged = 0;
		for (size_t i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(w[i].thread, NULL), 0);
			assert_rc("E_IO", w[i].rc);
			for (size_t k = 0; k < w[i].done; k++)
				/* the log is the queue's alone */
				if (acknowledged < w[i].ticket[k])
					acknowledged = w[i].ticket[k];
		}
		slog_close(l);
		f.fail_at = 0;
		l = helper_slog_open(&h);
		found = helper_slog_count(l, NULL);
		assert_true(found >= acknowledged);
		slog_close(l);
		helper_fault_free(&f);
		helper_slog_free(&h);
	}
	free(w);
}

static void
wait_queued(struct slog *l, uint64_t number)
{
	uint64_t last = 0;

	while (last < number) {
		(void)usleep(200);
		(void)pthread_mutex_lock(&l->mutex);
		last = l->queue_last[HSA_SOURCE_OUTBOX];
		(void)pthread_mutex_unlock(&l->mutex);
	}
}

/* Callers are inside seal while the log closes: each gets an answer. */
static void *
seal_one(void *arg)
{
	struct worker *w = arg;

	w->rc = helper_slog_seal(w->l, &w->ticket[0], w->number[0], 20);
	return NULL;
}

static void
test_slog__closing_seals_what_is_queued(void **state)
{
	struct worker w[8];
	struct slog *l;

	(void)state;
	helper_slog_init(&h);
	helper_fault_init(&f);
	h.cfg.os = &f.os;
	f.sync_us = 50000;
	l = helper_slog_open(&h);
	for (size_t i = 0; i < 8; i++) {
		w[i] = (struct worker){.l = l, .number = {i + 1}};
		assert_int_equal(
		    pthread_create(&w[i].thread, NULL, seal_one, &w[i]), 0);
		wait_queued(l, i + 1); /* in the order of their numbers */
	}
	slog_close(l);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_ok(w[i].rc);
	}
	l = helper_slog_open(&h);
	assert_int_equal(helper_slog_count(l, NULL), 8);
	slog_close(l);
	helper_fault_free(&f);
	helper_slog_free(&h);
}

/* A full queue makes callers wait, and nothing is lost or doubled. */
static void
test_slog__a_full_queue_makes_callers_wait(void **state)
{
	struct hsa_buf b = {0};
	struct slog *l;
	uint64_t ticket = 0;

	(void)state;
	helper_slog_init(&h);
	l = helper_slog_open(&h);
	for (uint64_t i = 0; i < 600; i++) { /* 36 MB through 8 */
		hsa_buf_reset(&b);
		helper_slog_record(&b, i + 1, 60000);
		assert_ok(helper_slog_put(l, &ticket, i + 1, b.p, b.len));
		assert_int_equal(ticket, i + 1);
	}
	assert_ok(helper_slog_wait(l, ticket));
	assert_int_equal(helper_slog_count(l, NULL), 600);
	slog_close(l);
	hsa_buf_free(&b);
	helper_slog_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_slog__sixty_four_callers_share_syncs_and_keep_their_order),
	    cmocka_unit_test(
		test_slog__a_failing_disk_answers_every_waiting_caller),
	    cmocka_unit_test(test_slog__closing_seals_what_is_queued),
	    cmocka_unit_test(test_slog__a_full_queue_makes_callers_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
