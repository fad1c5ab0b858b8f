/* ep_harden.c - see ep_harden.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ep_harden.h"

hsa_rc
ep_harden(int keep, struct hsa_diag *diag)
{
	const struct rlimit none = {0, 0};
	int fd = -1;

	/* A closed 0, 1 or 2 would be the number of the next file opened. */
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= 2);
	if (fd > 2)
		(void)close(fd);
	if (keep > 3)
		(void)close_range(3, (unsigned int)keep - 1, 0);
	(void)close_range(keep < 3 ? 3 : (unsigned int)keep + 1, ~0u, 0);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "cannot turn core dumps off: %s; fix: run where prctl(2) "
		    "and setrlimit(2) are allowed",
		    strerror(errno));
	return HSA_OK;
}

int
ep_harden_child(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0 &&
	       getppid() == parent;
}

hsa_rc
ep_signals(int *fd, int with_child, struct hsa_diag *diag)
{
	sigset_t set;
	int got = -1;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (with_child)
		(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		got = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (got < 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "cannot take signals: %s; fix: allow more open files "
		    "(ulimit -n)",
		    strerror(errno));
	*fd = got;
	return HSA_OK;
}

int
ep_signals_take(int fd, long *from)
{
	struct signalfd_siginfo si = {0};

	if (read(fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return 0;
	if (from != NULL)
		*from = (long)si.ssi_pid;
	return (int)si.ssi_signo;
}

void
ep_signals_default(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
}
