/*
 * vfy_proof.h - the proof files of FORMAT.md section 8: an inclusion proof in
 * the form of C2SP tlog-proof, and a consistency proof around the body that a
 * C2SP tlog-witness takes. Both carry their checkpoints word by word.
 */
#ifndef VFY_PROOF_H
#define VFY_PROOF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "vfy_cosign.h"
#include "vfy_path.h"

#define VFY_PROOF_FILE_MAX (512u * 1024u)

enum vfy_proof_kind {
	VFY_PROOF_INCLUSION = 1,
	VFY_PROOF_CONSISTENCY
};

struct vfy_proof {
	enum vfy_proof_kind kind;
	uint64_t from; /* the leaf's index; the old size */
	struct vfy_hashes way;
	bool has_extra;
	struct hsa_buf extra;  /* inclusion; owned */
	struct hsa_slice note; /* the checkpoint that the proof leads to */
	struct hsa_slice old;  /* consistency: the one it leads from */
};

/*
 * vfy_proof_parse(p, text, n, diag) - either kind; notes point into text, and
 * are parsed by whoever checks. E_FORMAT, E_RANGE with a diagnosis.
 * vfy_proof_is_one(text, n) - does it begin as one?
 */
HSA_MUST_USE hsa_rc vfy_proof_parse(
    struct vfy_proof *p, const void *text, size_t n, struct hsa_diag *diag);
bool vfy_proof_is_one(const void *text, size_t n);
void vfy_proof_free(struct vfy_proof *p);

/*
 * vfy_proof_write(b, p) - append the file. vfy_proof_request(b, p) - of a
 * consistency proof, only what a witness takes: its add-checkpoint body.
 */
void vfy_proof_write(struct hsa_buf *b, const struct vfy_proof *p);
void vfy_proof_request(struct hsa_buf *b, const struct vfy_proof *p);

#endif
