/*
 * eb_run.h - measure one case in interleaved slices, round after round, so that
 * what the machine does besides falls on all alike. Ratios and differences are
 * taken within a round, and their medians are reported.
 */
#ifndef EB_RUN_H
#define EB_RUN_H
#include "eb_bare.h"
#include "eb_case.h"
#include "eb_others.h"
#include "eb_stats.h"

/* The ways that an operation goes. */
enum eb_way {
	EB_DIRECT, /* Cryptoki, without a unit */
	EB_OFF,    /* through the unit, no event: what the others are held to */
	EB_SOCKET, /* off, over a socket */
	EB_RING,   /* each event in the ring */
	EB_LTTNG,  /* off, and a tracepoint with all fields of the event */
	EB_TRACE,  /* off, and a tracepoint with those of a compact record */
	EB_SEALED, /* each event on stable storage */
	EB_BARE,   /* off, and as many bytes by a shared write and fdatasync */
	EB_WAYS
};

struct eb_plan {
	unsigned int rounds;
	unsigned int slice_us; /* of work without emission */
	unsigned int threads;  /* callers at once; direct Cryptoki has one */
};

/* What is measured besides OFF, RING and SEALED. NULL: not. */
struct eb_besides {
	struct eb_raw *raw;
	struct eb_socket *socket;
	const struct eb_lttng *lttng;
	struct eb_bare *bare;
	struct eb_others *others;
	const char *log; /* folder, for the bytes of a sealed call; with bare */
};

struct eb_result {
	const struct eb_case *what;
	struct eb_figures {
		bool has;
		double ns, p99; /* per operation and caller; of slices' means */
		double added;   /* to off, median of the rounds' differences */
		double per_s;   /* all callers together */
	} way[EB_WAYS];
	double off_to_direct;
	/* of the throughput, in percent, until all is sealed that the slice
	 * left in the ring: what the sealer takes from the callers, too */
	bool has_lost;
	double ring_lost;
	double ring_cpu;       /* of processor time, all threads; the same */
	double ring_to_lttng;  /* what each adds */
	double sealed_to_bare; /* throughput */
	double bytes; /* of a sealed call in the log, checkpoints, too */
	uint64_t calls;
};

/* E_KEY with a diagnosis when a call does not succeed. */
HSA_MUST_USE hsa_rc eb_run(struct eb_result *res, const struct eb_case *what,
    const struct eb_plan *plan, struct cryptounit *u,
    const struct hsa_caller *caller, const struct eb_keys *keys,
    const struct eb_besides *besides, struct hsa_diag *diag);

#endif
