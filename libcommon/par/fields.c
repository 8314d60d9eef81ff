#include "libcommon/par/fields.h"

#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/suggest.h"

/* The names of lucie-records(5), and those that members in their way are kept under. */
static const struct {
	const char *name, *original;
} known[] = {
	{ "text", "text_original" },
	{ "id", "id_original" },
	{ "source", "source_original" },
	{ "lang", "lang_original" },
	{ "lang_score", "lang_score_original" },
	{ "license", "license_original" },
	{ "url", "url_original" },
	{ "date", "date_original" },
	{ "category", "category_original" },
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

/* Row of the name, or KNOWN. */
static size_t known_name(struct lu_str name)
{
	size_t k = 0;

	while (k < KNOWN && !lu_str_is(name, known[k].name))
		k++;
	return k;
}

/* --- options ------------------------------------------------------------------------------- */

static int unknown_name(struct lu_str name, struct lu_err *err)
{
	struct lu_suggest near = lu_suggest_for(name);
	struct lu_buf names = { 0 };

	for (size_t i = 0; i < KNOWN; i++) {
		lu_buf_printf(&names, "%s%s", i ? ", " : "", known[i].name);
		lu_suggest_try(&near, known[i].name);
	}
	lu_err_set(err, "--map: '" LU_STR_FMT "' is not one of " LU_STR_FMT "%s", LU_STR_ARG(name),
			LU_STR_ARG(lu_buf_slice(&names)), lu_suggest_hint(&near));
	lu_buf_release(&names);
	return -1;
}

/* True if one of the paths leads through the member that the other one names. */
static bool overlap(struct lu_str a, struct lu_str b)
{
	struct lu_str s = a.n < b.n ? a : b, l = a.n < b.n ? b : a;

	return memcmp(s.p, l.p, s.n) == 0 && (s.n == l.n || l.p[s.n] == '.');
}

static int add_field(struct lu_fields *f, const char *option, struct lu_str name,
		struct lu_str path, struct lu_err *err)
{
	size_t k = known_name(name);

	if (k == KNOWN)
		return unknown_name(name, err);
	if (path.n == 0)
		return lu_err_set(
				err, "%s: '%s' needs the name of a member", option, known[k].name);
	for (size_t i = 0; i < f->n; i++) {
		const struct lu_field *other = &f->field[i];

		if (other->target == known[k].name)
			return lu_err_set(err,
					"%s: '%s' is mapped twice, to '" LU_STR_FMT
					"' and '" LU_STR_FMT "'",
					option, known[k].name, LU_STR_ARG(other->path),
					LU_STR_ARG(path));
		if (overlap(other->path, path))
			return lu_err_set(err,
					"%s: '%s' and '%s' cannot both come from '" LU_STR_FMT "'",
					option, other->target, known[k].name,
					LU_STR_ARG(other->path.n < path.n ? other->path : path));
	}
	f->field[f->n++] = (struct lu_field){ known[k].name, path };
	return 0;
}

/* "NAME=PATH,NAME=PATH". */
static int add_item(struct lu_fields *f, struct lu_str item, struct lu_err *err)
{
	const char *p = item.p, *end = item.p + item.n;

	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p)), *to = comma ? comma : end;
		const char *equals = memchr(p, '=', (size_t)(to - p));

		if (!equals)
			return lu_err_set(err, "--map: '" LU_STR_FMT "' is not NAME=MEMBER",
					(int)(to - p), p);
		if (add_field(f, "--map", (struct lu_str){ p, (size_t)(equals - p) },
				    (struct lu_str){ equals + 1, (size_t)(to - equals - 1) },
				    err) < 0)
			return -1;
		if (!comma)
			return 0;
		p = comma + 1;
	}
}

int lu_fields_parse(struct lu_fields *f, const char *text_field, const struct lu_list *map,
		struct lu_err *err)
{
	*f = (struct lu_fields){ 0 };
	if (text_field &&
			add_field(f, "--text-field", LU_STR("text"), lu_str_of(text_field), err) <
					0)
		return -1;
	for (size_t i = 0; i < map->n; i++) {
		if (add_item(f, lu_str_of(map->item[i]), err) < 0)
			return -1;
	}
	return 0;
}

