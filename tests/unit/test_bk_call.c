/* EP11 calls of a unit: one event each, whatever becomes of them. */
#include <glob.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_pkcs11.h"
#include "helper_cu_token.h"
#include "hsa_hash.h"

#define USE "hs-crypto.ep11.use"
#define INSTANCE "00000000-0000-4000-8000-000000000001"

static struct cu_token t;

static struct hsa_call
random_call(uint64_t n)
{
	return (struct hsa_call){.fn = HSA_FN_GENERATE_RANDOM, .number = n};
}

/* No mechanism has that number. */
static struct hsa_call
bad_call(void)
{
	return (struct hsa_call){
	    .fn = HSA_FN_GET_MECHANISM_INFO, .number = 0x4711};
}

/* The newest record is this call's. */
static void
check_use(struct cu_bench *b, struct hsa_record *r, const struct hsa_call *c,
    uint32_t status, uint64_t rv, const char *words)
{
	char id[HSA_UUID_TEXT];

	cu_bench_last(b, r);
	hsa_uuid_text(id, c->id);
	assert_int_equal(r->source, HSA_SOURCE_USE);
	assert_int_equal(r->body, HSA_BODY_EVENT);
	assert_string_equal(r->event.action_name, USE);
	assert_string_equal(
	    r->event.outcome, status == 200 ? "success" : "failure");
	assert_int_equal(r->event.reason_code, status);
	assert_string_equal(r->event.correlation_id, id);
	assert_string_equal(r->event.target_id, CU_BENCH_TARGET);
	assert_string_equal(r->event.target_name, CU_BENCH_LOCATION);
	assert_string_equal(r->event.target_type_uri, "hs-crypto/ep11");
	assert_true(r->event.data_event);
	assert_string_equal(r->event.initiator.name, "alice@example.com");
	assert_string_equal(
	    hsa_data_find(&r->event.request, "instanceID")->text, INSTANCE);
	assert_int_equal(r->event.request.len, 1);
	assert_false(r->event.has_response);
	assert_int_equal(r->ep11_rc, rv);
	assert_memory_equal(r->command_id, b->caller.command_id, 16);
	assert_string_equal(r->ceremony_id, "first-load");
	assert_string_equal(r->ceremony_step, "7");
	assert_int_equal(r->command, 0);
	assert_true(r->has_use);
	assert_int_equal(r->use.function, c->fn);
	assert_int_equal(r->use.mechanism, c->mech.type);
	assert_int_equal(r->use.length_only, c->length_only);
	if (words == NULL)
		assert_null(r->event.reason_failure);
	else if (strstr(r->event.reason_failure, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", r->event.reason_failure, words);
}

static void
test_bk_call__each_call_is_one_event_in_ibms_shape(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	uint8_t zeros[100] = {0};
	struct hsa_call c = random_call(100), bad = bad_call();
	struct hsa_call seed = {.fn = HSA_FN_SEED_RANDOM, .data = {zeros, 24}};
	struct hsa_record r = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(cu_bench_call(b, &c), CKR_OK);
	assert_int_equal(c.out.len, 100);
	assert_memory_not_equal(c.out.p, zeros, 100);
	check_use(b, &r, &c, 200, 0, NULL);
	assert_int_equal(r.source_sequence, 1);
	assert_int_equal(r.use.bytes_out, 100);
	assert_int_equal(r.use.bytes_in, 0);
	assert_true(r.use.duration_ns > 0);
	assert_string_equal(r.event.severity, "normal");
	hsa_record_free(&r);
	c.length_only = true;
	assert_int_equal(cu_bench_call(b, &c), CKR_OK);
	check_use(b, &r, &c, 200, 0, NULL);
	hsa_record_free(&r);
	assert_int_equal(cu_bench_call(b, &bad), CKR_MECHANISM_INVALID);
	check_use(b, &r, &bad, 400, 0x70,
	    "GetMechanismInfo: mechanism is not here or switched off (return "
	    "value 0x00000070 CKR_MECHANISM_INVALID)");
	assert_string_equal(r.event.severity, "warning");
	hsa_record_free(&r);
	assert_int_equal(cu_bench_call(b, &seed), CKR_OK);
	check_use(b, &r, &seed, 200, 0, NULL);
	assert_int_equal(r.use.bytes_in, 24);
	assert_int_equal(r.use.bytes_out, 0);
	hsa_record_free(&r);
	assert_int_equal(cu_bench_counter(b, "call.ok"), 3);
	assert_int_equal(cu_bench_counter(b, "call.refused"), 1);
	assert_int_equal(cu_bench_counter(b, "engine.cached"), 0);
	hsa_call_free(&c);
	hsa_call_free(&bad);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

static void
test_bk_call__without_a_token_there_are_no_functions_but_events(void **state)
{
	struct cu_bench *b = cu_bench_new();
	struct hsa_call c = random_call(8);
	struct hsa_record r = {0};

	(void)state;
	cu_bench_open(b);
	assert_int_equal(cu_bench_call(b, &c), CKR_FUNCTION_NOT_SUPPORTED);
	check_use(b, &r, &c, 400, 0x54, "GenerateRandom");
	hsa_record_free(&r);
	/* a number that is no function has no use to tell of */
	c.fn = (enum hsa_fn)999;
	assert_int_equal(cu_bench_call(b, &c), CKR_FUNCTION_NOT_SUPPORTED);
	cu_bench_last(b, &r);
	assert_string_equal(r.event.action_name, USE);
	assert_false(r.has_use);
	hsa_record_free(&r);
	hsa_call_free(&c);
	cu_bench_check_log(b);
	cu_bench_free(b);
}

static void
test_bk_call__denied_callers_get_nothing_and_an_event(void **state)
{
	static char reader[] = "role Reader does not sign";
	static const struct {
		uint32_t denied, status;
		char *text;
		const char *words;
	} all[] = {
	    {401, 401, NULL, "GenerateRandom: caller is not authorized"},
	    {403, 403, reader, "role Reader"},
	    {500, 403, NULL, "not authorized"},
	};
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_call c = random_call(16);
	struct hsa_record r = {0};
	size_t i = 0;

	(void)state;
	cu_bench_open(b);
	assert_int_equal(cu_bench_call(b, &c), CKR_OK);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		b->caller.denied = all[i].denied;
		b->caller.denied_text = all[i].text;
		assert_int_equal(cu_bench_call(b, &c), CKR_USER_NOT_LOGGED_IN);
		assert_int_equal(c.out.len, 0);
		check_use(b, &r, &c, all[i].status, 0x101, all[i].words);
		assert_string_equal(r.event.severity, "critical");
		hsa_record_free(&r);
	}
	b->caller.denied_text = NULL;
	hsa_call_free(&c);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

/* Kinds of records are kept; more callers than there is room for, with all
 * that can differ between them, each stay themselves. */
static void
test_bk_call__many_kinds_of_callers_are_told_apart(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_call ok = random_call(8), bad = bad_call();
	struct hsa_initiator *who = &b->caller.initiator, was = *who;
	char name[32] = "", agent[32] = "", step[32] = "";
	struct hsa_record r = {0};
	size_t i = 0;

	(void)state;
	cu_bench_open(b);
	for (i = 0; i < 200; i++) {
		struct hsa_call *c = i % 3 == 0 ? &bad : &ok;
		char *was_step = b->caller.ceremony_step;
		size_t k = i % 50;

		(void)snprintf(name, sizeof(name), "caller %zu", k / 4);
		(void)snprintf(agent, sizeof(agent), "agent %zu", k % 2);
		(void)snprintf(step, sizeof(step), "step %zu", k % 5);
		who->name = name;
		who->host_agent = k % 4 < 2 ? agent : NULL;
		b->caller.ceremony_step = step;
		assert_true(hsa_is_ok(hsa_uuid_new(c->id)));
		(void)cu_bench_call(b, c);
		b->caller.ceremony_step = was_step;
		cu_bench_last(b, &r);
		assert_string_equal(r.event.initiator.name, name);
		if (k % 4 < 2)
			assert_string_equal(
			    r.event.initiator.host_agent, agent);
		else
			assert_null(r.event.initiator.host_agent);
		assert_string_equal(r.ceremony_step, step);
		assert_int_equal(r.event.reason_code, i % 3 == 0 ? 400 : 200);
		assert_true((r.event.reason_failure != NULL) == (i % 3 == 0));
		assert_int_equal(r.source_sequence, i + 1);
		hsa_record_free(&r);
	}
	*who = was;
	/* one without any words, and one whose request has no id */
	memset(ok.id, 0, sizeof(ok.id));
	{
		const struct hsa_caller nobody = {0};

		cu_unit_call(b->u, &ok, &nobody);
		b->calls++;
	}
	cu_bench_last(b, &r);
	assert_null(r.ceremony_id);
	assert_false(r.has_command_id);
	assert_int_equal(strlen(r.event.correlation_id), 36);
	assert_string_not_equal(
	    r.event.correlation_id, "00000000-0000-0000-0000-000000000000");
	hsa_record_free(&r);
	hsa_call_free(&ok);
	hsa_call_free(&bad);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

/* The log breaks at one call after another; once broken, the unit does no
 * work and tells of none. */
static void
test_bk_call__a_log_that_breaks_halts_the_unit_without_outputs(void **state)
{
	static const enum sink_mock_failure how[] = {
	    SINK_MOCK_LOST, SINK_MOCK_WRITTEN};
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_call c = random_call(16);
	struct hsa_unit_status st;
	size_t i = 0, k = 0, n = 0;
	int round = 0;

	(void)state;
	cu_bench_open(b);
	cu_bench_save(b);
	b->any_records = true;
	for (round = 0; round < 3; round++)
		for (k = 1; k <= 4; k++) {
			cu_bench_restore(b);
			for (i = 1; i < k; i++)
				assert_int_equal(cu_bench_call(b, &c), CKR_OK);
			if (round == 2)
				b->sink->closed = true; /* put itself fails */
			else
				b->sink->fail_at = 1;
			b->sink->failure = how[round % 2];
			assert_int_equal(
			    cu_bench_call(b, &c), CKR_DEVICE_ERROR);
			assert_int_equal(c.out.len, 0);
			cu_bench_status(b, &st);
			assert_non_null(strstr(st.halted, "audit log"));
			n = b->sink->len;
			for (i = 0; i < 3; i++)
				assert_int_equal(
				    cu_bench_call(b, &c), CKR_DEVICE_ERROR);
			assert_int_equal(b->sink->len, n);
			assert_int_equal(
			    cu_bench_counter(b, "refused.halted"), 3);
			assert_int_equal(cu_bench_counter(b, "call.ok"), k - 1);
			/* what the log holds is what goes on */
			cu_bench_close(b);
			sink_mock_reopen(b->sink);
			cu_bench_open(b);
			assert_int_equal(cu_bench_call(b, &c), CKR_OK);
			cu_bench_check_log(b);
			assert_int_equal(b->sink->last[HSA_SOURCE_USE],
			    k + (round == 1 ? 1 : 0));
		}
	hsa_call_free(&c);
	cu_token_free(&t, b);
}

static void
test_bk_call__engine_follows_the_registers_and_lets_old_keys_go(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	uint8_t pattern[32];
	unsigned int each = 0;

	(void)state;
	cu_bench_open(b);
	assert_int_equal(t.live, 0);
	cu_token_load(b, 1);
	each = t.live;
	assert_true(each > 0);
	/* a committed next key is at work too, an uncommitted one is not */
	cu_token_commit(b, pattern, 2);
	assert_int_equal(t.live, 2 * each);
	assert_int_equal(t.destroyed, 0);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1), 0);
	assert_int_equal(t.destroyed, 1);
	assert_int_equal(t.live, each);
	cu_bench_close(b);
	assert_int_equal(t.live, 0);
	cu_bench_open(b);
	assert_int_equal(t.live, each);
	cu_token_commit(b, pattern, 3);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_CLEAR_PENDING, NULL, 0, 1), 0);
	assert_int_equal(t.destroyed, 2);
	assert_int_equal(t.live, each);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_CLEAR_CURRENT, NULL, 0, 1), 0);
	assert_int_equal(t.destroyed, 3);
	assert_int_equal(t.live, 0);
	cu_token_load(b, 4);
	assert_int_equal(cu_bench_command(b, TKE_CMD_ZEROIZE, NULL, 0, 1), 0);
	assert_int_equal(t.live, 0);
	assert_int_equal(t.destroyed, 4);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

