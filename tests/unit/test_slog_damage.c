#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_slog.h"
#include "slog_impl.h"

#define FIRST "seg-0000000000000000.slog"
#define BATCHES 3

/* A log of three batches in one file, kept in memory with its milestones. */
struct fixture {
	struct helper_slog h;
	struct hsa_buf file;     /* FIRST */
	size_t end[BATCHES + 1]; /* of the file after each batch */
	struct hsa_buf head[BATCHES + 1];
	uint64_t records[BATCHES + 1];
};

/* One attempt; false when the sealing thread was quicker than we and made two
 * batches of one. */
static bool
build(struct fixture *f)
{
	uint64_t points = 0;
	struct slog *l;

	helper_slog_init(&f->h);
	l = helper_slog_open(&f->h);
	for (size_t i = 1; i <= BATCHES; i++) {
		helper_slog_batch(l, f->records[i - 1] + 1, i, 40);
		f->records[i] = f->records[i - 1] + i;
		slog_close(l); /* so that head is behind the batch */
		hsa_buf_reset(&f->file);
		helper_file_read(&f->file, f->h.dir, FIRST);
		f->end[i] = f->file.len;
		hsa_buf_reset(&f->head[i]);
		helper_file_read(&f->head[i], f->h.dir, "head");
		l = helper_slog_open(&f->h);
	}
	(void)helper_slog_count(l, &points);
	slog_close(l);
	return points == BATCHES;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	while (!build(f))
		helper_slog_free(&f->h);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	helper_slog_free(&f->h);
	hsa_buf_free(&f->file);
	for (size_t i = 0; i <= BATCHES; i++)
		hsa_buf_free(&f->head[i]);
	free(f);
	return 0;
}

static void
lay(struct fixture *f, const void *p, size_t n, size_t head)
{
	helper_dir_remove(f->h.dir);
	assert_int_equal(mkdir(f->h.dir, 0700), 0);
	helper_file_write(f->h.dir, FIRST, p, n);
	if (head != 0)
		helper_file_write(
		    f->h.dir, "head", f->head[head].p, f->head[head].len);
}

static hsa_rc
try_open(struct fixture *f, struct slog **l, struct hsa_diag *diag)
{
	memset(diag, 0, sizeof(*diag));
	return slog_open(l, &f->h.cfg, diag);
}

/* Exactly n records, sealing goes on, and the folder is whole again. */
static void
holds(struct fixture *f, uint64_t n, bool told)
{
	struct hsa_diag diag;
	struct slog *l = NULL;
	uint64_t sequence = 0;

	assert_ok(try_open(f, &l, &diag));
	if (told) {
		assert_non_null(strstr(diag.text, "cut "));
		assert_non_null(strstr(diag.text, FIRST));
	} else
		assert_string_equal(diag.text, "");
	assert_int_equal(helper_slog_count(l, NULL), n);
	assert_ok(helper_slog_seal(l, &sequence, n + 1, 40));
	assert_int_equal(sequence, n);
	slog_close(l);
	assert_ok(try_open(f, &l, &diag));
	assert_string_equal(diag.text, "");
	assert_int_equal(helper_slog_count(l, NULL), n + 1);
	slog_close(l);
}

static void
test_slog__torn_tail_is_dropped_and_reported_at_every_byte(void **state)
{
	struct fixture *f = *state;
	size_t whole = BATCHES - 1;

	/* a power cut within the last batch: head is still the one before */
	for (size_t n = f->end[whole]; n < f->end[BATCHES]; n++) {
		lay(f, f->file.p, n, whole);
		holds(f, f->records[whole], n != f->end[whole]);
	}
	lay(f, f->file.p, f->end[BATCHES], whole);
	holds(f, f->records[BATCHES], false);
}

static void
test_slog__first_batch_torn_at_every_byte_leaves_an_empty_log(void **state)
{
	struct fixture *f = *state;

	for (size_t n = 0; n < f->end[1]; n++) {
		lay(f, f->file.p, n, 0);
		holds(f, 0, true);
	}
}

