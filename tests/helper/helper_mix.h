/*
 * helper_mix.h - bytes of a fuzzer made into calls of the EP11 engine.
 *
 * What a call needs of earlier ones (keys, states, ciphertexts, signatures,
 * wrapped keys, pin blobs) comes of a pool: seeds that are made once, and what
 * the calls of this input gave. Zero bytes, and an input at its end, give the
 * sane choice; so short inputs are calls that succeed.
 */
#ifndef HELPER_MIX_H
#define HELPER_MIX_H
#include "helper_ep11.h"

/* What does not hold is a finding: says so and ends the process. */
#define mix_must(holds) mix_must_at((holds), #holds, __FILE__, __LINE__)
void mix_must_at(bool holds, const char *what, const char *file, int line);

/* ---- the pool ------------------------------------------------------------ */

enum mix_kind {
	MIX_KEY = 1,   /* blob or MACed public key: cls, type, mate */
	MIX_FOREIGN,   /* blob under another master key */
	MIX_STATE,     /* fn: its Init; key, mech; fed, given */
	MIX_CIPHER,    /* ciphertext of fed */
	MIX_SIGNATURE, /* signature of fed */
	MIX_WRAPPED,   /* key (the KEK), mech; cls and type of what is inside */
	MIX_PIN,       /* pin blob */
	MIX_SPKI,      /* bare */
	MIX_POINT      /* public value for ECDH and DH; type */
};

struct mix_item {
	enum mix_kind kind;
	struct hsa_buf b;
	CK_OBJECT_CLASS cls;
	CK_KEY_TYPE type;
	bool bound; /* to its attributes */
	int mate;   /* the pair's other half; -1: none */
	int key;    /* that it was made with; -1: not known */
	enum hsa_fn fn;
	struct hsa_mech mech; /* into a1 and a2 */
	struct hsa_buf a1, a2;
	struct hsa_buf fed, given; /* into and out of an operation so far */
};

#define MIX_ITEMS 160
#define MIX_HELD 512

struct mix {
	struct helper_ep11 h;
	struct mix_item item[MIX_ITEMS];
	int items, seeds;
	struct hsa_buf group[3]; /* p, q, g of DSA and DH */
	/* of the input that runs */
	const uint8_t *p;
	size_t n;
	void *held[MIX_HELD]; /* exact copies, freed after each call */
	size_t held_len;
	unsigned int logins, pairs; /* of DSA and DH */
	unsigned long inputs, rsa;  /* run, and RSA pairs made for them */
};

/* mix_make(x) - token, engine, seeds. mix_free(x).
 * mix_begin(x, p, n), mix_end(x) - an input; end forgets what it made. */
void mix_make(struct mix *x);
void mix_free(struct mix *x);
void mix_begin(struct mix *x, const uint8_t *p, size_t n);
void mix_end(struct mix *x);

/* mix_add(x, kind, p, n) - a new item, NULL when the pool is full.
 * mix_add_key(x, b) - a blob or MACed SPKI as it came out of the engine. */
struct mix_item *mix_add(
    struct mix *x, enum mix_kind kind, const void *p, size_t n);
struct mix_item *mix_add_key(struct mix *x, const struct hsa_buf *b);
int mix_index(const struct mix *x, const struct mix_item *i);
/* The newest item of a kind; -1: none. */
int mix_newest(const struct mix *x, enum mix_kind kind);
/* Notes with what an item was made. */
void mix_made_with(
    struct mix *x, struct mix_item *i, const struct hsa_mech *m, int key);

/* ---- bytes --------------------------------------------------------------- */

/* Zero at the end of the input. */
uint8_t mix_u8(struct mix *x);
uint16_t mix_u16(struct mix *x);
uint64_t mix_u64(struct mix *x);
/* An exact copy that lives until mix_drop. */
struct hsa_slice mix_copy(struct mix *x, const void *p, size_t n);
struct hsa_slice mix_bytes(struct mix *x);          /* of any length */
struct hsa_slice mix_some(struct mix *x, size_t n); /* of n bytes */
void mix_drop(struct mix *x);

/* ---- calls --------------------------------------------------------------- */

enum mix_arg_at {
	MIX_ARG_STATE,
	MIX_ARG_KEY,
	MIX_ARG_KEY2,
	MIX_ARG_KEY3,
	MIX_ARG_PIN,
	MIX_ARG_DATA,
	MIX_ARG_SIGNATURE,
	MIX_ARGS
};
struct mix_arg {
	int item;     /* that it came of; -1: none */
	bool genuine; /* it is, byte for byte, the item */
	bool flipped; /* some bytes of it were changed, the length was not */
};

struct mix_call {
	struct hsa_call c;
	struct mix_arg arg[MIX_ARGS];
	struct hsa_attr attr[2][HSA_CALL_ATTR_MAX + 1];
};

/* mix_next(x, m) - the next call of the input; false at its end. The slices
 * live until mix_drop. mix_flag(fn) - CKF_ENCRYPT for its forms, and so on; 0:
 * none. */
bool mix_next(struct mix *x, struct mix_call *m);
CK_FLAGS mix_flag(enum hsa_fn fn);
/* helper_mix_param.c: mechanism of a row with a parameter; templates. */
void mix_param(
    struct mix *x, struct hsa_mech *m, const struct ep11_mech_row *row);
size_t mix_template(struct mix *x, struct hsa_attr a[HSA_CALL_ATTR_MAX + 1],
    enum hsa_fn fn, const struct ep11_mech_row *row, bool second);

#endif
