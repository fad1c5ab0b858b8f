#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eb_run.h"
#include "eb_slice.h"

#define CALIBRATE 8u   /* operations */
#define WARM_UP 4u     /* operations */
#define PAIRS 5u       /* of slices in a round */
#define SEALED_MIN 4u  /* operations of a slice that waits for the disk */
#define OPS_MAX 20000u /* operations of any slice with one caller */

struct samples {
	struct eb_samples ns[EB_WAYS], added[EB_WAYS];
	struct eb_samples off_to_direct, ring_lost, ring_cpu, sealed_to_bare,
	    bytes;
};

struct run {
	struct eb_bench bench;
	bool way[EB_WAYS]; /* wanted */
	bool lost;         /* what the sealer takes, too */
	unsigned int ops;  /* of a slice, each caller */
	unsigned int slow; /* the same where callers wait for the disk */
	struct samples s;
};

/* ---- parts of a round ---------------------------------------------------- */

static hsa_rc
emission(struct run *r, enum cryptounit_emission mode)
{
	return cryptounit_emission(r->bench.u, mode);
}

/* What the slice before left of the caches is not this one's. */
static hsa_rc
warm(struct run *r, enum eb_way way)
{
	double ns = 0;

	return eb_slice(&r->bench, &ns, way, WARM_UP);
}

static hsa_rc
measure(struct run *r, double *ns, enum eb_way way, unsigned int ops)
{
	hsa_rc rc;

	HSA_TRY(rc, eb_slice(&r->bench, ns, way, ops));
	HSA_TRY(rc, eb_samples_add(&r->s.ns[way], *ns));
out:
	return rc;
}

static hsa_rc
against(struct run *r, enum eb_way way, unsigned int ops, double off)
{
	double ns = 0;
	hsa_rc rc;

	HSA_TRY(rc, warm(r, way));
	HSA_TRY(rc, measure(r, &ns, way, ops));
	HSA_TRY(rc, eb_samples_add(&r->s.added[way], ns - off));
out:
	return rc;
}

/* The direct calls stand between two halves of the slice that they are
 * compared with, so that a drift of the clock cancels. */
static hsa_rc
off_and_direct(struct run *r, double *off)
{
	double raw = 0, half = 0;
	hsa_rc rc;

	HSA_TRY(rc, eb_slice(&r->bench, off, EB_OFF, (r->ops + 1) / 2));
	if (r->way[EB_DIRECT])
		HSA_TRY(rc, measure(r, &raw, EB_DIRECT, r->ops));
	HSA_TRY(rc, eb_slice(&r->bench, &half, EB_OFF, (r->ops + 1) / 2));
	*off = (*off + half) / 2;
	HSA_TRY(rc, eb_samples_add(&r->s.ns[EB_OFF], *off));
	if (r->way[EB_DIRECT])
		HSA_TRY(rc, eb_samples_add(&r->s.off_to_direct, *off / raw));
out:
	return rc;
}

static hsa_rc
everybody(struct run *r, enum cryptounit_emission mode)
{
	struct eb_others *others = r->bench.besides->others;
	hsa_rc rc = HSA_OK;

	if (others != NULL)
		HSA_TRY(rc,
		    eb_others_work(others, r->bench.what, mode, r->bench.diag));
	rc = emission(r, mode);
out:
	return rc;
}

/* With callers on every core it is the sealer that costs; it has to be done
 * with all of the slice. */
static hsa_rc
ring_lost(struct run *r)
{
	struct eb_others *others = r->bench.besides->others;
	double off = 0, ring = 0, off_cpu = 0, ring_cpu = 0;
	uint64_t before = 0;
	hsa_rc rc;

	HSA_TRY(rc, everybody(r, CRYPTOUNIT_OFF));
	HSA_TRY(rc, warm(r, EB_OFF));
	before = eb_cpu();
	HSA_TRY(rc, eb_slice(&r->bench, &off, EB_OFF, r->ops));
	off_cpu = (double)(eb_cpu() - before);
	HSA_TRY(rc, everybody(r, CRYPTOUNIT_RING));
	HSA_TRY(rc, warm(r, EB_RING));
	before = eb_cpu();
	HSA_TRY(rc, eb_slice_drained(&r->bench, &ring, EB_RING, r->ops));
	ring_cpu = (double)(eb_cpu() - before);
	if (others != NULL)
		HSA_TRY(rc, eb_others_rest(others, r->bench.diag));
	HSA_TRY(
	    rc, eb_samples_add(&r->s.ring_cpu, 100 * (ring_cpu / off_cpu - 1)));
	HSA_TRY(rc, eb_samples_add(&r->s.ring_lost, 100 * (1 - off / ring)));
out:
	return rc;
}

