#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "hsa_codec.h"
#include "hsa_unit.h"

static const uint8_t wanted[2][HSA_UUID_LEN] = {{1, 2, 3}, {4, 5, 6}};
static const struct hsa_attr attrs[] = {
    {.type = 0x108, .p = (const uint8_t *)"\x01", .n = 1},
    {.type = 0x80040002, .p = (const uint8_t *)"0123456789abcdef", .n = 16},
    {.type = 0x102, .p = NULL, .n = 0},
};

/* Every member set, whatever the operation would say to it. */
static void
full_request(struct hsa_unit_request *q)
{
	struct hsa_event ev = {0};
	struct hsa_ks_request *k = &q->keystore;

	*q = (struct hsa_unit_request){.kind = HSA_UNIT_KEYSTORE};
	hp_event(&ev, HSA_ACTION_TKE_RESET, 200);
	assert_ok(hsa_initiator_copy(&q->caller.initiator, &ev.initiator));
	hsa_event_free(&ev);
	memset(q->caller.command_id, 0x5c, HSA_UUID_LEN);
	k->op = HSA_KS_UPDATE_KEY;
	memset(k->id, 0x11, sizeof(k->id));
	memset(k->tx_id, 0x12, sizeof(k->tx_id));
	memset(k->keystore_id, 0x13, sizeof(k->keystore_id));
	memset(k->key_id, 0x14, sizeof(k->key_id));
	k->name = "Schl\xc3\xbcssel; DROP TABLE ks_key --";
	k->attr = attrs;
	k->attr_len = 3;
	k->blob = (struct hsa_slice){(const uint8_t *)"blob\0blob", 9};
	k->version = UINT64_MAX;
	k->force = true;
	k->blobs = true;
	k->wanted = wanted;
	k->wanted_len = 2;
	k->limit = 7;
	k->token = (struct hsa_slice){(const uint8_t *)"token", 5};
}

static void
expect_attrs(
    const struct hsa_attr *a, size_t an, const struct hsa_attr *b, size_t bn)
{
	assert_int_equal(an, bn);
	for (size_t i = 0; i < an; i++) {
		assert_int_equal(a[i].type, b[i].type);
		assert_int_equal(a[i].n, b[i].n);
		if (a[i].n != 0)
			assert_memory_equal(a[i].p, b[i].p, a[i].n);
	}
}

static void
test_hsa_ks__a_request_comes_back(void **state)
{
	struct hsa_unit_request q = {0}, got = {0};
	const struct hsa_ks_request *k = &q.keystore, *g = &got.keystore;
	struct hsa_buf b = {0}, again = {0};
	size_t used = 0;

	(void)state;
	full_request(&q);
	assert_ok(hsa_unit_request_encode(&b, &q));
	for (size_t n = 0; n < b.len; n++)
		assert_rc("E_TRUNCATED",
		    hsa_unit_request_decode(&got, &used, b.p, n));
	assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
	assert_int_equal(used, b.len);
	assert_int_equal(got.kind, HSA_UNIT_KEYSTORE);
	assert_string_equal(got.caller.initiator.name, q.caller.initiator.name);
	assert_int_equal(g->op, k->op);
	assert_memory_equal(g->id, k->id, 16);
	assert_memory_equal(g->tx_id, k->tx_id, 16);
	assert_memory_equal(g->keystore_id, k->keystore_id, 16);
	assert_memory_equal(g->key_id, k->key_id, 16);
	assert_string_equal(g->name, k->name);
	expect_attrs(g->attr, g->attr_len, k->attr, k->attr_len);
	assert_int_equal(g->blob.n, 9);
	assert_memory_equal(g->blob.p, k->blob.p, 9);
	assert_int_equal(g->version, UINT64_MAX);
	assert_true(g->force && g->blobs);
	assert_int_equal(g->wanted_len, 2);
	assert_memory_equal(g->wanted, wanted, sizeof(wanted));
	assert_int_equal(g->limit, 7);
	assert_int_equal(g->token.n, 5);
	assert_memory_equal(g->token.p, "token", 5);
	assert_ok(hsa_unit_request_encode(&again, &got));
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	hsa_unit_request_free(&got);
	hsa_unit_request_free(&got);
	hsa_unit_request_free(&q);
	hsa_buf_free(&b);
	hsa_buf_free(&again);
}

