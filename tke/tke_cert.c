/* Administrator certificates, ep11-tke-wire 7.2. */
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "hsa_hash.h"
#include "tke_der.h"
#include "tke_key.h"
#include "tke_oid.h"
#include "tke_sig.h"

#define ISSUER_UNIT "TKE Administration"
#define NOT_BEFORE "20000101000000Z"
#define NOT_AFTER "21001231235959Z"

/* ---- read ---------------------------------------------------------------- */

/* Shown to people and put into events: no control characters. */
static hsa_rc
name_copy(char to[TKE_NAME_MAX + 1], const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == ' ')
		n--;
	if (n > TKE_NAME_MAX)
		return HSA_RC(E_FORMAT);
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return HSA_RC(E_FORMAT);
	memcpy(to, p, n);
	to[n] = '\0';
	return HSA_OK;
}

static hsa_rc
issuer_name(char to[TKE_NAME_MAX + 1], const X509 *x)
{
	const X509_NAME *issuer = X509_get_issuer_name(x);
	const X509_NAME_ENTRY *entry = NULL;
	unsigned char *utf8 = NULL;
	hsa_rc rc = HSA_RC(E_FORMAT);
	int at, n;

	at = X509_NAME_get_index_by_NID(issuer, NID_commonName, -1);
	if (at < 0)
		return rc;
	entry = X509_NAME_get_entry(issuer, at);
	n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
	if (n < 0)
		return tke_key_refused(rc);
	rc = name_copy(to, utf8, (size_t)n);
	OPENSSL_free(utf8);
	return rc;
}

static hsa_rc
public_key(struct tke_admin_cert *c, X509 *x)
{
	uint8_t *der = NULL;
	hsa_rc rc;
	int n;

	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	if (n <= 0)
		return tke_key_refused(HSA_RC(E_FORMAT));
	HSA_TRY(rc, tke_key_from_spki(&c->key, &c->type, der, (size_t)n));
	rc = tke_ski(c->ski, c->key);
out:
	OPENSSL_free(der);
	return rc;
}

hsa_rc
tke_admin_cert_parse(struct tke_admin_cert *c, const void *p, size_t n)
{
	struct tke_admin_cert v = {0};
	const uint8_t *at = p;
	X509 *x = NULL;
	hsa_rc rc;

	if (n == 0 || n > TKE_TRANSPORT_MAX)
		return HSA_RC(E_FORMAT);
	x = d2i_X509(NULL, &at, (long)n);
	if (x == NULL)
		return tke_key_refused(HSA_RC(E_FORMAT));
	if (at != (const uint8_t *)p + n) {
		rc = HSA_RC(E_TRAILING);
		goto out;
	}
	HSA_TRY(rc, issuer_name(v.name, x));
	HSA_TRY(rc, public_key(&v, x));
	*c = v;
	v.key = NULL;
out:
	tke_admin_cert_free(&v);
	X509_free(x);
	return rc;
}

void
tke_admin_cert_free(struct tke_admin_cert *c)
{
	if (c == NULL)
		return;
	EVP_PKEY_free(c->key);
	*c = (struct tke_admin_cert){0};
}

/* ---- build --------------------------------------------------------------- */

static bool
printable(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(" '()+,-./:=?", c) != NULL);
}

/* A name of 1 to 30 characters, not only blanks, padded to 30. */
static hsa_rc
name_pad(char to[TKE_NAME_MAX], const char *name)
{
	size_t n = strnlen(name, TKE_NAME_MAX + 1), blank = 0;

	if (n > TKE_NAME_MAX)
		return HSA_RC(E_ARG);
	for (size_t i = 0; i < n; i++) {
		if (!printable(name[i]))
			return HSA_RC(E_ARG);
		if (name[i] == ' ')
			blank++;
	}
	if (blank == n)
		return HSA_RC(E_ARG);
	memset(to, ' ', TKE_NAME_MAX);
	memcpy(to, name, n);
	return HSA_OK;
}

/* One RDN of one attribute. */
static void
put_rdn(
    struct hsa_buf *b, const void *oid, size_t on, const char *text, size_t n)
{
	size_t at = b->len;

