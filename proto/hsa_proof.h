/*
 * hsa_proof.h - the extra data of an inclusion proof (FORMAT.md section 8):
 * the record that is proven and, for one that names a context, the context
 * with its own way to the same root. Slices point into what was decoded.
 */
#ifndef HSA_PROOF_H
#define HSA_PROOF_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_hash.h"

#define HSA_PROOF_WAY_MAX 64 /* hashes from a leaf to the root */

struct hsa_proof_extra {
	struct hsa_slice record;
	struct hsa_slice context;                       /* n == 0: none */
	uint8_t way[HSA_PROOF_WAY_MAX][HSA_SHA256_LEN]; /* of the context */
	size_t way_len;
};

/* hsa_proof_extra_encode(b, x) - append. E_RANGE when a part is too long.
 * hsa_proof_extra_decode(x, p, n) - strict, E_FORMAT or E_RANGE; what decodes
 * encodes to the same bytes. */
HSA_MUST_USE hsa_rc hsa_proof_extra_encode(
    struct hsa_buf *b, const struct hsa_proof_extra *x);
HSA_MUST_USE hsa_rc hsa_proof_extra_decode(
    struct hsa_proof_extra *x, const void *p, size_t n);

#endif
