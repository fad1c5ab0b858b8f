/* Verbs about local key files. */
#include <stdio.h>
#include <string.h>

#include "hsa_json.h"
#include "tkc_session.h"

static void
print_key(struct hsa_buf *out, struct hsa_jw *w, const struct tkc_session *s,
    const struct tkc_key *k, size_t number)
{
	bool sig = k->file.kind == TKC_KEYFILE_SIGKEY;
	bool on = sig && tkc_selection_has_sigkey(&s->selection, k->file.id);

	if (s->opt.json) {
		hsa_jw_object(w, NULL);
		hsa_jw_uint(w, "number", number);
		hsa_jw_text(w, sig ? "name" : "description", k->name);
		if (sig) {
			hsa_jw_bool(w, "selected", on);
			hsa_jw_text(w, "type", tkc_key_type_name(k->file.type));
		}
		hsa_jw_hex(w, sig ? "ski" : "id", k->file.id, HSA_SHA256_LEN);
		hsa_jw_text(w, "file", k->file_name);
		hsa_jw_uint(w, "iterations", k->file.iterations);
		hsa_jw_end(w);
		return;
	}
	if (sig)
		hsa_buf_printf(out, "%-4zu %-9s %-8s %-30s ", number,
		    on ? "true" : "false", tkc_key_type_name(k->file.type),
		    k->name);
	else
		hsa_buf_printf(out, "%-4zu %-30s ", number, k->name);
	hsa_buf_hex(out, k->file.id, HSA_SHA256_LEN);
	hsa_buf_str(out, "\n");
}

static hsa_rc
print_keys(const struct tkc_session *s, const struct tkc_keys *keys, bool sig)
{
	struct hsa_buf out = {0};
	struct hsa_jw w = {.b = &out};
	size_t i;
	hsa_rc rc;

	if (s->opt.json)
		hsa_jw_array(&w, NULL);
	else if (keys->len == 0)
		hsa_buf_printf(&out, "no %s in %s\n",
		    sig ? "signature keys" : "master key parts", s->files.path);
	else if (sig)
		hsa_buf_printf(&out, "%-4s %-9s %-8s %-30s %s\n", "NUM",
		    "SELECTED", "TYPE", "NAME", "SUBJECT KEY IDENTIFIER");
	else
		hsa_buf_printf(&out, "%-4s %-30s %s\n", "NUM", "DESCRIPTION",
		    "VERIFICATION PATTERN");
	for (i = 0; i < keys->len; i++)
		print_key(&out, &w, s, keys->key[i], i + 1);
	if (s->opt.json) {
		hsa_jw_end(&w);
		hsa_buf_str(&out, "\n");
	}
	rc = tkc_put(&out);
	hsa_buf_free(&out);
	return rc;
}

static hsa_rc
sigkeys(struct tkc_session *s)
{
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, print_keys(s, &s->ring.sigkeys, true));
out:
	return rc;
}

static hsa_rc
key_type(enum tke_key_type *t, const char *text, struct hsa_diag *diag)
{
	*t = TKE_KEY_P521;
	if (text == NULL || strcmp(text, "p521") == 0)
		return HSA_OK;
	*t = TKE_KEY_RSA2048;
	if (strcmp(text, "rsa2048") == 0)
		return HSA_OK;
	return hsa_fail(
	    diag, HSA_RC(E_ARG), "--type %s: p521 or rsa2048", text);
}

static hsa_rc
sigkey_add(struct tkc_session *s)
{
	struct hsa_buf name = {0};
	struct tkc_key *k = NULL;
	enum tke_key_type type = TKE_KEY_P521;
	hsa_rc rc;

	HSA_TRY(rc, key_type(&type, s->opt.type, &s->diag));
	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, tkc_session_text(s, &name, s->opt.name,
			"Name of the administrator", "--name NAME"));
	HSA_TRY(rc, tkc_ring_add_sigkey(
			&s->ring, &k, hsa_buf_cstr(&name), type, &s->diag));
	HSA_TRY(rc, print_keys(s, &s->ring.sigkeys, true));
out:
	hsa_buf_free(&name);
	return rc;
}

static hsa_rc
remove_keys(struct tkc_session *s, struct tkc_keys *keys, const char *what)
{
	struct tkc_words words = {.len = 0};
	struct tkc_key *found[TKC_SELECT_MAX] = {NULL};
	char question[160];
	size_t i, k, n = 0;
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_words(
			s, &words, "Keys to remove", "them as arguments"));
	/* all are found before one goes, or the numbers would move */
	for (i = 0; i < words.len && i < TKC_SELECT_MAX; i++) {
		HSA_TRY(rc, tkc_keys_find(&found[n], keys, what, words.word[i],
				&s->diag));
		for (k = 0; k < n && found[k] != found[n]; k++)
			;
		n += k == n ? 1u : 0u;
	}
	snprintf(question, sizeof(question),
	    "Delete %zu %s file%s for good (y/n)", n, what, n == 1 ? "" : "s");
	HSA_TRY(rc, tkc_session_confirm(s, question));
	for (i = 0; i < n; i++) {
		tkc_selection_remove_sigkey(&s->selection, found[i]->file.id);
		HSA_TRY(rc, tkc_ring_remove(&s->ring, found[i], &s->diag));
	}
	HSA_TRY(rc, tkc_selection_save(&s->selection, &s->files, &s->diag));
out:
	tkc_words_free(&words);
	return rc;
}

