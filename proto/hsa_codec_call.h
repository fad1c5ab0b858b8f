/*
 * hsa_codec_call.h - the messages of ep11.proto and struct hsa_call: which
 * field fills which member, and the conversions that the rows name. Private
 * to hsa_codec*.c.
 *
 * Generated descriptors say what may stand where (hsa_wire_next); generated
 * structs are not used here, as they would copy every byte of data.
 */
#ifndef HSA_CODEC_CALL_H
#define HSA_CODEC_CALL_H
#include "hsa_call.h"
#include "hsa_codec_wire.h"

/* How a field and a member of struct hsa_call convert. */
enum hsa_how {
	HSA_HOW_NONE = 0,
	/* requests */
	HSA_HOW_DATA,   /* bytes, a slice of at most HSA_CALL_DATA_MAX */
	HSA_HOW_BYTES,  /* bytes, a slice of at most HSA_BLOB_MAX */
	HSA_HOW_SECRET, /* the same, into pin: the envelope then has no pin */
	HSA_HOW_KEY,    /* KeyBlob with one blob, a slice; none: empty */
	HSA_HOW_EITHER, /* bytes, or the KeyBlob of the next column */
	HSA_HOW_OR_KEY,
	HSA_HOW_MECH,     /* Mechanism, always there */
	HSA_HOW_NUMBER,   /* uint64 */
	HSA_HOW_TEMPLATE, /* map of AttributeValue; attr, attr2 */
	HSA_HOW_ROOM,     /* map of bytes; attr, not typed */
	HSA_HOW_ASKED,    /* map of AttributeValue; attr, typed */
	/* replies */
	HSA_HOW_BUF,       /* bytes, a buffer */
	HSA_HOW_BUF_KEY,   /* KeyBlob, the same buffer once more */
	HSA_HOW_MECHS,     /* packed uint64, out: native numbers */
	HSA_HOW_MECH_INFO, /* MechanismInfo, out: three native numbers */
	HSA_HOW_GOT,       /* map of bytes; got, not typed */
	HSA_HOW_GOT_TYPED, /* map of AttributeValue; got, typed */
	HSA_HOW_LENGTHS    /* of got, when some have no value */
};

struct hsa_col {
	uint16_t field;
	uint16_t how;
	size_t at; /* offset of the member */
};

#define HSA_COLS 6 /* at least one more than any row has: zeros end it */

struct hsa_fn_row {
	const ProtobufCMessageDescriptor *request, *reply;
	struct hsa_col in[HSA_COLS], out[HSA_COLS];
};

/* hsa_codec_row(fn) - NULL: no function. */
const struct hsa_fn_row *hsa_codec_row(enum hsa_fn fn);

/* ---- what a decoded call holds ------------------------------------------- */

/* Which member of AttributeValue a value came as, so that it goes back so. */
enum hsa_form {
	HSA_FORM_BYTES = 0,
	HSA_FORM_BOOL,
	HSA_FORM_INTEGER,
	HSA_FORM_EMPTY /* none; asked-for values only */
};

struct hsa_attr_list {
	struct hsa_attr attr[HSA_CALL_ATTR_MAX];
	enum hsa_form form[HSA_CALL_ATTR_MAX];
	uint64_t number[HSA_CALL_ATTR_MAX]; /* backs booleans and integers */
	size_t len;
};

struct hsa_call_memory {
	struct hsa_buf bytes; /* of the message; slices point here */
	/* attr, attr2; of a reply: the first, while it is read */
	struct hsa_attr_list *list[2];
	bool key_as_blob; /* HSA_HOW_OR_KEY was there */
	/* of a decoded reply: forms of got */
	enum hsa_form got_form[HSA_CALL_ATTR_MAX];
	const struct hsa_attr *got;
};

/* hsa_codec_memory(c) - c->memory, made when there is none; NULL: no memory.
 * hsa_codec_memory_free(m) - wiped. */
struct hsa_call_memory *hsa_codec_memory(struct hsa_call *c);
void hsa_codec_memory_free(struct hsa_call_memory *m);

/* ---- parts: *_put write, *_get read one field ---------------------------- */

void hsa_codec_mech_put(
    struct hsa_out *o, uint32_t field, const struct hsa_mech *m);
HSA_MUST_USE hsa_rc hsa_codec_mech_get(
    struct hsa_mech *m, const struct hsa_wire_field *f);

void hsa_codec_attr_put(
    struct hsa_out *o, const struct hsa_col *col, const struct hsa_call *c);
HSA_MUST_USE hsa_rc hsa_codec_attr_get(struct hsa_call *c,
    const struct hsa_col *col, const struct hsa_wire_field *f);
/* After the last field of a reply: values into c->out, c->got. */
HSA_MUST_USE hsa_rc hsa_codec_got_end(struct hsa_call *c);

/* ---- messages ------------------------------------------------------------ */

/* The function's request or reply; arg is the struct hsa_call. */
hsa_out_fn hsa_codec_request_put, hsa_codec_reply_put;
/* Slices of c point into p afterwards: it belongs to c->memory. */
HSA_MUST_USE hsa_rc hsa_codec_request_get(
    struct hsa_call *c, const void *p, size_t n);
HSA_MUST_USE hsa_rc hsa_codec_reply_get(
    struct hsa_call *c, const void *p, size_t n);

#endif
