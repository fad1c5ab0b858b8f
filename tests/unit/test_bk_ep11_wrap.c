/* WrapKey and UnwrapKey on a real token; outside, OpenSSL does the other
 * half. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helper_tmpl.h"
#include "helper_wrap.h"
#include "hsa_hash.h"

static struct helper_ep11 H;
static struct hsa_call C, W;
static struct helper_tmpl T;

static int
group_setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, 0);
	helper_wrap_keks(&H);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	helper_wrap_free();
	helper_ep11_free(&H);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	helper_cp(&H, NULL, 0);
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

/* Into C.out. */
static CK_RV
wrap(const struct hsa_buf *key, const struct hsa_buf *kek,
    const struct hsa_mech *m)
{
	C.mech = *m;
	C.key = helper_slice(key);
	C.key2 = helper_slice(kek);
	C.key3 = (struct hsa_slice){NULL, 0};
	return helper_ep11_call(&H, &C, HSA_FN_WRAP_KEY);
}

/* Into W.out, W.out2. */
static CK_RV
unwrap(struct hsa_slice wrapped, const struct hsa_buf *kek,
    const struct hsa_mech *m, const struct helper_tmpl *t)
{
	W.mech = *m;
	W.data = wrapped;
	W.key2 = helper_slice(kek);
	W.attr = t->a;
	W.attr_len = t->n;
	return helper_ep11_call(&H, &W, HSA_FN_UNWRAP_KEY);
}

static struct helper_tmpl *
like(CK_OBJECT_CLASS cls, CK_KEY_TYPE type)
{
	memset(&T, 0, sizeof(T));
	tmpl_num(&T, CKA_CLASS, cls);
	return tmpl_num(&T, CKA_KEY_TYPE, type);
}

static const struct {
	CK_KEY_TYPE type;
	size_t len;
} secrets[] = {{CKK_AES, 16}, {CKK_AES, 24}, {CKK_AES, 32}, {CKK_DES2, 16},
    {CKK_DES3, 24}, {CKK_GENERIC_SECRET, 1}, {CKK_GENERIC_SECRET, 7},
    {CKK_GENERIC_SECRET, 16}, {CKK_GENERIC_SECRET, 21},
    {CKK_GENERIC_SECRET, 64}, {CKK_GENERIC_SECRET, 256}};
#define SECRETS (sizeof(secrets) / sizeof(secrets[0]))

static void
value_of(uint8_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (uint8_t)(3 + 5 * i);
}

static void
test_bk_ep11_wrap__secret_keys_by_every_mechanism(void **state)
{
	struct hsa_buf key = {0};
	size_t cells = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < HELPER_KEKS; i++)
		for (size_t s = 0; s < SECRETS; s++) {
			const struct helper_kek *kek = &helper_keks[i];
			size_t n = secrets[s].len, open = 0;
			uint8_t v[256], plain[512];
			CK_RV rv;

			value_of(v, n);
			helper_ep11_secret(&H, &key, secrets[s].type, v, n,
			    EP11_EXTRACTABLE | EP11_ENCRYPT);
			rv = wrap(&key, &kek->wraps, &kek->m);
			if (!helper_wrap_fits(kek, n)) {
				assert_int_equal(rv, CKR_KEY_SIZE_RANGE);
				refused++;
				continue;
			}
			assert_int_equal(rv, CKR_OK);
			open = helper_wrap_open(kek, plain, C.out.p, C.out.len);
			if (kek->filled != 0) {
				assert_int_equal(open, (n + kek->filled - 1) /
							   kek->filled *
							   kek->filled);
				for (size_t k = n; k < open; k++)
					assert_int_equal(plain[k], 0);
			} else {
				assert_int_equal(open, n);
			}
			assert_memory_equal(plain, v, n);
			/* and back */
			like(CKO_SECRET_KEY, secrets[s].type);
			if (kek->filled != 0)
				tmpl_num(&T, CKA_VALUE_LEN, n);
			assert_int_equal(unwrap(helper_slice(&C.out),
					     &kek->unwraps, &kek->m, &T),
			    CKR_OK);
			assert_int_equal(W.out2.len, 7);
			assert_int_equal(W.out2.p[5] << 8 | W.out2.p[6], n * 8);
			assert_int_equal(
			    helper_value(&H, &W.out, plain, sizeof(plain)), n);
			assert_memory_equal(plain, v, n);
			/* neither local nor never out */
			assert_int_equal(helper_blob_bools(&W.out) & 0x2f, 5);
			cells++;
		}
	printf("COUNT secret keys wrapped and unwrapped: %zu, too big: %zu\n",
	    cells, refused);
	hsa_buf_free(&key);
}

