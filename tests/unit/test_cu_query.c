#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "helper_cu.h"

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
ask(struct cu_bench *b, struct cu_answer *a, uint32_t id, const void *in,
    size_t n)
{
	cu_answer_free(a);
	cu_bench_query(b, a, id, in, n);
	assert_int_equal(a->http, 200);
	assert_int_equal(a->envelope_rc, 0);
	assert_int_equal(a->command, id);
	return CU_CODE(a->rc, a->reason);
}

static void
test_cu_unit__administrators_are_listed_with_their_certificates(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_answer a = {0};
	size_t i = 0;

	(void)state;
	cu_bench_open(b);
	assert_int_equal(ask(b, &a, TKE_QUERY_DOMAIN_ADMINS, NULL, 0), 0);
	assert_int_equal(a.output.len, 0);
	assert_int_equal(cu_bench_add(b, 2, 0), 0);
	assert_int_equal(cu_bench_add(b, 0, 0), 0);
	assert_int_equal(cu_bench_add(b, CU_BENCH_RSA, 0), 0);
	assert_int_equal(ask(b, &a, TKE_QUERY_DOMAIN_ADMINS, NULL, 0), 0);
	assert_int_equal(a.output.len, 96);
	assert_memory_equal(a.output.p, b->ski[2], 32);
	assert_memory_equal(a.output.p + 32, b->ski[0], 32);
	assert_memory_equal(a.output.p + 64, b->ski[CU_BENCH_RSA], 32);
	for (i = 0; i < CU_BENCH_ADMINS; i++) {
		bool in = i == 0 || i == 2 || i == CU_BENCH_RSA;

		assert_int_equal(
		    ask(b, &a, TKE_QUERY_DOMAIN_ADMINS, b->ski[i], 32),
		    in ? 0 : CU_CODE(32, 33));
		if (!in)
			continue;
		assert_int_equal(a.output.len, b->cert[i].len);
		assert_memory_equal(a.output.p, b->cert[i].p, b->cert[i].len);
	}
	assert_int_equal(ask(b, &a, TKE_QUERY_DOMAIN_ADMINS, b->ski[0], 31),
	    CU_CODE(32, 32));
	cu_answer_free(&a);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__certificate_chain_is_read_until_it_ends(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_answer a = {0};
	uint8_t in[4] = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(ask(b, &a, TKE_QUERY_DEVICE_CERT, NULL, 0), 0);
	assert_int_equal(a.output.len, 4);
	assert_int_equal(be32(a.output.p), 2);
	for (in[3] = 0; in[3] < 2; in[3]++) {
		assert_int_equal(ask(b, &a, TKE_QUERY_DEVICE_CERT, in, 4), 0);
		assert_int_equal(a.output.len, TKE_OA_CERT_LEN);
		assert_memory_equal(a.output.p, b->oa[in[3]], TKE_OA_CERT_LEN);
	}
	assert_int_equal(
	    ask(b, &a, TKE_QUERY_DEVICE_CERT, in, 4), CU_CODE(96, 60));
	in[0] = 0xff;
	assert_int_equal(
	    ask(b, &a, TKE_QUERY_DEVICE_CERT, in, 4), CU_CODE(96, 60));
	assert_int_equal(
	    ask(b, &a, TKE_QUERY_DEVICE_CERT, in, 3), CU_CODE(33, 59));
	cu_answer_free(&a);
	cu_bench_free(b);
}

static void
test_cu_unit__other_queries_answer_or_are_refused_without_record(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_answer a = {0};
	struct hsa_buf payload = {0}, block = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(
	    ask(b, &a, TKE_QUERY_DOMAIN_CONTROL_POINTS, NULL, 0), 0);
	assert_int_equal(a.output.len, 16);
	assert_int_equal(ask(b, &a, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0), 0);
	assert_int_equal(a.output.len, 40);
	assert_int_equal(be32(a.output.p + 16), 3);
	assert_int_equal(be32(a.output.p + 20), TKE_PERM_DEFAULT);
	assert_int_equal(
	    ask(b, &a, TKE_QUERY_DOMAIN_ATTRIBUTES, "x", 1), CU_CODE(33, 0));
	assert_int_equal(ask(b, &a, 0x10010, NULL, 0), CU_CODE(84, 11));
	assert_int_equal(ask(b, &a, 0x1ffff, NULL, 0), CU_CODE(84, 11));
	assert_int_equal(cu_bench_counter(b, "query.unknown"), 2);
	assert_int_equal(cu_bench_counter(b, "query.domain-attributes"), 2);
	assert_int_equal(cu_bench_counter(b, "query.domain-control-points"), 1);
	/* the outer domain of a query is checked, its block's is not */
	assert_true(hsa_is_ok(
	    tke_admin_block_encode(&block, TKE_QUERY_DOMAIN_ATTRIBUTES,
		(struct tke_slice){0}, (struct tke_slice){0},
		(struct tke_slice){0}, (struct tke_slice){0})));
	assert_true(hsa_is_ok(tke_admin_request_encode(&payload,
	    CU_BENCH_DOMAIN + 1, (struct tke_slice){block.p, block.len},
	    (struct tke_slice){0})));
	cu_answer_free(&a);
	cu_bench_payload(b, &a, &payload);
	assert_int_equal(CU_CODE(a.rc, a.reason), CU_CODE(3, 12));
	hsa_buf_free(&payload);
	hsa_buf_free(&block);
	cu_answer_free(&a);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
info(struct cu_bench *b, struct cu_answer *a, uint32_t domain, uint32_t subtype)
{
	const struct tke_info_request q = {domain, subtype};
	struct hsa_buf payload = {0};

	cu_answer_free(a);
	assert_true(hsa_is_ok(tke_info_request_encode(&payload, &q)));
	cu_bench_payload(b, a, &payload);
	assert_int_equal(a->http, 200);
	hsa_buf_free(&payload);
}

static void
test_cu_unit__domain_information_follows_the_registers(void **state)
{
	static const uint8_t part[1][32] = {{7}};
	struct cu_bench *b = cu_bench_new();
	struct cu_answer a = {0};
	uint8_t pattern[32], zeros[32] = {0};

	(void)state;
	cu_bench_open(b);
	info(b, &a, CU_BENCH_DOMAIN, 3);
	assert_int_equal(a.output.len, 80);
	assert_int_equal(be32(a.output.p), CU_BENCH_DOMAIN);
	assert_int_equal(a.output.p[71], 0x00);
	cu_bench_ready(b, 1, 1, 1);
	info(b, &a, CU_BENCH_DOMAIN, 3);
	assert_int_equal(a.output.p[71], 0x11);
	cu_bench_load(b, pattern, part, 1, 1);
	info(b, &a, CU_BENCH_DOMAIN, 3);
	assert_int_equal(a.output.p[71], 0x15);
	assert_memory_equal(a.output.p + 4, zeros, 32);
	assert_memory_equal(a.output.p + 36, pattern, 32);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 1), 0);
	info(b, &a, CU_BENCH_DOMAIN, 3);
	assert_int_equal(a.output.p[71], 0x1d);
	assert_memory_equal(a.output.p + 36, pattern, 32);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1), 0);
	info(b, &a, CU_BENCH_DOMAIN, 3);
	assert_int_equal(a.output.p[71], 0x13);
	assert_memory_equal(a.output.p + 4, pattern, 32);
	assert_memory_equal(a.output.p + 36, zeros, 32);
	info(b, &a, CU_BENCH_DOMAIN + 1, 3);
	assert_int_equal(a.rc, 3);
	info(b, &a, CU_BENCH_DOMAIN, 8);
	assert_int_equal(a.rc, 84);
	assert_int_equal(cu_bench_counter(b, "query.domain-info"), 6);
	cu_answer_free(&a);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_cu_unit__module_information_names_the_module(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct cu_answer a = {0}, ids = {0};

	(void)state;
	cu_bench_open(b);
	cu_bench_query(b, &ids, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	info(b, &a, CU_BENCH_DOMAIN, 1);
	assert_true(a.output.len >= 196);
	assert_memory_equal(a.output.p + 108, "SIM00001", 8);
	assert_memory_equal(a.output.p + 108, ids.module, 16);
	/* 2025-11-22 10:42, as the bench's clock has it */
	assert_memory_equal(a.output.p + 124, "202511221042", 12);
	cu_answer_free(&a);
	cu_answer_free(&ids);
	cu_bench_free(b);
}

/* ---- several callers ----------------------------------------------------- */

struct crowd {
	struct cu_bench *b;
	struct hsa_buf transport; /* one signed command, the same for all */
	unsigned int done, stale;
	pthread_mutex_t lock;
};

static void *
member(void *arg)
{
	struct crowd *c = arg;
	struct cu_answer a = {0}, q = {0};
	unsigned int i = 0;

	for (i = 0; i < 8; i++) {
		cu_bench_send(
		    c->b, &a, (const char *)c->transport.p, c->transport.len);
		(void)pthread_mutex_lock(&c->lock);
		c->done += a.rc == 0;
		c->stale += a.rc == 163;
		(void)pthread_mutex_unlock(&c->lock);
		cu_answer_free(&a);
		info(c->b, &q, CU_BENCH_DOMAIN, 3);
		cu_answer_free(&q);
	}
	return NULL;
}

static void
test_cu_unit__of_many_at_once_one_command_wins(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct crowd c = {.b = b};
	const struct cu_order o = {
	    .command = TKE_CMD_WK_CLEAR_PENDING,
	    .signers = 1,
	};
	struct hsa_buf payload = {0};
	pthread_t t[8];
	size_t i = 0;

	(void)state;
	b->clock = cu_clock_system;
	cu_bench_open(b);
	cu_bench_ready(b, 1, 1, 1);
	cu_bench_request(b, &payload, &o);
	assert_true(hsa_is_ok(tke_request_encode(&c.transport, CU_BENCH_MODULE,
	    CU_BENCH_DOMAIN, payload.p, payload.len)));
	assert_int_equal(pthread_mutex_init(&c.lock, NULL), 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&t[i], NULL, member, &c), 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.stale, 63);
	b->commands += 64;
	cu_bench_check_log(b);
	(void)pthread_mutex_destroy(&c.lock);
	hsa_buf_free(&payload);
	hsa_buf_free(&c.transport);
	cu_bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cu_unit__administrators_are_listed_with_their_certificates),
	    cmocka_unit_test(
		test_cu_unit__certificate_chain_is_read_until_it_ends),
	    cmocka_unit_test(
		test_cu_unit__other_queries_answer_or_are_refused_without_record),
	    cmocka_unit_test(
		test_cu_unit__domain_information_follows_the_registers),
	    cmocka_unit_test(test_cu_unit__module_information_names_the_module),
	    cmocka_unit_test(test_cu_unit__of_many_at_once_one_command_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
