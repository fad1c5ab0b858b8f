#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "hsa_codec.h"
#include "hsa_unit.h"

static char *
copy(const char *s)
{
	char *to = strdup(s);

	assert_non_null(to);
	return to;
}

static void
admin_request(struct hsa_unit_request *q)
{
	struct hsa_event ev = {0};

	*q = (struct hsa_unit_request){.kind = HSA_UNIT_ADMIN};
	hp_event(&ev, HSA_ACTION_TKE_RESET, 200);
	assert_ok(hsa_initiator_copy(&q->caller.initiator, &ev.initiator));
	hsa_event_free(&ev);
	q->caller.denied = 403;
	q->caller.denied_text = copy("not an administrator of this instance");
	memset(q->caller.command_id, 0x5c, HSA_UUID_LEN);
	q->caller.ceremony_id = copy("c-1");
	q->caller.ceremony_step = copy("4");
	hsa_buf_str(&q->transport, "transport;string\nwith\x01odd bytes");
}

static void
expect_same_request(
    const struct hsa_unit_request *a, const struct hsa_unit_request *b)
{
	const struct hsa_initiator *x = &a->caller.initiator;
	const struct hsa_initiator *y = &b->caller.initiator;

	assert_int_equal(a->kind, b->kind);
	assert_string_equal(x->id, y->id);
	assert_string_equal(x->name, y->name);
	assert_string_equal(x->type_uri, y->type_uri);
	assert_string_equal(x->credential_type, y->credential_type);
	assert_string_equal(x->host_address, y->host_address);
	assert_string_equal(x->host_address_type, y->host_address_type);
	assert_string_equal(x->host_agent, y->host_agent);
	assert_int_equal(a->caller.denied, b->caller.denied);
	assert_string_equal(a->caller.denied_text, b->caller.denied_text);
	assert_memory_equal(a->caller.command_id, b->caller.command_id, 16);
	assert_string_equal(a->caller.ceremony_id, b->caller.ceremony_id);
	assert_string_equal(a->caller.ceremony_step, b->caller.ceremony_step);
	assert_int_equal(a->transport.len, b->transport.len);
	if (a->transport.len != 0)
		assert_memory_equal(
		    a->transport.p, b->transport.p, a->transport.len);
}

static void
test_hsa_unit_request__an_administration_comes_back(void **state)
{
	struct hsa_unit_request q = {0}, got = {0};
	struct hsa_buf b = {0};
	size_t used = 0;

	(void)state;
	admin_request(&q);
	assert_ok(hsa_unit_request_encode(&b, &q));
	for (size_t n = 0; n < b.len; n++)
		assert_rc("E_TRUNCATED",
		    hsa_unit_request_decode(&got, &used, b.p, n));
	assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
	assert_int_equal(used, b.len);
	expect_same_request(&q, &got);
	hsa_unit_request_free(&got);
	hsa_unit_request_free(&got);
	hsa_unit_request_free(&q);
	hsa_unit_request_free(NULL);
	hsa_caller_free(NULL);
	hsa_buf_free(&b);
}

static void
test_hsa_unit_request__what_is_absent_stays_absent(void **state)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_ADMIN}, got = {0};
	struct hsa_buf b = {0};
	size_t used = 0;

	(void)state;
	assert_ok(hsa_unit_request_encode(&b, &q));
	assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
	assert_null(got.caller.initiator.id);
	assert_null(got.caller.ceremony_id);
	assert_null(got.caller.denied_text);
	assert_int_equal(got.caller.denied, 0);
	assert_int_equal(got.transport.len, 0);
	hsa_unit_request_free(&got);
	hsa_buf_reset(&b);
	q.kind = HSA_UNIT_STATUS;
	assert_ok(hsa_unit_request_encode(&b, &q));
	assert_int_equal(b.len, 3);
	assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
	assert_int_equal(got.kind, HSA_UNIT_STATUS);
	hsa_unit_request_free(&got);
	hsa_buf_free(&b);
}

