#include "ep11_hash.h"
#include "ep11_policy.h"
#include "ep11_use.h"

/* ---- keys ---------------------------------------------------------------- */

static bool
symmetric(const struct ep11_mech_row *row)
{
	return row->family == EP11_FAMILY_CIPHER ||
	       row->family == EP11_FAMILY_MAC;
}

static uint32_t
boolean_of(CK_FLAGS flag)
{
	switch (flag) {
	case CKF_ENCRYPT:
		return EP11_ENCRYPT;
	case CKF_DECRYPT:
		return EP11_DECRYPT;
	case CKF_SIGN:
		return EP11_SIGN;
	default:
		return EP11_VERIFY;
	}
}

static CK_OBJECT_CLASS
class_of(const struct ep11_mech_row *row, CK_FLAGS flag)
{
	if (symmetric(row))
		return CKO_SECRET_KEY;
	if (flag == CKF_ENCRYPT || flag == CKF_VERIFY || flag == CKF_WRAP)
		return CKO_PUBLIC_KEY;
	return CKO_PRIVATE_KEY;
}

static bool
curve_fits(const struct ep11_key *k, const struct ep11_mech_row *row)
{
	bool edwards = row->family == EP11_FAMILY_EDDSA;

	if (k->curve == NULL ||
	    k->curve->kind != (edwards ? EP11_CURVE_EDWARDS : EP11_CURVE_PRIME))
		return false;
	/* by their numbers in query 10 (ep11-host-api 18.7) */
	if (row->type == CKM_IBM_ED25519_SHA512)
		return k->curve->number == 26;
	if (row->type == CKM_IBM_ED448_SHA3)
		return k->curve->number == 24;
	return true;
}

/* In the units of CK_MECHANISM_INFO. */
static bool
size_fits(const struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row)
{
	CK_ULONG size = symmetric(row) ? k->bits / 8 : k->bits;
	CK_ULONG min = row->min;

	if (row->family == EP11_FAMILY_MAC && row->hash != 0 &&
	    ep11_cp_on(e->cp, EP11_CP_KEYSZ_HMAC_ANY))
		min = 1;
	return size >= min && size <= row->max;
}

/* What DES mechanisms need, for the one that takes AES keys too and so cannot
 * have it in its row: CKM_IBM_CMAC. */
static bool
des_on(const struct ep11_engine *e, CK_KEY_TYPE type)
{
	return (type != CKK_DES2 && type != CKK_DES3) ||
	       (ep11_cp_on(e->cp, EP11_CP_ALG_NFIPS2021) &&
		   ep11_cp_on(e->cp, EP11_CP_ALG_NFIPS2024));
}

CK_RV
ep11_use_fits(const struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, CK_FLAGS flag)
{
	if (k->cls != class_of(row, flag) || !ep11_mech_key_fits(row, k->type))
		return CKR_KEY_TYPE_INCONSISTENT;
	if (!des_on(e, k->type))
		return CKR_MECHANISM_INVALID;
	if (row->key_type == CKK_EC && !curve_fits(k, row))
		return CKR_KEY_TYPE_INCONSISTENT;
	if (row->key_type != CKK_EC && !size_fits(e, k, row))
		return CKR_KEY_SIZE_RANGE;
	return ep11_policy_key(e->cp, k->type, k->bits, k->curve);
}

CK_RV
ep11_use_key(struct ep11_engine *e, struct ep11_key **k, struct hsa_call *c,
    struct hsa_slice blob, const struct ep11_mech_row *row, CK_FLAGS flag)
{
	struct ep11_key *got = NULL;
	CK_RV rv = ep11_key_get(e, &got, c, blob, boolean_of(flag));

	if (rv != CKR_OK)
		return rv;
	rv = ep11_use_fits(e, got, row, flag);
	if (rv != CKR_OK) {
		ep11_key_put(e, got);
		return rv;
	}
	*k = got;
	return CKR_OK;
}

size_t
ep11_use_modulus(const struct ep11_key *k)
{
	return (k->bits + 7) / 8;
}

size_t
ep11_use_order(const struct ep11_key *k)
{
	return (k->curve->bits + 7) / 8;
}

/* ---- the token ----------------------------------------------------------- */

static CK_RV
answer(CK_RV rv, CK_RV bad)
{
	switch (rv) {
	case CKR_OK:
	case CKR_HOST_MEMORY:
	case CKR_DEVICE_MEMORY:
	case CKR_DATA_INVALID:
	case CKR_DATA_LEN_RANGE:
	case CKR_ENCRYPTED_DATA_INVALID:
	case CKR_ENCRYPTED_DATA_LEN_RANGE:
	case CKR_SIGNATURE_INVALID:
	case CKR_SIGNATURE_LEN_RANGE:
		return rv;
	case CKR_ARGUMENTS_BAD:
	case CKR_MECHANISM_PARAM_INVALID:
		return CKR_MECHANISM_PARAM_INVALID;
	case CKR_GENERAL_ERROR:
		return bad != CKR_OK ? bad : CKR_FUNCTION_FAILED;
	default:
		return CKR_FUNCTION_FAILED;
	}
}

