/* ECDSA, EdDSA and DSA through the engine on a real token: every curve,
 * against OpenSSL both ways, RFC 8032 vectors, and what is refused. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helper_data.h"
#include "hsa_hash.h"

static struct helper_ep11 H;
static uint8_t text[300];

static int
setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 5 + 3);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_ep11_free(&H);
	return 0;
}

/* ---- OpenSSL's side -------------------------------------------------------
 */

/* r || s and OpenSSL's DER; ECDSA and DSA have the same SEQUENCE. */
static size_t
to_der(uint8_t **der, const uint8_t *raw, size_t half)
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	int n;

	*der = NULL;
	assert_int_equal(ECDSA_SIG_set0(s, BN_bin2bn(raw, (int)half, NULL),
			     BN_bin2bn(raw + half, (int)half, NULL)),
	    1);
	n = i2d_ECDSA_SIG(s, der);
	assert_true(n > 0);
	ECDSA_SIG_free(s);
	return (size_t)n;
}

static void
to_raw(uint8_t *raw, size_t half, const uint8_t *der, size_t n)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);

	assert_non_null(s);
	assert_int_equal(
	    BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, (int)half), half);
	assert_int_equal(
	    BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + half, (int)half), half);
	ECDSA_SIG_free(s);
}

static bool
good(EVP_PKEY *key, const uint8_t *digest, size_t n, const struct hsa_buf *sig)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(key, NULL);
	uint8_t *der = NULL;
	size_t der_n = to_der(&der, sig->p, sig->len / 2);
	int ok;

	assert_int_equal(EVP_PKEY_verify_init(x), 1);
	ok = EVP_PKEY_verify(x, der, der_n, digest, n);
	EVP_PKEY_CTX_free(x);
	OPENSSL_free(der);
	return ok == 1;
}

static void
sign(EVP_PKEY *key, const uint8_t *digest, size_t n, uint8_t *raw, size_t half)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(key, NULL);
	uint8_t der[300];
	size_t der_n = sizeof(der);

	assert_int_equal(EVP_PKEY_sign_init(x), 1);
	assert_int_equal(EVP_PKEY_sign(x, der, &der_n, digest, n), 1);
	to_raw(raw, half, der, der_n);
	EVP_PKEY_CTX_free(x);
}

/* ---- one mechanism with one key ------------------------------------------ */

static const struct {
	CK_MECHANISM_TYPE ec, ibm, dsa;
	const char *name; /* NULL: without a hash */
	size_t len;
} ways[] = {{CKM_ECDSA, CKM_ECDSA, CKM_DSA, NULL, 0},
    {CKM_ECDSA_SHA1, CKM_ECDSA_SHA1, CKM_DSA_SHA1, "SHA1", 20},
    {CKM_ECDSA_SHA224, CKM_IBM_ECDSA_SHA224, CKM_DSA_SHA224, "SHA224", 28},
    {CKM_ECDSA_SHA256, CKM_IBM_ECDSA_SHA256, CKM_DSA_SHA256, "SHA256", 32},
    {CKM_ECDSA_SHA384, CKM_IBM_ECDSA_SHA384, CKM_DSA_SHA384, "SHA384", 48},
    {CKM_ECDSA_SHA512, CKM_IBM_ECDSA_SHA512, CKM_DSA_SHA512, "SHA512", 64}};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void
crosswise(EVP_PKEY *key, const struct hsa_buf *priv, const struct hsa_buf *pub,
    CK_MECHANISM_TYPE type, size_t way, size_t n, size_t half)
{
	struct hsa_mech m = hdata_mech(type);
	const uint8_t *digest = text;
	struct hsa_buf out = {0};
	uint8_t d[64], raw[140];
	size_t dn = n;

	if (ways[way].name != NULL) {
		assert_int_equal(
		    EVP_Digest(text, n, d, NULL,
			EVP_get_digestbyname(ways[way].name), NULL),
		    1);
		digest = d;
		dn = ways[way].len;
	}
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, priv, text, n, &out),
	    CKR_OK);
	assert_int_equal(out.len, 2 * half);
	assert_true(good(key, digest, dn, &out));
	sign(key, digest, dn, raw, half);
	assert_int_equal(
	    hdata_verify_single(&H, &m, pub, text, n, raw, 2 * half), CKR_OK);
	raw[half - 1] ^= 1;
	assert_int_equal(
	    hdata_verify_single(&H, &m, pub, text, n, raw, 2 * half),
	    CKR_SIGNATURE_INVALID);
	raw[half - 1] ^= 1;
	if (n != 0)
		assert_int_equal(hdata_verify_single(
				     &H, &m, pub, text + 1, n, raw, 2 * half),
		    CKR_SIGNATURE_INVALID);
	for (size_t bad = 0; bad <= 2 * half + 2; bad++)
		if (bad != 2 * half)
			assert_int_equal(
			    hdata_verify_single(&H, &m, pub, text, n, raw, bad),
			    CKR_SIGNATURE_LEN_RANGE);
	memset(raw, 0, sizeof(raw));
	assert_int_equal(
	    hdata_verify_single(&H, &m, pub, text, n, raw, 2 * half),
	    CKR_SIGNATURE_INVALID);
	memset(raw, 0xff, sizeof(raw));
	assert_int_equal(
	    hdata_verify_single(&H, &m, pub, text, n, raw, 2 * half),
	    CKR_SIGNATURE_INVALID);
	hsa_buf_free(&out);
}

