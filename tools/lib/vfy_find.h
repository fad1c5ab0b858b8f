/*
 * vfy_find.h - the logs that a folder holds: it may be a log itself, a
 * collector's folder (one subfolder per log), or the state directory of a
 * cryptounitd installation (config.yaml, units/<name>/log, and the damaged ones
 * before it, units/<name>/log.damaged-<n>). Below the folder
 * that the user named, no symlink is followed.
 */
#ifndef VFY_FIND_H
#define VFY_FIND_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"

enum vfy_where {
	VFY_LOG = 1,
	VFY_COLLECTED,
	VFY_STATE
};

struct vfy_found {
	char *path;
	/* subfolder's name; "" for a log itself; of one that was set aside,
	 * "name/log.damaged-1" */
	char *unit;
	bool old; /* it was set aside */
};
struct vfy_logs {
	enum vfy_where where;
	/* ordered by unit, and of one unit the older log first */
	struct vfy_found *log;
	size_t len;
};

/* The subfolder of a collected log: "<unit id>", or "<unit id>.<number>" for a
 * later one (FORMAT.md V11). vfy_log_name_good(s) - exactly such a name. */
#define VFY_LOG_NAME 48
bool vfy_log_name_good(const char *s);

/* vfy_found_is(f, unit) - does the user mean this one by a unit's name, or by
 * at least four characters that its name or id begins with? NULL: any. */
bool vfy_found_is(const struct vfy_found *f, const char *unit);

/*
 * vfy_find(l, dir, diag) - E_NOT_FOUND when dir is none of the three. A unit
 * of a state directory is listed even when its log folder is missing: that
 * is for the verifier to say.
 */
HSA_MUST_USE hsa_rc vfy_find(
    struct vfy_logs *l, const char *dir, struct hsa_diag *diag);
void vfy_logs_free(struct vfy_logs *l);

#endif
