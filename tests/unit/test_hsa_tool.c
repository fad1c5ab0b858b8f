#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_vfy.h"
#include "helper_vfy_run.h"

/*
 * base/state      two units of an installation
 * base/collected  the same two, the first one shorter
 */
static char base[64], state_dir[80], collected[80], log_a[160], copy_a[160],
    pub[160];
static struct helper_vfy_log a, b;
static struct hsa_buf out, err;

static int
setup(void **state)
{
	struct helper_vfy_log part;
	struct hsa_buf f = {0};
	char dir[160];

	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(state_dir, sizeof(state_dir), "%s/state", base);
	(void)snprintf(collected, sizeof(collected), "%s/collected", base);
	helper_vfy_init(&a, 1);
	helper_vfy_init(&b, 2);
	helper_vfy_fill(&a, 20, 4, 8);
	helper_vfy_fill(&b, 9, 3, 100);
	assert_int_equal(mkdir(state_dir, 0700), 0);
	assert_int_equal(mkdir(collected, 0700), 0);
	(void)snprintf(dir, sizeof(dir), "%s/units", state_dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	(void)snprintf(dir, sizeof(dir), "%s/units/op-1", state_dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	(void)snprintf(log_a, sizeof(log_a), "%s/units/op-1/log", state_dir);
	helper_vfy_write(&a, log_a);
	(void)snprintf(dir, sizeof(dir), "%s/units/op-2", state_dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	(void)snprintf(dir, sizeof(dir), "%s/units/op-2/log", state_dir);
	helper_vfy_write(&b, dir);
	helper_vfy_put_file(state_dir, "config.yaml", "x", 1);
	hsa_buf_printf(&f, "%s%s", a.key_line, b.key_line);
	helper_vfy_put_file(state_dir, "checkpoint.pub", f.p, f.len);
	(void)snprintf(pub, sizeof(pub), "%s/checkpoint.pub", state_dir);
	/* twelve records of the same log, in other segments */
	helper_vfy_init(&part, 1);
	helper_vfy_segment(&part);
	for (size_t i = 0; i < 12; i++)
		helper_vfy_raw(&part, a.leaf[i].p, a.leaf[i].len);
	helper_vfy_checkpoint(&part);
	(void)snprintf(copy_a, sizeof(copy_a), "%s/%s", collected, a.unit);
	helper_vfy_write(&part, copy_a);
	(void)snprintf(dir, sizeof(dir), "%s/%s", collected, b.unit);
	helper_vfy_write(&b, dir);
	helper_vfy_free(&part);
	hsa_buf_free(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&a);
	helper_vfy_free(&b);
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

static bool
says(struct hsa_buf *text, const char *part)
{
	return strstr(hsa_buf_cstr(text), part) != NULL;
}

static void
flip(const char *dir, const char *name, long at)
{
	char path[256];
	FILE *f;
	int c;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r+");
	assert_non_null(f);
	(void)fseek(f, at, SEEK_SET);
	c = fgetc(f);
	(void)fseek(f, at, SEEK_SET);
	(void)fputc(c ^ 1, f);
	(void)fclose(f);
}

/* ---- verify -------------------------------------------------------------- */

static void
test_verify__a_state_directory_and_its_copy_are_good(void **state)
{
	(void)state;
	assert_int_equal(run(&cmd_verify, ARGS("verify", state_dir)), 0);
	assert_true(says(&out, "verify: 2 logs, 29 records, OK\n"));
	assert_true(says(&out, "(events 6, EP11 calls among them 3, specials"));
	assert_true(says(&out, a.origin));
	assert_true(says(&out, "--key"));
	assert_int_equal(run(&cmd_verify, ARGS("verify", "--key", pub,
					      state_dir, collected)),
	    0);
	assert_true(says(&out, "verify: 4 logs, 50 records, OK\n"));
	assert_true(says(&out, "holds the first 12 of the 20 records"));
	assert_true(says(&out, "holds the first 9 of the 9 records"));
	assert_false(says(&out, "BAD"));
	/* the order makes no difference, and a log may be named itself */
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, copy_a, log_a)), 0);
	assert_true(says(&out, "holds the first 12 of the 20 records"));
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-q", "-k", pub, log_a)), 0);
	assert_string_equal(
	    hsa_buf_cstr(&out), "verify: 1 log, 20 records, OK\n");
}

static void
test_verify__damage_is_named_with_its_place(void **state)
{
	char byte[40];

	(void)state;
	/* in the third record's middle */
	flip(log_a, a.file[0].name, (long)a.entry[3].offset + 30);
	(void)snprintf(byte, sizeof(byte), "byte %zu", a.entry[3].offset);
	assert_int_equal(run(&cmd_verify, ARGS("verify", state_dir)), 1);
	assert_true(says(&out, "BAD V"));
	assert_true(says(&out, a.file[0].name));
	assert_true(says(&out, "valid up to no record"));
	assert_true(says(&out, "verify: 2 logs"));
	assert_true(says(&out, ", DAMAGED\n"));
	/* behind the first checkpoint */
	flip(log_a, a.file[0].name, (long)a.entry[3].offset + 30);
	flip(log_a, a.file[0].name, (long)a.entry[6].offset + 30);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-q", state_dir)), 1);
	assert_true(says(&out, "valid up to record 3\n"));
	assert_false(says(&out, b.origin));
}

static void
test_verify__json_says_the_same(void **state)
{
	json_t *j, *log, *finding;

	(void)state;
	flip(log_a, "head", 80);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "--json", "--key", pub,
					      state_dir, collected)),
	    1);
	j = json_loadb(
	    (const char *)out.p, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_false(json_is_true(json_object_get(j, "ok")));
	assert_int_equal(json_array_size(json_object_get(j, "logs")), 4);
	log = json_array_get(json_object_get(j, "logs"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(log, "unit")), "op-1");
	assert_string_equal(
	    json_string_value(json_object_get(log, "origin")), a.origin);
	assert_int_equal(
	    json_integer_value(json_object_get(log, "sealed")), 20);
	finding = json_object_get(log, "finding");
	assert_string_equal(
	    json_string_value(json_object_get(finding, "rule")), "V8");
	assert_string_equal(
	    json_string_value(json_object_get(finding, "file")), "head");
	assert_int_equal(json_array_size(json_object_get(j, "copies")), 2);
	json_decref(j);
}

