/*
 * tke_der.h - the few words of ASN.1 that TKE administration speaks, over
 * hsa_cur and hsa_buf: one-byte tags, definite lengths.
 *
 * Reading accepts BER's long lengths with surplus bytes (real modules send
 * them, ep11-tke-wire 5.1), at most four of them; an indefinite length and
 * tag numbers above 30 are E_FORMAT. Writing is DER. A cursor moves on
 * success only.
 */
#ifndef TKE_DER_H
#define TKE_DER_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_cur.h"
#include "tke_wire.h"

#define TKE_DER_INT 0x02u
#define TKE_DER_BITS 0x03u
#define TKE_DER_OCTETS 0x04u
#define TKE_DER_NULL 0x05u
#define TKE_DER_OID 0x06u
#define TKE_DER_PRINTABLE 0x13u
#define TKE_DER_TIME 0x18u /* GeneralizedTime */
#define TKE_DER_SEQ 0x30u
#define TKE_DER_SET 0x31u
#define TKE_DER_CONTEXT(n) (0x80u | (n))     /* primitive [n] */
#define TKE_DER_CONSTRUCTED(n) (0xa0u | (n)) /* constructed [n] */

/* ---- reading: E_TRUNCATED, or E_FORMAT for another tag, size or value ---- */

/* tke_der_value(c, v, tag) - the next element's content. */
HSA_MUST_USE hsa_rc tke_der_value(
    struct hsa_cur *c, struct tke_slice *v, uint8_t tag);
/* tke_der_enter(c, in, tag) - the same as a cursor; the caller ends it. */
HSA_MUST_USE hsa_rc tke_der_enter(
    struct hsa_cur *c, struct hsa_cur *in, uint8_t tag);
/* tke_der_fixed(c, p, tag, n) - content of exactly n bytes. */
HSA_MUST_USE hsa_rc tke_der_fixed(
    struct hsa_cur *c, const uint8_t **p, uint8_t tag, size_t n);
/* tke_der_u32(c, v) - OCTET STRING of four bytes, big-endian. */
HSA_MUST_USE hsa_rc tke_der_u32(struct hsa_cur *c, uint32_t *v);
/* tke_der_exact(c, tag, p, n) - content equal to these bytes. */
HSA_MUST_USE hsa_rc tke_der_exact(
    struct hsa_cur *c, uint8_t tag, const void *p, size_t n);
/* tke_der_version(c, v) - INTEGER of one byte with this value. */
HSA_MUST_USE hsa_rc tke_der_version(struct hsa_cur *c, uint8_t v);
/* tke_der_unsigned(c, v, max) - INTEGER read as unsigned, leading zeros
 * dropped; at most max bytes remain. */
HSA_MUST_USE hsa_rc tke_der_unsigned(
    struct hsa_cur *c, struct tke_slice *v, size_t max);
/* tke_der_algorithm(c, oid, n) - SEQ { OID, optional NULL }. */
HSA_MUST_USE hsa_rc tke_der_algorithm(
    struct hsa_cur *c, const void *oid, size_t n);
/* tke_der_peek(c) - the next tag; 0, which no element here has, at the end. */
uint8_t tke_der_peek(const struct hsa_cur *c);

/* ---- writing ------------------------------------------------------------- */

void tke_der_header(struct hsa_buf *b, uint8_t tag, size_t n);
void tke_der_put(struct hsa_buf *b, uint8_t tag, const void *p, size_t n);
void tke_der_put_u32(struct hsa_buf *b, uint32_t v);
void tke_der_put_version(struct hsa_buf *b, uint8_t v);
/* tke_der_put_unsigned(b, p, n) - INTEGER, minimal, of unsigned bytes. */
void tke_der_put_unsigned(struct hsa_buf *b, const uint8_t *p, size_t n);
/* tke_der_wrap(b, at, tag) - make one element of all bytes from at on. */
void tke_der_wrap(struct hsa_buf *b, size_t at, uint8_t tag);

#endif
