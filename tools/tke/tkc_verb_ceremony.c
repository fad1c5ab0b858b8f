/* tke ceremony check | run */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tkc_ceremony.h"
#include "tkc_run.h"
#include "tkc_session.h"
#include "tkc_transcript.h"

/* Everything a ceremony needs, from its file's name on. */
struct hall {
	struct tkc_session *s;
	const char *file;
	struct hsa_buf base; /* directory of the file */
	bool made_files;     /* the key directory was not there before */
	struct tkc_ceremony *c;
	struct tkc_watch watch;
	struct tkc_run run;
};

static void
hall_close(struct hall *h)
{
	tkc_run_free(&h->run);
	tkc_watch_close(&h->watch);
	tkc_ceremony_free(h->c);
	hsa_buf_free(&h->base);
}

static hsa_rc
load(struct hall *h)
{
	const char *slash = strrchr(h->file, '/');
	struct hsa_buf yaml = {0};
	hsa_rc rc;

	if (slash != NULL)
		hsa_buf_put(&h->base, h->file, (size_t)(slash - h->file));
	else
		hsa_buf_str(&h->base, ".");
	if (slash == h->file)
		hsa_buf_str(&h->base, "/");
	HSA_TRY(rc, hsa_buf_rc(&h->base));
	HSA_TRY(rc,
	    tkc_slurp(&yaml, h->file, TKC_CEREMONY_MAX, false, &h->s->diag));
	HSA_TRY(rc, hsa_sha256(h->run.digest, yaml.p, yaml.len));
	rc = tkc_ceremony_parse(&h->c, yaml.p, yaml.len, &h->s->diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(&h->s->diag, "%s", h->file);
out:
	hsa_buf_free(&yaml);
	return rc;
}

/* --files, else files: in the ceremony, else CLOUDTKEFILES. */
static hsa_rc
open_keys(struct hall *h)
{
	struct tkc_session *s = h->s;
	struct hsa_buf path = {0};
	hsa_rc rc;

	if (s->opt.files == NULL && h->c->files != NULL) {
		HSA_TRY(rc,
		    tkc_run_path(&path, hsa_buf_cstr(&h->base), h->c->files));
		h->made_files = access(hsa_buf_cstr(&path), F_OK) != 0;
		HSA_TRY(rc,
		    tkc_files_open(&s->files, hsa_buf_cstr(&path), &s->diag));
	}
	HSA_TRY(rc, tkc_run_passwords(h->c, hsa_buf_cstr(&h->base),
			&s->opt.passwords, &s->diag));
	HSA_TRY(rc, tkc_session_keys(s));
out:
	hsa_buf_free(&path);
	return rc;
}

static hsa_rc
prepare(struct hall *h, bool with_units)
{
	struct tkc_session *s = h->s;
	hsa_rc rc;

	HSA_TRY(rc, load(h));
	HSA_TRY(rc, open_keys(h));
	h->run.c = h->c;
	h->run.file = h->file;
	h->run.base = hsa_buf_cstr(&h->base);
	h->run.ring = &s->ring;
	HSA_TRY(rc, tkc_run_keys(&h->run, &s->diag));
	if (!with_units)
		goto out;
	HSA_TRY(rc, tkc_session_fleet(s));
	h->run.fleet = &s->fleet;
	HSA_TRY(rc, tkc_run_units(&h->run, &s->diag));
out:
	return rc;
}

static hsa_rc
check(struct hall *h)
{
	const struct tkc_options *o = &h->s->opt;
	bool online = o->state != NULL || o->server != NULL;
	hsa_rc rc;

	HSA_TRY(rc, prepare(h, online));
	printf("%s: %u steps, %u roles, %u key parts, %u units: nothing to "
	       "object to%s\n",
	    h->file, h->c->steps_count, h->c->roles_count,
	    h->c->key_parts_count, h->c->units_count,
	    online ? "" : " (units not looked up: no --state)");
out:
	/* a check leaves nothing behind */
	if (h->made_files && h->s->files.path != NULL)
		(void)rmdir(h->s->files.path);
	return rc;
}

static void
on_step(void *ctx, const struct tkc_run *r, const struct tkc_step_done *d)
{
	struct hall *h = ctx;
	struct hsa_buf line = {0};

	if (!h->s->opt.json) {
		tkc_transcript_step(&line, r, d);
		(void)!tkc_put(&line).v;
	}
	hsa_buf_free(&line);
}

static hsa_rc
open_watch(struct hall *h)
{
	struct tkc_session *s = h->s;
	size_t i;
	hsa_rc rc;

	if (s->opt.collected == NULL)
		return s->opt.checkpoint_keys == NULL
			   ? HSA_OK
			   : hsa_fail(&s->diag, HSA_RC(E_ARG),
				 "--checkpoint-keys needs --collected DIR");
	HSA_TRY(rc, tkc_watch_open(&h->watch, s->opt.collected, &s->diag));
	for (i = 0; i < h->c->units_count; i++)
		HSA_TRY(rc, tkc_watch_add(&h->watch, h->run.unit[i]->id));
	h->run.watch = &h->watch;
	h->run.checkpoint_keys = s->opt.checkpoint_keys;
out:
	return rc;
}

static hsa_rc
report(struct hall *h, const char *path)
{
	struct tkc_session *s = h->s;
	struct hsa_buf text = {0}, json = {0};
	hsa_rc rc;

	tkc_transcript_markdown(&text, &h->run);
	HSA_TRY(rc, hsa_buf_rc(&text));
	HSA_TRY(rc, tkc_write_new(path, text.p, text.len, &s->diag));
	if (s->opt.json) {
		tkc_transcript_json(&json, &h->run);
		HSA_TRY(rc, tkc_put(&json));
	} else {
		printf("ceremony: %u steps, %zu deviations, transcript %s: "
		       "%s\n",
		    h->c->steps_count, h->run.deviations, path,
		    h->run.deviations == 0 ? "PASS" : "FAIL");
	}
	if (h->run.deviations > 0)
		s->exit = TKC_EXIT_REFUSED;
out:
	hsa_buf_free(&text);
	hsa_buf_free(&json);
	return rc;
}

static hsa_rc
hold(struct hall *h)
{
	struct tkc_session *s = h->s;
	const char *path =
	    s->opt.transcript == NULL ? "transcript.md" : s->opt.transcript;
	hsa_rc rc, ended;

	if (access(path, F_OK) == 0)
		return hsa_fail(&s->diag, HSA_RC(E_EXISTS),
		    "%s exists: a transcript is never overwritten; name "
		    "another with --transcript",
		    path);
	HSA_TRY(rc, prepare(h, true));
	HSA_TRY(rc, open_watch(h));
	h->run.keep_going = s->opt.keep_going;
	h->run.on_step = on_step;
	h->run.ctx = h;
	/* what did happen is recorded, also when it could not go on */
	ended = tkc_run(&h->run, &s->diag);
	if (!hsa_is_ok(ended) && h->run.steps > 0)
		HSA_TRY(rc, tkc_run_deviate(&h->run, NULL, NULL,
				"the ceremony is carried out", "%s",
				s->diag.text[0] != '\0' ? s->diag.text
							: hsa_err_text(ended)));
	if (h->run.steps > 0)
		HSA_TRY(rc, report(h, path));
	rc = ended;
out:
	return rc;
}

static hsa_rc
ceremony(struct tkc_session *s)
{
	struct hall h = {.s = s};
	const struct tkc_options *o = &s->opt;
	hsa_rc rc;

	if (o->line.arg_count != 2)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "usage: tke ceremony check FILE, or tke ceremony run "
		    "FILE; see tke ceremony --help");
	h.file = o->line.args[1];
	if (strcmp(o->line.args[0], "check") == 0)
		rc = check(&h);
	else if (strcmp(o->line.args[0], "run") == 0)
		rc = hold(&h);
	else
		rc = hsa_fail(&s->diag, HSA_RC(E_ARG), "\"%s\": check or run",
		    o->line.args[0]);
	hall_close(&h);
	return rc;
}

const struct tkc_verb tkc_verbs_ceremony[] = {
    {{"ceremony", "check|run FILE",
	 "Check or hold a ceremony that a YAML "
	 "file describes",
	 "check reads the file and everything it names, and changes "
	 "nothing; with --state\nit also looks up the units. run checks, "
	 "then does it step by step, and writes a\ntranscript; exit status "
	 "1 when anything deviated. See tke-ceremony(5).",
	 TKC_OPT_SERVER | TKC_OPT_FILES | TKC_OPT_PASSWORD | TKC_OPT_JSON |
	     TKC_OPT_RUN,
	 0, 2},
	ceremony},
    {.is = {.name = NULL}},
};
