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
#include "hsa_codec.h"

static const struct hsa_caller nobody;

/* ---- bytes that no encoder of ours makes --------------------------------- */

#define B(text) (text), sizeof(text) - 1

struct bad {
	enum hsa_fn fn;
	const char *rc, *p;
	size_t n;
};

static void
test_hsa_call_decode__wrong_requests_are_refused(void **state)
{
	static const struct bad bad[] = {
	    /* no mechanism is not mechanism 0 */
	    {HSA_FN_DIGEST_INIT, "E_FORMAT", B("")},
	    {HSA_FN_DIGEST_INIT, "OK", B("\x12\x00")},
	    {HSA_FN_REENCRYPT_SINGLE, "E_FORMAT", B("\x1a\x00")},
	    {HSA_FN_REENCRYPT_SINGLE, "OK", B("\x1a\x00\x22\x00")},
	    /* two parameters; one of another field; a default */
	    {HSA_FN_DIGEST_INIT, "E_FORMAT", B("\x12\x04\x12\x00\x1a\x00")},
	    {HSA_FN_DIGEST_INIT, "E_FORMAT", B("\x12\x02\x52\x00")},
	    {HSA_FN_DIGEST_INIT, "E_FORMAT", B("\x12\x02\x08\x00")},
	    /* an MGF beyond PKCS #11's and IBM's numbers */
	    {HSA_FN_SIGN_INIT, "E_RANGE",
		B("\x12\x07\x22\x05\x10\x80\x80\x80\x08")},
	    {HSA_FN_SIGN_INIT, "OK", B("\x12\x07\x22\x05\x10\x81\x80\x80\x04")},
	    /* inside a parameter that is only carried */
	    {HSA_FN_SIGN_INIT, "E_FORMAT", B("\x12\x04\x3a\x02\x08\x00")},
	    /* keys: none in it, an empty one, two, a keystore's members */
	    {HSA_FN_DIGEST_KEY, "OK", B("")},
	    {HSA_FN_DIGEST_KEY, "OK", B("\x1a\x03\x2a\x01k")},
	    {HSA_FN_DIGEST_KEY, "E_FORMAT", B("\x1a\x00")},
	    {HSA_FN_DIGEST_KEY, "E_FORMAT", B("\x1a\x02\x2a\x00")},
	    {HSA_FN_DIGEST_KEY, "E_FORMAT", B("\x1a\x06\x2a\x01k\x2a\x01l")},
	    {HSA_FN_DIGEST_KEY, "E_UNSUPPORTED", B("\x1a\x03\x0a\x01k")},
	    {HSA_FN_DIGEST_KEY, "E_UNSUPPORTED", B("\x1a\x02\x10\x01")},
	    {HSA_FN_DIGEST_KEY, "E_UNSUPPORTED", B("\x1a\x03\x1a\x01k")},
	    {HSA_FN_DIGEST_KEY, "E_UNSUPPORTED",
		B("\x1a\x06\x22\x04\x08\x00\x12\x00")},
	    {HSA_FN_REWRAP_KEY_BLOB, "OK", B("\x0a\x01k")},
	    {HSA_FN_REWRAP_KEY_BLOB, "OK", B("\x12\x03\x2a\x01k")},
	    {HSA_FN_REWRAP_KEY_BLOB, "E_FORMAT",
		B("\x0a\x01k\x12\x03\x2a\x01k")},
	    /* templates: key 0 written, not written; no value; nothing in it;
	     * two things in it; the value first; a third field */
	    {HSA_FN_GENERATE_KEY, "OK",
		B("\x0a\x00\x32\x06\x08\x00\x12\x02\x0a\x00")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT",
		B("\x0a\x00\x32\x04\x12\x02\x0a\x00")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT", B("\x0a\x00\x32\x02\x08\x00")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT",
		B("\x0a\x00\x32\x04\x08\x00\x12\x00")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT",
		B("\x0a\x00\x32\x08\x08\x00\x12\x04\x0a\x00\x10\x01")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT",
		B("\x0a\x00\x32\x06\x12\x02\x0a\x00\x08\x00")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT",
		B("\x0a\x00\x32\x08\x08\x00\x12\x02\x0a\x00\x18\x00")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT",
		B("\x0a\x00\x32\x06\x08\x00\x12\x02\x10\x02")},
	    /* room is zeros */
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "OK",
		B("\x12\x06\x08\x00\x12\x02\x00\x00")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "E_FORMAT",
		B("\x12\x06\x08\x00\x12\x02\x00\x01")},
	    /* numbers: a default, longer than needed; unknown, twice, wrong
	     * type, cut */
	    {HSA_FN_GENERATE_RANDOM, "E_FORMAT", B("\x08\x00")},
	    {HSA_FN_GENERATE_RANDOM, "E_FORMAT", B("\x08\x81\x00")},
	    {HSA_FN_GENERATE_RANDOM, "E_FORMAT", B("\x10\x01")},
	    {HSA_FN_GENERATE_RANDOM, "E_FORMAT", B("\x08\x01\x08\x01")},
	    {HSA_FN_GENERATE_RANDOM, "E_FORMAT", B("\x0a\x01\x01")},
	    {HSA_FN_GENERATE_RANDOM, "E_FORMAT", B("\x08")},
	    {HSA_FN_LOGOUT, "E_FORMAT", B("\x0a\x01p")},
	    {HSA_FN_NONE, "E_ARG", B("")},
	    {(enum hsa_fn)38, "E_ARG", B("")},
	    {(enum hsa_fn)257, "E_ARG", B("")},
	};
	struct hsa_buf again = {0};
	struct hsa_call c = {0};
	hsa_rc rc;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rc = hsa_call_decode(&c, bad[i].fn, bad[i].p, bad[i].n);
		if (strcmp(hsa_err_name(rc), bad[i].rc) != 0)
			fail_msg("request %zu: %s, not %s", i, hsa_err_name(rc),
			    bad[i].rc);
		if (!hsa_is_ok(rc))
			continue;
		hsa_buf_reset(&again);
		assert_ok(hsa_call_encode(&again, &c));
		assert_int_equal(again.len, bad[i].n);
		if (again.len != 0)
			assert_memory_equal(again.p, bad[i].p, again.len);
		hsa_call_free(&c);
	}
	hsa_buf_free(&again);
}

