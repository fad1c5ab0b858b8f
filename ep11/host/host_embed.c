/* host_embed.c - see host_embed.h. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include "cryptounit.h"
#include "hsa_buf.h"
#include "host_embed.h"

#define LIBRARY "libcryptounit.so"

typedef void any_fn(void);
typedef hsa_rc open_fn(struct cryptounit **u, const char *dir, const char *name,
    struct hsa_diag *diag);
typedef void close_fn(struct cryptounit *u);
typedef hsa_rc request_fn(struct cryptounit *u, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q);
typedef void call_fn(
    struct cryptounit *u, struct hsa_call *c, const struct hsa_caller *caller);

struct host_embed {
	void *library; /* never closed: libraries under it do not like it */
	struct cryptounit *unit;
	open_fn *open;
	close_fn *close;
	request_fn *request;
	call_fn *call;
};

static void *
library(void)
{
	static const char address; /* of this library */
	struct hsa_buf path = {0};
	Dl_info here = {0};
	const char *slash = NULL;
	void *got = NULL;

	if (dladdr(&address, &here) != 0 && here.dli_fname != NULL)
		slash = strrchr(here.dli_fname, '/');
	if (slash != NULL) {
		hsa_buf_put(
		    &path, here.dli_fname, (size_t)(slash - here.dli_fname));
		hsa_buf_str(&path, "/" LIBRARY);
		if (hsa_is_ok(hsa_buf_rc(&path)))
			got =
			    dlopen(hsa_buf_cstr(&path), RTLD_NOW | RTLD_LOCAL);
	}
	hsa_buf_free(&path);
	return got != NULL ? got : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
}

/* C has no conversion to a function pointer, POSIX says that the bytes are the
 * same. NULL, and *rc says why, when it or one before it is not there. */
static any_fn *
find(hsa_rc *rc, void *lib, const char *name, struct hsa_diag *diag)
{
	union {
		void *p;
		any_fn *f;
	} got = {.p = dlsym(lib, name)};

	if (got.p == NULL && hsa_is_ok(*rc))
		*rc = hsa_fail(diag, HSA_RC(E_UNSUPPORTED),
		    LIBRARY " has no %s; fix: install the libraries of one "
			    "version",
		    name);
	return got.f;
}

hsa_rc
host_embed_open(struct host_embed **e, const char *dir, const char *name,
    struct hsa_diag *diag)
{
	struct host_embed *got = calloc(1, sizeof(*got));
	const char *why = NULL;
	hsa_rc rc = HSA_OK;

	if (got == NULL)
		return HSA_RC(E_NOMEM);
	got->library = library();
	if (got->library == NULL) {
		why = dlerror();
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no " LIBRARY ": %s; fix: put it beside libep11.so",
		    why == NULL ? "not found" : why);
		goto out;
	}
	got->open = (open_fn *)find(&rc, got->library, "cryptounit_open", diag);
	got->close =
	    (close_fn *)find(&rc, got->library, "cryptounit_close", diag);
	got->request =
	    (request_fn *)find(&rc, got->library, "cryptounit_request", diag);
	got->call = (call_fn *)find(&rc, got->library, "cryptounit_call", diag);
	HSA_TRY(rc, rc);
	HSA_TRY(rc, got->open(&got->unit, dir, name, diag));
	*e = got;
	got = NULL;
out:
	free(got);
	return rc;
}

void
host_embed_close(struct host_embed *e)
{
	if (e == NULL)
		return;
	e->close(e->unit);
	free(e);
}

hsa_rc
host_embed_request(struct host_embed *e, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q)
{
	return e->request(e->unit, r, q);
}

void
host_embed_call(
    struct host_embed *e, struct hsa_call *c, const struct hsa_caller *who)
{
	e->call(e->unit, c, who);
}
