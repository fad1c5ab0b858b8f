#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper_vfy_run.h"

#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			(void)fprintf(                                         \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)

static int
code_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

static _Noreturn void
child(helper_vfy_main *f, const char *const *args, int out, int err)
{
	char *argv[64];
	int argc = 0, code;

	/* no stray children when the test itself dies */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	for (; args[argc] != NULL && argc < 63; argc++) {
		argv[argc] = strdup(args[argc]);
		MUST(argv[argc] != NULL);
	}
	argv[argc] = NULL;
	(void)signal(SIGPIPE, SIG_IGN);
	optind = 0;
	code = f(argc, argv);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	(void)fflush(NULL);
	_exit(code);
}

static void
slurp(struct hsa_buf *b, FILE *f)
{
	char part[4096];
	size_t n;

	rewind(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		hsa_buf_put(b, part, n);
	MUST(fclose(f) == 0);
}

int
helper_vfy_run(helper_vfy_main *f, const char *const *args, struct hsa_buf *out,
    struct hsa_buf *err)
{
	FILE *o = tmpfile(), *e = tmpfile();
	int status;
	pid_t pid;

	MUST(o != NULL && e != NULL);
	(void)fflush(NULL);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0)
		child(f, args, fileno(o), fileno(e));
	MUST(waitpid(pid, &status, 0) == pid);
	slurp(out, o);
	slurp(err, e);
	return code_of(status);
}

pid_t
helper_vfy_spawn(helper_vfy_main *f, const char *const *args, const char *word,
    const char *errfile)
{
	char line[512];
	int fd[2], err;
	FILE *in;
	pid_t pid;

	MUST(pipe2(fd, O_CLOEXEC) == 0);
	err = open(errfile == NULL ? "/dev/null" : errfile,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	MUST(err >= 0);
	(void)fflush(NULL);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0)
		child(f, args, fd[1], err);
	(void)close(fd[1]);
	(void)close(err);
	in = fdopen(fd[0], "r");
	MUST(in != NULL);
	do
		MUST(fgets(line, sizeof(line), in) != NULL);
	while (strstr(line, word) == NULL);
	(void)fclose(in);
	return pid;
}

int
helper_vfy_stop(pid_t pid, int sig)
{
	int status;

	(void)kill(pid, sig);
	MUST(waitpid(pid, &status, 0) == pid);
	return code_of(status);
}
