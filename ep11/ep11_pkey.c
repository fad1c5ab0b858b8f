#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <string.h>

#include "ep11_pkey.h"
#include "ep11_policy.h"

/* Every way out leaves this thread's OpenSSL error queue empty. */
static CK_RV
done(CK_RV rv)
{
	ERR_clear_error();
	return rv;
}

void
ep11_pkey_free(struct ep11_pkey *k)
{
	EVP_PKEY_free(k->key);
	memset(k, 0, sizeof(*k));
}

/* ---- what an AlgorithmIdentifier says ------------------------------------ */

static const struct ep11_curve *
curve_of(const ASN1_OBJECT *oid)
{
	const struct ep11_curve *c = NULL;
	uint8_t *der = NULL;
	int n = i2d_ASN1_OBJECT(oid, &der);

	if (n > 0)
		c = ep11_curve_find(der, (size_t)n);
	OPENSSL_free(der);
	return c;
}

static CK_RV
algorithm(struct ep11_pkey *k, const X509_ALGOR *alg, CK_RV bad)
{
	const ASN1_OBJECT *oid = NULL;
	const void *value = NULL;
	int kind = 0;

	X509_ALGOR_get0(&oid, &kind, &value, alg);
	switch (OBJ_obj2nid(oid)) {
	case NID_rsaEncryption:
		k->type = CKK_RSA;
		return kind == V_ASN1_NULL ? CKR_OK : bad;
	case NID_dsa:
		k->type = CKK_DSA;
		return kind == V_ASN1_SEQUENCE ? CKR_OK : bad;
	case NID_dhKeyAgreement:
		k->type = CKK_DH;
		return kind == V_ASN1_SEQUENCE ? CKR_OK : bad;
	case NID_X9_62_id_ecPublicKey:
		k->type = CKK_EC;
		if (kind != V_ASN1_OBJECT) /* explicit parameters */
			return kind == V_ASN1_SEQUENCE ? CKR_CURVE_NOT_SUPPORTED
						       : bad;
		k->curve = curve_of(value);
		return k->curve != NULL && k->curve->kind == EP11_CURVE_PRIME
			   ? CKR_OK
			   : CKR_CURVE_NOT_SUPPORTED;
	case NID_ED25519:
	case NID_ED448:
	case NID_X25519:
	case NID_X448:
		k->type = CKK_EC;
		k->curve = curve_of(oid);
		if (kind != V_ASN1_UNDEF)
			return bad;
		return k->curve != NULL ? CKR_OK : CKR_CURVE_NOT_SUPPORTED;
	default:
		return bad;
	}
}

/* Sizes first: the checks behind them take time that grows with the size. */
static CK_RV
size(struct ep11_pkey *k)
{
	uint32_t min = EP11_FFC_BITS_MIN, max = EP11_FFC_BITS_MAX;

	if (k->type == CKK_EC) {
		k->bits = k->curve->bits;
		return CKR_OK;
	}
	if (k->type == CKK_RSA) {
		min = EP11_RSA_BITS_MIN;
		max = EP11_RSA_BITS_MAX;
	}
	k->bits = (uint32_t)EVP_PKEY_get_bits(k->key);
	return k->bits >= min && k->bits <= max ? CKR_OK : CKR_KEY_SIZE_RANGE;
}

/* how: EVP_PKEY_public_check, EVP_PKEY_pairwise_check ... */
static bool
checked(const struct ep11_pkey *k, int (*how)(EVP_PKEY_CTX *))
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, k->key, NULL);
	bool good = x != NULL && how(x) == 1;

	EVP_PKEY_CTX_free(x);
	return good;
}

/*
 * OpenSSL's check of an RSA modulus looks for its primes, which takes 5 ms at
 * 2048 bits; public keys are loaded often, and one without two primes is its
 * owner's loss. So: n odd, e odd, 1 < e < n.
 */
