/*
 * val_edit.h - small changes to the JSON of an event, and to a list of events:
 * how a good one becomes another good one or a broken one.
 */
#ifndef VAL_EDIT_H
#define VAL_EDIT_H
#include <jansson.h>
#include <stddef.h>
#include "hsa_err.h"

struct hsa_buf;

enum val_edit_kind {
	VAL_EDIT_NONE = 0,
	VAL_EDIT_SET,    /* member or element `at` is the JSON `to` */
	VAL_EDIT_COPY,   /* `at` is what `to` is in the same event */
	VAL_EDIT_DROP,   /* there is no `at` */
	VAL_EDIT_TEXT,   /* in the written text, `at` reads `to`, once */
	VAL_EDIT_SKIP,   /* of several events: there is none at `event` */
	VAL_EDIT_SWAP,   /* it comes after the one that follows it */
	VAL_EDIT_REPEAT, /* it comes twice */
};

struct val_edit {
	enum val_edit_kind kind;
	unsigned int event; /* of several, from 0 */
	const char *at;     /* "responseData.adminIds[0]" */
	const char *to;
};
#define VAL_EDITS 4 /* at most, for one case; the rest is VAL_EDIT_NONE */

/*
 * val_edit_tree(list, e) - an edit of a list of events, all kinds but TEXT,
 * which val_edit_text(b, e) does. E_NOT_FOUND: nothing is there to edit.
 * E_FORMAT: `to` is no JSON.
 */
HSA_MUST_USE hsa_rc val_edit_tree(json_t *list, const struct val_edit *e);
HSA_MUST_USE hsa_rc val_edit_text(struct hsa_buf *b, const struct val_edit *e);

#endif
