/* test_tkc_ceremony.c - the ceremony file: a good one, then every mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "tkc_ceremony.h"
#include "tkc_files.h"
#include "tke_wire.h"

static struct hsa_diag diag;

#define STEP_ADD                                                               \
	"  - id: s1\n"                                                         \
	"    title: Add Ada\n"                                                 \
	"    do: cryptounit-admin-add\n"                                       \
	"    who: [a]\n"                                                       \
	"    with: {role: a}\n"                                                \
	"    expect: {outcome: success}\n"
#define STEP_COMMIT                                                            \
	"  - id: s2\n"                                                         \
	"    title: Commit\n"                                                  \
	"    do: cryptounit-mk-commit\n"                                       \
	"    who: [a, b]\n"                                                    \
	"    units: [u1]\n"                                                    \
	"    rehearse: {signers: [a]}\n"                                       \
	"    expect:\n"                                                        \
	"      outcome: refused\n"                                             \
	"      rc: 208\n"                                                      \
	"      reason: 21\n"                                                   \
	"      action: hs-crypto.tke-cryptounit-master-key-register.commit\n"
static const char good[] =
    "name: Test\n"
    "description: some words\n"
    "files: keys\n"
    "units:\n"
    "  - {name: u1, number: 1, type: operational}\n"
    "  - {name: u2, serial: SIM00002}\n"
    "roles:\n"
    "  - {name: a, person: Ada, sigkey: Ada, password_file: pw/a}\n"
    "  - {name: b, person: Bo, sigkey: Bo}\n"
    "  - {name: w, person: Witness}\n"
    "key_parts:\n"
    "  - {name: p1, holder: w}\n"
    "  - {name: p2, holder: b}\n"
    "steps:\n" STEP_ADD STEP_COMMIT "  - id: s3\n"
    "    title: Load\n"
    "    do: cryptounit-mk-load\n"
    "    who: [a, w]\n"
    "    with: {parts: [p1, p2]}\n"
    "    expect:\n"
    "      outcome: success\n"
    "      units:\n"
    "        - {unit: u2, outcome: refused, rc: 80, reason: 80}\n"
    "  - id: s4\n"
    "    title: Thresholds\n"
    "    do: cryptounit-thrhld-set\n"
    "    who: [a]\n"
    "    with: {signature: 2, revocation: 1}\n"
    "    expect: {outcome: success, rc: 0}\n"
    "  - id: s5\n"
    "    title: New part\n"
    "    do: mk-add\n"
    "    who: [w]\n"
    "    with: {part: p1, random: true}\n"
    "    expect: {outcome: success}\n";

/* good with the first `from` replaced; the caller's. */
static char *
changed(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	char *s = NULL;

	if (at == NULL)
		fail_msg("not in the file: %s", from);
	assert_true(asprintf(&s, "%.*s%s%s", (int)(at - good), good, to,
			at + strlen(from)) > 0);
	return s;
}

static void
test_file__a_good_one_is_read_as_it_stands(void **state)
{
	struct tkc_ceremony *c = NULL;
	struct tkc_c_expected e;

	(void)state;
	if (!hsa_is_ok(tkc_ceremony_parse(&c, good, strlen(good), &diag)))
		fail_msg("%s", diag.text);
	assert_string_equal(c->name, "Test");
	assert_int_equal(c->units_count, 2);
	assert_int_equal(*c->units[0].number, 1);
	assert_null(c->units[1].number);
	assert_int_equal(c->steps_count, 5);
	assert_int_equal(
	    tkc_c_verb_find(c->steps[1].verb)->command, TKE_CMD_WK_COMMIT);
	assert_int_equal(c->steps[1].rehearse->signers_count, 1);
	assert_false(c->steps[1].rehearse->replay);
	assert_true(c->steps[4].with->random);
	tkc_c_expected(&e, &c->steps[1], "u1");
	assert_false(e.success);
	assert_true(e.has_rc && e.rc == 208 && e.has_reason && e.reason == 21);
	tkc_c_expected(&e, &c->steps[2], "u1");
	assert_true(e.success && !e.has_rc);
	tkc_c_expected(&e, &c->steps[2], "u2");
	assert_true(!e.success && e.has_rc && e.rc == 80);
	tkc_ceremony_free(c);
}

static void
test_file__the_demonstrations_is_good(void **state)
{
	struct tkc_ceremony *c = NULL;
	struct hsa_buf b = {0};

	(void)state;
	assert_true(hsa_is_ok(tkc_slurp(
	    &b, "tools/demo/demo.yaml", TKC_CEREMONY_MAX, false, &diag)));
	if (!hsa_is_ok(tkc_ceremony_parse(&c, b.p, b.len, &diag)))
		fail_msg("%s", diag.text);
	tkc_ceremony_free(c);
	hsa_buf_free(&b);
}

