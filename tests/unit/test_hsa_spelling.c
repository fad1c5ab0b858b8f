/* FORMAT E1, E2, E6: records whose bytes nobody else writes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "helper_proto.h"
#include "hsa_buf.h"
#include "hsa_codec.h"

static void
sealed(struct hsa_buf *b, const struct hsa_record *r)
{
	struct hsa_buf rest = {0};

	assert_ok(hsa_record_encode(&rest, r));
	hsa_record_seal(b, r->sequence, rest.p, rest.len);
	assert_ok(hsa_buf_rc(b));
	hsa_buf_free(&rest);
}

/* The bytes of hex text with blanks in it. */
static void
bytes(struct hsa_buf *b, const char *hex)
{
	uint8_t v;

	for (hex += strspn(hex, " "); *hex != '\0'; hex += strspn(hex, " ")) {
		assert_ok(hsa_unhex(&v, 1, hex, 2));
		hsa_buf_u8(b, v);
		hex += 2;
	}
	assert_ok(hsa_buf_rc(b));
}

static void
expect_only_spelling(const struct hsa_record *got, const struct hsa_buf *b)
{
	struct hsa_buf again = {0};

	sealed(&again, got);
	assert_int_equal(again.len, b->len);
	assert_memory_equal(again.p, b->p, b->len);
	hsa_buf_free(&again);
}

#define ID16 "11111111111111111111111111111111"
#define ID32 ID16 ID16
#define SEQ "09 0000000000000000 "
#define HEAD SEQ "1001 1a10" ID16 "2001 3801 4001 "
#define USE_HEAD SEQ "1001 1a10" ID16 "2001 3802 4001 "
#define EVENT "a20118" EVENT_ID "5a00 6200 7200"
#define SEALER_HEAD SEQ "1001 1a10" ID16 "2001 3803 4001 "
#define COMPACT_HEAD SEQ "1001 3802 4001 "
#define CONTEXT "b2011a 0a18" EVENT_ID "5a00 6200 7200"
#define COMPACT "ba0102 0805"
/* name "X", and nothing else */
#define SPECIAL "aa0103 1a0158"
#define EVENT_ID "5210" ID16

