#include <inttypes.h>
#include <string.h>

#include "vfy_cosign.h"
#include "vfy_note_impl.h"
#include "vfy_utf8.h"

/* key hash, seconds, signature */
#define COSIGNATURE_LEN (4 + 8 + 64)
#define OWN_LEN (4 + 64)

/* ---- reading ------------------------------------------------------------- */

static bool
plain(const struct hsa_slice *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->p[i] < 0x20)
			return false;
	return vfy_utf8(l->p, l->n);
}

static hsa_rc
text(struct vfy_cosigned *to, struct hsa_cur *c, struct hsa_diag *diag)
{
	struct hsa_slice l;

	if (!hsa_is_ok(vfy_note_line(&l, c)) || !vfy_note_name(l.p, l.n))
		return hsa_fail(
		    diag, HSA_RC(E_FORMAT), "the first line is no origin");
	memcpy(to->origin, l.p, l.n);
	to->origin[l.n] = '\0';
	if (!hsa_is_ok(vfy_note_line(&l, c)) ||
	    !vfy_note_decimal(&to->size, &l))
		return hsa_fail(
		    diag, HSA_RC(E_FORMAT), "the second line is no size");
	if (!hsa_is_ok(vfy_note_line(&l, c)) ||
	    !hsa_is_ok(vfy_note_base64(to->root, sizeof(to->root), l.p, l.n)))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the third line is no root hash of 32 bytes in base64");
	do {
		to->text_len = (size_t)(c->p - to->text);
		if (!hsa_is_ok(vfy_note_line(&l, c)))
			return hsa_fail(diag, HSA_RC(E_FORMAT),
			    "no empty line ends its text");
		if (!plain(&l))
			return hsa_fail(diag, HSA_RC(E_FORMAT),
			    "an extension line is no text");
	} while (l.n != 0);
	return HSA_OK;
}

hsa_rc
vfy_cosigned_parse(
    struct vfy_cosigned *to, const void *p, size_t n, struct hsa_diag *diag)
{
	struct hsa_cur cur = hsa_cur_of(p, n);
	struct vfy_cosigned c = {.text = cur.p};
	struct hsa_slice l, name, b64;
	struct hsa_buf raw = {0};
	hsa_rc rc;

	if (n > VFY_COSIGNED_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE), "longer than %u bytes",
		    VFY_COSIGNED_MAX);
	HSA_TRY(rc, text(&c, &cur, diag));
	c.lines = cur.p;
	c.lines_len = hsa_cur_left(&cur);
	while (hsa_cur_left(&cur) != 0) {
		hsa_buf_reset(&raw);
		rc = vfy_note_line(&l, &cur);
		if (hsa_is_ok(rc))
			rc = vfy_note_signature(&name, &b64, &l);
		if (hsa_is_ok(rc))
			rc = hsa_unbase64(&raw, (const char *)b64.p, b64.n);
		if (hsa_is_ok(rc) && raw.len < 5)
			rc = HSA_RC(E_FORMAT);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag,
			    "line %zu of those behind the empty "
			    "line is no signature line",
			    c.signatures + 1);
			goto out;
		}
		c.signatures++;
	}
	if (c.signatures == 0) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT), "no signature line");
		goto out;
	}
	*to = c;
out:
	hsa_buf_free(&raw);
	return rc;
}

/* ---- checking ------------------------------------------------------------ */

/* The line at c, if it is by this key: what is behind its key hash, n bytes.
 * E_NOT_FOUND: it is by another; E_SIGNATURE: it has another length. */
static hsa_rc
line_by(uint8_t *to, size_t n, struct hsa_cur *c, const struct vfy_key *key)
{
	struct hsa_slice l, name, b64;
	struct hsa_buf raw = {0};
	hsa_rc rc;

	HSA_TRY(rc, vfy_note_line(&l, c));
	HSA_TRY(rc, vfy_note_signature(&name, &b64, &l));
	if (name.n != strlen(key->origin) ||
	    memcmp(name.p, key->origin, name.n) != 0)
		return HSA_RC(E_NOT_FOUND);
	HSA_TRY(rc, hsa_unbase64(&raw, (const char *)b64.p, b64.n));
	if (raw.len < 4 || memcmp(raw.p, key->key_hash, 4) != 0)
		rc = HSA_RC(E_NOT_FOUND);
	else if (raw.len != 4 + n)
		rc = HSA_RC(E_SIGNATURE);
	else
		memcpy(to, raw.p + 4, n);
out:
	hsa_buf_free(&raw);
	return rc;
}

hsa_rc
vfy_cosigned_own(const struct vfy_cosigned *c, const struct vfy_key *key)
{
	struct hsa_cur cur = hsa_cur_of(c->lines, c->lines_len);
	struct vfy_signer *signer = NULL;
	uint8_t sig[OWN_LEN - 4];
	size_t good = 0;
	hsa_rc rc;

	if (strcmp(c->origin, key->origin) != 0)
		return HSA_RC(E_SIGNATURE);
	HSA_TRY(rc, vfy_signer_new(&signer, key));
	while (hsa_cur_left(&cur) != 0) {
		rc = line_by(sig, sizeof(sig), &cur, key);
		if (rc.v == HSA_E_NOT_FOUND)
			continue;
		HSA_TRY(rc, rc);
		HSA_TRY(
		    rc, vfy_signer_check(signer, sig, c->text, c->text_len));
		good++;
	}
	rc = good != 0 ? HSA_OK : HSA_RC(E_SIGNATURE);
out:
	vfy_signer_free(signer);
	return rc;
}

