/* host_unit.c - requests to units: connections, one unit after the other, and
 * what module and domain each unit is. See host_lib.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "host_conn.h"
#include "host_id.h"
#include "host_lib_impl.h"
#include "hsa_cur.h"

#define QUERY_DOMAIN 3u
#define QUERY_DOMAIN_LEN 88u /* ulong, two patterns, ulong, mode */
#define CONNECTIONS_TRIED 4  /* for one request */

/* ---- connections --------------------------------------------------------- */

static void
list_add(struct host_unit *u, struct host_conn *c)
{
	c->before = NULL;
	c->next = u->all;
	if (u->all != NULL)
		u->all->before = c;
	u->all = c;
}

static void
list_drop(struct host_unit *u, struct host_conn *c)
{
	if (c->before != NULL)
		c->before->next = c->next;
	else
		u->all = c->next;
	if (c->next != NULL)
		c->next->before = c->before;
}

/* Only descriptors are closed in a child: a connection that was in use may
 * have been cut short anywhere, so its buffers are left alone. */
void
host_unit_forked(struct host_unit *u)
{
	struct host_conn *c = NULL;
	size_t i = 0;

	for (c = u->all; c != NULL; c = c->next) {
		(void)close(c->fd);
		c->fd = -1;
	}
	for (i = 0; i < u->idle_len; i++)
		host_conn_free(u->idle[i]);
	u->idle_len = 0;
	u->all = NULL;
}

void
host_unit_free(struct host_unit *u)
{
	struct host_conn *c = u->all, *next = NULL;

	for (; c != NULL; c = next) {
		next = c->next;
		host_conn_free(c);
	}
	free(u->path);
	*u = (struct host_unit){0};
}

static void
hang_up(struct host_unit *u, struct host_conn *c)
{
	host_lib_lock();
	list_drop(u, c);
	host_lib_unlock();
	host_conn_free(c);
}

/* An idle one that still lives, NULL when there is none. */
static struct host_conn *
idle(struct host_unit *u)
{
	struct host_conn *c = NULL;

	for (;;) {
		c = NULL;
		host_lib_lock();
		if (u->idle_len > 0)
			c = u->idle[--u->idle_len];
		host_lib_unlock();
		if (c == NULL || host_conn_alive(c))
			return c;
		hang_up(u, c);
	}
}

static hsa_rc
fresh(struct host_conn **c, struct host_unit *u, uint64_t deadline)
{
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, host_conn_open(c, u->path, deadline));
	host_lib_lock();
	list_add(u, *c);
	host_lib_unlock();
out:
	return rc;
}

static void
give_back(struct host_unit *u, struct host_conn *c)
{
	host_lib_lock();
	if (u->idle_len < HOST_IDLE_MAX) {
		u->idle[u->idle_len++] = c;
		c = NULL;
	}
	host_lib_unlock();
	if (c != NULL)
		hang_up(u, c);
}

/*
 * One request to one unit. reached: whether it may have got there whole. A
 * connection that ends before that is replaced: the unit was restarted, or
 * needed the place for somebody else.
 */
static hsa_rc
ask(struct host_lib *l, struct host_unit *u, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q, bool *reached)
{
	uint64_t deadline = host_conn_now() + (uint64_t)l->timeout_ms;
	struct host_conn *c = idle(u);
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	*reached = false;
	for (i = 0; i < CONNECTIONS_TRIED; i++) {
		if (c == NULL)
			HSA_TRY(rc, fresh(&c, u, deadline));
		rc = host_conn_ask(c, r, q, reached, deadline);
		if (hsa_is_ok(rc) ||
		    (!*reached && (rc.v == HSA_E_RANGE || rc.v == HSA_E_ARG))) {
			give_back(u, c);
			goto out;
		}
		hang_up(u, c);
		c = NULL;
		if (*reached || rc.v != HSA_E_CLOSED)
			goto out;
	}
out:
	return rc;
}

/* ---- one unit after the other -------------------------------------------- */

static bool
usable(struct host_lib *l)
{
	bool say = false;

	if (l->embed == NULL || !l->forked)
		return true;
	host_lib_lock();
	say = !l->said;
	l->said = true;
	host_lib_unlock();
	if (say)
		(void)fprintf(stderr, "libep11: %s\n", HOST_FORKED_TEXT);
	return false;
}

static CK_RV
rv_of(hsa_rc rc)
{
	return rc.v == HSA_E_NOMEM                        ? CKR_HOST_MEMORY
	       : rc.v == HSA_E_RANGE || rc.v == HSA_E_ARG ? CKR_ARGUMENTS_BAD
							  : CKR_DEVICE_ERROR;
}

static CK_RV
request(struct host_lib *l, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q, host_units units)
{
	bool reached = false;
	size_t i = 0;
	hsa_rc rc = HSA_RC(E_CLOSED);

	if (!usable(l))
		return CKR_DEVICE_ERROR;
	if (l->embed != NULL) {
		rc = host_embed_request(l->embed, r, q);
	} else {
		for (i = 0; i < l->n; i++) {
			if ((units >> i & 1) == 0)
				continue;
			rc = ask(l, &l->unit[i], r, q, &reached);
			if (hsa_is_ok(rc) || reached ||
			    rv_of(rc) != CKR_DEVICE_ERROR)
				break;
		}
	}
	if (!hsa_is_ok(rc))
		return rv_of(rc);
	return r->kind == q->kind ? CKR_OK : CKR_DEVICE_ERROR;
}

