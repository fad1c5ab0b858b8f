#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_utf8.h"
#include "val_units.h"
#include "vfy_file.h"

static bool
has(const struct val_units *u, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < u->n; i++)
		if (strlen(u->name[i]) == n && memcmp(u->name[i], s, n) == 0)
			return true;
	return false;
}

static hsa_rc
add(struct val_units *u, const char *s, size_t n, struct hsa_diag *diag)
{
	if (n > VAL_UNIT_NAME_MAX || memchr(s, '\0', n) != NULL ||
	    !hsa_utf8_valid(s, n))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "is no list of crypto units: one name in each line");
	if (has(u, s, n))
		return hsa_fail(
		    diag, HSA_RC(E_EXISTS), "has %.*s twice", (int)n, s);
	if (u->n == VAL_UNITS)
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "has more than %d crypto units", VAL_UNITS);
	u->name[u->n] = strndup(s, n);
	if (u->name[u->n] == NULL)
		return HSA_RC(E_NOMEM);
	u->n++;
	return HSA_OK;
}

hsa_rc
val_units_parse(
    struct val_units *u, const char *text, size_t n, struct hsa_diag *diag)
{
	const char *at = text, *end = text + n, *stop, *next;
	hsa_rc rc = HSA_OK;

	for (; at < end; at = next) {
		stop = memchr(at, '\n', (size_t)(end - at));
		next = stop == NULL ? end : stop + 1;
		stop = stop == NULL ? end : stop;
		while (stop > at && (stop[-1] == '\r' || stop[-1] == ' '))
			stop--;
		if (stop > at && at[0] != '#')
			HSA_TRY(rc, add(u, at, (size_t)(stop - at), diag));
	}
	if (u->n == 0)
		rc = hsa_fail(diag, HSA_RC(E_FORMAT), "names no crypto unit");
out:
	return rc;
}

hsa_rc
val_units_load(struct val_units *u, const char *arg, struct hsa_diag *diag)
{
	size_t digits = strspn(arg, "0123456789");
	struct hsa_buf b = {0};
	unsigned long n;
	hsa_rc rc;

	if (digits > 0 && arg[digits] == '\0') {
		n = digits > 4 ? 0 : strtoul(arg, NULL, 10);
		if (n < 1 || n > VAL_UNITS)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "%s crypto units: 1 to %d can be followed", arg,
			    VAL_UNITS);
		u->n = n;
		return HSA_OK;
	}
	rc = vfy_file_slurp(
	    &b, arg, (size_t)VAL_UNITS * (VAL_UNIT_NAME_MAX + 1) * 2);
	if (hsa_is_ok(rc))
		rc = val_units_parse(u, (const char *)b.p, b.len, diag);
	else
		hsa_diag_set(diag, "%s", hsa_err_text(rc));
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "%s", arg);
	hsa_buf_free(&b);
	return rc;
}

void
val_units_free(struct val_units *u)
{
	size_t i;

	for (i = 0; i < VAL_UNITS; i++)
		free(u->name[i]);
	*u = (struct val_units){0};
}

size_t
val_units_find(const struct val_units *u, const char *id, const char *name)
{
	const char *last = strrchr(id, ':');
	size_t i;

	for (i = 0; i < u->n; i++)
		if (u->name[i] != NULL &&
		    (strcmp(u->name[i], id) == 0 ||
			strcmp(u->name[i], name) == 0 ||
			(last != NULL && strcmp(u->name[i], last + 1) == 0)))
			return i;
	return u->n;
}
