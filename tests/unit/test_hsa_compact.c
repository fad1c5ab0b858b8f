#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_compact.h"

static uint64_t seed = 1;

static uint64_t
any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Of every length, zero among them. */
static uint64_t
number(void)
{
	uint64_t bits = any() % 65;

	return bits == 0 ? 0 : any() >> (64 - bits);
}

static void
fill_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)any();
}

static struct hsa_compact_record
random_call(void)
{
	struct hsa_compact_record c = {
	    .sequence = number(),
	    .source_sequence = number(),
	    .wall_ns = number(),
	    .mono_ns = number(),
	    .ep11_rc = (uint32_t)number(),
	    .ep11_reason = (uint32_t)number(),
	    .has_command_id = any() % 3 == 0,
	    .has_use = any() % 8 != 0,
	    .use = {.function = (uint32_t)number() | 1,
		.mechanism = number(),
		.has_key_id = any() % 4 != 0,
		.bytes_in = number(),
		.bytes_out = number(),
		.duration_ns = number(),
		.length_only = any() % 5 == 0},
	    .compact = {.context = number() | 1,
		.has_correlation_id = any() % 8 != 0},
	};

	fill_bytes(c.command_id, sizeof(c.command_id));
	fill_bytes(c.use.key_id, sizeof(c.use.key_id));
	fill_bytes(c.compact.correlation_id, sizeof(c.compact.correlation_id));
	return c;
}

static void
long_way(struct hsa_buf *b, const struct hsa_compact_record *c)
{
	struct hsa_record r = {
	    .sequence = c->sequence,
	    .source = HSA_SOURCE_USE,
	    .source_sequence = c->source_sequence,
	    .wall_ns = c->wall_ns,
	    .mono_ns = c->mono_ns,
	    .has_command_id = c->has_command_id,
	    .ep11_rc = c->ep11_rc,
	    .ep11_reason = c->ep11_reason,
	    .has_use = c->has_use,
	    .use = c->use,
	    .body = HSA_BODY_COMPACT,
	    .compact = c->compact,
	};
	struct hsa_buf rest = {0};

	memcpy(r.command_id, c->command_id, sizeof(r.command_id));
	assert_ok(hsa_record_encode(&rest, &r));
	hsa_record_seal(b, r.sequence, rest.p, rest.len);
	assert_ok(hsa_buf_rc(b));
	hsa_buf_free(&rest);
}

static void
test_hsa_compact__the_short_way_is_byte_for_byte_the_long_way(void **state)
{
	size_t longest = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		struct hsa_compact_record c = random_call();
		uint8_t got[HSA_COMPACT_MAX];
		struct hsa_buf want = {0};
		size_t n = hsa_compact_put(got, &c);

		long_way(&want, &c);
		assert_int_equal(n, want.len);
		assert_memory_equal(got, want.p, n);
		longest = n > longest ? n : longest;
		hsa_buf_free(&want);
	}
	print_message("longest: %zu bytes\n", longest);
}

static void
test_hsa_compact__the_longest_fits_and_a_usual_one_is_two_blocks(void **state)
{
	struct hsa_compact_record c = {
	    .sequence = 250000000,
	    .source_sequence = 250000000,
	    .wall_ns = HP_TIME,
	    .mono_ns = UINT64_C(86400) * 1000000000,
	    .has_use = true,
	    .use = {.function = 29, /* EncryptSingle, AES-GCM, 1 KiB, 15 us */
		.mechanism = 0x1087,
		.has_key_id = true,
		.bytes_in = 1024,
		.bytes_out = 1040,
		.duration_ns = 15000},
	    .compact = {.context = 249999999, .has_correlation_id = true},
	};
	uint8_t to[HSA_COMPACT_MAX];
	size_t usual = hsa_compact_put(to, &c);

	(void)state;
	print_message("usual: %zu bytes\n", usual);
	/* 00 || record, padded: two SHA-256 blocks hold 119 bytes */
	assert_true(usual <= 118);
	c.sequence = c.source_sequence = c.wall_ns = c.mono_ns = UINT64_MAX;
	c.ep11_rc = c.ep11_reason = c.use.function = UINT32_MAX;
	c.use.mechanism = c.use.bytes_in = c.use.bytes_out = UINT64_MAX;
	c.use.duration_ns = c.compact.context = UINT64_MAX;
	c.use.length_only = c.has_command_id = true;
	assert_true(hsa_compact_put(to, &c) <= HSA_COMPACT_MAX);
}

static double
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The reason that there is a short way; a quarter leaves room for sanitizers.
 */
