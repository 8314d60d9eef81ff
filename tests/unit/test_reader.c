/* The shard reader: sizes beyond 32 bits, shards of other writers, damaged and incomplete ones. */
#include "tests/unit/make_shard.h"
#include "tests/unit/refuse_mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/format.h"

static void put_at(const char *name, uint64_t size, uint64_t at, const void *p, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0666);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, p, n, (off_t)at), n);
	assert_int_equal(close(fd), 0);
}

static void put_index(const char *name, unsigned type, const uint32_t *length, size_t n)
{
	unsigned width = lu_idx_width(type);
	struct lu_buf b = { 0 };
	char word[8];
	uint64_t at = 0;

	lu_buf_append(&b, LU_IDX_MAGIC, LU_IDX_MAGIC_SIZE);
	lu_store64(word, 1);
	lu_buf_append(&b, word, 8);
	lu_buf_putc(&b, (char)type);
	lu_store64(word, n);
	lu_buf_append(&b, word, 8);
	lu_store64(word, n + 1);
	lu_buf_append(&b, word, 8);
	for (size_t i = 0; i < n; i++) {
		lu_store32(word, length[i]);
		lu_buf_append(&b, word, 4);
	}
	for (size_t i = 0; i < n; i++) {
		lu_store64(word, at);
		lu_buf_append(&b, word, 8);
		at += (uint64_t)length[i] * width;
	}
	for (size_t i = 0; i <= n; i++) {
		lu_store64(word, i);
		lu_buf_append(&b, word, 8);
	}
	assert_true(lu_buf_ok(&b));
	put_file(name, b.p, b.n);
	lu_buf_release(&b);
}

/* Rewrite an index of n sequences as one of a single document. */
static void join_sequences(const char *name, uint64_t n)
{
	size_t size, end = LU_IDX_HEADER + 12 * n;
	char *p = get_file(name, &size);

	assert_true(size >= end + 16);
	lu_store64(p + LU_IDX_AT_BOUNDS, 2);
	lu_store64(p + end, 0);
	lu_store64(p + end + 8, n);
	put_file(name, p, end + 16);
	free(p);
}

/* A document of more than 2^32 tokens, of several sequences, which are at most 2^31 - 1 long. */
static void test_large_document(void **state)
{
	static const uint32_t length[] = { INT32_MAX, 5, INT32_MAX, 9 };
	const uint64_t tokens = 2 * (uint64_t)INT32_MAX + 14;
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t first, n;
	uint32_t got[9];
	char id[2];

	(void)state;
	lu_store16(id, 777);
	put_at("one.bin", tokens * 2, (tokens - 8) * 2, id, 2);
	put_index("one.idx", LU_IDX_TYPE_U16, length, 4);
	join_sequences("one.idx", 4);
	ok(lu_shard_open(&s, "one", &err), &err);
	assert_int_equal(lu_shard_documents(s), 1);
	assert_int_equal(lu_shard_sequences(s), 4);
	assert_int_equal(lu_shard_tokens(s), tokens);
	ok(lu_shard_document(s, 0, &first, &n, &err), &err);
	assert_int_equal(first, 0);
	assert_int_equal(n, tokens);
	ok(lu_shard_document_size(s, 0, &n, &err), &err);
	assert_int_equal(n, tokens);
	read_tokens(s, tokens - 9, 9, got);
	for (int i = 0; i < 9; i++)
		assert_int_equal(got[i], i == 1 ? 777 : 0);
	assert_int_equal(document_at(s, tokens - 1), 0);
	lu_shard_close(s);
	unlink("one.bin");
}