static void
test_slog__cut_of_acknowledged_records_is_found_at_every_byte(void **state)
{
	struct fixture *f = *state;
	struct hsa_diag diag;
	struct slog *l = NULL;

	for (size_t n = 0; n < f->end[BATCHES]; n++) {
		struct hsa_buf after = {0};

		lay(f, f->file.p, n, BATCHES);
		assert_rc("E_CORRUPT", try_open(f, &l, &diag));
		assert_non_null(strstr(diag.text, FIRST));
		helper_file_read(&after, f->h.dir, FIRST);
		assert_int_equal(after.len, n); /* evidence stays */
		hsa_buf_free(&after);
	}
}

static void
flip_all(struct fixture *f, size_t head)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	struct hsa_diag diag;
	struct slog *l = NULL;

	for (size_t i = 0; i < f->file.len; i++)
		for (size_t m = 0; m < sizeof(masks); m++) {
			hsa_rc rc;

			f->file.p[i] ^= masks[m];
			lay(f, f->file.p, f->file.len, head);
			f->file.p[i] ^= masks[m];
			rc = try_open(f, &l, &diag);
			if (rc.v != HSA_E_CORRUPT)
				fail_msg("byte %zu ^ %02x: %s %s", i, masks[m],
				    hsa_err_name(rc), diag.text);
			assert_non_null(strstr(diag.text, FIRST));
			assert_non_null(strstr(diag.text, "byte "));
		}
}

static void
test_slog__any_flipped_byte_stops_the_unit_and_is_named(void **state)
{
	flip_all(*state, BATCHES);
}

static void
test_slog__flips_before_the_last_batch_are_found_without_a_head(void **state)
{
	static const uint8_t masks[] = {0x01, 0x80};
	struct fixture *f = *state;
	struct hsa_diag diag;
	struct slog *l = NULL;

	for (size_t i = 0; i < f->file.len; i++)
		for (size_t m = 0; m < sizeof(masks); m++) {
			hsa_rc rc;

			f->file.p[i] ^= masks[m];
			lay(f, f->file.p, f->file.len, 0);
			f->file.p[i] ^= masks[m];
			rc = try_open(f, &l, &diag);
			/* in the last batch it may look like a torn tail:
			 * then exactly that batch is gone */
			if (hsa_is_ok(rc) && i >= f->end[BATCHES - 1]) {
				assert_int_equal(helper_slog_count(l, NULL),
				    f->records[BATCHES - 1]);
				slog_close(l);
				continue;
			}
			if (rc.v != HSA_E_CORRUPT)
				fail_msg("byte %zu: %s", i, hsa_err_name(rc));
		}
}

static void
test_slog__damage_is_named_by_the_byte_of_its_entry(void **state)
{
	struct fixture *f = *state;
	struct hsa_diag diag;
	struct slog *l = NULL;
	struct hsa_entry e;
	size_t used = 0, at = 0;
	char want[64];

	for (size_t k = 0; at < f->file.len; k++, at += used) {
		size_t place = 0;

		assert_ok(hsa_entry_decode(
		    &e, &used, f->file.p + at, f->file.len - at));
		if (e.kind != HSA_ENTRY_RECORD)
			continue;
		/* the lowest byte of its sequence */
		place = (size_t)(e.p + 1 - f->file.p);
		f->file.p[place] ^= 0x40;
		lay(f, f->file.p, f->file.len, BATCHES);
		f->file.p[place] ^= 0x40;
		assert_rc("E_CORRUPT", try_open(f, &l, &diag));
		(void)snprintf(want, sizeof(want), FIRST ", byte %zu: ", at);
		assert_non_null(strstr(diag.text, want));
	}
}

static void
test_slog__bytes_behind_the_last_checkpoint_are_cut(void **state)
{
	struct fixture *f = *state;
	struct hsa_buf b = {0};

	for (size_t i = 0; i < 300; i++) { /* zeroes of a lazy file system */
		hsa_buf_reset(&b);
		hsa_buf_put(&b, f->file.p, f->file.len);
		for (size_t k = 0; k <= i; k++)
			hsa_buf_u8(&b, 0);
		lay(f, b.p, b.len, BATCHES);
		holds(f, f->records[BATCHES], true);
	}
	/* the records of the batch once more: out of sequence, not sealed */
	hsa_buf_reset(&b);
	hsa_buf_put(&b, f->file.p, f->file.len);
	hsa_buf_put(&b, f->file.p + f->end[BATCHES - 1], 50);
	lay(f, b.p, b.len, BATCHES);
	holds(f, f->records[BATCHES], true);
	hsa_buf_free(&b);
}

