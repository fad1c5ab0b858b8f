/*
 * val_story.h - events that belong together: the ceremony of two crypto units,
 * from their first administrator to the second master key and the end; and
 * the life of a key.
 */
#ifndef VAL_STORY_H
#define VAL_STORY_H
#include <jansson.h>
#include <stdbool.h>
#include "hsa_err.h"

#define VAL_STORY_UNITS 2

/* val_story(list, log, diag) - a new list of the events, in order; log: of
 * their records, each unit's beginning with its start. The caller releases it.
 * val_story_key(list, diag) - of the events of a key.
 */
HSA_MUST_USE hsa_rc val_story(json_t **list, bool log, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc val_story_key(json_t **list, struct hsa_diag *diag);

#endif
