#include "libcommon/import/kind_table.h"

#include <strings.h>

#include "libcommon/entries/csv.h"
#include "libcommon/entries/json_lines.h"
#include "libcommon/entries/json_values.h"
#include "libcommon/entries/mbox.h"
#include "libcommon/entries/parquet_reader.h"
#include "libcommon/entries/text_lines.h"
#include "libcommon/import/utf16_feed.h"
#include "libcommon/office/office_magic.h"
#include "libcommon/wiki/enterprise.h"
#include "libcommon/wiki/mediawiki.h"

/* A file of that name may be anything else. */
static bool json_values(struct lu_str head)
{
	return lu_json_values_look(head) && lu_json_file_look(head);
}

/* clang-format off */
static const struct lu_kind_row rows[] = {
	{ LU_KIND_MEDIAWIKI, "", lu_mediawiki_begins, NULL, NULL, &lu_mediawiki, false, false },
	{ LU_KIND_ENTERPRISE, "", lu_enterprise_begins, NULL, NULL, &lu_enterprise, false, false },
	{ LU_KIND_JSON, "json", NULL, json_values, NULL, &lu_json_values, false, true },
	{ LU_KIND_JSON, "jsonl ndjson jsonlines", NULL, lu_json_values_look, json_values,
			&lu_json_values, false, true },
	{ LU_KIND_JSON, "jsonl ndjson jsonlines", NULL, NULL, lu_json_file_look, &lu_json_lines, false, true },
	{ LU_KIND_JSON, "json", NULL, lu_json_file_look, NULL, &lu_json_lines, false, true },
	{ LU_KIND_CSV, "csv", NULL, NULL, NULL, &lu_csv, false, true },
	{ LU_KIND_TSV, "tsv tab", NULL, NULL, NULL, &lu_tsv, false, true },
	{ LU_KIND_LINES, "", NULL, NULL, NULL, &lu_text_lines, false, false },
	{ LU_KIND_MBOX, "mbox mbx", NULL, NULL, lu_mbox_look, &lu_mbox, false, false },
	{ LU_KIND_MAIL, "eml", NULL, NULL, lu_eml_look, &lu_eml, false, false },
	{ LU_KIND_PARQUET, "parquet", lu_parquet_is, NULL, NULL, &lu_parquet, true, true },
	{ LU_KIND_NOTEBOOK, "ipynb", NULL, NULL, NULL, NULL, false, false },
	{ LU_KIND_DOCX, "docx docm dotx dotm", lu_is_docx, lu_looks_zip, NULL, NULL, true, false },
	{ LU_KIND_ODT, "odt ott odm", lu_is_odt, lu_looks_zip, NULL, NULL, true, false },
	{ LU_KIND_ODT, "fodt", lu_is_fodt, lu_is_fodt, NULL, NULL, false, false },
	{ LU_KIND_EPUB, "epub", lu_is_epub, lu_looks_zip, NULL, NULL, true, false },
	{ LU_KIND_PDF, "pdf", lu_is_pdf, lu_looks_pdf, NULL, NULL, true, false },
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool has_word(const char *words, struct lu_str word)
{
	while (*words) {
		size_t n = strcspn(words, " ");

		if (n == word.n && strncasecmp(words, word.p, n) == 0)
			return true;
		words += n + (words[n] == ' ');
	}
	return false;
}

static bool fits(const struct lu_kind_row *row, struct lu_str head)
{
	return !row->fits || row->fits(head);
}

static const struct lu_kind_row *find_row(enum lu_kind kind, struct lu_str path, struct lu_str head)
{
	struct lu_str e = lu_extension_of(path);
	const char *lang;

	for (size_t i = 0; i < ROWS; i++) {
		if (kind != LU_KIND_AUTO ? rows[i].kind == kind && fits(&rows[i], head)
					 : rows[i].magic && rows[i].magic(head))
			return &rows[i];
	}
	if (kind != LU_KIND_AUTO)
		return NULL;
	for (size_t i = 0; i < ROWS; i++) {
		if (e.n && has_word(rows[i].extensions, e) && fits(&rows[i], head))
			return &rows[i];
	}
	if (lu_kind_of(path, head, &lang) != LU_KIND_AUTO)
		return NULL;
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].looks && rows[i].looks(head))
			return &rows[i];
	}
	return NULL;
}

const struct lu_kind_row *lu_kind_row(enum lu_kind kind, struct lu_str path, struct lu_str head)
{
	const struct lu_kind_row *row;
	struct lu_buf text = { 0 };

	if (!lu_is_utf16(head))
		return find_row(kind, path, head);
	lu_utf16_to_utf8(head, &text);
	row = find_row(kind, path, lu_buf_slice(&text));
	lu_buf_release(&text);
	return row;
}

bool lu_kind_has_records(enum lu_kind kind)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].kind == kind)
			return rows[i].records;
	}
	return false;
}
