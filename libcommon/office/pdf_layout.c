#include "libcommon/office/pdf_layout.h"

#include "libcommon/base/utf8.h"
#include "libcommon/office/pdf_bidi.h"

/* Words farther apart than this share of the height of the letters have a blank between them: below,
 * pdftotext has only changed the font. It takes the same share of the size of the font. */
#define BLANK 0.1f

/* Means of letters that differ by less are the same. */
#define SAME_WIDTH 0.02f

/* Bytes that a page takes here and in pdf_heads.c. */
#define PAGE_COST ((size_t)512)

/* --- text ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	char c;
} entities[] = {
	{ "amp;", '&' },
	{ "lt;", '<' },
	{ "gt;", '>' },
	{ "quot;", '"' },
	{ "apos;", '\'' },
	{ "#39;", '\'' },
};

/* Append s without entities and control characters, as valid UTF-8. */
static void put_text(struct lu_buf *out, struct lu_str s)
{
	size_t i = 0, from = 0;

	while (i < s.n) {
		size_t n = lu_utf8_seq(s.p + i, s.n - i);
		unsigned char c = (unsigned char)s.p[i];
		bool control = c < 0x20 || c == 0x7f ||
				(n == 2 && c == 0xC2 && (unsigned char)s.p[i + 1] < 0xA0);

		if (n && c != '&' && !control) {
			i += n;
			continue;
		}
		lu_buf_append(out, s.p + from, i - from);
		if (n == 0) {
			n = lu_utf8_bad_len(s.p + i, s.n - i);
			lu_buf_puts(out, "\xEF\xBF\xBD");
		} else if (c == '&') {
			for (size_t k = 0; k < sizeof(entities) / sizeof(entities[0]); k++) {
				size_t len = strlen(entities[k].name);

				if (s.n - i > len &&
						memcmp(s.p + i + 1, entities[k].name, len) == 0) {
					lu_buf_putc(out, entities[k].c);
					n = len + 1;
					break;
				}
			}
			if (n == 1)
				lu_buf_putc(out, '&');
		}
		i += n;
		from = i;
	}
	lu_buf_append(out, s.p + from, i - from);
}

/* --- tags ---------------------------------------------------------------------------------- */

/* The value of an attribute of the tag, empty when it has none. */
static struct lu_str attribute(struct lu_str tag, const char *name)
{
	const char *p = memmem(tag.p, tag.n, name, strlen(name)), *end;

	if (!p)
		return (struct lu_str){ tag.p, 0 };
	p += strlen(name);
	end = memchr(p, '"', (size_t)(tag.p + tag.n - p));
	return (struct lu_str){ p, end ? (size_t)(end - p) : 0 };
}

static float number(struct lu_str tag, const char *name)
{
	/* A quotation mark follows, or it is empty. */
	struct lu_str s = attribute(tag, name);
	float v = s.n ? strtof(s.p, NULL) : 0;

	return v > -1e6f && v < 1e6f ? v : 0;
}

static bool is_tag(struct lu_str tag, const char *name)
{
	size_t n = strlen(name);

	return tag.n >= n && memcmp(tag.p, name, n) == 0 && (tag.n == n || strchr(" >/", tag.p[n]));
}

static float gap(float a0, float a1, float b0, float b1)
{
	return b0 > a1 ? b0 - a1 : a0 > b1 ? a0 - b1 : 0;
}

/* Add the word to those of its height. */
static void take_size(struct lu_pdf_layout *l, float height, float width)
{
	for (size_t i = 0; i < sizeof(l->sizes) / sizeof(l->sizes[0]); i++) {
		float d = l->sizes[i].height - height;

		if (l->sizes[i].width > 0 && (d > 0.05f * height || d < -0.05f * height))
			continue;
		l->sizes[i].height = l->sizes[i].width > 0 ? l->sizes[i].height : height;
		l->sizes[i].width += width > 0 ? width : 0;
		return;
	}
}

/* Programs are printed in letters of one width, as ideographs are, which are no programs. */
static void take_advance(struct lu_pdf_layout *l, struct lu_str word, float width)
{
	float mean = width / (float)lu_utf8_count(word.p, word.n);

	l->narrowest = mean < l->narrowest ? mean : l->narrowest;
	l->widest = mean > l->widest ? mean : l->widest;
	for (size_t i = 0; i < word.n; i++)
		l->ideographs |= (unsigned char)word.p[i] > 0xE2;
}

static void take_word(struct lu_pdf_layout *l, struct lu_str tag, struct lu_str text)
{
	float x0 = number(tag, "xMin=\""), y0 = number(tag, "yMin=\"");
	float x1 = number(tag, "xMax=\""), y1 = number(tag, "yMax=\"");
	float height = y1 - y0, width = x1 - x0;

	lu_buf_clear(&l->word);
	put_text(&l->word, text);
	if (l->word.n == 0)
		return;
	if (l->line.n) {
		float apart = gap(l->wx0, l->wx1, x0, x1), down = gap(l->wy0, l->wy1, y0, y1);

		/* Text that is turned goes down the page. */
		if (apart > BLANK * height || down > BLANK * width)
			lu_buf_putc(&l->line, ' ');
	} else {
		l->now.first = width;
	}
	l->now.words++;
	take_size(l, height, width);
	take_advance(l, lu_buf_slice(&l->word), width);
	l->wx0 = x0, l->wx1 = x1, l->wy0 = y0, l->wy1 = y1;
	lu_buf_str(&l->line, lu_buf_slice(&l->word));
}

