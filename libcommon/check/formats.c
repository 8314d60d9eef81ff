#include "libcommon/check/formats.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libcommon/base/num.h"
#include "libcommon/bpetrain/count_file.h"
#include "libcommon/dedup/droplist.h"
#include "libcommon/dedup/near_files.h"
#include "libcommon/dedup/near_index.h"
#include "libcommon/minhash/sigfile.h"
#include "libcommon/mix/plan.h"
#include "libcommon/mix/walk_index.h"
#include "libcommon/pii/pii_file.h"
#include "libcommon/sys/file.h"

#define HEAD 36 /* of any file */
#define WINDOW ((size_t)1 << 18)

struct lu_own_format {
	const char *magic, *name;
	int (*verify)(const struct lu_own_format *f, const char *path, struct lu_own_facts *facts,
			struct lu_err *err);
};

/* --- each of them ------------------------------------------------------------------------- */

static int verify_counts(const struct lu_own_format *f, const char *path,
		struct lu_own_facts *facts, struct lu_err *err)
{
	struct lu_count_file c;
	int rc = lu_count_file_open(&c, path, err);

	(void)f;
	if (rc < 0)
		return -1;
	*facts = (struct lu_own_facts){ c.records, c.documents, c.bytes };
	rc = lu_count_file_verify(&c, err);
	lu_count_file_close(&c);
	return rc;
}

/* Read all sections of a file between steps. */
static int verify_step(const struct lu_own_format *f, const char *path, struct lu_own_facts *facts,
		struct lu_err *err)
{
	struct lu_stepfile s = LU_STEPFILE_NONE;
	struct lu_stepcursor c = { 0 };
	struct lu_str piece;
	int rc = lu_stepfile_open(&s, path, f->magic, err);

	if (rc == 0)
		rc = lu_stepcursor_open(&c, &s, 0, s.section.n, WINDOW, err);
	if (rc == 0) {
		*facts = (struct lu_own_facts){ .records = s.records, .documents = s.corpus.docs };
		do {
			uint64_t n = c.left ? c.left : 1;

			rc = lu_stepcursor_read(&c, n < WINDOW ? (size_t)n : WINDOW, &piece, err);
		} while (rc > 0);
	}
	lu_stepcursor_close(&c);
	lu_stepfile_close(&s);
	return rc;
}

/* The first bytes of a file, decompressed; -1 if it cannot be read, else how many there are. */
static ssize_t read_head(const char *path, unsigned char *head, size_t n, struct lu_err *err)
{
	struct lu_in *in;
	ssize_t got;

	if (lu_in_open(&in, path, err) < 0)
		return -1;
	got = lu_in_read(in, head, n, err);
	lu_in_close(in);
	return got;
}

/* The hashes that bands and rows, two numbers of the header, stand for. */
static int open_minhash(struct lu_minhash **mh, const char *path, struct lu_err *err)
{
	unsigned char head[HEAD];
	ssize_t n = read_head(path, head, sizeof(head), err);
	uint64_t bands, rows;

	*mh = NULL;
	if (n < 0)
		return -1;
	bands = n < 20 ? 0 : lu_load32(head + 12);
	rows = n < 20 ? 0 : lu_load32(head + 16);
	if (bands == 0 || rows == 0 || bands * rows > LU_MINHASH_MAX)
		return lu_err_set(
				err, "%s: damaged: it cannot have that many bands and rows", path);
	return lu_minhash_new(mh, (unsigned)bands, (unsigned)rows, LU_MINHASH_BEST, err);
}

static int verify_signatures(const struct lu_own_format *f, const char *path,
		struct lu_own_facts *facts, struct lu_err *err)
{
	struct lu_minhash *mh;
	struct lu_sigreader r;
	struct lu_sigentry e;
	void *signature = NULL;
	int rc = open_minhash(&mh, path, err);

	(void)f;
	if (rc < 0)
		return -1;
	signature = malloc(lu_minhash_size(mh));
	lu_sigreader_init(&r, &path, 1, mh);
	rc = signature ? 1 : lu_err_nomem(err);
	while (rc > 0 && (rc = lu_sigreader_next(&r, &e, signature, err)) > 0) {
		facts->records++;
		facts->documents++;
		facts->bytes += e.text_length;
	}
	lu_sigreader_close(&r);
	free(signature);
	lu_minhash_free(mh);
	return rc;
}

/* The field of --by, behind the header. */
static int read_by(const char *path, char **by, struct lu_err *err)
{
	unsigned char head[HEAD + 4096];
	ssize_t n = read_head(path, head, sizeof(head), err);
	size_t length;

	if (n < 0)
		return -1;
	length = n < HEAD ? 0 : lu_load32(head + 32);
	if (length > (size_t)(n < HEAD ? 0 : n - HEAD))
		length = 0; /* lu_index_open() says what is wrong */
	*by = strndup((const char *)head + HEAD, length);
	return *by ? 0 : lu_err_nomem(err);
}

static int verify_index(const struct lu_own_format *f, const char *path, struct lu_own_facts *facts,
		struct lu_err *err)
{
	struct lu_minhash *mh;
	struct lu_index_reader r = { 0 };
	struct lu_index_entry e;
	char *by = NULL;
	int rc = open_minhash(&mh, path, err);

