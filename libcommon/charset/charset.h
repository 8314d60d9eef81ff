#ifndef LUCIE_CHARSET_CHARSET_H
#define LUCIE_CHARSET_CHARSET_H
/*
 * Conversion of foreign bytes to UTF-8, by the WHATWG Encoding Standard.
 *
 *	const struct lu_charset how = { .fallback = "windows-1252" };	shared by all threads
 *	struct lu_charset_work work = { 0 };				one for each thread
 *	struct lu_charset_in in = { .bytes = page, .transport = of_http, .html = true };
 *
 *	lu_charset_convert(&how, &work, &in, &result, &err);
 *	lu_charset_work_release(&work);
 *
 * The encoding is, in this order,
 *   - that of the byte order mark of UTF-8 or UTF-16, which is removed;
 *   - UTF-8, if the bytes are valid in it, not all ASCII, and the one that is named has single bytes,
 *     or they have 10 characters or more beyond ASCII: text in another encoding is not valid by
 *     chance, while servers and templates name a wrong one often enough;
 *   - the one that the transport names (the header of an HTTP response, of a mail);
 *   - the one that the document names: prescan.h, `declared`;
 *   - if none is named, UTF-8 where the bytes are valid, or have 10 multi-byte characters for each
 *     error; then the user's fallback; then, if it is to be guessed, what charset_guess.h finds.
 * A label that neither the standard nor iconv knows names nothing. An unknown label of iconv's is
 * taken by the name, unless it is a form of UTF-7 or of wide characters.
 *
 * What is ill-formed becomes U+FFFD, one for each error of the standard, and is counted. A text with
 * more than 16 errors, and more than one in ten bytes, is refused: it is not in that encoding.
 */
#include "libcommon/charset/charset_decode.h"
#include "libcommon/charset/prescan.h"

/* Source of the charset. */
enum lu_charset_how {
	LU_CHARSET_UTF8,     /* the bytes: UTF-8 */
	LU_CHARSET_MARK,     /* the byte order mark of UTF-16 */
	LU_CHARSET_DECLARED, /* the transport or the document */
	LU_CHARSET_FALLBACK, /* the user */
	LU_CHARSET_GUESSED,  /* statistics */
};

struct lu_charset {
	const char *fallback; /* where nothing is named: a label, or a name of iconv; NULL: none */
	bool guess;	      /* then by statistics */
	bool strict;	      /* refuse a text with errors */
};

struct lu_charset_work {
	struct lu_charset_index index;
	struct lu_buf text, scratch;
};
void lu_charset_work_release(struct lu_charset_work *w);

struct lu_charset_in {
	struct lu_str bytes;
	struct lu_str transport; /* label; .p NULL: none */
	struct lu_str declared;	 /* label that the caller found in the bytes; .p NULL: none */
	bool html;		 /* look for a label as a browser does */
};

struct lu_charset_result {
	struct lu_str text; /* valid UTF-8: a slice of the bytes, or of `work` until its next use */
	const char *name;   /* of the encoding */
	enum lu_charset_how how;
	uint64_t errors;    /* U+FFFD put in */
	const char *reason; /* where it is refused */
};

/* 1: converted; 0: refused, and result->reason says why:
 *   "not text"			the bytes have NULs, of UTF-32 or of UTF-16 that nothing names
 *   "ill-formed in its charset"	too many errors, or one if that is not allowed
 *   "not valid in its charset"	nothing is named, the bytes are not UTF-8, and no guess is sure
 *   "charset not decoded"	one that the standard replaces by an error (iso-2022-kr, hz-gb-2312)
 * -1: out of memory, or iconv lacks a charset that the standard has.
 * Where the fallback is a form of UTF-16 or UTF-32, it comes first for bytes with NULs, which no text
 * in UTF-8 has. */
int lu_charset_convert(const struct lu_charset *how, struct lu_charset_work *w,
		const struct lu_charset_in *in, struct lu_charset_result *result,
		struct lu_err *err) LU_CHECKED;

/* The same for a text now and then, without further wishes: `declared` (.p NULL: none) is a label,
 * `fallback` may be NULL, *out is a slice of `in` or of `store`. 1, 0, -1 as above. */
int lu_charset_utf8(struct lu_str in, struct lu_str declared, const char *fallback,
		struct lu_buf *store, struct lu_str *out, enum lu_charset_how *how,
		struct lu_err *err) LU_CHECKED;

/* Guess the charset of a text whose lines or rows are converted one by one, since each alone says too
 * little: *name is a constant for `fallback`, or NULL: the text is valid UTF-8, has wide characters, or
 * no guess is sure. 0, -1. */
int lu_charset_of_rows(struct lu_str rows, const char **name, struct lu_err *err) LU_CHECKED;

/* True for text of wide characters, by its NULs: more than one among 32 bytes, in a page, which begins
 * with the byte '<', one among 4. Fewer are accidents; the parser of pages passes over them. */
bool lu_charset_is_wide(struct lu_str s);
/* True if the first bytes, after blanks, are '<' and no NUL: no text of wide characters begins so. */
bool lu_charset_begins_page(struct lu_str s);

/* True for a label of the standard, but for those that it does not decode, and for what this
 * machine's iconv knows. */
bool lu_charset_known(const char *name);

#endif
