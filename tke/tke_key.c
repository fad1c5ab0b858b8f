#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "hsa_hash.h"
#include "tke_der.h"
#include "tke_key.h"
#include "tke_oid.h"

#define POINT_UNCOMPRESSED 0x04
#define PUBLIC_EXPONENT_MAX 256 /* bits, as FIPS 186; longer only costs */

hsa_rc
tke_key_refused(hsa_rc rc)
{
	ERR_clear_error();
	return rc;
}

/* ---- SubjectPublicKeyInfo ------------------------------------------------ */

static hsa_rc
rsa_bits_check(struct tke_slice bits)
{
	struct hsa_cur all = hsa_cur_of(bits.p, bits.n), in = {0};
	struct tke_slice n = {0}, e = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, tke_der_unsigned(&in, &n, SIZE_MAX));
	HSA_TRY(rc, tke_der_unsigned(&in, &e, SIZE_MAX));
	HSA_TRY(rc, hsa_cur_end(&in));
	if (n.n != TKE_RSA_LEN || (n.p[0] & 0x80) == 0)
		return HSA_RC(E_UNSUPPORTED);
	if (e.n == 0 || e.n > PUBLIC_EXPONENT_MAX / 8)
		return HSA_RC(E_KEY);
	/* both odd, e at least 3 */
	if ((n.p[n.n - 1] & e.p[e.n - 1] & 1) == 0 || (e.n == 1 && e.p[0] < 3))
		return HSA_RC(E_KEY);
out:
	return rc;
}

static hsa_rc
algorithm(struct hsa_cur *c, enum tke_key_type *type)
{
	struct hsa_cur in = {0};
	hsa_rc rc;

	if (hsa_is_ok(tke_der_algorithm(c, TKE_OID(RSA)))) {
		*type = TKE_KEY_RSA2048;
		return HSA_OK;
	}
	HSA_TRY(rc, tke_der_enter(c, &in, TKE_DER_SEQ));
	if (!hsa_is_ok(
		tke_der_exact(&in, TKE_DER_OID, TKE_OID(EC_PUBLIC_KEY))) ||
	    !hsa_is_ok(tke_der_exact(&in, TKE_DER_OID, TKE_OID(SECP521R1))))
		return HSA_RC(E_UNSUPPORTED);
	HSA_TRY(rc, hsa_cur_end(&in));
	*type = TKE_KEY_P521;
out:
	return rc;
}

hsa_rc
tke_key_spki_parse(
    enum tke_key_type *type, struct tke_slice *bits, const void *p, size_t n)
{
	struct hsa_cur all = hsa_cur_of(p, n), in = {0};
	struct tke_slice v = {0};
	enum tke_key_type t = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, algorithm(&in, &t));
	HSA_TRY(rc, tke_der_value(&in, &v, TKE_DER_BITS));
	HSA_TRY(rc, hsa_cur_end(&in));
	if (v.n < 2 || v.p[0] != 0)
		return HSA_RC(E_FORMAT);
	v = (struct tke_slice){v.p + 1, v.n - 1};
	if (t == TKE_KEY_RSA2048)
		HSA_TRY(rc, rsa_bits_check(v));
	if (t == TKE_KEY_P521 &&
	    (v.n != TKE_POINT_LEN || v.p[0] != POINT_UNCOMPRESSED))
		return HSA_RC(E_UNSUPPORTED);
	*type = t;
	*bits = v;
out:
	return rc;
}

/* bits point into the appended bytes, so they live as long as b's memory. */
static hsa_rc
spki_of(struct hsa_buf *b, enum tke_key_type *type, struct tke_slice *bits,
    const EVP_PKEY *key)
{
	struct tke_slice in = {0};
	uint8_t *der = NULL;
	size_t at = b->len;
	hsa_rc rc;
	int n;

	n = i2d_PUBKEY(key, &der);
	if (n <= 0)
		return tke_key_refused(HSA_RC(E_UNSUPPORTED));
	HSA_TRY(rc, tke_key_spki_parse(type, &in, der, (size_t)n));
	hsa_buf_put(b, der, (size_t)n);
	HSA_TRY(rc, hsa_buf_rc(b));
	*bits = (struct tke_slice){b->p + at + (in.p - der), in.n};
out:
	OPENSSL_free(der);
	return rc;
}

hsa_rc
tke_key_spki(struct hsa_buf *b, enum tke_key_type *type, const EVP_PKEY *key)
{
	struct tke_slice bits = {0};
	enum tke_key_type t = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, spki_of(b, &t, &bits, key));
	if (type != NULL)
		*type = t;
out:
	return rc;
}

