/*
 * val_read.h - every input that events come from: what val_in.h reads, and
 * sealed logs - a log folder, a unit's folder, the state directory of
 * cryptounitd or a collector's folder -, which are verified while they are
 * read (vfy_log.h). Memory does not grow with the input.
 */
#ifndef VAL_READ_H
#define VAL_READ_H
#include "hsa_err.h"
#include "val_in.h"

struct vfy_keys;

/*
 * Who takes what is read; an error ends the reading with it. input: what
 * follows is of this one; events count from 0. A folder of several logs is as
 * many inputs, by their paths. text: valid during the call. Of a log: the
 * event as `hsa export` writes it, with its envelope; records without an event
 * come as well. bad: this input cannot be read, or not to its end, and why;
 * what came before was given.
 */
struct val_taker {
	hsa_rc (*input)(void *ctx, const char *name);
	hsa_rc (*text)(void *ctx, const struct val_text *t);
	void (*bad)(void *ctx, const char *name, const char *why);
	void *ctx;
};

/*
 * val_read(path, keys, taker) - "-": standard input. keys: for sealed logs;
 * NULL or empty: those of the checkpoint.pub in the folder, the one above, or
 * the state directory it belongs to; a log without any is bad. Only errors of
 * the taker and E_NOMEM are returned.
 */
HSA_MUST_USE hsa_rc val_read(const char *path, const struct vfy_keys *keys,
    const struct val_taker *taker);

/* val_read_log(path, keys, settle_ms, taker) - the part for folders: a log that
 * ends in the middle of a batch may be being written, so long is waited. */
HSA_MUST_USE hsa_rc val_read_log(const char *path, const struct vfy_keys *keys,
    int settle_ms, const struct val_taker *taker);

#endif
