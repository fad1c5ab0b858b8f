/* Commands and the crypto units that they went to: which events make one
 * command, when one is missing, and when a failure explains it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_val.h"

#define CLEAR HSA_ACTION_TKE_CURRENT_CLEAR
#define RESET HSA_ACTION_TKE_RESET
#define ADD HSA_ACTION_TKE_ADMIN_ADD
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct val_run run;
static struct hv_found got;
static struct val_units units;
static uint64_t last_id;

/* Units 0, 1 and 2 where n is 3. */
static void
begin(size_t n)
{
	val_units_free(&units);
	val_run_free(&run);
	hv_run(&run, &got);
	units.n = n;
	run.across.fan.units = &units;
	/* no state of a unit is at stake here */
	run.report.off[VAL_W07] = run.report.off[VAL_E11] = true;
	run.report.off[VAL_E20] = run.report.off[VAL_W08] = true;
}

/* An event; id: of its command, 0: it comes without an envelope. */
struct told {
	enum hsa_action action;
	unsigned int unit, time; /* seconds */
	uint32_t status;         /* 0: a success */
	unsigned int id, admin;
};

static void
tell(const struct told *t)
{
	struct val_envelope env = {
	    .epoch = 1,
	    .sequence = ++last_id,
	    .source = HSA_SOURCE_OUTBOX,
	    .has_command_id = true,
	};
	struct val_text text = {.envelope = t->id == 0 ? NULL : &env};
	char q[100], a[100];
	struct hv_event e = {t->action, t->unit, t->status,
	    (uint64_t)t->time * HV_SECOND, last_id, NULL, NULL};
	struct hsa_buf b = {0};

	memset(env.unit_id, (int)t->unit + 1, sizeof(env.unit_id));
	memset(env.command_id, (int)t->id, sizeof(env.command_id));
	(void)snprintf(q, sizeof(q), "\"adminId\":\"%s\"", hv_id(t->admin));
	(void)snprintf(a, sizeof(a), "\"adminIds\":[\"%s\"]", hv_id(t->admin));
	if (t->action == ADD) {
		e.request = q;
		e.response = a;
	}
	hv_event(&b, &e);
	assert_ok(hsa_buf_rc(&b));
	text.p = b.p;
	text.n = b.len;
	assert_ok(val_run_take(&run, &text));
	hsa_buf_free(&b);
}

static unsigned int
missing(void)
{
	assert_ok(val_run_end(&run));
	return got.findings;
}

/* Events of three units, of one test case. */
struct scene {
	const char *what;
	struct told event[10];
	unsigned int findings;
};

#define OK(action, unit, time, id)                                             \
	{                                                                      \
		action, unit, time, 0, id, 1                                   \
	}
#define NO(action, unit, time, id)                                             \
	{                                                                      \
		action, unit, time, 500, id, 1                                 \
	}
#define ADMIN(who, unit, time)                                                 \
	{                                                                      \
		ADD, unit, time, 0, 0, who                                     \
	}

