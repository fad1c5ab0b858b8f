/*
 * SARIF 2.1.0 (OASIS): one run, its rules from val_check.def, one result per
 * finding.
 */
#include <string.h>

#include "hsa_json.h"
#include "val_out.h"

static void
text_member(struct hsa_jw *w, const char *key, const char *text)
{
	hsa_jw_object(w, key);
	hsa_jw_text(w, "text", text);
	hsa_jw_end(w);
}

static void
rules(struct hsa_jw *w)
{
	size_t i;

	hsa_jw_array(w, "rules");
	for (i = 0; i < VAL_CHECKS; i++) {
		const struct val_check_row *c =
		    val_check_row((enum val_check)i);

		hsa_jw_object(w, NULL);
		hsa_jw_text(w, "id", c->id);
		text_member(w, "shortDescription", c->title);
		text_member(w, "fullDescription", c->why);
		text_member(w, "help", c->source);
		hsa_jw_object(w, "defaultConfiguration");
		hsa_jw_text(w, "level", val_level_text(c->strict));
		hsa_jw_end(w);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

/* Everything up to the results; they follow, and the end closes by hand what
 * is open here. */
static void
sarif_begin(struct val_out *o)
{
	struct hsa_jw w = {.b = &o->b};

	hsa_jw_object(&w, NULL);
	hsa_jw_text(
	    &w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	hsa_jw_text(&w, "version", "2.1.0");
	hsa_jw_array(&w, "runs");
	hsa_jw_object(&w, NULL);
	hsa_jw_object(&w, "tool");
	hsa_jw_object(&w, "driver");
	hsa_jw_text(&w, "name", "hsa validate");
	hsa_jw_text(&w, "version", HSA_VERSION);
	rules(&w);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	hsa_jw_text(&w, "columnKind", "unicodeCodePoints");
	hsa_jw_array(&w, "results");
	val_out_put(o);
}

/* A file's name as a relative reference (RFC 3986): a colon would end a
 * scheme. */
static void
uri_of(struct hsa_buf *b, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
				    "qrstuvwxyz0123456789-._~/";

	for (; *s != '\0'; s++)
		if (strchr(plain, *s) != NULL)
			hsa_buf_u8(b, (uint8_t)*s);
		else
			hsa_buf_printf(b, "%%%02X", (unsigned char)*s);
}

static void
location(struct hsa_jw *w, const struct val_place *p)
{
	struct hsa_buf uri = {0};

	uri_of(&uri, strcmp(p->input, "-") == 0 ? "stdin" : p->input);
	hsa_jw_array(w, "locations");
	hsa_jw_object(w, NULL);
	hsa_jw_object(w, "physicalLocation");
	hsa_jw_object(w, "artifactLocation");
	hsa_jw_text(w, "uri", hsa_buf_cstr(&uri));
	w->b->failed |= uri.failed;
	hsa_buf_free(&uri);
	hsa_jw_end(w);
	if (p->line > 0) {
		hsa_jw_object(w, "region");
		hsa_jw_uint(w, "startLine", p->line);
		if (p->column > 0)
			hsa_jw_uint(w, "startColumn", p->column);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
	hsa_jw_end(w);
	hsa_jw_end(w);
}

static void
sarif_finding(
    struct val_out *o, const struct val_place *p, const struct val_finding *f)
{
	struct hsa_jw w = {.b = &o->b};
	struct hsa_buf text = {0};

	if (o->more)
		hsa_buf_str(&o->b, ",");
	o->more = true;
	hsa_buf_str(&o->b, "\n");
	hsa_buf_str(&text, f->path[0] == '\0' ? "the event" : f->path);
	hsa_buf_str(&text, f->path[0] == '\0' ? " " : ": ");
	hsa_buf_str(&text, f->message);
	hsa_jw_object(&w, NULL);
	hsa_jw_text(&w, "ruleId", val_check_row(f->check)->id);
	hsa_jw_uint(&w, "ruleIndex", (uint64_t)f->check);
	hsa_jw_text(&w, "level", val_level_text(f->level));
	text_member(&w, "message", hsa_buf_cstr(&text));
	o->b.failed |= text.failed;
	hsa_buf_free(&text);
	location(&w, p);
	hsa_jw_object(&w, "properties");
	hsa_jw_uint(&w, "index", p->index);
	hsa_jw_text(&w, "action", p->action);
	hsa_jw_text(&w, "path", f->path);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	val_out_put(o);
}

static void
nothing(struct val_out *o, const struct val_place *p)
{
	(void)o;
	(void)p;
}

static void
sarif_end(struct val_out *o, const struct val_sum *s)
{
	(void)s;
	hsa_buf_str(&o->b, "]}]}\n");
	val_out_put(o);
}

const struct val_out_ops val_out_sarif = {
    .name = "sarif",
    .begin = sarif_begin,
    .event = nothing,
    .finding = sarif_finding,
    .event_end = nothing,
    .end = sarif_end,
};
