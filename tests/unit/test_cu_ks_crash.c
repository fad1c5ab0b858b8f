/*
 * Keystore operations that are stopped at every write of the state, and whose
 * log fails. Afterwards either the whole operation happened and its event is
 * in the log once, or nothing of it happened and there is no event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper_ks.h"
#include "hsa_hash.h"

#define KEYS 5

static struct cu_bench *scene;
static uint8_t store_id[16], key_id[KEYS][16];

static int
build(void **state)
{
	struct cu_bench *b = cu_bench_new();

	(void)state;
	scene = b;
	cu_bench_open(b);
	ks_create(b, store_id, "keys");
	for (uint32_t i = 0; i < KEYS; i++)
		ks_store(b, key_id[i], store_id, "k", i);
	cu_bench_check_log(b);
	cu_bench_save(b);
	return 0;
}

static int
strike(void **state)
{
	(void)state;
	cu_bench_free(scene);
	return 0;
}

static struct hsa_ks_request
request(enum hsa_ks_op op)
{
	static const uint8_t wanted[1][16] = {{1}};
	static uint8_t blob[KS_BLOB_LEN];
	struct hsa_ks_request q = {.op = op};

	ks_blob(blob, 99);
	if (op == HSA_KS_CREATE_KEYSTORE)
		q.name = "new";
	else if (op != HSA_KS_KEYSTORES_BY_IDS &&
		 op != HSA_KS_KEYSTORES_BY_ATTRIBUTES)
		memcpy(q.keystore_id, store_id, 16);
	if (op == HSA_KS_STORE_KEY || op == HSA_KS_UPDATE_KEY) {
		q.name = "changed";
		q.blob = (struct hsa_slice){blob, sizeof(blob)};
	}
	if (op == HSA_KS_UPDATE_KEY || op == HSA_KS_DELETE_KEY)
		memcpy(q.key_id, key_id[2], 16);
	if (op == HSA_KS_UPDATE_KEY)
		q.version = 1;
	q.force = op == HSA_KS_DELETE_KEYSTORE;
	if (op == HSA_KS_KEYSTORES_BY_IDS || op == HSA_KS_KEYS_BY_IDS) {
		q.wanted = wanted;
		q.wanted_len = 1;
	}
	return q;
}

/* A digest of all that lists show, but for what is new in every run. */
static void
look(struct cu_bench *b, uint8_t out[32])
{
	struct hsa_ks_request q = {.op = HSA_KS_KEYSTORES_BY_ATTRIBUTES};
	struct hsa_ks_request k = {.op = HSA_KS_KEYS_BY_ATTRIBUTES};
	struct hsa_ks_reply r = {0}, keys = {0};
	struct hsa_buf all = {0};

	k.blobs = true;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	for (size_t i = 0; i < r.store_len; i++) {
		hsa_buf_printf(&all, "%s %u ", r.store[i].name,
		    (unsigned int)r.store[i].keys);
		memcpy(k.keystore_id, r.store[i].id, 16);
		assert_int_equal(ks_do(b, &keys, &k), HSA_KS_OK);
		assert_int_equal(keys.key_len, r.store[i].keys);
		for (size_t j = 0; j < keys.key_len; j++) {
			hsa_buf_printf(&all, "%s %u ", keys.key[j].label,
			    (unsigned int)keys.key[j].version);
			hsa_buf_put(
			    &all, keys.key[j].blob.p, keys.key[j].blob.n);
			for (size_t a = 0; a < keys.key[j].attr_len; a++)
				hsa_buf_put(&all, keys.key[j].attr[a].p,
				    keys.key[j].attr[a].n);
		}
		hsa_ks_reply_free(&keys);
	}
	hsa_ks_reply_free(&r);
	assert_true(hsa_is_ok(hsa_sha256(out, all.p, all.len)));
	hsa_buf_free(&all);
}

/* What stands before and after each operation, undisturbed. */
static void
expectations(uint8_t before[32], uint8_t after[32], enum hsa_ks_op op)
{
	struct hsa_ks_request q = request(op);
	struct hsa_ks_reply r = {0};

	cu_bench_restore(scene);
	look(scene, before);
	assert_int_equal(ks_do(scene, &r, &q), HSA_KS_OK);
	hsa_ks_reply_free(&r);
	look(scene, after);
	assert_true((memcmp(before, after, 32) != 0) == hsa_ks_op(op)->change);
}

