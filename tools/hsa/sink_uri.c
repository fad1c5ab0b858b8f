#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sink_uri.h"

static hsa_rc
bad(struct hsa_diag *diag, const char *what)
{
	return hsa_fail(diag, HSA_RC(E_ARG), "the sink's address: %s", what);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A copy of p[0..n) with %XX resolved. */
static hsa_rc
take(char **to, const char *p, size_t n, struct hsa_diag *diag)
{
	char *s = malloc(n + 1);
	size_t k = 0;

	if (s == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	for (size_t i = 0; i < n; i++) {
		int hi, lo, byte = (unsigned char)p[i];

		if (byte == '%') {
			hi = n - i > 2 ? digit(p[i + 1]) : -1;
			lo = n - i > 2 ? digit(p[i + 2]) : -1;
			byte = hi < 0 || lo < 0 ? 0 : 16 * hi + lo;
			i += 2;
		}
		/* such an address becomes a line of a cursor file */
		if (iscntrl(byte)) {
			free(s);
			return bad(diag,
			    "a control character, or % without two hex digits");
		}
		(void)memset(s + k++, byte, 1);
	}
	s[k] = '\0';
	*to = s;
	return HSA_OK;
}

static hsa_rc
take_params(struct sink_uri *u, const char *p, struct hsa_diag *diag)
{
	struct sink_param *q;
	hsa_rc rc = HSA_OK;

	for (const char *end; *p != '\0'; p = *end == '&' ? end + 1 : end) {
		const char *eq = strchr(p, '=');

		end = p + strcspn(p, "&");
		if (eq == NULL || eq >= end || eq == p)
			return bad(diag, "behind the ? there is NAME=VALUE");
		if (u->params == SINK_PARAMS)
			return bad(diag, "too many parameters");
		q = &u->param[u->params++];
		HSA_TRY(rc, take(&q->name, p, (size_t)(eq - p), diag));
		HSA_TRY(
		    rc, take(&q->value, eq + 1, (size_t)(end - eq - 1), diag));
		if (q->name == NULL || sink_uri_get(u, q->name) != q->value)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "the sink's address: %s is there twice", q->name);
	}
out:
	return rc;
}

hsa_rc
sink_uri_parse(struct sink_uri *to, const char *text, struct hsa_diag *diag)
{
	struct sink_uri u = {0};
	size_t n = strnlen(text, SINK_URI_MAX + 1), scheme, rest;
	const char *p;
	hsa_rc rc;

	scheme = strcspn(text, ":?");
	if (n > SINK_URI_MAX) {
		rc = bad(diag, "too long");
		goto out;
	}
	if (scheme == 0 || text[scheme] != ':') {
		rc = bad(diag, "it begins with file:, stdout:, syslog+tcp://, "
			       "syslog+tls:// or kafka://");
		goto out;
	}
	HSA_TRY(rc, take(&u.scheme, text, scheme, diag));
	for (char *c = u.scheme; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	p = text + scheme + 1;
	u.hosts = strncmp(p, "//", 2) == 0 && u.scheme != NULL &&
		  strcmp(u.scheme, "file") != 0;
	if (u.hosts) {
		p += 2;
		rest = strcspn(p, "/?");
		HSA_TRY(rc, take(&u.host, p, rest, diag));
		p += rest;
		if (*p == '/')
			p++;
	}
	rest = strcspn(p, "?");
	HSA_TRY(rc, take(&u.path, p, rest, diag));
	if (p[rest] == '?')
		HSA_TRY(rc, take_params(&u, p + rest + 1, diag));
	*to = u;
	u = (struct sink_uri){0};
out:
	sink_uri_free(&u);
	return rc;
}

void
sink_uri_free(struct sink_uri *u)
{
	free(u->scheme);
	free(u->host);
	free(u->path);
	for (size_t i = 0; i < u->params; i++) {
		free(u->param[i].name);
		free(u->param[i].value);
	}
	*u = (struct sink_uri){0};
}

const char *
sink_uri_get(const struct sink_uri *u, const char *name)
{
	for (size_t i = 0; i < u->params; i++)
		if (u->param[i].name != NULL &&
		    strcmp(u->param[i].name, name) == 0)
			return u->param[i].value;
	return NULL;
}

hsa_rc
sink_uri_only(
    const struct sink_uri *u, const char *names, struct hsa_diag *diag)
{
	for (size_t i = 0; i < u->params; i++) {
		const char *name = u->param[i].name, *at = names;
		size_t n = strlen(name);

		while (*at != '\0' &&
		       (strcspn(at, " ") != n || strncmp(at, name, n) != 0)) {
			at += strcspn(at, " ");
			at += strspn(at, " ");
		}
		if (*at == '\0')
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "%s: has no parameter %s; there are: %s", u->scheme,
			    name, *names == '\0' ? "none" : names);
	}
	return HSA_OK;
}

hsa_rc
sink_uri_host(
    char **host, char **port, const struct sink_uri *u, struct hsa_diag *diag)
{
	const char *h = u->hosts ? u->host : "", *colon;
	size_t n;

	if (h[0] == '[') {
		h++;
		n = strcspn(h, "]");
		colon = h[n] == ']' ? h + n + 1 : h + n;
	} else {
		n = strcspn(h, ":");
		colon = h + n;
	}
	if (n == 0 || colon[0] != ':' || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strlen(colon + 1) > 5)
		return hsa_fail(diag, HSA_RC(E_ARG), "%s: give %s://HOST:PORT",
		    u->scheme, u->scheme);
	*host = strndup(h, n);
	*port = strdup(colon + 1);
	if (*host != NULL && *port != NULL)
		return HSA_OK;
	free(*host);
	free(*port);
	*host = *port = NULL;
	return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
}
