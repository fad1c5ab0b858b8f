/* The EP11 engine's token on real SoftHSM sessions. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bk_core.h"
#include "helper_bk.h"
#include "hsa_hash.h"

static struct helper_bk H;
static struct ep11_token T;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static const uint8_t VALUE[32] = "a key that everybody here knows";

static int
group_setup(void **state)
{
	(void)state;
	helper_bk_make(&H);
	helper_bk_open(&H);
	T = bk_p11_token(H.b);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	helper_bk_free(&H);
	return 0;
}

static size_t
objects(void)
{
	CK_OBJECT_HANDLE h[256];
	struct bk_attrs none = {0};
	struct bk_ses s = {0};
	size_t n = 0;

	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	assert_int_equal(bk_ck_find(&s, h, &n, 256, &none).v, 0);
	bk_core_leave(H.b, &s);
	return n;
}

static CK_OBJECT_HANDLE
known_key(CK_KEY_TYPE type)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_OBJECT_HANDLE h = 0;
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
	    {CKA_ENCRYPT, &yes, sizeof(yes)}, {CKA_DECRYPT, &yes, sizeof(yes)},
	    {CKA_SIGN, &yes, sizeof(yes)}, {CKA_VERIFY, &yes, sizeof(yes)},
	    {CKA_WRAP, &yes, sizeof(yes)}, {CKA_UNWRAP, &yes, sizeof(yes)},
	    {CKA_DERIVE, &yes, sizeof(yes)},
	    {CKA_VALUE, ep11_input(VALUE), sizeof(VALUE)}};

	assert_int_equal(
	    T.ops->create(T.ctx, &h, t, sizeof(t) / sizeof(t[0])), CKR_OK);
	return h;
}

static void
gcm_expect(uint8_t out[80], const uint8_t iv[12], const uint8_t in[64])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0, more = 0;

	assert_int_equal(
	    EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, VALUE, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(c, out, &n, in, 64), 1);
	assert_int_equal(EVP_EncryptFinal_ex(c, out + n, &more), 1);
	assert_int_equal(
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, out + 64), 1);
	EVP_CIPHER_CTX_free(c);
}

static void
test_bk_ep11__encrypts_as_openssl_and_decrypts_it(void **state)
{
	uint8_t iv[12] = {7}, in[64] = {1, 2, 3}, want[80], out[96], back[96];
	CK_GCM_PARAMS gcm = {
	    .pIv = iv, .ulIvLen = sizeof(iv), .ulIvBits = 96, .ulTagBits = 128};
	CK_MECHANISM m = {CKM_AES_GCM, &gcm, sizeof(gcm)};
	CK_OBJECT_HANDLE h = known_key(CKK_AES);
	size_t n = sizeof(out), bn = sizeof(back);

	(void)state;
	gcm_expect(want, iv, in);
	assert_int_equal(
	    T.ops->encrypt(T.ctx, &m, h, in, sizeof(in), out, &n), CKR_OK);
	assert_int_equal(n, 80);
	assert_memory_equal(out, want, 80);
	assert_int_equal(
	    T.ops->decrypt(T.ctx, &m, h, out, n, back, &bn), CKR_OK);
	assert_int_equal(bn, 64);
	assert_memory_equal(back, in, 64);
	assert_int_equal(T.ops->destroy(T.ctx, h), CKR_OK);
}

/* A failure in the middle must not poison the session of the next call. */
static void
test_bk_ep11__failures_leave_no_operation_and_no_error_behind(void **state)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0},
		     hmac = {CKM_SHA256_HMAC, NULL, 0};
	CK_OBJECT_HANDLE h = known_key(CKK_AES),
			 g = known_key(CKK_GENERIC_SECRET);
	uint8_t in[32] = {0}, out[64], mac[32];
	size_t n;

	(void)state;
	for (int round = 0; round < 3; round++) {
		n = 8;
		assert_int_equal(
		    T.ops->encrypt(T.ctx, &ecb, h, in, 32, out, &n),
		    CKR_BUFFER_TOO_SMALL);
		assert_int_equal(n, 32);
		n = 0;
		assert_int_equal(
		    T.ops->encrypt(T.ctx, &ecb, h, in, 32, NULL, &n),
		    CKR_BUFFER_TOO_SMALL);
		n = sizeof(out);
		assert_int_not_equal(
		    T.ops->encrypt(T.ctx, &ecb, h, in, 31, out, &n), CKR_OK);
		n = sizeof(out);
		assert_int_not_equal(T.ops->digest_key(T.ctx, CKM_MD5, in, 1, h,
					 NULL, 0, out, &n),
		    CKR_OK);
		assert_int_equal(
		    T.ops->verify(T.ctx, &hmac, g, in, 32, out, 32),
		    CKR_SIGNATURE_INVALID);
		n = sizeof(out);
		assert_int_equal(T.ops->unwrap(T.ctx, &(CK_OBJECT_HANDLE){0},
				     &ecb, h, in, 32, NULL, 0) != CKR_OK,
		    1);
		assert_int_equal(ERR_peek_error(), 0);
		n = sizeof(mac);
		assert_int_equal(
		    T.ops->sign(T.ctx, &hmac, g, "", 0, mac, &n), CKR_OK);
		assert_int_equal(
		    T.ops->verify(T.ctx, &hmac, g, NULL, 0, mac, n), CKR_OK);
	}
	assert_int_equal(T.ops->destroy(T.ctx, h), CKR_OK);
	assert_int_equal(T.ops->destroy(T.ctx, g), CKR_OK);
}

