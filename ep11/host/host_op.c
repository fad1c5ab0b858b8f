/* host_op.c - see host_op.h. */
#include <stdlib.h>
#include <string.h>
#include "host_lib.h"
#include "host_mech.h"
#include "host_op.h"

struct host_op *
host_op_new(enum hsa_fn fn)
{
	struct host_op *o = calloc(1, sizeof(*o));

	if (o != NULL)
		o->c.fn = fn;
	return o;
}

void
host_op_free(struct host_op *o)
{
	if (o == NULL)
		return;
	hsa_call_free(&o->c);
	free(o);
}

static void
wrong(struct host_op *o, CK_RV rv)
{
	if (o->bad == CKR_OK)
		o->bad = rv;
}

/* ---- inputs -------------------------------------------------------------- */

void
host_op_key(struct host_op *o, struct hsa_slice *to, const void *p, size_t n)
{
	if (o != NULL && p != NULL && !host_slice(to, p, n, HSA_BLOB_MAX))
		wrong(o, CKR_ARGUMENTS_BAD);
}

void
host_op_state(struct host_op *o, const void *p, size_t n)
{
	if (o != NULL && !host_slice(&o->c.state, p, n, HSA_BLOB_MAX))
		wrong(o, CKR_ARGUMENTS_BAD);
}

void
host_op_data(struct host_op *o, const void *p, CK_ULONG n)
{
	if (o != NULL && !host_slice(&o->c.data, p, n, HSA_CALL_DATA_MAX))
		wrong(o, p == NULL ? CKR_ARGUMENTS_BAD : CKR_DATA_LEN_RANGE);
}

void
host_op_signature(struct host_op *o, const void *p, CK_ULONG n)
{
	if (o != NULL && !host_slice(&o->c.signature, p, n, HSA_BLOB_MAX))
		wrong(
		    o, p == NULL ? CKR_ARGUMENTS_BAD : CKR_SIGNATURE_LEN_RANGE);
}

void
host_op_mech(struct host_op *o, struct hsa_mech *to, const CK_MECHANISM *m)
{
	CK_RV rv = CKR_OK;

	if (o == NULL)
		return;
	rv = host_mech(to, m);
	if (rv != CKR_OK)
		wrong(o, rv);
}

static size_t
fill(struct host_op *o, struct hsa_attr *to, const CK_ATTRIBUTE *a, CK_ULONG n)
{
	struct hsa_slice value = {0};
	size_t i = 0;

	if (n > HSA_CALL_ATTR_MAX || (a == NULL && n > 0)) {
		wrong(o, CKR_ARGUMENTS_BAD);
		return 0;
	}
	for (i = 0; i < n; i++) {
		if (!host_slice(
			&value, a[i].pValue, a[i].ulValueLen, HSA_BLOB_MAX))
			wrong(o, CKR_ATTRIBUTE_VALUE_INVALID);
		to[i] = (struct hsa_attr){
		    .type = a[i].type, .p = value.p, .n = value.n};
		value = (struct hsa_slice){0};
	}
	return (size_t)n;
}

void
host_op_template(struct host_op *o, const CK_ATTRIBUTE *a, CK_ULONG n)
{
	if (o == NULL)
		return;
	o->c.attr_len = fill(o, o->attr, a, n);
	o->c.attr = o->attr;
}

void
host_op_template2(struct host_op *o, const CK_ATTRIBUTE *a, CK_ULONG n)
{
	if (o == NULL)
		return;
	o->c.attr2_len = fill(o, o->attr2, a, n);
	o->c.attr2 = o->attr2;
}

/* ---- outputs ------------------------------------------------------------- */

void
host_op_out(struct host_op *o, void *p, CK_ULONG *n)
{
	if (o == NULL)
		return;
	if (n == NULL) {
		wrong(o, CKR_ARGUMENTS_BAD);
		return;
	}
	o->out = (struct host_room){p, n};
	o->c.length_only = p == NULL;
	o->c.limited = p != NULL;
	o->c.room = p != NULL ? *n : 0;
}

void
host_op_blob(struct host_op *o, void *p, size_t *n)
{
	if (o == NULL)
		return;
	if (p == NULL || n == NULL) {
		wrong(o, CKR_ARGUMENTS_BAD);
		return;
	}
	o->blob = (struct host_room){p, n};
	o->c.limited = true;
	o->c.room = *n;
}

void
host_op_pub(struct host_op *o, void *p, size_t *n)
{
	if (o == NULL)
		return;
	if (p == NULL || n == NULL)
		wrong(o, CKR_ARGUMENTS_BAD);
	else
		o->pub = (struct host_room){p, n};
}

