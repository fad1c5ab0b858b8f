/* Events together: a true stream has no finding; each break of it is found by
 * its own check; and so is every row of the state tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_val.h"
#include "val_across_key.h"
#include "val_across_unit.h"

#define UNITS 3
#define LINES 256

#define ADD HSA_ACTION_TKE_ADMIN_ADD
#define REMOVE HSA_ACTION_TKE_ADMIN_REMOVE
#define THRESHOLD HSA_ACTION_TKE_THRESHOLD_SET
#define LOAD HSA_ACTION_TKE_REGISTER_ADD
#define COMMIT HSA_ACTION_TKE_REGISTER_COMMIT
#define ACTIVATE HSA_ACTION_TKE_REGISTER_ACTIVATE
#define CLEAR_NEW HSA_ACTION_TKE_NEW_CLEAR
#define CLEAR_CURRENT HSA_ACTION_TKE_CURRENT_CLEAR
#define RESET HSA_ACTION_TKE_RESET

/* A key of this name has these parts. */
#define PART(key, n) ((key)*10 + (n))

struct line {
	enum hsa_action action;
	unsigned int target;
	bool fails;
	struct hsa_buf text;
};

struct stream {
	struct line line[LINES];
	size_t len;
	uint64_t time, id;
};

static struct val_run run;
static struct hv_found got;

/* ---- a stream ------------------------------------------------------------ */

static void
put(struct stream *s, enum hsa_action action, unsigned int target,
    uint32_t status, const char *request, const char *response)
{
	struct line *l = &s->line[s->len++];
	struct hv_event e = {
	    action, target, status, s->time += 7, ++s->id, request, response};

	assert_true(s->len <= LINES);
	l->action = action;
	l->target = target;
	l->fails = status >= 400;
	hv_event(&l->text, &e);
	assert_ok(hsa_buf_rc(&l->text));
}

/* On each unit, as one command does. */
static void
all(struct stream *s, enum hsa_action action, uint32_t status,
    const char *request, const char *response)
{
	unsigned int u;

	for (u = 0; u < UNITS; u++)
		put(s, action, u, status, request, response);
}

/* admins: numbers of those there afterwards, ended by 0. */
static void
admin(struct stream *s, enum hsa_action action, unsigned int who,
    const unsigned int *admins)
{
	struct hsa_buf q = {0}, a = {0};
	size_t i;

	hsa_buf_printf(&q, "\"adminId\":\"%s\"", hv_id(who));
	hsa_buf_str(&a, "\"adminIds\":[");
	for (i = 0; admins[i] != 0; i++)
		hsa_buf_printf(
		    &a, "%s\"%s\"", i == 0 ? "" : ",", hv_id(admins[i]));
	hsa_buf_str(&a, "]");
	all(s, action, 0, hsa_buf_cstr(&q), hsa_buf_cstr(&a));
	hsa_buf_free(&q);
	hsa_buf_free(&a);
}

static void
thresholds(struct stream *s, int sign, int revoke, uint32_t status)
{
	char text[100];

	(void)snprintf(text, sizeof(text),
	    "\"signatureThreshold\":%d,\"revocationSignatureThreshold\":%d",
	    sign, revoke);
	all(s, THRESHOLD, status, text, status == 0 ? text : NULL);
}

static void
master_key(struct stream *s, enum hsa_action action, unsigned int key)
{
	char pattern[100], parts[200];

	(void)snprintf(pattern, sizeof(pattern),
	    "\"verificationPattern\":\"%s\"", hv_id(1000 + key));
	(void)snprintf(parts, sizeof(parts), "\"masterKeyIds\":[\"%s\",\"%s\"]",
	    hv_id(PART(key, 1)), hv_id(PART(key, 2)));
	all(s, action, 0, action == LOAD ? parts : pattern,
	    action == COMMIT ? parts : pattern);
}

static void
key(struct stream *s, enum hsa_action action, unsigned int target,
    const char *response)
{
	s->time += 10 * HV_SECOND;
	put(s, action, target, 0, NULL, response);
}

#define SECRET                                                                 \
	"\"keyId\":\"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11\","                  \
	"\"keyVersionId\":\"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11\","           \
	"\"keyVersionCreationDate\":\"2026-01-31T09:00:00Z\",\"keyState\":"
#define KEY_TYPE "\"keyType\":\"root\""

static void
create(struct stream *s, unsigned int target, const char *response)
{
	s->time += 10 * HV_SECOND;
	put(s, HSA_ACTION_SECRETS_CREATE, target, 0, KEY_TYPE, response);
}

static void
read_key(struct stream *s, unsigned int target, const char *response)
{
	s->time += 10 * HV_SECOND;
	put(s, HSA_ACTION_SECRETS_READ, target, 0, KEY_TYPE, response);
}

