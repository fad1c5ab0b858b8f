/*
 * OpenSSL's digests have two doors. The one that providers stand behind costs a
 * record's leaf and node twice as much as the digest itself (two hashes of 65
 * and 116 bytes: 0.77 us, 0.47 by SHA256_Init and its sisters on the same busy
 * machine), and a sealer does little else, so hsa_sha256_three takes the older
 * one, deprecated since 3.0.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_hash.h"

struct hsa_sha256 {
	SHA256_CTX ctx;
};

struct hsa_sha256 *
hsa_sha256_new(void)
{
	return calloc(1, sizeof(struct hsa_sha256));
}

void
hsa_sha256_free(struct hsa_sha256 *h)
{
	free(h);
}

hsa_rc
hsa_sha256_three(struct hsa_sha256 *h, uint8_t out[HSA_SHA256_LEN],
    const void *a, size_t an, const void *b, size_t bn, const void *c,
    size_t cn)
{
	if (SHA256_Init(&h->ctx) != 1 ||
	    (an != 0 && SHA256_Update(&h->ctx, a, an) != 1) ||
	    (bn != 0 && SHA256_Update(&h->ctx, b, bn) != 1) ||
	    (cn != 0 && SHA256_Update(&h->ctx, c, cn) != 1) ||
	    SHA256_Final(out, &h->ctx) != 1)
		return HSA_RC(E_CRYPTO);
	return HSA_OK;
}

hsa_rc
hsa_sha256(uint8_t out[HSA_SHA256_LEN], const void *p, size_t n)
{
	static const uint8_t nothing;

	if (EVP_Q_digest(
		NULL, "SHA256", NULL, n == 0 ? &nothing : p, n, out, NULL) != 1)
		return HSA_RC(E_CRYPTO);
	return HSA_OK;
}

void
hsa_wipe(void *p, size_t n)
{
	if (p != NULL && n != 0)
		OPENSSL_cleanse(p, n);
}

bool
hsa_equal_ct(const void *a, const void *b, size_t n)
{
	return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}

hsa_rc
hsa_random(void *p, size_t n)
{
	uint8_t *at = p;

	if (n > INT32_MAX)
		return HSA_RC(E_RANGE);
	while (n > 0) {
		/* the most that the call gives */
		size_t some = n < 256 ? n : 256;

		if (getentropy(at, some) != 0)
			return HSA_RC(E_CRYPTO);
		at += some;
		n -= some;
	}
	return HSA_OK;
}

void
hsa_hex(char *to, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = p;

	for (size_t i = 0; i < n; i++) {
		to[2 * i] = digits[in[i] >> 4];
		to[2 * i + 1] = digits[in[i] & 15];
	}
	to[2 * n] = '\0';
}

/* 16 + the value of a digit; of others 0. A table: a validator reads a dozen
 * ids of an event. */
static const uint8_t nibbles[256] = {['0'] = 16,
    ['1'] = 17,
    ['2'] = 18,
    ['3'] = 19,
    ['4'] = 20,
    ['5'] = 21,
    ['6'] = 22,
    ['7'] = 23,
    ['8'] = 24,
    ['9'] = 25,
    ['a'] = 26,
    ['b'] = 27,
    ['c'] = 28,
    ['d'] = 29,
    ['e'] = 30,
    ['f'] = 31,
    ['A'] = 26,
    ['B'] = 27,
    ['C'] = 28,
    ['D'] = 29,
    ['E'] = 30,
    ['F'] = 31};

static uint8_t
nibble(char c)
{
	return nibbles[(unsigned char)c];
}

hsa_rc
hsa_unhex(void *to, size_t n, const char *text, size_t len)
{
	uint8_t *out = to;

	if (n > SIZE_MAX / 2 || len != 2 * n)
		return HSA_RC(E_FORMAT);
	for (size_t i = 0; i < len; i++)
		if (nibble(text[i]) == 0)
			return HSA_RC(E_FORMAT);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)((nibble(text[2 * i]) & 15u) << 4 |
				   (nibble(text[2 * i + 1]) & 15u));
	return HSA_OK;
}

