/* Keys in DER, made by OpenSSL; then every byte of them changed. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_pkey.h"
#include "ep11_policy.h"
#include "helper_pkey.h"

static void
test_ep11_curve__table_is_numbered_as_the_reference_says(void **state)
{
	static const struct {
		uint8_t number;
		const char *sn;
	} want[] = {{1, "prime192v1"}, {2, "secp224r1"}, {3, "prime256v1"},
	    {4, "secp384r1"}, {5, "secp521r1"}, {6, "brainpoolP160r1"},
	    {7, "brainpoolP160t1"}, {8, "brainpoolP192r1"},
	    {9, "brainpoolP192t1"}, {10, "brainpoolP224r1"},
	    {11, "brainpoolP224t1"}, {12, "brainpoolP256r1"},
	    {13, "brainpoolP256t1"}, {14, "brainpoolP320r1"},
	    {15, "brainpoolP320t1"}, {16, "brainpoolP384r1"},
	    {17, "brainpoolP384t1"}, {18, "brainpoolP512r1"},
	    {19, "brainpoolP512t1"}, {20, "X25519"}, {23, "secp256k1"},
	    {24, "ED448"}, {25, "X448"}, {26, "ED25519"}};
	const struct ep11_curve *c = NULL;
	size_t n = 0;

	(void)state;
	c = ep11_curve_rows(&n);
	assert_int_equal(n, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < n; i++) {
		uint8_t *der = NULL;
		int len =
		    i2d_ASN1_OBJECT(OBJ_nid2obj(OBJ_sn2nid(want[i].sn)), &der);

		assert_int_equal(c[i].number, want[i].number);
		assert_int_equal(c[i].oid_len, len);
		assert_memory_equal(c[i].oid, der, c[i].oid_len);
		assert_ptr_equal(ep11_curve_find(der, (size_t)len), &c[i]);
		assert_null(ep11_curve_find(der, (size_t)len - 1));
		if (c[i].kind == EP11_CURVE_PRIME) {
			EC_GROUP *g =
			    EC_GROUP_new_by_curve_name(OBJ_sn2nid(want[i].sn));

			assert_int_equal(
			    c[i].bits, BN_num_bits(EC_GROUP_get0_order(g)));
			EC_GROUP_free(g);
		}
		OPENSSL_free(der);
	}
}

static void
test_ep11_pkey__both_halves_are_read_and_written(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < HELPER_PKEYS; i++) {
		struct helper_der pub = {0}, priv = {0};
		struct ep11_pkey a = {0}, b = {0};
		struct hsa_buf spki = {0};
		uint8_t *p8 = NULL;
		size_t len = 0;
		EVP_PKEY *k = helper_pkey_make(i, &pub, &priv);

		assert_int_equal(ep11_pkey_public(&a, pub.p, pub.n), CKR_OK);
		assert_int_equal(ep11_pkey_private(&b, priv.p, priv.n), CKR_OK);
		assert_int_equal(a.type, helper_pkeys[i].type);
		assert_int_equal(b.type, helper_pkeys[i].type);
		assert_int_equal(a.bits, helper_pkeys[i].bits);
		assert_int_equal(b.bits, a.bits);
		assert_ptr_equal(a.curve, b.curve);
		assert_int_equal(EVP_PKEY_eq(a.key, k), 1);
		assert_int_equal(ep11_pkey_spki(&spki, &b), CKR_OK);
		assert_int_equal(spki.len, pub.n);
		assert_memory_equal(spki.p, pub.p, pub.n);
		assert_int_equal(ep11_pkey_pkcs8(&p8, &len, &b), CKR_OK);
		assert_int_equal(len, priv.n);
		assert_memory_equal(p8, priv.p, priv.n);
		OPENSSL_secure_clear_free(p8, len);
		hsa_buf_free(&spki);
		ep11_pkey_free(&a);
		ep11_pkey_free(&b);
		ep11_pkey_free(&b);
		EVP_PKEY_free(k);
		helper_der_free(&pub);
		helper_der_free(&priv);
		n++;
	}
	printf("COUNT keys read and written: %zu\n", n);
}

static void
test_ep11_pkey__bytes_behind_a_key_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < HELPER_PKEYS; i++) {
		struct helper_der pub = {0}, priv = {0};
		struct ep11_pkey k = {0};
		uint8_t more[8192] = {0};

		EVP_PKEY_free(helper_pkey_make(i, &pub, &priv));
		memcpy(more, pub.p, pub.n);
		assert_int_equal(ep11_pkey_public(&k, more, pub.n + 1),
		    CKR_PUBLIC_KEY_INVALID);
		for (size_t n = 0; n < pub.n; n++)
			assert_int_not_equal(
			    ep11_pkey_public(&k, pub.p, n), CKR_OK);
		memset(more, 0, sizeof(more));
		memcpy(more, priv.p, priv.n);
		/* the token pads with zeros to whole blocks */
		assert_int_equal(
		    ep11_pkey_private(&k, more, priv.n + 7), CKR_OK);
		ep11_pkey_free(&k);
		assert_int_equal(ep11_pkey_private(&k, more, priv.n + 16),
		    CKR_WRAPPED_KEY_INVALID);
		more[priv.n] = 1;
		assert_int_equal(ep11_pkey_private(&k, more, priv.n + 1),
		    CKR_WRAPPED_KEY_INVALID);
		for (size_t n = 0; n < priv.n; n++)
			assert_int_not_equal(
			    ep11_pkey_private(&k, priv.p, n), CKR_OK);
		assert_null(k.key);
		helper_der_free(&pub);
		helper_der_free(&priv);
	}
}

