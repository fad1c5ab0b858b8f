#include <string.h>

#include "ep11_kek.h"
#include "ep11_policy.h"

/* CKM_IBM_ATTRIBUTEBOUND_WRAP: AES and RSA keys wrap the transport key. */
static bool
fits(const struct ep11_mech_row *row, const struct ep11_key *k, bool wrap)
{
	CK_OBJECT_CLASS rsa = wrap ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY;

	if (k->type == CKK_RSA)
		return k->cls == rsa &&
		       (row->family == EP11_FAMILY_RSA_CRYPT ||
			   row->family == EP11_FAMILY_ATTRBOUND);
	if (k->cls != CKO_SECRET_KEY)
		return false;
	if (row->family == EP11_FAMILY_ATTRBOUND)
		return k->type == CKK_AES;
	return ep11_mech_key_fits(row, k->type);
}

/* Of attribute-bound wrapping alone: the table cannot know which it is. */
static CK_RV
use_on(const struct ep11_engine *e, const struct ep11_kek *kek, bool wrap)
{
	bool rsa = kek->k->type == CKK_RSA;
	enum ep11_cp cp = wrap  ? rsa ? EP11_CP_WRAP_ASYMM : EP11_CP_WRAP_SYMM
			  : rsa ? EP11_CP_UNWRAP_ASYMM
				: EP11_CP_UNWRAP_SYMM;

	return ep11_cp_on(e->cp, cp) ? CKR_OK : CKR_FUNCTION_CANCELED;
}

static CK_RV
bare(struct ep11_engine *e, struct ep11_kek *kek, struct hsa_slice spki)
{
	CK_OBJECT_HANDLE h = 0;
	CK_RV rv;

	if (!ep11_cp_on(e->cp, EP11_CP_WRAP_WITH_RAW_SPKI))
		return CKR_FUNCTION_CANCELED;
	rv = ep11_key_load_spki(e, &h, &kek->bare, spki);
	if (rv != CKR_OK)
		return rv;
	/* nobody vouches for it: it wraps, and is trusted in nothing else */
	kek->bare.bools = EP11_WRAP;
	kek->is_bare = true;
	kek->k = &kek->bare;
	return CKR_OK;
}

static bool
is_bare(struct hsa_slice key)
{
	struct ep11_spki s;
	size_t maced = 0;

	return ep11_is_spki(key.p, key.n) &&
	       hsa_is_ok(ep11_spki_decode(&s, &maced, key.p, key.n)) &&
	       !s.maced;
}

CK_RV
ep11_kek_get(struct ep11_engine *e, struct ep11_kek *kek, struct hsa_call *c,
    CK_FLAGS flag)
{
	bool wrap = flag == CKF_WRAP, ab = false;
	CK_RV rv;

	memset(kek, 0, sizeof(*kek));
	rv = ep11_mech_use(&kek->row, e->cp, &c->mech, flag);
	if (rv != CKR_OK)
		return rv;
	ab = kek->row->family == EP11_FAMILY_ATTRBOUND;
	if (!ab && !ep11_cp_on(e->cp, EP11_CP_NON_ATTRBOUND))
		return CKR_FUNCTION_CANCELED;
	if (wrap && e->current.set && is_bare(c->key2))
		rv = bare(e, kek, c->key2);
	else
		rv = ep11_key_get(
		    e, &kek->k, c, c->key2, wrap ? EP11_WRAP : EP11_UNWRAP);
	if (rv == CKR_OK && (!fits(kek->row, kek->k, wrap) ||
				ab != ((kek->k->bools & EP11_ATTRBOUND) != 0)))
		rv = wrap ? CKR_WRAPPING_KEY_TYPE_INCONSISTENT
			  : CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
	if (rv == CKR_OK && ab)
		rv = use_on(e, kek, wrap);
	/* it encrypts like any other key */
	if (rv == CKR_OK)
		rv = ep11_policy_key(
		    e->cp, kek->k->type, kek->k->bits, kek->k->curve);
	if (rv != CKR_OK)
		ep11_kek_put(e, kek);
	return rv;
}

void
ep11_kek_put(struct ep11_engine *e, struct ep11_kek *kek)
{
	if (kek->is_bare)
		(void)e->token.ops->destroy(e->token.ctx, kek->bare.h);
	else
		ep11_key_put(e, kek->k);
	kek->k = NULL;
	kek->is_bare = false;
}

CK_RV
ep11_kek_may(const struct ep11_engine *e, const struct ep11_kek *kek,
    const struct ep11_key *k)
{
	bool ab = kek->row->family == EP11_FAMILY_ATTRBOUND;

	if (k->cls == CKO_PUBLIC_KEY ||
	    ab != ((k->bools & EP11_ATTRBOUND) != 0))
		return CKR_KEY_NOT_WRAPPABLE;
	if ((k->bools & EP11_EXTRACTABLE) == 0)
		return CKR_KEY_UNEXTRACTABLE;
	if ((k->bools & EP11_WRAP_WITH_TRUSTED) != 0 &&
	    (kek->k->bools & EP11_TRUSTED) == 0)
		return CKR_KEY_NOT_WRAPPABLE;
	if (!ep11_cp_on(e->cp, EP11_CP_WRAP_STRONGER_KEY) &&
	    ep11_policy_strength(k->type, k->bits, k->curve) >
		ep11_policy_strength(kek->k->type, kek->k->bits, kek->k->curve))
		return CKR_WRAPPING_KEY_SIZE_RANGE;
	return CKR_OK;
}

void
ep11_kek_mech(struct ep11_kek_mech *to, const struct ep11_kek *kek,
    const struct hsa_mech *m)
{
	memset(to, 0, sizeof(*to));
	to->m.mechanism = kek->row->token;
	to->inside = true;
	if (kek->row->family == EP11_FAMILY_CIPHER) {
		to->m.pParameter = ep11_input(m->a.p);
		to->m.ulParameterLen = m->a.n;
		to->block = kek->k->type == CKK_AES ? 16 : 8;
		to->pad = kek->row->type == CKM_AES_CBC_PAD ||
			  kek->row->type == CKM_DES3_CBC_PAD;
	}
	if (m->kind == HSA_MECH_OAEP) {
		to->inside = m->hash == CKM_SHA_1 && m->mgf == CKG_MGF1_SHA1 &&
			     m->a.n == 0;
		to->oaep.hashAlg = CKM_SHA_1;
		to->oaep.mgf = CKG_MGF1_SHA1;
		to->oaep.source = CKZ_DATA_SPECIFIED;
		to->m.pParameter = &to->oaep;
		to->m.ulParameterLen = sizeof(to->oaep);
	}
}
