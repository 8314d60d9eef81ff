#include "libcommon/mix/mixing.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/mix/quotas.h"
#include "libcommon/mix/stated.h"

static struct lu_langs *langs_of(struct lu_mixing *m)
{
	return m->arrange ? lu_arrange_langs(m->arrange) : &m->pool.langs;
}

/* --- notes -------------------------------------------------------------------------------- */

/* What a reader of the tables alone would miss; `groups` is what the recipe had. */
static int note_findings(struct lu_mixing *m, size_t groups, struct lu_err *err)
{
	struct lu_buf unused = { 0 };
	int rc;

	lu_langs_unused(langs_of(m), &m->recipe, &unused);
	rc = lu_buf_check(&unused, err);
	if (rc == 0 && unused.n)
		lu_buf_printf(&m->notes, "%s: %s\n", m->path, unused.p);
	lu_buf_release(&unused);
	if (m->recipe.group.n < groups)
		lu_buf_printf(&m->notes, "%s: groups left out for want of documents: %zu of %zu\n",
				m->path, groups - m->recipe.group.n, groups);
	return rc;
}

static void note_epochs(struct lu_mixing *m, const struct lu_demand *d)
{
	for (size_t i = 0; i < m->recipe.group.n; i++) {
		double epochs = d[i].size ? (double)d[i].quota / (double)d[i].size : 0;

		if (epochs > LU_MIX_MANY_EPOCHS)
			lu_buf_printf(&m->notes,
					"group %s: %.2f epochs; more than %d gain little\n",
					d[i].name, epochs, LU_MIX_MANY_EPOCHS);
	}
}

/* --- solving ------------------------------------------------------------------------------ */

/* The plan's groups and their sizes, from what has been read. */
static int find_groups(struct lu_mixing *m, struct lu_err *err)
{
	size_t groups = m->recipe.group.n;
	int rc = 0;

	m->plan.seed = m->seed;
	m->plan.by_documents = m->recipe.unit == LU_MIX_DOCUMENTS;
	if (m->arrange)
		rc = lu_arrange_plan(m->arrange, &m->recipe, m->absent, &m->plan, err);
	else if (m->absent)
		rc = lu_pool_drop_absent(&m->pool, &m->recipe, err);
	if (rc == 0 && !m->arrange)
		rc = lu_pool_plan(&m->pool, &m->plan, &m->recipe, err);
	return rc < 0 ? -1 : note_findings(m, groups, err);
}

/* From sizes to quotas, and from these to documents. */
int lu_mixing_solve(struct lu_mixing *m, struct lu_err *err)
{
	struct lu_plan *plan = &m->plan;
	struct lu_demand *demand = calloc(m->recipe.group.n, sizeof(*demand));
	uint64_t mix_size;
	int rc = demand ? 0 : lu_err_nomem(err);

	if (m->allow.docs) {
		lu_buf_printf(&m->notes, "--allow %s refuses ", m->allow.patterns);
		lu_allow_tell(&m->allow, &m->notes);
		lu_buf_putc(&m->notes, '\n');
	}
	if (rc == 0 && find_groups(m, err) < 0) {
		struct lu_err plain = *err;

		rc = m->allow.docs == 0
				? -1
				: lu_err_set(err, "%s; --allow refuses %" PRIu64 " documents",
						  plain.msg, m->allow.docs);
	}
	for (size_t i = 0; rc == 0 && i < plan->groups; i++)
		demand[i] = lu_solve_demand(&m->recipe.group.p[i],
				plan->by_documents ? plan->group[i].documents
						   : plan->group[i].tokens);
	if (rc == 0)
		rc = lu_mix_quotas(&m->recipe, demand, false, &mix_size, err);
	if (rc == 0)
		rc = m->arrange ? lu_arrange_cut(m->arrange, plan, demand, err)
				: lu_solve_cut(plan, demand, lu_pool_size, &m->pool, err);
	if (rc == 0)
		rc = lu_solve_verify(plan, demand, err);
	if (rc < 0)
		lu_err_wrap(err, "%s", m->path);
	else
		note_epochs(m, demand);
	free(demand);
	return rc;
}

int lu_mixing_stated(struct lu_mixing *m, struct lu_err *err)
{
	struct lu_demand *demand = calloc(m->recipe.group.n, sizeof(*demand));
	struct lu_mix_row *group = NULL;
	struct lu_mix_view view = { .recipe = &m->recipe,
		.unit = lu_enum_name(lu_mix_unit_names, (int)m->recipe.unit) };
	int rc = demand ? lu_mix_stated(&m->recipe, demand, &group, err) : lu_err_nomem(err);

	if (rc == 0) {
		note_epochs(m, demand);
		view.group = group;
		lu_mix_text(&view, &m->tables);
		rc = lu_buf_check(&m->tables, err);
	} else {
		lu_err_wrap(err, "%s", m->path);
	}
	free(demand);
	free(group);
	return rc;
}

/* --- telling ------------------------------------------------------------------------------ */

int lu_mixing_describe(struct lu_mixing *m, struct lu_buf *extra, struct lu_err *err)
{
	struct lu_mix_view view = {
		.recipe = &m->recipe, .unit = "tokens", .by_documents = m->plan.by_documents
	};
	struct lu_mix_row *group = lu_plan_rows(&m->plan), *lang;

	if (m->arrange)
		view.unit = lu_enum_name(lu_mix_unit_names, (int)m->recipe.unit);
	else
		lu_pool_count_mix(&m->pool, &m->plan);
	lang = lu_langs_rows(langs_of(m));
	if (group && lang) {
		view.group = group;
		view.lang = lang;
		view.langs = langs_of(m)->sum.n;
		lu_mix_text(&view, &m->tables);
		lu_buf_putc(extra, ',');
		lu_mix_json(&view, extra);
	} else {
		extra->failed = true;
	}
	free(group);
	free(lang);
	return lu_buf_check(&m->tables, err) < 0 ? -1 : lu_buf_check(extra, err);
}

int lu_mixing_count(const struct lu_mixing *m, struct lu_stats *s, struct lu_err *err)
{
	uint64_t grouped = 0, used = 0, docs = lu_pool_docs(&m->pool);

	for (size_t i = 0; i < m->plan.groups; i++) {
		const struct lu_plan_group *g = &m->plan.group[i];

		grouped += g->documents;
		used += g->passes ? g->documents : g->last;
	}
	s->in.docs = docs;
	s->out.docs = m->plan.documents;
	s->repeated = m->plan.documents - used;
	if (m->allow.docs && lu_stats_drop(s, "licence not allowed", m->allow.docs, err) < 0)
		return -1;
	docs -= m->allow.docs;
	if (docs > grouped && lu_stats_drop(s, "in no group", docs - grouped, err) < 0)
		return -1;
	return grouped > used ? lu_stats_drop(s, "beyond the quota", grouped - used, err) : 0;
}

void lu_mixing_release(struct lu_mixing *m)
{
	lu_buf_release(&m->tables);
	lu_buf_release(&m->notes);
	lu_arrange_free(m->arrange);
	lu_plan_release(&m->plan);
	lu_pool_release(&m->pool);
	lu_allow_release(&m->allow);
	lu_recipe_release(&m->recipe);
}
