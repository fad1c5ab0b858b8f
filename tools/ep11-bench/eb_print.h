/* eb_print.h - results as a table for people or JSON for programs. */
#ifndef EB_PRINT_H
#define EB_PRINT_H
#include "eb_run.h"

/* Both write to standard output; false when that failed. */
int eb_print_text(
    const struct eb_result *r, size_t n, const struct eb_plan *plan);
int eb_print_json(
    const struct eb_result *r, size_t n, const struct eb_plan *plan);

#endif
