/*
 * ep_config.h - the configuration of one installation (config.yaml, read by
 * libcyaml) and the paths of its state directory.
 */
#ifndef EP_CONFIG_H
#define EP_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

#define EP_UNITS_MAX 16

enum ep_unit_type {
	EP_UNIT_OPERATIONAL = 1,
	EP_UNIT_RECOVERY,
	EP_UNIT_FAILOVER
};

/* When a reply may leave, by the family of the action (design D7); 0: not
 * given. What ep_config_load returns has each set. */
enum ep_mode {
	EP_MODE_SEALED = 1, /* its event is on stable storage */
	EP_MODE_RING,       /* its event survives a kill of everything */
	EP_MODE_OFF         /* refused: for measuring alone */
};
struct ep_emission {
	enum ep_mode ep11, tke, keystore;
};

struct ep_unit_config {
	char *name; /* "operational-1": folder under units/ */
	char *id;   /* UUID text */
	enum ep_unit_type type;
	char *location; /* "[us-south].[AZ1-CS1].[00].[03]" */
	char *serial;   /* 8 characters */
	struct ep_emission emission;
};

struct ep_identity {        /* who a local user, or the bearer of a token, is */
	char *user;         /* login name; "*" for any */
	char *token_sha256; /* hex of SHA-256 of the token, or NULL */
	char *id;           /* initiator.id, "IBMid-..." */
	char *name;         /* initiator.name */
	bool denied;        /* known, but without permission: 403 */
};

/* How much of each unit's log is kept; 0: not given. */
enum ep_release {
	EP_RELEASE_ACKNOWLEDGED = 1, /* what all collectors have may go */
	EP_RELEASE_NEVER             /* the default */
};
struct ep_log {
	uint64_t max_bytes;     /* then work is refused */
	uint64_t keep_bytes;    /* at least so much stays */
	uint32_t keep_days;     /* at least so long */
	uint64_t segment_bytes; /* of a file; 0: the log's own choice */
	uint32_t ring_slots;    /* for calls not yet sealed; 0: likewise */
	enum ep_release release;
};

struct ep_collector {
	char *name, *address;
	char *tls_name; /* in its certificate; NULL: name */
};

struct ep_config {
	char *instance_id, *account, *region, *crn_prefix;
	char *pkcs11_module; /* absolute path of libsofthsm2.so */
	char *ring_dir;      /* absolute, on tmpfs; NULL: EP_RING_DIR */
	char *admin_socket;  /* relative to the state directory */
	char *admin_listen;  /* "127.0.0.1:8443" or NULL */
	struct ep_unit_config *unit;
	unsigned int unit_count;
	struct ep_identity *identity;
	unsigned int identity_count;
	struct ep_collector *collector;
	unsigned int collector_count;
	struct ep_log log;
};

/*
 * ep_config_load(c, dir, diag) - read and check DIR/config.yaml: every value
 * in range, names and ids unique, one module per unit. E_CONFIG with the line
 * or the key and the fix. ep_config_parse: the same from memory (fuzzed).
 */
HSA_MUST_USE hsa_rc ep_config_load(
    struct ep_config **c, const char *dir, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc ep_config_parse(
    struct ep_config **c, const void *yaml, size_t n, struct hsa_diag *diag);
void ep_config_free(struct ep_config *c);

/* The strings that follow from it; each is appended to an empty hsa_buf by
 * its caller's choice of unit. */
struct hsa_buf;
void ep_instance_crn(struct hsa_buf *b, const struct ep_config *c);
void ep_unit_crn(struct hsa_buf *b, const struct ep_config *c,
    const struct ep_unit_config *u);
void ep_unit_origin(struct hsa_buf *b, const struct ep_unit_config *u);
/* The file of calls that are not sealed yet; of this user. */
void ep_unit_ring(struct hsa_buf *b, const struct ep_config *c,
    const struct ep_unit_config *u);
#define EP_RING_DIR "/dev/shm"

/* ep_collector_tls_name(c) - what its certificate is for. */
const char *ep_collector_tls_name(const struct ep_collector *c);

/* ep_unit_find(c, name) - the unit of that name, or NULL.
 * ep_unit_type_name(t) - "operational", "recovery", "failover".
 * ep_unit_type_parse(t, s) - and back; E_NOT_FOUND. */
const struct ep_unit_config *ep_unit_find(
    const struct ep_config *c, const char *name);
const char *ep_unit_type_name(enum ep_unit_type t);
HSA_MUST_USE hsa_rc ep_unit_type_parse(enum ep_unit_type *t, const char *s);
/* ep_mode_name(m) - "sealed", "ring", "off". */
const char *ep_mode_name(enum ep_mode m);

/* ep_location_parse(module, domain, s) - the two indices of a location,
 * "[zone].[host].[module].[domain]" (ep11-tke-wire 2.2). E_FORMAT. */
HSA_MUST_USE hsa_rc ep_location_parse(
    uint32_t *module, uint32_t *domain, const char *s);

/*
 * ep_listen_parse(host, port, s) - "127.0.0.1:8443", "[::1]:8443" or
 * "localhost:8443". host: out, numeric. E_FORMAT; E_UNSUPPORTED for an
 * address beyond this machine.
 */
#define EP_HOST_MAX 46
HSA_MUST_USE hsa_rc ep_listen_parse(
    char host[EP_HOST_MAX], uint16_t *port, const char *s);

#define EP_CONFIG_MAX 262144u /* bytes of config.yaml */
#define EP_IDENTITIES_MAX 64
#define EP_COLLECTORS_MAX 8
#define EP_CONFIG_FILE "config.yaml"

#endif
