/*
 * val_corpus.h - the golden corpus: for each action of the catalogue events
 * that are right, for each check some that are not, made from tables: the
 * catalogue, val_answer.def, val_case.h. Nobody has published samples of these
 * events before; nothing in them is of a real service.
 */
#ifndef VAL_CORPUS_H
#define VAL_CORPUS_H
#include <stdbool.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "val_check.h"
#include "val_event.h"

struct val_corpus_item {
	/* "valid/secrets.create-200.json", one event; or .jsonl, several */
	char file[128];
	enum val_profile profile;
	bool strict;
	unsigned int units; /* of --units; 0: not said */
	/* the one check that finds something; VAL_CHECKS: valid, no errors */
	enum val_check check;
	const char *action; /* as the event has it; "": several */
	struct hsa_buf note, text;
	/* valid: ids of the checks that warn, with blanks between */
	char warnings[32];
	const char *path, *fix; /* broken: where it is found, how to mend it */
};

/*
 * val_corpus_each(take, ctx, diag) - every item, valid ones first, always in
 * the same order with the same bytes. What take is given is lent; an error of
 * it ends the walk and is returned.
 */
typedef hsa_rc val_corpus_take(void *ctx, const struct val_corpus_item *i);
HSA_MUST_USE hsa_rc val_corpus_each(
    val_corpus_take *take, void *ctx, struct hsa_diag *diag);
/* val_corpus_broken(take, ctx, diag) - the broken ones alone. */
HSA_MUST_USE hsa_rc val_corpus_broken(
    val_corpus_take *take, void *ctx, struct hsa_diag *diag);

#endif