static bool begin_line(struct lu_pdf_layout *l, struct lu_str tag)
{
	lu_buf_clear(&l->line);
	l->now = (struct lu_pdf_line){ .x0 = number(tag, "xMin=\""),
		.y0 = number(tag, "yMin=\""),
		.x1 = number(tag, "xMax=\""),
		.y1 = number(tag, "yMax=\""),
		.block = l->blocks };
	memset(l->sizes, 0, sizeof(l->sizes));
	l->narrowest = 1e6f;
	l->widest = 0;
	l->ideographs = false;
	l->in_line = l->pages.n > 0;
	return true;
}

static bool end_line(struct lu_pdf_layout *l)
{
	if (l->in_line && l->line.n) {
		size_t most = 0;

		for (size_t i = 1; i < sizeof(l->sizes) / sizeof(l->sizes[0]); i++)
			most = l->sizes[i].width > l->sizes[most].width ? i : most;
		l->now.height = l->sizes[most].height;
		if (l->widest - l->narrowest < SAME_WIDTH * l->widest && !l->ideographs)
			l->now.advance = l->widest;
		l->now.text = l->text.n;
		lu_pdf_reading_order(lu_buf_slice(&l->line), &l->text);
		l->now.n = l->text.n - l->now.text;
		lu_buf_putc(&l->text, '\0');
		if (!lu_vec_push(&l->lines, l->now))
			return false;
	}
	l->in_line = false;
	return true;
}

static bool begin_page(struct lu_pdf_layout *l, struct lu_str tag)
{
	return lu_vec_push(&l->pages,
			(struct lu_pdf_page){ .width = number(tag, "width=\""),
					.height = number(tag, "height=\""),
					.line = l->lines.n });
}

static void take_meta(struct lu_pdf_layout *l, struct lu_str tag)
{
	struct lu_str name = attribute(tag, " name=\""), value = attribute(tag, " content=\"");

	if (lu_str_is(name, "Author") && l->author.n == 0)
		put_text(&l->author, value);
	else if (lu_str_is(name, "CreationDate") && l->date.n == 0)
		put_text(&l->date, value);
}

/* Take a tag without its brackets, and the text behind it. False when memory is out. */
static bool take_tag(struct lu_pdf_layout *l, struct lu_str tag, struct lu_str text)
{
	if (is_tag(tag, "word")) {
		if (l->in_line)
			take_word(l, tag, text);
	} else if (is_tag(tag, "line")) {
		return begin_line(l, tag);
	} else if (is_tag(tag, "/line")) {
		return end_line(l);
	} else if (is_tag(tag, "block")) {
		l->blocks++;
	} else if (is_tag(tag, "page")) {
		return begin_page(l, tag);
	} else if (is_tag(tag, "title") && l->title.n == 0) {
		put_text(&l->title, text);
	} else if (is_tag(tag, "meta")) {
		take_meta(l, tag);
	} else if (is_tag(tag, "/doc")) {
		l->complete = true;
	}
	return true;
}

static bool is_beyond(const struct lu_pdf_layout *l)
{
	return l->text.n + l->lines.n * sizeof(*l->lines.p) + l->pages.n * PAGE_COST +
			l->pending.n + l->line.n + l->title.n + l->author.n >
			l->limit;
}

static int check(const struct lu_pdf_layout *l, struct lu_err *err)
{
	if (!lu_buf_ok(&l->text) || !lu_buf_ok(&l->pending) || !lu_buf_ok(&l->word) ||
			!lu_buf_ok(&l->line) || !lu_buf_ok(&l->title) || !lu_buf_ok(&l->author) ||
			!lu_buf_ok(&l->date))
		return lu_err_nomem(err);
	return 0;
}

/* Take the tags in `pending` that another follows, so that their text is complete; all at the end. */
static int take_tags(struct lu_pdf_layout *l, bool end, struct lu_err *err)
{
	const char *p = lu_buf_slice(&l->pending).p, *stop = p + l->pending.n;

	while (p < stop) {
		const char *open = memchr(p, '<', (size_t)(stop - p));
		const char *close = open ? memchr(open, '>', (size_t)(stop - open)) : NULL;
		const char *next = close ? memchr(close, '<', (size_t)(stop - close)) : NULL;

		p = open ? open : stop;
		if (!close || (!next && !end))
			break;
		next = next ? next : stop;
		if (!take_tag(l, (struct lu_str){ open + 1, (size_t)(close - open - 1) },
				    (struct lu_str){ close + 1, (size_t)(next - close - 1) }))
			return lu_err_nomem(err);
		if (is_beyond(l))
			return 1;
		p = next;
	}
	l->pending.n = (size_t)(stop - p);
	if (l->pending.n)
		memmove(l->pending.p, p, l->pending.n);
	return check(l, err);
}

int lu_pdf_layout_take(struct lu_pdf_layout *l, const char *p, size_t n, struct lu_err *err)
{
	size_t before = l->pending.n;

	lu_buf_append(&l->pending, p, n);
	if (is_beyond(l))
		return lu_buf_check(&l->pending, err) < 0 ? -1 : 1;
	/* A text that comes in many pieces is looked at when a tag comes. */
	if (!memchr(l->pending.p + before, '<', l->pending.n - before))
		return check(l, err);
	return take_tags(l, false, err);
}

int lu_pdf_layout_end(struct lu_pdf_layout *l, struct lu_err *err)
{
	int rc = take_tags(l, true, err);

	return rc == 0 && !end_line(l) ? lu_err_nomem(err) : rc;
}

void lu_pdf_layout_release(struct lu_pdf_layout *l)
{
	lu_buf_release(&l->text);
	lu_buf_release(&l->title);
	lu_buf_release(&l->author);
	lu_buf_release(&l->date);
	lu_buf_release(&l->pending);
	lu_buf_release(&l->word);
	lu_buf_release(&l->line);
	lu_vec_release(&l->lines);
	lu_vec_release(&l->pages);
}