static void
test_ecdsa__on_every_curve_is_openssl(void **state)
{
	size_t rows = 0, curves = 0;
	const struct ep11_curve *c = ep11_curve_rows(&rows);
	struct hsa_buf priv = {0}, pub = {0};

	(void)state;
	for (size_t i = 0; i < rows; i++) {
		size_t half = (c[i].bits + 7) / 8;
		EVP_PKEY *key;

		if (c[i].kind != EP11_CURVE_PRIME)
			continue;
		key = EVP_EC_gen(c[i].name);
		assert_non_null(key);
		hdata_pair(&H, &priv, &pub, key, 0);
		for (size_t w = 0; w < WAYS; w++) {
			crosswise(key, &priv, &pub, ways[w].ec, w, 77, half);
			crosswise(key, &priv, &pub, ways[w].ibm, w, 0, half);
		}
		/* digests of other lengths than the order: shorter as they
		 * are, longer cut */
		for (size_t n = 1; n <= 100; n += n < 60 ? 19 : 40)
			crosswise(key, &priv, &pub, CKM_ECDSA, 0, n, half);
		curves++;
		EVP_PKEY_free(key);
	}
	printf("COUNT curves that ECDSA ran on: %zu\n", curves);
	assert_true(curves >= 20);
	hsa_buf_free(&priv);
	hsa_buf_free(&pub);
}

static void
test_dsa__is_openssl(void **state)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL), *g;
	EVP_PKEY *params = NULL, *key = NULL;
	struct hsa_buf priv = {0}, pub = {0};

	(void)state;
	assert_int_equal(EVP_PKEY_paramgen_init(x), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(x, 1024), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_q_bits(x, 160), 1);
	assert_int_equal(EVP_PKEY_paramgen(x, &params), 1);
	g = EVP_PKEY_CTX_new(params, NULL);
	assert_int_equal(EVP_PKEY_keygen_init(g), 1);
	assert_int_equal(EVP_PKEY_keygen(g, &key), 1);
	hdata_pair(&H, &priv, &pub, key, 0);
	for (size_t w = 0; w < WAYS; w++)
		crosswise(
		    key, &priv, &pub, ways[w].dsa, w, w == 0 ? 20 : 77, 20);
	EVP_PKEY_CTX_free(x);
	EVP_PKEY_CTX_free(g);
	EVP_PKEY_free(params);
	EVP_PKEY_free(key);
	hsa_buf_free(&priv);
	hsa_buf_free(&pub);
}

static void
test_sign__in_parts_is_the_same(void **state)
{
	static const CK_MECHANISM_TYPE types[] = {
	    CKM_ECDSA_SHA1, CKM_ECDSA_SHA256, CKM_IBM_ECDSA_SHA512};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct hsa_buf priv = {0}, pub = {0}, st = {0}, old = {0}, sig = {0};

	(void)state;
	hdata_pair(&H, &priv, &pub, key, 0);
	for (size_t i = 0; i < 3; i++) {
		struct hsa_mech m = hdata_mech(types[i]);

		for (size_t cut = 0; cut <= 200; cut += 25) {
			assert_int_equal(
			    hdata_init(&H, HSA_FN_SIGN_INIT, &st, &m, &priv),
			    CKR_OK);
			assert_int_equal(hdata_update(&H, HSA_FN_SIGN_UPDATE,
					     &st, text, cut, NULL),
			    CKR_OK);
			hsa_buf_reset(&old);
			hsa_buf_put(&old, st.p, st.len);
			for (int twice = 0; twice < 2; twice++) {
				hsa_buf_reset(&st);
				hsa_buf_put(&st, old.p, old.len);
				assert_int_equal(
				    hdata_update(&H, HSA_FN_SIGN_UPDATE, &st,
					text + cut, 200 - cut, NULL),
				    CKR_OK);
				assert_int_equal(st.len, old.len);
				assert_int_equal(
				    hdata_final(
					&H, HSA_FN_SIGN_FINAL, &st, &sig),
				    CKR_OK);
				assert_int_equal(
				    hdata_verify_single(&H, &m, &pub, text, 200,
					sig.p, sig.len),
				    CKR_OK);
			}
			assert_int_equal(
			    hdata_once(&H, HSA_FN_SIGN, &st, text, 1, &sig),
			    CKR_OPERATION_ACTIVE);
		}
	}
	EVP_PKEY_free(key);
	hsa_buf_free(&priv);
	hsa_buf_free(&pub);
	hsa_buf_free(&st);
	hsa_buf_free(&old);
	hsa_buf_free(&sig);
}

