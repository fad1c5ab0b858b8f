/* test_tkc_fleet.c - what of a server and a unit tke believes, and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hsa_hash.h"
#include "helper_tkc.h"
#include "tkc_state.h"

static struct htkc *h;
static struct htkc_client c;

static int
setup(void **state)
{
	(void)state;
	h = htkc_new(false);
	htkc_client_open(&c, h);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	htkc_client_close(&c);
	htkc_free(h);
	return 0;
}

static void
assert_rc(hsa_rc rc, enum hsa_err want)
{
	if (rc.v != (int)want)
		fail_msg("%s, expected %s: %s", hsa_err_name(rc),
		    hsa_err_name((hsa_rc){(int)want}), c.diag.text);
}

/* ---- locations and lists ------------------------------------------------- */

static void
test_location__four_bracketed_parts_and_nothing_else(void **state)
{
	static const char *const bad[] = {"", "[a].[b].[1]", "a.b.1.2",
	    "[a].[b].[1].[2].[3]", "[a].[b].[x].[2]", "[a].[b].[1].[2]x",
	    "[a].[b].[].[2]", "[a].[b].[-1].[2]", "[a][b].[1].[2]",
	    "[a.c].[b].[1].[2]", "[a].[b].[1234567].[2]", "[a].[b].[1].[2",
	    "[a].[b].[1]. [2]", "[a b].[b].[1].[2]"};
	uint32_t m = 99, d = 99;
	size_t i;

	(void)state;
	assert_rc(
	    tkc_location_parse(&m, &d, "[us-east].[AZ2-CS].[03].[22]"), 0);
	assert_int_equal(m, 3);
	assert_int_equal(d, 22);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hsa_is_ok(tkc_location_parse(&m, &d, bad[i])))
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(m, 3);
}

#define UNIT(id, loc, sn)                                                      \
	"{\"hsm_id\":\"" id "\",\"location\":\"" loc                           \
	"\",\"serial_number\":\"" sn "\",\"state\":1}"

static void
test_list__three_kinds_in_order_and_unknown_members_ignored(void **state)
{
	static const char text[] = "{\"x\":1,\"source_hsms\":[" UNIT(
	    "r", "[z].[h].[01].[05]", "SIM00009") "],\"hsms\":[" UNIT("a",
	    "[z].[h].[00].[03]", "SIM00001") "," UNIT("b", "[z].[h].[00].[04]",
	    "SIM00001") "],\"failover_hsms\":[]}";
	struct tkc_fleet f = {.len = 0};
	struct tkc_unit *u = NULL;

	(void)state;
	assert_rc(tkc_fleet_parse(&f, text, strlen(text), &c.diag), 0);
	assert_int_equal(f.len, 3);
	assert_string_equal(f.unit[2].id, "r");
	assert_int_equal(f.unit[2].type, TKC_UNIT_RECOVERY);
	assert_int_equal(f.unit[1].domain_index, 4);
	assert_rc(tkc_fleet_find(&u, &f, "3", &c.diag), 0);
	assert_string_equal(u->serial, "SIM00009");
	assert_rc(tkc_fleet_find(&u, &f, "[z].[h].[00].[03]", &c.diag), 0);
	assert_int_equal(u->number, 1);
	assert_rc(tkc_fleet_find(&u, &f, "SIM00001", &c.diag), HSA_E_ARG);
	assert_rc(tkc_fleet_find(&u, &f, "4", &c.diag), HSA_E_NOT_FOUND);
}

static void
test_list__a_malformed_one_is_refused_whole(void **state)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"hsms\":1}",
	    "{\"hsms\":[1]}", "{\"hsms\":[],\"hsms\":[]}", "{\"hsms\":[{}]}",
	    "{\"hsms\":[],\"source_hsms\":{}}",
	    "{\"hsms\":[" UNIT("../x", "[z].[h].[0].[3]", "SIM00001") "]}",
	    "{\"hsms\":[" UNIT("a/b", "[z].[h].[0].[3]", "SIM00001") "]}",
	    "{\"hsms\":[" UNIT("", "[z].[h].[0].[3]", "SIM00001") "]}",
	    "{\"hsms\":[" UNIT("a", "[z].[h].[3]", "SIM00001") "]}",
	    "{\"hsms\":[" UNIT("a", "[z].[h].[0].[3]", "SIM0001") "]}",
	    "{\"hsms\":[" UNIT("a", "[z].[h].[0].[3]", "SIM00001") "," UNIT(
		"a", "[z].[h].[0].[4]", "SIM00001") "]}"};
	struct tkc_fleet f = {.len = 0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (hsa_is_ok(
			tkc_fleet_parse(&f, bad[i], strlen(bad[i]), &c.diag)))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(f.len, 0);
	}
}

