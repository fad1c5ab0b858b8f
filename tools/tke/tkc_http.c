#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "hsa_event.h"
#include "tkc_files.h"
#include "tkc_http.h"

#define TIMEOUT_MS 60000L
#define TEXT_MAX 400 /* characters of a server's error that are shown */

struct tkc_http {
	CURL *curl;
	struct curl_slist *headers;
	char *server;         /* as the user wrote it */
	char *base;           /* "http://host:port" */
	struct hsa_buf token; /* "Authorization: ..." or empty */
	int socket_dir;       /* keeps /proc/self/fd/N alive */
	char error[CURL_ERROR_SIZE];
};

/* Text of a header that has already been checked to be one line. */
static hsa_rc
add_header(struct curl_slist **list, const char *text)
{
	struct curl_slist *more = curl_slist_append(*list, text);

	if (more == NULL)
		return HSA_RC(E_NOMEM);
	*list = more;
	return HSA_OK;
}

static hsa_rc
add_named(struct curl_slist **list, const char *name, const char *value)
{
	char text[512];
	const char *c;

	for (c = value; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			return HSA_RC(E_ARG);
	if (snprintf(text, sizeof(text), "%s: %s", name, value) >=
	    (int)sizeof(text))
		return HSA_RC(E_RANGE);
	return add_header(list, text);
}

hsa_rc
tkc_http_tag(struct tkc_http *h, const uint8_t command_id[HSA_UUID_LEN],
    const char *ceremony_id, const char *ceremony_step)
{
	struct curl_slist *list = NULL;
	char uuid[HSA_UUID_TEXT];
	hsa_rc rc;

	HSA_TRY(rc, add_header(&list, "Content-Type: application/json"));
	HSA_TRY(rc, add_header(&list, "Accept: application/json"));
	HSA_TRY(rc, add_header(&list, "Expect:"));
	if (h->token.len > 0)
		HSA_TRY(rc, add_header(&list, hsa_buf_cstr(&h->token)));
	if (command_id != NULL) {
		hsa_uuid_text(uuid, command_id);
		HSA_TRY(rc, add_named(&list, "Cryptounit-Command-Id", uuid));
	}
	if (ceremony_id != NULL)
		HSA_TRY(rc,
		    add_named(&list, "Cryptounit-Ceremony-Id", ceremony_id));
	if (ceremony_step != NULL)
		HSA_TRY(rc, add_named(&list, "Cryptounit-Ceremony-Step",
				ceremony_step));
	curl_slist_free_all(h->headers);
	h->headers = list;
	list = NULL;
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers);
out:
	curl_slist_free_all(list);
	return rc;
}

/* A path longer than sun_path is reached through its open directory. */
static hsa_rc
use_socket(struct tkc_http *h, const char *path, struct hsa_diag *diag)
{
	struct sockaddr_un a;
	const char *slash = strrchr(path, '/');
	char short_path[sizeof(a.sun_path)];
	char *dir = NULL;
	hsa_rc rc = HSA_OK;

	if (path[0] == '\0')
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "--server unix: names no socket");
	if (strlen(path) < sizeof(a.sun_path)) {
		snprintf(short_path, sizeof(short_path), "%s", path);
	} else {
		dir = slash == NULL ? strdup(".")
				    : strndup(path, (size_t)(slash - path + 1));
		if (dir == NULL)
			return HSA_RC(E_NOMEM);
		h->socket_dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (h->socket_dir < 0) {
			rc = hsa_fail(diag, HSA_RC(E_CLOSED),
			    "cannot open %s: %s", dir, strerror(errno));
			goto out;
		}
		if (snprintf(short_path, sizeof(short_path),
			"/proc/self/fd/%d/%s", h->socket_dir,
			slash == NULL ? path : slash + 1) >=
		    (int)sizeof(short_path)) {
			rc = hsa_fail(diag, HSA_RC(E_ARG),
			    "name of the socket is too long: %s", path);
			goto out;
		}
	}
	if (curl_easy_setopt(h->curl, CURLOPT_UNIX_SOCKET_PATH, short_path) !=
	    CURLE_OK)
		rc = HSA_RC(E_NOMEM);
out:
	free(dir);
	return rc;
}

static int
is_local(const char *rest)
{
	static const char *const local[] = {"127.0.0.1", "localhost", "[::1]"};
	size_t i;

	for (i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		size_t n = strlen(local[i]);

		if (strncmp(rest, local[i], n) == 0 &&
		    (rest[n] == ':' || rest[n] == '/' || rest[n] == '\0'))
			return 1;
	}
	return 0;
}

static hsa_rc
use_server(struct tkc_http *h, const struct tkc_http_config *cfg,
    struct hsa_diag *diag)
{
	const char *s = cfg->server;
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_strdup_opt(&h->server, s));
	if (strncmp(s, "unix:", 5) == 0) {
		HSA_TRY(rc, use_socket(h, s + 5, diag));
		return hsa_strdup_opt(&h->base, "http://localhost");
	}
	if (strncmp(s, "http://", 7) == 0) {
		if (cfg->token_file != NULL && !is_local(s + 7))
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "a token is not sent over plain http to another "
			    "machine: use https:// or a unix socket");
	} else if (strncmp(s, "https://", 8) != 0) {
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "--server %s: give unix:PATH, http://host:port or "
		    "https://host:port",
		    s);
	}
	HSA_TRY(rc, hsa_strdup_opt(&h->base, s));
	n = strlen(h->base);
	if (n > 0 && h->base[n - 1] == '/')
		h->base[n - 1] = '\0';
out:
	return rc;
}

