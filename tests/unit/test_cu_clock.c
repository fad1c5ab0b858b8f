#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "cu_clock.h"

static uint64_t
kernel_ns(clockid_t id)
{
	struct timespec t = {0};

	(void)clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
mono(void)
{
	return cu_clock_system.mono_ns(cu_clock_system.ctx);
}

/* How far mono() lies outside of two readings of the kernel around it. */
static uint64_t
off_by(void)
{
	uint64_t before = kernel_ns(CLOCK_BOOTTIME);
	uint64_t now = mono();
	uint64_t after = kernel_ns(CLOCK_BOOTTIME);

	if (now < before)
		return before - now;
	return now > after ? now - after : 0;
}

static void *
watch(void *arg)
{
	uint64_t *worst = arg, end = kernel_ns(CLOCK_BOOTTIME) + 600000000u;

	while (kernel_ns(CLOCK_BOOTTIME) < end) {
		uint64_t off = off_by();

		if (off > *worst)
			*worst = off;
	}
	return NULL;
}

static void
test_cu_clock__agrees_with_the_kernel_in_every_thread(void **state)
{
	pthread_t id[4];
	uint64_t worst[4] = {0}, all = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&id[i], NULL, watch, &worst[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(id[i], NULL), 0);
		all = worst[i] > all ? worst[i] : all;
	}
	print_message(
	    "farthest from CLOCK_BOOTTIME: %llu ns\n", (unsigned long long)all);
	assert_true(all < 20000);
}

static void
test_cu_clock__goes_on_after_a_pause(void **state)
{
	const struct timespec nap[] = {
	    {0, 500000}, {0, 5000000}, {0, 50000000}, {0, 300000000}};

	(void)state;
	for (size_t i = 0; i < sizeof(nap) / sizeof(nap[0]); i++)
		for (int k = 0; k < 3; k++) {
			(void)nanosleep(&nap[i], NULL);
			assert_true(off_by() < 20000);
			assert_true(off_by() < 20000);
		}
}

static void
test_cu_clock__the_time_of_day_is_the_systems(void **state)
{
	uint64_t before = kernel_ns(CLOCK_REALTIME);
	uint64_t now = cu_clock_system.wall_ns(cu_clock_system.ctx);

	(void)state;
	assert_true(now >= before && now - before < 1000000000u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cu_clock__agrees_with_the_kernel_in_every_thread),
	    cmocka_unit_test(test_cu_clock__goes_on_after_a_pause),
	    cmocka_unit_test(test_cu_clock__the_time_of_day_is_the_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
