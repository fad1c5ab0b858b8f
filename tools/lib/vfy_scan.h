/*
 * vfy_scan.h - is this a well-formed Record (FORMAT.md E1 to E5, V4), and
 * what does it say that the rules between records need? Reads the bytes in
 * place by a table of audit.proto, without allocation: a second reading of
 * the format beside hsa_record_decode, and fast enough for every record.
 */
#ifndef VFY_SCAN_H
#define VFY_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_event.h"

struct vfy_seen {
	uint64_t sequence, epoch, source_sequence;
	enum hsa_source source;
	const uint8_t *unit_id; /* in the input; NULL of a compact record, and
				   its epoch 0: they are its context's */
	uint64_t context;       /* that it names; 0: not compact */
	enum hsa_body body;
	bool use;               /* the event is of an EP11 call */
	const uint8_t *special; /* its bytes in the input, or NULL */
	size_t special_len;
};

/*
 * vfy_scan_record(to, why, p, n) - E_FORMAT or E_RANGE with why set to what
 * is wrong, in words, a static string.
 */
HSA_MUST_USE hsa_rc vfy_scan_record(
    struct vfy_seen *to, const char **why, const void *p, size_t n);

/* vfy_scan_unit_start(r) - is the record that was seen a UNIT_START? */
bool vfy_scan_unit_start(const struct vfy_seen *r);
/* vfy_scan_segment_opened(r) - or a SEGMENT_OPENED? */
bool vfy_scan_segment_opened(const struct vfy_seen *r);
/* vfy_scan_new_chain(r) - or a NEW_CHAIN? */
bool vfy_scan_new_chain(const struct vfy_seen *r);

#endif
