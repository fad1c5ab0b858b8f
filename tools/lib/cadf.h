/*
 * cadf.h - an event as DMTF DSP0262 1.0.0 (CADF) has it: what hsa exports as
 * cadf-1.0, and what the corpus shows.
 */
#ifndef CADF_H
#define CADF_H

struct hsa_buf;
struct hsa_record;

/* cadf_put(b, r) - append r, which has an event, as JSON; no LF. */
void cadf_put(struct hsa_buf *b, const struct hsa_record *r);

#endif
