/* ep_super.c - see ep_super.h. One thread, one poll loop. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "ep_config.h"
#include "ep_file.h"
#include "ep_harden.h"
#include "ep_log.h"
#include "ep_sock.h"
#include "ep_super.h"

#define CHILDREN_MAX (EP_UNITS_MAX + 1)
#define RESTART_MS 20        /* keeps a crash loop from eating a core */
#define BACKOFF_MAX_MS 10000 /* between starts that fail */
#define STOP_FRONT_MS 8000
#define STOP_UNITS_MS 25000

struct child {
	const char *unit;       /* NULL: the HTTP front */
	pid_t pid;              /* 0: not running */
	int ready_fd;           /* -1: answered, or not running */
	bool ready, failed;     /* answers now; did not come up the last time */
	bool waits;             /* for somebody who mends it, and SIGHUP */
	bool crashed;           /* died of a signal while stopping */
	uint64_t started, next; /* ep_sock_now */
	unsigned int backoff;   /* ms before the next start */
};

struct super {
	struct ep_config *cfg;
	const char *dir;
	struct child child[CHILDREN_MAX];
	unsigned int n; /* front last */
	int lock, signals;
	bool said_ready, said_degraded;
};

static const char *
label(const struct child *c)
{
	return c->unit != NULL ? c->unit : "front";
}

/* ---- starting ------------------------------------------------------------ */

/* In the child: descriptors 0 to 3, then become the program again. Nothing is
 * allocated and nothing returns. */
static _Noreturn void
become(const struct super *s, const struct child *c, int ready, pid_t parent)
{
	char self[] = "/proc/self/exe", name[] = "cryptounitd";
	char unit[] = "unit", front[] = "front", fd[] = "--ready-fd=3";
	char dir[4096] = "", who[64] = "";
	char *argv[6] = {0};
	int null = open("/dev/null", O_RDWR);

	(void)snprintf(dir, sizeof(dir), "%s", s->dir);
	(void)snprintf(who, sizeof(who), "%s", c->unit ? c->unit : "");
	argv[0] = name;
	argv[1] = c->unit != NULL ? unit : front;
	argv[2] = fd;
	argv[3] = dir;
	argv[4] = c->unit != NULL ? who : NULL;
	if (null < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0 ||
	    dup2(ready, EP_READY_FD) < 0)
		_exit(127);
	(void)fcntl(EP_READY_FD, F_SETFD, 0); /* when ready was 3 already */
	(void)close_range(EP_READY_FD + 1, ~0u, 0);
	ep_signals_default();
	if (!ep_harden_child(parent))
		_exit(127);
	(void)execv(self, argv);
	_exit(127);
}

static void
start(struct super *s, struct child *c)
{
	int pipe_fd[2] = {-1, -1};
	pid_t parent = getpid(), pid = 0;

	c->started = ep_sock_now();
	c->ready = false;
	if (pipe2(pipe_fd, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		ep_log("cannot start %s: %s; fix: raise the limits on "
		       "processes and open files (ulimit -u, -n)",
		    label(c), strerror(errno));
		if (pipe_fd[0] >= 0) {
			(void)close(pipe_fd[0]);
			(void)close(pipe_fd[1]);
		}
		c->backoff = BACKOFF_MAX_MS / 10;
		c->next = c->started + c->backoff;
		return;
	}
	if (pid == 0)
		become(s, c, pipe_fd[1], parent);
	(void)close(pipe_fd[1]);
	c->pid = pid;
	c->ready_fd = pipe_fd[0];
}

/* ---- what happens to children -------------------------------------------- */

static void
forget_pipe(struct child *c)
{
	if (c->ready_fd >= 0)
		(void)close(c->ready_fd);
	c->ready_fd = -1;
}

/* End of file without a byte: the child is about to die, waitpid tells. */
static void
on_pipe(struct child *c)
{
	char byte = 0;

	if (read(c->ready_fd, &byte, 1) == 1) {
		c->ready = true;
		c->failed = false;
		ep_log("%s answers (process %ld)", label(c), (long)c->pid);
	}
	forget_pipe(c);
}

/* One that came up works again at once: whatever killed it, its callers wait.
 * One that does not come up is tried ever more slowly. */
static void
plan_restart(struct child *c)
{
	if (c->ready)
		c->backoff = 0;
	c->next = ep_sock_now() + (c->ready ? RESTART_MS : c->backoff);
	c->backoff = c->backoff == 0 ? RESTART_MS : 2 * c->backoff;
	if (c->backoff > BACKOFF_MAX_MS)
		c->backoff = BACKOFF_MAX_MS;
}

static void
say_exit(const struct child *c, int status, const char *then)
{
	if (WIFSIGNALED(status))
		ep_log("%s (process %ld) was killed by signal %d%s", label(c),
		    (long)c->pid, WTERMSIG(status), then);
	else
		ep_log("%s (process %ld) ended with status %d%s", label(c),
		    (long)c->pid, WEXITSTATUS(status), then);
}

static void
on_exit_of(struct child *c, int status, bool stopping)
{
	if (c->ready_fd >= 0)
		on_pipe(c); /* it may have come up before it went down */
	if (!stopping) {
		plan_restart(c);
		c->failed = !c->ready;
		c->waits = !c->ready && WIFEXITED(status) &&
			   WEXITSTATUS(status) == EP_EXIT_HALTED;
		say_exit(c, status,
		    c->waits ? "; it waits until it is mended: cryptounitd "
			       "resume"
			     : "; starting it again");
	} else if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM) {
		c->crashed = true;
		say_exit(c, status, " while stopping");
	} else if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
		say_exit(c, status, " while stopping");
	}
	c->pid = 0;
	c->ready = false;
}

