/*
 * hsa_event_check.h - requestData and responseData against the fields that
 * the catalogue documents. Private to proto/.
 */
#ifndef HSA_EVENT_CHECK_H
#define HSA_EVENT_CHECK_H
#include <stdbool.h>
#include "hsa_err.h"

struct hsa_data;

/*
 * hsa_event_check(d, list, member, complete, diag) - every member of d is in
 * list with its type; with complete, every field of list that is not optional
 * is in d. d may be NULL: no members. member is "requestData" or
 * "responseData", for the diagnosis. E_ARG otherwise.
 */
HSA_MUST_USE hsa_rc hsa_event_check(const struct hsa_data *d, const char *list,
    const char *member, bool complete, struct hsa_diag *diag);

#endif
