#include "trainer/plan/cluster.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/vec.h"
#include "libcommon/sys/conf.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/installed.h"

#define FOLDER "clusters"
#define CONSTANTS "constants.ini"

/* clang-format off */
#define C struct lt_cluster
static const struct lu_opt cluster_keys[] = {
	LU_OPT_U64(0, "gpus", C, gpus, "N", "GPUs"),
	LU_OPT_U64(0, "gpus_per_node", C, gpus_per_node, "N", "GPUs a node"),
	LU_OPT_SIZE(0, "memory", C, memory, "SIZE", "memory of a GPU"),
	LU_OPT_DOUBLE(0, "peak", C, peak, "TFLOPS", 1e-3, 1e6, "dense bf16 rate of a GPU"),
	LU_OPT_DOUBLE(0, "bandwidth", C, bandwidth, "GBPS", 1e-3, 1e6, "of its memory"),
	LU_OPT_DOUBLE(0, "link", C, link, "GBPS", 1e-3, 1e6, "of a GPU within its node"),
	LU_OPT_U64(0, "adapters", C, adapters, "N", "network adapters a node"),
	LU_OPT_DOUBLE(0, "adapter", C, adapter, "GBITPS", 1e-3, 1e6, "rate of an adapter"),
	LU_OPT_DOUBLE(0, "latency", C, latency, "US", 0, 1e6, "of a message between nodes"),
	LU_OPT_END,
};
#undef C
#define K struct lt_constants
static const struct lu_opt constant_keys[] = {
	LU_OPT_DOUBLE(0, "product", K, product, "X", 0.01, 1, "share of the peak"),
	LU_OPT_DOUBLE(0, "product_area", K, product_area, "N", 0, 1e12, "elements at half of it"),
	LU_OPT_DOUBLE(0, "attention", K, attention, "X", 0.01, 1, "share of the peak"),
	LU_OPT_DOUBLE(0, "attention_context", K, attention_context, "N", 0, 1e9, "context at half of it"),
	LU_OPT_DOUBLE(0, "attention_back", K, attention_back, "X", 0.01, 1, "share of the peak"),
	LU_OPT_DOUBLE(0, "attention_back_context", K, attention_back_context, "N", 0, 1e9,
			"context at half of it"),
	LU_OPT_DOUBLE(0, "software", K, software, "X", 0.1, 100, "time of computation, a multiple"),
	LU_OPT_DOUBLE(0, "moving", K, moving, "X", 0.01, 1, "share of the bandwidth"),
	LU_OPT_DOUBLE(0, "launch", K, launch, "US", 0, 1e6, "between two operations"),
	LU_OPT_DOUBLE(0, "link", K, link, "X", 0.01, 1, "share of the rate within a node"),
	LU_OPT_DOUBLE(0, "adapter", K, adapter, "X", 0.01, 1, "share of the rate between nodes"),
	LU_OPT_DOUBLE(0, "link_latency", K, link_latency, "US", 0, 1e6, "of a message within a node"),
	LU_OPT_DOUBLE(0, "overlap", K, overlap, "X", 0, 1, "share of a pass that hides exchange"),
	LU_OPT_DOUBLE(0, "step", K, step, "MS", 0, 1e6, "of a step, whatever its size"),
	LU_OPT_DOUBLE(0, "straggler", K, straggler, "X", 0, 1, "deviation of the time of a node"),
	LU_OPT_SIZE(0, "reserved", K, reserved, "SIZE", "of a GPU, for context and libraries"),
	LU_OPT_END,
};
#undef K
/* clang-format on */

/* --- files ------------------------------------------------------------------------------------ */

/* What a file is read into. */
struct target {
	const char *section;
	const struct lu_opt *keys;
	void *to;
	uint64_t given; /* bit i: key i */
};

static int on_setting(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	struct target *t = ctx;

	if (strcmp(section, t->section) != 0 || *name)
		return lu_err_set(err, "section [%s%s%s]: only [%s] is known", section,
				*name ? " " : "", name, t->section);
	if (!key)
		return 0;
	for (size_t i = 0; t->keys[i].name; i++) {
		if (strcmp(t->keys[i].name, key) == 0)
			t->given |= UINT64_C(1) << i;
	}
	return lu_conf_store(t->keys, t->to, key, value, err);
}

static int read_file(struct target *t, const char *path, struct lu_err *err)
{
	struct lu_conf conf;
	int rc;

	if (lu_conf_open(&conf, path, err) < 0)
		return -1;
	rc = lu_conf_each(&conf, on_setting, t, err);
	for (size_t i = 0; rc == 0 && t->keys[i].name; i++) {
		if (!(t->given >> i & 1))
			rc = lu_err_set(err, "%s: [%s] %s is not set", path, t->section,
					t->keys[i].name);
	}
	lu_conf_close(&conf);
	return rc;
}

