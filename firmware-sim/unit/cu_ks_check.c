/* What can be said of a keystore request without looking anything up. */
#include <string.h>

#include "cu_ks.h"
#include "hsa_utf8.h"

/* What an operation takes beside id; what it does not take must be absent, so
 * that no caller believes in an effect that there is none of. */
enum field {
	TX = 1 << 0,
	STORE = 1 << 1, /* keystore_id */
	KEY = 1 << 2,
	NAME = 1 << 3,
	ATTR = 1 << 4,
	BLOB = 1 << 5,
	VERSION = 1 << 6,
	FORCE = 1 << 7,
	BLOBS = 1 << 8,
	WANTED = 1 << 9,
	LIMIT = 1 << 10,
	TOKEN = 1 << 11
};

static const struct {
	unsigned int field;
	const char *name;
} names[] = {
    {TX, "TxID"},
    {STORE, "keystore id"},
    {KEY, "key id"},
    {NAME, "name"},
    {ATTR, "attributes"},
    {BLOB, "blob"},
    {VERSION, "version"},
    {FORCE, "force"},
    {BLOBS, "blobs"},
    {WANTED, "wanted ids"},
    {LIMIT, "limit"},
    {TOKEN, "page token"},
};

#define PAGE (LIMIT | TOKEN)
static const struct {
	unsigned int needs, takes;
} rules[HSA_KS_OPS + 1] = {
    [HSA_KS_CREATE_KEYSTORE] = {TX | NAME, STORE | ATTR},
    [HSA_KS_DELETE_KEYSTORE] = {TX | STORE, FORCE},
    [HSA_KS_KEYSTORES_BY_IDS] = {WANTED, PAGE},
    [HSA_KS_KEYSTORES_BY_ATTRIBUTES] = {0, ATTR | PAGE},
    [HSA_KS_STORE_KEY] = {TX | STORE | BLOB, KEY | NAME | ATTR},
    [HSA_KS_UPDATE_KEY] = {TX | STORE | KEY | VERSION, NAME | ATTR | BLOB},
    [HSA_KS_DELETE_KEY] = {TX | STORE | KEY, VERSION},
    [HSA_KS_KEYS_BY_IDS] = {STORE | WANTED, BLOBS | PAGE},
    [HSA_KS_KEYS_BY_ATTRIBUTES] = {STORE, ATTR | BLOBS | PAGE},
};

static unsigned int
present(const struct hsa_ks_request *q)
{
	static const uint8_t none[HSA_UUID_LEN];
	unsigned int f = 0;

	f |= memcmp(q->tx_id, none, sizeof(none)) != 0 ? TX : 0;
	f |= memcmp(q->keystore_id, none, sizeof(none)) != 0 ? STORE : 0;
	f |= memcmp(q->key_id, none, sizeof(none)) != 0 ? KEY : 0;
	f |= q->name != NULL && q->name[0] != '\0' ? NAME : 0;
	f |= q->attr_len != 0 ? ATTR : 0;
	f |= q->blob.n != 0 ? BLOB : 0;
	f |= q->version != 0 ? VERSION : 0;
	f |= q->force ? FORCE : 0;
	f |= q->blobs ? BLOBS : 0;
	f |= q->wanted_len != 0 ? WANTED : 0;
	f |= q->limit != 0 ? LIMIT : 0;
	f |= q->token.n != 0 ? TOKEN : 0;
	return f;
}

static const char *
first(unsigned int fields)
{
	size_t i = 0;

	while ((names[i].field & fields) == 0)
		i++;
	return names[i].name;
}

static uint32_t
bad(uint32_t rv, struct hsa_diag *why, const char *text)
{
	hsa_diag_set(why, "%s", text);
	return rv;
}

/* Control characters of both sets and line separators: what makes a name look
 * like two lines, or like another one. */
static bool
control(const char *s, size_t n)
{
	const unsigned char *c = (const unsigned char *)s;

	if (n == 1)
		return c[0] < 0x20 || c[0] == 0x7f;
	if (n == 2)
		return c[0] == 0xc2 && c[1] < 0xa0;
	return n == 3 && c[0] == 0xe2 && c[1] == 0x80 &&
	       (c[2] == 0xa8 || c[2] == 0xa9 || (c[2] >= 0xaa && c[2] <= 0xae));
}

