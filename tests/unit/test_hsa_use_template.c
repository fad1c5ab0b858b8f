#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "hsa_codec.h"
#include "hsa_use_template.h"

static uint64_t seed = 1;

static uint64_t
any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Of every length, zero among them. */
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

static struct hsa_use
random_use(void)
{
	struct hsa_use u = {
	    .function = (uint32_t)number() | 1,
	    .mechanism = number(),
	    .has_key_id = any() % 2 == 0,
	    .has_session = any() % 3 == 0,
	    .bytes_in = number(),
	    .bytes_out = number(),
	    .duration_ns = number(),
	    .length_only = any() % 5 == 0,
	};

	fill_bytes(u.key_id, sizeof(u.key_id));
	fill_bytes(u.session, sizeof(u.session));
	return u;
}

static struct hsa_use_fill
random_fill(const struct hsa_use *u, const char *failure)
{
	struct hsa_use_fill f = {
	    .wall_ns = number(),
	    .mono_ns = number(),
	    .source_sequence = number(),
	    .event_time_ns = number(),
	    .has_command_id = any() % 2 == 0,
	    .ep11_rc = (uint32_t)number(),
	    .ep11_reason = (uint32_t)number(),
	    .use = any() % 8 == 0 ? NULL : u,
	    .reason_failure = failure,
	};

	fill_bytes(f.command_id, sizeof(f.command_id));
	fill_bytes(f.event_id, sizeof(f.event_id));
	fill_bytes(f.correlation_id, sizeof(f.correlation_id));
	return f;
}

/* ---- the long way -------------------------------------------------------- */

struct kind {
	enum hsa_action action;
	uint32_t status;
	const char *target_id, *target_name;
	struct hsa_initiator *who;
	bool data, ceremony;
};

static void
build(struct hsa_event *ev, const struct kind *k, uint64_t time_ns,
    const char *failure, const char *correlation)
{
	const struct hsa_action_row *row = hsa_catalogue_by_code(k->action);
	struct hsa_data request = {0}, response = {0};
	struct hsa_event_args a = {
	    .action = k->action,
	    .status = k->status,
	    .reason_failure = failure,
	    .time_ns = time_ns,
	    .log_source_crn = HP_CRN,
	    .correlation_id = row->correlation == HSA_CORRELATION_FORBIDDEN
				  ? NULL
				  : correlation,
	    .target_id = k->target_id,
	    .target_name = k->target_name,
	    .initiator = k->who,
	    .request = &request,
	    .response = &response,
	};
	struct hsa_diag diag = {""};

	if (k->data)
		hp_fields(&request, row->request_data, true);
	if (k->data && k->status < 300)
		hp_fields(&response, row->response_data, true);
	if (!hsa_is_ok(hsa_event_build(ev, &a, &diag)))
		fail_msg("%s", diag.text);
	hsa_data_free(&request);
	hsa_data_free(&response);
}

static void
envelope(struct hsa_record *r, const struct kind *k)
{
	*r = (struct hsa_record){
	    .epoch = 3, .source = HSA_SOURCE_USE, .body = HSA_BODY_EVENT};
	memset(r->unit_id, 0x77, sizeof(r->unit_id));
	if (!k->ceremony)
		return;
	r->ceremony_id = strdup("c-1");
	r->ceremony_step = strdup("9");
	r->command = 13;
	r->signer_id = calloc(2, sizeof(*r->signer_id));
	assert_non_null(r->signer_id);
	r->signer_len = 2;
}

static hsa_rc
long_way(struct hsa_buf *b, const struct kind *k, const struct hsa_use_fill *f)
{
	char correlation[HSA_UUID_TEXT];
	struct hsa_record r;
	hsa_rc rc;

	hsa_uuid_text(correlation, f->correlation_id);
	envelope(&r, k);
	r.wall_ns = f->wall_ns;
	r.mono_ns = f->mono_ns;
	r.source_sequence = f->source_sequence;
	r.has_command_id = f->has_command_id;
	memcpy(r.command_id, f->command_id, sizeof(r.command_id));
	r.ep11_rc = f->ep11_rc;
	r.ep11_reason = f->ep11_reason;
	r.has_use = f->use != NULL;
	if (r.has_use)
		r.use = *f->use;
	build(&r.event, k, f->event_time_ns, f->reason_failure, correlation);
	memcpy(r.event.id, f->event_id, sizeof(r.event.id));
	rc = hsa_record_encode(b, &r);
	hsa_record_free(&r);
	return rc;
}

static void
prepare(struct hsa_use_template *t, const struct kind *k)
{
	struct hsa_use use = random_use();
	struct hsa_record r;

	/* what the sample has of its own must not stay */
	envelope(&r, k);
	r.wall_ns = number();
	r.source_sequence = number();
	r.has_command_id = any() % 2 == 0;
	r.ep11_rc = (uint32_t)number();
	r.has_use = any() % 2 == 0;
	r.use = use;
	build(&r.event, k, number(), k->status < 300 ? NULL : "sample's own",
	    HP_CORRELATION);
	assert_ok(hsa_use_template_init(t, &r));
	hsa_record_free(&r);
}

static struct hsa_initiator full = {
    .id = (char[]){"IBMid-550000ABCD"},
    .name = (char[]){"app \xc3\xa4@example.com"},
    .type_uri = (char[]){"service/security/account/user"},
    .credential_type = (char[]){"apikey"},
    .host_address = (char[]){"203.0.113.7"},
    .host_address_type = (char[]){"IPv4"},
    .host_agent = (char[]){"libep11/0.1 \xff"},
};
static struct hsa_initiator bare = {.id = (char[]){"x"}};

