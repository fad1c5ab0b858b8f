/* HMAC and CMAC through the engine on a real token: published vectors,
 * OpenSSL, in parts, and what is refused. */
#include <openssl/cmac.h>
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helper_data.h"
#include "hsa_hash.h"

static struct helper_ep11 H;
static uint8_t text[320], value[256];

static int
setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 5 + i / 256);
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)(i * 11 + 7);
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

/* ---- one row a MAC, and OpenSSL's of the same ---------------------------- */

static const struct mac {
	CK_MECHANISM_TYPE type, general;
	CK_KEY_TYPE key;
	size_t key_n, len;
	const char *what, *of; /* OpenSSL's */
} macs[] = {{CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKK_GENERIC_SECRET, 20, 20,
		"HMAC", "SHA1"},
    {CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, CKK_GENERIC_SECRET, 40, 28,
	"HMAC", "SHA224"},
    {CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKK_GENERIC_SECRET, 32, 32,
	"HMAC", "SHA256"},
    {CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKK_GENERIC_SECRET, 64, 48,
	"HMAC", "SHA384"},
    {CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKK_GENERIC_SECRET, 64, 64,
	"HMAC", "SHA512"},
    /* a short key, a very short one, one longer than a block */
    {CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKK_GENERIC_SECRET, 20, 32,
	"HMAC", "SHA256"},
    {CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKK_GENERIC_SECRET, 1, 64,
	"HMAC", "SHA512"},
    {CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKK_GENERIC_SECRET, 100, 20,
	"HMAC", "SHA1"},
    {CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKK_GENERIC_SECRET, 200, 48,
	"HMAC", "SHA384"},
    {CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, 16, 16, "CMAC",
	"AES-128-CBC"},
    {CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, 32, 16, "CMAC",
	"AES-256-CBC"},
    {CKM_IBM_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, 24, 16, "CMAC",
	"AES-192-CBC"},
    {CKM_DES3_CMAC, CKM_DES3_CMAC_GENERAL, CKK_DES3, 24, 8, "CMAC",
	"DES-EDE3-CBC"},
    {CKM_IBM_CMAC, CKM_DES3_CMAC_GENERAL, CKK_DES3, 24, 8, "CMAC",
	"DES-EDE3-CBC"}};
#define MACS (sizeof(macs) / sizeof(macs[0]))

static void
by_openssl(const struct mac *m, uint8_t out[64], const uint8_t *in, size_t n)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, m->what, NULL);
	EVP_MAC_CTX *x = EVP_MAC_CTX_new(mac);
	bool hmac = strcmp(m->what, "HMAC") == 0;
	char of[16];
	size_t len = 0;

	strncpy(of, m->of, sizeof(of) - 1);
	of[15] = '\0';
	const OSSL_PARAM p[] = {
	    OSSL_PARAM_construct_utf8_string(
		hmac ? OSSL_MAC_PARAM_DIGEST : OSSL_MAC_PARAM_CIPHER, of, 0),
	    OSSL_PARAM_construct_end()};
	assert_int_equal(EVP_MAC_init(x, value, m->key_n, p), 1);
	assert_int_equal(EVP_MAC_update(x, in, n), 1);
	assert_int_equal(EVP_MAC_final(x, out, &len, 64), 1);
	assert_int_equal(len, m->len);
	EVP_MAC_CTX_free(x);
	EVP_MAC_free(mac);
}

static void
key_of(const struct mac *m, struct hsa_buf *key)
{
	hdata_secret(&H, key, m->key, value, m->key_n, 0);
}

