#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ep_config.h"
#include "helper_daemon.h"
#include "helper_left.h"
#include "helper_validate.h"
#include "hsa_buf.h"

extern char **environ;

void
hd_program(char *to, size_t n, const char *name)
{
	const char *build = getenv("CU_BUILD");

	(void)snprintf(to, n, "%s/bin/%s", build ? build : "build", name);
}

static bool
wait_word(int fd, const char *word)
{
	char seen[4096] = {0};
	size_t len = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, 20000) <= 0)
			return false;
		n = read(fd, seen + len, sizeof(seen) - 1 - len);
		if (n <= 0)
			return false;
		len += (size_t)n;
		seen[len] = '\0';
		if (strstr(seen, word) != NULL && strchr(seen, '\n') != NULL)
			return true;
		if (len >= sizeof(seen) - 1)
			return false;
	}
}

pid_t
hd_spawn(char *const argv[], const char *ready)
{
	posix_spawn_file_actions_t fa;
	int fd[2] = {-1, -1};
	pid_t pid = 0;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return 0;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fd[1], 1);
	/* what a failed test leaves running holds no locks of who ran it */
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	if (posix_spawn(&pid, argv[0], &fa, NULL, argv, environ) != 0) {
		perror(argv[0]);
		pid = 0;
	}
	posix_spawn_file_actions_destroy(&fa);
	close(fd[1]);
	if (pid != 0 && ready != NULL && !wait_word(fd[0], ready)) {
		fprintf(stderr, "%s did not say '%s'\n", argv[0], ready);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(fd[0]);
	return pid;
}

static bool
make_root(struct hd *d)
{
	const char *under = getenv("TMPDIR");

	if (under == NULL || strlen(under) > 32)
		under = "/tmp";
	(void)snprintf(d->root, sizeof(d->root), "%s/cu-test-XXXXXX", under);
	if (mkdtemp(d->root) == NULL) {
		perror(d->root);
		return false;
	}
	helper_left(d->root);
	return true;
}

static bool
ends_well(pid_t pid, const char *what)
{
	int st = 0;

	if (pid != 0 && waitpid(pid, &st, 0) == pid && WIFEXITED(st) &&
	    WEXITSTATUS(st) == 0)
		return true;
	fprintf(stderr, "%s failed\n", what);
	return false;
}

bool
hd_init_collector(struct hd *d, const char *units, const char *collector)
{
	char prog[256], init[] = "init", opt[] = "--units", list[128],
			more[] = "--collector", address[128];
	char *argv[] = {prog, init, d->state, opt, list, more, address, NULL};

	*d = (struct hd){.pid = 0};
	if (!make_root(d))
		return false;
	(void)snprintf(d->state, sizeof(d->state), "%s/state", d->root);
	hd_program(prog, sizeof(prog), "cryptounitd");
	(void)snprintf(list, sizeof(list), "%s", units);
	if (collector == NULL)
		argv[5] = NULL;
	else
		(void)snprintf(address, sizeof(address), "%s", collector);
	return ends_well(hd_spawn(argv, NULL), "cryptounitd init");
}

bool
hd_init(struct hd *d, const char *units)
{
	return hd_init_collector(d, units, NULL);
}

bool
hd_certs(const struct hd *d)
{
	char prog[256], certs[] = "certs", dir[128];
	char *argv[] = {prog, certs, dir, NULL};

	hd_program(prog, sizeof(prog), "cryptounitd");
	(void)snprintf(dir, sizeof(dir), "%s", d->state);
	return ends_well(hd_spawn(argv, NULL), "cryptounitd certs");
}

