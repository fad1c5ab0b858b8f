#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "val_bytes.h"
#include "val_in.h"
#include "val_json.h"

#define CHUNK ((size_t)256 * 1024)

enum shape {
	UNKNOWN = 0,
	LINES,  /* one text a line */
	ARRAY,  /* elements of one array */
	VALUES, /* objects that go over lines */
	TABLE   /* tab separated, events in one column */
};

struct val_in {
	struct val_bytes *bytes;
	enum shape shape;
	struct hsa_buf b; /* what is read and not yet given */
	size_t at;        /* given so far */
	bool end;
	uint64_t line;       /* of b.p[at] */
	unsigned int column; /* TABLE: of the events */
	bool closed;         /* ARRAY: its end was seen */
	bool first;          /* ARRAY: no element yet */
	struct hsa_buf cell;
};

hsa_rc
val_in_open(struct val_in **to, const char *path, struct hsa_diag *diag)
{
	struct val_in *in = calloc(1, sizeof(*in));
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (in == NULL)
		return rc;
	in->line = 1;
	in->first = true;
	HSA_TRY(rc, val_bytes_open(&in->bytes, path, diag));
	*to = in;
	in = NULL;
out:
	val_in_close(in);
	return rc;
}

void
val_in_close(struct val_in *in)
{
	if (in == NULL)
		return;
	val_bytes_close(in->bytes);
	hsa_buf_free(&in->b);
	hsa_buf_free(&in->cell);
	free(in);
}

/* More bytes behind those that are there; none: in->end. What was given is
 * dropped first, so a text that was handed out is gone. */
static hsa_rc
more(struct val_in *in, struct hsa_diag *diag)
{
	size_t got = 0;
	uint8_t *to;
	hsa_rc rc;

	if (in->at > 0) {
		memmove(in->b.p, in->b.p + in->at, in->b.len - in->at);
		in->b.len -= in->at;
		in->at = 0;
	}
	to = hsa_buf_reserve(&in->b, CHUNK);
	if (to == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, val_bytes_read(in->bytes, &got, to, CHUNK, diag));
	in->b.len += got;
	in->end = got == 0;
out:
	return rc;
}

static size_t
left(const struct val_in *in)
{
	return in->b.len - in->at;
}

/* Give n bytes from here on as a text. */
static void
give(struct val_in *in, struct val_text *t, size_t n)
{
	const uint8_t *p = in->b.p + in->at, *nl;
	size_t at = 0;

	*t = (struct val_text){.p = p, .n = n, .line = in->line};
	in->at += n;
	while ((nl = memchr(p + at, '\n', n - at)) != NULL) {
		in->line++;
		at = (size_t)(nl - p) + 1;
	}
}

/* Over what may stand between texts. */
static hsa_rc
skip_blank(struct val_in *in, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;
	uint8_t c;

	for (;;) {
		if (left(in) == 0) {
			if (in->end)
				return HSA_OK;
			HSA_TRY(rc, more(in, diag));
			continue;
		}
		c = in->b.p[in->at];
		if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
			return HSA_OK;
		in->line += c == '\n';
		in->at++;
	}
out:
	return rc;
}

/* ---- lines --------------------------------------------------------------- */

/* The next line, without its end; found false: there is none. A line beyond
 * the limit is dropped, told as bad. */
static hsa_rc
next_line(
    struct val_in *in, bool *found, struct val_text *t, struct hsa_diag *diag)
{
	size_t scanned = 0, n;
	const uint8_t *nl = NULL;
	bool dropped = false;
	hsa_rc rc = HSA_OK;

	for (;;) {
		if (left(in) > scanned)
			nl = memchr(in->b.p + in->at + scanned, '\n',
			    left(in) - scanned);
		if (nl != NULL || in->end)
			break;
		scanned = left(in);
		if (scanned > VAL_TEXT_MAX) {
			in->at += scanned;
			scanned = 0;
			dropped = true;
		}
		HSA_TRY(rc, more(in, diag));
	}
	n = nl != NULL ? (size_t)(nl - (in->b.p + in->at)) : left(in);
	*found = n > 0 || nl != NULL || dropped;
	if (!*found)
		goto out;
	give(in, t, n);
	if (nl != NULL) {
		in->at++;
		in->line++;
	}
	if (dropped || n > VAL_TEXT_MAX)
		t->bad = "longer than 64 MiB";
	if (t->n > 0 && ((const uint8_t *)t->p)[t->n - 1] == '\r')
		t->n--;
out:
	return rc;
}

