/*
 * helper_collector.h - a channel of a unit, operations that go on beside it,
 * and a collector at its other end that does what a test says, over a unix
 * socket or TLS. For cmocka tests.
 */
#ifndef HELPER_COLLECTOR_H
#define HELPER_COLLECTOR_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "chan.h"
#include "helper_slog.h"
#include "helper_tls.h"
#include "hsa_codec.h"

#define HCOL_NAME "collector.test" /* in its certificate */

/* Of the unit that the certificate is for, and of another one. */
extern const uint8_t hcol_unit_id[HSA_UUID_LEN], hcol_other_id[HSA_UUID_LEN];

struct hcol {
	struct helper_slog h;
	struct slog *l;
	struct chan *c;
	struct helper_ca ca, wrong;
	char path[96], ca_file[96], wrong_file[96], unit_file[96], file[96];
	bool tls;
	int listening, fd;
	unsigned int port;
	void *ssl;
	struct hsa_buf in;
	/* the checkpoint that was received last */
	uint64_t size;
	uint8_t root[32];
	/* the operations meanwhile */
	pthread_t worker;
	atomic_bool working;
	atomic_uint done, slowest_ms;
	uint64_t number;
};

long hcol_now_ms(void);

/* hcol_begin(tls, stall_ms) - a log of nine records, certificates, the unit's
 * channel. hcol_end(f). */
struct hcol *hcol_begin(bool tls, int stall_ms);
void hcol_end(struct hcol *f);

/* hcol_work(f) - begin to seal; hcol_rest(f) - and stop; the log's size. */
void hcol_work(struct hcol *f);
uint64_t hcol_rest(struct hcol *f);
uint64_t hcol_log_size(struct hcol *f);
struct hsa_collector_status hcol_status(struct hcol *f);
void hcol_wait_acknowledged(struct hcol *f, uint64_t n);

/* hcol_accept(f) - the socket alone. hcol_greet(f) - as a good collector does,
 * up to Hello; a connection that the unit has given up is passed over. */
void hcol_accept(struct hcol *f);
void hcol_greet(struct hcol *f);
void hcol_hang_up(struct hcol *f);

/* Bytes and frames; whether they arrive is for the unit to decide. */
void hcol_put(struct hcol *f, const void *p, size_t n);
void hcol_put_frame(struct hcol *f, const struct hsa_frame *frame);
void hcol_resume(struct hcol *f, uint64_t next);
void hcol_ack(struct hcol *f, uint64_t size, const uint8_t root[32]);
/* hcol_receive(f, frame), hcol_take_batch(f) - up to the next checkpoint, whose
 * size and root are kept in f. False: the connection is over. */
bool hcol_receive(struct hcol *f, struct hsa_frame *frame);
bool hcol_take_batch(struct hcol *f);

#endif
