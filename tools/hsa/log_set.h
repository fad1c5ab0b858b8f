/*
 * log_set.h - the logs below the folders that the user named, with the keys
 * that check them: the user's own, or those of the state directories.
 */
#ifndef LOG_SET_H
#define LOG_SET_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"
#include "vfy_find.h"
#include "vfy_log.h"

struct log_set_args {
	char **dir;
	int dirs;
	const char **key; /* files; none: those of the state directories */
	size_t keys;
	const char *unit; /* only this one: its name, or at least four
			     characters that its name or id begins with */
};

struct log_set {
	struct vfy_found *log; /* owned */
	size_t len;
	struct vfy_keys keys;
	struct vfy_keys promised; /* those of the state directories */
	bool own_keys;            /* some of `keys` lie beside a log */
};

/* log_set_gather(s, args, diag) - E_KEY: no key; E_NOT_FOUND: no log, or none
 * of that unit. log_set_keys(k, path, diag) - add those of a file. */
HSA_MUST_USE hsa_rc log_set_gather(
    struct log_set *s, const struct log_set_args *args, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc log_set_keys(
    struct vfy_keys *to, const char *path, struct hsa_diag *diag);
void log_set_free(struct log_set *s);

#endif
