/*
 * test_faults.c - forced audit at a real unit over a real token: what happens
 * to its log, how the unit refuses, whether a reply left without its record,
 * and the documented way out. Prints the table, and checks each cell of it.
 *
 * Faults of the disk come from tests/preload/cu_fault.c; a full disk also from
 * a small tmpfs, where mounting is allowed; lost files are lost in truth.
 */
#include <setjmp.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "ep_config.h"
#include "ep_sock.h"
#include "helper_load.h"
#include "vfy_file.h"
#include "vfy_log.h"

#define UNIT "operational-1"
#define THREADS 4
#define CALLS_MAX 60000
#define DEVICE_ERROR 0x30u /* CKR_DEVICE_ERROR */

enum cause {
	BY_PRELOAD = 1, /* `control` says what fails */
	BY_TMPFS,
	BY_DELETE,
	BY_REPLACE
};

struct fault {
	const char *name, *mode, *control;
	enum cause cause;
	const char *said;    /* in the status */
	const char *way_out; /* what the operator does, before resume */
};

static const struct fault faults[] = {
    {"ENOSPC (small tmpfs)", "sealed", NULL, BY_TMPFS, "free space",
	"enlarge the disk"},
    {"ENOSPC on write", "sealed", "write 28", BY_PRELOAD, "free space",
	"free space"},
    {"EIO on write", "sealed", "write 5", BY_PRELOAD, "repair its disk",
	"repair the disk"},
    {"EIO on write", "ring", "write 5", BY_PRELOAD, "repair its disk",
	"repair the disk"},
    {"EIO on fsync", "sealed", "sync 5", BY_PRELOAD, "repair its disk",
	"repair the disk"},
    {"EIO on fsync", "ring", "sync 5", BY_PRELOAD, "repair its disk",
	"repair the disk"},
    {"read-only folder", "sealed", "create 30", BY_PRELOAD, "mount its disk",
	"mount it for writing"},
    {"no permission", "sealed", "create 13", BY_PRELOAD, "writable",
	"make it writable"},
    {"log file deleted", "sealed", NULL, BY_DELETE, "put its folder back",
	"put the file back"},
    {"log file replaced", "sealed", NULL, BY_REPLACE, "put its folder back",
	"put the file back"},
    {"full ring (stuck disk)", "ring", "stall 0", BY_PRELOAD, "resume",
	"repair the disk"},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static struct hd d;
static struct load l;
static char control[128], logdir[160], kept[200], last[200];

/* ---- breaking and mending ------------------------------------------------ */

static void
put_control(const char *text)
{
	FILE *f = fopen(control, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
find_last(void)
{
	struct vfy_segments s = {0};
	struct hsa_diag diag = {{0}};
	int fd = -1;

	assert_int_equal(vfy_file_folder(&fd, logdir, &diag).v, 0);
	assert_int_equal(vfy_file_list(&s, fd, &diag).v, 0);
	assert_true(s.len > 0);
	(void)snprintf(
	    last, sizeof(last), "%.150s/%.40s", logdir, s.seg[s.len - 1].name);
	vfy_segments_free(&s);
	(void)close(fd);
}

static void
copy_file(const char *to, const char *from)
{
	char buf[4096];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		assert_int_equal(fwrite(buf, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
	(void)fclose(in);
}

static bool
mount_small(const char *options)
{
	return mount("cu-test", logdir, "tmpfs", 0, options) == 0;
}

static void
strike(const struct fault *f)
{
	if (f->cause == BY_PRELOAD)
		put_control(f->control);
	if (f->cause != BY_DELETE && f->cause != BY_REPLACE)
		return;
	find_last();
	(void)snprintf(kept, sizeof(kept), "%s/kept.slog", d.root);
	(void)unlink(kept);
	assert_int_equal(link(last, kept), 0);
	assert_int_equal(unlink(last), 0);
	if (f->cause == BY_REPLACE)
		copy_file(last, kept);
}

static void *
strike_later(void *arg)
{
	const struct timespec little = {0, 200000};

	for (int i = 0; i < 50000 && atomic_load(&l.answered) < 200; i++)
		(void)nanosleep(&little, NULL);
	strike(arg);
	return NULL;
}

static void
mend(const struct fault *f)
{
	if (f->cause == BY_PRELOAD)
		assert_int_equal(unlink(control), 0);
	if (f->cause == BY_TMPFS)
		assert_int_equal(mount("cu-test", logdir, "tmpfs", MS_REMOUNT,
				     "size=64m,mode=0700"),
		    0);
	if (f->cause == BY_DELETE || f->cause == BY_REPLACE)
		assert_int_equal(rename(kept, last), 0);
}

/* ---- asking -------------------------------------------------------------- */

static struct hsa_unit_status
status(void)
{
	struct hsa_unit_request q = {
	    .kind = HSA_UNIT_STATUS, .caller = l.caller};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	struct hsa_unit_status st;
	int fd = -1;

	assert_non_null(r);
	assert_int_equal(ep_sock_connect(&fd, l.sock[0], 5000, NULL).v, 0);
	assert_true(load_ask(fd, r, &q));
	assert_int_equal(r->kind, HSA_UNIT_STATUS);
	st = r->status;
	hsa_unit_reply_free(r);
	free(r);
	(void)close(fd);
	return st;
}

static int
daemon_says(
    char *out, size_t room, const char *verb, const char *a, const char *b)
{
	char prog[256], line[700];
	size_t n = 0;
	FILE *p;
	int st;

	hd_program(prog, sizeof(prog), "cryptounitd");
	(void)snprintf(line, sizeof(line), "%s %s %s %s %s 2>&1", prog, verb,
	    d.state, a, b);
	p = popen(line, "r");
	assert_non_null(p);
	n = fread(out, 1, room - 1, p);
	out[n] = '\0';
	st = pclose(p);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

/* ---- counting ------------------------------------------------------------ */

struct tally {
	unsigned long replies, records, lost, refused, late, unanswered;
};

/* Every reply has one record. A call that was refused has none, but for those
 * under way when the log closed: what the unit did is told later. */
static struct tally
count(void)
{
	struct tally t = {0};

	for (unsigned int i = 0; i < l.threads; i++)
		for (size_t k = 0; k < l.used[i]; k++) {
			const struct load_entry *e =
			    &l.ledger[i * l.per_thread + k];

			if (!e->sent)
				continue;
			if (!e->replied) {
				t.unanswered++;
				continue;
			}
			if (e->rv == DEVICE_ERROR) {
				t.refused++;
				t.late += e->records;
				continue;
			}
			t.replies++;
			t.records += e->records;
			t.lost += e->records == 1 ? 0 : 1;
		}
	return t;
}

struct told {
	int64_t calls;
	unsigned int n;
};

static hsa_rc
find_lost(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct told *t = ctx;

	(void)raw;
	(void)n;
	if (r->body != HSA_BODY_SPECIAL ||
	    strcmp(r->special.name, "LOST_EVENTS") != 0)
		return HSA_OK;
	t->n++;
	t->calls = hsa_data_find(&r->special.details, "calls")->integer;
	return HSA_OK;
}

static struct told
lost_told(const char *keys_file)
{
	struct vfy_keys keys = {0};
	struct vfy_result res;
	struct hsa_diag diag = {{0}};
	struct told t = {0};
	struct vfy_options opt = {
	    .keys = &keys, .on_record = find_lost, .ctx = &t};

	assert_int_equal(vfy_keys_load(&keys, keys_file, &diag).v, 0);
	assert_int_equal(vfy_log(&res, logdir, &opt, &diag).v, 0);
	if (res.bad)
		fail_msg("%s: %s", res.rule, res.finding);
	vfy_keys_free(&keys);
	return t;
}

/* ---- one fault ----------------------------------------------------------- */

static void
small_segments(void)
{
	char path[200];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/config.yaml", d.state);
	f = fopen(path, "a");
	assert_non_null(f);
	assert_true(fputs("log:\n  segment_bytes: 65536\n  ring_slots: 1024\n",
			f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
run_fault(const struct fault *f)
{
	static const char *const unit[] = {UNIT};
	char text[8192], keys[200];
	struct hsa_unit_status st;
	unsigned long refused;
	struct told told;
	struct tally t;
	pthread_t striker;
	int64_t before;

	assert_true(hd_ceremony(&d));
	assert_true(hd_emission(&d, f->mode));
	small_segments();
	(void)snprintf(control, sizeof(control), "%s/fault", d.root);
	(void)snprintf(
	    logdir, sizeof(logdir), "%s/units/" UNIT "/log", d.state);
	(void)snprintf(keys, sizeof(keys), "%s/checkpoint.pub", d.state);
	assert_int_equal(setenv("CU_FAULT", control, 1), 0);
	if (f->cause == BY_TMPFS) {
		/* the ceremony's records move along */
		char line[600];

		(void)snprintf(
		    line, sizeof(line), "cp -a %s %s/was", logdir, d.root);
		assert_int_equal(system(line), 0);
		if (!mount_small("size=1m,mode=0700")) {
			printf("%-24s | mounting is not allowed here (%s); the "
			       "next line has the same fault\n",
			    f->name, strerror(errno));
			hd_free(&d);
			return;
		}
		(void)snprintf(
		    line, sizeof(line), "cp -a %s/was/. %s/", d.root, logdir);
		assert_int_equal(system(line), 0);
	}
	assert_true(hd_start(&d));
	load_new(&l, &d, unit, 1, THREADS, CALLS_MAX, 7);
	l.halts = true;
	load_run(&l, 50);
	/* in the middle of it; a full disk comes by itself */
	assert_int_equal(
	    pthread_create(&striker, NULL, strike_later, (void *)(uintptr_t)f),
	    0);
	load_run(&l, f->cause == BY_TMPFS ? 4000 : 700);
	assert_int_equal(pthread_join(striker, NULL), 0);
	/* a call cannot be answered while the disk does not: in ring mode it
	 * is refused when the ring is full for too long */
	st = status();
	if (st.halted_status != 507)
		fail_msg("%s: %u %s", f->name, st.halted_status, st.halted);
	if (strstr(st.halted, f->said) == NULL)
		fail_msg("%s: %s", f->name, st.halted);
	load_run(&l, 20);
	st = status();
	refused = (unsigned long)st.lost;
	before = (int64_t)st.epoch;
	/* the status says it in both shapes, the log can still be read */
	assert_int_equal(daemon_says(text, sizeof(text), "status", "", ""), 1);
	assert_non_null(strstr(text, "HALTED 507"));
	assert_int_equal(
	    daemon_says(text, sizeof(text), "status", "--json", ""), 1);
	assert_non_null(strstr(text, "\"haltedStatus\":507"));
	/* and nobody starts it again before it is mended */
	assert_int_equal((int64_t)status().epoch, before);
	mend(f);
	if (daemon_says(text, sizeof(text), "resume", "--unit", UNIT) != 0)
		fail_msg("%s: %s", f->name, text);
	load_run(&l, 50);
	assert_true(load_settle(&l, 0));
	assert_int_equal(status().halted_status, 0);
	assert_int_equal(hd_stop(&d), 0);
	load_check(&l, logdir, keys, 0);
	t = count();
	told = lost_told(keys);
	printf("%-24s | %-6s | halts | 507, CKR_DEVICE_ERROR | %7lu | %7lu | "
	       "%4lu | %7lu | %s; cryptounitd resume\n",
	    f->name, f->mode, t.replies, t.records, t.lost, t.refused - t.late,
	    f->way_out);
	assert_int_equal(l.disagree + l.doubled + l.invented, 0);
	assert_int_equal(t.lost, 0);
	assert_true(t.late <= THREADS);
	assert_true(t.refused >= THREADS);
	assert_int_equal(t.records, t.replies);
	/* every one that was refused is counted, and told */
	assert_int_equal(t.refused - t.late, refused);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.calls, refused);
	load_free(&l);
	if (f->cause == BY_TMPFS)
		assert_int_equal(umount2(logdir, MNT_DETACH), 0);
	hd_free(&d);
}

static void
test_faults__each_ends_in_refusal_and_none_loses_an_event(void **state)
{
	const char *only = getenv("FAULT");
	char preload[300];
	const char *build = getenv("CU_BUILD");

	(void)state;
	(void)snprintf(preload, sizeof(preload), "%s/lib/cu-fault.so",
	    build != NULL ? build : "build");
	if (preload[0] != '/') {
		char *cwd = getcwd(NULL, 0), full[600];

		assert_non_null(cwd);
		(void)snprintf(full, sizeof(full), "%.250s/%s", cwd, preload);
		free(cwd);
		(void)snprintf(preload, sizeof(preload), "%.299s", full);
	}
	assert_int_equal(access(preload, R_OK), 0);
	assert_int_equal(setenv("LD_PRELOAD", preload, 1), 0);
	printf("fault                    | mode   | unit  | codes              "
	       "  | replies | records | lost | refused | way out\n");
	for (size_t i = 0; i < FAULTS; i++)
		if (only == NULL || (size_t)atoi(only) == i)
			run_fault(&faults[i]);
	assert_int_equal(unsetenv("LD_PRELOAD"), 0);
}

/* ---- retention ----------------------------------------------------------- */

static pid_t
collector(void)
{
	char prog[256], at[200], out[200], keys[200];
	char collect[] = "collect", listen[] = "--listen", to[] = "--out",
	     key[] = "--key";
	char *argv[] = {prog, collect, listen, at, to, out, key, keys, NULL};

	hd_program(prog, sizeof(prog), "hsa");
	(void)snprintf(at, sizeof(at), "unix:%s/collect.sock", d.state);
	(void)snprintf(out, sizeof(out), "%s/copy", d.root);
	(void)snprintf(keys, sizeof(keys), "%s/checkpoint.pub", d.state);
	return hd_spawn(argv, "ready");
}

static void
stop_collector(pid_t pid)
{
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
limits(uint64_t most)
{
	char path[200];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/config.yaml", d.state);
	f = fopen(path, "a");
	assert_non_null(f);
	assert_true(fprintf(f,
			"log:\n  segment_bytes: 65536\n  max_bytes: %llu\n"
			"  release: acknowledged\n",
			(unsigned long long)most) > 0);
	assert_int_equal(fclose(f), 0);
}

static bool
wait_until(bool (*good)(const struct hsa_unit_status *st))
{
	const struct timespec nap = {0, 50000000};

	for (int i = 0; i < 400; i++) {
		struct hsa_unit_status st = status();

		if (good(&st))
			return true;
		(void)nanosleep(&nap, NULL);
		if (i == 399)
			printf("%u %s; %llu to %llu, %llu bytes; %llu %s\n",
			    st.halted_status, st.halted,
			    (unsigned long long)st.log_first,
			    (unsigned long long)st.log_size,
			    (unsigned long long)st.log_bytes,
			    (unsigned long long)st.collector[0].acknowledged,
			    st.collector[0].last_error);
	}
	return false;
}

static bool
is_full(const struct hsa_unit_status *st)
{
	return st->halted_status == 507;
}

static bool
works_again(const struct hsa_unit_status *st)
{
	return st->halted_status == 0 && st->log_first != 0 &&
	       st->log_bytes < st->log_cap / 2 + 65536;
}

static void
test_faults__at_its_limit_a_log_refuses_until_collectors_have_it(void **state)
{
	static const char *const unit[] = {UNIT};
	char text[8192], keys[200], copy[200];
	struct hsa_unit_status st;
	struct ep_config *cfg = NULL;
	struct hsa_diag diag = {{0}};
	uint64_t epoch, first;
	struct tally t;
	pid_t pid;

	(void)state;
	assert_true(hd_ceremony(&d));
	assert_true(hd_emission(&d, "sealed"));
	limits(400000);
	(void)snprintf(
	    logdir, sizeof(logdir), "%s/units/" UNIT "/log", d.state);
	(void)snprintf(keys, sizeof(keys), "%s/checkpoint.pub", d.state);
	(void)snprintf(copy, sizeof(copy), "%s/copy", d.root);
	assert_true(hd_start(&d));
	load_new(&l, &d, unit, 1, THREADS, CALLS_MAX, 11);
	l.halts = true;
	/* nobody collects: it fills up, and refuses; nothing is overwritten */
	load_run(&l, 6000);
	assert_true(wait_until(is_full));
	st = status();
	assert_non_null(strstr(st.halted, "limit"));
	assert_int_equal(st.log_first, 0);
	assert_true(st.log_bytes >= st.log_cap);
	assert_true(st.log_bytes < st.log_cap + 65536);
	epoch = st.epoch;
	assert_int_equal(daemon_says(text, sizeof(text), "status", "", ""), 1);
	assert_non_null(strstr(text, "let the collectors catch up"));
	/* one comes, and the same process goes on by itself */
	pid = collector();
	assert_true(pid > 0);
	assert_true(wait_until(works_again));
	st = status();
	assert_int_equal(st.epoch, epoch);
	first = st.log_first;
	load_run(&l, 3000);
	assert_true(wait_until(works_again));
	assert_true(status().log_first > first);
	/* what it has is remembered over a restart */
	stop_collector(pid);
	st = status();
	assert_int_equal(
	    daemon_says(text, sizeof(text), "resume", "--unit", UNIT), 0);
	assert_true(status().collector[0].acknowledged >=
		    st.collector[0].acknowledged - 10);
	assert_true(status().epoch > epoch);
	pid = collector();
	assert_true(pid > 0);
	load_run(&l, 20);
	assert_int_equal(hd_stop(&d), 0);
	stop_collector(pid);
	/* the unit's log verifies from where it begins, the copy has all */
	{
		char line[1000], prog[256];

		hd_program(prog, sizeof(prog), "hsa");
		(void)snprintf(line, sizeof(line),
		    "%s verify --quiet --key %s %s %s", prog, keys, logdir,
		    copy);
		assert_int_equal(system(line), 0);
	}
	assert_int_equal(ep_config_load(&cfg, d.state, &diag).v, 0);
	(void)snprintf(copy, sizeof(copy), "%.100s/copy/%.60s", d.root,
	    ep_unit_find(cfg, UNIT)->id);
	ep_config_free(cfg);
	load_check(&l, copy, keys, 0);
	t = count();
	printf("COUNT limit reached: %lu replies, %lu records, lost %lu, "
	       "refused %lu; released up to record %llu, all in the copy\n",
	    t.replies, t.records, t.lost, t.refused, (unsigned long long)first);
	assert_int_equal(t.lost, 0);
	assert_int_equal(t.late, 0);
	assert_int_equal(t.records, t.replies);
	assert_int_equal(l.disagree + l.doubled + l.invented, 0);
	load_free(&l);
	hd_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_faults__each_ends_in_refusal_and_none_loses_an_event),
	    cmocka_unit_test(
		test_faults__at_its_limit_a_log_refuses_until_collectors_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
