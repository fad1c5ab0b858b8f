/* DeriveKey on a real token; the other side is OpenSSL's. */
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_spki.h"
#include "helper_tmpl.h"

static struct helper_ep11 H;
static struct hsa_call C, Base;
static struct helper_tmpl T;

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
	helper_cp(&H, NULL, 0);
	return 0;
}

static int
done(void **state)
{
	(void)state;
	hsa_call_free(&C);
	hsa_call_free(&Base);
	return 0;
}

static struct helper_tmpl *
t(void)
{
	memset(&T, 0, sizeof(T));
	return &T;
}

static struct helper_tmpl *
secret(CK_KEY_TYPE type, uint64_t len)
{
	tmpl_num(t(), CKA_CLASS, CKO_SECRET_KEY);
	tmpl_num(&T, CKA_KEY_TYPE, type);
	if (len != 0)
		tmpl_num(&T, CKA_VALUE_LEN, len);
	return &T;
}

static const struct ep11_curve *
curve(uint8_t number)
{
	const struct ep11_curve *c = NULL;
	size_t n = 0;

	c = ep11_curve_rows(&n);
	for (size_t i = 0; i < n; i++)
		if (c[i].number == number)
			return &c[i];
	fail_msg("no curve %u", number);
	return NULL;
}

/* A base key in Base.out; its public half. */
static EVP_PKEY *
base_on(const struct ep11_curve *c)
{
	tmpl_bytes(t(), CKA_EC_PARAMS, c->oid, c->oid_len);
	assert_int_equal(
	    helper_generate_pair(&H, &Base, CKM_EC_KEY_PAIR_GEN, &T, NULL),
	    CKR_OK);
	return helper_public(&Base.out2, NULL);
}

/* OpenSSL's key against pub: its public value and the shared secret. */
static void
other_side(EVP_PKEY *pub, struct hsa_buf *point, struct hsa_buf *z)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_pkey(NULL, pub, NULL);
	bool is_dh = EVP_PKEY_is_a(pub, "DH");
	uint8_t raw[1024];
	EVP_PKEY *own = NULL;
	BIGNUM *y = NULL;
	size_t n = 0;

	assert_int_equal(EVP_PKEY_keygen_init(x), 1);
	assert_int_equal(EVP_PKEY_generate(x, &own), 1);
	EVP_PKEY_CTX_free(x);
	x = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	assert_int_equal(EVP_PKEY_derive_init(x), 1);
	if (is_dh)
		assert_int_equal(EVP_PKEY_CTX_set_dh_pad(x, 1), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(x, pub), 1);
	n = sizeof(raw);
	assert_int_equal(EVP_PKEY_derive(x, raw, &n), 1);
	hsa_buf_reset(z);
	hsa_buf_put(z, raw, n);
	hsa_buf_reset(point);
	if (is_dh) {
		assert_int_equal(EVP_PKEY_get_bn_param(own, "pub", &y), 1);
		n = (size_t)BN_bn2bin(y, raw);
		BN_free(y);
	} else {
		assert_int_equal(EVP_PKEY_get_octet_string_param(own,
				     "encoded-pub-key", raw, sizeof(raw), &n),
		    1);
	}
	hsa_buf_put(point, raw, n);
	EVP_PKEY_CTX_free(x);
	EVP_PKEY_free(own);
}

static struct hsa_mech
ecdh(uint64_t kdf, const struct hsa_buf *point, const char *shared)
{
	return (struct hsa_mech){.type = CKM_ECDH1_DERIVE,
	    .kind = HSA_MECH_ECDH1,
	    .kdf = kdf,
	    .a = {point->p, point->len},
	    .b = {
		(const uint8_t *)shared, shared == NULL ? 0 : strlen(shared)}};
}

static CK_RV
derive(const struct hsa_mech *m, const struct helper_tmpl *tm)
{
	C.mech = *m;
	C.attr = tm->a;
	C.attr_len = tm->n;
	C.key = helper_slice(&Base.out);
	return helper_ep11_call(&H, &C, HSA_FN_DERIVE_KEY);
}

