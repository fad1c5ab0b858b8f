#include <stdlib.h>
#include <string.h>

#include "ep11.pb-c.h"
#include "hsa_codec_call.h"

/* Numbers of AttributeValue's members, and of a map entry's. */
enum {
	FIELD_BYTES = 1,
	FIELD_BOOL = 2,
	FIELD_INTEGER = 3,
	ENTRY_KEY = 1,
	ENTRY_VALUE = 2
};

/* ---- writing ------------------------------------------------------------- */

struct entry {
	uint64_t type;
	struct hsa_slice value;
	enum hsa_form form;
	bool typed, zeros;
};

static void
value_put(struct hsa_out *o, const void *arg)
{
	const struct entry *e = arg;
	uint64_t v = 0;

	switch (e->form) {
	case HSA_FORM_BOOL:
		hsa_out_number(o, FIELD_BOOL, e->value.p[0]);
		break;
	case HSA_FORM_INTEGER:
		memcpy(&v, e->value.p, sizeof(v));
		hsa_out_number(o, FIELD_INTEGER, v);
		break;
	case HSA_FORM_EMPTY:
		break;
	default:
		hsa_out_bytes(o, FIELD_BYTES, e->value.p, e->value.n);
	}
}

static void
entry_put(struct hsa_out *o, const void *arg)
{
	const struct entry *e = arg;

	hsa_out_number(o, ENTRY_KEY, e->type);
	if (e->typed)
		hsa_out_message(o, ENTRY_VALUE, value_put, e);
	else if (e->zeros)
		hsa_out_zeros(o, ENTRY_VALUE, e->value.n);
	else
		hsa_out_bytes(o, ENTRY_VALUE, e->value.p, e->value.n);
}

/* What came as a boolean goes back as one, if it still can. */
static enum hsa_form
fitting(enum hsa_form form, struct hsa_slice v)
{
	if ((form == HSA_FORM_BOOL && (v.n != 1 || v.p[0] > 1)) ||
	    (form == HSA_FORM_INTEGER && v.n != sizeof(uint64_t)) ||
	    (form == HSA_FORM_EMPTY && v.n != 0))
		return HSA_FORM_BYTES;
	return form;
}

static enum hsa_form
form_of(const struct hsa_call *c, const struct hsa_attr *list, size_t i)
{
	const struct hsa_call_memory *m = c->memory;

	for (size_t k = 0; m != NULL && k < 2; k++)
		if (m->list[k] != NULL && m->list[k]->attr == list)
			return m->list[k]->form[i];
	/* from the caller's own array: nothing to go by */
	return list[i].typed && list[i].p == NULL ? HSA_FORM_EMPTY
						  : HSA_FORM_BYTES;
}

static void
request_put(struct hsa_out *o, const struct hsa_col *col,
    const struct hsa_attr *a, size_t n, const struct hsa_call *c)
{
	const bool room = col->how == HSA_HOW_ROOM;
	struct entry e = {0};

	if (n > HSA_CALL_ATTR_MAX) {
		hsa_out_refuse(o, HSA_RC(E_RANGE));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (col->how != HSA_HOW_TEMPLATE && a[i].typed == room)
			continue;
		e = (struct entry){.type = a[i].type,
		    .typed = !room,
		    .value = {a[i].p, a[i].n}};
		if (room) {
			/* no value is longer, and what lies in the caller's
			 * buffers is not for the wire */
			e.zeros = true;
			if (a[i].p == NULL)
				e.value.n = 0;
			else if (e.value.n > HSA_BLOB_MAX)
				e.value.n = HSA_BLOB_MAX;
		} else {
			if (e.value.n > HSA_BLOB_MAX)
				hsa_out_refuse(o, HSA_RC(E_RANGE));
			e.form = fitting(form_of(c, a, i), e.value);
		}
		hsa_out_message(o, col->field, entry_put, &e);
	}
}

static bool
withheld(const struct hsa_attr *a)
{
	return a->n == HSA_ATTR_UNAVAILABLE || (a->p == NULL && a->n != 0);
}

/* The form of an answer is that of the question. */
static enum hsa_form
got_form(const struct hsa_call *c, size_t i)
{
	const struct hsa_call_memory *m = c->memory;

	if (m != NULL && m->got == c->got)
		return m->got_form[i];
	for (size_t k = 0; k < c->attr_len; k++)
		if (c->attr[k].typed && c->attr[k].type == c->got[i].type)
			return form_of(c, c->attr, k);
	return HSA_FORM_BYTES;
}

