/* Keys that leave and come back with their attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_attrbound.h"
#include "helper_tmpl.h"

static struct helper_ep11 H;
static struct hsa_call C, W, Rsa;
static struct helper_tmpl T, P;
static struct hsa_buf Mac, Aes;
static uint8_t Value[256];

#define AB EP11_ATTRBOUND

static int
group_setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	for (size_t i = 0; i < sizeof(Value); i++)
		Value[i] = (uint8_t)(1 + 2 * i);
	helper_ep11_secret(
	    &H, &Aes, CKK_AES, Value, 32, AB | EP11_WRAP | EP11_UNWRAP);
	helper_ep11_secret(&H, &Mac, CKK_GENERIC_SECRET, Value, 32,
	    AB | EP11_SIGN | EP11_VERIFY);
	/* as GREP11's example asks for its pair */
	tmpl_bool(&T, CKA_ENCRYPT, true);
	tmpl_bool(&T, CKA_WRAP, true);
	tmpl_num(&T, CKA_MODULUS_BITS, 2048);
	tmpl_num(&T, CKA_PUBLIC_EXPONENT, 17);
	tmpl_bool(&T, CKA_EXTRACTABLE, false);
	tmpl_bool(&T, CKA_IBM_ATTRBOUND, true);
	tmpl_bool(&P, CKA_PRIVATE, true);
	tmpl_bool(&P, CKA_SENSITIVE, true);
	tmpl_bool(&P, CKA_DECRYPT, true);
	tmpl_bool(&P, CKA_UNWRAP, true);
	tmpl_bool(&P, CKA_EXTRACTABLE, false);
	tmpl_bool(&P, CKA_IBM_ATTRBOUND, true);
	assert_int_equal(
	    helper_generate_pair(&H, &Rsa, CKM_RSA_PKCS_KEY_PAIR_GEN, &T, &P),
	    CKR_OK);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	hsa_call_free(&Rsa);
	hsa_buf_free(&Mac);
	hsa_buf_free(&Aes);
	helper_ep11_free(&H);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	helper_cp(&H, NULL, 0);
	memset(&T, 0, sizeof(T));
	return 0;
}

static int
done(void **state)
{
	(void)state;
	hsa_call_free(&C);
	hsa_call_free(&W);
	return 0;
}

static CK_RV
wrap(const struct hsa_buf *key, const struct hsa_buf *kek,
    const struct hsa_buf *mac)
{
	C.mech = helper_mech(CKM_IBM_ATTRIBUTEBOUND_WRAP);
	C.key = helper_slice(key);
	C.key2 = helper_slice(kek);
	C.key3 = helper_slice(mac);
	return helper_ep11_call(&H, &C, HSA_FN_WRAP_KEY);
}

static CK_RV
unwrap(
    struct hsa_slice in, const struct hsa_buf *kek, const struct hsa_buf *mac)
{
	W.mech = helper_mech(CKM_IBM_ATTRIBUTEBOUND_WRAP);
	W.data = in;
	W.key2 = helper_slice(kek);
	W.key3 = helper_slice(mac);
	W.attr = T.a;
	W.attr_len = T.n;
	return helper_ep11_call(&H, &W, HSA_FN_UNWRAP_KEY);
}

