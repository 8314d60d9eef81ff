#include "libcommon/tokenizer/normalizer_pass.h"

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"

#define SMALL 64 /* bytes: images are a few characters; a longer one is left to normalizer.c */

/* --- making ------------------------------------------------------------------------------- */

/* The string that is being replaced step by step. */
struct image {
	char p[SMALL];
	size_t n;
};

static bool put(struct image *im, struct lu_str s)
{
	if (im->n + s.n > SMALL)
		return false;
	memcpy(im->p + im->n, s.p, s.n);
	im->n += s.n;
	return true;
}

/* Is this a step that replaces single characters whatever stands around? */
static bool is_simple(const struct lu_norm_op *op)
{
	const char *p = op->pattern.lit.p;

	if (op->kind != LU_NORM_REPLACE || op->pattern.look)
		return false;
	if (op->pattern.lit.n == 0)
		return op->pattern.set.cls == 0;
	lu_utf8_next(&p);
	return p == op->pattern.lit.p + op->pattern.lit.n;
}

static bool takes(const struct lu_norm_op *op, const struct lu_frozen_unicode *u, uint32_t c)
{
	const char *p = op->pattern.lit.p;

	return op->pattern.lit.n ? lu_utf8_next(&p) == c : lu_cset_has(&op->pattern.set, u, c);
}

/* What `im` becomes by the simple steps from .. to - 1. */
static bool follow(const struct lu_parts *parts, const struct lu_frozen_unicode *u, size_t from,
		size_t to, struct image *im)
{
	for (size_t i = from; i < to; i++) {
		const struct lu_norm_op *op = &parts->norm[i];
		struct image next = { .n = 0 };

		if (op->kind != LU_NORM_REPLACE)
			continue;
		for (const char *p = im->p; p < im->p + im->n;) {
			const char *at = p;
			bool hit = takes(op, u, lu_utf8_next(&p));
			struct lu_str same = { at, (size_t)(p - at) };

			if (!put(&next, hit ? op->content : same))
				return false;
		}
		*im = next;
	}
	return true;
}

/* Keeps an image in both spellings. */
static bool keep(struct lu_arena *arena, const struct image *im, struct lu_pass_text *out)
{
	struct image marked = { .n = 0 };

	for (const char *p = im->p; p < im->p + im->n;) {
		const char *at = p;
		char mark = (char)LU_MARK;
		bool is_mark = lu_utf8_next(&p) == LU_MARK_CHAR;
		struct lu_str same = { at, (size_t)(p - at) };

		if (!put(&marked, is_mark ? (struct lu_str){ &mark, 1 } : same))
			return false;
	}
	out->plain = lu_arena_str(arena, (struct lu_str){ im->p, im->n });
	out->marked = lu_arena_str(arena, (struct lu_str){ marked.p, marked.n });
	return out->plain.p && out->marked.p;
}

/* Where the steps that need care stand; SIZE_MAX: nowhere. */
struct shape {
	size_t insert, prepend;
};

static bool find_shape(const struct lu_parts *parts, const struct lu_frozen_unicode *u,
		struct lu_pass *pass, struct shape *sh)
{
	*sh = (struct shape){ SIZE_MAX, SIZE_MAX };
	for (size_t i = 0; i < parts->norms; i++) {
		const struct lu_norm_op *op = &parts->norm[i];

		if (op->kind == LU_NORM_FORM && i == 0) {
			pass->form = (int)op->form;
		} else if (op->kind == LU_NORM_INSERT && sh->insert == SIZE_MAX) {
			sh->insert = i;
		} else if (op->kind == LU_NORM_PREPEND && sh->prepend == SIZE_MAX) {
			sh->prepend = i;
		} else if (!is_simple(op)) {
			return false;
		} else if (sh->prepend != SIZE_MAX && op->content.n == 0) {
			/* The text might be empty only after this. */
			return false;
		}
	}
	/* What is prepended before the insertions must not take part in them. */
	if (sh->prepend != SIZE_MAX && sh->insert != SIZE_MAX && sh->prepend < sh->insert) {
		const struct lu_norm_op *ins = &parts->norm[sh->insert];
		struct image im = { .n = 0 };

		if (!put(&im, parts->norm[sh->prepend].content) ||
				!follow(parts, u, sh->prepend + 1, sh->insert, &im))
			return false;
		for (const char *p = im.p; p < im.p + im.n;) {
			if (lu_cset_has(&ins->after, u, lu_utf8_next(&p)))
				return false;
		}
	}
	return true;
}

/* A character's fate: its image, and what it is where insertions are decided. */
static bool fate(const struct lu_parts *parts, const struct lu_frozen_unicode *u,
		const struct shape *sh, uint32_t c, struct image *im, struct lu_pass_odd *odd)
{
	const struct lu_norm_op *ins = sh->insert == SIZE_MAX ? NULL : &parts->norm[sh->insert];
	size_t half = ins ? sh->insert : parts->norms;
	const char *p = im->p;

	im->n = lu_utf8_put(c, im->p);
	*odd = (struct lu_pass_odd){ .c = c };
	if (!follow(parts, u, 0, half, im))
		return false;
	odd->gone = im->n == 0;
	if (!ins || odd->gone)
		return true;
	c = lu_utf8_next(&p);
	if (p != im->p + im->n)
		return false; /* several characters there: insertions could fall between them */
	odd->after = lu_cset_has(&ins->after, u, c);
	odd->ahead = lu_cset_has(&ins->pattern.ahead, u, c);
	/* A character that is deleted only after it has caused an insertion. */
	return follow(parts, u, half, parts->norms, im) && im->n > 0;
}

