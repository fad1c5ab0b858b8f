/*
 * vfy_find.h - the logs that a folder holds: it may be a log itself, a
 * collector's folder (one subfolder per unit id), or the state directory of a
 * cryptounitd installation (config.yaml, units/<name>/log). Below the folder
 * that the user named, no symlink is followed.
 */
#ifndef VFY_FIND_H
#define VFY_FIND_H
#include <stddef.h>
#include "hsa_err.h"

enum vfy_where {
	VFY_LOG = 1,
	VFY_COLLECTED,
	VFY_STATE
};

struct vfy_found {
	char *path;
	char *unit; /* subfolder's name; "" for a log itself */
};
struct vfy_logs {
	enum vfy_where where;
	struct vfy_found *log; /* ordered by unit */
	size_t len;
};

/*
 * vfy_find(l, dir, diag) - E_NOT_FOUND when dir is none of the three. A unit
 * of a state directory is listed even when its log folder is missing: that
 * is for the verifier to say.
 */
HSA_MUST_USE hsa_rc vfy_find(
    struct vfy_logs *l, const char *dir, struct hsa_diag *diag);
void vfy_logs_free(struct vfy_logs *l);

#endif
