#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec_wire.h"
#include "hsa_utf8.h"

/*
 * Messages within messages that a scan follows: Record, Event, then Data,
 * Field and Value for each of HSA_DATA_DEPTH objects, and a list. The
 * converters hold the exact limit; this one bounds the stack.
 */
#define DEPTH_MAX 32

struct hsa_wire
hsa_wire_of(const ProtobufCMessageDescriptor *desc, unsigned int skip,
    const void *p, size_t n)
{
	return (struct hsa_wire){
	    .cur = hsa_cur_of(p, n), .desc = desc, .at = skip};
}

enum {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2
};

static hsa_rc
le64(struct hsa_cur *c, uint64_t *v)
{
	const uint8_t *p = NULL;
	uint64_t x = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_bytes(c, &p, 8));
	for (unsigned int i = 8; i-- > 0;)
		x = x << 8 | p[i];
	*v = x;
out:
	return rc;
}

static hsa_rc
sized(struct hsa_cur *c, struct hsa_wire_field *f)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_varint(c, &f->number));
	if (f->number > hsa_cur_left(c))
		return HSA_RC(E_TRUNCATED);
	f->n = (size_t)f->number;
	HSA_TRY(rc, hsa_cur_bytes(c, &f->p, f->n));
out:
	return rc;
}

static bool
packed(const ProtobufCFieldDescriptor *d)
{
	return (d->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0;
}

/* Numbers without keys between them; the schema packs uint64 alone. */
static hsa_rc
numbers(struct hsa_cur *c, struct hsa_wire_field *f)
{
	struct hsa_cur in = {0};
	uint64_t v = 0;
	hsa_rc rc;

	if (f->desc->type != PROTOBUF_C_TYPE_UINT64)
		return HSA_RC(E_UNSUPPORTED);
	HSA_TRY(rc, sized(c, f));
	in = hsa_cur_of(f->p, f->n);
	while (hsa_cur_left(&in) != 0)
		HSA_TRY(rc, hsa_cur_varint(&in, &v));
out:
	return rc;
}

/* The value of f->desc, whose wire type was in the key. */
static hsa_rc
value(struct hsa_cur *c, struct hsa_wire_field *f, unsigned int wire)
{
	const hsa_rc bad = HSA_RC(E_FORMAT);
	uint64_t max = UINT64_MAX;

	if (packed(f->desc))
		return wire == WIRE_BYTES ? numbers(c, f) : bad;
	switch (f->desc->type) {
	case PROTOBUF_C_TYPE_BOOL:
		max = 1;
		break;
	case PROTOBUF_C_TYPE_UINT32:
		max = UINT32_MAX;
		break;
	case PROTOBUF_C_TYPE_ENUM:
		max = INT32_MAX;
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
		break;
	case PROTOBUF_C_TYPE_FIXED64:
		return wire == WIRE_FIXED64 ? le64(c, &f->number) : bad;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return wire == WIRE_BYTES ? sized(c, f) : bad;
	default:
		/* the schema has no such field */
		return HSA_RC(E_UNSUPPORTED);
	}
	if (wire != WIRE_VARINT || !hsa_is_ok(hsa_cur_varint(c, &f->number)) ||
	    f->number > max)
		return bad;
	return HSA_OK;
}

hsa_rc
hsa_wire_next(struct hsa_wire *w, struct hsa_wire_field *f)
{
	const ProtobufCMessageDescriptor *d = w->desc;
	const hsa_rc bad = HSA_RC(E_FORMAT);
	struct hsa_wire_field got = {0};
	bool oneof, repeated;
	uint64_t key = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_varint(&w->cur, &key));
	/* ascending order, no repetition, no unknown field: all one rule, as
	 * w->at never goes back */
	while (w->at < d->n_fields && d->fields[w->at].id < key >> 3)
		w->at++;
	if (w->at == d->n_fields || d->fields[w->at].id != key >> 3)
		return bad;
	got.desc = &d->fields[w->at];
	oneof = (got.desc->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
	/* a packed list is one field, left out when empty */
	repeated =
	    got.desc->label == PROTOBUF_C_LABEL_REPEATED && !packed(got.desc);
	if (!repeated)
		w->at++;
	/* the schema has at most one oneof in a message */
	if (oneof && w->oneof)
		return bad;
	w->oneof = w->oneof || oneof;
	HSA_TRY(rc, value(&w->cur, &got, (unsigned int)(key & 7)));
	/* a default value is left out, except where presence says something */
	if (!oneof && !repeated && !w->entry && got.number == 0 &&
	    got.desc->type != PROTOBUF_C_TYPE_MESSAGE)
		return bad;
	if (got.desc->type == PROTOBUF_C_TYPE_STRING &&
	    (memchr(got.p, 0, got.n) != NULL ||
		!hsa_utf8_valid((const char *)got.p, got.n)))
		return bad;
	*f = got;
out:
	return hsa_is_ok(rc) ? rc : bad;
}

static hsa_rc
scan(struct hsa_wire w, unsigned int depth)
{
	struct hsa_wire_field f = {0};
	hsa_rc rc = HSA_OK;

	if (depth > DEPTH_MAX)
		return HSA_RC(E_RANGE);
	while (hsa_cur_left(&w.cur) != 0) {
		HSA_TRY(rc, hsa_wire_next(&w, &f));
		if (f.desc->type == PROTOBUF_C_TYPE_MESSAGE)
			HSA_TRY(rc,
			    scan(hsa_wire_of(f.desc->descriptor, 0, f.p, f.n),
				depth + 1));
	}
out:
	return rc;
}

hsa_rc
hsa_wire_scan(const ProtobufCMessageDescriptor *desc, unsigned int skip,
    const void *p, size_t n)
{
	return scan(hsa_wire_of(desc, skip, p, n), 1);
}

static void *
pool_alloc(void *pool, size_t n)
{
	return hsa_pool_get(pool, n);
}

static void
pool_release(void *pool, void *p)
{
	/* all at once, by hsa_pool_free */
	(void)pool;
	(void)p;
}

hsa_rc
hsa_wire_unpack(void **m, struct hsa_pool *pool,
    const ProtobufCMessageDescriptor *desc, unsigned int skip, const void *p,
    size_t n)
{
	ProtobufCAllocator a = {pool_alloc, pool_release, pool};
	static const uint8_t nothing;
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_scan(desc, skip, p, n));
	*m = protobuf_c_message_unpack(desc, &a, n, n == 0 ? &nothing : p);
	if (*m == NULL)
		rc = HSA_RC(E_NOMEM);
out:
	return rc;
}

