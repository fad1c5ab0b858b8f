/* ep_newlog.c - see ep_newlog.h. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "bk_p11.h"
#include "cu_clock.h"
#include "ep_file.h"
#include "ep_newlog_impl.h"
#include "ep_resume.h"
#include "ep_super.h"
#include "hsa_utf8.h"
#include "slog.h"

#define REASON_MAX 1000

/* ---- opening ------------------------------------------------------------- */

static hsa_rc
check(const struct ep_newlog_options *o, struct hsa_diag *diag)
{
	const char *at = o->reason;

	if (o->force && at == NULL)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "--force needs --reason: the record says why");
	if (at == NULL)
		return HSA_OK;
	if (at[0] == '\0' || strlen(at) > REASON_MAX ||
	    !hsa_utf8_valid(at, strlen(at)))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "--reason: 1 to %d bytes of UTF-8", REASON_MAX);
	for (; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "--reason has a control character; fix: one line");
	return HSA_OK;
}

static hsa_rc
take_lock(struct ep_newlog *j, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc;

	hsa_buf_printf(&path, "%s/lock", hsa_buf_cstr(&j->folder));
	HSA_TRY(rc, hsa_buf_rc(&path));
	rc = ep_lock(&j->lock, hsa_buf_cstr(&path), 0, diag);
	if (rc.v == HSA_E_BUSY)
		hsa_diag_set(diag,
		    "%s runs (process %ld); fix: stop the daemon. A unit that "
		    "has halted ends with `cryptounitd resume %s --unit %s`, "
		    "and one whose log is damaged does not start again",
		    j->me->name, ep_lock_holder(hsa_buf_cstr(&path)), j->dir,
		    j->me->name);
out:
	hsa_buf_free(&path);
	return rc;
}

static hsa_rc
open_unit(struct ep_newlog *j, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, ep_config_load(&j->cfg, j->dir, diag));
	j->me = ep_unit_find(j->cfg, j->opt->unit);
	if (j->me == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "no unit \"%s\" in config.yaml; fix: use a name from its "
		    "units",
		    j->opt->unit);
		goto out;
	}
	HSA_TRY(rc, hsa_uuid_parse(j->id, j->me->id));
	hsa_buf_printf(&j->folder, "%s/units/%s", j->dir, j->me->name);
	hsa_buf_printf(&j->log, "%s/" EP_LOG, hsa_buf_cstr(&j->folder));
	hsa_buf_printf(&j->mark, "%s/ring", hsa_buf_cstr(&j->folder));
	ep_unit_ring(&j->ring, j->cfg, j->me);
	hsa_buf_hex(&j->label, j->id, sizeof(j->id));
	HSA_TRY(rc, hsa_buf_rc(&j->folder));
	HSA_TRY(rc, hsa_buf_rc(&j->log));
	HSA_TRY(rc, hsa_buf_rc(&j->mark));
	HSA_TRY(rc, hsa_buf_rc(&j->ring));
	HSA_TRY(rc, hsa_buf_rc(&j->label));
	HSA_TRY(rc, take_lock(j, diag));
	rc = ep_chain_settle(&j->chain, hsa_buf_cstr(&j->folder), j->id, diag);
out:
	return rc;
}

static hsa_rc
open_token(struct ep_newlog *j, struct hsa_diag *diag)
{
	struct bk_config cfg = {.module = j->cfg->pkcs11_module,
	    .dir = hsa_buf_cstr(&j->folder),
	    .label = hsa_buf_cstr(&j->label)};
	hsa_rc rc = bk_p11_open(&j->bk, &cfg, diag);

	if (rc.v == HSA_E_CORRUPT) { /* a key is missing: which one shows */
		cfg.make_checkpoint = j->new_key = true;
		rc = bk_p11_open(&j->bk, &cfg, diag);
	}
	HSA_TRY(rc, rc);
	j->backend = bk_p11_backend(j->bk);
	rc = bk_p11_checkpoint_pub(j->bk, j->key);
out:
	return rc;
}

/* ---- the new one --------------------------------------------------------- */

static hsa_rc
make(struct ep_newlog *j, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	struct hsa_data details = {0};
	struct slog_chain chain = {.epoch = j->epoch, .details = &details};
	char origin[HSA_ORIGIN_TEXT];
	struct slog_survey again;
	struct slog_config cfg = {.origin = origin,
	    .sign = j->backend.ops->checkpoint_sign,
	    .sign_ctx = j->backend.ctx,
	    .clock = &cu_clock_system,
	    .chain = &chain};
	struct slog *l = NULL;
	hsa_rc rc;

	hsa_origin_text(origin, j->id, j->chain.number + 1);
	memcpy(cfg.unit_id, j->id, sizeof(cfg.unit_id));
	memcpy(cfg.public_key, j->key, sizeof(cfg.public_key));
	/* of an attempt that was killed; nobody ever took them for a log */
	hsa_buf_printf(&path, "%s/" EP_LOG_NEW, hsa_buf_cstr(&j->folder));
	HSA_TRY(rc, hsa_buf_rc(&path));
	ep_dir_clear(hsa_buf_cstr(&path), true);
	hsa_buf_reset(&path);
	hsa_buf_printf(&path, "%s/" EP_LOG_MAKING, hsa_buf_cstr(&j->folder));
	HSA_TRY(rc, hsa_buf_rc(&path));
	ep_dir_clear(hsa_buf_cstr(&path), true);
	cfg.dir = hsa_buf_cstr(&path);
	HSA_TRY(rc, hsa_chain_put(&details, &j->c));
	HSA_TRY(rc, slog_open(&l, &cfg, diag));
	slog_close(l);
	/* head comes behind the acknowledgement, so that it is synced here */
	HSA_TRY(rc, ep_dir_sync(cfg.dir, diag));
	HSA_TRY(rc, slog_survey(&again, cfg.dir, origin, j->key, diag));
	if (again.damaged || again.verified != 2)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "the new log was not written as it has to be (%s): nothing "
		    "is changed; fix: the disk of %s",
		    again.damaged ? again.finding : "too short",
		    hsa_buf_cstr(&j->folder));