/* ---- HTTP ---------------------------------------------------------------- */

static void
test_http__statuses_become_results_with_the_servers_words(void **state)
{
	static const struct {
		unsigned int status;
		enum hsa_err rc;
	} rows[] = {{401, HSA_E_AUTH}, {403, HSA_E_AUTH},
	    {404, HSA_E_NOT_FOUND}, {400, HSA_E_REMOTE}, {500, HSA_E_REMOTE},
	    {503, HSA_E_CLOSED}, {507, HSA_E_REMOTE}, {302, HSA_E_REMOTE}};
	struct tkc_state s;
	size_t i;

	(void)state;
	h->body = "the server's\nown words";
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		h->status = rows[i].status;
		assert_rc(tkc_state_attributes(
			      &s, &c.fleet, &c.fleet.unit[0], &c.diag),
		    rows[i].rc);
		assert_non_null(strstr(c.diag.text, "the server's own words"));
	}
}

static void
test_http__an_answer_that_is_no_json_is_not_believed(void **state)
{
	static const char *const bad[] = {"", "x", "{}", "{\"response\":1}",
	    "{\"response\":\"\"}", "[\"response\"]",
	    "{\"response\":\"a\",\"response\":\"b\"}",
	    "{\"response\":\"1;00;\"}"};
	struct tkc_state s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		h->body = bad[i];
		assert_false(hsa_is_ok(tkc_state_attributes(
		    &s, &c.fleet, &c.fleet.unit[0], &c.diag)));
		assert_null(c.fleet.unit[0].oa_key);
	}
}

static void
test_http__nobody_listens_says_where(void **state)
{
	const struct tkc_http_config cfg = {.server = "unix:/nonexistent/s"};
	struct tkc_http *http = NULL;
	struct hsa_buf body = {0};

	(void)state;
	assert_rc(tkc_http_open(&http, &cfg, &c.diag), 0);
	assert_rc(tkc_http_get(http, &body, "/v1/tke", &c.diag), HSA_E_CLOSED);
	assert_non_null(strstr(c.diag.text, "/nonexistent/s"));
	tkc_http_close(http);
}

static void
test_http__addresses_and_tokens_are_checked_before_use(void **state)
{
	static const char *const bad[] = {
	    "", "ftp://x", "localhost", "unix:", "http:/x"};
	struct tkc_http_config cfg = {
	    .server = "http://example.org", .token_file = h->password};
	struct tkc_http *http = NULL;
	size_t i;

	(void)state;
	assert_rc(tkc_http_open(&http, &cfg, &c.diag), HSA_E_ARG);
	cfg.server = "http://localhost.evil.example:80";
	assert_rc(tkc_http_open(&http, &cfg, &c.diag), HSA_E_ARG);
	cfg.server = "http://127.0.0.1:8443";
	assert_rc(tkc_http_open(&http, &cfg, &c.diag), 0);
	tkc_http_close(http);
	cfg.token_file = NULL;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cfg.server = bad[i];
		assert_rc(tkc_http_open(&http, &cfg, &c.diag), HSA_E_ARG);
	}
}

static void
test_http__ids_travel_in_headers_and_no_header_can_be_smuggled(void **state)
{
	static const uint8_t id[HSA_UUID_LEN] = {
	    1, 2, 3, 4, 5, 6, 0x47, 8, 0x89};
	struct tkc_state s;

	(void)state;
	assert_rc(tkc_http_tag(c.http, id, "ceremony-1", "step-1"), 0);
	assert_rc(
	    tkc_state_attributes(&s, &c.fleet, &c.fleet.unit[0], &c.diag), 0);
	assert_non_null(strstr(h->request,
	    "Cryptounit-Command-Id: 01020304-0506-4708-8900-000000000000"));
	assert_non_null(
	    strstr(h->request, "Cryptounit-Ceremony-Id: ceremony-1"));
	assert_non_null(strstr(h->request, "Cryptounit-Ceremony-Step: step-1"));
	assert_non_null(strstr(h->request, "User-Agent: tke/"));
	assert_rc(tkc_http_tag(c.http, id, "a\r\nX: y", NULL), HSA_E_ARG);
}