/* ---- Edwards curves ------------------------------------------------------ */

/* RFC 8032 7.1 tests 1, 2 and 3; 7.4 "Blank" and "1 octet". */
static void
test_eddsa__published_vectors(void **state)
{
	static const struct {
		int id;
		const char *priv, *in, *sig;
	} v[] = {{EVP_PKEY_ED25519,
		     "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031"
		     "cae7f60",
		     "",
		     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e0652"
		     "24901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2465"
		     "5141438e7a100b"},
	    {EVP_PKEY_ED25519,
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8"
		"a6fb",
		"72",
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb"
		"69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d2916"
		"12bb0c00"},
	    {EVP_PKEY_ED25519,
		"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b44"
		"58f7",
		"af82",
		"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5a"
		"c3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027bece"
		"ea1ec40a"},
	    {EVP_PKEY_ED448,
		"6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e3"
		"48a3528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
		"",
		"533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a"
		"591f2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d20"
		"28d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda85"
		"30a113a0f4dbb61149f05a7363268c71d95808ff2e652600"},
	    {EVP_PKEY_ED448,
		"c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c"
		"463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
		"03",
		"26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810"
		"f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbc"
		"c0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e7"
		"99f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00"}};
	struct hsa_buf priv = {0}, pub = {0}, out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		size_t kn = strlen(v[i].priv) / 2, n = strlen(v[i].in) / 2,
		       sn = strlen(v[i].sig) / 2;
		bool small = v[i].id == EVP_PKEY_ED25519;
		CK_MECHANISM_TYPE types[] = {CKM_EDDSA,
		    small ? CKM_IBM_ED25519_SHA512 : CKM_IBM_ED448_SHA3};
		struct hsa_mech other = hdata_mech(
		    small ? CKM_IBM_ED448_SHA3 : CKM_IBM_ED25519_SHA512);
		uint8_t k[57], in[2], sig[115];
		EVP_PKEY *key;

		assert_int_equal(hsa_unhex(k, kn, v[i].priv, 2 * kn).v, 0);
		assert_int_equal(hsa_unhex(in, n, v[i].in, 2 * n).v, 0);
		assert_int_equal(hsa_unhex(sig, sn, v[i].sig, 2 * sn).v, 0);
		assert_int_equal(sn, small ? 64 : 114);
		key = EVP_PKEY_new_raw_private_key(v[i].id, NULL, k, kn);
		hdata_pair(&H, &priv, &pub, key, 0);
		for (size_t t = 0; t < 2; t++) {
			struct hsa_mech m = hdata_mech(types[t]);

			assert_int_equal(hdata_single(&H, HSA_FN_SIGN_SINGLE,
					     &m, &priv, in, n, &out),
			    CKR_OK);
			assert_int_equal(out.len, sn);
			assert_memory_equal(out.p, sig, sn);
			assert_int_equal(
			    hdata_verify_single(&H, &m, &pub, in, n, sig, sn),
			    CKR_OK);
			sig[10] ^= 1;
			assert_int_equal(
			    hdata_verify_single(&H, &m, &pub, in, n, sig, sn),
			    CKR_SIGNATURE_INVALID);
			sig[10] ^= 1;
			assert_int_equal(hdata_verify_single(
					     &H, &m, &pub, in, n, sig, sn - 1),
			    CKR_SIGNATURE_LEN_RANGE);
			assert_int_equal(hdata_verify_single(
					     &H, &m, &pub, in, n, sig, sn + 1),
			    CKR_SIGNATURE_LEN_RANGE);
		}
		assert_int_equal(hdata_single(&H, HSA_FN_SIGN_SINGLE, &other,
				     &priv, in, n, &out),
		    CKR_KEY_TYPE_INCONSISTENT);
		EVP_PKEY_free(key);
	}
	hsa_buf_free(&priv);
	hsa_buf_free(&pub);
	hsa_buf_free(&out);
}

