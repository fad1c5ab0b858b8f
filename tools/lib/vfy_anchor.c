#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "vfy_file.h"
#include "vfy_log.h"
#include "vfy_note.h"

hsa_rc
vfy_anchor_load(struct vfy_anchor *a, const char *path,
    const struct vfy_keys *keys, struct hsa_diag *diag)
{
	struct vfy_signer *signer = NULL;
	const struct vfy_key *key;
	struct hsa_buf b = {0};
	struct vfy_note note;
	hsa_rc rc;

	rc = vfy_file_slurp(&b, path, HSA_NOTE_MAX);
	if (!hsa_is_ok(rc)) {
		(void)hsa_fail(diag, rc, "anchor %s: %s", path,
		    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc));
		goto out;
	}
	rc = vfy_note_parse(&note, b.p, b.len, diag);
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
	HSA_TRY(rc, vfy_signer_new(&signer, key));
	rc = vfy_signer_verify(signer, &note);
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(diag,
		    "anchor %s is not signed by the key of %s in the key file",
		    path, note.origin);
		goto out;
	}
	(void)snprintf(a->path, sizeof(a->path), "%s", path);
	(void)snprintf(a->origin, sizeof(a->origin), "%s", note.origin);
	a->size = note.size;
	memcpy(a->root, note.root, sizeof(a->root));
out:
	vfy_signer_free(signer);
	hsa_buf_free(&b);
	return rc;
}
