/*
 * cu_use.h - from an EP11 call to its record. What calls in quick succession
 * share is a context (FORMAT.md section 1), built once with all the rules of
 * the catalogue and given to the sink; a call then leaves the few fields of its
 * own (struct cu_sink_call). Which context a call has is found by what its
 * thread saw last, without a lock, or in the unit's table.
 */
#ifndef CU_USE_H
#define CU_USE_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_sink.h"
#include "hsa_buf.h"
#include "hsa_unit.h"

struct cu_unit;

/* A call that is done, but for its record. */
struct cu_use {
	const struct hsa_call *call;
	const struct hsa_caller *caller;
	uint64_t mono_ns, duration_ns;
	uint32_t denied; /* 0, 401 or 403 */
};

/* Contexts at the sink; above HIGH the oldest quarter is dropped before the
 * next call, so there is room for callers that are under way. */
#define CU_KINDS_MAX 224u
#define CU_KINDS_HIGH 160u

/* Zeroed: empty. */
struct cu_kinds {
	pthread_mutex_t lock; /* guards all but full and gone: */
	struct cu_kind {
		uint64_t hash;
		struct hsa_buf key; /* what the kind's calls share */
		uint32_t handle;
	} kind[CU_KINDS_MAX]; /* oldest first */
	size_t len;
	uint64_t unit;         /* unlike any other's in this process */
	_Atomic uint32_t gone; /* times that contexts were dropped */
	atomic_bool full;
};

/*
 * cu_kinds_init(k), cu_kinds_free(k) - the sink keeps its contexts.
 *
 * cu_use_leave(u, x, durable, diag) - leave the record of x with the sink: one
 * hs-crypto.ep11.use. While u->work is held for reading. Errors of the sink's
 * call; E_ARG with a diagnosis when the catalogue refuses the event; E_RANGE,
 * E_NOMEM. A caller whose texts do not fit a context has them cut to 256 bytes
 * each there.
 *
 * cu_use_room(u) - drop old contexts if there are many. Not while u->work is
 * held: no call may be between finding its context and leaving its record.
 */
void cu_kinds_init(struct cu_kinds *k);
void cu_kinds_free(struct cu_kinds *k);
HSA_MUST_USE hsa_rc cu_use_leave(struct cu_unit *u, const struct cu_use *x,
    bool durable, struct hsa_diag *diag);
void cu_use_room(struct cu_unit *u);

#endif
