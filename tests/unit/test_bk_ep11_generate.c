/* GenerateKey and GenerateKeyPair on a real token, proven by OpenSSL. */
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_login.h"
#include "ep11_policy.h"
#include "helper_tmpl.h"

static struct helper_ep11 H;
static struct hsa_call C;
static struct helper_tmpl T, P;

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

static int
fresh(void **state)
{
	(void)state;
	memset(&T, 0, sizeof(T));
	memset(&P, 0, sizeof(P));
	helper_cp(&H, NULL, 0);
	return 0;
}

static int
done(void **state)
{
	(void)state;
	hsa_call_free(&C);
	return 0;
}

static struct helper_tmpl *
t(void)
{
	memset(&T, 0, sizeof(T));
	return &T;
}

static const struct {
	CK_MECHANISM_TYPE mech;
	CK_KEY_TYPE type;
	size_t len;
	bool said; /* CKA_VALUE_LEN is needed */
} secrets[] = {
    {CKM_AES_KEY_GEN, CKK_AES, 16, true},
    {CKM_AES_KEY_GEN, CKK_AES, 24, true},
    {CKM_AES_KEY_GEN, CKK_AES, 32, true},
    {CKM_DES2_KEY_GEN, CKK_DES2, 16, false},
    {CKM_DES3_KEY_GEN, CKK_DES3, 24, false},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 1, true},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 7, true},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 20, true},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 32, true},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 255, true},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 256, true},
};
#define SECRETS (sizeof(secrets) / sizeof(secrets[0]))

/* The check value of a value, by OpenSSL. */
static void
check_value(uint8_t kcv[3], CK_KEY_TYPE type, const uint8_t *v, size_t n)
{
	static const uint8_t zero[16];
	uint8_t key[32] = {0}, out[64];
	EVP_CIPHER_CTX *x = NULL;
	int len = 0;

	if (type == CKK_GENERIC_SECRET) {
		SHA1(v, n, out);
		memcpy(kcv, out, 3);
		return;
	}
	memcpy(key, v, n);
	if (type == CKK_DES2)
		memcpy(key + 16, v, 8);
	x = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_EncryptInit_ex(x,
			     type != CKK_AES ? EVP_des_ede3_ecb()
			     : n == 16       ? EVP_aes_128_ecb()
			     : n == 24       ? EVP_aes_192_ecb()
					     : EVP_aes_256_ecb(),
			     NULL, key, NULL),
	    1);
	assert_int_equal(EVP_EncryptUpdate(x, out, &len, zero, 16), 1);
	memcpy(kcv, out, 3);
	EVP_CIPHER_CTX_free(x);
}

static void
test_bk_ep11_generate__secret_keys_of_every_type_and_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < SECRETS; i++) {
		uint8_t v[512], kcv[3];
		size_t n;

		t();
		if (secrets[i].said)
			tmpl_num(&T, CKA_VALUE_LEN, secrets[i].len);
		assert_int_equal(
		    helper_generate(&H, &C, secrets[i].mech, &T), CKR_OK);
		assert_true(C.has_key_id);
		n = helper_value(&H, &C.out, v, sizeof(v));
		assert_int_equal(n, secrets[i].len);
		assert_int_equal(C.out2.len, 7);
		check_value(kcv, secrets[i].type, v, n);
		assert_memory_equal(C.out2.p, kcv, 3);
		assert_int_equal(C.out2.p[3], 0);
		assert_int_equal(C.out2.p[4], 0);
		assert_int_equal(
		    C.out2.p[5] << 8 | C.out2.p[6], secrets[i].len * 8);
		assert_int_equal(helper_blob_bools(&C.out) & 0x2f, 0x25);
		/* and what it says it is */
		assert_int_equal(C.out.p[48], secrets[i].type);
		assert_int_equal(C.out.p[51], CKO_SECRET_KEY);
		if (secrets[i].said) {
			/* said twice, the second time wrong */
			tmpl_num(t(), CKA_VALUE_LEN, secrets[i].len);
			tmpl_num(&T, CKA_KEY_TYPE, CKK_RSA);
			assert_int_equal(
			    helper_generate(&H, &C, secrets[i].mech, &T),
			    CKR_TEMPLATE_INCONSISTENT);
		}
	}
}