/* The caller's strings are lent to the request for the time of one call. */
static hsa_rc
signed_by(struct hsa_unit_request *q, const struct host_lib *l)
{
	q->caller = l->caller;
	return host_id(q->caller.command_id);
}

CK_RV
host_lib_request(struct host_lib *l, struct hsa_unit_reply *r,
    struct hsa_unit_request *q, host_units units)
{
	hsa_rc rc = signed_by(q, l);

	return hsa_is_ok(rc) ? request(l, r, q, units) : rv_of(rc);
}

void
host_lib_call(struct host_lib *l, struct hsa_call *c, host_units units)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_EP11};
	struct hsa_unit_reply *r = NULL;
	hsa_rc rc = signed_by(&q, l);

	c->rv = rv_of(rc);
	if (!hsa_is_ok(rc))
		return;
	memcpy(c->id, q.caller.command_id, sizeof(c->id));
	if (l->embed != NULL && usable(l)) {
		host_embed_call(l->embed, c, &q.caller);
		return;
	}
	r = calloc(1, sizeof(*r));
	c->rv = CKR_HOST_MEMORY;
	if (r == NULL)
		return;
	q.call = *c;
	c->rv = request(l, r, &q, units);
	if (c->rv == CKR_OK && !hsa_is_ok(hsa_call_take_reply(c, &r->call)))
		c->rv = CKR_DEVICE_ERROR;
	hsa_unit_reply_free(r);
	free(r);
}

/* ---- what they are ------------------------------------------------------- */

static hsa_rc
info(struct host_lib *l, size_t i, struct hsa_buf *data, uint32_t query)
{
	const struct hsa_unit_request q = {
	    .kind = HSA_UNIT_INFO, .query = query};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	hsa_rc rc = HSA_OK;

	if (r == NULL)
		return HSA_RC(E_NOMEM);
	if (request(l, r, &q, (host_units)1 << i) != CKR_OK) {
		rc = HSA_RC(E_CLOSED);
		goto out;
	}
	if (r->info.rv != CKR_OK) {
		rc = HSA_RC(E_REMOTE);
		goto out;
	}
	*data = r->info.data;
	r->info.data = (struct hsa_buf){0};
out:
	hsa_unit_reply_free(r);
	free(r);
	return rc;
}

/* EP11 has no query for a module's number. A unit of ours tells it; for one
 * that does not, its place among the units stands in. */
static hsa_rc
learn(struct host_lib *l, size_t i)
{
	struct hsa_buf b = {0};
	struct hsa_cur cur = {0};
	uint32_t module = (uint32_t)i, domain = 0;
	CK_ULONG native = 0;
	hsa_rc rc = HSA_OK;

	rc = info(l, i, &b, HSA_INFO_LOCATION);
	if (rc.v == HSA_E_REMOTE) {
		HSA_TRY(rc, info(l, i, &b, QUERY_DOMAIN));
		if (b.len != QUERY_DOMAIN_LEN) {
			rc = HSA_RC(E_FORMAT);
			goto out;
		}
		memcpy(&native, b.p, sizeof(native));
		domain = (uint32_t)native;
	} else if (hsa_is_ok(rc)) {
		cur = hsa_cur_of(b.p, b.len);
		HSA_TRY(rc, hsa_cur_be32(&cur, &module));
		HSA_TRY(rc, hsa_cur_be32(&cur, &domain));
		HSA_TRY(rc, hsa_cur_end(&cur));
	} else {
		goto out;
	}
	host_lib_lock();
	l->unit[i].module = module;
	l->unit[i].domain = domain;
	l->unit[i].learned = true;
	host_lib_unlock();
out:
	hsa_buf_free(&b);
	return rc;
}

host_units
host_lib_probe(struct host_lib *l, host_units units)
{
	host_units up = 0;
	size_t i = 0;

	for (i = 0; i < l->n; i++)
		if ((units >> i & 1) != 0 && hsa_is_ok(learn(l, i)))
			up |= (host_units)1 << i;
	return up;
}

host_units
host_lib_match(struct host_lib *l, const struct host_want *want,
    bool *has_module, uint8_t mask[32], uint32_t *domains)
{
	static const uint8_t none[32];
	bool all = want->any || memcmp(want->domain, none, sizeof(none)) == 0;
	host_units fit = 0;
	size_t i = 0;

	*has_module = false;
	*domains = 0;
	memset(mask, 0, 32);
	for (i = 0; i < l->n; i++) {
		bool learned = false;
		uint32_t module = 0, d = 0;

		host_lib_lock();
		learned = l->unit[i].learned;
		host_lib_unlock();
		/* one that is down is found all the same, when all are meant */
		if (!learned && !hsa_is_ok(learn(l, i)) && !want->any)
			continue;
		host_lib_lock();
		learned = l->unit[i].learned;
		module = l->unit[i].module;
		d = l->unit[i].domain;
		host_lib_unlock();
		if (!want->any && module != want->module)
			continue;
		*has_module = true;
		if (!want->any && d >= 256)
			continue;
		(*domains)++;
		if (!all && (want->domain[d / 8] & 0x80u >> d % 8) == 0)
			continue;
		if (learned && d < 256)
			mask[d / 8] |= (uint8_t)(0x80u >> d % 8);
		fit |= (host_units)1 << i;
	}
	return fit;
}
