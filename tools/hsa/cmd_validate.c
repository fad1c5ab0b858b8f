#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "hsa_buf.h"
#include "val_known.h"
#include "val_out.h"
#include "val_read.h"
#include "val_run.h"
#include "validate_args.h"

struct job {
	struct val_run run;
	struct val_out out;
	struct val_sum sum;
	struct val_known *known; /* NULL: no baseline */
	struct val_place place;
	struct hsa_buf
	    name; /* of the input; outlives it, for what comes last */
	const struct val_text *text; /* at hand */
	bool open; /* it was told; a record without an event, if need be */
	int code;
};

/* Characters before byte `at` of its line, and that line. */
static void
where(struct val_place *p, const struct val_text *t, uint32_t at)
{
	const char *s = t->p;
	size_t i;

	p->line = t->line;
	p->column = 0;
	if (t->line == 0 || at == 0 || at > t->n)
		return;
	p->column = 1;
	for (i = 0; i < at; i++) {
		if (s[i] == '\n') {
			p->line++;
			p->column = 1;
		} else if (((unsigned char)s[i] & 0xc0) != 0x80) {
			p->column++;
		}
	}
	if (p->column > 1) /* at is behind the token */
		p->column--;
}

static void
begin(struct job *j)
{
	if (j->open)
		return;
	j->open = true;
	j->out.ops->event(&j->out, &j->place);
}

static void
take(void *ctx, const struct val_finding *f)
{
	struct job *j = ctx;
	struct val_place p = j->place;
	const char *action = val_get(&j->run.event, VAL_F_ACTION);

	if (j->run.no_event)
		j->place.noun = "before event";
	begin(j);
	p.action = action == NULL ? "" : action;
	if (j->known != NULL && val_known_has(j->known, &p, f)) {
		j->sum.known++;
		return;
	}
	if (f->level == VAL_LEVEL_ERROR)
		j->sum.errors++;
	else
		j->sum.warnings++;
	if (j->text != NULL)
		where(&p, j->text, f->at);
	j->out.ops->finding(&j->out, &p, f);
}

static hsa_rc
on_text(void *ctx, const struct val_text *t)
{
	struct job *j = ctx;
	const char *action;
	hsa_rc rc;

	j->text = t;
	j->open = false;
	j->place.line = t->line;
	j->place.action = "";
	j->place.noun = "event";
	HSA_TRY(rc, val_run_take(&j->run, t));
	if (!j->run.no_event)
		begin(j);
	action = val_get(&j->run.event, VAL_F_ACTION);
	j->place.action = action == NULL ? "" : action;
	if (j->open)
		j->out.ops->event_end(&j->out, &j->place);
	if (!j->run.no_event) {
		j->sum.events++;
		j->place.index++;
	}
	rc = j->out.rc;
out:
	j->text = NULL;
	return rc;
}

static hsa_rc
on_input(void *ctx, const char *name)
{
	struct job *j = ctx;

	hsa_buf_reset(&j->name);
	hsa_buf_str(&j->name, name);
	j->place =
	    (struct val_place){.input = hsa_buf_cstr(&j->name), .action = ""};
	val_across_input(&j->run.across);
	return HSA_OK;
}

/* What no event shows, but all of them. */
static hsa_rc
at_end(struct job *j)
{
	hsa_rc rc;

	j->open = false;
	j->place.line = 0;
	j->place.noun = "after event";
	j->place.index -= j->place.index > 0;
	if (j->place.input == NULL)
		j->place.input = "";
	j->place.action = "";
	rc = val_run_end(&j->run);
	if (j->open)
		j->out.ops->event_end(&j->out, &j->place);
	return rc;
}

static void
on_bad(void *ctx, const char *name, const char *why)
{
	struct job *j = ctx;

	j->code = cmd_error(&cmd_validate, "%s: %s", name, why);
}

/* ---- the command line ---------------------------------------------------- */

struct wish {
	struct validate_args args;
	const char *format, *baseline;
	bool color;
};

/* Logs hold events as the service has them. */
static bool
no_cadf(struct job *j, const char *path)
{
	struct stat st;

	if (j->run.cfg.profile != VAL_CADF_1_0 || stat(path, &st) != 0 ||
	    !S_ISDIR(st.st_mode))
		return false;
	on_bad(j, path,
	    "a log is no CADF; say hsa export --format cadf-1.0, and give its "
	    "lines");
	return true;
}