static void
test_hsa_call_decode__wrong_replies_are_refused(void **state)
{
	static const struct bad bad[] = {
	    /* the new key as bytes and as KeyBlob */
	    {HSA_FN_GENERATE_KEY, "OK", B("\x22\x01k\x3a\x03\x2a\x01k")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT", B("\x22\x01k")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT", B("\x3a\x03\x2a\x01k")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT", B("\x22\x01k\x3a\x03\x2a\x01l")},
	    {HSA_FN_GENERATE_KEY, "E_FORMAT", B("\x22\x01k\x3a\x04\x2a\x02kk")},
	    {HSA_FN_GENERATE_KEY, "OK",
		B("\x2a\x01"
		  "c")},
	    /* lists of numbers: empty, not packed, longer than needed, cut */
	    {HSA_FN_GET_MECHANISM_LIST, "OK", B("\x12\x02\x00\x05")},
	    {HSA_FN_GET_MECHANISM_LIST, "E_FORMAT", B("\x12\x00")},
	    {HSA_FN_GET_MECHANISM_LIST, "E_FORMAT", B("\x10\x05")},
	    {HSA_FN_GET_MECHANISM_LIST, "E_FORMAT", B("\x12\x02\x80\x00")},
	    {HSA_FN_GET_MECHANISM_LIST, "E_FORMAT", B("\x12\x01\x80")},
	    {HSA_FN_GET_MECHANISM_LIST, "E_FORMAT",
		B("\x12\x01\x05\x12\x01\x05")},
	    {HSA_FN_GET_MECHANISM_INFO, "OK", B("\x1a\x00")},
	    {HSA_FN_GET_MECHANISM_INFO, "E_FORMAT", B("\x1a\x02\x08\x00")},
	    {HSA_FN_GET_MECHANISM_INFO, "E_FORMAT", B("\x1a\x02\x20\x01")},
	    /* an attribute: empty; 5 needed; none; a value and another length;
	     * lengths of nothing, of all, of more; beyond any value */
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "OK", B("\x12\x04\x08\x00\x12\x00")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "OK",
		B("\x12\x04\x08\x00\x12\x00\xa2\x06\x01\x05")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "OK",
		B("\x12\x04\x08\x00\x12\x00\xa2\x06\x0a\xff\xff\xff\xff\xff\xff"
		  "\xff\xff\xff\x01")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "E_FORMAT",
		B("\x12\x05\x08\x00\x12\x01v\xa2\x06\x01\x05")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "E_FORMAT", B("\xa2\x06\x01\x05")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "E_FORMAT",
		B("\x12\x05\x08\x00\x12\x01v\xa2\x06\x01\x01")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "E_FORMAT",
		B("\x12\x04\x08\x00\x12\x00\xa2\x06\x02\x05\x05")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "E_FORMAT",
		B("\x12\x04\x08\x00\x12\x00\xa2\x06\x03\x81\x80\x01")},
	    /* typed: withheld without a length, with 0 */
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "E_FORMAT",
		B("\x22\x04\x08\x00\x12\x00")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "E_FORMAT",
		B("\x22\x04\x08\x00\x12\x00\xa2\x06\x01\x00")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "OK",
		B("\x22\x04\x08\x00\x12\x00\xa2\x06\x01\x01")},
	    {HSA_FN_GET_ATTRIBUTE_VALUE, "OK",
		B("\x22\x06\x08\x00\x12\x02\x10\x01")},
	    {HSA_FN_VERIFY, "E_FORMAT", B("\x08\x01")},
	    {HSA_FN_NONE, "E_ARG", B("")},
	};
	struct hsa_buf again = {0};
	struct hsa_call c = {0};
	hsa_rc rc;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rc = hsa_call_reply_decode(&c, bad[i].fn, bad[i].p, bad[i].n);
		if (strcmp(hsa_err_name(rc), bad[i].rc) != 0)
			fail_msg("reply %zu: %s, not %s", i, hsa_err_name(rc),
			    bad[i].rc);
		if (!hsa_is_ok(rc))
			continue;
		hsa_buf_reset(&again);
		assert_ok(hsa_call_reply_encode(&again, &c));
		assert_int_equal(again.len, bad[i].n);
		assert_memory_equal(again.p, bad[i].p, again.len);
		hsa_call_free(&c);
	}
	hsa_buf_free(&again);
}

