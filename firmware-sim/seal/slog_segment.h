/*
 * slog_segment.h - segment files: their names, their list, and a cursor over
 * the entries of one, used by recovery and by readers (FORMAT.md 4).
 */
#ifndef SLOG_SEGMENT_H
#define SLOG_SEGMENT_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_codec.h"
#include "hsa_err.h"
#include "slog_os.h"

#define SLOG_NAME_LEN 26 /* "seg-0123456789abcdef.slog" and NUL */

/* slog_segment_name(to, first) - the file of the segment at record `first`.
 * slog_segment_parse(first, name) - E_FORMAT unless exactly such a name. */
void slog_segment_name(char to[SLOG_NAME_LEN], uint64_t first);
HSA_MUST_USE hsa_rc slog_segment_parse(uint64_t *first, const char *name);

/* First sequences of a log's segments, ascending. Owned array. */
struct slog_segments {
	uint64_t *first;
	size_t len, cap;
};
/* slog_segments_add(s, first) - behind the last; E_NOMEM.
 * slog_segments_reserve(s) - so that the next add cannot fail.
 * slog_segments_list(s, err, os, dir) - those of a folder, other names
 * ignored; err: the negative errno with E_IO.
 * slog_segments_find(s, i, sequence) - where that record is or would be;
 * E_NOT_FOUND when it is before the first. */
HSA_MUST_USE hsa_rc slog_segments_reserve(struct slog_segments *s);
HSA_MUST_USE hsa_rc slog_segments_add(struct slog_segments *s, uint64_t first);
HSA_MUST_USE hsa_rc slog_segments_list(
    struct slog_segments *s, int *err, const struct slog_os *os, int dir);
HSA_MUST_USE hsa_rc slog_segments_find(
    const struct slog_segments *s, size_t *i, uint64_t sequence);
void slog_segments_free(struct slog_segments *s);

/* Reads entries from byte `at` of an open file up to byte `limit`. */
struct slog_scan {
	const struct slog_os *os;
	int fd;         /* borrowed */
	uint64_t at;    /* the next entry */
	uint64_t limit; /* may be moved forward */
	uint8_t *buf;   /* owned */
	size_t from, have;
};

/*
 * slog_scan_init(s, os, fd, at, limit) - E_NOMEM. slog_scan_free(s).
 * slog_scan_seek(s, fd, at, limit) - go on elsewhere, keeping the memory.
 * slog_scan_next(s, e) - the entry at s->at, which moves behind it; e points
 * into s until the next call. E_NOT_FOUND: at the limit. E_TRUNCATED: the
 * limit cuts an entry. E_FORMAT, E_RANGE: no entry there. E_IO.
 */
HSA_MUST_USE hsa_rc slog_scan_init(struct slog_scan *s,
    const struct slog_os *os, int fd, uint64_t at, uint64_t limit);
void slog_scan_seek(struct slog_scan *s, int fd, uint64_t at, uint64_t limit);
HSA_MUST_USE hsa_rc slog_scan_next(struct slog_scan *s, struct hsa_entry *e);
void slog_scan_free(struct slog_scan *s);

#endif
