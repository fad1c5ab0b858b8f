/*
 * OpenSSL's EVP digests do not show their chaining values, and its low-level
 * contexts, deprecated since 3.0, are plain structs that do: hence this one
 * file that asks for no warning about them.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <string.h>

#include "ep11_hash.h"
#include "hsa_buf.h"
#include "hsa_cur.h"
#include "hsa_hash.h"

size_t
ep11_hash_len(CK_MECHANISM_TYPE type)
{
	switch (type) {
	case CKM_SHA_1:
		return 20;
	case CKM_SHA224:
		return 28;
	case CKM_SHA256:
		return 32;
	case CKM_SHA384:
		return 48;
	case CKM_SHA512:
		return 64;
	default:
		return 0;
	}
}

size_t
ep11_hash_block(CK_MECHANISM_TYPE type)
{
	size_t n = ep11_hash_len(type);

	return n == 0 ? 0 : n > 32 ? 128 : 64;
}

/* chaining words in use */
static size_t
words(CK_MECHANISM_TYPE type)
{
	return type == CKM_SHA_1 ? 5 : 8;
}

static size_t
held(const struct ep11_hash *h)
{
	return (size_t)(h->bytes % (ep11_hash_len(h->type) > 32 ? 128 : 64));
}

/* ---- to and from OpenSSL's contexts -------------------------------------- */

union context {
	SHA_CTX one;
	SHA256_CTX two;
	SHA512_CTX five;
};

static void
enter(union context *c, const struct ep11_hash *h)
{
	SHA_LONG low = (SHA_LONG)(h->bytes << 3);
	SHA_LONG high = (SHA_LONG)(h->bytes >> 29);
	size_t n = held(h);

	memset(c, 0, sizeof(*c));
	switch (ep11_hash_len(h->type)) {
	case 20:
		c->one.h0 = (SHA_LONG)h->h[0];
		c->one.h1 = (SHA_LONG)h->h[1];
		c->one.h2 = (SHA_LONG)h->h[2];
		c->one.h3 = (SHA_LONG)h->h[3];
		c->one.h4 = (SHA_LONG)h->h[4];
		c->one.Nl = low;
		c->one.Nh = high;
		c->one.num = (unsigned)n;
		memcpy(c->one.data, h->held, n);
		break;
	case 28:
	case 32:
		for (size_t i = 0; i < 8; i++)
			c->two.h[i] = (SHA_LONG)h->h[i];
		c->two.Nl = low;
		c->two.Nh = high;
		c->two.num = (unsigned)n;
		c->two.md_len = (unsigned)ep11_hash_len(h->type);
		memcpy(c->two.data, h->held, n);
		break;
	default:
		for (size_t i = 0; i < 8; i++)
			c->five.h[i] = h->h[i];
		c->five.Nl = h->bytes << 3;
		c->five.Nh = h->bytes >> 61;
		c->five.num = (unsigned)n;
		c->five.md_len = (unsigned)ep11_hash_len(h->type);
		memcpy(c->five.u.p, h->held, n);
	}
}

/* What is held and how many bytes there were is not in here. */
static void
leave(struct ep11_hash *h, const union context *c)
{
	switch (ep11_hash_len(h->type)) {
	case 20:
		h->h[0] = c->one.h0;
		h->h[1] = c->one.h1;
		h->h[2] = c->one.h2;
		h->h[3] = c->one.h3;
		h->h[4] = c->one.h4;
		break;
	case 28:
	case 32:
		for (size_t i = 0; i < 8; i++)
			h->h[i] = c->two.h[i];
		break;
	default:
		for (size_t i = 0; i < 8; i++)
			h->h[i] = c->five.h[i];
	}
}

/* ---- hashing ------------------------------------------------------------- */

