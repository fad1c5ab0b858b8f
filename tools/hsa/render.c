#include <string.h>

#include "cadf.h"
#include "hsa_buf.h"
#include "hsa_event.h"
#include "hsa_json.h"
#include "render.h"
#include "tail_line.h"

static void
text(struct hsa_buf *b, const struct render_in *in)
{
	tail_line(b, in->r, in->unit, in->colour);
}

static void
ibm_at(struct hsa_buf *b, const struct render_in *in)
{
	hsa_event_json(b, &in->r->event);
}

static void
envelope(struct hsa_buf *b, const struct render_in *in)
{
	hsa_record_json(b, in->r);
}

static void
cadf(struct hsa_buf *b, const struct render_in *in)
{
	cadf_put(b, in->r);
}

static const struct render rows[] = {
    {"text", "one line a record, for people", false, NULL, text},
    {"ibm-at", "events, as the service writes them", true, NULL, ibm_at},
    {"envelope", "every record, with what this project adds", false, NULL,
	envelope},
    {"cadf-1.0", "events, as DMTF's DSP0262 has them", true, NULL, cadf},
    {"kur-tsv", "events, for IBM's Key Usage Reporter", true,
	render_kur_tsv_head, render_kur_tsv},
    {"kur-csv", "events, in the columns that it writes", true,
	render_kur_csv_head, render_kur_csv},
    {"cef", "events, in Common Event Format", true, NULL, render_cef},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct render *
render_next(const struct render *f)
{
	if (f == NULL)
		return rows;
	return f + 1 < rows + ROWS ? f + 1 : NULL;
}

const struct render *
render_find(const char *name)
{
	if (strcmp(name, "json") == 0)
		name = "ibm-at";
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

void
render_names(struct hsa_buf *b, bool text_too)
{
	for (size_t i = text_too ? 0 : 1; i < ROWS; i++)
		hsa_buf_printf(
		    b, "%s%s", b->len == 0 ? "" : ", ", rows[i].name);
}

void
render_line(
    struct hsa_buf *b, const struct render *f, const struct render_in *in)
{
	enum hsa_body body = in->r->body;

	if (f->events_only && body != HSA_BODY_EVENT)
		return;
	/* people are told what happened; in a context nobody did anything */
	if (f->put == text && body == HSA_BODY_CONTEXT)
		return;
	f->put(b, in);
	hsa_buf_u8(b, '\n');
}
