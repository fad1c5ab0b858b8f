/* Administrative requests and answers, ep11-tke-wire 5.3 and 5.4. */
#include <string.h>

#include "tke_der.h"
#include "tke_wire.h"

static hsa_rc
request_block(struct tke_admin_request *r, struct hsa_diag *diag)
{
	struct hsa_cur all = hsa_cur_of(r->block.p, r->block.n), in = {0};
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, tke_der_u32(&in, &r->command));
	HSA_TRY(rc, tke_der_value(&in, &r->domain, TKE_DER_OCTETS));
	HSA_TRY(rc, tke_der_value(&in, &r->module, TKE_DER_OCTETS));
	HSA_TRY(rc, tke_der_value(&in, &r->counter, TKE_DER_OCTETS));
	HSA_TRY(rc, tke_der_value(&in, &r->input, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(&in));
	return rc;
out:
	return hsa_fail(diag, rc,
	    "admin block is malformed (%s): send a SEQUENCE of five OCTET "
	    "STRINGs, command(4), domain, module, counter, input",
	    hsa_err_text(rc));
}

hsa_rc
tke_admin_request_next(struct tke_admin_request *q, size_t *used, const void *p,
    size_t n, struct hsa_diag *diag)
{
	struct hsa_cur all = hsa_cur_of(p, n), in = {0};
	struct tke_admin_request r = {0};
	uint32_t fn = 0;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, tke_der_u32(&in, &fn));
	HSA_TRY(rc, tke_der_u32(&in, &r.domain_index));
	HSA_TRY(rc, tke_der_value(&in, &r.block, TKE_DER_OCTETS));
	HSA_TRY(rc, tke_der_value(&in, &r.signatures, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(&in));
	if (fn != TKE_FN_ADMIN)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "function %08lx is not an administrative request "
		    "(00010029)",
		    (unsigned long)fn);
	rc = request_block(&r, diag);
	if (!hsa_is_ok(rc))
		return rc;
	*used = n - hsa_cur_left(&all);
	*q = r;
	return rc;
out:
	return hsa_fail(diag, rc,
	    "administrative request is malformed (%s): send a SEQUENCE of "
	    "four OCTET STRINGs, function(4), domain index(4), block, "
	    "signatures",
	    hsa_err_text(rc));
}

hsa_rc
tke_admin_request_decode(
    struct tke_admin_request *q, const void *p, size_t n, struct hsa_diag *diag)
{
	struct tke_admin_request r = {0};
	size_t used = 0;
	hsa_rc rc;

	HSA_TRY(rc, tke_admin_request_next(&r, &used, p, n, diag));
	if (used != n)
		return hsa_fail(diag, HSA_RC(E_TRAILING),
		    "%zu bytes follow the administrative request: send one "
		    "request at a time",
		    n - used);
	*q = r;
out:
	return rc;
}

hsa_rc
tke_admin_block_encode(struct hsa_buf *b, uint32_t command,
    struct tke_slice domain, struct tke_slice module, struct tke_slice counter,
    struct tke_slice input)
{
	size_t at = b->len;

	tke_der_put_u32(b, command);
	tke_der_put(b, TKE_DER_OCTETS, domain.p, domain.n);
	tke_der_put(b, TKE_DER_OCTETS, module.p, module.n);
	tke_der_put(b, TKE_DER_OCTETS, counter.p, counter.n);
	tke_der_put(b, TKE_DER_OCTETS, input.p, input.n);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}

hsa_rc
tke_admin_request_encode(struct hsa_buf *b, uint32_t domain_index,
    struct tke_slice block, struct tke_slice signatures)
{
	size_t at = b->len;

	tke_der_put_u32(b, TKE_FN_ADMIN);
	tke_der_put_u32(b, domain_index);
	tke_der_put(b, TKE_DER_OCTETS, block.p, block.n);
	tke_der_put(b, TKE_DER_OCTETS, signatures.p, signatures.n);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}

