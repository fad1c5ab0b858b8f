/*
 * crash_all.c - kill -9 at seeded points under EP11 and keystore load on two
 * units: of a unit's process, which holds the sealer's threads; of the
 * collector; of the supervisor, whose children end with it; of every process
 * at once, and now and then of the supervisor again while it starts. What
 * nobody else starts again, an operator does, at once and by the same command.
 *
 * Every call that was answered has exactly one event with that answer in its
 * unit's log and in the collector's copy; a call whose answer never came has
 * one or none; no event belongs to a call that was never made. In both modes of
 * emission. KILLS_ALL (in each) and SEED choose the run.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "helper_load.h"

#define LOADED 2 /* the first of them get calls */
#define UNITS 3
#define THREADS 4
#define CALLS 75 /* each thread, each round */
#define CHECKS 2 /* of everything, in an installation */
/* Shots at one installation: a collector verifies its copy as it starts, which
 * takes the longer the more there is. */
#define ENOUGH 50
#define END_MS 30000

static const char *const unit_name[UNITS] = {
    "operational-1", "operational-2", "recovery-1"};

enum kind {
	UNIT,
	COLLECTOR,
	SUPERVISOR,
	ALL,
	KINDS
};

static struct hd d;
static struct load l;
static struct hd_rng rng;
static pid_t unit_pid[UNITS], collector;
static char out[96];

struct shot {
	enum kind kind;
	unsigned int unit; /* UNIT */
	unsigned int answers, us;
	unsigned int first;    /* ALL: who dies first */
	unsigned int again_us; /* ALL: the next supervisor too, 0: no */
	pid_t front;
};

static void
say(const char *what)
{
	l.disagree++;
	fprintf(stderr, "BAD: %s\n", what);
}

/* ---- processes ----------------------------------------------------------- */

/* pid: -1 for all that there are. Orphans are this process's children. */
static void
ended(pid_t pid, const char *what)
{
	const struct timespec nap = {0, 1000000};

	for (int i = 0; i < END_MS; i++) {
		pid_t got = waitpid(pid, NULL, WNOHANG);

		if (got < 0 && errno != EINTR)
			return;
		if (got == 0)
			(void)nanosleep(&nap, NULL);
		else if (pid > 0)
			return;
	}
	say(what);
}

static void
start_collector(void)
{
	collector = hd_collect(&d, out, 0);
	if (collector == 0)
		say("the collector did not start");
}

