#include "trainer/parallel/mesh.h"

#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/base/text_table.h"

static const char *const axis_names[LT_AXES] = { "tp", "cp", "dp", "pp" };

const char *lt_axis_name(enum lt_axis axis)
{
	return axis_names[axis];
}

static int parse_order(struct lt_mesh *m, const char *order, struct lu_err *err)
{
	bool named[LT_AXES] = { false };
	size_t n = 0;

	for (const char *p = order; *(p += strspn(p, " \t"));) {
		struct lu_str word = { p, strcspn(p, " \t") };
		size_t axis = 0;

		while (axis < LT_AXES && !lu_str_is(word, axis_names[axis]))
			axis++;
		if (axis == LT_AXES)
			return lu_err_set(err,
					"parallel.order = %s: '" LU_STR_FMT
					"' is no axis: name each of tp, cp, dp and pp once",
					order, LU_STR_ARG(word));
		if (named[axis])
			return lu_err_set(err,
					"parallel.order = %s names %s twice: name each of tp, cp, "
					"dp "
					"and pp once",
					order, axis_names[axis]);
		named[axis] = true;
		m->order[n++] = (enum lt_axis)axis;
		p += word.n;
	}
	for (size_t axis = 0; axis < LT_AXES; axis++) {
		if (!named[axis])
			return lu_err_set(err,
					"parallel.order = %s lacks %s: name each of tp, cp, dp and "
					"pp once",
					order, axis_names[axis]);
	}
	return 0;
}

/* The product does not fit: say by which number it would. `model` is tp x pp, at least 1. */
static int wrong_product(
		const struct lt_mesh *m, size_t model, size_t processes, struct lu_err *err)
{
	size_t tp = m->size[LT_TP], pp = m->size[LT_PP], dp = m->size[LT_DP];
	const char *were = processes == 1 ? "process was" : "processes were";

	if (dp == 0)
		return lu_err_set(err,
				"parallel.tp %zu x pp %zu = %zu does not divide the number of "
				"ranks: "
				"%zu %s started, start a multiple of %zu",
				tp, pp, model, processes, were, model);
	if (processes > 0 && processes % model == 0)
		return lu_err_set(err,
				"parallel.tp %zu x pp %zu x dp %zu = %zu ranks, but %zu %s "
				"started: "
				"start %zu, or set parallel.dp to %zu",
				tp, pp, dp, m->ranks, processes, were, m->ranks, processes / model);
	return lu_err_set(err,
			"parallel.tp %zu x pp %zu x dp %zu = %zu ranks, but %zu %s started: start "
			"%zu",
			tp, pp, dp, m->ranks, processes, were, m->ranks);
}

int lt_mesh_init(struct lt_mesh *m, const size_t size[LT_AXES], const char *order, size_t processes,
		struct lu_err *err)
{
	size_t model, stride = 1;

	memset(m, 0, sizeof(*m));
	memcpy(m->size, size, sizeof(m->size));
	if (parse_order(m, order ? order : LT_MESH_ORDER, err) < 0)
		return -1;
	if (size[LT_CP] > 1)
		return lu_err_set(err,
				"parallel.cp = %zu: context parallelism is not implemented, set it "
				"to "
				"1 and split tensors (parallel.tp) instead",
				size[LT_CP]);
	for (size_t axis = 0; axis < LT_AXES; axis++) {
		if (size[axis] == 0 && axis != LT_DP)
			return lu_err_set(err, "parallel.%s = 0: at least 1 is needed",
					axis_names[axis]);
	}
	if (!lu_mul_size(size[LT_TP], size[LT_PP], &model) ||
			!lu_mul_size(model, size[LT_DP], &m->ranks))
		return lu_err_set(err,
				"parallel.tp %zu x pp %zu x dp %zu is out of range: the product is "
				"the number of processes to start",
				size[LT_TP], size[LT_PP], size[LT_DP]);
	if (m->size[LT_DP] == 0 && processes > 0 && processes % model == 0) {
		m->size[LT_DP] = processes / model;
		m->ranks = processes;
	}
	if (m->size[LT_DP] == 0 || m->ranks != processes)
		return wrong_product(m, model, processes, err);
	for (size_t i = 0; i < LT_AXES; i++) {
		m->stride[m->order[i]] = stride;
		stride *= m->size[m->order[i]];
	}
	return 0;
}

