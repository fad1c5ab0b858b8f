/* AES-GCM, counters and ReencryptSingle through the engine on a real token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helper_data.h"
#include "hsa_hash.h"

static struct helper_ep11 H;
static uint8_t text[200], iv[256];
static const uint8_t value[32] = "0123456789abcdefFEDCBA9876543210";

static int
setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 5 + 3);
	for (size_t i = 0; i < sizeof(iv); i++)
		iv[i] = (uint8_t)(0xf0 - i);
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
same(const struct hsa_buf *b, const void *p, size_t n)
{
	assert_int_equal(b->len, n);
	if (n != 0)
		assert_memory_equal(b->p, p, n);
}

static struct hsa_mech
gcm(size_t iv_n, size_t aad_n, uint64_t tag_bits)
{
	return (struct hsa_mech){.type = CKM_AES_GCM,
	    .kind = HSA_MECH_GCM,
	    .a = {iv, iv_n},
	    .b = {text + 100, aad_n},
	    .tag_bits = tag_bits};
}

static size_t
by_openssl(uint8_t *out, size_t key_n, const struct hsa_mech *m, size_t n)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int a = 0, b = 0, tag = (int)m->tag_bits / 8;

	assert_int_equal(EVP_EncryptInit_ex(x,
			     key_n == 16   ? EVP_aes_128_gcm()
			     : key_n == 24 ? EVP_aes_192_gcm()
					   : EVP_aes_256_gcm(),
			     NULL, NULL, NULL),
	    1);
	assert_int_equal(
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_IVLEN, (int)m->a.n, NULL),
	    1);
	assert_int_equal(EVP_EncryptInit_ex(x, NULL, NULL, value, m->a.p), 1);
	if (m->b.n != 0)
		assert_int_equal(
		    EVP_EncryptUpdate(x, NULL, &a, m->b.p, (int)m->b.n), 1);
	a = 0;
	if (n != 0)
		assert_int_equal(
		    EVP_EncryptUpdate(x, out, &a, text, (int)n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(x, out + a, &b), 1);
	assert_int_equal(
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, tag, out + a + b), 1);
	EVP_CIPHER_CTX_free(x);
	return (size_t)(a + b + tag);
}

static void
test_gcm__single_is_openssl_both_ways(void **state)
{
	static const size_t ivs[] = {1, 7, 8, 12, 13, 16, 17, 64, 127, 128};
	static const uint64_t tags[] = {32, 64, 96, 104, 112, 120, 128};
	struct hsa_buf key = {0}, out = {0}, back = {0};
	size_t cells = 0;

	(void)state;
	for (size_t k = 16; k <= 32; k += 8) {
		hdata_secret(&H, &key, CKK_AES, value, k, 0);
		for (size_t i = 0; i < 10 * 7; i++) {
			size_t n = i * 7 % 97, aad = i * 5 % 41, wn;
			struct hsa_mech m = gcm(ivs[i % 10], aad, tags[i / 10]);
			uint8_t want[200];

			wn = by_openssl(want, k, &m, n);
			assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE,
					     &m, &key, text, n, &out),
			    CKR_OK);
			same(&out, want, wn);
			assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE,
					     &m, &key, want, wn, &back),
			    CKR_OK);
			same(&back, text, n);
			cells++;
		}
	}
	printf("COUNT GCM keys, IVs, tags, both ways: %zu\n", cells);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
	hsa_buf_free(&back);
}

/* McGrew and Viega, test case 16. */
static void
test_gcm__published_vector(void **state)
{
	static const char p[] =
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
	static const char c[] =
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b";
	static const char k[] =
	    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
	uint8_t kb[32], in[60], want[76], ivb[12], aad[20];
	struct hsa_mech m = {.type = CKM_AES_GCM,
	    .kind = HSA_MECH_GCM,
	    .a = {ivb, 12},
	    .b = {aad, 20},
	    .tag_bits = 128};
	struct hsa_buf key = {0}, out = {0};

	(void)state;
	assert_int_equal(hsa_unhex(kb, 32, k, 64).v, 0);
	assert_int_equal(hsa_unhex(in, 60, p, 120).v, 0);
	assert_int_equal(hsa_unhex(want, 76, c, 152).v, 0);
	assert_int_equal(
	    hsa_unhex(ivb, 12, "cafebabefacedbaddecaf888", 24).v, 0);
	assert_int_equal(
	    hsa_unhex(aad, 20, "feedfacedeadbeeffeedfacedeadbeefabaddad2", 40)
		.v,
	    0);
	hdata_secret(&H, &key, CKK_AES, kb, 32, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &key, in, 60, &out),
	    CKR_OK);
	same(&out, want, 76);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
}