static uint32_t
check_name(struct hsa_diag *why, const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s), at = 0, k = 0;

	if (n > HSA_KS_NAME_MAX)
		return bad(HSA_KS_ARGUMENTS_BAD, why,
		    "a name or label is longer than 255 bytes");
	for (at = 0; at < n; at += k) {
		k = hsa_utf8_len(s + at, n - at);
		if (k == 0)
			return bad(HSA_KS_ARGUMENTS_BAD, why,
			    "a name or label is not UTF-8");
		if (control(s + at, k))
			return bad(HSA_KS_ARGUMENTS_BAD, why,
			    "a name or label holds a control character");
	}
	return HSA_KS_OK;
}

/* Key material has no place beside a blob: CKA_VALUE and the private parts of
 * RSA, DSA, DH (PKCS #11 v3.0, header), and GREP11's keystore password. */
static bool
secret(uint64_t type)
{
	return type == 0x11 || (type >= 0x123 && type <= 0x128) ||
	       type == HSA_KS_CKA_PASSWORD;
}

static uint32_t
check_attributes(struct hsa_diag *why, const struct hsa_ks_request *q)
{
	size_t i = 0, k = 0, sum = 0;

	if (q->attr_len > HSA_KS_ATTRS_MAX)
		return bad(
		    HSA_KS_ARGUMENTS_BAD, why, "there are too many attributes");
	for (i = 0; i < q->attr_len; i++) {
		const struct hsa_attr *a = &q->attr[i];

		if (a->type > UINT32_MAX || secret(a->type)) {
			hsa_diag_set(why,
			    "attribute 0x%llx: a keystore keeps no such "
			    "attribute",
			    (unsigned long long)a->type);
			return HSA_KS_ATTRIBUTE_TYPE_INVALID;
		}
		sum += a->n > HSA_KS_VALUES_MAX ? HSA_KS_VALUES_MAX : a->n;
		if (a->n > HSA_KS_VALUE_MAX || sum > HSA_KS_VALUES_MAX) {
			hsa_diag_set(why,
			    "attribute 0x%llx: at most %u bytes in one value "
			    "and %u in all",
			    (unsigned long long)a->type, HSA_KS_VALUE_MAX,
			    HSA_KS_VALUES_MAX);
			return HSA_KS_ATTRIBUTE_VALUE_INVALID;
		}
		for (k = 0; k < i; k++)
			if (q->attr[k].type == a->type) {
				hsa_diag_set(why,
				    "attribute 0x%llx is given twice",
				    (unsigned long long)a->type);
				return HSA_KS_TEMPLATE_INCONSISTENT;
			}
	}
	return HSA_KS_OK;
}

uint32_t
cu_ks_check(struct hsa_diag *why, const struct hsa_ks_request *q)
{
	const unsigned int needs = rules[q->op].needs;
	const unsigned int takes = needs | rules[q->op].takes;
	const unsigned int is = present(q);
	uint32_t rv = HSA_KS_OK;

	if ((needs & ~is) != 0) {
		hsa_diag_set(why, "%s needs a field that is not there: %s",
		    hsa_ks_op(q->op)->name, first(needs & ~is));
		return HSA_KS_ARGUMENTS_BAD;
	}
	if ((is & ~takes) != 0) {
		hsa_diag_set(why, "%s does not take a field that is there: %s",
		    hsa_ks_op(q->op)->name, first(is & ~takes));
		return HSA_KS_ARGUMENTS_BAD;
	}
	if (q->limit > HSA_KS_PAGE_MAX)
		return bad(HSA_KS_ARGUMENTS_BAD, why,
		    "a page holds at most 1000 objects");
	if (q->wanted_len > HSA_KS_IDS_MAX)
		return bad(
		    HSA_KS_ARGUMENTS_BAD, why, "a list takes at most 1024 ids");
	if (q->version > INT64_MAX)
		return bad(HSA_KS_ARGUMENTS_BAD, why, "no such version");
	if (q->blob.n > HSA_BLOB_MAX)
		return bad(HSA_KS_BLOB_ERROR, why,
		    "a blob is at most 16384 bytes long");
	rv = check_name(why, q->name);
	if (rv == HSA_KS_OK)
		rv = check_attributes(why, q);
	return rv;
}
