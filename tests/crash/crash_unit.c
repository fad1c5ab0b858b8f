/*
 * crash_unit.c - kill -9 of a unit's process at seeded random points under a
 * stream of TKE commands. After each restart three things that the unit keeps
 * apart must tell one story: its state, the objects in its token, its log.
 *
 * The story is checked from the outside: every command that was answered has
 * exactly one record with that answer; a command whose answer never came has
 * one or none; no record belongs to a command that was never sent; the state
 * is the fold of the successful events. KILLS and SEED choose the run.
 */
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper_client.h"
#include "helper_daemon.h"
#include "hsa_catalogue.h"
#include "tke_part.h"
#include "tke_sig.h"
#include "vfy_log.h"

#define UNIT "operational-1"
#define KEYS 10
#define SENT_MAX 4096

static struct hd daemon_;
static struct hc client;
static struct hd_rng rng;

static EVP_PKEY *key[KEYS];
static uint8_t ski[KEYS][TKE_SKI_LEN];

/* ---- what was sent since the last check ---------------------------------- */

struct sent {
	uint8_t id[HSA_UUID_LEN];
	bool replied;
	uint32_t rc, reason;
	unsigned int records;
};
static struct sent sent[SENT_MAX];
static size_t sent_len;

static unsigned long commands, replied, unknown, unknown_sealed, records,
    refused;
static atomic_uint answered; /* commands since the last start */
static unsigned long lost, doubled, invented, disagree;

/* ---- what the log says, folded ------------------------------------------- */

struct model {
	uint8_t admin[8][TKE_SKI_LEN];
	size_t admins;
	uint32_t sign, revoke;
	int fresh, committed; /* new register: loaded, committed */
	int current;
	uint8_t new_pattern[32], current_pattern[32];
	uint64_t next; /* record not yet folded */
};
static struct model model;
static struct hsa_buf importer;

static void
say(const char *what)
{
	disagree++;
	fprintf(stderr, "DISAGREE: %s\n", what);
}

static void
hex_field(uint8_t out[32], const struct hsa_data *d, const char *name)
{
	const struct hsa_field *f = hsa_data_find(d, name);

	if (f == NULL || f->kind != HSA_VALUE_TEXT ||
	    !hsa_is_ok(hsa_unhex(out, 32, f->text, strlen(f->text))))
		say("event without its pattern");
}

static uint32_t
int_field(const struct hsa_data *d, const char *name)
{
	const struct hsa_field *f = hsa_data_find(d, name);

	if (f == NULL || f->kind != HSA_VALUE_INTEGER) {
		say("event without its threshold");
		return 0;
	}
	return (uint32_t)f->integer;
}

static void
fold_event(const struct hsa_event *ev)
{
	const struct hsa_field *f;

	switch (ev->action) {
	case HSA_ACTION_TKE_ADMIN_ADD:
	case HSA_ACTION_TKE_ADMIN_REMOVE:
		f = hsa_data_find(&ev->response, "adminIds");
		if (f == NULL || f->kind != HSA_VALUE_LIST || f->list_len > 8) {
			say("event without adminIds");
			return;
		}
		model.admins = f->list_len;
		for (size_t i = 0; i < f->list_len; i++)
			if (!hsa_is_ok(hsa_unhex(model.admin[i], 32, f->list[i],
				strlen(f->list[i]))))
				say("adminIds is not hex");
		break;
	case HSA_ACTION_TKE_THRESHOLD_SET:
		model.sign = int_field(&ev->response, "signatureThreshold");
		model.revoke =
		    int_field(&ev->response, "revocationSignatureThreshold");
		break;
	case HSA_ACTION_TKE_REGISTER_ADD:
		model.fresh = 1;
		model.committed = 0;
		hex_field(
		    model.new_pattern, &ev->response, "verificationPattern");
		break;
	case HSA_ACTION_TKE_REGISTER_COMMIT:
		model.committed = 1;
		break;
	case HSA_ACTION_TKE_REGISTER_ACTIVATE:
		model.current = 1;
		hex_field(model.current_pattern, &ev->response,
		    "verificationPattern");
		if (memcmp(model.current_pattern, model.new_pattern, 32) != 0)
			say("another key was activated than was loaded");
		model.fresh = model.committed = 0;
		break;
	case HSA_ACTION_TKE_NEW_CLEAR:
		model.fresh = model.committed = 0;
		break;
	case HSA_ACTION_TKE_CURRENT_CLEAR:
		model.current = 0;
		break;
	case HSA_ACTION_TKE_RESET:
		model = (struct model){.next = model.next};
		break;
	default:
		say("an action that no command of this test causes");
	}
}