static void
test_bk_ep11_wrap__secret_keys_wrapped_outside_come_in(void **state)
{
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < HELPER_KEKS; i++)
		for (size_t s = 0; s < SECRETS; s++) {
			const struct helper_kek *kek = &helper_keks[i];
			size_t n = secrets[s].len, wrapped = 0;
			uint8_t v[256], w[1024], back[256];

			if (!helper_wrap_fits(kek, n))
				continue;
			value_of(v, n);
			wrapped = helper_wrap_seal(kek, w, v, n);
			like(CKO_SECRET_KEY, secrets[s].type);
			tmpl_num(&T, CKA_VALUE_LEN, n);
			assert_int_equal(unwrap((struct hsa_slice){w, wrapped},
					     &kek->unwraps, &kek->m, &T),
			    CKR_OK);
			assert_int_equal(
			    helper_value(&H, &W.out, back, sizeof(back)), n);
			assert_memory_equal(back, v, n);
			/* a length that is not its own */
			like(CKO_SECRET_KEY, CKK_GENERIC_SECRET);
			tmpl_num(&T, CKA_VALUE_LEN, n + 1);
			assert_int_not_equal(
			    unwrap((struct hsa_slice){w, wrapped},
				&kek->unwraps, &kek->m, &T),
			    kek->filled != 0 && n % kek->filled != 0
				? 0xffffffff
				: CKR_OK);
			cells++;
		}
	printf("COUNT secret keys from outside: %zu\n", cells);
}

/* AES keys of 15 bytes and their like: the token would take them. */
static void
test_bk_ep11_wrap__keys_of_no_length_are_refused(void **state)
{
	static const size_t lens[] = {1, 8, 15, 17, 23, 25, 31, 33, 40};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < HELPER_KEKS; i++)
		for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
			const struct helper_kek *kek = &helper_keks[i];
			static const CK_KEY_TYPE types[] = {
			    CKK_AES, CKK_DES2, CKK_DES3};
			uint8_t v[64], w[1024];
			size_t n = 0;

			if (!helper_wrap_fits(kek, lens[l]) || kek->filled != 0)
				continue;
			value_of(v, lens[l]);
			n = helper_wrap_seal(kek, w, v, lens[l]);
			for (size_t k = 0; k < 3; k++) {
				assert_int_equal(
				    unwrap((struct hsa_slice){w, n},
					&kek->unwraps, &kek->m,
					like(CKO_SECRET_KEY, types[k])),
				    kek->tells ? CKR_WRAPPED_KEY_LEN_RANGE
					       : CKR_WRAPPED_KEY_INVALID);
				cells++;
			}
		}
	printf("COUNT keys of no length refused: %zu\n", cells);
}

static void
test_bk_ep11_wrap__every_changed_byte_is_refused(void **state)
{
	size_t flips = 0, taken = 0;
	uint8_t v[32];

	(void)state;
	value_of(v, 32);
	for (size_t i = 0; i < HELPER_KEKS; i++) {
		const struct helper_kek *kek = &helper_keks[i];
		uint8_t w[1024];
		size_t n = helper_wrap_seal(kek, w, v, 32);

		like(CKO_SECRET_KEY, CKK_AES);
		for (size_t at = 0; at < n; at++) {
			CK_RV rv;

			w[at] ^= 0x40;
			rv = unwrap((struct hsa_slice){w, n}, &kek->unwraps,
			    &kek->m, &T);
			/* CBC has no integrity: another key may come of it */
			if (rv == CKR_OK) {
				assert_false(kek->integrity);
				taken++;
			} else {
				assert_int_equal(rv, CKR_WRAPPED_KEY_INVALID);
				assert_int_equal(W.out.len + W.out2.len, 0);
			}
			w[at] ^= 0x40;
			flips++;
		}
		for (size_t len = 0; len < n; len++) {
			CK_RV rv = unwrap((struct hsa_slice){w, len},
			    &kek->unwraps, &kek->m, &T);

			assert_true(rv == CKR_WRAPPED_KEY_LEN_RANGE ||
				    rv == CKR_WRAPPED_KEY_INVALID ||
				    (kek->filled != 0 && rv == CKR_OK));
			flips++;
		}
	}
	printf("COUNT wrapped bytes changed: %zu, other keys: %zu\n", flips,
	    taken);
}

/* ---- private keys -------------------------------------------------------- */