static hsa_rc
sigkey_rm(struct tkc_session *s)
{
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, remove_keys(s, &s->ring.sigkeys, "signature key"));
	HSA_TRY(rc, print_keys(s, &s->ring.sigkeys, true));
out:
	return rc;
}

static hsa_rc
sigkey_sel(struct tkc_session *s)
{
	struct tkc_words words = {.len = 0};
	struct tkc_key *k = NULL;
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	if (s->opt.line.arg_count == 0)
		HSA_TRY(rc, print_keys(s, &s->ring.sigkeys, true));
	HSA_TRY(rc, tkc_session_words(s, &words,
			"Signature keys that sign the next commands",
			"them as arguments (none: select no key)"));
	s->selection.sigkeys = 0;
	for (i = 0; i < words.len; i++) {
		if (words.len == 1 && strcmp(words.word[0], "none") == 0)
			break;
		HSA_TRY(rc, tkc_keys_find(&k, &s->ring.sigkeys, "signature key",
				words.word[i], &s->diag));
		HSA_TRY(
		    rc, tkc_selection_add_sigkey(&s->selection, k->file.id));
	}
	HSA_TRY(rc, tkc_selection_save(&s->selection, &s->files, &s->diag));
	HSA_TRY(rc, print_keys(s, &s->ring.sigkeys, true));
out:
	tkc_words_free(&words);
	return rc;
}

static hsa_rc
mks(struct tkc_session *s)
{
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, print_keys(s, &s->ring.parts, false));
out:
	return rc;
}

/* --value FILE, --value - at the terminal. */
static hsa_rc
read_value(struct tkc_session *s, uint8_t value[TKE_PART_LEN])
{
	const struct tkc_prompt *p = &s->opt.passwords.prompt;
	const char *file = s->opt.value;
	struct hsa_buf text = {0};
	hsa_rc rc;

	if (file == NULL || strcmp(file, "-") == 0)
		HSA_TRY(rc, tkc_prompt_secret(p, &text,
				"Key part, 64 hexadecimal digits",
				"--random or --value FILE", true, &s->diag));
	else
		HSA_TRY(rc, tkc_slurp_line(&text, file, &s->diag));
	rc = hsa_unhex(value, TKE_PART_LEN, hsa_buf_cstr(&text), text.len);
	if (!hsa_is_ok(rc))
		hsa_diag_set(&s->diag,
		    "a key part is 64 hexadecimal digits and nothing else");
out:
	hsa_buf_free(&text);
	return rc;
}

static hsa_rc
mk_add(struct tkc_session *s)
{
	struct hsa_buf text = {0};
	struct tkc_key *k = NULL;
	uint8_t value[TKE_PART_LEN] = {0};
	hsa_rc rc;

	if (s->opt.random && s->opt.value != NULL)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "--random and --value exclude each other");
	HSA_TRY(rc, tkc_session_keys(s));
	if (!s->opt.random)
		HSA_TRY(rc, read_value(s, value));
	HSA_TRY(rc, tkc_session_text(s, &text, s->opt.description,
			"Description of the key part", "--description TEXT"));
	HSA_TRY(rc, tkc_ring_add_part(&s->ring, &k, hsa_buf_cstr(&text),
			s->opt.random ? NULL : value, &s->diag));
	HSA_TRY(rc, print_keys(s, &s->ring.parts, false));
out:
	hsa_wipe(value, sizeof(value));
	hsa_buf_free(&text);
	return rc;
}

static hsa_rc
mk_rm(struct tkc_session *s)
{
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, remove_keys(s, &s->ring.parts, "key part"));
	HSA_TRY(rc, print_keys(s, &s->ring.parts, false));
out:
	return rc;
}

#define LOCAL (TKC_OPT_FILES | TKC_OPT_JSON)

const struct tkc_verb tkc_verbs_key[] = {
    {{"sigkeys", "", "List the signature keys in the key directory", "", LOCAL,
	 0, 0},
	sigkeys},
    {{"sigkey-add", "",
	 "Make a signature key and its password-protected "
	 "file",
	 "", LOCAL | TKC_OPT_PASSWORD | TKC_OPT_NAME | TKC_OPT_TYPE, 0, 0},
	sigkey_add},
    {{"sigkey-rm", "[KEY...]", "Delete signature key files",
	 "KEY: number in the list, name, or at least four digits of the "
	 "SKI.",
	 LOCAL | TKC_OPT_YES, 0, TKC_SELECT_MAX},
	sigkey_rm},
    {{"sigkey-sel", "[KEY...]",
	 "Select the signature keys that sign "
	 "commands",
	 "Exactly these are selected afterwards; none selects no key.", LOCAL,
	 0, TKC_SELECT_MAX},
	sigkey_sel},
    {{"mks", "", "List the master key parts in the key directory", "", LOCAL, 0,
	 0},
	mks},
    {{"mk-add", "", "Make or enter a master key part and its file",
	 "The value is never on the command line.",
	 LOCAL | TKC_OPT_PASSWORD | TKC_OPT_VALUE, 0, 0},
	mk_add},
    {{"mk-rm", "[KEYPART...]", "Delete master key part files",
	 "KEYPART: number in the list, description, or at least four "
	 "digits of the\nverification pattern.",
	 LOCAL | TKC_OPT_YES, 0, TKC_SELECT_MAX},
	mk_rm},
    {.is = {.name = NULL}},
};
