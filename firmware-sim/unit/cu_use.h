/*
 * cu_use.h - records of EP11 calls in quick succession. Calls of one caller
 * with one outcome differ in a few fields, so each such kind is built once,
 * with all the rules of the catalogue, and filled in from then on
 * (hsa_use_template.h).
 */
#ifndef CU_USE_H
#define CU_USE_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_unit.h"
#include "hsa_use_template.h"

struct cu_unit;

/* A call that is done, but for its record. */
struct cu_use {
	const struct hsa_call *call;
	const struct hsa_caller *caller;
	uint64_t wall_ns, mono_ns, duration_ns;
	uint32_t denied; /* 0, 401 or 403 */
	char *failure;   /* reason for failure, owned; NULL: success */
};

/* cu_use_failure(x) - fill in x->failure, of a call that has its rv.
 * cu_use_free(x) - repeatable. */
HSA_MUST_USE hsa_rc cu_use_failure(struct cu_use *x);
void cu_use_free(struct cu_use *x);

#define CU_KINDS_MAX 32 /* callers times outcomes; the oldest goes */
#define CU_USE_IDS 64

/* Zeroed: empty. One thread at a time. */
struct cu_kinds {
	struct cu_kind {
		struct hsa_buf key; /* what the kind's calls share */
		struct hsa_use_template t;
	} kind[CU_KINDS_MAX];
	size_t len, oldest;
	struct hsa_buf key; /* of the call at hand */
	uint8_t id[CU_USE_IDS][HSA_UUID_LEN];
	size_t ids; /* left */
};

/*
 * cu_use_record(k, rec, u, x, source_sequence, diag) - append the record of x:
 * one hs-crypto.ep11.use. E_ARG with a diagnosis when the catalogue refuses it.
 * cu_kinds_free(k) - repeatable.
 */
HSA_MUST_USE hsa_rc cu_use_record(struct cu_kinds *k, struct hsa_buf *rec,
    const struct cu_unit *u, const struct cu_use *x, uint64_t source_sequence,
    struct hsa_diag *diag);
void cu_kinds_free(struct cu_kinds *k);

#endif
