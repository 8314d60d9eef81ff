#include "libcommon/entries/text_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/charset/charset.h"
#include "libcommon/entries/line_blocks.h"

static int lines_convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	struct lu_block_lines it = lu_block_lines(block, o->limit);
	const struct lu_charset how = { .fallback = it.charset ? it.charset : o->charset,
		.strict = o->strict_charset };
	struct lu_charset_work work = { .text = { 0 } };
	struct lu_charset_result utf8;
	char name[24];
	int rc = 0;

	while (rc == 0 && lu_block_line(&it)) {
		struct lu_entry e = { .content = LU_ENTRY_TEXT };
		int valid = 1;

		if (!it.too_long && it.text.n == 0)
			continue;
		snprintf(name, sizeof(name), "%" PRIu64, it.number);
		e.name = lu_str_of(name);
		e.line = it.number;
		e.size = it.size;
		e.bytes = it.text;
		e.bad = it.too_long;
		e.drop = it.too_long ? "longer than --max-line" : NULL;
		if (lu_utf8_valid(it.text.p, it.text.n) != it.text.n) {
			const struct lu_charset_in in = { .bytes = it.text };

			valid = lu_charset_convert(&how, &work, &in, &utf8, err);
			e.recoded = valid > 0 && utf8.how != LU_CHARSET_UTF8;
			e.charset_errors = valid > 0 ? utf8.errors : 0;
			e.bytes = valid > 0 ? utf8.text : e.bytes;
			e.drop = valid ? e.drop : utf8.reason;
		}
		rc = valid < 0 ? -1 : emit(ctx, &e, err);
	}
	lu_charset_work_release(&work);
	return rc;
}

const struct lu_entries_type lu_text_lines = {
	.name = "text",
	.distinct = true,
	.open = lu_line_blocks_open,
	.block = lu_line_blocks_block,
	.convert = lines_convert,
	.close = lu_line_blocks_close,
};
