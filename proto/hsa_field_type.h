/*
 * hsa_field_type.h - the types that the catalogue has for members of
 * requestData and responseData (hsa_field_spec.type): who builds an event, who
 * checks one and who describes one go by the same table.
 */
#ifndef HSA_FIELD_TYPE_H
#define HSA_FIELD_TYPE_H
#include <stdbool.h>
#include "hsa_event.h"

struct hsa_field_type {
	const char *name; /* "hex64[]" */
	enum hsa_value_kind kind;
	bool (*fits)(const char *s); /* of a text, or each text of a list */
	const char *form;            /* for a person: "must be ..." */
	/* the same as fits, as a regular expression that POSIX (extended, C
	 * locale) and ECMA-262 read alike; NULL: any text, or no text */
	const char *pattern;
};

/* a day that the calendar has, as such an expression */
#define HSA_PATTERN_DAY                                                        \
	"(([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|"               \
	"(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])))|"       \
	"([0-9]{2}(0[48]|[2468][048]|[13579][26])|"                            \
	"([02468][048]|[13579][26])00)-02-29)"

/* hsa_field_type(name) - NULL: the catalogue has no such type. */
const struct hsa_field_type *hsa_field_type(const char *name);

#endif