static bool
rsa_public(const struct ep11_pkey *k)
{
	BIGNUM *n = NULL, *e = NULL;
	bool good =
	    EVP_PKEY_get_bn_param(k->key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(k->key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) && BN_cmp(e, n) < 0;

	BN_free(n);
	BN_free(e);
	return good;
}

static bool
public_checked(const struct ep11_pkey *k)
{
	return k->type == CKK_RSA ? rsa_public(k)
				  : checked(k, EVP_PKEY_public_check);
}

/* ---- reading ------------------------------------------------------------- */

/* One key, one SPKI: no second form of it, inside or out, is taken; of points
 * that is the uncompressed one, which all tokens read. */
static bool
same_again(const struct ep11_pkey *k, const uint8_t *p, size_t n)
{
	struct hsa_buf point = {0};
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(k->key, &der);
	bool same = len > 0 && (size_t)len == n && memcmp(der, p, n) == 0;

	if (same && k->curve != NULL)
		same = ep11_pkey_point(&point, k) == CKR_OK && point.len < n &&
		       memcmp(p + n - point.len, point.p, point.len) == 0;
	hsa_buf_free(&point);
	OPENSSL_free(der);
	return same;
}

static CK_RV
public_read(struct ep11_pkey *k, X509_PUBKEY **x, const uint8_t *p, size_t n)
{
	const uint8_t *at = p;
	X509_ALGOR *alg = NULL;
	CK_RV rv = CKR_OK;

	if (n == 0 || n > HSA_BLOB_MAX)
		return CKR_PUBLIC_KEY_INVALID;
	*x = d2i_X509_PUBKEY(NULL, &at, (long)n);
	if (*x == NULL || at != p + n ||
	    X509_PUBKEY_get0_param(NULL, NULL, NULL, &alg, *x) != 1)
		return CKR_PUBLIC_KEY_INVALID;
	rv = algorithm(k, alg, CKR_PUBLIC_KEY_INVALID);
	if (rv != CKR_OK)
		return rv;
	k->key = X509_PUBKEY_get(*x);
	if (k->key == NULL || !same_again(k, p, n))
		return CKR_PUBLIC_KEY_INVALID;
	rv = size(k);
	if (rv == CKR_OK && !public_checked(k))
		rv = CKR_PUBLIC_KEY_INVALID;
	return rv;
}

CK_RV
ep11_pkey_public(struct ep11_pkey *k, const void *p, size_t n)
{
	X509_PUBKEY *x = NULL;
	CK_RV rv = CKR_OK;

	memset(k, 0, sizeof(*k));
	rv = public_read(k, &x, p, n);
	X509_PUBKEY_free(x);
	if (rv != CKR_OK)
		ep11_pkey_free(k);
	return done(rv);
}

/* A key with more than two primes is none that a token here takes. */
static bool
two_primes(const struct ep11_pkey *k)
{
	BIGNUM *p = NULL, *q = NULL, *more = NULL;
	bool two =
	    k->type != CKK_RSA ||
	    (EVP_PKEY_get_bn_param(k->key, OSSL_PKEY_PARAM_RSA_FACTOR1, &p) &&
		EVP_PKEY_get_bn_param(
		    k->key, OSSL_PKEY_PARAM_RSA_FACTOR2, &q) &&
		!EVP_PKEY_get_bn_param(
		    k->key, OSSL_PKEY_PARAM_RSA_FACTOR3, &more));

	BN_clear_free(p);
	BN_clear_free(q);
	BN_clear_free(more);
	return two;
}

static CK_RV
private_read(
    struct ep11_pkey *k, PKCS8_PRIV_KEY_INFO **x, const uint8_t *p, size_t n)
{
	const uint8_t *at = p;
	const X509_ALGOR *alg = NULL;
	CK_RV rv = CKR_OK;

	if (n == 0 || n > HSA_BLOB_MAX)
		return CKR_WRAPPED_KEY_INVALID;
	*x = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)n);
	if (*x == NULL || p + n - at > 15)
		return CKR_WRAPPED_KEY_INVALID;
	for (; at != p + n; at++)
		if (*at != 0)
			return CKR_WRAPPED_KEY_INVALID;
	if (PKCS8_pkey_get0(NULL, NULL, NULL, &alg, *x) != 1)
		return CKR_WRAPPED_KEY_INVALID;
	rv = algorithm(k, alg, CKR_WRAPPED_KEY_INVALID);
	if (rv != CKR_OK)
		return rv;
	k->key = EVP_PKCS82PKEY(*x);
	if (k->key == NULL)
		return CKR_WRAPPED_KEY_INVALID;
	rv = size(k);
	if (rv == CKR_OK &&
	    (!two_primes(k) || !checked(k, EVP_PKEY_public_check) ||
		!checked(k, EVP_PKEY_private_check) ||
		!checked(k, EVP_PKEY_pairwise_check)))
		rv = CKR_WRAPPED_KEY_INVALID;
	return rv;
}

