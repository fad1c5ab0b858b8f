#include "ep11.pb-c.h"
#include "hsa_codec_call.h"

/* Numbers of the members of Mechanism. */
enum {
	FIELD_TYPE = 1,
	FIELD_BYTES = 2
};

enum how {
	NUMBER = 1,
	ENUM,
	FOLDED, /* enum with IBM's vendor bit at FOLD */
	SLICE
};

#define VENDOR UINT64_C(0x80000000)
#define FOLD UINT64_C(0x800000)

struct col {
	uint32_t field;
	enum how how;
	size_t at;
};

struct parm {
	uint32_t field;
	enum hsa_mech_kind kind;
	const ProtobufCMessageDescriptor *desc;
	struct col col[5]; /* zeros end it */
};

#define COL(field, how, member)                                                \
	{                                                                      \
		(field), (how), offsetof(struct hsa_mech, member)              \
	}

static const struct parm parms[] = {
    {3, HSA_MECH_OAEP, &grep11__rsaoaepparm__descriptor,
	{COL(1, NUMBER, hash), COL(2, FOLDED, mgf), COL(3, ENUM, source_type),
	    COL(4, SLICE, a)}},
    {4, HSA_MECH_PSS, &grep11__rsapssparm__descriptor,
	{COL(1, NUMBER, hash), COL(2, FOLDED, mgf), COL(3, NUMBER, salt_len)}},
    {5, HSA_MECH_ECDH1, &grep11__ecdh1_derive_parm__descriptor,
	{COL(1, FOLDED, kdf), COL(2, SLICE, b), COL(3, SLICE, a)}},
    {100, HSA_MECH_GCM, &grep11__gcmparm__descriptor,
	{COL(1, SLICE, a), COL(2, SLICE, b), COL(3, NUMBER, tag_bits)}},
    /* carried as they are: a unit answers that it has no such mechanism */
    {6, HSA_MECH_OTHER, &grep11__btcderive_parm__descriptor, {{0}}},
    {7, HSA_MECH_OTHER, &grep11__ecsgparm__descriptor, {{0}}},
    {8, HSA_MECH_OTHER, &grep11__kyber_kemparm__descriptor, {{0}}},
    {9, HSA_MECH_OTHER, &grep11__ecaggparm__descriptor, {{0}}},
};

#define PARMS (sizeof(parms) / sizeof(parms[0]))

/* ---- writing ------------------------------------------------------------- */

static uint64_t
fold(struct hsa_out *o, uint64_t v)
{
	if (v >= VENDOR && v < VENDOR + FOLD)
		return v - VENDOR + FOLD;
	if (v >= FOLD)
		hsa_out_refuse(o, HSA_RC(E_RANGE));
	return v;
}

static void
slice_put(struct hsa_out *o, uint32_t field, const struct hsa_slice *s)
{
	if (s->n > HSA_CALL_DATA_MAX)
		hsa_out_refuse(o, HSA_RC(E_RANGE));
	hsa_out_bytes_opt(o, field, s->p, s->n);
}

struct parm_arg {
	const struct parm *parm;
	const struct hsa_mech *mech;
};

static void
parm_put(struct hsa_out *o, const void *arg)
{
	const struct parm_arg *a = arg;
	const struct col *c;
	uint64_t v;

	for (c = a->parm->col; c->field != 0; c++) {
		const void *at = (const uint8_t *)a->mech + c->at;

		if (c->how == SLICE) {
			slice_put(o, c->field, at);
			continue;
		}
		v = *(const uint64_t *)at;
		if (c->how == FOLDED)
			v = fold(o, v);
		else if (c->how == ENUM && v > INT32_MAX)
			hsa_out_refuse(o, HSA_RC(E_RANGE));
		hsa_out_number_opt(o, c->field, v);
	}
}

