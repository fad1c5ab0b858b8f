/* Keys that the unit makes: taken out under a key whose value is known, and
 * looked at by OpenSSL. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "helper_matrix.h"
#include "hsa_hash.h"

/* ---- secret keys --------------------------------------------------------- */

static void
secret_row(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type, size_t n)
{
	CK_MECHANISM m = {type, NULL, 0};
	struct mx_bytes key, csum, one, two;

	one.n = 0;
	for (int i = 0; i < 2; i++) {
		struct mx_template t = {.n = 0};
		struct mx_bytes *v = i == 0 ? &one : &two;
		CK_ULONG is_type = 0, is_len = 0;
		CK_ATTRIBUTE a[2] = {{CKA_KEY_TYPE, &is_type, sizeof(is_type)},
		    {CKA_VALUE_LEN, &is_len, sizeof(is_len)}};

		mx_num(&t, CKA_VALUE_LEN, n);
		mx_bool(&t, CKA_EXTRACTABLE, true);
		if (!mx_ok(type, MX_GENERATE, mx_generate(&m, &t, &key, &csum),
			"%zu bytes", n) ||
		    !mx_ok(type, MX_GENERATE, mx_export(v, &key),
			"out with %zu bytes", n))
			return;
		mx_check(
		    type, MX_GENERATE, v->n == n, "%zu bytes: %zu", n, v->n);
		mx_check(type, MX_GENERATE, mx_kcv(&csum, key_type, v->p, n),
		    "%zu bytes: checksum", n);
		mx_check(type, MX_GENERATE,
		    mx.m_GetAttributeValue(key.p, key.n, a, 2, mx_target) ==
			    CKR_OK &&
			is_type == key_type && is_len == n,
		    "%zu bytes: attributes", n);
		/* PKCS #11: DES keys have odd parity */
		for (size_t j = 0; key_type == CKK_DES3 && j < n; j++)
			mx_check(type, MX_GENERATE,
			    __builtin_parity(v->p[j]) == 1, "parity");
	}
	mx_check(type, MX_GENERATE, n < 8 || !mx_same(&one, two.p, two.n),
	    "%zu bytes: the same key twice", n);
}

/* ---- key pairs ----------------------------------------------------------- */

/* Both halves by OpenSSL's reading, one against the other, and at work. */
static EVP_PKEY *
pair_row(CK_MECHANISM *m, const struct mx_template *pub, CK_KEY_TYPE type,
    const char *what)
{
	struct mx_template prv = {.n = 0};
	struct mx_bytes prv_key, pub_key;
	EVP_PKEY *whole = NULL, *half = NULL;

	mx_bool(&prv, CKA_EXTRACTABLE, true);
	if (!mx_ok(m->mechanism, MX_PAIR,
		mx_pair(m, pub, &prv, &prv_key, &pub_key), "%s", what))
		return NULL;
	half = mx_public(&pub_key);
	whole = mx_export_private(&prv_key);
	mx_check(m->mechanism, MX_PAIR, half != NULL,
	    "%s: OpenSSL cannot read the public half", what);
	mx_check(m->mechanism, MX_PAIR, whole != NULL,
	    "%s: OpenSSL cannot read the private half", what);
	mx_check(m->mechanism, MX_PAIR,
	    half != NULL && whole != NULL && EVP_PKEY_eq(half, whole) == 1 &&
		mx_key_type(whole) == type,
	    "%s: two halves of different pairs", what);
	if (whole != NULL) {
		EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(whole, NULL);

		/* OpenSSL holds neither small DSA and DH groups nor X9.42
		 * forms for good; that they are those asked for is seen by
		 * the caller */
		mx_check(m->mechanism, MX_PAIR,
		    type == CKK_DSA || type == CKK_DH ||
			EVP_PKEY_pairwise_check(x) == 1,
		    "%s: no pair", what);
		EVP_PKEY_CTX_free(x);
	}
	ERR_clear_error();
	EVP_PKEY_free(half);
	return whole;
}

static void
rsa_row(CK_MECHANISM_TYPE type, unsigned bits, const char *e)
{
	CK_MECHANISM m = {type, NULL, 0};
	struct mx_template t = {.n = 0};
	uint8_t exponent[8];
	BIGNUM *want = NULL, *got = NULL;
	EVP_PKEY *k;
	int n = BN_hex2bn(&want, e);

	n = n > 0 ? BN_bn2bin(want, exponent) : 0;
	mx_num(&t, CKA_MODULUS_BITS, bits);
	mx_attr(&t, CKA_PUBLIC_EXPONENT, exponent, (size_t)n);
	k = pair_row(&m, &t, CKK_RSA, "RSA");
	mx_check(type, MX_PAIR,
	    k != NULL && EVP_PKEY_get_bits(k) == (int)bits &&
		EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_E, &got) == 1 &&
		BN_cmp(got, want) == 0,
	    "%u bits: another size or exponent", bits);
	BN_free(want);
	BN_free(got);
	EVP_PKEY_free(k);
}

