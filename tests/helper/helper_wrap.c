#include <openssl/crypto.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "helper_wrap.h"

struct helper_kek helper_keks[HELPER_KEKS] = {
    {.type = CKM_AES_CBC, .len = 32, .filled = 16},
    {.type = CKM_AES_CBC, .len = 16, .filled = 16},
    {.type = CKM_AES_CBC_PAD, .len = 32, .privates = true},
    {.type = CKM_AES_CBC_PAD, .len = 24, .privates = true},
    {.type = CKM_DES3_CBC, .len = 24, .filled = 8},
    {.type = CKM_DES3_CBC_PAD, .len = 24, .privates = true},
    {.type = CKM_AES_KEY_WRAP, .len = 32, .integrity = true, .tells = true},
    {.type = CKM_AES_KEY_WRAP_PAD,
	.len = 16,
	.integrity = true,
	.tells = true,
	.privates = true},
    {.type = CKM_RSA_PKCS},
    {.type = CKM_RSA_PKCS_OAEP, .integrity = true},
    {.type = CKM_RSA_PKCS_OAEP, .integrity = true, .sha256 = true},
};

static EVP_PKEY *rsa;
static const char label[] = "label of the test";
static const uint8_t iv[16] = "vector of IVs ..";

struct helper_kek *
helper_wrap_kek(CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < HELPER_KEKS; i++)
		if (helper_keks[i].type == type)
			return &helper_keks[i];
	fail_msg("no such wrapping key");
	return NULL;
}

static bool
des(const struct helper_kek *kek)
{
	return kek->type == CKM_DES3_CBC || kek->type == CKM_DES3_CBC_PAD;
}

static bool
cbc(const struct helper_kek *kek)
{
	return des(kek) || kek->type == CKM_AES_CBC ||
	       kek->type == CKM_AES_CBC_PAD;
}

static void
value(uint8_t v[32])
{
	for (size_t i = 0; i < 32; i++)
		v[i] = (uint8_t)(0x40 + 2 * i);
	/* odd parity, for the sake of triple DES */
	for (size_t i = 0; i < 32; i++) {
		unsigned ones = 0;

		for (unsigned b = 1; b < 8; b++)
			ones += v[i] >> b & 1;
		v[i] = (uint8_t)((v[i] & 0xfe) | (ones % 2 == 0 ? 1 : 0));
	}
}

/* ---- in the engine ------------------------------------------------------- */

static void
import_rsa(struct helper_ep11 *h, struct hsa_buf *pub, struct hsa_buf *priv)
{
	struct helper_kek *by = helper_wrap_kek(CKM_AES_KEY_WRAP_PAD);
	struct helper_tmpl t = {.n = 0};
	struct hsa_call c = {.mech = by->m, .key2 = helper_slice(&by->unwraps)};
	struct helper_der p8 = {0};
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(rsa);
	uint8_t w[4096];

	p8.n = (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &p8.p);
	PKCS8_PRIV_KEY_INFO_free(info);
	c.data = (struct hsa_slice){w, helper_wrap_seal(by, w, p8.p, p8.n)};
	tmpl_num(&t, CKA_CLASS, CKO_PRIVATE_KEY);
	tmpl_num(&t, CKA_KEY_TYPE, CKK_RSA);
	c.attr = t.a;
	c.attr_len = t.n;
	assert_int_equal(helper_ep11_call(h, &c, HSA_FN_UNWRAP_KEY), CKR_OK);
	hsa_buf_put(priv, c.out.p, c.out.len);
	hsa_buf_put(pub, c.out2.p, c.out2.len);
	helper_der_free(&p8);
	hsa_call_free(&c);
}

void
helper_wrap_keks(struct helper_ep11 *h)
{
	struct hsa_buf pub = {0}, priv = {0};
	uint8_t v[32];

	value(v);
	rsa = EVP_RSA_gen(2048);
	assert_non_null(rsa);
	for (size_t i = 0; i < HELPER_KEKS; i++) {
		struct helper_kek *k = &helper_keks[i];

		if (k->len == 0) {
			if (pub.len == 0)
				import_rsa(h, &pub, &priv);
			hsa_buf_put(&k->wraps, pub.p, pub.len);
			hsa_buf_put(&k->unwraps, priv.p, priv.len);
		} else {
			helper_ep11_secret(h, &k->wraps,
			    des(k) ? CKK_DES3 : CKK_AES, v, k->len,
			    EP11_WRAP | EP11_UNWRAP);
			hsa_buf_put(&k->unwraps, k->wraps.p, k->wraps.len);
		}
		k->m = helper_mech(k->type);
		if (cbc(k))
			k->m = helper_mech_bytes(k->type, iv, des(k) ? 8 : 16);
		if (k->type == CKM_RSA_PKCS_OAEP) {
			k->m.kind = HSA_MECH_OAEP;
			k->m.hash = k->sha256 ? CKM_SHA256 : CKM_SHA_1;
			k->m.mgf = k->sha256 ? CKG_MGF1_SHA256 : CKG_MGF1_SHA1;
			k->m.source_type = CKZ_DATA_SPECIFIED;
			if (k->sha256)
				k->m.a = (struct hsa_slice){
				    (const uint8_t *)label, strlen(label)};
		}
	}
	hsa_buf_free(&pub);
	hsa_buf_free(&priv);
}