/* ---- around the call ----------------------------------------------------- */

/* body as member `field` of a delimited UnitRequest or UnitReply. */
static void
wrap(struct hsa_buf *b, uint8_t field, const struct hsa_buf *body)
{
	struct hsa_buf in = {0};

	hsa_buf_u8(&in, (uint8_t)(field << 3 | 2));
	hsa_buf_varint(&in, body->len);
	hsa_buf_put(&in, body->p, body->len);
	hsa_buf_reset(b);
	hsa_buf_varint(b, in.len);
	hsa_buf_put(b, in.p, in.len);
	hsa_buf_free(&in);
}

#define CALLER                                                                 \
	"\x0a\x14\x0a\x00\x22\x10"                                             \
	"0123456789abcdef"
#define ID                                                                     \
	"\x12\x10"                                                             \
	"fedcba9876543210"

static void
test_hsa_unit_request__what_is_around_a_call_is_held_strictly(void **state)
{
	static const struct bad bad[] = {
	    /* fields 101 (Login), 102 (Logout), 104 (GenerateRandom) */
	    {0, "OK", B(CALLER ID "\xb2\x06\x00")},
	    {0, "E_FORMAT", B(ID "\xb2\x06\x00")},
	    {0, "E_FORMAT", B(CALLER "\xb2\x06\x00")},
	    {0, "E_FORMAT", B(CALLER ID)},
	    {0, "E_FORMAT",
		B(CALLER "\x12\x03"
			 "abc"
			 "\xb2\x06\x00")},
	    {0, "E_FORMAT", B("\x0a\x00" ID "\xb2\x06\x00")},
	    /* length_only, limited to 5, to 0, room without a limit */
	    {0, "OK", B(CALLER ID "\x18\x01\xb2\x06\x00")},
	    {0, "OK", B(CALLER ID "\x20\x01\x28\x05\xb2\x06\x00")},
	    {0, "OK", B(CALLER ID "\x20\x01\xb2\x06\x00")},
	    {0, "E_FORMAT", B(CALLER ID "\x28\x05\xb2\x06\x00")},
	    {0, "E_FORMAT", B(CALLER ID "\x18\x00\xb2\x06\x00")},
	    /* a pin blob; not where the message has a Pin */
	    {0, "OK", B(CALLER ID "\x32\x01p\xb2\x06\x00")},
	    {0, "OK", B(CALLER ID "\xaa\x06\x00")},
	    {0, "E_FORMAT", B(CALLER ID "\x32\x01p\xaa\x06\x00")},
	    /* two functions, one that is none, a wrong inside */
	    {0, "E_FORMAT", B(CALLER ID "\xaa\x06\x00\xb2\x06\x00")},
	    {0, "E_FORMAT", B(CALLER ID "\xa2\x06\x00")},
	    {0, "E_FORMAT", B(CALLER ID "\xc2\x06\x02\x08\x00")},
	};
	struct hsa_buf b = {0}, again = {0}, body = {0};
	struct hsa_unit_request q = {0};
	size_t used = 0;
	hsa_rc rc;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hsa_buf_reset(&body);
		hsa_buf_put(&body, bad[i].p, bad[i].n);
		wrap(&b, 3, &body);
		rc = hsa_unit_request_decode(&q, &used, b.p, b.len);
		if (strcmp(hsa_err_name(rc), bad[i].rc) != 0)
			fail_msg("request %zu: %s, not %s", i, hsa_err_name(rc),
			    bad[i].rc);
		if (!hsa_is_ok(rc))
			continue;
		assert_memory_equal(q.call.id, "fedcba9876543210", 16);
		hsa_buf_reset(&again);
		assert_ok(hsa_unit_request_encode(&again, &q));
		assert_int_equal(again.len, b.len);
		assert_memory_equal(again.p, b.p, b.len);
		hsa_unit_request_free(&q);
	}
	hsa_buf_free(&b);
	hsa_buf_free(&body);
	hsa_buf_free(&again);
}

