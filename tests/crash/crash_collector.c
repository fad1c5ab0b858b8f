/*
 * crash_collector.c - the collector is killed and restarted 50 times while
 * three units run commands, the units themselves are killed now and then, and
 * at the end the collected copies hold exactly the units' records, byte for
 * byte and in order: over a unix socket, then 15 times over TLS, where
 * certificates are renewed meanwhile. KILLS_COLLECTOR, KILLS_COLLECTOR_TLS and
 * SEED choose the run.
 */
#include <dirent.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper_client.h"
#include "helper_daemon.h"
#include "helper_tls.h"
#include "tke_sig.h"
#include "vfy_log.h"

#define UNITS 3
static const char *const unit_name[UNITS] = {
    "operational-1", "operational-2", "recovery-1"};

static struct hd daemon_;
static struct hc client[UNITS];
static struct hd_rng rng;
static unsigned long bad;
static unsigned int port; /* of the collector; 0: a unix socket */

static void
say(const char *unit, const char *what)
{
	bad++;
	fprintf(stderr, "BAD: %s: %s\n", unit, what);
}

/* One of fixed number for the run: the daemon's configuration names it. */
static bool
init(bool tls)
{
	char collector[64];

	port = 0;
	if (tls)
		(void)close(helper_tcp_listen(&port));
	(void)snprintf(
	    collector, sizeof(collector), "local=tls:localhost:%u", port);
	return hd_init_collector(&daemon_, "operational=2,recovery=1",
		   tls ? collector : NULL) &&
	       hd_start(&daemon_);
}

/* digest of each record in order: enough to compare two logs */
struct digests {
	uint8_t (*of)[32];
	size_t len, cap;
};

static hsa_rc
on_record(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct digests *d = ctx;

	(void)r;
	if (d->len == d->cap) {
		size_t cap = d->cap == 0 ? 1024 : 2 * d->cap;
		void *more = realloc(d->of, cap * 32);

		if (more == NULL)
			return HSA_RC(E_NOMEM);
		d->of = more;
		d->cap = cap;
	}
	return hsa_sha256(d->of[d->len++], raw, n);
}

static bool
read_log(struct digests *d, const char *dir, const char *name)
{
	char pub[256];
	struct vfy_keys keys = {0};
	struct vfy_result res;
	struct hsa_diag diag = {{0}};
	bool good = false;

	memset(&res, 0, sizeof(res));
	(void)snprintf(pub, sizeof(pub), "%s/checkpoint.pub", daemon_.state);
	if (!hsa_is_ok(vfy_keys_load(&keys, pub, &diag)) ||
	    !hsa_is_ok(vfy_log(&res, dir,
		&(struct vfy_options){
		    .keys = &keys, .on_record = on_record, .ctx = d},
		&diag)))
		say(name, diag.text);
	else if (res.bad || res.sealed != d->len)
		say(name, res.bad ? res.finding : "unsealed records");
	else
		good = true;
	vfy_keys_free(&keys);
	return good;
}

