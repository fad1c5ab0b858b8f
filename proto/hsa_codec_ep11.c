#include <string.h>

#include "hsa_codec.h"
#include "hsa_codec_call.h"
#include "hsa_codec_unit.h"

/* Numbers of Ep11Request, Ep11Reply, UnitRequest.ep11 and UnitReply.ep11. */
enum {
	FIELD_CALLER = 1,
	FIELD_ID = 2,
	FIELD_LENGTH_ONLY = 3,
	FIELD_LIMITED = 4,
	FIELD_ROOM = 5,
	FIELD_PIN_BLOB = 6,
	FIELD_RV = 1,
	FIELD_REASON = 2,
	FIELD_NEEDED = 3,
	FIELD_FUNCTION = 100, /* and the function's identifier */
	FIELD_REQUEST = 3,
	FIELD_REPLY = 4
};

/* The pin is in the function's message. */
static bool
pin_inside(enum hsa_fn fn)
{
	const struct hsa_fn_row *row = hsa_codec_row(fn);

	for (size_t i = 0; row != NULL && row->in[i].field != 0; i++)
		if (row->in[i].how == HSA_HOW_SECRET)
			return true;
	return false;
}

static uint32_t
function_field(enum hsa_fn fn)
{
	return FIELD_FUNCTION + (uint32_t)fn;
}

/* ---- writing ------------------------------------------------------------- */

struct request {
	const Hsa__V1__Caller *caller;
	const struct hsa_call *call;
};

static void
request_put(struct hsa_out *o, const void *arg)
{
	const struct request *q = arg;
	const struct hsa_call *c = q->call;

	hsa_out_generated(o, FIELD_CALLER, &q->caller->base);
	hsa_out_bytes(o, FIELD_ID, c->id, sizeof(c->id));
	hsa_out_number_opt(o, FIELD_LENGTH_ONLY, c->length_only);
	hsa_out_number_opt(o, FIELD_LIMITED, c->limited);
	if (c->limited)
		hsa_out_number_opt(o, FIELD_ROOM, c->room);
	if (!pin_inside(c->fn)) {
		if (c->pin.n > HSA_BLOB_MAX)
			hsa_out_refuse(o, HSA_RC(E_RANGE));
		hsa_out_bytes_opt(o, FIELD_PIN_BLOB, c->pin.p, c->pin.n);
	}
	hsa_out_message(o, function_field(c->fn), hsa_codec_request_put, c);
}

static void
unit_request_put(struct hsa_out *o, const void *arg)
{
	hsa_out_message(o, FIELD_REQUEST, request_put, arg);
}

hsa_rc
hsa_unit_request_encode_call(struct hsa_buf *b, const struct hsa_caller *caller,
    const struct hsa_call *c)
{
	Hsa__V1__Caller m;
	struct request q = {&m, c};
	struct hsa_pool pool = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_codec_caller_put(&m, &pool, caller));
	rc = hsa_out_write(b, unit_request_put, &q, HSA_FRAME_MAX, true);
out:
	hsa_pool_free(&pool);
	return rc;
}

static bool
has_output(const struct hsa_call *c)
{
	return c->out.len != 0 || c->out2.len != 0 || c->new_state.len != 0 ||
	       c->got_len != 0;
}

static void
reply_put(struct hsa_out *o, const void *arg)
{
	const struct hsa_call *c = arg;

	hsa_out_number_opt(o, FIELD_RV, c->rv);
	hsa_out_number_opt(o, FIELD_REASON, c->reason);
	hsa_out_number_opt(o, FIELD_NEEDED, c->needed);
	if (c->rv == 0 || has_output(c))
		hsa_out_message(
		    o, function_field(c->fn), hsa_codec_reply_put, c);
}

static void
unit_reply_put(struct hsa_out *o, const void *arg)
{
	hsa_out_message(o, FIELD_REPLY, reply_put, arg);
}

hsa_rc
hsa_unit_reply_encode_call(struct hsa_buf *b, const struct hsa_call *c)
{
	return hsa_out_write(b, unit_reply_put, c, HSA_FRAME_MAX, true);
}

/* ---- reading ------------------------------------------------------------- */

