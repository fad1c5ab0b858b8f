/*
 * hsa_buf.h - growing byte buffer with a sticky failure.
 *
 * Appends never fail at the call: a failed allocation is remembered and every
 * later append is ignored, so that builders read straight down and ask once,
 * through hsa_buf_rc. A zeroed struct is an empty buffer. Growth wipes the
 * memory it leaves, so a buffer may hold a secret.
 */
#ifndef HSA_BUF_H
#define HSA_BUF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct hsa_buf {
	uint8_t *p;      /* NULL while cap is 0 */
	size_t len, cap; /* bytes used, bytes allocated */
	bool failed;     /* an append ran out of memory */
};

/* Bytes that belong to somebody else. */
struct hsa_slice {
	const uint8_t *p;
	size_t n;
};

void hsa_buf_put(struct hsa_buf *b, const void *p, size_t n);
void hsa_buf_u8(struct hsa_buf *b, uint8_t v);
void hsa_buf_be16(struct hsa_buf *b, uint16_t v);
void hsa_buf_be32(struct hsa_buf *b, uint32_t v);
void hsa_buf_be64(struct hsa_buf *b, uint64_t v);
void hsa_buf_str(struct hsa_buf *b, const char *s); /* without the NUL */
void hsa_buf_printf(struct hsa_buf *b, const char *fmt, ...) HSA_PRINTF(2, 3);
void hsa_buf_hex(struct hsa_buf *b, const void *p, size_t n); /* lower case */
void hsa_buf_uint(struct hsa_buf *b, uint64_t v);             /* decimal */
void hsa_buf_varint(struct hsa_buf *b, uint64_t v); /* protobuf base 128 */

/*
 * hsa_buf_reserve(b, n) - room for n more bytes; returns where they start, or
 * NULL. The caller writes there and then adds to b->len.
 */
uint8_t *hsa_buf_reserve(struct hsa_buf *b, size_t n);

/* hsa_buf_cstr(b) - contents as a C string (NUL kept outside len); "" when
 * empty or failed. Valid until the next append. */
const char *hsa_buf_cstr(struct hsa_buf *b);

/* hsa_buf_rc(b) - success, or E_NOMEM when any append failed. */
HSA_MUST_USE hsa_rc hsa_buf_rc(const struct hsa_buf *b);

/* hsa_buf_reset(b) - length 0, failure forgotten, memory kept and wiped.
 * hsa_buf_free(b) - wipe, release, zero the struct; NULL-safe, repeatable. */
void hsa_buf_reset(struct hsa_buf *b);
void hsa_buf_free(struct hsa_buf *b);

#endif
