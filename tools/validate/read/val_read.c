#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "val_read.h"

/* As hsa verify: long enough for a unit to finish a batch. */
#define SETTLE_MS 500

static const char *
why(const struct hsa_diag *diag, hsa_rc rc)
{
	return diag->text[0] != '\0' ? diag->text : hsa_err_text(rc);
}

static hsa_rc
file(const char *path, const struct val_taker *taker)
{
	struct hsa_diag diag = {{0}};
	struct val_in *in = NULL;
	struct val_text t = {0};
	bool end = false;
	hsa_rc rc;

	HSA_TRY(rc, taker->input(taker->ctx, path));
	rc = val_in_open(&in, path, &diag);
	while (hsa_is_ok(rc) && !end) {
		rc = val_in_next(in, &t, &diag);
		end = rc.v == HSA_E_NOT_FOUND;
		if (hsa_is_ok(rc))
			HSA_TRY(rc, taker->text(taker->ctx, &t));
	}
	if (rc.v == HSA_E_NOMEM)
		goto out;
	if (!end)
		taker->bad(taker->ctx, path, why(&diag, rc));
	rc = HSA_OK;
out:
	val_in_close(in);
	return rc;
}

hsa_rc
val_read(const char *path, const struct vfy_keys *keys,
    const struct val_taker *taker)
{
	struct stat st;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		return val_read_log(path, keys, SETTLE_MS, taker);
	return file(path, taker);
}
