/*
 * test_newlog_kill.c - `cryptounitd new-log`, killed before each call of it
 * that changes what is on the disk: a start finds the old log, as it was, or
 * the new one, and the command goes on where it was.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "ep_inside.h"
#include "helper_daemon.h"
#include "vfy_log.h"

#define UNIT "operational-1"
#define POINTS_MAX 400

static struct hd d;
static char unit[160], preload[600];

static int shell(const char *fmt, ...) HSA_PRINTF(1, 2);

static int
shell(const char *fmt, ...)
{
	char line[2000];
	va_list ap;
	int st;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	st = system(line);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

/* The unit opened and closed in order, in a process of its own. */
static hsa_rc
start_unit(void)
{
	int st = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct ep_inside *in = NULL;
		hsa_rc rc = ep_inside_open(&in, d.state, UNIT, 0, NULL);

		ep_inside_close(in);
		_exit(hsa_is_ok(rc) ? 0 : -rc.v);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFEXITED(st));
	return (hsa_rc){-WEXITSTATUS(st)};
}

/* 0, or what a shell says of a process that was killed. */
static int
new_log(unsigned int kill_at, const char *out)
{
	char prog[256];

	hd_program(prog, sizeof(prog), "cryptounitd");
	return shell("%s%s CU_KILL_AT=%u %s new-log %s --unit " UNIT
		     " --reason 'a test' >%s 2>&1",
	    kill_at != 0 ? "LD_PRELOAD=" : "", kill_at != 0 ? preload : "",
	    kill_at, prog, d.state, out);
}

struct seen {
	unsigned int chains, starts;
};

static hsa_rc
look(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct seen *s = ctx;

	(void)raw;
	(void)n;
	s->chains += strcmp(r->special.name, "NEW_CHAIN") == 0;
	s->starts += strcmp(r->special.name, "UNIT_START") == 0;
	return HSA_OK;
}

static void
check_new(bool started)
{
	char path[200];
	struct vfy_keys keys = {0};
	struct hsa_diag diag = {{0}};
	struct vfy_result res;
	struct seen s = {0};
	struct vfy_options opt = {.keys = &keys, .on_record = look, .ctx = &s};

	(void)snprintf(path, sizeof(path), "%s/checkpoint.pub", d.state);
	assert_int_equal(vfy_keys_load(&keys, path, &diag).v, 0);
	assert_int_equal(keys.len, 2);
	(void)snprintf(path, sizeof(path), "%s/log", unit);
	assert_int_equal(vfy_log(&res, path, &opt, &diag).v, 0);
	if (res.bad)
		fail_msg("%s: %s", res.rule, res.finding);
	assert_true(res.chain.has);
	assert_string_equal(res.origin + strlen(res.origin) - 2, ".2");
	assert_int_equal(s.chains, 1);
	assert_true(!started || s.starts >= 1);
	vfy_keys_free(&keys);
	/* the old one is as it was, there once, and nothing is left over */
	assert_int_equal(
	    shell("diff -r %s/log.damaged-1 %s/broken", unit, d.root), 0);
	assert_int_equal(shell("test $(ls -d %s/log* | wc -l) = 2", unit), 0);
}

static void
test_newlog_kill__leaves_the_old_log_or_the_new_one(void **state)
{
	unsigned int n, old = 0, new = 0, nothing = 0;
	char out[128], keep[128];
	int st;

	(void)state;
	assert_true(hd_init(&d, "operational=1"));
	(void)snprintf(unit, sizeof(unit), "%s/units/" UNIT, d.state);
	(void)snprintf(out, sizeof(out), "%s/out", d.root);
	(void)snprintf(keep, sizeof(keep), "%s/keep", d.root);
	assert_int_equal(start_unit().v, 0);
	assert_int_equal(start_unit().v, 0);
	assert_int_equal(
	    shell("f=$(ls %s/log/seg-*.slog); printf X | "
		  "dd of=$f bs=1 seek=700 conv=notrunc status=none",
		unit),
	    0);
	assert_int_equal(shell("cp -a %s/log %s/broken", unit, d.root), 0);
	assert_int_equal(start_unit().v, HSA_E_CORRUPT);
	assert_int_equal(shell("cp -a %s %s", d.state, keep), 0);
	for (n = 1; n < POINTS_MAX; n++) {
		hsa_rc rc;

		st = new_log(n, out);
		if (st == 0)
			break;
		/* sh says 128 + signal */
		assert_int_equal(st, 128 + SIGKILL);
		if (n % 2 == 0) { /* a start comes first */
			rc = start_unit();
			if (rc.v == HSA_E_CORRUPT) {
				old++;
				assert_int_equal(
				    shell("diff -r %s/log %s/broken && ! ls "
					  "%s/log.damaged-* 2>/dev/null",
					unit, d.root, unit),
				    0);
			} else {
				assert_int_equal(rc.v, 0);
				new ++;
				check_new(true);
			}
		}
		st = new_log(0, out);
		if (st != 0) {
			nothing++;
			assert_int_equal(st, 1);
			assert_int_equal(
			    shell("grep -q 'nothing is wrong' %s", out), 0);
		}
		if (n % 2 != 0)
			assert_int_equal(start_unit().v, 0);
		check_new(n % 2 != 0);
		assert_int_equal(
		    shell("rm -rf %s && cp -a %s %s", d.state, keep, d.state),
		    0);
	}
	assert_true(n > 20 && n < POINTS_MAX);
	assert_true(old > 0 && new > 0);
	printf(
	    "COUNT kills of new-log: %u points; a start after %u of them "
	    "found the old log, after %u the new one; nothing was left to do "
	    "after %u\n",
	    n - 1, old, new, nothing);
	assert_int_equal(start_unit().v, 0);
	check_new(true);
	hd_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_newlog_kill__leaves_the_old_log_or_the_new_one),
	};
	const char *build = getenv("CU_BUILD");
	char *real;

	(void)snprintf(preload, sizeof(preload), "%s/lib/cu-kill.so",
	    build != NULL ? build : "build");
	real = realpath(preload, NULL);
	if (real == NULL)
		return 1;
	(void)snprintf(preload, sizeof(preload), "%s", real);
	free(real);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
