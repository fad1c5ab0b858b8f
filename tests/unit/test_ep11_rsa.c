/* RSA through the engine on a real token, against OpenSSL both ways: every
 * padding with every hash and mask, in parts, and what is refused. */
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helper_data.h"

static struct helper_ep11 H;
static uint8_t text[400];

/* 1031 bits: the top byte of the modulus is not full */
static struct pair {
	unsigned bits;
	size_t n; /* bytes */
	EVP_PKEY *key;
	struct hsa_buf priv, pub;
} pairs[] = {{.bits = 1024}, {.bits = 1031}, {.bits = 2048}};
#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static const struct {
	CK_MECHANISM_TYPE type, pkcs, pss;
	CK_RSA_PKCS_MGF_TYPE mgf;
	size_t len;
	const char *name;
} hashes[] = {{CKM_SHA_1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS,
		  CKG_MGF1_SHA1, 20, "SHA1"},
    {CKM_SHA224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, CKG_MGF1_SHA224,
	28, "SHA224"},
    {CKM_SHA256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKG_MGF1_SHA256,
	32, "SHA256"},
    {CKM_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKG_MGF1_SHA384,
	48, "SHA384"},
    {CKM_SHA512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKG_MGF1_SHA512,
	64, "SHA512"}};
#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

static const EVP_MD *
md(size_t i)
{
	return EVP_get_digestbyname(hashes[i].name);
}

static int
setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 5 + 3);
	for (size_t i = 0; i < PAIRS; i++) {
		pairs[i].key = EVP_RSA_gen(pairs[i].bits);
		assert_non_null(pairs[i].key);
		pairs[i].n = (pairs[i].bits + 7) / 8;
		hdata_pair(&H, &pairs[i].priv, &pairs[i].pub, pairs[i].key, 0);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		EVP_PKEY_free(pairs[i].key);
		hsa_buf_free(&pairs[i].priv);
		hsa_buf_free(&pairs[i].pub);
	}
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

/* ---- OpenSSL's side -------------------------------------------------------
 */

/* hash < 0: no parameters of OAEP */
static EVP_PKEY_CTX *
crypt_ctx(const struct pair *p, bool encrypt, int padding, int hash, int mask,
    const char *label)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(p->key, NULL);

	assert_int_equal(
	    encrypt ? EVP_PKEY_encrypt_init(x) : EVP_PKEY_decrypt_init(x), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(x, padding), 1);
	if (hash >= 0) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_oaep_md(x, md((size_t)hash)), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_mgf1_md(x, md((size_t)mask)), 1);
	}
	if (label != NULL)
		assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(x,
				     OPENSSL_strdup(label), (int)strlen(label)),
		    1);
	return x;
}

/* Engine to OpenSSL and back again. */
static void
both_ways(const struct pair *p, const struct hsa_mech *m, int padding, int hash,
    int mask, const char *label, size_t n)
{
	uint8_t other[512];
	size_t len = sizeof(other);
	struct hsa_buf out = {0};
	EVP_PKEY_CTX *x = crypt_ctx(p, false, padding, hash, mask, label);
	CK_RV rv;

	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, m, &p->pub, text, n, &out),
	    CKR_OK);
	assert_int_equal(out.len, p->n);
	assert_int_equal(EVP_PKEY_decrypt(x, other, &len, out.p, out.len), 1);
	assert_int_equal(len, n);
	assert_memory_equal(other, text, n);
	EVP_PKEY_CTX_free(x);
	x = crypt_ctx(p, true, padding, hash, mask, label);
	len = sizeof(other);
	assert_int_equal(EVP_PKEY_encrypt(x, other, &len, text, n), 1);
	assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, m, &p->priv,
			     other, len, &out),
	    CKR_OK);
	same(&out, text, n);
	/* damaged: PKCS #1 v1.5 finds its two bytes once in 65536 times, but
	 * never the same plain text */
	other[len / 2] ^= 1;
	rv = hdata_single(
	    &H, HSA_FN_DECRYPT_SINGLE, m, &p->priv, other, len, &out);
	if (rv != CKR_ENCRYPTED_DATA_INVALID)
		assert_true(rv == CKR_OK && padding == RSA_PKCS1_PADDING &&
			    (out.len != n || memcmp(out.p, text, n) != 0));
	for (size_t bad = len - 1; bad <= len + 1; bad += 2)
		assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, m,
				     &p->priv, other, bad, &out),
		    CKR_ENCRYPTED_DATA_LEN_RANGE);
	EVP_PKEY_CTX_free(x);
	hsa_buf_free(&out);
}

