#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "ep11_pkey.h"
#include "helper_data.h"

/* ---- keys ---------------------------------------------------------------- */

#define EVERYTHING                                                             \
	(EP11_EXTRACTABLE | EP11_MODIFIABLE | EP11_SIGN | EP11_VERIFY |        \
	    EP11_ENCRYPT | EP11_DECRYPT | EP11_DERIVE | EP11_WRAP |            \
	    EP11_UNWRAP)

static CK_OBJECT_HANDLE
object(struct helper_ep11 *d, CK_KEY_TYPE type, const void *value, size_t n)
{
	static CK_BBOOL yes = CK_TRUE;
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_OBJECT_HANDLE h = 0;
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_VALUE, ep11_input(value), n}};

	assert_int_equal(d->e->token.ops->create(
			     d->e->token.ctx, &h, t, sizeof(t) / sizeof(t[0])),
	    CKR_OK);
	return h;
}

void
hdata_secret(struct helper_ep11 *d, struct hsa_buf *blob, CK_KEY_TYPE type,
    const void *value, size_t n, uint32_t without)
{
	helper_ep11_secret(d, blob, type, value, n, EVERYTHING & ~without);
}

/* The token wraps a private key as PKCS #8, as it does a secret of that
 * value: so the blob is made without an object of the key's own type. */
void
hdata_pair(struct helper_ep11 *d, struct hsa_buf *priv, struct hsa_buf *pub,
    EVP_PKEY *key, uint32_t without)
{
	struct ep11_key_new k = {
	    .cls = CKO_PRIVATE_KEY, .bools = EVERYTHING & ~without};
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key);
	uint8_t *spki = NULL, *der = NULL;
	struct ep11_pkey what = {0};
	int n = i2d_PUBKEY(key, &spki);
	int der_n = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);

	assert_true(n > 0 && der_n > 0);
	assert_int_equal(ep11_pkey_public(&what, spki, (size_t)n), CKR_OK);
	k.type = what.type;
	k.bits = what.bits;
	k.spki = (struct hsa_slice){spki, (size_t)n};
	if (what.curve != NULL)
		k.params =
		    (struct hsa_slice){what.curve->oid, what.curve->oid_len};
	if (what.curve != NULL && what.curve->kind != EP11_CURVE_PRIME)
		k.value = (struct hsa_slice){der, (size_t)der_n};
	else
		k.h = object(d, CKK_GENERIC_SECRET, der, (size_t)der_n);
	hsa_buf_reset(priv);
	hsa_buf_reset(pub);
	assert_int_equal(ep11_key_seal(d->e, priv, NULL, &k), CKR_OK);
	assert_int_equal(ep11_key_seal_public(
			     d->e, pub, k.spki, k.bools, (struct hsa_slice){0}),
	    CKR_OK);
	if (k.h != 0)
		assert_int_equal(
		    d->e->token.ops->destroy(d->e->token.ctx, k.h), CKR_OK);
	ep11_pkey_free(&what);
	PKCS8_PRIV_KEY_INFO_free(p8);
	OPENSSL_free(spki);
	OPENSSL_free(der);
}

/* ---- calls --------------------------------------------------------------- */

static CK_RV
answer(struct helper_ep11 *d, struct hsa_call *c, struct hsa_buf *state,
    struct hsa_buf *out)
{
	CK_RV rv;

	ep11_engine_call(d->e, c);
	rv = c->rv;
	if (rv != CKR_OK) {
		assert_int_equal(c->out.len, 0);
		assert_int_equal(c->new_state.len, 0);
	}
	if (out != NULL) {
		hsa_buf_reset(out);
		hsa_buf_put(out, c->out.p, c->out.len);
	}
	if (state != NULL && rv == CKR_OK) {
		hsa_buf_reset(state);
		hsa_buf_put(state, c->new_state.p, c->new_state.len);
	}
	hsa_call_free(c);
	return rv;
}

CK_RV
hdata_init(struct helper_ep11 *d, enum hsa_fn fn, struct hsa_buf *state,
    const struct hsa_mech *m, const struct hsa_buf *key)
{
	struct hsa_call c = {.fn = fn, .mech = *m};

	if (key != NULL)
		c.key = helper_slice(key);
	return answer(d, &c, state, NULL);
}

CK_RV
hdata_update(struct helper_ep11 *d, enum hsa_fn fn, struct hsa_buf *state,
    const void *in, size_t n, struct hsa_buf *out)
{
	struct hsa_call c = {
	    .fn = fn, .state = helper_slice(state), .data = {in, n}};

	return answer(d, &c, state, out);
}

CK_RV
hdata_final(struct helper_ep11 *d, enum hsa_fn fn, const struct hsa_buf *state,
    struct hsa_buf *out)
{
	struct hsa_call c = {.fn = fn, .state = helper_slice(state)};

	return answer(d, &c, NULL, out);
}

CK_RV
hdata_once(struct helper_ep11 *d, enum hsa_fn fn, const struct hsa_buf *state,
    const void *in, size_t n, struct hsa_buf *out)
{
	struct hsa_call c = {
	    .fn = fn, .state = helper_slice(state), .data = {in, n}};

	return answer(d, &c, NULL, out);
}

CK_RV
hdata_single(struct helper_ep11 *d, enum hsa_fn fn, const struct hsa_mech *m,
    const struct hsa_buf *key, const void *in, size_t n, struct hsa_buf *out)
{
	struct hsa_call c = {.fn = fn, .mech = *m, .data = {in, n}};

	if (key != NULL)
		c.key = helper_slice(key);
	return answer(d, &c, NULL, out);
}

CK_RV
hdata_verify_final(struct helper_ep11 *d, const struct hsa_buf *state,
    const void *sig, size_t sn)
{
	struct hsa_call c = {.fn = HSA_FN_VERIFY_FINAL,
	    .state = helper_slice(state),
	    .signature = {sig, sn}};

	return answer(d, &c, NULL, NULL);
}

CK_RV
hdata_verify_once(struct helper_ep11 *d, const struct hsa_buf *state,
    const void *in, size_t n, const void *sig, size_t sn)
{
	struct hsa_call c = {.fn = HSA_FN_VERIFY,
	    .state = helper_slice(state),
	    .data = {in, n},
	    .signature = {sig, sn}};

	return answer(d, &c, NULL, NULL);
}

CK_RV
hdata_verify_single(struct helper_ep11 *d, const struct hsa_mech *m,
    const struct hsa_buf *key, const void *in, size_t n, const void *sig,
    size_t sn)
{
	struct hsa_call c = {.fn = HSA_FN_VERIFY_SINGLE,
	    .mech = *m,
	    .key = helper_slice(key),
	    .data = {in, n},
	    .signature = {sig, sn}};

	return answer(d, &c, NULL, NULL);
}

struct hsa_mech
hdata_mech(uint64_t type)
{
	return (struct hsa_mech){.type = type};
}

struct hsa_mech
hdata_mech_bytes(uint64_t type, const void *p, size_t n)
{
	return (struct hsa_mech){
	    .type = type, .kind = HSA_MECH_BYTES, .a = {p, n}};
}
