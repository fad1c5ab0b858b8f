/*
 * feed.c - crypto units as a collector sees them: sealed logs of any length,
 * made as they are sent, over a real channel (FORMAT.md section 6). A record is
 * a function of its number, so a collector that was killed gets the same again.
 *
 *   feed SOCKET UNITS RECORDS BATCH RATE KEYFILE
 *
 * writes the units' keys, then sends to the collector at SOCKET, whenever there
 * is one, until all UNITS units have RECORDS records acknowledged: at most RATE
 * records a second of all together (0: as it goes).
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "helper_vfy.h"
#include "hsa_call.h"
#include "hsa_codec.h"
#include "hsa_compact.h"
#include "vfy_merkle.h"

/* A segment: SEGMENT_OPENED, a context, then calls: compact ones, and now and
 * then one that is written out. */
#define SEGMENT 20000
#define WHOLE_EVERY 97

struct unit {
	struct helper_vfy_log id; /* key, origin, unit id: no records */
	struct hsa_sha256 *h;
	struct hsa_record event;    /* what whole records are made from */
	struct hsa_buf context;     /* what the others share, without times */
	uint8_t base[HSA_UUID_LEN]; /* of the events' ids */
	struct vfy_tree *at;        /* before batch i */
	uint64_t made;              /* of at, beyond the first */
	pthread_t thread;
};

static const char *socket_path;
static uint64_t records, batch, pause_ns;
static atomic_ulong connections;

static void
must(int holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "feed: %s\n", what);
	exit(1);
}

/* ---- records ------------------------------------------------------------- */

static char *
copy(const char *s)
{
	char *c = strdup(s);

	must(c != NULL, "memory");
	return c;
}

static void
make_event(struct unit *u)
{
	struct hsa_initiator who = {
	    .id = copy("IBMid-1"),
	    .name = copy("a@example.com"),
	    .type_uri = copy("service/security/account/user"),
	    .credential_type = copy("user"),
	};
	struct hsa_data request = {0}, response = {0};
	struct hsa_event_args args = {
	    .action = HSA_ACTION_EP11_USE,
	    .status = 200,
	    .time_ns = 1,
	    .log_source_crn = "crn:v1:bluemix:public:hs-crypto:us-south:"
			      "a/0f1e2d3c:11111111-2222-4333-8444-5555::",
	    .correlation_id = "b7c1a1de-3f46-4c8e-9a53-0f2f5c2b6e77",
	    .target_id = "crn:v1:x:unit",
	    .target_name = "[us-south].[AZ1-CS1].[00].[03]",
	    .initiator = &who,
	    .request = &request,
	    .response = &response,
	};
	struct hsa_diag diag;

	u->event = (struct hsa_record){.epoch = 1,
	    .source = HSA_SOURCE_USE,
	    .body = HSA_BODY_EVENT,
	    .has_use = true,
	    .use = {.function = HSA_FN_ENCRYPT_SINGLE,
		.mechanism = 0x1085,
		.bytes_in = 1024,
		.bytes_out = 1040,
		.duration_ns = 31415}};
	memcpy(u->event.unit_id, u->id.unit_id, HSA_UUID_LEN);
	must(hsa_is_ok(hsa_event_build(&u->event.event, &args, &diag)),
	    "an event");
	hsa_initiator_free(&who);
}

/* The same event, without what each call has of its own. */
static void
make_context(struct unit *u)
{
	struct hsa_record r = {
	    .epoch = 1, .source = HSA_SOURCE_SEALER, .body = HSA_BODY_CONTEXT};

	memcpy(r.unit_id, u->id.unit_id, HSA_UUID_LEN);
	must(hsa_is_ok(hsa_event_copy(&r.event, &u->event.event)), "memory");
	memcpy(u->base, r.event.id, HSA_UUID_LEN);
	r.event.event_time_ns = 0;
	free(r.event.correlation_id);
	r.event.correlation_id = NULL;
	must(hsa_is_ok(hsa_record_encode(&u->context, &r)), "a context");
	hsa_record_free(&r);
}

static uint64_t
time_of(uint64_t i)
{
	return UINT64_C(1763807400000000000) + i * 1000000;
}

static void
put_opened(const struct unit *u, struct hsa_buf *to, uint64_t i)
{
	struct hsa_buf rest = {0};
	struct hsa_record r = {.epoch = 1,
	    .wall_ns = time_of(i),
	    .mono_ns = i + 1,
	    .source = HSA_SOURCE_SEALER,
	    .source_sequence = 2 * (i / SEGMENT) + 1,
	    .body = HSA_BODY_SPECIAL,
	    .special = {.category = 2, .name = copy("SEGMENT_OPENED")}};

	memcpy(r.unit_id, u->id.unit_id, HSA_UUID_LEN);
	must(hsa_is_ok(hsa_record_encode(&rest, &r)), "a segment");
	hsa_record_seal(to, i, rest.p, rest.len);
	hsa_record_free(&r);
	hsa_buf_free(&rest);
}