static void
test_bk_ep11__digests_data_and_keys(void **state)
{
	CK_OBJECT_HANDLE h = known_key(CKK_AES);
	uint8_t out[32], want[32], all[34] = {9};
	size_t n = sizeof(out);

	(void)state;
	assert_int_equal(
	    T.ops->digest(T.ctx, CKM_SHA256, "abc", 3, out, &n), CKR_OK);
	assert_int_equal(n, 32);
	assert_int_equal(hsa_sha256(want, "abc", 3).v, 0);
	assert_memory_equal(out, want, 32);
	memcpy(all + 1, VALUE, 32);
	all[33] = 4;
	assert_int_equal(T.ops->digest_key(T.ctx, CKM_SHA256, all, 1, h,
			     all + 33, 1, out, &n),
	    CKR_OK);
	assert_int_equal(hsa_sha256(want, all, 34).v, 0);
	assert_memory_equal(out, want, 32);
	assert_int_equal(T.ops->destroy(T.ctx, h), CKR_OK);
}

static void
test_bk_ep11__objects_are_of_the_session_and_go(void **state)
{
	CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0},
		     kwp = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	CK_OBJECT_HANDLE by = known_key(CKK_AES), h = 0, again = 0, copy = 0,
			 broken = 0;
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ULONG len = 32;
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
	    {CKA_VALUE_LEN, &len, sizeof(len)}};
	CK_BBOOL token = CK_TRUE;
	CK_ATTRIBUTE ask = {CKA_TOKEN, &token, sizeof(token)};
	size_t before = objects(), n;
	uint8_t out[64];

	(void)state;
	assert_int_equal(T.ops->generate(T.ctx, &h, &gen, t, 5), CKR_OK);
	assert_int_equal(T.ops->get(T.ctx, h, &ask, 1), CKR_OK);
	assert_int_equal(token, CK_FALSE);
	n = sizeof(out);
	assert_int_equal(T.ops->wrap(T.ctx, &kwp, by, h, out, &n), CKR_OK);
	assert_int_equal(n, 40);
	assert_int_equal(
	    T.ops->unwrap(T.ctx, &again, &kwp, by, out, n, t, 4), CKR_OK);
	assert_int_equal(T.ops->copy(T.ctx, &copy, again, NULL, 0), CKR_OK);
	assert_int_equal(objects(), before + 3);
	out[5] ^= 1;
	assert_int_not_equal(
	    T.ops->unwrap(T.ctx, &broken, &kwp, by, out, n, t, 4), CKR_OK);
	assert_int_equal(T.ops->destroy(T.ctx, h), CKR_OK);
	assert_int_equal(T.ops->destroy(T.ctx, again), CKR_OK);
	assert_int_equal(T.ops->destroy(T.ctx, copy), CKR_OK);
	assert_int_equal(T.ops->destroy(T.ctx, by), CKR_OK);
	assert_int_equal(objects(), before - 1);
	assert_int_not_equal(T.ops->destroy(T.ctx, h), CKR_OK);
}

