#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "hsa_utf8.h"
#include "val_json.h"

#define BEYOND ((int64_t)1 << 53) /* more, and IEEE doubles skip integers */
#define NONE SIZE_MAX
#define FEW 16 /* names that are compared pair by pair */

struct parse {
	struct val_json *j;
	yajl_handle h;
	uint32_t open[VAL_DEPTH]; /* containers, outermost first */
	uint32_t last[VAL_DEPTH]; /* their last child so far, 0: none */
	size_t depth;
	uint32_t name, name_len; /* of the member to come */
	bool named;
	const uint8_t *in; /* the text */
	size_t in_len;
	size_t lone; /* where an escaped half of a pair stands alone, or NONE */
	size_t end;  /* of the value, 0: not known */
	hsa_rc rc;   /* why it was cancelled */
	const char *why;
};

static int
cancel(struct parse *p, hsa_rc rc, const char *why)
{
	p->rc = rc;
	p->why = why;
	return 0;
}

static int
flaw(struct parse *p, enum val_flaw_kind kind, size_t node)
{
	struct val_json *j = p->j;

	if (j->flaws == j->flaw_cap) {
		size_t cap = j->flaw_cap == 0 ? 8 : j->flaw_cap * 2;
		struct val_flaw *f = realloc(j->flaw, cap * sizeof(*f));

		if (f == NULL)
			return cancel(p, HSA_RC(E_NOMEM), "out of memory");
		j->flaw = f;
		j->flaw_cap = cap;
	}
	j->flaw[j->flaws++] = (struct val_flaw){kind, (uint32_t)node};
	return 1;
}

static bool
keep(struct parse *p, uint32_t *at, const void *s, size_t n)
{
	struct hsa_buf *b = &p->j->text;
	uint8_t *to = hsa_buf_reserve(b, n + 1);

	if (to == NULL)
		return false;
	*at = (uint32_t)b->len;
	if (n > 0)
		memcpy(to, s, n);
	to[n] = '\0';
	b->len += n + 1;
	return true;
}

/* The new node hangs on the innermost open container; NULL: out of memory. */
static struct val_node *
add(struct parse *p, enum val_kind kind)
{
	struct val_json *j = p->j;
	struct val_node *n;
	uint32_t index = (uint32_t)j->len;

	if (j->len == j->cap) {
		size_t cap = j->cap == 0 ? 64 : j->cap * 2;

		n = realloc(j->node, cap * sizeof(*n));
		if (n == NULL)
			return NULL;
		j->node = n;
		j->cap = cap;
	}
	n = &j->node[j->len++];
	*n = (struct val_node){.kind = kind};
	n->at = (uint32_t)yajl_get_bytes_consumed(p->h);
	n->member = p->named;
	n->name = p->name;
	n->name_len = p->name_len;
	p->named = false;
	p->name_len = 0;
	if (p->depth > 0) {
		uint32_t *last = &p->last[p->depth - 1];

		n->parent = p->open[p->depth - 1];
		if (*last == 0)
			j->node[n->parent].child = index;
		else
			j->node[*last].next = index;
		*last = index;
	}
	return n;
}

/* A value ended. */
static int
ended(struct parse *p)
{
	if (p->depth == 0)
		p->end = yajl_get_bytes_consumed(p->h);
	return 1;
}

static int
leaf(struct parse *p, enum val_kind kind, bool truth)
{
	struct val_node *n = add(p, kind);

	if (n == NULL)
		return cancel(p, HSA_RC(E_NOMEM), "out of memory");
	n->truth = truth;
	return ended(p);
}

static int
on_null(void *ctx)
{
	return leaf(ctx, VAL_NULL, false);
}

static int
on_bool(void *ctx, int v)
{
	return leaf(ctx, VAL_BOOL, v != 0);
}

static int
string_of(struct parse *p, enum val_kind kind, const void *s, size_t len)
{
	uint32_t at = 0;
	struct val_node *n;

	if (!keep(p, &at, s, len) || (n = add(p, kind)) == NULL)
		return cancel(p, HSA_RC(E_NOMEM), "out of memory");
	n->text = at;
	n->text_len = (uint32_t)len;
	return 1;
}

static int
on_number(void *ctx, const char *s, size_t len)
{
	struct parse *p = ctx;
	int64_t v = 0;
	bool beyond, whole = true;
	size_t i;

	if (!string_of(p, VAL_NUMBER, s, len))
		return 0;
	for (i = s[0] == '-' ? 1 : 0; i < len && whole; i++) {
		whole = s[i] >= '0' && s[i] <= '9';
		if (whole && v <= BEYOND)
			v = v * 10 + (s[i] - '0');
	}
	beyond = v > BEYOND;
	if (!whole) /* of 1e400 readers make what they like */
		beyond = fabs(strtod(val_text(p->j, &p->j->node[p->j->len - 1]),
			     NULL)) > (double)BEYOND;
	return beyond ? flaw(p, VAL_FLAW_NUMBER, p->j->len - 1) : 1;
}