hsa_rc
tke_key_from_spki(
    EVP_PKEY **key, enum tke_key_type *type, const void *p, size_t n)
{
	struct tke_slice bits = {0};
	enum tke_key_type t = TKE_KEY_P521;
	const uint8_t *at = p;
	EVP_PKEY *k = NULL;
	hsa_rc rc;

	/* checked first, so OpenSSL sees only what it can be trusted with */
	HSA_TRY(rc, tke_key_spki_parse(&t, &bits, p, n));
	if (n > INT32_MAX)
		return HSA_RC(E_RANGE);
	k = d2i_PUBKEY(NULL, &at, (long)n);
	if (k == NULL || at != (const uint8_t *)p + n) {
		EVP_PKEY_free(k);
		return tke_key_refused(HSA_RC(E_KEY));
	}
	*key = k;
	if (type != NULL)
		*type = t;
out:
	return rc;
}

/* ---- identifiers and points ---------------------------------------------- */

hsa_rc
tke_ski(uint8_t out[TKE_SKI_LEN], const EVP_PKEY *key)
{
	struct hsa_buf b = {0};
	struct tke_slice bits = {0};
	enum tke_key_type type = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, spki_of(&b, &type, &bits, key));
	rc = hsa_sha256(out, bits.p, bits.n);
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
tke_point(uint8_t out[TKE_POINT_LEN], const EVP_PKEY *key)
{
	struct hsa_buf b = {0};
	struct tke_slice bits = {0};
	enum tke_key_type type = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, spki_of(&b, &type, &bits, key));
	if (type == TKE_KEY_P521)
		memcpy(out, bits.p, TKE_POINT_LEN);
	else
		rc = HSA_RC(E_UNSUPPORTED);
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
tke_key_from_point(EVP_PKEY **key, const uint8_t point[TKE_POINT_LEN])
{
	struct hsa_buf b = {0};
	size_t at;
	hsa_rc rc;

	if (point[0] != POINT_UNCOMPRESSED)
		return HSA_RC(E_KEY);
	tke_der_put(&b, TKE_DER_OID, TKE_OID(EC_PUBLIC_KEY));
	tke_der_put(&b, TKE_DER_OID, TKE_OID(SECP521R1));
	tke_der_wrap(&b, 0, TKE_DER_SEQ);
	at = b.len;
	hsa_buf_u8(&b, 0);
	hsa_buf_put(&b, point, TKE_POINT_LEN);
	tke_der_wrap(&b, at, TKE_DER_BITS);
	tke_der_wrap(&b, 0, TKE_DER_SEQ);
	HSA_TRY(rc, hsa_buf_rc(&b));
	rc = tke_key_from_spki(key, NULL, b.p, b.len);
out:
	hsa_buf_free(&b);
	return rc;
}

/* ---- ANSI X9.31 ---------------------------------------------------------- */

/* 6B BB .. BB BA || SHA-256 || 34 CC: what is raised to d or comes out of e. */
static hsa_rc
x931_block(uint8_t block[TKE_RSA_LEN], const void *msg, size_t n)
{
	const size_t hash_at = TKE_RSA_LEN - 2 - HSA_SHA256_LEN;

	block[0] = 0x6b;
	memset(block + 1, 0xbb, hash_at - 2);
	block[hash_at - 1] = 0xba;
	block[TKE_RSA_LEN - 2] = 0x34;
	block[TKE_RSA_LEN - 1] = 0xcc;
	return hsa_sha256(block + hash_at, msg, n);
}

/*
 * OpenSSL's own X9.31 signing takes the smaller of s and n - s; the clients of
 * this protocol do not (6). So the block is ours and the exponentiation raw.
 */
static hsa_rc
x931_sign(struct hsa_buf *b, EVP_PKEY *key, const void *msg, size_t n)
{
	EVP_PKEY_CTX *ctx = NULL;
	uint8_t block[TKE_RSA_LEN], sig[TKE_RSA_LEN] = {0};
	size_t len = sizeof(sig);
	hsa_rc rc;

	HSA_TRY(rc, x931_block(block, msg, n));
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1 ||
	    EVP_PKEY_sign(ctx, sig, &len, block, sizeof(block)) != 1 ||
	    len != sizeof(sig)) {
		rc = tke_key_refused(HSA_RC(E_CRYPTO));
		goto out;
	}
	hsa_buf_put(b, sig, sizeof(sig));
	rc = hsa_buf_rc(b);
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* n - opened, 256 bytes. */
static hsa_rc
x931_complement(uint8_t out[TKE_RSA_LEN], const EVP_PKEY *key,
    const uint8_t opened[TKE_RSA_LEN])
{
	BIGNUM *n = NULL, *v = BN_bin2bn(opened, TKE_RSA_LEN, NULL);
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (v != NULL &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    BN_sub(n, n, v) == 1 &&
	    BN_bn2binpad(n, out, TKE_RSA_LEN) == TKE_RSA_LEN)
		rc = HSA_OK;
	BN_free(v);
	BN_free(n);
	return hsa_is_ok(rc) ? rc : tke_key_refused(rc);
}

/*
 * The standard lets a signer send n - s for s, and other libraries do: then
 * the block comes out as n minus itself. No third value verifies.
 */
