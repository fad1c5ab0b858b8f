#include <stdlib.h>
#include <time.h>

#include "eb_stats.h"

hsa_rc
eb_samples_add(struct eb_samples *s, double ns)
{
	size_t cap = s->cap == 0 ? 256 : 2 * s->cap;
	double *p;

	if (s->len == s->cap) {
		p = realloc(s->v, cap * sizeof(*p));
		if (p == NULL)
			return HSA_RC(E_NOMEM);
		s->v = p;
		s->cap = cap;
	}
	s->v[s->len++] = ns;
	return HSA_OK;
}

void
eb_samples_free(struct eb_samples *s)
{
	free(s->v);
	*s = (struct eb_samples){0};
}

static int
order(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double
eb_quantile(struct eb_samples *s, double q)
{
	if (s->len == 0)
		return 0;
	qsort(s->v, s->len, sizeof(*s->v), order);
	return s->v[(size_t)(q * (double)(s->len - 1) + 0.5)];
}

static uint64_t
read_ns(clockid_t id)
{
	struct timespec t = {0};

	(void)clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t
eb_now(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t
eb_cpu(void)
{
	return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}