/* Unlike a unit, a client has no one to tell: sizes are checked here. */
static hsa_rc
reply_block(struct tke_admin_reply *r)
{
	struct hsa_cur all = hsa_cur_of(r->block.p, r->block.n), in = {0};
	struct hsa_cur reason = {0};
	const uint8_t *domain = NULL, *module = NULL, *counter = NULL;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, tke_der_u32(&in, &r->command));
	HSA_TRY(
	    rc, tke_der_fixed(&in, &domain, TKE_DER_OCTETS, TKE_DOMAIN_LEN));
	HSA_TRY(
	    rc, tke_der_fixed(&in, &module, TKE_DER_OCTETS, TKE_MODULE_LEN));
	HSA_TRY(
	    rc, tke_der_fixed(&in, &counter, TKE_DER_OCTETS, TKE_COUNTER_LEN));
	HSA_TRY(rc, tke_der_u32(&in, &r->rc));
	HSA_TRY(rc, tke_der_value(&in, &r->output, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(&in));
	r->domain = (struct tke_slice){domain, TKE_DOMAIN_LEN};
	r->module = (struct tke_slice){module, TKE_MODULE_LEN};
	r->counter = (struct tke_slice){counter, TKE_COUNTER_LEN};
	if (r->rc != 0) {
		reason = hsa_cur_of(r->output.p, r->output.n);
		if (!hsa_is_ok(hsa_cur_be32(&reason, &r->reason)))
			r->reason = UINT32_MAX;
	}
out:
	return rc;
}

/*
 * An envelope that reports an error has three fields, or all five with the
 * last two meaningless (5.4).
 */
static hsa_rc
reply_envelope(struct tke_admin_reply *r, struct hsa_cur *in)
{
	struct tke_slice block = {0}, signature = {0};
	hsa_rc rc;

	if (r->envelope_rc != 0 && hsa_cur_left(in) == 0)
		return HSA_OK;
	HSA_TRY(rc, tke_der_value(in, &block, TKE_DER_OCTETS));
	HSA_TRY(rc, tke_der_value(in, &signature, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(in));
	if (r->envelope_rc != 0)
		return rc;
	r->block = block;
	r->signature = signature;
	rc = reply_block(r);
out:
	return rc;
}

hsa_rc
tke_admin_reply_decode(
    struct tke_admin_reply *q, const void *p, size_t n, struct hsa_diag *diag)
{
	struct hsa_cur all = hsa_cur_of(p, n), in = {0};
	struct tke_admin_reply r = {0};
	uint32_t fn = 0;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, tke_der_u32(&in, &fn));
	HSA_TRY(rc, tke_der_u32(&in, &r.domain_index));
	HSA_TRY(rc, tke_der_u32(&in, &r.envelope_rc));
	if (fn != TKE_FN_ADMIN)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "reply answers function %08lx, not an administrative "
		    "request (00010029)",
		    (unsigned long)fn);
	if (r.envelope_rc != 0)
		r.reason = UINT32_MAX;
	HSA_TRY(rc, reply_envelope(&r, &in));
	*q = r;
	return rc;
out:
	return hsa_fail(diag, rc,
	    "module's answer is malformed (%s): is the unit of a version this "
	    "program knows?",
	    hsa_err_text(rc));
}

hsa_rc
tke_admin_reply_block_encode(struct hsa_buf *b, uint32_t command,
    const uint8_t domain[TKE_DOMAIN_LEN], const uint8_t module[TKE_MODULE_LEN],
    const uint8_t counter[TKE_COUNTER_LEN], uint32_t rc,
    struct tke_slice output)
{
	size_t at = b->len;

	tke_der_put_u32(b, command);
	tke_der_put(b, TKE_DER_OCTETS, domain, TKE_DOMAIN_LEN);
	tke_der_put(b, TKE_DER_OCTETS, module, TKE_MODULE_LEN);
	tke_der_put(b, TKE_DER_OCTETS, counter, TKE_COUNTER_LEN);
	tke_der_put_u32(b, rc);
	tke_der_put(b, TKE_DER_OCTETS, output.p, output.n);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}

hsa_rc
tke_admin_reply_encode(struct hsa_buf *b, uint32_t domain_index,
    struct tke_slice block, struct tke_slice signature)
{
	size_t at = b->len;

	tke_der_put_u32(b, TKE_FN_ADMIN);
	tke_der_put_u32(b, domain_index);
	tke_der_put_u32(b, 0);
	tke_der_put(b, TKE_DER_OCTETS, block.p, block.n);
	tke_der_put(b, TKE_DER_OCTETS, signature.p, signature.n);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}

hsa_rc
tke_admin_reply_encode_rc(struct hsa_buf *b, uint32_t domain_index, uint32_t rc)
{
	size_t at = b->len;

	if (rc == 0)
		return HSA_RC(E_ARG);
	tke_der_put_u32(b, TKE_FN_ADMIN);
	tke_der_put_u32(b, domain_index);
	tke_der_put_u32(b, rc);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}
