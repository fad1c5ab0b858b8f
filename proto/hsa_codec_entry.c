#include <string.h>

#include "audit.pb-c.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_codec_wire.h"

/*
 * Entries that hold a record or a checkpoint are one key, one length and the
 * bytes, and recovery reads millions: by hand. Headers are rare and go
 * through the schema.
 */
#define KEY_HEADER 0x0a
#define KEY_RECORD 0x12
#define KEY_CHECKPOINT 0x1a
#define VERSION 1u

/* Key and length around the longest record; a header is shorter (64 hashes,
 * an origin, a few bytes). */
#define ENTRY_MAX (HSA_RECORD_MAX + 4u)

static size_t
varint_len(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

static void
bytes_entry(struct hsa_buf *b, uint8_t key, const void *p, size_t n)
{
	hsa_buf_varint(b, 1 + varint_len(n) + n);
	hsa_buf_u8(b, key);
	hsa_buf_varint(b, n);
	hsa_buf_put(b, p, n);
}

void
hsa_entry_encode_record(struct hsa_buf *b, const void *p, size_t n)
{
	bytes_entry(b, KEY_RECORD, p, n);
}

void
hsa_entry_encode_checkpoint(struct hsa_buf *b, const void *p, size_t n)
{
	bytes_entry(b, KEY_CHECKPOINT, p, n);
}

hsa_rc
hsa_entry_encode_header(struct hsa_buf *b, const char *origin, uint64_t first,
    const uint8_t (*frontier)[32], size_t n,
    const uint64_t last[HSA_SOURCES + 1])
{
	struct hsa_pool pool = {0};
	Hsa__V1__SegmentHeader header;
	Hsa__V1__Entry m;
	hsa_rc rc;

	hsa__v1__entry__init(&m);
	hsa__v1__segment_header__init(&header);
	if (n > HSA_FRONTIER_MAX ||
	    strlen(origin) >= sizeof(((struct hsa_entry *)NULL)->origin)) {
		rc = HSA_RC(E_RANGE);
		goto out;
	}
	m.kind_case = HSA__V1__ENTRY__KIND_HEADER;
	m.header = &header;
	header.version = VERSION;
	header.origin = hsa_pool_text(&pool, origin);
	header.first_sequence = first;
	header.n_frontier = n;
	header.frontier = hsa_pool_get(&pool, n * sizeof(*header.frontier));
	for (size_t i = 0; header.frontier != NULL && i < n; i++)
		header.frontier[i] =
		    hsa_wire_bytes(frontier[i], HSA_SHA256_LEN);
	if (last != NULL) {
		header.outbox_last = last[HSA_SOURCE_OUTBOX];
		header.use_last = last[HSA_SOURCE_USE];
		header.sealer_last = last[HSA_SOURCE_SEALER];
	}
	rc = hsa_wire_pack(b, &pool, &m.base, ENTRY_MAX, true);
out:
	hsa_pool_free(&pool);
	return rc;
}

static hsa_rc
header_get(struct hsa_entry *e, const Hsa__V1__SegmentHeader *m)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_version(m->version));
	if (m->n_frontier > HSA_FRONTIER_MAX)
		return HSA_RC(E_RANGE);
	if (m->origin[0] == '\0')
		return HSA_RC(E_FORMAT);
	e->first_sequence = m->first_sequence;
	HSA_TRY(rc, hsa_wire_chars(e->origin, sizeof(e->origin), m->origin));
	for (; e->frontier_len < m->n_frontier; e->frontier_len++)
		HSA_TRY(rc, hsa_wire_fixed(e->frontier[e->frontier_len],
				HSA_SHA256_LEN, &m->frontier[e->frontier_len]));
	e->source_last[HSA_SOURCE_OUTBOX] = m->outbox_last;
	e->source_last[HSA_SOURCE_USE] = m->use_last;
	e->source_last[HSA_SOURCE_SEALER] = m->sealer_last;
out:
	return rc;
}

static hsa_rc
header(struct hsa_entry *e, const struct hsa_cur *body)
{
	struct hsa_pool pool = {0};
	void *v = NULL;
	hsa_rc rc;

	/* a header has no pointers into the input */
	*e = (struct hsa_entry){.kind = HSA_ENTRY_HEADER};
	HSA_TRY(rc, hsa_wire_unpack(&v, &pool, &hsa__v1__entry__descriptor, 0,
			body->p, hsa_cur_left(body)));
	rc = header_get(e, ((const Hsa__V1__Entry *)v)->header);
out:
	hsa_pool_free(&pool);
	return rc;
}

hsa_rc
hsa_entry_decode(struct hsa_entry *e, size_t *used, const void *p, size_t n)
{
	const hsa_rc bad = HSA_RC(E_FORMAT);
	struct hsa_cur body = {0};
	uint64_t len = 0;
	size_t took = 0;
	uint8_t key = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_delimited(&body, &took, p, n, ENTRY_MAX));
	if (hsa_cur_left(&body) == 0)
		return bad;
	key = body.p[0];
	if (key == KEY_HEADER) {
		HSA_TRY(rc, header(e, &body));
		*used = took;
		return rc;
	}
	body.p++;
	if ((key != KEY_RECORD && key != KEY_CHECKPOINT) ||
	    !hsa_is_ok(hsa_cur_varint(&body, &len)) ||
	    len != hsa_cur_left(&body) || len == 0)
		return bad;
	if (len > (key == KEY_RECORD ? HSA_RECORD_MAX : HSA_NOTE_MAX))
		return HSA_RC(E_RANGE);
	/* the frontier's 2 KiB stay as they are: this is the hot path */
	e->kind = key == KEY_RECORD ? HSA_ENTRY_RECORD : HSA_ENTRY_CHECKPOINT;
	e->p = body.p;
	e->n = (size_t)len;
	*used = took;
out:
	return rc;
}
