/* Every type of key that the token knows, into a blob and back; the value
 * compared or read by OpenSSL. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_pkey.h"
#include "ep11_spki.h"
#include "helper_ep11.h"

static struct helper_ep11 H;

static int
group_setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	helper_ep11_free(&H);
	return 0;
}

static void
value_of(uint8_t **v, size_t *n, const struct hsa_buf *blob)
{
	struct ep11_key *k = NULL;

	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(blob), 0), CKR_OK);
	assert_int_equal(
	    ep11_key_value(H.e, k, EP11_EXPOSURE_ED_LOAD, v, n), CKR_OK);
	ep11_key_put(H.e, k);
}

static void
test_bk_ep11_types__secrets_of_every_type_and_length(void **state)
{
	static const struct {
		CK_KEY_TYPE type;
		size_t from, to, step;
	} row[] = {{CKK_AES, 16, 32, 8}, {CKK_DES2, 16, 16, 1},
	    {CKK_DES3, 24, 24, 1}, {CKK_GENERIC_SECRET, 1, 72, 1},
	    {CKK_GENERIC_SECRET, 255, 257, 1}};
	struct hsa_buf blob = {0};
	size_t before, tried = 0;
	uint8_t want[257];

	(void)state;
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] = (uint8_t)(2 * i + 1);
	/* zeros at the end are part of a value too */
	want[8] = want[12] = want[63] = 0;
	before = helper_ep11_objects(&H);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		for (size_t n = row[i].from; n <= row[i].to; n += row[i].step) {
			uint8_t *v = NULL;
			size_t got = 0;

			helper_ep11_secret(&H, &blob, row[i].type, want, n, 0);
			value_of(&v, &got, &blob);
			assert_int_equal(got, n);
			assert_memory_equal(v, want, n);
			OPENSSL_secure_clear_free(v, got);
			tried++;
		}
	assert_int_equal(tried, 3 + 1 + 1 + 72 + 3);
	assert_int_equal(helper_ep11_objects(&H), before + tried);
	hsa_buf_free(&blob);
}

/* A pair of the token, sealed; its PKCS #8 has the public half that the token
 * gave out. */
static void
pair(CK_MECHANISM_TYPE mech, CK_KEY_TYPE type, uint32_t bits,
    const CK_ATTRIBUTE *pub_t, size_t pub_n, struct hsa_slice params)
{
	CK_MECHANISM gen = {mech, NULL, 0};
	CK_BBOOL yes = CK_TRUE;
	const CK_ATTRIBUTE priv_t[] = {
	    {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &yes, 1}};
	struct ep11_key_new new = {.cls = CKO_PRIVATE_KEY,
	    .type = type,
	    .bits = bits,
	    .params = params};
	struct hsa_buf spki = {0}, again = {0}, blob = {0};
	struct ep11_pkey k = {0}, back = {0};
	CK_OBJECT_HANDLE pub = 0;
	uint8_t *v = NULL;
	size_t n = 0;

	assert_int_equal(H.token.ops->pair(H.token.ctx, &pub, &new.h, &gen,
			     pub_t, pub_n, priv_t, 2),
	    CKR_OK);
	assert_int_equal(ep11_public_read(H.e, &k, pub, type,
			     ep11_curve_find(params.p, params.n)),
	    CKR_OK);
	assert_int_equal(ep11_pkey_spki(&spki, &k), CKR_OK);
	new.spki = helper_slice(&spki);
	assert_int_equal(ep11_key_seal(H.e, &blob, NULL, &new), CKR_OK);
	value_of(&v, &n, &blob);
	assert_int_equal(ep11_pkey_private(&back, v, n), CKR_OK);
	assert_int_equal(back.type, type);
	assert_int_equal(back.bits, bits);
	assert_int_equal(ep11_pkey_spki(&again, &back), CKR_OK);
	assert_int_equal(again.len, spki.len);
	assert_memory_equal(again.p, spki.p, spki.len);
	OPENSSL_secure_clear_free(v, n);
	ep11_pkey_free(&k);
	ep11_pkey_free(&back);
	assert_int_equal(H.token.ops->destroy(H.token.ctx, pub), CKR_OK);
	assert_int_equal(H.token.ops->destroy(H.token.ctx, new.h), CKR_OK);
	hsa_buf_free(&spki);
	hsa_buf_free(&again);
	hsa_buf_free(&blob);
}

