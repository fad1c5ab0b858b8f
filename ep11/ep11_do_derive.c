/* DeriveKey: ECDH, DH, and hashes of keys. */
#include <openssl/crypto.h>
#include <string.h>

#include "ep11_make.h"
#include "ep11_policy.h"
#include "ep11_spki.h"
#include "hsa_hash.h"

struct derive {
	struct ep11_make m;
	const struct ep11_mech_row *row;
	struct ep11_key *base;
	CK_KEY_TYPE type;
	size_t len; /* of the new key, bytes; 0: all that there is */
};

/* ---- the peer's public value --------------------------------------------- */

/* As it is, or in an OCTET STRING as PKCS #11 has CKA_EC_POINT. */
static bool
point_of(struct hsa_slice *s, const struct ep11_curve *curve)
{
	size_t want = ep11_curve_public_len(curve), head = want < 128 ? 2 : 3;

	if (s->n == want + head && s->p[0] == 0x04 &&
	    s->p[head - 1] == (uint8_t)want && (head == 2 || s->p[1] == 0x81)) {
		s->p += head;
		s->n = want;
	}
	return s->n == want &&
	       (curve->kind != EP11_CURVE_PRIME || s->p[0] == 0x04);
}

/* The token computes with points that are on no curve, if they are but short
 * enough; that is how private keys are stolen. */
static CK_RV
point_checked(struct hsa_slice *s, const struct ep11_curve *curve)
{
	struct ep11_pkey peer = {0};
	CK_RV rv;

	if (!point_of(s, curve))
		return CKR_MECHANISM_PARAM_INVALID;
	rv = ep11_pkey_of_point(&peer, curve, s->p, s->n);
	ep11_pkey_free(&peer);
	return rv;
}

/* 1 < y < p - 1, p being the base key's. */
static CK_RV
dh_checked(struct hsa_slice *s, const struct ep11_key *base)
{
	struct ep11_pkey own = {0}, peer = {0};
	struct hsa_buf p = {0}, g = {0};
	CK_RV rv;

	while (s->n != 0 && *s->p == 0) {
		s->p++;
		s->n--;
	}
	if (s->n == 0 || s->n > ((size_t)base->bits + 7) / 8)
		return CKR_MECHANISM_PARAM_INVALID;
	rv = ep11_pkey_public(&own, base->spki.p, base->spki.n);
	if (rv == CKR_OK)
		rv = ep11_pkey_number(&p, &own, "p", 0);
	if (rv == CKR_OK)
		rv = ep11_pkey_number(&g, &own, "g", 0);
	if (rv == CKR_OK) {
		static const char *const names[] = {"p", "g", "pub"};
		const struct hsa_slice v[] = {{p.p, p.len}, {g.p, g.len}, *s};
		struct hsa_buf spki = {0};
		struct ep11_pkey again = {0};

		/* reading it again is what checks it */
		rv = ep11_pkey_of_numbers(&peer, CKK_DH, names, v, 3);
		if (rv == CKR_OK)
			rv = ep11_pkey_spki(&spki, &peer);
		if (rv == CKR_OK)
			rv = ep11_pkey_public(&again, spki.p, spki.len);
		if (rv != CKR_OK && rv != CKR_HOST_MEMORY)
			rv = CKR_PUBLIC_KEY_INVALID;
		ep11_pkey_free(&again);
		hsa_buf_free(&spki);
	}
	hsa_buf_free(&p);
	hsa_buf_free(&g);
	ep11_pkey_free(&own);
	ep11_pkey_free(&peer);
	return rv;
}

/* ---- inside the token ---------------------------------------------------- */

/*
 * len bytes of the shared secret: its last ones, as PKCS #11 truncates ("from
 * the leading end") and the token does. The lengths of the secret itself are
 * known, so that what is too long is told as such.
 */