static void
test_slog__batches_removed_swapped_or_repeated_are_found(void **state)
{
	struct fixture *f = *state;
	const size_t *e = f->end;
	const uint8_t *p = f->file.p;
	struct hsa_buf b[2] = {{0}};
	struct hsa_diag diag;
	struct slog *l = NULL;

	/* the second is missing */
	hsa_buf_put(&b[0], p, e[1]);
	hsa_buf_put(&b[0], p + e[2], e[3] - e[2]);
	/* second and third swapped */
	hsa_buf_put(&b[1], p, e[1]);
	hsa_buf_put(&b[1], p + e[2], e[3] - e[2]);
	hsa_buf_put(&b[1], p + e[1], e[2] - e[1]);
	for (size_t head = 0; head <= BATCHES; head += BATCHES)
		for (size_t i = 0; i < 2; i++) {
			lay(f, b[i].p, b[i].len, head);
			assert_rc("E_CORRUPT", try_open(f, &l, &diag));
		}
	for (size_t i = 0; i < 2; i++)
		hsa_buf_free(&b[i]);
}

static void
test_slog__a_torn_head_is_written_anew(void **state)
{
	struct fixture *f = *state;
	struct hsa_buf now = {0};

	for (size_t n = 0; n < f->head[BATCHES].len; n += 7) {
		lay(f, f->file.p, f->file.len, 0);
		helper_file_write(f->h.dir, "head", f->head[BATCHES].p, n);
		slog_close(helper_slog_open(&f->h));
		hsa_buf_reset(&now);
		helper_file_read(&now, f->h.dir, "head");
		assert_int_equal(now.len, f->head[BATCHES].len);
		assert_memory_equal(now.p, f->head[BATCHES].p, now.len);
	}
	/* longer than a checkpoint, and longer than any */
	lay(f, f->file.p, f->file.len, 0);
	helper_file_write(f->h.dir, "head", f->file.p, f->file.len);
	slog_close(helper_slog_open(&f->h));
	hsa_buf_reset(&now);
	helper_file_read(&now, f->h.dir, "head");
	assert_int_equal(now.len, f->head[BATCHES].len);
	hsa_buf_free(&now);
}

/* A signed statement about another history of the same log. */
static void
test_slog__head_of_another_history_stops_the_unit(void **state)
{
	struct fixture *f = *state;
	struct hsa_diag diag;
	struct slog *l = NULL;
	struct slog_key key;

	assert_ok(slog_key_init(&key, HELPER_ORIGIN, f->h.cfg.public_key));
	for (uint64_t size = 1; size <= f->records[BATCHES]; size++) {
		static const uint8_t root[32] = {9};
		struct hsa_buf note = {0};

		assert_ok(slog_note_seal(
		    &note, &key, size, root, f->h.cfg.sign, &f->h));
		lay(f, f->file.p, f->file.len, 0);
		helper_file_write(f->h.dir, "head", note.p, note.len);
		assert_rc("E_CORRUPT", try_open(f, &l, &diag));
		assert_non_null(strstr(diag.text, "another root"));
		hsa_buf_free(&note);
	}
}

