#include "libcommon/par/known_members.h"

const char *lu_members_fault(const struct lu_json_obj *o)
{
	static const struct {
		const char *key, *wrong;
		enum lu_json_type type;
	} known[] = {
		{ "source", "\"source\" is not a string", LU_JSON_STRING },
		{ "lang", "\"lang\" is not a string", LU_JSON_STRING },
		{ "lang_score", "\"lang_score\" is not a number", LU_JSON_NUMBER },
		{ "license", "\"license\" is not a string", LU_JSON_STRING },
		{ "url", "\"url\" is not a string", LU_JSON_STRING },
		{ "date", "\"date\" is not a string", LU_JSON_STRING },
		{ "category", "\"category\" is not a string", LU_JSON_STRING },
	};
	const struct lu_json_member *m = lu_json_get(o, "text");

	if (!m || m->type != LU_JSON_STRING)
		return m ? "\"text\" is not a string" : "no \"text\"";
	m = lu_json_get(o, "id");
	if (m && m->type != LU_JSON_STRING && m->type != LU_JSON_NUMBER && m->type != LU_JSON_NULL)
		return "\"id\" is neither a string nor a number";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		m = lu_json_get(o, known[i].key);
		if (m && m->type != known[i].type && m->type != LU_JSON_NULL)
			return known[i].wrong;
	}
	return NULL;
}
