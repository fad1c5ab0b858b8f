#include <string.h>

#include "ep11_cipher.h"
#include "ep11_use.h"
#include "hsa_hash.h"

#define GCM_IV_MAX 128 /* OpenSSL's; SoftHSM takes longer ones for 12 bytes */

enum mode {
	ECB,
	CBC,
	PAD,
	CTR,
	GCM
};

static enum mode
mode_of(const struct ep11_mech_row *row)
{
	switch (row->token) {
	case CKM_AES_ECB:
	case CKM_DES3_ECB:
		return ECB;
	case CKM_AES_CBC:
	case CKM_DES3_CBC:
		return CBC;
	case CKM_AES_CTR:
		return CTR;
	case CKM_AES_GCM:
		return GCM;
	default:
		return PAD;
	}
}

static size_t
block_of(const struct ep11_mech_row *row)
{
	return row->key_type == CKK_DES3 ? 8 : 16;
}

/* ---- parameters ---------------------------------------------------------- */

static CK_ULONG
counter_bits(const struct hsa_mech *m)
{
	CK_AES_CTR_PARAMS p;

	memcpy(&p, m->a.p, sizeof(p));
	return p.ulCounterBits;
}

CK_RV
ep11_cipher_check(const struct ep11_mech_row *row, const struct hsa_mech *m)
{
	switch (mode_of(row)) {
	case CTR:
		if (counter_bits(m) < 1 || counter_bits(m) > 128)
			return CKR_MECHANISM_PARAM_INVALID;
		return CKR_OK;
	case GCM:
		/* tags as NIST SP 800-38D has them: 32, 64, 96 to 128 bits */
		if (m->a.n < 1 || m->a.n > GCM_IV_MAX || m->tag_bits % 8 != 0 ||
		    m->tag_bits > 128 ||
		    (m->tag_bits < 96 && m->tag_bits != 64 &&
			m->tag_bits != 32))
			return CKR_MECHANISM_PARAM_INVALID;
		return CKR_OK;
	default:
		return CKR_OK;
	}
}

/* The token's mechanism with its parameter; chain NULL: as the call has it. */
struct param {
	CK_MECHANISM m;
	CK_AES_CTR_PARAMS ctr;
	CK_GCM_PARAMS gcm;
};

static void
param_of(struct param *p, const struct ep11_mech_row *row,
    const struct hsa_mech *m, const struct ep11_chain *chain)
{
	p->m.mechanism = row->token;
	p->m.pParameter = NULL;
	p->m.ulParameterLen = 0;
	switch (mode_of(row)) {
	case ECB:
		return;
	case CTR:
		memcpy(&p->ctr, m->a.p, sizeof(p->ctr));
		if (chain != NULL)
			memcpy(p->ctr.cb, chain->value, sizeof(p->ctr.cb));
		p->m.pParameter = &p->ctr;
		p->m.ulParameterLen = sizeof(p->ctr);
		return;
	case GCM:
		p->gcm.pIv = ep11_input(m->a.p);
		p->gcm.ulIvLen = m->a.n;
		p->gcm.ulIvBits = m->a.n * 8;
		p->gcm.pAAD = ep11_input(m->b.p);
		p->gcm.ulAADLen = m->b.n;
		p->gcm.ulTagBits = m->tag_bits;
		p->m.pParameter = &p->gcm;
		p->m.ulParameterLen = sizeof(p->gcm);
		return;
	default:
		p->m.pParameter =
		    ep11_input(chain != NULL ? chain->value : m->a.p);
		p->m.ulParameterLen = m->a.n;
	}
}

/* ---- whole --------------------------------------------------------------- */

static CK_RV
length_fits(const struct ep11_mech_row *row, const struct hsa_mech *m,
    bool encrypt, size_t n)
{
	bool whole = n % block_of(row) == 0;
	bool good = true;

	switch (mode_of(row)) {
	case ECB:
	case CBC:
		good = whole;
		break;
	case PAD:
		good = encrypt || (whole && n != 0);
		break;
	case GCM:
		good = encrypt || n >= m->tag_bits / 8;
		break;
	default:
		break;
	}
	if (good)
		return CKR_OK;
	return encrypt ? CKR_DATA_LEN_RANGE : CKR_ENCRYPTED_DATA_LEN_RANGE;
}

size_t
ep11_cipher_len(const struct ep11_mech_row *row, const struct hsa_mech *m,
    bool encrypt, size_t n)
{
	if (ep11_cipher_check(row, m) != CKR_OK ||
	    length_fits(row, m, encrypt, n) != CKR_OK)
		return 0;
	switch (mode_of(row)) {
	case PAD:
		return encrypt ? n - n % block_of(row) + block_of(row) : 0;
	case GCM:
		return encrypt ? n + m->tag_bits / 8 : n - m->tag_bits / 8;
	default:
		return n;
	}
}

static CK_RV
whole(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, const struct ep11_chain *chain,
    struct hsa_slice in)
{
	CK_RV rv = length_fits(row, m, encrypt, in.n);
	struct param p;

	if (rv != CKR_OK)
		return rv;
	/* nothing in, nothing out; padding and tags come of nothing too */
	if (in.n == 0 && mode_of(row) != PAD && mode_of(row) != GCM)
		return CKR_OK;
	param_of(&p, row, m, chain);
	return ep11_use_crypt(e, out, encrypt, &p.m, k->h, in, in.n + 16,
	    encrypt ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID);
}