static void
test_file__every_mistake_is_found_before_anything_runs(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} rows[] = {
	    {"name: Test\n", "", "name"},
	    {"name: Test\n", "name: Test\nname2: x\n", "name2"},
	    {"name: Test\n", "name: \"a\\nb\"\n", "control"},
	    {"name: Test\n", "- x\n", ""},
	    {"number: 1", "number: -1", "number"},
	    {"number: 1", "number: one", "number"},
	    {"type: operational", "type: spare", "operational, recovery"},
	    {"serial: SIM00002", "serial: SIM000020", "serial"},
	    {", serial: SIM00002", "", "say which one"},
	    {"name: u2", "name: u1", "two are named u1"},
	    {"name: b,", "name: a,", "two are named a"},
	    {"sigkey: Bo", "sigkey: Ada", "quorum"},
	    {"sigkey: Bo", "sigkey: \"12\"", "digits"},
	    {"sigkey: Bo", "sigkey: \"a_b\"", "not a name"},
	    {"holder: w", "holder: x", "none of the roles"},
	    {"name: p2", "name: p1", "two are named p1"},
	    {"id: s2", "id: s1", "unique"},
	    {"id: s2", "id: \"s 2\"", "its id"},
	    {"    title: Commit\n", "", "title"},
	    {"do: cryptounit-mk-commit", "do: cryptounit-mk-rotate", "no verb"},
	    {"do: cryptounit-mk-commit", "do: cryptounits", "no verb"},
	    {"who: [a, b]", "who: [a, x]", "none of the roles"},
	    {"who: [a, b]", "who: []", "who"},
	    {"units: [u1]", "units: [u3]", "none of the units"},
	    {"units: [u1]", "units: [u1, u1]", "named twice"},
	    {"with: {role: a}", "with: {}", "needs \"role\""},
	    {"with: {role: a}", "with: {role: x}", "none of the roles"},
	    {"with: {role: a}", "with: {role: w}", "no sigkey"},
	    {"with: {role: a}", "with: {role: a, part: p1}",
		"takes no \"part\""},
	    {"with: {role: a}",
		"with: {role: a, ski: "
		"00112233445566778899aabbccddeeff001122334"
		"45566778899aabbccddeeff}",
		"takes no \"ski\""},
	    {"with: {parts: [p1, p2]}", "with: {parts: [p1, p3]}",
		"none of the key_parts"},
	    {"with: {parts: [p1, p2]}", "with: {parts: [p1, p1, p1, p1]}",
		"parts"},
	    {"{signature: 2, revocation: 1}", "{signature: 2}", "both"},
	    {"{signature: 2, revocation: 1}", "{signature: 9, revocation: 1}",
		"0 to 8"},
	    {"random: true", "random: maybe", "random"},
	    {"random: true", "random: true, value_file: x", "exclude"},
	    {"random: true", "random: false", "value_file"},
	    {"signers: [a]", "signers: [w]", "no sigkey"},
	    {"signers: [a]", "signers: []", "signers"},
	    {"signers: [a]", "signers: [a], unsigned: true", "exclude"},
	    {"signers: [a]",
		"pattern: zz112233445566778899aabbccddeeff00112233445566"
		"778899aabbccddeeff",
		"hexadecimal"},
	    {"signers: [a]", "pattern: 0011", "pattern"},
	    {"outcome: refused", "outcome: failure", "success or refused"},
	    {"rc: 208", "rc: 0", "no refusal"},
	    {"rc: 208", "rc: 9999", "no refusal"},
	    {"reason: 21", "reason: 9999", "no reason code"},
	    {"rc: 0}", "rc: 208}", "a success has"},
	    {"action: hs-crypto.tke-cryptounit-master-key-register.commit",
		"action: hs-crypto.tke-cryptounit.comit", "no action"},
	    {"unit: u2, outcome", "unit: u9, outcome", "no part"},
	    {"outcome: refused, rc: 80, reason: 80}\n",
		"outcome: refused}\n        - {unit: u2, outcome: "
		"refused}\n",
		"twice"},
	    {"with: {part: p1, random: true}\n    expect: {outcome: "
	     "success}",
		"with: {part: p1, random: true}\n    expect: {outcome: "
		"success, rc: 0}",
		"expect only an outcome"},
	    {"with: {part: p1, random: true}\n",
		"with: {part: p1, random: true}\n    rehearse: {replay: "
		"true}\n",
		"nothing to rehearse"},
	    {"    rehearse: {signers: [a]}\n", "    rehearse: {sign: [a]}\n",
		"sign"},
	};
	struct tkc_ceremony *c = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *s = changed(rows[i].from, rows[i].to);

		hsa_diag_set(&diag, "%s", "");
		if (hsa_is_ok(tkc_ceremony_parse(&c, s, strlen(s), &diag)))
			fail_msg(
			    "accepted: %s -> %s", rows[i].from, rows[i].to);
		if (diag.text[0] == '\0' ||
		    strstr(diag.text, rows[i].says) == NULL)
			fail_msg("%s -> %s: \"%s\"", rows[i].from, rows[i].to,
			    diag.text);
		free(s);
	}
}

static void
test_file__cut_anywhere_is_refused_or_a_shorter_ceremony(void **state)
{
	struct tkc_ceremony *c = NULL;
	size_t n, accepted = 0;

	(void)state;
	for (n = 0; n < strlen(good); n++) {
		if (!hsa_is_ok(tkc_ceremony_parse(&c, good, n, &diag)))
			continue;
		assert_true(c->steps_count <= 5);
		assert_int_equal(c->units_count, 2);
		tkc_ceremony_free(c);
		accepted++;
	}
	/* at the end of a step, of a line that is not needed, in blanks */
	if (accepted == 0 || accepted >= 100)
		fail_msg("%zu accepted", accepted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_file__a_good_one_is_read_as_it_stands),
	    cmocka_unit_test(test_file__the_demonstrations_is_good),
	    cmocka_unit_test(
		test_file__every_mistake_is_found_before_anything_runs),
	    cmocka_unit_test(
		test_file__cut_anywhere_is_refused_or_a_shorter_ceremony),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