static void
is(const uint8_t *want, size_t n)
{
	uint8_t v[512];

	assert_int_equal(helper_value(&H, &C.out, v, sizeof(v)), n);
	assert_memory_equal(v, want, n);
	assert_int_equal(C.out2.len, 7);
	assert_int_equal(C.out2.p[5] << 8 | C.out2.p[6], n * 8);
}

static void
test_bk_ep11_derive__ecdh_on_every_curve(void **state)
{
	const struct ep11_curve *c = NULL;
	struct hsa_buf point = {0}, z = {0}, der = {0};
	size_t n = 0, cells = 0;

	(void)state;
	c = ep11_curve_rows(&n);
	for (size_t i = 0; i < n; i++) {
		static const struct {
			CK_KEY_TYPE type;
			size_t len;
		} keys[] = {{CKK_GENERIC_SECRET, 0}, {CKK_GENERIC_SECRET, 8},
		    {CKK_GENERIC_SECRET, 13}, {CKK_AES, 16}, {CKK_AES, 24},
		    {CKK_AES, 32}};
		EVP_PKEY *pub = NULL;
		struct hsa_mech m;

		if (c[i].kind == EP11_CURVE_EDWARDS)
			continue;
		pub = base_on(&c[i]);
		other_side(pub, &point, &z);
		hsa_buf_reset(&der);
		ep11_octets(&der, point.p, point.len);
		for (size_t k = 0; k < 6; k++)
			for (int form = 0; form < 3; form++) {
				size_t len =
				    keys[k].len != 0 ? keys[k].len : z.len;

				m = ecdh(
				    CKD_NULL, form == 1 ? &der : &point, NULL);
				if (form == 2) /* API 2: the bare point */
					m.kind = HSA_MECH_BYTES;
				secret(keys[k].type, keys[k].len);
				if (len > z.len) {
					assert_int_equal(
					    derive(&m, &T), CKR_KEY_SIZE_RANGE);
					continue;
				}
				assert_int_equal(derive(&m, &T), CKR_OK);
				is(z.p + z.len - len, len);
				cells++;
			}
		/* triple DES: parity is set, so compare what it encrypts */
		m = ecdh(CKD_NULL, &point, NULL);
		if (z.len >= 24) {
			assert_int_equal(
			    derive(&m, secret(CKK_DES3, 0)), CKR_OK);
			assert_int_equal(C.out2.p[6], 192);
			cells++;
		}
		assert_int_equal(
		    derive(&m, secret(CKK_GENERIC_SECRET, z.len + 1)),
		    CKR_KEY_SIZE_RANGE);
		assert_int_equal(
		    derive(&m, secret(CKK_AES, 0)), CKR_TEMPLATE_INCOMPLETE);
		EVP_PKEY_free(pub);
	}
	printf("COUNT keys agreed with OpenSSL: %zu\n", cells);
	hsa_buf_free(&point);
	hsa_buf_free(&z);
	hsa_buf_free(&der);
}

static void
x963(uint8_t *out, size_t n, const char *hash, const struct hsa_buf *z,
    const char *shared)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "X963KDF", NULL);
	EVP_KDF_CTX *x = EVP_KDF_CTX_new(kdf);
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(
		OSSL_KDF_PARAM_DIGEST, ep11_input(hash), 0),
	    OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_SECRET, z->p, z->len),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
		ep11_input(shared == NULL ? "" : shared),
		shared == NULL ? 0 : strlen(shared)),
	    OSSL_PARAM_construct_end()};

	assert_int_equal(EVP_KDF_derive(x, out, n, params), 1);
	EVP_KDF_CTX_free(x);
	EVP_KDF_free(kdf);
}

