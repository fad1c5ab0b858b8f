#include <string.h>

#include "hsa_buf.h"
#include "vfy_utf8.h"

static bool
is_tail(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the character at p, of n > 0 bytes; 0 when it is none. */
static size_t
character(const uint8_t *p, size_t n)
{
	uint8_t c = p[0];

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || n < 2 || !is_tail(p[1]))
		return 0;
	if (c < 0xe0)
		return 2;
	if (n < 3 || !is_tail(p[2]))
		return 0;
	if (c < 0xf0) {
		if (c == 0xe0 && p[1] < 0xa0)
			return 0; /* longer than needed */
		if (c == 0xed && p[1] >= 0xa0)
			return 0; /* surrogate */
		return 3;
	}
	if (c > 0xf4 || n < 4 || !is_tail(p[3]))
		return 0;
	if ((c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] >= 0x90))
		return 0;
	return 4;
}

bool
vfy_utf8(const uint8_t *p, size_t n)
{
	static const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t w;
	size_t i = 0, len;

	while (i < n) {
		/* eight bytes of 01..7f at a time: nearly all text is that */
		while (n - i >= 8) {
			memcpy(&w, p + i, 8);
			if (((w | (w - ones)) & (ones << 7)) != 0)
				break;
			i += 8;
		}
		if (i == n)
			break;
		len = p[i] == 0 ? 0 : character(p + i, n - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

void
vfy_utf8_show(struct hsa_buf *b, const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t n, len;

	if (s == NULL) {
		hsa_buf_str(b, "-");
		return;
	}
	for (n = strlen(s); n > 0; p += len, n -= len) {
		len = character(p, n);
		if (len == 0 || *p < 0x20 || *p == 0x7f) {
			hsa_buf_printf(b, "\\x%02x", *p);
			len = 1;
		} else if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
			hsa_buf_printf(b, "\\x%02x\\x%02x", p[0], p[1]);
		else
			hsa_buf_put(b, p, len);
	}
}