void
host_op_new_state(struct host_op *o, void *p, size_t *n)
{
	if (o == NULL)
		return;
	if (p == NULL || n == NULL)
		wrong(o, CKR_ARGUMENTS_BAD);
	else
		o->state = (struct host_room){p, n};
}

void
host_op_update(struct host_op *o, void *p, size_t n)
{
	host_op_state(o, p, n);
	if (o == NULL)
		return;
	if (p == NULL)
		wrong(o, CKR_ARGUMENTS_BAD);
	o->in_place.p = p;
	o->in_place.n = n;
}

void
host_op_object(struct host_op *o, void *p, size_t n)
{
	if (o == NULL)
		return;
	if (p == NULL)
		wrong(o, CKR_ARGUMENTS_BAD);
	host_op_key(o, &o->c.key, p, n);
	o->in_place.p = p;
	o->in_place.n = n;
	o->in_place.object = true;
}

static bool
fits(const struct host_room *r, size_t n, CK_RV *rv)
{
	if (r->p == NULL || r->n == NULL || n <= *r->n)
		return true;
	*rv = CKR_BUFFER_TOO_SMALL;
	return false;
}

static void
copy(const struct host_room *r, const void *p, size_t n)
{
	if (r->p != NULL && n > 0)
		memcpy(r->p, p, n);
	if (r->n != NULL)
		*r->n = n;
}

CK_RV
host_out(const struct host_room *r, const void *p, size_t n)
{
	CK_RV rv = CKR_OK;

	if (fits(r, n, &rv))
		copy(r, p, n);
	else
		*r->n = n;
	return rv;
}

/* ---- the call ------------------------------------------------------------ */

CK_RV
host_op_call(struct host_op *o, uint64_t target)
{
	struct host_lib *l = NULL;
	host_units units = 0;
	CK_RV rv = CKR_HOST_MEMORY;

	if (o == NULL)
		return rv;
	if (o->bad != CKR_OK)
		return o->bad;
	l = host_lib_get();
	if (l == NULL)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	rv = host_lib_units(l, &units, target);
	if (rv == CKR_OK) {
		host_lib_call(l, &o->c, units);
		rv = o->c.rv;
	}
	host_lib_put(l);
	return rv;
}

/* Nothing is written until everything is known to fit. */
static CK_RV
deliver(struct host_op *o)
{
	const struct hsa_call *c = &o->c;
	const struct hsa_buf *back =
	    o->in_place.object ? &c->out : &c->new_state;
	bool query = o->out.n != NULL && o->out.p == NULL;
	CK_RV rv = CKR_OK;

	if (o->in_place.p != NULL && !query && back->len != o->in_place.n)
		return CKR_DEVICE_ERROR;
	if (!fits(&o->out, c->out.len, &rv) ||
	    !fits(&o->blob, c->out.len, &rv) ||
	    !fits(&o->csum, c->out2.len, &rv) ||
	    !fits(&o->pub, c->out2.len, &rv) ||
	    !fits(&o->state, c->new_state.len, &rv)) {
		struct host_room *all[] = {
		    &o->out, &o->blob, &o->csum, &o->pub, &o->state};
		size_t i = 0;

		/* lengths only */
		for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			all[i]->p = NULL;
	}
	if (query)
		*o->out.n = (CK_ULONG)c->needed;
	else
		copy(&o->out, c->out.p, c->out.len);
	copy(&o->blob, c->out.p, c->out.len);
	copy(&o->csum, c->out2.p, c->out2.len);
	copy(&o->pub, c->out2.p, c->out2.len);
	copy(&o->state, c->new_state.p, c->new_state.len);
	if (rv == CKR_OK && o->in_place.p != NULL && !query &&
	    o->in_place.n > 0)
		memcpy(o->in_place.p, back->p, o->in_place.n);
	return rv;
}

CK_RV
host_op_run(struct host_op *o, uint64_t target)
{
	CK_RV rv = host_op_call(o, target);

	if (rv == CKR_OK) {
		rv = deliver(o);
	} else if (rv == CKR_BUFFER_TOO_SMALL && o != NULL) {
		if (o->out.n != NULL)
			*o->out.n = (CK_ULONG)o->c.needed;
		if (o->blob.n != NULL)
			*o->blob.n = (CK_ULONG)o->c.needed;
	}
	host_op_free(o);
	return rv;
}

CK_RV
host_op_init(enum hsa_fn fn, unsigned char *state, size_t *state_len,
    const CK_MECHANISM *mech, const unsigned char *key, size_t key_len,
    uint64_t target)
{
	struct host_op *o = host_op_new(fn);

	if (o != NULL) {
		host_op_key(o, &o->c.key, key, key_len);
		host_op_mech(o, &o->c.mech, mech);
	}
	host_op_new_state(o, state, state_len);
	return host_op_run(o, target);
}
