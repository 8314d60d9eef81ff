/* Reads the normalizer, pre_tokenizer and decoder of a tokenizer.json into lists of steps. */
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/normalizer_pass.h"

#define STEPS 64 /* in one chain; the longest in use has 22 */

static bool is_null(struct lu_str raw)
{
	return raw.n == 0 || lu_str_is(raw, "null");
}

/* A chain is read by one function a component; a Sequence reads its elements. Sequences in
 * sequences are flattened, to a depth that no real file has. */
struct chain {
	const struct lu_tj *j;
	struct lu_frozen_unicode *u;
	struct lu_parts *parts;
	size_t n;
	int depth;
	const char *list; /* the name of a Sequence's array */
	int (*one)(struct chain *ch, const struct lu_json_obj *obj, struct lu_str type);
};

static int read_chain(struct chain *ch, struct lu_str raw)
{
	struct lu_json_obj obj;
	struct lu_json_iter it;
	struct lu_str type;
	int rc = 0;

	if (is_null(raw))
		return 0;
	if (*raw.p != '{')
		return lu_tj_fail(ch->j, "a component is not an object");
	if (lu_tj_object(ch->j, raw, &obj, &type) < 0)
		return -1;
	if (!lu_str_is(type, "Sequence")) {
		if (ch->n == STEPS)
			return lu_tj_fail(ch->j, "more than %d steps", STEPS);
		return ch->one(ch, &obj, type);
	}
	if (ch->depth == 4)
		return lu_tj_fail(ch->j, "Sequence nested too deeply");
	if (lu_tj_only(ch->j, &obj, ch->list) < 0 || lu_tj_array(ch->j, &obj, ch->list, &it) < 0)
		return -1;
	ch->depth++;
	while (rc == 0 && lu_json_next(&it))
		rc = is_null(it.value) ? lu_tj_fail(ch->j, "a component is null")
				       : read_chain(ch, it.value);
	ch->depth--;
	return rc;
}

static int unsupported(const struct lu_tj *j, struct lu_str type)
{
	return lu_tj_fail(j, "\"" LU_STR_FMT "\" is not supported", LU_STR_ARG(type));
}

/* --- normalizer --------------------------------------------------------------------------- */

static void mark_lead(struct lu_norm_op *op, struct lu_str s)
{
	op->lead[(unsigned char)s.p[0]] = 1;
}

/* Which first bytes can begin a match. */
static void find_leads(struct lu_norm_op *op)
{
	const struct lu_pattern *p = &op->pattern;
	char c[4];

	memset(op->lead, p->set.cls && !p->lit.n ? 1 : 0, sizeof(op->lead));
	if (p->lit.n)
		mark_lead(op, p->lit);
	for (size_t i = 0; i < p->set.n; i++)
		mark_lead(op, (struct lu_str){ c, lu_utf8_put(p->set.c[i], c) });
}

static int read_norm(struct chain *ch, const struct lu_json_obj *obj, struct lu_str type)
{
	static const char *const form[] = { "NFC", "NFD", "NFKC", "NFKD" };
	const struct lu_tj *j = ch->j;
	struct lu_norm_op *op = &ch->parts->norm[ch->n++];

	*op = (struct lu_norm_op){ .left = true, .right = true };
	for (int i = 0; i < 4; i++) {
		if (lu_str_is(type, form[i])) {
			op->kind = LU_NORM_FORM;
			op->form = (enum lu_normal_form)i;
			return lu_tj_only(j, obj, "") < 0
					? -1
					: lu_frozen_load_form(ch->u, op->form, j->err);
		}
	}
	if (lu_str_is(type, "Replace")) {
		op->kind = LU_NORM_REPLACE;
		if (lu_tj_only(j, obj, "pattern|content") < 0 ||
				lu_pattern_read(j, obj, &op->pattern) < 0 ||
				lu_tj_str(j, obj, "content", &op->content) < 0)
			return -1;
		find_leads(op);
		return 0;
	}
	if (lu_str_is(type, "Prepend")) {
		op->kind = LU_NORM_PREPEND;
		return lu_tj_only(j, obj, "prepend") < 0
				? -1
				: lu_tj_str(j, obj, "prepend", &op->content);
	}
	if (lu_str_is(type, "Strip")) {
		op->kind = LU_NORM_STRIP;
		return lu_tj_only(j, obj, "strip_left|strip_right") < 0 ||
						lu_tj_bool(j, obj, "strip_left", &op->left) < 0 ||
						lu_tj_bool(j, obj, "strip_right", &op->right) < 0
				? -1
				: 0;
	}
	return unsupported(j, type);
}

