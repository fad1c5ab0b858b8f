/* Payloads: administrative requests and answers, get_xcp_info, attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper_tke.h"
#include "tke_der.h"
#include "tke_wire.h"

#define ERR(f, name) assert_string_equal(hsa_err_name(f), name)
#define OK(f) ERR(f, "OK")
#define SLICE(a) ((struct tke_slice){(const uint8_t *)(a), sizeof(a) - 1})

static const char domain[] = "\0\0\0\x16\0\0\0\x01";
static const char module[] = "SIM00001\0\0\0\0\0\0\0\x01";
static const char counter[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07";

static struct hsa_buf
request(uint32_t command, const void *input, size_t n)
{
	struct hsa_buf block = {0}, b = {0};

	OK(tke_admin_block_encode(&block, command, SLICE(domain), SLICE(module),
	    SLICE(counter), (struct tke_slice){input, n}));
	OK(tke_admin_request_encode(
	    &b, 22, htke_slice(&block), SLICE("signatures")));
	hsa_buf_free(&block);
	return b;
}

static void
test_tke_admin__request_round_trip_at_every_length_form(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 100, 127, 128, 200, 255, 256, 1000, 65535, 65536, 100000};
	uint8_t *input = calloc(1, 100000);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct hsa_buf b = request(TKE_CMD_ADMIN_ADD, input, sizes[i]);
		struct tke_admin_request q = {0};

		OK(tke_admin_request_decode(&q, b.p, b.len, NULL));
		assert_int_equal(q.command, TKE_CMD_ADMIN_ADD);
		assert_int_equal(q.domain_index, 22);
		assert_int_equal(q.domain.n, 8);
		assert_int_equal(q.module.n, 16);
		assert_int_equal(q.counter.n, 16);
		assert_memory_equal(q.domain.p, domain, 8);
		assert_memory_equal(q.module.p, module, 16);
		assert_memory_equal(q.counter.p, counter, 16);
		assert_int_equal(q.input.n, sizes[i]);
		assert_int_equal(q.signatures.n, 10);
		hsa_buf_free(&b);
	}
	free(input);
}

static void
test_tke_admin__wrong_sizes_of_ids_are_left_to_the_unit(void **state)
{
	struct hsa_buf block = {0}, b = {0};
	struct tke_admin_request q = {0};

	(void)state;
	OK(tke_admin_block_encode(&block, 2, SLICE("abc"), SLICE("d"),
	    SLICE("too long for a transaction counter"), SLICE("")));
	OK(tke_admin_request_encode(&b, 22, htke_slice(&block), SLICE("")));
	OK(tke_admin_request_decode(&q, b.p, b.len, NULL));
	assert_int_equal(q.domain.n, 3);
	assert_int_equal(q.module.n, 1);
	assert_int_equal(q.counter.n, 34);
	hsa_buf_free(&block);
	hsa_buf_free(&b);
}

static void
test_tke_admin__several_requests_are_taken_one_by_one(void **state)
{
	struct hsa_buf a = request(TKE_CMD_WK_IMPORT, "one", 3);
	struct hsa_buf b = request(TKE_CMD_WK_IMPORT, "three", 5), all = {0};
	struct tke_admin_request q = {0};
	size_t used = 0;

	(void)state;
	hsa_buf_put(&all, a.p, a.len);
	hsa_buf_put(&all, b.p, b.len);
	ERR(tke_admin_request_decode(&q, all.p, all.len, NULL), "E_TRAILING");
	assert_null(q.block.p);
	OK(tke_admin_request_next(&q, &used, all.p, all.len, NULL));
	assert_int_equal(used, a.len);
	assert_memory_equal(q.input.p, "one", 3);
	OK(tke_admin_request_next(
	    &q, &used, all.p + a.len, all.len - a.len, NULL));
	assert_int_equal(used, b.len);
	assert_memory_equal(q.input.p, "three", 5);
	ERR(tke_admin_request_next(&q, &used, all.p + all.len, 0, NULL),
	    "E_TRUNCATED");
	hsa_buf_free(&a);
	hsa_buf_free(&b);
	hsa_buf_free(&all);
}

static void
test_tke_admin__surplus_length_bytes_keep_the_signed_bytes(void **state)
{
	/* block SEQ and outer SEQ with two length bytes more than needed */
	struct hsa_buf block = htke_bytes("30820012"
					  "04040001000a04080000001600000000"
					  "0400");
	struct hsa_buf b = {0};
	struct tke_admin_request q = {0};

	(void)state;
	hsa_buf_put(&block, "\4\0\4\0", 4);
	block.p[3] = (uint8_t)(block.len - 4);
	OK(tke_admin_request_encode(&b, 22, htke_slice(&block), SLICE("")));
	OK(tke_admin_request_decode(&q, b.p, b.len, NULL));
	assert_int_equal(q.command, TKE_QUERY_DOMAIN_ATTRIBUTES);
	assert_int_equal(q.block.n, block.len);
	assert_memory_equal(q.block.p, block.p, block.len);
	hsa_buf_free(&block);
	hsa_buf_free(&b);
}

