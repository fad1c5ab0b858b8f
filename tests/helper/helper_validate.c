#include <stdio.h>
#include <stdlib.h>

#include "helper_validate.h"
#include "val_read.h"
#include "val_run.h"

#define TELL 10 /* findings; the rest is counted */

struct judge {
	struct val_run run[2]; /* ibm-at, unit */
	const char *input;
	uint64_t index; /* of the event in it */
	uint64_t events, errors;
	bool unread;
};

static void
take(void *ctx, const struct val_finding *f)
{
	struct judge *j = ctx;

	if (f->level != VAL_LEVEL_ERROR)
		return;
	if (j->errors++ < TELL)
		(void)fprintf(stderr,
		    "hsa validate: %s: event %llu: %s %s: %s\n", j->input,
		    (unsigned long long)j->index, val_check_row(f->check)->id,
		    f->path, f->message);
}

static hsa_rc
on_input(void *ctx, const char *name)
{
	struct judge *j = ctx;

	j->input = name;
	j->index = 0;
	for (size_t i = 0; i < 2; i++)
		val_across_input(&j->run[i].across);
	return HSA_OK;
}

static hsa_rc
on_text(void *ctx, const struct val_text *t)
{
	struct judge *j = ctx;
	hsa_rc rc;

	for (size_t i = 0; i < 2; i++)
		HSA_TRY(rc, val_run_take(&j->run[i], t));
	j->events += !j->run[0].no_event;
	j->index += !j->run[0].no_event;
out:
	return rc;
}

static void
on_bad(void *ctx, const char *name, const char *why)
{
	struct judge *j = ctx;

	j->unread = true;
	(void)fprintf(stderr, "hsa validate: %s: %s\n", name, why);
}

bool
hval_logs(uint64_t *events, const char *dir)
{
	struct judge *j = calloc(1, sizeof(*j));
	const struct val_taker taker = {on_input, on_text, on_bad, j};
	bool good;

	if (j == NULL)
		return false;
	for (size_t i = 0; i < 2; i++) {
		struct val_run *v = &j->run[i];

		v->cfg = (struct val_config){
		    .profile = i == 0 ? VAL_IBM_AT : VAL_UNIT,
		    .strict = true,
		    .across = true};
		v->report.take = take;
		v->report.ctx = j;
	}
	good = hsa_is_ok(val_read(dir, NULL, &taker)) && !j->unread &&
	       j->errors == 0;
	if (j->errors > TELL)
		(void)fprintf(stderr, "hsa validate: %llu errors in all\n",
		    (unsigned long long)j->errors);
	if (events != NULL)
		*events = j->events;
	for (size_t i = 0; i < 2; i++)
		val_run_free(&j->run[i]);
	free(j);
	return good;
}
