#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "hsa_cur.h"

static void
test_hsa_buf__appends_lie_one_behind_the_other(void **state)
{
	static const uint8_t expect[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
	    0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 'h', 'i', '7',
	    '-', 'x', 'a', 'b', '0', '9'};
	const uint8_t hex[] = {0xab, 0x09};
	struct hsa_buf b = {0};

	(void)state;
	hsa_buf_u8(&b, 1);
	hsa_buf_be16(&b, 0x0203);
	hsa_buf_be32(&b, 0x04050607);
	hsa_buf_be64(&b, UINT64_C(0x08090a0b0c0d0e0f));
	hsa_buf_str(&b, "hi");
	hsa_buf_printf(&b, "%d-%s", 7, "x");
	hsa_buf_hex(&b, hex, sizeof(hex));
	hsa_buf_put(&b, NULL, 0);
	assert_ok(hsa_buf_rc(&b));
	assert_int_equal(b.len, sizeof(expect));
	assert_memory_equal(b.p, expect, sizeof(expect));
	hsa_buf_free(&b);
	assert_null(b.p);
	hsa_buf_free(&b);
	hsa_buf_free(NULL);
}

static void
test_hsa_buf__text_is_terminated_outside_its_length(void **state)
{
	struct hsa_buf b = {0};

	(void)state;
	assert_string_equal(hsa_buf_cstr(&b), "");
	assert_int_equal(b.len, 0);
	for (unsigned int i = 0; i < 64; i++)
		hsa_buf_u8(&b, 'a');
	assert_int_equal(strlen(hsa_buf_cstr(&b)), 64);
	assert_int_equal(b.len, 64);
	hsa_buf_free(&b);
}

static void
test_hsa_buf__impossible_growth_fails_once_and_for_all(void **state)
{
	struct hsa_buf b = {0};

	(void)state;
	hsa_buf_str(&b, "kept");
	assert_null(hsa_buf_reserve(&b, SIZE_MAX / 2));
	hsa_buf_str(&b, "ignored");
	assert_rc("E_NOMEM", hsa_buf_rc(&b));
	assert_int_equal(b.len, 4);
	assert_string_equal(hsa_buf_cstr(&b), "");
	hsa_buf_reset(&b);
	assert_ok(hsa_buf_rc(&b));
	hsa_buf_str(&b, "again");
	assert_string_equal(hsa_buf_cstr(&b), "again");
	hsa_buf_free(&b);
}

static void
test_hsa_buf__reset_wipes_what_was_there(void **state)
{
	struct hsa_buf b = {0};

	(void)state;
	hsa_buf_str(&b, "secret");
	hsa_buf_reset(&b);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(b.p[i], 0);
	hsa_buf_free(&b);
}

static void
test_hsa_buf__contents_survive_growth(void **state)
{
	struct hsa_buf b = {0};

	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		hsa_buf_be32(&b, i);
	assert_ok(hsa_buf_rc(&b));
	for (uint32_t i = 0; i < 5000; i++) {
		struct hsa_cur c = hsa_cur_of(b.p + 4 * (size_t)i, 4);
		uint32_t v = 0;

		assert_ok(hsa_cur_be32(&c, &v));
		assert_int_equal(v, i);
	}
	hsa_buf_free(&b);
}

static void
test_hsa_varint__every_length_comes_back(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit <= 64; bit++) {
		uint64_t top = bit == 64 ? 0 : UINT64_C(1) << bit, got = 0;

		for (uint64_t v = top - 1; v != top + 2; v++) {
			struct hsa_buf b = {0};
			struct hsa_cur c;
			size_t want = 1;

			for (uint64_t x = v; x >= 0x80; x >>= 7)
				want++;
			hsa_buf_varint(&b, v);
			assert_int_equal(b.len, want);
			c = hsa_cur_of(b.p, b.len);
			assert_ok(hsa_cur_varint(&c, &got));
			assert_true(got == v);
			assert_ok(hsa_cur_end(&c));
			for (size_t n = 0; n < b.len; n++) {
				c = hsa_cur_of(b.p, n);
				assert_rc(
				    "E_TRUNCATED", hsa_cur_varint(&c, &got));
			}
			hsa_buf_free(&b);
		}
	}
}

