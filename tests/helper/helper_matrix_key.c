/* Keys in and out of a unit, and what OpenSSL says of them. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "helper_matrix.h"

struct mx_bytes mx_kek;
uint8_t mx_kek_value[32];
static struct mx_bytes transport; /* what clear keys come in under */
static uint8_t transport_iv[16] = "1234567812345678";

/* ---- templates ----------------------------------------------------------- */

void
mx_attr(struct mx_template *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	t->a[t->n++] = (CK_ATTRIBUTE){type, ep11_input(p), n};
}

void
mx_bool(struct mx_template *t, CK_ATTRIBUTE_TYPE type, bool v)
{
	t->flag[t->n] = v;
	mx_attr(t, type, &t->flag[t->n], 1);
}

void
mx_num(struct mx_template *t, CK_ATTRIBUTE_TYPE type, CK_ULONG v)
{
	t->num[t->n] = v;
	mx_attr(t, type, &t->num[t->n], sizeof(v));
}

static CK_ATTRIBUTE *
input(const struct mx_template *t)
{
	return t != NULL ? ep11_input(t->a) : NULL;
}

/* ---- calls --------------------------------------------------------------- */

CK_RV
mx_generate(CK_MECHANISM *m, const struct mx_template *t, struct mx_bytes *key,
    struct mx_bytes *csum)
{
	struct mx_bytes none;
	CK_RV rv;

	csum = csum != NULL ? csum : &none;
	key->n = sizeof(key->p);
	csum->n = sizeof(csum->p);
	rv = mx.m_GenerateKey(m, input(t), t->n, NULL, 0, key->p, &key->n,
	    csum->p, &csum->n, mx_target);
	if (rv != CKR_OK)
		key->n = csum->n = 0;
	return rv;
}

CK_RV
mx_pair(CK_MECHANISM *m, const struct mx_template *pub,
    const struct mx_template *prv, struct mx_bytes *prv_key,
    struct mx_bytes *pub_key)
{
	CK_RV rv;

	prv_key->n = sizeof(prv_key->p);
	pub_key->n = sizeof(pub_key->p);
	rv = mx.m_GenerateKeyPair(m, input(pub), pub->n, input(prv), prv->n,
	    NULL, 0, prv_key->p, &prv_key->n, pub_key->p, &pub_key->n,
	    mx_target);
	if (rv != CKR_OK)
		prv_key->n = pub_key->n = 0;
	return rv;
}

CK_RV
mx_wrap(const struct mx_bytes *key, const struct mx_bytes *kek,
    const struct mx_bytes *mac, CK_MECHANISM *m, struct mx_bytes *out)
{
	CK_ULONG room = sizeof(out->p);
	CK_RV rv = mx.m_WrapKey(key->p, key->n, kek->p, kek->n,
	    mac != NULL ? mac->p : NULL, mac != NULL ? mac->n : 0, m, out->p,
	    &room, mx_target);

	out->n = rv == CKR_OK ? room : 0;
	return rv;
}

CK_RV
mx_unwrap(const void *p, size_t n, const struct mx_bytes *kek,
    const struct mx_bytes *mac, CK_MECHANISM *m, const struct mx_template *t,
    struct mx_bytes *key, struct mx_bytes *csum)
{
	struct mx_bytes none;
	CK_ULONG cn;
	CK_RV rv;

	csum = csum != NULL ? csum : &none;
	key->n = sizeof(key->p);
	cn = sizeof(csum->p);
	rv = mx.m_UnwrapKey(ep11_input(p), n, kek != NULL ? kek->p : NULL,
	    kek != NULL ? kek->n : 0, mac != NULL ? mac->p : NULL,
	    mac != NULL ? mac->n : 0, NULL, 0, m, input(t), t->n, key->p,
	    &key->n, csum->p, &cn, mx_target);
	csum->n = rv == CKR_OK ? cn : 0;
	if (rv != CKR_OK)
		key->n = 0;
	return rv;
}

