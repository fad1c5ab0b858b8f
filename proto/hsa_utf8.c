#include <stdint.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_utf8.h"

/* One row per range of first bytes: RFC 3629, section 4. */
struct lead {
	uint8_t from, to; /* first byte */
	uint8_t second_from, second_to;
	uint8_t len;
};

static const struct lead leads[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t
hsa_utf8_len(const char *s, size_t n)
{
	uint8_t c[4] = {0};
	const struct lead *l = NULL;

	if (n == 0)
		return 0;
	memcpy(c, s, n < 4 ? n : 4);
	if (c[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (c[0] >= leads[i].from && c[0] <= leads[i].to)
			l = &leads[i];
	if (l == NULL || l->len > n || c[1] < l->second_from ||
	    c[1] > l->second_to)
		return 0;
	for (size_t i = 2; i < l->len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return l->len;
}

/* Length of the ASCII run at s, in steps of eight bytes: nearly all that is
 * ever checked is ASCII. */
static size_t
ascii_run(const char *s, size_t n)
{
	uint64_t w;
	size_t at = 0;

	while (n - at >= sizeof(w)) {
		memcpy(&w, s + at, sizeof(w));
		if (w & UINT64_C(0x8080808080808080))
			break;
		at += sizeof(w);
	}
	return at;
}

bool
hsa_utf8_valid(const char *s, size_t n)
{
	size_t at = 0, len;

	while (at < n) {
		at += ascii_run(s + at, n - at);
		if (at == n)
			break;
		len = (unsigned char)s[at] < 0x80
			  ? 1
			  : hsa_utf8_len(s + at, n - at);
		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

void
hsa_utf8_clean(struct hsa_buf *b, const char *s, size_t n)
{
	size_t at = 0, len;

	while (at < n) {
		len = hsa_utf8_len(s + at, n - at);
		if (len == 0) {
			hsa_buf_str(b, HSA_UTF8_REPLACEMENT);
			at++;
			continue;
		}
		hsa_buf_put(b, s + at, len);
		at += len;
	}
}
