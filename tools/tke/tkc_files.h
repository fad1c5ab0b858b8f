/*
 * tkc_files.h - the directory of local files (CLOUDTKEFILES or --files): key
 * files and the selection. Nothing in it is ever readable by others; a new
 * file never replaces an old one, except the selection, which is replaced
 * whole or not at all.
 */
#ifndef TKC_FILES_H
#define TKC_FILES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"

/* bytes of a key file, password file, selection */
#define TKC_FILE_MAX 65536u
#define TKC_FILE_NAME 128 /* of a name in the directory, with its NUL */

struct tkc_files {
	int fd; /* the directory; -1 when closed */
	char *path;
};

/*
 * tkc_files_open(f, path, diag) - path NULL: environment CLOUDTKEFILES. Made
 * 0700 when absent. E_CONFIG when it is not named, belongs to somebody else or
 * can be entered by others.
 */
HSA_MUST_USE hsa_rc tkc_files_open(
    struct tkc_files *f, const char *path, struct hsa_diag *diag);
void tkc_files_close(struct tkc_files *f); /* a zeroed or closed one is fine */

/* tkc_files_read(f, b, name, diag) - a regular file of at most TKC_FILE_MAX,
 * appended to b. E_NOT_FOUND, E_CONFIG, E_RANGE, E_IO. */
HSA_MUST_USE hsa_rc tkc_files_read(const struct tkc_files *f, struct hsa_buf *b,
    const char *name, struct hsa_diag *diag);
/* tkc_files_create - a new file, 0600, on stable storage; E_EXISTS.
 * tkc_files_replace - the same, in place of an older one. */
HSA_MUST_USE hsa_rc tkc_files_create(const struct tkc_files *f,
    const char *name, const void *p, size_t n, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_files_replace(const struct tkc_files *f,
    const char *name, const void *p, size_t n, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_files_remove(
    const struct tkc_files *f, const char *name, struct hsa_diag *diag);

/* Names in the directory that end in suffix, in strcmp order. */
struct tkc_names {
	char (*name)[TKC_FILE_NAME];
	size_t len;
};
HSA_MUST_USE hsa_rc tkc_files_list(const struct tkc_files *f,
    struct tkc_names *names, const char *suffix, struct hsa_diag *diag);
void tkc_names_free(struct tkc_names *names);

/*
 * tkc_slurp(b, path, max, secret, diag) - any regular file, whole. secret: it
 * must be readable by its owner alone (E_CONFIG with the chmod that helps).
 * tkc_slurp_line - a secret file's first line, without its end; E_FORMAT when
 * it is empty or more than one line.
 */
HSA_MUST_USE hsa_rc tkc_slurp(struct hsa_buf *b, const char *path, size_t max,
    bool secret, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_slurp_line(
    struct hsa_buf *b, const char *path, struct hsa_diag *diag);

/* tkc_write_new(path, p, n, diag) - a new file anywhere, 0644 under the umask,
 * synced; E_EXISTS. */
HSA_MUST_USE hsa_rc tkc_write_new(
    const char *path, const void *p, size_t n, struct hsa_diag *diag);

#endif
