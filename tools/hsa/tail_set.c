#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tail_set.h"
#include "vfy_find.h"

static bool
known(const struct tail_set *s, const char *path)
{
	for (size_t i = 0; i < s->len; i++)
		if (strcmp(s->log[i].path, path) == 0)
			return true;
	return false;
}

hsa_rc
tail_set_look(struct tail_set *s, const char *dir, struct hsa_diag *diag)
{
	struct vfy_logs found = {0};
	struct tail_log *more;
	hsa_rc rc;

	HSA_TRY(rc, vfy_find(&found, dir, diag));
	for (size_t i = 0; i < found.len; i++) {
		struct vfy_found *f = &found.log[i];

		if (!vfy_found_is(f, s->unit) || known(s, f->path))
			continue;
		more = reallocarray(s->log, s->len + 1, sizeof(*more));
		if (more == NULL) {
			rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
			goto out;
		}
		s->log = more;
		s->log[s->len++] = (struct tail_log){
		    .path = f->path, .unit = f->unit, .old = f->old};
		*f = (struct vfy_found){0}; /* taken over */
	}
out:
	vfy_logs_free(&found);
	return rc;
}

hsa_rc
tail_set_open(struct tail_log *l, uint64_t from, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	if (l->follow != NULL)
		return HSA_OK;
	HSA_TRY(rc, vfy_follow_open(&l->follow, l->path, diag));
	vfy_follow_from(l->follow, from);
out:
	return rc;
}

void
tail_set_free(struct tail_set *s)
{
	for (size_t i = 0; i < s->len; i++) {
		vfy_follow_free(s->log[i].follow);
		free(s->log[i].path);
		free(s->log[i].unit);
	}
	free(s->log);
	*s = (struct tail_set){0};
}
