/* Administration by the bare block, as m_admin brings it. That commands fare as
 * by the transport string is shown by test_cu_ceremony and test_cu_refusal,
 * which run both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper_cu.h"
#include "hsa_hash.h"

static void
reply_free(struct hsa_block_reply *r)
{
	free(r->text);
	hsa_buf_free(&r->response);
	hsa_buf_free(&r->signature);
	memset(r, 0, sizeof(*r));
}

static void
send_block(struct cu_bench *b, struct hsa_block_reply *r, const void *cmd,
    size_t n, const void *sigs, size_t sn)
{
	reply_free(r);
	assert_true(hsa_is_ok(cu_unit_block(b->u, r, &b->caller,
	    (struct hsa_slice){cmd, n}, (struct hsa_slice){sigs, sn})));
}

/* A query as xcpa_queryblock makes it: module and counter empty. */
static void
query_block(struct hsa_buf *out, uint32_t id, uint32_t domain)
{
	const uint8_t where[TKE_DOMAIN_LEN] = {0, 0, 0, (uint8_t)domain};

	hsa_buf_reset(out);
	assert_true(hsa_is_ok(tke_admin_block_encode(out, id,
	    (struct tke_slice){where, sizeof(where)}, (struct tke_slice){0},
	    (struct tke_slice){0}, (struct tke_slice){0})));
}

/* Function, domain, module, counter, return value, payload: in this order,
 * OCTET STRINGs of short form. */
static void
check_response(
    const struct hsa_block_reply *r, uint32_t id, const void *output, size_t n)
{
	const uint8_t *p = r->response.p;
	const uint8_t head[] = {0x04, 4, 0, 1, (uint8_t)(id >> 8), (uint8_t)id,
	    0x04, 8, 0, 0, 0, CU_BENCH_DOMAIN, 0, 0, 0, 1, 0x04, 16};

	assert_int_equal(r->http_status, 200);
	assert_null(r->text);
	assert_int_equal(p[0], 0x30);
	assert_int_equal(p[1], r->response.len - 2);
	assert_memory_equal(p + 2, head, sizeof(head));
	assert_memory_equal(p + 20, "SIM00001", 8);
	assert_memory_equal(p + 36, "\x04\x10", 2);
	assert_memory_equal(p + 54, "\x04\x04\0\0\0\0\x04", 7);
	assert_int_equal(p[61], n);
	assert_memory_equal(p + 62, output, n);
	assert_int_equal(r->response.len, 62 + n);
	/* what opencryptoki has room for at its first query */
	assert_true(r->response.len <= 200);
	assert_true(r->signature.len > 150);
}

static void
test_cu_block__queries_are_answered_in_the_modules_layout(void **state)
{
	static const uint8_t parts[2][32] = {{1, 2}, {3, 4}};
	uint8_t origin[2][32], pattern[32], cp[16];
	struct cu_bench *b = cu_bench_new();
	struct hsa_block_reply r = {0};
	struct hsa_buf cmd = {0};
	const uint8_t *reason = NULL;
	size_t before = 0, i = 0;
	static const uint32_t empty[][2] = {
	    {TKE_QUERY_CURRENT_WK, 49},
	    {TKE_QUERY_NEXT_WK, 50},
	    {TKE_QUERY_WK_ORIGINS, 49},
	};

	(void)state;
	cu_bench_open(b);
	before = b->sink->len;
	memset(cp, 0xff, sizeof(cp));
	cp[1] = 0xfd;
	cp[8] = 0x0f;
	cp[9] = 0xf0;
	cp[10] = 0x7f;
	/* the domain in a query's block is nobody's concern */
	for (i = 0; i < 2; i++) {
		query_block(&cmd, TKE_QUERY_DOMAIN_CONTROL_POINTS,
		    i == 0 ? CU_BENCH_DOMAIN : 0);
		send_block(b, &r, cmd.p, cmd.len, NULL, 0);
		check_response(&r, 6, cp, sizeof(cp));
	}
	for (i = 0; i < 3; i++) {
		query_block(&cmd, empty[i][0], CU_BENCH_DOMAIN);
		send_block(b, &r, cmd.p, cmd.len, NULL, 0);
		assert_int_equal(r.http_status, 200);
		reason = r.response.p + r.response.len - 4;
		assert_memory_equal(reason - 6, "\0\0\0\x66\x04\x04", 6);
		assert_int_equal(reason[3], empty[i][1]);
	}
	assert_int_equal(b->sink->len, before);
	cu_bench_ready(b, 1, 1, 1);
	cu_bench_load(b, pattern, parts, 2, 1);
	for (i = 0; i < 2; i++)
		assert_true(
		    hsa_is_ok(hsa_verification_pattern(origin[i], parts[i])));
	query_block(&cmd, TKE_QUERY_NEXT_WK, CU_BENCH_DOMAIN);
	send_block(b, &r, cmd.p, cmd.len, NULL, 0);
	check_response(&r, 8, pattern, 32);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 1), 0);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1), 0);
	query_block(&cmd, TKE_QUERY_CURRENT_WK, CU_BENCH_DOMAIN);
	send_block(b, &r, cmd.p, cmd.len, NULL, 0);
	check_response(&r, 7, pattern, 32);
	query_block(&cmd, TKE_QUERY_WK_ORIGINS, CU_BENCH_DOMAIN);
	send_block(b, &r, cmd.p, cmd.len, NULL, 0);
	check_response(&r, 12, origin, 64);
	assert_int_equal(cu_bench_counter(b, "query.current-wk"), 2);
	reply_free(&r);
	hsa_buf_free(&cmd);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_block__what_is_no_block_is_refused_and_recorded(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_block_reply r = {0};
	struct hsa_buf cmd = {0};
	struct hsa_record rec = {0};
	uint8_t *big = calloc(1, TKE_TRANSPORT_MAX + 1);
	size_t i = 0;

	(void)state;
	assert_non_null(big);
	cu_bench_open(b);
	query_block(&cmd, TKE_QUERY_DOMAIN_ATTRIBUTES, CU_BENCH_DOMAIN);
	/* cut anywhere, and with a byte behind it */
	hsa_buf_u8(&cmd, 0);
	for (i = 0; i <= cmd.len; i++) {
		if (i == cmd.len - 1)
			continue;
		send_block(b, &r, cmd.p, i, NULL, 0);
		assert_int_equal(r.http_status, 400);
		assert_non_null(r.text);
		assert_int_equal(r.response.len, 0);
		b->commands++;
	}
	send_block(b, &r, big, TKE_TRANSPORT_MAX + 1, NULL, 0);
	assert_int_equal(r.http_status, 400);
	send_block(b, &r, cmd.p, cmd.len - 1, big, TKE_TRANSPORT_MAX + 1);
	assert_int_equal(r.http_status, 400);
	b->commands += 2;
	cu_bench_last(b, &rec);
	assert_string_equal(rec.special.name, "REQUEST_REFUSED");
	assert_int_equal(rec.ep11_rc, 7);
	hsa_record_free(&rec);
	cu_bench_check_log(b);
	reply_free(&r);
	hsa_buf_free(&cmd);
	free(big);
	cu_bench_free(b);
}

