/*
 * verify_proof.h - checking proof files: each by itself, with public keys and
 * nothing else.
 */
#ifndef VERIFY_PROOF_H
#define VERIFY_PROOF_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"
#include "vfy_proven.h"

struct verify_proof {
	const char *path;
	struct vfy_proven v;
};
struct verify_proofs {
	struct verify_proof *proof;
	size_t len;
	bool asked; /* witnesses were asked for */
};

/* verify_proofs_run(s, paths, n, opt, diag) - opt is read only while it runs.
 * E_IO, E_NOT_FOUND: one cannot be read; E_ARG: it brings no record. */
HSA_MUST_USE hsa_rc verify_proofs_run(struct verify_proofs *s,
    const char *const *paths, size_t n, const struct vfy_proven_options *opt,
    struct hsa_diag *diag);
bool verify_proofs_bad(const struct verify_proofs *s);
void verify_proofs_free(struct verify_proofs *s);

struct hsa_buf;
void verify_proofs_text(
    struct hsa_buf *b, const struct verify_proofs *s, bool quiet);
void verify_proofs_json(struct hsa_buf *b, const struct verify_proofs *s);

#endif
