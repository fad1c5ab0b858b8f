/*
 * val_record.h - records of a log as events in JSON, with their envelopes: what
 * hsa_contexts.h and hsa_json.h make of them. Calls of one context differ in
 * three members of fixed length, so their JSON is made once and these are
 * replaced in it: without, a log of calls takes a quarter longer to validate.
 */
#ifndef VAL_RECORD_H
#define VAL_RECORD_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_contexts.h"
#include "hsa_err.h"
#include "val_envelope.h"

#define VAL_FORMS 64 /* of contexts that are in use at a time */

struct val_form {
	uint64_t context; /* sequence; 0: none */
	bool correlated;  /* its calls have a correlationId */
	struct hsa_buf json;
	size_t time, id, correlation; /* where they stand in it */
};

/* For one log, in order. Zeroed: nothing seen. */
struct val_records {
	struct hsa_contexts contexts;
	struct val_form form[VAL_FORMS];
	struct hsa_buf json;
};

/*
 * val_record_next(c, to, json, p, n) - the sealed record that comes next; json:
 * of its event, empty when to->special, valid until the next call. E_NOT_FOUND:
 * a call of an unknown context. val_records_free(c) - repeatable.
 */
HSA_MUST_USE hsa_rc val_record_next(struct val_records *c,
    struct val_envelope *to, struct hsa_slice *json, const void *p, size_t n);
void val_records_free(struct val_records *c);

#endif
