/*
 * verify_set.h - verifying many logs as one question: each log by the rules
 * of FORMAT.md, copies of the same log against one another, anchors against
 * the log they are of, and whether a log is missing that a state directory's
 * key file promises.
 */
#ifndef VERIFY_SET_H
#define VERIFY_SET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "vfy_log.h"

struct verify_log {
	char *path, *unit;
	struct vfy_result res;
	bool missing; /* the folder is not there */
	/* by so many witnesses, up to that size; NULL: not by enough */
	const struct vfy_anchor *witnessed;
	uint64_t bytes; /* of its files, to read the shorter copy first */
};

struct verify_pair {            /* two copies of one log */
	size_t shorter, longer; /* index of log */
	bool same;              /* the shorter is a prefix of the longer */
	bool apart; /* not comparable: it ends before the longer begins */
};

struct verify_link {     /* a log and one that says it stands for it (V11) */
	size_t old, new; /* index of log */
	bool same;       /* the old one has the root that the new one says */
};

struct verify_set {
	struct vfy_keys keys;
	struct vfy_keys witnesses; /* none: nobody asked for any */
	size_t need;
	struct vfy_anchor *anchor;
	size_t anchors;
	struct verify_log *log;
	size_t len;
	struct verify_pair *pair;
	size_t pairs;
	struct verify_link *link;
	size_t links;
	/* origins with a key in a state directory's own key file and no log,
	 * but for those that a log says were damaged (V11);
	 * anchors whose log is not here (index of anchor) */
	char (*lost)[256];
	size_t lost_len;
	size_t *stray;
	size_t stray_len;
	bool own_keys; /* a key file that lies beside a log was used */
	int settle_ms;
};

struct verify_args {
	char **dir;
	int dirs;
	const char **key; /* files; none: those of the state directories */
	size_t keys;
	const char **anchor;
	size_t anchors;
	const char **witness; /* files of witnesses' keys */
	size_t witnesses;
	size_t need; /* so many of them cosigned a checkpoint of each log;
			0: all */
};

/* verify_set_witnesses(k, need, args, diag) - the witnesses asked for, and how
 * many of them it takes. E_ARG: more than there are, or of none. */
HSA_MUST_USE hsa_rc verify_set_witnesses(struct vfy_keys *k, size_t *need,
    const struct verify_args *args, struct hsa_diag *diag);

/*
 * verify_set_run(s, args, diag) - success when everything could be read:
 * what is wrong with it is in s. E_KEY: no key file.
 */
HSA_MUST_USE hsa_rc verify_set_run(struct verify_set *s,
    const struct verify_args *args, struct hsa_diag *diag);
bool verify_set_bad(const struct verify_set *s);
uint64_t verify_set_records(const struct verify_set *s);
void verify_set_free(struct verify_set *s);

struct hsa_buf;
/* verify_set_text(b, s, quiet), verify_set_json(b, s) - the report. */
void verify_set_text(struct hsa_buf *b, const struct verify_set *s, bool quiet);
void verify_set_json(struct hsa_buf *b, const struct verify_set *s);

#endif
