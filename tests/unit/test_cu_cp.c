/* Control points of a domain: who may move them, how far, what they show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_cp.h"
#include "helper_cu.h"
#include "hsa_hash.h"

static void
bits(uint8_t cp[EP11_CP_LEN], const unsigned int *bit, size_t n)
{
	size_t i = 0;

	memset(cp, 0, EP11_CP_LEN);
	for (i = 0; i < n; i++)
		cp[bit[i] / 8] |= (uint8_t)(0x80u >> bit[i] % 8);
}

static uint32_t
points(struct cu_bench *b, uint32_t command, const unsigned int *bit, size_t n,
    unsigned int signers)
{
	uint8_t cp[EP11_CP_LEN];

	bits(cp, bit, n);
	return cu_bench_command(b, command, cp, sizeof(cp), signers);
}
#define POINTS(b, command, signers, ...)                                       \
	points((b), (command), (const unsigned int[]){__VA_ARGS__},            \
	    sizeof((const unsigned int[]){__VA_ARGS__}) /                      \
		sizeof(unsigned int),                                          \
	    (signers))

/* The domain holds these now, and its attributes this compliance. */
static void
check_points(
    struct cu_bench *b, const uint8_t want[EP11_CP_LEN], uint32_t standards)
{
	struct cu_answer a = {0};

