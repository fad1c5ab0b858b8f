/*
 * bk_object.h - the token objects that a unit's state names by 16-byte ids:
 * master keys and importer key pairs. A class is a label, an id a CKA_ID.
 */
#ifndef BK_OBJECT_H
#define BK_OBJECT_H
#include "bk_cryptoki.h"
#include "cu_backend.h"

#define BK_LABEL_MASTER "master-key"
#define BK_LABEL_IMPORTER "importer"

/* bk_object_id(s, id) - a fresh id from the token's generator. */
HSA_MUST_USE hsa_rc bk_object_id(struct bk_ses *s, struct cu_key_id *id);

/*
 * bk_object_find(s, h, cls, label, id) - the one object of a PKCS#11 class,
 * label and id (NULL: any). E_NOT_FOUND; E_CORRUPT when there are several.
 */
HSA_MUST_USE hsa_rc bk_object_find(struct bk_ses *s, CK_OBJECT_HANDLE *h,
    CK_OBJECT_CLASS cls, const char *label, const struct cu_key_id *id);

/* The calls of cu_backend_ops; ctx is a struct bk_p11. */
hsa_rc bk_object_random(void *ctx, void *out, size_t n);
hsa_rc bk_object_destroy(
    void *ctx, enum cu_object_class cls, const struct cu_key_id *id);
hsa_rc bk_object_collect(void *ctx, size_t *removed,
    const struct cu_key_id *keep, size_t n, struct hsa_diag *diag);
hsa_rc bk_object_list(void *ctx, struct cu_key_id *id, size_t *n, size_t max);
hsa_rc bk_object_sync(void *ctx);

#endif
