#include <string.h>

#include "hsa_cur.h"

hsa_rc
hsa_cur_bytes(struct hsa_cur *c, const uint8_t **p, size_t n)
{
	if (n > hsa_cur_left(c))
		return HSA_RC(E_TRUNCATED);
	*p = c->p;
	c->p += n;
	return HSA_OK;
}

hsa_rc
hsa_cur_copy(struct hsa_cur *c, void *to, size_t n)
{
	const uint8_t *p;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_bytes(c, &p, n));
	if (n != 0)
		memcpy(to, p, n);
out:
	return rc;
}

static hsa_rc
get_be(struct hsa_cur *c, uint64_t *v, size_t n)
{
	const uint8_t *p;
	uint64_t x = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_bytes(c, &p, n));
	for (size_t i = 0; i < n; i++)
		x = x << 8 | p[i];
	*v = x;
out:
	return rc;
}

hsa_rc
hsa_cur_u8(struct hsa_cur *c, uint8_t *v)
{
	return hsa_cur_copy(c, v, 1);
}

hsa_rc
hsa_cur_be16(struct hsa_cur *c, uint16_t *v)
{
	uint64_t x;
	hsa_rc rc = get_be(c, &x, 2);

	if (hsa_is_ok(rc))
		*v = (uint16_t)x;
	return rc;
}

hsa_rc
hsa_cur_be32(struct hsa_cur *c, uint32_t *v)
{
	uint64_t x;
	hsa_rc rc = get_be(c, &x, 4);

	if (hsa_is_ok(rc))
		*v = (uint32_t)x;
	return rc;
}

hsa_rc
hsa_cur_be64(struct hsa_cur *c, uint64_t *v)
{
	return get_be(c, v, 8);
}

hsa_rc
hsa_cur_varint(struct hsa_cur *c, uint64_t *v)
{
	const uint8_t *p = c->p, *end = c->end;
	uint64_t x = 0;

	for (unsigned int shift = 0; shift < 70; shift += 7) {
		uint64_t b;

		if (p == end)
			return HSA_RC(E_TRUNCATED);
		b = *p++;
		x |= (b & 0x7f) << shift;
		if (b >= 0x80)
			continue;
		/* one spelling, and 64 bits */
		if ((b == 0 && shift != 0) || (b > 1 && shift == 63))
			return HSA_RC(E_FORMAT);
		c->p = p;
		*v = x;
		return HSA_OK;
	}
	return HSA_RC(E_FORMAT);
}

hsa_rc
hsa_cur_end(const struct hsa_cur *c)
{
	return c->p == c->end ? HSA_OK : HSA_RC(E_TRAILING);
}
