/* Verbs that use a key or none: sign, verify, encrypt, decrypt, digest,
 * random. Data that fits one call goes in one; more goes piece by piece. */
#include <string.h>

#include "epc_session.h"

#define PIECE ((size_t)HSA_CALL_DATA_MAX)
#define STATE_MAX 12288u
#define MORE 4096u /* what an output may be longer than its input */

struct use {
	struct epc_session *s;
	struct epc_mech mech;
	struct hsa_buf key, in, out, state, piece;
	struct epc_in file;
	bool whole; /* all of the input is in `in` */
};

static void
use_free(struct use *u)
{
	epc_mech_free(&u->mech);
	hsa_buf_free(&u->key);
	hsa_buf_free(&u->in);
	hsa_buf_free(&u->out);
	hsa_buf_free(&u->state);
	hsa_buf_free(&u->piece);
	epc_in_close(&u->file);
}

/* Mechanism, key, and the input as far as it fits one call. */
static hsa_rc
use_begin(struct use *u, bool keyed)
{
	struct epc_session *s = u->s;
	hsa_rc rc;

	u->file.fd = -1;
	HSA_TRY(rc,
	    epc_mech_set(&u->mech, s->opt.mechanism, &s->opt.param, &s->diag));
	if (keyed)
		HSA_TRY(rc, epc_key(s, &u->key, s->opt.key, "--key"));
	HSA_TRY(rc, epc_in_open(&u->file, s->opt.in, &s->diag));
	HSA_TRY(rc, epc_in_read(&u->file, &u->in, PIECE, &s->diag));
	u->whole = u->in.len < PIECE;
	if (!u->whole) { /* or exactly so long */
		HSA_TRY(rc, epc_in_read(&u->file, &u->piece, 1, &s->diag));
		u->whole = u->piece.len == 0;
	}
	HSA_TRY(rc, epc_up(s));
	HSA_TRY(rc, epc_room(&u->state, STATE_MAX));
out:
	return rc;
}

/* The next piece into `in`; false at the end. The first is there already, and
 * of the second the first byte. */
static hsa_rc
use_next(struct use *u, bool *more)
{
	hsa_rc rc;

	hsa_buf_reset(&u->in);
	hsa_buf_put(&u->in, u->piece.p, u->piece.len);
	hsa_buf_reset(&u->piece);
	HSA_TRY(rc, hsa_buf_rc(&u->in));
	HSA_TRY(
	    rc, epc_in_read(&u->file, &u->in, PIECE - u->in.len, &u->s->diag));
	*more = u->in.len != 0;
out:
	return rc;
}

static size_t
rounded(const struct hsa_buf *in)
{
	return in->len + MORE;
}

/* What an update answered: some mechanisms are for whole data only. */
static hsa_rc
checked(struct use *u, CK_RV rv)
{
	hsa_rc rc = epc_check(u->s, rv);

	if (rv == CKR_FUNCTION_NOT_SUPPORTED)
		hsa_diag_set(&u->s->diag,
		    "CKR_FUNCTION_NOT_SUPPORTED (0x54): more than %zu bytes "
		    "go piece by piece, and this mechanism has no pieces; "
		    "fix: use less data or another mechanism",
		    PIECE);
	return rc;
}

/* ---- sign, verify, digest ------------------------------------------------ */

static hsa_rc
feed(struct use *u,
    CK_RV (*update)(unsigned char *, size_t, CK_BYTE_PTR, CK_ULONG, target_t))
{
	bool more = true;
	hsa_rc rc = HSA_OK;

	while (more) {
		HSA_TRY(rc, checked(u, update(u->state.p, u->state.len, u->in.p,
					   u->in.len, u->s->target)));
		HSA_TRY(rc, use_next(u, &more));
	}
out:
	return rc;
}

static hsa_rc
sign(struct use *u)
{
	const target_t t = u->s->target;
	CK_ULONG n = MORE;
	hsa_rc rc;

	HSA_TRY(rc, epc_room(&u->out, n));
	if (u->whole) {
		HSA_TRY(rc, epc_check(u->s,
				m_SignSingle(u->key.p, u->key.len, &u->mech.m,
				    u->in.p, u->in.len, u->out.p, &n, t)));
	} else {
		HSA_TRY(rc,
		    epc_check(u->s, m_SignInit(u->state.p, &u->state.len,
					&u->mech.m, u->key.p, u->key.len, t)));
		HSA_TRY(rc, feed(u, m_SignUpdate));
		HSA_TRY(
		    rc, epc_check(u->s, m_SignFinal(u->state.p, u->state.len,
					    u->out.p, &n, t)));
	}
	u->out.len = n;
	HSA_TRY(rc, epc_out(u->s, "signature", u->out.p, u->out.len));
out:
	return rc;
}