/* The four hex digits at p; -1: there are none. */
static int
unit(const uint8_t *p, const uint8_t *end)
{
	int v = 0, i, c;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		c = p[i];
		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v * 16 + (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return v;
}

/*
 * The next \u escape from `at` on that is half of a UTF-16 pair without its
 * other half. yajl makes '?' of some of them and another character of others,
 * so what readers see is not what stands there.
 */
static size_t
next_lone(const struct parse *p, size_t at)
{
	const uint8_t *end = p->in + p->in_len, *s = p->in + at;
	int high, low;

	while ((s = memchr(s, '\\', (size_t)(end - s))) != NULL) {
		if (end - s < 2)
			return NONE;
		s += 2;
		high = s[-1] == 'u' ? unit(s, end) : -1;
		if (high < 0xd800 || high > 0xdfff)
			continue;
		low = end - s >= 6 && s[4] == '\\' && s[5] == 'u'
			  ? unit(s + 6, end)
			  : -1;
		if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
			return (size_t)(s - p->in);
		s += 10;
	}
	return NONE;
}

/* ASCII without NUL, as nearly every string is: no byte to be looked at twice.
 */
static bool
is_plain(const uint8_t *s, size_t n)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t w, odd = 0;

	for (; n >= sizeof(w); s += sizeof(w), n -= sizeof(w)) {
		memcpy(&w, s, sizeof(w));
		/* the highest bit of a byte that has it, or borrowed it */
		odd |= (w | (w - ones)) & ones << 7;
	}
	for (; n > 0; s++, n--)
		odd |= *s == 0 || *s >= 0x80;
	return odd == 0;
}

static int
check_text(struct parse *p, uint32_t at, size_t len, size_t node)
{
	uint8_t *s = p->j->text.p + at, *nul;
	size_t end = yajl_get_bytes_consumed(p->h);
	bool lone = p->lone < end;

	if (!lone && is_plain(s, len))
		return 1;
	if (lone)
		p->lone = next_lone(p, end);
	if (lone || !hsa_utf8_valid((const char *)s, len))
		return flaw(p, VAL_FLAW_UTF8, node);
	if (memchr(s, 0, len) == NULL)
		return 1;
	while ((nul = memchr(s, 0, len)) != NULL)
		*nul = 0x1a;
	return flaw(p, VAL_FLAW_NUL, node);
}

static int
on_string(void *ctx, const unsigned char *s, size_t len)
{
	struct parse *p = ctx;

	if (!string_of(p, VAL_TEXT, s, len) || !ended(p))
		return 0;
	return check_text(
	    p, p->j->node[p->j->len - 1].text, len, p->j->len - 1);
}

static int
on_name(void *ctx, const unsigned char *s, size_t len)
{
	struct parse *p = ctx;

	if (!keep(p, &p->name, s, len))
		return cancel(p, HSA_RC(E_NOMEM), "out of memory");
	p->name_len = (uint32_t)len;
	p->named = true;
	return check_text(p, p->name, len, p->j->len); /* the node to come */
}

static int
begin(struct parse *p, enum val_kind kind)
{
	if (p->depth == VAL_DEPTH)
		return cancel(p, HSA_RC(E_FORMAT),
		    "arrays and objects lie more than 64 deep");
	if (add(p, kind) == NULL)
		return cancel(p, HSA_RC(E_NOMEM), "out of memory");
	p->open[p->depth] = (uint32_t)(p->j->len - 1);
	p->last[p->depth++] = 0;
	return 1;
}

static int
on_object(void *ctx)
{
	return begin(ctx, VAL_OBJECT);
}

static int
on_array(void *ctx)
{
	return begin(ctx, VAL_ARRAY);
}

static int
on_array_end(void *ctx)
{
	struct parse *p = ctx;

	p->depth--;
	return ended(p);
}

static bool
same_name(const struct val_json *j, const struct val_node *a,
    const struct val_node *b)
{
	return a->name_len == b->name_len &&
	       memcmp(val_name(j, a), val_name(j, b), a->name_len) == 0;
}

static int
by_name(const void *x, const void *y, void *ctx)
{
	const struct val_json *j = ctx;
	const uint32_t *at = x, *bt = y;
	const struct val_node *a = &j->node[*at], *b = &j->node[*bt];
	size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	int d = memcmp(val_name(j, a), val_name(j, b), n);

	if (d == 0 && a->name_len != b->name_len)
		d = a->name_len < b->name_len ? -1 : 1;
	/* the later of two comes later */
	return d != 0 ? d : (*at > *bt) - (*at < *bt);
}

