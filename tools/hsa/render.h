/*
 * render.h - a record in each format that tail and export write: one table,
 * one function a format. All take records as a reader sees them, with their
 * contexts filled in (hsa_contexts.h); none keeps anything between records.
 *
 *   text      for people; not for programs (tail_line.h)
 *   ibm-at    the event as the service writes it, JSON (hsa_json.h)
 *   envelope  the whole record, JSON
 *   cadf-1.0  DMTF DSP0262 1.0.0 event, JSON (cadf.h)
 *   kur-tsv   what IBM's Key Usage Reporter reads (render_kur.c)
 *   kur-csv   the flat CSV that it writes
 *   cef       ArcSight Common Event Format, version 0 (render_cef.c)
 */
#ifndef RENDER_H
#define RENDER_H
#include <stdbool.h>
#include <stddef.h>

struct hsa_buf;
struct hsa_record;

struct render_in {
	const struct hsa_record *r;
	const char *unit; /* text: name to show; NULL: short unit id */
	bool colour;      /* text */
};

struct render {
	const char *name, *summary;
	bool events_only; /* nothing for other records */
	/* first line or lines of an output; NULL: none */
	void (*head)(struct hsa_buf *b);
	/* r as a line, without the LF; only what render_has */
	void (*put)(struct hsa_buf *b, const struct render_in *in);
};

/* render_next(f) - walk the table: NULL gives the first, the last gives NULL.
 * render_find(name) - also "json" for ibm-at; NULL: none has that name. */
const struct render *render_next(const struct render *f);
const struct render *render_find(const char *name);
/* render_names(b, text) - "a, b, c", with or without text. */
void render_names(struct hsa_buf *b, bool text);

/* render_line(b, f, in) - r as a line with LF, or nothing when f has nothing
 * for such a record. */
void render_line(
    struct hsa_buf *b, const struct render *f, const struct render_in *in);

void render_cef(struct hsa_buf *b, const struct render_in *in);
void render_kur_tsv_head(struct hsa_buf *b);
void render_kur_tsv(struct hsa_buf *b, const struct render_in *in);
void render_kur_csv_head(struct hsa_buf *b);
void render_kur_csv(struct hsa_buf *b, const struct render_in *in);

#endif
