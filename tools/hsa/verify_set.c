#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_set.h"
#include "verify_set.h"
#include "vfy_cosign.h"
#include "vfy_file.h"

static hsa_rc
no_memory(struct hsa_diag *diag)
{
	return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
}

/* ---- what there is ------------------------------------------------------- */

static uint64_t
bytes_of(const char *path)
{
	struct vfy_segments segs = {0};
	struct stat st;
	uint64_t n = 0;
	int fd;

	if (!hsa_is_ok(vfy_file_folder(&fd, path, NULL)))
		return 0;
	if (hsa_is_ok(vfy_file_list(&segs, fd, NULL)))
		for (size_t i = 0; i < segs.len; i++)
			if (fstatat(fd, segs.seg[i].name, &st,
				AT_SYMLINK_NOFOLLOW) == 0)
				n += (uint64_t)st.st_size;
	vfy_segments_free(&segs);
	(void)close(fd);
	return n;
}

hsa_rc
verify_set_witnesses(struct vfy_keys *k, size_t *need,
    const struct verify_args *args, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < args->witnesses; i++)
		HSA_TRY(rc, vfy_witnesses_load(k, args->witness[i], diag));
	if (args->need > k->len)
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "--witnesses %zu: %zu witness%s known (--witness FILE)",
		    args->need, k->len, k->len == 1 ? " is" : "es are");
	*need = args->need == 0 ? k->len : args->need;
out:
	return rc;
}

static hsa_rc
gather(struct verify_set *s, struct log_set *from,
    const struct verify_args *args, struct hsa_diag *diag)
{
	const struct log_set_args named = {.dir = args->dir,
	    .dirs = args->dirs,
	    .key = args->key,
	    .keys = args->keys};
	hsa_rc rc;

	HSA_TRY(rc, log_set_gather(from, &named, diag));
	s->keys = from->keys;
	from->keys = (struct vfy_keys){0}; /* taken over */
	s->own_keys = from->own_keys;
	HSA_TRY(rc, verify_set_witnesses(&s->witnesses, &s->need, args, diag));
	s->log = calloc(from->len + 1, sizeof(*s->log));
	s->anchor = calloc(args->anchors + 1, sizeof(*s->anchor));
	if (s->log == NULL || s->anchor == NULL) {
		rc = no_memory(diag);
		goto out;
	}
	for (; s->len < from->len; s->len++) {
		struct vfy_found *f = &from->log[s->len];

		s->log[s->len] = (struct verify_log){.path = f->path,
		    .unit = f->unit,
		    .bytes = bytes_of(f->path)};
		*f = (struct vfy_found){0}; /* taken over */
	}
	for (; s->anchors < args->anchors; s->anchors++)
		HSA_TRY(rc,
		    vfy_anchor_load_witnessed(&s->anchor[s->anchors],
			args->anchor[s->anchors], &s->keys,
			s->witnesses.len == 0 ? NULL : &s->witnesses, diag));
out:
	return rc;
}

/* ---- reading ------------------------------------------------------------- */

static const struct verify_log *sorting;

