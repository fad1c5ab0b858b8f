#include <string.h>

#include "hsa_buf.h"
#include "val_cadf.h"
#include "val_sample_cadf.h"

#define UNIT "service/security/keymanager"

static const char *
text(const json_t *of, const char *name)
{
	return json_string_value(json_object_get(of, name));
}

/* 2026-01-15T09:00:00.31+0000 with the colon that CADF wants. */
static void
time_of(struct hsa_buf *b, const json_t *event)
{
	const char *s = text(event, "eventTime");
	size_t n = s == NULL ? 0 : strlen(s);

	if (n < 5)
		return;
	hsa_buf_put(b, s, n - 2);
	hsa_buf_u8(b, ':');
	hsa_buf_str(b, s + n - 2);
}

static json_t *
attachment(const json_t *event)
{
	const json_t *who = json_object_get(event, "initiator");
	json_t *c = json_pack("{s:s, s:O, s:O, s:s, s:s, s:s, s:O, s:O}",
	    "message", text(event, "message"), "dataEvent",
	    json_object_get(event, "dataEvent"), "saveServiceCopy",
	    json_object_get(event, "saveServiceCopy"), "logSourceCRN",
	    text(event, "logSourceCRN"), "credentialType",
	    text(json_object_get(who, "credential"), "type"), "reasonType",
	    text(json_object_get(event, "reason"), "reasonType"), "requestData",
	    json_object_get(event, "requestData"), "responseData",
	    json_object_get(event, "responseData"));

	return json_pack("{s:s, s:s, s:o}", "typeURI", VAL_CADF_HS_EVENT,
	    "name", "event", "content", c);
}

hsa_rc
val_sample_cadf(json_t **to, const json_t *event)
{
	const json_t *who = json_object_get(event, "initiator");
	const json_t *target = json_object_get(event, "target");
	const char *id = text(target, "id");
	const char *unit = id == NULL ? NULL : strrchr(id, ':');
	struct hsa_buf time = {0}, type = {0};
	hsa_rc rc = HSA_RC(E_NOMEM);

	*to = NULL;
	if (unit == NULL)
		return HSA_RC(E_ARG);
	time_of(&time, event);
	hsa_buf_printf(&type, UNIT "/%s", text(target, "typeURI"));
	if (!hsa_is_ok(hsa_buf_rc(&time)) || !hsa_is_ok(hsa_buf_rc(&type)))
		goto out;
	*to = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s,"
			" s:{s:s, s:s, s:s, s:{s:s}},"
			" s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s},"
			" s:{s:s, s:s}, s:[o]}",
	    "typeURI", VAL_CADF_EVENT, "eventType", "activity", "id",
	    text(event, "id"), "eventTime", hsa_buf_cstr(&time), "name",
	    text(event, "action"), "action", "create", "outcome",
	    text(event, "outcome"), "severity", text(event, "severity"),
	    "initiator", "id", text(who, "id"), "typeURI", text(who, "typeURI"),
	    "name", text(who, "name"), "host", "address",
	    text(json_object_get(who, "host"), "address"), "target", "id", id,
	    "typeURI", hsa_buf_cstr(&type), "name", text(target, "name"),
	    "observer", "id", unit + 1, "typeURI", UNIT, "name",
	    "ActivityTracker", "reason", "reasonType", VAL_CADF_HTTP,
	    "reasonCode", "200", "attachments", attachment(event));
	if (*to != NULL)
		rc = HSA_OK;
out:
	hsa_buf_free(&time);
	hsa_buf_free(&type);
	return rc;
}
