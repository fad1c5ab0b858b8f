/*
 * ep11_op.h - what an operation state holds (ep11_state.h), inside its
 * encryption. Pure bytes.
 *
 *   0  1  1: data was fed by Update
 *   1  8  mechanism
 *   9  1  kind of its parameter (enum hsa_mech_kind)
 *  10 48  hash, mgf, source type, salt length, KDF, tag bits: 8 each
 *  58  2  length, then a of the parameter
 *      2  length, then b of the parameter
 *      2  length, then the key blob; empty in digests
 *      2  length, then what the family keeps: chaining values, held bytes
 *
 * All lengths stay as Init wrote them, so a state's does.
 */
#ifndef EP11_OP_H
#define EP11_OP_H
#include <stdbool.h>
#include "hsa_call.h"

struct ep11_op {
	bool fed;
	struct hsa_mech mech; /* slices into the bytes */
	struct hsa_slice key;
	uint8_t *work; /* inside the bytes, changed in place */
	size_t work_len;
};

/* ep11_op_encode(b, m, key, work_len) - appended; work is zero.
 * E_RANGE: something is longer than 65535.
 * ep11_op_decode(op, p, n) - op points into p. E_TRUNCATED, E_FORMAT,
 * E_TRAILING.
 * ep11_op_feed(op, p) - note that data was fed; p as decoded. */
HSA_MUST_USE hsa_rc ep11_op_encode(struct hsa_buf *b, const struct hsa_mech *m,
    struct hsa_slice key, size_t work_len);
HSA_MUST_USE hsa_rc ep11_op_decode(struct ep11_op *op, uint8_t *p, size_t n);
void ep11_op_feed(struct ep11_op *op, uint8_t *p);

/*
 * What ciphers and CMAC keep: bytes only, so it lies in the work area as it
 * is. ep11_chain_of(op) - NULL when the area is no chain.
 */
struct ep11_chain {
	uint8_t value[16]; /* IV, counter or last block */
	uint8_t held_len;  /* <= 32 */
	uint8_t spent;     /* 1: the counter has no value left */
	uint8_t held[32];
};
struct ep11_chain *ep11_chain_of(const struct ep11_op *op);

#endif
