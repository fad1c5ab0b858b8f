#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper_proto.h"
#include "helper_vfy.h"
#include "hsa_buf.h"
#include "render.h"

/*
 * Every format against a second reading of it: the events go out in all of
 * them, and tests/kat/read_exports.py, which shares nothing with the renderers,
 * makes each line again from the envelope, with parsers of others where there
 * are some (json, csv), and compares. EXPORTS_TO names a folder where the files
 * stay, for further readers (tests/interop).
 */
#define READER "tests/kat/read_exports.py"

static char dir[128];
static FILE *to[8];
static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static size_t
next(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static void
each(const struct hsa_record *r)
{
	const struct render *f = render_next(NULL);
	struct hsa_buf b = {0};

	for (size_t i = 0; (f = render_next(f)) != NULL; i++) {
		hsa_buf_reset(&b);
		render_line(&b, f, &(const struct render_in){.r = r});
		assert_true(
		    b.len == 0 || fwrite(b.p, 1, b.len, to[i]) == b.len);
	}
	hsa_buf_free(&b);
}

static int
setup(void **state)
{
	const struct render *f = render_next(NULL);
	const char *keep = getenv("EXPORTS_TO");
	static unsigned int turn;
	struct hsa_buf b = {0};
	char path[160];

	(void)state;
	if (keep != NULL)
		(void)snprintf(dir, sizeof(dir), "%s/%u", keep, ++turn);
	else
		helper_vfy_tmpdir(dir);
	assert_true(keep == NULL || mkdir(dir, 0700) == 0);
	for (size_t i = 0; (f = render_next(f)) != NULL; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, f->name);
		to[i] = fopen(path, "w");
		assert_non_null(to[i]);
		hsa_buf_reset(&b);
		if (f->head != NULL)
			f->head(&b);
		assert_true(
		    b.len == 0 || fwrite(b.p, 1, b.len, to[i]) == b.len);
	}
	hsa_buf_free(&b);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (getenv("EXPORTS_TO") == NULL)
		helper_vfy_rmdir(dir);
	return 0;
}

/* The script, over everything that was written. */
static void
read_again(size_t records)
{
	char command[192];

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		if (to[i] != NULL)
			assert_int_equal(fclose(to[i]), 0);
	memset(to, 0, sizeof(to));
	(void)snprintf(command, sizeof(command), "python3 %s %s %zu", READER,
	    dir, records);
	assert_int_equal(system(command), 0); /* NOLINT: our own mkdtemp */
}

static void
test_exports__each_action_reads_back_in_each_format(void **state)
{
	const struct hsa_action_row *row;
	size_t n = 0, records = 0;

	(void)state;
	row = hsa_catalogue(&n);
	for (size_t i = 0; i < n; i++) {
		static const uint32_t status[] = {200, 500, 403};

		for (size_t k = 0; k < 3; k++, records++) {
			struct hsa_record r;

			hp_record(&r, row[i].code, status[k]);
			r.sequence = records;
			each(&r);
			hsa_record_free(&r);
		}
	}
	read_again(records);
}

/* ---- text that means something to one of the formats ----------------------
 */

static char *
hostile(void)
{
	static const char *const part[] = {"=", "+", "-", "@", "\t", "\r", "\n",
	    "'", "\"", "\"\"", ",", ";", "|", "\\", "\\n", "\\=", " ", "  ",
	    "x=", " msg=", " cs1Label=no", "a", "B2", ":", "\x01", "\x7f",
	    "\xc2\x85", "\xc3\xa9", "\xf0\x9f\x94\x91", "=cmd|' /C calc'!A0",
	    "{", "}", "crn:v1:", "CEF:0|"};
	struct hsa_buf b = {0};
	char *s;

	for (size_t i = next(7); i > 0; i--)
		hsa_buf_str(&b, part[next(sizeof(part) / sizeof(part[0]))]);
	s = strdup(hsa_buf_cstr(&b));
	assert_non_null(s);
	hsa_buf_free(&b);
	return s;
}

static void
spoil(char **s)
{
	if (next(3) == 0)
		return;
	free(*s);
	*s = next(12) == 0 ? NULL : hostile();
}

static void
test_exports__no_text_breaks_a_line_or_is_changed(void **state)
{
	static const char *const address[] = {
	    "2001:db8::7", "203.0.113.9", "nowhere", ""};
	const size_t records = 3000;
	const struct hsa_action_row *row;
	size_t n = 0;

	(void)state;
	row = hsa_catalogue(&n);
	for (size_t i = 0; i < records; i++) {
		struct hsa_record r;
		struct hsa_event *ev = &r.event;

		hp_record(&r, row[next(n)].code, next(2) ? 200 : 500);
		r.sequence = i;
		ev->event_time_ns += next(1000000000) * 1000000;
		spoil(&ev->initiator.id);
		spoil(&ev->initiator.name);
		spoil(&ev->initiator.host_agent);
		spoil(&ev->target_id);
		spoil(&ev->target_name);
		spoil(&ev->message);
		spoil(&ev->reason_failure);
		spoil(&ev->correlation_id);
		free(ev->initiator.host_address);
		ev->initiator.host_address = strdup(address[next(4)]);
		if (ev->has_request && ev->request.len != 0 &&
		    ev->request.field[0].kind == HSA_VALUE_TEXT)
			spoil(&ev->request.field[0].text);
		each(&r);
		hsa_record_free(&r);
	}
	read_again(records);
}

static void
test_exports__only_events_leave_in_formats_of_others(void **state)
{
	const struct render *f = render_next(NULL);
	struct hsa_buf b = {0};
	struct hsa_record r;

	(void)state;
	hp_special(&r);
	while ((f = render_next(f)) != NULL) {
		hsa_buf_reset(&b);
		render_line(&b, f, &(const struct render_in){.r = &r});
		assert_int_equal(b.len == 0, f->events_only);
	}
	assert_ptr_equal(render_find("json"), render_find("ibm-at"));
	assert_null(render_find("csv"));
	hsa_record_free(&r);
	hsa_buf_free(&b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_exports__each_action_reads_back_in_each_format),
	    CASE(test_exports__no_text_breaks_a_line_or_is_changed),
	    cmocka_unit_test(
		test_exports__only_events_leave_in_formats_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
