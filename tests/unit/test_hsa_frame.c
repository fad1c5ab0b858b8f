#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "hsa_codec.h"

#define ORIGIN "cryptounit/00000000-0000-4000-8000-000000000001"

static void
bytes(struct hsa_buf *b, const char *hex)
{
	uint8_t v;

	for (hex += strspn(hex, " "); *hex != '\0'; hex += strspn(hex, " ")) {
		assert_ok(hsa_unhex(&v, 1, hex, 2));
		hsa_buf_u8(b, v);
		hex += 2;
	}
	assert_ok(hsa_buf_rc(b));
}

/* ---- entries ------------------------------------------------------------- */

static void
test_hsa_entry__a_segment_is_read_entry_by_entry(void **state)
{
	const uint64_t last[HSA_SOURCES + 1] = {0, 4, UINT64_MAX, 9};
	uint8_t frontier[3][32];
	struct hsa_entry *e = calloc(1, sizeof(*e));
	struct hsa_buf b = {0};
	size_t at = 0, used = 0;

	(void)state;
	assert_non_null(e);
	for (size_t i = 0; i < 3; i++)
		memset(frontier[i], (int)i + 1, 32);
	assert_ok(hsa_entry_encode_header(
	    &b, ORIGIN, 7, (const uint8_t(*)[32])frontier, 3, last));
	hsa_entry_encode_record(&b, "first", 5);
	hsa_entry_encode_checkpoint(&b, "note\n", 5);
	hsa_entry_encode_record(&b, "second", 6);
	assert_ok(hsa_buf_rc(&b));

	assert_ok(hsa_entry_decode(e, &used, b.p, b.len));
	assert_int_equal(e->kind, HSA_ENTRY_HEADER);
	assert_string_equal(e->origin, ORIGIN);
	assert_true(e->first_sequence == 7);
	assert_int_equal(e->frontier_len, 3);
	assert_memory_equal(e->frontier, frontier, sizeof(frontier));
	assert_memory_equal(e->source_last, last, sizeof(last));
	at += used;
	assert_ok(hsa_entry_decode(e, &used, b.p + at, b.len - at));
	assert_int_equal(e->kind, HSA_ENTRY_RECORD);
	assert_int_equal(e->n, 5);
	assert_memory_equal(e->p, "first", 5);
	assert_true(e->p > b.p && e->p < b.p + b.len);
	at += used;
	assert_ok(hsa_entry_decode(e, &used, b.p + at, b.len - at));
	assert_int_equal(e->kind, HSA_ENTRY_CHECKPOINT);
	assert_memory_equal(e->p, "note\n", 5);
	at += used;
	assert_ok(hsa_entry_decode(e, &used, b.p + at, b.len - at));
	assert_memory_equal(e->p, "second", 6);
	at += used;
	assert_int_equal(at, b.len);
	assert_rc("E_TRUNCATED", hsa_entry_decode(e, &used, b.p + at, 0));
	free(e);
	hsa_buf_free(&b);
}

