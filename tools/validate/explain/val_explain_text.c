#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "val_explain.h"
#include "vfy_utf8.h"

#define WIDTH 78

static const char *
str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : s;
}

static bool
is(const json_t *j, const char *key)
{
	return json_is_true(json_object_get(j, key));
}

static void
blanks(struct hsa_buf *b, size_t n)
{
	for (; n > 0; n--)
		hsa_buf_u8(b, ' ');
}

/* Words in lines of WIDTH, the first of them behind `at` characters, others
 * behind `indent` blanks; nothing that a terminal would obey. */
static void
wrapped(struct hsa_buf *b, const char *text, size_t at, size_t indent)
{
	struct hsa_buf shown = {0};
	bool first = true;
	const char *s;
	size_t n;

	vfy_utf8_show(&shown, text);
	for (s = hsa_buf_cstr(&shown); *s != '\0';
	     s += n + strspn(s + n, " ")) {
		n = strcspn(s, " ");
		if (!first && at + 1 + n > WIDTH) {
			hsa_buf_u8(b, '\n');
			blanks(b, indent);
			at = indent;
			first = true;
		}
		if (!first) {
			hsa_buf_u8(b, ' ');
			at++;
		}
		hsa_buf_put(b, s, n);
		at += n;
		first = false;
	}
	hsa_buf_u8(b, '\n');
	hsa_buf_free(&shown);
}

#define LABEL 16
#define INDENT 15 /* of what belongs to a check */

static void
line(struct hsa_buf *b, const char *label, const char *s)
{
	size_t n = strlen(label);

	hsa_buf_str(b, label);
	blanks(b, n < LABEL ? LABEL - n : 1);
	wrapped(b, s, n < LABEL ? LABEL : n + 1, LABEL);
}

/* ---- an action ----------------------------------------------------------- */

static void
members(struct hsa_buf *b, const json_t *action, const char *data)
{
	const json_t *list = json_object_get(action, data), *f;
	struct hsa_buf s = {0};
	size_t i;

	json_array_foreach(list, i, f)
	{
		hsa_buf_reset(&s);
		hsa_buf_printf(&s, "%s: %s%s", str(f, "name"), str(f, "form"),
		    is(f, "optional") ? ", optional" : "");
		line(b, i == 0 ? data : "", hsa_buf_cstr(&s));
	}
	hsa_buf_free(&s);
}

static void
meanings(struct hsa_buf *b, const json_t *list)
{
	const json_t *m;
	size_t i;

	json_array_foreach(list, i, m)
	{
		line(b, "", str(m, "meaning"));
		line(b, "", str(m, "advice"));
		blanks(b, LABEL);
		hsa_buf_printf(b, "(\"%s\")\n", str(m, "section"));
	}
}

static void
failures(struct hsa_buf *b, const json_t *action)
{
	const json_t *list = json_object_get(action, "failures"), *f;
	struct hsa_buf s = {0};
	char code[16];
	size_t i;

	json_array_foreach(list, i, f)
	{
		(void)snprintf(code, sizeof(code), "  %" JSON_INTEGER_FORMAT,
		    json_integer_value(json_object_get(f, "status")));
		hsa_buf_reset(&s);
		hsa_buf_printf(&s, "%s: %s, %s", str(f, "reasonType"),
		    str(f, "severity"), str(f, "because"));
		line(b, code, hsa_buf_cstr(&s));
		meanings(b, json_object_get(f, "meanings"));
	}
	f = json_object_get(action, "otherFailures");
	hsa_buf_reset(&s);
	hsa_buf_printf(&s, "%s, %s", str(f, "severity"), str(f, "because"));
	line(b, "  others", hsa_buf_cstr(&s));
	hsa_buf_free(&s);
}

void
val_explain_action_text(struct hsa_buf *b, const json_t *a)
{
	const json_t *list = json_object_get(a, "document"), *v;
	const json_t *good = json_object_get(a, "success");
	struct hsa_buf s = {0};
	size_t i;

	hsa_buf_printf(b, "%s\n", str(a, "action"));
	if (str(a, "askedBy")[0] != '\0')
		line(b, "asked for", "its former name");
	line(b, "what happened", str(a, "description"));
	if (str(a, "formerName")[0] != '\0')
		line(b, "former name", str(a, "formerName"));
	json_array_foreach(list, i, v)
	    line(b, i == 0 ? "document" : "", json_string_value(v));
	if (!is(a, "listed"))
		line(b, "document",
		    "Table 20 gives it a severity, no table describes it");
	hsa_buf_printf(
	    &s, "%s (%s)", str(a, "typeURI"), str(a, "typeURISource"));
	line(b, "target.typeURI", hsa_buf_cstr(&s));
	line(b, "dataEvent", is(a, "dataEvent") ? "true" : "false");
	line(b, "correlationId", str(a, "correlationId"));
	line(b, "initiator", str(a, "initiator"));
	members(b, a, "requestData");
	members(b, a, "responseData");
	hsa_buf_reset(&s);
	hsa_buf_printf(&s,
	    "outcome success, reasonCode %s, reasonType %s; "
	    "severity %s: %s",
	    str(good, "reasonCode"), str(good, "reasonType"),
	    str(good, "severity"), str(good, "because"));
	line(b, "success", hsa_buf_cstr(&s));
	meanings(b, json_object_get(good, "meanings"));
	hsa_buf_str(b,
	    "failure         outcome failure, reasonType, reasonForFailure; "
	    "every field is\n                optional; severity by status:\n");
	failures(b, a);
	if (str(a, "note")[0] != '\0')
		line(b, "note", str(a, "note"));
	hsa_buf_free(&s);
}

