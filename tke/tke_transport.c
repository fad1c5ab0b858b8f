/* Transport string and CPRB, ep11-tke-wire 3 and 4. */
#include <string.h>

#include "hsa_cur.h"
#include "hsa_hash.h"
#include "tke_wire.h"

#define CPRB_LEN 32
#define CPRB_VERSION 4
#define CPRB_FLAGS 0x80
#define CPRB_SUBTYPE 0x5434 /* "T4" */
#define CPRB_CODES_AT 16
#define CPRB_LENGTH_AT 28

#define STATUS_LEN 156
#define STATUS_TEXT_AT 56
#define STATUS_TEXT_LEN 100
#define STATUS_CODE_LEN 8
#define TYPE_SYNTAX 9

static const char verb[] = "PCI request";
static const char xpnum[] = "XPNUM   ";
static const char blanks[] = "        ";

struct text {
	const char *p;
	size_t n;
};

/* Cut the next ';'-separated field off; false when no field is left. */
static bool
field(struct text *rest, struct text *f)
{
	const char *semi;

	if (rest->p == NULL)
		return false;
	semi = rest->n == 0 ? NULL : memchr(rest->p, ';', rest->n);
	if (semi == NULL) {
		*f = *rest;
		*rest = (struct text){NULL, 0};
		return true;
	}
	*f = (struct text){rest->p, (size_t)(semi - rest->p)};
	*rest = (struct text){semi + 1, rest->n - f->n - 1};
	return true;
}

static bool
is(struct text f, const char *want)
{
	return f.n == strlen(want) && memcmp(f.p, want, f.n) == 0;
}

/* Decimal without sign or leading zeros, below 2^32: one spelling each. */
static bool
decimal(struct text f, uint32_t *v)
{
	uint64_t sum = 0;

	if (f.n == 0 || f.n > 10 || (f.n > 1 && f.p[0] == '0'))
		return false;
	for (size_t i = 0; i < f.n; i++) {
		if (f.p[i] < '0' || f.p[i] > '9')
			return false;
		sum = sum * 10 + (uint64_t)(f.p[i] - '0');
	}
	if (sum > UINT32_MAX)
		return false;
	*v = (uint32_t)sum;
	return true;
}

static bool
digits(struct text f)
{
	for (size_t i = 0; i < f.n; i++)
		if (f.p[i] < '0' || f.p[i] > '9')
			return false;
	return f.n != 0;
}

static hsa_rc
unhex(struct hsa_buf *b, struct text f, struct hsa_diag *diag)
{
	uint8_t *to = hsa_buf_reserve(b, f.n / 2 + 1);
	hsa_rc rc;

	if (to == NULL)
		return HSA_RC(E_NOMEM);
	rc = hsa_unhex(to, f.n / 2, f.p, f.n);
	if (!hsa_is_ok(rc))
		return hsa_fail(diag, rc,
		    "CPRB is not hex: two of the digits 0-9, A-F a byte");
	b->len += f.n / 2;
	return rc;
}

/* The header's own fields and the payload after it, both directions. */
static hsa_rc
cprb_open(struct hsa_cur *payload, uint32_t *domain, uint32_t *codes,
    const struct hsa_buf *b, struct hsa_diag *diag)
{
	struct hsa_cur c = hsa_cur_of(b->p, b->len);
	uint16_t length = 0, spare = 0, subtype = 0;
	uint8_t version = 0, flags = 0;
	uint32_t partition = 0, d = 0, rc_reason = 0, n = 0;
	uint64_t zero = 0;
	hsa_rc rc;

	if (b->len < CPRB_LEN)
		return hsa_fail(diag, HSA_RC(E_TRUNCATED),
		    "CPRB has %zu bytes, fewer than its 32-byte header: send "
		    "the whole CPRB as hex",
		    b->len);
	HSA_TRY(rc, hsa_cur_be16(&c, &length));
	HSA_TRY(rc, hsa_cur_u8(&c, &version));
	HSA_TRY(rc, hsa_cur_be16(&c, &spare));
	HSA_TRY(rc, hsa_cur_u8(&c, &flags));
	HSA_TRY(rc, hsa_cur_be16(&c, &subtype));
	HSA_TRY(rc, hsa_cur_be32(&c, &partition));
	HSA_TRY(rc, hsa_cur_be32(&c, &d));
	HSA_TRY(rc, hsa_cur_be32(&c, &rc_reason));
	HSA_TRY(rc, hsa_cur_be64(&c, &zero));
	HSA_TRY(rc, hsa_cur_be32(&c, &n));
	if (length != CPRB_LEN || version != CPRB_VERSION ||
	    subtype != CPRB_SUBTYPE)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "CPRB header length %u, version %u, subtype %04x: not "
		    "a T4 CPRB; use length 32, version 4, subtype 5434",
		    length, version, subtype);
	if (n > hsa_cur_left(&c))
		return hsa_fail(diag, HSA_RC(E_TRUNCATED),
		    "CPRB says %lu payload bytes but %zu follow: the message "
		    "was cut short",
		    (unsigned long)n, hsa_cur_left(&c));
	if (n < hsa_cur_left(&c))
		return hsa_fail(diag, HSA_RC(E_TRAILING),
		    "CPRB says %lu payload bytes but %zu follow: drop what "
		    "stands after the payload",
		    (unsigned long)n, hsa_cur_left(&c));
	*domain = d;
	*codes = rc_reason;
	*payload = c;
