/*
 * hsa_field_type.h - the types that the catalogue has for members of
 * requestData and responseData (hsa_field_spec.type): who builds an event and
 * who checks one go by the same table.
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
};

/* hsa_field_type(name) - NULL: the catalogue has no such type. */
const struct hsa_field_type *hsa_field_type(const char *name);

#endif
