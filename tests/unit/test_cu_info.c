/* get_xcp_info as hosts read it: fields by their offsets in IBM's structures
 * on a 64-bit machine (ep11-host-api 6.1), not by ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_pkcs11.h"
#include "helper_cu.h"

static uint32_t
ask(struct cu_bench *b, struct hsa_buf *out, uint32_t query, uint32_t sub)
{
	size_t before = b->sink->len;
	uint32_t rv = 0x4711;

	hsa_buf_reset(out);
	assert_true(hsa_is_ok(cu_unit_info(b->u, &rv, out, query, sub)));
	assert_int_equal(b->sink->len, before);
	assert_true(rv == CKR_OK || out->len == 0);
	return rv;
}

static uint64_t
ulong_at(const struct hsa_buf *b, size_t at)
{
	uint64_t v = 0;

	assert_true(at + sizeof(v) <= b->len);
	memcpy(&v, b->p + at, sizeof(v));
	return v;
}

static uint32_t
u32_at(const struct hsa_buf *b, size_t at)
{
	uint32_t v = 0;

	assert_true(at + sizeof(v) <= b->len);
	memcpy(&v, b->p + at, sizeof(v));
	return v;
}

static void
check_basic(const struct hsa_buf *i)
{
	assert_int_equal(ulong_at(i, 0), 4);
	assert_int_equal(i->p[16], 8); /* firmware 8.9: 9.1's table */
	assert_int_equal(i->p[17], 9);
	/* the truncated id is the hash's head */
	assert_int_equal(ulong_at(i, 8) >> 24, i->p[20]);
	assert_int_equal(ulong_at(i, 8) & 0xff, i->p[23]);
	assert_memory_equal(i->p + 20, i->p + 52, 32);
	assert_memory_equal(i->p + 116, "SIM00001", 8);
	assert_memory_equal(i->p + 132, "202511221042", 12);
	assert_int_equal(ulong_at(i, 152), 0);
	assert_int_equal(ulong_at(i, 184), 1);     /* domains */
	assert_int_equal(ulong_at(i, 192), 12288); /* crypt state */
	assert_int_equal(ulong_at(i, 200), 1024);  /* digest state */
	assert_int_equal(ulong_at(i, 208), 80);    /* pin block */
	assert_int_equal(ulong_at(i, 224), 16384); /* SPKI */
	assert_int_equal(ulong_at(i, 240), 262144);
	assert_int_equal(ulong_at(i, 248), 16); /* bytes of control points */
	assert_int_equal(ulong_at(i, 256), 80); /* the highest one's index */
}

static unsigned int
ones(const uint8_t *p, size_t n)
{
	unsigned int k = 0;

	for (size_t i = 0; i < 8 * n; i++)
		k += (p[i / 8] >> i % 8 & 1) != 0 ? 1 : 0;
	return k;
}

