/*
 * val_schema.h - what `hsa validate` checks of one event, as a JSON Schema
 * (draft 2020-12) for other tools. Made from the tables that the checks go by:
 * val_field.def, val_words, the catalogue and its types.
 *
 * Each subschema that can fail names in $comment the check that it stands for:
 * "E14", or "E02, additionalProperties: E01" where a keyword stands for another
 * one than the rest. Errors of "if", which say no more than those in "then",
 * have none. What a schema cannot say is listed by val_schema_reach.
 */
#ifndef VAL_SCHEMA_H
#define VAL_SCHEMA_H
#include <stdbool.h>
#include "val_check.h"
#include "val_event.h"

struct hsa_buf;

/*
 * val_schema(b, cfg, warnings) - append the schema, one object, no newline. It
 * takes an event exactly when the checks that it can say find no error in it;
 * warnings: no warning either.
 */
void val_schema(struct hsa_buf *b, const struct val_config *cfg, bool warnings);

enum val_reach {
	VAL_REACH_ALL = 1,
	VAL_REACH_PART,
	VAL_REACH_NONE
};
/*
 * val_schema_reach(beyond, c) - how much of what a check says of one event by
 * itself a schema (strict, with warnings) says, too; of what is beyond it, why,
 * in *beyond: "" for ALL.
 */
enum val_reach val_schema_reach(const char **beyond, enum val_check c);

#endif