/* More than 2^31 tokens and 2^32 bytes, in a sparse file. */
static void test_large(void **state)
{
	static const uint32_t length[] = { INT32_MAX, INT32_MAX, 5, INT32_MAX };
	const uint64_t third = 2 * (uint64_t)INT32_MAX, tokens = 3 * (uint64_t)INT32_MAX + 5;
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t first, n;
	uint32_t got[9];
	char ids[28];

	(void)state;
	/* The last token of document 1, the five of document 2, the first of document 3. */
	for (uint32_t i = 0; i < 7; i++)
		lu_store32(ids + 4 * i, 70001 + i);
	put_at("large.bin", tokens * 4, (third - 1) * 4, ids, sizeof(ids));
	put_index("large.idx", LU_IDX_TYPE_I32, length, 4);
	ok(lu_shard_open(&s, "large", &err), &err);
	assert_int_equal(lu_shard_tokens(s), tokens);
	ok(lu_shard_document(s, 2, &first, &n, &err), &err);
	assert_int_equal(first, third);
	assert_int_equal(n, 5);
	read_tokens(s, third - 2, 9, got);
	assert_int_equal(got[0], 0);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(got[1 + i], 70001 + i);
	assert_int_equal(got[8], 0);
	assert_int_equal(document_at(s, third - 1), 1);
	assert_int_equal(document_at(s, third), 2);
	assert_int_equal(document_at(s, third + 5), 3);
	assert_int_equal(document_at(s, tokens - 1), 3);
	lu_shard_close(s);
	/* A .bin 2^32 bytes longer or shorter has the same size modulo 2^32. */
	assert_int_equal(truncate("large.bin", (off_t)(tokens * 4 - ((uint64_t)1 << 32))), 0);
	assert_int_equal(lu_shard_open(&s, "large", &err), -1);
	assert_int_equal(truncate("large.bin", (off_t)(tokens * 4 + ((uint64_t)1 << 32))), 0);
	assert_int_equal(lu_shard_open(&s, "large", &err), -1);
	unlink("large.bin");
}

static void refused(const char *prefix, const char *words)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };

	if (lu_shard_open(&s, prefix, &err) == 0)
		fail_msg("%s opens, expected: %s", prefix, words);
	if (!strstr(err.msg, words))
		fail_msg("expected '%s', got: %s", words, err.msg);
}

static void test_bad_index(void **state)
{
	static const struct {
		size_t at;
		unsigned char to;
		const char *words;
	} edit[] = {
		{ 0, 'm', "not a Megatron index" },
		{ 8, 1, "not a Megatron index" },
		{ 9, 2, "version 2 is not supported" },
		{ 16, 1, "version 72057594037927937 is not supported" },
		{ 17, 1, "(uint8) are not supported" },
		{ 17, 6, "(float64) are not supported" },
		{ 17, 7, "(float32) are not supported" },
		{ 17, 99, "(unknown) are not supported" },
		{ 17, 4, "ends after the end of the .bin file" },
		{ 18, 4, "does not fit its counts" },
		{ 25, 0x80, "does not fit its counts" },
		{ 25, 0x20, "does not fit its counts" },
		{ 26, 3, "does not fit its counts" },
		{ 26, 0, "does not fit its counts" },
		{ 33, 0x20, "does not fit its counts" },
		{ 34, 4, "starts at byte 6, not at 8" },
		{ 37, 0x80, "negative length" },
		{ 42, 1, "accounts for 8 bytes, the .bin file has 10" },
		{ 46, 2, "starts at byte 2, not at 0" },
		{ 54, 8, "starts at byte 8, not at 6" },
		{ 61, 0x80, "not at 6" },
		{ 70, 1, "boundary 0 of the documents" },
		{ 78, 9, "boundary 1 of the documents" },
		{ 86, 0, "boundary 2 of the documents" },
		{ 94, 2, "the last document ends at sequence 2 of 3" },
	};
	static const uint32_t length[] = { 3, 0, 2 };
	static const char bin[10];
	size_t n;
	char *good;
	struct lu_shard *s;
	struct lu_err err = { 0 };

	(void)state;
	put_file("bad.bin", bin, sizeof(bin));
	put_index("bad.idx", LU_IDX_TYPE_U16, length, 3);
	good = get_file("bad.idx", &n);
	assert_int_equal(n, 34 + 3 * 12 + 4 * 8);
	for (size_t i = 0; i < sizeof(edit) / sizeof(edit[0]); i++) {
		char was = good[edit[i].at];

		good[edit[i].at] = (char)edit[i].to;
		put_file("bad.idx", good, n);
		refused("bad", edit[i].words);
		good[edit[i].at] = was;
	}
	for (size_t k = 0; k < n; k++) {
		put_file("bad.idx", good, k);
		refused("bad", "bad.idx: ");
	}
	put_file("bad.idx", good, n);
	ok(lu_shard_open(&s, "bad", &err), &err);
	lu_shard_close(s);
	for (size_t k = 0; k < sizeof(bin); k++) {
		put_file("bad.bin", bin, k);
		refused("bad", "bad.idx: ");
	}
	free(good);
	unlink("bad.bin");
	refused("bad", "bad.bin: No such file");
	refused("none", "none.idx is missing");
	/* Modes, one byte a sequence, are ignored. */
	put_file("bad.bin", bin, sizeof(bin));
	put_at("bad.idx", n + 3, n, "\0\0\0", 3);
	ok(lu_shard_open(&s, "bad", &err), &err);
	assert_int_equal(lu_shard_documents(s), 3);
	lu_shard_close(s);
	put_at("bad.idx", n + 2, n, "\0\0", 2);
	refused("bad", "does not fit its counts");
}

