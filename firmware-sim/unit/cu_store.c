#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cu_sql.h"
#include "hsa_hash.h"

#define APPLICATION_ID 0x63755354 /* "cuST" */
#define BUSY_MS 2000

static const char schema[] =
    "CREATE TABLE unit("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " unit_id BLOB NOT NULL CHECK(length(unit_id) = 16),"
    " serial BLOB NOT NULL CHECK(length(serial) = 8),"
    " module_instance BLOB NOT NULL CHECK(length(module_instance) = 8),"
    " domain_instance INTEGER NOT NULL,"
    " counter BLOB NOT NULL CHECK(length(counter) = 16),"
    " signature_threshold INTEGER NOT NULL,"
    " revocation_threshold INTEGER NOT NULL,"
    " permissions INTEGER NOT NULL,"
    " operational_mode INTEGER NOT NULL,"
    " standards INTEGER NOT NULL,"
    " importer BLOB, importer_kind INTEGER,"
    " epoch INTEGER NOT NULL,"
    " outbox_last INTEGER NOT NULL,"
    " control_points BLOB NOT NULL CHECK(length(control_points) = 16)) STRICT;"
    "CREATE TABLE admin("
    " place INTEGER PRIMARY KEY CHECK(place BETWEEN 0 AND 7),"
    " ski BLOB NOT NULL UNIQUE CHECK(length(ski) = 32),"
    " certificate BLOB NOT NULL) STRICT;"
    "CREATE TABLE register("
    " slot INTEGER PRIMARY KEY CHECK(slot BETWEEN 0 AND 1),"
    " fill INTEGER NOT NULL CHECK(fill BETWEEN 0 AND 3),"
    " object BLOB CHECK(length(object) = 16),"
    " pattern BLOB NOT NULL CHECK(length(pattern) = 32),"
    " parts BLOB NOT NULL) STRICT;"
    "CREATE TABLE outbox("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " record BLOB NOT NULL) STRICT;";

static const char *const sql[CU_SQL_COUNT] = {
    [CU_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [CU_SQL_COMMIT] = "COMMIT",
    [CU_SQL_ROLLBACK] = "ROLLBACK",
    [CU_SQL_UNIT_PUT] = "INSERT OR REPLACE INTO unit VALUES"
			"(1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [CU_SQL_UNIT_GET] = "SELECT * FROM unit",
    [CU_SQL_UNIT_OUTBOX] = "UPDATE unit SET outbox_last = ?",
    [CU_SQL_ADMIN_CLEAR] = "DELETE FROM admin",
    [CU_SQL_ADMIN_PUT] = "INSERT INTO admin VALUES(?, ?, ?)",
    [CU_SQL_ADMIN_GET] = "SELECT * FROM admin ORDER BY place",
    [CU_SQL_REGISTER_PUT] = "INSERT OR REPLACE INTO register"
			    " VALUES(?, ?, ?, ?, ?)",
    [CU_SQL_REGISTER_GET] = "SELECT * FROM register ORDER BY slot",
    [CU_SQL_OUTBOX_PUT] = "INSERT INTO outbox VALUES(?, ?)",
    [CU_SQL_OUTBOX_DROP] = "DELETE FROM outbox WHERE id <= ?",
    [CU_SQL_OUTBOX_NEXT] = "SELECT id, record FROM outbox WHERE id > ?"
			   " ORDER BY id LIMIT 1",
};

/* ---- SQLite's results as ours -------------------------------------------- */

hsa_rc
cu_sql_fail(
    struct cu_store *s, int code, const char *what, struct hsa_diag *diag)
{
	const char *why =
	    s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(code);

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return HSA_RC(E_NOMEM);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return hsa_fail(diag, HSA_RC(E_BUSY),
		    "%s: another process holds the unit's state: stop it "
		    "first",
		    s->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s: %s: %s: put back the newest copy of the unit's "
		    "whole folder",
		    s->path, what, why);
	case SQLITE_FULL:
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: %s: no space left: free some and restart the unit",
		    s->path, what);
	default:
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: %s: %s (SQLite %d): repair the disk and restart "
		    "the unit",
		    s->path, what, why, code);
	}
}

