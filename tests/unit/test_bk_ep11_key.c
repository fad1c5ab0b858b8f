/* Keys from blobs and back, on a real token. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_login.h"
#include "ep11_spki.h"
#include "helper_ep11.h"

static struct helper_ep11 H;
static const uint8_t VALUE[32] = "known to everybody in this test";
#define USES (EP11_ENCRYPT | EP11_DECRYPT | EP11_EXTRACTABLE | EP11_MODIFIABLE)

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
	uint8_t cp[EP11_CP_LEN];

	(void)state;
	ep11_cp_default(cp);
	ep11_engine_control_points(H.e, cp, 0);
	helper_ep11_wk(&H, 0, -1);
	return 0;
}

static void
cp_off(enum ep11_cp bit)
{
	uint8_t cp[EP11_CP_LEN];

	ep11_cp_default(cp);
	cp[(unsigned)bit / 8] &= (uint8_t) ~(0x80 >> (unsigned)bit % 8);
	ep11_engine_control_points(H.e, cp, 0);
}

/* AES-256-ECB of a block by the key of a blob, or what the blob answers. */
static CK_RV
encrypts(struct hsa_slice blob, const uint8_t want_key[32])
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t in[16] = {5}, out[16] = {0}, want[32];
	struct ep11_key *k = NULL;
	size_t n = sizeof(out);
	int m = 0;
	CK_RV rv = ep11_key_get(H.e, &k, NULL, blob, EP11_ENCRYPT);

	if (rv == CKR_OK) {
		assert_int_equal(H.token.ops->encrypt(
				     H.token.ctx, &ecb, k->h, in, 16, out, &n),
		    CKR_OK);
		assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_256_ecb(), NULL,
				     want_key, NULL),
		    1);
		assert_int_equal(EVP_EncryptUpdate(c, want, &m, in, 16), 1);
		assert_memory_equal(out, want, 16);
	}
	EVP_CIPHER_CTX_free(c);
	ep11_key_put(H.e, k);
	return rv;
}

static void
test_bk_ep11_key__blob_gives_its_key_back(void **state)
{
	struct hsa_buf blob = {0}, again = {0};
	struct ep11_engine_stats s = {0};
	struct ep11_key *k = NULL;
	struct hsa_call c = {0};

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, USES);
	helper_ep11_secret(&H, &again, CKK_AES, VALUE, 32, USES);
	assert_int_equal(blob.len, again.len);
	assert_memory_not_equal(blob.p, again.p, blob.len);
	assert_int_equal(encrypts(helper_slice(&blob), VALUE), CKR_OK);
	ep11_engine_stats(H.e, &s);
	assert_int_equal(s.cached, 1);
	assert_int_equal(encrypts(helper_slice(&blob), VALUE), CKR_OK);
	assert_int_equal(
	    ep11_key_get(H.e, &k, &c, helper_slice(&blob), 0), CKR_OK);
	assert_int_equal(k->bools, USES);
	assert_int_equal(k->bits, 256);
	assert_int_equal(k->type, CKK_AES);
	assert_int_equal(k->cls, CKO_SECRET_KEY);
	assert_false(k->bound);
	assert_true(c.has_key_id);
	assert_false(c.has_session);
	assert_memory_equal(c.key_id, k->id, 32);
	ep11_key_put(H.e, k);
	ep11_engine_stats(H.e, &s);
	assert_int_equal(s.cached, 1);
	hsa_buf_free(&blob);
	hsa_buf_free(&again);
}

/* The key id is over what is public: header and clear part. */
static void
test_bk_ep11_key__id_is_the_hash_of_the_public_part(void **state)
{
	struct hsa_buf blob = {0};
	struct ep11_key *k = NULL;
	uint8_t want[32];

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, USES);
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&blob), 0), CKR_OK);
	assert_int_equal(hsa_sha256(want, blob.p, 80 + 1 + 4 + 2 + 2).v, 0);
	assert_memory_equal(k->id, want, 32);
	ep11_key_put(H.e, k);
	hsa_buf_free(&blob);
}

