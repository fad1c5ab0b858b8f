#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_pkcs11.h"
#include "eb_run.h"

#define CALIBRATE 8u   /* operations */
#define WARM_UP 4u     /* operations */
#define PAIRS 5u       /* of off and direct slices in a round */
#define SEALED_MIN 4u  /* operations of a sealed slice */
#define OPS_MAX 20000u /* operations of any slice */

struct bench {
	const struct eb_case *what;
	const struct eb_plan *plan;
	struct cryptounit *u;
	struct eb_raw *raw;
	struct eb_socket *socket;
	struct eb_call *call;             /* one each thread */
	unsigned int off_ops, sealed_ops; /* in a slice, each caller */
	struct eb_samples raw_ns, off_ns, socket_ns, sealed_ns, ratio, added;
	uint64_t calls;
	struct hsa_diag *diag;
};

/* ---- one slice ----------------------------------------------------------- */

struct worker {
	struct eb_call *call;
	unsigned int ops;
	uint64_t rv; /* the first that was no success */
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (unsigned int i = 0; i < w->ops && w->rv == CKR_OK; i++)
		w->rv = eb_call_once(w->call);
	return NULL;
}

/* ns per operation as one caller sees it. */
static hsa_rc
slice(struct bench *b, double *ns, unsigned int ops)
{
	const unsigned int n = b->plan->threads;
	struct worker *w = calloc(n, sizeof(*w));
	pthread_t *t = calloc(n, sizeof(*t));
	unsigned int started = 0;
	uint64_t begin = 0, end = 0, rv = CKR_OK;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (w == NULL || t == NULL)
		goto out;
	for (unsigned int i = 0; i < n; i++)
		w[i] = (struct worker){&b->call[i], ops, CKR_OK};
	rc = HSA_OK;
	begin = eb_now();
	if (n == 1)
		(void)work(&w[0]);
	else
		while (started < n && pthread_create(&t[started], NULL, work,
					  &w[started]) == 0)
			started++;
	for (unsigned int i = 0; i < started; i++)
		(void)pthread_join(t[i], NULL);
	end = eb_now();
	if (n > 1 && started < n) {
		rc = hsa_fail(b->diag, HSA_RC(E_NOMEM),
		    "cannot start %u threads; fix: fewer --threads", n);
		goto out;
	}
	for (unsigned int i = 0; i < n && rv == CKR_OK; i++)
		rv = w[i].rv;
	if (rv != CKR_OK)
		rc = hsa_fail(b->diag, HSA_RC(E_KEY),
		    "%s: the unit answered 0x%llx", b->what->name,
		    (unsigned long long)rv);
	b->calls += (uint64_t)n * ops;
	*ns = (double)(end - begin) / ops;
out:
	free(w);
	free(t);
	return rc;
}

static hsa_rc
raw_slice(struct bench *b, double *ns, unsigned int ops)
{
	uint64_t begin = eb_now();
	CK_RV rv = CKR_OK;

	for (unsigned int i = 0; i < ops && rv == CKR_OK; i++)
		rv = b->what->raw(b->raw, b->call[0].data);
	*ns = (double)(eb_now() - begin) / ops;
	if (rv != CKR_OK)
		return hsa_fail(b->diag, HSA_RC(E_TOKEN),
		    "%s by direct Cryptoki: 0x%lx", b->what->name, rv);
	return HSA_OK;
}

/* ---- rounds -------------------------------------------------------------- */

static unsigned int
ops_for(const struct bench *b, double ns)
{
	double ops = (double)b->plan->slice_us * 1000 / ns;

	if (ops < 1)
		return 1;
	return ops > OPS_MAX ? OPS_MAX : (unsigned int)ops;
}

static hsa_rc
calibrate(struct bench *b)
{
	double ns = 0;
	hsa_rc rc;

	HSA_TRY(rc, cryptounit_emission(b->u, CRYPTOUNIT_OFF));
	HSA_TRY(rc, slice(b, &ns, CALIBRATE));
	HSA_TRY(rc, slice(b, &ns, CALIBRATE));
	b->off_ops = ops_for(b, ns);
	HSA_TRY(rc, cryptounit_emission(b->u, CRYPTOUNIT_SEALED));
	HSA_TRY(rc, slice(b, &ns, SEALED_MIN));
	b->sealed_ops = ops_for(b, ns);
	if (b->sealed_ops < SEALED_MIN)
		b->sealed_ops = SEALED_MIN;
out:
	return rc;
}

/* The direct calls stand between two halves of the slice that they are
 * compared with, so that a drift of the clock cancels. */
