/* The hot path on a real token: how often the token is asked, and what is
 * allocated. What it costs in time is ep11-bench's to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "helper_data.h"

static struct helper_ep11 H;
static uint8_t text[1024], iv[12];
static const uint8_t value[64] = "0123456789abcdefFEDCBA9876543210";

static int
setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	memset(text, 0x5a, sizeof(text));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_ep11_free(&H);
	return 0;
}

static struct hsa_call
gcm_call(const struct hsa_buf *key)
{
	return (struct hsa_call){.fn = HSA_FN_ENCRYPT_SINGLE,
	    .key = helper_slice(key),
	    .data = {text, sizeof(text)},
	    .mech = {.type = CKM_AES_GCM,
		.kind = HSA_MECH_GCM,
		.a = {iv, sizeof(iv)},
		.tag_bits = 128}};
}

/* One call of the token for a cached key, into a buffer that stays. */
static void
test_hot__a_cached_operation_asks_the_token_once(void **state)
{
	struct helper_ep11_fault f = {.inner = H.token};
	struct hsa_buf key = {0};
	struct hsa_call c;
	uint8_t *at;

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	c = gcm_call(&key);
	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_OK);
	assert_int_equal(c.out.len, 1040);
	at = c.out.p;
	H.e->token = helper_ep11_faulty(&f);
	for (unsigned i = 1; i <= 20; i++) {
		hsa_call_reset(&c);
		ep11_engine_call(H.e, &c);
		assert_int_equal(c.rv, CKR_OK);
		assert_int_equal(f.calls, i);
		assert_ptr_equal(c.out.p, at);
		assert_int_equal(c.out2.cap, 0);
		assert_int_equal(c.new_state.cap, 0);
	}
	H.e->token = H.token;
	hsa_call_free(&c);
	hsa_buf_free(&key);
}

static void
length_is_told(const struct hsa_mech *m, const struct hsa_buf *key,
    enum hsa_fn fn, const void *in, size_t n)
{
	struct helper_ep11_fault f = {.inner = H.token};
	struct hsa_call c = {
	    .fn = fn, .mech = *m, .key = helper_slice(key), .data = {in, n}};
	uint64_t needed;

	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_OK);
	needed = c.out.len;
	hsa_call_reset(&c);
	H.e->token = helper_ep11_faulty(&f);
	c.length_only = true;
	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_OK);
	assert_int_equal(c.needed, needed);
	assert_int_equal(c.out.len, 0);
	assert_int_equal(f.calls, 0);
	H.e->token = H.token;
	hsa_call_free(&c);
}

static void
test_hot__length_queries_do_no_work(void **state)
{
	static const CK_MECHANISM_TYPE signs[] = {
	    CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_RSA_X_509};
	CK_ULONG five = 5;
	EVP_PKEY *rsa = EVP_RSA_gen(1031), *ec = EVP_EC_gen("P-521");
	struct hsa_buf key = {0}, priv = {0}, pub = {0}, out = {0};
	struct hsa_mech gcm = {.type = CKM_AES_GCM,
	    .kind = HSA_MECH_GCM,
	    .a = {iv, 12},
	    .tag_bits = 96};
	struct hsa_mech m = hdata_mech_bytes(CKM_AES_CBC_PAD, text, 16);

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	for (size_t n = 0; n <= 33; n++) {
		length_is_told(&m, &key, HSA_FN_ENCRYPT_SINGLE, text, n);
		length_is_told(&gcm, &key, HSA_FN_ENCRYPT_SINGLE, text, n);
	}
	m.type = CKM_AES_CBC;
	length_is_told(&m, &key, HSA_FN_DECRYPT_SINGLE, text, 32);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &gcm, &key, text, 40, &out),
	    CKR_OK);
	length_is_told(&gcm, &key, HSA_FN_DECRYPT_SINGLE, out.p, out.len);
	hdata_secret(&H, &key, CKK_GENERIC_SECRET, value, 64, 0);
	m = hdata_mech(CKM_SHA384_HMAC);
	length_is_told(&m, &key, HSA_FN_SIGN_SINGLE, text, 7);
	m = hdata_mech_bytes(CKM_SHA384_HMAC_GENERAL, &five, sizeof(five));
	length_is_told(&m, &key, HSA_FN_SIGN_SINGLE, text, 7);
	hdata_pair(&H, &priv, &pub, rsa, 0);
	for (size_t i = 0; i < 3; i++) {
		m = hdata_mech(signs[i]);
		length_is_told(&m, &priv, HSA_FN_SIGN_SINGLE, text, 9);
	}
	hdata_pair(&H, &priv, &pub, ec, 0);
	m = hdata_mech(CKM_ECDSA);
	length_is_told(&m, &priv, HSA_FN_SIGN_SINGLE, text, 9);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	hsa_buf_free(&key);
	hsa_buf_free(&priv);
	hsa_buf_free(&pub);
	hsa_buf_free(&out);
}

/* What is wrong is told of a length query too. */
static void
test_hot__length_queries_are_checked(void **state)
{
	struct hsa_mech m = hdata_mech_bytes(CKM_AES_CBC, text, 16);
	struct hsa_buf key = {0};
	struct hsa_call c = {.fn = HSA_FN_ENCRYPT_SINGLE,
	    .mech = m,
	    .data = {text, 17},
	    .length_only = true};

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	c.key = helper_slice(&key);
	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_DATA_LEN_RANGE);
	c.data.n = 16;
	key.p[60] ^= 1;
	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_IBM_BLOB_ERROR);
	key.p[60] ^= 1;
	c.mech = hdata_mech(CKM_SHA256_HMAC);
	c.fn = HSA_FN_SIGN_SINGLE;
	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_KEY_TYPE_INCONSISTENT);
	hsa_call_free(&c);
	hsa_buf_free(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hot__a_cached_operation_asks_the_token_once),
	    cmocka_unit_test(test_hot__length_queries_do_no_work),
	    cmocka_unit_test(test_hot__length_queries_are_checked),
	};

	return helper_bk_have() ? cmocka_run_group_tests(tests, setup, teardown)
				: HELPER_BK_SKIP;
}
