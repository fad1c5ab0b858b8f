#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "hsa_catalogue.h"

/*
 * tests/kat/catalogue.tsv was made from the service's document by hand, apart
 * from event.def: every cell of every line must be in the table, and nothing
 * else.
 */
#define TSV "tests/kat/catalogue.tsv"
#define COLUMNS 15
#define LINES 80

struct line {
	char *text;
	const char *cell[COLUMNS];
};

static struct line lines[LINES + 1];
static size_t lines_len;

static const char *const header[COLUMNS] = {"action", "family", "listed",
    "description", "target_type_uri", "type_uri_source", "severity",
    "severity_source", "data_event", "success_code", "correlation_id",
    "request_data", "response_data", "old_name", "notes"};

static void
split(struct line *l)
{
	char *at = l->text;

	at[strcspn(at, "\n")] = '\0';
	for (size_t i = 0; i < COLUMNS; i++) {
		l->cell[i] = at;
		at += strcspn(at, "\t");
		if (i + 1 < COLUMNS) {
			assert_int_equal(*at, '\t');
			*at++ = '\0';
		}
	}
	assert_int_equal(*at, '\0');
}

static int
load(void **state)
{
	FILE *f = fopen(TSV, "r");
	size_t cap = 0;

	(void)state;
	if (f == NULL) {
		perror(TSV ": run from the repository's root");
		return -1;
	}
	while (lines_len <= LINES &&
	       getline(&lines[lines_len].text, &cap, f) > 0) {
		split(&lines[lines_len++]);
		cap = 0;
	}
	(void)fclose(f);
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	for (size_t i = 0; i <= LINES; i++)
		free(lines[i].text);
	return 0;
}

static const char *
truth(bool v)
{
	return v ? "true" : "false";
}

static void
test_catalogue__every_cell_of_the_independent_table_is_ours(void **state)
{
	(void)state;
	assert_int_equal(lines_len, LINES + 1);
	for (size_t c = 0; c < COLUMNS; c++)
		assert_string_equal(lines[0].cell[c], header[c]);
	for (size_t i = 1; i < lines_len; i++) {
		const char *const *cell = lines[i].cell;
		const struct hsa_action_row *r = hsa_catalogue_by_name(cell[0]);

		if (r == NULL)
			fail_msg("%s is not in event.def", cell[0]);
		assert_string_equal(r->name, cell[0]);
		assert_string_equal(r->family, cell[1]);
		assert_string_equal(r->listed, cell[2]);
		assert_string_equal(r->description, cell[3]);
		assert_string_equal(r->type_uri, cell[4]);
		assert_string_equal(r->type_uri_source, cell[5]);
		assert_string_equal(r->severity, cell[6]);
		assert_string_equal(r->severity_source, cell[7]);
		assert_string_equal(truth(r->data_event), cell[8]);
		assert_string_equal(r->success_is_200 ? "200" : "2xx", cell[9]);
		assert_string_equal(r->correlation == HSA_CORRELATION_REQUIRED
					? "required"
					: "forbidden",
		    cell[10]);
		assert_string_equal(r->request_data, cell[11]);
		assert_string_equal(r->response_data, cell[12]);
		assert_string_equal(r->old_name, cell[13]);
		assert_string_equal(r->notes, cell[14]);
	}
}

static void
test_catalogue__every_row_of_ours_is_in_the_table_in_its_order(void **state)
{
	const struct hsa_action_row *r = NULL;
	size_t n = 0;

	(void)state;
	r = hsa_catalogue(&n);
	assert_int_equal(n, LINES);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(r[i].name, lines[i + 1].cell[0]);
}

static void
test_catalogue__counts_are_those_of_the_document(void **state)
{
	static const struct {
		const char *family;
		unsigned int n; /* of the 71 in Tables 2 to 11 */
	} counts[] = {{"secrets", 23}, {"key-rings", 4}, {"policies", 6},
	    {"import-token", 3}, {"registrations", 2}, {"tke", 9},
	    {"mtlscert", 8}, {"kmip", 6}, {"keystore", 9}, {"ep11", 1}};
	const struct hsa_action_row *r = NULL;
	unsigned int total = 0;
	size_t n = 0;

	(void)state;
	r = hsa_catalogue(&n);
	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		unsigned int found = 0;

		for (size_t i = 0; i < n; i++)
			found += strcmp(r[i].listed, "table") == 0 &&
				 strcmp(r[i].family, counts[k].family) == 0;
		assert_int_equal(found, counts[k].n);
		total += found;
	}
	assert_int_equal(total, 71);
}

static void
test_catalogue__codes_and_names_are_unique_and_found(void **state)
{
	const struct hsa_action_row *r = NULL;
	size_t n = 0, old = 0;

	(void)state;
	r = hsa_catalogue(&n);
	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(hsa_catalogue_by_code(r[i].code), &r[i]);
		assert_ptr_equal(hsa_catalogue_by_name(r[i].name), &r[i]);
		if (r[i].old_name[0] == '\0')
			continue;
		old++;
		assert_ptr_equal(
		    hsa_catalogue_by_old_name(r[i].old_name), &r[i]);
		assert_null(hsa_catalogue_by_name(r[i].old_name));
	}
	assert_int_equal(old, 15);
	assert_null(hsa_catalogue_by_code(HSA_ACTION_NONE));
	assert_null(hsa_catalogue_by_name(""));
	assert_null(hsa_catalogue_by_name("hs-crypto.secrets.creatE"));
	assert_null(hsa_catalogue_by_name("hs-crypto.secrets.created"));
	assert_null(hsa_catalogue_by_old_name(""));
	assert_null(hsa_catalogue_by_old_name(r[0].name));
}

static void
test_catalogue__field_lists_are_well_formed_to_their_end(void **state)
{
	const struct hsa_action_row *r = NULL;
	size_t n = 0, fields = 0;

	(void)state;
	r = hsa_catalogue(&n);
	for (size_t i = 0; i < n; i++) {
		const char *const lists[] = {
		    r[i].request_data, r[i].response_data};

		for (size_t k = 0; k < 2; k++) {
			struct hsa_field_spec f;
			size_t at = 0;

			while (hsa_field_spec_next(lists[k], &at, &f)) {
				fields++;
				if (hp_sample(f.type) == NULL)
					assert_string_equal(f.type, "hex64[]");
				assert_true(f.name[0] != '.');
				assert_null(strpbrk(f.name, ":,? "));
			}
			assert_int_equal(at, strlen(lists[k]));
		}
	}
	/* as counted in the table with cut and grep */
	assert_int_equal(fields, 252);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_catalogue__every_cell_of_the_independent_table_is_ours),
	    cmocka_unit_test(
		test_catalogue__every_row_of_ours_is_in_the_table_in_its_order),
	    cmocka_unit_test(test_catalogue__counts_are_those_of_the_document),
	    cmocka_unit_test(
		test_catalogue__codes_and_names_are_unique_and_found),
	    cmocka_unit_test(
		test_catalogue__field_lists_are_well_formed_to_their_end),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
