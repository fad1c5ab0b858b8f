/* Importer keys and encrypted key parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "hsa_hash.h"
#include "helper_tke.h"
#include "tke_key.h"
#include "tke_part.h"

#define ERR(f, name) assert_string_equal(hsa_err_name(f), name)
#define OK(f) ERR(f, "OK")

static const uint8_t part[TKE_PART_LEN] = "a master key part of 32 bytes.";

static struct hsa_buf
built(EVP_PKEY *importer, struct tke_recipient *r)
{
	struct hsa_buf b = {0};

	OK(tke_recipient_build(&b, part, importer));
	OK(tke_recipient_parse(r, b.p, b.len));
	return b;
}

/* What a unit does, in OpenSSL. false: the wrap's check value is wrong. */
static bool
open_p521(uint8_t out[TKE_PART_LEN], const struct tke_recipient *r,
    EVP_PKEY *importer, int with_null)
{
	EVP_PKEY *ephemeral = NULL;
	EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new_from_pkey(NULL, importer, NULL);
	EVP_CIPHER_CTX *unwrap = EVP_CIPHER_CTX_new();
	struct hsa_buf all = {0};
	uint8_t z[66], kek[32], to[64];
	size_t zn = sizeof(z);
	int n = 0;
	bool ok;

	OK(tke_key_from_point(&ephemeral, r->originator));
	assert_int_equal(EVP_PKEY_derive_init(derive), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(derive, ephemeral), 1);
	assert_int_equal(EVP_PKEY_derive(derive, z, &zn), 1);
	assert_int_equal(zn, sizeof(z));
	hsa_buf_put(&all, z, zn);
	OK(tke_kdf_info(&all, r->ukm.p, r->ukm.n, with_null));
	OK(hsa_sha256(kek, all.p, all.len));
	EVP_CIPHER_CTX_set_flags(unwrap, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	assert_int_equal(
	    EVP_DecryptInit_ex2(unwrap, EVP_aes_256_wrap(), kek, NULL, NULL),
	    1);
	ok = EVP_DecryptUpdate(
		 unwrap, to, &n, r->encrypted.p, (int)r->encrypted.n) == 1 &&
	     n == TKE_PART_LEN;
	if (ok)
		memcpy(out, to, TKE_PART_LEN);
	ERR_clear_error();
	EVP_PKEY_free(ephemeral);
	EVP_PKEY_CTX_free(derive);
	EVP_CIPHER_CTX_free(unwrap);
	hsa_buf_free(&all);
	return ok;
}

static void
test_tke_part__p521_part_reaches_the_importer_only(void **state)
{
	struct tke_recipient r = {0}, again = {0};
	struct hsa_buf b = built(htke_p521(0), &r);
	struct hsa_buf b2 = built(htke_p521(0), &again);
	uint8_t out[TKE_PART_LEN] = {0}, ski[TKE_SKI_LEN];

	(void)state;
	assert_int_equal(b.len, 313);
	assert_int_equal(r.kind, TKE_IMPORTER_P521);
	assert_int_equal(r.ukm.n, 40);
	assert_int_equal(r.encrypted.n, 40);
	OK(tke_ski(ski, htke_p521(0)));
	assert_int_equal(r.ski.n, sizeof(ski));
	assert_memory_equal(r.ski.p, ski, sizeof(ski));
	assert_true(open_p521(out, &r, htke_p521(0), 1));
	assert_memory_equal(out, part, sizeof(part));
	assert_false(open_p521(out, &r, htke_p521(0), 0));
	assert_false(open_p521(out, &r, htke_p521(1), 1));
	/* nothing is used twice, and the part is nowhere in the clear */
	assert_memory_not_equal(r.originator, again.originator, TKE_POINT_LEN);
	assert_memory_not_equal(r.ukm.p, again.ukm.p, 40);
	assert_memory_not_equal(r.encrypted.p, again.encrypted.p, 40);
	assert_null(memmem(b.p, b.len, part, 8));
	hsa_buf_free(&b);
	hsa_buf_free(&b2);
}

static void
test_tke_part__rsa_part_reaches_the_importer(void **state)
{
	struct tke_recipient r = {0};
	struct hsa_buf b = built(htke_rsa(), &r);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, htke_rsa(), NULL);
	uint8_t out[TKE_RSA_LEN], ski[TKE_SKI_LEN];
	size_t n = sizeof(out);

	(void)state;
	assert_int_equal(r.kind, TKE_IMPORTER_RSA2048);
	assert_int_equal(r.encrypted.n, TKE_RSA_LEN);
	assert_int_equal(r.ukm.n, 0);
	OK(tke_ski(ski, htke_rsa()));
	assert_memory_equal(r.ski.p, ski, sizeof(ski));
	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	assert_int_equal(
	    EVP_PKEY_decrypt(ctx, out, &n, r.encrypted.p, r.encrypted.n), 1);
	assert_int_equal(n, TKE_PART_LEN);
	assert_memory_equal(out, part, n);
	EVP_PKEY_CTX_free(ctx);
	hsa_buf_free(&b);
}