CK_RV
ep11_pkey_private(struct ep11_pkey *k, const void *p, size_t n)
{
	PKCS8_PRIV_KEY_INFO *x = NULL;
	CK_RV rv = CKR_OK;

	memset(k, 0, sizeof(*k));
	rv = private_read(k, &x, p, n);
	PKCS8_PRIV_KEY_INFO_free(x);
	if (rv != CKR_OK)
		ep11_pkey_free(k);
	return done(rv);
}

/* ---- writing ------------------------------------------------------------- */

CK_RV
ep11_pkey_spki(struct hsa_buf *out, const struct ep11_pkey *k)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(k->key, &der);

	if (n > 0)
		hsa_buf_put(out, der, (size_t)n);
	OPENSSL_free(der);
	return done(n > 0 && !out->failed ? CKR_OK : CKR_HOST_MEMORY);
}

CK_RV
ep11_pkey_pkcs8(uint8_t **p, size_t *n, const struct ep11_pkey *k)
{
	PKCS8_PRIV_KEY_INFO *x = EVP_PKEY2PKCS8(k->key);
	int len = x != NULL ? i2d_PKCS8_PRIV_KEY_INFO(x, NULL) : 0;
	uint8_t *to = len > 0 ? OPENSSL_secure_malloc((size_t)len) : NULL;
	uint8_t *at = to;

	if (to != NULL && i2d_PKCS8_PRIV_KEY_INFO(x, &at) == len) {
		*p = to;
		*n = (size_t)len;
	} else {
		OPENSSL_secure_clear_free(to, len > 0 ? (size_t)len : 0);
		to = NULL;
	}
	PKCS8_PRIV_KEY_INFO_free(x);
	return done(to != NULL ? CKR_OK : CKR_HOST_MEMORY);
}

CK_RV
ep11_pkey_raw(uint8_t **p, size_t *n, const struct ep11_pkey *k)
{
	size_t len = 0;
	uint8_t *to = NULL;

	if (EVP_PKEY_get_raw_private_key(k->key, NULL, &len) != 1)
		return done(CKR_KEY_TYPE_INCONSISTENT);
	to = OPENSSL_secure_malloc(len);
	if (to == NULL)
		return done(CKR_HOST_MEMORY);
	if (EVP_PKEY_get_raw_private_key(k->key, to, &len) != 1) {
		OPENSSL_secure_clear_free(to, len);
		return done(CKR_FUNCTION_FAILED);
	}
	*p = to;
	*n = len;
	return CKR_OK;
}

CK_RV
ep11_pkey_number(
    struct hsa_buf *b, const struct ep11_pkey *k, const char *name, size_t len)
{
	BIGNUM *v = NULL;
	uint8_t *to = NULL;
	CK_RV rv = CKR_FUNCTION_FAILED;

	if (EVP_PKEY_get_bn_param(k->key, name, &v) != 1)
		return done(rv);
	if (len == 0)
		len = (size_t)BN_num_bytes(v);
	to = hsa_buf_reserve(b, len);
	if (to == NULL) {
		rv = CKR_HOST_MEMORY;
	} else if (BN_bn2binpad(v, to, (int)len) == (int)len) {
		b->len += len;
		rv = CKR_OK;
	}
	BN_clear_free(v);
	return done(rv);
}

CK_RV
ep11_pkey_point(struct hsa_buf *b, const struct ep11_pkey *k)
{
	uint8_t raw[64];
	size_t n = sizeof(raw);
	CK_RV rv = CKR_OK;

	if (k->curve == NULL)
		return CKR_KEY_TYPE_INCONSISTENT;
	if (k->curve->kind != EP11_CURVE_PRIME) {
		if (EVP_PKEY_get_raw_public_key(k->key, raw, &n) != 1)
			return done(CKR_FUNCTION_FAILED);
		hsa_buf_put(b, raw, n);
		return b->failed ? CKR_HOST_MEMORY : CKR_OK;
	}
	n = (k->curve->bits + 7) / 8;
	hsa_buf_u8(b, 0x04);
	rv = ep11_pkey_number(b, k, OSSL_PKEY_PARAM_EC_PUB_X, n);
	if (rv == CKR_OK)
		rv = ep11_pkey_number(b, k, OSSL_PKEY_PARAM_EC_PUB_Y, n);
	return rv;
}

