/* Data functions when the token fails at any of its calls, and under many
 * threads at once. */
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helper_data.h"

static struct helper_ep11 H;
static uint8_t text[200], iv[16];
static CK_ULONG nine = 9;
static struct hsa_buf aes, des, secret, brief, rsa, rsa_pub, ec, ec_pub, ed,
    ed_pub;

static void
pair(struct hsa_buf *priv, struct hsa_buf *pub, EVP_PKEY *key)
{
	assert_non_null(key);
	hdata_pair(&H, priv, pub, key, 0);
	EVP_PKEY_free(key);
}

static int
setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 5 + 3);
	hdata_secret(&H, &aes, CKK_AES, text, 32, 0);
	hdata_secret(&H, &des, CKK_DES3, text, 24, 0);
	hdata_secret(&H, &secret, CKK_GENERIC_SECRET, text, 64, 0);
	hdata_secret(&H, &brief, CKK_GENERIC_SECRET, text, 10, 0);
	pair(&rsa, &rsa_pub, EVP_RSA_gen(1024));
	pair(&ec, &ec_pub, EVP_EC_gen("P-256"));
	pair(&ed, &ed_pub, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	return 0;
}

static int
teardown(void **state)
{
	struct hsa_buf *all[] = {&aes, &des, &secret, &brief, &rsa, &rsa_pub,
	    &ec, &ec_pub, &ed, &ed_pub};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		hsa_buf_free(all[i]);
	helper_ep11_free(&H);
	return 0;
}

/* ---- one operation of each kind ------------------------------------------ */

static CK_AES_CTR_PARAMS ctr = {.ulCounterBits = 64};

#define BYTES(t, p, n)                                                         \
	{                                                                      \
		.type = t, .kind = HSA_MECH_BYTES,                             \
		.a = {(const uint8_t *)(p),                                    \
			n }                                                    \
	}
static const struct job {
	struct hsa_mech m;
	const struct hsa_buf *key, *pub; /* pub: verifies, or encrypts */
	bool crypt, parts;
} jobs[] = {
    {{.type = CKM_AES_ECB}, &aes, NULL, true, true},
    {BYTES(CKM_AES_CBC_PAD, iv, 16), &aes, NULL, true, true},
    {BYTES(CKM_AES_CTR, &ctr, sizeof(ctr)), &aes, NULL, true, true},
    {BYTES(CKM_DES3_CBC, iv, 8), &des, NULL, true, true},
    {{.type = CKM_AES_GCM,
	 .kind = HSA_MECH_GCM,
	 .a = {iv, 12},
	 .b = {text, 20},
	 .tag_bits = 128},
	&aes, NULL, true, false},
    {{.type = CKM_RSA_PKCS}, &rsa, &rsa_pub, true, false},
    {{.type = CKM_RSA_PKCS_OAEP,
	 .kind = HSA_MECH_OAEP,
	 .hash = CKM_SHA256,
	 .mgf = CKG_MGF1_SHA1,
	 .source_type = CKZ_DATA_SPECIFIED},
	&rsa, &rsa_pub, true, false},
    {{.type = CKM_AES_CMAC}, &aes, NULL, false, true},
    {{.type = CKM_SHA256_HMAC}, &secret, NULL, false, true},
    {BYTES(CKM_SHA512_HMAC_GENERAL, &nine, sizeof(nine)), &brief, NULL, false,
	true},
    {{.type = CKM_SHA256_RSA_PKCS}, &rsa, &rsa_pub, false, true},
    {{.type = CKM_SHA256_RSA_PKCS_PSS,
	 .kind = HSA_MECH_PSS,
	 .hash = CKM_SHA256,
	 .mgf = CKG_MGF1_SHA1,
	 .salt_len = 20},
	&rsa, &rsa_pub, false, true},
    {{.type = CKM_ECDSA_SHA256}, &ec, &ec_pub, false, true},
    {{.type = CKM_EDDSA}, &ed, &ed_pub, false, false},
};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))
#define LEN 48 /* whole blocks; fits RSA-1024 in all of its paddings */

/* The whole life of an operation: there and back again. CKR_OK only when
 * what comes back is what was given. */
static CK_RV
there_and_back(const struct job *j, size_t n)
{
	const struct hsa_buf *pub = j->pub != NULL ? j->pub : j->key;
	struct hsa_buf out = {0}, back = {0};
	CK_RV rv;

	if (j->crypt) {
		rv = hdata_single(
		    &H, HSA_FN_ENCRYPT_SINGLE, &j->m, pub, text, n, &out);
		if (rv == CKR_OK)
			rv = hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &j->m,
			    j->key, out.p, out.len, &back);
		if (rv == CKR_OK &&
		    (back.len != n || memcmp(back.p, text, n) != 0))
			rv = CKR_DATA_INVALID;
	} else {
		rv = hdata_single(
		    &H, HSA_FN_SIGN_SINGLE, &j->m, j->key, text, n, &out);
		if (rv == CKR_OK)
			rv = hdata_verify_single(
			    &H, &j->m, pub, text, n, out.p, out.len);
	}
	hsa_buf_free(&out);
	hsa_buf_free(&back);
	return rv;
}