static void
test_hsa_unit_reply__a_function_answers_when_it_has_to(void **state)
{
	static const struct bad bad[] = {
	    /* rv 0 with Verify's empty message; without; rv 5 without; with */
	    {0, "OK", B("\x92\x08\x00")},
	    {0, "E_FORMAT", B("")},
	    {0, "OK", B("\x08\x05")},
	    {0, "OK", B("\x08\x05\x10\x07\x18\x20")},
	    {0, "E_FORMAT", B("\x08\x05\x92\x08\x00")},
	    /* GenerateRandom: too small, and yet one byte of it */
	    {0, "OK", B("\x08\x05\xc2\x06\x03\x0a\x01r")},
	    {0, "E_FORMAT", B("\x08\x00\x92\x08\x00")},
	    {0, "E_FORMAT", B("\x10\x80\x80\x80\x80\x10\x92\x08\x00")},
	    {0, "E_FORMAT", B("\xa2\x06\x00")},
	};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	struct hsa_buf b = {0}, again = {0}, body = {0};
	size_t used = 0;
	hsa_rc rc;

	(void)state;
	assert_non_null(r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hsa_buf_reset(&body);
		hsa_buf_put(&body, bad[i].p, bad[i].n);
		wrap(&b, 4, &body);
		rc = hsa_unit_reply_decode(r, &used, b.p, b.len);
		if (strcmp(hsa_err_name(rc), bad[i].rc) != 0)
			fail_msg("reply %zu: %s, not %s", i, hsa_err_name(rc),
			    bad[i].rc);
		if (!hsa_is_ok(rc))
			continue;
		hsa_buf_reset(&again);
		assert_ok(hsa_unit_reply_encode(&again, r));
		assert_int_equal(again.len, b.len);
		assert_memory_equal(again.p, b.p, b.len);
		hsa_unit_reply_free(r);
	}
	free(r);
	hsa_buf_free(&b);
	hsa_buf_free(&body);
	hsa_buf_free(&again);
}

