#include <string.h>

#include "cu_ks_sql.h"
#include "cu_sql.h"
#include "hsa_hash.h"

const char cu_ks_schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS ks_store("
    " row INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id BLOB NOT NULL UNIQUE CHECK(length(id) = 16),"
    " name TEXT NOT NULL,"
    " keys INTEGER NOT NULL CHECK(keys >= 0),"
    " created INTEGER NOT NULL,"
    " updated INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS ks_key("
    " row INTEGER PRIMARY KEY AUTOINCREMENT,"
    " store INTEGER NOT NULL,"
    " id BLOB NOT NULL CHECK(length(id) = 16),"
    " label TEXT NOT NULL,"
    " version INTEGER NOT NULL CHECK(version > 0),"
    " tx BLOB NOT NULL CHECK(length(tx) = 16),"
    " created INTEGER NOT NULL,"
    " updated INTEGER NOT NULL,"
    " blob BLOB NOT NULL,"
    " UNIQUE(store, id)) STRICT;"
    "CREATE INDEX IF NOT EXISTS ks_key_walk ON ks_key(store, row);"
    "CREATE TABLE IF NOT EXISTS ks_attr("
    " scope INTEGER NOT NULL,"
    " owner INTEGER NOT NULL,"
    " type INTEGER NOT NULL,"
    " hash INTEGER NOT NULL,"
    " value BLOB NOT NULL,"
    " PRIMARY KEY(scope, owner, type)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS ks_attr_find"
    " ON ks_attr(scope, type, hash, owner);"
    "CREATE TABLE IF NOT EXISTS ks_tx("
    " at INTEGER PRIMARY KEY AUTOINCREMENT,"
    " tx BLOB NOT NULL UNIQUE CHECK(length(tx) = 16)) STRICT;"
    "COMMIT;";

#define STORE_COLUMNS "SELECT row, id, name, keys, created, updated"
/* The blob last, and read only when it is asked for. */
#define KEY_COLUMNS                                                            \
	"SELECT row, id, label, version, tx, created, updated,"                \
	" CASE WHEN ?3 THEN blob END FROM ks_key "

static const char *const sql[CU_KS_SQL_COUNT] = {
    [CU_KS_STORE_ID] = STORE_COLUMNS " FROM ks_store WHERE id = ?",
    [CU_KS_STORE_ROW] = STORE_COLUMNS " FROM ks_store WHERE row = ?",
    [CU_KS_STORE_WALK] = "SELECT row FROM ks_store WHERE row > ?2"
			 " ORDER BY row",
    [CU_KS_STORE_PUT] = "INSERT INTO ks_store VALUES(NULL, ?, ?, 0, ?, ?)",
    [CU_KS_STORE_TOUCH] = "UPDATE ks_store SET keys = keys + ?2, updated = ?3"
			  " WHERE row = ?1",
    [CU_KS_STORE_DROP] = "DELETE FROM ks_store WHERE row = ?",
    [CU_KS_KEY_ID] = KEY_COLUMNS "WHERE store = ?1 AND id = ?2",
    [CU_KS_KEY_ROW] = KEY_COLUMNS "WHERE row = ?2 AND store = ?1",
    [CU_KS_KEY_WALK] = "SELECT row FROM ks_key WHERE store = ?1 AND row > ?2"
		       " ORDER BY row",
    [CU_KS_KEY_PUT] = "INSERT INTO ks_key VALUES"
		      "(NULL, ?, ?, ?, 1, ?, ?, ?, ?)",
    [CU_KS_KEY_SET] = "UPDATE ks_key SET label = ?2, version = ?3, tx = ?4,"
		      " updated = ?5, blob = ?6 WHERE row = ?1",
    [CU_KS_KEY_DROP] = "DELETE FROM ks_key WHERE row = ?",
    [CU_KS_KEY_DROP_ALL] = "DELETE FROM ks_key WHERE store = ?",
    [CU_KS_ATTR_LIST] = "SELECT type, value FROM ks_attr"
			" WHERE scope = ? AND owner = ? ORDER BY type",
    [CU_KS_ATTR_HAS] = "SELECT owner FROM ks_attr WHERE scope = ?1"
		       " AND type = ?2 AND owner = ?4 AND hash = ?3"
		       " AND value = ?5",
    [CU_KS_ATTR_COUNT] =
	"SELECT count(*) FROM (SELECT 1 FROM ks_attr"
	" INDEXED BY ks_attr_find WHERE scope = ?1 AND type = ?2 AND hash = ?3"
	" LIMIT ?4)",
    [CU_KS_ATTR_WALK] =
	"SELECT owner FROM ks_attr INDEXED BY ks_attr_find"
	" WHERE scope = ?1 AND type = ?2 AND hash = ?3 AND owner > ?4"
	" AND value = ?5 ORDER BY owner",
    [CU_KS_ATTR_PUT] = "INSERT INTO ks_attr(scope, type, hash, owner, value)"
		       " VALUES(?, ?, ?, ?, ?)",
    [CU_KS_ATTR_DROP] = "DELETE FROM ks_attr WHERE scope = ? AND owner = ?",
    [CU_KS_ATTR_DROP_ALL] = "DELETE FROM ks_attr WHERE scope = ?",
    [CU_KS_TX_GET] = "SELECT at FROM ks_tx WHERE tx = ?",
    [CU_KS_TX_PUT] = "INSERT INTO ks_tx VALUES(NULL, ?)",
    [CU_KS_TX_TRIM] = "DELETE FROM ks_tx WHERE at <="
		      " (SELECT max(at) FROM ks_tx) - ?",
};

/* ---- statements ---------------------------------------------------------- */

hsa_rc
cu_ks_sql_prepare(struct cu_store *s, struct hsa_diag *diag)
{
	int i = 0, code = SQLITE_OK;

	for (i = 0; i < CU_KS_SQL_COUNT; i++) {
		code = sqlite3_prepare_v3(s->db, sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &s->ks[i], NULL);
		if (code != SQLITE_OK)
			return cu_sql_fail(s, code, sql[i], diag);
	}
	return HSA_OK;
}

void
cu_ks_sql_finalize(struct cu_store *s)
{
	int i = 0;

	for (i = 0; i < CU_KS_SQL_COUNT; i++)
		(void)sqlite3_finalize(s->ks[i]);
}

void
cu_ks_sql_reset(struct cu_store *s, enum cu_ks_sql which)
{
	(void)sqlite3_reset(s->ks[which]);
	(void)sqlite3_clear_bindings(s->ks[which]);
}

/* E_NOT_FOUND at the end, else the statement stands on a row. */
static hsa_rc
step(struct cu_store *s, enum cu_ks_sql which, struct hsa_diag *diag)
{
	int code = sqlite3_step(s->ks[which]);
	hsa_rc rc = HSA_OK;

	if (code == SQLITE_ROW)
		return rc;
	rc = code == SQLITE_DONE ? HSA_RC(E_NOT_FOUND)
				 : cu_sql_fail(s, code, sql[which], diag);
				 cu_ks_sql_reset(s, which);
				 return rc;
}

hsa_rc
cu_ks_sql_next(struct cu_store *s, enum cu_ks_sql which, int64_t *owner,
    struct hsa_diag *diag)
{
	hsa_rc rc = step(s, which, diag);

	if (hsa_is_ok(rc))
		*owner = sqlite3_column_int64(s->ks[which], 0);
	return rc;
}

hsa_rc
cu_ks_sql_run(struct cu_store *s, enum cu_ks_sql which, struct hsa_diag *diag)
{
	hsa_rc rc = step(s, which, diag);

	if (rc.v == HSA_E_NOT_FOUND)
		return HSA_OK;
	cu_ks_sql_reset(s, which);
	return hsa_is_ok(rc) ? HSA_RC(E_STATE) : rc;
}

hsa_rc
cu_ks_sql_bind_attr(struct cu_store *s, enum cu_ks_sql which, int64_t scope,
    const struct hsa_attr *a)
{
	sqlite3_stmt *q = s->ks[which];
	uint8_t digest[HSA_SHA256_LEN];
	uint64_t hash = 0;
	int64_t signed_hash = 0;
	size_t i = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_sha256(digest, a->p, a->n));
	for (i = 0; i < sizeof(hash); i++)
		hash = hash << 8 | digest[i];
	memcpy(&signed_hash, &hash, sizeof(hash));
	(void)sqlite3_bind_int64(q, 1, scope);
	(void)sqlite3_bind_int64(q, 2, (int64_t)a->type);
	(void)sqlite3_bind_int64(q, 3, signed_hash);
out:
	return rc;
}

