/*
 * What waits becomes a batch: records of the queue, calls of the ring, and the
 * log's own records that they need. On the sealing thread.
 */
#include <stdlib.h>
#include <string.h>

#include "hsa_compact.h"
#include "slog_impl.h"
#include "slog_own.h"

#define BATCH_BYTES                                                            \
	((size_t)4 * 1024 * 1024) /* of calls; the queue is bounded */

/* Where the batch grows, and what it costs on the way: entries first, leaves
 * behind, so that a record is hashed as it lies there. */
hsa_rc
slog_gather_add(struct slog *l, struct slog_batch *b, const void *rec, size_t n)
{
	hsa_rc rc;

	hsa_entry_encode_record(&b->bytes, rec, n);
	HSA_TRY(rc, hsa_buf_rc(&b->bytes));
	/* the record is the entry's last field */
	rc = slog_merkle_add(&l->tree, b->bytes.p + b->bytes.len - n, n);
out:
	return rc;
}

static uint64_t
next_own(struct slog *l)
{
	return l->sealed.last[HSA_SOURCE_SEALER] + 1;
}

/* ---- the log's own records ----------------------------------------------- */

static hsa_rc
segment_begin(struct slog *l, struct slog_batch *b)
{
	hsa_rc rc;

	b->new_segment = true;
	l->sealed.segment = l->tree.size;
	memset(l->context, 0, sizeof(l->context));
	l->contexts = 0;
	HSA_TRY(
	    rc, hsa_entry_encode_header(&b->header, l->key.origin, l->tree.size,
		    (const uint8_t(*)[HSA_SHA256_LEN])l->tree.frontier,
		    l->tree.len, l->sealed.last));
	HSA_TRY(rc, hsa_buf_rc(&b->header));
	l->sealed.end = b->header.len;
	if (!l->own)
		goto out;
	if (l->chain != NULL && l->tree.size == 0)
		l->sealed.epoch = l->chain->epoch;
	HSA_TRY(rc, slog_own_special(l, b, HSA_SPECIAL_SEGMENT_OPENED, NULL));
	if (l->chain == NULL || l->tree.size != 1)
		goto out;
	HSA_TRY(rc,
	    slog_own_special(l, b, HSA_SPECIAL_NEW_CHAIN, l->chain->details));
	rc = slog_own_numbers(l->sealed.last, l->chain->details);
out:
	return rc;
}

/* The context of a call, sealed once in each segment, and again before a
 * reader may have forgotten it (V10). */
static hsa_rc
context_of(
    struct slog *l, struct slog_batch *b, uint64_t *sequence, uint32_t handle)
{
	struct hsa_context_place at = {0};
	struct hsa_look look = {0};
	struct slog_context *c;
	const uint8_t *p = NULL;
	uint64_t generation = 0;
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, slog_ring_context(l->ring, handle, &generation, &p, &n));
	c = &l->context[handle];
	if (c->generation == generation &&
	    l->contexts - c->order < HSA_CONTEXTS_MAX)
		goto out;
	at.sequence = l->tree.size;
	at.source_sequence = next_own(l);
	at.wall_ns = l->clock->wall_ns(l->clock->ctx);
	at.mono_ns = l->clock->mono_ns(l->clock->ctx);
	hsa_buf_reset(&l->scratch);
	HSA_TRY(rc, hsa_context_seal(&l->scratch, &at, p, n));
	/* recovery will read it so: refuse now what it would refuse then */
	HSA_TRY(rc, hsa_record_look(&look, l->scratch.p, l->scratch.len));
	if (look.body != HSA_BODY_CONTEXT) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	HSA_TRY(rc, slog_gather_add(l, b, l->scratch.p, l->scratch.len));
	l->sealed.last[HSA_SOURCE_SEALER]++;
	c->generation = generation;
	c->sequence = at.sequence;
	c->order = l->contexts++;
out:
	*sequence = hsa_is_ok(rc) ? l->context[handle].sequence : 0;
	return rc;
}

/* ---- calls --------------------------------------------------------------- */

static hsa_rc
add_call(struct slog *l, struct slog_batch *b, const struct slog_ring_item *it,
    uint64_t wall_offset)
{
	uint8_t rec[HSA_COMPACT_MAX];
	struct cu_sink_call c = {0};
	struct hsa_compact_record r;
	uint64_t context = 0;
	hsa_rc rc;

	if (it->n != SLOG_CALL_SHORT && it->n != sizeof(c))
		return HSA_RC(E_CORRUPT);
	memcpy(&c, it->p, it->n);
	HSA_TRY(rc, context_of(l, b, &context, c.context));
	r.sequence = l->tree.size;
	r.source_sequence = it->at + 1;
	r.mono_ns = c.start_ns;
	r.wall_ns = c.start_ns + wall_offset;
	r.ep11_rc = c.ep11_rc;
	r.ep11_reason = c.ep11_reason;
	r.has_command_id = (c.flags & CU_SINK_COMMAND) != 0;
	memcpy(r.command_id, c.command_id, sizeof(r.command_id));
	r.has_use = c.function != 0;
	r.use.function = c.function;
	r.use.mechanism = c.mechanism;
	r.use.has_key_id = (c.flags & CU_SINK_KEY) != 0;
	memcpy(r.use.key_id, c.key_id, sizeof(r.use.key_id));
	r.use.has_session = false;
	r.use.bytes_in = c.bytes_in;
	r.use.bytes_out = c.bytes_out;
	r.use.duration_ns = c.duration_ns;
	r.use.length_only = (c.flags & CU_SINK_LENGTH_ONLY) != 0;
	r.compact.context = context;
	r.compact.has_correlation_id = true;
	memcpy(r.compact.correlation_id, c.correlation_id,
	    sizeof(r.compact.correlation_id));
	rc = slog_gather_add(l, b, rec, hsa_compact_put(rec, &r));
out:
	return rc;
}

