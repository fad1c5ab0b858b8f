#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/dh.h>
#include <openssl/dsa.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "helper_pkey.h"

const struct helper_pkey helper_pkeys[HELPER_PKEYS] = {
    {CKK_RSA, "RSA", NULL, 512, false},
    {CKK_RSA, "RSA", NULL, 1024, false},
    {CKK_DSA, "DSA", NULL, 1024, false},
    {CKK_DH, "DH", "ffdhe2048", 2048, false},
    {CKK_EC, "EC", "P-192", 192, true},
    {CKK_EC, "EC", "P-224", 224, true},
    {CKK_EC, "EC", "P-256", 256, true},
    {CKK_EC, "EC", "P-384", 384, true},
    {CKK_EC, "EC", "P-521", 521, true},
    {CKK_EC, "EC", "secp256k1", 256, true},
    {CKK_EC, "EC", "brainpoolP160r1", 160, true},
    {CKK_EC, "EC", "brainpoolP160t1", 160, true},
    {CKK_EC, "EC", "brainpoolP192r1", 192, true},
    {CKK_EC, "EC", "brainpoolP192t1", 192, true},
    {CKK_EC, "EC", "brainpoolP224r1", 224, true},
    {CKK_EC, "EC", "brainpoolP224t1", 224, true},
    {CKK_EC, "EC", "brainpoolP256r1", 256, true},
    {CKK_EC, "EC", "brainpoolP256t1", 256, true},
    {CKK_EC, "EC", "brainpoolP320r1", 320, true},
    {CKK_EC, "EC", "brainpoolP320t1", 320, true},
    {CKK_EC, "EC", "brainpoolP384r1", 384, true},
    {CKK_EC, "EC", "brainpoolP384t1", 384, true},
    {CKK_EC, "EC", "brainpoolP512r1", 512, true},
    {CKK_EC, "EC", "brainpoolP512t1", 512, true},
    {CKK_EC, "ED25519", NULL, 255, false},
    {CKK_EC, "ED448", NULL, 448, false},
    {CKK_EC, "X25519", NULL, 255, false},
    {CKK_EC, "X448", NULL, 448, false},
};

void
helper_der_free(struct helper_der *d)
{
	OPENSSL_clear_free(d->p, d->n);
	d->p = NULL;
	d->n = 0;
}

/* Made once: finding primes takes the time of a hundred keys. */
static EVP_PKEY *
dsa_params(unsigned bits)
{
	static EVP_PKEY *params;
	EVP_PKEY_CTX *x = NULL;

	if (params == NULL) {
		x = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
		assert_int_equal(EVP_PKEY_paramgen_init(x), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_dsa_paramgen_bits(x, (int)bits), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_dsa_paramgen_q_bits(x, 160), 1);
		assert_int_equal(EVP_PKEY_paramgen(x, &params), 1);
		EVP_PKEY_CTX_free(x);
	}
	return params;
}

EVP_PKEY *
helper_pkey_make(size_t i, struct helper_der *pub, struct helper_der *priv)
{
	const struct helper_pkey *row = &helper_pkeys[i];
	PKCS8_PRIV_KEY_INFO *p8 = NULL;
	EVP_PKEY_CTX *x = NULL;
	EVP_PKEY *k = NULL;

	if (row->type == CKK_DSA)
		x = EVP_PKEY_CTX_new_from_pkey(
		    NULL, dsa_params(row->bits), NULL);
	else
		x = EVP_PKEY_CTX_new_from_name(NULL, row->name, NULL);
	assert_non_null(x);
	assert_int_equal(EVP_PKEY_keygen_init(x), 1);
	if (row->type == CKK_RSA)
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_keygen_bits(x, (int)row->bits), 1);
	if (row->group != NULL)
		assert_int_equal(EVP_PKEY_CTX_set_group_name(x, row->group), 1);
	assert_int_equal(EVP_PKEY_generate(x, &k), 1);
	EVP_PKEY_CTX_free(x);
	if (pub != NULL) {
		pub->p = NULL;
		pub->n = (size_t)i2d_PUBKEY(k, &pub->p);
	}
	if (priv != NULL) {
		p8 = EVP_PKEY2PKCS8(k);
		priv->p = NULL;
		priv->n = (size_t)i2d_PKCS8_PRIV_KEY_INFO(p8, &priv->p);
		PKCS8_PRIV_KEY_INFO_free(p8);
	}
	return k;
}
