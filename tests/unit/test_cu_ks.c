/* The keystore: what each operation does, answers, refuses and leaves in the
 * log. helper_ks checks the event of every one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sqlite3.h>

#include "ep11_blob.h"
#include "helper_ks.h"
#include "hsa_hash.h"

static int
setup(void **state)
{
	struct cu_bench *b = cu_bench_new();

	cu_bench_open(b);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	cu_bench_check_log(*state);
	cu_bench_free(*state);
	return 0;
}

static struct hsa_attr
attr_of(uint64_t type, const char *value)
{
	return (struct hsa_attr){
	    .type = type, .p = (const uint8_t *)value, .n = strlen(value)};
}

static const struct hsa_attr *
find(const struct hsa_attr *a, size_t n, uint64_t type)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].type == type)
			return &a[i];
	return NULL;
}

static void
expect_attr(
    const struct hsa_attr *a, size_t n, uint64_t type, const char *value)
{
	const struct hsa_attr *f = find(a, n, type);

	assert_non_null(f);
	assert_int_equal(f->n, strlen(value));
	if (f->n != 0)
		assert_memory_equal(f->p, value, f->n);
}

/* A refusal that says these words, and changes nothing that shows. */
static void
refused(
    struct cu_bench *b, struct hsa_ks_request q, uint32_t rv, const char *words)
{
	struct hsa_ks_reply r = {0};
	uint32_t got = ks_do(b, &r, &q);

	if (got != rv || strstr(r.text, words) == NULL)
		fail_msg("0x%x \"%s\" instead of 0x%x \"%s\"", got,
		    r.text == NULL ? "" : r.text, rv, words);
	assert_int_equal(r.store_len + r.key_len, 0);
	assert_int_equal(r.next.n, 0);
	hsa_ks_reply_free(&r);
}

static struct hsa_ks_request
on_store(enum hsa_ks_op op, const uint8_t id[16])
{
	struct hsa_ks_request q = {.op = op};

	memcpy(q.keystore_id, id, 16);
	return q;
}

static struct hsa_ks_request
on_key(enum hsa_ks_op op, const uint8_t store[16], const uint8_t id[16])
{
	struct hsa_ks_request q = on_store(op, store);

	memcpy(q.key_id, id, 16);
	return q;
}

/* The one key of that id, NULL when it is not there. */
static const struct hsa_ks_key *
fetch(struct cu_bench *b, struct hsa_ks_reply *r, const uint8_t store[16],
    const uint8_t id[16])
{
	struct hsa_ks_request q = on_store(HSA_KS_KEYS_BY_IDS, store);
	uint8_t wanted[1][16];

	memcpy(wanted[0], id, 16);
	q.wanted = (const uint8_t(*)[16])wanted;
	q.wanted_len = 1;
	q.blobs = true;
	assert_int_equal(ks_do(b, r, &q), HSA_KS_OK);
	return r->key_len == 1 ? r->key : NULL;
}

static uint64_t
keys_in(struct cu_bench *b, const uint8_t store[16])
{
	struct hsa_ks_request q = {.op = HSA_KS_KEYSTORES_BY_IDS};
	struct hsa_ks_reply r = {0};
	uint8_t wanted[1][16];
	uint64_t n = 0;

	memcpy(wanted[0], store, 16);
	q.wanted = (const uint8_t(*)[16])wanted;
	q.wanted_len = 1;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.store_len, 1);
	n = r.store[0].keys;
	hsa_ks_reply_free(&r);
	return n;
}

/* ---- a life of a keystore ------------------------------------------------ */

