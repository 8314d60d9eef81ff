#include "libcommon/tokenizer/normalizer_pass.h"

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"

/* Bytes. Mappings are a few characters; chains with longer ones are left to normalizer.c. */
#define MAX_MAPPING 64

/* --- building ----------------------------------------------------------------------------- */

/* A string while the steps replace it. */
struct mapping {
	char p[MAX_MAPPING];
	size_t n;
};

static bool append(struct mapping *m, struct lu_str s)
{
	if (m->n + s.n > MAX_MAPPING)
		return false;
	memcpy(m->p + m->n, s.p, s.n);
	m->n += s.n;
	return true;
}

/* True if the step replaces single characters whatever their context. */
static bool is_simple(const struct lu_norm_step *step)
{
	uint32_t c;

	if (step->kind != LU_NORM_REPLACE || step->pattern.has_lookahead)
		return false;
	if (step->pattern.literal.n == 0)
		return step->pattern.set.classes == 0;
	return lu_utf8_single(step->pattern.literal, &c);
}

static bool matches(const struct lu_norm_step *step, const struct lu_frozen_unicode *u, uint32_t c)
{
	const char *p = step->pattern.literal.p;

	return step->pattern.literal.n ? lu_utf8_next(&p) == c
				       : lu_char_set_has(&step->pattern.set, u, c);
}

/* Apply the simple steps from .. to - 1. False when the string grows too long. */
static bool apply(const struct lu_components *components, const struct lu_frozen_unicode *u,
		size_t from, size_t to, struct mapping *m)
{
	for (size_t i = from; i < to; i++) {
		const struct lu_norm_step *step = &components->norm[i];
		struct mapping next = { .n = 0 };

		if (step->kind != LU_NORM_REPLACE)
			continue;
		for (const char *p = m->p; p < m->p + m->n;) {
			const char *at = p;
			bool match = matches(step, u, lu_utf8_next(&p));
			struct lu_str same = { at, (size_t)(p - at) };

			if (!append(&next, match ? step->content : same))
				return false;
		}
		*m = next;
	}
	return true;
}

/* Store a string in both spellings. */
static bool store(struct lu_arena *arena, const struct mapping *m, struct lu_normalizer_string *out)
{
	struct mapping marked = { .n = 0 };

	for (const char *p = m->p; p < m->p + m->n;) {
		const char *at = p;
		char byte = (char)LU_MARK_BYTE;
		bool is_mark = lu_utf8_next(&p) == LU_MARK_CHAR;
		struct lu_str same = { at, (size_t)(p - at) };

		if (!append(&marked, is_mark ? (struct lu_str){ &byte, 1 } : same))
			return false;
	}
	out->plain = lu_arena_str(arena, (struct lu_str){ m->p, m->n });
	out->marked = lu_arena_str(arena, (struct lu_str){ marked.p, marked.n });
	return out->plain.p && out->marked.p;
}

/* Indexes of the steps that depend on context; SIZE_MAX: none. */
struct shape {
	size_t insert, prepend;
};

/* False when the chain is not of the supported kind. */
static bool find_shape(const struct lu_components *components, const struct lu_frozen_unicode *u,
		struct lu_normalizer_pass *pass, struct shape *shape)
{
	*shape = (struct shape){ SIZE_MAX, SIZE_MAX };
	for (size_t i = 0; i < components->norms; i++) {
		const struct lu_norm_step *step = &components->norm[i];

		if (step->kind == LU_NORM_FORM && i == 0) {
			pass->form = (int)step->form;
		} else if (step->kind == LU_NORM_INSERT && shape->insert == SIZE_MAX) {
			shape->insert = i;
		} else if (step->kind == LU_NORM_PREPEND && shape->prepend == SIZE_MAX) {
			shape->prepend = i;
		} else if (!is_simple(step)) {
			return false;
		} else if (shape->prepend != SIZE_MAX && step->content.n == 0) {
			/* Prepend skips an empty text, and this step may empty it only now. */
			return false;
		}
	}
	/* A prefix from before the insertions must not cause one. */
	if (shape->prepend != SIZE_MAX && shape->insert != SIZE_MAX &&
			shape->prepend < shape->insert) {
		const struct lu_norm_step *insert = &components->norm[shape->insert];
		struct mapping m = { .n = 0 };

		if (!append(&m, components->norm[shape->prepend].content) ||
				!apply(components, u, shape->prepend + 1, shape->insert, &m))
			return false;
		for (const char *p = m.p; p < m.p + m.n;) {
			if (lu_char_set_has(&insert->after, u, lu_utf8_next(&p)))
				return false;
		}
	}
	return true;
}

/* Compute the mapping of a character and its role in insertions. False when the chain does not fit
 * into a pass. */
static bool map_char(const struct lu_components *components, const struct lu_frozen_unicode *u,
		const struct shape *shape, uint32_t c, struct mapping *m,
		struct lu_normalizer_exception *e)
{
	const struct lu_norm_step *insert =
			shape->insert == SIZE_MAX ? NULL : &components->norm[shape->insert];
	size_t middle = insert ? shape->insert : components->norms;

