/*
 * slog_found.h - what recovery finds in one segment file: how far it is sealed,
 * and what is wrong behind that. Reads and judges nothing away: slog_recover
 * decides.
 */
#ifndef SLOG_FOUND_H
#define SLOG_FOUND_H
#include <stdbool.h>
#include <stdint.h>
#include "slog_impl.h"

struct slog_found {
	struct slog_tip tip; /* up to the last good checkpoint; end 0: none */
	struct slog_merkle tree;          /* there; hash is NULL */
	uint64_t bytes;                   /* of the file */
	uint64_t records_behind;          /* whole records after tip */
	uint64_t before[HSA_SOURCES + 1]; /* the header's source_last */
	uint64_t stop;                    /* where reading ended */
	const char *what;                 /* is wrong there; NULL: nothing */
	bool beyond_doubt;                /* no crash leaves this */
	uint64_t *place; /* ring of checkpoint offsets, owned */
	uint64_t checkpoints;
	const struct slog_note *head; /* NULL: none that verifies */
};

/*
 * slog_found_init(f, first, head) - for the segment at that record. E_NOMEM.
 * slog_found_read(l, f, fd) - read the file, f->bytes of it: V2 to V6 and V8,
 * all but the signatures. l->tree is scratch, l->note the last good
 * checkpoint. Damage is in f, not in the result.
 * slog_found_verify(l, place, f, fd) - the signatures of the newest good
 * checkpoints; E_SIGNATURE with the place of the first that is none.
 * slog_found_search(l, place, sealed, f, fd) - is there, anywhere behind tip,
 * a good signature for a larger size? Then what lies there is no torn tail.
 * slog_found_last(l, last, place, fd, bytes) - last source sequences at the end
 * of a segment that is not the last, by its header and its records, nothing
 * hashed. E_CORRUPT with the place of an entry that is none.
 */
HSA_MUST_USE hsa_rc slog_found_last(const struct slog *l,
    uint64_t last[HSA_SOURCES + 1], uint64_t *place, int fd, uint64_t bytes);
HSA_MUST_USE hsa_rc slog_found_init(
    struct slog_found *f, uint64_t first, const struct slog_note *head);
void slog_found_free(struct slog_found *f);
HSA_MUST_USE hsa_rc slog_found_read(
    struct slog *l, struct slog_found *f, int fd);
HSA_MUST_USE hsa_rc slog_found_verify(
    struct slog *l, uint64_t *place, const struct slog_found *f, int fd);
HSA_MUST_USE hsa_rc slog_found_search(struct slog *l, uint64_t *place,
    bool *sealed, const struct slog_found *f, int fd);

/* slog_read_at(l, b, fd, at, n) - append n bytes of a file; E_IO when it has
 * fewer. */
HSA_MUST_USE hsa_rc slog_read_at(
    const struct slog *l, struct hsa_buf *b, int fd, uint64_t at, size_t n);

#endif
