#include "hsa_buf.h"
#include "hsa_event.h"
#include "hsa_json.h"
#include "val_sample.h"
#include "val_story.h"

#define ADMIN(n) (1u << (n))

/* One command; each goes to both units, one after the other. */
static const struct step {
	enum hsa_action action;
	uint32_t status;
	unsigned int admin, admins, threshold, key;
	uint32_t rc, reason;
} steps[] = {
    {HSA_ACTION_TKE_ADMIN_ADD, 200, 0, ADMIN(0), 0, 0, 0, 0},
    {HSA_ACTION_TKE_ADMIN_ADD, 200, 1, ADMIN(0) | ADMIN(1), 0, 0, 0, 0},
    {HSA_ACTION_TKE_ADMIN_ADD, 500, 1, 0, 0, 0, HSA_EP11_USER_ALREADY_LOGGED_IN,
	HSA_REASON_SKI_PRESENT},
    {HSA_ACTION_TKE_ADMIN_ADD, 200, 2, ADMIN(0) | ADMIN(1) | ADMIN(2), 0, 0, 0,
	0},
    {HSA_ACTION_TKE_THRESHOLD_SET, 200, 0, 0, 2, 0, 0, 0},
    {HSA_ACTION_TKE_REGISTER_ADD, 200, 0, 0, 0, 1, 0, 0},
    {HSA_ACTION_TKE_REGISTER_COMMIT, 500, 0, 0, 0, 1,
	HSA_EP11_TEMPLATE_INCOMPLETE, HSA_REASON_TOO_FEW_SIGNATURES},
    {HSA_ACTION_TKE_REGISTER_COMMIT, 200, 0, 0, 0, 1, 0, 0},
    {HSA_ACTION_TKE_REGISTER_ACTIVATE, 200, 0, 0, 0, 1, 0, 0},
    {HSA_ACTION_TKE_ADMIN_REMOVE, 200, 2, ADMIN(0) | ADMIN(1), 0, 0, 0, 0},
    {HSA_ACTION_TKE_REGISTER_ADD, 200, 0, 0, 0, 2, 0, 0},
    {HSA_ACTION_TKE_NEW_CLEAR, 200, 0, 0, 0, 0, 0, 0},
    {HSA_ACTION_TKE_REGISTER_ADD, 200, 0, 0, 0, 3, 0, 0},
    {HSA_ACTION_TKE_REGISTER_COMMIT, 200, 0, 0, 0, 3, 0, 0},
    {HSA_ACTION_TKE_REGISTER_ACTIVATE, 200, 0, 0, 0, 3, 0, 0},
    {HSA_ACTION_TKE_CURRENT_CLEAR, 200, 0, 0, 0, 0, 0, 0},
    {HSA_ACTION_TKE_RESET, 200, 0, 0, 0, 0, 0, 0},
};

static hsa_rc
append(json_t *list, struct hsa_buf *b)
{
	json_t *j = json_loads(hsa_buf_cstr(b), 0, NULL);

	hsa_buf_reset(b);
	return j == NULL || json_array_append_new(list, j) != 0
	    ? HSA_RC(E_NOMEM)
		   : HSA_OK;
}

static hsa_rc
event(json_t *list, const struct val_sample *s, bool log, struct hsa_diag *diag)
{
	struct hsa_record r = {.sequence = 0};
	struct hsa_buf b = {0};
	hsa_rc rc;

	if (log) {
		HSA_TRY(rc, val_sample_record(&r, s, diag));
		hsa_record_json(&b, &r);
	} else {
		HSA_TRY(rc, val_sample_json(&b, s, diag));
	}
	HSA_TRY(rc, append(list, &b));
out:
	hsa_record_free(&r);
	hsa_buf_free(&b);
	return rc;
}

