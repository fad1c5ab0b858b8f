/*
 * val_json.h - one JSON text as a tree that is used again for the next one, so
 * that a million events cost no million allocations. Parsed by yajl; what
 * RFC 8259 leaves open and readers disagree about is noted beside the tree.
 */
#ifndef VAL_JSON_H
#define VAL_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"

#define VAL_DEPTH 64                            /* arrays and objects */
#define VAL_TEXT_MAX ((size_t)64 * 1024 * 1024) /* bytes of one text */

enum val_kind {
	VAL_NULL = 1,
	VAL_BOOL,
	VAL_NUMBER,
	VAL_TEXT,
	VAL_ARRAY,
	VAL_OBJECT
};

/* Offsets are into val_json.text, where every string ends with a NUL that its
 * length leaves out; one of its own (VAL_FLAW_NUL) became U+001A, so that it
 * equals nothing that is documented. Indices are into val_json.node; 0 is the
 * root, and as child or next: none. */
struct val_node {
	enum val_kind kind;
	bool truth;  /* of a VAL_BOOL */
	bool member; /* has a name */
	uint32_t name, name_len;
	uint32_t text, text_len; /* VAL_TEXT decoded, VAL_NUMBER as written */
	uint32_t parent, child, next;
	uint32_t at; /* bytes of the input up to the end of its first token */
};

enum val_flaw_kind {
	VAL_FLAW_DUPLICATE = 1, /* a name that its object had before */
	VAL_FLAW_NUMBER,        /* a number beyond 2^53 */
	VAL_FLAW_UTF8,          /* a string that is no UTF-8: bytes, escapes */
	VAL_FLAW_NUL            /* a string that many readers cut short */
};
struct val_flaw {
	enum val_flaw_kind kind;
	uint32_t node;
};

/* Zeroed: empty. */
struct val_json {
	struct val_node *node;
	size_t len, cap;
	struct hsa_buf text;
	struct val_flaw *flaw;
	size_t flaws, flaw_cap;
	uint32_t *sorted; /* of the object whose names are compared */
	size_t sorted_cap;
};

/*
 * val_json_parse(j, at, diag, p, n) - the tree of exactly one JSON text.
 * E_FORMAT: it is none, or deeper than VAL_DEPTH; at: out then, byte where it
 * ends to be; diag says what is wrong. E_RANGE: above VAL_TEXT_MAX. j holds
 * the tree until the next call. val_json_free(j) - repeatable.
 */
HSA_MUST_USE hsa_rc val_json_parse(struct val_json *j, size_t *at,
    struct hsa_diag *diag, const void *p, size_t n);
/*
 * val_json_graft(j, at, from) - parse the string of node `from` and put the
 * tree in the place of node `at` (which keeps its name). What is no JSON
 * stays a string. Only E_NOMEM fails.
 */
HSA_MUST_USE hsa_rc val_json_graft(struct val_json *j, size_t at, size_t from);
/* val_json_root(j, at) - node `at` becomes the root; what is around it is in
 * no list any more. */
void val_json_root(struct val_json *j, size_t at);
void val_json_free(struct val_json *j);

/* The name or string of a node. */
static inline const char *
val_name(const struct val_json *j, const struct val_node *n)
{
	return (const char *)j->text.p + n->name;
}
static inline const char *
val_text(const struct val_json *j, const struct val_node *n)
{
	return (const char *)j->text.p + n->text;
}
/* First member or element, and the one after; NULL: none. */
static inline const struct val_node *
val_child(const struct val_json *j, const struct val_node *n)
{
	return n->child == 0 ? NULL : &j->node[n->child];
}
static inline const struct val_node *
val_next(const struct val_json *j, const struct val_node *n)
{
	return n->next == 0 ? NULL : &j->node[n->next];
}

/* val_is(j, n, s) - n is the string s. */
bool val_is(const struct val_json *j, const struct val_node *n, const char *s);
/* val_member(j, n, name) - of an object: the first of that name, or NULL. name
 * may hold dots. */
const struct val_node *val_member(
    const struct val_json *j, const struct val_node *n, const char *name);
/* val_integer(j, n, v) - a number that is an integer within 2^53. */
bool val_integer(
    const struct val_json *j, const struct val_node *n, int64_t *v);
/* val_path(b, j, n) - append "requestData.adminIds[2]"; "" for the root. */
void val_path(
    struct hsa_buf *b, const struct val_json *j, const struct val_node *n);

#endif
