/*
 * val_tree.h - trees of jansson, built straight down: the first failure is
 * remembered. A NULL value is one: whoever made it was out of memory.
 */
#ifndef VAL_TREE_H
#define VAL_TREE_H
#include <jansson.h>
#include "hsa_err.h"

/* Both take v. */
static inline void
val_tree_put(json_t *to, const char *key, json_t *v, hsa_rc *rc)
{
	if (json_object_set_new(to, key, v) != 0)
		*rc = HSA_RC(E_NOMEM);
}
static inline void
val_tree_add(json_t *to, json_t *v, hsa_rc *rc)
{
	if (json_array_append_new(to, v) != 0)
		*rc = HSA_RC(E_NOMEM);
}

#endif