static void
test_gcm__every_flip_is_refused(void **state)
{
	struct hsa_mech m = gcm(12, 20, 96);
	struct hsa_buf key = {0}, out = {0}, back = {0};

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &key, text, 33, &out),
	    CKR_OK);
	for (size_t i = 0; i < out.len; i++) {
		out.p[i] ^= 1;
		assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m,
				     &key, out.p, out.len, &back),
		    CKR_ENCRYPTED_DATA_INVALID);
		out.p[i] ^= 1;
	}
	m.b.n--;
	assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m, &key,
			     out.p, out.len, &back),
	    CKR_ENCRYPTED_DATA_INVALID);
	m.b.n++;
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m, &key, out.p, 11, &back),
	    CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m, &key,
			     out.p, out.len, &back),
	    CKR_OK);
	same(&back, text, 33);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
	hsa_buf_free(&back);
}

static void
test_gcm__ivs_and_tags_have_their_lengths(void **state)
{
	struct hsa_buf key = {0}, out = {0}, st = {0};

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	for (size_t n = 0; n <= 256; n++) {
		struct hsa_mech m = gcm(n, 0, 128);
		CK_RV want =
		    n >= 1 && n <= 128 ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;

		assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
				     &key, text, 5, &out),
		    want);
		assert_int_equal(
		    hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &m, &key), want);
	}
	for (uint64_t bits = 0; bits <= 200; bits++) {
		struct hsa_mech m = gcm(12, 0, bits);
		bool good = bits == 32 || bits == 64 ||
			    (bits >= 96 && bits <= 128 && bits % 8 == 0);

		assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
				     &key, text, 5, &out),
		    good ? CKR_OK : CKR_MECHANISM_PARAM_INVALID);
	}
	hsa_buf_free(&key);
	hsa_buf_free(&out);
	hsa_buf_free(&st);
}

/* One-shot on a state works; Update is refused (ep11_exposure.def), and what
 * nothing was fed to ends as a message of no bytes. */
static void
test_gcm__has_no_parts(void **state)
{
	struct hsa_mech m = gcm(12, 9, 128);
	struct hsa_buf key = {0}, st = {0}, out = {0}, back = {0};
	uint8_t want[64];
	size_t wn;

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &key), CKR_OK);
	wn = by_openssl(want, 32, &m, 30);
	assert_int_equal(
	    hdata_once(&H, HSA_FN_ENCRYPT, &st, text, 30, &out), CKR_OK);
	same(&out, want, wn);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 16, &out),
	    CKR_FUNCTION_NOT_SUPPORTED);
	wn = by_openssl(want, 32, &m, 0);
	assert_int_equal(
	    hdata_final(&H, HSA_FN_ENCRYPT_FINAL, &st, &out), CKR_OK);
	same(&out, want, wn);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &m, &key), CKR_OK);
	assert_int_equal(
	    hdata_once(&H, HSA_FN_DECRYPT, &st, want, wn, &back), CKR_OK);
	assert_int_equal(back.len, 0);
	assert_int_equal(hdata_final(&H, HSA_FN_DECRYPT_FINAL, &st, &back),
	    CKR_ENCRYPTED_DATA_LEN_RANGE);
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
	hsa_buf_free(&back);
}

/* Associated data goes into the state, so there is an end to it. */
static void
test_gcm__a_state_has_no_room_for_much_associated_data(void **state)
{
	static uint8_t aad[20000];
	struct hsa_mech m = gcm(12, 0, 128);
	struct hsa_buf key = {0}, st = {0}, out = {0};

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	m.b = (struct hsa_slice){aad, 8000};
	assert_int_equal(
	    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &key), CKR_OK);
	m.b.n = sizeof(aad);
	assert_int_equal(hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &key),
	    CKR_DATA_LEN_RANGE);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &key, text, 5, &out),
	    CKR_OK);
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

/* ---- counter mode -------------------------------------------------------- */