static void
test_verify__two_histories_under_one_key_are_found(void **state)
{
	struct helper_vfy_log fork;

	(void)state;
	for (size_t n = 3; n <= 30; n += 9) {
		helper_vfy_init(&fork, 1);
		helper_vfy_segment(&fork);
		helper_vfy_start(&fork);
		for (size_t i = 1; i < n; i++)
			helper_vfy_event(&fork);
		helper_vfy_checkpoint(&fork);
		helper_vfy_write(&fork, copy_a);
		assert_int_equal(
		    run(&cmd_verify, ARGS("verify", "-k", pub, log_a, copy_a)),
		    1);
		assert_true(says(&out, "two histories"));
		assert_true(says(&out, "DAMAGED"));
		/* each for itself is good: only the comparison tells */
		assert_int_equal(
		    run(&cmd_verify, ARGS("verify", "-k", pub, copy_a)), 0);
		helper_vfy_free(&fork);
	}
}

static void
test_verify__a_removed_log_is_missed(void **state)
{
	char dir[160];

	(void)state;
	helper_vfy_rmdir(log_a);
	assert_int_equal(run(&cmd_verify, ARGS("verify", state_dir)), 1);
	assert_true(says(&out, "no log"));
	assert_true(says(&out, a.origin));
	(void)snprintf(dir, sizeof(dir), "%s/units/op-1", state_dir);
	helper_vfy_rmdir(dir);
	assert_int_equal(run(&cmd_verify, ARGS("verify", state_dir)), 1);
	assert_true(says(&out, a.origin));
}

static void
test_verify__anchors_find_what_is_cut(void **state)
{
	char head[200];

	(void)state;
	(void)snprintf(head, sizeof(head), "%s/head", log_a);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "--anchor",
					      head, log_a)),
	    0);
	/* the copy is shorter than the unit's own head says */
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "--anchor",
					      head, copy_a)),
	    1);
	assert_true(says(&out, "BAD V9"));
	/* and an anchor of a log that is not there is not passed over */
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "--anchor",
					      head, "-q", collected)),
	    1);
	(void)snprintf(head, sizeof(head), "%s/units/op-2/log/head", state_dir);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, "--anchor",
					      head, log_a)),
	    1);
	assert_true(says(&out, "no log here is of it"));
}

