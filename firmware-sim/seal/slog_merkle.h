/*
 * slog_merkle.h - the log's RFC 6962 tree, kept as its frontier: the roots of
 * the maximal full subtrees from left to right (FORMAT.md 2). Adding a leaf
 * costs amortised two hashes, a root at most 63. One thread at a time.
 */
#ifndef SLOG_MERKLE_H
#define SLOG_MERKLE_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

#define SLOG_MERKLE_MAX 64

struct slog_merkle {
	uint64_t size; /* leaves */
	size_t len;    /* of frontier: the 1 bits of size */
	uint8_t frontier[SLOG_MERKLE_MAX][HSA_SHA256_LEN];
	struct hsa_sha256 *hash; /* owned */
};

/* slog_merkle_init(m) - the empty tree. E_NOMEM. free is NULL-safe. */
HSA_MUST_USE hsa_rc slog_merkle_init(struct slog_merkle *m);
void slog_merkle_free(struct slog_merkle *m);

/* slog_merkle_set(m, size, frontier, n) - the tree of `size` leaves with that
 * frontier; E_FORMAT unless n is the number of 1 bits of size. */
HSA_MUST_USE hsa_rc slog_merkle_set(struct slog_merkle *m, uint64_t size,
    const uint8_t (*frontier)[HSA_SHA256_LEN], size_t n);

/* slog_merkle_add(m, p, n) - append the leaf of these bytes. */
HSA_MUST_USE hsa_rc slog_merkle_add(
    struct slog_merkle *m, const void *p, size_t n);

/* slog_merkle_root(m, root) - of all leaves so far. */
HSA_MUST_USE hsa_rc slog_merkle_root(
    const struct slog_merkle *m, uint8_t root[HSA_SHA256_LEN]);

#endif
