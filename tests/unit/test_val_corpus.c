/* The corpus: valid events pass, each broken one is found by its own check
 * alone, no check is without one; the same bytes each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hsa_hash.h"
#include "helper_proto.h"
#include "val_case.h"
#include "val_corpus.h"
#include "val_run.h"

static struct val_run run;
static struct val_units units; /* by their number */

/* Of one item: findings by check, and the path of the last one. */
static unsigned int found[VAL_CHECKS], errors;
static char path[256];

static void
take(void *ctx, const struct val_finding *f)
{
	(void)ctx;
	found[f->check]++;
	if (f->level == VAL_LEVEL_ERROR)
		errors++;
	(void)snprintf(path, sizeof(path), "%s", f->path);
}

/* As the validator reads a file: one event, or one in each line. */
static void
validate(const struct val_corpus_item *i)
{
	const char *at = (const char *)i->text.p, *end = at + i->text.len;
	bool lines = strstr(i->file, ".jsonl") != NULL;
	const char *stop;

	memset(found, 0, sizeof(found));
	errors = 0;
	path[0] = '\0';
	run.cfg.profile = i->profile;
	run.cfg.strict = i->strict;
	run.cfg.across = true;
	val_across_free(&run.across);
	units.n = i->units;
	run.across.fan.units = i->units == 0 ? NULL : &units;
	run.report.take = take;
	for (; at < end; at = stop + 1) {
		stop = lines ? memchr(at, '\n', (size_t)(end - at)) : end;
		assert_non_null(stop);
		assert_ok(val_run_text(&run, at, (size_t)(stop - at)));
	}
	assert_ok(val_run_end(&run));
}

static void
names_found(char to[256])
{
	size_t n = 0;

	to[0] = '\0';
	for (size_t c = 0; c < VAL_CHECKS; c++)
		if (found[c] != 0 && n < 200)
			n += (size_t)snprintf(to + n, 256 - n, "%s%s",
			    n == 0 ? "" : " ",
			    val_check_row((enum val_check)c)->id);
}

struct seen {
	unsigned int valid, exports, broken[VAL_CHECKS];
	unsigned int by[VAL_CHECKS][VAL_CHECKS]; /* broken one, finding check */
	unsigned int warned[VAL_CHECKS];         /* of valid ones, as told */
	char file[4096][96];
	size_t files;
};

static void
once(struct seen *s, const char *file)
{
	assert_true(strlen(file) < sizeof(s->file[0]));
	for (size_t i = 0; i < s->files; i++)
		if (strcmp(s->file[i], file) == 0)
			fail_msg("%s is there twice", file);
	assert_true(s->files < sizeof(s->file) / sizeof(s->file[0]));
	memcpy(s->file[s->files++], file, strlen(file) + 1);
}

/* Words of b are all in a. */
static bool
has_all(const char *a, const char *b)
{
	char id[8];
	size_t n;

	for (; *b != '\0'; b += n + strspn(b + n, " ")) {
		n = strcspn(b, " ");
		(void)snprintf(id, sizeof(id), "%.*s", (int)n, b);
		if (strstr(a, id) == NULL)
			return false;
	}
	return true;
}

static hsa_rc
one(void *ctx, const struct val_corpus_item *i)
{
	struct seen *s = ctx;
	char got[256];

	once(s, i->file);
	validate(i);
	names_found(got);
	if (i->check != VAL_CHECKS) {
		s->broken[i->check]++;
		for (size_t c = 0; c < VAL_CHECKS; c++)
			s->by[i->check][c] += found[c] != 0;
		if (strcmp(got, val_check_row(i->check)->id) != 0)
			fail_msg("%s: found by %s", i->file, got);
		if (strcmp(path, i->path) != 0)
			fail_msg("%s: found at %s, not at %s", i->file, path,
			    i->path);
		assert_true(i->fix[0] != '\0');
	} else {
		s->valid++;
		s->exports += i->profile == VAL_AT_EXPORT;
		for (size_t c = 0; c < VAL_CHECKS; c++)
			s->warned[c] += found[c] != 0;
		if (errors != 0 || !has_all(got, i->warnings) ||
		    !has_all(i->warnings, got))
			fail_msg("%s: %u errors: %s, not %s", i->file, errors,
			    got, i->warnings);
	}
	assert_true(i->note.len > 0);
	return HSA_OK;
}

/* A row for each check: how many broken events it has, which checks find them,
 * and how often it is heard of valid ones. */
