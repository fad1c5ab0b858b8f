/* The table of exposures, and what ep11/README.md shows of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_exposure.h"
#include "hsa_buf.h"

#define README "ep11/README.md"
#define HEAD                                                                   \
	"| row | value outside | what | why the token cannot | what is done |" \
	"\n|---|---|---|---|---|\n"

static void
render(struct hsa_buf *b)
{
	size_t n = 0;
	const struct ep11_exposure_row *r = ep11_exposure_rows(&n);

	hsa_buf_str(b, HEAD);
	for (size_t i = 0; i < n; i++)
		hsa_buf_printf(b, "| %s | %s | %s | %s | %s |\n", r[i].name,
		    r[i].value ? "yes" : "no", r[i].what, r[i].why,
		    r[i].instead);
}

static void
test_ep11_exposure__rows_say_what_why_and_instead(void **state)
{
	size_t n = 0;
	const struct ep11_exposure_row *r = ep11_exposure_rows(&n);

	(void)state;
	assert_int_equal(n, EP11_EXPOSURE_END);
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(r[i].what) > 10);
		assert_true(strlen(r[i].why) > 10);
		assert_true(strlen(r[i].instead) > 10);
		assert_null(strchr(r[i].what, '|'));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(r[i].name, r[j].name);
	}
	printf("COUNT rows of exposure: %zu\n", n);
}

static void
test_ep11_exposure__readme_shows_the_table_as_it_is(void **state)
{
	struct hsa_buf want = {0}, have = {0};
	char line[2048];
	FILE *f = fopen(README, "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		hsa_buf_str(&have, line);
	(void)fclose(f);
	render(&want);
	if (strstr(hsa_buf_cstr(&have), hsa_buf_cstr(&want)) == NULL) {
		/* cmocka's messages are too short for it */
		printf("%s needs:\n%s", README, hsa_buf_cstr(&want));
		fail_msg("%s shows another table", README);
	}
	hsa_buf_free(&want);
	hsa_buf_free(&have);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ep11_exposure__rows_say_what_why_and_instead),
	    cmocka_unit_test(
		test_ep11_exposure__readme_shows_the_table_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
