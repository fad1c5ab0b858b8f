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

static void
expect_same(struct hsa_record *r, uint64_t number)
{
	struct hsa_buf rest = {0}, whole = {0}, want = {0}, got = {0};

	r->source_sequence = 0;
	assert_ok(hsa_record_encode(&rest, r));
	r->source_sequence = number;
	assert_ok(hsa_record_encode(&whole, r));
	hsa_record_seal(&want, 77, whole.p, whole.len);
	hsa_buf_str(&got, "before");
	assert_ok(hsa_record_seal_numbered(&got, 77, number, rest.p, rest.len));
	assert_int_equal(got.len, 6 + want.len);
	assert_memory_equal(got.p + 6, want.p, want.len);
	/* one that has a number takes no other */
	assert_rc("E_FORMAT",
	    hsa_record_seal_numbered(&got, 77, number, whole.p, whole.len));
	assert_int_equal(got.len, 6 + want.len);
	hsa_buf_free(&rest);
	hsa_buf_free(&whole);
	hsa_buf_free(&want);
	hsa_buf_free(&got);
}

static void
test_hsa_numbered__is_as_if_it_had_been_known_before(void **state)
{
	static const uint64_t number[] = {1, 127, 128, UINT32_MAX, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		struct hsa_record r[3] = {{0}};

		hp_record(&r[0], HSA_ACTION_EP11_USE, 200);
		hp_special(&r[1]);
		hp_record(&r[2], HSA_ACTION_TKE_ADMIN_ADD, 500);
		r[1].epoch = r[1].wall_ns = r[1].mono_ns = 0;
		for (size_t k = 0; k < 3; k++) {
			expect_same(&r[k], number[i]);
			hsa_record_free(&r[k]);
		}
	}
}

static void
test_hsa_numbered__refuses_what_no_encoder_made(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} bad[] = {
	    {"\x10", 1},               /* no value */
	    {"\x10\x01\x1a\x10zz", 6}, /* a length beyond the end */
	    {"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
	    {"\x29\x01\x02\x03", 4}, /* eight bytes that are three */
	    {"\x13\x01", 2},         /* a group */
	    {"\x80\x00", 2},         /* a long tag */
	    {"\x40\x05", 2},         /* a number */
	};
	struct hsa_buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc("E_FORMAT",
		    hsa_record_seal_numbered(&b, 1, 1, bad[i].p, bad[i].n));
	assert_rc(
	    "E_FORMAT", hsa_record_seal_numbered(&b, 1, 0, "\x10\x01", 2));
	assert_int_equal(b.len, 0);
	hsa_buf_free(&b);
}

static void
test_hsa_numbered__keeps_the_limit(void **state)
{
	struct hsa_record r = {0};
	struct hsa_buf rest = {0}, b = {0};
	char *text = calloc(1, HSA_RECORD_MAX);
	size_t spare;

	(void)state;
	assert_non_null(text);
	hp_special(&r);
	free(r.special.text);
	r.special.text = text;
	r.source_sequence = 0;
	memset(text, 'a', 60000);
	assert_ok(hsa_record_encode(&rest, &r));
	spare = HSA_RECORD_MAX - 9 - rest.len;
	memset(text + 60000, 'a', spare);
	for (size_t over = 0; over < 4; over++) {
		hsa_buf_reset(&rest);
		text[60000 + spare - over] = '\0';
		assert_ok(hsa_record_encode(&rest, &r));
		/* tag and value take two bytes */
		assert_rc(over < 2 ? "E_RANGE" : "OK",
		    hsa_record_seal_numbered(&b, 1, 1, rest.p, rest.len));
		hsa_buf_reset(&b);
	}
	hsa_record_free(&r);
	hsa_buf_free(&rest);
	hsa_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_numbered__is_as_if_it_had_been_known_before),
	    cmocka_unit_test(test_hsa_numbered__refuses_what_no_encoder_made),
	    cmocka_unit_test(test_hsa_numbered__keeps_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
