#include "ep11.pb-c.h"
#include "hsa_codec_call.h"

/*
 * All that differs between the functions: the fields of their messages, in
 * ascending order, and where each lives in struct hsa_call.
 */
#define MESSAGES(name)                                                         \
	.request = &grep11__##name##_request__descriptor,                      \
	.reply = &grep11__##name##_response__descriptor
#define COL(field, how, member)                                                \
	{                                                                      \
		(field), HSA_HOW_##how, offsetof(struct hsa_call, member)      \
	}
#define STATE(field) COL(field, BYTES, state)
#define DATA(field) COL(field, DATA, data)
#define SIGNATURE(field) COL(field, BYTES, signature)
#define PIN(field) COL(field, SECRET, pin)
#define NONCE(field) COL(field, BYTES, nonce)
#define OBJECT(field) COL(field, BYTES, key)
#define KEY(field) COL(field, KEY, key)
#define KEY2(field) COL(field, KEY, key2)
#define KEY3(field) COL(field, KEY, key3)
#define MECH(field) COL(field, MECH, mech)
#define MECH2(field) COL(field, MECH, mech2)
#define TEMPLATE(field) COL(field, TEMPLATE, attr)
#define TEMPLATE2(field) COL(field, TEMPLATE, attr2)
#define NUMBER(field) COL(field, NUMBER, number)
#define NEW_STATE(field) COL(field, BUF, new_state)
#define OUT(field) COL(field, BUF, out)
#define OUT2(field) COL(field, BUF, out2)
#define OUT_KEY(field) COL(field, BUF_KEY, out)
#define OUT2_KEY(field) COL(field, BUF_KEY, out2)

