/*
 * A unit that is stopped at every step of a command. Afterwards either the
 * whole command happened and its record is in the log once, or nothing of it
 * happened and there is no record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <sqlite3.h>

#include "helper_cu.h"
#include "hsa_hash.h"

static const uint8_t part_a[1][32] = {{0xa1}}, part_b[1][32] = {{0xb2}},
		     part_c[1][32] = {{0xc3}};

/* ---- a commit that fails ------------------------------------------------- */

static unsigned int commit_fails_at;

static int
on_commit(void *arg)
{
	(void)arg;
	return commit_fails_at != 0 && --commit_fails_at == 0;
}

static int
on_connect(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
	(void)error;
	(void)api;
	(void)sqlite3_commit_hook(db, on_commit, NULL);
	return SQLITE_OK;
}

/* ---- victims ------------------------------------------------------------- */

/* Where every run begins: both registers and the importer in use. */
struct stage {
	struct cu_bench *b;
	EVP_PKEY *importer;
	uint8_t pending[32];
};

static struct stage scene;

static int
build_scene(void **state)
{
	struct cu_bench *b = cu_bench_new();
	uint8_t pattern[32];

	(void)state;
	scene.b = b;
	cu_bench_open(b);
	cu_bench_ready(b, 2, 1, 1);
	cu_bench_load(b, pattern, part_a, 1, 1);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 1), 0);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1), 0);
	assert_int_equal(cu_bench_importer(b, &scene.importer, 3, 1), 0);
	assert_int_equal(cu_bench_import(b, scene.importer, part_b, 1, 1), 0);
	assert_true(
	    hsa_is_ok(hsa_verification_pattern(scene.pending, part_b[0])));
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_COMMIT, scene.pending, 32, 1), 0);
	cu_bench_check_log(b);
	cu_bench_save(b);
	return 0;
}

static int
strike_scene(void **state)
{
	(void)state;
	EVP_PKEY_free(scene.importer);
	cu_bench_free(scene.b);
	return 0;
}

static void
set_stage(struct stage *s)
{
	cu_vfs_fail_at(0);
	commit_fails_at = 0;
	*s = scene;
	cu_bench_restore(s->b);
	cu_bench_check_log(s->b);
	s->b->any_records = true;
}

static void
strike(struct stage *s)
{
	cu_bench_check_log(s->b);
	s->b->any_records = false;
}

static uint32_t
do_add(struct stage *s)
{
	return cu_bench_add(s->b, 5, 1);
}

static uint32_t
do_importer(struct stage *s)
{
	return cu_bench_importer(s->b, NULL, 3, 1);
}

static uint32_t
do_import(struct stage *s)
{
	return cu_bench_import(s->b, s->importer, part_c, 1, 1);
}

static uint32_t
do_finalize(struct stage *s)
{
	return cu_bench_command(s->b, TKE_CMD_WK_FINALIZE, s->pending, 32, 1);
}

static uint32_t
do_zeroize(struct stage *s)
{
	return cu_bench_command(s->b, TKE_CMD_ZEROIZE, NULL, 0, 1);
}

static uint32_t
do_refused(struct stage *s)
{
	return cu_bench_add(s->b, 1, 1); /* is there: 256/38 */
}

static const struct victim {
	const char *name;
	uint32_t (*run)(struct stage *s);
	uint32_t code; /* when nothing fails */
	bool makes, destroys;
} victims[] = {
    {"add", do_add, 0, false, false},
    {"importer", do_importer, 0, true, true},
    {"import", do_import, 0, true, true},
    {"finalize", do_finalize, 0, false, true},
    {"zeroize", do_zeroize, 0, false, true},
    {"refused", do_refused, CU_CODE(256, 38), false, false},
};
#define VICTIMS (sizeof(victims) / sizeof(victims[0]))

/* ---- what must hold afterwards ------------------------------------------- */

/* All that a client can see of the state. */
struct print {
	struct hsa_unit_status st;
	uint8_t counter[16], domain[8], attr[40];
};

