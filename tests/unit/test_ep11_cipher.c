/* AES and DES encryption through the engine on a real token: against OpenSSL
 * both ways, NIST's vectors, in parts, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helper_data.h"
#include "hsa_hash.h"

static struct helper_ep11 H;
static uint8_t text[96], iv[16];
static const uint8_t value[32] = "0123456789abcdefFEDCBA9876543210";

static const struct cipher {
	CK_MECHANISM_TYPE type;
	CK_KEY_TYPE key_type;
	size_t key_len, block;
	const char *evp; /* OpenSSL's name of the same */
	bool pad;
} ciphers[] = {{CKM_AES_ECB, CKK_AES, 16, 16, "AES-128-ECB", false},
    {CKM_AES_ECB, CKK_AES, 32, 16, "AES-256-ECB", false},
    {CKM_AES_CBC, CKK_AES, 16, 16, "AES-128-CBC", false},
    {CKM_AES_CBC, CKK_AES, 24, 16, "AES-192-CBC", false},
    {CKM_AES_CBC, CKK_AES, 32, 16, "AES-256-CBC", false},
    {CKM_AES_CBC_PAD, CKK_AES, 16, 16, "AES-128-CBC", true},
    {CKM_AES_CBC_PAD, CKK_AES, 32, 16, "AES-256-CBC", true},
    {CKM_AES_CTR, CKK_AES, 16, 16, "AES-128-CTR", false},
    {CKM_AES_CTR, CKK_AES, 32, 16, "AES-256-CTR", false},
    {CKM_DES3_ECB, CKK_DES3, 24, 8, "DES-EDE3-ECB", false},
    {CKM_DES3_ECB, CKK_DES2, 16, 8, "DES-EDE-ECB", false},
    {CKM_DES3_CBC, CKK_DES3, 24, 8, "DES-EDE3-CBC", false},
    {CKM_DES3_CBC, CKK_DES2, 16, 8, "DES-EDE-CBC", false},
    {CKM_DES3_CBC_PAD, CKK_DES3, 24, 8, "DES-EDE3-CBC", true},
    {CKM_DES3_CBC_PAD, CKK_DES2, 16, 8, "DES-EDE-CBC", true}};
#define CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

static bool
streams(const struct cipher *c)
{
	return c->type == CKM_AES_CTR;
}

static bool
is_ecb(const struct cipher *c)
{
	return c->type == CKM_AES_ECB || c->type == CKM_DES3_ECB;
}

static CK_AES_CTR_PARAMS ctr;

static struct hsa_mech
mech_of(const struct cipher *c)
{
	if (is_ecb(c))
		return hdata_mech(c->type);
	if (!streams(c))
		return hdata_mech_bytes(c->type, iv, c->block);
	ctr.ulCounterBits = 64;
	memcpy(ctr.cb, iv, 16);
	return hdata_mech_bytes(c->type, &ctr, sizeof(ctr));
}

static bool
takes(const struct cipher *c, size_t n)
{
	return c->pad || streams(c) || n % c->block == 0;
}

static size_t
by_openssl(const struct cipher *c, uint8_t *out, const uint8_t *in, size_t n)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	EVP_CIPHER *e = EVP_CIPHER_fetch(NULL, c->evp, NULL);
	int a = 0, b = 0;

	assert_non_null(e);
	assert_int_equal(EVP_EncryptInit_ex2(x, e, value, iv, NULL), 1);
	assert_int_equal(EVP_CIPHER_CTX_set_padding(x, c->pad), 1);
	assert_int_equal(EVP_EncryptUpdate(x, out, &a, in, (int)n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(x, out + a, &b), 1);
	EVP_CIPHER_CTX_free(x);
	EVP_CIPHER_free(e);
	return (size_t)(a + b);
}

static void
key_of(const struct cipher *c, struct hsa_buf *key)
{
	hdata_secret(&H, key, c->key_type, value, c->key_len, 0);
}

static void
same(const struct hsa_buf *b, const void *p, size_t n)
{
	assert_int_equal(b->len, n);
	if (n != 0)
		assert_memory_equal(b->p, p, n);
}

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

/* ---- whole --------------------------------------------------------------- */

