#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_vfy.h"
#include "helper_vfy_run.h"
#include "record_filter.h"
#include "render.h"

/* base/log: 60 records, contexts, calls, events; base/made: what is written */
static char base[64], dir[80], made[80];
static struct helper_vfy_log a;
static struct hsa_buf out, err;

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(dir, sizeof(dir), "%s/log", base);
	(void)snprintf(made, sizeof(made), "%s/made", base);
	assert_int_equal(mkdir(made, 0700), 0);
	helper_vfy_init(&a, 1);
	helper_vfy_fill_calls(&a, 60, 4, 32);
	helper_vfy_write(&a, dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&a);
	hsa_buf_free(&out);
	hsa_buf_free(&err);
	helper_vfy_rmdir(base);
	return 0;
}

static int
run(const struct cmd *c, const char *const *args)
{
	hsa_buf_reset(&out);
	hsa_buf_reset(&err);
	return helper_vfy_run(c->run, args, &out, &err);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static size_t
lines(struct hsa_buf *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++)
		n += text->p[i] == '\n';
	return n;
}

static bool
says(struct hsa_buf *text, const char *part)
{
	return strstr(hsa_buf_cstr(text), part) != NULL;
}

/* What lies in made, by name. */
static size_t
files(void)
{
	DIR *d = opendir(made);
	size_t n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

static void
slurp(struct hsa_buf *b, const char *path)
{
	FILE *f = fopen(path, "r");
	uint8_t part[4096];
	size_t n;

	assert_non_null(f);
	hsa_buf_reset(b);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		hsa_buf_put(b, part, n);
	(void)fclose(f);
}

/* The lines of `-o envelope` whose member (a path of two at most) has the
 * text, counted by another parser than any of ours. */
static size_t
count(const char *outer, const char *name, const char *text)
{
	size_t n = 0;
	const char *p, *lf;

	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-o", "envelope", dir)), 0);
	p = hsa_buf_cstr(&out);
	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1) {
		json_t *j = json_loadb(p, (size_t)(lf - p), 0, NULL), *v;

		assert_non_null(j);
		v = json_object_get(j, outer);
		v = name == NULL ? v : json_object_get(v, name);
		n += v != NULL &&
		     (text == NULL ||
			 (json_is_string(v) &&
			     strcmp(json_string_value(v), text) == 0));
		json_decref(j);
	}
	return n;
}

static void
test_export__each_format_has_every_event_behind_its_head(void **state)
{
	const struct render *f = render_next(NULL);
	size_t events = count("event", NULL, NULL), head;

	(void)state;
	assert_true(events > 20);
	while ((f = render_next(f)) != NULL) {
		head = f->head != NULL;
		assert_int_equal(
		    run(&cmd_export, ARGS("export", "-o", f->name, dir)), 0);
		assert_int_equal(
		    lines(&out), (f->events_only ? events : 60) + head);
		/* one head, however many logs */
		assert_int_equal(
		    run(&cmd_export, ARGS("export", "-o", f->name, dir, dir)),
		    0);
		assert_int_equal(
		    run(&cmd_tail, ARGS("tail", "-o", f->name, dir)), 0);
		assert_int_equal(
		    lines(&out), (f->events_only ? events : 60) + head);
	}
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-o", "text", dir)), 2);
	assert_true(says(&err, "there are ibm-at, envelope, cadf-1.0"));
}

static void
test_filter__takes_what_was_asked_for(void **state)
{
	const char *use = "hs-crypto.ep11.use";
	size_t uses = count("event", "action", use);
	size_t failures = count("event", "outcome", "failure");
	size_t starts = count("special", "name", "UNIT_START");

	(void)state;
	assert_true(uses > 10 && failures > 3 && starts == 2);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "--action", use, dir)), 0);
	assert_int_equal(lines(&out), uses);
	assert_int_equal(
	    run(&cmd_tail, ARGS("tail", "--action", "UNIT_ST*", dir)), 0);
	assert_int_equal(lines(&out), starts);
	assert_int_equal(run(&cmd_tail, ARGS("tail", "-A", "UNIT_START", "-A",
					    "*.ep11.*", dir)),
	    0);
	assert_int_equal(lines(&out), starts + uses);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "--outcome", "failure", dir)), 0);
	assert_int_equal(lines(&out), failures);
	/* a special record has none */
	assert_int_equal(run(&cmd_tail, ARGS("tail", "-O", "success", dir)), 0);
	assert_int_equal(lines(&out), uses);
	assert_int_equal(run(&cmd_export, ARGS("export", "-o", "envelope",
					      "--from", "7", "--to", "9", dir)),
	    0);
	assert_int_equal(lines(&out), 3);
	assert_true(says(&out, "\"sequence\":7,"));
	assert_true(says(&out, "\"sequence\":9,"));
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-O", "good", dir)), 2);
	assert_int_equal(run(&cmd_export, ARGS("export", "-N", "x", dir)), 2);
	assert_int_equal(run(&cmd_export, ARGS("export", "-S", "now", dir)), 2);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-t", made, "-N", "7", dir)), 2);
}

/* Records lie a second apart, the first at 2025-11-22T10:30:00Z; calls are
 * found by the time of their event. */
