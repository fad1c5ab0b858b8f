#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "val_answer.h"
#include "val_base.h"
#include "val_case.h"
#include "val_corpus.h"
#include "val_sample.h"
#include "val_story.h"
#include "val_words.h"
#include "val_write.h"

/* A success, and a failure with each status that Table 21 lists or a text of
 * the document names; 404 stands for those that neither does. */
static const uint32_t statuses[] = {
    200, 400, 401, 403, 404, 408, 409, 424, 500, 502, 503, 504, 505, 507};

struct walk {
	val_corpus_take *take;
	void *ctx;
	struct hsa_diag *diag;
	struct val_corpus_item item;
};

/* "secrets.create" */
static const char *
short_name(const struct hsa_action_row *row)
{
	return strchr(row->name, '.') + 1;
}

/* ---- an item ------------------------------------------------------------- */

static void
begin(
    struct walk *w, enum val_check check, enum val_profile profile, bool strict)
{
	struct val_corpus_item *i = &w->item;

	hsa_buf_reset(&i->note);
	hsa_buf_reset(&i->text);
	i->profile = profile;
	i->strict = strict;
	i->units = 0;
	i->check = check;
	i->action = "";
	i->warnings[0] = '\0';
	i->path = i->fix = "";
}

static hsa_rc
give(struct walk *w)
{
	hsa_rc rc = hsa_buf_rc(&w->item.note);

	HSA_TRY(rc, rc);
	HSA_TRY(rc, hsa_buf_rc(&w->item.text));
	rc = w->take(w->ctx, &w->item);
out:
	return rc;
}

/* ---- valid: the catalogue -------------------------------------------------
 */

static void
warn(struct val_corpus_item *i, const char *ids)
{
	size_t n = strlen(i->warnings);

	(void)snprintf(i->warnings + n, sizeof(i->warnings) - n, "%s%s",
	    n == 0 ? "" : " ", ids);
}

/* What is told of the action, whatever the event says. */
static void
warn_of_action(struct val_corpus_item *i, const struct hsa_action_row *row,
    uint32_t status)
{
	enum hsa_severity_rule rule = HSA_SEVERITY_ACTION;

	(void)hsa_severity(row, status, &rule);
	if (strcmp(row->listed, "table") != 0)
		warn(i, "W04");
	if (rule == HSA_SEVERITY_FALLBACK)
		warn(i, "W01");
}

static enum val_base
base_of(enum val_profile p)
{
	switch (p) {
	case VAL_UNIT:
		return VAL_BASE_RECORD;
	case VAL_CADF_1_0:
		return VAL_BASE_CADF;
	case VAL_IBM_AT:
	case VAL_AT_EXPORT:
	default:
		return VAL_BASE_EVENT;
	}
}

/* ".unit"; nothing for the service's own. */
static void
suffix(char to[16], enum val_profile p)
{
	(void)snprintf(to, 16, "%s%s", p == VAL_IBM_AT ? "" : ".",
	    p == VAL_IBM_AT ? "" : val_profile_name(p));
}

static hsa_rc
plain(struct walk *w, struct val_sample *s, enum val_profile profile)
{
	const char *tag = s->answer == NULL ? "" : s->answer->tag;
	json_t *list = NULL;
	char how[16];
	hsa_rc rc;

	s->tag = tag;
	HSA_TRY(rc, val_base(&list, base_of(profile), s, w->diag));
	begin(w, VAL_CHECKS, profile, profile != VAL_AT_EXPORT);
	suffix(how, profile);
	(void)snprintf(w->item.file, sizeof(w->item.file),
	    "valid/%s-%u%s%s%s.json", short_name(s->row), s->status,
	    tag[0] == '\0' ? "" : "-", tag, how);
	w->item.action = s->row->name;
	val_base_note(&w->item.note, s);
	warn_of_action(&w->item, s->row, s->status);
	if (profile == VAL_AT_EXPORT)
		HSA_TRY(rc, val_write_export(list));
	HSA_TRY(rc, val_write(&w->item.text, list, false));
	rc = give(w);
out:
	json_decref(list);
	return rc;
}