/* Copies the message, as slices have to outlive the caller's bytes. */
static hsa_rc
hold(struct hsa_wire *w, struct hsa_call *c, const struct hsa_wire_field *f)
{
	struct hsa_call_memory *m = hsa_codec_memory(c);
	hsa_rc rc;

	if (m == NULL)
		return HSA_RC(E_NOMEM);
	hsa_buf_put(&m->bytes, f->p, f->n);
	HSA_TRY(rc, hsa_buf_rc(&m->bytes));
	*w = hsa_wire_of(f->desc->descriptor, 0, m->bytes.p, m->bytes.len);
out:
	return rc;
}

static hsa_rc
caller_get(struct hsa_caller *caller, const struct hsa_wire_field *f)
{
	struct hsa_pool pool = {0};
	void *m = NULL;
	hsa_rc rc;

	HSA_TRY(
	    rc, hsa_wire_unpack(&m, &pool, f->desc->descriptor, 0, f->p, f->n));
	rc = hsa_codec_caller_get(caller, m);
out:
	hsa_pool_free(&pool);
	return rc;
}

static hsa_rc
request_field(struct hsa_caller *caller, struct hsa_call *c,
    const struct hsa_wire_field *f)
{
	switch (f->desc->id) {
	case FIELD_CALLER:
		return caller_get(caller, f);
	case FIELD_ID:
		if (f->n != sizeof(c->id))
			return HSA_RC(E_FORMAT);
		memcpy(c->id, f->p, sizeof(c->id));
		return HSA_OK;
	case FIELD_LENGTH_ONLY:
		c->length_only = true;
		return HSA_OK;
	case FIELD_LIMITED:
		c->limited = true;
		return HSA_OK;
	case FIELD_ROOM:
		c->room = f->number;
		return c->limited ? HSA_OK : HSA_RC(E_FORMAT);
	case FIELD_PIN_BLOB:
		c->pin = (struct hsa_slice){f->p, f->n};
		return f->n <= HSA_BLOB_MAX ? HSA_OK : HSA_RC(E_RANGE);
	default:
		break;
	}
	c->fn = (enum hsa_fn)(f->desc->id - FIELD_FUNCTION);
	if (c->pin.n != 0 && pin_inside(c->fn))
		return HSA_RC(E_FORMAT);
	return hsa_codec_request_get(c, f->p, f->n);
}

hsa_rc
hsa_codec_ep11_request_get(struct hsa_caller *caller, struct hsa_call *c,
    const struct hsa_wire_field *field)
{
	bool has_caller = false, has_id = false;
	struct hsa_wire_field f = {0};
	struct hsa_wire w = {0};
	hsa_rc rc;

	HSA_TRY(rc, hold(&w, c, field));
	while (hsa_cur_left(&w.cur) != 0) {
		HSA_TRY(rc, hsa_wire_next(&w, &f));
		HSA_TRY(rc, request_field(caller, c, &f));
		has_caller = has_caller || f.desc->id == FIELD_CALLER;
		has_id = has_id || f.desc->id == FIELD_ID;
	}
	if (!has_caller || !has_id || c->fn == HSA_FN_NONE)
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}

hsa_rc
hsa_codec_ep11_reply_get(struct hsa_call *c, const struct hsa_wire_field *field)
{
	struct hsa_wire_field f = {0};
	struct hsa_wire w = {0};
	hsa_rc rc;

	HSA_TRY(rc, hold(&w, c, field));
	while (hsa_cur_left(&w.cur) != 0) {
		HSA_TRY(rc, hsa_wire_next(&w, &f));
		switch (f.desc->id) {
		case FIELD_RV:
			c->rv = f.number;
			break;
		case FIELD_REASON:
			c->reason = (uint32_t)f.number;
			break;
		case FIELD_NEEDED:
			c->needed = f.number;
			break;
		default:
			c->fn = (enum hsa_fn)(f.desc->id - FIELD_FUNCTION);
			HSA_TRY(rc, hsa_codec_reply_get(c, f.p, f.n));
		}
	}
	/* there if it has to be, and otherwise only with something in it */
	if (c->fn == HSA_FN_NONE ? c->rv == 0 : c->rv != 0 && !has_output(c))
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}
