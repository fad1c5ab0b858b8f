/* test_ep_http.c - the parts behind the HTTP front that need no daemon: who
 * asks, what the body says, what a path names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include "ep_body.h"
#include "ep_config.h"
#include "ep_route.h"
#include "ep_who.h"
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "tke_wire.h"

static char instance[] = "5d00863e-ed8e-4684-822b-7fc2e55efccb";
static char id_a[] = "c9088dde-0571-43b8-a8ea-61e3fe9c58fa";
static char id_b[] = "0ebfc18f-7006-4cf7-90b8-ed690776d20b";
static char loc_a[] = "[us-south].[AZ1-CS1].[00].[03]";
static char loc_b[] = "[us-south].[AZ3-CS1].[02].[05]";
static char serial_a[] = "SIM00001", serial_b[] = "SIM00003";
static struct ep_unit_config units[] = {
    {.id = id_a,
	.type = EP_UNIT_OPERATIONAL,
	.location = loc_a,
	.serial = serial_a},
    {.id = id_b,
	.type = EP_UNIT_RECOVERY,
	.location = loc_b,
	.serial = serial_b},
};

static char any[] = "*", login[64], nobody[] = "no-such-login";
static char ibm_1[] = "IBMid-1", ibm_2[] = "IBMid-2", ibm_3[] = "IBMid-3";
static char name_1[] = "one@example.com", name_2[] = "two@example.com",
	    name_3[] = "three@example.com";
static char digest_2[65], digest_3[65];

/* 1: the login; 2: token "two"; 3: token "three", denied */
static struct ep_identity who[] = {
    {.user = nobody, .id = ibm_2, .name = name_2, .token_sha256 = digest_2},
    {.user = login, .id = ibm_1, .name = name_1},
    {.id = ibm_3, .name = name_3, .token_sha256 = digest_3, .denied = true},
};
static struct ep_config cfg = {.instance_id = instance,
    .unit = units,
    .unit_count = 2,
    .identity = who,
    .identity_count = 3};

static void
digest_of(char hex[65], const char *token)
{
	uint8_t d[32] = {0};

	assert_int_equal(hsa_sha256(d, token, strlen(token)).v, 0);
	hsa_hex(hex, d, sizeof(d));
}

static int
set_up(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());

	(void)state;
	if (pw == NULL)
		(void)snprintf(
		    login, sizeof(login), "#%u", (unsigned int)geteuid());
	else
		(void)snprintf(login, sizeof(login), "%s", pw->pw_name);
	digest_of(digest_2, "two");
	digest_of(digest_3, "three");
	return 0;
}

static const struct sockaddr_un local = {.sun_family = AF_UNIX};

