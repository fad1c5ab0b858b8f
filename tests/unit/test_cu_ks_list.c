/* Lists of the keystore, and what it refuses to take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_pkcs11.h"
#include "helper_ks.h"
#include "hsa_codec.h"
#include "hsa_hash.h"

#define MANY 1000u

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

static struct hsa_ks_request
on_store(enum hsa_ks_op op, const uint8_t id[16])
{
	struct hsa_ks_request q = {.op = op};

	memcpy(q.keystore_id, id, 16);
	return q;
}

/* A key of number i: two attributes that many share, one of its own. */
static void
put(struct cu_bench *b, uint8_t id[16], const uint8_t store[16], uint32_t i,
    size_t blob_len)
{
	static uint8_t blob[HSA_BLOB_MAX];
	const uint8_t odd = i % 2, tenth = i % 10 == 0;
	const struct hsa_attr a[] = {
	    {.type = 0x80050001, .p = &odd, .n = 1},
	    {.type = 0x80050002, .p = &tenth, .n = 1},
	    {.type = CKA_ID, .p = (const uint8_t *)&i, .n = sizeof(i)},
	};
	struct hsa_ks_request q = on_store(HSA_KS_STORE_KEY, store);
	struct hsa_ks_reply r = {0};

	ks_blob_of(blob, blob_len, i);
	q.attr = a;
	q.attr_len = 3;
	q.name = i % 3 == 0 ? "third" : "other";
	q.blob = (struct hsa_slice){blob, blob_len};
	if (ks_do(b, &r, &q) != HSA_KS_OK)
		fail_msg("%s", r.text);
	memcpy(id, r.key[0].id, 16);
	hsa_ks_reply_free(&r);
}

/* Walks all pages; ids of what was found, in order. Returns pages. */
static size_t
walk(struct cu_bench *b, struct hsa_ks_request q, uint8_t (*found)[16],
    size_t room, size_t *len)
{
	uint8_t token[HSA_KS_TOKEN_MAX];
	struct hsa_ks_reply r = {0};
	struct hsa_buf frame = {0};
	size_t pages = 0;

	*len = 0;
	for (;;) {
		memset(q.id, 0, 16);
		if (ks_do(b, &r, &q) != HSA_KS_OK)
			fail_msg("%s", r.text);
		pages++;
		for (size_t i = 0; i < r.key_len + r.store_len; i++) {
			assert_true(*len < room);
			memcpy(found[(*len)++],
			    r.key_len > 0 ? r.key[i].id : r.store[i].id, 16);
		}
		/* whatever it holds, it fits a frame */
		{
			struct hsa_unit_reply *u = calloc(1, sizeof(*u));

			assert_non_null(u);
			u->kind = HSA_UNIT_KEYSTORE;
			u->keystore = r;
			hsa_buf_reset(&frame);
			assert_true(
			    hsa_is_ok(hsa_unit_reply_encode(&frame, u)));
			free(u);
		}
		assert_true(r.next.n <= sizeof(token));
		if (r.next.n == 0)
			break;
		memcpy(token, r.next.p, r.next.n);
		q.token = (struct hsa_slice){token, r.next.n};
		hsa_ks_reply_free(&r);
	}
	hsa_ks_reply_free(&r);
	hsa_buf_free(&frame);
	return pages;
}

/* ---- pages --------------------------------------------------------------- */

