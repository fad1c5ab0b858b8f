#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_compact.h"
#include "hsa_json.h"

/* ---- tools --------------------------------------------------------------- */

static void
sealed(struct hsa_buf *b, const struct hsa_record *r)
{
	struct hsa_buf rest = {0};

	assert_ok(hsa_record_encode(&rest, r));
	hsa_record_seal(b, r->sequence, rest.p, rest.len);
	assert_ok(hsa_buf_rc(b));
	hsa_buf_free(&rest);
}

/* The bytes of hex text with blanks in it. */
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

static void
expect_same_record(const struct hsa_record *a, const struct hsa_record *b)
{
	struct hsa_buf x = {0}, y = {0};

	hsa_record_json(&x, a);
	hsa_record_json(&y, b);
	assert_int_equal(a->source, b->source);
	assert_int_equal(a->has_use, b->has_use);
	assert_string_equal(hsa_buf_cstr(&x), hsa_buf_cstr(&y));
	assert_int_equal(a->event.action, b->event.action);
	assert_int_equal(a->has_command_id, b->has_command_id);
	assert_int_equal(a->special.has_initiator, b->special.has_initiator);
	hsa_buf_free(&x);
	hsa_buf_free(&y);
}

static void
expect_round_trip(const struct hsa_record *r)
{
	struct hsa_record back = {0};
	struct hsa_buf b = {0}, again = {0};
	enum hsa_source source = 0;
	uint64_t seq = 0, src = 0;

	sealed(&b, r);
	assert_ok(hsa_record_decode(&back, b.p, b.len));
	expect_same_record(r, &back);
	sealed(&again, &back);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	assert_ok(hsa_record_peek(&seq, &source, &src, b.p, b.len));
	assert_true(seq == r->sequence && src == r->source_sequence);
	assert_int_equal(source, r->source);
	hsa_record_free(&back);
	hsa_buf_free(&b);
	hsa_buf_free(&again);
}

/* ---- records ------------------------------------------------------------- */

static void
test_hsa_record__every_action_comes_back_from_its_bytes(void **state)
{
	const struct hsa_action_row *r = NULL;
	size_t n = 0;

	(void)state;
	r = hsa_catalogue(&n);
	for (size_t i = 0; i < 2 * n; i++) {
		struct hsa_record rec = {0};

		hp_record(&rec, r[i / 2].code, i % 2 == 0 ? 200 : 500);
		expect_round_trip(&rec);
		hsa_record_free(&rec);
	}
}

static void
test_hsa_record__special_bodies_and_empty_members_come_back(void **state)
{
	struct hsa_record r = {0};

	(void)state;
	hp_special(&r);
	expect_round_trip(&r);
	hsa_data_free(&r.special.details);
	r.special.has_initiator = false;
	hsa_initiator_free(&r.special.initiator);
	r.sequence = r.epoch = r.wall_ns = r.mono_ns = 0;
	r.source_sequence = 0;
	r.has_command_id = false;
	memset(r.command_id, 0, sizeof(r.command_id));
	r.command = r.ep11_rc = r.ep11_reason = 0;
	r.signer_len = 0;
	expect_round_trip(&r);
	r.sequence = r.epoch = r.wall_ns = r.mono_ns = UINT64_MAX;
	r.source_sequence = UINT64_MAX;
	r.command = r.ep11_rc = r.ep11_reason = UINT32_MAX;
	expect_round_trip(&r);
	hsa_record_free(&r);
}

static void
test_hsa_record__an_event_with_empty_data_and_extreme_numbers(void **state)
{
	struct hsa_record r = {0};

	(void)state;
	hp_record(&r, HSA_ACTION_EP11_USE, 200);
	hsa_data_free(&r.event.request);
	r.event.has_request = r.event.has_response = true;
	expect_round_trip(&r);
	assert_ok(hsa_data_integer(&r.event.request, "min", INT64_MIN));
	assert_ok(hsa_data_integer(&r.event.request, "max", INT64_MAX));
	assert_ok(hsa_data_text(&r.event.response, "1.2.3.4.5.6.7.8", "deep"));
	assert_ok(hsa_data_hex_list(
	    &r.event.response, "1.2.3.4.5.6.7.list", r.unit_id, 8, 2));
	r.event.event_time_ns = 0;
	free(r.event.action_name);
	r.event.action_name = strdup("hs-crypto.future.action");
	r.event.action = HSA_ACTION_NONE;
	expect_round_trip(&r);
	hsa_record_free(&r);
}

