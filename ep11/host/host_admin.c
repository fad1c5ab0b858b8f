/* host_admin.c - administration of ep11.h. */
#include <stdlib.h>
#include <string.h>
#include "ep11.h"
#include "host_block.h"
#include "host_lib.h"
#include "host_op.h"

/* Bytes of a command block, of its signatures: far above what any has, far
 * below what a request can hold. */
#define BLOCK_MAX 262144u

static CK_RV
rv_of_status(uint32_t status)
{
	switch (status) {
	case 200:
		return CKR_OK;
	case 400:
		return CKR_ARGUMENTS_BAD;
	case 401:
	case 403:
		return CKR_USER_NOT_LOGGED_IN;
	default:
		return CKR_DEVICE_ERROR;
	}
}

static CK_RV
deliver(const struct hsa_block_reply *b, unsigned char *rsp1, size_t *rsp1_len,
    unsigned char *rsp2, size_t *rsp2_len)
{
	const struct host_room one = {rsp1, rsp1_len}, two = {rsp2, rsp2_len};
	CK_RV rv = rv_of_status(b->http_status), rv2 = CKR_OK;

	if (rv != CKR_OK)
		return rv;
	rv = host_out(&one, b->response.p, b->response.len);
	if (rsp2_len != NULL)
		rv2 = host_out(&two, b->signature.p, b->signature.len);
	return rv != CKR_OK ? rv : rv2;
}

CK_RV
m_admin(unsigned char *rsp1, size_t *rsp1_len, unsigned char *rsp2,
    size_t *rsp2_len, const unsigned char *cmd, size_t cmd_len,
    const unsigned char *sigs, size_t sigs_len, target_t target)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_BLOCK};
	struct hsa_unit_reply *r = NULL;
	struct host_lib *l = NULL;
	host_units units = 0;
	CK_RV rv = CKR_HOST_MEMORY;

	if (rsp1 == NULL || rsp1_len == NULL || cmd == NULL ||
	    (rsp2 != NULL && rsp2_len == NULL) || cmd_len > BLOCK_MAX ||
	    (sigs != NULL && sigs_len > BLOCK_MAX))
		return CKR_ARGUMENTS_BAD;
	l = host_lib_get();
	if (l == NULL)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	r = calloc(1, sizeof(*r));
	hsa_buf_put(&q.command, cmd, cmd_len);
	if (sigs != NULL)
		hsa_buf_put(&q.signatures, sigs, sigs_len);
	if (r == NULL || q.command.failed || q.signatures.failed)
		goto out;
	rv = host_lib_units(l, &units, target);
	if (rv == CKR_OK)
		rv = host_lib_request(l, r, &q, units);
	if (rv == CKR_OK)
		rv = deliver(&r->block, rsp1, rsp1_len, rsp2, rsp2_len);
out:
	if (r != NULL)
		hsa_unit_reply_free(r);
	free(r);
	hsa_buf_free(&q.command);
	hsa_buf_free(&q.signatures);
	host_lib_put(l);
	return rv;
}

/* ---- blocks -------------------------------------------------------------- */

static long
block(unsigned char *out, size_t room, const struct host_block *k)
{
	struct hsa_buf b = {0};
	long n = XCP_EMEMORY;

	if (k->payload.n > BLOCK_MAX)
		return XCP_ESIZE;
	host_block_encode(&b, k);
	if (!b.failed)
		n = (long)b.len;
	if (out != NULL && n > 0 && b.len > room)
		n = XCP_ESIZE;
	else if (out != NULL && n > 0)
		memcpy(out, b.p, b.len);
	hsa_buf_free(&b);
	return n;
}

long
xcpa_queryblock(unsigned char *out, size_t room, unsigned int fn,
    target_t domain, const unsigned char *payload, size_t n)
{
	const struct host_block k = {.command = fn | XCP_ADM_QUERY,
	    .domain = (uint32_t)domain,
	    .payload = {payload, payload == NULL ? 0 : n}};

	return block(out, room, &k);
}

long
xcpa_cmdblock(unsigned char *out, size_t room, unsigned int fn,
    const struct XCPadmresp *info, const unsigned char *counter,
    const unsigned char *payload, size_t n)
{
	struct host_block k = {
	    .command = fn, .payload = {payload, payload == NULL ? 0 : n}};

	if (info == NULL)
		return XCP_EARG;
	k.domain = info->domain;
	/* Callers leave all but the domain of these undefined. */
	if (fn != XCP_ADM_REENCRYPT && (fn & XCP_ADM_QUERY) == 0) {
		k.instance = info->domainInst;
		k.module =
		    (struct hsa_slice){info->module, sizeof(info->module)};
		if (counter != NULL)
			k.counter =
			    (struct hsa_slice){counter, XCP_ADMCTR_BYTES};
	}
	return block(out, room, &k);
}

long
xcpa_internal_rv(
    const unsigned char *rsp, size_t n, struct XCPadmresp *info, CK_RV *rv)
{
	struct host_block k = {0};

	if (rsp == NULL || info == NULL)
		return XCP_EARG;
	if (!hsa_is_ok(host_block_decode(&k, rsp, n)))
		return XCP_ERESPONSE;
	*info = (struct XCPadmresp){.fn = k.command,
	    .domain = k.domain,
	    .domainInst = k.instance,
	    .rv = k.rv,
	    .reason = k.reason,
	    .payload = k.payload.n == 0 ? NULL : k.payload.p,
	    .pllen = k.payload.n};
	if (k.module.n > 0) {
		memcpy(info->module, k.module.p, sizeof(info->module));
		memcpy(info->modNr, k.module.p, sizeof(info->modNr));
		memcpy(info->modInst, k.module.p + sizeof(info->modNr),
		    sizeof(info->modInst));
	}
	if (k.counter.n > 0)
		memcpy(info->tctr, k.counter.p, sizeof(info->tctr));
	if (rv != NULL)
		*rv = k.rv;
	return 0;
}
