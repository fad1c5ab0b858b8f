#include <string.h>

#include "hsa_codec.h"
#include "hsa_compact.h"
#include "hsa_cur.h"
#include "vfy_scan.h"
#include "vfy_utf8.h"

#define NESTING_MAX 8 /* E6 */

enum kind {
	U32 = 1,
	U64,
	SINT,
	BOOLEAN,
	FIXED64,
	STRING,
	BYTES,
	MESSAGE
};

enum flag {
	MANY = 1,   /* repeated */
	CHOICE = 2, /* of the message's oneof: its default is written */
	ID = 4,     /* bytes: absent (where allowed) or exactly `len` */
	NEEDED = 8,
	NAME = 16, /* of a member: no dot */
	FULL = 32  /* there only when it has content */
};

struct message;
struct field {
	uint8_t number, kind, flags, len;
	const struct message *of;
};
struct message {
	const struct field *field;
	size_t len;
	bool choose; /* one field of the oneof must be there */
	bool nests;  /* a Data: bounded depth, names once */
};

#define FIELDS(f) .field = (f), .len = sizeof(f) / sizeof((f)[0])

static const struct message data;

static const struct field text_list_f[] = {{1, STRING, MANY, 0, NULL}};
static const struct message text_list = {FIELDS(text_list_f)};

static const struct field value_f[] = {
    {1, STRING, CHOICE, 0, NULL},
    {2, SINT, CHOICE, 0, NULL},
    {3, BOOLEAN, CHOICE, 0, NULL},
    {4, MESSAGE, CHOICE, 0, &text_list},
    {5, MESSAGE, CHOICE, 0, &data},
};
static const struct message value = {FIELDS(value_f), .choose = true};

static const struct field field_f[] = {
    {1, STRING, NEEDED | NAME, 0, NULL},
    {2, MESSAGE, NEEDED, 0, &value},
};
static const struct message field = {FIELDS(field_f)};

static const struct field data_f[] = {{1, MESSAGE, MANY, 0, &field}};
static const struct message data = {FIELDS(data_f), .nests = true};

static const struct field initiator_f[] = {
    {1, STRING, 0, 0, NULL},
    {2, STRING, 0, 0, NULL},
    {3, STRING, 0, 0, NULL},
    {4, STRING, 0, 0, NULL},
    {5, STRING, 0, 0, NULL},
    {6, STRING, 0, 0, NULL},
    {7, STRING, 0, 0, NULL},
};
static const struct message initiator = {FIELDS(initiator_f)};

static const struct field target_f[] = {
    {1, STRING, 0, 0, NULL},
    {2, STRING, 0, 0, NULL},
    {3, STRING, 0, 0, NULL},
};
static const struct message target = {FIELDS(target_f)};

static const struct field reason_f[] = {
    {1, U32, 0, 0, NULL},
    {2, STRING, 0, 0, NULL},
    {3, STRING, 0, 0, NULL},
};
static const struct message reason = {FIELDS(reason_f)};

static const struct field event_f[] = {
    {1, STRING, 0, 0, NULL},
    {2, STRING, 0, 0, NULL},
    {3, FIXED64, 0, 0, NULL},
    {4, STRING, 0, 0, NULL},
    {5, STRING, 0, 0, NULL},
    {6, BOOLEAN, 0, 0, NULL},
    {7, BOOLEAN, 0, 0, NULL},
    {8, STRING, 0, 0, NULL},
    {9, STRING, 0, 0, NULL},
    {10, BYTES, ID | NEEDED, HSA_UUID_LEN, NULL},
    {11, MESSAGE, NEEDED, 0, &initiator},
    {12, MESSAGE, NEEDED, 0, &target},
    {13, STRING, 0, 0, NULL},
    {14, MESSAGE, NEEDED, 0, &reason},
    {15, MESSAGE, 0, 0, &data},
    {16, MESSAGE, 0, 0, &data},
};
static const struct message event = {FIELDS(event_f)};

static const struct field special_f[] = {
    {1, U32, 0, 0, NULL},
    {2, U32, 0, 0, NULL},
    {3, STRING, 0, 0, NULL},
    {4, STRING, 0, 0, NULL},
    {5, MESSAGE, FULL, 0, &data},
    {6, MESSAGE, 0, 0, &initiator},
};
static const struct message special = {FIELDS(special_f)};

