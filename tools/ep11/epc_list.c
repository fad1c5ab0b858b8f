#include <stdio.h>
#include <string.h>

#include "epc_list.h"
#include "hsa_hash.h"
#include "vfy_utf8.h"

/* A template as the attributes that a request holds. */
struct wanted {
	struct epc_template t;
	struct hsa_attr a[OPT_LIST_MAX];
};

static hsa_rc
wanted_read(struct wanted *w, struct epc_session *s)
{
	CK_ULONG i = 0;
	hsa_rc rc;

	HSA_TRY(rc, epc_template_list(&w->t, &s->opt.attr, &s->diag));
	for (i = 0; i < w->t.n; i++)
		w->a[i] = (struct hsa_attr){.type = w->t.a[i].type,
		    .p = w->t.a[i].pValue,
		    .n = w->t.a[i].ulValueLen};
out:
	return rc;
}

/* ---- showing ------------------------------------------------------------- */

/* Names come from other users: what a terminal would obey is escaped. */
static void
print_name(const char *name)
{
	struct hsa_buf b = {0};

	vfy_utf8_show(&b, name == NULL ? "" : name);
	printf("%s", hsa_buf_cstr(&b));
	hsa_buf_free(&b);
}

static void
json_attrs(struct epc_session *s, const struct hsa_attr *a, size_t n)
{
	size_t i = 0;

	hsa_jw_object(&s->jw, "attributes");
	for (i = 0; i < n; i++)
		epc_attr_json(&s->jw, a[i].type, a[i].p, a[i].n);
	hsa_jw_end(&s->jw);
}

static void
json_id(struct epc_session *s, const char *name, const uint8_t id[HSA_UUID_LEN])
{
	char text[HSA_UUID_TEXT];

	hsa_uuid_text(text, id);
	hsa_jw_text(&s->jw, name, text);
}

static void
json_time(struct epc_session *s, const char *name, uint64_t ns)
{
	char text[40];

	hsa_time_rfc3339(text, ns);
	hsa_jw_text(&s->jw, name, text);
}

void
epc_show_store(struct epc_session *s, const struct hsa_keystore *k)
{
	char id[HSA_UUID_TEXT];

	if (!s->opt.json) {
		hsa_uuid_text(id, k->id);
		printf("%s %6llu  ", id, (unsigned long long)k->keys);
		print_name(k->name);
		printf("\n");
		return;
	}
	json_id(s, "id", k->id);
	hsa_jw_text(&s->jw, "name", k->name == NULL ? "" : k->name);
	hsa_jw_uint(&s->jw, "keys", k->keys);
	json_time(s, "created", k->created_ns);
	json_time(s, "updated", k->updated_ns);
	json_attrs(s, k->attr, k->attr_len);
}

static const struct hsa_attr *
find(const struct hsa_ks_key *k, uint64_t type)
{
	size_t i = 0;

	for (i = 0; i < k->attr_len; i++)
		if (k->attr[i].type == type)
			return &k->attr[i];
	return NULL;
}

static void
print_attr(const struct hsa_ks_key *k, uint64_t type, int width)
{
	const struct hsa_attr *a = find(k, type);
	struct hsa_buf b = {0};

	if (a != NULL)
		epc_attr_text(&b, type, a->p, a->n);
	printf(" %-*s", width, hsa_buf_cstr(&b));
	hsa_buf_free(&b);
}

void
epc_show_key(struct epc_session *s, const struct hsa_ks_key *k)
{
	char id[HSA_UUID_TEXT];

	if (!s->opt.json) {
		hsa_uuid_text(id, k->id);
		printf("%s %4llu", id, (unsigned long long)k->version);
		print_attr(k, CKA_CLASS, 7);
		print_attr(k, CKA_KEY_TYPE, 7);
		printf("  ");
		print_name(k->label);
		printf("\n");
		return;
	}
	json_id(s, "id", k->id);
	json_id(s, "keystore", k->keystore_id);
	hsa_jw_text(&s->jw, "label", k->label == NULL ? "" : k->label);
	hsa_jw_uint(&s->jw, "version", k->version);
	hsa_jw_hex(&s->jw, "txId", k->tx_id, sizeof(k->tx_id));
	json_time(s, "created", k->created_ns);
	json_time(s, "updated", k->updated_ns);
	json_attrs(s, k->attr, k->attr_len);
}

static void
show_page(struct epc_session *s, const struct hsa_ks_reply *r)
{
	size_t i = 0;

	for (i = 0; i < r->store_len + r->key_len; i++) {
		if (s->opt.json)
			hsa_jw_object(&s->jw, NULL);
		if (i < r->store_len)
			epc_show_store(s, &r->store[i]);
		else
			epc_show_key(s, &r->key[i - r->store_len]);
		if (s->opt.json)
			hsa_jw_end(&s->jw);
	}
}

