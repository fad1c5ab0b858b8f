/*
 * slog_keep.h - the log's files as such: are they still there, how much they
 * take, and was what is missing released. Private to seal/.
 */
#ifndef SLOG_KEEP_H
#define SLOG_KEEP_H
#include "slog_impl.h"

/*
 * slog_keep_watch(l, why) - before an acknowledgement, on the writing thread:
 * the last segment and head are still the files of these names. E_IO with the
 * cause: what went into them nobody would find again.
 */
HSA_MUST_USE hsa_rc slog_keep_watch(struct slog *l, struct hsa_diag *why);

/* slog_keep_start(l) - after recovery: what the files take. E_IO.
 * slog_keep_count(l) - under the mutex, when that has changed: is the limit
 * reached? */
HSA_MUST_USE hsa_rc slog_keep_start(struct slog *l);
void slog_keep_count(struct slog *l);

/* slog_keep_check(l, s, diag) - of a log that does not begin with record 0: a
 * sealed LOG_RELEASED says so (V1), else E_CORRUPT. */
HSA_MUST_USE hsa_rc slog_keep_check(
    struct slog *l, const struct slog_segments *s, struct hsa_diag *diag);

#endif
