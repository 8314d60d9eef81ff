#include "libcommon/sys/std.h"

#define S struct lu_std
#define EVERY_PROGRAM (1u << 31)

static const struct lu_enum progress_modes[] = {
	{ "auto", LU_PROGRESS_AUTO },
	{ "always", LU_PROGRESS_ALWAYS },
	{ "never", LU_PROGRESS_NEVER },
	LU_ENUM_END,
};

static const struct {
	unsigned groups; /* the option is honoured with any of these */
	struct lu_opt opt;
} rows[] = {
	{ LU_STD_OUTPUT, LU_OPT_STR('o', "output", S, output, "FILE", "write FILE, atomically") },
	{ LU_STD_PREFIX, LU_OPT_STR('o', "output", S, output, "PREFIX", "write shards PREFIX.*") },
	{ LU_STD_DIR, LU_OPT_STR('o', "output", S, output, "DIR", "write the folder DIR") },
	{ LU_STD_RUN, LU_OPT_STR('o', "output", S, output, "RUN", "folder of the run") },
	{ LU_STD_OUTPUT,
			LU_OPT_STR('z', "compress", S, compress, "HOW",
					"zstd[:N], gz, xz or none") },
	{ LU_STD_THREADS, LU_OPT_INT('j', "threads", S, threads, "N", 1, 1024, "threads") },
	{ LU_STD_MEMORY, LU_OPT_SIZE('m', "memory", S, memory, "SIZE", "memory limit") },
	{ LU_STD_TMPDIR, LU_OPT_STR('T', "tmpdir", S, tmpdir, "DIR", "temporary files") },
	{ LU_STD_FIELDS,
			LU_OPT_STR(0, "text-field", S, text_field, "MEMBER",
					"the text is in this member") },
	{ LU_STD_FIELDS,
			LU_OPT_LIST(0, "map", S, map, "NAME=MEMBER,...",
					"where lang, id and the like are") },
	{ LU_STD_RECORDS,
			LU_OPT_STR(0, "rejects", S, rejects, "FILE",
					"keep bad and dropped records") },
	{ LU_STD_RECORDS,
			LU_OPT_U64_GIVEN(0, "max-bad", S, max_bad, max_bad_given, "N",
					"skip up to N bad records") },
	{ LU_STD_RECORDS, LU_OPT_SIZE(0, "max-line", S, max_line, "SIZE", "longest record") },
	{ LU_STD_RECORDS,
			LU_OPT_FLAG(0, "allow-empty", S, allow_empty,
					"accept files without documents") },
	{ LU_STD_STATS, LU_OPT_STR(0, "stats", S, stats, "FILE", "append the accounting line") },
	{ LU_STD_SEED, LU_OPT_U64(0, "seed", S, seed, "N", "random seed") },
	{ LU_STD_PROGRESS,
			LU_OPT_ENUM(0, "progress", S, progress, progress_modes, "progress line") },
	{ EVERY_PROGRAM, LU_OPT_FLAG('q', "quiet", S, quiet, "only errors") },
	{ EVERY_PROGRAM, LU_OPT_COUNT('v', "verbose", S, verbose, "say more") },
};

const struct lu_opt *lu_std_opt(unsigned std, size_t i)
{
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		if ((rows[r].groups & (std | EVERY_PROGRAM)) && i-- == 0)
			return &rows[r].opt;
	}
	return NULL;
}

bool lu_std_for_documents(const struct lu_std *std)
{
	return std->text_field || std->map.n || std->rejects || std->max_bad_given;
}