static void
test_hsa_entry__first_header_and_fullest_header(void **state)
{
	const uint64_t last[HSA_SOURCES + 1] = {
	    0, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	uint8_t frontier[HSA_FRONTIER_MAX + 1][32] = {{0}};
	struct hsa_entry *e = calloc(1, sizeof(*e));
	struct hsa_buf b = {0};
	char origin[257];
	size_t used = 0;

	(void)state;
	assert_non_null(e);
	assert_ok(hsa_entry_encode_header(&b, ORIGIN, 0, NULL, 0, NULL));
	assert_ok(hsa_entry_decode(e, &used, b.p, b.len));
	assert_int_equal(used, b.len);
	assert_true(e->first_sequence == 0 && e->frontier_len == 0);
	for (size_t i = 0; i <= HSA_SOURCES; i++)
		assert_true(e->source_last[i] == 0);
	hsa_buf_reset(&b);
	memset(origin, 'o', 256);
	origin[255] = '\0';
	assert_ok(hsa_entry_encode_header(&b, origin, UINT64_MAX,
	    (const uint8_t(*)[32])frontier, HSA_FRONTIER_MAX, last));
	assert_ok(hsa_entry_decode(e, &used, b.p, b.len));
	assert_string_equal(e->origin, origin);
	assert_true(e->first_sequence == UINT64_MAX);
	assert_int_equal(e->frontier_len, HSA_FRONTIER_MAX);
	assert_rc("E_RANGE",
	    hsa_entry_encode_header(&b, origin, 1,
		(const uint8_t(*)[32])frontier, HSA_FRONTIER_MAX + 1, NULL));
	origin[255] = 'o';
	origin[256] = '\0';
	assert_rc(
	    "E_RANGE", hsa_entry_encode_header(&b, origin, 1, NULL, 0, NULL));
	free(e);
	hsa_buf_free(&b);
}

static void
test_hsa_entry__every_prefix_is_truncated_not_wrong(void **state)
{
	struct hsa_entry *e = calloc(1, sizeof(*e));
	struct hsa_buf b = {0};
	uint8_t record[300];
	size_t used = 77;

	(void)state;
	assert_non_null(e);
	memset(record, 'r', sizeof(record));
	for (unsigned int kind = 0; kind < 3; kind++) {
		hsa_buf_reset(&b);
		if (kind == 0)
			assert_ok(hsa_entry_encode_header(
			    &b, ORIGIN, 0, NULL, 0, NULL));
		else if (kind == 1)
			hsa_entry_encode_record(&b, record, sizeof(record));
		else
			hsa_entry_encode_checkpoint(&b, record, 100);
		for (size_t n = 0; n < b.len; n++)
			assert_rc(
			    "E_TRUNCATED", hsa_entry_decode(e, &used, b.p, n));
		assert_int_equal(used, 77);
	}
	free(e);
	hsa_buf_free(&b);
}

static void
test_hsa_entry__limits_are_checked_before_the_bytes(void **state)
{
	struct hsa_entry *e = calloc(1, sizeof(*e));
	uint8_t *big = calloc(1, HSA_RECORD_MAX + 1);
	struct hsa_buf b = {0};
	size_t used = 0;

	(void)state;
	assert_non_null(e);
	assert_non_null(big);
	hsa_entry_encode_record(&b, big, HSA_RECORD_MAX);
	assert_ok(hsa_entry_decode(e, &used, b.p, b.len));
	assert_int_equal(e->n, HSA_RECORD_MAX);
	hsa_buf_reset(&b);
	hsa_entry_encode_record(&b, big, HSA_RECORD_MAX + 1);
	/* the length alone condemns it */
	assert_rc("E_RANGE", hsa_entry_decode(e, &used, b.p, 3));
	hsa_buf_reset(&b);
	hsa_entry_encode_checkpoint(&b, big, HSA_NOTE_MAX);
	assert_ok(hsa_entry_decode(e, &used, b.p, b.len));
	hsa_buf_reset(&b);
	hsa_entry_encode_checkpoint(&b, big, HSA_NOTE_MAX + 1);
	assert_rc("E_RANGE", hsa_entry_decode(e, &used, b.p, b.len));
	free(big);
	free(e);
	hsa_buf_free(&b);
}

static const struct {
	const char *rc, *what, *hex;
} entries[] = {
    {"OK", "header", "07 0a05 0801 120161"},
    {"E_FORMAT", "empty entry", "00"},
    {"E_FORMAT", "zeros", "0000000000000000"},
    {"E_FORMAT", "unknown kind", "03 220161"},
    {"E_FORMAT", "record with another wire type", "02 1001"},
    {"E_FORMAT", "empty record", "02 1200"},
    {"E_FORMAT", "empty checkpoint", "02 1a00"},
    {"E_FORMAT", "entry shorter than its record", "03 120261"},
    {"E_FORMAT", "entry longer than its record", "04 12016161"},
    {"E_FORMAT", "two kinds", "06 120161 1a0161"},
    {"E_FORMAT", "key only", "01 12"},
    {"E_FORMAT", "length not minimal", "8300 120161"},
    {"E_FORMAT", "inner length not minimal", "04 12810061"},
    {"E_RANGE", "length of 2^63", "80808080808080808001"},
    {"E_FORMAT", "header of version 0", "05 0a03 120161"},
    {"E_UNSUPPORTED", "header of version 2", "07 0a05 0802 120161"},
    {"E_FORMAT", "header without origin", "04 0a02 0801"},
    {"E_FORMAT", "header with a hash of 1", "0a 0a08 0801 120161 220100"},
    {"E_FORMAT", "header and record", "0a 0a05 0801 120161 120161"},
    {"OK", "header: numbers of both sources", "0b 0a09 0801 120161 2801 3001"},
    {"E_FORMAT", "header: numbers exchanged", "0b 0a09 0801 120161 3001 2801"},
    {"E_FORMAT", "header: number 0 written", "09 0a07 0801 120161 2800"},
    {"E_FORMAT", "header: unknown field", "09 0a07 0801 120161 4001"},
    {"OK", "header: numbers of the three sources",
	"0d 0a0b 0801 120161 2801 3002 3803"},
    {"E_FORMAT", "header: order", "07 0a05 120161 0801"},
    {"E_FORMAT", "header: first sequence 0 written",
	"10 0a0e 0801 120161 190000000000000000"},
};

static void
test_hsa_entry__one_entry_has_one_spelling(void **state)
{
	struct hsa_entry *e = calloc(1, sizeof(*e));

	(void)state;
	assert_non_null(e);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct hsa_buf b = {0};
		size_t used = 0;
		hsa_rc rc;

		bytes(&b, entries[i].hex);
		rc = hsa_entry_decode(e, &used, b.p, b.len);
		if (strcmp(hsa_err_name(rc), entries[i].rc) != 0)
			fail_msg("%s: %s, not %s", entries[i].what,
			    hsa_err_name(rc), entries[i].rc);
		hsa_buf_free(&b);
	}
	free(e);
}

