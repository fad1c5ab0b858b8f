/* What events do to a key, row by row of the state table against a second,
 * hand-written reading; and long random streams that are true. */
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

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
begin(void)
{
	hv_begin(&h);
	h.run.report.off[VAL_W05] = true; /* not all that is documented */
}

/* ---- keys ---------------------------------------------------------------- */

struct key_reading {
	enum hsa_action action;
	const char *odd;  /* UNKNOWN 0 1 2 3 5: 'x' is a finding */
	const char *next; /* "=": as before, "s": as said, "r": as read */
};
static const struct key_reading keys[] = {
    {HSA_ACTION_SECRETS_CREATE, "-xxxxx", "ssssss"},
    {HSA_ACTION_SECRETS_ENABLE, "-xx-xx", "111111"},
    {HSA_ACTION_SECRETS_DISABLE, "---xxx", "222222"},
    {HSA_ACTION_SECRETS_EXPIRE, "----xx", "ssssss"},
    {HSA_ACTION_SECRETS_DELETE, "-----x", "555555"},
    {HSA_ACTION_SECRETS_RESTORE, "-xxxx-", "UUUUUU"},
    {HSA_ACTION_SECRETS_PURGE, "-xxxx-", "UUUUUU"},
    {HSA_ACTION_SECRETS_WRAP, "---xxx", "===UUU"},
    {HSA_ACTION_SECRETS_UNWRAP, "---x-x", "===U=U"},
    {HSA_ACTION_SECRETS_REWRAP, "---x-x", "===U=U"},
    {HSA_ACTION_SECRETS_ROTATE, "-----x", "=====U"},
    {HSA_ACTION_SECRETS_READ, "------", "rrrrrr"},
    {HSA_ACTION_SECRETS_METADATA_READ, "------", "rrrrrr"},
    {HSA_ACTION_SECRETS_SETKEYFORDELETION, "------", "======"},
    {HSA_ACTION_SECRETS_UNSETKEYFORDELETION, "------", "======"},
};
static const enum val_key_state key_states[] = {VAL_KEY_UNKNOWN, VAL_KEY_PRE,
    VAL_KEY_ACTIVE, VAL_KEY_SUSPENDED, VAL_KEY_DEACTIVATED, VAL_KEY_DESTROYED};

static void
test_val_across__each_state_and_action_of_a_key_has_one_row(void **state)
{
	const struct val_key_step *s, *is;
	size_t n, i, k, at;

	(void)state;
	s = val_key_steps(&n);
	for (i = 0; i < COUNT(keys); i++)
		for (at = 0; at < COUNT(key_states); at++) {
			unsigned int rows = 0;

			for (k = 0; k < n; k++)
				rows += s[k].action == keys[i].action &&
					(s[k].from >> key_states[at] & 1) != 0;
			assert_int_equal(rows, 1);
			is = val_key_step(keys[i].action, key_states[at]);
			assert_int_equal(is->odd, keys[i].odd[at] == 'x');
			assert_int_equal(
			    "U0123 5 =sr"[is->next], keys[i].next[at]);
		}
	for (k = 0; k < n; k++) {
		for (i = 0; i < COUNT(keys); i++)
			if (s[k].action == keys[i].action)
				break;
		assert_true(i < COUNT(keys));
	}
	assert_false(val_key_follows(HSA_ACTION_SECRETS_LIST));
}

#define VERSION "\"keyVersionId\":\"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11\""
#define SECRET                                                                 \
	"\"keyId\":\"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11\"," VERSION          \
	",\"keyVersionCreationDate\":\"2026-01-31T09:00:00Z\",\"keyState\":"

static void
on_key(enum hsa_action action, unsigned int target, int was, int is)
{
	char text[400];
	const char *q = NULL;

	(void)snprintf(text, sizeof(text), SECRET "%d", is);
	if (action == HSA_ACTION_SECRETS_CREATE ||
	    action == HSA_ACTION_SECRETS_READ ||
	    action == HSA_ACTION_SECRETS_METADATA_READ)
		q = "\"keyType\":\"root\"";
	if (action == HSA_ACTION_SECRETS_EXPIRE) {
		q = "\"keyType\":\"root\","
		    "\"expirationDate\":\"2026-01-31T09:00:00Z\"";
		(void)snprintf(text, sizeof(text),
		    "\"keyId\":\"1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11\","
		    "\"initialValue\":{\"keyState\":%d},"
		    "\"newValue\":{\"keyState\":%d}",
		    was, is);
	}
	if (action == HSA_ACTION_SECRETS_REWRAP)
		(void)snprintf(text, sizeof(text),
		    VERSION ",\"rewrappedKeyVersionId\":\"1f2d1a0e-58ab-4a2b-"
			    "8b3d-2a6f5f0f7a11\"");
	hv_tell(&h, action, target, 0, q, text);
}

