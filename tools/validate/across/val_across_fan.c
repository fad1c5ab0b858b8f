#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "hsa_json.h"
#include "val_across_fan.h"
#include "val_across_table.h"
#include "val_envelope.h"

#define PLACES_MAX (4u * VAL_COMMANDS) /* a power of two */

struct val_command {
	enum hsa_action action;
	uint64_t did, failed; /* bits of units */
	int64_t first, last;
	bool has_id;
	uint8_t id[HSA_UUID_LEN];
};

struct val_fan_place {
	uint64_t key; /* 0: empty */
	uint32_t value;
};

/* ---- places -------------------------------------------------------------- */

static struct val_fan_place *
look(const struct val_fan *f, uint64_t key)
{
	uint32_t i = (uint32_t)key & (f->places - 1);

	while (f->place[i].key != 0 && f->place[i].key != key)
		i = (i + 1) & (f->places - 1);
	return &f->place[i];
}

static hsa_rc
grow(struct val_fan *f)
{
	struct val_fan_place *old = f->place;
	uint32_t n = f->places, i;

	f->places = n == 0 ? 256 : 2 * n;
	f->place = calloc(f->places, sizeof(*f->place));
	if (f->place == NULL) {
		f->place = old;
		f->places = n;
		return HSA_RC(E_NOMEM);
	}
	for (i = 0; i < n; i++)
		if (old[i].key != 0)
			*look(f, old[i].key) = old[i];
	free(old);
	return HSA_OK;
}

/* *p is NULL when there is no room for another. */
static hsa_rc
place(struct val_fan *f, struct val_fan_place **p, uint64_t key)
{
	hsa_rc rc = HSA_OK;

	key |= 1;
	if (2 * f->used >= f->places && f->places < PLACES_MAX)
		HSA_TRY(rc, grow(f));
	*p = look(f, key);
	if ((*p)->key != 0)
		goto out;
	if (2 * f->used >= f->places) {
		f->full = true;
		*p = NULL;
		goto out;
	}
	f->used++;
	(*p)->key = key;
out:
	return rc;
}

/* ---- units --------------------------------------------------------------- */

/* VAL_UNITS: none of those selected. */
static size_t
number_of(struct val_fan *f, const char *id, const char *name)
{
	size_t i = val_units_find(f->units, id, name);
	uint64_t h = val_hash(id, strlen(id), 3);

	if (i < f->units->n)
		return i;
	if (f->units->name[0] != NULL)
		return VAL_UNITS;
	for (i = 0; i < f->units->n; i++)
		if ((f->seen >> i & 1) == 0 || f->target[i] == h) {
			f->target[i] = h;
			return i;
		}
	return VAL_UNITS;
}

/* The same; a stranger is told once. */
static hsa_rc
unit(struct val_fan *f, size_t *number, const struct val_event *e,
    struct val_report *r)
{
	const char *id = val_get(e, VAL_F_TARGET_ID);
	const char *name = val_get(e, VAL_F_TARGET_NAME);
	struct val_fan_place *told = NULL;
	hsa_rc rc = HSA_OK;

	name = name == NULL ? "" : name;
	*number = number_of(f, id, name);
	if (*number == VAL_UNITS) {
		HSA_TRY(rc, place(f, &told, val_hash(id, strlen(id), 4)));
		if (told == NULL || told->value++ == 0)
			val_find(r, VAL_E19, e->json, e->field[VAL_F_TARGET_ID],
			    "is none of the %zu crypto units that were "
			    "selected (--units)",
			    f->units->n);
		goto out;
	}
	f->seen |= UINT64_C(1) << *number;
	if (f->name[*number] == NULL)
		f->name[*number] = strdup(name[0] == '\0' ? id : name);
	if (f->name[*number] == NULL)
		rc = HSA_RC(E_NOMEM);
out:
	return rc;
}

/* ---- commands ------------------------------------------------------------ */

static uint64_t
value_hash(const struct val_json *j, const struct val_node *n, uint64_t h)
{
	const struct val_node *i;

	if (n->kind == VAL_TEXT || n->kind == VAL_NUMBER)
		return val_hash(val_text(j, n), n->text_len, h);
	for (i = val_child(j, n); i != NULL; i = val_next(j, i))
		if (i->kind == VAL_TEXT)
			h = val_hash(val_text(j, i), i->text_len, h);
	return h;
}

/* Who asked for what: all of the request but where. */
static uint64_t
request_hash(const struct val_event *e)
{
	static const char *const names[] = {"adminId", "signatureThreshold",
	    "revocationSignatureThreshold", "masterKeyIds",
	    "verificationPattern"};
	const char *who = val_get(e, VAL_F_INITIATOR_ID);
	uint64_t h = (uint64_t)e->row->code * 8 + (uint64_t)e->outcome;
	const struct val_node *n;
	size_t i;

	if (who != NULL)
		h = val_hash(who, strlen(who), h);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = e->field[VAL_F_REQUEST] == NULL
			? NULL
			: val_member(
			      e->json, e->field[VAL_F_REQUEST], names[i]);
		if (n != NULL)
			h = value_hash(e->json, n, h + i);
	}
	return h;
}

static hsa_rc
key_of(struct val_fan *f, uint64_t *key, const struct val_event *e, size_t n)
{
	const struct val_envelope *env = e->envelope;
	struct val_fan_place *count = NULL;
	uint32_t nth = 0;
	uint64_t h;
	hsa_rc rc = HSA_OK;

	if (env != NULL && env->has_command_id) {
		*key = val_hash(env->command_id, sizeof(env->command_id),
		    (uint64_t)e->row->code);
		return rc;
	}
	h = request_hash(e);
	HSA_TRY(rc, place(f, &count, val_hash(&n, sizeof(n), h)));
	/* the nth such request to this unit */
	if (count != NULL)
		nth = count->value++;
	*key = val_hash(&nth, sizeof(nth), h);
out:
	return rc;
}

