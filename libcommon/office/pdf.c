#include "libcommon/office/pdf.h"

#include <ctype.h>
#include <strings.h>
#include <sys/wait.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/office/pdf_columns.h"
#include "libcommon/office/pdf_heads.h"
#include "libcommon/office/pdf_layout.h"
#include "libcommon/office/pdf_reflow.h"
#include "libcommon/office/pdf_tables.h"
#include "libcommon/sys/run_program.h"
#include "libcommon/text/repair.h"

/* A machine under load may take longer than the computing. */
#define WALL_SECONDS (10 * LU_PDF_SECONDS)

static int take(void *ctx, const char *p, size_t n, struct lu_err *err)
{
	return lu_pdf_layout_take(ctx, p, n, err);
}

static bool contains(struct lu_str s, const char *word)
{
	return s.n && memmem(s.p, s.n, word, strlen(word));
}

/* The reason that pdftotext, which ended so, gave no text. */
static const char *why(struct lu_str bytes, int status)
{
	/* 1: "error opening a PDF file", 3: "error related to PDF permissions" (pdftotext(1)). */
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 1 && WEXITSTATUS(status) != 3))
		return "pdftotext failed";
	return contains(bytes, "/Encrypt") ? "encrypted" : "damaged";
}

static int read_layout(int nowhere, struct lu_str bytes, struct lu_pdf_layout *l,
		const char **reason, struct lu_err *err)
{
	/* bbox-layout: words with their places, blocks in reading order. */
	static const char *const command[] = { "pdftotext", "-q", "-bbox-layout", "-enc", "UTF-8",
		"/dev/stdin", "-", NULL };
	struct lu_program p = { .argv = command,
		.package = "poppler-utils",
		.nowhere = nowhere,
		.input = bytes,
		.limits = { WALL_SECONDS, LU_PDF_SECONDS, LU_PDF_MEMORY },
		.take = take,
		.ctx = l };
	int status = 0, rc = lu_program_run(&p, &status, err);

	if (rc == 0)
		rc = lu_pdf_layout_end(l, err);
	if (rc < 0)
		return -1;
	if (rc == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && l->complete)
		return 0;
	*reason = rc > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "too large"
									       : why(bytes, status);
	return 1;
}

/* "2022-04-29T17:19:08Z" */
static bool is_date(struct lu_str s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";

	if (s.n < sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		if (form[i] == 'd' ? !isdigit((unsigned char)s.p[i]) : s.p[i] != form[i])
			return false;
	}
	return true;
}

/* Many programs write the name of a file, or their own word for none, as title. */
static bool is_title(struct lu_str s)
{
	static const char *const endings[] = { ".doc", ".docx", ".dvi", ".tex", ".indd", ".qxd",
		".odt", ".rtf", ".pdf", ".ps", ".ppt", ".pptx", "untitled", "sans titre" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t n = strlen(endings[i]);

		if (s.n >= n && strncasecmp(s.p + s.n - n, endings[i], n) == 0)
			return false;
	}
	return !lu_str_only(s, " ");
}

/* ISO 32000-1, 7.5.5: the last line is %%EOF; readers look for it in the last kilobyte. */
static bool has_end(struct lu_str bytes)
{
	size_t n = bytes.n < 1024 ? bytes.n : 1024;

	return contains((struct lu_str){ bytes.p + bytes.n - n, n }, "%%EOF");
}

static void put_members(struct lu_str bytes, const struct lu_pdf_layout *l,
		const struct lu_pdf_offsets *pages, struct lu_office *o)
{
	if (is_title(lu_buf_slice(&l->title)))
		lu_buf_str(&o->title, lu_buf_slice(&l->title));
	if (is_date(lu_buf_slice(&l->date)))
		lu_buf_str(&o->date, lu_buf_slice(&l->date));
	if (!lu_str_only(lu_buf_slice(&l->author), " "))
		lu_json_put_str(&o->more, "author", lu_buf_slice(&l->author));
	o->cut = !has_end(bytes);
	lu_json_open_array(&o->more, "pages");
	for (size_t i = 0; i < pages->n; i++)
		lu_json_put_u64(&o->more, NULL, pages->p[i]);
	lu_json_close_array(&o->more);
}

/* The lines of the pages to text, and the offsets of the pages. */
static int make_text(struct lu_pdf_layout *l, bool whole, struct lu_buf *text,
		struct lu_pdf_offsets *pages, struct lu_err *err)
{
	const struct lu_repair how = {
		.ligatures = true, .accents = true, .hyphens = true, .soft_hyphens = true
	};
	struct lu_repair_counts n = { 0 };
	struct lu_buf marked = { 0 }, repaired = { 0 };
	int rc = -1;

	if (!whole && lu_pdf_mark_heads(l, err) < 0)
		goto out;
	if (lu_pdf_order_columns(l, err) < 0 || lu_pdf_find_tables(l, err) < 0)
		goto out;
	if (lu_pdf_reflow(l, &marked, err) < 0)
		goto out;
	if (lu_repair(&how, lu_buf_slice(&marked), &repaired, &n, err) < 0)
		goto out;
	rc = lu_pdf_join(lu_buf_slice(&repaired), l->pages.n, text, pages, err);
out:
	lu_buf_release(&marked);
	lu_buf_release(&repaired);
	return rc;
}

int lu_pdf_text(int nowhere, struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err)
{
	struct lu_pdf_layout l = { .limit = limit };
	struct lu_pdf_offsets pages = { 0 };
	int rc = read_layout(nowhere, bytes, &l, reason, err);

	if (rc == 0 && l.lines.n == 0) {
		*reason = "no text layer";
		rc = 1;
	}
	if (rc == 0)
		rc = make_text(&l, whole, &o->text, &pages, err);
	if (rc == 0) {
		put_members(bytes, &l, &pages, o);
		rc = lu_office_check(o, err);
	}
	lu_pdf_layout_release(&l);
	lu_vec_release(&pages);
	return rc;
}
