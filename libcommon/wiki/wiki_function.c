/*
 * The functions of the tables of templates: numbers, units, dates, centuries.
 */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/wiki/wiki_template.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NBSP "\xC2\xA0"

static bool is_lang(const struct lu_wikitext *w, const char *lang)
{
	return strcmp(w->site->lang, lang) == 0;
}

static bool is_number(struct lu_str s)
{
	size_t digits = 0, points = 0;

	for (size_t i = 0; i < s.n; i++) {
		digits += s.p[i] >= '0' && s.p[i] <= '9';
		points += s.p[i] == '.';
		if (!strchr("0123456789.", s.p[i]) && !(i == 0 && (s.p[i] == '-' || s.p[i] == '+')))
			return false;
	}
	return digits > 0 && points <= 1 && s.n < 64;
}

/*
 * French, Occitan and most of Europe group by blanks and have a decimal comma; English a comma and a
 * point; German, Italian, Spanish and others a point and a comma. Elsewhere digits stay as they are.
 */
static void separators(
		const struct lu_wikitext *w, struct lu_str blank, struct lu_str *group, char *point)
{
	static const char *const points[] = { "de", "it", "nl", "es", "pt", "da", "el", "id", "tr",
		"ca", "ro", "gl", "eu" };
	static const char *const blanks[] = { "fr", "oc", "br", "ru", "uk", "pl", "cs", "sv", "fi",
		"no", "nb", "nn", "hu", "bg", "sk" };

	*group = (struct lu_str){ "", 0 };
	*point = '.';
	if (is_lang(w, "en") || is_lang(w, "simple"))
		*group = LU_STR(",");
	for (size_t i = 0; i < COUNT(points); i++) {
		if (is_lang(w, points[i])) {
			*group = LU_STR(".");
			*point = ',';
		}
	}
	for (size_t i = 0; i < COUNT(blanks); i++) {
		if (is_lang(w, blanks[i])) {
			*group = blank;
			*point = ',';
		}
	}
}

void lu_wiki_number(const struct lu_wikitext *w, struct lu_str number, struct lu_str blank,
		struct lu_buf *out)
{
	struct lu_str group;
	char point;
	const char *dot;
	size_t whole, i = 0;

	if (!is_number(number)) {
		lu_buf_str(out, number);
		return;
	}
	separators(w, blank, &group, &point);
	dot = memchr(number.p, '.', number.n);
	whole = dot ? (size_t)(dot - number.p) : number.n;
	if (number.p[0] == '-' || number.p[0] == '+') {
		lu_buf_puts(out, number.p[0] == '-' ? "\xE2\x88\x92" : "+");
		i = 1;
	}
	for (; i < whole; i++) {
		lu_buf_putc(out, number.p[i]);
		if (i + 1 < whole && (whole - i - 1) % 3 == 0)
			lu_buf_str(out, group);
	}
	if (dot) {
		lu_buf_putc(out, point);
		lu_buf_append(out, dot + 1, number.n - whole - 1);
	}
}

bool lu_wiki_superscript(struct lu_str s, struct lu_buf *out)
{
	static const char *const digits[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
	struct lu_str minus = LU_STR("\xE2\x88\x92");
	size_t before = out->n;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9') {
			lu_buf_puts(out, digits[s.p[i] - '0']);
		} else if (s.p[i] == '+') {
			lu_buf_puts(out, "⁺");
		} else if (s.p[i] == '-') {
			lu_buf_puts(out, "⁻");
		} else if (s.n - i >= minus.n && memcmp(s.p + i, minus.p, minus.n) == 0) {
			lu_buf_puts(out, "⁻");
			i += minus.n - 1;
		} else {
			out->n = before;
			return false;
		}
	}
	return s.n > 0;
}

static void put_power(struct lu_str s, struct lu_buf *out)
{
	if (!lu_wiki_superscript(s, out)) {
		lu_buf_putc(out, '^');
		lu_buf_str(out, s);
	}
}

static void put_number(const struct lu_wiki_call *c, struct lu_str s, struct lu_buf *out)
{
	lu_wiki_number(c->w, s, LU_STR(NBSP), out);
}

