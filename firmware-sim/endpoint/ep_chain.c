/* ep_chain.c - see ep_chain.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ep_chain.h"
#include "ep_file.h"
#include "hsa_buf.h"
#include "hsa_chain.h"
#include "slog_note.h"
#include "slog_survey.h"

#define CHAIN "chain"
#define KEYS "checkpoint.pub"
#define KEYS_MAX 65536u
#define KEYS_LOCK_MS 5000
#define ASIDE_MAX 10000u

static hsa_rc
path_in(struct hsa_buf *b, const char *folder, const char *name)
{
	hsa_buf_reset(b);
	hsa_buf_printf(b, "%s/%s", folder, name);
	return hsa_buf_rc(b);
}

static bool
is_there(const char *folder, const char *name)
{
	struct hsa_buf path = {0};
	struct stat st;
	bool yes = hsa_is_ok(path_in(&path, folder, name)) &&
		   lstat(hsa_buf_cstr(&path), &st) == 0;

	hsa_buf_free(&path);
	return yes;
}

/* On stable storage when it returns. */
static hsa_rc
move(
    const char *folder, const char *from, const char *to, struct hsa_diag *diag)
{
	struct hsa_buf a = {0}, b = {0};
	hsa_rc rc;

	HSA_TRY(rc, path_in(&a, folder, from));
	HSA_TRY(rc, path_in(&b, folder, to));
	if (rename(hsa_buf_cstr(&a), hsa_buf_cstr(&b)) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot rename %s to %s: %s; fix: a folder that you can "
		    "write",
		    hsa_buf_cstr(&a), hsa_buf_cstr(&b), strerror(errno));
		goto out;
	}
	rc = ep_dir_sync(folder, diag);
out:
	hsa_buf_free(&a);
	hsa_buf_free(&b);
	return rc;
}

/* ---- which one ----------------------------------------------------------- */

static hsa_rc
stored_number(unsigned int *n, const char *folder, struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, text = {0};
	unsigned long v;
	char *end = NULL;
	hsa_rc rc;

	*n = 1;
	HSA_TRY(rc, path_in(&path, folder, CHAIN));
	rc = ep_file_read(&text, hsa_buf_cstr(&path), 16, diag);
	if (rc.v == HSA_E_NOT_FOUND) {
		hsa_diag_set(diag, "%s", "");
		rc = HSA_OK;
		goto out;
	}
	HSA_TRY(rc, rc);
	v = strtoul(hsa_buf_cstr(&text), &end, 10);
	if (v < 1 || v > HSA_CHAIN_MAX || strcmp(end, "\n") != 0) {
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s is no number; fix: put in the number behind the dot in "
		    "the origin of the unit's log (1 when there is no dot)",
		    hsa_buf_cstr(&path));
		goto out;
	}
	*n = (unsigned int)v;
out:
	hsa_buf_free(&path);
	hsa_buf_free(&text);
	return rc;
}

hsa_rc
ep_chain_settle(struct ep_chain *c, const char *folder,
    const uint8_t id[HSA_UUID_LEN], struct hsa_diag *diag)
{
	struct hsa_buf log = {0};
	char origin[256] = "";
	unsigned int in_log = 0;
	hsa_rc rc;

	c->open = false;
	HSA_TRY(rc, stored_number(&c->number, folder, diag));
	if (!is_there(folder, EP_LOG) && is_there(folder, EP_LOG_NEW))
		HSA_TRY(rc, move(folder, EP_LOG_NEW, EP_LOG, diag));
	HSA_TRY(rc, path_in(&log, folder, EP_LOG));
	/* one that is damaged there has its number in the file; an older one
	 * is refused by its name when it is opened */
	if (hsa_is_ok(slog_survey_origin(origin, hsa_buf_cstr(&log))) &&
	    hsa_is_ok(hsa_origin_number(&in_log, id, origin)) &&
	    in_log > c->number) {
		c->number = in_log;
		c->open = true;
	}
out:
	hsa_buf_free(&log);
	return rc;
}

