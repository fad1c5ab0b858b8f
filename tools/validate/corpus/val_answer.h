/*
 * val_answer.h - what the document says of an answer by its status
 * (val_answer.def): whom a row is about, and which rows are about an action.
 */
#ifndef VAL_ANSWER_H
#define VAL_ANSWER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_catalogue.h"

enum val_answer_of {
	VAL_OF_ANY = 1,
	VAL_OF_TKE,
	VAL_OF_DELETE,
	VAL_OF_LIFECYCLE,
	VAL_OF_LIST
};

struct val_answer_row {
	enum val_answer_of of;
	uint32_t status;
	const char *tag;    /* tells rows of one status apart; may be "" */
	const char *reason; /* of a sample; "": the crypto unit's codes */
	const char *meaning, *advice, *section;
};

const struct val_answer_row *val_answer(size_t *n);
/*
 * val_answer_next(row, status, at) - the next row about a row of the catalogue
 * and a status; *at starts at 0; NULL: no more. What is said of ANY action
 * counts where nothing closer is said. status 0: of every status.
 */
const struct val_answer_row *val_answer_next(
    const struct hsa_action_row *row, uint32_t status, size_t *at);

#endif
