/*
 * val_cadf.h - events of DMTF DSP0262 1.0.0 (CADF): the members of each of its
 * types (val_cadf.def), its vocabularies, and what depends on what. An event
 * that `hsa export --format cadf-1.0` wrote carries what it was in an
 * attachment, so the rules for that apply as well.
 */
#ifndef VAL_CADF_H
#define VAL_CADF_H
#include <stdbool.h>
#include "val_check.h"
#include "val_event.h"

#define VAL_CADF_EVENT "http://schemas.dmtf.org/cloud/audit/1.0/event"
#define VAL_CADF_HTTP                                                          \
	"http://www.iana.org/assignments/http-status-codes/"                   \
	"http-status-codes.xml"
/* typeURI of the attachments that the export adds */
#define VAL_CADF_HS_EVENT "urn:cryptounit:hs-crypto-event:1"
#define VAL_CADF_HS_RECORD "urn:cryptounit:record:1"

/*
 * val_cadf_check(cfg, j, r) - the tree, whose root is an object, as CADF: E01,
 * E02, E04, E40, E41.
 * val_cadf_map(e, cfg, j) - fill e in with what the event was before it was
 * exported, as far as it says so; fields are where CADF has them. True: it is
 * one of hs-crypto, and the rules for events apply but for the form of its
 * time, which is CADF's; target.typeURI is left out, as CADF's roots stand
 * before it, and checked by val_cadf_target(e, j, r): E15.
 */
void val_cadf_check(const struct val_config *cfg, const struct val_json *j,
    struct val_report *r);
bool val_cadf_map(struct val_event *e, const struct val_config *cfg,
    const struct val_json *j);
void val_cadf_target(const struct val_event *e, struct val_report *r);

#endif