static void
take_print(struct cu_bench *b, struct print *p)
{
	struct cu_answer a = {0};

	memset(p, 0, sizeof(*p));
	cu_bench_status(b, &p->st);
	p->st.epoch = 0;
	p->st.log_size = 0;
	p->st.counter_len = 0;
	memset(p->st.counter, 0, sizeof(p->st.counter));
	memset(p->st.halted, 0, sizeof(p->st.halted));
	p->st.halted_status = 0;
	p->st.lost = 0;
	p->st.token_object_len = 0; /* strays may lie there until a restart */
	memset(p->st.token_object, 0, sizeof(p->st.token_object));
	cu_bench_query(b, &a, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	assert_int_equal(a.output.len, sizeof(p->attr));
	memcpy(p->attr, a.output.p, sizeof(p->attr));
	memcpy(p->counter, a.counter, sizeof(p->counter));
	memcpy(p->domain, a.domain, sizeof(p->domain));
	cu_answer_free(&a);
}

static size_t
commands_in_log(struct cu_bench *b)
{
	size_t n = 0, i = 0;

	for (i = 0; i < b->sink->len; i++) {
		struct hsa_record r = {0};

		sink_mock_get(b->sink, &r, i);
		n += r.command != 0;
		hsa_record_free(&r);
	}
	return n;
}

/* Restart; returns how many records the victim left, 0 or 1. */
static size_t
check_after(const char *what, struct stage *s, const struct print *before,
    size_t commands)
{
	struct cu_bench *b = s->b;
	struct print after;
	struct hsa_unit_status st;
	size_t n = 0, named = 0;
	EVP_PKEY *key = NULL;
	uint8_t pattern[32];

	cu_bench_kill(b);
	cu_vfs_fail_at(0);
	commit_fails_at = 0;
	cu_bench_open(b);
	take_print(b, &after);
	n = commands_in_log(b) - commands;
	if (n > 1)
		fail_msg("%s: %zu records", what, n);
	if ((memcmp(&after, before, sizeof(after)) == 0) != (n == 0))
		fail_msg("%s: %zu records, state %s", what, n,
		    n == 0 ? "changed" : "unchanged");
	cu_bench_check_log(b);
	/* the token holds what the state names, no more */
	cu_bench_status(b, &st);
	named = (st.new_object[0] != '\0' ? 1u : 0u) +
		(st.current_object[0] != '\0' ? 1u : 0u);
	assert_int_equal(bk_mock_count(b->bk, CU_OBJECT_MASTER_KEY), named);
	assert_int_equal(st.token_object_len, named);
	assert_true(bk_mock_count(b->bk, CU_OBJECT_IMPORTER) <= 1);
	/* and the unit works on */
	if (st.imprint) {
		assert_int_equal(cu_bench_add(b, 7, 0), 0);
	} else {
		assert_int_equal(cu_bench_importer(b, &key, 3, 1), 0);
		assert_int_equal(cu_bench_import(b, key, part_c, 1, 1), 0);
		assert_true(
		    hsa_is_ok(hsa_verification_pattern(pattern, part_c[0])));
		assert_int_equal(
		    cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 1), 0);
		EVP_PKEY_free(key);
	}
	cu_bench_check_log(b);
	return n;
}

