#include <openssl/crypto.h>
#include <string.h>

#include "ep11_cache.h"
#include "ep11_key_open.h"
#include "ep11_pkey.h"
#include "ep11_spki.h"
#include "hsa_hash.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* The blob's MAC was right, so what the token cannot take is the blob's own
 * fault. */
static CK_RV
unwrap_rv(CK_RV rv)
{
	return ep11_spoiled(rv, CKR_IBM_BLOB_ERROR);
}

CK_RV
ep11_key_material(struct ep11_engine *e, CK_OBJECT_HANDLE *h,
    struct hsa_slice wrapped, bool readable)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, readable ? &no : &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)}};

	return unwrap_rv(ep11_wk_unwrap(
	    &e->current, &e->token, h, wrapped.p, wrapped.n, t, LEN(t)));
}

/* ---- a value out of the token -------------------------------------------- */

CK_RV
ep11_key_read(struct ep11_engine *e, enum ep11_exposure why, uint8_t **v,
    size_t *n, CK_OBJECT_HANDLE h)
{
	size_t rows = 0;
	const struct ep11_exposure_row *row = ep11_exposure_rows(&rows);
	CK_ATTRIBUTE a = {.type = CKA_VALUE};
	size_t len;
	uint8_t *p;
	CK_RV rv;

	if ((size_t)why >= rows || !row[why].value)
		return CKR_FUNCTION_FAILED;
	rv = e->token.ops->get(e->token.ctx, h, &a, 1);
	if (rv != CKR_OK)
		return ep11_trouble(rv);
	if (a.ulValueLen == 0 || a.ulValueLen > HSA_BLOB_MAX)
		return CKR_FUNCTION_FAILED;
	len = a.ulValueLen;
	p = OPENSSL_secure_malloc(len);
	if (p == NULL)
		return CKR_HOST_MEMORY;
	a.pValue = p;
	rv = e->token.ops->get(e->token.ctx, h, &a, 1);
	if (rv == CKR_OK && a.ulValueLen != len)
		rv = CKR_FUNCTION_FAILED;
	if (rv != CKR_OK) {
		OPENSSL_secure_clear_free(p, len);
		return ep11_trouble(rv);
	}
	*v = p;
	*n = len;
	return CKR_OK;
}

/* The material of a genuine blob; freed by the caller with n. */
static CK_RV
value_of(struct ep11_engine *e, uint8_t **v, size_t *n,
    struct hsa_slice wrapped, enum ep11_exposure why)
{
	CK_OBJECT_HANDLE h = 0;
	CK_RV rv = ep11_key_material(e, &h, wrapped, true);

	if (rv != CKR_OK)
		return rv;
	rv = ep11_key_read(e, why, v, n, h);
	if (e->token.ops->destroy(e->token.ctx, h) != CKR_OK && rv == CKR_OK) {
		OPENSSL_secure_clear_free(*v, *n);
		*v = NULL;
		rv = CKR_FUNCTION_FAILED;
	}
	return rv;
}

/* The length of a DER SEQUENCE at the front of n bytes; 0: none. */
static size_t
der_len(const uint8_t *p, size_t n)
{
	if (n > 2 && p[1] < 0x80)
		return 2 + (size_t)p[1];
	if (n > 3 && p[1] == 0x81)
		return 3 + (size_t)p[2];
	if (n > 4 && p[1] == 0x82)
		return 4 + ((size_t)p[2] << 8 | p[3]);
	return 0;
}

/* SoftHSM fills up to whole blocks with zeros before it wraps: the length is
 * that of the outer SEQUENCE, or of the secret as the blob says. */
static CK_RV
trim(uint8_t **v, size_t *n, const struct ep11_blob *b)
{
	size_t whole = b->bits / 8;
	uint8_t *p;

	if (b->cls == CKO_PRIVATE_KEY)
		whole = der_len(*v, *n);
	else if (b->type != CKK_GENERIC_SECRET)
		return CKR_OK;
	if (whole == 0 || whole > *n)
		return CKR_IBM_BLOB_ERROR;
	p = OPENSSL_secure_malloc(whole);
	if (p == NULL)
		return CKR_HOST_MEMORY;
	memcpy(p, *v, whole);
	OPENSSL_secure_clear_free(*v, *n);
	*v = p;
	*n = whole;
	return CKR_OK;
}

