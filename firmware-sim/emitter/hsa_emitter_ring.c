/* Where the ring of an emitter is, and what none of its runs could record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_emitter_impl.h"
#include "slog_ring.h"

#define UNRECORDED "unrecorded"
#define FOLDER "/dev/shm"
#define NOTE_MAX 4096u
#define NUMBER_MAX 21u

/* linux/magic.h; what a mapping of costs memory and no disk */
#define TMPFS 0x01021994
#define RAMFS 0x858458f6

static hsa_rc
read_note(struct hsa_buf *b, const struct hsa_emitter *e, const char *name,
    size_t max, struct hsa_diag *diag)
{
	hsa_rc rc = hsa_emitter_file_read(b, e->home.dir, name, max, 077);

	if (!hsa_is_ok(rc) && rc.v != HSA_E_NOT_FOUND && rc.v != HSA_E_NOMEM)
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "the file `%s` of the folder cannot be read: %s; fix: "
		    "chmod 600, or put it back",
		    name, hsa_err_text(rc));
	return rc;
}

static hsa_rc
write_note(struct hsa_emitter *e, const char *name, const struct hsa_buf *b,
    struct hsa_diag *diag)
{
	if (hsa_is_ok(hsa_emitter_file_make(e->home.dir, name, b->p, b->len)))
		return HSA_OK;
	return hsa_fail(diag, HSA_RC(E_IO),
	    "cannot write the file `%s` of the folder: %s", name,
	    strerror(errno));
}

static hsa_rc
folder_check(const char *dir, struct hsa_diag *diag)
{
	struct statfs fs;

	if (statfs(dir, &fs) != 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "%s: cannot look at the folder of the ring: %s", dir,
		    strerror(errno));
	if (fs.f_type != TMPFS && fs.f_type != RAMFS)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s is not in memory, and the disk would make callers of a "
		    "ring there wait; fix: a folder on tmpfs, as /dev/shm",
		    dir);
	return HSA_OK;
}

static hsa_rc
name_new(struct hsa_buf *b, const struct hsa_emitter *e, const char *dir,
    struct hsa_diag *diag)
{
	char id[HSA_UUID_TEXT];
	hsa_rc rc;

	HSA_TRY(rc, folder_check(dir, diag));
	hsa_uuid_text(id, e->home.id);
	hsa_buf_printf(
	    b, "%s/cryptounit-%u-%s.ring", dir, (unsigned int)geteuid(), id);
	rc = hsa_buf_rc(b);
	if (hsa_is_ok(rc) && b->len > NOTE_MAX)
		rc = hsa_fail(diag, HSA_RC(E_RANGE),
		    "ring_dir is longer than %u bytes; fix: another folder",
		    NOTE_MAX);
out:
	return rc;
}

hsa_rc
hsa_emitter_ring_name(struct hsa_buf *b, const struct hsa_emitter *e,
    const struct hsa_emitter_config *cfg, struct hsa_diag *diag)
{
	if (cfg->mode != HSA_EMITTER_RING)
		return HSA_OK;
	return name_new(
	    b, e, cfg->ring_dir == NULL ? FOLDER : cfg->ring_dir, diag);
}

hsa_rc
hsa_emitter_ring_slots(uint32_t *slots, size_t bytes, struct hsa_diag *diag)
{
	uint32_t n = SLOG_RING_SLOTS_MIN;

	if (bytes == 0)
		n = SLOG_RING_SLOTS;
	else if (bytes > (size_t)SLOG_RING_SLOTS_MAX * SLOG_RING_SLOT)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "a ring has at most %zu bytes; fix: less, or 0",
		    (size_t)SLOG_RING_SLOTS_MAX * SLOG_RING_SLOT);
	while (bytes != 0 && (size_t)n * SLOG_RING_SLOT < bytes)
		n *= 2;
	*slots = n;
	return HSA_OK;
}

/* ---- events that no log could take --------------------------------------- */

hsa_rc
hsa_emitter_unrecorded_read(
    uint64_t *n, const struct hsa_emitter *e, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	*n = 0;
	rc = read_note(&b, e, UNRECORDED, NUMBER_MAX, diag);
	if (rc.v == HSA_E_NOT_FOUND)
		rc = HSA_OK;
	else if (hsa_is_ok(rc))
		*n = strtoull(hsa_buf_cstr(&b), NULL, 10);
	hsa_buf_free(&b);
	return rc;
}

void
hsa_emitter_unrecorded_write(struct hsa_emitter *e, uint64_t n)
{
	struct hsa_buf b = {0};

	if (n == 0)
		(void)unlinkat(e->home.dir, UNRECORDED, 0);
	else {
		hsa_buf_printf(&b, "%llu\n", (unsigned long long)n);
		if (hsa_is_ok(hsa_buf_rc(&b)))
			(void)write_note(e, UNRECORDED, &b, NULL);
	}
	hsa_buf_free(&b);
}
