#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper_vfy.h"
#include "vfy_log.h"

static char dir[80], base[64];

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(dir, sizeof(dir), "%s/log", base);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_rmdir(base);
	return 0;
}

static struct vfy_follow *
start(uint64_t from)
{
	struct vfy_follow *f;
	struct hsa_diag d;

	assert_int_equal(vfy_follow_open(&f, dir, &d).v, 0);
	vfy_follow_from(f, from);
	return f;
}

/* The next `n` records have these sequences, and then there is no more. */
static void
expect(struct vfy_follow *f, uint64_t from, uint64_t to)
{
	struct hsa_record r;
	hsa_rc rc;

	for (uint64_t i = from; i < to; i++) {
		rc = vfy_follow_next(f, &r, 0);
		assert_string_equal(hsa_err_name(rc), "OK");
		assert_int_equal(r.sequence, i);
		hsa_record_free(&r);
	}
	assert_int_equal(vfy_follow_next(f, &r, 0).v, HSA_E_TIMEOUT);
}

static void
test_follow__gives_every_record_of_every_split_from_any_start(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 24; n += 4)
		for (size_t seg = 2; seg <= 26; seg += 8)
			for (uint64_t from = 0; from <= n + 2; from += 3) {
				struct helper_vfy_log l;
				struct vfy_follow *f;

				helper_vfy_init(&l, 3);
				helper_vfy_fill(&l, n, 3, seg);
				helper_vfy_write(&l, dir);
				f = start(from);
				expect(f, from < n ? from : n, n);
				vfy_follow_free(f);
				helper_vfy_free(&l);
			}
}

static void
test_follow__shows_only_what_is_sealed(void **state)
{
	struct helper_vfy_log l;
	struct vfy_follow *f;
	size_t whole, sealed = 0;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 9, 3, 100);
	assert_int_equal(mkdir(dir, 0700), 0);
	f = start(0);
	whole = l.file[0].b.len;
	/* the file grows by seven bytes at a time */
	for (size_t n = 0; n <= whole;
	     n += n + 7 > whole && n < whole ? whole - n : 7) {
		size_t now = 0;

		helper_vfy_put_file(dir, l.file[0].name, l.file[0].b.p, n);
		for (size_t i = 0; i < l.entries; i++)
			if (l.entry[i].kind == HSA_ENTRY_CHECKPOINT &&
			    l.entry[i].offset + l.entry[i].len <= n)
				now = (size_t)l.entry[i].sequence;
		expect(f, sealed, now);
		sealed = now;
	}
	assert_int_equal(sealed, 9);
	vfy_follow_free(f);
	helper_vfy_free(&l);
}

