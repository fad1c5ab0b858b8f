/*
 * helper_big.h - a log of any length, straight to files: calls as compact
 * records of a common size (112 to 118 bytes), a context every 10,000, a
 * checkpoint a batch, segments of 64 MiB. For tests of speed and memory.
 */
#ifndef HELPER_BIG_H
#define HELPER_BIG_H
#include <stdint.h>

struct helper_vfy_log;

/* helper_big_write(l, dir, records, batch) - l only for its key and names, as
 * helper_vfy_init made it. batch: at least 3, the sizes of checkpoints are its
 * multiples. Aborts the test on failure. */
void helper_big_write(const struct helper_vfy_log *l, const char *dir,
    uint64_t records, uint64_t batch);

#endif
