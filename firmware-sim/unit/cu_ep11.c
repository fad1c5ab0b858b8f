/*
 * EP11 calls: carried out by the engine, recorded as one event each, answered.
 * Many at once; a change of keys or control points waits for those under way
 * and lets none begin.
 */
#include <stdio.h>
#include <string.h>

#include "cu_core.h"

/* ---- what the engine works with ------------------------------------------ */

static void
name_key(struct ep11_wk_name *n, const struct cu_register *r, enum cu_fill fill)
{
	memset(n, 0, sizeof(*n));
	n->set = r->fill == fill;
	if (!n->set)
		return;
	memcpy(n->object, r->key.b, sizeof(n->object));
	memcpy(n->pattern, r->pattern, sizeof(n->pattern));
}

hsa_rc
cu_ep11_adopt(struct cu_unit *u, const struct cu_state *s)
{
	struct ep11_wk_name current, next;
	hsa_rc rc = HSA_OK;

	if (u->engine == NULL)
		return rc;
	name_key(&current, &s->current, CU_VALID);
	name_key(&next, &s->pending, CU_COMMITTED);
	HSA_TRY(rc, ep11_engine_wk(u->engine, &current, &next));
	ep11_engine_control_points(
	    u->engine, s->control_points, s->attr.standards);
out:
	return rc;
}

static bool
same_key(
    const struct cu_register *a, const struct cu_register *b, enum cu_fill fill)
{
	struct ep11_wk_name x, y;

	name_key(&x, a, fill);
	name_key(&y, b, fill);
	return x.set == y.set &&
	       memcmp(x.object, y.object, sizeof(x.object)) == 0;
}

bool
cu_ep11_concerned(const struct cu_unit *u, const struct cu_state *next)
{
	const struct cu_state *now = &u->now;

	return u->engine != NULL &&
	       (!same_key(&now->current, &next->current, CU_VALID) ||
		   !same_key(&now->pending, &next->pending, CU_COMMITTED) ||
		   now->attr.standards != next->attr.standards ||
		   memcmp(now->control_points, next->control_points,
		       sizeof(now->control_points)) != 0);
}

/* The instance's id stands in its CRN, the eighth part. */
static void
find_instance(char to[HSA_UUID_TEXT], const char *crn)
{
	uint8_t id[HSA_UUID_LEN];
	size_t i = 0, n = 0;

	to[0] = '\0';
	for (i = 0; i < 7 && crn != NULL; i++) {
		crn = strchr(crn, ':');
		crn = crn == NULL ? NULL : crn + 1;
	}
	n = crn == NULL ? 0 : strcspn(crn, ":");
	if (n != HSA_UUID_TEXT - 1)
		return;
	memcpy(to, crn, n);
	to[n] = '\0';
	if (!hsa_is_ok(hsa_uuid_parse(id, to)))
		to[0] = '\0';
}

hsa_rc
cu_ep11_open(struct cu_unit *u, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	find_instance(u->instance_id, u->id.log_source_crn);
	if (u->token.ops == NULL)
		return rc;
	HSA_TRY(rc, ep11_engine_new(&u->engine, u->token, 0));
	HSA_TRY(rc, cu_ep11_adopt(u, &u->now));
	return rc;
out:
	return hsa_fail(diag, rc,
	    "the master key cannot be put to work in the token: %s",
	    hsa_err_text(rc));
}

void
cu_ep11_close(struct cu_unit *u)
{
	ep11_engine_free(u->engine);
	u->engine = NULL;
}

static void
add(struct hsa_unit_status *st, const char *name, uint64_t value)
{
	const size_t room = sizeof(st->counter) / sizeof(st->counter[0]);
	struct hsa_counter *c = &st->counter[st->counter_len];

	if (st->counter_len == room)
		return;
	(void)snprintf(c->name, sizeof(c->name), "engine.%s", name);
	c->value = value;
	st->counter_len++;
}

