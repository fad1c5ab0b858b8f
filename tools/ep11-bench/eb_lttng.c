#include <dlfcn.h>
#include <string.h>
#include <time.h>

#include "eb_lttng.h"

#define LIBRARY "libep11-bench-lttng.so"
#define WAIT_MS 3000 /* for the session to reach us after registering */

static void
nap(void)
{
	const struct timespec t = {0, 10 * 1000 * 1000};

	(void)nanosleep(&t, NULL);
}

hsa_rc
eb_lttng_open(struct eb_lttng *l, struct hsa_diag *diag)
{
	void *enabled = NULL, *call = NULL, *event = NULL;
	int (*is_on)(void) = NULL;
	int ms = 0;
	hsa_rc rc;

	/* the run path of the program has ../lib */
	l->so = dlopen(LIBRARY, RTLD_NOW);
	if (l->so == NULL)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "LTTng-UST is not measured: %s; fix: install "
		    "liblttng-ust-dev and make",
		    dlerror());
	enabled = dlsym(l->so, "eb_lttng_enabled");
	call = dlsym(l->so, "eb_lttng_call");
	event = dlsym(l->so, "eb_lttng_event");
	if (enabled == NULL || call == NULL || event == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    LIBRARY " is another edition's; fix: make");
		goto out;
	}
	/* ISO C has no conversion between the two kinds of pointer */
	memcpy(&is_on, &enabled, sizeof(is_on));
	memcpy(&l->call, &call, sizeof(l->call));
	memcpy(&l->event, &event, sizeof(l->event));
	for (ms = 0; ms < WAIT_MS && !is_on(); ms += 10)
		nap();
	if (ms < WAIT_MS)
		return HSA_OK;
	rc = hsa_fail(diag, HSA_RC(E_STATE),
	    "LTTng-UST is not measured: no session records "
	    "cryptounit:*; fix: run ep11-bench through with-lttng.sh");
out:
	eb_lttng_close(l);
	return rc;
}

void
eb_lttng_close(struct eb_lttng *l)
{
	/* LTTng's threads may still be in it: it stays loaded */
	*l = (struct eb_lttng){0};
}