/* ---- encryption ---------------------------------------------------------- */

static void
test_rsa__pkcs_encryption_is_openssl(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_RSA_PKCS);
	struct hsa_buf out = {0};

	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		size_t max = pairs[i].n - 11;

		both_ways(&pairs[i], &m, RSA_PKCS1_PADDING, -1, 0, NULL, 0);
		both_ways(&pairs[i], &m, RSA_PKCS1_PADDING, -1, 0, NULL, 33);
		both_ways(&pairs[i], &m, RSA_PKCS1_PADDING, -1, 0, NULL, max);
		assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
				     &pairs[i].pub, text, max + 1, &out),
		    CKR_DATA_LEN_RANGE);
	}
	hsa_buf_free(&out);
}

static struct hsa_mech
oaep(size_t hash, size_t mask, const char *label)
{
	struct hsa_mech m = {.type = CKM_RSA_PKCS_OAEP,
	    .kind = HSA_MECH_OAEP,
	    .hash = hashes[hash].type,
	    .mgf = hashes[mask].mgf,
	    .source_type = CKZ_DATA_SPECIFIED};

	if (label != NULL)
		m.a = (struct hsa_slice){(const uint8_t *)label, strlen(label)};
	return m;
}

static void
test_rsa__oaep_with_every_hash_and_mask_is_openssl(void **state)
{
	struct hsa_buf out = {0};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < PAIRS; i++)
		for (size_t h = 0; h < HASHES; h++)
			for (size_t g = 0; g < HASHES * 2; g++) {
				const char *label = g % 2 == 0 ? NULL : "tag";
				struct hsa_mech m = oaep(h, g / 2, label);
				size_t over = 2 * hashes[h].len + 2;

				if (pairs[i].n < over) {
					assert_int_equal(
					    hdata_single(&H,
						HSA_FN_ENCRYPT_SINGLE, &m,
						&pairs[i].pub, text, 0, &out),
					    CKR_MECHANISM_PARAM_INVALID);
					continue;
				}
				both_ways(&pairs[i], &m, RSA_PKCS1_OAEP_PADDING,
				    (int)h, (int)g / 2, label, 0);
				both_ways(&pairs[i], &m, RSA_PKCS1_OAEP_PADDING,
				    (int)h, (int)g / 2, label,
				    pairs[i].n - over);
				assert_int_equal(
				    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
					&pairs[i].pub, text,
					pairs[i].n - over + 1, &out),
				    CKR_DATA_LEN_RANGE);
				cells++;
			}
	printf("COUNT OAEP keys, hashes, masks, labels: %zu\n", cells);
	hsa_buf_free(&out);
}

static void
test_rsa__oaep_parameters_are_checked(void **state)
{
	struct hsa_mech good = oaep(2, 2, "tag"), m = good;
	struct hsa_buf out = {0}, st = {0};

	(void)state;
	m.hash = CKM_MD5;
	assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
			     &pairs[2].pub, text, 1, &out),
	    CKR_MECHANISM_PARAM_INVALID);
	m = good;
	m.mgf = 77;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &pairs[2].pub),
	    CKR_MECHANISM_PARAM_INVALID);
	m = good;
	m.source_type = 2;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &m, &pairs[2].priv),
	    CKR_MECHANISM_PARAM_INVALID);
	m.source_type = 0; /* only without a label */
	assert_int_equal(
	    hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &m, &pairs[2].priv),
	    CKR_MECHANISM_PARAM_INVALID);
	m.a.n = 0;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &m, &pairs[2].priv),
	    CKR_OK);
	/* another label does not open it */
	assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &good,
			     &pairs[2].pub, text, 9, &out),
	    CKR_OK);
	m = oaep(2, 2, "tags");
	assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m,
			     &pairs[2].priv, out.p, out.len, &out),
	    CKR_ENCRYPTED_DATA_INVALID);
	hsa_buf_free(&out);
	hsa_buf_free(&st);
}

