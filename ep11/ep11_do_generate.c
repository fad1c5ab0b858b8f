/* GenerateKey and GenerateKeyPair. */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#include "ep11_make.h"
#include "ep11_policy.h"
#include "ep11_spki.h"

/* What only a key's maker knows of it. */
static uint32_t
made_here(uint32_t bools)
{
	bools |= EP11_LOCAL;
	if ((bools & EP11_EXTRACTABLE) == 0)
		bools |= EP11_NEVER_EXTRACTABLE;
	return bools;
}

/* ---- secret keys --------------------------------------------------------- */

CK_RV
ep11_do_generate_key(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = NULL;
	CK_MECHANISM mech = {0};
	CK_OBJECT_HANDLE h = 0;
	struct ep11_attrs as;
	struct ep11_make m;
	uint64_t len = 0;
	CK_RV rv = ep11_mech_use(&row, e->cp, &c->mech, CKF_GENERATE);

	if (rv == CKR_OK)
		rv = ep11_make_begin(e, &m, c);
	if (rv != CKR_OK)
		return rv;
	len = row->key_type == CKK_DES2   ? 16
	      : row->key_type == CKK_DES3 ? 24
					  : m.t.value_len;
	if (m.t.has_value_len && m.t.value_len != len)
		return CKR_KEY_SIZE_RANGE;
	if (len == 0 && !m.t.has_value_len)
		return CKR_TEMPLATE_INCOMPLETE;
	rv = ep11_make_secret(e, &m, row->key_type, len);
	if (rv != CKR_OK)
		return rv;
	m.bools = made_here(m.bools);
	mech.mechanism = row->token;
	ep11_attrs_key(&as, CKO_SECRET_KEY, m.type, true);
	/* the token takes no length where there is but one */
	if (m.type == CKK_AES || m.type == CKK_GENERIC_SECRET)
		ep11_attrs_num(&as, CKA_VALUE_LEN, len);
	rv = ep11_trouble(
	    e->token.ops->generate(e->token.ctx, &h, &mech, as.a, as.n));
	if (rv == CKR_OK)
		rv = ep11_make_done(e, c, &m, h);
	ep11_make_drop(e, h);
	return rv;
}

/* ---- key pairs ----------------------------------------------------------- */

struct pair {
	struct ep11_make m;     /* private half; t: the public template */
	struct ep11_template t; /* the private template */
	struct ep11_attrs pub;  /* for the token: parameters */
	CK_MECHANISM_TYPE mech;
	uint8_t exponent[8];
	struct hsa_buf p, q, g;
	uint32_t public_bools;
};

/* GREP11's clients give the exponent as an integer, which arrives as eight
 * bytes of a little-endian machine. Read as PKCS #11's big-endian number that
 * is even, and no exponent is. */
static CK_RV
exponent(struct ep11_engine *e, struct pair *p, struct hsa_slice s)
{
	static const uint8_t f4[] = {1, 0, 1};

	if (s.n == 0)
		s = (struct hsa_slice){f4, sizeof(f4)};
	if (s.n == sizeof(p->exponent) && s.p[7] % 2 == 0) {
		for (size_t i = 0; i < sizeof(p->exponent); i++)
			p->exponent[i] = s.p[7 - i];
		s.p = p->exponent;
	}
	while (s.n > 1 && *s.p == 0) {
		s.p++;
		s.n--;
	}
	ep11_attrs_bytes(&p->pub, CKA_PUBLIC_EXPONENT, s.p, s.n);
	return ep11_policy_exponent(e->cp, s.p, s.n);
}

