/* Profile unit: every action of a crypto unit passes within its record, and
 * each way in which the two may differ is found; points in time as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "hsa_json.h"
#include "val_run.h"
#include "val_time.h"

#define UNIT "00000000-0000-4000-8000-000000000001" /* of HP_UNIT_CRN */

struct found {
	char text[2048]; /* "E02 path; ..." */
};

static struct val_run run;
static struct found got;

static void
take(void *ctx, const struct val_finding *f)
{
	struct found *o = ctx;
	size_t n = strlen(o->text);

	(void)snprintf(o->text + n, sizeof(o->text) - n, "%s%s %s; ",
	    f->level == VAL_LEVEL_WARNING ? "-" : "",
	    val_check_row(f->check)->id, f->path);
}

static void
check(const char *text, bool strict)
{
	got.text[0] = '\0';
	run.cfg.profile = VAL_UNIT;
	run.cfg.strict = strict;
	run.report.take = take;
	run.report.ctx = &got;
	assert_ok(val_run_text(&run, text, strlen(text)));
}

/* A record that fits its event, as a unit would leave it. */
static void
good(struct hsa_record *r, enum hsa_action action, uint32_t status)
{
	hp_record(r, action, status);
	assert_ok(hsa_uuid_parse(r->unit_id, UNIT));
	r->ep11_reason = 0;
	if (status == 200)
		r->ep11_rc = 0;
	else if (action == HSA_ACTION_EP11_USE)
		r->ep11_rc = status == 400 ? 0x60 : 0x5;
	else if (status == 400)
		r->ep11_rc = 7;
}

static void
record_text(struct hsa_buf *b, const struct hsa_record *r)
{
	hsa_buf_reset(b);
	hsa_record_json(b, r);
	assert_ok(hsa_buf_rc(b));
}

static void
passes(const struct hsa_buf *b)
{
	/* what the helper's values mean to other rules is not the matter */
	for (const char *id = got.text; *id != '\0'; id = strstr(id, "; ") + 2)
		if (strncmp(id, "E36", 3) == 0 || strncmp(id, "E37", 3) == 0 ||
		    strncmp(id, "E38", 3) == 0 || strncmp(id, "E39", 3) == 0 ||
		    strncmp(id, "E03", 3) == 0 || strncmp(id, "-W13", 4) == 0)
			fail_msg("%s\n%s", got.text, (const char *)b->p);
}

static void
test_val_unit__passes_what_a_unit_leaves(void **state)
{
	static const uint32_t statuses[] = {200, 400, 401, 403, 500};
	const struct hsa_action_row *row;
	unsigned int own = 0;
	struct hsa_buf b = {0};
	size_t n, i, k;

	(void)state;
	row = hsa_catalogue(&n);
	for (i = 0; i < n; i++) {
		bool mine = strcmp(row[i].family, "tke") == 0 ||
			    strcmp(row[i].family, "keystore") == 0 ||
			    strcmp(row[i].family, "ep11") == 0;

		own += mine;
		for (k = 0; k < sizeof(statuses) / sizeof(statuses[0]); k++) {
			struct hsa_record r;

			good(&r, row[i].code, statuses[k]);
			if (strcmp(row[i].family, "keystore") == 0)
				r.ep11_rc = statuses[k] == 200   ? 0
					    : statuses[k] == 500 ? 0x80040005
					    : statuses[k] == 400 ? 0x7
								 : 0x80040001;
			record_text(&b, &r);
			check(hsa_buf_cstr(&b), true);
			if (mine)
				passes(&b);
			else
				assert_non_null(strstr(got.text, "E03 action"));
			hsa_record_free(&r);
		}
	}
	assert_int_equal(own, 19);
	hsa_buf_free(&b);
}

/* ---- one thing wrong ----------------------------------------------------- */

static void
finds(const struct hsa_record *r, const char *want)
{
	struct hsa_buf b = {0};

	record_text(&b, r);
	check(hsa_buf_cstr(&b), true);
	if (strcmp(got.text, want) != 0)
		fail_msg(
		    "%s\nhas %s\nwant %s", hsa_buf_cstr(&b), got.text, want);
	hsa_buf_free(&b);
}

