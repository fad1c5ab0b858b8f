/* Deep copies of events: hsa_event_copy and hsa_data_copy of hsa_event.h. */
#include <stdlib.h>
#include <string.h>

#include "hsa_event.h"

static hsa_rc
list_copy(struct hsa_field *to, const struct hsa_field *from)
{
	hsa_rc rc = HSA_OK;

	if (from->list_len == 0)
		return rc;
	to->list = calloc(from->list_len, sizeof(*to->list));
	if (to->list == NULL)
		return HSA_RC(E_NOMEM);
	for (; to->list_len < from->list_len; to->list_len++)
		HSA_TRY(rc, hsa_strdup_opt(&to->list[to->list_len],
				from->list[to->list_len]));
out:
	return rc;
}

static hsa_rc
field_copy(struct hsa_field *to, const struct hsa_field *from)
{
	hsa_rc rc;

	to->kind = from->kind;
	to->integer = from->integer;
	HSA_TRY(rc, hsa_strdup_opt(&to->name, from->name));
	HSA_TRY(rc, hsa_strdup_opt(&to->text, from->text));
	HSA_TRY(rc, list_copy(to, from));
	if (from->object == NULL)
		goto out;
	to->object = calloc(1, sizeof(*to->object));
	if (to->object == NULL)
		rc = HSA_RC(E_NOMEM);
	else
		rc = hsa_data_copy(to->object, from->object);
out:
	return rc;
}

/* Nested as deep as from is, which its makers bound (HSA_DATA_DEPTH). */
hsa_rc
hsa_data_copy(struct hsa_data *to, const struct hsa_data *from)
{
	struct hsa_data new = {0};
	hsa_rc rc = HSA_OK;

	if (from->len == 0)
		return rc;
	new.field = calloc(from->len, sizeof(*new.field));
	if (new.field == NULL)
		return HSA_RC(E_NOMEM);
	for (; new.len < from->len; new.len++) {
		rc = field_copy(&new.field[new.len], &from->field[new.len]);
		if (!hsa_is_ok(rc)) {
			new.len++; /* what it has already */
			goto out;
		}
	}
	*to = new;
	new = (struct hsa_data){0};
out:
	hsa_data_free(&new);
	return rc;
}

hsa_rc
hsa_event_copy(struct hsa_event *to, const struct hsa_event *from)
{
	struct hsa_event e = {
	    .action = from->action,
	    .event_time_ns = from->event_time_ns,
	    .data_event = from->data_event,
	    .save_service_copy = from->save_service_copy,
	    .reason_code = from->reason_code,
	    .has_request = from->has_request,
	    .has_response = from->has_response,
	};
	hsa_rc rc;

	memcpy(e.id, from->id, sizeof(e.id));
	HSA_TRY(rc, hsa_strdup_opt(&e.action_name, from->action_name));
	HSA_TRY(rc, hsa_strdup_opt(&e.outcome, from->outcome));
	HSA_TRY(rc, hsa_strdup_opt(&e.severity, from->severity));
	HSA_TRY(rc, hsa_strdup_opt(&e.message, from->message));
	HSA_TRY(rc, hsa_strdup_opt(&e.log_source_crn, from->log_source_crn));
	HSA_TRY(rc, hsa_strdup_opt(&e.correlation_id, from->correlation_id));
	HSA_TRY(rc, hsa_strdup_opt(&e.observer_name, from->observer_name));
	HSA_TRY(rc, hsa_initiator_copy(&e.initiator, &from->initiator));
	HSA_TRY(rc, hsa_strdup_opt(&e.target_id, from->target_id));
	HSA_TRY(rc, hsa_strdup_opt(&e.target_name, from->target_name));
	HSA_TRY(rc, hsa_strdup_opt(&e.target_type_uri, from->target_type_uri));
	HSA_TRY(rc, hsa_strdup_opt(&e.reason_type, from->reason_type));
	HSA_TRY(rc, hsa_strdup_opt(&e.reason_failure, from->reason_failure));
	HSA_TRY(rc, hsa_data_copy(&e.request, &from->request));
	HSA_TRY(rc, hsa_data_copy(&e.response, &from->response));
	*to = e;
	e = (struct hsa_event){0};
out:
	hsa_event_free(&e);
	return rc;
}