static CK_RV
rsa(struct ep11_engine *e, struct pair *p, const struct ep11_mech_row *row)
{
	const struct ep11_template *t = &p->m.t;

	if (!t->has_bits)
		return CKR_TEMPLATE_INCOMPLETE;
	if (t->ec_params.n + t->struct_params.n != 0)
		return CKR_TEMPLATE_INCONSISTENT;
	/* the token makes moduli of whole bytes */
	if (t->bits < row->min || t->bits > row->max || t->bits % 8 != 0)
		return CKR_KEY_SIZE_RANGE;
	p->m.bits = (uint32_t)t->bits;
	ep11_attrs_num(&p->pub, CKA_MODULUS_BITS, t->bits);
	return exponent(e, p, t->exponent);
}

static CK_RV
ec(struct pair *p, const struct ep11_mech_row *row)
{
	const struct ep11_template *t = &p->m.t;
	const struct ep11_curve *c = NULL;

	if (t->ec_params.n == 0)
		return CKR_TEMPLATE_INCOMPLETE;
	if (t->has_bits || t->exponent.n + t->struct_params.n != 0)
		return CKR_TEMPLATE_INCONSISTENT;
	/* hosts repeat it for the private half, or leave it out */
	if (p->t.ec_params.n != 0 &&
	    (p->t.ec_params.n != t->ec_params.n ||
		memcmp(p->t.ec_params.p, t->ec_params.p, t->ec_params.n) != 0))
		return CKR_TEMPLATE_INCONSISTENT;
	c = ep11_curve_find(t->ec_params.p, t->ec_params.n);
	if (c == NULL || (row->type == CKM_EC_EDWARDS_KEY_PAIR_GEN &&
			     c->kind != EP11_CURVE_EDWARDS))
		return CKR_CURVE_NOT_SUPPORTED;
	p->m.curve = c;
	p->m.bits = c->bits;
	/* CKM_EC_KEY_PAIR_GEN makes all of them at EP11 (ep11-host-api 9.1) */
	p->mech = c->kind == EP11_CURVE_PRIME ? CKM_EC_KEY_PAIR_GEN
					      : CKM_EC_EDWARDS_KEY_PAIR_GEN;
	ep11_attrs_bytes(&p->pub, CKA_EC_PARAMS, c->oid, c->oid_len);
	return CKR_OK;
}

/* ---- domain parameters --------------------------------------------------- */

static bool
put_number(struct hsa_buf *b, const BIGNUM *v)
{
	size_t n = (size_t)BN_num_bytes(v);
	uint8_t *to = hsa_buf_reserve(b, n);

	if (to == NULL)
		return false;
	b->len += n;
	return BN_bn2bin(v, to) == (int)n;
}

/* p prime; q (DSA alone) prime and divides p - 1; g in between, of order q.
 * The token checks nothing and would make keys of any numbers. */
static bool
group(const BIGNUM *p, const BIGNUM *q, const BIGNUM *g)
{
	BN_CTX *x = BN_CTX_new();
	BIGNUM *top = BN_dup(p), *r = BN_new();
	bool good = x != NULL && top != NULL && r != NULL &&
		    BN_sub_word(top, 1) == 1 && BN_cmp(g, BN_value_one()) > 0 &&
		    BN_cmp(g, top) < 0 && BN_check_prime(p, x, NULL) == 1;

	if (good && q != NULL)
		good = BN_check_prime(q, x, NULL) == 1 &&
		       BN_mod(r, top, q, x) == 1 && BN_is_zero(r) &&
		       BN_mod_exp(r, g, q, p, x) == 1 && BN_is_one(r);
	BN_free(r);
	BN_free(top);
	BN_CTX_free(x);
	ERR_clear_error();
	return good;
}

/* CKA_IBM_STRUCT_PARAMS (ep11-host-api 11.3): n numbers of one length; or one
 * attribute each. */
