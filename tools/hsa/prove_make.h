/*
 * prove_make.h - one proof out of one log. The log is verified on the way,
 * once, and no more of it is kept than the hashes of the proof.
 */
#ifndef PROVE_MAKE_H
#define PROVE_MAKE_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "vfy_log.h"
#include "vfy_proof.h"

/* A checkpoint: the newest of the log, the log's own of a size, or one that
 * the user brings, whose signature has been checked. */
enum prove_end_kind {
	PROVE_NEWEST,
	PROVE_SIZE,
	PROVE_NOTE
};
struct prove_end {
	enum prove_end_kind kind;
	uint64_t size;            /* but for the newest */
	struct hsa_buf note;      /* what the user brings; owned */
	struct vfy_anchor anchor; /* the same, read */
};

enum prove_what {
	PROVE_EVENT = 1, /* inclusion */
	PROVE_SEQUENCE,
	PROVE_SIZES /* consistency */
};

struct prove_job {
	enum prove_what what;
	uint8_t event[HSA_UUID_LEN];
	uint64_t sequence;
	struct prove_end from, to;
	const struct vfy_keys *keys;
	int settle_ms;
};

struct prove_made {
	bool done;
	struct vfy_proof proof; /* its notes are the two below */
	uint64_t size;          /* of the checkpoint that it leads to */
	struct hsa_buf note, old;
	struct vfy_result log; /* what was found about the log itself */
};

/*
 * prove_make(m, j, dir, diag) - m->done is false when there is none: diag says
 * why, unless the log is damaged before it gets there (m->log.bad). A log that
 * is damaged behind the checkpoint still gives its proof. m is freed by
 * prove_made_free, whatever is returned.
 */
HSA_MUST_USE hsa_rc prove_make(struct prove_made *m, const struct prove_job *j,
    const char *dir, struct hsa_diag *diag);
void prove_made_free(struct prove_made *m);

#endif