static void
test_eddsa__long_messages_are_openssls_and_have_no_parts(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct hsa_mech m = hdata_mech(CKM_IBM_ED25519_SHA512);
	struct hsa_buf priv = {0}, pub = {0}, st = {0}, out = {0};
	EVP_MD_CTX *x = EVP_MD_CTX_new();

	(void)state;
	hdata_pair(&H, &priv, &pub, key, 0);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_SIGN_INIT, &st, &m, &priv), CKR_OK);
	assert_int_equal(
	    hdata_once(&H, HSA_FN_SIGN, &st, text, 300, &out), CKR_OK);
	assert_int_equal(EVP_DigestVerifyInit(x, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(x, out.p, out.len, text, 300), 1);
	assert_int_equal(
	    hdata_update(&H, HSA_FN_SIGN_UPDATE, &st, text, 1, NULL),
	    CKR_FUNCTION_NOT_SUPPORTED);
	assert_int_equal(
	    hdata_init(&H, HSA_FN_VERIFY_INIT, &st, &m, &pub), CKR_OK);
	assert_int_equal(
	    hdata_verify_once(&H, &st, text, 300, out.p, out.len), CKR_OK);
	assert_int_equal(
	    hdata_verify_final(&H, &st, out.p, out.len), CKR_SIGNATURE_INVALID);
	EVP_MD_CTX_free(x);
	EVP_PKEY_free(key);
	hsa_buf_free(&priv);
	hsa_buf_free(&pub);
	hsa_buf_free(&st);
	hsa_buf_free(&out);
}

/* ---- what is refused ----------------------------------------------------- */

static void
off(int bit)
{
	uint8_t cp[16];

	ep11_cp_default(cp);
	if (bit >= 0)
		cp[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	ep11_engine_control_points(H.e, cp, 0);
}

static void
test_sign__keys_and_curves_must_fit_and_be_allowed(void **state)
{
	EVP_PKEY *nist = EVP_EC_gen("P-256"),
		 *pool = EVP_EC_gen("brainpoolP256r1");
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct hsa_buf np = {0}, nq = {0}, bp = {0}, bq = {0}, ep = {0},
		       eq = {0}, out = {0};
	struct hsa_mech m = hdata_mech(CKM_ECDSA);
	struct hsa_mech eddsa = hdata_mech(CKM_EDDSA);

	(void)state;
	hdata_pair(&H, &np, &nq, nist, 0);
	hdata_pair(&H, &bp, &bq, pool, 0);
	hdata_pair(&H, &ep, &eq, ed, 0);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &ep, text, 32, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &eddsa, &np, text, 32, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &nq, text, 32, &out),
	    CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(hdata_verify_single(&H, &m, &np, text, 32, text, 64),
	    CKR_KEY_TYPE_INCONSISTENT);
	/* another key's signature */
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &np, text, 32, &out),
	    CKR_OK);
	assert_int_equal(
	    hdata_verify_single(&H, &m, &bq, text, 32, out.p, out.len),
	    CKR_SIGNATURE_INVALID);
	off(EP11_CP_ALG_EC_BPOOL);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &bp, text, 32, &out),
	    CKR_CURVE_NOT_SUPPORTED);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &np, text, 32, &out),
	    CKR_OK);
	off(EP11_CP_ALG_EC_NIST);
	assert_int_equal(
	    hdata_verify_single(&H, &m, &nq, text, 32, out.p, out.len),
	    CKR_CURVE_NOT_SUPPORTED);
	off(EP11_CP_ALG_EC_25519);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &eddsa, &ep, text, 3, &out),
	    CKR_MECHANISM_INVALID);
	off(EP11_CP_SIGN_ASYMM);
	assert_int_equal(
	    hdata_single(&H, HSA_FN_SIGN_SINGLE, &m, &np, text, 32, &out),
	    CKR_FUNCTION_CANCELED);
	off(-1);
	EVP_PKEY_free(nist);
	EVP_PKEY_free(pool);
	EVP_PKEY_free(ed);
	hsa_buf_free(&np);
	hsa_buf_free(&nq);
	hsa_buf_free(&bp);
	hsa_buf_free(&bq);
	hsa_buf_free(&ep);
	hsa_buf_free(&eq);
	hsa_buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ecdsa__on_every_curve_is_openssl),
	    cmocka_unit_test(test_dsa__is_openssl),
	    cmocka_unit_test(test_sign__in_parts_is_the_same),
	    cmocka_unit_test(test_eddsa__published_vectors),
	    cmocka_unit_test(
		test_eddsa__long_messages_are_openssls_and_have_no_parts),
	    cmocka_unit_test(
		test_sign__keys_and_curves_must_fit_and_be_allowed),
	};

	return helper_bk_have() ? cmocka_run_group_tests(tests, setup, teardown)
				: HELPER_BK_SKIP;
}