/* ---- the switch ---------------------------------------------------------- */

hsa_rc
ep_chain_switch(char aside[32], const char *folder, struct hsa_diag *diag)
{
	unsigned int n = 1;
	hsa_rc rc;

	aside[0] = '\0';
	HSA_TRY(rc, move(folder, EP_LOG_MAKING, EP_LOG_NEW, diag));
	if (is_there(folder, EP_LOG)) {
		do
			(void)snprintf(aside, 32, EP_LOG_DAMAGED "%u", n);
		while (is_there(folder, aside) && ++n < ASIDE_MAX);
		if (n == ASIDE_MAX) {
			rc = hsa_fail(diag, HSA_RC(E_EXISTS),
			    "%s holds too many damaged logs; fix: archive them "
			    "elsewhere",
			    folder);
			goto out;
		}
		HSA_TRY(rc, move(folder, EP_LOG, aside, diag));
	}
	rc = move(folder, EP_LOG_NEW, EP_LOG, diag);
out:
	return rc;
}

/* ---- the rest ------------------------------------------------------------ */

static hsa_rc
add_key(const char *dir, const char *line, struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, lock = {0}, text = {0};
	int fd = -1;
	hsa_rc rc;

	HSA_TRY(rc, path_in(&path, dir, KEYS));
	HSA_TRY(rc, path_in(&lock, dir, KEYS ".lock"));
	/* units of one installation may do this at once */
	HSA_TRY(rc, ep_lock(&fd, hsa_buf_cstr(&lock), KEYS_LOCK_MS, diag));
	rc = ep_file_read(&text, hsa_buf_cstr(&path), KEYS_MAX, diag);
	if (rc.v == HSA_E_NOT_FOUND) {
		hsa_diag_set(diag, "%s", "");
		rc = HSA_OK;
	}
	HSA_TRY(rc, rc);
	if (strstr(hsa_buf_cstr(&text), line) != NULL)
		goto out;
	if (text.len != 0 && text.p[text.len - 1] != '\n')
		hsa_buf_u8(&text, '\n');
	hsa_buf_str(&text, line);
	HSA_TRY(rc, hsa_buf_rc(&text));
	HSA_TRY(
	    rc, ep_file_replace(hsa_buf_cstr(&path), text.p, text.len, diag));
	rc = ep_dir_sync(dir, diag);
out:
	if (fd >= 0)
		(void)close(fd);
	hsa_buf_free(&path);
	hsa_buf_free(&lock);
	hsa_buf_free(&text);
	return rc;
}

hsa_rc
ep_chain_settled(const char *dir, const char *folder, const struct ep_chain *c,
    const uint8_t id[HSA_UUID_LEN], const uint8_t public_key[32],
    struct hsa_diag *diag)
{
	struct hsa_buf line = {0}, path = {0}, number = {0};
	char origin[HSA_ORIGIN_TEXT];
	struct slog_key k;
	hsa_rc rc = HSA_OK;

	if (!c->open)
		return rc;
	hsa_origin_text(origin, id, c->number);
	HSA_TRY(rc, slog_key_init(&k, origin, public_key));
	slog_key_text(&line, &k);
	hsa_buf_str(&line, "\n");
	HSA_TRY(rc, hsa_buf_rc(&line));
	HSA_TRY(rc, add_key(dir, hsa_buf_cstr(&line), diag));
	/* last: it says that there is nothing more to do */
	HSA_TRY(rc, path_in(&path, folder, CHAIN));
	hsa_buf_printf(&number, "%u\n", c->number);
	HSA_TRY(rc, hsa_buf_rc(&number));
	HSA_TRY(rc,
	    ep_file_replace(hsa_buf_cstr(&path), number.p, number.len, diag));
	rc = ep_dir_sync(folder, diag);
out:
	hsa_buf_free(&line);
	hsa_buf_free(&path);
	hsa_buf_free(&number);
	return rc;
}
