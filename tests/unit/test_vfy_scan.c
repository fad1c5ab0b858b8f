#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "helper_vfy.h"
#include "hsa_codec.h"
#include "vfy_scan.h"
#include "vfy_utf8.h"

/* Two readings of the same schema: they must agree on every input. */
static bool
agree(const void *p, size_t n)
{
	struct hsa_record r = {0};
	struct vfy_seen seen = {0};
	const char *why = NULL;
	hsa_rc a = hsa_record_decode(&r, p, n);
	hsa_rc b = vfy_scan_record(&seen, &why, p, n);

	if (hsa_is_ok(a) != hsa_is_ok(b))
		print_error("decode %s, scan %s (%s)\n", hsa_err_name(a),
		    hsa_err_name(b), why == NULL ? "" : why);
	assert_int_equal(hsa_is_ok(a), hsa_is_ok(b));
	if (hsa_is_ok(a)) {
		assert_int_equal(seen.sequence, r.sequence);
		assert_int_equal(seen.epoch, r.epoch);
		assert_int_equal(seen.source_sequence, r.source_sequence);
		assert_int_equal(seen.source, r.source);
		assert_int_equal(seen.body, r.body);
		assert_int_equal(seen.use, r.has_use);
		assert_int_equal(
		    seen.unit_id == NULL, r.body == HSA_BODY_COMPACT);
		if (seen.unit_id != NULL)
			assert_memory_equal(seen.unit_id, r.unit_id, 16);
		assert_int_equal(seen.context, r.compact.context);
		assert_int_equal(vfy_scan_unit_start(&seen),
		    r.body == HSA_BODY_SPECIAL && r.special.name != NULL &&
			strcmp(r.special.name, "UNIT_START") == 0);
	} else
		assert_non_null(why);
	hsa_record_free(&r);
	return hsa_is_ok(a);
}

static void
sealed(struct hsa_buf *b, const struct hsa_record *r, uint64_t sequence)
{
	struct hsa_buf rest = {0};

	assert_ok(hsa_record_encode(&rest, r));
	hsa_record_seal(b, sequence, rest.p, rest.len);
	assert_ok(hsa_buf_rc(b));
	hsa_buf_free(&rest);
}

static void
sample(struct hsa_buf *b, unsigned int which)
{
	struct hsa_record r = {0};
	size_t n;

	hsa_buf_reset(b);
	if (which == 0)
		hp_special(&r);
	else if (which % 7 == 3)
		hp_context(&r);
	else if (which % 7 == 4)
		hp_compact(&r);
	else if (which % 5 == 2)
		hp_record(&r, HSA_ACTION_EP11_USE, which % 2 == 0 ? 200 : 500);
	else
		hp_record(&r, hsa_catalogue(&n)[(which * 7) % 60].code,
		    which % 2 == 0 ? 200 : 500);
	sealed(b, &r, which * UINT64_C(0x0102030405));
	hsa_record_free(&r);
}

static void
test_scan__agrees_with_the_decoder_on_good_records(void **state)
{
	struct hsa_buf b = {0};

	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		sample(&b, i);
		assert_true(agree(b.p, b.len));
	}
	hsa_buf_free(&b);
}

static void
test_scan__agrees_on_every_changed_byte(void **state)
{
	struct hsa_buf b = {0};

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		sample(&b, i);
		for (size_t at = 0; at < b.len; at++)
			for (unsigned int v = 0; v < 256; v += 3) {
				uint8_t was = b.p[at];

				b.p[at] = (uint8_t)v;
				(void)agree(b.p, b.len);
				b.p[at] = was;
			}
	}
	hsa_buf_free(&b);
}

static void
test_scan__agrees_on_every_cut_and_every_byte_put_in(void **state)
{
	struct hsa_buf b = {0}, c = {0};
	uint8_t extra[] = {0, 1, 8, 10, 0x12, 0x80, 0xff};

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		sample(&b, i);
		for (size_t at = 0; at < b.len; at++) {
			(void)agree(b.p, at);
			for (size_t k = 0; k < sizeof(extra); k++) {
				hsa_buf_reset(&c);
				hsa_buf_put(&c, b.p, at);
				hsa_buf_u8(&c, extra[k]);
				hsa_buf_put(&c, b.p + at, b.len - at);
				(void)agree(c.p, c.len);
			}
		}
	}
	hsa_buf_free(&b);
	hsa_buf_free(&c);
}

/* Random damage that keeps lengths plausible: copies of pieces over others. */
static void
test_scan__agrees_on_shuffled_records(void **state)
{
	struct hsa_buf b = {0};
	uint32_t x = 12345;

	(void)state;
	for (unsigned int i = 0; i < 40000; i++) {
		size_t from, to, n;

		if (i % 40 == 0)
			sample(&b, i / 40 % 20);
		x = x * 1664525 + 1013904223;
		from = (x >> 8) % b.len;
		x = x * 1664525 + 1013904223;
		to = 9 + (x >> 8) % (b.len - 9);
		n = (x >> 28) + 1;
		if (from + n <= b.len && to + n <= b.len)
			memmove(b.p + to, b.p + from, n);
		(void)agree(b.p, b.len);
	}
	hsa_buf_free(&b);
}

