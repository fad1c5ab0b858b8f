/* tke - the administrators' command: finds the verb, runs it, says why not. */
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
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
run(char **argv)
{
	struct tkc_session s = {.files = {.fd = -1},
	    .opt = {.passwords = {.prompt = {STDIN_FILENO, STDERR_FILENO}}}};
	int status = TKC_EXIT_USAGE;
	hsa_rc rc;

	HSA_TRY(
	    rc, opt_read(&tkc_program, &s.opt.line, &s.verb, argv, &s.diag));
	if (!opt_answer(&tkc_program, &s.opt.line, s.verb))
		HSA_TRY(rc, ((const struct tkc_verb *)s.verb)->run(&s));
	status = (int)s.exit;
out:
	if (!hsa_is_ok(rc)) {
		opt_complain(&tkc_program, s.verb, rc, &s.diag);
		status = (int)tkc_exit_of(rc);
	}
	tkc_session_close(&s);
	return status;
}

int
main(int argc, char **argv)
{
	int status = TKC_EXIT_USAGE;

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	guard_memory();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		status = run(argv + (argc > 0));
	curl_global_cleanup();
	CRYPTO_secure_malloc_done();
	return status;
}
