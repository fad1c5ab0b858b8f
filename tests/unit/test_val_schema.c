/* What is described as a JSON Schema is what is checked: patterns and functions
 * say the same, the schema is whole, and its ids are those of the checks. That
 * its verdicts are the same is tests/interop/test_schema.sh's to show. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "hsa_field_type.h"
#include "hsa_json.h"
#include "val_run.h"
#include "val_schema.h"
#include "val_words.h"

#define TRIES 20000

static uint32_t state;

static uint32_t
some(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

/* One to three characters of a sample are others, more or fewer. */
static void
damage(char *to, size_t cap, const char *sample)
{
	static const char letters[] =
	    "0123456789aAfFgGzZ-_.:/+[]TZ ,\t\n\x01\x7f\xc3";
	size_t n, at;
	uint32_t k;

	(void)snprintf(to, cap, "%s", sample);
	for (k = some(3) + 1; k > 0; k--) {
		n = strlen(to);
		at = some((uint32_t)n + 1);
		if (some(3) == 0 && at < n) {
			memmove(to + at, to + at + 1, n - at);
		} else if (some(2) == 0 && n + 1 < cap) {
			memmove(to + at + 1, to + at, n - at + 1);
			to[at] = letters[some(sizeof(letters) - 1)];
		} else if (at < n) {
			to[at] = letters[some(sizeof(letters) - 1)];
		}
	}
}

static bool
matches(const char *pattern, const char *s)
{
	static regex_t compiled;
	static const char *last;

	if (last != pattern) {
		if (last != NULL)
			regfree(&compiled);
		assert_int_equal(
		    regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
		last = pattern;
	}
	return regexec(&compiled, s, 0, NULL, 0) == 0;
}

/* Both kinds are met, and all are read alike. */
static void
agree(const char *what, const char *pattern, bool (*fits)(const char *s),
    const char *const *samples)
{
	unsigned int yes = 0, no = 0, i;
	uint32_t n = 0;
	char text[256];
	const char *s;
	bool fit;

	while (samples[n] != NULL)
		n++;
	for (i = 0; i < TRIES; i++) {
		s = samples[some(n)];
		if (i % 8 == 0)
			(void)snprintf(text, sizeof(text), "%s", s);
		else
			damage(text, sizeof(text), s);
		fit = fits(text);
		if (fit != matches(pattern, text))
			fail_msg("%s: \"%s\" fits: %d", what, text, fit);
		yes += fit;
		no += !fit;
	}
	print_message("  %s: %u fit, %u do not\n", what, yes, no);
	assert_true(yes > TRIES / 20 && no > TRIES / 20);
}

static void
test_val_schema__types_fit_by_function_as_by_pattern(void **state_)
{
	static const char *const types[] = {
	    "uri", "uuid", "hex64", "hex64[]", "location", "timestamp"};
	const struct hsa_field_type *t;
	size_t i;

	(void)state_;
	state = 1;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *samples[] = {hp_sample(types[i]), NULL, NULL};

		t = hsa_field_type(types[i]);
		if (samples[0] == NULL)
			samples[0] = hp_sample("hex64");
		if (strcmp(types[i], "uri") == 0)
			samples[1] = "https://example.com/a?b=c";
		if (strcmp(types[i], "timestamp") == 0)
			samples[1] = "2026-12-31T23:59:60.125-05:30";
		agree(t->name, t->pattern, t->fits, samples);
	}
	assert_null(hsa_field_type("string")->pattern);
	assert_null(hsa_field_type("int")->pattern);
	assert_null(hsa_field_type("bool")->pattern);
}

/* ---- by what the validator finds ----------------------------------------- */

static struct val_run run;
static bool seen[VAL_CHECKS];

static void
take(void *ctx, const struct val_finding *f)
{
	(void)ctx;
	seen[f->check] = true;
}

static struct hsa_buf good; /* an event, and what is replaced in it */
static const char *hole;