static const struct scene scenes[] = {
    {"all of them",
	{OK(CLEAR, 0, 1, 1), OK(CLEAR, 1, 2, 1), OK(CLEAR, 2, 3, 1)}, 0},
    {"unit by unit, as logs are read",
	{OK(CLEAR, 0, 1, 1), OK(RESET, 0, 9, 2), OK(CLEAR, 1, 2, 1),
	    OK(RESET, 1, 10, 2), OK(CLEAR, 2, 3, 1), OK(RESET, 2, 11, 2)},
	0},
    {"one is missing", {OK(CLEAR, 0, 1, 1), OK(CLEAR, 2, 3, 1)}, 1},
    {"two commands, one is missing from each",
	{OK(CLEAR, 0, 1, 1), OK(CLEAR, 2, 3, 1), OK(CLEAR, 1, 9, 2),
	    OK(CLEAR, 2, 9, 2)},
	2},
    {"one is there twice", {OK(CLEAR, 0, 1, 1), OK(CLEAR, 0, 2, 1)}, 1},
    {"all refuse, and no more",
	{NO(CLEAR, 0, 1, 1), NO(CLEAR, 1, 2, 1), NO(CLEAR, 2, 3, 1)}, 0},
    {"what all refused explains nothing",
	{NO(CLEAR, 0, 1, 1), NO(CLEAR, 1, 2, 1), NO(CLEAR, 2, 3, 1),
	    OK(CLEAR, 0, 4, 2), OK(CLEAR, 2, 5, 2)},
	1},
    {"it ended at a failure", {OK(CLEAR, 0, 1, 1), NO(CLEAR, 1, 2, 1)}, 0},
    {"and two made up for it",
	{OK(CLEAR, 0, 1, 1), NO(CLEAR, 1, 2, 1), OK(CLEAR, 1, 60, 2),
	    OK(CLEAR, 2, 61, 2)},
	0},
    {"one after the other",
	{OK(CLEAR, 0, 1, 1), NO(CLEAR, 1, 2, 1), OK(CLEAR, 1, 60, 2),
	    OK(CLEAR, 2, 61, 3)},
	0},
    {"not those that had it",
	{OK(CLEAR, 0, 1, 1), NO(CLEAR, 1, 2, 1), OK(CLEAR, 0, 60, 2)}, 1},
    {"and not for another action",
	{OK(CLEAR, 0, 1, 1), NO(CLEAR, 1, 2, 1), OK(RESET, 1, 60, 2),
	    OK(RESET, 2, 61, 2)},
	1},
    {"nor after one that went to all",
	{OK(CLEAR, 0, 1, 1), NO(CLEAR, 1, 2, 1), OK(CLEAR, 0, 60, 2),
	    OK(CLEAR, 1, 61, 2), OK(CLEAR, 2, 62, 2), OK(CLEAR, 1, 90, 3)},
	1},
    /* without ids */
    {"all of them, no ids",
	{OK(CLEAR, 0, 1, 0), OK(CLEAR, 1, 2, 0), OK(CLEAR, 2, 3, 0)}, 0},
    {"twice, unit by unit",
	{OK(CLEAR, 0, 1, 0), OK(CLEAR, 0, 9, 0), OK(CLEAR, 1, 2, 0),
	    OK(CLEAR, 1, 10, 0), OK(CLEAR, 2, 3, 0), OK(CLEAR, 2, 11, 0)},
	0},
    {"the second time one is missing",
	{OK(CLEAR, 0, 1, 0), OK(CLEAR, 0, 9, 0), OK(CLEAR, 1, 2, 0),
	    OK(CLEAR, 1, 10, 0), OK(CLEAR, 2, 3, 0)},
	1},
    {"different administrators are different requests",
	{ADMIN(1, 0, 1), ADMIN(2, 1, 2), ADMIN(1, 2, 3)}, 2},
    {"the same to each",
	{ADMIN(1, 0, 1), ADMIN(2, 0, 9), ADMIN(1, 1, 2), ADMIN(2, 1, 10),
	    ADMIN(2, 2, 11), ADMIN(1, 2, 3)},
	0},
    {"a failure nearby explains it, no ids",
	{OK(CLEAR, 0, 1, 0), NO(CLEAR, 1, 2, 0)}, 0},
    {"a failure long after does not",
	{OK(CLEAR, 0, 1, 0), NO(CLEAR, 1, 900, 0)}, 1},
    {"made up for, no ids",
	{OK(CLEAR, 0, 1, 0), NO(CLEAR, 1, 2, 0), OK(CLEAR, 1, 60, 0),
	    OK(CLEAR, 2, 61, 0)},
	0},
};

static void
test_val_across__a_command_leaves_an_event_of_each_unit(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(scenes); i++) {
		begin(3);
		for (k = 0; k < COUNT(scenes[i].event) &&
			    scenes[i].event[k].action != HSA_ACTION_NONE;
		     k++)
			tell(&scenes[i].event[k]);
		assert_string_equal(got.text, "");
		if (missing() != scenes[i].findings)
			fail_msg("%s: %s", scenes[i].what, got.text);
	}
	/* and nothing is known of it afterwards, nor without --units */
	assert_int_equal(missing(), got.findings);
	begin(3);
	run.across.fan.units = NULL;
	tell(&scenes[2].event[0]);
	assert_int_equal(missing(), 0);
}

static char message[512];

static void
take(void *ctx, const struct val_finding *f)
{
	(void)ctx;
	if (f->check == VAL_E19)
		(void)snprintf(message, sizeof(message), "%s", f->message);
}

