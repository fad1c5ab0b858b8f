/*
 * tiles.h - a log as C2SP tlog-tiles: checkpoint, tile/<L>/<N>, and
 * tile/entries/<N>, partial ones as .p/<W>. Whatever server gives files away
 * makes a transparency log of it.
 *
 * One walk that verifies; memory for a tile a level and a bundle, whatever the
 * size of the log. A full tile gets its name only when a good checkpoint
 * covers it, `checkpoint` its own last, when all it needs is on stable
 * storage. What is there already is compared and left alone.
 */
#ifndef TILES_H
#define TILES_H
#include <stdint.h>
#include "hsa_err.h"
#include "vfy_log.h"

struct tiles_made {
	uint64_t written, kept; /* tiles and bundles, full and partial */
	uint64_t removed;       /* partial ones whose full one is there now */
	struct vfy_result log;  /* what was found about the log */
};

/*
 * tiles_make(m, to, log, keys, settle_ms, diag) - `to` is made when absent.
 * Success with m->log.bad set: the log is damaged, or is not the one that
 * `to` has a checkpoint of, and `checkpoint` is as it was.
 * E_BUSY: another export is writing there. E_EXISTS: a tile there has other
 * content. E_RANGE: a record is too long for a bundle, whose lengths are of
 * 16 bits. E_UNSUPPORTED: the log's first records have been released.
 */
HSA_MUST_USE hsa_rc tiles_make(struct tiles_made *m, const char *to,
    const char *log, const struct vfy_keys *keys, int settle_ms,
    struct hsa_diag *diag);

/* tiles_path(to, level, n, width) - "tile/0/x001/234"; level -1: entries;
 * width 0: the full one. */
#define TILES_PATH_MAX 64
void tiles_path(
    char to[TILES_PATH_MAX], int level, uint64_t n, unsigned int width);

#endif