static void
test_cipher__single_is_openssl_both_ways(void **state)
{
	struct hsa_buf key = {0}, out = {0}, back = {0};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < CIPHERS; i++) {
		const struct cipher *c = &ciphers[i];
		struct hsa_mech m = mech_of(c);

		key_of(c, &key);
		for (size_t n = 0; n <= 50; n++) {
			uint8_t want[80];
			size_t wn;
			CK_RV rv = hdata_single(
			    &H, HSA_FN_ENCRYPT_SINGLE, &m, &key, text, n, &out);

			if (!takes(c, n)) {
				assert_int_equal(rv, CKR_DATA_LEN_RANGE);
				continue;
			}
			assert_int_equal(rv, CKR_OK);
			wn = by_openssl(c, want, text, n);
			same(&out, want, wn);
			assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE,
					     &m, &key, want, wn, &back),
			    CKR_OK);
			same(&back, text, n);
			cells++;
		}
	}
	printf("COUNT ciphers by lengths, both ways: %zu\n", cells);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
	hsa_buf_free(&back);
}

/* NIST SP 800-38A, F.1.1, F.2.1, F.5.1 (AES-128) and F.2.5 (AES-256). */
static void
test_cipher__nist_vectors(void **state)
{
	static const char plain[] = "6bc1bee22e409f96e93d7e117393172a"
				    "ae2d8a571e03ac9c9eb76fac45af8e51"
				    "30c81c46a35ce411e5fbc1191a0a52ef"
				    "f69f2445df4f9b17ad2b417be66c3710";
	static const char k128[] = "2b7e151628aed2a6abf7158809cf4f3c";
	static const char k256[] = "603deb1015ca71be2b73aef0857d7781"
				   "1f352c073b6108d72d9810a30914dff4";
	static const struct {
		CK_MECHANISM_TYPE type;
		const char *key, *param, *cipher;
	} v[] = {{CKM_AES_ECB, k128, "",
		     "3ad77bb40d7a3660a89ecaf32466ef97"
		     "f5d3d58503b9699de785895a96fdbaaf"
		     "43b1cd7f598ece23881b00e3ed030688"
		     "7b0c785e27e8ad3f8223207104725dd4"},
	    {CKM_AES_CBC, k128, "000102030405060708090a0b0c0d0e0f",
		"7649abac8119b246cee98e9b12e9197d"
		"5086cb9b507219ee95db113a917678b2"
		"73bed6b8e3c1743b7116e69e22229516"
		"3ff1caa1681fac09120eca307586e1a7"},
	    {CKM_AES_CBC, k256, "000102030405060708090a0b0c0d0e0f",
		"f58c4c04d6e5f1ba779eabfb5f7bfbd6"
		"9cfc4e967edb808d679f777bc6702c7d"
		"39f23369a9d9bacfa530e26304231461"
		"b2eb05e2c39be9fcda6c19078c6a9d1b"},
	    {CKM_AES_CTR, k128,
		"8000000000000000f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		"874d6191b620e3261bef6864990db6ce"
		"9806f66b7970fdff8617187bb9fffdff"
		"5ae4df3edbd5d35e5b4f09020db03eab"
		"1e031dda2fbe03d1792170a0f3009cee"}};
	uint8_t in[64], want[64], k[32], param[24];
	struct hsa_buf key = {0}, out = {0};

	(void)state;
	assert_int_equal(hsa_unhex(in, 64, plain, 128).v, 0);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		size_t kn = strlen(v[i].key) / 2, pn = strlen(v[i].param) / 2;
		struct hsa_mech m = hdata_mech(v[i].type);

		assert_int_equal(hsa_unhex(want, 64, v[i].cipher, 128).v, 0);
		assert_int_equal(hsa_unhex(k, kn, v[i].key, 2 * kn).v, 0);
		assert_int_equal(hsa_unhex(param, pn, v[i].param, 2 * pn).v, 0);
		if (pn != 0)
			m = hdata_mech_bytes(v[i].type, param, pn);
		hdata_secret(&H, &key, CKK_AES, k, kn, 0);
		assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
				     &key, in, 64, &out),
		    CKR_OK);
		same(&out, want, 64);
		assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m,
				     &key, want, 64, &out),
		    CKR_OK);
		same(&out, in, 64);
	}
	hsa_buf_free(&key);
	hsa_buf_free(&out);
}