/* The plain event in other profiles: a success and a failure, and of a crypto
 * unit all that it answers. */
static hsa_rc
elsewhere(struct walk *w, struct val_sample *s)
{
	uint32_t code, reason;
	hsa_rc rc = HSA_OK;

	if (s->status == 200 || s->status == 401) {
		HSA_TRY(rc, plain(w, s, VAL_AT_EXPORT));
		HSA_TRY(rc, plain(w, s, VAL_CADF_1_0));
	}
	if (val_sample_unit_answers(s->row, s->status, &code, &reason))
		HSA_TRY(rc, plain(w, s, VAL_UNIT));
out:
	return rc;
}

static hsa_rc
of_status(struct walk *w, const struct hsa_action_row *row, uint32_t status)
{
	const struct val_answer_row *a, *first;
	struct val_sample s;
	hsa_rc rc = HSA_OK;
	size_t at = 0;

	val_sample_init(&s, row, status);
	first = a = val_answer_next(row, status, &at);
	/* what is said of a success is about another one than the usual */
	if (a != NULL && status < 300)
		HSA_TRY(rc, plain(w, &s, VAL_IBM_AT));
	do {
		s.answer = a;
		HSA_TRY(rc, plain(w, &s, VAL_IBM_AT));
	} while (a != NULL && (a = val_answer_next(row, status, &at)) != NULL);
	s.answer = status < 300 ? NULL : first;
	rc = elsewhere(w, &s);
out:
	return rc;
}

static hsa_rc
catalogue(struct walk *w)
{
	const struct hsa_action_row *row;
	hsa_rc rc = HSA_OK;
	size_t n, i, k;

	row = hsa_catalogue(&n);
	for (i = 0; i < n; i++)
		for (k = 0; k < sizeof(statuses) / sizeof(statuses[0]); k++)
			HSA_TRY(rc, of_status(w, &row[i], statuses[k]));
out:
	return rc;
}

/* ---- valid: former names and regions ------------------------------------- */

/* An event of the action, under another name. */
static hsa_rc
former(struct walk *w, const struct hsa_action_row *row, const char *old,
    const char *now)
{
	json_t *list = NULL;
	struct val_sample s;
	hsa_rc rc;

	val_sample_init(&s, row, 200);
	s.tag = old;
	HSA_TRY(rc, val_base(&list, VAL_BASE_EVENT, &s, w->diag));
	if (json_object_set_new(
		json_array_get(list, 0), "action", json_string(old)) != 0)
		HSA_TRY(rc, HSA_RC(E_NOMEM));
	begin(w, VAL_CHECKS, VAL_IBM_AT, true);
	(void)snprintf(w->item.file, sizeof(w->item.file),
	    "valid/%s-200-former-name.json", strchr(old, '.') + 1);
	w->item.action = old;
	hsa_buf_printf(&w->item.note, "A former name, Table 1: now %s.", now);
	warn(&w->item, "W03");
	if (strcmp(row->old_name, old) == 0)
		warn_of_action(&w->item, row, 200);
	HSA_TRY(rc, val_write(&w->item.text, list, false));
	rc = give(w);
out:
	json_decref(list);
	return rc;
}

static hsa_rc
former_names(struct walk *w)
{
	const struct hsa_action_row *row;
	hsa_rc rc = HSA_OK;
	size_t n, i;

	row = hsa_catalogue(&n);
	for (i = 0; i < n; i++)
		if (row[i].old_name[0] != '\0')
			HSA_TRY(rc,
			    former(w, &row[i], row[i].old_name, row[i].name));
	/* nothing is known of these but their names: as an event of any other
	 * action they are well-formed */
	row = hsa_catalogue_by_code(HSA_ACTION_SECRETS_HEAD);
	for (i = 0; val_orphans[i].old != NULL; i++)
		HSA_TRY(
		    rc, former(w, row, val_orphans[i].old, val_orphans[i].now));
out:
	return rc;
}