static void
test_bk_ep11_generate__wrong_templates_have_their_codes(void **state)
{
	static const uint64_t bad_aes[] = {
	    0, 1, 8, 15, 17, 31, 33, 64, 1u << 31};
	static const uint64_t bad_generic[] = {0, 257, 1ull << 40};
	const int bits = CKA_MODULUS_BITS;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_aes) / sizeof(bad_aes[0]); i++)
		assert_int_equal(helper_generate(&H, &C, CKM_AES_KEY_GEN,
				     tmpl_num(t(), CKA_VALUE_LEN, bad_aes[i])),
		    CKR_KEY_SIZE_RANGE);
	for (size_t i = 0; i < sizeof(bad_generic) / sizeof(bad_generic[0]);
	     i++)
		assert_int_equal(
		    helper_generate(&H, &C, CKM_GENERIC_SECRET_KEY_GEN,
			tmpl_num(t(), CKA_VALUE_LEN, bad_generic[i])),
		    CKR_KEY_SIZE_RANGE);
	assert_int_equal(helper_generate(&H, &C, CKM_AES_KEY_GEN, NULL),
	    CKR_TEMPLATE_INCOMPLETE);
	assert_int_equal(helper_generate(&H, &C, CKM_DES3_KEY_GEN,
			     tmpl_num(t(), CKA_VALUE_LEN, 16)),
	    CKR_KEY_SIZE_RANGE);
	assert_int_equal(helper_generate(&H, &C, CKM_DES3_KEY_GEN,
			     tmpl_num(t(), (CK_ATTRIBUTE_TYPE)bits, 16)),
	    CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(helper_generate(&H, &C, CKM_DES3_KEY_GEN,
			     tmpl_num(t(), CKA_CLASS, CKO_PRIVATE_KEY)),
	    CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(helper_generate(&H, &C, CKM_DES3_KEY_GEN,
			     tmpl_num(t(), CKA_IBM_STD_COMPLIANCE1, 1)),
	    CKR_IBM_MODE_CONFLICT);
	assert_int_equal(helper_generate(&H, &C, CKM_DES3_KEY_GEN,
			     tmpl_num(t(), CKA_IBM_STD_COMPLIANCE1, 0)),
	    CKR_OK);
	assert_int_equal(helper_generate(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T),
	    CKR_MECHANISM_INVALID);
	assert_int_equal(
	    helper_generate(&H, &C, CKM_AES_CBC, &T), CKR_MECHANISM_INVALID);
	/* not extractable from its first day */
	assert_int_equal(helper_generate(&H, &C, CKM_DES3_KEY_GEN,
			     tmpl_bool(t(), CKA_EXTRACTABLE, false)),
	    CKR_OK);
	assert_int_equal(helper_blob_bools(&C.out) & 0x23, 0x22);
	helper_ep11_wk(&H, -1, -1);
	assert_int_equal(helper_generate(&H, &C, CKM_DES3_KEY_GEN, NULL),
	    CKR_IBM_WK_NOT_INITIALIZED);
	helper_ep11_wk(&H, 0, -1);
}

static void
proven(uint32_t pub_bools, uint32_t priv_bools)
{
	uint32_t bools = 0;
	EVP_PKEY *pub = helper_public(&C.out2, &bools);

	assert_int_equal(C.out.p[51], CKO_PRIVATE_KEY);
	assert_int_equal(bools, pub_bools);
	assert_int_equal(helper_blob_bools(&C.out), priv_bools);
	assert_true(helper_proves(&H, &C.out, pub));
	/* not from the cache either */
	helper_ep11_wk(&H, 0, -1);
	assert_true(helper_proves(&H, &C.out, pub));
	EVP_PKEY_free(pub);
}

static void
test_bk_ep11_generate__rsa_pairs(void **state)
{
	static const uint8_t three[] = {3}, f4[] = {0, 1, 0, 1},
			     big[] = {1, 0, 0, 0, 0, 0, 1};
	static const struct {
		uint64_t bits;
		const uint8_t *e;
		size_t n;
		uint64_t is;
	} rows[] = {
	    {1024, NULL, 0, 65537},
	    {1024, three, 1, 3},
	    {1032, f4, 4, 65537},
	    {2048, big, 7, 0x1000000000001},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVP_PKEY *pub = NULL;
		BIGNUM *e = NULL;

		tmpl_num(t(), CKA_MODULUS_BITS, rows[i].bits);
		if (rows[i].e != NULL)
			tmpl_bytes(
			    &T, CKA_PUBLIC_EXPONENT, rows[i].e, rows[i].n);
		assert_int_equal(helper_generate_pair(&H, &C,
				     CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
		    CKR_OK);
		proven(0xc825, 0x2525);
		pub = helper_public(&C.out2, NULL);
		assert_int_equal(EVP_PKEY_get_bits(pub), rows[i].bits);
		assert_int_equal(EVP_PKEY_get_bn_param(pub, "e", &e), 1);
		assert_int_equal(BN_get_word(e), rows[i].is);
		BN_free(e);
		EVP_PKEY_free(pub);
	}
	/* GREP11's clients: 17 as an integer of eight bytes */
	tmpl_num(t(), CKA_MODULUS_BITS, 1024);
	tmpl_num(&T, CKA_PUBLIC_EXPONENT, 17);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_OK);
	proven(0xc825, 0x2525);
}

static void
test_bk_ep11_generate__rsa_refusals(void **state)
{
	static const uint64_t sizes[] = {
	    0, 511, 512, 1023, 1025, 4104, 1u << 31};
	static const uint8_t two = 2, one = 1, three = 3;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(
		    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN,
			tmpl_num(t(), CKA_MODULUS_BITS, sizes[i]), NULL),
		    CKR_KEY_SIZE_RANGE);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, NULL),
	    CKR_TEMPLATE_INCOMPLETE);
	tmpl_num(t(), CKA_MODULUS_BITS, 1024);
	tmpl_bytes(&T, CKA_PUBLIC_EXPONENT, &two, 1);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_ATTRIBUTE_VALUE_INVALID);
	T.a[1].p = &one;
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_ATTRIBUTE_VALUE_INVALID);
	T.a[1].p = &three;
	helper_cp(&H, (const int[]){29}, 1);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_IBM_STATIC_POLICY);
	helper_cp(&H, (const int[]){24}, 1);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_IBM_STATIC_POLICY);
	helper_cp(&H, NULL, 0);
	/* a derive bit is none that RSA has, on either side */
	tmpl_bool(&T, CKA_DERIVE, true);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_TEMPLATE_INCONSISTENT);
	T.n--;
	tmpl_bool(&P, CKA_DERIVE, true);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, &P),
	    CKR_TEMPLATE_INCONSISTENT);
}

