/*
 * eb_bare.h - the least that any log must do before a caller may go on: bytes
 * of that length behind the others in a file of the same file system, write
 * and fdatasync shared by all callers who wait. No tree, no hash, no
 * signature: what sealing is held against.
 */
#ifndef EB_BARE_H
#define EB_BARE_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct eb_bare {
	pthread_mutex_t mutex;
	pthread_cond_t work, done[2]; /* done: by the number of the batch */
	pthread_t writer;
	int fd;
	uint64_t batch;         /* that callers join now */
	uint64_t durable;       /* batches on stable storage */
	size_t waiting, length; /* callers in it; bytes of each */
	bool running, stop, failed;
};

/* eb_bare_open(b, dir, length, diag) - a file without a name in dir, its
 * length of a record to be set by eb_bare_length. eb_bare_close: repeatable.
 * eb_bare_commit(b) - returns when its bytes are on stable storage. E_IO. */
HSA_MUST_USE hsa_rc eb_bare_open(
    struct eb_bare *b, const char *dir, struct hsa_diag *diag);
void eb_bare_length(struct eb_bare *b, size_t n);
HSA_MUST_USE hsa_rc eb_bare_commit(struct eb_bare *b);
void eb_bare_close(struct eb_bare *b);

#endif
