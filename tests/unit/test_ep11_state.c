/* Operation states on a real token: sealed, opened, damaged, foreign; and the
 * digests, which live in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_op.h"
#include "helper_data.h"
#include "hsa_hash.h"

static struct helper_ep11 H;
static uint8_t text[300];
static const uint8_t value[32] = "0123456789abcdefFEDCBA9876543210";

static const struct {
	CK_MECHANISM_TYPE type;
	const char *name;
	size_t len;
} hashes[] = {{CKM_SHA_1, "SHA1", 20}, {CKM_SHA224, "SHA224", 28},
    {CKM_SHA256, "SHA256", 32}, {CKM_SHA384, "SHA384", 48},
    {CKM_SHA512, "SHA512", 64}};
#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

static int
setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 3 + i / 256);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_ep11_free(&H);
	return 0;
}

static void
want(uint8_t out[64], size_t i, size_t n)
{
	assert_int_equal(EVP_Digest(text, n, out, NULL,
			     EVP_get_digestbyname(hashes[i].name), NULL),
	    1);
}

static void
same(const struct hsa_buf *b, const void *p, size_t n)
{
	assert_int_equal(b->len, n);
	if (n != 0)
		assert_memory_equal(b->p, p, n);
}

/* ---- digests ------------------------------------------------------------- */

static void
test_digest__every_form_is_openssl(void **state)
{
	struct hsa_buf st = {0}, out = {0};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < HASHES; i++) {
		struct hsa_mech m = hdata_mech(hashes[i].type);

		for (size_t n = 0; n <= sizeof(text); n += 50) {
			uint8_t d[64];

			want(d, i, n);
			assert_int_equal(hdata_single(&H, HSA_FN_DIGEST_SINGLE,
					     &m, NULL, text, n, &out),
			    CKR_OK);
			same(&out, d, hashes[i].len);
			assert_int_equal(
			    hdata_init(&H, HSA_FN_DIGEST_INIT, &st, &m, NULL),
			    CKR_OK);
			assert_true(st.len <= EP11_STATE_DIGEST_MAX);
			assert_int_equal(
			    hdata_once(&H, HSA_FN_DIGEST, &st, text, n, &out),
			    CKR_OK);
			same(&out, d, hashes[i].len);
			for (size_t at = 0; at < n; at += 25)
				assert_int_equal(
				    hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st,
					text + at, 25, NULL),
				    CKR_OK);
			assert_int_equal(
			    hdata_final(&H, HSA_FN_DIGEST_FINAL, &st, &out),
			    CKR_OK);
			same(&out, d, hashes[i].len);
			cells += 3;
		}
	}
	printf("COUNT digests: %zu\n", cells);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

static void
test_digest__states_may_be_rewound(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_SHA256);
	struct hsa_buf st = {0}, old = {0}, out = {0};
	uint8_t d[64];

	(void)state;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_DIGEST_INIT, &st, &m, NULL), CKR_OK);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st, text, 100, NULL),
	    CKR_OK);
	hsa_buf_put(&old, st.p, st.len);
	for (size_t n = 100; n <= 300; n += 100) {
		hsa_buf_reset(&st);
		hsa_buf_put(&st, old.p, old.len);
		assert_int_equal(hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st,
				     text + 100, n - 100, NULL),
		    CKR_OK);
		assert_int_equal(st.len, old.len);
		assert_int_equal(
		    hdata_final(&H, HSA_FN_DIGEST_FINAL, &st, &out), CKR_OK);
		want(d, 2, n);
		same(&out, d, 32);
	}
	assert_int_equal(hdata_once(&H, HSA_FN_DIGEST, &st, text, 1, &out),
	    CKR_OPERATION_ACTIVE);
	hsa_buf_free(&st);
	hsa_buf_free(&old);
	hsa_buf_free(&out);
}

static void
test_digest__of_keys_is_not_offered(void **state)
{
	struct hsa_call c = {.fn = HSA_FN_DIGEST_KEY};
	uint8_t mask[16];

	(void)state;
	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_FUNCTION_NOT_SUPPORTED);
	ep11_engine_functions(mask);
	assert_int_equal(mask[0] & 0x80 >> 7, 0);     /* id 7 */
	assert_int_not_equal(mask[1] & 0x80 >> 2, 0); /* id 10, DigestSingle */
	hsa_call_free(&c);
}