const struct lu_str *lu_fields_path(const struct lu_fields *f, const char *target)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->field[i].target, target) == 0)
			return &f->field[i].path;
	}
	return NULL;
}

/* --- looking up paths ---------------------------------------------------------------------- */

/* A member found by its path. */
struct place {
	size_t top; /* member of the record that is it or leads to it */
	bool nested;
	struct lu_str value;
	const char *cut_from, *cut_to; /* nested: the member and its comma */
};

struct lookup {
	struct lu_arena *arena;
	const char **reason;
};

static int bad(struct lookup *l, const char *reason)
{
	*l->reason = reason;
	return -1;
}

/* Length of the next shorter beginning of the path that ends before a dot, or 0. */
static size_t shorter(struct lu_str path, size_t n)
{
	const char *dot = n > 0 ? memrchr(path.p, '.', n) : NULL;

	return dot ? (size_t)(dot - path.p) : 0;
}

static struct lu_str behind(struct lu_str path, size_t n)
{
	return (struct lu_str){ path.p + n + 1, path.n - n - 1 };
}

/* Find the member `name` of a nested object: 1, 0 or -1. */
static int find_member(struct lookup *l, struct lu_str object, struct lu_str name, struct place *at,
		enum lu_json_type *type)
{
	struct lu_json_iter it = lu_json_iter(object);
	const char *before = NULL; /* end of the member before */
	bool first = false;	   /* found, without a comma before it */
	int found = 0;

	while (lu_json_next(&it)) {
		struct lu_str key;

		if (lu_json_decode(it.key, l->arena, &key) < 0)
			return bad(l, NULL);
		if (first)
			at->cut_to = it.key.p;
		first = false;
		if (lu_str_eq(key, name)) {
			if (found)
				return bad(l, lu_json_fault_text(LU_JSON_DUPLICATE));
			found = 1;
			first = !before;
			at->value = it.value;
			at->cut_from = before ? before : it.key.p;
			at->cut_to = it.value.p + it.value.n;
			*type = it.type;
		}
		before = it.value.p + it.value.n;
	}
	return found;
}

