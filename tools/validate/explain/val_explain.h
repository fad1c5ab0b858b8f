/*
 * val_explain.h - what an action of the catalogue means, what a check is for,
 * and how an event got its verdict: as trees for --format json, and the same
 * trees as text. All of it comes from the tables that build and check events.
 */
#ifndef VAL_EXPLAIN_H
#define VAL_EXPLAIN_H
#include <jansson.h>
#include "hsa_catalogue.h"
#include "hsa_err.h"
#include "val_check.h"
#include "val_run.h"

struct hsa_buf;

/*
 * The caller releases *to.
 * val_explain_action(to, row, asked) - asked: the name it was asked by, which
 * may be a former one. val_explain_check(to, check, diag) - with the examples
 * of the corpus: what is wrong in each, what is found, how to mend it.
 */
HSA_MUST_USE hsa_rc val_explain_action(
    json_t **to, const struct hsa_action_row *row, const char *asked);
HSA_MUST_USE hsa_rc val_explain_check(
    json_t **to, enum val_check check, struct hsa_diag *diag);

/*
 * val_explain_event(to, run, envelope, found) - of what run looked at last:
 * every check in order, what it looked at, and its verdict. envelope: of the
 * record that it was in, NULL: none. found: the findings, an array of
 * {"check","level","path","message"}.
 */
HSA_MUST_USE hsa_rc val_explain_event(json_t **to, const struct val_run *run,
    const struct val_envelope *envelope, const json_t *found);

/* val_explain_end(to, run, found) - of what val_run_end found: only checks that
 * found something. */
HSA_MUST_USE hsa_rc val_explain_end(
    json_t **to, const struct val_run *run, const json_t *found);

/* The same as text, appended; color: for a terminal. An event's tree has
 * "input", "index" and "line" (0: none) besides, by the caller. */
void val_explain_action_text(struct hsa_buf *b, const json_t *action);
void val_explain_check_text(struct hsa_buf *b, const json_t *check);
void val_explain_event_text(struct hsa_buf *b, const json_t *event, bool color);

#endif
