/*
 * ep11_core.h - the inside of the engine, for the files of this folder.
 */
#ifndef EP11_CORE_H
#define EP11_CORE_H
#include "ep11_cp.h"
#include "ep11_engine.h"
#include "ep11_key.h"
#include "ep11_mech.h"
#include "ep11_state.h"
#include "ep11_wk.h"

struct ep11_cache;  /* ep11_cache.h */
struct ep11_logins; /* ep11_login.h */

struct ep11_engine {
	struct ep11_token token;
	struct ep11_wk current, next;
	uint8_t cp[EP11_CP_LEN];
	uint64_t compliance;
	struct ep11_cache *cache;
	struct ep11_logins *logins;
};

/* What a caller hears of a token that fails at what no caller can spoil. */
static inline CK_RV
ep11_trouble(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_HOST_MEMORY || rv == CKR_DEVICE_MEMORY
		   ? rv
		   : CKR_FUNCTION_FAILED;
}

/* And of one that fails at bytes that a caller can spoil: bad, unless the
 * failure is plainly the token's own. Tokens say it in many ways, SoftHSM as a
 * general error. */
static inline CK_RV
ep11_spoiled(CK_RV rv, CK_RV bad)
{
	switch (rv) {
	case CKR_OK:
	case CKR_HOST_MEMORY:
	case CKR_DEVICE_MEMORY:
		return rv;
	case CKR_DEVICE_ERROR:
	case CKR_CRYPTOKI_NOT_INITIALIZED:
	case CKR_SESSION_COUNT:
	case CKR_SESSION_HANDLE_INVALID:
		return CKR_FUNCTION_FAILED;
	default:
		return bad;
	}
}

/*
 * One EP11 function. Returns what the call answers; fills in the reply. The
 * engine has checked the request against the limits of hsa_call.h and applies
 * length_only and room afterwards to c->out, so a handler may leave them to
 * it; one that can tell a length without the work may look at
 * c->length_only and set c->needed instead of c->out.
 */
typedef CK_RV ep11_do(struct ep11_engine *e, struct hsa_call *c);

ep11_do ep11_do_seed, ep11_do_random;               /* ep11_do_random.c */
ep11_do ep11_do_digest_init, ep11_do_digest_update, /* ep11_do_digest.c */
    ep11_do_digest_final, ep11_do_digest, ep11_do_digest_single;
ep11_do ep11_do_crypt_init, ep11_do_crypt_update, /* ep11_do_crypt.c: both */
    ep11_do_crypt_final, ep11_do_crypt, ep11_do_crypt_single,
    ep11_do_reencrypt_single;
ep11_do ep11_do_sign_init, ep11_do_sign_update, /* ep11_do_sign.c: both */
    ep11_do_sign_final, ep11_do_sign, ep11_do_sign_single;
ep11_do ep11_do_verify_final, ep11_do_verify, ep11_do_verify_single;
ep11_do ep11_do_generate_key, ep11_do_generate_pair; /* ep11_do_generate.c */
ep11_do ep11_do_wrap, ep11_do_unwrap;                /* ep11_do_wrap.c */
ep11_do ep11_do_derive;                              /* ep11_do_derive.c */
ep11_do ep11_do_rewrap;                              /* ep11_do_rewrap.c */
ep11_do ep11_do_mech_list, ep11_do_mech_info;        /* ep11_do_mech.c */
ep11_do ep11_do_attr_get, ep11_do_attr_set;          /* ep11_do_attr.c */
ep11_do ep11_do_login, ep11_do_logout;               /* ep11_do_login.c */

/*
 * ep11_crypt_once(e, out, encrypt, k, row, m, in) - a whole encryption or
 * decryption with a loaded key (ep11_do_crypt.c); what wrap and unwrap use.
 * ep11_sign_once(e, out, k, row, m, in), ep11_verify_once(...) - likewise.
 * ep11_csum(e, out, h, type, bits) - checksum of a new secret key
 * (ep11-host-api 4): check value(3) || key bits(4), ep11_make.c.
 */
CK_RV ep11_crypt_once(struct ep11_engine *e, struct hsa_buf *out, bool encrypt,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in);
CK_RV ep11_sign_once(struct ep11_engine *e, struct hsa_buf *out,
    const struct ep11_key *k, const struct ep11_mech_row *row,
    const struct hsa_mech *m, struct hsa_slice in);
CK_RV ep11_verify_once(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m,
    struct hsa_slice in, struct hsa_slice sig);
CK_RV ep11_csum(struct ep11_engine *e, struct hsa_buf *out, CK_OBJECT_HANDLE h,
    CK_KEY_TYPE type, uint32_t bits);

#endif