static void
test_cu_block__denied_and_halted_are_told_by_status(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_block_reply r = {0};
	struct hsa_buf query = {0}, payload = {0};
	struct tke_admin_request q = {0};
	const struct cu_order o = {.command = TKE_CMD_ZEROIZE};
	struct hsa_record rec = {0};
	size_t before = 0;

	(void)state;
	cu_bench_open(b);
	cu_bench_request(b, &payload, &o);
	assert_true(hsa_is_ok(
	    tke_admin_request_decode(&q, payload.p, payload.len, NULL)));
	query_block(&query, TKE_QUERY_DOMAIN_ATTRIBUTES, CU_BENCH_DOMAIN);
	b->caller.denied = 401;
	send_block(b, &r, q.block.p, q.block.n, NULL, 0);
	assert_int_equal(r.http_status, 401);
	cu_bench_last(b, &rec);
	assert_string_equal(
	    rec.event.action_name, "hs-crypto.tke-cryptounit.reset");
	assert_int_equal(rec.event.reason_code, 401);
	hsa_record_free(&rec);
	send_block(b, &r, query.p, query.len, NULL, 0);
	assert_int_equal(r.http_status, 401);
	assert_non_null(r.text);
	b->caller.denied = 0;
	before = b->sink->len;
	b->sink->fail_at = 1;
	send_block(b, &r, q.block.p, q.block.n, NULL, 0);
	assert_int_equal(r.http_status, 507);
	assert_int_equal(r.response.len, 0);
	send_block(b, &r, q.block.p, q.block.n, NULL, 0);
	assert_int_equal(r.http_status, 507);
	/* reading goes on */
	send_block(b, &r, query.p, query.len, NULL, 0);
	assert_int_equal(r.http_status, 200);
	assert_int_equal(b->sink->len, before);
	reply_free(&r);
	hsa_buf_free(&query);
	hsa_buf_free(&payload);
	cu_bench_free(b);
}

static void
check_unreadable(struct cu_bench *b, size_t i, int64_t requests)
{
	struct hsa_record r = {0};
	const struct hsa_data *d = &r.special.details;

	sink_mock_get(b->sink, &r, i);
	assert_string_equal(r.special.name, "REQUEST_REFUSED");
	assert_int_equal(r.ep11_rc, 7);
	assert_int_equal(hsa_data_find(d, "status")->integer, 400);
	assert_int_equal(hsa_data_find(d, "requests")->integer, requests);
	hsa_record_free(&r);
}

static void
test_cu_unit__bytes_that_are_no_request_leave_one_record_a_second(void **state)
{
	struct cu_bench *b = cu_bench_new();
	size_t n = 0, i = 0;

	(void)state;
	cu_bench_open(b);
	n = b->sink->len;
	cu_unit_unreadable(b->u, &b->caller, "no request");
	check_unreadable(b, n, 1);
	for (i = 0; i < 5; i++)
		cu_unit_unreadable(b->u, &b->caller, "no request");
	assert_int_equal(b->sink->len, n + 1);
	b->now_ns += 1000000000;
	cu_unit_unreadable(b->u, &b->caller, "no request");
	assert_int_equal(b->sink->len, n + 2);
	check_unreadable(b, n + 1, 6);
	for (i = 0; i < 3; i++)
		cu_unit_unreadable(b->u, &b->caller, "no request");
	assert_int_equal(b->sink->len, n + 2);
	b->commands += 2;
	cu_bench_check_log(b);
	/* none is forgotten by a unit that stops */
	cu_bench_close(b);
	assert_int_equal(b->sink->len, n + 4);
	check_unreadable(b, n + 2, 3);
	cu_bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cu_block__queries_are_answered_in_the_modules_layout),
	    cmocka_unit_test(
		test_cu_block__what_is_no_block_is_refused_and_recorded),
	    cmocka_unit_test(
		test_cu_block__denied_and_halted_are_told_by_status),
	    cmocka_unit_test(
		test_cu_unit__bytes_that_are_no_request_leave_one_record_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