/* The number of {{unité}}, with what may stand beside it: e=6, ±=2, à=20, ou=3, x=4. */
static void unit_value(const struct lu_wiki_call *c, struct lu_str value, struct lu_buf *out)
{
	static const struct {
		const char *name, *word;
	} more[] = { { "à", " à " }, { "et", " et " }, { "ou", " ou " }, { "-", "–" }, { "–", "–" },
		{ "/", "/" }, { "x", NBSP "×" NBSP }, { "×", NBSP "×" NBSP },
		{ "±", NBSP "±" NBSP }, { "+/-", NBSP "±" NBSP } };
	struct lu_str e = lu_wiki_arg(c, "e");
	size_t n = 0;

	/* "30 km" in one: the number comes first. */
	while (n < value.n && strchr("0123456789.-+", value.p[n]))
		n++;
	if (is_number((struct lu_str){ value.p, n }) &&
			(n == value.n || value.p[n] == ' ' || (unsigned char)value.p[n] == 0xC2)) {
		put_number(c, (struct lu_str){ value.p, n }, out);
		if (n < value.n && value.p[n] == ' ') {
			lu_buf_puts(out, NBSP);
			n++;
		}
		lu_buf_append(out, value.p + n, value.n - n);
	} else {
		lu_buf_str(out, value);
	}
	for (size_t i = 0; i < COUNT(more); i++) {
		struct lu_str v = lu_wiki_arg(c, more[i].name);

		if (v.n) {
			lu_buf_puts(out, more[i].word);
			put_number(c, v, out);
		}
	}
	if (e.n) {
		lu_buf_puts(out, NBSP "×" NBSP "10");
		put_power(e, out);
	}
}

/* {{unité|10|m|3|s|-1}}: the number, then symbols each followed by its exponent. */
static bool unit(const struct lu_wiki_call *c, struct lu_buf *out)
{
	size_t n = 0;
	bool symbol = false;

	for (size_t i = 0; i < c->args; i++) {
		struct lu_str v = lu_wiki_trim(c->arg[i].value);

		if (c->arg[i].name.p && !lu_str_is(c->arg[i].name, "1"))
			continue;
		if (n++ == 0) {
			if (v.n == 0)
				return false;
			unit_value(c, v, out);
		} else if (n % 2 == 0) {
			symbol = v.n > 0;
			if (symbol)
				lu_buf_puts(out, n > 2 ? "⋅" : NBSP);
			lu_buf_str(out, v);
		} else if (v.n && symbol && lu_str_only(v, "0123456789+-")) {
			put_power(v, out);
		} else {
			lu_buf_str(out, v);
		}
	}
	return n > 0;
}

/* {{nombre|1500|habitants}} */
static bool number(const struct lu_wiki_call *c, struct lu_buf *out)
{
	struct lu_str value = lu_wiki_positional(c, 1), what = lu_wiki_positional(c, 2);

	if (value.n == 0)
		return false;
	unit_value(c, value, out);
	if (what.n) {
		lu_buf_puts(out, NBSP);
		lu_buf_str(out, what);
	}
	return true;
}

/* {{val|1.2|0.3|e=6|u=km}} and {{val|5|ul=km}} of English wikis. */
static bool quantity(const struct lu_wiki_call *c, struct lu_buf *out)
{
	struct lu_str value = lu_wiki_positional(c, 1), about = lu_wiki_positional(c, 2);
	struct lu_str e = lu_wiki_arg(c, "e"), u = lu_wiki_arg(c, "u");

	if (value.n == 0)
		return false;
	lu_buf_str(out, lu_wiki_arg(c, "p"));
	put_number(c, value, out);
	if (about.n) {
		lu_buf_puts(out, "±");
		put_number(c, about, out);
	}
	if (e.n) {
		lu_buf_puts(out, "×10");
		put_power(e, out);
	}
	if (u.n == 0)
		u = lu_wiki_arg(c, "ul");
	if (u.n) {
		lu_buf_puts(out, NBSP);
		lu_buf_str(out, u);
	}
	lu_buf_str(out, lu_wiki_arg(c, "s"));
	return true;
}

/* Codes of {{convert}} with their names; the plural of a name without one has an s. */
static const struct unit_name {
	const char *code, *one, *many;
} unit_names[] = { { "°C", "°C", "°C" }, { "°F", "°F", "°F" }, { "C", "°C", "°C" },
	{ "F", "°F", "°F" }, { "K", "K", "K" }, { "acre", "acre", NULL },
	{ "cm", "centimetre", NULL }, { "ft", "foot", "feet" }, { "g", "gram", NULL },
	{ "gal", "gallon", NULL }, { "ha", "hectare", NULL }, { "hp", "horsepower", "horsepower" },
	{ "in", "inch", "inches" }, { "kg", "kilogram", NULL }, { "km", "kilometre", NULL },
	{ "km/h", "kilometre per hour", "kilometres per hour" },
	{ "km2", "square kilometre", NULL }, { "kn", "knot", NULL }, { "kW", "kilowatt", NULL },
	{ "l", "litre", NULL }, { "L", "litre", NULL }, { "lb", "pound", NULL },
	{ "m", "metre", NULL }, { "m2", "square metre", NULL }, { "m3", "cubic metre", NULL },
	{ "mi", "mile", NULL }, { "mm", "millimetre", NULL },
	{ "mph", "mile per hour", "miles per hour" }, { "MW", "megawatt", NULL },
	{ "nmi", "nautical mile", NULL }, { "oz", "ounce", NULL },
	{ "sqft", "square foot", "square feet" }, { "sq ft", "square foot", "square feet" },
	{ "sqkm", "square kilometre", NULL }, { "sqmi", "square mile", NULL },
	{ "sq mi", "square mile", NULL }, { "ST", "short ton", NULL }, { "LT", "long ton", NULL },
	{ "t", "tonne", NULL }, { "yd", "yard", NULL } };