/* Is this step "one character, before one of a set: put something after it"? */
static bool inserts(const struct lu_norm_op *op, uint32_t *c)
{
	const char *p = op->pattern.lit.p;

	if (op->kind != LU_NORM_REPLACE || !op->pattern.lit.n || !op->pattern.look)
		return false;
	*c = lu_utf8_next(&p);
	return p == op->pattern.lit.p + op->pattern.lit.n && op->content.n > op->pattern.lit.n &&
			memcmp(op->content.p, op->pattern.lit.p, op->pattern.lit.n) == 0;
}

static bool same_set(const struct lu_cset *a, const struct lu_cset *b)
{
	return a->cls == b->cls && a->n == b->n &&
			(a->n == 0 || memcmp(a->c, b->c, a->n * sizeof(*a->c)) == 0);
}

static bool can_join(const struct lu_norm_op *row, const struct lu_norm_op *next, uint32_t c)
{
	struct lu_str added = { next->content.p + next->pattern.lit.n,
		next->content.n - next->pattern.lit.n };
	const char *p = added.p;

	if (!lu_str_eq(row->content, added) || !same_set(&row->pattern.ahead, &next->pattern.ahead))
		return false;
	for (size_t i = 0; i < row->after.n; i++) {
		if (row->after.c[i] == c)
			return false;
	}
	while (p < added.p + added.n) {
		if (lu_utf8_next(&p) == c)
			return false;
	}
	return true;
}

/*
 * A row of steps "c before [set] becomes c + s", with different c, the same set and the same s
 * that holds none of the c, does in one pass what it does in many: a step changes only what
 * stands after its own c, and no step looks at anything else than what stands after its own.
 */
static int join_inserts(struct chain *ch)
{
	struct lu_norm_op *op = ch->parts->norm;
	size_t n = 0;

	for (size_t i = 0; i < ch->n; i++) {
		struct lu_norm_op *last = n ? &op[n - 1] : NULL;
		uint32_t c;

		if (!inserts(&op[i], &c)) {
			op[n++] = op[i];
			continue;
		}
		if (!last || last->kind != LU_NORM_INSERT || !can_join(last, &op[i], c)) {
			struct lu_str added = { op[i].content.p + op[i].pattern.lit.n,
				op[i].content.n - op[i].pattern.lit.n };
			const char *p = added.p;
			bool own = false;

			while (p < added.p + added.n)
				own |= lu_utf8_next(&p) == c;
			if (own) {
				op[n++] = op[i];
				continue;
			}
			op[n] = op[i];
			last = &op[n++];
			last->kind = LU_NORM_INSERT;
			last->content = added;
			last->after = (struct lu_cset){
				lu_arena_alloc(ch->j->arena, STEPS * sizeof(uint32_t)), 0, 0
			};
			if (!last->after.c)
				return lu_err_nomem(ch->j->err);
		}
		mark_lead(last, op[i].pattern.lit);
		last->after.c[last->after.n++] = c;
	}
	ch->parts->norms = n;
	return 0;
}

int lu_parts_normalizer(const struct lu_tj *j, struct lu_str raw, struct lu_frozen_unicode *u,
		struct lu_parts *parts)
{
	struct chain ch = {
		.j = j, .u = u, .parts = parts, .list = "normalizers", .one = read_norm
	};

	parts->norm = lu_arena_alloc(j->arena, STEPS * sizeof(*parts->norm));
	if (!parts->norm)
		return lu_err_nomem(j->err);
	if (read_chain(&ch, raw) < 0 || join_inserts(&ch) < 0)
		return -1;
	parts->pass = lu_arena_alloc(j->arena, sizeof(*parts->pass));
	if (!parts->pass)
		return lu_err_nomem(j->err);
	return lu_pass_make(parts->pass, parts, u, j->arena, j->err);
}

/* --- pre_tokenizer ------------------------------------------------------------------------ */

static int read_behavior(
		const struct lu_tj *j, const struct lu_json_obj *obj, enum lu_behavior *out)
{
	static const char *const name[] = { "Removed", "Isolated", "MergedWithPrevious",
		"MergedWithNext", "Contiguous" };
	struct lu_str s = LU_STR("Isolated");

	if (lu_tj_opt_str(j, obj, "behavior", &s) < 0)
		return -1;
	for (int i = 0; i < 5; i++) {
		if (lu_str_is(s, name[i])) {
			*out = (enum lu_behavior)i;
			return 0;
		}
	}
	return lu_tj_fail(j, "behavior \"" LU_STR_FMT "\" is not supported", LU_STR_ARG(s));
}

static int read_metaspace(const struct lu_tj *j, const struct lu_json_obj *obj, struct lu_str *mark,
		enum lu_scheme *scheme, bool *split)
{
	struct lu_str s = { NULL, 0 }, old = { NULL, 0 };
	bool prefix = true;

