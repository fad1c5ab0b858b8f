/* Verbs on keystores: create, delete, stores, store, fetch, update, remove,
 * keys. Each request is one event of the unit; finding a keystore or key by
 * its name is a request of its own. */
#include <stdio.h>
#include <string.h>

#include "epc_list.h"
#include "epc_session.h"
#include "hsa_hash.h"

/* Attributes of a request: those of --attr, and for an update those that the
 * key has and the user does not name. */
struct attrs {
	struct epc_template t;
	struct hsa_attr a[HSA_KS_ATTRS_MAX];
	size_t n;
};

static hsa_rc
attrs_read(struct attrs *a, struct epc_session *s)
{
	hsa_rc rc;

	HSA_TRY(rc, epc_template_list(&a->t, &s->opt.attr, &s->diag));
	for (a->n = 0; a->n < a->t.n; a->n++)
		a->a[a->n] = (struct hsa_attr){.type = a->t.a[a->n].type,
		    .p = a->t.a[a->n].pValue,
		    .n = a->t.a[a->n].ulValueLen};
out:
	return rc;
}

static bool
has(const struct attrs *a, uint64_t type)
{
	size_t i = 0;

	for (i = 0; i < a->n; i++)
		if (a->a[i].type == type)
			return true;
	return false;
}

/* What the keystore reads from label and blob is left to it. */
static void
attrs_keep(struct attrs *a, const struct hsa_ks_key *k)
{
	size_t i = 0;

	for (i = 0; i < k->attr_len && a->n < HSA_KS_ATTRS_MAX; i++) {
		const struct epc_attr_row *row = epc_attr_of(k->attr[i].type);

		if ((row == NULL || !row->derived) && !has(a, k->attr[i].type))
			a->a[a->n++] = k->attr[i];
	}
}

static void
show(struct epc_session *s, const struct hsa_ks_reply *r)
{
	if (r->store_len > 0)
		epc_show_store(s, &r->store[0]);
	if (r->key_len > 0)
		epc_show_key(s, &r->key[0]);
}

static hsa_rc
run_create(struct epc_session *s)
{
	struct hsa_ks_request q = {
	    .op = HSA_KS_CREATE_KEYSTORE, .name = s->opt.line.args[0]};
	struct hsa_ks_reply r = {0};
	struct attrs a = {.n = 0};
	hsa_rc rc;

	HSA_TRY(rc, attrs_read(&a, s));
	q.attr = a.a;
	q.attr_len = a.n;
	HSA_TRY(rc, epc_keystore(s, &r, &q));
	show(s, &r);
out:
	epc_template_free(&a.t);
	hsa_ks_reply_free(&r);
	return rc;
}

static hsa_rc
run_delete(struct epc_session *s)
{
	struct hsa_ks_request q = {
	    .op = HSA_KS_DELETE_KEYSTORE, .force = s->opt.force};
	struct hsa_ks_reply r = {0};
	hsa_rc rc;

	HSA_TRY(rc, epc_find_store(s, q.keystore_id, s->opt.line.args[0]));
	HSA_TRY(rc, epc_keystore(s, &r, &q));
	show(s, &r);
out:
	hsa_ks_reply_free(&r);
	return rc;
}

static hsa_rc
run_store(struct epc_session *s)
{
	struct hsa_ks_request q = {
	    .op = HSA_KS_STORE_KEY, .name = s->opt.label};
	struct hsa_ks_reply r = {0};
	struct hsa_buf blob = {0};
	struct attrs a = {.n = 0};
	hsa_rc rc;

	HSA_TRY(rc, attrs_read(&a, s));
	HSA_TRY(rc, epc_key(s, &blob, s->opt.key, "--key"));
	HSA_TRY(rc, epc_find_store(s, q.keystore_id, s->opt.line.args[0]));
	q.attr = a.a;
	q.attr_len = a.n;
	q.blob = (struct hsa_slice){blob.p, blob.len};
	HSA_TRY(rc, epc_keystore(s, &r, &q));
	show(s, &r);
out:
	epc_template_free(&a.t);
	hsa_buf_free(&blob);
	hsa_ks_reply_free(&r);
	return rc;
}

static hsa_rc
expected(struct epc_session *s, uint64_t *version, uint64_t is)
{
	*version = is;
	if (s->opt.expect == NULL)
		return HSA_OK;
	return epc_number(version, s->opt.expect, &s->diag);
}

