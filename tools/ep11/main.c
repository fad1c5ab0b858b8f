/* ep11 - keys and operations of crypto units, for shells and scripts: finds
 * the verb, runs it, says why not. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static const struct epc_verb *
find(char **argv)
{
	const struct epc_verb *verb =
	    *argv == NULL ? NULL : epc_verb_find(*argv);

	if (*argv == NULL)
		fprintf(stderr, "ep11: which verb? see ep11 --help\n");
	else if (verb == NULL)
		fprintf(
		    stderr, "ep11: no verb \"%s\": see ep11 --help\n", *argv);
	return verb;
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
	HSA_TRY(rc, s->verb->run(s));
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
	int status = EPC_EXIT_USAGE;
	hsa_rc rc;

	HSA_TRY(rc, epc_options_before(&s.opt, &argv, &s.diag));
	if (s.opt.version) {
		printf("ep11 %s\n", HSA_VERSION);
		status = EPC_EXIT_OK;
		goto out;
	}
	if (s.opt.help && *argv == NULL) {
		epc_usage();
		status = EPC_EXIT_OK;
		goto out;
	}
	s.verb = find(argv);
	if (s.verb == NULL)
		goto out;
	HSA_TRY(rc, epc_options_parse(&s.opt, s.verb, argv + 1, &s.diag));
	if (s.opt.version)
		printf("ep11 %s\n", HSA_VERSION);
	else if (s.opt.help)
		epc_help(s.verb);
	else
		HSA_TRY(rc, run_verb(&s));
	status = EPC_EXIT_OK;
out:
	if (!hsa_is_ok(rc)) {
		fprintf(stderr, "ep11%s%s: %s\n", s.verb == NULL ? "" : " ",
		    s.verb == NULL ? "" : s.verb->name,
		    s.diag.text[0] != '\0' ? s.diag.text : hsa_err_text(rc));
		status = (int)epc_exit_of(rc);
	}
	epc_session_close(&s);
	return status;
}

int
main(int argc, char **argv)
{
	char help[] = "--help";
	char *helped[] = {NULL, help, NULL}, *usage[] = {help, NULL};

	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	guard_memory();
	argv += argc > 0;
	/* ep11 help [VERB], ep11 -h: other spellings of --help */
	if (*argv != NULL && strcmp(*argv, "help") == 0 && argv[1] != NULL) {
		helped[0] = argv[1];
		argv = helped;
	} else if (*argv != NULL &&
		   (strcmp(*argv, "-h") == 0 || strcmp(*argv, "help") == 0)) {
		argv = usage;
	}
	return run(argv);
}