static const struct field use_f[] = {
    {1, U32, NEEDED, 0, NULL},
    {2, U64, 0, 0, NULL},
    {3, BYTES, ID, HSA_SHA256_LEN, NULL},
    {4, BYTES, ID, HSA_SHA256_LEN, NULL},
    {5, U64, 0, 0, NULL},
    {6, U64, 0, 0, NULL},
    {7, U64, 0, 0, NULL},
    {8, BOOLEAN, 0, 0, NULL},
};
static const struct message use = {FIELDS(use_f)};

static const struct field context_f[] = {
    {1, MESSAGE, NEEDED, 0, &event},
    {2, BYTES, ID, HSA_SHA256_LEN, NULL},
};
static const struct message context = {FIELDS(context_f)};

/* The login session of a compact record is its context's. */
static const struct field use_compact_f[] = {
    {1, U32, NEEDED, 0, NULL},
    {2, U64, 0, 0, NULL},
    {3, BYTES, ID, HSA_SHA256_LEN, NULL},
    {5, U64, 0, 0, NULL},
    {6, U64, 0, 0, NULL},
    {7, U64, 0, 0, NULL},
    {8, BOOLEAN, 0, 0, NULL},
};
static const struct message use_compact = {FIELDS(use_compact_f)};

static const struct field compact_f[] = {
    {1, U64, NEEDED, 0, NULL},
    {2, BYTES, ID, HSA_UUID_LEN, NULL},
};
static const struct message compact = {FIELDS(compact_f)};

enum {
	R_SEQUENCE,
	R_SCHEMA,
	R_UNIT,
	R_EPOCH,
	R_WALL,
	R_MONO,
	R_SOURCE,
	R_SOURCE_SEQUENCE,
	R_COMMAND_ID,
	R_CEREMONY_ID,
	R_CEREMONY_STEP,
	R_COMMAND,
	R_RC,
	R_REASON,
	R_SIGNERS,
	R_USE,
	R_EVENT,
	R_SPECIAL,
	R_CONTEXT,
	R_FIELDS
};

static const struct field record_f[] = {
    [R_SEQUENCE] = {1, FIXED64, NEEDED, 0, NULL},
    [R_SCHEMA] = {2, U32, 0, 0, NULL},
    [R_UNIT] = {3, BYTES, ID | NEEDED, HSA_UUID_LEN, NULL},
    [R_EPOCH] = {4, U64, 0, 0, NULL},
    [R_WALL] = {5, FIXED64, 0, 0, NULL},
    [R_MONO] = {6, FIXED64, 0, 0, NULL},
    [R_SOURCE] = {7, U32, 0, 0, NULL},
    [R_SOURCE_SEQUENCE] = {8, U64, 0, 0, NULL},
    [R_COMMAND_ID] = {9, BYTES, ID, HSA_UUID_LEN, NULL},
    [R_CEREMONY_ID] = {10, STRING, 0, 0, NULL},
    [R_CEREMONY_STEP] = {11, STRING, 0, 0, NULL},
    [R_COMMAND] = {12, U32, 0, 0, NULL},
    [R_RC] = {13, U32, 0, 0, NULL},
    [R_REASON] = {14, U32, 0, 0, NULL},
    [R_SIGNERS] = {15, BYTES, ID | MANY, HSA_SKI_LEN, NULL},
    [R_USE] = {16, MESSAGE, 0, 0, &use},
    [R_EVENT] = {20, MESSAGE, CHOICE, 0, &event},
    [R_SPECIAL] = {21, MESSAGE, CHOICE, 0, &special},
    [R_CONTEXT] = {22, MESSAGE, CHOICE, 0, &context},
};
static const struct message record = {FIELDS(record_f), .choose = true};

/* A compact record is another selection of fields. */
enum {
	C_SEQUENCE,
	C_SCHEMA,
	C_SOURCE = 4,
	C_SOURCE_SEQUENCE,
	C_USE = 9,
	C_COMPACT,
	C_FIELDS
};

