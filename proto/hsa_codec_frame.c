#include <stdlib.h>
#include <string.h>

#include "audit.pb-c.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_codec_wire.h"

#define VERSION 1u

/* ---- writing ------------------------------------------------------------- */

/* One of each: only the one that the kind names is used. */
struct bodies {
	Hsa__V1__Hello hello;
	Hsa__V1__Resume resume;
	Hsa__V1__Records records;
	Hsa__V1__Checkpoint checkpoint;
	Hsa__V1__Ack ack;
	Hsa__V1__Refuse refuse;
	Hsa__V1__Health health;
};

static hsa_rc
records_put(
    Hsa__V1__Records *m, struct hsa_pool *pool, const struct hsa_frame *f)
{
	if (f->record_len == 0)
		return HSA_RC(E_ARG);
	m->first_sequence = f->sequence;
	m->record = hsa_pool_get(pool, f->record_len * sizeof(*m->record));
	if (m->record == NULL)
		return HSA_RC(E_NOMEM);
	m->n_record = f->record_len;
	for (size_t i = 0; i < f->record_len; i++) {
		if (f->record[i].n == 0)
			return HSA_RC(E_ARG);
		if (f->record[i].n > HSA_RECORD_MAX)
			return HSA_RC(E_RANGE);
		m->record[i] = hsa_wire_bytes(f->record[i].p, f->record[i].n);
	}
	return HSA_OK;
}

static hsa_rc
frame_put(Hsa__V1__Frame *m, struct bodies *body, struct hsa_pool *pool,
    const struct hsa_frame *f)
{
	switch (f->kind) {
	case HSA_FRAME_HELLO:
		hsa__v1__hello__init(&body->hello);
		m->kind_case = HSA__V1__FRAME__KIND_HELLO;
		m->hello = &body->hello;
		m->hello->version = VERSION;
		m->hello->unit_id = hsa_wire_bytes(f->unit_id, HSA_UUID_LEN);
		m->hello->origin = hsa_pool_text(pool, f->origin);
		m->hello->epoch = f->epoch;
		m->hello->size = f->sequence;
		return f->origin[0] == '\0' ? HSA_RC(E_ARG) : HSA_OK;
	case HSA_FRAME_RESUME:
		hsa__v1__resume__init(&body->resume);
		m->kind_case = HSA__V1__FRAME__KIND_RESUME;
		m->resume = &body->resume;
		m->resume->next_sequence = f->sequence;
		return HSA_OK;
	case HSA_FRAME_RECORDS:
		hsa__v1__records__init(&body->records);
		m->kind_case = HSA__V1__FRAME__KIND_RECORDS;
		m->records = &body->records;
		return records_put(m->records, pool, f);
	case HSA_FRAME_CHECKPOINT:
		hsa__v1__checkpoint__init(&body->checkpoint);
		m->kind_case = HSA__V1__FRAME__KIND_CHECKPOINT;
		m->checkpoint = &body->checkpoint;
		m->checkpoint->note = hsa_wire_bytes(f->text, f->text_len);
		if (f->text_len > HSA_NOTE_MAX)
			return HSA_RC(E_RANGE);
		return f->text_len == 0 ? HSA_RC(E_ARG) : HSA_OK;
	case HSA_FRAME_ACK:
		hsa__v1__ack__init(&body->ack);
		m->kind_case = HSA__V1__FRAME__KIND_ACK;
		m->ack = &body->ack;
		m->ack->size = f->sequence;
		m->ack->root = hsa_wire_bytes(f->root, HSA_SHA256_LEN);
		return HSA_OK;
	case HSA_FRAME_REFUSE:
		hsa__v1__refuse__init(&body->refuse);
		m->kind_case = HSA__V1__FRAME__KIND_REFUSE;
		m->refuse = &body->refuse;
		m->refuse->text = hsa_pool_text(pool, f->text);
		return HSA_OK;
	case HSA_FRAME_HEALTH:
		hsa__v1__health__init(&body->health);
		m->kind_case = HSA__V1__FRAME__KIND_HEALTH;
		m->health = &body->health;
		m->health->status = f->status;
		m->health->text = hsa_pool_text(pool, f->text);
		m->health->lost = f->sequence;
		return HSA_OK;
	}
	return HSA_RC(E_ARG);
}

hsa_rc
hsa_frame_encode(struct hsa_buf *b, const struct hsa_frame *f)
{
	struct hsa_pool pool = {0};
	struct bodies body;
	Hsa__V1__Frame m;
	hsa_rc rc;

	hsa__v1__frame__init(&m);
	HSA_TRY(rc, frame_put(&m, &body, &pool, f));
	HSA_TRY(rc, hsa_wire_pack(b, &pool, &m.base, HSA_FRAME_MAX, true));
out:
	hsa_pool_free(&pool);
	return rc;
}

/* ---- reading ------------------------------------------------------------- */

