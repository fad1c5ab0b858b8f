#include <time.h>

#include "cu_clock.h"

static uint64_t
read_ns(clockid_t id)
{
	struct timespec t = {0};

	(void)clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
wall_ns(void *ctx)
{
	(void)ctx;
	return read_ns(CLOCK_REALTIME);
}

static uint64_t
mono_ns(void *ctx)
{
	(void)ctx;
	return read_ns(CLOCK_BOOTTIME);
}

const struct cu_clock cu_clock_system = {
    .wall_ns = wall_ns,
    .mono_ns = mono_ns,
};
