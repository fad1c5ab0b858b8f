/*
 * The event of a call is in IBM's shape (audit-landscape 1.4), with all that
 * IBM has no field for in the envelope. The target is the unit: no key of an
 * EP11 call has a name that anybody else knows; which one it was is in the
 * envelope, as a hash.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cu_core.h"
#include "hsa_codec.h"
#include "hsa_compact.h"
#include "hsa_event.h"
#include "hsa_hash.h"

#define WAIT_MS 5000  /* for room in the ring, or among the contexts */
#define CUT_TEXT 256u /* of each text, when a context would be too long */
#define IDS 64u       /* of a thread, in reserve */

static uint32_t
status_of(const struct cu_use *x)
{
	const struct hsa_use_row *row;

	if (x->denied != 0)
		return x->denied;
	if (x->call->rv == 0)
		return 200;
	row = hsa_ep11_use(x->call->rv);
	return row != NULL ? row->status : 500;
}

static bool
failed(const struct cu_use *x)
{
	return x->denied != 0 || x->call->rv != 0;
}

/* ---- a context ----------------------------------------------------------- */

static hsa_rc
failure_text(char **to, const struct cu_use *x, size_t max)
{
	const char *fn = hsa_fn_text(x->call->fn);
	const char *denied = x->caller->denied_text;
	struct hsa_buf b = {0};
	hsa_rc rc = HSA_OK;

	if (!failed(x))
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
	HSA_TRY(rc, cu_event_text(to, hsa_buf_cstr(&b), max));
out:
	hsa_buf_free(&b);
	return rc;
}

static hsa_rc
envelope(struct hsa_record *r, const struct cu_unit *u, const struct cu_use *x,
    size_t max)
{
	hsa_rc rc;

	memcpy(r->unit_id, u->id.unit_id, sizeof(r->unit_id));
	r->epoch = u->epoch;
	r->source = HSA_SOURCE_SEALER;
	r->body = HSA_BODY_CONTEXT;
	r->has_session = x->call->has_session;
	memcpy(r->session, x->call->session, sizeof(r->session));
	HSA_TRY(
	    rc, cu_event_text(&r->ceremony_id, x->caller->ceremony_id, max));
	HSA_TRY(rc,
	    cu_event_text(&r->ceremony_step, x->caller->ceremony_step, max));
out:
	return rc;
}

static hsa_rc
build(struct hsa_buf *rec, const struct cu_unit *u, const struct cu_use *x,
    size_t max, struct hsa_diag *diag)
{
	struct hsa_data request = {0};
	struct hsa_initiator who = {0};
	struct hsa_record r = {0};
	char *failure = NULL;
	struct hsa_event_args args = {
	    .action = HSA_ACTION_EP11_USE,
	    .status = status_of(x),
	    .log_source_crn = u->id.log_source_crn,
	    /* the catalogue asks for one; each call has its own */
	    .correlation_id = "-",
	    .target_id = u->id.target_crn,
	    .target_name = u->id.location,
	    .initiator = &who,
	    .request = &request,
	};
	hsa_rc rc;

	HSA_TRY(rc, failure_text(&failure, x, max));
	args.reason_failure = failure;
	HSA_TRY(rc, envelope(&r, u, x, max));
	HSA_TRY(rc, cu_event_initiator(&who, &x->caller->initiator, max));
	if (u->instance_id[0] != '\0')
		HSA_TRY(
		    rc, hsa_data_text(&request, "instanceID", u->instance_id));
	HSA_TRY(rc, hsa_event_build(&r.event, &args, diag));
	free(r.event.correlation_id);
	r.event.correlation_id = NULL;
	hsa_buf_reset(rec);
	HSA_TRY(rc, hsa_record_encode(rec, &r));
out:
	free(failure);
	hsa_data_free(&request);
	hsa_initiator_free(&who);
	hsa_record_free(&r);
	return rc;
}

static void
nap(void)
{
	const struct timespec t = {0, 1000 * 1000};

	(void)nanosleep(&t, NULL);
}

static hsa_rc
give(uint32_t *handle, struct cu_unit *u, const struct cu_use *x,
    struct hsa_diag *diag)
{
	const struct cu_sink *s = &u->sink;
	struct hsa_buf rec = {0};
	int ms = 0;
	hsa_rc rc;

