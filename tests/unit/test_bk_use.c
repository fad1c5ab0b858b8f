/* Contexts of EP11 calls: which a call has, and when one is dropped. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cu_use.h"
#include "ep11_pkcs11.h"
#include "helper_cu_token.h"
#include "hsa_hash.h"

static struct cu_token t;

static uint64_t
call(struct cu_bench *b, const struct hsa_caller *who, bool good)
{
	struct hsa_call c = {.fn = HSA_FN_GENERATE_RANDOM, .number = 8};
	uint64_t rv;

	if (!good)
		c = (struct hsa_call){
		    .fn = HSA_FN_GET_MECHANISM_INFO, .number = 0x4711};
	cu_unit_call(b->u, &c, who);
	rv = c.rv;
	hsa_call_free(&c);
	return rv;
}

static void
caller(struct hsa_caller *who, const char *name)
{
	*who = (struct hsa_caller){.initiator = {.id = strdup("IBMid-1"),
				       .name = strdup(name),
				       .type_uri = strdup("x"),
				       .credential_type = strdup("user")}};
	assert_non_null(who->initiator.name);
}

/* The newest record is of this caller. */
static void
expect_by(struct cu_bench *b, const char *name, uint32_t status)
{
	struct hsa_record r = {0};

	sink_mock_get(b->sink, &r, b->sink->len - 1);
	assert_string_equal(r.event.initiator.name, name);
	assert_int_equal(r.event.reason_code, status);
	assert_non_null(r.event.correlation_id);
	hsa_record_free(&r);
}

static void
finish(struct cu_bench *b)
{
	b->any_records = true;
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

static void
test_bk_use__a_caller_has_one_context_for_each_outcome(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_caller alice, bob;
	size_t before;

	(void)state;
	caller(&alice, "alice");
	caller(&bob, "bob");
	cu_bench_open(b);
	before = b->sink->len;
	for (unsigned int i = 0; i < 300; i++) {
		assert_int_equal(call(b, &alice, true), CKR_OK);
		expect_by(b, "alice", 200);
		assert_int_equal(call(b, &bob, true), CKR_OK);
		expect_by(b, "bob", 200);
		assert_int_not_equal(call(b, &alice, false), CKR_OK);
		expect_by(b, "alice", 400);
	}
	assert_int_equal(b->sink->len - before, 900);
	assert_int_equal(b->sink->contexts, 3);
	assert_int_equal(b->sink->dropped, 0);
	/* a content that changes has another one, without a word to us */
	free(alice.initiator.name);
	alice.initiator.name = strdup("alice2");
	assert_int_equal(call(b, &alice, true), CKR_OK);
	expect_by(b, "alice2", 200);
	alice.ceremony_id = strdup("c");
	assert_int_equal(call(b, &alice, true), CKR_OK);
	assert_int_equal(b->sink->contexts, 5);
	hsa_caller_free(&alice);
	hsa_caller_free(&bob);
	finish(b);
}

static void
test_bk_use__a_tag_spares_the_comparison_only_for_what_it_names(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_caller alice, bob;
	uint8_t id[HSA_UUID_LEN] = {7};
	struct hsa_record r = {0};

	(void)state;
	caller(&alice, "alice");
	caller(&bob, "bob");
	alice.tag = hsa_caller_tag();
	bob.tag = hsa_caller_tag();
	assert_true(alice.tag != bob.tag && alice.tag != 0);
	cu_bench_open(b);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(call(b, &alice, true), CKR_OK);
		expect_by(b, "alice", 200);
		assert_int_not_equal(call(b, &alice, false), CKR_OK);
		expect_by(b, "alice", 400);
		assert_int_equal(call(b, &bob, true), CKR_OK);
		expect_by(b, "bob", 200);
		/* the command's id is each call's own */
		id[1] = (uint8_t)i;
		memcpy(bob.command_id, id, sizeof(id));
		assert_int_equal(call(b, &bob, true), CKR_OK);
		sink_mock_get(b->sink, &r, b->sink->len - 1);
		assert_memory_equal(r.command_id, id, sizeof(id));
		hsa_record_free(&r);
		memset(bob.command_id, 0, sizeof(bob.command_id));
	}
	assert_int_equal(b->sink->contexts, 3);
	/* of a unit that is opened anew nothing is remembered */
	cu_bench_close(b);
	cu_bench_open(b);
	assert_int_equal(call(b, &alice, true), CKR_OK);
	sink_mock_get(b->sink, &r, b->sink->len - 1);
	assert_int_equal(r.epoch, 2);
	hsa_record_free(&r);
	assert_int_equal(b->sink->contexts, 4);
	/* denied: as a failure */
	alice.denied = 403;
	assert_int_equal(call(b, &alice, true), CKR_USER_NOT_LOGGED_IN);
	expect_by(b, "alice", 403);
	hsa_caller_free(&alice);
	hsa_caller_free(&bob);
	finish(b);
}

