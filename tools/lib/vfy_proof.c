#include <inttypes.h>
#include <string.h>

#include "hsa_cur.h"
#include "hsa_hash.h"
#include "vfy_note_impl.h"
#include "vfy_proof.h"

#define INCLUSION "c2sp.org/tlog-proof@v1"
#define CONSISTENCY "cryptounit/consistency-proof@v1"
#define HASH_CHARS 44u /* 32 bytes in base64 */

/* ---- writing ------------------------------------------------------------- */

static void
put_way(struct hsa_buf *b, const struct vfy_hashes *way)
{
	for (size_t i = 0; i < way->n; i++) {
		hsa_base64(b, way->hash[i], HSA_SHA256_LEN);
		hsa_buf_u8(b, '\n');
	}
	hsa_buf_u8(b, '\n');
}

void
vfy_proof_request(struct hsa_buf *b, const struct vfy_proof *p)
{
	hsa_buf_printf(b, "old %" PRIu64 "\n", p->from);
	put_way(b, &p->way);
	hsa_buf_put(b, p->note.p, p->note.n);
}

void
vfy_proof_write(struct hsa_buf *b, const struct vfy_proof *p)
{
	if (p->kind == VFY_PROOF_CONSISTENCY) {
		hsa_buf_str(b, CONSISTENCY "\n");
		vfy_proof_request(b, p);
		hsa_buf_u8(b, '\n');
		hsa_buf_put(b, p->old.p, p->old.n);
		return;
	}
	hsa_buf_str(b, INCLUSION "\n");
	if (p->has_extra) {
		hsa_buf_str(b, "extra ");
		hsa_base64(b, p->extra.p, p->extra.len);
		hsa_buf_u8(b, '\n');
	}
	hsa_buf_printf(b, "index %" PRIu64 "\n", p->from);
	put_way(b, &p->way);
	hsa_buf_put(b, p->note.p, p->note.n);
}

/* ---- reading ------------------------------------------------------------- */

static bool
is_line(const struct hsa_slice *l, const char *text)
{
	return l->n == strlen(text) && memcmp(l->p, text, l->n) == 0;
}

/* Cuts "word " off; false when it does not begin so. */
static bool
after(struct hsa_slice *l, const char *word)
{
	size_t n = strlen(word);

	if (l->n <= n || memcmp(l->p, word, n) != 0 || l->p[n] != ' ')
		return false;
	l->p += n + 1;
	l->n -= n + 1;
	return true;
}

static hsa_rc
get_way(struct vfy_hashes *way, struct hsa_cur *c, struct hsa_diag *diag)
{
	struct hsa_slice l;

	for (;;) {
		if (!hsa_is_ok(vfy_note_line(&l, c)))
			return hsa_fail(diag, HSA_RC(E_FORMAT),
			    "no empty line behind the hashes");
		if (l.n == 0)
			return HSA_OK;
		if (way->n == VFY_PROOF_MAX)
			return hsa_fail(diag, HSA_RC(E_RANGE),
			    "more than %d hashes", VFY_PROOF_MAX);
		if (l.n != HASH_CHARS ||
		    !hsa_is_ok(vfy_note_base64(
			way->hash[way->n], HSA_SHA256_LEN, l.p, l.n)))
			return hsa_fail(diag, HSA_RC(E_FORMAT),
			    "line %zu of the hashes is not 32 bytes in base64",
			    way->n + 1);
		way->n++;
	}
}

static hsa_rc
inclusion(struct vfy_proof *p, struct hsa_cur *c, struct hsa_diag *diag)
{
	struct hsa_slice l;
	hsa_rc rc;

	p->kind = VFY_PROOF_INCLUSION;
	rc = vfy_note_line(&l, c);
	if (hsa_is_ok(rc) && after(&l, "extra")) {
		p->has_extra = true;
		rc = hsa_unbase64(&p->extra, (const char *)l.p, l.n);
		if (rc.v == HSA_E_FORMAT)
			return hsa_fail(
			    diag, rc, "the extra line is no base64");
		HSA_TRY(rc, rc);
		rc = vfy_note_line(&l, c);
	}
	if (!hsa_is_ok(rc) || !after(&l, "index") ||
	    !vfy_note_decimal(&p->from, &l))
		return hsa_fail(diag, HSA_RC(E_FORMAT), "no index line");
	HSA_TRY(rc, get_way(&p->way, c, diag));
	p->note = (struct hsa_slice){c->p, hsa_cur_left(c)};
out:
	return rc;
}

static hsa_rc
consistency(struct vfy_proof *p, struct hsa_cur *c, struct hsa_diag *diag)
{
	static const uint8_t dash[] = {0xe2, 0x80, 0x94};
	const uint8_t *end, *from;
	struct hsa_slice l;
	hsa_rc rc;

	p->kind = VFY_PROOF_CONSISTENCY;
	if (!hsa_is_ok(vfy_note_line(&l, c)) || !after(&l, "old") ||
	    !vfy_note_decimal(&p->from, &l))
		return hsa_fail(
		    diag, HSA_RC(E_FORMAT), "the second line is no old size");
	HSA_TRY(rc, get_way(&p->way, c, diag));
	/* text, empty line, signature lines, empty line */
	from = c->p;
	do
		rc = vfy_note_line(&l, c);
	while (hsa_is_ok(rc) && l.n != 0);
	do {
		end = c->p;
		rc = vfy_note_line(&l, c);
	} while (hsa_is_ok(rc) && l.n > sizeof(dash) &&
		 memcmp(l.p, dash, sizeof(dash)) == 0);
	if (!hsa_is_ok(rc) || l.n != 0)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "no old checkpoint behind the new one");
	p->note = (struct hsa_slice){from, (size_t)(end - from)};
	p->old = (struct hsa_slice){c->p, hsa_cur_left(c)};
out:
	return rc;
}

bool
vfy_proof_is_one(const void *text, size_t n)
{
	struct hsa_cur c = hsa_cur_of(text, n);
	struct hsa_slice l;

	return hsa_is_ok(vfy_note_line(&l, &c)) &&
	       (is_line(&l, INCLUSION) || is_line(&l, CONSISTENCY));
}

hsa_rc
vfy_proof_parse(
    struct vfy_proof *to, const void *text, size_t n, struct hsa_diag *diag)
{
	struct hsa_cur c = hsa_cur_of(text, n);
	struct vfy_proof p = {.from = 0};
	struct hsa_slice l;
	hsa_rc rc;

	if (n > VFY_PROOF_FILE_MAX) {
		rc = hsa_fail(diag, HSA_RC(E_RANGE), "longer than %u bytes",
		    VFY_PROOF_FILE_MAX);
		goto out;
	}
	rc = vfy_note_line(&l, &c);
	if (hsa_is_ok(rc) && is_line(&l, INCLUSION))
		HSA_TRY(rc, inclusion(&p, &c, diag));
	else if (hsa_is_ok(rc) && is_line(&l, CONSISTENCY))
		HSA_TRY(rc, consistency(&p, &c, diag));
	else {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the first line is neither " INCLUSION " nor " CONSISTENCY);
		goto out;
	}
	*to = p;
	p = (struct vfy_proof){.from = 0};
out:
	vfy_proof_free(&p);
	return rc;
}

void
vfy_proof_free(struct vfy_proof *p)
{
	if (p == NULL)
		return;
	hsa_buf_free(&p->extra);
	*p = (struct vfy_proof){.from = 0};
}
