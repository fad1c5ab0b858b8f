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

/* ---- attributes ---------------------------------------------------------- */

static void
test_hsa_call__typed_attributes_become_native_bytes(void **state)
{
	/* SetAttributeValue { CKA_VALUE_LEN: integer 32, CKA_SIGN: true,
	 * CKA_VALUE_LEN: -1 }: an attribute may come twice */
	static const char bytes[] = "\x1a\x07\x08\xe1\x02\x12\x02\x18\x20"
				    "\x1a\x07\x08\x88\x02\x12\x02\x10\x01"
				    "\x1a\x10\x08\xe1\x02\x12\x0b\x18\xff\xff"
				    "\xff\xff\xff\xff\xff\xff\xff\x01";
	const uint64_t len = 32, minus = UINT64_MAX;
	const uint8_t yes = 1;
	struct hsa_buf again = {0};
	struct hsa_call c = {0};

	(void)state;
	assert_ok(hsa_call_decode(
	    &c, HSA_FN_SET_ATTRIBUTE_VALUE, bytes, sizeof(bytes) - 1));
	assert_int_equal(c.attr_len, 3);
	assert_int_equal(c.attr[0].type, 0x161);
	assert_int_equal(c.attr[0].n, 8);
	assert_memory_equal(c.attr[0].p, &len, 8);
	assert_int_equal(c.attr[1].type, 0x108);
	assert_int_equal(c.attr[1].n, 1);
	assert_memory_equal(c.attr[1].p, &yes, 1);
	assert_int_equal(c.attr[2].type, 0x161);
	assert_memory_equal(c.attr[2].p, &minus, 8);
	assert_ok(hsa_call_encode(&again, &c));
	assert_int_equal(again.len, sizeof(bytes) - 1);
	assert_memory_equal(again.p, bytes, again.len);
	hsa_call_free(&c);
	hsa_buf_free(&again);
}

static void
test_hsa_call__an_answer_has_the_type_of_the_question(void **state)
{
	/* Attributes { CKA_SIGN: false, CKA_VALUE_LEN: 0, CKA_ID: nothing } */
	static const char ask[] = "\x1a\x07\x08\x88\x02\x12\x02\x10\x00"
				  "\x1a\x07\x08\xe1\x02\x12\x02\x18\x00"
				  "\x1a\x05\x08\x82\x02\x12\x00";
	/* ... true, 32, "id" */
	static const char answer[] = "\x22\x07\x08\x88\x02\x12\x02\x10\x01"
				     "\x22\x07\x08\xe1\x02\x12\x02\x18\x20"
				     "\x22\x09\x08\x82\x02\x12\x04\x0a\x02id";
	const uint64_t len = 32;
	const uint8_t yes = 1;
	struct hsa_buf b = {0};
	struct hsa_call c = {0};

	(void)state;
	assert_ok(hsa_call_decode(
	    &c, HSA_FN_GET_ATTRIBUTE_VALUE, ask, sizeof(ask) - 1));
	assert_int_equal(c.attr_len, 3);
	c.got_len = 3;
	c.got = calloc(3, sizeof(*c.got));
	assert_non_null(c.got);
	for (size_t i = 0; i < 3; i++) {
		assert_true(c.attr[i].typed);
		c.got[i].type = c.attr[i].type;
		c.got[i].typed = true;
	}
	c.got[0].p = &yes;
	c.got[0].n = 1;
	c.got[1].p = (const uint8_t *)&len;
	c.got[1].n = 8;
	c.got[2].p = (const uint8_t *)"id";
	c.got[2].n = 2;
	assert_ok(hsa_call_reply_encode(&b, &c));
	assert_int_equal(b.len, sizeof(answer) - 1);
	assert_memory_equal(b.p, answer, b.len);
	hsa_call_free(&c);
	hsa_buf_free(&b);
}

/* ---- the struct ---------------------------------------------------------- */