/* ---- limits -------------------------------------------------------------- */

/* One field of bytes, alone in its message. */
static hsa_rc
one_field(enum hsa_fn fn, uint8_t field, size_t n)
{
	struct hsa_buf b = {0};
	struct hsa_call c = {0};
	uint8_t *to;
	hsa_rc rc;

	hsa_buf_u8(&b, (uint8_t)(field << 3 | 2));
	hsa_buf_varint(&b, n);
	to = hsa_buf_reserve(&b, n);
	assert_non_null(to);
	memset(to, 'd', n);
	b.len += n;
	rc = hsa_call_decode(&c, fn, b.p, b.len);
	hsa_call_free(&c);
	hsa_buf_free(&b);
	return rc;
}

static void
test_hsa_call__limits_hold_on_both_ways(void **state)
{
	static const uint8_t much[HSA_CALL_DATA_MAX + 1];
	static struct hsa_attr attr[HSA_CALL_ATTR_MAX + 1];
	struct hsa_call c = {.fn = HSA_FN_ENCRYPT}, got = {0};
	struct hsa_buf b = {0};

	(void)state;
	assert_ok(one_field(HSA_FN_ENCRYPT, 2, HSA_CALL_DATA_MAX));
	assert_rc("E_RANGE", one_field(HSA_FN_ENCRYPT, 2, sizeof(much)));
	assert_ok(one_field(HSA_FN_ENCRYPT, 1, HSA_BLOB_MAX));
	assert_rc("E_RANGE", one_field(HSA_FN_ENCRYPT, 1, HSA_BLOB_MAX + 1));
	assert_rc("E_RANGE", one_field(HSA_FN_LOGIN, 2, HSA_BLOB_MAX + 1));
	c.data = (struct hsa_slice){much, HSA_CALL_DATA_MAX};
	assert_ok(hsa_call_encode(&b, &c));
	c.data.n++;
	hsa_buf_reset(&b);
	assert_rc("E_RANGE", hsa_call_encode(&b, &c));
	assert_int_equal(b.len, 0);
	c.data.n = 1;
	c.state = (struct hsa_slice){much, HSA_BLOB_MAX + 1};
	assert_rc("E_RANGE", hsa_call_encode(&b, &c));
	c.state = (struct hsa_slice){NULL, 1};
	assert_rc("E_ARG", hsa_call_encode(&b, &c));
	c = (struct hsa_call){.fn = HSA_FN_SET_ATTRIBUTE_VALUE,
	    .attr = attr,
	    .attr_len = HSA_CALL_ATTR_MAX};
	assert_ok(hsa_call_encode(&b, &c));
	assert_ok(hsa_call_decode(&got, c.fn, b.p, b.len));
	hsa_call_free(&got);
	hsa_buf_put(&b, "\x1a\x06\x08\x00\x12\x02\x0a\x00", 8);
	assert_rc("E_RANGE", hsa_call_decode(&got, c.fn, b.p, b.len));
	c.attr_len++;
	assert_rc("E_RANGE", hsa_call_encode(&b, &c));
	c.attr_len = 1;
	attr[0] = (struct hsa_attr){.p = much, .n = HSA_BLOB_MAX + 1};
	assert_rc("E_RANGE", hsa_call_encode(&b, &c));
	/* more room than any value needs: that much travels */
	c.fn = HSA_FN_GET_ATTRIBUTE_VALUE;
	attr[0].n = sizeof(much);
	hsa_buf_reset(&b);
	assert_ok(hsa_call_encode(&b, &c));
	assert_ok(hsa_call_decode(&got, c.fn, b.p, b.len));
	assert_int_equal(got.attr[0].n, HSA_BLOB_MAX);
	hsa_call_free(&got);
	/* mechanisms */
	c = (struct hsa_call){.fn = HSA_FN_DIGEST_INIT};
	hcall_mech(&c.mech, HSA_MECH_PSS, 0);
	c.mech.mgf = 0x800000;
	assert_rc("E_RANGE", hsa_call_encode(&b, &c));
	c.mech.mgf = 0x80800000;
	assert_rc("E_RANGE", hsa_call_encode(&b, &c));
	hcall_mech(&c.mech, HSA_MECH_OAEP, 0);
	c.mech.source_type = UINT64_C(1) << 31;
	assert_rc("E_RANGE", hsa_call_encode(&b, &c));
	hcall_mech(&c.mech, HSA_MECH_OTHER, 0);
	c.mech.source_type = 5;
	assert_rc("E_ARG", hsa_call_encode(&b, &c));
	c.fn = HSA_FN_NONE;
	assert_rc("E_ARG", hsa_call_encode(&b, &c));
	assert_rc("E_ARG", hsa_call_reply_encode(&b, &c));
	/* a frame is a frame */
	assert_rc("E_RANGE",
	    hsa_call_decode(&got, HSA_FN_LOGOUT, much, HSA_CALL_MAX + 1));
	hsa_buf_free(&b);
}

