#include <string.h>

#include "tke_der.h"

static hsa_rc
length(struct hsa_cur *c, size_t *n)
{
	uint8_t first = 0, byte = 0;
	size_t v = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_u8(c, &first));
	if (first < 0x80) {
		*n = first;
		return HSA_OK;
	}
	if (first == 0x80 || first > 0x84)
		return HSA_RC(E_FORMAT);
	for (; first > 0x80; first--) {
		HSA_TRY(rc, hsa_cur_u8(c, &byte));
		v = v << 8 | byte;
	}
	*n = v;
out:
	return rc;
}

hsa_rc
tke_der_value(struct hsa_cur *c, struct tke_slice *v, uint8_t tag)
{
	struct hsa_cur in = *c;
	const uint8_t *p = NULL;
	uint8_t is = 0;
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_u8(&in, &is));
	if (is != tag)
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, length(&in, &n));
	HSA_TRY(rc, hsa_cur_bytes(&in, &p, n));
	*v = (struct tke_slice){p, n};
	*c = in;
out:
	return rc;
}

hsa_rc
tke_der_enter(struct hsa_cur *c, struct hsa_cur *in, uint8_t tag)
{
	struct tke_slice v = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_value(c, &v, tag));
	*in = hsa_cur_of(v.p, v.n);
out:
	return rc;
}

hsa_rc
tke_der_fixed(struct hsa_cur *c, const uint8_t **p, uint8_t tag, size_t n)
{
	struct hsa_cur at = *c;
	struct tke_slice v = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_value(&at, &v, tag));
	if (v.n != n)
		return HSA_RC(E_FORMAT);
	*p = v.p;
	*c = at;
out:
	return rc;
}

hsa_rc
tke_der_u32(struct hsa_cur *c, uint32_t *v)
{
	const uint8_t *p = NULL;
	struct hsa_cur in;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_fixed(c, &p, TKE_DER_OCTETS, 4));
	in = hsa_cur_of(p, 4);
	rc = hsa_cur_be32(&in, v);
out:
	return rc;
}

hsa_rc
tke_der_exact(struct hsa_cur *c, uint8_t tag, const void *p, size_t n)
{
	struct hsa_cur at = *c;
	const uint8_t *is = NULL;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_fixed(&at, &is, tag, n));
	if (n != 0 && memcmp(is, p, n) != 0)
		return HSA_RC(E_FORMAT);
	*c = at;
out:
	return rc;
}

hsa_rc
tke_der_version(struct hsa_cur *c, uint8_t v)
{
	return tke_der_exact(c, TKE_DER_INT, &v, 1);
}

hsa_rc
tke_der_unsigned(struct hsa_cur *c, struct tke_slice *v, size_t max)
{
	struct hsa_cur at = *c;
	struct tke_slice raw = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_value(&at, &raw, TKE_DER_INT));
	if (raw.n == 0)
		return HSA_RC(E_FORMAT);
	while (raw.n > 0 && raw.p[0] == 0) {
		raw.p++;
		raw.n--;
	}
	if (raw.n > max)
		return HSA_RC(E_FORMAT);
	*v = raw;
	*c = at;
out:
	return rc;
}

hsa_rc
tke_der_algorithm(struct hsa_cur *c, const void *oid, size_t n)
{
	struct hsa_cur at = *c, in = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&at, &in, TKE_DER_SEQ));
	HSA_TRY(rc, tke_der_exact(&in, TKE_DER_OID, oid, n));
	if (hsa_cur_left(&in) != 0)
		HSA_TRY(rc, tke_der_exact(&in, TKE_DER_NULL, NULL, 0));
	HSA_TRY(rc, hsa_cur_end(&in));
	*c = at;
out:
	return rc;
}

uint8_t
tke_der_peek(const struct hsa_cur *c)
{
	return hsa_cur_left(c) == 0 ? 0 : c->p[0];
}

/* Tag and minimal length; up to 1 + 1 + 4 bytes. */
#define HEADER_MAX 6
static size_t
header(uint8_t to[HEADER_MAX], uint8_t tag, size_t n)
{
	size_t at = 0;
	int bytes = 0;

	to[at++] = tag;
	if (n < 0x80) {
		to[at++] = (uint8_t)n;
		return at;
	}
	while (bytes < 4 && n >> (8 * bytes) != 0)
		bytes++;
	to[at++] = (uint8_t)(0x80 | bytes);
	for (int i = bytes - 1; i >= 0; i--)
		to[at++] = (uint8_t)(n >> (8 * i));
	return at;
}

void
tke_der_header(struct hsa_buf *b, uint8_t tag, size_t n)
{
	uint8_t h[HEADER_MAX] = {0};

	hsa_buf_put(b, h, header(h, tag, n));
}

void
tke_der_put(struct hsa_buf *b, uint8_t tag, const void *p, size_t n)
{
	tke_der_header(b, tag, n);
	if (n != 0)
		hsa_buf_put(b, p, n);
}

void
tke_der_put_u32(struct hsa_buf *b, uint32_t v)
{
	tke_der_header(b, TKE_DER_OCTETS, 4);
	hsa_buf_be32(b, v);
}

void
tke_der_put_version(struct hsa_buf *b, uint8_t v)
{
	tke_der_put(b, TKE_DER_INT, &v, 1);
}

void
tke_der_put_unsigned(struct hsa_buf *b, const uint8_t *p, size_t n)
{
	size_t sign = 0;

	while (n > 0 && p[0] == 0) {
		p++;
		n--;
	}
	/* zero is one zero byte; a set top bit would read as negative */
	if (n == 0 || (p[0] & 0x80) != 0)
		sign = 1;
	tke_der_header(b, TKE_DER_INT, n + sign);
	if (sign != 0)
		hsa_buf_u8(b, 0);
	if (n != 0)
		hsa_buf_put(b, p, n);
}

void
tke_der_wrap(struct hsa_buf *b, size_t at, uint8_t tag)
{
	uint8_t h[HEADER_MAX] = {0};
	size_t n, hn;

	if (b->failed)
		return;
	n = b->len - at;
	hn = header(h, tag, n);
	if (hsa_buf_reserve(b, hn) == NULL)
		return;
	memmove(b->p + at + hn, b->p + at, n);
	memcpy(b->p + at, h, hn);
	b->len += hn;
}
