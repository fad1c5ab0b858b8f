/*
 * eb_case.h - what is measured: one EP11 call, and the direct Cryptoki call
 * of which it is made.
 */
#ifndef EB_CASE_H
#define EB_CASE_H
#include <stdbool.h>
#include "cryptounit.h"
#include "eb_bare.h"
#include "eb_lttng.h"
#include "eb_raw.h"
#include "eb_socket.h"
#include "hsa_call.h"

#define EB_DATA 1024
#define EB_FILL 0x5a
#define EB_UNCACHED 1536 /* keys: more than the unit's cache holds (1024) */

/* The keys that the cases use, as blobs of the unit. */
struct eb_keys {
	struct hsa_buf aes, mac, ec, ec_pub, rsa, signature;
	struct hsa_buf many[EB_UNCACHED]; /* AES, made when asked for */
	size_t many_len;
};

/* One thread's call, ready to be made again and again. */
struct eb_call {
	struct cryptounit *u;
	const struct hsa_caller *caller;
	struct hsa_call c;
	struct hsa_attr attr;
	uint64_t value, count;
	uint8_t data[EB_DATA], iv[16];
	const struct eb_keys *keys;
	bool uncached;
	struct eb_socket *via; /* NULL: straight into the unit */
	/* a tracepoint after each, with the event's fields or without; or NULL
	 */
	const struct eb_lttng *lttng, *trace;
	struct eb_bare *bare; /* written after each; or NULL */
};

struct eb_case {
	const char *name, *what;
	void (*prepare)(struct eb_call *b);
	CK_RV (*raw)(struct eb_raw *r, const uint8_t *data); /* NULL: none */
	bool uncached;
	unsigned int many; /* operations in a slice are divided by this */
};
const struct eb_case *eb_cases(size_t *n);

/* eb_caller_make(c) - who calls; hsa_caller_free.
 * eb_keys_make(k, u, caller, many, diag) - by the unit itself.
 * eb_call_set(b, what, u, caller, keys) - a call of that case, zeroed before.
 * eb_call_once(b) - one call; the CKR. */
HSA_MUST_USE hsa_rc eb_caller_make(struct hsa_caller *c);
HSA_MUST_USE hsa_rc eb_keys_make(struct eb_keys *k, struct cryptounit *u,
    const struct hsa_caller *caller, bool many, struct hsa_diag *diag);
void eb_keys_free(struct eb_keys *k);
void eb_call_set(struct eb_call *b, const struct eb_case *what,
    struct cryptounit *u, const struct hsa_caller *caller,
    const struct eb_keys *keys);
uint64_t eb_call_once(struct eb_call *b);

#endif
