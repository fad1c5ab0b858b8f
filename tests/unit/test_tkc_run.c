/* test_tkc_run.c - ceremonies held on a crypto unit, with the collected copy
 * as it is, and with a copy that tells another story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "helper_tkc.h"
#include "tkc_run.h"
#include "tkc_transcript.h"

static struct htkc *h;
static struct htkc_client c;
static struct tkc_run run;
static struct tkc_watch watch;
static struct tkc_ceremony *file;
static struct hsa_diag diag;

static int
setup(void **state)
{
	(void)state;
	h = htkc_new(true);
	htkc_client_open(&c, h);
	memset(&run, 0, sizeof(run));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tkc_run_free(&run);
	tkc_watch_close(&watch);
	tkc_ceremony_free(file);
	file = NULL;
	htkc_client_close(&c);
	htkc_free(h);
	return 0;
}

#define HEAD                                                                   \
	"name: Test\n"                                                         \
	"units:\n  - {name: u, number: 1}\n"                                   \
	"roles:\n"                                                             \
	"  - {name: a, person: Ada, sigkey: Ada}\n"                            \
	"  - {name: b, person: Bo, sigkey: Bo}\n"                              \
	"  - {name: x, person: Xi, sigkey: Xi}\n"                              \
	"key_parts:\n"                                                         \
	"  - {name: p1, holder: a}\n  - {name: p2, holder: b}\n"               \
	"steps:\n"
#define S(id, verb, who, more, expect)                                         \
	"  - id: " id "\n    title: " id "\n    do: " verb "\n    who: [" who  \
	"]\n" more "    expect: {" expect "}\n"
#define WITH_(x) "    with: {" x "}\n"
#define REHEARSE(x) "    rehearse: {" x "}\n"
#define OKAY "outcome: success"
#define KEYS                                                                   \
	S("k1", "sigkey-add", "a", WITH_("role: a"), OKAY)                     \
	S("k2", "sigkey-add", "b", WITH_("role: b"), OKAY)
#define SETUP                                                                  \
	KEYS S("a1", "cryptounit-admin-add", "a", WITH_("role: a"), OKAY)      \
	    S("a2", "cryptounit-admin-add", "b", WITH_("role: b"), OKAY)       \
		S("t", "cryptounit-thrhld-set", "a, b",                        \
		    WITH_("signature: 2, revocation: 2"), OKAY)
#define PARTS                                                                  \
	S("m1", "mk-add", "a", WITH_("part: p1, random: true"), OKAY)          \
	S("m2", "mk-add", "b", WITH_("part: p2, random: true"), OKAY)

static bool without_keys; /* checkpoint keys are not given */

/* Held without an error; deviations are the case's business. */
static void
hold(const char *yaml)
{
	char dir[128];

	if (!hsa_is_ok(tkc_ceremony_parse(&file, yaml, strlen(yaml), &diag)))
		fail_msg("%s", diag.text);
	run.c = file;
	run.file = "test.yaml";
	run.base = ".";
	run.ring = &c.ring;
	run.fleet = &c.fleet;
	run.event_wait_ms = 300;
	if (!hsa_is_ok(tkc_run_keys(&run, &diag)) ||
	    !hsa_is_ok(tkc_run_units(&run, &diag)))
		fail_msg("%s", diag.text);
	(void)snprintf(dir, sizeof(dir), "%s/collected", h->dir);
	assert_true(hsa_is_ok(tkc_watch_open(&watch, dir, &diag)));
	assert_true(hsa_is_ok(tkc_watch_add(&watch, run.unit[0]->id)));
	run.watch = &watch;
	run.checkpoint_keys = without_keys ? NULL : h->keys;
	if (!hsa_is_ok(tkc_run(&run, &diag)))
		fail_msg("%s", diag.text);
}

static void
no_deviations(void)
{
	if (run.deviations > 0)
		fail_msg("step %s: expected %s, happened: %s",
		    run.deviation[0].step, run.deviation[0].expected,
		    run.deviation[0].happened);
}

/* Exactly one, at this step, and it says this. */
static void
one_deviation(const char *step, const char *says)
{
	assert_int_equal(run.deviations, 1);
	assert_string_equal(run.deviation[0].step, step);
	if (strstr(run.deviation[0].happened, says) == NULL &&
	    strstr(run.deviation[0].expected, says) == NULL)
		fail_msg("expected %s, happened %s", run.deviation[0].expected,
		    run.deviation[0].happened);
}

