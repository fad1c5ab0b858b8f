#include <openssl/crypto.h>
#include <string.h>

#include "ep11_attrbound.h"
#include "ep11_make.h"
#include "ep11_policy.h"
#include "ep11_spki.h"
#include "ep11_use.h"
#include "hsa_hash.h"

/* History that a key does not take along: it was in the open. */
#define LEFT_BEHIND (EP11_LOCAL | EP11_NEVER_EXTRACTABLE)

/* ---- the MAC ------------------------------------------------------------- */

static CK_RV
mac(struct ep11_engine *e, struct hsa_buf *out, struct hsa_call *c,
    CK_FLAGS flag, struct hsa_slice what)
{
	const struct hsa_mech m = {.type = CKM_SHA256_HMAC};
	const struct ep11_mech_row *row = NULL;
	struct ep11_key *k = NULL;
	CK_RV rv = ep11_mech_use(&row, e->cp, &m, flag);

	if (rv == CKR_OK)
		rv = ep11_use_key(e, &k, c, c->key3, row, flag);
	if (rv != CKR_OK)
		return rv;
	if ((k->bools & EP11_ATTRBOUND) == 0)
		rv = CKR_KEY_TYPE_INCONSISTENT;
	if (rv == CKR_OK)
		rv = ep11_sign_once(e, out, k, row, &m, what);
	if (rv == CKR_OK && out->failed)
		rv = CKR_HOST_MEMORY;
	ep11_key_put(e, k);
	return rv;
}

/* ---- wrap ---------------------------------------------------------------- */

static CK_RV
wrap_by(struct ep11_engine *e, struct hsa_buf *out, CK_MECHANISM *m,
    CK_OBJECT_HANDLE by, CK_OBJECT_HANDLE h)
{
	uint8_t wrapped[HSA_BLOB_MAX];
	size_t n = sizeof(wrapped);
	CK_RV rv = ep11_trouble(
	    e->token.ops->wrap(e->token.ctx, m, by, h, wrapped, &n));

	if (rv == CKR_OK)
		hsa_buf_put(out, wrapped, n);
	return rv == CKR_OK && out->failed ? CKR_HOST_MEMORY : rv;
}

/* PKCS #8 of a key that the token does not wrap, as an object that it does. */
static CK_RV
as_value(struct ep11_engine *e, CK_OBJECT_HANDLE *h, const struct ep11_key *k)
{
	const struct ep11_make m = {.type = CKK_GENERIC_SECRET};
	uint8_t *v = NULL;
	size_t n = 0;
	CK_RV rv = ep11_key_value(e, k, EP11_EXPOSURE_ATTRBOUND_ED, &v, &n);

	if (rv == CKR_OK)
		rv = ep11_make_value(e, h, &m, v, n);
	OPENSSL_secure_clear_free(v, n);
	return rv;
}

static void
how_of(
    struct ep11_kek_mech *m, enum ep11_ab_how *how, const struct ep11_key *kek)
{
	memset(m, 0, sizeof(*m));
	*how = kek->type == CKK_RSA ? EP11_AB_RSA : EP11_AB_AES;
	m->m.mechanism = CKM_AES_KEY_WRAP_PAD;
	if (*how == EP11_AB_RSA) {
		m->m.mechanism = CKM_RSA_PKCS_OAEP;
		m->oaep.hashAlg = CKM_SHA_1;
		m->oaep.mgf = CKG_MGF1_SHA1;
		m->oaep.source = CKZ_DATA_SPECIFIED;
		m->m.pParameter = &m->oaep;
		m->m.ulParameterLen = sizeof(m->oaep);
	}
}

