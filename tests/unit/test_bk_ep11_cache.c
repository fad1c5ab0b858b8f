/* The cache of unwrapped keys, and a token that fails, on a real token. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_cache.h"
#include "ep11_login.h"
#include "ep11_pkey.h"
#include "helper_ep11.h"

#define KEYS 64
#define ROOM 4
#define THREADS 8

static struct helper_ep11 H;
static struct hsa_buf blob[KEYS];
static uint8_t want[KEYS][16]; /* a block of zeros by each key */

/* AES-ECB of a block of zeros; the k-th key has k in every byte. */
static CK_RV
block(struct ep11_engine *e, uint8_t out[16], struct hsa_slice of)
{
	static const uint8_t zero[16];
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	struct ep11_key *k = NULL;
	size_t n = 16;
	CK_RV rv = ep11_key_get(e, &k, NULL, of, EP11_ENCRYPT);

	if (rv == CKR_OK)
		rv = e->token.ops->encrypt(
		    e->token.ctx, &ecb, k->h, zero, 16, out, &n);
	ep11_key_put(e, k);
	return rv;
}

static int
group_setup(void **state)
{
	(void)state;
	helper_ep11_make(&H, 1, ROOM);
	for (size_t i = 0; i < KEYS; i++) {
		uint8_t value[32];

		memset(value, (int)i, sizeof(value));
		helper_ep11_secret(
		    &H, &blob[i], CKK_AES, value, 32, EP11_ENCRYPT);
		assert_int_equal(
		    block(H.e, want[i], helper_slice(&blob[i])), CKR_OK);
	}
	/* of the key that is all zero, from elsewhere (NIST CAVP, KeySbox) */
	assert_memory_equal(want[0],
	    "\xdc\x95\xc0\x78\xa2\x40\x89\x89"
	    "\xad\x48\xa2\x14\x92\x84\x20\x87",
	    16);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		hsa_buf_free(&blob[i]);
	helper_ep11_free(&H);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	helper_ep11_wk(&H, 0, -1);
	return 0;
}

static void
test_bk_ep11_cache__keeps_what_was_used_last(void **state)
{
	struct ep11_engine_stats a = {0}, b = {0};
	size_t before = helper_ep11_objects(&H);
	uint8_t out[16];

	(void)state;
	ep11_engine_stats(H.e, &a);
	assert_int_equal(a.cached, 0);
	for (size_t i = 0; i < ROOM; i++)
		assert_int_equal(
		    block(H.e, out, helper_slice(&blob[i])), CKR_OK);
	assert_int_equal(helper_ep11_objects(&H), before + ROOM);
	/* 0 is used again, so 1 goes for 4 */
	assert_int_equal(block(H.e, out, helper_slice(&blob[0])), CKR_OK);
	assert_int_equal(block(H.e, out, helper_slice(&blob[4])), CKR_OK);
	ep11_engine_stats(H.e, &b);
	assert_int_equal(b.misses - a.misses, ROOM + 1);
	assert_int_equal(b.hits - a.hits, 1);
	assert_int_equal(b.evictions - a.evictions, 1);
	assert_int_equal(b.cached, ROOM);
	assert_int_equal(helper_ep11_objects(&H), before + ROOM);
	assert_int_equal(block(H.e, out, helper_slice(&blob[0])), CKR_OK);
	ep11_engine_stats(H.e, &a);
	assert_int_equal(a.hits - b.hits, 1);
	assert_int_equal(block(H.e, out, helper_slice(&blob[1])), CKR_OK);
	ep11_engine_stats(H.e, &b);
	assert_int_equal(b.misses - a.misses, 1);
	helper_ep11_wk(&H, 0, -1);
	ep11_engine_stats(H.e, &b);
	assert_int_equal(b.cached, 0);
	assert_int_equal(helper_ep11_objects(&H), before);
}

