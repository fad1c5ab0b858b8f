/*
 * helper_load.h - a load of EP11 calls over units' sockets, with a ledger: of
 * every call that was ever sent, what was answered; and the comparison of the
 * ledger with the units' logs, read back by the verifier's code.
 *
 * A call's id, which its event carries as correlationId, is its place in the
 * ledger, so each record is held against the one call that it must tell of.
 */
#ifndef HELPER_LOAD_H
#define HELPER_LOAD_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "helper_daemon.h"
#include "hsa_call.h"
#include "hsa_unit.h"

#define LOAD_UNITS_MAX 4
#define LOAD_THREADS_MAX 16

struct load_entry {
	uint8_t unit;
	bool sent, replied;
	uint8_t records;  /* found in the log */
	uint8_t keystore; /* enum hsa_ks_op; 0: an EP11 call */
	uint16_t fn;
	uint32_t rv;
	/* Of a key that this entry stored: its version as the log tells it,
	 * 0 when it is not (or no more) there. */
	uint32_t version;
};

struct load {
	char sock[LOAD_UNITS_MAX][256];
	unsigned int units, threads;
	uint64_t seed;
	size_t per_thread;         /* entries */
	struct load_entry *ledger; /* threads * per_thread */
	size_t used[LOAD_THREADS_MAX];
	atomic_uint answered; /* since the load_run before ended */
	atomic_bool stop;     /* set it to end load_run early */
	bool halts;           /* CKR_DEVICE_ERROR is an answer like others */
	bool reconnect;       /* a broken connection is tried again */
	unsigned int refuse_percent;
	unsigned int keystore_percent; /* of keystore operations, 0: none */
	uint8_t keystore_id[HSA_UUID_LEN];
	struct hsa_caller caller;
	/* what load_check found */
	unsigned long replied, refused, unanswered, unanswered_sealed, records;
	unsigned long lost, doubled, invented, disagree;
};

/* load_new(l, d, unit, n, threads, per_thread, seed) - sockets of the named
 * units of a daemon; aborts out of memory. */
void load_new(struct load *l, const struct hd *d, const char *const *unit,
    unsigned int n, unsigned int threads, size_t per_thread, uint64_t seed);
void load_free(struct load *l);

/* load_settle(l, unit) - wait until the unit has sealed all that it answered;
 * false: it does not, or not soon. load_collected(l, unit, id) - until its one
 * collector has acknowledged it as well, when no load runs; id: out, the
 * unit's. */
bool load_settle(struct load *l, unsigned int unit);
bool load_collected(
    struct load *l, unsigned int unit, uint8_t id[HSA_UUID_LEN]);

/* load_await(l, answers, us) - in another thread than load_run: return after
 * so many answers of this run, or 30 s, and then so much time. */
void load_await(struct load *l, unsigned int answers, unsigned int us);

/* load_run(l, calls) - each thread makes so many calls more (or until stop,
 * or without reconnect until the connection breaks), the threads' units in
 * turn. Keys are made by calls too, and those count. */
void load_run(struct load *l, size_t calls);

/* load_check(l, log, unit) - read the log folder of unit number `unit`,
 * verified, and hold its records against the ledger; adds to the counters.
 * load_conclude(l) - after all units: counts what is missing.
 * load_forget(l) - what was found and counted, except disagreements: the
 * ledger can be held against other logs, or against longer ones. */
void load_check(
    struct load *l, const char *log, const char *keys, unsigned int unit);
void load_conclude(struct load *l);
void load_forget(struct load *l);

/* load_keystore(l) - before load_run with keystore_percent: makes the keystore
 * that all threads use, on the first unit. Aborts when it cannot.
 * load_keystore_check(l) - when everything is checked and the unit runs: its
 * keystore holds the keys that the log tells of, at their versions, and no
 * others; returns their number. */
void load_keystore(struct load *l);
size_t load_keystore_check(struct load *l);

/* load_ask(fd, r, q) - one request on a connected socket. */
bool load_ask(
    int fd, struct hsa_unit_reply *r, const struct hsa_unit_request *q);

#endif
