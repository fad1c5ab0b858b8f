/*
 * bk_sign.h - the two keys that sign for a unit: OA (P-521) and checkpoint
 * (Ed25519). Both by direct Cryptoki: libp11 0.4.12 has no EdDSA, and as soon
 * as a token holds one Ed25519 key its PKCS11_enumerate_keys fails for all.
 */
#ifndef BK_SIGN_H
#define BK_SIGN_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct bk_p11;
struct hsa_buf;

/*
 * bk_sign_make(b, diag) - generate both pairs in a new token.
 * bk_sign_load(b, diag) - find both. E_CORRUPT when one is missing, doubled or
 * not the one its public half says.
 */
HSA_MUST_USE hsa_rc bk_sign_make(struct bk_p11 *b, struct hsa_diag *diag);
/* bk_sign_checkpoint_make(b, diag) - the checkpoint pair, when its private half
 * is missing; on stable storage when it returns. */
HSA_MUST_USE hsa_rc bk_sign_checkpoint_make(
    struct bk_p11 *b, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc bk_sign_load(struct bk_p11 *b, struct hsa_diag *diag);

/*
 * oa_sign and checkpoint_sign of cu_backend_ops; ctx is a struct bk_p11.
 * SoftHSM 2.6.1 loses 64 bytes of heap with every EdDSA signature (it decodes
 * the curve's name and never frees it): one per batch of records, not one per
 * record.
 */
hsa_rc bk_sign_oa(void *ctx, struct hsa_buf *sig, const void *msg, size_t n);
hsa_rc bk_sign_checkpoint(
    void *ctx, uint8_t sig[64], const void *msg, size_t n);

#endif