static void put_unit_name(struct lu_str code, bool one, bool us, struct lu_buf *out)
{
	for (size_t i = 0; i < COUNT(unit_names); i++) {
		const struct unit_name *u = &unit_names[i];
		size_t from = out->n;

		if (!lu_str_is(code, u->code))
			continue;
		lu_buf_puts(out, one || !u->many ? u->one : u->many);
		if (us && out->n > from + 4 && memcmp(out->p + out->n - 2, "re", 2) == 0 &&
				(memcmp(out->p + out->n - 3, "t", 1) == 0)) {
			out->n -= 2;
			lu_buf_puts(out, "er");
		}
		if (!one && !u->many)
			lu_buf_putc(out, 's');
		return;
	}
	lu_buf_str(out, code);
}

/*
 * {{convert|5|km|mi}}: the quantity as it is given. What the template computes from it and adds in
 * parentheses is left out: its rounding is a program of its own, and a wrong figure is worse than none.
 */
static bool convert(const struct lu_wiki_call *c, struct lu_buf *out)
{
	static const char *const words[] = { "to", "and", "or", "by", "x", "×", "-", "–", "+/-",
		"±" };
	struct lu_str value = lu_wiki_positional(c, 1), abbr = lu_wiki_arg(c, "abbr");
	struct lu_str adj = lu_wiki_arg(c, "adj"), code = lu_wiki_positional(c, 2);
	bool adjective = lu_str_is(adj, "on") || lu_str_is(adj, "mid");
	bool one = lu_str_is(value, "1") || adjective;
	bool is_short = lu_str_is(abbr, "on") || lu_str_is(abbr, "in") ||
			lu_str_is(c->name, "cvt") || lu_str_is(c->name, "Cvt");
	size_t at = 2;

	if (value.n == 0 || code.n == 0)
		return false;
	put_number(c, value, out);
	for (size_t i = 0; at < 6 && i < COUNT(words); i++) {
		struct lu_str next = lu_wiki_positional(c, at + 1);

		if (!lu_str_is(code, words[i]) || next.n == 0)
			continue;
		lu_buf_puts(out, *words[i] == '-' ? "–" : "");
		if (*words[i] != '-' && strcmp(words[i], "–") != 0) {
			lu_buf_putc(out, ' ');
			lu_buf_puts(out, strcmp(words[i], "x") == 0 ? "×" : words[i]);
			lu_buf_putc(out, ' ');
		} else if (*words[i] != '-') {
			lu_buf_puts(out, words[i]);
		}
		put_number(c, next, out);
		at += 2;
		code = lu_wiki_positional(c, at);
		one = adjective;
		i = (size_t)-1;
	}
	if (code.n == 0)
		return false;
	lu_buf_puts(out, adjective && !is_short ? "-" : NBSP);
	if (is_short)
		lu_buf_str(out, code);
	else
		put_unit_name(code, one, lu_str_is(lu_wiki_arg(c, "sp"), "us"), out);
	return true;
}

static void put_ordinal(struct lu_str roman, struct lu_str mark, struct lu_buf *out)
{
	lu_buf_str(out, roman);
	if (mark.n)
		lu_buf_str(out, mark);
	else
		lu_buf_puts(out, lu_str_is(roman, "I") ? "er" : "e");
}

/*
 * {{s|XIX|e}}, {{s-|XX|e}}: a century; {{-s|V|e}}: before Christ; {{sp|XVIII|e|au|XIX|e}}: from one to
 * another; {{s2|XVIII|e|XIX|e}}: both; {{mill|II|e}}: a millennium.
 */
