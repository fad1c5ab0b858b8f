/*
 * test_newlog.c - a real unit over a real token whose log is damaged beyond
 * recovery: it refuses and names the way on, `cryptounitd new-log` goes it, and
 * the unit, `hsa` and its collectors go on with the new log beside the old one.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "bk_core.h"
#include "ep_config.h"
#include "ep_file.h"
#include "hsa_buf.h"
#include "helper_load.h"
#include "vfy_log.h"
#include "vfy_note.h"

#define UNIT "operational-1"

static struct hd d;
static struct load l;
static char id[40], folder[160], keys[160], copies[160];
static char out[65536]; /* of the last shell line */

static int sh(const char *fmt, ...) HSA_PRINTF(1, 2);

static int
sh(const char *fmt, ...)
{
	char line[2000];
	va_list ap;
	size_t n;
	FILE *p;
	int st;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	p = popen(line, "r");
	assert_non_null(p);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	st = pclose(p);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

static const char *
bin(const char *name)
{
	static char path[4][256];
	static unsigned int at;

	at = (at + 1) % 4;
	hd_program(path[at], sizeof(path[at]), name);
	return path[at];
}

#define SAYS(text)                                                             \
	do {                                                                   \
		if (strstr(out, text) == NULL)                                 \
			fail_msg("no \"%s\" in: %s", text, out);               \
	} while (0)

/* ---- a unit with a good log ---------------------------------------------- */

static void
installation(const char *mode)
{
	static const char *const unit[] = {UNIT};
	struct ep_config *cfg = NULL;
	struct hsa_diag diag = {{0}};
	FILE *f;

	assert_true(hd_ceremony(&d));
	assert_true(hd_emission(&d, mode));
	(void)snprintf(folder, sizeof(folder), "%s/units/" UNIT, d.state);
	(void)snprintf(keys, sizeof(keys), "%s/checkpoint.pub", d.state);
	(void)snprintf(copies, sizeof(copies), "%s/copies", d.root);
	assert_int_equal(ep_config_load(&cfg, d.state, &diag).v, 0);
	(void)snprintf(id, sizeof(id), "%s", ep_unit_find(cfg, UNIT)->id);
	ep_config_free(cfg);
	assert_int_equal(sh("echo %s/config.yaml", d.state), 0);
	out[strcspn(out, "\n")] = '\0';
	f = fopen(out, "a");
	assert_non_null(f);
	assert_true(fputs("log:\n  segment_bytes: 65536\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_true(hd_start(&d));
	load_new(&l, &d, unit, 1, 2, 8000, 7);
	l.reconnect = true;
}

static void
start_degraded(void)
{
	char prog[256], run[] = "run";
	char *argv[] = {prog, run, d.state, NULL};

	hd_program(prog, sizeof(prog), "cryptounitd");
	d.skip_logs = true; /* one of them is damaged */
	d.pid = hd_spawn(argv, "degraded");
	assert_true(d.pid > 0);
}

/* `line` breaks it; the unit is down, and says what helps. */
static void
refuses(const char *text)
{
	start_degraded();
	assert_int_equal(sh("%s status %s", bin("cryptounitd"), d.state), 1);
	SAYS(text);
	SAYS("cryptounitd new-log");
}

static void
new_log(int want, const char *options)
{
	int st = sh("%s new-log %s --unit " UNIT " %s 2>&1", bin("cryptounitd"),
	    d.state, options);

	if (st != want)
		fail_msg("%d: %s", st, out);
}

static void
goes_on(void)
{
	if (sh("%s resume %s --unit " UNIT " 2>&1", bin("cryptounitd"),
		d.state) != 0)
		fail_msg("%s", out);
	load_run(&l, 50);
	assert_true(load_settle(&l, 0));
}

static struct vfy_result
verify(const char *log)
{
	char path[240];
	struct vfy_keys k = {0};
	struct hsa_diag diag = {{0}};
	struct vfy_options opt = {.keys = &k};
	struct vfy_result res;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, log);
	assert_int_equal(vfy_keys_load(&k, keys, &diag).v, 0);
	assert_int_equal(vfy_log(&res, path, &opt, &diag).v, 0);
	vfy_keys_free(&k);
	return res;
}

static void
done(void)
{
	if (d.pid != 0)
		assert_int_equal(hd_stop(&d), 0);
	load_free(&l);
	hd_free(&d);
}

/* The last file but `back`, by name. */
static void
segment(char to[64], int back)
{
	assert_int_equal(sh("ls %s/log | grep seg- | tail -n %d | head -n 1",
			     folder, back + 1),
	    0);
	(void)snprintf(to, 64, "%.*s", (int)strcspn(out, "\n"), out);
	assert_true(strlen(to) > 10);
}

static void
flip(const char *file, long at)
{
	char path[256];
	FILE *f;
	int c;

	(void)snprintf(path, sizeof(path), "%s/log/%s", folder, file);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	c = fgetc(f);
	assert_int_equal(fseek(f, -1, SEEK_CUR), 0);
	assert_int_equal(fputc(c ^ 4, f), c ^ 4);
	assert_int_equal(fclose(f), 0);
}

/* ---- a byte, with a collector -------------------------------------------- */

static void
wait_for(const char *text, const char *what, const char *more)
{
	for (int i = 0; i < 200; i++) {
		(void)sh("%s %s 2>&1", what, more);
		if (strstr(out, text) != NULL)
			return;
		(void)usleep(50000);
	}
	fail_msg("no \"%s\" in: %s", text, out);
}

static pid_t
collect(const char *key, const char *say)
{
	char at[200], err[200];
	char prog[256], verb[] = "collect", o1[] = "--listen", o2[] = "--out",
			o3[] = "--key", k[200];
	char *argv[] = {prog, verb, o1, at, o2, copies, o3, k, NULL};
	pid_t pid;
	int fd, was = dup(2);

	(void)snprintf(err, sizeof(err), "%s/%s", d.root, say);
	(void)snprintf(k, sizeof(k), "%s", key);
	(void)snprintf(at, sizeof(at), "unix:%s/collect.sock", d.state);
	hd_program(prog, sizeof(prog), "hsa");
	assert_non_null(freopen(err, "a", stderr));
	pid = hd_spawn(argv, "ready");
	fd = dup2(was, 2);
	assert_int_equal(fd, 2);
	(void)close(was);
	assert_true(pid > 0);
	return pid;
}

static void
end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_newlog__work_and_collecting_go_on_after_a_flipped_byte(void **state)
{
	uint8_t unit[16];
	char file[64], old_keys[200], what[400];
	struct vfy_result before, old, new;
	pid_t pid;

	(void)state;
	installation("ring");
	(void)snprintf(old_keys, sizeof(old_keys), "%s/old.pub", d.root);
	assert_int_equal(sh("cp %s %s", keys, old_keys), 0);
	pid = collect(old_keys, "first.err");
	load_run(&l, 1500);
	assert_true(load_settle(&l, 0));
	assert_true(load_collected(&l, 0, unit));
	assert_int_equal(hd_stop(&d), 0);
	before = verify("log");
	assert_false(before.bad);
	/* in the middle of the last file */
	segment(file, 0);
	flip(file, -300);
	assert_int_equal(sh("cp -a %s/log %s/broken", folder, d.root), 0);
	refuses(file);
	/* nor does it help to say that all is well */
	assert_int_equal(sh("%s resume %s --unit " UNIT " 2>&1",
			     bin("cryptounitd"), d.state),
	    1);
	SAYS("cryptounitd new-log");
	new_log(0, "--reason 'a cosmic ray'");
	SAYS("next       give collectors the new line");
	/* it is not the collector that decides what a new log is */
	goes_on();
	(void)snprintf(
	    what, sizeof(what), "%s status %s", bin("cryptounitd"), d.state);
	wait_for("a new log of a unit known here", what, "");
	SAYS("the unit's log number 2");
	assert_int_equal(
	    sh("%s status --json %s", bin("cryptounitd"), d.state), 0);
	SAYS("\"logNumber\":2");
	assert_int_equal(sh("ls %s | grep -c %s", copies, id), 0);
	assert_int_equal(atoi(out), 1);
	end(pid);
	/* but who runs it, by the key file */
	pid = collect(keys, "second.err");
	assert_true(load_collected(&l, 0, unit));
	load_run(&l, 100);
	assert_true(load_settle(&l, 0));
	assert_true(load_collected(&l, 0, unit));
	assert_int_equal(sh("cat %s/second.err", d.root), 0);
	SAYS("log number 2");
	assert_int_equal(hd_stop(&d), 0);
	end(pid);
	/* the unit's folder: old and new */
	assert_int_equal(
	    sh("diff -r %s/broken %s/log.damaged-1", d.root, folder), 0);
	old = verify("log.damaged-1");
	new = verify("log");
	assert_true(old.bad);
	assert_false(new.bad);
	assert_true(new.chain.has);
	assert_int_equal(new.chain.verified, old.sealed);
	assert_memory_equal(new.chain.root, old.root, sizeof(old.root));
	assert_int_equal(new.chain.found, before.records);
	assert_non_null(strstr(new.chain.why, "a cosmic ray"));
	assert_int_equal(new.epochs, before.epochs + 1);
	/* as long as the damaged one lies there, the folder does not verify;
	 * archived, it is told of and missed by nobody */
	assert_int_equal(sh("%s verify %s", bin("hsa"), d.state), 1);
	SAYS("goes on after the log in");
	SAYS("by local-user:");
	assert_int_equal(
	    sh("mv %s/log.damaged-1 %s/archive", folder, d.root), 0);
	assert_int_equal(sh("%s verify %s", bin("hsa"), d.state), 0);
	SAYS("could be verified");
	assert_int_equal(sh("%s validate %s", bin("hsa"), d.state), 0);
	SAYS("NEW_CHAIN");
	/* the collector has all of both */
	assert_int_equal(
	    sh("%s verify --key %s %s %s", bin("hsa"), keys, copies, d.state),
	    0);
	assert_int_equal(sh("%s tail --unit %s %s | grep -n 'NEW_CHAIN\\|"
			    "UNIT_START' | tail -n 3",
			     bin("hsa"), id, copies),
	    0);
	SAYS("NEW_CHAIN");
	assert_true(strstr(out, "NEW_CHAIN") < strstr(out, "UNIT_START") ||
		    strstr(strstr(out, "NEW_CHAIN"), "UNIT_START") != NULL);
	assert_int_equal(
	    sh("%s export --format ibm-at %s | wc -l", bin("hsa"), copies), 0);
	assert_true(atol(out) >= 3300);
	assert_int_equal(sh("%s stats %s", bin("hsa"), copies), 0);
	SAYS("1  NEW_CHAIN");
	assert_int_equal(
	    sh("%s prove --key %s --sequence 1 %s/%s.2 >%s/proof && %s verify "
	       "--proof %s/proof --key %s",
		bin("hsa"), keys, copies, id, d.root, bin("hsa"), d.root, keys),
	    0);
	/* and each call that was answered is in one of the two, once */
	(void)snprintf(what, sizeof(what), "%s/%s", copies, id);
	load_check(&l, what, keys, 0);
	(void)snprintf(what, sizeof(what), "%s/%s.2", copies, id);
	load_check(&l, what, keys, 0);
	load_conclude(&l);
	printf("COUNT a flipped byte: %lu calls answered, %lu lost, %lu "
	       "doubled; %llu of %llu records verify, the copy has all\n",
	    l.replied, l.lost, l.doubled, (unsigned long long)old.sealed,
	    (unsigned long long)before.records);
	assert_int_equal(l.lost + l.doubled + l.invented + l.disagree, 0);
	done();
}

/* ---- other damage -------------------------------------------------------- */

static void
test_newlog__a_lost_segment_and_a_lost_folder(void **state)
{
	struct vfy_result res;
	char file[64];

	(void)state;
	installation("sealed");
	load_run(&l, 1000);
	assert_true(load_settle(&l, 0));
	assert_int_equal(hd_stop(&d), 0);
	segment(file, 1);
	assert_int_equal(sh("rm %s/log/%s", folder, file), 0);
	refuses("numbers of the sources");
	new_log(0, "");
	SAYS("V1");
	SAYS("a segment is missing");
	goes_on();
	assert_int_equal(hd_stop(&d), 0);
	res = verify("log");
	assert_false(res.bad);
	assert_true(res.chain.found > res.chain.verified);
	/* the second log may be damaged as well: all of it is gone */
	assert_int_equal(sh("rm -r %s/log", folder), 0);
	refuses("the log was cut");
	new_log(0, "--reason 'rm -r'");
	goes_on();
	assert_int_equal(hd_stop(&d), 0);
	res = verify("log");
	assert_false(res.bad);
	assert_string_equal(res.origin + strlen(res.origin) - 2, ".3");
	assert_int_equal(res.chain.verified, 0);
	assert_int_equal(sh("ls -d %s/log*", folder), 0);
	SAYS("log.damaged-2");
	assert_int_equal(sh("grep -c %s %s", id, keys), 0);
	assert_int_equal(atoi(out), 3);
	done();
}

struct upto {
	uint64_t sealed;
	unsigned long calls;
};

static hsa_rc
count_calls(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct upto *u = ctx;

	(void)raw;
	(void)n;
	u->calls +=
	    r->body == HSA_BODY_EVENT && r->has_use && r->sequence < u->sealed;
	return HSA_OK;
}

/* Of the part that verifies. */
static unsigned long
good_calls(const char *log, uint64_t sealed)
{
	char path[240];
	struct vfy_keys k = {0};
	struct hsa_diag diag = {{0}};
	struct upto u = {.sealed = sealed};
	struct vfy_options opt = {
	    .keys = &k, .on_record = count_calls, .ctx = &u};
	struct vfy_result res;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, log);
	assert_int_equal(vfy_keys_load(&k, keys, &diag).v, 0);
	assert_int_equal(vfy_log(&res, path, &opt, &diag).v, 0);
	vfy_keys_free(&k);
	return u.calls;
}

/* Calls that lie in the ring of a killed unit are for the new log; those that
 * were sealed in the damaged part alone are counted. */
static void
test_newlog__what_was_not_sealed_yet_is_sealed_in_the_new_log(void **state)
{
	struct vfy_result old, new;
	char file[64], path[240];
	unsigned long good, lost, found;

	(void)state;
	installation("ring");
	for (int i = 0; i < 4; i++) {
		load_run(&l, 400);
		assert_true(load_settle(&l, 0));
	}
	load_run(&l, 60);
	assert_int_equal(kill(d.pid, SIGSTOP), 0);
	assert_int_equal(kill(hd_unit_pid(&d, UNIT), SIGKILL), 0);
	assert_int_equal(kill(d.pid, SIGKILL), 0);
	assert_int_equal(waitpid(d.pid, NULL, 0), d.pid);
	d.pid = 0;
	(void)snprintf(path, sizeof(path), "%s/lock", folder);
	for (int i = 0; i < 1000 && ep_lock_holder(path) != 0; i++)
		(void)usleep(10000);
	/* the newest batch that was sealed is what is damaged */
	segment(file, 0);
	flip(file, -400);
	refuses(file);
	new_log(0, "");
	goes_on();
	assert_int_equal(hd_stop(&d), 0);
	old = verify("log.damaged-1");
	new = verify("log");
	assert_true(old.bad);
	if (new.bad)
		fail_msg("%s: %s", new.rule, new.finding);
	/* RING_LOST would say that the ring was not taken over */
	assert_int_equal(sh("%s stats %s/log", bin("hsa"), folder), 0);
	assert_null(strstr(out, "RING_LOST"));
	assert_int_equal(sh("%s export --format envelope %s/log | grep "
			    "NEW_CHAIN",
			     bin("hsa"), folder),
	    0);
	assert_non_null(strstr(out, "\"lostCalls\":"));
	lost = strtoul(strstr(out, "\"lostCalls\":") + 12, NULL, 10);
	good = good_calls("log.damaged-1", old.sealed);
	(void)snprintf(path, sizeof(path), "%s/log", folder);
	load_check(&l, path, keys, 0);
	load_conclude(&l);
	assert_int_equal(l.doubled + l.disagree + l.invented, 0);
	found = l.replied - l.lost + good;
	printf("COUNT killed and damaged: %lu calls answered; %lu in the part "
	       "that verifies, %lu in the new log, at most %lu lost by "
	       "NEW_CHAIN\n",
	    l.replied, good, l.replied - l.lost, lost);
	assert_true(good > 0 && lost > 0);
	assert_true(found <= l.replied && found + lost >= l.replied);
	done();
}

/* In a child: SoftHSM takes one folder a process. */
static void
destroy_checkpoint_key(void)
{
	int st = 0;
	pid_t pid = fork();

	if (pid == 0) {
		char label[40], *to = label;
		struct bk_config cfg = {.label = label};
		struct bk_p11 *b = NULL;
		struct bk_ses s = {0};
		struct ep_config *c = NULL;

		for (const char *at = id; *at != '\0'; at++)
			if (*at != '-')
				*to++ = *at;
		*to = '\0';
		cfg.dir = folder;
		if (!hsa_is_ok(ep_config_load(&c, d.state, NULL)))
			_exit(1);
		cfg.module = c->pkcs11_module;
		if (!hsa_is_ok(bk_p11_open(&b, &cfg, NULL)) ||
		    !hsa_is_ok(bk_core_enter(b, &s)) ||
		    b->ck.C_DestroyObject(s.h, b->checkpoint) != CKR_OK)
			_exit(2);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), 0);
}

