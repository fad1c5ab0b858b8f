#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_codec_event.h"
#include "hsa_compact.h"
#include "hsa_cur.h"

#define SEQUENCE_KEY 0x09 /* field 1, fixed64 */
#define SEQUENCE_LEN 9u
#define SCHEMA 1u
#define NUMBER 8u /* field source_sequence */

hsa_rc
hsa_record_encode(struct hsa_buf *b, const struct hsa_record *r)
{
	struct hsa_pool pool = {0};
	Hsa__V1__Special special;
	Hsa__V1__Compact compact;
	Hsa__V1__Context context;
	Hsa__V1__Record m;
	Hsa__V1__Event event;
	size_t max = HSA_RECORD_MAX;
	Hsa__V1__Use use;
	hsa_rc rc;

	hsa__v1__record__init(&m);
	if (!hsa_codec_body_fits(r) || (r->has_use && r->use.function == 0)) {
		rc = HSA_RC(E_ARG);
		goto out;
	}
	m.schema = SCHEMA;
	if (r->body != HSA_BODY_COMPACT)
		m.unit_id = hsa_wire_bytes(r->unit_id, sizeof(r->unit_id));
	m.epoch = r->epoch;
	m.wall_ns = r->wall_ns;
	m.mono_ns = r->mono_ns;
	m.source = (Hsa__V1__Source)r->source;
	m.source_sequence = r->source_sequence;
	if (r->has_command_id)
		m.command_id =
		    hsa_wire_bytes(r->command_id, sizeof(r->command_id));
	m.ceremony_id = hsa_pool_text(&pool, r->ceremony_id);
	m.ceremony_step = hsa_pool_text(&pool, r->ceremony_step);
	m.command = r->command;
	m.ep11_rc = r->ep11_rc;
	m.ep11_reason = r->ep11_reason;
	m.n_signer_id = r->signer_len;
	m.signer_id = hsa_pool_get(&pool, r->signer_len * sizeof(*m.signer_id));
	for (size_t i = 0; m.signer_id != NULL && i < r->signer_len; i++)
		m.signer_id[i] = hsa_wire_bytes(r->signer_id[i], HSA_SKI_LEN);
	if (r->has_use) {
		m.use = &use;
		hsa_codec_use_put(&use, &r->use);
	}
	switch (r->body) {
	case HSA_BODY_EVENT:
		m.body_case = HSA__V1__RECORD__BODY_EVENT;
		m.event = &event;
		HSA_TRY(rc, hsa_codec_event_put(&event, &pool, &r->event));
		break;
	case HSA_BODY_SPECIAL:
		m.body_case = HSA__V1__RECORD__BODY_SPECIAL;
		m.special = &special;
		HSA_TRY(
		    rc, hsa_codec_special_put(&special, &pool, &r->special));
		break;
	case HSA_BODY_CONTEXT:
		m.body_case = HSA__V1__RECORD__BODY_CONTEXT;
		m.context = &context;
		HSA_TRY(rc, hsa_codec_context_put(&context, &pool, r));
		max = HSA_CONTEXT_MAX;
		break;
	case HSA_BODY_COMPACT:
		m.body_case = HSA__V1__RECORD__BODY_COMPACT;
		m.compact = &compact;
		hsa_codec_compact_put(&compact, &r->compact);
		break;
	}
	HSA_TRY(
	    rc, hsa_wire_pack(b, &pool, &m.base, max - SEQUENCE_LEN, false));
out:
	hsa_pool_free(&pool);
	return rc;
}

void
hsa_record_seal(
    struct hsa_buf *b, uint64_t sequence, const void *rest, size_t n)
{
	uint8_t head[SEQUENCE_LEN] = {SEQUENCE_KEY};

	for (unsigned int i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)(sequence >> (8 * i));
	hsa_buf_put(b, head, sizeof(head));
	hsa_buf_put(b, rest, n);
}

/* Steps over the fields before source_sequence, in E1's order. */
static hsa_rc
number_place(struct hsa_cur *c)
{
	struct hsa_cur at = *c;
	const uint8_t *skip;
	uint64_t tag, v = 0;
	hsa_rc rc = HSA_OK;

	while (hsa_cur_left(&at) != 0) {
		HSA_TRY(rc, hsa_cur_varint(&at, &tag));
		if (tag >> 3 == NUMBER)
			return HSA_RC(E_FORMAT);
		if (tag >> 3 > NUMBER)
			break;
		switch (tag & 7) {
		case 0:
			HSA_TRY(rc, hsa_cur_varint(&at, &v));
			break;
		case 1:
			HSA_TRY(rc, hsa_cur_bytes(&at, &skip, 8));
			break;
		case 2:
			HSA_TRY(rc, hsa_cur_varint(&at, &v));
			if (v > hsa_cur_left(&at))
				return HSA_RC(E_FORMAT);
			HSA_TRY(rc, hsa_cur_bytes(&at, &skip, (size_t)v));
			break;
		default:
			return HSA_RC(E_FORMAT);
		}
		*c = at;
	}
	return HSA_OK;
out:
	return HSA_RC(E_FORMAT);
}

