#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_emitter.h"
#include "helper_tls.h"
#include "helper_vfy_run.h"

#define NAME "collector.example"

static struct helper_emitter h;
static struct helper_ca ca;
static char ca_file[96], collector_file[96], emitter_file[96], copies[96];

static int
setup(void **state)
{
	(void)state;
	helper_emitter_init(&h, HSA_EMITTER_SEALED);
	(void)snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", h.base);
	(void)snprintf(
	    collector_file, sizeof(collector_file), "%s/collector.pem", h.base);
	(void)snprintf(
	    emitter_file, sizeof(emitter_file), "%s/emitter.pem", h.base);
	(void)snprintf(copies, sizeof(copies), "%s/copies", h.base);
	helper_ca_new(&ca, "test");
	helper_ca_write(&ca, ca_file);
	helper_ca_issue_collector(&ca, NAME, collector_file);
	/* the key, before the collector wants it, and the id */
	hsa_emitter_close(helper_emitter_open(&h));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_ca_free(&ca);
	helper_emitter_free(&h);
	return 0;
}

static void
emit(struct hsa_emitter_context *c, int n)
{
	struct hsa_emitter_event ev;

	helper_emitter_event(&ev);
	while (n-- > 0)
		assert_true(hsa_is_ok(hsa_emitter_emit(c, NULL, &ev, NULL)));
}

/* Until the collector has everything; its status then. */
static struct hsa_emitter_status
caught_up(struct hsa_emitter *e)
{
	struct hsa_emitter_status st = {0};

	for (int i = 0; i < 4000; i++) {
		hsa_emitter_status(e, &st);
		if (st.collector[0].acknowledged == st.log_size)
			break;
		(void)usleep(5000);
	}
	if (st.collector[0].acknowledged != st.log_size)
		(void)fprintf(stderr, "%s\n", st.collector[0].last_error);
	assert_int_equal(st.collector[0].acknowledged, st.log_size);
	return st;
}

/* Closed, the copy is the log, whole. */
static void
same(struct hsa_emitter *e)
{
	struct helper_emitter other = h;
	struct vfy_result res, copied;
	struct hsa_emitter_status st;
	char id[HSA_UUID_TEXT];

	hsa_emitter_status(e, &st);
	hsa_uuid_text(id, st.emitter_id);
	hsa_emitter_close(e); /* waits: UNIT_STOP is in the copy */
	helper_emitter_check(&h, &res, NULL, NULL);
	(void)snprintf(other.log, sizeof(other.log), "%s/%s", copies, id);
	helper_emitter_check(&other, &copied, NULL, NULL);
	assert_int_equal(copied.sealed, res.sealed);
	assert_memory_equal(copied.root, res.root, 32);
}

static void
test_emitter_connect__a_collector_gets_all_of_it(void **state)
{
	char sock[112], address[128];
	const char *args[] = {
	    "collect", "-l", address, "-o", copies, "-k", h.pub, NULL};
	struct hsa_emitter_status st;
	struct hsa_emitter_context *c;
	struct hsa_emitter *e;
	pid_t pid;

	(void)state;
	(void)snprintf(sock, sizeof(sock), "%s/sock", h.base);
	(void)snprintf(address, sizeof(address), "unix:%s", sock);
	pid = helper_vfy_spawn(cmd_collect.run, args, "ready", NULL);
	e = helper_emitter_open(&h);
	c = helper_emitter_context(e, 0);
	assert_true(
	    hsa_is_ok(hsa_emitter_connect(e, "siem", address, NULL, NULL)));
	emit(c, 10);
	st = caught_up(e);
	assert_int_equal(st.collectors, 1);
	assert_string_equal(st.collector[0].name, "siem");
	assert_true(st.collector[0].connected);
	hsa_emitter_context_free(c);
	same(e);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
}