static void
test_bk_ep11_cache__a_key_in_use_outlives_its_place(void **state)
{
	size_t before = helper_ep11_objects(&H);
	struct ep11_key *k = NULL, *again = NULL;
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	static const uint8_t zero[16];
	uint8_t out[16];
	size_t n = 16;

	(void)state;
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&blob[0]), 0), CKR_OK);
	for (size_t i = 1; i <= ROOM; i++)
		assert_int_equal(
		    block(H.e, out, helper_slice(&blob[i])), CKR_OK);
	assert_int_equal(helper_ep11_objects(&H), before + ROOM + 1);
	assert_int_equal(
	    H.token.ops->encrypt(H.token.ctx, &ecb, k->h, zero, 16, out, &n),
	    CKR_OK);
	assert_memory_equal(out, want[0], 16);
	/* it is loaded anew meanwhile, as another object */
	assert_int_equal(
	    ep11_key_get(H.e, &again, NULL, helper_slice(&blob[0]), 0), CKR_OK);
	assert_ptr_not_equal(again, k);
	assert_int_not_equal(again->h, k->h);
	ep11_key_put(H.e, again);
	ep11_key_put(H.e, k);
	assert_int_equal(helper_ep11_objects(&H), before + ROOM);
}

/* Whoever is second at loading takes the first one's and leaves no object. */
static void
test_bk_ep11_cache__the_second_loader_leaves_nothing(void **state)
{
	size_t before = helper_ep11_objects(&H);
	struct ep11_key *k = NULL, *second;
	struct ep11_key mine;

	(void)state;
	assert_int_equal(
	    ep11_key_get(H.e, &k, NULL, helper_slice(&blob[0]), 0), CKR_OK);
	mine = *k;
	assert_int_equal(
	    H.token.ops->copy(H.token.ctx, &mine.h, k->h, NULL, 0), CKR_OK);
	assert_int_equal(helper_ep11_objects(&H), before + 2);
	second = ep11_cache_add(
	    H.e->cache, &H.e->token, &mine, helper_slice(&blob[0]));
	assert_ptr_equal(second, k);
	assert_int_equal(helper_ep11_objects(&H), before + 1);
	ep11_key_put(H.e, second);
	ep11_key_put(H.e, k);
	assert_int_equal(helper_ep11_objects(&H), before + 1);
}

static atomic_uint wrong;

static void *
worker(void *arg)
{
	unsigned x = (unsigned)(uintptr_t)arg * 2654435761u + 1;
	uint8_t out[16], bent[512];

	for (int i = 0; i < 300; i++) {
		size_t k;
		CK_RV rv;

		x = x * 1664525u + 1013904223u;
		/* half of them among a few, so that threads meet */
		k = (x >> 8) % ((x >> 20 & 1) != 0 ? KEYS : 6);
		rv = block(H.e, out, helper_slice(&blob[k]));
		if (rv != CKR_OK || memcmp(out, want[k], 16) != 0)
			wrong++;
		if (i % 10 != 0)
			continue;
		memcpy(bent, blob[k].p, blob[k].len);
		bent[90] ^= 1;
		rv = block(H.e, out, (struct hsa_slice){bent, blob[k].len});
		if (rv != CKR_IBM_BLOB_ERROR)
			wrong++;
	}
	return NULL;
}

static void
test_bk_ep11_cache__many_threads_share_few_places(void **state)
{
	struct ep11_engine_stats a = {0}, b = {0};
	size_t before = helper_ep11_objects(&H);
	pthread_t t[THREADS];

	(void)state;
	wrong = 0;
	ep11_engine_stats(H.e, &a);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, worker, (void *)i), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(wrong, 0);
	ep11_engine_stats(H.e, &b);
	assert_int_equal(
	    b.hits + b.misses - a.hits - a.misses, THREADS * (300 + 30));
	assert_true(b.evictions > a.evictions);
	assert_true(b.cached <= ROOM);
	assert_int_equal(helper_ep11_objects(&H), before + b.cached);
}

/* ---- a token that fails -------------------------------------------------- */

