#ifndef LUCIE_TEXT_REPAIR_STEPS_H
#define LUCIE_TEXT_REPAIR_STEPS_H
/*
 * The steps of repair.h. Each appends the repaired text to `out` and adds the number of changes to
 * *n; `out` is a copy of the text if there are none. -1: out of memory.
 */
#include "libcommon/text/repair_words.h"

int lu_repair_ligatures(const struct lu_doc_words *words, struct lu_str in, struct lu_buf *out,
		uint64_t *n, struct lu_err *err) LU_CHECKED;
int lu_repair_accents(
		struct lu_str in, struct lu_buf *out, uint64_t *n, struct lu_err *err) LU_CHECKED;
int lu_repair_hyphens(const struct lu_doc_words *words, struct lu_str in, struct lu_buf *out,
		uint64_t *n, struct lu_err *err) LU_CHECKED;
int lu_repair_soft_hyphens(
		struct lu_str in, struct lu_buf *out, uint64_t *n, struct lu_err *err) LU_CHECKED;
int lu_repair_page_numbers(
		struct lu_str in, struct lu_buf *out, uint64_t *n, struct lu_err *err) LU_CHECKED;

/* Pass over blanks, tabs and CR. */
const char *lu_repair_skip_blanks(const char *p, const char *end);
/* The character before p, which is behind `start`; 0 at the start. */
uint32_t lu_repair_before(const char *start, const char *p);
/* The letters that end at p, and those that begin there. */
struct lu_str lu_repair_word_before(const char *start, const char *p);
struct lu_str lu_repair_word_after(const char *p, const char *end);
/* Where the line that p is behind the last letter of ends: the first character of the next line, blanks
 * passed over; *broke is where the line ends. NULL if something else comes before the line end, or the
 * line is blank. */
const char *lu_repair_next_line(const char *p, const char *end, const char **broke);

#endif