static hsa_rc
check_cosignature(struct vfy_signer *signer, const struct vfy_cosigned *c,
    uint64_t time, const uint8_t sig[64])
{
	struct hsa_buf said = {0};
	hsa_rc rc;

	if (time > INT64_MAX)
		return HSA_RC(E_SIGNATURE);
	hsa_buf_printf(&said, "cosignature/v1\ntime %" PRIu64 "\n", time);
	hsa_buf_put(&said, c->text, c->text_len);
	HSA_TRY(rc, hsa_buf_rc(&said));
	rc = vfy_signer_check(signer, sig, said.p, said.len);
out:
	hsa_buf_free(&said);
	return rc;
}

hsa_rc
vfy_cosigned_by(
    const struct vfy_cosigned *c, const struct vfy_key *witness, uint64_t *time)
{
	struct hsa_cur in, cur = hsa_cur_of(c->lines, c->lines_len);
	struct vfy_signer *signer = NULL;
	uint8_t raw[COSIGNATURE_LEN - 4];
	uint64_t when, first = 0;
	size_t good = 0;
	hsa_rc rc;

	HSA_TRY(rc, vfy_signer_new(&signer, witness));
	while (hsa_cur_left(&cur) != 0) {
		rc = line_by(raw, sizeof(raw), &cur, witness);
		if (rc.v == HSA_E_NOT_FOUND)
			continue;
		HSA_TRY(rc, rc);
		in = hsa_cur_of(raw, sizeof(raw));
		HSA_TRY(rc, hsa_cur_be64(&in, &when));
		HSA_TRY(rc, check_cosignature(signer, c, when, raw + 8));
		if (good++ == 0)
			first = when;
	}
	rc = good != 0 ? HSA_OK : HSA_RC(E_NOT_FOUND);
	if (good != 0)
		*time = first;
out:
	vfy_signer_free(signer);
	return rc;
}

hsa_rc
vfy_cosigned_count(const struct vfy_cosigned *c,
    const struct vfy_keys *witnesses, size_t *count, struct hsa_diag *diag)
{
	size_t n = 0;
	uint64_t time;
	hsa_rc rc;

	for (size_t i = 0; i < witnesses->len; i++) {
		rc = vfy_cosigned_by(c, &witnesses->key[i], &time);
		if (rc.v == HSA_E_SIGNATURE)
			return hsa_fail(diag, rc,
			    "the cosignature of witness %s is not good: it was "
			    "altered, or made for another checkpoint",
			    witnesses->key[i].origin);
		if (rc.v == HSA_E_NOT_FOUND)
			continue;
		if (!hsa_is_ok(rc))
			return hsa_fail(diag, rc, "%s", hsa_err_text(rc));
		n++;
	}
	*count = n;
	return HSA_OK;
}

/* ---- witnesses ----------------------------------------------------------- */

hsa_rc
vfy_witness_parse(
    struct vfy_key *k, const char *line, size_t n, struct hsa_diag *diag)
{
	return vfy_key_line(k, VFY_KEY_COSIGNATURE, line, n, diag);
}

/* The signed words do not name the witness: a key by two names is one. */
static hsa_rc
add(struct vfy_keys *k, const struct vfy_key *w, struct hsa_diag *diag)
{
	for (size_t i = 0; i < k->len; i++) {
		const struct vfy_key *have = &k->key[i];
		bool name = strcmp(have->origin, w->origin) == 0;
		bool key = memcmp(have->public_key, w->public_key, 32) == 0;

		if (name && key)
			return HSA_OK;
		if (name || key)
			return hsa_fail(diag, HSA_RC(E_EXISTS),
			    name ? "two different keys for witness %s: remove "
				   "the wrong one"
				 : "the key of witness %s stands there by "
				   "another name, too: it would count twice",
			    w->origin);
	}
	if (!hsa_is_ok(vfy_key_put(k, w)))
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	return HSA_OK;
}

hsa_rc
vfy_witnesses_parse(
    struct vfy_keys *k, const char *s, size_t n, struct hsa_diag *diag)
{
	return vfy_key_text(k, s, n, vfy_witness_parse, add, diag);
}

hsa_rc
vfy_witnesses_load(struct vfy_keys *k, const char *path, struct hsa_diag *diag)
{
	struct vfy_keys more = {0};
	struct hsa_buf b = {0};
	hsa_rc rc;

	HSA_TRY(rc, vfy_key_file(&b, "witness file", path,
			"a file of verifier keys of witnesses", diag));
	rc = vfy_witnesses_parse(&more, (const char *)b.p, b.len, diag);
	for (size_t i = 0; i < more.len && hsa_is_ok(rc); i++)
		rc = add(k, &more.key[i], diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "witness file %s", path);
out:
	vfy_keys_free(&more);
	hsa_buf_free(&b);
	return rc;
}
