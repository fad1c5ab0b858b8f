/* UnwrapKey. */
#include <openssl/crypto.h>
#include <string.h>

#include "ep11_attrbound.h"
#include "ep11_kek.h"
#include "ep11_make.h"
#include "ep11_policy.h"
#include "ep11_spki.h"
#include "hsa_hash.h"

/* The key was read and checked: a token that fails then fails by itself, one
 * that does not take the bytes says so. */
static CK_RV
spoiled(CK_RV rv)
{
	return ep11_spoiled(rv, CKR_WRAPPED_KEY_INVALID);
}

/* What no wrapped key of this mechanism can be long: told before anything is
 * decrypted, so that it tells nothing. */
static CK_RV
length(const struct hsa_call *c, const struct ep11_kek *kek,
    const struct ep11_kek_mech *m)
{
	size_t n = c->data.n;
	bool good = n != 0 && n <= HSA_BLOB_MAX;

	if (kek->row->family == EP11_FAMILY_CIPHER)
		good = good && n % m->block == 0;
	if (kek->row->family == EP11_FAMILY_KEY_WRAP)
		good = good && n % 8 == 0 &&
		       n >= (kek->row->type == CKM_AES_KEY_WRAP ? 24 : 16);
	if (kek->row->family == EP11_FAMILY_RSA_CRYPT)
		good = good && n == ((size_t)kek->k->bits + 7) / 8;
	return good ? CKR_OK : CKR_WRAPPED_KEY_LEN_RANGE;
}

/* ---- the plain bytes, in secure memory of HSA_BLOB_MAX ------------------- */

static CK_RV
decrypted(struct ep11_engine *e, uint8_t *v, size_t *n, struct hsa_call *c,
    const struct ep11_kek *kek, struct ep11_kek_mech *m)
{
	*n = HSA_BLOB_MAX;
	return spoiled(e->token.ops->decrypt(
	    e->token.ctx, &m->m, kek->k->h, c->data.p, c->data.n, v, n));
}

/* OAEP that the token has not: raw RSA inside, the encoding outside. */
static CK_RV
opened(struct ep11_engine *e, uint8_t *v, size_t *n, struct hsa_call *c,
    const struct ep11_kek *kek)
{
	struct hsa_buf plain = {0};
	CK_RV rv = ep11_crypt_once(
	    e, &plain, false, kek->k, kek->row, &c->mech, c->data);

	if (rv == CKR_OK && (plain.len == 0 || plain.len > HSA_BLOB_MAX))
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv == CKR_OK) {
		memcpy(v, plain.p, plain.len);
		*n = plain.len;
	}
	hsa_buf_free(&plain);
	/* of two ways to be wrong, nobody learns which */
	if (rv == CKR_ENCRYPTED_DATA_INVALID ||
	    rv == CKR_ENCRYPTED_DATA_LEN_RANGE)
		rv = CKR_WRAPPED_KEY_INVALID;
	return rv;
}

/* ---- secret keys --------------------------------------------------------- */

/* The token unwraps; only the length is asked of it, because it takes keys of
 * any. */
static CK_RV
inside(struct ep11_engine *e, CK_OBJECT_HANDLE *h, size_t *n,
    struct hsa_call *c, const struct ep11_kek *kek, struct ep11_kek_mech *m,
    CK_KEY_TYPE type)
{
	struct ep11_attrs as;
	CK_RV rv;

	ep11_attrs_key(&as, CKO_SECRET_KEY, type, false);
	rv = spoiled(e->token.ops->unwrap(e->token.ctx, h, &m->m, kek->k->h,
	    c->data.p, c->data.n, as.a, as.n));
	if (rv == CKR_OK)
		rv = ep11_make_length(e, n, *h);
	return rv;
}

/*
 * Without padding, the key has the length that the template or its type says;
 * else all of it. What was filled up must be zero.
 */
static CK_RV
cut(const struct ep11_make *m, const uint8_t *v, size_t *n, size_t block)
{
	size_t want = m->t.has_value_len      ? m->t.value_len
		      : m->t.type == CKK_DES2 ? 16
		      : m->t.type == CKK_DES3 ? 24
					      : *n;

	if (want > *n || *n - want >= block)
		return CKR_WRAPPED_KEY_LEN_RANGE;
	for (size_t i = want; i < *n; i++)
		if (v[i] != 0)
			return CKR_WRAPPED_KEY_INVALID;
	*n = want;
	return CKR_OK;
}

