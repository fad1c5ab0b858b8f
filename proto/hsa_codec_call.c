#include <stdlib.h>
#include <string.h>

#include "ep11.pb-c.h"
#include "hsa_codec_call.h"

/* ---- memory -------------------------------------------------------------- */

struct hsa_call_memory *
hsa_codec_memory(struct hsa_call *c)
{
	if (c->memory == NULL)
		c->memory = calloc(1, sizeof(*c->memory));
	return c->memory;
}

void
hsa_codec_memory_free(struct hsa_call_memory *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < 2; i++) {
		/* values of attributes may be of keys */
		if (m->list[i] != NULL)
			hsa_wipe(m->list[i], sizeof(*m->list[i]));
		free(m->list[i]);
	}
	hsa_buf_free(&m->bytes);
	free(m);
}

/* ---- writing ------------------------------------------------------------- */

/* KeyBlob.KeyBlobs */
#define FIELD_KEY_BLOBS 5

static void
key_put(struct hsa_out *o, const void *arg)
{
	const struct hsa_slice *key = arg;

	hsa_out_bytes(o, FIELD_KEY_BLOBS, key->p, key->n);
}

static void
slice_put(struct hsa_out *o, const struct hsa_col *col,
    const struct hsa_slice *s, bool as_blob)
{
	size_t max =
	    col->how == HSA_HOW_DATA ? HSA_CALL_DATA_MAX : HSA_BLOB_MAX;

	if (s->n > max)
		hsa_out_refuse(o, HSA_RC(E_RANGE));
	if (!as_blob)
		hsa_out_bytes_opt(o, col->field, s->p, s->n);
	else if (s->n != 0)
		hsa_out_message(o, col->field, key_put, s);
}

void
hsa_codec_request_put(struct hsa_out *o, const void *arg)
{
	const struct hsa_call *c = arg;
	const struct hsa_fn_row *row = hsa_codec_row(c->fn);
	const bool either = c->memory != NULL && c->memory->key_as_blob;

	if (row == NULL) {
		hsa_out_refuse(o, HSA_RC(E_ARG));
		return;
	}
	for (const struct hsa_col *col = row->in; col->field != 0; col++) {
		const void *at = (const uint8_t *)c + col->at;

		switch (col->how) {
		case HSA_HOW_KEY:
			slice_put(o, col, at, true);
			break;
		case HSA_HOW_EITHER:
			if (!either)
				slice_put(o, col, at, false);
			break;
		case HSA_HOW_OR_KEY:
			if (either)
				slice_put(o, col, at, true);
			break;
		case HSA_HOW_MECH:
			hsa_codec_mech_put(o, col->field, at);
			break;
		case HSA_HOW_NUMBER:
			hsa_out_number_opt(o, col->field, c->number);
			break;
		case HSA_HOW_TEMPLATE:
		case HSA_HOW_ROOM:
		case HSA_HOW_ASKED:
			hsa_codec_attr_put(o, col, c);
			break;
		default:
			slice_put(o, col, at, false);
		}
	}
}

static void
info_put(struct hsa_out *o, const void *arg)
{
	const struct hsa_buf *b = arg;
	uint64_t v[3];

	memcpy(v, b->p, sizeof(v));
	for (uint32_t i = 0; i < 3; i++)
		hsa_out_number_opt(o, i + 1, v[i]);
}

static void
buf_put(struct hsa_out *o, const struct hsa_col *col, const struct hsa_buf *b)
{
	const struct hsa_slice s = {b->p, b->len};

	if (b->failed)
		hsa_out_refuse(o, HSA_RC(E_NOMEM));
	if (b->len == 0)
		return;
	switch (col->how) {
	case HSA_HOW_BUF_KEY:
		hsa_out_message(o, col->field, key_put, &s);
		break;
	case HSA_HOW_MECHS:
		if (b->len % sizeof(uint64_t) != 0)
			hsa_out_refuse(o, HSA_RC(E_ARG));
		hsa_out_packed(o, col->field, b->p, b->len / sizeof(uint64_t));
		break;
	case HSA_HOW_MECH_INFO:
		if (b->len != 3 * sizeof(uint64_t))
			hsa_out_refuse(o, HSA_RC(E_ARG));
		else
			hsa_out_message(o, col->field, info_put, b);
		break;
	default:
		hsa_out_bytes(o, col->field, b->p, b->len);
	}
}

