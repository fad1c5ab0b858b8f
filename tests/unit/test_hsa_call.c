#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_call.h"
#include "helper_proto.h"
#include "hsa_codec_call.h"

/* ---- comparing ----------------------------------------------------------- */

static bool
has(const struct hsa_col *col, size_t at)
{
	for (; col->field != 0; col++)
		if (col->at == at)
			return true;
	return false;
}

/* pin travels for every function: in its message or around it. */
static void
expect_slices(const struct hsa_call *a, const struct hsa_call *b)
{
	static const size_t member[] = {offsetof(struct hsa_call, state),
	    offsetof(struct hsa_call, data),
	    offsetof(struct hsa_call, signature),
	    offsetof(struct hsa_call, key), offsetof(struct hsa_call, key2),
	    offsetof(struct hsa_call, key3), offsetof(struct hsa_call, pin),
	    offsetof(struct hsa_call, nonce)};
	const struct hsa_col *in = hsa_codec_row(a->fn)->in;

	for (size_t i = 0; i < sizeof(member) / sizeof(member[0]); i++) {
		const struct hsa_slice *x =
		    (const void *)((const uint8_t *)a + member[i]);
		const struct hsa_slice *y =
		    (const void *)((const uint8_t *)b + member[i]);

		if (!has(in, member[i]) &&
		    member[i] != offsetof(struct hsa_call, pin)) {
			assert_int_equal(y->n, 0);
			continue;
		}
		assert_int_equal(x->n, y->n);
		assert_memory_equal(x->p, y->p, x->n);
	}
}

static void
expect_mech(const struct hsa_mech *a, const struct hsa_mech *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->hash, b->hash);
	assert_int_equal(a->mgf, b->mgf);
	assert_int_equal(a->source_type, b->source_type);
	assert_int_equal(a->salt_len, b->salt_len);
	assert_int_equal(a->kdf, b->kdf);
	assert_int_equal(a->tag_bits, b->tag_bits);
	assert_int_equal(a->a.n, b->a.n);
	assert_int_equal(a->b.n, b->b.n);
	if (a->a.n != 0)
		assert_memory_equal(a->a.p, b->a.p, a->a.n);
	if (a->b.n != 0)
		assert_memory_equal(a->b.p, b->b.p, a->b.n);
}

/* room: what was asked for, so only lengths count. */
static void
expect_attr(const struct hsa_attr *a, size_t an, const struct hsa_attr *b,
    size_t bn, bool room)
{
	assert_int_equal(an, bn);
	for (size_t i = 0; i < an; i++) {
		assert_int_equal(a[i].type, b[i].type);
		assert_int_equal(a[i].n, b[i].n);
		assert_int_equal(a[i].typed, b[i].typed);
		assert_true((a[i].p == NULL) == (b[i].p == NULL));
		if (a[i].p != NULL && a[i].n != 0 && !(room && !a[i].typed))
			assert_memory_equal(a[i].p, b[i].p, a[i].n);
	}
}

static void
expect_request(const struct hsa_call *a, const struct hsa_call *b)
{
	const struct hsa_col *in = hsa_codec_row(a->fn)->in;
	static const struct hsa_mech none;

	assert_int_equal(a->fn, b->fn);
	assert_memory_equal(a->id, b->id, sizeof(a->id));
	assert_int_equal(a->length_only, b->length_only);
	assert_int_equal(a->limited, b->limited);
	assert_int_equal(a->room, b->room);
	expect_slices(a, b);
	expect_mech(has(in, offsetof(struct hsa_call, mech)) ? &a->mech : &none,
	    &b->mech);
	expect_mech(
	    has(in, offsetof(struct hsa_call, mech2)) ? &a->mech2 : &none,
	    &b->mech2);
	expect_attr(a->attr,
	    has(in, offsetof(struct hsa_call, attr)) ? a->attr_len : 0, b->attr,
	    b->attr_len, a->fn == HSA_FN_GET_ATTRIBUTE_VALUE);
	expect_attr(a->attr2,
	    has(in, offsetof(struct hsa_call, attr2)) ? a->attr2_len : 0,
	    b->attr2, b->attr2_len, false);
	assert_int_equal(b->number,
	    has(in, offsetof(struct hsa_call, number)) ? a->number : 0);
}

static void
expect_buf(const struct hsa_buf *a, const struct hsa_buf *b)
{
	assert_int_equal(a->len, b->len);
	if (a->len != 0)
		assert_memory_equal(a->p, b->p, a->len);
}

