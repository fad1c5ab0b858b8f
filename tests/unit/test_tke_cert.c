/* Administrator certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "helper_tke.h"
#include "tke_key.h"
#include "tke_sig.h"

#define ERR(f, name) assert_string_equal(hsa_err_name(f), name)
#define OK(f) ERR(f, "OK")

static struct hsa_buf
cert_of(EVP_PKEY *key, const char *name)
{
	struct hsa_buf b = {0};

	OK(tke_admin_cert_build(&b, key, name));
	return b;
}

static X509 *
x509_of(const struct hsa_buf *b)
{
	const uint8_t *p = b->p;
	X509 *x = d2i_X509(NULL, &p, (long)b->len);

	assert_non_null(x);
	assert_ptr_equal(p, b->p + b->len);
	return x;
}

static void
test_tke_cert__what_is_built_is_parsed(void **state)
{
	EVP_PKEY *key[] = {htke_p521(0), htke_rsa()};
	static const enum tke_key_type type[] = {TKE_KEY_P521, TKE_KEY_RSA2048};
	static const char *const name[] = {"A", "Ada L.",
	    "thirty characters is the limit", "A-Z (a+z), 0-9 ./:=?'"};

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct hsa_buf b = cert_of(key[i % 2], name[i / 2]);
		struct tke_admin_cert c = {0};
		uint8_t ski[TKE_SKI_LEN];

		OK(tke_admin_cert_parse(&c, b.p, b.len));
		assert_string_equal(c.name, name[i / 2]);
		assert_int_equal(c.type, type[i % 2]);
		OK(tke_ski(ski, key[i % 2]));
		assert_memory_equal(c.ski, ski, sizeof(ski));
		assert_int_equal(EVP_PKEY_eq(c.key, key[i % 2]), 1);
		tke_admin_cert_free(&c);
		tke_admin_cert_free(&c);
		hsa_buf_free(&b);
	}
	tke_admin_cert_free(NULL);
}

static void
test_tke_cert__sizes_are_those_of_the_real_client(void **state)
{
	struct hsa_buf ec = cert_of(htke_p521(0), "Ada");
	struct hsa_buf rsa = cert_of(htke_rsa(), "Ada");

	(void)state;
	/* tbs 409 of ~567 (r and s may be a byte or two short), 546 of 824 */
	assert_memory_equal(ec.p + 4, "\x30\x82\x01\x95", 4);
	assert_in_range(ec.len, 560, 568);
	assert_memory_equal(rsa.p + 4, "\x30\x82\x02\x1e", 4);
	assert_int_equal(rsa.len, 824);
	hsa_buf_free(&ec);
	hsa_buf_free(&rsa);
}

static void
attribute_is(const X509_NAME *name, int at, int nid, const char *want)
{
	const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, at);
	const ASN1_STRING *s = X509_NAME_ENTRY_get_data(e);

	assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)), nid);
	assert_int_equal(X509_NAME_ENTRY_set(e), at); /* an RDN of its own */
	assert_int_equal(ASN1_STRING_type(s), V_ASN1_PRINTABLESTRING);
	assert_int_equal(ASN1_STRING_length(s), strlen(want));
	assert_memory_equal(ASN1_STRING_get0_data(s), want, strlen(want));
}

static void
time_is(const ASN1_TIME *t, const char *want)
{
	assert_int_equal(ASN1_STRING_type(t), V_ASN1_GENERALIZEDTIME);
	assert_int_equal(ASN1_STRING_length(t), strlen(want));
	assert_memory_equal(ASN1_STRING_get0_data(t), want, strlen(want));
}

