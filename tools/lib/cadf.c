/*
 * DMTF DSP0262 1.0.0 (CADF), JSON. What CADF has a member for stands there,
 * in its vocabulary: the action as a node of its action taxonomy, types of
 * resources below the closest node of its resource taxonomy, reason by the
 * registry of HTTP statuses. Everything else of the event and what the log
 * adds is in two attachments. The service's own JSON is not conformant
 * (audit-landscape 1.1 lists where).
 *
 * No credential: CADF demands its token, and a log has none to give.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cadf.h"
#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_event.h"
#include "hsa_json.h"

#define TYPE_EVENT "http://schemas.dmtf.org/cloud/audit/1.0/event"
#define REASON_HTTP                                                            \
	"http://www.iana.org/assignments/http-status-codes/"                   \
	"http-status-codes.xml"
#define CONTENT_EVENT "urn:cryptounit:hs-crypto-event:1"
#define CONTENT_RECORD "urn:cryptounit:record:1"

/* Node of the action taxonomy by the last part of an action's name. */
static const struct {
	const char *verb, *node;
} verbs[] = {
    {"use", "evaluate"}, /* first: most events are one */
    {"create", "create"}, {"createkeystore", "create"},
    {"storenewkey", "create"}, {"add", "create"}, {"read", "read"},
    {"retrieve", "read"}, {"head", "read"}, {"list", "read/list"},
    {"listkeysbyattributes", "read/list"}, {"listkeysbyids", "read/list"},
    {"listkeystoresbyattributes", "read/list"},
    {"listkeystoresbyids", "read/list"}, {"rotate", "update"},
    {"rewrap", "update"}, {"patch", "update"}, {"write", "update"},
    {"set", "update"}, {"update", "update"}, {"updatekey", "update"},
    {"commit", "update"}, {"merge", "update"}, {"setkeyfordeletion", "update"},
    {"unsetkeyfordeletion", "update"}, {"activate", "enable"},
    {"enable", "enable"}, {"disable", "disable"}, {"expire", "disable"},
    {"delete", "delete"}, {"deletekey", "delete"}, {"deletekeystore", "delete"},
    {"purge", "delete"}, {"destroy", "delete"}, {"clear", "delete"},
    {"remove", "delete"}, {"reset", "delete"}, /* everything in the unit is */
    {"revoke", "revoke"}, {"restore", "restore"}, {"wrap", "evaluate"},
    {"unwrap", "evaluate"}, {"ack", "notify"}, {"ack-delete", "notify"},
    {"ack-restore", "notify"}, {"ack-rotate", "notify"},
    {"ack-enable", "notify"}, {"ack-disable", "notify"},
    /* default, request: refused before it was known what was wanted */
};

/* Node of the resource taxonomy by the start of the service's own typeURI. */
static const struct {
	const char *start, *node;
} types[] = {
    {"hs-crypto/ep11", "service/security/keymanager"},
    {"hs-crypto/tke-cryptounit", "service/security/keymanager"},
    {"hs-crypto/secrets", "data/security/key"},
    {"hs-crypto/keystore", "data/security/key"},
    {"hs-crypto/kmip-key", "data/security/key"},
    {"hs-crypto/key-rings", "data/security/group"},
    {"hs-crypto/policies", "data/security/policy"},
    {"hs-crypto/instance-policies", "data/security/policy"},
    {"hs-crypto/import-token", "data/security/credential"},
    {"hs-crypto/mtlscert-", "data/security/credential"},
    {"hs-crypto/registrations", "data/security"},
};

static const char *
action_node(const char *name)
{
	const char *verb = name == NULL ? NULL : strrchr(name, '.');

	for (size_t i = 0; verb != NULL && i < sizeof(verbs) / sizeof(verbs[0]);
	     i++)
		if (strcmp(verbs[i].verb, verb + 1) == 0)
			return verbs[i].node;
	return "unknown";
}

static const char *
type_node(const char *uri)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strncmp(types[i].start, uri, strlen(types[i].start)) == 0)
			return types[i].node;
	return "service/security";
}

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

static void
optional(struct hsa_jw *w, const char *key, const char *s)
{
	if (s != NULL && s[0] != '\0')
		hsa_jw_text(w, key, s);
}

/* An identifier may not be empty. */
static void
put_id(struct hsa_jw *w, const char *id, const char *name)
{
	if (id == NULL || id[0] == '\0')
		id = name;
	hsa_jw_text(w, "id", id == NULL || id[0] == '\0' ? "unknown" : id);
}

