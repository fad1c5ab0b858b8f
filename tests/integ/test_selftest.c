/*
 * test_selftest.c - a real unit whose token computes wrongly, by a PKCS#11
 * module that does (tests/preload/cu_wrong.c): the self-test finds it, at the
 * start and on command; the unit says so and refuses work until it is mended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "ep11_pkcs11.h"
#include "ep_config.h"
#include "ep_sock.h"
#include "helper_load.h"
#include "hsa_buf.h"
#include "vfy_log.h"

#define UNIT "operational-1"
#define QUERY_SELFTEST 4u

static struct hd d;
static struct load l; /* its caller and the unit's socket */
static char wrong[128];

/* ---- the module ---------------------------------------------------------- */

static void
put_wrong(const char *what)
{
	FILE *f = fopen(wrong, "w");

	assert_non_null(f);
	assert_true(fputs(what, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Each unit is to load ours, and that what was configured. */
static void
use_module(void)
{
	static const char key[] = "pkcs11_module: ";
	const char *build = getenv("CU_BUILD");
	char path[160], module[600], line[512], *was;
	struct ep_config *c = NULL;
	struct hsa_buf b = {0};
	FILE *f;

	(void)snprintf(
	    line, sizeof(line), "%s/lib", build != NULL ? build : "build");
	was = realpath(line, NULL);
	assert_non_null(was);
	(void)snprintf(module, sizeof(module), "%s/cu-wrong.so", was);
	free(was);
	assert_int_equal(access(module, R_OK), 0);
	assert_int_equal(ep_config_load(&c, d.state, NULL).v, 0);
	assert_int_equal(setenv("CU_MODULE", c->pkcs11_module, 1), 0);
	ep_config_free(c);
	(void)snprintf(wrong, sizeof(wrong), "%s/wrong", d.root);
	assert_int_equal(setenv("CU_WRONG", wrong, 1), 0);
	(void)snprintf(path, sizeof(path), "%s/config.yaml", d.state);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			hsa_buf_printf(&b, "%s%s\n", key, module);
		else
			hsa_buf_str(&b, line);
	(void)fclose(f);
	assert_non_null(strstr(hsa_buf_cstr(&b), module));
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.len, f), b.len);
	assert_int_equal(fclose(f), 0);
	hsa_buf_free(&b);
}

/* ---- asking -------------------------------------------------------------- */

static void
ask(struct hsa_unit_reply *r, const struct hsa_unit_request *q)
{
	int fd = -1;

	memset(r, 0, sizeof(*r));
	assert_int_equal(ep_sock_connect(&fd, l.sock[0], 5000, NULL).v, 0);
	assert_true(load_ask(fd, r, q));
	assert_int_equal(r->kind, q->kind);
	(void)close(fd);
}

static struct hsa_unit_status
status(void)
{
	const struct hsa_unit_request q = {
	    .kind = HSA_UNIT_STATUS, .caller = l.caller};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	struct hsa_unit_status st;

	assert_non_null(r);
	ask(r, &q);
	st = r->status;
	hsa_unit_reply_free(r);
	free(r);
	return st;
}

static unsigned long
random_bytes(void)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_EP11, .caller = l.caller};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	unsigned long rv;

	q.call.fn = HSA_FN_GENERATE_RANDOM;
	q.call.number = 16;
	assert_non_null(r);
	ask(r, &q);
	rv = r->call.rv;
	hsa_unit_reply_free(r);
	free(r);
	return rv;
}

static uint32_t
test_on_command(uint32_t sub)
{
	const struct hsa_unit_request q = {.kind = HSA_UNIT_INFO,
	    .caller = l.caller,
	    .query = QUERY_SELFTEST,
	    .subquery = sub};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	uint32_t rv;

	assert_non_null(r);
	ask(r, &q);
	rv = r->info.rv;
	hsa_unit_reply_free(r);
	free(r);
	return rv;
}

