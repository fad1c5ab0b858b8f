#include <stdlib.h>
#include <string.h>

#include "hsa_hash.h"
#include "val_across_unit.h"

#define ADMINS 8 /* ep11-tke-wire 14.1, 261: no room for another */
#define PARTS 3
#define ID 32
#define PATTERN 28 /* bytes that count: old cards did not clear the rest */

struct unit {
	bool imprint;
	enum val_register pending;
	bool has_pattern, has_admins;
	uint8_t pattern[ID];
	uint8_t parts; /* 0: unknown */
	uint8_t part[PARTS][ID];
	uint8_t admins;
	uint8_t admin[ADMINS][ID];
	int64_t sign, revoke; /* thresholds; 0: unknown, or imprint mode */
};

/* ---- the table ----------------------------------------------------------- */

enum {
	OUT = 0x0f,
	IMPRINT = 0xf0,
	UNKNOWN = 0x11,
	EMPTY = 0x22,
	LOADED = 0x44,
	COMMITTED = 0x88
};
/* Lets the column for a finding read NONE. */
#define VAL_NONE VAL_CHECKS

static const struct val_step steps[] = {
#define VAL_STEP(ACTION, states, to, finding, what)                            \
	{                                                                      \
	    .action = HSA_ACTION_TKE_##ACTION,                                 \
	    .from = (uint8_t)(states),                                         \
	    .next = VAL_REGISTER_##to,                                         \
	    .check = VAL_##finding,                                            \
	    .text = (what),                                                    \
	},
#include "val_across_unit.def"
#undef VAL_STEP
};

const struct val_step *
val_steps(size_t *n)
{
	*n = sizeof(steps) / sizeof(steps[0]);
	return steps;
}

const struct val_step *
val_step(enum hsa_action action, bool imprint, enum val_register now)
{
	unsigned int state = (imprint ? VAL_REGISTERS : 0u) + (unsigned int)now;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].action == action &&
		    (steps[i].from >> state & 1u) != 0)
			return &steps[i];
	return NULL;
}

/* ---- what an event says -------------------------------------------------- */

static const struct val_node *
in(const struct val_event *e, enum val_field data, const char *name)
{
	return e->field[data] == NULL
		   ? NULL
		   : val_member(e->json, e->field[data], name);
}

static bool
read_id(uint8_t to[ID], const struct val_event *e, const struct val_node *n)
{
	return n != NULL && n->kind == VAL_TEXT &&
	       hsa_is_ok(hsa_unhex(to, ID, val_text(e->json, n), n->text_len));
}

/* How many; false when there is no list, or one of them is none. */
static bool
read_ids(uint8_t (*to)[ID], uint8_t *many, uint8_t max,
    const struct val_event *e, const struct val_node *n)
{
	const struct val_node *i;

	*many = 0;
	if (n == NULL || n->kind != VAL_ARRAY)
		return false;
	for (i = val_child(e->json, n); i != NULL; i = val_next(e->json, i)) {
		if (*many == max || !read_id(to[*many], e, i))
			return false;
		(*many)++;
	}
	return true;
}

static bool
has(const uint8_t (*set)[ID], uint8_t many, const uint8_t id[ID])
{
	uint8_t i;

	for (i = 0; i < many; i++)
		if (memcmp(set[i], id, ID) == 0)
			return true;
	return false;
}

/* ---- administrators ------------------------------------------------------ */

/* A change that an EP11 module answers with 256, 261 or 32. */
static void
possible(const struct unit *u, const struct val_event *e, struct val_report *r,
    const struct val_node *n, const uint8_t id[ID], bool add)
{
	bool there = has((const uint8_t(*)[ID])u->admin, u->admins, id);

	if (add && there)
		val_find(r, VAL_E26, e->json, n,
		    "is an administrator of this unit since an earlier event");
	else if (add && u->admins == ADMINS)
		val_find(r, VAL_E26, e->json, n,
		    "is added to a unit that has %d administrators; there is "
		    "room for no more",
		    ADMINS);
	else if (!add && !there)
		val_find(r, VAL_E26, e->json, n,
		    "is no administrator of this unit after earlier events");
}

/* The set that the event gives must be the one known with the change. What
 * E11 says of the event by itself is not said again. */