static void
test_mac__single_is_openssl_both_ways(void **state)
{
	struct hsa_buf key = {0}, out = {0};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < MACS; i++) {
		struct hsa_mech m = hdata_mech(macs[i].type);

		key_of(&macs[i], &key);
		for (size_t n = 0; n <= 300; n += n < 34 ? 1 : 38) {
			uint8_t want[64];

			by_openssl(&macs[i], want, text, n);
			assert_int_equal(hdata_single(&H, HSA_FN_SIGN_SINGLE,
					     &m, &key, text, n, &out),
			    CKR_OK);
			same(&out, want, macs[i].len);
			assert_int_equal(hdata_verify_single(&H, &m, &key, text,
					     n, want, macs[i].len),
			    CKR_OK);
			cells++;
		}
	}
	printf("COUNT MACs by lengths, both ways: %zu\n", cells);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
}

static void
vector(CK_MECHANISM_TYPE type, CK_KEY_TYPE kt, const char *k, const char *in,
    const char *want)
{
	uint8_t kb[131], ib[152], wb[64];
	size_t kn = strlen(k) / 2, n = strlen(in) / 2, wn = strlen(want) / 2;
	struct hsa_mech m = hdata_mech(type);
	struct hsa_buf key = {0}, out = {0};

	assert_true(kn <= sizeof(kb) && n <= sizeof(ib) && wn <= sizeof(wb));
	assert_int_equal(hsa_unhex(kb, kn, k, 2 * kn).v, 0);
	assert_int_equal(hsa_unhex(ib, n, in, 2 * n).v, 0);
	assert_int_equal(hsa_unhex(wb, wn, want, 2 * wn).v, 0);
	hdata_secret(&H, &key, kt, kb, kn, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &key, ib, n, &out),
	    CKR_OK);
	same(&out, wb, wn);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
}

/* RFC 4231, cases 1, 2 (a key of four bytes) and 6 (of 131); RFC 4493. */
static void
test_mac__published_vectors(void **state)
{
	static const char k[] = "2b7e151628aed2a6abf7158809cf4f3c";
	static const char m64[] = "6bc1bee22e409f96e93d7e117393172a"
				  "ae2d8a571e03ac9c9eb76fac45af8e51"
				  "30c81c46a35ce411e5fbc1191a0a52ef"
				  "f69f2445df4f9b17ad2b417be66c3710";
	char m40[81], long_key[263];

	(void)state;
	memset(long_key, 'a', 262);
	long_key[262] = '\0';
	vector(CKM_SHA256_HMAC, CKK_GENERIC_SECRET,
	    "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	vector(CKM_SHA256_HMAC, CKK_GENERIC_SECRET, "4a656665",
	    "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	vector(CKM_SHA256_HMAC, CKK_GENERIC_SECRET, long_key,
	    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
	    "65204b6579202d2048617368204b6579204669727374",
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	vector(
	    CKM_AES_CMAC, CKK_AES, k, "", "bb1d6929e95937287fa37d129b756746");
	memcpy(m40, m64, 32);
	m40[32] = '\0';
	vector(
	    CKM_AES_CMAC, CKK_AES, k, m40, "070a16b46b4d4144f79bdd9dd04a287c");
	memcpy(m40, m64, 80);
	m40[80] = '\0';
	vector(
	    CKM_AES_CMAC, CKK_AES, k, m40, "dfa66747de9ae63030ca32611497c827");
	vector(
	    CKM_AES_CMAC, CKK_AES, k, m64, "51f0bebf7e3b9d92fc49741779363cfe");
}

/* ---- in parts ------------------------------------------------------------ */

static void
feed(enum hsa_fn fn, struct hsa_buf *st, const uint8_t *in, size_t n)
{
	size_t len = st->len;

	assert_int_equal(hdata_update(&H, fn, st, in, n, NULL), CKR_OK);
	assert_int_equal(st->len, len);
}

static void
test_mac__split_anywhere_is_the_same(void **state)
{
	struct hsa_buf key = {0}, st = {0}, out = {0};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < MACS; i++) {
		struct hsa_mech m = hdata_mech(macs[i].type);

		key_of(&macs[i], &key);
		for (size_t n = 0; n <= 49; n += n % 8 == 1 ? 6 : 1) {
			uint8_t want[64];

			by_openssl(&macs[i], want, text, n);
			for (size_t cut = 0; cut <= n; cut += n < 47 ? 5 : 1) {
				assert_int_equal(
				    hdata_init(
					&H, HSA_FN_SIGN_INIT, &st, &m, &key),
				    CKR_OK);
				feed(HSA_FN_SIGN_UPDATE, &st, text, cut);
				feed(HSA_FN_SIGN_UPDATE, &st, text + cut,
				    n - cut);
				assert_int_equal(
				    hdata_final(
					&H, HSA_FN_SIGN_FINAL, &st, &out),
				    CKR_OK);
				same(&out, want, macs[i].len);
				cells++;
			}
		}
	}
	printf("COUNT MACs in two parts: %zu\n", cells);
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

static void
test_mac__byte_by_byte_and_rewound_is_the_same(void **state)
{
	struct hsa_buf key = {0}, st = {0}, old = {0};
	uint8_t want[64];

	(void)state;
	for (size_t i = 0; i < MACS; i++) {
		struct hsa_mech m = hdata_mech(macs[i].type);

		key_of(&macs[i], &key);
		assert_int_equal(
		    hdata_init(&H, HSA_FN_VERIFY_INIT, &st, &m, &key), CKR_OK);
		for (size_t j = 0; j < 40; j++)
			feed(HSA_FN_VERIFY_UPDATE, &st, text + j, 1);
		hsa_buf_reset(&old);
		hsa_buf_put(&old, st.p, st.len);
		for (size_t n = 40; n <= 120; n += 40) {
			hsa_buf_reset(&st);
			hsa_buf_put(&st, old.p, old.len);
			feed(HSA_FN_VERIFY_UPDATE, &st, text + 40, n - 40);
			by_openssl(&macs[i], want, text, n);
			assert_int_equal(
			    hdata_verify_final(&H, &st, want, macs[i].len),
			    CKR_OK);
			want[0] ^= 1;
			assert_int_equal(
			    hdata_verify_final(&H, &st, want, macs[i].len),
			    CKR_SIGNATURE_INVALID);
		}
		assert_int_equal(
		    hdata_verify_once(&H, &st, text, 1, want, macs[i].len),
		    CKR_OPERATION_ACTIVE);
	}
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&old);
}