void
cu_ep11_status(struct cu_unit *u, struct hsa_unit_status *st)
{
	struct ep11_engine_stats s = {0};

	if (u->engine == NULL)
		return;
	ep11_engine_stats(u->engine, &s);
	add(st, "cache-hits", s.hits);
	add(st, "cache-misses", s.misses);
	add(st, "cache-evictions", s.evictions);
	add(st, "cached", s.cached);
	add(st, "logins", s.logins);
}

/* ---- a call -------------------------------------------------------------- */

static void
refuse(struct hsa_call *c, CK_RV rv)
{
	hsa_call_reset(c);
	c->rv = rv;
}

static void
carry_out(struct cu_unit *u, struct hsa_call *c, const struct cu_use *x)
{
	if (x->denied != 0)
		refuse(c, CKR_USER_NOT_LOGGED_IN);
	else if (u->engine == NULL)
		refuse(c, CKR_FUNCTION_NOT_SUPPORTED);
	else
		ep11_engine_call(u->engine, c);
}

/* Two clock reads are most of what an event costs its caller, so a call
 * without one reads none; the sealer knows the time of day. */
static hsa_rc
tell(struct cu_unit *u, struct hsa_call *c, struct cu_use *x)
{
	const struct cu_clock *clock = u->clock;
	struct hsa_diag diag;
	hsa_rc rc;

	diag.text[0] = '\0'; /* not all of it, each time */
	x->mono_ns = clock->mono_ns(clock->ctx);
	carry_out(u, c, x);
	x->duration_ns = clock->mono_ns(clock->ctx) - x->mono_ns;
	rc = cu_use_leave(u, x, u->mode == CU_EMIT_SEALED, &diag);
	if (hsa_is_ok(rc))
		return rc;
	if (rc.v == HSA_E_IO || rc.v == HSA_E_CLOSED || rc.v == HSA_E_TIMEOUT ||
	    rc.v == HSA_E_STOPPED) {
		cu_unit_halt_log(u, rc);
		return rc;
	}
	if (diag.text[0] == '\0')
		hsa_diag_set(&diag, "%s", hsa_err_text(rc));
	hsa_diag_wrap(&diag, "the event of a call cannot be made");
	cu_unit_halt(u, 503, diag.text);
	return rc;
}

static void
count(struct cu_unit *u, const struct hsa_call *c)
{
	cu_unit_count(
	    u, c->rv == CKR_OK ? CU_STAT_CALL_OK : CU_STAT_CALL_REFUSED);
}

void
cu_unit_call(
    struct cu_unit *u, struct hsa_call *c, const struct hsa_caller *caller)
{
	struct cu_use x = {.call = c, .caller = caller};
	hsa_rc rc = HSA_OK;
	bool silent;

	if (caller->denied != 0)
		x.denied = caller->denied == 401 ? 401 : 403;
	hsa_call_reset(c);
	cu_use_room(u);
	(void)pthread_rwlock_rdlock(&u->work);
	if (cu_unit_refuses(u, NULL) != 0) {
		(void)pthread_rwlock_unlock(&u->work);
		refuse(
		    c, u->error_state ? CKR_IBM_ERROR_STATE : CKR_DEVICE_ERROR);
		cu_unit_turned_away(u);
		return;
	}
	silent = u->mode == CU_EMIT_OFF;
	if (silent) {
		carry_out(u, c, &x);
		/* before the record that says how many they were */
		cu_unit_count(u, CU_STAT_CALL_SILENT);
	} else {
		rc = tell(u, c, &x);
	}
	(void)pthread_rwlock_unlock(&u->work);
	if (silent)
		return;
	if (!hsa_is_ok(rc)) { /* nothing leaves whose event is not kept */
		refuse(c, CKR_DEVICE_ERROR);
		if (rc.v != HSA_E_STOPPED) /* that one's comes later */
			cu_lost_add(u);
	}
	count(u, c);
}
