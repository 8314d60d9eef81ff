#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/io/json.h"
#include "libcommon/io/json_escape.h"

static const struct lu_json_edit *find_edit(
		const struct lu_json_edit *edit, size_t edits, struct lu_str key)
{
	/* The last edit of a key wins. */
	for (size_t i = edits; i-- > 0;) {
		if (lu_str_is(key, edit[i].key))
			return &edit[i];
	}
	return NULL;
}

/* Python writes blanks, jq does not. */
void lu_json_begin_key(
		const struct lu_json_obj *obj, bool first, const char *key, struct lu_buf *out)
{
	bool spaced = obj->members > 0 && obj->member[0].value.p[-1] == ' ';

	lu_buf_puts(out, first ? "" : spaced ? ", " : ",");
	lu_json_quote(out, lu_str_of(key));
	lu_buf_puts(out, spaced ? ": " : ":");
}

struct lu_str lu_json_begin_member(
		const struct lu_json_obj *obj, const char *key, struct lu_buf *out)
{
	lu_buf_append(out, obj->line.p, obj->end);
	lu_json_begin_key(obj, obj->members == 0, key, out);
	return (struct lu_str){ obj->line.p + obj->end, obj->line.n - obj->end };
}

void lu_json_rewrite(const struct lu_json_obj *obj, const struct lu_json_edit *edit, size_t edits,
		struct lu_buf *out)
{
	const char *from = obj->line.p;
	bool empty = obj->members == 0;

	for (size_t i = 0; i < obj->members; i++) {
		const struct lu_json_member *m = &obj->member[i];
		const struct lu_json_edit *e = find_edit(edit, edits, m->key);

		if (!e)
			continue;
		lu_buf_append(out, from, (size_t)(m->value.p - from));
		lu_buf_str(out, e->value);
		from = m->value.p + m->value.n;
	}
	lu_buf_append(out, from, (size_t)(obj->line.p + obj->end - from));
	for (size_t i = 0; i < edits; i++) {
		if (lu_json_get(obj, edit[i].key) ||
				find_edit(edit, edits, lu_str_of(edit[i].key)) != &edit[i])
			continue;
		lu_json_begin_key(obj, empty, edit[i].key, out);
		empty = false;
		lu_buf_str(out, edit[i].value);
	}
	lu_buf_append(out, obj->line.p + obj->end, obj->line.n - obj->end);
}

/* Replace lone surrogate escapes by \ufffd, which has the same length, in place. */
static size_t repair_surrogates(char *p, size_t n)
{
	size_t repaired = 0;
	char *end = p + n;

	while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		unsigned c;

		if (end - p < 2 || p[1] != 'u') {
			p += end - p < 2 ? 1 : 2;
		} else if (lu_json_hex4(p + 2, end, &c) < 0) {
			p += 2;
		} else if (c < 0xD800 || c > 0xDFFF) {
			p += 6;
		} else if (c <= 0xDBFF && lu_json_low_surrogate(p + 6, end)) {
			p += 12;
		} else {
			memcpy(p + 2, "fffd", 4);
			p += 6;
			repaired++;
		}
	}
	return repaired;
}

size_t lu_json_repair(struct lu_str line, struct lu_buf *out)
{
	size_t from = out->n;
	size_t repaired = lu_utf8_repair(out, line);

	if (!lu_buf_ok(out) || out->n == from)
		return repaired;
	return repaired + repair_surrogates(out->p + from, out->n - from);
}
