/*
 * bk_p11.h - the unit's backend on a PKCS#11 token: libp11 for the module, the
 * token and login; direct Cryptoki for keys (why: bk_cryptoki.h, bk_sign.h).
 * The order of opening and closing matters: bk_core.c.
 */
#ifndef BK_P11_H
#define BK_P11_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_backend.h"
#include "ep11_token.h"
#include "hsa_err.h"
#include "tke_sig.h"

struct bk_p11;

/* bk_find_module() - SoftHSM's module on this machine: $SOFTHSM2_MODULE when
 * that file exists, else the first of the distributions' places; NULL: none. */
const char *bk_find_module(void);

struct bk_config {
	const char *module;   /* PKCS#11 module, absolute path */
	const char *dir;      /* the unit's folder: holds token/, pin,
				 softhsm2.conf */
	const char *label;    /* token label: the unit's id, 32 hex digits */
	bool make_checkpoint; /* bk_p11_open: when the token has no private
				 half of a checkpoint key, make a pair */
};

/*
 * bk_p11_init(cfg, oa_point, checkpoint_pub, diag) - make the token of a new
 * unit: folder, softhsm2.conf, random PIN (file 0600), token, OA key pair
 * (P-521) and checkpoint key pair (Ed25519), all synced. E_EXISTS when there
 * is one. One unit per process and SOFTHSM2_CONF: forks a child for it.
 */
HSA_MUST_USE hsa_rc bk_p11_init(const struct bk_config *cfg,
    uint8_t oa_point[TKE_POINT_LEN], uint8_t checkpoint_pub[32],
    struct hsa_diag *diag);

/* bk_p11_open(b, cfg, diag) - load, log in, find OA and checkpoint keys.
 * Sets SOFTHSM2_CONF for this process. bk_p11_close: NULL-safe. */
HSA_MUST_USE hsa_rc bk_p11_open(
    struct bk_p11 **b, const struct bk_config *cfg, struct hsa_diag *diag);
void bk_p11_close(struct bk_p11 *b);

/* bk_p11_backend(b) - b as the unit's backend.
 * bk_p11_token(b) - b as the EP11 engine's token (bk_ep11.c). In a child of
 * fork every call of it answers CKR_CRYPTOKI_NOT_INITIALIZED. */
struct cu_backend bk_p11_backend(struct bk_p11 *b);
struct ep11_token bk_p11_token(struct bk_p11 *b);
HSA_MUST_USE hsa_rc bk_p11_checkpoint_pub(struct bk_p11 *b, uint8_t pub[32]);
HSA_MUST_USE hsa_rc bk_p11_oa_point(
    struct bk_p11 *b, uint8_t point[TKE_POINT_LEN]);

#endif
