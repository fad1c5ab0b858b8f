/*
 * test_ep11_events.c - events equal calls: a seeded mix of EP11 calls from
 * eight threads on three units, some of them wrong on purpose; afterwards the
 * units' logs hold exactly one hs-crypto.ep11.use event for each call, with
 * its outcome and return code. CALLS and SEED choose the run.
 */
#include <stdio.h>

#include "helper_load.h"

#define UNITS 3
#define THREADS 8

static const char *const unit[UNITS] = {
    "operational-1", "operational-2", "recovery-1"};

int
main(void)
{
	unsigned int calls = hd_env("CALLS", 24000), seed = hd_env("SEED", 1);
	struct hd d;
	struct load l;
	char log[256], keys[256];
	bool good = false;

	calls -= calls % THREADS;
	if (!hd_ceremony(&d) || !hd_start(&d))
		return 1;
	load_new(&l, &d, unit, UNITS, THREADS, calls / THREADS, seed);
	load_run(&l, calls / THREADS);
	if (hd_stop(&d) != 0) {
		l.disagree++;
		fprintf(stderr, "cryptounitd did not stop in order\n");
	}
	(void)snprintf(keys, sizeof(keys), "%s/checkpoint.pub", d.state);
	for (unsigned int u = 0; u < UNITS; u++) {
		(void)snprintf(
		    log, sizeof(log), "%s/units/%s/log", d.state, unit[u]);
		load_check(&l, log, keys, u);
	}
	load_conclude(&l);
	printf("COUNT EP11 calls %u (seed %u) by %d threads on %d units: "
	       "replied %lu (refused %lu), ep11.use events %lu\n",
	    calls, seed, THREADS, UNITS, l.replied, l.refused, l.records);
	printf("COUNT lost %lu, doubled %lu, invented %lu, disagreements %lu\n",
	    l.lost, l.doubled, l.invented, l.disagree);
	good = l.replied == calls && l.records == calls && l.refused > 0 &&
	       l.lost + l.doubled + l.invented + l.disagree == 0;
	load_free(&l);
	if (good)
		hd_free(&d);
	else
		fprintf(stderr, "state kept in %s\n", d.root);
	return good ? 0 : 1;
}
