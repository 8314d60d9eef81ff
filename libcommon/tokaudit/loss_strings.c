#include "libcommon/tokaudit/loss_strings.h"

#include "libcommon/tokenizer/tokenizer_internal.h"

/* Runs of 1 to `longest` times `unit`, between `before` and `after`. */
static const struct {
	const char *name, *before, *unit, *after;
	unsigned longest;
} runs[] = {
	{ "leading spaces", "", " ", "a", 9 },
	{ "trailing spaces", "a", " ", "", 9 },
	{ "spaces between words", "a", " ", "a", 18 },
	{ "spaces before a digit", "a", " ", "1", 9 },
	{ "spaces alone", "", " ", "", 9 },
	{ "spaces after a line end", "a\n", " ", "a", 9 },
	{ "spaces before a line end", "a", " ", "\na", 9 },
	{ "spaces after a bracket", "a(", " ", "a", 9 },
	{ "spaces after an apostrophe", "l'", " ", "a", 9 },
	{ "tabs", "a", "\t", "a", 9 },
	{ "leading tabs", "", "\t", "a", 9 },
	{ "line ends", "a", "\n", "a", 5 },
	{ "leading line ends", "", "\n", "a", 5 },
	{ "CR LF", "a", "\r\n", "a", 3 },
	{ "no-break spaces", "a", "\u00A0", "a", 3 },
	{ "ASCII letters in a row", "", "a", "", 40 },
	{ "marker of SentencePiece", "", "▁", "", 9 },
	{ "marker before a letter", "", "▁", "a", 3 },
	{ "marker between letters", "a", "▁", "a", 3 },
	{ "marker after a space", " ", "▁", "a", 3 },
};

/* clang-format off */
#define S(text) { text, sizeof(text) - 1 }
/* clang-format on */
static const struct {
	const char *name;
	struct lu_str text;
} strings[] = {
	{ "empty", S("") },
	{ "NUL between letters", S("a\0b") },
	{ "byte order mark", S("\uFEFFabc") },
	{ "emoji with joiners", S("👩\u200D🚀 👨\u200D👩\u200D👧 a") },
	{ "skin tone", S("👍🏽 a") },
	{ "flags", S("🇫🇷🇬🇧 🇩🇪") },
	{ "variation selector", S("❤\uFE0F a") },
	{ "combining marks", S("e\u0301 a\u0327\u0301 q\u0307\u0323") },
	{ "Hangul letters", S("\u1112\u1161\u11AB") },
	{ "Devanagari", S("क्षत्रिय हिन्दी") },
	{ "Persian with a non-joiner", S("می\u200Cخواهم") },
	{ "French quotation marks", S("«\u00A0oui\u00A0» « non » «\u202Fsi\u202F»") },
	{ "no-break space in a bracket", S("(\u00A0x\u00A0)") },
	{ "apostrophes", S("l'été, l’été, aujourd’hui, 'a' ‘a’") },
	{ "numbers", S("1\u202F000,50 1 234 ½ ² Ⅷ ٣") },
	{ "code", S("if (x) {\n\t\treturn a[i] - -1; /* \"y\" */\n}\n") },
	{ "blank lines with blanks", S("a\n  \n\t\nb\n") },
	{ "line separators",
			S("a\u2028b\u2029c\xC2\x85"
			  "d\ve\ff") },
	{ "a byte token spelled out", S("<0x41> <0xC3><0xA9>") },
	{ "GPT-2's alphabet", S("Ġa Ċ ł Ń é") },
	{ "zero width", S("a\u200Bb\u2060c\u00ADd") },
};
#undef S

/* Try a string. `n`: length of a run, whose consecutive lengths with the same loss are one entry; 0
 * for other strings. */
static int try_string(struct lu_losses *l, struct lu_round_trip *t, const char *name, unsigned n,
		struct lu_str text, struct lu_err *err)
{
	struct lu_loss_string *last = l->string.n ? &l->string.p[l->string.n - 1] : NULL;
	struct lu_loss_string new = { .name = name, .first = n, .last = n };
	int rc = lu_round_trip_run(t, text, err);

	l->strings_tried++;
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = lu_round_trip_equivalent(t, text, err);
	if (rc < 0)
		return -1;
	new.kind = rc ? LU_LOSS_NORMALISED : LU_LOSS_LOST;
	l->strings[new.kind]++;
	if (n && last && last->name == name && last->last + 1 == n && last->kind == new.kind) {
		last->last = n;
		return 0;
	}
	new.text = lu_arena_str(&l->arena, text);
	new.got = lu_arena_str(&l->arena, lu_buf_slice(&t->got));
	if (!new.text.p || !new.got.p || !lu_vec_push(&l->string, new))
		return lu_err_nomem(err);
	return 0;
}

static int try_runs(struct lu_losses *l, struct lu_round_trip *t, struct lu_err *err)
{
	struct lu_buf *text = &t->text;

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		for (unsigned n = 1; n <= runs[i].longest; n++) {
			lu_buf_clear(text);
			lu_buf_puts(text, runs[i].before);
			for (unsigned k = 0; k < n; k++)
				lu_buf_puts(text, runs[i].unit);
			lu_buf_puts(text, runs[i].after);
			if (lu_buf_check(text, err) < 0 ||
					try_string(l, t, runs[i].name, n, lu_buf_slice(text), err) <
							0)
				return -1;
		}
	}
	return 0;
}

static int try_added_tokens(struct lu_losses *l, struct lu_round_trip *t, const struct lu_tok *tok,
		struct lu_err *err)
{
	struct lu_buf *text = &t->text;

	for (size_t i = 0; i < tok->n_added; i++) {
		lu_buf_clear(text);
		lu_buf_puts(text, "a ");
		lu_buf_str(text, tok->added[i].content);
		lu_buf_puts(text, " b");
		if (lu_buf_check(text, err) < 0 ||
				try_string(l, t, "an added token spelled out", 0,
						lu_buf_slice(text), err) < 0)
			return -1;
	}
	return 0;
}

int lu_loss_strings_try(struct lu_losses *l, struct lu_round_trip *t, const struct lu_tok *tok,
		struct lu_err *err)
{
	if (try_runs(l, t, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		if (try_string(l, t, strings[i].name, 0, strings[i].text, err) < 0)
			return -1;
	}
	return try_added_tokens(l, t, tok, err);
}