void
ep11_hash_init(struct ep11_hash *h, CK_MECHANISM_TYPE type)
{
	union context c;

	memset(h, 0, sizeof(*h));
	memset(&c, 0, sizeof(c));
	h->type = type;
	switch (ep11_hash_len(type)) {
	case 20:
		(void)SHA1_Init(&c.one);
		break;
	case 28:
		(void)SHA224_Init(&c.two);
		break;
	case 32:
		(void)SHA256_Init(&c.two);
		break;
	case 48:
		(void)SHA384_Init(&c.five);
		break;
	default:
		(void)SHA512_Init(&c.five);
	}
	leave(h, &c);
}

static void
feed(union context *c, CK_MECHANISM_TYPE type, const void *p, size_t n)
{
	switch (ep11_hash_len(type)) {
	case 20:
		(void)SHA1_Update(&c->one, p, n);
		break;
	case 28:
	case 32:
		(void)SHA256_Update(&c->two, p, n);
		break;
	default:
		(void)SHA512_Update(&c->five, p, n);
	}
}

void
ep11_hash_update(struct ep11_hash *h, const void *p, size_t n)
{
	size_t block = ep11_hash_block(h->type), had = held(h), rest;
	union context c;

	if (n == 0)
		return;
	enter(&c, h);
	feed(&c, h->type, p, n);
	leave(h, &c);
	hsa_wipe(&c, sizeof(c));
	h->bytes += n;
	rest = held(h);
	/* the last bytes of the input are held, after those that were before
	 * when no block became full */
	if (had + n < block) {
		memcpy(h->held + had, p, n);
		return;
	}
	hsa_wipe(h->held, sizeof(h->held));
	memcpy(h->held, (const uint8_t *)p + (n - rest), rest);
}

void
ep11_hash_final(struct ep11_hash *h, uint8_t *out)
{
	union context c;

	enter(&c, h);
	switch (ep11_hash_len(h->type)) {
	case 20:
		(void)SHA1_Final(out, &c.one);
		break;
	case 28:
	case 32:
		(void)SHA256_Final(out, &c.two);
		break;
	default:
		(void)SHA512_Final(out, &c.five);
	}
	hsa_wipe(&c, sizeof(c));
	hsa_wipe(h, sizeof(*h));
}

/* ---- as bytes ------------------------------------------------------------ */

static void
put(uint8_t **to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*(*to)++ = (uint8_t)(v >> 8 * (n - 1 - i));
}

void
ep11_hash_save(uint8_t to[EP11_HASH_SAVED], const struct ep11_hash *h)
{
	uint8_t *at = to;

	put(&at, h->type, 4);
	put(&at, h->bytes, 8);
	for (size_t i = 0; i < 8; i++)
		put(&at, h->h[i], 8);
	memset(at, 0, EP11_HASH_BLOCK_MAX);
	memcpy(at, h->held, held(h));
}

hsa_rc
ep11_hash_decode(struct ep11_hash *h, const uint8_t from[EP11_HASH_SAVED])
{
	struct hsa_cur c = hsa_cur_of(from, EP11_HASH_SAVED);
	struct ep11_hash got = {0};
	uint32_t type = 0;
	bool good = true;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_be32(&c, &type));
	HSA_TRY(rc, hsa_cur_be64(&c, &got.bytes));
	got.type = type;
	rc = HSA_RC(E_FORMAT);
	if (ep11_hash_len(type) == 0 || got.bytes > UINT64_MAX / 8)
		goto out;
	for (size_t i = 0; i < 8; i++) {
		HSA_TRY(rc, hsa_cur_be64(&c, &got.h[i]));
		if (i >= words(type))
			good = good && got.h[i] == 0;
		if (ep11_hash_block(type) == 64)
			good = good && got.h[i] >> 32 == 0;
	}
	HSA_TRY(rc, hsa_cur_copy(&c, got.held, sizeof(got.held)));
	for (size_t i = held(&got); i < sizeof(got.held); i++)
		good = good && got.held[i] == 0;
	if (!good)
		rc = HSA_RC(E_FORMAT);
	if (hsa_is_ok(rc))
		*h = got;
out:
	hsa_wipe(&got, sizeof(got));
	return rc;
}