static void
test_bk_ep11_key__every_flipped_byte_is_refused(void **state)
{
	size_t before, flips = 0;
	struct hsa_buf blob = {0};

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, USES);
	assert_int_equal(encrypts(helper_slice(&blob), VALUE), CKR_OK);
	before = helper_ep11_objects(&H);
	for (size_t i = 0; i < blob.len; i++)
		for (unsigned bit = 0; bit < 8; bit += i < 80 ? 1 : 3) {
			bool id = i >= 32 && i < 48;

			blob.p[i] ^= (uint8_t)(1u << bit);
			assert_int_equal(encrypts(helper_slice(&blob), VALUE),
			    id ? CKR_IBM_WKID_MISMATCH : CKR_IBM_BLOB_ERROR);
			blob.p[i] ^= (uint8_t)(1u << bit);
			flips++;
		}
	for (size_t n = 1; n < blob.len; n++)
		assert_int_equal(encrypts((struct hsa_slice){blob.p, n}, VALUE),
		    CKR_IBM_BLOB_ERROR);
	assert_int_equal(
	    encrypts((struct hsa_slice){0}, VALUE), CKR_KEY_HANDLE_INVALID);
	hsa_buf_u8(&blob, 0);
	assert_int_equal(
	    encrypts(helper_slice(&blob), VALUE), CKR_IBM_BLOB_ERROR);
	assert_int_equal(helper_ep11_objects(&H), before);
	assert_true(flips > 800);
	hsa_buf_free(&blob);
}

static void
test_bk_ep11_key__belongs_to_its_master_key(void **state)
{
	struct hsa_buf blob = {0};
	struct hsa_call c = {0};

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, USES);
	helper_ep11_wk(&H, 1, -1);
	assert_int_equal(
	    encrypts(helper_slice(&blob), VALUE), CKR_IBM_WKID_MISMATCH);
	/* the id alone does not make it this unit's */
	memcpy(blob.p + 32, H.wk[1].pattern, 16);
	assert_int_equal(
	    encrypts(helper_slice(&blob), VALUE), CKR_IBM_BLOB_ERROR);
	memcpy(blob.p + 32, H.wk[0].pattern, 16);
	helper_ep11_wk(&H, -1, -1);
	assert_int_equal(
	    encrypts(helper_slice(&blob), VALUE), CKR_IBM_WK_NOT_INITIALIZED);
	c.key = helper_slice(&blob);
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_REWRAP_KEY_BLOB),
	    CKR_IBM_WK_NOT_INITIALIZED);
	assert_int_equal(c.reason, 49);
	helper_ep11_wk(&H, 0, -1);
	assert_int_equal(encrypts(helper_slice(&blob), VALUE), CKR_OK);
	hsa_call_free(&c);
	hsa_buf_free(&blob);
}

static void
test_bk_ep11_key__rewraps_to_the_committed_master_key(void **state)
{
	static const uint8_t odd[13] = "thirteen byte";
	struct hsa_buf blob = {0}, generic = {0}, next = {0};
	struct hsa_call c = {0};
	struct ep11_key *k = NULL;
	uint8_t *value = NULL;
	CK_ULONG bytes = 0;
	CK_ATTRIBUTE len = {CKA_VALUE_LEN, &bytes, sizeof(bytes)};
	size_t n = 0, before;

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, USES);
	helper_ep11_secret(&H, &generic, CKK_GENERIC_SECRET, odd, 13, 0);
	c.key = helper_slice(&blob);
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_REWRAP_KEY_BLOB),
	    CKR_IBM_WK_NOT_INITIALIZED);
	assert_int_equal(c.reason, 50);
	assert_int_equal(c.out.len, 0);
	helper_ep11_wk(&H, 0, 1);
	before = helper_ep11_objects(&H);
	assert_int_equal(
	    helper_ep11_call(&H, &c, HSA_FN_REWRAP_KEY_BLOB), CKR_OK);
	assert_int_equal(helper_ep11_objects(&H), before);
	assert_int_equal(c.out.len, blob.len);
	assert_memory_equal(c.out.p + 32, H.wk[1].pattern, 16);
	assert_memory_equal(c.out.p + 48, blob.p + 48, 18);
	assert_memory_not_equal(c.out.p + 66, blob.p + 66, 14);
	assert_true(c.has_key_id);
	hsa_buf_put(&next, c.out.p, c.out.len);
	assert_int_equal(
	    encrypts(helper_slice(&next), VALUE), CKR_IBM_WKID_MISMATCH);
	c.key = helper_slice(&next);
	assert_int_equal(helper_ep11_call(&H, &c, HSA_FN_REWRAP_KEY_BLOB),
	    CKR_IBM_WKID_MISMATCH);
	c.key = helper_slice(&generic);
	assert_int_equal(
	    helper_ep11_call(&H, &c, HSA_FN_REWRAP_KEY_BLOB), CKR_OK);
	helper_ep11_wk(&H, 1, -1);
	assert_int_equal(encrypts(helper_slice(&next), VALUE), CKR_OK);
	assert_int_equal(
	    encrypts(helper_slice(&blob), VALUE), CKR_IBM_WKID_MISMATCH);
	/* lengths that are no whole blocks survive */
	before = helper_ep11_objects(&H);
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&c.out), 0), CKR_OK);
	assert_int_equal(H.token.ops->get(H.token.ctx, k->h, &len, 1), CKR_OK);
	assert_int_equal(bytes, 13);
	assert_int_equal(helper_ep11_objects(&H), before + 1);
	assert_int_equal(
	    ep11_key_value(H.e, k, EP11_EXPOSURE_ED_LOAD, &value, &n), CKR_OK);
	assert_int_equal(n, 13);
	assert_memory_equal(value, odd, 13);
	OPENSSL_secure_clear_free(value, n);
	ep11_key_put(H.e, k);
	hsa_call_free(&c);
	hsa_buf_free(&blob);
	hsa_buf_free(&generic);
	hsa_buf_free(&next);
}