bool lt_mesh_reverse(struct lt_mesh *m)
{
	size_t dp = m->size[LT_DP];

	m->reversed = (dp & (dp - 1)) == 0;
	return m->reversed;
}

/* The place on an axis of a coordinate, and back. */
static size_t turned(const struct lt_mesh *m, enum lt_axis axis, size_t at)
{
	size_t out = 0;

	if (axis != LT_DP || !m->reversed)
		return at;
	for (size_t bit = 1; bit < m->size[axis]; bit *= 2) {
		out = out * 2 + at % 2;
		at /= 2;
	}
	return out;
}

size_t lt_mesh_at(const struct lt_mesh *m, enum lt_axis axis, size_t rank)
{
	return turned(m, axis, rank / m->stride[axis] % m->size[axis]);
}

size_t lt_mesh_rank(const struct lt_mesh *m, const size_t at[LT_AXES])
{
	size_t rank = 0;

	for (size_t axis = 0; axis < LT_AXES; axis++)
		rank += turned(m, (enum lt_axis)axis, at[axis]) * m->stride[axis];
	return rank;
}

size_t lt_mesh_peer(const struct lt_mesh *m, enum lt_axis axis, size_t rank, size_t to)
{
	size_t at[LT_AXES];

	for (size_t a = 0; a < LT_AXES; a++)
		at[a] = lt_mesh_at(m, (enum lt_axis)a, rank);
	at[axis] = to;
	return lt_mesh_rank(m, at);
}

void lt_mesh_group(const struct lt_mesh *m, enum lt_axis axis, size_t rank, size_t *ranks)
{
	for (size_t i = 0; i < m->size[axis]; i++)
		ranks[i] = lt_mesh_peer(m, axis, rank, i);
}

/* Append the group of `rank`, which has coordinate 0: a list of up to four ranks, or a range. */
static void print_group(const struct lt_mesh *m, enum lt_axis axis, size_t rank, struct lu_buf *out)
{
	size_t n = m->size[axis], last = lt_mesh_peer(m, axis, rank, n - 1);

	if (m->stride[axis] == 1) {
		lu_buf_printf(out, n == 2 ? "%zu %zu" : "%zu-%zu", rank, last);
	} else if (n > 4) {
		lu_buf_printf(out, "%zu-%zu by %zu", rank, last, m->stride[axis]);
	} else {
		for (size_t i = 0; i < n; i++)
			lu_buf_printf(out, i ? " %zu" : "%zu", lt_mesh_peer(m, axis, rank, i));
	}
}

static void print_groups(const struct lt_mesh *m, enum lt_axis axis, struct lu_buf *out)
{
	size_t groups = m->ranks / m->size[axis], n = 0;

	for (size_t rank = 0; rank < m->ranks; rank++) {
		if (lt_mesh_at(m, axis, rank) > 0)
			continue;
		n++;
		if (groups <= 3 || n <= 2 || n == groups) {
			lu_buf_puts(out, n > 1 ? ", " : "");
			print_group(m, axis, rank, out);
		} else if (n == 3) {
			lu_buf_puts(out, ", ...");
		}
	}
}

int lt_mesh_print(const struct lt_mesh *m, struct lu_buf *out, struct lu_err *err)
{
	static const char *const heads[] = { "axis", "size", "groups", "ranks of a group" };
	struct lu_table t = { .head = heads, .columns = 4, .left = 1, .last_left = true };
	struct lu_buf text = { 0 };
	int rc = -1;

	for (size_t i = 0; i < LT_AXES; i++) {
		enum lt_axis axis = m->order[i];

		if (m->size[axis] == 1)
			continue;
		lu_buf_clear(&text);
		print_groups(m, axis, &text);
		if (lu_buf_check(&text, err) < 0)
			goto out;
		lu_table_cstr(&t, axis_names[axis]);
		lu_table_u64(&t, m->size[axis]);
		lu_table_u64(&t, m->ranks / m->size[axis]);
		lu_table_str(&t, lu_buf_slice(&text));
	}
	if (m->ranks == 1) {
		lu_buf_puts(out, "one rank\n");
		rc = lu_buf_check(out, err);
	} else {
		rc = lu_table_put(&t, out, err);
	}
out:
	lu_table_release(&t);
	lu_buf_release(&text);
	return rc;
}
