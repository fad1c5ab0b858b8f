/* get_xcp_info where it asks the token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bk_info__self_test_asks_the_token),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