static void
test_ctr__a_counter_never_comes_round(void **state)
{
	CK_AES_CTR_PARAMS ctr = {.ulCounterBits = 8};
	struct hsa_mech m = hdata_mech_bytes(CKM_AES_CTR, &ctr, sizeof(ctr));
	struct hsa_buf key = {0}, st = {0}, out = {0};
	uint8_t want[96];

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 16, 0);
	memcpy(ctr.cb, iv, 16);
	ctr.cb[15] = 0xfe; /* two values left of eight bits */
	ctr.ulCounterBits = 8;
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &key, text, 32, &out),
	    CKR_OK);
	memcpy(want, out.p, 32);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &key, text, 33, &out),
	    CKR_DATA_LEN_RANGE);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m, &key, text, 33, &out),
	    CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &key), CKR_OK);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 40, &out),
	    CKR_DATA_LEN_RANGE);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 20, &out),
	    CKR_OK);
	same(&out, want, 16);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text + 20, 12, &out),
	    CKR_OK);
	same(&out, want + 16, 16);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 1, &out),
	    CKR_DATA_LEN_RANGE);
	assert_int_equal(
	    hdata_final(&H, HSA_FN_ENCRYPT_FINAL, &st, &out), CKR_OK);
	assert_int_equal(out.len, 0);
	for (size_t i = 0; i < 2; i++) {
		ctr.ulCounterBits = i == 0 ? 0 : 129;
		assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
				     &key, text, 16, &out),
		    CKR_MECHANISM_PARAM_INVALID);
		assert_int_equal(
		    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &key),
		    CKR_MECHANISM_PARAM_INVALID);
	}
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

/* ---- from key to key ------------------------------------------------------
 */

static CK_RV
reencrypt(const struct hsa_mech *from, const struct hsa_buf *k1,
    const struct hsa_mech *to, const struct hsa_buf *k2,
    const struct hsa_buf *in, struct hsa_buf *out)
{
	struct hsa_call c = {.fn = HSA_FN_REENCRYPT_SINGLE,
	    .mech = *from,
	    .mech2 = *to,
	    .key = helper_slice(k1),
	    .key2 = helper_slice(k2),
	    .data = helper_slice(in)};
	CK_RV rv;

	ep11_engine_call(H.e, &c);
	rv = c.rv;
	hsa_buf_reset(out);
	hsa_buf_put(out, c.out.p, c.out.len);
	hsa_call_free(&c);
	return rv;
}

static void
test_reencrypt__goes_from_key_to_key(void **state)
{
	struct hsa_mech pad = hdata_mech_bytes(CKM_AES_CBC_PAD, iv, 16);
	struct hsa_mech des = hdata_mech_bytes(CKM_DES3_CBC_PAD, iv, 8);
	struct hsa_buf k1 = {0}, k2 = {0}, no = {0}, in = {0}, out = {0},
		       back = {0};

	(void)state;
	hdata_secret(&H, &k1, CKK_AES, value, 32, EP11_ENCRYPT);
	hdata_secret(&H, &k2, CKK_DES3, value + 1, 24, 0);
	hdata_secret(&H, &no, CKK_AES, value, 32, EP11_DECRYPT);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &pad, &no, text, 77, &in),
	    CKR_OK);
	assert_int_equal(reencrypt(&pad, &k1, &des, &k2, &in, &out), CKR_OK);
	assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &des, &k2,
			     out.p, out.len, &back),
	    CKR_OK);
	same(&back, text, 77);
	assert_int_equal(reencrypt(&pad, &no, &des, &k2, &in, &out),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(reencrypt(&pad, &k1, &pad, &k1, &in, &out),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(reencrypt(&pad, &k1, &des, &no, &in, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	in.p[in.len - 17] ^= 0xff;
	assert_int_equal(reencrypt(&pad, &k1, &des, &k2, &in, &out),
	    CKR_ENCRYPTED_DATA_INVALID);
	des.type = CKM_SHA256;
	assert_int_equal(reencrypt(&pad, &k1, &des, &k2, &in, &out),
	    CKR_ENCRYPTED_DATA_INVALID);
	in.p[in.len - 17] ^= 0xff;
	assert_int_equal(
	    reencrypt(&pad, &k1, &des, &k2, &in, &out), CKR_MECHANISM_INVALID);
	hsa_buf_free(&k1);
	hsa_buf_free(&k2);
	hsa_buf_free(&no);
	hsa_buf_free(&in);
	hsa_buf_free(&out);
	hsa_buf_free(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gcm__single_is_openssl_both_ways),
	    cmocka_unit_test(test_gcm__published_vector),
	    cmocka_unit_test(test_gcm__every_flip_is_refused),
	    cmocka_unit_test(test_gcm__ivs_and_tags_have_their_lengths),
	    cmocka_unit_test(test_gcm__has_no_parts),
	    cmocka_unit_test(
		test_gcm__a_state_has_no_room_for_much_associated_data),
	    cmocka_unit_test(test_ctr__a_counter_never_comes_round),
	    cmocka_unit_test(test_reencrypt__goes_from_key_to_key),
	};

	return helper_bk_have() ? cmocka_run_group_tests(tests, setup, teardown)
				: HELPER_BK_SKIP;
}