/* ---- from numbers -------------------------------------------------------- */

static CK_RV
from_data(struct ep11_pkey *k, const char *name, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
	CK_RV rv = CKR_PUBLIC_KEY_INVALID;

	if (params == NULL || x == NULL)
		rv = CKR_HOST_MEMORY;
	else if (EVP_PKEY_fromdata_init(x) == 1 &&
		 EVP_PKEY_fromdata(x, &k->key, EVP_PKEY_PUBLIC_KEY, params) ==
		     1)
		rv = CKR_OK;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(x);
	return rv;
}

CK_RV
ep11_pkey_of_point(struct ep11_pkey *k, const struct ep11_curve *curve,
    const void *point, size_t n)
{
	OSSL_PARAM_BLD *bld = NULL;
	CK_RV rv = CKR_OK;

	memset(k, 0, sizeof(*k));
	if (curve->kind != EP11_CURVE_PRIME) {
		if (n == ep11_curve_public_len(curve))
			k->key = EVP_PKEY_new_raw_public_key_ex(
			    NULL, curve->name, NULL, point, n);
		rv = k->key != NULL ? CKR_OK : CKR_PUBLIC_KEY_INVALID;
	} else {
		bld = OSSL_PARAM_BLD_new();
		if (bld == NULL ||
		    OSSL_PARAM_BLD_push_utf8_string(
			bld, OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0) != 1 ||
		    OSSL_PARAM_BLD_push_octet_string(
			bld, OSSL_PKEY_PARAM_PUB_KEY, point, n) != 1)
			rv = CKR_HOST_MEMORY;
		else
			rv = from_data(k, "EC", bld);
		OSSL_PARAM_BLD_free(bld);
	}
	k->type = CKK_EC;
	k->curve = curve;
	k->bits = curve->bits;
	if (rv == CKR_OK && !checked(k, EVP_PKEY_public_check))
		rv = CKR_PUBLIC_KEY_INVALID;
	if (rv != CKR_OK)
		ep11_pkey_free(k);
	return done(rv);
}

CK_RV
ep11_pkey_of_raw(struct ep11_pkey *k, const struct ep11_curve *curve,
    const void *p, size_t n)
{
	memset(k, 0, sizeof(*k));
	k->key = EVP_PKEY_new_raw_private_key_ex(NULL, curve->name, NULL, p, n);
	k->type = CKK_EC;
	k->curve = curve;
	k->bits = curve->bits;
	return done(k->key != NULL ? CKR_OK : CKR_WRAPPED_KEY_INVALID);
}

CK_RV
ep11_pkey_of_numbers(struct ep11_pkey *k, CK_KEY_TYPE type,
    const char *const *names, const struct hsa_slice *p, size_t n)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *v[8] = {NULL};
	CK_RV rv = CKR_OK;

	memset(k, 0, sizeof(*k));
	k->type = type;
	for (size_t i = 0; i < n && i < 8 && rv == CKR_OK; i++) {
		v[i] = p[i].n <= HSA_BLOB_MAX
			   ? BN_bin2bn(p[i].p, (int)p[i].n, NULL)
			   : NULL;
		if (bld == NULL || v[i] == NULL ||
		    OSSL_PARAM_BLD_push_BN(bld, names[i], v[i]) != 1)
			rv = CKR_HOST_MEMORY;
	}
	if (rv == CKR_OK)
		rv = from_data(k,
		    type == CKK_RSA   ? "RSA"
		    : type == CKK_DSA ? "DSA"
				      : "DH",
		    bld);
	OSSL_PARAM_BLD_free(bld);
	for (size_t i = 0; i < 8; i++)
		BN_free(v[i]);
	if (rv == CKR_OK)
		rv = size(k);
	if (rv != CKR_OK)
		ep11_pkey_free(k);
	return done(rv);
}
