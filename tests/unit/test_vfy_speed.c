#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_big.h"
#include "helper_vfy.h"

/*
 * VERIFY_RECORDS (20,000; the bar is stated for 1,000,000) calls in a log:
 * hsa verify, hsa prove and hsa export --tlog-tiles hold no more of it than a
 * small log needs, and say how long they took. No time is a failure here.
 */
#define RECORDS 20000u
/* Above what the child has at its start. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_KIB 524288 /* which keeps what was freed */
#else
#define MEMORY_KIB 24576
#endif

static char base[64], log_dir[96], pub[96], tiles[96], proof[96];
static uint64_t records = RECORDS;

static int
setup(void **state)
{
	const char *env = getenv("VERIFY_RECORDS");
	struct helper_vfy_log *l = calloc(1, sizeof(*l));

	(void)state;
	assert_non_null(l);
	if (env != NULL)
		records = strtoull(env, NULL, 10);
	helper_vfy_tmpdir(base);
	(void)snprintf(log_dir, sizeof(log_dir), "%s/log", base);
	(void)snprintf(pub, sizeof(pub), "%s/pub", base);
	(void)snprintf(tiles, sizeof(tiles), "%s/tiles", base);
	(void)snprintf(proof, sizeof(proof), "%s/proof", base);
	helper_vfy_init(l, 1);
	helper_vfy_put_file(base, "pub", l->key_line, strlen(l->key_line));
	helper_big_write(l, log_dir, records, 1000);
	helper_vfy_free(l);
	free(l);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_rmdir(base);
	return 0;
}

static double
seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* In a process of its own, whose time and memory are then known. */
static void
measure(
    const struct cmd *c, const char *const *args, int code, const char *what)
{
	struct rusage before, use;
	char *argv[16];
	int argc = 0, status;
	double used;
	pid_t pid;

	for (; args[argc] != NULL; argc++) {
		argv[argc] = strdup(args[argc]);
		assert_non_null(argv[argc]);
	}
	argv[argc] = NULL;
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	(void)fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(99);
		_exit(c->run(argc, argv));
	}
	assert_true(wait4(pid, &status, 0, &use) == pid);
	used = seconds(&use.ru_utime) + seconds(&use.ru_stime);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == code);
	printf("COUNT %s, %" PRIu64 " records: %.2f s of processor, %.2f M "
	       "records/s, peak memory %ld KiB\n",
	    what, records, used, (double)records / used / 1e6, use.ru_maxrss);
	assert_true(use.ru_maxrss < before.ru_maxrss + MEMORY_KIB);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_speed__verify(void **state)
{
	(void)state;
	measure(
	    &cmd_verify, ARGS("verify", "-k", pub, log_dir), 0, "hsa verify");
}

static void
test_speed__prove(void **state)
{
	char n[24], half[24];

	(void)state;
	(void)snprintf(n, sizeof(n), "%" PRIu64, records / 3);
	(void)snprintf(half, sizeof(half), "%" PRIu64, records / 2000 * 1000);
	measure(&cmd_prove,
	    ARGS("prove", "-k", pub, "-s", n, "-o", proof, log_dir), 0,
	    "hsa prove --sequence (two walks)");
	measure(&cmd_prove,
	    ARGS("prove", "-k", pub, "-f", half, "-o", proof, log_dir), 0,
	    "hsa prove --from (one walk)");
	measure(&cmd_prove,
	    ARGS("prove", "-k", pub, "-e",
		"00000000-0000-4000-8000-000000000000", log_dir),
	    1, "hsa prove --event that is not there");
}

static void
test_speed__tiles(void **state)
{
	(void)state;
	measure(&cmd_export, ARGS("export", "-k", pub, "-t", tiles, log_dir), 0,
	    "hsa export --tlog-tiles");
	measure(&cmd_export, ARGS("export", "-k", pub, "-t", tiles, log_dir), 0,
	    "the same again");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_speed__verify),
	    cmocka_unit_test(test_speed__prove),
	    cmocka_unit_test(test_speed__tiles),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