	*mark = LU_STR("\xE2\x96\x81");
	*scheme = LU_ALWAYS;
	*split = true;
	if (lu_tj_only(j, obj, "replacement|prepend_scheme|split|add_prefix_space|str_rep") < 0 ||
			lu_tj_str(j, obj, "replacement", mark) < 0 ||
			lu_tj_opt_str(j, obj, "prepend_scheme", &s) < 0 ||
			lu_tj_opt_str(j, obj, "str_rep", &old) < 0 ||
			lu_tj_bool(j, obj, "split", split) < 0 ||
			lu_tj_bool(j, obj, "add_prefix_space", &prefix) < 0)
		return -1;
	if (lu_utf8_count(mark->p, mark->n) != 1)
		return lu_tj_fail(j, "Metaspace: \"replacement\" is not one character");
	if (old.p && !lu_str_eq(old, *mark))
		return lu_tj_fail(j, "Metaspace: \"str_rep\" differs from \"replacement\"");
	if (!s.p)
		*scheme = prefix ? LU_ALWAYS : LU_NEVER;
	else if (lu_str_is(s, "first"))
		*scheme = LU_FIRST;
	else if (lu_str_is(s, "never"))
		*scheme = LU_NEVER;
	else if (!lu_str_is(s, "always"))
		return lu_tj_fail(j, "Metaspace: unknown \"prepend_scheme\"");
	if (s.p && !prefix && *scheme != LU_NEVER)
		return lu_tj_fail(j,
				"Metaspace: \"add_prefix_space\" contradicts \"prepend_scheme\"");
	return 0;
}

static int read_split(const struct lu_tj *j, const struct lu_json_obj *obj, struct lu_pre_op *op)
{
	const struct lu_json_member *m = lu_json_get(obj, "pattern");
	struct lu_json_obj p;
	struct lu_str type;

	if (lu_tj_only(j, obj, "pattern|behavior|invert") < 0 ||
			read_behavior(j, obj, &op->behavior) < 0 ||
			lu_tj_bool(j, obj, "invert", &op->invert) < 0)
		return -1;
	if (!m || m->type != LU_JSON_OBJECT)
		return lu_tj_fail(j, "Split: \"pattern\" is not an object");
	if (lu_tj_object(j, m->value, &p, &type) < 0 || lu_tj_only(j, &p, "String|Regex") < 0)
		return -1;
	if (lu_json_get(&p, "String")) {
		op->kind = LU_PRE_SPLIT_LITERAL;
		if (lu_tj_str(j, &p, "String", &op->text) < 0)
			return -1;
		return op->text.n ? 0 : lu_tj_fail(j, "Split: \"pattern\" is empty");
	}
	op->kind = LU_PRE_SPLIT_REGEX;
	if (lu_tj_str(j, &p, "Regex", &op->text) < 0)
		return -1;
	op->regex = lu_split_regex_known(op->text);
	if (op->regex == LU_SPLIT_NONE)
		return lu_tj_fail(j, "Split: the expression \"" LU_STR_FMT "\" is not supported",
				LU_STR_ARG(op->text));
	/* These match everywhere, so "what did not match" is empty; the other behaviours would glue
	 * or drop all of it, and no file asks for that. */
	if (op->behavior != LU_ISOLATED && !(op->behavior == LU_REMOVED && op->invert))
		return lu_tj_fail(j, "Split: this behavior with an expression is not supported");
	return 0;
}

static int read_byte_level(
		const struct lu_tj *j, const struct lu_json_obj *obj, bool *prefix, bool *regex)
{
	bool trim = true;

	*prefix = *regex = true;
	return lu_tj_only(j, obj, "add_prefix_space|trim_offsets|use_regex") < 0 ||
					lu_tj_bool(j, obj, "add_prefix_space", prefix) < 0 ||
					lu_tj_bool(j, obj, "trim_offsets", &trim) < 0 ||
					lu_tj_bool(j, obj, "use_regex", regex) < 0
			? -1
			: 0;
}