static void
test_val_unit__finds_what_event_and_record_say_against_each_other(void **state)
{
	struct hsa_record r;
	struct hsa_buf b = {0};

	(void)state;
	/* E37, W13 */
	good(&r, HSA_ACTION_TKE_RESET, 200);
	finds(&r, "");
	r.ep11_rc = 208;
	finds(&r, "E37 outcome; ");
	hsa_record_free(&r);
	good(&r, HSA_ACTION_TKE_RESET, 500);
	finds(&r, "");
	r.ep11_rc = 0;
	finds(&r, "E37 outcome; ");
	r.ep11_rc = 7; /* arguments: 400 */
	finds(&r, "-W13 reason.reasonCode; ");
	r.ep11_rc = 0x7777; /* nobody knows it: 500 */
	finds(&r, "");
	hsa_record_free(&r);
	good(&r, HSA_ACTION_TKE_RESET, 403); /* refused before the command */
	r.ep11_rc = 0;
	finds(&r, "");
	r.ep11_rc = 192;
	finds(&r, "");
	hsa_record_free(&r);
	good(&r, HSA_ACTION_EP11_USE, 400);
	finds(&r, "");
	r.ep11_rc = 0x5; /* general error: 500 */
	finds(&r, "-W13 reason.reasonCode; ");
	hsa_record_free(&r);

	/* E38 */
	good(&r, HSA_ACTION_EP11_USE, 200);
	r.wall_ns = r.event.event_time_ns / 10000000 * 10000000;
	finds(&r, "");
	r.wall_ns += 9999999;
	finds(&r, "");
	r.wall_ns++;
	finds(&r, "E38 eventTime; ");
	r.wall_ns -= 10000001;
	finds(&r, "E38 eventTime; ");
	record_text(&b, &r);
	check(hsa_buf_cstr(&b), false);
	assert_string_equal(got.text, "-E38 eventTime; ");
	hsa_record_free(&r);

	/* E39 */
	good(&r, HSA_ACTION_KEYSTORE_CREATEKEYSTORE, 200);
	finds(&r, "");
	r.unit_id[15] ^= 1;
	finds(&r, "E39 target.id; ");
	r.unit_id[15] ^= 1;
	memcpy(strstr(r.event.target_id, "crypto-unit"), "crypto-onit", 11);
	finds(&r, "E39 target.id; ");
	hsa_record_free(&r);

	/* E36: no record around it; one of whom no event comes */
	good(&r, HSA_ACTION_TKE_RESET, 200);
	hsa_buf_reset(&b);
	hsa_event_json(&b, &r.event);
	check(hsa_buf_cstr(&b), true);
	assert_string_equal(got.text, "E36 ; ");
	r.source = HSA_SOURCE_SEALER;
	finds(&r, "E36 source; ");
	hsa_record_free(&r);
	hsa_buf_free(&b);
	val_run_free(&run);
}

/* ---- time ---------------------------------------------------------------- */

static void
test_val_time__reads_points_in_time(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		uint32_t ns;
	} good_ones[] = {
	    /* seconds by date -u -d TEXT +%s */
	    {"1970-01-01T00:00:00Z", 0, 0},
	    {"2025-11-22T10:42:07.31+0000", 1763808127, 310000000},
	    {"2024-02-29T23:59:59.123456789Z", 1709251199, 123456789},
	    {"2000-02-29T00:00:00+00:00", 951782400, 0},
	    {"1900-03-01T00:00:00Z", -2203891200, 0},
	    {"2026-03-01T01:30:00+01:30", 1772323200, 0},
	    {"2026-02-28T22:30:00-0130", 1772323200, 0},
	    {"0000-01-01T00:00:00Z", -62167219200, 0},
	    {"9999-12-31T23:59:59Z", 253402300799, 0},
	    {"2016-12-31T23:59:60Z", 1483228800, 0},
	};
	static const char *const bad[] = {"", "2026", "2026-02-29T00:00:00Z",
	    "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
	    "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
	    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
	    "2026-01-01T00:00:61Z", "2026-01-01 00:00:00Z",
	    "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z",
	    "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00z",
	    "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0060",
	    "2026-01-01T00:00:00+000", "2026-01-01T00:00:00+00000",
	    "2026-01-01T00:00:00Z "};
	struct hsa_time t;
	uint64_t ns;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good_ones) / sizeof(good_ones[0]); i++) {
		assert_true(val_time_read(&t, good_ones[i].text));
		assert_int_equal(t.seconds, good_ones[i].seconds);
		assert_int_equal(t.ns, good_ones[i].ns);
		assert_int_equal(val_time_ns(&ns, &t),
		    t.seconds >= 0 && t.seconds < INT64_C(18446744073));
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(val_time_read(&t, bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_val_unit__passes_what_a_unit_leaves),
	    cmocka_unit_test(
		test_val_unit__finds_what_event_and_record_say_against_each_other),
	    cmocka_unit_test(test_val_time__reads_points_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
