/* tkc_keyfile.h: the cryptographic half. */
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "tkc_keyfile.h"

#define NONCE_LEN 12u
#define TAG_LEN 16u

static hsa_rc
derive(uint8_t key[32], const struct tkc_keyfile *k,
    const struct hsa_buf *password)
{
	const char *pw = password->len == 0 ? "" : (const char *)password->p;

	return PKCS5_PBKDF2_HMAC(pw, (int)password->len, k->salt,
		   (int)k->salt_len, (int)k->iterations, EVP_sha256(), 32,
		   key) == 1
		   ? HSA_OK
		   : HSA_RC(E_CRYPTO);
}

static hsa_rc
seal(struct tkc_keyfile *k, const void *secret, size_t n,
    const struct hsa_buf *password)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[32] = {0}, nonce[NONCE_LEN], *room = NULL;
	int out = 0, tail = 0;
	hsa_rc rc;

	k->salt_len = TKC_SALT_LEN;
	hsa_buf_reset(&k->sealed);
	HSA_TRY(rc, hsa_random(k->salt, k->salt_len));
	HSA_TRY(rc, hsa_random(nonce, sizeof(nonce)));
	HSA_TRY(rc, derive(key, k, password));
	hsa_buf_put(&k->sealed, nonce, sizeof(nonce));
	room = hsa_buf_reserve(&k->sealed, n + TAG_LEN);
	if (ctx == NULL || room == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	if (EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) != 1 ||
	    EVP_EncryptUpdate(ctx, room, &out, secret, (int)n) != 1 ||
	    EVP_EncryptFinal_ex(ctx, room + out, &tail) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, room + n) !=
		1) {
		rc = HSA_RC(E_CRYPTO);
		goto out;
	}
	k->sealed.len += n + TAG_LEN;
out:
	EVP_CIPHER_CTX_free(ctx);
	hsa_wipe(key, sizeof(key));
	return rc;
}

static hsa_rc
unseal(struct hsa_buf *secret, const struct tkc_keyfile *k,
    const struct hsa_buf *password)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[32] = {0}, tag[TAG_LEN], *room = NULL;
	size_t n = 0;
	int out = 0, tail = 0;
	hsa_rc rc;

	if (k->sealed.len <= NONCE_LEN + TAG_LEN) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	n = k->sealed.len - NONCE_LEN - TAG_LEN;
	memcpy(tag, k->sealed.p + NONCE_LEN + n, TAG_LEN);
	HSA_TRY(rc, derive(key, k, password));
	room = hsa_buf_reserve(secret, n);
	if (ctx == NULL || room == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	if (EVP_DecryptInit_ex(
		ctx, EVP_aes_256_gcm(), NULL, key, k->sealed.p) != 1 ||
	    EVP_DecryptUpdate(
		ctx, room, &out, k->sealed.p + NONCE_LEN, (int)n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) != 1) {
		rc = HSA_RC(E_CRYPTO);
		goto out;
	}
	if (EVP_DecryptFinal_ex(ctx, room + out, &tail) != 1) {
		hsa_wipe(room, n);
		rc = HSA_RC(E_PASSWORD);
		goto out;
	}
	secret->len += n;
out:
	EVP_CIPHER_CTX_free(ctx);
	hsa_wipe(key, sizeof(key));
	return rc;
}

/* 7.5: PEM type PRIVATE KEY, yet SEC1 or PKCS#1 inside. */
static hsa_rc
pem_of(BIO *pem, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PrivateKey(key, &der);
	hsa_rc rc = HSA_OK;

	if (n <= 0)
		return HSA_RC(E_CRYPTO);
	if (PEM_write_bio(pem, "PRIVATE KEY", "", der, n) <= 0)
		rc = HSA_RC(E_CRYPTO);
	OPENSSL_clear_free(der, (size_t)n);
	return rc;
}

static hsa_rc
key_of(EVP_PKEY **key, const struct hsa_buf *pem, enum tke_key_type type)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->len);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *at = NULL;
	long n = 0;
	hsa_rc rc = HSA_RC(E_CORRUPT);

	if (bio == NULL)
		return HSA_RC(E_NOMEM);
	if (PEM_read_bio(bio, &name, &header, &der, &n) != 1)
		goto out;
	at = der;
	if (strcmp(name, "PRIVATE KEY") != 0 || header[0] != '\0')
		goto out;
	*key = d2i_PrivateKey(
	    type == TKE_KEY_P521 ? EVP_PKEY_EC : EVP_PKEY_RSA, NULL, &at, n);
	if (*key != NULL && at == der + n)
		rc = HSA_OK;
