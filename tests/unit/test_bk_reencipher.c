/* Command 25: a blob goes over to the committed next master key. An
 * administrative block by its way in, an EP11 call by its event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cu_core.h"
#include "ep11_attr.h"
#include "helper_cu_token.h"
#include "helper_ep11.h"
#include "hsa_hash.h"

static struct cu_token t;

/* FIPS 197, appendix C.3 */
static const uint8_t fips197_key[32] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    31};
static const uint8_t plain[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
    0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
static const uint8_t fips197_cipher[16] = {0x8e, 0xa2, 0xb7, 0xca, 0x51, 0x67,
    0x45, 0xbf, 0xea, 0xfc, 0x49, 0x90, 0x4b, 0x49, 0x60, 0x89};
static const uint8_t no_encrypt[16] = {0x04}; /* point 5 */

/* As hosts make it: index of the domain alone, no counter, nobody signs. */
static void
order_of(struct cu_order *o, struct tke_slice blob)
{
	static const uint8_t domain[TKE_DOMAIN_LEN] = {
	    0, 0, 0, CU_BENCH_DOMAIN};
	static const uint8_t nothing;

	memset(o, 0, sizeof(*o));
	o->command = TKE_CMD_REENCIPHER;
	o->input = blob.p;
	o->input_len = blob.n;
	o->domain = (struct tke_slice){domain, sizeof(domain)};
	o->module = (struct tke_slice){&nothing, 0};
	o->counter = (struct tke_slice){&nothing, 0};
}

static uint64_t
reencipher(struct cu_bench *b, struct cu_answer *a, const void *p, size_t n)
{
	struct cu_order o;

	cu_answer_free(a);
	order_of(&o, (struct tke_slice){p, n});
	cu_bench_order(b, a, &o);
	b->commands--; /* it is a call */
	b->calls++;
	assert_int_equal(a->http, 200);
	assert_int_equal(a->command, TKE_CMD_REENCIPHER);
	return a->rc;
}

static void
check_event(struct cu_bench *b, uint32_t status, uint64_t rv, uint32_t reason)
{
	struct hsa_record r = {0};

	cu_bench_last(b, &r);
	assert_int_equal(r.source, HSA_SOURCE_USE);
	assert_string_equal(r.event.action_name, "hs-crypto.ep11.use");
	assert_int_equal(r.event.reason_code, status);
	assert_int_equal(r.ep11_rc, rv);
	assert_int_equal(r.ep11_reason, reason);
	assert_int_equal(r.use.function, HSA_FN_REWRAP_KEY_BLOB);
	assert_int_equal(strlen(r.event.correlation_id), 36);
	hsa_record_free(&r);
}

static void
test_bk_reencipher__refusals_carry_the_reasons_that_hosts_know(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct cu_answer a = {0};
	uint8_t pattern[32];

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 1, 1, 1);
	assert_int_equal(reencipher(b, &a, "x", 1), CKR_IBM_WK_NOT_INITIALIZED);
	assert_int_equal(a.reason, 49);
	check_event(b, 500, CKR_IBM_WK_NOT_INITIALIZED, 49);
	cu_token_load(b, 1);
	assert_int_equal(reencipher(b, &a, "x", 1), CKR_IBM_WK_NOT_INITIALIZED);
	assert_int_equal(a.reason, 50);
	check_event(b, 500, CKR_IBM_WK_NOT_INITIALIZED, 50);
	cu_token_commit(b, pattern, 2);
	assert_int_not_equal(reencipher(b, &a, "x", 1), CKR_OK);
	check_event(b, 400, a.rc, 0);
	assert_int_equal(cu_bench_counter(b, "command.reencipher.refused"), 3);
	cu_answer_free(&a);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

static CK_RV
encrypt(struct cu_bench *b, struct hsa_buf *out, const struct hsa_buf *blob)
{
	struct hsa_call c = {
	    .fn = HSA_FN_ENCRYPT_SINGLE,
	    .mech = {.type = CKM_AES_ECB},
	    .key = {blob->p, blob->len},
	    .data = {plain, sizeof(plain)},
	};
	uint64_t rv = cu_bench_call(b, &c);

	hsa_buf_reset(out);
	hsa_buf_put(out, c.out.p, c.out.len);
	hsa_call_free(&c);
	return rv;
}

/* A rotation as hosts live it: the new blob serves once its key does. */
static void
test_bk_reencipher__a_blob_goes_over_to_the_next_key(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_buf blob = {0}, new = {0}, out = {0};
	struct helper_ep11 h = {0};
	struct cu_answer a = {0};
	struct hsa_record r = {0};
	uint8_t pattern[32], id[HSA_SHA256_LEN];

	(void)state;
	cu_bench_open(b);
	cu_token_load(b, 1);
	h.token = t.token;
	h.e = b->u->engine;
	helper_ep11_secret(&h, &blob, CKK_AES, fips197_key, sizeof(fips197_key),
	    EP11_ENCRYPT | EP11_EXTRACTABLE);
	assert_int_equal(encrypt(b, &out, &blob), CKR_OK);
	assert_int_equal(out.len, 16);
	assert_memory_equal(out.p, fips197_cipher, 16);
	cu_bench_last(b, &r);
	assert_true(r.use.has_key_id);
	memcpy(id, r.use.key_id, sizeof(id));
	hsa_record_free(&r);
	cu_token_commit(b, pattern, 2);
	assert_int_equal(reencipher(b, &a, blob.p, blob.len), CKR_OK);
	check_event(b, 200, CKR_OK, 0);
	assert_int_equal(a.output.len, blob.len);
	hsa_buf_put(&new, a.output.p, a.output.len);
	/* its wrapping-key id is the next key's */
	assert_memory_equal(new.p + 32, pattern, 16);
	cu_bench_last(b, &r);
	assert_memory_equal(r.use.key_id, id, sizeof(id));
	assert_int_equal(r.use.bytes_out, blob.len);
	hsa_record_free(&r);
	assert_int_equal(encrypt(b, &out, &blob), CKR_OK);
	assert_int_equal(encrypt(b, &out, &new), CKR_IBM_WKID_MISMATCH);
	cu_bench_last(b, &r);
	assert_int_equal(r.event.reason_code, 400);
	hsa_record_free(&r);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1), 0);
	assert_int_equal(encrypt(b, &out, &blob), CKR_IBM_WKID_MISMATCH);
	assert_int_equal(encrypt(b, &out, &new), CKR_OK);
	assert_memory_equal(out.p, fips197_cipher, 16);
	/* a damaged blob is none */
	new.p[new.len - 1] ^= 1;
	assert_int_not_equal(encrypt(b, &out, &new), CKR_OK);
	new.p[new.len - 1] ^= 1;
	/* control points reach the engine: no symmetric encryption (5) */
	assert_int_equal(cu_bench_command(b, TKE_CMD_CP_DELETE, no_encrypt,
			     sizeof(no_encrypt), 1),
	    0);
	assert_int_equal(encrypt(b, &out, &new), CKR_FUNCTION_CANCELED);
	cu_bench_last(b, &r);
	assert_int_equal(r.event.reason_code, 403);
	hsa_record_free(&r);
	assert_int_equal(cu_bench_command(b, TKE_CMD_CP_ADD, no_encrypt,
			     sizeof(no_encrypt), 1),
	    0);
	assert_int_equal(encrypt(b, &out, &new), CKR_OK);
	assert_int_equal(cu_bench_command(b, TKE_CMD_ZEROIZE, NULL, 0, 1), 0);
	assert_int_equal(encrypt(b, &out, &new), CKR_IBM_WK_NOT_INITIALIZED);
	hsa_buf_free(&blob);
	hsa_buf_free(&new);
	hsa_buf_free(&out);
	cu_answer_free(&a);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

