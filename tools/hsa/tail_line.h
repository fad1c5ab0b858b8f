/*
 * tail_line.h - one record as one line: for people, as the event of the real
 * service, or as the whole envelope.
 */
#ifndef TAIL_LINE_H
#define TAIL_LINE_H
#include <stdbool.h>
#include "hsa_err.h"
#include "hsa_event.h"

struct hsa_buf;

enum tail_format {
	TAIL_TEXT = 1,
	TAIL_JSON,    /* ibm-at: events only */
	TAIL_ENVELOPE /* every record */
};

/* tail_line(b, r, format, unit, colour) - append r, with LF; nothing when the
 * format has nothing for it. unit: name shown in text, NULL: short unit id. */
void tail_line(struct hsa_buf *b, const struct hsa_record *r,
    enum tail_format format, const char *unit, bool colour);

#endif
