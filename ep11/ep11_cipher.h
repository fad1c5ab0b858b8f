/*
 * ep11_cipher.h - AES and DES encryption with a key at hand: whole, and in
 * parts as whole token operations on complete blocks, whose chaining value is
 * kept in an operation's state.
 */
#ifndef EP11_CIPHER_H
#define EP11_CIPHER_H
#include "ep11_core.h"
#include "ep11_op.h"

/*
 * ep11_cipher_check(row, m) - what is inside the parameter:
 * CKR_MECHANISM_PARAM_INVALID.
 * ep11_cipher_len(row, m, encrypt, n) - bytes that come out of n whole ones;
 * 0: none, or only the token knows (padding).
 * ep11_cipher_once(e, out, encrypt, k, row, m, in) - appended.
 * CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE,
 * CKR_ENCRYPTED_DATA_INVALID (padding, tag).
 */
CK_RV ep11_cipher_check(
    const struct ep11_mech_row *row, const struct hsa_mech *m);
size_t ep11_cipher_len(const struct ep11_mech_row *row,
    const struct hsa_mech *m, bool encrypt, size_t n);
CK_RV ep11_cipher_once(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in);

/*
 * ep11_cipher_update(e, out, encrypt, k, row, op, in) - out gets what is
 * complete; the chain in op's work goes on (op->fed false: it begins with the
 * parameter). CKR_FUNCTION_NOT_SUPPORTED for GCM (ep11_exposure.def).
 * ep11_cipher_final(...) - the rest.
 */
CK_RV ep11_cipher_update(struct ep11_engine *e, struct hsa_buf *out,
    bool encrypt, const struct ep11_key *k, const struct ep11_mech_row *row,
    struct ep11_op *op, struct hsa_slice in);
CK_RV ep11_cipher_final(struct ep11_engine *e, struct hsa_buf *out,
    bool encrypt, const struct ep11_key *k, const struct ep11_mech_row *row,
    struct ep11_op *op);

#endif