static int
compare_many(struct parse *p, const struct val_node *first, size_t n)
{
	struct val_json *j = p->j;
	size_t i = 0;

	if (j->sorted_cap < n) {
		uint32_t *s = realloc(j->sorted, n * sizeof(*s));

		if (s == NULL)
			return cancel(p, HSA_RC(E_NOMEM), "out of memory");
		j->sorted = s;
		j->sorted_cap = n;
	}
	for (; first != NULL; first = val_next(j, first))
		j->sorted[i++] = (uint32_t)(first - j->node);
	qsort_r(j->sorted, n, sizeof(*j->sorted), by_name, j);
	for (i = 1; i < n; i++)
		if (same_name(j, &j->node[j->sorted[i - 1]],
			&j->node[j->sorted[i]]) &&
		    !flaw(p, VAL_FLAW_DUPLICATE, j->sorted[i]))
			return 0;
	return 1;
}

static int
on_object_end(void *ctx)
{
	struct parse *p = ctx;
	struct val_json *j = p->j;
	const struct val_node *a, *b,
	    *first = val_child(j, &j->node[p->open[p->depth - 1]]);
	size_t n = 0;

	p->depth--;
	(void)ended(p);
	for (a = first; a != NULL; a = val_next(j, a))
		n++;
	if (n > FEW)
		return compare_many(p, first, n);
	for (a = first; a != NULL; a = val_next(j, a))
		for (b = first; b != a; b = val_next(j, b))
			if (same_name(j, a, b)) {
				if (!flaw(p, VAL_FLAW_DUPLICATE,
					(size_t)(a - j->node)))
					return 0;
				break;
			}
	return 1;
}

/* yajl's own words, without its drawing and its newline. */
static void
explain(struct hsa_diag *diag, yajl_handle h, const void *p, size_t n)
{
	unsigned char *s = yajl_get_error(h, 0, p, n);
	char text[160] = "not JSON";

	if (s != NULL) {
		size_t len = strcspn((const char *)s, "\n");

		if (len >= sizeof(text))
			len = sizeof(text) - 1;
		memcpy(text, s, len);
		text[len] = '\0';
		yajl_free_error(h, s);
	}
	hsa_diag_set(diag, "%s", text);
}

/* yajl takes vertical tabs and form feeds for blanks, and a string that never
 * ends for the end of the text. JSON has these bytes nowhere. NONE: all is
 * well; else where it is not. */
static size_t
lenience(const struct parse *s)
{
	static const char blank[] = {' ', '\t', '\r', '\n'};
	const uint8_t *bad = memchr(s->in, '\v', s->in_len);
	size_t at;

	if (bad == NULL)
		bad = memchr(s->in, '\f', s->in_len);
	if (bad != NULL)
		return (size_t)(bad - s->in);
	for (at = s->end; at > 0 && at < s->in_len; at++)
		if (memchr(blank, s->in[at], sizeof(blank)) == NULL)
			return at;
	return NONE;
}

static hsa_rc
parse(
    struct parse *s, size_t *at, struct hsa_diag *diag, const void *p, size_t n)
{
	static const yajl_callbacks calls = {
	    .yajl_null = on_null,
	    .yajl_boolean = on_bool,
	    .yajl_number = on_number,
	    .yajl_string = on_string,
	    .yajl_start_map = on_object,
	    .yajl_map_key = on_name,
	    .yajl_end_map = on_object_end,
	    .yajl_start_array = on_array,
	    .yajl_end_array = on_array_end,
	};
	size_t before = s->j->len, wrong;
	hsa_rc rc = HSA_OK;
	yajl_status st;

	s->h = yajl_alloc(&calls, NULL, s);
	if (s->h == NULL)
		return HSA_RC(E_NOMEM);
	/* strings are checked when they are whole, and told by their path */
	(void)yajl_config(s->h, yajl_dont_validate_strings, 1);
	s->in = p;
	s->in_len = n;
	s->lone = n == 0 ? NONE : next_lone(s, 0);
	st = yajl_parse(s->h, p, n);
	*at = yajl_get_bytes_consumed(s->h);
	if (st == yajl_status_ok)
		st = yajl_complete_parse(s->h);
	if (st == yajl_status_client_canceled) {
		rc = hsa_fail(diag, s->rc, "%s", s->why);
	} else if (st != yajl_status_ok) {
		explain(diag, s->h, p, n);
		rc = HSA_RC(E_FORMAT);
	} else if ((wrong = lenience(s)) != NONE) {
		*at = wrong;
		rc = hsa_fail(diag, HSA_RC(E_FORMAT), "not JSON from here on");
	} else if (s->j->len == before) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT), "no JSON text there");
	}
	yajl_free(s->h);
	return rc;
}

