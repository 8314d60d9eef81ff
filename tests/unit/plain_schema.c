#include "tests/unit/plain_schema.h"

#include <math.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/json.h"

struct item {
	struct lu_str raw;
	enum lu_json_type type;
};

static struct item absent;

static struct item of(struct lu_str raw)
{
	struct lu_json_fault fault;
	struct item i = { .raw = raw };

	if (lu_json_check(raw, &i.type, &fault) < 0)
		abort();
	return i;
}

static struct item member(struct item object, const char *name)
{
	struct lu_json_iter it = lu_json_iter(object.raw);
	struct item found = absent;

	while (object.type == LU_JSON_OBJECT && lu_json_next(&it)) {
		if (lu_str_is((struct lu_str){ it.key.p + 1, it.key.n - 2 }, name))
			found = (struct item){ it.value, it.type };
	}
	return found;
}

static double number(struct item i)
{
	struct lu_json_member m = { .value = i.raw, .type = i.type };
	double d = (double)NAN;

	(void)lu_json_double(&m, &d);
	return d;
}

/* Decoded, in the arena. */
static struct lu_str text(struct lu_str raw, struct lu_arena *arena)
{
	struct lu_str s;

	if (lu_json_decode(raw, arena, &s) < 0)
		abort();
	return s;
}

static size_t count(struct item list)
{
	struct lu_json_iter it = lu_json_iter(list.raw);
	size_t n = 0;

	while (lu_json_next(&it))
		n++;
	return n;
}

/* Equal but for blanks; numbers by value, members in order. */
static bool equal(struct item a, struct item b, struct lu_arena *arena)
{
	struct lu_json_iter x = lu_json_iter(a.raw), y = lu_json_iter(b.raw);

	if (a.type != b.type)
		return false;
	if (a.type == LU_JSON_NUMBER)
		return number(a) == number(b);
	if (a.type == LU_JSON_STRING)
		return lu_str_eq(text(a.raw, arena), text(b.raw, arena));
	if (a.type != LU_JSON_ARRAY && a.type != LU_JSON_OBJECT)
		return true;
	while (lu_json_next(&x)) {
		if (!lu_json_next(&y) ||
				(x.object && !lu_str_eq(text(x.key, arena), text(y.key, arena))) ||
				!equal((struct item){ x.value, x.type },
						(struct item){ y.value, y.type }, arena))
			return false;
	}
	return !lu_json_next(&y);
}

static bool is_type(struct lu_str name, struct item v)
{
	switch (v.type) {
	case LU_JSON_NULL: return lu_str_is(name, "\"null\"");
	case LU_JSON_TRUE:
	case LU_JSON_FALSE: return lu_str_is(name, "\"boolean\"");
	case LU_JSON_STRING: return lu_str_is(name, "\"string\"");
	case LU_JSON_ARRAY: return lu_str_is(name, "\"array\"");
	case LU_JSON_OBJECT: return lu_str_is(name, "\"object\"");
	case LU_JSON_NUMBER: break;
	}
	return lu_str_is(name, "\"number\"") ||
			(lu_str_is(name, "\"integer\"") && number(v) == floor(number(v)));
}

static bool of_type(struct item type, struct item v)
{
	struct lu_json_iter it = lu_json_iter(type.raw);

	if (type.type == LU_JSON_STRING)
		return is_type(type.raw, v);
	while (lu_json_next(&it)) {
		if (is_type(it.value, v))
			return true;
	}
	return false;
}

static bool valid(struct item root, struct item s, struct item v, struct lu_arena *arena);

static bool object(struct item root, struct item s, struct item v, struct lu_arena *arena)
{
	struct item properties = member(s, "properties"), required = member(s, "required");
	struct lu_json_iter it = lu_json_iter(required.raw), each = lu_json_iter(v.raw);

	while (required.raw.p && lu_json_next(&it)) {
		struct lu_json_iter in = lu_json_iter(v.raw);
		bool has = false;

		while (lu_json_next(&in))
			has |= lu_str_eq(text(in.key, arena), text(it.value, arena));
		if (!has)
			return false;
	}
	while (lu_json_next(&each)) {
		struct lu_json_iter p = lu_json_iter(properties.raw), again = lu_json_iter(v.raw);
		bool known = false;
		int same = 0;

		while (lu_json_next(&again))
			same += lu_str_eq(text(again.key, arena), text(each.key, arena));
		while (lu_json_next(&p)) {
			if (!lu_str_eq(text(p.key, arena), text(each.key, arena)))
				continue;
			known = valid(root, (struct item){ p.value, p.type },
					(struct item){ each.value, each.type }, arena);
		}
		if (!known || same != 1)
			return false;
	}
	return true;
}

static bool within(struct item s, const char *least, const char *most, double n)
{
	struct item low = member(s, least), high = member(s, most);

	return !(low.raw.p && n < number(low)) && !(high.raw.p && n > number(high));
}

static bool by_type(struct item root, struct item s, struct item v, struct lu_arena *arena)
{
	struct lu_json_iter it = lu_json_iter(v.raw);
	struct item low = member(s, "exclusiveMinimum"), high = member(s, "exclusiveMaximum");
	struct lu_str string;
	size_t n = 0;

	switch (v.type) {
	case LU_JSON_NUMBER:
		return isfinite(number(v)) && within(s, "minimum", "maximum", number(v)) &&
				!(low.raw.p && number(v) <= number(low)) &&
				!(high.raw.p && number(v) >= number(high));
	case LU_JSON_STRING:
		string = text(v.raw, arena);
		for (size_t i = 0; i < string.n; i++)
			n += ((unsigned char)string.p[i] & 0xC0) != 0x80;
		return within(s, "minLength", "maxLength", (double)n);
	case LU_JSON_ARRAY:
		while (lu_json_next(&it)) {
			if (!valid(root, member(s, "items"), (struct item){ it.value, it.type },
					    arena))
				return false;
		}
		return within(s, "minItems", "maxItems", (double)count(v));
	case LU_JSON_OBJECT: return object(root, s, v, arena);
	default: return true;
	}
}

static bool valid(struct item root, struct item s, struct item v, struct lu_arena *arena)
{
	struct item ref = member(s, "$ref"), any = member(s, "anyOf"), type = member(s, "type");
	struct item one = member(s, "const"), list = member(s, "enum");
	struct lu_json_iter it = lu_json_iter(any.raw.p ? any.raw : list.raw);

	if (ref.raw.p) {
		char name[64] = { 0 };

		/* "#/$defs/NAME" */
		if (ref.raw.n < 11 || ref.raw.n > 60)
			abort();
		memcpy(name, ref.raw.p + 9, ref.raw.n - 10);
		return valid(root, member(member(root, "$defs"), name), v, arena);
	}
	if (type.raw.p && !of_type(type, v))
		return false;
	if (one.raw.p)
		return equal(one, v, arena);
	if (any.raw.p || list.raw.p) {
		while (lu_json_next(&it)) {
			struct item x = { it.value, it.type };

			if (any.raw.p ? valid(root, x, v, arena) : equal(x, v, arena))
				return true;
		}
		return false;
	}
	return by_type(root, s, v, arena);
}

bool plain_valid(struct lu_str schema, struct lu_str value)
{
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	enum lu_json_type type;
	struct item s = of(schema);
	bool good = lu_json_check(value, &type, &fault) == 0 &&
			valid(s, s, (struct item){ value, type }, &arena);

	lu_arena_release(&arena);
	return good;
}