/* Several sequences a document, as other writers do. */
static void test_sequences(void **state)
{
	static const uint32_t length[] = { 3, 4, 2 };
	static const char bin[18];
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t first, n;
	size_t size;
	char *idx;

	(void)state;
	put_file("seq.bin", bin, sizeof(bin));
	put_index("seq.idx", LU_IDX_TYPE_U16, length, 3);
	/* Two documents, of sequences 0-1 and 2. */
	idx = get_file("seq.idx", &size);
	idx[26] = 3;
	idx[34 + 36 + 8] = 2;
	idx[34 + 36 + 16] = 3;
	put_file("seq.idx", idx, size - 8);
	free(idx);
	ok(lu_shard_open(&s, "seq", &err), &err);
	assert_int_equal(lu_shard_documents(s), 2);
	ok(lu_shard_document(s, 0, &first, &n, &err), &err);
	assert_int_equal(first, 0);
	assert_int_equal(n, 7);
	ok(lu_shard_document(s, 1, &first, &n, &err), &err);
	assert_int_equal(first, 7);
	assert_int_equal(n, 2);
	assert_int_equal(document_at(s, 6), 0);
	assert_int_equal(document_at(s, 7), 1);
	lu_shard_close(s);
}

static void test_unfinished(void **state)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };
	size_t n;
	char *text;

	(void)state;
	make_shard("part", shard_format(100, 0), 9);
	text = get_file("part.json", &n);
	unlink("part.json");
	refused("part", "part: has a ledger but no manifest");
	/* Without the ledger it is a shard of another writer. */
	unlink("part.docs.jsonl.zst");
	ok(lu_shard_open(&s, "part", &err), &err);
	assert_null(lu_shard_manifest(s));
	lu_shard_close(s);
	/* The manifest of another shard. */
	put_file("part.json", text, n);
	free(text);
	make_shard("other", shard_format(100, 0), 10);
	text = get_file("other.json", &n);
	put_file("part.json", text, n);
	free(text);
	refused("part", "bytes, the manifest says");
	/* A split shard. */
	make_shard("cut", shard_format(100, 5), 20);
	unlink("cut-00002.idx");
	refused("cut", "cut-00002.idx: No such file");
	unlink("cut.json");
	refused("cut", "cut: has a ledger but no manifest");
}

