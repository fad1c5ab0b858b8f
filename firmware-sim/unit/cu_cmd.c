#include <string.h>

#include "cu_core.h"
#include "hsa_hash.h"

void
cu_cmd_begin(
    struct cu_cmd *c, struct cu_unit *u, const struct hsa_caller *caller)
{
	memset(c, 0, sizeof(*c));
	c->u = u;
	c->caller = caller;
	c->wall_ns = u->clock->wall_ns(u->clock->ctx);
	c->mono_ns = u->clock->mono_ns(u->clock->ctx);
	c->http = caller->denied == 0 ? 200 : caller->denied == 401 ? 401 : 403;
	c->report = CU_REPORT_REFUSED;
}

void
cu_cmd_free(struct cu_cmd *c)
{
	hsa_buf_free(&c->output);
}

hsa_rc
cu_cmd_refuse(struct cu_cmd *c, uint32_t rc, uint32_t reason)
{
	if (c->rc == HSA_EP11_OK) {
		c->rc = rc;
		c->reason = reason;
	}
	return HSA_OK;
}

/* ---- inputs -------------------------------------------------------------- */

static void
wrong(struct cu_input *in, uint32_t rc, uint32_t reason)
{
	if (in->rc == HSA_EP11_OK) {
		in->rc = rc;
		in->reason = reason;
	}
}

static void
read_cert(struct cu_input *in, const struct tke_admin_request *q)
{
	struct tke_admin_cert cert = {0};

	if (q->input.n == 0) {
		wrong(in, HSA_EP11_DATA_LEN_RANGE, HSA_REASON_CERT_FORMAT);
	} else if (q->input.n > CU_ADMIN_CERT_MAX ||
		   !hsa_is_ok(
		       tke_admin_cert_parse(&cert, q->input.p, q->input.n))) {
		wrong(in, HSA_EP11_DATA_INVALID, HSA_REASON_CERT_FORMAT);
	} else {
		memcpy(in->ski, cert.ski, sizeof(in->ski));
		in->has_ski = true;
	}
	tke_admin_cert_free(&cert);
}

static void
read_ski(struct cu_input *in, const struct tke_admin_request *q)
{
	in->has_ski = q->input.n == sizeof(in->ski);
	if (in->has_ski)
		memcpy(in->ski, q->input.p, sizeof(in->ski));
	else
		wrong(in, HSA_EP11_DATA_INVALID, HSA_REASON_SKI_MALFORMED);
}

static void
read_attributes(struct cu_input *in, const struct tke_admin_request *q,
    const struct cu_state *now)
{
	hsa_rc rc;

	in->attr = now->attr;
	rc = tke_attributes_decode(
	    &in->attr, &in->present, q->input.p, q->input.n, false);
	if (q->input.n == 0 || rc.v == HSA_E_FORMAT)
		wrong(in, HSA_EP11_DATA_LEN_RANGE, HSA_REASON_ATTR_SIZE);
	else if (rc.v == HSA_E_EXISTS)
		wrong(in, HSA_EP11_DATA_INVALID, HSA_REASON_ATTR_REPEATED);
	else if (!hsa_is_ok(rc))
		wrong(in, HSA_EP11_DATA_INVALID, HSA_REASON_ATTR_UNKNOWN);
	else
		in->has_attr = true;
}

static void
read_pattern(struct cu_input *in, const struct tke_admin_request *q)
{
	in->has_pattern = q->input.n == sizeof(in->pattern);
	if (in->has_pattern)
		memcpy(in->pattern, q->input.p, sizeof(in->pattern));
	else
		wrong(in, HSA_EP11_DATA_LEN_RANGE, HSA_REASON_PATTERN_MISMATCH);
}