static int read_pre(struct chain *ch, const struct lu_json_obj *obj, struct lu_str type)
{
	const struct lu_tj *j = ch->j;
	struct lu_pre_op *op = &ch->parts->pre[ch->n++];
	bool regex;

	*op = (struct lu_pre_op){ .text = { "", 0 } };
	if (ch->parts->byte_level)
		return lu_tj_fail(j, "ByteLevel is not the last step");
	if (lu_str_is(type, "Metaspace")) {
		op->kind = LU_PRE_METASPACE;
		return read_metaspace(j, obj, &op->text, &op->scheme, &op->split);
	}
	if (lu_str_is(type, "Digits")) {
		op->kind = LU_PRE_DIGITS;
		return lu_tj_only(j, obj, "individual_digits") < 0
				? -1
				: lu_tj_bool(j, obj, "individual_digits", &op->individual);
	}
	if (lu_str_is(type, "Punctuation")) {
		op->kind = LU_PRE_PUNCTUATION;
		return lu_tj_only(j, obj, "behavior") < 0 ? -1
							  : read_behavior(j, obj, &op->behavior);
	}
	if (lu_str_is(type, "Split"))
		return read_split(j, obj, op);
	if (lu_str_is(type, "Whitespace") || lu_str_is(type, "WhitespaceSplit")) {
		op->kind = type.n == 10 ? LU_PRE_WHITESPACE : LU_PRE_WHITESPACE_SPLIT;
		return lu_tj_only(j, obj, "");
	}
	if (lu_str_is(type, "ByteLevel")) {
		op->kind = LU_PRE_BYTE_LEVEL;
		ch->parts->byte_level = true;
		if (read_byte_level(j, obj, &op->prefix_space, &regex) < 0)
			return -1;
		op->regex = regex ? LU_SPLIT_GPT2 : LU_SPLIT_NONE;
		return 0;
	}
	return unsupported(j, type);
}

int lu_parts_pre_tokenizer(const struct lu_tj *j, struct lu_str raw, struct lu_parts *parts)
{
	struct chain ch = { .j = j, .parts = parts, .list = "pretokenizers", .one = read_pre };

	parts->pre = lu_arena_alloc(j->arena, STEPS * sizeof(*parts->pre));
	if (!parts->pre)
		return lu_err_nomem(j->err);
	if (read_chain(&ch, raw) < 0)
		return -1;
	parts->pres = ch.n;
	return 0;
}

/* --- decoder ------------------------------------------------------------------------------ */

static int read_dec(struct chain *ch, const struct lu_json_obj *obj, struct lu_str type)
{
	const struct lu_tj *j = ch->j;
	struct lu_dec_op *op = &ch->parts->dec[ch->n++];
	bool a, b;

	*op = (struct lu_dec_op){ .content = { "", 0 } };
	if (lu_str_is(type, "Replace")) {
		op->kind = LU_DEC_REPLACE;
		if (lu_tj_only(j, obj, "pattern|content") < 0 ||
				lu_pattern_read(j, obj, &op->pattern) < 0)
			return -1;
		if (!op->pattern.lit.n || op->pattern.look)
			return lu_tj_fail(j, "Replace: only a literal is supported here");
		return lu_tj_str(j, obj, "content", &op->content);
	}
	if (lu_str_is(type, "ByteFallback") || lu_str_is(type, "Fuse")) {
		op->kind = type.n == 4 ? LU_DEC_FUSE : LU_DEC_BYTE_FALLBACK;
		return lu_tj_only(j, obj, "");
	}
	if (lu_str_is(type, "Strip")) {
		op->kind = LU_DEC_STRIP;
		if (lu_tj_only(j, obj, "content|start|stop") < 0 ||
				lu_tj_str(j, obj, "content", &op->content) < 0 ||
				lu_tj_u64(j, obj, "start", 1 << 20, &op->start) < 0 ||
				lu_tj_u64(j, obj, "stop", 1 << 20, &op->stop) < 0)
			return -1;
		return lu_utf8_count(op->content.p, op->content.n) == 1
				? 0
				: lu_tj_fail(j, "Strip: \"content\" is not one character");
	}
	if (lu_str_is(type, "Metaspace")) {
		op->kind = LU_DEC_METASPACE;
		return read_metaspace(j, obj, &op->content, &op->scheme, &a);
	}
	if (lu_str_is(type, "ByteLevel")) {
		op->kind = LU_DEC_BYTE_LEVEL;
		return read_byte_level(j, obj, &a, &b);
	}
	return unsupported(j, type);
}

int lu_parts_decoder(const struct lu_tj *j, struct lu_str raw, struct lu_parts *parts)
{
	struct chain ch = { .j = j, .parts = parts, .list = "decoders", .one = read_dec };

	parts->dec = lu_arena_alloc(j->arena, STEPS * sizeof(*parts->dec));
	if (!parts->dec)
		return lu_err_nomem(j->err);
	if (read_chain(&ch, raw) < 0)
		return -1;
	parts->decs = ch.n;
	for (size_t i = 0; i < ch.n; i++) {
		struct lu_dec_op *op = &parts->dec[i];

		op->sought = op->kind == LU_DEC_METASPACE	   ? op->content
				: op->kind == LU_DEC_REPLACE	   ? op->pattern.lit
				: op->kind == LU_DEC_BYTE_FALLBACK ? LU_STR("<0x")
								   : (struct lu_str){ "", 0 };
	}
	parts->has_decoder = !is_null(raw);
	return 0;
}
