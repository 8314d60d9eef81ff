/* Any bytes as what a teacher says of a shard, or, after a first byte of 'r', as the log p of its documents,
 * both with checksums made to match: an error that names the file, or rows and numbers as promised. */
#include <math.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"
#include "libcommon/shard/logp.h"
#include "libcommon/shard/teacher.h"
#include "libcommon/shard/writer.h"
#include "tests/fuzz/fuzz.h"

#define DOCUMENTS 3
#define HASH "00000000000000000000000000000000"

static char folder[64], prefix[70], teacher[90];
static struct lu_shard *shard;

static void remove_folder(void)
{
	static const char *const end[] = { ".bin", ".idx", ".docs.jsonl.zst", ".json" };
	char path[90];

	lu_shard_close(shard);
	unlink(teacher);
	for (size_t i = 0; i < sizeof(end) / sizeof(end[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", prefix, end[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* A shard of 3 documents of 2 tokens. */
static void make_shard(void)
{
	struct lu_shard_format f = { .vocab = 10, .options = LU_STR("{}"), .tmpdir = "/tmp" };
	struct lu_ledger_doc d = { .tokens = 2,
		.id = LU_STR("null"),
		.source = LU_STR("null"),
		.license = LU_STR("null"),
		.lang = LU_STR("null") };
	static const char ids[4];
	struct lu_shard_writer *w;
	struct lu_err err = { 0 };

	snprintf(folder, sizeof(folder), "%s/lucie-fuzz-XXXXXX",
			access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(folder) || atexit(remove_folder) != 0)
		abort();
	snprintf(prefix, sizeof(prefix), "%s/s", folder);
	snprintf(teacher, sizeof(teacher), "%s.f.teacher", prefix);
	if (lu_shard_writer_open(&w, prefix, &f, &err) < 0)
		abort();
	for (int i = 0; i < DOCUMENTS; i++) {
		if (lu_shard_writer_add(w, &d, ids, &err) < 0)
			abort();
	}
	if (lu_shard_writer_settle(w, &err) < 0 || lu_shard_writer_commit(w, &err) < 0)
		abort();
	lu_shard_writer_free(w);
	if (lu_shard_open(&shard, prefix, &err) < 0)
		abort();
}

static void read_logp(const struct fuzz_file *f)
{
	const struct lu_logp what = { HASH, HASH, DOCUMENTS };
	double log_p[DOCUMENTS];
	struct lu_err err = { 0 };
	int rc = lu_logp_read(f->path, &what, log_p, &err);

	if (rc == 0 || (rc < 0 && strncmp(err.msg, f->path, strlen(f->path)) != 0))
		abort();
	for (int i = 0; i < DOCUMENTS && rc > 0; i++) {
		if (!isfinite(log_p[i]))
			abort();
	}
}

static void read_teacher(const struct fuzz_file *f)
{
	uint32_t ids[LU_TEACHER_MAX];
	float log_p[LU_TEACHER_MAX];
	struct lu_err err = { 0 };
	struct lu_teacher *t;
	bool bad = false;

	unlink(teacher);
	if (symlink(f->path, teacher) < 0)
		abort();
	if (lu_teacher_open(&t, shard, "f", HASH, &err) < 0) {
		if (strncmp(err.msg, teacher, strlen(teacher)) != 0)
			abort();
		return;
	}
	for (uint64_t at = 0; at < lu_shard_tokens(shard); at++) {
		size_t n = lu_teacher_top(t);

		if (lu_teacher_read(t, at, 1, ids, log_p, &err) < 0) {
			bad = true;
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			if (ids[i] >= lu_teacher_header(t)->vocab || !(log_p[i] <= 0) ||
					(i > 0 && ids[i] <= ids[i - 1]))
				abort();
		}
	}
	if (lu_teacher_verify(t, &err) == 0 && bad)
		abort();
	lu_teacher_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f;
	uint8_t *copy;

	if (size < 9)
		return 0;
	if (!folder[0])
		make_shard();
	copy = malloc(size - 1);
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	lu_store64(copy + size - 9, lu_hash64(copy, size - 9, 0));
	f = fuzz_file_open(copy, size - 1);
	if (data[0] == 'r')
		read_logp(&f);
	else
		read_teacher(&f);
	fuzz_file_close(&f);
	free(copy);
	return 0;
}