static hsa_rc
on_record(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	(void)ctx;
	(void)raw;
	(void)n;
	if (r->sequence < model.next)
		return HSA_OK;
	model.next = r->sequence + 1;
	records++;
	if (r->source == HSA_SOURCE_SEALER ||
	    (r->body == HSA_BODY_SPECIAL &&
		strcmp(r->special.name, "UNIT_START") == 0))
		return HSA_OK;
	for (size_t i = 0; i < sent_len; i++) {
		if (!r->has_command_id ||
		    memcmp(sent[i].id, r->command_id, HSA_UUID_LEN) != 0)
			continue;
		sent[i].records++;
		if (sent[i].replied &&
		    (sent[i].rc != r->ep11_rc ||
			(r->ep11_rc != 0 && sent[i].reason != r->ep11_reason)))
			say("record and reply differ in their code");
		if (r->body == HSA_BODY_EVENT &&
		    (strcmp(r->event.outcome, "success") == 0) !=
			(r->ep11_rc == 0))
			say("outcome and return code differ");
		if (r->body == HSA_BODY_EVENT && r->ep11_rc == 0)
			fold_event(&r->event);
		return HSA_OK;
	}
	invented++;
	fprintf(stderr, "INVENTED: record %llu, command %u\n",
	    (unsigned long long)r->sequence, r->command);
	return HSA_OK;
}

static void
check(void)
{
	char log[256], pub[256], hex[33];
	struct vfy_keys keys = {0};
	struct vfy_result res;
	struct hsa_unit_status st = {0};
	struct hsa_diag diag = {{0}};
	size_t named = 0;

	(void)snprintf(
	    log, sizeof(log), "%s/units/" UNIT "/log", daemon_.state);
	(void)snprintf(pub, sizeof(pub), "%s/checkpoint.pub", daemon_.state);
	memset(&res, 0, sizeof(res));
	if (!hsa_is_ok(vfy_keys_load(&keys, pub, &diag)) ||
	    !hsa_is_ok(vfy_log(&res, log,
		&(struct vfy_options){.keys = &keys, .on_record = on_record},
		&diag))) {
		say(diag.text);
	} else if (res.bad) {
		say(res.finding);
	} else if (res.sealed != res.records)
		say("records without a checkpoint over them");
	vfy_keys_free(&keys);

	for (size_t i = 0; i < sent_len; i++) {
		if (sent[i].replied && sent[i].records == 0) {
			lost++;
			fprintf(stderr, "LOST: a replied command\n");
		}
		if (sent[i].records > 1)
			doubled++;
		if (!sent[i].replied) {
			unknown++;
			unknown_sealed += sent[i].records;
		}
	}
	sent_len = 0;

	if (!hc_status(&client, &st)) {
		say("no status after the restart");
		return;
	}
	if (st.halted[0] != '\0')
		say(st.halted);
	if (st.log_size != res.records)
		say("status and log differ in size");
	if (st.admin_len != model.admins ||
	    memcmp(st.admin, model.admin, 32 * model.admins) != 0)
		say("administrators: state and log differ");
	if (st.signature_threshold != model.sign ||
	    st.revocation_threshold != model.revoke)
		say("thresholds: state and log differ");
	if (strcmp(st.new_register, !model.fresh ? "Empty"
				    : model.committed
					? "Full Committed"
					: "Full Uncommitted") != 0)
		say("new register: state and log differ");
	if (strcmp(st.current_register, model.current ? "Valid" : "Empty") != 0)
		say("current register: state and log differ");
	if (model.fresh && memcmp(st.new_pattern, model.new_pattern, 32) != 0)
		say("new register's pattern: state and log differ");
	if (model.current &&
	    memcmp(st.current_pattern, model.current_pattern, 32) != 0)
		say("current register's pattern: state and log differ");
	/* the token holds what the state names, and nothing else */
	if ((st.new_object[0] != '\0') != model.fresh ||
	    (st.current_object[0] != '\0') != model.current)
		say("register and named object differ");
	for (size_t i = 0; i < st.token_object_len; i++) {
		hsa_hex(hex, st.token_object[i], 16);
		named += strcmp(hex, st.new_object) == 0 ||
			 strcmp(hex, st.current_object) == 0;
	}
	if (named != st.token_object_len ||
	    named != (size_t)(model.fresh + model.current))
		say("token objects and state differ");
}

/* ---- the stream of commands ---------------------------------------------- */

static void
note(const struct hc_answer *a)
{
	struct sent *s = &sent[sent_len++];

	*s = (struct sent){
	    .replied = a->replied, .rc = a->rc, .reason = a->reason};
	memcpy(s->id, a->command_id, HSA_UUID_LEN);
	commands++;
	replied += a->replied;
	if (a->replied)
		atomic_fetch_add(&answered, 1);
	refused += a->replied && a->rc != 0;
	if (a->replied && a->http_status != 200)
		say("a command was answered with another status than 200");
}

