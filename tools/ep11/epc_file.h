/* epc_file.h - what comes in and goes out: files, "-" for the standard ones. */
#ifndef EPC_FILE_H
#define EPC_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"

/*
 * A stream of input. epc_in_open(f, path, diag) - NULL or "-": standard input.
 * epc_in_read(f, b, max, diag) - up to max bytes appended, fewer only at the
 * end. epc_in_close(f) - repeatable.
 */
struct epc_in {
	int fd; /* -1: closed */
	bool ours;
	const char *name;
};
HSA_MUST_USE hsa_rc epc_in_open(
    struct epc_in *f, const char *path, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc epc_in_read(
    struct epc_in *f, struct hsa_buf *b, size_t max, struct hsa_diag *diag);
void epc_in_close(struct epc_in *f);

/* epc_file_read(b, path, max, diag) - all of it, appended; E_RANGE when it is
 * longer. */
HSA_MUST_USE hsa_rc epc_file_read(
    struct hsa_buf *b, const char *path, size_t max, struct hsa_diag *diag);

/*
 * epc_file_write(path, p, n, diag) - NULL or "-": standard output. A regular
 * file is made anew with mode 0600 and put in place whole.
 */
HSA_MUST_USE hsa_rc epc_file_write(
    const char *path, const void *p, size_t n, struct hsa_diag *diag);

#endif
