#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_codec.h"
#include "hsa_contexts.h"
#include "hsa_hash.h"
#include "sink_mock.h"

struct sink_mock *
sink_mock_new(void)
{
	struct sink_mock *m = calloc(1, sizeof(*m));

	if (m == NULL || pthread_mutex_init(&m->lock, NULL) != 0)
		abort();
	m->failure = SINK_MOCK_LOST;
	m->wall_less_mono = 1700000000000000000u; /* helper_cu.c's clock */
	return m;
}

void
sink_mock_free(struct sink_mock *m)
{
	if (m == NULL)
		return;
	sink_mock_cut(m, 0);
	free(m->record);
	for (size_t i = 0; i < m->contexts; i++)
		hsa_record_free(&m->context[i]);
	free(m->context);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

void
sink_mock_reopen(struct sink_mock *m)
{
	m->closed = false;
	m->fail_at = 0;
}

size_t
sink_mock_len(struct sink_mock *m)
{
	size_t n;

	(void)pthread_mutex_lock(&m->lock);
	n = m->len;
	(void)pthread_mutex_unlock(&m->lock);
	return n;
}

void
sink_mock_get(struct sink_mock *m, struct hsa_record *r, size_t i)
{
	if (i >= m->len || !hsa_is_ok(hsa_record_decode(
			       r, m->record[i].p, m->record[i].len))) {
		fprintf(
		    stderr, "sink_mock: record %zu of %zu is bad\n", i, m->len);
		abort();
	}
}

void
sink_mock_cut(struct sink_mock *m, size_t n)
{
	while (m->len > n)
		hsa_buf_free(&m->record[--m->len]);
	memset(m->last, 0, sizeof(m->last));
	for (size_t i = 0; i < m->len; i++) {
		struct hsa_record r = {0};

		sink_mock_get(m, &r, i);
		m->last[r.source] = r.source_sequence;
		hsa_record_free(&r);
	}
}

static void
append(struct sink_mock *m, enum hsa_source source, uint64_t source_sequence,
    const void *rec, size_t n)
{
	struct hsa_buf *more = realloc(m->record, (m->len + 1) * sizeof(*more));
	struct hsa_record r = {0};

	if (more == NULL)
		abort();
	m->record = more;
	m->record[m->len] = (struct hsa_buf){0};
	hsa_record_seal(&m->record[m->len], m->len, rec, n);
	m->len++;
	/* FORMAT V4, V5: what every reader will demand */
	sink_mock_get(m, &r, m->len - 1);
	if (r.source != source || r.source_sequence != source_sequence ||
	    source_sequence <= m->last[source]) {
		fprintf(stderr, "sink_mock: source sequence goes back\n");
		abort();
	}
	m->last[source] = source_sequence;
	hsa_record_free(&r);
}

static hsa_rc
mock_seal(void *ctx, uint64_t *sequence, enum hsa_source source,
    uint64_t source_sequence, const void *rec, size_t n)
{
	struct sink_mock *m = ctx;
	hsa_rc rc = HSA_RC(E_IO);

	(void)pthread_mutex_lock(&m->lock);
	if (m->closed)
		goto out;
	m->closed = m->fail_at != 0 && --m->fail_at == 0;
	*sequence = m->len;
	if (!m->closed || m->failure == SINK_MOCK_WRITTEN)
		append(m, source, source_sequence, rec, n);
	if (!m->closed)
		rc = HSA_OK;
out:
	(void)pthread_mutex_unlock(&m->lock);
	return rc;
}

/* ---- calls --------------------------------------------------------------- */

static hsa_rc
mock_context(void *ctx, uint32_t *handle, const void *rec, size_t n)
{
	struct sink_mock *m = ctx;
	struct hsa_record *more;
	struct hsa_context_place at = {1, 1, 1, 1};
	struct hsa_buf b = {0};

	(void)pthread_mutex_lock(&m->lock);
	more = realloc(m->context, (m->contexts + 1) * sizeof(*more));
	if (more == NULL)
		abort();
	m->context = more;
	memset(&more[m->contexts], 0, sizeof(*more));
	if (!hsa_is_ok(hsa_context_seal(&b, &at, rec, n)) ||
	    !hsa_is_ok(hsa_record_decode(&more[m->contexts], b.p, b.len))) {
		fprintf(stderr, "sink_mock: a context is bad\n");
		abort();
	}
	*handle = (uint32_t)m->contexts++;
	(void)pthread_mutex_unlock(&m->lock);
	hsa_buf_free(&b);
	return HSA_OK;
}

static void
mock_context_drop(void *ctx, uint32_t handle)
{
	struct sink_mock *m = ctx;

	(void)pthread_mutex_lock(&m->lock);
	if (handle >= m->contexts || m->context[handle].body == 0)
		abort(); /* given and not dropped before */
	hsa_record_free(&m->context[handle]);
	m->dropped++;
	(void)pthread_mutex_unlock(&m->lock);
}

static void
compact_of(struct hsa_record *r, const struct cu_sink_call *c, uint64_t number,
    uint64_t wall_less_mono)
{
	*r = (struct hsa_record){
	    .wall_ns = c->start_ns + wall_less_mono,
	    .mono_ns = c->start_ns,
	    .source = HSA_SOURCE_USE,
	    .source_sequence = number,
	    .has_command_id = (c->flags & CU_SINK_COMMAND) != 0,
	    .ep11_rc = c->ep11_rc,
	    .ep11_reason = c->ep11_reason,
	    .has_use = c->function != 0,
	    .use = {.function = c->function,
		.mechanism = c->mechanism,
		.has_key_id = (c->flags & CU_SINK_KEY) != 0,
		.bytes_in = c->bytes_in,
		.bytes_out = c->bytes_out,
		.duration_ns = c->duration_ns,
		.length_only = (c->flags & CU_SINK_LENGTH_ONLY) != 0},
	    .body = HSA_BODY_COMPACT,
	    .compact = {.context = 1, .has_correlation_id = true},
	};
	memcpy(r->command_id, c->command_id, sizeof(r->command_id));
	memcpy(r->use.key_id, c->key_id, sizeof(r->use.key_id));
	memcpy(r->compact.correlation_id, c->correlation_id, HSA_UUID_LEN);
}

static void
append_call(struct sink_mock *m, const struct cu_sink_call *c)
{
	uint64_t number = m->last[HSA_SOURCE_USE] + 1;
	struct hsa_record r = {0};
	struct hsa_buf b = {0};

	if (c->context >= m->contexts || m->context[c->context].body == 0) {
		fprintf(stderr, "sink_mock: a call names no context\n");
		abort();
	}
	compact_of(&r, c, number, m->wall_less_mono);
	if (!hsa_is_ok(hsa_contexts_expand(&r, &m->context[c->context])) ||
	    !hsa_is_ok(hsa_record_encode(&b, &r)))
		abort();
	append(m, HSA_SOURCE_USE, number, b.p, b.len);
	hsa_record_free(&r);
	hsa_buf_free(&b);
}

static hsa_rc
mock_call(void *ctx, const struct cu_sink_call *call, bool durable, int wait_ms)
{
	struct sink_mock *m = ctx;
	hsa_rc rc = HSA_OK;

	(void)wait_ms;
	(void)pthread_mutex_lock(&m->lock);
	m->durable += durable;
	if (m->closed) {
		rc = HSA_RC(E_IO);
		goto out;
	}
	m->closed = m->fail_at != 0 && --m->fail_at == 0;
	if (!m->closed || m->failure == SINK_MOCK_WRITTEN)
		append_call(m, call);
	if (m->closed)
		rc = HSA_RC(E_IO);
out:
	(void)pthread_mutex_unlock(&m->lock);
	return rc;
}

/* Calls are in the log at once. */
static hsa_rc
mock_flush(void *ctx)
{
	struct sink_mock *m = ctx;
	bool closed;

	(void)pthread_mutex_lock(&m->lock);
	closed = m->closed;
	(void)pthread_mutex_unlock(&m->lock);
	return closed ? HSA_RC(E_IO) : HSA_OK;
}

static void
mock_ring(void *ctx, struct cu_sink_ring *st)
{
	struct sink_mock *m = ctx;

	(void)pthread_mutex_lock(&m->lock);
	*st = (struct cu_sink_ring){.slots = 1024, .unrecorded = m->unrecorded};
	(void)pthread_mutex_unlock(&m->lock);
}

static uint64_t
mock_last(void *ctx, enum hsa_source source)
{
	struct sink_mock *m = ctx;
	uint64_t last;

	(void)pthread_mutex_lock(&m->lock);
	last = m->last[source];
	(void)pthread_mutex_unlock(&m->lock);
	return last;
}

static void
mock_head(void *ctx, uint64_t *size, uint8_t root[32])
{
	struct sink_mock *m = ctx;

	(void)pthread_mutex_lock(&m->lock);
	*size = m->len;
	memset(root, 0, 32);
	(void)pthread_mutex_unlock(&m->lock);
}

struct cu_sink
sink_mock_sink(struct sink_mock *m)
{
	static const struct cu_sink_ops ops = {
	    .seal = mock_seal,
	    .context = mock_context,
	    .context_drop = mock_context_drop,
	    .call = mock_call,
	    .ring = mock_ring,
	    .flush = mock_flush,
	    .last = mock_last,
	    .head = mock_head,
	};

	return (struct cu_sink){&ops, m};
}
