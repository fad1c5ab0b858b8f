/* A log that begins after a damaged one (FORMAT.md V11), and what a reader
 * says when it does not begin as it has to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_vfy.h"
#include "hsa_chain.h"
#include "vfy_log.h"
#include "vfy_note.h"
#include "vfy_store.h"

static char dir[64];
static struct helper_vfy_log l;

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_rmdir(dir);
	return 0;
}

static struct vfy_result
verify(void)
{
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct hsa_diag diag = {{0}};
	struct vfy_result res;

	helper_vfy_write(&l, dir);
	assert_ok(vfy_keys_parse(&keys, l.key_line, strlen(l.key_line), &diag));
	assert_ok(vfy_log(&res, dir, &opt, &diag));
	vfy_keys_free(&keys);
	return res;
}

/* Everything up to the checkpoint that ends the first segment. */
static void
begin(unsigned int number, uint64_t epoch)
{
	struct hsa_chain c;

	helper_vfy_init_log(&l, 3, number);
	l.epoch = epoch;
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_chain(&l, &c);
	helper_vfy_new_chain(&l, &c);
	hsa_chain_free(&c);
	helper_vfy_special(&l); /* of the epoch before: it was in the outbox */
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
}

static void
test_chain__a_new_log_begins_in_any_epoch_and_goes_on_with_the_numbers(
    void **state)
{
	struct vfy_result res;

	(void)state;
	for (unsigned int number = 2; number < 12; number += 4) {
		begin(number, 7);
		/* no call in the whole first segment: the header of the next
		 * has the number that NEW_CHAIN says */
		helper_vfy_segment(&l);
		helper_vfy_opened(&l);
		helper_vfy_use(&l);
		helper_vfy_checkpoint(&l);
		res = verify();
		if (res.bad)
			fail_msg("%s: %s", res.rule, res.finding);
		assert_int_equal(res.sealed, 6);
		assert_int_equal(res.epochs, 8);
		assert_true(res.chain.has);
		assert_int_equal(res.chain.verified, 30);
		assert_int_equal(res.chain.found, 41);
		assert_string_equal(res.chain.rule, "V6");
		assert_non_null(strstr(res.chain.why, "broken"));
		helper_vfy_free(&l);
	}
}

static void
expect(const char *rule, const char *text)
{
	struct vfy_result res = verify();

	assert_true(res.bad);
	assert_string_equal(res.rule, rule);
	if (strstr(res.finding, text) == NULL)
		fail_msg("%s", res.finding);
	helper_vfy_free(&l);
}

static void
test_chain__it_stands_where_it_has_to_and_nowhere_else(void **state)
{
	struct hsa_chain c;

	(void)state;
	/* not there */
	helper_vfy_init_log(&l, 3, 2);
	l.epoch = 1;
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_special(&l);
	helper_vfy_checkpoint(&l);
	expect("V11", "is no NEW_CHAIN");
	helper_vfy_init_log(&l, 3, 2);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_checkpoint(&l);
	expect("V11", "SEGMENT_OPENED");
	/* twice */
	begin(2, 7);
	helper_vfy_chain(&l, &c);
	helper_vfy_new_chain(&l, &c);
	hsa_chain_free(&c);
	helper_vfy_checkpoint(&l);
	expect("V11", "is not record 1");
	/* in the first log of a unit */
	helper_vfy_init_log(&l, 3, 2);
	helper_vfy_chain(&l, &c);
	helper_vfy_free(&l);
	helper_vfy_init(&l, 3);
	l.epoch = 1;
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_new_chain(&l, &c);
	hsa_chain_free(&c);
	helper_vfy_checkpoint(&l);
	expect("V11", "is not record 1");
	/* in which an epoch other than 1 is no beginning either */
	helper_vfy_init(&l, 3);
	l.epoch = 7;
	helper_vfy_segment(&l);
	helper_vfy_special(&l);
	helper_vfy_checkpoint(&l);
	expect("V5", "instead of 1");
}

