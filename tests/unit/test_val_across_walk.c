/* What events do to a crypto unit, row by row of the state table against a
 * second, hand-written reading; and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_val.h"
#include "val_across_unit.h"

#define ADD HSA_ACTION_TKE_ADMIN_ADD
#define REMOVE HSA_ACTION_TKE_ADMIN_REMOVE
#define THRESHOLD HSA_ACTION_TKE_THRESHOLD_SET
#define LOAD HSA_ACTION_TKE_REGISTER_ADD
#define COMMIT HSA_ACTION_TKE_REGISTER_COMMIT
#define ACTIVATE HSA_ACTION_TKE_REGISTER_ACTIVATE
#define CLEAR_NEW HSA_ACTION_TKE_NEW_CLEAR
#define CLEAR_CURRENT HSA_ACTION_TKE_CURRENT_CLEAR
#define RESET HSA_ACTION_TKE_RESET

static struct hv h;

/* A success on unit or key 1 with what the document demands of it; each key
 * and administrator is the same. */
static void
good(enum hsa_action action)
{
	static const char threshold[] =
	    "\"signatureThreshold\":1,\"revocationSignatureThreshold\":1";
	char id[100], ids[100], pattern[100], parts[200];
	const char *q = NULL, *a = NULL;

	(void)snprintf(id, sizeof(id), "\"adminId\":\"%s\"", hv_id(1));
	(void)snprintf(ids, sizeof(ids), "\"adminIds\":[\"%s\"]", hv_id(1));
	(void)snprintf(pattern, sizeof(pattern),
	    "\"verificationPattern\":\"%s\"", hv_id(2));
	(void)snprintf(parts, sizeof(parts), "\"masterKeyIds\":[\"%s\",\"%s\"]",
	    hv_id(3), hv_id(4));
	switch (action) {
	case ADD:
		q = id;
		a = ids;
		break;
	case THRESHOLD:
		q = a = threshold;
		break;
	case LOAD:
		q = parts;
		a = pattern;
		break;
	case COMMIT:
		q = pattern;
		a = parts;
		break;
	case ACTIVATE:
		q = a = pattern;
		break;
	default:
		break;
	}
	hv_tell(&h, action, 1, 0, q, a);
}

/* ---- a unit's registers -------------------------------------------------- */

/* By new register UNKNOWN EMPTY LOADED COMMITTED, then in imprint mode: the
 * finding ("-": none) and the register afterwards. */