static void
test_bk_use__more_callers_than_places_let_old_contexts_go(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	const size_t callers = 3 * CU_KINDS_MAX;
	struct hsa_caller who;
	char name[32];
	size_t alive;

	(void)state;
	cu_bench_open(b);
	for (unsigned int round = 0; round < 2; round++)
		for (size_t i = 0; i < callers; i++) {
			(void)snprintf(name, sizeof(name), "user-%zu", i);
			caller(&who, name);
			who.tag = i % 2 == 0 ? 0 : hsa_caller_tag();
			assert_int_equal(call(b, &who, true), CKR_OK);
			expect_by(b, name, 200);
			assert_int_equal(call(b, &who, true), CKR_OK);
			expect_by(b, name, 200);
			alive = b->sink->contexts - b->sink->dropped;
			assert_true(alive <= CU_KINDS_HIGH);
			hsa_caller_free(&who);
		}
	assert_int_equal(b->sink->contexts, 2 * callers);
	assert_true(b->sink->dropped >= 2 * callers - CU_KINDS_HIGH);
	finish(b);
}

/* Callers that drop each other's contexts: the mock aborts when a call names
 * one that is gone. */
#define THREADS 4
#define EACH 400

struct crowd {
	struct cu_bench *b;
	unsigned int no;
	size_t good;
};

static void *
member(void *arg)
{
	struct crowd *w = arg;
	struct hsa_caller mine, who;
	char name[48];

	(void)snprintf(name, sizeof(name), "member-%u", w->no);
	caller(&mine, name);
	mine.tag = hsa_caller_tag();
	for (unsigned int i = 0; i < EACH; i++) {
		(void)snprintf(
		    name, sizeof(name), "member-%u-%u", w->no, i % 150);
		caller(&who, name);
		w->good += call(w->b, &who, true) == CKR_OK;
		w->good += call(w->b, &mine, true) == CKR_OK;
		hsa_caller_free(&who);
	}
	hsa_caller_free(&mine);
	return NULL;
}

