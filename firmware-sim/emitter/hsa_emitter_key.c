/* The checkpoint key of an emitter as a file: PKCS #8, PEM, Ed25519. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_emitter_impl.h"

#define KEY "checkpoint.key"
#define KEY_MAX 4096u

static hsa_rc
made(struct hsa_emitter_home *h, struct hsa_diag *diag)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long n = 0;
	hsa_rc rc = HSA_RC(E_CRYPTO);

	h->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (bio == NULL || h->key == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(
		bio, h->key, NULL, NULL, 0, NULL, NULL) != 1)
		goto out;
	n = BIO_get_mem_data(bio, &text);
	if (n <= 0)
		goto out;
	rc = hsa_emitter_file_make(h->dir, KEY, text, (size_t)n);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag,
		    "cannot write " KEY ": %s; fix: room on the disk, and a "
		    "folder that this user can write",
		    strerror(errno));
out:
	BIO_free(bio); /* wiped: secure memory or cleansed on free */
	if (rc.v == HSA_E_CRYPTO)
		hsa_diag_set(diag, "OpenSSL makes no Ed25519 key");
	return rc;
}

/* A key with a password would ask for it at the terminal. */
static int
no_password(char *to, int n, int writing, void *arg)
{
	(void)to;
	(void)n;
	(void)writing;
	(void)arg;
	return -1;
}

static hsa_rc
loaded(struct hsa_emitter_home *h, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	BIO *bio = NULL;
	hsa_rc rc;

	rc = hsa_emitter_file_read(&b, h->dir, KEY, KEY_MAX, 077);
	if (rc.v == HSA_E_NOT_FOUND)
		goto out;
	if (rc.v == HSA_E_AUTH)
		hsa_diag_set(diag,
		    KEY " is not a file of this user alone; fix: chmod 600, "
			"chown, and a new key if others may have read it");
	else if (!hsa_is_ok(rc))
		hsa_diag_set(diag, "cannot read " KEY ": %s",
		    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc));
	if (!hsa_is_ok(rc)) {
		rc = rc.v == HSA_E_NOMEM ? rc : HSA_RC(E_KEY);
		goto out;
	}
	bio = BIO_new_mem_buf(b.p, (int)b.len);
	if (bio != NULL)
		h->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (h->key == NULL || EVP_PKEY_is_a(h->key, "ED25519") != 1)
		rc = hsa_fail(diag, HSA_RC(E_KEY),
		    KEY " is no Ed25519 private key in PEM without a password; "
			"fix: put the log's own key back");
out:
	BIO_free(bio);
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
hsa_emitter_key_load(
    struct hsa_emitter_home *h, bool make, struct hsa_diag *diag)
{
	size_t n = sizeof(h->public_key);
	hsa_rc rc;

	rc = loaded(h, diag);
	if (rc.v == HSA_E_NOT_FOUND && make)
		rc = made(h, diag);
	else if (rc.v == HSA_E_NOT_FOUND)
		rc = hsa_fail(diag, HSA_RC(E_KEY),
		    KEY " is gone; fix: put it back from your copy, or move "
			"the whole folder away to begin a new log");
	if (!hsa_is_ok(rc))
		goto out;
	if (EVP_PKEY_get_raw_public_key(h->key, h->public_key, &n) != 1)
		rc = HSA_RC(E_CRYPTO);
out:
	if (!hsa_is_ok(rc))
		hsa_emitter_key_free(h);
	return rc;
}

hsa_rc
hsa_emitter_key_sign(void *ctx, uint8_t sig[64], const void *msg, size_t n)
{
	struct hsa_emitter_home *h = ctx;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = 64;
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (c != NULL && EVP_DigestSignInit(c, NULL, NULL, NULL, h->key) == 1 &&
	    EVP_DigestSign(c, sig, &len, msg, n) == 1 && len == 64)
		rc = HSA_OK;
	EVP_MD_CTX_free(c);
	return rc;
}

void
hsa_emitter_key_free(struct hsa_emitter_home *h)
{
	EVP_PKEY_free(h->key);
	h->key = NULL;
}
