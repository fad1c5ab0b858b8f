#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hsa_err.h"

struct row {
	int32_t value;
	const char *name, *duty, *text;
};

static const struct row rows[] = {
#define HSA_ERR(name, value, duty, text) {value, #name, #duty, text},
#include "err.def"
#undef HSA_ERR
};

static const struct row *
find(hsa_rc rc)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value == rc.v)
			return &rows[i];
	return NULL;
}

const char *
hsa_err_name(hsa_rc rc)
{
	const struct row *r = find(rc);

	if (rc.v == 0)
		return "OK";
	return r ? r->name : "E_UNKNOWN";
}

const char *
hsa_err_text(hsa_rc rc)
{
	const struct row *r = find(rc);

	if (rc.v == 0)
		return "success";
	return r ? r->text : "unknown error";
}

const char *
hsa_err_duty(hsa_rc rc)
{
	const struct row *r = find(rc);

	return r ? r->duty : "";
}

void
hsa_diag_set(struct hsa_diag *d, const char *fmt, ...)
{
	va_list ap;

	if (d == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
}

void
hsa_diag_wrap(struct hsa_diag *d, const char *fmt, ...)
{
	struct hsa_diag old;
	va_list ap;
	size_t n;
	int w;

	if (d == NULL)
		return;
	old = *d;
	va_start(ap, fmt);
	w = vsnprintf(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
	n = w < 0 ? 0 : (size_t)w;
	if (n < sizeof(d->text))
		(void)snprintf(d->text + n, sizeof(d->text) - n, ": %.*s",
		    (int)(sizeof(d->text) - n) > 3
			? (int)(sizeof(d->text) - n) - 3
			: 0,
		    old.text);
}

hsa_rc
hsa_fail(struct hsa_diag *d, hsa_rc rc, const char *fmt, ...)
{
	va_list ap;

	if (d != NULL) {
		va_start(ap, fmt);
		(void)vsnprintf(d->text, sizeof(d->text), fmt, ap);
		va_end(ap);
	}
	return rc;
}