/* Every field as OpenSSL sees it. */
static void
fields_are(EVP_PKEY *key, int sig_nid)
{
	struct hsa_buf b = cert_of(key, "Ada");
	X509 *x = x509_of(&b);
	const X509_ALGOR *in = X509_get0_tbs_sigalg(x), *out = NULL;
	const ASN1_OBJECT *oid = NULL;
	const ASN1_OCTET_STRING *id = NULL;
	uint8_t ski[TKE_SKI_LEN];
	int param = 0;

	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	assert_int_equal(ASN1_INTEGER_get(X509_get0_serialNumber(x)), 0);
	X509_get0_signature(NULL, &out, x);
	X509_ALGOR_get0(&oid, &param, NULL, in);
	assert_int_equal(OBJ_obj2nid(oid), sig_nid);
	assert_int_equal(param, V_ASN1_UNDEF);
	X509_ALGOR_get0(&oid, &param, NULL, out);
	assert_int_equal(OBJ_obj2nid(oid), sig_nid);
	assert_int_equal(param, V_ASN1_UNDEF);
	assert_int_equal(X509_NAME_entry_count(X509_get_issuer_name(x)), 2);
	attribute_is(X509_get_issuer_name(x), 0, NID_organizationalUnitName,
	    "TKE Administration");
	attribute_is(X509_get_issuer_name(x), 1, NID_commonName,
	    "Ada                           ");
	assert_int_equal(
	    X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(x)),
	    0);
	time_is(X509_get0_notBefore(x), "20000101000000Z");
	time_is(X509_get0_notAfter(x), "21001231235959Z");
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), key), 1);
	assert_int_equal(X509_get_ext_count(x), 1);
	OK(tke_ski(ski, key));
	id = X509_get0_subject_key_id(x);
	assert_non_null(id);
	assert_int_equal(ASN1_STRING_length(id), TKE_SKI_LEN);
	assert_memory_equal(ASN1_STRING_get0_data(id), ski, TKE_SKI_LEN);
	X509_free(x);
	hsa_buf_free(&b);
}

static void
test_tke_cert__openssl_reads_every_field(void **state)
{
	(void)state;
	fields_are(htke_p521(0), NID_ecdsa_with_SHA512);
	fields_are(htke_rsa(), NID_sha256WithRSAEncryption);
}

static void
test_tke_cert__self_signatures_verify(void **state)
{
	struct hsa_buf ec = cert_of(htke_p521(0), "Ada");
	struct hsa_buf rsa = cert_of(htke_rsa(), "Ada");
	X509 *x = x509_of(&ec);

	(void)state;
	assert_int_equal(X509_verify(x, htke_p521(0)), 1);
	assert_int_equal(X509_verify(x, htke_p521(1)), 0);
	/* X9.31 under the name of PKCS#1, as the client does: our own check.
	 * tbs 546 bytes from 4, signature the last 256 */
	OK(tke_key_verify(htke_rsa(), TKE_KEY_RSA2048, rsa.p + rsa.len - 256,
	    256, rsa.p + 4, 546));
	ERR_clear_error();
	X509_free(x);
	hsa_buf_free(&ec);
	hsa_buf_free(&rsa);
}

static void
test_tke_cert__the_openssl_command_shows_it(void **state)
{
	struct hsa_buf b = cert_of(htke_p521(0), "Ada Lovelace");
	char path[] = "/tmp/test_tke_cert.XXXXXX", command[256], text[8192];
	size_t n;
	FILE *p;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b.p, b.len), (ssize_t)b.len);
	close(fd);
	snprintf(command, sizeof(command),
	    "openssl x509 -inform der -text -noout -in %s 2>&1", path);
	p = popen(command, "r");
	assert_non_null(p);
	n = fread(text, 1, sizeof(text) - 1, p);
	text[n] = '\0';
	assert_int_equal(pclose(p), 0);
	unlink(path);
	assert_non_null(strstr(text, "Version: 3 (0x2)"));
	assert_non_null(strstr(text, "Ada Lovelace"));
	assert_non_null(strstr(text, "TKE Administration"));
	assert_non_null(strstr(text, "ecdsa-with-SHA512"));
	assert_non_null(strstr(text, "secp521r1"));
	assert_non_null(strstr(text, "X509v3 Subject Key Identifier"));
	hsa_buf_free(&b);
}

static void
test_tke_cert__impossible_names_are_refused(void **state)
{
	static const char *const bad[] = {"", " ", "   ",
	    "thirty-one characters is past it", "semi;colon", "under_score",
	    "caf\xc3\xa9", "tab\there", "star*", "at@home", "amp&"};
	struct hsa_buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ERR(tke_admin_cert_build(&b, htke_p521(0), bad[i]), "E_ARG");
		assert_int_equal(b.len, 0);
	}
}

