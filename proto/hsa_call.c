#include <stdlib.h>
#include <string.h>

#include "hsa_call.h"
#include "hsa_codec_call.h"

/* ---- functions ----------------------------------------------------------- */

struct fn {
	enum hsa_fn fn;
	const char *text, *permission;
};

static const struct fn table[] = {
#define HSA_FN(id, name, text, permission) {HSA_FN_##name, text, permission},
#include "ep11_fn.def"
#undef HSA_FN
};

#define TABLE_LEN (sizeof(table) / sizeof(table[0]))

static const struct fn *
fn_of(enum hsa_fn fn)
{
	/* without gaps in the numbers, row n - 1 is it */
	const size_t row = (size_t)fn - 1;

	if (row < TABLE_LEN && table[row].fn == fn)
		return &table[row];
	for (size_t i = 0; i < TABLE_LEN; i++)
		if (table[i].fn == fn)
			return &table[i];
	return NULL;
}

const char *
hsa_fn_text(enum hsa_fn fn)
{
	const struct fn *f = fn_of(fn);

	return f == NULL ? NULL : f->text;
}

const char *
hsa_fn_permission(enum hsa_fn fn)
{
	const struct fn *f = fn_of(fn);

	return f == NULL ? NULL : f->permission;
}

hsa_rc
hsa_fn_find(enum hsa_fn *fn, const char *text)
{
	for (size_t i = 0; i < TABLE_LEN; i++) {
		if (strcmp(table[i].text, text) == 0) {
			*fn = table[i].fn;
			return HSA_OK;
		}
	}
	return HSA_RC(E_NOT_FOUND);
}

enum hsa_fn
hsa_fn_next(enum hsa_fn fn)
{
	const struct fn *f = fn_of(fn);

	if (fn == HSA_FN_NONE)
		return table[0].fn;
	if (f == NULL || f + 1 == table + TABLE_LEN)
		return HSA_FN_NONE;
	return f[1].fn;
}

/* ---- calls --------------------------------------------------------------- */

static void
reply_clear(struct hsa_call *c)
{
	c->rv = 0;
	c->reason = 0;
	c->needed = 0;
	free(c->got);
	c->got = NULL;
	c->got_len = 0;
	c->has_key_id = false;
	c->has_session = false;
	hsa_wipe(c->key_id, sizeof(c->key_id));
	hsa_wipe(c->session, sizeof(c->session));
}

void
hsa_call_reset(struct hsa_call *c)
{
	reply_clear(c);
	hsa_buf_reset(&c->out);
	hsa_buf_reset(&c->out2);
	hsa_buf_reset(&c->new_state);
}

void
hsa_call_free(struct hsa_call *c)
{
	if (c == NULL)
		return;
	free(c->got);
	hsa_buf_free(&c->out);
	hsa_buf_free(&c->out2);
	hsa_buf_free(&c->new_state);
	hsa_codec_memory_free(c->memory);
	*c = (struct hsa_call){0};
}

hsa_rc
hsa_call_take_reply(struct hsa_call *to, struct hsa_call *from)
{
	struct hsa_call moved = *from;

	if (from->fn != to->fn && (from->fn != HSA_FN_NONE || from->rv == 0))
		return HSA_RC(E_FORMAT);
	hsa_buf_free(&to->out);
	hsa_buf_free(&to->out2);
	hsa_buf_free(&to->new_state);
	reply_clear(to);
	to->rv = moved.rv;
	to->reason = moved.reason;
	to->needed = moved.needed;
	to->out = moved.out;
	to->out2 = moved.out2;
	to->new_state = moved.new_state;
	to->got = moved.got;
	to->got_len = moved.got_len;
	from->out = from->out2 = from->new_state = (struct hsa_buf){0};
	from->got = NULL;
	from->got_len = 0;
	return HSA_OK;
}

uint64_t
hsa_call_bytes_in(const struct hsa_call *c)
{
	return (uint64_t)c->data.n + c->signature.n + c->state.n;
}

uint64_t
hsa_call_bytes_out(const struct hsa_call *c)
{
	return (uint64_t)c->out.len + c->out2.len + c->new_state.len;
}
