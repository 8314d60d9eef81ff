#include "libcommon/office/odt_styles.h"

#include "libcommon/base/fnv.h"

/* More styles are hostile. */
#define MOST 100000

static uint64_t style_hash(struct lu_str name)
{
	uint64_t h = lu_fnv1a(LU_FNV_BASIS, name.p, name.n);

	/* FNV's low bits depend on the low bits of the bytes alone. */
	return h ^ h >> 32;
}

static uint64_t hash_of(const void *items, uint32_t i)
{
	const struct lu_odt_style *style = items;

	return style_hash(lu_str_of(style[i].name));
}

static bool has_name(const void *items, uint32_t i, const void *key)
{
	const struct lu_odt_style *style = items;

	return lu_str_eq(lu_str_of(style[i].name), *(const struct lu_str *)key);
}

const struct lu_odt_style *lu_odt_style(const struct lu_odt_styles *s, struct lu_str name)
{
	uint32_t i = name.p ? lu_map_find(&s->map, style_hash(name), s->styles.p, has_name, &name)
			    : LU_MAP_NONE;

	return i == LU_MAP_NONE ? NULL : &s->styles.p[i];
}

/* The names that LibreOffice and OpenOffice give to their style for programs in a file. */
static bool is_preformatted(struct lu_str s)
{
	return s.n >= 12 && memcmp(s.p, "Preformatted", 12) == 0;
}

static void begin_style(struct lu_odt_styles *s, const struct lu_xml_tag *tag, bool list)
{
	struct lu_str name = lu_xml_attribute(tag, "name");
	struct lu_str parent = lu_xml_attribute(tag, "parent-style-name");
	struct lu_odt_style style = { 0 };
	uint32_t i;

	s->now = NULL;
	if (!name.p || s->styles.n >= MOST)
		return;
	i = lu_map_find(&s->map, style_hash(name), s->styles.p, has_name, &name);
	if (i == LU_MAP_NONE) {
		style.name = strndup(name.p, name.n);
		if (!style.name || !lu_map_reserve(&s->map, s->styles.p, hash_of) ||
				!lu_vec_push(&s->styles, style)) {
			free(style.name);
			s->failed = true;
			return;
		}
		i = lu_map_add(&s->map, style_hash(name));
	}
	s->now = &s->styles.p[i];
	s->now->hidden = false;
	s->now->program = is_preformatted(name) || is_preformatted(parent);
	if (list && !s->now->level) {
		s->now->level = calloc(LU_ODT_LEVELS, sizeof(*s->now->level));
		s->failed = s->failed || !s->now->level;
	}
}

static void copy_affix(char to[8], struct lu_str s)
{
	size_t n = s.p && s.n < 8 ? s.n : 0;

	if (n)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

static void read_level(struct lu_odt_styles *s, const struct lu_xml_tag *tag, bool number)
{
	int k = lu_xml_number(tag, "level", 0) - 1;
	struct lu_str form = lu_xml_attribute(tag, "num-format");
	struct lu_odt_level *level;

	if (!s->now || !s->now->level || k < 0 || k >= LU_ODT_LEVELS)
		return;
	level = &s->now->level[k];
	if (!number)
		level->form = '-';
	else if (!form.p || form.n == 0)
		level->form = 0;
	else
		level->form = form.n == 1 && strchr("aAiI", form.p[0]) ? form.p[0] : '1';
	level->start = lu_xml_number(tag, "start-value", 1);
	level->shown = lu_xml_number(tag, "display-levels", 1);
	copy_affix(level->prefix, lu_xml_attribute(tag, "num-prefix"));
	copy_affix(level->suffix, lu_xml_attribute(tag, "num-suffix"));
}

void lu_odt_styles_start(struct lu_odt_styles *s, const struct lu_xml_tag *tag)
{
	const char *name = tag->name;

	if (strcmp(name, "style") == 0 || strcmp(name, "list-style") == 0)
		begin_style(s, tag, name[0] == 'l');
	else if (strcmp(name, "text-properties") == 0 && s->now)
		s->now->hidden = lu_xml_has(tag, "display", "none");
	else if (strcmp(name, "list-level-style-number") == 0)
		read_level(s, tag, true);
	else if (strcmp(name, "list-level-style-bullet") == 0 ||
			strcmp(name, "list-level-style-image") == 0)
		read_level(s, tag, false);
}

void lu_odt_styles_end(struct lu_odt_styles *s, const char *name)
{
	if (strcmp(name, "style") == 0 || strcmp(name, "list-style") == 0)
		s->now = NULL;
}

void lu_odt_styles_release(struct lu_odt_styles *s)
{
	for (size_t i = 0; i < s->styles.n; i++) {
		free(s->styles.p[i].name);
		free(s->styles.p[i].level);
	}
	lu_vec_release(&s->styles);
	lu_map_release(&s->map);
}