	tke_der_put(b, TKE_DER_OID, oid, on);
	tke_der_put(b, TKE_DER_PRINTABLE, text, n);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	tke_der_wrap(b, at, TKE_DER_SET);
}

static void
put_name(struct hsa_buf *b, const char name[TKE_NAME_MAX])
{
	size_t at = b->len;

	put_rdn(b, TKE_OID(ORG_UNIT), ISSUER_UNIT, sizeof(ISSUER_UNIT) - 1);
	put_rdn(b, TKE_OID(COMMON_NAME), name, TKE_NAME_MAX);
	tke_der_wrap(b, at, TKE_DER_SEQ);
}

static void
put_validity(struct hsa_buf *b)
{
	size_t at = b->len;

	tke_der_put(b, TKE_DER_TIME, NOT_BEFORE, sizeof(NOT_BEFORE) - 1);
	tke_der_put(b, TKE_DER_TIME, NOT_AFTER, sizeof(NOT_AFTER) - 1);
	tke_der_wrap(b, at, TKE_DER_SEQ);
}

static void
put_extensions(struct hsa_buf *b, const uint8_t ski[TKE_SKI_LEN])
{
	size_t at = b->len, value;

	tke_der_put(b, TKE_DER_OID, TKE_OID(SUBJECT_KEY_ID));
	value = b->len;
	tke_der_put(b, TKE_DER_OCTETS, ski, TKE_SKI_LEN);
	tke_der_wrap(b, value, TKE_DER_OCTETS);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	tke_der_wrap(b, at, TKE_DER_CONSTRUCTED(3));
}

/* Without parameters in both places, unlike the algorithms of a SignerInfo. */
static void
put_algorithm(struct hsa_buf *b, enum tke_key_type type)
{
	size_t at = b->len;

	if (type == TKE_KEY_P521)
		tke_der_put(b, TKE_DER_OID, TKE_OID(ECDSA_SHA512));
	else
		tke_der_put(b, TKE_DER_OID, TKE_OID(RSA_SHA256));
	tke_der_wrap(b, at, TKE_DER_SEQ);
}

static hsa_rc
put_tbs(struct hsa_buf *b, enum tke_key_type *type, const EVP_PKEY *key,
    const char name[TKE_NAME_MAX])
{
	struct hsa_buf spki = {0};
	uint8_t ski[TKE_SKI_LEN] = {0};
	size_t start = b->len, at;
	hsa_rc rc;

	HSA_TRY(rc, tke_key_spki(&spki, type, key));
	HSA_TRY(rc, tke_ski(ski, key));
	at = b->len;
	tke_der_put_version(b, 2);
	tke_der_wrap(b, at, TKE_DER_CONSTRUCTED(0));
	tke_der_put_version(b, 0); /* the serial number */
	put_algorithm(b, *type);
	put_name(b, name);
	put_validity(b);
	put_name(b, name);
	hsa_buf_put(b, spki.p, spki.len);
	put_extensions(b, ski);
	tke_der_wrap(b, start, TKE_DER_SEQ);
	rc = hsa_buf_rc(b);
out:
	hsa_buf_free(&spki);
	return rc;
}

hsa_rc
tke_admin_cert_build(struct hsa_buf *b, EVP_PKEY *key, const char *name)
{
	char padded[TKE_NAME_MAX] = {0};
	struct hsa_buf cert = {0}, sig = {0};
	enum tke_key_type type = TKE_KEY_P521;
	size_t at;
	hsa_rc rc;

	HSA_TRY(rc, name_pad(padded, name));
	HSA_TRY(rc, put_tbs(&cert, &type, key, padded));
	HSA_TRY(rc, tke_key_sign(&sig, key, cert.p, cert.len));
	put_algorithm(&cert, type);
	at = cert.len;
	hsa_buf_u8(&cert, 0);
	hsa_buf_put(&cert, sig.p, sig.len);
	tke_der_wrap(&cert, at, TKE_DER_BITS);
	tke_der_wrap(&cert, 0, TKE_DER_SEQ);
	HSA_TRY(rc, hsa_buf_rc(&cert));
	hsa_buf_put(b, cert.p, cert.len);
	rc = hsa_buf_rc(b);
out:
	hsa_buf_free(&cert);
	hsa_buf_free(&sig);
	return rc;
}