/* Everything that keys are for, once; the first failure ends it. */
static CK_RV
a_life(struct ep11_engine *e)
{
	static const uint8_t oid[] = {6, 3, 0x2b, 0x65, 0x70};
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct ep11_pkey made = {.key = pkey,
	    .type = CKK_EC,
	    .curve = ep11_curve_find(oid, sizeof(oid))};
	struct ep11_key_new new = {.cls = CKO_PRIVATE_KEY,
	    .type = CKK_EC,
	    .bits = 255,
	    .bools = EP11_SIGN,
	    .params = {oid, sizeof(oid)}};
	struct hsa_buf key = {0}, pub = {0}, spki = {0}, rewrapped = {0};
	struct hsa_call login = {
	    .fn = HSA_FN_LOGIN, .pin = {(const uint8_t *)"12345678", 8}};
	struct hsa_call logout = {.fn = HSA_FN_LOGOUT}, c = {0};
	struct ep11_key *k = NULL;
	uint8_t *pkcs8 = NULL, *value = NULL, out[16];
	size_t n = 0, value_n = 0;
	CK_RV rv;

	assert_int_equal(ep11_pkey_pkcs8(&pkcs8, &n, &made), CKR_OK);
	assert_int_equal(ep11_pkey_spki(&spki, &made), CKR_OK);
	new.value = (struct hsa_slice){pkcs8, n};
	new.spki = helper_slice(&spki);
	ep11_engine_call(e, &login);
	rv = login.rv;
	if (rv == CKR_OK)
		rv = ep11_key_seal(e, &key, NULL, &new);
	if (rv == CKR_OK)
		rv = ep11_key_seal_public(e, &pub, helper_slice(&spki),
		    EP11_VERIFY, (struct hsa_slice){0});
	if (rv == CKR_OK)
		rv = ep11_key_get(e, &k, NULL, helper_slice(&key), EP11_SIGN);
	if (rv == CKR_OK)
		rv = ep11_key_value(
		    e, k, EP11_EXPOSURE_ED_LOAD, &value, &value_n);
	ep11_key_put(e, k);
	k = NULL;
	if (rv == CKR_OK)
		rv = ep11_key_get(e, &k, NULL, helper_slice(&pub), EP11_VERIFY);
	ep11_key_put(e, k);
	if (rv == CKR_OK)
		rv = block(e, out, helper_slice(&blob[0]));
	if (rv == CKR_OK)
		rv = ep11_key_rewrap(e, &rewrapped, &c, helper_slice(&key));
	if (rv == CKR_OK) {
		logout.pin = helper_slice(&login.out);
		ep11_engine_call(e, &logout);
		rv = logout.rv;
	}
	OPENSSL_secure_clear_free(pkcs8, n);
	OPENSSL_secure_clear_free(value, value_n);
	EVP_PKEY_free(pkey);
	hsa_buf_free(&key);
	hsa_buf_free(&pub);
	hsa_buf_free(&spki);
	hsa_buf_free(&rewrapped);
	hsa_call_free(&login);
	hsa_call_free(&logout);
	hsa_call_free(&c);
	return rv;
}

static void
test_bk_ep11_cache__failing_calls_leave_no_object(void **state)
{
	struct helper_ep11_fault f = {
	    .inner = H.token, .rv = CKR_GENERAL_ERROR};
	size_t before = helper_ep11_objects(&H);
	struct ep11_engine *e = NULL;
	unsigned failures = 0;
	bool all = false;

	(void)state;
	while (!all) {
		hsa_rc rc;

		f.calls = 0;
		f.failed = NULL;
		f.fail_at = failures + 1;
		assert_int_equal(
		    ep11_engine_new(&e, helper_ep11_faulty(&f), 8).v, 0);
		rc = ep11_engine_wk(e, &H.wk[0], &H.wk[1]);
		if (!hsa_is_ok(rc)) {
			assert_int_equal(rc.v, HSA_E_TOKEN);
			assert_int_equal(a_life(e), CKR_IBM_WK_NOT_INITIALIZED);
		} else {
			CK_RV rv = a_life(e);

			all = f.failed == NULL;
			assert_int_equal(rv == CKR_OK, all);
		}
		ep11_engine_free(e);
		e = NULL;
		assert_int_equal(helper_ep11_objects(&H), before);
		failures += !all;
	}
	assert_true(failures > 20);
	print_message("COUNT token calls made to fail: %u\n", failures);
}

#define CASE(name) cmocka_unit_test_setup(test_bk_ep11_cache__##name, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(keeps_what_was_used_last),
	    CASE(a_key_in_use_outlives_its_place),
	    CASE(the_second_loader_leaves_nothing),
	    CASE(many_threads_share_few_places),
	    CASE(failing_calls_leave_no_object),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