/* up to `want` keys that are installed; sometimes too few or a stranger */
static size_t
signers(EVP_PKEY *out[8], const struct hsa_unit_status *st, size_t want)
{
	size_t n = 0, start = hd_rand(&rng, 8);

	if (hd_rand(&rng, 12) == 0 && want > 0)
		want--;
	for (size_t i = 0; i < st->admin_len && n < want; i++) {
		const uint8_t *id = st->admin[(start + i) % st->admin_len];

		for (size_t k = 0; k < KEYS; k++)
			if (memcmp(ski[k], id, TKE_SKI_LEN) == 0)
				out[n++] = key[k];
	}
	if (hd_rand(&rng, 25) == 0 && n < 8)
		out[n++] = key[KEYS - 1]; /* never installed */
	return n;
}

static void
threshold_input(struct hsa_buf *b, uint32_t s, uint32_t r)
{
	const struct tke_attributes a = {.signature_threshold = s,
	    .revocation_threshold = r,
	    .permissions = TKE_PERM_DEFAULT | TKE_PERM_ONE_PART,
	    .operational_mode = 0};

	tke_attributes_encode_set(b, &a);
}

/* one random command; false: the unit does not answer */
static bool
step(void)
{
	struct hsa_unit_status st = {0};
	struct hsa_buf in = {0};
	struct hc_answer a = {0};
	EVP_PKEY *by[8];
	uint8_t part[3][32];
	size_t n = 0, k = hd_rand(&rng, KEYS - 1);
	uint32_t s;

	if (!hc_status(&client, &st) || !hc_refresh(&client))
		return false;
	s = st.signature_threshold;
	switch (hd_rand(&rng, 14)) {
	case 0:
	case 1:
	case 2: {
		struct hsa_buf cert = {0};

		if (hsa_is_ok(tke_admin_cert_build(&cert, key[k], "crash")))
			hsa_buf_put(&in, cert.p, cert.len);
		hsa_buf_free(&cert);
		n = signers(by, &st, s);
		hc_command(&client, &a, TKE_CMD_ADMIN_ADD, in.p, in.len, by, n);
		break;
	}
	case 3:
		n = signers(by, &st, st.revocation_threshold);
		hc_command(&client, &a, TKE_CMD_ADMIN_REMOVE, ski[k],
		    TKE_SKI_LEN, by, n);
		break;
	case 4:
	case 5: {
		uint32_t ns = 1 + hd_rand(&rng, 2);

		threshold_input(&in, ns, 1 + hd_rand(&rng, 2));
		n = signers(by, &st, s == 0 ? ns : s);
		hc_command(
		    &client, &a, TKE_CMD_SET_ATTRIBUTES, in.p, in.len, by, n);
		break;
	}
	case 6:
	case 7: {
		static const uint8_t kind[4] = {0, 0, 0, TKE_IMPORTER_P521};

		n = signers(by, &st, 1);
		hc_command(&client, &a, TKE_CMD_GEN_IMPORTER, kind, 4, by, n);
		if (a.replied && a.rc == 0) {
			hsa_buf_reset(&importer);
			hsa_buf_put(&importer, a.output.p, a.output.len);
		}
		break;
	}
	case 8:
	case 9:
		if (importer.len == 0)
			break;
		if (!hsa_is_ok(hsa_random(part, sizeof(part))))
			break;
		n = signers(by, &st, 1);
		hc_import(&client, &a, (const uint8_t(*)[32])part,
		    2 + hd_rand(&rng, 2), importer.p, importer.len,
		    n > 0 ? by[0] : key[KEYS - 1]);
		break;
	case 10:
		n = signers(by, &st, s);
		if (hd_rand(&rng, 8) == 0)
			st.new_pattern[0] ^= 1;
		hc_command(
		    &client, &a, TKE_CMD_WK_COMMIT, st.new_pattern, 32, by, n);
		break;
	case 11:
		n = signers(by, &st, 1);
		hc_command(&client, &a, TKE_CMD_WK_FINALIZE, st.new_pattern, 32,
		    by, n);
		break;
	case 12:
		n = signers(by, &st, 1);
		hc_command(&client, &a,
		    hd_rand(&rng, 2) ? TKE_CMD_WK_CLEAR_CURRENT
				     : TKE_CMD_WK_CLEAR_PENDING,
		    NULL, 0, by, n);
		break;
	default:
		if (hd_rand(&rng, 6) != 0)
			break;
		n = signers(by, &st, s);
		hc_command(&client, &a, TKE_CMD_ZEROIZE, NULL, 0, by, n);
	}
	/* all zero: nothing was sent */
	if (!hsa_equal_ct(a.command_id, (const uint8_t[16]){0}, 16))
		note(&a);
	hsa_buf_free(&in);
	hc_answer_free(&a);
	return client.fd >= 0;
}

