#include <string.h>

#include "ep11_cp.h"
#include "ep11_key.h"

/* DER of the OIDs: RFC 5480, RFC 5639, SEC 2, RFC 8410. */
static const uint8_t p192[] = {
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01};
static const uint8_t p224[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21};
static const uint8_t p256[] = {
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t p521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
static const uint8_t bp160r1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x01};
static const uint8_t bp160t1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x02};
static const uint8_t bp192r1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x03};
static const uint8_t bp192t1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x04};
static const uint8_t bp224r1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x05};
static const uint8_t bp224t1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x06};
static const uint8_t bp256r1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07};
static const uint8_t bp256t1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x08};
static const uint8_t bp320r1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x09};
static const uint8_t bp320t1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0a};
static const uint8_t bp384r1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b};
static const uint8_t bp384t1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0c};
static const uint8_t bp512r1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d};
static const uint8_t bp512t1[] = {
    0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0e};
static const uint8_t x25519[] = {0x06, 0x03, 0x2b, 0x65, 0x6e};
static const uint8_t secp256k1[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a};
static const uint8_t ed448[] = {0x06, 0x03, 0x2b, 0x65, 0x71};
static const uint8_t x448[] = {0x06, 0x03, 0x2b, 0x65, 0x6f};
static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

/*
 * Every row was tried in SoftHSM 2.6.1: generated, signed with or derived from,
 * imported; tests/unit/test_bk_ep11_generate.c repeats it for each. P-521's
 * order is the one whose length is not a whole number of bytes.
 */
#define ROW(name, oid, bits, number, kind, cp)                                 \
	{                                                                      \
		name, oid, sizeof(oid), bits, number, EP11_CURVE_##kind,       \
		    EP11_CP_ALG_##cp                                           \
	}
static const struct ep11_curve rows[] = {
    ROW("P-192", p192, 192, 1, PRIME, EC_NIST),
    ROW("P-224", p224, 224, 2, PRIME, EC_NIST),
    ROW("P-256", p256, 256, 3, PRIME, EC_NIST),
    ROW("P-384", p384, 384, 4, PRIME, EC_NIST),
    ROW("P-521", p521, 521, 5, PRIME, EC_NIST),
    ROW("brainpoolP160r1", bp160r1, 160, 6, PRIME, EC_BPOOL),
    ROW("brainpoolP160t1", bp160t1, 160, 7, PRIME, EC_BPOOL),
    ROW("brainpoolP192r1", bp192r1, 192, 8, PRIME, EC_BPOOL),
    ROW("brainpoolP192t1", bp192t1, 192, 9, PRIME, EC_BPOOL),
    ROW("brainpoolP224r1", bp224r1, 224, 10, PRIME, EC_BPOOL),
    ROW("brainpoolP224t1", bp224t1, 224, 11, PRIME, EC_BPOOL),
    ROW("brainpoolP256r1", bp256r1, 256, 12, PRIME, EC_BPOOL),
    ROW("brainpoolP256t1", bp256t1, 256, 13, PRIME, EC_BPOOL),
    ROW("brainpoolP320r1", bp320r1, 320, 14, PRIME, EC_BPOOL),
    ROW("brainpoolP320t1", bp320t1, 320, 15, PRIME, EC_BPOOL),
    ROW("brainpoolP384r1", bp384r1, 384, 16, PRIME, EC_BPOOL),
    ROW("brainpoolP384t1", bp384t1, 384, 17, PRIME, EC_BPOOL),
    ROW("brainpoolP512r1", bp512r1, 512, 18, PRIME, EC_BPOOL),
    ROW("brainpoolP512t1", bp512t1, 512, 19, PRIME, EC_BPOOL),
    ROW("X25519", x25519, 255, 20, MONTGOMERY, EC_25519),
    ROW("secp256k1", secp256k1, 256, 23, PRIME, EC_SECG),
    ROW("ED448", ed448, 448, 24, EDWARDS, EC_25519),
    ROW("X448", x448, 448, 25, MONTGOMERY, EC_25519),
    ROW("ED25519", ed25519, 255, 26, EDWARDS, EC_25519),
};
#undef ROW

const struct ep11_curve *
ep11_curve_rows(size_t *n)
{
	*n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

const struct ep11_curve *
ep11_curve_find(const void *oid, size_t n)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].oid_len == n && memcmp(rows[i].oid, oid, n) == 0)
			return &rows[i];
	return NULL;
}

size_t
ep11_curve_public_len(const struct ep11_curve *curve)
{
	switch (curve->kind) {
	case EP11_CURVE_PRIME:
		return 1 + 2 * (((size_t)curve->bits + 7) / 8);
	case EP11_CURVE_EDWARDS: /* one bit more, for the sign of x */
		return curve->bits / 8 + 1;
	default:
		return ((size_t)curve->bits + 7) / 8;
	}
}
