/*
 * helper_cu_token.h - the bench of helper_cu with a real SoftHSM token under
 * it, so that EP11 functions run; log and OA key stay in memory. One at a time.
 * Watches the engine: no object that came of a master key may be alive when
 * the unit destroys that key.
 */
#ifndef HELPER_CU_TOKEN_H
#define HELPER_CU_TOKEN_H
#include "ep11_token.h"
#include "helper_bk.h"
#include "helper_cu.h"
#include "hsa_call.h"

struct cu_token {
	struct helper_bk h;
	struct ep11_token token;     /* of h, watched */
	unsigned int live;           /* objects that came of master keys */
	unsigned int destroyed;      /* master keys, by the unit */
	unsigned int fail_master_at; /* 1: the next session copy; 0: never */
};

/* cu_token_bench(t) - not opened; t zeroed or of a test before.
 * cu_token_free(t, b) - both. */
struct cu_bench *cu_token_bench(struct cu_token *t);
void cu_token_free(struct cu_token *t, struct cu_bench *b);

/* cu_token_load(b, value) - out of imprint mode if it is there still
 * (administrator 0, thresholds 1), then value as the current master key.
 * cu_token_commit(b, value) - only up to committed. */
void cu_token_load(struct cu_bench *b, uint8_t value);
void cu_token_commit(struct cu_bench *b, uint8_t pattern[32], uint8_t value);

/* cu_bench_call(b, c) - one call, which must leave exactly one record unless
 * the unit has halted; returns c->rv. c->id is set when zero. */
uint64_t cu_bench_call(struct cu_bench *b, struct hsa_call *c);

#endif
