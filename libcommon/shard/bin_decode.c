#include "libcommon/shard/bin_decode.h"

#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/instream.h"
#include "libcommon/shard/beside.h"
#include "libcommon/tokenizer/id_format.h"

static int write_bytes(struct lu_bin_decode *d, const char *s, size_t n, struct lu_err *err)
{
	d->stats.out.bytes += n;
	return lu_out_write(d->out, s, n, err);
}

/* Write w.text, the next part of a text. */
static int write_part(struct lu_bin_decode *d, struct lu_err *err)
{
	static const char *const begin[] = {
		[LU_BIN_RECORDS] = "{\"text\":\"", [LU_BIN_PIECES] = "["
	};
	enum lu_bin_as as = d->as;
	struct lu_str s = lu_buf_slice(&d->text);

	if (as != LU_BIN_TEXT && !d->in_text &&
			write_bytes(d, begin[as], strlen(begin[as]), err) < 0)
		return -1;
	if (as == LU_BIN_RECORDS) {
		lu_buf_clear(&d->quoted);
		lu_json_quote(&d->quoted, s);
		if (lu_buf_check(&d->quoted, err) < 0)
			return -1;
		s = (struct lu_str){ d->quoted.p + 1, d->quoted.n - 2 };
	}
	d->in_text = true;
	lu_buf_clear(&d->text);
	return write_bytes(d, s.p, s.n, err);
}

/* Texts follow each other without a separator. */
static int end_text(struct lu_bin_decode *d, struct lu_err *err)
{
	static const char *const end[] = {
		[LU_BIN_RECORDS] = "\"}\n", [LU_BIN_TEXT] = "", [LU_BIN_PIECES] = "]\n"
	};
	enum lu_bin_as as = d->as;

	if (as != LU_BIN_PIECES &&
			(lu_tok_decode_end(d->tok, d->st, &d->text, &d->replaced, err) < 0 ||
					write_part(d, err) < 0))
		return -1;
	d->in_text = false;
	d->stats.in.docs++;
	d->stats.out.docs++;
	return write_bytes(d, end[as], strlen(end[as]), err);
}

/* The pieces of d->ids instead of their text. Returns 1 for an unknown id. */
static int put_pieces(struct lu_bin_decode *d, struct lu_err *err)
{
	for (size_t i = 0; i < d->ids.n; i++) {
		if (!lu_tok_piece(d->tok, d->ids.p[i]).p) {
			lu_err_set(err, "id %" PRIu32 " is not in the tokenizer", d->ids.p[i]);
			return 1;
		}
	}
	if (d->in_text)
		lu_buf_putc(&d->text, ',');
	lu_ids_put_pieces(&d->text, d->tok, d->ids.p, d->ids.n);
	if (lu_buf_check(&d->text, err) < 0)
		return -1;
	d->text.n--; /* the last comma */
	return 0;
}

static int put_text(struct lu_bin_decode *d, struct lu_err *err)
{
	if (!d->in_text)
		lu_tok_decode_begin(d->tok, d->st);
	return lu_tok_decode_more(d->tok, d->st, d->ids.p, d->ids.n, d->flags, &d->text,
			       &d->replaced, err) < 0
			? 1
			: 0;
}

/* Decode d->ids, the next part of a text. Returns 1 when that fails, -1 when writing does. */
static int decode_part(struct lu_bin_decode *d, struct lu_err *err)
{
	int rc = d->as == LU_BIN_PIECES ? put_pieces(d, err) : put_text(d, err);

	if (rc)
		return rc;
	d->tokens += d->ids.n;
	d->ids.n = 0;
	return write_part(d, err);
}

/* A text ends after each end token, and with the file. */
static int read_ids(struct lu_bin_decode *d, struct lu_in *in, struct lu_err *err)
{
	struct lu_ids *ids = &d->ids;
	uint32_t eos;
	bool has_eos = lu_tok_role(d->tok, LU_TOK_EOS, &eos);
	char buf[32768];
	ssize_t n = 0;
	int rc = 0;

	ids->n = 0;
	if (lu_ids_reserve(ids, sizeof(buf) / d->width, err) < 0)
		return -1;
	while (rc == 0 && (n = lu_in_read(in, buf, sizeof(buf), err)) > 0) {
		if ((size_t)n % d->width)
			return lu_err_set(err, "%s: ends inside an id of %u bytes", lu_in_name(in),
					d->width);
		d->stats.in.bytes += (uint64_t)n;
		for (size_t i = 0; rc == 0 && i < (size_t)n; i += d->width) {
			uint32_t id = d->width == 2 ? lu_load16(buf + i) : lu_load32(buf + i);
			bool is_end = has_eos && id == eos;

			ids->p[ids->n++] = id;
			if (is_end || i + d->width == (size_t)n)
				rc = decode_part(d, err);
			if (rc == 0 && is_end)
				rc = end_text(d, err);
		}
	}
	if (rc > 0)
		return lu_err_wrap(err, "%s", lu_in_name(in));
	if (rc < 0 || n < 0)
		return -1;
	return d->in_text ? end_text(d, err) : 0;
}

int lu_bin_decode_file(struct lu_bin_decode *d, const char *file, struct lu_err *err)
{
	struct lu_in *in;
	int rc;

	if (!d->st)
		d->st = lu_tok_state_new(d->tok);
	if (!d->st)
		return lu_err_nomem(err);
	if (lu_in_open(&in, file, err) < 0)
		return -1;
	rc = read_ids(d, in, err);
	lu_in_close(in);
	return rc;
}

int lu_bin_decode_check(const struct lu_bin_decode *d, const char *file, struct lu_err *err)
{
	struct lu_manifest m;
	char hash[33];
	int rc = lu_manifest_beside(&m, file, err);

	if (rc <= 0)
		return rc;
	lu_hash128_text(lu_tok_hash(d->tok), hash);
	rc = 0;
	if (m.width != d->width)
		rc = lu_err_set(err, "%s: its manifest says that ids have %u bytes: --from u%u",
				file, m.width, 8 * m.width);
	else if (m.tokenizer && strcmp(m.tokenizer, hash) != 0)
		rc = lu_err_set(err,
				"%s: its manifest names another tokenizer than %s (to decode it "
				"all the same, pass it on standard input)",
				file, d->tokenizer);
	lu_manifest_release(&m);
	return rc;
}

void lu_bin_decode_release(struct lu_bin_decode *d)
{
	lu_tok_state_free(d->st);
	lu_ids_release(&d->ids);
	lu_buf_release(&d->text);
	lu_buf_release(&d->quoted);
	lu_stats_release(&d->stats);
}
