/*
 * helper_host.h - crypto units that are only sockets, for the tests of the
 * host library: each notes what it was asked and gives the next answer that
 * the test has laid down for it.
 */
#ifndef HELPER_HOST_H
#define HELPER_HOST_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "hsa_unit.h"

struct hh_unit {
	char path[400];
	uint32_t module, domain;
	bool knows_location; /* answers HSA_INFO_LOCATION */
	atomic_int slow_ms;  /* before each answer */
	atomic_int calls;    /* requests but for the two that learn */
	/*
	 * The answer: r is of the kind asked for, q is what was asked. NULL:
	 * calls get hcall_reply's.
	 */
	void (*answer)(struct hh_unit *u, struct hsa_unit_reply *r,
	    const struct hsa_unit_request *q);
	/* private */
	pthread_t thread;
	int listener, signals, stop;
	bool runs;
};

/* hh_start(u, dir, name) - serve dir/name; hh_stop(u) - end, remove the
 * socket; repeatable. */
void hh_start(struct hh_unit *u, const char *dir, const char *name);
void hh_stop(struct hh_unit *u);

#endif
