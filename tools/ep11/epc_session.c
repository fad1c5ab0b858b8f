#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "epc_session.h"
#include "host_conn.h"

hsa_rc
epc_up(struct epc_session *s)
{
	/* all units that there are, as one group */
	struct XCP_Module m = {
	    .version = XCP_MOD_VERSION_2, .flags = XCP_MFL_VIRTUAL};
	int err = 0;

	if (s->up)
		return HSA_OK;
	err = m_init();
	if (err != XCP_OK)
		return hsa_fail(&s->diag, HSA_RC(E_CLOSED),
		    "no crypto unit (libep11: %d); fix: --unit unix:PATH or "
		    "EP11_UNIT, and cryptounitd run",
		    err);
	s->up = true;
	s->target = XCP_TGT_INIT;
	err = m_add_module(&m, &s->target);
	if (err != XCP_OK)
		return hsa_fail(&s->diag, HSA_RC(E_CLOSED),
		    "libep11 gives no target (%d); fix: check --unit", err);
	return HSA_OK;
}

void
epc_session_close(struct epc_session *s)
{
	if (s->up)
		(void)m_shutdown();
	host_conn_free(s->conn);
	hsa_buf_free(&s->json);
	opt_line_free(&s->opt.line);
	*s = (struct epc_session){.up = false};
}

hsa_rc
epc_check(struct epc_session *s, CK_RV rv)
{
	hsa_rc rc = epc_rv_fail(&s->diag, rv, "the unit");

	/* the line begins with the verb's name anyway */
	if (!hsa_is_ok(rc))
		memmove(s->diag.text, s->diag.text + strlen("the unit: "),
		    strlen(s->diag.text) + 1 - strlen("the unit: "));
	return rc;
}

hsa_rc
epc_key(struct epc_session *s, struct hsa_buf *b, const char *path,
    const char *option)
{
	if (path == NULL)
		return hsa_fail(
		    &s->diag, HSA_RC(E_ARG), "which key? fix: %s FILE", option);
	return epc_file_read(b, path, HSA_BLOB_MAX, &s->diag);
}

hsa_rc
epc_room(struct hsa_buf *b, size_t n)
{
	hsa_buf_reset(b);
	if (hsa_buf_reserve(b, n) == NULL)
		return HSA_RC(E_NOMEM);
	b->len = n;
	return HSA_OK;
}

/* ---- what comes out ------------------------------------------------------ */

static bool
standard(const char *path)
{
	return path == NULL || strcmp(path, "-") == 0;
}

static hsa_rc
hex_line(const char *path, const void *p, size_t n, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	hsa_buf_hex(&b, p, n);
	hsa_buf_u8(&b, '\n');
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, epc_file_write(path, b.p, b.len, diag));
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
epc_out(struct epc_session *s, const char *name, const void *p, size_t n)
{
	if (s->opt.json && standard(s->opt.out)) {
		hsa_jw_hex(&s->jw, name, p, n);
		return HSA_OK;
	}
	if (s->opt.json)
		hsa_jw_uint(&s->jw, "bytes", n);
	if (s->opt.hex)
		return hex_line(s->opt.out, p, n, &s->diag);
	return epc_file_write(s->opt.out, p, n, &s->diag);
}

hsa_rc
epc_out_file(struct epc_session *s, const char *name, const char *path,
    const void *p, size_t n)
{
	if (path == NULL) {
		if (s->opt.json)
			hsa_jw_hex(&s->jw, name, p, n);
		return HSA_OK;
	}
	return epc_file_write(path, p, n, &s->diag);
}

void
epc_say(struct epc_session *s, const char *name, const char *text)
{
	if (s->opt.json)
		hsa_jw_text(&s->jw, name, text);
	else if (s->facts_only || !standard(s->opt.out))
		printf("%s: %s\n", name, text);
}

void
epc_say_hex(struct epc_session *s, const char *name, const void *p, size_t n)
{
	struct hsa_buf b = {0};

	hsa_buf_hex(&b, p, n);
	epc_say(s, name, hsa_buf_cstr(&b));
	hsa_buf_free(&b);
}

void
epc_say_uint(struct epc_session *s, const char *name, uint64_t v)
{
	if (s->opt.json)
		hsa_jw_uint(&s->jw, name, v);
	else if (s->facts_only || !standard(s->opt.out))
		printf("%s: %llu\n", name, (unsigned long long)v);
}
