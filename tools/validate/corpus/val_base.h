/*
 * val_base.h - a sample as the tree that a profile has of it.
 */
#ifndef VAL_BASE_H
#define VAL_BASE_H
#include <jansson.h>
#include "hsa_err.h"
#include "val_case.h"
#include "val_sample.h"

struct hsa_buf;

/* val_base(list, base, s, diag) - a list with the event, its record, or the
 * event as CADF; the caller releases it. */
HSA_MUST_USE hsa_rc val_base(json_t **list, enum val_base base,
    const struct val_sample *s, struct hsa_diag *diag);

/* val_base_note(b, s) - what a sample is: what happened, which severity it has
 * and why, what the document says of its status. */
void val_base_note(struct hsa_buf *b, const struct val_sample *s);

#endif
