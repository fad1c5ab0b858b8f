/*
 * hsa_json.h - JSON out: the event in profile `ibm-at` (audit-landscape 1.2 to
 * 1.8) and a small writer for every other JSON that the programs print.
 * RFC 8259; canonical: fixed key order, no insignificant blanks, the shortest
 * escapes, non-ASCII as UTF-8. Invalid UTF-8 never leaves: each bad byte
 * becomes U+FFFD.
 */
#ifndef HSA_JSON_H
#define HSA_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct hsa_buf;
struct hsa_event;
struct hsa_record;
struct hsa_data;
struct hsa_use;

/* hsa_json_string(b, s, n) - quoted and escaped. */
void hsa_json_string(struct hsa_buf *b, const char *s, size_t n);

/*
 * The writer: keeps track of commas. depth up to 32. key is NULL inside an
 * array. Usage: hsa_jw_object(w, NULL); hsa_jw_text(w, "unit", name);
 * hsa_jw_end(w).
 */
struct hsa_jw {
	struct hsa_buf *b;
	unsigned int depth;
	uint32_t more;  /* bit per depth: a member was written */
	uint32_t array; /* bit per depth: it is an array */
};
void hsa_jw_object(struct hsa_jw *w, const char *key);
void hsa_jw_array(struct hsa_jw *w, const char *key);
void hsa_jw_end(struct hsa_jw *w);
void hsa_jw_text(struct hsa_jw *w, const char *key, const char *s);
void hsa_jw_hex(struct hsa_jw *w, const char *key, const void *p, size_t n);
void hsa_jw_uint(struct hsa_jw *w, const char *key, uint64_t v);
void hsa_jw_int(struct hsa_jw *w, const char *key, int64_t v);
void hsa_jw_bool(struct hsa_jw *w, const char *key, bool v);
void hsa_jw_null(struct hsa_jw *w, const char *key);

/* Parts of the two below, for other formats: data of request or response, and
 * what an EP11 call was. */
void hsa_jw_data(struct hsa_jw *w, const char *key, const struct hsa_data *d);
void hsa_jw_use(struct hsa_jw *w, const char *key, const struct hsa_use *u);

/* hsa_event_json(b, ev) - one `ibm-at` object, no newline. */
void hsa_event_json(struct hsa_buf *b, const struct hsa_event *ev);

/*
 * hsa_record_json(b, r) - the envelope, one object, no newline:
 * {"unit":...,"sequence":...,...,"event":{...}} or "special":{...}.
 */
void hsa_record_json(struct hsa_buf *b, const struct hsa_record *r);

/* hsa_event_time(to, ns) - "2025-11-22T10:42:07.31+0000", truncated to 10 ms.
 * hsa_time_rfc3339(to, ns) - "2025-11-22T10:42:07.310123456Z". */
void hsa_event_time(char to[32], uint64_t ns);
void hsa_time_rfc3339(char to[40], uint64_t ns);

#endif
