/* The schema of a ceremony file; its meaning is checked in
 * tkc_ceremony_check.c. */
#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tkc_ceremony.h"

#define MUST CYAML_FLAG_POINTER
#define MAY (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define NAME_MAX_CHARS 64
#define TEXT_MAX_CHARS 4096
#define LIST_MAX 64

/* libcyaml's own booleans take every unknown word for true. */
static const cyaml_strval_t truths[] = {
    {"false", 0},
    {"true", 1},
};
#define TRUTH(key, type, member)                                               \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, type,   \
	    member, truths, CYAML_ARRAY_LEN(truths))

static const cyaml_schema_value_t name_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, NAME_MAX_CHARS),
};

static const cyaml_schema_field_t unit_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"name", MUST, struct tkc_c_unit, name, 1, NAME_MAX_CHARS),
    CYAML_FIELD_STRING_PTR("type", MAY, struct tkc_c_unit, type, 1, 16),
    CYAML_FIELD_STRING_PTR(
	"location", MAY, struct tkc_c_unit, location, 1, 127),
    CYAML_FIELD_STRING_PTR("serial", MAY, struct tkc_c_unit, serial, 1, 8),
    CYAML_FIELD_UINT_PTR("number", MAY, struct tkc_c_unit, number),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t unit_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tkc_c_unit, unit_fields),
};

static const cyaml_schema_field_t role_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"name", MUST, struct tkc_c_role, name, 1, NAME_MAX_CHARS),
    CYAML_FIELD_STRING_PTR("person", MUST, struct tkc_c_role, person, 1, 128),
    CYAML_FIELD_STRING_PTR("sigkey", MAY, struct tkc_c_role, sigkey, 1, 30),
    CYAML_FIELD_STRING_PTR(
	"password_file", MAY, struct tkc_c_role, password_file, 1, 1024),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t role_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tkc_c_role, role_fields),
};

static const cyaml_schema_field_t part_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"name", MUST, struct tkc_c_part, name, 1, NAME_MAX_CHARS),
    CYAML_FIELD_STRING_PTR(
	"holder", MUST, struct tkc_c_part, holder, 1, NAME_MAX_CHARS),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t part_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tkc_c_part, part_fields),
};

static const cyaml_schema_field_t with_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"role", MAY, struct tkc_c_with, role, 1, NAME_MAX_CHARS),
    CYAML_FIELD_STRING_PTR(
	"part", MAY, struct tkc_c_with, part, 1, NAME_MAX_CHARS),
    CYAML_FIELD_SEQUENCE_COUNT(
	"parts", MAY, struct tkc_c_with, parts, parts_count, &name_entry, 1, 3),
    CYAML_FIELD_STRING_PTR("type", MAY, struct tkc_c_with, type, 1, 16),
    CYAML_FIELD_STRING_PTR(
	"value_file", MAY, struct tkc_c_with, value_file, 1, 1024),
    CYAML_FIELD_STRING_PTR("ski", MAY, struct tkc_c_with, ski, 64, 64),
    CYAML_FIELD_UINT_PTR("signature", MAY, struct tkc_c_with, signature),
    CYAML_FIELD_UINT_PTR("revocation", MAY, struct tkc_c_with, revocation),
    TRUTH("random", struct tkc_c_with, random),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t rehearse_fields[] = {
    CYAML_FIELD_SEQUENCE_COUNT("signers", MAY, struct tkc_c_rehearse, signers,
	signers_count, &name_entry, 1, LIST_MAX),
    CYAML_FIELD_STRING_PTR(
	"pattern", MAY, struct tkc_c_rehearse, pattern, 64, 64),
    TRUTH("replay", struct tkc_c_rehearse, replay),
    TRUTH("unsigned", struct tkc_c_rehearse, unsigned_),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t result_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"unit", MUST, struct tkc_c_result, unit, 1, NAME_MAX_CHARS),
    CYAML_FIELD_STRING_PTR(
	"outcome", MUST, struct tkc_c_result, outcome, 1, 16),
    CYAML_FIELD_UINT_PTR("rc", MAY, struct tkc_c_result, rc),
    CYAML_FIELD_UINT_PTR("reason", MAY, struct tkc_c_result, reason),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t result_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tkc_c_result, result_fields),
};

