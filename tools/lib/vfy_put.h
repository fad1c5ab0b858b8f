/*
 * vfy_put.h - a whole file, there with all its bytes or not at all: written
 * beside its place under a name of its own, then renamed.
 */
#ifndef VFY_PUT_H
#define VFY_PUT_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"

/*
 * vfy_put_file(folder, path, p, n, sync) - path below the folder, which the
 * caller has locked against other writers (AT_FDCWD: as the user gave it, no
 * lock), mode 0644 less the umask; a file that is there is replaced. sync: it
 * is on stable storage before it has its name. E_IO, errno tells; nothing is
 * left behind.
 */
HSA_MUST_USE hsa_rc vfy_put_file(
    int folder, const char *path, const void *p, size_t n, bool sync);

/* The two halves, for who writes now and decides later: begin leaves the bytes
 * under the other name, done gives them theirs, drop removes them. */
HSA_MUST_USE hsa_rc vfy_put_begin(
    int folder, const char *path, const void *p, size_t n, bool sync);
HSA_MUST_USE hsa_rc vfy_put_done(int folder, const char *path);
void vfy_put_drop(int folder, const char *path);

#endif