/* ---- frames -------------------------------------------------------------- */

static struct hsa_slice slices[3] = {{(const uint8_t *)"one", 3},
    {(const uint8_t *)"\0two", 4}, {(const uint8_t *)"three", 5}};
static char note[] = "origin\n3\nroot=\n\nsignature\n";

static const struct hsa_frame frames[] = {
    {.kind = HSA_FRAME_HELLO,
	.unit_id = {1, 2, 3},
	.origin = ORIGIN,
	.epoch = 4,
	.sequence = 300},
    {.kind = HSA_FRAME_HELLO, .origin = "o"},
    {.kind = HSA_FRAME_RESUME, .sequence = 0},
    {.kind = HSA_FRAME_RESUME, .sequence = UINT64_MAX},
    {.kind = HSA_FRAME_RECORDS,
	.sequence = 5,
	.record = slices,
	.record_len = 3},
    {.kind = HSA_FRAME_RECORDS, .record = slices, .record_len = 1},
    {.kind = HSA_FRAME_CHECKPOINT, .text = note, .text_len = sizeof(note) - 1},
    {.kind = HSA_FRAME_ACK, .sequence = 9, .root = {9, 8, 7}},
    {.kind = HSA_FRAME_ACK},
    {.kind = HSA_FRAME_REFUSE, .text = note, .text_len = sizeof(note) - 1},
    {.kind = HSA_FRAME_REFUSE},
    {.kind = HSA_FRAME_HEALTH},
    {.kind = HSA_FRAME_HEALTH,
	.status = 507,
	.sequence = 12,
	.text = note,
	.text_len = sizeof(note) - 1},
};
#define FRAMES (sizeof(frames) / sizeof(frames[0]))