static void
test_hsa_ks__what_a_request_leaves_out_stays_out(void **state)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_KEYSTORE}, got = {0};
	struct hsa_buf b = {0};
	const struct hsa_ks_request *g = &got.keystore;
	static const uint8_t none[16];
	size_t used = 0;

	(void)state;
	for (uint32_t op = 1; op <= HSA_KS_OPS; op++) {
		hsa_buf_reset(&b);
		q.keystore.op = (enum hsa_ks_op)op;
		assert_ok(hsa_unit_request_encode(&b, &q));
		assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
		assert_int_equal(g->op, op);
		assert_memory_equal(g->tx_id, none, 16);
		assert_memory_equal(g->keystore_id, none, 16);
		assert_memory_equal(g->key_id, none, 16);
		assert_null(g->name);
		assert_int_equal(g->attr_len, 0);
		assert_int_equal(g->blob.n, 0);
		assert_int_equal(g->version, 0);
		assert_false(g->force || g->blobs);
		assert_int_equal(g->wanted_len, 0);
		assert_int_equal(g->token.n, 0);
		hsa_unit_request_free(&got);
	}
	hsa_buf_free(&b);
}

static void
test_hsa_ks__wrong_requests_are_refused(void **state)
{
	static struct hsa_attr many[HSA_KS_ATTRS_MAX + 1];
	static uint8_t ids[HSA_KS_IDS_MAX + 1][HSA_UUID_LEN];
	struct hsa_unit_request q = {.kind = HSA_UNIT_KEYSTORE}, got = {0};
	struct hsa_ks_request *k = &q.keystore;
	struct hsa_buf b = {0};
	size_t used = 0, at = 0;

	(void)state;
	assert_rc("E_ARG", hsa_unit_request_encode(&b, &q)); /* no operation */
	k->op = (enum hsa_ks_op)(HSA_KS_OPS + 1);
	assert_rc("E_ARG", hsa_unit_request_encode(&b, &q));
	k->op = HSA_KS_KEYS_BY_IDS;
	k->attr = many;
	k->attr_len = HSA_KS_ATTRS_MAX + 1;
	assert_rc("E_ARG", hsa_unit_request_encode(&b, &q));
	k->attr_len = 0;
	k->wanted = (const uint8_t(*)[16])ids;
	k->wanted_len = HSA_KS_IDS_MAX + 1;
	assert_rc("E_ARG", hsa_unit_request_encode(&b, &q));
	k->wanted_len = 0;
	k->token = (struct hsa_slice){ids[0], HSA_KS_TOKEN_MAX + 1};
	assert_rc("E_ARG", hsa_unit_request_encode(&b, &q));
	k->token.n = 0;
	q.caller.denied = 402;
	assert_rc("E_ARG", hsa_unit_request_encode(&b, &q));
	q.caller.denied = 0;
	/* 22 10: field 4, the TxID, 16 bytes: zeros are no TxID, nor are 15 */
	memset(k->tx_id, 0x77, 16);
	assert_ok(hsa_unit_request_encode(&b, &q));
	while (b.p[at] != 0x22 || b.p[at + 1] != 16 || b.p[at + 2] != 0x77)
		at++;
	memset(b.p + at + 2, 0, 16);
	assert_rc("E_FORMAT", hsa_unit_request_decode(&got, &used, b.p, b.len));
	memset(b.p + at + 2, 0x77, 16);
	assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
	hsa_unit_request_free(&got);
	b.p[at - 1]++; /* operation: by ids becomes by attributes, then none */
	assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
	assert_int_equal(got.keystore.op, HSA_KS_KEYS_BY_ATTRIBUTES);
	hsa_unit_request_free(&got);
	b.p[at - 1]++;
	assert_rc("E_FORMAT", hsa_unit_request_decode(&got, &used, b.p, b.len));
	hsa_buf_free(&b);
}

