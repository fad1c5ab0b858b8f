#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "helper_val.h"
#include "hsa_json.h"

#define BEGIN UINT64_C(1767225600000000000) /* 2026-01-01, ns */
#define TICK UINT64_C(10000000)
#define INSTANCE                                                               \
	"crn:v1:bluemix:public:hs-crypto:us-south:a/0123456789abcdef"          \
	"0123456789abcdef:a81a5e10-8e8b-4d0f-9d0e-6a8d3f0c1b2a:"

const char *
hv_id(uint64_t n)
{
	static char text[8][65];
	static unsigned int at;

	at = (at + 1) % 8;
	(void)snprintf(text[at], sizeof(text[at]),
	    "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64,
	    n * UINT64_C(0x9e3779b97f4a7c15), ~n, n ^ 0x5a5a, n);
	return text[at];
}

static void
names(struct hsa_buf *b, const struct hv_event *e,
    const struct hsa_action_row *row, bool tke)
{
	if (tke)
		hsa_buf_printf(b,
		    "\"target\":{\"id\":\"" INSTANCE
		    "crypto-unit:%u\",\"name\":\"[us-south].[AZ1-CS4].[00]."
		    "[%02u]\",\"typeURI\":\"%s\"},",
		    e->target, e->target, row->type_uri);
	else
		hsa_buf_printf(b,
		    "\"target\":{\"id\":\"" INSTANCE
		    "key:%u\",\"name\":\"key %u\",\"typeURI\":\"%s\"},"
		    "\"correlationId\":\"" HP_CORRELATION "\",",
		    e->target, e->target, row->type_uri);
}

void
hv_event(struct hsa_buf *b, const struct hv_event *e)
{
	const struct hsa_action_row *row = hsa_catalogue_by_code(e->action);
	uint32_t code = e->status == 0 ? 200 : e->status;
	const struct hsa_status_row *st = hsa_status(code);
	bool tke, fails = code >= 400;
	char time[32];

	if (row == NULL || (st == NULL && code != 202))
		abort();
	tke = strcmp(row->family, "tke") == 0;
	hsa_event_time(time, BEGIN + e->time * TICK);
	hsa_buf_printf(b,
	    "{\"action\":\"%s\",\"outcome\":\"%s\",\"eventTime\":\"%s\","
	    "\"severity\":\"%s\",\"message\":\"Hyper Protect Crypto Services: "
	    "do it%s\",\"dataEvent\":%s,\"saveServiceCopy\":true,"
	    "\"logSourceCRN\":\"" INSTANCE ":\",",
	    row->name,
	    fails         ? "failure"
	    : code == 202 ? "pending"
			  : "success",
	    time, hsa_severity(row, code, NULL), fails ? " -failure" : "",
	    row->data_event ? "true" : "false");
	if (e->id != 0)
		hsa_buf_printf(b, "\"id\":\"%" PRIu64 "\",", e->id);
	hsa_buf_str(b,
	    "\"initiator\":{\"id\":\"IBMid-1\",\"name\":\"a@example.com\","
	    "\"typeURI\":\"service/security/account/user\",\"credential\":"
	    "{\"type\":\"token\"},\"host\":{\"address\":\"192.0.2.9\","
	    "\"addressType\":\"IPv4\"}},");
	names(b, e, row, tke);
	hsa_buf_printf(b,
	    "\"observer\":{\"name\":\"ActivityTracker\"},\"reason\":{"
	    "\"reasonCode\":%u,\"reasonType\":\"%s\"%s},\"requestData\":{",
	    code,
	    code == 202   ? "Accepted"
	    : code == 200 ? "OK"
			  : st->phrase,
	    fails ? ",\"reasonForFailure\":\"no\"" : "");
	if (tke)
		hsa_buf_printf(b,
		    "\"location\":\"[us-south].[AZ1-CS4].[00].[%02u]\"%s",
		    e->target, e->request == NULL ? "" : ",");
	hsa_buf_printf(b, "%s}", e->request == NULL ? "" : e->request);
	if (e->response != NULL)
		hsa_buf_printf(b, ",\"responseData\":{%s}", e->response);
	hsa_buf_str(b, "}");
}

static void
take(void *ctx, const struct val_finding *f)
{
	struct hv_found *o = ctx;
	size_t n = strlen(o->text);

	(void)snprintf(o->text + n, sizeof(o->text) - n, "%s %s; ",
	    val_check_row(f->check)->id, f->path);
	o->findings++;
	if (f->message[0] == '\0')
		abort();
}

void
hv_run(struct val_run *v, struct hv_found *f)
{
	*v = (struct val_run){
	    .cfg = {.profile = VAL_IBM_AT, .strict = true, .across = true},
	    .report = {.take = take, .ctx = f},
	};
	/* some actions that keys have are in no row of the severity table */
	v->report.off[VAL_W01] = true;
	*f = (struct hv_found){.findings = 0};
}

void
hv_begin(struct hv *h)
{
	val_run_free(&h->run);
	hv_run(&h->run, &h->found);
	h->time = h->id = 0;
}

void
hv_tell(struct hv *h, enum hsa_action action, unsigned int target,
    uint32_t status, const char *request, const char *response)
{
	struct hv_event e = {action, target, status,
	    h->time += UINT64_C(10) * HV_SECOND, ++h->id, request, response};
	struct hsa_buf b = {0};

	hv_event(&b, &e);
	if (!hsa_is_ok(hsa_buf_rc(&b)) ||
	    !hsa_is_ok(val_run_text(&h->run, b.p, b.len)))
		abort();
	hsa_buf_free(&b);
}
