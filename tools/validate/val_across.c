#include <stdlib.h>
#include <string.h>

#include "val_across.h"
#include "val_across_key.h"
#include "val_across_unit.h"
#include "val_envelope.h"

/* ---- order --------------------------------------------------------------- */

static bool
two(int64_t *to, const char *s)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*to = (s[0] - '0') * 10 + (s[1] - '0');
	return true;
}

/* Days since 1970 of a date in the Gregorian calendar. */
static int64_t
days(int64_t year, int64_t month, int64_t day)
{
	static const int before[] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t y = month > 2 ? year : year - 1;

	return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400) + before[month - 1] + day -
	       1;
}

/* eventTime in ticks of 10 ms, as E04 has it: always UTC. */
static bool
read_time(int64_t *to, const char *s)
{
	int64_t century, year, month, day, hour, minute, second, ticks = 0;

	if (s == NULL || strnlen(s, 20) < 19 || !two(&century, s) ||
	    !two(&year, s + 2) || !two(&month, s + 5) || !two(&day, s + 8) ||
	    !two(&hour, s + 11) || !two(&minute, s + 14) ||
	    !two(&second, s + 17) || month < 1 || month > 12)
		return false;
	if (s[19] == '.' && s[20] >= '0' && s[20] <= '9')
		ticks = (s[20] - '0') * 10 +
			(s[21] >= '0' && s[21] <= '9' ? s[21] - '0' : 0);
	*to = (((days(century * 100 + year, month, day) * 24 + hour) * 60 +
		   minute) *
		      60 +
		  second) *
		  100 +
	      ticks;
	return true;
}

static void
forget(struct val_target *t)
{
	free(t->detail);
	t->detail = NULL;
}

/*
 * Without an envelope, only eventTime tells that the input is in no order, as
 * no stage between service and reader promises one, and only `id` that an event
 * came twice. False: it did.
 */
static bool
in_order(struct val_target *t, const struct val_event *e, struct val_report *r)
{
	const char *id = val_get(e, VAL_F_ID);
	uint64_t hash = id == NULL ? 0 : val_hash(id, strlen(id), 1);
	int64_t time = 0;
	bool has = read_time(&time, val_get(e, VAL_F_EVENT_TIME));

	if (e->envelope != NULL) {
		t->order = has;
		t->time = time;
		return true;
	}
	if (hash != 0 && hash == t->id) {
		val_find(r, VAL_W08, e->json, e->field[VAL_F_ID],
		    "is that of the event before it: the event came twice, and "
		    "counts once");
		return false;
	}
	t->id = hash;
	if (has && t->order && time < t->time) {
		forget(t);
		if (!t->told)
			val_find(r, VAL_W08, e->json,
			    e->field[VAL_F_EVENT_TIME],
			    "is before that of an earlier event of this "
			    "target: what was known of it is forgotten");
		t->told = true;
	}
	t->order = has;
	t->time = time;
	return true;
}

/* ---- one event ----------------------------------------------------------- */

static struct val_target *
target(struct val_across *a, const struct val_event *e, struct val_report *r,
    enum val_target_kind kind, const char *name)
{
	struct val_target *t =
	    val_table_get(&a->targets, kind, name, strlen(name));

	if (a->targets.full && !a->told) {
		a->told = true;
		val_find(r, VAL_W12, e->json, e->field[VAL_F_TARGET_ID],
		    "is one target too many: of %u at once, the one not seen "
		    "for longest is forgotten",
		    a->targets.limit == 0 ? VAL_TARGETS : a->targets.limit);
	}
	return t;
}

hsa_rc
val_across_event(
    struct val_across *a, const struct val_event *e, struct val_report *r)
{
	const char *id = val_get(e, VAL_F_TARGET_ID);
	struct val_target *t;
	bool key;

	if (e->row == NULL || id == NULL)
		return HSA_OK;
	key = !e->tke && val_key_follows(e->row->code) && val_key_is(id);
	if (!e->tke && !key)
		return HSA_OK;
	t = target(a, e, r, key ? VAL_TARGET_KEY : VAL_TARGET_UNIT, id);
	if (t == NULL)
		return HSA_RC(E_NOMEM);
	if (!in_order(t, e, r))
		return HSA_OK;
	return key ? val_key_event(t, e, r) : val_unit_event(t, e, r);
}

void
val_across_input(struct val_across *a)
{
	val_table_free(&a->targets);
	a->told = false;
}

void
val_across_free(struct val_across *a)
{
	val_across_input(a);
}
