/* Set Domain Attributes, rule by rule, each from a good command made bad in
 * one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cu_core.h"
#include "helper_cu.h"

#define P TKE_PERM_DEFAULT
#define ONE TKE_PERM_THRESHOLD_ONE

struct row {
	const char *what;
	uint32_t s, r, p;    /* as it is */
	uint32_t s2, r2, p2; /* as it is asked to be */
	size_t admins;
	uint32_t reason; /* 0: allowed */
};

static const struct row rows[] = {
    {"leave imprint mode", 0, 0, P, 2, 2, P, 2, 0},
    {"stay in imprint mode", 0, 0, P, 0, 0, P, 0, 0},
    {"R alone in imprint mode", 0, 0, P, 0, 1, P, 1, 0},
    {"leave with R 0", 0, 0, P, 2, 0, P, 2, 56},
    {"S above administrators", 0, 0, P, 3, 2, P, 2, 57},
    {"R above administrators", 0, 0, P, 2, 3, P, 2, 58},
    {"S of 2^32 - 1", 0, 0, P, UINT32_MAX, 2, P, 2, 57},
    {"S up to the last", 2, 2, P, 8, 8, P, 8, 0},
    {"S back to 0", 2, 2, P, 0, 2, P, 2, 76},
    {"R back to 0", 2, 2, P, 2, 0, P, 2, 77},
    {"R back to 0 in imprint mode", 0, 2, P, 0, 0, P, 2, 77},
    {"S 1", 2, 2, P, 1, 2, P, 2, 0},
    {"S 1 when not permitted", 2, 2, P & ~ONE, 1, 2, P & ~ONE, 2, 78},
    {"R 1 when not permitted", 2, 2, P & ~ONE, 2, 1, P & ~ONE, 2, 79},
    {"forbid 1 and go to 1", 2, 2, P, 1, 2, P & ~ONE, 2, 78},
    {"forbid 1 while S is 1", 1, 2, P, 1, 2, P & ~ONE, 2, 74},
    {"forbid 1 while R is 1", 2, 1, P, 2, 1, P & ~ONE, 2, 74},
    {"forbid 1 and leave 1", 1, 1, P, 2, 2, P & ~ONE, 2, 0},
    {"allow 1 and go to 1", 2, 2, P & ~ONE, 1, 1, P, 2, 0},
    {"as a client makes an operational unit", 0, 0, P, 2, 2, 0x01ff2055, 2, 0},
    {"as a client makes a recovery unit", 0, 0, P, 2, 2, 0x01ff205f, 2, 0},
    {"the same again", 2, 2, 0x01ff2055, 2, 2, 0x01ff2055, 2, 0},
    {"a may-change bit comes back", 2, 2, 0x01ff2055, 2, 2, 0x81ff2055, 2, 69},
    {"a permission without its may-change bit", 2, 2, 0x01ff2055, 2, 2,
	0x01ff0055, 2, 70},
    {"bit and permission in one command", 2, 2, P, 2, 2,
	(P & ~TKE_PERM_CHANGE_EXPORT) | TKE_PERM_EXPORT, 2, 0},
    {"and then never again", 2, 2,
	(P & ~TKE_PERM_CHANGE_EXPORT) | TKE_PERM_EXPORT, 2, 2,
	P & ~TKE_PERM_CHANGE_EXPORT, 2, 70},
    {"S protected", 2, 2, P & ~TKE_PERM_CHANGE_SIGNATURE, 1, 2,
	P & ~TKE_PERM_CHANGE_SIGNATURE, 2, 71},
    {"R protected", 2, 2, P & ~TKE_PERM_CHANGE_REVOCATION, 2, 1,
	P & ~TKE_PERM_CHANGE_REVOCATION, 2, 71},
    {"a bit of modules only", 2, 2, P, 2, 2, P | 0x80, 2, 70},
    {"a may-change bit of modules only", 2, 2, P, 2, 2, P | 0x02000000, 2, 70},
};

