/* Records, and what a crypto unit answers: the return code goes with the
 * status of the event. */
#include <string.h>

#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_ks.h"
#include "val_sample_impl.h"

#define USE_KEY_HANDLE_INVALID 0x60
#define USE_KEY_FUNCTION_NOT_PERMITTED 0x68
#define USE_PIN_INCORRECT 0xa0
#define USE_DEVICE_ERROR 0x30
#define CKM_ECDSA 0x1041

static const struct answer {
	const char *family;
	uint32_t status, rc, reason;
} answers[] = {
    {"tke", 200, 0, 0},
    {"tke", 400, HSA_EP11_ARGUMENTS_BAD, 0},
    {"tke", 401, 0, 0}, /* these two before the unit is asked */
    {"tke", 403, 0, 0},
    {"tke", 500, HSA_EP11_TEMPLATE_INCOMPLETE, HSA_REASON_TOO_FEW_SIGNATURES},
    {"keystore", 200, HSA_KS_OK, 0},
    {"keystore", 400, HSA_KS_ARGUMENTS_BAD, 0},
    {"keystore", 401, HSA_KS_NOT_AUTHENTICATED, 0},
    {"keystore", 404, HSA_KS_MISSING, 0},
    {"keystore", 409, HSA_KS_CONFLICT, 0},
    {"keystore", 500, HSA_KS_DATABASE, 0},
    {"keystore", 503, HSA_KS_DEVICE_ERROR, 0},
    {"ep11", 200, 0, 0},
    {"ep11", 400, USE_KEY_HANDLE_INVALID, 0},
    {"ep11", 401, USE_PIN_INCORRECT, 0},
    {"ep11", 403, USE_KEY_FUNCTION_NOT_PERMITTED, 0},
    {"ep11", 500, USE_DEVICE_ERROR, 0},
};

bool
val_sample_unit_answers(const struct hsa_action_row *row, uint32_t status,
    uint32_t *rc, uint32_t *reason)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(answers[i].family, row->family) == 0 &&
		    answers[i].status == status) {
			*rc = answers[i].rc;
			*reason = answers[i].reason;
			return true;
		}
	*rc = *reason = 0;
	return false;
}

bool
val_sample_unit_reason(struct hsa_buf *b, const struct val_sample *s)
{
	const struct hsa_ks_rv_row *ks = hsa_ks_rv(s->ep11_rc);

	if (s->ep11_rc == 0 || !val_sample_of_unit(s->row))
		return false;
	if (strcmp(s->row->family, "tke") == 0)
		hsa_ep11_text(b, s->ep11_rc, s->ep11_reason);
	else if (strcmp(s->row->family, "ep11") == 0)
		hsa_ep11_use_text(b, "SignSingle", s->ep11_rc, s->ep11_reason);
	else if (ks != NULL)
		hsa_buf_printf(b, "%s (%s)", ks->text, ks->name);
	return b->len > 0;
}

/* ---- the record ---------------------------------------------------------- */

static hsa_rc
around(struct hsa_record *r, const struct val_sample *s)
{
	*r = (struct hsa_record){
	    .sequence = s->sequence,
	    .epoch = 1,
	    .wall_ns = s->time_ns + 1234567,
	    .mono_ns = s->time_ns - VAL_SAMPLE_TIME + 5000000000,
	    .source_sequence = s->sequence,
	};
	return val_sample_uuid(r->unit_id, NULL, "unit", s->unit);
}

static hsa_rc
used(struct hsa_record *r, const struct val_sample *s)
{
	r->source = HSA_SOURCE_USE;
	r->has_use = true;
	r->use = (struct hsa_use){
	    .function = HSA_FN_SIGN_SINGLE,
	    .mechanism = CKM_ECDSA,
	    .has_key_id = true,
	    .bytes_in = 32,
	    .bytes_out = s->status == 200 ? 64 : 0,
	    .duration_ns = 81000,
	};
	return val_sample_hash(r->use.key_id, NULL, "key", s->key);
}

hsa_rc
val_sample_record(
    struct hsa_record *r, const struct val_sample *s, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, around(r, s));
	r->source = HSA_SOURCE_OUTBOX;
	if (s->row->code == HSA_ACTION_EP11_USE)
		HSA_TRY(rc, used(r, s));
	r->has_command_id = true;
	if (s->status >= 300) {
		r->ep11_rc = s->ep11_rc;
		r->ep11_reason = s->ep11_reason;
	}
	HSA_TRY(
	    rc, val_sample_uuid(r->command_id, NULL, "command", s->command));
	r->body = HSA_BODY_EVENT;
	HSA_TRY(rc, val_sample_event(&r->event, s, diag));
	return rc;
out:
	hsa_record_free(r);
	return rc;
}

hsa_rc
val_sample_special(struct hsa_record *r, const struct val_sample *s,
    enum hsa_special_code code)
{
	const struct hsa_special_row *row = hsa_special(code);
	hsa_rc rc;

	HSA_TRY(rc, around(r, s));
	r->source = HSA_SOURCE_SEALER;
	r->source_sequence = s->sequence + 1; /* no other of its source */
	r->body = HSA_BODY_SPECIAL;
	r->special.category = row->category;
	r->special.specific = row->specific;
	HSA_TRY(rc, hsa_strdup_opt(&r->special.name, row->name));
	HSA_TRY(rc, hsa_strdup_opt(&r->special.text, row->text));
	return rc;
out:
	hsa_record_free(r);
	return rc;
}
