#include <stdarg.h>
#include <stdio.h>
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
cu_reply_admin(const struct cu_unit *u, struct hsa_buf *payload,
    const struct cu_state *s, uint32_t command, uint32_t code, uint32_t reason,
    const struct hsa_buf *output)
{
	struct hsa_buf block = {0}, value = {0}, signer = {0};
	struct tke_oa_cert cert = {0};
	struct tke_slice out = {output->p, output->len};
	uint8_t domain[TKE_DOMAIN_LEN], module[TKE_MODULE_LEN], why[4];
	hsa_rc rc;

	cu_be32(why, reason);
	if (code != HSA_EP11_OK)
		out = (struct tke_slice){why, sizeof(why)};
	cu_ids(domain, module, u, s);
	HSA_TRY(rc, hsa_buf_rc(output));
	HSA_TRY(rc, tke_admin_reply_block_encode(&block, command, domain,
			module, s->counter, code, out));
	HSA_TRY(rc,
	    tke_oa_parse(&cert, u->id.oa_cert[0], sizeof(u->id.oa_cert[0])));
	HSA_TRY(rc, u->backend.ops->oa_sign(
			u->backend.ctx, &value, block.p, block.len));
	HSA_TRY(rc, tke_signer_info_encode(&signer, TKE_KEY_P521,
			cert.subject_ski, value.p, value.len));
	HSA_TRY(rc, tke_admin_reply_encode(payload, u->id.domain_index,
			(struct tke_slice){block.p, block.len},
			(struct tke_slice){signer.p, signer.len}));
out:
	hsa_buf_free(&block);
	hsa_buf_free(&value);
	hsa_buf_free(&signer);
	return rc;
}

hsa_rc
cu_reply_text(
    struct hsa_admin_reply *reply, uint32_t status, const char *fmt, ...)
{
	char text[1200] = {0};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply->http_status = status;
	return hsa_strdup_opt(&reply->text, text);
}