static void
test_bk_ep11_key__rewrites_its_booleans(void **state)
{
	struct hsa_buf blob = {0}, other = {0};

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, USES);
	assert_int_equal(ep11_key_rewrite(H.e, &other, helper_slice(&blob),
			     EP11_DECRYPT | EP11_EXTRACTABLE),
	    CKR_OK);
	assert_int_equal(other.len, blob.len);
	assert_memory_equal(other.p, blob.p, 52);
	assert_memory_equal(other.p + 56, blob.p + 56, blob.len - 56 - 32);
	assert_int_equal(encrypts(helper_slice(&other), VALUE),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(encrypts(helper_slice(&blob), VALUE), CKR_OK);
	/* on a hit too */
	assert_int_equal(encrypts(helper_slice(&other), VALUE),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	blob.p[100] ^= 1;
	hsa_buf_reset(&other);
	assert_int_equal(
	    ep11_key_rewrite(H.e, &other, helper_slice(&blob), USES),
	    CKR_IBM_BLOB_ERROR);
	assert_int_equal(other.len, 0);
	hsa_buf_free(&blob);
	hsa_buf_free(&other);
}

static void
test_bk_ep11_key__needs_a_session_where_the_control_point_says(void **state)
{
	struct hsa_buf blob = {0};

	(void)state;
	helper_ep11_secret(&H, &blob, CKK_AES, VALUE, 32, USES);
	assert_int_equal(encrypts(helper_slice(&blob), VALUE), CKR_OK);
	cp_off(EP11_CP_ALLOW_NONSESSION);
	assert_int_equal(
	    encrypts(helper_slice(&blob), VALUE), CKR_FUNCTION_CANCELED);
	hsa_buf_free(&blob);
}

/* ---- asymmetric keys ----------------------------------------------------- */

static void
spki_of(struct hsa_buf *b, EVP_PKEY *key)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	assert_true(n > 0);
	hsa_buf_reset(b);
	hsa_buf_put(b, der, (size_t)n);
	OPENSSL_free(der);
}

static void
test_bk_ep11_key__public_key_verifies_and_its_flips_do_not(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct hsa_buf spki = {0}, maced = {0};
	struct ep11_key *k = NULL;
	size_t before;

	(void)state;
	spki_of(&spki, key);
	assert_int_equal(ep11_key_seal_public(H.e, &maced, helper_slice(&spki),
			     EP11_VERIFY, (struct hsa_slice){0}),
	    CKR_OK);
	assert_int_equal(maced.len, spki.len + EP11_SPKI_TAIL);
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&maced), EP11_VERIFY),
	    CKR_OK);
	assert_int_equal(k->cls, CKO_PUBLIC_KEY);
	assert_int_equal(k->type, CKK_EC);
	assert_non_null(k->curve);
	assert_string_equal(k->curve->name, "P-256");
	assert_int_equal(k->spki.n, spki.len);
	assert_memory_equal(k->spki.p, spki.p, spki.len);
	ep11_key_put(H.e, k);
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&maced), EP11_ENCRYPT),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	before = helper_ep11_objects(&H);
	for (size_t i = 0; i < maced.len; i++) {
		bool id = i >= spki.len + 2 && i < spki.len + 18;

		maced.p[i] ^= 0x10;
		assert_int_equal(
		    ep11_key_get(H.e, &k, NULL, helper_slice(&maced), 0),
		    id ? CKR_IBM_WKID_MISMATCH : CKR_IBM_BLOB_ERROR);
		maced.p[i] ^= 0x10;
	}
	assert_int_equal(helper_ep11_objects(&H), before);
	assert_int_equal(ep11_key_get(H.e, &k, NULL, helper_slice(&spki), 0),
	    CKR_IBM_BLOB_ERROR);
	EVP_PKEY_free(key);
	hsa_buf_free(&spki);
	hsa_buf_free(&maced);
}