static void
test_bk_ep11_generate__pairs_on_every_curve(void **state)
{
	const struct ep11_curve *c = NULL;
	size_t n = 0;

	(void)state;
	c = ep11_curve_rows(&n);
	for (size_t i = 0; i < n; i++) {
		uint32_t sign = c[i].kind != EP11_CURVE_MONTGOMERY ? 0x100 : 0,
			 derive = c[i].kind != EP11_CURVE_EDWARDS ? 0x1000 : 0;

		tmpl_bytes(t(), CKA_EC_PARAMS, c[i].oid, c[i].oid_len);
		assert_int_equal(
		    helper_generate_pair(&H, &C, CKM_EC_KEY_PAIR_GEN, &T, NULL),
		    CKR_OK);
		proven(0x25 | sign << 7, 0x25 | sign | derive);
		assert_int_equal(helper_generate_pair(&H, &C,
				     CKM_EC_EDWARDS_KEY_PAIR_GEN, &T, NULL),
		    c[i].kind == EP11_CURVE_EDWARDS ? CKR_OK
						    : CKR_CURVE_NOT_SUPPORTED);
		/* what the curve is not made for */
		memset(&P, 0, sizeof(P));
		tmpl_bool(&P, CKA_SIGN, true);
		tmpl_bool(&P, CKA_DERIVE, true);
		assert_int_equal(
		    helper_generate_pair(&H, &C, CKM_EC_KEY_PAIR_GEN, &T, &P),
		    c[i].kind == EP11_CURVE_PRIME ? CKR_OK
						  : CKR_TEMPLATE_INCONSISTENT);
		/* its group's control point */
		helper_cp(&H, &c[i].cp, 1);
		assert_int_equal(
		    helper_generate_pair(&H, &C, CKM_EC_KEY_PAIR_GEN, &T, NULL),
		    CKR_CURVE_NOT_SUPPORTED);
		helper_cp(&H, NULL, 0);
	}
	printf("COUNT curves with pairs proven: %zu\n", n);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_EC_KEY_PAIR_GEN,
		tmpl_bytes(t(), CKA_EC_PARAMS, "\x06\x01\x2a", 3), NULL),
	    CKR_CURVE_NOT_SUPPORTED);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_EC_KEY_PAIR_GEN, NULL, NULL),
	    CKR_TEMPLATE_INCOMPLETE);
}

