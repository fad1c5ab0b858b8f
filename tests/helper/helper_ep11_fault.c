#include "helper_ep11.h"

/* The call, or the failure instead of it. */
#define CALL(f, name, ...)                                                     \
	do {                                                                   \
		if (++(f)->calls == (f)->fail_at) {                            \
			(f)->failed = #name;                                   \
			return (f)->rv;                                        \
		}                                                              \
		return (f)->inner.ops->name((f)->inner.ctx, __VA_ARGS__);      \
	} while (0)

static CK_RV
f_random(void *ctx, void *p, size_t n)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, random, p, n);
}

static CK_RV
f_seed(void *ctx, const void *p, size_t n)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, seed, p, n);
}

static CK_RV
f_digest(void *ctx, CK_MECHANISM_TYPE hash, const void *in, size_t n,
    uint8_t *out, size_t *on)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, digest, hash, in, n, out, on);
}

static CK_RV
f_digest_key(void *ctx, CK_MECHANISM_TYPE hash, const void *before, size_t bn,
    CK_OBJECT_HANDLE key, const void *after, size_t an, uint8_t *out,
    size_t *on)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, digest_key, hash, before, bn, key, after, an, out, on);
}

static CK_RV
f_encrypt(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
    size_t n, uint8_t *out, size_t *on)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, encrypt, m, key, in, n, out, on);
}

static CK_RV
f_decrypt(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
    size_t n, uint8_t *out, size_t *on)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, decrypt, m, key, in, n, out, on);
}

static CK_RV
f_sign(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
    size_t n, uint8_t *out, size_t *on)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, sign, m, key, in, n, out, on);
}

static CK_RV
f_verify(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *in,
    size_t n, const void *sig, size_t sn)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, verify, m, key, in, n, sig, sn);
}

static CK_RV
f_create(void *ctx, CK_OBJECT_HANDLE *h, const CK_ATTRIBUTE *t, size_t n)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, create, h, t, n);
}

static CK_RV
f_copy(void *ctx, CK_OBJECT_HANDLE *h, CK_OBJECT_HANDLE from,
    const CK_ATTRIBUTE *t, size_t n)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, copy, h, from, t, n);
}

static CK_RV
f_get(void *ctx, CK_OBJECT_HANDLE h, CK_ATTRIBUTE *t, size_t n)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, get, h, t, n);
}

/* Not one of the calls that fail: what cannot be destroyed stays, and a count
 * of what stays could not be held against anybody. */
static CK_RV
f_destroy(void *ctx, CK_OBJECT_HANDLE h)
{
	struct helper_ep11_fault *f = ctx;

	return f->inner.ops->destroy(f->inner.ctx, h);
}

static CK_RV
f_generate(void *ctx, CK_OBJECT_HANDLE *h, CK_MECHANISM *m,
    const CK_ATTRIBUTE *t, size_t n)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, generate, h, m, t, n);
}

static CK_RV
f_pair(void *ctx, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv,
    CK_MECHANISM *m, const CK_ATTRIBUTE *pub_t, size_t pub_n,
    const CK_ATTRIBUTE *priv_t, size_t priv_n)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, pair, pub, priv, m, pub_t, pub_n, priv_t, priv_n);
}

static CK_RV
f_wrap(void *ctx, CK_MECHANISM *m, CK_OBJECT_HANDLE by, CK_OBJECT_HANDLE key,
    uint8_t *out, size_t *on)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, wrap, m, by, key, out, on);
}

static CK_RV
f_unwrap(void *ctx, CK_OBJECT_HANDLE *h, CK_MECHANISM *m, CK_OBJECT_HANDLE by,
    const void *in, size_t n, const CK_ATTRIBUTE *t, size_t tn)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, unwrap, h, m, by, in, n, t, tn);
}

static CK_RV
f_derive(void *ctx, CK_OBJECT_HANDLE *h, CK_MECHANISM *m, CK_OBJECT_HANDLE base,
    const CK_ATTRIBUTE *t, size_t n)
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, derive, h, m, base, t, n);
}

static CK_RV
f_master(void *ctx, CK_OBJECT_HANDLE *h, const uint8_t id[16])
{
	struct helper_ep11_fault *f = ctx;

	CALL(f, master, h, id);
}

struct ep11_token
helper_ep11_faulty(struct helper_ep11_fault *f)
{
	static const struct ep11_token_ops ops = {
	    .random = f_random,
	    .seed = f_seed,
	    .digest = f_digest,
	    .digest_key = f_digest_key,
	    .encrypt = f_encrypt,
	    .decrypt = f_decrypt,
	    .sign = f_sign,
	    .verify = f_verify,
	    .create = f_create,
	    .copy = f_copy,
	    .get = f_get,
	    .destroy = f_destroy,
	    .generate = f_generate,
	    .pair = f_pair,
	    .wrap = f_wrap,
	    .unwrap = f_unwrap,
	    .derive = f_derive,
	    .master = f_master,
	};

	return (struct ep11_token){&ops, f};
}