static void
test_bk_call__a_key_that_cannot_be_put_to_work_halts_the_unit(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_call c = random_call(8);
	struct hsa_diag diag = {{0}};
	struct hsa_unit_status st;
	uint8_t pattern[32];

	(void)state;
	cu_bench_open(b);
	cu_token_commit(b, pattern, 1);
	t.fail_master_at = 1;
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1),
	    503u << 16);
	cu_bench_status(b, &st);
	assert_non_null(strstr(st.halted, "put to work"));
	assert_int_equal(cu_bench_call(b, &c), CKR_DEVICE_ERROR);
	cu_bench_close(b);
	/* the command took effect; a start that cannot do it either says so */
	t.fail_master_at = 1;
	assert_false(hsa_is_ok(cu_bench_try_open(b, &diag)));
	assert_non_null(strstr(diag.text, "put to work"));
	cu_bench_open(b);
	cu_bench_status(b, &st);
	assert_string_equal(st.current_register, "Valid");
	assert_int_equal(cu_bench_call(b, &c), CKR_OK);
	hsa_call_free(&c);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

/* ---- many at once -------------------------------------------------------- */

#define CALLERS 8
#define CALLS 50

struct crowd {
	struct cu_bench *b;
	unsigned int ok, refused;
};

static void *
member(void *arg)
{
	struct crowd *w = arg;
	struct hsa_call c = random_call(32), bad = bad_call();
	unsigned int i = 0;

	for (i = 0; i < CALLS; i++) {
		struct hsa_call *x = i % 10 == 9 ? &bad : &c;

		if (!hsa_is_ok(hsa_uuid_new(x->id)))
			break;
		cu_unit_call(w->b->u, x, &w->b->caller);
		w->ok += x->rv == CKR_OK && x->out.len == 32;
		w->refused += x->rv == CKR_MECHANISM_INVALID;
	}
	hsa_call_free(&c);
	hsa_call_free(&bad);
	return NULL;
}