static void
test_cu_ks_list__pages_give_every_key_once(void **state)
{
	struct cu_bench *b = *state;
	static uint8_t ids[MANY][16], found[MANY + 1][16];
	const uint8_t one = 1;
	const struct hsa_attr odd = {.type = 0x80050001, .p = &one, .n = 1};
	const struct hsa_attr both[] = {
	    {.type = 0x80050001, .p = (const uint8_t *)"", .n = 1},
	    {.type = 0x80050002, .p = &one, .n = 1}};
	static const uint32_t limits[] = {1, 7, 0, 333, 1000};
	struct hsa_ks_request q;
	uint8_t store[16], other[16], id[16];
	size_t n = 0, pages = 0, i = 0;

	ks_create(b, store, "many");
	ks_create(b, other, "beside");
	for (i = 0; i < MANY; i++) {
		put(b, ids[i], store, (uint32_t)i, KS_BLOB_LEN);
		if (i % 100 == 0)
			ks_store(b, id, other, "third", (uint32_t)i);
	}
	for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++) {
		size_t size = limits[k] == 0 ? 100 : limits[k];

		q = on_store(HSA_KS_KEYS_BY_ATTRIBUTES, store);
		q.limit = limits[k];
		pages = walk(b, q, found, MANY, &n);
		assert_int_equal(n, MANY);
		assert_memory_equal(found, ids, sizeof(ids));
		assert_int_equal(pages, (MANY + size - 1) / size);

		q.attr = &odd;
		q.attr_len = 1;
		(void)walk(b, q, found, MANY, &n);
		assert_int_equal(n, MANY / 2);
		for (i = 0; i < n; i++)
			assert_memory_equal(found[i], ids[2 * i + 1], 16);

		q.attr = both;
		q.attr_len = 2;
		(void)walk(b, q, found, MANY, &n);
		assert_int_equal(n, MANY / 10);
		for (i = 0; i < n; i++)
			assert_memory_equal(found[i], ids[10 * i], 16);

		q = on_store(HSA_KS_KEYS_BY_IDS, store);
		q.limit = limits[k];
		q.wanted = (const uint8_t(*)[16])ids;
		q.wanted_len = MANY;
		(void)walk(b, q, found, MANY, &n);
		assert_int_equal(n, MANY);
		assert_memory_equal(found, ids, sizeof(ids));
	}
}

static void
test_cu_ks_list__a_search_takes_all_attributes_or_none(void **state)
{
	struct cu_bench *b = *state;
	static uint8_t ids[30][16], found[30][16];
	const uint32_t seven = 7;
	struct hsa_attr a[] = {
	    {.type = CKA_ID, .p = (const uint8_t *)&seven, .n = 4},
	    {.type = 0x3, .p = (const uint8_t *)"other", .n = 5},
	};
	struct hsa_ks_request q;
	uint8_t store[16];
	size_t n = 0;

	ks_create(b, store, "some");
	for (uint32_t i = 0; i < 30; i++)
		put(b, ids[i], store, i, KS_BLOB_LEN);
	q = on_store(HSA_KS_KEYS_BY_ATTRIBUTES, store);
	q.attr = a;
	q.attr_len = 2;
	(void)walk(b, q, found, 30, &n);
	assert_int_equal(n, 1);
	assert_memory_equal(found[0], ids[7], 16);
	a[1].p = (const uint8_t *)"third"; /* number 7 is none */
	(void)walk(b, q, found, 30, &n);
	assert_int_equal(n, 0);
	a[1] = (struct hsa_attr){.type = 0x9999, .p = NULL, .n = 0};
	(void)walk(b, q, found, 30, &n);
	assert_int_equal(n, 0);
	a[0].n = 3; /* a part of the value is another value */
	q.attr_len = 1;
	(void)walk(b, q, found, 30, &n);
	assert_int_equal(n, 0);
}

