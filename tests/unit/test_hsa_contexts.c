#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_codec.h"
#include "hsa_contexts.h"
#include "hsa_json.h"

static uint64_t seed = 7;

static uint64_t
any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t
number(void)
{
	uint64_t bits = any() % 65;

	return bits == 0 ? 0 : any() >> (64 - bits);
}

static void
fill_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)any();
}

/* ---- one call, told twice ------------------------------------------------ */

struct kind {
	uint32_t status;
	const char *failure;
	struct hsa_initiator *who;
	bool data, ceremony, session;
};

struct call {
	const struct kind *kind;
	uint8_t session[HSA_SHA256_LEN];
	struct hsa_compact_record c;
};

static struct hsa_initiator full = {
    .id = (char[]){"IBMid-550000ABCD"},
    .name = (char[]){"app \xc3\xa4@example.com"},
    .type_uri = (char[]){"service/security/account/user"},
    .credential_type = (char[]){"apikey"},
    .host_address = (char[]){"203.0.113.7"},
    .host_address_type = (char[]){"IPv4"},
    .host_agent = (char[]){"libep11/0.1"},
};
static struct hsa_initiator bare = {.id = (char[]){"x"}};

static const struct kind kinds[] = {
    {200, NULL, &full, true, false, false},
    {200, NULL, &bare, false, true, true},
    {400, "Sign: key is not valid (return value 0x00000060)", &bare, false,
	false, true},
    {507, "the log is full", &full, true, true, false},
    {403, "not authorized", &full, true, false, false},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
event(struct hsa_event *ev, const struct kind *k, uint64_t time_ns,
    const char *correlation)
{
	const struct hsa_action_row *row =
	    hsa_catalogue_by_code(HSA_ACTION_EP11_USE);
	struct hsa_data request = {0};
	struct hsa_event_args a = {
	    .action = HSA_ACTION_EP11_USE,
	    .status = k->status,
	    .reason_failure = k->failure,
	    .time_ns = time_ns,
	    .log_source_crn = HP_CRN,
	    .correlation_id = correlation,
	    .target_id = HP_UNIT_CRN,
	    .target_name = HP_LOCATION,
	    .initiator = k->who,
	    .request = &request,
	};
	struct hsa_diag diag = {""};

	if (k->data)
		hp_fields(&request, row->request_data, true);
	if (!hsa_is_ok(hsa_event_build(ev, &a, &diag)))
		fail_msg("%s", diag.text);
	hsa_data_free(&request);
}

static void
envelope(struct hsa_record *r, const struct kind *k)
{
	*r = (struct hsa_record){.epoch = 3};
	memset(r->unit_id, 0x77, sizeof(r->unit_id));
	if (!k->ceremony)
		return;
	r->ceremony_id = strdup("c-1");
	r->ceremony_step = strdup("9");
}

/* What the unit recorded of a call before there were contexts. */
static void
long_way(struct hsa_record *r, const struct call *c,
    const uint8_t base[HSA_UUID_LEN])
{
	char correlation[HSA_UUID_TEXT];

	hsa_uuid_text(correlation, c->c.compact.correlation_id);
	envelope(r, c->kind);
	r->sequence = c->c.sequence;
	r->source = HSA_SOURCE_USE;
	r->source_sequence = c->c.source_sequence;
	r->wall_ns = c->c.wall_ns;
	r->mono_ns = c->c.mono_ns;
	r->has_command_id = c->c.has_command_id;
	if (r->has_command_id)
		memcpy(r->command_id, c->c.command_id, HSA_UUID_LEN);
	r->ep11_rc = c->c.ep11_rc;
	r->ep11_reason = c->c.ep11_reason;
	r->has_use = c->c.has_use;
	if (r->has_use)
		r->use = c->c.use;
	r->use.has_session = r->has_use && c->kind->session;
	if (r->use.has_session)
		memcpy(r->use.session, c->session, sizeof(r->use.session));
	r->body = HSA_BODY_EVENT;
	event(&r->event, c->kind, c->c.wall_ns, correlation);
	hsa_compact_event_id(r->event.id, base, c->c.source_sequence);
}

static void
context_of(struct hsa_record *r, const struct kind *k,
    const uint8_t session[HSA_SHA256_LEN], uint64_t sequence)
{
	envelope(r, k);
	r->sequence = sequence;
	r->source = HSA_SOURCE_SEALER;
	r->source_sequence = sequence;
	r->body = HSA_BODY_CONTEXT;
	r->has_session = k->session;
	if (k->session)
		memcpy(r->session, session, sizeof(r->session));
	event(&r->event, k, 0, HP_CORRELATION);
	free(r->event.correlation_id);
	r->event.correlation_id = NULL;
}

static void
sealed(struct hsa_buf *b, const struct hsa_record *r)
{
	struct hsa_buf rest = {0};

	hsa_buf_reset(b);
	assert_ok(hsa_record_encode(&rest, r));
	hsa_record_seal(b, r->sequence, rest.p, rest.len);
	assert_ok(hsa_buf_rc(b));
	hsa_buf_free(&rest);
}

static void
read_back(struct hsa_record *r, const void *p, size_t n)
{
	hsa_record_free(r);
	assert_ok(hsa_record_decode(r, p, n));
}

static void
expect_same(const struct hsa_record *got, const struct hsa_record *want)
{
	struct hsa_buf x = {0}, y = {0}, a = {0}, b = {0};

	hsa_record_json(&x, got);
	hsa_record_json(&y, want);
	assert_string_equal(hsa_buf_cstr(&x), hsa_buf_cstr(&y));
	sealed(&a, got);
	sealed(&b, want);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);
	hsa_buf_free(&x);
	hsa_buf_free(&y);
	hsa_buf_free(&a);
	hsa_buf_free(&b);
}