/* Structure, point, halves that fit: a changed bit is seen, except where it
 * makes another key of the same kind. */
static void
test_ep11_pkey__every_changed_byte_of_a_private_key_is_seen(void **state)
{
	size_t flips = 0, same = 0;

	(void)state;
	for (size_t i = 0; i < HELPER_PKEYS; i++) {
		struct helper_der pub = {0}, priv = {0};

		EVP_PKEY_free(helper_pkey_make(i, &pub, &priv));
		for (size_t at = 0; at < priv.n; at++) {
			struct ep11_pkey k = {0};
			struct hsa_buf spki = {0};
			CK_RV rv;

			priv.p[at] ^= 0x01;
			rv = ep11_pkey_private(&k, priv.p, priv.n);
			if (rv == CKR_OK) {
				/* then it is whole, and another one */
				assert_int_equal(
				    ep11_pkey_spki(&spki, &k), CKR_OK);
				if (spki.len == pub.n &&
				    memcmp(spki.p, pub.p, pub.n) == 0)
					same++;
			} else {
				assert_true(rv == CKR_WRAPPED_KEY_INVALID ||
					    rv == CKR_CURVE_NOT_SUPPORTED ||
					    rv == CKR_KEY_SIZE_RANGE);
			}
			flips++;
			priv.p[at] ^= 0x01;
			hsa_buf_free(&spki);
			ep11_pkey_free(&k);
		}
		helper_der_free(&pub);
		helper_der_free(&priv);
	}
	printf("COUNT bytes of private keys changed: %zu\n", flips);
	/* the version of ECPrivateKey and RSAPrivateKey, and CRT numbers that
	 * OpenSSL does not read, are all that may stay unseen */
	assert_in_range(same, 0, flips / 20);
}

static void
test_ep11_pkey__every_changed_byte_of_a_public_key_is_seen(void **state)
{
	size_t flips = 0, taken = 0;

	(void)state;
	for (size_t i = 0; i < HELPER_PKEYS; i++) {
		struct helper_der pub = {0}, priv = {0};

		EVP_PKEY_free(helper_pkey_make(i, &pub, &priv));
		for (size_t at = 0; at < pub.n; at++) {
			struct ep11_pkey k = {0};
			CK_RV rv;

			pub.p[at] ^= 0x01;
			rv = ep11_pkey_public(&k, pub.p, pub.n);
			assert_true(rv == CKR_OK ||
				    rv == CKR_PUBLIC_KEY_INVALID ||
				    rv == CKR_CURVE_NOT_SUPPORTED ||
				    rv == CKR_KEY_SIZE_RANGE);
			/* a point next door is not on the curve */
			if (helper_pkeys[i].type == CKK_EC &&
			    helper_pkeys[i].prime)
				assert_int_not_equal(rv, CKR_OK);
			taken += rv == CKR_OK;
			flips++;
			pub.p[at] ^= 0x01;
			ep11_pkey_free(&k);
		}
		helper_der_free(&pub);
		helper_der_free(&priv);
	}
	printf("COUNT bytes of public keys changed: %zu, other keys: %zu\n",
	    flips, taken);
}

static void
test_ep11_pkey__sizes_and_kinds_that_no_token_has_are_refused(void **state)
{
	static const struct {
		const char *type;
		unsigned bits;
	} odd[] = {{"RSA-PSS", 1024}, {"SM2", 0}};
	struct ep11_pkey k = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY_CTX *x =
		    EVP_PKEY_CTX_new_from_name(NULL, odd[i].type, NULL);
		EVP_PKEY *key = NULL;
		uint8_t *der = NULL;
		int n = 0;

		assert_int_equal(EVP_PKEY_keygen_init(x), 1);
		if (odd[i].bits != 0)
			assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(
					     x, (int)odd[i].bits),
			    1);
		assert_int_equal(EVP_PKEY_generate(x, &key), 1);
		n = i2d_PUBKEY(key, &der);
		assert_true(n > 0);
		assert_int_not_equal(
		    ep11_pkey_public(&k, der, (size_t)n), CKR_OK);
		OPENSSL_free(der);
		EVP_PKEY_free(key);
		EVP_PKEY_CTX_free(x);
	}
	{
		/* an RSA modulus of 511 bits is a number, not a key */
		static const uint8_t head[] = {0x30, 0x5b, 0x30, 0x0d, 0x06,
		    0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
		    0x05, 0x00, 0x03, 0x4a, 0x00, 0x30, 0x47, 0x02, 0x40};
		uint8_t der[sizeof(head) + 64 + 5];

		memcpy(der, head, sizeof(head));
		memset(der + sizeof(head), 0x7f, 64);
		memcpy(der + sizeof(head) + 64, "\x02\x03\x01\x00\x01", 5);
		assert_int_equal(
		    ep11_pkey_public(&k, der, sizeof(der)), CKR_KEY_SIZE_RANGE);
	}
}

