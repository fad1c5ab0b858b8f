/*
 * JUnit XML: a test suite with one test case per event; an event with errors
 * has failed, warnings are its output. The head has the sums, so cases wait in
 * a temporary file.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "val_out.h"

static void
escaped(struct hsa_buf *b, const char *s)
{
	struct hsa_buf line = {0};

	val_out_line(&line, s);
	for (s = hsa_buf_cstr(&line); *s != '\0'; s++)
		switch (*s) {
		case '<':
			hsa_buf_str(b, "&lt;");
			break;
		case '>':
			hsa_buf_str(b, "&gt;");
			break;
		case '&':
			hsa_buf_str(b, "&amp;");
			break;
		case '"':
			hsa_buf_str(b, "&quot;");
			break;
		default:
			hsa_buf_u8(b, (uint8_t)*s);
			break;
		}
	b->failed |= line.failed;
	hsa_buf_free(&line);
}

static void
junit_begin(struct val_out *o)
{
	o->spool = tmpfile();
	if (o->spool == NULL)
		o->rc = HSA_RC(E_IO);
}

static void
to_spool(struct val_out *o)
{
	hsa_rc rc = hsa_buf_rc(&o->b);

	if (hsa_is_ok(rc) && o->spool != NULL &&
	    fwrite(o->b.p, 1, o->b.len, o->spool) != o->b.len)
		rc = HSA_RC(E_IO);
	if (hsa_is_ok(o->rc))
		o->rc = rc;
	hsa_buf_reset(&o->b);
}

static void
junit_event(struct val_out *o, const struct val_place *p)
{
	(void)p;
	o->more = false;
	o->tests++;
	hsa_buf_reset(&o->b);
}

static void
line(struct hsa_buf *b, const struct val_finding *f)
{
	hsa_buf_printf(b, "%s ", val_check_row(f->check)->id);
	escaped(b, f->path);
	if (f->path[0] != '\0')
		hsa_buf_str(b, ": ");
	escaped(b, f->message);
	hsa_buf_str(b, "\n");
}

/* Schemas allow one failure in a case: the first error opens it, later ones
 * are lines of it. Warnings come behind, from their own buffer. */
static void
junit_finding(
    struct val_out *o, const struct val_place *p, const struct val_finding *f)
{
	(void)p;
	if (f->level == VAL_LEVEL_ERROR && !o->more) {
		o->failures++;
		hsa_buf_printf(&o->b, "<failure type=\"%s\" message=\"",
		    val_check_row(f->check)->id);
		escaped(&o->b, f->message);
		hsa_buf_str(&o->b, "\">");
		o->more = true;
	}
	line(f->level == VAL_LEVEL_ERROR ? &o->b : &o->aside, f);
}

/* The head has the action, which is known by now. */
static void
junit_event_end(struct val_out *o, const struct val_place *p)
{
	struct hsa_buf told = o->b;

	memset(&o->b, 0, sizeof(o->b));
	hsa_buf_str(&o->b, "<testcase classname=\"");
	escaped(&o->b, p->input);
	hsa_buf_printf(&o->b, "\" name=\"%s %" PRIu64, p->noun, p->index);
	if (p->line > 0)
		hsa_buf_printf(&o->b, " line %" PRIu64, p->line);
	if (p->action[0] != '\0') {
		hsa_buf_str(&o->b, " ");
		escaped(&o->b, p->action);
	}
	hsa_buf_str(&o->b, "\" time=\"0\">");
	hsa_buf_put(&o->b, told.p, told.len);
	o->b.failed |= told.failed;
	hsa_buf_free(&told);
	if (o->more)
		hsa_buf_str(&o->b, "</failure>");
	if (o->aside.len > 0) {
		hsa_buf_str(&o->b, "<system-out>");
		hsa_buf_put(&o->b, o->aside.p, o->aside.len);
		hsa_buf_str(&o->b, "</system-out>");
		hsa_buf_reset(&o->aside);
	}
	hsa_buf_str(&o->b, "</testcase>\n");
	to_spool(o);
}

static void
copy_spool(struct val_out *o)
{
	char piece[65536];
	size_t n;

	if (o->spool == NULL || fflush(o->spool) != 0 ||
	    fseek(o->spool, 0, SEEK_SET) != 0) {
		o->rc = HSA_RC(E_IO);
		return;
	}
	while ((n = fread(piece, 1, sizeof(piece), o->spool)) > 0)
		if (fwrite(piece, 1, n, o->to) != n)
			o->rc = HSA_RC(E_IO);
	if (ferror(o->spool))
		o->rc = HSA_RC(E_IO);
}

static void
junit_end(struct val_out *o, const struct val_sum *s)
{
	(void)s;
	hsa_buf_printf(&o->b,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuites>\n<testsuite name=\"hsa validate\" tests=\"%" PRIu64
	    "\" failures=\"%" PRIu64
	    "\" errors=\"0\" skipped=\"0\" time=\"0\">\n",
	    o->tests, o->failures);
	val_out_put(o);
	copy_spool(o);
	hsa_buf_str(&o->b, "</testsuite>\n</testsuites>\n");
	val_out_put(o);
}

const struct val_out_ops val_out_junit = {
    .name = "junit",
    .begin = junit_begin,
    .event = junit_event,
    .finding = junit_finding,
    .event_end = junit_event_end,
    .end = junit_end,
};