static void
test_cu_attributes__each_rule_has_its_reason(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *t = &rows[i];
		const struct tke_attributes was = {.signature_threshold = t->s,
		    .revocation_threshold = t->r,
		    .permissions = t->p};
		const struct tke_attributes is = {.signature_threshold = t->s2,
		    .revocation_threshold = t->r2,
		    .permissions = t->p2};
		uint32_t reason = 0;
		uint32_t rc =
		    cu_attributes_check(&reason, &was, &is, t->admins);

		if (reason != t->reason || rc != (t->reason == 0 ? 0 : 209))
			fail_msg("%s: %u/%u", t->what, rc, reason);
	}
}

static void
test_cu_attributes__each_permission_has_its_own_guard(void **state)
{
	/* low bit and may-change bit, from the protocol description */
	static const uint32_t pair[][2] = {{0x0001, 0x00010000},
	    {0x0002, 0x00020000}, {0x0004, 0x00040000}, {0x0008, 0x00080000},
	    {0x0010, 0x00400000}, {0x0020, 0x00800000}, {0x0040, 0x01000000},
	    {0x2000, 0x80000000}};
	size_t i = 0, k = 0;

	(void)state;
	for (i = 0; i < 8; i++)
		for (k = 0; k < 8; k++) {
			const struct tke_attributes was = {
			    2, 2, P & ~pair[k][1], 0, 0};
			const struct tke_attributes is = {
			    2, 2, was.permissions ^ pair[i][0], 0, 0};
			uint32_t reason = 0;

			assert_int_equal(
			    cu_attributes_check(&reason, &was, &is, 2),
			    i == k ? 209 : 0);
			assert_int_equal(reason, i == k ? 70 : 0);
		}
}

static void
test_cu_attributes__mode_and_compliance_are_read_only(void **state)
{
	struct tke_attributes was = {2, 2, P, 0, 1}, is = was;
	uint32_t reason = 0;

	(void)state;
	is.operational_mode = 1;
	assert_int_equal(cu_attributes_check(&reason, &was, &is, 2), 209);
	assert_int_equal(reason, 70);
	is = was;
	is.standards = 3;
	assert_int_equal(cu_attributes_check(&reason, &was, &is, 2), 209);
	is = was;
	assert_int_equal(cu_attributes_check(&reason, &was, &is, 2), 0);
}

static void
test_cu_attributes__a_unit_obeys_them(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_record r = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(cu_bench_add(b, 0, 0), 0);
	assert_int_equal(cu_bench_add(b, 1, 0), 0);
	/* thresholds below the rule are refused after the quorum, so sign */
	assert_int_equal(cu_bench_attributes(b, 2, 0, P, 3), CU_CODE(209, 56));
	cu_bench_last(b, &r);
	assert_int_equal(
	    hsa_data_find(&r.event.request, "signatureThreshold")->integer, 2);
	assert_int_equal(
	    hsa_data_find(&r.event.request, "revocationSignatureThreshold")
		->integer,
	    0);
	hsa_record_free(&r);
	assert_int_equal(cu_bench_attributes(b, 2, 3, P, 3), CU_CODE(209, 58));
	assert_int_equal(cu_bench_attributes(b, 2, 2, 0x01ff2055, 3), 0);
	assert_int_equal(cu_bench_attributes(b, 2, 2, P, 3), CU_CODE(209, 69));
	assert_int_equal(
	    cu_bench_attributes(b, 1, 2, 0x01ff2055, 1), CU_CODE(208, 21));
	cu_bench_kill(b);
	cu_bench_open(b);
	assert_int_equal(cu_bench_attributes(b, 2, 2, P, 3), CU_CODE(209, 69));
	cu_bench_check_log(b);
	cu_bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cu_attributes__each_rule_has_its_reason),
	    cmocka_unit_test(
		test_cu_attributes__each_permission_has_its_own_guard),
	    cmocka_unit_test(
		test_cu_attributes__mode_and_compliance_are_read_only),
	    cmocka_unit_test(test_cu_attributes__a_unit_obeys_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
