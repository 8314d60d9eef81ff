#include "trainer/data/languages_report.h"

#include <math.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/text_table.h"

/* The means that are reported for a language; NaN for those of nothing. */
struct means {
	double loss;	      /* per token, in nats */
	double bits, unigram; /* per byte */
};

static struct means means_of(const struct lt_language *l)
{
	double bits = l->bytes ? 1 / ((double)l->bytes * M_LN2) : (double)NAN;

	return (struct means){ l->scored ? l->loss / (double)l->scored : (double)NAN,
		l->loss * bits, l->unigram * bits };
}

static struct lt_language add_up(const struct lt_languages *l)
{
	struct lt_language all = { .name = LU_STR("all") };

	for (size_t i = 0; i < l->language.n; i++) {
		const struct lt_language *one = &l->language.p[i];

		all.documents += one->documents;
		all.scored += one->scored;
		all.bytes += one->bytes;
		all.loss += one->loss;
		all.unigram += one->unigram;
	}
	return all;
}

static void put_language(struct lu_buf *b, const struct lt_language *l, bool unigram)
{
	struct means m = means_of(l);

	lu_json_key(b, l->name);
	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "documents", l->documents);
	lu_json_put_u64(b, "scored", l->scored);
	lu_json_put_u64(b, "bytes", l->bytes);
	lu_json_put_double(b, "loss", m.loss);
	lu_json_put_double(b, "perplexity", exp(m.loss));
	lu_json_put_double(b, "bits_per_byte", m.bits);
	if (unigram)
		lu_json_put_double(b, "unigram_bits_per_byte", m.unigram);
	lu_json_close_object(b);
}

void lt_languages_json(const struct lt_languages *l, const char *key, struct lu_buf *b)
{
	lu_json_open_object(b, key);
	for (size_t i = 0; i < l->language.n; i++)
		put_language(b, &l->language.p[i], l->vocab > 0);
	lu_json_close_object(b);
}

void lt_languages_json_all(const struct lt_languages *l, struct lu_buf *b)
{
	struct lt_language all = add_up(l);

	put_language(b, &all, l->vocab > 0);
}

static void add_row(struct lu_table *t, const struct lt_language *l, bool unigram)
{
	struct means m = means_of(l);

	lu_table_str(t, l->name);
	lu_table_u64(t, l->documents);
	lu_table_u64(t, l->scored);
	lu_table_u64(t, l->bytes);
	lu_table_fixed(t, m.loss, 4, "");
	lu_table_fixed(t, exp(m.loss), 2, "");
	lu_table_fixed(t, m.bits, 4, "");
	if (unigram)
		lu_table_fixed(t, m.unigram, 4, "");
}

int lt_languages_table(const struct lt_languages *l, const char *head, struct lu_buf *b,
		struct lu_err *err)
{
	const char *const heads[] = { head, "documents", "tokens", "bytes", "loss", "perplexity",
		"bits/byte", "unigram" };
	struct lt_language all = add_up(l);
	struct lu_table t = { .head = heads, .columns = l->vocab ? 8 : 7, .left = 1 };
	int rc;

	for (size_t i = 0; i < l->language.n; i++)
		add_row(&t, &l->language.p[i], l->vocab > 0);
	add_row(&t, &all, l->vocab > 0);
	rc = lu_table_put(&t, b, err);
	lu_table_release(&t);
	return rc;
}
