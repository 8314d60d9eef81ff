/* CSV, TSV and lines: the first byte chooses the options. */
#include "libcommon/entries/csv.h"
#include "libcommon/entries/text_lines.h"
#include "tests/fuzz/fuzz_entries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned how = size ? data[0] : 0;
	struct lu_entries_options o = { .limit = how & 1 ? 100 : 1 << 20,
		.no_header = how & 2,
		.no_quotes = how & 4,
		.charset = how & 8 ? "windows-1252" : NULL };

	if (size == 0)
		return 0;
	if (how & 16)
		fuzz_entries_run(&lu_text_lines, false, &o, data + 1, size - 1);
	else
		fuzz_entries_run(how & 32 ? &lu_tsv : &lu_csv, true, &o, data + 1, size - 1);
	return 0;
}