	rc = build(&rec, u, x, CU_TEXT_MAX, diag);
	if (hsa_is_ok(rc))
		rc = s->ops->context(s->ctx, handle, rec.p, rec.len);
	if (rc.v == HSA_E_RANGE) {
		HSA_TRY(rc, build(&rec, u, x, CUT_TEXT, diag));
		rc = s->ops->context(s->ctx, handle, rec.p, rec.len);
	}
	/* those that were dropped are free again when what names them is
	 * sealed */
	for (ms = 0; rc.v == HSA_E_BUSY && ms < WAIT_MS; ms++) {
		nap();
		rc = s->ops->context(s->ctx, handle, rec.p, rec.len);
	}
	if (rc.v == HSA_E_BUSY)
		rc = HSA_RC(E_TIMEOUT);
out:
	hsa_buf_free(&rec);
	return rc;
}

static uint16_t
function_of(const struct hsa_call *c)
{
	return hsa_fn_text(c->fn) != NULL ? (uint16_t)c->fn : 0;
}

/* ---- which of them ------------------------------------------------------- */

static void
put_text(struct hsa_buf *b, const char *s)
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
	if (failed(x)) {
		/* one for all numbers that are none */
		hsa_buf_be32(b, function_of(x->call));
		hsa_buf_be64(b, x->call->rv);
		hsa_buf_be32(b, x->call->reason);
		put_text(b, x->denied != 0 ? x->caller->denied_text : NULL);
	}
	put_text(b, i->id);
	put_text(b, i->name);
	put_text(b, i->type_uri);
	put_text(b, i->credential_type);
	put_text(b, i->host_address);
	put_text(b, i->host_address_type);
	put_text(b, i->host_agent);
	put_text(b, x->caller->ceremony_id);
	put_text(b, x->caller->ceremony_step);
	if (x->call->has_session)
		hsa_buf_put(b, x->call->session, sizeof(x->call->session));
}

