/*
 * cryptounit.h - a crypto unit inside a process of one's own: the same state,
 * token, dispatcher and sealed log as under cryptounitd, without its socket.
 * One unit per process, and not while cryptounitd serves it (the folder is
 * locked). Not usable in a child after fork.
 *
 * libcryptounit.so; callers open it with dlopen or link it.
 */
#ifndef CRYPTOUNIT_H
#define CRYPTOUNIT_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_call.h"
#include "hsa_err.h"
#include "hsa_unit.h"

struct cryptounit;

/*
 * cryptounit_open(u, dir, name, diag) - the unit `name` (NULL: the first one)
 * of the installation in dir. E_BUSY: cryptounitd or another process has it.
 * cryptounit_close(u) - seals UNIT_STOP; NULL-safe. No call may be running.
 */
HSA_MUST_USE hsa_rc cryptounit_open(struct cryptounit **u, const char *dir,
    const char *name, struct hsa_diag *diag);
void cryptounit_close(struct cryptounit *u);

/* cryptounit_folder(u) - path of the unit's folder; its log is in log/. */
const char *cryptounit_folder(struct cryptounit *u);

/*
 * cryptounit_request(u, r, q) - any request of the unit's socket (hsa_unit.h),
 * audited like there. r is zeroed by the caller and freed by it.
 * cryptounit_call(u, c, caller) - the same for one EP11 call, without copying:
 * what a benchmark or a firmware wants. Both from any number of threads.
 */
HSA_MUST_USE hsa_rc cryptounit_request(struct cryptounit *u,
    struct hsa_unit_reply *r, const struct hsa_unit_request *q);
void cryptounit_call(
    struct cryptounit *u, struct hsa_call *c, const struct hsa_caller *caller);

/*
 * cryptounit_emission(u, mode) - when the answer of an EP11 call may leave
 * (design D7); config.yaml says how a unit begins. CRYPTOUNIT_OFF is for
 * measuring alone: calls then leave no event. Turning it on and off are records
 * of the log, the latter with the number of calls that left none: a log cannot
 * have a hole that it does not tell of. It returns when those are sealed, and
 * with them all that was in the ring. E_STATE: halted.
 *
 * cryptounit_flush(u) - put all calls that returned before on stable storage
 * now. E_STATE: halted.
 */
enum cryptounit_emission {
	CRYPTOUNIT_SEALED = 1, /* on stable storage under a checkpoint */
	CRYPTOUNIT_OFF,
	CRYPTOUNIT_RING /* survives a kill of all processes, not a power cut */
};
HSA_MUST_USE hsa_rc cryptounit_emission(
    struct cryptounit *u, enum cryptounit_emission mode);
HSA_MUST_USE hsa_rc cryptounit_flush(struct cryptounit *u);

#endif
