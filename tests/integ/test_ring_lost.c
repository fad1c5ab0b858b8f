/*
 * test_ring_lost.c - a real unit whose calls are answered from the ring, and
 * the ring is gone when it starts again, as after a reboot: its log says so.
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

#include "ep_config.h"
#include "ep_file.h"
#include "hsa_buf.h"
#include "helper_load.h"
#include "vfy_log.h"

#define UNIT "operational-1"

static struct hd d;
static struct load l;
static char ring[160];

struct seen {
	unsigned int lost, starts;
	int64_t of_epoch;
	char why[128];
};

static hsa_rc
look(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct seen *s = ctx;

	(void)raw;
	(void)n;
	if (r->body != HSA_BODY_SPECIAL)
		return HSA_OK;
	s->starts += strcmp(r->special.name, "UNIT_START") == 0;
	if (strcmp(r->special.name, "RING_LOST") != 0)
		return HSA_OK;
	s->lost++;
	s->of_epoch = hsa_data_find(&r->special.details, "ofEpoch")->integer;
	(void)snprintf(s->why, sizeof(s->why), "%s",
	    hsa_data_find(&r->special.details, "why")->text);
	return HSA_OK;
}

static struct seen
check(void)
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

static void
find_ring(void)
{
	struct ep_config *cfg = NULL;
	struct hsa_diag diag = {{0}};
	struct hsa_buf b = {0};

	assert_int_equal(ep_config_load(&cfg, d.state, &diag).v, 0);
	ep_unit_ring(&b, cfg, ep_unit_find(cfg, UNIT));
	(void)snprintf(ring, sizeof(ring), "%s", hsa_buf_cstr(&b));
	hsa_buf_free(&b);
	ep_config_free(cfg);
}

/* The unit first, and nobody to start it again; the others get to end in
 * order. */
static void
kill_all(void)
{
	char lock[160];

	(void)snprintf(lock, sizeof(lock), "%s/units/" UNIT "/lock", d.state);
	assert_int_equal(kill(d.pid, SIGSTOP), 0);
	assert_int_equal(kill(hd_unit_pid(&d, UNIT), SIGKILL), 0);
	assert_int_equal(kill(d.pid, SIGKILL), 0);
	assert_int_equal(waitpid(d.pid, NULL, 0), d.pid);
	d.pid = 0;
	for (int i = 0; i < 1000 && ep_lock_holder(lock) != 0; i++)
		(void)usleep(10000);
	assert_int_equal(ep_lock_holder(lock), 0);
}

static bool
stats_say(const char *text)
{
	char prog[256], line[1000], out[16384];
	size_t n;
	FILE *p;

	hd_program(prog, sizeof(prog), "hsa");
	(void)snprintf(line, sizeof(line),
	    "%s stats %s/units/" UNIT "/log && %s verify --quiet %s", prog,
	    d.state, prog, d.state);
	p = popen(line, "r");
	assert_non_null(p);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	assert_int_equal(pclose(p), 0);
	return strstr(out, text) != NULL;
}

static void
test_ring_lost__is_a_record_once_and_only_when_calls_may_be_lost(void **state)
{
	static const char *const unit[] = {UNIT};
	struct seen s;
	FILE *f;

	(void)state;
	assert_true(hd_ceremony(&d));
	assert_true(hd_emission(&d, "ring"));
	find_ring();
	/* a kill that leaves the ring loses nothing */
	assert_true(hd_start(&d));
	load_new(&l, &d, unit, 1, 2, 4000, 7);
	l.reconnect = true;
	load_run(&l, 200);
	kill_all();
	assert_int_equal(access(ring, F_OK), 0);
	assert_true(hd_start(&d));
	load_run(&l, 50);
	assert_int_equal(check().lost, 0);
	/* one with the ring is told, and not again */
	kill_all();
	assert_int_equal(unlink(ring), 0);
	assert_true(hd_start(&d));
	s = check();
	assert_int_equal(s.lost, 1);
	assert_int_equal(s.of_epoch, s.starts - 1);
	assert_non_null(strstr(s.why, "gone"));
	load_run(&l, 50);
	kill_all();
	assert_true(hd_start(&d));
	assert_int_equal(check().lost, 1);
	assert_int_equal(hd_stop(&d), 0);
	assert_int_equal(access(ring, F_OK), -1);
	/* an end in order has nothing to miss */
	assert_true(hd_start(&d));
	assert_int_equal(check().lost, 1);
	load_run(&l, 20);
	kill_all();
	/* what is there instead gets out of the way */
	f = fopen(ring, "r+");
	assert_non_null(f);
	assert_true(fputs("who knows what", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_true(hd_start(&d));
	s = check();
	assert_int_equal(s.lost, 2);
	assert_non_null(strstr(s.why, "set aside"));
	load_run(&l, 20);
	assert_true(load_settle(&l, 0));
	assert_int_equal(hd_stop(&d), 0);
	assert_true(stats_say("2  RING_LOST"));
	(void)snprintf(
	    ring + strlen(ring), sizeof(ring) - strlen(ring), ".aside-1");
	assert_int_equal(unlink(ring), 0);
	load_free(&l);
	hd_free(&d);
}

/* Each reply of mode sealed has its record on the disk. */
static void
test_ring_lost__is_nothing_to_a_unit_that_waits_for_the_disk(void **state)
{
	static const char *const unit[] = {UNIT};

	(void)state;
	assert_true(hd_ceremony(&d));
	assert_true(hd_emission(&d, "sealed"));
	find_ring();
	assert_true(hd_start(&d));
	load_new(&l, &d, unit, 1, 2, 4000, 7);
	l.reconnect = true;
	load_run(&l, 50);
	kill_all();
	assert_int_equal(unlink(ring), 0);
	assert_true(hd_start(&d));
	load_run(&l, 20);
	assert_int_equal(hd_stop(&d), 0);
	assert_int_equal(check().lost, 0);
	load_free(&l);
	hd_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_ring_lost__is_a_record_once_and_only_when_calls_may_be_lost),
	    cmocka_unit_test(
		test_ring_lost__is_nothing_to_a_unit_that_waits_for_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
