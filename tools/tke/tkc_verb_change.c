/* Verbs that change the selected crypto units. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_json.h"
#include "tkc_change.h"
#include "tkc_session.h"

/* ---- what comes out ------------------------------------------------------ */

static void
outcome_json(struct hsa_jw *w, const struct tkc_outcome *o, const char *text)
{
	const char *how = tkc_outcome_ok(o)  ? "success"
			  : hsa_is_ok(o->rc) ? "refused"
					     : "error";

	hsa_jw_object(w, NULL);
	hsa_jw_uint(w, "cryptounit", o->unit->number);
	hsa_jw_text(w, "id", o->unit->id);
	hsa_jw_text(w, "location", o->unit->location);
	hsa_jw_text(w, "outcome", how);
	if (hsa_is_ok(o->rc)) {
		hsa_jw_uint(w, "rc", o->ep11_rc);
		hsa_jw_uint(w, "reason", o->reason);
		hsa_jw_uint(w, "signatures", o->signatures);
	}
	if (o->has_pattern)
		hsa_jw_hex(w, "verificationPattern", o->pattern, 32);
	hsa_jw_text(w, "message", text);
	hsa_jw_end(w);
}

static void
outcome_row(struct hsa_buf *out, const struct tkc_outcome *o, const char *text)
{
	hsa_buf_printf(out, "%-4u %-32s ", o->unit->number, o->unit->location);
	if (!hsa_is_ok(o->rc))
		hsa_buf_printf(out, "%-8s %-6s %-6s ", "ERROR", "-", "-");
	else
		hsa_buf_printf(out, "%-8s %-6u %-6u ",
		    o->ep11_rc == 0 ? "OK" : "REFUSED", o->ep11_rc, o->reason);
	hsa_buf_str(out, text);
	hsa_buf_str(out, "\n");
}

/* The worst of all: a unit that cannot be believed is worse than a refusal. */
static enum tkc_exit
worst(enum tkc_exit so_far, const struct tkc_outcome *o)
{
	enum tkc_exit e = !hsa_is_ok(o->rc) ? tkc_exit_of(o->rc)
			  : o->ep11_rc != 0 ? TKC_EXIT_REFUSED
					    : TKC_EXIT_OK;

	return e > so_far ? e : so_far;
}

static hsa_rc
print_outcomes(struct tkc_session *s, const struct tkc_change *c,
    const struct tkc_outcome *o, size_t n)
{
	struct hsa_buf out = {0}, text = {0};
	struct hsa_jw w = {.b = &out};
	size_t i;
	hsa_rc rc;

	if (s->opt.json)
		hsa_jw_array(&w, NULL);
	else
		hsa_buf_printf(&out, "%-4s %-32s %-8s %-6s %-6s %s\n", "NUM",
		    "LOCATION", "RESULT", "RC", "REASON", "MESSAGE");
	for (i = 0; i < n; i++) {
		hsa_buf_reset(&text);
		tkc_outcome_text(&text, &o[i], c);
		if (s->opt.json)
			outcome_json(&w, &o[i], hsa_buf_cstr(&text));
		else
			outcome_row(&out, &o[i], hsa_buf_cstr(&text));
		s->exit = worst(s->exit, &o[i]);
	}
	if (s->opt.json) {
		hsa_jw_end(&w);
		hsa_buf_str(&out, "\n");
	}
	rc = tkc_put(&out);
	hsa_buf_free(&out);
	hsa_buf_free(&text);
	return rc;
}

/* ---- the fan-out --------------------------------------------------------- */

static hsa_rc
choose_signers(struct tkc_session *s, struct tkc_change *c)
{
	size_t i;
	hsa_rc rc = HSA_OK;

	c->exact = s->opt.signs > 0;
	for (i = 0; i < s->opt.signs; i++) {
		if (s->opt.signs == 1 && strcmp(s->opt.sign[0], "none") == 0)
			break;
		HSA_TRY(
		    rc, tkc_keys_find(&c->signer[c->signers], &s->ring.sigkeys,
			    "signature key", s->opt.sign[i], &s->diag));
		c->signers++;
	}
	for (i = 0; !c->exact && i < s->selection.sigkeys; i++) {
		struct tkc_key *k =
		    tkc_keys_by_id(&s->ring.sigkeys, s->selection.sigkey[i]);

		if (k != NULL)
			c->signer[c->signers++] = k;
	}
out:
	return rc;
}

static hsa_rc
apply(struct tkc_session *s, struct tkc_change *c)
{
	struct tkc_unit *unit[TKC_FLEET_MAX];
	struct tkc_outcome *o = NULL;
	uint8_t command_id[HSA_UUID_LEN];
	size_t n = 0, i;
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_units(s, unit, &n));
	HSA_TRY(rc, choose_signers(s, c));
	HSA_TRY(rc, tkc_change_unlock(c, &s->ring, &s->diag));
	o = calloc(n, sizeof(*o));
	if (o == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, hsa_uuid_new(command_id));
	HSA_TRY(rc, tkc_http_tag(s->http, command_id, NULL, NULL));
	for (i = 0; i < n; i++)
		tkc_change_apply(&o[i], c, &s->fleet, unit[i], &s->ring);
	HSA_TRY(rc, print_outcomes(s, c, o, n));
