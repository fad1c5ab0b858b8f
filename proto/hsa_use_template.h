/*
 * hsa_use_template.h - the record of one more EP11 call, without building it:
 * of the event of a call nearly all bytes are those of the call before with the
 * same initiator, target and HTTP status, so they are kept, and a record is
 * appended by writing what changes between them. The result is byte for byte
 * that of hsa_event_build and hsa_record_encode (0.1 us instead of 4).
 *
 * A template is made from a record built the long way, normally the first of
 * its kind; whose rules (documented fields, severity, message) it keeps.
 */
#ifndef HSA_USE_TEMPLATE_H
#define HSA_USE_TEMPLATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_event.h"

/* Constant pieces, by the field before which each ends. */
enum hsa_use_piece {
	HSA_USE_TIMES,       /* schema, unit, epoch */
	HSA_USE_SEQUENCE,    /* source */
	HSA_USE_COMMAND_ID,  /* nothing */
	HSA_USE_CODES,       /* ceremony, command */
	HSA_USE_USE,         /* signers */
	HSA_USE_EVENT_TIME,  /* action, outcome */
	HSA_USE_CORRELATION, /* severity, message, flags, log source */
	HSA_USE_REASON,      /* initiator, target, observer */
	HSA_USE_FAILURE,     /* inside the reason: code, type */
	HSA_USE_END,         /* requestData, responseData */
	HSA_USE_PIECES
};

struct hsa_use_template {
	struct hsa_buf bytes;       /* the pieces, back to back */
	size_t end[HSA_USE_PIECES]; /* of each in them */
	bool has_failure, has_correlation;
};

/* What differs from call to call. Nothing is kept. */
struct hsa_use_fill {
	uint64_t wall_ns, mono_ns, source_sequence, event_time_ns;
	bool has_command_id;
	uint8_t command_id[HSA_UUID_LEN];
	uint32_t ep11_rc, ep11_reason;
	const struct hsa_use *use;            /* NULL: no EP11 call */
	uint8_t event_id[HSA_UUID_LEN];       /* fresh: hsa_uuid_many */
	uint8_t correlation_id[HSA_UUID_LEN]; /* if the sample has one */
	const char *reason_failure; /* if the sample has one, else NULL */
};

/*
 * hsa_use_template_init(t, sample) - keep what stays of a record with an event
 * body; its own times, numbers, ids, codes, use and reason for failure do not
 * matter, only whether it has a correlationId and a reason for failure: all
 * that is filled in later has them too, or has not. E_ARG, E_RANGE and
 * E_FORMAT as hsa_record_encode. t is zeroed or freed before.
 */
HSA_MUST_USE hsa_rc hsa_use_template_init(
    struct hsa_use_template *t, const struct hsa_record *sample);
void hsa_use_template_free(struct hsa_use_template *t);

/*
 * hsa_use_template_put(b, t, fill) - append the record without its sequence, as
 * hsa_record_encode does. E_ARG: reason_failure is there and the sample has
 * none, or the other way round; or use has function 0. E_RANGE: above
 * HSA_RECORD_MAX. Any number of threads may use one template.
 */
HSA_MUST_USE hsa_rc hsa_use_template_put(struct hsa_buf *b,
    const struct hsa_use_template *t, const struct hsa_use_fill *fill);

#endif