static void
same_set(const struct unit *u, const struct val_event *e, struct val_report *r,
    const struct val_node *all, const uint8_t (*set)[ID], uint8_t many,
    const uint8_t id[ID])
{
	const uint8_t(*known)[ID] = (const uint8_t(*)[ID])u->admin;
	char text[2 * ID + 1];
	uint8_t i;

	for (i = 0; i < u->admins; i++)
		if (memcmp(known[i], id, ID) != 0 &&
		    !has(set, many, known[i])) {
			hsa_hex(text, known[i], ID);
			val_find(r, VAL_E11, e->json, all,
			    "lacks %s, whom no event removed", text);
			return;
		}
	for (i = 0; i < many; i++)
		if (memcmp(set[i], id, ID) != 0 &&
		    !has(known, u->admins, set[i])) {
			hsa_hex(text, set[i], ID);
			val_find(r, VAL_E11, e->json, all,
			    "has %s, whom no event added", text);
			return;
		}
}

/* Without a list in the event, the one known changes. */
static void
change(struct unit *u, const uint8_t id[ID], bool add)
{
	uint8_t i;

	if (add && has((const uint8_t(*)[ID])u->admin, u->admins, id))
		return;
	if (add && u->admins == ADMINS) {
		u->has_admins = false;
		return;
	}
	if (add) {
		memcpy(u->admin[u->admins++], id, ID);
		return;
	}
	for (i = 0; i < u->admins; i++)
		if (memcmp(u->admin[i], id, ID) == 0) {
			u->admins--;
			memmove(u->admin[i], u->admin[u->admins], ID);
			return;
		}
}

static void
administrators(
    struct unit *u, const struct val_event *e, struct val_report *r, bool add)
{
	const struct val_node *n = in(e, VAL_F_REQUEST, "adminId");
	const struct val_node *all = in(e, VAL_F_RESPONSE, "adminIds");
	uint8_t set[ADMINS][ID], id[ID], many;
	bool has_set = read_ids(set, &many, ADMINS, e, all);
	bool has_id = read_id(id, e, n);

	if (u->has_admins && has_id) {
		possible(u, e, r, n, id, add);
		if (has_set)
			same_set(
			    u, e, r, all, (const uint8_t(*)[ID])set, many, id);
	}
	if (has_set) {
		memcpy(u->admin, set, sizeof(set));
		u->admins = many;
		u->has_admins = true;
	} else if (has_id && all == NULL && u->has_admins) {
		change(u, id, add);
	} else {
		u->has_admins = false;
	}
	if (add || !u->has_admins ||
	    (u->admins >= u->sign && u->admins >= u->revoke))
		return;
	val_find(r, VAL_E12, e->json, n,
	    "is removed, which leaves %d administrators for thresholds of %d "
	    "signatures and %d for revocation",
	    (int)u->admins, (int)u->sign, (int)u->revoke);
	u->sign = u->revoke = 0;
}

/* ---- thresholds ---------------------------------------------------------- */

static bool
threshold(const struct unit *u, int64_t *to, const struct val_event *e,
    struct val_report *r, const char *name)
{
	const struct val_node *n = in(e, VAL_F_RESPONSE, name);

	if (n == NULL)
		n = in(e, VAL_F_REQUEST, name);
	*to = 0;
	if (n == NULL || !val_integer(e->json, n, to))
		return true;
	/* what no unit can have, E12 says of the event by itself */
	if (*to < 0 || *to > ADMINS)
		*to = 0;
	if (!u->has_admins || *to <= u->admins)
		return true;
	val_find(r, VAL_E12, e->json, n,
	    "%d signatures are needed, and the unit has %d administrators",
	    (int)*to, (int)u->admins);
	return false;
}

static void
thresholds(struct unit *u, const struct val_event *e, struct val_report *r)
{
	bool sign = threshold(u, &u->sign, e, r, "signatureThreshold");
	bool revoke =
	    threshold(u, &u->revoke, e, r, "revocationSignatureThreshold");

	u->imprint = false;
	/* one of the two is wrong: which one is not known */
	if (!sign || !revoke) {
		u->sign = u->revoke = 0;
		u->has_admins = false;
	}
}

/* ---- the new master key register ----------------------------------------- */

