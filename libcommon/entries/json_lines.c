#include "libcommon/entries/json_lines.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcommon/entries/line_blocks.h"

/* Behind a byte order mark and blanks: a brace, and the first name or the end. */
bool lu_json_lines_look(struct lu_str head)
{
	const char *p = head.p, *end = head.p + head.n;

	if (head.n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		p += 3;
	for (int want = '{'; want; want = want == '{' ? '"' : 0) {
		while (p < end && *p && strchr(" \t\r\n", *p))
			p++;
		if (p == end || *p++ != want)
			return false;
	}
	return true;
}

static int json_convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	struct lu_block_lines it = lu_block_lines(block, o->limit);
	char name[24];

	while (lu_block_line(&it)) {
		struct lu_entry e = { .content = LU_ENTRY_RECORD };

		if (!it.too_long && lu_str_only(it.text, " \t\r"))
			continue;
		snprintf(name, sizeof(name), "%" PRIu64, it.number);
		e.name = lu_str_of(name);
		e.line = it.number;
		e.size = it.size;
		e.bytes = it.text;
		e.bad = it.too_long;
		e.drop = it.too_long ? "longer than --max-line" : NULL;
		if (emit(ctx, &e, err) < 0)
			return -1;
	}
	return 0;
}

const struct lu_entries_type lu_json_lines = {
	.name = "JSON Lines",
	.distinct = true,
	.open = lu_line_blocks_open,
	.block = lu_line_blocks_block,
	.convert = json_convert,
	.close = lu_line_blocks_close,
};