static const struct {
	CK_KEY_TYPE type;
	int row; /* of helper_pkeys */
} privates[] = {{CKK_RSA, 1}, {CKK_DSA, 2}, {CKK_DH, 3}, {CKK_EC, 4},
    {CKK_EC, 6}, {CKK_EC, 8}, {CKK_EC, 9}, {CKK_EC, 10}, {CKK_EC, 23},
    {CKK_EC, 24}, {CKK_EC, 25}, {CKK_EC, 26}, {CKK_EC, 27}};
#define PRIVATES (sizeof(privates) / sizeof(privates[0]))

static void
test_bk_ep11_wrap__private_keys_there_and_back(void **state)
{
	size_t cells = 0, refused = 0;

	(void)state;
	for (size_t p = 0; p < PRIVATES; p++) {
		struct helper_der spki = {0}, p8 = {0};
		struct hsa_buf blob = {0};
		EVP_PKEY *k =
		    helper_pkey_make((size_t)privates[p].row, &spki, &p8);

		for (size_t i = 0; i < HELPER_KEKS; i++) {
			const struct helper_kek *kek = &helper_keks[i];
			uint8_t w[4096], plain[4096];
			const uint8_t *at = plain;
			EVP_PKEY *same = NULL, *pub = NULL;
			PKCS8_PRIV_KEY_INFO *info = NULL;
			size_t n = 0;

			if (!kek->privates) {
				helper_wrap_any(&H, &blob);
				assert_int_equal(
				    wrap(&blob, &kek->wraps, &kek->m),
				    CKR_KEY_NOT_WRAPPABLE);
				refused++;
				continue;
			}
			/* wrapped by OpenSSL, in */
			n = helper_wrap_seal(kek, w, p8.p, p8.n);
			assert_int_equal(
			    unwrap((struct hsa_slice){w, n}, &kek->unwraps,
				&kek->m,
				like(CKO_PRIVATE_KEY, privates[p].type)),
			    CKR_OK);
			pub = helper_public(&W.out2, NULL);
			assert_int_equal(EVP_PKEY_eq(pub, k), 1);
			assert_memory_equal(W.out2.p, spki.p, spki.n);
			assert_true(helper_proves(&H, &W.out, k));
			assert_int_equal(helper_blob_bools(&W.out) & 0x2f, 5);
			/* out, read by OpenSSL */
			hsa_buf_reset(&blob);
			hsa_buf_put(&blob, W.out.p, W.out.len);
			assert_int_equal(
			    wrap(&blob, &kek->wraps, &kek->m), CKR_OK);
			n = helper_wrap_open(kek, plain, C.out.p, C.out.len);
			info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)n);
			assert_non_null(info);
			/* to the last byte: nothing is filled up */
			assert_ptr_equal(at, plain + n);
			same = EVP_PKCS82PKEY(info);
			assert_non_null(same);
			assert_int_equal(EVP_PKEY_eq(same, k), 1);
			PKCS8_PRIV_KEY_INFO_free(info);
			EVP_PKEY_free(same);
			EVP_PKEY_free(pub);
			/* as another type than it is */
			assert_int_equal(
			    unwrap(helper_slice(&C.out), &kek->unwraps, &kek->m,
				like(CKO_PRIVATE_KEY,
				    privates[p].type == CKK_RSA ? CKK_EC
								: CKK_RSA)),
			    CKR_WRAPPED_KEY_INVALID);
			cells++;
		}
		hsa_buf_free(&blob);
		EVP_PKEY_free(k);
		helper_der_free(&spki);
		helper_der_free(&p8);
	}
	printf("COUNT private keys wrapped and unwrapped: %zu, not wrappable: "
	       "%zu\n",
	    cells, refused);
}

static void
test_bk_ep11_wrap__private_keys_with_damage(void **state)
{
	const struct helper_kek *kek = helper_wrap_kek(CKM_AES_CBC_PAD);
	static const int rows[] = {0, 6, 24};
	size_t flips = 0, other = 0;

	(void)state;
	for (size_t r = 0; r < 3; r++) {
		struct helper_der spki = {0}, p8 = {0};

		EVP_PKEY_free(helper_pkey_make((size_t)rows[r], &spki, &p8));
		for (size_t at = 0; at < p8.n; at++) {
			uint8_t w[4096];
			size_t n;
			CK_RV rv;

			p8.p[at] ^= 1;
			n = helper_wrap_seal(kek, w, p8.p, p8.n);
			rv = unwrap((struct hsa_slice){w, n}, &kek->unwraps,
			    &kek->m,
			    like(CKO_PRIVATE_KEY,
				rows[r] == 0 ? CKK_RSA : CKK_EC));
			assert_true(rv == CKR_OK ||
				    rv == CKR_WRAPPED_KEY_INVALID ||
				    rv == CKR_CURVE_NOT_SUPPORTED ||
				    rv == CKR_KEY_SIZE_RANGE);
			other += rv == CKR_OK;
			p8.p[at] ^= 1;
			flips++;
		}
		helper_der_free(&spki);
		helper_der_free(&p8);
	}
	/* a key of Edwards has no form: any 32 bytes are one */
	printf("COUNT bytes of PKCS #8 changed: %zu, other keys: %zu\n", flips,
	    other);
}