static int
by_bytes(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	if (sorting[*x].bytes != sorting[*y].bytes)
		return sorting[*x].bytes < sorting[*y].bytes ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

static hsa_rc
read_log(struct verify_set *s, struct verify_log *l, struct vfy_result *res,
    struct vfy_point *points, size_t n, struct hsa_diag *diag)
{
	struct vfy_options opt = {
	    .keys = &s->keys,
	    .anchors = s->anchor,
	    .anchors_len = s->anchors,
	    .points = points,
	    .points_len = n,
	    .settle_ms = s->settle_ms,
	};
	hsa_rc rc;

	rc = vfy_log(res, l->path, &opt, diag);
	if (rc.v != HSA_E_NOT_FOUND)
		return rc;
	l->missing = true;
	*res = (struct vfy_result){.bad = true, .rule = "V1"};
	(void)snprintf(res->finding, sizeof(res->finding),
	    "there is no log: the unit never started, or its log was removed");
	return HSA_OK;
}

static hsa_rc
add_pair(struct verify_set *s, size_t shorter, size_t longer, bool same,
    struct hsa_diag *diag)
{
	bool apart = s->log[shorter].res.sealed < s->log[longer].res.first;

	struct verify_pair *more;

	more = reallocarray(s->pair, s->pairs + 1, sizeof(*more));
	if (more == NULL)
		return no_memory(diag);
	s->pair = more;
	s->pair[s->pairs++] =
	    (struct verify_pair){shorter, longer, same, apart};
	return HSA_OK;
}

/* a was read before b, and at holds b's root at a's sealed size, if b is that
 * long; if not, a is read once more for its root at b's size. */
static hsa_rc
compare(struct verify_set *s, size_t a, size_t b, const struct vfy_point *at,
    struct hsa_diag *diag)
{
	struct vfy_result *ra = &s->log[a].res, *rb = &s->log[b].res;
	struct vfy_point back = {.size = rb->sealed};
	struct vfy_result again;
	hsa_rc rc;

	if (at->reached && ra->sealed <= rb->sealed)
		return add_pair(
		    s, a, b, memcmp(at->root, ra->root, 32) == 0, diag);
	HSA_TRY(rc, read_log(s, &s->log[a], &again, &back, 1, diag));
	rc = add_pair(s, b, a,
	    back.reached && memcmp(back.root, rb->root, 32) == 0, diag);
out:
	return rc;
}

static hsa_rc
read_all(struct verify_set *s, struct hsa_diag *diag)
{
	size_t *order = calloc(s->len, sizeof(*order));
	struct vfy_point *points = calloc(s->len, sizeof(*points));
	hsa_rc rc = HSA_OK;

	if (order == NULL || points == NULL) {
		rc = no_memory(diag);
		goto out;
	}
	for (size_t i = 0; i < s->len; i++)
		order[i] = i;
	sorting = s->log;
	qsort(order, s->len, sizeof(*order), by_bytes);
	for (size_t i = 0; i < s->len; i++) {
		struct verify_log *l = &s->log[order[i]];

		for (size_t k = 0; k < i; k++)
			points[k] = (struct vfy_point){
			    .size = s->log[order[k]].res.sealed};
		HSA_TRY(rc, read_log(s, l, &l->res, points, i, diag));
		for (size_t k = 0; k < i; k++) {
			struct verify_log *p = &s->log[order[k]];

			if (l->res.origin[0] == '\0' ||
			    strcmp(p->res.origin, l->res.origin) != 0)
				continue;
			HSA_TRY(rc,
			    compare(s, order[k], order[i], &points[k], diag));
		}
	}
out:
	free(order);
	free(points);
	return rc;
}

/* ---- logs that stand for others ------------------------------------------ */

/* Is the old log, as far as it is here, the one that the new log tells of? A
 * copy that is shorter says nothing about it. */
static hsa_rc
link_to(struct verify_set *s, size_t old, size_t new, struct hsa_diag *diag)
{
	const struct vfy_chain *c = &s->log[new].res.chain;
	struct vfy_point at = {.size = c->verified};
	struct verify_link *more;
	struct vfy_result again;
	bool same = true;
	hsa_rc rc = HSA_OK;

	if (c->verified != 0 && s->log[old].res.sealed >= c->verified) {
		HSA_TRY(rc, read_log(s, &s->log[old], &again, &at, 1, diag));
		same = !at.reached || memcmp(at.root, c->root, 32) == 0;
	}
	more = reallocarray(s->link, s->links + 1, sizeof(*more));
	if (more == NULL)
		return no_memory(diag);
	s->link = more;
	s->link[s->links++] = (struct verify_link){old, new, same};
out:
	return rc;
}

static hsa_rc
link_all(struct verify_set *s, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	for (size_t new = 0; new < s->len; new ++)
		for (size_t old = 0; old < s->len; old++)
			if (s->log[new].res.chain.has &&
			    strcmp(s->log[new].res.chain.old_origin,
				s->log[old].res.origin) == 0)
				HSA_TRY(rc, link_to(s, old, new, diag));
out:
	return rc;
}

/* ---- what is not there --------------------------------------------------- */

static void not_witnessed(struct verify_log *l, const char *fmt, ...)
    HSA_PRINTF(2, 3);

static void
not_witnessed(struct verify_log *l, const char *fmt, ...)
{
	va_list ap;

	l->res.bad = true;
	(void)snprintf(l->res.rule, sizeof(l->res.rule), "V9");
	va_start(ap, fmt);
	(void)vsnprintf(l->res.finding, sizeof(l->res.finding), fmt, ap);
	va_end(ap);
}

/* The largest of its checkpoints that enough witnesses have cosigned. */
static void
witnessed(struct verify_set *s, struct verify_log *l)
{
	size_t most = 0;

	for (size_t i = 0; i < s->anchors && !l->res.bad; i++) {
		const struct vfy_anchor *a = &s->anchor[i];

		if (strcmp(a->origin, l->res.origin) != 0)
			continue;
		if (a->forged[0] != '\0')
			not_witnessed(l, "%.200s: %.250s", a->path, a->forged);
		if (a->witnessed > most)
			most = a->witnessed;
		if (a->witnessed >= s->need &&
		    (l->witnessed == NULL || a->size > l->witnessed->size))
			l->witnessed = a;
	}
	if (!l->res.bad && l->witnessed == NULL)
		not_witnessed(l,
		    "no checkpoint of it is here (--anchor) with the "
		    "cosignatures of %zu of the witnesses; the most that one "
		    "has is %zu",
		    s->need, most);
}

static bool
has_log(const struct verify_set *s, const char *origin)
{
	for (size_t i = 0; i < s->len; i++)
		if (strcmp(s->log[i].res.origin, origin) == 0)
			return true;
	return false;
}

/* What became of it a later log says, under its checkpoints. */
static bool
is_told(const struct verify_set *s, const char *origin)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->log[i].res.chain.has && s->log[i].res.sealed > 1 &&
		    strcmp(s->log[i].res.chain.old_origin, origin) == 0)
			return true;
	return false;
}

