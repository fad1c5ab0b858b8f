/*
 * A keystore of 50,000 keys: what a lookup costs does not depend on how many
 * there are. Cost is what SQLite's virtual machine counts, not time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cu_core.h"
#include "cu_sql.h"
#include "ep11_pkcs11.h"
#include "helper_ks.h"

#define KEYS 50000u
#define FEW 100u

static struct cu_bench *bench;
static uint8_t store_id[16], small_id[16], key_id[KEYS][16], small_key[16];

/* One key through the unit. All have one attribute alike, so that a search by
 * it alone would be long. */
static void
put(struct cu_bench *b, uint8_t id[16], const uint8_t store[16], uint32_t i)
{
	const uint8_t shared = 4, rare = i % 10000 == 0;
	const uint8_t first = i < KEYS / 2, last = !first;
	const struct hsa_attr a[] = {
	    {.type = 0x80050003, .p = &first, .n = 1},
	    {.type = 0x80050004, .p = &last, .n = 1},
	    {.type = 0x80050001, .p = &shared, .n = 1},
	    {.type = 0x80050002, .p = &rare, .n = 1},
	    {.type = CKA_ID, .p = (const uint8_t *)&i, .n = sizeof(i)},
	};
	struct hsa_ks_request q = {.op = HSA_KS_STORE_KEY, .name = "key"};
	struct hsa_ks_reply r = {0};
	uint8_t blob[KS_BLOB_LEN];

	ks_blob(blob, i);
	memcpy(q.keystore_id, store, 16);
	q.blob = (struct hsa_slice){blob, sizeof(blob)};
	q.attr = a;
	q.attr_len = 5;
	if (ks_do(b, &r, &q) != HSA_KS_OK)
		fail_msg("%s", r.text);
	memcpy(id, r.key[0].id, 16);
	hsa_ks_reply_free(&r);
}

/* VM steps of the keystore's statements since the last time. */
static int
steps(struct cu_bench *b)
{
	int n = 0;

	for (int i = 0; i < CU_KS_SQL_COUNT; i++)
		n += sqlite3_stmt_status(
		    b->u->store->ks[i], SQLITE_STMTSTATUS_VM_STEP, 1);
	return n;
}

static int
scans(struct cu_bench *b)
{
	int n = 0;

	for (int i = 0; i < CU_KS_SQL_COUNT; i++)
		n += sqlite3_stmt_status(b->u->store->ks[i],
			 SQLITE_STMTSTATUS_FULLSCAN_STEP, 1) +
		     sqlite3_stmt_status(
			 b->u->store->ks[i], SQLITE_STMTSTATUS_SORT, 1);
	return n;
}

static int
cost(struct cu_bench *b, struct hsa_ks_request *q, size_t want)
{
	struct hsa_ks_reply r = {0};

	(void)steps(b);
	memset(q->id, 0, 16);
	memset(q->tx_id, 0, 16);
	if (ks_do(b, &r, q) != HSA_KS_OK)
		fail_msg("%s", r.text);
	assert_int_equal(r.key_len, want);
	hsa_ks_reply_free(&r);
	return steps(b);
}

static int
cost_by_id(struct cu_bench *b, const uint8_t store[16], const uint8_t id[16])
{
	struct hsa_ks_request q = {.op = HSA_KS_KEYS_BY_IDS, .blobs = true};
	uint8_t wanted[1][16];

	memcpy(wanted[0], id, 16);
	memcpy(q.keystore_id, store, 16);
	q.wanted = (const uint8_t(*)[16])wanted;
	q.wanted_len = 1;
	return cost(b, &q, 1);
}

static int
cost_by_attribute(struct cu_bench *b, const uint8_t store[16], uint32_t i)
{
	const uint8_t shared = 4;
	const struct hsa_attr a[] = {
	    {.type = 0x80050001, .p = &shared, .n = 1},
	    {.type = CKA_ID, .p = (const uint8_t *)&i, .n = sizeof(i)},
	};
	struct hsa_ks_request q = {.op = HSA_KS_KEYS_BY_ATTRIBUTES};

	memcpy(q.keystore_id, store, 16);
	q.attr = a;
	q.attr_len = 2;
	return cost(b, &q, 1);
}

static int
build(void **state)
{
	struct cu_bench *b = cu_bench_new();

	(void)state;
	bench = b;
	cu_bench_open(b);
	ks_create(b, small_id, "small");
	ks_create(b, store_id, "large");
	put(b, small_key, small_id, 0);
	for (uint32_t i = 0; i < FEW; i++)
		put(b, key_id[i], store_id, i);
	return 0;
}

