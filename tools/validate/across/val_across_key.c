#include <stdlib.h>
#include <string.h>

#include "val_across_key.h"

enum deletion { /* authorized by a first user */
	NOT_KNOWN = 0,
	SET,
	NOT_SET
};

struct key {
	enum val_key_state state;
	enum deletion deletion;
	bool has_changed; /* since then it is known */
	int64_t changed;
};

enum {
	UNKNOWN = 1u << VAL_KEY_UNKNOWN,
	PRE = 1u << VAL_KEY_PRE,
	ACTIVE = 1u << VAL_KEY_ACTIVE,
	SUSPENDED = 1u << VAL_KEY_SUSPENDED,
	DEACTIVATED = 1u << VAL_KEY_DEACTIVATED,
	DESTROYED = 1u << VAL_KEY_DESTROYED,
	ANY = UNKNOWN | PRE | ACTIVE | SUSPENDED | DEACTIVATED | DESTROYED
};
#define GOOD false
#define ODD true

static const struct val_key_step steps[] = {
#define VAL_KEY_STEP(ACTION, states, to, is_odd)                               \
	{                                                                      \
	    .action = HSA_ACTION_##ACTION,                                     \
	    .from = (uint8_t)(ANY & (states)),                                 \
	    .next = VAL_KEY_##to,                                              \
	    .odd = (is_odd),                                                   \
	},
#include "val_across_key.def"
#undef VAL_KEY_STEP
};

const struct val_key_step *
val_key_steps(size_t *n)
{
	*n = sizeof(steps) / sizeof(steps[0]);
	return steps;
}

const struct val_key_step *
val_key_step(enum hsa_action action, enum val_key_state now)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].action == action &&
		    (steps[i].from >> now & 1u) != 0)
			return &steps[i];
	return NULL;
}

bool
val_key_follows(enum hsa_action action)
{
	return val_key_step(action, VAL_KEY_UNKNOWN) != NULL;
}

bool
val_key_is(const char *crn)
{
	unsigned int colons = 0;

	for (; *crn != '\0' && colons < 8; crn++)
		if (*crn == ':')
			colons++;
	return colons == 8 && strncmp(crn, "key:", 4) == 0 && crn[4] != '\0';
}

static const char *
state_text(enum val_key_state s)
{
	static const char *const text[VAL_KEY_STATES] = {
	    [VAL_KEY_UNKNOWN] = "unknown",
	    [VAL_KEY_PRE] = "0, pre-activation",
	    [VAL_KEY_ACTIVE] = "1, active",
	    [VAL_KEY_SUSPENDED] = "2, suspended",
	    [VAL_KEY_DEACTIVATED] = "3, deactivated",
	    [VAL_KEY_DESTROYED] = "5, destroyed",
	};

	return text[s] == NULL ? "unknown" : text[s];
}

static const struct val_node *
said(enum val_key_state *to, const struct val_event *e, const char *name)
{
	const struct val_node *n =
	    e->field[VAL_F_RESPONSE] == NULL
		? NULL
		: val_member(e->json, e->field[VAL_F_RESPONSE], name);
	int64_t v = 0;

	*to = VAL_KEY_UNKNOWN;
	/* others are no states: E23 */
	if (val_integer(e->json, n, &v) && v >= 0 && v <= 5 && v != 4)
		*to = (enum val_key_state)(v + 1);
	return n;
}

/* An event's word of the state that it found. */
static void
found(const struct key *k, const struct val_event *e, struct val_report *r,
    const struct val_node *n, enum val_key_state is)
{
	if (is == VAL_KEY_UNKNOWN || k->state == VAL_KEY_UNKNOWN ||
	    is == k->state || (k->state == VAL_KEY_PRE && is == VAL_KEY_ACTIVE))
		return;
	val_find(r, VAL_W10, e->json, n,
	    "is %s, and no event led there from %s", state_text(is),
	    state_text(k->state));
}

static void
authorization(
    struct key *k, const struct val_event *e, struct val_report *r, bool racing)
{
	switch (e->row->code) {
	case HSA_ACTION_SECRETS_CREATE:
		k->deletion = NOT_SET;
		break;
	case HSA_ACTION_SECRETS_SETKEYFORDELETION:
		k->deletion = SET;
		break;
	case HSA_ACTION_SECRETS_UNSETKEYFORDELETION:
		if (k->deletion == NOT_SET && !racing)
			val_find(r, VAL_W11, e->json, e->field[VAL_F_ACTION],
			    "cancels a deletion that no event authorized");
		k->deletion = NOT_SET;
		break;
	case HSA_ACTION_SECRETS_DELETE:
	case HSA_ACTION_SECRETS_RESTORE:
	case HSA_ACTION_SECRETS_PURGE:
		k->deletion = NOT_KNOWN;
		break;
	default:
		break;
	}
}

static void
success(struct key *k, const struct val_event *e, struct val_report *r,
    const struct val_target *t)
{
	const struct val_key_step *s = val_key_step(e->row->code, k->state);
	bool racing =
	    !t->order || !k->has_changed || t->time - k->changed < VAL_KEY_RACE;
	enum val_key_state is, was, next;
	const struct val_node *n;

	if (s == NULL)
		return;
	if (s->odd && !racing)
		val_find(r, VAL_W10, e->json, e->field[VAL_F_ACTION],
		    "of a key whose state after earlier events is %s",
		    state_text(k->state));
	if (e->row->code == HSA_ACTION_SECRETS_EXPIRE) {
		n = said(&was, e, "initialValue.keyState");
		if (!racing && !s->odd)
			found(k, e, r, n, was);
		(void)said(&is, e, "newValue.keyState");
	} else {
		n = said(&is, e, "keyState");
	}
	authorization(k, e, r, racing);
	next = s->next == VAL_KEY_SAID ? is : s->next;
	/* which came first cannot be known; a use changes nothing */
	if (racing && s->odd)
		next = val_key_step(e->row->code, VAL_KEY_UNKNOWN)->next ==
			       VAL_KEY_SAME
			   ? VAL_KEY_SAME
			   : VAL_KEY_UNKNOWN;
	if (next == VAL_KEY_READ && racing && k->state != VAL_KEY_UNKNOWN)
		next = VAL_KEY_SAME;
	if (next == VAL_KEY_SAME)
		return;
	if (next == VAL_KEY_READ) {
		found(k, e, r, n, is);
		if (is == VAL_KEY_UNKNOWN || is == k->state)
			return;
		next = is;
	}
	k->state = next;
	k->has_changed = t->order;
	k->changed = t->time;
}

hsa_rc
val_key_event(
    struct val_target *t, const struct val_event *e, struct val_report *r)
{
	if (e->outcome == VAL_OUTCOME_FAILURE)
		return HSA_OK;
	if (e->outcome != VAL_OUTCOME_SUCCESS) {
		free(t->detail);
		t->detail = NULL;
		return HSA_OK;
	}
	if (t->detail == NULL)
		t->detail = calloc(1, sizeof(struct key));
	if (t->detail == NULL)
		return HSA_RC(E_NOMEM);
	success(t->detail, e, r, t);
	return HSA_OK;
}
