#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec_wire.h"

enum {
	WIRE_VARINT = 0,
	WIRE_BYTES = 2
};

static size_t
varint_len(uint64_t v)
{
	size_t n = 1;

	while ((v >>= 7) != 0)
		n++;
	return n;
}

static void
varint(struct hsa_out *o, uint64_t v)
{
	if (o->b != NULL)
		hsa_buf_varint(o->b, v);
	o->n += varint_len(v);
}

static void
key(struct hsa_out *o, uint32_t field, unsigned int wire)
{
	varint(o, (uint64_t)field << 3 | wire);
}

void
hsa_out_number(struct hsa_out *o, uint32_t field, uint64_t v)
{
	key(o, field, WIRE_VARINT);
	varint(o, v);
}

void
hsa_out_number_opt(struct hsa_out *o, uint32_t field, uint64_t v)
{
	if (v != 0)
		hsa_out_number(o, field, v);
}

void
hsa_out_bytes(struct hsa_out *o, uint32_t field, const void *p, size_t n)
{
	key(o, field, WIRE_BYTES);
	varint(o, n);
	if (p == NULL && n != 0)
		hsa_out_refuse(o, HSA_RC(E_ARG));
	else if (o->b != NULL)
		hsa_buf_put(o->b, p, n);
	o->n += n;
}

void
hsa_out_bytes_opt(struct hsa_out *o, uint32_t field, const void *p, size_t n)
{
	if (n != 0)
		hsa_out_bytes(o, field, p, n);
}

void
hsa_out_zeros(struct hsa_out *o, uint32_t field, size_t n)
{
	uint8_t *to = NULL;

	key(o, field, WIRE_BYTES);
	varint(o, n);
	if (o->b != NULL)
		to = hsa_buf_reserve(o->b, n);
	if (to != NULL) {
		memset(to, 0, n);
		o->b->len += n;
	}
	o->n += n;
}

void
hsa_out_packed(struct hsa_out *o, uint32_t field, const void *p, size_t n)
{
	const uint8_t *at = p;
	size_t len = 0;
	uint64_t v;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		memcpy(&v, at + i * sizeof(v), sizeof(v));
		len += varint_len(v);
	}
	key(o, field, WIRE_BYTES);
	varint(o, len);
	for (size_t i = 0; i < n; i++) {
		memcpy(&v, at + i * sizeof(v), sizeof(v));
		varint(o, v);
	}
}

void
hsa_out_message(
    struct hsa_out *o, uint32_t field, hsa_out_fn *fn, const void *arg)
{
	struct hsa_out in = {0};

	fn(&in, arg);
	hsa_out_refuse(o, in.rc);
	key(o, field, WIRE_BYTES);
	varint(o, in.n);
	if (o->b == NULL)
		o->n += in.n;
	else
		fn(o, arg);
}

void
hsa_out_generated(struct hsa_out *o, uint32_t field, const ProtobufCMessage *m)
{
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *to = NULL;

	key(o, field, WIRE_BYTES);
	varint(o, n);
	if (o->b != NULL)
		to = hsa_buf_reserve(o->b, n);
	if (to != NULL)
		o->b->len += protobuf_c_message_pack(m, to);
	o->n += n;
}

void
hsa_out_refuse(struct hsa_out *o, hsa_rc rc)
{
	if (hsa_is_ok(o->rc))
		o->rc = rc;
}

hsa_rc
hsa_out_write(struct hsa_buf *b, hsa_out_fn *fn, const void *arg, size_t max,
    bool delimited)
{
	struct hsa_out count = {0}, real = {.b = b};

	fn(&count, arg);
	if (!hsa_is_ok(count.rc))
		return count.rc;
	if (count.n > max)
		return HSA_RC(E_RANGE);
	if (delimited)
		hsa_buf_varint(b, count.n);
	/* once, so that a large message does not move while it grows */
	(void)hsa_buf_reserve(b, count.n);
	fn(&real, arg);
	return hsa_buf_rc(b);
}
