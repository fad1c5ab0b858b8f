/* The event that a CADF event was before it was exported. */
#include <string.h>

#include "val_cadf.h"

/* Content of the attachment of this type, or NULL. */
static const struct val_node *
attached(const struct val_json *j, const char *type)
{
	const struct val_node *n = val_member(j, j->node, "attachments"), *c;

	if (n == NULL || n->kind != VAL_ARRAY)
		return NULL;
	for (n = val_child(j, n); n != NULL; n = val_next(j, n)) {
		if (n->kind != VAL_OBJECT ||
		    !val_is(j, val_member(j, n, "typeURI"), type))
			continue;
		c = val_member(j, n, "content");
		return c != NULL && c->kind == VAL_OBJECT ? c : NULL;
	}
	return NULL;
}

struct from {
	enum val_field field;
	const char *name;
};

static void
fields(struct val_event *e, const struct val_node *of, const struct from *from,
    size_t n)
{
	const struct val_node *v;
	size_t i;

	if (of == NULL || of->kind != VAL_OBJECT)
		return;
	for (i = 0; i < n; i++) {
		v = val_member(e->json, of, from[i].name);
		if (v != NULL &&
		    (val_field_row(from[i].field)->kinds & 1u << v->kind) != 0)
			e->field[from[i].field] = v;
	}
}

/* CADF has codes as strings, and says whose they are. */
static void
code(struct val_event *e)
{
	const struct val_node *n = val_member(e->json, e->json->node, "reason");
	const struct val_node *c, *type;
	const char *s;

	if (n == NULL || n->kind != VAL_OBJECT)
		return;
	e->field[VAL_F_REASON] = n;
	type = val_member(e->json, n, "reasonType");
	c = val_member(e->json, n, "reasonCode");
	if (c == NULL || c->kind != VAL_TEXT ||
	    !val_is(e->json, type, VAL_CADF_HTTP))
		return;
	e->field[VAL_F_REASON_CODE] = c;
	s = val_text(e->json, c);
	if (c->text_len != 3 || strspn(s, "0123456789") != 3)
		return;
	e->code = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	e->has_code = true;
}

bool
val_cadf_map(
    struct val_event *e, const struct val_config *cfg, const struct val_json *j)
{
	static const struct from top[] = {{VAL_F_ACTION, "name"},
	    {VAL_F_OUTCOME, "outcome"}, {VAL_F_EVENT_TIME, "eventTime"},
	    {VAL_F_SEVERITY, "severity"}, {VAL_F_ID, "id"},
	    {VAL_F_OBSERVER, "observer"}, {VAL_F_INITIATOR, "initiator"},
	    {VAL_F_TARGET, "target"}};
	static const struct from who[] = {{VAL_F_INITIATOR_ID, "id"},
	    {VAL_F_INITIATOR_NAME, "name"}, {VAL_F_INITIATOR_TYPE, "typeURI"},
	    {VAL_F_HOST, "host"}};
	static const struct from host[] = {
	    {VAL_F_HOST_ADDRESS, "address"}, {VAL_F_HOST_AGENT, "agent"}};
	static const struct from target[] = {
	    {VAL_F_TARGET_ID, "id"}, {VAL_F_TARGET_NAME, "name"}};
	static const struct from own[] = {{VAL_F_MESSAGE, "message"},
	    {VAL_F_DATA_EVENT, "dataEvent"},
	    {VAL_F_SERVICE_COPY, "saveServiceCopy"},
	    {VAL_F_LOG_SOURCE, "logSourceCRN"},
	    {VAL_F_CORRELATION, "correlationId"},
	    {VAL_F_CREDENTIAL_TYPE, "credentialType"},
	    {VAL_F_HOST_ADDRESS_TYPE, "addressType"},
	    {VAL_F_REASON_TYPE, "reasonType"},
	    {VAL_F_REASON_FAILURE, "reasonForFailure"},
	    {VAL_F_REQUEST, "requestData"}, {VAL_F_RESPONSE, "responseData"}};
	const struct val_node *hs = attached(j, VAL_CADF_HS_EVENT);
#define FIELDS(of, list) fields(e, of, list, sizeof(list) / sizeof((list)[0]))

	memset(e, 0, sizeof(*e));
	e->cfg = cfg;
	e->json = j;
	e->field[VAL_F_ROOT] = j->node;
	FIELDS(j->node, top);
	FIELDS(e->field[VAL_F_INITIATOR], who);
	FIELDS(e->field[VAL_F_HOST], host);
	FIELDS(e->field[VAL_F_TARGET], target);
	FIELDS(hs, own);
#undef FIELDS
	code(e);
	if (hs != NULL)
		val_event_known(e);
	return hs != NULL;
}

void
val_cadf_target(const struct val_event *e, struct val_report *r)
{
	const struct val_node *n =
	    e->field[VAL_F_TARGET] == NULL
		? NULL
		: val_member(e->json, e->field[VAL_F_TARGET], "typeURI");
	const char *s;
	size_t k;

	if (e->row == NULL || n == NULL || n->kind != VAL_TEXT)
		return;
	s = val_text(e->json, n);
	k = strlen(e->row->type_uri);
	if (n->text_len <= k || s[n->text_len - k - 1] != '/' ||
	    strcmp(s + n->text_len - k, e->row->type_uri) != 0)
		val_find(r, VAL_E15, e->json, n, "%.100s should end in /%s", s,
		    e->row->type_uri);
}