static bool
passes(enum val_check c, bool strict, const char *value)
{
	struct hsa_buf b = {0};
	const char *at = strstr(hsa_buf_cstr(&good), hole);

	assert_non_null(at);
	hsa_buf_put(&b, good.p, (size_t)(at - (char *)good.p));
	hsa_json_string(&b, value, strlen(value));
	hsa_buf_str(&b, at + strlen(hole));
	memset(seen, 0, sizeof(seen));
	run.cfg = (struct val_config){.profile = VAL_IBM_AT, .strict = strict};
	run.report.take = take;
	assert_ok(val_run_text(&run, b.p, b.len));
	hsa_buf_free(&b);
	return !seen[c];
}

static bool
time_strict(const char *s)
{
	return passes(VAL_E04, true, s);
}

static bool
time_lenient(const char *s)
{
	return passes(VAL_E04, false, s);
}

static bool
is_crn(const char *s)
{
	return passes(VAL_E16, true, s);
}

static bool
is_address(const char *s)
{
	return passes(VAL_E17, true, s);
}

static bool
is_vcenter(const char *s)
{
	return passes(VAL_E42, true, s);
}

static bool
is_secret(const char *s)
{
	return !passes(VAL_E18, true, s);
}

static void
use(const char *what)
{
	struct hsa_event ev = {0};

	hp_event(&ev, HSA_ACTION_SECRETS_CREATE, 200);
	hsa_buf_reset(&good);
	hsa_event_json(&good, &ev);
	assert_ok(hsa_buf_rc(&good));
	hsa_event_free(&ev);
	hole = what;
}

static void
test_val_schema__checks_find_what_the_patterns_do(void **state_)
{
	static const char *const times[] = {"2025-11-22T10:42:07.31+0000",
	    "2024-02-29T23:59:60.00+0000", "2100-02-28T00:00:00.31+0000",
	    "2000-02-29T00:00:00.31+0000", "2025-04-30T19:00:00.31+0000", NULL};
	static const char *const crns[] = {HP_CRN, NULL};
	static const char *const v4[] = {
	    "203.0.113.7", "0.0.0.0", "255.249.199.10", NULL};
	static const char *const v6[] = {"2001:db8::7", "::", "::1",
	    "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
	    "::ffff:203.0.113.7", "1:2:3:4:5:6:203.0.113.7", "1::8",
	    "1:2:3:4::6:7:8", "fe80::1:2:203.0.113.7", NULL};
	static const char *const vcenters[] = {"CertificateID-0",
	    "CertificateID-0a:1F", "CertificateID-00ff", NULL};
	static const char *const secrets[] = {"-----BEGIN PRIVATE KEY-----",
	    "x Bearer eyJhbGci", "eyJhbGci.eyJzdWIi", "plain words", NULL};

	(void)state_;
	state = 2;
	use("\"2025-11-22T10:42:07.31+0000\"");
	agree("eventTime", VAL_PATTERN_TIME, time_strict, times);
	agree("eventTime, lenient", VAL_PATTERN_TIME_LENIENT, time_lenient,
	    times);
	/* of the account and instance, nothing in this one */
	use("\"" HP_UNIT_CRN "\"");
	good.len = 0;
	hsa_buf_str(&good, "{\"logSourceCRN\":1,\"target\":{\"id\":"
			   "\"" HP_UNIT_CRN "\""
			   "}}");
	agree("CRN", VAL_PATTERN_CRN, is_crn, crns);
	use("\"203.0.113.7\"");
	agree("IPv4", VAL_PATTERN_IPV4, is_address, v4);
	good.len = 0;
	hsa_buf_str(&good, "{\"initiator\":{\"host\":{\"address\":"
			   "\"203.0.113.7\",\"addressType\":\"IPv6\"}}}");
	agree("IPv6", VAL_PATTERN_IPV6, is_address, v6);
	good.len = 0;
	hsa_buf_str(&good, "{\"action\":\"hs-crypto.kmip-key.read\","
			   "\"initiator\":{\"id\":\"203.0.113.7\"}}");
	agree("vCenter", VAL_PATTERN_VCENTER, is_vcenter, vcenters);
	use("\"" HP_CORRELATION "\"");
	agree("secret", VAL_PATTERN_SECRET, is_secret, secrets);
	hsa_buf_free(&good);
	val_run_free(&run);
}

/* ---- the schema ---------------------------------------------------------- */

