#include "libcommon/tokenizer/components.h"

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/normalizer_pass.h"

#define MAX_STEPS 64 /* of one component; the longest in use has 22 */
#define MAX_DEPTH 4  /* of Sequences in Sequences */

static bool is_null(struct lu_str raw)
{
	return raw.n == 0 || lu_str_is(raw, "null");
}

/* A component being read. Sequences are flattened; read_step() reads anything else. */
struct chain {
	const struct lu_component_reader *r;
	struct lu_frozen_unicode *u;
	struct lu_components *out;
	size_t n; /* steps so far */
	int depth;
	const char *list; /* the key of a Sequence's array */
	int (*read_step)(struct chain *ch, const struct lu_json_obj *obj, struct lu_str type);
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
		return lu_component_fail(ch->r, "a component is not an object");
	if (lu_component_object(ch->r, raw, &obj, &type) < 0)
		return -1;
	if (!lu_str_is(type, "Sequence")) {
		if (ch->n == MAX_STEPS)
			return lu_component_fail(ch->r, "more than %d steps", MAX_STEPS);
		return ch->read_step(ch, &obj, type);
	}
	if (ch->depth == MAX_DEPTH)
		return lu_component_fail(ch->r, "Sequence nested too deeply");
	if (lu_component_check_keys(ch->r, &obj, ch->list) < 0 ||
			lu_component_array(ch->r, &obj, ch->list, &it) < 0)
		return -1;
	ch->depth++;
	while (rc == 0 && lu_json_next(&it))
		rc = is_null(it.value) ? lu_component_fail(ch->r, "a component is null")
				       : read_chain(ch, it.value);
	ch->depth--;
	return rc;
}

static int unsupported(const struct lu_component_reader *r, struct lu_str type)
{
	return lu_component_fail(r, "\"" LU_STR_FMT "\" is not supported", LU_STR_ARG(type));
}

/* --- normalizer --------------------------------------------------------------------------- */

static void mark_lead(struct lu_norm_step *step, struct lu_str s)
{
	step->lead[(unsigned char)s.p[0]] = 1;
}

static void mark_leads(struct lu_norm_step *step)
{
	const struct lu_pattern *pattern = &step->pattern;
	char c[4];

	memset(step->lead, pattern->set.classes && !pattern->literal.n ? 1 : 0, sizeof(step->lead));
	if (pattern->literal.n)
		mark_lead(step, pattern->literal);
	for (size_t i = 0; i < pattern->set.n; i++)
		mark_lead(step, (struct lu_str){ c, lu_utf8_put(pattern->set.c[i], c) });
}

static int read_norm_step(struct chain *ch, const struct lu_json_obj *obj, struct lu_str type)
{
	static const char *const form[LU_FORMS] = { [LU_FORM_NFC] = "NFC",
		[LU_FORM_NFD] = "NFD",
		[LU_FORM_NFKC] = "NFKC",
		[LU_FORM_NFKD] = "NFKD" };
	const struct lu_component_reader *r = ch->r;
	struct lu_norm_step *step = &ch->out->norm[ch->n++];

	*step = (struct lu_norm_step){ .left = true, .right = true };
	for (int i = 0; i < LU_FORMS; i++) {
		if (!lu_str_is(type, form[i]))
			continue;
		step->kind = LU_NORM_FORM;
		step->form = (enum lu_normal_form)i;
		if (lu_component_check_keys(r, obj, "") < 0)
			return -1;
		return lu_frozen_load_form(ch->u, step->form, r->err);
	}
	if (lu_str_is(type, "Replace")) {
		step->kind = LU_NORM_REPLACE;
		if (lu_component_check_keys(r, obj, "pattern|content") < 0 ||
				lu_pattern_read(r, obj, &step->pattern) < 0 ||
				lu_component_str(r, obj, "content", &step->content) < 0)
			return -1;
		mark_leads(step);
		return 0;
	}
	if (lu_str_is(type, "Prepend")) {
		step->kind = LU_NORM_PREPEND;
		if (lu_component_check_keys(r, obj, "prepend") < 0)
			return -1;
		return lu_component_str(r, obj, "prepend", &step->content);
	}
	if (lu_str_is(type, "Strip")) {
		step->kind = LU_NORM_STRIP;
		if (lu_component_check_keys(r, obj, "strip_left|strip_right") < 0 ||
				lu_component_bool(r, obj, "strip_left", &step->left) < 0)
			return -1;
		return lu_component_bool(r, obj, "strip_right", &step->right);
	}
	return unsupported(r, type);
}

