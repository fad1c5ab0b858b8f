/*
 * get_xcp_info as the host library asks: structures in native layout and byte
 * order (ep11-host-api 6.1, 18.2). The transport's own, big-endian, is
 * cu_query_info. Where the public facts give a name and no layout, the layout
 * is ours and the comment says so.
 */
#include <string.h>
#include <time.h>

#include "cu_core.h"
#include "ep11_login.h"
#include "ep11_mech.h"
#include "ep11_state.h"
#include "hsa_hash.h"

enum {
	QUERY_API = 0,
	QUERY_MODULE = 1,
	QUERY_DOMAINS = 2,
	QUERY_DOMAIN = 3,
	QUERY_SELFTEST = 4,
	QUERY_CAPABILITY_COUNT = 5,
	QUERY_CAPABILITIES = 6,
	QUERY_CURVES = 10,
	QUERY_COMPLIANCE = 11,
	QUERY_CURVE_GROUPS = 12,
	QUERY_NEVER_POINTS = 13,
	QUERY_PQC = 14
};

/*
 * Hosts decide by API ordinal and firmware version what to offer (9.1): new
 * enough for all that the engine serves (re-encryption in one call), below
 * what they would take for granted that it does not.
 */
#define API_ORDINAL 4u
#define FIRMWARE_MAJOR 8
#define FIRMWARE_MINOR 9
#define PIN_BLOCK_LEN 80u
#define RAW_KEY_MAX 256u

struct module_v0 {
	CK_ULONG api, firmware_id;
	CK_VERSION firmware, csp;
	uint8_t firmware_hash[32], xcp_hash[32], csp_hash[32];
	uint8_t serial[16], utc[16];
	CK_ULONG mode2, mode1, flags, extended, domains;
	CK_ULONG symm_state, digest_state, pin_block;
	CK_ULONG symm_key, spki, private_key;
	CK_ULONG payload, cp_profile, control_points;
};
struct description {
	char manufacturer[32], model[16];
};
struct attr_masks {
	uint8_t permissions[8], infrastructure[8], compliance[8];
};
struct attr_counts {
	uint8_t permissions, infrastructure, compliance;
};
struct module_v1 {
	struct module_v0 v0;
	struct description text;
	uint8_t functions[16], function_count;
	struct attr_masks mask;
	struct attr_counts count;
};
struct module_v2 {
	struct module_v0 v0;
	struct description text;
	uint8_t functions[16], function_count;
	struct attr_masks mask;
	struct attr_counts count;
	uint8_t extension[8], extension_count;
};

/* Attribute bits that a domain here knows (ep11-tke-wire 10.2; compliance:
 * ep11-host-api 18.4), as 64-bit big-endian numbers: our layout. */
#define PERMISSIONS 0x81ff207fu
#define COMPLIANCE 0x000001cfu

static void
mask64(uint8_t to[8], uint32_t v)
{
	memset(to, 0, 4);
	cu_be32(to + 4, v);
}

static uint8_t
bits_in(const uint8_t *p, size_t n)
{
	uint8_t k = 0;

	for (size_t i = 0; i < 8 * n; i++)
		k = (uint8_t)(k + (p[i / 8] >> (7 - i % 8) & 1));
	return k;
}

static void
padded(char *to, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		to[i] = ' ';
		if (*text != '\0')
			to[i] = *text++;
	}
}

static void
describe(struct description *d)
{
	padded(d->manufacturer, sizeof(d->manufacturer), "cryptounit");
	padded(d->model, sizeof(d->model), "SoftHSM " HSA_VERSION);
}

/* The functions of the engine, and the two that the unit itself answers:
 * get_xcp_info (38) and admin (41). */
static void
functions(uint8_t mask[16])
{
	ep11_engine_functions(mask);
	mask[38 / 8] |= 0x80u >> 38 % 8;
	mask[41 / 8] |= 0x80u >> 41 % 8;
}