void
hsa_base64(struct hsa_buf *b, const void *p, size_t n)
{
	uint8_t *to;

	if (n == 0)
		return;
	if (n > INT32_MAX / 2) {
		b->failed = true;
		return;
	}
	to = hsa_buf_reserve(b, 4 * ((n + 2) / 3) + 1);
	if (to == NULL)
		return;
	b->len += (size_t)EVP_EncodeBlock(to, p, (int)n);
}

hsa_rc
hsa_unbase64(struct hsa_buf *b, const char *text, size_t len)
{
	struct hsa_buf raw = {0}, again = {0};
	hsa_rc rc = HSA_RC(E_FORMAT);
	uint8_t *to;
	size_t pad = 0;
	int n;

	if (len == 0)
		return HSA_OK;
	if (len % 4 != 0 || len > INT32_MAX)
		return rc;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	to = hsa_buf_reserve(&raw, len);
	if (to == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	n = EVP_DecodeBlock(to, (const uint8_t *)text, (int)len);
	if (n < 0 || (size_t)n < pad)
		goto out;
	raw.len = (size_t)n - pad;
	/* OpenSSL skips blanks and ignores spare bits: one spelling only */
	hsa_base64(&again, raw.p, raw.len);
	HSA_TRY(rc, hsa_buf_rc(&again));
	if (again.len != len || memcmp(again.p, text, len) != 0) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	hsa_buf_put(b, raw.p, raw.len);
	rc = hsa_buf_rc(b);
out:
	hsa_buf_free(&raw);
	hsa_buf_free(&again);
	return rc;
}

hsa_rc
hsa_uuid_many(uint8_t (*id)[HSA_UUID_LEN], size_t n)
{
	hsa_rc rc;

	if (n > SIZE_MAX / sizeof(*id))
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, hsa_random(id, n * sizeof(*id)));
	for (size_t i = 0; i < n; i++) {
		id[i][6] = (uint8_t)((id[i][6] & 0x0f) | 0x40);
		id[i][8] = (uint8_t)((id[i][8] & 0x3f) | 0x80);
	}
out:
	return rc;
}

hsa_rc
hsa_uuid_new(uint8_t id[HSA_UUID_LEN])
{
	uint8_t fresh[1][HSA_UUID_LEN] = {{0}};
	hsa_rc rc;

	HSA_TRY(rc, hsa_uuid_many(fresh, 1));
	memcpy(id, fresh[0], sizeof(fresh[0]));
out:
	return rc;
}

void
hsa_uuid_text(char to[HSA_UUID_TEXT], const uint8_t id[HSA_UUID_LEN])
{
	char hex[2 * HSA_UUID_LEN + 1];
	size_t at = 0;

	hsa_hex(hex, id, HSA_UUID_LEN);
	for (size_t i = 0; i < sizeof(hex) - 1; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			to[at++] = '-';
		to[at++] = hex[i];
	}
	to[at] = '\0';
}

hsa_rc
hsa_uuid_parse(uint8_t id[HSA_UUID_LEN], const char *text)
{
	char hex[2 * HSA_UUID_LEN];
	size_t at = 0;

	if (strlen(text) != HSA_UUID_TEXT - 1)
		return HSA_RC(E_FORMAT);
	for (size_t i = 0; i < HSA_UUID_TEXT - 1; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return HSA_RC(E_FORMAT);
		} else
			hex[at++] = text[i];
	}
	return hsa_unhex(id, HSA_UUID_LEN, hex, sizeof(hex));
}

hsa_rc
hsa_verification_pattern(uint8_t out[HSA_SHA256_LEN], const uint8_t key[32])
{
	uint8_t in[33] = {1};
	hsa_rc rc;

	memcpy(in + 1, key, 32);
	rc = hsa_sha256(out, in, sizeof(in));
	hsa_wipe(in, sizeof(in));
	memset(out + 28, 0, 4);
	return rc;
}