/* ---- public keys --------------------------------------------------------- */

static CK_RV
transport(struct hsa_slice spki, const struct helper_tmpl *t)
{
	W.mech = helper_mech(CKM_IBM_TRANSPORTKEY);
	W.data = spki;
	W.key2 = (struct hsa_slice){NULL, 0};
	W.attr = t->a;
	W.attr_len = t->n;
	return helper_ep11_call(&H, &W, HSA_FN_UNWRAP_KEY);
}

static void
test_bk_ep11_wrap__public_keys_of_every_kind_come_in(void **state)
{
	size_t flips = 0;

	(void)state;
	for (size_t i = 0; i < HELPER_PKEYS; i++) {
		struct helper_der spki = {0};
		struct ep11_key *k = NULL;
		EVP_PKEY *key = helper_pkey_make(i, &spki, NULL), *pub = NULL;
		uint32_t bools = 0;

		memset(&T, 0, sizeof(T));
		assert_int_equal(
		    transport((struct hsa_slice){spki.p, spki.n}, &T), CKR_OK);
		pub = helper_public(&W.out, &bools);
		assert_int_equal(EVP_PKEY_eq(pub, key), 1);
		assert_int_equal(bools & 0x25, 0x05);
		assert_int_equal(W.out2.len, 0);
		assert_int_equal(
		    ep11_key_get(H.e, &k, NULL, helper_slice(&W.out), 0),
		    CKR_OK);
		assert_int_equal(k->type, helper_pkeys[i].type);
		ep11_key_put(H.e, k);
		for (size_t at = 0; at < spki.n && i > 3; at += 3) {
			CK_RV rv;

			spki.p[at] ^= 2;
			rv = transport((struct hsa_slice){spki.p, spki.n}, &T);
			if (helper_pkeys[i].prime)
				assert_int_not_equal(rv, CKR_OK);
			assert_true(rv == CKR_OK ||
				    rv == CKR_PUBLIC_KEY_INVALID ||
				    rv == CKR_CURVE_NOT_SUPPORTED);
			spki.p[at] ^= 2;
			flips++;
		}
		EVP_PKEY_free(pub);
		EVP_PKEY_free(key);
		helper_der_free(&spki);
	}
	printf("COUNT bytes of SPKIs changed: %zu\n", flips);
	memset(&T, 0, sizeof(T));
	tmpl_bool(&T, CKA_SIGN, true);
	{
		struct helper_der spki = {0};

		EVP_PKEY_free(helper_pkey_make(6, &spki, NULL));
		assert_int_equal(
		    transport((struct hsa_slice){spki.p, spki.n}, &T),
		    CKR_TEMPLATE_INCONSISTENT);
		helper_cp(&H, (const int[]){34}, 1);
		memset(&T, 0, sizeof(T));
		assert_int_equal(
		    transport((struct hsa_slice){spki.p, spki.n}, &T),
		    CKR_CURVE_NOT_SUPPORTED);
		helper_cp(&H, NULL, 0);
		W.key2 = (struct hsa_slice){spki.p, spki.n};
		assert_int_equal(helper_ep11_call(&H, &W, HSA_FN_UNWRAP_KEY),
		    CKR_ARGUMENTS_BAD);
		helper_der_free(&spki);
	}
}

/* ---- published keys, as hosts bring them --------------------------------- */

static size_t
unhex(uint8_t *to, const char *hex)
{
	size_t n = strlen(hex) / 2;

	assert_int_equal(hsa_unhex(to, n, hex, 2 * n).v, 0);
	return n;
}

