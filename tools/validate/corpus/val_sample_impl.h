/*
 * val_sample_impl.h - between the files of val_sample.
 */
#ifndef VAL_SAMPLE_IMPL_H
#define VAL_SAMPLE_IMPL_H
#include <stdbool.h>
#include "hsa_event.h"
#include "hsa_hash.h"
#include "val_sample.h"

#define USER "IBMid-550000ABCD"

/* Ids, hashes of what they stand for; s may be NULL: the same for all. */
HSA_MUST_USE hsa_rc val_sample_hash(uint8_t to[HSA_SHA256_LEN],
    const struct val_sample *s, const char *what, unsigned int n);
HSA_MUST_USE hsa_rc val_sample_uuid(uint8_t to[HSA_UUID_LEN],
    const struct val_sample *s, const char *what, unsigned int n);
HSA_MUST_USE hsa_rc val_sample_uuid_text(char to[HSA_UUID_TEXT],
    const struct val_sample *s, const char *what, unsigned int n);

/* Whether a crypto unit is the target, where it is, the CRN without its last
 * two parts, target.id and target.name, the URI of the request. */
bool val_sample_of_unit(const struct hsa_action_row *row);
void val_sample_location(char to[40], const struct val_sample *s);
void val_sample_crn(struct hsa_buf *b, const struct val_sample *s);
HSA_MUST_USE hsa_rc val_sample_target(
    struct hsa_buf *id, struct hsa_buf *name, const struct val_sample *s);
const char *val_sample_uri(const struct hsa_action_row *row);

/* Why a crypto unit refused, by its code; false: no unit did. */
bool val_sample_unit_reason(struct hsa_buf *b, const struct val_sample *s);

/* requestData and responseData, as far as the event has them. */
HSA_MUST_USE hsa_rc val_sample_data(struct hsa_data *request,
    struct hsa_data *response, const struct val_sample *s);

#endif