static void
test_tke_admin__another_function_is_refused_with_its_number(void **state)
{
	struct hsa_buf b = request(2, "", 0);
	struct tke_admin_request q = {0};
	struct hsa_diag diag = {0};
	uint32_t fn = 0;

	(void)state;
	assert_memory_equal(b.p + 2, "\x04\x04\0\1\0\x29", 6);
	b.p[7] = 0x26;
	ERR(tke_admin_request_decode(&q, b.p, b.len, &diag), "E_FORMAT");
	assert_non_null(strstr(diag.text, "00010026"));
	OK(tke_payload_function(&fn, b.p, b.len));
	assert_int_equal(fn, TKE_FN_XCP_INFO);
	b.p[7] = 0x29;
	ERR(tke_payload_function(&fn, b.p, b.len - 1), "E_TRUNCATED");
	hsa_buf_u8(&b, 0);
	ERR(tke_payload_function(&fn, b.p, b.len), "E_TRAILING");
	hsa_buf_free(&b);
}

static bool
inside(struct tke_slice s, const uint8_t *p, size_t n)
{
	return s.n == 0 || (s.p >= p && s.n <= (size_t)(p + n - s.p));
}

static bool
try_request(const uint8_t *p, size_t n, void *arg)
{
	struct tke_admin_request q = {0};
	hsa_rc rc = tke_admin_request_decode(&q, p, n, NULL);

	(void)arg;
	if (hsa_is_ok(rc))
		assert_true(inside(q.block, p, n) &&
			    inside(q.signatures, p, n) &&
			    inside(q.domain, p, n) && inside(q.module, p, n) &&
			    inside(q.counter, p, n) && inside(q.input, p, n));
	return hsa_is_ok(rc);
}

static void
test_tke_admin__damaged_requests_are_refused_or_read_inside(void **state)
{
	struct hsa_buf b = request(TKE_CMD_WK_COMMIT, "pattern", 7);
	struct htke_damage d = htke_damage(b.p, b.len, try_request, NULL);

	(void)state;
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.extended, 0);
	/* values may change (4 flips each), structure may not */
	assert_true(d.changed <= 4 * (4 + 4 + 8 + 16 + 16 + 7 + 10));
	hsa_buf_free(&b);
}

/* ---- answers ------------------------------------------------------------- */

static struct hsa_buf
answer(uint32_t rc, const void *output, size_t n)
{
	struct hsa_buf block = {0}, b = {0};

	OK(tke_admin_reply_block_encode(&block, TKE_CMD_WK_COMMIT,
	    (const uint8_t *)domain, (const uint8_t *)module,
	    (const uint8_t *)counter, rc, (struct tke_slice){output, n}));
	OK(tke_admin_reply_encode(
	    &b, 22, htke_slice(&block), SLICE("signature")));
	hsa_buf_free(&block);
	return b;
}

static void
test_tke_admin__answer_round_trip(void **state)
{
	struct hsa_buf b = answer(0, "data", 4);
	struct tke_admin_reply r = {0};

	(void)state;
	OK(tke_admin_reply_decode(&r, b.p, b.len, NULL));
	assert_int_equal(r.domain_index, 22);
	assert_int_equal(r.envelope_rc, 0);
	assert_int_equal(r.command, TKE_CMD_WK_COMMIT);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.reason, 0);
	assert_int_equal(r.output.n, 4);
	assert_int_equal(r.signature.n, 9);
	assert_memory_equal(r.counter.p, counter, 16);
	hsa_buf_free(&b);
}

