#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "hsa_hash.h"
#include "tkc_prompt.h"

enum {
	KEY_CANCEL = 0x03,
	KEY_END = 0x04,
	KEY_BACKSPACE = 0x08,
	KEY_KILL = 0x15,
	KEY_DELETE = 0x7f
};

static hsa_rc
need_terminal(const struct tkc_prompt *p, const char *question,
    const char *option, struct hsa_diag *diag)
{
	if (isatty(p->in))
		return HSA_OK;
	return hsa_fail(diag, HSA_RC(E_ARG),
	    "%s: not answered, and the input is not a terminal: give %s",
	    question, option);
}

static hsa_rc
say(const struct tkc_prompt *p, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t w = write(p->out, text, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return HSA_RC(E_IO);
		text += w;
		n -= (size_t)w;
	}
	return HSA_OK;
}

/* One key; E_STOPPED at the end of input. */
static hsa_rc
key(const struct tkc_prompt *p, uint8_t *c)
{
	for (;;) {
		ssize_t n = read(p->in, c, 1);

		if (n == 1)
			return HSA_OK;
		if (n < 0 && errno == EINTR)
			continue;
		return HSA_RC(E_STOPPED);
	}
}

/* In canonical mode the terminal edits the line. */
static hsa_rc
read_line(const struct tkc_prompt *p, struct hsa_buf *line)
{
	size_t start = line->len;
	uint8_t c = 0;
	hsa_rc rc;

	for (;;) {
		HSA_TRY(rc, key(p, &c));
		if (c == '\n')
			break;
		if (line->len - start >= TKC_LINE_MAX)
			return HSA_RC(E_RANGE);
		hsa_buf_u8(line, c);
	}
	rc = hsa_buf_rc(line);
out:
	hsa_wipe(&c, sizeof(c));
	return rc;
}

/* In raw mode we edit it, so that control-C reaches us rather than killing the
 * process while the echo is off. */
static hsa_rc
read_hidden(const struct tkc_prompt *p, struct hsa_buf *line)
{
	size_t start = line->len;
	uint8_t c = 0;
	hsa_rc rc;

	for (;;) {
		HSA_TRY(rc, key(p, &c));
		if (c == '\n' || c == '\r')
			break;
		if (c == KEY_CANCEL || c == KEY_END) {
			rc = HSA_RC(E_STOPPED);
			goto out;
		}
		if (c == KEY_KILL) {
			line->len = start;
		} else if (c == KEY_BACKSPACE || c == KEY_DELETE) {
			if (line->len > start)
				line->len--;
		} else if (line->len - start >= TKC_LINE_MAX) {
			rc = HSA_RC(E_RANGE);
			goto out;
		} else {
			hsa_buf_u8(line, c);
		}
	}
	rc = hsa_buf_rc(line);
out:
	hsa_wipe(&c, sizeof(c));
	return rc;
}

static hsa_rc
ask_hidden(
    const struct tkc_prompt *p, struct hsa_buf *line, const char *question)
{
	struct termios old, raw;
	sigset_t block, before;
	hsa_rc rc;

	if (tcgetattr(p->in, &old) != 0)
		return HSA_RC(E_IO);
	raw = old;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGQUIT);
	sigaddset(&block, SIGTSTP);
	sigprocmask(SIG_BLOCK, &block, &before);
	if (tcsetattr(p->in, TCSAFLUSH, &raw) != 0) {
		rc = HSA_RC(E_IO);
		goto out;
	}
	rc = say(p, question);
	if (hsa_is_ok(rc))
		rc = say(p, ": ");
	if (hsa_is_ok(rc))
		rc = read_hidden(p, line);
	tcsetattr(p->in, TCSAFLUSH, &old);
	if (hsa_is_ok(rc))
		rc = say(p, "\n");
out:
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

hsa_rc
tkc_prompt_line(const struct tkc_prompt *p, struct hsa_buf *line,
    const char *question, const char *option, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, need_terminal(p, question, option, diag));
	HSA_TRY(rc, say(p, question));
	HSA_TRY(rc, say(p, ": "));
	rc = read_line(p, line);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag, "%s: no answer", question);
out:
	return rc;
}

hsa_rc
tkc_prompt_secret(const struct tkc_prompt *p, struct hsa_buf *secret,
    const char *question, const char *option, bool twice, struct hsa_diag *diag)
{
	struct hsa_buf first = {0}, second = {0};
	hsa_rc rc;

	HSA_TRY(rc, need_terminal(p, question, option, diag));
	rc = ask_hidden(p, &first, question);
	if (hsa_is_ok(rc) && twice)
		rc = ask_hidden(p, &second, "again");
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(diag, "%s: no answer", question);
		goto out;
	}
	if (first.len == 0) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "%s: an empty answer is not accepted", question);
		goto out;
	}
	if (twice && (first.len != second.len ||
			 !hsa_equal_ct(first.p, second.p, first.len))) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "%s: the two answers differ", question);
		goto out;
	}
	hsa_buf_put(secret, first.p, first.len);
	rc = hsa_buf_rc(secret);
out:
	hsa_buf_free(&first);
	hsa_buf_free(&second);
	return rc;
}

hsa_rc
tkc_prompt_yes(const struct tkc_prompt *p, const char *question,
    const char *option, struct hsa_diag *diag)
{
	struct hsa_buf line = {0};
	const char *s = NULL;
	hsa_rc rc;

	HSA_TRY(rc, tkc_prompt_line(p, &line, question, option, diag));
	s = hsa_buf_cstr(&line);
	if (strcasecmp(s, "y") != 0 && strcasecmp(s, "yes") != 0)
		rc = hsa_fail(
		    diag, HSA_RC(E_STOPPED), "not confirmed: nothing was done");
out:
	hsa_buf_free(&line);
	return rc;
}