static const struct field compact_record_f[] = {
    [C_SEQUENCE] = {1, FIXED64, NEEDED, 0, NULL},
    [C_SCHEMA] = {2, U32, 0, 0, NULL},
    {5, FIXED64, 0, 0, NULL},
    {6, FIXED64, 0, 0, NULL},
    [C_SOURCE] = {7, U32, 0, 0, NULL},
    [C_SOURCE_SEQUENCE] = {8, U64, 0, 0, NULL},
    {9, BYTES, ID, HSA_UUID_LEN, NULL},
    {13, U32, 0, 0, NULL},
    {14, U32, 0, 0, NULL},
    [C_USE] = {16, MESSAGE, 0, 0, &use_compact},
    [C_COMPACT] = {23, MESSAGE, NEEDED, 0, &compact},
};
static const struct message compact_record = {FIELDS(compact_record_f)};

struct seen { /* one per field of the message, when asked for */
	uint64_t v;
	const uint8_t *p;
	size_t n;
};

static const char *scan(const struct message *m, struct seen *seen,
    const uint8_t *p, size_t n, unsigned int depth);

/* Nearly every tag, length and number is one byte. */
static inline hsa_rc
quick_varint(struct hsa_cur *c, uint64_t *v)
{
	if (c->p < c->end && *c->p < 0x80) {
		*v = *c->p++;
		return HSA_OK;
	}
	return hsa_cur_varint(c, v);
}

static const char torn[] = "a field ends beyond its message";

static const char *
varint(uint64_t *v, const struct field *f, struct hsa_cur *c)
{
	hsa_rc rc = quick_varint(c, v);

	if (rc.v == HSA_E_TRUNCATED)
		return torn;
	if (!hsa_is_ok(rc))
		return "a number is not spelled the shortest way";
	if (f->kind == U32 && *v > UINT32_MAX)
		return "a number is beyond 32 bits";
	if (f->kind == BOOLEAN && *v > 1)
		return "a boolean is neither 0 nor 1";
	if (*v == 0 && (f->flags & CHOICE) == 0)
		return "a default value is written out";
	return NULL;
}

static const char *
fixed64(uint64_t *v, const struct field *f, struct hsa_cur *c)
{
	const uint8_t *p;
	uint64_t x = 0;

	if (!hsa_is_ok(hsa_cur_bytes(c, &p, 8)))
		return torn;
	for (unsigned int i = 8; i-- > 0;)
		x = x << 8 | p[i];
	if (x == 0 && (f->flags & NEEDED) == 0)
		return "a default value is written out";
	*v = x;
	return NULL;
}

static const char *
bytes(struct seen *s, const struct field *f, struct hsa_cur *c,
    unsigned int depth)
{
	uint64_t n;
	hsa_rc rc = quick_varint(c, &n);

	if (rc.v == HSA_E_FORMAT)
		return "a length is not spelled the shortest way";
	if (!hsa_is_ok(rc) || n > hsa_cur_left(c) ||
	    !hsa_is_ok(hsa_cur_bytes(c, &s->p, (size_t)n)))
		return torn;
	s->n = (size_t)n;
	if ((f->flags & FULL) != 0 && n == 0)
		return "details without a member are written out";
	if (f->kind == MESSAGE)
		return scan(f->of, NULL, s->p, s->n, depth);
	if (n == 0 && (f->flags & (MANY | CHOICE)) == 0)
		return "a default value is written out";
	if ((f->flags & ID) != 0 && n != f->len)
		return "an identifier has a wrong length";
	if (f->kind == STRING && !vfy_utf8(s->p, s->n))
		return "a text is not UTF-8, or holds a NUL";
	if ((f->flags & NAME) != 0 && memchr(s->p, '.', s->n) != NULL)
		return "the name of a member holds a dot";
	return NULL;
}

static const char *
content(struct seen *s, const struct field *f, unsigned int wire,
    struct hsa_cur *c, unsigned int depth)
{
	static const char wrong[] = "a field has a wrong wire type";

	switch (f->kind) {
	case FIXED64:
		return wire != 1 ? wrong : fixed64(&s->v, f, c);
	case STRING:
	case BYTES:
	case MESSAGE:
		return wire != 2 ? wrong : bytes(s, f, c, depth);
	default:
		return wire != 0 ? wrong : varint(&s->v, f, c);
	}
}