static void
keys(struct stream *s)
{
	static const char version[] =
	    "\"keyVersionId\":\"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11\"";
	static const char both[] =
	    "\"keyVersionId\":\"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11\","
	    "\"rewrappedKeyVersionId\":\"1f2d1a0e-58ab-4a2b-8b3d-"
	    "2a6f5f0f7a11\"";
	static const char set[] =
	    "\"newValue\":{\"authID\":\"IBMid-1\",\"authExpiration\":"
	    "\"2026-01-31T09:00:00Z\"}";
	static const char unset[] =
	    "\"initialValue\":{\"authID\":\"IBMid-1\",\"authExpiration\":"
	    "\"2026-01-31T09:00:00Z\"}";

	create(s, 1, SECRET "1");
	key(s, HSA_ACTION_SECRETS_WRAP, 1, version);
	key(s, HSA_ACTION_SECRETS_DISABLE, 1, NULL);
	put(s, HSA_ACTION_SECRETS_WRAP, 1, 409, NULL, NULL);
	read_key(s, 1, SECRET "2");
	key(s, HSA_ACTION_SECRETS_ENABLE, 1, NULL);
	read_key(s, 1, SECRET "1");
	key(s, HSA_ACTION_SECRETS_SETKEYFORDELETION, 1, set);
	key(s, HSA_ACTION_SECRETS_UNSETKEYFORDELETION, 1, unset);
	key(s, HSA_ACTION_SECRETS_SETKEYFORDELETION, 1, set);
	key(s, HSA_ACTION_SECRETS_DELETE, 1, "\"keyState\":5");
	read_key(s, 1, SECRET "5");
	key(s, HSA_ACTION_SECRETS_RESTORE, 1, version);
	key(s, HSA_ACTION_SECRETS_WRAP, 1, version);
	create(s, 2, SECRET "0");
	read_key(s, 2, SECRET "1");
	key(s, HSA_ACTION_SECRETS_ROTATE, 2, NULL);
	s->time += 10 * HV_SECOND;
	put(s, HSA_ACTION_SECRETS_EXPIRE, 2, 0,
	    KEY_TYPE ",\"expirationDate\":\"2026-01-31T09:00:00Z\"",
	    "\"keyId\":\"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11\","
	    "\"initialValue\":{\"keyState\":1},\"newValue\":{\"keyState\":3}");
	key(s, HSA_ACTION_SECRETS_REWRAP, 2, both);
	key(s, HSA_ACTION_SECRETS_UNWRAP, 2, version);
	key(s, HSA_ACTION_SECRETS_DELETE, 2, "\"keyState\":5");
	key(s, HSA_ACTION_SECRETS_PURGE, 2, NULL);
}

/* Two master keys into three units, with refusals in between. */
static struct stream *
ceremony(void)
{
	static const unsigned int one[] = {1, 0}, two[] = {1, 2, 0},
				  three[] = {1, 2, 3, 0},
				  four[] = {1, 2, 3, 4, 0},
				  later[] = {1, 2, 4, 0},
				  last[] = {1, 2, 4, 5, 0};
	struct stream *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	all(s, RESET, 0, NULL, NULL);
	admin(s, ADD, 1, one);
	admin(s, ADD, 2, two);
	all(s, LOAD, 500, NULL, NULL);
	admin(s, ADD, 3, three);
	thresholds(s, 4, 2, 500);
	thresholds(s, 2, 2, 0);
	admin(s, ADD, 4, four);
	all(s, ADD, 500, NULL, NULL);
	admin(s, REMOVE, 3, later);
	master_key(s, LOAD, 1);
	all(s, COMMIT, 500, NULL, NULL);
	master_key(s, COMMIT, 1);
	master_key(s, ACTIVATE, 1);
	admin(s, ADD, 5, last);
	thresholds(s, 1, 3, 0);
	master_key(s, LOAD, 2);
	all(s, CLEAR_NEW, 500, NULL, NULL);
	all(s, CLEAR_NEW, 0, NULL, NULL);
	master_key(s, LOAD, 3);
	master_key(s, LOAD, 4);
	all(s, RESET, 403, NULL, NULL);
	master_key(s, COMMIT, 4);
	master_key(s, ACTIVATE, 4);
	all(s, CLEAR_CURRENT, 0, NULL, NULL);
	master_key(s, LOAD, 5);
	master_key(s, COMMIT, 5);
	all(s, CLEAR_NEW, 0, NULL, NULL);
	all(s, RESET, 0, NULL, NULL);
	admin(s, ADD, 6, (const unsigned int[]){6, 0});
	thresholds(s, 1, 1, 0);
	master_key(s, LOAD, 6);
	master_key(s, COMMIT, 6);
	master_key(s, ACTIVATE, 6);
	keys(s);
	return s;
}

