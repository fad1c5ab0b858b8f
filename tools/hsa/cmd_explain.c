#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "explain_near.h"
#include "hsa_buf.h"
#include "hsa_utf8.h"
#include "val_explain.h"
#include "val_read.h"
#include "val_words.h"
#include "validate_args.h"

struct job {
	struct val_run run;
	struct validate_args args;
	bool json, color;
	struct hsa_buf b;     /* goes out after each event */
	struct hsa_buf input; /* outlives it, for what comes last */
	json_int_t index;
	json_t *found; /* of the event at hand; NULL: outside of any */
	json_int_t events, errors, warnings;
	bool inputs; /* there were some: a sum is due */
	hsa_rc rc;
	int code;
};

/* ---- out ----------------------------------------------------------------- */

static void
flush(struct job *j)
{
	if (!cmd_print(&cmd_explain, &j->b))
		j->rc = HSA_RC(E_IO);
}

static void
tree(struct job *j, const json_t *t)
{
	char *s = json_dumps(t, JSON_COMPACT);

	if (s == NULL) {
		j->rc = HSA_RC(E_NOMEM);
		return;
	}
	hsa_buf_str(&j->b, s);
	hsa_buf_u8(&j->b, '\n');
	free(s);
	flush(j);
}

static void
give(struct job *j, const json_t *t,
    void (*text)(struct hsa_buf *b, const json_t *t))
{
	if (j->json) {
		tree(j, t);
		return;
	}
	if (j->code != CMD_OK || j->inputs)
		hsa_buf_u8(&j->b, '\n');
	text(&j->b, t);
	flush(j);
}

/* ---- events -------------------------------------------------------------- */

static json_t *
clean(const char *s)
{
	struct hsa_buf b = {0};
	json_t *j;

	hsa_utf8_clean(&b, s, strlen(s));
	j = json_string(hsa_buf_cstr(&b));
	hsa_buf_free(&b);
	return j;
}

static void
take(void *ctx, const struct val_finding *f)
{
	struct job *j = ctx;
	json_t *t =
	    json_pack("{s:s,s:s,s:o,s:o}", "check", val_check_row(f->check)->id,
		"level", f->level == VAL_LEVEL_ERROR ? "error" : "warning",
		"path", clean(f->path), "message", clean(f->message));

	if (f->level == VAL_LEVEL_ERROR)
		j->errors++;
	else
		j->warnings++;
	if (json_array_append_new(j->found, t) != 0)
		j->rc = HSA_RC(E_NOMEM);
}

/* Out with it, and where it stands. */
static hsa_rc
place(struct job *j, json_t *e, json_int_t line)
{
	if (json_object_set_new(e, "input", clean(hsa_buf_cstr(&j->input))) !=
		0 ||
	    json_object_set_new(e, "index", json_integer(j->index)) != 0 ||
	    json_object_set_new(e, "line", json_integer(line)) != 0)
		return HSA_RC(E_NOMEM);
	if (j->json) {
		tree(j, e);
	} else {
		val_explain_event_text(&j->b, e, j->color);
		hsa_buf_u8(&j->b, '\n');
		flush(j);
	}
	return j->rc;
}

/* What no event shows, but all of them. */
static hsa_rc
at_end(struct job *j)
{
	json_t *e = NULL;
	hsa_rc rc;

	j->found = json_array();
	if (j->found == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, val_run_end(&j->run));
	if (json_array_size(j->found) == 0)
		goto out;
	HSA_TRY(rc, val_explain_end(&e, &j->run, j->found));
	j->index -= j->index > 0; /* of the last one */
	HSA_TRY(rc, place(j, e, 0));
out:
	json_decref(e);
	json_decref(j->found);
	j->found = NULL;
	return rc;
}

/* Of a log, or of a line that is a record. */
static const struct val_envelope *
envelope(const struct val_run *run, const struct val_text *t)
{
	if (t->envelope != NULL)
		return t->envelope;
	return run->no_event ? &run->envelope : run->event.envelope;
}

