/* The EP11 engine's token (ep11_token.h) on pooled sessions. */
#include <string.h>

#include "bk_core.h"
#include "bk_object.h"

/* SoftHSM refuses NULL where there are no bytes, and takes an output of NULL
 * for a question about its length, which leaves the operation active. */
static void *
in_of(const void *p, size_t n)
{
	static const uint8_t nothing;

	return ep11_input(n == 0 ? &nothing : p);
}

static uint8_t *
out_of(uint8_t *out, CK_ULONG *n, uint8_t *nothing)
{
	if (out != NULL)
		return out;
	*n = 0;
	return nothing;
}

static CK_RV
t_random(void *ctx, void *p, size_t n)
{
	struct bk_p11 *b = ctx;
	CK_SESSION_HANDLE h = 0;
	CK_RV rv;

	if (n == 0)
		return CKR_OK;
	rv = bk_ep11_take(&b->ep11, &h);
	if (rv != CKR_OK)
		return rv;
	rv = b->ck.C_GenerateRandom(h, p, n);
	return bk_ep11_give(&b->ep11, h, rv, false);
}

static CK_RV
t_seed(void *ctx, const void *p, size_t n)
{
	struct bk_p11 *b = ctx;
	CK_SESSION_HANDLE h = 0;
	CK_RV rv = bk_ep11_take(&b->ep11, &h);

	if (rv != CKR_OK)
		return rv;
	rv = b->ck.C_SeedRandom(h, in_of(p, n), n);
	return bk_ep11_give(&b->ep11, h, rv, false);
}

static CK_RV
t_digest(void *ctx, CK_MECHANISM_TYPE hash, const void *in, size_t n,
    uint8_t *out, size_t *on)
{
	CK_MECHANISM m = {.mechanism = hash};
	struct bk_p11 *b = ctx;
	CK_SESSION_HANDLE h = 0;
	CK_ULONG len = *on;
	uint8_t nothing;
	CK_RV rv = bk_ep11_take(&b->ep11, &h);

	if (rv != CKR_OK)
		return rv;
	out = out_of(out, &len, &nothing);
	rv = b->ck.C_DigestInit(h, &m);
	if (rv == CKR_OK)
		rv = b->ck.C_Digest(h, in_of(in, n), n, out, &len);
	*on = len;
	return bk_ep11_give(&b->ep11, h, rv, true);
}

static CK_RV
t_digest_key(void *ctx, CK_MECHANISM_TYPE hash, const void *before, size_t bn,
    CK_OBJECT_HANDLE key, const void *after, size_t an, uint8_t *out,
    size_t *on)
{
	CK_MECHANISM m = {.mechanism = hash};
	struct bk_p11 *b = ctx;
	CK_SESSION_HANDLE h = 0;
	CK_ULONG len = *on;
	uint8_t nothing;
	CK_RV rv = bk_ep11_take(&b->ep11, &h);

	if (rv != CKR_OK)
		return rv;
	out = out_of(out, &len, &nothing);
	rv = b->ck.C_DigestInit(h, &m);
	if (rv == CKR_OK && bn != 0)
		rv = b->ck.C_DigestUpdate(h, ep11_input(before), bn);
	if (rv == CKR_OK)
		rv = b->ck.C_DigestKey(h, key);
	if (rv == CKR_OK && an != 0)
		rv = b->ck.C_DigestUpdate(h, ep11_input(after), an);
	if (rv == CKR_OK)
		rv = b->ck.C_DigestFinal(h, out, &len);
	*on = len;
	return bk_ep11_give(&b->ep11, h, rv, true);
}

/* Encryption, decryption and signing have one shape in Cryptoki. */
static CK_RV
whole(struct bk_p11 *b, CK_C_EncryptInit init, CK_C_Encrypt once,
    CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in, size_t n,
    uint8_t *out, size_t *on)
{
	CK_SESSION_HANDLE h = 0;
	CK_ULONG len = *on;
	uint8_t nothing;
	CK_RV rv = bk_ep11_take(&b->ep11, &h);

	if (rv != CKR_OK)
		return rv;
	out = out_of(out, &len, &nothing);
	rv = init(h, m, key);
	if (rv == CKR_OK)
		rv = once(h, in_of(in, n), n, out, &len);
	*on = len;
	return bk_ep11_give(&b->ep11, h, rv, true);
}

static CK_RV
t_encrypt(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
    size_t n, uint8_t *out, size_t *on)
{
	struct bk_p11 *b = ctx;

	return whole(
	    b, b->ck.C_EncryptInit, b->ck.C_Encrypt, m, key, in, n, out, on);
}

static CK_RV
t_decrypt(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
    size_t n, uint8_t *out, size_t *on)
{
	struct bk_p11 *b = ctx;

	return whole(
	    b, b->ck.C_DecryptInit, b->ck.C_Decrypt, m, key, in, n, out, on);
}

