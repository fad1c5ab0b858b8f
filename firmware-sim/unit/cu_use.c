/*
 * From an EP11 call to its record: one hs-crypto.ep11.use, in IBM's shape
 * (audit-landscape 1.4), with all that IBM has no field for in the envelope.
 * The target is the unit: no key of an EP11 call has a name that anybody else
 * knows; which one it was is in the envelope, as a hash.
 */
#include <stdlib.h>
#include <string.h>

#include "cu_core.h"
#include "hsa_event.h"
#include "hsa_hash.h"

static uint32_t
status_of(const struct cu_use *x)
{
	const struct hsa_use_row *row = hsa_ep11_use(x->call->rv);

	if (x->denied != 0)
		return x->denied;
	return row != NULL ? row->status : 500;
}

hsa_rc
cu_use_failure(struct cu_use *x)
{
	const char *fn = hsa_fn_text(x->call->fn);
	const char *denied = x->caller->denied_text;
	struct hsa_buf b = {0};
	hsa_rc rc = HSA_OK;

	if (x->denied == 0 && x->call->rv == 0)
		return rc;
	if (fn == NULL)
		fn = "unknown function";
	if (x->denied == 0)
		hsa_ep11_use_text(&b, fn, x->call->rv, x->call->reason);
	else
		hsa_buf_printf(&b, "%s: %s", fn,
		    denied != NULL && denied[0] != '\0'
			? denied
			: "caller is not authorized");
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, cu_event_text(&x->failure, hsa_buf_cstr(&b)));
out:
	hsa_buf_free(&b);
	return rc;
}

void
cu_use_free(struct cu_use *x)
{
	free(x->failure);
	x->failure = NULL;
}

static void
use_of(struct hsa_use *u, const struct cu_use *x)
{
	const struct hsa_call *c = x->call;

	u->function = (uint32_t)c->fn;
	u->mechanism = c->mech.type;
	u->has_key_id = c->has_key_id;
	memcpy(u->key_id, c->key_id, sizeof(u->key_id));
	u->has_session = c->has_session;
	memcpy(u->session, c->session, sizeof(u->session));
	u->bytes_in = hsa_call_bytes_in(c);
	u->bytes_out = hsa_call_bytes_out(c);
	u->duration_ns = x->duration_ns;
	u->length_only = c->length_only;
}

/* ---- the first of its kind ----------------------------------------------- */

static hsa_rc
build(struct hsa_record *r, const struct cu_unit *u, const struct cu_use *x,
    struct hsa_diag *diag)
{
	struct hsa_data request = {0};
	struct hsa_initiator who = {0};
	char correlation[HSA_UUID_TEXT];
	struct hsa_event_args args = {
	    .action = HSA_ACTION_EP11_USE,
	    .status = status_of(x),
	    .reason_failure = x->failure,
	    .time_ns = x->wall_ns,
	    .log_source_crn = u->id.log_source_crn,
	    .correlation_id = correlation,
	    .target_id = u->id.target_crn,
	    .target_name = u->id.location,
	    .initiator = &who,
	    .request = &request,
	};
	hsa_rc rc;

	hsa_uuid_text(correlation, x->call->id);
	HSA_TRY(rc, cu_event_envelope(r, u, x->caller, x->wall_ns, x->mono_ns));
	r->source = HSA_SOURCE_USE;
	HSA_TRY(rc, cu_event_initiator(&who, &x->caller->initiator));
	if (u->instance_id[0] != '\0')
		HSA_TRY(
		    rc, hsa_data_text(&request, "instanceID", u->instance_id));
	r->body = HSA_BODY_EVENT;
	HSA_TRY(rc, hsa_event_build(&r->event, &args, diag));
out:
	hsa_data_free(&request);
	hsa_initiator_free(&who);
	return rc;
}

static void
key_text(struct hsa_buf *b, const char *s)
{
	hsa_buf_u8(b, s == NULL ? 0 : 1);
	if (s != NULL)
		hsa_buf_put(b, s, strlen(s) + 1);
}

static void
key_of(struct hsa_buf *b, const struct cu_use *x)
{
	const struct hsa_initiator *i = &x->caller->initiator;

	hsa_buf_reset(b);
	hsa_buf_be32(b, status_of(x));
	hsa_buf_u8(b, x->failure != NULL ? 1 : 0);
	key_text(b, i->id);
	key_text(b, i->name);
	key_text(b, i->type_uri);
	key_text(b, i->credential_type);
	key_text(b, i->host_address);
	key_text(b, i->host_address_type);
	key_text(b, i->host_agent);
	key_text(b, x->caller->ceremony_id);
	key_text(b, x->caller->ceremony_step);
}