/* false: it was found to be another one. */
static bool
pattern(struct unit *u, const struct val_event *e, struct val_report *r,
    enum val_field data)
{
	const struct val_node *n = in(e, data, "verificationPattern");
	bool same = true;
	uint8_t is[ID];

	if (!read_id(is, e, n)) {
		u->has_pattern = u->has_pattern && n == NULL;
		return true;
	}
	if (u->has_pattern && memcmp(u->pattern, is, PATTERN) != 0) {
		val_find(r, VAL_E13, e->json, n,
		    "is another master key than the one before: load, commit "
		    "and activate carry one verification pattern");
		same = false;
	}
	memcpy(u->pattern, is, ID);
	u->has_pattern = true;
	return same;
}

static int
order(const void *a, const void *b)
{
	return memcmp(a, b, ID);
}

static void
parts(struct unit *u, const struct val_event *e, struct val_report *r,
    enum val_field data)
{
	const struct val_node *n = in(e, data, "masterKeyIds");
	uint8_t part[PARTS][ID] = {{0}}, many, i;
	bool same;

	if (!read_ids(part, &many, PARTS, e, n) || many == 0) {
		u->parts = 0;
		return;
	}
	for (i = 0; i < many; i++)
		memset(part[i] + PATTERN, 0, ID - PATTERN);
	qsort(part, many, ID, order);
	same = many == u->parts && memcmp(part, u->part, sizeof(part)) == 0;
	if (u->parts != 0 && !same)
		val_find(r, VAL_E13, e->json, n,
		    "are other key parts than those that were loaded");
	memcpy(u->part, part, sizeof(part));
	u->parts = many;
}

static void
registers(struct unit *u, const struct val_event *e, struct val_report *r)
{
	switch (e->row->code) {
	case HSA_ACTION_TKE_REGISTER_ADD:
		u->has_pattern = false;
		u->parts = 0;
		parts(u, e, r, VAL_F_REQUEST);
		(void)pattern(u, e, r, VAL_F_RESPONSE);
		break;
	case HSA_ACTION_TKE_REGISTER_COMMIT:
		(void)pattern(u, e, r, VAL_F_REQUEST);
		parts(u, e, r, VAL_F_RESPONSE);
		break;
	case HSA_ACTION_TKE_REGISTER_ACTIVATE:
		/* that both are the same is the event's own rule */
		(void)pattern(u, e, r,
		    in(e, VAL_F_REQUEST, "verificationPattern") != NULL
			? VAL_F_REQUEST
			: VAL_F_RESPONSE);
		break;
	default:
		break;
	}
	if (e->row->code == HSA_ACTION_TKE_REGISTER_ACTIVATE ||
	    e->row->code == HSA_ACTION_TKE_NEW_CLEAR) {
		u->has_pattern = false;
		u->parts = 0;
	}
}

/* ---- one event ----------------------------------------------------------- */

static void
success(struct unit *u, const struct val_event *e, struct val_report *r)
{
	const struct val_step *s =
	    val_step(e->row->code, u->imprint, u->pending);

	if (s == NULL)
		return;
	if (s->check != VAL_CHECKS)
		val_find(r, s->check, e->json, e->field[VAL_F_ACTION], "%s",
		    s->text);
	/* thresholds were set, and no event told of it: who the
	 * administrators are is not known any more */
	if (s->check == VAL_E28)
		u->imprint = u->has_admins = false;
	registers(u, e, r);
	if (s->next != VAL_REGISTER_SAME)
		u->pending = s->next;
	if (e->row->code == HSA_ACTION_TKE_ADMIN_ADD ||
	    e->row->code == HSA_ACTION_TKE_ADMIN_REMOVE)
		administrators(
		    u, e, r, e->row->code == HSA_ACTION_TKE_ADMIN_ADD);
	if (e->row->code == HSA_ACTION_TKE_THRESHOLD_SET)
		thresholds(u, e, r);
	if (e->row->code == HSA_ACTION_TKE_RESET)
		*u = (struct unit){
		    .imprint = true,
		    .pending = VAL_REGISTER_EMPTY,
		    .has_admins = true,
		};
}

hsa_rc
val_unit_event(
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
		t->detail = calloc(1, sizeof(struct unit));
	if (t->detail == NULL)
		return HSA_RC(E_NOMEM);
	success(t->detail, e, r);
	return HSA_OK;
}