static void
test_bk_call__many_callers_and_commands_leave_one_record_each(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct crowd w[CALLERS] = {0};
	pthread_t id[CALLERS];
	uint8_t points[16] = {0, 0, 0x80}; /* 16 */
	size_t i = 0, ok = 0;

	(void)state;
	b->clock = cu_clock_system;
	cu_bench_open(b);
	cu_token_load(b, 1);
	b->any_records = true;
	for (i = 0; i < CALLERS; i++) {
		w[i].b = b;
		assert_int_equal(
		    pthread_create(&id[i], NULL, member, &w[i]), 0);
	}
	/* each of these waits for the calls under way, and they for it */
	for (i = 0; i < 4; i++) {
		assert_int_equal(cu_bench_command(b, TKE_CMD_CP_DELETE, points,
				     sizeof(points), 1),
		    0);
		assert_int_equal(cu_bench_command(b, TKE_CMD_CP_ADD, points,
				     sizeof(points), 1),
		    0);
	}
	cu_token_load(b, 2);
	for (i = 0; i < CALLERS; i++) {
		assert_int_equal(pthread_join(id[i], NULL), 0);
		assert_int_equal(w[i].ok, CALLS * 9 / 10);
		assert_int_equal(w[i].refused, CALLS / 10);
		ok += w[i].ok;
	}
	b->any_records = false;
	b->calls = CALLERS * CALLS;
	assert_int_equal(cu_bench_counter(b, "call.ok"), ok);
	assert_int_equal(b->sink->last[HSA_SOURCE_USE], CALLERS * CALLS);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

/* ---- calls without events ------------------------------------------------ */

static void
check_special(struct cu_bench *b, size_t i, const char *name, int64_t calls)
{
	struct hsa_record r = {0};
	const struct hsa_field *f = NULL;

	sink_mock_get(b->sink, &r, i);
	assert_int_equal(r.body, HSA_BODY_SPECIAL);
	assert_string_equal(r.special.name, name);
	f = hsa_data_find(&r.special.details, "calls");
	assert_true((f == NULL) == (calls < 0));
	if (f != NULL)
		assert_int_equal(f->integer, calls);
	hsa_record_free(&r);
}

static void
test_bk_call__a_hole_in_the_log_tells_of_itself(void **state)
{
	struct cu_bench *b = cu_token_bench(&t);
	struct hsa_call c = random_call(8), bad = bad_call();
	size_t n = 0, i = 0;

	(void)state;
	cu_bench_open(b);
	b->any_records = true;
	assert_int_equal(cu_bench_call(b, &c), CKR_OK);
	n = b->sink->len;
	assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_SEALED)));
	assert_int_equal(b->sink->len, n);
	assert_int_equal(
	    cu_unit_emission(b->u, (enum cu_emission)9).v, HSA_E_ARG);
	for (i = 0; i < 2; i++) {
		n = b->sink->len;
		assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_OFF)));
		assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_OFF)));
		check_special(b, n, "EMISSION_OFF", -1);
		assert_int_equal(cu_bench_call(b, &c), CKR_OK);
		assert_int_equal(c.out.len, 8);
		assert_int_equal(cu_bench_call(b, &bad), CKR_MECHANISM_INVALID);
		if (i == 1)
			assert_int_equal(cu_bench_call(b, &c), CKR_OK);
		/* commands leave theirs all the same */
		assert_int_equal(cu_bench_add(b, i, 0), 0);
		assert_int_equal(b->sink->len, n + 2);
		assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_SEALED)));
		check_special(b, n + 2, "EMISSION_ON", 2 + (int64_t)i);
		assert_int_equal(cu_bench_call(b, &c), CKR_OK);
		assert_int_equal(b->sink->len, n + 4);
	}
	assert_int_equal(cu_bench_counter(b, "call.silent"), 5);
	assert_int_equal(cu_bench_counter(b, "call.ok"), 3);
	/* a unit that is closed meanwhile tells first */
	assert_true(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_OFF)));
	assert_int_equal(cu_bench_call(b, &c), CKR_OK);
	n = b->sink->len;
	cu_bench_close(b);
	check_special(b, n, "EMISSION_ON", 1);
	check_special(b, n + 1, "UNIT_STOP", -1);
	/* and starts with events on */
	cu_bench_open(b);
	n = b->sink->len;
	assert_int_equal(cu_bench_call(b, &c), CKR_OK);
	assert_int_equal(b->sink->len, n + 1);
	assert_int_equal(b->sink->last[HSA_SOURCE_USE], 4);
	/* what cannot be told does not happen */
	b->sink->fail_at = 1;
	assert_false(hsa_is_ok(cu_unit_emission(b->u, CU_EMIT_OFF)));
	assert_int_equal(cu_bench_call(b, &c), CKR_DEVICE_ERROR);
	assert_int_equal(cu_unit_emission(b->u, CU_EMIT_OFF).v, HSA_E_STATE);
	hsa_call_free(&c);
	hsa_call_free(&bad);
	cu_bench_check_log(b);
	cu_token_free(&t, b);
}