static struct call
random_call(const struct kind *k, uint64_t context, uint64_t sequence)
{
	struct call c = {
	    .kind = k,
	    .c = {.sequence = sequence,
		.source_sequence = number(),
		.wall_ns = number() / 2,
		.mono_ns = number(),
		.ep11_rc = (uint32_t)number(),
		.ep11_reason = (uint32_t)number(),
		.has_command_id = any() % 3 == 0,
		.has_use = any() % 8 != 0,
		.use = {.function = (uint32_t)number() | 1,
		    .mechanism = number(),
		    .has_key_id = any() % 4 != 0,
		    .bytes_in = number(),
		    .bytes_out = number(),
		    .duration_ns = number(),
		    .length_only = any() % 5 == 0},
		.compact = {.context = context, .has_correlation_id = true}},
	};

	fill_bytes(c.c.command_id, sizeof(c.c.command_id));
	fill_bytes(c.c.use.key_id, sizeof(c.c.use.key_id));
	fill_bytes(c.c.compact.correlation_id, HSA_UUID_LEN);
	return c;
}

static void
test_hsa_contexts__a_call_reads_as_the_record_built_the_long_way(void **state)
{
	uint8_t session[HSA_SHA256_LEN], raw[HSA_COMPACT_MAX];
	struct hsa_record context[KINDS] = {{0}}, got = {0}, want = {0};
	struct hsa_contexts table = {0};
	struct hsa_buf b = {0};
	size_t compared = 0;

	(void)state;
	fill_bytes(session, sizeof(session));
	for (size_t i = 0; i < KINDS; i++) {
		context_of(&context[i], &kinds[i], session, 100 + i);
		sealed(&b, &context[i]);
		read_back(&got, b.p, b.len);
		assert_ok(hsa_contexts_take(&table, &got));
		expect_same(&got, &context[i]); /* for who wants to see it */
	}
	for (unsigned int round = 0; round < 5000; round++) {
		size_t k = any() % KINDS;
		struct call c = random_call(&kinds[k], 100 + k, 1000 + round);

		memcpy(c.session, session, sizeof(session));
		read_back(&got, raw, hsa_compact_put(raw, &c.c));
		assert_int_equal(got.body, HSA_BODY_COMPACT);
		assert_ok(hsa_contexts_take(&table, &got));
		long_way(&want, &c, context[k].event.id);
		expect_same(&got, &want);
		assert_int_equal(got.event.action, HSA_ACTION_EP11_USE);
		hsa_record_free(&want);
		compared++;
	}
	print_message(
	    "COUNT calls read as built the long way: %zu\n", compared);
	for (size_t i = 0; i < KINDS; i++)
		hsa_record_free(&context[i]);
	hsa_record_free(&got);
	hsa_contexts_free(&table);
	hsa_contexts_free(&table);
	hsa_buf_free(&b);
}

/* ---- which contexts are known -------------------------------------------- */

static struct hsa_contexts table;

static void
add(uint64_t sequence)
{
	struct hsa_record r = {0};

	context_of(&r, &kinds[1], (const uint8_t[HSA_SHA256_LEN]){0}, sequence);
	assert_ok(hsa_contexts_take(&table, &r));
	hsa_record_free(&r);
}

static const char *
ask(uint64_t context)
{
	struct call c = random_call(&kinds[1], context, 5000);
	uint8_t raw[HSA_COMPACT_MAX];
	struct hsa_record r = {0};
	hsa_rc rc;

	read_back(&r, raw, hsa_compact_put(raw, &c.c));
	rc = hsa_contexts_take(&table, &r);
	assert_int_equal(
	    r.body, hsa_is_ok(rc) ? HSA_BODY_EVENT : HSA_BODY_COMPACT);
	hsa_record_free(&r);
	return hsa_err_name(rc);
}