/* True if the step replaces a character *c, before one of a set, by itself and *inserted. */
static bool inserts(const struct lu_norm_step *step, uint32_t *c, struct lu_str *inserted)
{
	struct lu_str lit = step->pattern.literal, content = step->content;

	if (step->kind != LU_NORM_REPLACE || !step->pattern.has_lookahead ||
			!lu_utf8_single(lit, c) || content.n <= lit.n ||
			memcmp(content.p, lit.p, lit.n) != 0)
		return false;
	*inserted = (struct lu_str){ content.p + lit.n, content.n - lit.n };
	return true;
}

static bool has_char(struct lu_str s, uint32_t c)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		if (lu_utf8_next(&p) == c)
			return true;
	}
	return false;
}

static bool same_set(const struct lu_char_set *a, const struct lu_char_set *b)
{
	return a->classes == b->classes && a->n == b->n &&
			(a->n == 0 || memcmp(a->c, b->c, a->n * sizeof(*a->c)) == 0);
}

static bool can_join(const struct lu_norm_step *insert, const struct lu_norm_step *next, uint32_t c,
		struct lu_str inserted)
{
	if (insert->kind != LU_NORM_INSERT || !lu_str_eq(insert->content, inserted) ||
			!same_set(&insert->pattern.lookahead, &next->pattern.lookahead))
		return false;
	for (size_t i = 0; i < insert->after.n; i++) {
		if (insert->after.c[i] == c)
			return false;
	}
	return true;
}

/*
 * Join runs of steps "c before one of [set] becomes c s", with different c but the same set and s,
 * where s contains none of the c, into one Insert step. One pass gives the result of many: a step
 * changes only what follows its own c, and looks at nothing but what follows its own c.
 */
static int join_inserts(struct chain *ch)
{
	struct lu_norm_step *step = ch->out->norm;
	size_t n = 0;

	for (size_t i = 0; i < ch->n; i++) {
		struct lu_norm_step *last;
		struct lu_str inserted;
		uint32_t c;

		if (!inserts(&step[i], &c, &inserted) || has_char(inserted, c)) {
			step[n++] = step[i];
			continue;
		}
		if (n == 0 || !can_join(&step[n - 1], &step[i], c, inserted)) {
			step[n] = step[i];
			last = &step[n++];
			last->kind = LU_NORM_INSERT;
			last->content = inserted;
			last->after = (struct lu_char_set){
				.c = lu_arena_alloc(ch->r->arena, MAX_STEPS * sizeof(uint32_t))
			};
			if (!last->after.c)
				return lu_err_nomem(ch->r->err);
		}
		last = &step[n - 1];
		mark_lead(last, step[i].pattern.literal);
		last->after.c[last->after.n++] = c;
	}
	ch->out->norms = n;
	return 0;
}

int lu_components_read_normalizer(const struct lu_component_reader *r, struct lu_str raw,
		struct lu_frozen_unicode *u, struct lu_components *components)
{
	struct chain ch = { .r = r,
		.u = u,
		.out = components,
		.list = "normalizers",
		.read_step = read_norm_step };

	components->norm = lu_arena_alloc(r->arena, MAX_STEPS * sizeof(*components->norm));
	if (!components->norm)
		return lu_err_nomem(r->err);
	if (read_chain(&ch, raw) < 0 || join_inserts(&ch) < 0)
		return -1;
	components->pass = lu_arena_alloc(r->arena, sizeof(*components->pass));
	if (!components->pass)
		return lu_err_nomem(r->err);
	return lu_normalizer_pass_build(components->pass, components, u, r->arena, r->err);
}

/* --- steps common to pre_tokenizer and decoder ----------------------------------------------- */

static int read_metaspace(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		struct lu_str *marker, enum lu_prepend_scheme *scheme, bool *split)
{
	struct lu_str name = { NULL, 0 }, old_marker = { NULL, 0 };
	bool prefix = true;

	*marker = LU_STR("\xE2\x96\x81");
	*scheme = LU_PREPEND_ALWAYS;
	*split = true;
	if (lu_component_check_keys(r, obj,
			    "replacement|prepend_scheme|split|add_prefix_space|str_rep") < 0 ||
			lu_component_str(r, obj, "replacement", marker) < 0 ||
			lu_component_opt_str(r, obj, "prepend_scheme", &name) < 0 ||
			lu_component_opt_str(r, obj, "str_rep", &old_marker) < 0 ||
			lu_component_bool(r, obj, "split", split) < 0 ||
			lu_component_bool(r, obj, "add_prefix_space", &prefix) < 0)
		return -1;
	if (lu_utf8_count(marker->p, marker->n) != 1)
		return lu_component_fail(r, "Metaspace: \"replacement\" is not one character");
	if (old_marker.p && !lu_str_eq(old_marker, *marker))
		return lu_component_fail(r, "Metaspace: \"str_rep\" differs from \"replacement\"");
	if (!name.p)
		*scheme = prefix ? LU_PREPEND_ALWAYS : LU_PREPEND_NEVER;
	else if (lu_str_is(name, "first"))
		*scheme = LU_PREPEND_FIRST;
	else if (lu_str_is(name, "never"))
		*scheme = LU_PREPEND_NEVER;
	else if (!lu_str_is(name, "always"))
		return lu_component_fail(r, "Metaspace: unknown \"prepend_scheme\"");
	if (name.p && !prefix && *scheme != LU_PREPEND_NEVER)
		return lu_component_fail(r,
				"Metaspace: \"add_prefix_space\" contradicts \"prepend_scheme\"");
	return 0;
}

