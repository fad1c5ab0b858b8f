/*
 * helper_cu.h - a crypto unit on a bench: memory backend and log, a state
 * database in a temporary folder, administrators with real keys, and the
 * client's half of every command. Failures end the test by abort.
 *
 * Every answer's OA signature is verified, and every command must leave
 * exactly one record, every query none: the bench counts.
 */
#ifndef HELPER_CU_H
#define HELPER_CU_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bk_mock.h"
#include "cu_unit.h"
#include "hsa_buf.h"
#include "sink_mock.h"
#include "tke_oa.h"
#include "tke_wire.h"

#define CU_BENCH_ADMINS 10
#define CU_BENCH_RSA 9 /* index of the one RSA administrator */
#define CU_BENCH_MODULE 3
#define CU_BENCH_DOMAIN 22
#define CU_BENCH_LOCATION "[us-south].[AZ1-CS1].[03].[22]"
#define CU_BENCH_TARGET                                                        \
	"crn:v1:bluemix:public:hs-crypto:us-south:a/0123456789abcdef"          \
	"0123456789abcdef:00000000-0000-4000-8000-000000000001:crypto-unit:"   \
	"00000000-0000-4000-8000-0000000000aa"

struct cu_bench {
	char dir[64], db[160];
	unsigned int generation; /* of the database's file name */
	struct bk_mock *bk;
	const struct ep11_token *token; /* none unless a test sets one */
	struct cu_backend backend;      /* bk's unless a test sets another */
	struct sink_mock *sink;
	struct cu_clock clock;
	uint64_t now_ns, mono_extra, mono_step;
	struct cu_identity id;
	uint8_t oa[2][TKE_OA_CERT_LEN];
	struct cu_unit *u;
	struct hsa_caller caller;
	struct evp_pkey_st *admin[CU_BENCH_ADMINS];
	uint8_t ski[CU_BENCH_ADMINS][TKE_SKI_LEN];
	struct hsa_buf cert[CU_BENCH_ADMINS];
	unsigned int commands; /* that must have left a record each */
	unsigned int calls;    /* of EP11 functions, likewise */
	unsigned int epochs;   /* UNIT_START records expected */
	bool any_records;      /* no counting, for damaged runs */
	size_t saved_records;
	unsigned int saved_epochs, saved_commands, saved_calls;
};

struct cu_answer {
	uint32_t http, envelope_rc, rc, reason, command;
	bool host_error; /* a status other than 00 */
	char text[1300]; /* http other than 200, or the host's text */
	uint8_t domain[TKE_DOMAIN_LEN], module[TKE_MODULE_LEN];
	uint8_t counter[TKE_COUNTER_LEN];
	struct hsa_buf output;
};
void cu_answer_free(struct cu_answer *a);

/* cu_bench_new - everything but the unit itself; cu_bench_free closes it. */
struct cu_bench *cu_bench_new(void);
void cu_bench_free(struct cu_bench *b);
/* cu_bench_open(b) - must succeed. cu_bench_try_open(b, diag) - may fail.
 * cu_bench_close(b) - in order.
 * cu_bench_kill(b) - as kill -9 and a power cut of the token: the next open
 * finds the database, log and synced objects as they are now. */
void cu_bench_open(struct cu_bench *b);
hsa_rc cu_bench_try_open(struct cu_bench *b, struct hsa_diag *diag);
void cu_bench_close(struct cu_bench *b);
void cu_bench_kill(struct cu_bench *b);

/* cu_bench_save(b) - remember where things stand: database, log, token.
 * cu_bench_restore(b) - go back there and open. Any number of times. */
void cu_bench_save(struct cu_bench *b);
void cu_bench_restore(struct cu_bench *b);

/* ---- raw requests -------------------------------------------------------- */

/* cu_bench_send(b, a, transport, n) - through cu_unit_admin, answer decoded
 * and verified. Does not count. */
void cu_bench_send(
    struct cu_bench *b, struct cu_answer *a, const char *transport, size_t n);
void cu_bench_query(struct cu_bench *b, struct cu_answer *a, uint32_t id,
    const void *input, size_t n);

/* What a command is made of; zeroed members are filled in as a good client
 * does, from a query just before. */