static void
test_newlog__a_lost_key_is_replaced_and_the_old_log_still_verifies(void **state)
{
	struct vfy_result res;

	(void)state;
	installation("sealed");
	load_run(&l, 50);
	assert_int_equal(hd_stop(&d), 0);
	destroy_checkpoint_key();
	refuses("checkpoint key pair");
	new_log(0, "--reason 'the key was destroyed'");
	SAYS("a new one in the token");
	SAYS("not in the unit's token any more");
	goes_on();
	assert_int_equal(hd_stop(&d), 0);
	res = verify("log.damaged-1");
	assert_false(res.bad);
	res = verify("log");
	assert_false(res.bad);
	assert_int_equal(res.chain.verified, res.chain.found);
	/* nothing is damaged, so all is good with both of them there */
	assert_int_equal(sh("%s verify %s", bin("hsa"), d.state), 0);
	/* without the file of verifier keys the unit itself goes on */
	assert_int_equal(sh("rm %s", keys), 0);
	assert_true(hd_start(&d));
	load_run(&l, 10);
	done();
}

static void
test_newlog__is_refused_where_it_does_not_help(void **state)
{
	struct vfy_result res;
	char file[64];

	(void)state;
	installation("sealed");
	load_run(&l, 20);
	new_log(1, "");
	SAYS("runs (process");
	assert_int_equal(hd_stop(&d), 0);
	new_log(1, "");
	SAYS("nothing is wrong");
	new_log(2, "--force");
	SAYS("--reason");
	new_log(2, "--reason ''");
	new_log(2, "--nonsense");
	assert_int_equal(
	    sh("%s new-log %s --unit nobody 2>&1", bin("cryptounitd"), d.state),
	    2);
	SAYS("no unit");
	assert_int_equal(
	    sh("%s new-log %s 2>&1", bin("cryptounitd"), d.state), 2);
	/* a tail that a start cuts is nothing wrong either */
	segment(file, 0);
	assert_int_equal(sh("printf torn >>%s/log/%s", folder, file), 0);
	new_log(1, "");
	SAYS("nothing is wrong");
	/* a state that is older than its log is what has to be put back */
	assert_int_equal(
	    sh("cp -a %s/state.db %s/state.old", folder, d.root), 0);
	assert_true(hd_start(&d));
	load_run(&l, 20);
	assert_int_equal(hd_stop(&d), 0);
	assert_int_equal(sh("cp -a %s/state.db %s/state.new && cp -a "
			    "%s/state.old %s/state.db",
			     folder, d.root, d.root, folder),
	    0);
	new_log(1, "");
	SAYS("older than its log");
	assert_int_equal(
	    sh("cp -a %s/state.new %s/state.db", d.root, folder), 0);
	/* nothing was changed by all that */
	res = verify("log");
	assert_false(res.bad);
	assert_int_equal(access("log.damaged-1", F_OK) == 0 ? 1 : 0, 0);
	/* who wants one all the same says why */
	new_log(0, "--force --reason 'a witness was compromised'");
	res = verify("log");
	assert_false(res.bad);
	assert_string_equal(res.chain.rule, "");
	assert_non_null(strstr(res.chain.why, "witness"));
	res = verify("log.damaged-1");
	assert_false(res.bad);
	assert_true(hd_start(&d));
	load_run(&l, 20);
	assert_int_equal(hd_stop(&d), 0);
	assert_int_equal(sh("%s verify %s", bin("hsa"), d.state), 0);
	/* an older log in its place is not taken */
	assert_int_equal(sh("mv %s/log %s/log2 && cp -a %s/log.damaged-1 "
			    "%s/log",
			     folder, d.root, folder, folder),
	    0);
	start_degraded();
	assert_int_equal(sh("%s status %s", bin("cryptounitd"), d.state), 1);
	SAYS("another log");
	done();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_newlog__work_and_collecting_go_on_after_a_flipped_byte),
	    cmocka_unit_test(test_newlog__a_lost_segment_and_a_lost_folder),
	    cmocka_unit_test(
		test_newlog__what_was_not_sealed_yet_is_sealed_in_the_new_log),
	    cmocka_unit_test(
		test_newlog__a_lost_key_is_replaced_and_the_old_log_still_verifies),
	    cmocka_unit_test(test_newlog__is_refused_where_it_does_not_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
