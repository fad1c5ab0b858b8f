#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_session.h"

hsa_rc
tkc_session_files(struct tkc_session *s)
{
	hsa_rc rc;

	if (s->files.path != NULL)
		return HSA_OK;
	HSA_TRY(rc, tkc_files_open(&s->files, s->opt.files, &s->diag));
	HSA_TRY(rc, tkc_selection_load(&s->selection, &s->files, &s->diag));
out:
	return rc;
}

hsa_rc
tkc_session_keys(struct tkc_session *s)
{
	hsa_rc rc;

	if (s->has_ring)
		return HSA_OK;
	HSA_TRY(rc, tkc_session_files(s));
	HSA_TRY(rc,
	    tkc_ring_load(&s->ring, &s->files, &s->opt.passwords, &s->diag));
	s->has_ring = true;
	if (s->ring.unreadable.text[0] != '\0')
		fprintf(stderr, "tke: %s\n", s->ring.unreadable.text);
out:
	return rc;
}

/* --state gives what --server and --oa-root do not. */
static hsa_rc
address(const struct tkc_session *s, struct hsa_buf *server,
    struct hsa_buf *root, struct hsa_diag *diag)
{
	const struct tkc_options *o = &s->opt;
	hsa_rc rc;

	if (o->state == NULL && (o->server == NULL || o->oa_root == NULL))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "which crypto units? give --state DIR, or --server ADDRESS "
		    "and --oa-root FILE");
	if (o->server != NULL)
		hsa_buf_str(server, o->server);
	else
		hsa_buf_printf(server, "unix:%s/admin.sock", o->state);
	if (o->oa_root != NULL)
		hsa_buf_str(root, o->oa_root);
	else
		hsa_buf_printf(root, "%s/oa-root.pem", o->state);
	HSA_TRY(rc, hsa_buf_rc(server));
	HSA_TRY(rc, hsa_buf_rc(root));
out:
	return rc;
}

hsa_rc
tkc_session_fleet(struct tkc_session *s)
{
	struct hsa_buf server = {0}, root = {0};
	struct tkc_http_config cfg = {.token_file = s->opt.token_file};
	hsa_rc rc;

	if (s->has_fleet)
		return HSA_OK;
	HSA_TRY(rc, address(s, &server, &root, &s->diag));
	cfg.server = hsa_buf_cstr(&server);
	HSA_TRY(rc, tkc_http_open(&s->http, &cfg, &s->diag));
	HSA_TRY(rc, tkc_fleet_open(&s->fleet, s->http, s->opt.instance,
			hsa_buf_cstr(&root), &s->diag));
	s->has_fleet = true;
out:
	hsa_buf_free(&server);
	hsa_buf_free(&root);
	return rc;
}

void
tkc_session_close(struct tkc_session *s)
{
	if (s == NULL)
		return;
	tkc_fleet_close(&s->fleet);
	tkc_http_close(s->http);
	tkc_ring_free(&s->ring);
	tkc_files_close(&s->files);
	tkc_options_free(&s->opt);
}

hsa_rc
tkc_session_units(struct tkc_session *s, struct tkc_unit **list, size_t *n)
{
	size_t i, k = 0;
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_files(s));
	HSA_TRY(rc, tkc_session_fleet(s));
	for (i = 0; i < s->fleet.len; i++)
		if (tkc_selection_has_unit(&s->selection, s->fleet.unit[i].id))
			list[k++] = &s->fleet.unit[i];
	if (k == 0)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "no crypto unit is selected: see tke cryptounits, then "
		    "tke cryptounit-add NUM...");
	*n = k;
out:
	return rc;
}

static hsa_rc
split(struct tkc_words *w)
{
	char *save = NULL, *word = NULL, *text = NULL;
	const char **more = NULL;

	hsa_buf_u8(&w->held, 0);
	if (!hsa_is_ok(hsa_buf_rc(&w->held)))
		return HSA_RC(E_NOMEM);
	text = (char *)w->held.p;
	for (word = strtok_r(text, " \t,", &save); word != NULL;
	     word = strtok_r(NULL, " \t,", &save)) {
		more = realloc(w->word, (w->len + 1) * sizeof(*more));
		if (more == NULL)
			return HSA_RC(E_NOMEM);
		w->word = more;
		w->word[w->len++] = word;
	}
	return HSA_OK;
}

hsa_rc
tkc_session_words(struct tkc_session *s, struct tkc_words *w,
    const char *question, const char *option)
{
	const struct tkc_prompt *p = &s->opt.passwords.prompt;
	hsa_rc rc;

	if (s->opt.line.arg_count > 0) {
		w->word = calloc(s->opt.line.arg_count, sizeof(*w->word));
		if (w->word == NULL)
			return HSA_RC(E_NOMEM);
		w->len = s->opt.line.arg_count;
		memcpy(w->word, s->opt.line.args, w->len * sizeof(*w->word));
		return HSA_OK;
	}
	HSA_TRY(rc, tkc_prompt_line(p, &w->held, question, option, &s->diag));
	HSA_TRY(rc, split(w));
	if (w->len == 0)
		rc = hsa_fail(&s->diag, HSA_RC(E_STOPPED), "nothing named");
out:
	return rc;
}

void
tkc_words_free(struct tkc_words *w)
{
	if (w == NULL)
		return;
	free(w->word);
	hsa_buf_free(&w->held);
	*w = (struct tkc_words){.len = 0};
}

hsa_rc
tkc_session_text(struct tkc_session *s, struct hsa_buf *b, const char *given,
    const char *question, const char *option)
{
	if (given == NULL)
		return tkc_prompt_line(
		    &s->opt.passwords.prompt, b, question, option, &s->diag);
	hsa_buf_str(b, given);
	return hsa_buf_rc(b);
}

hsa_rc
tkc_session_confirm(struct tkc_session *s, const char *question)
{
	if (s->opt.yes)
		return HSA_OK;
	return tkc_prompt_yes(
	    &s->opt.passwords.prompt, question, "--yes", &s->diag);
}

hsa_rc
tkc_put(const struct hsa_buf *b)
{
	hsa_rc rc = hsa_buf_rc(b);

	if (hsa_is_ok(rc) && b->len > 0 &&
	    fwrite(b->p, 1, b->len, stdout) != b->len)
		rc = HSA_RC(E_IO);
	if (hsa_is_ok(rc) && fflush(stdout) != 0)
		rc = HSA_RC(E_IO);
	return rc;
}