bool
hd_ceremony(struct hd *d)
{
	const char *build = getenv("CU_BUILD");
	char bash[] = "/bin/bash", script[] = "tools/demo/first-key.sh";
	char folder[200];
	char *argv[] = {bash, script, folder, d->root, NULL};
	int st = 0;
	pid_t pid;

	*d = (struct hd){.pid = 0};
	(void)snprintf(
	    folder, sizeof(folder), "%s", build != NULL ? build : "build");
	if (!make_root(d))
		return false;
	(void)snprintf(d->state, sizeof(d->state), "%s/state", d->root);
	pid = hd_spawn(argv, NULL);
	if (pid == 0 || waitpid(pid, &st, 0) != pid || !WIFEXITED(st) ||
	    WEXITSTATUS(st) != 0) {
		fprintf(stderr, "tools/demo/first-key.sh failed\n");
		return false;
	}
	return true;
}

bool
hd_step(struct hd *d, const char *name)
{
	char tke[256], yaml[160], transcript[160], from[96];
	char verb[] = "ceremony", run[] = "run", st_opt[] = "--state",
	     tr_opt[] = "--transcript", cp[] = "/bin/cp";
	char *copy[] = {cp, from, yaml, NULL};
	char *argv[] = {
	    tke, verb, run, yaml, st_opt, d->state, tr_opt, transcript, NULL};
	char *const *all[] = {copy, argv};

	hd_program(tke, sizeof(tke), "tke");
	(void)snprintf(from, sizeof(from), "tools/demo/%s.yaml", name);
	(void)snprintf(
	    yaml, sizeof(yaml), "%s/ceremony/%s.yaml", d->root, name);
	(void)snprintf(
	    transcript, sizeof(transcript), "%s/%s.md", d->root, name);
	for (size_t i = 0; i < 2; i++) {
		int st = 0;
		pid_t pid = hd_spawn(all[i], NULL);

		if (pid == 0 || waitpid(pid, &st, 0) != pid || !WIFEXITED(st) ||
		    WEXITSTATUS(st) != 0) {
			fprintf(stderr, "%s failed\n", from);
			return false;
		}
	}
	return true;
}

bool
hd_start(struct hd *d)
{
	char prog[256], run[] = "run";
	char *argv[] = {prog, run, d->state, NULL};

	hd_program(prog, sizeof(prog), "cryptounitd");
	d->pid = hd_spawn(argv, "ready");
	return d->pid != 0;
}

int
hd_stop(struct hd *d)
{
	int st = 0;
	pid_t pid = d->pid;

	d->pid = 0;
	if (pid == 0 || kill(pid, SIGTERM) != 0 || waitpid(pid, &st, 0) != pid)
		return -1;
	if (!WIFEXITED(st) || WEXITSTATUS(st) != 0)
		return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
	return d->skip_logs || hval_logs(NULL, d->state) ? 0 : HD_INVALID;
}

/* What a killed unit leaves lies outside of its folder. */
static void
remove_rings(const struct hd *d)
{
	struct ep_config *c = NULL;
	struct hsa_buf path = {0};

	if (!hsa_is_ok(ep_config_load(&c, d->state, NULL)))
		return;
	for (unsigned int i = 0; i < c->unit_count; i++) {
		hsa_buf_reset(&path);
		ep_unit_ring(&path, c, &c->unit[i]);
		(void)unlink(hsa_buf_cstr(&path));
	}
	hsa_buf_free(&path);
	ep_config_free(c);
}

void
hd_free(struct hd *d)
{
	char root[sizeof(d->root)], rm[] = "/bin/rm", opt[] = "-rf";
	char *argv[] = {rm, opt, root, NULL};
	pid_t pid;

	if (d->pid != 0 && hd_stop(d) == HD_INVALID)
		abort();
	if (d->root[0] == '\0')
		return;
	remove_rings(d);
	memcpy(root, d->root, sizeof(root));
	pid = hd_spawn(argv, NULL);
	if (pid != 0)
		waitpid(pid, NULL, 0);
	d->root[0] = '\0';
	d->skip_logs = false;
}

static pid_t
read_pid(const char *path)
{
	char text[32] = "";
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	(void)fclose(f);
	return (pid_t)strtol(text, NULL, 10);
}