out:
	return rc;
}

/* Everything but the decimal length and the CPRB's content. */
static hsa_rc
request_fields(struct text *hex, uint32_t *module, enum tke_host_error *host,
    struct text rest, struct hsa_diag *diag)
{
	struct text f = {0};

	*host = TKE_HOST_BAD_LENGTH;
	if (!field(&rest, &f) || !is(f, verb))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "second field of the transport string is not \"%s\"", verb);
	if (!field(&rest, &f) || !is(f, xpnum))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "third field of the transport string is not \"%s\" (XPNUM "
		    "padded with blanks to eight characters)",
		    xpnum);
	if (!field(&rest, &f) || !decimal(f, module)) {
		*host = TKE_HOST_MODULE_NUMBER;
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "fourth field of the transport string is no module index: "
		    "send it in decimal without leading zeros");
	}
	*host = TKE_HOST_BAD_LENGTH;
	if (!field(&rest, &f) || !is(f, blanks))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "fifth field of the transport string is not eight blanks");
	if (!field(&rest, hex))
		return hsa_fail(diag, HSA_RC(E_TRUNCATED),
		    "transport string ends before its sixth field, the CPRB "
		    "in hex");
	if (rest.p != NULL)
		return hsa_fail(diag, HSA_RC(E_TRAILING),
		    "transport string has more than six fields");
	return HSA_OK;
}

hsa_rc
tke_request_decode(struct tke_request *q, enum tke_host_error *host,
    const char *text, size_t n, struct hsa_diag *diag)
{
	struct tke_request r = {0};
	struct text rest = {text, n}, f = {0}, hex = {0};
	struct hsa_cur payload = {0};
	uint32_t said = 0, codes = 0;
	hsa_rc rc;

	*host = TKE_HOST_BAD_LENGTH;
	if (n > TKE_TRANSPORT_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "transport string has %zu bytes, the limit is %u", n,
		    TKE_TRANSPORT_MAX);
	if (text == NULL || !field(&rest, &f) || rest.p == NULL ||
	    !decimal(f, &said))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "transport string does not begin with its decimal length "
		    "and a ';'");
	if (said != rest.n + 1) /* the ';' after the number counts */
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "transport string says %lu bytes follow its length, but "
		    "%zu do: count from the first ';' on, that one included",
		    (unsigned long)said, rest.n + 1);
	HSA_TRY(rc, request_fields(&hex, &r.module_index, host, rest, diag));
	if (hex.n % 2 != 0) {
		*host = TKE_HOST_ODD_HEX;
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "CPRB has an odd number of hex digits (%zu)", hex.n);
	}
	*host = TKE_HOST_BAD_HEX;
	HSA_TRY(rc, unhex(&r.cprb, hex, diag));
	*host = TKE_HOST_BAD_LENGTH;
	HSA_TRY(
	    rc, cprb_open(&payload, &r.domain_index, &codes, &r.cprb, diag));
	if (codes != 0) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "bytes 16 to 19 of the CPRB are a reply's codes: zero in "
		    "a request");
		goto out;
	}
	r.payload = (struct tke_slice){payload.p, hsa_cur_left(&payload)};
	*host = TKE_HOST_OK;
	*q = r;
	return rc;