static bool make_cell(struct lu_pass *pass, int marked, unsigned state, uint32_t c,
		const struct lu_pass_odd *odd)
{
	struct lu_pass_cell *cell = &pass->cell[marked][state][c];
	const struct lu_pass_text *before = state == LU_PASS_START ? &pass->start
			: state == LU_PASS_AFTER && odd->ahead	   ? &pass->gap
								   : NULL;
	struct lu_str own = marked ? odd->image.marked : odd->image.plain, b = { "", 0 };

	*cell = (struct lu_pass_cell){ .n = 0 };
	if (odd->gone)
		return true;
	if (before)
		b = marked ? before->marked : before->plain;
	if (b.n + own.n > sizeof(cell->out))
		return false;
	memcpy(cell->out, b.p, b.n);
	memcpy(cell->out + b.n, own.p, own.n);
	cell->n = (uint8_t)(b.n + own.n);
	return true;
}

static bool make_cells(struct lu_pass *pass, const struct lu_parts *parts,
		const struct lu_frozen_unicode *u, const struct shape *sh, struct lu_arena *arena)
{
	for (uint32_t c = 0; c < 128; c++) {
		struct image im;
		struct lu_pass_odd odd;

		if (!fate(parts, u, sh, c, &im, &odd) || !keep(arena, &im, &odd.image))
			return false;
		pass->next[c] = odd.gone    ? LU_PASS_GONE
				: odd.after ? LU_PASS_AFTER
					    : LU_PASS_INSIDE;
		for (int k = 0; k < 2 * LU_PASS_STATES; k++) {
			if (!make_cell(pass, k & 1, (unsigned)k / 2, c, &odd))
				return false;
		}
	}
	return true;
}

static bool add_odd(struct lu_pass *pass, const struct lu_parts *parts,
		const struct lu_frozen_unicode *u, const struct shape *sh, struct lu_arena *arena,
		uint32_t c)
{
	struct image im;
	char utf8[4];

	for (size_t i = 0; i < pass->odds; i++) {
		if (pass->odd[i].c == c)
			return true;
	}
	if (c < 128)
		return true;
	lu_utf8_put(c, utf8);
	pass->next[(unsigned char)utf8[0]] = LU_PASS_ODD;
	return fate(parts, u, sh, c, &im, &pass->odd[pass->odds]) &&
			keep(arena, &im, &pass->odd[pass->odds++].image);
}

/* Every character that some step names; all others stay, and are `ahead` by their class. */
static bool make_odds(struct lu_pass *pass, const struct lu_parts *parts,
		const struct lu_frozen_unicode *u, const struct shape *sh, struct lu_arena *arena)
{
	size_t most = 1;

	for (size_t i = 0; i < parts->norms; i++)
		most += 1 + parts->norm[i].pattern.set.n + parts->norm[i].after.n;
	pass->odd = lu_arena_alloc(arena, most * sizeof(*pass->odd));
	if (!pass->odd || !add_odd(pass, parts, u, sh, arena, LU_MARK_CHAR))
		return false;
	for (size_t i = 0; i < parts->norms; i++) {
		const struct lu_norm_op *op = &parts->norm[i];
		const char *p = op->pattern.lit.p;

		if (op->kind == LU_NORM_REPLACE && op->pattern.lit.n &&
				!add_odd(pass, parts, u, sh, arena, lu_utf8_next(&p)))
			return false;
		for (size_t k = 0; op->kind == LU_NORM_REPLACE && k < op->pattern.set.n; k++) {
			if (!add_odd(pass, parts, u, sh, arena, op->pattern.set.c[k]))
				return false;
		}
		for (size_t k = 0; op->kind == LU_NORM_INSERT && k < op->after.n; k++) {
			if (!add_odd(pass, parts, u, sh, arena, op->after.c[k]))
				return false;
		}
	}
	return true;
}

static bool constant(const struct lu_parts *parts, const struct lu_frozen_unicode *u, size_t op,
		struct lu_arena *arena, struct lu_pass_text *out)
{
	struct image im = { .n = 0 };

	if (op == SIZE_MAX)
		return true;
	return put(&im, parts->norm[op].content) && follow(parts, u, op + 1, parts->norms, &im) &&
			keep(arena, &im, out);
}

