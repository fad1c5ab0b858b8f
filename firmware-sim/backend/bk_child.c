#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bk_child.h"
#include "hsa_hash.h"

struct answer {
	hsa_rc rc;
	struct hsa_diag diag;
	unsigned char out[BK_CHILD_MAX];
};

/* The pipe takes an answer whole (it is shorter than PIPE_BUF), the loop is
 * for signals. */
static int
put(int fd, const struct answer *a)
{
	ssize_t n;

	_Static_assert(sizeof(*a) <= 4096, "an answer fits PIPE_BUF");
	do
		n = write(fd, a, sizeof(*a));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*a) ? 0 : -1;
}

static int
get(int fd, struct answer *a)
{
	unsigned char *to = (unsigned char *)a;
	size_t have = 0;

	while (have < sizeof(*a)) {
		ssize_t n = read(fd, to + have, sizeof(*a) - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	return 0;
}

hsa_rc
bk_child_run(void *out, size_t n,
    hsa_rc (*fn)(void *ctx, void *out, size_t n, struct hsa_diag *diag),
    void *ctx, struct hsa_diag *diag)
{
	struct answer a = {0};
	int fd[2] = {-1, -1}, status = 0, got = -1;
	hsa_rc rc;
	pid_t pid, done;

	if (n > sizeof(a.out))
		return HSA_RC(E_ARG);
	if (pipe2(fd, O_CLOEXEC) != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "cannot make a pipe: %s; raise the limit of open files",
		    strerror(errno));
	pid = fork();
	if (pid < 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot start a process: %s; raise the limit of processes",
		    strerror(errno));
		goto out;
	}
	if (pid == 0) {
		(void)close(fd[0]);
		a.rc = fn(ctx, a.out, n, &a.diag);
		/* no exit handlers: they are the parent's */
		_exit(put(fd[1], &a) == 0 ? 0 : 1);
	}
	(void)close(fd[1]);
	fd[1] = -1;
	got = get(fd[0], &a);
	do
		done = waitpid(pid, &status, 0);
	while (done < 0 && errno == EINTR);
	if (got != 0) {
		rc = hsa_fail(diag, HSA_RC(E_TOKEN),
		    "the process that works on the token died (%s %d); check "
		    "that the module is SoftHSM 2",
		    WIFSIGNALED(status) ? "signal" : "exit status",
		    WIFSIGNALED(status) ? WTERMSIG(status)
					: WEXITSTATUS(status));
		goto out;
	}
	rc = a.rc;
	if (hsa_is_ok(rc) && n != 0)
		memcpy(out, a.out, n);
	else if (a.diag.text[0] != '\0')
		hsa_diag_set(diag, "%s", a.diag.text);
out:
	if (fd[0] >= 0)
		(void)close(fd[0]);
	if (fd[1] >= 0)
		(void)close(fd[1]);
	hsa_wipe(&a, sizeof(a));
	return rc;
}