void
hsa_codec_reply_put(struct hsa_out *o, const void *arg)
{
	const struct hsa_call *c = arg;
	const struct hsa_fn_row *row = hsa_codec_row(c->fn);

	if (row == NULL) {
		hsa_out_refuse(o, HSA_RC(E_ARG));
		return;
	}
	for (const struct hsa_col *col = row->out; col->field != 0; col++) {
		const void *at = (const uint8_t *)c + col->at;

		if (col->how < HSA_HOW_GOT)
			buf_put(o, col, at);
		else
			hsa_codec_attr_put(o, col, c);
	}
}

/* ---- reading ------------------------------------------------------------- */

/* Exactly one blob and nothing that belongs to a keystore. */
static hsa_rc
key_get(struct hsa_slice *key, const struct hsa_wire_field *field)
{
	struct hsa_wire w =
	    hsa_wire_of(field->desc->descriptor, 0, field->p, field->n);
	struct hsa_wire_field f = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_next(&w, &f));
	if (f.desc->id != FIELD_KEY_BLOBS)
		return HSA_RC(E_UNSUPPORTED);
	if (f.n == 0 || hsa_cur_left(&w.cur) != 0)
		return HSA_RC(E_FORMAT);
	*key = (struct hsa_slice){f.p, f.n};
out:
	return rc;
}

static hsa_rc
slice_get(struct hsa_slice *s, const struct hsa_col *col,
    const struct hsa_wire_field *f)
{
	size_t max =
	    col->how == HSA_HOW_DATA ? HSA_CALL_DATA_MAX : HSA_BLOB_MAX;
	hsa_rc rc = HSA_OK;

	if (col->how == HSA_HOW_KEY || col->how == HSA_HOW_OR_KEY)
		HSA_TRY(rc, key_get(s, f));
	else
		*s = (struct hsa_slice){f->p, f->n};
	if (s->n > max)
		rc = HSA_RC(E_RANGE);
out:
	return rc;
}

static hsa_rc
request_field(struct hsa_call *c, const struct hsa_col *col,
    const struct hsa_wire_field *f)
{
	void *at = (uint8_t *)c + col->at;
	struct hsa_call_memory *m;

	switch (col->how) {
	case HSA_HOW_MECH:
		return hsa_codec_mech_get(at, f);
	case HSA_HOW_NUMBER:
		c->number = f->number;
		return HSA_OK;
	case HSA_HOW_TEMPLATE:
	case HSA_HOW_ROOM:
	case HSA_HOW_ASKED:
		return hsa_codec_attr_get(c, col, f);
	case HSA_HOW_OR_KEY:
		m = hsa_codec_memory(c);
		if (m == NULL)
			return HSA_RC(E_NOMEM);
		if (c->key.n != 0)
			return HSA_RC(E_FORMAT);
		m->key_as_blob = true;
		break;
	default:
		break;
	}
	return slice_get(at, col, f);
}

static hsa_rc
info_get(struct hsa_buf *b, const struct hsa_wire_field *field)
{
	struct hsa_wire w =
	    hsa_wire_of(field->desc->descriptor, 0, field->p, field->n);
	struct hsa_wire_field f = {0};
	uint64_t v[3] = {0};
	hsa_rc rc = HSA_OK;

	while (hsa_cur_left(&w.cur) != 0) {
		HSA_TRY(rc, hsa_wire_next(&w, &f));
		if (f.desc->id < 1 || f.desc->id > 3)
			return HSA_RC(E_UNSUPPORTED);
		v[f.desc->id - 1] = f.number;
	}
	hsa_buf_put(b, v, sizeof(v));
	rc = hsa_buf_rc(b);
out:
	return rc;
}

static hsa_rc
reply_field(struct hsa_call *c, const struct hsa_col *col,
    const struct hsa_wire_field *f)
{
	struct hsa_buf *b = (void *)((uint8_t *)c + col->at);
	struct hsa_cur in = hsa_cur_of(f->p, f->n);
	struct hsa_slice key = {0};
	uint64_t v = 0;
	hsa_rc rc = HSA_OK;

	switch (col->how) {
	case HSA_HOW_BUF:
		hsa_buf_put(b, f->p, f->n);
		return hsa_buf_rc(b);
	case HSA_HOW_BUF_KEY:
		HSA_TRY(rc, key_get(&key, f));
		if (key.n != b->len || memcmp(key.p, b->p, key.n) != 0)
			rc = HSA_RC(E_FORMAT);
		break;
	case HSA_HOW_MECHS:
		while (hsa_cur_left(&in) != 0) {
			HSA_TRY(rc, hsa_cur_varint(&in, &v));
			hsa_buf_put(b, &v, sizeof(v));
		}
		rc = hsa_buf_rc(b);
		break;
	case HSA_HOW_MECH_INFO:
		return info_get(b, f);
	default:
		return hsa_codec_attr_get(c, col, f);
	}
out:
	return rc;
}