/* Steps over one field of a Data that was scanned already. */
static void
member_name(const uint8_t **name, uint64_t *n, struct hsa_cur *c)
{
	const uint8_t *p = c->p;
	struct hsa_cur in;
	uint64_t len = 0;

	c->p += 1; /* key */
	if (hsa_is_ok(hsa_cur_varint(c, &len)) &&
	    hsa_is_ok(hsa_cur_bytes(c, &p, (size_t)len)))
		in = hsa_cur_of(p + 1, (size_t)len - 1);
	else
		in = hsa_cur_of(NULL, 0);
	*n = 0;
	if (hsa_is_ok(hsa_cur_varint(&in, n)))
		*name = in.p;
}

/* Does the last of the fields in p have the name of one before? */
static bool
named_twice(const uint8_t *p, const uint8_t *last, const uint8_t *end)
{
	struct hsa_cur c = hsa_cur_of(last, (size_t)(end - last));
	const uint8_t *name = last, *other = last;
	uint64_t n, m;

	member_name(&name, &n, &c);
	for (c = hsa_cur_of(p, (size_t)(last - p)); hsa_cur_left(&c) != 0;) {
		member_name(&other, &m, &c);
		if (m == n && memcmp(name, other, (size_t)n) == 0)
			return true;
	}
	return false;
}

/* Fields come in the table's order; what is passed over must not be needed. */
static const char *
scan(const struct message *m, struct seen *seen, const uint8_t *p, size_t n,
    unsigned int depth)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	bool chosen = false, again = false;
	const struct field *f;
	struct seen s;
	const char *why;
	uint64_t tag;
	size_t at = 0;

	if (m->nests && depth++ >= NESTING_MAX)
		return "requestData or responseData nests too deep";
	while (hsa_cur_left(&c) != 0) {
		const uint8_t *start = c.p;
		hsa_rc rc = quick_varint(&c, &tag);

		if (rc.v == HSA_E_TRUNCATED)
			return torn;
		if (!hsa_is_ok(rc))
			return "a tag is not spelled the shortest way";
		for (; at < m->len && m->field[at].number < tag >> 3;
		     at++, again = false)
			if ((m->field[at].flags & NEEDED) != 0 && !again)
				return "a needed field is missing";
		if (at == m->len || m->field[at].number != tag >> 3)
			return "a field is unknown or out of order";
		f = &m->field[at];
		if (again && (f->flags & MANY) == 0)
			return "a field is there twice";
		if ((f->flags & CHOICE) != 0 && chosen)
			return "there is more than one body or value";
		again = true;
		chosen = chosen || (f->flags & CHOICE) != 0;
		s = (struct seen){0};
		why = content(&s, f, (unsigned int)(tag & 7), &c, depth);
		if (why != NULL)
			return why;
		if (m->nests && named_twice(p, start, c.p))
			return "two members have the same name";
		if (seen != NULL)
			seen[at] = s;
	}
	for (; at < m->len; at++, again = false)
		if ((m->field[at].flags & NEEDED) != 0 && !again)
			return "a needed field is missing";
	if (m->choose && !chosen)
		return "there is no body or value";
	return NULL;
}

/* Those of a context that E6 wants absent. */
static const char *
context_fits(const struct seen *s)
{
	static const char text[] = "a context has what only its calls have";
	struct seen in[sizeof(context_f) / sizeof(context_f[0])] = {{0}};
	struct seen ev[sizeof(event_f) / sizeof(event_f[0])] = {{0}};

	if (s[R_COMMAND_ID].p != NULL || s[R_COMMAND].v != 0 ||
	    s[R_RC].v != 0 || s[R_REASON].v != 0 || s[R_SIGNERS].p != NULL)
		return text;
	if (scan(&context, in, s[R_CONTEXT].p, s[R_CONTEXT].n, 0) != NULL ||
	    scan(&event, ev, in[0].p, in[0].n, 0) != NULL || ev[2].v != 0 ||
	    ev[8].p != NULL)
		return text;
	return NULL;
}

static const char *
body_fits(const struct seen *s)
{
	uint64_t source = s[R_SOURCE].v;

	if (source == 0 || source > HSA_SOURCES)
		return "its source is unknown";
	if (s[R_EVENT].p == NULL && s[R_USE].p != NULL)
		return "a call is described without an event";
	if (s[R_EVENT].p == NULL && source == HSA_SOURCE_USE)
		return "a source of calls has a record that is no event";
	if (s[R_EVENT].p != NULL && source == HSA_SOURCE_SEALER)
		return "an event is the log's own";
	if (s[R_CONTEXT].p == NULL)
		return NULL;
	if (source != HSA_SOURCE_SEALER)
		return "a context is not the log's own";
	return context_fits(s);
}