/* ---- the table of return values ------------------------------------------ */

static void
test_bk_call__every_return_value_has_its_number_and_status(void **state)
{
	size_t n = 0;

	(void)state;
#define HSA_USE_RC(NAME, number, status_, text_)                               \
	do {                                                                   \
		const struct hsa_use_row *r = hsa_ep11_use(CKR_##NAME);        \
		const struct hsa_status_row *s = hsa_status(status_);          \
		assert_int_equal((uint64_t)CKR_##NAME, (uint64_t)(number));    \
		assert_non_null(r);                                            \
		assert_string_equal(r->name, "CKR_" #NAME);                    \
		assert_non_null(s);                                            \
		assert_true(s->code == 400 || s->code == 401 ||                \
			    s->code == 403 || s->code == 500 ||                \
			    (number) == 0);                                    \
		n++;                                                           \
	} while (0);
#include "ep11_use_rc.def"
#undef HSA_USE_RC
	assert_true(n > 70);
	assert_null(hsa_ep11_use(0x4711));
}

static bool
has_row(const char *name)
{
#define HSA_USE_RC(NAME, number, status, text)                                 \
	if (strcmp(name, "CKR_" #NAME) == 0)                                   \
		return true;
#include "ep11_use_rc.def"
#undef HSA_USE_RC
	return strcmp(name, "CKR_VENDOR_DEFINED") == 0;
}

/* Return values that a source file spells. */
static size_t
check_file(const char *path)
{
	static char text[1 << 17];
	FILE *f = fopen(path, "r");
	const char *p = text;
	char name[64];
	size_t n = 0, len = 0;

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	assert_int_equal(fclose(f), 0);
	for (p = strstr(p, "CKR_"); p != NULL; p = strstr(p + len, "CKR_")) {
		len = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, p);
		if (!has_row(name))
			fail_msg("%s: %s has no row", path, name);
		n++;
	}
	return n;
}

static void
test_bk_call__no_return_value_of_the_engine_lacks_a_row(void **state)
{
	glob_t g = {0};
	size_t i = 0, n = 0;

	(void)state;
	assert_int_equal(glob("ep11/*.c", 0, NULL, &g), 0);
	assert_int_equal(
	    glob("firmware-sim/backend/bk_ep11*.c", GLOB_APPEND, NULL, &g), 0);
	for (i = 0; i < g.gl_pathc; i++)
		n += check_file(g.gl_pathv[i]);
	assert_true(n > 100);
	globfree(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_bk_call__each_call_is_one_event_in_ibms_shape),
	    cmocka_unit_test(
		test_bk_call__without_a_token_there_are_no_functions_but_events),
	    cmocka_unit_test(
		test_bk_call__denied_callers_get_nothing_and_an_event),
	    cmocka_unit_test(
		test_bk_call__many_kinds_of_callers_are_told_apart),
	    cmocka_unit_test(
		test_bk_call__a_log_that_breaks_halts_the_unit_without_outputs),
	    cmocka_unit_test(
		test_bk_call__engine_follows_the_registers_and_lets_old_keys_go),
	    cmocka_unit_test(
		test_bk_call__a_key_that_cannot_be_put_to_work_halts_the_unit),
	    cmocka_unit_test(
		test_bk_call__many_callers_and_commands_leave_one_record_each),
	    cmocka_unit_test(test_bk_call__a_hole_in_the_log_tells_of_itself),
	    cmocka_unit_test(
		test_bk_call__every_return_value_has_its_number_and_status),
	    cmocka_unit_test(
		test_bk_call__no_return_value_of_the_engine_lacks_a_row),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