static void
test_rsa__raw_encryption_is_openssl(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_RSA_X_509);
	struct hsa_buf out = {0}, back = {0};

	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		const struct pair *p = &pairs[i];
		uint8_t block[256] = {0}, want[256];
		size_t len = sizeof(want);
		EVP_PKEY_CTX *x =
		    crypt_ctx(p, true, RSA_NO_PADDING, -1, 0, NULL);

		memcpy(block + p->n - 20, text, 20);
		assert_int_equal(
		    EVP_PKEY_encrypt(x, want, &len, block, p->n), 1);
		/* short data is filled up in front */
		for (size_t n = 20; n <= p->n; n += p->n - 20) {
			assert_int_equal(
			    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &p->pub,
				block + p->n - n, n, &out),
			    CKR_OK);
			same(&out, want, len);
		}
		assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m,
				     &p->priv, want, len, &back),
		    CKR_OK);
		same(&back, block, p->n);
		memset(block, 0xff, sizeof(block));
		assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
				     &p->pub, block, p->n, &out),
		    CKR_DATA_INVALID);
		assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m,
				     &p->priv, block, p->n, &out),
		    CKR_ENCRYPTED_DATA_INVALID);
		assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m,
				     &p->pub, text, p->n + 1, &out),
		    CKR_DATA_LEN_RANGE);
		EVP_PKEY_CTX_free(x);
	}
	hsa_buf_free(&out);
	hsa_buf_free(&back);
}

static void
test_rsa__encryption_has_no_parts(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_RSA_PKCS);
	const struct pair *p = &pairs[0];
	struct hsa_buf st = {0}, out = {0}, back = {0};

	(void)state;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_ENCRYPT_INIT, &st, &m, &p->pub), CKR_OK);
	assert_int_equal(
	    hdata_once(&H, HSA_FN_ENCRYPT, &st, text, 30, &out), CKR_OK);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_ENCRYPT_UPDATE, &st, text, 1, &back),
	    CKR_FUNCTION_NOT_SUPPORTED);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_DECRYPT_INIT, &st, &m, &p->priv), CKR_OK);
	assert_int_equal(
	    hdata_once(&H, HSA_FN_DECRYPT, &st, out.p, out.len, &back), CKR_OK);
	same(&back, text, 30);
	assert_int_equal(hdata_final(&H, HSA_FN_DECRYPT_FINAL, &st, &back),
	    CKR_ENCRYPTED_DATA_LEN_RANGE);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
	hsa_buf_free(&back);
}

/* ---- signatures ---------------------------------------------------------- */

/* mask < 0: PKCS #1 v1.5. Signing (sig out) or verifying by OpenSSL. */
static bool
openssl_sign(const struct pair *p, size_t hash, int mask, int salt,
    const uint8_t *in, size_t n, uint8_t *sig, size_t *sn, bool sign)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(p->key, NULL);
	uint8_t digest[64];
	int ok;

	assert_int_equal(EVP_Digest(in, n, digest, NULL, md(hash), NULL), 1);
	assert_int_equal(
	    sign ? EVP_PKEY_sign_init(x) : EVP_PKEY_verify_init(x), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(
		x, mask < 0 ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING),
	    1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(x, md(hash)), 1);
	if (mask >= 0) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_mgf1_md(x, md((size_t)mask)), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(x, salt), 1);
	}
	ok = sign ? EVP_PKEY_sign(x, sig, sn, digest, hashes[hash].len)
		  : EVP_PKEY_verify(x, sig, *sn, digest, hashes[hash].len);
	EVP_PKEY_CTX_free(x);
	return ok == 1;
}

