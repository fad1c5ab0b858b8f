#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "col_hub.h"
#include "vfy_note.h"

hsa_rc
col_hub_open(struct col_hub *to, const char *dir, const struct vfy_keys *keys,
    struct hsa_diag *diag)
{
	struct col_hub h = {.keys = keys};
	uint8_t id[HSA_UUID_LEN];
	hsa_rc rc = HSA_RC(E_NOMEM);

	h.dir = strdup(dir);
	h.unit = calloc(keys->len, sizeof(*h.unit));
	if (h.dir == NULL || h.unit == NULL) {
		hsa_diag_set(diag, "out of memory");
		goto out;
	}
	for (; h.len < keys->len; h.len++) {
		rc = vfy_origin_unit(id, keys->key[h.len].origin);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag,
			    "the key of %s names no unit "
			    "(cryptounit/<unit id>)",
			    keys->key[h.len].origin);
			goto out;
		}
		(void)snprintf(h.unit[h.len].name, sizeof(h.unit[h.len].name),
		    "%.*s", VFY_LOG_NAME - 1,
		    strchr(keys->key[h.len].origin, '/') + 1);
		h.unit[h.len].key = &keys->key[h.len];
	}
	rc = HSA_OK;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		rc = hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", dir, strerror(errno));
		goto out;
	}
	*to = h;
	h = (struct col_hub){0};
out:
	col_hub_close(&h);
	return rc;
}

void
col_hub_close(struct col_hub *h)
{
	for (size_t i = 0; i < h->len; i++)
		vfy_store_free(h->unit[i].store);
	free(h->unit);
	free(h->dir);
	*h = (struct col_hub){0};
}

static bool
knows_unit(const struct col_hub *h, const char *origin)
{
	uint8_t id[HSA_UUID_LEN], other[HSA_UUID_LEN];

	if (!hsa_is_ok(vfy_origin_unit(id, origin)))
		return false;
	for (size_t i = 0; i < h->len; i++)
		if (hsa_is_ok(vfy_origin_unit(other, h->unit[i].key->origin)) &&
		    memcmp(id, other, sizeof(id)) == 0)
			return true;
	return false;
}

hsa_rc
col_hub_unit(struct col_unit **to, struct col_hub *h, const char *origin,
    struct hsa_diag *diag)
{
	struct col_unit *u = NULL;
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < h->len && u == NULL; i++)
		if (strcmp(h->unit[i].key->origin, origin) == 0)
			u = &h->unit[i];
	if (u == NULL && knows_unit(h, origin))
		return hsa_fail(diag, HSA_RC(E_KEY),
		    "a new log of a unit known here, and no key for it: %s. "
		    "It begins when the one before was damaged (cryptounitd "
		    "new-log); if that is right, add the new line of "
		    "checkpoint.pub to the collector's key file and start it "
		    "again; the copy of the old log stays",
		    origin);
	if (u == NULL)
		return hsa_fail(diag, HSA_RC(E_KEY),
		    "no key for %s here: add the unit's line of checkpoint.pub "
		    "to the collector's key file and start it again",
		    origin);
	if (u->store == NULL) {
		hsa_buf_printf(&path, "%s/%s", h->dir, u->name);
		HSA_TRY(rc, hsa_buf_rc(&path));
		HSA_TRY(rc, vfy_store_open(&u->store, hsa_buf_cstr(&path),
				u->key, h->segment_bytes, diag));
	}
	*to = u;
out:
	hsa_buf_free(&path);
	return rc;
}

static hsa_rc
fail(struct col_hub *h, hsa_rc rc)
{
	h->failed = true;
	return rc;
}

hsa_rc
col_hub_keep(struct col_hub *h, struct col_unit *u,
    const struct vfy_state *next, const struct hsa_buf *entries,
    const void *note, size_t note_len)
{
	uint64_t before = vfy_store_state(u->store)->tree.size;
	hsa_rc rc;

	if (h->failed)
		return HSA_RC(E_IO);
	HSA_TRY(rc, vfy_store_append(u->store, next, entries->p, entries->len,
			note, note_len, &h->why));
	u->dirty = true;
	h->stored += next->tree.size - before;
	return HSA_OK;
out:
	return fail(h, rc);
}

hsa_rc
col_hub_sync(struct col_hub *h)
{
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < h->len; i++) {
		if (!h->unit[i].dirty)
			continue;
		rc = vfy_store_sync(h->unit[i].store, &h->why);
		if (!hsa_is_ok(rc))
			return fail(h, rc);
		h->unit[i].dirty = false;
	}
	return rc;
}
