#include <openssl/crypto.h>
#include <string.h>

#include "ep11_make.h"
#include "ep11_policy.h"
#include "hsa_hash.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

void
ep11_make_drop(struct ep11_engine *e, CK_OBJECT_HANDLE h)
{
	if (h != 0)
		(void)e->token.ops->destroy(e->token.ctx, h);
}

/* ---- templates for the token --------------------------------------------- */

static CK_ATTRIBUTE *
next(struct ep11_attrs *t, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE *a = &t->a[t->n++];

	a->type = type;
	return a;
}

static void
flag(struct ep11_attrs *t, CK_ATTRIBUTE_TYPE type, bool v)
{
	CK_ATTRIBUTE *a = next(t, type);

	a->pValue = v ? &yes : &no;
	a->ulValueLen = sizeof(yes);
}

void
ep11_attrs_num(struct ep11_attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG v)
{
	CK_ULONG *to = &t->num[t->n];
	CK_ATTRIBUTE *a = next(t, type);

	*to = v;
	a->pValue = to;
	a->ulValueLen = sizeof(*to);
}

void
ep11_attrs_bytes(
    struct ep11_attrs *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	CK_ATTRIBUTE *a = next(t, type);

	a->pValue = ep11_input(p);
	a->ulValueLen = n;
}

void
ep11_attrs_key(
    struct ep11_attrs *t, CK_OBJECT_CLASS cls, CK_KEY_TYPE type, bool secret)
{
	static const CK_ATTRIBUTE_TYPE uses[] = {CKA_SIGN, CKA_DECRYPT,
	    CKA_UNWRAP, CKA_DERIVE, CKA_VERIFY, CKA_ENCRYPT, CKA_WRAP};
	size_t n = cls == CKO_SECRET_KEY ? 7 : 4;

	memset(t, 0, sizeof(*t));
	ep11_attrs_num(t, CKA_CLASS, cls);
	ep11_attrs_num(t, CKA_KEY_TYPE, type);
	flag(t, CKA_PRIVATE, true);
	flag(t, CKA_SENSITIVE, secret);
	flag(t, CKA_EXTRACTABLE, true);
	for (size_t i = 0; i < n; i++)
		flag(t, uses[i], true);
}

/* ---- what the call asks for ---------------------------------------------- */

