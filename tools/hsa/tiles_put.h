/*
 * tiles_put.h - the files of tiles.h: immutable ones that wait for a
 * checkpoint before they get their names. Private to tiles*.c.
 */
#ifndef TILES_PUT_H
#define TILES_PUT_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct tiles_put {
	int folder;
	char (*waiting)[64]; /* paths written and not yet named; owned */
	size_t waits, cap;
	char (*outgrown)[64]; /* .p folders to go */
	size_t outgrowns, outgrown_cap;
	uint64_t written, kept, removed;
	struct hsa_diag *diag;
};

/* tiles_put_open(s, dir) - made, and locked. tiles_put_close - what waits is
 * removed. */
HSA_MUST_USE hsa_rc tiles_put_open(
    struct tiles_put *s, const char *dir, struct hsa_diag *diag);
void tiles_put_close(struct tiles_put *s);

/* tiles_put_one(s, level, n, width, p, len) - a tile or bundle; when it is
 * there with these bytes, nothing. E_EXISTS: with others. */
HSA_MUST_USE hsa_rc tiles_put_one(struct tiles_put *s, int level, uint64_t n,
    unsigned int width, const void *p, size_t len);
/* tiles_put_named(s) - all that waits gets its name. */
HSA_MUST_USE hsa_rc tiles_put_named(struct tiles_put *s);
/* tiles_put_checkpoint(s, p, n) - on stable storage after all the rest; then
 * partial tiles that a full one has taken the place of are removed. */
HSA_MUST_USE hsa_rc tiles_put_checkpoint(
    struct tiles_put *s, const void *p, size_t n);

#endif
