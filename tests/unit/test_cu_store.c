#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "cu_store.h"
#include "helper_left.h"
#include "hsa_buf.h"

static char dir[64], path[96];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/cu-store-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	helper_left(dir);
	(void)snprintf(path, sizeof(path), "%s/state.db", dir);
	return 0;
}

static int
teardown(void **state)
{
	char cmd[100];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static struct cu_store *
opened(void)
{
	struct cu_store *s = NULL;
	struct hsa_diag diag = {{0}};

	if (!hsa_is_ok(cu_store_open(&s, path, &diag)))
		fail_msg("%s", diag.text);
	return s;
}

static void
refused(enum hsa_err why, const char *words)
{
	struct cu_store *s = NULL;
	struct hsa_diag diag = {{0}};
	hsa_rc rc = cu_store_open(&s, path, &diag);

	assert_int_equal(rc.v, why);
	assert_null(s);
	if (strstr(diag.text, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", diag.text, words);
}

/* A state with every member set. */
static void
full_state(struct cu_state *s)
{
	size_t i = 0;

	cu_state_init(s);
	memset(s->unit_id, 0x11, sizeof(s->unit_id));
	memcpy(s->serial, "SIM00042", 8);
	memset(s->module_instance, 0x22, sizeof(s->module_instance));
	s->domain_instance = 0xfffffffe;
	memset(s->counter, 0xff, sizeof(s->counter));
	s->attr = (struct tke_attributes){2, 3, 0x81ff0011, 0, 1};
	s->admin_len = 8;
	for (i = 0; i < 8; i++) {
		memset(s->admin[i].ski, (int)(0x80 + i), 32);
		s->admin[i].cert_len = i == 7 ? CU_ADMIN_CERT_MAX : 500 + i;
		memset(s->admin[i].cert, (int)i, s->admin[i].cert_len);
	}
	s->pending.fill = CU_COMMITTED;
	s->pending.key.set = true;
	memset(s->pending.key.b, 0x33, 16);
	memset(s->pending.pattern, 0x34, 28);
	s->pending.part_len = 3;
	memset(s->pending.part_id, 0x35, 96);
	s->current.fill = CU_VALID;
	s->current.key.set = true;
	memset(s->current.key.b, 0x43, 16);
	memset(s->current.pattern, 0x44, 28);
	s->current.part_len = 1;
	memset(s->current.part_id, 0x45, 32);
	s->importer.set = true;
	memset(s->importer.b, 0x53, 16);
	s->importer_kind = TKE_IMPORTER_P521;
	s->epoch = 7;
	s->outbox_last = 1;
}

static void
commit(struct cu_store *s, struct cu_state *st, uint64_t id, uint64_t sealed)
{
	struct hsa_diag diag = {{0}};

	st->outbox_last = id;
	if (!hsa_is_ok(cu_store_commit(s, st, sealed, &id, sizeof(id), &diag)))
		fail_msg("%s", diag.text);
}

static void
test_cu_store__what_is_committed_is_loaded(void **state)
{
	struct cu_store *s = opened();
	struct cu_state want, got;
	int round = 0;

	(void)state;
	assert_int_equal(cu_store_load(s, &got, NULL).v, HSA_E_NOT_FOUND);
	for (round = 0; round < 2; round++) {
		full_state(&want);
		if (round == 1) { /* and everything that can be absent */
			want.admin_len = 1;
			memset(&want.admin[1], 0, 7 * sizeof(want.admin[0]));
			want.attr.signature_threshold = 1;
			want.attr.revocation_threshold = 1;
			memset(&want.pending, 0, sizeof(want.pending));
			memset(&want.current, 0, sizeof(want.current));
			memset(&want.importer, 0, sizeof(want.importer));
		}
		commit(s, &want, (uint64_t)round + 1, 0);
		cu_store_close(s);
		s = opened();
		assert_true(hsa_is_ok(cu_store_load(s, &got, NULL)));
		assert_memory_equal(&got, &want, sizeof(want));
	}
	cu_store_close(s);
}

static void
test_cu_store__outbox_keeps_order_and_drops_what_is_sealed(void **state)
{
	struct cu_store *s = opened();
	struct cu_state st;
	struct hsa_buf rec = {0};
	uint64_t id = 0, at = 0, i = 0;

	(void)state;
	full_state(&st);
	for (i = 1; i <= 5; i++)
		commit(s, &st, i, 0);
	cu_store_close(s);
	s = opened();
	for (i = 1; i <= 5; i++, at = id) {
		hsa_buf_reset(&rec);
		assert_true(
		    hsa_is_ok(cu_store_outbox_next(s, &id, &rec, at, NULL)));
		assert_int_equal(id, i);
		assert_int_equal(rec.len, sizeof(i));
		assert_memory_equal(rec.p, &i, sizeof(i));
	}
	assert_int_equal(
	    cu_store_outbox_next(s, &id, &rec, at, NULL).v, HSA_E_NOT_FOUND);
	commit(s, &st, 6, 4);
	hsa_buf_reset(&rec);
	assert_true(hsa_is_ok(cu_store_outbox_next(s, &id, &rec, 0, NULL)));
	assert_int_equal(id, 5);
	commit(s, &st, 7, 6);
	/* an id is never given twice */
	assert_false(hsa_is_ok(cu_store_commit(s, &st, 6, "x", 1, NULL)));
	hsa_buf_free(&rec);
	cu_store_close(s);
}

static void
test_cu_store__a_failed_commit_leaves_nothing(void **state)
{
	struct cu_store *s = opened();
	struct cu_state was, st, got;

	(void)state;
	full_state(&was);
	commit(s, &was, 1, 0);
	st = was;
	st.domain_instance = 5;
	st.admin_len = 2; /* two administrators of one name break UNIQUE */
	memcpy(st.admin[1].ski, st.admin[0].ski, 32);
	st.outbox_last = 2;
	assert_false(hsa_is_ok(cu_store_commit(s, &st, 1, "x", 1, NULL)));
	assert_true(hsa_is_ok(cu_store_load(s, &got, NULL)));
	assert_memory_equal(&got, &was, sizeof(was));
	/* and the next one goes through */
	commit(s, &was, 2, 1);
	cu_store_close(s);
}

static void
test_cu_store__files_are_private(void **state)
{
	struct cu_store *s = NULL;
	struct cu_state st;
	struct stat sb;
	char wal[120];
	mode_t old = umask(0);

	(void)state;
	s = opened();
	full_state(&st);
	commit(s, &st, 1, 0);
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	assert_int_equal(stat(wal, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	(void)umask(old);
	cu_store_close(s);
}

static void
test_cu_store__a_second_holder_is_turned_away(void **state)
{
	struct cu_store *s = opened();

	(void)state;
	refused(HSA_E_BUSY, "another process");
	cu_store_close(s);
	s = opened();
	cu_store_close(s);
}

static void
damage(const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_cu_store__foreign_newer_and_torn_files_are_refused(void **state)
{
	struct cu_store *s = opened();
	struct cu_state st;
	FILE *f = NULL;
	long n = 0;
	int i = 0;

	(void)state;
	full_state(&st);
	commit(s, &st, 1, 0);
	cu_store_close(s);
	damage("PRAGMA user_version = 3");
	refused(HSA_E_UNSUPPORTED, "schema 3");
	damage("PRAGMA user_version = 2; PRAGMA application_id = 1");
	refused(HSA_E_CORRUPT, "not the state of a crypto unit");
	damage("PRAGMA application_id = 1668633428");
	cu_store_close(opened());
	f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	/* the head of every page but the first */
	for (i = 1; i < n / 4096; i++) {
		assert_int_equal(fseek(f, 4096L * i, SEEK_SET), 0);
		assert_int_equal(
		    fwrite("\xee\xee\xee\xee\xee\xee\xee\xee", 1, 8, f), 8);
	}
	assert_int_equal(fclose(f), 0);
	refused(HSA_E_CORRUPT, "newest copy");
	f = fopen(path, "wb");
	assert_non_null(f);
	for (i = 0; i < 5000; i++)
		assert_int_equal(fputc('x', f), 'x');
	assert_int_equal(fclose(f), 0);
	refused(HSA_E_CORRUPT, "newest copy");
}

static void
test_cu_store__a_state_without_control_points_gets_a_new_domains(void **state)
{
	struct cu_store *s = opened();
	struct cu_state want, got;
	int time = 0;

	(void)state;
	full_state(&want);
	want.control_points[0] &= 0x7f;
	commit(s, &want, 1, 0);
	cu_store_close(s);
	damage("ALTER TABLE unit DROP COLUMN control_points;"
	       "PRAGMA user_version = 1");
	for (time = 0; time < 2; time++) {
		s = opened();
		assert_true(hsa_is_ok(cu_store_load(s, &got, NULL)));
		ep11_cp_default(want.control_points);
		assert_memory_equal(&got, &want, sizeof(want));
		cu_store_close(s);
	}
	s = opened();
	want.control_points[0] &= 0x7f;
	commit(s, &want, 2, 0);
	assert_true(hsa_is_ok(cu_store_load(s, &got, NULL)));
	assert_memory_equal(&got, &want, sizeof(want));
	cu_store_close(s);
	damage("PRAGMA user_version = 3");
	refused(HSA_E_UNSUPPORTED, "schema 3");
}

static void
test_cu_store__values_out_of_range_are_corrupt(void **state)
{
	static const char *const all[] = {
	    "UPDATE unit SET epoch = 0",
	    "UPDATE unit SET outbox_last = -1",
	    "UPDATE unit SET signature_threshold = 9",
	    "UPDATE unit SET revocation_threshold = -1",
	    "UPDATE unit SET permissions = 4294967296",
	    "UPDATE unit SET importer_kind = 2",
	    "UPDATE unit SET importer = x'00'",
	    "UPDATE unit SET control_points = x'ff'",
	    "UPDATE unit SET control_points = "
	    "x'ffffffffffffffffffffffffffffffff'",
	    "UPDATE unit SET standards = 2",
	    "UPDATE admin SET place = place + 8 WHERE place = 3",
	    "DELETE FROM admin WHERE place < 3",
	    "UPDATE register SET fill = 3 WHERE slot = 0",
	    "UPDATE register SET fill = 1 WHERE slot = 1",
	    "UPDATE register SET object = NULL WHERE slot = 1",
	    "UPDATE register SET fill = 0 WHERE slot = 1",
	    "UPDATE register SET parts = x'00'",
	    "UPDATE register SET parts = zeroblob(128)",
	    "DELETE FROM register WHERE slot = 1",
	};
	struct cu_store *s = NULL;
	struct cu_state st, got;
	struct hsa_diag diag = {{0}};
	char sql[200];
	size_t i = 0;
	hsa_rc rc;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)unlink(path);
		s = opened();
		full_state(&st);
		commit(s, &st, 1, 0);
		cu_store_close(s);
		(void)snprintf(sql, sizeof(sql),
		    "PRAGMA ignore_check_constraints = ON; %s", all[i]);
		damage(sql);
		/* SQLite's own check of the table may be the first to see */
		rc = cu_store_open(&s, path, &diag);
		if (rc.v == HSA_E_CORRUPT)
			continue;
		assert_true(hsa_is_ok(rc));
		if (cu_store_load(s, &got, &diag).v != HSA_E_CORRUPT)
			fail_msg("%s", all[i]);
		cu_store_close(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_cu_store__what_is_committed_is_loaded, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_cu_store__outbox_keeps_order_and_drops_what_is_sealed,
		setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_cu_store__a_failed_commit_leaves_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_cu_store__files_are_private, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_cu_store__a_second_holder_is_turned_away, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_cu_store__foreign_newer_and_torn_files_are_refused, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		test_cu_store__a_state_without_control_points_gets_a_new_domains,
		setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_cu_store__values_out_of_range_are_corrupt, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