CK_RV
ep11_use_crypt(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    CK_MECHANISM *m, CK_OBJECT_HANDLE h, struct hsa_slice in, size_t room,
    CK_RV bad)
{
	const struct ep11_token_ops *ops = e->token.ops;
	uint8_t *to = hsa_buf_reserve(out, room);
	size_t n = room;
	CK_RV rv;

	if (to == NULL)
		return CKR_HOST_MEMORY;
	if (encrypt)
		rv = ops->encrypt(e->token.ctx, m, h, in.p, in.n, to, &n);
	else
		rv = ops->decrypt(e->token.ctx, m, h, in.p, in.n, to, &n);
	if (rv == CKR_OK)
		out->len += n;
	return answer(rv, bad);
}

CK_RV
ep11_use_sign(struct ep11_engine *e, struct hsa_buf *out, CK_MECHANISM *m,
    CK_OBJECT_HANDLE h, struct hsa_slice in, size_t room, CK_RV bad)
{
	uint8_t *to = hsa_buf_reserve(out, room);
	size_t n = room;
	CK_RV rv;

	if (to == NULL)
		return CKR_HOST_MEMORY;
	rv = e->token.ops->sign(e->token.ctx, m, h, in.p, in.n, to, &n);
	if (rv == CKR_OK)
		out->len += n;
	return answer(rv, bad);
}

CK_RV
ep11_use_verify(struct ep11_engine *e, CK_MECHANISM *m, CK_OBJECT_HANDLE h,
    struct hsa_slice in, struct hsa_slice sig, CK_RV bad)
{
	return answer(
	    e->token.ops->verify(e->token.ctx, m, h, in.p, in.n, sig.p, sig.n),
	    bad);
}

CK_RV
ep11_use_digest(struct ep11_engine *e, struct hsa_buf *out,
    CK_MECHANISM_TYPE hash, struct hsa_slice in)
{
	uint8_t *to = hsa_buf_reserve(out, EP11_HASH_MAX);
	size_t n = EP11_HASH_MAX;
	CK_RV rv;

	if (to == NULL)
		return CKR_HOST_MEMORY;
	rv = e->token.ops->digest(e->token.ctx, hash, in.p, in.n, to, &n);
	if (rv == CKR_OK)
		out->len += n;
	return answer(rv, CKR_OK);
}

/* ---- operations that go on ----------------------------------------------- */

CK_RV
ep11_use_begin(struct ep11_engine *e, struct hsa_call *c,
    enum ep11_state_kind kind, struct hsa_slice key, size_t work_len)
{
	struct hsa_buf body = {0};
	hsa_rc rc = ep11_op_encode(&body, &c->mech, key, work_len);
	CK_RV rv;

	if (rc.v == HSA_E_RANGE)
		rv = CKR_DATA_LEN_RANGE;
	else if (!hsa_is_ok(rc))
		rv = CKR_HOST_MEMORY;
	else
		rv = ep11_state_seal(e, &c->new_state, kind, body.p, body.len);
	hsa_buf_free(&body);
	return rv;
}

CK_RV
ep11_use_resume(struct ep11_engine *e, struct hsa_call *c, struct ep11_run *r,
    enum ep11_state_kind kind, CK_FLAGS flag)
{
	CK_RV rv = ep11_state_open(e, &r->body, kind, c->state);

	if (rv != CKR_OK)
		return rv;
	if (!hsa_is_ok(ep11_op_decode(&r->op, r->body.p, r->body.len)))
		return CKR_SAVED_STATE_INVALID;
	rv = ep11_mech_use(&r->row, e->cp, &r->op.mech, flag);
	if (rv != CKR_OK || flag == CKF_DIGEST)
		return rv;
	return ep11_use_key(e, &r->k, c, r->op.key, r->row, flag);
}

CK_RV
ep11_use_suspend(struct ep11_engine *e, struct hsa_call *c, struct ep11_run *r,
    enum ep11_state_kind kind)
{
	ep11_op_feed(&r->op, r->body.p);
	return ep11_state_seal(e, &c->new_state, kind, r->body.p, r->body.len);
}

void
ep11_use_close(struct ep11_engine *e, struct ep11_run *r)
{
	ep11_key_put(e, r->k);
	hsa_buf_free(&r->body);
}