static hsa_rc
regions(struct walk *w)
{
	json_t *list = NULL;
	struct val_sample s;
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; val_regions[i] != NULL; i++) {
		val_sample_init(&s,
		    hsa_catalogue_by_code(HSA_ACTION_TKE_REGISTER_ADD), 200);
		s.region = s.tag = val_regions[i];
		HSA_TRY(rc, val_base(&list, VAL_BASE_EVENT, &s, w->diag));
		begin(w, VAL_CHECKS, VAL_IBM_AT, true);
		(void)snprintf(w->item.file, sizeof(w->item.file),
		    "valid/%s-200-%s.json", short_name(s.row), s.region);
		w->item.action = s.row->name;
		hsa_buf_printf(
		    &w->item.note, "In region %s, Table 12.", s.region);
		HSA_TRY(rc, val_write(&w->item.text, list, false));
		HSA_TRY(rc, give(w));
		json_decref(list);
		list = NULL;
	}
out:
	json_decref(list);
	return rc;
}

/* ---- the cases ----------------------------------------------------------- */

static void
name_case(struct walk *w, const struct val_case *c, bool lines)
{
	const struct hsa_action_row *row = hsa_catalogue_by_code(c->action);
	const char *dash = c->tag[0] == '\0' ? "" : "-";
	char how[16];

	suffix(how, c->profile);
	if (c->check == VAL_CHECKS)
		(void)snprintf(w->item.file, sizeof(w->item.file),
		    "valid/%s-%u%s%s%s.json%s",
		    row == NULL ? "ceremony" : short_name(row), c->status, dash,
		    c->tag, how, lines ? "l" : "");
	else
		(void)snprintf(w->item.file, sizeof(w->item.file),
		    "broken/%s%s%s%s.json%s", val_check_row(c->check)->id, dash,
		    c->tag, how, lines ? "l" : "");
}

static hsa_rc
edit(struct hsa_buf *b, json_t *list, const struct val_case *c, bool lines)
{
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < VAL_EDITS && c->edit[i].kind != VAL_EDIT_NONE;
	     i++)
		if (c->edit[i].kind != VAL_EDIT_TEXT)
			HSA_TRY(rc, val_edit_tree(list, &c->edit[i]));
	if (c->profile == VAL_AT_EXPORT)
		HSA_TRY(rc, val_write_export(list));
	HSA_TRY(rc, val_write(b, list, lines));
	for (size_t i = 0; i < VAL_EDITS && c->edit[i].kind != VAL_EDIT_NONE;
	     i++)
		if (c->edit[i].kind == VAL_EDIT_TEXT)
			HSA_TRY(rc, val_edit_text(b, &c->edit[i]));
out:
	return rc;
}

static hsa_rc
base(json_t **list, const struct val_case *c, struct hsa_diag *diag)
{
	struct val_sample s;

	if (c->base == VAL_BASE_STORY || c->base == VAL_BASE_LOG)
		return val_story(list, c->base == VAL_BASE_LOG, diag);
	if (c->base == VAL_BASE_KEY)
		return val_story_key(list, diag);
	val_sample_init(&s, hsa_catalogue_by_code(c->action), c->status);
	/* a broken one is the plain one, but for what is broken */
	if (c->check == VAL_CHECKS)
		s.tag = c->tag;
	return val_base(list, c->base, &s, diag);
}

