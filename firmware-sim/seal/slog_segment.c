#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slog_segment.h"

#define SCAN_BYTES ((size_t)256 * 1024)

_Static_assert(SCAN_BYTES > HSA_RECORD_MAX + 64u,
    "the longest entry fits the cursor's memory");

void
slog_segment_name(char to[SLOG_NAME_LEN], uint64_t first)
{
	(void)snprintf(to, SLOG_NAME_LEN, "seg-%016" PRIx64 ".slog", first);
}

hsa_rc
slog_segment_parse(uint64_t *first, const char *name)
{
	char again[SLOG_NAME_LEN];
	uint64_t v = 0;

	if (strlen(name) != SLOG_NAME_LEN - 1 || strncmp(name, "seg-", 4) != 0)
		return HSA_RC(E_FORMAT);
	for (size_t i = 4; i < 20; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *d = strchr(digits, name[i]);

		if (d == NULL || *d == '\0')
			return HSA_RC(E_FORMAT);
		v = v << 4 | (uint64_t)(d - digits);
	}
	slog_segment_name(again, v);
	if (strcmp(again, name) != 0)
		return HSA_RC(E_FORMAT);
	*first = v;
	return HSA_OK;
}

hsa_rc
slog_segments_reserve(struct slog_segments *s)
{
	size_t cap = s->cap == 0 ? 16 : 2 * s->cap;
	uint64_t *p;

	if (s->len < s->cap)
		return HSA_OK;
	if (cap > SIZE_MAX / sizeof(*p))
		return HSA_RC(E_NOMEM);
	p = realloc(s->first, cap * sizeof(*p));
	if (p == NULL)
		return HSA_RC(E_NOMEM);
	s->first = p;
	s->cap = cap;
	return HSA_OK;
}

hsa_rc
slog_segments_add(struct slog_segments *s, uint64_t first)
{
	hsa_rc rc;

	HSA_TRY(rc, slog_segments_reserve(s));
	s->first[s->len++] = first;
out:
	return rc;
}

static int
list_one(void *arg, const char *name)
{
	struct slog_segments *s = arg;
	uint64_t first = 0;

	if (!hsa_is_ok(slog_segment_parse(&first, name)))
		return 0;
	return hsa_is_ok(slog_segments_add(s, first)) ? 0 : -ENOMEM;
}

static int
ascending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

hsa_rc
slog_segments_list(
    struct slog_segments *s, int *err, const struct slog_os *os, int dir)
{
	s->len = 0;
	*err = os->dir_list(os->ctx, dir, list_one, s);
	if (*err < 0)
		return *err == -ENOMEM ? HSA_RC(E_NOMEM) : HSA_RC(E_IO);
	if (s->len != 0)
		qsort(s->first, s->len, sizeof(*s->first), ascending);
	return HSA_OK;
}

hsa_rc
slog_segments_find(const struct slog_segments *s, size_t *i, uint64_t sequence)
{
	size_t low = 0, high = s->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->first[mid] <= sequence)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return HSA_RC(E_NOT_FOUND);
	*i = low - 1;
	return HSA_OK;
}

void
slog_segments_free(struct slog_segments *s)
{
	if (s == NULL)
		return;
	free(s->first);
	*s = (struct slog_segments){0};
}

hsa_rc
slog_scan_init(struct slog_scan *s, const struct slog_os *os, int fd,
    uint64_t at, uint64_t limit)
{
	*s = (struct slog_scan){.os = os};
	s->buf = malloc(SCAN_BYTES);
	if (s->buf == NULL)
		return HSA_RC(E_NOMEM);
	slog_scan_seek(s, fd, at, limit);
	return HSA_OK;
}

void
slog_scan_seek(struct slog_scan *s, int fd, uint64_t at, uint64_t limit)
{
	s->fd = fd;
	s->at = at;
	s->limit = limit;
	s->from = s->have = 0;
}

/* More bytes behind those that are there; none when at the limit. */
static hsa_rc
refill(struct slog_scan *s, size_t *got)
{
	uint64_t at = s->at + s->have;
	size_t want = SCAN_BYTES - s->have;
	ssize_t n;

	*got = 0;
	if (at >= s->limit)
		return HSA_OK;
	if (s->have != 0 && s->from != 0)
		memmove(s->buf, s->buf + s->from, s->have);
	s->from = 0;
	if (want > s->limit - at)
		want = (size_t)(s->limit - at);
	n = s->os->pread(s->os->ctx, s->fd, s->buf + s->have, want, at);
	if (n < 0 || (size_t)n > want)
		return HSA_RC(E_IO);
	s->have += (size_t)n;
	*got = (size_t)n;
	return HSA_OK;
}

hsa_rc
slog_scan_next(struct slog_scan *s, struct hsa_entry *e)
{
	size_t used = 0, got = 0;
	hsa_rc rc;

	for (;;) {
		rc = HSA_RC(E_TRUNCATED);
		if (s->have != 0)
			rc = hsa_entry_decode(
			    e, &used, s->buf + s->from, s->have);
		if (hsa_is_ok(rc)) {
			s->from += used;
			s->have -= used;
			s->at += used;
			return rc;
		}
		if (rc.v != HSA_E_TRUNCATED)
			return rc;
		if (s->have == SCAN_BYTES) /* longer than any entry */
			return HSA_RC(E_RANGE);
		HSA_TRY(rc, refill(s, &got));
		if (got == 0)
			return s->have == 0 && s->at >= s->limit
			    ? HSA_RC(E_NOT_FOUND)
			    : HSA_RC(E_TRUNCATED);
	}
out:
	return rc;
}

void
slog_scan_free(struct slog_scan *s)
{
	if (s == NULL)
		return;
	free(s->buf);
	*s = (struct slog_scan){0};
}
