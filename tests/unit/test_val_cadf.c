/* Profile cadf-1.0: what hsa export writes passes, in every action and
 * outcome; what CADF does not allow is found, and what the event itself says
 * wrongly, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cadf.h"
#include "helper_proto.h"
#include "val_run.h"

static struct val_run run;

struct found {
	char text[2048]; /* "E02 path; ..." */
};
static struct found got;

static void
take(void *ctx, const struct val_finding *f)
{
	struct found *o = ctx;
	size_t n = strlen(o->text);

	(void)snprintf(o->text + n, sizeof(o->text) - n, "%s %s; ",
	    val_check_row(f->check)->id, f->path);
}

static void
check(const char *text, bool strict)
{
	got.text[0] = '\0';
	run.cfg.profile = VAL_CADF_1_0;
	run.cfg.strict = strict;
	run.report.take = take;
	run.report.ctx = &got;
	assert_ok(val_run_text(&run, text, strlen(text)));
}

static void
exported(struct hsa_buf *b, enum hsa_action action, uint32_t status)
{
	struct hsa_record r;

	hp_record(&r, action, status);
	if (strcmp(hsa_catalogue_by_code(action)->family, "kmip") == 0)
		r.event.initiator.host_address[0] = '\0'; /* never has one */
	hsa_buf_reset(b);
	cadf_put(b, &r);
	assert_ok(hsa_buf_rc(b));
	hsa_record_free(&r);
}

/* The helper's events make no sense to these rules; the same in ibm-at. */
static bool
of_the_helper(const struct hsa_action_row *row, const char *findings)
{
	char only[64];

	if (strstr(findings, "W01 severity; ") != NULL ||
	    strstr(findings, "W04 name; ") != NULL)
		return true;
	(void)snprintf(only, sizeof(only), "%s",
	    row->code == HSA_ACTION_TKE_ADMIN_ADD ? "E11 "
	    : strcmp(row->family, "kmip") == 0    ? "E42 "
						  : "E23 ");
	return strncmp(findings, only, 4) == 0 &&
	       strstr(findings + 4, "; E") == NULL;
}

static void
test_val_cadf__passes_what_the_export_writes(void **state)
{
	static const uint32_t statuses[] = {
	    200, 400, 401, 403, 404, 409, 500, 503};
	const struct hsa_action_row *row;
	unsigned int events = 0, clean = 0;
	struct hsa_buf b = {0};
	size_t n, i, k;

	(void)state;
	row = hsa_catalogue(&n);
	for (i = 0; i < n; i++)
		for (k = 0; k < sizeof(statuses) / sizeof(statuses[0]); k++) {
			exported(&b, row[i].code, statuses[k]);
			check(hsa_buf_cstr(&b), true);
			events++;
			clean += got.text[0] == '\0';
			if (got.text[0] != '\0' &&
			    !of_the_helper(&row[i], got.text))
				fail_msg("%s\n%s", hsa_buf_cstr(&b), got.text);
			assert_ptr_equal(run.event.row, &row[i]);
			assert_int_equal(run.event.code, statuses[k]);
		}
	print_message("  %u events, %u without any finding\n", events, clean);
	assert_true(clean > 450);
	hsa_buf_free(&b);
}

/* ---- one thing wrong ----------------------------------------------------- */

struct wrong {
	const char *from, *to; /* NULL: append `to` as members of the event */
	const char *want;
};

static void
changed(struct hsa_buf *to, const char *text, const struct wrong *w)
{
	const char *at =
	    w->from == NULL ? text + strlen(text) - 1 : strstr(text, w->from);

	if (at == NULL)
		fail_msg("no %s in %s", w->from, text);
	hsa_buf_reset(to);
	hsa_buf_put(to, text, (size_t)(at - text));
	hsa_buf_str(to, w->to);
	hsa_buf_str(to, at + (w->from == NULL ? 0 : strlen(w->from)));
	assert_ok(hsa_buf_rc(to));
}

#define EVENT_TYPE "\"eventType\":\"activity\""
#define RES "{\"id\":\"x\",\"typeURI\":\"data/file\"}"

