/*
 * export_tiles.h - `hsa export --tlog-tiles DIR`.
 */
#ifndef EXPORT_TILES_H
#define EXPORT_TILES_H
#include "cmd.h"
#include "log_set.h"

/* export_tiles(c, args, to) - the exit code; one log, or one unit of several.
 */
int export_tiles(
    const struct cmd *c, const struct log_set_args *args, const char *to);

#endif
