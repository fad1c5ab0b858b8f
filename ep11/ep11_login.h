/*
 * ep11_login.h - sessions of a host that logged in (ep11-host-api 14): what
 * session-bound keys are bound to. Volatile: a unit that restarts knows none.
 *
 * Pin blob, 80 bytes: session id(32), wrapping-key id(16), MAC(32) over both.
 * The session id comes of PIN and nonce alone, so it is the same on every unit
 * and under every master key: keys that were re-enciphered are used again after
 * a new login with both. Byte 4 is AA, byte 0 never 30. What proves that a unit
 * with this master key gave it out is the MAC.
 */
#ifndef EP11_LOGIN_H
#define EP11_LOGIN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_key.h"

struct ep11_logins;

#define EP11_LOGINS_MAX 1024u
#define EP11_PIN_MIN 8u
#define EP11_PIN_MAX 16u
#define EP11_PIN_BLOB_LEN 80u

HSA_MUST_USE hsa_rc ep11_logins_new(struct ep11_logins **l);
void ep11_logins_free(struct ep11_logins *l); /* NULL-safe */

/* ep11_logins_add(l, id) - again is success. CKR_SESSION_COUNT: no room.
 * ep11_logins_remove(l, id) - CKR_SESSION_CLOSED: there is none. */
CK_RV ep11_logins_add(
    struct ep11_logins *l, const uint8_t id[EP11_SESSION_LEN]);
CK_RV ep11_logins_remove(
    struct ep11_logins *l, const uint8_t id[EP11_SESSION_LEN]);
bool ep11_logins_has(struct ep11_logins *l, const uint8_t id[EP11_SESSION_LEN]);
size_t ep11_logins_count(struct ep11_logins *l);
void ep11_logins_clear(struct ep11_logins *l);

/*
 * ep11_pin_blob_check(e, id, blob) - the session that a pin blob names,
 * whether it is logged in or not. CKR_IBM_WK_NOT_INITIALIZED,
 * CKR_PIN_LEN_RANGE, CKR_PIN_INCORRECT (another master key's too: the host
 * logs in again then).
 */
CK_RV ep11_pin_blob_check(
    struct ep11_engine *e, uint8_t id[EP11_SESSION_LEN], struct hsa_slice blob);

#endif