static void
test_tke_admin__refusal_carries_its_reason_when_it_gave_one(void **state)
{
	struct hsa_buf with = answer(208, "\0\0\0\x15", 4);
	struct hsa_buf more = answer(208, "\0\0\0\x15tail", 8);
	struct hsa_buf without = answer(208, "\0\0\x15", 3);
	struct tke_admin_reply r = {0};

	(void)state;
	OK(tke_admin_reply_decode(&r, with.p, with.len, NULL));
	assert_int_equal(r.rc, 208);
	assert_int_equal(r.reason, 21);
	OK(tke_admin_reply_decode(&r, more.p, more.len, NULL));
	assert_int_equal(r.reason, 21);
	OK(tke_admin_reply_decode(&r, without.p, without.len, NULL));
	assert_int_equal(r.reason, UINT32_MAX);
	hsa_buf_free(&with);
	hsa_buf_free(&more);
	hsa_buf_free(&without);
}

/* A reply of these fields: function and domain, rc, then k octet strings. */
static hsa_rc
envelope(uint32_t code, size_t k, struct tke_admin_reply *r)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	tke_der_put_u32(&b, TKE_FN_ADMIN);
	tke_der_put_u32(&b, 22);
	tke_der_put_u32(&b, code);
	for (size_t i = 0; i < k; i++)
		tke_der_put(&b, TKE_DER_OCTETS, "x", 1);
	tke_der_wrap(&b, 0, TKE_DER_SEQ);
	rc = tke_admin_reply_decode(r, b.p, b.len, NULL);
	hsa_buf_free(&b);
	return rc;
}

static void
test_tke_admin__error_envelope_has_three_or_five_fields(void **state)
{
	struct tke_admin_reply r = {0};
	struct hsa_buf b = {0};

	(void)state;
	for (size_t k = 0; k < 5; k++) {
		hsa_rc rc = envelope(7, k, &r);

		if (k != 0 && k != 2) {
			assert_false(hsa_is_ok(rc));
			continue;
		}
		OK(rc);
		assert_int_equal(r.envelope_rc, 7);
		assert_int_equal(r.block.n, 0);
		assert_int_equal(r.signature.n, 0);
		assert_int_equal(r.reason, UINT32_MAX);
	}
	assert_false(hsa_is_ok(envelope(0, 0, &r)));
	OK(tke_admin_reply_encode_rc(&b, 22, 7));
	OK(tke_admin_reply_decode(&r, b.p, b.len, NULL));
	assert_int_equal(r.envelope_rc, 7);
	ERR(tke_admin_reply_encode_rc(&b, 22, 0), "E_ARG");
	hsa_buf_free(&b);
}

static bool
try_reply(const uint8_t *p, size_t n, void *arg)
{
	struct tke_admin_reply r = {0};

	(void)arg;
	return hsa_is_ok(tke_admin_reply_decode(&r, p, n, NULL));
}

static void
test_tke_admin__damaged_answers_are_refused(void **state)
{
	struct hsa_buf b = answer(0, "data", 4);
	struct htke_damage d = htke_damage(b.p, b.len, try_reply, NULL);

	(void)state;
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.extended, 0);
	/* only values: command 4, ids 40, rc 4, domain 4, rc 4, output, sig;
	 * a set envelope rc makes the rest meaningless, so bytes there too */
	assert_true(d.changed <= 4 * (4 + 40 + 4 + 4 + 4 + 4 + 9));
	hsa_buf_free(&b);
}

static void
test_tke_admin__counter_wraps_at_all_ones(void **state)
{
	uint8_t c[TKE_COUNTER_LEN], zero[TKE_COUNTER_LEN] = {0}, one[16] = {0};

	(void)state;
	memset(c, 0xff, sizeof(c));
	assert_true(tke_counter_compare(c, zero) > 0);
	tke_counter_next(c);
	assert_memory_equal(c, zero, sizeof(c));
	tke_counter_next(c);
	one[15] = 1;
	assert_memory_equal(c, one, sizeof(c));
	assert_true(tke_counter_compare(zero, c) < 0);
	memset(c + 8, 0xff, 8);
	tke_counter_next(c);
	assert_int_equal(c[7], 1);
	assert_int_equal(c[8], 0);
	assert_int_equal(c[15], 0);
}

