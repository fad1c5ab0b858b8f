#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "hsa_hash.h"
#include "helper_tke.h"

void
htke_unhex(struct hsa_buf *b, const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *to = hsa_buf_reserve(b, n + 1);

	assert_non_null(to);
	assert_true(hsa_is_ok(hsa_unhex(to, n, hex, strlen(hex))));
	b->len += n;
}

struct hsa_buf
htke_bytes(const char *hex)
{
	struct hsa_buf b = {0};

	htke_unhex(&b, hex);
	return b;
}

struct tke_slice
htke_slice(const struct hsa_buf *b)
{
	return (struct tke_slice){b->p, b->len};
}

bool
htke_is(const void *p, size_t n, const char *hex)
{
	struct hsa_buf want = htke_bytes(hex);
	bool same = want.len == n && memcmp(want.p, p, n) == 0;

	hsa_buf_free(&want);
	return same;
}

static EVP_PKEY *p521[2], *rsa;

EVP_PKEY *
htke_p521(size_t index)
{
	assert_true(index < 2);
	if (p521[index] == NULL)
		p521[index] = EVP_EC_gen("P-521");
	assert_non_null(p521[index]);
	return p521[index];
}

EVP_PKEY *
htke_rsa(void)
{
	if (rsa == NULL)
		rsa = EVP_RSA_gen(2048);
	assert_non_null(rsa);
	return rsa;
}

void
htke_keys_free(void)
{
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY_free(p521[i]);
		p521[i] = NULL;
	}
	EVP_PKEY_free(rsa);
	rsa = NULL;
}

EVP_PKEY *
htke_rsa_of(const char *n, const char *e, const char *d)
{
	static const char *const name[] = {OSSL_PKEY_PARAM_RSA_N,
	    OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D};
	const char *const hex[] = {n, e, d};
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *bn[3] = {0};
	OSSL_PARAM *params;
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	assert_non_null(bld);
	for (size_t i = 0; i < 3 && hex[i] != NULL; i++) {
		assert_int_not_equal(BN_hex2bn(&bn[i], hex[i]), 0);
		assert_int_equal(
		    OSSL_PARAM_BLD_push_BN(bld, name[i], bn[i]), 1);
	}
	params = OSSL_PARAM_BLD_to_param(bld);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &key,
		d == NULL ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, params),
	    1);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	for (size_t i = 0; i < 3; i++)
		BN_free(bn[i]);
	return key;
}

/* A copy of exactly n bytes, one of them changed by xor, given to try. */
static bool
one(const uint8_t *p, size_t n, size_t at, uint8_t flip, htke_try try,
    void *arg)
{
	uint8_t *copy = malloc(n == 0 ? 1 : n);
	bool accepted;

	assert_non_null(copy);
	if (n != 0)
		memcpy(copy, p, n);
	if (flip != 0)
		copy[at] ^= flip;
	accepted = try(copy, n, arg);
	free(copy);
	return accepted;
}

struct htke_damage
htke_damage(const void *p, size_t n, htke_try try, void *arg)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x10};
	struct htke_damage d = {0};
	uint8_t *longer = malloc(n + 1);

	assert_non_null(longer);
	assert_true(one(p, n, 0, 0, try, arg));
	for (size_t i = 0; i < n; i++, d.tried++)
		d.cut += one(p, i, 0, 0, try, arg);
	memcpy(longer, p, n);
	longer[n] = 0;
	d.extended += one(longer, n + 1, 0, 0, try, arg);
	d.tried++;
	for (size_t i = 0; i < n; i++)
		for (size_t f = 0; f < sizeof(flips); f++, d.tried++)
			d.changed += one(p, n, i, flips[f], try, arg);
	free(longer);
	return d;
}
