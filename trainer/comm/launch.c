#include "trainer/comm/launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/fnv.h"
#include "libcommon/base/num.h"

#define MAX_SIZE 1000000 /* ranks; more is a typing error */

/* The variables of one launcher. `sign` is the one that tells that it started this process, `rank`
 * and the others are then required; NULL where it has none. */
struct variables {
	const char *sign, *rank, *size, *local;
};

/* The value of a variable, or NULL if it is unset or empty. */
static const char *get(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int number(const char *name, size_t *out, struct lu_err *err)
{
	uint64_t n;

	if (lu_num_u64(get(name), &n, err) < 0)
		return lu_err_wrap(err, "%s", name);
	if (n > MAX_SIZE)
		return lu_err_set(err, "%s=%s: more than %d", name, get(name), MAX_SIZE);
	*out = (size_t)n;
	return 0;
}

/* Fail if one of the names is not set: half of a set. */
static int require(const char *sign, const char *const *names, size_t n, struct lu_err *err)
{
	struct lu_buf missing = { 0 };
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		if (names[i] && !get(names[i]))
			lu_buf_printf(&missing, "%s%s", missing.n ? " and " : "", names[i]);
	}
	if (lu_buf_check(&missing, err) < 0)
		rc = -1;
	else if (missing.n)
		rc = lu_err_set(err, "%s is set and %s is not: set all of them or none", sign,
				missing.p);
	lu_buf_release(&missing);
	return rc;
}

static int ranks(struct lt_launch *who, const struct variables *v, struct lu_err *err)
{
	const char *const names[] = { v->rank, v->size, v->local };
	size_t rank = 0;

	if (get(v->rank) && number(v->rank, &rank, err) < 0)
		return -1;
	who->rank = rank;
	if (require(v->sign, names, 3, err) < 0 || number(v->size, &who->size, err) < 0)
		return -1;
	if (v->local && number(v->local, &who->local_rank, err) < 0)
		return -1;
	if (who->size > 0 && rank < who->size)
		return 0;
	/* There may be no other to tell of it. */
	who->rank = 0;
	if (who->size == 0)
		return lu_err_set(err, "%s=0: a run has at least one rank", v->size);
	return lu_err_set(err, "%s=%zu: with %s=%zu ranks are 0 to %zu", v->rank, rank, v->size,
			who->size, who->size - 1);
}

/* The token names the attempt; a name that is too long is replaced by its hash. */
static void set_token(struct lt_launch *who, const char *kind, const char *name)
{
	uint64_t hash = lu_fnv1a(LU_FNV_BASIS, name, strlen(name));

	if (strlen(name) < sizeof(who->token) - 40)
		snprintf(who->token, sizeof(who->token), "lucie %s %zu %.88s", kind, who->size,
				name);
	else
		snprintf(who->token, sizeof(who->token), "lucie %s %zu %016" PRIx64, kind,
				who->size, hash);
}

/* HOST:PORT, HOST, or an address of IPv6 in brackets. */
static int place(struct lt_launch *who, const char *text, struct lu_err *err)
{
	const char *host = text, *end, *port;
	uint64_t n = 0;

	if (*text == '[') {
		host++;
		end = strchr(host, ']');
		port = end ? end + 1 : NULL;
	} else {
		end = text + strcspn(text, ":");
		port = end;
	}
	if (!end || end == host || (*port && *port != ':') || (*port && strchr(port + 1, ':')) ||
			(size_t)(end - host) >= sizeof(who->host))
		return lu_err_set(err, "LUCIE_RENDEZVOUS=%s: not HOST:PORT", text);
	if (*port && lu_num_u64(port + 1, &n, err) < 0)
		return lu_err_wrap(err, "LUCIE_RENDEZVOUS=%s", text);
	if (n > UINT16_MAX)
		return lu_err_set(err, "LUCIE_RENDEZVOUS=%s: ports end at %d", text, UINT16_MAX);
	snprintf(who->host, sizeof(who->host), "%.*s", (int)(end - host), host);
	who->port = (uint16_t)n;
	return 0;
}