struct pair {
	struct hsa_buf spki, blob;
};

/* A key pair made by the token, sealed. */
static void
token_pair(struct pair *p)
{
	static const uint8_t p256[] = {
	    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_MECHANISM gen = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE;
	const CK_ATTRIBUTE pub_t[] = {
	    {CKA_EC_PARAMS, ep11_input(p256), sizeof(p256)}};
	const CK_ATTRIBUTE priv_t[] = {{CKA_SENSITIVE, &yes, 1},
	    {CKA_EXTRACTABLE, &yes, 1}, {CKA_SIGN, &yes, 1}};
	struct ep11_key_new new = {.cls = CKO_PRIVATE_KEY,
	    .type = CKK_EC,
	    .bits = 256,
	    .bools = EP11_SIGN,
	    .params = {p256, sizeof(p256)}};
	struct ep11_pkey k = {0};
	CK_OBJECT_HANDLE pub = 0;

	assert_int_equal(H.token.ops->pair(H.token.ctx, &pub, &new.h, &gen,
			     pub_t, 1, priv_t, 3),
	    CKR_OK);
	assert_int_equal(ep11_public_read(H.e, &k, pub, CKK_EC,
			     ep11_curve_find(p256, sizeof(p256))),
	    CKR_OK);
	assert_int_equal(ep11_pkey_spki(&p->spki, &k), CKR_OK);
	new.spki = helper_slice(&p->spki);
	assert_int_equal(ep11_key_seal(H.e, &p->blob, NULL, &new), CKR_OK);
	assert_int_equal(H.token.ops->destroy(H.token.ctx, pub), CKR_OK);
	assert_int_equal(H.token.ops->destroy(H.token.ctx, new.h), CKR_OK);
	ep11_pkey_free(&k);
}

static void
pair_free(struct pair *p)
{
	hsa_buf_free(&p->spki);
	hsa_buf_free(&p->blob);
}

static EVP_PKEY *
public_of(const struct hsa_buf *spki)
{
	const uint8_t *p = spki->p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)spki->len);

	assert_non_null(key);
	return key;
}

static void
test_bk_ep11_key__private_key_signs_what_openssl_verifies(void **state)
{
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	uint8_t hash[32] = {3}, sig[64], der[80], *at = der;
	struct ep11_key *k = NULL;
	struct pair p = {0};
	EVP_PKEY *key;
	ECDSA_SIG *s = ECDSA_SIG_new();
	EVP_PKEY_CTX *ctx;
	size_t n = sizeof(sig);
	int len;

	(void)state;
	token_pair(&p);
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&p.blob), EP11_SIGN),
	    CKR_OK);
	assert_int_equal(k->cls, CKO_PRIVATE_KEY);
	assert_string_equal(k->curve->name, "P-256");
	assert_int_equal(k->spki.n, p.spki.len);
	assert_int_equal(
	    H.token.ops->sign(H.token.ctx, &ecdsa, k->h, hash, 32, sig, &n),
	    CKR_OK);
	assert_int_equal(n, 64);
	ep11_key_put(H.e, k);
	key = public_of(&p.spki);
	assert_int_equal(ECDSA_SIG_set0(s, BN_bin2bn(sig, 32, NULL),
			     BN_bin2bn(sig + 32, 32, NULL)),
	    1);
	len = i2d_ECDSA_SIG(s, &at);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_verify(ctx, der, (size_t)len, hash, 32), 1);
	EVP_PKEY_CTX_free(ctx);
	ECDSA_SIG_free(s);
	EVP_PKEY_free(key);
	pair_free(&p);
}

