/*
 * ep11_make.h - a new key on its way from template to blob: what generation,
 * unwrapping and derivation share.
 */
#ifndef EP11_MAKE_H
#define EP11_MAKE_H
#include "ep11_core.h"
#include "ep11_pkey.h"

struct ep11_make {
	struct ep11_template t; /* of the call: attr */
	CK_OBJECT_CLASS cls;
	CK_KEY_TYPE type;
	uint32_t bits, bools;
	const struct ep11_curve *curve; /* EC */
	bool bound;
	uint8_t session[EP11_SESSION_LEN];
};

/* A template for the token; borrows bytes, owns numbers. Do not copy it. */
struct ep11_attrs {
	CK_ATTRIBUTE a[24];
	CK_ULONG num[24];
	size_t n;
};
/* ep11_attrs_key(t, cls, type, secret) - class, type and every use that the
 * class has in PKCS #11: what the key may do is in its booleans. secret: its
 * value cannot be read (it always wraps, or there would be no blob).
 * ep11_attrs_num, ep11_attrs_bytes - one more. */
void ep11_attrs_key(
    struct ep11_attrs *t, CK_OBJECT_CLASS cls, CK_KEY_TYPE type, bool secret);
void ep11_attrs_num(struct ep11_attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG v);
void ep11_attrs_bytes(
    struct ep11_attrs *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n);

/*
 * ep11_make_begin(e, m, c) - the template and the session of the call, which
 * may say no: what ep11_template_read and ep11_key_session answer,
 * CKR_IBM_MODE_CONFLICT for a compliance that is not the domain's.
 * ep11_make_secret(e, m, type, len) - then type and length in bytes of a
 * secret key: CKR_TEMPLATE_INCONSISTENT for attributes that it cannot have,
 * CKR_KEY_SIZE_RANGE, policy, booleans.
 * ep11_make_private(e, m, k) - the same for a private key (ep11_pkey.h): also
 * what its curve cannot be used for.
 */
CK_RV ep11_make_begin(
    struct ep11_engine *e, struct ep11_make *m, struct hsa_call *c);
CK_RV ep11_make_secret(const struct ep11_engine *e, struct ep11_make *m,
    CK_KEY_TYPE type, uint64_t len);
CK_RV ep11_make_private(const struct ep11_engine *e, struct ep11_make *m,
    const struct ep11_pkey *k);

/*
 * ep11_make_bools(e, word, t, cls, type, curve) - ep11_bools_new, less what
 * the curve is not made for (Edwards keys sign, Montgomery keys derive);
 * CKR_TEMPLATE_INCONSISTENT when the template asks for it.
 */
CK_RV ep11_make_bools(const struct ep11_engine *e, uint32_t *word,
    const struct ep11_template *t, CK_OBJECT_CLASS cls, CK_KEY_TYPE type,
    const struct ep11_curve *curve);

/*
 * ep11_make_value(e, h, m, v, n) - a token object of a secret value.
 * ep11_make_cut(e, h, m, n) - the object h was made readable and holds more
 * than the n bytes of the value: h becomes one that holds those (exposure row
 * SECRET_LENGTH). On failure h is what it was.
 * ep11_make_length(e, n, h) - bytes of the value of an object that was made
 * readable: its length alone is asked for.
 */
CK_RV ep11_make_value(struct ep11_engine *e, CK_OBJECT_HANDLE *h,
    const struct ep11_make *m, const void *v, size_t n);
CK_RV ep11_make_cut(struct ep11_engine *e, CK_OBJECT_HANDLE *h,
    const struct ep11_make *m, size_t n);
CK_RV ep11_make_length(struct ep11_engine *e, size_t *n, CK_OBJECT_HANDLE h);

/*
 * ep11_make_done(e, c, m, h) - a secret key in the token: blob and checksum
 * into c's outputs. The caller destroys h.
 * ep11_make_done_private(e, c, m, h, k, bools) - a private key: blob and the
 * MACed public half, which gets bools. h 0: a key that the token does not
 * wrap, from k. The caller destroys h.
 * ep11_make_mirror(bools) - the public half's booleans by the private's.
 */
CK_RV ep11_make_done(struct ep11_engine *e, struct hsa_call *c,
    const struct ep11_make *m, CK_OBJECT_HANDLE h);
CK_RV ep11_make_done_private(struct ep11_engine *e, struct hsa_call *c,
    const struct ep11_make *m, CK_OBJECT_HANDLE h, const struct ep11_pkey *k,
    uint32_t bools);
uint32_t ep11_make_mirror(uint32_t bools);

/* Does the token wrap private keys of this kind? See ED_KEYGEN in
 * ep11_exposure.def. */
bool ep11_make_wraps(const struct ep11_curve *curve);

/* Destroy a handle that may be 0; what stays goes with the token's session. */
void ep11_make_drop(struct ep11_engine *e, CK_OBJECT_HANDLE h);

#endif