static const cyaml_schema_field_t expect_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"outcome", MUST, struct tkc_c_expect, outcome, 1, 16),
    CYAML_FIELD_STRING_PTR("action", MAY, struct tkc_c_expect, action, 1, 80),
    CYAML_FIELD_UINT_PTR("rc", MAY, struct tkc_c_expect, rc),
    CYAML_FIELD_UINT_PTR("reason", MAY, struct tkc_c_expect, reason),
    CYAML_FIELD_SEQUENCE_COUNT("units", MAY, struct tkc_c_expect, units,
	units_count, &result_entry, 1, TKC_CEREMONY_UNITS),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t step_fields[] = {
    CYAML_FIELD_STRING_PTR("id", MUST, struct tkc_c_step, id, 1, 32),
    CYAML_FIELD_STRING_PTR("title", MUST, struct tkc_c_step, title, 1, 256),
    CYAML_FIELD_STRING_PTR("do", MUST, struct tkc_c_step, verb, 1, 32),
    CYAML_FIELD_SEQUENCE_COUNT("who", MUST, struct tkc_c_step, who, who_count,
	&name_entry, 1, LIST_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("units", MAY, struct tkc_c_step, units,
	units_count, &name_entry, 1, TKC_CEREMONY_UNITS),
    CYAML_FIELD_MAPPING_PTR("with", MAY, struct tkc_c_step, with, with_fields),
    CYAML_FIELD_MAPPING_PTR(
	"rehearse", MAY, struct tkc_c_step, rehearse, rehearse_fields),
    CYAML_FIELD_MAPPING_PTR(
	"expect", MUST, struct tkc_c_step, expect, expect_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t step_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tkc_c_step, step_fields),
};

static const cyaml_schema_field_t top_fields[] = {
    CYAML_FIELD_STRING_PTR("name", MUST, struct tkc_ceremony, name, 1, 128),
    CYAML_FIELD_STRING_PTR("description", MAY, struct tkc_ceremony, description,
	0, TEXT_MAX_CHARS),
    CYAML_FIELD_STRING_PTR("files", MAY, struct tkc_ceremony, files, 1, 1024),
    CYAML_FIELD_SEQUENCE_COUNT("units", MUST, struct tkc_ceremony, units,
	units_count, &unit_entry, 1, TKC_CEREMONY_UNITS),
    CYAML_FIELD_SEQUENCE_COUNT("roles", MUST, struct tkc_ceremony, roles,
	roles_count, &role_entry, 1, LIST_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("key_parts", MAY, struct tkc_ceremony, key_parts,
	key_parts_count, &part_entry, 1, LIST_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("steps", MUST, struct tkc_ceremony, steps,
	steps_count, &step_entry, 1, TKC_CEREMONY_STEPS),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t top_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct tkc_ceremony, top_fields),
};

/* libcyaml explains itself in several log lines; they become one sentence. */
static __attribute__((format(printf, 3, 0))) void
on_log(cyaml_log_t level, void *ctx, const char *fmt, va_list ap)
{
	struct hsa_diag *said = ctx;
	size_t used = strlen(said->text), n = 0;
	char line[256] = "";
	const char *at = line;

	if (level < CYAML_LOG_ERROR)
		return;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	if (strncmp(at, "Load: ", 6) == 0)
		at += 6;
	at += strspn(at, " ");
	n = strcspn(at, "\n");
	if (strncmp(at, "Backtrace", 9) == 0)
		return;
	(void)snprintf(said->text + used, sizeof(said->text) - used, "%s%.*s",
	    used == 0 ? "" : ", ", (int)n, at);
}

static cyaml_config_t
config(struct hsa_diag *said)
{
	return (cyaml_config_t){.log_fn = on_log,
	    .log_ctx = said,
	    .log_level = CYAML_LOG_ERROR,
	    .mem_fn = cyaml_mem,
	    .flags = CYAML_CFG_NO_ALIAS};
}

hsa_rc
tkc_ceremony_parse(struct tkc_ceremony **out, const void *yaml, size_t n,
    struct hsa_diag *diag)
{
	struct hsa_diag said = {.text = ""};
	cyaml_config_t cfg = config(&said);
	cyaml_data_t *data = NULL;
	struct tkc_ceremony *c = NULL;
	cyaml_err_t err;
	hsa_rc rc;

	if (n == 0 || n > TKC_CEREMONY_MAX)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "a ceremony file has 1 to %u bytes", TKC_CEREMONY_MAX);
	err = cyaml_load_data(yaml, n, &cfg, &top_schema, &data, NULL);
	if (err != CYAML_OK)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s: %s; tke-ceremony(5) lists every key",
		    cyaml_strerror(err), said.text);
	c = data;
	if (c == NULL)
		return hsa_fail(
		    diag, HSA_RC(E_CONFIG), "the file holds no ceremony");
	HSA_TRY(rc, tkc_ceremony_check(c, diag));
	*out = c;
	c = NULL;
out:
	tkc_ceremony_free(c);
	return rc;
}

void
tkc_ceremony_free(struct tkc_ceremony *c)
{
	struct hsa_diag said = {.text = ""};
	cyaml_config_t cfg = config(&said);

	if (c != NULL)
		(void)cyaml_free(&cfg, &top_schema, c, 0);
}
