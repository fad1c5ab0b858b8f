/*
 * Digests: whole ones in the token, those in parts outside it.
 *
 * There is no DigestKey, as there is none on the real module (ep11-host-api
 * 18.5, id 7): the token could only hash a key together with all that follows,
 * in one operation, so the key would have to leave it.
 */
#include "ep11_hash.h"
#include "ep11_use.h"

CK_RV
ep11_do_digest_init(struct ep11_engine *e, struct hsa_call *c)
{
	static const struct hsa_slice no_key;
	const struct ep11_mech_row *row = NULL;
	CK_RV rv = ep11_mech_use(&row, e->cp, &c->mech, CKF_DIGEST);

	if (rv != CKR_OK)
		return rv;
	return ep11_use_begin(e, c, EP11_STATE_DIGEST, no_key, EP11_HASH_SAVED);
}

/* The hash as the state has it; a new state's is all zero. */
static CK_RV
hash_of(struct ep11_hash *h, const struct ep11_run *r)
{
	if (r->op.work_len != EP11_HASH_SAVED)
		return CKR_SAVED_STATE_INVALID;
	if (!r->op.fed) {
		ep11_hash_init(h, r->row->hash);
		return CKR_OK;
	}
	if (!hsa_is_ok(ep11_hash_decode(h, r->op.work)) ||
	    h->type != r->row->hash)
		return CKR_SAVED_STATE_INVALID;
	return CKR_OK;
}

CK_RV
ep11_do_digest_update(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_run r = {0};
	struct ep11_hash h;
	CK_RV rv = ep11_use_resume(e, c, &r, EP11_STATE_DIGEST, CKF_DIGEST);

	if (rv == CKR_OK)
		rv = hash_of(&h, &r);
	if (rv == CKR_OK) {
		ep11_hash_update(&h, c->data.p, c->data.n);
		ep11_hash_save(r.op.work, &h);
		rv = ep11_use_suspend(e, c, &r, EP11_STATE_DIGEST);
	}
	ep11_use_close(e, &r);
	return rv;
}

CK_RV
ep11_do_digest_final(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_run r = {0};
	uint8_t *to = NULL;
	struct ep11_hash h;
	CK_RV rv = ep11_use_resume(e, c, &r, EP11_STATE_DIGEST, CKF_DIGEST);

	if (rv == CKR_OK)
		rv = hash_of(&h, &r);
	if (rv == CKR_OK) {
		to = hsa_buf_reserve(&c->out, EP11_HASH_MAX);
		rv = to != NULL ? CKR_OK : CKR_HOST_MEMORY;
	}
	if (rv == CKR_OK) {
		ep11_hash_final(&h, to);
		c->out.len += ep11_hash_len(r.row->hash);
	}
	ep11_use_close(e, &r);
	return rv;
}

CK_RV
ep11_do_digest(struct ep11_engine *e, struct hsa_call *c)
{
	struct ep11_run r = {0};
	CK_RV rv = ep11_use_resume(e, c, &r, EP11_STATE_DIGEST, CKF_DIGEST);

	if (rv == CKR_OK && r.op.fed)
		rv = CKR_OPERATION_ACTIVE;
	if (rv == CKR_OK)
		rv = ep11_use_digest(e, &c->out, r.row->token, c->data);
	ep11_use_close(e, &r);
	return rv;
}

CK_RV
ep11_do_digest_single(struct ep11_engine *e, struct hsa_call *c)
{
	const struct ep11_mech_row *row = NULL;
	CK_RV rv = ep11_mech_use(&row, e->cp, &c->mech, CKF_DIGEST);

	if (rv != CKR_OK)
		return rv;
	return ep11_use_digest(e, &c->out, row->token, c->data);
}