/* ---- DSA, DH ------------------------------------------------------------- */

/* numbers of one length, one behind the other */
static size_t
params_of(
    uint8_t *to, size_t len, EVP_PKEY *k, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		BIGNUM *v = NULL;

		assert_int_equal(EVP_PKEY_get_bn_param(k, names[i], &v), 1);
		assert_int_equal(
		    BN_bn2binpad(v, to + i * len, (int)len), (int)len);
		BN_free(v);
	}
	return n * len;
}

static EVP_PKEY *
dsa_params(void)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	EVP_PKEY *k = NULL;

	assert_int_equal(EVP_PKEY_paramgen_init(x), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(x, 1024), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_q_bits(x, 160), 1);
	assert_int_equal(EVP_PKEY_paramgen(x, &k), 1);
	EVP_PKEY_CTX_free(x);
	return k;
}

static void
test_bk_ep11_generate__dsa_pairs_by_their_parameters(void **state)
{
	static const char *const names[] = {"p", "q", "g"};
	uint8_t pqg[3 * 128];
	EVP_PKEY *k = dsa_params();
	size_t n = params_of(pqg, 128, k, names, 3);

	(void)state;
	EVP_PKEY_free(k);
	tmpl_bytes(t(), CKA_IBM_STRUCT_PARAMS, pqg, n);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_DSA_KEY_PAIR_GEN, &T, NULL),
	    CKR_OK);
	proven(0x8025, 0x0125);
	/* one attribute each, as PKCS #11 has it */
	tmpl_bytes(t(), CKA_PRIME, pqg, 128);
	tmpl_bytes(&T, CKA_SUBPRIME, pqg + 128 + 108, 20);
	tmpl_bytes(&T, CKA_BASE, pqg + 256, 128);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_DSA_KEY_PAIR_GEN, &T, NULL),
	    CKR_OK);
	proven(0x8025, 0x0125);
	T.n = 2;
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_DSA_KEY_PAIR_GEN, &T, NULL),
	    CKR_TEMPLATE_INCOMPLETE);
	/* each number one off: no group any more */
	for (size_t i = 0; i < 3; i++) {
		pqg[i * 128 + 127] ^= 2;
		tmpl_bytes(t(), CKA_IBM_STRUCT_PARAMS, pqg, n);
		assert_int_equal(helper_generate_pair(
				     &H, &C, CKM_DSA_KEY_PAIR_GEN, &T, NULL),
		    CKR_DOMAIN_PARAMS_INVALID);
		pqg[i * 128 + 127] ^= 2;
	}
	T.a[0].n--;
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_DSA_KEY_PAIR_GEN, &T, NULL),
	    CKR_ATTRIBUTE_VALUE_INVALID);
	T.a[0].n = 3;
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_DSA_KEY_PAIR_GEN, &T, NULL),
	    CKR_KEY_SIZE_RANGE);
}