static int find_nested(struct lookup *l, struct lu_str object, struct lu_str path, struct place *at)
{
	for (size_t n = path.n; n > 0; n = shorter(path, n)) {
		struct place here = *at;
		enum lu_json_type type = LU_JSON_NULL;
		int rc = find_member(l, object, (struct lu_str){ path.p, n }, &here, &type);

		if (rc > 0 && n == path.n)
			*at = here;
		else if (rc > 0 && type == LU_JSON_OBJECT)
			rc = find_nested(l, here.value, behind(path, n), at);
		else if (rc > 0)
			rc = 0;
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The longest name wins: a member called "meta.lang" before "lang" in "meta". */
static int find(struct lookup *l, const struct lu_json_obj *obj, struct lu_str path,
		struct place *at)
{
	for (size_t n = path.n; n > 0; n = shorter(path, n)) {
		const struct lu_json_member *m = lu_json_find(obj, (struct lu_str){ path.p, n });
		int rc;

		if (!m)
			continue;
		*at = (struct place){
			.top = (size_t)(m - obj->member), .nested = n < path.n, .value = m->value
		};
		if (!at->nested)
			return 1;
		rc = m->type == LU_JSON_OBJECT ? find_nested(l, m->value, behind(path, n), at) : 0;
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* --- rewriting ----------------------------------------------------------------------------- */

/* What becomes of a member of the record. */
struct change {
	const char *name; /* its new one, or NULL */
	bool source;	  /* a path leads to it, so it makes room itself */
	bool drop;
	const char *cut_from, *cut_to; /* range of the value that is left out; or NULL */
};

struct rewrite {
	struct lookup lookup;
	const struct lu_json_obj *obj;
	struct change *change; /* of each member */
	struct place place[LU_FIELDS_MAX];
	bool found[LU_FIELDS_MAX];
	bool add[LU_FIELDS_MAX]; /* the value is appended */
	bool changed;
};

/* Make room for the target: 1; 0 if the member of that name holds the same value; or -1. */
static int move_away(struct rewrite *w, const struct lu_fields *f, size_t i)
{
	const struct lu_json_member *own = lu_json_get(w->obj, f->field[i].target);
	const char *name = known[known_name(lu_str_of(f->field[i].target))].original;
	size_t at = own ? (size_t)(own - w->obj->member) : 0;

	if (!own || w->change[at].source)
		return 1;
	if (lu_str_eq(own->value, w->place[i].value))
		return 0;
	if (own->type == LU_JSON_NULL) {
		w->change[at].drop = true;
		return 1;
	}
	if (lu_json_get(w->obj, name))
		return bad(&w->lookup, "a mapped member and its \"_original\" are both there");
	w->change[at].name = name;
	return 1;
}

static int apply_field(struct rewrite *w, const struct lu_fields *f, size_t i)
{
	const struct place *p = &w->place[i];
	struct change *c = &w->change[p->top];
	bool text = strcmp(f->field[i].target, "text") == 0;
	int room = move_away(w, f, i);

	if (room < 0)
		return -1;
	if (!p->nested) {
		c->name = f->field[i].target;
		c->drop = room == 0;
	} else {
		w->add[i] = room > 0;
	}
	if (p->nested && text) {
		c->cut_from = p->cut_from;
		c->cut_to = p->cut_to;
	}
	w->changed |= room || text || !p->nested;
	return 0;
}

/* Decide what becomes of each member. */
static int plan(struct rewrite *w, const struct lu_fields *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct place *p = &w->place[i];
		int rc = find(&w->lookup, w->obj, f->field[i].path, p);

		if (rc < 0)
			return -1;
		/* A member that has its name already. */
		w->found[i] = rc > 0 &&
				(p->nested || !lu_str_is(f->field[i].path, f->field[i].target));
		w->change[p->top].source |= w->found[i] && !p->nested;
	}
	for (size_t i = 0; i < f->n; i++) {
		if (w->found[i] && apply_field(w, f, i) < 0)
			return -1;
	}
	return 0;
}

/* Append a member behind `from`, the end of the one before; `bare`: without what separates them. */
static void put_member(const struct lu_json_member *m, const struct change *c, const char *from,
		bool bare, struct lu_buf *out)
{
	const char *key = memchr(from, '"', (size_t)(m->value.p - from)), *end = m->value.p;
	const char *value = m->value.p, *value_end = value + m->value.n;

	while (end[-1] != '"')
		end--;
	if (!bare)
		lu_buf_append(out, from, (size_t)(key - from));
	if (c->name)
		lu_json_quote(out, lu_str_of(c->name));
	else
		lu_buf_append(out, key, (size_t)(end - key));
	lu_buf_append(out, end, (size_t)(value - end));
	if (c->cut_from) {
		lu_buf_append(out, value, (size_t)(c->cut_from - value));
		value = c->cut_to;
	}
	lu_buf_append(out, value, (size_t)(value_end - value));
}

static void put_record(const struct rewrite *w, const struct lu_fields *f, struct lu_buf *out)
{
	const struct lu_json_obj *obj = w->obj;
	const char *from = obj->line.p, *close = obj->line.p + obj->end;
	/* Before the first key: the brace, and blanks. */
	size_t opening = (size_t)((const char *)memchr(from, '"', obj->end) - from);
	bool first = true;

	for (size_t i = 0; i < obj->members; i++) {
		const struct lu_json_member *m = &obj->member[i];

		if (!w->change[i].drop) {
			if (first)
				lu_buf_append(out, obj->line.p, opening);
			put_member(m, &w->change[i], from, first, out);
			first = false;
		}
		from = m->value.p + m->value.n;
	}
	lu_buf_append(out, from, (size_t)(close - from));
	for (size_t i = 0; i < f->n; i++) {
		if (!w->add[i])
			continue;
		lu_json_begin_key(obj, false, f->field[i].target, out);
		lu_buf_str(out, w->place[i].value);
	}
	lu_buf_append(out, close, obj->line.n - obj->end);
}

int lu_fields_apply(const struct lu_fields *f, const struct lu_json_obj *obj,
		struct lu_arena *arena, struct lu_buf *out, const char **reason)
{
	struct rewrite w = { .lookup = { arena, reason }, .obj = obj };
	size_t size = obj->members * sizeof(*w.change);

	if (obj->members == 0)
		return 0;
	w.change = lu_arena_alloc(arena, size);
	if (!w.change)
		return bad(&w.lookup, NULL);
	memset(w.change, 0, size);
	if (plan(&w, f) < 0)
		return -1;
	if (!w.changed)
		return 0;
	put_record(&w, f, out);
	return 1;
}

/* --- a record without a text --------------------------------------------------------------- */

#define SUGGEST_NAMES 8
#define SUGGEST_DEPTH 4

/* The longest string of a record, and the dotted path to it. */
struct longest {
	struct lu_buf at, path;
	size_t n;
};

static void look_at(struct longest *best, struct lu_str key, struct lu_str value,
		enum lu_json_type type, int depth)
{
	size_t before = best->at.n;

	lu_buf_puts(&best->at, before ? "." : "");
	lu_buf_str(&best->at, key);
	if (type == LU_JSON_STRING && value.n > best->n) {
		lu_buf_clear(&best->path);
		lu_buf_str(&best->path, lu_buf_slice(&best->at));
		best->n = value.n;
	} else if (type == LU_JSON_OBJECT && depth < SUGGEST_DEPTH) {
		struct lu_json_iter it = lu_json_iter(value);

		while (lu_json_next(&it))
			look_at(best, (struct lu_str){ it.key.p + 1, it.key.n - 2 }, it.value,
					it.type, depth + 1);
	}
	best->at.n = before;
}

/* Tell whether a shell takes the path, and the quotes that it needs. */
static bool sayable(struct lu_str path, const char **quote)
{
	*quote = "";
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if (c < 0x20 || c == 0x7f || c == '\'' || c == '\\')
			return false;
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
				!strchr("._-@:", c))
			*quote = "'";
	}
	return path.n > 0 && path.n <= 100;
}

int lu_fields_rename(const struct lu_fields *f, struct lu_json_obj *obj, struct lu_arena *arena,
		struct lu_buf *out, const char **reason, struct lu_err *err)
{
	struct lu_json_fault fault = { 0 };
	int rc;

	lu_buf_clear(out);
	*reason = NULL;
	rc = lu_fields_apply(f, obj, arena, out, reason);
	if (rc < 0)
		return *reason ? 0 : lu_err_nomem(err);
	if (rc > 0 && lu_json_object(lu_buf_slice(out), arena, obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	return 0;
}

void lu_fields_suggest(const struct lu_json_obj *obj, struct lu_buf *out)
{
	struct longest best = { 0 };
	const char *quote;

	for (size_t i = 0; i < obj->members; i++) {
		const struct lu_json_member *m = &obj->member[i];

		/* A url may be longer than a short text. */
		if (known_name(m->key) == KNOWN)
			look_at(&best, m->key, m->value, m->type, 0);
		if (i < SUGGEST_NAMES)
			lu_buf_printf(out, "%s\"%.*s%s\"", i ? ", " : "it has ",
					m->key.n > 40 ? 40 : (int)m->key.n, m->key.p,
					m->key.n > 40 ? "..." : "");
	}
	if (obj->members == 0)
		lu_buf_puts(out, "it is empty");
	else if (obj->members > SUGGEST_NAMES)
		lu_buf_printf(out, " and %zu more", obj->members - SUGGEST_NAMES);
	if (best.n > 2 && sayable(lu_buf_slice(&best.path), &quote))
		lu_buf_printf(out, ": try --text-field %s%s%s", quote, best.path.p, quote);
	else if (lu_json_get(obj, "messages") || lu_json_get(obj, "conversations"))
		lu_buf_puts(out, "; conversations are for lucie-shard --chat");
	lu_buf_release(&best.at);
	lu_buf_release(&best.path);
}