static const struct kind kinds[] = {
    {HSA_ACTION_EP11_USE, 200, HP_UNIT_CRN, HP_LOCATION, &full, true, false},
    {HSA_ACTION_EP11_USE, 200, "x", "", &bare, false, true},
    {HSA_ACTION_EP11_USE, 400, HP_UNIT_CRN, HP_LOCATION, &bare, false, false},
    {HSA_ACTION_EP11_USE, 507, HP_UNIT_CRN, HP_LOCATION, &full, true, true},
    {HSA_ACTION_KEYSTORE_CREATEKEYSTORE, 403, HP_UNIT_CRN, HP_LOCATION, &full,
	true, false},
};

static const char *const failures[] = {"a", "the key is of another unit",
    "caf\xc3\xa9, cut \xc3", "\xff\xfe", "\xed\xa0\x80 surrogate"};

static void
test_hsa_use__filled_in_is_byte_for_byte_what_is_built(void **state)
{
	const size_t n = sizeof(kinds) / sizeof(kinds[0]);
	size_t compared = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct hsa_use_template t = {0};

		prepare(&t, &kinds[i]);
		for (unsigned int round = 0; round < 4000; round++) {
			const char *failure =
			    kinds[i].status < 300 ? NULL : failures[any() % 5];
			struct hsa_use u = random_use();
			struct hsa_use_fill f = random_fill(&u, failure);
			struct hsa_buf want = {0}, got = {0};

			hsa_buf_u8(&got, 'x'); /* appends */
			assert_ok(long_way(&want, &kinds[i], &f));
			assert_ok(hsa_use_template_put(&got, &t, &f));
			assert_int_equal(got.len, want.len + 1);
			assert_memory_equal(got.p + 1, want.p, want.len);
			compared++;
			hsa_buf_free(&want);
			hsa_buf_free(&got);
		}
		hsa_use_template_free(&t);
		hsa_use_template_free(&t);
	}
	print_message(
	    "COUNT records filled in and built alike: %zu\n", compared);
}

static void
test_hsa_use__what_cannot_be_a_record_is_refused(void **state)
{
	struct hsa_use u = {.function = 1};
	struct hsa_use_fill f = {.use = &u};
	struct hsa_use_template good = {0}, bad = {0};
	struct hsa_record r = {0};
	struct hsa_buf b = {0};
	size_t len, fits = 0;
	char *text;

	(void)state;
	prepare(&good, &kinds[0]);
	prepare(&bad, &kinds[2]);
	f.reason_failure = "but it did work";
	assert_rc("E_ARG", hsa_use_template_put(&b, &good, &f));
	f.reason_failure = "";
	assert_rc("E_ARG", hsa_use_template_put(&b, &bad, &f));
	assert_ok(hsa_use_template_put(&b, &good, &f));
	f.reason_failure = NULL;
	assert_rc("E_ARG", hsa_use_template_put(&b, &bad, &f));
	u.function = 0;
	assert_rc("E_ARG", hsa_use_template_put(&b, &good, &f));
	u.function = 1;
	/* both ways have the same longest text */
	hsa_buf_reset(&b);
	f.reason_failure = "x";
	assert_ok(hsa_use_template_put(&b, &bad, &f));
	len = HSA_RECORD_MAX - b.len;
	text = calloc(1, len + 1);
	assert_non_null(text);
	memset(text, 'y', len);
	f.reason_failure = text;
	for (size_t n = len; n > len - 20; n--) {
		struct hsa_buf want = {0};
		hsa_rc rc;

		text[n] = '\0';
		hsa_buf_reset(&b);
		rc = long_way(&want, &kinds[2], &f);
		assert_rc(hsa_err_name(rc), hsa_use_template_put(&b, &bad, &f));
		assert_true(hsa_is_ok(rc) || rc.v == HSA_E_RANGE);
		fits += hsa_is_ok(rc) ? 1 : 0;
		assert_int_equal(want.len, b.len);
		if (hsa_is_ok(rc))
			assert_memory_equal(want.p, b.p, b.len);
		hsa_buf_free(&want);
	}
	assert_true(fits != 0 && fits != 20);
	free(text);
	/* a special is no sample */
	hp_special(&r);
	assert_rc("E_ARG", hsa_use_template_init(&good, &r));
	hsa_record_free(&r);
	hsa_use_template_free(&good);
	hsa_use_template_free(&bad);
	hsa_buf_free(&b);
}

static double
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The reason that there are templates; a quarter leaves room for sanitizers. */
static void
test_hsa_use__filling_in_costs_a_fraction_of_building(void **state)
{
	struct hsa_use u = random_use();
	struct hsa_use_fill f = random_fill(&u, NULL);
	struct hsa_use_template t = {0};
	struct hsa_buf b = {0};
	double fast, slow, at;

	(void)state;
	f.use = &u;
	prepare(&t, &kinds[0]);
	at = now_ns();
	for (unsigned int i = 0; i < 2000; i++) {
		hsa_buf_reset(&b);
		assert_ok(long_way(&b, &kinds[0], &f));
	}
	slow = (now_ns() - at) / 2000;
	at = now_ns();
	for (unsigned int i = 0; i < 20000; i++) {
		b.len = 0;
		f.source_sequence++;
		assert_ok(hsa_use_template_put(&b, &t, &f));
	}
	fast = (now_ns() - at) / 20000;
	print_message("filled in: %.0f ns, built: %.0f ns, %zu bytes\n", fast,
	    slow, b.len);
	assert_true(fast < slow / 4);
	hsa_use_template_free(&t);
	hsa_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_use__filled_in_is_byte_for_byte_what_is_built),
	    cmocka_unit_test(test_hsa_use__what_cannot_be_a_record_is_refused),
	    cmocka_unit_test(
		test_hsa_use__filling_in_costs_a_fraction_of_building),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
