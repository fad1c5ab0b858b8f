/* How a damaged log is, and what unit and ring know beside it. */
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cu_unit.h"
#include "ep_file.h"
#include "ep_newlog_impl.h"

#define KEYS_MAX 65536u
#define KEY_RAW 33 /* type and key of a verifier key's line */

static hsa_rc
say(char **to, const char *text)
{
	free(*to);
	*to = NULL;
	return hsa_strdup_opt(to, text);
}

static hsa_rc found(struct ep_newlog *j, const char *rule, const char *fmt, ...)
    HSA_PRINTF(3, 4);

static hsa_rc
found(struct ep_newlog *j, const char *rule, const char *fmt, ...)
{
	struct hsa_diag text;
	va_list ap;
	hsa_rc rc;

	va_start(ap, fmt);
	(void)vsnprintf(text.text, sizeof(text.text), fmt, ap);
	va_end(ap);
	HSA_TRY(rc, say(&j->c.rule, rule));
	rc = say(&j->c.finding, text.text);
out:
	return rc;
}

/* The key that checkpoint.pub has for an origin; false: none. */
static bool
listed_key(uint8_t key[32], const char *dir, const char *origin)
{
	struct hsa_buf path = {0}, text = {0}, raw = {0};
	char want[HSA_ORIGIN_TEXT + 2];
	const char *at, *plus;
	bool good = false;

	(void)snprintf(want, sizeof(want), "%s+", origin);
	hsa_buf_printf(&path, "%s/checkpoint.pub", dir);
	if (path.failed || !hsa_is_ok(ep_file_read(
			       &text, hsa_buf_cstr(&path), KEYS_MAX, NULL)))
		goto out;
	for (at = hsa_buf_cstr(&text); at != NULL;
	     at = strchr(at, '\n'), at = at == NULL ? NULL : at + 1) {
		if (strncmp(at, want, strlen(want)) != 0)
			continue;
		plus = strchr(at + strlen(want), '+');
		if (plus == NULL)
			break;
		good = hsa_is_ok(hsa_unbase64(
			   &raw, plus + 1, strcspn(plus + 1, "\r\n"))) &&
		       raw.len == KEY_RAW && raw.p[0] == 1;
		break;
	}
	if (good)
		memcpy(key, raw.p + 1, 32);
out:
	hsa_buf_free(&path);
	hsa_buf_free(&text);
	hsa_buf_free(&raw);
	return good;
}

/* The old log by the token's key, or by the one that it was signed with. */
static hsa_rc
survey(struct ep_newlog *j, struct hsa_diag *diag)
{
	char origin[HSA_ORIGIN_TEXT];
	struct slog_survey by_list;
	uint8_t listed[32];
	hsa_rc rc;

	hsa_origin_text(origin, j->id, j->chain.number);
	HSA_TRY(rc, say(&j->c.old_origin, origin));
	HSA_TRY(rc,
	    slog_survey(&j->s, hsa_buf_cstr(&j->log), origin, j->key, diag));
	if (!j->s.damaged || !listed_key(listed, j->dir, origin) ||
	    memcmp(listed, j->key, sizeof(listed)) == 0)
		goto out;
	HSA_TRY(rc,
	    slog_survey(&by_list, hsa_buf_cstr(&j->log), origin, listed, diag));
	if (by_list.damaged && by_list.verified <= j->s.verified)
		goto out;
	/* then the key is what is lost, and perhaps more */
	if (!by_list.damaged) {
		by_list.damaged = true;
		(void)snprintf(by_list.rule, sizeof(by_list.rule), "V6");
		(void)snprintf(by_list.finding, sizeof(by_list.finding),
		    "the key that signed it, as checkpoint.pub has it, is not "
		    "in the unit's token any more");
		by_list.at = by_list.verified;
	}
	j->s = by_list;
out:
	if (hsa_is_ok(rc) && j->s.damaged) {
		HSA_TRY(rc, found(j, j->s.rule, "%s", j->s.finding));
		if (j->s.place[0] != '\0')
			HSA_TRY(rc, say(&j->c.place, j->s.place));
	}
	return rc;
}