pid_t
hd_unit_pid(const struct hd *d, const char *unit)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/units/%s/pid", d->state, unit);
	return read_pid(path);
}

pid_t
hd_front_pid(const struct hd *d)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/front.lock", d->state);
	return read_pid(path);
}

pid_t
hd_unit_wait(const struct hd *d, const char *unit, pid_t old)
{
	const struct timespec t = {0, 2000000};

	for (int i = 0; i < 15000; i++) {
		pid_t pid = hd_unit_pid(d, unit);

		if (pid != 0 && pid != old)
			return pid;
		(void)nanosleep(&t, NULL);
	}
	return 0;
}

pid_t
hd_collect(const struct hd *d, const char *out, unsigned int port)
{
	char prog[256], verb[] = "collect", o1[] = "--listen", sock[256],
			o2[] = "--out", dir[256], o3[] = "--key", pub[256],
			o4[] = "--ca", ca[256], o5[] = "--identity", own[256];
	char *argv[] = {
	    prog, verb, o1, sock, o2, dir, o3, pub, o4, ca, o5, own, NULL};

	hd_program(prog, sizeof(prog), "hsa");
	if (port != 0)
		(void)snprintf(sock, sizeof(sock), "tls:localhost:%u", port);
	else
		(void)snprintf(
		    sock, sizeof(sock), "unix:%s/collect.sock", d->state);
	(void)snprintf(dir, sizeof(dir), "%s", out);
	(void)snprintf(pub, sizeof(pub), "%s/checkpoint.pub", d->state);
	(void)snprintf(ca, sizeof(ca), "%s/tls/ca.pem", d->state);
	(void)snprintf(
	    own, sizeof(own), "%s/tls/collector-local.pem", d->state);
	return hd_spawn(argv, "ready");
}

bool
hd_emission(const struct hd *d, const char *mode)
{
	static const char key[] = "      ep11: ";
	char path[160], line[512];
	struct hsa_buf b = {0};
	unsigned int n = 0;
	FILE *f;
	bool good;

	(void)snprintf(path, sizeof(path), "%s/config.yaml", d->state);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL) {
		bool found = strncmp(line, key, sizeof(key) - 1) == 0;

		n += found ? 1 : 0;
		hsa_buf_printf(&b, "%s%s%s", found ? key : line,
		    found ? mode : "", found ? "\n" : "");
	}
	(void)fclose(f);
	f = fopen(path, "w");
	good = f != NULL && n > 0 && !b.failed &&
	       fwrite(b.p, 1, b.len, f) == b.len;
	good = f != NULL && fclose(f) == 0 && good;
	hsa_buf_free(&b);
	return good;
}

bool
hd_unit_indices(const struct hd *d, const char *unit,
    unsigned int *module_index, unsigned int *domain_index)
{
	struct ep_config *c = NULL;
	struct hsa_diag diag = {{0}};
	bool found = false;

	if (!hsa_is_ok(ep_config_load(&c, d->state, &diag))) {
		fprintf(stderr, "%s\n", diag.text);
		return false;
	}
	for (unsigned int i = 0; i < c->unit_count; i++)
		if (strcmp(c->unit[i].name, unit) == 0)
			found = sscanf(c->unit[i].location,
				    "[%*[^]]].[%*[^]]].[%u].[%u]", module_index,
				    domain_index) == 2;
	ep_config_free(c);
	return found;
}

unsigned int
hd_rand(struct hd_rng *r, unsigned int below)
{
	/* splitmix64 */
	unsigned long long z = (r->s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return below == 0 ? 0 : (unsigned int)(z % below);
}

unsigned int
hd_env(const char *name, unsigned int fallback)
{
	const char *s = getenv(name);
	unsigned long v = s == NULL ? fallback : strtoul(s, NULL, 10);

	return v > 1000000 ? fallback : (unsigned int)v;
}