CK_RV
ep11_cipher_once(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in)
{
	CK_RV rv = ep11_cipher_check(row, m);

	if (rv != CKR_OK)
		return rv;
	return whole(e, out, encrypt, k, row, m, NULL, in);
}

/* ---- in parts ------------------------------------------------------------ */

static void
chain_begin(struct ep11_chain *chain, const struct ep11_mech_row *row,
    const struct hsa_mech *m)
{
	memset(chain, 0, sizeof(*chain));
	if (mode_of(row) == CTR) {
		CK_AES_CTR_PARAMS p;

		memcpy(&p, m->a.p, sizeof(p));
		memcpy(chain->value, p.cb, sizeof(p.cb));
	} else if (m->a.n != 0 && m->a.n <= sizeof(chain->value)) {
		memcpy(chain->value, m->a.p, m->a.n);
	}
}

/* The counter after so many blocks. The token has refused data for more values
 * than its low bits have left, so these are zero only after the last one. */
static void
count_on(struct ep11_chain *chain, CK_ULONG bits, size_t blocks)
{
	uint64_t carry = blocks;
	bool zero = true;

	for (size_t i = sizeof(chain->value); i-- != 0;) {
		carry += chain->value[i];
		chain->value[i] = (uint8_t)carry;
		carry >>= 8;
	}
	for (CK_ULONG i = 0; i < bits; i++)
		if ((chain->value[15 - i / 8] >> i % 8 & 1) != 0)
			zero = false;
	if (zero)
		chain->spent = 1;
}

/* in: complete blocks. The chain goes on by what came in or out. */
static CK_RV
blocks(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct ep11_chain *chain, struct hsa_slice in)
{
	size_t block = block_of(row), at = out->len;
	struct ep11_mech_row plain = *row;
	CK_RV rv;

	if (in.n == 0)
		return CKR_OK;
	if (mode_of(row) == PAD) /* padding is Final's */
		plain.token = block == 8 ? CKM_DES3_CBC : CKM_AES_CBC;
	rv = whole(e, out, encrypt, k, &plain, m, chain, in);
	if (rv != CKR_OK)
		return rv;
	if (out->len - at != in.n)
		return CKR_FUNCTION_FAILED;
	if (mode_of(row) == CTR)
		count_on(chain, counter_bits(m), in.n / block);
	else if (encrypt)
		memcpy(chain->value, out->p + out->len - block, block);
	else
		memcpy(chain->value, in.p + in.n - block, block);
	return CKR_OK;
}

static CK_RV
chain_of(struct ep11_chain **chain, const struct ep11_mech_row *row,
    struct ep11_op *op)
{
	if (op->work_len != sizeof(**chain))
		return CKR_SAVED_STATE_INVALID;
	if (!op->fed)
		chain_begin((struct ep11_chain *)op->work, row, &op->mech);
	*chain = ep11_chain_of(op);
	if (*chain == NULL || (*chain)->held_len > block_of(row))
		return CKR_SAVED_STATE_INVALID;
	return CKR_OK;
}

CK_RV
ep11_cipher_update(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    struct ep11_op *op, struct hsa_slice in)
{
	size_t block = block_of(row), all, now, taken;
	struct ep11_chain *chain = NULL;
	struct hsa_buf joined = {0};
	struct hsa_slice part = in;
	CK_RV rv;

	if (mode_of(row) == GCM)
		return CKR_FUNCTION_NOT_SUPPORTED;
	rv = chain_of(&chain, row, op);
	if (rv != CKR_OK)
		return rv;
	if (chain->spent != 0 && in.n != 0)
		return encrypt ? CKR_DATA_LEN_RANGE
			       : CKR_ENCRYPTED_DATA_LEN_RANGE;
	all = chain->held_len + in.n;
	now = all - all % block;
	/* the last block may be the padding's */
	if (mode_of(row) == PAD && !encrypt && now == all && now != 0)
		now -= block;
	if (now == 0) {
		if (in.n != 0)
			memcpy(chain->held + chain->held_len, in.p, in.n);
		chain->held_len = (uint8_t)all;
		return CKR_OK;
	}
	taken = now - chain->held_len;
	part.n = taken;
	if (chain->held_len != 0) {
		hsa_buf_put(&joined, chain->held, chain->held_len);
		hsa_buf_put(&joined, in.p, taken);
		part = (struct hsa_slice){joined.p, joined.len};
	}
	rv = joined.failed
		 ? CKR_HOST_MEMORY
		 : blocks(e, out, encrypt, k, row, &op->mech, chain, part);
	if (rv == CKR_OK) {
		hsa_wipe(chain->held, sizeof(chain->held));
		chain->held_len = (uint8_t)(all - now);
		if (all != now)
			memcpy(chain->held, in.p + taken, all - now);
		/* a counter spent by these blocks has none for the rest */
		if (chain->spent != 0 && chain->held_len != 0)
			rv = encrypt ? CKR_DATA_LEN_RANGE
				     : CKR_ENCRYPTED_DATA_LEN_RANGE;
	}
	hsa_buf_free(&joined);
	return rv;
}

CK_RV
ep11_cipher_final(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    struct ep11_op *op)
{
	struct ep11_chain *chain = NULL;
	struct hsa_slice rest = {0};
	CK_RV rv;

	if (mode_of(row) == GCM)
		return whole(e, out, encrypt, k, row, &op->mech, NULL, rest);
	rv = chain_of(&chain, row, op);
	if (rv != CKR_OK)
		return rv;
	rest = (struct hsa_slice){chain->held, chain->held_len};
	return whole(e, out, encrypt, k, row, &op->mech, chain, rest);
}