static void
read_kind(struct cu_input *in, const struct tke_admin_request *q)
{
	uint32_t kind = 0;

	if (q->input.n != 4) {
		wrong(in, HSA_EP11_DATA_LEN_RANGE, HSA_REASON_IMPORTER_KIND);
		return;
	}
	kind = cu_get_be32(q->input.p);
	if (kind != TKE_IMPORTER_RSA2048 && kind != TKE_IMPORTER_P521) {
		wrong(in, HSA_EP11_DATA_INVALID, HSA_REASON_IMPORTER_KIND);
		return;
	}
	in->kind = (enum tke_importer_kind)kind;
	in->has_kind = true;
}

static void
read_points(struct cu_input *in, const struct tke_admin_request *q)
{
	in->has_points = q->input.n == sizeof(in->points);
	if (in->has_points)
		memcpy(in->points, q->input.p, sizeof(in->points));
	else
		wrong(in, HSA_EP11_DATA_LEN_RANGE, HSA_REASON_CPS_SIZE);
}

static bool
same(struct tke_slice a, struct tke_slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Embedded requests of Import WK: what the outer block says, each says. */
static void
check_part(struct cu_input *in, const struct cu_part *p,
    const struct tke_admin_request *q)
{
	if (p->q.command != q->command)
		wrong(in, HSA_EP11_DATA_INVALID, HSA_REASON_EMBEDDED_FUNCTION);
	if (p->q.domain_index != q->domain_index ||
	    !same(p->q.domain, q->domain))
		wrong(in, HSA_EP11_DATA_INVALID, HSA_REASON_EMBEDDED_DOMAIN);
	if (!same(p->q.module, q->module))
		wrong(in, HSA_EP11_DATA_INVALID, HSA_REASON_MODULE_MISMATCH);
	if (!same(p->q.counter, q->counter))
		wrong(in, HSA_EP11_PIN_EXPIRED, HSA_REASON_COUNTER_PASSED);
}

static void
read_parts(struct cu_input *in, const struct tke_admin_request *q)
{
	size_t at = 0, used = 0;

	if (q->input.n == 0)
		wrong(in, HSA_EP11_DATA_LEN_RANGE, HSA_REASON_NO_PARTS);
	while (at < q->input.n) {
		struct cu_part *p = &in->part[in->part_len];

		if (in->part_len == CU_PARTS_MAX) {
			wrong(in, HSA_EP11_DATA_INVALID,
			    HSA_REASON_TOO_MANY_PARTS);
			return;
		}
		if (!hsa_is_ok(tke_admin_request_next(&p->q, &used,
			q->input.p + at, q->input.n - at, NULL))) {
			wrong(
			    in, HSA_EP11_DATA_INVALID, HSA_REASON_EMBEDDED_BER);
			return;
		}
		at += used;
		in->part_len++;
		check_part(in, p, q);
		if (!hsa_is_ok(tke_recipient_parse(
			&p->recipient, p->q.input.p, p->q.input.n)))
			wrong(in, HSA_EP11_DATA_INVALID,
			    HSA_REASON_RECIPIENT_MALFORMED);
	}
}

void
cu_input_read(struct cu_input *in, const struct tke_admin_request *q,
    const struct cu_state *now)
{
	memset(in, 0, sizeof(*in));
	switch (q->command) {
	case TKE_CMD_ADMIN_ADD:
		read_cert(in, q);
		break;
	case TKE_CMD_ADMIN_REMOVE:
		read_ski(in, q);
		break;
	case TKE_CMD_SET_ATTRIBUTES:
		read_attributes(in, q, now);
		break;
	case TKE_CMD_GEN_IMPORTER:
		read_kind(in, q);
		break;
	case TKE_CMD_WK_IMPORT:
		read_parts(in, q);
		break;
	case TKE_CMD_WK_COMMIT:
	case TKE_CMD_WK_FINALIZE:
		read_pattern(in, q);
		break;
	case TKE_CMD_CP_SET:
	case TKE_CMD_CP_ADD:
	case TKE_CMD_CP_DELETE:
		read_points(in, q);
		break;
	default: /* zeroize, clear */
		if (q->input.n != 0)
			wrong(in, HSA_EP11_DATA_LEN_RANGE, 0);
		break;
	}
}
