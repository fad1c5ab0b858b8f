/*
 * val_look.h - whether a check is about an event at all, and what it looks at
 * there (val_look.def): for explanations only, nothing of it runs in
 * `hsa validate`.
 */
#ifndef VAL_LOOK_H
#define VAL_LOOK_H
#include <jansson.h>
#include <stddef.h>
#include "hsa_err.h"
#include "val_check.h"
#include "val_run.h"

/*
 * val_look_off(run, c) - why the check is not about what run looked at last;
 * NULL: it is.
 * val_look(to, run, envelope, c, rc) - append {"path","value"} for each thing
 * it looks at, without a value for what is not there. envelope: of the record
 * around it, NULL: none.
 * val_look_text(s, n) - a string of an event, which may hold anything.
 */
const char *val_look_off(const struct val_run *run, enum val_check c);
void val_look(json_t *to, const struct val_run *run,
    const struct val_envelope *envelope, enum val_check c, hsa_rc *rc);
json_t *val_look_text(const char *s, size_t n);

#endif
