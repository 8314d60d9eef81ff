/* Any bytes as a drop list, and as the records of one whose frame is good: an error, or records in
 * order. That every changed byte of a good file is noticed is shown by tests/unit/test_exact.c. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/dedup/droplist.h"

static void read_list(const char *path)
{
	struct lu_err err = { 0 };
	struct lu_drops d;
	struct lu_drop x;
	uint64_t last = 0;
	bool any = false;
	int rc = lu_drops_open(&d, &path, 1, "a", &err);

	while (rc == 0 && (rc = lu_drops_next(&d, &x, &err)) > 0) {
		if ((any && x.number <= last) || x.number >= 100 || x.similarity > LU_DROP_ONE)
			abort();
		last = x.number;
		any = true;
		rc = 0;
	}
	if (rc < 0 && !err.msg[0])
		abort();
	lu_drops_close(&d);
}

/* A list of one file of 100 documents, whose section holds the bytes. */
static void write_list(const char *path, const uint8_t *data, size_t size)
{
	struct lu_stepfile_writer w = LU_STEPFILE_WRITER_NONE;
	struct lu_corpus c = { 0 };
	struct lu_err err = { 0 };

	if (lu_stepfile_create(&w, path, LU_DROP_MAGIC, &err) < 0 ||
			lu_stepfile_write(&w, data, size, &err) < 0 ||
			lu_stepfile_end_section(&w, size / 41, &err) < 0 ||
			lu_corpus_push(&c, "a", 100, 1, &err) < 0 ||
			lu_stepfile_commit(&w, &c, "x", 1, 1, &err) < 0)
		abort();
	lu_corpus_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/fuzz_drops.XXXXXX";
	struct fuzz_file f = fuzz_file_open(data, size);
	int fd;

	read_list(f.path);
	fuzz_file_close(&f);
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	close(fd);
	write_list(path, data, size);
	read_list(path);
	unlink(path);
	return 0;
}
