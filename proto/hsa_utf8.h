/*
 * hsa_utf8.h - UTF-8 as RFC 3629 has it: no overlong form, no surrogate,
 * nothing above U+10FFFF.
 */
#ifndef HSA_UTF8_H
#define HSA_UTF8_H
#include <stdbool.h>
#include <stddef.h>

struct hsa_buf;

#define HSA_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* hsa_utf8_len(s, n) - bytes (1 to 4) of the valid character at s, or 0 when
 * there is none within n bytes. */
size_t hsa_utf8_len(const char *s, size_t n);
/* hsa_utf8_valid(s, n) - whether all n bytes are characters; a NUL byte is
 * one. */
bool hsa_utf8_valid(const char *s, size_t n);
/* hsa_utf8_clean(b, s, n) - append, each byte that is not part of a valid
 * character as U+FFFD. */
void hsa_utf8_clean(struct hsa_buf *b, const char *s, size_t n);

#endif
