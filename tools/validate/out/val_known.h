/*
 * val_known.h - a baseline: findings of an earlier run that are not told again.
 * The file is the output of --format json. A finding is known by input,
 * action, check and path, for as many times as the baseline has it: where it
 * stands in its input changes, and its message may.
 */
#ifndef VAL_KNOWN_H
#define VAL_KNOWN_H
#include <stdbool.h>
#include "hsa_err.h"
#include "val_out.h"

struct val_known;

/* val_known_load(k, path, diag) - E_FORMAT with a diagnosis: no such output.
 * val_known_has(k, p, f) - and uses one of it up. val_known_free(k). */
HSA_MUST_USE hsa_rc val_known_load(
    struct val_known **k, const char *path, struct hsa_diag *diag);
bool val_known_has(struct val_known *k, const struct val_place *p,
    const struct val_finding *f);
void val_known_free(struct val_known *k);

#endif