static hsa_rc
one_case(struct walk *w, const struct val_case *c)
{
	bool lines = c->base == VAL_BASE_STORY || c->base == VAL_BASE_LOG ||
		     c->base == VAL_BASE_KEY;
	json_t *list = NULL, *event;
	hsa_rc rc;

	begin(w, c->check, c->profile, !c->lenient);
	name_case(w, c, lines);
	HSA_TRY(rc, base(&list, c, w->diag));
	rc = edit(&w->item.text, list, c, lines);
	if (!hsa_is_ok(rc))
		return hsa_fail(
		    w->diag, rc, "%s: the edit does not fit", w->item.file);
	event = json_array_get(list, 0);
	if (c->base == VAL_BASE_RECORD)
		event = json_object_get(event, "event");
	event = json_object_get(
	    event, c->base == VAL_BASE_CADF ? "name" : "action");
	if (!lines && event != NULL)
		w->item.action = json_string_value(event);
	hsa_buf_str(&w->item.note, c->what);
	w->item.fix = c->then;
	w->item.units = c->units;
	w->item.path = c->told != NULL ? c->told : c->edit[0].at;
	if (c->check == VAL_CHECKS && c->told != NULL)
		warn(&w->item, c->told);
	rc = give(w);
out:
	json_decref(list);
	return rc;
}

static hsa_rc
story(struct walk *w, bool log)
{
	json_t *list = NULL;
	hsa_rc rc;

	HSA_TRY(rc, val_story(&list, log, w->diag));
	begin(w, VAL_CHECKS, VAL_IBM_AT, true);
	w->item.units = VAL_STORY_UNITS;
	(void)snprintf(w->item.file, sizeof(w->item.file),
	    "valid/ceremony%s.jsonl", log ? ".envelope" : "");
	hsa_buf_printf(&w->item.note,
	    "Two crypto units from their first administrator over two master "
	    "keys to the end; refusals on the way%s.",
	    log ? "; the records of their logs" : "");
	HSA_TRY(rc, val_write(&w->item.text, list, true));
	rc = give(w);
out:
	json_decref(list);
	return rc;
}

static hsa_rc
key_story(struct walk *w)
{
	json_t *list = NULL;
	hsa_rc rc;

	HSA_TRY(rc, val_story_key(&list, w->diag));
	begin(w, VAL_CHECKS, VAL_IBM_AT, true);
	(void)snprintf(
	    w->item.file, sizeof(w->item.file), "valid/key-life.jsonl");
	hsa_buf_str(&w->item.note,
	    "One key from its creation over suspension, deletion and "
	    "restoration to its second deletion.");
	HSA_TRY(rc, val_write(&w->item.text, list, true));
	rc = give(w);
out:
	json_decref(list);
	return rc;
}

static hsa_rc
cases(struct walk *w, const struct val_case *c, size_t n)
{
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < n; i++)
		HSA_TRY(rc, one_case(w, &c[i]));
out:
	return rc;
}

static void
done(struct walk *w)
{
	hsa_buf_free(&w->item.note);
	hsa_buf_free(&w->item.text);
}

hsa_rc
val_corpus_broken(val_corpus_take *take, void *ctx, struct hsa_diag *diag)
{
	struct walk w = {.take = take, .ctx = ctx, .diag = diag};
	const struct val_case *c;
	size_t n;
	hsa_rc rc;

	c = val_case_broken(&n);
	HSA_TRY(rc, cases(&w, c, n));
	c = val_case_across(&n);
	rc = cases(&w, c, n);
out:
	done(&w);
	return rc;
}

hsa_rc
val_corpus_each(val_corpus_take *take, void *ctx, struct hsa_diag *diag)
{
	struct walk w = {.take = take, .ctx = ctx, .diag = diag};
	const struct val_case *c;
	size_t n;
	hsa_rc rc;

	HSA_TRY(rc, catalogue(&w));
	HSA_TRY(rc, former_names(&w));
	HSA_TRY(rc, regions(&w));
	c = val_case_good(&n);
	HSA_TRY(rc, cases(&w, c, n));
	HSA_TRY(rc, story(&w, false));
	HSA_TRY(rc, story(&w, true));
	HSA_TRY(rc, key_story(&w));
	rc = val_corpus_broken(take, ctx, diag);
out:
	done(&w);
	return rc;
}