static int
strike(void **state)
{
	(void)state;
	cu_bench_free(bench);
	return 0;
}

static void
test_cu_ks_scale__a_lookup_costs_the_same_in_50000_keys(void **state)
{
	struct cu_bench *b = bench;
	const int one_id = cost_by_id(b, small_id, small_key);
	const int few_id = cost_by_id(b, store_id, key_id[50]);
	const int few_attr = cost_by_attribute(b, store_id, 50);
	int many_id = 0, many_attr = 0;

	(void)state;
	(void)scans(b);
	for (uint32_t i = FEW; i < KEYS; i++)
		put(b, key_id[i], store_id, i);
	for (uint32_t i = 0; i < KEYS; i += 4999) {
		many_id = cost_by_id(b, store_id, key_id[i]);
		many_attr = cost_by_attribute(b, store_id, i);
		assert_int_equal(many_id, few_id);
		assert_int_equal(many_attr, few_attr);
	}
	assert_int_equal(few_id, one_id);
	assert_int_equal(cost_by_id(b, small_id, small_key), one_id);
	/* nothing of all this, storing included, read a table through */
	assert_int_equal(scans(b), 0);
	printf("COUNT VM steps of a list by id: %d in a keystore of 1 key, %d "
	       "of %u, %d of %u\n",
	    one_id, few_id, FEW, many_id, KEYS);
	printf("COUNT VM steps of a list by 2 attributes: %d of %u, %d of %u\n",
	    few_attr, FEW, many_attr, KEYS);
}

static void
test_cu_ks_scale__every_lookup_goes_by_an_index(void **state)
{
	/* statements that may read a table through: none */
	struct cu_store *s = bench->u->store;
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < CU_KS_SQL_COUNT; i++) {
		struct hsa_buf text = {0};
		sqlite3_stmt *q = NULL;

		hsa_buf_printf(
		    &text, "EXPLAIN QUERY PLAN %s", sqlite3_sql(s->ks[i]));
		assert_int_equal(sqlite3_prepare_v2(
				     s->db, hsa_buf_cstr(&text), -1, &q, NULL),
		    SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW) {
			const char *plan =
			    (const char *)sqlite3_column_text(q, 3);

			/* count(*) reads its own bounded subquery */
			if (strncmp(plan, "SCAN ", 5) == 0 &&
			    strstr(plan, "subquery") == NULL)
				fail_msg("%s: %s", sqlite3_sql(s->ks[i]), plan);
			assert_null(strstr(plan, "TEMP B-TREE"));
			if (i == CU_KS_ATTR_WALK)
				assert_non_null(strstr(plan,
				    "ks_attr_find (scope=? AND type=? AND "
				    "hash=? AND owner>?)"));
			seen++;
		}
		(void)sqlite3_finalize(q);
		hsa_buf_free(&text);
	}
	assert_true(seen > 15);
}