static void
test_bk_ep11_derive__every_kdf_with_and_without_shared_data(void **state)
{
	static const struct {
		uint64_t kdf;
		const char *hash;
		size_t len;
	} kdfs[] = {{2, "SHA1", 20}, {5, "SHA224", 28}, {6, "SHA256", 32},
	    {7, "SHA384", 48}, {8, "SHA512", 64}};
	static const uint8_t numbers[] = {1, 3, 5, 19, 20, 23, 25};
	static const size_t lens[] = {0, 1, 16, 32, 65, 256};
	struct hsa_buf point = {0}, z = {0};
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers); i++) {
		EVP_PKEY *pub = base_on(curve(numbers[i]));

		other_side(pub, &point, &z);
		for (size_t k = 0; k < 5; k++)
			for (size_t l = 0; l < 6; l++)
				for (int s = 0; s < 2; s++) {
					const char *shared =
					    s == 0 ? NULL : "shared by both";
					struct hsa_mech m =
					    ecdh(kdfs[k].kdf, &point, shared);
					size_t n = lens[l] != 0 ? lens[l]
								: kdfs[k].len;
					uint8_t want[256];

					x963(want, n, kdfs[k].hash, &z, shared);
					assert_int_equal(
					    derive(
						&m, secret(CKK_GENERIC_SECRET,
							lens[l])),
					    CKR_OK);
					is(want, n);
					cells++;
				}
		EVP_PKEY_free(pub);
	}
	printf("COUNT derivation functions checked: %zu\n", cells);
	hsa_buf_free(&point);
	hsa_buf_free(&z);
}

static void
test_bk_ep11_derive__points_off_the_curve_are_refused(void **state)
{
	static const uint8_t zero[57];
	struct hsa_buf point = {0}, z = {0};
	EVP_PKEY *pub = base_on(curve(3));
	struct hsa_mech m;
	size_t flips = 0;

	(void)state;
	other_side(pub, &point, &z);
	EVP_PKEY_free(pub);
	secret(CKK_AES, 32);
	for (size_t i = 0; i < point.len; i++) {
		CK_RV rv;

		point.p[i] ^= 1;
		m = ecdh(CKD_NULL, &point, NULL);
		rv = derive(&m, &T);
		assert_true(rv == CKR_PUBLIC_KEY_INVALID ||
			    rv == CKR_MECHANISM_PARAM_INVALID);
		assert_int_equal(C.out.len + C.out2.len, 0);
		point.p[i] ^= 1;
		flips++;
	}
	for (size_t n = 0; n < point.len; n++) {
		m = ecdh(CKD_NULL, &point, NULL);
		m.a.n = n;
		assert_int_equal(derive(&m, &T), CKR_MECHANISM_PARAM_INVALID);
	}
	/* another curve's point */
	pub = base_on(curve(2));
	hsa_buf_reset(&z);
	other_side(pub, &point, &z);
	EVP_PKEY_free(pub);
	EVP_PKEY_free(base_on(curve(3)));
	m = ecdh(CKD_NULL, &point, NULL);
	assert_int_equal(
	    derive(&m, secret(CKK_AES, 16)), CKR_MECHANISM_PARAM_INVALID);
	/* RFC 7748: nothing comes of a point of low order */
	EVP_PKEY_free(base_on(curve(20)));
	m.a = (struct hsa_slice){zero, 32};
	assert_int_equal(
	    derive(&m, secret(CKK_AES, 16)), CKR_PUBLIC_KEY_INVALID);
	m.kdf = CKD_SHA256_KDF;
	assert_int_equal(
	    derive(&m, secret(CKK_AES, 16)), CKR_PUBLIC_KEY_INVALID);
	m.kdf = 9;
	assert_int_not_equal(derive(&m, secret(CKK_AES, 16)), CKR_OK);
	printf("COUNT bytes of points changed: %zu\n", flips);
	hsa_buf_free(&point);
	hsa_buf_free(&z);
}

