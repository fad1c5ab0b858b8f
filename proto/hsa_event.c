#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_event.h"
#include "hsa_event_check.h"

hsa_rc
hsa_strdup_opt(char **to, const char *s)
{
	char *copy = NULL;

	if (s != NULL) {
		copy = strdup(s);
		if (copy == NULL)
			return HSA_RC(E_NOMEM);
	}
	*to = copy;
	return HSA_OK;
}

hsa_rc
hsa_initiator_copy(struct hsa_initiator *to, const struct hsa_initiator *from)
{
	struct hsa_initiator i = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_strdup_opt(&i.id, from->id));
	HSA_TRY(rc, hsa_strdup_opt(&i.name, from->name));
	HSA_TRY(rc, hsa_strdup_opt(&i.type_uri, from->type_uri));
	HSA_TRY(rc, hsa_strdup_opt(&i.credential_type, from->credential_type));
	HSA_TRY(rc, hsa_strdup_opt(&i.host_address, from->host_address));
	HSA_TRY(
	    rc, hsa_strdup_opt(&i.host_address_type, from->host_address_type));
	HSA_TRY(rc, hsa_strdup_opt(&i.host_agent, from->host_agent));
	*to = i;
	i = (struct hsa_initiator){0};
out:
	hsa_initiator_free(&i);
	return rc;
}

void
hsa_initiator_free(struct hsa_initiator *i)
{
	if (i == NULL)
		return;
	free(i->id);
	free(i->name);
	free(i->type_uri);
	free(i->credential_type);
	free(i->host_address);
	free(i->host_address_type);
	free(i->host_agent);
	*i = (struct hsa_initiator){0};
}

void
hsa_event_free(struct hsa_event *ev)
{
	if (ev == NULL)
		return;
	free(ev->action_name);
	free(ev->outcome);
	free(ev->severity);
	free(ev->message);
	free(ev->log_source_crn);
	free(ev->correlation_id);
	free(ev->observer_name);
	hsa_initiator_free(&ev->initiator);
	free(ev->target_id);
	free(ev->target_name);
	free(ev->target_type_uri);
	free(ev->reason_type);
	free(ev->reason_failure);
	hsa_data_free(&ev->request);
	hsa_data_free(&ev->response);
	*ev = (struct hsa_event){0};
}

void
hsa_record_free(struct hsa_record *r)
{
	if (r == NULL)
		return;
	free(r->ceremony_id);
	free(r->ceremony_step);
	free(r->signer_id);
	hsa_event_free(&r->event);
	free(r->special.name);
	free(r->special.text);
	hsa_data_free(&r->special.details);
	hsa_initiator_free(&r->special.initiator);
	*r = (struct hsa_record){0};
}

/* ---- building ------------------------------------------------------------ */

/* "Hyper Protect Crypto Services: <verb> <objectType> <target>" (audit
 * landscape 1.6); an action is service.objectType.verb. */
static hsa_rc
message(char **to, const char *action, const char *target, bool failed)
{
	struct hsa_buf b = {0};
	const char *object = strchr(action, '.') + 1;
	const char *verb = strrchr(action, '.') + 1;
	hsa_rc rc;

	hsa_buf_printf(&b, "Hyper Protect Crypto Services: %s %.*s", verb,
	    (int)(verb - object - 1), object);
	if (target[0] != '\0')
		hsa_buf_printf(&b, " %s", target);
	if (failed)
		hsa_buf_str(&b, " -failure");
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, hsa_strdup_opt(to, hsa_buf_cstr(&b)));
out:
	hsa_buf_free(&b);
	return rc;
}

static bool
empty(const char *s)
{
	return s == NULL || s[0] == '\0';
}