static void
test_hsa_unit_request__a_query_and_a_bare_block_come_back(void **state)
{
	struct hsa_unit_request q = {0}, got = {0};
	struct hsa_buf b = {0}, again = {0};
	size_t used = 0;

	(void)state;
	q.kind = HSA_UNIT_INFO;
	q.query = 0xff000001;
	q.subquery = 2;
	assert_ok(hsa_unit_request_encode(&b, &q));
	assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
	assert_int_equal(got.kind, HSA_UNIT_INFO);
	assert_int_equal(got.query, 0xff000001);
	assert_int_equal(got.subquery, 2);
	hsa_unit_request_free(&got);
	admin_request(&q);
	hsa_buf_free(&q.transport);
	q.kind = HSA_UNIT_BLOCK;
	hsa_buf_str(&q.command, "a command block");
	hsa_buf_str(&q.signatures, "two signatures");
	hsa_buf_reset(&b);
	assert_ok(hsa_unit_request_encode(&b, &q));
	for (size_t n = 0; n < b.len; n++)
		assert_rc("E_TRUNCATED",
		    hsa_unit_request_decode(&got, &used, b.p, n));
	assert_ok(hsa_unit_request_decode(&got, &used, b.p, b.len));
	expect_same_request(&q, &got);
	assert_string_equal(hsa_buf_cstr(&got.command), "a command block");
	assert_string_equal(hsa_buf_cstr(&got.signatures), "two signatures");
	assert_ok(hsa_unit_request_encode(&again, &got));
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	hsa_unit_request_free(&got);
	q.caller.denied = 404;
	assert_rc("E_ARG", hsa_unit_request_encode(&again, &q));
	hsa_unit_request_free(&q);
	/* a block of nobody's */
	assert_rc("E_FORMAT",
	    hsa_unit_request_decode(&got, &used, "\x02\x2a\x00", 3));
	hsa_buf_free(&b);
	hsa_buf_free(&again);
}

static void
test_hsa_unit_request__wrong_ones_are_refused(void **state)
{
	static const struct {
		const char *rc, *p;
		size_t n;
	} bad[] = {
	    {"E_FORMAT", "\0", 1},                           /* no kind */
	    {"E_FORMAT", "\x02\x0a\x00", 3},                 /* no caller */
	    {"E_FORMAT", "\x04\x0a\x02\x0a\x00", 5},         /* no initiator */
	    {"E_FORMAT", "\x06\x0a\x04\x0a\x02\x0a\x00", 7}, /* no id */
	    {"E_FORMAT", "\x02\x1a\x00", 3},                 /* an empty call */
	    {"E_FORMAT", "\x02\x32\x00", 3},                 /* unknown kind */
	    {"E_FORMAT", "\x04\x12\x00\x12\x00", 5},         /* twice */
	    {"E_FORMAT", "\x03\x12\x01\x00", 4},             /* not empty */
	    {"E_RANGE", "\x81\x80\x40", 3},                  /* above 1 MiB */
	};
	struct hsa_unit_request q = {.kind = HSA_UNIT_ERROR}, got = {0};
	struct hsa_buf b = {0};
	size_t used = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(bad[i].rc,
		    hsa_unit_request_decode(&got, &used, bad[i].p, bad[i].n));
	assert_rc("E_ARG", hsa_unit_request_encode(&b, &q));
	q.kind = HSA_UNIT_ADMIN;
	q.caller.denied = 404;
	assert_rc("E_ARG", hsa_unit_request_encode(&b, &q));
	q.caller.denied = 401;
	assert_ok(hsa_unit_request_encode(&b, &q));
	/* denied 401 is 91 03 in field 2 (10): make it 402 */
	for (size_t i = 0; i + 2 < b.len; i++)
		if (b.p[i] == 0x10 && b.p[i + 1] == 0x91)
			b.p[i + 1]++;
	assert_rc("E_FORMAT", hsa_unit_request_decode(&got, &used, b.p, b.len));
	hsa_buf_free(&b);
}

