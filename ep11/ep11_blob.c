#include <string.h>

#include "ep11_blob.h"
#include "ep11_slice.h"
#include "hsa_call.h"

#define VERSION 0x1234u
#define AT_BOOLS 52
#define AT_VERSION 64
/* AES key wrap with padding: whole blocks of 8, at least two */
#define WRAPPED_MIN 16u
#define DER_SEQUENCE 0x30
#define DER_OCTETS 0x04
#define ATTR_LEN 12 /* header(4) and two words of 4 */

static void
put_le(struct hsa_buf *b, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		hsa_buf_u8(b, (uint8_t)(v >> (8 * i)));
}

static hsa_rc
le(struct hsa_cur *c, uint64_t *v, size_t n)
{
	const uint8_t *p = NULL;
	uint64_t sum = 0;
	hsa_rc rc = hsa_cur_bytes(c, &p, n);

	if (!hsa_is_ok(rc))
		return rc;
	for (size_t i = n; i > 0; i--)
		sum = sum << 8 | p[i - 1];
	*v = sum;
	return HSA_OK;
}

/* ---- key blobs ----------------------------------------------------------- */

static hsa_rc
valid(const struct ep11_blob *b)
{
	bool private = b->cls == CKO_PRIVATE_KEY;

	/* a blob is told from a public key by its first byte */
	if (b->session[0] == DER_SEQUENCE)
		return HSA_RC(E_FORMAT);
	if (!private && b->cls != CKO_SECRET_KEY)
		return HSA_RC(E_FORMAT);
	if (b->form != EP11_FORM_OBJECT && b->form != EP11_FORM_VALUE)
		return HSA_RC(E_FORMAT);
	if (b->type > 0xffffff)
		return HSA_RC(E_RANGE);
	if (private ? b->spki.n == 0 : b->spki.n + b->params.n != 0)
		return HSA_RC(E_FORMAT);
	if (b->wrapped.n < WRAPPED_MIN || b->wrapped.n % 8 != 0)
		return HSA_RC(E_FORMAT);
	return HSA_OK;
}

hsa_rc
ep11_blob_encode(struct hsa_buf *b, const struct ep11_blob *blob)
{
	size_t n = EP11_BLOB_CLEAR + 9 + blob->params.n + blob->spki.n +
		   blob->wrapped.n + EP11_MAC_LEN;
	hsa_rc rc = valid(blob);

	if (!hsa_is_ok(rc))
		return rc;
	if (blob->params.n > UINT16_MAX || blob->spki.n > UINT16_MAX ||
	    n > HSA_BLOB_MAX)
		return HSA_RC(E_RANGE);
	hsa_buf_put(b, blob->session, sizeof(blob->session));
	hsa_buf_put(b, blob->wkid, sizeof(blob->wkid));
	put_le(b, blob->type | blob->cls << 24, 4);
	put_le(b, blob->bools, 4);
	put_le(b, blob->mode, 8);
	put_le(b, VERSION, 2);
	hsa_buf_put(b, blob->iv, sizeof(blob->iv));
	hsa_buf_u8(b, (uint8_t)blob->form);
	hsa_buf_be32(b, blob->bits);
	ep11_slice_put(b, blob->params);
	ep11_slice_put(b, blob->spki);
	hsa_buf_put(b, blob->wrapped.p, blob->wrapped.n);
	return hsa_buf_rc(b);
}

hsa_rc
ep11_blob_decode(struct ep11_blob *blob, const void *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	uint64_t word = 0, bools = 0, version = 0;
	struct ep11_blob b = {.form = EP11_FORM_OBJECT};
	uint8_t form = 0;
	hsa_rc rc;

	if (n > HSA_BLOB_MAX)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, hsa_cur_copy(&c, b.session, sizeof(b.session)));
	HSA_TRY(rc, hsa_cur_copy(&c, b.wkid, sizeof(b.wkid)));
	HSA_TRY(rc, le(&c, &word, 4));
	HSA_TRY(rc, le(&c, &bools, 4));
	HSA_TRY(rc, le(&c, &b.mode, 8));
	HSA_TRY(rc, le(&c, &version, 2));
	HSA_TRY(rc, hsa_cur_copy(&c, b.iv, sizeof(b.iv)));
	HSA_TRY(rc, hsa_cur_u8(&c, &form));
	HSA_TRY(rc, hsa_cur_be32(&c, &b.bits));
	HSA_TRY(rc, ep11_slice_get(&c, &b.params));
	HSA_TRY(rc, ep11_slice_get(&c, &b.spki));
	if (version != VERSION || form < EP11_FORM_OBJECT ||
	    form > EP11_FORM_VALUE) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	if (hsa_cur_left(&c) < WRAPPED_MIN + EP11_MAC_LEN) {
		rc = HSA_RC(E_TRUNCATED);
		goto out;
	}
	b.form = form == EP11_FORM_VALUE ? EP11_FORM_VALUE : EP11_FORM_OBJECT;
	b.type = word & 0xffffff;
	b.cls = word >> 24;
	b.bools = (uint32_t)bools;
	b.wrapped.n = hsa_cur_left(&c) - EP11_MAC_LEN;
	b.wrapped.p = c.p;
	HSA_TRY(rc, valid(&b));
	*blob = b;
out:
	return rc;
}

