/*
 * cu_sink.h - where a unit's records go: the sealed log. Implemented by
 * seal/slog; tests wrap it to make the n-th call fail.
 */
#ifndef CU_SINK_H
#define CU_SINK_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_event.h"

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
	 * seal in two steps, for callers that must keep the order of put but
	 * may wait side by side: put queues the record, wait returns when
	 * everything up to sequence is on stable storage under a checkpoint.
	 * Same errors. Each put that succeeded is followed by exactly one wait
	 * for its sequence, which may come after the log was closed in order:
	 * what was put is sealed.
	 */
	hsa_rc (*put)(void *ctx, uint64_t *sequence, enum hsa_source source,
	    uint64_t source_sequence, const void *rec, size_t n);
	hsa_rc (*wait)(void *ctx, uint64_t sequence);
	/* Highest source sequence that the log holds, 0 when none: what a
	 * restart may drop from its outbox, and after which it goes on. */
	uint64_t (*last)(void *ctx, enum hsa_source source);
	/* Records sealed and the tree's root over them. */
	void (*head)(void *ctx, uint64_t *size, uint8_t root[32]);
};

struct cu_sink {
	const struct cu_sink_ops *ops;
	void *ctx;
};

#endif