static hsa_rc
start(json_t *list, unsigned int unit)
{
	struct hsa_record r = {.sequence = 0};
	struct hsa_buf b = {0};
	struct val_sample s;
	hsa_rc rc;

	val_sample_init(&s, hsa_catalogue_by_code(steps[0].action), 200);
	s.unit = unit;
	s.time_ns = VAL_SAMPLE_TIME;
	s.sequence = 0;
	HSA_TRY(rc, val_sample_special(&r, &s, HSA_SPECIAL_UNIT_START));
	hsa_record_json(&b, &r);
	HSA_TRY(rc, append(list, &b));
out:
	hsa_record_free(&r);
	hsa_buf_free(&b);
	return rc;
}

static void
at_step(struct val_sample *s, unsigned int number, unsigned int unit)
{
	const struct step *t = &steps[number];

	val_sample_init(s, hsa_catalogue_by_code(t->action), t->status);
	s->unit = unit;
	s->admin = t->admin;
	s->admins = t->admins;
	s->threshold = s->revocation = t->threshold;
	s->key = t->key;
	s->ep11_rc = t->rc;
	s->ep11_reason = t->reason;
	s->sequence = number + 1;
	s->command = number;
	s->time_ns = VAL_SAMPLE_TIME + ((uint64_t)number + 1) * 60000000000 +
		     (uint64_t)unit * 250000000;
}

hsa_rc
val_story(json_t **list, bool log, struct hsa_diag *diag)
{
	json_t *to = json_array();
	struct val_sample s;
	unsigned int i, unit;
	hsa_rc rc = HSA_OK;

	for (unit = 1; log && unit <= VAL_STORY_UNITS; unit++)
		HSA_TRY(rc, start(to, unit));
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		for (unit = 1; unit <= VAL_STORY_UNITS; unit++) {
			at_step(&s, i, unit);
			HSA_TRY(rc, event(to, &s, log, diag));
		}
	*list = to;
	return rc;
out:
	json_decref(to);
	return rc;
}

/* ---- a key --------------------------------------------------------------- */

static const struct {
	enum hsa_action action;
	int state; /* keyState, where it is not that of the sample */
} life[] = {
    {HSA_ACTION_SECRETS_CREATE, -1},
    {HSA_ACTION_SECRETS_WRAP, -1},
    {HSA_ACTION_SECRETS_DISABLE, -1},
    {HSA_ACTION_SECRETS_METADATA_READ, 2},
    {HSA_ACTION_SECRETS_ENABLE, -1},
    {HSA_ACTION_SECRETS_SETKEYFORDELETION, -1},
    {HSA_ACTION_SECRETS_UNSETKEYFORDELETION, -1},
    {HSA_ACTION_SECRETS_DELETE, -1},
    {HSA_ACTION_SECRETS_RESTORE, -1},
    {HSA_ACTION_SECRETS_UNWRAP, -1},
    {HSA_ACTION_SECRETS_DELETE, -1},
};

/* The samples of each action are of keys of their own: here it is one. */
static bool
same_key(json_t *to, json_t *first, int state)
{
	json_t *id = json_object_get(json_object_get(first, "target"), "id");
	json_t *response = json_object_get(to, "responseData");

	return json_object_set(json_object_get(to, "target"), "id", id) == 0 &&
	       (state < 0 || json_object_set_new(response, "keyState",
				 json_integer(state)) == 0);
}

hsa_rc
val_story_key(json_t **list, struct hsa_diag *diag)
{
	json_t *to = json_array();
	struct val_sample s;
	size_t i;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < sizeof(life) / sizeof(life[0]); i++) {
		val_sample_init(&s, hsa_catalogue_by_code(life[i].action), 200);
		s.time_ns = VAL_SAMPLE_TIME + (i + 1) * 60000000000;
		HSA_TRY(rc, event(to, &s, false, diag));
		if (!same_key(json_array_get(to, i), json_array_get(to, 0),
			life[i].state)) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
	}
	*list = to;
	return rc;
out:
	json_decref(to);
	return rc;
}
