/*
 * sink_value.h - a record as the bytes that a sink delivers, and what IBM's
 * event routing says beside an event.
 */
#ifndef SINK_VALUE_H
#define SINK_VALUE_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"
#include "hsa_event.h"
#include "sink_uri.h"

struct hsa_buf;

enum sink_format {
	SINK_IBM_AT = 1, /* the event as the service writes it; events only */
	SINK_ENVELOPE,   /* JSON of the whole record */
	SINK_CADF,       /* render.h; events only */
	SINK_CEF,        /* the same */
	SINK_PROTOBUF,   /* a complete Record: what compact ones stand for */
	SINK_LEAF        /* the stored bytes: what the tree's leaves hash */
};

/* sink_value_format(f, u, formats, diag) - ?format= of u, one of `formats`
 * (separated by blanks; the first is the default). E_ARG. */
HSA_MUST_USE hsa_rc sink_value_format(enum sink_format *f,
    const struct sink_uri *u, const char *formats, struct hsa_diag *diag);

/* sink_value_has(f, r) - false: the format has nothing for such a record. */
bool sink_value_has(enum sink_format f, const struct hsa_record *r);
/* sink_value_put(b, f, r, raw, n) - append it; no LF. */
HSA_MUST_USE hsa_rc sink_value_put(struct hsa_buf *b, enum sink_format f,
    const struct hsa_record *r, const void *raw, size_t n);

/*
 * Account, location and region of a CRN, "crn:v1:cloud:type:service:location:
 * a/account:instance:..."; "" where it has none (audit-landscape 1.10: location
 * is taken from logSourceCRN). The region of a zone is what it lies in.
 */
struct sink_origin {
	char account[128], location[64], region[64];
};
void sink_value_origin(struct sink_origin *o, const char *crn);

#endif
