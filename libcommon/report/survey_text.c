#include "libcommon/report/survey_text.h"

#include "libcommon/base/json_writer.h"

static bool add_table(struct lu_str word, unsigned *tables)
{
	for (unsigned i = 0; i < LU_CENSUS_WHATS; i++) {
		if (!lu_str_is(word, lu_census_member((enum lu_census_what)i)))
			continue;
		*tables |= LU_SURVEY_TABLE(i);
		return true;
	}
	return false;
}

int lu_survey_choose(const struct lu_list *by, unsigned *tables, struct lu_err *err)
{
	*tables = 0;
	for (size_t i = 0; i < by->n; i++) {
		for (const char *p = by->item[i];; p++) {
			struct lu_str word = { p, strcspn(p, ",") };

			if (!add_table(word, tables))
				return lu_err_set(err,
						"'" LU_STR_FMT "' is not lang, source, license or "
						"domain",
						LU_STR_ARG(word));
			p += word.n;
			if (!*p)
				break;
		}
	}
	return 0;
}

void lu_survey_text(const struct lu_survey_stage *s, unsigned tables, struct lu_buf *out)
{
	bool first = true;

	for (unsigned i = 0; i < LU_CENSUS_WHATS; i++) {
		if (!(tables & LU_SURVEY_TABLE(i)))
			continue;
		if (!first)
			lu_buf_putc(out, '\n');
		lu_census_text(&s->census[i], out);
		first = false;
	}
}

void lu_survey_lines(const struct lu_survey_stage *s, unsigned tables, struct lu_buf *out)
{
	for (unsigned i = 0; i < LU_CENSUS_WHATS; i++) {
		if (tables & LU_SURVEY_TABLE(i))
			lu_census_json(&s->census[i], out);
	}
}

void lu_survey_shards_json(const struct lu_survey_stage *s, unsigned tables, struct lu_buf *out)
{
	const struct lu_census_sum *all = &s->census[LU_CENSUS_LICENSE].all;

	lu_json_open_object(out, "shards");
	lu_json_put_u64(out, "docs", all->docs);
	lu_json_put_u64(out, "bytes", all->bytes);
	lu_json_put_u64(out, "tokens", all->characters);
	for (unsigned i = 0; i < LU_CENSUS_WHATS; i++) {
		if (tables & LU_SURVEY_TABLE(i))
			lu_census_json_array(&s->census[i],
					lu_census_member((enum lu_census_what)i), out);
	}
	lu_json_close_object(out);
}
