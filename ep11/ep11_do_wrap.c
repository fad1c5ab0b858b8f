/* WrapKey. */
#include <openssl/crypto.h>
#include <string.h>

#include "ep11_attrbound.h"
#include "ep11_kek.h"
#include "ep11_kwp.h"
#include "hsa_hash.h"

/* The token wraps: no value is seen. */
static CK_RV
inside(struct ep11_engine *e, struct hsa_buf *out, CK_MECHANISM *m,
    const struct ep11_kek *kek, const struct ep11_key *k)
{
	uint8_t wrapped[HSA_BLOB_MAX];
	size_t n = sizeof(wrapped);
	CK_RV rv =
	    e->token.ops->wrap(e->token.ctx, m, kek->k->h, k->h, wrapped, &n);

	/* RSA: what is longer than the modulus lets through */
	if (rv == CKR_KEY_SIZE_RANGE || rv == CKR_DATA_LEN_RANGE)
		return CKR_KEY_SIZE_RANGE;
	if (rv == CKR_OK)
		hsa_buf_put(out, wrapped, n);
	return ep11_trouble(rv);
}

/* The value outside, encrypted in the token as data is. */
static CK_RV
outside(struct ep11_engine *e, struct hsa_call *c, const struct ep11_kek *kek,
    const struct ep11_key *k, enum ep11_exposure why, size_t fill)
{
	uint8_t *v = NULL, *filled = NULL;
	size_t n = 0, whole = 0;
	struct hsa_slice in;
	CK_RV rv = ep11_key_value(e, k, why, &v, &n);

	in = (struct hsa_slice){v, n};
	if (rv == CKR_OK && fill != 0 && n % fill != 0) {
		/* PKCS #11 of CBC: zeros up to a whole block */
		whole = n + fill - n % fill;
		filled = OPENSSL_secure_zalloc(whole);
		if (filled == NULL)
			rv = CKR_HOST_MEMORY;
		else
			memcpy(filled, v, n);
		in = (struct hsa_slice){filled, whole};
	}
	if (rv == CKR_OK)
		rv = ep11_crypt_once(
		    e, &c->out, true, kek->k, kek->row, &c->mech, in);
	if (rv == CKR_DATA_LEN_RANGE)
		rv = CKR_KEY_SIZE_RANGE;
	OPENSSL_secure_clear_free(filled, whole);
	OPENSSL_secure_clear_free(v, n);
	return rv;
}

/*
 * CBC_PAD of whole blocks without seeing the value, though the token does not
 * wrap by it: CBC wraps the blocks, and the padding is one more block that
 * goes on from the last.
 */
static CK_RV
pad_block(struct ep11_engine *e, struct hsa_buf *out,
    const struct ep11_kek *kek, const struct ep11_kek_mech *m,
    const struct ep11_key *k)
{
	CK_MECHANISM cbc = m->m;
	uint8_t pad[16], iv[16], last[32];
	size_t n = sizeof(last);
	CK_RV rv;

	cbc.mechanism = CKM_AES_CBC;
	rv = inside(e, out, &cbc, kek, k);
	if (rv == CKR_OK && (out->failed || out->len < sizeof(iv)))
		rv = CKR_HOST_MEMORY;
	if (rv != CKR_OK)
		return rv;
	memcpy(iv, out->p + out->len - sizeof(iv), sizeof(iv));
	memset(pad, sizeof(pad), sizeof(pad));
	cbc.pParameter = iv;
	rv = ep11_trouble(e->token.ops->encrypt(
	    e->token.ctx, &cbc, kek->k->h, pad, sizeof(pad), last, &n));
	if (rv == CKR_OK && n != sizeof(pad))
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		hsa_buf_put(out, last, n);
	return rv;
}