/* Each differs from the first, a good one, in what its comment says. */
static const struct {
	const char *rc, *what, *hex;
} spellings[] = {
    {"OK", "least special record", HEAD SPECIAL},
    {"OK", "least event record", HEAD "a20118" EVENT_ID "5a00 6200 7200"},
    {"OK", "with a command id", HEAD "4a10" ID16 SPECIAL},
    {"OK", "with two signers", HEAD "7a20" ID32 "7a20" ID32 SPECIAL},
    {"E_FORMAT", "no sequence", "1001 1a10" ID16 "2001 3801 4001" SPECIAL},
    {"E_FORMAT", "sequence as varint",
	"0800 1001 1a10" ID16 "2001 3801 4001" SPECIAL},
    {"E_FORMAT", "sequence twice",
	SEQ "09 0100000000000000 1001 1a10" ID16 "2001 3801 4001" SPECIAL},
    {"E_FORMAT", "sequence at the end", HEAD SPECIAL "09 0100000000000000"},
    {"E_FORMAT", "unknown field", HEAD SPECIAL "b20100"},
    {"E_FORMAT", "unknown field between", HEAD "800101" SPECIAL},
    {"E_FORMAT", "field 0", HEAD "0001" SPECIAL},
    {"E_FORMAT", "unknown field inside", HEAD "aa0105 1a0158 3801"},
    {"E_FORMAT", "fields exchanged",
	SEQ "1001 1a10" ID16 "2001 4001 3801" SPECIAL},
    {"E_FORMAT", "field twice", HEAD "4001" SPECIAL},
    {"E_FORMAT", "schema twice",
	SEQ "1001 1001 1a10" ID16 "2001 3801 4001" SPECIAL},
    {"E_FORMAT", "key not minimal",
	SEQ "900001 1a10" ID16 "2001 3801 4001" SPECIAL},
    {"E_FORMAT", "varint not minimal",
	SEQ "1001 1a10" ID16 "208100 3801 4001" SPECIAL},
    {"E_FORMAT", "length not minimal",
	SEQ "1001 1a9000" ID16 "2001 3801 4001" SPECIAL},
    {"E_FORMAT", "default written, varint",
	SEQ "1001 1a10" ID16 "2000 3801 4001" SPECIAL},
    {"E_FORMAT", "default written, fixed64",
	SEQ "1001 1a10" ID16 "2001 290000000000000000 3801 4001" SPECIAL},
    {"E_FORMAT", "default written, string", HEAD "5200" SPECIAL},
    {"E_FORMAT", "default written, bytes", HEAD "4a00" SPECIAL},
    {"E_FORMAT", "uint32 above 32 bits", HEAD "608080808010" SPECIAL},
    {"E_FORMAT", "wrong wire type", HEAD "65 00000001" SPECIAL},
    {"E_FORMAT", "group", HEAD "63 64" SPECIAL},
    {"E_FORMAT", "no body", HEAD},
    {"E_FORMAT", "both bodies",
	HEAD "a20118" EVENT_ID "5a00 6200 7200" SPECIAL},
    {"E_FORMAT", "body twice", HEAD SPECIAL SPECIAL},
    {"E_FORMAT", "unit id missing", SEQ "1001 2001 3801 4001" SPECIAL},
    {"E_FORMAT", "unit id of 15",
	SEQ "1001 1a0f 111111111111111111111111111111 2001 3801 4001" SPECIAL},
    {"E_FORMAT", "unit id of 17",
	SEQ "1001 1a11" ID16 "11 2001 3801 4001" SPECIAL},
    {"E_FORMAT", "command id of 1", HEAD "4a0111" SPECIAL},
    {"E_FORMAT", "signer of 16", HEAD "7a10" ID16 SPECIAL},
    {"E_FORMAT", "signer of 0", HEAD "7a00" SPECIAL},
    {"E_FORMAT", "source missing", SEQ "1001 1a10" ID16 "2001 4001" SPECIAL},
    {"E_FORMAT", "special of source 2",
	SEQ "1001 1a10" ID16 "2001 3802 4001" SPECIAL},
    {"OK", "event of source 2", USE_HEAD EVENT},
    {"E_FORMAT", "source 3", SEQ "1001 1a10" ID16 "2001 3803 4001" EVENT},
    {"OK", "least use", USE_HEAD "820102 0801" EVENT},
    {"OK", "use of source 1", HEAD "820102 0801" EVENT},
    {"E_FORMAT", "use of a special record", HEAD "820102 0801" SPECIAL},
    {"E_FORMAT", "use of nothing", HEAD "820102 0801"},
    {"E_FORMAT", "use twice", USE_HEAD "820102 0801 820102 0801" EVENT},
    {"E_FORMAT", "use behind the event", USE_HEAD EVENT "820102 0801"},
    {"E_FORMAT", "use without a function", USE_HEAD "820100" EVENT},
    {"E_FORMAT", "use with function 0", USE_HEAD "820102 0800" EVENT},
    {"E_FORMAT", "use with mechanism 0", USE_HEAD "820104 0801 1000" EVENT},
    {"OK", "use with a key and a session",
	USE_HEAD "820146 0801 1a20" ID32 "2220" ID32 EVENT},
    {"E_FORMAT", "use with a key of 31",
	USE_HEAD "820123 0801 1a1f" ID16
		 "111111111111111111111111111111" EVENT},
    {"E_FORMAT", "use with an empty key", USE_HEAD "820104 0801 1a00" EVENT},
    {"E_FORMAT", "use with a session of 16",
	USE_HEAD "820114 0801 2210" ID16 EVENT},
    {"E_FORMAT", "use with length_only 0", USE_HEAD "820104 0801 4000" EVENT},
    {"OK", "use with length_only", USE_HEAD "820104 0801 4001" EVENT},
    {"E_FORMAT", "use with an unknown field",
	USE_HEAD "820104 0801 4801" EVENT},
    {"OK", "special of source 3", SEALER_HEAD SPECIAL},
    {"E_FORMAT", "source 4", SEQ "1001 1a10" ID16 "2001 3804 4001" SPECIAL},
    {"OK", "least context", SEALER_HEAD CONTEXT},
    {"OK", "context with a session",
	SEALER_HEAD "b2013c 0a18" EVENT_ID "5a00 6200 7200 1220" ID32},
    {"E_FORMAT", "context with a session of 16",
	SEALER_HEAD "b2012c 0a18" EVENT_ID "5a00 6200 7200 1210" ID16},
    {"E_FORMAT", "context of source 1", HEAD CONTEXT},
    {"E_FORMAT", "context of source 2", USE_HEAD CONTEXT},
    {"E_FORMAT", "context without an event", SEALER_HEAD "b20100"},
    {"E_FORMAT", "context with a time",
	SEALER_HEAD "b20123 0a21 190100000000000000" EVENT_ID "5a00 6200 7200"},
    {"E_FORMAT", "context with a correlation id",
	SEALER_HEAD "b2011d 0a1b 4a0131" EVENT_ID "5a00 6200 7200"},
    {"E_FORMAT", "context with a command id", SEALER_HEAD "4a10" ID16 CONTEXT},
    {"E_FORMAT", "context with a return code", SEALER_HEAD "6801" CONTEXT},
    {"E_FORMAT", "context with a reason code", SEALER_HEAD "7001" CONTEXT},
    {"E_FORMAT", "context with a signer", SEALER_HEAD "7a20" ID32 CONTEXT},
    {"E_FORMAT", "context with a use", SEALER_HEAD "820102 0801" CONTEXT},
    {"OK", "context of a ceremony", SEALER_HEAD "520161 5a0162" CONTEXT},
    {"OK", "least compact record", COMPACT_HEAD COMPACT},
    {"OK", "compact record with a correlation id",
	COMPACT_HEAD "ba0114 0805 1210" ID16},
    {"E_FORMAT", "correlation id of 15",
	COMPACT_HEAD "ba0113 0805 120f 111111111111111111111111111111"},
    {"E_FORMAT", "compact record without a context", COMPACT_HEAD "ba0100"},
    {"E_FORMAT", "compact record of context 0", COMPACT_HEAD "ba0102 0800"},
    {"E_FORMAT", "compact record of source 1", SEQ "1001 3801 4001" COMPACT},
    {"E_FORMAT", "compact record of source 3", SEQ "1001 3803 4001" COMPACT},
    {"E_FORMAT", "compact record with a unit", USE_HEAD COMPACT},
    {"E_FORMAT", "compact record with an epoch",
	SEQ "1001 2001 3802 4001" COMPACT},
    {"E_FORMAT", "compact record of a ceremony", COMPACT_HEAD "520161" COMPACT},
    {"E_FORMAT", "compact record of a command", COMPACT_HEAD "6001" COMPACT},
    {"E_FORMAT", "compact record with a signer",
	COMPACT_HEAD "7a20" ID32 COMPACT},
    {"OK", "compact record with codes and a use",
	COMPACT_HEAD "4a10" ID16 "6801 7001 820102 0801" COMPACT},
    {"E_FORMAT", "compact record with a session",
	COMPACT_HEAD "820124 0801 2220" ID32 COMPACT},
    {"E_FORMAT", "compact record and event", COMPACT_HEAD EVENT COMPACT},
    {"E_FORMAT", "event without a unit", COMPACT_HEAD EVENT},
    {"E_FORMAT", "source negative",
	SEQ "1001 1a10" ID16 "2001 38ffffffffffffffffff01 4001" SPECIAL},
    {"E_FORMAT", "schema missing", SEQ "1a10" ID16 "2001 3801 4001" SPECIAL},
    {"E_UNSUPPORTED", "schema 2",
	SEQ "1002 1a10" ID16 "2001 3801 4001" SPECIAL},
    {"E_FORMAT", "bad UTF-8", HEAD "aa0103 1a01ff"},
    {"E_FORMAT", "overlong UTF-8", HEAD "aa0104 1a02c080"},
    {"E_FORMAT", "NUL in a string", HEAD "aa0104 1a025800"},
    {"E_FORMAT", "bad UTF-8 at the top", HEAD "5201c3" SPECIAL},
    {"E_FORMAT", "event without id", HEAD "a20106 5a00 6200 7200"},
    {"E_FORMAT", "event without initiator", HEAD "a20116" EVENT_ID "6200 7200"},
    {"E_FORMAT", "event without target", HEAD "a20116" EVENT_ID "5a00 7200"},
    {"E_FORMAT", "event without reason", HEAD "a20116" EVENT_ID "5a00 6200"},
    {"E_FORMAT", "boolean 2", HEAD "a2011a 3002" EVENT_ID "5a00 6200 7200"},
    {"E_FORMAT", "details without a member", HEAD "aa0105 1a0158 2a00"},
    {"E_FORMAT", "member without a value",
	HEAD "aa010a 1a0158 2a05 0a03 0a0161"},
    {"E_FORMAT", "member without a kind of value",
	HEAD "aa010c 1a0158 2a07 0a05 0a0161 1200"},
    {"OK", "member that is false",
	HEAD "aa010e 1a0158 2a09 0a07 0a0161 1202 1800"},
    {"OK", "member that is an empty text",
	HEAD "aa010e 1a0158 2a09 0a07 0a0161 1202 0a00"},
    {"OK", "member that is an empty object",
	HEAD "aa010e 1a0158 2a09 0a07 0a0161 1202 2a00"},
    {"E_FORMAT", "member of two kinds",
	HEAD "aa0110 1a0158 2a0b 0a09 0a0161 1204 0a00 1800"},
    {"E_FORMAT", "member without a name",
	HEAD "aa010b 1a0158 2a06 0a04 1202 1800"},
    {"E_FORMAT", "member with a dot",
	HEAD "aa010f 1a0158 2a0a 0a08 0a02612e 1202 1800"},
    {"E_FORMAT", "member twice",
	HEAD "aa0117 1a0158 2a12 0a07 0a0161 1202 1800 0a07 0a0161 1202 1801"},
    {"E_FORMAT", "length beyond the end", HEAD "aa0104 1a0158"},
    {"E_FORMAT", "inner length beyond its message", HEAD "aa0103 1a0258"},
    {"E_FORMAT", "huge length", HEAD "aa01ffffffffffffffffff01 1a0158"},
};

static void
test_hsa_record__one_value_has_one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		struct hsa_record got = {0};
		struct hsa_buf b = {0};
		hsa_rc rc;

		bytes(&b, spellings[i].hex);
		rc = hsa_record_decode(&got, b.p, b.len);
		if (strcmp(hsa_err_name(rc), spellings[i].rc) != 0)
			fail_msg("%s: %s, not %s", spellings[i].what,
			    hsa_err_name(rc), spellings[i].rc);
		if (hsa_is_ok(rc))
			expect_only_spelling(&got, &b);
		hsa_record_free(&got);
		hsa_buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hsa_record__one_value_has_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
