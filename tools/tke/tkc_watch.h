/*
 * tkc_watch.h - the events of a ceremony as the collector received them: for
 * each step, the records that carry its command id.
 */
#ifndef TKC_WATCH_H
#define TKC_WATCH_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_event.h"
#include "tkc_fleet.h"
#include "vfy_log.h"

struct tkc_records { /* owned */
	struct hsa_record *r;
	size_t len;
};
void tkc_records_free(struct tkc_records *l);

struct tkc_watch {
	char *dir;         /* of the collector */
	uint64_t since_ns; /* records before that are history */
	struct {
		char id[TKC_UNIT_ID];
		struct vfy_follow *follow;  /* NULL: no folder yet */
		struct tkc_records strange; /* commands since then that are
					       nobody's in this ceremony */
	} unit[TKC_FLEET_MAX];
	size_t len;
};

/* tkc_watch_open(w, dir, diag) - E_CONFIG when dir cannot be read.
 * tkc_watch_add(w, id) - one more unit: its copy is DIR/<id>. */
HSA_MUST_USE hsa_rc tkc_watch_open(
    struct tkc_watch *w, const char *dir, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_watch_add(struct tkc_watch *w, const char *id);
void tkc_watch_close(struct tkc_watch *w);

/*
 * tkc_watch_gather(w, unit, got, command_id, want, wait_ms, diag) - append the
 * records with command_id; waits until there are `want`, then takes what more
 * has come. E_TIMEOUT when fewer came: got holds those. E_FORMAT: the copy is
 * damaged. Records of other commands go to strange.
 */
HSA_MUST_USE hsa_rc tkc_watch_gather(struct tkc_watch *w, size_t unit,
    struct tkc_records *got, const uint8_t command_id[HSA_UUID_LEN],
    size_t want, int wait_ms, struct hsa_diag *diag);

/* tkc_watch_path(b, w, unit) - DIR/<id> */
void tkc_watch_path(struct hsa_buf *b, const struct tkc_watch *w, size_t unit);

#endif