/* ---- in parts ------------------------------------------------------------ */

struct parts {
	struct hsa_buf state, piece, all;
};

static void
parts_free(struct parts *p)
{
	hsa_buf_free(&p->state);
	hsa_buf_free(&p->piece);
	hsa_buf_free(&p->all);
}

static void
part(struct parts *p, enum hsa_fn fn, const uint8_t *in, size_t n)
{
	size_t len = p->state.len;

	assert_int_equal(
	    hdata_update(&H, fn, &p->state, in, n, &p->piece), CKR_OK);
	assert_int_equal(p->state.len, len); /* constant */
	hsa_buf_put(&p->all, p->piece.p, p->piece.len);
}

static void
last(struct parts *p, enum hsa_fn fn)
{
	assert_int_equal(hdata_final(&H, fn, &p->state, &p->piece), CKR_OK);
	hsa_buf_put(&p->all, p->piece.p, p->piece.len);
}

static void
first(struct parts *p, enum hsa_fn fn, const struct cipher *c,
    const struct hsa_buf *key)
{
	struct hsa_mech m = mech_of(c);

	hsa_buf_reset(&p->all);
	assert_int_equal(hdata_init(&H, fn, &p->state, &m, key), CKR_OK);
	assert_true(p->state.len > 100 && p->state.len <= EP11_STATE_MAX);
}

/* Two parts at every position, whole blocks or not. */
static void
test_cipher__split_anywhere_is_the_same(void **state)
{
	struct hsa_buf key = {0};
	struct parts p = {0};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < CIPHERS; i++) {
		const struct cipher *c = &ciphers[i];
		size_t n = c->pad || streams(c) ? 41 : 48, wn;
		uint8_t want[80];

		key_of(c, &key);
		wn = by_openssl(c, want, text, n);
		for (size_t cut = 0; cut <= n; cut++) {
			first(&p, HSA_FN_ENCRYPT_INIT, c, &key);
			part(&p, HSA_FN_ENCRYPT_UPDATE, text, cut);
			part(&p, HSA_FN_ENCRYPT_UPDATE, text + cut, n - cut);
			last(&p, HSA_FN_ENCRYPT_FINAL);
			same(&p.all, want, wn);
			cells++;
		}
		for (size_t cut = 0; cut <= wn; cut++) {
			first(&p, HSA_FN_DECRYPT_INIT, c, &key);
			part(&p, HSA_FN_DECRYPT_UPDATE, want, cut);
			part(&p, HSA_FN_DECRYPT_UPDATE, want + cut, wn - cut);
			last(&p, HSA_FN_DECRYPT_FINAL);
			same(&p.all, text, n);
			cells++;
		}
	}
	printf("COUNT operations in two parts: %zu\n", cells);
	parts_free(&p);
	hsa_buf_free(&key);
}

static void
test_cipher__byte_by_byte_is_the_same(void **state)
{
	struct hsa_buf key = {0};
	struct parts p = {0};

	(void)state;
	for (size_t i = 0; i < CIPHERS; i++) {
		const struct cipher *c = &ciphers[i];
		size_t n = 48, wn;
		uint8_t want[80];

		key_of(c, &key);
		wn = by_openssl(c, want, text, n);
		first(&p, HSA_FN_ENCRYPT_INIT, c, &key);
		for (size_t j = 0; j < n; j++)
			part(&p, HSA_FN_ENCRYPT_UPDATE, text + j, 1);
		last(&p, HSA_FN_ENCRYPT_FINAL);
		same(&p.all, want, wn);
		first(&p, HSA_FN_DECRYPT_INIT, c, &key);
		for (size_t j = 0; j < wn; j++)
			part(&p, HSA_FN_DECRYPT_UPDATE, want + j, 1);
		last(&p, HSA_FN_DECRYPT_FINAL);
		same(&p.all, text, n);
	}
	parts_free(&p);
	hsa_buf_free(&key);
}