static void
expect_same_frame(const struct hsa_frame *a, const struct hsa_frame *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_memory_equal(a->unit_id, b->unit_id, sizeof(a->unit_id));
	assert_string_equal(a->origin, b->origin);
	assert_true(a->epoch == b->epoch && a->sequence == b->sequence);
	assert_memory_equal(a->root, b->root, sizeof(a->root));
	assert_int_equal(a->text_len, b->text_len);
	if (a->text_len != 0)
		assert_memory_equal(a->text, b->text, a->text_len);
	assert_int_equal(a->record_len, b->record_len);
	for (size_t i = 0; i < a->record_len; i++) {
		assert_int_equal(a->record[i].n, b->record[i].n);
		assert_memory_equal(
		    a->record[i].p, b->record[i].p, a->record[i].n);
	}
}

static void
test_hsa_frame__every_kind_comes_back_and_owns_its_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < FRAMES; i++) {
		struct hsa_frame got = {0};
		struct hsa_buf b = {0}, again = {0};
		size_t used = 0;

		assert_ok(hsa_frame_encode(&b, &frames[i]));
		hsa_buf_str(&b, "next");
		assert_ok(hsa_frame_decode(&got, &used, b.p, b.len));
		assert_int_equal(used, b.len - 4);
		assert_ok(hsa_frame_encode(&again, &got));
		assert_int_equal(again.len, used);
		assert_memory_equal(again.p, b.p, used);
		/* nothing points into the input */
		hsa_buf_free(&b);
		expect_same_frame(&frames[i], &got);
		hsa_frame_free(&got);
		hsa_frame_free(&got);
		hsa_buf_free(&again);
	}
	hsa_frame_free(NULL);
}

static void
test_hsa_frame__prefixes_are_truncated_and_flips_are_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < FRAMES; i++) {
		struct hsa_frame got = {0};
		struct hsa_buf b = {0}, again = {0};
		size_t used = 0;

		assert_ok(hsa_frame_encode(&b, &frames[i]));
		for (size_t n = 0; n < b.len; n++)
			assert_rc("E_TRUNCATED",
			    hsa_frame_decode(&got, &used, b.p, n));
		for (size_t k = 0; k < 8 * b.len; k++) {
			b.p[k / 8] ^= (uint8_t)(1u << (k % 8));
			hsa_buf_reset(&again);
			if (hsa_is_ok(
				hsa_frame_decode(&got, &used, b.p, b.len))) {
				assert_ok(hsa_frame_encode(&again, &got));
				assert_int_equal(again.len, used);
				assert_memory_equal(again.p, b.p, used);
				hsa_frame_free(&got);
			}
			b.p[k / 8] ^= (uint8_t)(1u << (k % 8));
		}
		hsa_buf_free(&b);
		hsa_buf_free(&again);
	}
}

static const struct {
	const char *rc, *what, *hex;
} bad_frames[] = {
    {"OK", "hello",
	"19 0a17 0801 1210 11111111111111111111111111111111 "
	"1a0161"},
    {"E_FORMAT", "nothing", "00"},
    {"E_FORMAT", "unknown kind", "02 4200"},
    {"E_FORMAT", "two kinds", "04 1200 3200"},
    {"E_FORMAT", "hello of version 0",
	"17 0a15 1210 11111111111111111111111111111111 1a0161"},
    {"E_UNSUPPORTED", "hello of version 2",
	"19 0a17 0802 1210 11111111111111111111111111111111 1a0161"},
    {"E_FORMAT", "hello without unit", "07 0a05 0801 1a0161"},
    {"E_FORMAT", "hello with a short unit", "0a 0a08 0801 120111 1a0161"},
    {"E_FORMAT", "hello without origin",
	"16 0a14 0801 1210 11111111111111111111111111111111"},
    {"E_FORMAT", "no records", "02 1a00"},
    {"E_FORMAT", "an empty record", "07 1a05 1200 120161"},
    {"E_FORMAT", "an empty checkpoint", "02 2200"},
    {"E_FORMAT", "ack without root", "02 2a00"},
    {"E_FORMAT", "ack with a short root", "05 2a03 120111"},
    {"E_FORMAT", "refuse in no text", "05 3203 0a01ff"},
    {"E_RANGE", "length above the limit", "818040"},
    {"E_TRUNCATED", "length at the limit", "808040"},
};