/* One thing about it is wrong. */
static void
test_chain__what_it_does_not_say_is_found(void **state)
{
	static const char *const member[] = {"oldOrigin", "by",
	    "verifiedRecords", "foundRecords", "atRecord", "outboxLast",
	    "useLast", "lostChanges", "lostCalls", "verifiedRoot"};
	static const char *const old[] = {
	    "cryptounit/03030303-0303-0303-0303-030303030303.2",
	    "cryptounit/03030303-0303-0303-0303-030303030303.3",
	    "cryptounit/03030303-0303-0303-0303-030303030304", "x"};
	struct hsa_chain c;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(member) / sizeof(member[0]) +
				   sizeof(old) / sizeof(old[0]);
	     i++) {
		size_t k = i / 2;
		struct hsa_record r;

		helper_vfy_init_log(&l, 3, 2);
		l.epoch = 7;
		helper_vfy_segment(&l);
		helper_vfy_opened(&l);
		helper_vfy_chain(&l, &c);
		if (k >= sizeof(member) / sizeof(member[0])) {
			free(c.old_origin);
			c.old_origin = strdup(
			    old[i - 2 * sizeof(member) / sizeof(member[0])]);
		}
		helper_vfy_make(&l, &r);
		r.source = HSA_SOURCE_SEALER;
		r.source_sequence = 2;
		free(r.special.name);
		r.special.name = strdup("NEW_CHAIN");
		assert_ok(hsa_chain_put(&r.special.details, &c));
		hsa_chain_free(&c);
		for (size_t f = 0; f < r.special.details.len; f++) {
			struct hsa_field *at = &r.special.details.field[f];

			if (k >= sizeof(member) / sizeof(member[0]) ||
			    strcmp(at->name, member[k]) != 0)
				continue;
			if (i % 2 == 0) {
				/* under another name */
				at->name[0] = 'X';
			} else if (at->kind == HSA_VALUE_INTEGER) {
				at->integer = -1;
			} else {
				/* of another type */
				free(at->text);
				at->text = NULL;
				at->kind = HSA_VALUE_BOOLEAN;
				at->integer = 1;
			}
		}
		helper_vfy_put(&l, &r, l.n);
		hsa_record_free(&r);
		helper_vfy_checkpoint(&l);
		expect("V11", "does not say what it has to");
	}
}

static void
test_chain__numbers_that_the_log_before_had_are_found(void **state)
{
	struct hsa_record r;
	struct hsa_chain c;

	(void)state;
	helper_vfy_init_log(&l, 3, 2);
	l.epoch = 7;
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_chain(&l, &c);
	helper_vfy_new_chain(&l, &c);
	hsa_chain_free(&c);
	helper_vfy_make(&l, &r);
	r.source_sequence = 20;
	helper_vfy_put(&l, &r, l.n);
	hsa_record_free(&r);
	helper_vfy_checkpoint(&l);
	expect("V5", "source sequence 20 after 20");
	/* and a header that knows nothing of NEW_CHAIN */
	begin(2, 7);
	l.source_last[HSA_SOURCE_USE] = 0;
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_checkpoint(&l);
	expect("V3", "source 2");
}

/* A collector's copy: two segments, opened again, going on. */
static void
test_chain__a_copy_of_it_is_recovered(void **state)
{
	struct vfy_store *s = NULL;
	struct hsa_diag diag = {{0}};
	struct vfy_key key;

	(void)state;
	begin(2, 7);
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_write(&l, dir);
	assert_ok(
	    vfy_key_parse(&key, l.key_line, strlen(l.key_line) - 1, &diag));
	assert_ok(vfy_store_open(&s, dir, &key, 0, &diag));
	assert_int_equal(vfy_store_state(s)->tree.size, 5);
	assert_int_equal(
	    vfy_store_state(s)->source_sequence[HSA_SOURCE_USE], 10);
	vfy_store_free(s);
	helper_vfy_free(&l);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(
		test_chain__a_new_log_begins_in_any_epoch_and_goes_on_with_the_numbers),
	    CASE(test_chain__it_stands_where_it_has_to_and_nowhere_else),
	    CASE(test_chain__what_it_does_not_say_is_found),
	    CASE(test_chain__numbers_that_the_log_before_had_are_found),
	    CASE(test_chain__a_copy_of_it_is_recovered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