/* Only what is complete comes out, and CBC-PAD keeps a last block back. */
static void
test_cipher__update_gives_what_is_complete(void **state)
{
	static const struct {
		size_t in, out;
	} enc[] = {{5, 0}, {10, 0}, {1, 16}, {47, 32}, {1, 16}},
	  dec[] = {{16, 0}, {1, 16}, {15, 0}, {32, 32}, {0, 0}};
	const struct cipher *c = &ciphers[5];
	struct hsa_buf key = {0};
	struct parts p = {0};
	uint8_t want[96];
	size_t at = 0;

	(void)state;
	key_of(c, &key);
	first(&p, HSA_FN_ENCRYPT_INIT, c, &key);
	for (size_t i = 0; i < 5; i++) {
		part(&p, HSA_FN_ENCRYPT_UPDATE, text + at, enc[i].in);
		assert_int_equal(p.piece.len, enc[i].out);
		at += enc[i].in;
	}
	last(&p, HSA_FN_ENCRYPT_FINAL);
	assert_int_equal(p.piece.len, 16);
	assert_int_equal(by_openssl(c, want, text, at), 80);
	same(&p.all, want, 80);
	first(&p, HSA_FN_DECRYPT_INIT, c, &key);
	at = 0;
	for (size_t i = 0; i < 5; i++) {
		part(&p, HSA_FN_DECRYPT_UPDATE, want + at, dec[i].in);
		assert_int_equal(p.piece.len, dec[i].out);
		at += dec[i].in;
	}
	part(&p, HSA_FN_DECRYPT_UPDATE, want + at, 80 - at);
	assert_int_equal(p.piece.len, 16);
	last(&p, HSA_FN_DECRYPT_FINAL);
	same(&p.all, text, 64);
	parts_free(&p);
	hsa_buf_free(&key);
}

static void
test_cipher__states_may_be_copied_and_rewound(void **state)
{
	struct hsa_buf key = {0}, old = {0}, begun = {0};
	uint8_t want[80], other[80];
	struct parts p = {0};

	(void)state;
	for (size_t i = 0; i < CIPHERS; i++) {
		const struct cipher *c = &ciphers[i];
		uint8_t mixed[48];

		key_of(c, &key);
		memcpy(mixed, text, 48);
		memset(mixed + 21, 0xee, 27);
		by_openssl(c, want, text, 48);
		by_openssl(c, other, mixed, 48);
		first(&p, HSA_FN_ENCRYPT_INIT, c, &key);
		hsa_buf_reset(&begun);
		hsa_buf_put(&begun, p.state.p, p.state.len);
		part(&p, HSA_FN_ENCRYPT_UPDATE, text, 21);
		hsa_buf_reset(&old);
		hsa_buf_put(&old, p.state.p, p.state.len);
		part(&p, HSA_FN_ENCRYPT_UPDATE, text + 21, 27);
		last(&p, HSA_FN_ENCRYPT_FINAL);
		assert_memory_equal(p.all.p, want, 48);
		/* back to the old copy, on with other data, twice */
		for (int again = 0; again < 2; again++) {
			p.all.len = 21 / c->block * c->block;
			hsa_buf_reset(&p.state);
			hsa_buf_put(&p.state, old.p, old.len);
			part(&p, HSA_FN_ENCRYPT_UPDATE, mixed + 21, 27);
			last(&p, HSA_FN_ENCRYPT_FINAL);
			assert_memory_equal(p.all.p, other, 48);
		}
		/* and to the very first */
		assert_int_equal(
		    hdata_once(&H, HSA_FN_ENCRYPT, &begun, text, 48, &p.piece),
		    CKR_OK);
		assert_memory_equal(p.piece.p, want, 48);
	}
	parts_free(&p);
	hsa_buf_free(&old);
	hsa_buf_free(&begun);
	hsa_buf_free(&key);
}