/* A supervisor that dies as it starts its units. */
static void
start_in_vain(unsigned int us)
{
	char prog[256], run[] = "run";
	char *argv[] = {prog, run, d.state, NULL};
	const struct timespec t = {0, (long)us * 1000};
	pid_t pid;

	hd_program(prog, sizeof(prog), "cryptounitd");
	pid = hd_spawn(argv, NULL);
	if (pid == 0) {
		say("cryptounitd did not start");
		return;
	}
	(void)nanosleep(&t, NULL);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void
start_daemon(const struct shot *s)
{
	if (s->again_us != 0)
		start_in_vain(s->again_us);
	if (!hd_start(&d)) {
		say("cryptounitd did not start again");
		atomic_store(&l.stop, true);
	}
}

/* The victims in a row that begins anywhere, then the operator. */
static void *
shoot(void *arg)
{
	const struct shot *s = arg;
	const pid_t super = d.pid;
	const pid_t all[] = {
	    super, collector, unit_pid[0], unit_pid[1], unit_pid[2], s->front};
	const size_t n = sizeof(all) / sizeof(all[0]);

	load_await(&l, s->answers, s->us);
	if (s->kind == UNIT)
		(void)kill(unit_pid[s->unit], SIGKILL);
	if (s->kind == SUPERVISOR)
		(void)kill(super, SIGKILL);
	if (s->kind == COLLECTOR)
		(void)kill(collector, SIGKILL);
	for (size_t i = 0; s->kind == ALL && i < n; i++)
		(void)kill(all[(s->first + i) % n], SIGKILL);
	if (s->kind == COLLECTOR || s->kind == ALL) {
		(void)waitpid(collector, NULL, 0);
		start_collector();
	}
	if (s->kind == SUPERVISOR || s->kind == ALL) {
		(void)waitpid(super, NULL, 0);
		start_daemon(s);
		for (size_t i = 2; i < n; i++)
			ended(all[i], "a process outlived its supervisor");
	}
	return NULL;
}

/* The units' processes as they are; false: one does not come back. */
static bool
look(const struct shot *last)
{
	for (unsigned int u = 0; u < UNITS; u++) {
		bool same = last->kind == COLLECTOR ||
			    (last->kind == UNIT && last->unit != u);

		unit_pid[u] =
		    hd_unit_wait(&d, unit_name[u], same ? 0 : unit_pid[u]);
		if (unit_pid[u] == 0)
			say("a unit did not come back");
	}
	return l.disagree == 0;
}

static struct shot
aim(void)
{
	const unsigned int r = hd_rand(&rng, 100);
	struct shot s = {.kind = UNIT,
	    .unit = hd_rand(&rng, LOADED),
	    .answers = hd_rand(&rng, 220),
	    .us = hd_rand(&rng, 3000),
	    .first = hd_rand(&rng, 6)};

	if (r >= 30)
		s.kind = r < 50 ? COLLECTOR : r < 70 ? SUPERVISOR : ALL;
	if (s.kind == ALL && hd_rand(&rng, 2) == 0)
		s.again_us = 1 + hd_rand(&rng, 150000);
	s.front = hd_front_pid(&d);
	return s;
}

/* ---- the ledger against logs and copies ---------------------------------- */

static bool
hsa_verify(const char *log, const char *copies)
{
	char prog[256], verb[] = "verify", opt[] = "--key", key[160], one[160],
			two[160], quiet[] = "--quiet";
	char *argv[] = {prog, verb, quiet, opt, key, one, two, NULL};
	int st = 0;
	pid_t pid;

	hd_program(prog, sizeof(prog), "hsa");
	(void)snprintf(key, sizeof(key), "%s/checkpoint.pub", d.state);
	(void)snprintf(one, sizeof(one), "%s", log);
	(void)snprintf(two, sizeof(two), "%s", copies);
	pid = hd_spawn(argv, "records, OK");
	return pid != 0 && waitpid(pid, &st, 0) == pid && WIFEXITED(st) &&
	       WEXITSTATUS(st) == 0;
}

static bool
fits(const char *what)
{
	if (l.records == l.replied + l.unanswered_sealed &&
	    l.lost + l.doubled + l.invented + l.disagree == 0)
		return true;
	fprintf(stderr,
	    "BAD: %s: replied %lu, of unanswered %lu, records %lu, lost %lu, "
	    "doubled %lu, invented %lu, disagreements %lu\n",
	    what, l.replied, l.unanswered_sealed, l.records, l.lost, l.doubled,
	    l.invented, l.disagree);
	return false;
}

/* While no calls are made. The logs come last: their numbers stay. */
static bool
check(void)
{
	char keys[160], dir[256], id[HSA_UUID_TEXT];
	uint8_t unit_id[HSA_UUID_LEN] = {0};

	(void)snprintf(keys, sizeof(keys), "%s/checkpoint.pub", d.state);
	load_forget(&l);
	for (unsigned int u = 0; u < LOADED; u++) {
		if (!load_collected(&l, u, unit_id))
			say("what a unit answered is not collected");
		hsa_uuid_text(id, unit_id);
		(void)snprintf(dir, sizeof(dir), "%s/%s", out, id);
		load_check(&l, dir, keys, u);
	}
	load_conclude(&l);
	if (!fits("the copies"))
		return false;
	load_forget(&l);
	for (unsigned int u = 0; u < LOADED; u++) {
		(void)snprintf(
		    dir, sizeof(dir), "%s/units/%s/log", d.state, unit_name[u]);
		load_check(&l, dir, keys, u);
	}
	load_conclude(&l);
	return fits("the logs");
}

/* ---- a run --------------------------------------------------------------- */

static void
stop(void)
{
	int st = 0;

	if (hd_stop(&d) != 0)
		say("cryptounitd did not stop in order");
	if (collector != 0 && (kill(collector, SIGTERM) != 0 ||
				  waitpid(collector, &st, 0) != collector ||
				  !WIFEXITED(st) || WEXITSTATUS(st) != 0))
		say("the collector did not stop in order");
	ended(-1, "a process outlives everything");
	if (!hsa_verify(d.state, out))
		say("hsa verify finds fault");
}

struct sum {
	unsigned int done, by[KINDS], again;
	unsigned long replied, refused, unanswered, unanswered_sealed, records,
	    lost, doubled, invented, disagree;
	size_t stored;
};

static void
add(struct sum *sum)
{
	sum->replied += l.replied;
	sum->refused += l.refused;
	sum->unanswered += l.unanswered;
	sum->unanswered_sealed += l.unanswered_sealed;
	sum->records += l.records;
	sum->lost += l.lost;
	sum->doubled += l.doubled;
	sum->invented += l.invented;
	sum->disagree += l.disagree;
}

/* So many shots at a fresh installation. */
static bool
run_one(
    struct sum *sum, const char *mode, unsigned int kills, unsigned int seed)
{
	unsigned int done = 0;
	size_t stored = 0;
	bool good = true;

	if (!hd_ceremony(&d) || !hd_emission(&d, mode) || !hd_start(&d))
		return false;
	(void)snprintf(out, sizeof(out), "%s/collected", d.root);
	load_new(&l, &d, unit_name, LOADED, THREADS,
	    ((size_t)kills + 1) * CALLS, seed);
	l.reconnect = true;
	l.keystore_percent = 5;
	load_keystore(&l);
	start_collector();
	(void)look(&(struct shot){.kind = COLLECTOR});
	while (good && l.disagree == 0 && done < kills) {
		struct shot s = aim();
		pthread_t thread;

		if (pthread_create(&thread, NULL, shoot, &s) != 0)
			return false;
		load_run(&l, CALLS);
		(void)pthread_join(thread, NULL);
		done++;
		sum->by[s.kind]++;
		sum->again += s.again_us != 0;
		good = look(&s) && (done * CHECKS % kills >= CHECKS || check());
	}
	if (good)
		stored = load_keystore_check(&l);
	stop();
	add(sum);
	sum->done += done;
	sum->stored += stored;
	good = good && done == kills && stored > 0 && l.disagree == 0 &&
	       l.replied > (unsigned long)kills * CALLS;
	load_free(&l);
	if (good)
		hd_free(&d);
	else
		fprintf(stderr, "state kept in %s\n", d.root);
	return good;
}

static bool
run(const char *mode, unsigned int kills, unsigned int seed)
{
	struct sum s = {0};
	bool good = kills > 0;

	rng.s = seed;
	while (good && s.done < kills) {
		unsigned int left = kills - s.done;

		good = run_one(
		    &s, mode, left < ENOUGH ? left : ENOUGH, seed + s.done);
	}
	printf("COUNT kill -9 under EP11 load, %s: %u (seed %u): of a unit %u, "
	       "the collector %u, the supervisor %u, all at once %u, and %u "
	       "more as they started\n",
	    mode, s.done, seed, s.by[UNIT], s.by[COLLECTOR], s.by[SUPERVISOR],
	    s.by[ALL], s.again);
	printf("COUNT replied %lu (refused %lu), unanswered %lu (%lu of them "
	       "sealed), events %lu in logs and copies; keys in keystore and "
	       "log %zu\n",
	    s.replied, s.refused, s.unanswered, s.unanswered_sealed, s.records,
	    s.stored);
	printf("COUNT lost %lu, doubled %lu, invented %lu, disagreements %lu\n",
	    s.lost, s.doubled, s.invented, s.disagree);
	return good;
}

int
main(void)
{
	unsigned int kills = hd_env("KILLS_ALL", 16), seed = hd_env("SEED", 1);
	bool ring = false, sealed = false;

	/* what a dead supervisor leaves becomes ours to wait for */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return 1;
	ring = run("ring", kills, seed);
	sealed = run("sealed", kills, seed);
	return ring && sealed ? 0 : 1;
}
