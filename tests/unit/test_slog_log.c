#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_slog.h"
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
test_slog__records_get_the_sequence_from_zero_without_gaps(void **state)
{
	struct slog *l = helper_slog_open(*state);
	struct cu_sink sink = slog_sink(l);
	uint64_t sequence = 99, size = 99, points = 0;
	uint8_t root[32], empty[32];

	assert_ok(hsa_sha256(empty, NULL, 0));
	sink.ops->head(sink.ctx, &size, root);
	assert_int_equal(size, 0);
	assert_memory_equal(root, empty, 32);
	assert_int_equal(sink.ops->last(sink.ctx, HSA_SOURCE_OUTBOX), 0);
	for (uint64_t i = 0; i < 20; i++) {
		assert_ok(helper_slog_seal(l, &sequence, i + 1, 10));
		assert_int_equal(sequence, i);
		sink.ops->head(sink.ctx, &size, root);
		assert_int_equal(size, i + 1);
		assert_int_equal(
		    sink.ops->last(sink.ctx, HSA_SOURCE_OUTBOX), i + 1);
	}
	assert_int_equal(helper_slog_count(l, &points), 20);
	assert_int_equal(points, 20);
	slog_close(l);
}

static void
test_slog__a_second_opening_goes_on_where_the_first_ended(void **state)
{
	uint64_t sequence = 0, size = 0, size2 = 0;
	uint8_t root[32], root2[32];
	struct slog *l = helper_slog_open(*state);
	struct cu_sink sink;

	for (uint64_t round = 0; round < 5; round++) {
		for (uint64_t i = 0; i < 4; i++) {
			assert_ok(helper_slog_seal(
			    l, &sequence, 4 * round + i + 1, 100));
			assert_int_equal(sequence, 4 * round + i);
		}
		sink = slog_sink(l);
		sink.ops->head(sink.ctx, &size, root);
		slog_close(l);
		l = helper_slog_open(*state);
		sink = slog_sink(l);
		sink.ops->head(sink.ctx, &size2, root2);
		assert_int_equal(size, size2);
		assert_memory_equal(root, root2, 32);
		assert_int_equal(
		    sink.ops->last(sink.ctx, HSA_SOURCE_OUTBOX), 4 * round + 4);
		assert_int_equal(helper_slog_count(l, NULL), 4 * round + 4);
	}
	slog_close(l);
}