static CK_RV
numbers(const struct ep11_template *t, struct hsa_slice s[3], bool dsa)
{
	size_t n = dsa ? 3 : 2, each = t->struct_params.n / n;

	if (t->struct_params.n == 0) {
		s[0] = t->prime;
		s[1] = dsa ? t->subprime : t->base;
		s[2] = t->base;
		if (s[0].n == 0 || s[1].n == 0 || s[2].n == 0)
			return CKR_TEMPLATE_INCOMPLETE;
		return dsa || t->subprime.n == 0 ? CKR_OK
						 : CKR_TEMPLATE_INCONSISTENT;
	}
	if (t->prime.n + t->subprime.n + t->base.n != 0)
		return CKR_TEMPLATE_INCONSISTENT;
	if (t->struct_params.n % n != 0)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	for (size_t i = 0; i < n; i++)
		s[i] = (struct hsa_slice){t->struct_params.p + i * each, each};
	return CKR_OK;
}

static CK_RV
domain(struct pair *p, const struct ep11_mech_row *row, bool dsa)
{
	const struct ep11_template *t = &p->m.t;
	struct hsa_slice s[3] = {{NULL, 0}};
	BIGNUM *v[3] = {NULL};
	size_t n = dsa ? 3 : 2;
	uint32_t bits = 0;
	CK_RV rv = numbers(t, s, dsa);

	if (rv != CKR_OK)
		return rv;
	if (t->exponent.n + t->ec_params.n != 0)
		return CKR_TEMPLATE_INCONSISTENT;
	for (size_t i = 0; i < n && rv == CKR_OK; i++) {
		if (s[i].n > EP11_FFC_BITS_MAX / 8 + 8)
			rv = CKR_KEY_SIZE_RANGE;
		else if ((v[i] = BN_bin2bn(s[i].p, (int)s[i].n, NULL)) == NULL)
			rv = CKR_HOST_MEMORY;
	}
	if (rv == CKR_OK) {
		bits = (uint32_t)BN_num_bits(v[0]);
		if (bits < row->min || bits > row->max)
			rv = CKR_KEY_SIZE_RANGE;
		else if (t->has_bits && t->bits != bits)
			rv = CKR_TEMPLATE_INCONSISTENT;
		else if (!group(v[0], dsa ? v[1] : NULL, v[n - 1]))
			rv = CKR_DOMAIN_PARAMS_INVALID;
	}
	if (rv == CKR_OK &&
	    !(put_number(&p->p, v[0]) && put_number(&p->g, v[n - 1]) &&
		(!dsa || put_number(&p->q, v[1]))))
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK) {
		p->m.bits = bits;
		ep11_attrs_bytes(&p->pub, CKA_PRIME, p->p.p, p->p.len);
		if (dsa)
			ep11_attrs_bytes(
			    &p->pub, CKA_SUBPRIME, p->q.p, p->q.len);
		ep11_attrs_bytes(&p->pub, CKA_BASE, p->g.p, p->g.len);
	}
	for (size_t i = 0; i < 3; i++)
		BN_free(v[i]);
	return rv;
}

/* ---- both halves --------------------------------------------------------- */

static bool
says(const struct ep11_template *t, CK_OBJECT_CLASS cls, CK_KEY_TYPE type)
{
	return (!t->has_class || t->cls == cls) &&
	       (!t->has_type || t->type == type) && !t->has_value_len;
}

static CK_RV
pair_read(struct ep11_engine *e, struct pair *p, struct hsa_call *c,
    const struct ep11_mech_row *row)
{
	CK_RV rv = ep11_make_begin(e, &p->m, c);

	if (rv == CKR_OK)
		rv = ep11_template_read(&p->t, c->attr2, c->attr2_len);
	if (rv == CKR_OK && (!says(&p->m.t, CKO_PUBLIC_KEY, row->key_type) ||
				!says(&p->t, CKO_PRIVATE_KEY, row->key_type)))
		rv = CKR_TEMPLATE_INCONSISTENT;
	if (rv == CKR_OK && p->t.has_compliance &&
	    p->t.compliance != e->compliance)
		rv = CKR_IBM_MODE_CONFLICT;
	if (rv != CKR_OK)
		return rv;
	p->m.cls = CKO_PRIVATE_KEY;
	p->m.type = row->key_type;
	p->mech = row->token;
	switch (row->key_type) {
	case CKK_RSA:
		return rsa(e, p, row);
	case CKK_EC:
		return ec(p, row);
	case CKK_DSA:
		return domain(p, row, true);
	default:
		return domain(p, row, false);
	}
}

