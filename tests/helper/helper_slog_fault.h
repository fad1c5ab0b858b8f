/*
 * helper_slog_fault.h - a file system for the sealed log that counts the calls
 * which change something, fails or half-does the n-th, loses power there, or
 * is slow. Everything else goes to the real one.
 */
#ifndef HELPER_SLOG_FAULT_H
#define HELPER_SLOG_FAULT_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "slog_os.h"

#define HELPER_FAULT_FILES 64

struct helper_fault_file {
	char name[32];
	int fd;                 /* -1: closed */
	bool created, in_dir;   /* made by us; its name is on the disk */
	uint64_t synced;        /* bytes that are on the disk */
	struct hsa_buf content; /* of head, as it is there */
};

struct helper_fault {
	struct slog_os os; /* give this to the log */
	pthread_mutex_t mutex;
	unsigned int calls;   /* changing calls so far */
	unsigned int fail_at; /* number of the one that fails; 0: none */
	int error;            /* negative errno */
	bool dead;            /* all calls after it fail too: power is off */
	bool half;            /* a write does half of its bytes first */
	bool off;             /* power went off */
	size_t most;          /* a write takes at most this; 0: all */
	unsigned int sync_us; /* how long a sync takes */
	unsigned int syncs;   /* fdatasync calls that succeeded */
	struct helper_fault_file file[HELPER_FAULT_FILES];
	size_t file_len;
};

void helper_fault_init(struct helper_fault *f);
void helper_fault_free(struct helper_fault *f);
/* helper_fault_restart(f) - the process died, the machine did not: calls work
 * again, and it is remembered what never reached the disk. */
void helper_fault_restart(struct helper_fault *f);

/* What the disk kept of bytes that were written but not synced. */
enum helper_kept {
	HELPER_KEPT_NOTHING,
	HELPER_KEPT_HALF,
	HELPER_KEPT_ALL
};

/* helper_fault_cut(f, dir, kept) - after the log was closed: turn the folder
 * into what is found when power comes back. */
void helper_fault_cut(
    struct helper_fault *f, const char *dir, enum helper_kept kept);

#endif