static bool
run(bool tls, unsigned int kills)
{
	unsigned int done = 0, unit_kills = 0, renewals = 0;
	char out[128], path[256];
	unsigned long sent = 0, total = 0;
	uint8_t unit_id[UNITS][HSA_UUID_LEN] = {{0}};
	EVP_PKEY *key = NULL;
	pid_t pid = 0;

	key = hc_key_new();
	if (key == NULL || !init(tls))
		return false;
	(void)snprintf(out, sizeof(out), "%s/collected", daemon_.root);
	for (unsigned int u = 0; u < UNITS; u++) {
		unsigned int m = 0, d = 0;

		(void)snprintf(path, sizeof(path), "%s/units/%s/unit.sock",
		    daemon_.state, unit_name[u]);
		if (!hd_unit_indices(&daemon_, unit_name[u], &m, &d))
			return false;
		hc_init(&client[u], path, m, d);
	}
	while (done < kills && bad == 0) {
		struct timespec end, now;

		pid = hd_collect(&daemon_, out, port);
		if (pid == 0) {
			say("collector", "did not start");
			break;
		}
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_nsec += (long)hd_rand(&rng, 80000) * 1000;
		end.tv_sec += end.tv_nsec / 1000000000;
		end.tv_nsec %= 1000000000;
		do {
			/* refused commands make records just as well: an
			 * importer key is not to be had in imprint mode */
			static const uint8_t kind[4] = {0, 0, 0, 3};
			unsigned int u = hd_rand(&rng, UNITS);
			struct hc_answer a = {0};

			if (hc_refresh(&client[u])) {
				hc_command(&client[u], &a, TKE_CMD_GEN_IMPORTER,
				    kind, 4, NULL, 0);
				sent += a.replied;
				hc_answer_free(&a);
			}
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while (
		    now.tv_sec < end.tv_sec ||
		    (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		done++;
		if (done % 10 == 0) {
			pid_t victim = hd_unit_pid(
			    &daemon_, unit_name[hd_rand(&rng, UNITS)]);

			if (victim != 0 && kill(victim, SIGKILL) == 0)
				unit_kills++;
		}
		if (tls && done % 5 == 0) {
			if (!hd_certs(&daemon_))
				say("certs", "were not made");
			renewals++;
		}
	}
	/* once more, to the end: every unit acknowledged in full */
	pid = hd_collect(&daemon_, out, port);
	for (unsigned int u = 0; u < UNITS && pid != 0; u++) {
		struct hsa_unit_status st = {0};
		struct timespec t = {0, 20000000};
		int i = 0;

		for (; i < 1000; i++) {
			if (hc_status(&client[u], &st) &&
			    st.collector_len == 1 && st.log_size != 0 &&
			    st.collector[0].acknowledged == st.log_size)
				break;
			nanosleep(&t, NULL);
		}
		if (i == 1000)
			say(unit_name[u], "was not acknowledged in full");
		memcpy(unit_id[u], st.unit_id, HSA_UUID_LEN);
	}
	/* stopping adds records too; they must arrive before the end */
	if (hd_stop(&daemon_) != 0)
		say("cryptounitd", "did not stop in order");
	if (pid != 0) {
		int st = 0;

		kill(pid, SIGTERM);
		if (waitpid(pid, &st, 0) != pid || !WIFEXITED(st) ||
		    WEXITSTATUS(st) != 0)
			say("collector", "did not stop in order");
	}
	for (unsigned int u = 0; u < UNITS && bad == 0; u++) {
		struct digests own = {0}, copy = {0};
		char text[HSA_UUID_TEXT];

		hsa_uuid_text(text, unit_id[u]);
		(void)snprintf(path, sizeof(path), "%s/units/%s/log",
		    daemon_.state, unit_name[u]);
		read_log(&own, path, unit_name[u]);
		(void)snprintf(path, sizeof(path), "%s/%s", out, text);
		read_log(&copy, path, unit_name[u]);
		if (own.len != copy.len ||
		    memcmp(own.of, copy.of, 32 * own.len) != 0)
			say(unit_name[u], "copy and log differ");
		total += own.len;
		free(own.of);
		free(copy.of);
	}
	printf("COUNT over %s: kill -9 of the collector: %u, of units: %u, "
	       "certificates renewed: %u\n",
	    tls ? "TLS" : "a unix socket", done, unit_kills, renewals);
	printf("COUNT commands replied %lu, records %lu in 3 logs, equal to "
	       "the copies: %s\n",
	    sent, total, bad == 0 ? "yes" : "NO");
	for (unsigned int u = 0; u < UNITS; u++)
		hc_close(&client[u]);
	EVP_PKEY_free(key);
	if (bad == 0)
		hd_free(&daemon_);
	else
		fprintf(stderr, "state kept in %s\n", daemon_.root);
	return bad == 0 && done == kills && sent != 0;
}

int
main(void)
{
	rng.s = hd_env("SEED", 1);
	return !(run(false, hd_env("KILLS_COLLECTOR", 50)) &&
		 run(true, hd_env("KILLS_COLLECTOR_TLS", 15)));
}
