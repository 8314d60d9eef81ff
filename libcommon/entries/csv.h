#ifndef LUCIE_ENTRIES_CSV_H
#define LUCIE_ENTRIES_CSV_H
/*
 * Rows of CSV and TSV as entries: RFC 4180, with what spreadsheets and csv modules write besides.
 *
 * A row is a line; a field that begins with a quote may hold delimiters, line ends and doubled quotes.
 * A quote elsewhere is an ordinary character. Lines end with "\n" or "\r\n"; a byte order mark and
 * blank lines are passed over. The delimiter is the tab for TSV; for CSV it is that of comma,
 * semicolon, tab and vertical bar which the first rows have equally often, or else the first one most
 * often, unless --delimiter names it.
 *
 * The first row names the columns, unless --no-header: then they are called "1", "2" ... An empty name
 * is the number of its column, a repeated one has "_" and that number behind it. A row becomes a record
 * with a string for each field, null for one that is empty and not quoted; lang_score becomes a number. The entry is
 * named by the number of the row, from 1.
 *
 * A row with more or fewer fields than the first is bad. So is one with a quote that is not closed
 * before the end of the file or within the limit of an entry: it is taken for the one line it begins on,
 * and reading goes on at the next; after LU_CSV_UNCLOSED of these it ends.
 */
#include "libcommon/entries/entries.h"

#define LU_CSV_UNCLOSED 16
/* The most that the row of names may have; each block carries it. */
#define LU_CSV_HEADER_MAX ((size_t)64 << 10)

extern const struct lu_entries_type lu_csv, lu_tsv;

#endif
