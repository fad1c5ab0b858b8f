#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_event.h"
#include "tkc_files.h"
#include "tkc_password.h"

hsa_rc
tkc_passwords_add_for(
    struct tkc_passwords *w, const char *name, const char *file)
{
	struct tkc_password_source *more = NULL;
	struct tkc_password_source s = {0};
	hsa_rc rc;

	more = realloc(w->source, (w->len + 1) * sizeof(*more));
	if (more == NULL)
		return HSA_RC(E_NOMEM);
	w->source = more;
	HSA_TRY(rc, hsa_strdup_opt(&s.name, name));
	HSA_TRY(rc, hsa_strdup_opt(&s.file, file));
	w->source[w->len++] = s;
	return HSA_OK;
out:
	free(s.name);
	free(s.file);
	return rc;
}

hsa_rc
tkc_passwords_add(struct tkc_passwords *w, const char *text)
{
	const char *eq = strchr(text, '=');
	char *name = NULL;
	hsa_rc rc;

	if (eq == NULL)
		return tkc_passwords_add_for(w, NULL, text);
	name = strndup(text, (size_t)(eq - text));
	if (name == NULL)
		return HSA_RC(E_NOMEM);
	rc = tkc_passwords_add_for(w, name, eq + 1);
	free(name);
	return rc;
}

void
tkc_passwords_free(struct tkc_passwords *w)
{
	size_t i;

	if (w == NULL)
		return;
	for (i = 0; i < w->len; i++) {
		free(w->source[i].name);
		free(w->source[i].file);
	}
	free(w->source);
	w->source = NULL;
	w->len = 0;
}

static const char *
file_for(const struct tkc_passwords *w, const char *name)
{
	const char *any = NULL;
	size_t i;

	for (i = 0; i < w->len; i++) {
		const struct tkc_password_source *s = &w->source[i];

		if (s->name == NULL)
			any = s->file;
		else if (strcmp(s->name, name) == 0)
			return s->file;
	}
	return any;
}

hsa_rc
tkc_passwords_get(const struct tkc_passwords *w, struct hsa_buf *password,
    const char *what, const char *name, bool fresh, struct hsa_diag *diag)
{
	const char *file = file_for(w, name);
	char question[256], option[256];

	if (file != NULL) {
		hsa_rc rc = tkc_slurp_line(password, file, diag);

		if (!hsa_is_ok(rc))
			hsa_diag_wrap(diag, "password of %s %s", what, name);
		return rc;
	}
	snprintf(question, sizeof(question), "%s of %s %s",
	    fresh ? "New password" : "Password", what, name);
	snprintf(option, sizeof(option), "--password-file '%s=FILE'", name);
	return tkc_prompt_secret(
	    &w->prompt, password, question, option, fresh, diag);
}
