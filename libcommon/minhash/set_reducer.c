#include "libcommon/minhash/set_reducer.h"

void lu_reducer_init(struct lu_reducer *r, const struct lu_minhash *mh, double verify)
{
	*r = (struct lu_reducer){ .mh = mh,
		.least = lu_minhash_least(mh, verify),
		.sketch_size = lu_minhash_hashes(mh) };
}

void lu_reducer_begin(struct lu_reducer *r)
{
	r->n = 0;
	lu_buf_clear(&r->sketch);
}

int lu_reducer_add(struct lu_reducer *r, uint64_t doc, bool fixed, const void *sketch,
		uint64_t *kept, unsigned *equal, struct lu_err *err)
{
	const char *other = r->sketch.p;

	for (size_t i = 0; i < r->n && !fixed; i++, other += r->sketch_size) {
		unsigned n = lu_minhash_equal(r->mh, other, sketch);

		if (n >= r->least) {
			r->size[i]++;
			*kept = r->kept[i];
			*equal = n;
			return 0;
		}
	}
	if (r->n == LU_REDUCE_KEPT)
		return 1;
	if (!lu_vec_grow(&r->kept, &r->kept_cap, r->n, 1, sizeof(*r->kept)) ||
			!lu_vec_grow(&r->size, &r->size_cap, r->n, 1, sizeof(*r->size)))
		return lu_err_nomem(err);
	lu_buf_append(&r->sketch, sketch, r->sketch_size);
	if (lu_buf_check(&r->sketch, err) < 0)
		return -1;
	r->kept[r->n] = doc;
	r->size[r->n++] = 1;
	return 1;
}

void lu_reducer_release(struct lu_reducer *r)
{
	free(r->kept);
	free(r->size);
	lu_buf_release(&r->sketch);
	*r = (struct lu_reducer){ 0 };
}