static CK_RV
in_parts(const struct job *j, size_t n)
{
	const struct hsa_buf *pub = j->pub != NULL ? j->pub : j->key;
	struct hsa_buf st = {0}, a = {0}, b = {0}, back = {0};
	CK_RV rv =
	    hdata_init(&H, j->crypt ? HSA_FN_ENCRYPT_INIT : HSA_FN_SIGN_INIT,
		&st, &j->m, j->crypt ? pub : j->key);

	if (rv == CKR_OK)
		rv = hdata_update(&H,
		    j->crypt ? HSA_FN_ENCRYPT_UPDATE : HSA_FN_SIGN_UPDATE, &st,
		    text, 37, &a);
	if (rv == CKR_OK)
		rv = hdata_update(&H,
		    j->crypt ? HSA_FN_ENCRYPT_UPDATE : HSA_FN_SIGN_UPDATE, &st,
		    text + 37, n - 37, &b);
	hsa_buf_put(&a, b.p, b.len);
	if (rv == CKR_OK)
		rv = hdata_final(&H,
		    j->crypt ? HSA_FN_ENCRYPT_FINAL : HSA_FN_SIGN_FINAL, &st,
		    &b);
	hsa_buf_put(&a, b.p, b.len);
	if (rv == CKR_OK && j->crypt) {
		rv = hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &j->m, j->key, a.p,
		    a.len, &back);
		if (rv == CKR_OK &&
		    (back.len != n || memcmp(back.p, text, n) != 0))
			rv = CKR_DATA_INVALID;
	} else if (rv == CKR_OK)
		rv = hdata_verify_single(&H, &j->m, pub, text, n, a.p, a.len);
	hsa_buf_free(&st);
	hsa_buf_free(&a);
	hsa_buf_free(&b);
	hsa_buf_free(&back);
	return rv;
}

/* ---- a token that fails ---------------------------------------------------
 */

/* At each call in turn, from an empty cache: never a result, and the same
 * operation goes well afterwards. */
static size_t
fail_everywhere(const struct job *j, CK_RV (*run)(const struct job *, size_t))
{
	struct helper_ep11_fault f = {.inner = H.token, .rv = CKR_DEVICE_ERROR};
	size_t failed = 0;
	bool hit;

	do {
		CK_RV rv;

		helper_ep11_wk(&H, 0, -1);
		f.calls = 0;
		f.fail_at++;
		f.failed = NULL;
		H.e->token = helper_ep11_faulty(&f);
		rv = run(j, LEN);
		H.e->token = H.token;
		hit = f.failed != NULL;
		/* what is done before an object is given up stays done */
		if (!hit || strcmp(f.failed, "destroy") == 0)
			assert_true(rv == CKR_OK || rv == CKR_FUNCTION_FAILED);
		else
			assert_int_equal(rv, CKR_FUNCTION_FAILED);
		if (!hit)
			assert_int_equal(rv, CKR_OK);
		failed += hit;
	} while (hit);
	return failed;
}

static void
test_trouble__a_failing_token_gives_no_result(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < JOBS; i++) {
		failed += fail_everywhere(&jobs[i], there_and_back);
		if (jobs[i].parts)
			failed += fail_everywhere(&jobs[i], in_parts);
	}
	printf("COUNT token calls made to fail: %zu\n", failed);
	assert_true(failed > 150);
	helper_ep11_wk(&H, 0, -1);
}

/* ---- threads --------------------------------------------------------------
 */

#define THREADS 8
#define ROUNDS 12

static atomic_int wrong;

/* cmocka's asserts belong to its own thread: the helpers' would only fire on
 * an answer that also counts here. */
static void *
worker(void *arg)
{
	size_t first = (size_t)(uintptr_t)arg;

	for (size_t i = 0; i < ROUNDS * JOBS; i++) {
		const struct job *j = &jobs[(first + i) % JOBS];

		if (there_and_back(j, LEN) != CKR_OK)
			atomic_fetch_add(&wrong, 1);
		if (j->parts && i % 3 == 0 && in_parts(j, LEN) != CKR_OK)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static void
test_trouble__threads_do_not_disturb_each_other(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	helper_ep11_wk(&H, 0, -1); /* all load the same keys at once */
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, worker,
				     (void *)(uintptr_t)(i * 5)),
		    0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(atomic_load(&wrong), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trouble__a_failing_token_gives_no_result),
	    cmocka_unit_test(test_trouble__threads_do_not_disturb_each_other),
	};

	return helper_bk_have() ? cmocka_run_group_tests(tests, setup, teardown)
				: HELPER_BK_SKIP;
}