static hsa_rc
module_v0(
    struct module_v0 *m, const struct cu_unit *u, const struct cu_state *s)
{
	static const char program[] = "cryptounit " HSA_VERSION;
	time_t t = (time_t)(u->clock->wall_ns(u->clock->ctx) / 1000000000u);
	struct tm tm = {0};
	char utc[17] = {0};
	hsa_rc rc;

	m->api = API_ORDINAL;
	m->firmware.major = FIRMWARE_MAJOR;
	m->firmware.minor = FIRMWARE_MINOR;
	m->csp.major = 1;
	HSA_TRY(rc, hsa_sha256(m->firmware_hash, program, sizeof(program) - 1));
	/* one program is all */
	memcpy(m->xcp_hash, m->firmware_hash, sizeof(m->xcp_hash));
	memcpy(m->csp_hash, m->firmware_hash, sizeof(m->csp_hash));
	m->firmware_id = cu_get_be32(m->firmware_hash);
	memcpy(m->serial, s->serial, CU_SERIAL_LEN);
	memcpy(m->serial + CU_SERIAL_LEN, s->module_instance, CU_INSTANCE_LEN);
	(void)gmtime_r(&t, &tm);
	(void)strftime(utc, sizeof(utc), "%Y%m%d%H%M%S00", &tm);
	memcpy(m->utc, utc, sizeof(m->utc));
	m->flags = CKF_RNG | CKF_CLOCK_ON_TOKEN;
	m->domains = 1;
	m->symm_state = EP11_STATE_MAX;
	m->digest_state = EP11_STATE_DIGEST_MAX;
	m->pin_block = PIN_BLOCK_LEN;
	m->symm_key = RAW_KEY_MAX;
	m->spki = HSA_BLOB_MAX;
	m->private_key = HSA_BLOB_MAX;
	m->payload = HSA_CALL_DATA_MAX;
	m->cp_profile = EP11_CP_LEN;
	m->control_points = EP11_CP_LAST;
out:
	return rc;
}

static void
put_mask_bits(struct hsa_buf *out, const uint8_t mask[8])
{
	for (uint8_t bit = 0; bit < 64; bit++)
		if ((mask[7 - bit / 8] >> bit % 8 & 1) != 0)
			hsa_buf_u8(out, bit);
}

static hsa_rc
module_info(uint32_t *rv, struct hsa_buf *out, const struct cu_unit *u,
    const struct cu_state *s, uint32_t sub)
{
	struct module_v2 m;
	struct module_v1 v1;
	hsa_rc rc;

	memset(&m, 0, sizeof(m));
	memset(&v1, 0, sizeof(v1));
	HSA_TRY(rc, module_v0(&m.v0, u, s));
	describe(&m.text);
	functions(m.functions);
	m.function_count = bits_in(m.functions, sizeof(m.functions));
	mask64(m.mask.permissions, PERMISSIONS);
	mask64(m.mask.compliance, COMPLIANCE);
	m.count.permissions =
	    bits_in(m.mask.permissions, sizeof(m.mask.permissions));
	m.count.compliance =
	    bits_in(m.mask.compliance, sizeof(m.mask.compliance));
	switch (sub) {
	case 0:
		hsa_buf_put(out, &m.v0, sizeof(m.v0));
		break;
	case 1:
		hsa_buf_put(out, &m.text, sizeof(m.text));
		break;
	case 2:
		hsa_buf_put(out, m.functions, sizeof(m.functions));
		break;
	case 3:
		hsa_buf_u8(out, m.function_count);
		break;
	case 4:
		v1.v0 = m.v0;
		v1.text = m.text;
		memcpy(v1.functions, m.functions, sizeof(v1.functions));
		v1.function_count = m.function_count;
		v1.mask = m.mask;
		v1.count = m.count;
		hsa_buf_put(out, &v1, sizeof(v1));
		break;
	case 5: /* masks as in a version 2, then the extension's */
		hsa_buf_put(out, &m.mask, sizeof(m.mask));
		hsa_buf_put(out, m.extension, sizeof(m.extension));
		break;
	case 6: /* numbers of the bits of those masks, one byte each */
		put_mask_bits(out, m.mask.permissions);
		put_mask_bits(out, m.mask.infrastructure);
		put_mask_bits(out, m.mask.compliance);
		put_mask_bits(out, m.extension);
		break;
	case 7:
		hsa_buf_put(out, &m, sizeof(m));
		break;
	case 8:
		hsa_buf_put(out, &m.count, sizeof(m.count));
		hsa_buf_u8(out, m.extension_count);
		break;
	default:
		*rv = CKR_ARGUMENTS_BAD;
		break;
	}
out:
	return rc;
}

