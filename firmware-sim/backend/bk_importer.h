/* bk_importer.h - importer key pairs: what key parts are encrypted to. */
#ifndef BK_IMPORTER_H
#define BK_IMPORTER_H
#include "bk_cryptoki.h"
#include "cu_backend.h"

/* importer_generate of cu_backend_ops; ctx is a struct bk_p11. */
hsa_rc bk_importer_generate(void *ctx, struct cu_key_id *id,
    struct hsa_buf *spki, enum tke_importer_kind kind);

/* bk_importer_find(s, priv, kind, id) - private half. E_NOT_FOUND. */
HSA_MUST_USE hsa_rc bk_importer_find(struct bk_ses *s, CK_OBJECT_HANDLE *priv,
    enum tke_importer_kind *kind, const struct cu_key_id *id);

/* bk_importer_point(s, point, pub) - CKA_EC_POINT of a P-521 public key. */
HSA_MUST_USE hsa_rc bk_importer_point(
    struct bk_ses *s, uint8_t point[TKE_POINT_LEN], CK_OBJECT_HANDLE pub);

/* OBJECT IDENTIFIER secp521r1, DER: CKA_EC_PARAMS. */
#define BK_P521_PARAMS_LEN 7
extern const uint8_t bk_importer_p521[BK_P521_PARAMS_LEN];

#endif