static hsa_rc
verify(struct use *u)
{
	const target_t t = u->s->target;
	const char *path = u->s->opt.signature;
	hsa_rc rc;

	if (path == NULL)
		return hsa_fail(&u->s->diag, HSA_RC(E_ARG),
		    "which signature? fix: --signature FILE");
	HSA_TRY(rc, epc_file_read(&u->out, path, HSA_BLOB_MAX, &u->s->diag));
	if (u->whole) {
		rc = epc_check(
		    u->s, m_VerifySingle(u->key.p, u->key.len, &u->mech.m,
			      u->in.p, u->in.len, u->out.p, u->out.len, t));
	} else {
		HSA_TRY(rc,
		    epc_check(u->s, m_VerifyInit(u->state.p, &u->state.len,
					&u->mech.m, u->key.p, u->key.len, t)));
		HSA_TRY(rc, feed(u, m_VerifyUpdate));
		rc = epc_check(u->s, m_VerifyFinal(u->state.p, u->state.len,
					 u->out.p, u->out.len, t));
	}
	if (hsa_is_ok(rc))
		epc_say(u->s, "signature", "good");
out:
	return rc;
}

static hsa_rc
digest(struct use *u)
{
	const target_t t = u->s->target;
	CK_ULONG n = MORE;
	hsa_rc rc;

	HSA_TRY(rc, epc_room(&u->out, n));
	if (u->whole) {
		HSA_TRY(rc, epc_check(u->s, m_DigestSingle(&u->mech.m, u->in.p,
						u->in.len, u->out.p, &n, t)));
	} else {
		HSA_TRY(rc, epc_check(u->s, m_DigestInit(u->state.p,
						&u->state.len, &u->mech.m, t)));
		HSA_TRY(rc, feed(u, m_DigestUpdate));
		HSA_TRY(
		    rc, epc_check(u->s, m_DigestFinal(u->state.p, u->state.len,
					    u->out.p, &n, t)));
	}
	HSA_TRY(rc, epc_out(u->s, "digest", u->out.p, n));
out:
	return rc;
}

/* ---- encrypt, decrypt ---------------------------------------------------- */

/* Nothing of the output leaves before the last call said yes: a forged end
 * must not leave a plausible beginning. */
struct crypt {
	CK_RV(*single)
	(const unsigned char *, size_t, CK_MECHANISM_PTR, CK_BYTE_PTR, CK_ULONG,
	    CK_BYTE_PTR, CK_ULONG_PTR, target_t);
	CK_RV(*init)
	(unsigned char *, size_t *, CK_MECHANISM_PTR, const unsigned char *,
	    size_t, target_t);
	CK_RV(*update)
	(unsigned char *, size_t, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
	    CK_ULONG_PTR, target_t);
	CK_RV(*final)
	(const unsigned char *, size_t, CK_BYTE_PTR, CK_ULONG_PTR, target_t);
	const char *name; /* of the output */
};

