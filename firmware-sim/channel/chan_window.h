/*
 * chan_window.h - the checkpoints that a connection has sent, by size, so that
 * an Ack is taken only for a size that was sent and the root it has (C3).
 * Bounded: when it is full, the unit waits for an Ack before it sends more.
 */
#ifndef CHAN_WINDOW_H
#define CHAN_WINDOW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

#define CHAN_WINDOW 1024

struct chan_point {
	uint64_t size;
	uint8_t root[HSA_SHA256_LEN];
};

/* A zeroed struct is empty. */
struct chan_window {
	struct chan_point point[CHAN_WINDOW]; /* ring */
	size_t from, len;
	bool held; /* the oldest is acknowledged, kept for a repeated Ack */
};

void chan_window_reset(struct chan_window *w);
bool chan_window_full(const struct chan_window *w);
/* chan_window_open(w) - how many wait for an Ack. */
size_t chan_window_open(const struct chan_window *w);
/* chan_window_add(w, size, root) - sizes ascend; not when full. */
void chan_window_add(
    struct chan_window *w, uint64_t size, const uint8_t root[HSA_SHA256_LEN]);
/* chan_window_ack(w, size, root) - forget the smaller ones. E_NOT_FOUND: no
 * such size; E_SIGNATURE: another root. w is unchanged then. */
HSA_MUST_USE hsa_rc chan_window_ack(
    struct chan_window *w, uint64_t size, const uint8_t root[HSA_SHA256_LEN]);

#endif
