/*
 * eb_run.h - measure one case in interleaved slices: direct Cryptoki, the
 * unit without emission, the same over a socket, the unit with every event
 * sealed, round after round, so that what the machine does besides falls on
 * all alike. Ratios and
 * differences are taken within a round, and their medians are reported.
 */
#ifndef EB_RUN_H
#define EB_RUN_H
#include "eb_case.h"
#include "eb_stats.h"

struct eb_plan {
	unsigned int rounds;
	unsigned int slice_us; /* of work without emission */
	unsigned int threads;  /* callers at once; direct Cryptoki has one */
};

struct eb_result {
	const struct eb_case *what;
	bool has_raw;
	bool has_socket;
	double raw_ns, off_ns, sealed_ns; /* per operation, medians */
	double socket_ns;                 /* off, over a socket */
	double off_p99, sealed_p99;       /* of slices' means */
	double ratio;    /* off to direct, median of the rounds' */
	double added_ns; /* sealed minus off, the same */
	double off_per_s, sealed_per_s; /* all callers together */
	uint64_t calls;
};

/* raw, socket NULL: without the direct calls, without the socket. E_KEY with a
 * diagnosis when a call does not succeed. */
HSA_MUST_USE hsa_rc eb_run(struct eb_result *res, const struct eb_case *what,
    const struct eb_plan *plan, struct cryptounit *u,
    const struct hsa_caller *caller, const struct eb_keys *keys,
    struct eb_raw *raw, struct eb_socket *socket, struct hsa_diag *diag);

#endif
