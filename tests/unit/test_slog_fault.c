#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_slog.h"
#include "helper_slog_fault.h"
#include "slog_impl.h"

#define RECORDS 12

struct run {
	bool opened;
	uint64_t acknowledged; /* records 1.. that seal answered with success */
	unsigned int calls;
	struct hsa_diag why;
};

static struct helper_slog h;
static struct helper_fault f;

static void
fresh(void)
{
	helper_slog_init(&h);
	helper_fault_init(&f);
	h.cfg.segment_bytes = 1500; /* rotates every few records */
	h.cfg.os = &f.os;
}

static void
done(void)
{
	helper_fault_free(&f);
	helper_slog_free(&h);
}

/* Open, seal until the first failure, check that it is final, close. */
static struct run
run(uint64_t from)
{
	struct run r = {.acknowledged = from};
	struct slog *l = NULL;
	uint64_t sequence = 0;
	hsa_rc rc = slog_open(&l, &h.cfg, &r.why);

	if (!hsa_is_ok(rc)) {
		assert_rc("E_IO", rc);
		r.calls = f.calls;
		return r;
	}
	r.opened = true;
	for (uint64_t i = from; i < RECORDS; i++) {
		rc = helper_slog_seal(l, &sequence, i + 1, 100);
		if (!hsa_is_ok(rc))
			break;
		assert_int_equal(sequence, i);
		r.acknowledged = i + 1;
	}
	if (!hsa_is_ok(rc)) {
		assert_rc("E_IO", rc);
		slog_why(l, &r.why);
		assert_non_null(strstr(r.why.text, "closed for good"));
		/* not one later caller gets through, though calls work again */
		for (uint64_t i = 0; i < 3; i++)
			assert_rc("E_IO",
			    helper_slog_seal(l, &sequence, RECORDS + 1, 10));
		/* what was acknowledged can still be drained */
		assert_int_equal(helper_slog_count(l, NULL), r.acknowledged);
	}
	slog_close(l);
	r.calls = f.calls;
	return r;
}

/* Each changing call fails once: the log that is found afterwards holds the
 * acknowledged records and no other, and takes the rest. */
static void
fail_each_call(int error, bool half)
{
	unsigned int calls;
	uint64_t failures = 0;
	struct run r;

	fresh();
	r = run(0);
	assert_int_equal(r.acknowledged, RECORDS);
	calls = r.calls;
	assert_true(calls > 2 * RECORDS);
	done();
	for (unsigned int n = 1; n <= calls; n++) {
		fresh();
		f.fail_at = n;
		f.error = error;
		f.half = half;
		r = run(0);
		failures += r.acknowledged != RECORDS || !r.opened;
		f.fail_at = 0;
		r = run(r.acknowledged);
		assert_true(r.opened);
		assert_int_equal(r.acknowledged, RECORDS);
		r = run(RECORDS);
		assert_true(r.opened);
		h.cfg.os = NULL;
		{
			struct slog *l = helper_slog_open(&h);

			assert_int_equal(helper_slog_count(l, NULL), RECORDS);
			slog_close(l);
		}
		done();
	}
	/* all but the head of the last record are seen by a caller */
	assert_true(failures >= calls - 2);
}

static void
test_slog__every_failing_call_closes_the_log_and_loses_nothing(void **state)
{
	(void)state;
	fail_each_call(-EIO, false);
}

static void
test_slog__a_full_disk_in_the_middle_of_a_write_loses_nothing(void **state)
{
	(void)state;
	fail_each_call(-ENOSPC, true);
}

static void
test_slog__a_full_disk_is_cut_back_to_the_last_durable_byte(void **state)
{
	struct hsa_buf before = {0}, after = {0};
	struct hsa_diag why = {{0}};
	struct slog *l;
	uint64_t sequence = 0;

	(void)state;
	fresh();
	h.cfg.segment_bytes = 0;
	l = helper_slog_open(&h);
	helper_slog_batch(l, 1, 3, 100);
	slog_close(l);
	helper_file_read(&before, h.dir, "seg-0000000000000000.slog");
	l = helper_slog_open(&h);
	f.fail_at = f.calls + 1;
	f.half = true;
	f.error = -ENOSPC;
	assert_rc("E_IO", helper_slog_seal(l, &sequence, 4, 5000));
	slog_why(l, &why);
	assert_non_null(strstr(why.text, strerror(ENOSPC)));
	slog_close(l);
	helper_file_read(&after, h.dir, "seg-0000000000000000.slog");
	assert_int_equal(after.len, before.len);
	assert_memory_equal(after.p, before.p, before.len);
	hsa_buf_free(&before);
	hsa_buf_free(&after);
	done();
}

static void
test_slog__a_failed_sync_is_never_repeated(void **state)
{
	struct slog *l;
	uint64_t sequence = 0;
	unsigned int syncs;

	(void)state;
	fresh();
	h.cfg.segment_bytes = 0;
	l = helper_slog_open(&h);
	assert_ok(helper_slog_seal(l, &sequence, 1, 100));
	slog_close(l); /* the head is written now */
	l = helper_slog_open(&h);
	syncs = f.syncs;
	f.fail_at = f.calls + 2; /* write, sync */
	assert_rc("E_IO", helper_slog_seal(l, &sequence, 2, 100));
	f.fail_at = 0;
	assert_rc("E_IO", helper_slog_seal(l, &sequence, 3, 100));
	assert_int_equal(f.syncs, syncs);
	slog_close(l);
	assert_int_equal(f.syncs, syncs);
	done();
}

static void
test_slog__short_writes_are_completed(void **state)
{
	struct slog *l;

	(void)state;
	fresh();
	f.most = 7;
	l = helper_slog_open(&h);
	for (uint64_t i = 0; i < 20; i++)
		helper_slog_batch(l, 3 * i + 1, 3, 50);
	assert_int_equal(helper_slog_count(l, NULL), 60);
	slog_close(l);
	l = helper_slog_open(&h);
	assert_int_equal(helper_slog_count(l, NULL), 60);
	slog_close(l);
	done();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_slog__every_failing_call_closes_the_log_and_loses_nothing),
	    cmocka_unit_test(
		test_slog__a_full_disk_in_the_middle_of_a_write_loses_nothing),
	    cmocka_unit_test(
		test_slog__a_full_disk_is_cut_back_to_the_last_durable_byte),
	    cmocka_unit_test(test_slog__a_failed_sync_is_never_repeated),
	    cmocka_unit_test(test_slog__short_writes_are_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
