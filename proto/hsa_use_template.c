#include <string.h>

#include "hsa_codec.h"
#include "hsa_cur.h"
#include "hsa_use_template.h"
#include "hsa_utf8.h"

/* Keys of the fields that change: number << 3 | wire type (audit.proto). */
enum {
	RECORD_WALL = 0x29,
	RECORD_MONO = 0x31,
	RECORD_SEQUENCE = 0x40,
	RECORD_COMMAND_ID = 0x4a,
	RECORD_RC = 0x68,
	RECORD_REASON = 0x70,
	RECORD_USE = 0x82, /* then 01 */
	RECORD_EVENT = 0xa2,
	EVENT_TIME = 0x19,
	EVENT_CORRELATION = 0x4a,
	EVENT_ID = 0x52,
	EVENT_REASON = 0x72,
	REASON_FAILURE = 0x1a,
	USE_FUNCTION = 0x08,
	USE_MECHANISM = 0x10,
	USE_KEY_ID = 0x1a,
	USE_SESSION = 0x22,
	USE_BYTES_IN = 0x28,
	USE_BYTES_OUT = 0x30,
	USE_DURATION = 0x38,
	USE_LENGTH_ONLY = 0x40
};

#define SECOND 0x01     /* second byte of the keys of fields 16 to 31 */
#define SEQUENCE_LEN 9u /* what the sealer puts in front (E2) */
/* All that is filled in but the reason for failure, no more than: five numbers
 * of the record, command id, use, lengths of event and reason, event time, two
 * ids. */
#define FILL_MAX ((size_t)320)

/* ---- making -------------------------------------------------------------- */

/* Copies fields into a piece up to one of that number or above, and steps over
 * those below `next`: the fields that change. */
struct cutter {
	struct hsa_use_template *t;
	struct hsa_cur at;
	enum hsa_use_piece piece;
};

static hsa_rc
field(struct hsa_cur *c, uint64_t *number, struct hsa_slice *content)
{
	uint64_t key = 0, v = 0;
	const uint8_t *p = NULL;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_varint(c, &key));
	*content = (struct hsa_slice){0};
	if ((key & 7) == 0)
		HSA_TRY(rc, hsa_cur_varint(c, &v));
	if ((key & 7) == 1)
		HSA_TRY(rc, hsa_cur_bytes(c, &p, 8));
	if ((key & 7) == 2) {
		HSA_TRY(rc, hsa_cur_varint(c, &v));
		HSA_TRY(rc, hsa_cur_bytes(c, &content->p, (size_t)v));
		content->n = (size_t)v;
	}
	*number = key >> 3;
out:
	return rc;
}

static hsa_rc
cut(struct cutter *c, uint64_t from, uint64_t next, struct hsa_slice *last)
{
	struct hsa_use_template *t = c->t;
	struct hsa_slice content;
	uint64_t number = 0;
	hsa_rc rc = HSA_OK;

	while (hsa_cur_left(&c->at) != 0) {
		struct hsa_cur after = c->at;

		HSA_TRY(rc, field(&after, &number, &content));
		if (number >= next)
			break;
		if (number < from)
			hsa_buf_put(
			    &t->bytes, c->at.p, (size_t)(after.p - c->at.p));
		else if (last != NULL)
			*last = content;
		c->at = after;
	}
	t->end[c->piece++] = t->bytes.len;
out:
	return rc;
}

hsa_rc
hsa_use_template_init(
    struct hsa_use_template *t, const struct hsa_record *sample)
{
	struct hsa_use_template new = {0};
	struct cutter top = {.t = &new};
	struct cutter in = {.t = &new, .piece = HSA_USE_EVENT_TIME};
	struct hsa_slice event = {0}, reason = {0};
	struct hsa_buf b = {0};
	hsa_rc rc;

