/* Unsigned queries: ep11-tke-wire 5.2, 7.4, 9. They leave no record. */
#include <string.h>
#include <time.h>

#include "cu_core.h"
#include "hsa_hash.h"

#define MODULE_INFO_LEN 196
#define API_ORDINAL 4

static void
refuse(uint32_t *rc, uint32_t *reason, uint32_t code, uint32_t why)
{
	*rc = code;
	*reason = why;
}

static void
admins(uint32_t *rc, uint32_t *reason, struct hsa_buf *out, struct tke_slice in,
    const struct cu_state *s)
{
	size_t i = 0;

	if (in.n == 0) {
		for (i = 0; i < s->admin_len; i++)
			hsa_buf_put(out, s->admin[i].ski, TKE_SKI_LEN);
		return;
	}
	if (in.n != TKE_SKI_LEN) {
		refuse(rc, reason, HSA_EP11_DATA_INVALID,
		    HSA_REASON_SKI_MALFORMED);
		return;
	}
	i = cu_state_admin(s, in.p);
	if (i == s->admin_len)
		refuse(rc, reason, HSA_EP11_DATA_INVALID,
		    HSA_REASON_SKI_NOT_FOUND);
	else
		hsa_buf_put(out, s->admin[i].cert, s->admin[i].cert_len);
}

static void
device_cert(const struct cu_unit *u, uint32_t *rc, uint32_t *reason,
    struct hsa_buf *out, struct tke_slice in)
{
	uint32_t index = 0;

	if (in.n == 0) {
		hsa_buf_be32(out, (uint32_t)u->id.oa_cert_len);
		return;
	}
	if (in.n != 4) {
		refuse(rc, reason, HSA_EP11_DATA_LEN_RANGE,
		    HSA_REASON_OA_INDEX_SIZE);
		return;
	}
	index = cu_get_be32(in.p);
	if (index >= u->id.oa_cert_len)
		refuse(rc, reason, HSA_EP11_KEY_HANDLE_INVALID,
		    HSA_REASON_OA_INDEX_RANGE);
	else
		hsa_buf_put(
		    out, u->id.oa_cert[index], sizeof(u->id.oa_cert[index]));
}

/* The pattern alone: nothing else of a register is for showing. Which layout
 * the module has is not public; parts stand back to back. */
static void
wrapping_key(uint32_t *rc, uint32_t *reason, struct hsa_buf *out,
    const struct cu_register *r, uint32_t missing, bool parts)
{
	if (r->fill == CU_EMPTY)
		refuse(rc, reason, HSA_EP11_KEY_NEEDED, missing);
	else if (parts)
		hsa_buf_put(
		    out, r->part_id, r->part_len * sizeof(r->part_id[0]));
	else
		hsa_buf_put(out, r->pattern, sizeof(r->pattern));
}

static void
domain_state(uint32_t *rc, uint32_t *reason, struct hsa_buf *out,
    uint32_t query, const struct cu_state *s)
{
	switch (query) {
	case TKE_QUERY_DOMAIN_CONTROL_POINTS:
		hsa_buf_put(out, s->control_points, sizeof(s->control_points));
		return;
	case TKE_QUERY_CURRENT_WK:
		wrapping_key(
		    rc, reason, out, &s->current, HSA_REASON_WK_MISSING, false);
		return;
	case TKE_QUERY_NEXT_WK:
		wrapping_key(rc, reason, out, &s->pending,
		    HSA_REASON_PENDING_MISSING, false);
		return;
	case TKE_QUERY_WK_ORIGINS:
		wrapping_key(
		    rc, reason, out, &s->current, HSA_REASON_WK_MISSING, true);
		return;
	case TKE_QUERY_DOMAIN_ATTRIBUTES:
		tke_attributes_encode_all(out, &s->attr);
		return;
	default:
		refuse(rc, reason, HSA_EP11_FUNCTION_NOT_SUPPORTED,
		    HSA_REASON_UNKNOWN_COMMAND);
		return;
	}
}