static void
special(const char *name)
{
	struct hsa_record r = {0};
	struct hsa_buf b = {0};

	hp_special(&r);
	free(r.special.name);
	r.special.name = strdup(name);
	sealed(&b, &r);
	/* half of the time as one that nobody wants to see */
	if (any() % 2 == 0)
		assert_ok(hsa_contexts_skip(&table, b.p, b.len));
	else
		assert_ok(hsa_contexts_take(&table, &r));
	hsa_buf_free(&b);
	hsa_record_free(&r);
}

static void
test_hsa_contexts__are_known_until_the_next_segment(void **state)
{
	(void)state;
	assert_string_equal(ask(1), "E_NOT_FOUND");
	for (unsigned int i = 0; i < 20; i++) {
		add(10);
		add(12);
		special("UNIT_START");
		assert_string_equal(ask(10), "OK");
		assert_string_equal(ask(12), "OK");
		assert_string_equal(ask(11), "E_NOT_FOUND");
		special("SEGMENT_OPENED");
		assert_string_equal(ask(10), "E_NOT_FOUND");
		assert_string_equal(ask(12), "E_NOT_FOUND");
	}
	hsa_contexts_free(&table);
}

static void
test_hsa_contexts__the_last_1024_are_known(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= HSA_CONTEXTS_MAX; i++)
		add(2 * i);
	for (uint64_t i = 1; i <= HSA_CONTEXTS_MAX; i++)
		assert_string_equal(ask(2 * i), "OK");
	for (uint64_t i = 1; i <= 50; i++) {
		add(2 * (HSA_CONTEXTS_MAX + i));
		assert_string_equal(ask(2 * i), "E_NOT_FOUND");
		assert_string_equal(ask(2 * (i + 1)), "OK");
		assert_string_equal(ask(2 * (HSA_CONTEXTS_MAX + i)), "OK");
		assert_string_equal(ask(2 * i + 3), "E_NOT_FOUND");
	}
	hsa_contexts_free(&table);
}

static void
test_hsa_contexts__what_is_skipped_is_remembered(void **state)
{
	struct hsa_record r = {0};
	struct hsa_buf b = {0};

	(void)state;
	hp_context(&r);
	sealed(&b, &r);
	assert_ok(hsa_contexts_skip(&table, b.p, b.len));
	assert_rc("E_FORMAT", hsa_contexts_skip(&table, b.p, b.len - 1));
	hsa_record_free(&r);
	hp_compact(&r);
	sealed(&b, &r);
	assert_ok(hsa_contexts_skip(&table, b.p, b.len));
	assert_non_null(hsa_contexts_find(&table, 41));
	assert_ok(hsa_contexts_take(&table, &r));
	assert_int_equal(r.body, HSA_BODY_EVENT);
	assert_true(r.use.has_session && r.epoch == 3);
	assert_rc(
	    "E_ARG", hsa_contexts_expand(&r, hsa_contexts_find(&table, 41)));
	hsa_record_free(&r);
	hsa_contexts_free(&table);
	hsa_buf_free(&b);
}

static void
test_hsa_event__a_copy_shares_nothing(void **state)
{
	struct hsa_event from = {0}, to = {0};
	struct hsa_buf x = {0}, y = {0};
	size_t n = 0;

	(void)state;
	for (const struct hsa_action_row *r = hsa_catalogue(&n); n != 0;
	     n--, r++)
		for (uint32_t status = 200; status <= 500; status += 300) {
			hp_event(&from, r->code, status);
			hsa_buf_reset(&x);
			hsa_buf_reset(&y);
			hsa_event_json(&x, &from);
			assert_ok(hsa_event_copy(&to, &from));
			hsa_event_free(&from);
			hsa_event_json(&y, &to);
			assert_string_equal(hsa_buf_cstr(&x), hsa_buf_cstr(&y));
			assert_int_equal(to.action, r->code);
			hsa_event_free(&to);
		}
	hsa_buf_free(&x);
	hsa_buf_free(&y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_contexts__a_call_reads_as_the_record_built_the_long_way),
	    cmocka_unit_test(
		test_hsa_contexts__are_known_until_the_next_segment),
	    cmocka_unit_test(test_hsa_contexts__the_last_1024_are_known),
	    cmocka_unit_test(test_hsa_contexts__what_is_skipped_is_remembered),
	    cmocka_unit_test(test_hsa_event__a_copy_shares_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