static void
test_cu_ks__a_keystore_is_made_and_found_and_deleted(void **state)
{
	struct cu_bench *b = *state;
	const struct hsa_attr a[] = {attr_of(CKA_ID, "one")};
	struct hsa_ks_request q = {.op = HSA_KS_CREATE_KEYSTORE,
	    .name = "first",
	    .attr = a,
	    .attr_len = 1};
	struct hsa_ks_reply r = {0};
	uint8_t id[16];
	char text[HSA_UUID_TEXT];

	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.store_len, 1);
	assert_string_equal(r.store[0].name, "first");
	assert_int_equal(r.store[0].keys, 0);
	assert_int_equal(r.store[0].created_ns, r.store[0].updated_ns);
	expect_attr(r.store[0].attr, r.store[0].attr_len, CKA_ID, "one");
	expect_attr(r.store[0].attr, r.store[0].attr_len,
	    HSA_KS_CKA_TOKEN_LABEL, "first");
	memcpy(id, r.store[0].id, 16);
	hsa_ks_reply_free(&r);
	hsa_uuid_text(text, id);
	assert_string_equal(ks_target(b), text);

	/* also after a restart */
	cu_bench_close(b);
	cu_bench_open(b);
	q = (struct hsa_ks_request){
	    .op = HSA_KS_KEYSTORES_BY_ATTRIBUTES, .attr = a, .attr_len = 1};
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.store_len, 1);
	assert_memory_equal(r.store[0].id, id, 16);
	assert_string_equal(r.store[0].name, "first");
	expect_attr(r.store[0].attr, r.store[0].attr_len, CKA_ID, "one");
	hsa_ks_reply_free(&r);
	assert_string_equal(ks_target(b), text);

	q = on_store(HSA_KS_DELETE_KEYSTORE, id);
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_string_equal(r.store[0].name, "first");
	hsa_ks_reply_free(&r);
	assert_string_equal(ks_target(b), text);
	refused(b, on_store(HSA_KS_DELETE_KEYSTORE, id), HSA_KS_MISSING, text);
	q = (struct hsa_ks_request){.op = HSA_KS_KEYSTORES_BY_ATTRIBUTES};
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.store_len, 0);
	hsa_ks_reply_free(&r);
	assert_string_equal(ks_target(b), "");
	assert_int_equal(cu_bench_counter(b, "keystore.ok"), 3);
	assert_int_equal(cu_bench_counter(b, "keystore.refused"), 1);
}

static void
test_cu_ks__ids_may_be_chosen_and_are_given_once(void **state)
{
	struct cu_bench *b = *state;
	struct hsa_ks_request q = {.op = HSA_KS_CREATE_KEYSTORE, .name = "a"};
	struct hsa_ks_reply r = {0};
	uint8_t blob[KS_BLOB_LEN], store[16], other[16];

	memset(q.keystore_id, 0x99, 16);
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	memcpy(store, r.store[0].id, 16);
	assert_memory_equal(store, q.keystore_id, 16);
	hsa_ks_reply_free(&r);
	memset(q.tx_id, 0, 16);
	q.name = "b";
	refused(b, q, HSA_KS_CONFLICT, "of that id");
	memset(q.keystore_id, 0, 16);
	q.name = "a";
	refused(b, q, HSA_KS_CONFLICT, "of that name");

	ks_blob(blob, 1);
	q = on_store(HSA_KS_STORE_KEY, store);
	q.blob = (struct hsa_slice){blob, sizeof(blob)};
	memset(q.key_id, 0x88, 16);
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_memory_equal(r.key[0].id, q.key_id, 16);
	hsa_ks_reply_free(&r);
	memset(q.tx_id, 0, 16);
	refused(b, q, HSA_KS_CONFLICT, "of that id");
	/* but another keystore may have it */
	ks_create(b, other, "c");
	memcpy(q.keystore_id, other, 16);
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	hsa_ks_reply_free(&r);
}