static hsa_rc
pair(struct run *r, double *off)
{
	hsa_rc rc;

	HSA_TRY(rc, emission(r, CRYPTOUNIT_OFF));
	HSA_TRY(rc, warm(r, EB_OFF));
	if (r->way[EB_DIRECT])
		HSA_TRY(rc, warm(r, EB_DIRECT));
	HSA_TRY(rc, off_and_direct(r, off));
	if (r->way[EB_LTTNG]) {
		HSA_TRY(rc, against(r, EB_LTTNG, r->ops, *off));
		HSA_TRY(rc, against(r, EB_TRACE, r->ops, *off));
	}
	HSA_TRY(rc, emission(r, CRYPTOUNIT_RING));
	HSA_TRY(rc, against(r, EB_RING, r->ops, *off));
out:
	return rc;
}

/* Of all segments. */
static double
log_bytes(const char *folder)
{
	DIR *d = opendir(folder);
	double sum = 0;
	struct dirent *e;
	struct stat st;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "seg-", 4) == 0 &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += (double)st.st_size;
	(void)closedir(d);
	return sum;
}

/* Sealed, and the bare way with as many bytes as that made of a call. */
static hsa_rc
sealed(struct run *r, double off)
{
	const struct eb_besides *x = r->bench.besides;
	const double n = (double)r->slow * r->bench.plan->threads;
	double before = 0, bytes = 0, ns = 0, bare = 0;
	hsa_rc rc;

	HSA_TRY(rc, emission(r, CRYPTOUNIT_SEALED));
	HSA_TRY(rc, warm(r, EB_SEALED));
	if (r->way[EB_BARE])
		before = log_bytes(x->log);
	HSA_TRY(rc, measure(r, &ns, EB_SEALED, r->slow));
	HSA_TRY(rc, eb_samples_add(&r->s.added[EB_SEALED], ns - off));
	if (!r->way[EB_BARE])
		goto out;
	bytes = (log_bytes(x->log) - before) / n;
	eb_bare_length(x->bare, bytes < 1 ? 1 : (size_t)bytes);
	HSA_TRY(rc, eb_samples_add(&r->s.bytes, bytes));
	HSA_TRY(rc, emission(r, CRYPTOUNIT_OFF));
	HSA_TRY(rc, warm(r, EB_BARE));
	HSA_TRY(rc, measure(r, &bare, EB_BARE, r->slow));
	HSA_TRY(rc, eb_samples_add(&r->s.added[EB_BARE], bare - off));
	HSA_TRY(rc, eb_samples_add(&r->s.sealed_to_bare, bare / ns));
out:
	return rc;
}

static hsa_rc
round_of(struct run *r)
{
	double off = 0, sum = 0;
	hsa_rc rc;

	for (unsigned int i = 0; i < PAIRS; i++) {
		HSA_TRY(rc, pair(r, &off));
		sum += off;
	}
	if (r->lost)
		HSA_TRY(rc, ring_lost(r));
	if (r->way[EB_SOCKET]) {
		HSA_TRY(rc, emission(r, CRYPTOUNIT_OFF));
		HSA_TRY(rc, against(r, EB_SOCKET, r->ops, sum / PAIRS));
	}
	HSA_TRY(rc, sealed(r, sum / PAIRS));
out:
	return rc;
}

/* ---- around the rounds --------------------------------------------------- */

static unsigned int
ops_for(const struct run *r, double ns, unsigned int min)
{
	double ops = (double)r->bench.plan->slice_us * 1000 / ns;

	if (ops < min)
		return min;
	return r->bench.plan->threads == 1 && ops > OPS_MAX ? OPS_MAX
							    : (unsigned int)ops;
}