void
helper_wrap_free(void)
{
	for (size_t i = 0; i < HELPER_KEKS; i++) {
		hsa_buf_free(&helper_keks[i].wraps);
		hsa_buf_free(&helper_keks[i].unwraps);
	}
	EVP_PKEY_free(rsa);
	rsa = NULL;
}

bool
helper_wrap_fits(const struct helper_kek *kek, size_t n)
{
	if (kek->type == CKM_AES_KEY_WRAP)
		return n % 8 == 0 && n >= 16;
	if (kek->type == CKM_RSA_PKCS)
		return n <= 256 - 11;
	if (kek->type == CKM_RSA_PKCS_OAEP)
		return n <= 256u - 2 - 2 * (kek->sha256 ? 32u : 20u);
	return true;
}

void
helper_wrap_any(struct helper_ep11 *h, struct hsa_buf *blob)
{
	const struct ep11_curve *c = ep11_curve_rows(&(size_t){0});
	struct helper_tmpl t = {.n = 0};
	struct hsa_call g = {0};

	tmpl_bytes(&t, CKA_EC_PARAMS, c[2].oid, c[2].oid_len);
	assert_int_equal(
	    helper_generate_pair(h, &g, CKM_EC_KEY_PAIR_GEN, &t, NULL), CKR_OK);
	hsa_buf_reset(blob);
	hsa_buf_put(blob, g.out.p, g.out.len);
	hsa_call_free(&g);
}

/* ---- in OpenSSL ---------------------------------------------------------- */

static const EVP_CIPHER *
cipher(const struct helper_kek *k)
{
	if (des(k))
		return EVP_des_ede3_cbc();
	if (k->type == CKM_AES_KEY_WRAP)
		return EVP_aes_256_wrap();
	if (k->type == CKM_AES_KEY_WRAP_PAD)
		return EVP_aes_128_wrap_pad();
	return k->len == 16   ? EVP_aes_128_cbc()
	       : k->len == 24 ? EVP_aes_192_cbc()
			      : EVP_aes_256_cbc();
}

static size_t
symmetric(const struct helper_kek *k, uint8_t *to, const uint8_t *p, size_t n,
    int encrypt)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	uint8_t v[32], block[1024] = {0};
	int a = 0, b = 0;

	value(v);
	EVP_CIPHER_CTX_set_flags(x, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	assert_int_equal(EVP_CipherInit_ex(x, cipher(k), NULL, v,
			     cbc(k) ? iv : NULL, encrypt),
	    1);
	if (k->filled != 0) {
		assert_int_equal(EVP_CIPHER_CTX_set_padding(x, 0), 1);
		if (encrypt) {
			memcpy(block, p, n);
			p = block;
			n = (n + k->filled - 1) / k->filled * k->filled;
		}
	}
	assert_int_equal(EVP_CipherUpdate(x, to, &a, p, (int)n), 1);
	assert_int_equal(EVP_CipherFinal_ex(x, to + a, &b), 1);
	EVP_CIPHER_CTX_free(x);
	return (size_t)(a + b);
}

static size_t
asymmetric(const struct helper_kek *k, uint8_t *to, const uint8_t *p, size_t n,
    int encrypt)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, rsa, NULL);
	size_t len = 512;

	assert_int_equal(
	    encrypt ? EVP_PKEY_encrypt_init(x) : EVP_PKEY_decrypt_init(x), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(x,
			     k->type == CKM_RSA_PKCS ? RSA_PKCS1_PADDING
						     : RSA_PKCS1_OAEP_PADDING),
	    1);
	if (k->sha256) {
		char *l = OPENSSL_strdup(label);

		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_oaep_md(x, EVP_sha256()), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_mgf1_md(x, EVP_sha256()), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set0_rsa_oaep_label(x, l, (int)strlen(label)),
		    1);
	}
	assert_int_equal(encrypt ? EVP_PKEY_encrypt(x, to, &len, p, n)
				 : EVP_PKEY_decrypt(x, to, &len, p, n),
	    1);
	EVP_PKEY_CTX_free(x);
	return len;
}

size_t
helper_wrap_open(
    const struct helper_kek *kek, uint8_t *to, const uint8_t *p, size_t n)
{
	return kek->len == 0 ? asymmetric(kek, to, p, n, 0)
			     : symmetric(kek, to, p, n, 0);
}

size_t
helper_wrap_seal(
    const struct helper_kek *kek, uint8_t *to, const uint8_t *p, size_t n)
{
	return kek->len == 0 ? asymmetric(kek, to, p, n, 1)
			     : symmetric(kek, to, p, n, 1);
}