static hsa_rc
missing(struct verify_set *s, const struct vfy_keys *promised,
    struct hsa_diag *diag)
{
	s->lost = calloc(promised->len + 1, sizeof(*s->lost));
	s->stray = calloc(s->anchors + 1, sizeof(*s->stray));
	if (s->lost == NULL || s->stray == NULL)
		return no_memory(diag);
	for (size_t i = 0; i < promised->len; i++)
		if (!has_log(s, promised->key[i].origin) &&
		    !is_told(s, promised->key[i].origin))
			(void)snprintf(s->lost[s->lost_len++], 256, "%s",
			    promised->key[i].origin);
	for (size_t i = 0; i < s->anchors; i++)
		if (!has_log(s, s->anchor[i].origin))
			s->stray[s->stray_len++] = i;
	return HSA_OK;
}

hsa_rc
verify_set_run(
    struct verify_set *s, const struct verify_args *args, struct hsa_diag *diag)
{
	struct log_set from = {0};
	hsa_rc rc;

	HSA_TRY(rc, gather(s, &from, args, diag));
	HSA_TRY(rc, read_all(s, diag));
	HSA_TRY(rc, link_all(s, diag));
	for (size_t i = 0; i < s->len && s->witnesses.len != 0; i++)
		witnessed(s, &s->log[i]);
	rc = missing(s, &from.promised, diag);
out:
	log_set_free(&from);
	return rc;
}

bool
verify_set_bad(const struct verify_set *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->log[i].res.bad)
			return true;
	for (size_t i = 0; i < s->pairs; i++)
		if (!s->pair[i].same)
			return true;
	for (size_t i = 0; i < s->links; i++)
		if (!s->link[i].same)
			return true;
	return s->lost_len != 0 || s->stray_len != 0;
}

uint64_t
verify_set_records(const struct verify_set *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->len; i++)
		n += s->log[i].res.records;
	return n;
}

void
verify_set_free(struct verify_set *s)
{
	for (size_t i = 0; i < s->len; i++) {
		free(s->log[i].path);
		free(s->log[i].unit);
	}
	free(s->log);
	free(s->pair);
	free(s->link);
	free(s->anchor);
	free(s->lost);
	free(s->stray);
	vfy_keys_free(&s->keys);
	vfy_keys_free(&s->witnesses);
	*s = (struct verify_set){0};
}