struct names LU_VEC(char *);

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the files of a folder without their ending, but for the constants. */
static int list_folder(const char *folder, struct names *names, struct lu_err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return lu_err_set(err, "%s: cannot be read", folder);
	while (rc == 0 && (e = readdir(dir))) {
		size_t n = strlen(e->d_name);
		char *name;

		if (n < 5 || strcmp(e->d_name + n - 4, ".ini") != 0 ||
				strcmp(e->d_name, CONSTANTS) == 0)
			continue;
		name = strndup(e->d_name, n - 4);
		if (!name || !lu_vec_push(names, name)) {
			free(name);
			rc = lu_err_nomem(err);
		}
	}
	closedir(dir);
	if (names->n)
		qsort(names->p, names->n, sizeof(*names->p), by_name);
	return rc;
}

/* The file of a cluster that comes with the program; *path is malloc'd. */
static int find_shipped(const char *name, char **path, struct lu_err *err)
{
	char *own = lu_own_folder(err), *folder = NULL;
	struct names names = { 0 };
	int rc = -1;

	*path = NULL;
	if (own)
		folder = lu_installed_pipelines(own, FOLDER, err);
	if (!folder || list_folder(folder, &names, err) < 0)
		goto out;
	for (size_t i = 0; i < names.n && !*path; i++) {
		if (strcmp(names.p[i], name) != 0)
			continue;
		char *start = lu_concat(folder, "/", name);

		*path = start ? lu_concat(start, ".ini", NULL) : NULL;
		free(start);
		rc = *path ? 0 : lu_err_nomem(err);
		goto out;
	}
	rc = lu_conf_unknown("cluster", name, (const char *const *)names.p, names.n, err);
	lu_err_wrap(err, "--cluster");
out:
	for (size_t i = 0; i < names.n; i++)
		free(names.p[i]);
	lu_vec_release(&names);
	free(folder);
	free(own);
	return rc;
}

/* --- clusters --------------------------------------------------------------------------------- */

int lt_cluster_read(struct lt_cluster *c, const char *name, struct lu_err *err)
{
	struct target t = { "cluster", cluster_keys, c, 0 };
	char *path = NULL;
	int rc;

	*c = (struct lt_cluster){ 0 };
	if (strpbrk(name, "/."))
		rc = read_file(&t, name, err);
	else
		rc = find_shipped(name, &path, err) < 0 ? -1 : read_file(&t, path, err);
	if (rc == 0 && lt_cluster_check(c, err) < 0)
		rc = lu_err_wrap(err, "%s", path ? path : name);
	free(path);
	return rc;
}

int lt_cluster_check(const struct lt_cluster *c, struct lu_err *err)
{
	if (c->gpus == 0 || c->gpus > 1u << 20)
		return lu_err_set(err, "gpus = %" PRIu64 " is out of range", c->gpus);
	if (c->gpus_per_node == 0 || c->gpus_per_node > 1024)
		return lu_err_set(err, "gpus_per_node = %" PRIu64 " is out of range",
				c->gpus_per_node);
	if (c->adapters == 0 && c->gpus > c->gpus_per_node)
		return lu_err_set(err, "adapters = 0, but %" PRIu64 " GPUs are several nodes",
				c->gpus);
	return 0;
}

double lt_cluster_nodes(const struct lt_cluster *c)
{
	return (double)((c->gpus + c->gpus_per_node - 1) / c->gpus_per_node);
}

void lt_cluster_print(const struct lt_cluster *c, struct lu_buf *out)
{
	double nodes = lt_cluster_nodes(c);

	lu_buf_printf(out, "%" PRIu64 " GPU%s on %.0f node%s, %.0f TFLOP/s, %.1f GiB at %.0f GB/s",
			c->gpus, c->gpus > 1 ? "s" : "", nodes, nodes > 1 ? "s" : "", c->peak,
			(double)c->memory / 1073741824, c->bandwidth);
	lu_buf_printf(out, "\n         links %.0f GB/s", c->link);
	if (nodes > 1)
		lu_buf_printf(out, ", %" PRIu64 " x %.0f Gb/s a node", c->adapters, c->adapter);
	lu_buf_putc(out, '\n');
}

int lt_constants_read(struct lt_constants *k, const char *path, struct lu_err *err)
{
	struct target t = { "constants", constant_keys, k, 0 };
	char *own, *found;
	int rc;

	*k = (struct lt_constants){ 0 };
	if (path)
		return read_file(&t, path, err);
	own = lu_own_folder(err);
	found = own ? lu_installed_pipelines(own, FOLDER "/" CONSTANTS, err) : NULL;
	rc = found ? read_file(&t, found, err) : -1;
	free(found);
	free(own);
	return rc;
}
