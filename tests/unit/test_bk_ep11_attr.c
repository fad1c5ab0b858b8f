/* GetAttributeValue and SetAttributeValue on keys of a real token. */
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_spki.h"
#include "helper_tmpl.h"

static struct helper_ep11 H;
static struct hsa_call C, K;
static struct helper_tmpl T;
static const uint8_t VALUE[32] = "known to everybody in this test";

static int
group_setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	helper_ep11_free(&H);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	helper_cp(&H, NULL, 0);
	return 0;
}

static int
done(void **state)
{
	(void)state;
	hsa_call_free(&C);
	hsa_call_free(&K);
	return 0;
}

/* Ask one, with that much room; ~0: as GREP11 does. */
static CK_RV
ask(const struct hsa_buf *blob, CK_ATTRIBUTE_TYPE type, size_t room)
{
	static const uint8_t there = 0;
	static struct hsa_attr a;

	a = (struct hsa_attr){.type = type,
	    .p = room == 0 ? NULL : &there,
	    .n = room,
	    .typed = room == SIZE_MAX};
	C.key = helper_slice(blob);
	C.attr = &a;
	C.attr_len = 1;
	return helper_ep11_call(&H, &C, HSA_FN_GET_ATTRIBUTE_VALUE);
}

static uint64_t
number(const struct hsa_buf *blob, CK_ATTRIBUTE_TYPE type)
{
	uint64_t v = 0;

	assert_int_equal(ask(blob, type, 64), CKR_OK);
	assert_int_equal(C.got_len, 1);
	assert_int_equal(C.got[0].type, type);
	assert_true(C.got[0].n == 1 || C.got[0].n == 8);
	memcpy(&v, C.got[0].p, C.got[0].n);
	return v;
}

static void
unavailable(const struct hsa_buf *blob, CK_ATTRIBUTE_TYPE type)
{
	assert_int_equal(ask(blob, type, 64), CKR_OK);
	assert_true(C.got[0].n == HSA_ATTR_UNAVAILABLE);
	assert_null(C.got[0].p);
}

static void
bytes_are(
    const struct hsa_buf *blob, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	assert_int_equal(ask(blob, type, 4096), CKR_OK);
	assert_int_equal(C.got[0].n, n);
	assert_memory_equal(C.got[0].p, p, n);
	/* as GREP11 asks */
	assert_int_equal(ask(blob, type, SIZE_MAX), CKR_OK);
	assert_true(C.got[0].typed);
	assert_memory_equal(C.got[0].p, p, n);
	/* the length alone; then one byte too few */
	assert_int_equal(ask(blob, type, 0), CKR_OK);
	assert_int_equal(C.got[0].n, n);
	assert_null(C.got[0].p);
	assert_int_equal(
	    ask(blob, type, n - 1), n == 1 ? CKR_OK : CKR_BUFFER_TOO_SMALL);
	assert_int_equal(C.got[0].n, n);
	assert_null(C.got[0].p);
}

static void
test_bk_ep11_attr__every_boolean_is_told(void **state)
{
	const struct ep11_bool_row *rows = NULL;
	struct hsa_buf blob = {0};
	size_t n = 0;

	(void)state;
	rows = ep11_bool_rows(&n);
	for (size_t i = 0; i < n; i++) {
		helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, rows[i].bit);
		for (size_t j = 0; j < n; j++) {
			assert_int_equal(number(&blob, rows[j].type), i == j);
			assert_int_equal(C.got[0].n, 1);
		}
	}
	printf("COUNT booleans asked for: %zu\n", n * n);
	hsa_buf_free(&blob);
}