static bool
blank(const struct val_text *t)
{
	const char *s = t->p;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	return t->bad == NULL;
}

/* ---- texts that go over lines -------------------------------------------- */

struct scan {
	size_t at; /* looked at */
	unsigned int depth;
	bool string, escape;
};

/* Go on until the value that begins at the start ends: at a closing bracket of
 * depth 0, or (elements) before a comma or bracket that is not its own. */
static bool
value_end(struct scan *s, const uint8_t *p, size_t n, bool element)
{
	for (; s->at < n; s->at++) {
		uint8_t c = p[s->at];

		if (s->string) {
			if (s->escape)
				s->escape = false;
			else if (c == '\\')
				s->escape = true;
			else if (c == '"')
				s->string = false;
			continue;
		}
		if (c == '"') {
			s->string = true;
		} else if (c == '{' || c == '[') {
			s->depth++;
		} else if (c == '}' || c == ']') {
			if (s->depth == 0)
				return true;
			if (--s->depth == 0 && !element) {
				s->at++;
				return true;
			}
		} else if (element && c == ',' && s->depth == 0) {
			return true;
		}
	}
	return false;
}

static hsa_rc
next_value(
    struct val_in *in, struct val_text *t, bool element, struct hsa_diag *diag)
{
	struct scan s = {0};
	bool dropped = false;
	hsa_rc rc = HSA_OK;

	while (!value_end(&s, in->b.p + in->at, left(in), element)) {
		if (in->end)
			break;
		if (left(in) > VAL_TEXT_MAX) {
			in->at = in->b.len;
			s.at = 0;
			dropped = true;
		}
		HSA_TRY(rc, more(in, diag));
	}
	/* a stray bracket alone: give it, so that it is told and passed */
	give(in, t, s.at == 0 && left(in) > 0 && !element ? 1 : s.at);
	if (dropped)
		t->bad = "longer than 64 MiB";
out:
	return rc;
}

static hsa_rc
next_element(struct val_in *in, struct val_text *t, struct hsa_diag *diag)
{
	hsa_rc rc;
	uint8_t c;

	HSA_TRY(rc, skip_blank(in, diag));
	if (left(in) == 0) {
		if (in->closed)
			return HSA_RC(E_NOT_FOUND);
		in->closed = true;
		*t = (struct val_text){
		    .line = in->line, .bad = "array ends without its ]"};
		return HSA_OK;
	}
	c = in->b.p[in->at];
	if (in->closed) {
		give(in, t, left(in));
		in->at = in->b.len;
		t->bad = "something stands behind the array";
		return HSA_OK;
	}
	if (c == ']' && in->first) {
		in->closed = true;
		in->at++;
		return next_element(in, t, diag);
	}
	in->first = false;
	HSA_TRY(rc, next_value(in, t, true, diag));
	if (left(in) == 0)
		goto out;
	in->closed = in->b.p[in->at] != ',';
	in->at++;
out:
	return rc;
}

/* ---- table --------------------------------------------------------------- */

static const char *
cell(const char **p, size_t *left_n, size_t *n)
{
	const char *s = *p, *tab = memchr(s, '\t', *left_n);

	*n = tab == NULL ? *left_n : (size_t)(tab - s);
	*p = s + *n + (tab != NULL);
	*left_n -= *n + (tab != NULL);
	return s;
}

/* Which column holds the events; false: this is no header. */
static bool
header(struct val_in *in, const struct val_text *t)
{
	const char *p = t->p, *s;
	size_t rest = t->n, n;
	unsigned int i;

	for (i = 0; rest > 0; i++) {
		s = cell(&p, &rest, &n);
		if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
			s++;
			n -= 2;
		}
		if (n == 4 && memcmp(s, "text", 4) == 0) {
			in->column = i;
			return true;
		}
	}
	return false;
}