static void
mech_put(struct hsa_out *o, const void *arg)
{
	struct parm_arg a = {.mech = arg};
	const struct hsa_mech *m = arg;

	hsa_out_number_opt(o, FIELD_TYPE, m->type);
	switch (m->kind) {
	case HSA_MECH_NONE:
		return;
	case HSA_MECH_BYTES:
		if (m->a.n > HSA_CALL_DATA_MAX)
			hsa_out_refuse(o, HSA_RC(E_RANGE));
		hsa_out_bytes(o, FIELD_BYTES, m->a.p, m->a.n);
		return;
	default:
		break;
	}
	for (size_t i = 0; i < PARMS && a.parm == NULL; i++)
		if (parms[i].kind == m->kind &&
		    (m->kind != HSA_MECH_OTHER ||
			parms[i].field == m->source_type))
			a.parm = &parms[i];
	if (a.parm == NULL)
		hsa_out_refuse(o, HSA_RC(E_ARG));
	else if (m->kind == HSA_MECH_OTHER)
		hsa_out_bytes(o, a.parm->field, m->a.p, m->a.n);
	else
		hsa_out_message(o, a.parm->field, parm_put, &a);
}

void
hsa_codec_mech_put(struct hsa_out *o, uint32_t field, const struct hsa_mech *m)
{
	hsa_out_message(o, field, mech_put, m);
}

/* ---- reading ------------------------------------------------------------- */

static hsa_rc
unfold(uint64_t *v)
{
	if (*v >= 2 * FOLD)
		return HSA_RC(E_RANGE);
	if (*v >= FOLD)
		*v = *v - FOLD + VENDOR;
	return HSA_OK;
}

static const struct col *
col_of(const struct parm *parm, uint32_t field)
{
	const struct col *c = parm->col;

	while (c->field != 0 && c->field != field)
		c++;
	return c->field == 0 ? NULL : c;
}

static hsa_rc
parm_get(
    struct hsa_mech *m, const struct parm *parm, const uint8_t *p, size_t n)
{
	struct hsa_wire w = hsa_wire_of(parm->desc, 0, p, n);
	struct hsa_wire_field f = {0};
	hsa_rc rc = HSA_OK;

	m->kind = parm->kind;
	if (parm->kind == HSA_MECH_OTHER) {
		m->a = (struct hsa_slice){p, n};
		m->source_type = parm->field;
		return hsa_wire_scan(parm->desc, 0, p, n);
	}
	while (hsa_cur_left(&w.cur) != 0) {
		const struct col *c;
		void *at;

		HSA_TRY(rc, hsa_wire_next(&w, &f));
		c = col_of(parm, f.desc->id);
		if (c == NULL)
			return HSA_RC(E_UNSUPPORTED);
		at = (uint8_t *)m + c->at;
		if (c->how == SLICE) {
			if (f.n > HSA_CALL_DATA_MAX)
				return HSA_RC(E_RANGE);
			*(struct hsa_slice *)at = (struct hsa_slice){f.p, f.n};
			continue;
		}
		if (c->how == FOLDED)
			HSA_TRY(rc, unfold(&f.number));
		*(uint64_t *)at = f.number;
	}
out:
	return rc;
}

hsa_rc
hsa_codec_mech_get(struct hsa_mech *m, const struct hsa_wire_field *field)
{
	struct hsa_wire w =
	    hsa_wire_of(field->desc->descriptor, 0, field->p, field->n);
	struct hsa_wire_field f = {0};
	hsa_rc rc = HSA_OK;

	*m = (struct hsa_mech){0};
	while (hsa_cur_left(&w.cur) != 0) {
		const struct parm *parm = NULL;

		HSA_TRY(rc, hsa_wire_next(&w, &f));
		if (f.desc->id == FIELD_TYPE) {
			m->type = f.number;
			continue;
		}
		if (f.n > HSA_CALL_DATA_MAX + HSA_BLOB_MAX)
			return HSA_RC(E_RANGE);
		if (f.desc->id == FIELD_BYTES) {
			if (f.n > HSA_CALL_DATA_MAX)
				return HSA_RC(E_RANGE);
			m->kind = HSA_MECH_BYTES;
			m->a = (struct hsa_slice){f.p, f.n};
			continue;
		}
		for (size_t i = 0; i < PARMS && parm == NULL; i++)
			if (parms[i].field == f.desc->id)
				parm = &parms[i];
		if (parm == NULL)
			return HSA_RC(E_UNSUPPORTED);
		HSA_TRY(rc, parm_get(m, parm, f.p, f.n));
	}
out:
	return rc;
}