/* ---- as expected --------------------------------------------------------- */

static void
test_run__a_whole_life_and_six_refusals_pass(void **state)
{
	struct hsa_buf text = {0}, json = {0};

	(void)state;
	hold(HEAD SETUP PARTS S("x", "sigkey-add", "x", WITH_("role: x"),
	    OKAY) S("l", "cryptounit-mk-load", "a, b", WITH_("parts: [p1, p2]"),
	    "outcome: success, rc: 0") S("few", "cryptounit-mk-commit", "a",
	    REHEARSE("signers: [a]"),
	    "outcome: refused, rc: 208, reason: 21") S("who",
	    "cryptounit-mk-commit", "a", REHEARSE("signers: [a, x]"),
	    "outcome: refused, rc: 257, reason: 22") S("again",
	    "cryptounit-mk-commit", "a, b", REHEARSE("replay: true"),
	    "outcome: refused, rc: 163, reason: 19") S("other",
	    "cryptounit-mk-commit", "a, b",
	    REHEARSE("pattern: 491176b0f443c65a7c7d72df47d6cbc0d04e111fb5"
		     "a619f60d3e776700000000"),
	    "outcome: refused, rc: 101, reason: 48") S("c",
	    "cryptounit-mk-commit", "a, b", "", OKAY) S("i",
	    "cryptounit-mk-setimm", "b", "", OKAY) S("l2", "cryptounit-mk-load",
	    "a", WITH_("parts: [p2, p1]"), OKAY) S("n", "cryptounit-mk-clrnew",
	    "a", "", OKAY) S("cc", "cryptounit-mk-clrcur", "a", "", OKAY)
		S("below", "cryptounit-admin-rm", "a, b", WITH_("role: a"),
		    "outcome: refused, rc: 209, reason: 66")
		    S("z", "cryptounit-zeroize", "a, b", "", OKAY)
			S("im", "cryptounit-mk-load", "a",
			    WITH_("parts: [p1, p2]") REHEARSE("unsigned: true"),
			    "outcome: refused, rc: 179, reason: 34, action: "
			    "hs-crypto.tke-cryptounit-master-key-register.add")
			    S("same", "cryptounit-compare", "a", "", OKAY));
	no_deviations();
	assert_true(run.head[0].verified);
	assert_int_equal(run.head[0].size, h->b->sink->len);
	tkc_transcript_markdown(&text, &run);
	assert_non_null(strstr(hsa_buf_cstr(&text), "| result | **PASS**"));
	assert_non_null(strstr(hsa_buf_cstr(&text), "## Deviations\n\nNone."));
	tkc_transcript_json(&json, &run);
	assert_non_null(strstr(hsa_buf_cstr(&json), "\"result\":\"PASS\""));
	hsa_buf_free(&text);
	hsa_buf_free(&json);
}

static void
test_run__without_keys_the_head_is_copied_and_called_unverified(void **state)
{
	struct hsa_buf text = {0};

	(void)state;
	without_keys = true;
	hold(HEAD SETUP);
	without_keys = false;
	no_deviations();
	assert_true(run.head[0].there);
	assert_false(run.head[0].verified);
	assert_int_equal(run.head[0].size, h->b->sink->len);
	tkc_transcript_markdown(&text, &run);
	assert_non_null(strstr(hsa_buf_cstr(&text), " | not verified"));
	hsa_buf_free(&text);
}

/* ---- deviations in what the unit answers --------------------------------- */

static void
test_run__a_refusal_that_was_not_expected_stops_the_ceremony(void **state)
{
	struct hsa_buf text = {0};

	(void)state;
	hold(HEAD KEYS S("c", "cryptounit-mk-commit", "a", "", OKAY)
		S("never", "cryptounit-zeroize", "a", "", OKAY));
	one_deviation("c", "return code 179");
	assert_false(run.step[3].ran);
	tkc_transcript_markdown(&text, &run);
	assert_non_null(strstr(hsa_buf_cstr(&text), "| result | **FAIL**"));
	assert_non_null(strstr(hsa_buf_cstr(&text), "Not carried out."));
	hsa_buf_free(&text);
}

static void
test_run__a_success_that_was_not_expected_deviates(void **state)
{
	(void)state;
	run.keep_going = true;
	hold(HEAD KEYS S("a1", "cryptounit-admin-add", "a", WITH_("role: a"),
	    "outcome: refused") S("z", "cryptounit-zeroize", "a", "", OKAY));
	one_deviation("a1", "success");
	assert_true(run.step[3].ran);
}