static void
test_val_across__the_missing_unit_is_told_by_name(void **state)
{
	static const char names[] = "# three of them\n"
				    "[us-south].[AZ1-CS4].[00].[00]\r\n"
				    "\n"
				    "1\n"
				    "[us-south].[AZ9-CS9].[00].[09]";
	static const struct told one = OK(CLEAR, 0, 1, 7),
				 two = OK(CLEAR, 1, 2, 7),
				 other = OK(CLEAR, 2, 3, 7),
				 later = OK(RESET, 0, 5, 8);
	struct hsa_diag diag = {{0}};

	(void)state;
	begin(0);
	run.report.take = take;
	assert_ok(val_units_parse(&units, names, strlen(names), &diag));
	assert_int_equal(units.n, 3);
	tell(&one);
	tell(&two); /* by the end of its CRN */
	message[0] = '\0';
	tell(&other);
	assert_string_equal(message,
	    "is none of the 3 crypto units that were selected (--units)");
	message[0] = '\0';
	tell(&other); /* once */
	assert_string_equal(message, "");
	assert_ok(val_run_end(&run));
	assert_string_equal(message,
	    "hs-crypto.tke-cryptounit-current-master-key-register.clear at "
	    "2026-01-01T00:00:01.00+0000, command "
	    "07070707-0707-0707-0707-070707070707 left no event of "
	    "[us-south].[AZ9-CS9].[00].[09]");
	/* by number, those that were seen have a name */
	begin(4);
	run.report.take = take;
	tell(&one);
	tell(&two);
	tell(&other);
	tell(&later);
	assert_ok(val_run_end(&run));
	assert_non_null(strstr(message,
	    "left no event of [us-south].[AZ1-CS4].[00].[01], "
	    "[us-south].[AZ1-CS4].[00].[02], and 1 that no event names"));
}

static void
test_val_across__commands_are_counted_up_to_a_limit(void **state)
{
	struct told t = ADMIN(1, 0, 1);
	unsigned int i;

	(void)state;
	begin(2);
	run.across.fan.limit = 200;
	for (i = 0; i < 300; i++) {
		t.admin = i + 1;
		tell(&t);
	}
	for (i = 0; i < 200; i++) { /* those are known still */
		t.admin = i + 1;
		t.unit = 1;
		tell(&t);
	}
	assert_int_equal(got.findings, 0);
	assert_int_equal(run.across.fan.len, 200);
	assert_int_equal(missing(), 1);
	assert_string_equal(got.text, "W12 target.id; ");
}

static void
test_val_across__units_are_a_number_or_a_list(void **state)
{
	static const struct {
		const char *text, *rc;
		size_t n;
	} set[] = {
	    {"a", "OK", 1},
	    {"a\nb\n", "OK", 2},
	    {"a\r\n#b\n\n c \n", "OK", 2},
	    {"", "E_FORMAT", 0},
	    {"#\n\n", "E_FORMAT", 0},
	    {"a\nb\na", "E_EXISTS", 0},
	    {"a\xff", "E_FORMAT", 0},
	};
	char path[] = "/tmp/val-units-XXXXXX", many[400] = "";
	struct hsa_diag diag = {{0}};
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < COUNT(set); i++) {
		val_units_free(&units);
		assert_rc(set[i].rc, val_units_parse(&units, set[i].text,
					 strlen(set[i].text), &diag));
		if (set[i].n != 0)
			assert_int_equal(units.n, set[i].n);
	}
	val_units_free(&units);
	assert_rc("E_FORMAT", val_units_parse(&units, "a\0b", 3, &diag));
	val_units_free(&units);
	for (i = 0; i <= VAL_UNITS; i++)
		(void)snprintf(many + strlen(many), 8, "u%zu\n", i);
	assert_rc(
	    "E_RANGE", val_units_parse(&units, many, strlen(many), &diag));
	val_units_free(&units);
	/* --units 3 and --units FILE */
	assert_ok(val_units_load(&units, "3", &diag));
	assert_true(units.n == 3 && units.name[0] == NULL);
	val_units_free(&units);
	assert_ok(val_units_load(&units, "64", &diag));
	val_units_free(&units);
	assert_rc("E_ARG", val_units_load(&units, "0", &diag));
	assert_rc("E_ARG", val_units_load(&units, "65", &diag));
	assert_rc("E_ARG", val_units_load(&units, "99999999999999", &diag));
	assert_rc("E_NOT_FOUND", val_units_load(&units, "/no/file", &diag));
	assert_non_null(strstr(diag.text, "/no/file"));
	fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, "x\ny\n", 4) == 4);
	assert_ok(val_units_load(&units, path, &diag));
	assert_true(units.n == 2);
	assert_int_equal(val_units_find(&units, "crn:y", ""), 1);
	assert_int_equal(val_units_find(&units, "", "x"), 0);
	assert_int_equal(val_units_find(&units, "z", "z"), 2);
	(void)close(fd);
	(void)unlink(path);
	val_units_free(&units);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_val_across__a_command_leaves_an_event_of_each_unit),
	    cmocka_unit_test(test_val_across__the_missing_unit_is_told_by_name),
	    cmocka_unit_test(
		test_val_across__commands_are_counted_up_to_a_limit),
	    cmocka_unit_test(test_val_across__units_are_a_number_or_a_list),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	val_run_free(&run);
	val_units_free(&units);
	return bad;
}
