/* tkc_ceremony.h: its tables and what its names stand for. */
#include <string.h>

#include "tkc_ceremony.h"
#include "tke_wire.h"

#define NO_COMMAND 0u

static const struct tkc_c_verb verbs[] = {
    {"sigkey-add", NO_COMMAND, TKC_ARG_ROLE, TKC_ARG_TYPE},
    {"mk-add", NO_COMMAND, TKC_ARG_PART | TKC_ARG_VALUE, 0},
    {"cryptounit-compare", NO_COMMAND, 0, 0},
    {"cryptounit-admin-add", TKE_CMD_ADMIN_ADD, TKC_ARG_ROLE, 0},
    {"cryptounit-admin-rm", TKE_CMD_ADMIN_REMOVE, TKC_ARG_ROLE | TKC_ARG_SKI,
	0},
    {"cryptounit-thrhld-set", TKE_CMD_SET_ATTRIBUTES, TKC_ARG_THRESHOLDS, 0},
    {"cryptounit-mk-load", TKE_CMD_WK_IMPORT, TKC_ARG_PARTS, 0},
    {"cryptounit-mk-commit", TKE_CMD_WK_COMMIT, 0, TKC_ARG_PATTERN},
    {"cryptounit-mk-setimm", TKE_CMD_WK_FINALIZE, 0, TKC_ARG_PATTERN},
    {"cryptounit-mk-clrnew", TKE_CMD_WK_CLEAR_PENDING, 0, 0},
    {"cryptounit-mk-clrcur", TKE_CMD_WK_CLEAR_CURRENT, 0, 0},
    {"cryptounit-zeroize", TKE_CMD_ZEROIZE, 0, 0},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

const struct tkc_c_verb *
tkc_c_verb_find(const char *name)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

const struct tkc_c_role *
tkc_c_role_find(const struct tkc_ceremony *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->roles_count; i++)
		if (strcmp(c->roles[i].name, name) == 0)
			return &c->roles[i];
	return NULL;
}

const struct tkc_c_part *
tkc_c_part_find(const struct tkc_ceremony *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->key_parts_count; i++)
		if (strcmp(c->key_parts[i].name, name) == 0)
			return &c->key_parts[i];
	return NULL;
}

size_t
tkc_c_unit_index(const struct tkc_ceremony *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->units_count; i++)
		if (strcmp(c->units[i].name, name) == 0)
			break;
	return i;
}

void
tkc_c_expected(
    struct tkc_c_expected *e, const struct tkc_c_step *step, const char *unit)
{
	const struct tkc_c_expect *x = step->expect;
	const char *outcome = x->outcome;
	const uint32_t *rc = x->rc, *reason = x->reason;
	size_t i;

	for (i = 0; i < x->units_count; i++)
		if (strcmp(x->units[i].unit, unit) == 0) {
			outcome = x->units[i].outcome;
			rc = x->units[i].rc;
			reason = x->units[i].reason;
		}
	*e = (struct tkc_c_expected){.success = strcmp(outcome, "success") == 0,
	    .has_rc = rc != NULL,
	    .has_reason = reason != NULL,
	    .rc = rc == NULL ? 0 : *rc,
	    .reason = reason == NULL ? 0 : *reason,
	    .action = x->action};
}
