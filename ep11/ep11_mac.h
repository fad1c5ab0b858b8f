/*
 * ep11_mac.h - HMAC and CMAC with a key at hand, whole and in parts.
 */
#ifndef EP11_MAC_H
#define EP11_MAC_H
#include "ep11_core.h"
#include "ep11_op.h"

#define EP11_MAC_MAX 64 /* HMAC-SHA-512 */

/* ep11_mac_len(n, k, row, m) - bytes of a MAC: what a general-length
 * mechanism asks for, else all. CKR_MECHANISM_PARAM_INVALID.
 * ep11_mac_work(row) - bytes that an operation in parts keeps. */
CK_RV ep11_mac_len(size_t *n, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m);
size_t ep11_mac_work(const struct ep11_mech_row *row);

/* All: the whole MAC; the caller cuts and compares it.
 * ep11_mac_once(e, mac, k, row, in)
 * ep11_mac_update(e, k, row, op, in) - op->fed false: the first part.
 * ep11_mac_final(e, mac, k, row, op) - of an operation that was fed. */
CK_RV ep11_mac_once(struct ep11_engine *e, uint8_t mac[EP11_MAC_MAX],
    const struct ep11_key *k, const struct ep11_mech_row *row,
    struct hsa_slice in);
CK_RV ep11_mac_update(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct ep11_op *op, struct hsa_slice in);
CK_RV ep11_mac_final(struct ep11_engine *e, uint8_t mac[EP11_MAC_MAX],
    const struct ep11_key *k, const struct ep11_mech_row *row,
    struct ep11_op *op);

#endif
