/*
 * col_peer.h - one connection of a collector, as a machine that takes bytes
 * and gives bytes (FORMAT.md section 6); it knows no socket. A peer that
 * breaks a rule gets a Refuse and is done; nothing it sent is kept unless a
 * good checkpoint covers it.
 */
#ifndef COL_PEER_H
#define COL_PEER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "col_hub.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_hash.h"

struct col_peer {
	struct col_hub *hub;
	/* fits(who, unit_id) - may the peer be that unit? C8; NULL: it may */
	bool (*fits)(const void *who, const uint8_t unit_id[HSA_UUID_LEN]);
	const void *who;
	struct col_unit *unit;  /* after Hello */
	struct vfy_state next;  /* over what was stored and what is pending */
	uint64_t base;          /* the store's size that next builds on */
	struct hsa_buf in;      /* bytes that are no whole frame yet */
	struct hsa_buf pending; /* entries behind the last checkpoint */
	size_t counted;         /* of them, in hub->pending */
	struct hsa_buf acks;    /* frames to send after the sync */
	struct hsa_buf out;     /* frames to send */
	bool done;              /* send `out`, then close */
	bool warned;
	bool fresh;           /* note is one more than was said */
	struct hsa_diag note; /* for the log: refusals and warnings, or "" */
};

void col_peer_init(struct col_peer *p, struct col_hub *hub);
void col_peer_free(struct col_peer *p);

/*
 * col_peer_feed(p, bytes, n) - take what arrived. Never fails: a refusal sets
 * p->done. Acks wait in p->acks until the caller has synced the hub:
 * col_peer_synced moves them to p->out, or refuses when the hub failed.
 */
void col_peer_feed(struct col_peer *p, const void *bytes, size_t n);
void col_peer_synced(struct col_peer *p);
/* col_peer_refuse(p, fmt, ...) - say why, and be done. */
void col_peer_refuse(struct col_peer *p, const char *fmt, ...) HSA_PRINTF(2, 3);

#endif