CK_RV
ep11_make_begin(struct ep11_engine *e, struct ep11_make *m, struct hsa_call *c)
{
	CK_RV rv;

	memset(m, 0, sizeof(*m));
	if (!e->current.set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	rv = ep11_template_read(&m->t, c->attr, c->attr_len);
	if (rv == CKR_OK && m->t.has_compliance &&
	    m->t.compliance != e->compliance)
		rv = CKR_IBM_MODE_CONFLICT;
	if (rv == CKR_OK)
		rv = ep11_key_session(e, m->session, &m->bound, c);
	return rv;
}

CK_RV
ep11_make_bools(const struct ep11_engine *e, uint32_t *word,
    const struct ep11_template *t, CK_OBJECT_CLASS cls, CK_KEY_TYPE type,
    const struct ep11_curve *curve)
{
	uint32_t cannot = 0;
	CK_RV rv = ep11_bools_new(word, cls, type, t, e->cp);

	if (rv != CKR_OK)
		return rv;
	if (curve != NULL && curve->kind == EP11_CURVE_EDWARDS)
		cannot = EP11_DERIVE;
	if (curve != NULL && curve->kind == EP11_CURVE_MONTGOMERY)
		cannot = EP11_SIGN | EP11_VERIFY;
	if ((t->values & cannot) != 0)
		return CKR_TEMPLATE_INCONSISTENT;
	*word &= ~cannot;
	return CKR_OK;
}

static bool
class_and_type(
    const struct ep11_template *t, CK_OBJECT_CLASS cls, CK_KEY_TYPE type)
{
	return (!t->has_class || t->cls == cls) &&
	       (!t->has_type || t->type == type);
}

CK_RV
ep11_make_secret(const struct ep11_engine *e, struct ep11_make *m,
    CK_KEY_TYPE type, uint64_t len)
{
	const struct ep11_template *t = &m->t;
	CK_RV rv;

	if (!class_and_type(t, CKO_SECRET_KEY, type) || t->has_bits ||
	    t->exponent.n + t->ec_params.n + t->struct_params.n + t->prime.n +
		    t->subprime.n + t->base.n !=
		0)
		return CKR_TEMPLATE_INCONSISTENT;
	if (!ep11_policy_secret_len(type, len))
		return CKR_KEY_SIZE_RANGE;
	m->cls = CKO_SECRET_KEY;
	m->type = type;
	m->bits = (uint32_t)len * 8;
	rv = ep11_policy_key(e->cp, type, m->bits, NULL);
	if (rv == CKR_OK)
		rv = ep11_make_bools(
		    e, &m->bools, t, CKO_SECRET_KEY, type, NULL);
	return rv;
}

CK_RV
ep11_make_private(
    const struct ep11_engine *e, struct ep11_make *m, const struct ep11_pkey *k)
{
	if (!class_and_type(&m->t, CKO_PRIVATE_KEY, k->type) ||
	    m->t.has_value_len)
		return CKR_TEMPLATE_INCONSISTENT;
	m->cls = CKO_PRIVATE_KEY;
	m->type = k->type;
	m->bits = k->bits;
	m->curve = k->curve;
	return ep11_make_bools(
	    e, &m->bools, &m->t, CKO_PRIVATE_KEY, k->type, k->curve);
}

/* ---- objects ------------------------------------------------------------- */

CK_RV
ep11_make_value(struct ep11_engine *e, CK_OBJECT_HANDLE *h,
    const struct ep11_make *m, const void *v, size_t n)
{
	struct ep11_attrs t;

	ep11_attrs_key(&t, CKO_SECRET_KEY, m->type, true);
	ep11_attrs_bytes(&t, CKA_VALUE, v, n);
	return ep11_trouble(e->token.ops->create(e->token.ctx, h, t.a, t.n));
}

CK_RV
ep11_make_length(struct ep11_engine *e, size_t *n, CK_OBJECT_HANDLE h)
{
	CK_ATTRIBUTE a = {.type = CKA_VALUE};
	CK_RV rv = e->token.ops->get(e->token.ctx, h, &a, 1);

	if (rv == CKR_OK)
		*n = a.ulValueLen;
	return ep11_trouble(rv);
}

CK_RV
ep11_make_cut(struct ep11_engine *e, CK_OBJECT_HANDLE *h,
    const struct ep11_make *m, size_t n)
{
	CK_OBJECT_HANDLE whole = *h, cut = 0;
	uint8_t *v = NULL;
	size_t len = 0;
	CK_RV rv =
	    ep11_key_read(e, EP11_EXPOSURE_SECRET_LENGTH, &v, &len, whole);

	if (rv == CKR_OK && n > len)
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		rv = ep11_make_value(e, &cut, m, v, n);
	if (rv == CKR_OK) {
		ep11_make_drop(e, whole);
		*h = cut;
	}
	OPENSSL_secure_clear_free(v, len);
	return rv;
}

/* ---- checksums (ep11-host-api 4) ----------------------------------------- */

/* Three bytes: AES and DES keys of a zero block under ECB; generic secrets, of
 * which EP11 does not say, as PKCS #11 has CKA_CHECK_VALUE: of SHA-1 over the
 * value, which the token hashes inside. */
CK_RV
ep11_csum(struct ep11_engine *e, struct hsa_buf *out, CK_OBJECT_HANDLE h,
    CK_KEY_TYPE type, uint32_t bits)
{
	static const uint8_t zero[16];
	bool aes = type == CKK_AES;
	CK_MECHANISM m = {.mechanism = aes ? CKM_AES_ECB : CKM_DES3_ECB};
	uint8_t block[32];
	size_t n = sizeof(block);
	CK_RV rv;

	if (type == CKK_GENERIC_SECRET)
		rv = e->token.ops->digest_key(
		    e->token.ctx, CKM_SHA_1, NULL, 0, h, NULL, 0, block, &n);
	else
		rv = e->token.ops->encrypt(
		    e->token.ctx, &m, h, zero, aes ? 16 : 8, block, &n);
	if (rv == CKR_OK && n < 3)
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK) {
		hsa_buf_put(out, block, 3);
		hsa_buf_be32(out, bits);
	}
	hsa_wipe(block, sizeof(block));
	return ep11_trouble(rv);
}