static void
test_tke_admin__every_command_has_its_text(void **state)
{
	(void)state;
	assert_string_equal(
	    tke_command_text(TKE_CMD_ZEROIZE), "zeroize domain");
	assert_string_equal(
	    tke_command_text(TKE_QUERY_DOMAIN_ATTRIBUTES), "domain attributes");
	assert_string_equal(tke_command_text(0x7fffffff), "unknown command");
	assert_true(TKE_IS_QUERY(TKE_QUERY_DEVICE_CERT));
	assert_false(TKE_IS_QUERY(TKE_CMD_ZEROIZE));
}

/* ---- get_xcp_info -------------------------------------------------------- */

static void
test_tke_info__domain_information_lies_at_its_offsets(void **state)
{
	struct tke_domain_info i = {
	    0x16, 0x80000006, 0x01020304, 0x05060708, {0}, {0}};
	struct tke_domain_info got = {0};
	uint8_t out[TKE_DOMINFO_LEN + 4] = {0};

	(void)state;
	memset(i.current, 0xcc, 32);
	memset(i.pending, 0xdd, 32);
	tke_domain_info_encode(out, &i);
	assert_memory_equal(out, "\0\0\0\x16\xcc", 5);
	assert_int_equal(out[35], 0xcc);
	assert_int_equal(out[36], 0xdd);
	assert_int_equal(out[67], 0xdd);
	assert_memory_equal(out + 68, "\x80\0\0\6\1\2\3\4\5\6\7\x08", 12);
	OK(tke_domain_info_decode(&got, out, TKE_DOMINFO_LEN));
	assert_memory_equal(&got, &i, sizeof(i));
	OK(tke_domain_info_decode(&got, out, sizeof(out)));
	for (size_t n = 0; n < TKE_DOMINFO_LEN; n++)
		ERR(tke_domain_info_decode(&got, out, n), "E_TRUNCATED");
}

static bool
try_info_request(const uint8_t *p, size_t n, void *arg)
{
	struct tke_info_request q = {0};

	(void)arg;
	return hsa_is_ok(tke_info_request_decode(&q, p, n));
}

static bool
try_info_reply(const uint8_t *p, size_t n, void *arg)
{
	struct tke_slice data = {0};
	uint32_t rc = 0;

	(void)arg;
	return hsa_is_ok(tke_info_reply_decode(&data, &rc, p, n));
}

static void
test_tke_info__request_and_answer_survive_only_whole(void **state)
{
	const struct tke_info_request q = {22, TKE_XCP_INFO_DOMAIN};
	struct hsa_buf b = {0}, r = {0};
	struct tke_slice data = {0};
	struct htke_damage d;
	uint32_t rc = 9;

	(void)state;
	OK(tke_info_request_encode(&b, &q));
	d = htke_damage(b.p, b.len, try_info_request, NULL);
	assert_int_equal(d.cut + d.extended, 0);
	assert_int_equal(d.changed, 4 * (4 + 4)); /* domain and subtype */
	OK(tke_info_reply_encode(&r, 22, 0, "0123456789", 10));
	OK(tke_info_reply_decode(&data, &rc, r.p, r.len));
	assert_int_equal(rc, 0);
	assert_int_equal(data.n, 10);
	d = htke_damage(r.p, r.len, try_info_reply, NULL);
	assert_int_equal(d.cut + d.extended, 0);
	assert_int_equal(d.changed, 4 * (4 + 4 + 10));
	hsa_buf_free(&b);
	hsa_buf_free(&r);
}

/* ---- attributes ---------------------------------------------------------- */