static void
test_run__another_return_or_reason_code_deviates(void **state)
{
	(void)state;
	run.keep_going = true;
	hold(HEAD KEYS S("c1", "cryptounit-mk-commit", "a", "",
	    "outcome: refused, rc: 208") S("c2", "cryptounit-mk-commit", "a",
	    "", "outcome: refused, rc: 179, reason: 21")
		S("c3", "cryptounit-mk-commit", "a", "",
		    "outcome: refused, rc: 179, reason: 34"));
	assert_int_equal(run.deviations, 2);
	assert_string_equal(run.deviation[0].step, "c1");
	assert_string_equal(run.deviation[1].step, "c2");
}

static void
test_run__too_few_selected_signers_are_found_before_sending(void **state)
{
	size_t before;

	(void)state;
	hold(HEAD SETUP S("z", "cryptounit-zeroize", "a", "", OKAY));
	one_deviation("z", "needs 2 signatures");
	assert_int_equal(run.step[5].done[0].outcome.sents, 0);
	before = h->b->sink->len;
	/* start, two administrators, thresholds: nothing for the last step */
	assert_int_equal(before, 4);
}

static void
test_run__units_that_differ_from_the_expectation_deviate(void **state)
{
	(void)state;
	hold(HEAD S("same", "cryptounit-compare", "a", "", "outcome: refused"));
	one_deviation("same", "units differ");
}

/* ---- deviations in what the log tells ------------------------------------ */

static uint32_t bend_command;

static bool
leave_out(void *ctx, struct hsa_record *r)
{
	(void)ctx;
	return r->command != bend_command;
}

static bool
other_reason(void *ctx, struct hsa_record *r)
{
	(void)ctx;
	if (r->command == bend_command)
		r->ep11_reason = 99;
	return true;
}

static bool
other_outcome(void *ctx, struct hsa_record *r)
{
	(void)ctx;
	if (r->command == bend_command)
		memcpy(r->event.outcome, "failure", 8);
	return true;
}

static bool
other_step(void *ctx, struct hsa_record *r)
{
	(void)ctx;
	if (r->command == bend_command)
		r->ceremony_step[0] ^= 1;
	return true;
}

static bool
other_target(void *ctx, struct hsa_record *r)
{
	(void)ctx;
	if (r->command == bend_command)
		r->event.target_name[1] ^= 1;
	return true;
}

static bool
other_pattern(void *ctx, struct hsa_record *r)
{
	(void)ctx;
	if (r->command == bend_command)
		r->event.response.field[0].text[0] ^= 1;
	return true;
}

static bool
other_parts(void *ctx, struct hsa_record *r)
{
	const struct hsa_field *f = NULL;

	(void)ctx;
	if (r->command == bend_command) {
		f = hsa_data_find(&r->event.request, "masterKeyIds");
		f->list[1][0] ^= 1;
	}
	return true;
}

static void
bent(bool (*bend)(void *, struct hsa_record *), uint32_t command,
    const char *step, const char *says)
{
	h->bend = bend;
	bend_command = command;
	run.keep_going = true;
	hold(HEAD SETUP PARTS S(
	    "l", "cryptounit-mk-load", "a, b", WITH_("parts: [p1, p2]"), OKAY));
	one_deviation(step, says);
}

static void
test_events__a_missing_one_deviates(void **state)
{
	(void)state;
	bent(leave_out, TKE_CMD_SET_ATTRIBUTES, "t", "0 came");
}

static void
test_events__another_reason_code_deviates(void **state)
{
	(void)state;
	bent(other_reason, TKE_CMD_SET_ATTRIBUTES, "t", "reason code differs");
}

static void
test_events__another_outcome_deviates(void **state)
{
	(void)state;
	bent(other_outcome, TKE_CMD_SET_ATTRIBUTES, "t", "outcome differs");
}

static void
test_events__another_step_deviates(void **state)
{
	(void)state;
	bent(other_step, TKE_CMD_SET_ATTRIBUTES, "t", "step differs");
}

static void
test_events__another_target_deviates(void **state)
{
	(void)state;
	bent(other_target, TKE_CMD_SET_ATTRIBUTES, "t", "target differs");
}

