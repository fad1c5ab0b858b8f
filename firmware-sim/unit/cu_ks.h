/*
 * cu_ks.h - a keystore operation on its way through the unit: checked, looked
 * up, decided, and then its rows and its event in one transaction (design D5).
 * For cu_ks*.c; the door is cu_unit_keystore.
 */
#ifndef CU_KS_H
#define CU_KS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_core.h"
#include "hsa_buf.h"
#include "hsa_ks.h"

struct cu_ks_cmd;
typedef hsa_rc cu_ks_put(
    struct cu_ks_cmd *c, struct cu_store *s, struct hsa_diag *diag);

struct cu_ks_cmd {
	struct cu_unit *u;
	const struct hsa_caller *caller;
	const struct hsa_ks_request *q;
	struct hsa_ks_reply *reply;
	uint64_t wall_ns, mono_ns;
	uint32_t status;       /* of the event; 0: what the rv's row says */
	struct hsa_buf target; /* target.name: ids, by comma */
	/* A change that was decided: what to write, and to which rows. Its
	 * object stands in the reply. */
	cu_ks_put *put;
	int64_t store_row, key_row;
	struct hsa_slice blob; /* the key's blob afterwards */
};

/* cu_ks_refuse(c, rv, fmt, ...) - refuse; the first refusal stands. Returns
 * HSA_OK, so that a step can end with it. Never repeat a caller's text in it
 * that was not checked. */
hsa_rc cu_ks_refuse(struct cu_ks_cmd *c, uint32_t rv, const char *fmt, ...)
    HSA_PRINTF(3, 4);

/*
 * cu_ks_check(rv, why, q) - whether the request is one that its operation
 * takes, by itself: fields, lengths, characters, attributes, structure of the
 * blob. Returns HSA_KS_OK or what to refuse with, and why.
 */
uint32_t cu_ks_check(struct hsa_diag *why, const struct hsa_ks_request *q);

/*
 * cu_ks_attributes(attr, n, pool, why, q, blob) - all attributes of a new or
 * changed object: the request's, and those that its name and blob show
 * (hsa_ks.h), sorted. HSA_KS_OK or what to refuse with. E_NOMEM as rc.
 * blob: empty for keystores.
 */
HSA_MUST_USE hsa_rc cu_ks_attributes(const struct hsa_attr **attr, size_t *n,
    struct hsa_pool **pool, uint32_t *rv, struct hsa_diag *why,
    const struct hsa_ks_request *q, struct hsa_slice blob);

/* One operation each: refuse, or fill in the reply and, for a change, c->put.
 * An error is the database's and halts the unit. */
typedef hsa_rc cu_ks_do(struct cu_ks_cmd *c, struct hsa_diag *diag);
cu_ks_do cu_ks_do_create, cu_ks_do_delete_store, cu_ks_do_store_key,
    cu_ks_do_update_key, cu_ks_do_delete_key; /* cu_ks_change.c */
cu_ks_do cu_ks_do_list;                       /* cu_ks_list.c: four of them */

/* cu_ks_store_row(c, row, id, diag) - the keystore that the request names;
 * refuses when there is none. */
HSA_MUST_USE hsa_rc cu_ks_store_row(struct cu_ks_cmd *c, int64_t *row,
    struct hsa_keystore *to, struct hsa_diag *diag);

/* cu_ks_target(c, id) - one more id in target.name; what does not fit a
 * record's text is left out. */
void cu_ks_target(struct cu_ks_cmd *c, const uint8_t id[HSA_UUID_LEN]);

/*
 * Page tokens: version(1) || position, big-endian(8) || first 16 bytes of
 * SHA-256 over these nine and the search itself. They bind a page to its list
 * and show damage; they are no secret, since any caller may list from the
 * start. cu_ks_page_decode: E_FORMAT for a token of another list.
 */
#define CU_KS_TOKEN_LEN 25
HSA_MUST_USE hsa_rc cu_ks_page_encode(uint8_t token[CU_KS_TOKEN_LEN],
    uint64_t position, const struct hsa_ks_request *q);
HSA_MUST_USE hsa_rc cu_ks_page_decode(
    uint64_t *position, const struct hsa_ks_request *q);

#endif
