/*
 * cu_ks_sql.h - the keystore's tables in the unit's database: statements, and
 * rows as the structs of hsa_ks.h. Under the command lock.
 *
 * Both kinds of object have a row number, which orders lists, and their
 * attributes in one table: of a keystore in scope 0, of a key in the scope of
 * its keystore's row. An attribute is found by (scope, type, hash of the
 * value), whatever the number of objects.
 */
#ifndef CU_KS_SQL_H
#define CU_KS_SQL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_ks.h"

struct cu_store;

enum cu_ks_sql {
	CU_KS_STORE_ID,
	CU_KS_STORE_ROW,
	CU_KS_STORE_WALK,
	CU_KS_STORE_PUT,
	CU_KS_STORE_TOUCH,
	CU_KS_STORE_DROP,
	CU_KS_KEY_ID,
	CU_KS_KEY_ROW,
	CU_KS_KEY_WALK,
	CU_KS_KEY_PUT,
	CU_KS_KEY_SET,
	CU_KS_KEY_DROP,
	CU_KS_KEY_DROP_ALL,
	CU_KS_ATTR_LIST,
	CU_KS_ATTR_HAS,
	CU_KS_ATTR_COUNT,
	CU_KS_ATTR_WALK,
	CU_KS_ATTR_PUT,
	CU_KS_ATTR_DROP,
	CU_KS_ATTR_DROP_ALL,
	CU_KS_TX_GET,
	CU_KS_TX_PUT,
	CU_KS_TX_TRIM,
	CU_KS_SQL_COUNT
};

/* Changes whose TxID is remembered: a request sent again after so many others
 * is not known any more, but then meets its version or its id. */
#define CU_KS_TX_KEPT 65536

extern const char cu_ks_schema[]; /* makes what is missing */
HSA_MUST_USE hsa_rc cu_ks_sql_prepare(
    struct cu_store *s, struct hsa_diag *diag);
void cu_ks_sql_finalize(struct cu_store *s);

/*
 * cu_ks_sql_store(s, row, to, pool, id, diag) - a keystore with its attributes
 * in memory of the pool, by id; by *row when id is NULL. to NULL: the row
 * alone. E_NOT_FOUND; E_CORRUPT: a row that was never written by us.
 * cu_ks_sql_key(s, row, to, pool, store, id, blobs, diag) - likewise, of the
 * keystore in row `store`; to->keystore_id is the caller's to set.
 */
HSA_MUST_USE hsa_rc cu_ks_sql_store(struct cu_store *s, int64_t *row,
    struct hsa_keystore *to, struct hsa_pool **pool,
    const uint8_t id[HSA_UUID_LEN], struct hsa_diag *diag);
HSA_MUST_USE hsa_rc cu_ks_sql_key(struct cu_store *s, int64_t *row,
    struct hsa_ks_key *to, struct hsa_pool **pool, int64_t store,
    const uint8_t id[HSA_UUID_LEN], bool blobs, struct hsa_diag *diag);

/* cu_ks_sql_tx(s, known, tx, diag) - whether a change with this TxID is
 * remembered. cu_ks_sql_remember(s, tx, diag) - remember it. */
HSA_MUST_USE hsa_rc cu_ks_sql_tx(struct cu_store *s, bool *known,
    const uint8_t tx[HSA_UUID_LEN], struct hsa_diag *diag);
HSA_MUST_USE hsa_rc cu_ks_sql_remember(
    struct cu_store *s, const uint8_t tx[HSA_UUID_LEN], struct hsa_diag *diag);

/*
 * cu_ks_sql_next(s, which, owner, diag) - step a walk or a lookup whose
 * parameters are bound: its first column; E_NOT_FOUND at the end, which has
 * reset it. cu_ks_sql_reset(s, which) - away from a walk before its end.
 * cu_ks_sql_run(s, which, diag) - a statement that returns no rows.
 * cu_ks_sql_bind_attr(s, which, scope, a) - parameters 1 to 3 of the
 * statements on attributes: scope, type, hash.
 */
HSA_MUST_USE hsa_rc cu_ks_sql_next(struct cu_store *s, enum cu_ks_sql which,
    int64_t *owner, struct hsa_diag *diag);
void cu_ks_sql_reset(struct cu_store *s, enum cu_ks_sql which);
HSA_MUST_USE hsa_rc cu_ks_sql_run(
    struct cu_store *s, enum cu_ks_sql which, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc cu_ks_sql_bind_attr(struct cu_store *s,
    enum cu_ks_sql which, int64_t scope, const struct hsa_attr *a);

#endif