static void
ec_row(CK_MECHANISM_TYPE type, const struct mx_curve *c)
{
	CK_MECHANISM m = {type, NULL, 0};
	struct mx_template t = {.n = 0};
	uint8_t oid[16];
	size_t n = strlen(c->ours) / 2;
	EVP_PKEY *k, *like = mx_curve_key(c);

	if (!hsa_is_ok(hsa_unhex(oid, n, c->ours, strlen(c->ours))))
		return;
	mx_attr(&t, CKA_EC_PARAMS, oid, n);
	k = pair_row(&m, &t, CKK_EC, c->name);
	mx_check(type, MX_PAIR,
	    k != NULL &&
		EVP_PKEY_get_base_id(k) == EVP_PKEY_get_base_id(like) &&
		(c->kind != MX_PRIME || EVP_PKEY_parameters_eq(k, like) == 1),
	    "%s: another curve", c->name);
	EVP_PKEY_free(k);
	EVP_PKEY_free(like);
}

/* prime [subprime] base, each as long as the prime (ep11-host-api 11.3) */
static void
group_row(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type, const char *pem)
{
	static const char *const name[] = {OSSL_PKEY_PARAM_FFC_P,
	    OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G};
	CK_MECHANISM m = {type, NULL, 0};
	struct mx_template t = {.n = 0};
	EVP_PKEY *like = mx_pem(pem), *k = NULL;
	uint8_t params[3 * 512];
	size_t at = 0, len = 0;
	bool good = like != NULL;

	for (int i = 0; i < 3 && good; i++) {
		BIGNUM *v = NULL;

		if (i == 1 && key_type == CKK_DH)
			continue;
		good = EVP_PKEY_get_bn_param(like, name[i], &v) == 1;
		if (good && i == 0)
			len = (size_t)BN_num_bytes(v);
		good = good && len <= 512 &&
		       BN_bn2binpad(v, params + at, (int)len) > 0;
		at += len;
		BN_free(v);
	}
	if (!mx_check(type, MX_PAIR, good, "%s", pem))
		goto out;
	mx_attr(&t, CKA_IBM_STRUCT_PARAMS, params, at);
	k = pair_row(&m, &t, key_type, pem);
	for (int i = 0; i < 3 && k != NULL; i++) {
		BIGNUM *a = NULL, *b = NULL;

		if (i == 1 && key_type == CKK_DH)
			continue;
		mx_check(type, MX_PAIR,
		    EVP_PKEY_get_bn_param(like, name[i], &a) == 1 &&
			EVP_PKEY_get_bn_param(k, name[i], &b) == 1 &&
			BN_cmp(a, b) == 0,
		    "%s: another group", pem);
		BN_free(a);
		BN_free(b);
	}
	if (k != NULL) {
		BIGNUM *p = NULL, *g = NULL, *x = NULL, *y = NULL;
		BN_CTX *ctx = BN_CTX_new();
		BIGNUM *r = BN_new();

		mx_check(type, MX_PAIR,
		    EVP_PKEY_get_bn_param(k, name[0], &p) == 1 &&
			EVP_PKEY_get_bn_param(k, name[2], &g) == 1 &&
			EVP_PKEY_get_bn_param(
			    k, OSSL_PKEY_PARAM_PRIV_KEY, &x) == 1 &&
			EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_PUB_KEY, &y) ==
			    1 &&
			BN_mod_exp(r, g, x, p, ctx) == 1 && BN_cmp(r, y) == 0,
		    "%s: y is not g to the x", pem);
		BN_free(p);
		BN_free(g);
		BN_clear_free(x);
		BN_free(y);
		BN_free(r);
		BN_CTX_free(ctx);
	}
out:
	EVP_PKEY_free(k);
	EVP_PKEY_free(like);
}

void
mx_run_generate(void)
{
	const CK_MECHANISM_INFO *g = mx_info(CKM_GENERIC_SECRET_KEY_GEN);

	for (size_t n = 16; n <= 32; n += 8)
		secret_row(CKM_AES_KEY_GEN, CKK_AES, n);
	secret_row(CKM_DES2_KEY_GEN, CKK_DES2, 16);
	secret_row(CKM_DES3_KEY_GEN, CKK_DES3, 24);
	if (mx_check(CKM_GENERIC_SECRET_KEY_GEN, MX_GENERATE, g != NULL,
		"not listed")) {
		secret_row(CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET,
		    g->ulMinKeySize / 8);
		secret_row(CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 37);
		secret_row(CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET,
		    g->ulMaxKeySize / 8);
	}
	rsa_row(CKM_RSA_PKCS_KEY_PAIR_GEN, 1024, "3");
	rsa_row(CKM_RSA_PKCS_KEY_PAIR_GEN, 2048, "10001");
	rsa_row(CKM_RSA_PKCS_KEY_PAIR_GEN, 4096, "10001");
	rsa_row(CKM_RSA_X9_31_KEY_PAIR_GEN, 2048, "10001");
	rsa_row(CKM_RSA_X9_31_KEY_PAIR_GEN, 4096, "10001");
	for (size_t i = 0; i < mx_curves_len; i++) {
		ec_row(CKM_EC_KEY_PAIR_GEN, &mx_curves[i]);
		if (mx_curves[i].kind == MX_EDWARDS)
			ec_row(CKM_EC_EDWARDS_KEY_PAIR_GEN, &mx_curves[i]);
	}
	group_row(CKM_DSA_KEY_PAIR_GEN, CKK_DSA, "dsa1024");
	group_row(CKM_DH_PKCS_KEY_PAIR_GEN, CKK_DH, "dh512");
	group_row(CKM_DH_PKCS_KEY_PAIR_GEN, CKK_DH, "dh_ffdhe2048");
	group_row(CKM_DH_PKCS_KEY_PAIR_GEN, CKK_DH, "dh_modp_4096");
}