static void
test_bk_use__no_call_names_a_context_that_is_gone(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct crowd w[THREADS] = {{0}};
	pthread_t id[THREADS];
	size_t before, own[THREADS] = {0};

	(void)state;
	b->clock = cu_clock_system;
	cu_bench_open(b);
	before = b->sink->len;
	for (unsigned int i = 0; i < THREADS; i++) {
		w[i].b = b;
		w[i].no = i;
		assert_int_equal(
		    pthread_create(&id[i], NULL, member, &w[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(id[i], NULL), 0);
		assert_int_equal(w[i].good, 2 * EACH);
	}
	assert_int_equal(b->sink->len - before, 2 * EACH * THREADS);
	assert_true(b->sink->dropped != 0);
	/* each call is of who made it */
	for (size_t i = before; i < b->sink->len; i++) {
		struct hsa_record r = {0};
		unsigned int no = 0, n = 0;

		sink_mock_get(b->sink, &r, i);
		if (sscanf(r.event.initiator.name, "member-%u-%u", &no, &n) ==
		    1)
			own[no]++;
		hsa_record_free(&r);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(own[i], EACH);
	finish(b);
}

static char *
long_text(size_t n)
{
	char *s = calloc(1, n + 1);

	assert_non_null(s);
	memset(s, 'y', n);
	return s;
}

static void
test_bk_use__texts_that_are_too_long_are_cut(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_caller who;
	struct hsa_record r = {0};

	(void)state;
	caller(&who, "short");
	who.ceremony_id = long_text(1024);
	cu_bench_open(b);
	/* one long text has its place */
	assert_int_equal(call(b, &who, true), CKR_OK);
	sink_mock_get(b->sink, &r, b->sink->len - 1);
	assert_int_equal(strlen(r.ceremony_id), 1024);
	hsa_record_free(&r);
	/* many have not */
	free(who.initiator.name);
	who.initiator.name = long_text(5000);
	who.initiator.host_agent = long_text(1024);
	who.initiator.host_address = long_text(1024);
	who.denied = 403;
	who.denied_text = long_text(1024);
	assert_int_equal(call(b, &who, true), CKR_USER_NOT_LOGGED_IN);
	sink_mock_get(b->sink, &r, b->sink->len - 1);
	assert_int_equal(strlen(r.ceremony_id), 256);
	assert_int_equal(strlen(r.event.initiator.name), 256);
	assert_int_equal(strlen(r.event.initiator.host_agent), 256);
	assert_int_equal(strlen(r.event.reason_failure), 256);
	hsa_record_free(&r);
	hsa_caller_free(&who);
	finish(b);
}

static void
expect_mode(struct cu_bench *b, const char *mode)
{
	struct hsa_unit_status *st = calloc(1, sizeof(*st));

	assert_non_null(st);
	assert_true(hsa_is_ok(cu_unit_status(b->u, st)));
	assert_string_equal(st->emission.mode, mode);
	assert_int_equal(st->emission.ring_slots, 1024);
	assert_int_equal(st->emission.unrecorded, 3);
	free(st);
}

static void
test_bk_use__a_call_waits_for_the_disk_when_it_is_to_be_sealed(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	size_t before;

	(void)state;
	b->sink->unrecorded = 3;
	cu_bench_open(b);
	expect_mode(b, "sealed");
	assert_int_equal(call(b, &b->caller, true), CKR_OK);
	assert_int_equal(b->sink->durable, 1);
	before = b->sink->len;
	assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_RING)));
	expect_mode(b, "ring");
	assert_int_equal(call(b, &b->caller, true), CKR_OK);
	assert_int_equal(call(b, &b->caller, false), CKR_MECHANISM_INVALID);
	assert_int_equal(b->sink->durable, 1);
	assert_true(hsa_is_ok(cu_unit_flush(b->u)));
	assert_int_equal(b->sink->len, before + 2);
	assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_SEALED)));
	assert_int_equal(b->sink->len, before + 2);
	assert_int_equal(call(b, &b->caller, true), CKR_OK);
	assert_int_equal(b->sink->durable, 2);
	assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_OFF)));
	expect_mode(b, "off");
	/* a record that is lost is a call that failed, in this mode, too */
	assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_RING)));
	b->sink->fail_at = 1;
	assert_int_equal(call(b, &b->caller, true), CKR_DEVICE_ERROR);
	assert_int_equal(call(b, &b->caller, true), CKR_DEVICE_ERROR);
	assert_int_equal(cu_bench_counter(b, "refused.halted"), 1);
	assert_int_equal(cu_unit_flush(b->u).v, HSA_E_STATE);
	finish(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_bk_use__a_caller_has_one_context_for_each_outcome),
	    cmocka_unit_test(
		test_bk_use__a_tag_spares_the_comparison_only_for_what_it_names),
	    cmocka_unit_test(
		test_bk_use__more_callers_than_places_let_old_contexts_go),
	    cmocka_unit_test(test_bk_use__no_call_names_a_context_that_is_gone),
	    cmocka_unit_test(test_bk_use__texts_that_are_too_long_are_cut),
	    cmocka_unit_test(
		test_bk_use__a_call_waits_for_the_disk_when_it_is_to_be_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
