/* Of the schema: rules for who and what, and for secrets. */
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "val_schema_impl.h"
#include "val_words.h"

/* ---- CRNs ---------------------------------------------------------------- */

void
sch_crns(struct sch *s)
{
	char expression[256];
	struct hsa_buf b = {0};
	unsigned int n;
	size_t i;

	sch_pattern(s, VAL_F_LOG_SOURCE, VAL_E16, VAL_PATTERN_CRN);
	sch_pattern(s, VAL_F_TARGET_ID, VAL_E16, VAL_PATTERN_CRN);
	if (!sch_wants(s, VAL_E24))
		return;
	hsa_buf_str(&b, VAL_PATTERN_CRN_HEAD "(");
	for (i = 0; val_regions[i] != NULL; i++)
		hsa_buf_printf(&b, "%s%s", i == 0 ? "" : "|", val_regions[i]);
	hsa_buf_str(&b, "):");
	(void)snprintf(expression, sizeof(expression), "%s", hsa_buf_cstr(&b));
	hsa_buf_free(&b);
	sch_open(s, NULL);
	n = sch_field(s, VAL_F_LOG_SOURCE);
	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", "string");
	hsa_jw_text(&s->w, "pattern", VAL_PATTERN_CRN);
	sch_close(s, 1);
	sch_check(s, "then", VAL_E24, "string");
	hsa_jw_text(&s->w, "pattern", expression);
	sch_close(s, n + 2);
}

/* ---- host ---------------------------------------------------------------- */

static void
kmip(struct sch *s)
{
	size_t n, i;
	const struct hsa_action_row *row = hsa_catalogue(&n);

	sch_open(s, "if");
	sch_required(s, "action");
	sch_open(s, "properties");
	sch_open(s, "action");
	hsa_jw_array(&s->w, "enum");
	for (i = 0; i < n; i++) {
		if (strcmp(row[i].family, "kmip") != 0)
			continue;
		hsa_jw_text(&s->w, NULL, row[i].name);
		if (row[i].old_name[0] != '\0')
			hsa_jw_text(&s->w, NULL, row[i].old_name);
	}
	hsa_jw_end(&s->w);
	sch_close(s, 3);
}

/* {"required":["host"],"properties":{"host":{"type":"object","required":
 * [name],"properties":{name:{ - to be closed by five */
static void
host_has(struct sch *s, const char *key, const char *name)
{
	sch_open(s, key);
	sch_required(s, "host");
	sch_open(s, "properties");
	sch_open(s, "host");
	hsa_jw_text(&s->w, "type", "object");
	sch_required(s, name);
	sch_open(s, "properties");
	sch_open(s, name);
}

static void
address_as(struct sch *s, const char *key, const char *expression)
{
	sch_open(s, key);
	hsa_jw_text(&s->w, "type", "object");
	sch_open(s, "properties");
	sch_open(s, "host");
	hsa_jw_text(&s->w, "$comment", "E02");
	hsa_jw_text(&s->w, "type", "object");
	sch_open(s, "properties");
	sch_open(s, "address");
	sch_guard(s, VAL_E17, "string");
	hsa_jw_text(&s->w, "pattern", expression);
	sch_close(s, 6);
}

void
sch_host(struct sch *s)
{
	static const char *const networks[] = {"CSE", "subnet", NULL};
	unsigned int n;

	sch_open(s, NULL);
	kmip(s);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	n = sch_field(s, VAL_F_HOST_ADDRESS);
	sch_guard(s, VAL_E17, "string");
	hsa_jw_text(&s->w, "const", "");
	sch_close(s, n + 2);
	if (!s->cfg->private_network) {
		sch_check(s, "else", VAL_E17, "object");
		n = sch_present(s, VAL_F_HOST_ADDRESS, VAL_E17);
		hsa_jw_text(&s->w, "$comment", "E17");
		hsa_jw_text(&s->w, "type", "string");
		sch_close(s, n + 1);
	}
	sch_close(s, 1);
	sch_open(s, NULL);
	n = sch_field(s, VAL_F_INITIATOR);
	/* requests of a service have none to tell */
	sch_open(s, "if");
	hsa_jw_array(&s->w, "allOf");
	sch_open(s, NULL);
	sch_required(s, "typeURI");
	sch_open(s, "properties");
	sch_open(s, "typeURI");
	hsa_jw_text(&s->w, "type", "string");
	sch_open(s, "not");
	hsa_jw_text(&s->w, "const", VAL_PERSON);
	sch_close(s, 4);
	host_has(s, NULL, "address");
	hsa_jw_text(&s->w, "const", "");
	sch_close(s, 5);
	hsa_jw_end(&s->w);
	sch_close(s, 1);
	sch_open(s, "else");
	hsa_jw_text(&s->w, "type", "object");
	host_has(s, "if", "addressType");
	sch_list(s, "enum", networks); /* names of a network, not addresses */
	sch_close(s, 5);
	sch_open(s, "else");
	hsa_jw_text(&s->w, "type", "object");
	host_has(s, "if", "addressType");
	hsa_jw_text(&s->w, "const", "IPv6");
	sch_close(s, 5);
	address_as(s, "then", VAL_PATTERN_IPV6);
	address_as(s, "else", VAL_PATTERN_IPV4);
	sch_close(s, n + 3);
}

void
sch_vcenter(struct sch *s)
{
	unsigned int n;

	sch_open(s, NULL);
	kmip(s);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	n = sch_field(s, VAL_F_INITIATOR_ID);
	sch_guard(s, VAL_E42, "string");
	hsa_jw_text(&s->w, "pattern", VAL_PATTERN_VCENTER);
	sch_close(s, n + 3);
}

/* ---- secrets ------------------------------------------------------------- */

/* "pin" as a pattern of any case, appended. */
static void
any_case(struct hsa_buf *b, const char *name)
{
	for (; *name != '\0'; name++) {
		int c = *name & ~0x20;

		hsa_buf_printf(b, "[%c%c]", c, c | 0x20);
	}
}

void
sch_no_secret(struct sch *s)
{
	struct hsa_buf b = {0};
	size_t i;

	hsa_buf_str(&b, "^(");
	for (i = 0; val_secret_names[i] != NULL; i++) {
		hsa_buf_str(&b, i == 0 ? "" : "|");
		any_case(&b, val_secret_names[i]);
	}
	hsa_buf_str(&b, ")$");
	sch_check(s, "noSecret", VAL_E18, NULL);
	sch_open(s, "not");
	hsa_jw_text(&s->w, "type", "string");
	hsa_jw_text(&s->w, "pattern", VAL_PATTERN_SECRET);
	sch_close(s, 1);
	hsa_jw_array(&s->w, "allOf");
	sch_open(s, NULL);
	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", "object");
	sch_close(s, 1);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	sch_open(s, "patternProperties");
	sch_check(s, hsa_buf_cstr(&b), VAL_E18, NULL);
	hsa_jw_text(&s->w, "$ref", "#/$defs/noSecret");
	sch_open(s, "not");
	hsa_jw_text(&s->w, "type", "string");
	hsa_jw_int(&s->w, "minLength", 1);
	sch_close(s, 3);
	sch_ref(s, "additionalProperties", "noSecret");
	sch_close(s, 2);
	sch_open(s, NULL);
	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", "array");
	sch_close(s, 1);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "array");
	sch_ref(s, "items", "noSecret");
	sch_close(s, 2);
	hsa_jw_end(&s->w);
	sch_close(s, 1);
	hsa_buf_free(&b);
}