static void
expect_reply(const struct hsa_call *a, const struct hsa_call *b)
{
	assert_int_equal(a->rv, b->rv);
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->needed, b->needed);
	expect_buf(&a->out2, &b->out2);
	expect_buf(&a->new_state, &b->new_state);
	expect_attr(a->got, a->got_len, b->got, b->got_len, false);
	if (a->got_len == 0)
		expect_buf(&a->out, &b->out);
	for (size_t i = 0; i < b->got_len; i++)
		assert_true(
		    b->got[i].p == NULL ||
		    (b->got[i].p >= b->out.p &&
			b->got[i].p + b->got[i].n <= b->out.p + b->out.len));
}

/* ---- round trips --------------------------------------------------------- */

static const struct hsa_caller nobody;

static void
request_trip(const struct hsa_call *c)
{
	struct hsa_unit_request q = {0};
	struct hsa_buf b = {0}, again = {0};
	size_t used = 0;

	assert_ok(hsa_unit_request_encode_call(&b, &nobody, c));
	assert_ok(hsa_unit_request_decode(&q, &used, b.p, b.len));
	assert_int_equal(used, b.len);
	assert_int_equal(q.kind, HSA_UNIT_EP11);
	/* the bytes may go: the call holds its own */
	memset(b.p, 0xee, b.len);
	expect_request(c, &q.call);
	assert_ok(hsa_unit_request_encode(&again, &q));
	hsa_buf_reset(&b);
	assert_ok(hsa_unit_request_encode_call(&b, &nobody, c));
	expect_buf(&b, &again);
	for (size_t n = 0; n < b.len; n++) {
		struct hsa_unit_request torn = {0};

		assert_rc("E_TRUNCATED",
		    hsa_unit_request_decode(&torn, &used, b.p, n));
	}
	hsa_unit_request_free(&q);
	hsa_buf_free(&again);
	hsa_buf_free(&b);
}

static void
test_hsa_call__a_request_of_every_function_comes_back(void **state)
{
	struct hsa_call c = {0};
	size_t n = 0;

	(void)state;
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn), n++) {
		assert_non_null(hsa_codec_row(fn));
		hcall_request(&c, fn);
		request_trip(&c);
		c.length_only = true;
		c.limited = false;
		c.room = 0;
		request_trip(&c);
		/* as little as can be */
		c = (struct hsa_call){.fn = fn};
		request_trip(&c);
	}
	assert_int_equal(n, 43);
	printf(
	    "COUNT functions whose requests and replies come back: %zu\n", n);
}

static void
reply_trip(const struct hsa_call *c, bool has_function)
{
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	struct hsa_buf b = {0}, again = {0};
	size_t used = 0;

	assert_non_null(r);
	assert_ok(hsa_unit_reply_encode_call(&b, c));
	assert_ok(hsa_unit_reply_decode(r, &used, b.p, b.len));
	assert_int_equal(used, b.len);
	assert_int_equal(r->kind, HSA_UNIT_EP11);
	assert_int_equal(r->call.fn, has_function ? c->fn : HSA_FN_NONE);
	expect_reply(c, &r->call);
	assert_ok(hsa_unit_reply_encode(&again, r));
	expect_buf(&b, &again);
	hsa_unit_reply_free(r);
	free(r);
	hsa_buf_free(&b);
	hsa_buf_free(&again);
}

static void
test_hsa_call__a_reply_of_every_function_comes_back(void **state)
{
	struct hsa_call c = {0};

	(void)state;
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		hcall_reply(&c, fn);
		reply_trip(&c, true);
		/* too small, and yet something to say */
		c.rv = 0x150;
		reply_trip(&c,
		    c.out.len + c.out2.len + c.new_state.len + c.got_len != 0);
		hsa_call_free(&c);
		c = (struct hsa_call){.fn = fn};
		reply_trip(&c, true);
		c = (struct hsa_call){.fn = fn, .rv = 0x150, .needed = 16};
		reply_trip(&c, false);
	}
}

static void
test_hsa_call__every_kind_of_mechanism_comes_back(void **state)
{
	struct hsa_call c = {0};

	(void)state;
	for (int kind = HSA_MECH_NONE; kind <= HSA_MECH_OTHER; kind++) {
		hcall_request(&c, HSA_FN_SIGN_SINGLE);
		hcall_mech(&c.mech, (enum hsa_mech_kind)kind, 0);
		request_trip(&c);
		/* all of its members zero or empty */
		c.mech = (struct hsa_mech){.kind = (enum hsa_mech_kind)kind,
		    .source_type = kind == HSA_MECH_OTHER ? 7 : 0};
		request_trip(&c);
	}
}

