/* get_xcp_info where it asks the token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_pkcs11.h"
#include "helper_cu_token.h"

static struct cu_token t;

static void
test_bk_info__self_test_asks_the_token(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_buf out = {0};
	uint32_t rv = 0;

	(void)state;
	cu_bench_open(b);
	assert_true(hsa_is_ok(cu_unit_info(b->u, &rv, &out, 4, 0)));
	assert_int_equal(rv, CKR_OK);
	/* the one that must fail */
	assert_true(hsa_is_ok(cu_unit_info(b->u, &rv, &out, 4, 1)));
	assert_int_equal(rv, CKR_IBM_ERROR_STATE);
	assert_true(hsa_is_ok(cu_unit_info(b->u, &rv, &out, 4, 2)));
	assert_int_equal(rv, CKR_ARGUMENTS_BAD);
	assert_int_equal(out.len, 0);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

static uint32_t
capability(struct cu_bench *b, uint32_t number)
{
	struct hsa_buf out = {0};
	uint32_t rv = 0, v[2] = {0, UINT32_MAX};
	size_t i = 0;

	assert_true(hsa_is_ok(cu_unit_info(b->u, &rv, &out, 6, 0)));
	assert_int_equal(rv, CKR_OK);
	for (i = 0; i + sizeof(v) <= out.len && v[0] != number; i += sizeof(v))
		memcpy(v, out.p + i, sizeof(v));
	assert_int_equal(v[0], number);
	hsa_buf_free(&out);
	return v[1];
}

/* What pkcsep11_session shows. */
static void
test_bk_info__logins_are_told_as_sessions(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_call c = {
	    .fn = HSA_FN_LOGIN,
	    .pin = {(const uint8_t *)"12345678", 8},
	    .nonce = {(const uint8_t *)"a nonce", 7},
	};
	uint32_t max = 0;

	(void)state;
	cu_bench_open(b);
	cu_token_load(b, 1);
	max = capability(b, 12);
	assert_true(max > 0);
	assert_int_equal(capability(b, 13), max);
	assert_int_equal(cu_bench_call(b, &c), CKR_OK);
	assert_int_equal(capability(b, 12), max);
	assert_int_equal(capability(b, 13), max - 1);
	assert_int_equal(cu_bench_counter(b, "engine.logins"), 1);
	/* a login is of its master key */
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_CLEAR_CURRENT, NULL, 0, 1), 0);
	assert_int_equal(capability(b, 13), max);
	hsa_call_free(&c);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bk_info__self_test_asks_the_token),
	    cmocka_unit_test(test_bk_info__logins_are_told_as_sessions),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