/* When to shoot: so many answers after the start, and then so much later,
 * somewhere in the command that follows. Time alone would hit a slow build
 * always in its first command. */
struct shot {
	pid_t pid;
	unsigned int answers, us;
};
static void *
shoot(void *arg)
{
	const struct shot *s = arg;
	const struct timespec little = {0, 200000};
	struct timespec t = {0, (long)s->us * 1000};

	for (int i = 0; i < 15000 && atomic_load(&answered) < s->answers; i++)
		nanosleep(&little, NULL);
	nanosleep(&t, NULL);
	kill(s->pid, SIGKILL);
	return NULL;
}

/* wait until a process other than `old` serves; its pid */
static pid_t
wait_back(pid_t old)
{
	struct hsa_unit_status st;
	struct timespec t = {0, 2000000};

	for (int i = 0; i < 15000; i++) {
		pid_t pid = hd_unit_pid(&daemon_, UNIT);

		if (pid != 0 && pid != old && hc_status(&client, &st) &&
		    (pid_t)st.pid == pid)
			return pid;
		hc_close(&client);
		nanosleep(&t, NULL);
	}
	return 0;
}

/* the next process after `old`, though it may not serve yet */
static pid_t
wait_spawned(pid_t old)
{
	struct timespec t = {0, 200000};

	for (int i = 0; i < 100000; i++) {
		pid_t pid = hd_unit_pid(&daemon_, UNIT);

		if (pid != 0 && pid != old)
			return pid;
		nanosleep(&t, NULL);
	}
	return 0;
}

int
main(void)
{
	unsigned int kills = hd_env("KILLS", 300), seed = hd_env("SEED", 1);
	unsigned int done = 0, early = 0, module_index = 0, domain_index = 0;
	char sock[256];
	pid_t pid = 0;

	rng.s = seed;
	for (size_t i = 0; i < KEYS; i++) {
		key[i] = hc_key_new();
		if (key[i] == NULL || !hsa_is_ok(tke_ski(ski[i], key[i])))
			return 1;
	}
	if (!hd_init(&daemon_, "operational=1") || !hd_start(&daemon_))
		return 1;
	(void)snprintf(
	    sock, sizeof(sock), "%s/units/" UNIT "/unit.sock", daemon_.state);
	if (!hd_unit_indices(&daemon_, UNIT, &module_index, &domain_index))
		return 1;
	hc_init(&client, sock, module_index, domain_index);
	while (done < kills && disagree + lost + doubled + invented == 0) {
		struct shot shot;
		pthread_t thread;

		pid = wait_back(pid);
		if (pid == 0) {
			say("the unit did not come back");
			break;
		}
		check();
		shot =
		    (struct shot){pid, hd_rand(&rng, 5), hd_rand(&rng, 25000)};
		atomic_store(&answered, 0);
		if (pthread_create(&thread, NULL, shoot, &shot) != 0)
			return 1;
		while (sent_len < SENT_MAX - 1 && step())
			;
		pthread_join(thread, NULL);
		hc_close(&client);
		done++;
		/* now and then hit the start itself */
		if (done < kills && hd_rand(&rng, 8) == 0) {
			pid_t next = wait_spawned(pid);
			struct timespec t = {
			    0, (long)hd_rand(&rng, 30000) * 1000};

			if (next != 0) {
				nanosleep(&t, NULL);
				kill(next, SIGKILL);
				pid = next;
				done++;
				early++;
			}
		}
	}
	if (wait_back(pid) != 0)
		check();
	hc_close(&client);
	if (hd_stop(&daemon_) != 0)
		say("cryptounitd did not stop in order");
	printf("COUNT kill -9 of a unit: %u (seed %u), %u of them while it "
	       "started\n",
	    done, seed, early);
	printf("COUNT commands %lu, replied %lu (refused %lu), unanswered %lu "
	       "(%lu of them sealed), records %lu\n",
	    commands, replied, refused, unknown, unknown_sealed, records);
	printf("COUNT lost %lu, doubled %lu, invented %lu, disagreements %lu\n",
	    lost, doubled, invented, disagree);
	if (disagree + lost + doubled + invented == 0 && done >= kills)
		hd_free(&daemon_);
	else
		fprintf(stderr, "state kept in %s\n", daemon_.root);
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(key[i]);
	hsa_buf_free(&importer);
	return done < kills || replied < kills ||
	       disagree + lost + doubled + invented != 0;
}
