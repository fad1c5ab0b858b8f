/*
 * bk_mock.h - a unit's backend in memory: honest cryptography by OpenSSL, a
 * notion of what was synced, and calls that fail on demand.
 */
#ifndef BK_MOCK_H
#define BK_MOCK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_backend.h"
#include "tke_sig.h"

enum bk_mock_op {
	BK_MOCK_RANDOM,
	BK_MOCK_IMPORTER,
	BK_MOCK_IMPORT,
	BK_MOCK_PATTERN,
	BK_MOCK_DESTROY,
	BK_MOCK_COLLECT,
	BK_MOCK_OA_SIGN,
	BK_MOCK_SYNC,
	BK_MOCK_OPS
};

#define BK_MOCK_OBJECTS 64

struct bk_mock_object {
	bool used;
	enum cu_object_class cls;
	uint8_t id[CU_KEY_ID_LEN];
	uint8_t key[32];
	struct evp_pkey_st *pair;
	bool synced; /* its making is on stable storage */
	bool doomed; /* destroyed, and that is not */
};

struct bk_mock {
	struct bk_mock_object object[BK_MOCK_OBJECTS];
	struct bk_mock_object saved[BK_MOCK_OBJECTS];
	struct evp_pkey_st *oa, *checkpoint;
	unsigned int fail_at[BK_MOCK_OPS]; /* 1: the next call; 0: never */
	hsa_rc fail_rc;                    /* what it returns */
};

/* bk_mock_new - a fresh token with its two own keys; aborts out of memory. */
struct bk_mock *bk_mock_new(void);
void bk_mock_free(struct bk_mock *m);
struct cu_backend bk_mock_backend(struct bk_mock *m);

/* bk_mock_crash(m) - what a power cut leaves: unsynced objects are gone,
 * unsynced destructions never happened. Failures are off. */
void bk_mock_crash(struct bk_mock *m);

/* bk_mock_save(m), bk_mock_restore(m) - remember all objects, go back to
 * them; a restore turns failures off. */
void bk_mock_save(struct bk_mock *m);
void bk_mock_restore(struct bk_mock *m);

/* bk_mock_count(m, cls) - living objects. */
size_t bk_mock_count(const struct bk_mock *m, enum cu_object_class cls);
/* bk_mock_has(m, id) - whether it lives. */
bool bk_mock_has(const struct bk_mock *m, const uint8_t id[CU_KEY_ID_LEN]);
/* bk_mock_lose(m, cls) - every object of a class vanishes. */
void bk_mock_lose(struct bk_mock *m, enum cu_object_class cls);

#endif