static void
test_cipher__one_shot_on_a_state_is_single(void **state)
{
	struct hsa_buf key = {0}, st = {0}, out = {0};

	(void)state;
	for (size_t i = 0; i < CIPHERS; i++) {
		const struct cipher *c = &ciphers[i];
		struct hsa_mech m = mech_of(c);
		uint8_t want[80];
		size_t wn = by_openssl(c, want, text, 48);

		key_of(c, &key);
		assert_int_equal(
		    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &key), CKR_OK);
		for (int twice = 0; twice < 2; twice++) {
			assert_int_equal(
			    hdata_once(&H, HSA_FN_ENCRYPT, &st, text, 48, &out),
			    CKR_OK);
			same(&out, want, wn);
		}
		assert_int_equal(
		    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 1, NULL),
		    CKR_OK);
		assert_int_equal(
		    hdata_once(&H, HSA_FN_ENCRYPT, &st, text, 48, &out),
		    CKR_OPERATION_ACTIVE);
		assert_int_equal(
		    hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &m, &key), CKR_OK);
		assert_int_equal(
		    hdata_once(&H, HSA_FN_DECRYPT, &st, want, wn, &out),
		    CKR_OK);
		same(&out, text, 48);
	}
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

/* ---- what is refused ----------------------------------------------------- */

static void
test_cipher__incomplete_data_is_refused_at_the_end(void **state)
{
	struct hsa_buf key = {0};
	struct parts p = {0};

	(void)state;
	for (size_t i = 0; i < CIPHERS; i++) {
		const struct cipher *c = &ciphers[i];

		if (streams(c))
			continue;
		key_of(c, &key);
		first(&p, HSA_FN_DECRYPT_INIT, c, &key);
		part(&p, HSA_FN_DECRYPT_UPDATE, text, 17);
		assert_int_equal(
		    hdata_final(&H, HSA_FN_DECRYPT_FINAL, &p.state, &p.piece),
		    CKR_ENCRYPTED_DATA_LEN_RANGE);
		if (c->pad)
			continue;
		first(&p, HSA_FN_ENCRYPT_INIT, c, &key);
		part(&p, HSA_FN_ENCRYPT_UPDATE, text, 17);
		assert_int_equal(
		    hdata_final(&H, HSA_FN_ENCRYPT_FINAL, &p.state, &p.piece),
		    CKR_DATA_LEN_RANGE);
	}
	parts_free(&p);
	hsa_buf_free(&key);
}

static void
test_cipher__wrong_padding_is_refused(void **state)
{
	const struct cipher *c = &ciphers[5];
	struct hsa_mech m = mech_of(c), plain = m;
	struct hsa_buf key = {0}, out = {0};
	uint8_t block[16];
	size_t good = 0;

	(void)state;
	plain.type = CKM_AES_CBC;
	key_of(c, &key);
	/* last byte 0 to 40, the others 5: five fives are right, and a one */
	for (unsigned last_byte = 0; last_byte <= 40; last_byte++) {
		CK_RV rv;

		memset(block, 5, sizeof(block));
		block[15] = (uint8_t)last_byte;
		assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &plain,
				     &key, block, 16, &out),
		    CKR_OK);
		memcpy(block, out.p, 16);
		rv = hdata_single(
		    &H, HSA_FN_DECRYPT_SINGLE, &m, &key, block, 16, &out);
		if (rv == CKR_OK)
			good++;
		else
			assert_int_equal(rv, CKR_ENCRYPTED_DATA_INVALID);
	}
	assert_int_equal(good, 2);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m, &key, block, 15, &out),
	    CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m, &key, "", 0, &out),
	    CKR_ENCRYPTED_DATA_LEN_RANGE);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
}

static void
test_cipher__keys_must_fit_and_be_allowed(void **state)
{
	struct hsa_mech aes = hdata_mech(CKM_AES_ECB);
	struct hsa_mech des = hdata_mech(CKM_DES3_ECB);
	struct hsa_buf key = {0}, out = {0}, st = {0};

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 16, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &des, &key, text, 16, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &des, &key),
	    CKR_KEY_TYPE_INCONSISTENT);
	hdata_secret(&H, &key, CKK_GENERIC_SECRET, value, 16, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &aes, &key, text, 16, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	hdata_secret(&H, &key, CKK_AES, value, 16, EP11_ENCRYPT);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &aes, &key, text, 16, &out),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &aes, &key, text, 16, &out),
	    CKR_OK);
	hdata_secret(&H, &key, CKK_AES, value, 16, EP11_DECRYPT);
	assert_int_equal(hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &aes, &key),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &aes, NULL),
	    CKR_KEY_HANDLE_INVALID);
	aes.type = CKM_SHA256;
	assert_int_equal(hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &aes, &key),
	    CKR_MECHANISM_INVALID);
	aes.type = 0x12345;
	assert_int_equal(hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &aes, &key),
	    CKR_MECHANISM_INVALID);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
	hsa_buf_free(&st);
}

