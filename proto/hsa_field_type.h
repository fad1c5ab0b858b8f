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

/* hsa_field_type(name) - NULL: the catalogue has no such type. */
const struct hsa_field_type *hsa_field_type(const char *name);

#endif
