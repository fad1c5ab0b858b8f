/* cu_clock.h - time as a unit sees it; tests set their own. */
#ifndef CU_CLOCK_H
#define CU_CLOCK_H
#include <stdint.h>

struct cu_clock {
	uint64_t (*wall_ns)(void *ctx); /* CLOCK_REALTIME */
	uint64_t (*mono_ns)(void *ctx); /* CLOCK_BOOTTIME, within 1 us */
	void *ctx;
};

extern const struct cu_clock cu_clock_system;

#endif