void
cu_query_admin(const struct cu_unit *u, uint32_t *rc, uint32_t *reason,
    struct hsa_buf *out, const struct tke_admin_request *q,
    const struct cu_state *s)
{
	refuse(rc, reason, HSA_EP11_OK, 0);
	if (q->domain_index != u->id.domain_index) {
		refuse(rc, reason, HSA_EP11_SLOT_ID_INVALID,
		    HSA_REASON_DOMAIN_RANGE);
		return;
	}
	switch (q->command) {
	case TKE_QUERY_DOMAIN_ADMINS:
		admins(rc, reason, out, q->input, s);
		return;
	case TKE_QUERY_DEVICE_CERT:
		device_cert(u, rc, reason, out, q->input);
		return;
	default:
		break;
	}
	domain_state(rc, reason, out, q->command, s);
	if (*rc != HSA_EP11_FUNCTION_NOT_SUPPORTED && q->input.n != 0) {
		hsa_buf_reset(out);
		refuse(rc, reason, HSA_EP11_DATA_LEN_RANGE, 0);
	}
}

/* ---- get_xcp_info -------------------------------------------------------- */

static hsa_rc
module_info(
    const struct cu_unit *u, struct hsa_buf *out, const struct cu_state *s)
{
	static const char program[] = "cryptounit " HSA_VERSION;
	uint8_t info[MODULE_INFO_LEN] = {0};
	uint64_t now = u->clock->wall_ns(u->clock->ctx) / 1000000000u;
	time_t t = (time_t)now;
	struct tm tm = {0};
	char utc[17] = {0};
	hsa_rc rc;

	cu_be32(info, API_ORDINAL);
	HSA_TRY(rc, hsa_sha256(info + 12, program, sizeof(program) - 1));
	memcpy(info + 4, info + 12, 4); /* firmware id: of its hash */
	info[8] = API_ORDINAL;
	info[10] = 1;
	memcpy(info + 44, info + 12, HSA_SHA256_LEN); /* one program is all */
	memcpy(info + 76, info + 12, HSA_SHA256_LEN);
	memcpy(info + 108, s->serial, CU_SERIAL_LEN);
	memcpy(info + 116, s->module_instance, CU_INSTANCE_LEN);
	(void)gmtime_r(&t, &tm);
	(void)strftime(utc, sizeof(utc), "%Y%m%d%H%M%S00", &tm);
	memcpy(info + 124, utc, 16);
	hsa_buf_put(out, info, sizeof(info));
out:
	return rc;
}

uint32_t
cu_domain_flags(const struct cu_state *s)
{
	uint32_t flags = 0;

	if (s->admin_len > 0)
		flags |= TKE_DOMINFO_ADMINS;
	if (s->current.fill != CU_EMPTY)
		flags |= TKE_DOMINFO_CURRENT;
	if (s->pending.fill != CU_EMPTY)
		flags |= TKE_DOMINFO_PENDING;
	if (s->pending.fill == CU_COMMITTED)
		flags |= TKE_DOMINFO_COMMITTED;
	if (s->attr.signature_threshold > 0)
		flags |= TKE_DOMINFO_LEFT_IMPRINT;
	return flags;
}

static void
domain_info(
    const struct cu_unit *u, struct hsa_buf *out, const struct cu_state *s)
{
	uint8_t bytes[TKE_DOMINFO_LEN] = {0};
	struct tke_domain_info i = {
	    .domain_index = u->id.domain_index,
	    .flags = cu_domain_flags(s),
	    .operational_mode = s->attr.operational_mode,
	    .standards = s->attr.standards,
	};

	memcpy(i.current, s->current.pattern, sizeof(i.current));
	memcpy(i.pending, s->pending.pattern, sizeof(i.pending));
	tke_domain_info_encode(bytes, &i);
	hsa_buf_put(out, bytes, sizeof(bytes));
}

hsa_rc
cu_query_info(const struct cu_unit *u, uint32_t *rc, struct hsa_buf *out,
    uint32_t subtype, const struct cu_state *s)
{
	*rc = HSA_EP11_OK;
	switch (subtype) {
	case TKE_XCP_INFO_MODULE:
		return module_info(u, out, s);
	case TKE_XCP_INFO_DOMAIN:
		domain_info(u, out, s);
		return HSA_OK;
	default:
		*rc = HSA_EP11_FUNCTION_NOT_SUPPORTED;
		return HSA_OK;
	}
}