const char *
cu_sql_text(enum cu_sql which)
{
	return sql[which];
}

hsa_rc
cu_sql_run(struct cu_store *s, enum cu_sql which, struct hsa_diag *diag)
{
	int code = sqlite3_step(s->stmt[which]);
	hsa_rc rc = HSA_OK;

	if (code != SQLITE_DONE)
		rc = cu_sql_fail(s, code, sql[which], diag);
	(void)sqlite3_reset(s->stmt[which]);
	(void)sqlite3_clear_bindings(s->stmt[which]);
	return rc;
}

static hsa_rc
execute(struct cu_store *s, const char *text, struct hsa_diag *diag)
{
	int code = sqlite3_exec(s->db, text, NULL, NULL, NULL);

	if (code != SQLITE_OK)
		return cu_sql_fail(s, code, text, diag);
	return HSA_OK;
}

/* A pragma or query that yields one number. */
static hsa_rc
number(struct cu_store *s, int64_t *v, const char *text, struct hsa_diag *diag)
{
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v2(s->db, text, -1, &q, NULL);
	hsa_rc rc = HSA_OK;

	if (code == SQLITE_OK)
		code = sqlite3_step(q);
	if (code == SQLITE_ROW)
		*v = sqlite3_column_int64(q, 0);
	else
		rc = cu_sql_fail(s, code, text, diag);
	(void)sqlite3_finalize(q);
	return rc;
}

/* ---- opening ------------------------------------------------------------- */

/* SQLite takes the mode of its journal from the database, so that the file is
 * made here, private from its first moment. */
static hsa_rc
make_file(const struct cu_store *s, struct hsa_diag *diag)
{
	char folder[PATH_MAX];
	int fd = -1, dir = -1;
	hsa_rc rc = HSA_OK;

	fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "%s: %s: the unit's state must be readable and writable "
		    "by the user who runs it",
		    s->path, strerror(errno));
		goto out;
	}
	memcpy(folder, s->path, sizeof(folder));
	dir = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fsync(fd) != 0 || fsync(dir) != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "%s: cannot be put on stable storage: %s", s->path,
		    strerror(errno));
out:
	if (fd >= 0)
		(void)close(fd);
	if (dir >= 0)
		(void)close(dir);
	return rc;
}

/* A unit that never knew of control points has a new domain's. */
static hsa_rc
upgrade(struct cu_store *s, struct hsa_diag *diag)
{
	uint8_t points[EP11_CP_LEN];
	char hex[2 * EP11_CP_LEN + 1], text[200];
	hsa_rc rc;

	ep11_cp_default(points);
	hsa_hex(hex, points, sizeof(points));
	(void)snprintf(text, sizeof(text),
	    "ALTER TABLE unit ADD COLUMN control_points BLOB NOT NULL"
	    " DEFAULT x'%s' CHECK(length(control_points) = 16)",
	    hex);
	HSA_TRY(rc, execute(s, "BEGIN IMMEDIATE", diag));
	HSA_TRY(rc, execute(s, text, diag));
	HSA_TRY(rc, execute(s, "PRAGMA user_version = 2", diag));
	HSA_TRY(rc, execute(s, "COMMIT", diag));
out:
	return rc;
}

