/* JSON records in lines, arrays and sequences, and notebooks: the first byte chooses. */
#include "libcommon/entries/json_lines.h"
#include "libcommon/entries/json_values.h"
#include "libcommon/entries/notebook.h"
#include "tests/fuzz/fuzz_entries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_notebook(struct lu_str json, bool outputs)
{
	struct lu_buf text = { 0 }, title = { 0 }, more = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_err err = { 0 };
	const char *reason = NULL;

	if (lu_notebook_text(json, outputs, &arena, &text, &title, &more, &reason, &err) > 0 &&
			!reason)
		abort();
	lu_buf_release(&text);
	lu_buf_release(&title);
	lu_buf_release(&more);
	lu_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned how = size ? data[0] : 0;
	struct lu_entries_options o = { .limit = how & 1 ? 100 : 1 << 20 };
	struct lu_str rest = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	lu_json_file_look(rest);
	if (how & 2)
		read_notebook(rest, how & 4);
	else
		fuzz_entries_run(how & 4 ? &lu_json_lines : &lu_json_values, false, &o, data + 1,
				size - 1);
	return 0;
}