static bool century(const struct lu_wiki_call *c, struct lu_buf *out)
{
	struct lu_str name = c->name, a = lu_wiki_positional(c, 1);
	bool before = name.n > 1 && name.p[0] == '-', millennium, mini;
	char kind;

	if (a.n == 0 || a.n > 12)
		return false;
	name.p += before;
	name.n -= before;
	millennium = name.n >= 4 && (name.p[0] | 32) == 'm';
	mini = name.n >= 6 && memcmp(name.p + 1, " mini", 5) == 0;
	kind = name.n > 1 ? name.p[1] : ' ';
	if (kind == 'p') {
		struct lu_str word = lu_wiki_positional(c, 3), b = lu_wiki_positional(c, 4);

		if (word.n == 0 || b.n == 0)
			return false;
		put_ordinal(a, lu_wiki_positional(c, 2), out);
		lu_buf_printf(out, " " LU_STR_FMT " ", LU_STR_ARG(word));
		put_ordinal(b, lu_wiki_positional(c, 5), out);
		lu_buf_puts(out, NBSP "siècle");
	} else if (kind == '2') {
		struct lu_str b = lu_wiki_positional(c, 3);

		if (b.n == 0)
			return false;
		put_ordinal(a, lu_wiki_positional(c, 2), out);
		lu_buf_puts(out, " et ");
		put_ordinal(b, lu_wiki_positional(c, 4), out);
		lu_buf_puts(out, NBSP "siècles");
	} else {
		put_ordinal(a, lu_wiki_positional(c, 2), out);
		lu_buf_puts(out, millennium ? NBSP "millénaire" : mini ? NBSP "s." : NBSP "siècle");
	}
	if (before)
		lu_buf_puts(out, " av." NBSP "J.-C.");
	return true;
}

static const char *const months_fr[] = { "janvier", "février", "mars", "avril", "mai", "juin",
	"juillet", "août", "septembre", "octobre", "novembre", "décembre" };
static const char *const months_en[] = { "January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December" };

/* A month by its number, or as it is written. */
static void put_month(const char *const *names, struct lu_str s, struct lu_buf *out)
{
	unsigned v = 0;

	for (size_t i = 0; i < s.n && s.n <= 2; i++)
		v = s.p[i] >= '0' && s.p[i] <= '9' ? v * 10 + (unsigned)(s.p[i] - '0') : 99;
	if (v >= 1 && v <= 12)
		lu_buf_puts(out, names[v - 1]);
	else
		lu_buf_str(out, s);
}

static struct lu_str without_zeros(struct lu_str s)
{
	while (s.n > 1 && s.p[0] == '0') {
		s.p++;
		s.n--;
	}
	return s;
}

/* {{date|14|juillet|1789|en France}}, {{date|14 juillet 1789}}: day, month, year. */
static bool date(const struct lu_wiki_call *c, struct lu_buf *out)
{
	struct lu_str d = without_zeros(lu_wiki_positional(c, 1));
	struct lu_str m = lu_wiki_positional(c, 2), y = lu_wiki_positional(c, 3);
	size_t before = out->n;

	if (lu_str_is(d, "1") && (m.n || y.n))
		lu_buf_puts(out, "1er");
	else
		lu_buf_str(out, d);
	if (m.n) {
		lu_buf_puts(out, out->n > before ? " " : "");
		put_month(months_fr, m, out);
	}
	if (y.n && (m.n || !d.n)) {
		lu_buf_puts(out, out->n > before ? " " : "");
		lu_buf_str(out, y);
	}
	return out->n > before;
}

/*
 * {{birth date|1789|7|14|df=yes}} of English wikis: the date. {{death date and age|..|..}} has the age
 * at death besides, {{birth date and age}} one that changes with the day on which it is read and is left out.
 */
static bool born(const struct lu_wiki_call *c, struct lu_buf *out)
{
	struct lu_str y = lu_wiki_positional(c, 1), m = lu_wiki_positional(c, 2);
	struct lu_str d = without_zeros(lu_wiki_positional(c, 3)), df = lu_wiki_arg(c, "df");
	bool day_first = df.n && !lu_str_is(df, "n") && !lu_str_is(df, "no");

	if (y.n == 0)
		return false;
	if (day_first && d.n) {
		lu_buf_str(out, d);
		lu_buf_putc(out, ' ');
	}
	if (m.n) {
		put_month(months_en, m, out);
		lu_buf_putc(out, ' ');
	}
	if (!day_first && d.n && m.n) {
		lu_buf_str(out, d);
		lu_buf_puts(out, ", ");
	}
	lu_buf_str(out, y);
	return true;
}