static void
test_emitter_connect__over_tls_and_with_a_renewed_certificate(void **state)
{
	unsigned int port = 0;
	char address[64];
	const char *args[] = {"collect", "-l", address, "--ca", ca_file,
	    "--identity", collector_file, "-o", copies, "-k", h.pub, NULL};
	const struct hsa_emitter_tls tls = {
	    .ca = ca_file, .identity = emitter_file, .name = NAME};
	static const uint8_t stranger[HSA_UUID_LEN] = {
	    9, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16};
	struct hsa_emitter_status st = {0};
	struct hsa_emitter_context *c;
	struct hsa_emitter *e;
	pid_t pid;

	(void)state;
	(void)close(helper_tcp_listen(&port));
	(void)snprintf(address, sizeof(address), "tls:127.0.0.1:%u", port);
	pid = helper_vfy_spawn(cmd_collect.run, args, "ready", NULL);
	e = helper_emitter_open(&h);
	c = helper_emitter_context(e, 0);
	hsa_emitter_status(e, &st);
	/* somebody else's certificate: said in the status, nothing sent */
	helper_ca_issue_unit(&ca, stranger, emitter_file);
	assert_true(
	    hsa_is_ok(hsa_emitter_connect(e, "siem", address, &tls, NULL)));
	emit(c, 5);
	for (int i = 0; i < 2000 && st.collector[0].last_error[0] == '\0';
	     i++) {
		(void)usleep(5000);
		hsa_emitter_status(e, &st);
	}
	assert_string_not_equal(st.collector[0].last_error, "");
	assert_false(st.collector[0].connected);
	assert_int_equal(st.collector[0].acknowledged, 0);
	/* its own, put in place */
	helper_ca_issue_unit(&ca, st.emitter_id, emitter_file);
	hsa_emitter_renew(e);
	(void)caught_up(e);
	helper_ca_issue_unit(&ca, st.emitter_id, emitter_file);
	hsa_emitter_renew(e);
	emit(c, 5);
	st = caught_up(e);
	assert_string_equal(st.collector[0].last_error, "");
	hsa_emitter_context_free(c);
	same(e);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
}

static void
refused(hsa_rc rc, int32_t want, const struct hsa_diag *diag, const char *word)
{
	assert_int_equal(rc.v, want);
	assert_non_null(strstr(diag->text, word));
}

static void
test_emitter_connect__names_what_is_wrong(void **state)
{
	struct hsa_emitter *e = helper_emitter_open(&h);
	struct hsa_emitter_tls tls = {.ca = ca_file, .name = NAME};
	struct hsa_diag diag;
	char address[112];

	(void)state;
	refused(hsa_emitter_connect(e, NULL, "unix:/x", NULL, &diag), HSA_E_ARG,
	    &diag, "without name");
	refused(hsa_emitter_connect(e, "siem", "pigeon:1", NULL, &diag),
	    HSA_E_UNSUPPORTED, &diag, "unix:PATH");
	refused(hsa_emitter_connect(e, "siem", "tls:a:1", NULL, &diag),
	    HSA_E_ARG, &diag, "with tls");
	refused(hsa_emitter_connect(e, "siem", "tls:a:1", &tls, &diag),
	    HSA_E_ARG, &diag, "set ca, identity and name");
	tls.reserved[3] = 1;
	refused(hsa_emitter_connect(e, "siem", "tls:a:1", &tls, &diag),
	    HSA_E_ARG, &diag, "start from zeros");
	for (int i = 0; i < HSA_EMITTER_COLLECTORS_MAX; i++) {
		(void)snprintf(
		    address, sizeof(address), "unix:%s/none-%d", h.base, i);
		assert_true(hsa_is_ok(
		    hsa_emitter_connect(e, "away", address, NULL, &diag)));
	}
	refused(hsa_emitter_connect(e, "siem", address, NULL, &diag),
	    HSA_E_FULL, &diag, "at most 8");
	hsa_emitter_close(e);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_emitter_connect__a_collector_gets_all_of_it),
	    CASE(test_emitter_connect__over_tls_and_with_a_renewed_certificate),
	    CASE(test_emitter_connect__names_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