/* Pages look at so many keys and no more, and then come back with a token. */
static void
test_cu_ks_scale__a_search_that_finds_little_ends_its_pages_early(void **state)
{
	const uint8_t shared = 4, rare = 1, never = 9;
	struct hsa_attr a[] = {
	    {.type = 0x80050001, .p = &shared, .n = 1},
	    {.type = 0x3, .p = (const uint8_t *)"key", .n = 3},
	    {.type = 0x80050002, .p = &rare, .n = 1},
	};
	struct hsa_ks_request q = {.op = HSA_KS_KEYS_BY_ATTRIBUTES};
	struct hsa_ks_reply r = {0};
	uint8_t token[HSA_KS_TOKEN_MAX];
	size_t pages = 0, found = 0;

	(void)state;
	memcpy(q.keystore_id, store_id, 16);
	q.attr = a;
	q.attr_len = 3;
	/* the rare one leads: one page */
	assert_int_equal(ks_do(bench, &r, &q), HSA_KS_OK);
	assert_int_equal(r.key_len, KEYS / 10000);
	assert_int_equal(r.next.n, 0);
	hsa_ks_reply_free(&r);
	/* nothing is rare among the first two; the third no key has */
	a[2] = (struct hsa_attr){.type = 0x80050002, .p = &never, .n = 1};
	memset(q.id, 0, 16);
	assert_int_equal(ks_do(bench, &r, &q), HSA_KS_OK);
	assert_int_equal(r.key_len, 0);
	assert_int_equal(r.next.n, 0);
	hsa_ks_reply_free(&r);
	/* zeros of the third: nearly all keys, and both others too */
	a[2] = (struct hsa_attr){
	    .type = 0x80050002, .p = (const uint8_t *)"", .n = 1};
	q.limit = 1000;
	do {
		memset(q.id, 0, 16);
		assert_int_equal(ks_do(bench, &r, &q), HSA_KS_OK);
		found += r.key_len;
		pages++;
		if (r.next.n != 0)
			memcpy(token, r.next.p, r.next.n);
		q.token = (struct hsa_slice){token, r.next.n};
		hsa_ks_reply_free(&r);
	} while (q.token.n != 0);
	assert_int_equal(found, KEYS - KEYS / 10000);
	assert_int_equal(pages, (found + 999) / 1000);
	/* half of the keys have the one, half the other, none has both */
	a[0] = (struct hsa_attr){.type = 0x80050003, .p = &rare, .n = 1};
	a[1] = (struct hsa_attr){.type = 0x80050004, .p = &rare, .n = 1};
	q.attr_len = 2;
	pages = 0;
	do {
		memset(q.id, 0, 16);
		assert_int_equal(ks_do(bench, &r, &q), HSA_KS_OK);
		assert_int_equal(r.key_len, 0);
		pages++;
		if (r.next.n != 0)
			memcpy(token, r.next.p, r.next.n);
		q.token = (struct hsa_slice){token, r.next.n};
		hsa_ks_reply_free(&r);
	} while (q.token.n != 0);
	assert_int_equal(pages, 4); /* 25,000 keys, 8,192 in each page */
}

static void
test_cu_ks_scale__all_go_at_once(void **state)
{
	struct hsa_ks_request q = {.op = HSA_KS_DELETE_KEYSTORE, .force = true};
	struct hsa_ks_reply r = {0};
	sqlite3_stmt *n = NULL;

	(void)state;
	memcpy(q.keystore_id, store_id, 16);
	assert_int_equal(ks_do(bench, &r, &q), HSA_KS_OK);
	assert_int_equal(r.store[0].keys, KEYS);
	hsa_ks_reply_free(&r);
	assert_int_equal(sqlite3_prepare_v2(bench->u->store->db,
			     "SELECT (SELECT count(*) FROM ks_key),"
			     " (SELECT count(DISTINCT scope) FROM ks_attr),"
			     " (SELECT count(*) FROM ks_store)",
			     -1, &n, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(n), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(n, 0), 1);
	assert_int_equal(sqlite3_column_int(n, 1), 2); /* stores, small */
	assert_int_equal(sqlite3_column_int(n, 2), 1);
	(void)sqlite3_finalize(n);
	cu_bench_check_log(bench);
}

static void
test_cu_ks_scale__so_many_txids_are_remembered_and_no_more(void **state)
{
	struct hsa_ks_request q = {.op = HSA_KS_CREATE_KEYSTORE, .name = "x"};
	struct hsa_ks_reply r = {0};
	sqlite3 *db = bench->u->store->db;
	sqlite3_stmt *n = NULL;

	(void)state;
	assert_int_equal(
	    sqlite3_exec(db,
		"WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
		"FROM i WHERE n < 70000) INSERT INTO ks_tx "
		"SELECT NULL, randomblob(16) FROM i",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(ks_do(bench, &r, &q), HSA_KS_OK);
	hsa_ks_reply_free(&r);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "SELECT count(*) FROM ks_tx", -1, &n, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(n), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(n, 0), CU_KS_TX_KEPT);
	(void)sqlite3_finalize(n);
	assert_int_equal(ks_do(bench, &r, &q), HSA_KS_REPLAY);
	hsa_ks_reply_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cu_ks_scale__a_lookup_costs_the_same_in_50000_keys),
	    cmocka_unit_test(test_cu_ks_scale__every_lookup_goes_by_an_index),
	    cmocka_unit_test(
		test_cu_ks_scale__a_search_that_finds_little_ends_its_pages_early),
	    cmocka_unit_test(test_cu_ks_scale__all_go_at_once),
	    cmocka_unit_test(
		test_cu_ks_scale__so_many_txids_are_remembered_and_no_more),
	};

	return cmocka_run_group_tests(tests, build, strike);
}