/* Events of this request in the log: each has its own correlation id. */
static size_t
events_of(struct cu_bench *b, const struct hsa_ks_request *q)
{
	char id[HSA_UUID_TEXT];
	size_t n = 0;

	hsa_uuid_text(id, q->id);
	for (size_t i = 0; i < b->sink->len; i++) {
		struct hsa_record r = {0};

		sink_mock_get(b->sink, &r, i);
		n += r.body == HSA_BODY_EVENT &&
		     r.event.correlation_id != NULL &&
		     strcmp(r.event.correlation_id, id) == 0;
		hsa_record_free(&r);
	}
	return n;
}

/* Restart after a failure; returns how often the event is there. */
static size_t
check_after(const char *what, const struct hsa_ks_request *q,
    const uint8_t before[32], const uint8_t after[32])
{
	struct hsa_ks_reply r = {0};
	struct hsa_ks_request next = {
	    .op = HSA_KS_CREATE_KEYSTORE, .name = "works on"};
	uint8_t now[32];
	size_t n = 0;

	cu_bench_kill(scene);
	cu_vfs_fail_at(0);
	cu_bench_open(scene);
	n = events_of(scene, q);
	look(scene, now);
	if (n > 1 || memcmp(now, n == 0 ? before : after, 32) != 0)
		fail_msg("%s: %zu events, state %s", what, n,
		    memcmp(now, before, 32) == 0  ? "before"
		    : memcmp(now, after, 32) == 0 ? "after"
						  : "neither");
	assert_int_equal(ks_do(scene, &r, &next), HSA_KS_OK);
	hsa_ks_reply_free(&r);
	cu_bench_check_log(scene);
	return n;
}

static void
test_cu_ks_crash__power_cut_at_every_write(void **state)
{
	uint8_t before[32], after[32];
	size_t stopped = 0, kept = 0;

	(void)state;
	for (uint32_t op = 1; op <= HSA_KS_OPS; op++) {
		const char *name = hsa_ks_op(op)->name;
		bool done = false;

		expectations(before, after, (enum hsa_ks_op)op);
		for (unsigned int at = 1; !done; at++) {
			struct hsa_ks_request q = request((enum hsa_ks_op)op);
			struct hsa_ks_reply r = {0};
			uint32_t rv = 0;
			size_t n = 0;

			cu_bench_restore(scene);
			scene->any_records = true;
			cu_vfs_fail_at(at);
			rv = ks_do(scene, &r, &q);
			done = cu_vfs_calls() < at;
			assert_int_equal(
			    rv, done ? HSA_KS_OK : HSA_KS_DATABASE);
			assert_true(done || r.store_len + r.key_len == 0);
			hsa_ks_reply_free(&r);
			n = check_after(name, &q, before, after);
			assert_true(!done || n == 1);
			stopped += !done;
			kept += !done && n == 1;
			scene->any_records = false;
		}
	}
	assert_true(stopped > 30);
	printf("COUNT power cuts: %zu, of which the change stood: %zu\n",
	    stopped, kept);
}

static void
test_cu_ks_crash__a_log_that_fails_halts_and_loses_nothing(void **state)
{
	uint8_t before[32], after[32];

	(void)state;
	for (uint32_t op = 1; op <= HSA_KS_OPS; op++)
		for (int how = SINK_MOCK_LOST; how <= SINK_MOCK_WRITTEN;
		     how++) {
			struct hsa_ks_request q = request((enum hsa_ks_op)op);
			struct hsa_ks_reply r = {0};

			expectations(before, after, (enum hsa_ks_op)op);
			cu_bench_restore(scene);
			scene->any_records = true;
			scene->sink->failure = (enum sink_mock_failure)how;
			scene->sink->fail_at = 1;
			assert_int_equal(ks_do(scene, &r, &q), HSA_KS_DATABASE);
			assert_non_null(strstr(r.text, "audit log"));
			hsa_ks_reply_free(&r);
			/* committed with its record: it is there, once */
			assert_int_equal(
			    check_after(hsa_ks_op(op)->name, &q, before, after),
			    1);
			scene->any_records = false;
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cu_ks_crash__power_cut_at_every_write),
	    cmocka_unit_test(
		test_cu_ks_crash__a_log_that_fails_halts_and_loses_nothing),
	};

	cu_vfs_install();
	return cmocka_run_group_tests(tests, build, strike);
}