/*
 * seen: the length of the plain bytes shows outside or is vouched for. Where a
 * padding was taken off, a key of a wrong length is as wrong as the padding,
 * and nobody learns which it was.
 */
static CK_RV
fitting(const struct ep11_engine *e, struct ep11_make *m, size_t n, bool seen)
{
	CK_RV bad = seen ? CKR_WRAPPED_KEY_LEN_RANGE : CKR_WRAPPED_KEY_INVALID;

	if (!ep11_policy_secret_len(m->t.type, n) ||
	    (m->t.has_value_len && m->t.value_len != n))
		return bad;
	return ep11_make_secret(e, m, m->t.type, n);
}

static CK_RV
secret(struct ep11_engine *e, struct hsa_call *c, struct ep11_make *m,
    const struct ep11_kek *kek, struct ep11_kek_mech *km)
{
	bool seen = kek->row->family == EP11_FAMILY_KEY_WRAP;
	bool cbc = kek->row->family == EP11_FAMILY_CIPHER;
	CK_OBJECT_HANDLE h = 0;
	uint8_t *v = NULL;
	size_t n = 0;
	CK_RV rv = CKR_OK;

	if (!cbc && km->inside) {
		rv = inside(e, &h, &n, c, kek, km, m->t.type);
		if (rv == CKR_OK)
			rv = fitting(e, m, n, seen);
	} else {
		v = OPENSSL_secure_malloc(HSA_BLOB_MAX);
		rv = v == NULL ? CKR_HOST_MEMORY
		     : cbc     ? decrypted(e, v, &n, c, kek, km)
			       : opened(e, v, &n, c, kek);
		if (rv == CKR_OK && cbc && !km->pad) {
			rv = cut(m, v, &n, km->block);
			seen = true;
		}
		if (rv == CKR_OK)
			rv = fitting(e, m, n, seen);
		if (rv == CKR_OK)
			rv = ep11_make_value(e, &h, m, v, n);
	}
	if (rv == CKR_OK)
		rv = ep11_make_done(e, c, m, h);
	ep11_make_drop(e, h);
	OPENSSL_secure_clear_free(v, HSA_BLOB_MAX);
	return rv;
}

/* ---- private keys -------------------------------------------------------- */

/* By the token, as the generic secret that PKCS #8 is. */
static CK_RV
unwrapped(struct ep11_engine *e, uint8_t **v, size_t *n, struct hsa_call *c,
    const struct ep11_kek *kek, struct ep11_kek_mech *m)
{
	CK_OBJECT_HANDLE h = 0;
	size_t len = 0;
	CK_RV rv = inside(e, &h, &len, c, kek, m, CKK_GENERIC_SECRET);

	if (rv == CKR_OK && (len == 0 || len > HSA_BLOB_MAX))
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv == CKR_OK)
		rv = ep11_key_read(e, EP11_EXPOSURE_UNWRAP_PRIVATE, v, n, h);
	ep11_make_drop(e, h);
	return rv;
}

/*
 * PKCS #8 is wrapped as what it is, and comes back as a private key: the same
 * bytes under the same key. Whether the token takes it, it is asked before
 * anybody gets the blob.
 */
static CK_RV
imported(struct ep11_engine *e, struct hsa_call *c, struct ep11_make *m,
    const struct ep11_pkey *k)
{
	const struct ep11_make generic = {.type = CKK_GENERIC_SECRET};
	struct ep11_key *back = NULL;
	CK_OBJECT_HANDLE h = 0;
	uint8_t *p8 = NULL;
	size_t n = 0;
	CK_RV rv = CKR_OK;

	if (ep11_make_wraps(m->curve)) {
		rv = ep11_pkey_pkcs8(&p8, &n, k);
		if (rv == CKR_OK)
			rv = ep11_make_value(e, &h, &generic, p8, n);
	}
	if (rv == CKR_OK)
		rv = ep11_make_done_private(
		    e, c, m, h, k, ep11_make_mirror(m->bools));
	if (rv == CKR_OK) {
		rv = ep11_key_get(e, &back, NULL,
		    (struct hsa_slice){c->out.p, c->out.len}, 0);
		if (rv == CKR_IBM_BLOB_ERROR)
			rv = CKR_WRAPPED_KEY_INVALID;
	}
	ep11_key_put(e, back);
	ep11_make_drop(e, h);
	OPENSSL_secure_clear_free(p8, n);
	return rv;
}

