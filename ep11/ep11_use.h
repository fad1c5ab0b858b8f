/*
 * ep11_use.h - a key put to use: what every data function checks before the
 * token is asked, and what it makes of the token's answer.
 */
#ifndef EP11_USE_H
#define EP11_USE_H
#include "ep11_core.h"
#include "ep11_op.h"

/*
 * ep11_use_key(e, k, c, blob, row, flag) - ep11_key_get with the boolean that
 * flag (CKF_ENCRYPT, CKF_DECRYPT, CKF_SIGN, CKF_VERIFY) needs, then
 * ep11_use_fits. The caller puts the key back.
 * ep11_use_fits(e, k, row, flag) - class, type, curve and size of the key:
 * CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_SIZE_RANGE; and what ep11_policy_key says
 * of it now, so that a cached key is used no longer than one that has to be
 * loaded.
 */
CK_RV ep11_use_key(struct ep11_engine *e, struct ep11_key **k,
    struct hsa_call *c, struct hsa_slice blob, const struct ep11_mech_row *row,
    CK_FLAGS flag);
CK_RV ep11_use_fits(const struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, CK_FLAGS flag);

/*
 * ep11_use_crypt(e, out, encrypt, m, h, in, room) - one operation of the token
 * straight into out, which grows by at most room bytes.
 * ep11_use_sign(...) - likewise. ep11_use_verify(...).
 * bad: what the token's CKR_GENERAL_ERROR means here, with which SoftHSM
 * answers whatever OpenSSL did not like; 0: a failure of the token. Failures of
 * the token are CKR_FUNCTION_FAILED.
 */
CK_RV ep11_use_crypt(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    CK_MECHANISM *m, CK_OBJECT_HANDLE h, struct hsa_slice in, size_t room,
    CK_RV bad);
CK_RV ep11_use_sign(struct ep11_engine *e, struct hsa_buf *out, CK_MECHANISM *m,
    CK_OBJECT_HANDLE h, struct hsa_slice in, size_t room, CK_RV bad);
CK_RV ep11_use_verify(struct ep11_engine *e, CK_MECHANISM *m,
    CK_OBJECT_HANDLE h, struct hsa_slice in, struct hsa_slice sig, CK_RV bad);
CK_RV ep11_use_digest(struct ep11_engine *e, struct hsa_buf *out,
    CK_MECHANISM_TYPE hash, struct hsa_slice in);

/* Bytes of an RSA modulus; of r and s of a curve. */
size_t ep11_use_modulus(const struct ep11_key *k);
size_t ep11_use_order(const struct ep11_key *k);

/* ---- operations that go on ----------------------------------------------- */

struct ep11_run {
	struct hsa_buf body; /* of the state, decrypted: wiped by close */
	struct ep11_op op;   /* in it */
	struct ep11_key *k;
	const struct ep11_mech_row *row;
};

/*
 * ep11_use_begin(e, c, kind, key, work_len) - the state of a new operation with
 * c->mech and the key's blob becomes c->new_state.
 * ep11_use_resume(e, c, r, kind, flag) - the operation of c->state, with its
 * key held and all checks made again: control points may be off by now.
 * ep11_use_suspend(e, c, r, kind) - it becomes c->new_state.
 * ep11_use_close(e, r) - always, after resume.
 */
CK_RV ep11_use_begin(struct ep11_engine *e, struct hsa_call *c,
    enum ep11_state_kind kind, struct hsa_slice key, size_t work_len);
CK_RV ep11_use_resume(struct ep11_engine *e, struct hsa_call *c,
    struct ep11_run *r, enum ep11_state_kind kind, CK_FLAGS flag);
CK_RV ep11_use_suspend(struct ep11_engine *e, struct hsa_call *c,
    struct ep11_run *r, enum ep11_state_kind kind);
void ep11_use_close(struct ep11_engine *e, struct ep11_run *r);

#endif