out:
	hsa_data_free(&details);
	hsa_buf_free(&path);
	return rc;
}

static void
tell(struct hsa_buf *said, struct ep_newlog *j, const char *aside)
{
	char origin[HSA_ORIGIN_TEXT];

	hsa_origin_text(origin, j->id, j->chain.number);
	if (j->c.finding != NULL)
		hsa_buf_printf(said, "damage     %s: %s%s%s%s\n", j->c.rule,
		    j->c.finding, j->c.place == NULL ? "" : " (",
		    j->c.place == NULL ? "" : j->c.place,
		    j->c.place == NULL ? "" : ")");
	else
		hsa_buf_str(said, "damage     none\n");
	hsa_buf_printf(said,
	    "old log    %s: %" PRIu64 " records found, %" PRIu64
	    " of them verify\n",
	    j->c.old_origin, j->c.found, j->c.verified);
	if (j->c.outbox_lost + j->c.use_lost != 0)
		hsa_buf_printf(said,
		    "lost       %" PRIu64 " changes and at most %" PRIu64
		    " calls that were sealed there alone\n",
		    j->c.outbox_lost, j->c.use_lost);
	if (aside[0] != '\0')
		hsa_buf_printf(said, "set aside  %s/%s\n",
		    hsa_buf_cstr(&j->folder), aside);
	if (j->new_key)
		hsa_buf_str(said, "key        a new one in the token\n");
}

static void
tell_next(struct hsa_buf *said, const struct ep_newlog *j)
{
	char origin[HSA_ORIGIN_TEXT];
	struct hsa_buf lock = {0};

	hsa_origin_text(origin, j->id, j->chain.number);
	hsa_buf_printf(&lock, "%s/" EP_LOCK_FILE, j->dir);
	hsa_buf_printf(said, "new log    %s\n", origin);
	hsa_buf_printf(said,
	    "next       give collectors the new line of %s/checkpoint.pub\n",
	    j->dir);
	if (!lock.failed && ep_lock_holder(hsa_buf_cstr(&lock)) > 0)
		hsa_buf_printf(said,
		    "           cryptounitd resume %s --unit %s\n", j->dir,
		    j->me->name);
	else
		hsa_buf_printf(said, "           cryptounitd run %s\n", j->dir);
	hsa_buf_free(&lock);
}

static hsa_rc
work(struct ep_newlog *j, struct hsa_buf *said, struct hsa_diag *diag)
{
	const char *folder = hsa_buf_cstr(&j->folder);
	bool go_on = j->chain.open;
	struct hsa_buf halted = {0};
	char aside[32] = "";
	hsa_rc rc = HSA_OK;

	if (!go_on) {
		HSA_TRY(rc, ep_newlog_look(j, diag));
		HSA_TRY(rc, make(j, diag));
		HSA_TRY(rc, ep_chain_switch(aside, folder, diag));
		j->chain.number++;
		j->chain.open = true;
	}
	HSA_TRY(rc,
	    ep_chain_settled(j->dir, folder, &j->chain, j->id, j->key, diag));
	/* why its last start failed */
	hsa_buf_printf(&halted, "%s/" EP_HALTED_FILE, folder);
	if (!halted.failed)
		(void)unlink(hsa_buf_cstr(&halted));
	if (go_on)
		hsa_buf_str(said, "a new log that was begun is complete\n");
	else
		tell(said, j, aside);
	tell_next(said, j);
out:
	hsa_buf_free(&halted);
	return rc;
}

hsa_rc
ep_newlog(struct hsa_buf *said, const char *dir,
    const struct ep_newlog_options *opt, struct hsa_diag *diag)
{
	struct ep_newlog j = {.opt = opt, .dir = dir, .lock = -1};
	hsa_rc rc;

	HSA_TRY(rc, check(opt, diag));
	HSA_TRY(rc, open_unit(&j, diag));
	HSA_TRY(rc, open_token(&j, diag));
	HSA_TRY(rc, work(&j, said, diag));
	rc = hsa_buf_rc(said);
out:
	bk_p11_close(j.bk);
	hsa_chain_free(&j.c);
	hsa_buf_free(&j.folder);
	hsa_buf_free(&j.log);
	hsa_buf_free(&j.label);
	hsa_buf_free(&j.ring);
	hsa_buf_free(&j.mark);
	if (j.lock >= 0)
		(void)close(j.lock);
	ep_config_free(j.cfg);
	return rc;
}