/* A caller at one end of a socket pair: a peer with our own credentials. */
static void
ask_local(struct hsa_caller *c, const char *token, const char *agent)
{
	int fd[2] = {-1, -1};
	struct ep_who_facts f = {.authorization = token, .agent = agent};

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	f.fd = fd[0];
	f.peer = (const struct sockaddr *)&local;
	assert_int_equal(ep_who(c, &cfg, &f).v, 0);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void
test_ep_who__a_local_peer_is_the_identity_of_its_login(void **state)
{
	struct hsa_caller c = {0};

	(void)state;
	ask_local(&c, NULL, "tke/1");
	assert_int_equal(c.denied, 0);
	assert_string_equal(c.initiator.id, "IBMid-1");
	assert_string_equal(c.initiator.name, "one@example.com");
	assert_string_equal(c.initiator.credential_type, "user");
	assert_string_equal(
	    c.initiator.type_uri, "service/security/account/user");
	assert_string_equal(c.initiator.host_address, "127.0.0.1");
	assert_string_equal(c.initiator.host_address_type, "IPv4");
	assert_string_equal(c.initiator.host_agent, "tke/1");
	hsa_caller_free(&c);
}

static void
test_ep_who__a_login_without_identity_is_403(void **state)
{
	struct hsa_caller c = {0};

	(void)state;
	who[1].user = nobody;
	ask_local(&c, NULL, NULL);
	who[1].user = login;
	assert_int_equal(c.denied, 403);
	assert_non_null(strstr(c.denied_text, "fix: "));
	assert_non_null(strstr(c.initiator.id, login));
	assert_null(c.initiator.host_agent);
	hsa_caller_free(&c);
	who[1].user = any;
	ask_local(&c, NULL, NULL);
	who[1].user = login;
	assert_int_equal(c.denied, 0);
	hsa_caller_free(&c);
}

static void
test_ep_who__a_token_decides_over_the_login(void **state)
{
	static const char *const good[] = {"two", "Bearer two", "bearer two"};
	struct hsa_caller c = {0};
	size_t i = 0;

	(void)state;
	for (i = 0; i < 3; i++) {
		ask_local(&c, good[i], NULL);
		assert_int_equal(c.denied, 0);
		assert_string_equal(c.initiator.id, "IBMid-2");
		assert_string_equal(c.initiator.credential_type, "token");
		hsa_caller_free(&c);
	}
	ask_local(&c, "three", NULL);
	assert_int_equal(c.denied, 403);
	assert_string_equal(c.initiator.id, "IBMid-3");
	hsa_caller_free(&c);
}

static void
test_ep_who__unknown_empty_and_oversized_tokens_are_401(void **state)
{
	static const char *const bad[] = {
	    "", "Bearer ", "Bearer", "tw", "two ", "Basic two"};
	char *big = malloc(EP_TOKEN_MAX + 2);
	char empty[65] = "";
	struct hsa_caller c = {0};
	size_t i = 0;

	(void)state;
	assert_non_null(big);
	memset(big, 'a', EP_TOKEN_MAX + 1);
	big[EP_TOKEN_MAX + 1] = '\0';
	/* an identity with the digest of nothing lets nobody in */
	digest_of(empty, "");
	memcpy(digest_3, empty, sizeof(empty));
	for (i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		ask_local(
		    &c, i < sizeof(bad) / sizeof(bad[0]) ? bad[i] : big, NULL);
		assert_int_equal(c.denied, 401);
		assert_string_equal(c.initiator.id, "unknown");
		hsa_caller_free(&c);
	}
	digest_of(digest_3, "three");
	free(big);
}

static void
test_ep_who__a_tcp_peer_needs_a_token_and_shows_its_address(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct ep_who_facts f = {.fd = -1};
	struct hsa_caller c = {0};

	(void)state;
	(void)inet_pton(AF_INET, "127.0.0.2", &v4.sin_addr);
	v6.sin6_addr = in6addr_loopback;
	f.peer = (const struct sockaddr *)&v4;
	assert_int_equal(ep_who(&c, &cfg, &f).v, 0);
	assert_int_equal(c.denied, 401);
	assert_string_equal(c.initiator.host_address, "127.0.0.2");
	hsa_caller_free(&c);
	f.peer = (const struct sockaddr *)&v6;
	f.authorization = "two";
	assert_int_equal(ep_who(&c, &cfg, &f).v, 0);
	assert_int_equal(c.denied, 0);
	assert_string_equal(c.initiator.host_address, "::1");
	assert_string_equal(c.initiator.host_address_type, "IPv6");
	hsa_caller_free(&c);
}

static void
test_ep_who__an_agent_that_is_long_or_unprintable_is_dropped(void **state)
{
	char agent[EP_AGENT_MAX + 2];
	struct hsa_caller c = {0};

	(void)state;
	memset(agent, 'x', sizeof(agent) - 1);
	agent[EP_AGENT_MAX + 1] = '\0';
	ask_local(&c, NULL, agent);
	assert_null(c.initiator.host_agent);
	hsa_caller_free(&c);
	agent[EP_AGENT_MAX] = '\0';
	ask_local(&c, NULL, agent);
	assert_string_equal(c.initiator.host_agent, agent);
	hsa_caller_free(&c);
	ask_local(&c, NULL, "a\x80");
	assert_null(c.initiator.host_agent);
	hsa_caller_free(&c);
	ask_local(&c, NULL, "");
	assert_null(c.initiator.host_agent);
	hsa_caller_free(&c);
}

static void
test_ep_body__the_request_member_comes_out(void **state)
{
	static const char in[] = " {\"request\" : \"a;b\\u0020\\\"c\"} \n";
	struct hsa_buf b = {0};

	(void)state;
	assert_int_equal(ep_body_request(&b, in, strlen(in), NULL).v, 0);
	assert_string_equal(hsa_buf_cstr(&b), "a;b \"c");
	hsa_buf_free(&b);
}

static void
test_ep_body__anything_else_is_refused_with_the_shape(void **state)
{
	static const char *const bad[] = {"", " ", "x", "[]", "\"request\"",
	    "null", "{}", "{\"request\":null}", "{\"request\":1}",
	    "{\"request\":[\"x\"]}", "{\"Request\":\"x\"}",
	    "{\"request\":\"x\",\"request\":\"x\"}",
	    "{\"request\":\"x\",\"y\":\"z\"}", "{\"request\":\"x\"}}",
	    "{\"request\":\"x\"} {}", "{\"request\":\"x\"",
	    "{\"request\":\"\\u0000\"}", "{\"request\":\"\xff\"}",
	    "{'request':'x'}", "{\"request\":\"a\nb\"}"};
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hsa_buf b = {0};
		struct hsa_diag d = {{0}};
		hsa_rc rc = ep_body_request(&b, bad[i], strlen(bad[i]), &d);

		if (rc.v != HSA_E_FORMAT || b.len != 0 ||
		    strstr(d.text, "{\"request\":") == NULL)
			fail_msg("%s: %d %s", bad[i], rc.v, d.text);
		hsa_buf_free(&b);
	}
}

