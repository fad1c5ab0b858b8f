#include <string.h>

#include "hsa_catalogue.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct hsa_action_row rows[] = {
#define HSA_ACTION(code, NAME, ...) {HSA_ACTION_##NAME, __VA_ARGS__},
#include "event.def"
#undef HSA_ACTION
};

/* Beside the rows, because most names differ in length already: validators
 * look up one name per event. */
static const size_t name_len[] = {
#define HSA_ACTION(code, NAME, name, ...) sizeof(name) - 1,
#include "event.def"
#undef HSA_ACTION
};

const struct hsa_action_row *
hsa_catalogue(size_t *n)
{
	*n = LEN(rows);
	return rows;
}

const struct hsa_action_row *
hsa_catalogue_by_code(enum hsa_action code)
{
	for (size_t i = 0; i < LEN(rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

const struct hsa_action_row *
hsa_catalogue_by_name(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < LEN(rows); i++)
		if (name_len[i] == n && memcmp(rows[i].name, name, n) == 0)
			return &rows[i];
	return NULL;
}

const struct hsa_action_row *
hsa_catalogue_by_old_name(const char *name)
{
	if (name[0] == '\0')
		return NULL;
	for (size_t i = 0; i < LEN(rows); i++)
		if (strcmp(rows[i].old_name, name) == 0)
			return &rows[i];
	return NULL;
}

bool
hsa_field_spec_next(const char *list, size_t *at, struct hsa_field_spec *spec)
{
	struct hsa_field_spec s = {0};
	const char *item = list + *at;
	size_t len = strcspn(item, ",");
	size_t name = strcspn(item, ":,");
	size_t type = 0;

	if (len == 0 || name == 0 || name >= len || name >= sizeof(s.name))
		return false;
	type = len - name - 1;
	s.optional = type != 0 && item[len - 1] == '?';
	if (s.optional)
		type--;
	if (type == 0 || type >= sizeof(s.type))
		return false;
	memcpy(s.name, item, name);
	memcpy(s.type, item + name + 1, type);
	*spec = s;
	*at += len + (item[len] == ',');
	return true;
}

/* ---- HTTP statuses ------------------------------------------------------- */

/* Phrases: RFC 9110, and what its registry has besides: RFC 4918 (207, 422 to
 * 424, 507), 5842 (208, 508), 3229 (226), 6585, 2295 (506), 2774 (510).
 * Severity: Table 21; 400 is critical for TKE, which rule 1 decides before this
 * table. */
static const struct hsa_status_row statuses[] = {
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {203, "Non-Authoritative Information", ""},
    {204, "No Content", ""},
    {205, "Reset Content", ""},
    {206, "Partial Content", ""},
    {207, "Multi-Status", ""},
    {208, "Already Reported", ""},
    {226, "IM Used", ""},
    {400, "Bad Request", "warning"},
    {401, "Unauthorized", "critical"},
    {402, "Payment Required", ""},
    {403, "Forbidden", "critical"},
    {404, "Not Found", ""},
    {405, "Method Not Allowed", ""},
    {406, "Not Acceptable", ""},
    {407, "Proxy Authentication Required", ""},
    {408, "Request Timeout", ""},
    {409, "Conflict", "warning"},
    {410, "Gone", ""},
    {411, "Length Required", ""},
    {412, "Precondition Failed", ""},
    {413, "Content Too Large", ""},
    {414, "URI Too Long", ""},
    {415, "Unsupported Media Type", ""},
    {416, "Range Not Satisfiable", ""},
    {417, "Expectation Failed", ""},
    {421, "Misdirected Request", ""},
    {422, "Unprocessable Content", ""},
    {423, "Locked", ""},
    {424, "Failed Dependency", "warning"},
    {425, "Too Early", ""},
    {426, "Upgrade Required", ""},
    {428, "Precondition Required", ""},
    {429, "Too Many Requests", ""},
    {431, "Request Header Fields Too Large", ""},
    {451, "Unavailable For Legal Reasons", ""},
    {500, "Internal Server Error", "critical"},
    {501, "Not Implemented", ""},
    {502, "Bad Gateway", "warning"},
    {503, "Service Unavailable", "critical"},
    {504, "Gateway Timeout", "warning"},
    {505, "HTTP Version Not Supported", "warning"},
    {506, "Variant Also Negotiates", ""},
    {507, "Insufficient Storage", "critical"},
    {508, "Loop Detected", ""},
    {510, "Not Extended", ""},
    {511, "Network Authentication Required", ""},
};

const struct hsa_status_row *
hsa_status(uint32_t code)
{
	for (size_t i = 0; i < LEN(statuses); i++)
		if (statuses[i].code == code)
			return &statuses[i];
	return NULL;
}

const char *
hsa_severity(const struct hsa_action_row *row, uint32_t status,
    enum hsa_severity_rule *rule)
{
	const struct hsa_status_row *s = hsa_status(status);
	enum hsa_severity_rule by = HSA_SEVERITY_ACTION;
	const char *severity = row->severity;

	if (strcmp(row->family, "tke") == 0) {
		by = HSA_SEVERITY_TKE;
		severity = "critical";
	} else if (s != NULL && s->severity[0] != '\0') {
		by = HSA_SEVERITY_STATUS;
		severity = s->severity;
	} else if (strcmp(row->severity_source, "fallback") == 0)
		by = HSA_SEVERITY_FALLBACK;
	if (rule != NULL)
		*rule = by;
	return severity;
}

/* ---- special records ----------------------------------------------------- */

static const struct hsa_special_row specials[] = {
#define HSA_SPECIAL(NAME, category, specific, text)                            \
	{#NAME, category, specific, text},
#include "special.def"
#undef HSA_SPECIAL
};

const struct hsa_special_row *
hsa_special(enum hsa_special_code code)
{
	return (size_t)code < LEN(specials) ? &specials[code] : NULL;
}