/* The number that digits stand for; 0: they are none. */
static unsigned value_of(struct lu_str s)
{
	unsigned v = 0;

	if (s.n == 0 || s.n > 4 || !lu_str_only(s, "0123456789"))
		return 0;
	for (size_t i = 0; i < s.n; i++)
		v = v * 10 + (unsigned)(s.p[i] - '0');
	return v;
}

/* {{death date and age|1850|1|2|1789|7|14}}: the day of death, then that of birth. */
static bool died(const struct lu_wiki_call *c, struct lu_buf *out)
{
	unsigned v[6], age;

	if (!born(c, out))
		return false;
	for (size_t i = 0; i < 6; i++)
		v[i] = value_of(lu_wiki_positional(c, i + 1));
	if (!v[0] || !v[3] || v[3] >= v[0])
		return true;
	age = v[0] - v[3] - (v[1] < v[4] || (v[1] == v[4] && v[2] < v[5]));
	lu_buf_printf(out, " (aged" NBSP "%u)", age);
	return true;
}

/* {{as of|2010|5|3|lc=y}} */
static bool as_of(const struct lu_wiki_call *c, struct lu_buf *out)
{
	bool small = lu_wiki_arg(c, "lc").n > 0, since = lu_wiki_arg(c, "since").n > 0;
	struct lu_str alt = lu_wiki_arg(c, "alt");

	if (alt.n) {
		lu_buf_str(out, alt);
		return true;
	}
	lu_buf_puts(out, since ? (small ? "since " : "Since ") : small ? "as of " : "As of ");
	return born(c, out);
}

/* {{frac|2}}: 1/2; {{frac|1|3}}: 1/3; {{frac|2|1|3}}: 2 1/3. */
static bool fraction(const struct lu_wiki_call *c, struct lu_buf *out)
{
	struct lu_str a = lu_wiki_positional(c, 1), b = lu_wiki_positional(c, 2);
	struct lu_str d = lu_wiki_positional(c, 3);

	if (a.n == 0)
		return false;
	if (b.n == 0)
		lu_buf_puts(out, "1/");
	lu_buf_str(out, a);
	if (b.n) {
		lu_buf_puts(out, d.n ? NBSP : "/");
		lu_buf_str(out, b);
	}
	if (d.n) {
		lu_buf_putc(out, '/');
		lu_buf_str(out, d);
	}
	return true;
}

static bool roman(const struct lu_wiki_call *c, struct lu_buf *out)
{
	static const struct {
		unsigned v;
		const char *s;
	} steps[] = { { 1000, "M" }, { 900, "CM" }, { 500, "D" }, { 400, "CD" }, { 100, "C" },
		{ 90, "XC" }, { 50, "L" }, { 40, "XL" }, { 10, "X" }, { 9, "IX" }, { 5, "V" },
		{ 4, "IV" }, { 1, "I" } };
	struct lu_str s = lu_wiki_positional(c, 1);
	unsigned v = 0;

	if (s.n == 0 || s.n > 4 || !lu_str_only(s, "0123456789")) {
		lu_buf_str(out, s);
		return s.n > 0;
	}
	for (size_t i = 0; i < s.n; i++)
		v = v * 10 + (unsigned)(s.p[i] - '0');
	for (size_t i = 0; i < COUNT(steps); i++) {
		for (; v >= steps[i].v; v -= steps[i].v)
			lu_buf_puts(out, steps[i].s);
	}
	return true;
}

/* {{ordinal|3}}: 3rd. */
static bool ordinal(const struct lu_wiki_call *c, struct lu_buf *out)
{
	struct lu_str s = lu_wiki_positional(c, 1);
	char last, ten;

	if (s.n == 0 || s.n > 12 || !lu_str_only(s, "0123456789"))
		return false;
	last = s.p[s.n - 1];
	ten = s.n > 1 ? s.p[s.n - 2] : '0';
	put_number(c, s, out);
	lu_buf_puts(out,
			ten == '1'		      ? "th"
					: last == '1' ? "st"
					: last == '2' ? "nd"
					: last == '3' ? "rd"
						      : "th");
	return true;
}

static const struct {
	const char *name;
	lu_wiki_function *function;
} functions[] = {
	{ "unit", unit },
	{ "number", number },
	{ "quantity", quantity },
	{ "convert", convert },
	{ "century", century },
	{ "date", date },
	{ "born", born },
	{ "died", died },
	{ "as-of", as_of },
	{ "fraction", fraction },
	{ "roman", roman },
	{ "ordinal", ordinal },
};

lu_wiki_function *lu_wiki_function_of(const char *name)
{
	for (size_t i = 0; i < COUNT(functions); i++) {
		if (strcmp(functions[i].name, name) == 0)
			return functions[i].function;
	}
	return NULL;
}
