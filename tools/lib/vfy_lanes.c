#include <string.h>

#include "vfy_lanes.h"

/*
 * FIPS 180-4, section 6.2.2, with every word a vector of eight, one for each
 * message. Messages of fewer blocks than the longest keep their state through
 * the blocks that are not theirs.
 */
typedef uint32_t word __attribute__((vector_size(4 * VFY_LANES)));

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
    0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t constant[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
    0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
    0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
    0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
    0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

#define TURN(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
#define CH(e, f, g) ((g) ^ ((e) & ((f) ^ (g))))
#define MAJ(a, b, c) (((a) & (b)) | ((c) & ((a) | (b))))
#define BIG0(a) (TURN(a, 2) ^ TURN(a, 13) ^ TURN(a, 22))
#define BIG1(e) (TURN(e, 6) ^ TURN(e, 11) ^ TURN(e, 25))
#define SMALL0(x) (TURN(x, 7) ^ TURN(x, 18) ^ ((x) >> 3))
#define SMALL1(x) (TURN(x, 17) ^ TURN(x, 19) ^ ((x) >> 10))

static inline __attribute__((always_inline)) uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* Compiled once for each kind of processor below. */
static inline __attribute__((always_inline)) void
block(word s[8], const struct vfy_lanes *l, size_t at)
{
	word w[16], v[8], t1, t2, mine;

	for (size_t i = 0; i < 16; i++)
		for (size_t k = 0; k < VFY_LANES; k++)
			w[i][k] = be32(l->data[k] + 64 * at + 4 * i);
	for (size_t k = 0; k < VFY_LANES; k++)
		mine[k] = at < l->blocks[k] ? UINT32_MAX : 0;
	for (size_t i = 0; i < 8; i++)
		v[i] = s[i];
#pragma GCC unroll 16
	for (size_t i = 0; i < 64; i++) {
		if (i >= 16)
			w[i % 16] += SMALL1(w[(i + 14) % 16]) +
				     w[(i + 9) % 16] + SMALL0(w[(i + 1) % 16]);
		t1 = v[7] + BIG1(v[4]) + CH(v[4], v[5], v[6]) + constant[i] +
		     w[i % 16];
		t2 = BIG0(v[0]) + MAJ(v[0], v[1], v[2]);
		v[7] = v[6];
		v[6] = v[5];
		v[5] = v[4];
		v[4] = v[3] + t1;
		v[3] = v[2];
		v[2] = v[1];
		v[1] = v[0];
		v[0] = t1 + t2;
	}
	for (size_t i = 0; i < 8; i++)
		s[i] += v[i] & mine;
}

static inline __attribute__((always_inline)) void
all_blocks(uint32_t out[8][VFY_LANES], const struct vfy_lanes *l, size_t blocks)
{
	word s[8];

	for (size_t i = 0; i < 8; i++)
		s[i] = initial[i] - (word){0};
	for (size_t at = 0; at < blocks; at++)
		block(s, l, at);
	for (size_t i = 0; i < 8; i++)
		for (size_t k = 0; k < VFY_LANES; k++)
			out[i][k] = s[i][k];
}

#if defined(__x86_64__)

static __attribute__((target("avx2"))) void
blocks_avx2(
    uint32_t out[8][VFY_LANES], const struct vfy_lanes *l, size_t blocks)
{
	all_blocks(out, l, blocks);
}

/* The same with rotations and three-way logic as single instructions. */
static __attribute__((target("avx2,avx512f,avx512vl"))) void
blocks_avx512(
    uint32_t out[8][VFY_LANES], const struct vfy_lanes *l, size_t blocks)
{
	all_blocks(out, l, blocks);
}

bool
vfy_lanes_usable(void)
{
	return __builtin_cpu_supports("avx2");
}

static void
run(uint32_t out[8][VFY_LANES], const struct vfy_lanes *l, size_t blocks)
{
	if (__builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512vl"))
		blocks_avx512(out, l, blocks);
	else
		blocks_avx2(out, l, blocks);
}

#else

bool
vfy_lanes_usable(void)
{
	return false;
}

static void
run(uint32_t out[8][VFY_LANES], const struct vfy_lanes *l, size_t blocks)
{
	all_blocks(out, l, blocks);
}

#endif

void
vfy_lanes_put(struct vfy_lanes *l, uint8_t mark, const void *p, size_t n)
{
	uint8_t *d = l->data[l->len];
	size_t blocks = (n + 1 + 9 + 63) / 64;
	uint64_t bits = 8 * (uint64_t)(n + 1);

	d[0] = mark;
	if (n != 0)
		memcpy(d + 1, p, n);
	d[1 + n] = 0x80;
	memset(d + 2 + n, 0, 64 * blocks - n - 2);
	for (size_t i = 0; i < 8; i++)
		d[64 * blocks - 1 - i] = (uint8_t)(bits >> (8 * i));
	l->blocks[l->len++] = (uint8_t)blocks;
}

void
vfy_lanes_hash(uint8_t (*out)[32], struct vfy_lanes *l)
{
	uint32_t s[8][VFY_LANES];
	size_t most = 0;

	for (size_t k = l->len; k < VFY_LANES; k++)
		l->blocks[k] = 0;
	for (size_t k = 0; k < l->len; k++)
		if (l->blocks[k] > most)
			most = l->blocks[k];
	run(s, l, most);
	for (size_t k = 0; k < l->len; k++)
		for (size_t i = 0; i < 8; i++) {
			out[k][4 * i] = (uint8_t)(s[i][k] >> 24);
			out[k][4 * i + 1] = (uint8_t)(s[i][k] >> 16);
			out[k][4 * i + 2] = (uint8_t)(s[i][k] >> 8);
			out[k][4 * i + 3] = (uint8_t)s[i][k];
		}
	l->len = 0;
}
