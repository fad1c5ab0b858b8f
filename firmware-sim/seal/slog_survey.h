/*
 * slog_survey.h - how far a log that may be damaged verifies, and what is at
 * hand of the rest: for the NEW_CHAIN of the log after it (FORMAT.md V11).
 * Changes nothing. What hsa verify says of the same folder is the second
 * reading; this one is the writer's, with the rules that it starts by.
 */
#ifndef SLOG_SURVEY_H
#define SLOG_SURVEY_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_event.h"
#include "hsa_hash.h"

struct slog_survey {
	bool damaged;      /* beyond what a start repairs */
	bool absent;       /* and that is because there is no folder */
	char rule[8];      /* of FORMAT.md, "V6" */
	char place[64];    /* file and byte */
	char finding[256]; /* what is wrong, in words */
	uint64_t at;       /* record that was expected there */
	uint64_t verified; /* records under its last good checkpoint */
	uint8_t root[HSA_SHA256_LEN];   /* there */
	uint64_t last[HSA_SOURCES + 1]; /* source sequences there */
	uint64_t epoch;                 /* there; 0: none */
	uint64_t found; /* records that are whole, those released with them */
	uint64_t seen_use; /* highest number of source 2 among them */
};

/*
 * slog_survey(s, dir, origin, public_key, diag) - damage is in s, not in the
 * result; so is a file that the disk does not give. E_BUSY: somebody writes
 * it. E_ARG, E_NOMEM, E_IO: the folder itself cannot be read.
 * slog_survey_origin(to, dir) - the name that the header of its first segment
 * has; E_NOT_FOUND: there is none that can be read.
 * slog_survey_ring(found, sealed, mark, ring, unit_id, diag) - the ring that
 * slog_open would attach, if there is one that can be: the number of the last
 * call in it that was sealed. E_BUSY.
 */
HSA_MUST_USE hsa_rc slog_survey(struct slog_survey *s, const char *dir,
    const char *origin, const uint8_t public_key[32], struct hsa_diag *diag);
HSA_MUST_USE hsa_rc slog_survey_origin(char to[256], const char *dir);
HSA_MUST_USE hsa_rc slog_survey_ring(bool *found, uint64_t *sealed,
    const char *mark, const char *ring, const uint8_t unit_id[HSA_UUID_LEN],
    struct hsa_diag *diag);

#endif