static void
test_val_cadf__finds_what_the_standard_does_not_allow(void **state)
{
	static const struct wrong set[] = {
	    {NULL, ",\"requestPath\":\"/\"", "E01 requestPath; "},
	    {"\"host\":{", "\"host\":{\"port\":1,",
		"E01 initiator.host.port; "},
	    {EVENT_TYPE, "\"x\":1", "E01 x; E02 ; "},
	    {EVENT_TYPE, "\"eventType\":1", "E02 eventType; "},
	    {EVENT_TYPE, "\"eventType\":\"action\"", "E40 eventType; "},
	    {EVENT_TYPE, "\"eventType\":\"control\"", ""},
	    {EVENT_TYPE, "\"eventType\":\"monitor\"", "E41 eventType; "},
	    {"audit/1.0/event", "audit/1.1/event", "E40 typeURI; "},
	    {".319876+00:00", ".319876Z", "E04 eventTime; "},
	    {".319876+00:00", ".319876+0000", "E04 eventTime; "},
	    {".319876+00:00", "+02:00", ""},
	    {"\"action\":\"delete\"", "\"action\":\"deleteall\"",
		"E40 action; "},
	    {"\"action\":\"delete\"", "\"action\":\"delete/unit\"", ""},
	    {"\"action\":\"delete\"", "\"action\":\"delete/\"", "E40 action; "},
	    {"\"action\":\"delete\"", "\"action\":\"\"", "E40 action; "},
	    {"\"outcome\":\"success\"", "\"outcome\":\"ok\"",
		"E40 outcome; E25 outcome; "},
	    {"\"severity\":\"critical\",", "", ""}, /* optional */
	    {"\"observer\":{", "\"observerId\":\"o\",\"observer\":{", "E41 ; "},
	    {"\"observer\":{\"id\"", "\"observer\":{\"ref\":\"o\",\"idx\"",
		"E01 observer.idx; E02 observer; "},
	    {"\"typeURI\":\"service/security/keymanager\",\"name\":\"Act",
		"\"typeURI\":\"security\",\"name\":\"Act",
		"E40 observer.typeURI; "},
	    {"\"typeURI\":\"service/security/keymanager\",\"name\":\"Act",
		"\"name\":\"Act", "E02 observer; "},
	    {"\"reasonCode\":\"200\"", "\"reasonCode\":200",
		"E02 reason.reasonCode; "},
	    {"\"reasonType\":\"http:", "\"reasonType\":\"",
		"E40 reason.reasonType; "},
	    {"\"reason\":{", "\"reason\":{\"policyId\":\"p\",", "E41 reason; "},
	    {"\"attachments\":[", "\"attachments\":[7,",
		"E02 attachments[0]; "},
	    {"\"attachments\":[", "\"attachments\":[{\"content\":1},",
		"E02 attachments[0]; "},
	    {NULL, ",\"tags\":[\"a?value=b\",1]", "E02 tags[1]; "},
	    {NULL, ",\"measurements\":[{\"result\":1}]",
		"E41 measurements[0]; "},
	    {NULL,
		",\"measurements\":[{\"result\":\"1\",\"metric\":{\"unit\":"
		"\"GB\"}}]",
		"E02 measurements[0].metric; "},
	    {NULL,
		",\"reporterchain\":[{\"role\":\"relay\",\"reporterId\":\"r\","
		"\"reporterTime\":\"2026-01-01T00:00:00Z\"}]",
		"E04 reporterchain[0].reporterTime; "},
	    {NULL, ",\"reporterchain\":[{\"role\":\"x\",\"reporter\":" RES "}]",
		"E40 reporterchain[0].role; "},
	    {"\"target\":{", "\"target\":{\"credential\":{\"type\":\"t\"},",
		"E02 target.credential; "},
	    {"\"target\":{", "\"target\":{\"geolocation\":{},",
		"E41 target.geolocation; "},
	    {"\"target\":{", "\"target\":{\"addresses\":[{\"url\":2}],",
		"E02 target.addresses[0].url; "},
	    /* what it was before it was exported */
	    {"\"saveServiceCopy\":true", "\"saveServiceCopy\":\"yes\"",
		"E02 attachments[0].content.saveServiceCopy; "},
	    {"\"sequence\":41", "\"sequence\":-1",
		"E02 attachments[1].content.sequence; "},
	    {"\"content\":{\"message\":", "\"content\":7,\"x\":{\"message\":",
		NULL},
	    {"\"name\":\"hs-crypto.tke-cryptounit.reset\"",
		"\"name\":\"hs-crypto.tke.reset\"", "E03 name; "},
	    {"\"severity\":\"critical\"", "\"severity\":\"normal\"",
		"E14 severity; "},
	    {"\"reasonCode\":\"200\"", "\"reasonCode\":\"404\"",
		"E05 reason.reasonCode; "},
	    {"\"reasonCode\":\"200\"", "\"reasonCode\":\"OK\"",
		"E05 reason.reasonCode; "},
	    {"\"reasonType\":\"OK\"", "\"reasonType\":\"Fine\"",
		"E06 reason.reasonType; "},
	    {"hs-crypto/tke-cryptounit\"", "hs-crypto/tke\"",
		"E15 target.typeURI; "},
	    {"\"address\":\"", "\"address\":\"9",
		"E17 initiator.host.address; "},
	    {"\"location\":\"", "\"location\":\"x",
		"E08 attachments[0].content.requestData.location; "},
	};
	struct hsa_buf good = {0}, b = {0};
	unsigned int bad = 0;

	(void)state;
	exported(&good, HSA_ACTION_TKE_RESET, 200);
	check(hsa_buf_cstr(&good), true);
	assert_string_equal(got.text, "");
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		changed(&b, hsa_buf_cstr(&good), &set[i]);
		check(hsa_buf_cstr(&b), true);
		if (set[i].want == NULL)
			assert_non_null(
			    strstr(got.text, "E02 attachments[0].content; "));
		else if (strcmp(got.text, set[i].want) != 0) {
			print_error("%s: %s, not %s\n", set[i].to, got.text,
			    set[i].want);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
	hsa_buf_free(&good);
	hsa_buf_free(&b);
}

static void
test_val_cadf__takes_events_of_others(void **state)
{
	static const char *const events[] = {
	    "{\"typeURI\":\"http://schemas.dmtf.org/cloud/audit/1.0/event\","
	    "\"id\":\"a80dc5ee-be83-48ad-ad5e-6577f2217637\",\"eventType\":"
	    "\"activity\",\"action\":\"read\",\"outcome\":\"success\","
	    "\"eventTime\":\"2014-01-17T23:23:38.109989-05:00\","
	    "\"initiatorId\":\"i\",\"targetId\":\"t\",\"observer\":{\"id\":"
	    "\"target\"}}",
	};
	const struct wrong token = {"\"initiatorId\":\"i\"",
	    "\"initiator\":{\"id\":\"i\",\"typeURI\":\"data\",\"credential\":"
	    "{\"token\":\"Bearer eyJhbGciOi\"}}",
	    NULL};
	const struct wrong zulu = {"-05:00", "Z", NULL};
	struct hsa_buf b = {0};

	(void)state;
	check(events[0], true);
	assert_string_equal(got.text, "");
	assert_null(run.event.row);
	changed(&b, events[0], &token);
	check(hsa_buf_cstr(&b), true);
	assert_string_equal(got.text, "E18 initiator.credential.token; ");
	changed(&b, events[0], &zulu);
	check(hsa_buf_cstr(&b), true);
	assert_string_equal(got.text, "E04 eventTime; ");
	check(hsa_buf_cstr(&b), false);
	assert_string_equal(got.text, "");
	check("[]", true);
	assert_string_equal(got.text, "E01 ; ");
	/* the service's own is no CADF */
	check("{\"action\":\"hs-crypto.ep11.use\",\"outcome\":\"success\"}",
	    true);
	assert_non_null(strstr(got.text, "E40 action; "));
	assert_non_null(strstr(got.text, "E41 ; "));
	hsa_buf_free(&b);
	val_run_free(&run);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_val_cadf__passes_what_the_export_writes),
	    cmocka_unit_test(
		test_val_cadf__finds_what_the_standard_does_not_allow),
	    cmocka_unit_test(test_val_cadf__takes_events_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