/* What state and ring know, which the log should have. */
static hsa_rc
compare(struct ep_newlog *j, struct hsa_diag *diag)
{
	uint64_t has = j->s.last[HSA_SOURCE_OUTBOX];
	uint64_t calls = j->s.last[HSA_SOURCE_USE], sealed = 0, next;
	struct hsa_buf db = {0};
	struct cu_peek p;
	bool ring = false;
	hsa_rc rc;

	hsa_buf_printf(&db, "%s/state.db", hsa_buf_cstr(&j->folder));
	HSA_TRY(rc, hsa_buf_rc(&db));
	HSA_TRY(rc, cu_unit_peek(&p, hsa_buf_cstr(&db), diag));
	if (p.outbox_last < has) {
		rc = hsa_fail(diag, HSA_RC(E_STATE),
		    "the unit's state is older than its log (%" PRIu64
		    " and %" PRIu64 "): a new log does not help; fix: put back "
		    "the newest copy of the unit's whole folder",
		    p.outbox_last, has);
		goto out;
	}
	if (p.outbox_last == 0 && (j->s.absent || j->s.found == 0)) {
		rc = hsa_fail(diag, HSA_RC(E_STATE),
		    "%s never started: it has no log yet, and begins one when "
		    "it does",
		    j->me->name);
		goto out;
	}
	next = p.outbox_first != 0 ? p.outbox_first : p.outbox_last + 1;
	j->c.outbox_last = next - 1 > has ? next - 1 : has;
	j->c.outbox_lost = j->c.outbox_last - has;
	HSA_TRY(rc, slog_survey_ring(&ring, &sealed, hsa_buf_cstr(&j->mark),
			hsa_buf_cstr(&j->ring), j->id, diag));
	j->c.use_last = calls;
	if (ring && sealed > calls)
		j->c.use_last = sealed;
	else if (!ring && j->s.seen_use > calls)
		j->c.use_last = j->s.seen_use;
	j->c.use_lost = j->c.use_last - calls;
	if (!j->s.damaged && j->c.outbox_lost + j->c.use_lost != 0) {
		j->s.damaged = true;
		HSA_TRY(rc, found(j, "V9",
				"the unit's state knows of %" PRIu64
				" changes and %" PRIu64
				" calls more that were sealed: it was cut, or "
				"is an older copy",
				j->c.outbox_lost, j->c.use_lost));
		j->s.at = j->s.verified;
	}
	j->epoch = p.epoch > j->s.epoch ? p.epoch : j->s.epoch;
	if (j->epoch == 0)
		j->epoch = 1;
out:
	hsa_buf_free(&db);
	return rc;
}

hsa_rc
ep_newlog_look(struct ep_newlog *j, struct hsa_diag *diag)
{
	char by[300], room[4096];
	struct passwd pw, *got = NULL;
	hsa_rc rc;

	HSA_TRY(rc, survey(j, diag));
	HSA_TRY(rc, compare(j, diag));
	if (!j->s.damaged && !j->opt->force) {
		rc = hsa_fail(diag, HSA_RC(E_STATE),
		    "nothing is wrong with the log of %s: its %" PRIu64
		    " records verify; fix: let it run (cryptounitd resume when "
		    "the daemon does). --force --reason TEXT begins a new log "
		    "all the same",
		    j->me->name, j->s.verified);
		goto out;
	}
	if (j->chain.number == HSA_CHAIN_MAX) {
		rc = hsa_fail(diag, HSA_RC(E_RANGE),
		    "%s has had %u logs, and a name has room for no more",
		    j->me->name, j->chain.number);
		goto out;
	}
	j->c.verified = j->s.verified;
	memcpy(j->c.root, j->s.root, sizeof(j->c.root));
	j->c.found = j->s.found < j->s.verified ? j->s.verified : j->s.found;
	j->c.at = j->s.damaged ? j->s.at : j->s.verified;
	if (getpwuid_r(getuid(), &pw, room, sizeof(room), &got) == 0 &&
	    got != NULL)
		(void)snprintf(by, sizeof(by), "local-user:%s", pw.pw_name);
	else
		(void)snprintf(
		    by, sizeof(by), "local-user:#%u", (unsigned int)getuid());
	HSA_TRY(rc, say(&j->c.by, by));
	rc = say(&j->c.reason, j->opt->reason);
out:
	return rc;
}
