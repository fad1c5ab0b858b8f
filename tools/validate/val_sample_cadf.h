/*
 * val_sample_cadf.h - a sample event as CADF has it, for the corpus: a second
 * writer of what `hsa export --format cadf-1.0` writes.
 */
#ifndef VAL_SAMPLE_CADF_H
#define VAL_SAMPLE_CADF_H
#include <jansson.h>
#include "hsa_err.h"

/* val_sample_cadf(to, event) - of a Trusted Key Entry event in profile ibm-at.
 * The caller drops *to. */
HSA_MUST_USE hsa_rc val_sample_cadf(json_t **to, const json_t *event);

#endif