/* A certificate made by OpenSSL itself, with this CN (NULL: none) and key. */
static struct hsa_buf
foreign(const char *cn, int type, EVP_PKEY *key, const EVP_MD *md)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new();
	uint8_t *der = NULL;
	struct hsa_buf b = {0};
	int n;

	if (cn != NULL)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", type,
				     (const uint8_t *)cn, -1, -1, 0),
		    1);
	X509_set_version(x, X509_VERSION_3);
	X509_set_issuer_name(x, name);
	X509_set_subject_name(x, name);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, md) > 0);
	n = i2d_X509(x, &der);
	assert_true(n > 0);
	hsa_buf_put(&b, der, (size_t)n);
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_free(x);
	return b;
}

static void
foreign_is(struct hsa_buf b, const char *err, const char *name)
{
	struct tke_admin_cert c = {0};

	ERR(tke_admin_cert_parse(&c, b.p, b.len), err);
	if (name != NULL)
		assert_string_equal(c.name, name);
	else
		assert_null(c.key);
	tke_admin_cert_free(&c);
	assert_int_equal(ERR_peek_error(), 0);
	hsa_buf_free(&b);
}

static void
test_tke_cert__certificates_of_others_are_read(void **state)
{
	EVP_PKEY *p256 = EVP_EC_gen("P-256"), *big = EVP_RSA_gen(3072);

	(void)state;
	foreign_is(foreign("Eve", MBSTRING_ASC, htke_p521(0), EVP_sha512()),
	    "OK", "Eve");
	foreign_is(foreign("Eve  ", MBSTRING_ASC, htke_rsa(), EVP_sha256()),
	    "OK", "Eve");
	foreign_is(
	    foreign("Ren\xc3\xa9", MBSTRING_UTF8, htke_rsa(), EVP_sha256()),
	    "OK", "Ren\xc3\xa9");
	foreign_is(
	    foreign(NULL, 0, htke_p521(0), EVP_sha512()), "E_FORMAT", NULL);
	foreign_is(foreign("a name of thirty-one characters", MBSTRING_ASC,
		       htke_p521(0), EVP_sha512()),
	    "E_FORMAT", NULL);
	foreign_is(
	    foreign("new\nline", MBSTRING_ASC, htke_p521(0), EVP_sha512()),
	    "E_FORMAT", NULL);
	foreign_is(foreign("Eve", MBSTRING_ASC, p256, EVP_sha256()),
	    "E_UNSUPPORTED", NULL);
	foreign_is(foreign("Eve", MBSTRING_ASC, big, EVP_sha256()),
	    "E_UNSUPPORTED", NULL);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(big);
}

struct original {
	const uint8_t *ski;
	size_t same; /* accepted with the original's identity */
};

static bool
try_cert(const uint8_t *p, size_t n, void *arg)
{
	struct original *o = arg;
	struct tke_admin_cert c = {0};
	uint8_t ski[TKE_SKI_LEN];
	bool ok = hsa_is_ok(tke_admin_cert_parse(&c, p, n));

	if (ok) {
		OK(tke_ski(ski, c.key));
		assert_memory_equal(ski, c.ski, sizeof(ski));
		o->same += memcmp(c.ski, o->ski, sizeof(ski)) == 0;
	}
	tke_admin_cert_free(&c);
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static void
test_tke_cert__damage_is_refused_or_leaves_a_true_ski(void **state)
{
	struct hsa_buf b = cert_of(htke_p521(0), "Ada");
	struct original o = {0};
	uint8_t ski[TKE_SKI_LEN];
	struct htke_damage d;

	(void)state;
	OK(tke_ski(ski, htke_p521(0)));
	o.ski = ski;
	d = htke_damage(b.p, b.len, try_cert, &o);
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.extended, 0);
	/* the self-signature is not looked at; no point of another key can be
	 * on the curve by one changed byte, so those all are the same key */
	assert_int_equal(o.same, d.changed + 1);
	hsa_buf_free(&b);
}

static int
done(void **state)
{
	(void)state;
	htke_keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tke_cert__what_is_built_is_parsed),
	    cmocka_unit_test(test_tke_cert__sizes_are_those_of_the_real_client),
	    cmocka_unit_test(test_tke_cert__openssl_reads_every_field),
	    cmocka_unit_test(test_tke_cert__self_signatures_verify),
	    cmocka_unit_test(test_tke_cert__the_openssl_command_shows_it),
	    cmocka_unit_test(test_tke_cert__impossible_names_are_refused),
	    cmocka_unit_test(test_tke_cert__certificates_of_others_are_read),
	    cmocka_unit_test(
		test_tke_cert__damage_is_refused_or_leaves_a_true_ski),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
