#include <inttypes.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_cur.h"
#include "slog_note.h"

/* C2SP signed-note: a signature line starts with U+2014 and a blank. */
static const char dash[] = "\xe2\x80\x94 ";
#define DASH_LEN (sizeof(dash) - 1)
#define ED25519_TYPE 1

static bool
name_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)s[i];

		if (c <= ' ' || c == '+' || c == 0x7f)
			return false;
	}
	return n != 0 && n <= SLOG_ORIGIN_MAX;
}

hsa_rc
slog_key_init(
    struct slog_key *k, const char *origin, const uint8_t public_key[32])
{
	uint8_t digest[HSA_SHA256_LEN];
	struct hsa_buf b = {0};
	size_t n = origin == NULL ? 0 : strlen(origin);
	hsa_rc rc;

	if (origin == NULL || !name_ok(origin, n))
		return HSA_RC(E_ARG);
	hsa_buf_put(&b, origin, n);
	hsa_buf_u8(&b, '\n');
	hsa_buf_u8(&b, ED25519_TYPE);
	hsa_buf_put(&b, public_key, 32);
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, hsa_sha256(digest, b.p, b.len));
	memset(k, 0, sizeof(*k));
	memcpy(k->origin, origin, n);
	memcpy(k->public_key, public_key, 32);
	memcpy(k->hash, digest, sizeof(k->hash));
out:
	hsa_buf_free(&b);
	return rc;
}

void
slog_key_text(struct hsa_buf *b, const struct slog_key *k)
{
	uint8_t typed[1 + sizeof(k->public_key)] = {ED25519_TYPE};

	memcpy(typed + 1, k->public_key, sizeof(k->public_key));
	hsa_buf_printf(b, "%s+", k->origin);
	hsa_buf_hex(b, k->hash, sizeof(k->hash));
	hsa_buf_u8(b, '+');
	hsa_base64(b, typed, sizeof(typed));
}

hsa_rc
slog_note_seal(struct hsa_buf *b, const struct slog_key *k, uint64_t size,
    const uint8_t root[HSA_SHA256_LEN], slog_sign *sign, void *ctx)
{
	uint8_t blob[sizeof(k->hash) + SLOG_SIG_LEN] = {0};
	size_t start = b->len;
	hsa_rc rc;

	hsa_buf_printf(b, "%s\n%" PRIu64 "\n", k->origin, size);
	hsa_base64(b, root, HSA_SHA256_LEN);
	hsa_buf_u8(b, '\n');
	HSA_TRY(rc, hsa_buf_rc(b));
	memcpy(blob, k->hash, sizeof(k->hash));
	HSA_TRY(rc,
	    sign(ctx, blob + sizeof(k->hash), b->p + start, b->len - start));
	hsa_buf_printf(b, "\n%s%s ", dash, k->origin);
	hsa_base64(b, blob, sizeof(blob));
	hsa_buf_u8(b, '\n');
	rc = hsa_buf_rc(b);
out:
	return rc;
}

/* The next line without its LF. */
static hsa_rc
line(struct hsa_cur *c, const char **s, size_t *n)
{
	size_t left = hsa_cur_left(c);
	const uint8_t *p = NULL, *lf;
	hsa_rc rc;

	lf = left == 0 ? NULL : memchr(c->p, '\n', left);
	if (lf == NULL)
		return HSA_RC(E_TRUNCATED);
	*n = (size_t)(lf - c->p);
	HSA_TRY(rc, hsa_cur_bytes(c, &p, *n + 1));
	*s = (const char *)p;
out:
	return rc;
}

static hsa_rc
decimal(uint64_t *v, const char *s, size_t n)
{
	uint64_t x = 0;

	if (n == 0 || n > 20 || (n > 1 && s[0] == '0'))
		return HSA_RC(E_FORMAT);
	for (size_t i = 0; i < n; i++) {
		unsigned int d = (unsigned int)(s[i] - '0');

		if (s[i] < '0' || d > 9 || x > (UINT64_MAX - d) / 10)
			return HSA_RC(E_FORMAT);
		x = 10 * x + d;
	}
	*v = x;
	return HSA_OK;
}