CK_RV
ep11_key_value(struct ep11_engine *e, const struct ep11_key *k,
    enum ep11_exposure why, uint8_t **v, size_t *n)
{
	struct hsa_slice blob = ep11_cache_blob(k);
	struct ep11_blob b = {0};
	uint8_t *value = NULL;
	size_t len = 0;
	CK_RV rv;

	if (k->cls == CKO_PUBLIC_KEY)
		return CKR_KEY_TYPE_INCONSISTENT;
	if (!hsa_is_ok(ep11_blob_decode(&b, blob.p, blob.n)))
		return CKR_IBM_BLOB_ERROR;
	rv = value_of(e, &value, &len, b.wrapped, why);
	if (rv == CKR_OK)
		rv = trim(&value, &len, &b);
	if (rv != CKR_OK) {
		OPENSSL_secure_clear_free(value, len);
		return rv;
	}
	*v = value;
	*n = len;
	return CKR_OK;
}

/* ---- into the token ------------------------------------------------------ */

static CK_RV
load_object(
    struct ep11_engine *e, struct ep11_key *k, const struct ep11_blob *b)
{
	bool secret = b->cls == CKO_SECRET_KEY;
	CK_OBJECT_CLASS cls = b->cls;
	CK_KEY_TYPE type = b->type;
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)}, {CKA_SIGN, &yes, sizeof(yes)},
	    {CKA_DECRYPT, &yes, sizeof(yes)}, {CKA_UNWRAP, &yes, sizeof(yes)},
	    {CKA_DERIVE, &yes, sizeof(yes)}, {CKA_VERIFY, &yes, sizeof(yes)},
	    {CKA_ENCRYPT, &yes, sizeof(yes)}, {CKA_WRAP, &yes, sizeof(yes)}};

	return unwrap_rv(ep11_wk_unwrap(&e->current, &e->token, &k->h,
	    b->wrapped.p, b->wrapped.n, t, secret ? LEN(t) : LEN(t) - 3));
}

/* See SECRET_LENGTH of ep11_exposure.def. */
static CK_RV
load_cut(struct ep11_engine *e, struct ep11_key *k, const struct ep11_blob *b)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = b->type;
	uint8_t *value = NULL;
	size_t n = 0;
	CK_RV rv =
	    value_of(e, &value, &n, b->wrapped, EP11_EXPOSURE_SECRET_LENGTH);

	if (rv == CKR_OK)
		rv = trim(&value, &n, b);
	if (rv == CKR_OK) {
		const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
		    {CKA_KEY_TYPE, &type, sizeof(type)},
		    {CKA_PRIVATE, &yes, sizeof(yes)},
		    {CKA_SENSITIVE, &yes, sizeof(yes)},
		    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
		    {CKA_SIGN, &yes, sizeof(yes)},
		    {CKA_VERIFY, &yes, sizeof(yes)},
		    {CKA_DERIVE, &yes, sizeof(yes)}, {CKA_VALUE, value, n}};

		rv = ep11_trouble(
		    e->token.ops->create(e->token.ctx, &k->h, t, LEN(t)));
	}
	OPENSSL_secure_clear_free(value, n);
	return rv;
}