static void
test_hsa_compact__costs_a_fraction_of_the_long_way(void **state)
{
	struct hsa_compact_record c = random_call();
	uint8_t to[HSA_COMPACT_MAX];
	struct hsa_buf b = {0};
	double fast = 1e9, slow, at, took;
	size_t sum = 0;

	(void)state;
	c.has_use = c.use.has_key_id = c.compact.has_correlation_id = true;
	c.use.mechanism = 0x1087;
	c.source_sequence = 1000000;
	c.compact.context = 999000;
	at = now_ns();
	for (unsigned int i = 0; i < 2000; i++) {
		hsa_buf_reset(&b);
		long_way(&b, &c);
	}
	slow = (now_ns() - at) / 2000;
	for (unsigned int round = 0; round < 10; round++) {
		at = now_ns();
		for (unsigned int i = 0; i < 20000; i++) {
			c.source_sequence++;
			sum += hsa_compact_put(to, &c);
		}
		took = (now_ns() - at) / 20000;
		fast = took < fast ? took : fast;
	}
	print_message("compact: %.0f ns, long way: %.0f ns, %zu bytes\n", fast,
	    slow, sum / 200000);
	assert_true(fast < slow / 4);
	hsa_buf_free(&b);
}

/* ---- contexts ------------------------------------------------------------ */

static void
test_hsa_context__sealed_is_byte_for_byte_what_is_encoded(void **state)
{
	struct hsa_record r = {0};

	(void)state;
	hp_context(&r);
	for (unsigned int i = 0; i < 500; i++) {
		struct hsa_context_place at = {
		    number(), number(), number(), number()};
		struct hsa_buf rec = {0}, rest = {0}, want = {0}, got = {0};

		r.epoch = number();
		r.wall_ns = r.mono_ns = r.source_sequence = 0;
		assert_ok(hsa_record_encode(&rec, &r));
		r.wall_ns = at.wall_ns;
		r.mono_ns = at.mono_ns;
		r.source_sequence = at.source_sequence;
		assert_ok(hsa_record_encode(&rest, &r));
		hsa_record_seal(&want, at.sequence, rest.p, rest.len);
		hsa_buf_u8(&got, 'x'); /* appends */
		assert_ok(hsa_context_seal(&got, &at, rec.p, rec.len));
		assert_int_equal(got.len, want.len + 1);
		assert_memory_equal(got.p + 1, want.p, want.len);
		/* registered with a number, a time, or cut */
		assert_rc(
		    "E_FORMAT", hsa_context_seal(&got, &at, rest.p, rest.len));
		for (size_t n = 0; n <= 22; n++)
			assert_rc(
			    "E_FORMAT", hsa_context_seal(&got, &at, rec.p, n));
		hsa_buf_free(&rec);
		hsa_buf_free(&rest);
		hsa_buf_free(&want);
		hsa_buf_free(&got);
	}
	hsa_record_free(&r);
}

static void
test_hsa_context__nothing_else_is_sealed_as_one(void **state)
{
	struct hsa_context_place at = {1, 1, 1, 1};
	struct hsa_buf b = {0}, to = {0};
	struct hsa_record r = {0};

	(void)state;
	hp_record(&r, HSA_ACTION_EP11_USE, 200);
	r.wall_ns = r.mono_ns = r.source_sequence = 0;
	assert_ok(hsa_record_encode(&b, &r));
	assert_rc("E_FORMAT", hsa_context_seal(&to, &at, b.p, b.len));
	hsa_record_free(&r);
	hp_context(&r);
	r.wall_ns = r.mono_ns = r.source_sequence = 0;
	hsa_buf_reset(&b);
	assert_ok(hsa_record_encode(&b, &r));
	free(r.ceremony_id);
	r.ceremony_id = calloc(1, HSA_CONTEXT_MAX);
	assert_non_null(r.ceremony_id);
	memset(r.ceremony_id, 'c', HSA_CONTEXT_MAX - b.len - 1);
	hsa_buf_reset(&b);
	assert_ok(hsa_record_encode(&b, &r));
	at.wall_ns = at.mono_ns = UINT64_MAX;
	assert_rc("E_RANGE", hsa_context_seal(&to, &at, b.p, b.len));
	assert_int_equal(to.len, 0);
	hsa_record_free(&r);
	hsa_buf_free(&b);
}

static void
test_hsa_compact__event_ids_are_uuids_and_differ(void **state)
{
	uint8_t base[HSA_UUID_LEN], id[HSA_UUID_LEN], other[HSA_UUID_LEN];

	(void)state;
	assert_ok(hsa_uuid_new(base));
	hsa_compact_event_id(id, base, 0);
	assert_memory_equal(id, base, sizeof(id));
	hsa_compact_event_id(id, base, 0x0102030405060708);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(id[i], base[i] ^ (i < 8 ? 0 : i - 7));
	for (unsigned int i = 0; i < 1000; i++) {
		uint64_t a = number();

		hsa_compact_event_id(id, base, a);
		assert_int_equal(id[6] >> 4, 4);
		assert_int_equal(id[8] >> 6, 2);
		hsa_compact_event_id(other, base, a + 1);
		assert_memory_not_equal(id, other, sizeof(id));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_compact__the_short_way_is_byte_for_byte_the_long_way),
	    cmocka_unit_test(
		test_hsa_compact__the_longest_fits_and_a_usual_one_is_two_blocks),
	    cmocka_unit_test(
		test_hsa_compact__costs_a_fraction_of_the_long_way),
	    cmocka_unit_test(
		test_hsa_context__sealed_is_byte_for_byte_what_is_encoded),
	    cmocka_unit_test(test_hsa_context__nothing_else_is_sealed_as_one),
	    cmocka_unit_test(test_hsa_compact__event_ids_are_uuids_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
