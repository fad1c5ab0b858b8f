/*
 * ep11_wk.h - a master (wrapping) key at work: the token objects that come of
 * it, and what they protect.
 *
 * Of the master key the token derives, by AES-ECB of a fixed text each, a MAC
 * key and a state key: so whoever has the same master key reads the same
 * blobs, as units of one service instance do, and no key value ever leaves.
 */
#ifndef EP11_WK_H
#define EP11_WK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_engine.h"
#include "ep11_token.h"
#include "hsa_buf.h"
#include "hsa_err.h"

#define EP11_WKID_LEN 16
#define EP11_MAC_LEN 32

struct ep11_wk {
	bool set;
	uint8_t id[EP11_WKID_LEN];
	CK_OBJECT_HANDLE kwp, mac, state; /* session objects */
};

/* ep11_wk_open(wk, token, name) - E_TOKEN when the token refuses.
 * ep11_wk_close(wk, token) - destroys the session objects; repeatable. */
HSA_MUST_USE hsa_rc ep11_wk_open(struct ep11_wk *wk,
    const struct ep11_token *token, const struct ep11_wk_name *name);
void ep11_wk_close(struct ep11_wk *wk, const struct ep11_token *token);

/* HMAC-SHA256 by the MAC key. */
CK_RV ep11_wk_mac(const struct ep11_wk *wk, const struct ep11_token *token,
    uint8_t mac[EP11_MAC_LEN], const void *p, size_t n);

/* Key material: AES key wrap with padding (RFC 5649) by the master key. */
CK_RV ep11_wk_wrap(const struct ep11_wk *wk, const struct ep11_token *token,
    struct hsa_buf *out, CK_OBJECT_HANDLE key);
CK_RV ep11_wk_unwrap(const struct ep11_wk *wk, const struct ep11_token *token,
    CK_OBJECT_HANDLE *h, const void *p, size_t n, const CK_ATTRIBUTE *t,
    size_t tn);

/* Body of an operation state: AES-CTR by the state key; iv is fresh for every
 * use. The MAC is the caller's. In place. */
CK_RV ep11_wk_crypt(const struct ep11_wk *wk, const struct ep11_token *token,
    const uint8_t iv[16], void *p, size_t n);

#endif
