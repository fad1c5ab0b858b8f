#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "col_hub.h"
#include "hsa_codec.h"
#include "hsa_json.h"
#include "vfy_note.h"

/* A line that a crash cut short is sent again: its batch was not stored. */
static hsa_rc
cut_line(int fd, const char *path, struct hsa_diag *diag)
{
	char b[4096];
	struct stat st;
	off_t end;
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return hsa_fail(
		    diag, HSA_RC(E_IO), "%s: not a regular file", path);
	for (end = st.st_size; end > 0; end -= n) {
		off_t from =
		    end < (off_t)sizeof(b) ? 0 : end - (off_t)sizeof(b);
		char *lf;

		n = pread(fd, b, (size_t)(end - from), from);
		if (n != end - from)
			return hsa_fail(diag, HSA_RC(E_IO), "%s: %s", path,
			    strerror(errno));
		lf = memrchr(b, '\n', (size_t)n);
		if (lf != NULL) {
			end = from + (lf - b) + 1;
			break;
		}
	}
	if (end != st.st_size && ftruncate(fd, end) != 0)
		return hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", path, strerror(errno));
	return HSA_OK;
}

hsa_rc
col_hub_open(struct col_hub *to, const char *dir, const struct vfy_keys *keys,
    const char *events, struct hsa_diag *diag)
{
	struct col_hub h = {.keys = keys, .events = -1};
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
		hsa_uuid_text(h.unit[h.len].name, id);
		h.unit[h.len].key = &keys->key[h.len];
	}
	rc = HSA_OK;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		rc = hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", dir, strerror(errno));
		goto out;
	}
	if (events != NULL) {
		h.events = open(events,
		    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
		if (h.events < 0) {
			rc = hsa_fail(diag, HSA_RC(E_IO), "%s: %s", events,
			    strerror(errno));
			goto out;
		}
		HSA_TRY(rc, cut_line(h.events, events, diag));
	}
	*to = h;
	h = (struct col_hub){.events = -1};
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
	if (h->events >= 0)
		(void)close(h->events);
	*h = (struct col_hub){.events = -1};
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

/*
 * Lines go out before the batch is stored: a crash between the two repeats
 * lines, with the same event ids, and never loses one.
 */
static hsa_rc
write_events(struct col_hub *h, const struct hsa_buf *entries)
{
	struct hsa_buf lines = {0};
	struct hsa_record r = {0};
	struct hsa_entry e;
	size_t at = 0, used = 0;
	ssize_t n;
	hsa_rc rc = HSA_OK;

	for (; at < entries->len; at += used) {
		HSA_TRY(rc, hsa_entry_decode(
				&e, &used, entries->p + at, entries->len - at));
		if (e.kind != HSA_ENTRY_RECORD)
			continue;
		HSA_TRY(rc, hsa_record_decode(&r, e.p, e.n));
		if (r.body == HSA_BODY_EVENT) {
			hsa_event_json(&lines, &r.event);
			hsa_buf_u8(&lines, '\n');
		}
		hsa_record_free(&r);
	}
	HSA_TRY(rc, hsa_buf_rc(&lines));
	for (at = 0; at < lines.len; at += (size_t)n) {
		n = write(h->events, lines.p + at, lines.len - at);
		if (n <= 0) {
			rc = HSA_RC(E_IO);
			goto out;
		}
	}
	if (lines.len != 0 && fdatasync(h->events) != 0)
		rc = HSA_RC(E_IO);
out:
	if (!hsa_is_ok(rc))
		hsa_diag_set(&h->why, "cannot write the events: %s",
		    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc));
	hsa_buf_free(&lines);
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
	if (h->events >= 0)
		HSA_TRY(rc, write_events(h, entries));
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