static void
got_put(struct hsa_out *o, const struct hsa_col *col, const struct hsa_call *c)
{
	const bool typed = col->how == HSA_HOW_GOT_TYPED;
	struct entry e = {0};

	for (size_t i = 0; i < c->got_len; i++) {
		if (c->got[i].typed != typed)
			continue;
		e = (struct entry){.type = c->got[i].type, .typed = typed};
		if (withheld(&c->got[i])) {
			e.form = HSA_FORM_EMPTY;
		} else {
			e.value = (struct hsa_slice){c->got[i].p, c->got[i].n};
			e.form = fitting(got_form(c, i), e.value);
			if (e.form == HSA_FORM_EMPTY)
				e.form = HSA_FORM_BYTES;
		}
		if (e.value.n > HSA_BLOB_MAX)
			hsa_out_refuse(o, HSA_RC(E_RANGE));
		hsa_out_message(o, col->field, entry_put, &e);
	}
}

static void
lengths_put(
    struct hsa_out *o, const struct hsa_col *col, const struct hsa_call *c)
{
	uint64_t length[HSA_CALL_ATTR_MAX];
	bool any = false;
	size_t n = 0;

	for (int typed = 0; typed < 2; typed++) {
		for (size_t i = 0; i < c->got_len; i++) {
			if (c->got[i].typed != (typed == 1))
				continue;
			any = any || withheld(&c->got[i]);
			if (c->got[i].n != HSA_ATTR_UNAVAILABLE &&
			    c->got[i].n > HSA_BLOB_MAX)
				hsa_out_refuse(o, HSA_RC(E_RANGE));
			length[n++] = c->got[i].n == HSA_ATTR_UNAVAILABLE
					  ? UINT64_MAX
					  : c->got[i].n;
		}
	}
	if (any)
		hsa_out_packed(o, col->field, length, n);
}

void
hsa_codec_attr_put(
    struct hsa_out *o, const struct hsa_col *col, const struct hsa_call *c)
{
	switch (col->how) {
	case HSA_HOW_TEMPLATE:
	case HSA_HOW_ROOM:
	case HSA_HOW_ASKED:
		if (col->at == offsetof(struct hsa_call, attr))
			request_put(o, col, c->attr, c->attr_len, c);
		else
			request_put(o, col, c->attr2, c->attr2_len, c);
		return;
	default:
		break;
	}
	if (c->got_len > HSA_CALL_ATTR_MAX)
		hsa_out_refuse(o, HSA_RC(E_ARG));
	else if (col->how == HSA_HOW_LENGTHS)
		lengths_put(o, col, c);
	else
		got_put(o, col, c);
}

/* ---- reading ------------------------------------------------------------- */

/* Reads AttributeValue into the place behind the last of l. */
static hsa_rc
value_get(struct hsa_attr_list *l, const struct hsa_wire_field *value)
{
	struct hsa_wire w =
	    hsa_wire_of(value->desc->descriptor, 0, value->p, value->n);
	struct hsa_attr *a = &l->attr[l->len];
	uint64_t *number = &l->number[l->len];
	struct hsa_wire_field f = {0};
	hsa_rc rc = HSA_OK;

	l->form[l->len] = HSA_FORM_EMPTY;
	while (hsa_cur_left(&w.cur) != 0) {
		HSA_TRY(rc, hsa_wire_next(&w, &f));
		a->p = (const uint8_t *)number;
		switch (f.desc->id) {
		case FIELD_BYTES:
			l->form[l->len] = HSA_FORM_BYTES;
			a->p = f.p;
			a->n = f.n;
			break;
		case FIELD_BOOL:
			l->form[l->len] = HSA_FORM_BOOL;
			*(uint8_t *)number = f.number != 0;
			a->n = 1;
			break;
		case FIELD_INTEGER:
			l->form[l->len] = HSA_FORM_INTEGER;
			*number = f.number;
			a->n = sizeof(*number);
			break;
		default:
			return HSA_RC(E_UNSUPPORTED);
		}
	}
out:
	return rc;
}

