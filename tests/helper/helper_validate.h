/*
 * helper_validate.h - what `hsa validate` says of the logs that a test leaves
 * behind: every event of a unit passes in profile ibm-at --strict and in
 * profile unit, alone and with those before it.
 */
#ifndef HELPER_VALIDATE_H
#define HELPER_VALIDATE_H
#include <stdbool.h>
#include <stdint.h>

/*
 * hval_logs(events, dir) - a log's folder, a unit's or the state directory.
 * False, with the findings on stderr: an error, or a log that cannot be read.
 * events: NULL, or how many there are.
 */
bool hval_logs(uint64_t *events, const char *dir);

#endif