static void
test_cu_info__module_has_every_form_that_hosts_ask_for(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_buf i = {0};
	struct cu_answer a = {0};
	uint8_t mask[16], count = 0;
	size_t k = 0;

	(void)state;
	cu_bench_open(b);
	assert_int_equal(ask(b, &i, 1, 0), CKR_OK);
	assert_int_equal(i.len, 264);
	check_basic(&i);
	/* serial and instance are the module's of the admin blocks */
	cu_bench_query(b, &a, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	assert_memory_equal(i.p + 116, a.module, 16);
	cu_answer_free(&a);
	assert_int_equal(ask(b, &i, 1, 1), CKR_OK);
	assert_int_equal(i.len, 48);
	assert_memory_equal(i.p, "cryptounit  ", 12);
	assert_int_equal(i.p[47], ' ');
	assert_int_equal(ask(b, &i, 1, 2), CKR_OK);
	assert_int_equal(i.len, 16);
	memcpy(mask, i.p, sizeof(mask));
	/* GenerateRandom 4; get_xcp_info 38; admin 41; id 0 is the top bit */
	assert_true((mask[0] & 0x08) != 0);
	assert_true((mask[4] & 0x02) != 0);
	assert_true((mask[5] & 0x40) != 0);
	assert_int_equal(mask[0] & 0x80, 0);
	assert_int_equal(ask(b, &i, 1, 3), CKR_OK);
	assert_int_equal(i.len, 1);
	count = i.p[0];
	assert_int_equal(count, ones(mask, 16));
	assert_int_equal(ask(b, &i, 1, 4), CKR_OK);
	assert_int_equal(i.len, 360);
	check_basic(&i);
	assert_memory_equal(i.p + 264, "cryptounit  ", 12);
	assert_memory_equal(i.p + 312, mask, 16);
	assert_int_equal(i.p[328], count);
	/* permissions, infrastructure, compliance: masks, then counts */
	assert_memory_equal(i.p + 329, "\0\0\0\0\x81\xff\x20\x7f", 8);
	assert_memory_equal(i.p + 345, "\0\0\0\0\0\0\x01\xcf", 8);
	assert_int_equal(i.p[353], ones(i.p + 329, 8));
	assert_int_equal(i.p[354], 0);
	assert_int_equal(i.p[355], 7);
	assert_int_equal(ask(b, &i, 1, 7), CKR_OK);
	assert_int_equal(i.len, 368);
	check_basic(&i);
	assert_memory_equal(i.p + 312, mask, 16);
	assert_int_equal(i.p[364], 0);
	assert_int_equal(ask(b, &i, 1, 5), CKR_OK);
	assert_int_equal(i.len, 32);
	assert_memory_equal(i.p + 4, "\x81\xff\x20\x7f", 4);
	assert_int_equal(ask(b, &i, 1, 8), CKR_OK);
	assert_int_equal(i.len, 4);
	count = i.p[0];
	assert_int_equal(ask(b, &i, 1, 6), CKR_OK);
	assert_int_equal(i.len, count + 7u);
	for (k = 1; k < count; k++)
		assert_true(i.p[k] > i.p[k - 1]);
	assert_int_equal(i.p[0], 0);
	assert_int_equal(i.p[count - 1u], 31);
	assert_int_equal(i.p[i.len - 1], 8); /* FIPS 2024 */
	assert_int_equal(ask(b, &i, 1, 9), CKR_ARGUMENTS_BAD);
	assert_int_equal(ask(b, &i, 0, 0), CKR_OK);
	assert_int_equal(i.len, 16);
	assert_int_equal(ulong_at(&i, 0), 4);
	assert_int_equal(cu_bench_counter(b, "query.module-info"), 10);
	assert_int_equal(cu_bench_counter(b, "query.info"), 1);
	hsa_buf_free(&i);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_info__domain_follows_the_registers(void **state)
{
	static const uint8_t part[1][32] = {{9}};
	struct cu_bench *b = cu_bench_new();
	struct hsa_buf i = {0};
	uint8_t pattern[32], zeros[32] = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(ask(b, &i, 3, 0), CKR_OK);
	assert_int_equal(i.len, 88);
	assert_int_equal(ulong_at(&i, 0), CU_BENCH_DOMAIN);
	assert_int_equal(ulong_at(&i, 72), 0);
	assert_memory_equal(i.p + 80, "\0\0\0\0\0\0\0\x01", 8);
	cu_bench_ready(b, 1, 1, 1);
	cu_bench_load(b, pattern, part, 1, 1);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 1), 0);
	assert_int_equal(ask(b, &i, 3, 0), CKR_OK);
	assert_memory_equal(i.p + 8, zeros, 32);
	assert_memory_equal(i.p + 40, pattern, 32);
	assert_int_equal(ulong_at(&i, 72), 0x1d);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1), 0);
	assert_int_equal(ask(b, &i, 3, 0), CKR_OK);
	assert_memory_equal(i.p + 8, pattern, 32);
	assert_int_equal(ulong_at(&i, 72), 0x13);
	assert_int_equal(ask(b, &i, 2, 0), CKR_OK);
	assert_int_equal(i.len, 40);
	assert_int_equal(ulong_at(&i, 0), CU_BENCH_DOMAIN);
	assert_memory_equal(i.p + 8, pattern, 32);
	hsa_buf_free(&i);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_info__capabilities_curves_and_points_are_told(void **state)
{
	static const uint32_t refused[] = {7, 8, 9, 15, 16, 17, 0xff000001};
	struct cu_bench *b = cu_bench_new();
	struct hsa_buf i = {0};
	uint32_t n = 0;
	size_t k = 0;

	(void)state;
	cu_bench_open(b);
	assert_int_equal(ask(b, &i, 5, 0), CKR_OK);
	assert_int_equal(i.len, 4);
	n = u32_at(&i, 0);
	assert_true(n > 0 && n <= 24);
	assert_int_equal(ask(b, &i, 6, 0), CKR_OK);
	assert_int_equal(i.len, 8 * n);
	for (k = 0; k < n; k++) {
		/* no extended logins, no audit: hosts must not find them */
		assert_int_not_equal(u32_at(&i, 8 * k), 18);
		assert_int_not_equal(u32_at(&i, 8 * k), 23);
		assert_int_not_equal(u32_at(&i, 8 * k), 2);
	}
	/* P-192 to P-521 are 1 to 5, secp256k1 is 23, BLS12-381 28 */
	assert_int_equal(ask(b, &i, 10, 0), CKR_OK);
	assert_int_equal(i.len, 4);
	assert_int_equal(i.p[0] & 0xf8, 0xf8);
	assert_int_equal(i.p[2] & 0x02, 0x02);
	assert_int_equal(i.p[3] & 0x1f, 0);
	assert_int_equal(ask(b, &i, 12, 0), CKR_OK);
	assert_int_equal(i.len, 4);
	assert_int_equal(u32_at(&i, 0) & 7, 7);
	assert_int_equal(ask(b, &i, 11, 0), CKR_OK);
	assert_int_equal(i.len, 8);
	assert_int_equal(ulong_at(&i, 0), 1);
	assert_int_equal(ask(b, &i, 13, 0), CKR_OK);
	assert_int_equal(i.len, 16);
	assert_memory_equal(
	    i.p, "\0\x02\0\0\0\0\0\0\xf0\x0f\x80\0\0\0\0\0", 16);
	assert_int_equal(ask(b, &i, 14, 0), CKR_OK);
	assert_int_equal(i.len, 4);
	assert_int_equal(u32_at(&i, 0), 0);
	for (k = 0; k < sizeof(refused) / sizeof(refused[0]); k++)
		assert_int_equal(
		    ask(b, &i, refused[k], 0), CKR_FUNCTION_NOT_SUPPORTED);
	/* no token, no self-test */
	assert_int_equal(ask(b, &i, 4, 0), CKR_FUNCTION_NOT_SUPPORTED);
	hsa_buf_free(&i);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

/* Hosts choose units by their numbers, and EP11 has no query for a module's. */
static void
test_cu_info__numbers_of_module_and_domain_are_told(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_buf out = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(ask(b, &out, HSA_INFO_LOCATION, 0), CKR_OK);
	assert_int_equal(out.len, 8);
	assert_memory_equal(out.p, "\0\0\0", 3);
	assert_int_equal(out.p[3], CU_BENCH_MODULE);
	assert_memory_equal(out.p + 4, "\0\0\0", 3);
	assert_int_equal(out.p[7], CU_BENCH_DOMAIN);
	hsa_buf_free(&out);
	cu_bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cu_info__module_has_every_form_that_hosts_ask_for),
	    cmocka_unit_test(test_cu_info__domain_follows_the_registers),
	    cmocka_unit_test(
		test_cu_info__capabilities_curves_and_points_are_told),
	    cmocka_unit_test(
		test_cu_info__numbers_of_module_and_domain_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
