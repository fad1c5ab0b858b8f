/*
 * sink_syslog_line.h - a record as an RFC 5424 message in an RFC 6587 frame
 * with its length in front (octet counting; RFC 5425 knows no other).
 *
 * HEADER: facility as asked for; severity by the event's (critical 2, warning
 * 4, normal 6; a special 5, a refusal among them 4); the time of the record to
 * the microsecond; HOSTNAME of the collector; APP-NAME "cryptounit"; PROCID the
 * unit's id; MSGID the action without its service, or the special's name.
 * STRUCTURED-DATA: one element with unit, sequence, epoch, and of an event
 * action, outcome and id. MSG: the JSON, without a byte order mark, which RFC
 * 8259 forbids.
 */
#ifndef SINK_SYSLOG_LINE_H
#define SINK_SYSLOG_LINE_H
#include <stddef.h>
#include "hsa_err.h"
#include "hsa_event.h"
#include "sink_value.h"

struct hsa_buf;

struct sink_syslog_style {
	enum sink_format format;
	unsigned int facility; /* 0 to 23 */
	const char *host;      /* at most 255 printable characters */
	const char *sd_id;     /* NAME@NUMBER, at most 32 */
};

/* sink_syslog_line(b, r, s) - append the frame. */
HSA_MUST_USE hsa_rc sink_syslog_line(struct hsa_buf *b,
    const struct hsa_record *r, const struct sink_syslog_style *s);

#endif
