/*
 * tkc_ceremony.h - a ceremony as one reviewable YAML file (tke-ceremony(5)):
 * who takes part, which key parts, which units, and step by step what is done
 * and what must happen. The whole file is checked before anything runs.
 */
#ifndef TKC_CEREMONY_H
#define TKC_CEREMONY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_catalogue.h"
#include "hsa_err.h"
#include "hsa_hash.h"

#define TKC_CEREMONY_MAX (1024u * 1024u) /* bytes of the file */
#define TKC_CEREMONY_UNITS 64
#define TKC_CEREMONY_STEPS 1000

struct tkc_c_unit { /* selects one unit; every member given must match */
	char *name; /* in this file */
	char *type; /* "operational", "recovery", "failover" */
	char *location;
	char *serial;
	uint32_t *number; /* as listed */
};

struct tkc_c_role {
	char *name, *person, *sigkey, *password_file;
};

struct tkc_c_part {
	char *name;   /* description of the key part */
	char *holder; /* role whose password protects it */
};

struct tkc_c_with { /* arguments of a step */
	char *role, *part, *type, *value_file, *ski;
	uint32_t *signature, *revocation;
	char **parts;
	unsigned int parts_count;
	bool random;
};

struct tkc_c_rehearse { /* to make a refusal happen */
	char **signers; /* exactly these roles sign */
	unsigned int signers_count;
	char *pattern;
	bool replay;
	bool unsigned_; /* nobody signs */
};

struct tkc_c_result { /* what one unit must do, where it differs */
	char *unit;
	char *outcome;
	uint32_t *rc, *reason;
};

struct tkc_c_expect {
	char *outcome; /* "success" or "refused" */
	char *action;  /* event, or special record, of the last command */
	uint32_t *rc, *reason;
	struct tkc_c_result *units;
	unsigned int units_count;
};

struct tkc_c_step {
	char *id, *title, *verb;
	char **who, **units; /* roles; unit names (none: all) */
	unsigned int who_count, units_count;
	struct tkc_c_with *with;
	struct tkc_c_rehearse *rehearse;
	struct tkc_c_expect *expect;
};

struct tkc_ceremony {
	char *name, *description, *files;
	struct tkc_c_unit *units;
	unsigned int units_count;
	struct tkc_c_role *roles;
	unsigned int roles_count;
	struct tkc_c_part *key_parts;
	unsigned int key_parts_count;
	struct tkc_c_step *steps;
	unsigned int steps_count;
};

/* tkc_ceremony_parse(c, yaml, n, diag) - schema and meaning; touches no file.
 * E_CONFIG with the step or line and the fix. Fuzzed. */
HSA_MUST_USE hsa_rc tkc_ceremony_parse(
    struct tkc_ceremony **c, const void *yaml, size_t n, struct hsa_diag *diag);
void tkc_ceremony_free(struct tkc_ceremony *c);

/* tkc_ceremony_check(c, diag) - the meaning: names are unique and known, verbs
 * have their arguments, expectations exist in the catalogue. */
HSA_MUST_USE hsa_rc tkc_ceremony_check(
    const struct tkc_ceremony *c, struct hsa_diag *diag);

/* ---- verbs that a step may do -------------------------------------------- */

enum tkc_c_arg { /* bits */
	TKC_ARG_ROLE = 1u << 0,
	TKC_ARG_PART = 1u << 1,
	TKC_ARG_PARTS = 1u << 2,
	TKC_ARG_TYPE = 1u << 3,
	TKC_ARG_VALUE = 1u << 4, /* random or value_file */
	TKC_ARG_THRESHOLDS = 1u << 5,
	TKC_ARG_SKI = 1u << 6,
	TKC_ARG_PATTERN = 1u << 7 /* rehearse.pattern */
};

struct tkc_c_verb {
	const char *name;
	uint32_t command;      /* TKE_CMD_*; 0: done without a command */
	unsigned int required; /* ROLE and SKI together: one of them */
	unsigned int optional;
};
const struct tkc_c_verb *tkc_c_verb_find(const char *name); /* or NULL */

const struct tkc_c_role *tkc_c_role_find(
    const struct tkc_ceremony *c, const char *name);
const struct tkc_c_part *tkc_c_part_find(
    const struct tkc_ceremony *c, const char *name);
/* index in c->units, or units_count */
size_t tkc_c_unit_index(const struct tkc_ceremony *c, const char *name);

/* What a step expects of one unit; rc and reason are only meant when their
 * flag is set. */
struct tkc_c_expected {
	bool success, has_rc, has_reason;
	uint32_t rc, reason;
	const char *action; /* NULL: what the command's row says */
};
void tkc_c_expected(
    struct tkc_c_expected *e, const struct tkc_c_step *step, const char *unit);

#endif