/* Engine signs, OpenSSL verifies; the other way round; flips and lengths. */
static void
crosswise(const struct pair *p, const struct hsa_mech *m, size_t hash, int mask,
    int salt, bool raw)
{
	uint8_t sig[256], digest[64];
	const uint8_t *in = raw ? digest : text;
	size_t n = raw ? hashes[hash].len : 123, sn = sizeof(sig);
	struct hsa_buf out = {0};

	assert_int_equal(
	    EVP_Digest(text, 123, digest, NULL, md(hash), NULL), 1);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, m, &p->priv, in, n, &out),
	    CKR_OK);
	assert_int_equal(out.len, p->n);
	assert_true(openssl_sign(
	    p, hash, mask, salt, text, 123, out.p, &out.len, false));
	assert_true(
	    openssl_sign(p, hash, mask, salt, text, 123, sig, &sn, true));
	assert_int_equal(
	    hdata_verify_single(&H, m, &p->pub, in, n, sig, sn), CKR_OK);
	for (size_t i = 0; i < sn; i += sn / 2 - 1) {
		sig[i] ^= 4;
		assert_int_equal(
		    hdata_verify_single(&H, m, &p->pub, in, n, sig, sn),
		    CKR_SIGNATURE_INVALID);
		sig[i] ^= 4;
	}
	assert_int_equal(
	    hdata_verify_single(&H, m, &p->pub, in, n, sig, sn - 1),
	    CKR_SIGNATURE_LEN_RANGE);
	assert_int_equal(
	    hdata_verify_single(&H, m, &p->pub, in, n, text, sn + 1),
	    CKR_SIGNATURE_LEN_RANGE);
	digest[3] ^= 1;
	assert_int_equal(hdata_verify_single(&H, m, &p->pub,
			     raw ? digest : text + 1, n, sig, sn),
	    CKR_SIGNATURE_INVALID);
	hsa_buf_free(&out);
}

static void
test_rsa__pkcs_signatures_are_openssls(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++)
		for (size_t h = 0; h < HASHES; h++) {
			struct hsa_mech m = hdata_mech(hashes[h].pkcs);

			crosswise(&pairs[i], &m, h, -1, 0, false);
		}
}

static struct hsa_mech
pss(CK_MECHANISM_TYPE type, size_t hash, size_t mask, size_t salt)
{
	return (struct hsa_mech){.type = type,
	    .kind = HSA_MECH_PSS,
	    .hash = hashes[hash].type,
	    .mgf = hashes[mask].mgf,
	    .salt_len = salt};
}

static void
test_rsa__pss_with_every_hash_mask_and_salt_is_openssl(void **state)
{
	struct hsa_buf out = {0};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < PAIRS; i++)
		for (size_t h = 0; h < HASHES; h++)
			for (size_t g = 0; g < HASHES; g++) {
				size_t em = (pairs[i].bits + 6) / 8;
				size_t max = em - hashes[h].len - 2;
				size_t salts[] = {0, 13,
				    hashes[h].len < max ? hashes[h].len : max,
				    max};
				struct hsa_mech m;

				for (size_t s = 0; s < 4; s++) {
					m = pss(hashes[h].pss, h, g, salts[s]);
					crosswise(&pairs[i], &m, h, (int)g,
					    (int)salts[s], false);
					m.type = CKM_RSA_PKCS_PSS;
					crosswise(&pairs[i], &m, h, (int)g,
					    (int)salts[s], true);
					cells += 2;
				}
				m = pss(hashes[h].pss, h, g, max + 1);
				assert_int_equal(
				    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m,
					&pairs[i].priv, text, 1, &out),
				    CKR_MECHANISM_PARAM_INVALID);
			}
	printf("COUNT PSS keys, hashes, masks, salts: %zu\n", cells);
	hsa_buf_free(&out);
}

static void
test_rsa__pss_parameters_are_checked(void **state)
{
	struct hsa_mech m = pss(CKM_SHA256_RSA_PKCS_PSS, 2, 2, 32);
	struct hsa_buf out = {0}, st = {0};

	(void)state;
	m.hash = CKM_SHA_1; /* not the mechanism's */
	assert_int_equal(
	    hdata_init(&H, HSA_FN_SIGN_INIT, &st, &m, &pairs[0].priv),
	    CKR_MECHANISM_PARAM_INVALID);
	m.hash = CKM_SHA256;
	m.mgf = 0;
	assert_int_equal(
	    hdata_init(&H, HSA_FN_VERIFY_INIT, &st, &m, &pairs[0].pub),
	    CKR_MECHANISM_PARAM_INVALID);
	m = pss(CKM_RSA_PKCS_PSS, 2, 2, SIZE_MAX - 8);
	assert_int_equal(hdata_single(&H, HSA_FN_SIGN_SINGLE, &m,
			     &pairs[0].priv, text, 32, &out),
	    CKR_MECHANISM_PARAM_INVALID);
	m.salt_len = 32;
	for (size_t n = 31; n <= 33; n += 2)
		for (size_t g = 0; g < 2; g++) {
			m.mgf = g == 0 ? CKG_MGF1_SHA256 : CKG_MGF1_SHA1;
			assert_int_equal(hdata_single(&H, HSA_FN_SIGN_SINGLE,
					     &m, &pairs[0].priv, text, n, &out),
			    CKR_DATA_LEN_RANGE);
			assert_int_equal(
			    hdata_verify_single(&H, &m, &pairs[0].pub, text, n,
				text, pairs[0].n),
			    CKR_DATA_LEN_RANGE);
		}
	hsa_buf_free(&out);
	hsa_buf_free(&st);
}