static void
dh_base(EVP_PKEY **pub, uint8_t pg[512])
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	BIGNUM *p = NULL, *g = NULL;
	EVP_PKEY *k = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(x), 1);
	assert_int_equal(EVP_PKEY_CTX_set_group_name(x, "ffdhe2048"), 1);
	assert_int_equal(EVP_PKEY_generate(x, &k), 1);
	EVP_PKEY_CTX_free(x);
	assert_int_equal(EVP_PKEY_get_bn_param(k, "p", &p), 1);
	assert_int_equal(EVP_PKEY_get_bn_param(k, "g", &g), 1);
	assert_int_equal(BN_bn2binpad(p, pg, 256), 256);
	assert_int_equal(BN_bn2binpad(g, pg + 256, 256), 256);
	BN_free(p);
	BN_free(g);
	EVP_PKEY_free(k);
	tmpl_bytes(t(), CKA_IBM_STRUCT_PARAMS, pg, 512);
	assert_int_equal(
	    helper_generate_pair(&H, &Base, CKM_DH_PKCS_KEY_PAIR_GEN, &T, NULL),
	    CKR_OK);
	*pub = helper_public(&Base.out2, NULL);
}

static void
test_bk_ep11_derive__dh_and_its_peers(void **state)
{
	static const size_t lens[] = {0, 1, 16, 100, 256};
	struct hsa_buf y = {0}, z = {0};
	uint8_t pg[512], bad[257] = {0};
	EVP_PKEY *pub = NULL;
	struct hsa_mech m;

	(void)state;
	dh_base(&pub, pg);
	other_side(pub, &y, &z);
	EVP_PKEY_free(pub);
	assert_int_equal(z.len, 256);
	m = helper_mech_bytes(CKM_DH_PKCS_DERIVE, y.p, y.len);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t n = lens[i] != 0 ? lens[i] : 256;

		assert_int_equal(
		    derive(&m, secret(CKK_GENERIC_SECRET, lens[i])), CKR_OK);
		is(z.p + 256 - n, n);
	}
	assert_int_equal(derive(&m, secret(CKK_AES, 32)), CKR_OK);
	is(z.p + 224, 32);
	/* 0, 1, p - 1, p, p + 1; too long; nothing */
	secret(CKK_AES, 32);
	m = helper_mech_bytes(CKM_DH_PKCS_DERIVE, bad, 1);
	assert_int_equal(derive(&m, &T), CKR_MECHANISM_PARAM_INVALID);
	bad[0] = 1;
	assert_int_equal(derive(&m, &T), CKR_PUBLIC_KEY_INVALID);
	memcpy(bad, pg, 256);
	m = helper_mech_bytes(CKM_DH_PKCS_DERIVE, bad, 256);
	assert_int_equal(derive(&m, &T), CKR_PUBLIC_KEY_INVALID);
	bad[255]--;
	assert_int_equal(derive(&m, &T), CKR_PUBLIC_KEY_INVALID);
	memset(bad, 0xff, 257);
	assert_int_equal(derive(&m, &T), CKR_PUBLIC_KEY_INVALID);
	m.a.n = 257;
	assert_int_equal(derive(&m, &T), CKR_MECHANISM_PARAM_INVALID);
	hsa_buf_free(&y);
	hsa_buf_free(&z);
}