/* One more entry of a map, of either kind, at the end of l. */
static hsa_rc
entry_get(struct hsa_attr_list *l, const struct hsa_wire_field *field)
{
	struct hsa_wire w =
	    hsa_wire_of(field->desc->descriptor, 0, field->p, field->n);
	struct hsa_wire_field f = {0};
	struct hsa_attr *a;
	hsa_rc rc;

	if (l->len == HSA_CALL_ATTR_MAX)
		return HSA_RC(E_RANGE);
	a = &l->attr[l->len];
	*a = (struct hsa_attr){0};
	l->form[l->len] = HSA_FORM_BYTES;
	w.entry = true;
	HSA_TRY(rc, hsa_wire_next(&w, &f));
	if (f.desc->id != ENTRY_KEY)
		return HSA_RC(E_FORMAT);
	a->type = f.number;
	HSA_TRY(rc, hsa_wire_next(&w, &f));
	/* the key may not come twice, so this is the value, and the end */
	if (f.desc->type == PROTOBUF_C_TYPE_MESSAGE) {
		HSA_TRY(rc, value_get(l, &f));
	} else {
		a->p = f.p;
		a->n = f.n;
	}
	if (hsa_cur_left(&w.cur) != 0)
		return HSA_RC(E_FORMAT);
	if (a->n > HSA_BLOB_MAX)
		return HSA_RC(E_RANGE);
out:
	return rc;
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Lengths for every entry there is, so it comes behind them (FORMAT E1). */
static hsa_rc
lengths_get(struct hsa_attr_list *l, const struct hsa_wire_field *f)
{
	struct hsa_cur c = hsa_cur_of(f->p, f->n);
	bool any = false;
	uint64_t v = 0;
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < l->len; i++) {
		struct hsa_attr *a = &l->attr[i];

		HSA_TRY(rc, hsa_cur_varint(&c, &v));
		if (v == a->n && a->p != NULL)
			continue;
		if (a->n != 0 || (v != UINT64_MAX && v > HSA_BLOB_MAX))
			return HSA_RC(E_FORMAT);
		any = true;
		a->p = NULL;
		a->n = v == UINT64_MAX ? HSA_ATTR_UNAVAILABLE : (size_t)v;
	}
	if (!any || hsa_cur_left(&c) != 0)
		return HSA_RC(E_FORMAT);
out:
	return hsa_is_ok(rc) ? rc : HSA_RC(E_FORMAT);
}

hsa_rc
hsa_codec_attr_get(struct hsa_call *c, const struct hsa_col *col,
    const struct hsa_wire_field *f)
{
	const size_t second = col->at == offsetof(struct hsa_call, attr2);
	struct hsa_call_memory *m = hsa_codec_memory(c);
	struct hsa_attr_list *l;
	struct hsa_attr *a;
	hsa_rc rc;

	if (m == NULL)
		return HSA_RC(E_NOMEM);
	if (m->list[second] == NULL) {
		m->list[second] = malloc(sizeof(*m->list[second]));
		if (m->list[second] == NULL)
			return HSA_RC(E_NOMEM);
		m->list[second]->len = 0;
	}
	l = m->list[second];
	if (col->how == HSA_HOW_LENGTHS)
		return lengths_get(l, f);
	HSA_TRY(rc, entry_get(l, f));
	a = &l->attr[l->len];
	a->typed = col->how == HSA_HOW_ASKED || col->how == HSA_HOW_GOT_TYPED;
	if (col->how == HSA_HOW_TEMPLATE && l->form[l->len] == HSA_FORM_EMPTY)
		return HSA_RC(E_FORMAT);
	if (col->how == HSA_HOW_ROOM) {
		if (!all_zero(a->p, a->n))
			return HSA_RC(E_FORMAT);
		if (a->n == 0)
			a->p = NULL;
	}
	l->len++;
	if (second != 0) {
		c->attr2 = l->attr;
		c->attr2_len = l->len;
	} else if (col->at == offsetof(struct hsa_call, attr)) {
		c->attr = l->attr;
		c->attr_len = l->len;
	}
out:
	return rc;
}

hsa_rc
hsa_codec_got_end(struct hsa_call *c)
{
	struct hsa_call_memory *m = c->memory;
	struct hsa_attr_list *l = m == NULL ? NULL : m->list[0];
	size_t total = 0;
	uint8_t *to;

	if (l == NULL || l->len == 0)
		return HSA_OK;
	for (size_t i = 0; i < l->len; i++) {
		/* an empty AttributeValue is what was withheld, and only it */
		if ((l->form[i] == HSA_FORM_EMPTY) != withheld(&l->attr[i]) &&
		    l->attr[i].typed)
			return HSA_RC(E_FORMAT);
		if (l->attr[i].p != NULL)
			total += l->attr[i].n;
	}
	c->got = calloc(l->len, sizeof(*c->got));
	to = hsa_buf_reserve(&c->out, total + 1);
	if (c->got == NULL || to == NULL)
		return HSA_RC(E_NOMEM);
	for (size_t i = 0; i < l->len; i++) {
		c->got[i] = l->attr[i];
		m->got_form[i] = l->form[i];
		if (l->attr[i].p == NULL)
			continue;
		memcpy(to, l->attr[i].p, l->attr[i].n);
		c->got[i].p = to;
		to += l->attr[i].n;
	}
	c->got_len = l->len;
	c->out.len += total;
	m->got = c->got;
	return HSA_OK;
}