/* ---- damage -------------------------------------------------------------- */

/* What still decodes says the same as its bytes. */
static size_t
flip(struct hsa_buf *b, bool reply, struct hsa_unit_reply *r)
{
	struct hsa_unit_request q = {0};
	struct hsa_buf again = {0};
	size_t lived = 0, used = 0;

	for (size_t i = 0; i < b->len; i++) {
		for (unsigned int bit = 0; bit < 9; bit++) {
			uint8_t mask = (uint8_t)(bit == 8 ? 0xff : 1u << bit);
			hsa_rc rc;

			b->p[i] ^= mask;
			rc = reply
				 ? hsa_unit_reply_decode(r, &used, b->p, b->len)
				 : hsa_unit_request_decode(
				       &q, &used, b->p, b->len);
			if (hsa_is_ok(rc)) {
				lived++;
				hsa_buf_reset(&again);
				assert_ok(
				    reply
					? hsa_unit_reply_encode(&again, r)
					: hsa_unit_request_encode(&again, &q));
				assert_int_equal(again.len, used);
				assert_memory_equal(again.p, b->p, used);
				hsa_unit_request_free(&q);
				if (reply)
					hsa_unit_reply_free(r);
			}
			b->p[i] ^= mask;
		}
	}
	hsa_buf_free(&again);
	return lived;
}

static void
test_hsa_call__every_flipped_bit_is_refused_or_means_itself(void **state)
{
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	size_t lived = 0, all = 0;
	struct hsa_call c = {0};
	struct hsa_buf b = {0};

	(void)state;
	assert_non_null(r);
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		hcall_request(&c, fn);
		hsa_buf_reset(&b);
		assert_ok(hsa_unit_request_encode_call(&b, &nobody, &c));
		all += b.len * 9;
		lived += flip(&b, false, r);
		hcall_reply(&c, fn);
		hsa_buf_reset(&b);
		assert_ok(hsa_unit_reply_encode_call(&b, &c));
		all += b.len * 9;
		lived += flip(&b, true, r);
		hsa_call_free(&c);
	}
	/* most bytes are data, whose flips are as good */
	assert_true(lived > all / 3 && lived < all);
	printf("COUNT damaged messages: %zu, of which mean something: %zu\n",
	    all, lived);
	free(r);
	hsa_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hsa_call_decode__wrong_requests_are_refused),
	    cmocka_unit_test(test_hsa_call_decode__wrong_replies_are_refused),
	    cmocka_unit_test(
		test_hsa_unit_request__what_is_around_a_call_is_held_strictly),
	    cmocka_unit_test(
		test_hsa_unit_reply__a_function_answers_when_it_has_to),
	    cmocka_unit_test(test_hsa_call__limits_hold_on_both_ways),
	    cmocka_unit_test(
		test_hsa_call__every_flipped_bit_is_refused_or_means_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