static void
test_hsa_record__sequence_is_always_the_first_nine_bytes(void **state)
{
	static const uint8_t zero[9] = {0x09},
			     some[9] = {0x09, 8, 7, 6, 5, 4, 3, 2, 1};
	struct hsa_record r = {0};
	struct hsa_buf b = {0};

	(void)state;
	hp_special(&r);
	r.sequence = 0;
	sealed(&b, &r);
	assert_memory_equal(b.p, zero, 9);
	hsa_buf_reset(&b);
	r.sequence = UINT64_C(0x0102030405060708);
	sealed(&b, &r);
	assert_memory_equal(b.p, some, 9);
	hsa_buf_free(&b);
	hsa_record_free(&r);
}

/* Decoding gave a record: it must have no other spelling than these bytes. */
static void
expect_only_spelling(const struct hsa_record *got, const struct hsa_buf *b)
{
	struct hsa_buf again = {0};

	sealed(&again, got);
	assert_int_equal(again.len, b->len);
	assert_memory_equal(again.p, b->p, b->len);
	hsa_buf_free(&again);
}

static void
flip_all(struct hsa_record *r)
{
	struct hsa_buf b = {0};
	enum hsa_source source = 0;
	uint64_t seq = 0, src = 0;
	size_t refused = 0;
	hsa_rc peek;

	sealed(&b, r);
	for (size_t i = 0; i < 8 * b.len; i++) {
		struct hsa_record got = {0};

		b.p[i / 8] ^= (uint8_t)(1u << (i % 8));
		peek = hsa_record_peek(&seq, &source, &src, b.p, b.len);
		if (hsa_is_ok(hsa_record_decode(&got, b.p, b.len))) {
			expect_only_spelling(&got, &b);
			assert_ok(peek);
			assert_true(
			    seq == got.sequence && src == got.source_sequence);
		} else {
			refused++;
			assert_null(got.event.action_name);
		}
		hsa_record_free(&got);
		b.p[i / 8] ^= (uint8_t)(1u << (i % 8));
	}
	/* lengths, keys and first bytes of characters cannot be flipped */
	assert_true(refused > b.len);
	hsa_buf_free(&b);
}

static void
test_hsa_record__any_flipped_bit_is_refused_or_another_record(void **state)
{
	struct hsa_record event = {0}, use = {0}, special = {0};

	(void)state;
	hp_record(&use, HSA_ACTION_EP11_USE, 200);
	flip_all(&use);
	hsa_record_free(&use);
	hp_record(&event, HSA_ACTION_TKE_REGISTER_COMMIT, 200);
	flip_all(&event);
	hp_special(&special);
	flip_all(&special);
	hsa_record_free(&event);
	hsa_record_free(&special);
	hp_context(&event);
	flip_all(&event);
	hsa_record_free(&event);
	hp_compact(&event);
	flip_all(&event);
	hsa_record_free(&event);
}

static void
test_hsa_record__no_prefix_and_no_longer_one_is_a_record(void **state)
{
	struct hsa_record r = {0}, got = {0};
	struct hsa_buf b = {0};
	size_t whole;

	(void)state;
	hp_record(&r, HSA_ACTION_TKE_RESET, 200);
	sealed(&b, &r);
	whole = b.len;
	for (size_t n = 0; n < whole; n++)
		assert_rc("E_FORMAT", hsa_record_decode(&got, b.p, n));
	for (unsigned int v = 0; v < 256; v++) {
		b.len = whole;
		hsa_buf_u8(&b, (uint8_t)v);
		assert_rc("E_FORMAT", hsa_record_decode(&got, b.p, b.len));
	}
	hsa_buf_free(&b);
	hsa_record_free(&r);
}