/* A unit without a master key still hashes in one call. */
static void
test_digest__needs_no_master_key_in_one_call(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_SHA512), wrong = m;
	struct hsa_buf st = {0}, out = {0};
	uint8_t d[64];

	(void)state;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_DIGEST_INIT, &st, &m, NULL), CKR_OK);
	helper_ep11_wk(&H, -1, -1);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DIGEST_SINGLE, &m, NULL, text, 300, &out),
	    CKR_OK);
	want(d, 4, 300);
	same(&out, d, 64);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st, text, 1, NULL),
	    CKR_IBM_WK_NOT_INITIALIZED);
	assert_int_equal(hdata_init(&H, HSA_FN_DIGEST_INIT, &st, &m, NULL),
	    CKR_IBM_WK_NOT_INITIALIZED);
	helper_ep11_wk(&H, 0, -1);
	wrong.type = CKM_AES_ECB;
	assert_int_equal(hdata_init(&H, HSA_FN_DIGEST_INIT, &st, &wrong, NULL),
	    CKR_MECHANISM_INVALID);
	wrong.type = CKM_MD5;
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DIGEST_SINGLE, &wrong, NULL, text, 1, &out),
	    CKR_MECHANISM_INVALID);
	wrong = hdata_mech_bytes(CKM_SHA512, text, 1);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DIGEST_SINGLE, &wrong, NULL, text, 1, &out),
	    CKR_MECHANISM_PARAM_INVALID);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

/* ---- states -------------------------------------------------------------- */

static void
test_state__what_was_sealed_comes_back(void **state)
{
	struct hsa_buf out = {0}, again = {0}, body = {0};

	(void)state;
	hsa_buf_put(&out, "before", 6);
	assert_int_equal(
	    ep11_state_seal(H.e, &out, EP11_STATE_SIGN, text, 300), CKR_OK);
	assert_int_equal(out.len, 6 + EP11_STATE_HEAD + 300 + EP11_MAC_LEN);
	assert_memory_equal(out.p, "before", 6);
	assert_int_equal(
	    ep11_state_seal(H.e, &again, EP11_STATE_SIGN, text, 300), CKR_OK);
	/* same body, another IV: nothing of it looks alike */
	assert_memory_not_equal(
	    again.p + EP11_STATE_HEAD, out.p + 6 + EP11_STATE_HEAD, 16);
	for (size_t i = 0; i + 16 <= again.len; i++)
		assert_memory_not_equal(again.p + i, text, 16);
	assert_int_equal(ep11_state_open(H.e, &body, EP11_STATE_SIGN,
			     (struct hsa_slice){again.p, again.len}),
	    CKR_OK);
	same(&body, text, 300);
	hsa_buf_free(&out);
	hsa_buf_free(&again);
	hsa_buf_free(&body);
}

/* Every bit of every byte: the id's bytes tell of another master key, all
 * others of a state that is none. */
static void
test_state__every_flip_is_refused(void **state)
{
	struct hsa_buf st = {0}, body = {0};
	size_t flips = 0;

	(void)state;
	assert_int_equal(
	    ep11_state_seal(H.e, &st, EP11_STATE_ENCRYPT, text, 120), CKR_OK);
	for (size_t i = 0; i < st.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			CK_RV rv;

			st.p[i] ^= (uint8_t)(1u << bit);
			rv = ep11_state_open(
			    H.e, &body, EP11_STATE_ENCRYPT, helper_slice(&st));
			assert_int_equal(rv, i >= 32 && i < 48
						 ? CKR_IBM_WKID_MISMATCH
						 : CKR_SAVED_STATE_INVALID);
			assert_int_equal(body.len, 0);
			st.p[i] ^= (uint8_t)(1u << bit);
			flips++;
		}
	for (size_t n = 0; n < st.len; n++)
		assert_int_equal(ep11_state_open(H.e, &body, EP11_STATE_ENCRYPT,
				     (struct hsa_slice){st.p, n}),
		    CKR_SAVED_STATE_INVALID);
	for (int kind = EP11_STATE_DIGEST; kind <= EP11_STATE_VERIFY; kind++)
		assert_int_equal(
		    ep11_state_open(H.e, &body, (enum ep11_state_kind)kind,
			helper_slice(&st)),
		    kind == EP11_STATE_ENCRYPT ? CKR_OK
					       : CKR_SAVED_STATE_INVALID);
	printf("COUNT bits of a state flipped: %zu\n", flips);
	hsa_buf_free(&st);
	hsa_buf_free(&body);
}