/* What the token object may not do, its session copy may. */
static void
test_bk_ep11__master_is_a_copy_that_wraps_and_derives(void **state)
{
	uint8_t text[32] = "0123456789abcdef0123456789abcde", id[16] = {3};
	CK_KEY_DERIVATION_STRING_DATA data = {text, sizeof(text)};
	CK_MECHANISM derive = {CKM_AES_ECB_ENCRYPT_DATA, &data, sizeof(data)};
	CK_OBJECT_HANDLE obj = 0, h = 0, d = 0;
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG len = 32;
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_SENSITIVE, &no, sizeof(no)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
	    {CKA_VALUE_LEN, &len, sizeof(len)}};
	uint8_t got[32] = {0}, want[48];
	CK_ATTRIBUTE ask = {CKA_VALUE, got, sizeof(got)};
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	struct bk_attrs as = {0};
	struct bk_ses s = {0};
	int n = 0;

	(void)state;
	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	bk_attr_num(&as, CKA_CLASS, CKO_SECRET_KEY);
	bk_attr_num(&as, CKA_KEY_TYPE, CKK_AES);
	bk_attr_bool(&as, CKA_TOKEN, true);
	bk_attr_bool(&as, CKA_PRIVATE, true);
	bk_attr_bool(&as, CKA_SENSITIVE, true);
	bk_attr_bool(&as, CKA_EXTRACTABLE, false);
	bk_attr_bool(&as, CKA_DERIVE, false);
	bk_attr_bytes(&as, CKA_ID, id, sizeof(id));
	bk_attr_bytes(&as, CKA_LABEL, "master-key", 10);
	bk_attr_bytes(&as, CKA_VALUE, VALUE, sizeof(VALUE));
	assert_int_equal(bk_ck_create(&s, &obj, &as).v, 0);
	bk_core_leave(H.b, &s);

	assert_int_equal(T.ops->master(T.ctx, &h, id), CKR_OK);
	assert_int_equal(T.ops->derive(T.ctx, &d, &derive, h, t, 5), CKR_OK);
	assert_int_equal(T.ops->get(T.ctx, d, &ask, 1), CKR_OK);
	assert_int_equal(
	    EVP_EncryptInit_ex(c, EVP_aes_256_ecb(), NULL, VALUE, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(c, want, &n, text, 32), 1);
	assert_memory_equal(got, want, 32);
	EVP_CIPHER_CTX_free(c);
	/* its value stays where it is */
	assert_int_not_equal(T.ops->get(T.ctx, h, &ask, 1), CKR_OK);
	id[0] = 4;
	assert_int_equal(
	    T.ops->master(T.ctx, &h, id), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(T.ops->destroy(T.ctx, d), CKR_OK);
	assert_int_equal(T.ops->destroy(T.ctx, h), CKR_OK);
	assert_int_equal(T.ops->destroy(T.ctx, obj), CKR_OK);
}

static atomic_uint bad;

static void *
worker(void *arg)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_OBJECT_HANDLE h = *(CK_OBJECT_HANDLE *)arg, own = 0;
	uint8_t in[32] = {1}, out[32], back[32];
	size_t n;

	for (int i = 0; i < 200; i++) {
		n = 32;
		bad += T.ops->encrypt(T.ctx, &ecb, h, in, 32, out, &n) != 0;
		n = 32;
		bad += T.ops->decrypt(T.ctx, &ecb, h, out, 32, back, &n) != 0;
		bad += memcmp(in, back, 32) != 0;
		n = 8;
		bad += T.ops->encrypt(T.ctx, &ecb, h, in, 32, out, &n) !=
		       CKR_BUFFER_TOO_SMALL;
		if (i % 20 == 0) {
			bad += T.ops->copy(T.ctx, &own, h, NULL, 0) != 0;
			bad += T.ops->destroy(T.ctx, own) != 0;
		}
	}
	return NULL;
}

static void
test_bk_ep11__serves_many_threads_at_once(void **state)
{
	CK_OBJECT_HANDLE h = known_key(CKK_AES);
	size_t before = objects();
	pthread_t t[12];

	(void)state;
	bad = 0;
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(pthread_create(&t[i], NULL, worker, &h), 0);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(bad, 0);
	assert_int_equal(objects(), before);
	assert_true(H.b->ep11.idle_len <= 12);
	assert_int_equal(T.ops->destroy(T.ctx, h), CKR_OK);
}

static void
test_bk_ep11__refuses_the_child_of_a_fork(void **state)
{
	uint8_t out[32];
	size_t n = sizeof(out);
	int status = 0;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		CK_OBJECT_HANDLE h = 0;
		bool ok = T.ops->random(T.ctx, out, 8) ==
			      CKR_CRYPTOKI_NOT_INITIALIZED &&
			  T.ops->digest(T.ctx, CKM_SHA256, "a", 1, out, &n) ==
			      CKR_CRYPTOKI_NOT_INITIALIZED &&
			  T.ops->create(T.ctx, &h, NULL, 0) ==
			      CKR_CRYPTOKI_NOT_INITIALIZED &&
			  T.ops->master(T.ctx, &h, out) ==
			      CKR_CRYPTOKI_NOT_INITIALIZED;

		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(T.ops->random(T.ctx, out, 8), CKR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bk_ep11__encrypts_as_openssl_and_decrypts_it),
	    cmocka_unit_test(
		test_bk_ep11__failures_leave_no_operation_and_no_error_behind),
	    cmocka_unit_test(test_bk_ep11__digests_data_and_keys),
	    cmocka_unit_test(test_bk_ep11__objects_are_of_the_session_and_go),
	    cmocka_unit_test(
		test_bk_ep11__master_is_a_copy_that_wraps_and_derives),
	    cmocka_unit_test(test_bk_ep11__serves_many_threads_at_once),
	    cmocka_unit_test(test_bk_ep11__refuses_the_child_of_a_fork),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