static CK_RV
t_sign(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
    size_t n, uint8_t *out, size_t *on)
{
	struct bk_p11 *b = ctx;

	return whole(b, b->ck.C_SignInit, b->ck.C_Sign, m, key, in, n, out, on);
}

static CK_RV
t_verify(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
    size_t n, const void *sig, size_t sn)
{
	struct bk_p11 *b = ctx;
	CK_SESSION_HANDLE h = 0;
	CK_RV rv = bk_ep11_take(&b->ep11, &h);

	if (rv != CKR_OK)
		return rv;
	rv = b->ck.C_VerifyInit(h, m, key);
	if (rv == CKR_OK)
		rv = b->ck.C_Verify(h, in_of(in, n), n, in_of(sig, sn), sn);
	return bk_ep11_give(&b->ep11, h, rv, true);
}

/* ---- objects ------------------------------------------------------------- */

#define ATTR_MAX 32

struct attrs {
	CK_ATTRIBUTE a[ATTR_MAX];
	CK_ULONG n;
};

/* The caller's template and CKA_TOKEN false. */
static CK_RV
session_only(struct attrs *to, const CK_ATTRIBUTE *t, size_t n)
{
	static CK_BBOOL no = CK_FALSE;

	if (n >= ATTR_MAX)
		return CKR_ARGUMENTS_BAD;
	if (n != 0)
		memcpy(to->a, t, n * sizeof(*t));
	to->a[n] = (CK_ATTRIBUTE){CKA_TOKEN, &no, sizeof(no)};
	to->n = n + 1;
	return CKR_OK;
}

static CK_RV
t_create(void *ctx, CK_OBJECT_HANDLE *obj, const CK_ATTRIBUTE *t, size_t n)
{
	struct bk_ep11_owner *o = NULL;
	struct bk_p11 *b = ctx;
	struct attrs as;
	CK_RV rv = session_only(&as, t, n);

	if (rv == CKR_OK)
		rv = bk_ep11_own(&b->ep11, &o);
	if (rv == CKR_OK)
		rv = b->ck.C_CreateObject(o->h, as.a, as.n, obj);
	return bk_ep11_disown(o, rv);
}

static CK_RV
t_copy(void *ctx, CK_OBJECT_HANDLE *obj, CK_OBJECT_HANDLE from,
    const CK_ATTRIBUTE *t, size_t n)
{
	struct bk_ep11_owner *o = NULL;
	struct bk_p11 *b = ctx;
	struct attrs as;
	CK_RV rv = session_only(&as, t, n);

	if (rv == CKR_OK)
		rv = bk_ep11_own(&b->ep11, &o);
	if (rv == CKR_OK)
		rv = b->ck.C_CopyObject(o->h, from, as.a, as.n, obj);
	return bk_ep11_disown(o, rv);
}

static CK_RV
t_get(void *ctx, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE *t, size_t n)
{
	struct bk_p11 *b = ctx;
	CK_SESSION_HANDLE h = 0;
	CK_RV rv = bk_ep11_take(&b->ep11, &h);

	if (rv != CKR_OK)
		return rv;
	rv = b->ck.C_GetAttributeValue(h, obj, t, n);
	return bk_ep11_give(&b->ep11, h, rv, false);
}

static CK_RV
t_destroy(void *ctx, CK_OBJECT_HANDLE obj)
{
	struct bk_p11 *b = ctx;
	CK_SESSION_HANDLE h = 0;
	CK_RV rv = bk_ep11_take(&b->ep11, &h);

	if (rv != CKR_OK)
		return rv;
	rv = b->ck.C_DestroyObject(h, obj);
	return bk_ep11_give(&b->ep11, h, rv, false);
}

static CK_RV
t_generate(void *ctx, CK_OBJECT_HANDLE *obj, CK_MECHANISM *m,
    const CK_ATTRIBUTE *t, size_t n)
{
	struct bk_ep11_owner *o = NULL;
	struct bk_p11 *b = ctx;
	struct attrs as;
	CK_RV rv = session_only(&as, t, n);

	if (rv == CKR_OK)
		rv = bk_ep11_own(&b->ep11, &o);
	if (rv == CKR_OK)
		rv = b->ck.C_GenerateKey(o->h, m, as.a, as.n, obj);
	return bk_ep11_disown(o, rv);
}