static void
test_bk_ep11_attr__what_secret_keys_are(void **state)
{
	struct hsa_buf blob = {0};
	uint64_t mode;

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 24, EP11_ENCRYPT);
	assert_int_equal(number(&blob, CKA_CLASS), CKO_SECRET_KEY);
	assert_int_equal(number(&blob, CKA_KEY_TYPE), CKK_AES);
	assert_int_equal(number(&blob, CKA_VALUE_LEN), 24);
	mode = number(&blob, CKA_IBM_STD_COMPLIANCE1);
	assert_int_equal(mode, 0);
	assert_int_equal(C.got[0].n, 8);
	unavailable(&blob, CKA_PUBLIC_KEY_INFO);
	unavailable(&blob, CKA_VALUE);
	unavailable(&blob, CKA_MODULUS_BITS);
	unavailable(&blob, CKA_EC_PARAMS);
	unavailable(&blob, CKA_EC_POINT);
	unavailable(&blob, CKA_LABEL);
	unavailable(&blob, 0xdeadbeef);
	hsa_buf_free(&blob);
}

static void
test_bk_ep11_attr__what_key_pairs_are(void **state)
{
	const struct ep11_curve *c = NULL;
	struct hsa_buf spki = {0}, point = {0}, der = {0};
	struct ep11_pkey k = {0};
	size_t n = 0;

	(void)state;
	c = ep11_curve_rows(&n);
	memset(&T, 0, sizeof(T));
	tmpl_num(&T, CKA_MODULUS_BITS, 1024);
	assert_int_equal(
	    helper_generate_pair(&H, &K, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_OK);
	for (int half = 0; half < 2; half++) {
		struct hsa_buf *b = half == 0 ? &K.out : &K.out2;

		assert_int_equal(number(b, CKA_CLASS),
		    half == 0 ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY);
		assert_int_equal(number(b, CKA_KEY_TYPE), CKK_RSA);
		assert_int_equal(number(b, CKA_MODULUS_BITS), 1024);
		bytes_are(b, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
		assert_int_equal(ask(b, CKA_MODULUS, 4096), CKR_OK);
		assert_int_equal(C.got[0].n, 128);
		unavailable(b, CKA_VALUE_LEN);
		unavailable(b, CKA_EC_PARAMS);
		unavailable(b, CKA_PRIVATE_EXPONENT);
		unavailable(b, CKA_PRIME_1);
	}
	for (size_t i = 0; i < n; i++) {
		EVP_PKEY *pub = NULL;

		memset(&T, 0, sizeof(T));
		tmpl_bytes(&T, CKA_EC_PARAMS, c[i].oid, c[i].oid_len);
		assert_int_equal(
		    helper_generate_pair(&H, &K, CKM_EC_KEY_PAIR_GEN, &T, NULL),
		    CKR_OK);
		pub = helper_public(&K.out2, NULL);
		k = (struct ep11_pkey){.key = pub,
		    .type = CKK_EC,
		    .curve = &c[i],
		    .bits = c[i].bits};
		hsa_buf_reset(&spki);
		hsa_buf_reset(&point);
		hsa_buf_reset(&der);
		assert_int_equal(ep11_pkey_spki(&spki, &k), CKR_OK);
		assert_int_equal(ep11_pkey_point(&point, &k), CKR_OK);
		ep11_octets(&der, point.p, point.len);
		for (int half = 0; half < 2; half++) {
			struct hsa_buf *b = half == 0 ? &K.out : &K.out2;

			bytes_are(b, CKA_EC_PARAMS, c[i].oid, c[i].oid_len);
			bytes_are(b, CKA_PUBLIC_KEY_INFO, spki.p, spki.len);
			bytes_are(b, CKA_EC_POINT, der.p, der.len);
			unavailable(b, CKA_MODULUS);
		}
		EVP_PKEY_free(pub);
	}
	hsa_buf_free(&spki);
	hsa_buf_free(&point);
	hsa_buf_free(&der);
}

static void
test_bk_ep11_attr__many_at_once_each_by_its_room(void **state)
{
	static const uint8_t there = 0;
	const struct hsa_attr a[] = {
	    {.type = CKA_KEY_TYPE, .p = &there, .n = 8},
	    {.type = CKA_SIGN, .p = &there, .n = 0},
	    {.type = CKA_VALUE_LEN, .p = &there, .n = 7},
	    {.type = CKA_VALUE, .p = &there, .n = 100},
	    {.type = CKA_CLASS, .p = NULL, .n = 0},
	    {.type = CKA_ENCRYPT, .p = &there, .n = 1}};
	struct hsa_buf blob = {0};
	CK_KEY_TYPE type = 0;

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, EP11_ENCRYPT);
	C.key = helper_slice(&blob);
	C.attr = a;
	C.attr_len = 6;
	assert_int_equal(helper_ep11_call(&H, &C, HSA_FN_GET_ATTRIBUTE_VALUE),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(C.got_len, 6);
	assert_int_equal(C.got[0].n, 8);
	memcpy(&type, C.got[0].p, 8);
	assert_int_equal(type, CKK_AES);
	assert_int_equal(C.got[1].n, 1);
	assert_null(C.got[1].p);
	assert_int_equal(C.got[2].n, 8);
	assert_null(C.got[2].p);
	assert_true(C.got[3].n == HSA_ATTR_UNAVAILABLE);
	assert_int_equal(C.got[4].n, 8);
	assert_null(C.got[4].p);
	assert_int_equal(C.got[5].p[0], 1);
	C.attr_len = 0;
	assert_int_equal(
	    helper_ep11_call(&H, &C, HSA_FN_GET_ATTRIBUTE_VALUE), CKR_OK);
	assert_int_equal(C.got_len, 0);
	C.key.n--;
	assert_int_equal(helper_ep11_call(&H, &C, HSA_FN_GET_ATTRIBUTE_VALUE),
	    CKR_IBM_BLOB_ERROR);
	assert_null(C.got);
	hsa_buf_free(&blob);
}

/* ---- set ----------------------------------------------------------------- */

static CK_RV
set(const struct hsa_buf *blob, CK_ATTRIBUTE_TYPE type, bool v)
{
	memset(&T, 0, sizeof(T));
	tmpl_bool(&T, type, v);
	C.key = helper_slice(blob);
	C.attr = T.a;
	C.attr_len = 1;
	return helper_ep11_call(&H, &C, HSA_FN_SET_ATTRIBUTE_VALUE);
}

static void
test_bk_ep11_attr__set_rewrites_the_word_and_nothing_else(void **state)
{
	const struct ep11_bool_row *rows = NULL;
	struct hsa_buf blob = {0};
	size_t n = 0, changed = 0;

	(void)state;
	rows = ep11_bool_rows(&n);
	for (size_t i = 0; i < n; i++)
		for (int want = 0; want < 2; want++) {
			uint32_t before =
			    EP11_MODIFIABLE | (want ? 0 : rows[i].bit);
			bool may = want ? rows[i].may_set : rows[i].may_clear;
			CK_RV rv = may ? CKR_OK : CKR_ATTRIBUTE_READ_ONLY;
			struct ep11_key *k = NULL;

			if (rows[i].bit == EP11_MODIFIABLE && want != 0)
				continue;
			/* what no template may name */
			if (rows[i].bit == EP11_RETAINED ||
			    rows[i].bit == EP11_PROTKEY_EXTRACTABLE)
				rv = want ? CKR_ATTRIBUTE_VALUE_INVALID : rv;
			helper_ep11_secret(
			    &H, &blob, CKK_AES, VALUE, 32, before);
			assert_int_equal(set(&blob, rows[i].type, want), rv);
			if (rv != CKR_OK) {
				assert_int_equal(C.out.len, 0);
				continue;
			}
			assert_int_equal(C.out.len, blob.len);
			assert_int_equal(helper_blob_bools(&C.out),
			    want ? before | rows[i].bit
				 : before & ~rows[i].bit);
			/* all but the word and the MAC stays */
			assert_memory_equal(C.out.p, blob.p, 52);
			assert_memory_equal(
			    C.out.p + 56, blob.p + 56, blob.len - 56 - 32);
			assert_memory_not_equal(C.out.p + blob.len - 32,
			    blob.p + blob.len - 32, 32);
			assert_int_equal(ep11_key_get(H.e, &k, NULL,
					     helper_slice(&C.out), 0),
			    CKR_OK);
			ep11_key_put(H.e, k);
			changed++;
		}
	printf("COUNT attributes changed: %zu\n", changed);
	hsa_buf_free(&blob);
}

static void
test_bk_ep11_attr__set_is_refused_where_it_must_be(void **state)
{
	const struct ep11_curve *c = ep11_curve_rows(&(size_t){0});
	struct hsa_buf blob = {0};

	(void)state;
	helper_ep11_secret(
	    &H, &blob, CKK_AES, VALUE, 32, EP11_MODIFIABLE | EP11_ENCRYPT);
	helper_cp(&H, (const int[]){17}, 1);
	assert_int_equal(set(&blob, CKA_SIGN, true), CKR_FUNCTION_CANCELED);
	/* 39 to 41: not both, though one by one they would be fine */
	helper_cp(&H, (const int[]){39}, 1);
	assert_int_equal(set(&blob, CKA_WRAP, true), CKR_FUNCTION_CANCELED);
	assert_int_equal(set(&blob, CKA_SIGN, true), CKR_OK);
	helper_cp(&H, (const int[]){40}, 1);
	assert_int_equal(set(&blob, CKA_SIGN, true), CKR_FUNCTION_CANCELED);
	assert_int_equal(set(&blob, CKA_DECRYPT, true), CKR_OK);
	helper_cp(&H, NULL, 0);
	/* not modifiable */
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, EP11_ENCRYPT);
	assert_int_equal(
	    set(&blob, CKA_ENCRYPT, false), CKR_ATTRIBUTE_READ_ONLY);
	/* no boolean */
	memset(&T, 0, sizeof(T));
	tmpl_num(&T, CKA_VALUE_LEN, 16);
	C.attr = T.a;
	assert_int_equal(helper_ep11_call(&H, &C, HSA_FN_SET_ATTRIBUTE_VALUE),
	    CKR_ATTRIBUTE_READ_ONLY);
	memset(&T, 0, sizeof(T));
	tmpl_num(&T, CKA_LABEL, 16);
	assert_int_equal(helper_ep11_call(&H, &C, HSA_FN_SET_ATTRIBUTE_VALUE),
	    CKR_ATTRIBUTE_READ_ONLY);
	/* a use that the type has not; and the public half's own */
	memset(&T, 0, sizeof(T));
	tmpl_bytes(&T, CKA_EC_PARAMS, c[2].oid, c[2].oid_len);
	assert_int_equal(
	    helper_generate_pair(&H, &K, CKM_EC_KEY_PAIR_GEN, &T, NULL),
	    CKR_OK);
	assert_int_equal(
	    set(&K.out, CKA_DECRYPT, true), CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(set(&K.out, CKA_SIGN, false), CKR_OK);
	assert_int_equal(set(&K.out2, CKA_VERIFY, false), CKR_OK);
	assert_int_equal(C.out.len, K.out2.len);
	hsa_buf_reset(&blob);
	hsa_buf_put(&blob, C.out.p, C.out.len);
	assert_int_equal(set(&blob, CKA_SIGN, true), CKR_TEMPLATE_INCONSISTENT);
	hsa_buf_free(&blob);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_bk_ep11_attr__every_boolean_is_told),
	    CASE(test_bk_ep11_attr__what_secret_keys_are),
	    CASE(test_bk_ep11_attr__what_key_pairs_are),
	    CASE(test_bk_ep11_attr__many_at_once_each_by_its_room),
	    CASE(test_bk_ep11_attr__set_rewrites_the_word_and_nothing_else),
	    CASE(test_bk_ep11_attr__set_is_refused_where_it_must_be),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