struct reading {
	enum hsa_action action;
	const char *finding[5];
	const char *next; /* "LLLLL": by first letters; '=': as before */
};
static const struct reading units[] = {
    {ADD, {"-", "-", "-", "-", "-"}, "====="},
    {REMOVE, {"-", "-", "-", "-", "-"}, "====="},
    {THRESHOLD, {"-", "-", "-", "-", "-"}, "====="},
    {LOAD, {"-", "-", "-", "W07", "E28"}, "LLLLL"},
    {COMMIT, {"-", "E27", "-", "W07", "E28"}, "CUCCC"},
    {ACTIVATE, {"-", "E27", "E27", "-", "E28"}, "EEEEE"},
    {CLEAR_NEW, {"-", "-", "-", "-", "W07"}, "EEEEE"},
    {CLEAR_CURRENT, {"-", "-", "-", "-", "W07"}, "====="},
    {RESET, {"-", "-", "-", "-", "-"}, "EEEEE"},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
test_val_across__each_state_and_action_of_a_unit_has_one_row(void **state)
{
	const struct val_step *s;
	size_t n, i, k, walked = 0;
	unsigned int bit, rows;

	(void)state;
	s = val_steps(&n);
	for (i = 0; i < COUNT(units); i++)
		for (bit = 0; bit < 8; bit++) {
			size_t column = bit < 4 ? bit : 4;
			const char *want = units[i].finding[column];
			char next = units[i].next[column];

			for (k = 0, rows = 0; k < n; k++)
				rows += s[k].action == units[i].action &&
					(s[k].from >> bit & 1) != 0;
			assert_int_equal(rows, 1);
			for (k = 0; s[k].action != units[i].action ||
				    (s[k].from >> bit & 1) == 0;
			     k++)
				;
			assert_ptr_equal(
			    &s[k], val_step(units[i].action, bit >= 4,
				       (enum val_register)(bit % 4)));
			if (want[0] == '-')
				assert_int_equal(s[k].check, VAL_CHECKS);
			else
				assert_string_equal(
				    val_check_row(s[k].check)->id, want);
			assert_int_equal(
			    s[k].check == VAL_CHECKS, s[k].text[0] == '\0');
			assert_int_equal("UELC="[s[k].next], next);
			walked++;
		}
	assert_int_equal(walked, 72);
	for (k = 0; k < n; k++)
		assert_true(s[k].from != 0);
	assert_null(val_step(HSA_ACTION_EP11_USE, false, VAL_REGISTER_EMPTY));
}

static void
test_val_across__events_go_through_each_state_of_a_unit(void **state)
{
	/* to get there; NONE ends it */
	static const enum hsa_action way[5][5] = {
	    {HSA_ACTION_NONE},
	    {RESET, ADD, THRESHOLD, HSA_ACTION_NONE},
	    {RESET, ADD, THRESHOLD, LOAD, HSA_ACTION_NONE},
	    {LOAD, COMMIT, HSA_ACTION_NONE},
	    {RESET, HSA_ACTION_NONE},
	};
	size_t i, at, k;
	char want[32];

	(void)state;
	for (i = 0; i < COUNT(units); i++)
		for (at = 0; at < 5; at++) {
			enum hsa_action action = units[i].action;

			if (action == ADD || action == REMOVE)
				continue; /* below */
			hv_begin(&h);
			for (k = 0; way[at][k] != HSA_ACTION_NONE; k++)
				good(way[at][k]);
			/* thresholds need somebody */
			if (action == THRESHOLD && at == 4)
				good(ADD);
			assert_string_equal(h.found.text, "");
			good(action);
			(void)snprintf(want, sizeof(want), "%s action; ",
			    units[i].finding[at]);
			assert_string_equal(
			    h.found.text, want[0] == '-' ? "" : want);
		}
}

/* ---- administrators ------------------------------------------------------ */

static void
admins(enum hsa_action action, unsigned int who, unsigned int from,
    unsigned int to)
{
	struct hsa_buf q = {0}, a = {0};
	unsigned int i;

	hsa_buf_printf(&q, "\"adminId\":\"%s\"", hv_id(who));
	hsa_buf_str(&a, "\"adminIds\":[");
	for (i = from; i < to; i++)
		hsa_buf_printf(&a, "%s\"%s\"", i == from ? "" : ",", hv_id(i));
	hsa_buf_str(&a, "]");
	hv_tell(&h, action, 1, 0, hsa_buf_cstr(&q), hsa_buf_cstr(&a));
	hsa_buf_free(&q);
	hsa_buf_free(&a);
}

static void
test_val_across__a_unit_has_eight_administrators_at_most(void **state)
{
	unsigned int i;

	(void)state;
	hv_begin(&h);
	good(RESET);
	for (i = 1; i <= 8; i++)
		admins(ADD, i, 1, i + 1);
	assert_string_equal(h.found.text, "");
	admins(ADD, 9, 1, 10);
	assert_string_equal(h.found.text, "E26 requestData.adminId; ");
	/* who there is now, nobody knows */
	admins(REMOVE, 42, 1, 4);
	assert_int_equal(h.found.findings, 1);
	admins(REMOVE, 3, 1, 3);
	assert_int_equal(h.found.findings, 1);
}

static void
test_val_across__a_removal_leaves_enough_for_the_thresholds(void **state)
{
	static const char two[] =
	    "\"signatureThreshold\":1,\"revocationSignatureThreshold\":2";

	(void)state;
	hv_begin(&h);
	hv_tell(&h, THRESHOLD, 1, 0, two, two);
	admins(REMOVE, 4, 1, 3); /* the first that tells of administrators */
	assert_string_equal(h.found.text, "");
	admins(REMOVE, 2, 1, 2);
	assert_string_equal(h.found.text, "E12 requestData.adminId; ");
	admins(REMOVE, 1, 1, 1);
	assert_int_equal(h.found.findings, 1);
	/* the thresholds are told first, the administrators later */
	hv_begin(&h);
	admins(ADD, 2, 1, 3);
	hv_tell(&h, THRESHOLD, 1, 500, two, NULL);
	hv_tell(&h, THRESHOLD, 1, 0, two, two);
	assert_string_equal(h.found.text, "");
	admins(REMOVE, 2, 1, 2);
	assert_string_equal(h.found.text, "E12 requestData.adminId; ");
}

static void
test_val_across__a_change_without_a_list_is_followed(void **state)
{
	char id[100];

	(void)state;
	hv_begin(&h);
	h.run.report.off[VAL_E09] = true; /* documented, and missing here */
	admins(ADD, 2, 1, 3);
	(void)snprintf(id, sizeof(id), "\"adminId\":\"%s\"", hv_id(3));
	hv_tell(&h, ADD, 1, 0, id, NULL);
	admins(ADD, 4, 1, 5);
	assert_string_equal(h.found.text, "");
	hv_tell(&h, REMOVE, 1, 0, id, NULL);
	admins(ADD, 3, 1, 5); /* 3 was not there */
	assert_string_equal(h.found.text, "");
	hv_tell(&h, ADD, 1, 0, id, NULL);
	assert_string_equal(h.found.text, "E26 requestData.adminId; ");
	/* a change that names nobody leaves nothing known */
	hv_tell(&h, REMOVE, 1, 0, NULL, NULL);
	admins(ADD, 4, 3, 5);
	assert_int_equal(h.found.findings, 1);
}

static void
test_val_across__one_master_key_goes_through_a_register(void **state)
{
	/* the last four bytes count for nothing: old cards left them */
	static const char *const set[][3] = {
	    {"aa", "00000000", ""},
	    {"aa", "99999999", ""},
	    {"ab", "00000000", "E13 requestData.verificationPattern; "},
	};
	char load[100], other[100], ids[200], turned[200], three[300];
	size_t i;

	(void)state;
	(void)snprintf(ids, sizeof(ids), "\"masterKeyIds\":[\"%s\",\"%s\"]",
	    hv_id(1), hv_id(2));
	(void)snprintf(turned, sizeof(turned),
	    "\"masterKeyIds\":[\"%s\",\"%s\"]", hv_id(2), hv_id(1));
	(void)snprintf(three, sizeof(three),
	    "\"masterKeyIds\":[\"%s\",\"%s\",\"%s\"]", hv_id(2), hv_id(1),
	    hv_id(3));
	for (i = 0; i < COUNT(set); i++) {
		hv_begin(&h);
		(void)snprintf(load, sizeof(load),
		    "\"verificationPattern\":\"%.54saa00000000\"", hv_id(7));
		(void)snprintf(other, sizeof(other),
		    "\"verificationPattern\":\"%.54s%s%s\"", hv_id(7),
		    set[i][0], set[i][1]);
		hv_tell(&h, LOAD, 1, 0, ids, load);
		hv_tell(&h, COMMIT, 1, 0, other, turned); /* in any order */
		assert_string_equal(h.found.text, set[i][2]);
	}
	hv_begin(&h);
	hv_tell(&h, LOAD, 1, 0, ids, load);
	hv_tell(&h, COMMIT, 1, 0, load, three);
	assert_string_equal(h.found.text, "E13 responseData.masterKeyIds; ");
	hv_begin(&h);
	hv_tell(&h, COMMIT, 1, 0, load, three);
	hv_tell(&h, ACTIVATE, 1, 0, load, other);
	assert_string_equal(
	    h.found.text, "E13 responseData.verificationPattern; ");
	/* another one may follow */
	hv_tell(&h, LOAD, 1, 0, turned, other);
	assert_int_equal(h.found.findings, 1);
}

/* ---- limits -------------------------------------------------------------- */

static void
test_val_across__the_target_not_seen_for_longest_is_forgotten(void **state)
{
	unsigned int i;

	(void)state;
	hv_begin(&h);
	h.run.across.targets.limit = 3;
	for (i = 0; i < 3; i++)
		hv_tell(&h, RESET, i, 0, NULL, NULL);
	hv_tell(&h, CLEAR_CURRENT, 0, 500, NULL, NULL); /* 1 is oldest now */
	assert_string_equal(h.found.text, "");
	hv_tell(&h, RESET, 3, 0, NULL, NULL);
	assert_string_equal(h.found.text, "W12 target.id; ");
	hv_tell(&h, CLEAR_NEW, 2, 0, NULL, NULL);
	hv_tell(&h, CLEAR_NEW, 0, 0, NULL, NULL);
	assert_string_equal(
	    h.found.text, "W12 target.id; W07 action; W07 action; ");
	hv_tell(&h, CLEAR_NEW, 1, 0, NULL, NULL);
	assert_int_equal(h.found.findings, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_val_across__each_state_and_action_of_a_unit_has_one_row),
	    cmocka_unit_test(
		test_val_across__events_go_through_each_state_of_a_unit),
	    cmocka_unit_test(
		test_val_across__a_unit_has_eight_administrators_at_most),
	    cmocka_unit_test(
		test_val_across__a_removal_leaves_enough_for_the_thresholds),
	    cmocka_unit_test(
		test_val_across__a_change_without_a_list_is_followed),
	    cmocka_unit_test(
		test_val_across__one_master_key_goes_through_a_register),
	    cmocka_unit_test(
		test_val_across__the_target_not_seen_for_longest_is_forgotten),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	val_run_free(&h.run);
	return bad;
}
