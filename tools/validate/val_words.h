/*
 * val_words.h - what the document knows by value, for those who check events
 * (val_rule_*) and those who describe them (val_schema). Lists end with NULL.
 * Patterns say the same as the checks' functions, as regular expressions that
 * POSIX (extended, C locale) and ECMA-262 read alike.
 */
#ifndef VAL_WORDS_H
#define VAL_WORDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_field_type.h"
#include "val_event.h"

#define VAL_SERVICE "Hyper Protect Crypto Services: " /* begins a message */
#define VAL_PERSON "service/security/account/user"    /* initiator.typeURI */

/* Signature thresholds, and the key parts of a master key. */
#define VAL_THRESHOLD_MIN 1
#define VAL_THRESHOLD_MAX 8
#define VAL_PARTS_MIN 2
#define VAL_PARTS_MAX 3

/* Fields with a list of documented values: E25. */
struct val_values {
	enum val_field field;
	const char *const *list;
	const char *text; /* for a person */
};
const struct val_values *val_values(size_t *n);

extern const char *const val_regions[];      /* the nine of Table 12 */
extern const char *const val_secret_names[]; /* in any case of letters */
extern const char *const val_thresholds[];   /* members that are one */
/* Former names, Table 1, whose present one no table describes, and that one in
 * turn: nothing but it is known (catalogue-notes 6). */
struct val_renamed {
	const char *old, *now; /* NULL: the end */
};
extern const struct val_renamed val_orphans[];

/* val_name_alias(name) - the other spelling of a documented member, or NULL.
 * val_is_key_state(name) - the member's value is a state: E23.
 * val_key_state_fits(v) - it is one.
 * val_outcome_fits(o, code) - outcome and HTTP status agree: E05. */
const char *val_name_alias(const char *name);
bool val_is_key_state(const char *name);
bool val_key_state_fits(int64_t v);
bool val_outcome_fits(enum val_outcome o, int64_t code);

#define VAL_CLOCK "T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"
#define VAL_PATTERN_TIME "^" HSA_PATTERN_DAY VAL_CLOCK "[.][0-9]{2}[+]0000$"
#define VAL_PATTERN_TIME_LENIENT                                               \
	"^" HSA_PATTERN_DAY VAL_CLOCK "([.][0-9]{1,9})?([+]0000|Z|[+]00:00)$"

/* up to the region; then the whole */
#define VAL_PATTERN_CRN_HEAD "^crn:v1:[^:]+:[^:]+:[^:]+:"
#define VAL_PATTERN_CRN VAL_PATTERN_CRN_HEAD "[^:]*:[^:]*:[^:]*:[^:]*:"

#define VAL_OCTET "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define VAL_IPV4 VAL_OCTET "([.]" VAL_OCTET "){3}"
#define VAL_PATTERN_IPV4 "^" VAL_IPV4 "$"
/* RFC 3986, IPv6address */
#define VAL_H16 "[0-9a-fA-F]{1,4}"
#define VAL_LS32 "(" VAL_H16 ":" VAL_H16 "|" VAL_IPV4 ")"
#define VAL_H16S(n) "(" VAL_H16 ":){" #n "}"
#define VAL_UP_TO(n) "((" VAL_H16 ":){0," #n "}" VAL_H16 ")?::"
#define VAL_PATTERN_IPV6                                                       \
	"^(" VAL_H16S(6) VAL_LS32 "|"                                          \
				  "::" VAL_H16S(5) VAL_LS32                    \
	    "|"                                                                \
	    "(" VAL_H16 ")?::" VAL_H16S(4) VAL_LS32 "|" VAL_UP_TO(1)           \
		VAL_H16S(3) VAL_LS32 "|" VAL_UP_TO(2) VAL_H16S(2) VAL_LS32     \
	    "|" VAL_UP_TO(3) VAL_H16 ":" VAL_LS32 "|" VAL_UP_TO(4) VAL_LS32    \
	    "|" VAL_UP_TO(5) VAL_H16 "|" VAL_UP_TO(6) ")$"

/* a vCenter Server by its certificate */
#define VAL_VCENTER "CertificateID-"
#define VAL_HEX_DIGITS "0123456789abcdefABCDEF"
#define VAL_PATTERN_VCENTER "^" VAL_VCENTER "[0-9a-fA-F:]+$"

/* a PEM key, a bearer token, a JSON Web Token, a password: anywhere in a string
 */
#define VAL_PATTERN_SECRET "PRIVATE KEY-----|[Bb]earer ey|[.]eyJ|assword="

#endif
