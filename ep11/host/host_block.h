/*
 * host_block.h - administrative blocks (ep11-host-api 15.2, ep11-tke-wire 5.3,
 * 5.4): SEQUENCEs of OCTET STRINGs in DER.
 */
#ifndef HOST_BLOCK_H
#define HOST_BLOCK_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"

struct host_block { /* slices: of the input, or the caller's */
	uint32_t command;
	uint32_t domain, instance;
	struct hsa_slice module, counter; /* 16 bytes each, or empty */
	uint32_t rv;                      /* of a response */
	uint32_t reason; /* of a response with rv: its first payload bytes */
	struct hsa_slice payload;
};

/*
 * host_block_encode(b, k) - a request's five fields, appended.
 * host_block_decode(k, p, n) - a response's six. Lengths may be in BER's long
 * form with surplus bytes, as real modules send them; else strict: E_FORMAT,
 * E_TRUNCATED, E_TRAILING, and k untouched.
 */
void host_block_encode(struct hsa_buf *b, const struct host_block *k);
HSA_MUST_USE hsa_rc host_block_decode(
    struct host_block *k, const void *p, size_t n);

#endif
