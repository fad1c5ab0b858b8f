#include <inttypes.h>

#include "export_tiles.h"
#include "hsa_buf.h"
#include "tiles.h"
#include "vfy_utf8.h"

#define SETTLE_MS 500

static int
done(const struct cmd *c, const struct tiles_made *m, const char *to)
{
	struct hsa_buf b = {0};
	int code = CMD_USAGE;

	vfy_utf8_show(&b, to);
	hsa_buf_printf(&b, ": %" PRIu64 " records of ", m->log.sealed);
	vfy_utf8_show(&b, m->log.origin);
	hsa_buf_printf(&b,
	    ", %" PRIu64 " tiles written, %" PRIu64 " were there, %" PRIu64
	    " removed\n",
	    m->written, m->kept, m->removed);
	if (cmd_print(c, &b))
		code = cmd_flush(c, CMD_OK);
	hsa_buf_free(&b);
	return code;
}

int
export_tiles(
    const struct cmd *c, const struct log_set_args *args, const char *to)
{
	struct tiles_made m = {.written = 0};
	struct log_set set = {.len = 0};
	struct hsa_diag diag = {{0}};
	int code = CMD_USAGE;
	hsa_rc rc;

	rc = log_set_gather(&set, args, &diag);
	if (!hsa_is_ok(rc))
		(void)cmd_error(c, "%s", diag.text);
	else if (set.len != 1)
		(void)cmd_usage(c,
		    "--tlog-tiles: %zu logs are there, a folder of tiles is of "
		    "one; say which with --unit",
		    set.len);
	else {
		rc = tiles_make(
		    &m, to, set.log[0].path, &set.keys, SETTLE_MS, &diag);
		if (!hsa_is_ok(rc)) {
			(void)cmd_error(c, "%s", diag.text);
			if (rc.v == HSA_E_EXISTS || rc.v == HSA_E_SIGNATURE ||
			    rc.v == HSA_E_FORMAT)
				code = CMD_FOUND;
		} else if (m.log.bad) {
			(void)cmd_error(c,
			    "%s: the log is damaged, %s: %s (%s, byte %" PRIu64
			    ", at record %" PRIu64 "); %s/checkpoint is as it "
			    "was",
			    set.log[0].path, m.log.rule, m.log.finding,
			    m.log.place.file, m.log.place.offset,
			    m.log.place.sequence, to);
			code = CMD_FOUND;
		} else
			code = done(c, &m, to);
	}
	log_set_free(&set);
	return code;
}