static void
test_cu_ks_list__ids_that_are_not_there_are_left_out(void **state)
{
	struct cu_bench *b = *state;
	uint8_t store[16], other[16], wanted[4][16], found[4][16];
	char a[HSA_UUID_TEXT], want[4 * HSA_UUID_TEXT];
	struct hsa_ks_request q;
	size_t n = 0;

	ks_create(b, store, "one");
	ks_create(b, other, "two");
	ks_store(b, wanted[0], store, "k", 1);
	memset(wanted[1], 0xab, 16);
	ks_store(b, wanted[2], other, "k", 2); /* in another keystore */
	memcpy(wanted[3], wanted[0], 16);      /* asked for twice */
	q = on_store(HSA_KS_KEYS_BY_IDS, store);
	q.wanted = (const uint8_t(*)[16])wanted;
	q.wanted_len = 4;
	(void)walk(b, q, found, 4, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(found[0], wanted[0], 16);
	assert_memory_equal(found[1], wanted[0], 16);
	/* the event names what was asked for */
	want[0] = '\0';
	for (size_t i = 0; i < 4; i++) {
		hsa_uuid_text(a, wanted[i]);
		(void)snprintf(want + strlen(want), sizeof(want) - strlen(want),
		    "%s%s", i == 0 ? "" : ",", a);
	}
	assert_string_equal(ks_target(b), want);
	q = (struct hsa_ks_request){.op = HSA_KS_KEYSTORES_BY_IDS};
	memcpy(wanted[0], other, 16);
	q.wanted = (const uint8_t(*)[16])wanted;
	q.wanted_len = 2;
	(void)walk(b, q, found, 4, &n);
	assert_int_equal(n, 1);
	assert_memory_equal(found[0], other, 16);
}

static void
test_cu_ks_list__large_blobs_make_short_pages(void **state)
{
	struct cu_bench *b = *state;
	static uint8_t ids[100][16], found[100][16];
	struct hsa_ks_request q;
	uint8_t store[16];
	size_t n = 0;

	ks_create(b, store, "large");
	for (uint32_t i = 0; i < 100; i++)
		put(b, ids[i], store, i, KS_BLOB_LARGE);
	q = on_store(HSA_KS_KEYS_BY_ATTRIBUTES, store);
	q.limit = 1000;
	assert_int_equal(walk(b, q, found, 100, &n), 1);
	q.blobs = true;
	assert_int_equal(walk(b, q, found, 100, &n), 2);
	assert_int_equal(n, 100);
	assert_memory_equal(found, ids, sizeof(ids));
	q.op = HSA_KS_KEYS_BY_IDS;
	q.wanted = (const uint8_t(*)[16])ids;
	q.wanted_len = 100;
	assert_int_equal(walk(b, q, found, 100, &n), 2);
	assert_memory_equal(found, ids, sizeof(ids));
}

static void
test_cu_ks_list__keys_stored_and_deleted_meanwhile_disturb_no_page(void **state)
{
	struct cu_bench *b = *state;
	static uint8_t ids[20][16];
	struct hsa_ks_request q, drop;
	struct hsa_ks_reply r = {0}, d = {0};
	uint8_t store[16], token[HSA_KS_TOKEN_MAX];

	ks_create(b, store, "moving");
	for (uint32_t i = 0; i < 19; i++)
		put(b, ids[i], store, i, KS_BLOB_LEN);
	q = on_store(HSA_KS_KEYS_BY_ATTRIBUTES, store);
	q.limit = 10;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	memcpy(token, r.next.p, r.next.n);
	q.token = (struct hsa_slice){token, r.next.n};
	hsa_ks_reply_free(&r);
	/* the page's last, the next one's first, and a new last */
	for (size_t i = 9; i < 11; i++) {
		drop = on_store(HSA_KS_DELETE_KEY, store);
		memcpy(drop.key_id, ids[i], 16);
		assert_int_equal(ks_do(b, &d, &drop), HSA_KS_OK);
		hsa_ks_reply_free(&d);
	}
	put(b, ids[19], store, 19, KS_BLOB_LEN);
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	assert_int_equal(r.key_len, 9);
	for (size_t i = 0; i < 9; i++)
		assert_memory_equal(r.key[i].id, ids[11 + i], 16);
	assert_int_equal(r.next.n, 0);
	hsa_ks_reply_free(&r);
}

static void
test_cu_ks_list__a_token_of_another_list_is_refused(void **state)
{
	struct cu_bench *b = *state;
	struct hsa_ks_request q, other;
	struct hsa_ks_reply r = {0};
	uint8_t store[16], beside[16], id[16], token[HSA_KS_TOKEN_MAX];
	const struct hsa_attr a = {.type = CKA_ID, .p = NULL, .n = 0};
	size_t n = 0;

	ks_create(b, store, "a");
	ks_create(b, beside, "b");
	for (uint32_t i = 0; i < 3; i++)
		put(b, id, store, i, KS_BLOB_LEN);
	q = on_store(HSA_KS_KEYS_BY_ATTRIBUTES, store);
	q.limit = 1;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	n = r.next.n;
	memcpy(token, r.next.p, n);
	hsa_ks_reply_free(&r);
	q.token = (struct hsa_slice){token, n};
	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 8; bit++) {
			token[i] ^= (uint8_t)(1 << bit);
			assert_int_equal(
			    ks_do(b, &r, &q), HSA_KS_CANNOT_UNMARSHAL);
			assert_int_equal(r.key_len, 0);
			hsa_ks_reply_free(&r);
			token[i] ^= (uint8_t)(1 << bit);
		}
	q.token.n = n - 1;
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_CANNOT_UNMARSHAL);
	hsa_ks_reply_free(&r);
	q.token.n = n;
	for (int which = 0; which < 3; which++) {
		other = q;
		if (which == 0)
			memcpy(other.keystore_id, beside, 16);
		if (which == 1) {
			other.attr = &a;
			other.attr_len = 1;
		}
		if (which == 2)
			other.limit = 2; /* another size goes on well */
		assert_int_equal(ks_do(b, &r, &other),
		    which == 2 ? HSA_KS_OK : HSA_KS_CANNOT_UNMARSHAL);
		assert_int_equal(r.key_len, which == 2 ? 2 : 0);
		hsa_ks_reply_free(&r);
	}
}