static void
test_bk_ep11_generate__dh_pairs_by_their_parameters(void **state)
{
	static const char *const names[] = {"p", "g"};
	static const struct {
		CK_RV token, answer;
	} refused[] = {{CKR_GENERAL_ERROR, CKR_DOMAIN_PARAMS_INVALID},
	    {CKR_ATTRIBUTE_VALUE_INVALID, CKR_DOMAIN_PARAMS_INVALID},
	    {CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED}};
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	uint8_t pg[2 * 256];
	EVP_PKEY *k = NULL;
	size_t n;

	(void)state;
	assert_int_equal(EVP_PKEY_keygen_init(x), 1);
	assert_int_equal(EVP_PKEY_CTX_set_group_name(x, "ffdhe2048"), 1);
	assert_int_equal(EVP_PKEY_generate(x, &k), 1);
	EVP_PKEY_CTX_free(x);
	n = params_of(pg, 256, k, names, 2);
	EVP_PKEY_free(k);
	tmpl_bytes(t(), CKA_IBM_STRUCT_PARAMS, pg, n);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_DH_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_OK);
	proven(0x25, 0x1025);
	/* a group that the token does not take is no failure of the token */
	for (size_t i = 0; i < 3; i++) {
		struct helper_ep11_fault f = {
		    .inner = H.token, .fail_at = 1, .rv = refused[i].token};

		H.e->token = helper_ep11_faulty(&f);
		assert_int_equal(helper_generate_pair(&H, &C,
				     CKM_DH_PKCS_KEY_PAIR_GEN, &T, NULL),
		    refused[i].answer);
		H.e->token = H.token;
		assert_string_equal(f.failed, "pair");
	}
	pg[255] ^= 2;
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_DH_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_DOMAIN_PARAMS_INVALID);
	pg[255] ^= 2;
	pg[511] = 1;
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_DH_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_DOMAIN_PARAMS_INVALID);
}

/* ---- control points, sessions, failures ---------------------------------- */

static void
test_bk_ep11_generate__each_control_point_stops_its_keys(void **state)
{
	static const struct {
		int cp;
		CK_MECHANISM_TYPE mech;
		uint64_t len;
		CK_RV rv;
	} rows[] = {
	    {13, CKM_AES_KEY_GEN, 32, CKR_FUNCTION_CANCELED},
	    {13, CKM_DES3_KEY_GEN, 24, CKR_FUNCTION_CANCELED},
	    {13, CKM_GENERIC_SECRET_KEY_GEN, 24, CKR_FUNCTION_CANCELED},
	    {68, CKM_DES3_KEY_GEN, 24, CKR_MECHANISM_INVALID},
	    {69, CKM_DES2_KEY_GEN, 16, CKR_MECHANISM_INVALID},
	    {26, CKM_AES_KEY_GEN, 16, CKR_IBM_STATIC_POLICY},
	    {27, CKM_AES_KEY_GEN, 24, CKR_IBM_STATIC_POLICY},
	    {28, CKM_AES_KEY_GEN, 32, CKR_IBM_STATIC_POLICY},
	    {25, CKM_DES3_KEY_GEN, 24, CKR_IBM_STATIC_POLICY},
	    {48, CKM_AES_KEY_GEN, 32, CKR_FUNCTION_CANCELED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tmpl_num(t(), CKA_VALUE_LEN, rows[i].len);
		assert_int_equal(
		    helper_generate(&H, &C, rows[i].mech, &T), CKR_OK);
		helper_cp(&H, &rows[i].cp, 1);
		assert_int_equal(
		    helper_generate(&H, &C, rows[i].mech, &T), rows[i].rv);
		assert_int_equal(C.out.len + C.out2.len, 0);
		helper_cp(&H, NULL, 0);
	}
	tmpl_num(t(), CKA_MODULUS_BITS, 1024);
	helper_cp(&H, (const int[]){12}, 1);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_FUNCTION_CANCELED);
	helper_cp(&H, (const int[]){30}, 1);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_MECHANISM_INVALID);
}