/* Also for operations that were begun while the control point was on. */
static void
test_cipher__control_points_are_asked_at_every_step(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_AES_ECB);
	struct hsa_buf key = {0}, out = {0}, st = {0};
	uint8_t cp[16];

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 16, 0);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &key), CKR_OK);
	ep11_cp_default(cp);
	cp[EP11_CP_ENCRYPT_SYMM / 8] &=
	    (uint8_t) ~(0x80 >> EP11_CP_ENCRYPT_SYMM % 8);
	ep11_engine_control_points(H.e, cp, 0);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 16, &out),
	    CKR_FUNCTION_CANCELED);
	assert_int_equal(hdata_once(&H, HSA_FN_ENCRYPT, &st, text, 16, &out),
	    CKR_FUNCTION_CANCELED);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &key, text, 16, &out),
	    CKR_FUNCTION_CANCELED);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m, &key, text, 16, &out),
	    CKR_OK);
	ep11_cp_default(cp);
	ep11_engine_control_points(H.e, cp, 0);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 16, &out),
	    CKR_OK);
	hsa_buf_free(&key);
	hsa_buf_free(&out);
	hsa_buf_free(&st);
}

/* A small room says what is needed and leaves the operation as it was. */
static void
test_cipher__small_rooms_leave_the_operation(void **state)
{
	struct hsa_mech m = hdata_mech_bytes(CKM_AES_CBC, iv, 16);
	struct hsa_buf key = {0}, st = {0}, out = {0};
	struct hsa_call c = {.fn = HSA_FN_ENCRYPT_UPDATE,
	    .data = {text, 33},
	    .limited = true,
	    .room = 31};
	uint8_t want[80];

	(void)state;
	hdata_secret(&H, &key, CKK_AES, value, 32, 0);
	by_openssl(&ciphers[4], want, text, 48);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &key), CKR_OK);
	c.state = helper_slice(&st);
	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_BUFFER_TOO_SMALL);
	assert_int_equal(c.needed, 32);
	assert_int_equal(c.out.len, 0);
	assert_int_equal(c.new_state.len, 0);
	hsa_call_reset(&c);
	c.length_only = true;
	ep11_engine_call(H.e, &c);
	assert_int_equal(c.rv, CKR_OK);
	assert_int_equal(c.needed, 32);
	assert_int_equal(c.new_state.len, 0);
	hsa_call_free(&c);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 33, &out),
	    CKR_OK);
	same(&out, want, 32);
	hsa_buf_free(&key);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cipher__single_is_openssl_both_ways),
	    cmocka_unit_test(test_cipher__nist_vectors),
	    cmocka_unit_test(test_cipher__split_anywhere_is_the_same),
	    cmocka_unit_test(test_cipher__byte_by_byte_is_the_same),
	    cmocka_unit_test(test_cipher__update_gives_what_is_complete),
	    cmocka_unit_test(test_cipher__states_may_be_copied_and_rewound),
	    cmocka_unit_test(test_cipher__one_shot_on_a_state_is_single),
	    cmocka_unit_test(
		test_cipher__incomplete_data_is_refused_at_the_end),
	    cmocka_unit_test(test_cipher__wrong_padding_is_refused),
	    cmocka_unit_test(test_cipher__keys_must_fit_and_be_allowed),
	    cmocka_unit_test(
		test_cipher__control_points_are_asked_at_every_step),
	    cmocka_unit_test(test_cipher__small_rooms_leave_the_operation),
	};

	return helper_bk_have() ? cmocka_run_group_tests(tests, setup, teardown)
				: HELPER_BK_SKIP;
}
