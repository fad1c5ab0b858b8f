/* host_id.c - see host_id.h. */
#include <stdatomic.h>
#include <string.h>
#include "host_id.h"

static atomic_uint_fast64_t forks; /* between the first image and this one */

struct base {
	uint64_t drawn; /* 0: never; otherwise forks + 1 at that time */
	uint64_t key, step, count;
};
static _Thread_local struct base base;

/* A bijection in which every bit of the result hangs on every bit given. */
static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void
put_be64(uint8_t *to, uint64_t v)
{
	int i = 0;

	for (i = 7; i >= 0; i--) {
		to[i] = (uint8_t)v;
		v >>= 8;
	}
}

hsa_rc
host_id(uint8_t id[HSA_UUID_LEN])
{
	uint64_t now =
	    (uint64_t)atomic_load_explicit(&forks, memory_order_relaxed) + 1;
	hsa_rc rc = HSA_OK;

	if (base.drawn != now) {
		uint64_t drawn[3] = {0};

		HSA_TRY(rc, hsa_random(drawn, sizeof(drawn)));
		/* an odd step visits every value before the first again */
		base = (struct base){.drawn = now,
		    .key = drawn[0],
		    .step = drawn[1] | 1,
		    .count = drawn[2]};
	}
	base.count += base.step;
	put_be64(id, mix(base.count ^ base.key));
	put_be64(id + 8, base.count);
	id[6] = (uint8_t)((id[6] & 0x0fu) | 0x40u);
	id[8] = (uint8_t)((id[8] & 0x3fu) | 0x80u);
out:
	return rc;
}

void
host_id_forked(void)
{
	atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}
