#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper_call.h"
#include "helper_proto.h"
#include "hsa_codec_call.h"

static const struct hsa_caller nobody;

/* ---- the schema ---------------------------------------------------------- */

/* What a unit refuses of GREP11's fields: a keystore's part of KeyBlob. */
static bool
refused(const ProtobufCMessageDescriptor *d, unsigned int field)
{
	return strcmp(d->name, "grep11.KeyBlob") == 0 && field < 5;
}

static void
expect_columns(
    const ProtobufCMessageDescriptor *d, const struct hsa_col *col, size_t *n)
{
	for (unsigned int i = 0; i < d->n_fields; i++, col++, (*n)++) {
		/* ascending on both sides, so equal one by one */
		if (col->field != d->fields[i].id)
			fail_msg(
			    "%s.%s has no column", d->name, d->fields[i].name);
	}
	assert_int_equal(col->field, 0);
}

static void
test_hsa_call__every_field_of_every_message_has_a_column(void **state)
{
	size_t n = 0;

	(void)state;
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		const struct hsa_fn_row *row = hsa_codec_row(fn);
		char name[64];

		(void)snprintf(
		    name, sizeof(name), "grep11.%sRequest", hsa_fn_text(fn));
		assert_string_equal(row->request->name, name);
		(void)snprintf(
		    name, sizeof(name), "grep11.%sResponse", hsa_fn_text(fn));
		assert_string_equal(row->reply->name, name);
		expect_columns(row->request, row->in, &n);
		expect_columns(row->reply, row->out, &n);
	}
	printf("COUNT fields of GREP11's messages with a column: %zu\n", n);
}

/*
 * What GREP11's names mean, member by member of struct hsa_call: a second
 * reading of the rows, by name instead of by number. A name that means
 * something else in one message has that message before it.
 */
#define AT(member) offsetof(struct hsa_call, member)

struct meaning {
	const char *name;
	size_t at;
};

static const struct meaning request_meaning[] = {
    {"GetMechanismInfoRequest.Mech", AT(number)}, {"State", AT(state)},
    {"Data", AT(data)}, {"Plain", AT(data)}, {"Ciphered", AT(data)},
    {"Wrapped", AT(data)}, {"Seed", AT(data)}, {"Xstruct", AT(data)},
    {"Signature", AT(signature)}, {"Key", AT(key)}, {"PrivKey", AT(key)},
    {"PubKey", AT(key)}, {"BaseKey", AT(key)}, {"DecKey", AT(key)},
    {"Object", AT(key)}, {"WrappedKeyBytes", AT(key)}, {"WrappedKey", AT(key)},
    {"KeK", AT(key2)}, {"EncKey", AT(key2)}, {"MacKey", AT(key3)},
    {"Pin", AT(pin)}, {"Storeid", AT(nonce)}, {"Nonce", AT(nonce)},
    {"Mech", AT(mech)}, {"DecMech", AT(mech)}, {"EncMech", AT(mech2)},
    {"Template", AT(attr)}, {"PubKeyTemplate", AT(attr)},
    {"PrivKeyTemplate", AT(attr2)}, {"AttributesBytes", AT(attr)},
    {"Attributes", AT(attr)}, {"Len", AT(number)}, {NULL, 0}};

static const struct meaning reply_meaning[] = {{"State", AT(new_state)},
    {"CheckSum", AT(out2)}, {"PubKeyBytes", AT(out2)}, {"PubKey", AT(out2)},
    {"AttributesBytes", AT(got)}, {"Attributes", AT(got)}, {"Lengths", AT(got)},
    {"Rnd", AT(out)}, {"Digest", AT(out)}, {"Ciphered", AT(out)},
    {"Plain", AT(out)}, {"Reciphered", AT(out)}, {"Signature", AT(out)},
    {"KeyBytes", AT(out)}, {"Key", AT(out)}, {"PrivKeyBytes", AT(out)},
    {"PrivKey", AT(out)}, {"Wrapped", AT(out)}, {"UnwrappedBytes", AT(out)},
    {"Unwrapped", AT(out)}, {"NewKeyBytes", AT(out)}, {"NewKey", AT(out)},
    {"RewrappedKeyBytes", AT(out)}, {"RewrappedKey", AT(out)},
    {"Mechs", AT(out)}, {"MechInfo", AT(out)}, {"Object", AT(out)},
    {"Pinblob", AT(out)}, {NULL, 0}};

static void
expect_meaning(const ProtobufCMessageDescriptor *d, const struct hsa_col *col,
    const struct meaning *m)
{
	for (unsigned int i = 0; i < d->n_fields; i++, col++) {
		const struct meaning *at = m;
		char name[96];

		(void)snprintf(name, sizeof(name), "%s.%s", d->short_name,
		    d->fields[i].name);
		while (at->name != NULL && strcmp(at->name, name) != 0 &&
		       strcmp(at->name, d->fields[i].name) != 0)
			at++;
		if (at->name == NULL || at->at != col->at)
			fail_msg("%s fills another member", name);
	}
}

