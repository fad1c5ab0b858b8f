/*
 * val_envelope.h - what a sealed record says around its event: of a log that
 * is read as such, and of the JSON lines of `hsa export --format envelope`
 * (hsa_json.h), which are unwrapped here. FORMAT.md section 1.
 */
#ifndef VAL_ENVELOPE_H
#define VAL_ENVELOPE_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_err.h"

struct hsa_record;
struct val_json;
struct val_report;

struct val_envelope {
	uint8_t unit_id[16];
	uint64_t epoch, sequence, source, source_sequence, wall_ns, mono_ns;
	uint32_t ep11_rc, ep11_reason;
	bool has_command_id;
	uint8_t command_id[16];
	bool special;  /* no event: a special record, or a context */
	char name[64]; /* of a special record; "": it is a context */
};

/* val_envelope_of(to, r) - of a record as a reader sees it (hsa_contexts.h). */
void val_envelope_of(struct val_envelope *to, const struct hsa_record *r);

/*
 * val_envelope_is(j, event) - the tree is a record's, not an event's; event:
 * and there is one in it. val_envelope_unwrap(to, j, r) - of such a tree: what
 * it says into to, E36 where it says nothing of the kind; the event becomes
 * the root. A special record or a context leaves j as it is.
 */
bool val_envelope_is(const struct val_json *j, bool *event);
void val_envelope_unwrap(
    struct val_envelope *to, struct val_json *j, struct val_report *r);

#endif