static hsa_rc
calibrate(struct run *r)
{
	double ns = 0;
	hsa_rc rc;

	HSA_TRY(rc, emission(r, CRYPTOUNIT_OFF));
	HSA_TRY(rc, eb_slice(&r->bench, &ns, EB_OFF, CALIBRATE));
	HSA_TRY(rc, eb_slice(&r->bench, &ns, EB_OFF, CALIBRATE));
	/* threads take a while to start */
	HSA_TRY(rc, eb_slice(&r->bench, &ns, EB_OFF, ops_for(r, ns, 1)));
	r->ops = ops_for(r, ns, 1);
	HSA_TRY(rc, emission(r, CRYPTOUNIT_SEALED));
	HSA_TRY(rc, eb_slice(&r->bench, &ns, EB_SEALED, SEALED_MIN));
	r->slow = ops_for(r, ns, SEALED_MIN);
out:
	return rc;
}

static void
conclude(struct eb_result *res, struct run *r)
{
	*res = (struct eb_result){
	    .what = r->bench.what,
	    .off_to_direct = eb_quantile(&r->s.off_to_direct, 0.5),
	    .has_lost = r->lost,
	    .ring_lost = eb_quantile(&r->s.ring_lost, 0.5),
	    .ring_cpu = eb_quantile(&r->s.ring_cpu, 0.5),
	    .sealed_to_bare = eb_quantile(&r->s.sealed_to_bare, 0.5),
	    .bytes = eb_quantile(&r->s.bytes, 0.5),
	    .calls = r->bench.calls,
	};
	for (int i = 0; i < EB_WAYS; i++) {
		struct eb_figures *f = &res->way[i];

		f->has = r->way[i];
		f->ns = eb_quantile(&r->s.ns[i], 0.5);
		f->p99 = eb_quantile(&r->s.ns[i], 0.99);
		f->added = eb_quantile(&r->s.added[i], 0.5);
		if (f->ns > 0)
			f->per_s = 1e9 * r->bench.plan->threads / f->ns;
	}
	if (r->way[EB_LTTNG] && res->way[EB_LTTNG].added > 0)
		res->ring_to_lttng =
		    res->way[EB_RING].added / res->way[EB_LTTNG].added;
}

static void
samples_free(struct samples *s)
{
	for (int i = 0; i < EB_WAYS; i++) {
		eb_samples_free(&s->ns[i]);
		eb_samples_free(&s->added[i]);
	}
	eb_samples_free(&s->off_to_direct);
	eb_samples_free(&s->ring_lost);
	eb_samples_free(&s->ring_cpu);
	eb_samples_free(&s->sealed_to_bare);
	eb_samples_free(&s->bytes);
}

static void
choose(struct run *r)
{
	const struct eb_besides *x = r->bench.besides;
	const bool alone = r->bench.plan->threads == 1;

	r->way[EB_OFF] = r->way[EB_RING] = r->way[EB_SEALED] = true;
	r->way[EB_DIRECT] =
	    alone && x->raw != NULL && r->bench.what->raw != NULL;
	r->way[EB_SOCKET] = alone && x->socket != NULL;
	r->way[EB_LTTNG] = r->way[EB_TRACE] = alone && x->lttng != NULL;
	r->way[EB_BARE] = x->bare != NULL;
	r->lost = !alone || x->others != NULL;
}

hsa_rc
eb_run(struct eb_result *res, const struct eb_case *what,
    const struct eb_plan *plan, struct cryptounit *u,
    const struct hsa_caller *caller, const struct eb_keys *keys,
    const struct eb_besides *besides, struct hsa_diag *diag)
{
	struct run r = {.bench = {.what = what,
			    .plan = plan,
			    .besides = besides,
			    .u = u,
			    .diag = diag}};
	struct eb_bench *b = &r.bench;
	hsa_rc rc = HSA_RC(E_NOMEM);

	b->call = calloc(plan->threads, sizeof(*b->call));
	if (b->call == NULL)
		goto out;
	for (unsigned int i = 0; i < plan->threads; i++) {
		eb_call_set(&b->call[i], what, u, caller, keys);
		b->call[i].count = (uint64_t)i << 48;
	}
	choose(&r);
	HSA_TRY(rc, calibrate(&r));
	for (unsigned int i = 0; i < plan->rounds; i++)
		HSA_TRY(rc, round_of(&r));
	conclude(res, &r);
out:
	for (unsigned int i = 0; b->call != NULL && i < plan->threads; i++)
		hsa_call_free(&b->call[i].c);
	free(b->call);
	samples_free(&r.s);
	return rc;
}