static void
test_bk_ep11_attrbound__secret_keys_keep_value_and_attributes(void **state)
{
	static const struct {
		CK_KEY_TYPE type;
		size_t len;
	} keys[] = {{CKK_AES, 16}, {CKK_AES, 24}, {CKK_AES, 32}, {CKK_DES2, 16},
	    {CKK_DES3, 24}, {CKK_GENERIC_SECRET, 1}, {CKK_GENERIC_SECRET, 20},
	    {CKK_GENERIC_SECRET, 32}, {CKK_GENERIC_SECRET, 255}};
	static const uint32_t words[] = {EP11_ENCRYPT,
	    EP11_SIGN | EP11_MODIFIABLE,
	    EP11_DERIVE | EP11_LOCAL | EP11_WRAP_WITH_TRUSTED | EP11_TRUSTED};
	struct hsa_buf key = {0}, trusted = {0};
	size_t cells = 0;

	(void)state;
	helper_ep11_secret(&H, &trusted, CKK_AES, Value, 32,
	    AB | EP11_WRAP | EP11_UNWRAP | EP11_TRUSTED);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		for (size_t w = 0; w < 3; w++)
			for (int rsa = 0; rsa < 2; rsa++) {
				const struct hsa_buf *by = rsa      ? &Rsa.out2
							   : w == 2 ? &trusted
								    : &Aes,
						     *back =
							 rsa ? &Rsa.out : by;
				uint32_t bools =
				    words[w] | AB | EP11_EXTRACTABLE;
				uint8_t v[256];

				helper_ep11_secret(&H, &key, keys[i].type,
				    Value, keys[i].len, bools);
				if (rsa && w == 2) {
					assert_int_equal(wrap(&key, by, &Mac),
					    CKR_KEY_NOT_WRAPPABLE);
					continue;
				}
				assert_int_equal(wrap(&key, by, &Mac), CKR_OK);
				assert_int_equal(
				    unwrap(helper_slice(&C.out), back, &Mac),
				    CKR_OK);
				assert_int_equal(helper_blob_bools(&W.out),
				    bools & ~(uint32_t)EP11_LOCAL);
				assert_int_equal(W.out.p[48], keys[i].type);
				assert_int_equal(
				    helper_value(&H, &W.out, v, sizeof(v)),
				    keys[i].len);
				assert_memory_equal(v, Value, keys[i].len);
				assert_int_equal(W.out2.len, 7);
				cells++;
			}
	printf("COUNT secret keys that kept their attributes: %zu\n", cells);
	hsa_buf_free(&key);
	hsa_buf_free(&trusted);
}

static void
test_bk_ep11_attrbound__private_keys_keep_their_halves(void **state)
{
	static const uint8_t numbers[] = {3, 5, 20, 23, 24, 25, 26};
	const struct ep11_curve *c = NULL;
	size_t n = 0, cells = 0;

	(void)state;
	c = ep11_curve_rows(&n);
	for (size_t i = 0; i <= sizeof(numbers); i++)
		for (int rsa = 0; rsa < 2; rsa++) {
			struct helper_tmpl pub_t = {.n = 0}, priv_t = {.n = 0};
			struct hsa_call k = {0};
			EVP_PKEY *pub = NULL, *back = NULL;
			uint32_t bools = 0;

			tmpl_bool(&priv_t, CKA_IBM_ATTRBOUND, true);
			if (i == sizeof(numbers))
				tmpl_num(&pub_t, CKA_MODULUS_BITS, 1024);
			for (size_t j = 0; j < n && i < sizeof(numbers); j++)
				if (c[j].number == numbers[i])
					tmpl_bytes(&pub_t, CKA_EC_PARAMS,
					    c[j].oid, c[j].oid_len);
			assert_int_equal(
			    helper_generate_pair(&H, &k,
				i < sizeof(numbers) ? CKM_EC_KEY_PAIR_GEN
						    : CKM_RSA_PKCS_KEY_PAIR_GEN,
				&pub_t, &priv_t),
			    CKR_OK);
			pub = helper_public(&k.out2, NULL);
			assert_int_equal(
			    wrap(&k.out, rsa ? &Rsa.out2 : &Aes, &Mac), CKR_OK);
			assert_int_equal(unwrap(helper_slice(&C.out),
					     rsa ? &Rsa.out : &Aes, &Mac),
			    CKR_OK);
			assert_int_equal(helper_blob_bools(&W.out),
			    helper_blob_bools(&k.out) & ~(uint32_t)EP11_LOCAL);
			back = helper_public(&W.out2, &bools);
			assert_int_equal(EVP_PKEY_eq(pub, back), 1);
			assert_int_equal(bools & AB, AB);
			helper_ep11_wk(&H, 0, -1);
			assert_true(helper_proves(&H, &W.out, pub));
			EVP_PKEY_free(pub);
			EVP_PKEY_free(back);
			hsa_call_free(&k);
			cells++;
		}
	printf("COUNT private keys that kept their halves: %zu\n", cells);
}