/* A whole record, but for the number that its place in the ring gives. */
static hsa_rc
add_whole(struct slog *l, struct slog_batch *b, const struct slog_ring_item *it)
{
	struct hsa_look look = {0};
	hsa_rc rc;

	hsa_buf_reset(&l->scratch);
	HSA_TRY(rc, hsa_record_seal_numbered(
			&l->scratch, l->tree.size, it->at + 1, it->p, it->n));
	HSA_TRY(rc, hsa_buf_rc(&l->scratch));
	HSA_TRY(rc, hsa_record_look(&look, l->scratch.p, l->scratch.len));
	if (look.source != HSA_SOURCE_USE)
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, slog_gather_add(l, b, l->scratch.p, l->scratch.len));
	if (look.epoch != 0)
		l->sealed.epoch = look.epoch;
out:
	return rc;
}

/* Calls of the ring up to position limit, as far as they are published and
 * the batch is to grow. */
static hsa_rc
add_calls(struct slog *l, struct slog_batch *b, uint64_t limit, size_t most,
    uint64_t wall_offset, struct hsa_diag *why)
{
	struct slog_ring_item it = {0};
	hsa_rc rc = HSA_OK;

	while (l->cursor < limit && b->bytes.len < most) {
		rc = slog_ring_next(
		    l->ring, &it, &l->cursor, l->cursor < l->orphans);
		if (rc.v == HSA_E_NOT_FOUND)
			return HSA_OK;
		if (!hsa_is_ok(rc))
			goto out;
		/* sealed, but the process died before it could say so */
		if (it.at + 1 <= l->sealed.last[HSA_SOURCE_USE])
			continue;
		HSA_TRY(rc, it.kind == SLOG_RING_CALL
				? add_call(l, b, &it, wall_offset)
			    : it.kind == SLOG_RING_WHOLE ? add_whole(l, b, &it)
							 : HSA_RC(E_CORRUPT));
		l->sealed.last[HSA_SOURCE_USE] = it.at + 1;
		if (it.at < l->orphans)
			l->ring_drained++;
	}
out:
	if (!hsa_is_ok(rc))
		rc =
		    hsa_fail(why, rc, "a call in the ring cannot be sealed: %s",
			hsa_err_text(rc));
	return rc;
}

/* ---- the queue ----------------------------------------------------------- */

static hsa_rc
tell(struct slog_batch *b, uint64_t *to, uint64_t sequence)
{
	size_t cap = b->told_cap == 0 ? 16 : 2 * b->told_cap;
	struct slog_told *t;

	if (to == NULL)
		return HSA_OK;
	if (b->told_len == b->told_cap) {
		t = realloc(b->told, cap * sizeof(*t));
		if (t == NULL)
			return HSA_RC(E_NOMEM);
		b->told = t;
		b->told_cap = cap;
	}
	b->told[b->told_len++] = (struct slog_told){to, sequence};
	return HSA_OK;
}

static hsa_rc
add_queued(struct slog *l, struct slog_batch *b, const struct slog_queued *q)
{
	struct hsa_look look = {0};
	hsa_rc rc;

	hsa_buf_reset(&l->scratch);
	hsa_record_seal(
	    &l->scratch, l->tree.size, l->taken.bytes.p + q->at, q->n);
	HSA_TRY(rc, hsa_buf_rc(&l->scratch));
	HSA_TRY(rc, hsa_record_look(&look, l->scratch.p, l->scratch.len));
	HSA_TRY(rc, tell(b, q->told, l->tree.size));
	HSA_TRY(rc, slog_gather_add(l, b, l->scratch.p, l->scratch.len));
	l->sealed.last[q->source] = q->number;
	if (look.epoch != 0)
		l->sealed.epoch = look.epoch;
out:
	return rc;
}

hsa_rc
slog_gather(struct slog *l, struct slog_batch *b, struct hsa_diag *why)
{
	uint64_t offset = 0;
	size_t i;
	hsa_rc rc = HSA_OK;

	slog_batch_reset(b);
	if (l->sealed.end == 0 || l->sealed.end >= l->segment_bytes)
		HSA_TRY(rc, segment_begin(l, b));
	if (l->own)
		HSA_TRY(rc, slog_own_clock(l, b, &offset));
	for (i = 0; i < l->taken.len; i++) {
		const struct slog_queued *q = &l->taken.item[i];

		if (l->ring != NULL)
			HSA_TRY(rc,
			    add_calls(l, b, q->ring, SIZE_MAX, offset, why));
		HSA_TRY(rc, add_queued(l, b, q));
	}
	if (l->ring != NULL)
		HSA_TRY(rc, add_calls(l, b, b->ring, BATCH_BYTES, offset, why));
	b->ring = l->cursor;
out:
	return rc;
}