static CK_RV
pair_bools(struct ep11_engine *e, struct pair *p)
{
	CK_RV rv = ep11_policy_key(e->cp, p->m.type, p->m.bits, p->m.curve);

	if (rv == CKR_OK)
		rv = ep11_make_bools(e, &p->public_bools, &p->m.t,
		    CKO_PUBLIC_KEY, p->m.type, p->m.curve);
	if (rv == CKR_OK)
		rv = ep11_make_bools(e, &p->m.bools, &p->t, CKO_PRIVATE_KEY,
		    p->m.type, p->m.curve);
	p->public_bools |= EP11_LOCAL;
	p->m.bools = made_here(p->m.bools);
	return rv;
}

/* Edwards and Montgomery keys: the token does not wrap them, so the value
 * leaves it on the way to the blob (ep11_exposure.def, ED_KEYGEN). */
static CK_RV
take_value(struct ep11_engine *e, struct ep11_pkey *k, CK_OBJECT_HANDLE h)
{
	uint8_t *v = NULL;
	size_t n = 0;
	CK_RV rv = ep11_key_read(e, EP11_EXPOSURE_ED_KEYGEN, &v, &n, h);

	if (rv == CKR_OK)
		rv = ep11_pkey_of_raw(k, k->curve, v, n);
	OPENSSL_secure_clear_free(v, n);
	return rv;
}

static CK_RV
pair_make(struct ep11_engine *e, struct pair *p, struct hsa_call *c)
{
	bool wraps = ep11_make_wraps(p->m.curve);
	CK_MECHANISM mech = {.mechanism = p->mech};
	CK_OBJECT_HANDLE pub = 0, priv = 0;
	struct ep11_pkey k = {0}, whole = {.curve = p->m.curve};
	struct ep11_attrs as;
	CK_RV rv;

	ep11_attrs_key(&as, CKO_PRIVATE_KEY,
	    ep11_token_type(p->m.type, p->m.curve), wraps);
	rv = e->token.ops->pair(
	    e->token.ctx, &pub, &priv, &mech, p->pub.a, p->pub.n, as.a, as.n);
	/* a group that is one, of sizes that the token does not take */
	rv = p->p.len != 0 ? ep11_spoiled(rv, CKR_DOMAIN_PARAMS_INVALID)
			   : ep11_trouble(rv);
	if (rv == CKR_OK)
		rv = ep11_public_read(e, &k, pub, p->m.type, p->m.curve);
	if (rv == CKR_OK && !wraps)
		rv = take_value(e, &whole, priv);
	/* the two halves of one pair, or the token made a mistake */
	if (rv == CKR_OK && !wraps && EVP_PKEY_eq(k.key, whole.key) != 1)
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		rv = ep11_make_done_private(e, c, &p->m, wraps ? priv : 0,
		    wraps ? &k : &whole, p->public_bools);
	ep11_pkey_free(&k);
	ep11_pkey_free(&whole);
	ep11_make_drop(e, pub);
	ep11_make_drop(e, priv);
	return rv;
}

CK_RV
ep11_do_generate_pair(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = NULL;
	struct pair p;
	CK_RV rv = ep11_mech_use(&row, e->cp, &c->mech, CKF_GENERATE_KEY_PAIR);

	if (rv != CKR_OK)
		return rv;
	memset(&p, 0, sizeof(p));
	rv = pair_read(e, &p, c, row);
	if (rv == CKR_OK)
		rv = pair_bools(e, &p);
	if (rv == CKR_OK)
		rv = pair_make(e, &p, c);
	hsa_buf_free(&p.p);
	hsa_buf_free(&p.q);
	hsa_buf_free(&p.g);
	return rv;
}