static hsa_rc
on_text(void *ctx, const struct val_text *t)
{
	struct job *j = ctx;
	json_t *e = NULL;
	hsa_rc rc;

	j->found = json_array();
	if (j->found == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, val_run_take(&j->run, t));
	/* a record without an event is worth a word when something is wrong */
	if (j->run.no_event && json_array_size(j->found) == 0)
		goto out;
	HSA_TRY(
	    rc, val_explain_event(&e, &j->run, envelope(&j->run, t), j->found));
	HSA_TRY(rc, place(j, e, (json_int_t)t->line));
	if (!j->run.no_event) {
		j->events++;
		j->index++;
	}
	rc = j->rc;
out:
	json_decref(e);
	json_decref(j->found);
	j->found = NULL;
	return rc;
}

static hsa_rc
on_input(void *ctx, const char *name)
{
	struct job *j = ctx;

	hsa_buf_reset(&j->input);
	hsa_buf_str(&j->input, name);
	j->index = 0;
	val_across_input(&j->run.across);
	return HSA_OK;
}

static void
on_bad(void *ctx, const char *name, const char *why)
{
	struct job *j = ctx;

	j->code = cmd_error(&cmd_explain, "%s: %s", name, why);
}

static hsa_rc
events(struct job *j, const char *path)
{
	const struct val_taker taker = {on_input, on_text, on_bad, j};

	j->inputs = true;
	return val_read(path, &j->args.keys, &taker);
}

static void
sum(struct job *j)
{
	json_t *t;

	if (!j->json) {
		hsa_buf_printf(&j->b,
		    "%" JSON_INTEGER_FORMAT " events, %" JSON_INTEGER_FORMAT
		    " errors, %" JSON_INTEGER_FORMAT " warnings\n",
		    j->events, j->errors, j->warnings);
		flush(j);
		return;
	}
	t = json_pack("{s:{s:I,s:I,s:I}}", "summary", "events", j->events,
	    "errors", j->errors, "warnings", j->warnings);
	tree(j, t);
	json_decref(t);
}

/* ---- words --------------------------------------------------------------- */

/* By its name, a former one, or either without "hs-crypto." */
static const struct hsa_action_row *
action(char full[128], const char *word)
{
	const struct hsa_action_row *row;

	(void)snprintf(full, 128, "%s%s",
	    strncmp(word, "hs-crypto.", 10) == 0 ? "" : "hs-crypto.", word);
	row = hsa_catalogue_by_name(full);
	return row != NULL ? row : hsa_catalogue_by_old_name(full);
}

static bool
check(enum val_check *c, const char *word)
{
	char id[8];
	size_t n = strlen(word);

	if (n >= sizeof(id))
		return false;
	memcpy(id, word, n + 1);
	if (id[0] >= 'a' && id[0] <= 'z')
		id[0] = (char)(id[0] - 'a' + 'A');
	return val_check_find(c, id);
}

static void
orphan_text(struct hsa_buf *b, const json_t *t)
{
	hsa_buf_printf(b, "%s\nis now called %s. %s\n",
	    json_string_value(json_object_get(t, "formerName")),
	    json_string_value(json_object_get(t, "action")),
	    json_string_value(json_object_get(t, "note")));
}

static hsa_rc
orphan(json_t **to, const char *name)
{
	for (size_t i = 0; val_orphans[i].old != NULL; i++)
		if (strcmp(val_orphans[i].old, name) == 0) {
			*to = json_pack("{s:s,s:s,s:s}", "formerName", name,
			    "action", val_orphans[i].now, "note",
			    "Nothing more is documented of it than the new "
			    "name, in Table 1.");
			return *to == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
		}
	return HSA_RC(E_NOT_FOUND);
}

static hsa_rc
unknown(struct job *j, const char *word)
{
	struct hsa_buf near = {0};

	explain_near(&near, word);
	j->code = cmd_usage(&cmd_explain,
	    "%s: no action, no check, no file%s%s", word,
	    near.len == 0 ? "" : "; did you mean ", hsa_buf_cstr(&near));
	hsa_buf_free(&near);
	return HSA_OK;
}

