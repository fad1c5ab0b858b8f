#include <string.h>

#include "ep11_cp.h"

/* What no unit here can do (README "Limits"). */
static const uint8_t never[] = {EP11_CP_RETAINKEYS, EP11_CP_CPACF_PK,
    EP11_CP_ALG_PQC, EP11_CP_BTC, EP11_CP_ECDSA_OTHER, EP11_CP_ALG_EC_PAIRING,
    EP11_CP_ALG_PQC_DILITHIUM, EP11_CP_ALG_PQC_KYBER, EP11_CP_ALG_PQC_ML_DSA,
    EP11_CP_ALG_PQC_ML_KEM};

#define END 0xff

/* ep11-host-api 18.4: what a compliance mode forbids and requires. */
static const struct {
	uint32_t mode;
	uint8_t off[20], on[28];
} modes[] = {
    {0x001, {END}, {END}},
    {0x002, {16, 21, END}, {END}},
    {0x004, {24, 29, 35, END}, {END}},
    {0x008, {16, 24, 36, END}, {END}},
    {0x040, {16, 18, 29, 37, 38, 39, 40, 41, 42, 43, 44, 45, END},
	{2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 21, 24, 25, 26, 27, 28, 30,
	    31, 32, 33, 34, 35, 36, 46, 47, END}},
    {0x080,
	{8, 10, 24, 29, 33, 35, 48, 55, 60, 65, 66, 67, 68, 70, 71, 73, 74,
	    END},
	{END}},
    {0x100,
	{8, 10, 24, 29, 33, 35, 48, 55, 60, 65, 66, 67, 68, 69, 70, 71, 73, 74,
	    END},
	{END}},
};

static void
clear(uint8_t cp[EP11_CP_LEN], unsigned bit)
{
	cp[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

void
ep11_cp_default(uint8_t cp[EP11_CP_LEN])
{
	memset(cp, 0xff, EP11_CP_LEN);
	for (size_t i = 0; i < sizeof(never); i++)
		clear(cp, never[i]);
}

void
ep11_cp_impossible(uint8_t cp[EP11_CP_LEN])
{
	ep11_cp_default(cp);
	for (size_t i = 0; i < EP11_CP_LEN; i++)
		cp[i] = (uint8_t)~cp[i];
}

uint32_t
ep11_cp_compliance(const uint8_t cp[EP11_CP_LEN])
{
	uint32_t met = 0;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		bool good = true;

		for (const uint8_t *b = modes[i].off; *b != END; b++)
			good = good && !ep11_cp_on(cp, (enum ep11_cp) * b);
		for (const uint8_t *b = modes[i].on; *b != END; b++)
			good = good && ep11_cp_on(cp, (enum ep11_cp) * b);
		if (good)
			met |= modes[i].mode;
	}
	return met;
}