/* Without a hash: zero bytes, few, as many as fit; raw ones filled up. */
static void
test_rsa__plain_signatures_are_openssls(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_RSA_PKCS);
	struct hsa_buf out = {0};

	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		const struct pair *p = &pairs[i];
		size_t lens[] = {0, 1, 35, p->n - 11};

		m.type = CKM_RSA_PKCS;
		for (size_t j = 0; j < 4; j++) {
			uint8_t got[256];
			size_t len = sizeof(got);
			EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(p->key, NULL);

			assert_int_equal(EVP_PKEY_verify_recover_init(x), 1);
			assert_int_equal(
			    EVP_PKEY_CTX_set_rsa_padding(x, RSA_PKCS1_PADDING),
			    1);
			assert_int_equal(
			    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &p->priv,
				lens[j] == 0 ? NULL : text, lens[j], &out),
			    CKR_OK);
			assert_int_equal(EVP_PKEY_verify_recover(
					     x, got, &len, out.p, out.len),
			    1);
			assert_int_equal(len, lens[j]);
			assert_memory_equal(got, text, len);
			assert_int_equal(hdata_verify_single(&H, &m, &p->pub,
					     lens[j] == 0 ? NULL : text,
					     lens[j], out.p, out.len),
			    CKR_OK);
			assert_int_equal(
			    hdata_verify_single(&H, &m, &p->pub, text + 1,
				lens[j] + 1, out.p, out.len),
			    j == 3 ? CKR_DATA_LEN_RANGE
				   : CKR_SIGNATURE_INVALID);
			EVP_PKEY_CTX_free(x);
		}
		assert_int_equal(hdata_single(&H, HSA_FN_SIGN_SINGLE, &m,
				     &p->priv, text, p->n - 10, &out),
		    CKR_DATA_LEN_RANGE);
		m.type = CKM_RSA_X_509;
		for (size_t n = 0; n < p->n; n += 40) {
			uint8_t got[256], want[256] = {0};
			size_t len = sizeof(got);
			EVP_PKEY_CTX *x =
			    crypt_ctx(p, true, RSA_NO_PADDING, -1, 0, NULL);

			assert_int_equal(hdata_single(&H, HSA_FN_SIGN_SINGLE,
					     &m, &p->priv, text, n, &out),
			    CKR_OK);
			/* the public operation gives the block back */
			assert_int_equal(
			    EVP_PKEY_encrypt(x, got, &len, out.p, out.len), 1);
			memcpy(want + p->n - n, text, n);
			assert_memory_equal(got, want, p->n);
			assert_int_equal(hdata_verify_single(&H, &m, &p->pub,
					     text, n, out.p, out.len),
			    CKR_OK);
			out.p[9] ^= 1;
			assert_int_equal(hdata_verify_single(&H, &m, &p->pub,
					     text, n, out.p, out.len),
			    CKR_SIGNATURE_INVALID);
			EVP_PKEY_CTX_free(x);
		}
	}
	hsa_buf_free(&out);
}

