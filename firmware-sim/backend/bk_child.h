/*
 * bk_child.h - run one piece of work in a forked child, so that what it does
 * to the process (module state, SOFTHSM2_CONF, a crash) ends with it.
 */
#ifndef BK_CHILD_H
#define BK_CHILD_H
#include <stddef.h>
#include "hsa_err.h"

#define BK_CHILD_MAX 1024 /* bytes of result */

/*
 * bk_child_run(out, n, fn, ctx, diag) - fn(ctx, out, n, diag) in a child; its
 * result, output and diagnosis come back. out is written on success only.
 * E_TOKEN with a diagnosis when the child died. At most BK_CHILD_MAX bytes.
 */
HSA_MUST_USE hsa_rc bk_child_run(void *out, size_t n,
    hsa_rc (*fn)(void *ctx, void *out, size_t n, struct hsa_diag *diag),
    void *ctx, struct hsa_diag *diag);

#endif