static void
test_tke_part__importer_keys_travel_as_bare_spki(void **state)
{
	static const size_t len[] = {158, 294};
	EVP_PKEY *key[] = {htke_p521(0), htke_rsa()};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hsa_buf b = {0};
		EVP_PKEY *back = NULL;

		OK(tke_importer_spki_encode(&b, key[i]));
		assert_int_equal(b.len, len[i]);
		OK(tke_importer_spki_parse(&back, b.p, b.len));
		assert_int_equal(EVP_PKEY_eq(back, key[i]), 1);
		EVP_PKEY_free(back);
		back = NULL;
		hsa_buf_u8(&b, 0);
		ERR(tke_importer_spki_parse(&back, b.p, b.len), "E_TRAILING");
		ERR(tke_importer_spki_parse(&back, b.p, b.len - 2),
		    "E_TRUNCATED");
		assert_null(back);
		hsa_buf_free(&b);
	}
}

static void
test_tke_part__no_part_for_a_key_of_another_kind(void **state)
{
	EVP_PKEY *p256 = EVP_EC_gen("P-256");
	struct hsa_buf b = {0};

	(void)state;
	ERR(tke_recipient_build(&b, part, p256), "E_UNSUPPORTED");
	ERR(tke_importer_spki_encode(&b, p256), "E_UNSUPPORTED");
	assert_int_equal(b.len, 0);
	EVP_PKEY_free(p256);
}

struct original {
	struct hsa_buf *b;
	EVP_PKEY *importer;
	size_t opened; /* damaged copies that give the part still */
	size_t ski;    /* ... because only the unchecked SKI differs */
};

static bool
try_p521(const uint8_t *p, size_t n, void *arg)
{
	struct original *o = arg;
	struct tke_recipient r = {0}, was = {0};
	EVP_PKEY *point = NULL;
	uint8_t out[TKE_PART_LEN];

	if (!hsa_is_ok(tke_recipient_parse(&r, p, n)))
		return false;
	assert_true(r.encrypted.p > p && r.encrypted.p + 40 <= p + n);
	assert_true(r.ukm.p > p && r.ukm.p + r.ukm.n <= p + n);
	OK(tke_recipient_parse(&was, o->b->p, o->b->len));
	if (!hsa_is_ok(tke_key_from_point(&point, r.originator)))
		return true; /* a unit would refuse it at the derivation */
	EVP_PKEY_free(point);
	if (open_p521(out, &r, o->importer, 1)) {
		assert_memory_equal(out, part, sizeof(part));
		o->opened++;
		o->ski += memcmp(r.ski.p, was.ski.p, TKE_SKI_LEN) != 0;
	}
	return true;
}

static void
test_tke_part__damage_never_gives_another_part(void **state)
{
	struct tke_recipient r = {0};
	struct hsa_buf b = built(htke_p521(0), &r);
	struct original o = {&b, htke_p521(0), 0, 0};
	struct htke_damage d = htke_damage(b.p, b.len, try_p521, &o);

	(void)state;
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.extended, 0);
	assert_int_equal(o.opened, o.ski + 1); /* and the undamaged one */
	assert_int_equal(o.ski, 4 * TKE_SKI_LEN);
	assert_int_equal(d.changed, 4 * (132 + 40 + TKE_SKI_LEN + 40));
	hsa_buf_free(&b);
}

static bool
try_rsa(const uint8_t *p, size_t n, void *arg)
{
	struct tke_recipient r = {0};

	(void)arg;
	return hsa_is_ok(tke_recipient_parse(&r, p, n));
}

static void
test_tke_part__damaged_rsa_structure_is_refused(void **state)
{
	struct tke_recipient r = {0};
	struct hsa_buf b = built(htke_rsa(), &r);
	struct htke_damage d = htke_damage(b.p, b.len, try_rsa, NULL);

	(void)state;
	assert_int_equal(d.cut, 0);
	assert_int_equal(d.extended, 0);
	assert_int_equal(d.changed, 4 * (TKE_SKI_LEN + TKE_RSA_LEN));
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
	    cmocka_unit_test(
		test_tke_part__p521_part_reaches_the_importer_only),
	    cmocka_unit_test(test_tke_part__rsa_part_reaches_the_importer),
	    cmocka_unit_test(test_tke_part__importer_keys_travel_as_bare_spki),
	    cmocka_unit_test(test_tke_part__no_part_for_a_key_of_another_kind),
	    cmocka_unit_test(test_tke_part__damage_never_gives_another_part),
	    cmocka_unit_test(test_tke_part__damaged_rsa_structure_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