/* Even moduli, even exponents, 1 and what is longer than the modulus. */
static void
test_ep11_pkey__rsa_numbers_that_are_no_key_are_refused(void **state)
{
	static const struct {
		uint8_t last; /* of the modulus */
		const char *e;
		CK_RV rv;
	} rows[] = {{0xff, "\x01\x00\x01", CKR_OK}, {0xff, "\x03", CKR_OK},
	    {0xfe, "\x03", CKR_PUBLIC_KEY_INVALID},
	    {0xff, "\x01", CKR_PUBLIC_KEY_INVALID},
	    {0xff, "\x04", CKR_PUBLIC_KEY_INVALID}};
	static const char *const names[] = {"n", "e"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ep11_pkey k = {0}, again = {0};
		struct hsa_buf spki = {0};
		uint8_t n[128];
		struct hsa_slice v[2] = {{n, sizeof(n)},
		    {(const uint8_t *)rows[i].e,
			rows[i].e[0] == 1 && rows[i].e[1] == 0 ? 3 : 1}};

		memset(n, 0xff, sizeof(n));
		n[127] = rows[i].last;
		if (i == 3) /* 01 alone, not 01 00 01 */
			v[1].n = 1;
		assert_int_equal(
		    ep11_pkey_of_numbers(&k, CKK_RSA, names, v, 2), CKR_OK);
		assert_int_equal(ep11_pkey_spki(&spki, &k), CKR_OK);
		assert_int_equal(
		    ep11_pkey_public(&again, spki.p, spki.len), rows[i].rv);
		hsa_buf_free(&spki);
		ep11_pkey_free(&k);
		ep11_pkey_free(&again);
	}
}

/* SEC 1 points of other forms and infinity, on P-256. */
static void
test_ep11_pkey__points_are_checked(void **state)
{
	struct helper_der pub = {0}, priv = {0};
	struct ep11_pkey k = {0}, other = {0};
	struct hsa_buf point = {0};
	uint8_t zero = 0;

	(void)state;
	for (size_t i = 0; i < HELPER_PKEYS; i++) {
		if (helper_pkeys[i].type != CKK_EC)
			continue;
		EVP_PKEY_free(helper_pkey_make(i, &pub, &priv));
		assert_int_equal(ep11_pkey_public(&k, pub.p, pub.n), CKR_OK);
		hsa_buf_reset(&point);
		assert_int_equal(ep11_pkey_point(&point, &k), CKR_OK);
		assert_int_equal(point.len, ep11_curve_public_len(k.curve));
		assert_memory_equal(
		    point.p, pub.p + pub.n - point.len, point.len);
		assert_int_equal(
		    ep11_pkey_of_point(&other, k.curve, point.p, point.len),
		    CKR_OK);
		assert_int_equal(EVP_PKEY_eq(k.key, other.key), 1);
		ep11_pkey_free(&other);
		assert_int_equal(
		    ep11_pkey_of_point(&other, k.curve, point.p, point.len - 1),
		    CKR_PUBLIC_KEY_INVALID);
		if (k.curve->kind == EP11_CURVE_PRIME) {
			point.p[point.len - 1] ^= 1;
			assert_int_equal(ep11_pkey_of_point(&other, k.curve,
					     point.p, point.len),
			    CKR_PUBLIC_KEY_INVALID);
			assert_int_equal(
			    ep11_pkey_of_point(&other, k.curve, &zero, 1),
			    CKR_PUBLIC_KEY_INVALID);
		}
		ep11_pkey_free(&k);
		helper_der_free(&pub);
		helper_der_free(&priv);
	}
	hsa_buf_free(&point);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_ep11_curve__table_is_numbered_as_the_reference_says),
	    cmocka_unit_test(test_ep11_pkey__both_halves_are_read_and_written),
	    cmocka_unit_test(test_ep11_pkey__bytes_behind_a_key_are_refused),
	    cmocka_unit_test(
		test_ep11_pkey__every_changed_byte_of_a_private_key_is_seen),
	    cmocka_unit_test(
		test_ep11_pkey__every_changed_byte_of_a_public_key_is_seen),
	    cmocka_unit_test(
		test_ep11_pkey__sizes_and_kinds_that_no_token_has_are_refused),
	    cmocka_unit_test(
		test_ep11_pkey__rsa_numbers_that_are_no_key_are_refused),
	    cmocka_unit_test(test_ep11_pkey__points_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