out:
	BIO_free(bio);
	OPENSSL_free(name);
	OPENSSL_free(header);
	if (der != NULL)
		OPENSSL_clear_free(der, (size_t)n);
	return rc;
}

hsa_rc
tkc_keyfile_seal_key(struct tkc_keyfile *k, EVP_PKEY *key, const char *label,
    const struct hsa_buf *password, uint32_t iterations)
{
	struct tkc_keyfile made = {
	    .kind = TKC_KEYFILE_SIGKEY, .iterations = iterations};
	BIO *pem = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long n = 0;
	hsa_rc rc;

	if (pem == NULL)
		return HSA_RC(E_NOMEM);
	made.type = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? TKE_KEY_P521
							     : TKE_KEY_RSA2048;
	snprintf(made.label, sizeof(made.label), "%s", label);
	HSA_TRY(rc, tke_ski(made.id, key));
	HSA_TRY(rc, pem_of(pem, key));
	n = BIO_get_mem_data(pem, &text);
	HSA_TRY(rc, seal(&made, text, (size_t)n, password));
	*k = made;
	made = (struct tkc_keyfile){0};
out:
	tkc_keyfile_free(&made);
	BIO_free(pem);
	return rc;
}

hsa_rc
tkc_keyfile_seal_part(struct tkc_keyfile *k, const uint8_t part[TKE_PART_LEN],
    const char *label, const struct hsa_buf *password, uint32_t iterations)
{
	struct tkc_keyfile made = {
	    .kind = TKC_KEYFILE_PART, .iterations = iterations};
	hsa_rc rc;

	snprintf(made.label, sizeof(made.label), "%s", label);
	HSA_TRY(rc, hsa_verification_pattern(made.id, part));
	HSA_TRY(rc, seal(&made, part, TKE_PART_LEN, password));
	*k = made;
	made = (struct tkc_keyfile){0};
out:
	tkc_keyfile_free(&made);
	return rc;
}

hsa_rc
tkc_keyfile_open_key(
    EVP_PKEY **key, const struct tkc_keyfile *k, const struct hsa_buf *password)
{
	struct hsa_buf pem = {0};
	EVP_PKEY *got = NULL;
	uint8_t ski[TKE_SKI_LEN];
	hsa_rc rc;

	HSA_TRY(rc, unseal(&pem, k, password));
	HSA_TRY(rc, key_of(&got, &pem, k->type));
	rc = tke_ski(ski, got);
	if (!hsa_is_ok(rc) || memcmp(ski, k->id, sizeof(ski)) != 0) {
		rc = HSA_RC(E_CORRUPT);
		goto out;
	}
	*key = got;
	got = NULL;
out:
	EVP_PKEY_free(got);
	hsa_buf_free(&pem);
	return rc;
}

hsa_rc
tkc_keyfile_open_part(uint8_t part[TKE_PART_LEN], const struct tkc_keyfile *k,
    const struct hsa_buf *password)
{
	struct hsa_buf secret = {0};
	uint8_t id[HSA_SHA256_LEN];
	hsa_rc rc;

	HSA_TRY(rc, unseal(&secret, k, password));
	if (secret.len != TKE_PART_LEN) {
		rc = HSA_RC(E_CORRUPT);
		goto out;
	}
	HSA_TRY(rc, hsa_verification_pattern(id, secret.p));
	if (memcmp(id, k->id, sizeof(id)) != 0) {
		rc = HSA_RC(E_CORRUPT);
		goto out;
	}
	memcpy(part, secret.p, TKE_PART_LEN);
out:
	hsa_buf_free(&secret);
	return rc;
}

hsa_rc
tkc_key_new(EVP_PKEY **key, enum tke_key_type type)
{
	EVP_PKEY *made =
	    type == TKE_KEY_P521 ? EVP_EC_gen("P-521") : EVP_RSA_gen(2048);

	if (made == NULL)
		return HSA_RC(E_CRYPTO);
	*key = made;
	return HSA_OK;
}
