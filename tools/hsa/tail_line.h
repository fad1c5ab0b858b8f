/*
 * tail_line.h - one record as one line for people.
 */
#ifndef TAIL_LINE_H
#define TAIL_LINE_H
#include <stdbool.h>
#include "hsa_event.h"

struct hsa_buf;

/* tail_line(b, r, unit, colour) - append an event or a special record, without
 * LF. unit: its name, NULL: short unit id. */
void tail_line(struct hsa_buf *b, const struct hsa_record *r, const char *unit,
    bool colour);

#endif