/* A cell in quotes has its quotes doubled (RFC 4180). */
static hsa_rc
event_cell(struct val_in *in, struct val_text *t)
{
	const char *p = t->p, *s = NULL;
	size_t rest = t->n, n = 0, i;
	unsigned int k;

	for (k = 0; k <= in->column; k++) {
		if (k > 0 && rest == 0) {
			t->bad = "row has no column \"text\"";
			return HSA_OK;
		}
		s = cell(&p, &rest, &n);
	}
	if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
		hsa_buf_reset(&in->cell);
		for (i = 1; i + 1 < n; i++) {
			hsa_buf_u8(&in->cell, (uint8_t)s[i]);
			if (s[i] == '"' && s[i + 1] == '"' && i + 2 < n)
				i++;
		}
		s = hsa_buf_cstr(&in->cell);
		n = in->cell.len;
	}
	t->p = s;
	t->n = n;
	return hsa_buf_rc(&in->cell);
}

/* ---- which it is --------------------------------------------------------- */

/*
 * An object that its first line does not end goes over lines, unless the next
 * line begins an object as well: then this is a file of lines whose first is
 * broken.
 */
static hsa_rc
lines_or_values(struct val_in *in, struct hsa_diag *diag)
{
	const uint8_t *p, *nl = NULL;
	struct scan s = {0};
	size_t n, at;
	hsa_rc rc = HSA_OK;

	in->shape = LINES;
	while ((nl = memchr(in->b.p + in->at, '\n', left(in))) == NULL &&
	       !in->end && left(in) <= VAL_TEXT_MAX)
		HSA_TRY(rc, more(in, diag));
	if (nl == NULL)
		goto out;
	n = (size_t)(nl - (in->b.p + in->at));
	if (value_end(&s, in->b.p + in->at, n, false))
		goto out;
	for (at = n + 1; left(in) <= at && !in->end;)
		HSA_TRY(rc, more(in, diag));
	p = in->b.p + in->at;
	if (left(in) > at && p[at] != '{')
		in->shape = VALUES;
out:
	return rc;
}

static hsa_rc
recognize(struct val_in *in, struct hsa_diag *diag)
{
	const uint8_t *p, *nl;
	struct val_text t = {0};
	bool found = false;
	hsa_rc rc = HSA_OK;

	while (left(in) < 3 && !in->end)
		HSA_TRY(rc, more(in, diag));
	/* a byte order mark is none of the text (RFC 8259 lets us ignore it) */
	if (left(in) >= 3 && memcmp(in->b.p, "\xef\xbb\xbf", 3) == 0)
		in->at = 3;
	HSA_TRY(rc, skip_blank(in, diag));
	in->shape = LINES;
	if (left(in) == 0)
		goto out;
	if (in->b.p[in->at] == '[') {
		in->shape = ARRAY;
		in->at++;
		goto out;
	}
	if (in->b.p[in->at] == '{') {
		rc = lines_or_values(in, diag);
		goto out;
	}
	/* a header is looked at before it is taken */
	while (memchr(in->b.p + in->at, '\n', left(in)) == NULL && !in->end &&
	       left(in) < CHUNK)
		HSA_TRY(rc, more(in, diag));
	p = in->b.p + in->at;
	nl = memchr(p, '\n', left(in));
	t.p = p;
	t.n = nl == NULL ? left(in) : (size_t)(nl - p);
	if (t.n > 0 && p[t.n - 1] == '\r')
		t.n--;
	if (header(in, &t)) {
		in->shape = TABLE;
		HSA_TRY(rc, next_line(in, &found, &t, diag));
	}
out:
	return rc;
}

hsa_rc
val_in_next(struct val_in *in, struct val_text *t, struct hsa_diag *diag)
{
	bool found = false;
	hsa_rc rc = HSA_OK;

	if (in->shape == UNKNOWN)
		HSA_TRY(rc, recognize(in, diag));
	if (in->shape == ARRAY)
		return next_element(in, t, diag);
	if (in->shape == VALUES) {
		HSA_TRY(rc, skip_blank(in, diag));
		return left(in) == 0 ? HSA_RC(E_NOT_FOUND)
				     : next_value(in, t, false, diag);
	}
	do {
		HSA_TRY(rc, next_line(in, &found, t, diag));
		if (!found)
			return HSA_RC(E_NOT_FOUND);
	} while (blank(t));
	if (in->shape == TABLE && t->bad == NULL)
		rc = event_cell(in, t);
out:
	return rc;
}