/* Rightly signed, but the numbers of the source do not ascend (V5). */
static void
test_slog__source_numbers_that_do_not_ascend_stop_the_unit(void **state)
{
	static const uint64_t numbers[][3] = {{1, 2, 3}, {1, 3, 2}, {1, 1, 2}};
	struct fixture *f = *state;
	struct hsa_diag diag;
	struct slog_merkle tree;
	struct slog_key key;

	assert_ok(slog_key_init(&key, HELPER_ORIGIN, f->h.cfg.public_key));
	for (size_t k = 0; k < 3; k++) {
		struct hsa_buf b = {0}, note = {0};
		struct slog *l = NULL;
		uint8_t root[32];
		hsa_rc rc;

		assert_ok(slog_merkle_init(&tree));
		assert_ok(hsa_entry_encode_header(
		    &b, HELPER_ORIGIN, 0, NULL, 0, NULL));
		for (uint64_t i = 0; i < 3; i++) {
			struct hsa_buf rest = {0}, rec = {0};

			helper_slog_record(&rest, numbers[k][i], 10);
			hsa_record_seal(&rec, i, rest.p, rest.len);
			hsa_entry_encode_record(&b, rec.p, rec.len);
			assert_ok(slog_merkle_add(&tree, rec.p, rec.len));
			hsa_buf_free(&rest);
			hsa_buf_free(&rec);
		}
		assert_ok(slog_merkle_root(&tree, root));
		assert_ok(
		    slog_note_seal(&note, &key, 3, root, f->h.cfg.sign, &f->h));
		hsa_entry_encode_checkpoint(&b, note.p, note.len);
		lay(f, b.p, b.len, 0);
		rc = try_open(f, &l, &diag);
		if (k == 0) {
			assert_ok(rc);
			slog_close(l);
		} else {
			assert_rc("E_CORRUPT", rc);
			assert_non_null(strstr(diag.text, "order"));
		}
		hsa_buf_free(&b);
		hsa_buf_free(&note);
		slog_merkle_free(&tree);
	}
}

static void
test_slog__a_folder_that_lost_its_files_is_not_a_new_log(void **state)
{
	struct fixture *f = *state;
	struct hsa_diag diag;
	struct slog *l = NULL;
	char path[300];

	lay(f, f->file.p, f->file.len, BATCHES);
	(void)snprintf(path, sizeof(path), "%s/%s", f->h.dir, FIRST);
	assert_int_equal(unlink(path), 0);
	assert_rc("E_CORRUPT", try_open(f, &l, &diag));
	assert_non_null(strstr(diag.text, "no sealed record"));
	/* a later file without the first */
	lay(f, f->file.p, f->file.len, BATCHES);
	helper_file_write(f->h.dir, "seg-0000000000000009.slog", f->file.p, 9);
	(void)snprintf(path, sizeof(path), "%s/%s", f->h.dir, FIRST);
	assert_int_equal(unlink(path), 0);
	assert_rc("E_CORRUPT", try_open(f, &l, &diag));
	assert_non_null(strstr(diag.text, "first files are missing"));
}

/* ---- several files ------------------------------------------------------- */

static void
test_slog__a_torn_beginning_of_a_new_file_is_removed(void **state)
{
	struct fixture *f = *state;
	uint64_t size = f->records[BATCHES];
	struct hsa_buf next = {0};
	char name[SLOG_NAME_LEN];
	struct slog *l;

	/* make the next file, with one batch */
	f->h.cfg.segment_bytes = 1;
	l = helper_slog_open(&f->h);
	helper_slog_batch(l, size + 1, 1, 40);
	slog_close(l);
	slog_segment_name(name, size);
	helper_file_read(&next, f->h.dir, name);
	for (size_t n = 0; n < next.len; n++) {
		struct hsa_diag diag;

		lay(f, f->file.p, f->file.len, BATCHES);
		helper_file_write(f->h.dir, name, next.p, n);
		assert_ok(try_open(f, &l, &diag));
		assert_non_null(strstr(diag.text, name));
		assert_int_equal(helper_slog_count(l, NULL), size);
		assert_int_equal(
		    slog_sink(l).ops->last(l, HSA_SOURCE_OUTBOX), size);
		assert_false(helper_file_exists(f->h.dir, name));
		helper_slog_batch(l, size + 1, 1, 40); /* rotates again */
		assert_int_equal(helper_slog_count(l, NULL), size + 1);
		slog_close(l);
		assert_true(helper_file_exists(f->h.dir, name));
	}
	hsa_buf_free(&next);
}