	cu_bench_query(b, &a, TKE_QUERY_DOMAIN_CONTROL_POINTS, NULL, 0);
	assert_int_equal(a.rc, 0);
	assert_int_equal(a.output.len, EP11_CP_LEN);
	assert_memory_equal(a.output.p, want, EP11_CP_LEN);
	cu_answer_free(&a);
	cu_bench_query(b, &a, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	assert_int_equal(a.output.len, 40);
	assert_int_equal(a.output.p[35], 5);
	assert_int_equal(a.output.p[38] << 8 | a.output.p[39], standards);
	cu_answer_free(&a);
}

static void
check_text(const struct hsa_record *r, const char *name, const void *p)
{
	const struct hsa_field *f = hsa_data_find(&r->special.details, name);
	char hex[2 * EP11_CP_LEN + 1];

	hsa_hex(hex, p, EP11_CP_LEN);
	assert_non_null(f);
	assert_string_equal(f->text, hex);
}

static void
test_cu_cp__points_walk_and_compliance_follows(void **state)
{
	struct cu_bench *b = cu_bench_new();
	uint8_t want[EP11_CP_LEN], asked[EP11_CP_LEN];
	struct hsa_record r = {0};

	(void)state;
	/* 14 retained keys; 64 to 67; 76 to 80: nothing here serves them */
	memset(want, 0xff, sizeof(want));
	want[1] = 0xfd;
	want[8] = 0x0f;
	want[9] = 0xf0;
	want[10] = 0x7f;
	cu_bench_open(b);
	check_points(b, want, 1);
	cu_bench_ready(b, 2, 2, 1);
	/* what BSI 2009 forbids */
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 3, 16, 21), 0);
	want[2] = 0x7b;
	check_points(b, want, 3);
	cu_bench_last(b, &r);
	assert_string_equal(r.special.name, "ADMIN_FUNCTION");
	assert_int_equal(r.command, 0x13);
	assert_int_equal(r.signer_len, 2);
	assert_string_equal(hsa_data_find(&r.special.details, "command")->text,
	    "delete domain control points");
	bits(asked, (const unsigned int[]){16, 21}, 2);
	check_text(&r, "requestedPoints", asked);
	check_text(&r, "controlPoints", want);
	assert_int_equal(
	    hsa_data_find(&r.special.details, "standards")->integer, 3);
	hsa_record_free(&r);
	assert_int_equal(POINTS(b, TKE_CMD_CP_ADD, 3, 21), 0);
	want[2] = 0x7f;
	check_points(b, want, 1);
	/* off already, on already: no change */
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 3, 16), 0);
	assert_int_equal(POINTS(b, TKE_CMD_CP_ADD, 3, 21, 0, 1), 0);
	check_points(b, want, 1);
	/* set: exactly these, of those that have a name */
	assert_int_equal(POINTS(b, TKE_CMD_CP_SET, 3, 0, 1, 5, 16, 75), 0);
	memset(want, 0, sizeof(want));
	want[0] = 0xc4;
	want[2] = 0x80;
	want[9] = 0x10;
	want[10] = 0x7f;
	memset(want + 11, 0xff, 5);
	check_points(b, want, 1 | 4 | 0x80 | 0x100);
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 3, 81, 90, 127), 0);
	check_points(b, want, 1 | 4 | 0x80 | 0x100);
	/* kept over a restart and a power cut, gone with the domain */
	cu_bench_close(b);
	cu_bench_open(b);
	check_points(b, want, 1 | 4 | 0x80 | 0x100);
	cu_bench_kill(b);
	cu_bench_open(b);
	check_points(b, want, 1 | 4 | 0x80 | 0x100);
	assert_int_equal(cu_bench_command(b, TKE_CMD_ZEROIZE, NULL, 0, 3), 0);
	ep11_cp_default(want);
	check_points(b, want, 1);
	b->any_records = true; /* the power cut took a stop record */
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_cp__some_may_never_be_on_and_gates_close_for_good(void **state)
{
	struct cu_bench *b = cu_bench_new();
	uint8_t want[EP11_CP_LEN], all[EP11_CP_LEN];
	struct hsa_record r = {0};

	(void)state;
	cu_bench_open(b);
	cu_bench_ready(b, 1, 1, 1);
	ep11_cp_default(want);
	memset(all, 0xff, sizeof(all));
	assert_int_equal(POINTS(b, TKE_CMD_CP_ADD, 1, 65), CU_CODE(80, 45));
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_CP_SET, all, 16, 1), CU_CODE(80, 45));
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_CP_ADD, all, 15, 1), CU_CODE(33, 44));
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_CP_SET, NULL, 0, 1), CU_CODE(33, 44));
	assert_int_equal(cu_bench_command(b, TKE_CMD_CP_DELETE, all, 15, 1),
	    CU_CODE(33, 44));
	check_points(b, want, 1);
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 1, 0, 3), 0);
	want[0] = 0x6f;
	check_points(b, want, 1);
	assert_int_equal(POINTS(b, TKE_CMD_CP_ADD, 1, 3), CU_CODE(80, 46));
	assert_int_equal(POINTS(b, TKE_CMD_CP_ADD, 1, 0), CU_CODE(80, 46));
	cu_bench_last(b, &r);
	assert_int_equal(
	    hsa_data_find(&r.special.details, "status")->integer, 500);
	assert_null(hsa_data_find(&r.special.details, "controlPoints"));
	assert_non_null(hsa_data_find(&r.special.details, "requestedPoints"));
	hsa_record_free(&r);
	/* turning off still goes, until that is off too */
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 1, 1), 0);
	want[0] = 0x2f;
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 1, 2), CU_CODE(80, 47));
	assert_int_equal(POINTS(b, TKE_CMD_CP_SET, 1, 5), CU_CODE(80, 47));
	assert_int_equal(cu_bench_command(b, TKE_CMD_CP_SET, want, 16, 1), 0);
	check_points(b, want, 1);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_cp__the_permission_decides_how_many_sign(void **state)
{
	struct cu_bench *b = cu_bench_new();

	(void)state;
	cu_bench_open(b);
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 0, 16), CU_CODE(179, 34));
	cu_bench_ready(b, 3, 3, 1);
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 3, 16), CU_CODE(208, 21));
	assert_int_equal(POINTS(b, TKE_CMD_CP_DELETE, 7, 16), 0);
	assert_int_equal(
	    cu_bench_attributes(b, 3, 1,
		TKE_PERM_DEFAULT | TKE_PERM_ONE_PART | TKE_PERM_CP_ONE, 7),
	    0);
	assert_int_equal(POINTS(b, TKE_CMD_CP_ADD, 0, 16), CU_CODE(208, 21));
	assert_int_equal(POINTS(b, TKE_CMD_CP_ADD, 2, 16), 0);
	assert_int_equal(cu_bench_counter(b, "command.cp-delete.ok"), 1);
	assert_int_equal(cu_bench_counter(b, "command.cp-delete.refused"), 2);
	assert_int_equal(cu_bench_counter(b, "command.cp-add.ok"), 1);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cu_cp__points_walk_and_compliance_follows),
	    cmocka_unit_test(
		test_cu_cp__some_may_never_be_on_and_gates_close_for_good),
	    cmocka_unit_test(test_cu_cp__the_permission_decides_how_many_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