static int
daemon_says(char *out, size_t room, const char *verb, const char *more)
{
	char prog[256], line[700];
	size_t n = 0;
	FILE *p;
	int st;

	hd_program(prog, sizeof(prog), "cryptounitd");
	(void)snprintf(
	    line, sizeof(line), "%s %s %s %s 2>&1", prog, verb, d.state, more);
	p = popen(line, "r");
	assert_non_null(p);
	n = fread(out, 1, room - 1, p);
	out[n] = '\0';
	st = pclose(p);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static bool
resume(void)
{
	char text[8192];

	return daemon_says(text, sizeof(text), "resume", "--unit " UNIT) == 0;
}

/* ---- the log ------------------------------------------------------------- */

struct seen {
	unsigned int at_start, on_command, provoked, passed;
	unsigned int started_failed, started_passed, calls_ok;
	int64_t lost;
};

static hsa_rc
look(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct seen *s = ctx;
	const struct hsa_field *at;
	const char *name = r->special.name;

	(void)raw;
	(void)n;
	if (r->body == HSA_BODY_EVENT && r->has_use)
		s->calls_ok += r->ep11_rc == CKR_OK;
	if (r->body != HSA_BODY_SPECIAL)
		return HSA_OK;
	at = hsa_data_find(&r->special.details, "when");
	if (strcmp(name, "SELF_TEST_FAILED") == 0) {
		assert_int_equal(r->ep11_rc, CKR_IBM_ERROR_STATE);
		assert_non_null(at);
		s->at_start += strcmp(at->text, "start") == 0;
		s->on_command += strcmp(at->text, "command") == 0;
		s->provoked +=
		    hsa_data_find(&r->special.details, "provoked") != NULL;
	}
	if (strcmp(name, "SELF_TEST") == 0) {
		assert_int_equal(r->ep11_rc, CKR_OK);
		s->passed++;
	}
	at = hsa_data_find(&r->special.details, "selfTest");
	if (strcmp(name, "UNIT_START") == 0 && at != NULL) {
		s->started_failed += strcmp(at->text, "failed") == 0;
		s->started_passed += strcmp(at->text, "passed") == 0;
	}
	if (strcmp(name, "LOST_EVENTS") == 0)
		s->lost += hsa_data_find(&r->special.details, "calls")->integer;
	return HSA_OK;
}

static struct seen
read_log(void)
{
	char path[200];
	struct vfy_keys keys = {0};
	struct hsa_diag diag = {{0}};
	struct vfy_result res;
	struct seen s = {0};
	struct vfy_options opt = {.keys = &keys, .on_record = look, .ctx = &s};

	(void)snprintf(path, sizeof(path), "%s/checkpoint.pub", d.state);
	assert_int_equal(vfy_keys_load(&keys, path, &diag).v, 0);
	(void)snprintf(path, sizeof(path), "%s/units/" UNIT "/log", d.state);
	assert_int_equal(vfy_log(&res, path, &opt, &diag).v, 0);
	if (res.bad)
		fail_msg("%s: %s", res.rule, res.finding);
	vfy_keys_free(&keys);
	return s;
}

/* ---- the cases ----------------------------------------------------------- */

/* Refuses two calls, with the code for it, and says so. */
static void
is_halted(void)
{
	struct hsa_unit_status st = status();
	uint64_t lost = st.lost;
	char text[8192];

	assert_int_equal(st.halted_status, 503);
	if (strstr(st.halted, "self-test") == NULL ||
	    strstr(st.halted, "PKCS#11 module") == NULL)
		fail_msg("%s", st.halted);
	assert_int_equal(random_bytes(), CKR_IBM_ERROR_STATE);
	assert_int_equal(random_bytes(), CKR_IBM_ERROR_STATE);
	assert_int_equal(status().lost, lost + 2);
	assert_int_equal(daemon_says(text, sizeof(text), "status", ""), 1);
	assert_non_null(strstr(text, "HALTED 503"));
}

static void
works(void)
{
	assert_int_equal(status().halted_status, 0);
	assert_int_equal(random_bytes(), CKR_OK);
}

static void
test_selftest__a_token_that_computes_wrongly_halts_its_unit(void **state)
{
	static const char *const how[] = {"encrypt", "digest"};
	static const char *const unit[] = {UNIT};
	struct seen before, s;
	uint64_t epoch;

	(void)state;
	assert_true(hd_ceremony(&d));
	use_module();
	assert_true(hd_emission(&d, "sealed"));
	load_new(&l, &d, unit, 1, 1, 1, 7);
	before = read_log();
	assert_int_equal(before.at_start + before.on_command, 0);
	assert_true(hd_start(&d));
	works();
	for (size_t i = 0; i < 2; i++) {
		/* at the start */
		assert_int_equal(hd_stop(&d), 0);
		put_wrong(how[i]);
		assert_true(hd_start(&d));
		is_halted();
		/* which does not help while it is as it is */
		epoch = status().epoch;
		assert_false(resume());
		assert_true(status().epoch > epoch);
		is_halted();
		assert_int_equal(unlink(wrong), 0);
		is_halted();
		assert_true(resume());
		works();
		/* on command */
		assert_int_equal(test_on_command(0), CKR_OK);
		assert_int_equal(test_on_command(1), CKR_IBM_ERROR_STATE);
		works();
		put_wrong(how[i]);
		works(); /* until somebody asks */
		assert_int_equal(test_on_command(0), CKR_IBM_ERROR_STATE);
		is_halted();
		assert_int_equal(unlink(wrong), 0);
		assert_true(resume());
		works();
	}
	assert_int_equal(hd_stop(&d), 0);
	s = read_log();
	printf("COUNT self-tests of a wrong token: %u at the start, %u on "
	       "command, %u of them provoked; %lld calls refused and told\n",
	    s.at_start, s.on_command, s.provoked, (long long)s.lost);
	assert_int_equal(s.at_start, 4);
	assert_int_equal(s.started_failed, 4);
	assert_int_equal(s.on_command, 4);
	assert_int_equal(s.provoked, 2);
	assert_int_equal(s.passed - before.passed, 2);
	assert_int_equal(s.started_passed - before.started_passed, 5);
	assert_int_equal(s.lost, 2 * 8);
	assert_int_equal(s.calls_ok - before.calls_ok, 1 + 2 * 4);
	load_free(&l);
	hd_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_selftest__a_token_that_computes_wrongly_halts_its_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