/* ---- the schema ---------------------------------------------------------- */

/* What a unit refuses of GREP11's fields: a keystore's part of KeyBlob. */
static bool
refused(const ProtobufCMessageDescriptor *d, unsigned int field)
{
	return strcmp(d->name, "grep11.KeyBlob") == 0 && field < 5;
}

static void
expect_columns(
    const ProtobufCMessageDescriptor *d, const struct hsa_col *col, size_t *n)
{
	for (unsigned int i = 0; i < d->n_fields; i++, col++, (*n)++) {
		/* ascending on both sides, so equal one by one */
		if (col->field != d->fields[i].id)
			fail_msg(
			    "%s.%s has no column", d->name, d->fields[i].name);
	}
	assert_int_equal(col->field, 0);
}

static void
test_hsa_call__every_field_of_every_message_has_a_column(void **state)
{
	size_t n = 0;

	(void)state;
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		const struct hsa_fn_row *row = hsa_codec_row(fn);
		char name[64];

		(void)snprintf(
		    name, sizeof(name), "grep11.%sRequest", hsa_fn_text(fn));
		assert_string_equal(row->request->name, name);
		(void)snprintf(
		    name, sizeof(name), "grep11.%sResponse", hsa_fn_text(fn));
		assert_string_equal(row->reply->name, name);
		expect_columns(row->request, row->in, &n);
		expect_columns(row->reply, row->out, &n);
	}
	printf("COUNT fields of GREP11's messages with a column: %zu\n", n);
}

/* Every field of d that is not refused occurs in the encoded bytes, and so on
 * inside; of a oneof, one member. */
static void
expect_all_there(
    const ProtobufCMessageDescriptor *d, const uint8_t *p, size_t n)
{
	struct hsa_wire w = hsa_wire_of(d, 0, p, n);
	struct hsa_wire_field f = {0};
	bool oneof = false;
	uint64_t seen = 0;

	w.entry = strstr(d->name, "Entry") != NULL;
	while (hsa_cur_left(&w.cur) != 0) {
		assert_ok(hsa_wire_next(&w, &f));
		seen |= UINT64_C(1) << (f.desc - d->fields);
		oneof =
		    oneof || (f.desc->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
		if (f.desc->type == PROTOBUF_C_TYPE_MESSAGE)
			expect_all_there(f.desc->descriptor, f.p, f.n);
	}
	for (unsigned int i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *fd = &d->fields[i];

		if ((fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && oneof)
			continue;
		/* asked for: an AttributeValue may be empty */
		if (strcmp(d->name, "grep11.AttributeValue") == 0)
			continue;
		/* the other way to say the key */
		if (strcmp(d->name, "grep11.RewrapKeyBlobRequest") == 0 &&
		    fd->id == 2)
			continue;
		/* the reply's number zero: a size of 0 */
		if (strcmp(d->name, "grep11.MechanismInfo") == 0 && fd->id == 2)
			continue;
		if (!refused(d, fd->id) && (seen & UINT64_C(1) << i) == 0)
			fail_msg("%s.%s is not written", d->name, fd->name);
	}
}

static void
test_hsa_call__what_is_set_is_written(void **state)
{
	struct hsa_call c = {0};
	struct hsa_buf b = {0};

	(void)state;
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		hcall_request(&c, fn);
		for (int kind = HSA_MECH_BYTES; kind <= HSA_MECH_OTHER;
		     kind++) {
			hcall_mech(&c.mech, (enum hsa_mech_kind)kind, 0);
			hsa_buf_reset(&b);
			assert_ok(hsa_call_encode(&b, &c));
			expect_all_there(
			    hsa_codec_row(fn)->request, b.p, b.len);
		}
		hcall_reply(&c, fn);
		hsa_buf_reset(&b);
		assert_ok(hsa_call_reply_encode(&b, &c));
		expect_all_there(hsa_codec_row(fn)->reply, b.p, b.len);
		hsa_call_free(&c);
	}
	hsa_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_call__a_request_of_every_function_comes_back),
	    cmocka_unit_test(
		test_hsa_call__a_reply_of_every_function_comes_back),
	    cmocka_unit_test(test_hsa_call__every_kind_of_mechanism_comes_back),
	    cmocka_unit_test(
		test_hsa_call__every_field_of_every_message_has_a_column),
	    cmocka_unit_test(test_hsa_call__what_is_set_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
