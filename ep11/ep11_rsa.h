/*
 * ep11_rsa.h - RSA with a key at hand: PKCS #1 v1.5, OAEP and raw encryption;
 * PKCS #1 v1.5, PSS and raw signatures.
 */
#ifndef EP11_RSA_H
#define EP11_RSA_H
#include "ep11_core.h"

/* ep11_rsa_check(k, row, m) - what is inside an OAEP or PSS parameter:
 * CKR_MECHANISM_PARAM_INVALID. */
CK_RV ep11_rsa_check(const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m);

/* CKR_DATA_LEN_RANGE, CKR_DATA_INVALID (raw: not below the modulus);
 * CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID. */
CK_RV ep11_rsa_crypt(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in);

/* digested: in is the row's hash over the data, not the data. */
CK_RV ep11_rsa_sign(struct ep11_engine *e, struct hsa_buf *out,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in, bool digested);
CK_RV ep11_rsa_verify(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m,
    struct hsa_slice in, struct hsa_slice sig, bool digested);

#endif
