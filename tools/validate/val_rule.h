/*
 * val_rule.h - the rules for one event by itself. Each looks at what it needs,
 * is quiet about what is missing (E02 tells that) and reports the rest.
 */
#ifndef VAL_RULE_H
#define VAL_RULE_H
#include "val_check.h"
#include "val_event.h"

/* val_rule_json(j, r) - E01: the tree's own flaws. */
void val_rule_json(const struct val_json *j, struct val_report *r);

typedef void val_rule(const struct val_event *e, struct val_report *r);

val_rule val_rule_action;   /* E03, W03, W04 */
val_rule val_rule_time;     /* E04 */
val_rule val_rule_outcome;  /* E05, E06, E07, W06 */
val_rule val_rule_values;   /* E25 */
val_rule val_rule_severity; /* E14, W01 */
val_rule val_rule_message;  /* W02 */
val_rule val_rule_data;     /* E09, E10, E22, E23, W05 */
val_rule val_rule_tke;      /* E08, E11, E12, E13 */
val_rule val_rule_target;   /* E15, E16, E21, E24 */
val_rule val_rule_host;     /* E17, E42 */
val_rule val_rule_secret;   /* E18 */
val_rule val_rule_unit;     /* profile unit: E03, E36 to E39, W13 */

#endif
