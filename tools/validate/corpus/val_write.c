#include <stdlib.h>

#include "hsa_buf.h"
#include "val_write.h"

static hsa_rc
write_tree(struct hsa_buf *b, const json_t *j, size_t flags)
{
	char *s = json_dumps(j, flags);

	if (s == NULL)
		return HSA_RC(E_NOMEM);
	hsa_buf_str(b, s);
	hsa_buf_u8(b, '\n');
	free(s);
	return hsa_buf_rc(b);
}

hsa_rc
val_write(struct hsa_buf *b, const json_t *list, bool lines)
{
	hsa_rc rc = HSA_OK;
	json_t *event;
	size_t i;

	hsa_buf_reset(b);
	json_array_foreach(list, i, event) HSA_TRY(
	    rc, write_tree(b, event, lines ? JSON_COMPACT : JSON_INDENT(2)));
out:
	return rc;
}

static hsa_rc
as_string(json_t *event, const char *name)
{
	const json_t *v = json_object_get(event, name);
	char *s;
	int failed;

	if (v == NULL)
		return HSA_OK;
	s = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	if (s == NULL)
		return HSA_RC(E_NOMEM);
	failed = json_object_set_new(event, name, json_string(s));
	free(s);
	return failed != 0 ? HSA_RC(E_NOMEM) : HSA_OK;
}

/* As a collector's export has it: members of its own, and data as strings. */
hsa_rc
val_write_export(json_t *list)
{
	json_t *event, *with;
	hsa_rc rc = HSA_OK;
	size_t i;

	json_array_foreach(list, i, event)
	{
		HSA_TRY(rc, as_string(event, "requestData"));
		HSA_TRY(rc, as_string(event, "responseData"));
		with = json_pack("{s:s,s:s,s:s,s:I,s:s}", "_host", "example",
		    "_app", "hs-crypto", "_logtype", "json", "_ts",
		    (json_int_t)1768467600000, "_account", "0123456789");
		if (with == NULL || json_object_update(event, with) != 0)
			rc = HSA_RC(E_NOMEM);
		json_decref(with);
		HSA_TRY(rc, rc);
	}
out:
	return rc;
}
