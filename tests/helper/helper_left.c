#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper_left.h"

#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			perror("helper_left: " #x);                            \
			abort();                                               \
		}                                                              \
	} while (0)

extern char **environ;

static int watcher = -1; /* nobody holds this end behind an exec */

/*
 * Nobody's child, as tests wait for all of theirs, and in a process group of
 * its own: who interrupts a test means all of its. Behind the shell in between
 * it is init's, for which we must not be, for a moment, who takes orphans.
 */
static void
start(void)
{
	char sh[] = "/bin/sh", opt[] = "-c",
	     script[] = "tests/helper/left.sh <&3 3<&- &";
	char *argv[] = {sh, opt, script, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int fd[2] = {-1, -1}, takes_orphans = 0, st = 0;
	pid_t pid = 0;

	MUST(prctl(PR_GET_CHILD_SUBREAPER, &takes_orphans) == 0);
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fd[1], 3);
	posix_spawn_file_actions_addclosefrom_np(&fa, 4);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	MUST(posix_spawn(&pid, sh, &fa, &attr, argv, environ) == 0);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	MUST(waitpid(pid, &st, 0) == pid && st == 0);
	MUST(prctl(PR_SET_CHILD_SUBREAPER, takes_orphans) == 0);
	(void)close(fd[1]);
	watcher = fd[0];
}

void
helper_left(const char *path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char line[512];
	int n = snprintf(line, sizeof(line), "%s\n", path);

	(void)pthread_once(&once, start);
	MUST(path[0] == '/' && n > 0 && (size_t)n < sizeof(line));
	MUST(send(watcher, line, (size_t)n, MSG_NOSIGNAL) == n);
}
