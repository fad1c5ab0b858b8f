/*
 * ep_keep.h - what happens to a unit's log beside its use: a thread that looks
 * whether its files are there, remembers over restarts what each collector has
 * acknowledged, and releases what the configuration allows.
 */
#ifndef EP_KEEP_H
#define EP_KEEP_H
#include <stdint.h>
#include "ep_config.h"
#include "hsa_err.h"

struct chan;
struct cu_unit;
struct ep_keep;
struct hsa_collector_status;
struct slog;

struct ep_keep_config {
	const char *folder; /* the unit's; texts stay the caller's */
	const struct ep_config *cfg;
	struct slog *log;
	struct cu_unit *unit;
	struct chan *const *chan; /* one per collector of cfg */
	unsigned int log_number;  /* what was acknowledged of another says
				     nothing of this one */
};

/*
 * ep_keep_start(k, cfg, diag) - reads FOLDER/acknowledged (of a later log of
 * the unit, acknowledged.NUMBER), a line for each collector, and starts the
 * thread. E_CORRUPT: that file is damaged. ep_keep_stop(k) - NULL-safe; before
 * the channels end. ep_keep_status(k, i, st) - what collector i has
 * acknowledged, ever.
 */
HSA_MUST_USE hsa_rc ep_keep_start(struct ep_keep **k,
    const struct ep_keep_config *cfg, struct hsa_diag *diag);
void ep_keep_stop(struct ep_keep *k);
void ep_keep_status(
    struct ep_keep *k, unsigned int i, struct hsa_collector_status *st);

#endif
