/*
 * val_sample.h - an event of any action of the catalogue, with values that make
 * sense together: what the corpus, `hsa explain` and tests show. The values
 * are synthetic: names of example.com, addresses of RFC 5737, ids that are
 * hashes of what they stand for, so that the same sample is the same bytes.
 */
#ifndef VAL_SAMPLE_H
#define VAL_SAMPLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_catalogue.h"
#include "hsa_err.h"
#include "val_answer.h"

struct hsa_buf;
struct hsa_event;
struct hsa_record;

#define VAL_SAMPLE_ACCOUNT "a/0123456789abcdef0123456789abcdef"
#define VAL_SAMPLE_INSTANCE "a81a5e10-8e8b-4d0f-9d0e-6a8d3f0c1b2a"
/* 2026-01-15T09:00:00Z, in nanoseconds */
#define VAL_SAMPLE_TIME (UINT64_C(1768467600) * 1000000000)

struct val_sample {
	const struct hsa_action_row *row;
	uint32_t status; /* of hsa_status: 2xx, 4xx or 5xx */
	/* what was said of the status; NULL: nothing */
	const struct val_answer_row *answer;
	uint64_t time_ns;
	const char *region; /* "us-south" */
	const char *tag;    /* another one has other ids */
	/* Trusted Key Entry: the crypto unit, from 0 to 99; the administrator
	 * at hand, from 0; a bit for each that is there afterwards; the
	 * thresholds; which master key; what the unit says after a 500. */
	unsigned int unit, admin, admins, threshold, revocation, key;
	uint32_t ep11_rc, ep11_reason;
	/* of its record: number in the log of the unit; the command, which
	 * several units may have had */
	uint64_t sequence;
	unsigned int command;
};

/* val_sample_unit_answers(row, status, rc, reason) - the EP11 codes with which
 * a crypto unit gives an action this status; false, and 0: it never does. */
bool val_sample_unit_answers(const struct hsa_action_row *row, uint32_t status,
    uint32_t *rc, uint32_t *reason);
/* val_sample_init(s, row, status) - with defaults, and a time of its own within
 * the hours after VAL_SAMPLE_TIME. */
void val_sample_init(
    struct val_sample *s, const struct hsa_action_row *row, uint32_t status);
/*
 * val_sample_event(ev, s, diag) - built by hsa_event_build; the caller frees
 * it. val_sample_json(b, s, diag) - its `ibm-at` text in place of what b held.
 */
HSA_MUST_USE hsa_rc val_sample_event(
    struct hsa_event *ev, const struct val_sample *s, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc val_sample_json(
    struct hsa_buf *b, const struct val_sample *s, struct hsa_diag *diag);

/*
 * val_sample_record(r, s, diag) - the record that a unit seals around it; the
 * caller frees it. val_sample_special(r, s, code) - a record without an event,
 * with the number and at the time of s.
 */
HSA_MUST_USE hsa_rc val_sample_record(
    struct hsa_record *r, const struct val_sample *s, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc val_sample_special(struct hsa_record *r,
    const struct val_sample *s, enum hsa_special_code code);

#endif