static void
test_filter__since_and_until_are_a_half_open_span(void **state)
{
	size_t all, before, after;

	(void)state;
	assert_int_equal(run(&cmd_export, ARGS("export", dir)), 0);
	all = lines(&out);
	assert_int_equal(run(&cmd_export, ARGS("export", "--until",
					      "2025-11-22T10:30:20Z", dir)),
	    0);
	before = lines(&out);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "--since",
				 "2025-11-22T11:30:20.000+01:00", dir)),
	    0);
	after = lines(&out);
	assert_true(before > 5 && after > 5);
	assert_int_equal(before + after, all);
	assert_int_equal(run(&cmd_export, ARGS("export", "-S", "2025-11-22",
					      "-U", "2025-11-23", dir)),
	    0);
	assert_int_equal(lines(&out), all);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-S", "2025-11-23", dir)), 0);
	assert_int_equal(lines(&out), 0);
}

static void
test_filter__a_time_is_a_time(void **state)
{
	static const struct {
		const char *text;
		uint64_t s, ns;
	} good[] = {
	    {"1970-01-01", 0, 0},
	    {"2026-02-28", 1772236800, 0},
	    {"2024-02-29T12:00:00Z", 1709208000, 0},
	    {"2025-11-22T10:42:07.31+0000", 1763808127, 310000000},
	    {"2025-11-22T10:42:07.319876543Z", 1763808127, 319876543},
	    {"2025-11-22T10:42:07.3198765439Z", 1763808127, 319876543},
	    {"2025-11-22 12:42:07+02:00", 1763808127, 0},
	    {"2025-11-22t05:12:07-05:30", 1763808127, 0},
	};
	static const char *const bad[] = {"", "2026", "2026-02-30", "2026-1-1",
	    "2026-13-01", "2026-00-01", "2026-01-01T", "2026-01-01T09:00:00",
	    "2026-01-01T25:00:00Z", "2026-01-01T09:60:00Z",
	    "2026-01-01T09:00:60Z", "2026-01-01T09:00:00Zx",
	    "2026-01-01T09:00:00.Z", "2026-01-01T09:00:00+24:00", "2026-01-01x",
	    "1969-12-31", "1970-01-01T00:00:00+00:01", "2999-01-01",
	    " 2026-01-01", "-026-01-01"};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!record_filter_time(&ns, good[i].text))
			fail_msg("%s is no time", good[i].text);
		assert_int_equal(ns, good[i].s * 1000000000 + good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (record_filter_time(&ns, bad[i]))
			fail_msg("%s is a time", bad[i]);
}

static void
test_export__a_file_is_there_whole_or_not_at_all(void **state)
{
	struct hsa_buf want = {0}, got = {0};
	char path[128], bad[128];
	struct stat st;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/events.csv", made);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-o", "kur-csv", dir)), 0);
	hsa_buf_put(&want, out.p, out.len);
	assert_int_equal(run(&cmd_export, ARGS("export", "-o", "kur-csv",
					      "--output", path, dir)),
	    0);
	assert_int_equal(out.len, 0);
	slurp(&got, path);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.p, want.p, want.len);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0111, 0);
	assert_int_equal(files(), 1);
	/* a damaged log leaves what was there */
	a.file[1].b.p[0] ^= 1;
	helper_vfy_write(&a, dir);
	assert_int_equal(run(&cmd_export, ARGS("export", "-o", "cef",
					      "--output", path, dir)),
	    1);
	slurp(&got, path);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.p, want.p, want.len);
	assert_int_equal(files(), 1);
	/* and a place that cannot be written is said before anything is read */
	(void)snprintf(bad, sizeof(bad), "%s/no/such", made);
	assert_int_equal(run(&cmd_export, ARGS("export", "-w", bad, dir)), 2);
	assert_true(says(&err, "cannot write"));
	hsa_buf_free(&want);
	hsa_buf_free(&got);
}

/* Each format shows the events before the call whose context is not there,
 * then says where it stops. */
static void
test_export__a_call_without_its_context_is_damage(void **state)
{
	const struct render *f = render_next(NULL);
	struct helper_vfy_log l;
	char other[80];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", base);
	helper_vfy_init(&l, 2);
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_start(&l);
	helper_vfy_context(&l);
	helper_vfy_compact(&l, 2);
	helper_vfy_compact(&l, 1);
	helper_vfy_compact(&l, 2);
	helper_vfy_checkpoint(&l);
	helper_vfy_write(&l, other);
	while ((f = render_next(f)) != NULL) {
		assert_int_equal(
		    run(&cmd_export, ARGS("export", "-o", f->name, other)), 1);
		assert_int_equal(
		    lines(&out), (f->events_only ? 1 : 4) + (f->head != NULL));
		assert_true(says(&err, "from record 4 on"));
	}
	helper_vfy_free(&l);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_export__each_format_has_every_event_behind_its_head),
	    CASE(test_filter__takes_what_was_asked_for),
	    CASE(test_filter__since_and_until_are_a_half_open_span),
	    cmocka_unit_test(test_filter__a_time_is_a_time),
	    CASE(test_export__a_file_is_there_whole_or_not_at_all),
	    CASE(test_export__a_call_without_its_context_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
