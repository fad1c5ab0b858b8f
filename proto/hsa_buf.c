#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_hash.h"

uint8_t *
hsa_buf_reserve(struct hsa_buf *b, size_t n)
{
	uint8_t *p;
	size_t cap;

	if (b->failed)
		return NULL;
	if (n > SIZE_MAX / 4 - b->len) {
		b->failed = true;
		return NULL;
	}
	if (b->cap - b->len >= n && b->p != NULL)
		return b->p + b->len;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap - b->len < n)
		cap *= 2;
	/* not realloc: it may leave the old contents behind unwiped */
	p = malloc(cap);
	if (p == NULL) {
		b->failed = true;
		return NULL;
	}
	if (b->p != NULL) {
		memcpy(p, b->p, b->len);
		hsa_wipe(b->p, b->cap);
	}
	free(b->p);
	b->p = p;
	b->cap = cap;
	return b->p + b->len;
}

void
hsa_buf_put(struct hsa_buf *b, const void *p, size_t n)
{
	uint8_t *to;

	if (n == 0)
		return;
	to = hsa_buf_reserve(b, n);
	if (to == NULL)
		return;
	memcpy(to, p, n);
	b->len += n;
}

void
hsa_buf_u8(struct hsa_buf *b, uint8_t v)
{
	/* the one that is called most, and nearly always has room */
	if (!b->failed && b->len < b->cap)
		b->p[b->len++] = v;
	else
		hsa_buf_put(b, &v, 1);
}

static void
put_be(struct hsa_buf *b, uint64_t v, unsigned int n)
{
	uint8_t a[8];

	for (unsigned int i = 0; i < n; i++)
		a[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	hsa_buf_put(b, a, n);
}

void
hsa_buf_be16(struct hsa_buf *b, uint16_t v)
{
	put_be(b, v, 2);
}

void
hsa_buf_be32(struct hsa_buf *b, uint32_t v)
{
	put_be(b, v, 4);
}

void
hsa_buf_be64(struct hsa_buf *b, uint64_t v)
{
	put_be(b, v, 8);
}

void
hsa_buf_str(struct hsa_buf *b, const char *s)
{
	hsa_buf_put(b, s, strlen(s));
}

void
hsa_buf_printf(struct hsa_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	uint8_t *to;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	to = n < 0 ? NULL : hsa_buf_reserve(b, (size_t)n + 1);
	if (to != NULL) {
		(void)vsnprintf((char *)to, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void
hsa_buf_hex(struct hsa_buf *b, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = p;
	uint8_t *to = n > SIZE_MAX / 8 ? NULL : hsa_buf_reserve(b, 2 * n);

	if (to == NULL) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		*to++ = (uint8_t)digits[in[i] >> 4];
		*to++ = (uint8_t)digits[in[i] & 15];
	}
	b->len += 2 * n;
}

void
hsa_buf_uint(struct hsa_buf *b, uint64_t v)
{
	uint8_t digit[20];
	size_t at = sizeof(digit);

	do {
		digit[--at] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	hsa_buf_put(b, digit + at, sizeof(digit) - at);
}

void
hsa_buf_varint(struct hsa_buf *b, uint64_t v)
{
	while (v >= 0x80) {
		hsa_buf_u8(b, (uint8_t)(v | 0x80));
		v >>= 7;
	}
	hsa_buf_u8(b, (uint8_t)v);
}

const char *
hsa_buf_cstr(struct hsa_buf *b)
{
	uint8_t *to = hsa_buf_reserve(b, 1);

	if (to == NULL)
		return "";
	*to = 0;
	return (const char *)b->p;
}

hsa_rc
hsa_buf_rc(const struct hsa_buf *b)
{
	return b->failed ? HSA_RC(E_NOMEM) : HSA_OK;
}

void
hsa_buf_reset(struct hsa_buf *b)
{
	if (b->p != NULL)
		hsa_wipe(b->p, b->len);
	b->len = 0;
	b->failed = false;
}

void
hsa_buf_free(struct hsa_buf *b)
{
	if (b == NULL)
		return;
	if (b->p != NULL)
		hsa_wipe(b->p, b->cap);
	free(b->p);
	*b = (struct hsa_buf){0};
}