static void
test_tke_attributes__all_and_set_are_pairs_in_order(void **state)
{
	const struct tke_attributes a = {2, 1, TKE_PERM_DEFAULT, 4, 5};
	struct tke_attributes got = {0};
	struct hsa_buf all = {0}, set = {0};
	uint32_t present = 0;

	(void)state;
	tke_attributes_encode_all(&all, &a);
	tke_attributes_encode_set(&set, &a);
	assert_true(htke_is(all.p, all.len,
	    "0000000100000002000000020000000100000003"
	    "81ff001100000004000000040000000500000005"));
	assert_int_equal(set.len, 32);
	assert_memory_equal(set.p, all.p, 32);
	OK(tke_attributes_decode(&got, &present, all.p, all.len, false));
	assert_int_equal(present, 0x3e);
	assert_memory_equal(&got, &a, sizeof(a));
	hsa_buf_free(&all);
	hsa_buf_free(&set);
}

static void
test_tke_attributes__any_order_and_absent_ones_stay(void **state)
{
	struct hsa_buf b = htke_bytes("00000003000000ff0000000100000002");
	struct tke_attributes a = {7, 8, 9, 10, 11};
	uint32_t present = 0xffffffff;

	(void)state;
	OK(tke_attributes_decode(&a, &present, b.p, b.len, false));
	assert_int_equal(present, 0x0a);
	assert_int_equal(a.signature_threshold, 2);
	assert_int_equal(a.revocation_threshold, 8);
	assert_int_equal(a.permissions, 0xff);
	assert_int_equal(a.operational_mode, 10);
	assert_int_equal(a.standards, 11);
	OK(tke_attributes_decode(&a, &present, NULL, 0, false));
	assert_int_equal(present, 0);
	hsa_buf_free(&b);
}

static void
attributes_refused(const char *hex, bool tolerant, const char *err)
{
	struct hsa_buf b = htke_bytes(hex);
	struct tke_attributes a = {7, 8, 9, 10, 11}, before = a;
	uint32_t present = 0x55;

	ERR(tke_attributes_decode(&a, &present, b.p, b.len, tolerant), err);
	if (strcmp(err, "OK") != 0) {
		assert_memory_equal(&a, &before, sizeof(a));
		assert_int_equal(present, 0x55);
	}
	hsa_buf_free(&b);
}

static void
test_tke_attributes__sizes_repeats_and_unknowns(void **state)
{
	(void)state;
	attributes_refused("00000001000000", false, "E_FORMAT");
	attributes_refused("000000010000000200", false, "E_FORMAT");
	attributes_refused(
	    "00000001000000020000000100000002", false, "E_EXISTS");
	attributes_refused(
	    "00000001000000020000000100000002", true, "E_EXISTS");
	attributes_refused("0000000000000002", false, "E_NOT_FOUND");
	attributes_refused("0000000600000002", false, "E_NOT_FOUND");
	attributes_refused("ffffffff00000002", false, "E_NOT_FOUND");
	attributes_refused(
	    "000000060000000200000006000000020000002100000002", true, "OK");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_tke_admin__request_round_trip_at_every_length_form),
	    cmocka_unit_test(
		test_tke_admin__wrong_sizes_of_ids_are_left_to_the_unit),
	    cmocka_unit_test(
		test_tke_admin__several_requests_are_taken_one_by_one),
	    cmocka_unit_test(
		test_tke_admin__surplus_length_bytes_keep_the_signed_bytes),
	    cmocka_unit_test(
		test_tke_admin__another_function_is_refused_with_its_number),
	    cmocka_unit_test(
		test_tke_admin__damaged_requests_are_refused_or_read_inside),
	    cmocka_unit_test(test_tke_admin__answer_round_trip),
	    cmocka_unit_test(
		test_tke_admin__refusal_carries_its_reason_when_it_gave_one),
	    cmocka_unit_test(
		test_tke_admin__error_envelope_has_three_or_five_fields),
	    cmocka_unit_test(test_tke_admin__damaged_answers_are_refused),
	    cmocka_unit_test(test_tke_admin__counter_wraps_at_all_ones),
	    cmocka_unit_test(test_tke_admin__every_command_has_its_text),
	    cmocka_unit_test(
		test_tke_info__domain_information_lies_at_its_offsets),
	    cmocka_unit_test(
		test_tke_info__request_and_answer_survive_only_whole),
	    cmocka_unit_test(
		test_tke_attributes__all_and_set_are_pairs_in_order),
	    cmocka_unit_test(
		test_tke_attributes__any_order_and_absent_ones_stay),
	    cmocka_unit_test(test_tke_attributes__sizes_repeats_and_unknowns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