static void
test_hsa_record__a_call_is_described_beside_its_event(void **state)
{
	struct hsa_record r = {0};
	struct hsa_buf b = {0};

	(void)state;
	hp_record(&r, HSA_ACTION_EP11_USE, 500);
	expect_round_trip(&r);
	/* the least that a call is, and the most */
	r.use = (struct hsa_use){.function = 1};
	expect_round_trip(&r);
	r.use.function = UINT32_MAX;
	r.use.mechanism = r.use.bytes_in = UINT64_MAX;
	r.use.bytes_out = r.use.duration_ns = UINT64_MAX;
	expect_round_trip(&r);
	/* a call may have a state change to go with, a query no call */
	r.source = HSA_SOURCE_OUTBOX;
	expect_round_trip(&r);
	r.has_use = false;
	expect_round_trip(&r);
	r.source = HSA_SOURCE_USE;
	expect_round_trip(&r);
	/* what FORMAT E6 does not have */
	r.has_use = true;
	r.use.function = 0;
	assert_rc("E_ARG", hsa_record_encode(&b, &r));
	r.source = HSA_SOURCE_USE + 1;
	r.use.function = 1;
	assert_rc("E_ARG", hsa_record_encode(&b, &r));
	hsa_record_free(&r);
	hp_special(&r);
	r.source = HSA_SOURCE_USE;
	assert_rc("E_ARG", hsa_record_encode(&b, &r));
	r.source = HSA_SOURCE_OUTBOX;
	r.has_use = true;
	r.use.function = 1;
	assert_rc("E_ARG", hsa_record_encode(&b, &r));
	assert_int_equal(b.len, 0);
	hsa_record_free(&r);
}

static void
refused(struct hsa_record *r)
{
	struct hsa_buf b = {0};

	assert_rc("E_ARG", hsa_record_encode(&b, r));
	assert_int_equal(b.len, 0);
}

static void
test_hsa_record__a_context_has_what_calls_share_and_no_more(void **state)
{
	struct hsa_record r = {0};
	struct hsa_buf b = {0};
	char *text;

	(void)state;
	hp_context(&r);
	expect_round_trip(&r);
	r.has_session = false;
	expect_round_trip(&r);
	r.epoch = r.wall_ns = r.mono_ns = r.source_sequence = 0;
	expect_round_trip(&r);
	r.source = HSA_SOURCE_USE;
	refused(&r);
	r.source = HSA_SOURCE_OUTBOX;
	refused(&r);
	r.source = HSA_SOURCE_SEALER;
	r.has_use = true;
	r.use.function = 1;
	refused(&r);
	r.has_use = false;
	r.ep11_rc = 1;
	refused(&r);
	r.ep11_rc = 0;
	r.event.event_time_ns = 1;
	refused(&r);
	r.event.event_time_ns = 0;
	r.event.correlation_id = strdup(HP_CORRELATION);
	refused(&r);
	free(r.event.correlation_id);
	r.event.correlation_id = NULL;
	/* the longest */
	sealed(&b, &r);
	text = calloc(1, HSA_CONTEXT_MAX + 1);
	assert_non_null(text);
	memset(text, 'y', HSA_CONTEXT_MAX - b.len + 50);
	r.ceremony_id = realloc(r.ceremony_id, HSA_CONTEXT_MAX);
	assert_non_null(r.ceremony_id);
	for (size_t n = strlen(text); n != 0; n--) {
		struct hsa_record got = {0};
		struct hsa_buf rest = {0};

		text[n] = '\0';
		memcpy(r.ceremony_id, text, n + 1);
		if (!hsa_is_ok(hsa_record_encode(&rest, &r)))
			continue;
		hsa_buf_reset(&b);
		sealed(&b, &r);
		assert_int_equal(b.len, HSA_CONTEXT_MAX);
		assert_ok(hsa_record_decode(&got, b.p, b.len));
		hsa_record_free(&got);
		hsa_buf_free(&rest);
		break;
	}
	free(text);
	hsa_buf_free(&b);
	hsa_record_free(&r);
}

static void
test_hsa_record__a_compact_record_is_one_call(void **state)
{
	struct hsa_record r = {0};

	(void)state;
	hp_compact(&r);
	expect_round_trip(&r);
	r.has_command_id = r.has_use = r.compact.has_correlation_id = false;
	memset(r.command_id, 0, sizeof(r.command_id));
	memset(r.compact.correlation_id, 0, sizeof(r.compact.correlation_id));
	r.ep11_rc = r.ep11_reason = 0;
	r.wall_ns = r.mono_ns = r.source_sequence = 0;
	r.use = (struct hsa_use){0};
	expect_round_trip(&r);
	r.compact.context = 0;
	refused(&r);
	r.compact.context = UINT64_MAX;
	expect_round_trip(&r);
	r.source = HSA_SOURCE_SEALER;
	refused(&r);
	r.source = HSA_SOURCE_USE;
	r.epoch = 1;
	refused(&r);
	r.epoch = 0;
	r.command = 1;
	refused(&r);
	r.command = 0;
	r.has_use = true;
	r.use.function = 3;
	expect_round_trip(&r);
	r.use.has_session = true;
	refused(&r);
	hsa_record_free(&r);
}