/* ---- a check ------------------------------------------------------------- */

static void
findings(struct hsa_buf *b, const json_t *list, const char *tone)
{
	struct hsa_buf s = {0};
	const json_t *f;
	size_t i;

	json_array_foreach(list, i, f)
	{
		hsa_buf_reset(&s);
		hsa_buf_printf(&s, "%s%s%s", str(f, "path"),
		    str(f, "path")[0] == '\0' ? "" : ": ", str(f, "message"));
		blanks(b, INDENT - 2);
		hsa_buf_str(b, tone);
		hsa_buf_str(b, "> ");
		wrapped(b, hsa_buf_cstr(&s), INDENT, INDENT);
		if (tone[0] != '\0')
			hsa_buf_str(b, "\033[0m");
	}
	hsa_buf_free(&s);
}

void
val_explain_check_text(struct hsa_buf *b, const json_t *c)
{
	const json_t *list = json_object_get(c, "examples"), *x;
	struct hsa_buf s = {0};
	size_t i;

	hsa_buf_printf(b, "%s %s\n", str(c, "check"), str(c, "title"));
	line(b, "what for", str(c, "why"));
	hsa_buf_printf(&s, "%s with --strict, %s with --lenient",
	    str(c, "strict"), str(c, "lenient"));
	line(b, "level", hsa_buf_cstr(&s));
	line(b, "source", str(c, "source"));
	hsa_buf_printf(
	    b, "to leave it out hsa validate --disable %s\n", str(c, "check"));
	json_array_foreach(list, i, x)
	{
		hsa_buf_printf(b, "\nexample         %s\n", str(x, "file"));
		line(b, "  wrong", str(x, "wrong"));
		hsa_buf_str(b, "  found\n");
		findings(b, json_object_get(x, "findings"), "");
		line(b, "  fix", str(x, "fix"));
	}
	if (json_array_size(list) > 0)
		hsa_buf_str(b, "\nhsa corpus DIR writes these files.\n");
	hsa_buf_free(&s);
}

/* ---- an event ------------------------------------------------------------ */

static void
looked(struct hsa_buf *b, const json_t *list)
{
	struct hsa_buf s = {0};
	const json_t *l, *v;
	char *dump;
	size_t i;

	json_array_foreach(list, i, l)
	{
		v = json_object_get(l, "value");
		dump = v == NULL
			   ? NULL
			   : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
		hsa_buf_reset(&s);
		hsa_buf_printf(&s, "%s%s%s", str(l, "path"),
		    v == NULL ? " is not there" : " = ",
		    dump == NULL ? "" : dump);
		free(dump);
		blanks(b, INDENT);
		wrapped(b, hsa_buf_cstr(&s), INDENT, INDENT + 2);
	}
	hsa_buf_free(&s);
}

static void
step(struct hsa_buf *b, const json_t *s, bool color)
{
	const char *verdict = str(s, "verdict"), *tone = "";
	bool bad = json_array_size(json_object_get(s, "findings")) > 0;
	const char *why = str(s, "because");
	struct hsa_buf t = {0};

	if (color && bad)
		tone = strcmp(verdict, "error") == 0 ? "\033[31m" : "\033[33m";
	hsa_buf_printf(b, "  %s %s%-8s%s ", str(s, "check"), tone, verdict,
	    tone[0] == '\0' ? "" : "\033[0m");
	hsa_buf_printf(&t, "%s%s%s", str(s, "title"),
	    why[0] == '\0' || bad ? "" : ": ", bad ? "" : why);
	wrapped(b, hsa_buf_cstr(&t), INDENT, INDENT);
	if (strcmp(verdict, "skipped") != 0)
		looked(b, json_object_get(s, "looked"));
	if (bad) {
		hsa_buf_reset(&t);
		hsa_buf_printf(&t, "rule: %s", str(s, "why"));
		blanks(b, INDENT);
		wrapped(b, hsa_buf_cstr(&t), INDENT, INDENT + 2);
		findings(b, json_object_get(s, "findings"), tone);
	}
	hsa_buf_free(&t);
}

void
val_explain_event_text(struct hsa_buf *b, const json_t *e, bool color)
{
	const json_t *list = json_object_get(e, "steps"), *s;
	json_int_t line_number = json_integer_value(json_object_get(e, "line"));
	struct hsa_buf head = {0};
	size_t i;

	hsa_buf_str(&head, str(e, "input"));
	if (line_number > 0)
		hsa_buf_printf(&head, ":%" JSON_INTEGER_FORMAT, line_number);
	if (is(e, "end"))
		hsa_buf_str(&head, ": at the end");
	else if (str(e, "record")[0] != '\0')
		hsa_buf_printf(&head, ": record %s", str(e, "record"));
	else
		hsa_buf_printf(&head, ": event %" JSON_INTEGER_FORMAT ": %s",
		    json_integer_value(json_object_get(e, "index")),
		    str(e, "action")[0] == '\0' ? "without an action"
						: str(e, "action"));
	if (str(e, "description")[0] != '\0')
		hsa_buf_printf(&head, ", %s", str(e, "description"));
	wrapped(b, hsa_buf_cstr(&head), 0, 4);
	json_array_foreach(list, i, s) step(b, s, color);
	hsa_buf_printf(b,
	    "  => %s: %" JSON_INTEGER_FORMAT " errors, %" JSON_INTEGER_FORMAT
	    " warnings\n",
	    str(e, "verdict"), json_integer_value(json_object_get(e, "errors")),
	    json_integer_value(json_object_get(e, "warnings")));
	hsa_buf_free(&head);
}
