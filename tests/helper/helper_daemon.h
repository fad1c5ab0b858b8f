/*
 * helper_daemon.h - real programs of the build under test: a state directory
 * made by `cryptounitd init`, `cryptounitd run` as a child, and any other
 * program beside it. The build's folder comes from $CU_BUILD, else "build".
 */
#ifndef HELPER_DAEMON_H
#define HELPER_DAEMON_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hd {
	char root[64];  /* a fresh folder under $TMPDIR, or /tmp */
	char state[96]; /* root/state: the state directory */
	pid_t pid;      /* of `cryptounitd run`, 0: not running */
	/* a unit has no log, or the test hurt one: hd_stop looks at none */
	bool skip_logs;
};
#define HD_INVALID (-2)

/* hd_program(to, n, name) - path of a program of the build. */
void hd_program(char *to, size_t n, const char *name);

/* Make the folder and run init with these units; false: failed, said why. */
bool hd_init(struct hd *d, const char *units);
/* The same, for another collector than local=unix:collect.sock; NULL: none. */
bool hd_init_collector(struct hd *d, const char *units, const char *collector);
/* hd_certs(d) - `cryptounitd certs`: new keys and certificates. */
bool hd_certs(const struct hd *d);
/* The same with three units ("operational-1", "operational-2", "recovery-1")
 * that hold one master key, by tools/demo/first-key.sh: an installation, and
 * its ceremony's files in root/ceremony. Run from the repository's root. */
bool hd_ceremony(struct hd *d);
/* Then, while it runs, another ceremony of tools/demo in the same folder, by
 * name: "next-key" up to committed, "activate-key" after it. */
bool hd_step(struct hd *d, const char *name);
/* hd_emission(d, mode) - of EP11 calls of all units, "ring" or "sealed", in
 * config.yaml; before hd_start. */
bool hd_emission(const struct hd *d, const char *mode);
/* Start `run` and wait at most 20 s for its ready line. */
bool hd_start(struct hd *d);
/* SIGTERM and wait; the exit status, -1 when it died of a signal. After 0 the
 * logs that it leaves are validated (helper_validate.h): HD_INVALID, said why,
 * when an event in them is not as it should be. */
int hd_stop(struct hd *d);
/* Stop if running - HD_INVALID aborts the test -, remove the folder. */
void hd_free(struct hd *d);

/* hd_spawn(argv, ready) - start a program; when ready is not NULL wait until
 * its standard output has a line with that word. 0: failed. */
pid_t hd_spawn(char *const argv[], const char *ready);
/* hd_collect(d, out, port) - `hsa collect` into the folder out, ready: on
 * collect.sock, or when port is not 0 there, over TLS. 0: failed. */
pid_t hd_collect(const struct hd *d, const char *out, unsigned int port);
/* Pid that a unit's process, or the one for HTTP, has written down, 0: none. */
pid_t hd_unit_pid(const struct hd *d, const char *unit);
pid_t hd_front_pid(const struct hd *d);
/* The same once it is another than old; 0: not within 30 s. */
pid_t hd_unit_wait(const struct hd *d, const char *unit, pid_t old);

/* Module and domain index of a unit, from its configured location. */
bool hd_unit_indices(const struct hd *d, const char *unit,
    unsigned int *module_index, unsigned int *domain_index);

/* A small deterministic generator: the seed of a run is enough to repeat its
 * choices (not the scheduler's). */
struct hd_rng {
	unsigned long long s;
};
unsigned int hd_rand(struct hd_rng *r, unsigned int below);
/* hd_env(name, fallback) - a number from the environment. */
unsigned int hd_env(const char *name, unsigned int fallback);

#endif