static void
wrap(struct hsa_buf *b, uint8_t key)
{
	struct hsa_buf out = {0};

	hsa_buf_u8(&out, key);
	hsa_buf_varint(&out, b->len);
	hsa_buf_put(&out, b->p, b->len);
	hsa_buf_free(b);
	*b = out;
}

#define HEAD                                                                   \
	"09 0000000000000000 1001 1a10 11111111111111111111111111111111 "      \
	"2001 3801 4001 "

/* A special record whose details nest this deep. */
static void
nested(struct hsa_buf *b, unsigned int depth)
{
	struct hsa_buf body = {0}, name = {0};

	bytes(&body, "1801");
	for (unsigned int i = 0; i < depth; i++) {
		wrap(&body, 0x12); /* Field.value */
		bytes(&name, "0a0161");
		hsa_buf_put(&name, body.p, body.len);
		hsa_buf_free(&body);
		body = name;
		name = (struct hsa_buf){0};
		wrap(&body, 0x0a); /* Data.field */
		wrap(&body, 0x2a); /* Value.object, Special.details */
	}
	bytes(b, HEAD "aa01");
	bytes(&name, "1a0158");
	hsa_buf_varint(b, body.len + name.len);
	hsa_buf_put(b, name.p, name.len);
	hsa_buf_put(b, body.p, body.len);
	hsa_buf_free(&name);
	hsa_buf_free(&body);
}