static void
test_hsa_frame__one_frame_has_one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_frames) / sizeof(bad_frames[0]);
	     i++) {
		struct hsa_frame got = {0};
		struct hsa_buf b = {0};
		size_t used = 0;
		hsa_rc rc;

		bytes(&b, bad_frames[i].hex);
		rc = hsa_frame_decode(&got, &used, b.p, b.len);
		if (strcmp(hsa_err_name(rc), bad_frames[i].rc) != 0)
			fail_msg("%s: %s, not %s", bad_frames[i].what,
			    hsa_err_name(rc), bad_frames[i].rc);
		hsa_frame_free(&got);
		hsa_buf_free(&b);
	}
}

static void
test_hsa_frame__limits_hold_on_both_sides(void **state)
{
	uint8_t *big = calloc(1, HSA_RECORD_MAX + 1);
	struct hsa_slice many[17];
	struct hsa_frame f = {.kind = HSA_FRAME_RECORDS, .record = many}, got;
	struct hsa_buf b = {0};
	size_t used = 0;

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < 17; i++)
		many[i] = (struct hsa_slice){big, HSA_RECORD_MAX};
	f.record_len = 15;
	assert_ok(hsa_frame_encode(&b, &f));
	assert_ok(hsa_frame_decode(&got, &used, b.p, b.len));
	expect_same_frame(&f, &got);
	hsa_frame_free(&got);
	f.record_len = 17;
	assert_rc("E_RANGE", hsa_frame_encode(&b, &f));
	f.record_len = 1;
	many[0].n = HSA_RECORD_MAX + 1;
	assert_rc("E_RANGE", hsa_frame_encode(&b, &f));
	many[0].n = 0;
	assert_rc("E_ARG", hsa_frame_encode(&b, &f));
	f.record_len = 0;
	assert_rc("E_ARG", hsa_frame_encode(&b, &f));
	f = (struct hsa_frame){.kind = HSA_FRAME_CHECKPOINT,
	    .text = (char *)big,
	    .text_len = HSA_NOTE_MAX + 1};
	assert_rc("E_RANGE", hsa_frame_encode(&b, &f));
	f.text_len = 0;
	assert_rc("E_ARG", hsa_frame_encode(&b, &f));
	f = (struct hsa_frame){.kind = HSA_FRAME_HELLO};
	assert_rc("E_ARG", hsa_frame_encode(&b, &f));
	f = (struct hsa_frame){0};
	assert_rc("E_ARG", hsa_frame_encode(&b, &f));
	free(big);
	hsa_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hsa_entry__a_segment_is_read_entry_by_entry),
	    cmocka_unit_test(test_hsa_entry__first_header_and_fullest_header),
	    cmocka_unit_test(
		test_hsa_entry__every_prefix_is_truncated_not_wrong),
	    cmocka_unit_test(
		test_hsa_entry__limits_are_checked_before_the_bytes),
	    cmocka_unit_test(test_hsa_entry__one_entry_has_one_spelling),
	    cmocka_unit_test(
		test_hsa_frame__every_kind_comes_back_and_owns_its_bytes),
	    cmocka_unit_test(
		test_hsa_frame__prefixes_are_truncated_and_flips_are_seen),
	    cmocka_unit_test(test_hsa_frame__one_frame_has_one_spelling),
	    cmocka_unit_test(test_hsa_frame__limits_hold_on_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
