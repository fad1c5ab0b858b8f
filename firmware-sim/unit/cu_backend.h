/*
 * cu_backend.h - what a crypto unit needs of its token. Implemented by
 * backend/bk_p11 on PKCS#11; tests wrap it to make calls fail.
 *
 * Objects are named by 16-byte ids (their CKA_ID). The backend makes an
 * object under a fresh id before the unit's state names it, and the unit
 * destroys what its state no longer names: so a crash leaves strays, never
 * holes, and collect() sweeps them at the next start (design D5).
 *
 * All calls may be made from several threads; they serialize inside.
 */
#ifndef CU_BACKEND_H
#define CU_BACKEND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "tke_part.h"

struct hsa_buf;

#define CU_KEY_ID_LEN 16
struct cu_key_id {
	uint8_t b[CU_KEY_ID_LEN];
	bool set; /* false: names nothing */
};

#define CU_PARTS_MAX 3

enum cu_object_class {
	CU_OBJECT_MASTER_KEY = 1, /* AES-256, sensitive, not extractable */
	CU_OBJECT_IMPORTER        /* key pair */
};

struct cu_backend_ops {
	/* Random bytes of the token. E_TOKEN. */
	hsa_rc (*random)(void *ctx, void *out, size_t n);
	/*
	 * New importer key pair; spki appended as tke_importer_spki_encode.
	 * E_UNSUPPORTED for a kind the token lacks, E_TOKEN.
	 */
	hsa_rc (*importer_generate)(void *ctx, struct cu_key_id *id,
	    struct hsa_buf *spki, enum tke_importer_kind kind);
	/*
	 * Decrypt n parts with the importer key, XOR them, keep the result as
	 * a master-key object. pattern: of the result; part_id[i]: of part i;
	 * all computed in the token. E_KEY: a part does not decrypt (bad: its
	 * index); E_NOT_FOUND: no such importer; E_TOKEN. On failure nothing
	 * is left in the token. Clear values live in locked memory only and
	 * are wiped on every path.
	 */
	hsa_rc (*master_key_import)(void *ctx, struct cu_key_id *id,
	    uint8_t pattern[32], uint8_t part_id[][32], size_t *bad,
	    const struct cu_key_id *importer, const struct tke_recipient *part,
	    size_t n);
	/* Verification pattern of a master-key object. E_NOT_FOUND, E_TOKEN. */
	hsa_rc (*pattern)(
	    void *ctx, uint8_t pattern[32], const struct cu_key_id *id);
	/* Destroy one object (importer: both halves). Absent is success. */
	hsa_rc (*destroy)(
	    void *ctx, enum cu_object_class cls, const struct cu_key_id *id);
	/*
	 * Destroy every object of both classes that keep does not name.
	 * E_CORRUPT with a diagnosis when one that keep names is missing.
	 */
	hsa_rc (*collect)(void *ctx, size_t *removed,
	    const struct cu_key_id *keep, size_t n, struct hsa_diag *diag);
	/* Ids of the master-key objects present, at most max. */
	hsa_rc (*list)(void *ctx, struct cu_key_id *id, size_t *n, size_t max);
	/* ECDSA P-521/SHA-512 with the OA key; DER ECDSA-Sig-Value appended. */
	hsa_rc (*oa_sign)(
	    void *ctx, struct hsa_buf *sig, const void *msg, size_t n);
	/* Ed25519 with the checkpoint key. */
	hsa_rc (*checkpoint_sign)(
	    void *ctx, uint8_t sig[64], const void *msg, size_t n);
	/* Put every object file of the token on stable storage (SoftHSM does
	 * not). Called before state that names a new object commits. E_IO. */
	hsa_rc (*sync)(void *ctx);
};

struct cu_backend {
	const struct cu_backend_ops *ops;
	void *ctx;
};

#endif