	m->n = lu_utf8_put(c, m->p);
	*e = (struct lu_normalizer_exception){ .c = c };
	if (!apply(components, u, 0, middle, m))
		return false;
	e->deleted = m->n == 0;
	if (!insert || e->deleted)
		return true;
	/* Insertions could fall between several characters. */
	if (!lu_utf8_single((struct lu_str){ m->p, m->n }, &c))
		return false;
	e->insert_after = lu_char_set_has(&insert->after, u, c);
	e->insert_before = lu_char_set_has(&insert->pattern.lookahead, u, c);
	/* A character must not be deleted after it may have caused an insertion. */
	return apply(components, u, middle, components->norms, m) && m->n > 0;
}

static bool make_cell(struct lu_normalizer_pass *pass, int marked, unsigned state, uint32_t c,
		const struct lu_normalizer_exception *e)
{
	struct lu_normalizer_cell *cell = &pass->cell[marked][state][c];
	const struct lu_normalizer_string *before = state == LU_NORMALIZER_START ? &pass->prefix
			: state == LU_NORMALIZER_PENDING && e->insert_before	 ? &pass->inserted
										 : NULL;
	struct lu_str own = marked ? e->mapping.marked : e->mapping.plain, b = { "", 0 };

	*cell = (struct lu_normalizer_cell){ .n = 0 };
	if (e->deleted)
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

static bool make_cells(struct lu_normalizer_pass *pass, const struct lu_components *components,
		const struct lu_frozen_unicode *u, const struct shape *shape,
		struct lu_arena *arena)
{
	for (uint32_t c = 0; c < 128; c++) {
		struct mapping m;
		struct lu_normalizer_exception e;

		if (!map_char(components, u, shape, c, &m, &e) || !store(arena, &m, &e.mapping))
			return false;
		pass->next[c] = e.deleted	 ? LU_NORMALIZER_DELETED
				: e.insert_after ? LU_NORMALIZER_PENDING
						 : LU_NORMALIZER_INSIDE;
		for (int k = 0; k < 2 * LU_NORMALIZER_STATES; k++) {
			if (!make_cell(pass, k & 1, (unsigned)k / 2, c, &e))
				return false;
		}
	}
	return true;
}

static const struct lu_normalizer_exception *find_exception(
		const struct lu_normalizer_pass *pass, uint32_t c)
{
	for (size_t i = 0; i < pass->exceptions; i++) {
		if (pass->exception[i].c == c)
			return &pass->exception[i];
	}
	return NULL;
}

static bool add_exception(struct lu_normalizer_pass *pass, const struct lu_components *components,
		const struct lu_frozen_unicode *u, const struct shape *shape,
		struct lu_arena *arena, uint32_t c)
{
	struct mapping m;
	char utf8[4];

	if (c < 128 || find_exception(pass, c))
		return true;
	lu_utf8_put(c, utf8);
	pass->next[(unsigned char)utf8[0]] = LU_NORMALIZER_EXCEPTION;
	return map_char(components, u, shape, c, &m, &pass->exception[pass->exceptions]) &&
			store(arena, &m, &pass->exception[pass->exceptions++].mapping);
}

/* Make an exception of every character that some step names. All others map to themselves, and are
 * in the look-ahead by their class. */
static bool make_exceptions(struct lu_normalizer_pass *pass, const struct lu_components *components,
		const struct lu_frozen_unicode *u, const struct shape *shape,
		struct lu_arena *arena)
{
	size_t max = 1;

	for (size_t i = 0; i < components->norms; i++)
		max += 1 + components->norm[i].pattern.set.n + components->norm[i].after.n;
	pass->exception = lu_arena_alloc(arena, max * sizeof(*pass->exception));
	if (!pass->exception || !add_exception(pass, components, u, shape, arena, LU_MARK_CHAR))
		return false;
	for (size_t i = 0; i < components->norms; i++) {
		const struct lu_norm_step *step = &components->norm[i];
		const struct lu_char_set *set = step->kind == LU_NORM_REPLACE ? &step->pattern.set
				: step->kind == LU_NORM_INSERT		      ? &step->after
									      : NULL;
		const char *p = step->pattern.literal.p;

		if (step->kind == LU_NORM_REPLACE && step->pattern.literal.n &&
				!add_exception(pass, components, u, shape, arena, lu_utf8_next(&p)))
			return false;
		for (size_t k = 0; set && k < set->n; k++) {
			if (!add_exception(pass, components, u, shape, arena, set->c[k]))
				return false;
		}
	}
	return true;
}

/* Map the string of an Insert or Prepend step by the steps after it. */
static bool map_constant(const struct lu_components *components, const struct lu_frozen_unicode *u,
		size_t step, struct lu_arena *arena, struct lu_normalizer_string *out)
{
	struct mapping m = { .n = 0 };

	if (step == SIZE_MAX)
		return true;
	return append(&m, components->norm[step].content) &&
			apply(components, u, step + 1, components->norms, &m) &&
			store(arena, &m, out);
}

int lu_normalizer_pass_build(struct lu_normalizer_pass *pass,
		const struct lu_components *components, const struct lu_frozen_unicode *u,
		struct lu_arena *arena, struct lu_err *err)
{
	struct shape shape;

	memset(pass, 0, sizeof(*pass));
	memset(pass->next + 128, LU_NORMALIZER_MULTIBYTE, 128);
	pass->form = -1;
	pass->inserted = pass->prefix = (struct lu_normalizer_string){ { "", 0 }, { "", 0 } };
	if (!find_shape(components, u, pass, &shape))
		return 0;
	if (shape.insert != SIZE_MAX)
		pass->lookahead = components->norm[shape.insert].pattern.lookahead;
	pass->identity = components->norms == (pass->form >= 0);
	pass->ok = map_constant(components, u, shape.insert, arena, &pass->inserted) &&
			map_constant(components, u, shape.prepend, arena, &pass->prefix) &&
			make_cells(pass, components, u, &shape, arena) &&
			make_exceptions(pass, components, u, &shape, arena);
	/* These fail for unsupported chains and for lack of memory alike; in the latter case every
	 * later allocation fails too. */
	return lu_arena_alloc(arena, 1) ? 0 : lu_err_nomem(err);
}

/* --- running ------------------------------------------------------------------------------ */

static char *copy(char *out, struct lu_str s)
{
	memcpy(out, s.p, s.n);
	return out + s.n;
}

/* Process a character from 128 on. */
static char *run_multibyte(const struct lu_normalizer_pass *pass, const struct lu_frozen_unicode *u,
		bool marked, unsigned *state, const char **p, char *out)
{
	const char *at = *p;
	uint32_t c = lu_utf8_next(p);
	const struct lu_normalizer_exception *e =
			pass->next[(unsigned char)*at] == LU_NORMALIZER_EXCEPTION
			? find_exception(pass, c)
			: NULL;
	struct lu_str own = { at, (size_t)(*p - at) };

	if (e && e->deleted)
		return out;
	if (*state == LU_NORMALIZER_START)
		out = copy(out, marked ? pass->prefix.marked : pass->prefix.plain);
	else if (*state == LU_NORMALIZER_PENDING &&
			(e ? e->insert_before : lu_char_set_has(&pass->lookahead, u, c)))
		out = copy(out, marked ? pass->inserted.marked : pass->inserted.plain);
	*state = e && e->insert_after ? LU_NORMALIZER_PENDING : LU_NORMALIZER_INSIDE;
	if (e)
		own = marked ? e->mapping.marked : e->mapping.plain;
	return copy(out, own);
}

#define STRETCH 4096

/* The length in a cell that was loaded as one number: its last byte. */
static inline size_t cell_size(uint64_t cell)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? cell >> 56 : cell & 0xFF;
}