out:
	free(o);
	return rc;
}

/* ---- the verbs ----------------------------------------------------------- */

static hsa_rc
admin_add(struct tkc_session *s)
{
	struct tkc_change c = {.command = TKE_CMD_ADMIN_ADD};
	struct tkc_words words = {.len = 0};
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, tkc_session_words(s, &words,
			"Signature key of the administrator to add",
			"KEY as the argument"));
	HSA_TRY(rc, tkc_keys_find(&c.admin, &s->ring.sigkeys, "signature key",
			words.word[0], &s->diag));
	HSA_TRY(rc, apply(s, &c));
out:
	tkc_words_free(&words);
	return rc;
}

/* An administrator whose key file is elsewhere: by what the units know. */
static hsa_rc
installed_admin(
    struct tkc_session *s, uint8_t ski[TKE_SKI_LEN], const char *text)
{
	struct tkc_unit *unit[TKC_FLEET_MAX];
	struct tkc_state *st = calloc(1, sizeof(*st));
	char hex[2 * TKE_SKI_LEN + 1];
	size_t n = 0, i, k, len = strlen(text);
	bool found = false;
	hsa_rc rc;

	if (st == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, tkc_session_units(s, unit, &n));
	for (i = 0; i < n; i++) {
		HSA_TRY(rc,
		    tkc_state_admins(st, &s->fleet, unit[i], true, &s->diag));
		for (k = 0; k < st->admins; k++) {
			hsa_hex(hex, st->admin[k], TKE_SKI_LEN);
			if (strcmp(st->admin_name[k], text) != 0 &&
			    (len < 4 || strncasecmp(hex, text, len) != 0))
				continue;
			if (found &&
			    memcmp(ski, st->admin[k], TKE_SKI_LEN) != 0) {
				rc = hsa_fail(&s->diag, HSA_RC(E_ARG),
				    "\"%s\" means more than one administrator: "
				    "give more digits of the SKI",
				    text);
				goto out;
			}
			memcpy(ski, st->admin[k], TKE_SKI_LEN);
			found = true;
		}
	}
	if (!found)
		rc = hsa_fail(&s->diag, HSA_RC(E_NOT_FOUND),
		    "no administrator \"%s\" on the selected crypto units: see "
		    "tke cryptounit-admins",
		    text);
out:
	free(st);
	return rc;
}

static hsa_rc
admin_rm(struct tkc_session *s)
{
	struct tkc_change c = {.command = TKE_CMD_ADMIN_REMOVE};
	struct tkc_words words = {.len = 0};
	const char *text = NULL;
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, tkc_session_words(s, &words,
			"Name or SKI of the administrator to remove",
			"it as the argument"));
	text = words.word[0];
	/* a whole SKI is sent as it is, known or not */
	rc = hsa_unhex(c.ski, TKE_SKI_LEN, text, strlen(text));
	if (!hsa_is_ok(rc))
		HSA_TRY(rc, installed_admin(s, c.ski, text));
	HSA_TRY(rc, apply(s, &c));
out:
	tkc_words_free(&words);
	return rc;
}

static hsa_rc
threshold(struct tkc_session *s, uint32_t *v, const char *given,
    const char *question, const char *option)
{
	struct hsa_buf text = {0};
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_text(s, &text, given, question, option));
	if (text.len != 1 || text.p[0] < '0' || text.p[0] > '8')
		rc = hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "%s: a threshold is a number from 1 to 8", option);
	else
		*v = (uint32_t)(text.p[0] - '0');
out:
	hsa_buf_free(&text);
	return rc;
}

static hsa_rc
thresholds_set(struct tkc_session *s)
{
	struct tkc_change c = {.command = TKE_CMD_SET_ATTRIBUTES};
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, threshold(s, &c.signature, s->opt.signature,
			"New signature threshold", "--signature N"));
	HSA_TRY(
	    rc, threshold(s, &c.revocation, s->opt.revocation,
		    "New revocation signature threshold", "--revocation N"));
	HSA_TRY(rc, apply(s, &c));
out:
	return rc;
}

static hsa_rc
mk_load(struct tkc_session *s)
{
	struct tkc_change c = {.command = TKE_CMD_WK_IMPORT};
	struct tkc_words words = {.len = 0};
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc,
	    tkc_session_words(s, &words,
		"Master key parts to load, one to three", "them as arguments"));
	if (words.len > TKC_PARTS_MAX) {
		rc = hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "at most %d key parts make a master key", TKC_PARTS_MAX);
		goto out;
	}
	for (i = 0; i < words.len; i++) {
		HSA_TRY(rc, tkc_keys_find(&c.part[i], &s->ring.parts,
				"key part", words.word[i], &s->diag));
		c.parts++;
	}
	HSA_TRY(rc, apply(s, &c));
