/*
 * val_event.h - an event as the rules see it: its tree, its known fields by
 * name, and what the catalogue says of its action.
 */
#ifndef VAL_EVENT_H
#define VAL_EVENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_catalogue.h"
#include "val_json.h"

enum val_field {
	VAL_F_ROOT = 0,
#define VAL_FIELD(ID, ...) VAL_F_##ID,
#include "val_field.def"
#undef VAL_FIELD
	VAL_FIELDS
};

enum val_need {
	VAL_ALWAYS = 1,
	VAL_RULE,
	VAL_MAY
};
#define VAL_K_NULL (1u << VAL_NULL)
#define VAL_K_BOOL (1u << VAL_BOOL)
#define VAL_K_NUMBER (1u << VAL_NUMBER)
#define VAL_K_TEXT (1u << VAL_TEXT)
#define VAL_K_OBJECT (1u << VAL_OBJECT)

struct val_field_row {
	enum val_field parent;
	const char *name, *path;
	size_t name_len;
	unsigned int kinds;
	enum val_need need;
};
/* val_field_row(f) - f is not VAL_F_ROOT. */
const struct val_field_row *val_field_row(enum val_field f);

enum val_profile {
	VAL_IBM_AT = 1, /* as services emit it */
	VAL_AT_EXPORT,  /* wrapped by a collector, data as strings */
	VAL_UNIT,       /* of a crypto unit, within its record */
	VAL_CADF_1_0    /* DMTF DSP0262 1.0.0: val_cadf.h */
};

/* val_profile_name(p) - of --profile. val_profile_find(p, name) - false: there
 * is none of that name. */
const char *val_profile_name(enum val_profile p);
bool val_profile_find(enum val_profile *p, const char *name);

struct val_config {
	enum val_profile profile;
	bool strict;
	bool private_network; /* an event without a host's address is right */
	bool across;          /* and what events say to each other */
};

/* Outcome, as far as the event says one. */
enum val_outcome {
	VAL_OUTCOME_NONE = 0,
	VAL_OUTCOME_SUCCESS,
	VAL_OUTCOME_FAILURE,
	VAL_OUTCOME_PENDING
};

struct val_envelope;

struct val_event {
	const struct val_config *cfg;
	const struct val_json *json;
	const struct val_envelope *envelope; /* NULL: none */
	/* only values of a kind that the field may have; NULL: none */
	const struct val_node *field[VAL_FIELDS];
	const struct hsa_action_row *row; /* NULL: unknown action */
	bool old_name;                    /* row found by a former name */
	bool tke;
	enum val_outcome outcome;
	bool has_code;
	int64_t code; /* reason.reasonCode */
};

struct val_report;

/*
 * val_event_read(e, report, cfg, json) - fill e in from a tree whose root is an
 * object, reporting E01 and E02 of what has no place or no fitting value.
 */
void val_event_read(struct val_event *e, struct val_report *report,
    const struct val_config *cfg, const struct val_json *json);

/* val_event_known(e) - from its fields: outcome, and the row of its action. */
void val_event_known(struct val_event *e);

/* val_get(e, f) - the string of a field, or NULL. */
const char *val_get(const struct val_event *e, enum val_field f);

#endif