static void
kind_free(struct cu_kind *k)
{
	hsa_buf_free(&k->key);
	hsa_use_template_free(&k->t);
}

void
cu_kinds_free(struct cu_kinds *k)
{
	size_t i = 0;

	for (i = 0; i < k->len; i++)
		kind_free(&k->kind[i]);
	hsa_buf_free(&k->key);
	memset(k, 0, sizeof(*k));
}

static hsa_rc
learn(const struct hsa_use_template **t, struct cu_kinds *k,
    const struct cu_unit *u, const struct cu_use *x, struct hsa_diag *diag)
{
	struct hsa_record r = {0};
	struct cu_kind new = {0}, *to = NULL;
	hsa_rc rc;

	HSA_TRY(rc, build(&r, u, x, diag));
	HSA_TRY(rc, hsa_use_template_init(&new.t, &r));
	hsa_buf_put(&new.key, k->key.p, k->key.len);
	HSA_TRY(rc, hsa_buf_rc(&new.key));
	if (k->len < CU_KINDS_MAX) {
		to = &k->kind[k->len++];
	} else {
		to = &k->kind[k->oldest];
		k->oldest = (k->oldest + 1) % CU_KINDS_MAX;
		kind_free(to);
	}
	*to = new;
	memset(&new, 0, sizeof(new));
	*t = &to->t;
out:
	kind_free(&new);
	hsa_record_free(&r);
	return rc;
}

static hsa_rc
template_of(const struct hsa_use_template **t, struct cu_kinds *k,
    const struct cu_unit *u, const struct cu_use *x, struct hsa_diag *diag)
{
	size_t i = 0;
	hsa_rc rc;

	key_of(&k->key, x);
	HSA_TRY(rc, hsa_buf_rc(&k->key));
	for (i = 0; i < k->len; i++)
		if (k->kind[i].key.len == k->key.len &&
		    memcmp(k->kind[i].key.p, k->key.p, k->key.len) == 0) {
			*t = &k->kind[i].t;
			return rc;
		}
	rc = learn(t, k, u, x, diag);
out:
	return rc;
}

/* ---- and all others ------------------------------------------------------ */

static hsa_rc
fresh_id(struct cu_kinds *k, uint8_t id[HSA_UUID_LEN])
{
	hsa_rc rc = HSA_OK;

	if (k->ids == 0) {
		HSA_TRY(rc, hsa_uuid_many(k->id, CU_USE_IDS));
		k->ids = CU_USE_IDS;
	}
	memcpy(id, k->id[--k->ids], HSA_UUID_LEN);
out:
	return rc;
}

hsa_rc
cu_use_record(struct cu_kinds *k, struct hsa_buf *rec, const struct cu_unit *u,
    const struct cu_use *x, uint64_t source_sequence, struct hsa_diag *diag)
{
	static const uint8_t none[HSA_UUID_LEN];
	const struct hsa_use_template *t = NULL;
	struct hsa_use use;
	struct hsa_use_fill fill = {
	    .wall_ns = x->wall_ns,
	    .mono_ns = x->mono_ns,
	    .event_time_ns = x->wall_ns,
	    .source_sequence = source_sequence,
	    .has_command_id =
		memcmp(x->caller->command_id, none, sizeof(none)) != 0,
	    .ep11_rc = (uint32_t)x->call->rv,
	    .ep11_reason = x->call->reason,
	    .reason_failure = x->failure,
	};
	hsa_rc rc;

	HSA_TRY(rc, template_of(&t, k, u, x, diag));
	memset(&use, 0, sizeof(use));
	use_of(&use, x);
	/* a number that is no function has no use to tell of */
	fill.use = hsa_fn_text(x->call->fn) != NULL ? &use : NULL;
	memcpy(fill.command_id, x->caller->command_id, sizeof(fill.command_id));
	HSA_TRY(rc, fresh_id(k, fill.event_id));
	/* who calls in-process may leave the request without an id */
	memcpy(fill.correlation_id, x->call->id, sizeof(fill.correlation_id));
	if (memcmp(x->call->id, none, sizeof(none)) == 0)
		HSA_TRY(rc, fresh_id(k, fill.correlation_id));
	HSA_TRY(rc, hsa_use_template_put(rec, t, &fill));
out:
	return rc;
}