/* ---- what is not taken --------------------------------------------------- */

static void
test_cu_ks_list__names_are_data_whatever_they_spell(void **state)
{
	static const char *const names[] = {
	    "'; DROP TABLE ks_key; --",
	    "\" OR 1=1",
	    "../../etc/passwd",
	    "%s%n%x",
	    "Schl\xc3\xbcssel \xf0\x9f\x94\x91",
	    "-",
	};
	struct cu_bench *b = *state;
	struct hsa_ks_request q = {.op = HSA_KS_KEYSTORES_BY_ATTRIBUTES};
	struct hsa_ks_reply r = {0};
	struct hsa_attr a = {.type = HSA_KS_CKA_TOKEN_LABEL};
	uint8_t id[16], key[16];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ks_create(b, id, names[i]);
		ks_store(b, key, id, names[i], (uint32_t)i);
		a.p = (const uint8_t *)names[i];
		a.n = strlen(names[i]);
		q.attr = &a;
		q.attr_len = 1;
		memset(q.id, 0, 16);
		assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
		assert_int_equal(r.store_len, 1);
		assert_string_equal(r.store[0].name, names[i]);
		assert_memory_equal(r.store[0].id, id, 16);
		hsa_ks_reply_free(&r);
	}
}

static void
test_cu_ks_list__wrong_names_attributes_and_blobs_are_refused(void **state)
{
	static char long_name[HSA_KS_NAME_MAX + 2];
	static uint8_t long_value[HSA_KS_VALUE_MAX + 1];
	static struct hsa_attr many[HSA_KS_ATTRS_MAX + 1];
	static const char *const names[] = {"", "a\nb", "\x7f", "\xc2\x85",
	    "\xe2\x80\xa8", "\xe2\x80\xae", "\xff", "\xc0\xaf", "a\xed\xa0\x80",
	    long_name};
	static const struct {
		uint32_t rv;
		const char *words;
		struct hsa_attr a[2];
		size_t n;
	} attrs[] = {
	    {HSA_KS_ATTRIBUTE_TYPE_INVALID, "0x11:", {{.type = 0x11}}, 1},
	    {HSA_KS_ATTRIBUTE_TYPE_INVALID, "0x123", {{.type = 0x123}}, 1},
	    {HSA_KS_ATTRIBUTE_TYPE_INVALID, "0x80040003",
		{{.type = 0x80040003}}, 1},
	    {HSA_KS_ATTRIBUTE_TYPE_INVALID, "0x100000000",
		{{.type = UINT64_C(0x100000000)}}, 1},
	    {HSA_KS_ATTRIBUTE_VALUE_INVALID, "4096",
		{{.type = CKA_ID, .p = long_value, .n = sizeof(long_value)}},
		1},
	    {HSA_KS_TEMPLATE_INCONSISTENT, "twice",
		{{.type = CKA_ID}, {.type = CKA_ID, .p = long_value, .n = 1}},
		2},
	    {HSA_KS_TEMPLATE_INCONSISTENT, "0x3 is not what",
		{{.type = 0x3, .p = (const uint8_t *)"x", .n = 1}}, 1},
	    {HSA_KS_TEMPLATE_INCONSISTENT, "0x80040002",
		{{.type = HSA_KS_CKA_WKID,
		    .p = (const uint8_t *)"0123456789abcdef",
		    .n = 16}},
		1},
	};
	struct cu_bench *b = *state;
	struct hsa_ks_request q = {.op = HSA_KS_CREATE_KEYSTORE};
	struct hsa_ks_reply r = {0};
	uint8_t store[16], blob[HSA_BLOB_MAX + 1] = {0};

	memset(long_name, 'n', sizeof(long_name) - 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		q.name = names[i];
		assert_int_equal(ks_do(b, &r, &q), HSA_KS_ARGUMENTS_BAD);
		hsa_ks_reply_free(&r);
	}
	long_name[HSA_KS_NAME_MAX] = '\0'; /* fits */
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_OK);
	memcpy(store, r.store[0].id, 16);
	hsa_ks_reply_free(&r);

	ks_blob(blob, 1);
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		q = on_store(HSA_KS_STORE_KEY, store);
		q.blob = (struct hsa_slice){blob, KS_BLOB_LEN};
		q.attr = attrs[i].a;
		q.attr_len = attrs[i].n;
		if (ks_do(b, &r, &q) != attrs[i].rv ||
		    strstr(r.text, attrs[i].words) == NULL)
			fail_msg("%zu: 0x%x %s", i, r.rv, r.text);
		hsa_ks_reply_free(&r);
	}
	for (size_t i = 0; i <= HSA_KS_ATTRS_MAX; i++)
		many[i] = (struct hsa_attr){.type = 0x80050000 + i};
	q.attr = many;
	for (q.attr_len = HSA_KS_ATTRS_MAX; q.attr_len <= HSA_KS_ATTRS_MAX + 1;
	     q.attr_len++) {
		/* of the most that a message holds, the unit needs some */
		assert_int_equal(ks_do(b, &r, &q), HSA_KS_ARGUMENTS_BAD);
		hsa_ks_reply_free(&r);
	}
	q.attr_len = 0;
	for (size_t n = 1; n < sizeof(blob) + 1; n = n < 200 ? n + 1 : n * 2) {
		/* header, clear part, two or more blocks of eight, MAC */
		bool good = n >= 80 + 9 + 16 + 32 && (n - 121) % 8 == 0;

		memset(q.tx_id, 0, 16);
		memset(q.id, 0, 16);
		q.blob.n = n;
		assert_int_equal(
		    ks_do(b, &r, &q), good ? HSA_KS_OK : HSA_KS_BLOB_ERROR);
		hsa_ks_reply_free(&r);
	}
	memset(q.tx_id, 0, 16);
	q.blob.n = sizeof(blob);
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_BLOB_ERROR);
	hsa_ks_reply_free(&r);
	q.blob.n = KS_BLOB_LEN;
	blob[64] ^= 1; /* version */
	assert_int_equal(ks_do(b, &r, &q), HSA_KS_BLOB_ERROR);
	hsa_ks_reply_free(&r);
}

