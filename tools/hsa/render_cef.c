/*
 * ArcSight Common Event Format, version 0: seven fields of a header between
 * bars, then key=value, keys from its dictionary. In the header, bar and
 * backslash are escaped; in values, backslash, equals sign, CR and LF. Lengths
 * that the dictionary gives are not cut to: nothing is lost here.
 *
 * A value of severity: 0 to 3 low, to 6 medium, to 8 high, to 10 very high.
 * What the dictionary has no key for has a custom one with its label; data of
 * request and response are JSON in cs6.
 */
#include <inttypes.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_event.h"
#include "hsa_json.h"
#include "render.h"

static const struct {
	const char *severity, *value;
} severities[] = {
    {"normal", "3"},
    {"warning", "6"},
    {"critical", "9"},
};

static const char *
severity_of(const struct hsa_event *ev)
{
	for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++)
		if (ev->severity != NULL &&
		    strcmp(ev->severity, severities[i].severity) == 0)
			return severities[i].value;
	return "Unknown";
}

/* A field of the header is one line; it has no escape for the end of one. */
static void
head(struct hsa_buf *b, const char *s)
{
	for (; s != NULL && *s != '\0'; s++) {
		if (*s == '|' || *s == '\\')
			hsa_buf_u8(b, '\\');
		hsa_buf_u8(b, *s == '\n' || *s == '\r' ? ' ' : (uint8_t)*s);
	}
	hsa_buf_u8(b, '|');
}

static void
value(struct hsa_buf *b, const char *s)
{
	size_t run;

	for (;;) {
		run = strcspn(s, "\\=\r\n");
		hsa_buf_put(b, s, run);
		s += run;
		if (*s == '\0')
			break;
		hsa_buf_u8(b, '\\');
		hsa_buf_u8(b, (uint8_t)(*s == '\r'   ? 'r'
					: *s == '\n' ? 'n'
						     : *s));
		s++;
	}
}

static void
name(struct hsa_buf *b, const char *key)
{
	hsa_buf_u8(b, ' ');
	hsa_buf_str(b, key);
	hsa_buf_u8(b, '=');
}

static void
ext(struct hsa_buf *b, const char *key, const char *s)
{
	if (s == NULL || s[0] == '\0')
		return;
	name(b, key);
	value(b, s);
}

static void
number(struct hsa_buf *b, const char *key, uint64_t v)
{
	name(b, key);
	hsa_buf_uint(b, v);
}

static void
put_label(struct hsa_buf *b, const char *key, const char *label)
{
	hsa_buf_u8(b, ' ');
	hsa_buf_str(b, key);
	hsa_buf_str(b, "Label=");
	hsa_buf_str(b, label);
}

/* A key of the customer's, with what it means beside it. */
static void
custom(struct hsa_buf *b, const char *key, const char *label, const char *s)
{
	if (s == NULL || s[0] == '\0')
		return;
	ext(b, key, s);
	put_label(b, key, label);
}

static void
custom_number(struct hsa_buf *b, const char *key, const char *label, uint64_t v)
{
	number(b, key, v);
	put_label(b, key, label);
}

static void
put_who(struct hsa_buf *b, const struct hsa_initiator *i)
{
	const char *address = i->host_address;
	struct in6_addr v6;
	struct in_addr v4;

	ext(b, "suid", i->id);
	ext(b, "suser", i->name);
	if (address != NULL && inet_pton(AF_INET, address, &v4) == 1)
		ext(b, "src", address);
	else if (address != NULL && inet_pton(AF_INET6, address, &v6) == 1)
		custom(b, "c6a2", "sourceIPv6Address", address);
	else
		ext(b, "shost", address);
	ext(b, "requestClientApplication", i->host_agent);
}

static void
put_use(struct hsa_buf *b, const struct hsa_use *u)
{
	const char *fn = hsa_fn_text((enum hsa_fn)u->function);
	const char *mech = hsa_mech_text(u->mechanism);
	char text[24];

	custom(b, "flexString1", "function", fn);
	(void)snprintf(text, sizeof(text), "0x%" PRIx64, u->mechanism);
	if (hsa_use_has_mech(u))
		custom(
		    b, "flexString2", "mechanism", mech != NULL ? mech : text);
	number(b, "in", u->bytes_in);
	number(b, "out", u->bytes_out);
}

static void
put_data(struct hsa_buf *b, const struct hsa_event *ev)
{
	struct hsa_buf json = {0};
	struct hsa_jw w = {.b = &json};

	if (!ev->has_request && !ev->has_response)
		return;
	hsa_jw_object(&w, NULL);
	if (ev->has_request)
		hsa_jw_data(&w, "requestData", &ev->request);
	if (ev->has_response)
		hsa_jw_data(&w, "responseData", &ev->response);
	hsa_jw_end(&w);
	if (!hsa_is_ok(hsa_buf_rc(&json)))
		b->failed = true;
	else
		custom(b, "cs6", "data", hsa_buf_cstr(&json));
	hsa_buf_free(&json);
}

void
render_cef(struct hsa_buf *b, const struct render_in *in)
{
	const struct hsa_record *r = in->r;
	const struct hsa_event *ev = &r->event;
	const struct hsa_action_row *row = hsa_catalogue_by_code(ev->action);
	char uuid[HSA_UUID_TEXT];

	hsa_buf_str(b, "CEF:0|cryptounit|crypto unit|" HSA_VERSION "|");
	head(b, ev->action_name);
	head(b, row != NULL ? row->description : ev->action_name);
	hsa_buf_str(b, severity_of(ev));
	hsa_buf_str(b, "|rt=");
	hsa_buf_uint(b, ev->event_time_ns / 1000000);
	hsa_uuid_text(uuid, ev->id);
	ext(b, "externalId", uuid);
	hsa_uuid_text(uuid, r->unit_id);
	ext(b, "deviceExternalId", uuid);
	ext(b, "act", ev->action_name);
	ext(b, "cat", ev->data_event ? "data" : "management");
	ext(b, "outcome", ev->outcome);
	ext(b, "reason", ev->reason_failure);
	ext(b, "msg", ev->message);
	put_who(b, &ev->initiator);
	custom(b, "cs1", "targetId", ev->target_id);
	custom(b, "cs2", "targetName", ev->target_name);
	custom(b, "cs3", "targetType", ev->target_type_uri);
	custom(b, "cs4", "logSourceCRN", ev->log_source_crn);
	custom(b, "cs5", "correlationId", ev->correlation_id);
	put_data(b, ev);
	custom_number(b, "cn1", "sequence", r->sequence);
	custom_number(b, "cn2", "epoch", r->epoch);
	custom_number(b, "cn3", "reasonCode", ev->reason_code);
	if (r->has_use)
		put_use(b, &r->use);
}
