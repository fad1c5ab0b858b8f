#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "hsa_buf.h"
#include "tkc_watch.h"

#define SLICE_MS 50
#define STRANGE_MAX 1000u

void
tkc_records_free(struct tkc_records *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->len; i++)
		hsa_record_free(&l->r[i]);
	free(l->r);
	*l = (struct tkc_records){.len = 0};
}

/* Takes the record over on success. */
static hsa_rc
push(struct tkc_records *l, struct hsa_record *r)
{
	struct hsa_record *more = realloc(l->r, (l->len + 1) * sizeof(*more));

	if (more == NULL)
		return HSA_RC(E_NOMEM);
	l->r = more;
	l->r[l->len++] = *r;
	*r = (struct hsa_record){.sequence = 0};
	return HSA_OK;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

hsa_rc
tkc_watch_open(struct tkc_watch *w, const char *dir, struct hsa_diag *diag)
{
	struct timespec t;
	struct stat st;

	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "--collected %s: not a directory; start hsa collect --out "
		    "%s first",
		    dir, dir);
	*w = (struct tkc_watch){.len = 0};
	clock_gettime(CLOCK_REALTIME, &t);
	w->since_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	return hsa_strdup_opt(&w->dir, dir);
}

hsa_rc
tkc_watch_add(struct tkc_watch *w, const char *id)
{
	if (w->len >= TKC_FLEET_MAX)
		return HSA_RC(E_RANGE);
	snprintf(w->unit[w->len].id, sizeof(w->unit[0].id), "%s", id);
	w->len++;
	return HSA_OK;
}

void
tkc_watch_close(struct tkc_watch *w)
{
	size_t i;

	if (w == NULL)
		return;
	for (i = 0; i < w->len; i++) {
		vfy_follow_free(w->unit[i].follow);
		tkc_records_free(&w->unit[i].strange);
	}
	free(w->dir);
	*w = (struct tkc_watch){.len = 0};
}

void
tkc_watch_path(struct hsa_buf *b, const struct tkc_watch *w, size_t unit)
{
	hsa_buf_printf(b, "%s/%s", w->dir, w->unit[unit].id);
}

/* The collector makes a unit's folder with its first batch. */
static hsa_rc
open_follow(struct tkc_watch *w, size_t unit)
{
	struct hsa_buf path = {0};
	struct stat st;
	hsa_rc rc;

	if (w->unit[unit].follow != NULL)
		return HSA_OK;
	tkc_watch_path(&path, w, unit);
	HSA_TRY(rc, hsa_buf_rc(&path));
	if (stat(hsa_buf_cstr(&path), &st) != 0)
		rc = HSA_RC(E_TIMEOUT);
	else
		rc = vfy_follow_open(
		    &w->unit[unit].follow, hsa_buf_cstr(&path), NULL);
out:
	hsa_buf_free(&path);
	return rc;
}

static void
sleep_ms(long ms)
{
	const struct timespec t = {0, ms * 1000000};

	nanosleep(&t, NULL);
}

/* One record, or E_TIMEOUT after wait_ms. */
static hsa_rc
next(struct tkc_watch *w, size_t unit, struct hsa_record *r, int wait_ms)
{
	hsa_rc rc = open_follow(w, unit);

	if (hsa_is_ok(rc))
		return vfy_follow_next(w->unit[unit].follow, r, wait_ms);
	if (rc.v == HSA_E_TIMEOUT && wait_ms > 0)
		sleep_ms(wait_ms);
	return rc;
}

static hsa_rc
sort_in(struct tkc_watch *w, size_t unit, struct tkc_records *got,
    const uint8_t command_id[HSA_UUID_LEN], struct hsa_record *r)
{
	struct tkc_records *strange = &w->unit[unit].strange;

	if (r->has_command_id && command_id != NULL &&
	    memcmp(r->command_id, command_id, HSA_UUID_LEN) == 0)
		return push(got, r);
	if (r->wall_ns >= w->since_ns &&
	    (r->has_command_id || r->command != 0) &&
	    strange->len < STRANGE_MAX)
		return push(strange, r);
	return HSA_OK;
}

hsa_rc
tkc_watch_gather(struct tkc_watch *w, size_t unit, struct tkc_records *got,
    const uint8_t command_id[HSA_UUID_LEN], size_t want, int wait_ms,
    struct hsa_diag *diag)
{
	const int64_t deadline = now_ms() + wait_ms;
	const size_t before = got->len;
	hsa_rc rc;

	for (;;) {
		struct hsa_record r = {.sequence = 0};
		bool enough = got->len - before >= want;
		int64_t left = deadline - now_ms();

		if (!enough && left <= 0)
			return HSA_RC(E_TIMEOUT);
		rc = next(w, unit, &r,
		    enough            ? 0
		    : left < SLICE_MS ? (int)left
				      : SLICE_MS);
		if (hsa_is_ok(rc))
			rc = sort_in(w, unit, got, command_id, &r);
		else if (rc.v == HSA_E_TIMEOUT && enough)
			return HSA_OK;
		else if (rc.v == HSA_E_TIMEOUT)
			rc = HSA_OK;
		hsa_record_free(&r);
		if (!hsa_is_ok(rc))
			return hsa_fail(diag, rc,
			    "collected copy of unit %s: %s; check it with hsa "
			    "verify",
			    w->unit[unit].id, hsa_err_text(rc));
	}
}
