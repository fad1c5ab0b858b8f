/*
 * bk_sync.h - stable storage for a folder that somebody else writes: SoftHSM
 * never calls fsync.
 */
#ifndef BK_SYNC_H
#define BK_SYNC_H
#include "hsa_err.h"

/*
 * bk_sync_tree(dir) - fsync every regular file and every folder below dir,
 * deepest first, then dir itself. Symbolic links are not followed. E_IO.
 * bk_sync_path(path) - one file or folder.
 */
HSA_MUST_USE hsa_rc bk_sync_tree(const char *dir);
HSA_MUST_USE hsa_rc bk_sync_path(const char *path);

#endif