/* $comment: "E02" or "E02, additionalProperties: E01". */
static void
ids_of(const char *text, bool named[VAL_CHECKS])
{
	enum val_check c = 0;
	char id[4];

	(void)snprintf(id, sizeof(id), "%s", text);
	assert_true(val_check_find(&c, id));
	named[c] = true;
	text = strstr(text, ": ");
	if (text != NULL) {
		assert_true(val_check_find(&c, text + 2));
		named[c] = true;
	}
}

struct whole {
	bool named[VAL_CHECKS];
	unsigned int refs, comments;
};

static void
look(struct whole *w, const struct val_config *cfg, bool warnings)
{
	static const char defs[] = "#/$defs/";
	struct hsa_buf b = {0};
	struct val_json j = {0};
	const struct val_node *n, *all;
	size_t at = 0, i;

	memset(w, 0, sizeof(*w));
	val_schema(&b, cfg, warnings);
	assert_ok(hsa_buf_rc(&b));
	assert_ok(val_json_parse(&j, &at, NULL, b.p, b.len));
	assert_int_equal(j.flaws, 0);
	all = val_member(&j, j.node, "$defs");
	assert_non_null(all);
	for (i = 0; i < j.len; i++) {
		n = &j.node[i];
		if (!n->member || n->kind != VAL_TEXT)
			continue;
		if (strcmp(val_name(&j, n), "$ref") == 0) {
			const char *to = val_text(&j, n);
			const struct val_node *d = val_child(&j, all);

			assert_memory_equal(to, defs, sizeof(defs) - 1);
			/* names have dots */
			while (d != NULL && strcmp(val_name(&j, d),
						to + sizeof(defs) - 1) != 0)
				d = val_next(&j, d);
			if (d == NULL)
				fail_msg("%s leads nowhere", to);
			w->refs++;
		}
		if (strcmp(val_name(&j, n), "$comment") == 0) {
			ids_of(val_text(&j, n), w->named);
			w->comments++;
		}
	}
	val_json_free(&j);
	hsa_buf_free(&b);
}

static void
test_val_schema__names_each_check_that_it_can_say(void **state_)
{
	static const enum val_profile profiles[] = {VAL_IBM_AT, VAL_AT_EXPORT};
	unsigned int all = 0, part = 0, none = 0;
	const char *beyond;
	struct whole w;
	size_t i, k;

	(void)state_;
	for (k = 0; k < 8; k++) {
		const struct val_config cfg = {.profile = profiles[k & 1],
		    .strict = (k & 2) != 0,
		    .private_network = (k & 4) != 0};

		look(&w, &cfg, false);
		assert_true(w.refs > 200 && w.comments > 400);
		/* what is a warning here is no business of the schema */
		for (i = 0; i < VAL_CHECKS; i++) {
			const struct val_check_row *row =
			    val_check_row((enum val_check)i);
			enum val_reach r =
			    val_schema_reach(&beyond, (enum val_check)i);
			bool error =
			    (cfg.strict ? row->strict : row->lenient) ==
			    VAL_LEVEL_ERROR;

			if (w.named[i] != (error && r != VAL_REACH_NONE))
				fail_msg("%s, schema %zu", row->id, k);
		}
		look(&w, &cfg, true);
		for (i = 0; i < VAL_CHECKS; i++)
			assert_true(w.named[i] ==
				    (val_schema_reach(&beyond,
					 (enum val_check)i) != VAL_REACH_NONE));
	}
	for (i = 0; i < VAL_CHECKS; i++) {
		enum val_reach r = val_schema_reach(&beyond, (enum val_check)i);

		all += r == VAL_REACH_ALL;
		part += r == VAL_REACH_PART;
		none += r == VAL_REACH_NONE;
		assert_true((r == VAL_REACH_ALL) == (beyond[0] == '\0'));
	}
	print_message(
	    "COUNT checks in the schema: %u whole, %u in part, %u not\n", all,
	    part, none);
	assert_int_equal(val_schema_reach(&beyond, VAL_E11), VAL_REACH_NONE);
	assert_true(all >= 24 && part == 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_val_schema__types_fit_by_function_as_by_pattern),
	    cmocka_unit_test(test_val_schema__checks_find_what_the_patterns_do),
	    cmocka_unit_test(test_val_schema__names_each_check_that_it_can_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