static void
test_hsa_call__every_field_fills_the_member_of_its_name(void **state)
{
	(void)state;
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		const struct hsa_fn_row *row = hsa_codec_row(fn);

		expect_meaning(row->request, row->in, request_meaning);
		expect_meaning(row->reply, row->out, reply_meaning);
	}
}

/* Every field of d that is not refused occurs in the encoded bytes, and so on
 * inside; of a oneof, one member. */
static void
expect_all_there(
    const ProtobufCMessageDescriptor *d, const uint8_t *p, size_t n)
{
	struct hsa_wire w = hsa_wire_of(d, 0, p, n);
	struct hsa_wire_field f = {0};
	bool oneof = false;
	uint64_t seen = 0;

	w.entry = strstr(d->name, "Entry") != NULL;
	while (hsa_cur_left(&w.cur) != 0) {
		assert_ok(hsa_wire_next(&w, &f));
		seen |= UINT64_C(1) << (f.desc - d->fields);
		oneof =
		    oneof || (f.desc->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
		if (f.desc->type == PROTOBUF_C_TYPE_MESSAGE)
			expect_all_there(f.desc->descriptor, f.p, f.n);
	}
	for (unsigned int i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *fd = &d->fields[i];

		if ((fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && oneof)
			continue;
		/* asked for: an AttributeValue may be empty */
		if (strcmp(d->name, "grep11.AttributeValue") == 0)
			continue;
		/* the other way to say the key */
		if (strcmp(d->name, "grep11.RewrapKeyBlobRequest") == 0 &&
		    fd->id == 2)
			continue;
		/* the reply's number zero: a size of 0 */
		if (strcmp(d->name, "grep11.MechanismInfo") == 0 && fd->id == 2)
			continue;
		if (!refused(d, fd->id) && (seen & UINT64_C(1) << i) == 0)
			fail_msg("%s.%s is not written", d->name, fd->name);
	}
}

static void
test_hsa_call__what_is_set_is_written(void **state)
{
	struct hsa_call c = {0};
	struct hsa_buf b = {0};

	(void)state;
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		hcall_request(&c, fn);
		for (int kind = HSA_MECH_BYTES; kind <= HSA_MECH_OTHER;
		     kind++) {
			hcall_mech(&c.mech, (enum hsa_mech_kind)kind, 0);
			hsa_buf_reset(&b);
			assert_ok(hsa_call_encode(&b, &c));
			expect_all_there(
			    hsa_codec_row(fn)->request, b.p, b.len);
		}
		hcall_reply(&c, fn);
		hsa_buf_reset(&b);
		assert_ok(hsa_call_reply_encode(&b, &c));
		expect_all_there(hsa_codec_row(fn)->reply, b.p, b.len);
		hsa_call_free(&c);
	}
	hsa_buf_free(&b);
}

/* ---- another implementation of protobuf ---------------------------------- */

/* The text that protoc reads out of an encoded UnitRequest or UnitReply, and
 * that text encoded by it again. */
static void
through_protoc(struct hsa_buf *text, struct hsa_buf *again, const char *message,
    const struct hsa_buf *b)
{
	char path[] = "/tmp/test_hsa_call.XXXXXX", command[512];
	struct hsa_cur body = {0};
	int fd = mkstemp(path), c;
	size_t used = 0;
	FILE *f;

	assert_ok(hsa_wire_delimited(&body, &used, b->p, b->len, b->len));
	assert_true(fd >= 0);
	assert_true(write(fd, body.p, hsa_cur_left(&body)) ==
		    (ssize_t)hsa_cur_left(&body));
	assert_int_equal(close(fd), 0);
	(void)snprintf(command, sizeof(command),
	    "protoc --proto_path=proto --decode=hsa.v1.%s unit.proto <%s | "
	    "tee %s.txt | protoc --proto_path=proto --deterministic_output "
	    "--encode=hsa.v1.%s unit.proto; cat %s.txt; rm %s.txt",
	    message, path, path, message, path, path);
	f = popen(command, "r");
	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		hsa_buf_u8(again->len < hsa_cur_left(&body) ? again : text,
		    (uint8_t)c);
	assert_int_equal(pclose(f), 0);
	assert_int_equal(again->len, hsa_cur_left(&body));
	assert_memory_equal(again->p, body.p, again->len);
	(void)unlink(path);
}

static void
test_hsa_call__protoc_spells_it_the_same(void **state)
{
	struct hsa_buf b = {0}, text = {0}, again = {0};
	struct hsa_call c = {0};

	(void)state;
	for (enum hsa_fn fn = hsa_fn_next(HSA_FN_NONE); fn != HSA_FN_NONE;
	     fn = hsa_fn_next(fn)) {
		hcall_request(&c, fn);
		hsa_buf_reset(&b);
		hsa_buf_reset(&again);
		assert_ok(hsa_unit_request_encode_call(&b, &nobody, &c));
		through_protoc(&text, &again, "UnitRequest", &b);
		hcall_reply(&c, fn);
		hsa_buf_reset(&b);
		hsa_buf_reset(&again);
		assert_ok(hsa_unit_reply_encode_call(&b, &c));
		through_protoc(&text, &again, "UnitReply", &b);
		hsa_call_free(&c);
	}
	hsa_buf_free(&b);
	hsa_buf_free(&text);
	hsa_buf_free(&again);
}

static void
test_hsa_call__protoc_reads_grep11s_names(void **state)
{
	/* written by hand from GREP11's schema; each behind the one before */
	static const struct {
		enum hsa_fn fn;
		const char *request, *reply;
	} names[] = {
	    {HSA_FN_ENCRYPT_SINGLE,
		"encrypt_single {|Mech {|Mechanism: 4231|GCMParameter {|"
		"Plain: |Key {|KeyBlobs: ",
		"encrypt_single {|Ciphered: "},
	    {HSA_FN_REENCRYPT_SINGLE,
		"DecMech {|EncMech {|RSAOAEPParameter {|HashMech: 592|"
		"Mgf: CkgIbmMgf1Sha3_256|EncodingParm: |Ciphered: |DecKey {|"
		"EncKey {",
		"Reciphered: "},
	    {HSA_FN_GENERATE_KEY_PAIR,
		"PrivKeyTemplate {|key: 2147549185|AttributeB: |"
		"PubKeyTemplate {|key: 0|",
		"PrivKeyBytes: |PubKeyBytes: |PrivKey {|KeyBlobs: |PubKey {"},
	    {HSA_FN_UNWRAP_KEY, "Wrapped: |Mech {|Template {|KeK {|MacKey {",
		"UnwrappedBytes: |CheckSum: |Unwrapped {"},
	    {HSA_FN_GET_ATTRIBUTE_VALUE,
		"Object: |AttributesBytes {|key: 0|key: 257|value: \"\"|"
		"Attributes {|key: 258",
		"AttributesBytes {|Attributes {|Lengths: 8|"
		"Lengths: 18446744073709551615|Lengths: 0|Lengths: 412"},
	    {HSA_FN_LOGIN, "Storeid: |Pin: ", "Pinblob: "},
	    {HSA_FN_GET_MECHANISM_LIST, "get_mechanism_list {",
		"Mechs: 4226|Mechs: 0|Mechs: 2147549191"},
	    {HSA_FN_GET_MECHANISM_INFO, "Mech: 2147549217",
		"MechInfo {|MinKeySize: 4226|Flags: 2147549191"},
	};
	struct hsa_buf b = {0}, text = {0}, again = {0};
	struct hsa_call c = {0};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
		const char *want =
		    i % 2 == 0 ? names[i / 2].request : names[i / 2].reply;
		const char *at;

		hsa_buf_reset(&b);
		hsa_buf_reset(&text);
		hsa_buf_reset(&again);
		if (i % 2 == 0) {
			hcall_request(&c, names[i / 2].fn);
			assert_ok(
			    hsa_unit_request_encode_call(&b, &nobody, &c));
			through_protoc(&text, &again, "UnitRequest", &b);
		} else {
			hcall_reply(&c, names[i / 2].fn);
			assert_ok(hsa_unit_reply_encode_call(&b, &c));
			through_protoc(&text, &again, "UnitReply", &b);
			hsa_call_free(&c);
		}
		at = hsa_buf_cstr(&text);
		while (*want != '\0') {
			size_t n = strcspn(want, "|");
			char name[64] = {0};

			assert_true(n < sizeof(name));
			memcpy(name, want, n);
			at = strstr(at, name);
			if (at == NULL)
				fail_msg(
				    "%s not in %s", name, hsa_buf_cstr(&text));
			want += want[n] == '|' ? n + 1 : n;
		}
	}
	hsa_buf_free(&b);
	hsa_buf_free(&text);
	hsa_buf_free(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_hsa_call__every_field_of_every_message_has_a_column),
	    cmocka_unit_test(
		test_hsa_call__every_field_fills_the_member_of_its_name),
	    cmocka_unit_test(test_hsa_call__what_is_set_is_written),
	    cmocka_unit_test(test_hsa_call__protoc_spells_it_the_same),
	    cmocka_unit_test(test_hsa_call__protoc_reads_grep11s_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