static void
test_bk_ep11_generate__keys_of_a_session_end_with_it(void **state)
{
	static const uint8_t pin[] = "12345678", nonce[] = "nonce of a session";
	struct hsa_call in = {.pin = {pin, 8}, .nonce = {nonce, 18}};
	const struct ep11_curve *c = ep11_curve_rows(&(size_t){0});
	struct ep11_key *k = NULL;

	(void)state;
	assert_int_equal(helper_ep11_call(&H, &in, HSA_FN_LOGIN), CKR_OK);
	C.pin = helper_slice(&in.out);
	assert_int_equal(helper_generate(&H, &C, CKM_AES_KEY_GEN,
			     tmpl_num(t(), CKA_VALUE_LEN, 32)),
	    CKR_OK);
	assert_memory_equal(C.out.p, in.out.p, 32);
	assert_true(C.has_session);
	assert_int_equal(
	    helper_generate_pair(&H, &C, CKM_EC_KEY_PAIR_GEN,
		tmpl_bytes(t(), CKA_EC_PARAMS, c[2].oid, c[2].oid_len), NULL),
	    CKR_OK);
	assert_memory_equal(C.out.p, in.out.p, 32);
	/* SPKI, wkid(2 + 16), then the session (2 + 32) */
	assert_memory_equal(
	    C.out2.p + C.out2.len - 34 - 14 - 10 - 10 - 32, in.out.p, 32);
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&C.out), 0), CKR_OK);
	ep11_key_put(H.e, k);
	{
		struct hsa_call out = {.pin = helper_slice(&in.out)};

		assert_int_equal(
		    helper_ep11_call(&H, &out, HSA_FN_LOGOUT), CKR_OK);
		hsa_call_free(&out);
	}
	assert_int_equal(ep11_key_get(H.e, &k, NULL, helper_slice(&C.out), 0),
	    CKR_SESSION_CLOSED);
	assert_int_not_equal(
	    helper_generate(&H, &C, CKM_DES3_KEY_GEN, NULL), CKR_OK);
	hsa_call_free(&in);
}

/* Whatever call of the token fails: a code, no output, no object left. */
static void
test_bk_ep11_generate__a_failing_token_leaves_nothing(void **state)
{
	const struct ep11_curve *c = ep11_curve_rows(&(size_t){0});
	static const int curves[] = {-1, 2, 23};
	unsigned failed = 0;

	(void)state;
	for (size_t kind = 0; kind < 3; kind++)
		for (unsigned at = 1;; at++) {
			struct helper_ep11_fault f = {.inner = H.token,
			    .fail_at = at,
			    .rv = CKR_DEVICE_ERROR};
			struct ep11_token was = H.e->token;
			size_t before = helper_ep11_objects(&H);
			CK_RV rv;

			H.e->token = helper_ep11_faulty(&f);
			if (curves[kind] < 0)
				rv = helper_generate(&H, &C, CKM_AES_KEY_GEN,
				    tmpl_num(t(), CKA_VALUE_LEN, 32));
			else
				rv = helper_generate_pair(&H, &C,
				    CKM_EC_KEY_PAIR_GEN,
				    tmpl_bytes(t(), CKA_EC_PARAMS,
					c[curves[kind]].oid,
					c[curves[kind]].oid_len),
				    NULL);
			H.e->token = was;
			if (f.failed == NULL)
				break;
			if (strcmp(f.failed, "destroy") != 0) {
				assert_int_equal(rv, CKR_FUNCTION_FAILED);
				assert_int_equal(C.out.len + C.out2.len, 0);
				assert_int_equal(
				    helper_ep11_objects(&H), before);
			}
			failed++;
		}
	printf("COUNT calls of the token that failed: %u\n", failed);
	assert_in_range(failed, 15, 200);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_bk_ep11_generate__secret_keys_of_every_type_and_length),
	    CASE(test_bk_ep11_generate__wrong_templates_have_their_codes),
	    CASE(test_bk_ep11_generate__rsa_pairs),
	    CASE(test_bk_ep11_generate__rsa_refusals),
	    CASE(test_bk_ep11_generate__pairs_on_every_curve),
	    CASE(test_bk_ep11_generate__dsa_pairs_by_their_parameters),
	    CASE(test_bk_ep11_generate__dh_pairs_by_their_parameters),
	    CASE(test_bk_ep11_generate__each_control_point_stops_its_keys),
	    CASE(test_bk_ep11_generate__keys_of_a_session_end_with_it),
	    CASE(test_bk_ep11_generate__a_failing_token_leaves_nothing),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