static void
test_bk_ep11_derive__hashes_of_keys(void **state)
{
	static const struct {
		CK_MECHANISM_TYPE mech;
		const char *md;
		size_t len;
	} rows[] = {{CKM_SHA1_KEY_DERIVATION, "SHA1", 20},
	    {CKM_SHA224_KEY_DERIVATION, "SHA224", 28},
	    {CKM_SHA256_KEY_DERIVATION, "SHA256", 32},
	    {CKM_SHA384_KEY_DERIVATION, "SHA384", 48},
	    {CKM_SHA512_KEY_DERIVATION, "SHA512", 64}};
	static const uint8_t value[21] = "a value of odd bytes";

	(void)state;
	helper_ep11_secret(&H, &Base.out, CKK_GENERIC_SECRET, value, 21,
	    EP11_DERIVE | EP11_NEVER_EXTRACTABLE);
	for (size_t i = 0; i < 5; i++) {
		struct hsa_mech m = helper_mech(rows[i].mech);
		uint8_t want[64];
		size_t n = 0;

		assert_int_equal(
		    EVP_Q_digest(NULL, rows[i].md, NULL, value, 21, want, &n),
		    1);
		assert_int_equal(n, rows[i].len);
		assert_int_equal(
		    derive(&m, secret(CKK_GENERIC_SECRET, 0)), CKR_OK);
		is(want, n);
		assert_int_equal(derive(&m, secret(CKK_AES, 16)), CKR_OK);
		is(want, 16);
		assert_int_equal(derive(&m, secret(CKK_GENERIC_SECRET, n + 1)),
		    CKR_KEY_SIZE_RANGE);
		/* derived is not generated, nor ever inside */
		assert_int_equal(derive(&m, t()), CKR_OK);
		assert_int_equal(helper_blob_bools(&C.out) & 0x2f, 0x05);
		assert_int_equal(
		    derive(&m, tmpl_bool(t(), CKA_EXTRACTABLE, false)), CKR_OK);
		assert_int_equal(helper_blob_bools(&C.out) & 0x2f, 0x06);
	}
}

static void
test_bk_ep11_derive__rules_of_base_keys(void **state)
{
	static const uint8_t value[32] = "thirty-two bytes of base key .";
	struct hsa_mech sha = helper_mech(CKM_SHA256_KEY_DERIVATION),
			dh = helper_mech_bytes(CKM_DH_PKCS_DERIVE, value, 32);
	struct hsa_buf point = {0}, z = {0};
	struct hsa_mech m;
	EVP_PKEY *pub;

	(void)state;
	secret(CKK_AES, 32);
	helper_ep11_secret(
	    &H, &Base.out, CKK_GENERIC_SECRET, value, 32, EP11_SIGN);
	assert_int_equal(derive(&sha, &T), CKR_KEY_FUNCTION_NOT_PERMITTED);
	helper_ep11_secret(
	    &H, &Base.out, CKK_GENERIC_SECRET, value, 32, EP11_DERIVE);
	assert_int_equal(derive(&sha, &T), CKR_OK);
	assert_int_equal(derive(&dh, &T), CKR_KEY_TYPE_INCONSISTENT);
	C.data = (struct hsa_slice){value, 1};
	assert_int_equal(derive(&sha, &T), CKR_ARGUMENTS_BAD);
	C.data = (struct hsa_slice){NULL, 0};
	tmpl_num(t(), CKA_KEY_TYPE, CKK_RSA);
	assert_int_not_equal(derive(&sha, &T), CKR_OK);
	tmpl_num(secret(CKK_DES3, 0), CKA_VALUE_LEN, 16);
	assert_int_equal(derive(&sha, &T), CKR_KEY_SIZE_RANGE);
	secret(CKK_AES, 32);
	/* 47 derivation, 13 generation of secrets */
	helper_cp(&H, (const int[]){47}, 1);
	assert_int_equal(derive(&sha, &T), CKR_MECHANISM_INVALID);
	helper_cp(&H, (const int[]){13}, 1);
	assert_int_equal(derive(&sha, &T), CKR_FUNCTION_CANCELED);
	helper_cp(&H, (const int[]){28}, 1);
	assert_int_equal(derive(&sha, &T), CKR_IBM_STATIC_POLICY);
	/* of the base key too, where 22 does not let all secrets through */
	secret(CKK_AES, 16);
	assert_int_equal(derive(&sha, &T), CKR_OK);
	helper_cp(&H, (const int[]){28, 22}, 2);
	assert_int_equal(derive(&sha, &T), CKR_IBM_STATIC_POLICY);
	secret(CKK_AES, 32);
	/* 72: from an attribute-bound key to one that is not */
	helper_ep11_secret(&H, &Base.out, CKK_GENERIC_SECRET, value, 32,
	    EP11_DERIVE | EP11_ATTRBOUND);
	helper_cp(&H, (const int[]){72}, 1);
	assert_int_equal(derive(&sha, &T), CKR_FUNCTION_CANCELED);
	tmpl_bool(&T, CKA_IBM_ATTRBOUND, true);
	assert_int_equal(derive(&sha, &T), CKR_OK);
	helper_cp(&H, NULL, 0);
	assert_int_equal(derive(&sha, secret(CKK_AES, 32)), CKR_OK);
	helper_ep11_secret(
	    &H, &Base.out, CKK_GENERIC_SECRET, value, 32, EP11_DERIVE);
	tmpl_bool(&T, CKA_IBM_ATTRBOUND, true);
	assert_int_equal(derive(&sha, &T), CKR_TEMPLATE_INCONSISTENT);
	/* the IBM numbers are for one curve each */
	pub = base_on(curve(25));
	other_side(pub, &point, &z);
	EVP_PKEY_free(pub);
	m = ecdh(CKD_NULL, &point, NULL);
	m.type = CKM_IBM_EC_X25519;
	assert_int_equal(
	    derive(&m, secret(CKK_AES, 32)), CKR_KEY_TYPE_INCONSISTENT);
	m.type = CKM_IBM_EC_X448;
	assert_int_equal(derive(&m, &T), CKR_OK);
	is(z.p + z.len - 32, 32);
	helper_cp(&H, (const int[]){55}, 1);
	assert_int_equal(derive(&m, &T), CKR_MECHANISM_INVALID);
	m.type = CKM_ECDH1_DERIVE;
	assert_int_equal(derive(&m, &T), CKR_CURVE_NOT_SUPPORTED);
	hsa_buf_free(&point);
	hsa_buf_free(&z);
}

