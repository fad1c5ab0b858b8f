/* test_tkc_cli.c - the command line: verbs, options, exit statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tkc_cli.h"

static struct hsa_diag diag;

/* words: at most eight, ended by NULL */
static hsa_rc
parse(struct tkc_options *o, const char *verb, const char *const *words)
{
	char copy[8][64], *argv[9] = {NULL};
	size_t i;

	*o = (struct tkc_options){.json = false};
	for (i = 0; i < 8 && words[i] != NULL; i++) {
		assert_true(strlen(words[i]) < sizeof(copy[0]));
		argv[i] = strcpy(copy[i], words[i]);
	}
	return opt_parse(
	    &tkc_program, &o->line, opt_find(&tkc_program, verb), argv, &diag);
}

static void
test_verbs__all_that_ibmcloud_tke_has_and_this_covers(void **state)
{
	static const char *const names[] = {"cryptounits", "cryptounit-add",
	    "cryptounit-rm", "sigkeys", "sigkey-add", "sigkey-rm", "sigkey-sel",
	    "mks", "mk-add", "mk-rm", "cryptounit-admins",
	    "cryptounit-admin-add", "cryptounit-admin-rm", "cryptounit-thrhlds",
	    "cryptounit-thrhld-set", "cryptounit-mk", "cryptounit-mk-load",
	    "cryptounit-mk-commit", "cryptounit-mk-setimm",
	    "cryptounit-mk-clrnew", "cryptounit-mk-clrcur", "cryptounit-cps",
	    "cryptounit-cp-add", "cryptounit-cp-delete", "cryptounit-zeroize",
	    "cryptounit-compare", "ceremony"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct opt_verb *v = opt_find(&tkc_program, names[i]);

		if (v == NULL)
			fail_msg("no verb %s", names[i]);
		assert_non_null(((const struct tkc_verb *)v)->run);
		assert_true(strlen(v->summary) > 10);
	}
	assert_null(opt_find(&tkc_program, "cryptounit"));
	assert_null(opt_find(&tkc_program, ""));
}

static void
test_options__values_flags_and_arguments_in_any_order(void **state)
{
	static const char *const words[] = {"p1", "--state", "/s", "--json",
	    "--sign=Ada", "--sign", "Bo", NULL};
	static const char *const after[] = {
	    "--files=a=b", "--", "--json", NULL};
	struct tkc_options o;

	(void)state;
	assert_int_equal(parse(&o, "cryptounit-mk-load", words).v, 0);
	assert_int_equal(o.line.arg_count, 1);
	assert_true(o.json);
	assert_non_null(o.state);
	assert_int_equal(o.signs, 2);
	tkc_options_free(&o);
	assert_int_equal(parse(&o, "sigkey-rm", after).v, 0);
	assert_int_equal(o.line.arg_count, 1);
	assert_false(o.json);
	tkc_options_free(&o);
}

static void
test_options__wrong_use_is_refused_with_the_way_out(void **state)
{
	static const struct {
		const char *verb;
		const char *words[6];
		const char *says;
	} rows[] = {
	    {"cryptounits", {"--bogus", NULL}, "--help"},
	    {"cryptounits", {"--random", NULL}, "--help"},
	    {"cryptounits", {"--stat", "x", NULL}, "--help"},
	    {"cryptounits", {"--state", NULL}, "needs a value"},
	    {"cryptounits", {"--json=1", NULL}, "takes no value"},
	    {"cryptounits", {"--state", "a", "--state", "b", NULL},
		"given twice"},
	    {"cryptounits", {"x", NULL}, "one word too many"},
	    {"cryptounits", {"x", "--help", NULL}, "one word too many"},
	    {"cryptounit-mk-load", {"1", "2", "3", "4", NULL},
		"one word too many"},
	    {"sigkeys", {"--state", "x", NULL}, "--help"},
	    {"mk-add", {"--password", "x", NULL}, "--help"},
	};
	struct tkc_options o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    parse(&o, rows[i].verb, rows[i].words).v, HSA_E_ARG);
		if (strstr(diag.text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].words[0], diag.text);
		tkc_options_free(&o);
	}
}

static void
test_exit__a_refusal_wrong_use_and_distrust_are_told_apart(void **state)
{
	static const struct {
		enum hsa_err rc;
		enum tkc_exit exit;
	} rows[] = {
	    {HSA_E_REMOTE, TKC_EXIT_REFUSED},
	    {HSA_E_AUTH, TKC_EXIT_REFUSED},
	    {HSA_E_STATE, TKC_EXIT_REFUSED},
	    {HSA_E_ARG, TKC_EXIT_USAGE},
	    {HSA_E_CONFIG, TKC_EXIT_USAGE},
	    {HSA_E_PASSWORD, TKC_EXIT_USAGE},
	    {HSA_E_CLOSED, TKC_EXIT_TRUST},
	    {HSA_E_TIMEOUT, TKC_EXIT_TRUST},
	    {HSA_E_SIGNATURE, TKC_EXIT_TRUST},
	};
	size_t i;

	(void)state;
	assert_int_equal(tkc_exit_of(HSA_OK), TKC_EXIT_OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    tkc_exit_of((hsa_rc){(int)rows[i].rc}), rows[i].exit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_verbs__all_that_ibmcloud_tke_has_and_this_covers),
	    cmocka_unit_test(
		test_options__values_flags_and_arguments_in_any_order),
	    cmocka_unit_test(
		test_options__wrong_use_is_refused_with_the_way_out),
	    cmocka_unit_test(
		test_exit__a_refusal_wrong_use_and_distrust_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