static void
test_slog__any_flipped_byte_of_a_later_file_stops_the_unit(void **state)
{
	struct fixture *f = *state;
	uint64_t size = f->records[BATCHES];
	struct hsa_buf next = {0}, head = {0};
	char name[SLOG_NAME_LEN];
	struct hsa_diag diag;
	struct slog *l;

	f->h.cfg.segment_bytes = 1;
	l = helper_slog_open(&f->h);
	helper_slog_batch(l, size + 1, 1, 40);
	slog_close(l);
	slog_segment_name(name, size);
	helper_file_read(&next, f->h.dir, name);
	helper_file_read(&head, f->h.dir, "head");
	for (size_t i = 0; i < next.len; i++) {
		hsa_rc rc;

		next.p[i] ^= 0x04;
		lay(f, f->file.p, f->file.len, 0);
		helper_file_write(f->h.dir, name, next.p, next.len);
		helper_file_write(f->h.dir, "head", head.p, head.len);
		next.p[i] ^= 0x04;
		rc = try_open(f, &l, &diag);
		if (rc.v != HSA_E_CORRUPT)
			fail_msg("byte %zu: %s", i, hsa_err_name(rc));
		assert_non_null(strstr(diag.text, name));
	}
	hsa_buf_free(&next);
	hsa_buf_free(&head);
}

static void
test_slog__an_unsealed_end_of_an_earlier_file_is_damage(void **state)
{
	struct fixture *f = *state;
	uint64_t size = f->records[BATCHES];
	struct hsa_diag diag;
	struct slog *l = NULL;
	char name[SLOG_NAME_LEN];

	/* the last file is a torn beginning, and the one before has a tail */
	slog_segment_name(name, size);
	lay(f, f->file.p, f->end[BATCHES] - 1, BATCHES - 1);
	helper_file_write(f->h.dir, name, "", 0);
	assert_rc("E_CORRUPT", try_open(f, &l, &diag));
	assert_non_null(strstr(diag.text, FIRST));
	/* or is empty */
	lay(f, f->file.p, 0, 0);
	helper_file_write(f->h.dir, name, "", 0);
	assert_rc("E_CORRUPT", try_open(f, &l, &diag));
}

static void
test_slog__missing_last_file_is_found_through_head(void **state)
{
	struct fixture *f = *state;
	uint64_t size = f->records[BATCHES];
	char name[SLOG_NAME_LEN], path[300];
	struct hsa_diag diag;
	struct slog *l;

	f->h.cfg.segment_bytes = 1;
	l = helper_slog_open(&f->h);
	helper_slog_batch(l, size + 1, 1, 40);
	slog_close(l);
	slog_segment_name(name, size);
	(void)snprintf(path, sizeof(path), "%s/%s", f->h.dir, name);
	assert_int_equal(unlink(path), 0);
	assert_rc("E_CORRUPT", try_open(f, &l, &diag));
	assert_non_null(strstr(diag.text, "proves"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_slog__torn_tail_is_dropped_and_reported_at_every_byte),
	    T(test_slog__first_batch_torn_at_every_byte_leaves_an_empty_log),
	    T(test_slog__cut_of_acknowledged_records_is_found_at_every_byte),
	    T(test_slog__any_flipped_byte_stops_the_unit_and_is_named),
	    T(test_slog__flips_before_the_last_batch_are_found_without_a_head),
	    T(test_slog__damage_is_named_by_the_byte_of_its_entry),
	    T(test_slog__bytes_behind_the_last_checkpoint_are_cut),
	    T(test_slog__batches_removed_swapped_or_repeated_are_found),
	    T(test_slog__a_torn_head_is_written_anew),
	    T(test_slog__head_of_another_history_stops_the_unit),
	    T(test_slog__source_numbers_that_do_not_ascend_stop_the_unit),
	    T(test_slog__a_folder_that_lost_its_files_is_not_a_new_log),
	    T(test_slog__a_torn_beginning_of_a_new_file_is_removed),
	    T(test_slog__any_flipped_byte_of_a_later_file_stops_the_unit),
	    T(test_slog__an_unsealed_end_of_an_earlier_file_is_damage),
	    T(test_slog__missing_last_file_is_found_through_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