static hsa_rc
pair(struct bench *b, double *off)
{
	double raw = 0, half = 0;
	hsa_rc rc;

	HSA_TRY(rc, slice(b, off, (b->off_ops + 1) / 2));
	if (b->raw == NULL)
		goto out;
	HSA_TRY(rc, raw_slice(b, &raw, b->off_ops));
	HSA_TRY(rc, slice(b, &half, (b->off_ops + 1) / 2));
	*off = (*off + half) / 2;
	HSA_TRY(rc, eb_samples_add(&b->raw_ns, raw));
	HSA_TRY(rc, eb_samples_add(&b->ratio, *off / raw));
out:
	return rc;
}

static hsa_rc
round_of(struct bench *b)
{
	double off = 0, sealed = 0, sum = 0;
	hsa_rc rc;

	HSA_TRY(rc, cryptounit_emission(b->u, CRYPTOUNIT_OFF));
	/* what the last round's sealing left of the caches is not the case's */
	HSA_TRY(rc, slice(b, &off, WARM_UP));
	if (b->raw != NULL)
		HSA_TRY(rc, raw_slice(b, &off, WARM_UP));
	for (unsigned int i = 0; i < PAIRS; i++) {
		HSA_TRY(rc, pair(b, &off));
		HSA_TRY(rc, eb_samples_add(&b->off_ns, off));
		sum += off;
	}
	if (b->socket != NULL) {
		b->call[0].via = b->socket;
		rc = slice(b, &off, b->off_ops);
		b->call[0].via = NULL;
		if (hsa_is_ok(rc))
			rc = eb_samples_add(&b->socket_ns, off);
		if (!hsa_is_ok(rc))
			goto out;
	}
	HSA_TRY(rc, cryptounit_emission(b->u, CRYPTOUNIT_SEALED));
	HSA_TRY(rc, slice(b, &sealed, b->sealed_ops));
	HSA_TRY(rc, eb_samples_add(&b->sealed_ns, sealed));
	HSA_TRY(rc, eb_samples_add(&b->added, sealed - sum / PAIRS));
out:
	return rc;
}

static void
conclude(struct eb_result *res, struct bench *b)
{
	*res = (struct eb_result){
	    .what = b->what,
	    .has_raw = b->raw != NULL,
	    .raw_ns = eb_quantile(&b->raw_ns, 0.5),
	    .has_socket = b->socket != NULL,
	    .off_ns = eb_quantile(&b->off_ns, 0.5),
	    .socket_ns = eb_quantile(&b->socket_ns, 0.5),
	    .sealed_ns = eb_quantile(&b->sealed_ns, 0.5),
	    .off_p99 = eb_quantile(&b->off_ns, 0.99),
	    .sealed_p99 = eb_quantile(&b->sealed_ns, 0.99),
	    .ratio = eb_quantile(&b->ratio, 0.5),
	    .added_ns = eb_quantile(&b->added, 0.5),
	    .calls = b->calls,
	};
	res->off_per_s = 1e9 * b->plan->threads / res->off_ns;
	res->sealed_per_s = 1e9 * b->plan->threads / res->sealed_ns;
}

hsa_rc
eb_run(struct eb_result *res, const struct eb_case *what,
    const struct eb_plan *plan, struct cryptounit *u,
    const struct hsa_caller *caller, const struct eb_keys *keys,
    struct eb_raw *raw, struct eb_socket *socket, struct hsa_diag *diag)
{
	struct bench b = {.what = what,
	    .plan = plan,
	    .u = u,
	    .raw = what->raw != NULL && plan->threads == 1 ? raw : NULL,
	    .socket = plan->threads == 1 ? socket : NULL,
	    .diag = diag};
	hsa_rc rc = HSA_RC(E_NOMEM);

	b.call = calloc(plan->threads, sizeof(*b.call));
	if (b.call == NULL)
		goto out;
	for (unsigned int i = 0; i < plan->threads; i++) {
		struct eb_call *c = &b.call[i];

		c->u = u;
		c->caller = caller;
		c->keys = keys;
		c->uncached = what->uncached;
		c->count = (uint64_t)i << 48;
		memset(c->data, EB_FILL, sizeof(c->data));
		what->prepare(c);
	}
	HSA_TRY(rc, calibrate(&b));
	for (unsigned int i = 0; i < plan->rounds; i++)
		HSA_TRY(rc, round_of(&b));
	conclude(res, &b);
out:
	for (unsigned int i = 0; b.call != NULL && i < plan->threads; i++)
		hsa_call_free(&b.call[i].c);
	free(b.call);
	eb_samples_free(&b.raw_ns);
	eb_samples_free(&b.off_ns);
	eb_samples_free(&b.socket_ns);
	eb_samples_free(&b.sealed_ns);
	eb_samples_free(&b.ratio);
	eb_samples_free(&b.added);
	return rc;
}