/* ep11-host-api 12.1: EncryptSingle, then UnwrapKey by the same key. */
static CK_RV
host_import(const char *pkcs8, CK_KEY_TYPE type)
{
	static const uint8_t iv[] = "1234567890123456";
	struct hsa_call enc = {
	    .mech = helper_mech_bytes(CKM_AES_CBC_PAD, iv, 16)};
	struct hsa_call gen = {0};
	uint8_t der[512];
	CK_RV rv;

	memset(&T, 0, sizeof(T));
	tmpl_num(&T, CKA_VALUE_LEN, 32);
	assert_int_equal(
	    helper_generate(&H, &gen, CKM_AES_KEY_GEN, &T), CKR_OK);
	enc.key = helper_slice(&gen.out);
	enc.data = (struct hsa_slice){der, unhex(der, pkcs8)};
	assert_int_equal(
	    helper_ep11_call(&H, &enc, HSA_FN_ENCRYPT_SINGLE), CKR_OK);
	/* the MAC key: a length without a pointer (ep11-host-api 4) */
	W.key3 = (struct hsa_slice){NULL, 0};
	rv = unwrap(helper_slice(&enc.out), &gen.out, &enc.mech,
	    like(CKO_PRIVATE_KEY, type));
	hsa_call_free(&gen);
	hsa_call_free(&enc);
	return rv;
}

static void
derived(const char *peer, const char *z)
{
	uint8_t p[128], want[64], got[64];
	struct hsa_call d = {.mech = {.type = CKM_ECDH1_DERIVE,
				 .kind = HSA_MECH_ECDH1,
				 .kdf = CKD_NULL,
				 .a = {p, unhex(p, peer)}},
	    .key = helper_slice(&W.out)};
	size_t n = unhex(want, z);

	like(CKO_SECRET_KEY, CKK_GENERIC_SECRET);
	d.attr = T.a;
	d.attr_len = T.n;
	assert_int_equal(helper_ep11_call(&H, &d, HSA_FN_DERIVE_KEY), CKR_OK);
	assert_int_equal(helper_value(&H, &d.out, got, sizeof(got)), n);
	assert_memory_equal(got, want, n);
	hsa_call_free(&d);
}

static void
ends_with(const char *public_hex)
{
	uint8_t want[256];
	size_t n = unhex(want, public_hex);

	/* the point closes the SPKI; 120 bytes of OCTET STRINGs follow */
	assert_memory_equal(W.out2.p + W.out2.len - 120 - n, want, n);
}