static void
reap(struct super *s, bool stopping)
{
	unsigned int i = 0;
	int status = 0;

	for (i = 0; i < s->n; i++)
		if (s->child[i].pid != 0 && waitpid(s->child[i].pid, &status,
						WNOHANG) == s->child[i].pid)
			on_exit_of(&s->child[i], status, stopping);
}

/* ---- saying how it goes -------------------------------------------------- */

static void
report(struct super *s)
{
	unsigned int i = 0, ready = 0, failed = 0;

	for (i = 0; i < s->n; i++) {
		ready += s->child[i].ready ? 1u : 0u;
		failed += s->child[i].failed ? 1u : 0u;
	}
	if (ready == s->n && !s->said_ready) {
		s->said_ready = true;
		(void)printf("cryptounitd: ready, %u crypto units, %s/%s\n",
		    s->cfg->unit_count, s->dir, s->cfg->admin_socket);
		(void)fflush(stdout);
	} else if (!s->said_ready && !s->said_degraded && failed > 0 &&
		   ready + failed == s->n) {
		s->said_degraded = true;
		(void)printf("cryptounitd: degraded, %u of %u processes "
			     "answer, see the log\n",
		    ready, s->n);
		(void)fflush(stdout);
	}
}

/* ---- the loop ------------------------------------------------------------ */

/* Starts what is due; returns how long poll may sleep. */
static int
start_due(struct super *s)
{
	uint64_t now = ep_sock_now(), left = 0, least = 60000;
	unsigned int i = 0;

	for (i = 0; i < s->n; i++) {
		struct child *c = &s->child[i];

		if (c->pid != 0 || c->waits)
			continue;
		if (c->next <= now)
			start(s, c);
		if (c->pid == 0) {
			left = c->next > now ? c->next - now : 1;
			least = left < least ? left : least;
		}
	}
	return (int)least;
}

