#include "val_case.h"
#include "val_story.h"

/* Events of val_story.h that do not go together: two units take turns, so
 * event 2n is step n on the first; in their logs, record 2n + 2. */
#define STORY(id) VAL_##id, VAL_IBM_AT, false, VAL_BASE_STORY, 0, 0, 0
#define FAN(id, base, units)                                                   \
	VAL_##id, VAL_IBM_AT, false, VAL_BASE_##base, units, 0, 0
#define KEY(id) VAL_##id, VAL_IBM_AT, false, VAL_BASE_KEY, 0, 0, 0
#define LOG(id) VAL_##id, VAL_IBM_AT, false, VAL_BASE_LOG, 0, 0, 0
#define SET(event, at, to)                                                     \
	{                                                                      \
		VAL_EDIT_SET, event, at, to                                    \
	}
#define COPY(event, at, from)                                                  \
	{                                                                      \
		VAL_EDIT_COPY, event, at, from                                 \
	}
#define DROP(event, at)                                                        \
	{                                                                      \
		VAL_EDIT_DROP, event, at, NULL                                 \
	}
#define SKIP(event)                                                            \
	{                                                                      \
		VAL_EDIT_SKIP, event, NULL, NULL                               \
	}
#define REPEAT(event)                                                          \
	{                                                                      \
		VAL_EDIT_REPEAT, event, NULL, NULL                             \
	}
#define OTHER                                                                  \
	"\"00112233445566778899aabbccddeeff00112233445566778899aabb"           \
	"00000000\""

static const struct val_case cases[] = {
    {STORY(E11), "across-added", {SKIP(2)},
	"An administrator is in the list whom no event added.",
	"Every change of administrators leaves an event.",
	"responseData.adminIds"},
    {STORY(E11), "across-removed", {DROP(6, "responseData.adminIds[0]")},
	"An administrator is not in the list whom no event removed.",
	"List all administrators of the crypto unit.", "responseData.adminIds"},
    {STORY(E12), "across",
	{SET(8, "requestData.signatureThreshold", "4"),
	    SET(8, "responseData.signatureThreshold", "4")},
	"Four signatures are needed of three administrators.",
	"A crypto unit refuses that, 209 with 57.",
	"responseData.signatureThreshold"},
    {STORY(E12), "across-removal",
	{SET(8, "requestData.signatureThreshold", "3"),
	    SET(8, "responseData.signatureThreshold", "3")},
	"A removal leaves two administrators where three signatures are "
	"needed.",
	"A crypto unit refuses that, 209 with 66.", "requestData.adminId"},
    {STORY(E13), "across-pattern",
	{SET(14, "requestData.verificationPattern", OTHER)},
	"Another master key is committed than was loaded.",
	"Load, commit and activate carry one verification pattern.", NULL},
    {STORY(E13), "across-parts",
	{SET(14, "responseData.masterKeyIds[1]", OTHER)},
	"The committed master key has other parts than were loaded.",
	"List the parts of the load.", "responseData.masterKeyIds"},
    {FAN(E19, STORY, VAL_STORY_UNITS), "", {SKIP(30)},
	"Two crypto units were selected, and only one left an event of a "
	"command.",
	"Find out what became of the other one; collect its log, too.",
	"target.id"},
    {FAN(E19, LOG, VAL_STORY_UNITS), "log", {SKIP(35)},
	"Two crypto units were selected, and the log of one ends before a "
	"command that the other one has.",
	"Collect what followed.", "target.id"},
    {FAN(E19, STORY, 1), "not-selected", {{0}},
	"One crypto unit was selected, and two have events.",
	"Say --units of all that commands go to.", "target.id"},
    {LOG(E20), "gap", {SKIP(10)}, "A record is missing.",
	"Export a log without a filter.", "sequence"},
    {LOG(E20), "twice", {REPEAT(10)}, "A record is there twice.",
	"Leave out what was told again; its sequence is the same.", "sequence"},
    {LOG(E20), "epoch", {SET(10, "epoch", "2")},
	"Another epoch, and the unit did not start.",
	"An epoch begins with UNIT_START and has the next number.", NULL},
    {LOG(E20), "clock", {SET(10, "time", "\"2026-01-15T08:00:00.000000000Z\"")},
	"The wall clock was set back, and no record says so.",
	"A log has a CLOCK_STEP where that happens.", NULL},
    {LOG(E20), "boot-time",
	{SET(10, "bootTime", "\"1.000000000\""),
	    SET(10, "time", "\"2026-01-15T08:59:57.234567890Z\"")},
	"The time since start goes back, and the unit did not start.",
	"Order an export by its sequence.", NULL},
    {STORY(E26), "added-twice",
	{COPY(6, "requestData.adminId", "responseData.adminIds[0]"),
	    DROP(6, "responseData.adminIds[2]")},
	"An administrator is added who is there.",
	"A crypto unit refuses that, 256.", NULL},
    {STORY(E26), "removed", {SKIP(6)},
	"Somebody is removed whom no event added.",
	"Every change of administrators leaves an event; a crypto unit refuses "
	"to remove a stranger, 32.",
	"requestData.adminId"},
    {STORY(E27), "commit", {SKIP(24)},
	"A master key is committed that no event loaded.",
	"Every load leaves an event; commit what was loaded.", "action"},
    {STORY(E27), "activate", {SKIP(14)},
	"A master key is activated that no event committed.",
	"Every commit leaves an event; activate what was committed.", "action"},
    {STORY(E28), "",
	{SET(8, "action", "\"hs-crypto.tke-cryptounit.reset\""),
	    SET(8, "target.typeURI", "\"hs-crypto/tke-cryptounit\"")},
	"A master key is loaded after a reset, and no thresholds were set.",
	"Every change of thresholds leaves an event; a unit in imprint mode "
	"refuses the load, 179.",
	"action"},
    {STORY(W07), "load", {SKIP(16)},
	"A load over a master key that was committed and not activated.",
	"Clear the new register before, if the key is to be dropped.",
	"action"},
    {STORY(W08), "twice", {REPEAT(10)}, "An event comes twice.",
	"Leave out what was delivered again; its id is the same.", "id"},
    {STORY(W08), "order",
	{SET(20, "eventTime", "\"2026-01-15T08:00:00.00+0000\"")},
	"An event is before one that happened earlier.",
	"Sort an export by its events' times.", NULL},
    {LOG(W09), "", {SET(0, "special.name", "\"LOST_EVENTS\"")},
	"Calls were refused, and left no record.",
	"The record says how many; see why the log could not be written.",
	NULL},
    {KEY(W10), "destroyed", {SKIP(8)},
	"A key is in use that was deleted and not restored.",
	"Every restoration leaves an event.", "action"},
    {KEY(W10), "state", {SKIP(2)},
	"A key is suspended, and no event says when that happened.",
	"Every change of a key's state leaves an event.",
	"responseData.keyState"},
    {KEY(W11), "", {SKIP(5)},
	"A deletion is cancelled that nobody had authorized.",
	"Every authorization leaves an event.", "action"},
};

const struct val_case *
val_case_across(size_t *n)
{
	*n = sizeof(cases) / sizeof(cases[0]);
	return cases;
}
