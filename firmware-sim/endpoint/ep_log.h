/*
 * ep_log.h - one line on stderr per thing worth saying, in one write: time,
 * who, what. Control characters are replaced, so that a hostile name cannot
 * forge a line. Callers put no secrets in.
 */
#ifndef EP_LOG_H
#define EP_LOG_H
#include "hsa_err.h"

/* ep_log_name(who) - set once, before threads: "supervisor", "front",
 * "unit operational-1". Copied. */
void ep_log_name(const char *who);
void ep_log(const char *fmt, ...) HSA_PRINTF(1, 2);

#endif
