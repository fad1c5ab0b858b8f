/*
 * ep_chain.h - which of a unit's logs is the one at hand (FORMAT.md V11), and
 * the steps by which a new one takes the place of a damaged one. Whoever calls
 * holds the unit's lock.
 *
 * In the unit's folder: log/, the log at hand; log.damaged-N/, those before
 * it; log.making/, a new one in the making, which nobody takes for one;
 * log.new/, the same, complete. `chain` holds the number of the log at hand, no
 * file: 1.
 *
 * The new log has taken over from the moment in which log/ was renamed and
 * log.new/ is there: what comes after it, a start of the unit does as well.
 */
#ifndef EP_CHAIN_H
#define EP_CHAIN_H
#include <stdbool.h>
#include <stdint.h>
#include "ep_config.h"
#include "hsa_err.h"
#include "hsa_hash.h"

#define EP_LOG "log"
#define EP_LOG_MAKING "log.making"
#define EP_LOG_NEW "log.new"
#define EP_LOG_DAMAGED "log.damaged-"

struct ep_chain {
	unsigned int number; /* of the log at hand */
	bool open;           /* it has taken over, and not all is done yet */
};

/*
 * ep_chain_settle(c, folder, id, diag) - go on with what a kill has cut short.
 * folder: the unit's. E_CORRUPT: `chain` is no number; E_IO.
 * ep_chain_settled(dir, folder, c, id, public_key, diag) - the rest: the
 * verifier key's line in DIR/checkpoint.pub, beside those of before, and the
 * number. Nothing when c is not open.
 */
HSA_MUST_USE hsa_rc ep_chain_settle(struct ep_chain *c, const char *folder,
    const uint8_t id[HSA_UUID_LEN], struct hsa_diag *diag);
HSA_MUST_USE hsa_rc ep_chain_settled(const char *dir, const char *folder,
    const struct ep_chain *c, const uint8_t id[HSA_UUID_LEN],
    const uint8_t public_key[32], struct hsa_diag *diag);

/*
 * ep_chain_switch(aside, folder, diag) - log.making/, complete and synced,
 * takes over; aside: out, the name that log/ has now, "" when there was none.
 */
HSA_MUST_USE hsa_rc ep_chain_switch(
    char aside[32], const char *folder, struct hsa_diag *diag);

#endif