static void
test_verify__wrong_usage_and_unreadable_is_2(void **state)
{
	char empty[80];

	(void)state;
	(void)snprintf(empty, sizeof(empty), "%s/empty", base);
	assert_int_equal(mkdir(empty, 0700), 0);
	assert_int_equal(run(&cmd_verify, ARGS("verify")), 2);
	assert_true(says(&err, "which folder"));
	assert_int_equal(run(&cmd_verify, ARGS("verify", log_a)), 2);
	assert_true(says(&err, "--key"));
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-k", pub, empty)), 2);
	assert_true(says(&err, "no log in it"));
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "/nonexistent")), 2);
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", "/nonexistent", log_a)), 2);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "--no", log_a)), 2);
	assert_true(says(&err, "--no"));
	assert_int_equal(run(&cmd_verify, ARGS("verify", "-x", log_a)), 2);
	assert_int_equal(
	    run(&cmd_verify, ARGS("verify", "-k", pub, "-a", pub, log_a)), 2);
	assert_int_equal(run(&cmd_verify, ARGS("verify", "--help")), 0);
	assert_true(says(&out, "usage: hsa verify"));
}

/* ---- tail and export ----------------------------------------------------- */

static size_t
lines(struct hsa_buf *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++)
		n += text->p[i] == '\n';
	return n;
}

static size_t
events_of(const struct helper_vfy_log *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct hsa_record r;

		assert_int_equal(
		    hsa_record_decode(&r, l->leaf[i].p, l->leaf[i].len).v, 0);
		n += r.body == HSA_BODY_EVENT;
		hsa_record_free(&r);
	}
	return n;
}

/* Each line is one JSON object, and the member is there. */
static void
all_json(struct hsa_buf *text, const char *member)
{
	const char *p = hsa_buf_cstr(text), *lf;

	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1) {
		json_t *j = json_loadb(
		    p, (size_t)(lf - p), JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(j);
		assert_non_null(json_object_get(j, member));
		json_decref(j);
	}
}

static void
test_export__writes_every_event_once_in_order(void **state)
{
	(void)state;
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "--format", "ibm-at", state_dir)),
	    0);
	assert_int_equal(lines(&out), events_of(&a) + events_of(&b));
	all_json(&out, "action");
	assert_int_equal(
	    run(&cmd_export, ARGS("export", state_dir, "--unit", "op-2")), 0);
	assert_int_equal(lines(&out), events_of(&b));
	/* units by the start of their id, as a collector names them */
	assert_int_equal(
	    run(&cmd_export, ARGS("export", collected, "-u", "01010101")), 0);
	assert_int_equal(lines(&out), 3);
	assert_int_equal(
	    run(&cmd_export, ARGS("export", state_dir, "-u", "op-7")), 2);
	assert_true(says(&err, "op-7"));
	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-o", "text", state_dir)), 2);
}

static void
test_tail__shows_each_format(void **state)
{
	(void)state;
	assert_int_equal(run(&cmd_tail, ARGS("tail", state_dir)), 0);
	assert_int_equal(lines(&out), 29);
	assert_false(says(&out, "\033"));
	assert_true(says(&out, "op-1 #0 UNIT_START"));
	assert_true(says(&out,
	    "op-1 #6 hs-crypto.tke-cryptounit-threshold.set failure 500 "
	    "rc=208/21 by=a@example.com target=[us-south].[AZ1-CS1].[00].[03] "
	    "cmd=33333333 signers=44444444: too few signatures"));
	assert_true(says(&out, "op-1 #3 hs-crypto.ep11.use success 200 "
			       "EncryptSingle mech=CKM_AES_CBC_PAD "
			       ""
			       "key=66666666 rv=0x0 by=a@example.com "
			       "target=[us-south].[AZ1-CS1].[00].[03]\n"));
	assert_int_equal(run(&cmd_tail, ARGS("tail", "-o", "json", log_a)), 0);
	assert_int_equal(lines(&out), events_of(&a));
	all_json(&out, "eventTime");
	assert_int_equal(
	    run(&cmd_tail, ARGS("tail", "-o", "envelope", log_a)), 0);
	assert_int_equal(lines(&out), 20);
	all_json(&out, "sequence");
	assert_true(says(&out,
	    "\"use\":{\"function\":19,\"functionName\":\"EncryptSingle\","
	    "\"mechanism\":4229,\"mechanismName\":\"CKM_AES_CBC_PAD\","
	    "\"keyId\":"
	    "\"6666666666666666666666666666666666666666666666666666666666666666"
	    "\",\"bytesIn\":1024,\"bytesOut\":1040,\"durationNs\":31415,"
	    "\"lengthOnly\":false}"));
	assert_int_equal(
	    run(&cmd_tail, ARGS("tail", "--from", "17", log_a)), 0);
	assert_int_equal(lines(&out), 3);
	assert_int_equal(run(&cmd_tail, ARGS("tail", "-n", "x", log_a)), 2);
	assert_int_equal(run(&cmd_tail, ARGS("tail", "-o", "xml", log_a)), 2);
	assert_int_equal(run(&cmd_tail, ARGS("tail")), 2);
}

