/* OA certificates and their chain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "helper_tke.h"
#include "tke_key.h"
#include "tke_oa.h"

#define ERR(f, name) assert_string_equal(hsa_err_name(f), name)
#define OK(f) ERR(f, "OK")

#define LINKS (TKE_OA_CHAIN_MAX + 1)

/* Keys 0 to LINKS - 1 and a root; certificate i of key i signed by key i + 1,
 * the last one by the root. */
struct chain {
	EVP_PKEY *key[LINKS + 1];
	struct hsa_buf cert[LINKS];
	struct tke_slice slice[LINKS];
	size_t n;
};

static void
certify(struct hsa_buf *b, EVP_PKEY *key, EVP_PKEY *signer)
{
	uint8_t point[TKE_POINT_LEN], ski[TKE_SKI_LEN];
	struct hsa_buf sig = {0};

	OK(tke_point(point, key));
	OK(tke_ski(ski, signer));
	OK(tke_oa_tbs(b, "CU000001", point, ski, "20260101000000Z"));
	OK(tke_key_sign(&sig, signer, b->p, b->len));
	OK(tke_oa_finish(b, ski, sig.p, sig.len));
	assert_int_equal(b->len, TKE_OA_CERT_LEN);
	hsa_buf_free(&sig);
}

static void
make(struct chain *c, size_t n)
{
	c->n = n;
	for (size_t i = 0; i <= n; i++) {
		c->key[i] = EVP_EC_gen("P-521");
		assert_non_null(c->key[i]);
	}
	for (size_t i = 0; i < n; i++) {
		certify(&c->cert[i], c->key[i], c->key[i + 1]);
		c->slice[i] = htke_slice(&c->cert[i]);
	}
}

static void
unmake(struct chain *c)
{
	for (size_t i = 0; i <= c->n; i++)
		EVP_PKEY_free(c->key[i]);
	for (size_t i = 0; i < c->n; i++)
		hsa_buf_free(&c->cert[i]);
}

/* Verify n certificates from slice[0] on; "" when they hold. */
static void
refused(
    struct chain *c, size_t n, EVP_PKEY *root, const char *err, const char *why)
{
	EVP_PKEY *key = NULL;
	struct hsa_diag diag = {0};

	ERR(tke_oa_chain_verify(&key, c->slice, n, root, &diag), err);
	assert_non_null(strstr(diag.text, why));
	assert_null(key);
}

static void
test_tke_oa__chains_of_every_length_verify(void **state)
{
	struct chain c = {0};

	(void)state;
	make(&c, LINKS);
	for (size_t n = 1; n <= TKE_OA_CHAIN_MAX; n++) {
		EVP_PKEY *key = NULL;

		OK(tke_oa_chain_verify(&key, c.slice, n, c.key[n], NULL));
		assert_int_equal(EVP_PKEY_eq(key, c.key[0]), 1);
		EVP_PKEY_free(key);
	}
	refused(&c, LINKS, c.key[LINKS], "E_RANGE", "between 1 and 8");
	refused(&c, 0, c.key[0], "E_RANGE", "between 1 and 8");
	unmake(&c);
}

static void
test_tke_oa__missing_swapped_and_foreign_links_are_refused(void **state)
{
	struct chain c = {0}, other = {0};
	struct tke_slice keep;

	(void)state;
	make(&c, 3);
	make(&other, 3);
	refused(&c, 2, c.key[3], "E_SIGNATURE", "certificate 1 names another");
	refused(
	    &c, 3, other.key[3], "E_SIGNATURE", "certificate 2 names another");
	keep = c.slice[0];
	c.slice[0] = other.slice[0];
	refused(&c, 3, c.key[3], "E_SIGNATURE", "certificate 0 names another");
	c.slice[0] = c.slice[1];
	refused(&c, 3, c.key[3], "E_SIGNATURE", "certificate 0 names another");
	c.slice[0] = keep;
	c.slice[1] = keep;
	refused(&c, 3, c.key[3], "E_SIGNATURE", "certificate 1 names another");
	unmake(&c);
	unmake(&other);
}

/* Names the right signer, but is signed by another key. */
static void
test_tke_oa__a_forged_signature_is_refused(void **state)
{
	struct chain c = {0};
	uint8_t point[TKE_POINT_LEN], ski[TKE_SKI_LEN];
	struct hsa_buf sig = {0};

	(void)state;
	make(&c, 2);
	OK(tke_point(point, c.key[0]));
	OK(tke_ski(ski, c.key[1]));
	hsa_buf_reset(&c.cert[0]);
	OK(tke_oa_tbs(&c.cert[0], "CU000001", point, ski, "20260101000000Z"));
	OK(tke_key_sign(&sig, c.key[0], c.cert[0].p, c.cert[0].len));
	OK(tke_oa_finish(&c.cert[0], ski, sig.p, sig.len));
	c.slice[0] = htke_slice(&c.cert[0]);
	refused(
	    &c, 2, c.key[2], "E_SIGNATURE", "signature of OA certificate 0");
	hsa_buf_free(&sig);
	unmake(&c);
}