int lu_pass_make(struct lu_pass *pass, const struct lu_parts *parts,
		const struct lu_frozen_unicode *u, struct lu_arena *arena, struct lu_err *err)
{
	struct shape sh;

	memset(pass, 0, sizeof(*pass));
	memset(pass->next + 128, LU_PASS_LONG, 128);
	pass->form = -1;
	pass->gap = pass->start = (struct lu_pass_text){ { "", 0 }, { "", 0 } };
	if (!find_shape(parts, u, pass, &sh))
		return 0;
	pass->inserts = sh.insert != SIZE_MAX;
	if (pass->inserts)
		pass->ahead = parts->norm[sh.insert].pattern.ahead;
	pass->none = parts->norms == (pass->form >= 0);
	pass->ok = constant(parts, u, sh.insert, arena, &pass->gap) &&
			constant(parts, u, sh.prepend, arena, &pass->start) &&
			make_cells(pass, parts, u, &sh, arena) &&
			make_odds(pass, parts, u, &sh, arena);
	/* Only memory can fail for reasons of its own, and then every later allocation does. */
	return lu_arena_alloc(arena, 1) ? 0 : lu_err_nomem(err);
}

/* --- running ------------------------------------------------------------------------------ */

static const struct lu_pass_odd *find_odd(const struct lu_pass *pass, uint32_t c)
{
	for (size_t i = 0; i < pass->odds; i++) {
		if (pass->odd[i].c == c)
			return &pass->odd[i];
	}
	return NULL;
}

static char *copy(char *out, struct lu_str s)
{
	memcpy(out, s.p, s.n);
	return out + s.n;
}

/* A character that is odd, or whose image depends on more than itself: from 128 on. */
static char *other_char(const struct lu_pass *pass, const struct lu_frozen_unicode *u, bool marked,
		unsigned *state, const char **p, char *out)
{
	const char *at = *p;
	uint32_t c = lu_utf8_next(p);
	const struct lu_pass_odd *odd =
			pass->next[(unsigned char)*at] == LU_PASS_ODD ? find_odd(pass, c) : NULL;
	struct lu_str own = { at, (size_t)(*p - at) };

	if (odd && odd->gone)
		return out;
	if (*state == LU_PASS_START)
		out = copy(out, marked ? pass->start.marked : pass->start.plain);
	else if (*state == LU_PASS_AFTER && (odd ? odd->ahead : lu_cset_has(&pass->ahead, u, c)))
		out = copy(out, marked ? pass->gap.marked : pass->gap.plain);
	*state = odd && odd->after ? LU_PASS_AFTER : LU_PASS_INSIDE;
	if (odd)
		own = marked ? odd->image.marked : odd->image.plain;
	return copy(out, own);
}

#define STRETCH 4096

/* The last byte of a cell that was read as one number. */
static inline size_t cell_size(uint64_t cell)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? cell >> 56 : cell & 0xFF;
}

/* Room for what n bytes can become: 7 bytes each when below 128, and the whole last cell is
 * written; others are looked after one by one. */
static char *room_for(struct lu_buf *to, size_t n)
{
	return lu_buf_reserve(to, 7 * n + 4 * SMALL) ? to->p + to->n : NULL;
}

int lu_pass_form(const struct lu_pass *pass, const struct lu_frozen_unicode *u, struct lu_buf *to,
		struct lu_str *text, struct lu_err *err)
{
	enum lu_normal_form form = (enum lu_normal_form)pass->form;

	if (pass->form < 0 || lu_frozen_normal_prefix(u, form, *text) == text->n)
		return 0;
	lu_buf_clear(to);
	if (lu_frozen_normalize(u, form, *text, to, err) < 0)
		return -1;
	*text = lu_buf_slice(to);
	return 0;
}

void lu_pass_run(const struct lu_pass *pass, const struct lu_frozen_unicode *u, bool marked,
		unsigned *state, struct lu_str text, struct lu_buf *to)
{
	const struct lu_pass_cell(*cells)[128] = pass->cell[marked];
	const char *p = text.p, *end = text.p + text.n, *stop = p;
	unsigned s = *state;
	char *out = NULL;

	while (p < end) {
		unsigned c, next;

		/* In stretches, so that the room asked for stays near what is used. */
		if (p >= stop) {
			if (out)
				to->n = (size_t)(out - to->p);
			stop = end - p > STRETCH ? p + STRETCH : end;
			out = room_for(to, (size_t)(stop - p));
			if (!out)
				return;
		}
		/* The state comes from the character alone, so no step waits for the one before. */
		while (p < stop && (next = pass->next[c = (unsigned char)*p]) < LU_PASS_STATES) {
			uint64_t cell;

			memcpy(&cell, &cells[s][c], sizeof(cell));
			memcpy(out, &cell, sizeof(cell));
			out += cell_size(cell);
			s = next;
			p++;
		}
		if (p >= stop)
			continue;
		if (pass->next[(unsigned char)*p] == LU_PASS_GONE) {
			p++;
			continue;
		}
		out = other_char(pass, u, marked, &s, &p, out);
		if ((size_t)(to->p + to->cap - out) < 7 * STRETCH + 2 * SMALL) {
			to->n = (size_t)(out - to->p);
			out = room_for(to, STRETCH);
			if (!out)
				return;
		}
	}
	if (out) {
		to->n = (size_t)(out - to->p);
		to->p[to->n] = '\0';
	}
	*state = s;
}