static void
test_tail__damage_ends_it_with_1_and_the_other_logs_are_shown(void **state)
{
	(void)state;
	flip(log_a, a.file[1].name, 0);
	assert_int_equal(
	    run(&cmd_tail, ARGS("tail", "-o", "envelope", state_dir)), 1);
	assert_int_equal(lines(&out), 8 + 9);
	assert_true(says(&err, "hsa verify"));
}

static void
test_tail__what_a_record_says_is_not_obeyed_by_a_terminal(void **state)
{
	struct helper_vfy_log l;
	struct hsa_record r;

	(void)state;
	helper_vfy_init(&l, 1);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_make(&l, &r);
	free(r.special.text);
	r.special.text = strdup("a\033[2Jb\nc");
	helper_vfy_put(&l, &r, 1);
	helper_vfy_checkpoint(&l);
	helper_vfy_write(&l, log_a);
	assert_int_equal(run(&cmd_tail, ARGS("tail", log_a)), 0);
	assert_int_equal(lines(&out), 2);
	assert_true(says(&out, "a\\x1b[2Jb\\x0ac"));
	hsa_record_free(&r);
	helper_vfy_free(&l);
}

static void
test_tail__follows_units_that_come_later(void **state)
{
	const char *const args[] = {"tail", "-f", collected, NULL};
	char dir[160];
	pid_t pid;

	(void)state;
	helper_vfy_rmdir(collected);
	assert_int_equal(mkdir(collected, 0700), 0);
	(void)snprintf(dir, sizeof(dir), "%s/%s", collected, a.unit);
	if ((pid = fork()) == 0) {
		(void)usleep(200000);
		helper_vfy_write(&a, dir);
		_exit(0);
	}
	assert_true(pid > 0);
	/* returns once the second start was shown */
	assert_int_equal(helper_vfy_stop(helper_vfy_spawn(cmd_tail.run, args,
					     "#11 UNIT_START", NULL),
			     SIGTERM),
	    0);
	assert_int_equal(helper_vfy_stop(pid, 0), 0);
}

/* ---- catalogue ----------------------------------------------------------- */

static void
test_catalogue__tsv_is_the_independent_table(void **state)
{
	FILE *f = fopen("tests/kat/catalogue.tsv", "r");
	struct hsa_buf want = {0};
	char part[4096];
	size_t n;

	(void)state;
	if (f == NULL)
		fail_msg("%s", "run this from the root of the tree");
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		hsa_buf_put(&want, part, n);
	(void)fclose(f);
	assert_int_equal(
	    run(&cmd_catalogue, ARGS("catalogue", "-f", "tsv")), 0);
	assert_int_equal(lines(&out), lines(&want));
	assert_int_equal(out.len, want.len);
	assert_memory_equal(out.p, want.p, want.len);
	hsa_buf_free(&want);
}

static void
test_catalogue__json_and_markdown_have_every_action(void **state)
{
	json_t *j;

	(void)state;
	assert_int_equal(
	    run(&cmd_catalogue, ARGS("catalogue", "-f", "json")), 0);
	j = json_loadb(
	    (const char *)out.p, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_true(json_array_size(j) >= 70);
	assert_int_equal(run(&cmd_catalogue, ARGS("catalogue")), 0);
	for (size_t i = 0; i < json_array_size(j); i++)
		assert_true(says(&out, json_string_value(json_object_get(
					   json_array_get(j, i), "action"))));
	json_decref(j);
	assert_int_equal(run(&cmd_catalogue, ARGS("catalogue", "-f", "x")), 2);
	assert_int_equal(run(&cmd_catalogue, ARGS("catalogue", "x")), 2);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_verify__a_state_directory_and_its_copy_are_good),
	    CASE(test_verify__damage_is_named_with_its_place),
	    CASE(test_verify__json_says_the_same),
	    CASE(test_verify__two_histories_under_one_key_are_found),
	    CASE(test_verify__a_removed_log_is_missed),
	    CASE(test_verify__anchors_find_what_is_cut),
	    CASE(test_verify__wrong_usage_and_unreadable_is_2),
	    CASE(test_export__writes_every_event_once_in_order),
	    CASE(test_tail__shows_each_format),
	    CASE(test_tail__damage_ends_it_with_1_and_the_other_logs_are_shown),
	    CASE(test_tail__what_a_record_says_is_not_obeyed_by_a_terminal),
	    CASE(test_tail__follows_units_that_come_later),
	    CASE(test_catalogue__tsv_is_the_independent_table),
	    CASE(test_catalogue__json_and_markdown_have_every_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