static int
work(struct job *j, const struct wish *w, char **files, int n)
{
	const struct val_taker taker = {on_input, on_text, on_bad, j};
	hsa_rc rc = HSA_OK;
	int i;

	j->run.report.take = take;
	j->run.report.ctx = j;
	j->out.to = stdout;
	j->out.ops->begin(&j->out);
	for (i = 0; i < n && hsa_is_ok(rc); i++)
		if (!no_cadf(j, files[i]))
			rc = val_read(files[i], &w->args.keys, &taker);
	if (hsa_is_ok(rc))
		rc = at_end(j);
	j->out.ops->end(&j->out, &j->sum);
	if (!hsa_is_ok(j->out.rc))
		return cmd_error(
		    &cmd_validate, "cannot write: %s", hsa_err_text(j->out.rc));
	if (!hsa_is_ok(rc))
		return cmd_error(&cmd_validate, "%s", hsa_err_text(rc));
	if (j->code == CMD_OK && j->sum.errors > 0)
		j->code = CMD_FOUND;
	return cmd_flush(&cmd_validate, j->code);
}

static int
checks(void)
{
	struct hsa_buf b = {0};
	size_t i;
	int code = CMD_USAGE;

	for (i = 0; i < VAL_CHECKS; i++) {
		const struct val_check_row *c =
		    val_check_row((enum val_check)i);

		hsa_buf_printf(&b, "%s %s%s: %s\n    %s\n    Source: %s\n",
		    c->id, val_level_text(c->strict),
		    c->strict == c->lenient ? "" : " (lenient: warning)",
		    c->title, c->why, c->source);
	}
	if (cmd_print(&cmd_validate, &b))
		code = cmd_flush(&cmd_validate, CMD_OK);
	hsa_buf_free(&b);
	return code;
}

/* false, with a message, when the wish makes no sense. */
static bool
set_up(struct job *j, const struct wish *w)
{
	struct hsa_diag diag = {{0}};

	if (!validate_args_set(&w->args, &cmd_validate, &j->run))
		return false;
	j->out.ops = val_out_find(w->format);
	if (j->out.ops == NULL) {
		(void)cmd_usage(&cmd_validate,
		    "no format %s: text, json, junit, sarif or tap", w->format);
		return false;
	}
	j->out.color = w->color;
	if (w->baseline != NULL &&
	    !hsa_is_ok(val_known_load(&j->known, w->baseline, &diag))) {
		(void)cmd_error(&cmd_validate, "%s", diag.text);
		return false;
	}
	return true;
}

static int
run(int argc, char **argv)
{
	static const struct option longs[] = {
	    VALIDATE_ARGS_LONG,
	    {"format", required_argument, NULL, 'f'},
	    {"baseline", required_argument, NULL, 'b'},
	    {"checks", no_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct wish w = {.format = "text"};
	struct job *j = calloc(1, sizeof(*j));
	int o, taken, code = CMD_USAGE;

	if (j == NULL)
		return cmd_error(&cmd_validate, "out of memory");
	w.color = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
	opterr = 0;
	while ((o = getopt_long(
		    argc, argv, VALIDATE_ARGS "f:b:ch", longs, NULL)) != -1)
		switch (o) {
		case 'f':
			w.format = optarg;
			break;
		case 'b':
			w.baseline = optarg;
			break;
		case 'c':
			code = checks();
			goto out;
		case 'h':
			code = cmd_help(&cmd_validate);
			goto out;
		default:
			taken = validate_args_take(&w.args, &cmd_validate, o);
			if (taken > 0)
				break;
			if (taken == 0)
				code = cmd_bad_option(&cmd_validate, argv);
			goto out;
		}
	if (optind == argc) {
		code = cmd_usage(&cmd_validate,
		    "which file? name files with events, logs, or - for "
		    "standard input");
		goto out;
	}
	if (set_up(j, &w))
		code = work(j, &w, argv + optind, argc - optind);
out:
	val_run_free(&j->run);
	val_out_free(&j->out);
	hsa_buf_free(&j->name);
	val_known_free(j->known);
	validate_args_free(&w.args);
	free(j);
	return code;
}

const struct cmd cmd_validate = {
    .name = "validate",
    .run = run,
    .summary = "check the fields of events, for pipelines to gate on",
    .help =
	"usage: hsa validate [options] FILE|DIR|-...\n\n"
	"FILE holds events as JSON lines, as one array, one after another, or "
	"as a\ntab-separated table with a column \"text\"; gzip and zstd are "
	"seen through. Lines\nof `hsa export --format envelope` are unwrapped. "
	"A folder is a sealed log, a\nunit's folder, a state directory or a "
	"collector's folder: each log is verified\nwhile it is read, and a "
	"damaged one is unreadable from there on. Each event is\nchecked "
	"against the documented fields of its action, and against those before "
	"it\nin the same input. What cannot be parsed is a finding, E01, and "
	"the next event\nfollows.\n\n" VALIDATE_ARGS_HELP
	"  -f, --format F     text (default), json, junit, sarif, tap\n"
	"  -b, --baseline F   findings of an earlier run, --format json, not "
	"told again\n"
	"  -c, --checks       list the checks: id, level, reason, source\n\n"
	"Exit code 0: no errors, 1: errors, 2: wrong usage or unreadable "
	"input.\n",
};
