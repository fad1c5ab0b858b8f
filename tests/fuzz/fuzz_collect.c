/* Covers: col_peer_feed col_hub_unit col_hub_keep vfy_state_record */
/*
 * A peer that says anything, in pieces: the collector must end with a copy
 * that verifies, or none, and acknowledge nothing that is not in it.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "col_peer.h"
#include "vfy_log.h"
#include "vfy_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Public half of the key that signed the corpus. */
static const char key_line[] =
    "cryptounit/01010101-0101-0101-0101-010101010101+"
    "93f1c415+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

static char base[64], out[80], copy[160];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
finish(void)
{
	(void)nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Everything sent back is a frame, and an Ack never says more than is kept. */
static void
check_answers(const struct hsa_buf *b, uint64_t kept)
{
	struct hsa_frame f;
	size_t at = 0, used;

	for (; at < b->len; at += used) {
		if (!hsa_is_ok(
			hsa_frame_decode(&f, &used, b->p + at, b->len - at)))
			abort();
		if (f.kind == HSA_FRAME_ACK && f.sequence > kept)
			abort();
		hsa_frame_free(&f);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vfy_keys keys;
	struct vfy_options opt = {.keys = &keys};
	struct hsa_diag diag = {{0}};
	struct col_hub hub;
	struct col_peer p;
	struct vfy_result res = {0};
	size_t piece = size == 0 ? 1 : 1 + data[0] * 8u;

	if (base[0] == '\0') {
		(void)snprintf(base, sizeof(base), "/dev/shm/fuzz-XXXXXX");
		if (mkdtemp(base) == NULL ||
		    !hsa_is_ok(vfy_keys_parse(
			&keys, key_line, sizeof(key_line) - 1, &diag)))
			abort();
		(void)snprintf(out, sizeof(out), "%s/out", base);
		(void)snprintf(copy, sizeof(copy), "%s/%s", out,
		    keys.key[0].origin + strlen("cryptounit/"));
		(void)atexit(finish);
	}
	(void)nftw(out, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (!hsa_is_ok(col_hub_open(&hub, out, &keys, &diag)))
		abort();
	col_peer_init(&p, &hub);
	for (size_t at = 1; at < size && !p.done; at += piece)
		col_peer_feed(
		    &p, data + at, size - at < piece ? size - at : piece);
	if (!hsa_is_ok(col_hub_sync(&hub)))
		abort();
	col_peer_synced(&p);
	if (access(copy, F_OK) == 0 &&
	    (!hsa_is_ok(vfy_log(&res, copy, &opt, &diag)) || res.bad))
		abort();
	if (hub.stored != res.sealed)
		abort();
	check_answers(&p.out, res.sealed);
	col_peer_free(&p);
	if (hub.pending != 0)
		abort();
	col_hub_close(&hub);
	return 0;
}
