/* ep_template.c - see ep_template.h. Values are written as JSON strings, which
 * YAML reads as they are. */
#include <string.h>
#include "hsa_buf.h"
#include "hsa_json.h"
#include "ep_config.h"
#include "ep_template.h"

static void
value(struct hsa_buf *b, const char *key, const char *s)
{
	hsa_buf_str(b, key);
	hsa_buf_str(b, ": ");
	hsa_json_string(b, s, strlen(s));
	hsa_buf_str(b, "\n");
}

static void
units(struct hsa_buf *b, const struct ep_config *c)
{
	unsigned int i = 0;

	hsa_buf_str(b,
	    "# The crypto units, one module each. What belongs to a unit lies "
	    "in\n"
	    "# units/<name>/: token, certificates, state, log. id, location "
	    "and serial\n"
	    "# are part of its certificates, events and log: do not change "
	    "them.\n"
	    "#   name      folder, and name in messages\n"
	    "#   id        hsm_id for TKE clients; the token's label; the "
	    "log's origin\n"
	    "#   type      operational, recovery or failover: the list in "
	    "which TKE\n"
	    "#             clients see it\n"
	    "#   location  [zone].[host].[module index].[domain index]\n"
	    "#   serial    of the module, 8 characters\n"
	    "#   emission  when the reply of an action may leave: ring, when "
	    "its event\n"
	    "#             survives a kill of every process, or sealed, when "
	    "it is on\n"
	    "#             stable storage. What changes the unit (tke, "
	    "keystore) is sealed\n"
	    "#             always; EP11 calls as you like.\n"
	    "units:\n");
	for (i = 0; i < c->unit_count; i++) {
		const struct ep_unit_config *u = &c->unit[i];

		value(b, "  - name", u->name);
		value(b, "    id", u->id);
		hsa_buf_printf(b, "    type: %s\n", ep_unit_type_name(u->type));
		value(b, "    location", u->location);
		value(b, "    serial", u->serial);
		hsa_buf_printf(b, "    emission:\n      ep11: %s\n",
		    ep_mode_name(u->emission.ep11 == 0 ? EP_MODE_RING
						       : u->emission.ep11));
		hsa_buf_str(b, "#      tke: sealed\n"
			       "#      keystore: sealed\n");
	}
}

static void
identities(struct hsa_buf *b, const struct ep_config *c)
{
	unsigned int i = 0;

	hsa_buf_str(b,
	    "\n"
	    "# Who a caller is: the first entry that fits. An Authorization "
	    "token,\n"
	    "# when one is sent, decides; else the login name of the local "
	    "process at\n"
	    "# the other end of admin_socket. Nobody else gets in: 401 "
	    "without a known\n"
	    "# token, 403 for a login without an entry. Both are audited.\n"
	    "#   user          login name, \"*\" for any, \"#1000\" for a uid "
	    "without name\n"
	    "#   token_sha256  printf %s TOKEN | sha256sum\n"
	    "#   id, name      initiator.id and initiator.name of the events\n"
	    "#   denied: true  known, but without permission: 403\n"
	    "identities:\n");
	for (i = 0; i < c->identity_count; i++) {
		const struct ep_identity *who = &c->identity[i];

		value(b, "  - id", who->id);
		value(b, "    name", who->name);
		if (who->user != NULL)
			value(b, "    user", who->user);
		if (who->token_sha256 != NULL)
			value(b, "    token_sha256", who->token_sha256);
		if (who->denied)
			hsa_buf_str(b, "    denied: true\n");
	}
}

static void
collectors(struct hsa_buf *b, const struct ep_config *c)
{
	unsigned int i = 0;

	hsa_buf_str(b,
	    "\n"
	    "# Where every unit sends its sealed log: sockets of `hsa "
	    "collect`. A\n"
	    "# relative path counts from this folder. A collector that is "
	    "away costs\n"
	    "# disk, never an event: the log waits for it.\n"
	    "#   address   unix:PATH or tls:HOST:PORT\n"
	    "#   tls_name  what the collector's certificate is for; absent: "
	    "its name\n"
	    "# `cryptounitd certs` makes new certificates, also for "
	    "collectors added here.\n");
	hsa_buf_str(
	    b, c->collector_count == 0 ? "collectors: []\n" : "collectors:\n");
	for (i = 0; i < c->collector_count; i++) {
		value(b, "  - name", c->collector[i].name);
		value(b, "    address", c->collector[i].address);
		if (c->collector[i].tls_name != NULL)
			value(b, "    tls_name", c->collector[i].tls_name);
	}
}

