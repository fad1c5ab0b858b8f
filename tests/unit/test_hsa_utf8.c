#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "hsa_buf.h"
#include "hsa_utf8.h"

static const struct {
	const char *what, *in, *clean;
} utf8_bad[] = {
    {"lone continuation", "a\x80z", "a?z"},
    {"two continuations", "\xbf\xbf", "??"},
    {"overlong slash, 2", "\xc0\xaf", "??"},
    {"overlong, c1", "\xc1\xbf", "??"},
    {"overlong slash, 3", "\xe0\x80\xaf", "???"},
    {"overlong U+07FF", "\xe0\x9f\xbf", "???"},
    {"overlong slash, 4", "\xf0\x80\x80\xaf", "????"},
    {"overlong U+FFFF", "\xf0\x8f\xbf\xbf", "????"},
    {"surrogate U+D800", "\xed\xa0\x80", "???"},
    {"surrogate U+DFFF", "\xed\xbf\xbf", "???"},
    {"surrogate pair", "\xed\xa0\xbd\xed\xb8\x80", "??????"},
    {"U+110000", "\xf4\x90\x80\x80", "????"},
    {"five bytes", "\xf8\x88\x80\x80\x80", "?????"},
    {"six bytes", "\xfc\x84\x80\x80\x80\x80", "??????"},
    {"fe and ff", "\xfe\xff", "??"},
    {"cut after 1 of 2", "ok\xc3", "ok?"},
    {"cut after 1 of 3", "\xe2", "?"},
    {"cut after 2 of 3", "\xe2\x82", "??"},
    {"cut after 3 of 4", "\xf0\x9f\x94", "???"},
    {"cut by ASCII", "\xe2\x82z", "??z"},
    {"cut by another", "\xe2\x82\xc3\xa4", "??\xc3\xa4"},
    {"bad among good", "\xc3\xa4\xff\xe2\x82\xac", "\xc3\xa4?\xe2\x82\xac"},
    {"far behind ASCII", "0123456789abcdef\xff", "0123456789abcdef?"},
};

static void
test_hsa_utf8__bad_sequences_are_found_and_replaced_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(utf8_bad) / sizeof(utf8_bad[0]); i++) {
		const char *in = utf8_bad[i].in;
		struct hsa_buf want = {0}, got = {0};

		for (const char *c = utf8_bad[i].clean; *c != '\0'; c++)
			if (*c == '?')
				hsa_buf_str(&want, "\xef\xbf\xbd");
			else
				hsa_buf_u8(&want, (uint8_t)*c);
		assert_false(hsa_utf8_valid(in, strlen(in)));
		hsa_utf8_clean(&got, in, strlen(in));
		assert_string_equal(hsa_buf_cstr(&got), hsa_buf_cstr(&want));
		assert_true(hsa_utf8_valid((const char *)got.p, got.len));
		hsa_buf_free(&want);
		hsa_buf_free(&got);
	}
}

/* Encodes by arithmetic, the reader has a table: two views of RFC 3629. */
static size_t
utf8_make(char out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void
test_hsa_utf8__exactly_the_scalar_values_are_characters(void **state)
{
	char in[4];
	size_t n;

	(void)state;
	for (uint32_t c = 0; c < 0x200000; c++) {
		n = utf8_make(in, c);
		if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
			assert_int_equal(hsa_utf8_len(in, n), 0);
			continue;
		}
		assert_int_equal(hsa_utf8_len(in, 4), n);
		assert_int_equal(hsa_utf8_len(in, n - 1), 0);
	}
}

static void
test_hsa_utf8__every_three_bytes_are_judged_as_the_encoder_would(void **state)
{
	unsigned long valid = 0;

	(void)state;
	for (uint32_t v = 0; v < 0x1000000; v++) {
		char in[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};

		valid += hsa_utf8_len(in, 3) == 3;
	}
	/* U+0800 to U+FFFF but the 2048 surrogates, each in one spelling */
	assert_int_equal(valid, 0x10000 - 0x800 - 0x800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_utf8__bad_sequences_are_found_and_replaced_byte_by_byte),
	    cmocka_unit_test(
		test_hsa_utf8__exactly_the_scalar_values_are_characters),
	    cmocka_unit_test(
		test_hsa_utf8__every_three_bytes_are_judged_as_the_encoder_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
