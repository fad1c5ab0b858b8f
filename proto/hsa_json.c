#include <string.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "hsa_json.h"
#include "hsa_utf8.h"

/* The letter after the backslash, or 0. */
static char
short_escape(char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = strchr(from, c);

	/* a NUL finds the end of from, and with it the end of to */
	if (at == NULL)
		return '\0';
	return to[at - from];
}

static bool
plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 &&
	       c != '"' && c != '\\';
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of each byte of w that is less than limit (at most 0x80), or
 * that is not ASCII; bytes above the lowest of them may be marked too. */
static uint64_t
below(uint64_t w, uint64_t limit)
{
	return ((w - EACH(limit)) | w) & EACH(0x80);
}

/* Length of the run at s that needs no escape, in steps of eight bytes: nearly
 * all text is one such run. */
static size_t
plain_run(const char *s, size_t n)
{
	uint64_t w;
	size_t at = 0;

	for (; n - at >= sizeof(w); at += sizeof(w)) {
		memcpy(&w, s + at, sizeof(w));
		if (below(w, 0x20) | below(w ^ EACH('"'), 1) |
		    below(w ^ EACH('\\'), 1))
			break;
	}
	while (at < n && plain(s[at]))
		at++;
	return at;
}

void
hsa_json_string(struct hsa_buf *b, const char *s, size_t n)
{
	size_t at = 0, len = plain_run(s, n);
	uint8_t *to;
	char e;

	/* nearly always: all at once */
	if (len == n && (to = hsa_buf_reserve(b, n + 2)) != NULL) {
		to[0] = to[n + 1] = '"';
		memcpy(to + 1, s, n);
		b->len += n + 2;
		return;
	}
	hsa_buf_u8(b, '"');
	while (at < n) {
		len = plain_run(s + at, n - at);
		hsa_buf_put(b, s + at, len);
		at += len;
		if (at == n)
			break;
		len = hsa_utf8_len(s + at, n - at);
		e = short_escape(s[at]);
		if (len == 0) {
			hsa_buf_str(b, HSA_UTF8_REPLACEMENT);
			len = 1;
		} else if (len > 1)
			hsa_buf_put(b, s + at, len);
		else if (e != '\0')
			hsa_buf_printf(b, "\\%c", e);
		else
			hsa_buf_printf(b, "\\u%04x", (unsigned int)s[at]);
		at += len;
	}
	hsa_buf_u8(b, '"');
}

/* ---- the writer ---------------------------------------------------------- */

#define DEPTH_MAX 32

static uint32_t
bit(const struct hsa_jw *w)
{
	return w->depth == 0 ? 0 : UINT32_C(1) << (w->depth - 1);
}

/* What stands before a value: comma and key. */
static void
lead(struct hsa_jw *w, const char *key)
{
	uint32_t here = bit(w);

	if (w->more & here)
		hsa_buf_u8(w->b, ',');
	w->more |= here;
	if (key != NULL && (w->array & here) == 0) {
		hsa_json_string(w->b, key, strlen(key));
		hsa_buf_u8(w->b, ':');
	}
}

static void
begin(struct hsa_jw *w, const char *key, bool array)
{
	lead(w, key);
	if (w->depth == DEPTH_MAX) {
		/* a caller's mistake: better no output than a wrong one */
		w->b->failed = true;
		return;
	}
	hsa_buf_u8(w->b, array ? '[' : '{');
	w->depth++;
	w->more &= ~bit(w);
	w->array = array ? w->array | bit(w) : w->array & ~bit(w);
}

void
hsa_jw_object(struct hsa_jw *w, const char *key)
{
	begin(w, key, false);
}

void
hsa_jw_array(struct hsa_jw *w, const char *key)
{
	begin(w, key, true);
}

void
hsa_jw_end(struct hsa_jw *w)
{
	if (w->depth == 0) {
		w->b->failed = true;
		return;
	}
	hsa_buf_u8(w->b, w->array & bit(w) ? ']' : '}');
	w->depth--;
}

void
hsa_jw_text(struct hsa_jw *w, const char *key, const char *s)
{
	lead(w, key);
	hsa_json_string(w->b, s, strlen(s));
}

void
hsa_jw_hex(struct hsa_jw *w, const char *key, const void *p, size_t n)
{
	lead(w, key);
	hsa_buf_u8(w->b, '"');
	hsa_buf_hex(w->b, p, n);
	hsa_buf_u8(w->b, '"');
}

void
hsa_jw_uint(struct hsa_jw *w, const char *key, uint64_t v)
{
	lead(w, key);
	hsa_buf_uint(w->b, v);
}

void
hsa_jw_int(struct hsa_jw *w, const char *key, int64_t v)
{
	lead(w, key);
	if (v < 0)
		hsa_buf_u8(w->b, '-');
	hsa_buf_uint(w->b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
hsa_jw_bool(struct hsa_jw *w, const char *key, bool v)
{
	lead(w, key);
	hsa_buf_str(w->b, v ? "true" : "false");
}

void
hsa_jw_null(struct hsa_jw *w, const char *key)
{
	lead(w, key);
	hsa_buf_str(w->b, "null");
}

/* ---- times --------------------------------------------------------------- */

#define NS_PER_S UINT64_C(1000000000)

/* n digits of v, and what follows them. */
static char *
digits(char *to, uint64_t v, unsigned int n, char behind)
{
	for (unsigned int i = n; i > 0; i--, v /= 10)
		to[i - 1] = (char)('0' + v % 10);
	to[n] = behind;
	return to + n + 1;
}

/*
 * "2025-11-22T10:42:07." - the calendar by arithmetic, since every line of an
 * output has a time. Days are counted from 1 March of the year 0, so that the
 * leap day is the last of its year; years end at 2554 with 64 bits of ns.
 */
static char *
moment(char *to, uint64_t ns)
{
	uint64_t s = ns / NS_PER_S, day = s / 86400 + 719468;
	uint64_t era = day / 146097, of_era = day % 146097;
	uint64_t year =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153; /* 0: March */

	day = of_year - (153 * month + 2) / 5 + 1;
	year += 400 * era + (month >= 10);
	to = digits(to, year, 4, '-');
	to = digits(to, month < 10 ? month + 3 : month - 9, 2, '-');
	to = digits(to, day, 2, 'T');
	to = digits(to, s / 3600 % 24, 2, ':');
	to = digits(to, s / 60 % 60, 2, ':');
	return digits(to, s % 60, 2, '.');
}

void
hsa_event_time(char to[32], uint64_t ns)
{
	to = digits(moment(to, ns), ns % NS_PER_S / 10000000, 2, '+');
	(void)digits(to, 0, 4, '\0');
}

void
hsa_time_rfc3339(char to[40], uint64_t ns)
{
	to = digits(moment(to, ns), ns % NS_PER_S, 9, 'Z');
	*to = '\0';
}