/* A shell loop, ssh, or any other launcher that sets our own variables. */
static int by_lucie(struct lt_launch *who, const char *sign, struct lu_err *err)
{
	static const char *const also[] = { "LUCIE_RENDEZVOUS" };
	const char *attempt = get("LUCIE_ATTEMPT");
	struct variables v = { sign, "LUCIE_RANK", "LUCIE_SIZE", NULL };
	char name[512];

	if (ranks(who, &v, err) < 0 || require(sign, also, 1, err) < 0 ||
			place(who, get(also[0]), err) < 0)
		return -1;
	if (get("LUCIE_LOCAL_RANK") && number("LUCIE_LOCAL_RANK", &who->local_rank, err) < 0)
		return -1;
	who->by = LT_LAUNCH_LUCIE;
	snprintf(name, sizeof(name), "%s %s", attempt ? attempt : "0", get(also[0]));
	set_token(who, "plain", name);
	return 0;
}

/* mpirun. MPI itself tells the ranks where to meet; where it is not in the build, they meet on
 * this host if all of them are on it. */
static int by_mpi(struct lt_launch *who, const struct variables *v, const char *local_size,
		struct lu_err *err)
{
	static const char *const also[] = { "PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid" };
	size_t here = 0;
	char name[32];

	if (ranks(who, v, err) < 0 || (get(local_size) && number(local_size, &here, err) < 0))
		return -1;
	who->by = LT_LAUNCH_MPI;
	if (here == who->size)
		snprintf(who->host, sizeof(who->host), "127.0.0.1");
	/* Processes of one mpirun on one host have the same parent. */
	snprintf(name, sizeof(name), "%ld", (long)getppid());
	set_token(who, "mpi", get(also[0]) ? get(also[0]) : get(also[1]) ? get(also[1]) : name);
	return 0;
}

/* The first host of a list such as rack[03-05,9]-ib,m1: rack03-ib. */
static void first_host(const char *list, char *out, size_t size)
{
	size_t n = 0;

	for (; *list && *list != ',' && n + 1 < size; list++) {
		if (*list != '[') {
			out[n++] = *list;
			continue;
		}
		while (*++list && !strchr("-,]", *list) && n + 1 < size)
			out[n++] = *list;
		list += strcspn(list, "]");
		if (!*list)
			break;
	}
	out[n] = '\0';
}

static int by_slurm(struct lt_launch *who, struct lu_err *err)
{
	static const struct variables v = { "SLURM_STEP_ID", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS",
		"SLURM_LOCALID" };
	static const char *const also[] = { "SLURM_JOB_ID", "SLURM_STEP_NODELIST" };
	const char *again = get("SLURM_RESTART_COUNT"), *host = get("LUCIE_RENDEZVOUS_HOST");
	char name[128];

	if (ranks(who, &v, err) < 0 || require(v.sign, also, 2, err) < 0)
		return -1;
	who->by = LT_LAUNCH_SLURM;
	if (host)
		snprintf(who->host, sizeof(who->host), "%s", host);
	else
		first_host(get(also[1]), who->host, sizeof(who->host));
	snprintf(name, sizeof(name), "%s.%s.%s", get(also[0]), get(v.sign), again ? again : "0");
	set_token(who, "slurm", name);
	return 0;
}

int lt_launch_detect(struct lt_launch *who, struct lu_err *err)
{
	static const char *const ours[] = { "LUCIE_RANK", "LUCIE_SIZE", "LUCIE_RENDEZVOUS",
		"LUCIE_LOCAL_RANK" };
	static const struct variables ompi = { "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_RANK",
		"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK" };
	/* MPICH and its kin; PMI_RANK alone may also be srun's. */
	static const struct variables hydra = { "MPI_LOCALNRANKS", "PMI_RANK", "PMI_SIZE",
		"MPI_LOCALRANKID" };

	*who = (struct lt_launch){ .size = 1 };
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (get(ours[i]))
			return by_lucie(who, ours[i], err);
	}
	if (get(ompi.sign))
		return by_mpi(who, &ompi, "OMPI_COMM_WORLD_LOCAL_SIZE", err);
	if (get(hydra.sign))
		return by_mpi(who, &hydra, hydra.sign, err);
	if (get("SLURM_STEP_ID"))
		return by_slurm(who, err);
	return 0;
}
