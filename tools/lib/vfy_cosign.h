/*
 * vfy_cosign.h - a checkpoint as it comes from elsewhere (C2SP signed-note,
 * tlog-checkpoint): the log's own signature and those of others in any order,
 * and the witnesses among them (tlog-cosignature, Ed25519). Inside a log a
 * checkpoint has one spelling: that is vfy_note.h.
 */
#ifndef VFY_COSIGN_H
#define VFY_COSIGN_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"
#include "vfy_log.h"

/* Bytes of one: signed-note asks for room for 16 signatures, which may be
 * post-quantum and 5 kB each. */
#define VFY_COSIGNED_MAX (128u * 1024u)

struct vfy_cosigned {
	char origin[256];
	uint64_t size;
	uint8_t root[HSA_SHA256_LEN];
	const uint8_t *text; /* what is signed; points into the input */
	size_t text_len;
	const uint8_t *lines; /* the signature lines */
	size_t lines_len;
	size_t signatures;
};

/*
 * vfy_cosigned_parse(c, p, n, diag) - E_FORMAT with a diagnosis, E_RANGE when
 * longer than VFY_COSIGNED_MAX. Extension lines are allowed, as the signatures
 * cover them. Checks no signature.
 */
HSA_MUST_USE hsa_rc vfy_cosigned_parse(
    struct vfy_cosigned *c, const void *p, size_t n, struct hsa_diag *diag);

/*
 * vfy_cosigned_own(c, key) - a line by this key, which is for c's origin, and
 * all such lines good. E_SIGNATURE otherwise. Lines by the origin's name with
 * another key are somebody else's.
 */
HSA_MUST_USE hsa_rc vfy_cosigned_own(
    const struct vfy_cosigned *c, const struct vfy_key *key);

/*
 * A witness is a verifier key of type 04, as a line like those of
 * checkpoint.pub: the name is in `origin`.
 * vfy_witness_parse(k, line, n, diag) - one line. vfy_witnesses_parse(k, text,
 * n, diag) - a whole file, as vfy_keys_parse. vfy_witnesses_load(k, path,
 * diag) - adds those of the file. E_EXISTS: one public key by two names, or
 * one name with two keys; a witness would count twice.
 */
HSA_MUST_USE hsa_rc vfy_witness_parse(
    struct vfy_key *k, const char *line, size_t n, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc vfy_witnesses_parse(
    struct vfy_keys *k, const char *text, size_t n, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc vfy_witnesses_load(
    struct vfy_keys *k, const char *path, struct hsa_diag *diag);

/*
 * vfy_cosigned_by(c, witness, time) - its line is there, and all its lines are
 * good. time: seconds since 1970 of the first. E_NOT_FOUND: no line of this
 * witness; E_SIGNATURE: one that is not good.
 */
HSA_MUST_USE hsa_rc vfy_cosigned_by(const struct vfy_cosigned *c,
    const struct vfy_key *witness, uint64_t *time);

/*
 * vfy_cosigned_count(c, witnesses, count, diag) - how many of them have
 * cosigned. E_SIGNATURE with diag: a line that is not good; it counts for
 * nothing, and whoever passed it on checked nothing.
 */
HSA_MUST_USE hsa_rc vfy_cosigned_count(const struct vfy_cosigned *c,
    const struct vfy_keys *witnesses, size_t *count, struct hsa_diag *diag);

#endif