static void
test_hsa_ks__a_reply_comes_back(void **state)
{
	static struct hsa_keystore store[HSA_KS_PAGE_MAX + 1];
	static struct hsa_ks_key key[2];
	static struct hsa_unit_reply r, got;
	struct hsa_buf b = {0}, again = {0};
	size_t used = 0;

	(void)state;
	r.kind = HSA_UNIT_KEYSTORE;
	r.keystore = (struct hsa_ks_reply){
	    .rv = HSA_KS_CONFLICT,
	    .text = "not as expected",
	    .store = store,
	    .store_len = 2,
	    .key = key,
	    .key_len = 2,
	    .next = {(const uint8_t *)"next", 4},
	};
	store[0] = (struct hsa_keystore){{1}, "one", attrs, 3, 5, 6, 7};
	key[1] = (struct hsa_ks_key){{2}, {3}, "label", 4, {5}, attrs, 2,
	    {(const uint8_t *)"blob", 4}, 8, 9};
	assert_ok(hsa_unit_reply_encode(&b, &r));
	for (size_t n = 0; n < b.len; n++)
		assert_rc(
		    "E_TRUNCATED", hsa_unit_reply_decode(&got, &used, b.p, n));
	assert_ok(hsa_unit_reply_decode(&got, &used, b.p, b.len));
	assert_int_equal(got.keystore.rv, HSA_KS_CONFLICT);
	assert_string_equal(got.keystore.text, "not as expected");
	assert_int_equal(got.keystore.store_len, 2);
	assert_string_equal(got.keystore.store[0].name, "one");
	assert_int_equal(got.keystore.store[0].keys, 5);
	assert_int_equal(got.keystore.store[0].created_ns, 6);
	assert_int_equal(got.keystore.store[0].updated_ns, 7);
	expect_attrs(got.keystore.store[0].attr, got.keystore.store[0].attr_len,
	    attrs, 3);
	assert_null(got.keystore.store[1].name);
	assert_int_equal(got.keystore.key_len, 2);
	assert_memory_equal(got.keystore.key[1].id, key[1].id, 16);
	assert_memory_equal(
	    got.keystore.key[1].keystore_id, key[1].keystore_id, 16);
	assert_memory_equal(got.keystore.key[1].tx_id, key[1].tx_id, 16);
	assert_string_equal(got.keystore.key[1].label, "label");
	assert_int_equal(got.keystore.key[1].version, 4);
	assert_int_equal(got.keystore.key[1].blob.n, 4);
	assert_int_equal(got.keystore.key[1].created_ns, 8);
	assert_int_equal(got.keystore.key[1].updated_ns, 9);
	expect_attrs(
	    got.keystore.key[1].attr, got.keystore.key[1].attr_len, attrs, 2);
	assert_int_equal(got.keystore.next.n, 4);
	assert_ok(hsa_unit_reply_encode(&again, &got));
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	hsa_unit_reply_free(&got);
	r.keystore.store_len = HSA_KS_PAGE_MAX + 1;
	assert_rc("E_ARG", hsa_unit_reply_encode(&again, &r));
	hsa_buf_free(&b);
	hsa_buf_free(&again);
}

static void
test_hsa_ks__tables_know_every_operation_and_code(void **state)
{
	char name[80];

	(void)state;
	assert_null(hsa_ks_op(0));
	assert_null(hsa_ks_op(HSA_KS_OPS + 1));
	assert_null(hsa_ks_rv(0x80040008));
	for (uint32_t op = 1; op <= HSA_KS_OPS; op++) {
		const struct hsa_ks_op_row *row = hsa_ks_op(op);

		assert_int_equal(row->op, op);
		(void)snprintf(
		    name, sizeof(name), "hs-crypto.keystore.%s", row->name);
		assert_string_equal(
		    hsa_catalogue_by_code(row->action)->name, name);
		assert_true(
		    row->change == (strncmp(row->name, "list", 4) != 0));
	}
	/* GREP11's own, as the host-api document numbers them */
	for (uint32_t rv = 0x80040001; rv <= 0x80040007; rv++) {
		assert_non_null(hsa_ks_rv(rv));
		assert_non_null(hsa_status(hsa_ks_rv(rv)->status));
		assert_true(hsa_ks_rv(rv)->status >= 400);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hsa_ks__a_request_comes_back),
	    cmocka_unit_test(test_hsa_ks__what_a_request_leaves_out_stays_out),
	    cmocka_unit_test(test_hsa_ks__wrong_requests_are_refused),
	    cmocka_unit_test(test_hsa_ks__a_reply_comes_back),
	    cmocka_unit_test(test_hsa_ks__tables_know_every_operation_and_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
