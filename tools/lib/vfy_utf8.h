/*
 * vfy_utf8.h - text from outside: is it UTF-8, and what of it may reach a
 * terminal.
 */
#ifndef VFY_UTF8_H
#define VFY_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hsa_buf;

/* vfy_utf8(p, n) - valid UTF-8 (RFC 3629) without NUL. */
bool vfy_utf8(const uint8_t *p, size_t n);

/*
 * vfy_utf8_show(b, s) - append s with everything escaped that a terminal
 * would obey: C0, DEL, C1 and bytes that are no UTF-8 as \xNN. A NULL s
 * appends "-".
 */
void vfy_utf8_show(struct hsa_buf *b, const char *s);

#endif
