/*
 * vfy_file.h - the files of a log folder: which segments there are, and the
 * entries of one, read in large pieces. Follows no symlink, opens nothing but
 * regular files, and maps none, so that a file cut meanwhile is an end and no
 * signal.
 */
#ifndef VFY_FILE_H
#define VFY_FILE_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_codec.h"
#include "hsa_err.h"

struct hsa_buf;

#define VFY_NAME_MAX 32 /* of a segment, with the NUL */
#define VFY_HEAD "head"

struct vfy_segment {
	char name[VFY_NAME_MAX];
	uint64_t first; /* what the name says */
};
struct vfy_segments { /* in order of name */
	struct vfy_segment *seg;
	size_t len;
};

/* vfy_file_folder(fd, path, diag) - open a folder. E_NOT_FOUND, E_IO. */
HSA_MUST_USE hsa_rc vfy_file_folder(
    int *fd, const char *path, struct hsa_diag *diag);
/* vfy_file_list(s, fd, diag) - the segments; other names are no part of a
 * log. vfy_segments_free: NULL-safe. */
HSA_MUST_USE hsa_rc vfy_file_list(
    struct vfy_segments *s, int fd, struct hsa_diag *diag);
void vfy_segments_free(struct vfy_segments *s);
void vfy_file_name(char to[VFY_NAME_MAX], uint64_t first);

/*
 * vfy_file_open(fd, folder, name) - E_NOT_FOUND; E_UNSUPPORTED when it is no
 * regular file; E_IO (errno tells). vfy_file_get(b, folder, name, max) - a
 * whole small file, appended; E_RANGE when longer.
 */
HSA_MUST_USE hsa_rc vfy_file_open(int *fd, int folder, const char *name);
HSA_MUST_USE hsa_rc vfy_file_get(
    struct hsa_buf *b, int folder, const char *name, size_t max);

/* vfy_file_slurp(b, path, max) - the same for a path that the user gave:
 * follows symlinks, reads pipes. */
HSA_MUST_USE hsa_rc vfy_file_slurp(
    struct hsa_buf *b, const char *path, size_t max);

/* vfy_file_rest(b, folder, name, from) - what lies from this byte on. */
HSA_MUST_USE hsa_rc vfy_file_rest(
    struct hsa_buf *b, int folder, const char *name, uint64_t from);

/* A reader of entries. Zeroed: closed. */
struct vfy_reader {
	int fd; /* valid while buf is not NULL */
	uint8_t *buf;
	size_t cap, at, end; /* buf[at .. end) is unread */
	uint64_t offset;     /* in the file, of buf[at] */
};
HSA_MUST_USE hsa_rc vfy_reader_open(
    struct vfy_reader *r, int folder, const char *name);
/*
 * vfy_reader_next(r, e, used) - the next entry, valid until the next call;
 * used, its length with the prefix. E_CLOSED: the file ends here, between two
 * entries. E_TRUNCATED: it ends within one (both: call again when the file
 * may have grown). E_FORMAT, E_RANGE: no entry. E_IO. r->offset stays at the
 * entry's first byte unless the call succeeds.
 */
HSA_MUST_USE hsa_rc vfy_reader_next(
    struct vfy_reader *r, struct hsa_entry *e, size_t *used);
/* vfy_reader_seek(r, offset) - go on from there. */
void vfy_reader_seek(struct vfy_reader *r, uint64_t offset);
void vfy_reader_close(struct vfy_reader *r);

#endif