static void
test_cu_ks__a_key_is_stored_updated_and_deleted(void **state)
{
	struct cu_bench *b = *state;
	const struct hsa_attr a[] = {
	    attr_of(CKA_ID, "id-1"), attr_of(0x80050001, "x")};
	const struct hsa_attr other[] = {attr_of(CKA_ID, "id-2")};
	struct hsa_ks_reply r = {0};
	struct hsa_ks_request q;
	const struct hsa_ks_key *k = NULL;
	uint8_t store[16], id[16], blob[KS_BLOB_LEN], tx[16];
	char text[HSA_UUID_TEXT];
	uint64_t created = 0;

	ks_create(b, store, "keys");
	ks_blob(blob, 7);
	q = on_store(HSA_KS_STORE_KEY, store);
	q.name = "my key";
	q.attr = a;
	q.attr_len = 2;
	q.blob = (struct hsa_slice){blob, sizeof(blob)};
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	k = r.key;
	assert_int_equal(r.key_len, 1);
	assert_int_equal(k->version, 1);
	assert_memory_equal(k->tx_id, q.tx_id, 16);
	assert_memory_equal(k->keystore_id, store, 16);
	assert_int_equal(k->blob.n, 0);
	memcpy(id, k->id, 16);
	created = k->created_ns;
	hsa_ks_reply_free(&r);
	hsa_uuid_text(text, id);
	assert_string_equal(ks_target(b), text);
	assert_int_equal(keys_in(b, store), 1);

	k = fetch(b, &r, store, id);
	assert_string_equal(ks_target(b), text);
	assert_non_null(k);
	assert_string_equal(k->label, "my key");
	assert_int_equal(k->blob.n, sizeof(blob));
	assert_memory_equal(k->blob.p, blob, sizeof(blob));
	expect_attr(k->attr, k->attr_len, CKA_ID, "id-1");
	expect_attr(k->attr, k->attr_len, 0x80050001, "x");
	expect_attr(k->attr, k->attr_len, CKA_LABEL, "my key");
	expect_attr(k->attr, k->attr_len, HSA_KS_CKA_WKID, "ZZZZZZZZZZZZZZZZ");
	for (size_t i = 1; i < k->attr_len; i++)
		assert_true(k->attr[i - 1].type < k->attr[i].type);
	hsa_ks_reply_free(&r);

	/* an update replaces label and attributes, and leaves the blob */
	q = on_key(HSA_KS_UPDATE_KEY, store, id);
	q.version = 1;
	q.name = "renamed";
	q.attr = other;
	q.attr_len = 1;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.key[0].version, 2);
	memcpy(tx, q.tx_id, 16);
	hsa_ks_reply_free(&r);
	assert_string_equal(ks_target(b), text);
	k = fetch(b, &r, store, id);
	assert_string_equal(k->label, "renamed");
	assert_int_equal(k->version, 2);
	assert_memory_equal(k->tx_id, tx, 16);
	assert_memory_equal(k->blob.p, blob, sizeof(blob));
	assert_int_equal(k->created_ns, created);
	assert_true(k->updated_ns > created);
	expect_attr(k->attr, k->attr_len, CKA_ID, "id-2");
	assert_null(find(k->attr, k->attr_len, 0x80050001));
	hsa_ks_reply_free(&r);

	/* the next one too, with another blob */
	ks_blob(blob, 8);
	memset(q.tx_id, 0, 16);
	q.version = 2;
	q.blob = (struct hsa_slice){blob, sizeof(blob)};
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	hsa_ks_reply_free(&r);
	k = fetch(b, &r, store, id);
	assert_memory_equal(k->blob.p, blob, sizeof(blob));
	hsa_ks_reply_free(&r);

	q = on_key(HSA_KS_DELETE_KEY, store, id);
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_string_equal(r.key[0].label, "renamed");
	hsa_ks_reply_free(&r);
	assert_null(fetch(b, &r, store, id));
	hsa_ks_reply_free(&r);
	assert_int_equal(keys_in(b, store), 0);
	refused(b, on_key(HSA_KS_DELETE_KEY, store, id), HSA_KS_MISSING, text);
	/* and its attributes find nothing any more */
	q = on_store(HSA_KS_KEYS_BY_ATTRIBUTES, store);
	q.attr = other;
	q.attr_len = 1;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.key_len, 0);
	hsa_ks_reply_free(&r);
}

/* ---- what a blob says of itself ------------------------------------------ */

static void
expect_bytes(const struct hsa_ks_key *k, uint64_t type, const void *p, size_t n)
{
	const struct hsa_attr *f = find(k->attr, k->attr_len, type);

	if (f == NULL)
		fail_msg("no attribute 0x%llx", (unsigned long long)type);
	assert_int_equal(f->n, n);
	assert_memory_equal(f->p, p, n);
}

static void
expect_number(const struct hsa_ks_key *k, uint64_t type, uint64_t v)
{
	expect_bytes(k, type, &v, sizeof(v));
}

static void
expect_bool(const struct hsa_ks_key *k, uint64_t type, uint8_t v)
{
	expect_bytes(k, type, &v, 1);
}

/* A MACed public key of that pair, with a made-up MAC; length out. */
static size_t
public_blob(uint8_t blob[HSA_BLOB_MAX], EVP_PKEY *key, uint32_t bools)
{
	struct ep11_spki s = {.maced = true, .bools = bools};
	unsigned char *der = NULL;
	struct hsa_buf b = {0};
	int n = i2d_PUBKEY(key, &der);
	size_t len = 0;

	assert_true(n > 0);
	s.spki = (struct hsa_slice){der, (size_t)n};
	memset(s.wkid, 'W', sizeof(s.wkid));
	assert_true(hsa_is_ok(ep11_spki_encode(&b, &s)));
	hsa_buf_put(&b, "\x04\x20", 2);
	hsa_buf_put(&b, blob, 32);
	len = b.len;
	memcpy(blob, b.p, len);
	hsa_buf_free(&b);
	OPENSSL_free(der);
	return len;
}