static void
test_val_across__events_go_through_each_state_of_a_key(void **state)
{
	static const int said[] = {-1, 0, 1, 2, 3, 5};
	size_t i, at;

	(void)state;
	for (i = 0; i < COUNT(keys); i++)
		for (at = 0; at < COUNT(key_states); at++) {
			int is = said[at] < 0 ? 1 : said[at];
			int to = keys[i].action == HSA_ACTION_SECRETS_EXPIRE ? 3
				 : keys[i].action == HSA_ACTION_SECRETS_DELETE
				     ? 5
				     : is;

			begin();
			if (said[at] >= 0)
				on_key(HSA_ACTION_SECRETS_READ, 1, 0, is);
			assert_string_equal(h.found.text, "");
			on_key(keys[i].action, 1, is, to);
			if (strcmp(h.found.text,
				keys[i].odd[at] == 'x' ? "W10 action; " : "") !=
			    0)
				fail_msg("%zu %zu: %s", i, at, h.found.text);
		}
	/* what is no key by its CRN has no state */
	begin();
	assert_true(val_key_is("crn:v1:b:p:hs-crypto:r:a/1:i:key:1"));
	assert_false(val_key_is("crn:v1:b:p:hs-crypto:r:a/1:i:key:"));
	assert_false(val_key_is("crn:v1:b:p:hs-crypto:r:a/1:i::"));
	assert_false(val_key_is("crn:v1:b:p:hs-crypto:r:a/1:i:crypto-unit:1"));
	assert_false(val_key_is("key:1"));
	assert_false(val_key_is(""));
	/* one that expires was in the state that it was in */
	on_key(HSA_ACTION_SECRETS_READ, 1, 0, 2);
	on_key(HSA_ACTION_SECRETS_EXPIRE, 1, 1, 3);
	assert_string_equal(
	    h.found.text, "W10 responseData.initialValue.keyState; ");
}

static void
test_val_across__requests_to_a_key_may_race(void **state)
{
	(void)state;
	begin();
	on_key(HSA_ACTION_SECRETS_READ, 1, 0, 1);
	on_key(HSA_ACTION_SECRETS_DISABLE, 1, 0, 0);
	h.time -= 10 * HV_SECOND - VAL_KEY_RACE + 1;
	on_key(HSA_ACTION_SECRETS_WRAP, 1, 0, 0);
	h.time -= 10 * HV_SECOND;
	on_key(HSA_ACTION_SECRETS_READ, 1, 0, 1);
	assert_string_equal(h.found.text, "");
	h.time -= 10 * HV_SECOND - 1;
	on_key(HSA_ACTION_SECRETS_WRAP, 1, 0, 0);
	assert_string_equal(h.found.text, "W10 action; ");
}

/* ---- random streams that are true ---------------------------------------- */

static uint64_t seed = 5;

static unsigned int
below(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 33) % n;
}

struct model {
	bool imprint;
	enum {
		NONE,
		LOADED,
		COMMITTED
	} pending;
	unsigned int master, admin[8], admins, sign, revoke;
};

static void
tell(const struct model *m, unsigned int unit, enum hsa_action action,
    unsigned int who)
{
	struct hsa_buf q = {0}, a = {0}, parts = {0};
	unsigned int i;

	hsa_buf_printf(&parts, "\"masterKeyIds\":[\"%s\",\"%s\"]",
	    hv_id(m->master + 1), hv_id(m->master + 2));
	if (action == ADD || action == REMOVE) {
		hsa_buf_printf(&q, "\"adminId\":\"%s\"", hv_id(who));
		hsa_buf_str(&a, "\"adminIds\":[");
		for (i = 0; i < m->admins; i++)
			hsa_buf_printf(&a, "%s\"%s\"", i == 0 ? "" : ",",
			    hv_id(m->admin[i]));
		hsa_buf_str(&a, "]");
	} else if (action == THRESHOLD) {
		hsa_buf_printf(&q,
		    "\"signatureThreshold\":%u,"
		    "\"revocationSignatureThreshold\":%u",
		    m->sign, m->revoke);
		hsa_buf_str(&a, hsa_buf_cstr(&q));
	} else if (action == LOAD || action == COMMIT || action == ACTIVATE) {
		hsa_buf_printf(
		    &q, "\"verificationPattern\":\"%s\"", hv_id(m->master));
		hsa_buf_str(&a, hsa_buf_cstr(action == ACTIVATE ? &q : &parts));
	}
	if (action == LOAD)
		hv_tell(&h, action, unit, 0, hsa_buf_cstr(&parts),
		    hsa_buf_cstr(&q));
	else
		hv_tell(&h, action, unit, 0,
		    q.len == 0 ? NULL : hsa_buf_cstr(&q),
		    a.len == 0 ? NULL : hsa_buf_cstr(&a));
	hsa_buf_free(&q);
	hsa_buf_free(&a);
	hsa_buf_free(&parts);
}

static bool
add(struct model *m, unsigned int who)
{
	unsigned int i;

	for (i = 0; i < m->admins; i++)
		if (m->admin[i] == who)
			return false;
	if (m->admins == 8)
		return false;
	m->admin[m->admins++] = who;
	return true;
}