hsa_rc
val_json_parse(struct val_json *j, size_t *at, struct hsa_diag *diag,
    const void *p, size_t n)
{
	struct parse s = {.j = j};

	j->len = j->flaws = 0;
	j->text.len = 0;
	if (n > VAL_TEXT_MAX) {
		*at = 0;
		return hsa_fail(diag, HSA_RC(E_RANGE), "longer than 64 MiB");
	}
	return parse(&s, at, diag, p, n);
}

hsa_rc
val_json_graft(struct val_json *j, size_t at, size_t from)
{
	struct parse s = {.j = j};
	struct hsa_buf copy = {0}; /* text may move while it is read */
	size_t root = j->len, flaws = j->flaws, end = 0, i;
	struct val_node old = j->node[at], *to;
	hsa_rc rc;

	hsa_buf_put(&copy, val_text(j, &j->node[from]), j->node[from].text_len);
	HSA_TRY(rc, hsa_buf_rc(&copy));
	rc = parse(&s, &end, NULL, copy.p, copy.len);
	if (!hsa_is_ok(rc)) {
		j->len = root;
		j->flaws = flaws;
		if (rc.v != HSA_E_NOMEM)
			rc = HSA_OK;
		goto out;
	}
	to = &j->node[at];
	*to = j->node[root];
	to->member = old.member;
	to->name = old.name;
	to->name_len = old.name_len;
	to->parent = old.parent;
	to->next = old.next;
	for (i = root; i < j->len; i++) {
		if (j->node[i].parent == root)
			j->node[i].parent = (uint32_t)at;
		j->node[i].at = old.at; /* of the string they come from */
	}
	to->at = old.at;
	for (i = flaws; i < j->flaws; i++)
		if (j->flaw[i].node == root)
			j->flaw[i].node = (uint32_t)at;
	j->node[root].kind = VAL_NULL; /* in no tree, and no string twice */
out:
	hsa_buf_free(&copy);
	return rc;
}

void
val_json_root(struct val_json *j, size_t at)
{
	uint32_t i;

	j->node[0] = j->node[at];
	j->node[0].member = false;
	j->node[0].parent = j->node[0].next = 0;
	for (i = j->node[0].child; i != 0; i = j->node[i].next)
		j->node[i].parent = 0;
}

void
val_json_free(struct val_json *j)
{
	free(j->node);
	free(j->flaw);
	free(j->sorted);
	hsa_buf_free(&j->text);
	memset(j, 0, sizeof(*j));
}

bool
val_is(const struct val_json *j, const struct val_node *n, const char *s)
{
	size_t len = strlen(s);

	return n != NULL && n->kind == VAL_TEXT && n->text_len == len &&
	       memcmp(val_text(j, n), s, len) == 0;
}

const struct val_node *
val_member(const struct val_json *j, const struct val_node *n, const char *name)
{
	const struct val_node *m;
	size_t len;

	while (n != NULL && n->kind == VAL_OBJECT) {
		len = strcspn(name, ".");
		for (m = val_child(j, n); m != NULL; m = val_next(j, m))
			if (m->name_len == len &&
			    memcmp(val_name(j, m), name, len) == 0)
				break;
		n = m;
		if (name[len] == '\0')
			return n;
		name += len + 1;
	}
	return NULL;
}

bool
val_integer(const struct val_json *j, const struct val_node *n, int64_t *v)
{
	char *end = NULL;
	const char *s;

	if (n == NULL || n->kind != VAL_NUMBER || n->text_len > 17)
		return false;
	s = val_text(j, n);
	*v = strtoll(s, &end, 10);
	return *end == '\0' && *v <= BEYOND && *v >= -BEYOND;
}

void
val_path(struct hsa_buf *b, const struct val_json *j, const struct val_node *n)
{
	const struct val_node *up[VAL_DEPTH + 1], *e;
	size_t depth = 0, i = 0;

	for (; n != j->node && depth <= VAL_DEPTH; n = &j->node[n->parent])
		up[depth++] = n;
	while (depth > 0) {
		n = up[--depth];
		if (n->member) {
			if (b->len > 0)
				hsa_buf_u8(b, '.');
			hsa_utf8_clean(b, val_name(j, n), n->name_len);
			continue;
		}
		for (i = 0, e = val_child(j, &j->node[n->parent]); e != n;
		     e = val_next(j, e))
			i++;
		hsa_buf_printf(b, "[%zu]", i);
	}
}
