/* host_where.c - see host_where.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "hsa_buf.h"
#include "host_where.h"

#define UNIX "unix:"
#define EMBEDDED "embedded:"

void
host_where_free(struct host_where *w)
{
	hsa_buf_free(&w->text);
	*w = (struct host_where){0};
}

const char *
host_where_path(const struct host_where *w, size_t i)
{
	return (const char *)w->text.p + w->at[i];
}

const char *
host_where_name(const struct host_where *w)
{
	return w->named ? host_where_path(w, w->n) : NULL;
}

static bool
starts(const char *text, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static hsa_rc
take(struct host_where *w, size_t i, const char *text, size_t n)
{
	if (i >= HOST_UNITS_MAX || n > HOST_PATH_MAX)
		return HSA_RC(E_RANGE);
	w->at[i] = w->text.len;
	hsa_buf_put(&w->text, text, n);
	hsa_buf_u8(&w->text, 0);
	return hsa_buf_rc(&w->text);
}

static hsa_rc
add(struct host_where *w, const char *text, size_t n)
{
	hsa_rc rc = take(w, w->n, text, n);

	if (hsa_is_ok(rc))
		w->n++;
	return rc;
}

static hsa_rc
embedded(
    struct host_where *w, const char *text, size_t n, struct hsa_diag *diag)
{
	const char *hash = NULL;
	size_t dir = 0;
	hsa_rc rc = HSA_OK;

	text += strlen(EMBEDDED);
	n -= strlen(EMBEDDED);
	/* the last one: a folder's name may have others */
	hash = memrchr(text, '#', n);
	dir = hash == NULL ? n : (size_t)(hash - text);
	if (dir == 0 || (hash != NULL && dir + 1 == n))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "EP11_UNIT: \"embedded:\" is not followed by DIR or "
		    "DIR#NAME; fix: name the installation's folder");
	w->embedded = true;
	HSA_TRY(rc, add(w, text, dir));
	if (hash != NULL)
		HSA_TRY(rc, take(w, w->n, hash + 1, n - dir - 1));
	w->named = hash != NULL;
out:
	return rc;
}

static hsa_rc
sockets(struct host_where *w, const char *text, size_t n, struct hsa_diag *diag)
{
	const char *at = text, *end = text + n, *comma = NULL;
	hsa_rc rc = HSA_OK;

	for (;;) {
		comma = memchr(at, ',', (size_t)(end - at));
		n = (size_t)((comma == NULL ? end : comma) - at);
		if (!starts(at, n, UNIX) || n == strlen(UNIX)) {
			rc = hsa_fail(diag, HSA_RC(E_FORMAT),
			    "EP11_UNIT: entry %zu is not unix:PATH; fix: "
			    "unix:PATH[,unix:PATH...] or one "
			    "embedded:DIR[#NAME]",
			    w->n + 1);
			goto out;
		}
		HSA_TRY(rc, add(w, at + strlen(UNIX), n - strlen(UNIX)));
		if (comma == NULL)
			goto out;
		at = comma + 1;
	}
out:
	return rc;
}

hsa_rc
host_where_parse(
    struct host_where *w, const char *text, size_t n, struct hsa_diag *diag)
{
	struct host_where got = {0};
	hsa_rc rc = HSA_OK;

	if (n > HOST_WHERE_MAX || memchr(text, '\0', n) != NULL)
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "EP11_UNIT: too long; fix: at most %u characters",
		    HOST_WHERE_MAX);
	if (starts(text, n, EMBEDDED))
		rc = embedded(&got, text, n, diag);
	else
		rc = sockets(&got, text, n, diag);
	if (rc.v == HSA_E_RANGE)
		hsa_diag_set(diag,
		    "EP11_UNIT: more than %u units, or a path above %u "
		    "characters",
		    HOST_UNITS_MAX, HOST_PATH_MAX);
	if (hsa_is_ok(rc)) {
		*w = got;
		got = (struct host_where){0};
	}
	host_where_free(&got);
	return rc;
}

/* ---- folders ------------------------------------------------------------- */

static bool
is(const char *path, mode_t kind)
{
	struct stat st = {0};

	return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/* Appends; how many sockets are there is for the caller to see. */
static hsa_rc
look_in(struct host_where *w, const char *dir)
{
	struct dirent **entry = NULL;
	struct hsa_buf path = {0};
	int n = 0, i = 0;
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&path, "%s/units", dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	n = scandir(hsa_buf_cstr(&path), &entry, NULL, alphasort);
	for (i = 0; i < n; i++) {
		if (entry[i]->d_name[0] == '.')
			continue;
		hsa_buf_reset(&path);
		hsa_buf_printf(
		    &path, "%s/units/%s/unit.sock", dir, entry[i]->d_name);
		HSA_TRY(rc, hsa_buf_rc(&path));
		if (is(hsa_buf_cstr(&path), S_IFSOCK))
			HSA_TRY(rc, add(w, hsa_buf_cstr(&path), path.len));
	}
out:
	for (i = 0; i < n; i++)
		free(entry[i]);
	free(entry);
	hsa_buf_free(&path);
	return rc;
}

hsa_rc
host_where_look(struct host_where *w, struct hsa_diag *diag)
{
	struct host_where got = {0};
	size_t i = 0, before = 0;
	hsa_rc rc = HSA_OK;

	if (w->embedded)
		return HSA_OK;
	for (i = 0; i < w->n; i++) {
		const char *path = host_where_path(w, i);

		if (!is(path, S_IFDIR)) {
			HSA_TRY(rc, add(&got, path, strlen(path)));
			continue;
		}
		before = got.n;
		HSA_TRY(rc, look_in(&got, path));
		if (got.n == before) {
			rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
			    "no crypto unit's socket below %s/units; fix: "
			    "cryptounitd run %s",
			    path, path);
			goto out;
		}
	}
	host_where_free(w);
	*w = got;
	got = (struct host_where){0};
out:
	host_where_free(&got);
	return rc;
}

hsa_rc
host_where_default(struct host_where *w, struct hsa_diag *diag)
{
	struct host_where got = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, look_in(&got, HOST_DEFAULT_RUN));
	if (got.n == 0)
		HSA_TRY(rc, look_in(&got, HOST_DEFAULT_LIB));
	if (got.n == 0) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no crypto unit found: EP11_UNIT is not set, and there is "
		    "no socket units/*/unit.sock in " HOST_DEFAULT_RUN
		    " or " HOST_DEFAULT_LIB
		    "; fix: EP11_UNIT=unix:DIR, where DIR is the folder of "
		    "`cryptounitd run DIR`");
		goto out;
	}
	*w = got;
	got = (struct host_where){0};
out:
	host_where_free(&got);
	return rc;
}
