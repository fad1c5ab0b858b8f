#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "helper_proto.h"
#include "hsa_err.h"

static void
test_hsa_err__every_code_has_name_text_and_duty(void **state)
{
	static const char *const duties[] = {"FIX", "RETRY", "STOP", "CLEAN"};
	int32_t v = 0;

	(void)state;
	/* values descend without a gap, so the first unknown one ends it */
	for (v = -1; strcmp(hsa_err_name((hsa_rc){v}), "E_UNKNOWN") != 0; v--) {
		const char *duty = hsa_err_duty((hsa_rc){v});
		unsigned int known = 0;

		assert_memory_equal(hsa_err_name((hsa_rc){v}), "E_", 2);
		assert_true(strlen(hsa_err_text((hsa_rc){v})) > 3);
		for (size_t i = 0; i < 4; i++)
			known += strcmp(duties[i], duty) == 0;
		assert_int_equal(known, 1);
	}
	assert_int_equal(v, HSA_E_STOPPED - 1);
}

static void
test_hsa_err__success_and_unknown_codes_have_their_own_words(void **state)
{
	(void)state;
	assert_string_equal(hsa_err_name(HSA_OK), "OK");
	assert_string_equal(hsa_err_text(HSA_OK), "success");
	assert_string_equal(hsa_err_duty(HSA_OK), "");
	assert_string_equal(hsa_err_name((hsa_rc){7}), "E_UNKNOWN");
	assert_string_equal(hsa_err_text((hsa_rc){7}), "unknown error");
	assert_string_equal(hsa_err_duty((hsa_rc){7}), "");
	assert_rc("E_CORRUPT", HSA_RC(E_CORRUPT));
}

static void
test_hsa_diag__wrap_puts_the_context_before_the_cause(void **state)
{
	struct hsa_diag d = {""};

	(void)state;
	assert_rc("E_ARG", hsa_fail(&d, HSA_RC(E_ARG), "%s: use %d", "bad", 3));
	assert_string_equal(d.text, "bad: use 3");
	hsa_diag_wrap(&d, "file %s", "x");
	assert_string_equal(d.text, "file x: bad: use 3");
	hsa_diag_set(&d, "new");
	assert_string_equal(d.text, "new");
}

static void
test_hsa_diag__no_place_for_a_message_is_allowed(void **state)
{
	(void)state;
	hsa_diag_set(NULL, "x");
	hsa_diag_wrap(NULL, "x");
	assert_rc("E_IO", hsa_fail(NULL, HSA_RC(E_IO), "x"));
}

static void
test_hsa_diag__a_long_message_is_cut_and_stays_terminated(void **state)
{
	char text[3 * sizeof(struct hsa_diag)];
	struct hsa_diag d = {""};

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	hsa_diag_set(&d, "%s", text);
	assert_int_equal(strlen(d.text), sizeof(d.text) - 1);
	hsa_diag_wrap(&d, "why");
	assert_int_equal(strlen(d.text), sizeof(d.text) - 1);
	assert_memory_equal(d.text, "why: aaa", 8);
	/* each length near the end, with a sanitizer watching */
	for (size_t n = sizeof(d.text) - 8; n < sizeof(d.text) + 4; n++) {
		hsa_diag_set(&d, "old");
		hsa_diag_wrap(&d, "%.*s", (int)n, text);
		assert_true(strlen(d.text) < sizeof(d.text));
		assert_int_equal(d.text[0], 'a');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hsa_err__every_code_has_name_text_and_duty),
	    cmocka_unit_test(
		test_hsa_err__success_and_unknown_codes_have_their_own_words),
	    cmocka_unit_test(
		test_hsa_diag__wrap_puts_the_context_before_the_cause),
	    cmocka_unit_test(test_hsa_diag__no_place_for_a_message_is_allowed),
	    cmocka_unit_test(
		test_hsa_diag__a_long_message_is_cut_and_stays_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