static CK_RV
t_pair(void *ctx, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv,
    CK_MECHANISM *m, const CK_ATTRIBUTE *pub_t, size_t pub_n,
    const CK_ATTRIBUTE *priv_t, size_t priv_n)
{
	struct bk_ep11_owner *o = NULL;
	struct attrs pub_as, priv_as;
	struct bk_p11 *b = ctx;
	CK_RV rv = session_only(&pub_as, pub_t, pub_n);

	if (rv == CKR_OK)
		rv = session_only(&priv_as, priv_t, priv_n);
	if (rv == CKR_OK)
		rv = bk_ep11_own(&b->ep11, &o);
	if (rv == CKR_OK)
		rv = b->ck.C_GenerateKeyPair(o->h, m, pub_as.a, pub_as.n,
		    priv_as.a, priv_as.n, pub, priv);
	return bk_ep11_disown(o, rv);
}

static CK_RV
t_wrap(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE by, CK_OBJECT_HANDLE key,
    uint8_t *out, size_t *on)
{
	struct bk_p11 *b = ctx;
	CK_SESSION_HANDLE h = 0;
	CK_ULONG len = *on;
	uint8_t nothing;
	CK_RV rv = bk_ep11_take(&b->ep11, &h);

	if (rv != CKR_OK)
		return rv;
	out = out_of(out, &len, &nothing);
	rv = b->ck.C_WrapKey(h, m, by, key, out, &len);
	*on = len;
	return bk_ep11_give(&b->ep11, h, rv, true);
}

static CK_RV
t_unwrap(void *ctx, CK_OBJECT_HANDLE *obj, CK_MECHANISM *m, CK_OBJECT_HANDLE by,
    const void *in, size_t n, const CK_ATTRIBUTE *t, size_t tn)
{
	struct bk_ep11_owner *o = NULL;
	struct bk_p11 *b = ctx;
	struct attrs as;
	CK_RV rv = session_only(&as, t, tn);

	if (rv == CKR_OK)
		rv = bk_ep11_own(&b->ep11, &o);
	if (rv == CKR_OK)
		rv = b->ck.C_UnwrapKey(
		    o->h, m, by, in_of(in, n), n, as.a, as.n, obj);
	return bk_ep11_disown(o, rv);
}

static CK_RV
t_derive(void *ctx, CK_OBJECT_HANDLE *obj, CK_MECHANISM *m,
    CK_OBJECT_HANDLE base, const CK_ATTRIBUTE *t, size_t n)
{
	struct bk_ep11_owner *o = NULL;
	struct bk_p11 *b = ctx;
	struct attrs as;
	CK_RV rv = session_only(&as, t, n);

	if (rv == CKR_OK)
		rv = bk_ep11_own(&b->ep11, &o);
	if (rv == CKR_OK)
		rv = b->ck.C_DeriveKey(o->h, m, base, as.a, as.n, obj);
	return bk_ep11_disown(o, rv);
}

/* The token object itself derives nothing; SoftHSM lets its copy do so. */
static CK_RV
t_master(void *ctx, CK_OBJECT_HANDLE *obj, const uint8_t id[16])
{
	static CK_BBOOL yes = CK_TRUE;
	const CK_ATTRIBUTE uses[] = {{CKA_WRAP, &yes, sizeof(yes)},
	    {CKA_UNWRAP, &yes, sizeof(yes)}, {CKA_DERIVE, &yes, sizeof(yes)}};
	struct cu_key_id key = {.set = true};
	CK_OBJECT_HANDLE found = 0;
	struct bk_p11 *b = ctx;
	struct bk_ses s = {0};
	hsa_rc rc;

	if (!bk_ep11_alive(&b->ep11))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	memcpy(key.b, id, sizeof(key.b));
	rc = bk_core_enter(b, &s);
	if (hsa_is_ok(rc))
		rc = bk_object_find(
		    &s, &found, CKO_SECRET_KEY, BK_LABEL_MASTER, &key);
	bk_core_leave(b, &s);
	if (rc.v == HSA_E_NOT_FOUND)
		return CKR_OBJECT_HANDLE_INVALID;
	if (!hsa_is_ok(rc))
		return CKR_GENERAL_ERROR;
	return t_copy(b, obj, found, uses, sizeof(uses) / sizeof(uses[0]));
}

struct ep11_token
bk_p11_token(struct bk_p11 *b)
{
	static const struct ep11_token_ops ops = {
	    .random = t_random,
	    .seed = t_seed,
	    .digest = t_digest,
	    .digest_key = t_digest_key,
	    .encrypt = t_encrypt,
	    .decrypt = t_decrypt,
	    .sign = t_sign,
	    .verify = t_verify,
	    .create = t_create,
	    .copy = t_copy,
	    .get = t_get,
	    .destroy = t_destroy,
	    .generate = t_generate,
	    .pair = t_pair,
	    .wrap = t_wrap,
	    .unwrap = t_unwrap,
	    .derive = t_derive,
	    .master = t_master,
	};

	return (struct ep11_token){&ops, b};
}