static int read_byte_level(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		bool *prefix, bool *regex)
{
	bool trim = true;

	*prefix = *regex = true;
	if (lu_component_check_keys(r, obj, "add_prefix_space|trim_offsets|use_regex") < 0 ||
			lu_component_bool(r, obj, "add_prefix_space", prefix) < 0 ||
			lu_component_bool(r, obj, "trim_offsets", &trim) < 0)
		return -1;
	return lu_component_bool(r, obj, "use_regex", regex);
}

/* --- pre_tokenizer ------------------------------------------------------------------------ */

static int read_behavior(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		enum lu_split_behavior *out)
{
	static const char *const name[] = { [LU_BEHAVIOR_REMOVED] = "Removed",
		[LU_BEHAVIOR_ISOLATED] = "Isolated",
		[LU_BEHAVIOR_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
		[LU_BEHAVIOR_MERGED_WITH_NEXT] = "MergedWithNext",
		[LU_BEHAVIOR_CONTIGUOUS] = "Contiguous" };
	struct lu_str s = LU_STR("Isolated");

	if (lu_component_opt_str(r, obj, "behavior", &s) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		if (lu_str_is(s, name[i])) {
			*out = (enum lu_split_behavior)i;
			return 0;
		}
	}
	return lu_component_fail(r, "behavior \"" LU_STR_FMT "\" is not supported", LU_STR_ARG(s));
}

static int read_split(const struct lu_component_reader *r, const struct lu_json_obj *obj,
		struct lu_pre_step *step)
{
	const struct lu_json_member *m = lu_json_get(obj, "pattern");
	struct lu_json_obj pattern;
	struct lu_str type;

	if (lu_component_check_keys(r, obj, "pattern|behavior|invert") < 0 ||
			read_behavior(r, obj, &step->behavior) < 0 ||
			lu_component_bool(r, obj, "invert", &step->invert) < 0)
		return -1;
	if (!m || m->type != LU_JSON_OBJECT)
		return lu_component_fail(r, "Split: \"pattern\" is not an object");
	if (lu_component_object(r, m->value, &pattern, &type) < 0 ||
			lu_component_check_keys(r, &pattern, "String|Regex") < 0)
		return -1;
	if (lu_json_get(&pattern, "String")) {
		step->kind = LU_PRE_SPLIT_LITERAL;
		if (lu_component_str(r, &pattern, "String", &step->text) < 0)
			return -1;
		return step->text.n ? 0 : lu_component_fail(r, "Split: \"pattern\" is empty");
	}
	step->kind = LU_PRE_SPLIT_REGEX;
	if (lu_component_str(r, &pattern, "Regex", &step->text) < 0)
		return -1;
	step->regex = lu_split_regex_find(step->text);
	if (step->regex == LU_SPLIT_NONE)
		return lu_component_fail(r,
				"Split: the expression \"" LU_STR_FMT "\" is not supported",
				LU_STR_ARG(step->text));
	/* These expressions match everywhere, so nothing lies between matches. The other behaviours
	 * would join or remove the whole text; no published file asks for that. */
	if (step->behavior != LU_BEHAVIOR_ISOLATED &&
			!(step->behavior == LU_BEHAVIOR_REMOVED && step->invert))
		return lu_component_fail(
				r, "Split: this behavior with an expression is not supported");
	return 0;
}

static int read_pre_step(struct chain *ch, const struct lu_json_obj *obj, struct lu_str type)
{
	const struct lu_component_reader *r = ch->r;
	struct lu_pre_step *step = &ch->out->pre[ch->n++];
	bool regex;

	*step = (struct lu_pre_step){ .text = { "", 0 } };
	if (ch->out->byte_level)
		return lu_component_fail(r, "ByteLevel is not the last step");
	if (lu_str_is(type, "Metaspace")) {
		step->kind = LU_PRE_METASPACE;
		return read_metaspace(r, obj, &step->text, &step->scheme, &step->split);
	}
	if (lu_str_is(type, "Digits")) {
		step->kind = LU_PRE_DIGITS;
		if (lu_component_check_keys(r, obj, "individual_digits") < 0)
			return -1;
		return lu_component_bool(r, obj, "individual_digits", &step->individual);
	}
	if (lu_str_is(type, "Punctuation")) {
		step->kind = LU_PRE_PUNCTUATION;
		if (lu_component_check_keys(r, obj, "behavior") < 0)
			return -1;
		return read_behavior(r, obj, &step->behavior);
	}
	if (lu_str_is(type, "Split"))
		return read_split(r, obj, step);
	if (lu_str_is(type, "Whitespace") || lu_str_is(type, "WhitespaceSplit")) {
		step->kind = lu_str_is(type, "Whitespace") ? LU_PRE_WHITESPACE
							   : LU_PRE_WHITESPACE_SPLIT;
		return lu_component_check_keys(r, obj, "");
	}
	if (lu_str_is(type, "ByteLevel")) {
		step->kind = LU_PRE_BYTE_LEVEL;
		ch->out->byte_level = true;
		if (read_byte_level(r, obj, &step->prefix_space, &regex) < 0)
			return -1;
		step->regex = regex ? LU_SPLIT_GPT2 : LU_SPLIT_NONE;
		return 0;
	}
	return unsupported(r, type);
}

int lu_components_read_pre_tokenizer(const struct lu_component_reader *r, struct lu_str raw,
		struct lu_components *components)
{
	struct chain ch = {
		.r = r, .out = components, .list = "pretokenizers", .read_step = read_pre_step
	};

	components->pre = lu_arena_alloc(r->arena, MAX_STEPS * sizeof(*components->pre));
	if (!components->pre)
		return lu_err_nomem(r->err);
	if (read_chain(&ch, raw) < 0)
		return -1;
	components->pres = ch.n;
	return 0;
}

/* --- decoder ------------------------------------------------------------------------------ */

static int read_decode_step(struct chain *ch, const struct lu_json_obj *obj, struct lu_str type)
{
	const struct lu_component_reader *r = ch->r;
	struct lu_decode_step *step = &ch->out->dec[ch->n++];
	bool ignored, ignored_too;

	*step = (struct lu_decode_step){ .content = { "", 0 } };
	if (lu_str_is(type, "Replace")) {
		step->kind = LU_DECODE_REPLACE;
		if (lu_component_check_keys(r, obj, "pattern|content") < 0 ||
				lu_pattern_read(r, obj, &step->pattern) < 0)
			return -1;
		if (!step->pattern.literal.n || step->pattern.has_lookahead)
			return lu_component_fail(r, "Replace: only a literal is supported here");
		return lu_component_str(r, obj, "content", &step->content);
	}
	if (lu_str_is(type, "ByteFallback") || lu_str_is(type, "Fuse")) {
		step->kind = lu_str_is(type, "Fuse") ? LU_DECODE_FUSE : LU_DECODE_BYTE_FALLBACK;
		return lu_component_check_keys(r, obj, "");
	}
	if (lu_str_is(type, "Strip")) {
		step->kind = LU_DECODE_STRIP;
		if (lu_component_check_keys(r, obj, "content|start|stop") < 0 ||
				lu_component_str(r, obj, "content", &step->content) < 0 ||
				lu_component_u64(r, obj, "start", 1 << 20, &step->start) < 0 ||
				lu_component_u64(r, obj, "stop", 1 << 20, &step->stop) < 0)
			return -1;
		if (lu_utf8_count(step->content.p, step->content.n) != 1)
			return lu_component_fail(r, "Strip: \"content\" is not one character");
		return 0;
	}
	if (lu_str_is(type, "Metaspace")) {
		step->kind = LU_DECODE_METASPACE;
		return read_metaspace(r, obj, &step->content, &step->scheme, &ignored);
	}
	if (lu_str_is(type, "ByteLevel")) {
		step->kind = LU_DECODE_BYTE_LEVEL;
		return read_byte_level(r, obj, &ignored, &ignored_too);
	}
	return unsupported(r, type);
}

int lu_components_read_decoder(const struct lu_component_reader *r, struct lu_str raw,
		struct lu_components *components)
{
	struct chain ch = {
		.r = r, .out = components, .list = "decoders", .read_step = read_decode_step
	};

	components->dec = lu_arena_alloc(r->arena, MAX_STEPS * sizeof(*components->dec));
	if (!components->dec)
		return lu_err_nomem(r->err);
	if (read_chain(&ch, raw) < 0)
		return -1;
	components->decs = ch.n;
	for (size_t i = 0; i < ch.n; i++) {
		struct lu_decode_step *step = &components->dec[i];

		step->needle = step->kind == LU_DECODE_METASPACE	? step->content
				: step->kind == LU_DECODE_REPLACE	? step->pattern.literal
				: step->kind == LU_DECODE_BYTE_FALLBACK ? LU_STR("<0x")
									: LU_STR("");
	}
	components->has_decoder = !is_null(raw);
	return 0;
}
