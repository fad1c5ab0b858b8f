/*
 * cu_store.h - the unit's state and its outbox on disk: one SQLite database
 * (WAL, synchronous EXTRA, locked against a second process), one connection,
 * used by one thread at a time.
 *
 * A commit holds the whole new state and the one record that tells of it, so
 * that neither is ever without the other (design D5).
 */
#ifndef CU_STORE_H
#define CU_STORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_state.h"
#include "hsa_err.h"

struct hsa_buf;
struct cu_store;

#define CU_STORE_SCHEMA 2 /* 1: without control points; brought up */

/*
 * cu_store_open(s, path, diag) - open the database at path, or make an empty
 * one (0600, its folder synced). E_BUSY: another process has it; E_CORRUPT: no
 * database of ours, or damaged; E_UNSUPPORTED: newer schema; E_IO.
 * cu_store_close(s) - NULL-safe.
 */
HSA_MUST_USE hsa_rc cu_store_open(
    struct cu_store **s, const char *path, struct hsa_diag *diag);
void cu_store_close(struct cu_store *s);

/* cu_store_load(s, st, diag) - the state of the last commit. E_NOT_FOUND:
 * nothing was ever committed; E_CORRUPT: a value out of its range. */
HSA_MUST_USE hsa_rc cu_store_load(
    struct cu_store *s, struct cu_state *st, struct hsa_diag *diag);

/*
 * cu_store_commit(s, st, sealed, rec, n, diag) - in one transaction: state st,
 * record rec under id st->outbox_last, and away with outbox rows up to sealed.
 * Any error leaves the outcome open until the next cu_store_open: the caller
 * must use neither the old nor the new state for further commands.
 */
HSA_MUST_USE hsa_rc cu_store_commit(struct cu_store *s,
    const struct cu_state *st, uint64_t sealed, const void *rec, size_t n,
    struct hsa_diag *diag);

/*
 * cu_store_commit_rows(s, id, sealed, rec, n, rows, diag) - as cu_store_commit
 * for a record (under id) whose change is not in the state but in other
 * tables: rows->put writes them inside of the transaction. rows NULL: nothing
 * but the record. The state must have been committed before.
 */
struct cu_rows {
	hsa_rc (*put)(void *ctx, struct cu_store *s, struct hsa_diag *diag);
	void *ctx;
};
HSA_MUST_USE hsa_rc cu_store_commit_rows(struct cu_store *s, uint64_t id,
    uint64_t sealed, const void *rec, size_t n, const struct cu_rows *rows,
    struct hsa_diag *diag);

/* cu_store_outbox_next(s, id, rec, after, diag) - the first outbox record
 * behind `after`: id and bytes (appended). E_NOT_FOUND when there is none. */
HSA_MUST_USE hsa_rc cu_store_outbox_next(struct cu_store *s, uint64_t *id,
    struct hsa_buf *rec, uint64_t after, struct hsa_diag *diag);

#endif
