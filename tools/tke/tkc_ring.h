/*
 * tkc_ring.h - the key files of a directory: signature keys (*.sigkey) and
 * master-key parts (*.mkpart), found by the number they are listed under, by
 * name or by the beginning of their id; opened once and kept open.
 */
#ifndef TKC_RING_H
#define TKC_RING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tkc_files.h"
#include "tkc_keyfile.h"
#include "tkc_password.h"

struct tkc_key { /* a signature key or a part */
	struct tkc_keyfile file;
	char file_name[TKC_FILE_NAME];
	char name[TKC_LABEL_MAX + 1]; /* label, or the file's stem */
	struct evp_pkey_st *key;      /* open signature key, or NULL */
	uint8_t *part;                /* open part (secure memory), or NULL */
};

struct tkc_keys { /* in the order in which they are listed */
	struct tkc_key **key;
	size_t len;
};

struct tkc_ring {
	const struct tkc_files *files;
	const struct tkc_passwords *passwords;
	struct tkc_keys sigkeys, parts;
	uint32_t iterations;        /* of key files it makes */
	struct hsa_diag unreadable; /* a file that was skipped, or "" */
};

/* tkc_ring_load(r, files, passwords, diag) - reads every key file, opens none.
 * A file that does not parse is skipped and remembered in unreadable. */
HSA_MUST_USE hsa_rc tkc_ring_load(struct tkc_ring *r,
    const struct tkc_files *files, const struct tkc_passwords *passwords,
    struct hsa_diag *diag);
void tkc_ring_free(struct tkc_ring *r);

/*
 * tkc_keys_find(k, keys, what, text, diag) - by name, by number from 1, or by
 * at least four hex digits of the id. what: "signature key", "key part".
 * E_NOT_FOUND, E_ARG when ambiguous.
 */
HSA_MUST_USE hsa_rc tkc_keys_find(struct tkc_key **k,
    const struct tkc_keys *keys, const char *what, const char *text,
    struct hsa_diag *diag);
/* tkc_keys_by_id(keys, id) - NULL when none has it. */
struct tkc_key *tkc_keys_by_id(
    const struct tkc_keys *keys, const uint8_t id[HSA_SHA256_LEN]);

/* tkc_ring_unlock(r, k, diag) - ask for the password unless it is open.
 * E_PASSWORD. */
HSA_MUST_USE hsa_rc tkc_ring_unlock(
    struct tkc_ring *r, struct tkc_key *k, struct hsa_diag *diag);

/*
 * tkc_ring_add_sigkey(r, k, name, type, diag) - make, seal and store a new
 * signature key; it is open afterwards. E_EXISTS: the name is taken; E_ARG:
 * not a name (1 to 30 characters of PrintableString, not only digits).
 * tkc_ring_add_part(r, k, description, value, diag) - value NULL: random.
 */
HSA_MUST_USE hsa_rc tkc_ring_add_sigkey(struct tkc_ring *r, struct tkc_key **k,
    const char *name, enum tke_key_type type, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_ring_add_part(struct tkc_ring *r, struct tkc_key **k,
    const char *description, const uint8_t *value, struct hsa_diag *diag);
/* tkc_ring_remove(r, k, diag) - delete the key file; k is gone on success. */
HSA_MUST_USE hsa_rc tkc_ring_remove(
    struct tkc_ring *r, struct tkc_key *k, struct hsa_diag *diag);

/* tkc_name_check(name, diag) - what add_sigkey accepts as a name. */
HSA_MUST_USE hsa_rc tkc_name_check(const char *name, struct hsa_diag *diag);

#endif
