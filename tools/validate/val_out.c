#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "hsa_json.h"
#include "val_out.h"

static const struct val_out_ops *const formats[] = {
    &val_out_text, &val_out_json, &val_out_junit, &val_out_sarif, &val_out_tap};

const struct val_out_ops *
val_out_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

void
val_out_free(struct val_out *o)
{
	hsa_buf_free(&o->b);
	hsa_buf_free(&o->aside);
	if (o->spool != NULL)
		(void)fclose(o->spool);
	o->spool = NULL;
}

void
val_out_put(struct val_out *o)
{
	hsa_rc rc = hsa_buf_rc(&o->b);

	if (hsa_is_ok(rc) && o->b.len > 0 &&
	    fwrite(o->b.p, 1, o->b.len, o->to) != o->b.len)
		rc = HSA_RC(E_IO);
	if (hsa_is_ok(o->rc))
		o->rc = rc;
	hsa_buf_reset(&o->b);
}

const char *
val_level_text(enum val_level l)
{
	return l == VAL_LEVEL_ERROR ? "error" : "warning";
}

static void
nothing(struct val_out *o)
{
	(void)o;
}

static void
no_event(struct val_out *o, const struct val_place *p)
{
	(void)o;
	(void)p;
}

/* ---- text ---------------------------------------------------------------- */

static void
text_finding(
    struct val_out *o, const struct val_place *p, const struct val_finding *f)
{
	const struct val_check_row *c = val_check_row(f->check);
	const char *tone =
	    f->level == VAL_LEVEL_ERROR ? "\033[31m" : "\033[33m";

	hsa_buf_str(&o->b, p->input);
	if (p->line > 0)
		hsa_buf_printf(&o->b, ":%" PRIu64, p->line);
	hsa_buf_printf(&o->b, ": %s %" PRIu64 ": %s%s %s%s ", p->noun, p->index,
	    o->color ? tone : "", c->id, val_level_text(f->level),
	    o->color ? "\033[0m" : "");
	if (f->path[0] != '\0')
		hsa_buf_printf(&o->b, "%s: ", f->path);
	hsa_buf_str(&o->b, f->message);
	if (p->action[0] != '\0')
		hsa_buf_printf(&o->b, " [%s]", p->action);
	hsa_buf_str(&o->b, "\n");
	val_out_put(o);
}

static void
text_end(struct val_out *o, const struct val_sum *s)
{
	hsa_buf_printf(&o->b,
	    "%" PRIu64 " events, %" PRIu64 " errors, %" PRIu64 " warnings",
	    s->events, s->errors, s->warnings);
	if (s->known > 0)
		hsa_buf_printf(
		    &o->b, ", %" PRIu64 " known from the baseline", s->known);
	hsa_buf_str(&o->b, "\n");
	val_out_put(o);
}

const struct val_out_ops val_out_text = {
    .name = "text",
    .begin = nothing,
    .event = no_event,
    .finding = text_finding,
    .event_end = no_event,
    .end = text_end,
};

/* ---- json ---------------------------------------------------------------- */

static void
json_finding(
    struct val_out *o, const struct val_place *p, const struct val_finding *f)
{
	struct hsa_jw w = {.b = &o->b};

	hsa_jw_object(&w, NULL);
	hsa_jw_text(&w, "input", p->input);
	hsa_jw_uint(&w, "index", p->index);
	hsa_jw_text(&w, "action", p->action);
	hsa_jw_text(&w, "check", val_check_row(f->check)->id);
	hsa_jw_text(&w, "level", val_level_text(f->level));
	hsa_jw_text(&w, "path", f->path);
	hsa_jw_text(&w, "message", f->message);
	hsa_jw_end(&w);
	hsa_buf_str(&o->b, "\n");
	val_out_put(o);
}

static void
json_end(struct val_out *o, const struct val_sum *s)
{
	struct hsa_jw w = {.b = &o->b};

	hsa_jw_object(&w, NULL);
	hsa_jw_object(&w, "summary");
	hsa_jw_uint(&w, "events", s->events);
	hsa_jw_uint(&w, "errors", s->errors);
	hsa_jw_uint(&w, "warnings", s->warnings);
	if (s->known > 0)
		hsa_jw_uint(&w, "known", s->known);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	hsa_buf_str(&o->b, "\n");
	val_out_put(o);
}

const struct val_out_ops val_out_json = {
    .name = "json",
    .begin = nothing,
    .event = no_event,
    .finding = json_finding,
    .event_end = no_event,
    .end = json_end,
};

/* ---- TAP 14 -------------------------------------------------------------- */

/* The result line of a test comes before its diagnosis: findings wait in the
 * buffer until the event ends. */
static void
tap_begin(struct val_out *o)
{
	hsa_buf_str(&o->b, "TAP version 14\n");
	val_out_put(o);
}

static void
tap_event(struct val_out *o, const struct val_place *p)
{
	(void)p;
	o->findings = 0;
	o->more = false;
	hsa_buf_reset(&o->b);
}

static void
tap_finding(
    struct val_out *o, const struct val_place *p, const struct val_finding *f)
{
	struct hsa_buf *b = &o->b;

	(void)p;
	o->findings++;
	/* a warning is no failure; both are told */
	o->more |= f->level == VAL_LEVEL_ERROR;
	hsa_buf_printf(b, "    - check: %s\n      level: %s\n      path: ",
	    val_check_row(f->check)->id, val_level_text(f->level));
	hsa_json_string(b, f->path, strlen(f->path)); /* is YAML too */
	hsa_buf_str(b, "\n      message: ");
	hsa_json_string(b, f->message, strlen(f->message));
	hsa_buf_str(b, "\n");
}

/* A number sign begins a directive, a line break the next line. */
static void
tap_name(struct hsa_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '#' || *s == '\\')
			hsa_buf_u8(b, '\\');
		hsa_buf_u8(b, (unsigned char)*s < ' ' ? ' ' : (uint8_t)*s);
	}
}

static void
tap_event_end(struct val_out *o, const struct val_place *p)
{
	struct hsa_buf told = o->b;

	memset(&o->b, 0, sizeof(o->b));
	o->tests++;
	hsa_buf_printf(
	    &o->b, "%sok %" PRIu64 " - ", o->more ? "not " : "", o->tests);
	tap_name(&o->b, p->input);
	hsa_buf_printf(&o->b, " %s %" PRIu64 " ", p->noun, p->index);
	tap_name(&o->b, p->action);
	hsa_buf_str(&o->b, "\n");
	if (o->findings > 0) {
		hsa_buf_str(&o->b, "  ---\n  findings:\n");
		hsa_buf_put(&o->b, told.p, told.len);
		hsa_buf_str(&o->b, "  ...\n");
	}
	val_out_put(o);
	hsa_buf_free(&told);
}

static void
tap_end(struct val_out *o, const struct val_sum *s)
{
	hsa_buf_printf(&o->b, "1..%" PRIu64 "\n", o->tests);
	hsa_buf_printf(&o->b,
	    "# %" PRIu64 " events, %" PRIu64 " errors, %" PRIu64 " warnings\n",
	    s->events, s->errors, s->warnings);
	val_out_put(o);
}

const struct val_out_ops val_out_tap = {
    .name = "tap",
    .begin = tap_begin,
    .event = tap_event,
    .finding = tap_finding,
    .event_end = tap_event_end,
    .end = tap_end,
};