static uint32_t
limit(const struct val_fan *f)
{
	return f->limit == 0 ? VAL_COMMANDS : f->limit;
}

static hsa_rc
command(struct val_fan *f, struct val_command **c, uint64_t key)
{
	uint32_t cap = f->cap == 0 ? 64 : 2 * f->cap;
	struct val_fan_place *at = NULL;
	struct val_command *more;
	hsa_rc rc;

	*c = NULL;
	HSA_TRY(rc, place(f, &at, key));
	if (at == NULL)
		goto out;
	if (at->value == 0 && f->len == limit(f)) {
		f->full = true;
		goto out;
	}
	if (at->value == 0 && f->len == f->cap) {
		more = realloc(f->command, cap * sizeof(*more));
		if (more == NULL)
			return HSA_RC(E_NOMEM);
		f->command = more;
		f->cap = cap;
	}
	if (at->value == 0) {
		f->command[f->len++] = (struct val_command){.action = 0};
		at->value = f->len;
	}
	*c = &f->command[at->value - 1];
out:
	return rc;
}

hsa_rc
val_fan_event(struct val_fan *f, const struct val_event *e,
    struct val_report *r, int64_t time)
{
	struct val_command *c = NULL;
	uint64_t key = 0;
	size_t n = 0;
	hsa_rc rc;

	if (f->units == NULL || val_get(e, VAL_F_TARGET_ID) == NULL)
		return HSA_OK;
	HSA_TRY(rc, unit(f, &n, e, r));
	if (n == VAL_UNITS)
		goto out;
	HSA_TRY(rc, key_of(f, &key, e, n));
	HSA_TRY(rc, command(f, &c, key));
	if (c == NULL)
		goto out;
	if (c->action == 0)
		*c = (struct val_command){
		    .action = e->row->code, .first = time, .last = time};
	c->first = time < c->first ? time : c->first;
	c->last = time > c->last ? time : c->last;
	if (e->outcome == VAL_OUTCOME_SUCCESS)
		c->did |= UINT64_C(1) << n;
	else
		c->failed |= UINT64_C(1) << n;
	if (e->envelope != NULL && e->envelope->has_command_id) {
		c->has_id = true;
		memcpy(c->id, e->envelope->command_id, sizeof(c->id));
	}
out:
	return rc;
}

/* ---- the end ------------------------------------------------------------- */

static int
order(const void *x, const void *y)
{
	const struct val_command *a = x, *b = y;

	if (a->action != b->action)
		return a->action < b->action ? -1 : 1;
	return (a->first > b->first) - (a->first < b->first);
}

static void
tell(const struct val_fan *f, struct val_report *r, const struct val_command *c)
{
	uint64_t missing = ~c->did;
	struct hsa_buf names = {0};
	char id[HSA_UUID_TEXT], time[40];
	size_t i, unknown = 0;

	for (i = 0; i < f->units->n; i++) {
		const char *name =
		    f->units->name[i] != NULL ? f->units->name[i] : f->name[i];

		if ((missing >> i & 1) == 0)
			continue;
		if (name == NULL)
			unknown++;
		else
			hsa_buf_printf(
			    &names, "%s%s", names.len == 0 ? "" : ", ", name);
	}
	if (unknown > 0)
		hsa_buf_printf(&names, "%s%zu that no event names",
		    names.len == 0 ? "" : ", and ", unknown);
	hsa_uuid_text(id, c->id);
	hsa_event_time(time, (uint64_t)c->first * 10000000);
	val_find_at(r, VAL_E19, "target.id", "%s at %s%s%s left no event of %s",
	    hsa_catalogue_by_code(c->action)->name, time,
	    c->has_id ? ", command " : "", c->has_id ? id : "",
	    hsa_buf_cstr(&names));
	hsa_buf_free(&names);
}

/* Without ids a failure that ended it is a command of its own, nearby. */
static bool
failed_near(
    const struct val_command *c, const struct val_command *end, uint64_t all)
{
	const struct val_command *i;

	for (i = c + 1; !c->has_id && i < end && i->action == c->action &&
			i->first <= c->last + VAL_FAN_NEAR;
	     i++)
		if (i->failed != 0 && i->failed != all)
			return true;
	return false;
}

void
val_fan_end(struct val_fan *f, struct val_report *r)
{
	const struct val_command *c, *end;
	uint64_t all, owe = 0;

	if (f->units == NULL || f->len == 0)
		return;
	end = f->command + f->len;
	all = UINT64_MAX >> (VAL_UNITS - f->units->n);
	qsort(f->command, f->len, sizeof(*f->command), order);
	for (c = f->command; c < end; c++) {
		if (c == f->command || c[-1].action != c->action)
			owe = 0;
		if (c->did == all)
			owe = 0;
		else if (c->failed == all)
			; /* all refused: none has what another lacks */
		else if (c->failed != 0)
			owe |= c->has_id ? all & ~c->did : c->failed;
		else if ((c->did & ~owe) == 0)
			owe &= ~c->did; /* it makes up for a failure */
		else if (failed_near(c, end, all))
			owe |= all & ~c->did;
		else
			tell(f, r, c);
	}
	if (f->full)
		val_find_at(r, VAL_W12, "target.id",
		    "more than %u commands: what the others left of their "
		    "units was not counted",
		    limit(f));
	val_fan_free(f);
}

void
val_fan_free(struct val_fan *f)
{
	const struct val_units *units = f->units;
	size_t i;

	for (i = 0; i < VAL_UNITS; i++)
		free(f->name[i]);
	free(f->command);
	free(f->place);
	*f = (struct val_fan){.units = units};
}
