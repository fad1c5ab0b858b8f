#include <stdlib.h>
#include <string.h>

#include "val_across.h"
#include "val_across_key.h"
#include "val_across_log.h"
#include "val_across_unit.h"
#include "val_envelope.h"
#include "val_time.h"

/* ---- order --------------------------------------------------------------- */

/* eventTime in ticks of 10 ms. */
static bool
read_time(int64_t *to, const char *s)
{
	struct hsa_time t;

	if (s == NULL || !val_time_read(&t, s))
		return false;
	*to = t.seconds * 100 + t.ns / 10000000;
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
target(struct val_across *a, struct val_report *r, enum val_target_kind kind,
    const void *name, size_t n)
{
	struct val_target *t = val_table_get(&a->targets, kind, name, n);

	if (a->targets.full && !a->told) {
		a->told = true;
		val_find_at(r, VAL_W12, "target.id",
		    "is one target too many: of %u at once, the one not seen "
		    "for longest is forgotten",
		    a->targets.limit == 0 ? VAL_TARGETS : a->targets.limit);
	}
	return t;
}

static hsa_rc
record(struct val_across *a, struct val_log_word *w,
    const struct val_envelope *env, struct val_report *r)
{
	struct val_target *t =
	    target(a, r, VAL_TARGET_LOG, env->unit_id, sizeof(env->unit_id));

	if (t == NULL)
		return HSA_RC(E_NOMEM);
	return val_log_record(t, w, &a->unread, env, r);
}

hsa_rc
val_across_special(
    struct val_across *a, const struct val_envelope *env, struct val_report *r)
{
	struct val_log_word w = {.era = 0};

	return record(a, &w, env, r);
}

void
val_across_unread(struct val_across *a)
{
	a->unread++;
}

hsa_rc
val_across_event(
    struct val_across *a, const struct val_event *e, struct val_report *r)
{
	const char *id = val_get(e, VAL_F_TARGET_ID);
	struct val_log_word w = {.era = 0};
	struct val_target *t;
	bool key;
	hsa_rc rc = HSA_OK;

	if (e->envelope != NULL)
		HSA_TRY(rc, record(a, &w, e->envelope, r));
	if (e->row == NULL || id == NULL || w.again)
		goto out;
	key = !e->tke && val_key_follows(e->row->code) && val_key_is(id);
	if (!e->tke && !key)
		goto out;
	t = target(
	    a, r, key ? VAL_TARGET_KEY : VAL_TARGET_UNIT, id, strlen(id));
	if (t == NULL)
		return HSA_RC(E_NOMEM);
	if (t->era != w.era)
		forget(t);
	t->era = w.era;
	if (!in_order(t, e, r))
		goto out;
	HSA_TRY(rc, key ? val_key_event(t, e, r) : val_unit_event(t, e, r));
	if (e->tke)
		rc = val_fan_event(&a->fan, e, r, t->order ? t->time : 0);
out:
	return rc;
}

void
val_across_input(struct val_across *a)
{
	val_table_free(&a->targets);
	a->told = false;
	a->unread = 0;
}

void
val_across_end(struct val_across *a, struct val_report *r)
{
	val_fan_end(&a->fan, r);
}

void
val_across_free(struct val_across *a)
{
	val_across_input(a);
	val_fan_free(&a->fan);
}
