#include <stdbool.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_cur.h"
#include "vfy_note.h"
#include "vfy_note_impl.h"
#include "vfy_utf8.h"

#define SIGNATURE_LEN (4 + 64)

/* White space of Unicode beyond ASCII: no part of a C2SP name. */
static const char *const spaces[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80",
    "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
    "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
    "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

hsa_rc
vfy_note_line(struct hsa_slice *to, struct hsa_cur *c)
{
	size_t left = hsa_cur_left(c);
	const uint8_t *lf = left == 0 ? NULL : memchr(c->p, '\n', left), *p;
	hsa_rc rc;

	if (lf == NULL)
		return HSA_RC(E_FORMAT);
	to->p = c->p;
	to->n = (size_t)(lf - c->p);
	HSA_TRY(rc, hsa_cur_bytes(c, &p, to->n + 1));
out:
	return rc;
}

bool
vfy_note_name(const uint8_t *p, size_t n)
{
	if (n == 0 || n > 255 || !vfy_utf8(p, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] == 0x7f || p[i] == '+')
			return false;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (memmem(p, n, spaces[i], strlen(spaces[i])) != NULL)
			return false;
	return true;
}

bool
vfy_note_decimal(uint64_t *v, const struct hsa_slice *s)
{
	uint64_t x = 0;

	if (s->n == 0 || (s->n > 1 && s->p[0] == '0'))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		uint8_t d = (uint8_t)(s->p[i] - '0');

		if (d > 9 || x > (UINT64_MAX - d) / 10)
			return false;
		x = x * 10 + d;
	}
	*v = x;
	return true;
}

hsa_rc
vfy_note_base64(uint8_t *to, size_t n, const uint8_t *p, size_t len)
{
	struct hsa_buf raw = {0};
	hsa_rc rc;

	if (len != 4 * ((n + 2) / 3))
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, hsa_unbase64(&raw, (const char *)p, len));
	if (raw.len != n)
		rc = HSA_RC(E_FORMAT);
	else
		memcpy(to, raw.p, n);
out:
	hsa_buf_free(&raw);
	return rc;
}

hsa_rc
vfy_note_signature(
    struct hsa_slice *name, struct hsa_slice *b64, const struct hsa_slice *l)
{
	static const char dash[] = "\xe2\x80\x94 ";
	const uint8_t *p = l->p, *blank;
	size_t n = l->n;

	if (n < 4 || memcmp(p, dash, 4) != 0)
		return HSA_RC(E_FORMAT);
	p += 4;
	n -= 4;
	blank = memchr(p, ' ', n);
	if (blank == NULL)
		return HSA_RC(E_FORMAT);
	name->p = p;
	name->n = (size_t)(blank - p);
	b64->p = blank + 1;
	b64->n = n - name->n - 1;
	return vfy_note_name(name->p, name->n) ? HSA_OK : HSA_RC(E_FORMAT);
}

static hsa_rc
own_signature(
    struct vfy_note *n, const struct hsa_slice *l, struct hsa_diag *diag)
{
	uint8_t raw[SIGNATURE_LEN];
	struct hsa_slice name, b64;
	hsa_rc rc;

	rc = vfy_note_signature(&name, &b64, l);
	if (!hsa_is_ok(rc))
		return hsa_fail(diag, rc,
		    "the line behind the empty line is no signature line");
	if (name.n != strlen(n->origin) ||
	    memcmp(name.p, n->origin, name.n) != 0)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the first signature line is not by %s", n->origin);
	rc = vfy_note_base64(raw, sizeof(raw), b64.p, b64.n);
	if (!hsa_is_ok(rc))
		return hsa_fail(
		    diag, rc, "the signature is not 68 bytes in base64");
	memcpy(n->key_hash, raw, 4);
	memcpy(n->signature, raw + 4, 64);
	return HSA_OK;
}

/* Witnesses may use signature types that we do not know: at least the key
 * hash and one byte. */