static void
test_bk_ep11_key__value_of_a_private_key_is_its_pkcs8(void **state)
{
	size_t before, n = 0;
	struct ep11_key *k = NULL;
	uint8_t *value = NULL;
	const uint8_t *at;
	struct hsa_buf spki = {0};
	struct pair p = {0};
	EVP_PKEY *key;

	(void)state;
	token_pair(&p);
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&p.blob), 0), CKR_OK);
	before = helper_ep11_objects(&H);
	/* a row of the table that is not for values does not do */
	assert_int_equal(
	    ep11_key_value(H.e, k, EP11_EXPOSURE_MULTIPART, &value, &n),
	    CKR_FUNCTION_FAILED);
	assert_int_equal(
	    ep11_key_value(H.e, k, EP11_EXPOSURE_ED_LOAD, &value, &n), CKR_OK);
	assert_int_equal(helper_ep11_objects(&H), before);
	at = value;
	key = d2i_AutoPrivateKey(NULL, &at, (long)n);
	assert_non_null(key);
	assert_ptr_equal(at, value + n);
	spki_of(&spki, key);
	assert_int_equal(spki.len, p.spki.len);
	assert_memory_equal(spki.p, p.spki.p, spki.len);
	OPENSSL_secure_clear_free(value, n);
	ep11_key_put(H.e, k);
	EVP_PKEY_free(key);
	hsa_buf_free(&spki);
	pair_free(&p);
}

static void
edwards(const char *name, const uint8_t oid[5], uint32_t bits, size_t sig_len)
{
	CK_MECHANISM eddsa = {CKM_EDDSA, NULL, 0};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, name);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct ep11_pkey made = {
	    .key = key, .type = CKK_EC, .curve = ep11_curve_find(oid, 5)};
	struct ep11_key_new new = {.cls = CKO_PRIVATE_KEY,
	    .type = CKK_EC,
	    .bits = bits,
	    .bools = EP11_SIGN,
	    .params = {oid, 5}};
	struct hsa_buf spki = {0}, blob = {0};
	uint8_t *pkcs8 = NULL, sig[114];
	struct ep11_key *k = NULL;
	size_t n = 0, before;

	spki_of(&spki, key);
	assert_int_equal(ep11_pkey_pkcs8(&pkcs8, &n, &made), CKR_OK);
	new.value = (struct hsa_slice){pkcs8, n};
	new.spki = helper_slice(&spki);
	before = helper_ep11_objects(&H);
	assert_int_equal(ep11_key_seal(H.e, &blob, NULL, &new), CKR_OK);
	assert_int_equal(helper_ep11_objects(&H), before);
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&blob), EP11_SIGN),
	    CKR_OK);
	assert_int_equal(helper_ep11_objects(&H), before + 1);
	n = sizeof(sig);
	assert_int_equal(
	    H.token.ops->sign(H.token.ctx, &eddsa, k->h, "abc", 3, sig, &n),
	    CKR_OK);
	assert_int_equal(n, sig_len);
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, NULL, NULL, key), 1);
	assert_int_equal(
	    EVP_DigestVerify(md, sig, n, (const uint8_t *)"abc", 3), 1);
	ep11_key_put(H.e, k);
	OPENSSL_secure_clear_free(pkcs8, new.value.n);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	hsa_buf_free(&spki);
	hsa_buf_free(&blob);
}

static void
test_bk_ep11_key__edwards_keys_live_in_blobs_too(void **state)
{
	static const uint8_t ed25519[] = {6, 3, 0x2b, 0x65, 0x70};
	static const uint8_t ed448[] = {6, 3, 0x2b, 0x65, 0x71};

	(void)state;
	edwards("ED25519", ed25519, 255, 64);
	edwards("ED448", ed448, 448, 114);
}

#define CASE(name) cmocka_unit_test_setup(test_bk_ep11_key__##name, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(blob_gives_its_key_back),
	    CASE(id_is_the_hash_of_the_public_part),
	    CASE(every_flipped_byte_is_refused),
	    CASE(belongs_to_its_master_key),
	    CASE(rewraps_to_the_committed_master_key),
	    CASE(rewrites_its_booleans),
	    CASE(needs_a_session_where_the_control_point_says),
	    CASE(public_key_verifies_and_its_flips_do_not),
	    CASE(private_key_signs_what_openssl_verifies),
	    CASE(value_of_a_private_key_is_its_pkcs8),
	    CASE(edwards_keys_live_in_blobs_too),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