CK_RV
mx_derive(CK_MECHANISM *m, const struct mx_template *t,
    const struct mx_bytes *base, struct mx_bytes *key, struct mx_bytes *csum)
{
	struct mx_bytes none;
	CK_RV rv;

	csum = csum != NULL ? csum : &none;
	key->n = sizeof(key->p);
	csum->n = sizeof(csum->p);
	rv = mx.m_DeriveKey(m, input(t), t->n, base->p, base->n, NULL, 0, NULL,
	    0, key->p, &key->n, csum->p, &csum->n, mx_target);
	if (rv != CKR_OK)
		key->n = csum->n = 0;
	return rv;
}

/* ---- clear keys in ------------------------------------------------------- */

bool
mx_keys_open(void)
{
	CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0};
	struct mx_template t = {.n = 0};
	CK_RV rv;

	mx_num(&t, CKA_VALUE_LEN, 32);
	mx_bool(&t, CKA_WRAP, true);
	mx_bool(&t, CKA_UNWRAP, true);
	mx_bool(&t, CKA_ENCRYPT, true);
	mx_bool(&t, CKA_DECRYPT, true);
	mx_bool(&t, CKA_EXTRACTABLE, true);
	rv = mx_generate(&gen, &t, &transport, NULL);
	if (rv == CKR_OK) {
		mx_random(mx_kek_value, sizeof(mx_kek_value));
		rv = mx_import(&mx_kek, NULL, CKO_SECRET_KEY, CKK_AES,
		    mx_kek_value, sizeof(mx_kek_value));
	}
	if (rv != CKR_OK)
		fprintf(stderr, "no key to import by: %lx\n", rv);
	return rv == CKR_OK;
}

CK_RV
mx_import(struct mx_bytes *key, struct mx_bytes *csum, CK_OBJECT_CLASS cls,
    CK_KEY_TYPE type, const void *p, size_t n)
{
	CK_MECHANISM m = {CKM_AES_CBC_PAD, transport_iv, sizeof(transport_iv)};
	struct mx_template t = {.n = 0};
	struct mx_bytes wrapped;
	CK_RV rv = mx_crypt(true, MX_SINGLE, &transport, &m, p, n, &wrapped);

	key->n = 0;
	if (rv != CKR_OK)
		return rv;
	mx_num(&t, CKA_CLASS, cls);
	mx_num(&t, CKA_KEY_TYPE, type);
	return mx_unwrap(
	    wrapped.p, wrapped.n, &transport, NULL, &m, &t, key, csum);
}

CK_KEY_TYPE
mx_key_type(EVP_PKEY *pkey)
{
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		return CKK_RSA;
	case EVP_PKEY_DSA:
		return CKK_DSA;
	case EVP_PKEY_DH:
	case EVP_PKEY_DHX:
		return CKK_DH;
	default:
		return CKK_EC;
	}
}

bool
mx_pkcs8(struct mx_bytes *to, EVP_PKEY *pkey)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	uint8_t *at = to->p;
	int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : -1;

	to->n = 0;
	if (n > 0 && (size_t)n <= sizeof(to->p))
		to->n = (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &at);
	PKCS8_PRIV_KEY_INFO_free(info);
	return to->n != 0;
}

EVP_PKEY *
mx_pkcs8_parse(const void *p, size_t n)
{
	const uint8_t *at = p;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)n);
	EVP_PKEY *k = NULL;

	if (info != NULL && at == (const uint8_t *)p + n)
		k = EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	return k;
}

CK_RV
mx_import_private(struct mx_bytes *key, struct mx_bytes *pub, EVP_PKEY *pkey)
{
	struct mx_bytes der;

	key->n = 0;
	if (!mx_pkcs8(&der, pkey))
		return CKR_GENERAL_ERROR;
	return mx_import(
	    key, pub, CKO_PRIVATE_KEY, mx_key_type(pkey), der.p, der.n);
}