static void
test_slog__folder_and_files_are_for_the_owner_alone(void **state)
{
	struct helper_slog *h = *state;
	struct slog *l = helper_slog_open(h);
	char path[256];
	struct stat st;

	helper_slog_batch(l, 1, 1, 10);
	slog_close(l);
	assert_int_equal(stat(h->dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	(void)snprintf(
	    path, sizeof(path), "%s/seg-0000000000000000.slog", h->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	(void)snprintf(path, sizeof(path), "%s/head", h->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
test_slog__head_is_a_copy_of_the_newest_checkpoint(void **state)
{
	struct helper_slog *h = *state;
	struct slog *l = helper_slog_open(h);
	struct slog_reader *r = NULL;
	struct slog_item it = {0};
	struct hsa_buf head = {0}, note = {0};

	helper_slog_batch(l, 1, 3, 10);
	helper_slog_batch(l, 4, 9, 10);
	assert_ok(slog_reader_open(&r, l, 0));
	while (hsa_is_ok(slog_reader_next(r, &it, 0)))
		if (it.kind == SLOG_CHECKPOINT) {
			hsa_buf_reset(&note);
			hsa_buf_put(&note, it.p, it.n);
		}
	slog_reader_free(r);
	slog_close(l);
	helper_file_read(&head, h->dir, "head");
	assert_int_equal(head.len, note.len);
	assert_memory_equal(head.p, note.p, note.len);
	hsa_buf_free(&head);
	hsa_buf_free(&note);
}

static void
test_slog__source_sequences_must_ascend_and_be_those_of_the_record(void **state)
{
	struct slog *l = helper_slog_open(*state);
	struct cu_sink sink = slog_sink(l);
	struct hsa_buf b = {0};
	uint64_t sequence = 0;

	assert_ok(helper_slog_seal(l, &sequence, 5, 10));
	assert_rc("E_ARG", helper_slog_seal(l, &sequence, 5, 10));
	assert_rc("E_ARG", helper_slog_seal(l, &sequence, 4, 10));
	helper_slog_record(&b, 6, 10);
	assert_rc("E_ARG", sink.ops->seal(sink.ctx, &sequence,
			       HSA_SOURCE_OUTBOX, 7, b.p, b.len));
	assert_rc(
	    "E_ARG", sink.ops->seal(sink.ctx, &sequence,
			 (enum hsa_source)(HSA_SOURCES + 1), 6, b.p, b.len));
	assert_rc("E_ARG", sink.ops->seal(sink.ctx, &sequence,
			       (enum hsa_source)0, 6, b.p, b.len));
	b.p[0] ^= 0xff;
	assert_false(hsa_is_ok(sink.ops->seal(
	    sink.ctx, &sequence, HSA_SOURCE_OUTBOX, 6, b.p, b.len)));
	b.p[0] ^= 0xff;
	assert_ok(sink.ops->seal(
	    sink.ctx, &sequence, HSA_SOURCE_OUTBOX, 6, b.p, b.len));
	assert_int_equal(sequence, 1); /* no refusal took a number */
	hsa_buf_free(&b);
	slog_close(l);
}

static void
test_slog__records_up_to_the_limit_are_sealed_and_longer_refused(void **state)
{
	struct slog *l = helper_slog_open(*state);
	struct cu_sink sink = slog_sink(l);
	struct hsa_buf b = {0};
	uint64_t sequence = 0;
	const size_t some = 60000;
	size_t text;

	helper_slog_record(&b, 1, some);
	text = some + HSA_RECORD_MAX - 9 - b.len;
	hsa_buf_reset(&b);
	helper_slog_record(&b, 1, text);
	assert_int_equal(b.len, HSA_RECORD_MAX - 9);
	assert_ok(sink.ops->seal(
	    sink.ctx, &sequence, HSA_SOURCE_OUTBOX, 1, b.p, b.len));
	hsa_buf_u8(&b, 0);
	assert_rc("E_RANGE", sink.ops->seal(sink.ctx, &sequence,
				 HSA_SOURCE_OUTBOX, 2, b.p, b.len));
	assert_false(hsa_is_ok(
	    sink.ops->seal(sink.ctx, &sequence, HSA_SOURCE_OUTBOX, 2, "", 0)));
	slog_close(l);
	l = helper_slog_open(*state);
	assert_int_equal(helper_slog_count(l, NULL), 1);
	slog_close(l);
	hsa_buf_free(&b);
}

static void
test_slog__a_second_writer_is_refused_and_told_why(void **state)
{
	struct helper_slog *h = *state;
	struct slog *l = helper_slog_open(h), *second = NULL;
	struct hsa_diag diag = {{0}};

	assert_rc("E_BUSY", slog_open(&second, &h->cfg, &diag));
	assert_non_null(strstr(diag.text, "another process"));
	assert_non_null(strstr(diag.text, h->dir));
	slog_close(l);
	l = helper_slog_open(h);
	slog_close(l);
}

static void
test_slog__rotation_makes_segments_that_name_their_first_record(void **state)
{
	struct helper_slog *h = *state;
	char name[64][32], want[32];
	struct slog *l;
	uint64_t sequence = 0, points = 0;
	size_t n;

	h->cfg.segment_bytes = 2000;
	for (uint64_t i = 0; i < 60; i++) { /* with a restart at every tenth */
		l = helper_slog_open(h);
		for (uint64_t j = 0; j < 10 && i < 60; j++, i++)
			assert_ok(helper_slog_seal(l, &sequence, i + 1, 100));
		i--;
		slog_close(l);
	}
	n = helper_dir_segments(name, 64, h->dir);
	assert_true(n > 5);
	assert_string_equal(name[0], "seg-0000000000000000.slog");
	for (size_t k = 0; k < n; k++) {
		struct hsa_buf b = {0};
		struct hsa_entry e;
		size_t used = 0, at;
		uint64_t records = 0;

		helper_file_read(&b, h->dir, name[k]);
		assert_ok(hsa_entry_decode(&e, &used, b.p, b.len));
		assert_int_equal(e.kind, HSA_ENTRY_HEADER);
		assert_string_equal(e.origin, HELPER_ORIGIN);
		slog_segment_name(want, e.first_sequence);
		assert_string_equal(want, name[k]);
		for (at = used; at < b.len; at += used) {
			assert_ok(
			    hsa_entry_decode(&e, &used, b.p + at, b.len - at));
			records += e.kind == HSA_ENTRY_RECORD;
		}
		assert_int_equal(e.kind, HSA_ENTRY_CHECKPOINT);
		assert_true(records > 0);
		hsa_buf_free(&b);
	}
	l = helper_slog_open(h);
	assert_int_equal(helper_slog_count(l, &points), 60);
	assert_int_equal(points, 60);
	slog_close(l);
}

static void
test_slog__a_key_that_is_not_the_configured_one_opens_nothing(void **state)
{
	struct helper_slog *h = *state;
	struct slog *l = helper_slog_open(h), *other = NULL;
	struct hsa_diag diag = {{0}};
	struct hsa_buf before = {0}, after = {0};

	helper_slog_batch(l, 1, 5, 10);
	slog_close(l);
	helper_file_read(&before, h->dir, "seg-0000000000000000.slog");
	h->cfg.public_key[0] ^= 1;
	/* a good log under a wrong key is never taken for a torn one */
	assert_rc("E_CORRUPT", slog_open(&other, &h->cfg, &diag));
	assert_non_null(strstr(diag.text, "by the key of this log"));
	helper_file_read(&after, h->dir, "seg-0000000000000000.slog");
	assert_int_equal(before.len, after.len);
	/* nor does a new log begin under a key that does not fit */
	helper_dir_remove(h->dir);
	assert_rc("E_KEY", slog_open(&other, &h->cfg, &diag));
	assert_non_null(strstr(diag.text, "public key"));
	h->cfg.public_key[0] ^= 1;
	hsa_buf_free(&before);
	hsa_buf_free(&after);
}

static void
test_slog__another_logs_folder_is_refused(void **state)
{
	struct helper_slog *h = *state;
	struct slog *l = helper_slog_open(h), *other = NULL;
	struct hsa_diag diag = {{0}};

	helper_slog_batch(l, 1, 5, 10);
	slog_close(l);
	h->cfg.origin = "cryptounit/other";
	assert_rc("E_CORRUPT", slog_open(&other, &h->cfg, &diag));
	assert_non_null(strstr(diag.text, "names another log"));
	h->cfg.origin = "a b";
	assert_rc("E_ARG", slog_open(&other, &h->cfg, &diag));
	assert_non_null(strstr(diag.text, "origin"));
}

static void
test_slog__signing_that_fails_closes_the_log_and_seals_nothing(void **state)
{
	struct helper_slog *h = *state;
	struct slog *l = helper_slog_open(h);
	struct hsa_diag why = {{0}};
	uint64_t sequence = 0;

	assert_ok(helper_slog_seal(l, &sequence, 1, 10));
	slog_why(l, &why);
	assert_string_equal(why.text, "");
	h->fail_sign = h->signs + 1;
	assert_rc("E_IO", helper_slog_seal(l, &sequence, 2, 10));
	assert_rc("E_IO", helper_slog_seal(l, &sequence, 3, 10));
	slog_why(l, &why);
	assert_non_null(strstr(why.text, "cannot sign"));
	slog_close(l);
	l = helper_slog_open(h);
	assert_int_equal(helper_slog_count(l, NULL), 1);
	assert_ok(helper_slog_seal(l, &sequence, 2, 10));
	assert_int_equal(sequence, 1);
	slog_close(l);
	slog_close(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_slog__records_get_the_sequence_from_zero_without_gaps),
	    T(test_slog__a_second_opening_goes_on_where_the_first_ended),
	    T(test_slog__folder_and_files_are_for_the_owner_alone),
	    T(test_slog__head_is_a_copy_of_the_newest_checkpoint),
	    T(test_slog__source_sequences_must_ascend_and_be_those_of_the_record),
	    T(test_slog__records_up_to_the_limit_are_sealed_and_longer_refused),
	    T(test_slog__a_second_writer_is_refused_and_told_why),
	    T(test_slog__rotation_makes_segments_that_name_their_first_record),
	    T(test_slog__a_key_that_is_not_the_configured_one_opens_nothing),
	    T(test_slog__another_logs_folder_is_refused),
	    T(test_slog__signing_that_fails_closes_the_log_and_seals_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
