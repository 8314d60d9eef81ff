/* Mailboxes and messages: the first byte chooses. */
#include "libcommon/entries/mbox.h"
#include "tests/fuzz/fuzz_entries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned how = size ? data[0] : 0;
	struct lu_entries_options o = { .limit = how & 1 ? 100 : 1 << 20,
		.charset = how & 2 ? "windows-1252" : NULL };
	struct lu_str head = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	lu_mbox_look(head);
	lu_eml_look(head);
	fuzz_entries_run(how & 4 ? &lu_eml : &lu_mbox, false, &o, data + 1, size - 1);
	return 0;
}