/* A key of log:, or what it could be, behind a #. */
static void
number(struct hsa_buf *b, const char *key, uint64_t v, const char *example)
{
	if (v != 0)
		hsa_buf_printf(b, "  %s: %llu\n", key, (unsigned long long)v);
	else
		hsa_buf_printf(b, "#  %s: %s\n", key, example);
}

static void
retention(struct hsa_buf *b, const struct ep_log *l)
{
	bool none = l->max_bytes == 0 && l->keep_bytes == 0 &&
		    l->keep_days == 0 && l->segment_bytes == 0 &&
		    l->ring_slots == 0 && l->release == 0;

	hsa_buf_str(b,
	    "\n"
	    "# How much of each unit's log is kept, all of it if nothing is "
	    "said here.\n"
	    "#   max_bytes      limit of its files, at least four segments: "
	    "then the unit\n"
	    "#                  refuses work (507); nothing is ever "
	    "overwritten\n"
	    "#   release        never, or acknowledged: files that every "
	    "collector has\n"
	    "#                  are deleted, as far as the next two allow\n"
	    "#   keep_bytes     at least so much stays\n"
	    "#   keep_days      and all that was written in so many days\n"
	    "#   segment_bytes  size of a file\n"
	    "#   ring_slots     place for EP11 calls that are not sealed yet, "
	    "a power of two\n");
	hsa_buf_printf(b, "%slog:\n", none ? "#" : "");
	number(b, "max_bytes", l->max_bytes, "1073741824");
	if (l->release != 0)
		hsa_buf_printf(b, "  release: %s\n",
		    l->release == EP_RELEASE_NEVER ? "never" : "acknowledged");
	else
		hsa_buf_str(b, "#  release: acknowledged\n");
	number(b, "keep_bytes", l->keep_bytes, "268435456");
	number(b, "keep_days", l->keep_days, "30");
	number(b, "segment_bytes", l->segment_bytes, "67108864");
	number(b, "ring_slots", l->ring_slots, "65536");
}

void
ep_template(struct hsa_buf *b, const struct ep_config *c)
{
	hsa_buf_str(b,
	    "# Configuration of cryptounitd; every key is explained in\n"
	    "# cryptounitd.yaml(5). Restart the daemon after a change.\n"
	    "\n"
	    "# The service instance, part of its CRN and of the HTTP paths.\n");
	value(b, "instance_id", c->instance_id);
	hsa_buf_str(b,
	    "\n# The account, 32 hex digits, and region: parts of the CRN.\n");
	value(b, "account", c->account);
	value(b, "region", c->region);
	hsa_buf_str(b, "\n# How every CRN begins, up to the service name.\n");
	value(b, "crn_prefix", c->crn_prefix);
	hsa_buf_str(b, "\n# SoftHSM's library.\n");
	value(b, "pkcs11_module", c->pkcs11_module);
	hsa_buf_str(b,
	    "\n"
	    "# A folder on tmpfs, where the calls of each unit wait in a file "
	    "until they\n"
	    "# are sealed: what a killed daemon leaves there the next one "
	    "seals first.\n");
	if (c->ring_dir != NULL)
		value(b, "ring_dir", c->ring_dir);
	else
		hsa_buf_str(b, "#ring_dir: " EP_RING_DIR "\n");
	hsa_buf_str(b,
	    "\n"
	    "# Where TKE clients connect: a socket in this folder, open to "
	    "its owner\n"
	    "# only (the kernel says who connects).\n");
	value(b, "admin_socket", c->admin_socket);
	hsa_buf_str(b,
	    "\n"
	    "# Also HTTP on a port of this machine, for clients with a token. "
	    "Only\n"
	    "# loopback addresses: for others put a TLS proxy in front.\n");
	if (c->admin_listen != NULL)
		value(b, "admin_listen", c->admin_listen);
	else
		hsa_buf_str(b, "#admin_listen: \"127.0.0.1:8443\"\n");
	hsa_buf_str(b, "\n");
	units(b, c);
	identities(b, c);
	collectors(b, c);
	retention(b, &c->log);
}
