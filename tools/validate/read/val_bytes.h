/*
 * val_bytes.h - the bytes of a file or pipe, decompressed when they begin as
 * gzip (RFC 1952) or Zstandard (RFC 8878) do; members of either may follow one
 * another.
 */
#ifndef VAL_BYTES_H
#define VAL_BYTES_H
#include <stddef.h>
#include "hsa_err.h"

struct val_bytes;

/*
 * val_bytes_open(b, path, diag) - "-": standard input.
 * val_bytes_read(b, got, p, n, diag) - up to n bytes, at least one; 0: the end.
 * E_IO, with a diagnosis: unreadable, damaged, or cut within a member.
 */
HSA_MUST_USE hsa_rc val_bytes_open(
    struct val_bytes **b, const char *path, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc val_bytes_read(
    struct val_bytes *b, size_t *got, void *p, size_t n, struct hsa_diag *diag);
void val_bytes_close(struct val_bytes *b);

#endif
