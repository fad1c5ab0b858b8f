#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_core.h"
#include "ep11_login.h"
#include "hsa_hash.h"

/* Ids are hashes, so a slot is taken from them as they are; probing is linear
 * over twice the room, and a removal moves the rest of its run up. */
#define SLOTS (2 * (size_t)EP11_LOGINS_MAX)

struct ep11_logins {
	pthread_mutex_t lock;
	size_t n;
	bool used[SLOTS];
	uint8_t id[SLOTS][EP11_SESSION_LEN];
};

hsa_rc
ep11_logins_new(struct ep11_logins **out)
{
	struct ep11_logins *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return HSA_RC(E_NOMEM);
	if (pthread_mutex_init(&l->lock, NULL) != 0) {
		free(l);
		return HSA_RC(E_NOMEM);
	}
	*out = l;
	return HSA_OK;
}

void
ep11_logins_free(struct ep11_logins *l)
{
	if (l == NULL)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	hsa_wipe(l->id, sizeof(l->id));
	free(l);
}

static size_t
home(const uint8_t id[EP11_SESSION_LEN])
{
	uint32_t h = 0;

	memcpy(&h, id + 8, sizeof(h));
	return h % SLOTS;
}

/* Its slot, or the free one where it would go. */
static size_t
slot_of(const struct ep11_logins *l, const uint8_t id[EP11_SESSION_LEN])
{
	size_t i = home(id);

	while (l->used[i] && !hsa_equal_ct(l->id[i], id, EP11_SESSION_LEN))
		i = (i + 1) % SLOTS;
	return i;
}

CK_RV
ep11_logins_add(struct ep11_logins *l, const uint8_t id[EP11_SESSION_LEN])
{
	CK_RV rv = CKR_OK;
	size_t i;

	(void)pthread_mutex_lock(&l->lock);
	i = slot_of(l, id);
	if (!l->used[i] && l->n == EP11_LOGINS_MAX)
		rv = CKR_SESSION_COUNT;
	else if (!l->used[i]) {
		l->used[i] = true;
		memcpy(l->id[i], id, EP11_SESSION_LEN);
		l->n++;
	}
	(void)pthread_mutex_unlock(&l->lock);
	return rv;
}

CK_RV
ep11_logins_remove(struct ep11_logins *l, const uint8_t id[EP11_SESSION_LEN])
{
	CK_RV rv = CKR_SESSION_CLOSED;
	size_t i;

	(void)pthread_mutex_lock(&l->lock);
	i = slot_of(l, id);
	if (l->used[i]) {
		rv = CKR_OK;
		l->used[i] = false;
		l->n--;
		/* what probed past the hole goes in again */
		for (i = (i + 1) % SLOTS; l->used[i]; i = (i + 1) % SLOTS) {
			uint8_t moved[EP11_SESSION_LEN];
			size_t to;

			memcpy(moved, l->id[i], sizeof(moved));
			l->used[i] = false;
			to = slot_of(l, moved);
			l->used[to] = true;
			memcpy(l->id[to], moved, sizeof(moved));
		}
	}
	(void)pthread_mutex_unlock(&l->lock);
	return rv;
}

bool
ep11_logins_has(struct ep11_logins *l, const uint8_t id[EP11_SESSION_LEN])
{
	bool has;

	(void)pthread_mutex_lock(&l->lock);
	has = l->used[slot_of(l, id)];
	(void)pthread_mutex_unlock(&l->lock);
	return has;
}

size_t
ep11_logins_count(struct ep11_logins *l)
{
	size_t n;

	(void)pthread_mutex_lock(&l->lock);
	n = l->n;
	(void)pthread_mutex_unlock(&l->lock);
	return n;
}

void
ep11_logins_clear(struct ep11_logins *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->n = 0;
	memset(l->used, 0, sizeof(l->used));
	hsa_wipe(l->id, sizeof(l->id));
	(void)pthread_mutex_unlock(&l->lock);
}

CK_RV
ep11_pin_blob_check(
    struct ep11_engine *e, uint8_t id[EP11_SESSION_LEN], struct hsa_slice blob)
{
	const size_t maced = EP11_PIN_BLOB_LEN - EP11_MAC_LEN;
	uint8_t mac[EP11_MAC_LEN];
	CK_RV rv;

	if (!e->current.set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	if (blob.n != EP11_PIN_BLOB_LEN)
		return CKR_PIN_LEN_RANGE;
	if (memcmp(blob.p + EP11_SESSION_LEN, e->current.id, EP11_WKID_LEN) !=
	    0)
		return CKR_PIN_INCORRECT;
	rv = ep11_trouble(
	    ep11_wk_mac(&e->current, &e->token, mac, blob.p, maced));
	if (rv != CKR_OK)
		return rv;
	if (!hsa_equal_ct(mac, blob.p + maced, sizeof(mac)))
		rv = CKR_PIN_INCORRECT;
	else
		memcpy(id, blob.p, EP11_SESSION_LEN);
	hsa_wipe(mac, sizeof(mac));
	return rv;
}
