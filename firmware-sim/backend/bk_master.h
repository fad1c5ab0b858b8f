/*
 * bk_master.h - master keys: import from encrypted parts, verification
 * pattern. Calls of cu_backend_ops; ctx is a struct bk_p11.
 */
#ifndef BK_MASTER_H
#define BK_MASTER_H
#include "cu_backend.h"

hsa_rc bk_master_import(void *ctx, struct cu_key_id *id, uint8_t pattern[32],
    uint8_t part_id[][32], size_t *bad, const struct cu_key_id *importer,
    const struct tke_recipient *part, size_t n);
hsa_rc bk_master_pattern(
    void *ctx, uint8_t pattern[32], const struct cu_key_id *id);

#endif
