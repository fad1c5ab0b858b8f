/*
 * ep11_slice.h - bytes with their length in front, as blobs, states and
 * attribute-bound keys have them: length(2), big-endian, then the bytes.
 */
#ifndef EP11_SLICE_H
#define EP11_SLICE_H
#include "hsa_buf.h"
#include "hsa_cur.h"

/* Appended; the caller has looked that s is not longer than 65535. */
static inline void
ep11_slice_put(struct hsa_buf *b, struct hsa_slice s)
{
	hsa_buf_be16(b, (uint16_t)s.n);
	hsa_buf_put(b, s.p, s.n);
}

/* s points into the input; E_TRUNCATED. */
static inline HSA_MUST_USE hsa_rc
ep11_slice_get(struct hsa_cur *c, struct hsa_slice *s)
{
	uint16_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_be16(c, &n));
	HSA_TRY(rc, hsa_cur_bytes(c, &s->p, n));
	s->n = n;
out:
	return rc;
}

#endif