/* All pages of a list. */
static hsa_rc
pages(struct epc_session *s, struct hsa_ks_request q)
{
	uint8_t token[HSA_KS_TOKEN_MAX];
	struct hsa_ks_reply r = {0};
	size_t n = 0;
	hsa_rc rc;

	q.limit = HSA_KS_PAGE_MAX;
	do {
		memset(q.id, 0, sizeof(q.id)); /* each is a request */
		HSA_TRY(rc, epc_keystore(s, &r, &q));
		show_page(s, &r);
		n = r.next.n;
		if (n != 0)
			memcpy(token, r.next.p, n);
		q.token = (struct hsa_slice){token, n};
		hsa_ks_reply_free(&r);
	} while (n != 0);
out:
	hsa_ks_reply_free(&r);
	return rc;
}

/* ---- finding ------------------------------------------------------------- */

hsa_rc
epc_find_store(
    struct epc_session *s, uint8_t id[HSA_UUID_LEN], const char *name)
{
	const struct hsa_attr label = {.type = HSA_KS_CKA_TOKEN_LABEL,
	    .p = (const uint8_t *)name,
	    .n = strlen(name)};
	struct hsa_ks_request q = {.op = HSA_KS_KEYSTORES_BY_ATTRIBUTES,
	    .attr = &label,
	    .attr_len = 1};
	struct hsa_ks_reply r = {0};
	hsa_rc rc = hsa_uuid_parse(id, name);

	if (hsa_is_ok(rc))
		return rc;
	HSA_TRY(rc, epc_keystore(s, &r, &q));
	if (r.store_len == 0)
		rc = hsa_fail(&s->diag, HSA_RC(E_REMOTE),
		    "no keystore \"%s\"; fix: see ep11 stores", name);
	else
		memcpy(id, r.store[0].id, HSA_UUID_LEN);
out:
	hsa_ks_reply_free(&r);
	return rc;
}

hsa_rc
epc_find_key(struct epc_session *s, struct hsa_ks_reply *r,
    const uint8_t store[HSA_UUID_LEN], const char *name)
{
	const struct hsa_attr label = {
	    .type = CKA_LABEL, .p = (const uint8_t *)name, .n = strlen(name)};
	struct hsa_ks_request q = {.limit = 2, .blobs = true};
	uint8_t wanted[1][HSA_UUID_LEN];
	hsa_rc rc;

	memcpy(q.keystore_id, store, HSA_UUID_LEN);
	if (hsa_is_ok(hsa_uuid_parse(wanted[0], name))) {
		q.op = HSA_KS_KEYS_BY_IDS;
		q.wanted = (const uint8_t(*)[HSA_UUID_LEN])wanted;
		q.wanted_len = 1;
	} else {
		q.op = HSA_KS_KEYS_BY_ATTRIBUTES;
		q.attr = &label;
		q.attr_len = 1;
	}
	HSA_TRY(rc, epc_keystore(s, r, &q));
	if (r->key_len == 0)
		rc = hsa_fail(&s->diag, HSA_RC(E_REMOTE),
		    "no key \"%s\" in the keystore; fix: see ep11 keys", name);
	else if (r->key_len > 1)
		rc = hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "several keys have the label \"%s\"; fix: name one by its "
		    "id, see ep11 keys",
		    name);
out:
	return rc;
}

/* ---- lists --------------------------------------------------------------- */

hsa_rc
epc_list_stores(struct epc_session *s)
{
	struct hsa_ks_request q = {.op = HSA_KS_KEYSTORES_BY_ATTRIBUTES};
	struct wanted w = {.t = {.n = 0}};
	hsa_rc rc;

	HSA_TRY(rc, wanted_read(&w, s));
	q.attr = w.a;
	q.attr_len = w.t.n;
	if (s->opt.json)
		hsa_jw_array(&s->jw, "keystores");
	HSA_TRY(rc, pages(s, q));
	if (s->opt.json)
		hsa_jw_end(&s->jw);
out:
	epc_template_free(&w.t);
	return rc;
}

hsa_rc
epc_list_keys(struct epc_session *s, const char *store, const char *key)
{
	struct hsa_ks_request q = {.op = HSA_KS_KEYS_BY_ATTRIBUTES};
	struct hsa_ks_reply r = {0};
	struct wanted w = {.t = {.n = 0}};
	hsa_rc rc;

	HSA_TRY(rc, wanted_read(&w, s));
	HSA_TRY(rc, epc_find_store(s, q.keystore_id, store));
	q.attr = w.a;
	q.attr_len = w.t.n;
	if (s->opt.json)
		hsa_jw_array(&s->jw, "keys");
	if (key != NULL) {
		HSA_TRY(rc, epc_find_key(s, &r, q.keystore_id, key));
		show_page(s, &r);
	} else {
		HSA_TRY(rc, pages(s, q));
	}
	if (s->opt.json)
		hsa_jw_end(&s->jw);
out:
	epc_template_free(&w.t);
	hsa_ks_reply_free(&r);
	return rc;
}
