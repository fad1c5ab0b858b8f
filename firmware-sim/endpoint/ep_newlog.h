/*
 * ep_newlog.h - the way on when a unit's log is damaged beyond what a start
 * repairs: a new log that says so in its first records (NEW_CHAIN), the old
 * one set aside, nothing deleted.
 */
#ifndef EP_NEWLOG_H
#define EP_NEWLOG_H
#include <stdbool.h>
#include "hsa_err.h"

struct hsa_buf;

struct ep_newlog_options {
	const char *unit;   /* its name */
	const char *reason; /* goes into the record; NULL: none given */
	bool force;         /* also when nothing is wrong; needs a reason */
};

/*
 * ep_newlog(said, dir, opt, diag) - dir: absolute. The unit must not run:
 * E_BUSY. E_STATE: nothing is wrong, or the unit's state is what is wrong;
 * E_ARG: no such unit, a reason that no record can hold. said: appended, for
 * people: what was wrong, what was done, what to do next. A kill leaves the
 * old log or the new one, never something in between; called again, it goes
 * on.
 */
HSA_MUST_USE hsa_rc ep_newlog(struct hsa_buf *said, const char *dir,
    const struct ep_newlog_options *opt, struct hsa_diag *diag);

#endif