/* A halted unit answers queries, and refuses commands without a record. */
static void
check_halted(struct cu_bench *b, uint32_t status, const char *words)
{
	struct hsa_unit_status st;
	struct cu_answer a = {0};
	size_t records = b->sink->len;

	cu_bench_status(b, &st);
	if (strstr(st.halted, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", st.halted, words);
	assert_int_equal(cu_bench_add(b, 6, 1), status << 16);
	assert_int_equal(cu_bench_command(b, 0x99, NULL, 0, 0), status << 16);
	cu_bench_send(b, &a, "junk", 4);
	assert_int_equal(a.http, status);
	assert_non_null(strstr(a.text, words));
	assert_non_null(strstr(a.text, "restart"));
	cu_answer_free(&a);
	assert_int_equal(b->sink->len, records);
	cu_bench_query(b, &a, TKE_QUERY_DOMAIN_ADMINS, NULL, 0);
	assert_int_equal(a.http, 200);
	cu_answer_free(&a);
	assert_int_equal(cu_bench_counter(b, "refused.halted"), 3);
}

static void
test_cu_crash__a_log_that_fails_halts_and_loses_nothing(void **state)
{
	struct stage s;
	struct print before, seen;
	size_t i = 0, commands = 0;
	int failure = 0;

	(void)state;
	for (i = 0; i < VICTIMS; i++)
		for (failure = SINK_MOCK_LOST; failure <= SINK_MOCK_WRITTEN;
		     failure++) {
			set_stage(&s);
			take_print(s.b, &before);
			commands = commands_in_log(s.b);
			s.b->sink->failure = (enum sink_mock_failure)failure;
			s.b->sink->fail_at = 1;
			assert_int_equal(victims[i].run(&s), 507u << 16);
			/* what is not sealed is not seen either */
			take_print(s.b, &seen);
			assert_memory_equal(&seen, &before, sizeof(seen));
			check_halted(s.b, 507, "audit log");
			assert_int_equal(
			    check_after(victims[i].name, &s, &before, commands),
			    1);
			strike(&s);
		}
}

static void
test_cu_crash__a_commit_that_fails_leaves_neither_state_nor_record(void **state)
{
	struct stage s;
	struct print before;
	size_t i = 0, commands = 0;

	(void)state;
	for (i = 0; i < VICTIMS; i++) {
		set_stage(&s);
		take_print(s.b, &before);
		commands = commands_in_log(s.b);
		commit_fails_at = 1;
		assert_int_equal(victims[i].run(&s), 503u << 16);
		check_halted(s.b, 503, "state");
		assert_int_equal(
		    check_after(victims[i].name, &s, &before, commands), 0);
		strike(&s);
	}
}

static void
test_cu_crash__power_cut_at_every_write_of_the_state(void **state)
{
	struct stage s;
	struct print before;
	size_t i = 0, commands = 0, lost = 0, kept = 0;
	unsigned int at = 0;
	uint32_t code = 0;
	char what[64];

	(void)state;
	for (i = 0; i < VICTIMS; i++)
		for (at = 1;; at++) {
			set_stage(&s);
			take_print(s.b, &before);
			commands = commands_in_log(s.b);
			cu_vfs_fail_at(at);
			code = victims[i].run(&s);
			(void)snprintf(what, sizeof(what), "%s, write %u",
			    victims[i].name, at);
			if (code == victims[i].code) {
				assert_true(at > 3);
				assert_int_equal(
				    check_after(what, &s, &before, commands),
				    1);
				strike(&s);
				break;
			}
			assert_int_equal(code, 503u << 16);
			if (check_after(what, &s, &before, commands) == 0)
				lost++;
			else
				kept++;
			strike(&s);
		}
	/* the last sync fails behind a whole transaction: both are seen */
	assert_true(lost > 0);
	assert_true(kept > 0);
}

static void
test_cu_crash__a_token_that_fails_before_the_commit_refuses(void **state)
{
	static const enum bk_mock_op ops[] = {
	    BK_MOCK_SYNC, BK_MOCK_IMPORTER, BK_MOCK_IMPORT};
	struct stage s;
	struct print before;
	struct hsa_record r = {0};
	size_t i = 0, k = 0, commands = 0, objects = 0;

	(void)state;
	for (i = 0; i < VICTIMS; i++)
		for (k = 0; k < 3; k++) {
			if (!victims[i].makes ||
			    (ops[k] == BK_MOCK_IMPORTER &&
				victims[i].run != do_importer) ||
			    (ops[k] == BK_MOCK_IMPORT &&
				victims[i].run != do_import))
				continue;
			set_stage(&s);
			take_print(s.b, &before);
			commands = commands_in_log(s.b);
			objects = bk_mock_count(s.b->bk, CU_OBJECT_MASTER_KEY) +
				  bk_mock_count(s.b->bk, CU_OBJECT_IMPORTER);
			s.b->bk->fail_at[ops[k]] = 1;
			assert_int_equal(victims[i].run(&s), CU_CODE(6, 0));
			cu_bench_last(s.b, &r);
			assert_int_equal(r.ep11_rc, 6);
			hsa_record_free(&r);
			assert_int_equal(
			    bk_mock_count(s.b->bk, CU_OBJECT_MASTER_KEY) +
				bk_mock_count(s.b->bk, CU_OBJECT_IMPORTER),
			    objects);
			/* nothing but the counter moved, and it works on */
			assert_int_equal(victims[i].run(&s), victims[i].code);
			assert_int_equal(commands_in_log(s.b), commands + 2);
			strike(&s);
		}
}

static void
test_cu_crash__a_key_that_will_not_go_halts_and_goes_at_restart(void **state)
{
	struct stage s;
	struct print before;
	size_t i = 0, commands = 0;
	int round = 0;

	(void)state;
	for (i = 0; i < VICTIMS; i++)
		for (round = 0; round < 2; round++) {
			if (!victims[i].destroys)
				continue;
			set_stage(&s);
			take_print(s.b, &before);
			commands = commands_in_log(s.b);
			if (round == 0)
				s.b->bk->fail_at[BK_MOCK_DESTROY] = 1;
			else /* making syncs once before */
				s.b->bk->fail_at[BK_MOCK_SYNC] =
				    victims[i].makes ? 2 : 1;
			assert_int_equal(victims[i].run(&s), 503u << 16);
			check_halted(s.b, 503, "could not be destroyed");
			assert_int_equal(
			    check_after(victims[i].name, &s, &before, commands),
			    1);
			strike(&s);
		}
}

static void
test_cu_crash__an_answer_that_cannot_be_signed_is_still_recorded(void **state)
{
	struct stage s;
	struct print before;
	struct cu_answer a = {0};
	struct hsa_buf payload = {0};
	const struct cu_order o = {
	    .command = TKE_CMD_WK_CLEAR_CURRENT,
	    .signers = 1,
	};
	size_t commands = 0;

	(void)state;
	set_stage(&s);
	take_print(s.b, &before);
	commands = commands_in_log(s.b);
	cu_bench_request(s.b, &payload, &o);
	s.b->bk->fail_at[BK_MOCK_OA_SIGN] = 1;
	cu_bench_payload(s.b, &a, &payload);
	assert_int_equal(a.http, 500);
	assert_non_null(strstr(a.text, "sealed"));
	cu_answer_free(&a);
	hsa_buf_free(&payload);
	assert_int_equal(check_after("oa", &s, &before, commands), 1);
	strike(&s);
}

static void
test_cu_crash__killed_between_commands_nothing_changes(void **state)
{
	struct stage s;
	struct print before;
	size_t i = 0;

	(void)state;
	set_stage(&s);
	take_print(s.b, &before);
	for (i = 0; i < 3; i++) {
		struct print after;

		cu_bench_kill(s.b);
		cu_bench_open(s.b);
		take_print(s.b, &after);
		assert_memory_equal(&after, &before, sizeof(after));
		cu_bench_check_log(s.b);
	}
	strike(&s);
}

static void
test_cu_crash__power_cut_at_every_write_of_the_first_start(void **state)
{
	unsigned int at = 0, failed = 0;

	(void)state;
	for (at = 1;; at++) {
		struct cu_bench *b = cu_bench_new();
		struct hsa_diag diag = {{0}};
		hsa_rc rc;

		b->any_records = true;
		cu_vfs_fail_at(at);
		rc = cu_bench_try_open(b, &diag);
		failed += !hsa_is_ok(rc);
		if (!hsa_is_ok(rc))
			assert_true(diag.text[0] != '\0');
		cu_bench_kill(b);
		cu_vfs_fail_at(0);
		cu_bench_open(b);
		cu_bench_check_log(b);
		assert_int_equal(cu_bench_add(b, 0, 0), 0);
		cu_bench_check_log(b);
		cu_bench_free(b);
		if (hsa_is_ok(rc))
			break;
	}
	assert_true(failed > 5);
}

static void
test_cu_crash__a_start_that_cannot_be_sealed_is_sealed_by_the_next(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_diag diag = {{0}};
	struct hsa_record r = {0};
	unsigned int i = 0;

	(void)state;
	b->any_records = true;
	for (i = 0; i < 3; i++) {
		b->sink->fail_at = 1;
		assert_int_equal(cu_bench_try_open(b, &diag).v, HSA_E_IO);
		assert_non_null(strstr(diag.text, "audit log"));
		sink_mock_reopen(b->sink);
	}
	cu_bench_open(b);
	/* each failing start but the first met one waiting, and failed at it */
	cu_bench_check_log(b);
	cu_bench_last(b, &r);
	assert_string_equal(r.special.name, "UNIT_START");
	assert_int_equal(
	    hsa_data_find(&r.special.details, "resealedRecords")->integer, 1);
	assert_int_equal(r.epoch, 2);
	hsa_record_free(&r);
	cu_bench_free(b);
}

/* ---- copies put back that do not belong together ------------------------- */

static void
expect_corrupt(struct cu_bench *b, const char *words)
{
	struct hsa_diag diag = {{0}};
	size_t records = b->sink->len;

	assert_int_equal(cu_bench_try_open(b, &diag).v, HSA_E_CORRUPT);
	assert_null(b->u);
	if (strstr(diag.text, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", diag.text, words);
	assert_int_equal(b->sink->len, records);
}

static void
test_cu_crash__an_older_state_or_log_is_found_out(void **state)
{
	struct stage s;
	struct cu_bench *b = NULL;
	char cmd[400], good[160];

	(void)state;
	set_stage(&s);
	b = s.b;
	cu_bench_close(b);
	(void)snprintf(cmd, sizeof(cmd), "cp '%s' '%s/older'", b->db, b->dir);
	assert_int_equal(system(cmd), 0);
	cu_bench_open(b);
	assert_int_equal(do_add(&s), 0);
	cu_bench_close(b);
	/* the older state */
	memcpy(good, b->db, sizeof(good));
	(void)snprintf(b->db, sizeof(b->db), "%s/older", b->dir);
	expect_corrupt(b, "state is older than the log");
	/* no state at all */
	(void)snprintf(b->db, sizeof(b->db), "%s/none", b->dir);
	expect_corrupt(b, "state is older than the log");
	/* a shorter log */
	memcpy(b->db, good, sizeof(good));
	sink_mock_cut(b->sink, b->sink->len - 3);
	expect_corrupt(b, "the log was cut");
	strike(&s);
}

static void
test_cu_crash__a_token_or_state_of_another_unit_is_found_out(void **state)
{
	struct stage s;
	struct cu_bench *b = NULL;
	struct bk_mock was;
	size_t i = 0;

	(void)state;
	set_stage(&s);
	b = s.b;
	cu_bench_close(b);
	b->id.unit_id[0] ^= 1;
	expect_corrupt(b, "another unit");
	b->id.unit_id[0] ^= 1;
	b->id.serial[7] = '2';
	expect_corrupt(b, "another unit");
	b->id.serial[7] = '1';
	/* the same ids, another key */
	was = *b->bk;
	for (i = 0; i < BK_MOCK_OBJECTS; i++)
		b->bk->object[i].key[31] ^= 1;
	expect_corrupt(b, "master key");
	*b->bk = was;
	cu_bench_open(b);
	cu_bench_close(b);
	bk_mock_lose(b->bk, CU_OBJECT_IMPORTER);
	expect_corrupt(b, "missing");
	bk_mock_lose(b->bk, CU_OBJECT_MASTER_KEY);
	expect_corrupt(b, "missing");
	strike(&s);
}

static void
test_cu_crash__a_changed_certificate_is_found_out(void **state)
{
	struct stage s;
	sqlite3 *db = NULL;

	(void)state;
	set_stage(&s);
	cu_bench_close(s.b);
	assert_int_equal(sqlite3_open(s.b->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
			     "PRAGMA locking_mode = EXCLUSIVE;"
			     "UPDATE admin SET certificate = (SELECT"
			     " certificate FROM admin WHERE place = 0)",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	expect_corrupt(s.b, "administrator 2");
	strike(&s);
}

static void
test_cu_crash__a_unit_without_a_proper_location_does_not_start(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_diag diag = {{0}};

	(void)state;
	b->id.location = "us-south, third shelf";
	assert_int_equal(cu_bench_try_open(b, &diag).v, HSA_E_ARG);
	assert_non_null(strstr(diag.text, "location"));
	b->id.location = CU_BENCH_LOCATION;
	b->id.oa_cert_len = 0;
	assert_int_equal(cu_bench_try_open(b, &diag).v, HSA_E_ARG);
	assert_int_equal(b->sink->len, 0);
	cu_bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cu_crash__a_log_that_fails_halts_and_loses_nothing),
	    cmocka_unit_test(
		test_cu_crash__a_commit_that_fails_leaves_neither_state_nor_record),
	    cmocka_unit_test(
		test_cu_crash__power_cut_at_every_write_of_the_state),
	    cmocka_unit_test(
		test_cu_crash__a_token_that_fails_before_the_commit_refuses),
	    cmocka_unit_test(
		test_cu_crash__a_key_that_will_not_go_halts_and_goes_at_restart),
	    cmocka_unit_test(
		test_cu_crash__an_answer_that_cannot_be_signed_is_still_recorded),
	    cmocka_unit_test(
		test_cu_crash__killed_between_commands_nothing_changes),
	    cmocka_unit_test(
		test_cu_crash__power_cut_at_every_write_of_the_first_start),
	    cmocka_unit_test(
		test_cu_crash__a_start_that_cannot_be_sealed_is_sealed_by_the_next),
	    cmocka_unit_test(test_cu_crash__an_older_state_or_log_is_found_out),
	    cmocka_unit_test(
		test_cu_crash__a_token_or_state_of_another_unit_is_found_out),
	    cmocka_unit_test(test_cu_crash__a_changed_certificate_is_found_out),
	    cmocka_unit_test(
		test_cu_crash__a_unit_without_a_proper_location_does_not_start),
	};

	cu_vfs_install();
	if (sqlite3_auto_extension((void (*)(void))(uintptr_t)on_connect) !=
	    SQLITE_OK)
		return 1;
	return cmocka_run_group_tests(tests, build_scene, strike_scene);
}
