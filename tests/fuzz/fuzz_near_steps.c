/* Any bytes as the records of a file between the steps of near deduplication whose frame is good: an
 * error, or a file that the next step reads. The first byte chooses the step, the others are the last
 * section. That changed bytes of a good file are noticed is shown by tests/cli/dedup_near.bats. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/dedup/near_files.h"

enum { DOCS = 100 };

static const struct {
	const char *magic;
	size_t sections;
	lu_dedup_step *step;
} kinds[] = {
	{ LU_SIGN_MAGIC, LU_SIGN_PAIRS + 512, lu_near_step_meet },
	{ LU_GUEST_MAGIC, LU_NEAR_SECTIONS, lu_near_step_edges },
	{ LU_EDGE_MAGIC, 1, lu_near_step_link },
	{ LU_MEMBER_MAGIC, LU_NEAR_SECTIONS, lu_near_step_settle },
};

/* A file of 100 documents; signatures have 2 bands of 2 rows. */
static void write_file(const char *path, size_t kind, const uint8_t *data, size_t size)
{
	static const unsigned char sketch[8 + 112];
	struct lu_stepfile_writer w = LU_STEPFILE_WRITER_NONE;
	struct lu_corpus c = { 0 };
	struct lu_minhash *mh;
	struct lu_err err;
	char settings[128];

	if (lu_minhash_new(&mh, 2, 2, LU_MINHASH_BEST, &err) < 0 ||
			lu_stepfile_create(&w, path, kinds[kind].magic, &err) < 0)
		abort();
	for (size_t i = 0; i + 1 < kinds[kind].sections; i++) {
		bool sketches = kind == 0 && i == 0;

		for (int k = 0; sketches && k < DOCS; k++) {
			if (lu_stepfile_write(&w, sketch, sizeof(sketch), &err) < 0)
				abort();
		}
		if (lu_stepfile_end_section(&w, sketches ? DOCS : 0, &err) < 0)
			abort();
	}
	snprintf(settings, sizeof(settings), "near, bands 2, rows 2, hashes %llx, verify 0.5",
			(unsigned long long)lu_minhash_params(mh));
	if (lu_stepfile_write(&w, data, size, &err) < 0 ||
			lu_stepfile_end_section(&w, size / 16, &err) < 0 ||
			lu_corpus_push(&c, "a", DOCS, 1, &err) < 0 ||
			lu_stepfile_commit(&w, &c, settings, 1, 1, &err) < 0)
		abort();
	lu_corpus_release(&c);
	lu_minhash_free(mh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_dedup_options o = LU_DEDUP_DEFAULTS;
	char in[] = "/tmp/fuzz_near.XXXXXX", out[] = "/tmp/fuzz_near.XXXXXX";
	char *file[] = { in };
	struct lu_args args = { .file = file, .files = 1 };
	struct lu_dedup d = { &o, &args };
	struct lu_err err = { 0 };
	int a = mkstemp(in), b = mkstemp(out);
	size_t kind = size ? data[0] % (sizeof(kinds) / sizeof(kinds[0])) : 0;

	if (a < 0 || b < 0)
		abort();
	close(a);
	close(b);
	write_file(in, kind, size ? data + 1 : data, size ? size - 1 : 0);
	o.std.output = out;
	o.std.tmpdir = "/tmp";
	o.std.threads = 1;
	if (kinds[kind].step(&d, &err) < 0 && !err.msg[0])
		abort();
	unlink(in);
	unlink(out);
	return 0;
}
