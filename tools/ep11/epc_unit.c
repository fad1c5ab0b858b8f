/* Keystore operations: they have no place in the host library, so they go to
 * the unit's socket themselves, in the same name as libep11's calls. */
#include <stdlib.h>
#include <string.h>

#include "epc_session.h"
#include "host_conn.h"
#include "host_where.h"
#include "host_who.h"
#include "hsa_hash.h"
#include "hsa_unit.h"

#define ANSWER_MS 60000u /* of one keystore operation */

/* The one unit of --unit or EP11_UNIT. */
static hsa_rc
find(struct host_where *w, struct epc_session *s)
{
	const char *text = getenv("EP11_UNIT");
	hsa_rc rc;

	if (text != NULL)
		HSA_TRY(rc, host_where_parse(w, text, strlen(text), &s->diag));
	else
		HSA_TRY(rc, host_where_default(w, &s->diag));
	if (w->embedded)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "a keystore is asked at a running unit; fix: --unit "
		    "unix:PATH");
	HSA_TRY(rc, host_where_look(w, &s->diag));
	if (w->n != 1)
		rc = hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "%zu units, and each has its own keystores; fix: --unit "
		    "unix:PATH of one, for instance %s",
		    w->n, host_where_path(w, 0));
out:
	return rc;
}

static hsa_rc
connect_unit(struct epc_session *s)
{
	struct host_where w = {0};
	hsa_rc rc = HSA_OK;

	if (s->conn != NULL)
		return rc;
	HSA_TRY(rc, find(&w, s));
	rc = host_conn_open(
	    &s->conn, host_where_path(&w, 0), host_conn_now() + ANSWER_MS);
	if (!hsa_is_ok(rc))
		rc = hsa_fail(&s->diag, HSA_RC(E_CLOSED),
		    "%s: %s; fix: cryptounitd run, or check --unit",
		    host_where_path(&w, 0), hsa_err_text(rc));
out:
	host_where_free(&w);
	return rc;
}

static hsa_rc
fill(
    struct epc_session *s, struct hsa_unit_request *u, struct hsa_ks_request *q)
{
	static const uint8_t none[HSA_UUID_LEN];
	hsa_rc rc;

	HSA_TRY(rc, host_who(&u->caller, getenv("EP11_INITIATOR"), &s->diag));
	HSA_TRY(rc, hsa_uuid_new(u->caller.command_id));
	if (memcmp(q->id, none, sizeof(none)) == 0)
		HSA_TRY(rc, hsa_uuid_new(q->id));
	if (hsa_ks_op((uint32_t)q->op)->change &&
	    memcmp(q->tx_id, none, sizeof(none)) == 0)
		HSA_TRY(rc, hsa_random(q->tx_id, sizeof(q->tx_id)));
out:
	return rc;
}

static hsa_rc
answer(
    struct epc_session *s, struct hsa_ks_reply *r, struct hsa_unit_reply *got)
{
	if (got->kind == HSA_UNIT_ERROR)
		return hsa_fail(&s->diag, HSA_RC(E_REMOTE),
		    "the unit did not understand: %s",
		    got->error == NULL ? "" : got->error);
	if (got->kind != HSA_UNIT_KEYSTORE)
		return hsa_fail(&s->diag, HSA_RC(E_REMOTE),
		    "the unit answered something else");
	*r = got->keystore;
	got->keystore = (struct hsa_ks_reply){0};
	if (r->rv == HSA_KS_OK)
		return HSA_OK;
	return hsa_fail(&s->diag, HSA_RC(E_REMOTE), "%s",
	    r->text == NULL ? "refused" : r->text);
}

hsa_rc
epc_keystore(
    struct epc_session *s, struct hsa_ks_reply *r, struct hsa_ks_request *q)
{
	struct hsa_unit_request u = {.kind = HSA_UNIT_KEYSTORE};
	struct hsa_unit_reply *got = calloc(1, sizeof(*got));
	bool wrote = false;
	hsa_rc rc = HSA_RC(E_NOMEM);

	*r = (struct hsa_ks_reply){0};
	if (got == NULL)
		goto out;
	HSA_TRY(rc, connect_unit(s));
	HSA_TRY(rc, fill(s, &u, q));
	u.keystore = *q; /* lent for the exchange */
	rc = host_conn_ask(
	    s->conn, got, &u, &wrote, host_conn_now() + ANSWER_MS);
	u.keystore = (struct hsa_ks_request){.memory = NULL};
	if (rc.v == HSA_E_ARG || rc.v == HSA_E_RANGE) {
		rc = hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "the request is too large for one; fix: give less");
		goto out;
	}
	if (!hsa_is_ok(rc)) {
		rc = hsa_fail(&s->diag, HSA_RC(E_CLOSED),
		    "the unit was lost (%s)%s", hsa_err_text(rc),
		    wrote ? "; whether it acted is in its audit log" : "");
		goto out;
	}
	HSA_TRY(rc, answer(s, r, got));
out:
	hsa_unit_request_free(&u);
	hsa_unit_reply_free(got);
	free(got);
	return rc;
}
