/* ep_oa.c - see ep_oa.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "ep_oa.h"

struct ep_oa_root {
	EVP_PKEY *key;
};

hsa_rc
ep_oa_root_new(struct ep_oa_root **r)
{
	struct ep_oa_root *got = calloc(1, sizeof(*got));

	if (got == NULL)
		return HSA_RC(E_NOMEM);
	got->key = EVP_EC_gen("P-521");
	if (got->key == NULL) {
		free(got);
		return HSA_RC(E_CRYPTO);
	}
	*r = got;
	return HSA_OK;
}

void
ep_oa_root_free(struct ep_oa_root *r)
{
	if (r == NULL)
		return;
	EVP_PKEY_free(r->key); /* OpenSSL clears private values */
	free(r);
}

hsa_rc
ep_oa_root_pem(struct hsa_buf *b, struct ep_oa_root *r)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n = 0;
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (bio == NULL || PEM_write_bio_PUBKEY(bio, r->key) != 1)
		goto out;
	n = BIO_get_mem_data(bio, &p);
	if (n <= 0)
		goto out;
	hsa_buf_put(b, p, (size_t)n);
	rc = hsa_buf_rc(b);
out:
	BIO_free(bio);
	return rc;
}

static hsa_rc
sign(struct hsa_buf *sig, EVP_PKEY *key, const struct hsa_buf *tbs)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[160] = {0};
	size_t n = sizeof(der);
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (ctx == NULL ||
	    EVP_DigestSignInit(ctx, NULL, EVP_sha512(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, der, &n, tbs->p, tbs->len) != 1)
		goto out;
	hsa_buf_put(sig, der, n);
	rc = hsa_buf_rc(sig);
out:
	EVP_MD_CTX_free(ctx);
	return rc;
}

static hsa_rc
make_cert(uint8_t cert[TKE_OA_CERT_LEN], const char serial[8],
    const uint8_t point[TKE_POINT_LEN], EVP_PKEY *signer, const char when[16])
{
	struct hsa_buf b = {0}, sig = {0};
	uint8_t signer_point[TKE_POINT_LEN] = {0}, ski[TKE_SKI_LEN] = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, tke_point(signer_point, signer));
	HSA_TRY(rc, hsa_sha256(ski, signer_point, sizeof(signer_point)));
	HSA_TRY(rc, tke_oa_tbs(&b, serial, point, ski, when));
	HSA_TRY(rc, sign(&sig, signer, &b));
	HSA_TRY(rc, tke_oa_finish(&b, ski, sig.p, sig.len));
	if (b.len != TKE_OA_CERT_LEN) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	memcpy(cert, b.p, TKE_OA_CERT_LEN);
out:
	hsa_buf_free(&b);
	hsa_buf_free(&sig);
	return rc;
}

static hsa_rc
self_check(uint8_t cert[2][TKE_OA_CERT_LEN], struct ep_oa_root *r,
    const uint8_t point[TKE_POINT_LEN], struct hsa_diag *diag)
{
	const struct tke_slice chain[2] = {
	    {cert[0], TKE_OA_CERT_LEN}, {cert[1], TKE_OA_CERT_LEN}};
	uint8_t got[TKE_POINT_LEN] = {0};
	EVP_PKEY *key = NULL;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, tke_oa_chain_verify(&key, chain, 2, r->key, diag));
	HSA_TRY(rc, tke_point(got, key));
	if (memcmp(got, point, sizeof(got)) != 0)
		rc = hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "the new OA certificate does not hold the token's key");
out:
	EVP_PKEY_free(key);
	return rc;
}

hsa_rc
ep_oa_certify(uint8_t cert[2][TKE_OA_CERT_LEN], struct ep_oa_root *r,
    const char serial[8], const uint8_t point[TKE_POINT_LEN],
    struct hsa_diag *diag)
{
	EVP_PKEY *device = EVP_EC_gen("P-521");
	uint8_t device_point[TKE_POINT_LEN] = {0};
	char when[16] = "";
	struct tm tm = {0};
	time_t now = time(NULL);
	hsa_rc rc = HSA_OK;

	if (device == NULL || gmtime_r(&now, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y%m%d%H%M%SZ", &tm) != 15) {
		rc = HSA_RC(E_CRYPTO);
		goto out;
	}
	HSA_TRY(rc, tke_point(device_point, device));
	HSA_TRY(rc, make_cert(cert[1], serial, device_point, r->key, when));
	HSA_TRY(rc, make_cert(cert[0], serial, point, device, when));
	HSA_TRY(rc, self_check(cert, r, point, diag));
out:
	EVP_PKEY_free(device);
	return rc;
}
