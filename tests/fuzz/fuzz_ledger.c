/* Any bytes as the ledger of a shard of three documents, one of them empty: an error, or one line
 * for each document, which agrees with the index, from any document on. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/ledger.h"

enum { DOCUMENTS = 3 };
static const uint64_t first[DOCUMENTS + 1] = { 0, 2, 2, 5 };

static struct lu_shard *shard;
static char folder[64], path[4][96];

static void end(void)
{
	lu_shard_close(shard);
	for (int i = 0; i < 4; i++)
		unlink(path[i]);
	rmdir(folder);
}

static void put(const char *name, const void *p, size_t n)
{
	struct lu_err err = { 0 };
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || (n && lu_write_all(fd, p, n, name, &err) < 0) || close(fd) < 0)
		abort();
}

static void begin(void)
{
	static const char *const suffix[] = { "", ".bin", ".idx", ".docs.jsonl.zst" };
	static const unsigned char idx[] = "MMIDIDX\0\0\1\0\0\0\0\0\0\0\10"
					   "\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0"
					   "\2\0\0\0\0\0\0\0\3\0\0\0"
					   "\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0"
					   "\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
					   "\3\0\0\0\0\0\0\0";
	struct lu_err err;

	snprintf(folder, sizeof(folder), "%s/lucie-ledger-XXXXXX",
			access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(folder))
		abort();
	for (int i = 0; i < 4; i++)
		snprintf(path[i], sizeof(path[i]), "%s/s%s", folder, suffix[i]);
	put(path[1], "0123456789", 10);
	put(path[2], idx, sizeof(idx) - 1);
	if (lu_shard_open(&shard, path[0], &err) < 0 || atexit(end) != 0)
		abort();
}

/* Read from a document on; returns the number of documents, or -1. */
static int read_from(uint64_t document, struct lu_err *err)
{
	struct lu_ledger *l;
	struct lu_ledger_doc d;
	int rc, n = 0;

	if (lu_ledger_open(&l, shard, err) < 0)
		return -1;
	rc = lu_ledger_seek(l, document, err);
	while (rc >= 0 && (rc = lu_ledger_next(l, &d, err)) > 0) {
		if (d.document != document + (uint64_t)n || d.first != first[d.document] ||
				d.tokens != first[d.document + 1] - d.first)
			abort();
		n++;
	}
	lu_ledger_close(l);
	return rc < 0 ? -1 : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int all = -1;

	if (!shard)
		begin();
	put(path[3], data, size);
	for (int from = 0; from <= DOCUMENTS; from++) {
		struct lu_err err = { 0 };
		int n = read_from((uint64_t)from, &err);

		if (n < 0 && !err.msg[0])
			abort();
		if (n >= 0 && n != DOCUMENTS - from)
			abort();
		all = from ? all : n;
		/* What is whole from the start is whole from anywhere. */
		if (all >= 0 && n < 0)
			abort();
	}
	return 0;
}
