/*
 * val_write.h - events as trees, out as text.
 */
#ifndef VAL_WRITE_H
#define VAL_WRITE_H
#include <jansson.h>
#include <stdbool.h>
#include "hsa_err.h"

struct hsa_buf;

/*
 * val_write(b, list, lines) - in place of what b held: a line for each event,
 * or each over several lines, indented.
 * val_write_export(list) - make of each what a collector's export has of it:
 * members of its own, requestData and responseData as strings.
 */
HSA_MUST_USE hsa_rc val_write(
    struct hsa_buf *b, const json_t *list, bool lines);
HSA_MUST_USE hsa_rc val_write_export(json_t *list);

#endif
