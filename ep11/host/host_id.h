/* host_id.h - identifiers of calls: fresh UUIDs without a system call each. */
#ifndef HOST_ID_H
#define HOST_ID_H
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

/*
 * host_id(id) - a UUID that no other call has, in this thread, another, or
 * another process: random bits drawn once per thread (and again after fork),
 * through which a counter is mixed. 62 bits run through all their values
 * before one comes back; 60 look random. E_CRYPTO: no random bytes.
 */
HSA_MUST_USE hsa_rc host_id(uint8_t id[HSA_UUID_LEN]);

/* Every thread draws afresh; called in the child after fork. */
void host_id_forked(void);

#endif
