/* ep_status.h - what `cryptounitd status` prints. */
#ifndef EP_STATUS_H
#define EP_STATUS_H
#include <stdbool.h>
#include "hsa_err.h"

struct hsa_buf;

/*
 * ep_status(b, all_up, dir, json, diag) - ask the supervisor's lock, the HTTP
 * socket and every unit; append text for people, or one JSON object and a
 * newline. all_up: every process runs and no unit is halted. An error only
 * when the configuration cannot be read.
 */
HSA_MUST_USE hsa_rc ep_status(struct hsa_buf *b, bool *all_up, const char *dir,
    bool json, struct hsa_diag *diag);

#endif
