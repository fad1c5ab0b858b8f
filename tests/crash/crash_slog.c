/*
 * crash_slog.c - power goes off at every call of the sealed log that changes
 * the disk, in the first start and again in the start after it; whatever the
 * disk kept of unsynced bytes, each acknowledged record is there afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_slog.h"
#include "helper_slog_fault.h"

#define RECORDS 10

static struct helper_slog h;
static struct helper_fault f;

/* Calls in the middle, so that the last file of many lives has nothing else. */
static enum hsa_source
source_of(uint64_t i)
{
	return i > 1 && i < RECORDS - 1 ? HSA_SOURCE_USE : HSA_SOURCE_OUTBOX;
}

/* How many of the first n records are of this source. */
static uint64_t
number_of(enum hsa_source source, uint64_t n)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < n; i++)
		count += source_of(i) == source ? 1 : 0;
	return count;
}

static hsa_rc
seal(struct slog *l, uint64_t *sequence, uint64_t i)
{
	uint64_t number = number_of(source_of(i), i + 1);

	return source_of(i) == HSA_SOURCE_USE
		   ? helper_slog_seal_use(l, sequence, number)
		   : helper_slog_seal(l, sequence, number, 150);
}

static uint64_t
last_of(struct slog *l)
{
	uint64_t n = slog_sink(l).ops->last(l, HSA_SOURCE_OUTBOX);

	return n + slog_sink(l).ops->last(l, HSA_SOURCE_USE);
}

/* Seal up to RECORDS until power goes; `from`: where the last life ended. */
static uint64_t
life(uint64_t *held, uint64_t acknowledged)
{
	struct slog *l = NULL;
	struct hsa_diag diag = {{0}};
	uint64_t sequence = 0, at;
	hsa_rc rc = slog_open(&l, &h.cfg, &diag);

	if (!hsa_is_ok(rc)) {
		if (rc.v != HSA_E_IO || !f.off)
			fail_msg("%s: %s", hsa_err_name(rc), diag.text);
		return acknowledged;
	}
	/* nothing lost, nothing doubled: numbers follow each other */
	at = helper_slog_count(l, NULL);
	*held = at;
	if (at < acknowledged || at > RECORDS)
		fail_msg("%llu records acknowledged, %llu found",
		    (unsigned long long)acknowledged, (unsigned long long)at);
	for (int s = HSA_SOURCE_OUTBOX; s <= HSA_SOURCES; s++)
		assert_int_equal(slog_sink(l).ops->last(l, (enum hsa_source)s),
		    number_of((enum hsa_source)s, at));
	for (; at < RECORDS; at++) {
		rc = seal(l, &sequence, at);
		if (!hsa_is_ok(rc))
			break;
		assert_int_equal(sequence, at);
	}
	slog_close(l);
	return at > acknowledged ? at : acknowledged;
}

static void
begin(unsigned int fail_at)
{
	helper_fault_init(&f);
	f.fail_at = fail_at;
	f.dead = true;
	f.half = true;
	h.cfg.os = &f.os;
}

static void
end(enum helper_kept kept)
{
	helper_fault_cut(&f, h.dir, kept);
	helper_fault_free(&f);
}

static unsigned int
calls_of_a_life(unsigned int first_cut, enum helper_kept kept)
{
	uint64_t held = 0, acknowledged;
	unsigned int calls;

	helper_slog_init(&h);
	h.cfg.segment_bytes = 900;
	acknowledged = 0;
	if (first_cut != 0) {
		begin(first_cut);
		acknowledged = life(&held, 0);
		end(kept);
	}
	begin(0);
	(void)life(&held, acknowledged);
	calls = f.calls;
	end(HELPER_KEPT_ALL);
	helper_slog_free(&h);
	return calls;
}

static void
cut_twice(unsigned int first, unsigned int second, enum helper_kept kept)
{
	uint64_t held = 0, acknowledged = 0;

	helper_slog_init(&h);
	h.cfg.segment_bytes = 900;
	begin(first);
	acknowledged = life(&held, acknowledged);
	end(kept);
	if (second != 0) {
		begin(second);
		acknowledged = life(&held, acknowledged);
		end(kept);
	}
	begin(0);
	assert_int_equal(life(&held, acknowledged), RECORDS);
	end(HELPER_KEPT_ALL);
	begin(0);
	(void)life(&held, RECORDS);
	assert_int_equal(held, RECORDS);
	end(HELPER_KEPT_ALL);
	helper_slog_free(&h);
}

static void
crash_slog__power_cut_at_every_call(void **state)
{
	unsigned int calls = calls_of_a_life(0, HELPER_KEPT_ALL);

	(void)state;
	assert_true(calls > 3 * RECORDS);
	for (unsigned int n = 1; n <= calls; n++)
		for (int k = HELPER_KEPT_NOTHING; k <= HELPER_KEPT_ALL; k++)
			cut_twice(n, 0, (enum helper_kept)k);
}

static void
crash_slog__second_power_cut_during_the_recovery_from_the_first(void **state)
{
	unsigned int calls = calls_of_a_life(0, HELPER_KEPT_ALL);

	(void)state;
	for (unsigned int n = 1; n <= calls; n += 2)
		for (unsigned int m = 1; m <= 8; m++)
			for (int k = HELPER_KEPT_NOTHING; k <= HELPER_KEPT_ALL;
			     k++)
				cut_twice(n, m, (enum helper_kept)k);
}

/* The unit drops from its outbox what a start finds in the log: that has to be
 * on the disk by then, even if only the page cache of a killed process had it.
 */
static void
crash_slog__what_a_restart_found_survives_a_power_cut_after_it(void **state)
{
	unsigned int calls = calls_of_a_life(0, HELPER_KEPT_ALL);

	(void)state;
	for (unsigned int n = 1; n <= calls; n++)
		for (int k = HELPER_KEPT_NOTHING; k <= HELPER_KEPT_ALL; k++) {
			uint64_t held = 0, acknowledged, found;
			struct slog *l;

			helper_slog_init(&h);
			h.cfg.segment_bytes = 900;
			begin(n);
			f.half = false;
			acknowledged = life(&held, 0);
			helper_fault_restart(&f);
			l = helper_slog_open(&h);
			found = last_of(l);
			assert_true(found >= acknowledged);
			slog_close(l);
			end((enum helper_kept)k);
			begin(0);
			assert_int_equal(life(&held, found), RECORDS);
			end(HELPER_KEPT_ALL);
			helper_slog_free(&h);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(crash_slog__power_cut_at_every_call),
	    cmocka_unit_test(
		crash_slog__second_power_cut_during_the_recovery_from_the_first),
	    cmocka_unit_test(
		crash_slog__what_a_restart_found_survives_a_power_cut_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
