/* ep_cert.c - see ep_cert.h. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "hsa_addr.h"
#include "ep_cert.h"

#define DAY_S 86400L
#define CA_DAYS 3653
#define EARLY_S 3600L /* clocks differ */

struct ep_ca {
	EVP_PKEY *key;
	X509 *cert;
};

/* ---- PEM ----------------------------------------------------------------- */

static hsa_rc
key_pem(struct hsa_buf *b, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p = NULL;
	long n = 0;
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (bio != NULL &&
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) ==
		1 &&
	    (n = BIO_get_mem_data(bio, &p)) > 0) {
		hsa_buf_put(b, p, (size_t)n);
		rc = hsa_buf_rc(b);
	}
	BIO_free(bio);
	return rc;
}

static hsa_rc
cert_pem(struct hsa_buf *b, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n = 0;
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1 &&
	    (n = BIO_get_mem_data(bio, &p)) > 0) {
		hsa_buf_put(b, p, (size_t)n);
		rc = hsa_buf_rc(b);
	}
	BIO_free(bio);
	return rc;
}

hsa_rc
ep_ca_key_pem(struct hsa_buf *b, const struct ep_ca *ca)
{
	return key_pem(b, ca->key);
}

hsa_rc
ep_ca_cert_pem(struct hsa_buf *b, const struct ep_ca *ca)
{
	return cert_pem(b, ca->cert);
}

/* ---- certificates -------------------------------------------------------- */

static bool
add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool good;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	good = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return good;
}

/* Version 3, a random serial number, and all but extensions and signature. */
static X509 *
begin(EVP_PKEY *key, const char *name, const X509 *issuer, unsigned int days)
{
	X509 *x = X509_new();
	uint64_t serial = 0;

	if (x != NULL && hsa_is_ok(hsa_random(&serial, sizeof(serial))) &&
	    X509_set_version(x, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set_uint64(
		X509_get_serialNumber(x), (serial >> 1) | 1) == 1 &&
	    X509_set_pubkey(x, key) == 1 &&
	    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
		MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(
		x, X509_get_subject_name(issuer == NULL ? x : issuer)) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -EARLY_S) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), (long)days * DAY_S) != NULL)
		return x;
	X509_free(x);
	return NULL;
}

hsa_rc
ep_ca_new(struct ep_ca **to, const char *instance_id)
{
	struct ep_ca *ca = calloc(1, sizeof(*ca));
	char name[64];
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (ca == NULL)
		return HSA_RC(E_NOMEM);
	/* RFC 5280: at most 64 characters */
	(void)snprintf(name, sizeof(name), "cryptounit %s", instance_id);
	ca->key = EVP_EC_gen("P-256");
	if (ca->key == NULL)
		goto out;
	ca->cert = begin(ca->key, name, NULL, CA_DAYS);
	if (ca->cert == NULL ||
	    !add_extension(ca->cert, ca->cert, NID_basic_constraints,
		"critical,CA:TRUE,pathlen:0") ||
	    !add_extension(ca->cert, ca->cert, NID_key_usage,
		"critical,keyCertSign,cRLSign") ||
	    !add_extension(
		ca->cert, ca->cert, NID_subject_key_identifier, "hash") ||
	    !add_extension(ca->cert, ca->cert, NID_authority_key_identifier,
		"keyid:always") ||
	    X509_sign(ca->cert, ca->key, EVP_sha256()) <= 0)
		goto out;
	*to = ca;
	ca = NULL;
	rc = HSA_OK;
out:
	ERR_clear_error();
	ep_ca_free(ca);
	return rc;
}

static int
no_password(char *to, int size, int writing, void *ctx)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

hsa_rc
ep_ca_load(
    struct ep_ca **to, const struct hsa_buf *key, const struct hsa_buf *cert)
{
	struct ep_ca *ca = calloc(1, sizeof(*ca));
	BIO *k = BIO_new_mem_buf(key->p, (int)key->len);
	BIO *c = BIO_new_mem_buf(cert->p, (int)cert->len);
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (ca == NULL || k == NULL || c == NULL)
		goto out;
	ca->key = PEM_read_bio_PrivateKey(k, NULL, no_password, NULL);
	ca->cert = PEM_read_bio_X509(c, NULL, no_password, NULL);
	rc = HSA_RC(E_KEY);
	if (ca->key == NULL || ca->cert == NULL ||
	    X509_check_private_key(ca->cert, ca->key) != 1)
		goto out;
	*to = ca;
	ca = NULL;
	rc = HSA_OK;
out:
	ERR_clear_error();
	BIO_free(k);
	BIO_free(c);
	ep_ca_free(ca);
	return rc;
}

void
ep_ca_free(struct ep_ca *ca)
{
	if (ca == NULL)
		return;
	EVP_PKEY_free(ca->key); /* OpenSSL clears private values */
	X509_free(ca->cert);
	free(ca);
}

static bool
finish(X509 *x, const struct ep_ca *ca, const char *name, const char *use)
{
	return add_extension(
		   x, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(
		   x, ca->cert, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(x, ca->cert, NID_ext_key_usage, use) &&
	       add_extension(x, ca->cert, NID_subject_alt_name, name) &&
	       add_extension(x, ca->cert, NID_subject_key_identifier, "hash") &&
	       add_extension(
		   x, ca->cert, NID_authority_key_identifier, "keyid:always") &&
	       X509_sign(x, ca->key, EVP_sha256()) > 0;
}

hsa_rc
ep_ca_issue(struct hsa_buf *pem, int64_t *ends, const struct ep_ca *ca,
    const struct ep_cert_for *who, unsigned int days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char uuid[HSA_UUID_TEXT] = "", name[HSA_HOST_MAX + 16] = "";
	struct tm tm = {0};
	X509 *x = NULL;
	hsa_rc rc = HSA_RC(E_CRYPTO);

	if (who->unit_id != NULL) {
		hsa_uuid_text(uuid, who->unit_id);
		(void)snprintf(
		    name, sizeof(name), "URI:" HSA_CHANNEL_URN "%s", uuid);
	} else
		(void)snprintf(name, sizeof(name), "DNS:%s", who->collector);
	if (key == NULL)
		goto out;
	x = begin(
	    key, who->unit_id != NULL ? uuid : "collector", ca->cert, days);
	if (x == NULL ||
	    !finish(x, ca, name,
		who->unit_id != NULL ? "clientAuth" : "serverAuth") ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		goto out;
	*ends = (int64_t)timegm(&tm);
	HSA_TRY(rc, key_pem(pem, key));
	HSA_TRY(rc, cert_pem(pem, x));
out:
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(x);
	return rc;
}