static const char *
full(struct vfy_seen *to, const void *p, size_t n)
{
	struct seen s[R_FIELDS] = {{0}};
	const char *why = scan(&record, s, p, n, 0);

	if (why == NULL && s[R_SCHEMA].v != 1)
		why = "its schema is not 1";
	if (why == NULL)
		why = body_fits(s);
	if (why == NULL && s[R_CONTEXT].p != NULL && n > HSA_CONTEXT_MAX)
		why = "a context longer than 4,096 bytes";
	if (why != NULL)
		return why;
	*to = (struct vfy_seen){
	    .sequence = s[R_SEQUENCE].v,
	    .epoch = s[R_EPOCH].v,
	    .source = (enum hsa_source)s[R_SOURCE].v,
	    .source_sequence = s[R_SOURCE_SEQUENCE].v,
	    .unit_id = s[R_UNIT].p,
	    .use = s[R_USE].p != NULL,
	    .body = s[R_EVENT].p != NULL     ? HSA_BODY_EVENT
		    : s[R_SPECIAL].p != NULL ? HSA_BODY_SPECIAL
					     : HSA_BODY_CONTEXT,
	};
	if (to->body == HSA_BODY_SPECIAL) {
		to->special = s[R_SPECIAL].p;
		to->special_len = s[R_SPECIAL].n;
	}
	return NULL;
}

static const char *
short_form(struct vfy_seen *to, const void *p, size_t n)
{
	struct seen s[C_FIELDS] = {{0}}, in[2] = {{0}};
	const char *why = scan(&compact_record, s, p, n, 0);

	if (why == NULL && s[C_SCHEMA].v != 1)
		why = "its schema is not 1";
	if (why == NULL && s[C_SOURCE].v != HSA_SOURCE_USE)
		why = "a compact record is not of the source of calls";
	if (why == NULL)
		why = scan(&compact, in, s[C_COMPACT].p, s[C_COMPACT].n, 0);
	if (why != NULL)
		return why;
	*to = (struct vfy_seen){
	    .sequence = s[C_SEQUENCE].v,
	    .source = HSA_SOURCE_USE,
	    .source_sequence = s[C_SOURCE_SEQUENCE].v,
	    .use = s[C_USE].p != NULL,
	    .body = HSA_BODY_COMPACT,
	    .context = in[0].v,
	};
	return NULL;
}

/* All but compact records have a unit id, behind sequence and schema. */
static bool
has_unit(const uint8_t *p, size_t n)
{
	size_t at = n > 9 && p[9] == 0x10 ? 11 : 9;

	return n > at && p[at] == 0x1a;
}

hsa_rc
vfy_scan_record(struct vfy_seen *to, const char **why, const void *p, size_t n)
{
	const uint8_t *b = p;

	if (n > HSA_RECORD_MAX) {
		*why = "longer than 65,536 bytes";
		return HSA_RC(E_RANGE);
	}
	if (n < 9 || b[0] != 9) {
		*why = "does not start with its sequence";
		return HSA_RC(E_FORMAT);
	}
	*why = has_unit(b, n) ? full(to, p, n) : short_form(to, p, n);
	return *why == NULL ? HSA_OK : HSA_RC(E_FORMAT);
}

static bool
named(const struct vfy_seen *r, const char *name)
{
	struct seen s[sizeof(special_f) / sizeof(special_f[0])] = {{0}};
	size_t n = strlen(name);

	if (r->special == NULL ||
	    scan(&special, s, r->special, r->special_len, 0) != NULL)
		return false;
	return s[2].n == n && memcmp(s[2].p, name, n) == 0;
}

bool
vfy_scan_unit_start(const struct vfy_seen *r)
{
	return named(r, "UNIT_START");
}

bool
vfy_scan_segment_opened(const struct vfy_seen *r)
{
	return named(r, "SEGMENT_OPENED");
}

bool
vfy_scan_new_chain(const struct vfy_seen *r)
{
	return named(r, "NEW_CHAIN");
}