CK_RV
ep11_attrbound_wrap(struct ep11_engine *e, struct hsa_call *c,
    const struct ep11_kek *kek, const struct ep11_key *k)
{
	CK_MECHANISM gen = {.mechanism = CKM_AES_KEY_GEN},
		     kwp = {.mechanism = CKM_AES_KEY_WRAP_PAD};
	struct ep11_ab ab = {.cls = k->cls,
	    .type = k->type,
	    .bools = k->bools,
	    .bits = k->bits,
	    .form =
		ep11_make_wraps(k->curve) ? EP11_FORM_OBJECT : EP11_FORM_VALUE,
	    .spki = k->spki};
	struct hsa_buf transport = {0}, material = {0}, all = {0};
	CK_OBJECT_HANDLE t = 0, value = 0;
	struct ep11_kek_mech m;
	struct ep11_attrs as;
	CK_RV rv;

	how_of(&m, &ab.how, kek->k);
	if (k->curve != NULL)
		ab.params =
		    (struct hsa_slice){k->curve->oid, k->curve->oid_len};
	ep11_attrs_key(&as, CKO_SECRET_KEY, CKK_AES, true);
	ep11_attrs_num(&as, CKA_VALUE_LEN, 32);
	rv = ep11_trouble(
	    e->token.ops->generate(e->token.ctx, &t, &gen, as.a, as.n));
	if (rv == CKR_OK)
		rv = wrap_by(e, &transport, &m.m, kek->k->h, t);
	if (rv == CKR_OK && ab.form == EP11_FORM_VALUE)
		rv = as_value(e, &value, k);
	if (rv == CKR_OK)
		rv = wrap_by(e, &material, &kwp, t, value != 0 ? value : k->h);
	ab.transport = (struct hsa_slice){transport.p, transport.len};
	ab.material = (struct hsa_slice){material.p, material.len};
	if (rv == CKR_OK && !hsa_is_ok(ep11_ab_encode(&all, &ab)))
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		hsa_buf_put(&c->out, all.p, all.len);
	if (rv == CKR_OK)
		rv = mac(e, &c->out, c, CKF_SIGN,
		    (struct hsa_slice){all.p, all.len});
	if (rv == CKR_OK && c->out.len > HSA_BLOB_MAX)
		rv = CKR_KEY_SIZE_RANGE;
	ep11_make_drop(e, value);
	ep11_make_drop(e, t);
	hsa_buf_free(&transport);
	hsa_buf_free(&material);
	hsa_buf_free(&all);
	return rv;
}

/* ---- unwrap -------------------------------------------------------------- */

static CK_RV
genuine(struct ep11_engine *e, struct hsa_call *c)
{
	struct hsa_slice what = c->data;
	struct hsa_buf want = {0};
	CK_RV rv;

	if (what.n < EP11_MAC_LEN || what.n > HSA_BLOB_MAX)
		return CKR_WRAPPED_KEY_LEN_RANGE;
	what.n -= EP11_MAC_LEN;
	rv = mac(e, &want, c, CKF_VERIFY, what);
	if (rv == CKR_OK &&
	    (want.len != EP11_MAC_LEN ||
		!hsa_equal_ct(want.p, what.p + what.n, EP11_MAC_LEN)))
		rv = CKR_WRAPPED_KEY_INVALID;
	hsa_buf_free(&want);
	return rv;
}

static CK_RV
unwrap_by(struct ep11_engine *e, CK_OBJECT_HANDLE *h, CK_MECHANISM *m,
    CK_OBJECT_HANDLE by, struct hsa_slice in, const struct ep11_attrs *as)
{
	/* the MAC was right: another KEK than the one that wrapped */
	return ep11_spoiled(e->token.ops->unwrap(e->token.ctx, h, m, by, in.p,
				in.n, as->a, as->n),
	    CKR_WRAPPED_KEY_INVALID);
}

static CK_RV
restore_secret(struct ep11_engine *e, struct hsa_call *c, struct ep11_make *m,
    const struct ep11_ab *ab, CK_OBJECT_HANDLE t)
{
	CK_MECHANISM kwp = {.mechanism = CKM_AES_KEY_WRAP_PAD};
	CK_OBJECT_HANDLE h = 0;
	struct ep11_attrs as;
	size_t n = 0;
	CK_RV rv;

	ep11_attrs_key(&as, CKO_SECRET_KEY, ab->type, false);
	rv = unwrap_by(e, &h, &kwp, t, ab->material, &as);
	if (rv == CKR_OK)
		rv = ep11_make_length(e, &n, h);
	/* the token's own wrap: filled up to eight bytes */
	if (rv == CKR_OK && n != ((size_t)ab->bits / 8 + 7) / 8 * 8)
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv == CKR_OK && n != ab->bits / 8)
		rv = ep11_make_cut(e, &h, m, ab->bits / 8);
	if (rv == CKR_OK)
		rv = ep11_make_done(e, c, m, h);
	ep11_make_drop(e, h);
	return rv;
}

static bool
params_are(const struct ep11_ab *ab, const struct ep11_curve *curve)
{
	return curve == NULL
		   ? ab->params.n == 0
		   : curve == ep11_curve_find(ab->params.p, ab->params.n);
}

