#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "vfy_cosign.h"
#include "vfy_file.h"
#include "vfy_log.h"
#include "vfy_note.h"

static hsa_rc
count(struct vfy_anchor *a, const struct vfy_cosigned *note,
    const struct vfy_keys *witnesses)
{
	struct hsa_diag why = {{0}};
	hsa_rc rc;

	rc = vfy_cosigned_count(note, witnesses, &a->witnessed, &why);
	if (rc.v != HSA_E_SIGNATURE)
		return rc;
	(void)snprintf(a->forged, sizeof(a->forged), "%.255s", why.text);
	return HSA_OK;
}

hsa_rc
vfy_anchor_load_witnessed(struct vfy_anchor *to, const char *path,
    const struct vfy_keys *keys, const struct vfy_keys *witnesses,
    struct hsa_diag *diag)
{
	struct vfy_anchor a = {.size = 0};
	struct vfy_cosigned note;
	const struct vfy_key *key;
	struct hsa_buf b = {0};
	hsa_rc rc;

	rc = vfy_file_slurp(&b, path, VFY_COSIGNED_MAX);
	if (!hsa_is_ok(rc)) {
		(void)hsa_fail(diag, rc, "anchor %s: %s", path,
		    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc));
		goto out;
	}
	rc = vfy_cosigned_parse(&note, b.p, b.len, diag);
	if (!hsa_is_ok(rc)) {
		hsa_diag_wrap(diag, "anchor %s is no checkpoint", path);
		goto out;
	}
	key = vfy_keys_find(keys, note.origin);
	if (key == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_KEY),
		    "anchor %s is of %s, for which the key file has no key",
		    path, note.origin);
		goto out;
	}
	rc = vfy_cosigned_own(&note, key);
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(diag,
		    "anchor %s is not signed by the key of %s in the key file",
		    path, note.origin);
		goto out;
	}
	if (witnesses != NULL)
		HSA_TRY(rc, count(&a, &note, witnesses));
	(void)snprintf(a.path, sizeof(a.path), "%s", path);
	(void)snprintf(a.origin, sizeof(a.origin), "%s", note.origin);
	a.size = note.size;
	a.signatures = note.signatures;
	memcpy(a.root, note.root, sizeof(a.root));
	*to = a;
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
vfy_anchor_load(struct vfy_anchor *a, const char *path,
    const struct vfy_keys *keys, struct hsa_diag *diag)
{
	return vfy_anchor_load_witnessed(a, path, keys, NULL, diag);
}