hsa_rc
hsa_wire_delimited(
    struct hsa_cur *body, size_t *used, const void *p, size_t n, size_t max)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	const uint8_t *at = NULL;
	uint64_t len = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_varint(&c, &len));
	if (len > max)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, hsa_cur_bytes(&c, &at, (size_t)len));
	*body = hsa_cur_of(at, (size_t)len);
	*used = n - hsa_cur_left(&c);
out:
	return rc;
}

hsa_rc
hsa_wire_version(uint64_t v)
{
	if (v == 0)
		return HSA_RC(E_FORMAT);
	return v == 1 ? HSA_OK : HSA_RC(E_UNSUPPORTED);
}

hsa_rc
hsa_wire_text(char **to, const char *s)
{
	char *copy = NULL;

	if (s != NULL && s[0] != '\0') {
		copy = strdup(s);
		if (copy == NULL)
			return HSA_RC(E_NOMEM);
	}
	*to = copy;
	return HSA_OK;
}

hsa_rc
hsa_wire_fixed(void *to, size_t n, const ProtobufCBinaryData *b)
{
	if (b->len != n)
		return HSA_RC(E_FORMAT);
	memcpy(to, b->data, n);
	return HSA_OK;
}

hsa_rc
hsa_wire_chars(char *to, size_t cap, const char *s)
{
	size_t n = strlen(s);

	if (n >= cap)
		return HSA_RC(E_RANGE);
	memcpy(to, s, n + 1);
	return HSA_OK;
}

hsa_rc
hsa_wire_buf(struct hsa_buf *to, const ProtobufCBinaryData *b)
{
	hsa_buf_put(to, b->data, b->len);
	return hsa_buf_rc(to);
}

ProtobufCBinaryData
hsa_wire_bytes(const void *p, size_t n)
{
	ProtobufCBinaryData b = {.len = n};

	/* protobuf-c has no const here; packing only reads */
	memcpy(&b.data, &p, sizeof(p));
	return b;
}

ProtobufCBinaryData
hsa_wire_buf_bytes(const struct hsa_buf *b)
{
	return hsa_wire_bytes(b->p, b->len);
}

hsa_rc
hsa_wire_pack(struct hsa_buf *b, const struct hsa_pool *pool,
    const ProtobufCMessage *m, size_t max, bool delimited)
{
	uint8_t *to = NULL;
	size_t n = 0;

	if (pool->failed)
		return HSA_RC(E_NOMEM);
	n = protobuf_c_message_get_packed_size(m);
	if (n > max)
		return HSA_RC(E_RANGE);
	if (delimited)
		hsa_buf_varint(b, n);
	to = hsa_buf_reserve(b, n);
	if (to != NULL)
		b->len += protobuf_c_message_pack(m, to);
	return hsa_buf_rc(b);
}
