#include "libcommon/office/office_magic.h"

/* Where the name of the first member of a zip archive stands, its content behind it. */
#define FIRST_NAME 30

static bool begins(struct lu_str s, size_t at, const char *with)
{
	size_t n = strlen(with);

	return s.n >= at + n && memcmp(s.p + at, with, n) == 0;
}

static bool contains(struct lu_str s, const char *what)
{
	return s.n && memmem(s.p, s.n, what, strlen(what));
}

bool lu_looks_zip(struct lu_str head)
{
	return begins(head, 0, "PK\3\4");
}

bool lu_is_docx(struct lu_str head)
{
	return lu_looks_zip(head) &&
			(begins(head, FIRST_NAME, "[Content_Types].xml") ||
					begins(head, FIRST_NAME, "_rels/") ||
					begins(head, FIRST_NAME, "docProps/") ||
					begins(head, FIRST_NAME, "word/")) &&
			contains(head, "word/");
}

bool lu_is_odt(struct lu_str head)
{
	return lu_looks_zip(head) &&
			begins(head, FIRST_NAME, "mimetypeapplication/vnd.oasis.opendocument.text");
}

bool lu_is_epub(struct lu_str head)
{
	return lu_looks_zip(head) && begins(head, FIRST_NAME, "mimetypeapplication/epub+zip");
}

bool lu_is_fodt(struct lu_str head)
{
	return contains(head, "<office:document ") &&
			contains(head, "urn:oasis:names:tc:opendocument:xmlns:office:1.0") &&
			contains(head, "application/vnd.oasis.opendocument.text");
}

bool lu_is_pdf(struct lu_str head)
{
	return begins(head, 0, "%PDF-");
}

bool lu_looks_pdf(struct lu_str head)
{
	return contains((struct lu_str){ head.p, head.n < 1024 ? head.n : 1024 }, "%PDF-");
}
