/* Which logs a folder holds, and in what order they are read. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cmd.h"
#include "helper_proto.h"
#include "helper_vfy.h"
#include "helper_vfy_run.h"
#include "hsa_chain.h"
#include "vfy_find.h"

#define A "01010101-0101-4101-8101-010101010101"
#define B "02020202-0202-4202-8202-020202020202"

static char base[64];

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_rmdir(base);
	return 0;
}

/* Each folder of a path below base. */
static void
folder(const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", base, path);
	for (char *at = full + strlen(base) + 1; at != NULL;) {
		at = strchr(at, '/');
		if (at != NULL)
			*at = '\0';
		(void)mkdir(full, 0700);
		if (at != NULL)
			*at++ = '/';
	}
}

static void
order(const char *const *want, size_t n)
{
	struct vfy_logs l = {0};
	struct hsa_diag d = {{0}};

	assert_ok(vfy_find(&l, base, &d));
	for (size_t i = 0; i < l.len || i < n; i++) {
		if (i >= l.len || i >= n)
			fail_msg("%zu logs, not %zu", l.len, n);
		assert_string_equal(l.log[i].unit, want[i]);
		assert_int_equal(
		    l.log[i].old, strstr(want[i], "/log.damaged-") != NULL);
		assert_int_equal(access(l.log[i].path, F_OK), 0);
	}
	vfy_logs_free(&l);
}

static void
test_find__collected_logs_of_a_unit_by_number(void **state)
{
	static const char *const want[] = {A, A ".2", A ".9", A ".10", B ".3"};

	(void)state;
	folder(A ".10");
	folder(B ".3");
	folder(A ".2");
	folder(A);
	folder(A ".9");
	/* no logs */
	folder(A ".1");
	folder(A ".02");
	folder(A ".");
	folder(A ".2.old");
	folder("sinks");
	order(want, sizeof(want) / sizeof(want[0]));
}

static void
test_find__of_a_unit_s_folder_the_damaged_ones_first(void **state)
{
	static const char *const want[] = {
	    "op-1/log.damaged-2", "op-1/log.damaged-10", "op-1", "op-10"};

	(void)state;
	folder("units/op-1/log");
	folder("units/op-1/log.damaged-10");
	folder("units/op-1/log.damaged-2");
	folder("units/op-1/log.new");
	folder("units/op-1/log.making");
	folder("units/op-1/log.damaged-");
	folder("units/op-1/log.damaged-2x");
	folder("units/op-10/log");
	helper_vfy_put_file(base, "config.yaml", "x", 1);
	order(want, sizeof(want) / sizeof(want[0]));
}

