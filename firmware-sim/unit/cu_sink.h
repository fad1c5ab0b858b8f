/*
 * cu_sink.h - where a unit's records go: the sealed log. Implemented by
 * seal/slog; tests wrap it to make the n-th call fail.
 */
#ifndef CU_SINK_H
#define CU_SINK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_event.h"

/*
 * One EP11 call, as its thread leaves it for the sealer: with its context a
 * whole event. Lies in shared memory as it is.
 */
struct cu_sink_call {
	uint64_t start_ns;    /* mono_ns of the unit's clock when it began */
	uint64_t duration_ns; /* in the unit */
	uint64_t mechanism;
	uint32_t bytes_in, bytes_out;
	uint32_t ep11_rc, ep11_reason;
	uint32_t context;  /* handle */
	uint16_t function; /* 0: a number that is no function */
	uint8_t flags;     /* CU_SINK_* */
	uint8_t pad;
	uint8_t key_id[32]; /* with CU_SINK_KEY */
	uint8_t correlation_id[16];
	uint8_t command_id[16]; /* with CU_SINK_COMMAND; last */
};
#define CU_SINK_KEY 1u
#define CU_SINK_LENGTH_ONLY 2u
#define CU_SINK_COMMAND 4u

/* What waits between calls and the sealer. */
struct cu_sink_ring {
	uint64_t slots;      /* 0: nothing can wait, there is no ring */
	uint64_t used;       /* of them; 0: all that was called is durable */
	uint64_t unrecorded; /* calls that it could not take, ever */
	/* one that may have held calls of that epoch is gone, and no record
	 * says so yet */
	bool lost;
	uint64_t lost_epoch;
	char lost_why[128];
};

struct cu_sink_ops {
	/*
	 * Seal one record (bytes of hsa_record_encode) and wait until it is on
	 * stable storage together with a checkpoint that covers it. sequence:
	 * out. Calls of several threads share one sync (group commit); records
	 * of one source are sealed in the order of their source sequence, the
	 * caller keeps that order. E_IO: the log is closed for good and the
	 * unit must halt.
	 */
	hsa_rc (*seal)(void *ctx, uint64_t *sequence, enum hsa_source source,
	    uint64_t source_sequence, const void *rec, size_t n);
	/*
	 * What calls share: an encoded context record (hsa_context_seal's rec),
	 * for call to name. handle: out, good until context_drop. E_BUSY: drop
	 * another one first; E_RANGE. One thread at a time for both.
	 */
	hsa_rc (*context)(
	    void *ctx, uint32_t *handle, const void *rec, size_t n);
	void (*context_drop)(void *ctx, uint32_t handle);
	/*
	 * Leave one call. When it returns, a kill of all processes does not
	 * lose it. Calls and seals of one thread are sealed in their order.
	 * durable: wait until it is on stable storage under a checkpoint, too;
	 * E_STOPPED when the log closed meanwhile: the call is left, and sealed
	 * when the log is opened again.
	 * E_TIMEOUT: nobody took calls for wait_ms; the sink counts it. E_IO,
	 * E_CLOSED as above. Any number of threads; no lock, system call or
	 * allocation while there is room and not durable.
	 */
	hsa_rc (*call)(void *ctx, const struct cu_sink_call *call, bool durable,
	    int wait_ms);
	void (*ring)(void *ctx, struct cu_sink_ring *st);
	/* Until all calls that returned before are durable, now and not when
	 * the sealer would come to it. E_IO as above. */
	hsa_rc (*flush)(void *ctx);
	/* Highest source sequence that the log holds, 0 when none: what a
	 * restart may drop from its outbox, and after which it goes on. */
	uint64_t (*last)(void *ctx, enum hsa_source source);
	/* Records sealed and the tree's root over them. */
	void (*head)(void *ctx, uint64_t *size, uint8_t root[32]);
	/* May be NULL. full: the log has reached its limit: refuse new work,
	 * what is put nevertheless is taken. why: of E_IO, in words; empty
	 * while it works. */
	bool (*full)(void *ctx);
	void (*why)(void *ctx, struct hsa_diag *diag);
};

struct cu_sink {
	const struct cu_sink_ops *ops;
	void *ctx;
};

#endif