static void
test_bk_ep11_derive__a_failing_token_leaves_nothing(void **state)
{
	struct hsa_buf point = {0}, z = {0};
	EVP_PKEY *pub = base_on(curve(3));
	unsigned failed = 0;

	(void)state;
	other_side(pub, &point, &z);
	EVP_PKEY_free(pub);
	secret(CKK_AES, 16);
	for (uint64_t kdf = CKD_NULL; kdf <= CKD_SHA1_KDF; kdf++) {
		struct hsa_mech m = ecdh(kdf, &point, NULL);

		assert_int_equal(derive(&m, &T), CKR_OK);
		for (unsigned at = 1;; at++) {
			struct helper_ep11_fault f = {.inner = H.token,
			    .fail_at = at,
			    .rv = CKR_DEVICE_ERROR};
			size_t before = helper_ep11_objects(&H);
			struct ep11_token was = H.e->token;
			CK_RV rv;

			H.e->token = helper_ep11_faulty(&f);
			rv = derive(&m, &T);
			H.e->token = was;
			if (f.failed == NULL)
				break;
			failed++;
			if (strcmp(f.failed, "destroy") == 0)
				continue;
			assert_int_equal(rv, CKR_FUNCTION_FAILED);
			assert_int_equal(C.out.len + C.out2.len, 0);
			assert_int_equal(helper_ep11_objects(&H), before);
		}
	}
	printf("COUNT calls of the token that failed: %u\n", failed);
	assert_in_range(failed, 8, 100);
	hsa_buf_free(&point);
	hsa_buf_free(&z);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_bk_ep11_derive__ecdh_on_every_curve),
	    CASE(test_bk_ep11_derive__every_kdf_with_and_without_shared_data),
	    CASE(test_bk_ep11_derive__points_off_the_curve_are_refused),
	    CASE(test_bk_ep11_derive__dh_and_its_peers),
	    CASE(test_bk_ep11_derive__hashes_of_keys),
	    CASE(test_bk_ep11_derive__rules_of_base_keys),
	    CASE(test_bk_ep11_derive__a_failing_token_leaves_nothing),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