struct domain {
	CK_ULONG index;
	uint8_t current[32], next[32];
	CK_ULONG flags;
	uint8_t mode[8];
};

static void
domain_info(
    struct hsa_buf *out, const struct cu_unit *u, const struct cu_state *s)
{
	struct domain d;

	memset(&d, 0, sizeof(d));
	d.index = u->id.domain_index;
	memcpy(d.current, s->current.pattern, sizeof(d.current));
	memcpy(d.next, s->pending.pattern, sizeof(d.next));
	d.flags = cu_domain_flags(s);
	cu_be32(d.mode, s->attr.operational_mode);
	cu_be32(d.mode + 4, s->attr.standards);
	hsa_buf_put(out, &d, sizeof(d));
}

static void
put_u32(struct hsa_buf *out, uint32_t v)
{
	hsa_buf_put(out, &v, sizeof(v));
}

/* ---- what the engine can do ---------------------------------------------- */

/* Number and value, host order. Of audit (2, 3) and logins beyond the plain
 * form (18 to 23) there is nothing to tell; 16: outbound authentication by
 * P-521, kind 2. */
#define CAPABILITIES 11u

static void
capabilities(struct hsa_buf *out, const struct cu_unit *u)
{
	struct ep11_engine_stats st = {0};
	uint32_t logins = 0;

	if (u->engine != NULL) {
		ep11_engine_stats(u->engine, &st);
		logins = EP11_LOGINS_MAX;
	}
	const uint32_t all[CAPABILITIES][2] = {
	    {4, 0},                 /* debug level */
	    {5, 0},                 /* error-inject frequency */
	    {6, 0},                 /* sub-fields of multi-data requests */
	    {7, 0},                 /* import and export of state */
	    {8, CU_ADMIN_CERT_MAX}, /* largest certificate */
	    {9, 0},                 /* module-internal counters */
	    {12, logins},           /* sessions, at most */
	    {13, logins - (uint32_t)st.logins}, /* and left */
	    {14, 0},                            /* BTC */
	    {15, 0},                            /* other EC signatures */
	    {16, 2},
	};

	hsa_buf_put(out, all, sizeof(all));
}

/* 18.7: number n is in byte (n - 1) / 8, top bit first, as for query 14;
 * group: 1 NIST, 2 Brainpool, 4 secp256k1, 8 curve 25519, 0x20 curve 448. */
static const struct {
	uint8_t number;
	uint32_t group;
	CK_MECHANISM_TYPE needs; /* served when the engine has it */
} curves[] = {
    {1, 1, CKM_ECDSA},
    {2, 1, CKM_ECDSA},
    {3, 1, CKM_ECDSA},
    {4, 1, CKM_ECDSA},
    {5, 1, CKM_ECDSA},
    {6, 2, CKM_ECDSA},
    {7, 2, CKM_ECDSA},
    {8, 2, CKM_ECDSA},
    {9, 2, CKM_ECDSA},
    {10, 2, CKM_ECDSA},
    {11, 2, CKM_ECDSA},
    {12, 2, CKM_ECDSA},
    {13, 2, CKM_ECDSA},
    {14, 2, CKM_ECDSA},
    {15, 2, CKM_ECDSA},
    {16, 2, CKM_ECDSA},
    {17, 2, CKM_ECDSA},
    {18, 2, CKM_ECDSA},
    {19, 2, CKM_ECDSA},
    {23, 4, CKM_ECDSA},
    {20, 8, CKM_IBM_EC_X25519},
    {26, 8, CKM_IBM_ED25519_SHA512},
    {24, 0x20, CKM_IBM_ED448_SHA3},
    {25, 0x20, CKM_IBM_EC_X448},
};