static void
test_hsa_fn__the_table_is_walked_and_searched(void **state)
{
	enum hsa_fn fn, found, before = HSA_FN_NONE;
	size_t with = 0;

	(void)state;
	for (fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		assert_true(fn > before);
		before = fn;
		found = HSA_FN_NONE;
		assert_ok(hsa_fn_find(&found, hsa_fn_text(fn)));
		assert_int_equal(found, fn);
		assert_non_null(hsa_fn_permission(fn));
		with += hsa_fn_permission(fn)[0] != '\0';
	}
	assert_int_equal(with, 38);
	assert_string_equal(hsa_fn_text(HSA_FN_WRAP_KEY), "WrapKey");
	assert_string_equal(hsa_fn_permission(HSA_FN_SIGN_FINAL), "sign");
	assert_null(hsa_fn_text(HSA_FN_NONE));
	assert_null(hsa_fn_permission((enum hsa_fn)38));
	assert_int_equal(hsa_fn_next((enum hsa_fn)38), HSA_FN_NONE);
	found = HSA_FN_SIGN;
	assert_rc("E_NOT_FOUND", hsa_fn_find(&found, "encryptsingle"));
	assert_int_equal(found, HSA_FN_SIGN);
}

static void
test_hsa_call__a_reply_moves_to_who_asked(void **state)
{
	struct hsa_call asked = {.fn = HSA_FN_GENERATE_KEY}, reply = {0};

	(void)state;
	hsa_buf_str(&asked.out, "of the call before");
	hcall_reply(&reply, HSA_FN_WRAP_KEY);
	assert_rc("E_FORMAT", hsa_call_take_reply(&asked, &reply));
	assert_string_equal(hsa_buf_cstr(&asked.out), "of the call before");
	hsa_call_free(&reply);
	hcall_reply(&reply, HSA_FN_GENERATE_KEY);
	assert_ok(hsa_call_take_reply(&asked, &reply));
	assert_int_equal(reply.out.len, 0);
	hsa_call_free(&reply);
	hcall_reply(&reply, HSA_FN_GENERATE_KEY);
	expect_reply(&reply, &asked);
	hsa_call_free(&reply);
	/* a refusal names no function */
	reply = (struct hsa_call){.rv = 5, .reason = 9, .needed = 3};
	assert_ok(hsa_call_take_reply(&asked, &reply));
	expect_reply(&reply, &asked);
	reply.rv = 0;
	assert_rc("E_FORMAT", hsa_call_take_reply(&asked, &reply));
	hsa_call_free(&asked);
	hsa_call_free(&reply);
}

static void
test_hsa_call__reset_empties_the_reply_alone(void **state)
{
	struct hsa_call c = {0}, request = {0};
	uint8_t *memory;

	(void)state;
	hcall_reply(&c, HSA_FN_GET_ATTRIBUTE_VALUE);
	assert_int_equal(hsa_call_bytes_out(&c), c.out.len);
	hcall_request(&request, HSA_FN_GET_ATTRIBUTE_VALUE);
	c.data = request.data;
	c.signature = request.signature;
	c.state = request.state;
	c.has_session = true;
	assert_int_equal(hsa_call_bytes_in(&c),
	    request.data.n + request.signature.n + request.state.n);
	memory = c.out.p;
	hsa_call_reset(&c);
	assert_int_equal(hsa_call_bytes_out(&c), 0);
	assert_ptr_equal(c.out.p, memory);
	assert_null(c.got);
	assert_false(c.has_session);
	assert_int_equal(c.fn, HSA_FN_GET_ATTRIBUTE_VALUE);
	assert_int_equal(c.data.n, request.data.n);
	hsa_call_free(&c);
	hsa_call_free(&c);
	hsa_call_free(NULL);
	assert_null(c.out.p);
	assert_int_equal(c.fn, HSA_FN_NONE);
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
		test_hsa_call__typed_attributes_become_native_bytes),
	    cmocka_unit_test(
		test_hsa_call__an_answer_has_the_type_of_the_question),
	    cmocka_unit_test(test_hsa_fn__the_table_is_walked_and_searched),
	    cmocka_unit_test(test_hsa_call__a_reply_moves_to_who_asked),
	    cmocka_unit_test(test_hsa_call__reset_empties_the_reply_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
