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

static int
run(const struct tkc_verb *verb, char **argv)
{
	struct tkc_session s = {.verb = verb,
	    .files = {.fd = -1},
	    .opt = {.passwords = {.prompt = {STDIN_FILENO, STDERR_FILENO}}}};
	int status;
	hsa_rc rc;

	rc = tkc_options_parse(&s.opt, verb, argv, &s.diag);
	if (hsa_is_ok(rc) && s.opt.version)
		printf("tke %s\n", HSA_VERSION);
	else if (hsa_is_ok(rc) && s.opt.help)
		tkc_help(verb);
	else if (hsa_is_ok(rc))
		rc = verb->run(&s);
	if (!hsa_is_ok(rc))
		fprintf(stderr, "tke %s: %s\n", verb->name,
		    s.diag.text[0] != '\0' ? s.diag.text : hsa_err_text(rc));
	status = hsa_is_ok(rc) ? (int)s.exit : (int)tkc_exit_of(rc);
	tkc_session_close(&s);
	return status;
}

int
main(int argc, char **argv)
{
	const struct tkc_verb *verb = NULL;
	int status = TKC_EXIT_USAGE;

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	guard_memory();
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("tke %s\n", HSA_VERSION);
		return TKC_EXIT_OK;
	}
	if (argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		(strcmp(argv[1], "help") == 0 && argc == 2))) {
		tkc_usage();
		return TKC_EXIT_OK;
	}
	if (argc > 2 && strcmp(argv[1], "help") == 0) {
		verb = tkc_verb_find(argv[2]);
		if (verb != NULL) {
			tkc_help(verb);
			return TKC_EXIT_OK;
		}
		argv++;
	}
	verb = argc > 1 ? tkc_verb_find(argv[1]) : NULL;
	if (verb == NULL) {
		if (argc > 1)
			fprintf(stderr, "tke: no verb \"%s\": see tke --help\n",
			    argv[1]);
		else
			fprintf(stderr, "tke: which verb? see tke --help\n");
		return TKC_EXIT_USAGE;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		status = run(verb, argv + 2);
	curl_global_cleanup();
	CRYPTO_secure_malloc_done();
	return status;
}