static hsa_rc
text_get(struct hsa_frame *f, const void *p, size_t n)
{
	f->text = malloc(n + 1);
	if (f->text == NULL)
		return HSA_RC(E_NOMEM);
	if (n != 0)
		memcpy(f->text, p, n);
	f->text[n] = '\0';
	f->text_len = n;
	return HSA_OK;
}

/* All records go into one buffer: a batch is thousands of small ones. */
static hsa_rc
records_get(struct hsa_frame *f, const Hsa__V1__Records *m)
{
	size_t total = 0;
	uint8_t *to = NULL;

	if (m->n_record == 0)
		return HSA_RC(E_FORMAT);
	for (size_t i = 0; i < m->n_record; i++) {
		if (m->record[i].len == 0)
			return HSA_RC(E_FORMAT);
		if (m->record[i].len > HSA_RECORD_MAX)
			return HSA_RC(E_RANGE);
		total += m->record[i].len;
	}
	f->sequence = m->first_sequence;
	f->record = calloc(m->n_record, sizeof(*f->record));
	f->held = calloc(1, sizeof(*f->held));
	if (f->record == NULL || f->held == NULL)
		return HSA_RC(E_NOMEM);
	to = hsa_buf_reserve(f->held, total);
	if (to == NULL)
		return HSA_RC(E_NOMEM);
	f->held->len = total;
	for (; f->record_len < m->n_record; f->record_len++) {
		const ProtobufCBinaryData *r = &m->record[f->record_len];

		memcpy(to, r->data, r->len);
		f->record[f->record_len] = (struct hsa_slice){to, r->len};
		to += r->len;
	}
	return HSA_OK;
}

static hsa_rc
hello_get(struct hsa_frame *f, const Hsa__V1__Hello *m)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_version(m->version));
	if (m->origin[0] == '\0')
		return HSA_RC(E_FORMAT);
	f->epoch = m->epoch;
	f->sequence = m->size;
	HSA_TRY(rc, hsa_wire_chars(f->origin, sizeof(f->origin), m->origin));
	HSA_TRY(rc, hsa_wire_fixed(f->unit_id, HSA_UUID_LEN, &m->unit_id));
out:
	return rc;
}

static hsa_rc
frame_get(struct hsa_frame *f, const Hsa__V1__Frame *m)
{
	switch (m->kind_case) {
	case HSA__V1__FRAME__KIND_HELLO:
		f->kind = HSA_FRAME_HELLO;
		return hello_get(f, m->hello);
	case HSA__V1__FRAME__KIND_RESUME:
		f->kind = HSA_FRAME_RESUME;
		f->sequence = m->resume->next_sequence;
		return HSA_OK;
	case HSA__V1__FRAME__KIND_RECORDS:
		f->kind = HSA_FRAME_RECORDS;
		return records_get(f, m->records);
	case HSA__V1__FRAME__KIND_CHECKPOINT:
		f->kind = HSA_FRAME_CHECKPOINT;
		if (m->checkpoint->note.len == 0)
			return HSA_RC(E_FORMAT);
		if (m->checkpoint->note.len > HSA_NOTE_MAX)
			return HSA_RC(E_RANGE);
		return text_get(
		    f, m->checkpoint->note.data, m->checkpoint->note.len);
	case HSA__V1__FRAME__KIND_ACK:
		f->kind = HSA_FRAME_ACK;
		f->sequence = m->ack->size;
		return hsa_wire_fixed(f->root, HSA_SHA256_LEN, &m->ack->root);
	case HSA__V1__FRAME__KIND_REFUSE:
		f->kind = HSA_FRAME_REFUSE;
		return text_get(f, m->refuse->text, strlen(m->refuse->text));
	case HSA__V1__FRAME__KIND_HEALTH:
		f->kind = HSA_FRAME_HEALTH;
		f->status = m->health->status;
		f->sequence = m->health->lost;
		return text_get(f, m->health->text, strlen(m->health->text));
	default:
		return HSA_RC(E_FORMAT);
	}
}

hsa_rc
hsa_frame_decode(struct hsa_frame *f, size_t *used, const void *p, size_t n)
{
	struct hsa_pool pool = {0};
	struct hsa_frame got = {0};
	struct hsa_cur body = {0};
	size_t took = 0;
	void *m = NULL;
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_delimited(&body, &took, p, n, HSA_FRAME_MAX));
	HSA_TRY(rc, hsa_wire_unpack(&m, &pool, &hsa__v1__frame__descriptor, 0,
			body.p, hsa_cur_left(&body)));
	HSA_TRY(rc, frame_get(&got, m));
	*f = got;
	*used = took;
	got = (struct hsa_frame){0};
out:
	hsa_frame_free(&got);
	hsa_pool_free(&pool);
	return rc;
}

void
hsa_frame_free(struct hsa_frame *f)
{
	if (f == NULL)
		return;
	free(f->record);
	free(f->text);
	hsa_buf_free(f->held);
	free(f->held);
	*f = (struct hsa_frame){0};
}