static void
test_bk_ep11_attrbound__the_templates_booleans_are_not_looked_at(void **state)
{
	struct hsa_buf key = {0}, small = {0};

	(void)state;
	helper_ep11_secret(
	    &H, &key, CKK_AES, Value, 16, AB | EP11_EXTRACTABLE | EP11_ENCRYPT);
	/* GREP11's other example has a MAC key of 16 bytes */
	helper_ep11_secret(&H, &small, CKK_GENERIC_SECRET, Value, 16,
	    AB | EP11_SIGN | EP11_VERIFY);
	assert_int_equal(wrap(&key, &Rsa.out2, &small), CKR_OK);
	tmpl_num(&T, CKA_CLASS, CKO_SECRET_KEY);
	tmpl_num(&T, CKA_KEY_TYPE, CKK_AES);
	tmpl_num(&T, CKA_VALUE_LEN, 16);
	tmpl_bool(&T, CKA_ENCRYPT, true);
	tmpl_bool(&T, CKA_DECRYPT, true);
	tmpl_bool(&T, CKA_EXTRACTABLE, true);
	assert_int_equal(
	    unwrap(helper_slice(&C.out), &Rsa.out, &small), CKR_OK);
	assert_int_equal(
	    helper_blob_bools(&W.out), AB | EP11_EXTRACTABLE | EP11_ENCRYPT);
	T.num[2] = 32;
	assert_int_equal(unwrap(helper_slice(&C.out), &Rsa.out, &small),
	    CKR_TEMPLATE_INCONSISTENT);
	T.num[2] = 16;
	T.num[1] = CKK_DES2;
	assert_int_equal(unwrap(helper_slice(&C.out), &Rsa.out, &small),
	    CKR_TEMPLATE_INCONSISTENT);
	T.num[1] = CKK_AES;
	T.num[0] = CKO_PRIVATE_KEY;
	assert_int_equal(unwrap(helper_slice(&C.out), &Rsa.out, &small),
	    CKR_TEMPLATE_INCONSISTENT);
	hsa_buf_free(&key);
	hsa_buf_free(&small);
}

static void
test_bk_ep11_attrbound__every_changed_byte_is_refused(void **state)
{
	struct hsa_buf key = {0}, other = {0};
	struct hsa_slice cut;
	size_t flips = 0;

	(void)state;
	helper_ep11_secret(&H, &key, CKK_AES, Value, 32, AB | EP11_EXTRACTABLE);
	for (int rsa = 0; rsa < 2; rsa++) {
		const struct hsa_buf *kek = rsa ? &Rsa.out : &Aes;

		assert_int_equal(
		    wrap(&key, rsa ? &Rsa.out2 : &Aes, &Mac), CKR_OK);
		for (size_t at = 0; at < C.out.len; at++) {
			C.out.p[at] ^= 0x10;
			assert_int_equal(
			    unwrap(helper_slice(&C.out), kek, &Mac),
			    CKR_WRAPPED_KEY_INVALID);
			assert_int_equal(W.out.len + W.out2.len, 0);
			C.out.p[at] ^= 0x10;
			flips++;
		}
		cut = helper_slice(&C.out);
		for (size_t n = 0; n < C.out.len; n++) {
			cut.n = n;
			assert_int_equal(unwrap(cut, kek, &Mac),
			    n < 32 ? CKR_WRAPPED_KEY_LEN_RANGE
				   : CKR_WRAPPED_KEY_INVALID);
		}
		/* another MAC key, another KEK */
		helper_ep11_secret(&H, &other, CKK_GENERIC_SECRET, Value + 1,
		    32, AB | EP11_VERIFY);
		assert_int_equal(unwrap(helper_slice(&C.out), kek, &other),
		    CKR_WRAPPED_KEY_INVALID);
		helper_ep11_secret(
		    &H, &other, CKK_AES, Value + 1, 32, AB | EP11_UNWRAP);
		assert_int_equal(unwrap(helper_slice(&C.out), &other, &Mac),
		    CKR_WRAPPED_KEY_INVALID);
	}
	printf("COUNT bytes of attribute-bound keys changed: %zu\n", flips);
	hsa_buf_free(&key);
	hsa_buf_free(&other);
}

/* Whoever may use the MAC key can give a changed one its MAC: then the rest
 * has to hold. */
