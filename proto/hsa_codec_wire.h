/*
 * hsa_codec_wire.h - what the files of the codec share: the check that bytes
 * are the one spelling of a message (FORMAT E1, E3), memory for one message,
 * and packing. Private to hsa_codec*.c.
 *
 * Reading goes in three steps: scan the bytes against the descriptors that
 * protoc-c made from the schema (order, minimal varints, no defaults, no
 * unknown fields, UTF-8, bounded nesting), unpack with protobuf-c, convert and
 * check what the schema cannot say. What was scanned packs to the same bytes.
 */
#ifndef HSA_CODEC_WIRE_H
#define HSA_CODEC_WIRE_H
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_cur.h"
#include "hsa_err.h"

struct hsa_buf;

/* ---- memory of one message ----------------------------------------------- */

/* Blocks released together; a zeroed struct is empty. A failed allocation is
 * remembered, as in hsa_buf. */
struct hsa_pool {
	struct hsa_pool_block *block;
	bool failed;
};

void *hsa_pool_get(struct hsa_pool *p, size_t n); /* zeroed, or NULL */
/* s as the string of a message: "" for NULL, bad bytes as U+FFFD; either s
 * itself or memory of the pool. */
char *hsa_pool_text(struct hsa_pool *p, const char *s);
/* n zeroed messages of size bytes each, as the array of pointers to them that
 * protobuf-c has for repeated fields; NULL when n is 0 or out of memory. */
void *hsa_pool_array(struct hsa_pool *p, size_t n, size_t size);
void hsa_pool_free(struct hsa_pool *p);

/* ---- reading ------------------------------------------------------------- */

struct hsa_wire_field {
	const ProtobufCFieldDescriptor *desc;
	uint64_t number;  /* varint or fixed64 */
	const uint8_t *p; /* string, bytes, message, packed numbers */
	size_t n;
};

/* Position in one message; start with hsa_wire_of. */
struct hsa_wire {
	struct hsa_cur cur;
	const ProtobufCMessageDescriptor *desc;
	unsigned int at; /* first field that may come next */
	bool oneof;      /* a member of the oneof was there */
	bool entry;      /* of a map: key and value are there even if zero,
			    as every encoder of maps has it (FORMAT E7) */
};

/* skip: so many fields of the descriptor, from its first, may not appear. */
struct hsa_wire hsa_wire_of(const ProtobufCMessageDescriptor *desc,
    unsigned int skip, const void *p, size_t n);
/*
 * hsa_wire_next(w, f) - the next field of this message, its own spelling
 * checked but not what is inside a message. Ask only while bytes are left in
 * w->cur. E_FORMAT otherwise.
 */
HSA_MUST_USE hsa_rc hsa_wire_next(struct hsa_wire *w, struct hsa_wire_field *f);
/* hsa_wire_scan(desc, skip, p, n) - the whole message, to its depth. Not for
 * messages with maps: hsa_codec_call.h reads those. */
HSA_MUST_USE hsa_rc hsa_wire_scan(const ProtobufCMessageDescriptor *desc,
    unsigned int skip, const void *p, size_t n);

/*
 * hsa_wire_unpack(m, pool, desc, skip, p, n) - scan, then unpack into memory
 * of the pool.
 */
HSA_MUST_USE hsa_rc hsa_wire_unpack(void **m, struct hsa_pool *pool,
    const ProtobufCMessageDescriptor *desc, unsigned int skip, const void *p,
    size_t n);

/*
 * hsa_wire_delimited(body, used, p, n, max) - the message of a delimited one
 * (FORMAT E4): E_TRUNCATED when not all is there, E_RANGE above max.
 */
HSA_MUST_USE hsa_rc hsa_wire_delimited(
    struct hsa_cur *body, size_t *used, const void *p, size_t n, size_t max);

/* hsa_wire_version(v) - FORMAT E6: 1 is known, 0 was left out (E_FORMAT), any
 * other is of another edition (E_UNSUPPORTED). */
HSA_MUST_USE hsa_rc hsa_wire_version(uint64_t v);

/* Copies of decoded fields. text: NULL for "". fixed: E_FORMAT unless exactly
 * n bytes. chars: E_RANGE unless it fits with its NUL. buf: appended. */
HSA_MUST_USE hsa_rc hsa_wire_buf(
    struct hsa_buf *to, const ProtobufCBinaryData *b);
HSA_MUST_USE hsa_rc hsa_wire_text(char **to, const char *s);
HSA_MUST_USE hsa_rc hsa_wire_fixed(
    void *to, size_t n, const ProtobufCBinaryData *b);
HSA_MUST_USE hsa_rc hsa_wire_chars(char *to, size_t cap, const char *s);

/* ---- writing ------------------------------------------------------------- */

/* hsa_wire_bytes(p, n) - for a bytes field, which protobuf-c never writes to.
 */
ProtobufCBinaryData hsa_wire_bytes(const void *p, size_t n);
ProtobufCBinaryData hsa_wire_buf_bytes(const struct hsa_buf *b);

/*
 * hsa_wire_pack(b, pool, m, max, delimited) - append m; E_NOMEM when the pool
 * had failed, E_RANGE above max bytes.
 */
HSA_MUST_USE hsa_rc hsa_wire_pack(struct hsa_buf *b,
    const struct hsa_pool *pool, const ProtobufCMessage *m, size_t max,
    bool delimited);

/*
 * A message written field by field, for messages whose bytes would otherwise
 * be copied into generated structs first. The same functions run twice: with
 * b NULL they only count, which gives the lengths. Fields are written in
 * ascending order by whoever calls.
 */
struct hsa_out {
	struct hsa_buf *b; /* NULL: count */
	size_t n;          /* bytes so far */
	hsa_rc rc;         /* the first refusal; sticky */
};

typedef void hsa_out_fn(struct hsa_out *o, const void *arg);

/* number, bytes: also when zero or empty; *_opt: left out then. */
void hsa_out_number(struct hsa_out *o, uint32_t field, uint64_t v);
void hsa_out_number_opt(struct hsa_out *o, uint32_t field, uint64_t v);
void hsa_out_bytes(struct hsa_out *o, uint32_t field, const void *p, size_t n);
void hsa_out_bytes_opt(
    struct hsa_out *o, uint32_t field, const void *p, size_t n);
void hsa_out_zeros(struct hsa_out *o, uint32_t field, size_t n);
/* p: n numbers in the machine's order, of any alignment */
void hsa_out_packed(struct hsa_out *o, uint32_t field, const void *p, size_t n);
/* hsa_out_message(o, field, fn, arg) - what fn writes, as a message.
 * hsa_out_generated(o, field, m) - a generated one. */
void hsa_out_message(
    struct hsa_out *o, uint32_t field, hsa_out_fn *fn, const void *arg);
void hsa_out_generated(
    struct hsa_out *o, uint32_t field, const ProtobufCMessage *m);
void hsa_out_refuse(struct hsa_out *o, hsa_rc rc);
/*
 * hsa_out_write(b, fn, arg, max, delimited) - what fn writes, appended to b;
 * its refusal, or E_RANGE above max, before the first byte.
 */
HSA_MUST_USE hsa_rc hsa_out_write(struct hsa_buf *b, hsa_out_fn *fn,
    const void *arg, size_t max, bool delimited);

#endif
