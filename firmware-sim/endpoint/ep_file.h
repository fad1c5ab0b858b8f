/*
 * ep_file.h - files and folders of an installation: small, private, synced.
 * Diagnoses name the path, what the system said, and what to do.
 */
#ifndef EP_FILE_H
#define EP_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"

struct hsa_buf;

/* ep_file_read(b, path, max, diag) - append the whole file. E_NOT_FOUND,
 * E_RANGE above max bytes, E_IO. */
HSA_MUST_USE hsa_rc ep_file_read(
    struct hsa_buf *b, const char *path, size_t max, struct hsa_diag *diag);

/* ep_file_create(path, p, n, diag) - new file, 0600, on stable storage.
 * E_EXISTS when there is one. */
HSA_MUST_USE hsa_rc ep_file_create(
    const char *path, const void *p, size_t n, struct hsa_diag *diag);

/* ep_file_replace(path, p, n, diag) - likewise, but one that is there is
 * replaced in one step; the caller syncs the folder. */
HSA_MUST_USE hsa_rc ep_file_replace(
    const char *path, const void *p, size_t n, struct hsa_diag *diag);

/* ep_file_number(path, v, diag) - a file with one decimal line, replaced in
 * one step; for pid files, so not synced. */
HSA_MUST_USE hsa_rc ep_file_number(
    const char *path, long v, struct hsa_diag *diag);

/* ep_dir_make(path, diag) - new folder, 0700. E_EXISTS.
 * ep_dir_sync(path, diag) - its entries on stable storage.
 * ep_dir_empty(empty, path, diag) - E_NOT_FOUND when there is none.
 * ep_dir_clear(path, itself) - remove all inside, and itself when asked;
 * goes on after errors, never follows links. */
HSA_MUST_USE hsa_rc ep_dir_make(const char *path, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc ep_dir_sync(const char *path, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc ep_dir_empty(
    bool *empty, const char *path, struct hsa_diag *diag);
void ep_dir_clear(const char *path, bool itself);

/*
 * ep_lock(fd, path, wait_ms, diag) - hold the file locked until fd is closed
 * or the process ends; its content is our pid. E_BUSY, naming the holder,
 * when another process has it for longer than wait_ms.
 * ep_lock_holder(path) - pid of the process that holds it; 0: nobody.
 */
HSA_MUST_USE hsa_rc ep_lock(
    int *fd, const char *path, int wait_ms, struct hsa_diag *diag);
long ep_lock_holder(const char *path);

#endif