static void
test_state__ends_with_its_master_key(void **state)
{
	struct hsa_buf st = {0}, body = {0};

	(void)state;
	assert_int_equal(
	    ep11_state_seal(H.e, &st, EP11_STATE_SIGN, text, 9), CKR_OK);
	assert_memory_equal(st.p + 32, H.wk[0].pattern, 16);
	helper_ep11_wk(&H, 1, -1);
	assert_int_equal(
	    ep11_state_open(H.e, &body, EP11_STATE_SIGN, helper_slice(&st)),
	    CKR_IBM_WKID_MISMATCH);
	/* its id written over: the MAC still knows */
	memcpy(st.p + 32, H.wk[1].pattern, 16);
	assert_int_equal(
	    ep11_state_open(H.e, &body, EP11_STATE_SIGN, helper_slice(&st)),
	    CKR_SAVED_STATE_INVALID);
	helper_ep11_wk(&H, -1, -1);
	assert_int_equal(
	    ep11_state_open(H.e, &body, EP11_STATE_SIGN, helper_slice(&st)),
	    CKR_IBM_WK_NOT_INITIALIZED);
	assert_int_equal(ep11_state_seal(H.e, &body, EP11_STATE_SIGN, text, 9),
	    CKR_IBM_WK_NOT_INITIALIZED);
	helper_ep11_wk(&H, 0, -1);
	memcpy(st.p + 32, H.wk[0].pattern, 16);
	assert_int_equal(
	    ep11_state_open(H.e, &body, EP11_STATE_SIGN, helper_slice(&st)),
	    CKR_OK);
	same(&body, text, 9);
	hsa_buf_free(&st);
	hsa_buf_free(&body);
}

/* Units with the same master key go on with each other's operations. One
 * process has one token at a time, so they take turns. */
static void
test_state__another_unit_of_the_same_key_goes_on(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_SHA256);
	struct hsa_buf st = {0}, out = {0};
	uint8_t d[64];

	(void)state;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_DIGEST_INIT, &st, &m, NULL), CKR_OK);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st, text, 100, NULL),
	    CKR_OK);
	helper_ep11_free(&H);
	helper_ep11_make(&H, 9, 0);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st, text, 1, NULL),
	    CKR_IBM_WKID_MISMATCH);
	helper_ep11_free(&H);
	helper_ep11_make(&H, 1, 0);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st, text + 100, 100, NULL),
	    CKR_OK);
	assert_int_equal(
	    hdata_final(&H, HSA_FN_DIGEST_FINAL, &st, &out), CKR_OK);
	want(d, 2, 200);
	same(&out, d, 32);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

/* What the state key would decrypt is still checked: bodies of our own key
 * that no Init wrote. */
static void
test_state__bodies_that_are_no_operation_are_refused(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_SHA256),
			ecb = hdata_mech(CKM_AES_ECB);
	struct hsa_buf body = {0}, st = {0}, out = {0}, key = {0};

	(void)state;
	assert_int_equal(
	    ep11_state_seal(H.e, &st, EP11_STATE_DIGEST, text, 100), CKR_OK);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st, text, 1, &out),
	    CKR_SAVED_STATE_INVALID);
	/* too little kept for a hash */
	assert_int_equal(
	    ep11_op_encode(&body, &m, (struct hsa_slice){0}, 10).v, 0);
	hsa_buf_reset(&st);
	assert_int_equal(
	    ep11_state_seal(H.e, &st, EP11_STATE_DIGEST, body.p, body.len),
	    CKR_OK);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_DIGEST_UPDATE, &st, text, 1, &out),
	    CKR_SAVED_STATE_INVALID);
	assert_int_equal(hdata_final(&H, HSA_FN_DIGEST_FINAL, &st, &out),
	    CKR_SAVED_STATE_INVALID);
	/* a chain for a hash, and the other way round */
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	hsa_buf_reset(&body);
	assert_int_equal(
	    ep11_op_encode(&body, &ecb, helper_slice(&key), 10).v, 0);
	hsa_buf_reset(&st);
	assert_int_equal(
	    ep11_state_seal(H.e, &st, EP11_STATE_ENCRYPT, body.p, body.len),
	    CKR_OK);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 16, &out),
	    CKR_SAVED_STATE_INVALID);
	assert_int_equal(hdata_final(&H, HSA_FN_ENCRYPT_FINAL, &st, &out),
	    CKR_SAVED_STATE_INVALID);
	hsa_buf_free(&body);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
	hsa_buf_free(&key);
}

