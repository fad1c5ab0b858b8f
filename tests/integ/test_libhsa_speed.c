/*
 * test_libhsa_speed.c - what an event through libhsa costs its caller: mean and
 * median time of hsa_emitter_emit with one context, in each mode, and what that
 * makes per second. Prints; asserts only that each was recorded. EMITS
 * chooses how many; the folder is on the disk of TMPDIR, /var/tmp by default.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper_daemon.h"
#include "helper_emitter.h"

#define THREADS_MAX 64

struct worker {
	struct hsa_emitter_context *c;
	unsigned int n;
	uint64_t *ns; /* n of them */
	bool bad;
};

static uint64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct hsa_emitter_event ev;
	uint64_t at = now(), then;

	helper_emitter_event(&ev);
	for (unsigned int i = 0; i < w->n; i++) {
		if (!hsa_is_ok(hsa_emitter_emit(w->c, NULL, &ev, NULL)))
			w->bad = true;
		then = now();
		w->ns[i] = then - at;
		at = then;
	}
	return NULL;
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool
measure(const char *name, enum hsa_emitter_mode mode, unsigned int threads,
    unsigned int each)
{
	const char *tmp = getenv("TMPDIR");
	struct worker w[THREADS_MAX];
	pthread_t t[THREADS_MAX];
	struct helper_emitter h;
	struct hsa_emitter_context *c;
	struct hsa_emitter *e;
	struct vfy_result res;
	uint64_t n = (uint64_t)threads * each, sum = 0, start, end;
	uint64_t *ns = calloc(n, sizeof(*ns));
	bool good = ns != NULL;

	helper_emitter_init(&h, mode);
	helper_emitter_place(&h, tmp == NULL ? "/var/tmp" : tmp);
	h.cfg.measuring = true;
	e = helper_emitter_open(&h);
	c = helper_emitter_context(e, 0);
	start = now();
	for (unsigned int i = 0; good && i < threads; i++) {
		w[i] = (struct worker){c, each, ns + (size_t)i * each, false};
		good = pthread_create(&t[i], NULL, work, &w[i]) == 0;
	}
	for (unsigned int i = 0; good && i < threads; i++)
		good = pthread_join(t[i], NULL) == 0 && !w[i].bad;
	end = now();
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	helper_emitter_check(&h, &res, NULL, NULL);
	if (good && mode != HSA_EMITTER_OFF)
		good = res.events == n;
	helper_emitter_free(&h);
	if (!good)
		return false;
	for (uint64_t i = 0; i < n; i++)
		sum += ns[i];
	qsort(ns, n, sizeof(*ns), by_value);
	printf("COUNT %s, %u thread%s: %llu events, mean %llu ns, median %llu "
	       "ns, p99 %llu ns, %.0f events/s\n",
	    name, threads, threads == 1 ? "" : "s", (unsigned long long)n,
	    (unsigned long long)(sum / n), (unsigned long long)ns[n / 2],
	    (unsigned long long)ns[n * 99 / 100],
	    (double)n * 1e9 / (double)(end - start));
	free(ns);
	return true;
}

int
main(void)
{
	unsigned int n = hd_env("EMITS", 2000);
	bool good;

	good = measure("off (built, not recorded)", HSA_EMITTER_OFF, 1, n) &&
	       measure("ring", HSA_EMITTER_RING, 1, n) &&
	       measure("ring", HSA_EMITTER_RING, 2, n) &&
	       measure("sealed", HSA_EMITTER_SEALED, 1, n / 10 + 1) &&
	       measure("sealed", HSA_EMITTER_SEALED, 64, n / 10 + 1);
	return good ? 0 : 1;
}
