#ifndef LUCIE_BPETRAIN_COUNT_FILE_H
#define LUCIE_BPETRAIN_COUNT_FILE_H
/*
 * Reads count files (lucie-counts(5)): the words of some documents, by language, which another
 * process has counted.
 *
 *	struct lu_count_file f;
 *	if (lu_count_file_open(&f, "fr-00003.counts", &err) < 0) ...
 *	struct lu_word_source s;
 *	lu_count_file_source(&f, part, room, &s, &err);		as of a run (word_run.h)
 *	lu_count_file_verify(&f, &err);				or: reads and checks everything
 *	lu_count_file_close(&f);
 *
 * Opening reads and checks what the file says of itself. A part is checked while it is read, so an
 * error in it comes up at its end at the latest: nothing may be made of the words before. Words are
 * numbered by language as in f.lang, whose names are sorted.
 */
#include "libcommon/bpetrain/lang_names.h"
#include "libcommon/bpetrain/word_run.h"

#define LU_COUNT_MAGIC "lucieCNT"
#define LU_COUNT_END "CNTlucie"
#define LU_COUNT_VERSION 1
#define LU_COUNT_HEADER 16
#define LU_COUNT_TRAILER 32

struct lu_count_file {
	char *path;
	int fd;
	char *settings;		   /* how the text was split into words, as options */
	uint64_t documents, bytes; /* that were counted; bytes of their records */
	uint64_t records;	   /* pairs of word and language */
	struct lu_lang_names lang;
	uint64_t *chars; /* of all words, by language */
	struct lu_word_run run;
	struct lu_word_check check[LU_WORD_PARTS];
};

int lu_count_file_open(struct lu_count_file *f, const char *path, struct lu_err *err) LU_CHECKED;
void lu_count_file_close(struct lu_count_file *f); /* { .fd = -1 } is fine */

int lu_count_file_source(const struct lu_count_file *f, size_t part, size_t room,
		struct lu_word_source *s, struct lu_err *err) LU_CHECKED;
int lu_count_file_verify(const struct lu_count_file *f, struct lu_err *err) LU_CHECKED;

#endif
