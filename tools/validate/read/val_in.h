/*
 * val_in.h - where events come from: a file or a pipe, plain, gzip or zstd,
 * holding JSON lines, an array, one object after another, or a table of tab
 * separated values with the events in its column "text". One text at a time;
 * memory holds one text, at most VAL_TEXT_MAX and a little.
 */
#ifndef VAL_IN_H
#define VAL_IN_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct val_in;
struct val_envelope;

struct val_text {
	const void *p; /* valid until the next call */
	size_t n;
	uint64_t line;   /* of its first byte, from 1; 0: no text file */
	const char *bad; /* not NULL: no text, but what is wrong there */
	/* of a sealed record (val_read.h); NULL: none. One that is `special`
	 * has no text */
	const struct val_envelope *envelope;
};

/*
 * val_in_open(in, path, diag) - "-": standard input. E_NOT_FOUND, E_IO with a
 * diagnosis. val_in_next(in, t, diag) - E_NOT_FOUND at the end; a compressed
 * stream that is damaged or cut is E_IO, events before it were given.
 * val_in_close(in) - NULL-safe.
 */
HSA_MUST_USE hsa_rc val_in_open(
    struct val_in **in, const char *path, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc val_in_next(
    struct val_in *in, struct val_text *t, struct hsa_diag *diag);
void val_in_close(struct val_in *in);

#endif
