/*
 * EP11 calls: carried out by the engine, sealed as one event each, answered.
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

	u->use_last = u->sink.ops->last(u->sink.ctx, HSA_SOURCE_USE);
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
	cu_kinds_free(&u->kinds);
	hsa_buf_free(&u->use_record);
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
carry_out(struct cu_unit *u, struct hsa_call *c, struct cu_use *x)
{
	const struct cu_clock *clock = u->clock;

	x->wall_ns = clock->wall_ns(clock->ctx);
	x->mono_ns = clock->mono_ns(clock->ctx);
	if (x->denied != 0)
		refuse(c, CKR_USER_NOT_LOGGED_IN);
	else if (u->engine == NULL)
		refuse(c, CKR_FUNCTION_NOT_SUPPORTED);
	else
		ep11_engine_call(u->engine, c);
	x->duration_ns = clock->mono_ns(clock->ctx) - x->mono_ns;
}

static void
halt_log(struct cu_unit *u, hsa_rc rc)
{
	struct hsa_diag why = {{0}};

	hsa_diag_set(&why,
	    "the audit log cannot be written (%s): free space or repair its "
	    "disk, then restart the unit",
	    hsa_err_text(rc));
	cu_unit_halt(u, 507, why.text);
}

/* Numbers are given out in the order of put; the wait for the disk goes on
 * side by side. */
static hsa_rc
put(struct cu_unit *u, struct cu_sink_place *at, const struct cu_use *x)
{
	struct hsa_diag diag = {{0}};
	struct hsa_buf *rec = &u->use_record;
	hsa_rc rc;

	(void)pthread_mutex_lock(&u->use);
	hsa_buf_reset(rec);
	rc = cu_use_record(&u->kinds, rec, u, x, u->use_last + 1, &diag);
	if (!hsa_is_ok(rc)) {
		hsa_diag_wrap(&diag, "the event of a call cannot be made");
		cu_unit_halt(u, 503, diag.text);
		goto out;
	}
	rc = u->sink.ops->put(
	    u->sink.ctx, at, HSA_SOURCE_USE, u->use_last + 1, rec->p, rec->len);
	if (hsa_is_ok(rc))
		u->use_last++;
	else
		halt_log(u, rc);
out:
	(void)pthread_mutex_unlock(&u->use);
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
	struct cu_sink_place at = {0};
	hsa_rc rc;

	if (caller->denied != 0)
		x.denied = caller->denied == 401 ? 401 : 403;
	hsa_call_reset(c);
	(void)pthread_rwlock_rdlock(&u->work);
	if (cu_unit_halted(u, NULL) != 0) {
		(void)pthread_rwlock_unlock(&u->work);
		refuse(c, CKR_DEVICE_ERROR);
		cu_unit_count(u, CU_STAT_HALTED);
		return;
	}
	carry_out(u, c, &x);
	if (u->silent) {
		/* before the record that says how many they were */
		cu_unit_count(u, CU_STAT_CALL_SILENT);
		(void)pthread_rwlock_unlock(&u->work);
		return;
	}
	rc = cu_use_failure(&x);
	if (hsa_is_ok(rc))
		rc = put(u, &at, &x);
	else
		cu_unit_halt(u, 503, "out of memory for the event of a call");
	(void)pthread_rwlock_unlock(&u->work);
	if (hsa_is_ok(rc)) {
		rc = u->sink.ops->wait(u->sink.ctx, &at);
		if (!hsa_is_ok(rc))
			halt_log(u, rc);
	}
	if (!hsa_is_ok(rc)) /* nothing leaves whose event is not sealed */
		refuse(c, CKR_DEVICE_ERROR);
	cu_use_free(&x);
	count(u, c);
}