static void
test_rsa__signatures_in_parts_are_the_same(void **state)
{
	struct hsa_mech mechs[] = {hdata_mech(CKM_SHA1_RSA_PKCS),
	    hdata_mech(CKM_SHA256_RSA_PKCS), hdata_mech(CKM_SHA512_RSA_PKCS),
	    pss(CKM_SHA256_RSA_PKCS_PSS, 2, 2, 32),
	    pss(CKM_SHA384_RSA_PKCS_PSS, 3, 1, 20)};
	const struct pair *p = &pairs[2];
	struct hsa_buf st = {0}, out = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (size_t cut = 0; cut <= 140; cut += 35) {
			assert_int_equal(hdata_init(&H, HSA_FN_SIGN_INIT, &st,
					     &mechs[i], &p->priv),
			    CKR_OK);
			assert_int_equal(hdata_update(&H, HSA_FN_SIGN_UPDATE,
					     &st, text, cut, NULL),
			    CKR_OK);
			assert_int_equal(hdata_update(&H, HSA_FN_SIGN_UPDATE,
					     &st, text + cut, 140 - cut, NULL),
			    CKR_OK);
			assert_int_equal(
			    hdata_final(&H, HSA_FN_SIGN_FINAL, &st, &out),
			    CKR_OK);
			assert_int_equal(
			    hdata_verify_single(&H, &mechs[i], &p->pub, text,
				140, out.p, out.len),
			    CKR_OK);
			assert_int_equal(hdata_init(&H, HSA_FN_VERIFY_INIT, &st,
					     &mechs[i], &p->pub),
			    CKR_OK);
			assert_int_equal(hdata_verify_once(&H, &st, text, 140,
					     out.p, out.len),
			    CKR_OK);
			assert_int_equal(hdata_update(&H, HSA_FN_VERIFY_UPDATE,
					     &st, text, cut, NULL),
			    CKR_OK);
			assert_int_equal(
			    hdata_verify_final(&H, &st, out.p, out.len),
			    cut == 140 ? CKR_OK : CKR_SIGNATURE_INVALID);
		}
	mechs[0] = hdata_mech(CKM_RSA_PKCS);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_SIGN_INIT, &st, &mechs[0], &p->priv), CKR_OK);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_SIGN_UPDATE, &st, text, 1, NULL),
	    CKR_FUNCTION_NOT_SUPPORTED);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

static void
off(enum ep11_cp bit)
{
	uint8_t cp[16];

	ep11_cp_default(cp);
	if ((int)bit >= 0)
		cp[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	ep11_engine_control_points(H.e, cp, 0);
}

static void
test_rsa__keys_must_fit_and_be_allowed(void **state)
{
	struct hsa_mech m = hdata_mech(CKM_RSA_PKCS);
	struct hsa_mech ec = hdata_mech(CKM_ECDSA);
	const struct pair *p = &pairs[0];
	struct hsa_buf out = {0}, priv = {0}, pub = {0};

	(void)state;
	/* each half for its own use */
	assert_int_equal(hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &p->priv,
			     text, 9, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &p->pub, text, 9, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &ec, &p->priv, text, 9, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	hdata_pair(&H, &priv, &pub, p->key, EP11_SIGN | EP11_ENCRYPT);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &priv, text, 9, &out),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &pub, text, 9, &out),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	off(EP11_CP_SIGN_ASYMM);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &p->priv, text, 9, &out),
	    CKR_FUNCTION_CANCELED);
	off(EP11_CP_DECRYPT_ASYMM);
	assert_int_equal(hdata_single(&H, HSA_FN_DECRYPT_SINGLE, &m, &p->priv,
			     text, p->n, &out),
	    CKR_FUNCTION_CANCELED);
	off(EP11_CP_ALG_RSA);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_ENCRYPT_SINGLE, &m, &p->pub, text, 9, &out),
	    CKR_MECHANISM_INVALID);
	off((enum ep11_cp) - 1);
	hsa_buf_free(&out);
	hsa_buf_free(&priv);
	hsa_buf_free(&pub);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rsa__pkcs_encryption_is_openssl),
	    cmocka_unit_test(
		test_rsa__oaep_with_every_hash_and_mask_is_openssl),
	    cmocka_unit_test(test_rsa__oaep_parameters_are_checked),
	    cmocka_unit_test(test_rsa__raw_encryption_is_openssl),
	    cmocka_unit_test(test_rsa__encryption_has_no_parts),
	    cmocka_unit_test(test_rsa__pkcs_signatures_are_openssls),
	    cmocka_unit_test(
		test_rsa__pss_with_every_hash_mask_and_salt_is_openssl),
	    cmocka_unit_test(test_rsa__pss_parameters_are_checked),
	    cmocka_unit_test(test_rsa__plain_signatures_are_openssls),
	    cmocka_unit_test(test_rsa__signatures_in_parts_are_the_same),
	    cmocka_unit_test(test_rsa__keys_must_fit_and_be_allowed),
	};

	return helper_bk_have() ? cmocka_run_group_tests(tests, setup, teardown)
				: HELPER_BK_SKIP;
}