/* ---- blobs --------------------------------------------------------------- */

static struct hsa_slice
session_of(const struct ep11_make *m)
{
	return (struct hsa_slice){m->session, m->bound ? EP11_SESSION_LEN : 0};
}

CK_RV
ep11_make_done(struct ep11_engine *e, struct hsa_call *c,
    const struct ep11_make *m, CK_OBJECT_HANDLE h)
{
	struct ep11_key_new n = {.h = h,
	    .cls = CKO_SECRET_KEY,
	    .type = m->type,
	    .bits = m->bits,
	    .bools = m->bools,
	    .session = session_of(m)};
	CK_RV rv = ep11_csum(e, &c->out2, h, m->type, m->bits);

	if (rv == CKR_OK)
		rv = ep11_key_seal(e, &c->out, c, &n);
	return rv;
}

bool
ep11_make_wraps(const struct ep11_curve *curve)
{
	return curve == NULL || curve->kind == EP11_CURVE_PRIME;
}

uint32_t
ep11_make_mirror(uint32_t bools)
{
	static const struct {
		uint32_t private, public;
	} pairs[] = {{EP11_SIGN, EP11_VERIFY}, {EP11_DECRYPT, EP11_ENCRYPT},
	    {EP11_UNWRAP, EP11_WRAP}, {EP11_DERIVE, EP11_DERIVE},
	    {EP11_SIGN_RECOVER, EP11_VERIFY_RECOVER}};
	/* what is no use: may be copied, may be changed, bound or not */
	uint32_t word = EP11_EXTRACTABLE |
			(bools & (EP11_MODIFIABLE | EP11_NEVER_MODIFIABLE |
				     EP11_RESTRICTABLE | EP11_ATTRBOUND));

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if ((bools & pairs[i].private) != 0)
			word |= pairs[i].public;
	return word;
}

CK_RV
ep11_make_done_private(struct ep11_engine *e, struct hsa_call *c,
    const struct ep11_make *m, CK_OBJECT_HANDLE h, const struct ep11_pkey *k,
    uint32_t bools)
{
	struct ep11_key_new n = {.h = h,
	    .cls = CKO_PRIVATE_KEY,
	    .type = m->type,
	    .bits = m->bits,
	    .bools = m->bools,
	    .session = session_of(m)};
	struct hsa_buf spki = {0};
	uint8_t *value = NULL;
	size_t len = 0;
	CK_RV rv = ep11_pkey_spki(&spki, k);

	if (rv == CKR_OK && h == 0)
		rv = ep11_pkey_pkcs8(&value, &len, k);
	n.value = (struct hsa_slice){value, len};
	n.spki = (struct hsa_slice){spki.p, spki.len};
	if (m->curve != NULL)
		n.params = (struct hsa_slice){m->curve->oid, m->curve->oid_len};
	if (rv == CKR_OK)
		rv = ep11_key_seal(e, &c->out, c, &n);
	if (rv == CKR_OK)
		rv = ep11_key_seal_public(
		    e, &c->out2, n.spki, bools, session_of(m));
	OPENSSL_secure_clear_free(value, len);
	hsa_buf_free(&spki);
	return rv;
}