static void
stream_free(struct stream *s)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		hsa_buf_free(&s->line[i].text);
	free(s);
}

static void
check(const struct stream *s)
{
	size_t i;

	val_run_free(&run);
	hv_run(&run, &got);
	for (i = 0; i < s->len; i++)
		assert_ok(
		    val_run_text(&run, s->line[i].text.p, s->line[i].text.len));
}

static void
test_val_across__a_true_stream_has_no_finding(void **state)
{
	struct stream *s = ceremony();

	(void)state;
	check(s);
	assert_string_equal(got.text, "");
	print_message("  %zu events\n", s->len);
	stream_free(s);
}

static void
test_val_across__an_input_may_begin_and_end_anywhere(void **state)
{
	struct stream *s = ceremony();
	size_t from, i;

	(void)state;
	for (from = 0; from < s->len; from++) {
		val_run_free(&run);
		hv_run(&run, &got);
		for (i = from; i < s->len; i++)
			assert_ok(val_run_text(
			    &run, s->line[i].text.p, s->line[i].text.len));
		if (got.findings != 0)
			fail_msg("from %zu: %s", from, got.text);
	}
	stream_free(s);
}

static void
test_val_across__a_new_input_knows_nothing_of_the_one_before(void **state)
{
	struct stream *s = ceremony();
	size_t i, k;

	(void)state;
	val_run_free(&run);
	hv_run(&run, &got);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < s->len; i++)
			assert_ok(val_run_text(
			    &run, s->line[i].text.p, s->line[i].text.len));
		val_across_input(&run.across);
	}
	assert_string_equal(got.text, "");
	stream_free(s);
}

/* ---- breaks -------------------------------------------------------------- */

enum how {
	DROP,    /* the line is missing */
	CHANGE,  /* in it, from becomes to */
	AGAIN,   /* the line comes a second time, from in it becomes to */
	BEFORE,  /* it comes before the one before it of its target */
	PENDING, /* nobody knows yet whether it succeeded */
};

/* from and to: it is another event. */
#define OTHER_ID "\",\"initiator\"", "9\",\"initiator\""

/* To the nth success of `action` on target 1. */
struct brk {
	enum how how;
	enum hsa_action action;
	unsigned int nth;
	const char *from, *to;
	const char *want;
};

static size_t
find(const struct stream *s, enum hsa_action action, unsigned int nth)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		if (s->line[i].action == action && s->line[i].target == 1 &&
		    !s->line[i].fails && nth-- == 0)
			return i;
	fail_msg("no line of action %u", (unsigned int)action);
	return 0;
}

static void
become(struct hsa_buf *b, const char *from, const char *to)
{
	struct hsa_buf with = {0};
	const char *s = hsa_buf_cstr(b), *at = strstr(s, from);

	if (at == NULL)
		fail_msg("%s is not in %s", from, s);
	for (; at != NULL; at = strstr(s, from)) {
		hsa_buf_put(&with, s, (size_t)(at - s));
		hsa_buf_str(&with, to);
		s = at + strlen(from);
	}
	hsa_buf_str(&with, s);
	assert_ok(hsa_buf_rc(&with));
	hsa_buf_free(b);
	*b = with;
}

static void
insert(struct stream *s, size_t at, const struct line *l)
{
	assert_true(s->len < LINES);
	memmove(
	    &s->line[at + 1], &s->line[at], (s->len - at) * sizeof(s->line[0]));
	s->line[at] = *l;
	s->len++;
}

static void
erase(struct stream *s, size_t at)
{
	s->len--;
	memmove(
	    &s->line[at], &s->line[at + 1], (s->len - at) * sizeof(s->line[0]));
}

static void
swap_times(struct hsa_buf *a, struct hsa_buf *b)
{
	static const char name[] = "\"eventTime\":\"";
	char *x = strstr((char *)a->p, name), *y = strstr((char *)b->p, name);
	char keep[sizeof("2026-01-01T00:00:00.00+0000") - 1];

	assert_true(x != NULL && y != NULL);
	x += strlen(name);
	y += strlen(name);
	memcpy(keep, x, sizeof(keep));
	memcpy(x, y, sizeof(keep));
	memcpy(y, keep, sizeof(keep));
}