/* A shard that is opened by trust, or whose files cannot be mapped, is the same. */
static void test_other_ways(void **state)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint32_t *ids = malloc(20000 * sizeof(*ids)), *want = malloc(20000 * sizeof(*want));

	(void)state;
	assert_true(ids && want);
	for (int way = 1; way < 8; way++) {
		/* Whole and split; 2 bytes an id and 4; some lookups cross chunks of 4096. */
		make_shard("way", shard_format(way & 4 ? 100000 : 100, way & 4 ? 700 : 0), 5000);
		ok(lu_shard_open(&s, "way", &err), &err);
		read_tokens(s, 0, 14000, want);
		lu_shard_close(s);
		refuse_mmap(way & 1 ? ENODEV : 0);
		ok((way & 2 ? lu_shard_open_trusted : lu_shard_open)(&s, "way", &err), &err);
		check_shard(s, 5000, way & 4 ? 100000 : 100);
		read_tokens(s, 0, 14000, ids);
		assert_memory_equal(ids, want, 14000 * sizeof(*ids));
		lu_shard_close(s);
		refuse_mmap(0);
		unlink("way.json");
	}
	free(ids);
	free(want);
}

/* What only reading the whole index finds is not found by trust; a look-up of it fails. */
static void try_all(const struct lu_shard *s)
{
	uint64_t first, n, i;
	struct lu_err err = { 0 };
	uint32_t id;

	for (i = 0; i < lu_shard_documents(s); i++) {
		err.msg[0] = '\0';
		if (lu_shard_document_size(s, i, &n, &err) < 0)
			assert_non_null(strstr(err.msg, "lucie-check"));
		if (lu_shard_document(s, i, &first, &n, &err) < 0) {
			assert_non_null(strstr(err.msg, "trust.idx: "));
			continue;
		}
		assert_true(first <= lu_shard_tokens(s) && n <= lu_shard_tokens(s) - first);
		if (n)
			ok(lu_shard_read(s, first, 1, &id, &err), &err);
	}
	for (uint64_t pos = 0; pos < lu_shard_tokens(s); pos++) {
		if (lu_shard_document_at(s, pos, &i, &err) < 0)
			continue;
		ok(lu_shard_document(s, i, &first, &n, &err), &err);
		assert_true(first <= pos && pos - first < n);
	}
}

static void test_trusted_damage(void **state)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };
	uint64_t first, n, opened = 0;
	size_t size;
	char *idx;

	(void)state;
	make_shard("trust", shard_format(100, 0), 20);
	idx = get_file("trust.idx", &size);
	for (size_t at = 0; at < size; at++) {
		for (int bit = 0; bit < 8; bit++) {
			idx[at] ^= (char)(1 << bit);
			put_file("trust.idx", idx, size);
			assert_int_equal(lu_shard_open(&s, "trust", &err), -1);
			if (lu_shard_open_trusted(&s, "trust", &err) == 0) {
				opened++;
				try_all(s);
				lu_shard_close(s);
			} else {
				assert_non_null(strstr(err.msg, "trust"));
			}
			idx[at] ^= (char)(1 << bit);
		}
	}
	/* All but the header, the first and last boundary, and the last sequence. */
	assert_in_range(opened, 8 * (size - 34 - 30), 8 * size);
	/* The length of document 5 is read by each look-up that needs it. */
	idx[34 + 4 * 5]++;
	put_file("trust.idx", idx, size);
	free(idx);
	ok(lu_shard_open_trusted(&s, "trust", &err), &err);
	ok(lu_shard_document(s, 4, &first, &n, &err), &err);
	assert_int_equal(lu_shard_document(s, 5, &first, &n, &err), -1);
	assert_string_equal(err.msg,
			"trust.idx: what it says of document 5 is no place in the .bin file; "
			"lucie-check tells what is damaged");
	lu_shard_close(s);
	/* A shard of another writer is read whole in any case. */
	unlink("trust.json");
	unlink("trust.docs.jsonl.zst");
	assert_int_equal(lu_shard_open_trusted(&s, "trust", &err), -1);
	assert_non_null(strstr(err.msg, "starts at byte"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_large_document),
		cmocka_unit_test(test_bad_index),
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_other_ways),
		cmocka_unit_test(test_trusted_damage),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