static hsa_rc
crypt_pieces(struct use *u, const struct crypt *c)
{
	const target_t t = u->s->target;
	uint8_t *to = NULL;
	bool more = true;
	CK_ULONG n = 0;
	hsa_rc rc;

	HSA_TRY(rc, epc_check(u->s, c->init(u->state.p, &u->state.len,
					&u->mech.m, u->key.p, u->key.len, t)));
	while (more) {
		n = rounded(&u->in);
		to = hsa_buf_reserve(&u->out, n);
		if (to == NULL)
			return HSA_RC(E_NOMEM);
		HSA_TRY(rc, checked(u, c->update(u->state.p, u->state.len,
					   u->in.p, u->in.len, to, &n, t)));
		u->out.len += n;
		HSA_TRY(rc, use_next(u, &more));
	}
	n = PIECE + MORE;
	to = hsa_buf_reserve(&u->out, n);
	if (to == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(
	    rc, epc_check(u->s, c->final(u->state.p, u->state.len, to, &n, t)));
	u->out.len += n;
out:
	return rc;
}

static hsa_rc
crypt_all(struct use *u, const struct crypt *c)
{
	CK_ULONG n = rounded(&u->in);
	hsa_rc rc;

	if (u->whole) {
		HSA_TRY(rc, epc_room(&u->out, n));
		HSA_TRY(rc, epc_check(u->s, c->single(u->key.p, u->key.len,
						&u->mech.m, u->in.p, u->in.len,
						u->out.p, &n, u->s->target)));
		u->out.len = n;
	} else {
		HSA_TRY(rc, crypt_pieces(u, c));
	}
	HSA_TRY(rc, epc_out(u->s, c->name, u->out.p, u->out.len));
out:
	return rc;
}

/* ---- verbs --------------------------------------------------------------- */

static hsa_rc
with(struct epc_session *s, bool keyed, hsa_rc (*act)(struct use *))
{
	struct use u = {.s = s};
	hsa_rc rc;

	HSA_TRY(rc, use_begin(&u, keyed));
	HSA_TRY(rc, act(&u));
out:
	use_free(&u);
	return rc;
}

static hsa_rc
act_encrypt(struct use *u)
{
	static const struct crypt c = {m_EncryptSingle, m_EncryptInit,
	    m_EncryptUpdate, m_EncryptFinal, "ciphertext"};

	return crypt_all(u, &c);
}

static hsa_rc
act_decrypt(struct use *u)
{
	static const struct crypt c = {m_DecryptSingle, m_DecryptInit,
	    m_DecryptUpdate, m_DecryptFinal, "plaintext"};

	return crypt_all(u, &c);
}

static hsa_rc
run_sign(struct epc_session *s)
{
	return with(s, true, sign);
}

static hsa_rc
run_verify(struct epc_session *s)
{
	s->facts_only = true;
	return with(s, true, verify);
}

static hsa_rc
run_encrypt(struct epc_session *s)
{
	return with(s, true, act_encrypt);
}

static hsa_rc
run_decrypt(struct epc_session *s)
{
	return with(s, true, act_decrypt);
}

static hsa_rc
run_digest(struct epc_session *s)
{
	return with(s, false, digest);
}

static hsa_rc
run_random(struct epc_session *s)
{
	struct hsa_buf out = {0};
	uint8_t *to = NULL;
	uint64_t n = 0;
	size_t k = 0;
	hsa_rc rc;

	HSA_TRY(rc, epc_number(&n, s->opt.line.args[0], &s->diag));
	if (n == 0 || n > 64u * PIECE) {
		rc = hsa_fail(&s->diag, HSA_RC(E_ARG), "1 to %zu bytes, not %s",
		    64u * PIECE, s->opt.line.args[0]);
		goto out;
	}
	HSA_TRY(rc, epc_up(s));
	while (out.len < n) {
		k = n - out.len < PIECE ? (size_t)n - out.len : PIECE;
		to = hsa_buf_reserve(&out, k);
		if (to == NULL) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
		HSA_TRY(rc, epc_check(s, m_GenerateRandom(to, k, s->target)));
		out.len += k;
	}
	HSA_TRY(rc, epc_out(s, "random", out.p, out.len));
out:
	hsa_buf_free(&out);
	return rc;
}

#define CRYPT                                                                  \
	(EPC_OPT_KEY | EPC_OPT_MECH | EPC_OPT_IN | EPC_OPT_OUT | EPC_OPT_HEX)

const struct epc_verb epc_verbs_use[] = {
    {{"encrypt", "", "Encrypt",
	 "ep11 encrypt --key k --mechanism AES_GCM --param iv=HEX,aad=HEX",
	 CRYPT, 0, 0},
	run_encrypt},
    {{"decrypt", "", "Decrypt",
	 "Nothing is written unless all of the input is good.", CRYPT, 0, 0},
	run_decrypt},
    {{"sign", "", "Sign, or make a MAC",
	 "ECDSA signatures are r and s side by side, as PKCS #11 has them.",
	 CRYPT, 0, 0},
	run_sign},
    {{"verify", "", "Verify a signature or a MAC",
	 "Exit status 1 when it is wrong.",
	 EPC_OPT_KEY | EPC_OPT_MECH | EPC_OPT_IN | EPC_OPT_SIG, 0, 0},
	run_verify},
    {{"digest", "", "Hash", "ep11 digest --mechanism SHA256 --in FILE --hex",
	 EPC_OPT_MECH | EPC_OPT_IN | EPC_OPT_OUT | EPC_OPT_HEX, 0, 0},
	run_digest},
    {{"random", "BYTES", "Random bytes of the unit", "",
	 EPC_OPT_OUT | EPC_OPT_HEX, 1, 1},
	run_random},
    {.is = {.name = NULL}},
};