static void
wait_for_news(struct super *s, int ms)
{
	struct pollfd pf[CHILDREN_MAX + 1] = {{0}};
	struct child *of[CHILDREN_MAX + 1] = {0};
	nfds_t n = 1, k = 0;
	unsigned int i = 0;

	pf[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	for (i = 0; i < s->n; i++) {
		if (s->child[i].ready_fd < 0)
			continue;
		of[n] = &s->child[i];
		pf[n++] = (struct pollfd){
		    .fd = s->child[i].ready_fd, .events = POLLIN};
	}
	if (poll(pf, n, ms) <= 0)
		return;
	for (k = 1; k < n; k++)
		if (pf[k].revents != 0)
			on_pipe(of[k]);
}

/* Those that answer have the signal blocked; the others have read the files
 * that there are now, or will. */
static void
renew(const struct super *s)
{
	unsigned int i = 0;

	ep_log("certificates: channels connect again");
	for (i = 0; i < s->n; i++)
		if (s->child[i].ready && s->child[i].unit != NULL)
			(void)kill(s->child[i].pid, SIGHUP);
}

/* Somebody says that what was wrong is mended. */
static void
start_waiting(struct super *s)
{
	unsigned int i = 0;

	for (i = 0; i < s->n; i++) {
		s->child[i].waits = false;
		s->child[i].next = 0;
		s->child[i].backoff = 0;
	}
}

/* True when it is time to stop. */
static bool
take_signals(struct super *s)
{
	long from = 0;
	int sig = 0;

	while ((sig = ep_signals_take(s->signals, &from)) != 0) {
		if (sig == SIGCHLD)
			continue;
		if (sig == SIGHUP) {
			renew(s);
			start_waiting(s);
			continue;
		}
		ep_log("stopping: signal %d from process %ld", sig, from);
		return true;
	}
	return false;
}

/* Ends children first to last - 1. False when one had to be killed. */
static bool
stop_some(struct super *s, unsigned int first, unsigned int last, int ms)
{
	const struct timespec nap = {.tv_nsec = 5 * 1000 * 1000};
	uint64_t deadline = ep_sock_now() + (uint64_t)ms;
	unsigned int i = 0, alive = 0;
	bool clean = true;

	for (i = first; i < last; i++)
		if (s->child[i].pid != 0)
			(void)kill(s->child[i].pid, SIGTERM);
	for (;;) {
		reap(s, true);
		for (i = first, alive = 0; i < last; i++)
			alive += s->child[i].pid != 0 ? 1u : 0u;
		if (alive == 0)
			break;
		if (clean && ep_sock_now() > deadline) {
			clean = false;
			for (i = first; i < last; i++) {
				if (s->child[i].pid == 0)
					continue;
				ep_log("%s does not stop; killed",
				    label(&s->child[i]));
				(void)kill(s->child[i].pid, SIGKILL);
			}
		}
		(void)nanosleep(&nap, NULL);
	}
	for (i = first; i < last; i++)
		clean = clean && !s->child[i].crashed;
	return clean;
}

static void
add_children(struct super *s)
{
	unsigned int i = 0;

	for (i = 0; i < s->cfg->unit_count; i++)
		s->child[s->n++] = (struct child){
		    .unit = s->cfg->unit[i].name, .ready_fd = -1};
	s->child[s->n++] = (struct child){.ready_fd = -1};
}

static hsa_rc
open_super(struct super *s, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, ep_config_load(&s->cfg, s->dir, diag));
	hsa_buf_printf(&path, "%s/" EP_LOCK_FILE, s->dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	HSA_TRY(rc, ep_lock(&s->lock, hsa_buf_cstr(&path), 0, diag));
	HSA_TRY(rc, ep_signals(&s->signals, 1, diag));
	add_children(s);
out:
	hsa_buf_free(&path);
	return rc;
}

hsa_rc
ep_super_run(const char *dir, struct hsa_diag *diag)
{
	struct super s = {.dir = dir, .lock = -1, .signals = -1};
	bool clean = true, stop = false;
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, open_super(&s, diag));
	do {
		wait_for_news(&s, start_due(&s));
		/* before reap: a SIGCHLD taken after it would be lost */
		stop = take_signals(&s);
		reap(&s, false);
		report(&s);
	} while (!stop);
	clean = stop_some(&s, s.n - 1, s.n, STOP_FRONT_MS);
	clean = stop_some(&s, 0, s.n - 1, STOP_UNITS_MS) && clean;
	if (!clean)
		rc = hsa_fail(diag, HSA_RC(E_TIMEOUT),
		    "a process was killed while it stopped (see the log); "
		    "its audit log and state stay whole; fix: start again, "
		    "and look at `cryptounitd status`");
out:
	for (i = 0; i < s.n; i++)
		forget_pipe(&s.child[i]);
	if (s.signals >= 0)
		(void)close(s.signals);
	if (s.lock >= 0)
		(void)close(s.lock);
	ep_config_free(s.cfg);
	return rc;
}
