#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "sink.h"
#include "sink_conn.h"
#include "sink_cursor.h"
#include "sink_syslog_line.h"
#include "sink_value.h"

#define FORMATS "ibm-at envelope cadf-1.0 cef"
#define FACILITY 13 /* "log audit", RFC 5424 table 1 */
/* 32473 is the number that IANA keeps for examples (RFC 5612): this project
 * has none of its own. */
#define SD_ID "hsa@32473"

/*
 * Syslog knows no acknowledgement, so this is at least once: the cursor moves
 * when the peer's kernel has the bytes and the peer has not closed. Unit and
 * sequence stand in each message, for who wants each one once.
 */
struct out {
	struct sink_conn_plan plan;
	struct sink_conn *conn; /* NULL: not connected */
	struct sink_syslog_style style;
	struct sink_cursor cursor;
	struct hsa_buf batch;
	char *host, *port, *ca, *cert, *key, *name, *sd_id;
	char self[256];
};

static void
out_close(void *ctx)
{
	struct out *o = ctx;

	if (o == NULL)
		return;
	sink_conn_close(o->conn);
	sink_cursor_free(&o->cursor);
	hsa_buf_free(&o->batch);
	free(o->host);
	free(o->port);
	free(o->ca);
	free(o->cert);
	free(o->key);
	free(o->name);
	free(o->sd_id);
	free(o);
}

/* NAME@NUMBER: RFC 5424, 6.3.2 */
static bool
good_sd_id(const char *s)
{
	size_t n = strlen(s), name = strcspn(s, "@");

	if (n > 32 || name == 0 || name + 1 >= n ||
	    strspn(s + name + 1, "0123456789.") != n - name - 1)
		return false;
	for (size_t i = 0; i < name; i++)
		if (s[i] <= 32 || s[i] >= 127 || strchr("=]\"", s[i]) != NULL)
			return false;
	return true;
}

static hsa_rc
style(struct out *o, const struct sink_uri *u, struct hsa_diag *diag)
{
	const char *facility = sink_uri_get(u, "facility");
	char *end = NULL;
	hsa_rc rc;

	HSA_TRY(rc, sink_value_format(&o->style.format, u, FORMATS, diag));
	o->style.facility = FACILITY;
	if (facility != NULL) {
		unsigned long v = strtoul(facility, &end, 10);

		if (facility[0] < '0' || facility[0] > '9' || *end != '\0' ||
		    v > 23)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "facility: a number from 0 to 23");
		o->style.facility = (unsigned int)v;
	}
	if (!good_sd_id(o->sd_id))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "sd-id: NAME@NUMBER, at most 32 characters, the number "
		    "your organization's at IANA");
	o->style.sd_id = o->sd_id;
	o->style.host =
	    gethostname(o->self, sizeof(o->self) - 1) == 0 ? o->self : NULL;
out:
	return rc;
}

static hsa_rc
param(char **to, const struct sink_uri *u, const char *name, const char *other)
{
	const char *v = sink_uri_get(u, name);

	return hsa_strdup_opt(to, v == NULL ? other : v);
}

static hsa_rc
out_open(void **ctx, const struct sink_config *cfg, struct hsa_diag *diag)
{
	const struct sink_uri *u = cfg->uri;
	struct out *o = calloc(1, sizeof(*o));
	struct hsa_buf name = {0};
	hsa_rc rc;

	if (o == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	o->cursor.folder = -1;
	HSA_TRY(rc, sink_uri_host(&o->host, &o->port, u, diag));
	HSA_TRY(rc, param(&o->ca, u, "ca", NULL));
	HSA_TRY(rc, param(&o->cert, u, "cert", NULL));
	HSA_TRY(rc, param(&o->key, u, "key", o->cert));
	HSA_TRY(rc, param(&o->name, u, "name", NULL));
	HSA_TRY(rc, param(&o->sd_id, u, "sd-id", SD_ID));
	HSA_TRY(rc, style(o, u, diag));
	if (u->path[0] != '\0') {
		rc = hsa_fail(
		    diag, HSA_RC(E_ARG), "nothing stands behind HOST:PORT");
		goto out;
	}
	o->plan = (struct sink_conn_plan){.host = o->host,
	    .port = o->port,
	    .tls = strcmp(u->scheme, "syslog+tls") == 0,
	    .ca = o->ca,
	    .cert = o->cert,
	    .key = o->key,
	    .name = o->name,
	    .stop = cfg->stop};
	HSA_TRY(rc, sink_conn_check(&o->plan, diag));
	hsa_buf_printf(&name, "%s://%s", u->scheme, u->host);
	HSA_TRY(rc, hsa_buf_rc(&name));
	HSA_TRY(rc,
	    sink_cursor_load(&o->cursor, cfg->dir, hsa_buf_cstr(&name), diag));
	*ctx = o;
	o = NULL;
out:
	hsa_buf_free(&name);
	out_close(o);
	return rc;
}

static hsa_rc
out_resume(void *ctx, uint64_t *next, const char *unit, struct hsa_diag *diag)
{
	struct out *o = ctx;
	struct sink_place *p = sink_cursor_of(&o->cursor, unit);

	if (p == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	*next = p->next;
	return HSA_OK;
}

static hsa_rc
out_add(void *ctx, const char *unit, const struct hsa_record *r,
    const void *raw, size_t n)
{
	struct out *o = ctx;

	(void)unit;
	(void)raw;
	(void)n;
	if (!sink_value_has(o->style.format, r))
		return HSA_OK;
	return sink_syslog_line(&o->batch, r, &o->style);
}

static void
out_drop(void *ctx)
{
	struct out *o = ctx;

	hsa_buf_reset(&o->batch);
}

static hsa_rc
out_put(void *ctx, const char *unit, uint64_t first, uint64_t next,
    struct hsa_diag *diag)
{
	struct out *o = ctx;
	struct sink_place *p = sink_cursor_of(&o->cursor, unit);
	hsa_rc rc = HSA_OK;

	(void)first;
	if (p == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	if (o->batch.len != 0) {
		if (o->conn == NULL)
			HSA_TRY(rc, sink_conn_open(&o->conn, &o->plan, diag));
		rc = sink_conn_send(o->conn, o->batch.p, o->batch.len, diag);
		if (!hsa_is_ok(rc)) {
			sink_conn_close(o->conn);
			o->conn = NULL;
			goto out;
		}
	}
	p->next = next;
	rc = sink_cursor_save(&o->cursor, diag);
out:
	out_drop(o);
	return rc;
}

static void
out_reopen(void *ctx)
{
	struct out *o = ctx;

	sink_conn_close(o->conn);
	o->conn = NULL;
}

const struct sink_kind sink_syslog_tcp = {
    .scheme = "syslog+tcp",
    .exact = false,
    .formats = FORMATS,
    .params = "format facility sd-id",
    .open = out_open,
    .resume = out_resume,
    .add = out_add,
    .put = out_put,
    .drop = out_drop,
    .reopen = out_reopen,
    .close = out_close,
};

const struct sink_kind sink_syslog_tls = {
    .scheme = "syslog+tls",
    .exact = false,
    .formats = FORMATS,
    .params = "format facility sd-id ca cert key name",
    .open = out_open,
    .resume = out_resume,
    .add = out_add,
    .put = out_put,
    .drop = out_drop,
    .reopen = out_reopen,
    .close = out_close,
};