static void
put_whole(
    struct unit *u, struct hsa_buf *to, struct hsa_buf *scratch, uint64_t i)
{
	struct hsa_record *r = &u->event;

	r->wall_ns = r->event.event_time_ns = time_of(i);
	r->mono_ns = i + 1;
	r->source_sequence = i;
	hsa_compact_event_id(r->event.id, u->base, i);
	hsa_buf_reset(scratch);
	must(hsa_is_ok(hsa_record_encode(scratch, r)), "a record");
	hsa_record_seal(to, i, scratch->p, scratch->len);
}

static void
put_compact(const struct unit *u, struct hsa_buf *to, uint64_t i)
{
	struct hsa_compact_record c = {.sequence = i,
	    .source_sequence = i,
	    .wall_ns = time_of(i),
	    .mono_ns = i + 1,
	    .has_use = true,
	    .use = u->event.use,
	    .compact = {
		.context = i - i % SEGMENT + 1, .has_correlation_id = true}};
	uint8_t bytes[HSA_COMPACT_MAX];

	hsa_compact_event_id(c.compact.correlation_id, u->base, i);
	hsa_buf_put(to, bytes, hsa_compact_put(bytes, &c));
}

/* Record i of this unit, sealed. */
static void
make(struct unit *u, struct hsa_buf *to, struct hsa_buf *scratch, uint64_t i)
{
	const struct hsa_context_place at = {.sequence = i,
	    .source_sequence = 2 * (i / SEGMENT) + 2,
	    .wall_ns = time_of(i),
	    .mono_ns = i + 1};

	if (i % SEGMENT == 0)
		put_opened(u, to, i);
	else if (i % SEGMENT == 1)
		must(hsa_is_ok(hsa_context_seal(
			 to, &at, u->context.p, u->context.len)),
		    "a context");
	else if (i % WHOLE_EVERY == 5)
		put_whole(u, to, scratch, i);
	else
		put_compact(u, to, i);
}

/* ---- the channel --------------------------------------------------------- */

