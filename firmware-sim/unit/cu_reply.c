#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cu_core.h"

void
cu_ids(uint8_t domain[TKE_DOMAIN_LEN], uint8_t module[TKE_MODULE_LEN],
    const struct cu_unit *u, const struct cu_state *s)
{
	cu_be32(domain, u->id.domain_index);
	cu_be32(domain + 4, s->domain_instance);
	memcpy(module, s->serial, CU_SERIAL_LEN);
	memcpy(module + CU_SERIAL_LEN, s->module_instance, CU_INSTANCE_LEN);
}

hsa_rc
cu_reply_block(const struct cu_unit *u, struct hsa_block_reply *r,
    const struct cu_state *s, uint32_t command, uint32_t code, uint32_t reason,
    const struct hsa_buf *output)
{
	struct hsa_buf value = {0};
	struct tke_oa_cert cert = {0};
	struct tke_slice out = {output->p, output->len};
	uint8_t domain[TKE_DOMAIN_LEN], module[TKE_MODULE_LEN], why[4];
	hsa_rc rc;

	cu_be32(why, reason);
	if (code != HSA_EP11_OK)
		out = (struct tke_slice){why, sizeof(why)};
	cu_ids(domain, module, u, s);
	HSA_TRY(rc, hsa_buf_rc(output));
	HSA_TRY(rc, tke_admin_reply_block_encode(&r->response, command, domain,
			module, s->counter, code, out));
	HSA_TRY(rc,
	    tke_oa_parse(&cert, u->id.oa_cert[0], sizeof(u->id.oa_cert[0])));
	HSA_TRY(rc, u->backend.ops->oa_sign(u->backend.ctx, &value,
			r->response.p, r->response.len));
	HSA_TRY(rc, tke_signer_info_encode(&r->signature, TKE_KEY_P521,
			cert.subject_ski, value.p, value.len));
	r->http_status = 200;
out:
	hsa_buf_free(&value);
	return rc;
}

hsa_rc
cu_reply_text(uint32_t *http, char **to, uint32_t status, const char *fmt, ...)
{
	char text[1200] = {0};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*http = status;
	free(*to);
	return hsa_strdup_opt(to, text);
}

hsa_rc
cu_reply_halted(uint32_t *http, char **to, struct cu_unit *u)
{
	struct hsa_buf text = {0};
	uint32_t status = cu_unit_refuses(u, &text);
	hsa_rc rc;

	if (cu_unit_halted(u, NULL) != 0 || status == 0)
		rc = cu_reply_text(http, to, status == 0 ? 500 : status,
		    "the unit has halted: %s; it carries out no command, and "
		    "whether one that was under way took effect shows after "
		    "the restart",
		    hsa_buf_cstr(&text));
	else
		rc = cu_reply_text(http, to, status,
		    "the unit carries out no command: %s", hsa_buf_cstr(&text));

	hsa_buf_free(&text);
	return rc;
}

hsa_rc
cu_reply_denied(uint32_t *http, char **to, const struct cu_cmd *c)
{
	const char *text = c->caller->denied_text;

	return cu_reply_text(http, to, c->http, "%s",
	    text != NULL && text[0] != '\0' ? text
					    : "caller is not authorized");
}

hsa_rc
cu_reply_refused(bool *answered, uint32_t *http, char **to, struct cu_cmd *c,
    const char *text)
{
	struct cu_state s;

	c->text = text;
	*answered = true;
	if (!hsa_is_ok(cu_command_run(c, &s)))
		return cu_reply_halted(http, to, c->u);
	if (c->http != 200)
		return cu_reply_denied(http, to, c);
	*answered = false;
	return HSA_OK;
}
