/*
 * tail_set.h - the logs below the folders that the user named, each being
 * followed. Units that appear later are taken in by tail_set_look.
 */
#ifndef TAIL_SET_H
#define TAIL_SET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "vfy_log.h"

struct tail_log {
	char *path, *unit;         /* unit: "" for a log folder itself */
	struct vfy_follow *follow; /* NULL: the folder is not there yet */
	bool old;                  /* a damaged one that was set aside */
	bool over;                 /* nothing more will come of it */
};
struct tail_set {
	struct tail_log *log;
	size_t len;
	const char *unit; /* only this one: name, or start of its id; NULL */
	uint64_t from;
};

/* tail_set_look(s, dir, diag) - add the logs below dir that s does not have
 * yet. E_NOT_FOUND as vfy_find. */
HSA_MUST_USE hsa_rc tail_set_look(
    struct tail_set *s, const char *dir, struct hsa_diag *diag);
/* tail_set_open(l, from) - when it is not open: try. E_NOT_FOUND: not yet. */
HSA_MUST_USE hsa_rc tail_set_open(
    struct tail_log *l, uint64_t from, struct hsa_diag *diag);
void tail_set_free(struct tail_set *s);

#endif