hsa_rc
hsa_record_seal_numbered(struct hsa_buf *b, uint64_t sequence, uint64_t number,
    const void *rest, size_t n)
{
	struct hsa_cur c = hsa_cur_of(rest, n);
	const uint8_t *start = c.p;
	size_t before = b->len;
	hsa_rc rc;

	if (number == 0)
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, number_place(&c));
	hsa_record_seal(b, sequence, start, (size_t)(c.p - start));
	hsa_buf_u8(b, NUMBER << 3);
	hsa_buf_varint(b, number);
	hsa_buf_put(b, c.p, hsa_cur_left(&c));
	rc = hsa_buf_rc(b);
	if (hsa_is_ok(rc) && b->len - before > HSA_RECORD_MAX)
		rc = HSA_RC(E_RANGE);
out:
	if (!hsa_is_ok(rc))
		b->len = before;
	return rc;
}

/* FORMAT E2 and E5: the sequence, and the rest of the message. */
static hsa_rc
open_record(uint64_t *sequence, struct hsa_cur *rest, const void *p, size_t n)
{
	const uint8_t *at = p;
	uint64_t x = 0;

	if (n > HSA_RECORD_MAX)
		return HSA_RC(E_RANGE);
	if (n < SEQUENCE_LEN || at[0] != SEQUENCE_KEY)
		return HSA_RC(E_FORMAT);
	for (unsigned int i = 8; i >= 1; i--)
		x = x << 8 | at[i];
	*sequence = x;
	*rest = hsa_cur_of(at + SEQUENCE_LEN, n - SEQUENCE_LEN);
	return HSA_OK;
}

static hsa_rc
signers_get(struct hsa_record *r, const Hsa__V1__Record *m)
{
	hsa_rc rc = HSA_OK;

	if (m->n_signer_id == 0)
		return HSA_OK;
	r->signer_id = calloc(m->n_signer_id, sizeof(*r->signer_id));
	if (r->signer_id == NULL)
		return HSA_RC(E_NOMEM);
	for (; r->signer_len < m->n_signer_id; r->signer_len++)
		HSA_TRY(rc, hsa_wire_fixed(r->signer_id[r->signer_len],
				HSA_SKI_LEN, &m->signer_id[r->signer_len]));
out:
	return rc;
}

static hsa_rc
body_get(struct hsa_record *r, struct hsa_pool *pool, const Hsa__V1__Record *m)
{
	switch (m->body_case) {
	case HSA__V1__RECORD__BODY_EVENT:
		r->body = HSA_BODY_EVENT;
		return hsa_codec_event_get(&r->event, pool, m->event);
	case HSA__V1__RECORD__BODY_SPECIAL:
		r->body = HSA_BODY_SPECIAL;
		return hsa_codec_special_get(&r->special, pool, m->special);
	case HSA__V1__RECORD__BODY_CONTEXT:
		r->body = HSA_BODY_CONTEXT;
		return hsa_codec_context_get(r, pool, m->context);
	case HSA__V1__RECORD__BODY_COMPACT:
		r->body = HSA_BODY_COMPACT;
		return hsa_codec_compact_get(&r->compact, m->compact);
	default:
		return HSA_RC(E_FORMAT);
	}
}

static hsa_rc
record_get(
    struct hsa_record *r, struct hsa_pool *pool, const Hsa__V1__Record *m)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_version(m->schema));
	r->source = (enum hsa_source)m->source;
	if (m->body_case != HSA__V1__RECORD__BODY_COMPACT)
		HSA_TRY(
		    rc, hsa_wire_fixed(r->unit_id, HSA_UUID_LEN, &m->unit_id));
	else if (m->unit_id.len != 0)
		return HSA_RC(E_FORMAT);
	r->epoch = m->epoch;
	r->wall_ns = m->wall_ns;
	r->mono_ns = m->mono_ns;
	r->source_sequence = m->source_sequence;
	r->has_command_id = m->command_id.len != 0;
	if (r->has_command_id)
		HSA_TRY(rc, hsa_wire_fixed(
				r->command_id, HSA_UUID_LEN, &m->command_id));
	HSA_TRY(rc, hsa_wire_text(&r->ceremony_id, m->ceremony_id));
	HSA_TRY(rc, hsa_wire_text(&r->ceremony_step, m->ceremony_step));
	r->command = m->command;
	r->ep11_rc = m->ep11_rc;
	r->ep11_reason = m->ep11_reason;
	HSA_TRY(rc, signers_get(r, m));
	r->has_use = m->use != NULL;
	if (r->has_use)
		HSA_TRY(rc, hsa_codec_use_get(&r->use, m->use));
	HSA_TRY(rc, body_get(r, pool, m));
	if (!hsa_codec_body_fits(r))
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}