static void
test_bk_ep11_wrap__published_keys_are_what_they_were(void **state)
{
	(void)state;
	/* RFC 5903 8.1, P-256 */
	assert_int_equal(
	    host_import("3041020100301306072a8648ce3d020106082a8648ce3d030107"
			"042730250201010420c88f01f510d9ac3f70a292daa2316de544e9"
			"aab8afe84049c62a9c57862d1433",
		CKK_EC),
	    CKR_OK);
	ends_with("04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c377"
		  "25811805271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e"
		  "0577b8990bb3");
	derived("04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc755449"
		"4bf6356fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33"
		"039872ab",
	    "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
	/* RFC 7748 6.1 */
	assert_int_equal(
	    host_import("302e020100300506032b656e0422042077076d0a7318a57d3c16c1"
			"7251b26645df4c2f87ebc0992ab177fba51db92c2a",
		CKK_EC),
	    CKR_OK);
	ends_with("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b"
		  "4e6a");
	derived("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b"
		"4f",
	    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	/* RFC 8032 7.1, test 1: the signature of nothing */
	assert_int_equal(
	    host_import("302e020100300506032b6570042204209d61b19deffd5a60ba844a"
			"f492ec2cc44449c5697b326919703bac031cae7f60",
		CKK_EC),
	    CKR_OK);
	ends_with("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707"
		  "511a");
	{
		struct hsa_call s = {.mech = helper_mech(CKM_EDDSA),
		    .key = helper_slice(&W.out)};
		uint8_t want[64];

		(void)unhex(want,
		    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522"
		    "4901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246551"
		    "41438e7a100b");
		assert_int_equal(
		    helper_ep11_call(&H, &s, HSA_FN_SIGN_SINGLE), CKR_OK);
		assert_int_equal(s.out.len, 64);
		assert_memory_equal(s.out.p, want, 64);
		hsa_call_free(&s);
	}
}

/* ---- rules --------------------------------------------------------------- */

static void
test_bk_ep11_wrap__rules_of_keys_and_wrapping_keys(void **state)
{
	const struct helper_kek *k = helper_wrap_kek(CKM_AES_CBC_PAD);
	const uint32_t out = EP11_EXTRACTABLE;
	struct hsa_buf key = {0}, kek = {0};
	uint8_t v[32];

	(void)state;
	value_of(v, 32);
#define KEY(bools) helper_ep11_secret(&H, &key, CKK_AES, v, 32, bools)
#define KEK(bools) helper_ep11_secret(&H, &kek, CKK_AES, v, 32, bools)
	KEK(EP11_WRAP);
	KEY(out);
	assert_int_equal(wrap(&key, &kek, &k->m), CKR_OK);
	KEY(EP11_ENCRYPT);
	assert_int_equal(wrap(&key, &kek, &k->m), CKR_KEY_UNEXTRACTABLE);
	KEY(out | EP11_WRAP_WITH_TRUSTED);
	assert_int_equal(wrap(&key, &kek, &k->m), CKR_KEY_NOT_WRAPPABLE);
	KEK(EP11_WRAP | EP11_TRUSTED);
	assert_int_equal(wrap(&key, &kek, &k->m), CKR_OK);
	KEK(EP11_UNWRAP | EP11_ENCRYPT);
	assert_int_equal(
	    wrap(&key, &kek, &k->m), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(unwrap((struct hsa_slice){v, 32}, &kek, &k->m,
			     like(CKO_SECRET_KEY, CKK_AES)),
	    CKR_WRAPPED_KEY_INVALID);
	KEK(EP11_WRAP | EP11_ENCRYPT | EP11_DECRYPT);
	assert_int_equal(unwrap((struct hsa_slice){v, 32}, &kek, &k->m, &T),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	/* attribute-bound and not do not mix, either way */
	KEY(out | EP11_ATTRBOUND);
	assert_int_equal(wrap(&key, &kek, &k->m), CKR_KEY_NOT_WRAPPABLE);
	KEY(out);
	KEK(EP11_WRAP | EP11_ATTRBOUND);
	assert_int_equal(
	    wrap(&key, &kek, &k->m), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	KEK(EP11_UNWRAP | EP11_ATTRBOUND);
	assert_int_equal(unwrap((struct hsa_slice){v, 32}, &kek, &k->m, &T),
	    CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
	/* of the wrong type */
	helper_ep11_secret(&H, &kek, CKK_DES3, v, 24, EP11_WRAP | EP11_UNWRAP);
	assert_int_equal(
	    wrap(&key, &kek, &k->m), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	assert_int_equal(
	    wrap(&key, &helper_wrap_kek(CKM_RSA_PKCS)->wraps, &k->m),
	    CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	/* a public key is not wrapped */
	KEK(EP11_WRAP);
	assert_int_equal(
	    wrap(&helper_wrap_kek(CKM_RSA_PKCS)->wraps, &kek, &k->m),
	    CKR_KEY_NOT_WRAPPABLE);
	/* 44: not stronger than what wraps it */
	helper_ep11_secret(&H, &kek, CKK_AES, v, 16, EP11_WRAP);
	assert_int_equal(wrap(&key, &kek, &k->m), CKR_OK);
	helper_cp(&H, (const int[]){44}, 1);
	assert_int_equal(wrap(&key, &kek, &k->m), CKR_WRAPPING_KEY_SIZE_RANGE);
	KEK(EP11_WRAP);
	assert_int_equal(wrap(&key, &kek, &k->m), CKR_OK);
#undef KEY
#undef KEK
	hsa_buf_free(&key);
	hsa_buf_free(&kek);
}

static void
test_bk_ep11_wrap__control_points_stop_every_mechanism(void **state)
{
	struct hsa_buf key = {0}, small = {0};
	uint8_t v[32];

	(void)state;
	value_of(v, 32);
	helper_ep11_secret(&H, &key, CKK_AES, v, 32, EP11_EXTRACTABLE);
	for (size_t i = 0; i < HELPER_KEKS; i++) {
		const struct helper_kek *kek = &helper_keks[i];
		bool sym = kek->len != 0;
		int wraps = sym ? 9 : 8, unwraps = sym ? 11 : 10;
		uint8_t w[512];
		size_t n = helper_wrap_seal(kek, w, v, 32);
		struct hsa_slice in = {w, n};

		like(CKO_SECRET_KEY, CKK_AES);
		helper_cp(&H, &wraps, 1);
		assert_int_equal(
		    wrap(&key, &kek->wraps, &kek->m), CKR_FUNCTION_CANCELED);
		assert_int_equal(
		    unwrap(in, &kek->unwraps, &kek->m, &T), CKR_OK);
		helper_cp(&H, &unwraps, 1);
		assert_int_equal(wrap(&key, &kek->wraps, &kek->m), CKR_OK);
		assert_int_equal(unwrap(in, &kek->unwraps, &kek->m, &T),
		    CKR_FUNCTION_CANCELED);
		helper_cp(&H, (const int[]){16}, 1);
		assert_int_equal(
		    wrap(&key, &kek->wraps, &kek->m), CKR_FUNCTION_CANCELED);
		assert_int_equal(unwrap(in, &kek->unwraps, &kek->m, &T),
		    CKR_FUNCTION_CANCELED);
		/* 23 to 28: no wrapping key is strong or weak enough */
		helper_ep11_secret(
		    &H, &small, CKK_AES, v, 16, EP11_EXTRACTABLE);
		helper_cp(&H, (const int[]){28, 27, 26, 25, 24, 23}, 6);
		assert_int_equal(
		    wrap(&small, &kek->wraps, &kek->m), CKR_IBM_STATIC_POLICY);
		assert_int_equal(unwrap(in, &kek->unwraps, &kek->m, &T),
		    CKR_IBM_STATIC_POLICY);
		/* 28: no key of 256 bits comes in */
		helper_cp(&H, (const int[]){28}, 1);
		assert_int_equal(unwrap(in, &kek->unwraps, &kek->m, &T),
		    CKR_IBM_STATIC_POLICY);
		helper_cp(&H, NULL, 0);
	}
	hsa_buf_free(&small);
	hsa_buf_free(&key);
}

static void
test_bk_ep11_wrap__a_bare_public_key_wraps_while_45_lets_it(void **state)
{
	const struct helper_kek *kek = helper_wrap_kek(CKM_RSA_PKCS_OAEP);
	struct hsa_buf key = {0}, bare = kek->wraps;
	size_t before = helper_ep11_objects(&H);
	uint8_t v[32], plain[512];

	(void)state;
	value_of(v, 32);
	bare.len -= 120;
	helper_ep11_secret(&H, &key, CKK_AES, v, 32, EP11_EXTRACTABLE);
	assert_int_equal(wrap(&key, &bare, &kek->m), CKR_OK);
	assert_int_equal(helper_wrap_open(kek, plain, C.out.p, C.out.len), 32);
	assert_memory_equal(plain, v, 32);
	helper_cp(&H, (const int[]){45}, 1);
	assert_int_equal(wrap(&key, &bare, &kek->m), CKR_FUNCTION_CANCELED);
	assert_int_equal(wrap(&key, &kek->wraps, &kek->m), CKR_OK);
	helper_cp(&H, NULL, 0);
	helper_ep11_secret(&H, &key, CKK_AES, v, 32,
	    EP11_EXTRACTABLE | EP11_WRAP_WITH_TRUSTED);
	assert_int_equal(wrap(&key, &bare, &kek->m), CKR_KEY_NOT_WRAPPABLE);
	helper_ep11_wk(&H, 0, -1);
	assert_in_range(helper_ep11_objects(&H), 0, before);
	hsa_buf_free(&key);
}

static void
test_bk_ep11_wrap__templates_of_keys_that_come_in(void **state)
{
	const struct helper_kek *kek = helper_wrap_kek(CKM_AES_KEY_WRAP_PAD);
	uint8_t v[32], w[64];
	struct hsa_slice in = {w, 0};

	(void)state;
	value_of(v, 32);
	in.n = helper_wrap_seal(kek, w, v, 32);
	memset(&T, 0, sizeof(T));
	assert_int_equal(
	    unwrap(in, &kek->unwraps, &kek->m, &T), CKR_TEMPLATE_INCOMPLETE);
	tmpl_num(&T, CKA_CLASS, CKO_SECRET_KEY);
	assert_int_equal(
	    unwrap(in, &kek->unwraps, &kek->m, &T), CKR_TEMPLATE_INCOMPLETE);
	like(CKO_PUBLIC_KEY, CKK_RSA);
	assert_int_equal(
	    unwrap(in, &kek->unwraps, &kek->m, &T), CKR_TEMPLATE_INCONSISTENT);
	like(CKO_PRIVATE_KEY, CKK_RSA);
	assert_int_equal(
	    unwrap(in, &kek->unwraps, &kek->m, &T), CKR_WRAPPED_KEY_INVALID);
	like(CKO_SECRET_KEY, CKK_AES);
	tmpl_bool(&T, CKA_IBM_ATTRBOUND, true);
	assert_int_equal(
	    unwrap(in, &kek->unwraps, &kek->m, &T), CKR_TEMPLATE_INCONSISTENT);
	like(CKO_SECRET_KEY, CKK_AES);
	tmpl_bool(&T, CKA_EXTRACTABLE, false);
	tmpl_bool(&T, CKA_WRAP, false);
	assert_int_equal(unwrap(in, &kek->unwraps, &kek->m, &T), CKR_OK);
	/* it was out: never extractable it is not */
	assert_int_equal(helper_blob_bools(&W.out) & 0x4023, 0);
	/* 39 to 41 at work on what comes in */
	helper_cp(&H, (const int[]){39}, 1);
	like(CKO_SECRET_KEY, CKK_AES);
	tmpl_bool(&T, CKA_WRAP, true);
	tmpl_bool(&T, CKA_ENCRYPT, true);
	assert_int_equal(
	    unwrap(in, &kek->unwraps, &kek->m, &T), CKR_FUNCTION_CANCELED);
}

/* Whatever call of the token fails: a code, no output, no object left. */
static void
test_bk_ep11_wrap__a_failing_token_leaves_nothing(void **state)
{
	struct helper_der p8 = {0};
	struct hsa_buf keys[2] = {{0}, {0}};
	unsigned failed = 0;
	uint8_t v[32];

	(void)state;
	value_of(v, 32);
	helper_ep11_secret(&H, &keys[0], CKK_AES, v, 32, EP11_EXTRACTABLE);
	helper_wrap_any(&H, &keys[1]);
	EVP_PKEY_free(helper_pkey_make(6, NULL, &p8));
	for (size_t i = 0; i < HELPER_KEKS; i++)
		for (int kind = 0; kind < 4; kind++) {
			const struct helper_kek *kek = &helper_keks[i];
			bool priv = kind >= 2;
			uint8_t w[1024];
			size_t n = 0;

			if (priv && !kek->privates)
				continue;
			n = helper_wrap_seal(
			    kek, w, priv ? p8.p : v, priv ? p8.n : 32);
			for (unsigned at = 1; at < 80; at++) {
				struct helper_ep11_fault f = {.inner = H.token,
				    .fail_at = at,
				    .rv = CKR_DEVICE_ERROR};
				struct ep11_token was = H.e->token;
				size_t before;
				CK_RV rv;

				helper_ep11_wk(&H, 0, -1);
				before = helper_ep11_objects(&H);
				H.e->token = helper_ep11_faulty(&f);
				rv = kind % 2 == 0
					 ? wrap(&keys[priv], &kek->wraps,
					       &kek->m)
					 : unwrap((struct hsa_slice){w, n},
					       &kek->unwraps, &kek->m,
					       like(priv ? CKO_PRIVATE_KEY
							 : CKO_SECRET_KEY,
						   priv ? CKK_EC : CKK_AES));
				H.e->token = was;
				if (f.failed == NULL) {
					assert_int_equal(rv, CKR_OK);
					break;
				}
				failed++;
				if (strcmp(f.failed, "destroy") == 0)
					continue;
				assert_int_equal(rv, CKR_FUNCTION_FAILED);
				assert_int_equal(
				    kind % 2 == 0 ? C.out.len : W.out.len, 0);
				helper_ep11_wk(&H, 0, -1);
				assert_int_equal(
				    helper_ep11_objects(&H), before);
			}
		}
	printf("COUNT calls of the token that failed: %u\n", failed);
	helper_der_free(&p8);
	hsa_buf_free(&keys[0]);
	hsa_buf_free(&keys[1]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_bk_ep11_wrap__secret_keys_by_every_mechanism),
	    CASE(test_bk_ep11_wrap__secret_keys_wrapped_outside_come_in),
	    CASE(test_bk_ep11_wrap__keys_of_no_length_are_refused),
	    CASE(test_bk_ep11_wrap__every_changed_byte_is_refused),
	    CASE(test_bk_ep11_wrap__private_keys_there_and_back),
	    CASE(test_bk_ep11_wrap__private_keys_with_damage),
	    CASE(test_bk_ep11_wrap__public_keys_of_every_kind_come_in),
	    CASE(test_bk_ep11_wrap__published_keys_are_what_they_were),
	    CASE(test_bk_ep11_wrap__rules_of_keys_and_wrapping_keys),
	    CASE(test_bk_ep11_wrap__control_points_stop_every_mechanism),
	    CASE(test_bk_ep11_wrap__a_bare_public_key_wraps_while_45_lets_it),
	    CASE(test_bk_ep11_wrap__templates_of_keys_that_come_in),
	    CASE(test_bk_ep11_wrap__a_failing_token_leaves_nothing),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