static CK_RV
agree(struct ep11_engine *e, CK_OBJECT_HANDLE *h, const struct derive *d,
    CK_MECHANISM *m, CK_KEY_TYPE type, size_t len)
{
	struct ep11_attrs as;
	CK_RV rv;

	ep11_attrs_key(&as, CKO_SECRET_KEY, type, true);
	/* the token takes no length where there is but one */
	if (type == CKK_AES || type == CKK_GENERIC_SECRET)
		ep11_attrs_num(&as, CKA_VALUE_LEN, len);
	rv = e->token.ops->derive(e->token.ctx, h, m, d->base->h, as.a, as.n);
	/* all-zero results of RFC 7748: a peer of low order */
	if (rv != CKR_OK && d->base->curve != NULL &&
	    d->base->curve->kind == EP11_CURVE_MONTGOMERY &&
	    rv != CKR_HOST_MEMORY && rv != CKR_DEVICE_MEMORY)
		return CKR_PUBLIC_KEY_INVALID;
	return ep11_trouble(rv);
}

static size_t
shared_len(const struct ep11_key *base)
{
	return ((size_t)base->bits + 7) / 8;
}

static CK_RV
plain_agree(struct ep11_engine *e, CK_OBJECT_HANDLE *h, struct derive *d,
    CK_MECHANISM *m)
{
	size_t all = shared_len(d->base);
	CK_RV rv;

	if (d->len == 0)
		d->len = all;
	if (d->len > all)
		return CKR_KEY_SIZE_RANGE;
	rv = ep11_make_secret(e, &d->m, d->type, d->len);
	if (rv == CKR_OK)
		rv = agree(e, h, d, m, d->type, d->len);
	return rv;
}

/* ---- hashes of keys ------------------------------------------------------ */

/* A hash that the token makes of a key inside, and that then is a key: its
 * value passes through here (ep11_exposure.def: X963_KDF, SHA_DERIVE). */
static CK_RV
hashed(struct ep11_engine *e, CK_OBJECT_HANDLE *h, struct derive *d,
    CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE hash, size_t hash_len, bool counted,
    struct hsa_slice shared)
{
	size_t room = (d->len + hash_len - 1) / hash_len * hash_len, at = 0;
	struct hsa_buf after = {0};
	uint8_t *v = OPENSSL_secure_malloc(room);
	CK_RV rv = v == NULL ? CKR_HOST_MEMORY : CKR_OK;

	for (uint32_t i = 1; rv == CKR_OK && at < d->len; i++) {
		size_t n = hash_len;

		hsa_buf_reset(&after);
		if (counted) {
			hsa_buf_be32(&after, i);
			hsa_buf_put(&after, shared.p, shared.n);
		}
		if (after.failed) {
			rv = CKR_HOST_MEMORY;
			break;
		}
		rv = ep11_trouble(e->token.ops->digest_key(e->token.ctx, hash,
		    NULL, 0, key, after.p, after.len, v + at, &n));
		if (rv == CKR_OK && n != hash_len)
			rv = CKR_FUNCTION_FAILED;
		at += n;
	}
	if (rv == CKR_OK)
		rv = ep11_make_value(e, h, &d->m, v, d->len);
	OPENSSL_secure_clear_free(v, room);
	hsa_buf_free(&after);
	return rv;
}

static const struct {
	uint64_t kdf;
	CK_MECHANISM_TYPE hash;
	size_t len;
} kdfs[] = {
    {CKD_SHA1_KDF, CKM_SHA_1, 20},
    {CKD_SHA224_KDF, CKM_SHA224, 28},
    {CKD_SHA256_KDF, CKM_SHA256, 32},
    {CKD_SHA384_KDF, CKM_SHA384, 48},
    {CKD_SHA512_KDF, CKM_SHA512, 64},
};

