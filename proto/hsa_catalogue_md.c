#include <inttypes.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_catalogue.h"

/* Families in the order of their first row, each with its heading. */
static const struct family {
	const char *name, *title;
} families[] = {
    {"secrets", "Keys"},
    {"key-rings", "Key rings"},
    {"policies", "Policies"},
    {"import-token", "Import tokens"},
    {"registrations", "Registrations"},
    {"tke", "Crypto units (TKE)"},
    {"mtlscert", "Certificate manager"},
    {"kmip", "KMIP for VMware"},
    {"keystore", "EP11 keystores"},
    {"ep11", "EP11 operations"},
};

/* A table cell: the bar would end it. */
static void
cell(struct hsa_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '|' || *s == '<')
			hsa_buf_u8(b, '\\');
		hsa_buf_u8(b, (uint8_t)*s);
	}
}

static void
fields(struct hsa_buf *b, const char *member, const char *list)
{
	struct hsa_field_spec f;
	size_t at = 0;

	if (list[0] == '\0')
		return;
	hsa_buf_printf(b, "- `%s`:", member);
	for (unsigned int i = 0; hsa_field_spec_next(list, &at, &f); i++)
		hsa_buf_printf(b, "%s `%s` (%s%s)", i == 0 ? "" : ",", f.name,
		    f.type, f.optional ? ", optional" : "");
	hsa_buf_u8(b, '\n');
}

static void
action(struct hsa_buf *b, const struct hsa_action_row *r)
{
	hsa_buf_printf(b, "### `%s`\n\n%s.\n\n", r->name, r->description);
	hsa_buf_printf(b, "- code 0x%04x, target `%s` (%s)\n",
	    (unsigned int)r->code, r->type_uri, r->type_uri_source);
	hsa_buf_printf(
	    b, "- severity **%s** (%s)\n", r->severity, r->severity_source);
	hsa_buf_printf(b, "- %s event, success is %s, correlationId %s\n",
	    r->data_event ? "data" : "management",
	    r->success_is_200 ? "200 only" : "any 2xx",
	    r->correlation == HSA_CORRELATION_REQUIRED ? "required"
						       : "never there");
	fields(b, "requestData", r->request_data);
	fields(b, "responseData", r->response_data);
	if (r->old_name[0] != '\0')
		hsa_buf_printf(b, "- formerly `%s`\n", r->old_name);
	if (r->notes[0] != '\0') {
		hsa_buf_str(b, "- note: ");
		cell(b, r->notes);
		hsa_buf_u8(b, '\n');
	}
	if (strcmp(r->listed, "table") != 0)
		hsa_buf_str(b, "- named by the severity table only\n");
	hsa_buf_u8(b, '\n');
}

static void
family(struct hsa_buf *b, const struct family *f)
{
	const struct hsa_action_row *r = NULL;
	size_t n = 0;

	r = hsa_catalogue(&n);
	hsa_buf_printf(b, "## %s\n\n", f->title);
	hsa_buf_str(
	    b, "| Action | What happened | Severity |\n|---|---|---|\n");
	for (size_t i = 0; i < n; i++) {
		if (strcmp(r[i].family, f->name) != 0)
			continue;
		hsa_buf_printf(b, "| `%s` | ", r[i].name);
		cell(b, r[i].description);
		hsa_buf_printf(b, " | %s |\n", r[i].severity);
	}
	hsa_buf_u8(b, '\n');
	for (size_t i = 0; i < n; i++)
		if (strcmp(r[i].family, f->name) == 0)
			action(b, &r[i]);
}

static void
severity(struct hsa_buf *b)
{
	hsa_buf_str(b,
	    "## Severity\n\n"
	    "The first rule that applies decides.\n\n"
	    "1. A TKE action is critical, whatever its outcome.\n"
	    "2. A failure whose status this table lists has its severity.\n"
	    "3. Otherwise the action's own severity, above, counts.\n"
	    "4. For an action that the severity table of the source does not "
	    "name (source\n   *fallback*), its verb decides: delete, purge, "
	    "destroy and revoke are\n   critical; set, write, patch, activate "
	    "and expire warning; the others normal.\n\n"
	    "| Status | reasonType | Severity of a failure |\n|---|---|---|\n");
	for (uint32_t code = 400; code < 600; code++) {
		const struct hsa_status_row *s = hsa_status(code);

		if (s != NULL)
			hsa_buf_printf(b, "| %" PRIu32 " | %s | %s |\n", code,
			    s->phrase,
			    s->severity[0] == '\0' ? "by action" : s->severity);
	}
	hsa_buf_u8(b, '\n');
}

static void
codes(struct hsa_buf *b)
{
	hsa_buf_str(b,
	    "## EP11 codes\n\n"
	    "What a crypto unit answers, and the HTTP status of the event.\n\n"
	    "| Return code | Name | Meaning | Status |\n|---|---|---|---|\n");
	for (uint32_t rc = 0; rc < 512; rc++) {
		const struct hsa_ep11_row *r = hsa_ep11(rc);

		if (r != NULL)
			hsa_buf_printf(b,
			    "| %" PRIu32 " | %s | %s | %" PRIu32 " |\n", rc,
			    r->name, r->text, r->status);
	}
	hsa_buf_str(b, "\n| Reason code | Name | Meaning |\n|---|---|---|\n");
	for (uint32_t reason = 0; reason < 512; reason++) {
		const struct hsa_reason_row *r = hsa_reason(reason);

		if (r != NULL)
			hsa_buf_printf(b, "| %" PRIu32 " | %s | %s |\n", reason,
			    r->name, r->text);
	}
	hsa_buf_u8(b, '\n');
}

static void
special(struct hsa_buf *b)
{
	hsa_buf_str(b, "## Special records\n\n"
		       "Sealed like events, but no events of the source.\n\n"
		       "| Record | Meaning | EP11 category | Specific |\n"
		       "|---|---|---|---|\n");
	for (unsigned int i = 0; i < HSA_SPECIAL_COUNT; i++) {
		const struct hsa_special_row *s = hsa_special(i);

		hsa_buf_printf(b, "| %s | %s | %" PRIu32 " | %" PRIu32 " |\n",
		    s->name, s->text, s->category, s->specific);
	}
}

void
hsa_catalogue_markdown(struct hsa_buf *b)
{
	size_t n = 0;

	(void)hsa_catalogue(&n);
	hsa_buf_printf(b,
	    "# Audit events\n\n"
	    "Generated from `proto/event.def`; do not edit. %zu actions. A "
	    "severity or a\ntarget is marked with its source: *seed*, the "
	    "service's own document;\n*typo-fixed*, a slip in it corrected; "
	    "*inferred* by analogy; *fallback*, by verb.\n"
	    "Fields that are not optional are there on every success, none is "
	    "sure on a\nfailure.\n\n",
	    n);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		family(b, &families[i]);
	severity(b);
	codes(b);
	special(b);
}
