/*
 * helper_ks.h - keystore operations on a bench (helper_cu.h). Each must leave
 * exactly one record, which is checked: action, outcome, status, correlation.
 */
#ifndef HELPER_KS_H
#define HELPER_KS_H
#include "helper_cu.h"
#include "hsa_ks.h"

#define KS_INSTANCE "00000000-0000-4000-8000-000000000001"

/* A key blob of an AES-256 key as far as a keystore looks: well-formed, its
 * material and MAC made up. */
#define KS_BLOB_LEN 161
#define KS_BLOB_LARGE 16377 /* no longer one is well-formed */
void ks_blob(uint8_t blob[KS_BLOB_LEN], uint32_t seed);
void ks_blob_of(uint8_t *blob, size_t n, uint32_t seed);

/* ks_do(b, r, q) - through cu_unit_keystore; a request without id gets one,
 * a change without TxID as well. Returns the rv. r: the caller's to free. */
uint32_t ks_do(
    struct cu_bench *b, struct hsa_ks_reply *r, struct hsa_ks_request *q);

/* The same for what most tests need; must succeed. */
void ks_create(struct cu_bench *b, uint8_t id[16], const char *name);
void ks_store(struct cu_bench *b, uint8_t id[16], const uint8_t keystore[16],
    const char *label, uint32_t seed);

/* ks_target(b) - target.name of the newest record; static memory. */
const char *ks_target(struct cu_bench *b);

#endif