CK_RV
mx_import_public(struct mx_bytes *key, EVP_PKEY *pkey)
{
	CK_MECHANISM m = {CKM_IBM_TRANSPORTKEY, NULL, 0};
	struct mx_template t = {.n = 0};
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(pkey, &der);
	CK_RV rv = CKR_GENERAL_ERROR;

	key->n = 0;
	mx_bool(&t, CKA_MODIFIABLE, true);
	if (n > 0)
		rv = mx_unwrap(der, (size_t)n, NULL, NULL, &m, &t, key, NULL);
	OPENSSL_free(der);
	return rv;
}

/* ---- keys out ------------------------------------------------------------ */

CK_RV
mx_export(struct mx_bytes *out, const struct mx_bytes *key)
{
	uint8_t iv[16];
	CK_MECHANISM m = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	struct mx_bytes wrapped;
	CK_RV rv;

	mx_random(iv, sizeof(iv));
	out->n = 0;
	rv = mx_wrap(key, &mx_kek, NULL, &m, &wrapped);
	if (rv == CKR_OK && !mx_openssl(EVP_aes_256_cbc(), false, true,
				mx_kek_value, iv, wrapped.p, wrapped.n, out))
		rv = CKR_WRAPPED_KEY_INVALID;
	return rv;
}

EVP_PKEY *
mx_export_private(const struct mx_bytes *key)
{
	struct mx_bytes der;

	if (mx_export(&der, key) != CKR_OK)
		return NULL;
	return mx_pkcs8_parse(der.p, der.n);
}

EVP_PKEY *
mx_public(const struct mx_bytes *spki)
{
	const uint8_t *at = spki->p;
	EVP_PKEY *k = d2i_PUBKEY(NULL, &at, (long)spki->n);

	ERR_clear_error();
	return k;
}

EVP_PKEY *
mx_pem(const char *name)
{
	char path[128];
	EVP_PKEY *k = NULL;
	FILE *f;

	(void)snprintf(path, sizeof(path), "tests/kat/keys/%s.pem", name);
	f = fopen(path, "r");
	if (f == NULL) {
		perror(path);
		return NULL;
	}
	k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	if (k == NULL)
		fprintf(stderr, "%s: cannot be read\n", path);
	ERR_clear_error();
	return k;
}

/* ---- OpenSSL's names of things ------------------------------------------- */

