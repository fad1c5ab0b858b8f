/*
 * hsa_cur.h - reading cursor. Every parser of the tree reads through it: the
 * length is checked before the byte, outputs are written on success only, and
 * hsa_cur_end refuses what is left over.
 */
#ifndef HSA_CUR_H
#define HSA_CUR_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct hsa_cur {
	const uint8_t *p, *end; /* next byte, one past the last */
};

static inline struct hsa_cur
hsa_cur_of(const void *p, size_t n)
{
	static const uint8_t nothing;
	const uint8_t *at = n == 0 ? &nothing : p;

	return (struct hsa_cur){at, at + n};
}

static inline size_t
hsa_cur_left(const struct hsa_cur *c)
{
	return (size_t)(c->end - c->p);
}

/* All: E_TRUNCATED when fewer bytes are left than asked for. */
HSA_MUST_USE hsa_rc hsa_cur_u8(struct hsa_cur *c, uint8_t *v);
HSA_MUST_USE hsa_rc hsa_cur_be16(struct hsa_cur *c, uint16_t *v);
HSA_MUST_USE hsa_rc hsa_cur_be32(struct hsa_cur *c, uint32_t *v);
HSA_MUST_USE hsa_rc hsa_cur_be64(struct hsa_cur *c, uint64_t *v);
/* hsa_cur_bytes(c, p, n) - p points into the input, n bytes of it. */
HSA_MUST_USE hsa_rc hsa_cur_bytes(
    struct hsa_cur *c, const uint8_t **p, size_t n);
/* hsa_cur_copy(c, to, n) - the same, copied. */
HSA_MUST_USE hsa_rc hsa_cur_copy(struct hsa_cur *c, void *to, size_t n);
/* hsa_cur_varint(c, v) - protobuf base 128; E_FORMAT when longer than needed
 * (so that every number has one spelling) or beyond 64 bits. */
HSA_MUST_USE hsa_rc hsa_cur_varint(struct hsa_cur *c, uint64_t *v);
/* hsa_cur_end(c) - E_TRAILING unless everything was read. */
HSA_MUST_USE hsa_rc hsa_cur_end(const struct hsa_cur *c);

#endif