static void
test_cu_ks__what_a_blob_shows_becomes_attributes(void **state)
{
	static uint8_t blob[HSA_BLOB_MAX];
	static const uint8_t p256[] = {
	    0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	struct cu_bench *b = *state;
	EVP_PKEY *ec = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
	struct hsa_ks_request q;
	struct hsa_ks_reply r = {0};
	const struct hsa_ks_key *k = NULL;
	uint8_t store[16], id[16];

	assert_non_null(ec);
	assert_non_null(rsa);
	ks_create(b, store, "s");
	ks_store(b, id, store, "aes", 1);
	k = fetch(b, &r, store, id);
	expect_number(k, CKA_CLASS, CKO_SECRET_KEY);
	expect_number(k, CKA_KEY_TYPE, CKK_AES);
	expect_number(k, CKA_VALUE_LEN, 32);
	expect_bool(k, CKA_ENCRYPT, 1);
	expect_bool(k, CKA_SIGN, 0);
	expect_bool(k, CKA_EXTRACTABLE, 1);
	hsa_ks_reply_free(&r);

	q = on_store(HSA_KS_STORE_KEY, store);
	q.blob = (struct hsa_slice){blob, public_blob(blob, ec, EP11_VERIFY)};
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	k = r.key;
	expect_number(k, CKA_CLASS, CKO_PUBLIC_KEY);
	expect_number(k, CKA_KEY_TYPE, CKK_EC);
	expect_bytes(k, CKA_EC_PARAMS, p256, sizeof(p256));
	expect_bytes(k, HSA_KS_CKA_WKID, "WWWWWWWWWWWWWWWW", 16);
	expect_bool(k, CKA_VERIFY, 1);
	expect_bool(k, CKA_WRAP, 0);
	hsa_ks_reply_free(&r);

	q = on_store(HSA_KS_STORE_KEY, store);
	q.blob = (struct hsa_slice){blob, public_blob(blob, rsa, EP11_WRAP)};
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	expect_number(r.key, CKA_KEY_TYPE, CKK_RSA);
	expect_number(r.key, CKA_MODULUS_BITS, 2048);
	hsa_ks_reply_free(&r);

	/* without its tail it is a bare SPKI, which is no key of a unit's */
	memset(q.tx_id, 0, 16);
	q.blob.n -= EP11_SPKI_TAIL;
	refused(b, q, HSA_KS_BLOB_ERROR, "unchanged");
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
}

static void
test_cu_ks__attributes_against_the_blob_are_refused(void **state)
{
	struct cu_bench *b = *state;
	const uint8_t yes = 1, no = 0;
	const CK_ULONG secret = CKO_SECRET_KEY, des3 = CKK_DES3;
	struct hsa_attr a[] = {
	    {.type = CKA_CLASS, .p = (const uint8_t *)&secret, .n = 8},
	    {.type = CKA_ENCRYPT, .p = &yes, .n = 1},
	    {.type = CKA_LABEL, .p = (const uint8_t *)"k", .n = 1},
	};
	uint8_t store[16], blob[KS_BLOB_LEN];
	struct hsa_ks_request q;
	struct hsa_ks_reply r = {0};

	ks_create(b, store, "s");
	ks_blob(blob, 1);
	q = on_store(HSA_KS_STORE_KEY, store);
	q.name = "k";
	q.blob = (struct hsa_slice){blob, sizeof(blob)};
	q.attr = a;
	q.attr_len = 3;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK); /* as it is */
	hsa_ks_reply_free(&r);
	memset(q.tx_id, 0, 16);
	a[1].p = &no;
	refused(b, q, HSA_KS_TEMPLATE_INCONSISTENT, "0x104 is not what");
	a[1] = (struct hsa_attr){
	    .type = CKA_KEY_TYPE, .p = (const uint8_t *)&des3, .n = 8};
	refused(b, q, HSA_KS_TEMPLATE_INCONSISTENT, "0x100 is not what");
	a[1].n = 4; /* not a CK_ULONG of this machine */
	refused(b, q, HSA_KS_TEMPLATE_INCONSISTENT, "0x100 is not what");
	/* an update of nothing but the blob follows what the blob shows */
	ks_store(b, q.key_id, store, "k", 2);
	q = on_key(HSA_KS_UPDATE_KEY, store, q.key_id);
	q.version = 1;
	blob[52] ^= EP11_EXTRACTABLE;
	q.blob = (struct hsa_slice){blob, sizeof(blob)};
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	expect_bool(r.key, CKA_EXTRACTABLE, 0);
	hsa_ks_reply_free(&r);
}