static int
dial(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", socket_path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static bool
send_all(int fd, const struct hsa_buf *b)
{
	ssize_t w;

	for (size_t at = 0; at < b->len; at += (size_t)w) {
		w = send(fd, b->p + at, b->len - at, MSG_NOSIGNAL);
		if (w <= 0)
			return false;
	}
	return true;
}

/* One frame; it is a short one, and nothing follows before we send more. */
static bool
hear(int fd, struct hsa_frame *f)
{
	uint8_t part[4096];
	size_t n = 0, used;
	hsa_rc rc;

	for (;;) {
		*f = (struct hsa_frame){0};
		rc = hsa_frame_decode(f, &used, part, n);
		if (hsa_is_ok(rc))
			break;
		if (rc.v != HSA_E_TRUNCATED || n == sizeof(part) ||
		    recv(fd, part + n, 1, 0) != 1)
			return false;
		n++;
	}
	if (f->kind == HSA_FRAME_REFUSE) {
		(void)fprintf(stderr, "feed: refused: %s\n", f->text);
		exit(1);
	}
	return true;
}

/* The batch behind at[n], as frames; at[n + 1] is made. */
static void
put_batch(struct unit *u, struct hsa_buf *out, uint64_t n)
{
	uint64_t first = n * batch;
	uint64_t end = first + batch > records ? records : first + batch;
	struct hsa_buf bytes = {0}, scratch = {0}, note = {0};
	struct hsa_slice *s = calloc((size_t)(end - first), sizeof(*s));
	size_t *at = calloc((size_t)(end - first) + 1, sizeof(*at));
	struct hsa_frame f = {.kind = HSA_FRAME_RECORDS};
	struct hsa_frame c = {.kind = HSA_FRAME_CHECKPOINT};
	struct vfy_tree *t = &u->at[n + 1];
	uint8_t root[32];

	must(s != NULL && at != NULL, "memory");
	*t = u->at[n];
	for (uint64_t i = first; i < end; i++) {
		make(u, &bytes, &scratch, i);
		at[i - first + 1] = bytes.len;
	}
	for (size_t i = 0; i < end - first; i++) {
		s[i] = (struct hsa_slice){bytes.p + at[i], at[i + 1] - at[i]};
		must(hsa_is_ok(vfy_tree_add(t, s[i].p, s[i].n)), "the tree");
	}
	/* a frame is at most 1 MiB */
	for (size_t i = 0, k; i < end - first; i += k) {
		k = (size_t)(end - first) - i < 700 ? (size_t)(end - first) - i
						    : 700;
		f.sequence = first + i;
		f.record = s + i;
		f.record_len = k;
		must(hsa_is_ok(hsa_frame_encode(out, &f)), "a frame");
	}
	must(hsa_is_ok(vfy_tree_root(t, root)), "the root");
	helper_vfy_note(&note, u->id.origin, end, root, u->id.key);
	c.text = (char *)note.p;
	c.text_len = note.len;
	must(hsa_is_ok(hsa_frame_encode(out, &c)), "a frame");
	hsa_buf_free(&bytes);
	hsa_buf_free(&scratch);
	hsa_buf_free(&note);
	free(s);
	free(at);
}

/* Until the collector is gone, or has everything. */
static bool
serve(struct unit *u, int fd)
{
	struct hsa_frame f = {
	    .kind = HSA_FRAME_HELLO, .epoch = 1, .sequence = records};
	struct hsa_buf out = {0};
	uint64_t next = 0;
	const struct timespec pause = {
	    (time_t)(pause_ns / 1000000000), (long)(pause_ns % 1000000000)};
	bool up = true;

	memcpy(f.unit_id, u->id.unit_id, HSA_UUID_LEN);
	(void)snprintf(f.origin, sizeof(f.origin), "%s", u->id.origin);
	must(hsa_is_ok(hsa_frame_encode(&out, &f)), "a frame");
	up = send_all(fd, &out) && hear(fd, &f);
	next = up ? f.sequence : 0;
	atomic_fetch_add(&connections, up);
	must(!up || next == records || next % batch == 0, "an odd Resume");
	while (up && next < records) {
		hsa_buf_reset(&out);
		must(next / batch <= u->made, "a Resume from the future");
		put_batch(u, &out, next / batch);
		if (u->made == next / batch)
			u->made++;
		up = send_all(fd, &out) && hear(fd, &f);
		if (up) {
			must(f.kind == HSA_FRAME_ACK && f.sequence > next,
			    "an odd Ack");
			next = f.sequence;
			(void)nanosleep(&pause, NULL);
		}
	}
	hsa_buf_free(&out);
	return up && next == records;
}

static void *
work(void *arg)
{
	const struct timespec nap = {0, 20000000};
	struct unit *u = arg;
	bool done = false;

	while (!done) {
		int fd = dial();

		if (fd < 0) {
			(void)nanosleep(&nap, NULL);
			continue;
		}
		done = serve(u, fd);
		(void)close(fd);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct unit *u;
	size_t units;
	FILE *keys;

	uint64_t rate;

	must(argc == 7, "feed SOCKET UNITS RECORDS BATCH RATE KEYFILE");
	socket_path = argv[1];
	units = strtoul(argv[2], NULL, 10);
	records = strtoull(argv[3], NULL, 10);
	batch = strtoull(argv[4], NULL, 10);
	rate = strtoull(argv[5], NULL, 10);
	must(units > 0 && units < 200 && records > 0 && batch > 0 &&
		 SEGMENT % batch == 0,
	    "a number");
	if (rate != 0)
		pause_ns = batch * units * 1000000000 / rate;
	u = calloc(units, sizeof(*u));
	keys = fopen(argv[6], "w");
	must(u != NULL && keys != NULL, "memory, or the key file");
	for (size_t i = 0; i < units; i++) {
		helper_vfy_init(&u[i].id, (uint8_t)(i + 1));
		u[i].h = hsa_sha256_new();
		u[i].at = calloc((size_t)(records / batch) + 2, sizeof(*u->at));
		must(u[i].h != NULL && u[i].at != NULL, "memory");
		vfy_tree_init(&u[i].at[0], u[i].h);
		make_event(&u[i]);
		make_context(&u[i]);
		(void)fputs(u[i].id.key_line, keys);
	}
	must(fclose(keys) == 0, "the key file");
	(void)printf("feed: ready\n");
	(void)fflush(stdout);
	for (size_t i = 0; i < units; i++)
		must(pthread_create(&u[i].thread, NULL, work, &u[i]) == 0,
		    "a thread");
	for (size_t i = 0; i < units; i++) {
		(void)pthread_join(u[i].thread, NULL);
		hsa_sha256_free(u[i].h);
		free(u[i].at);
		hsa_record_free(&u[i].event);
		hsa_buf_free(&u[i].context);
		helper_vfy_free(&u[i].id);
	}
	free(u);
	(void)printf("feed: %zu units, %" PRIu64
		     " records each acknowledged, %lu connections\n",
	    units, records, atomic_load(&connections));
	return 0;
}
