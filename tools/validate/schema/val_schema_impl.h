/*
 * val_schema_impl.h - the parts of val_schema: a writer that knows what is
 * wanted, and who writes which rules.
 */
#ifndef VAL_SCHEMA_IMPL_H
#define VAL_SCHEMA_IMPL_H
#include "hsa_json.h"
#include "val_schema.h"

struct sch {
	struct hsa_jw w;
	const struct val_config *cfg;
	bool warnings;
	bool said[VAL_CHECKS]; /* named in a $comment */
};

/* sch_wants(s, c) - it is an error in this mode, or warnings are wanted. */
bool sch_wants(const struct sch *s, enum val_check c);

/* An object; then n of them end. */
void sch_open(struct sch *s, const char *key);
void sch_close(struct sch *s, unsigned int n);
/* {"$comment": the check, "type": type (NULL: none) ... - to be closed. */
void sch_check(
    struct sch *s, const char *key, enum val_check c, const char *type);
/* "if":{"type":type},"then": sch_check ... - to be closed: values of other
 * types are told by who wants the type. */
void sch_guard(struct sch *s, enum val_check c, const char *type);
/* "$comment": the check, "not": {"type": type}. */
void sch_never(struct sch *s, enum val_check c, const char *type);
/* "if"/key: {"$ref": "#/$defs/name"}. */
void sch_ref(struct sch *s, const char *key, const char *name);
/* key: ["a", ...] of a list that NULL ends. */
void sch_list(struct sch *s, const char *key, const char *const *list);
/* key: ["name"]. */
void sch_required(struct sch *s, const char *name);
/* ranges of codes that fit an outcome: "anyOf":[{"minimum":..}..] */
void sch_codes(struct sch *s, enum val_outcome o);

/*
 * sch_field(s, f) - "properties":{... down to the field, {: how many objects
 * are open then. Objects on the way that are none are E02's.
 * sch_present(s, f, c) - the same, but that it is not there fails as c.
 */
unsigned int sch_field(struct sch *s, enum val_field f);
unsigned int sch_present(struct sch *s, enum val_field f, enum val_check c);

/*
 * For rules, each one a member of an "allOf". sch_string(s, f, c) - about a
 * string, open at the keyword; returns how many objects are to be closed.
 * sch_pattern - the whole of one.
 */
unsigned int sch_string(struct sch *s, enum val_field f, enum val_check c);
void sch_pattern(
    struct sch *s, enum val_field f, enum val_check c, const char *pattern);
/* sch_within(s, data) - sch_field of requestData or responseData, for when it
 * is an object. sch_begin(s, key, data) - of a rule that demands data: *key is
 * to be used for it. A string of a collector's cannot be looked into, so it is
 * an "else" there. Both return how many objects are to be closed.
 * sch_when_success(s, key, c) - {"if": a success, "then": sch_check ... */
unsigned int sch_within(struct sch *s, enum val_field data);
unsigned int sch_begin(struct sch *s, const char **key, enum val_field data);
void sch_when_success(struct sch *s, const char *key, enum val_check c);
bool sch_is_tke(const struct hsa_action_row *row);

/* ---- the parts ----------------------------------------------------------- */

void sch_fields(struct sch *s); /* root: E01, E02 */
void sch_rules(struct sch *s);  /* for every event */
void sch_crns(struct sch *s);
void sch_host(struct sch *s);
void sch_vcenter(struct sch *s);
void sch_action(struct sch *s, const struct hsa_action_row *row);
void sch_data(struct sch *s, const struct hsa_action_row *row);
/* members of $defs: what several rules use */
void sch_defs(struct sch *s);
void sch_no_secret(struct sch *s);
void sch_severities(struct sch *s);
void sch_types(struct sch *s);

#endif
