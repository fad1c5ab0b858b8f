/*
 * The clocks of the system. CLOCK_BOOTTIME is asked for twice by every EP11
 * call, and the kernel's way of reading it (35 ns) would be most of what an
 * event costs the caller. Where the kernel itself trusts the processor's
 * counter, that is read instead (10 ns) and brought back to CLOCK_BOOTTIME each
 * few milliseconds, so that both agree within some tens of nanoseconds; two
 * readings may therefore stand still or go back by as much.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* ---- the processor's counter --------------------------------------------- */

#define SHIFT 32             /* of a factor from ticks to ns */
#define FIRST_NS 1000000u    /* until a factor can be told */
#define REFRESH_NS 10000000u /* and between two of them */
#define AWAY_NS 1000000000u  /* longer is no measure of anything */

/* Written by one thread at a time; whoever finds it odd or changing reads the
 * slow clock. */
static struct {
	_Atomic uint64_t sequence;
	_Atomic uint64_t ticks, ns;     /* read together */
	_Atomic uint64_t factor, limit; /* 0: not known yet; ticks it is good */
	atomic_flag writing;
} anchor = {.writing = ATOMIC_FLAG_INIT};

static bool trusted;

#if defined(__x86_64__)
static inline uint64_t
ticks_now(void)
{
	return __builtin_ia32_rdtsc();
}
#else
static inline uint64_t
ticks_now(void)
{
	return 0;
}
#endif

/* The kernel uses the counter only if it runs evenly, in step on all
 * processors, through all states of theirs. */
static void
ask_kernel(void)
{
	static const char file[] =
	    "/sys/devices/system/clocksource/clocksource0/current_clocksource";
	char name[8] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, name, sizeof(name) - 1) > 0 && ticks_now() != 0)
		trusted = strcmp(name, "tsc\n") == 0;
	(void)close(fd);
}

static void
move_anchor(uint64_t ticks, uint64_t ns)
{
	uint64_t old_ticks, old_ns, factor = 0;

	if (atomic_flag_test_and_set_explicit(
		&anchor.writing, memory_order_acquire))
		return;
	old_ticks = atomic_load(&anchor.ticks);
	old_ns = atomic_load(&anchor.ns);
	if (old_ns != 0 && ns - old_ns < FIRST_NS)
		goto out; /* too near: the factor would be a guess */
	/* away for long, suspended perhaps: begin again */
	if (old_ns != 0 && ns - old_ns < AWAY_NS && ticks > old_ticks)
		factor = ((ns - old_ns) << SHIFT) / (ticks - old_ticks);
	atomic_fetch_add(&anchor.sequence, 1);
	atomic_store(&anchor.ticks, ticks);
	atomic_store(&anchor.ns, ns);
	atomic_store(&anchor.factor, factor);
	atomic_store(&anchor.limit,
	    factor == 0 ? 0 : ((uint64_t)REFRESH_NS << SHIFT) / factor);
	atomic_fetch_add(&anchor.sequence, 1);
out:
	atomic_flag_clear_explicit(&anchor.writing, memory_order_release);
}

static uint64_t
mono_slow(void)
{
	uint64_t before = ticks_now(), ns = read_ns(CLOCK_BOOTTIME);
	uint64_t took = ticks_now() - before;

	/* in the middle of the two; a thread that was interrupted there would
	 * be far off */
	if (trusted && took < 2000)
		move_anchor(before + took / 2, ns);
	return ns;
}

static uint64_t
mono_ns(void *ctx)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t sequence, from, ns, factor, limit, past;

	(void)ctx;
	/* each before the next, and all before the sequence is read again */
	sequence = atomic_load_explicit(&anchor.sequence, memory_order_acquire);
	from = atomic_load_explicit(&anchor.ticks, memory_order_acquire);
	ns = atomic_load_explicit(&anchor.ns, memory_order_acquire);
	factor = atomic_load_explicit(&anchor.factor, memory_order_acquire);
	limit = atomic_load_explicit(&anchor.limit, memory_order_acquire);
	past = ticks_now() - from;
	if (past < limit && (sequence & 1) == 0 &&
	    sequence ==
		atomic_load_explicit(&anchor.sequence, memory_order_relaxed))
		return ns + ((past * factor) >> SHIFT);
	(void)pthread_once(&once, ask_kernel);
	return mono_slow();
}

const struct cu_clock cu_clock_system = {
    .wall_ns = wall_ns,
    .mono_ns = mono_ns,
};
