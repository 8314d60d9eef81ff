#include "libcommon/html/html_tag.h"

/* Bytes of the longest name: "annotation-xml". */
#define NAME_MAX_BYTES 15

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct name {
	const char *p;
	size_t n;
};

#define T(constant, name, role, class) { name, sizeof(name) - 1 },
static const struct name tags[] = { { "", 0 }, { "", 0 }, LU_HTML_TAGS(T) };
#undef T

#define T(constant, name, role, class) LU_CLASS_##class,
static const unsigned char classes[] = { LU_CLASS_ORDINARY, LU_CLASS_ORDINARY, LU_HTML_TAGS(T) };
#undef T

#define A(constant, name) { name, sizeof(name) - 1 },
static const struct name attributes[] = { LU_HTML_ATTRIBUTES(A) };
#undef A

/* Index of `name` in names[low .. high - 1], which are in byte order; `high` if it is not there. */
static size_t find(const struct name *names, size_t low, size_t high, struct lu_str name)
{
	char lower[NAME_MAX_BYTES];
	size_t none = high;

	if (name.n > sizeof(lower))
		return none;
	for (size_t i = 0; i < name.n; i++)
		lower[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 32)
								: name.p[i];
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = lu_str_cmp((struct lu_str){ names[middle].p, names[middle].n },
				(struct lu_str){ lower, name.n });

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return none;
}

enum lu_html_tag lu_html_tag(struct lu_str name)
{
	size_t i = find(tags, LU_TAG_OTHER + 1, LU_TAG_COUNT, name);

	return i == LU_TAG_COUNT ? LU_TAG_OTHER : (enum lu_html_tag)i;
}

const char *lu_html_tag_name(enum lu_html_tag tag)
{
	return tags[tag].p;
}

enum lu_html_class lu_html_tag_class(enum lu_html_tag tag)
{
	return (enum lu_html_class)classes[tag];
}

enum lu_html_name lu_html_name(struct lu_str name)
{
	return (enum lu_html_name)find(attributes, 0, COUNT(attributes), name);
}
