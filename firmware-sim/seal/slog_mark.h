/*
 * slog_mark.h - a small file beside a log that names its ring for as long as
 * calls may have been answered that are nowhere else: without it, a ring that
 * a reboot took would not be missed. It also keeps, until a record has told
 * it, that such a ring is lost, so that a kill in between hides nothing.
 * Private to seal/.
 *
 * Lines: the path of the ring, or nothing; and, when one is lost,
 * "lost EPOCH WHY".
 */
#ifndef SLOG_MARK_H
#define SLOG_MARK_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_err.h"
#include "slog.h"

struct slog_mark {  /* all owned; zeroed: nothing is kept */
	char *path; /* of the file; NULL: none, and all below is empty */
	char *ring; /* NULL: no call is in one */
	bool lost;
	uint64_t epoch; /* of the calls that it may have held */
	char why[SLOG_RING_WHY];
};

/*
 * slog_mark_load(m, path, diag) - path NULL: none. E_CORRUPT: there is such a
 * file, and it is not ours alone, or not of this form.
 * slog_mark_store(m, diag) - on stable storage when it returns; removes the
 * file when nothing is to be said. E_IO.
 * slog_mark_ring(m, ring) - set, NULL: none. E_NOMEM.
 */
HSA_MUST_USE hsa_rc slog_mark_load(
    struct slog_mark *m, const char *path, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc slog_mark_store(
    const struct slog_mark *m, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc slog_mark_ring(struct slog_mark *m, const char *ring);
void slog_mark_free(struct slog_mark *m);

#endif
