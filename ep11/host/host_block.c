/* host_block.c - see host_block.h. */
#include "host_block.h"
#include "hsa_cur.h"

#define SEQUENCE 0x30u
#define OCTETS 0x04u

/* ---- writing ------------------------------------------------------------- */

static size_t
length_size(size_t n)
{
	size_t k = 1;

	if (n < 0x80)
		return 1;
	for (; n > 0; n >>= 8)
		k++;
	return k;
}

static void
header(struct hsa_buf *b, uint8_t tag, size_t n)
{
	size_t k = length_size(n) - 1;

	hsa_buf_u8(b, tag);
	if (k == 0) {
		hsa_buf_u8(b, (uint8_t)n);
		return;
	}
	hsa_buf_u8(b, (uint8_t)(0x80u | k));
	while (k-- > 0)
		hsa_buf_u8(b, (uint8_t)(n >> (8 * k)));
}

static void
octets(struct hsa_buf *b, struct hsa_slice s)
{
	header(b, OCTETS, s.n);
	hsa_buf_put(b, s.p, s.n);
}

static size_t
size_of(size_t n)
{
	return 1 + length_size(n) + n;
}

void
host_block_encode(struct hsa_buf *b, const struct host_block *k)
{
	header(b, SEQUENCE,
	    size_of(4) + size_of(8) + size_of(k->module.n) +
		size_of(k->counter.n) + size_of(k->payload.n));
	header(b, OCTETS, 4);
	hsa_buf_be32(b, k->command);
	header(b, OCTETS, 8);
	hsa_buf_be32(b, k->domain);
	hsa_buf_be32(b, k->instance);
	octets(b, k->module);
	octets(b, k->counter);
	octets(b, k->payload);
}

/* ---- reading ------------------------------------------------------------- */

static hsa_rc
element(struct hsa_cur *c, struct hsa_cur *in, uint8_t tag)
{
	const uint8_t *p = NULL;
	uint8_t got = 0, first = 0, byte = 0;
	size_t n = 0;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, hsa_cur_u8(c, &got));
	HSA_TRY(rc, hsa_cur_u8(c, &first));
	n = first;
	if (got != tag || first == 0x80)
		return HSA_RC(E_FORMAT);
	if (first > 0x80) {
		n = 0;
		for (first &= 0x7f; first > 0; first--) {
			HSA_TRY(rc, hsa_cur_u8(c, &byte));
			if (n > SIZE_MAX >> 9)
				return HSA_RC(E_RANGE);
			n = n << 8 | byte;
		}
	}
	HSA_TRY(rc, hsa_cur_bytes(c, &p, n));
	*in = hsa_cur_of(p, n);
out:
	return rc;
}

/* An OCTET STRING of n bytes. */
static hsa_rc
exactly(struct hsa_cur *c, struct hsa_cur *in, size_t n)
{
	hsa_rc rc = element(c, in, OCTETS);

	if (hsa_is_ok(rc) && hsa_cur_left(in) != n)
		return HSA_RC(E_FORMAT);
	return rc;
}

/* One of n bytes or of none. */
static hsa_rc
or_empty(struct hsa_cur *c, struct hsa_slice *s, size_t n)
{
	struct hsa_cur in = {0};
	hsa_rc rc = element(c, &in, OCTETS);

	if (!hsa_is_ok(rc))
		return rc;
	if (hsa_cur_left(&in) != 0 && hsa_cur_left(&in) != n)
		return HSA_RC(E_FORMAT);
	*s = (struct hsa_slice){in.p, hsa_cur_left(&in)};
	return HSA_OK;
}

hsa_rc
host_block_decode(struct host_block *k, const void *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n), seq = {0}, in = {0};
	struct host_block got = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, element(&c, &seq, SEQUENCE));
	HSA_TRY(rc, hsa_cur_end(&c));
	HSA_TRY(rc, exactly(&seq, &in, 4));
	HSA_TRY(rc, hsa_cur_be32(&in, &got.command));
	HSA_TRY(rc, exactly(&seq, &in, 8));
	HSA_TRY(rc, hsa_cur_be32(&in, &got.domain));
	HSA_TRY(rc, hsa_cur_be32(&in, &got.instance));
	HSA_TRY(rc, or_empty(&seq, &got.module, 16));
	HSA_TRY(rc, or_empty(&seq, &got.counter, 16));
	HSA_TRY(rc, exactly(&seq, &in, 4));
	HSA_TRY(rc, hsa_cur_be32(&in, &got.rv));
	HSA_TRY(rc, element(&seq, &in, OCTETS));
	got.payload = (struct hsa_slice){in.p, hsa_cur_left(&in)};
	HSA_TRY(rc, hsa_cur_end(&seq));
	if (got.rv != 0 && got.payload.n >= 4)
		HSA_TRY(rc, hsa_cur_be32(&in, &got.reason));
	*k = got;
out:
	return rc;
}