/* Reserve output for n bytes of input: at most 7 bytes for each below 128, and whole cells are
 * stored. Output of multi-byte characters is checked one by one. */
static char *reserve(struct lu_buf *to, size_t n)
{
	return lu_buf_reserve(to, 7 * n + 4 * MAX_MAPPING) ? to->p + to->n : NULL;
}

int lu_normalizer_pass_form(const struct lu_normalizer_pass *pass,
		const struct lu_frozen_unicode *u, struct lu_buf *to, struct lu_str *text,
		struct lu_err *err)
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

void lu_normalizer_pass_run(const struct lu_normalizer_pass *pass,
		const struct lu_frozen_unicode *u, bool marked, unsigned *state, struct lu_str text,
		struct lu_buf *to)
{
	const struct lu_normalizer_cell(*cells)[128] = pass->cell[marked];
	const char *p = text.p, *end = text.p + text.n, *stop = p;
	unsigned s = *state;
	char *out = NULL;

	while (p < end) {
		unsigned c, next;

		/* In stretches, so that the memory reserved stays close to what is used. */
		if (p >= stop) {
			if (out)
				to->n = (size_t)(out - to->p);
			stop = end - p > STRETCH ? p + STRETCH : end;
			out = reserve(to, (size_t)(stop - p));
			if (!out)
				return;
		}
		/* The next state depends on the character alone, so iterations are independent. */
		while (p < stop &&
				(next = pass->next[c = (unsigned char)*p]) < LU_NORMALIZER_STATES) {
			uint64_t cell;

			memcpy(&cell, &cells[s][c], sizeof(cell));
			memcpy(out, &cell, sizeof(cell));
			out += cell_size(cell);
			s = next;
			p++;
		}
		if (p >= stop)
			continue;
		if (pass->next[(unsigned char)*p] == LU_NORMALIZER_DELETED) {
			p++;
			continue;
		}
		out = run_multibyte(pass, u, marked, &s, &p, out);
		if ((size_t)(to->p + to->cap - out) < 7 * STRETCH + 2 * MAX_MAPPING) {
			to->n = (size_t)(out - to->p);
			out = reserve(to, STRETCH);
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
