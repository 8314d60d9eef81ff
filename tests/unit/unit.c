#include "tests/unit/unit.h"

#include <brotli/encode.h>
#include <bzlib.h>
#include <dirent.h>
#include <ftw.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PATH_SIZE 4096

struct scratch {
	char home[PATH_SIZE], work[PATH_SIZE];
};

/* The folder in which the program started, once a test runs in another one. */
static char start_folder[PATH_SIZE] = ".";

int scratch_make(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s || !getcwd(s->home, sizeof(s->home)))
		return -1;
	snprintf(s->work, sizeof(s->work), "%s/lucie-unit-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(s->work) || chdir(s->work) < 0)
		return -1;
	memcpy(start_folder, s->home, sizeof(start_folder));
	*state = s;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

int scratch_remove(void **state)
{
	struct scratch *s = *state;
	int rc = chdir(s->home);

	if (nftw(s->work, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		rc = -1;
	free(s);
	return rc;
}

void put_file(const char *name, const void *p, size_t n)
{
	FILE *f = fopen(name, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

char *get_file(const char *name, size_t *n)
{
	FILE *f = fopen(name, "rb");
	struct lu_buf b = { 0 };
	char part[4096];
	size_t got;

	if (!f)
		fail_msg("%s: cannot be opened", name);
	lu_buf_puts(&b, "");
	while ((got = fread(part, 1, sizeof(part), f)) > 0)
		lu_buf_append(&b, part, got);
	assert_int_equal(ferror(f), 0);
	fclose(f);
	assert_true(lu_buf_ok(&b));
	*n = b.n;
	return b.p;
}

char *get_data(const char *name, size_t *n)
{
	const char *src = getenv("LUCIE_SRC");
	char path[2 * PATH_SIZE];

	snprintf(path, sizeof(path), "%s/tests/data/%s", src ? src : start_folder, name);
	return get_file(path, n);
}

void assert_file(const char *name, const char *text)
{
	size_t n;
	char *p = get_file(name, &n);

	assert_string_equal(p, text);
	assert_int_equal(n, strlen(text));
	free(p);
}

void assert_same_files(const char *a, const char *b)
{
	size_t n, m;
	char *p = get_file(a, &n), *q = get_file(b, &m);

	assert_int_equal(n, m);
	assert_memory_equal(p, q, n);
	free(p);
	free(q);
}

int unfinished_in(const char *folder)
{
	DIR *d = opendir(folder);
	int n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		size_t len = strlen(e->d_name);

		n += len > 7 && strcmp(e->d_name + len - 7, ".lu-tmp") == 0;
	}
	closedir(d);
	return n;
}

uint64_t unit_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static size_t encode_zlib(int window, void *to, size_t room, const void *p, size_t n)
{
	z_stream z = { 0 };
	size_t made;

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (z_const Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = to;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	made = room - z.avail_out;
	deflateEnd(&z);
	return made;
}

static size_t encode_zstd(void *to, size_t room, const void *p, size_t n)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t made;

	assert_non_null(c);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	made = ZSTD_compress2(c, to, room, p, n);
	assert_false(ZSTD_isError(made));
	ZSTD_freeCCtx(c);
	return made;
}

static size_t encode_lz4(void *to, size_t room, const void *p, size_t n)
{
	LZ4F_preferences_t how = { 0 };
	size_t made;

	how.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	how.frameInfo.contentSize = n;
	made = LZ4F_compressFrame(to, room, p, n, &how);
	assert_false(LZ4F_isError(made));
	return made;
}

static size_t encode_bzip2(void *to, size_t room, const void *p, size_t n)
{
	unsigned made = (unsigned)room;

	assert_int_equal(BZ2_bzBuffToBuffCompress(
					 to, &made, (char *)(uintptr_t)p, (unsigned)n, 9, 0, 0),
			BZ_OK);
	return made;
}

void encode(struct lu_buf *out, enum unit_coding coding, const void *p, size_t n)
{
	size_t room = n + n / 2 + 4096, made = 0;
	char *to;

	assert_true(lu_buf_reserve(out, room));
	to = out->p + out->n;
	switch (coding) {
	case UNIT_GZIP: made = encode_zlib(15 + 16, to, room, p, n); break;
	case UNIT_ZLIB: made = encode_zlib(15, to, room, p, n); break;
	case UNIT_DEFLATE: made = encode_zlib(-15, to, room, p, n); break;
	case UNIT_ZSTD: made = encode_zstd(to, room, p, n); break;
	case UNIT_LZ4: made = encode_lz4(to, room, p, n); break;
	case UNIT_BZIP2: made = encode_bzip2(to, room, p, n); break;
	case UNIT_BROTLI:
		made = room;
		assert_true(BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, n,
				p, &made, (uint8_t *)to));
		break;
	case UNIT_XZ:
		assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, p, n,
						 (uint8_t *)to, &made, room),
				LZMA_OK);
	}
	out->n += made;
}