static hsa_rc
check_args(const struct hsa_event_args *a, const struct hsa_action_row *row,
    const struct hsa_status_row *status, struct hsa_diag *diag)
{
	const hsa_rc bad = HSA_RC(E_ARG);
	bool success;
	hsa_rc rc;

	if (row == NULL)
		return hsa_fail(diag, bad,
		    "action code 0x%04x is not in the catalogue: use a code of "
		    "event.def",
		    (unsigned int)a->action);
	if (status == NULL)
		return hsa_fail(diag, bad,
		    "HTTP status %u cannot end a request: use a known 2xx, 4xx "
		    "or 5xx",
		    (unsigned int)a->status);
	success = status->code < 300;
	if (success && row->success_is_200 && status->code != 200)
		return hsa_fail(diag, bad,
		    "%s succeeds with status 200 only, not %u", row->name,
		    (unsigned int)a->status);
	if (!success && empty(a->reason_failure))
		return hsa_fail(diag, bad,
		    "%s failed with status %u without a reason: give "
		    "reason_failure",
		    row->name, (unsigned int)a->status);
	if (row->correlation == HSA_CORRELATION_FORBIDDEN &&
	    a->correlation_id != NULL)
		return hsa_fail(diag, bad,
		    "%s has no correlationId: leave it NULL", row->name);
	if (row->correlation == HSA_CORRELATION_REQUIRED &&
	    empty(a->correlation_id))
		return hsa_fail(
		    diag, bad, "%s needs a correlationId: give one", row->name);
	if (empty(a->log_source_crn) || empty(a->target_id) ||
	    a->target_name == NULL || a->initiator == NULL)
		return hsa_fail(diag, bad,
		    "%s needs a log source CRN, a target id and name and an "
		    "initiator: give all four",
		    row->name);
	HSA_TRY(rc, hsa_event_check(a->request, row->request_data,
			"requestData", success, diag));
	HSA_TRY(rc, hsa_event_check(a->response, row->response_data,
			"responseData", success, diag));
	return rc;
out:
	hsa_diag_wrap(diag, "%s", row->name);
	return rc;
}

static void
move(struct hsa_data *to, bool *has, struct hsa_data *from)
{
	if (from == NULL || from->len == 0)
		return;
	*to = *from;
	*has = true;
	*from = (struct hsa_data){0};
}

hsa_rc
hsa_event_build(
    struct hsa_event *ev, struct hsa_event_args *a, struct hsa_diag *diag)
{
	const struct hsa_action_row *row = hsa_catalogue_by_code(a->action);
	const struct hsa_status_row *status = hsa_status(a->status);
	struct hsa_event e = {0};
	bool failed;
	hsa_rc rc;

	HSA_TRY(rc, check_args(a, row, status, diag));
	failed = status->code >= 300;
	e.action = row->code;
	e.event_time_ns = a->time_ns;
	e.data_event = row->data_event;
	e.save_service_copy = true;
	e.reason_code = status->code;
	if (a->id != NULL)
		memcpy(e.id, a->id, sizeof(e.id));
	else
		HSA_TRY(rc, hsa_uuid_new(e.id));
	HSA_TRY(rc, hsa_strdup_opt(&e.action_name, row->name));
	HSA_TRY(rc, hsa_strdup_opt(&e.outcome, failed ? "failure" : "success"));
	HSA_TRY(rc,
	    hsa_strdup_opt(&e.severity, hsa_severity(row, status->code, NULL)));
	HSA_TRY(rc, message(&e.message, row->name, a->target_name, failed));
	HSA_TRY(rc, hsa_strdup_opt(&e.log_source_crn, a->log_source_crn));
	HSA_TRY(rc, hsa_strdup_opt(&e.correlation_id, a->correlation_id));
	HSA_TRY(rc, hsa_strdup_opt(&e.observer_name, "ActivityTracker"));
	HSA_TRY(rc, hsa_initiator_copy(&e.initiator, a->initiator));
	HSA_TRY(rc, hsa_strdup_opt(&e.target_id, a->target_id));
	HSA_TRY(rc, hsa_strdup_opt(&e.target_name, a->target_name));
	HSA_TRY(rc, hsa_strdup_opt(&e.target_type_uri, row->type_uri));
	HSA_TRY(rc, hsa_strdup_opt(&e.reason_type, status->phrase));
	if (failed)
		HSA_TRY(
		    rc, hsa_strdup_opt(&e.reason_failure, a->reason_failure));
	move(&e.request, &e.has_request, a->request);
	move(&e.response, &e.has_response, a->response);
	*ev = e;
	e = (struct hsa_event){0};
out:
	hsa_event_free(&e);
	return rc;
}