/* ---- rows ---------------------------------------------------------------- */

static hsa_rc
damaged(const struct cu_store *s, struct hsa_diag *diag)
{
	return hsa_fail(diag, HSA_RC(E_CORRUPT),
	    "%s: a row of the keystore is out of its range: put back the "
	    "newest copy of the unit's whole folder",
	    s->path);
}

static bool
get_id(sqlite3_stmt *q, int col, uint8_t id[HSA_UUID_LEN])
{
	const void *p = sqlite3_column_blob(q, col);

	if (p == NULL || sqlite3_column_bytes(q, col) != HSA_UUID_LEN)
		return false;
	memcpy(id, p, HSA_UUID_LEN);
	return true;
}

static bool
get_u64(sqlite3_stmt *q, int col, uint64_t *to)
{
	int64_t v = sqlite3_column_int64(q, col);

	*to = (uint64_t)v;
	return v >= 0;
}

static hsa_rc
get_text(sqlite3_stmt *q, int col, const char **to, struct hsa_pool **pool)
{
	const void *p = sqlite3_column_text(q, col);

	*to = hsa_ks_keep(pool, p, (size_t)sqlite3_column_bytes(q, col));
	return *to == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

static hsa_rc
get_bytes(
    sqlite3_stmt *q, int col, struct hsa_slice *to, struct hsa_pool **pool)
{
	const void *p = sqlite3_column_blob(q, col);

	to->n = (size_t)sqlite3_column_bytes(q, col);
	to->p = hsa_ks_keep(pool, p, to->n);
	return to->p == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

static hsa_rc
get_attrs(struct cu_store *s, const struct hsa_attr **to, size_t *len,
    struct hsa_pool **pool, int64_t scope, int64_t owner, struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->ks[CU_KS_ATTR_LIST];
	struct hsa_attr found[HSA_KS_ATTRS_MAX], *a = NULL;
	struct hsa_slice value = {0};
	size_t n = 0;
	hsa_rc rc = HSA_OK;

	(void)sqlite3_bind_int64(q, 1, scope);
	(void)sqlite3_bind_int64(q, 2, owner);
	while (hsa_is_ok(rc = step(s, CU_KS_ATTR_LIST, diag))) {
		if (n == HSA_KS_ATTRS_MAX) {
			rc = damaged(s, diag);
			break;
		}
		rc = get_bytes(q, 1, &value, pool);
		if (!hsa_is_ok(rc))
			break;
		found[n].type = (uint64_t)sqlite3_column_int64(q, 0);
		found[n].p = value.p;
		found[n].n = value.n;
		found[n].typed = false;
		n++;
	}
	cu_ks_sql_reset(s, CU_KS_ATTR_LIST);
	if (rc.v != HSA_E_NOT_FOUND)
		return rc;
	a = hsa_ks_keep(pool, found, n * sizeof(*a));
	if (a == NULL)
		return HSA_RC(E_NOMEM);
	*to = a;
	*len = n;
	return HSA_OK;
}

hsa_rc
cu_ks_sql_store(struct cu_store *s, int64_t *row, struct hsa_keystore *to,
    struct hsa_pool **pool, const uint8_t id[HSA_UUID_LEN],
    struct hsa_diag *diag)
{
	const enum cu_ks_sql which =
	    id == NULL ? CU_KS_STORE_ROW : CU_KS_STORE_ID;
	sqlite3_stmt *q = s->ks[which];
	hsa_rc rc;

	if (id == NULL)
		(void)sqlite3_bind_int64(q, 1, *row);
	else
		(void)sqlite3_bind_blob(
		    q, 1, id, HSA_UUID_LEN, SQLITE_TRANSIENT);
	HSA_TRY(rc, step(s, which, diag));
	*row = sqlite3_column_int64(q, 0);
	if (to == NULL)
		goto out;
	if (!get_id(q, 1, to->id) || !get_u64(q, 3, &to->keys) ||
	    !get_u64(q, 4, &to->created_ns) || !get_u64(q, 5, &to->updated_ns))
		rc = damaged(s, diag);
	else
		rc = get_text(q, 2, &to->name, pool);
	if (hsa_is_ok(rc))
		rc =
		    get_attrs(s, &to->attr, &to->attr_len, pool, 0, *row, diag);
out:
	cu_ks_sql_reset(s, which);
	return rc;
}

hsa_rc
cu_ks_sql_key(struct cu_store *s, int64_t *row, struct hsa_ks_key *to,
    struct hsa_pool **pool, int64_t store, const uint8_t id[HSA_UUID_LEN],
    bool blobs, struct hsa_diag *diag)
{
	const enum cu_ks_sql which = id == NULL ? CU_KS_KEY_ROW : CU_KS_KEY_ID;
	sqlite3_stmt *q = s->ks[which];
	hsa_rc rc;

	(void)sqlite3_bind_int64(q, 1, store);
	if (id == NULL)
		(void)sqlite3_bind_int64(q, 2, *row);
	else
		(void)sqlite3_bind_blob(
		    q, 2, id, HSA_UUID_LEN, SQLITE_TRANSIENT);
	(void)sqlite3_bind_int(q, 3, blobs && to != NULL);
	HSA_TRY(rc, step(s, which, diag));
	*row = sqlite3_column_int64(q, 0);
	if (to == NULL)
		goto out;
	if (!get_id(q, 1, to->id) || !get_u64(q, 3, &to->version) ||
	    !get_id(q, 4, to->tx_id) || !get_u64(q, 5, &to->created_ns) ||
	    !get_u64(q, 6, &to->updated_ns)) {
		rc = damaged(s, diag);
		goto out;
	}
	HSA_TRY(rc, get_text(q, 2, &to->label, pool));
	if (blobs)
		HSA_TRY(rc, get_bytes(q, 7, &to->blob, pool));
	rc = get_attrs(s, &to->attr, &to->attr_len, pool, store, *row, diag);
out:
	cu_ks_sql_reset(s, which);
	return rc;
}

hsa_rc
cu_ks_sql_tx(struct cu_store *s, bool *known, const uint8_t tx[HSA_UUID_LEN],
    struct hsa_diag *diag)
{
	int64_t at = 0;
	hsa_rc rc;

	(void)sqlite3_bind_blob(
	    s->ks[CU_KS_TX_GET], 1, tx, HSA_UUID_LEN, SQLITE_TRANSIENT);
	rc = cu_ks_sql_next(s, CU_KS_TX_GET, &at, diag);
	*known = hsa_is_ok(rc);
	cu_ks_sql_reset(s, CU_KS_TX_GET);
	return rc.v == HSA_E_NOT_FOUND ? HSA_OK : rc;
}

hsa_rc
cu_ks_sql_remember(
    struct cu_store *s, const uint8_t tx[HSA_UUID_LEN], struct hsa_diag *diag)
{
	hsa_rc rc;

	(void)sqlite3_bind_blob(
	    s->ks[CU_KS_TX_PUT], 1, tx, HSA_UUID_LEN, SQLITE_TRANSIENT);
	HSA_TRY(rc, cu_ks_sql_run(s, CU_KS_TX_PUT, diag));
	(void)sqlite3_bind_int64(s->ks[CU_KS_TX_TRIM], 1, CU_KS_TX_KEPT);
	HSA_TRY(rc, cu_ks_sql_run(s, CU_KS_TX_TRIM, diag));
out:
	return rc;
}
