#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hsa_utf8.h"
#include "val_check.h"

static const struct val_check_row rows[] = {
#define VAL_CHECK(ID, strict, lenient, title, why, source)                     \
	{#ID, VAL_LEVEL_##strict, VAL_LEVEL_##lenient, title, why, source},
#include "val_check.def"
#undef VAL_CHECK
};

const struct val_check_row *
val_check_row(enum val_check c)
{
	return &rows[c];
}

bool
val_check_find(enum val_check *c, const char *id)
{
	size_t i;

	for (i = 0; i < VAL_CHECKS; i++)
		if (strcmp(rows[i].id, id) == 0) {
			*c = (enum val_check)i;
			return true;
		}
	return false;
}

void
val_report_free(struct val_report *r)
{
	hsa_buf_free(&r->path);
	hsa_buf_free(&r->message);
}

static void tell(struct val_report *r, enum val_check c, uint32_t at,
    const char *fmt, va_list ap) HSA_PRINTF(4, 0);

static void
tell(struct val_report *r, enum val_check c, uint32_t at, const char *fmt,
    va_list ap)
{
	char text[512];
	struct val_finding f = {
	    .check = c,
	    .level = r->strict ? rows[c].strict : rows[c].lenient,
	    .at = at,
	};

	/* what an event says may be longer than a person wants to read */
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	hsa_buf_reset(&r->message);
	hsa_utf8_clean(&r->message, text, strlen(text));
	f.path = hsa_buf_cstr(&r->path);
	f.message = hsa_buf_cstr(&r->message);
	if (!hsa_is_ok(hsa_buf_rc(&r->path)) ||
	    !hsa_is_ok(hsa_buf_rc(&r->message)))
		r->nomem = true;
	r->take(r->ctx, &f);
}

void
val_find(struct val_report *r, enum val_check c, const struct val_json *j,
    const struct val_node *n, const char *fmt, ...)
{
	va_list ap;

	if (r->off[c])
		return;
	hsa_buf_reset(&r->path);
	if (n != NULL)
		val_path(&r->path, j, n);
	va_start(ap, fmt);
	tell(r, c, n == NULL ? 0 : n->at, fmt, ap);
	va_end(ap);
}

void
val_find_at(struct val_report *r, enum val_check c, const char *path,
    const char *fmt, ...)
{
	va_list ap;

	if (r->off[c])
		return;
	hsa_buf_reset(&r->path);
	hsa_buf_str(&r->path, path);
	va_start(ap, fmt);
	tell(r, c, 0, fmt, ap);
	va_end(ap);
}

void
val_find_place(
    struct val_report *r, enum val_check c, uint32_t at, const char *fmt, ...)
{
	va_list ap;

	if (r->off[c])
		return;
	hsa_buf_reset(&r->path);
	va_start(ap, fmt);
	tell(r, c, at, fmt, ap);
	va_end(ap);
}