static void
put_initiator(struct hsa_jw *w, const struct hsa_initiator *i)
{
	const char *uri = or_empty(i->type_uri);

	hsa_jw_object(w, "initiator");
	put_id(w, i->id, i->name);
	/* the service's types of initiators are rooted in the taxonomy */
	hsa_jw_text(
	    w, "typeURI", strncmp(uri, "service/", 8) == 0 ? uri : "unknown");
	optional(w, "name", i->name);
	if (i->host_address != NULL && i->host_address[0] != '\0') {
		hsa_jw_object(w, "host");
		hsa_jw_text(w, "address", i->host_address);
		optional(w, "agent", i->host_agent);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

static void
put_target(struct hsa_jw *w, const struct hsa_event *ev)
{
	const char *uri = or_empty(ev->target_type_uri);
	char text[256];

	hsa_jw_object(w, "target");
	put_id(w, ev->target_id, ev->target_name);
	(void)snprintf(text, sizeof(text), "%s%s%.128s", type_node(uri),
	    uri[0] == '\0' ? "" : "/", uri);
	hsa_jw_text(w, "typeURI", text);
	optional(w, "name", ev->target_name);
	hsa_jw_end(w);
}

static void
put_event_rest(struct hsa_jw *w, const struct hsa_event *ev)
{
	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "typeURI", CONTENT_EVENT);
	hsa_jw_text(w, "name", "event");
	hsa_jw_object(w, "content");
	hsa_jw_text(w, "message", or_empty(ev->message));
	hsa_jw_bool(w, "dataEvent", ev->data_event);
	hsa_jw_bool(w, "saveServiceCopy", ev->save_service_copy);
	hsa_jw_text(w, "logSourceCRN", or_empty(ev->log_source_crn));
	optional(w, "correlationId", ev->correlation_id);
	optional(w, "credentialType", ev->initiator.credential_type);
	optional(w, "addressType", ev->initiator.host_address_type);
	optional(w, "reasonType", ev->reason_type);
	optional(w, "reasonForFailure", ev->reason_failure);
	if (ev->has_request)
		hsa_jw_data(w, "requestData", &ev->request);
	if (ev->has_response)
		hsa_jw_data(w, "responseData", &ev->response);
	hsa_jw_end(w);
	hsa_jw_end(w);
}

static void
put_record_rest(struct hsa_jw *w, const struct hsa_record *r)
{
	char uuid[HSA_UUID_TEXT];

	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "typeURI", CONTENT_RECORD);
	hsa_jw_text(w, "name", "record");
	hsa_jw_object(w, "content");
	hsa_jw_uint(w, "sequence", r->sequence);
	hsa_jw_uint(w, "epoch", r->epoch);
	hsa_uuid_text(uuid, r->command_id);
	if (r->has_command_id)
		hsa_jw_text(w, "commandId", uuid);
	optional(w, "ceremonyId", r->ceremony_id);
	optional(w, "ceremonyStep", r->ceremony_step);
	if (r->ep11_rc != 0)
		hsa_jw_uint(w, "ep11Rc", r->ep11_rc);
	if (r->ep11_reason != 0)
		hsa_jw_uint(w, "ep11Reason", r->ep11_reason);
	if (r->has_use)
		hsa_jw_use(w, "use", &r->use);
	hsa_jw_end(w);
	hsa_jw_end(w);
}

/* "2025-11-22T10:42:07.319876+00:00": CADF knows no Z. */
static void
put_time(struct hsa_jw *w, uint64_t ns)
{
	char text[48];

	hsa_time_rfc3339(text, ns);
	/* of the fraction's nine digits six */
	(void)snprintf(text + 26, sizeof(text) - 26, "+00:00");
	hsa_jw_text(w, "eventTime", text);
}

void
cadf_put(struct hsa_buf *b, const struct hsa_record *r)
{
	const struct hsa_event *ev = &r->event;
	struct hsa_jw w = {.b = b};
	char text[HSA_UUID_TEXT];

	hsa_jw_object(&w, NULL);
	hsa_jw_text(&w, "typeURI", TYPE_EVENT);
	hsa_jw_text(&w, "eventType", "activity");
	hsa_uuid_text(text, ev->id);
	hsa_jw_text(&w, "id", text);
	put_time(&w, ev->event_time_ns);
	hsa_jw_text(&w, "name", or_empty(ev->action_name));
	hsa_jw_text(&w, "action", action_node(ev->action_name));
	hsa_jw_text(&w, "outcome", or_empty(ev->outcome));
	optional(&w, "severity", ev->severity);
	put_initiator(&w, &ev->initiator);
	put_target(&w, ev);
	/* who saw it and wrote it down: the unit */
	hsa_jw_object(&w, "observer");
	hsa_uuid_text(text, r->unit_id);
	hsa_jw_text(&w, "id", text);
	hsa_jw_text(&w, "typeURI", "service/security/keymanager");
	optional(&w, "name", ev->observer_name);
	hsa_jw_end(&w);
	hsa_jw_object(&w, "reason");
	hsa_jw_text(&w, "reasonType", REASON_HTTP);
	(void)snprintf(text, sizeof(text), "%" PRIu32, ev->reason_code);
	hsa_jw_text(&w, "reasonCode", text);
	hsa_jw_end(&w);
	hsa_jw_array(&w, "attachments");
	put_event_rest(&w, ev);
	put_record_rest(&w, r);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
}