static hsa_rc
witness(
    const struct vfy_note *n, const struct hsa_slice *l, struct hsa_diag *diag)
{
	struct hsa_buf raw = {0};
	struct hsa_slice name, b64;
	hsa_rc rc;

	HSA_TRY(rc, vfy_note_signature(&name, &b64, l));
	HSA_TRY(rc, hsa_unbase64(&raw, (const char *)b64.p, b64.n));
	if (raw.len < 5 || (name.n == strlen(n->origin) &&
			       memcmp(name.p, n->origin, name.n) == 0))
		rc = HSA_RC(E_FORMAT);
out:
	hsa_buf_free(&raw);
	if (rc.v == HSA_E_FORMAT)
		hsa_diag_set(
		    diag, "a further line is no signature by another name");
	return rc;
}

static hsa_rc
text(struct vfy_note *n, struct hsa_cur *c, struct hsa_diag *diag)
{
	struct hsa_slice l;

	if (!hsa_is_ok(vfy_note_line(&l, c)) || !vfy_note_name(l.p, l.n))
		return hsa_fail(
		    diag, HSA_RC(E_FORMAT), "the first line is no origin");
	memcpy(n->origin, l.p, l.n);
	n->origin[l.n] = '\0';
	if (!hsa_is_ok(vfy_note_line(&l, c)) || !vfy_note_decimal(&n->size, &l))
		return hsa_fail(
		    diag, HSA_RC(E_FORMAT), "the second line is no size");
	if (!hsa_is_ok(vfy_note_line(&l, c)) ||
	    !hsa_is_ok(vfy_note_base64(n->root, sizeof(n->root), l.p, l.n)))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the third line is no root hash of 32 bytes in base64");
	n->text_len = (size_t)(c->p - n->text);
	if (!hsa_is_ok(vfy_note_line(&l, c)) || l.n != 0)
		return hsa_fail(
		    diag, HSA_RC(E_FORMAT), "the fourth line is not empty");
	return HSA_OK;
}

hsa_rc
vfy_note_parse(
    struct vfy_note *to, const void *p, size_t len, struct hsa_diag *diag)
{
	struct hsa_cur c = hsa_cur_of(p, len);
	struct vfy_note n = {0};
	struct hsa_slice l;
	hsa_rc rc;

	if (len > HSA_NOTE_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE), "longer than %u bytes",
		    HSA_NOTE_MAX);
	n.text = c.p;
	HSA_TRY(rc, text(&n, &c, diag));
	rc = vfy_note_line(&l, &c);
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(diag, "no signature line");
		goto out;
	}
	HSA_TRY(rc, own_signature(&n, &l, diag));
	while (hsa_cur_left(&c) != 0) {
		rc = vfy_note_line(&l, &c);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag, "the last line has no end");
			goto out;
		}
		HSA_TRY(rc, witness(&n, &l, diag));
		n.witnesses++;
	}
	*to = n;
out:
	return rc;
}

/* Where a note that begins at p may end: behind its first signature line. */
static size_t
note_end(const uint8_t *p, size_t n)
{
	const uint8_t *empty, *lf;

	if (n > HSA_NOTE_MAX)
		n = HSA_NOTE_MAX;
	empty = memmem(p, n, "\n\n", 2);
	if (empty == NULL)
		return 0;
	empty += 2;
	lf = memchr(empty, '\n', n - (size_t)(empty - p));
	return lf == NULL ? 0 : (size_t)(lf - p) + 1;
}

bool
vfy_note_hunt(struct vfy_signer *s, const char *origin, uint64_t beyond,
    const void *p, size_t n)
{
	const uint8_t *at = p, *end = at + n, *hit;
	size_t len = strlen(origin), note;
	struct vfy_note found = {.size = 0};

	while (at < end &&
	       (hit = memmem(at, (size_t)(end - at), origin, len)) != NULL) {
		note = note_end(hit, (size_t)(end - hit));
		if (note != 0 &&
		    hsa_is_ok(vfy_note_parse(&found, hit, note, NULL)) &&
		    found.size > beyond &&
		    hsa_is_ok(vfy_signer_verify(s, &found)))
			return true;
		at = hit + 1;
	}
	return false;
}
