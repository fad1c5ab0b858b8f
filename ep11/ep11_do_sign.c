/* Signing and verifying, all forms; the function's number says which. */
#include "ep11_sign.h"
#include "ep11_use.h"

struct way {
	CK_FLAGS flag;
	enum ep11_state_kind kind;
};
static const struct way signs = {CKF_SIGN, EP11_STATE_SIGN};
static const struct way verifies = {CKF_VERIFY, EP11_STATE_VERIFY};

static struct way
way_of(enum hsa_fn fn)
{
	return fn == HSA_FN_SIGN_INIT || fn == HSA_FN_SIGN_UPDATE ? signs
								  : verifies;
}

/* A question about the length alone is answered without the token. */
static bool
length_told(struct hsa_call *c, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m)
{
	if (!c->length_only || ep11_sign_check(k, row, m) != CKR_OK)
		return false;
	c->needed = ep11_sign_len(k, row, m);
	return c->needed != 0;
}

/* ---- in parts ------------------------------------------------------------ */

CK_RV
ep11_do_sign_init(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = NULL;
	struct way way = way_of(c->fn);
	struct ep11_key *k = NULL;
	CK_RV rv = ep11_mech_use(&row, e->cp, &c->mech, way.flag);

	if (rv == CKR_OK)
		rv = ep11_use_key(e, &k, c, c->key, row, way.flag);
	if (rv == CKR_OK)
		rv = ep11_sign_check(k, row, &c->mech);
	if (rv == CKR_OK)
		rv =
		    ep11_use_begin(e, c, way.kind, c->key, ep11_sign_work(row));
	ep11_key_put(e, k);
	return rv;
}

CK_RV
ep11_do_sign_update(struct ep11_engine *e, struct hsa_call *c)
{
	struct way way = way_of(c->fn);
	struct ep11_run r = {0};
	CK_RV rv = ep11_use_resume(e, c, &r, way.kind, way.flag);

	if (rv == CKR_OK)
		rv = ep11_sign_update(e, r.k, r.row, &r.op, c->data);
	if (rv == CKR_OK)
		rv = ep11_use_suspend(e, c, &r, way.kind);
	ep11_use_close(e, &r);
	return rv;
}

CK_RV
ep11_do_sign_final(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_run r = {0};
	CK_RV rv = ep11_use_resume(e, c, &r, signs.kind, signs.flag);

	if (rv == CKR_OK && !length_told(c, r.k, r.row, &r.op.mech))
		rv = ep11_sign_final(e, &c->out, r.k, r.row, &r.op);
	ep11_use_close(e, &r);
	return rv;
}

CK_RV
ep11_do_verify_final(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_run r = {0};
	CK_RV rv = ep11_use_resume(e, c, &r, verifies.kind, verifies.flag);

	if (rv == CKR_OK)
		rv = ep11_verify_final(e, r.k, r.row, &r.op, c->signature);
	ep11_use_close(e, &r);
	return rv;
}

/* ---- on a state that nothing was fed to: the same as Single -------------- */

CK_RV
ep11_do_sign(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_run r = {0};
	CK_RV rv = ep11_use_resume(e, c, &r, signs.kind, signs.flag);

	if (rv == CKR_OK && r.op.fed)
		rv = CKR_OPERATION_ACTIVE;
	if (rv == CKR_OK && !length_told(c, r.k, r.row, &r.op.mech))
		rv =
		    ep11_sign_once(e, &c->out, r.k, r.row, &r.op.mech, c->data);
	ep11_use_close(e, &r);
	return rv;
}

CK_RV
ep11_do_verify(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_run r = {0};
	CK_RV rv = ep11_use_resume(e, c, &r, verifies.kind, verifies.flag);

	if (rv == CKR_OK && r.op.fed)
		rv = CKR_OPERATION_ACTIVE;
	if (rv == CKR_OK)
		rv = ep11_verify_once(
		    e, r.k, r.row, &r.op.mech, c->data, c->signature);
	ep11_use_close(e, &r);
	return rv;
}

/* ---- single -------------------------------------------------------------- */

CK_RV
ep11_do_sign_single(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = NULL;
	struct ep11_key *k = NULL;
	CK_RV rv = ep11_mech_use(&row, e->cp, &c->mech, CKF_SIGN);

	if (rv == CKR_OK)
		rv = ep11_use_key(e, &k, c, c->key, row, CKF_SIGN);
	if (rv == CKR_OK && !length_told(c, k, row, &c->mech))
		rv = ep11_sign_once(e, &c->out, k, row, &c->mech, c->data);
	ep11_key_put(e, k);
	return rv;
}

CK_RV
ep11_do_verify_single(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = NULL;
	struct ep11_key *k = NULL;
	CK_RV rv = ep11_mech_use(&row, e->cp, &c->mech, CKF_VERIFY);

	if (rv == CKR_OK)
		rv = ep11_use_key(e, &k, c, c->key, row, CKF_VERIFY);
	if (rv == CKR_OK)
		rv = ep11_verify_once(
		    e, k, row, &c->mech, c->data, c->signature);
	ep11_key_put(e, k);
	return rv;
}
