/* Any bytes as an index, beside a .bin whose size is the first two bytes: an error, or a shard of
 * which every document and token can be read, and documents and tokens agree. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/reader.h"

static char folder[64], prefix[70], bin[80], idx[80];

static void remove_folder(void)
{
	unlink(bin);
	unlink(idx);
	rmdir(folder);
}

static void make_folder(void)
{
	/* In memory where possible. */
	snprintf(folder, sizeof(folder), "%s/lucie-fuzz-XXXXXX",
			access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(folder) || atexit(remove_folder) != 0)
		abort();
	snprintf(prefix, sizeof(prefix), "%s/s", folder);
	snprintf(bin, sizeof(bin), "%s.bin", prefix);
	snprintf(idx, sizeof(idx), "%s.idx", prefix);
}

static void write_file(const char *path, const void *p, size_t n, size_t length)
{
	struct lu_err err = { 0 };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || (n && lu_write_all(fd, p, n, path, &err) < 0) ||
			ftruncate(fd, (off_t)length) < 0 || close(fd) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t at = 0, first, n, found;
	uint32_t id;

	if (size < 2)
		return 0;
	if (!folder[0])
		make_folder();
	write_file(bin, NULL, 0, lu_load16(data));
	write_file(idx, data + 2, size - 2, size - 2);
	if (lu_shard_open(&s, prefix, &err) < 0) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	if (lu_shard_tokens(s) * lu_shard_width(s) != lu_load16(data))
		abort();
	for (uint64_t i = 0; i < lu_shard_documents(s); i++) {
		if (lu_shard_document(s, i, &first, &n, &err) < 0 || first != at ||
				n > lu_shard_tokens(s) - at)
			abort();
		for (uint64_t k = 0; k < n; k++) {
			if (lu_shard_read(s, first + k, 1, &id, &err) < 0 || id != 0 ||
					lu_shard_document_at(s, first + k, &found, &err) < 0 ||
					found != i)
				abort();
		}
		at += n;
	}
	if (at != lu_shard_tokens(s))
		abort();
	lu_shard_close(s);
	return 0;
}