/* One "- name base64" line; blob: key hash and signature. */
static hsa_rc
signature_line(struct hsa_cur *c, struct hsa_buf *blob, const char **name,
    size_t *name_len)
{
	const char *s = NULL, *blank;
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, line(c, &s, &n));
	rc = HSA_RC(E_FORMAT);
	if (n < DASH_LEN || memcmp(s, dash, DASH_LEN) != 0)
		goto out;
	s += DASH_LEN;
	n -= DASH_LEN;
	blank = n == 0 ? NULL : memchr(s, ' ', n);
	if (blank == NULL || !name_ok(s, (size_t)(blank - s)))
		goto out;
	*name = s;
	*name_len = (size_t)(blank - s);
	HSA_TRY(rc, hsa_unbase64(blob, blank + 1, n - *name_len - 1));
	if (blob->len < 5)
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}

static hsa_rc
parse(struct slog_note *note, struct hsa_cur *c, const struct slog_key *k)
{
	size_t n = 0, origin_len = strlen(k->origin);
	struct hsa_buf root = {0}, blob = {0};
	struct slog_note got = {0};
	const uint8_t *start = c->p;
	const char *s = NULL;
	hsa_rc rc;

	HSA_TRY(rc, line(c, &s, &n));
	if (n != origin_len || memcmp(s, k->origin, n) != 0) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	HSA_TRY(rc, line(c, &s, &n));
	HSA_TRY(rc, decimal(&got.size, s, n));
	HSA_TRY(rc, line(c, &s, &n));
	HSA_TRY(rc, hsa_unbase64(&root, s, n));
	got.text = start;
	got.text_len = (size_t)(c->p - start);
	HSA_TRY(rc, line(c, &s, &n));
	if (n != 0 || root.len != HSA_SHA256_LEN) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	memcpy(got.root, root.p, sizeof(got.root));
	HSA_TRY(rc, signature_line(c, &blob, &s, &n));
	if (n != origin_len || memcmp(s, k->origin, n) != 0 ||
	    blob.len != sizeof(k->hash) + SLOG_SIG_LEN ||
	    memcmp(blob.p, k->hash, sizeof(k->hash)) != 0) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	memcpy(got.sig, blob.p + sizeof(k->hash), sizeof(got.sig));
	got.used = (size_t)(c->p - start);
	*note = got;
out:
	hsa_buf_free(&root);
	hsa_buf_free(&blob);
	return rc;
}

hsa_rc
slog_note_prefix(
    struct slog_note *note, const struct slog_key *k, const void *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n);

	return parse(note, &c, k);
}

hsa_rc
slog_note_parse(
    struct slog_note *note, const struct slog_key *k, const void *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	struct slog_note got = {0};
	struct hsa_buf blob = {0};
	const char *name = NULL;
	size_t name_len = 0;
	hsa_rc rc;

	if (n > HSA_NOTE_MAX)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, parse(&got, &c, k));
	while (hsa_cur_left(&c) != 0) { /* witnesses */
		hsa_buf_reset(&blob);
		HSA_TRY(rc, signature_line(&c, &blob, &name, &name_len));
	}
	*note = got;
out:
	hsa_buf_free(&blob);
	return rc;
}

hsa_rc
slog_note_verify(const struct slog_note *note, const struct slog_key *k)
{
	hsa_rc rc = HSA_RC(E_CRYPTO);
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *ctx = NULL;

	key = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, k->public_key, sizeof(k->public_key));
	ctx = EVP_MD_CTX_new();
	if (key == NULL || ctx == NULL ||
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1)
		goto out;
	if (EVP_DigestVerify(ctx, note->sig, sizeof(note->sig), note->text,
		note->text_len) == 1)
		rc = HSA_OK;
	else
		rc = HSA_RC(E_SIGNATURE);
out:
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return rc;
}