static void
full_status(struct hsa_unit_status *s)
{
	s->epoch = 7;
	s->pid = 4711;
	s->imprint = true;
	s->signature_threshold = 2;
	s->revocation_threshold = 1;
	memset(s->unit_id, 1, sizeof(s->unit_id));
	for (s->admin_len = 0; s->admin_len < 8; s->admin_len++)
		memset(s->admin[s->admin_len], (int)s->admin_len + 1, 32);
	strcpy(s->new_register, "Full Uncommitted");
	strcpy(s->current_register, "Valid");
	memset(s->new_pattern, 2, 32);
	memset(s->current_pattern, 3, 32);
	memset(s->log_root, 4, 32);
	s->log_size = 1234567;
	memset(s->halted, 'h', sizeof(s->halted) - 1);
	for (s->counter_len = 0; s->counter_len < 64; s->counter_len++) {
		(void)snprintf(s->counter[s->counter_len].name, 48,
		    "counter-%zu", s->counter_len);
		s->counter[s->counter_len].value = s->counter_len;
	}
	for (s->collector_len = 0; s->collector_len < 8; s->collector_len++) {
		struct hsa_collector_status *c =
		    &s->collector[s->collector_len];

		(void)snprintf(
		    c->name, sizeof(c->name), "c%zu", s->collector_len);
		c->connected = s->collector_len % 2 == 0;
		c->acknowledged = UINT64_MAX;
		memset(c->last_error, 'e', sizeof(c->last_error) - 1);
	}
	for (s->token_object_len = 0; s->token_object_len < 64;
	     s->token_object_len++)
		memset(s->token_object[s->token_object_len],
		    (int)s->token_object_len, 16);
	memset(s->new_object, 'a', 32);
	s->halted_status = 507;
	s->lost = 7;
	s->log_first = 4096;
	s->log_bytes = 123456;
	s->log_cap = 1000000;
	s->log_number = 3;
	s->emission = (struct hsa_emission_status){
	    .mode = "ring",
	    .ring_slots = 65536,
	    .ring_used = UINT64_MAX,
	    .unrecorded = 3,
	};
	memset(s->current_object, 'b', 32);
}

static void
expect_buf(const struct hsa_buf *a, const struct hsa_buf *b)
{
	assert_int_equal(a->len, b->len);
	if (a->len != 0)
		assert_memory_equal(a->p, b->p, a->len);
}

static void
expect_reply(const struct hsa_unit_reply *r)
{
	struct hsa_unit_reply *got = calloc(1, sizeof(*got));
	struct hsa_buf b = {0}, again = {0};
	size_t used = 0;

	assert_non_null(got);
	assert_ok(hsa_unit_reply_encode(&b, r));
	for (size_t n = 0; n < b.len; n++)
		assert_rc(
		    "E_TRUNCATED", hsa_unit_reply_decode(got, &used, b.p, n));
	assert_ok(hsa_unit_reply_decode(got, &used, b.p, b.len));
	assert_int_equal(used, b.len);
	assert_int_equal(got->kind, r->kind);
	/* no pointers and, from calloc, no other padding: byte by byte */
	assert_memory_equal(&got->status, &r->status, sizeof(r->status));
	assert_int_equal(got->admin.http_status, r->admin.http_status);
	assert_int_equal(got->admin.transport.len, r->admin.transport.len);
	if (r->admin.transport.len != 0)
		assert_memory_equal(got->admin.transport.p,
		    r->admin.transport.p, r->admin.transport.len);
	assert_true((got->admin.text == NULL) == (r->admin.text == NULL));
	if (r->admin.text != NULL)
		assert_string_equal(got->admin.text, r->admin.text);
	if (r->kind == HSA_UNIT_INFO) {
		assert_int_equal(got->info.rv, r->info.rv);
		expect_buf(&got->info.data, &r->info.data);
	}
	if (r->kind == HSA_UNIT_BLOCK) {
		assert_int_equal(got->block.http_status, r->block.http_status);
		assert_string_equal(got->block.text, r->block.text);
		expect_buf(&got->block.response, &r->block.response);
		expect_buf(&got->block.signature, &r->block.signature);
	}
	assert_true((got->error == NULL) == (r->error == NULL));
	if (r->error != NULL)
		assert_string_equal(got->error, r->error);
	assert_ok(hsa_unit_reply_encode(&again, got));
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	hsa_unit_reply_free(got);
	free(got);
	hsa_buf_free(&b);
	hsa_buf_free(&again);
}