static CK_RV
by_cbc(struct ep11_engine *e, struct hsa_call *c, const struct ep11_kek *kek,
    struct ep11_kek_mech *m, const struct ep11_key *k)
{
	bool secret = k->cls == CKO_SECRET_KEY;
	/* SoftHSM lists CKM_DES3_CBC for wrapping and then fails at it */
	bool whole = secret && m->block == 16 && k->bits / 8 % 16 == 0;

	/* without padding nobody finds the end of a private key */
	if (!secret && !m->pad)
		return CKR_KEY_NOT_WRAPPABLE;
	if (whole)
		return m->pad ? pad_block(e, &c->out, kek, m, k)
			      : inside(e, &c->out, &m->m, kek, k);
	return outside(
	    e, c, kek, k, EP11_EXPOSURE_WRAP_CBC, m->pad ? 0 : m->block);
}

static CK_RV
by_key_wrap(struct ep11_engine *e, struct hsa_call *c,
    const struct ep11_kek *kek, struct ep11_kek_mech *m,
    const struct ep11_key *k)
{
	bool secret = k->cls == CKO_SECRET_KEY;
	size_t len = k->bits / 8, n = 0;
	uint8_t *v = NULL;
	CK_RV rv;

	if (kek->row->type == CKM_AES_KEY_WRAP) {
		if (!secret)
			return CKR_KEY_NOT_WRAPPABLE;
		/* RFC 3394: whole blocks of eight, two at least */
		if (len % 8 != 0 || len < 16)
			return CKR_KEY_SIZE_RANGE;
	}
	if (secret && len % 8 == 0)
		return inside(e, &c->out, &m->m, kek, k);
	rv = ep11_key_value(e, k, EP11_EXPOSURE_KWP_EXACT, &v, &n);
	if (rv == CKR_OK)
		rv = ep11_kwp_wrap(e, &c->out, kek->k->h, v, n);
	OPENSSL_secure_clear_free(v, n);
	return rv;
}

static CK_RV
by_rsa(struct ep11_engine *e, struct hsa_call *c, const struct ep11_kek *kek,
    struct ep11_kek_mech *m, const struct ep11_key *k)
{
	size_t overhead = 11;

	if (k->cls != CKO_SECRET_KEY)
		return CKR_KEY_NOT_WRAPPABLE;
	if (!m->inside)
		return outside(e, c, kek, k, EP11_EXPOSURE_WRAP_OAEP, 0);
	if (kek->row->type == CKM_RSA_PKCS_OAEP)
		overhead = 2 * 20 + 2;
	if (k->bits / 8 + overhead > kek->k->bits / 8)
		return CKR_KEY_SIZE_RANGE;
	return inside(e, &c->out, &m->m, kek, k);
}

CK_RV
ep11_do_wrap(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_kek_mech m;
	struct ep11_key *k = NULL;
	struct ep11_kek kek;
	CK_RV rv;

	memset(&kek, 0, sizeof(kek));
	/* the record names what leaves */
	rv = ep11_key_get(e, &k, c, c->key, 0);
	if (rv == CKR_OK)
		rv = ep11_kek_get(e, &kek, c, CKF_WRAP);
	if (rv == CKR_OK)
		rv = ep11_kek_may(e, &kek, k);
	if (rv == CKR_OK) {
		ep11_kek_mech(&m, &kek, &c->mech);
		switch (kek.row->family) {
		case EP11_FAMILY_CIPHER:
			rv = by_cbc(e, c, &kek, &m, k);
			break;
		case EP11_FAMILY_KEY_WRAP:
			rv = by_key_wrap(e, c, &kek, &m, k);
			break;
		case EP11_FAMILY_RSA_CRYPT:
			rv = by_rsa(e, c, &kek, &m, k);
			break;
		case EP11_FAMILY_ATTRBOUND:
			rv = ep11_attrbound_wrap(e, c, &kek, k);
			break;
		default:
			rv = CKR_MECHANISM_INVALID;
			break;
		}
	}
	ep11_kek_put(e, &kek);
	ep11_key_put(e, k);
	return rv;
}