/* ---- versions and TxIDs -------------------------------------------------- */

static void
test_cu_ks__a_change_that_expects_another_version_is_a_conflict(void **state)
{
	struct cu_bench *b = *state;
	uint8_t store[16], id[16];
	struct hsa_ks_request q;
	struct hsa_ks_reply r = {0};

	ks_create(b, store, "keys");
	ks_store(b, id, store, "k", 1);
	q = on_key(HSA_KS_UPDATE_KEY, store, id);
	q.version = 2;
	refused(b, q, HSA_KS_CONFLICT, "at version 1, the request expects 2");
	q.version = 1;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	hsa_ks_reply_free(&r);
	/* of two that read version 1, the second loses */
	memset(q.tx_id, 0, 16);
	refused(b, q, HSA_KS_CONFLICT, "at version 2");
	q = on_key(HSA_KS_DELETE_KEY, store, id);
	q.version = 1;
	refused(b, q, HSA_KS_CONFLICT, "at version 2");
	q.version = 2;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	hsa_ks_reply_free(&r);
}

static void
test_cu_ks__a_change_that_is_sent_again_is_a_replay(void **state)
{
	struct cu_bench *b = *state;
	uint8_t store[16], id[16], blob[KS_BLOB_LEN];
	struct hsa_ks_request create = {
	    .op = HSA_KS_CREATE_KEYSTORE, .name = "x"};
	struct hsa_ks_request put, drop;
	struct hsa_ks_reply r = {0};

	assert_int_equal(ks_do(b, &r, &create), HSA_KS_OK);
	memcpy(store, r.store[0].id, 16);
	hsa_ks_reply_free(&r);
	refused(b, create, HSA_KS_REPLAY, "TxID");
	ks_blob(blob, 1);
	put = on_store(HSA_KS_STORE_KEY, store);
	put.blob = (struct hsa_slice){blob, sizeof(blob)};
	assert_int_equal(ks_do(b, &r, &put), HSA_KS_OK);
	memcpy(id, r.key[0].id, 16);
	hsa_ks_reply_free(&r);
	refused(b, put, HSA_KS_REPLAY, "TxID");
	/* a recorded request does not bring a deleted key back, also not after
	 * a restart */
	drop = on_key(HSA_KS_DELETE_KEY, store, id);
	assert_int_equal(ks_do(b, &r, &drop), HSA_KS_OK);
	hsa_ks_reply_free(&r);
	cu_bench_close(b);
	cu_bench_open(b);
	refused(b, put, HSA_KS_REPLAY, "TxID");
	assert_int_equal(keys_in(b, store), 0);
	/* what was refused did not use its TxID up */
	memset(put.tx_id, 0xee, 16);
	put.blob.n = 20;
	refused(b, put, HSA_KS_BLOB_ERROR, "unchanged");
	put.blob.n = sizeof(blob);
	assert_int_equal(ks_do(b, &r, &put), HSA_KS_OK);
	hsa_ks_reply_free(&r);
}

static void
test_cu_ks__only_empty_keystores_go_unless_forced(void **state)
{
	struct cu_bench *b = *state;
	uint8_t store[16], other[16], id[16], kept[16];
	const struct hsa_attr label = attr_of(CKA_LABEL, "k");
	struct hsa_ks_request q;
	struct hsa_ks_reply r = {0};

	ks_create(b, store, "keys");
	ks_create(b, other, "others");
	ks_store(b, id, store, "k", 1);
	ks_store(b, kept, other, "k", 2);
	q = on_store(HSA_KS_DELETE_KEYSTORE, store);
	refused(b, q, HSA_KS_CONFLICT, "holds 1 keys");
	q.force = true;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	hsa_ks_reply_free(&r);
	/* its keys are gone with it, the neighbour's are not */
	assert_non_null(fetch(b, &r, other, kept));
	hsa_ks_reply_free(&r);
	q = on_store(HSA_KS_KEYS_BY_ATTRIBUTES, other);
	q.attr = &label;
	q.attr_len = 1;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.key_len, 1);
	hsa_ks_reply_free(&r);
	refused(b, on_store(HSA_KS_KEYS_BY_ATTRIBUTES, store), HSA_KS_MISSING,
	    "no keystore");
	/* nor does a keystore of the same name inherit them */
	ks_create(b, store, "keys");
	q = on_store(HSA_KS_KEYS_BY_ATTRIBUTES, store);
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.key_len, 0);
	hsa_ks_reply_free(&r);
}

