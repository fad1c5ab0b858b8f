/* Covers: ep11_template_read ep11_bools_new ep11_bools_change */
#include <stdlib.h>
#include <string.h>

#include "ep11_attr.h"
#include "ep11_cp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* Control points (16), then attributes: type (4, vendor bit in front), length
 * (1), value. */
static size_t
attributes(struct hsa_attr *a, const uint8_t *p, size_t n)
{
	size_t count = 0;

	while (n >= 5 && count < HSA_CALL_ATTR_MAX + 1) {
		size_t len = p[4] < n - 5 ? p[4] : n - 5;

		a[count].type = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 |
				(uint64_t)p[2] << 8 | p[3];
		a[count].p = len != 0 ? p + 5 : NULL;
		a[count].n = len;
		count++;
		p += 5 + len;
		n -= 5 + len;
	}
	return count;
}

static void
changed(const struct ep11_template *t, uint32_t word)
{
	uint32_t after = word;

	if (ep11_bools_change(&after, t) != CKR_OK) {
		must(after == word);
		return;
	}
	must((after & EP11_LOCAL) == (word & EP11_LOCAL));
	must((after & ~word & (EP11_EXTRACTABLE | EP11_MODIFIABLE)) == 0);
	if ((word & EP11_MODIFIABLE) == 0)
		must((after & ~word) == 0);
	must(((after ^ t->values) & t->named) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const CK_OBJECT_CLASS classes[] = {
	    CKO_SECRET_KEY, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
	static const CK_KEY_TYPE types[] = {CKK_GENERIC_SECRET, CKK_AES,
	    CKK_DES2, CKK_DES3, CKK_RSA, CKK_EC, CKK_DSA, CKK_DH};
	struct hsa_attr a[HSA_CALL_ATTR_MAX + 1];
	struct ep11_template t;
	size_t n = 0;

	memset(a, 0, sizeof(a));
	if (size < EP11_CP_LEN)
		return 0;
	n = attributes(a, data + EP11_CP_LEN, size - EP11_CP_LEN);
	if (ep11_template_read(&t, a, n) != CKR_OK)
		return 0;
	must((t.values & ~t.named) == 0);
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 8; j++) {
			uint32_t word = 0;

			if (ep11_bools_new(&word, classes[i], types[j], &t,
				data) != CKR_OK)
				continue;
			must(ep11_bools_allowed(word, data) == CKR_OK);
			must((t.values & ~word) == 0);
			changed(&t, word);
		}
	changed(&t, 0xffffffff);
	changed(&t, 0);
	return 0;
}