static bool
drop(struct model *m, unsigned int who)
{
	unsigned int i;

	for (i = 0; i < m->admins && m->admin[i] != who; i++)
		;
	if (i == m->admins || m->admins - 1 < m->sign ||
	    m->admins - 1 < m->revoke)
		return false;
	m->admin[i] = m->admin[--m->admins];
	return true;
}

/* What a unit does when it is asked; false: it refuses. */
static bool
carry_out(struct model *m, enum hsa_action action, unsigned int who)
{
	unsigned int sign, revoke;

	switch (action) {
	case ADD:
		return add(m, who);
	case REMOVE:
		return drop(m, who);
	case THRESHOLD:
		sign = 1 + below(4);
		revoke = 1 + below(4);
		if (sign > m->admins || revoke > m->admins)
			return false;
		m->sign = sign;
		m->revoke = revoke;
		m->imprint = false;
		return true;
	case LOAD:
		/* a careful operator does not lose a committed key */
		if (m->imprint || m->pending == COMMITTED)
			return false;
		m->pending = LOADED;
		m->master = 1000 + 10 * below(100000);
		return true;
	case COMMIT:
		if (m->imprint || m->pending != LOADED)
			return false;
		m->pending = COMMITTED;
		return true;
	case ACTIVATE:
		if (m->imprint || m->pending != COMMITTED)
			return false;
		m->pending = NONE;
		return true;
	case CLEAR_NEW:
	case CLEAR_CURRENT:
		if (m->imprint)
			return false;
		if (action == CLEAR_NEW)
			m->pending = NONE;
		return true;
	case RESET:
		*m = (struct model){.imprint = true};
		return true;
	default:
		return false;
	}
}

static void
unit_step(struct model *m, unsigned int unit)
{
	static const enum hsa_action some[] = {ADD, ADD, ADD, ADD, REMOVE,
	    REMOVE, THRESHOLD, THRESHOLD, LOAD, LOAD, LOAD, LOAD, COMMIT,
	    COMMIT, COMMIT, COMMIT, ACTIVATE, ACTIVATE, ACTIVATE, CLEAR_NEW,
	    CLEAR_CURRENT, RESET};
	enum hsa_action action = some[below(COUNT(some))];
	unsigned int who = 1 + below(12);

	if (action == RESET && below(4) != 0)
		return;
	if (below(20) != 0 && carry_out(m, action, who))
		tell(m, unit, action, who);
	else
		hv_tell(
		    &h, action, unit, below(2) == 0 ? 400 : 500, NULL, NULL);
}

static void
key_step(int *key, unsigned int target)
{
	const struct key_reading *k = &keys[below(COUNT(keys))];
	size_t at = *key < 0 ? 0 : *key == 5 ? 5 : (size_t)*key + 1;
	int was = *key;

	/* as the document has it: a key of unknown state was not made yet */
	if ((was < 0) != (k->action == HSA_ACTION_SECRETS_CREATE) ||
	    k->odd[at] == 'x' || k->action == HSA_ACTION_SECRETS_PURGE ||
	    k->action == HSA_ACTION_SECRETS_UNSETKEYFORDELETION) {
		hv_tell(&h, k->action, target, 409, NULL, NULL);
		return;
	}
	switch (k->next[at]) {
	case 's':
		*key =
		    k->action == HSA_ACTION_SECRETS_EXPIRE ? 3 : (int)below(2);
		break;
	case 'r':
		if (was == 0 && below(2) == 0)
			*key = 1; /* by itself */
		break;
	case 'U':
		*key = 1; /* restored */
		break;
	case '=':
		break;
	default:
		*key = k->next[at] - '0';
		break;
	}
	on_key(k->action, target, was, *key);
}

static void
test_val_across__true_streams_have_no_finding(void **state)
{
	const char *many = getenv("VAL_EVENTS");
	uint64_t want = many == NULL ? 20000 : strtoull(many, NULL, 10);
	struct model unit[5];
	int key[20];
	size_t i;

	(void)state;
	begin();
	for (i = 0; i < COUNT(unit); i++)
		unit[i] = (struct model){.imprint = true};
	for (i = 0; i < COUNT(key); i++)
		key[i] = -1;
	h.id = 0;
	while (h.id < want) {
		i = below(COUNT(unit));
		unit_step(&unit[i], (unsigned int)i);
		i = below(COUNT(key));
		key_step(&key[i], (unsigned int)i);
		if (h.found.findings != 0)
			fail_msg("event %llu: %s", (unsigned long long)h.id,
			    h.found.text);
	}
	print_message("  %llu events\n", (unsigned long long)h.id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_val_across__each_state_and_action_of_a_key_has_one_row),
	    cmocka_unit_test(
		test_val_across__events_go_through_each_state_of_a_key),
	    cmocka_unit_test(test_val_across__requests_to_a_key_may_race),
	    cmocka_unit_test(test_val_across__true_streams_have_no_finding),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	val_run_free(&h.run);
	return bad;
}