/* A record around this Special, given as bytes. */
static bool
special(const void *p, size_t n)
{
	static const uint8_t front[] = {9, 1, 0, 0, 0, 0, 0, 0, 0, 16, 1, 26,
	    16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 32, 1,
	    56, 1, 64, 1, 0xaa, 1};
	struct hsa_buf b = {0};
	bool good;

	hsa_buf_put(&b, front, sizeof(front));
	hsa_buf_varint(&b, n);
	hsa_buf_put(&b, p, n);
	good = agree(b.p, b.len);
	hsa_buf_free(&b);
	return good;
}

static void
member(struct hsa_buf *b, const char *name, const void *value, size_t n)
{
	struct hsa_buf f = {0};

	hsa_buf_u8(&f, 10);
	hsa_buf_varint(&f, strlen(name));
	hsa_buf_str(&f, name);
	hsa_buf_u8(&f, 18);
	hsa_buf_varint(&f, n);
	hsa_buf_put(&f, value, n);
	hsa_buf_u8(b, 10);
	hsa_buf_varint(b, f.len);
	hsa_buf_put(b, f.p, f.len);
	hsa_buf_free(&f);
}

static bool
details(const struct hsa_buf *data)
{
	struct hsa_buf b = {0};
	bool good;

	hsa_buf_u8(&b, 42);
	hsa_buf_varint(&b, data->len);
	hsa_buf_put(&b, data->p, data->len);
	good = special(b.p, b.len);
	hsa_buf_free(&b);
	return good;
}

static void
test_scan__holds_what_the_schema_cannot_say(void **state)
{
	static const uint8_t text[] = {10, 1, 'x'}, yes[] = {24, 1},
			     empty_text[] = {10, 0}, both[] = {10, 0, 24, 1};
	struct hsa_buf b = {0}, c = {0};

	(void)state;
	assert_true(special("", 0));
	assert_false(details(&b)); /* E6: not written when empty */
	member(&b, "a", text, 3);
	assert_true(details(&b));
	member(&b, "b", yes, 2);
	member(&b, "c", empty_text, 2);
	assert_true(details(&b));
	member(&b, "a", yes, 2); /* the name again */
	assert_false(details(&b));
	hsa_buf_reset(&b);
	member(&b, "a.b", text, 3);
	assert_false(details(&b));
	hsa_buf_reset(&b);
	member(&b, "", text, 3);
	assert_false(details(&b));
	hsa_buf_reset(&b);
	member(&b, "a", both, 4);
	assert_false(details(&b));
	hsa_buf_reset(&b);
	member(&b, "a", "", 0);
	assert_false(details(&b));
	/* eight objects deep, not nine */
	hsa_buf_reset(&b);
	member(&b, "a", text, 3);
	for (unsigned int depth = 1; depth <= 10; depth++) {
		assert_int_equal(details(&b), depth <= 8);
		hsa_buf_reset(&c);
		hsa_buf_u8(&c, 42);
		hsa_buf_varint(&c, b.len);
		hsa_buf_put(&c, b.p, b.len);
		hsa_buf_reset(&b);
		member(&b, "a", c.p, c.len);
	}
	hsa_buf_free(&b);
	hsa_buf_free(&c);
}

static void
test_scan__a_record_beyond_the_limit_is_refused(void **state)
{
	uint8_t *p = calloc(1, HSA_RECORD_MAX + 1);
	struct vfy_seen seen;
	const char *why;

	(void)state;
	assert_non_null(p);
	p[0] = 9;
	assert_int_equal(
	    vfy_scan_record(&seen, &why, p, HSA_RECORD_MAX + 1).v, HSA_E_RANGE);
	free(p);
}

static void
test_utf8__only_rfc_3629_and_no_nul(void **state)
{
	static const char *const good[] = {"", "a", "abcdefgh", "abcdefghi",
	    "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x91", "\xed\x9f\xbf",
	    "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "1234567\xc3\xa9xyz12345"};
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf",
	    "\xc3", "\xe2\x82", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
	    "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
	    "12345678\xff", "1234567\xc3"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(
		    vfy_utf8((const uint8_t *)good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(vfy_utf8((const uint8_t *)bad[i], strlen(bad[i])));
	for (size_t at = 0; at < 20; at++) {
		uint8_t s[20];

		memset(s, 'x', sizeof(s));
		s[at] = 0;
		assert_false(vfy_utf8(s, sizeof(s)));
	}
}

static void
test_utf8__a_terminal_is_told_nothing(void **state)
{
	struct hsa_buf b = {0};

	(void)state;
	vfy_utf8_show(&b, "a\x1b[31m\n\x7f\xc2\x9b\xff\xc3\xa9");
	assert_string_equal(
	    hsa_buf_cstr(&b), "a\\x1b[31m\\x0a\\x7f\\xc2\\x9b\\xff\xc3\xa9");
	hsa_buf_reset(&b);
	vfy_utf8_show(&b, NULL);
	assert_string_equal(hsa_buf_cstr(&b), "-");
	hsa_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_scan__agrees_with_the_decoder_on_good_records),
	    cmocka_unit_test(test_scan__agrees_on_every_changed_byte),
	    cmocka_unit_test(
		test_scan__agrees_on_every_cut_and_every_byte_put_in),
	    cmocka_unit_test(test_scan__agrees_on_shuffled_records),
	    cmocka_unit_test(test_scan__holds_what_the_schema_cannot_say),
	    cmocka_unit_test(test_scan__a_record_beyond_the_limit_is_refused),
	    cmocka_unit_test(test_utf8__only_rfc_3629_and_no_nul),
	    cmocka_unit_test(test_utf8__a_terminal_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