static hsa_rc
x931_verify(
    EVP_PKEY *key, const void *sig, size_t sn, const void *msg, size_t n)
{
	EVP_PKEY_CTX *ctx = NULL;
	uint8_t block[TKE_RSA_LEN], opened[TKE_RSA_LEN] = {0};
	uint8_t other[TKE_RSA_LEN] = {0};
	size_t len = sizeof(opened);
	hsa_rc rc;

	if (sn != TKE_RSA_LEN)
		return HSA_RC(E_SIGNATURE);
	HSA_TRY(rc, x931_block(block, msg, n));
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx == NULL || EVP_PKEY_verify_recover_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1) {
		rc = tke_key_refused(HSA_RC(E_CRYPTO));
		goto out;
	}
	/* refuses a value not below n */
	if (EVP_PKEY_verify_recover(ctx, opened, &len, sig, sn) != 1 ||
	    len != sizeof(opened)) {
		rc = tke_key_refused(HSA_RC(E_SIGNATURE));
		goto out;
	}
	if (hsa_equal_ct(opened, block, sizeof(block)))
		goto out;
	HSA_TRY(rc, x931_complement(other, key, opened));
	if (!hsa_equal_ct(other, block, sizeof(block)))
		rc = HSA_RC(E_SIGNATURE);
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* ---- ECDSA --------------------------------------------------------------- */

hsa_rc
tke_key_sig_split(
    struct tke_slice *r, struct tke_slice *s, const void *sig, size_t n)
{
	struct hsa_cur all = hsa_cur_of(sig, n), in = {0};
	struct tke_slice a = {0}, b = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, tke_der_unsigned(&in, &a, TKE_FIELD_LEN));
	HSA_TRY(rc, tke_der_unsigned(&in, &b, TKE_FIELD_LEN));
	HSA_TRY(rc, hsa_cur_end(&in));
	*r = a;
	*s = b;
out:
	return rc;
}

static hsa_rc
ecdsa_sign(struct hsa_buf *b, EVP_PKEY *key, const void *msg, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[160] = {0}; /* an ECDSA-Sig-Value of P-521 has up to 139 */
	size_t len = sizeof(sig);
	hsa_rc rc;

	if (ctx == NULL ||
	    EVP_DigestSignInit_ex(ctx, NULL, "SHA512", NULL, NULL, key, NULL) !=
		1 ||
	    EVP_DigestSign(ctx, sig, &len, msg, n) != 1) {
		rc = tke_key_refused(HSA_RC(E_CRYPTO));
		goto out;
	}
	hsa_buf_put(b, sig, len);
	rc = hsa_buf_rc(b);
out:
	EVP_MD_CTX_free(ctx);
	return rc;
}

static hsa_rc
ecdsa_verify(
    EVP_PKEY *key, const void *sig, size_t sn, const void *msg, size_t n)
{
	struct hsa_buf minimal = {0};
	struct tke_slice r = {0}, s = {0};
	EVP_MD_CTX *ctx = NULL;
	hsa_rc rc;

	if (!hsa_is_ok(tke_key_sig_split(&r, &s, sig, sn)))
		return HSA_RC(E_SIGNATURE);
	/* OpenSSL takes minimal integers only */
	tke_der_put_unsigned(&minimal, r.p, r.n);
	tke_der_put_unsigned(&minimal, s.p, s.n);
	tke_der_wrap(&minimal, 0, TKE_DER_SEQ);
	HSA_TRY(rc, hsa_buf_rc(&minimal));
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestVerifyInit_ex(ctx, NULL, "SHA512", NULL,
			       NULL, key, NULL) != 1) {
		rc = tke_key_refused(HSA_RC(E_CRYPTO));
		goto out;
	}
	if (EVP_DigestVerify(ctx, minimal.p, minimal.len, msg, n) != 1)
		rc = tke_key_refused(HSA_RC(E_SIGNATURE));
out:
	EVP_MD_CTX_free(ctx);
	hsa_buf_free(&minimal);
	return rc;
}

/* ---- both ---------------------------------------------------------------- */

static hsa_rc
type_of(enum tke_key_type *type, const EVP_PKEY *key)
{
	struct hsa_buf spki = {0};
	hsa_rc rc = tke_key_spki(&spki, type, key);

	hsa_buf_free(&spki);
	return rc;
}

hsa_rc
tke_key_sign(struct hsa_buf *b, EVP_PKEY *key, const void *msg, size_t n)
{
	enum tke_key_type type = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, type_of(&type, key));
	rc = type == TKE_KEY_P521 ? ecdsa_sign(b, key, msg, n)
				  : x931_sign(b, key, msg, n);
out:
	return rc;
}

hsa_rc
tke_key_verify(EVP_PKEY *key, enum tke_key_type type, const void *sig,
    size_t sn, const void *msg, size_t n)
{
	enum tke_key_type is = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, type_of(&is, key));
	if (is != type)
		return HSA_RC(E_SIGNATURE);
	rc = type == TKE_KEY_P521 ? ecdsa_verify(key, sig, sn, msg, n)
				  : x931_verify(key, sig, sn, msg, n);
out:
	return rc;
}