	if (sample->body != HSA_BODY_EVENT)
		return HSA_RC(E_ARG);
	HSA_TRY(rc, hsa_record_encode(&b, sample));
	top.at = hsa_cur_of(b.p, b.len);
	HSA_TRY(rc, cut(&top, 5, 7, NULL));
	HSA_TRY(rc, cut(&top, 8, 9, NULL));
	HSA_TRY(rc, cut(&top, 9, 10, NULL));
	HSA_TRY(rc, cut(&top, 13, 15, NULL));
	HSA_TRY(rc, cut(&top, 16, 21, &event));
	in.at = hsa_cur_of(event.p, event.n);
	HSA_TRY(rc, cut(&in, 3, 4, NULL));
	HSA_TRY(rc, cut(&in, 9, 11, NULL));
	HSA_TRY(rc, cut(&in, 14, 15, &reason));
	top.at = hsa_cur_of(reason.p, reason.n);
	top.piece = in.piece;
	HSA_TRY(rc, cut(&top, 3, 4, NULL));
	in.piece = top.piece;
	HSA_TRY(rc, cut(&in, UINT64_MAX, UINT64_MAX, NULL));
	HSA_TRY(rc, hsa_buf_rc(&new.bytes));
	new.has_failure = sample->event.reason_failure != NULL &&
			  sample->event.reason_failure[0] != '\0';
	new.has_correlation = sample->event.correlation_id != NULL &&
			      sample->event.correlation_id[0] != '\0';
	*t = new;
	new = (struct hsa_use_template){0};
out:
	hsa_use_template_free(&new);
	hsa_buf_free(&b);
	return rc;
}

void
hsa_use_template_free(struct hsa_use_template *t)
{
	if (t == NULL)
		return;
	hsa_buf_free(&t->bytes);
	*t = (struct hsa_use_template){0};
}

/* ---- filling in ---------------------------------------------------------- */

/* The writers below append at p, where there is room, and return what is
 * behind. Defaults are left out (E1). */