static CK_RV private(struct ep11_engine *e, struct hsa_call *c,
    struct ep11_make *m, const struct ep11_kek *kek, struct ep11_kek_mech *km)
{
	struct ep11_pkey k = {0};
	uint8_t *v = NULL;
	size_t n = 0, room = 0;
	CK_RV rv;

	if (km->pad) {
		room = HSA_BLOB_MAX;
		v = OPENSSL_secure_malloc(room);
		rv = v == NULL ? CKR_HOST_MEMORY
			       : decrypted(e, v, &n, c, kek, km);
	} else if (kek->row->type == CKM_AES_KEY_WRAP_PAD) {
		rv = unwrapped(e, &v, &n, c, kek, km);
		room = n;
	} else {
		return CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
	}
	if (rv == CKR_OK)
		rv = ep11_pkey_private(&k, v, n);
	if (rv == CKR_OK && k.type != m->t.type)
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv == CKR_OK)
		rv = ep11_public_policy(e, &k);
	if (rv == CKR_PUBLIC_KEY_INVALID)
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv == CKR_OK)
		rv = ep11_make_private(e, m, &k);
	if (rv == CKR_OK)
		rv = imported(e, c, m, &k);
	ep11_pkey_free(&k);
	OPENSSL_secure_clear_free(v, room);
	return rv;
}

/* ---- public keys --------------------------------------------------------- */

/* CKM_IBM_TRANSPORTKEY (ep11-host-api 12.1): nothing is wrapped, a bare SPKI
 * is vouched for from here on. */
static CK_RV
transport(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = NULL;
	struct ep11_pkey k = {0};
	struct ep11_make m;
	CK_RV rv = ep11_mech_use(&row, e->cp, &c->mech, CKF_UNWRAP);

	if (rv != CKR_OK)
		return rv;
	rv = ep11_make_begin(e, &m, c);
	if (rv == CKR_OK && (c->key2.n != 0 || c->key3.n != 0))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = ep11_pkey_public(&k, c->data.p, c->data.n);
	if (rv == CKR_OK && ((m.t.has_class && m.t.cls != CKO_PUBLIC_KEY) ||
				(m.t.has_type && m.t.type != k.type)))
		rv = CKR_TEMPLATE_INCONSISTENT;
	if (rv == CKR_OK)
		rv = ep11_public_policy(e, &k);
	if (rv == CKR_OK)
		rv = ep11_make_bools(
		    e, &m.bools, &m.t, CKO_PUBLIC_KEY, k.type, k.curve);
	if (rv == CKR_OK)
		rv = ep11_key_seal_public(e, &c->out, c->data, m.bools,
		    (struct hsa_slice){
			m.session, m.bound ? EP11_SESSION_LEN : 0});
	ep11_pkey_free(&k);
	return rv;
}

/* ---- all of them --------------------------------------------------------- */

static CK_RV
by_kek(struct ep11_engine *e, struct hsa_call *c, const struct ep11_kek *kek)
{
	struct ep11_kek_mech km;
	struct ep11_make m;
	CK_RV rv;

	if (kek->row->family == EP11_FAMILY_ATTRBOUND)
		return ep11_attrbound_unwrap(e, c, kek);
	ep11_kek_mech(&km, kek, &c->mech);
	rv = ep11_make_begin(e, &m, c);
	if (rv == CKR_OK && (!m.t.has_class || !m.t.has_type))
		rv = CKR_TEMPLATE_INCOMPLETE;
	/* such a key comes with its attributes or not at all */
	if (rv == CKR_OK && (m.t.values & EP11_ATTRBOUND) != 0)
		rv = CKR_TEMPLATE_INCONSISTENT;
	if (rv == CKR_OK)
		rv = length(c, kek, &km);
	if (rv != CKR_OK)
		return rv;
	if (m.t.cls == CKO_SECRET_KEY)
		return secret(e, c, &m, kek, &km);
	if (m.t.cls == CKO_PRIVATE_KEY)
		return private(e, c, &m, kek, &km);
	return CKR_TEMPLATE_INCONSISTENT;
}

CK_RV
ep11_do_unwrap(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_kek kek;
	CK_RV rv;

	if (c->mech.type == CKM_IBM_TRANSPORTKEY)
		return transport(e, c);
	rv = ep11_kek_get(e, &kek, c, CKF_UNWRAP);
	if (rv != CKR_OK)
		return rv;
	rv = by_kek(e, c, &kek);
	ep11_kek_put(e, &kek);
	return rv;
}