static void
test_tke_oa__a_self_signed_certificate_is_refused(void **state)
{
	struct chain c = {0};

	(void)state;
	make(&c, 1);
	hsa_buf_reset(&c.cert[0]);
	certify(&c.cert[0], c.key[1], c.key[1]);
	c.slice[0] = htke_slice(&c.cert[0]);
	refused(&c, 1, c.key[1], "E_SIGNATURE", "self-signed");
	unmake(&c);
}

static void
test_tke_oa__building_refuses_what_is_no_certificate(void **state)
{
	uint8_t point[TKE_POINT_LEN], ski[TKE_SKI_LEN] = {0};
	struct hsa_buf b = {0}, sig = {0};

	(void)state;
	OK(tke_point(point, htke_p521(0)));
	OK(tke_key_sign(&sig, htke_p521(0), "x", 1));
	ERR(tke_oa_finish(&b, ski, sig.p, sig.len), "E_ARG");
	point[40] ^= 1;
	ERR(tke_oa_tbs(&b, "CU000001", point, ski, "20260101000000Z"), "E_KEY");
	assert_int_equal(b.len, 0);
	point[40] ^= 1;
	OK(tke_oa_tbs(&b, "CU000001", point, ski, "20260101000000Z"));
	assert_int_equal(b.len, 544);
	assert_false(hsa_is_ok(tke_oa_finish(&b, ski, sig.p, sig.len - 1)));
	assert_int_equal(b.len, 544);
	OK(tke_oa_finish(&b, ski, sig.p, sig.len));
	ERR(tke_oa_finish(&b, ski, sig.p, sig.len), "E_ARG");
	hsa_buf_free(&b);
	hsa_buf_free(&sig);
}

static bool
try_chain(const uint8_t *p, size_t n, void *arg)
{
	struct chain *c = arg;
	struct tke_slice one = {p, n};
	EVP_PKEY *key = NULL;
	bool ok =
	    hsa_is_ok(tke_oa_chain_verify(&key, &one, 1, c->key[1], NULL));

	EVP_PKEY_free(key);
	return ok;
}

static void
test_tke_oa__no_damaged_certificate_verifies(void **state)
{
	struct chain c = {0};
	struct htke_damage d;

	(void)state;
	make(&c, 1);
	d = htke_damage(c.cert[0].p, c.cert[0].len, try_chain, &c);
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.extended, 0);
	assert_int_equal(d.changed, 0);
	assert_int_equal(d.tried, 5 * TKE_OA_CERT_LEN + 1);
	unmake(&c);
}

static void
test_tke_oa__oa_info_and_aux_section_may_be_absent(void **state)
{
	struct chain c = {0};
	struct tke_oa_cert cert = {0};
	struct hsa_buf b = {0};
	uint8_t *p;

	(void)state;
	make(&c, 1);
	p = c.cert[0].p;
	/* header, info, metadata without its last 80 bytes, key, signer */
	hsa_buf_put(&b, p, 40 + 173);
	hsa_buf_put(&b, p + 40 + 253, 3);
	hsa_buf_put(&b, p + 40 + 256 + 88, TKE_OA_CERT_LEN - 40 - 256 - 88);
	b.p[7] = (uint8_t)b.len;
	b.p[6] = (uint8_t)(b.len >> 8);
	b.p[15] = 173;
	b.p[19] = 0;
	b.p[40 + 2] = 170;
	b.p[40 + 172] = 0; /* length of the OA info */
	OK(tke_oa_parse(&cert, b.p, b.len));
	assert_memory_equal(cert.adapter_id, "CU0000010000", 13);
	b.p[3] = 4;
	OK(tke_oa_parse(&cert, b.p, b.len));
	b.p[3] = 3;
	ERR(tke_oa_parse(&cert, b.p, b.len), "E_FORMAT");
	b.p[0] = 0x44;
	ERR(tke_oa_parse(&cert, b.p, b.len), "E_UNSUPPORTED");
	hsa_buf_free(&b);
	unmake(&c);
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
	    cmocka_unit_test(test_tke_oa__chains_of_every_length_verify),
	    cmocka_unit_test(
		test_tke_oa__missing_swapped_and_foreign_links_are_refused),
	    cmocka_unit_test(test_tke_oa__a_forged_signature_is_refused),
	    cmocka_unit_test(test_tke_oa__a_self_signed_certificate_is_refused),
	    cmocka_unit_test(
		test_tke_oa__building_refuses_what_is_no_certificate),
	    cmocka_unit_test(test_tke_oa__no_damaged_certificate_verifies),
	    cmocka_unit_test(
		test_tke_oa__oa_info_and_aux_section_may_be_absent),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