	(void)f;
	if (rc < 0)
		return -1;
	rc = read_by(path, &by, err);
	if (rc == 0)
		rc = lu_index_open(&r, path, mh, *by ? by : NULL, err) < 0 ? -1 : 1;
	while (rc > 0 && (rc = lu_index_next(&r, &e, err)) > 0) {
		facts->records++;
		facts->documents += e.size;
	}
	lu_index_close(&r);
	lu_minhash_free(mh);
	free(by);
	return rc;
}

static int verify_plan(const struct lu_own_format *f, const char *path, struct lu_own_facts *facts,
		struct lu_err *err)
{
	struct lu_plan p;

	(void)f;
	if (lu_plan_read(&p, path, err) < 0)
		return -1;
	*facts = (struct lu_own_facts){ .records = p.groups, .documents = p.documents };
	lu_plan_release(&p);
	return 0;
}

/* PLAN.walk, by the plan beside it. */
static int verify_walk(const struct lu_own_format *f, const char *path, struct lu_own_facts *facts,
		struct lu_err *err)
{
	size_t n = strlen(path), ending = strlen(".walk");
	struct lu_plan p;
	struct lu_walk_index *x = NULL;
	char *plan;
	int rc;

	(void)f;
	if (n <= ending || strcmp(path + n - ending, ".walk") != 0)
		return lu_err_set(err, "%s: the walk index of a plan is called PLAN.walk", path);
	plan = strndup(path, n - ending);
	if (!plan)
		return lu_err_nomem(err);
	rc = lu_plan_read(&p, plan, err);
	if (rc == 0) {
		rc = lu_walk_index_open(&x, path, &p, err);
		if (rc == 1)
			rc = lu_err_set(err, "%s: is the walk index of another plan", path);
		if (rc == 0)
			rc = lu_walk_index_check(x, err);
		if (rc == 0)
			*facts = (struct lu_own_facts){ lu_walk_index_records(x), p.documents, 0 };
		lu_walk_index_close(x);
		lu_plan_release(&p);
	}
	free(plan);
	return rc;
}

static int verify_spans(const struct lu_own_format *f, const char *path, struct lu_own_facts *facts,
		struct lu_err *err)
{
	struct lu_pii_reader r;
	int rc = lu_pii_reader_open(&r, path, err);

	(void)f;
	if (rc == 0)
		*facts = (struct lu_own_facts){ .records = r.spans.n, .documents = r.texts.n };
	lu_pii_reader_close(&r);
	return rc;
}

/* Read with the shard whose tokens it is about. */
static int refuse_part(const struct lu_own_format *f, const char *path, struct lu_own_facts *facts,
		struct lu_err *err)
{
	(void)facts;
	return lu_err_set(err,
			"%s: is the %s of a shard, which is checked with it: give the prefix of "
			"the "
			"shard",
			path, f->name);
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct lu_own_format formats[] = {
	{ LU_COUNT_MAGIC, "count file", verify_counts },
	{ "lucieSIG", "signatures", verify_signatures },
	{ "lucieNDX", "index", verify_index },
	{ "lucieKEY", "keys", verify_step },
	{ LU_DROP_MAGIC, "drop list", verify_step },
	{ LU_SIGN_MAGIC, "file of lucie-dedup --step sign", verify_step },
	{ LU_MEET_MAGIC, "file of lucie-dedup --step meet", verify_step },
	{ LU_GUEST_MAGIC, "file of lucie-dedup --step fetch", verify_step },
	{ LU_EDGE_MAGIC, "file of lucie-dedup --step edges", verify_step },
	{ LU_ROOT_MAGIC, "file of lucie-dedup --step link", verify_step },
	{ LU_MEMBER_MAGIC, "file of lucie-dedup --step gather", verify_step },
	{ "{\"lucie_plan\":", "plan", verify_plan },
	{ "LUCIEWLK", "walk index", verify_walk },
	{ "{\"format\":\"lucie-spans\"", "span file", verify_spans },
	{ "lucieMSK", "mask", refuse_part },
	{ "lucieTCH", "teacher's file", refuse_part },
	{ "lucieLGP", "reference", refuse_part },
	{ "MMIDIDX", "index", refuse_part },
};

int lu_own_format_find(const char *path, const struct lu_own_format **f, struct lu_err *err)
{
	unsigned char head[32];
	struct stat st;
	ssize_t n;

	*f = NULL;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	n = read_head(path, head, sizeof(head), err);
	/* What cannot be decompressed is reported by whoever reads it. */
	if (n < 0)
		return err->errnum ? -1 : 0;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		size_t m = strlen(formats[i].magic);

		if ((size_t)n >= m && memcmp(head, formats[i].magic, m) == 0)
			*f = &formats[i];
	}
	return 0;
}

const char *lu_own_format_name(const struct lu_own_format *f)
{
	return f->name;
}

int lu_own_format_verify(const struct lu_own_format *f, const char *path,
		struct lu_own_facts *facts, struct lu_err *err)
{
	*facts = (struct lu_own_facts){ 0 };
	return f->verify(f, path, facts, err);
}