static void
matrix(const struct seen *s)
{
	print_message("COUNT corpus, check x caught: broken | caught by | "
		      "heard of %u valid\n",
	    s->valid);
	for (size_t b = 0; b < VAL_CHECKS; b++) {
		print_message("COUNT   %s %2u |",
		    val_check_row((enum val_check)b)->id, s->broken[b]);
		for (size_t c = 0; c < VAL_CHECKS; c++)
			if (s->by[b][c] != 0)
				print_message(" %s %2u",
				    val_check_row((enum val_check)c)->id,
				    s->by[b][c]);
		print_message(" | %u\n", s->warned[b]);
	}
}

static void
test_val_corpus__each_item_is_found_by_what_it_says(void **state)
{
	struct seen *s = calloc(1, sizeof(*s));
	struct hsa_diag diag = {{0}};
	unsigned int checks = 0, broken = 0;

	(void)state;
	assert_non_null(s);
	assert_ok(val_corpus_each(one, s, &diag));
	for (size_t c = 0; c < VAL_CHECKS; c++) {
		/* of more targets than anybody wants to have as a file */
		if (c == VAL_W12)
			continue;
		if (s->broken[c] == 0)
			fail_msg("no broken event for %s: add one to "
				 "val_case_broken.c",
			    val_check_row((enum val_check)c)->id);
		checks++;
		broken += s->broken[c];
	}
	matrix(s);
	print_message("COUNT corpus: %u valid events and logs pass (%u as "
		      "exports), %u broken ones are found by their own check "
		      "alone, of %u checks\n",
	    s->valid, s->exports, broken, checks);
	assert_true(s->valid > 1300);
	assert_true(s->exports >= 160);
	free(s);
}

/* ---- the same each time -------------------------------------------------- */

static hsa_rc
add(void *ctx, const struct val_corpus_item *i)
{
	struct hsa_buf *b = ctx;

	hsa_buf_str(b, i->file);
	hsa_buf_put(b, i->text.p, i->text.len);
	hsa_buf_put(b, i->note.p, i->note.len);
	return hsa_buf_rc(b);
}

static void
test_val_corpus__is_the_same_bytes_each_time(void **state)
{
	struct hsa_buf a = {0}, b = {0};
	struct hsa_diag diag = {{0}};

	(void)state;
	assert_ok(val_corpus_each(add, &a, &diag));
	assert_ok(val_corpus_each(add, &b, &diag));
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);
	hsa_buf_free(&a);
	hsa_buf_free(&b);
}

/* All hosts are of example.com or the ranges for documentation. */
static hsa_rc
invented(void *ctx, const struct val_corpus_item *i)
{
	struct hsa_buf b = {0};
	const char *s, *at;

	(void)ctx;
	hsa_buf_put(&b, i->text.p, i->text.len);
	s = hsa_buf_cstr(&b);
	for (at = s; (at = strstr(at, "\"address\": \"")) != NULL; at++)
		if (strncmp(at + 12, "203.0.113.", 10) != 0 &&
		    strncmp(at + 12, "2001:db8:", 9) != 0 && at[12] != '"')
			fail_msg("%s: %.60s", i->file, at);
	for (at = s; (at = strchr(at, '@')) != NULL; at++)
		if (strncmp(at, "@example.com", 12) != 0)
			fail_msg("%s: %.60s", i->file, at);
	hsa_buf_free(&b);
	return HSA_OK;
}

static void
test_val_corpus__names_nobody(void **state)
{
	struct hsa_diag diag = {{0}};

	(void)state;
	assert_ok(val_corpus_each(invented, NULL, &diag));
}

static hsa_rc
stop(void *ctx, const struct val_corpus_item *i)
{
	(void)i;
	++*(unsigned int *)ctx;
	return HSA_RC(E_FULL);
}

static void
test_val_corpus__ends_with_an_error_of_its_taker(void **state)
{
	struct hsa_diag diag = {{0}};
	unsigned int n = 0;

	(void)state;
	assert_rc("E_FULL", val_corpus_each(stop, &n, &diag));
	assert_int_equal(n, 1);
}

static int
done(void **state)
{
	(void)state;
	val_run_free(&run);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_val_corpus__each_item_is_found_by_what_it_says),
	    cmocka_unit_test(test_val_corpus__is_the_same_bytes_each_time),
	    cmocka_unit_test(test_val_corpus__names_nobody),
	    cmocka_unit_test(test_val_corpus__ends_with_an_error_of_its_taker),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
