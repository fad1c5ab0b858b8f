/* ep_resume.c - see ep_resume.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ep_ask.h"
#include "ep_config.h"
#include "ep_file.h"
#include "ep_resume.h"
#include "ep_sock.h"
#include "ep_super.h"
#include "hsa_buf.h"

#define ASK_MS 1000
#define WAIT_MS 20000

static hsa_rc
path_of(struct hsa_buf *b, const char *dir, const char *unit, const char *name)
{
	hsa_buf_reset(b);
	hsa_buf_printf(b, "%s/units/%s/%s", dir, unit, name);
	return hsa_buf_rc(b);
}

/* The status of the unit once it answers from another process than `not`. */
static hsa_rc
wait_for(struct hsa_unit_reply *r, const char *path, uint32_t not )
{
	const struct hsa_unit_request q = {.kind = HSA_UNIT_STATUS};
	const struct timespec nap = {.tv_nsec = 50 * 1000 * 1000};
	uint64_t end = ep_sock_now() + WAIT_MS;
	hsa_rc rc;

	for (;;) {
		rc = ep_ask(r, path, &q, ASK_MS, NULL);
		if (hsa_is_ok(rc) && r->kind == HSA_UNIT_STATUS &&
		    r->status.pid != not )
			return rc;
		hsa_unit_reply_free(r);
		if (rc.v == HSA_E_NOMEM)
			return rc;
		if (ep_sock_now() > end)
			return HSA_RC(E_TIMEOUT);
		(void)nanosleep(&nap, NULL);
	}
}

static hsa_rc
judge(const struct hsa_unit_reply *r, hsa_rc rc, const char *dir,
    const char *unit, struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, why = {0};

	if (hsa_is_ok(rc) && r->status.halted[0] != '\0')
		return hsa_fail(
		    diag, HSA_RC(E_STATE), "%s: %s", unit, r->status.halted);
	if (hsa_is_ok(rc) || rc.v == HSA_E_NOMEM)
		return rc;
	if (hsa_is_ok(path_of(&path, dir, unit, EP_HALTED_FILE)))
		(void)!hsa_is_ok(
		    ep_file_read(&why, hsa_buf_cstr(&path), 4096, NULL));
	rc = hsa_fail(diag, HSA_RC(E_STATE), "%s does not start: %s", unit,
	    why.len != 0 ? hsa_buf_cstr(&why)
			 : "the log of the daemon (stderr) says why");
	hsa_buf_free(&why);
	hsa_buf_free(&path);
	return rc;
}

hsa_rc
ep_resume(const char *dir, const char *unit, struct hsa_diag *diag)
{
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	struct ep_config *cfg = NULL;
	struct hsa_buf path = {0};
	long super = 0, pid = 0;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (r == NULL)
		goto out;
	HSA_TRY(rc, ep_config_load(&cfg, dir, diag));
	if (ep_unit_find(cfg, unit) == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "no unit \"%s\" in config.yaml; fix: use a name from its "
		    "units",
		    unit);
		goto out;
	}
	hsa_buf_printf(&path, "%s/" EP_LOCK_FILE, dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	super = ep_lock_holder(hsa_buf_cstr(&path));
	if (super <= 0) {
		rc = hsa_fail(diag, HSA_RC(E_STATE),
		    "nobody serves %s; fix: cryptounitd run %s", dir, dir);
		goto out;
	}
	HSA_TRY(rc, path_of(&path, dir, unit, "lock"));
	pid = ep_lock_holder(hsa_buf_cstr(&path));
	/* the supervisor starts again what ended, and what waits */
	if ((pid > 0 && kill((pid_t)pid, SIGTERM) != 0 && errno != ESRCH) ||
	    kill((pid_t)super, SIGHUP) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "the processes of %s cannot be signalled: %s; fix: do it "
		    "as the user who runs them",
		    dir, strerror(errno));
		goto out;
	}
	HSA_TRY(rc, path_of(&path, dir, unit, "unit.sock"));
	rc = wait_for(r, hsa_buf_cstr(&path), (uint32_t)pid);
	rc = judge(r, rc, dir, unit, diag);
out:
	if (r != NULL)
		hsa_unit_reply_free(r);
	free(r);
	hsa_buf_free(&path);
	ep_config_free(cfg);
	return rc;
}
