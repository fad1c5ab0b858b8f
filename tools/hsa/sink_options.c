#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "sink_options.h"

/* What exactly-once delivery hangs on, or the address says already. */
static const char *const ours[] = {
    "acks",
    "bootstrap.servers",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "metadata.broker.list",
    "request.required.acks",
    "transactional.id",
};

bool
sink_options_secret(const char *name)
{
	static const char *const part[] = {
	    "password", "secret", ".pem", "oauthbearer.config"};

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		if (strstr(name, part[i]) != NULL)
			return true;
	return false;
}

static void
free_one(struct sink_option *o)
{
	if (o->value != NULL)
		hsa_wipe(o->value, strlen(o->value));
	free(o->value);
	free(o->name);
}

void
sink_options_free(struct sink_options *o)
{
	for (size_t i = 0; i < o->len; i++)
		free_one(&o->option[i]);
	free(o->option);
	*o = (struct sink_options){0};
}

/* line[0..n): NAME=VALUE */
static hsa_rc
add(struct sink_options *o, const char *line, size_t n, bool secrets,
    struct hsa_diag *diag)
{
	const char *eq = memchr(line, '=', n);
	struct sink_option one = {0}, *more;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (eq == NULL || eq == line)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "a Kafka option is NAME=VALUE; librdkafka's CONFIGURATION "
		    "lists them");
	one.name = strndup(line, (size_t)(eq - line));
	one.value = strndup(eq + 1, n - (size_t)(eq - line) - 1);
	more = reallocarray(o->option, o->len + 1, sizeof(*more));
	if (more != NULL)
		o->option = more;
	if (one.name == NULL || one.value == NULL || more == NULL) {
		hsa_diag_set(diag, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(one.name, ours[i]) == 0) {
			rc = hsa_fail(diag, HSA_RC(E_ARG),
			    "%s: the sink sets this itself", one.name);
			goto out;
		}
	if (!secrets && sink_options_secret(one.name)) {
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "%s: a secret on the command line can be read by "
		    "everybody; give it in a file, --kafka-options FILE",
		    one.name);
		goto out;
	}
	o->option[o->len++] = one;
	return HSA_OK;
out:
	free_one(&one);
	return rc;
}

hsa_rc
sink_options_add(
    struct sink_options *o, const char *text, struct hsa_diag *diag)
{
	return add(o, text, strlen(text), false, diag);
}

hsa_rc
sink_options_parse(
    struct sink_options *o, const char *text, size_t n, struct hsa_diag *diag)
{
	unsigned int number = 1;
	hsa_rc rc = HSA_OK;

	if (memchr(text, '\0', n) != NULL)
		return hsa_fail(diag, HSA_RC(E_ARG), "not a text file");
	for (size_t at = 0; at < n; number++) {
		const char *line = text + at, *lf = memchr(line, '\n', n - at);
		size_t len = lf == NULL ? n - at : (size_t)(lf - line);

		at += len + 1;
		if (len > 0 && line[len - 1] == '\r')
			len--;
		if (len == 0 || line[0] == '#')
			continue;
		rc = add(o, line, len, true, diag);
		if (!hsa_is_ok(rc)) {
			hsa_diag_wrap(diag, "line %u", number);
			break;
		}
	}
	return rc;
}

hsa_rc
sink_options_load(
    struct sink_options *o, const char *path, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	struct stat st;
	hsa_rc rc = HSA_RC(E_IO);
	ssize_t n = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = hsa_fail(diag,
		    errno == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_IO),
		    "%s: %s", path, strerror(errno));
		goto out;
	}
	if ((st.st_mode & 077) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_AUTH),
		    "%s: others can read it; chmod 600 %s", path, path);
		goto out;
	}
	do {
		uint8_t *to = hsa_buf_reserve(&b, 4096);

		n = to == NULL ? -1 : read(fd, to, 4096);
		b.len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && b.len <= SINK_OPTIONS_MAX);
	if (n != 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO), "%s: %s", path,
		    n > 0 ? "too long" : strerror(errno));
		goto out;
	}
	rc = sink_options_parse(o, hsa_buf_cstr(&b), b.len, diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "%s", path);
out:
	if (fd >= 0)
		(void)close(fd);
	hsa_buf_free(&b);
	return rc;
}