static void
test_ep_body__a_transport_string_has_a_limit(void **state)
{
	struct hsa_buf in = {0}, out = {0};
	struct hsa_diag d = {{0}};
	size_t i = 0;

	(void)state;
	hsa_buf_str(&in, "{\"request\":\"");
	for (i = 0; i < TKE_TRANSPORT_MAX; i++)
		hsa_buf_u8(&in, 'a');
	hsa_buf_str(&in, "\"}");
	assert_int_equal(ep_body_request(&out, in.p, in.len, &d).v, 0);
	assert_int_equal(out.len, TKE_TRANSPORT_MAX);
	hsa_buf_reset(&out);
	in.len -= 2;
	hsa_buf_str(&in, "a\"}");
	assert_int_equal(
	    ep_body_request(&out, in.p, in.len, &d).v, HSA_E_FORMAT);
	hsa_buf_free(&in);
	hsa_buf_free(&out);
}

static void
test_ep_body__units_are_listed_by_type(void **state)
{
	struct hsa_buf b = {0};

	(void)state;
	ep_body_units(&b, &cfg);
	assert_string_equal(hsa_buf_cstr(&b),
	    "{\"hsms\":[{\"hsm_id\":\"c9088dde-0571-43b8-a8ea-61e3fe9c58fa\","
	    "\"location\":\"[us-south].[AZ1-CS1].[00].[03]\","
	    "\"serial_number\":\"SIM00001\"}],\"source_hsms\":[{\"hsm_id\":"
	    "\"0ebfc18f-7006-4cf7-90b8-ed690776d20b\",\"location\":"
	    "\"[us-south].[AZ3-CS1].[02].[05]\",\"serial_number\":"
	    "\"SIM00003\"}],\"failover_hsms\":[]}\n");
	hsa_buf_reset(&b);
	ep_body_instances(&b, &cfg);
	assert_string_equal(hsa_buf_cstr(&b),
	    "{\"instances\":[{\"instance_id\":"
	    "\"5d00863e-ed8e-4684-822b-7fc2e55efccb\"}]}\n");
	hsa_buf_reset(&b);
	ep_body_response(&b, "a\"b", 3);
	assert_string_equal(hsa_buf_cstr(&b), "{\"response\":\"a\\\"b\"}\n");
	hsa_buf_free(&b);
}

#define I "5d00863e-ed8e-4684-822b-7fc2e55efccb"
#define A "c9088dde-0571-43b8-a8ea-61e3fe9c58fa"

static void
test_ep_route__paths_name_one_thing_or_nothing(void **state)
{
	static const struct {
		const char *path;
		enum ep_route to;
	} rows[] = {
	    {"/v1/tke", EP_ROUTE_INSTANCES},
	    {"/v1/tke/" I "/hsms", EP_ROUTE_UNITS},
	    {"/v1/tke/" I "/hsms/" A, EP_ROUTE_UNIT},
	    {"", EP_ROUTE_NONE},
	    {"/", EP_ROUTE_NONE},
	    {"/v1", EP_ROUTE_NONE},
	    {"v1/tke", EP_ROUTE_NONE},
	    {"/v2/tke", EP_ROUTE_NONE},
	    {"/v1/tke/", EP_ROUTE_NONE},
	    {"/v1//tke", EP_ROUTE_NONE},
	    {"/v1/tke/" I, EP_ROUTE_NONE},
	    {"/v1/tke/" A "/hsms", EP_ROUTE_NONE},
	    {"/v1/tke/" I "x/hsms", EP_ROUTE_NONE},
	    {"/v1/tke/" I "/hsms/", EP_ROUTE_NONE},
	    {"/v1/tke/" I "/hsms/" I, EP_ROUTE_NONE},
	    {"/v1/tke/" I "/hsms/" A "/", EP_ROUTE_NONE},
	    {"/v1/tke/" I "/hsms/" A "/x", EP_ROUTE_NONE},
	    {"/v1/tke/" I "/hsm", EP_ROUTE_NONE},
	    {"/v1/tke/" I "/../" I "/hsms", EP_ROUTE_NONE},
	};
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ep_unit_config *u = NULL;
		const char *missing = NULL;

		if (ep_route(&cfg, rows[i].path, &u, &missing) != rows[i].to)
			fail_msg("%s", rows[i].path);
		if (rows[i].to == EP_ROUTE_UNIT)
			assert_ptr_equal(u, &units[0]);
		else
			assert_null(u);
		if (rows[i].to == EP_ROUTE_NONE)
			assert_non_null(strstr(missing, "fix: "));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_ep_who__a_local_peer_is_the_identity_of_its_login),
	    cmocka_unit_test(test_ep_who__a_login_without_identity_is_403),
	    cmocka_unit_test(test_ep_who__a_token_decides_over_the_login),
	    cmocka_unit_test(
		test_ep_who__unknown_empty_and_oversized_tokens_are_401),
	    cmocka_unit_test(
		test_ep_who__a_tcp_peer_needs_a_token_and_shows_its_address),
	    cmocka_unit_test(
		test_ep_who__an_agent_that_is_long_or_unprintable_is_dropped),
	    cmocka_unit_test(test_ep_body__the_request_member_comes_out),
	    cmocka_unit_test(
		test_ep_body__anything_else_is_refused_with_the_shape),
	    cmocka_unit_test(test_ep_body__a_transport_string_has_a_limit),
	    cmocka_unit_test(test_ep_body__units_are_listed_by_type),
	    cmocka_unit_test(test_ep_route__paths_name_one_thing_or_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
