#include <stdlib.h>
#include <string.h>

#include "hsa_codec_wire.h"
#include "hsa_ks.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct hsa_ks_op_row ops[] = {
    {HSA_KS_CREATE_KEYSTORE, HSA_ACTION_KEYSTORE_CREATEKEYSTORE,
	"createkeystore", true},
    {HSA_KS_DELETE_KEYSTORE, HSA_ACTION_KEYSTORE_DELETEKEYSTORE,
	"deletekeystore", true},
    {HSA_KS_KEYSTORES_BY_IDS, HSA_ACTION_KEYSTORE_LISTKEYSTORESBYIDS,
	"listkeystoresbyids", false},
    {HSA_KS_KEYSTORES_BY_ATTRIBUTES,
	HSA_ACTION_KEYSTORE_LISTKEYSTORESBYATTRIBUTES,
	"listkeystoresbyattributes", false},
    {HSA_KS_STORE_KEY, HSA_ACTION_KEYSTORE_STORENEWKEY, "storenewkey", true},
    {HSA_KS_UPDATE_KEY, HSA_ACTION_KEYSTORE_UPDATEKEY, "updatekey", true},
    {HSA_KS_DELETE_KEY, HSA_ACTION_KEYSTORE_DELETEKEY, "deletekey", true},
    {HSA_KS_KEYS_BY_IDS, HSA_ACTION_KEYSTORE_LISTKEYSBYIDS, "listkeysbyids",
	false},
    {HSA_KS_KEYS_BY_ATTRIBUTES, HSA_ACTION_KEYSTORE_LISTKEYSBYATTRIBUTES,
	"listkeysbyattributes", false},
};

/* The user's document gives 400 to what is not valid and 500 to what a reason
 * explains; 404 and 409 say more where they fit. */
static const struct hsa_ks_rv_row rvs[] = {
    {HSA_KS_OK, 200, "CKR_OK", "done"},
    {HSA_KS_ARGUMENTS_BAD, 400, "CKR_ARGUMENTS_BAD",
	"the request is not one that this operation takes"},
    {HSA_KS_ATTRIBUTE_TYPE_INVALID, 400, "CKR_ATTRIBUTE_TYPE_INVALID",
	"an attribute that no keystore keeps"},
    {HSA_KS_ATTRIBUTE_VALUE_INVALID, 400, "CKR_ATTRIBUTE_VALUE_INVALID",
	"an attribute's value is too long"},
    {HSA_KS_DEVICE_ERROR, 503, "CKR_DEVICE_ERROR",
	"the unit has halted: restart it"},
    {HSA_KS_TEMPLATE_INCONSISTENT, 400, "CKR_TEMPLATE_INCONSISTENT",
	"the attributes contradict each other or the key blob"},
    {HSA_KS_BLOB_ERROR, 400, "CKR_IBM_BLOB_ERROR",
	"that is neither a key blob nor a MACed public key"},
    {HSA_KS_NOT_AUTHENTICATED, 401, "CKR_IBM_GREP11_NOT_AUTHENTICATED",
	"the caller is not authorized"},
    {HSA_KS_CANNOT_UNMARSHAL, 400, "CKR_IBM_GREP11_CANNOT_UNMARSHAL",
	"the page token is not one of this list: start again without it"},
    {HSA_KS_CANNOT_MARSHAL, 500, "CKR_IBM_GREP11_CANNOT_MARSHAL",
	"the answer cannot be put together: ask for less"},
    {HSA_KS_CONFLICT, 409, "CKR_IBM_GREP11_CONFLICT",
	"the keystore does not stand as the request expects"},
    {HSA_KS_DATABASE, 500, "CKR_IBM_GREP11_DBINTERNAL",
	"the keystore cannot be written: repair its disk, restart the unit"},
    {HSA_KS_MISSING, 404, "CKR_IBM_GREP11_MISSING", "no such keystore or key"},
    {HSA_KS_REPLAY, 409, "CKR_IBM_GREP11_REPLAY",
	"this change was carried out before: use a new TxID for another"},
};

const struct hsa_ks_op_row *
hsa_ks_op(uint32_t op)
{
	return op == 0 || op > LEN(ops) ? NULL : &ops[op - 1];
}

const struct hsa_ks_rv_row *
hsa_ks_rv(uint32_t rv)
{
	for (size_t i = 0; i < LEN(rvs); i++)
		if (rvs[i].rv == rv)
			return &rvs[i];
	return NULL;
}

/* ---- memory -------------------------------------------------------------- */

void *
hsa_ks_keep(struct hsa_pool **pool, const void *p, size_t n)
{
	void *to = NULL;

	if (*pool == NULL)
		*pool = calloc(1, sizeof(**pool));
	if (*pool == NULL || n == SIZE_MAX)
		return NULL;
	to = hsa_pool_get(*pool, n + 1);
	if (to != NULL && p != NULL && n != 0)
		memcpy(to, p, n);
	return to;
}

static void
drop(struct hsa_pool *pool)
{
	if (pool == NULL)
		return;
	hsa_pool_free(pool);
	free(pool);
}

void
hsa_ks_request_free(struct hsa_ks_request *q)
{
	if (q == NULL)
		return;
	drop(q->memory);
	*q = (struct hsa_ks_request){0};
}

void
hsa_ks_reply_free(struct hsa_ks_reply *r)
{
	if (r == NULL)
		return;
	drop(r->memory);
	*r = (struct hsa_ks_reply){0};
}
