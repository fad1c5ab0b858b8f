/*
 * vfy_proven.h - what a proof file proves, by the rules P1 to P5 of FORMAT.md
 * section 8: with the file and public keys alone, nothing of the log.
 */
#ifndef VFY_PROVEN_H
#define VFY_PROVEN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_event.h"
#include "vfy_log.h"
#include "vfy_proof.h"

struct vfy_proven_options {
	const struct vfy_keys *keys;
	const struct vfy_keys *witnesses; /* NULL: none are asked for */
	size_t need;                      /* so many of them, at least */
	/* the leaf, when the proof does not bring it (or in place of it) */
	struct hsa_slice record;
};

struct vfy_proven {
	enum vfy_proof_kind kind; /* 0: it is no proof at all */
	char origin[256];
	uint64_t from; /* the record's sequence; the old size */
	uint64_t size;
	uint8_t old_root[HSA_SHA256_LEN], root[HSA_SHA256_LEN];
	size_t hashes, signatures;
	size_t witnessed; /* of the witnesses asked for */
	bool has_record;
	struct hsa_record record; /* inclusion; owned */
	bool bad;
	char rule[8]; /* "P2" */
	char finding[512];
};

/*
 * vfy_proven_check(v, opt, text, n, diag) - success with v->bad set when it
 * proves nothing. E_ARG: the proof brings no record, and opt none. v is freed
 * by vfy_proven_free, whatever is returned.
 */
HSA_MUST_USE hsa_rc vfy_proven_check(struct vfy_proven *v,
    const struct vfy_proven_options *opt, const void *text, size_t n,
    struct hsa_diag *diag);
void vfy_proven_free(struct vfy_proven *v);

#endif