static void
test_bk_reencipher__another_domains_blob_is_no_call(void **state)
{
	static const uint8_t other[TKE_DOMAIN_LEN] = {
	    0, 0, 0, CU_BENCH_DOMAIN + 1};
	struct cu_bench *b = cu_token_bench(&t);
	struct cu_answer a = {0};
	struct cu_order o;
	struct hsa_record r = {0};
	size_t n = 0;

	(void)state;
	cu_bench_open(b);
	for (n = 0; n < 2; n++) {
		order_of(&o, (struct tke_slice){(const uint8_t *)"x", 1});
		o.domain = (struct tke_slice){other, n == 0 ? 8 : 4};
		cu_bench_order(b, &a, &o);
		assert_int_equal(CU_CODE(a.rc, a.reason), CU_CODE(3, 12));
		cu_bench_last(b, &r);
		assert_string_equal(r.special.name, "REQUEST_REFUSED");
		assert_int_equal(r.command, 25);
		hsa_record_free(&r);
		cu_answer_free(&a);
	}
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

static void
test_bk_reencipher__denied_and_halted_are_told_by_status(void **state)
{
	static const uint8_t domain[TKE_DOMAIN_LEN] = {
	    0, 0, 0, CU_BENCH_DOMAIN};
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_block_reply r = {0};
	struct hsa_buf cmd = {0};
	size_t i = 0;

	(void)state;
	cu_bench_open(b);
	assert_true(hsa_is_ok(tke_admin_block_encode(&cmd, TKE_CMD_REENCIPHER,
	    (struct tke_slice){domain, 8}, (struct tke_slice){0},
	    (struct tke_slice){0},
	    (struct tke_slice){(const uint8_t *)"x", 1})));
	for (i = 0; i < 3; i++) {
		const uint32_t status[] = {401, 403, 507};

		b->caller.denied = i == 2 ? 0 : status[i];
		b->sink->fail_at = i == 2 ? 1 : 0;
		assert_true(hsa_is_ok(cu_unit_block(b->u, &r, &b->caller,
		    (struct hsa_slice){cmd.p, cmd.len},
		    (struct hsa_slice){0})));
		assert_int_equal(r.http_status, status[i]);
		assert_non_null(r.text);
		assert_int_equal(r.response.len, 0);
		if (i < 2)
			check_event(b, status[i], CKR_USER_NOT_LOGGED_IN, 0);
		free(r.text);
	}
	b->calls = 2;
	cu_bench_check_log(b);
	hsa_buf_free(&cmd);
	cu_token_free(&t, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_bk_reencipher__refusals_carry_the_reasons_that_hosts_know),
	    cmocka_unit_test(
		test_bk_reencipher__a_blob_goes_over_to_the_next_key),
	    cmocka_unit_test(
		test_bk_reencipher__another_domains_blob_is_no_call),
	    cmocka_unit_test(
		test_bk_reencipher__denied_and_halted_are_told_by_status),
	};
	int failed = 0;

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	cu_bench_blocks = true;
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