static void
test_hsa_unit_reply__every_kind_comes_back(void **state)
{
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));

	(void)state;
	assert_non_null(r);
	r->kind = HSA_UNIT_STATUS;
	expect_reply(r);
	full_status(&r->status);
	expect_reply(r);
	memset(&r->status, 0, sizeof(r->status));
	r->kind = HSA_UNIT_ERROR;
	r->error = copy("the log is full: make room");
	expect_reply(r);
	free(r->error);
	r->error = copy("");
	expect_reply(r);
	free(r->error);
	r->error = NULL;
	r->kind = HSA_UNIT_ADMIN;
	r->admin.http_status = 403;
	r->admin.text = copy("no");
	expect_reply(r);
	hsa_buf_str(&r->admin.transport, "149;PCI reply\xff;");
	expect_reply(r);
	hsa_unit_reply_free(r);
	r->kind = HSA_UNIT_INFO;
	expect_reply(r);
	r->info.rv = 0x80000001;
	hsa_buf_put(&r->info.data, "\0\xff answer", 9);
	expect_reply(r);
	r->kind = HSA_UNIT_BLOCK;
	r->block.http_status = 507;
	r->block.text = copy("the log is full");
	expect_reply(r);
	hsa_buf_str(&r->block.response, "response");
	hsa_buf_str(&r->block.signature, "signature");
	expect_reply(r);
	hsa_unit_reply_free(r);
	hsa_unit_reply_free(NULL);
	free(r);
}

static void
test_hsa_unit_reply__lists_longer_than_their_room_are_refused(void **state)
{
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	struct hsa_unit_reply *got = calloc(1, sizeof(*got));
	struct hsa_buf b = {0}, more = {0};
	size_t used = 0, at = 0;

	(void)state;
	assert_non_null(r);
	assert_non_null(got);
	r->kind = HSA_UNIT_STATUS;
	full_status(&r->status);
	r->status.counter_len = 65;
	assert_rc("E_ARG", hsa_unit_reply_encode(&b, r));
	r->status.counter_len = 64;
	r->status.admin_len = 9;
	assert_rc("E_ARG", hsa_unit_reply_encode(&b, r));
	/* eight administrators on the wire, the first put in once more */
	r->status.admin_len = 8;
	assert_ok(hsa_unit_reply_encode(&b, r));
	while (b.p[at] != 0x3a || b.p[at + 1] != 32 || b.p[at + 2] != 1)
		at++;
	/* lengths of reply (2 bytes), status (2 bytes after its key) */
	{
		size_t body = b.len - 2 + 34, status = body - 3;

		hsa_buf_varint(&more, body);
		hsa_buf_u8(&more, 0x12);
		hsa_buf_varint(&more, status);
		hsa_buf_put(&more, b.p + 5, at - 5);
		hsa_buf_put(&more, b.p + at, 34);
		hsa_buf_put(&more, b.p + at, b.len - at);
	}
	assert_int_equal(more.len, b.len + 34);
	assert_rc(
	    "E_RANGE", hsa_unit_reply_decode(got, &used, more.p, more.len));
	assert_rc("E_FORMAT", hsa_unit_reply_decode(got, &used, "\0", 1));
	hsa_buf_free(&b);
	hsa_buf_free(&more);
	free(r);
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_unit_request__an_administration_comes_back),
	    cmocka_unit_test(
		test_hsa_unit_request__what_is_absent_stays_absent),
	    cmocka_unit_test(
		test_hsa_unit_request__a_query_and_a_bare_block_come_back),
	    cmocka_unit_test(test_hsa_unit_request__wrong_ones_are_refused),
	    cmocka_unit_test(test_hsa_unit_reply__every_kind_comes_back),
	    cmocka_unit_test(
		test_hsa_unit_reply__lists_longer_than_their_room_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
