#include <stdlib.h>
#include <string.h>

#include "helper_call.h"

/* Bytes of different values and lengths, so that no two members are equal. */
static struct hsa_slice
slice(size_t seed)
{
	static uint8_t p[32][64];

	for (size_t i = 0; i < sizeof(p[seed]); i++)
		p[seed][i] = (uint8_t)(seed * 7 + i * 31 + 1);
	return (struct hsa_slice){p[seed], 20 + seed};
}

void
hcall_mech(struct hsa_mech *m, enum hsa_mech_kind kind, uint64_t seed)
{
	*m = (struct hsa_mech){.type = 0x1087 + seed, .kind = kind};
	switch (kind) {
	case HSA_MECH_BYTES:
		m->a = slice(16 + seed);
		break;
	case HSA_MECH_OAEP:
		m->hash = 0x250;
		m->mgf = 0x80000002;
		m->source_type = 1;
		m->a = slice(17 + seed);
		break;
	case HSA_MECH_PSS:
		m->hash = 0x260;
		m->mgf = 3;
		m->salt_len = 48;
		break;
	case HSA_MECH_ECDH1:
		m->kdf = 0x80000001;
		m->a = slice(18 + seed);
		m->b = slice(19 + seed);
		break;
	case HSA_MECH_GCM:
		m->a = slice(20 + seed);
		m->b = slice(21 + seed);
		m->tag_bits = 128;
		break;
	case HSA_MECH_OTHER:
		/* ECSGParm, Type 3 */
		m->a = (struct hsa_slice){(const uint8_t *)"\x08\x03", 2};
		m->source_type = 7;
		break;
	default:
		break;
	}
}

void
hcall_request(struct hsa_call *c, enum hsa_fn fn)
{
	static struct hsa_attr attr[4], attr2[2];

	*c = (struct hsa_call){.fn = fn, .limited = true, .room = 300};
	memset(c->id, 0x1d, sizeof(c->id));
	c->state = slice(1);
	c->data = slice(2);
	c->signature = slice(3);
	c->key = slice(4);
	c->key2 = slice(5);
	c->key3 = slice(6);
	c->pin = slice(7);
	c->nonce = slice(8);
	hcall_mech(&c->mech, HSA_MECH_GCM, 0);
	hcall_mech(&c->mech2, HSA_MECH_OAEP, 1);
	for (size_t i = 0; i < 4; i++)
		attr[i] = (struct hsa_attr){.type = i == 0 ? 0 : 0x100 + i,
		    .p = slice(9 + i).p,
		    .n = slice(9 + i).n};
	if (fn == HSA_FN_GET_ATTRIBUTE_VALUE) {
		/* room 29, length only, and two of GREP11's kind */
		attr[1].p = NULL;
		attr[1].n = 0;
		attr[2].typed = attr[3].typed = true;
		attr[2].p = NULL;
		attr[2].n = 0;
	}
	for (size_t i = 0; i < 2; i++)
		attr2[i] = (struct hsa_attr){.type = 0x80010001 + i,
		    .p = slice(13 + i).p,
		    .n = slice(13 + i).n};
	c->attr = attr;
	c->attr_len = 4;
	c->attr2 = attr2;
	c->attr2_len = 2;
	c->number = 0x80010021;
}

static void
put(struct hsa_buf *b, size_t seed)
{
	hsa_buf_put(b, slice(seed).p, slice(seed).n);
}

static void
got(struct hsa_call *c)
{
	static const struct hsa_attr some[] = {
	    {.type = 0, .n = 8},
	    {.type = 0x11, .n = HSA_ATTR_UNAVAILABLE},
	    {.type = 0x100, .n = 0},
	    {.type = 0x129, .n = 412},
	    {.type = 0x162, .n = 1, .typed = true},
	    {.type = 0x163, .n = HSA_ATTR_UNAVAILABLE, .typed = true},
	};

	put(&c->out, 9);
	c->got_len = sizeof(some) / sizeof(some[0]);
	c->got = malloc(sizeof(some));
	if (c->got == NULL)
		abort();
	memcpy(c->got, some, sizeof(some));
	c->got[0].p = c->out.p;
	c->got[2].p = c->out.p + 8;
	c->got[4].p = c->out.p + 8;
}

void
hcall_reply(struct hsa_call *c, enum hsa_fn fn)
{
	static const uint64_t number[] = {0x1082, 0, 0x80010007, UINT64_MAX};
	const char *text = hsa_fn_text(fn);

	*c = (struct hsa_call){.fn = fn, .reason = 7, .needed = 77};
	switch (fn) {
	case HSA_FN_GET_MECHANISM_LIST:
		hsa_buf_put(&c->out, number, sizeof(number));
		return;
	case HSA_FN_GET_MECHANISM_INFO:
		hsa_buf_put(&c->out, number, 3 * sizeof(number[0]));
		return;
	case HSA_FN_GET_ATTRIBUTE_VALUE:
		got(c);
		return;
	case HSA_FN_LOGOUT:
	case HSA_FN_LOGOUT_EXTENDED:
	case HSA_FN_SEED_RANDOM:
	case HSA_FN_VERIFY:
	case HSA_FN_VERIFY_FINAL:
	case HSA_FN_VERIFY_SINGLE:
		return;
	case HSA_FN_GENERATE_KEY:
	case HSA_FN_GENERATE_KEY_PAIR:
	case HSA_FN_UNWRAP_KEY:
	case HSA_FN_DERIVE_KEY:
		put(&c->out2, 11);
		break;
	default:
		break;
	}
	if (strstr(text, "Init") != NULL || strstr(text, "Update") != NULL ||
	    fn == HSA_FN_DIGEST_KEY) {
		put(&c->new_state, 12);
		if (fn != HSA_FN_ENCRYPT_UPDATE && fn != HSA_FN_DECRYPT_UPDATE)
			return;
	}
	put(&c->out, 10);
}
