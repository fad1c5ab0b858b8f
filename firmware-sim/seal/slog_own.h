/*
 * slog_own.h - records of the log's own (source 3). Private to seal/; all on
 * the sealing thread.
 */
#ifndef SLOG_OWN_H
#define SLOG_OWN_H
#include "slog_impl.h"

struct hsa_data;

/* slog_own_special(l, b, code, details) - into batch b; details NULL: none. */
HSA_MUST_USE hsa_rc slog_own_special(struct slog *l, struct slog_batch *b,
    enum hsa_special_code code, const struct hsa_data *details);

/*
 * slog_own_numbers(last, details) - of a NEW_CHAIN: where the sources go on
 * from. E_FORMAT.
 * slog_own_chain(last, p, n) - the same, when the record is one.
 */
HSA_MUST_USE hsa_rc slog_own_numbers(
    uint64_t last[HSA_SOURCES + 1], const struct hsa_data *details);
HSA_MUST_USE hsa_rc slog_own_chain(
    uint64_t last[HSA_SOURCES + 1], const void *p, size_t n);

/*
 * slog_own_clock(l, b, offset) - from the clock since start to the wall clock.
 * Leaves a CLOCK_STEP when that has jumped since the batch before, by more than
 * a second and a thousandth of the time between the two: a clock that is only
 * corrected (adjtime) stays below.
 */
HSA_MUST_USE hsa_rc slog_own_clock(
    struct slog *l, struct slog_batch *b, uint64_t *offset);

#endif