static void
test_bk_ep11_attrbound__damage_under_a_right_mac_is_refused(void **state)
{
	const struct ep11_curve *c = ep11_curve_rows(&(size_t){0});
	struct hsa_buf keys[3] = {{0}, {0}, {0}};
	size_t flips = 0, taken = 0;

	(void)state;
	helper_ep11_secret(
	    &H, &keys[0], CKK_GENERIC_SECRET, Value, 20, AB | EP11_EXTRACTABLE);
	for (size_t i = 1; i < 3; i++) {
		struct helper_tmpl pub = {.n = 0}, priv = {.n = 0};
		struct hsa_call k = {0};

		tmpl_bytes(&pub, CKA_EC_PARAMS, c[i == 1 ? 2 : 23].oid,
		    c[i == 1 ? 2 : 23].oid_len);
		tmpl_bool(&priv, CKA_IBM_ATTRBOUND, true);
		assert_int_equal(helper_generate_pair(
				     &H, &k, CKM_EC_KEY_PAIR_GEN, &pub, &priv),
		    CKR_OK);
		hsa_buf_put(&keys[i], k.out.p, k.out.len);
		hsa_call_free(&k);
	}
	for (size_t i = 0; i < 3; i++) {
		struct hsa_buf bad = {0};

		assert_int_equal(wrap(&keys[i], &Aes, &Mac), CKR_OK);
		for (size_t at = 0; at + 32 < C.out.len; at++) {
			struct hsa_call s = {
			    .mech = helper_mech(CKM_SHA256_HMAC),
			    .key = helper_slice(&Mac)};
			size_t before = helper_ep11_objects(&H);
			CK_RV rv;

			hsa_buf_reset(&bad);
			hsa_buf_put(&bad, C.out.p, C.out.len - 32);
			bad.p[at] ^= 0x04;
			s.data = helper_slice(&bad);
			assert_int_equal(
			    helper_ep11_call(&H, &s, HSA_FN_SIGN_SINGLE),
			    CKR_OK);
			hsa_buf_put(&bad, s.out.p, s.out.len);
			rv = unwrap(helper_slice(&bad), &Aes, &Mac);
			/* the booleans are the sender's to say, bits of a
			 * generic secret within its padding too */
			if (rv == CKR_OK) {
				assert_in_range(at, 4, 15);
				taken++;
			} else {
				assert_true(rv == CKR_WRAPPED_KEY_INVALID ||
					    rv == CKR_CURVE_NOT_SUPPORTED ||
					    rv == CKR_IBM_STATIC_POLICY);
			}
			assert_in_range(helper_ep11_objects(&H), before,
			    before + (rv == CKR_OK));
			hsa_call_free(&s);
			flips++;
		}
		hsa_buf_free(&bad);
	}
	printf("COUNT bytes changed under a right MAC: %zu, taken: %zu\n",
	    flips, taken);
	for (size_t i = 0; i < 3; i++)
		hsa_buf_free(&keys[i]);
}

