/* tkc_compare.h - whether crypto units are set up alike. */
#ifndef TKC_COMPARE_H
#define TKC_COMPARE_H
#include <stdbool.h>
#include <stddef.h>
#include "tkc_state.h"

enum tkc_aspect {
	TKC_SAME_SIGNATURE_THRESHOLD,
	TKC_SAME_REVOCATION_THRESHOLD,
	TKC_SAME_PERMISSIONS,
	TKC_SAME_ADMINS, /* as a set */
	TKC_SAME_NEW_REGISTER,
	TKC_SAME_CURRENT_REGISTER,
	TKC_ASPECTS
};

/* tkc_compare(same, s, n) - which aspects are equal in all n states; returns
 * whether all are. One unit is equal to itself. */
bool tkc_compare(bool same[TKC_ASPECTS], const struct tkc_state *s, size_t n);
const char *tkc_aspect_name(enum tkc_aspect a); /* "administrators" */

#endif