static void
test_events__another_verification_pattern_deviates(void **state)
{
	(void)state;
	bent(other_pattern, TKE_CMD_WK_IMPORT, "l", "pattern differs");
}

static void
test_events__other_key_parts_deviate(void **state)
{
	(void)state;
	bent(other_parts, TKE_CMD_WK_IMPORT, "l", "key parts differs");
}

static void
test_events__the_importer_key_counts_too(void **state)
{
	(void)state;
	bent(leave_out, TKE_CMD_GEN_IMPORTER, "l", "1 came");
}

static void
test_events__the_action_a_file_names_must_be_the_one(void **state)
{
	(void)state;
	hold(HEAD KEYS S("a1", "cryptounit-admin-add", "a", WITH_("role: a"),
	    "outcome: success, action: hs-crypto.tke-cryptounit.reset"));
	one_deviation("a1", "action differs");
}

/* A command that came from elsewhere while the ceremony was held. */
static bool
own_and_foreign(void *ctx, struct hsa_record *r)
{
	(void)ctx;
	if (r->command == bend_command) {
		r->command_id[0] ^= 1;
		free(r->ceremony_step);
		r->ceremony_step = NULL;
		r->wall_ns = (uint64_t)time(NULL) * 1000000000u + 60000000000u;
	}
	return true;
}

static void
test_events__a_command_from_elsewhere_deviates(void **state)
{
	(void)state;
	h->bend = own_and_foreign;
	bend_command = TKE_CMD_SET_ATTRIBUTES;
	run.keep_going = true;
	hold(HEAD SETUP);
	assert_int_equal(run.deviations, 2);
	assert_non_null(strstr(run.deviation[0].happened, "0 came"));
	assert_string_equal(
	    run.deviation[1].expected, "no command but the ceremony's");
}

/* ---- keys ---------------------------------------------------------------- */

static void
bad_keys(const char *yaml, const char *says)
{
	if (!hsa_is_ok(tkc_ceremony_parse(&file, yaml, strlen(yaml), &diag)))
		fail_msg("%s", diag.text);
	run.c = file;
	run.ring = &c.ring;
	assert_int_equal(tkc_run_keys(&run, &diag).v, HSA_E_CONFIG);
	if (strstr(diag.text, says) == NULL)
		fail_msg("%s", diag.text);
	tkc_ceremony_free(file);
	file = NULL;
}

static void
test_keys__must_be_there_or_made_before_and_only_once(void **state)
{
	(void)state;
	bad_keys(
	    HEAD S("a", "cryptounit-admin-add", "a", WITH_("role: a"), OKAY),
	    "no key named Ada");
	bad_keys(HEAD S("a", "cryptounit-admin-add", "a", WITH_("role: a"),
		     OKAY) KEYS,
	    "no key named Ada");
	bad_keys(HEAD KEYS S("k3", "sigkey-add", "a", WITH_("role: a"), OKAY),
	    "already");
	bad_keys(HEAD KEYS S("l", "cryptounit-mk-load", "a",
		     WITH_("parts: [p1]"), OKAY),
	    "no key named p1");
	bad_keys(HEAD KEYS S("z", "cryptounit-zeroize", "a",
		     REHEARSE("signers: [x]"), OKAY),
	    "no key named Xi");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_run__a_whole_life_and_six_refusals_pass),
	    CASE(
		test_run__without_keys_the_head_is_copied_and_called_unverified),
	    CASE(test_run__a_refusal_that_was_not_expected_stops_the_ceremony),
	    CASE(test_run__a_success_that_was_not_expected_deviates),
	    CASE(test_run__another_return_or_reason_code_deviates),
	    CASE(test_run__too_few_selected_signers_are_found_before_sending),
	    CASE(test_run__units_that_differ_from_the_expectation_deviate),
	    CASE(test_events__a_missing_one_deviates),
	    CASE(test_events__another_reason_code_deviates),
	    CASE(test_events__another_outcome_deviates),
	    CASE(test_events__another_step_deviates),
	    CASE(test_events__another_target_deviates),
	    CASE(test_events__another_verification_pattern_deviates),
	    CASE(test_events__other_key_parts_deviate),
	    CASE(test_events__the_importer_key_counts_too),
	    CASE(test_events__the_action_a_file_names_must_be_the_one),
	    CASE(test_events__a_command_from_elsewhere_deviates),
	    CASE(test_keys__must_be_there_or_made_before_and_only_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