static void
curve_info(struct hsa_buf *out, bool groups)
{
	uint8_t mask[4] = {0};
	uint32_t group = 0;

	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		unsigned int bit = curves[i].number - 1u;

		if (ep11_mech_find(curves[i].needs) == NULL)
			continue;
		mask[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
		group |= curves[i].group;
	}
	if (groups)
		put_u32(out, group);
	else
		hsa_buf_put(out, mask, sizeof(mask));
}

/* ---- all queries --------------------------------------------------------- */

static void
count(struct cu_unit *u, uint32_t query)
{
	cu_unit_count(u, query == QUERY_MODULE   ? CU_STAT_QUERY_MODULE_INFO
			 : query == QUERY_DOMAIN ? CU_STAT_QUERY_DOMAIN_INFO
						 : CU_STAT_QUERY_INFO);
}

static void
small(uint32_t *rv, struct hsa_buf *out, const struct cu_unit *u,
    const struct cu_state *s, uint32_t query)
{
	static const uint8_t none[4];
	CK_ULONG standards = s->attr.standards;
	uint8_t never[EP11_CP_LEN];

	switch (query) {
	case QUERY_CAPABILITY_COUNT:
		put_u32(out, CAPABILITIES);
		break;
	case QUERY_CAPABILITIES:
		capabilities(out, u);
		break;
	case QUERY_CURVES:
	case QUERY_CURVE_GROUPS:
		curve_info(out, query == QUERY_CURVE_GROUPS);
		break;
	case QUERY_COMPLIANCE: /* of the one domain: our layout */
		hsa_buf_put(out, &standards, sizeof(standards));
		break;
	case QUERY_NEVER_POINTS:
		ep11_cp_impossible(never);
		hsa_buf_put(out, never, sizeof(never));
		break;
	case QUERY_PQC:
		hsa_buf_put(out, none, sizeof(none));
		break;
	default: /* audit log (8), login importer (15), and what never was */
		*rv = CKR_FUNCTION_NOT_SUPPORTED;
		break;
	}
}

hsa_rc
cu_unit_info(struct cu_unit *u, uint32_t *rv, struct hsa_buf *out,
    uint32_t query, uint32_t subquery)
{
	struct module_v0 m;
	struct cu_state s;
	CK_ULONG n = 0;
	hsa_rc rc = HSA_OK;

	count(u, query);
	cu_unit_view(u, &s);
	*rv = CKR_OK;
	switch (query) {
	case QUERY_API:
		memset(&m, 0, sizeof(m));
		HSA_TRY(rc, module_v0(&m, u, &s));
		hsa_buf_put(out, &m.api, sizeof(m.api));
		hsa_buf_put(out, &m.firmware_id, sizeof(m.firmware_id));
		break;
	case QUERY_MODULE:
		HSA_TRY(rc, module_info(rv, out, u, &s, subquery));
		break;
	case QUERY_DOMAINS: /* index and pattern of each: our layout */
		n = u->id.domain_index;
		hsa_buf_put(out, &n, sizeof(n));
		hsa_buf_put(out, s.current.pattern, sizeof(s.current.pattern));
		break;
	case QUERY_DOMAIN:
		domain_info(out, u, &s);
		break;
	case QUERY_SELFTEST:
		*rv = cu_selftest(u, subquery);
		cu_selftest_told(u, *rv, subquery);
		break;
	case HSA_INFO_LOCATION:
		hsa_buf_be32(out, u->id.module_index);
		hsa_buf_be32(out, u->id.domain_index);
		break;
	default:
		small(rv, out, u, &s, query);
		break;
	}
	rc = hsa_buf_rc(out);
out:
	return rc;
}
