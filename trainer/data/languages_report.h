#ifndef LUCIE_TRAINER_DATA_LANGUAGES_REPORT_H
#define LUCIE_TRAINER_DATA_LANGUAGES_REPORT_H
/*
 * Reports of the loss by language (languages.h), after lt_languages_finish(): a row for each
 * language and one for all. A mean of nothing, such as bits per byte without bytes, is "-" in the
 * table and null in JSON. The means of the unigram model are reported where it was asked for.
 */
#include "trainer/data/languages.h"

/* head: of the column of names, "language" or "source". */
int lt_languages_table(const struct lt_languages *l, const char *head, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;
/* Append the member `key`, an object with a member for each name, to the object that is open; and the
 * member "all". */
void lt_languages_json(const struct lt_languages *l, const char *key, struct lu_buf *out);
void lt_languages_json_all(const struct lt_languages *l, struct lu_buf *out);

#endif