struct cu_order {
	uint32_t command;
	const void *input;
	size_t input_len;
	unsigned int signers; /* bit i: administrator i signs */
	unsigned int twice;   /* bit i: and signs once more */
	unsigned int spoiled; /* bit i: with a signature over something else */
	bool garbage;         /* a SignerInfo that does not parse, at the end */
	struct tke_slice domain, module, counter;
	const uint32_t *outer_domain;
};
/* cu_bench_request(b, payload, o) - the signed payload. */
void cu_bench_request(
    struct cu_bench *b, struct hsa_buf *payload, const struct cu_order *o);
/* cu_bench_payload(b, a, payload) - as one request. With cu_bench_blocks set,
 * administration goes in by cu_unit_block, without transport and envelope. */
extern bool cu_bench_blocks;
void cu_bench_payload(
    struct cu_bench *b, struct cu_answer *a, const struct hsa_buf *payload);
/* cu_bench_order(b, a, o) - send it as one command. */
void cu_bench_order(
    struct cu_bench *b, struct cu_answer *a, const struct cu_order *o);

/* ---- commands; return rc << 16 | reason, or http << 16 unless 200 -------- */

#define CU_CODE(rc, reason) ((uint32_t)(rc) << 16 | (uint32_t)(reason))
uint32_t cu_bench_command(struct cu_bench *b, uint32_t command,
    const void *input, size_t n, unsigned int signers);
uint32_t cu_bench_add(struct cu_bench *b, size_t who, unsigned int signers);
uint32_t cu_bench_remove(struct cu_bench *b, size_t who, unsigned int signers);
uint32_t cu_bench_attributes(struct cu_bench *b, uint32_t s, uint32_t r,
    uint32_t permissions, unsigned int signers);
/* cu_bench_importer(b, key, kind, signers) - key: out, the caller's; may be
 * NULL. */
uint32_t cu_bench_importer(struct cu_bench *b, struct evp_pkey_st **key,
    uint32_t kind, unsigned int signers);
/* cu_bench_import(b, key, part, n, signers) - n parts for that importer; each
 * embedded request signed by signers. */
uint32_t cu_bench_import(struct cu_bench *b, struct evp_pkey_st *key,
    const uint8_t (*part)[32], size_t n, unsigned int signers);
/* cu_bench_parts(b, input, key, part, n, signers, counter) - the input of
 * Import WK alone; counter: NULL takes the next one. */
void cu_bench_parts(struct cu_bench *b, struct hsa_buf *input,
    struct evp_pkey_st *key, const uint8_t (*part)[32], size_t n,
    unsigned int signers, const uint8_t counter[TKE_COUNTER_LEN]);

/* cu_bench_ready(b, n, s, r) - n administrators, thresholds s and r, default
 * permissions and one-part import: out of imprint mode. */
void cu_bench_ready(struct cu_bench *b, size_t n, uint32_t s, uint32_t r);
/* cu_bench_load(b, pattern, part, n, s) - importer, import; signed by s. */
void cu_bench_load(struct cu_bench *b, uint8_t pattern[32],
    const uint8_t (*part)[32], size_t n, unsigned int s);

/* ---- what came out ------------------------------------------------------- */

/* cu_bench_last(b, r) - the newest record, the caller's to free. */
void cu_bench_last(struct cu_bench *b, struct hsa_record *r);
void cu_bench_status(struct cu_bench *b, struct hsa_unit_status *st);
uint64_t cu_bench_counter(struct cu_bench *b, const char *name);
/* cu_bench_check_log(b) - FORMAT V5 over the whole log: epochs, starts, source
 * sequences without a gap; and the number of events when counting. */
void cu_bench_check_log(struct cu_bench *b);

/* ---- SQLite that fails --------------------------------------------------- */

/* cu_vfs_install() - once; from then on databases go through a layer that
 * obeys these. cu_vfs_fail_at: number of the write, sync or truncate of which
 * this and all later ones fail (0: none). cu_vfs_calls: since last set. */
void cu_vfs_install(void);
void cu_vfs_fail_at(unsigned int n);
unsigned int cu_vfs_calls(void);

#endif
