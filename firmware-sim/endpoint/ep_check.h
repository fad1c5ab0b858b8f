/*
 * ep_check.h - what the values of a configuration must be, beyond its YAML
 * schema: each in its range, names and ids unique, one module per unit.
 */
#ifndef EP_CHECK_H
#define EP_CHECK_H
#include <stdbool.h>
#include <stddef.h>
#include "hsa_err.h"

struct ep_config;

/* ep_check(c, diag) - E_CONFIG with key, cause and fix at the first mistake. */
HSA_MUST_USE hsa_rc ep_check(const struct ep_config *c, struct hsa_diag *diag);

/* The same rules for what is not in a file yet (the options of init).
 * ep_is_name: a-z first, then a-z 0-9 and "-", at most 32.
 * ep_is_region: as a name, for a part of a CRN.
 * ep_is_collector: an address of hsa_addr.h to connect to.
 * ep_is_text: 1 to max bytes, no control characters. */
bool ep_is_name(const char *s);
bool ep_is_region(const char *s);
bool ep_is_collector(const char *s);
bool ep_is_text(const char *s, size_t max);

#endif