static void
test_mac__one_shot_on_a_state_is_single(void **state)
{
	struct hsa_buf key = {0}, st = {0}, out = {0};
	uint8_t want[64];

	(void)state;
	for (size_t i = 0; i < MACS; i++) {
		struct hsa_mech m = hdata_mech(macs[i].type);

		key_of(&macs[i], &key);
		by_openssl(&macs[i], want, text, 99);
		assert_int_equal(
		    hdata_init(&H, HSA_FN_SIGN_INIT, &st, &m, &key), CKR_OK);
		for (int twice = 0; twice < 2; twice++) {
			assert_int_equal(
			    hdata_once(&H, HSA_FN_SIGN, &st, text, 99, &out),
			    CKR_OK);
			same(&out, want, macs[i].len);
		}
		/* nothing was fed: over nothing */
		assert_int_equal(
		    hdata_final(&H, HSA_FN_SIGN_FINAL, &st, &out), CKR_OK);
		by_openssl(&macs[i], want, text, 0);
		same(&out, want, macs[i].len);
		/* a signing state does not verify */
		assert_int_equal(
		    hdata_verify_once(&H, &st, text, 0, want, macs[i].len),
		    CKR_SAVED_STATE_INVALID);
	}
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

/* ---- what is refused ----------------------------------------------------- */

static void
test_mac__general_length_is_cut(void **state)
{
	struct hsa_buf key = {0}, st = {0}, out = {0};

	(void)state;
	for (size_t i = 0; i < MACS; i++) {
		size_t full = macs[i].len;
		uint8_t want[64];

		key_of(&macs[i], &key);
		by_openssl(&macs[i], want, text, 77);
		for (CK_ULONG n = 0; n <= full + 1; n++) {
			struct hsa_mech m =
			    hdata_mech_bytes(macs[i].general, &n, sizeof(n));
			CK_RV rv = n >= 1 && n <= full
				       ? CKR_OK
				       : CKR_MECHANISM_PARAM_INVALID;

			assert_int_equal(hdata_single(&H, HSA_FN_SIGN_SINGLE,
					     &m, &key, text, 77, &out),
			    rv);
			assert_int_equal(
			    hdata_init(&H, HSA_FN_VERIFY_INIT, &st, &m, &key),
			    rv);
			if (rv != CKR_OK)
				continue;
			same(&out, want, n);
			assert_int_equal(
			    hdata_verify_once(&H, &st, text, 77, want, n),
			    CKR_OK);
			assert_int_equal(
			    hdata_verify_once(&H, &st, text, 77, want, n - 1),
			    CKR_SIGNATURE_LEN_RANGE);
			assert_int_equal(
			    hdata_verify_once(&H, &st, text, 77, want, n + 1),
			    CKR_SIGNATURE_LEN_RANGE);
		}
	}
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

static void
test_mac__every_flip_is_refused(void **state)
{
	struct hsa_buf key = {0};

	(void)state;
	for (size_t i = 0; i < MACS; i++) {
		struct hsa_mech m = hdata_mech(macs[i].type);
		uint8_t want[64];

		key_of(&macs[i], &key);
		by_openssl(&macs[i], want, text, 20);
		for (size_t j = 0; j < macs[i].len; j++) {
			want[j] ^= 0x40;
			assert_int_equal(hdata_verify_single(&H, &m, &key, text,
					     20, want, macs[i].len),
			    CKR_SIGNATURE_INVALID);
			want[j] ^= 0x40;
		}
		assert_int_equal(hdata_verify_single(
				     &H, &m, &key, text, 19, want, macs[i].len),
		    CKR_SIGNATURE_INVALID);
		assert_int_equal(
		    hdata_verify_single(&H, &m, &key, text, 20, want, 0),
		    CKR_SIGNATURE_LEN_RANGE);
	}
	hsa_buf_free(&key);
}

static void
without(uint8_t cp[16], enum ep11_cp bit)
{
	ep11_cp_default(cp);
	cp[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	ep11_engine_control_points(H.e, cp, 0);
}

static void
test_mac__keys_must_fit_and_be_allowed(void **state)
{
	struct hsa_mech hmac = hdata_mech(CKM_SHA256_HMAC);
	struct hsa_mech cmac = hdata_mech(CKM_AES_CMAC);
	struct hsa_buf key = {0}, out = {0};
	uint8_t cp[16];

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &hmac, &key, text, 1, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	hdata_secret(&H, &key, CKK_GENERIC_SECRET, value, 32, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &cmac, &key, text, 1, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	hdata_secret(&H, &key, CKK_GENERIC_SECRET, value, 32, EP11_SIGN);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &hmac, &key, text, 1, &out),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	hdata_secret(&H, &key, CKK_GENERIC_SECRET, value, 32, EP11_VERIFY);
	assert_int_equal(
	    hdata_verify_single(&H, &hmac, &key, text, 1, value, 32),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	/* half the hash when not every length is allowed */
	hdata_secret(&H, &key, CKK_GENERIC_SECRET, value, 15, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &hmac, &key, text, 1, &out),
	    CKR_OK);
	without(cp, EP11_CP_KEYSZ_HMAC_ANY);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &hmac, &key, text, 1, &out),
	    CKR_KEY_SIZE_RANGE);
	hdata_secret(&H, &key, CKK_GENERIC_SECRET, value, 16, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &hmac, &key, text, 1, &out),
	    CKR_OK);
	without(cp, EP11_CP_SIGN_SYMM);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &hmac, &key, text, 1, &out),
	    CKR_FUNCTION_CANCELED);
	assert_int_equal(
	    hdata_verify_single(&H, &hmac, &key, text, 1, value, 32),
	    CKR_SIGNATURE_INVALID);
	/* DES keys are no more welcome where their name is not in the
	 * mechanism's */
	without(cp, EP11_CP_ALG_NFIPS2021);
	cmac.type = CKM_IBM_CMAC;
	hdata_secret(&H, &key, CKK_DES3, value, 24, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &cmac, &key, text, 1, &out),
	    CKR_MECHANISM_INVALID);
	hdata_secret(&H, &key, CKK_AES, value, 16, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &cmac, &key, text, 1, &out),
	    CKR_OK);
	ep11_cp_default(cp);
	ep11_engine_control_points(H.e, cp, 0);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
}