/* ---- trust --------------------------------------------------------------- */

static void
test_trust__a_chain_to_another_root_is_refused(void **state)
{
	struct tkc_fleet f;
	struct tkc_state s;
	unsigned int posts = 0;

	(void)state;
	assert_rc(tkc_fleet_open(&f, c.http, NULL, h->wrong_pem, &c.diag), 0);
	assert_rc(
	    tkc_state_attributes(&s, &f, &f.unit[0], &c.diag), HSA_E_SIGNATURE);
	assert_non_null(strstr(c.diag.text, "--oa-root"));
	/* nothing but the certificates was asked for */
	posts = h->posts;
	assert_int_equal(posts, 3);
	tkc_fleet_close(&f);
}

static void
test_trust__a_module_with_another_serial_is_refused(void **state)
{
	struct tkc_fleet f;
	struct tkc_state s;
	char list[400];

	(void)state;
	(void)snprintf(list, sizeof(list),
	    "{\"hsms\":[{\"hsm_id\":\"%s\",\"location\":\"%s\","
	    "\"serial_number\":\"SIM00002\"}]}",
	    h->id, h->b->id.location);
	h->list = list;
	assert_rc(tkc_fleet_open(&f, c.http, NULL, h->root_pem, &c.diag), 0);
	assert_rc(
	    tkc_state_attributes(&s, &f, &f.unit[0], &c.diag), HSA_E_SIGNATURE);
	tkc_fleet_close(&f);
}

struct flip {
	size_t at;   /* hex digit of the payload */
	bool beyond; /* there is no such digit */
};

/* Changes one bit of the payload: the third field, behind the 32-byte CPRB. */
static void
flip_digit(void *ctx, struct hsa_buf *t)
{
	static const char digits[] = "0123456789abcdef";
	struct flip *f = ctx;
	uint8_t *p = memchr(t->p, ';', t->len);
	const char *d = NULL;
	size_t at = 0;

	p = p == NULL ? NULL
		      : memchr(p + 1, ';', t->len - (size_t)(p + 1 - t->p));
	assert_non_null(p);
	at = (size_t)(p + 1 - t->p) + 64 + f->at;
	f->beyond = at >= t->len;
	if (f->beyond)
		return;
	d = strchr(digits, t->p[at] | 0x20);
	assert_non_null(d);
	t->p[at] = (uint8_t)digits[(d - digits) ^ 1];
}

static void
test_trust__no_bit_of_a_signed_answer_can_be_changed(void **state)
{
	struct flip f = {.at = 0};
	struct tkc_state s, clean;
	size_t tried = 0;

	(void)state;
	assert_rc(
	    tkc_state_attributes(&clean, &c.fleet, &c.fleet.unit[0], &c.diag),
	    0);
	h->ctx = &f;
	h->tamper = flip_digit;
	for (;; f.at++) {
		hsa_rc rc = tkc_state_attributes(
		    &s, &c.fleet, &c.fleet.unit[0], &c.diag);

		if (f.beyond)
			break;
		if (hsa_is_ok(rc))
			fail_msg("digit %zu changed, still believed", f.at);
		if (rc.v != HSA_E_SIGNATURE && rc.v != HSA_E_REMOTE)
			fail_msg("digit %zu: %s", f.at, hsa_err_name(rc));
		tried++;
	}
	assert_true(tried > 500);
}

static void
test_trust__no_bit_of_the_chain_can_be_changed(void **state)
{
	struct flip f = {.at = 0};
	struct tkc_unit *u = &c.fleet.unit[0];
	size_t tried = 0;

	(void)state;
	h->ctx = &f;
	h->tamper = flip_digit;
	/* every 7th digit of three answers at once: a few hundred chains */
	for (;; f.at += 7) {
		hsa_rc rc = tkc_fleet_trust(&c.fleet, u, &c.diag);

		if (hsa_is_ok(rc)) {
			assert_true(f.beyond);
			break;
		}
		assert_null(u->oa_key);
		tried++;
	}
	assert_true(tried > 200);
}

