#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_compact.h"
#include "hsa_cur.h"

/* Keys: number << 3 | wire type (audit.proto). */
enum {
	RECORD_SEQUENCE = 0x09,
	RECORD_SCHEMA = 0x10,
	RECORD_UNIT = 0x1a,
	RECORD_EPOCH = 0x20,
	RECORD_WALL = 0x29,
	RECORD_MONO = 0x31,
	RECORD_SOURCE = 0x38,
	RECORD_SOURCE_SEQUENCE = 0x40,
	RECORD_COMMAND_ID = 0x4a,
	RECORD_RC = 0x68,
	RECORD_REASON = 0x70,
	RECORD_USE = 0x82,     /* then 01 */
	RECORD_COMPACT = 0xba, /* then 01 */
	USE_FUNCTION = 0x08,
	USE_MECHANISM = 0x10,
	USE_KEY_ID = 0x1a,
	USE_BYTES_IN = 0x28,
	USE_BYTES_OUT = 0x30,
	USE_DURATION = 0x38,
	USE_LENGTH_ONLY = 0x40,
	COMPACT_CONTEXT = 0x08,
	COMPACT_CORRELATION = 0x12
};
#define SECOND 0x01 /* second byte of the keys of fields 16 to 31 */
#define SCHEMA 1

/* The writers append at p, where there is room, and return what is behind.
 * Defaults are left out (E1). */

static inline uint8_t *
varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static inline uint8_t *
number(uint8_t *p, uint8_t key, uint64_t v)
{
	if (v == 0)
		return p;
	*p++ = key;
	return varint(p, v);
}

static inline uint8_t *
le64(uint8_t *p, uint8_t key, uint64_t v)
{
	*p++ = key;
	for (unsigned int i = 0; i < 8; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static inline uint8_t *
time_of(uint8_t *p, uint8_t key, uint64_t v)
{
	return v == 0 ? p : le64(p, key, v);
}

static inline uint8_t *
id_of(uint8_t *p, uint8_t key, const void *from, uint8_t n)
{
	*p++ = key;
	*p++ = n;
	memcpy(p, from, n);
	return p + n;
}

/* A message of at most 127 bytes: its length is one byte. */
static inline uint8_t *
use_of(uint8_t *p, const struct hsa_use *u)
{
	uint8_t *start = p + 3, *end = start;

	p[0] = RECORD_USE;
	p[1] = SECOND;
	end = number(end, USE_FUNCTION, u->function);
	end = number(end, USE_MECHANISM, u->mechanism);
	if (u->has_key_id)
		end = id_of(end, USE_KEY_ID, u->key_id, HSA_SHA256_LEN);
	end = number(end, USE_BYTES_IN, u->bytes_in);
	end = number(end, USE_BYTES_OUT, u->bytes_out);
	end = number(end, USE_DURATION, u->duration_ns);
	end = number(end, USE_LENGTH_ONLY, u->length_only);
	p[2] = (uint8_t)(end - start);
	return end;
}

static inline uint8_t *
compact_of(uint8_t *p, const struct hsa_compact *c)
{
	uint8_t *start = p + 3, *end = start;

	p[0] = RECORD_COMPACT;
	p[1] = SECOND;
	end = number(end, COMPACT_CONTEXT, c->context);
	if (c->has_correlation_id)
		end = id_of(
		    end, COMPACT_CORRELATION, c->correlation_id, HSA_UUID_LEN);
	p[2] = (uint8_t)(end - start);
	return end;
}

size_t
hsa_compact_put(uint8_t to[HSA_COMPACT_MAX], const struct hsa_compact_record *c)
{
	uint8_t *p = le64(to, RECORD_SEQUENCE, c->sequence);

	*p++ = RECORD_SCHEMA;
	*p++ = SCHEMA;
	p = time_of(p, RECORD_WALL, c->wall_ns);
	p = time_of(p, RECORD_MONO, c->mono_ns);
	*p++ = RECORD_SOURCE;
	*p++ = HSA_SOURCE_USE;
	p = number(p, RECORD_SOURCE_SEQUENCE, c->source_sequence);
	if (c->has_command_id)
		p = id_of(p, RECORD_COMMAND_ID, c->command_id, HSA_UUID_LEN);
	p = number(p, RECORD_RC, c->ep11_rc);
	p = number(p, RECORD_REASON, c->ep11_reason);
	if (c->has_use)
		p = use_of(p, &c->use);
	p = compact_of(p, &c->compact);
	return (size_t)(p - to);
}

/* ---- contexts ------------------------------------------------------------ */

/* The fields before the times: schema, unit, epoch. */
static hsa_rc
skip_head(struct hsa_cur *c)
{
	const uint8_t *p = NULL;
	uint64_t v = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_bytes(c, &p, 2));
	if (p[0] != RECORD_SCHEMA || p[1] != SCHEMA)
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, hsa_cur_bytes(c, &p, 2 + HSA_UUID_LEN));
	if (p[0] != RECORD_UNIT || p[1] != HSA_UUID_LEN)
		return HSA_RC(E_FORMAT);
	if (hsa_cur_left(c) != 0 && *c->p == RECORD_EPOCH) {
		HSA_TRY(rc, hsa_cur_bytes(c, &p, 1));
		HSA_TRY(rc, hsa_cur_varint(c, &v));
	}
out:
	return rc;
}

hsa_rc
hsa_context_seal(struct hsa_buf *b, const struct hsa_context_place *at,
    const void *rec, size_t n)
{
	uint8_t head[9], between[32], *p = between;
	struct hsa_cur c = hsa_cur_of(rec, n);
	const uint8_t *start = c.p, *times = NULL;
	hsa_rc rc;

	HSA_TRY(rc, skip_head(&c));
	times = c.p;
	HSA_TRY(rc, hsa_cur_bytes(&c, &start, 2));
	if (start[0] != RECORD_SOURCE || start[1] != HSA_SOURCE_SEALER ||
	    hsa_cur_left(&c) == 0 || *c.p == RECORD_SOURCE_SEQUENCE)
		return HSA_RC(E_FORMAT);
	p = time_of(p, RECORD_WALL, at->wall_ns);
	p = time_of(p, RECORD_MONO, at->mono_ns);
	*p++ = RECORD_SOURCE;
	*p++ = HSA_SOURCE_SEALER;
	p = number(p, RECORD_SOURCE_SEQUENCE, at->source_sequence);
	if (n - 2 + sizeof(head) + (size_t)(p - between) > HSA_CONTEXT_MAX)
		return HSA_RC(E_RANGE);
	(void)le64(head, RECORD_SEQUENCE, at->sequence);
	hsa_buf_put(b, head, sizeof(head));
	hsa_buf_put(b, rec, (size_t)(times - (const uint8_t *)rec));
	hsa_buf_put(b, between, (size_t)(p - between));
	hsa_buf_put(b, c.p, hsa_cur_left(&c));
	rc = hsa_buf_rc(b);
out:
	return rc.v == HSA_E_TRUNCATED ? HSA_RC(E_FORMAT) : rc;
}

void
hsa_compact_event_id(uint8_t id[HSA_UUID_LEN], const uint8_t base[HSA_UUID_LEN],
    uint64_t source_sequence)
{
	uint64_t x = source_sequence & (UINT64_MAX >> 2);

	memcpy(id, base, HSA_UUID_LEN);
	for (unsigned int i = 0; i < 8; i++)
		id[8 + i] ^= (uint8_t)(x >> (8 * (7 - i)));
}
