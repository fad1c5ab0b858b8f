/*
 * helper_emitter.h - for tests of libhsa's emitter: a folder of its own, a
 * context, an event, and the log read back by the verifier. Helpers end the
 * test program when they cannot do their work.
 */
#ifndef HELPER_EMITTER_H
#define HELPER_EMITTER_H
#include <stdint.h>
#include "hsa_emitter.h"
#include "hsa_event.h"
#include "vfy_log.h"

#define HELPER_CRN                                                             \
	"crn:v1:bluemix:public:hs-crypto:us-south:a/"                          \
	"0123456789abcdef0123456789abcdef:"                                    \
	"11111111-2222-4333-8444-555555555555::"

struct helper_emitter {
	char base[64];  /* a fresh folder */
	char rings[64]; /* another one or the same, in memory; empty: none */
	char dir[80];   /* the emitter's, inside it; not made yet */
	char log[192], pub[96];
	struct hsa_emitter_config cfg;
};

void helper_emitter_init(struct helper_emitter *h, enum hsa_emitter_mode mode);
/* helper_emitter_place(h, parent) - a fresh folder there instead. */
void helper_emitter_place(struct helper_emitter *h, const char *parent);
void helper_emitter_free(struct helper_emitter *h);

/* helper_emitter_open(h), helper_emitter_context(e, mode) - must succeed. */
struct hsa_emitter *helper_emitter_open(struct helper_emitter *h);
struct hsa_emitter_context *helper_emitter_context(
    struct hsa_emitter *e, enum hsa_emitter_mode mode);
/* A context and an event (a key rotated) that are good, to be spoiled. */
void helper_emitter_context_config(struct hsa_emitter_context_config *c);
void helper_emitter_event(struct hsa_emitter_event *ev);

/* helper_emitter_check(h, res, fn, ctx) - the log verifies with the folder's
 * checkpoint.pub; fn as in vfy_options, may be NULL. */
void helper_emitter_check(struct helper_emitter *h, struct vfy_result *res,
    vfy_record_fn *fn, void *ctx);

#endif