static hsa_rc
explain(struct job *j, const char *word)
{
	const struct hsa_action_row *row;
	struct hsa_diag diag = {{0}};
	enum val_check c = 0;
	json_t *t = NULL;
	char full[128];
	struct stat st;
	hsa_rc rc;

	row = action(full, word);
	if (row != NULL) {
		HSA_TRY(rc, val_explain_action(&t, row, full));
		give(j, t, val_explain_action_text);
	} else if (check(&c, word)) {
		HSA_TRY(rc, val_explain_check(&t, c, &diag));
		give(j, t, val_explain_check_text);
	} else if (hsa_is_ok(orphan(&t, full))) {
		give(j, t, orphan_text);
		rc = HSA_OK;
	} else if (strcmp(word, "-") == 0 || strchr(word, '/') != NULL ||
		   stat(word, &st) == 0) {
		rc = events(j, word);
	} else {
		rc = unknown(j, word);
	}
out:
	json_decref(t);
	return hsa_is_ok(rc) ? j->rc : rc;
}

/* ---- the command line ---------------------------------------------------- */

static int
work(struct job *j, char **words, int n)
{
	hsa_rc rc = HSA_OK;
	int i;

	j->run.report.take = take;
	j->run.report.ctx = j;
	for (i = 0; i < n && hsa_is_ok(rc); i++)
		rc = explain(j, words[i]);
	if (hsa_is_ok(rc) && j->inputs)
		rc = at_end(j);
	if (hsa_is_ok(rc) && j->inputs)
		sum(j);
	if (rc.v == HSA_E_IO)
		return CMD_USAGE; /* said already */
	if (!hsa_is_ok(rc))
		return cmd_error(&cmd_explain, "%s", hsa_err_text(rc));
	if (j->code == CMD_OK && j->errors > 0)
		j->code = CMD_FOUND;
	return cmd_flush(&cmd_explain, j->code);
}

static int
run(int argc, char **argv)
{
	static const struct option longs[] = {
	    VALIDATE_ARGS_LONG,
	    {"format", required_argument, NULL, 'f'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct job *j = calloc(1, sizeof(*j));
	const char *format = "text";
	int o, taken, code = CMD_USAGE;

	if (j == NULL)
		return cmd_error(&cmd_explain, "out of memory");
	opterr = 0;
	while ((o = getopt_long(
		    argc, argv, VALIDATE_ARGS "f:h", longs, NULL)) != -1)
		switch (o) {
		case 'f':
			format = optarg;
			break;
		case 'h':
			code = cmd_help(&cmd_explain);
			goto out;
		default:
			taken = validate_args_take(&j->args, &cmd_explain, o);
			if (taken > 0)
				break;
			if (taken == 0)
				code = cmd_bad_option(&cmd_explain, argv);
			goto out;
		}
	j->json = strcmp(format, "json") == 0;
	j->color = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
	if (!j->json && strcmp(format, "text") != 0)
		code = cmd_usage(
		    &cmd_explain, "no format %s: text or json", format);
	else if (optind == argc)
		code = cmd_usage(&cmd_explain,
		    "what? name an action, a check, or a file with events");
	else if (validate_args_set(&j->args, &cmd_explain, &j->run))
		code = work(j, argv + optind, argc - optind);
out:
	val_run_free(&j->run);
	validate_args_free(&j->args);
	hsa_buf_free(&j->b);
	hsa_buf_free(&j->input);
	free(j);
	return code;
}

const struct cmd cmd_explain = {
    .name = "explain",
    .run = run,
    .summary = "what an action or a check means, how an event got its verdict",
    .help =
	"usage: hsa explain [options] ACTION|CHECK|FILE|-...\n\n"
	"ACTION, with or without hs-crypto., or a former name: what it means, "
	"its fields\nwith their types, severity and what decides it, what is "
	"said of its failures,\nand where the document says so. CHECK, such as "
	"E14: what it is for, and examples\nthat it finds something in, with "
	"the fix. FILE, as hsa validate takes it: for\neach event each check "
	"in "
	"order, what it looked at and found, to the verdict of\nhsa "
	"validate.\n\n"
	"  -f, --format F     text (default), json\n" VALIDATE_ARGS_HELP "\n"
	"Exit code 0: explained, and no errors in events, 1: errors in events, "
	"2: wrong\nusage, an unknown word or unreadable input.\n",
};