static hsa_rc
run_update(struct epc_session *s)
{
	struct hsa_ks_request q = {.op = HSA_KS_UPDATE_KEY};
	struct hsa_ks_reply was = {0}, r = {0};
	struct hsa_buf blob = {0};
	struct attrs a = {.n = 0};
	hsa_rc rc;

	HSA_TRY(rc, attrs_read(&a, s));
	if (s->opt.key != NULL)
		HSA_TRY(rc, epc_key(s, &blob, s->opt.key, "--key"));
	HSA_TRY(rc, epc_find_store(s, q.keystore_id, s->opt.line.args[0]));
	HSA_TRY(rc, epc_find_key(s, &was, q.keystore_id, s->opt.line.args[1]));
	memcpy(q.key_id, was.key[0].id, sizeof(q.key_id));
	HSA_TRY(rc, expected(s, &q.version, was.key[0].version));
	attrs_keep(&a, &was.key[0]);
	q.name = s->opt.label != NULL ? s->opt.label : was.key[0].label;
	q.attr = a.a;
	q.attr_len = a.n;
	q.blob = (struct hsa_slice){blob.p, blob.len};
	HSA_TRY(rc, epc_keystore(s, &r, &q));
	show(s, &r);
out:
	epc_template_free(&a.t);
	hsa_buf_free(&blob);
	hsa_ks_reply_free(&was);
	hsa_ks_reply_free(&r);
	return rc;
}

static hsa_rc
run_remove(struct epc_session *s)
{
	struct hsa_ks_request q = {.op = HSA_KS_DELETE_KEY};
	struct hsa_ks_reply was = {0}, r = {0};
	hsa_rc rc;

	HSA_TRY(rc, epc_find_store(s, q.keystore_id, s->opt.line.args[0]));
	HSA_TRY(rc, epc_find_key(s, &was, q.keystore_id, s->opt.line.args[1]));
	memcpy(q.key_id, was.key[0].id, sizeof(q.key_id));
	HSA_TRY(rc, expected(s, &q.version, was.key[0].version));
	HSA_TRY(rc, epc_keystore(s, &r, &q));
	show(s, &r);
out:
	hsa_ks_reply_free(&was);
	hsa_ks_reply_free(&r);
	return rc;
}

static hsa_rc
run_fetch(struct epc_session *s)
{
	uint8_t store[HSA_UUID_LEN] = {0};
	struct hsa_ks_reply r = {0};
	hsa_rc rc;

	HSA_TRY(rc, epc_find_store(s, store, s->opt.line.args[0]));
	HSA_TRY(rc, epc_find_key(s, &r, store, s->opt.line.args[1]));
	HSA_TRY(rc, epc_out(s, "key", r.key[0].blob.p, r.key[0].blob.n));
	if (s->opt.json)
		show(s, &r);
out:
	hsa_ks_reply_free(&r);
	return rc;
}

static hsa_rc
run_stores(struct epc_session *s)
{
	return epc_list_stores(s);
}

static hsa_rc
run_keys(struct epc_session *s)
{
	return epc_list_keys(s, s->opt.line.args[0],
	    s->opt.line.arg_count > 1 ? s->opt.line.args[1] : NULL);
}

const struct epc_verb epc_verbs_store[] = {
    {{"create", "NAME", "Create a keystore", "", EPC_OPT_ATTR, 1, 1},
	run_create},
    {{"delete", "KEYSTORE", "Delete a keystore",
	 "It must be empty, unless --force.", EPC_OPT_FORCE, 1, 1},
	run_delete},
    {{"stores", "", "List keystores", "All, or those with every --attr.",
	 EPC_OPT_ATTR, 0, 0},
	run_stores},
    {{"store", "KEYSTORE", "Store a key blob or public key in a keystore",
	 "Class, type and uses come from the key itself; --attr adds others.",
	 EPC_OPT_KEY | EPC_OPT_LABEL | EPC_OPT_ATTR, 1, 1},
	run_store},
    {{"update", "KEYSTORE KEY", "Change a stored key",
	 "--label, --attr and --key replace what they name. Refused when the\n"
	 "key was changed meanwhile.",
	 EPC_OPT_KEY | EPC_OPT_LABEL | EPC_OPT_ATTR | EPC_OPT_VERSION, 2, 2},
	run_update},
    {{"remove", "KEYSTORE KEY", "Delete a key from a keystore",
	 "Refused when the key was changed meanwhile.", EPC_OPT_VERSION, 2, 2},
	run_remove},
    {{"keys", "KEYSTORE [KEY]", "List the keys of a keystore",
	 "All, or those with every --attr, or the one named.", EPC_OPT_ATTR, 1,
	 2},
	run_keys},
    {{"fetch", "KEYSTORE KEY", "Write a stored key blob to a file", "",
	 EPC_OPT_OUT | EPC_OPT_HEX, 2, 2},
	run_fetch},
    {.is = {.name = NULL}},
};