/* FNV-1a; equal hashes are compared in full. */
static uint64_t
hash_of(const struct hsa_buf *b)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < b->len; i++)
		h = (h ^ b->p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static const struct cu_kind *
find(const struct cu_kinds *k, uint64_t hash, const struct hsa_buf *key)
{
	for (size_t i = k->len; i-- > 0;)
		if (k->kind[i].hash == hash && k->kind[i].key.len == key->len &&
		    memcmp(k->kind[i].key.p, key->p, key->len) == 0)
			return &k->kind[i];
	return NULL;
}

/* Moves key into the table. */
static hsa_rc
look_up(uint32_t *handle, struct cu_unit *u, const struct cu_use *x,
    struct hsa_buf *key, struct hsa_diag *diag)
{
	struct cu_kinds *k = &u->kinds;
	uint64_t hash = hash_of(key);
	const struct cu_kind *known;
	hsa_rc rc = HSA_OK;

	(void)pthread_mutex_lock(&k->lock);
	known = find(k, hash, key);
	if (known != NULL) {
		*handle = known->handle;
		goto out;
	}
	/* more at once than there are places between HIGH and MAX */
	if (k->len == CU_KINDS_MAX) {
		rc = HSA_RC(E_TIMEOUT);
		goto out;
	}
	HSA_TRY(rc, give(handle, u, x, diag));
	k->kind[k->len++] = (struct cu_kind){hash, *key, *handle};
	*key = (struct hsa_buf){0};
	if (k->len >= CU_KINDS_HIGH)
		atomic_store(&k->full, true);
out:
	(void)pthread_mutex_unlock(&k->lock);
	return rc;
}

/* ---- what this thread saw last ------------------------------------------- */

/* Successes of a caller whose content has a tag. One cell for each of a few
 * login sessions. */
#define NEAR 4u

struct near {
	uint64_t unit, tag;
	uint32_t gone, handle;
	bool has_session;
	uint8_t session[HSA_SHA256_LEN];
};
static _Thread_local struct near near[NEAR];

static struct near *
cell(const struct cu_use *x)
{
	const struct hsa_call *c = x->call;

	return &near[c->has_session ? c->session[0] % NEAR : 0];
}

static bool
is_near(const struct near *n, const struct cu_kinds *k, const struct cu_use *x)
{
	const struct hsa_call *c = x->call;

	if (n->tag != x->caller->tag || n->unit != k->unit ||
	    n->gone != atomic_load_explicit(&k->gone, memory_order_acquire) ||
	    n->has_session != c->has_session)
		return false;
	return !c->has_session ||
	       memcmp(n->session, c->session, sizeof(n->session)) == 0;
}

static hsa_rc
context_of(uint32_t *handle, struct cu_unit *u, const struct cu_use *x,
    struct hsa_diag *diag)
{
	bool tagged = x->caller->tag != 0 && !failed(x);
	struct near *n = cell(x);
	struct hsa_buf key = {0};
	hsa_rc rc;

	if (tagged && is_near(n, &u->kinds, x)) {
		*handle = n->handle;
		return HSA_OK;
	}
	key_of(&key, x);
	HSA_TRY(rc, hsa_buf_rc(&key));
	HSA_TRY(rc, look_up(handle, u, x, &key, diag));
	if (!tagged)
		goto out;
	*n = (struct near){
	    .unit = u->kinds.unit,
	    .tag = x->caller->tag,
	    .gone = atomic_load(&u->kinds.gone),
	    .handle = *handle,
	    .has_session = x->call->has_session,
	};
	memcpy(n->session, x->call->session, sizeof(n->session));
out:
	hsa_buf_free(&key);
	return rc;
}

/* Who calls in-process may leave the request without an id. */
static hsa_rc
fresh_id(uint8_t id[HSA_UUID_LEN])
{
	static _Thread_local uint8_t spare[IDS][HSA_UUID_LEN];
	static _Thread_local size_t left;
	hsa_rc rc = HSA_OK;

	if (left == 0) {
		HSA_TRY(rc, hsa_uuid_many(spare, IDS));
		left = IDS;
	}
	memcpy(id, spare[--left], HSA_UUID_LEN);
out:
	return rc;
}

static bool
is_none(const uint8_t id[HSA_UUID_LEN])
{
	uint64_t x[2];

	memcpy(x, id, sizeof(x));
	return (x[0] | x[1]) == 0;
}

hsa_rc
cu_use_leave(struct cu_unit *u, const struct cu_use *x, bool durable,
    struct hsa_diag *diag)
{
	const struct hsa_call *c = x->call;
	struct cu_sink_call s;
	hsa_rc rc;

	memset(&s, 0, sizeof(s));
	HSA_TRY(rc, context_of(&s.context, u, x, diag));
	s.start_ns = x->mono_ns;
	s.duration_ns = x->duration_ns;
	s.mechanism = c->mech.type;
	s.bytes_in = (uint32_t)hsa_call_bytes_in(c);
	s.bytes_out = (uint32_t)hsa_call_bytes_out(c);
	s.ep11_rc = (uint32_t)c->rv;
	s.ep11_reason = c->reason;
	/* a number that is no function has no use to tell of */
	s.function = function_of(c);
	if (c->length_only)
		s.flags |= CU_SINK_LENGTH_ONLY;
	if (c->has_key_id) {
		s.flags |= CU_SINK_KEY;
		memcpy(s.key_id, c->key_id, sizeof(s.key_id));
	}
	if (!is_none(x->caller->command_id)) {
		s.flags |= CU_SINK_COMMAND;
		memcpy(
		    s.command_id, x->caller->command_id, sizeof(s.command_id));
	}
	if (is_none(c->id))
		HSA_TRY(rc, fresh_id(s.correlation_id));
	else
		memcpy(s.correlation_id, c->id, sizeof(s.correlation_id));
	rc = u->sink.ops->call(u->sink.ctx, &s, durable, WAIT_MS);
out:
	return rc;
}

/* ---- the table ----------------------------------------------------------- */

void
cu_kinds_init(struct cu_kinds *k)
{
	static _Atomic uint64_t units;

	(void)pthread_mutex_init(&k->lock, NULL);
	k->unit = atomic_fetch_add(&units, 1) + 1;
}

void
cu_kinds_free(struct cu_kinds *k)
{
	for (size_t i = 0; i < k->len; i++)
		hsa_buf_free(&k->kind[i].key);
	k->len = 0;
	(void)pthread_mutex_destroy(&k->lock);
}

void
cu_use_room(struct cu_unit *u)
{
	struct cu_kinds *k = &u->kinds;
	const size_t n = CU_KINDS_HIGH / 4;

	if (!atomic_load_explicit(&k->full, memory_order_relaxed))
		return;
	(void)pthread_rwlock_wrlock(&u->work);
	(void)pthread_mutex_lock(&k->lock);
	if (k->len >= CU_KINDS_HIGH) {
		for (size_t i = 0; i < n; i++) {
			u->sink.ops->context_drop(
			    u->sink.ctx, k->kind[i].handle);
			hsa_buf_free(&k->kind[i].key);
		}
		memmove(k->kind, k->kind + n, (k->len - n) * sizeof(*k->kind));
		k->len -= n;
		atomic_fetch_add(&k->gone, 1);
	}
	atomic_store(&k->full, k->len >= CU_KINDS_HIGH);
	(void)pthread_mutex_unlock(&k->lock);
	(void)pthread_rwlock_unlock(&u->work);
}
