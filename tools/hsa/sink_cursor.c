#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "sink_cursor.h"
#include "vfy_file.h"

#define TITLE "hsa-sink-cursor 1"

struct sink_place *
sink_cursor_of(struct sink_cursor *c, const char *unit)
{
	struct sink_place *more;

	for (size_t i = 0; i < c->len; i++)
		if (strcmp(c->place[i].unit, unit) == 0)
			return &c->place[i];
	more = reallocarray(c->place, c->len + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	c->place = more;
	more += c->len++;
	*more = (struct sink_place){0};
	(void)snprintf(more->unit, sizeof(more->unit), "%s", unit);
	return more;
}

/* ---- the text ------------------------------------------------------------ */

/* A blank and a number in its one spelling. */
static bool
number(uint64_t *v, const char **at)
{
	char *end;

	if (**at != ' ' || (*at)[1] < '0' || (*at)[1] > '9' ||
	    ((*at)[1] == '0' && (*at)[2] >= '0' && (*at)[2] <= '9'))
		return false;
	errno = 0;
	*v = strtoull(*at + 1, &end, 10);
	*at = end;
	return errno == 0;
}

/* A blank and the name of a unit's log in its one spelling. */
static bool
unit_word(char to[SINK_UNIT_TEXT], const char **at)
{
	size_t n;

	if (**at != ' ')
		return false;
	n = strcspn(*at + 1, " ");
	if (n >= SINK_UNIT_TEXT)
		return false;
	memcpy(to, *at + 1, n);
	to[n] = '\0';
	*at += 1 + n;
	return vfy_log_name_good(to);
}

static bool
unit_line(struct sink_cursor *c, const char *at)
{
	struct sink_place p = {0}, *q;
	size_t before = c->len;

	if (!unit_word(p.unit, &at) || !number(&p.next, &at) ||
	    !number(&p.skip_from, &at) || !number(&p.skip_to, &at) ||
	    *at != '\0' || p.skip_from > p.skip_to)
		return false;
	q = sink_cursor_of(c, p.unit);
	if (q == NULL || c->len == before)
		return false; /* twice */
	*q = p;
	return true;
}

static const char *
word(const char *line, const char *w)
{
	size_t n = strlen(w);

	return strncmp(line, w, n) == 0 && (line[n] == ' ' || line[n] == '\0')
		   ? line + n
		   : NULL;
}

/* What a line is; a file's lines come in this order. */
enum stage {
	NOTHING,
	TITLE_LINE,
	SINK_LINE,
	FILE_LINE,
	UNIT_LINE,
	PENDING_LINE,
	END_LINE
};

static enum stage
take_line(struct sink_cursor *c, enum stage before, const char *line)
{
	const char *at;

	if (before == NOTHING && strcmp(line, TITLE) == 0)
		return TITLE_LINE;
	if (before == TITLE_LINE && (at = word(line, "sink")) != NULL &&
	    *at == ' ' && strcmp(at + 1, c->name) == 0)
		return SINK_LINE;
	if (before < SINK_LINE || before > PENDING_LINE)
		return NOTHING;
	if (before == SINK_LINE && (at = word(line, "file")) != NULL) {
		c->has_file = number(&c->device, &at) &&
			      number(&c->inode, &at) && *at == '\0';
		return c->has_file ? FILE_LINE : NOTHING;
	}
	if (before <= UNIT_LINE && (at = word(line, "unit")) != NULL)
		return unit_line(c, at) ? UNIT_LINE : NOTHING;
	if (before <= UNIT_LINE && c->has_file &&
	    (at = word(line, "pending")) != NULL) {
		c->has_pending = unit_word(c->pending, &at) &&
				 number(&c->pending_at, &at) && *at == '\0';
		return c->has_pending ? PENDING_LINE : NOTHING;
	}
	return strcmp(line, "end") == 0 ? END_LINE : NOTHING;
}

hsa_rc
sink_cursor_parse(struct sink_cursor *c, const char *text, size_t n)
{
	enum stage stage = NOTHING;
	hsa_rc rc = HSA_RC(E_FORMAT);
	char *copy = NULL;

	if (n > SINK_CURSOR_MAX || memchr(text, '\0', n) != NULL)
		return rc;
	copy = strndup(text, n);
	if (copy == NULL)
		return HSA_RC(E_NOMEM);
	for (char *at = copy, *lf; *at != '\0'; at = lf + 1) {
		lf = strchr(at, '\n');
		if (lf == NULL)
			goto out;
		*lf = '\0';
		stage = take_line(c, stage, at);
		if (stage == NOTHING)
			goto out;
	}
	if (stage == END_LINE)
		rc = HSA_OK;
out:
	free(copy);
	return rc;
}

void
sink_cursor_print(struct hsa_buf *b, const struct sink_cursor *c)
{
	hsa_buf_printf(b, TITLE "\nsink %s\n", c->name);
	if (c->has_file)
		hsa_buf_printf(
		    b, "file %" PRIu64 " %" PRIu64 "\n", c->device, c->inode);
	for (size_t i = 0; i < c->len; i++)
		hsa_buf_printf(b,
		    "unit %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    c->place[i].unit, c->place[i].next, c->place[i].skip_from,
		    c->place[i].skip_to);
	if (c->has_pending)
		hsa_buf_printf(
		    b, "pending %s %" PRIu64 "\n", c->pending, c->pending_at);
	hsa_buf_str(b, "end\n");
}

/* ---- the file ------------------------------------------------------------ */

static hsa_rc
open_folder(struct sink_cursor *c, const char *dir, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc;

	hsa_buf_printf(&path, "%s/sinks", dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	if (mkdir(hsa_buf_cstr(&path), 0700) != 0 && errno != EEXIST)
		rc = hsa_fail(diag, HSA_RC(E_IO), "%s: %s", hsa_buf_cstr(&path),
		    strerror(errno));
	else
		rc = vfy_file_folder(&c->folder, hsa_buf_cstr(&path), diag);
out:
	hsa_buf_free(&path);
	return rc;
}

hsa_rc
sink_cursor_load(struct sink_cursor *to, const char *dir, const char *name,
    struct hsa_diag *diag)
{
	struct sink_cursor c = {.folder = -1};
	struct hsa_buf b = {0};
	uint8_t hash[HSA_SHA256_LEN];
	char hex[17];
	hsa_rc rc;

	c.name = strdup(name);
	if (c.name == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
		goto out;
	}
	HSA_TRY(rc, open_folder(&c, dir, diag));
	HSA_TRY(rc, hsa_sha256(hash, name, strlen(name)));
	hsa_hex(hex, hash, 8);
	c.path = strdup(hex);
	if (c.path == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
		goto out;
	}
	rc = vfy_file_get(&b, c.folder, c.path, SINK_CURSOR_MAX);
	if (hsa_is_ok(rc))
		rc = sink_cursor_parse(&c, (const char *)b.p, b.len);
	else if (rc.v == HSA_E_NOT_FOUND)
		rc = HSA_OK;
	if (!hsa_is_ok(rc)) {
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "%s/sinks/%s: no cursor of %s (%s); remove it, and the "
		    "sink gets everything from the beginning again",
		    dir, c.path, name, hsa_err_text(rc));
		goto out;
	}
	*to = c;
	c = (struct sink_cursor){.folder = -1};
out:
	sink_cursor_free(&c);
	hsa_buf_free(&b);
	return rc;
}

static bool
write_all(int fd, const uint8_t *p, size_t n)
{
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w) {
		w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			w = 0;
		else if (w <= 0)
			return false;
	}
	return true;
}

hsa_rc
sink_cursor_save(const struct sink_cursor *c, struct hsa_diag *diag)
{
	struct hsa_buf b = {0}, name = {0};
	hsa_rc rc;
	int fd = -1;

	sink_cursor_print(&b, c);
	hsa_buf_printf(&name, "%s.new", c->path);
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, hsa_buf_rc(&name));
	fd = openat(c->folder, hsa_buf_cstr(&name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !write_all(fd, b.p, b.len) || fsync(fd) != 0 ||
	    renameat(c->folder, hsa_buf_cstr(&name), c->folder, c->path) != 0 ||
	    fsync(c->folder) != 0)
		rc = hsa_fail(
		    diag, HSA_RC(E_IO), "its cursor: %s", strerror(errno));
out:
	if (fd >= 0)
		(void)close(fd);
	hsa_buf_free(&b);
	hsa_buf_free(&name);
	return rc;
}

void
sink_cursor_free(struct sink_cursor *c)
{
	free(c->name);
	free(c->path);
	free(c->place);
	if (c->folder >= 0)
		(void)close(c->folder);
	*c = (struct sink_cursor){.folder = -1};
}