static void
test_cu_ks__a_unit_of_before_gets_its_keystore(void **state)
{
	struct cu_bench *b = *state;
	sqlite3 *db = NULL;
	uint8_t id[16];

	cu_bench_close(b);
	assert_int_equal(sqlite3_open(b->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
			     "DROP TABLE ks_store; DROP TABLE ks_key;"
			     "DROP TABLE ks_attr; DROP TABLE ks_tx",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	cu_bench_open(b);
	ks_create(b, id, "first");
	assert_int_equal(keys_in(b, id), 0);
}

/* ---- who and in which state ---------------------------------------------- */

static void
test_cu_ks__denied_callers_leave_their_event(void **state)
{
	struct cu_bench *b = *state;
	uint8_t store[16];
	struct hsa_record rec = {0};
	struct hsa_ks_reply r = {0};
	char text[HSA_UUID_TEXT];

	ks_create(b, store, "keys");
	hsa_uuid_text(text, store);
	for (uint32_t denied = 401; denied <= 403; denied += 2) {
		b->caller.denied = denied;
		for (uint32_t op = 1; op <= HSA_KS_OPS; op++)
			refused(b, on_store((enum hsa_ks_op)op, store),
			    HSA_KS_NOT_AUTHENTICATED, "not authorized");
		assert_string_equal(ks_target(b), text);
	}
	assert_true(
	    hsa_is_ok(hsa_strdup_opt(&b->caller.denied_text, "no such role")));
	refused(b, on_store(HSA_KS_DELETE_KEYSTORE, store),
	    HSA_KS_NOT_AUTHENTICATED, "no such role");
	cu_bench_last(b, &rec);
	assert_string_equal(rec.event.reason_failure, "no such role");
	assert_string_equal(rec.event.initiator.name, "alice@example.com");
	assert_string_equal(rec.event.severity, "critical");
	assert_string_equal(rec.ceremony_id, "first-load");
	hsa_record_free(&rec);
	b->caller.denied = 0;
	assert_int_equal(keys_in(b, store), 0);
	hsa_ks_reply_free(&r);
	assert_int_equal(cu_bench_counter(b, "refused.unauthorized"), 19);
}

static void
test_cu_ks__a_halted_unit_refuses_without_an_event(void **state)
{
	struct cu_bench *b = *state;
	struct hsa_ks_request q = {.op = HSA_KS_CREATE_KEYSTORE, .name = "a"};
	struct hsa_ks_reply r = {0};
	size_t records = 0;

	b->any_records = true;
	b->sink->failure = SINK_MOCK_LOST;
	b->sink->fail_at = 1;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_DATABASE);
	assert_non_null(strstr(r.text, "audit log"));
	assert_int_equal(r.store_len, 0);
	hsa_ks_reply_free(&r);
	records = b->sink->len;
	for (uint32_t op = 1; op <= HSA_KS_OPS; op++) {
		q = (struct hsa_ks_request){.op = (enum hsa_ks_op)op};
		assert_int_equal(ks_do(b, &r, &q), HSA_KS_DEVICE_ERROR);
		assert_non_null(strstr(r.text, "restart"));
		hsa_ks_reply_free(&r);
	}
	assert_int_equal(b->sink->len, records);
	/* the keystore was committed: its event comes with the restart */
	cu_bench_kill(b);
	cu_bench_open(b);
	b->commands++;
	b->any_records = false;
	q = (struct hsa_ks_request){.op = HSA_KS_KEYSTORES_BY_ATTRIBUTES};
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.store_len, 1);
	hsa_ks_reply_free(&r);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(test_cu_ks__a_keystore_is_made_and_found_and_deleted),
	    CASE(test_cu_ks__ids_may_be_chosen_and_are_given_once),
	    CASE(test_cu_ks__a_key_is_stored_updated_and_deleted),
	    CASE(test_cu_ks__what_a_blob_shows_becomes_attributes),
	    CASE(test_cu_ks__attributes_against_the_blob_are_refused),
	    CASE(
		test_cu_ks__a_change_that_expects_another_version_is_a_conflict),
	    CASE(test_cu_ks__a_change_that_is_sent_again_is_a_replay),
	    CASE(test_cu_ks__only_empty_keystores_go_unless_forced),
	    CASE(test_cu_ks__a_unit_of_before_gets_its_keystore),
	    CASE(test_cu_ks__denied_callers_leave_their_event),
	    CASE(test_cu_ks__a_halted_unit_refuses_without_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