static void
test_find__a_unit_is_meant_by_the_beginning_of_its_name(void **state)
{
	static const struct {
		const char *unit, *said;
		bool is;
	} set[] = {
	    {"op-1", NULL, true},
	    {"op-1", "op-1", true},
	    {"op-10", "op-1", true}, /* four characters of it */
	    {"op", "op", true},
	    {"op-1", "op", false},
	    {"op/log.damaged-1", "op", true},
	    {A ".2", A, true},
	    {A ".2", "0101", true},
	    {A ".2", "010", false},
	    {B, A, false},
	    {"", "anything", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		char unit[64];
		struct vfy_found f = {.unit = unit};

		(void)snprintf(unit, sizeof(unit), "%s", set[i].unit);
		assert_int_equal(vfy_found_is(&f, set[i].said), set[i].is);
	}
}

/* ---- both logs of a unit ------------------------------------------------- */

static struct helper_vfy_log old, new;

/* The first log, damaged behind its 4th checkpoint or not, and the next one,
 * which says so; in a state directory. */
static void
both(bool damaged, bool lies)
{
	char path[160];
	struct hsa_chain c;
	struct hsa_buf keys = {0};

	helper_vfy_init(&old, 3);
	helper_vfy_fill(&old, 20, 2, 100);
	helper_vfy_init_log(&new, 3, 2);
	new.epoch = 2;
	helper_vfy_segment(&new);
	helper_vfy_opened(&new);
	helper_vfy_chain(&new, &c);
	c.verified = damaged ? 8 : 20;
	c.found = 20;
	helper_vfy_root(c.root, &old, (size_t)c.verified);
	c.root[5] ^= lies ? 1 : 0;
	helper_vfy_new_chain(&new, &c);
	hsa_chain_free(&c);
	helper_vfy_start(&new);
	helper_vfy_checkpoint(&new);
	if (damaged)
		/* entry 13 is record 8: a header, and four times two records
		 * and a checkpoint come before; its length */
		old.file[0].b.p[old.entry[13].offset] ^= 0x7f;
	folder("units/op-1");
	(void)snprintf(path, sizeof(path), "%s/units/op-1/log", base);
	helper_vfy_write(&new, path);
	(void)snprintf(path, sizeof(path), "%s/units/op-1/log.damaged-1", base);
	helper_vfy_write(&old, path);
	helper_vfy_put_file(base, "config.yaml", "x", 1);
	hsa_buf_printf(&keys, "%s%s", old.key_line, new.key_line);
	helper_vfy_put_file(base, "checkpoint.pub", keys.p, keys.len);
	hsa_buf_free(&keys);
	helper_vfy_free(&old);
	helper_vfy_free(&new);
}

static int
verify(struct hsa_buf *out)
{
	const char *args[] = {"verify", base, NULL};
	struct hsa_buf err = {0};
	int code;

	hsa_buf_reset(out);
	code = helper_vfy_run(cmd_verify.run, args, out, &err);
	hsa_buf_free(&err);
	return code;
}

static void
test_find__verify_says_both_and_holds_the_one_against_the_other(void **state)
{
	struct hsa_buf out = {0};
	char path[160], line[400];

	(void)state;
	both(false, false);
	assert_int_equal(verify(&out), CMD_OK);
	both(true, false);
	assert_int_equal(verify(&out), CMD_FOUND);
	assert_non_null(strstr(hsa_buf_cstr(&out), "valid up to record 7"));
	assert_non_null(
	    strstr(hsa_buf_cstr(&out), "8 of the 20 records found"));
	assert_non_null(strstr(hsa_buf_cstr(&out), "goes on after"));
	assert_null(strstr(hsa_buf_cstr(&out), "BAD V11"));
	/* archived: told of, and not missed */
	(void)snprintf(path, sizeof(path), "%s/units/op-1/log.damaged-1", base);
	helper_vfy_rmdir(path);
	assert_int_equal(verify(&out), CMD_OK);
	assert_null(strstr(hsa_buf_cstr(&out), "promises"));
	/* but the one at hand is */
	both(true, false);
	(void)snprintf(
	    line, sizeof(line), "mv %s/units/op-1/log %s/gone", base, base);
	assert_int_equal(system(line), 0);
	assert_int_equal(verify(&out), CMD_FOUND);
	assert_non_null(strstr(hsa_buf_cstr(&out), ".2, and there is no log"));
	/* a new log that tells of another one */
	both(false, true);
	assert_int_equal(verify(&out), CMD_FOUND);
	assert_non_null(strstr(hsa_buf_cstr(&out), "BAD V11"));
	hsa_buf_free(&out);
}

static void
test_find__tail_follows_the_new_log_past_the_damaged_one(void **state)
{
	const char *args[] = {"tail", "-f", base, NULL};
	const char *once[] = {"tail", base, NULL};
	struct hsa_buf out = {0}, err = {0};
	const char *at;
	pid_t pid;

	(void)state;
	both(true, false);
	/* the word is in the new log alone */
	pid = helper_vfy_spawn(cmd_tail.run, args, "NEW_CHAIN", NULL);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), CMD_OK);
	assert_int_equal(
	    helper_vfy_run(cmd_tail.run, once, &out, &err), CMD_FOUND);
	at = strstr(hsa_buf_cstr(&out), "op-1/log.damaged-1 #7");
	assert_non_null(at);
	assert_non_null(strstr(at, "op-1 #1 NEW_CHAIN"));
	hsa_buf_free(&out);
	hsa_buf_free(&err);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_find__collected_logs_of_a_unit_by_number),
	    CASE(test_find__of_a_unit_s_folder_the_damaged_ones_first),
	    CASE(test_find__a_unit_is_meant_by_the_beginning_of_its_name),
	    CASE(
		test_find__verify_says_both_and_holds_the_one_against_the_other),
	    CASE(test_find__tail_follows_the_new_log_past_the_damaged_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
