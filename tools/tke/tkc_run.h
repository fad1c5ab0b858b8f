/*
 * tkc_run.h - a ceremony that is being held: bound to key files and crypto
 * units, carried out step by step, each step compared with what the file
 * expects and with what the units' logs say happened.
 */
#ifndef TKC_RUN_H
#define TKC_RUN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tkc_ceremony.h"
#include "tkc_change.h"
#include "tkc_compare.h"
#include "tkc_fleet.h"
#include "tkc_ring.h"
#include "tkc_watch.h"

#define TKC_EVENT_WAIT_MS 10000

struct tkc_deviation {
	char step[33];
	char unit[65]; /* "" when it is about no single unit */
	char *expected, *happened;
};

struct tkc_done {    /* one step on one unit */
	size_t unit; /* index in run->unit */
	struct tkc_outcome outcome;
	struct tkc_records events;
	uint32_t signers; /* in the last event */
};

struct tkc_step_done {
	const struct tkc_c_step *step;
	bool ran;
	uint64_t start_ns, end_ns;
	uint8_t command_id[HSA_UUID_LEN];
	struct tkc_change change;
	struct tkc_done *done; /* one per unit; none for local steps */
	size_t done_len;
	char *note; /* what a local step did */
	size_t deviations;
};

struct tkc_head { /* of a collected log, at the end */
	bool there, verified, bad;
	char origin[256];
	uint64_t size;
	uint8_t root[32];
	char finding[512];
};

struct tkc_run {
	/* given */
	const struct tkc_ceremony *c;
	const char *file;   /* path, for the record */
	uint8_t digest[32]; /* SHA-256 of the file */
	struct tkc_ring *ring;
	struct tkc_fleet *fleet;
	struct tkc_watch *watch; /* NULL: events are not compared */
	const char *checkpoint_keys;
	const char *base; /* directory of the file, for its paths */
	bool keep_going;
	int event_wait_ms; /* 0: TKC_EVENT_WAIT_MS */
	void (*on_step)(
	    void *ctx, const struct tkc_run *r, const struct tkc_step_done *d);
	void *ctx;
	/* results */
	char id[HSA_UUID_TEXT]; /* ceremony id in every envelope */
	uint64_t start_ns, end_ns;
	struct tkc_unit *unit[TKC_CEREMONY_UNITS];
	struct tkc_step_done *step;
	size_t steps;
	struct tkc_deviation *deviation;
	size_t deviations;
	struct tkc_state *state; /* per unit, at the end */
	bool has_state[TKC_CEREMONY_UNITS];
	struct tkc_head head[TKC_CEREMONY_UNITS];
	bool same[TKC_ASPECTS];
};

/*
 * tkc_run_keys(r, diag) - every key that a step uses is there or made by an
 * earlier step, and none that a step makes is there already. E_CONFIG.
 * tkc_run_units(r, diag) - each unit of the file is exactly one of the fleet.
 * tkc_run_passwords(c, base, w, diag) - tell w the password files, and read
 * each once: E_CONFIG when one is missing or open to others.
 */
HSA_MUST_USE hsa_rc tkc_run_keys(struct tkc_run *r, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_run_units(struct tkc_run *r, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_run_passwords(const struct tkc_ceremony *c,
    const char *base, struct tkc_passwords *w, struct hsa_diag *diag);

/*
 * tkc_run(r, diag) - hold it. Success when every step was tried or a deviation
 * stopped it: see r->deviations. An error only when it could not go on at all.
 */
HSA_MUST_USE hsa_rc tkc_run(struct tkc_run *r, struct hsa_diag *diag);
void tkc_run_free(struct tkc_run *r);

/* tkc_run_deviate(r, d, unit, expected, fmt, ...) - record one; d may be
 * NULL. */
HSA_MUST_USE hsa_rc tkc_run_deviate(struct tkc_run *r, struct tkc_step_done *d,
    const char *unit, const char *expected, const char *fmt, ...)
    HSA_PRINTF(5, 6);

/* tkc_run_judge(r, d) - compare a finished step with the file's expectation.
 * tkc_run_judge_events(r, d) - and with the collected events. */
HSA_MUST_USE hsa_rc tkc_run_judge(struct tkc_run *r, struct tkc_step_done *d);
HSA_MUST_USE hsa_rc tkc_run_judge_events(
    struct tkc_run *r, struct tkc_step_done *d);
/* tkc_run_finish(r) - final state of the units, heads of the logs, commands
 * that came from elsewhere. */
HSA_MUST_USE hsa_rc tkc_run_finish(struct tkc_run *r);

/* tkc_run_path(b, base, path) - path, relative to base. */
HSA_MUST_USE hsa_rc tkc_run_path(
    struct hsa_buf *b, const char *base, const char *path);

#endif