hsa_rc
hsa_record_decode(struct hsa_record *r, const void *p, size_t n)
{
	struct hsa_pool pool = {0};
	struct hsa_record got = {0};
	struct hsa_cur rest = {0};
	void *m = NULL;
	hsa_rc rc;

	HSA_TRY(rc, open_record(&got.sequence, &rest, p, n));
	/* field 1 was read: it may not come again */
	HSA_TRY(rc, hsa_wire_unpack(&m, &pool, &hsa__v1__record__descriptor, 1,
			rest.p, hsa_cur_left(&rest)));
	HSA_TRY(rc, record_get(&got, &pool, m));
	if (got.body == HSA_BODY_CONTEXT && n > HSA_CONTEXT_MAX) {
		rc = HSA_RC(E_RANGE);
		goto out;
	}
	*r = got;
	got = (struct hsa_record){0};
out:
	hsa_record_free(&got);
	hsa_pool_free(&pool);
	return rc;
}

/* Fields that a body excludes, as bits 1 << number (FORMAT E6). */
#define BIT(number) (UINT32_C(1) << (number))
#define NOT_CONTEXT (BIT(9) | BIT(12) | BIT(13) | BIT(14) | BIT(15))
#define NOT_COMPACT (BIT(3) | BIT(4) | BIT(10) | BIT(11) | BIT(12) | BIT(15))

static bool
look_fits(const struct hsa_look *l, uint32_t there, bool use, size_t n)
{
	if (!hsa_codec_source_fits(l->source, l->body, use))
		return false;
	if (l->body == HSA_BODY_COMPACT)
		return (there & NOT_COMPACT) == 0;
	if ((there & BIT(3)) == 0)
		return false;
	return l->body != HSA_BODY_CONTEXT ||
	       ((there & NOT_CONTEXT) == 0 && n <= HSA_CONTEXT_MAX);
}

hsa_rc
hsa_record_look(struct hsa_look *l, const void *p, size_t n)
{
	struct hsa_look got = {0};
	struct hsa_wire_field f = {0};
	struct hsa_cur rest = {0};
	struct hsa_wire w = {0};
	uint64_t schema = 0, src = 0;
	uint32_t there = 0;
	bool use = false, good = true;
	hsa_rc rc;

	HSA_TRY(rc, open_record(&got.sequence, &rest, p, n));
	w = hsa_wire_of(
	    &hsa__v1__record__descriptor, 1, rest.p, hsa_cur_left(&rest));
	while (hsa_cur_left(&w.cur) != 0) {
		HSA_TRY(rc, hsa_wire_next(&w, &f));
		there |= BIT(f.desc->id);
		switch (f.desc->id) {
		case 2:
			schema = f.number;
			break;
		case 4:
			got.epoch = f.number;
			break;
		case 5:
			got.wall_ns = f.number;
			break;
		case 6:
			got.mono_ns = f.number;
			break;
		case 3:
		case 9:
			good = good && f.n == HSA_UUID_LEN;
			break;
		case 15:
			good = good && f.n == HSA_SKI_LEN;
			break;
		case 7:
			src = f.number;
			break;
		case 8:
			got.source_sequence = f.number;
			break;
		case 16:
			use = true;
			break;
		case 20:
		case 21:
		case 22:
		case 23:
			got.body =
			    (enum hsa_body)(f.desc->id - 20 + HSA_BODY_EVENT);
			break;
		}
	}
	HSA_TRY(rc, hsa_wire_version(schema));
	got.source = src > HSA_SOURCES ? 0 : (enum hsa_source)src;
	/* the oneof is the body */
	if (!good || !w.oneof || !look_fits(&got, there, use, n))
		return HSA_RC(E_FORMAT);
	*l = got;
out:
	return rc;
}

hsa_rc
hsa_record_peek(uint64_t *sequence, enum hsa_source *source,
    uint64_t *source_sequence, const void *p, size_t n)
{
	struct hsa_look l = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_record_look(&l, p, n));
	*sequence = l.sequence;
	*source = l.source;
	*source_sequence = l.source_sequence;
out:
	return rc;
}