typedef hsa_rc field_fn(struct hsa_call *c, const struct hsa_col *col,
    const struct hsa_wire_field *f);

/* seen: a bit for each column that was there. */
static hsa_rc
walk(struct hsa_call *c, unsigned int *seen, field_fn *fn,
    const struct hsa_col *first, struct hsa_wire w)
{
	const struct hsa_col *col = first;
	struct hsa_wire_field f = {0};
	hsa_rc rc = HSA_OK;

	*seen = 0;
	while (hsa_cur_left(&w.cur) != 0) {
		HSA_TRY(rc, hsa_wire_next(&w, &f));
		/* both ascend */
		while (col->field != 0 && col->field < f.desc->id)
			col++;
		if (col->field != f.desc->id)
			return HSA_RC(E_UNSUPPORTED);
		HSA_TRY(rc, fn(c, col, &f));
		*seen |= 1u << (col - first);
	}
out:
	return rc;
}

hsa_rc
hsa_codec_request_get(struct hsa_call *c, const void *p, size_t n)
{
	const struct hsa_fn_row *row = hsa_codec_row(c->fn);
	unsigned int seen = 0;
	hsa_rc rc;

	if (row == NULL)
		return HSA_RC(E_ARG);
	HSA_TRY(rc, walk(c, &seen, request_field, row->in,
			hsa_wire_of(row->request, 0, p, n)));
	/* no mechanism is not the mechanism 0 */
	for (unsigned int i = 0; row->in[i].field != 0; i++)
		if (row->in[i].how == HSA_HOW_MECH && (seen & 1u << i) == 0)
			return HSA_RC(E_FORMAT);
out:
	return rc;
}

hsa_rc
hsa_codec_reply_get(struct hsa_call *c, const void *p, size_t n)
{
	const struct hsa_fn_row *row = hsa_codec_row(c->fn);
	unsigned int seen = 0;
	hsa_rc rc;

	if (row == NULL)
		return HSA_RC(E_ARG);
	HSA_TRY(rc, walk(c, &seen, reply_field, row->out,
			hsa_wire_of(row->reply, 0, p, n)));
	for (unsigned int i = 0; row->out[i].field != 0; i++) {
		const struct hsa_buf *b =
		    (const void *)((const uint8_t *)c + row->out[i].at);

		if (row->out[i].how == HSA_HOW_BUF_KEY &&
		    (b->len != 0) != ((seen & 1u << i) != 0))
			return HSA_RC(E_FORMAT);
	}
	rc = hsa_codec_got_end(c);
out:
	return rc;
}

/* ---- GREP11's messages alone --------------------------------------------- */

hsa_rc
hsa_call_encode(struct hsa_buf *b, const struct hsa_call *c)
{
	return hsa_out_write(b, hsa_codec_request_put, c, HSA_CALL_MAX, false);
}

hsa_rc
hsa_call_reply_encode(struct hsa_buf *b, const struct hsa_call *c)
{
	return hsa_out_write(b, hsa_codec_reply_put, c, HSA_CALL_MAX, false);
}

static hsa_rc
decode(struct hsa_call *c, enum hsa_fn fn,
    hsa_rc (*get)(struct hsa_call *c, const void *p, size_t n), const void *p,
    size_t n)
{
	struct hsa_call got = {.fn = fn};
	struct hsa_call_memory *m = hsa_codec_memory(&got);
	hsa_rc rc;

	if (m == NULL)
		return HSA_RC(E_NOMEM);
	if (n > HSA_CALL_MAX) {
		rc = HSA_RC(E_RANGE);
		goto out;
	}
	hsa_buf_put(&m->bytes, p, n);
	HSA_TRY(rc, hsa_buf_rc(&m->bytes));
	HSA_TRY(rc, get(&got, m->bytes.p, m->bytes.len));
	*c = got;
	got = (struct hsa_call){0};
out:
	hsa_call_free(&got);
	return rc;
}

hsa_rc
hsa_call_decode(struct hsa_call *c, enum hsa_fn fn, const void *p, size_t n)
{
	return decode(c, fn, hsa_codec_request_get, p, n);
}

hsa_rc
hsa_call_reply_decode(
    struct hsa_call *c, enum hsa_fn fn, const void *p, size_t n)
{
	return decode(c, fn, hsa_codec_reply_get, p, n);
}
