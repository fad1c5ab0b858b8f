/*
 * IBM's Key Usage Reporter (KUR 1.0.0, 2026; its page in the Key Protect
 * documentation): `process-at` reads a TSV with the event's JSON in column
 * `text`, and writes a CSV of sixteen columns.
 *
 * TSV: of its input only `text` is documented; the others here are what Cloud
 * Logs says beside an event (audit-landscape 1.10). As IANA has it
 * (text/tab-separated-values): no quotes, and no cell holds TAB, LF or CR,
 * which JSON writes as escapes; elsewhere a blank stands for them.
 *
 * CSV: RFC 4180, but lines end with LF. A cell that begins with what a
 * spreadsheet takes for a formula, or with an apostrophe, has an apostrophe
 * put before it: to read it back exactly, take away one at the front.
 */
#include <stdio.h>
#include <string.h>

#include "crn.h"
#include "hsa_buf.h"
#include "hsa_event.h"
#include "hsa_json.h"
#include "render.h"

/* ---- TSV ----------------------------------------------------------------- */

void
render_kur_tsv_head(struct hsa_buf *b)
{
	hsa_buf_str(b, "timestamp\tseverity\tapplicationName\tsubsystemName\t"
		       "text\n");
}

static void
tsv_cell(struct hsa_buf *b, struct hsa_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		hsa_buf_u8(b, s.p[i] < 0x20 ? ' ' : s.p[i]);
	hsa_buf_u8(b, '\t');
}

static struct hsa_slice
slice(const char *s)
{
	return (struct hsa_slice){
	    (const uint8_t *)s, s == NULL ? 0 : strlen(s)};
}

void
render_kur_tsv(struct hsa_buf *b, const struct render_in *in)
{
	const struct hsa_event *ev = &in->r->event;
	char time[40];

	hsa_time_rfc3339(time, ev->event_time_ns);
	tsv_cell(b, slice(time));
	tsv_cell(b, slice(ev->severity));
	tsv_cell(b, slice("ibm-audit-event"));
	hsa_buf_str(b, "hs-crypto:");
	tsv_cell(b, crn_part(ev->log_source_crn, CRN_INSTANCE));
	hsa_event_json(b, ev);
}

/* ---- CSV ----------------------------------------------------------------- */

void
render_kur_csv_head(struct hsa_buf *b)
{
	hsa_buf_str(b, "serviceName,region,accountId,instanceId,keyId,action,"
		       "outcome,reasonType,reasonCode,initiatorId,"
		       "initiatorName,authId,requestInstanceId,eventTime,"
		       "correlationId,agent\n");
}

static bool
formula(uint8_t c)
{
	return c != 0 && strchr("=+-@\t\r\n'", c) != NULL;
}

static void
csv_cell(struct hsa_buf *b, struct hsa_slice s)
{
	bool guard = s.n != 0 && formula(s.p[0]), quote = false;

	for (size_t i = 0; i < s.n && !quote; i++)
		quote = s.p[i] != 0 && strchr(",\"\r\n", s.p[i]) != NULL;
	/* some readers take off blanks around a cell */
	quote = quote || (s.n != 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' '));
	if (quote)
		hsa_buf_u8(b, '"');
	if (guard)
		hsa_buf_u8(b, '\'');
	if (!quote)
		hsa_buf_put(b, s.p, s.n);
	for (size_t i = 0; quote && i < s.n; i++) {
		if (s.p[i] == '"')
			hsa_buf_u8(b, '"');
		hsa_buf_u8(b, s.p[i]);
	}
	if (quote)
		hsa_buf_u8(b, '"');
}

static void
cell(struct hsa_buf *b, struct hsa_slice s)
{
	csv_cell(b, s);
	hsa_buf_u8(b, ',');
}

static struct hsa_slice
member(bool has, const struct hsa_data *d, const char *name)
{
	const struct hsa_field *f = has ? hsa_data_find(d, name) : NULL;

	return slice(f != NULL && f->kind == HSA_VALUE_TEXT ? f->text : NULL);
}

/* The key that was acted on: what the target's CRN names, else what request
 * or response name. */
static struct hsa_slice
key_of(const struct hsa_event *ev)
{
	struct hsa_slice type = crn_part(ev->target_id, CRN_TYPE), s;

	if (type.n == 3 && memcmp(type.p, "key", 3) == 0)
		return crn_part(ev->target_id, CRN_RESOURCE);
	s = member(ev->has_request, &ev->request, "keyId");
	if (s.n == 0)
		s = member(ev->has_response, &ev->response, "keyId");
	return s;
}

void
render_kur_csv(struct hsa_buf *b, const struct render_in *in)
{
	const struct hsa_event *ev = &in->r->event;
	const char *crn = ev->log_source_crn;
	char text[32];

	cell(b, crn_part(crn, CRN_SERVICE));
	cell(b, crn_region(crn));
	cell(b, crn_account(crn));
	cell(b, crn_part(crn, CRN_INSTANCE));
	cell(b, key_of(ev));
	cell(b, slice(ev->action_name));
	cell(b, slice(ev->outcome));
	cell(b, slice(ev->reason_type));
	(void)snprintf(text, sizeof(text), "%u", (unsigned int)ev->reason_code);
	cell(b, slice(text));
	cell(b, slice(ev->initiator.id));
	cell(b, slice(ev->initiator.name));
	cell(b, slice(NULL)); /* authnId: no event here has one */
	cell(b, member(ev->has_request, &ev->request, "instanceID"));
	hsa_event_time(text, ev->event_time_ns);
	cell(b, slice(text));
	cell(b, slice(ev->correlation_id));
	csv_cell(b, slice(ev->initiator.host_agent));
}