static void
apply(struct stream *s, const struct brk *b)
{
	size_t at = find(s, b->action, b->nth), k = at;
	struct line l = s->line[at];

	switch (b->how) {
	case DROP:
		hsa_buf_free(&l.text);
		erase(s, at);
		break;
	case CHANGE:
		become(&s->line[at].text, b->from, b->to);
		break;
	case AGAIN:
		l.text = (struct hsa_buf){0};
		hsa_buf_str(&l.text, hsa_buf_cstr(&s->line[at].text));
		become(&l.text, b->from, b->to);
		insert(s, at + 1, &l);
		break;
	case BEFORE:
		do
			k--;
		while (s->line[k].target != 1 || s->line[k].fails);
		/* it was then that it happened */
		swap_times(&l.text, &s->line[k].text);
		s->line[at] = s->line[k];
		s->line[k] = l;
		break;
	case PENDING:
		become(&s->line[at].text, "\"outcome\":\"success\"",
		    "\"outcome\":\"pending\"");
		become(&s->line[at].text, "\"reasonCode\":200",
		    "\"reasonCode\":102");
		break;
	}
}

static void
test_val_across__each_break_is_found_by_its_own_check(void **state)
{
	static const struct brk set[] = {
	    /* administrators */
	    {DROP, ADD, 1, 0, 0, "E11 responseData.adminIds; "},
	    {DROP, REMOVE, 0, 0, 0, "E11 responseData.adminIds; "},
	    {AGAIN, ADD, 1, OTHER_ID, "E26 requestData.adminId; "},
	    {AGAIN, REMOVE, 0, OTHER_ID, "E26 requestData.adminId; "},
	    {CHANGE, THRESHOLD, 0, "ignatureThreshold\":2",
		"ignatureThreshold\":4",
		"E12 responseData.signatureThreshold; "
		"E12 responseData.revocationSignatureThreshold; "},
	    {CHANGE, THRESHOLD, 1, "\"signatureThreshold\":1",
		"\"signatureThreshold\":5",
		"E12 responseData.signatureThreshold; "},
	    {CHANGE, THRESHOLD, 0, "\"revocationSignatureThreshold\":2",
		"\"revocationSignatureThreshold\":4",
		"E12 responseData.revocationSignatureThreshold; "},
	    /* registers */
	    {DROP, LOAD, 0, 0, 0, "E27 action; "},
	    {DROP, COMMIT, 0, 0, 0, "E27 action; "},
	    {BEFORE, COMMIT, 0, 0, 0, "E27 action; E27 action; "},
	    {DROP, CLEAR_NEW, 1, 0, 0, ""}, /* a reset follows */
	    {DROP, THRESHOLD, 0, 0, 0, "E28 action; "},
	    {DROP, THRESHOLD, 2, 0, 0, "E28 action; "},
	    {BEFORE, CLEAR_NEW, 1, 0, 0, "E27 action; "},
	    {AGAIN, COMMIT, 1, OTHER_ID, "W07 action; "},
	    {AGAIN, RESET, 0, OTHER_ID, ""},
	    {AGAIN, CLEAR_NEW, 0, OTHER_ID, ""},
	    /* order */
	    {AGAIN, COMMIT, 1, "\"id\":\"", "\"id\":\"", "W08 id; "},
	    {CHANGE, COMMIT, 1, "\"eventTime\":\"2026", "\"eventTime\":\"2025",
		"W08 eventTime; "},
	    /* what is pending is unknown afterwards, not wrong */
	    {PENDING, THRESHOLD, 0, 0, 0, ""},
	    {PENDING, LOAD, 0, 0, 0, ""},
	    {PENDING, ADD, 1, 0, 0, ""},
	    {PENDING, HSA_ACTION_SECRETS_ENABLE, 0, 0, 0, ""},
	    /* keys */
	    {DROP, HSA_ACTION_SECRETS_DISABLE, 0, 0, 0,
		"W10 responseData.keyState; "},
	    {DROP, HSA_ACTION_SECRETS_ENABLE, 0, 0, 0,
		"W10 responseData.keyState; "},
	    {CHANGE, HSA_ACTION_SECRETS_READ, 1, "\"keyState\":1",
		"\"keyState\":3", "W10 responseData.keyState; "},
	    {AGAIN, HSA_ACTION_SECRETS_CREATE, 0, OTHER_ID,
		""}, /* within the race */
	    {DROP, HSA_ACTION_SECRETS_RESTORE, 0, 0, 0, "W10 action; "},
	    {DROP, HSA_ACTION_SECRETS_SETKEYFORDELETION, 0, 0, 0,
		"W11 action; "},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		struct stream *s = ceremony();

		apply(s, &set[i]);
		check(s);
		if (strcmp(got.text, set[i].want) != 0)
			fail_msg("%zu: %s\nwant %s", i, got.text, set[i].want);
		stream_free(s);
	}
	print_message("  %zu breaks\n", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_val_across__a_true_stream_has_no_finding),
	    cmocka_unit_test(
		test_val_across__an_input_may_begin_and_end_anywhere),
	    cmocka_unit_test(
		test_val_across__a_new_input_knows_nothing_of_the_one_before),
	    cmocka_unit_test(
		test_val_across__each_break_is_found_by_its_own_check),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	val_run_free(&run);
	return bad;
}
