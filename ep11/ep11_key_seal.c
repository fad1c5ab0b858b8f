#include <string.h>

#include "ep11_key_open.h"
#include "hsa_hash.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Reason codes of administrative command 25. */
#define REASON_WK_MISSING 49
#define REASON_NEXT_MISSING 50

static CK_BBOOL yes = CK_TRUE;

/* ---- whole, with its MAC ------------------------------------------------- */

/* b's MAC by wk, then all of it to out. */
static CK_RV
finish_key(struct ep11_engine *e, const struct ep11_wk *wk, struct hsa_buf *out,
    struct hsa_buf *b)
{
	uint8_t mac[EP11_MAC_LEN];
	CK_RV rv = ep11_wk_mac(wk, &e->token, mac, b->p, b->len);

	if (rv != CKR_OK)
		return ep11_trouble(rv);
	hsa_buf_put(out, b->p, b->len);
	hsa_buf_put(out, mac, sizeof(mac));
	return out->failed ? CKR_HOST_MEMORY : CKR_OK;
}

static CK_RV
seal_key(struct ep11_engine *e, const struct ep11_wk *wk, struct hsa_buf *out,
    struct hsa_call *c, struct ep11_blob *blob)
{
	uint8_t id[HSA_SHA256_LEN];
	struct hsa_buf b = {0};
	hsa_rc rc;
	CK_RV rv;

	memcpy(blob->wkid, wk->id, sizeof(blob->wkid));
	rv = ep11_trouble(
	    e->token.ops->random(e->token.ctx, blob->iv, sizeof(blob->iv)));
	if (rv != CKR_OK)
		return rv;
	rc = ep11_blob_encode(&b, blob);
	if (!hsa_is_ok(rc))
		rv = rc.v == HSA_E_NOMEM ? CKR_HOST_MEMORY : CKR_KEY_SIZE_RANGE;
	if (rv == CKR_OK)
		rv = ep11_key_id(id, b.p, blob);
	if (rv == CKR_OK)
		rv = finish_key(e, wk, out, &b);
	if (rv == CKR_OK)
		ep11_key_named(c, id, false, NULL);
	hsa_buf_free(&b);
	return rv;
}

static CK_RV
seal_spki(struct ep11_engine *e, const struct ep11_wk *wk, struct hsa_buf *out,
    struct ep11_spki *s)
{
	uint8_t mac[EP11_MAC_LEN];
	struct hsa_buf b = {0};
	hsa_rc rc;
	CK_RV rv;

	memcpy(s->wkid, wk->id, sizeof(s->wkid));
	rv = ep11_trouble(
	    e->token.ops->random(e->token.ctx, s->salt, sizeof(s->salt)));
	if (rv != CKR_OK)
		return rv;
	rc = ep11_spki_encode(&b, s);
	if (!hsa_is_ok(rc))
		rv = rc.v == HSA_E_NOMEM ? CKR_HOST_MEMORY : CKR_KEY_SIZE_RANGE;
	if (rv == CKR_OK)
		rv = ep11_trouble(ep11_wk_mac(wk, &e->token, mac, b.p, b.len));
	if (rv == CKR_OK) {
		hsa_buf_put(out, b.p, b.len);
		hsa_buf_u8(out, 0x04);
		hsa_buf_u8(out, sizeof(mac));
		hsa_buf_put(out, mac, sizeof(mac));
		rv = out->failed ? CKR_HOST_MEMORY : CKR_OK;
	}
	hsa_buf_free(&b);
	return rv;
}

/* ---- new keys ------------------------------------------------------------ */

/* What the token does not wrap as the key it is goes as a generic secret. */
static CK_RV
wrap_value(struct ep11_engine *e, struct hsa_buf *out, struct hsa_slice value)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
	    {CKA_VALUE, ep11_input(value.p), value.n}};
	CK_OBJECT_HANDLE h = 0;
	CK_RV rv, gone;

	rv = e->token.ops->create(e->token.ctx, &h, t, LEN(t));
	if (rv != CKR_OK)
		return rv;
	rv = ep11_wk_wrap(&e->current, &e->token, out, h);
	gone = e->token.ops->destroy(e->token.ctx, h);
	return rv != CKR_OK ? rv : gone;
}

