/*
 * ep11_sign.h - signatures and MACs with a key at hand, by family; whole ones
 * are ep11_sign_once and ep11_verify_once of ep11_core.h.
 */
#ifndef EP11_SIGN_H
#define EP11_SIGN_H
#include "ep11_core.h"
#include "ep11_op.h"

/*
 * ep11_sign_check(k, row, m) - what is inside the parameter.
 * ep11_sign_len(k, row, m) - bytes of a signature; 0: only the token knows
 * (DSA).
 * ep11_sign_work(row) - bytes that an operation in parts keeps, 0: it has
 * none, and Update answers CKR_FUNCTION_NOT_SUPPORTED (raw signatures, EdDSA).
 * ep11_sign_update(e, k, row, op, in) - the same for signing and verifying.
 * ep11_sign_final(e, out, k, row, op), ep11_verify_final(e, k, row, op, sig) -
 * also of an operation that nothing was fed to: over no data.
 */
CK_RV ep11_sign_check(const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m);
size_t ep11_sign_len(const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m);
size_t ep11_sign_work(const struct ep11_mech_row *row);
CK_RV ep11_sign_update(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct ep11_op *op, struct hsa_slice in);
CK_RV ep11_sign_final(struct ep11_engine *e, struct hsa_buf *out,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    struct ep11_op *op);
CK_RV ep11_verify_final(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct ep11_op *op, struct hsa_slice sig);

#endif
