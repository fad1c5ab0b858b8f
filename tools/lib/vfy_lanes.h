/*
 * vfy_lanes.h - SHA-256 of eight short messages at once, one in each lane of
 * a vector register. A verifier hashes two short messages for each record,
 * and on a machine without SHA instructions OpenSSL needs most of the time
 * that verifying takes; this needs a third of it. Where the processor has no
 * such registers there are no lanes, and callers use hsa_sha256_three.
 */
#ifndef VFY_LANES_H
#define VFY_LANES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFY_LANES 8
#define VFY_LANE_BLOCKS 4
/* A message with its marking byte, padding and length fills four blocks. */
#define VFY_LANE_MAX (64 * VFY_LANE_BLOCKS - 10)

struct vfy_lanes {
	size_t len; /* messages put so far */
	uint8_t blocks[VFY_LANES];
	uint8_t data[VFY_LANES][64 * VFY_LANE_BLOCKS];
};

/* vfy_lanes_usable() - whether this machine has them. */
bool vfy_lanes_usable(void);
/* vfy_lanes_put(l, mark, p, n) - the next message: the byte mark, then n <=
 * VFY_LANE_MAX bytes. At most VFY_LANES before they are hashed. */
void vfy_lanes_put(struct vfy_lanes *l, uint8_t mark, const void *p, size_t n);
/* vfy_lanes_hash(out, l) - the digests of all that was put, in order; l is
 * empty again. out has room for VFY_LANES. */
void vfy_lanes_hash(uint8_t (*out)[32], struct vfy_lanes *l);

#endif