out:
	tke_request_free(&r);
	return rc;
}

void
tke_request_free(struct tke_request *q)
{
	if (q == NULL)
		return;
	hsa_buf_free(&q->cprb);
	*q = (struct tke_request){0};
}

static void
cprb_header(struct hsa_buf *b, uint32_t domain, size_t n)
{
	hsa_buf_be16(b, CPRB_LEN);
	hsa_buf_u8(b, CPRB_VERSION);
	hsa_buf_be16(b, 0);
	hsa_buf_u8(b, CPRB_FLAGS);
	hsa_buf_be16(b, CPRB_SUBTYPE);
	hsa_buf_be32(b, 0);
	hsa_buf_be32(b, domain);
	hsa_buf_be32(b, 0);
	hsa_buf_be64(b, 0);
	hsa_buf_be32(b, (uint32_t)n);
}

/* Requests carry upper-case hex (3), unlike all other hex of the project. */
static void
hex_upper(struct hsa_buf *b, const void *p, size_t n)
{
	size_t at = b->len;

	hsa_buf_hex(b, p, n);
	if (b->failed)
		return;
	for (; at < b->len; at++)
		if (b->p[at] >= 'a')
			b->p[at] = (uint8_t)(b->p[at] - 'a' + 'A');
}

/* The length in front counts body, which begins with its ';'. */
static hsa_rc
put_counted(struct hsa_buf *b, const struct hsa_buf *body)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_buf_rc(body));
	if (body->len > TKE_TRANSPORT_MAX - 8)
		return HSA_RC(E_RANGE);
	hsa_buf_printf(b, "%zu", body->len);
	hsa_buf_put(b, body->p, body->len);
	rc = hsa_buf_rc(b);
out:
	return rc;
}

hsa_rc
tke_request_encode(struct hsa_buf *b, uint32_t module_index,
    uint32_t domain_index, const void *payload, size_t n)
{
	struct hsa_buf header = {0}, body = {0};
	hsa_rc rc;

	if (n > TKE_TRANSPORT_MAX / 2)
		return HSA_RC(E_RANGE);
	cprb_header(&header, domain_index, n);
	HSA_TRY(rc, hsa_buf_rc(&header));
	hsa_buf_printf(&body, ";%s;%s;%lu;%s;", verb, xpnum,
	    (unsigned long)module_index, blanks);
	hex_upper(&body, header.p, header.len);
	hex_upper(&body, payload, n);
	rc = put_counted(b, &body);
out:
	hsa_buf_free(&header);
	hsa_buf_free(&body);
	return rc;
}

/* One fixed-width column of the status: left-justified, blanks after. */
static void
column(char *to, size_t width, const char *text)
{
	size_t n = strnlen(text, width);

	memset(to, ' ', width);
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		/* ';' would end the field, the rest its JSON string */
		if (c == ';')
			c = ',';
		to[i] = (char)(c >= 0x20 && c < 0x7f ? c : '?');
	}
}

hsa_rc
tke_reply_encode(struct hsa_buf *b, const struct tke_request *q,
    const void *payload, size_t n)
{
	char status[STATUS_LEN + 1] = {0};
	struct hsa_buf cprb = {0}, body = {0};
	hsa_rc rc;

	if (q->cprb.len < CPRB_LEN)
		return HSA_RC(E_ARG);
	if (n > TKE_TRANSPORT_MAX / 2)
		return HSA_RC(E_RANGE);
	memset(status, ' ', STATUS_LEN);
	column(status, 2, "00");
	column(status + 2, STATUS_CODE_LEN, "0");
	column(status + 10, STATUS_CODE_LEN, "0");
	hsa_buf_put(&cprb, q->cprb.p, CPRB_CODES_AT);
	hsa_buf_be32(&cprb, 0);
	hsa_buf_put(&cprb, q->cprb.p + CPRB_CODES_AT + 4,
	    CPRB_LENGTH_AT - CPRB_CODES_AT - 4);
	hsa_buf_be32(&cprb, (uint32_t)n);
	HSA_TRY(rc, hsa_buf_rc(&cprb));
	hsa_buf_printf(&body, ";%s;", status);
	hsa_buf_hex(&body, cprb.p, cprb.len);
	hsa_buf_hex(&body, payload, n);
	rc = put_counted(b, &body);
out:
	hsa_buf_free(&cprb);
	hsa_buf_free(&body);
	return rc;
}