CK_RV
ep11_key_seal(struct ep11_engine *e, struct hsa_buf *out, struct hsa_call *c,
    const struct ep11_key_new *n)
{
	struct ep11_blob blob = {.cls = n->cls,
	    .type = n->type,
	    .bools = n->bools,
	    .mode = e->compliance,
	    .form = n->h != 0 ? EP11_FORM_OBJECT : EP11_FORM_VALUE,
	    .bits = n->bits,
	    .params = n->params,
	    .spki = n->spki};
	struct hsa_buf wrapped = {0};
	CK_RV rv;

	if (!e->current.set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	if (n->session.n == sizeof(blob.session))
		memcpy(blob.session, n->session.p, sizeof(blob.session));
	else if (n->session.n != 0)
		return CKR_FUNCTION_FAILED;
	if (n->h != 0)
		rv = ep11_wk_wrap(&e->current, &e->token, &wrapped, n->h);
	else
		rv = wrap_value(e, &wrapped, n->value);
	rv = ep11_trouble(rv);
	if (rv == CKR_OK && wrapped.failed)
		rv = CKR_HOST_MEMORY;
	blob.wrapped = (struct hsa_slice){wrapped.p, wrapped.len};
	if (rv == CKR_OK)
		rv = seal_key(e, &e->current, out, c, &blob);
	hsa_buf_free(&wrapped);
	return rv;
}

CK_RV
ep11_key_seal_public(struct ep11_engine *e, struct hsa_buf *out,
    struct hsa_slice spki, uint32_t bools, struct hsa_slice session)
{
	struct ep11_spki s = {
	    .spki = spki, .mode = e->compliance, .bools = bools, .maced = true};

	if (!e->current.set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	if (session.n == sizeof(s.session))
		memcpy(s.session, session.p, sizeof(s.session));
	else if (session.n != 0)
		return CKR_FUNCTION_FAILED;
	return seal_spki(e, &e->current, out, &s);
}

/* ---- the same key again -------------------------------------------------- */

CK_RV
ep11_key_rewrite(struct ep11_engine *e, struct hsa_buf *out,
    struct hsa_slice blob, uint32_t bools)
{
	struct hsa_buf b = {0};
	struct ep11_opened o;
	CK_RV rv = ep11_key_open(e, &o, blob);

	if (rv == CKR_OK)
		rv = ep11_key_allowed(e, o.bound, o.session);
	if (rv != CKR_OK)
		return rv;
	if (o.is_public) {
		o.spki.bools = bools;
		return seal_spki(e, &e->current, out, &o.spki);
	}
	hsa_buf_put(&b, o.maced.p, o.maced.n);
	rv = b.failed ? CKR_HOST_MEMORY : CKR_OK;
	if (rv == CKR_OK) {
		ep11_blob_set_bools(b.p, bools);
		rv = finish_key(e, &e->current, out, &b);
	}
	hsa_buf_free(&b);
	return rv;
}

/* From master key to master key inside the token, whatever kind of key it
 * is. */
static CK_RV
rewrap_material(
    struct ep11_engine *e, struct hsa_buf *out, struct hsa_slice wrapped)
{
	CK_OBJECT_HANDLE h = 0;
	CK_RV rv = ep11_key_material(e, &h, wrapped, false), gone;

	if (rv != CKR_OK)
		return rv;
	rv = ep11_trouble(ep11_wk_wrap(&e->next, &e->token, out, h));
	gone = ep11_trouble(e->token.ops->destroy(e->token.ctx, h));
	return rv != CKR_OK ? rv : gone;
}

/* Logins are not asked for: the key is not used, and the administrator who
 * changes the master key has nobody's PIN. */
CK_RV
ep11_key_rewrap(struct ep11_engine *e, struct hsa_buf *out, struct hsa_call *c,
    struct hsa_slice blob)
{
	struct hsa_buf wrapped = {0};
	struct ep11_opened o;
	CK_RV rv;

	if (!e->current.set || !e->next.set) {
		c->reason =
		    e->current.set ? REASON_NEXT_MISSING : REASON_WK_MISSING;
		return CKR_IBM_WK_NOT_INITIALIZED;
	}
	rv = ep11_key_open(e, &o, blob);
	if (rv != CKR_OK)
		return rv;
	ep11_key_named(c, o.id, o.bound, o.session);
	if (o.is_public)
		return seal_spki(e, &e->next, out, &o.spki);
	rv = rewrap_material(e, &wrapped, o.key.wrapped);
	if (rv == CKR_OK && wrapped.failed)
		rv = CKR_HOST_MEMORY;
	o.key.wrapped = (struct hsa_slice){wrapped.p, wrapped.len};
	if (rv == CKR_OK)
		rv = seal_key(e, &e->next, out, NULL, &o.key);
	hsa_buf_free(&wrapped);
	return rv;
}
