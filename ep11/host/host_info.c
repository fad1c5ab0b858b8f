/* host_info.c - information of ep11.h: about the library, a unit, mechanisms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ep11.h"
#include "host_lib.h"
#include "host_op.h"

#define TEXT "libep11 of cryptounit " HSA_VERSION

/*
 * The version claimed decides what opencryptoki's token believes to be there
 * (ep11-host-api 9.1): 4.0.0 has what units here serve, and not yet what they
 * do not: extended logins of 4.1.0, BLS of 4.1.2, ML-DSA and ML-KEM of 4.2.0.
 */
#define VERSION 0x040000u

#define QUERY_COUNT 0xff000000u        /* of the queries after this one */
#define QUERY_VERSION 0xff000001u      /* VERSION */
#define QUERY_VERSION_HASH 0xff000002u /* of TEXT: one per version */
#define QUERY_DIAGNOSTICS 0xff000003u  /* 0: none */
#define QUERY_TEXT 0xff000004u
#define QUERY_TARGET_MODES 0xff000005u    /* 1: groups */
#define QUERY_ECDH_PARAMETERS 0xff000006u /* 0: a bare point does as well */

static bool
about_us(struct hsa_buf *b, unsigned int query)
{
	uint8_t hash[HSA_SHA256_LEN] = {0};
	uint32_t v = 0;

	switch (query) {
	case QUERY_COUNT:
		v = QUERY_ECDH_PARAMETERS - QUERY_COUNT;
		break;
	case QUERY_VERSION:
		v = VERSION;
		break;
	case QUERY_VERSION_HASH:
		if (!hsa_is_ok(hsa_sha256(hash, TEXT, strlen(TEXT))))
			return false;
		hsa_buf_put(b, hash, sizeof(hash));
		return true;
	case QUERY_DIAGNOSTICS:
	case QUERY_ECDH_PARAMETERS:
		v = 0;
		break;
	case QUERY_TEXT:
		hsa_buf_str(b, TEXT);
		return true;
	case QUERY_TARGET_MODES:
		v = 1;
		break;
	default:
		return false;
	}
	hsa_buf_put(b, &v, sizeof(v));
	return true;
}

static CK_RV
about_unit(
    struct hsa_buf *b, unsigned int query, unsigned int sub, target_t target)
{
	struct hsa_unit_request q = {
	    .kind = HSA_UNIT_INFO, .query = query, .subquery = sub};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	struct host_lib *l = host_lib_get();
	host_units units = 0;
	CK_RV rv = CKR_OK;

	if (r == NULL)
		rv = CKR_HOST_MEMORY;
	else if (l == NULL)
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	else
		rv = host_lib_units(l, &units, target);
	if (rv == CKR_OK)
		rv = host_lib_request(l, r, &q, units);
	if (rv == CKR_OK)
		rv = r->info.rv;
	if (rv == CKR_OK) {
		*b = r->info.data;
		r->info.data = (struct hsa_buf){0};
	}
	host_lib_put(l);
	if (r != NULL)
		hsa_unit_reply_free(r);
	free(r);
	return rv;
}

CK_RV
m_get_xcp_info(CK_VOID_PTR out, CK_ULONG_PTR len, unsigned int query,
    unsigned int sub, target_t target)
{
	const struct host_room room = {out, len};
	struct hsa_buf b = {0};
	CK_RV rv = CKR_OK;

	if (len == NULL)
		return CKR_ARGUMENTS_BAD;
	if (query >= QUERY_COUNT)
		rv = about_us(&b, query) ? CKR_OK : CKR_ARGUMENTS_BAD;
	else
		rv = about_unit(&b, query, sub, target);
	if (rv == CKR_OK && b.failed)
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK)
		rv = host_out(&room, b.p, b.len);
	hsa_buf_free(&b);
	return rv;
}

/* Lengths in numbers of mechanisms here, in bytes to the unit. */
CK_RV
m_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list,
    CK_ULONG_PTR count, target_t target)
{
	struct host_op *o = NULL;
	const CK_ULONG one = sizeof(CK_MECHANISM_TYPE);
	CK_ULONG bytes = 0;
	CK_RV rv = CKR_OK;

	if (slot != 0)
		return CKR_SLOT_ID_INVALID;
	if (count == NULL)
		return CKR_ARGUMENTS_BAD;
	bytes = list == NULL || *count > HSA_CALL_DATA_MAX ? HSA_CALL_DATA_MAX
							   : *count * one;
	o = host_op_new(HSA_FN_GET_MECHANISM_LIST);
	host_op_out(o, list, &bytes);
	rv = host_op_run(o, target);
	if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
		*count = bytes / one;
	return rv;
}

CK_RV
m_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type,
    CK_MECHANISM_INFO_PTR info, target_t target)
{
	struct host_op *o = NULL;
	CK_ULONG got[3] = {0}, bytes = sizeof(got);
	CK_RV rv = CKR_OK;

	if (slot != 0)
		return CKR_SLOT_ID_INVALID;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	o = host_op_new(HSA_FN_GET_MECHANISM_INFO);
	if (o != NULL)
		o->c.number = type;
	host_op_out(o, got, &bytes);
	rv = host_op_run(o, target);
	if (rv == CKR_OK && bytes != sizeof(got))
		rv = CKR_DEVICE_ERROR;
	if (rv == CKR_OK) {
		info->ulMinKeySize = got[0];
		info->ulMaxKeySize = got[1];
		info->flags = got[2];
	}
	return rv;
}