hsa_rc
tke_reply_encode_error(
    struct hsa_buf *b, enum tke_host_error code, const char *text)
{
	char status[STATUS_LEN + 1] = {0};
	struct hsa_buf body = {0}, number = {0};
	hsa_rc rc;

	if (code == TKE_HOST_OK)
		return HSA_RC(E_ARG);
	hsa_buf_printf(&number, "%d", (int)code);
	HSA_TRY(rc, hsa_buf_rc(&number));
	memset(status, ' ', STATUS_LEN);
	column(status, 2, "9");
	column(status + 2, STATUS_CODE_LEN, hsa_buf_cstr(&number));
	column(status + 10, STATUS_CODE_LEN, "0");
	column(status + STATUS_TEXT_AT, STATUS_TEXT_LEN, text);
	hsa_buf_printf(&body, ";%s", status);
	rc = put_counted(b, &body);
out:
	hsa_buf_free(&number);
	hsa_buf_free(&body);
	return rc;
}

/* A column without its padding, fit to be shown. */
static void
trimmed(char *to, const char *from, size_t width)
{
	while (width > 0 && from[width - 1] == ' ')
		width--;
	column(to, width, width == 0 ? "" : from);
	to[width] = '\0';
}

static hsa_rc
status_check(struct text status, struct hsa_diag *diag)
{
	char type[3] = {0}, code[STATUS_CODE_LEN + 1] = {0};
	char reason[STATUS_CODE_LEN + 1] = {0}, text[STATUS_TEXT_LEN + 1] = {0};

	if (status.n < STATUS_LEN)
		return hsa_fail(diag, HSA_RC(E_TRUNCATED),
		    "reply's status has %zu characters, not the 156 of a "
		    "transport string: is this a TKE end point?",
		    status.n);
	if (memcmp(status.p, "00", 2) == 0)
		return HSA_OK;
	trimmed(type, status.p, 2);
	trimmed(code, status.p + 2, STATUS_CODE_LEN);
	trimmed(reason, status.p + 10, STATUS_CODE_LEN);
	trimmed(text, status.p + STATUS_TEXT_AT, STATUS_TEXT_LEN);
	return hsa_fail(diag, HSA_RC(E_REMOTE),
	    "host program refused the request: type %s, code %s, reason %s%s%s",
	    type, code, reason, text[0] == '\0' ? "" : ": ", text);
}

hsa_rc
tke_reply_decode(struct hsa_buf *cprb, struct tke_slice *payload,
    const char *text, size_t n, struct hsa_diag *diag)
{
	struct text rest = {text, n}, f = {0}, status = {0}, hex = {0};
	struct hsa_buf b = {0};
	struct hsa_cur in = {0};
	uint32_t domain = 0, codes = 0;
	hsa_rc rc;

	if (n > TKE_TRANSPORT_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "reply has %zu bytes, the limit is %u", n,
		    TKE_TRANSPORT_MAX);
	/* what the number counts is not known of real hosts (3): not used */
	if (text == NULL || !field(&rest, &f) || !digits(f) ||
	    !field(&rest, &status))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "reply is no transport string: it does not begin with a "
		    "number and a ';'");
	HSA_TRY(rc, status_check(status, diag));
	if (!field(&rest, &hex))
		return hsa_fail(diag, HSA_RC(E_TRUNCATED),
		    "reply reports success but holds no CPRB");
	if (rest.p != NULL)
		return hsa_fail(diag, HSA_RC(E_TRAILING),
		    "reply has more than three fields");
	HSA_TRY(rc, unhex(&b, hex, diag));
	HSA_TRY(rc, cprb_open(&in, &domain, &codes, &b, diag));
	if (codes != 0) {
		rc = hsa_fail(diag, HSA_RC(E_REMOTE),
		    "module did not run the request: CPRB return code %lu, "
		    "reason code %lu",
		    (unsigned long)(codes >> 16),
		    (unsigned long)(codes & 0xffffu));
		goto out;
	}
	hsa_buf_free(cprb);
	*cprb = b;
	*payload = (struct tke_slice){in.p, hsa_cur_left(&in)};
	return rc;
out:
	hsa_buf_free(&b);
	return rc;
}