static void
test_hsa_record__objects_nest_eight_deep_and_no_deeper(void **state)
{
	static const struct {
		unsigned int depth;
		const char *rc;
	} cases[] = {{1, "OK"}, {8, "OK"}, {9, "E_RANGE"}, {10, "E_RANGE"},
	    {11, "E_RANGE"}, {500, "E_RANGE"}, {4000, "E_RANGE"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hsa_record got = {0};
		struct hsa_buf b = {0};

		nested(&b, cases[i].depth);
		assert_true(b.len < HSA_RECORD_MAX);
		assert_rc(cases[i].rc, hsa_record_decode(&got, b.p, b.len));
		hsa_record_free(&got);
		hsa_buf_free(&b);
	}
}

static void
test_hsa_record__limits_hold_on_both_sides(void **state)
{
	struct hsa_record r = {0}, got = {0};
	struct hsa_buf b = {0};
	char *text = NULL;
	size_t fixed;

	(void)state;
	hp_special(&r);
	free(r.special.text);
	r.special.text = NULL;
	sealed(&b, &r);
	fixed = b.len;
	text = calloc(1, HSA_RECORD_MAX);
	assert_non_null(text);
	memset(text, 'a', HSA_RECORD_MAX - 1);
	r.special.text = text;
	/* key and length of text, and two more bytes of the body's length */
	text[HSA_RECORD_MAX - fixed - 4 - 1] = '\0';
	hsa_buf_reset(&b);
	sealed(&b, &r);
	assert_int_equal(b.len, HSA_RECORD_MAX);
	expect_round_trip(&r);
	hsa_buf_u8(&b, 0);
	assert_rc("E_RANGE", hsa_record_decode(&got, b.p, b.len));
	text[strlen(text)] = 'a';
	hsa_buf_reset(&b);
	assert_rc("E_RANGE", hsa_record_encode(&b, &r));
	assert_int_equal(b.len, 0);
	hsa_buf_free(&b);
	hsa_record_free(&r);
}

static void
test_hsa_record__what_cannot_be_read_back_is_not_written(void **state)
{
	struct hsa_record r = {0};
	struct hsa_buf b = {0};

	(void)state;
	assert_rc("E_ARG", hsa_record_encode(&b, &r));
	hp_special(&r);
	r.source = 0;
	assert_rc("E_ARG", hsa_record_encode(&b, &r));
	r.source = HSA_SOURCE_OUTBOX;
	r.body = 0;
	assert_rc("E_ARG", hsa_record_encode(&b, &r));
	r.body = HSA_BODY_SPECIAL;
	r.special.details.field[0].name[0] = '.';
	assert_rc("E_FORMAT", hsa_record_encode(&b, &r));
	r.special.details.field[0].name[0] = 't';
	r.special.details.field[0].kind = 0;
	assert_rc("E_ARG", hsa_record_encode(&b, &r));
	assert_int_equal(b.len, 0);
	r.special.details.field[0].kind = HSA_VALUE_TEXT;
	expect_round_trip(&r);
	hsa_record_free(&r);
	hsa_buf_free(&b);
}

static void
test_hsa_record__bytes_that_are_no_text_never_reach_the_log(void **state)
{
	struct hsa_record r = {0}, got = {0};
	struct hsa_buf b = {0};

	(void)state;
	hp_record(&r, HSA_ACTION_TKE_RESET, 500);
	free(r.ceremony_step);
	r.ceremony_step = strdup("a\xff\xc3");
	free(r.event.initiator.name);
	r.event.initiator.name = strdup("\xed\xa0\x80");
	assert_ok(hsa_data_text(&r.event.request, "x\x80", "\xc0\xaf"));
	sealed(&b, &r);
	assert_ok(hsa_record_decode(&got, b.p, b.len));
	assert_string_equal(got.ceremony_step, "a\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(
	    got.event.initiator.name, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(
	    hsa_data_find(&got.event.request, "x\xef\xbf\xbd")->text,
	    "\xef\xbf\xbd\xef\xbf\xbd");
	hsa_record_free(&r);
	hsa_record_free(&got);
	hsa_buf_free(&b);
}

/* ---- another implementation of protobuf ---------------------------------- */

static void
through_protoc(
    struct hsa_buf *out, const char *message, const void *p, size_t n)
{
	char path[] = "/tmp/test_hsa_codec.XXXXXX", command[512];
	int fd = mkstemp(path), c;
	FILE *f;

	assert_true(fd >= 0);
	assert_true(write(fd, p, n) == (ssize_t)n);
	assert_int_equal(close(fd), 0);
	(void)snprintf(command, sizeof(command),
	    "protoc --proto_path=proto --decode=hsa.v1.%s audit.proto <%s | "
	    "protoc --proto_path=proto --encode=hsa.v1.%s audit.proto",
	    message, path, message);
	f = popen(command, "r");
	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		hsa_buf_u8(out, (uint8_t)c);
	assert_int_equal(pclose(f), 0);
	(void)unlink(path);
}

static void
test_hsa_record__protoc_spells_it_the_same(void **state)
{
	struct hsa_record r[4] = {{0}};

	(void)state;
	hp_record(&r[0], HSA_ACTION_TKE_REGISTER_COMMIT, 200);
	hp_record(&r[1], HSA_ACTION_SECRETS_PATCH, 500);
	hp_special(&r[2]);
	hp_record(&r[3], HSA_ACTION_EP11_USE, 200);
	for (size_t i = 0; i < 4; i++) {
		struct hsa_buf b = {0}, got = {0};

		sealed(&b, &r[i]);
		through_protoc(&got, "Record", b.p, b.len);
		assert_int_equal(got.len, b.len);
		assert_memory_equal(got.p, b.p, b.len);
		hsa_buf_free(&b);
		hsa_buf_free(&got);
		hsa_record_free(&r[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_record__every_action_comes_back_from_its_bytes),
	    cmocka_unit_test(
		test_hsa_record__special_bodies_and_empty_members_come_back),
	    cmocka_unit_test(
		test_hsa_record__an_event_with_empty_data_and_extreme_numbers),
	    cmocka_unit_test(
		test_hsa_record__sequence_is_always_the_first_nine_bytes),
	    cmocka_unit_test(
		test_hsa_record__any_flipped_bit_is_refused_or_another_record),
	    cmocka_unit_test(
		test_hsa_record__no_prefix_and_no_longer_one_is_a_record),
	    cmocka_unit_test(
		test_hsa_record__a_context_has_what_calls_share_and_no_more),
	    cmocka_unit_test(test_hsa_record__a_compact_record_is_one_call),
	    cmocka_unit_test(
		test_hsa_record__a_call_is_described_beside_its_event),
	    cmocka_unit_test(
		test_hsa_record__objects_nest_eight_deep_and_no_deeper),
	    cmocka_unit_test(test_hsa_record__limits_hold_on_both_sides),
	    cmocka_unit_test(
		test_hsa_record__what_cannot_be_read_back_is_not_written),
	    cmocka_unit_test(
		test_hsa_record__bytes_that_are_no_text_never_reach_the_log),
	    cmocka_unit_test(test_hsa_record__protoc_spells_it_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
