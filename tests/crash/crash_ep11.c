/*
 * crash_ep11.c - kill -9 of a unit's process at seeded points under EP11 and
 * keystore load from several threads. Every call that was answered has exactly
 * one event with that answer; a call whose answer never came has one or none;
 * no event belongs to a call that was never made; the keystore holds what the
 * log's events leave of it. In both modes of emission. KILLS_EP11 (in each) and
 * SEED choose the run.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "helper_load.h"

#define UNIT "operational-1"
#define THREADS 4
#define CALLS_MAX 100000 /* each thread, all rounds */

static struct hd d;
static struct load l;

struct shot {
	pid_t pid;
	unsigned int answers, us;
};

/* After so many answers and then so much time: somewhere in what follows. */
static void *
shoot(void *arg)
{
	const struct shot *s = arg;

	load_await(&l, s->answers, s->us);
	(void)kill(s->pid, SIGKILL);
	return NULL;
}

static bool
run(const char *mode, unsigned int kills, unsigned int seed)
{
	static const char *const unit[] = {UNIT};
	unsigned int done = 0;
	struct hd_rng rng = {seed};
	char log[256], keys[256];
	size_t stored = 0;
	pid_t pid = 0;
	bool good = false;

	if (!hd_ceremony(&d) || !hd_emission(&d, mode) || !hd_start(&d))
		return false;
	load_new(&l, &d, unit, 1, THREADS, CALLS_MAX, seed);
	l.keystore_percent = 20;
	load_keystore(&l);
	while (done < kills) {
		struct shot shot;
		pthread_t thread;

		pid = hd_unit_wait(&d, UNIT, pid);
		if (pid == 0) {
			l.disagree++;
			fprintf(stderr, "the unit did not come back\n");
			break;
		}
		shot = (struct shot){
		    pid, 20 + hd_rand(&rng, 200), hd_rand(&rng, 3000)};
		if (pthread_create(&thread, NULL, shoot, &shot) != 0)
			return false;
		/* the first connections may come before the new socket */
		load_run(&l, CALLS_MAX / kills);
		(void)pthread_join(thread, NULL);
		done++;
	}
	(void)hd_unit_wait(&d, UNIT, pid);
	/* what was answered since is in the ring at least: the log has it soon
	 */
	if (!load_settle(&l, 0)) {
		l.disagree++;
		fprintf(stderr, "the ring does not empty\n");
	}
	(void)snprintf(keys, sizeof(keys), "%s/checkpoint.pub", d.state);
	(void)snprintf(log, sizeof(log), "%s/units/" UNIT "/log", d.state);
	load_check(&l, log, keys, 0);
	load_conclude(&l);
	stored = load_keystore_check(&l);
	if (hd_stop(&d) != 0) {
		l.disagree++;
		fprintf(stderr, "cryptounitd did not stop in order\n");
	}
	printf("COUNT kill -9 of a unit under EP11 load, %s: %u (seed %u)\n",
	    mode, done, seed);
	printf("COUNT replied %lu (refused %lu), unanswered %lu (%lu of them "
	       "sealed), events %lu; keys in keystore and log %zu\n",
	    l.replied, l.refused, l.unanswered, l.unanswered_sealed, l.records,
	    stored);
	printf("COUNT lost %lu, doubled %lu, invented %lu, disagreements %lu\n",
	    l.lost, l.doubled, l.invented, l.disagree);
	good = done == kills && stored > 0 &&
	       l.replied > (unsigned long)kills * 20 &&
	       l.records == l.replied + l.unanswered_sealed &&
	       l.lost + l.doubled + l.invented + l.disagree == 0;
	load_free(&l);
	if (good)
		hd_free(&d);
	else
		fprintf(stderr, "state kept in %s\n", d.root);
	return good;
}

int
main(void)
{
	unsigned int kills = hd_env("KILLS_EP11", 15), seed = hd_env("SEED", 1);
	bool ring = run("ring", kills, seed);
	bool sealed = run("sealed", kills, seed);

	return ring && sealed ? 0 : 1;
}