static void
test_bk_ep11_types__rsa_and_prime_curves(void **state)
{
	static const uint8_t e[] = {1, 0, 1};
	size_t curves = 0, tried = 0;
	const struct ep11_curve *c = ep11_curve_rows(&curves);

	(void)state;
	for (CK_ULONG bits = 1024; bits <= 3072; bits += 1024) {
		const CK_ATTRIBUTE t[] = {
		    {CKA_MODULUS_BITS, &bits, sizeof(bits)},
		    {CKA_PUBLIC_EXPONENT, ep11_input(e), sizeof(e)}};

		pair(CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA, (uint32_t)bits, t, 2,
		    (struct hsa_slice){0});
	}
	for (size_t i = 0; i < curves; i++) {
		const CK_ATTRIBUTE t[] = {
		    {CKA_EC_PARAMS, ep11_input(c[i].oid), c[i].oid_len}};

		if (c[i].kind != EP11_CURVE_PRIME)
			continue;
		pair(CKM_EC_KEY_PAIR_GEN, CKK_EC, c[i].bits, t, 1,
		    (struct hsa_slice){c[i].oid, c[i].oid_len});
		tried++;
	}
	assert_true(tried >= 5);
	print_message("COUNT prime curves through blobs: %zu\n", tried);
}

static size_t
number(uint8_t *to, EVP_PKEY *key, const char *name)
{
	BIGNUM *n = NULL;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	len = BN_bn2bin(n, to);
	BN_free(n);
	return (size_t)len;
}

static void
test_bk_ep11_types__dsa_and_dh(void **state)
{
	EVP_PKEY_CTX *dsa = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	EVP_PKEY_CTX *dh = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	EVP_PKEY *params = NULL, *group = NULL;
	uint8_t p[256], q[32], g[256];

	(void)state;
	assert_int_equal(EVP_PKEY_paramgen_init(dsa), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(dsa, 1024), 1);
	assert_int_equal(EVP_PKEY_paramgen(dsa, &params), 1);
	{
		const CK_ATTRIBUTE t[] = {
		    {CKA_PRIME, p, number(p, params, OSSL_PKEY_PARAM_FFC_P)},
		    {CKA_SUBPRIME, q, number(q, params, OSSL_PKEY_PARAM_FFC_Q)},
		    {CKA_BASE, g, number(g, params, OSSL_PKEY_PARAM_FFC_G)}};

		pair(CKM_DSA_KEY_PAIR_GEN, CKK_DSA, 1024, t, 3,
		    (struct hsa_slice){0});
	}
	assert_int_equal(EVP_PKEY_keygen_init(dh), 1);
	assert_int_equal(EVP_PKEY_CTX_set_group_name(dh, "modp_2048"), 1);
	assert_int_equal(EVP_PKEY_keygen(dh, &group), 1);
	{
		const CK_ATTRIBUTE t[] = {
		    {CKA_PRIME, p, number(p, group, OSSL_PKEY_PARAM_FFC_P)},
		    {CKA_BASE, g, number(g, group, OSSL_PKEY_PARAM_FFC_G)}};

		pair(CKM_DH_PKCS_KEY_PAIR_GEN, CKK_DH, 2048, t, 2,
		    (struct hsa_slice){0});
	}
	EVP_PKEY_free(params);
	EVP_PKEY_free(group);
	EVP_PKEY_CTX_free(dsa);
	EVP_PKEY_CTX_free(dh);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_bk_ep11_types__secrets_of_every_type_and_length),
	    cmocka_unit_test(test_bk_ep11_types__rsa_and_prime_curves),
	    cmocka_unit_test(test_bk_ep11_types__dsa_and_dh),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
