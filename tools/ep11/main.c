/* ep11 - keys and operations of crypto units, for shells and scripts: finds
 * the verb, runs it, says why not. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "epc_session.h"

/* Plaintexts and PINs pass through this process. */
static void
guard_memory(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static hsa_rc
run_verb(struct epc_session *s)
{
	hsa_rc rc = HSA_OK;

	/* libep11 and keystore verbs look there alike */
	if (s->opt.unit != NULL && setenv("EP11_UNIT", s->opt.unit, 1) != 0)
		return HSA_RC(E_NOMEM);
	s->jw.b = &s->json;
	if (s->opt.json)
		hsa_jw_object(&s->jw, NULL);
	HSA_TRY(rc, ((const struct epc_verb *)s->verb)->run(s));
	if (s->opt.json) {
		hsa_jw_end(&s->jw);
		hsa_buf_u8(&s->json, '\n');
		HSA_TRY(rc, hsa_buf_rc(&s->json));
		HSA_TRY(
		    rc, epc_file_write(NULL, s->json.p, s->json.len, &s->diag));
	}
	if (fflush(stdout) != 0)
		rc = hsa_fail(
		    &s->diag, HSA_RC(E_IO), "standard output is closed");
out:
	return rc;
}

static int
run(char **argv)
{
	struct epc_session s = {.up = false};
	hsa_rc rc;

	HSA_TRY(
	    rc, opt_read(&epc_program, &s.opt.line, &s.verb, argv, &s.diag));
	if (!opt_answer(&epc_program, &s.opt.line, s.verb))
		HSA_TRY(rc, run_verb(&s));
out:
	if (!hsa_is_ok(rc))
		opt_complain(&epc_program, s.verb, rc, &s.diag);
	epc_session_close(&s);
	return (int)epc_exit_of(rc);
}

int
main(int argc, char **argv)
{
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	guard_memory();
	return run(argv + (argc > 0));
}