/* X9.63: hash(Z || counter || shared), leading bytes first. */
static CK_RV
x963(struct ep11_engine *e, CK_OBJECT_HANDLE *h, struct derive *d,
    CK_MECHANISM *m, uint64_t kdf, struct hsa_slice shared)
{
	CK_OBJECT_HANDLE z = 0;
	CK_RV rv = CKR_MECHANISM_PARAM_INVALID;

	for (size_t i = 0; i < sizeof(kdfs) / sizeof(kdfs[0]); i++) {
		if (kdfs[i].kdf != kdf)
			continue;
		if (d->len == 0)
			d->len = kdfs[i].len;
		rv = ep11_make_secret(e, &d->m, d->type, d->len);
		if (rv == CKR_OK)
			rv = agree(e, &z, d, m, CKK_GENERIC_SECRET,
			    shared_len(d->base));
		if (rv == CKR_OK)
			rv = hashed(e, h, d, z, kdfs[i].hash, kdfs[i].len, true,
			    shared);
		ep11_make_drop(e, z);
	}
	return rv;
}

/* ---- mechanisms ---------------------------------------------------------- */

static CK_RV
ecdh(struct ep11_engine *e, CK_OBJECT_HANDLE *h, struct derive *d,
    const struct hsa_mech *m)
{
	uint64_t kdf = m->kind == HSA_MECH_ECDH1 ? m->kdf : CKD_NULL;
	CK_ECDH1_DERIVE_PARAMS p = {.kdf = CKD_NULL};
	CK_MECHANISM ck = {CKM_ECDH1_DERIVE, &p, sizeof(p)};
	const struct ep11_curve *curve = d->base->curve;
	struct hsa_slice peer = m->a;
	struct hsa_buf der = {0};
	CK_RV rv;

	if (curve->kind == EP11_CURVE_EDWARDS ||
	    (d->row->type == CKM_IBM_EC_X25519 && curve->number != 20) ||
	    (d->row->type == CKM_IBM_EC_X448 && curve->number != 25))
		return CKR_KEY_TYPE_INCONSISTENT;
	/* ep11-host-api 10.5: at most 1024 bytes each */
	if (peer.n == 0 || peer.n > 1024 || m->b.n > 1024 ||
	    (kdf == CKD_NULL && m->b.n != 0))
		return CKR_MECHANISM_PARAM_INVALID;
	rv = ep11_policy_key(e->cp, CKK_EC, d->base->bits, curve);
	if (rv == CKR_OK)
		rv = point_checked(&peer, curve);
	if (rv != CKR_OK)
		return rv;
	/*
	 * In an OCTET STRING: SoftHSM takes a raw point for one whenever its
	 * second byte happens to be its length less two, once in 256 points.
	 */
	ep11_octets(&der, peer.p, peer.n);
	p.pPublicData = der.p;
	p.ulPublicDataLen = der.len;
	rv = der.failed        ? CKR_HOST_MEMORY
	     : kdf == CKD_NULL ? plain_agree(e, h, d, &ck)
			       : x963(e, h, d, &ck, kdf, m->b);
	hsa_buf_free(&der);
	return rv;
}

static CK_RV
dh(struct ep11_engine *e, CK_OBJECT_HANDLE *h, struct derive *d,
    const struct hsa_mech *m)
{
	struct hsa_slice peer = m->a;
	CK_MECHANISM ck = {.mechanism = CKM_DH_PKCS_DERIVE};
	CK_RV rv = ep11_policy_key(e->cp, CKK_DH, d->base->bits, NULL);

	if (rv == CKR_OK)
		rv = dh_checked(&peer, d->base);
	if (rv != CKR_OK)
		return rv;
	ck.pParameter = ep11_input(peer.p);
	ck.ulParameterLen = peer.n;
	return plain_agree(e, h, d, &ck);
}

/* CKM_SHA256_KEY_DERIVATION and its kin: leading bytes of the hash. */
static CK_RV
sha(struct ep11_engine *e, CK_OBJECT_HANDLE *h, struct derive *d)
{
	size_t n = 0;
	CK_RV rv;

	for (size_t i = 0; i < sizeof(kdfs) / sizeof(kdfs[0]); i++)
		if (kdfs[i].hash == d->row->hash)
			n = kdfs[i].len;
	if (d->len == 0)
		d->len = n;
	if (d->len > n)
		return CKR_KEY_SIZE_RANGE;
	rv = ep11_policy_key(e->cp, d->base->type, d->base->bits, NULL);
	if (rv == CKR_OK)
		rv = ep11_make_secret(e, &d->m, d->type, d->len);
	if (rv == CKR_OK)
		rv = hashed(e, h, d, d->base->h, d->row->hash, n, false,
		    (struct hsa_slice){NULL, 0});
	return rv;
}

