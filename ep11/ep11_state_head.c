/* The bytes of an operation state, without any key. */
#include <string.h>

#include "ep11_state.h"
#include "hsa_buf.h"
#include "hsa_cur.h"

#define LAYOUT 1

static const uint8_t zero[16];

void
ep11_state_head_put(struct hsa_buf *b, enum ep11_state_kind kind,
    const uint8_t iv[16], const uint8_t wkid[EP11_WKID_LEN], size_t body_len)
{
	hsa_buf_put(b, "ES", 2);
	hsa_buf_u8(b, LAYOUT);
	hsa_buf_u8(b, (uint8_t)kind);
	hsa_buf_put(b, iv, 16);
	hsa_buf_put(b, zero, 12);
	hsa_buf_put(b, wkid, EP11_WKID_LEN);
	hsa_buf_put(b, zero, 16);
	hsa_buf_be16(b, 0x3412);
	hsa_buf_be16(b, (uint16_t)body_len);
}

hsa_rc
ep11_state_decode(struct ep11_state_head *h, const void *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	const uint8_t *mark = NULL, *gap = NULL, *more = NULL;
	struct ep11_state_head got = {0};
	uint16_t version = 0, len = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_bytes(&c, &mark, 4));
	HSA_TRY(rc, hsa_cur_bytes(&c, &got.iv, 16));
	HSA_TRY(rc, hsa_cur_bytes(&c, &gap, 12));
	HSA_TRY(rc, hsa_cur_bytes(&c, &got.wkid, EP11_WKID_LEN));
	HSA_TRY(rc, hsa_cur_bytes(&c, &more, 16));
	HSA_TRY(rc, hsa_cur_be16(&c, &version));
	HSA_TRY(rc, hsa_cur_be16(&c, &len));
	HSA_TRY(rc, hsa_cur_bytes(&c, &got.body.p, len));
	got.body.n = len;
	HSA_TRY(rc, hsa_cur_bytes(&c, &got.mac, EP11_MAC_LEN));
	HSA_TRY(rc, hsa_cur_end(&c));
	rc = HSA_RC(E_FORMAT);
	if (memcmp(mark, "ES", 2) != 0 || mark[2] != LAYOUT ||
	    mark[3] < EP11_STATE_DIGEST || mark[3] > EP11_STATE_VERIFY ||
	    version != 0x3412 || memcmp(gap, zero, 12) != 0 ||
	    memcmp(more, zero, 16) != 0)
		goto out;
	got.kind = (enum ep11_state_kind)mark[3];
	got.maced.p = p;
	got.maced.n = n - EP11_MAC_LEN;
	rc = HSA_RC(E_RANGE);
	if (n > (got.kind == EP11_STATE_DIGEST ? EP11_STATE_DIGEST_MAX
					       : EP11_STATE_MAX))
		goto out;
	*h = got;
	rc = HSA_OK;
out:
	return rc;
}
