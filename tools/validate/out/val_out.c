#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "hsa_json.h"
#include "hsa_utf8.h"
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

/* Of a character that does not go out as it is, its number; else 0. */
static unsigned int
hidden(const unsigned char *s, size_t n)
{
	if (n == 1)
		return *s < ' ' || *s == 0x7f ? *s : 0;
	if (n == 2)
		return s[0] == 0xc2 && s[1] < 0xa0 ? s[1] : 0; /* C1 */
	/* ends of lines, turns of direction; what XML 1.0 does not have */
	if (n == 3 && s[0] == 0xe2 && s[1] == 0x80 &&
	    ((s[2] >= 0xa8 && s[2] <= 0xae) || s[2] == 0x8e || s[2] == 0x8f))
		return 0x2000u + (s[2] & 0x3fu);
	if (n == 3 && s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 &&
	    s[2] <= 0xa9)
		return 0x2040u + (s[2] & 0x3fu);
	if (n == 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe)
		return 0xffc0u + (s[2] & 0x3fu);
	return 0;
}

static void
put_line(struct hsa_buf *b, const char *s, bool quoted)
{
	size_t left = strlen(s), n;
	unsigned int c;

	for (; left > 0; s += n, left -= n) {
		n = hsa_utf8_len(s, left);
		c = n == 0 ? 0 : hidden((const unsigned char *)s, n);
		if (n == 0) {
			hsa_buf_str(b, HSA_UTF8_REPLACEMENT);
			n = 1;
		} else if (c != 0) {
			hsa_buf_printf(b, "\\u%04x", c);
		} else {
			if (quoted && (*s == '"' || *s == '\\'))
				hsa_buf_u8(b, '\\');
			hsa_buf_put(b, s, n);
		}
	}
}

void
val_out_line(struct hsa_buf *b, const char *s)
{
	put_line(b, s, false);
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

	val_out_line(&o->b, p->input);
	if (p->line > 0)
		hsa_buf_printf(&o->b, ":%" PRIu64, p->line);
	hsa_buf_printf(&o->b, ": %s %" PRIu64 ": %s%s %s%s ", p->noun, p->index,
	    o->color ? tone : "", c->id, val_level_text(f->level),
	    o->color ? "\033[0m" : "");
	val_out_line(&o->b, f->path);
	hsa_buf_str(&o->b, f->path[0] != '\0' ? ": " : "");
	val_out_line(&o->b, f->message);
	if (p->action[0] != '\0') {
		hsa_buf_str(&o->b, " [");
		val_out_line(&o->b, p->action);
		hsa_buf_str(&o->b, "]");
	}
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

/* Double quotes of YAML, whose escapes are JSON's. */
static void
tap_member(struct hsa_buf *b, const char *name, const char *s)
{
	hsa_buf_printf(b, "      %s: \"", name);
	put_line(b, s, true);
	hsa_buf_str(b, "\"\n");
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
	hsa_buf_printf(b, "    - check: %s\n      level: %s\n",
	    val_check_row(f->check)->id, val_level_text(f->level));
	tap_member(b, "path", f->path);
	tap_member(b, "message", f->message);
}

/* A number sign begins a directive. */
static void
tap_name(struct hsa_buf *b, const char *s)
{
	struct hsa_buf line = {0};
	const char *c;

	val_out_line(&line, s);
	for (c = hsa_buf_cstr(&line); *c != '\0'; c++) {
		if (*c == '#' || *c == '\\')
			hsa_buf_u8(b, '\\');
		hsa_buf_u8(b, (uint8_t)*c);
	}
	b->failed |= line.failed;
	hsa_buf_free(&line);
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
