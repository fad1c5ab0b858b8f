#include <pthread.h>
#include <stdlib.h>

#include "ep11_pkcs11.h"
#include "eb_slice.h"

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

static hsa_rc
together(struct eb_bench *b, struct worker *w, uint64_t *took, bool drain)
{
	const unsigned int n = b->plan->threads;
	pthread_t *t = calloc(n, sizeof(*t));
	unsigned int started = 0;
	uint64_t begin = 0;
	hsa_rc rc = HSA_OK;

	if (t == NULL)
		return HSA_RC(E_NOMEM);
	begin = eb_now();
	if (n == 1)
		(void)work(&w[0]);
	else
		while (started < n && pthread_create(&t[started], NULL, work,
					  &w[started]) == 0)
			started++;
	for (unsigned int i = 0; i < started; i++)
		(void)pthread_join(t[i], NULL);
	if (drain)
		rc = cryptounit_flush(b->u);
	*took = eb_now() - begin;
	if (n > 1 && started < n)
		rc = hsa_fail(b->diag, HSA_RC(E_NOMEM),
		    "cannot start %u threads; fix: fewer --threads", n);
	free(t);
	return rc;
}

static hsa_rc
through_unit(struct eb_bench *b, double *ns, enum eb_way way, unsigned int ops,
    bool drain)
{
	const struct eb_besides *x = b->besides;
	const unsigned int n = b->plan->threads;
	struct worker *w = calloc(n, sizeof(*w));
	uint64_t took = 0, rv = CKR_OK;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (w == NULL)
		goto out;
	for (unsigned int i = 0; i < n; i++) {
		w[i] = (struct worker){&b->call[i], ops, CKR_OK};
		b->call[i].via = way == EB_SOCKET ? x->socket : NULL;
		b->call[i].lttng = way == EB_LTTNG ? x->lttng : NULL;
		b->call[i].trace = way == EB_TRACE ? x->lttng : NULL;
		b->call[i].bare = way == EB_BARE ? x->bare : NULL;
	}
	HSA_TRY(rc, together(b, w, &took, drain));
	for (unsigned int i = 0; i < n && rv == CKR_OK; i++)
		rv = w[i].rv;
	if (rv != CKR_OK)
		rc = hsa_fail(b->diag, HSA_RC(E_KEY),
		    "%s: the unit answered 0x%llx", b->what->name,
		    (unsigned long long)rv);
	b->calls += (uint64_t)n * ops;
	*ns = (double)took / ops;
out:
	free(w);
	return rc;
}

static hsa_rc
direct(struct eb_bench *b, double *ns, unsigned int ops)
{
	uint64_t begin = eb_now();
	CK_RV rv = CKR_OK;

	for (unsigned int i = 0; i < ops && rv == CKR_OK; i++)
		rv = b->what->raw(b->besides->raw, b->call[0].data);
	*ns = (double)(eb_now() - begin) / ops;
	if (rv != CKR_OK)
		return hsa_fail(b->diag, HSA_RC(E_TOKEN),
		    "%s by direct Cryptoki: 0x%lx", b->what->name, rv);
	return HSA_OK;
}

hsa_rc
eb_slice(struct eb_bench *b, double *ns, enum eb_way way, unsigned int ops)
{
	return way == EB_DIRECT ? direct(b, ns, ops)
				: through_unit(b, ns, way, ops, false);
}

hsa_rc
eb_slice_drained(
    struct eb_bench *b, double *ns, enum eb_way way, unsigned int ops)
{
	return through_unit(b, ns, way, ops, true);
}