/* ---- template ------------------------------------------------------------ */

static CK_RV
wanted(struct derive *d)
{
	const struct ep11_template *t = &d->m.t;

	d->type = t->has_type ? t->type : CKK_GENERIC_SECRET;
	d->len = d->type == CKK_DES2 ? 16 : d->type == CKK_DES3 ? 24 : 0;
	if (t->has_value_len) {
		if (t->value_len == 0 || t->value_len > EP11_SECRET_MAX ||
		    (d->len != 0 && d->len != t->value_len))
			return CKR_KEY_SIZE_RANGE;
		d->len = t->value_len;
	}
	return d->type == CKK_AES && d->len == 0 ? CKR_TEMPLATE_INCOMPLETE
						 : CKR_OK;
}

/*
 * What a key inherits (PKCS #11 2.1.4: never extractable when the base was).
 * Control point 72: a key that is not attribute-bound from one that is.
 */
static CK_RV
inherited(const struct ep11_engine *e, struct derive *d)
{
	uint32_t base = d->base->bools;

	if ((base & EP11_ATTRBOUND) != 0 &&
	    (d->m.bools & EP11_ATTRBOUND) == 0 &&
	    !ep11_cp_on(e->cp, EP11_CP_DERIVE_NON_AB_KEYS))
		return CKR_FUNCTION_CANCELED;
	/* nor can a key that was free become one that never was */
	if ((base & EP11_ATTRBOUND) == 0 && (d->m.bools & EP11_ATTRBOUND) != 0)
		return CKR_TEMPLATE_INCONSISTENT;
	if ((base & EP11_NEVER_EXTRACTABLE) != 0 &&
	    (d->m.bools & EP11_EXTRACTABLE) == 0)
		d->m.bools |= EP11_NEVER_EXTRACTABLE;
	return CKR_OK;
}

static CK_RV
by_family(struct ep11_engine *e, CK_OBJECT_HANDLE *h, struct derive *d,
    const struct hsa_mech *m)
{
	bool secret = d->row->family == EP11_FAMILY_SHA_DERIVE;

	if (d->base->cls != (secret ? CKO_SECRET_KEY : CKO_PRIVATE_KEY) ||
	    !ep11_mech_key_fits(d->row, d->base->type))
		return CKR_KEY_TYPE_INCONSISTENT;
	switch (d->row->family) {
	case EP11_FAMILY_ECDH:
		return ecdh(e, h, d, m);
	case EP11_FAMILY_DH:
		return dh(e, h, d, m);
	case EP11_FAMILY_SHA_DERIVE:
		return sha(e, h, d);
	default:
		return CKR_MECHANISM_INVALID;
	}
}

CK_RV
ep11_do_derive(struct ep11_engine *e, struct hsa_call *c)
{
	CK_OBJECT_HANDLE h = 0;
	struct derive d;
	CK_RV rv;

	memset(&d, 0, sizeof(d));
	rv = ep11_mech_use(&d.row, e->cp, &c->mech, CKF_DERIVE);
	if (rv == CKR_OK)
		rv = ep11_make_begin(e, &d.m, c);
	/* only key encapsulation has data, and there is none here */
	if (rv == CKR_OK && c->data.n != 0)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = wanted(&d);
	if (rv == CKR_OK)
		rv = ep11_key_get(e, &d.base, c, c->key, EP11_DERIVE);
	if (rv == CKR_OK)
		rv = by_family(e, &h, &d, &c->mech);
	if (rv == CKR_OK)
		rv = inherited(e, &d);
	if (rv == CKR_OK)
		rv = ep11_make_done(e, c, &d.m, h);
	ep11_make_drop(e, h);
	ep11_key_put(e, d.base);
	return rv;
}