const EVP_MD *
mx_hash(CK_MECHANISM_TYPE m)
{
	switch (m) {
	case CKM_SHA_1:
	case CKM_SHA_1_HMAC:
	case CKM_SHA_1_HMAC_GENERAL:
	case CKM_SHA1_RSA_PKCS:
	case CKM_SHA1_RSA_PKCS_PSS:
	case CKM_ECDSA_SHA1:
	case CKM_DSA_SHA1:
		return EVP_sha1();
	case CKM_SHA224:
	case CKM_SHA224_HMAC:
	case CKM_SHA224_HMAC_GENERAL:
	case CKM_SHA224_RSA_PKCS:
	case CKM_SHA224_RSA_PKCS_PSS:
	case CKM_ECDSA_SHA224:
	case CKM_IBM_ECDSA_SHA224:
	case CKM_DSA_SHA224:
		return EVP_sha224();
	case CKM_SHA256:
	case CKM_SHA256_HMAC:
	case CKM_SHA256_HMAC_GENERAL:
	case CKM_SHA256_RSA_PKCS:
	case CKM_SHA256_RSA_PKCS_PSS:
	case CKM_ECDSA_SHA256:
	case CKM_IBM_ECDSA_SHA256:
	case CKM_DSA_SHA256:
		return EVP_sha256();
	case CKM_SHA384:
	case CKM_SHA384_HMAC:
	case CKM_SHA384_HMAC_GENERAL:
	case CKM_SHA384_RSA_PKCS:
	case CKM_SHA384_RSA_PKCS_PSS:
	case CKM_ECDSA_SHA384:
	case CKM_IBM_ECDSA_SHA384:
	case CKM_DSA_SHA384:
		return EVP_sha384();
	case CKM_SHA512:
	case CKM_SHA512_HMAC:
	case CKM_SHA512_HMAC_GENERAL:
	case CKM_SHA512_RSA_PKCS:
	case CKM_SHA512_RSA_PKCS_PSS:
	case CKM_ECDSA_SHA512:
	case CKM_IBM_ECDSA_SHA512:
	case CKM_DSA_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

const EVP_CIPHER *
mx_cipher(CK_MECHANISM_TYPE m, size_t key_len)
{
	switch (m) {
	case CKM_AES_ECB:
		return key_len == 16   ? EVP_aes_128_ecb()
		       : key_len == 24 ? EVP_aes_192_ecb()
				       : EVP_aes_256_ecb();
	case CKM_AES_CBC:
	case CKM_AES_CBC_PAD:
		return key_len == 16   ? EVP_aes_128_cbc()
		       : key_len == 24 ? EVP_aes_192_cbc()
				       : EVP_aes_256_cbc();
	case CKM_AES_CTR:
		return key_len == 16   ? EVP_aes_128_ctr()
		       : key_len == 24 ? EVP_aes_192_ctr()
				       : EVP_aes_256_ctr();
	case CKM_AES_GCM:
		return key_len == 16   ? EVP_aes_128_gcm()
		       : key_len == 24 ? EVP_aes_192_gcm()
				       : EVP_aes_256_gcm();
	case CKM_AES_KEY_WRAP:
		return key_len == 16   ? EVP_aes_128_wrap()
		       : key_len == 24 ? EVP_aes_192_wrap()
				       : EVP_aes_256_wrap();
	case CKM_AES_KEY_WRAP_PAD:
		return key_len == 16   ? EVP_aes_128_wrap_pad()
		       : key_len == 24 ? EVP_aes_192_wrap_pad()
				       : EVP_aes_256_wrap_pad();
	case CKM_DES3_ECB:
		return key_len == 16 ? EVP_des_ede_ecb() : EVP_des_ede3_ecb();
	case CKM_DES3_CBC:
	case CKM_DES3_CBC_PAD:
		return key_len == 16 ? EVP_des_ede_cbc() : EVP_des_ede3_cbc();
	default:
		return NULL;
	}
}

bool
mx_openssl(const EVP_CIPHER *c, bool encrypt, bool pad, const void *key,
    const void *iv, const void *in, size_t n, struct mx_bytes *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int one = 0, two = 0;
	bool good = false;

	EVP_CIPHER_CTX_set_flags(x, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	good = EVP_CipherInit_ex(x, c, NULL, key, iv, encrypt) == 1 &&
	       EVP_CIPHER_CTX_set_padding(x, pad) == 1 &&
	       EVP_CipherUpdate(x, out->p, &one, in, (int)n) == 1 &&
	       EVP_CipherFinal_ex(x, out->p + one, &two) == 1;
	out->n = good ? (size_t)(one + two) : 0;
	EVP_CIPHER_CTX_free(x);
	ERR_clear_error();
	return good;
}

bool
mx_kcv(
    const struct mx_bytes *csum, CK_KEY_TYPE type, const void *value, size_t n)
{
	static const uint8_t zero[16];
	struct mx_bytes check = {.n = 0};
	const EVP_CIPHER *c = NULL;
	size_t bits = n * 8;

	if (csum->n != 7 ||
	    ((size_t)csum->p[3] << 24 | (size_t)csum->p[4] << 16 |
		(size_t)csum->p[5] << 8 | csum->p[6]) != bits)
		return false;
	if (type == CKK_AES)
		c = mx_cipher(CKM_AES_ECB, n);
	else if (type == CKK_DES2 || type == CKK_DES3)
		c = mx_cipher(CKM_DES3_ECB, n);
	if (c == NULL) {
		/* PKCS #11 2.40: SHA-1 of the value */
		uint8_t md[EVP_MAX_MD_SIZE];

		return EVP_Digest(value, n, md, NULL, EVP_sha1(), NULL) == 1 &&
		       memcmp(md, csum->p, 3) == 0;
	}
	return mx_openssl(c, true, false, value, NULL, zero,
		   type == CKK_AES ? 16 : 8, &check) &&
	       memcmp(check.p, csum->p, 3) == 0;
}
