/*
 * ep11_kek.h - what WrapKey and UnwrapKey share: the key that wraps, and the
 * rules between it, the mechanism and what is wrapped.
 */
#ifndef EP11_KEK_H
#define EP11_KEK_H
#include "ep11_core.h"

struct ep11_kek {
	struct ep11_key *k; /* in use; ep11_kek_put */
	struct ep11_key bare;
	bool is_bare;
	const struct ep11_mech_row *row;
};

/*
 * ep11_kek_get(e, kek, c, flag) - c->mech for CKF_WRAP or CKF_UNWRAP and
 * c->key2, held until ep11_kek_put. To wrap, a bare SPKI will do while control
 * point 45 is on.
 *   CKR_FUNCTION_CANCELED  a control point: 8 to 11, 16, 45
 *   CKR_WRAPPING_KEY_TYPE_INCONSISTENT, CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT
 *       the key is not of the mechanism's kind; attribute-bound keys wrap by
 *       CKM_IBM_ATTRIBUTEBOUND_WRAP, and only they do
 *   and what ep11_mech_use, ep11_key_get and ep11_policy_key answer.
 */
CK_RV ep11_kek_get(struct ep11_engine *e, struct ep11_kek *kek,
    struct hsa_call *c, CK_FLAGS flag);
void ep11_kek_put(struct ep11_engine *e, struct ep11_kek *kek);

/*
 * ep11_kek_may(e, kek, k) - may k leave under kek?
 *   CKR_KEY_NOT_WRAPPABLE      public; trusted keys only, and this is none;
 *                              attribute-bound or not, unlike the mechanism
 *   CKR_KEY_UNEXTRACTABLE
 *   CKR_WRAPPING_KEY_SIZE_RANGE weaker than k, and control point 44 is off
 */
CK_RV ep11_kek_may(const struct ep11_engine *e, const struct ep11_kek *kek,
    const struct ep11_key *k);

/*
 * The mechanism as the token takes it; params must live as long. inside: the
 * token can do the whole of it (OAEP: SHA-1 without a label alone).
 */
struct ep11_kek_mech {
	CK_MECHANISM m;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
	bool inside;
	size_t block; /* CBC: 8 or 16, else 0 */
	bool pad;     /* CBC_PAD */
};
void ep11_kek_mech(struct ep11_kek_mech *to, const struct ep11_kek *kek,
    const struct hsa_mech *m);

#endif