static hsa_rc
use_token(struct tkc_http *h, const char *file, struct hsa_diag *diag)
{
	hsa_rc rc;
	size_t i;

	hsa_buf_str(&h->token, "Authorization: ");
	HSA_TRY(rc, tkc_slurp_line(&h->token, file, diag));
	for (i = 0; i < h->token.len; i++)
		if (h->token.p[i] < 0x20 || h->token.p[i] > 0x7e)
			return hsa_fail(diag, HSA_RC(E_FORMAT),
			    "%s: a token is one line of printable characters",
			    file);
out:
	return rc;
}

static hsa_rc
set_options(struct tkc_http *h, const struct tkc_http_config *cfg)
{
	CURL *c = h->curl;
	long ms = cfg->timeout_ms > 0 ? cfg->timeout_ms : TIMEOUT_MS;

	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->error);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "tke/" HSA_VERSION);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	if (curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") !=
		CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROXY, "") != CURLE_OK)
		return HSA_RC(E_NOMEM);
	return HSA_OK;
}

hsa_rc
tkc_http_open(struct tkc_http **out, const struct tkc_http_config *cfg,
    struct hsa_diag *diag)
{
	struct tkc_http *h = calloc(1, sizeof(*h));
	hsa_rc rc;

	if (h == NULL)
		return HSA_RC(E_NOMEM);
	h->socket_dir = -1;
	h->curl = curl_easy_init();
	if (h->curl == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	HSA_TRY(rc, set_options(h, cfg));
	HSA_TRY(rc, use_server(h, cfg, diag));
	if (cfg->token_file != NULL)
		HSA_TRY(rc, use_token(h, cfg->token_file, diag));
	HSA_TRY(rc, tkc_http_tag(h, NULL, NULL, NULL));
	*out = h;
	h = NULL;
out:
	tkc_http_close(h);
	return rc;
}

void
tkc_http_close(struct tkc_http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	curl_slist_free_all(h->headers);
	hsa_buf_free(&h->token);
	if (h->socket_dir >= 0)
		close(h->socket_dir);
	free(h->server);
	free(h->base);
	free(h);
}

static size_t
collect(char *p, size_t size, size_t n, void *ctx)
{
	struct hsa_buf *b = ctx;

	if (b->len + size * n > TKC_BODY_MAX)
		return 0;
	hsa_buf_put(b, p, size * n);
	return hsa_is_ok(hsa_buf_rc(b)) ? size * n : 0;
}

/* The server's own words on one line, for the diagnosis. */
static void
one_line(char *to, size_t size, const struct hsa_buf *b)
{
	size_t i, n = b->len < size - 1 ? b->len : size - 1;

	for (i = 0; i < n; i++)
		to[i] =
		    (char)(b->p[i] < 0x20 || b->p[i] == 0x7f ? ' ' : b->p[i]);
	while (n > 0 && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

static hsa_rc
status_rc(const struct tkc_http *h, long status, const struct hsa_buf *body,
    struct hsa_diag *diag)
{
	char text[TEXT_MAX];

	if (status >= 200 && status < 300)
		return HSA_OK;
	one_line(text, sizeof(text), body);
	switch (status) {
	case 401:
		return hsa_fail(diag, HSA_RC(E_AUTH),
		    "%s does not know who you are (HTTP 401): %s; give "
		    "--token-file, or ask for an identity in its configuration",
		    h->server, text);
	case 403:
		return hsa_fail(diag, HSA_RC(E_AUTH),
		    "%s does not let you (HTTP 403): %s", h->server, text);
	case 404:
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no such instance or crypto unit (HTTP 404): %s", text);
	case 503:
		return hsa_fail(diag, HSA_RC(E_CLOSED),
		    "the crypto unit is not there (HTTP 503): %s", text);
	default:
		return hsa_fail(diag, HSA_RC(E_REMOTE), "HTTP %ld from %s: %s",
		    status, h->server, text);
	}
}

static hsa_rc
perform(struct tkc_http *h, struct hsa_buf *body, const char *path,
    struct hsa_diag *diag)
{
	struct hsa_buf url = {0}, got = {0};
	CURLcode code;
	long status = 0;
	hsa_rc rc;

	hsa_buf_printf(&url, "%s%s", h->base, path);
	HSA_TRY(rc, hsa_buf_rc(&url));
	h->error[0] = '\0';
	curl_easy_setopt(h->curl, CURLOPT_URL, hsa_buf_cstr(&url));
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &got);
	code = curl_easy_perform(h->curl);
	if (code == CURLE_OPERATION_TIMEDOUT) {
		rc = hsa_fail(diag, HSA_RC(E_TIMEOUT),
		    "no answer from %s in time", h->server);
		goto out;
	}
	if (code != CURLE_OK) {
		rc = hsa_fail(diag, HSA_RC(E_CLOSED),
		    "cannot reach %s: %s; is cryptounitd running?", h->server,
		    h->error[0] != '\0' ? h->error : curl_easy_strerror(code));
		goto out;
	}
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	HSA_TRY(rc, status_rc(h, status, &got, diag));
	hsa_buf_put(body, got.p, got.len);
	rc = hsa_buf_rc(body);
out:
	hsa_buf_free(&got);
	hsa_buf_free(&url);
	return rc;
}

hsa_rc
tkc_http_get(struct tkc_http *h, struct hsa_buf *body, const char *path,
    struct hsa_diag *diag)
{
	curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L);
	return perform(h, body, path, diag);
}

hsa_rc
tkc_http_post(struct tkc_http *h, struct hsa_buf *body, const char *path,
    const void *json, size_t n, struct hsa_diag *diag)
{
	curl_easy_setopt(h->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE, (long)n);
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, json);
	return perform(h, body, path, diag);
}