/* Edwards and Montgomery keys: see ED_LOAD of ep11_exposure.def. */
static CK_RV
load_value(struct ep11_engine *e, struct ep11_key *k, const struct ep11_blob *b)
{
	CK_OBJECT_CLASS cls = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = ep11_token_type(b->type, k->curve);
	uint8_t *pkcs8 = NULL, *raw = NULL;
	struct ep11_pkey key = {0};
	size_t n = 0, raw_n = 0;
	CK_RV rv;

	if (type != CKK_EC_EDWARDS)
		return CKR_IBM_BLOB_ERROR;
	rv = value_of(e, &pkcs8, &n, b->wrapped, EP11_EXPOSURE_ED_LOAD);
	if (rv == CKR_OK && (ep11_pkey_private(&key, pkcs8, n) != CKR_OK ||
				key.curve != k->curve))
		rv = CKR_IBM_BLOB_ERROR;
	if (rv == CKR_OK)
		rv = ep11_pkey_raw(&raw, &raw_n, &key);
	if (rv == CKR_OK) {
		const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
		    {CKA_KEY_TYPE, &type, sizeof(type)},
		    {CKA_PRIVATE, &yes, sizeof(yes)},
		    {CKA_SENSITIVE, &yes, sizeof(yes)},
		    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
		    {CKA_SIGN, &yes, sizeof(yes)},
		    {CKA_DERIVE, &yes, sizeof(yes)},
		    {CKA_EC_PARAMS, ep11_input(b->params.p), b->params.n},
		    {CKA_VALUE, raw, raw_n}};

		rv = ep11_trouble(
		    e->token.ops->create(e->token.ctx, &k->h, t, LEN(t)));
	}
	ep11_pkey_free(&key);
	OPENSSL_secure_clear_free(pkcs8, n);
	OPENSSL_secure_clear_free(raw, raw_n);
	return rv;
}

static CK_RV
load_key(struct ep11_engine *e, struct ep11_key *k, const struct ep11_blob *b)
{
	k->cls = b->cls;
	k->type = b->type;
	k->bits = b->bits;
	k->spki = b->spki;
	if (b->type == CKK_EC && b->cls == CKO_PRIVATE_KEY) {
		k->curve = ep11_curve_find(b->params.p, b->params.n);
		if (k->curve == NULL)
			return CKR_IBM_BLOB_ERROR;
	}
	if (b->form == EP11_FORM_VALUE)
		return load_value(e, k, b);
	if (b->type == CKK_GENERIC_SECRET && b->bits % 64 != 0)
		return load_cut(e, k, b);
	return load_object(e, k, b);
}

static CK_RV
load(struct ep11_engine *e, struct ep11_key **out, const struct ep11_opened *o,
    struct hsa_slice blob)
{
	struct ep11_key k = {.bools = o->bools, .mode = o->mode};
	CK_RV rv;

	k.bound = o->bound;
	memcpy(k.session, o->session, sizeof(k.session));
	memcpy(k.id, o->id, sizeof(k.id));
	if (o->is_public)
		rv = ep11_key_load_spki(e, &k.h, &k, o->spki.spki);
	else
		rv = load_key(e, &k, &o->key);
	if (rv != CKR_OK)
		return rv;
	*out = ep11_cache_add(e->cache, &e->token, &k, blob);
	if (*out != NULL)
		return CKR_OK;
	(void)e->token.ops->destroy(e->token.ctx, k.h);
	return CKR_HOST_MEMORY;
}

static CK_RV
may(struct ep11_engine *e, bool bound, const uint8_t session[EP11_SESSION_LEN],
    uint32_t bools, uint32_t use)
{
	CK_RV rv = ep11_key_allowed(e, bound, session);

	if (rv == CKR_OK && (bools & use) != use)
		rv = CKR_KEY_FUNCTION_NOT_PERMITTED;
	return rv;
}

CK_RV
ep11_key_get(struct ep11_engine *e, struct ep11_key **out, struct hsa_call *c,
    struct hsa_slice blob, uint32_t use)
{
	struct ep11_key *k = NULL;
	struct ep11_opened o;
	CK_RV rv;

	/* found again byte for byte: what it says was MACed */
	if (e->current.set && blob.n != 0)
		k = ep11_cache_find(e->cache, blob);
	if (k != NULL) {
		ep11_key_named(c, k->id, k->bound, k->session);
		rv = may(e, k->bound, k->session, k->bools, use);
		if (rv != CKR_OK)
			ep11_key_put(e, k);
		else
			*out = k;
		return rv;
	}
	rv = ep11_key_open(e, &o, blob);
	if (rv != CKR_OK)
		return rv;
	ep11_key_named(c, o.id, o.bound, o.session);
	rv = may(e, o.bound, o.session, o.bools, use);
	if (rv == CKR_OK)
		rv = load(e, out, &o, blob);
	return rv;
}

void
ep11_key_put(struct ep11_engine *e, struct ep11_key *k)
{
	if (k != NULL)
		ep11_cache_put(e->cache, &e->token, k);
}
