/*
 * host_op.h - one m_ function from its arguments to its outputs, by the
 * conventions of ep11-host-api 4. Builders remember the first argument that is
 * wrong, so that a function reads straight down and host_op_run answers for
 * all of it.
 *
 * What the library finds wrong by itself never reaches a unit and leaves no
 * event: NULL where bytes must be, lengths beyond what a request can hold.
 * Everything else is for the unit to refuse.
 */
#ifndef HOST_OP_H
#define HOST_OP_H
#include "ep11_pkcs11.h"
#include "hsa_call.h"

/* Room that a caller has, and where the length goes. */
struct host_room {
	uint8_t *p;
	CK_ULONG *n; /* in: room, out: length; NULL: not asked for */
};

struct host_op {
	struct hsa_call c;
	CK_RV bad;
	struct host_room out;   /* c.out, with length query */
	struct host_room blob;  /* c.out, without */
	struct host_room csum;  /* c.out2, not asked for when p or n is NULL */
	struct host_room pub;   /* c.out2 */
	struct host_room state; /* c.new_state */
	struct {
		uint8_t *p;
		size_t n;
		bool object; /* c.out, else c.new_state; of the same length */
	} in_place;
	struct hsa_attr attr[HSA_CALL_ATTR_MAX], attr2[HSA_CALL_ATTR_MAX];
};

/* host_op_new(fn) - wiped memory; NULL when there is none, which everything
 * below takes for CKR_HOST_MEMORY. host_op_run releases it. */
struct host_op *host_op_new(enum hsa_fn fn);

/* Inputs. Of a key or pin, NULL is "absent" whatever the length says. */
void host_op_key(
    struct host_op *o, struct hsa_slice *to, const void *p, size_t n);
void host_op_state(struct host_op *o, const void *p, size_t n);
void host_op_data(struct host_op *o, const void *p, CK_ULONG n);
void host_op_signature(struct host_op *o, const void *p, CK_ULONG n);
void host_op_mech(
    struct host_op *o, struct hsa_mech *to, const CK_MECHANISM *m);
void host_op_template(struct host_op *o, const CK_ATTRIBUTE *a, CK_ULONG n);
void host_op_template2(struct host_op *o, const CK_ATTRIBUTE *a, CK_ULONG n);

/*
 * Outputs. out: NULL asks for the length, which the unit gives. Key material
 * (blob, state, pub) has no length query; room that is too small for it is
 * found after the fact. update and object: the state or key blob is rewritten
 * where it is, on success, unless only a length was asked for.
 */
void host_op_out(struct host_op *o, void *p, CK_ULONG *n);
void host_op_blob(struct host_op *o, void *p, size_t *n);
void host_op_pub(struct host_op *o, void *p, size_t *n);
void host_op_new_state(struct host_op *o, void *p, size_t *n);
void host_op_update(struct host_op *o, void *p, size_t n);
void host_op_object(struct host_op *o, void *p, size_t n);

/* host_op_call(o, target) - only the call: its rv, with the reply in o->c, or
 * what is wrong with the arguments. host_op_free(o) - NULL-safe.
 * host_op_run(o, target) - the call, its outputs, and host_op_free. */
CK_RV host_op_call(struct host_op *o, uint64_t target);
CK_RV host_op_run(struct host_op *o, uint64_t target);
void host_op_free(struct host_op *o);

/* host_op_init(fn, ...) - a whole m_EncryptInit or of its shape: Decrypt, Sign,
 * Verify. */
CK_RV host_op_init(enum hsa_fn fn, unsigned char *state, size_t *state_len,
    const CK_MECHANISM *mech, const unsigned char *key, size_t key_len,
    uint64_t target);

/* host_out(r, p, n) - an output where its room is: CKR_BUFFER_TOO_SMALL with
 * the length when it does not fit. */
CK_RV host_out(const struct host_room *r, const void *p, size_t n);

#endif