static uint8_t *
varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static size_t
varint_len(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

static uint8_t *
number(uint8_t *p, uint8_t key, uint64_t v)
{
	if (v == 0)
		return p;
	*p++ = key;
	return varint(p, v);
}

static uint8_t *
fixed64(uint8_t *p, uint8_t key, uint64_t v)
{
	if (v == 0)
		return p;
	*p++ = key;
	for (unsigned int i = 0; i < 8; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static uint8_t *
bytes(uint8_t *p, uint8_t key, const void *from, size_t n)
{
	*p++ = key;
	p = varint(p, n);
	memcpy(p, from, n);
	return p + n;
}

static size_t
piece_len(const struct hsa_use_template *t, enum hsa_use_piece i)
{
	return t->end[i] - (i == 0 ? 0 : t->end[i - 1]);
}

static uint8_t *
piece(uint8_t *p, const struct hsa_use_template *t, enum hsa_use_piece i)
{
	size_t n = piece_len(t, i);

	if (n == 0)
		return p;
	memcpy(p, t->bytes.p + t->end[i] - n, n);
	return p + n;
}

static uint8_t *
put_use(uint8_t *p, const struct hsa_use *u)
{
	uint8_t in[128], *end = in;

	end = number(end, USE_FUNCTION, u->function);
	end = number(end, USE_MECHANISM, u->mechanism);
	if (u->has_key_id)
		end = bytes(end, USE_KEY_ID, u->key_id, sizeof(u->key_id));
	if (u->has_session)
		end = bytes(end, USE_SESSION, u->session, sizeof(u->session));
	end = number(end, USE_BYTES_IN, u->bytes_in);
	end = number(end, USE_BYTES_OUT, u->bytes_out);
	end = number(end, USE_DURATION, u->duration_ns);
	end = number(end, USE_LENGTH_ONLY, u->length_only);
	*p++ = RECORD_USE;
	*p++ = SECOND;
	p = varint(p, (size_t)(end - in));
	memcpy(p, in, (size_t)(end - in));
	return p + (end - in);
}

static size_t
sized_len(size_t n)
{
	return 1 + varint_len(n) + n;
}

/* Everything, from a text that is UTF-8. */
static uint8_t *
put_all(uint8_t *p, const struct hsa_use_template *t,
    const struct hsa_use_fill *f, const char *text, size_t n)
{
	size_t reason = piece_len(t, HSA_USE_FAILURE);
	size_t event = 0;
	char uuid[HSA_UUID_TEXT];

	if (n != 0)
		reason += sized_len(n);
	for (int i = HSA_USE_EVENT_TIME; i <= HSA_USE_END; i++)
		if (i != HSA_USE_FAILURE)
			event += piece_len(t, (enum hsa_use_piece)i);
	event += (f->event_time_ns != 0 ? 9 : 0) + sized_len(HSA_UUID_LEN) +
		 sized_len(reason);
	if (t->has_correlation)
		event += sized_len(HSA_UUID_TEXT - 1);

	p = piece(p, t, HSA_USE_TIMES);
	p = fixed64(p, RECORD_WALL, f->wall_ns);
	p = fixed64(p, RECORD_MONO, f->mono_ns);
	p = piece(p, t, HSA_USE_SEQUENCE);
	p = number(p, RECORD_SEQUENCE, f->source_sequence);
	p = piece(p, t, HSA_USE_COMMAND_ID);
	if (f->has_command_id)
		p = bytes(p, RECORD_COMMAND_ID, f->command_id, HSA_UUID_LEN);
	p = piece(p, t, HSA_USE_CODES);
	p = number(p, RECORD_RC, f->ep11_rc);
	p = number(p, RECORD_REASON, f->ep11_reason);
	p = piece(p, t, HSA_USE_USE);
	if (f->use != NULL)
		p = put_use(p, f->use);
	*p++ = RECORD_EVENT;
	*p++ = SECOND;
	p = varint(p, event);
	p = piece(p, t, HSA_USE_EVENT_TIME);
	p = fixed64(p, EVENT_TIME, f->event_time_ns);
	p = piece(p, t, HSA_USE_CORRELATION);
	if (t->has_correlation) {
		hsa_uuid_text(uuid, f->correlation_id);
		p = bytes(p, EVENT_CORRELATION, uuid, HSA_UUID_TEXT - 1);
	}
	p = bytes(p, EVENT_ID, f->event_id, HSA_UUID_LEN);
	p = piece(p, t, HSA_USE_REASON);
	*p++ = EVENT_REASON;
	p = varint(p, reason);
	p = piece(p, t, HSA_USE_FAILURE);
	if (n != 0)
		p = bytes(p, REASON_FAILURE, text, n);
	return piece(p, t, HSA_USE_END);
}

hsa_rc
hsa_use_template_put(struct hsa_buf *b, const struct hsa_use_template *t,
    const struct hsa_use_fill *f)
{
	const char *text = f->reason_failure == NULL ? "" : f->reason_failure;
	size_t n = strlen(text), before = b->len;
	struct hsa_buf cleaned = {0};
	uint8_t *to, *end;
	hsa_rc rc = HSA_OK;

	if ((n != 0) != t->has_failure ||
	    (f->use != NULL && f->use->function == 0))
		return HSA_RC(E_ARG);
	if (!hsa_utf8_valid(text, n)) {
		hsa_utf8_clean(&cleaned, text, n);
		HSA_TRY(rc, hsa_buf_rc(&cleaned));
		text = (const char *)cleaned.p;
		n = cleaned.len;
	}
	if (n > HSA_RECORD_MAX) {
		rc = HSA_RC(E_RANGE);
		goto out;
	}
	to = hsa_buf_reserve(b, t->bytes.len + FILL_MAX + n);
	if (to == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	end = put_all(to, t, f, text, n);
	b->len += (size_t)(end - to);
	if (b->len - before > HSA_RECORD_MAX - SEQUENCE_LEN) {
		b->len = before;
		rc = HSA_RC(E_RANGE);
	}
out:
	hsa_buf_free(&cleaned);
	return rc;
}
