/*
 * cu_sql.h - the connection and statements under cu_store, for its files.
 */
#ifndef CU_SQL_H
#define CU_SQL_H
#include <limits.h>
#include <sqlite3.h>
#include "cu_ks_sql.h"
#include "cu_store.h"

enum cu_sql {
	CU_SQL_BEGIN,
	CU_SQL_COMMIT,
	CU_SQL_ROLLBACK,
	CU_SQL_UNIT_PUT,
	CU_SQL_UNIT_GET,
	CU_SQL_UNIT_OUTBOX,
	CU_SQL_ADMIN_CLEAR,
	CU_SQL_ADMIN_PUT,
	CU_SQL_ADMIN_GET,
	CU_SQL_REGISTER_PUT,
	CU_SQL_REGISTER_GET,
	CU_SQL_OUTBOX_PUT,
	CU_SQL_OUTBOX_DROP,
	CU_SQL_OUTBOX_NEXT,
	CU_SQL_COUNT
};

struct cu_store {
	sqlite3 *db;
	sqlite3_stmt *stmt[CU_SQL_COUNT];
	sqlite3_stmt *ks[CU_KS_SQL_COUNT];
	char path[PATH_MAX];
};

/* cu_sql_text(which) - for messages.
 * cu_sql_fail(s, code, what, diag) - SQLite's result as ours, with cause and
 * fix. cu_sql_run(s, which, diag) - one step of a statement that returns no
 * rows; bindings are cleared. */
const char *cu_sql_text(enum cu_sql which);
hsa_rc cu_sql_fail(
    struct cu_store *s, int code, const char *what, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc cu_sql_run(
    struct cu_store *s, enum cu_sql which, struct hsa_diag *diag);

#endif