static void
test_state__longer_than_its_limit_is_not_made(void **state)
{
	static const uint8_t big[EP11_STATE_MAX];
	size_t room = EP11_STATE_HEAD + EP11_MAC_LEN;
	struct hsa_buf st = {0};

	(void)state;
	assert_int_equal(ep11_state_seal(H.e, &st, EP11_STATE_SIGN, big,
			     EP11_STATE_MAX - room),
	    CKR_OK);
	assert_int_equal(st.len, 12288);
	hsa_buf_reset(&st);
	assert_int_equal(ep11_state_seal(H.e, &st, EP11_STATE_SIGN, big,
			     EP11_STATE_MAX - room + 1),
	    CKR_DATA_LEN_RANGE);
	assert_int_equal(ep11_state_seal(H.e, &st, EP11_STATE_DIGEST, big,
			     EP11_STATE_DIGEST_MAX - room),
	    CKR_OK);
	assert_int_equal(st.len, 1024);
	hsa_buf_reset(&st);
	assert_int_equal(ep11_state_seal(H.e, &st, EP11_STATE_DIGEST, big,
			     EP11_STATE_DIGEST_MAX - room + 1),
	    CKR_DATA_LEN_RANGE);
	assert_int_equal(st.len, 0);
	hsa_buf_free(&st);
}

/* The token fails at each of its calls: refused, nothing half done. */
static void
test_state__a_failing_token_is_no_broken_state(void **state)
{
	struct helper_ep11_fault f = {.inner = H.token, .rv = CKR_DEVICE_ERROR};
	struct hsa_buf st = {0}, body = {0};
	unsigned calls;

	(void)state;
	assert_int_equal(
	    ep11_state_seal(H.e, &st, EP11_STATE_SIGN, text, 50), CKR_OK);
	H.e->token = helper_ep11_faulty(&f);
	for (unsigned at = 1; at <= 3; at++) {
		struct hsa_buf out = {0};

		f.calls = 0;
		f.fail_at = at;
		assert_int_equal(
		    ep11_state_seal(H.e, &out, EP11_STATE_SIGN, text, 50),
		    CKR_FUNCTION_FAILED);
		assert_int_equal(out.len, 0);
		hsa_buf_free(&out);
	}
	for (unsigned at = 1; at <= 2; at++) {
		f.calls = 0;
		f.fail_at = at;
		assert_int_equal(ep11_state_open(H.e, &body, EP11_STATE_SIGN,
				     helper_slice(&st)),
		    CKR_FUNCTION_FAILED);
		assert_int_equal(body.len, 0);
	}
	f.calls = f.fail_at = 0;
	assert_int_equal(
	    ep11_state_open(H.e, &body, EP11_STATE_SIGN, helper_slice(&st)),
	    CKR_OK);
	calls = f.calls;
	assert_int_equal(calls, 2);
	same(&body, text, 50);
	H.e->token = H.token;
	hsa_buf_free(&st);
	hsa_buf_free(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_digest__every_form_is_openssl),
	    cmocka_unit_test(test_digest__states_may_be_rewound),
	    cmocka_unit_test(test_digest__of_keys_is_not_offered),
	    cmocka_unit_test(test_digest__needs_no_master_key_in_one_call),
	    cmocka_unit_test(test_state__what_was_sealed_comes_back),
	    cmocka_unit_test(test_state__every_flip_is_refused),
	    cmocka_unit_test(test_state__ends_with_its_master_key),
	    cmocka_unit_test(test_state__another_unit_of_the_same_key_goes_on),
	    cmocka_unit_test(
		test_state__bodies_that_are_no_operation_are_refused),
	    cmocka_unit_test(test_state__longer_than_its_limit_is_not_made),
	    cmocka_unit_test(test_state__a_failing_token_is_no_broken_state),
	};

	return helper_bk_have() ? cmocka_run_group_tests(tests, setup, teardown)
				: HELPER_BK_SKIP;
}