void
ep11_blob_set_bools(uint8_t *p, uint32_t word)
{
	for (unsigned i = 0; i < 4; i++)
		p[AT_BOOLS + i] = (uint8_t)(word >> (8 * i));
}

/* ---- public keys --------------------------------------------------------- */

static void
octets(struct hsa_buf *b, const void *p, uint8_t n)
{
	hsa_buf_u8(b, DER_OCTETS);
	hsa_buf_u8(b, n);
	hsa_buf_put(b, p, n);
}

hsa_rc
ep11_spki_encode(struct hsa_buf *b, const struct ep11_spki *s)
{
	/* bit field of the host: version 1 in the low nibble */
	static const uint8_t head[8] = {1};

	if (s->spki.n == 0 || s->spki.p[0] != DER_SEQUENCE)
		return HSA_RC(E_FORMAT);
	if (s->spki.n > HSA_BLOB_MAX - EP11_SPKI_TAIL)
		return HSA_RC(E_RANGE);
	hsa_buf_put(b, s->spki.p, s->spki.n);
	octets(b, s->wkid, sizeof(s->wkid));
	octets(b, s->session, sizeof(s->session));
	octets(b, s->salt, sizeof(s->salt));
	hsa_buf_u8(b, DER_OCTETS);
	hsa_buf_u8(b, 8);
	put_le(b, s->mode, 8);
	hsa_buf_u8(b, DER_OCTETS);
	hsa_buf_u8(b, ATTR_LEN);
	hsa_buf_put(b, head, sizeof(head));
	put_le(b, s->bools, 4);
	return hsa_buf_rc(b);
}

/* The SEQUENCE at the front, by its outside alone: what is in it is for
 * whoever loads the key. Lengths in DER have one spelling. */
static hsa_rc
sequence(struct hsa_cur *c, struct hsa_slice *s)
{
	const uint8_t *start = c->p, *body = NULL;
	uint8_t tag = 0, first = 0;
	uint16_t n16 = 0;
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_u8(c, &tag));
	HSA_TRY(rc, hsa_cur_u8(c, &first));
	if (tag != DER_SEQUENCE) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	n = first;
	if (first == 0x81) {
		HSA_TRY(rc, hsa_cur_u8(c, &first));
		n = first;
		if (n < 0x80)
			rc = HSA_RC(E_FORMAT);
	} else if (first == 0x82) {
		HSA_TRY(rc, hsa_cur_be16(c, &n16));
		n = n16;
		if (n < 0x100)
			rc = HSA_RC(E_FORMAT);
	} else if (first >= 0x80)
		rc = HSA_RC(E_FORMAT);
	if (!hsa_is_ok(rc))
		goto out;
	HSA_TRY(rc, hsa_cur_bytes(c, &body, n));
	s->p = start;
	s->n = (size_t)(body - start) + n;
out:
	return rc;
}

static hsa_rc
octets_of(struct hsa_cur *c, void *to, uint8_t want)
{
	uint8_t tag = 0, n = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_u8(c, &tag));
	HSA_TRY(rc, hsa_cur_u8(c, &n));
	if (tag != DER_OCTETS || n != want) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	HSA_TRY(rc, hsa_cur_copy(c, to, n));
out:
	return rc;
}

static uint64_t
le_of(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

hsa_rc
ep11_spki_decode(struct ep11_spki *spki, size_t *maced, const void *p, size_t n)
{
	static const uint8_t head[8] = {1};
	uint8_t mode[8], attr[ATTR_LEN], mac[EP11_MAC_LEN];
	struct hsa_cur c = hsa_cur_of(p, n);
	struct ep11_spki s = {.maced = true};
	size_t end;
	hsa_rc rc;

	if (n > HSA_BLOB_MAX)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, sequence(&c, &s.spki));
	if (hsa_cur_left(&c) == 0) {
		s.maced = false;
		*spki = s;
		*maced = 0;
		goto out;
	}
	HSA_TRY(rc, octets_of(&c, s.wkid, sizeof(s.wkid)));
	HSA_TRY(rc, octets_of(&c, s.session, sizeof(s.session)));
	HSA_TRY(rc, octets_of(&c, s.salt, sizeof(s.salt)));
	HSA_TRY(rc, octets_of(&c, mode, sizeof(mode)));
	HSA_TRY(rc, octets_of(&c, attr, sizeof(attr)));
	end = n - hsa_cur_left(&c);
	HSA_TRY(rc, octets_of(&c, mac, sizeof(mac)));
	HSA_TRY(rc, hsa_cur_end(&c));
	if (memcmp(attr, head, sizeof(head)) != 0) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	s.mode = le_of(mode, sizeof(mode));
	s.bools = (uint32_t)le_of(attr + 8, 4);
	*spki = s;
	*maced = end;
out:
	return rc;
}

bool
ep11_is_spki(const void *p, size_t n)
{
	return n > 0 && *(const uint8_t *)p == DER_SEQUENCE;
}

bool
ep11_is_blob(const void *p, size_t n)
{
	const uint8_t *b = p;

	return n >= EP11_BLOB_CLEAR && b[0] != DER_SEQUENCE &&
	       b[AT_VERSION] == (VERSION & 0xff) &&
	       b[AT_VERSION + 1] == VERSION >> 8;
}