/* Each field, given where the operation does not take it and left out where
 * it must be. */
static void
test_cu_ks_list__fields_that_are_missing_or_too_many_are_refused(void **state)
{
	static const char takes[HSA_KS_OPS + 1][13] = {
	    /* tx store key name attr blob version force blobs wanted limit
	     * token: ! needed, . taken, - not */
	    "", "!.-!.-------", "!!-----.----", "---------!..", "----.-----..",
	    "!!...!------", "!!!...!-----", "!!!---.-----", "-!------.!..",
	    "-!--.---.-.."};
	struct cu_bench *b = *state;
	const uint8_t wanted[1][16] = {{9}};
	const struct hsa_attr a = {.type = CKA_ID};
	uint8_t store[16], key[16], blob[KS_BLOB_LEN];
	size_t refused = 0;

	ks_blob(blob, 3);
	ks_create(b, store, "s");
	ks_store(b, key, store, "k", 1);
	for (uint32_t op = 1; op <= HSA_KS_OPS; op++)
		for (unsigned int f = 0; f < 12; f++) {
			char how = takes[op][f];
			struct hsa_ks_request q = {.op = (enum hsa_ks_op)op};
			struct hsa_ks_reply r = {0};
			unsigned int set = 0;

			for (unsigned int i = 0; i < 12; i++)
				set |= takes[op][i] == '!' ? 1u << i : 0;
			set ^= how == '.' ? 0 : 1u << f;
			if (how == '.')
				continue;
			memset(q.tx_id, (set & 1) != 0 ? 0x70 : 0, 16);
			if ((set & 2) != 0)
				memcpy(q.keystore_id, store, 16);
			if ((set & 4) != 0)
				memcpy(q.key_id, key, 16);
			q.name = (set & 8) != 0 ? "name" : NULL;
			q.attr = &a;
			q.attr_len = (set & 16) != 0;
			q.blob.p = blob;
			q.blob.n = (set & 32) != 0 ? sizeof(blob) : 0;
			q.version = (set & 64) != 0;
			q.force = (set & 128) != 0;
			q.blobs = (set & 256) != 0;
			q.wanted = wanted;
			q.wanted_len = (set & 512) != 0;
			q.limit = (set & 1024) != 0;
			q.token.p = blob;
			q.token.n = (set & 2048) != 0 ? 25 : 0;
			memset(q.id, 0x31, 16);
			cu_unit_keystore(b->u, &r, &b->caller, &q);
			b->commands++;
			if (r.rv != HSA_KS_ARGUMENTS_BAD ||
			    strstr(r.text, how == '!' ? "needs" : "not take") ==
				NULL)
				fail_msg("op %u field %u: 0x%x %s", op, f, r.rv,
				    r.text == NULL ? "" : r.text);
			hsa_ks_reply_free(&r);
			refused++;
		}
	printf("COUNT fields refused: %zu\n", refused);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(test_cu_ks_list__pages_give_every_key_once),
	    CASE(test_cu_ks_list__a_search_takes_all_attributes_or_none),
	    CASE(test_cu_ks_list__ids_that_are_not_there_are_left_out),
	    CASE(test_cu_ks_list__large_blobs_make_short_pages),
	    CASE(
		test_cu_ks_list__keys_stored_and_deleted_meanwhile_disturb_no_page),
	    CASE(test_cu_ks_list__a_token_of_another_list_is_refused),
	    CASE(test_cu_ks_list__names_are_data_whatever_they_spell),
	    CASE(test_cu_ks_list__wrong_names_attributes_and_blobs_are_refused),
	    CASE(
		test_cu_ks_list__fields_that_are_missing_or_too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