/* A short key's second object is made once, and goes with the first. */
static void
test_mac__a_short_key_has_one_more_object(void **state)
{
	struct helper_ep11_fault f = {.inner = H.token};
	struct hsa_mech m = hdata_mech(CKM_SHA512_HMAC);
	struct hsa_mech other = hdata_mech(CKM_SHA_1_HMAC);
	struct hsa_buf key = {0}, st = {0}, out = {0};
	size_t before;
	unsigned calls;

	(void)state;
	helper_ep11_wk(&H, 0, -1); /* nothing is cached */
	before = helper_ep11_objects(&H);
	hdata_secret(&H, &key, CKK_GENERIC_SECRET, value, 10, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &key, text, 9, &out),
	    CKR_OK);
	assert_int_equal(helper_ep11_objects(&H), before + 2);
	H.e->token = helper_ep11_faulty(&f);
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(
		    hdata_single(&H, HSA_FN_SIGN_SINGLE,
			i % 2 == 0 ? &m : &other, &key, text, 9, &out),
		    CKR_OK);
		assert_int_equal(f.calls, i);
	}
	H.e->token = H.token;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_SIGN_INIT, &st, &m, &key), CKR_OK);
	feed(HSA_FN_SIGN_UPDATE, &st, text, 9);
	assert_int_equal(helper_ep11_objects(&H), before + 2);
	helper_ep11_wk(&H, 0, -1);
	assert_int_equal(helper_ep11_objects(&H), before);
	/* the token fails at any of its calls: refused, nothing is left */
	calls = 0;
	do {
		CK_RV rv;

		helper_ep11_wk(&H, 0, -1);
		f.calls = 0;
		f.fail_at = ++calls;
		f.rv = CKR_DEVICE_ERROR;
		f.failed = NULL;
		H.e->token = helper_ep11_faulty(&f);
		rv = hdata_single(
		    &H, HSA_FN_SIGN_SINGLE, &m, &key, text, 9, &out);
		H.e->token = H.token;
		assert_int_equal(
		    rv, f.failed != NULL ? CKR_FUNCTION_FAILED : CKR_OK);
		assert_int_equal(out.len, f.failed != NULL ? 0 : 64);
	} while (f.failed != NULL);
	assert_true(calls > 5);
	helper_ep11_wk(&H, 0, -1);
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mac__single_is_openssl_both_ways),
	    cmocka_unit_test(test_mac__published_vectors),
	    cmocka_unit_test(test_mac__split_anywhere_is_the_same),
	    cmocka_unit_test(test_mac__byte_by_byte_and_rewound_is_the_same),
	    cmocka_unit_test(test_mac__one_shot_on_a_state_is_single),
	    cmocka_unit_test(test_mac__general_length_is_cut),
	    cmocka_unit_test(test_mac__every_flip_is_refused),
	    cmocka_unit_test(test_mac__keys_must_fit_and_be_allowed),
	    cmocka_unit_test(test_mac__a_short_key_has_one_more_object),
	};

	return helper_bk_have() ? cmocka_run_group_tests(tests, setup, teardown)
				: HELPER_BK_SKIP;
}