static void
test_bk_ep11_attrbound__nothing_mixes(void **state)
{
	struct hsa_buf key = {0}, free_aes = {0}, free_mac = {0}, mute = {0};
	const struct hsa_buf none = {0};

	(void)state;
	helper_ep11_secret(
	    &H, &free_aes, CKK_AES, Value, 32, EP11_WRAP | EP11_UNWRAP);
	helper_ep11_secret(&H, &free_mac, CKK_GENERIC_SECRET, Value, 32,
	    EP11_SIGN | EP11_VERIFY);
	helper_ep11_secret(&H, &mute, CKK_GENERIC_SECRET, Value, 32, AB);
	helper_ep11_secret(&H, &key, CKK_AES, Value, 32, EP11_EXTRACTABLE);
	assert_int_equal(wrap(&key, &Aes, &Mac), CKR_KEY_NOT_WRAPPABLE);
	helper_ep11_secret(&H, &key, CKK_AES, Value, 32, AB | EP11_EXTRACTABLE);
	assert_int_equal(
	    wrap(&key, &free_aes, &Mac), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	assert_int_equal(
	    wrap(&key, &Aes, &free_mac), CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(
	    wrap(&key, &Aes, &mute), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(wrap(&key, &Aes, &none), CKR_KEY_HANDLE_INVALID);
	assert_int_equal(
	    wrap(&key, &Mac, &Mac), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(wrap(&key, &Aes, &Mac), CKR_OK);
	assert_int_equal(unwrap(helper_slice(&C.out), &free_aes, &Mac),
	    CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
	assert_int_equal(unwrap(helper_slice(&C.out), &Aes, &free_mac),
	    CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(unwrap(helper_slice(&C.out), &Aes, &mute),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	/* 8 to 11 by the kind of the wrapping key; 16 is the others' */
	helper_cp(&H, (const int[]){9}, 1);
	assert_int_equal(wrap(&key, &Aes, &Mac), CKR_FUNCTION_CANCELED);
	assert_int_equal(wrap(&key, &Rsa.out2, &Mac), CKR_OK);
	helper_cp(&H, (const int[]){8}, 1);
	assert_int_equal(wrap(&key, &Rsa.out2, &Mac), CKR_FUNCTION_CANCELED);
	helper_cp(&H, (const int[]){16}, 1);
	assert_int_equal(wrap(&key, &Aes, &Mac), CKR_OK);
	assert_int_equal(unwrap(helper_slice(&C.out), &Aes, &Mac), CKR_OK);
	helper_cp(&H, (const int[]){11}, 1);
	assert_int_equal(
	    unwrap(helper_slice(&C.out), &Aes, &Mac), CKR_FUNCTION_CANCELED);
	helper_cp(&H, (const int[]){28}, 1);
	assert_int_equal(
	    unwrap(helper_slice(&C.out), &Aes, &Mac), CKR_IBM_STATIC_POLICY);
	hsa_buf_free(&key);
	hsa_buf_free(&free_aes);
	hsa_buf_free(&free_mac);
	hsa_buf_free(&mute);
}

/* The control points of signing, of key strengths and of uses hold for the
 * keys of this way out as for all others. */
static void
test_bk_ep11_attrbound__control_points_hold_for_all_its_keys(void **state)
{
	struct hsa_buf key = {0};

	(void)state;
	helper_ep11_secret(&H, &key, CKK_AES, Value, 16,
	    AB | EP11_EXTRACTABLE | EP11_ENCRYPT | EP11_WRAP);
	/* 3, 4: the MAC; 28: keys of 256 bits, which the wrapping key is */
	helper_cp(&H, (const int[]){3}, 1);
	assert_int_equal(wrap(&key, &Aes, &Mac), CKR_FUNCTION_CANCELED);
	helper_cp(&H, (const int[]){28}, 1);
	assert_int_equal(wrap(&key, &Aes, &Mac), CKR_IBM_STATIC_POLICY);
	helper_cp(&H, (const int[]){4}, 1);
	assert_int_equal(wrap(&key, &Aes, &Mac), CKR_OK);
	assert_int_equal(
	    unwrap(helper_slice(&C.out), &Aes, &Mac), CKR_FUNCTION_CANCELED);
	helper_cp(&H, (const int[]){28}, 1);
	assert_int_equal(
	    unwrap(helper_slice(&C.out), &Aes, &Mac), CKR_IBM_STATIC_POLICY);
	/* 39: keys that both encrypt and wrap */
	helper_cp(&H, (const int[]){39}, 1);
	assert_int_equal(
	    unwrap(helper_slice(&C.out), &Aes, &Mac), CKR_FUNCTION_CANCELED);
	helper_cp(&H, NULL, 0);
	assert_int_equal(unwrap(helper_slice(&C.out), &Aes, &Mac), CKR_OK);
	hsa_buf_free(&key);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_bk_ep11_attrbound__secret_keys_keep_value_and_attributes),
	    CASE(test_bk_ep11_attrbound__private_keys_keep_their_halves),
	    CASE(
		test_bk_ep11_attrbound__the_templates_booleans_are_not_looked_at),
	    CASE(test_bk_ep11_attrbound__every_changed_byte_is_refused),
	    CASE(test_bk_ep11_attrbound__damage_under_a_right_mac_is_refused),
	    CASE(test_bk_ep11_attrbound__nothing_mixes),
	    CASE(test_bk_ep11_attrbound__control_points_hold_for_all_its_keys),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
