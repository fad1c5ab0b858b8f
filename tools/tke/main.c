/* tke - the administrators' command: finds the verb, runs it, says why not. */
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tkc_session.h"

#define SECURE_HEAP (64u * 1024u)

/* Key parts and passwords pass through this process. */
static void
guard_memory(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	CRYPTO_secure_malloc_init(SECURE_HEAP, 32);
}

static const struct tkc_verb *
find(char **argv)
{
	const struct tkc_verb *verb =
	    *argv == NULL ? NULL : tkc_verb_find(*argv);

	if (*argv == NULL)
		fprintf(stderr, "tke: which verb? see tke --help\n");
	else if (verb == NULL)
		fprintf(stderr, "tke: no verb \"%s\": see tke --help\n", *argv);
	return verb;
}

static int
run(char **argv)
{
	struct tkc_session s = {.files = {.fd = -1},
	    .opt = {.passwords = {.prompt = {STDIN_FILENO, STDERR_FILENO}}}};
	int status = TKC_EXIT_USAGE;
	hsa_rc rc;

	HSA_TRY(rc, tkc_options_before(&s.opt, &argv, &s.diag));
	if (s.opt.version) {
		printf("tke %s\n", HSA_VERSION);
		status = TKC_EXIT_OK;
		goto out;
	}
	if (s.opt.help && *argv == NULL) {
		tkc_usage();
		status = TKC_EXIT_OK;
		goto out;
	}
	s.verb = find(argv);
	if (s.verb == NULL)
		goto out;
	HSA_TRY(rc, tkc_options_parse(&s.opt, s.verb, argv + 1, &s.diag));
	if (s.opt.version)
		printf("tke %s\n", HSA_VERSION);
	else if (s.opt.help)
		tkc_help(s.verb);
	else
		HSA_TRY(rc, s.verb->run(&s));
	status = (int)s.exit;
out:
	if (!hsa_is_ok(rc)) {
		fprintf(stderr, "tke%s%s: %s\n", s.verb == NULL ? "" : " ",
		    s.verb == NULL ? "" : s.verb->name,
		    s.diag.text[0] != '\0' ? s.diag.text : hsa_err_text(rc));
		status = (int)tkc_exit_of(rc);
	}
	tkc_session_close(&s);
	return status;
}

int
main(int argc, char **argv)
{
	char help[] = "--help";
	char *helped[] = {NULL, help, NULL}, *usage[] = {help, NULL};
	int status = TKC_EXIT_USAGE;

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	guard_memory();
	argv += argc > 0;
	/* tke help [VERB], tke -h: other spellings of --help */
	if (*argv != NULL && strcmp(*argv, "help") == 0 && argv[1] != NULL) {
		helped[0] = argv[1];
		argv = helped;
	} else if (*argv != NULL &&
		   (strcmp(*argv, "-h") == 0 || strcmp(*argv, "help") == 0)) {
		argv = usage;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		status = run(argv);
	curl_global_cleanup();
	CRYPTO_secure_malloc_done();
	return status;
}
