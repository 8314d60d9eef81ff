/* Any bytes as a count file: an error, or words that can be read again and written as the same
 * file. That every changed byte of a good file is noticed is shown by tests/unit/test_count_file.c. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/bpetrain/count_steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_err err = { 0 };
	struct lu_count_file file;
	struct lu_word_counts c = { .threads = 1, .by_language = true, .file = &file, .files = 1 };
	struct lu_count_info info;
	struct lu_out *out = NULL;

	if (lu_count_file_open(&file, f.path, &err) == 0) {
		if (lu_count_file_verify(&file, &err) == 0) {
			info = (struct lu_count_info){ file.settings, file.documents, file.bytes };
			if (lu_out_open(&out, "/dev/null", "none", 1, &err) < 0 ||
					lu_count_steps_write(&c, &info, out, &err) < 0 ||
					lu_out_commit(out, &err) < 0)
				abort();
			lu_word_counts_release(&c);
			lu_lang_names_release(&c.lang);
		}
		lu_count_file_close(&file);
	} else if (!err.msg[0]) {
		abort();
	}
	fuzz_file_close(&f);
	return 0;
}