static const struct hsa_fn_row rows[] = {
    [HSA_FN_LOGIN] = {MESSAGES(login), .in = {NONCE(1), PIN(2)},
	.out = {OUT(4)}},
    [HSA_FN_LOGOUT] = {MESSAGES(logout)},
    [HSA_FN_SEED_RANDOM] = {MESSAGES(seed_random), .in = {DATA(1)}},
    [HSA_FN_GENERATE_RANDOM] = {MESSAGES(generate_random), .in = {NUMBER(1)},
	.out = {OUT(1)}},

    [HSA_FN_DIGEST_INIT] = {MESSAGES(digest_init), .in = {MECH(2)},
	.out = {NEW_STATE(1)}},
    [HSA_FN_DIGEST_UPDATE] = {MESSAGES(digest_update),
	.in = {STATE(1), DATA(2)}, .out = {NEW_STATE(1)}},
    [HSA_FN_DIGEST_KEY] = {MESSAGES(digest_key), .in = {STATE(1), KEY(3)},
	.out = {NEW_STATE(1)}},
    [HSA_FN_DIGEST_FINAL] = {MESSAGES(digest_final), .in = {STATE(1)},
	.out = {OUT(2)}},
    [HSA_FN_DIGEST] = {MESSAGES(digest), .in = {STATE(1), DATA(2)},
	.out = {OUT(3)}},
    [HSA_FN_DIGEST_SINGLE] = {MESSAGES(digest_single), .in = {MECH(1), DATA(2)},
	.out = {OUT(3)}},

    [HSA_FN_ENCRYPT_INIT] = {MESSAGES(encrypt_init), .in = {MECH(2), KEY(4)},
	.out = {NEW_STATE(1)}},
    [HSA_FN_DECRYPT_INIT] = {MESSAGES(decrypt_init), .in = {MECH(2), KEY(4)},
	.out = {NEW_STATE(1)}},
    [HSA_FN_ENCRYPT_UPDATE] = {MESSAGES(encrypt_update),
	.in = {STATE(1), DATA(2)}, .out = {NEW_STATE(1), OUT(3)}},
    [HSA_FN_DECRYPT_UPDATE] = {MESSAGES(decrypt_update),
	.in = {STATE(1), DATA(2)}, .out = {NEW_STATE(1), OUT(3)}},
    [HSA_FN_ENCRYPT_FINAL] = {MESSAGES(encrypt_final), .in = {STATE(1)},
	.out = {OUT(2)}},
    [HSA_FN_DECRYPT_FINAL] = {MESSAGES(decrypt_final), .in = {STATE(1)},
	.out = {OUT(2)}},
    [HSA_FN_ENCRYPT] = {MESSAGES(encrypt), .in = {STATE(1), DATA(2)},
	.out = {OUT(3)}},
    [HSA_FN_DECRYPT] = {MESSAGES(decrypt), .in = {STATE(1), DATA(2)},
	.out = {OUT(3)}},
    [HSA_FN_ENCRYPT_SINGLE] = {MESSAGES(encrypt_single),
	.in = {MECH(2), DATA(3), KEY(5)}, .out = {OUT(4)}},
    [HSA_FN_DECRYPT_SINGLE] = {MESSAGES(decrypt_single),
	.in = {MECH(2), DATA(3), KEY(5)}, .out = {OUT(4)}},
    [HSA_FN_REENCRYPT_SINGLE] = {MESSAGES(reencrypt_single),
	.in = {MECH(3), MECH2(4), DATA(5), KEY(7), KEY2(8)}, .out = {OUT(6)}},

    [HSA_FN_SIGN_INIT] = {MESSAGES(sign_init), .in = {MECH(2), KEY(4)},
	.out = {NEW_STATE(1)}},
    [HSA_FN_SIGN_UPDATE] = {MESSAGES(sign_update), .in = {STATE(1), DATA(2)},
	.out = {NEW_STATE(1)}},
    [HSA_FN_SIGN_FINAL] = {MESSAGES(sign_final), .in = {STATE(1)},
	.out = {OUT(2)}},
    [HSA_FN_SIGN] = {MESSAGES(sign), .in = {STATE(1), DATA(2)},
	.out = {OUT(3)}},
    [HSA_FN_SIGN_SINGLE] = {MESSAGES(sign_single),
	.in = {MECH(2), DATA(3), KEY(5)}, .out = {OUT(4)}},
    [HSA_FN_VERIFY_INIT] = {MESSAGES(verify_init), .in = {MECH(2), KEY(4)},
	.out = {NEW_STATE(1)}},
    [HSA_FN_VERIFY_UPDATE] = {MESSAGES(verify_update),
	.in = {STATE(1), DATA(2)}, .out = {NEW_STATE(1)}},
    [HSA_FN_VERIFY_FINAL] = {MESSAGES(verify_final),
	.in = {STATE(1), SIGNATURE(2)}},
    [HSA_FN_VERIFY] = {MESSAGES(verify),
	.in = {STATE(1), DATA(2), SIGNATURE(3)}},
    [HSA_FN_VERIFY_SINGLE] = {MESSAGES(verify_single),
	.in = {MECH(2), DATA(3), SIGNATURE(4), KEY(5)}},

    [HSA_FN_GENERATE_KEY] = {MESSAGES(generate_key),
	.in = {MECH(1), TEMPLATE(6)}, .out = {OUT(4), OUT2(5), OUT_KEY(7)}},
    [HSA_FN_GENERATE_KEY_PAIR] = {MESSAGES(generate_key_pair),
	.in = {MECH(1), TEMPLATE2(7), TEMPLATE(8)},
	.out = {OUT(5), OUT2(6), OUT_KEY(9), OUT2_KEY(10)}},
    [HSA_FN_WRAP_KEY] = {MESSAGES(wrap_key),
	.in = {MECH(4), KEY(6), KEY2(7), KEY3(8)}, .out = {OUT(5)}},
    [HSA_FN_UNWRAP_KEY] = {MESSAGES(unwrap_key),
	.in = {DATA(1), MECH(5), TEMPLATE(9), KEY2(11), KEY3(12)},
	.out = {OUT(7), OUT2(8), OUT_KEY(10)}},
    [HSA_FN_DERIVE_KEY] = {MESSAGES(derive_key),
	.in = {MECH(1), DATA(4), TEMPLATE(8), KEY(10)},
	.out = {OUT(6), OUT2(7), OUT_KEY(9)}},
    [HSA_FN_REWRAP_KEY_BLOB] = {MESSAGES(rewrap_key_blob),
	.in = {COL(1, EITHER, key), COL(2, OR_KEY, key)},
	.out = {OUT(1), OUT_KEY(2)}},

    [HSA_FN_GET_MECHANISM_LIST] = {MESSAGES(get_mechanism_list),
	.out = {COL(2, MECHS, out)}},
    [HSA_FN_GET_MECHANISM_INFO] = {MESSAGES(get_mechanism_info),
	.in = {NUMBER(2)}, .out = {COL(3, MECH_INFO, out)}},
    [HSA_FN_GET_ATTRIBUTE_VALUE] = {MESSAGES(get_attribute_value),
	.in = {OBJECT(1), COL(2, ROOM, attr), COL(3, ASKED, attr)},
	.out = {COL(2, GOT, got), COL(4, GOT_TYPED, got),
	    COL(100, LENGTHS, got)}},
    [HSA_FN_SET_ATTRIBUTE_VALUE] = {MESSAGES(set_attribute_value),
	.in = {OBJECT(1), TEMPLATE(3)}, .out = {OUT(1)}},

    [HSA_FN_LOGIN_EXTENDED] = {MESSAGES(login_extended),
	.in = {PIN(1), NONCE(2), DATA(3)}, .out = {OUT(1)}},
    [HSA_FN_LOGOUT_EXTENDED] = {MESSAGES(logout_extended),
	.in = {PIN(1), NONCE(2), DATA(3)}},
};

const struct hsa_fn_row *
hsa_codec_row(enum hsa_fn fn)
{
	size_t i = (size_t)fn;

	if (i >= sizeof(rows) / sizeof(rows[0]) || rows[i].request == NULL)
		return NULL;
	return &rows[i];
}