static struct hsa_buf old_answer;

static void
replay_old(void *ctx, struct hsa_buf *t)
{
	(void)ctx;
	hsa_buf_reset(t);
	hsa_buf_put(t, old_answer.p, old_answer.len);
}

static void
keep_answer(void *ctx, struct hsa_buf *t)
{
	(void)ctx;
	hsa_buf_reset(&old_answer);
	hsa_buf_put(&old_answer, t->p, t->len);
}

static void
test_trust__an_answer_to_another_command_is_refused(void **state)
{
	struct tkc_state s;

	(void)state;
	h->tamper = keep_answer;
	assert_rc(
	    tkc_state_attributes(&s, &c.fleet, &c.fleet.unit[0], &c.diag), 0);
	h->tamper = replay_old;
	assert_rc(
	    tkc_state_admins(&s, &c.fleet, &c.fleet.unit[0], false, &c.diag),
	    HSA_E_SIGNATURE);
	assert_rc(tkc_state_registers(&s, &c.fleet, &c.fleet.unit[0], &c.diag),
	    HSA_E_SIGNATURE);
	hsa_buf_free(&old_answer);
}

/* ---- how many signatures ------------------------------------------------- */

static void
test_quorum__every_command_as_the_wire_document_says(void **state)
{
	/* command, in imprint mode, with S = 3 and R = 2, ... and one
	 * signature for zeroize permitted; a new S of 5 is asked for */
	static const struct {
		uint32_t command, imprint, normal, zeroize_one;
	} rows[] = {
	    {0x02, 0, 3, 3},
	    {0x04, 0, 2, 2},
	    {0x08, 5, 3, 3},
	    {0x09, 0, 1, 1},
	    {0x0C, 0, 1, 1},
	    {0x0D, 0, 3, 3},
	    {0x0E, 0, 1, 1},
	    {0x10, 0, 3, 1},
	    {0x11, 0, 3, 3},
	    {0x12, 0, 3, 3},
	    {0x13, 0, 3, 3},
	    {0x1B, 0, 1, 1},
	    {0x1C, 0, 1, 1},
	};
	const struct tke_attributes imprint = {.permissions = 0x81ff0011};
	const struct tke_attributes normal = {3, 2, 0x81ff0011, 0, 0};
	const struct tke_attributes one = {3, 2, 0x81ff0051, 0, 0};
	const struct tke_attributes cp_one = {3, 2, 0x81ff0031, 0, 0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t k = rows[i].command;

		assert_int_equal(
		    tkc_signatures_needed(k, &imprint, 5), rows[i].imprint);
		assert_int_equal(
		    tkc_signatures_needed(k, &normal, 5), rows[i].normal);
		assert_int_equal(
		    tkc_signatures_needed(k, &one, 5), rows[i].zeroize_one);
	}
	assert_int_equal(tkc_signatures_needed(0x12, &cp_one, 5), 1);
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_location__four_bracketed_parts_and_nothing_else),
	    WITH(test_list__three_kinds_in_order_and_unknown_members_ignored),
	    WITH(test_list__a_malformed_one_is_refused_whole),
	    WITH(test_http__statuses_become_results_with_the_servers_words),
	    WITH(test_http__an_answer_that_is_no_json_is_not_believed),
	    WITH(test_http__nobody_listens_says_where),
	    WITH(test_http__addresses_and_tokens_are_checked_before_use),
	    WITH(
		test_http__ids_travel_in_headers_and_no_header_can_be_smuggled),
	    WITH(test_trust__a_chain_to_another_root_is_refused),
	    WITH(test_trust__a_module_with_another_serial_is_refused),
	    WITH(test_trust__no_bit_of_a_signed_answer_can_be_changed),
	    WITH(test_trust__no_bit_of_the_chain_can_be_changed),
	    WITH(test_trust__an_answer_to_another_command_is_refused),
	    WITH(test_quorum__every_command_as_the_wire_document_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
