/* epc_list.h - what keystores hold, as lines or JSON (epc_verb_store.c). */
#ifndef EPC_LIST_H
#define EPC_LIST_H
#include "epc_session.h"

/* epc_list_stores(s) - all, or those with --attr.
 * epc_list_keys(s, store, key) - keys of the keystore of that name or id: the
 * one of that label or id, or with NULL all, or those with --attr. */
HSA_MUST_USE hsa_rc epc_list_stores(struct epc_session *s);
HSA_MUST_USE hsa_rc epc_list_keys(
    struct epc_session *s, const char *store, const char *key);

/* epc_find_store(s, id, name) - by id, else by name. E_REMOTE: none.
 * epc_find_key(s, r, q, store, name) - the one key of that id, else of that
 * label, with its blob; r: the caller's to free. E_REMOTE: none; E_ARG when
 * several have the label. */
HSA_MUST_USE hsa_rc epc_find_store(
    struct epc_session *s, uint8_t id[HSA_UUID_LEN], const char *name);
HSA_MUST_USE hsa_rc epc_find_key(struct epc_session *s, struct hsa_ks_reply *r,
    const uint8_t store[HSA_UUID_LEN], const char *name);

/* epc_show_store(s, k), epc_show_key(s, k) - one of them. */
void epc_show_store(struct epc_session *s, const struct hsa_keystore *k);
void epc_show_key(struct epc_session *s, const struct hsa_ks_key *k);

#endif