static void
test_follow__survives_a_recovery_that_cuts_and_seals_again(void **state)
{
	struct helper_vfy_log l;
	struct vfy_follow *f;
	size_t keep, cut;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
	keep = l.file[0].b.len;
	helper_vfy_special(&l);
	cut = l.file[0].b.len - 3;
	helper_vfy_special(&l);
	helper_vfy_event(&l);
	helper_vfy_checkpoint(&l);
	assert_int_equal(mkdir(dir, 0700), 0);
	helper_vfy_put_file(dir, l.file[0].name, l.file[0].b.p, cut);
	f = start(0);
	expect(f, 0, 1);
	helper_vfy_put_file(dir, l.file[0].name, l.file[0].b.p, keep);
	expect(f, 1, 1);
	helper_vfy_put_file(
	    dir, l.file[0].name, l.file[0].b.p, l.file[0].b.len);
	expect(f, 1, 4);
	/* a new segment that was removed and made anew */
	helper_vfy_segment(&l);
	helper_vfy_put_file(
	    dir, l.file[1].name, l.file[1].b.p, l.file[1].b.len);
	expect(f, 4, 4);
	{
		char path[160];

		(void)snprintf(
		    path, sizeof(path), "%s/%s", dir, l.file[1].name);
		assert_int_equal(unlink(path), 0);
	}
	expect(f, 4, 4);
	helper_vfy_special(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_put_file(
	    dir, l.file[1].name, l.file[1].b.p, l.file[1].b.len);
	expect(f, 4, 5);
	vfy_follow_free(f);
	helper_vfy_free(&l);
}

static void *
write_later(void *arg)
{
	const struct timespec t = {0, 100000000};

	(void)nanosleep(&t, NULL);
	helper_vfy_write(arg, dir);
	return NULL;
}

static void
test_follow__waits_for_the_first_segment(void **state)
{
	struct helper_vfy_log l;
	struct hsa_record r;
	struct vfy_follow *f;
	struct hsa_diag d;
	pthread_t t;

	(void)state;
	assert_int_equal(vfy_follow_open(&f, dir, &d).v, HSA_E_NOT_FOUND);
	assert_non_null(strstr(d.text, dir));
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 2, 2, 100);
	assert_int_equal(mkdir(dir, 0700), 0);
	f = start(0);
	assert_int_equal(vfy_follow_next(f, &r, 30).v, HSA_E_TIMEOUT);
	assert_int_equal(pthread_create(&t, NULL, write_later, &l), 0);
	/* the folder is made anew meanwhile: it is the old one that we hold */
	assert_int_equal(pthread_join(t, NULL), 0);
	vfy_follow_free(f);
	f = start(0);
	assert_int_equal(vfy_follow_next(f, &r, 1000).v, 0);
	hsa_record_free(&r);
	vfy_follow_free(f);
	helper_vfy_free(&l);
}

static void *
put_later(void *arg)
{
	const struct helper_vfy_log *l = arg;
	const struct timespec t = {0, 100000000};

	(void)nanosleep(&t, NULL);
	helper_vfy_put_file(
	    dir, l->file[0].name, l->file[0].b.p, l->file[0].b.len);
	return NULL;
}

static void
test_follow__wakes_when_records_come(void **state)
{
	struct helper_vfy_log l;
	struct hsa_record r;
	struct vfy_follow *f;
	pthread_t t;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 2, 2, 100);
	assert_int_equal(mkdir(dir, 0700), 0);
	f = start(0);
	assert_int_equal(pthread_create(&t, NULL, put_later, &l), 0);
	assert_int_equal(vfy_follow_next(f, &r, 5000).v, 0);
	assert_int_equal(r.sequence, 0);
	hsa_record_free(&r);
	assert_int_equal(pthread_join(t, NULL), 0);
	expect(f, 1, 2);
	vfy_follow_free(f);
	helper_vfy_free(&l);
}

static void
test_follow__bytes_that_are_no_log_are_an_error_with_a_place(void **state)
{
	struct helper_vfy_log l;
	struct vfy_place at;
	struct hsa_record r;
	struct vfy_follow *f;

	(void)state;
	helper_vfy_init(&l, 3);
	helper_vfy_fill(&l, 6, 3, 100);
	/* the second batch's first record: its length */
	l.file[0].b.p[l.entry[5].offset] = 0;
	helper_vfy_write(&l, dir);
	f = start(0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(vfy_follow_next(f, &r, 0).v, 0);
		hsa_record_free(&r);
	}
	assert_int_equal(vfy_follow_next(f, &r, 0).v, HSA_E_FORMAT);
	vfy_follow_place(f, &at);
	assert_string_equal(at.file, l.file[0].name);
	assert_int_equal(at.sequence, 3);
	vfy_follow_free(f);
	helper_vfy_free(&l);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_follow__gives_every_record_of_every_split_from_any_start),
	    CASE(test_follow__shows_only_what_is_sealed),
	    CASE(test_follow__survives_a_recovery_that_cuts_and_seals_again),
	    CASE(test_follow__waits_for_the_first_segment),
	    CASE(test_follow__wakes_when_records_come),
	    CASE(test_follow__bytes_that_are_no_log_are_an_error_with_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