static void
test_hsa_varint__a_second_spelling_is_refused(void **state)
{
	static const struct {
		uint8_t p[12];
		size_t n;
	} bad[] = {
	    {{0x80, 0x00}, 2},
	    {{0x81, 0x00}, 2},
	    {{0xff, 0x80, 0x00}, 3},
	    /* 2^64: one bit too many */
	    {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}, 10},
	    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 10},
	    /* eleven bytes */
	    {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
		11},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hsa_cur c = hsa_cur_of(bad[i].p, bad[i].n);
		uint64_t v = 99;

		assert_rc("E_FORMAT", hsa_cur_varint(&c, &v));
		assert_int_equal(v, 99);
		assert_ptr_equal(c.p, bad[i].p);
	}
}

static void
test_hsa_cur__numbers_are_big_endian(void **state)
{
	static const uint8_t in[] = {
	    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
	struct hsa_cur c = hsa_cur_of(in, sizeof(in));
	const uint8_t *p = NULL;
	uint64_t v64 = 0;
	uint32_t v32 = 0;
	uint16_t v16 = 0;
	uint8_t v8 = 0, two[2];

	(void)state;
	assert_ok(hsa_cur_u8(&c, &v8));
	assert_int_equal(v8, 1);
	assert_ok(hsa_cur_be16(&c, &v16));
	assert_int_equal(v16, 0x0203);
	assert_ok(hsa_cur_be32(&c, &v32));
	assert_int_equal(v32, 0x04050607);
	assert_ok(hsa_cur_be64(&c, &v64));
	assert_true(v64 == UINT64_C(0x08090a0b0c0d0e0f));
	assert_rc("E_TRAILING", hsa_cur_end(&c));
	assert_ok(hsa_cur_copy(&c, two, 2));
	assert_int_equal(two[1], 17);
	assert_ok(hsa_cur_end(&c));
	assert_ok(hsa_cur_bytes(&c, &p, 0));
	assert_ptr_equal(p, in + sizeof(in));
}

static void
test_hsa_cur__too_short_writes_nothing_and_does_not_move(void **state)
{
	static const uint8_t in[] = {1};
	struct hsa_cur c = hsa_cur_of(in, sizeof(in)),
		       none = hsa_cur_of(NULL, 0);
	const uint8_t *p = NULL;
	uint64_t v64 = 5;
	uint32_t v32 = 5;
	uint16_t v16 = 5;
	uint8_t v8 = 5;

	(void)state;
	assert_rc("E_TRUNCATED", hsa_cur_be16(&c, &v16));
	assert_rc("E_TRUNCATED", hsa_cur_be32(&c, &v32));
	assert_rc("E_TRUNCATED", hsa_cur_be64(&c, &v64));
	assert_rc("E_TRUNCATED", hsa_cur_bytes(&c, &p, 2));
	assert_rc("E_TRUNCATED", hsa_cur_bytes(&c, &p, SIZE_MAX));
	assert_rc("E_TRUNCATED", hsa_cur_u8(&none, &v8));
	assert_null(p);
	assert_int_equal(v16 + v32 + v64 + v8, 20);
	assert_int_equal(hsa_cur_left(&c), 1);
	assert_ok(hsa_cur_end(&none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hsa_buf__appends_lie_one_behind_the_other),
	    cmocka_unit_test(
		test_hsa_buf__text_is_terminated_outside_its_length),
	    cmocka_unit_test(
		test_hsa_buf__impossible_growth_fails_once_and_for_all),
	    cmocka_unit_test(test_hsa_buf__reset_wipes_what_was_there),
	    cmocka_unit_test(test_hsa_buf__contents_survive_growth),
	    cmocka_unit_test(test_hsa_varint__every_length_comes_back),
	    cmocka_unit_test(test_hsa_varint__a_second_spelling_is_refused),
	    cmocka_unit_test(test_hsa_cur__numbers_are_big_endian),
	    cmocka_unit_test(
		test_hsa_cur__too_short_writes_nothing_and_does_not_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