static hsa_rc
check_schema(struct cu_store *s, struct hsa_diag *diag)
{
	int64_t app = 0, version = 0, tables = 0;
	hsa_rc rc;

	HSA_TRY(
	    rc, number(s, &tables, "SELECT count(*) FROM sqlite_schema", diag));
	HSA_TRY(rc, number(s, &app, "PRAGMA application_id", diag));
	HSA_TRY(rc, number(s, &version, "PRAGMA user_version", diag));
	if (tables == 0 && app == 0 && version == 0) {
		HSA_TRY(rc, execute(s, "BEGIN IMMEDIATE", diag));
		HSA_TRY(rc, execute(s, schema, diag));
		HSA_TRY(rc, execute(s,
				"PRAGMA application_id = 1668633428;"
				"PRAGMA user_version = 2;",
				diag));
		HSA_TRY(rc, execute(s, "COMMIT", diag));
		return HSA_OK;
	}
	if (app != APPLICATION_ID)
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s: not the state of a crypto unit: name the right file",
		    s->path);
	if (version == 1)
		return upgrade(s, diag);
	if (version != CU_STORE_SCHEMA)
		return hsa_fail(diag, HSA_RC(E_UNSUPPORTED),
		    "%s: schema %lld, this program knows %d: use the program "
		    "that made it",
		    s->path, (long long)version, CU_STORE_SCHEMA);
out:
	return rc;
}

static hsa_rc
check_damage(struct cu_store *s, struct hsa_diag *diag)
{
	static const char text[] = "PRAGMA integrity_check(1)";
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v2(s->db, text, -1, &q, NULL);
	hsa_rc rc = HSA_OK;

	if (code == SQLITE_OK)
		code = sqlite3_step(q);
	if (code != SQLITE_ROW)
		rc = cu_sql_fail(s, code, text, diag);
	else if (strcmp((const char *)sqlite3_column_text(q, 0), "ok") != 0)
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s: %s: put back the newest copy of the unit's whole "
		    "folder",
		    s->path, (const char *)sqlite3_column_text(q, 0));
	(void)sqlite3_finalize(q);
	return rc;
}

hsa_rc
cu_store_open(struct cu_store **to, const char *path, struct hsa_diag *diag)
{
	struct cu_store *s = calloc(1, sizeof(*s));
	int code = SQLITE_OK;
	int i = 0;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (s == NULL)
		goto out;
	if (strlen(path) >= sizeof(s->path)) {
		rc = hsa_fail(diag, HSA_RC(E_ARG), "%s: path too long", path);
		goto out;
	}
	memcpy(s->path, path, strlen(path) + 1);
	HSA_TRY(rc, make_file(s, diag));
	code = sqlite3_open_v2(path, &s->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		SQLITE_OPEN_EXRESCODE,
	    NULL);
	if (code != SQLITE_OK) {
		rc = cu_sql_fail(s, code, "open", diag);
		goto out;
	}
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	/* EXTRA before WAL: the rollback journal that this change itself
	 * needs must not come back after a power cut, and undo it when the WAL
	 * holds commits already */
	HSA_TRY(rc, execute(s,
			"PRAGMA locking_mode = EXCLUSIVE;"
			"PRAGMA synchronous = EXTRA;"
			"PRAGMA journal_mode = WAL;"
			"PRAGMA trusted_schema = OFF;"
			"PRAGMA secure_delete = ON;"
			"PRAGMA cell_size_check = ON;",
			diag));
	HSA_TRY(rc, check_schema(s, diag));
	HSA_TRY(rc, execute(s, cu_ks_schema, diag));
	HSA_TRY(rc, check_damage(s, diag));
	HSA_TRY(rc, cu_ks_sql_prepare(s, diag));
	for (i = 0; i < CU_SQL_COUNT; i++) {
		code = sqlite3_prepare_v3(s->db, sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &s->stmt[i], NULL);
		if (code != SQLITE_OK) {
			rc = cu_sql_fail(s, code, sql[i], diag);
			goto out;
		}
	}
	*to = s;
	s = NULL;
out:
	cu_store_close(s);
	return rc;
}

void
cu_store_close(struct cu_store *s)
{
	int i = 0;

	if (s == NULL)
		return;
	for (i = 0; i < CU_SQL_COUNT; i++)
		(void)sqlite3_finalize(s->stmt[i]);
	cu_ks_sql_finalize(s);
	(void)sqlite3_close(s->db);
	free(s);
}
