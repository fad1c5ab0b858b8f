/*
 * hsa_codec.h - the only user of the code generated from audit.proto and
 * unit.proto: C structs to protobuf bytes and back.
 * Decoders are strict (FORMAT E1 to E6): unknown fields, wrong lengths of ids,
 * a missing body, more than one body, invalid UTF-8 and any second spelling of
 * a message are E_FORMAT, another schema or version E_UNSUPPORTED, anything
 * beyond its limit E_RANGE; nothing is trusted. What decodes encodes to the
 * same bytes. Encoders write a byte that is no UTF-8 as U+FFFD, so that no
 * text can keep an event out of the log.
 */
#ifndef HSA_CODEC_H
#define HSA_CODEC_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_event.h"

#define HSA_RECORD_MAX 65536u  /* bytes of one serialized Record */
#define HSA_FRAME_MAX 1048576u /* bytes of one Frame or UnitRequest */
#define HSA_NOTE_MAX 4096u     /* bytes of one checkpoint */

/*
 * hsa_record_encode(b, r) - append the Record without its sequence field:
 * the sealer puts that in front with hsa_record_seal, which appends the nine
 * bytes of field 1 and then the rest. E_RANGE above HSA_RECORD_MAX.
 */
HSA_MUST_USE hsa_rc hsa_record_encode(
    struct hsa_buf *b, const struct hsa_record *r);
void hsa_record_seal(
    struct hsa_buf *b, uint64_t sequence, const void *rest, size_t n);
/*
 * hsa_record_seal_numbered(b, sequence, number, rest, n) - the same for a rest
 * that was encoded without source_sequence (0), as records are that learn it
 * from their place in a queue: number, not 0, is put where it belongs.
 * E_FORMAT: rest is no such encoding; E_RANGE as above; b is as before then.
 */
HSA_MUST_USE hsa_rc hsa_record_seal_numbered(struct hsa_buf *b,
    uint64_t sequence, uint64_t number, const void *rest, size_t n);
/* hsa_record_decode(r, p, n) - a sealed record (sequence present and first). */
HSA_MUST_USE hsa_rc hsa_record_decode(
    struct hsa_record *r, const void *p, size_t n);
/*
 * hsa_record_look(l, p, n) - what stands around the body, without allocation;
 * accepts what decode accepts at that level. For recovery.
 * hsa_record_peek(...) - sequence, source and source sequence only.
 */
struct hsa_look {
	uint64_t sequence, epoch, wall_ns, mono_ns;
	enum hsa_source source;
	uint64_t source_sequence;
	enum hsa_body body;
};
HSA_MUST_USE hsa_rc hsa_record_look(
    struct hsa_look *l, const void *p, size_t n);
HSA_MUST_USE hsa_rc hsa_record_peek(uint64_t *sequence, enum hsa_source *source,
    uint64_t *source_sequence, const void *p, size_t n);

/* ---- entries of a log segment -------------------------------------------- */

enum hsa_entry_kind {
	HSA_ENTRY_HEADER = 1,
	HSA_ENTRY_RECORD,
	HSA_ENTRY_CHECKPOINT
};

#define HSA_FRONTIER_MAX 64

struct hsa_entry {
	enum hsa_entry_kind kind;
	/* record and checkpoint: the bytes, inside the input */
	const uint8_t *p;
	size_t n;
	/* header */
	char origin[256];
	uint64_t first_sequence;
	uint8_t frontier[HSA_FRONTIER_MAX][HSA_SHA256_LEN];
	size_t frontier_len;
	/* by enum hsa_source: last source sequence before it; [0] is unused */
	uint64_t source_last[HSA_SOURCES + 1];
};

/* hsa_entry_encode_*(b, ...) - append one delimited entry (varint length,
 * then the Entry): what lies in a segment file. last: as source_last above;
 * NULL for the first segment, which has no record before it. */
HSA_MUST_USE hsa_rc hsa_entry_encode_header(struct hsa_buf *b,
    const char *origin, uint64_t first, const uint8_t (*frontier)[32], size_t n,
    const uint64_t last[HSA_SOURCES + 1]);
void hsa_entry_encode_record(struct hsa_buf *b, const void *p, size_t n);
void hsa_entry_encode_checkpoint(struct hsa_buf *b, const void *p, size_t n);
/*
 * hsa_entry_decode(e, used, p, n) - the entry at p. E_TRUNCATED: n bytes are
 * not a whole entry yet (a torn tail, or read more); E_FORMAT, E_RANGE: bytes
 * that no writer of this format makes, also a second spelling of the same.
 */
HSA_MUST_USE hsa_rc hsa_entry_decode(
    struct hsa_entry *e, size_t *used, const void *p, size_t n);

/* ---- frames of the channel ----------------------------------------------- */

enum hsa_frame_kind {
	HSA_FRAME_HELLO = 1,
	HSA_FRAME_RESUME,
	HSA_FRAME_RECORDS,
	HSA_FRAME_CHECKPOINT,
	HSA_FRAME_ACK,
	HSA_FRAME_REFUSE,
	HSA_FRAME_HEALTH
};

struct hsa_frame {
	enum hsa_frame_kind kind;
	uint8_t unit_id[HSA_UUID_LEN]; /* hello */
	char origin[256];              /* hello */
	uint64_t epoch;                /* hello */
	uint64_t sequence; /* hello, ack: size; resume: next; records: first;
			      health: refused without a record */
	uint32_t status;   /* health */
	uint8_t root[HSA_SHA256_LEN]; /* ack */
	struct hsa_slice *record;     /* records; owned array */
	size_t record_len;
	char *text; /* checkpoint note, refuse or health text; owned */
	size_t text_len;
	struct hsa_buf *held; /* backs the slices; owned */
};

/* hsa_frame_encode(b, f) - append the delimited frame. */
HSA_MUST_USE hsa_rc hsa_frame_encode(
    struct hsa_buf *b, const struct hsa_frame *f);
/* hsa_frame_decode(f, used, p, n) - as hsa_entry_decode; f is freed by
 * hsa_frame_free and does not point into p. */
HSA_MUST_USE hsa_rc hsa_frame_decode(
    struct hsa_frame *f, size_t *used, const void *p, size_t n);
void hsa_frame_free(struct hsa_frame *f);

#endif