static CK_RV
restore_private(struct ep11_engine *e, struct hsa_call *c, struct ep11_make *m,
    const struct ep11_ab *ab, CK_OBJECT_HANDLE t)
{
	CK_MECHANISM kwp = {.mechanism = CKM_AES_KEY_WRAP_PAD};
	uint32_t bools = ep11_make_mirror(m->bools);
	bool value = ab->form == EP11_FORM_VALUE;
	struct ep11_pkey k = {0}, whole = {0};
	CK_OBJECT_HANDLE h = 0;
	struct ep11_attrs as;
	uint8_t *v = NULL;
	size_t n = 0;
	CK_RV rv = ep11_pkey_public(&k, ab->spki.p, ab->spki.n);

	if (rv != CKR_OK || k.type != ab->type || k.bits != ab->bits ||
	    value == ep11_make_wraps(k.curve) || !params_are(ab, k.curve))
		rv = CKR_WRAPPED_KEY_INVALID;
	m->curve = k.curve;
	if (rv == CKR_OK)
		rv = ep11_public_policy(e, &k);
	if (value)
		ep11_attrs_key(&as, CKO_SECRET_KEY, CKK_GENERIC_SECRET, false);
	else
		ep11_attrs_key(&as, CKO_PRIVATE_KEY, ab->type, true);
	if (rv == CKR_OK)
		rv = unwrap_by(e, &h, &kwp, t, ab->material, &as);
	/* ATTRBOUND_ED of ep11_exposure.def */
	if (rv == CKR_OK && value)
		rv = ep11_key_read(e, EP11_EXPOSURE_ATTRBOUND_ED, &v, &n, h);
	if (rv == CKR_OK && value)
		rv = ep11_pkey_private(&whole, v, n);
	if (rv == CKR_OK && value && EVP_PKEY_eq(k.key, whole.key) != 1)
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv == CKR_OK)
		rv = ep11_make_done_private(
		    e, c, m, value ? 0 : h, value ? &whole : &k, bools);
	OPENSSL_secure_clear_free(v, n);
	ep11_make_drop(e, h);
	ep11_pkey_free(&whole);
	ep11_pkey_free(&k);
	return rv;
}

static CK_RV
restore(struct ep11_engine *e, struct hsa_call *c, struct ep11_make *m,
    const struct ep11_ab *ab, CK_OBJECT_HANDLE t)
{
	const struct ep11_template *tm = &m->t;
	CK_RV rv;

	if ((tm->has_class && tm->cls != ab->cls) ||
	    (tm->has_type && tm->type != ab->type) ||
	    (tm->has_value_len && tm->value_len != ab->bits / 8))
		return CKR_TEMPLATE_INCONSISTENT;
	m->cls = ab->cls;
	m->type = ab->type;
	m->bits = ab->bits;
	m->bools = ab->bools & ~(uint32_t)LEFT_BEHIND;
	/* no key here could have been made with other uses */
	if ((ab->bools & EP11_ATTRBOUND) == 0 ||
	    (ab->bools & ~ep11_bools_may(ab->cls, ab->type)) != 0)
		return CKR_WRAPPED_KEY_INVALID;
	rv = ep11_bools_allowed(ab->bools, e->cp);
	if (rv != CKR_OK)
		return rv;
	if (ab->cls == CKO_PRIVATE_KEY)
		return restore_private(e, c, m, ab, t);
	if (ab->bits % 8 != 0 ||
	    !ep11_policy_secret_len(ab->type, ab->bits / 8))
		return CKR_WRAPPED_KEY_INVALID;
	rv = ep11_policy_key(e->cp, ab->type, ab->bits, NULL);
	return rv == CKR_OK ? restore_secret(e, c, m, ab, t) : rv;
}

CK_RV
ep11_attrbound_unwrap(
    struct ep11_engine *e, struct hsa_call *c, const struct ep11_kek *kek)
{
	CK_OBJECT_HANDLE t = 0;
	struct ep11_kek_mech m;
	enum ep11_ab_how how;
	struct ep11_make make;
	struct ep11_attrs as;
	struct ep11_ab ab;
	CK_RV rv = ep11_make_begin(e, &make, c);

	if (rv == CKR_OK)
		rv = genuine(e, c);
	if (rv != CKR_OK)
		return rv;
	how_of(&m, &how, kek->k);
	if (!hsa_is_ok(ep11_ab_decode(&ab, c->data.p, c->data.n)) ||
	    ab.how != how)
		return CKR_WRAPPED_KEY_INVALID;
	ep11_attrs_key(&as, CKO_SECRET_KEY, CKK_AES, true);
	rv = unwrap_by(e, &t, &m.m, kek->k->h, ab.transport, &as);
	if (rv == CKR_OK)
		rv = restore(e, c, &make, &ab, t);
	ep11_make_drop(e, t);
	return rv;
}
