#include "libcommon/report/markup.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "libcommon/io/json.h"

#define MAX_SHORT 160 /* bytes of a line that is not wrapped */

void lu_markup_escape(struct lu_buf *b, struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		switch (c) {
		case '&': lu_buf_puts(b, "&amp;"); break;
		case '<': lu_buf_puts(b, "&lt;"); break;
		case '>': lu_buf_puts(b, "&gt;"); break;
		case '"': lu_buf_puts(b, "&quot;"); break;
		case '\'': lu_buf_puts(b, "&#39;"); break;
		default:
			if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
				lu_buf_puts(b, "\xEF\xBF\xBD");
			else
				lu_buf_putc(b, (char)c);
		}
	}
}

/* Append a number with a narrow space between groups of three digits before the point. */
static void put_groups(struct lu_buf *b, const char *number)
{
	size_t digits = strspn(number + (*number == '-'), "0123456789");

	if (*number == '-')
		lu_buf_putc(b, *number++);
	for (size_t i = 0; i < digits; i++) {
		if (i > 0 && (digits - i) % 3 == 0)
			lu_buf_puts(b, "\xE2\x80\xAF");
		lu_buf_putc(b, number[i]);
	}
	lu_buf_puts(b, number + digits);
}

void lu_markup_u64(struct lu_buf *b, uint64_t v)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, v);
	put_groups(b, digits);
}

void lu_markup_fixed(struct lu_buf *b, double v, int decimals)
{
	char number[400];

	snprintf(number, sizeof(number), "%.*f", decimals, v);
	put_groups(b, isfinite(v) ? number : "-");
}

void lu_markup_heading(struct lu_buf *b, const char *text)
{
	lu_buf_puts(b, "<h2>");
	lu_markup_escape(b, lu_str_of(text));
	lu_buf_puts(b, "</h2>\n");
}

/* True if no line is longer than a table for the terminal. */
static bool has_short_lines(struct lu_str text)
{
	const char *end = text.p + text.n, *next;

	for (const char *p = text.p; p < end; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (!next)
			next = end;
		if (next - p > MAX_SHORT)
			return false;
	}
	return true;
}

void lu_markup_text(struct lu_buf *b, const char *heading, struct lu_str text)
{
	lu_markup_heading(b, heading);
	lu_buf_puts(b, has_short_lines(text) ? "<pre class=as-is>" : "<pre>");
	lu_markup_escape(b, text);
	lu_buf_puts(b, "</pre>\n");
}

void lu_markup_tile(struct lu_buf *b, const char *what, uint64_t v)
{
	lu_buf_puts(b, "<div class=tile><b>");
	lu_markup_u64(b, v);
	lu_buf_printf(b, "</b><span>%s</span></div>\n", what);
}

/* --- tables ------------------------------------------------------------------------------- */

void lu_markup_head(struct lu_buf *b, struct lu_str name, bool number, const char *more)
{
	lu_buf_puts(b, number ? "<th class=n>" : "<th>");
	lu_markup_escape(b, name);
	lu_buf_puts(b, more);
	lu_buf_puts(b, "</th>");
}

void lu_markup_open_table(struct lu_buf *b, const char *const *head, size_t n, size_t texts)
{
	lu_buf_puts(b, "<div class=wide><table><thead><tr>");
	for (size_t i = 0; i < n; i++)
		lu_markup_head(b, lu_str_of(head[i]), i >= texts, "");
	lu_buf_puts(b, "</tr></thead><tbody>\n");
}

void lu_markup_close_table(struct lu_buf *b)
{
	lu_buf_puts(b, "</tbody></table></div>\n");
}

/* --- cells -------------------------------------------------------------------------------- */

void lu_markup_cell_str(struct lu_buf *b, struct lu_str s)
{
	lu_buf_puts(b, "<td>");
	lu_markup_escape(b, s);
	lu_buf_puts(b, "</td>");
}

void lu_markup_cell_u64(struct lu_buf *b, uint64_t v)
{
	lu_buf_puts(b, "<td class=n>");
	lu_markup_u64(b, v);
	lu_buf_puts(b, "</td>");
}

void lu_markup_cell_fixed(struct lu_buf *b, double v, int decimals)
{
	lu_buf_puts(b, "<td class=n>");
	lu_markup_fixed(b, v, decimals);
	lu_buf_puts(b, "</td>");
}

void lu_markup_cell_share(struct lu_buf *b, uint64_t part, uint64_t whole)
{
	double share = whole ? (double)part / (double)whole : 0;

	/* The number stands behind the bar, in 4.8 em. */
	lu_buf_printf(b, "<td class=bar><i style=\"width:calc((100%% - 4.8em)*%.3f)\"></i>",
			share > 1 ? 1 : share);
	lu_buf_printf(b, "<span>%.2f&#8239;%%</span></td>", 100 * share);
}

void lu_markup_cell_number(struct lu_buf *b, struct lu_str s)
{
	struct lu_json_member m = { .value = s, .type = LU_JSON_NUMBER };
	uint64_t integer;
	double v;

	if (s.n == 0)
		lu_buf_puts(b, "<td class=n></td>");
	else if (lu_json_u64(&m, &integer))
		lu_markup_cell_u64(b, integer);
	else if (lu_json_double(&m, &v) && isfinite(v))
		lu_buf_printf(b, "<td class=n>%.4g</td>", v);
	else
		lu_buf_puts(b, "<td class=n>-</td>");
}