out:
	tkc_words_free(&words);
	return rc;
}

static hsa_rc
plain(struct tkc_session *s, uint32_t command, const char *question)
{
	struct tkc_change c = {.command = command};
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	if (question != NULL)
		HSA_TRY(rc, tkc_session_confirm(s, question));
	HSA_TRY(rc, apply(s, &c));
out:
	return rc;
}

static hsa_rc
mk_commit(struct tkc_session *s)
{
	return plain(s, TKE_CMD_WK_COMMIT, NULL);
}

static hsa_rc
mk_setimm(struct tkc_session *s)
{
	return plain(s, TKE_CMD_WK_FINALIZE,
	    "This replaces the current master key: whatever only it wraps is "
	    "lost. Go on (y/n)");
}

static hsa_rc
mk_clrnew(struct tkc_session *s)
{
	return plain(s, TKE_CMD_WK_CLEAR_PENDING, NULL);
}

static hsa_rc
mk_clrcur(struct tkc_session *s)
{
	return plain(s, TKE_CMD_WK_CLEAR_CURRENT,
	    "This clears the current master key: whatever only it wraps is "
	    "lost. Go on (y/n)");
}

static hsa_rc
point_of(uint32_t *point, const char *word, struct hsa_diag *diag)
{
	char *end = NULL;
	unsigned long v = strtoul(word, &end, 10);

	if (word[0] < '0' || word[0] > '9' || *end != '\0' || v > TKE_CP_LAST)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "%s is no control point: give numbers from 0 to %d", word,
		    TKE_CP_LAST);
	*point = (uint32_t)v;
	return HSA_OK;
}

static hsa_rc
control_points(struct tkc_session *s, uint32_t command)
{
	struct tkc_change c = {.command = command};
	struct tkc_words words = {.len = 0};
	uint32_t n = 0;
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_keys(s));
	HSA_TRY(rc, tkc_session_words(s, &words, "Numbers of control points",
			"them as arguments"));
	for (i = 0; i < words.len; i++) {
		HSA_TRY(rc, point_of(&n, words.word[i], &s->diag));
		c.points[n / 8] |= (uint8_t)(0x80u >> n % 8);
	}
	HSA_TRY(rc, apply(s, &c));
out:
	tkc_words_free(&words);
	return rc;
}

static hsa_rc
cp_add(struct tkc_session *s)
{
	return control_points(s, TKE_CMD_CP_ADD);
}

static hsa_rc
cp_delete(struct tkc_session *s)
{
	return control_points(s, TKE_CMD_CP_DELETE);
}

static hsa_rc
zeroize(struct tkc_session *s)
{
	return plain(s, TKE_CMD_ZEROIZE,
	    "This removes administrators, thresholds and both master keys. Go "
	    "on (y/n)");
}

#define WITH                                                                   \
	(TKC_OPT_SERVER | TKC_OPT_FILES | TKC_OPT_PASSWORD | TKC_OPT_JSON |    \
	    TKC_OPT_SIGN)

const struct tkc_verb tkc_verbs_change[] = {
    {{"cryptounit-admin-add", "[KEY]",
	 "Install an administrator on the "
	 "selected crypto units",
	 "", WITH, 0, 1},
	admin_add},
    {{"cryptounit-admin-rm", "[NAME|SKI]",
	 "Remove an administrator from "
	 "the selected crypto units",
	 "", WITH, 0, 1},
	admin_rm},
    {{"cryptounit-thrhld-set", "",
	 "Set signature thresholds, and leave "
	 "imprint mode",
	 "", WITH | TKC_OPT_THRESHOLDS, 0, 0},
	thresholds_set},
    {{"cryptounit-mk-load", "[KEYPART...]",
	 "Load a master key from its "
	 "parts into the new register",
	 "", WITH, 0, TKC_PARTS_MAX},
	mk_load},
    {{"cryptounit-mk-commit", "", "Commit the new master key register", "",
	 WITH, 0, 0},
	mk_commit},
    {{"cryptounit-mk-setimm", "",
	 "Make the committed key the current "
	 "master key",
	 "", WITH | TKC_OPT_YES, 0, 0},
	mk_setimm},
    {{"cryptounit-mk-clrnew", "", "Clear the new master key register", "", WITH,
	 0, 0},
	mk_clrnew},
    {{"cryptounit-mk-clrcur", "", "Clear the current master key register", "",
	 WITH | TKC_OPT_YES, 0, 0},
	mk_clrcur},
    {{"cryptounit-cp-add", "[POINT...]",
	 "Turn control points of the selected crypto units on", "", WITH, 0,
	 TKE_CP_LAST + 1},
	cp_add},
    {{"cryptounit-cp-delete", "[POINT...]",
	 "Turn control points of the selected crypto units off", "", WITH, 0,
	 TKE_CP_LAST + 1},
	cp_delete},
    {{"cryptounit-zeroize", "", "Zeroize the selected crypto units", "",
	 WITH | TKC_OPT_YES, 0, 0},
	zeroize},
    {.is = {.name = NULL}},
};
