#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "log_set.h"

hsa_rc
log_set_keys(struct vfy_keys *to, const char *path, struct hsa_diag *diag)
{
	struct vfy_keys k = {0};
	hsa_rc rc;

	HSA_TRY(rc, vfy_keys_load(&k, path, diag));
	rc = vfy_keys_add(to, &k, diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "key file %s", path);
out:
	vfy_keys_free(&k);
	return rc;
}

static hsa_rc
add_dir(struct log_set *s, const char *dir, const struct log_set_args *args,
    struct hsa_diag *diag)
{
	struct vfy_logs found = {0};
	struct vfy_found *more;
	struct hsa_buf path = {0};
	hsa_rc rc;

	HSA_TRY(rc, vfy_find(&found, dir, diag));
	more = reallocarray(s->log, s->len + found.len, sizeof(*more));
	if (more == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
		goto out;
	}
	s->log = more;
	for (size_t i = 0; i < found.len; i++) {
		if (!vfy_found_is(&found.log[i], args->unit))
			continue;
		s->log[s->len++] = found.log[i];
		found.log[i] = (struct vfy_found){0}; /* taken over */
	}
	if (found.where == VFY_STATE && args->keys == 0) {
		hsa_buf_printf(&path, "%s/checkpoint.pub", dir);
		HSA_TRY(rc, hsa_buf_rc(&path));
		HSA_TRY(rc, log_set_keys(&s->keys, hsa_buf_cstr(&path), diag));
		HSA_TRY(
		    rc, log_set_keys(&s->promised, hsa_buf_cstr(&path), diag));
		s->own_keys = true;
	}
out:
	hsa_buf_free(&path);
	vfy_logs_free(&found);
	return rc;
}

hsa_rc
log_set_gather(
    struct log_set *s, const struct log_set_args *args, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < args->keys; i++)
		HSA_TRY(rc, log_set_keys(&s->keys, args->key[i], diag));
	for (int i = 0; i < args->dirs; i++)
		HSA_TRY(rc, add_dir(s, args->dir[i], args, diag));
	if (s->keys.len == 0)
		rc = hsa_fail(diag, HSA_RC(E_KEY),
		    "no key: give the unit's checkpoint.pub with --key FILE, "
		    "or a state directory that has one");
	else if (s->len == 0 && args->unit != NULL)
		rc = hsa_fail(
		    diag, HSA_RC(E_NOT_FOUND), "no unit %s there", args->unit);
out:
	return rc;
}

void
log_set_free(struct log_set *s)
{
	for (size_t i = 0; i < s->len; i++) {
		free(s->log[i].path);
		free(s->log[i].unit);
	}
	free(s->log);
	vfy_keys_free(&s->keys);
	vfy_keys_free(&s->promised);
	*s = (struct log_set){0};
}
